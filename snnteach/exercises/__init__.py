"""Exercises: `check` says right, not yet (and why) or not attempted; `hint` and `solution` help when asked."""
import functools
import importlib
import inspect
import pkgutil

from .engine import Exercise, Misconception, Question, judge

__all__ = ["Exercise", "Misconception", "Question", "all_exercises", "check", "find", "hint", "judge", "questions", "solution"]


@functools.cache
def all_exercises():
    """Return every exercise of the course, a dict from id to Exercise, in the order of the notebooks."""
    found = {}
    for module in _topics():
        for exercise in module.EXERCISES:
            if exercise.id in found:
                raise ValueError(f"exercise {exercise.id} stands twice.")
            found[exercise.id] = exercise
    return dict(sorted(found.items()))


def questions(number):
    """Return the questions for a lecture on notebook `number`, such as "07"."""
    return next(module.QUESTIONS for module in _topics() if module.EXERCISES[0].id[:2] == number)


def _topics():
    names = [info.name for info in pkgutil.iter_modules(__path__) if info.name != "engine"]
    return [importlib.import_module(f"{__name__}.{name}") for name in names]


def find(exercise_id):
    """Return the exercise with this id, or say which there are."""
    exercises, name = all_exercises(), str(exercise_id)
    name = f"0{name}" if name[1:2] == "." else name                    # "1.1" means 01.1
    if name not in exercises:
        nearest = [known for known in exercises if known[:2] == name[:2]] or list(exercises)
        raise ValueError(f"There is no exercise {exercise_id!r}; there are {', '.join(nearest)}.")
    return exercises[name]


def check(exercise_id, answer):
    """Judge an answer; return it if it is right, else the reference, so that the notebook goes on either way."""
    from ..course import progress

    exercise = find(exercise_id)
    exercise_id = exercise.id
    state, reason = judge(exercise, answer)
    help_line = f'Ask for a hint with hint("{exercise_id}"), or see it solved with solution("{exercise_id}").'
    if state == "right":
        progress.record_solved(exercise_id)
        print(f"{exercise_id} right")
        return answer
    print(f"{exercise_id} not attempted. {help_line}" if state == "not attempted" else
          f"{exercise_id} not yet: {reason} {help_line}")
    print("The notebook goes on with the reference answer.")
    return exercise.reference


def hint(exercise_id):
    """Print the next hint of an exercise, one at a time."""
    from ..course import progress

    exercise = find(exercise_id)
    number, taken = len(exercise.hints), progress.hints_taken(exercise.id)
    if taken < number:
        taken = min(progress.record_hint(exercise.id), number)          # another notebook may have asked meanwhile
    print(f"Hint {taken} of {number}: {exercise.hints[taken - 1]}")


def solution(exercise_id):
    """Print the solution of an exercise: the answer and how one gets there, or the source of the function."""
    exercise = find(exercise_id)
    if exercise.cases:
        print(inspect.getsource(exercise.reference).rstrip())
    else:
        print(f"{exercise.reference}")
    if exercise.solution:
        print(exercise.solution)
