"""The stored results of the studies: what takes longer than a reader waits, one table a lesson."""
import csv
from pathlib import Path

from .. import lessons
from ..lessons import lesson

FOLDER = Path(lessons.__file__).parent


def path(topic):
    """Return where the table of a lesson is."""
    return FOLDER / topic / "study.csv"


def rows(topic):
    """Read the table of a lesson, a list of dicts; an empty list where there is none."""
    return read(path(topic))


def read(file):
    """Read a table, a list of dicts; an empty list where there is none."""
    if not file.exists():
        return []
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def stored(topic):
    """Read the stored results of a study.

    Args:
        topic: name of the topic, such as "training", or the number of its notebook.

    Returns:
        {setting: [values]}, one value a seed.

    Raises:
        ValueError: there is no such topic, or its table is damaged.
        FileNotFoundError: the topic has no study, or the study has not been run.
    """
    values = {}
    for name, _, value, _ in _numbers(lesson(topic)):
        values.setdefault(name, []).append(value)
    return values


def seconds(topic):
    """Read how long each run of a study took: {setting without its quantity: [seconds]}, one value a seed; see `stored`."""
    runs = {}
    for name, seed, _, duration in _numbers(lesson(topic)):
        runs.setdefault(name.partition(": ")[0], {})[seed] = duration
    return {name: list(durations.values()) for name, durations in runs.items()}


def setting(row):
    """The setting of a row without its quantity: "price 0" of "price 0: accuracy"."""
    return row["setting"].partition(": ")[0]


def _numbers(row):
    if not (FOLDER / row.topic / "study.py").exists():
        raise FileNotFoundError(f"stored: notebook {row.number} ({row.topic}) has no study, so nothing is stored for it.")
    again = f"Run: python -m snnteach study {row.number}"
    table = rows(row.topic)
    if not table:
        raise FileNotFoundError(f"stored: there are no results of {row.topic!r}. {again}")
    for line, entry in enumerate(table, 2):
        try:
            yield entry["setting"], entry["seed"], float(entry["value"]), float(entry["seconds"])
        except (KeyError, TypeError, ValueError):
            raise ValueError(f"stored: line {line} of {row.topic}/study.csv is damaged. {again}") from None
