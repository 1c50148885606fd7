"""What of a notebook opens unfolded, and how many minutes it takes to read: counted here, and by nobody by hand."""
import math
import re
from typing import NamedTuple

FOLDED = {"figure", "control", "agreement", "proof"}                 # a click opens the source of cells with these tags
_REPEATED = {"program", "exercise"}                                  # open, and not counted
_HEADING = re.compile(r"^(## .*?)(?: \(\d+ min(.*?)\))?$", re.MULTILINE)
_FORMULA = re.compile(r"\$\$.+?\$\$", re.DOTALL)
_NOT_READ = re.compile(r"<details>.*?</details>|<!--.*?-->|^\*\*\d+ minutes.*?$|^> \*\*Exercise.*?(?=^(?!>)|\Z)",
                       re.DOTALL | re.MULTILINE)
_GIVE_UP = re.compile(r"^> \*\*Exercise .*?, give up after (\d+) minutes?\b", re.MULTILINE)


class Section(NamedTuple):
    """A section: its heading, whether it belongs to the side path, and its minutes."""

    heading: str
    side: bool
    minutes: int


class Times(NamedTuple):
    """The minutes of a notebook: to read it, without its side path, and for its exercises."""

    reading: int
    core: int
    exercises: int


def tags(cell):
    """Return the tags of a cell, a set."""
    return set(cell.metadata.get("tags", []))


def folded(cell):
    """Tell whether the source of a cell is folded."""
    return cell.cell_type == "code" and bool(tags(cell) & FOLDED)


def opened(notebook):
    """Return the code cells that open unfolded and are to be read: no exercise, and not the program at the end."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and not tags(cell) & (FOLDED | _REPEATED)]


def code_lines(source):
    """Count lines that are neither blank nor only a comment."""
    return sum(1 for line in source.split("\n") if line.strip() and not line.strip().startswith("#"))


def sections(notebook):
    """Return the sections of a notebook; what stands above the first heading belongs to the first."""
    headings, minutes = [], [0.0]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            minutes[-1] += _code_minutes(cell)
            continue
        for part in re.split(r"^(?=## )", cell.source, flags=re.MULTILINE):
            if found := _HEADING.match(part):
                headings.append(found)
                minutes += [0.0] if len(headings) > 1 else []
            minutes[-1] += _text_minutes(part)
    return [Section(heading[1], "side path" in (heading[2] or ""), max(1, math.floor(spent + 0.5)))
            for heading, spent in zip(headings, minutes)]


def _text_minutes(text):
    text = _NOT_READ.sub("", _HEADING.sub(r"\1", text))
    words = re.findall(r"\S*\w\S*", _FORMULA.sub(" ", text))
    return len(words) / 160 + len(_FORMULA.findall(text)) / 2


def _code_minutes(cell):
    if "explorer" in tags(cell):
        return 2
    pictures = sum("image/png" in output.get("data", {}) for output in cell.outputs)
    unread = tags(cell) & (FOLDED | _REPEATED)
    return pictures + (0 if unread else code_lines(cell.source) / 6)


def times(notebook):
    """Return the Times of a notebook: those of its sections, and those after which a reader may give an exercise up."""
    found, exercises = sections(notebook), _GIVE_UP.findall("\n".join(cell.source for cell in notebook.cells))
    reading, core = (5 * math.ceil(sum(section.minutes for section in part) / 5)
                     for part in (found, [section for section in found if not section.side]))
    return Times(reading, core, sum(map(int, exercises)))


def write_minutes(notebook):
    """Write its minutes into the heading of each section; "(0 min, side path)" keeps the words after the comma."""
    minutes = iter(sections(notebook))
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _HEADING.sub(lambda found: f"{found[1]} ({next(minutes).minutes} min{found[2] or ''})", cell.source)


def measured(notebook):
    """Return a notebook's row of the table: unfolded lines, lines of the longest open cell and its id, minutes."""
    cells = opened(notebook)
    longest = max(cells, key=lambda cell: code_lines(cell.source))
    reading, core, exercises = times(notebook)
    return (sum(code_lines(cell.source) for cell in cells), f"{code_lines(longest.source)} ({longest.id})",
            f"{reading}{f' ({core})' if core < reading else ''}", exercises)
