"""The lessons, one folder a topic, and the syllabus: which notebooks there are, in their order (standard library only)."""
import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path

SYLLABUS = Path(__file__).with_name("syllabus.toml")


@dataclass(frozen=True)
class Lesson:
    """One row of the syllabus: a notebook, its topic, and what the map of the course says of it."""

    number: str
    topic: str                                      # the name of its module and of its folder here
    title: str
    question: str
    exercises: int
    needs: tuple                                    # numbers of other notebooks
    part: str
    besides: str = ""                               # what it needs but notebooks
    invitation: str = ""                            # what the notebook before says of this one
    retired: tuple = ()                             # exercises that are asked no more, such as "14.3"
    long: bool = False                              # takes more than 25 seconds of one processor core
    name: str = ""                                  # what follows the number in the name of the file; by default the topic

    @property
    def asked(self):
        """The ids of the exercises that the notebook asks."""
        ids = [f"{self.number}.{place}" for place in range(1, self.exercises + len(self.retired) + 1)]
        return tuple(name for name in ids if name not in self.retired)

    @property
    def stem(self):
        """The name of the notebook without its ending, such as "07_surrogate"."""
        return f"{self.number}_{self.name or self.topic}"

    @property
    def file(self):
        """The name of the notebook, such as "07_surrogate.ipynb"."""
        return f"{self.stem}.ipynb"


@functools.cache
def syllabus():
    """Return the rows of the syllabus, a tuple of Lesson in the order of the course."""
    return tuple(map(_row, tomllib.loads(SYLLABUS.read_text(encoding="utf-8"))["notebook"]))


def _row(entries):
    try:
        return Lesson(**{**entries, **{name: tuple(entries.get(name, ())) for name in ("needs", "retired")}})
    except TypeError as error:
        missing = str(error).removeprefix("Lesson.__init__() ")
        raise ValueError(f"{SYLLABUS.name}: the row of notebook {entries.get('number', '?')}: {missing}.") from None


def lesson(name):
    """Return the Lesson with this number ("7", "07"), topic or notebook name, or say which there are.

    >>> lesson("7") is lesson("surrogate") is lesson("07_surrogate")
    True
    """
    wanted = str(name).removesuffix(".ipynb")
    for row in syllabus():
        if wanted in (row.number, row.number.lstrip("0") or "0", row.topic, row.stem):
            return row
    raise ValueError(f"There is no notebook {name!r}. There are: {', '.join(row.stem for row in syllabus())}.")
