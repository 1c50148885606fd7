"""Find exercises and explorers by the syllabus, one lesson at a time: a broken lesson breaks no other."""
import importlib

from ..lessons import lesson, syllabus

LESSONS = __package__.rpartition(".")[0] + ".lessons"


def part(topic, name):
    """Import one file of a lesson, such as part("neurons", "explorers")."""
    return importlib.import_module(f"{LESSONS}.{topic}.{name}")


def exercises(number):
    """Return the exercises of a notebook, a dict from id to Exercise, in order."""
    return {exercise.id: exercise for exercise in part(lesson(number).topic, "exercises").EXERCISES}


def exercise(exercise_id):
    """Return the exercise with this id ("01.1" or "1.1"), or say which there are."""
    number, _, rest = str(exercise_id).partition(".")
    name = f"{number.zfill(2)}.{rest}"
    numbers = [row.number for row in syllabus()]
    if number.zfill(2) not in numbers:
        raise ValueError(f"There is no exercise {exercise_id!r}: the number before the point is that of a notebook, and there "
                         f"are {', '.join(numbers)}.")
    there = exercises(number)
    if name not in there:
        raise ValueError(f"There is no exercise {exercise_id!r}; there are {', '.join(there)}.")
    return there[name]


def questions(number):
    """Return the questions for a lecture on a notebook, such as "07"."""
    return part(lesson(number).topic, "exercises").QUESTIONS


def explorer(name):
    """Return the Explorer called "topic.name", or say which there are."""
    topic, _, short = name.partition(".")
    topics = [row.topic for row in syllabus()]
    if topic not in topics:
        raise ValueError(f'explore: no topic {topic!r}; a name reads "topic.name", such as "neurons.lif", and the topics are '
                         f"{', '.join(topics)}.")
    table = part(topic, "explorers").EXPLORERS
    if short not in table:
        raise ValueError(f"explore: {topic!r} has {', '.join(map(repr, table))}, got {short!r}.")
    return table[short]
