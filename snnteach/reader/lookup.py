"""Find exercises, guesses and explorers by the syllabus, one lesson at a time: a broken lesson breaks no other."""
import importlib
from pathlib import Path

from ..lessons import lesson, syllabus

LESSONS = __package__.rpartition(".")[0] + ".lessons"


def part(topic, name):
    """Import one file of a lesson, such as part("neurons", "explorers")."""
    return importlib.import_module(f"{LESSONS}.{topic}.{name}")


def exercises(number):
    """Return the exercises of a notebook, a dict from id to Exercise, in order."""
    return {exercise.id: exercise for exercise in part(lesson(number).topic, "exercises").EXERCISES}


def guesses(number):
    """Return the guesses of a notebook, a dict from id to Guess, in order."""
    return getattr(part(lesson(number).topic, "exercises"), "GUESSES", {})


def exercise(exercise_id):
    """Return the exercise with this id ("01.1" or "1.1"), or say which there are."""
    return _found("exercise", exercises, exercise_id)


def guess(guess_id):
    """Return the guess with this id ("02.a" or "2.a"), or say which there are."""
    return _found("guess", guesses, guess_id)


def full(name):
    """Write the id of an exercise or a guess out: "01.1" for "1.1"."""
    number, _, rest = str(name).partition(".")
    return f"{number.zfill(2)}.{rest}"


def _found(kind, table, asked):
    name, numbers = full(asked), [row.number for row in syllabus()]
    number = name.partition(".")[0]
    if number not in numbers:
        raise ValueError(f"There is no {kind} {asked!r}: the number before the point is that of a notebook, and there "
                         f"are {', '.join(numbers)}.")
    there = table(number)
    if name not in there:
        raise ValueError(f"There is no {kind} {asked!r}; there are {', '.join(there) or 'none in this notebook'}.")
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


def page(name):
    """Return the Page of the explorer called "topic.name", or say which explorers of its topic have one."""
    explorer(name)
    topic, _, short = name.partition(".")
    table = getattr(part(topic, "explorers"), "PAGES", {})
    if short not in table:
        raise ValueError(f"play: {topic!r} has {', '.join(map(repr, table)) or 'no live figure'}, got {short!r}.")
    return table[short]


def script(name):
    """Return the path of the JavaScript that shows the live figure called "topic.name"."""
    return Path(part(name.partition(".")[0], "explorers").__file__).with_name("live.js")
