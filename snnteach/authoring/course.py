"""What the syllabus says elsewhere: the first and the last lines of each notebook, parts of the README, addresses."""
import csv
import functools
import re
from urllib.parse import urlsplit

from ..install.pins import ROOT, project
from ..lessons import lesson, syllabus
from . import anatomy

MEMORY = ROOT / "tests" / "benchmarks" / "memory.csv"
VERSION = "HEAD"                        # what Binder and Colab open; a release names its tag ("Contribute" in the README)
TWO_DAYS = ("00", "01", "02", "07"), ("08", "09", "10")
CORE = ("00", "01", "02", "04", "07", "08", "09", "14", "15", "16")
LAST = ("yours. Take data of your own, encode them ([04](04_encoding.ipynb)), train ([09](09_training.ipynb)), send the bill "
        "([21](21_energy.ipynb)), and set an ordinary network of the same size beside it at every step. The "
        "[course map](../README.md) shows what else there is.")
_TITLE = re.compile(r"\A# .*\n\n\*\*\d+ minutes.*\*\*$", re.MULTILINE)
_NEXT = re.compile(r"^\*\*Next:\*\* .*\Z", re.MULTILINE)


@functools.cache
def repository():
    """Return the address of the repository, which stands in pyproject.toml."""
    return project()["urls"]["Repository"]


def binder(file):
    """Return the address that opens a notebook on Binder."""
    return f"https://mybinder.org/v2/gh{urlsplit(repository()).path}/{VERSION}?urlpath=lab/tree/tutorials/{file}"


def colab(file):
    """Return the address that opens a notebook on Colab."""
    return f"https://colab.research.google.com/github{urlsplit(repository()).path}/blob/{VERSION}/tutorials/{file}"


def fill(notebook, row):
    """Write into a notebook what its row of the syllabus says (question, needs, and what comes next), and its minutes.

    Raises:
        ValueError: the lines to write over are not there.
    """
    first, last = notebook.cells[0], notebook.cells[-1]
    last.source, ends = _NEXT.subn(lambda found: f"**Next:** {_next(row)}", last.source)
    first.source, titles = _TITLE.subn(lambda found: _title(row, anatomy.times(notebook)), first.source)
    if (titles, ends) != (1, 1):
        raise ValueError(f"{row.file}: it has to begin with '# question', an empty line and '**N minutes**', and its last "
                         "cell has to end in a line '**Next:** ...'.")
    anatomy.write_minutes(notebook)
    return notebook


def _title(row, times):
    needed = [lesson(number) for number in row.needs]
    if len(needed) == 1:
        links = [f"[{needed[0].number} · {needed[0].title}]({needed[0].file})"]
    else:
        links = [f"[{other.number}]({other.file})" for other in needed]
    core = f" ({times.core} without the side path)" if times.core < times.reading else ""
    return (f"# {row.number} · {row.question}\n\n**{times.reading} minutes to read{core}, {times.exercises} for the "
            f"{row.exercises} exercises · needs: {_listed(links)}{row.besides}**")


def _listed(words):
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _next(row):
    after = syllabus()[syllabus().index(row) + 1:]
    return f"[{after[0].number} · {after[0].title}]({after[0].file}){after[0].invitation}" if after else LAST


def readme(text, times):
    """Return the text of the README with what stands between its marks as the syllabus and the measured tables say it.

    Args:
        text: the README as it is.
        times: the `anatomy.Times` of each notebook, in the order of the syllabus.

    Raises:
        ValueError: a pair of marks such as `<!-- course -->` and `<!-- /course -->` is not there.
    """
    for name, words in (("course", _course(times)), ("orders", _orders(times)), ("modules", _modules()), ("memory", _memory())):
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, _, rest = text.partition(start)
        _, found, after = rest.partition(end)
        if not found:
            raise ValueError(f"README.md: {start} and {end} have to stand around what is written there.")
        text = before + start + words + end + after
    return text


def _course(times):
    rows = [f"| [{row.number} {row.title}](tutorials/{row.file}) | {row.question} | {found.reading} + {found.exercises} | "
            f"{', '.join(row.needs) or 'PyTorch'} | [Binder]({binder(row.file)}), [Colab]({colab(row.file)}) |"
            for row, found in zip(syllabus(), times)]
    return "\n".join(["", "| notebook | question | minutes to read, for exercises | needs | in the browser |",
                      "|---|---|---|---|---|", *rows, ""])


def _orders(times):
    rows = syllabus()
    spent = {row.number: found.reading + found.exercises for row, found in zip(rows, times)}
    parts = {row.part: ", ".join(other.number for other in rows if other.part == row.part) for row in rows}
    short = sorted(found.core for found in times)
    sided = _listed([row.number for row, found in zip(rows, times) if found.core < found.reading])
    first, second = (", ".join(day) for day in TWO_DAYS)
    hours = {path: f"{sum(spent[number] for number in path) / 60:.0f} hours with the exercises"
             for path in (sum(TWO_DAYS, ()), CORE, tuple(spent))}
    return "\n".join([
        "", f"*Two days, {hours[sum(TWO_DAYS, ())]}*: {first}; then {second}. End with data of your own (section 6 of 09): a",
        "spiking network on them, beside a linear model, itself with its hidden layer frozen, and an ordinary network.",
        f"*The core, {hours[CORE]}*: {', '.join(CORE)}.",
        f"*All of it, {hours[tuple(spent)]}, a week or a lecture a week*: {', '.join(parts.values())}.",
        f"*One part*: {'; '.join(f'{part} ({numbers})' for part, numbers in parts.items())}.",
        f"*A lecture each*: a notebook fills {short[0]} to {short[-1]} minutes with its exercises left for later ({sided} on",
        "their core path, the sections that are not marked as side path).", ""])


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
