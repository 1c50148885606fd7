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
    if not path(topic).exists():
        return []
    with path(topic).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def stored(topic):
    """Read the stored results of a study.

    Args:
        topic: name of the topic, such as "training", or the number of its notebook.

    Returns:
        {setting: [values]}, one value a seed.

    Raises:
        ValueError: there is no such topic.
        FileNotFoundError: the study has not been run, or the topic has none.
    """
    row = lesson(topic)
    values = {}
    for entry in rows(row.topic):
        values.setdefault(entry["setting"], []).append(float(entry["value"]))
    if not values:
        raise FileNotFoundError(f"stored: there are no results of {row.topic!r}. Run: python -m snnteach study {row.number}")
    return values
