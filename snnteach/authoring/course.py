"""What the syllabus says elsewhere: the first and the last lines of each notebook, parts of the README, addresses."""
import csv
import functools
import re
from urllib.parse import urlsplit

from ..install.pins import ROOT, project
from ..lessons import lesson, syllabus

MEMORY = ROOT / "tests" / "benchmarks" / "memory.csv"
VERSION = "HEAD"                        # what Binder opens; a release names its tag ("Contribute" in the README)
LAST = "this is the last notebook for now; the [course map](../README.md) shows what else there is."
_TITLE = re.compile(r"\A# .*\n\n\*\*\d+ minutes(.*?) · needs: .* · \d+ exercises\*\*$", re.MULTILINE)
_NEXT = re.compile(r"^\*\*Next:\*\* .*\Z", re.MULTILINE)


@functools.cache
def repository():
    """Return the address of the repository, which stands in pyproject.toml."""
    return project()["urls"]["Repository"]


def binder(file):
    """Return the address that opens a notebook on Binder."""
    return f"https://mybinder.org/v2/gh{urlsplit(repository()).path}/{VERSION}?urlpath=lab/tree/tutorials/{file}"


def fill(notebook, row):
    """Write into a notebook what its row of the syllabus says: question, minutes, needs, exercises, and what comes next.

    What stands in parentheses after the minutes is the notebook's own.

    Raises:
        ValueError: the lines to write over are not there.
    """
    first, last = notebook.cells[0], notebook.cells[-1]
    first.source, titles = _TITLE.subn(lambda found: _title(row, found[1]), first.source)
    last.source, ends = _NEXT.subn(lambda found: f"**Next:** {_next(row)}", last.source)
    if (titles, ends) != (1, 1):
        raise ValueError(f"{row.file}: it has to begin with '# question', an empty line and '**N minutes · needs: ... · "
                         "N exercises**', and its last cell has to end in a line '**Next:** ...'.")
    return notebook


def _title(row, aside):
    needed = [lesson(number) for number in row.needs]
    if len(needed) == 1:
        links = [f"[{needed[0].number} · {needed[0].title}]({needed[0].file})"]
    else:
        links = [f"[{other.number}]({other.file})" for other in needed]
    return (f"# {row.number} · {row.question}\n\n"
            f"**{row.minutes} minutes{aside} · needs: {_listed(links)}{row.besides} · {row.exercises} exercises**")


def _listed(words):
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _next(row):
    after = syllabus()[syllabus().index(row) + 1:]
    return f"[{after[0].number} · {after[0].title}]({after[0].file}){after[0].invitation}" if after else LAST


def readme(text):
    """Return the text of the README with what stands between its marks as the syllabus and the measured tables say it.

    Raises:
        ValueError: a pair of marks such as `<!-- course -->` and `<!-- /course -->` is not there.
    """
    for name, words in (("course", _course()), ("orders", _orders()), ("modules", _modules()), ("memory", _memory())):
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, _, rest = text.partition(start)
        _, found, after = rest.partition(end)
        if not found:
            raise ValueError(f"README.md: {start} and {end} have to stand around what is written there.")
        text = before + start + words + end + after
    return text


def _course():
    rows = [f"| [{row.number} {row.title}](tutorials/{row.file}) | {row.question} | {row.minutes} | "
            f"{', '.join(row.needs) or 'PyTorch'} |" for row in syllabus()]
    return "\n".join(["", "| notebook | question | minutes | needs |", "|---|---|---|---|", *rows, ""])


def _orders():
    rows = syllabus()
    parts = {row.part: ", ".join(other.number for other in rows if other.part == row.part) for row in rows}
    short = sorted(row.core_minutes or row.minutes for row in rows)
    sided = _listed([row.number for row in rows if row.core_minutes])
    return "\n".join([
        "", f"*All of it, {sum(row.minutes for row in rows) / 60:.0f} hours, best over two days*: {', '.join(parts.values())}.",
        f"*One part*: {'; '.join(f'{part} ({numbers})' for part, numbers in parts.items())}.",
        f"*A lecture each*: a notebook fills {short[0]} to {short[-1]} minutes with its exercises left for later ({sided} on",
        "the core path that each names at its beginning).", ""])


def _modules():
    return "\n" + ", ".join(f"`{name}`" for name in modules()) + ".\n"


def modules():
    """Return the names of the reference modules: those of the topics in the order of the course, then the others."""
    topics = [row.topic for row in syllabus()]
    names = sorted(path.stem for path in (ROOT / "snnteach").glob("*.py") if not path.stem.startswith("_"))
    return topics + [name for name in names if name not in topics]


def _memory():
    with open(MEMORY, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    cells = [["", "after `setup`", "at the peak"],
             *([lesson(row["notebook"]).number, row["after_setup_mb"], row["peak_mb"]] for row in rows)]
    head, *lines = (f"| {' | '.join(line)} |".replace("|  |", "| |") for line in zip(*cells))
    return "\n".join(["", head, "|---" * len(cells) + "|", *lines, ""])
