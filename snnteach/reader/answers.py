"""Exercises: `check` says right, not yet (and why) or not attempted; `hint` and `solution` help when asked."""
import inspect

from . import store
from .judge import judge
from .lookup import exercise as find


def check(exercise_id, answer):
    """Judge an answer; return it if it is right, else the reference, so that the notebook goes on either way."""
    exercise = find(exercise_id)
    exercise_id = exercise.id
    state, reason = judge(exercise, answer)
    help_line = f'Ask for a hint with hint("{exercise_id}"), or see it solved with solution("{exercise_id}").'
    if state == "right":
        store.record_solved(exercise_id)
        print(f"{exercise_id} right")
        return answer
    print(f"{exercise_id} not attempted. {help_line}" if state == "not attempted" else
          f"{exercise_id} not yet: {reason} {help_line}")
    print("The notebook goes on with the reference answer.")
    return exercise.reference


def hint(exercise_id):
    """Print the next hint of an exercise, one at a time."""
    exercise = find(exercise_id)
    number, taken = len(exercise.hints), store.hints_taken(exercise.id)
    if taken < number:
        taken = min(store.record_hint(exercise.id), number)          # another notebook may have asked meanwhile
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


def whose(answer):
    """Say whether what `check` gave back is the reader's: "your code" or "the reference code".

    >>> from snnteach.neurons import lif
    >>> whose(lif)
    'the reference code'
    """
    return "the reference code" if answer.__module__.startswith("snnteach.") else "your code"
