"""What the notebooks claim, what it rests on, and what would refute it: `claims.csv` of each lesson, and its page."""
import ast
import re
from typing import NamedTuple

from ..lessons import lesson, syllabus
from ..reader import results
from . import anatomy, notebooks

COLUMNS = ["cell", "claim", "evidence", "refuted_by"]
UNTRIED = ("not tried",)


class Claim(NamedTuple):
    """A row: the words as they stand in a cell, what they rest on, and the counterfactuals that were run."""

    cell: str
    words: str
    evidence: tuple                                # of "cell:ID", "row:SETTING", "doi:..."
    refuted_by: tuple                              # of "cell:ID", "row:SETTING", or UNTRIED


def path(topic):
    """Return where the table of a lesson is."""
    return results.path(topic).with_name("claims.csv")


def claims(topic):
    """Return the claims of a lesson in the order of its table; an empty list where there is none.

    Raises:
        ValueError: the columns are not "cell", "claim", "evidence" and "refuted_by", or a row has another number of them.
    """
    rows = results.read(path(topic))
    if any(list(row) != COLUMNS or not all(row.values()) for row in rows):
        raise ValueError(f"claims: {topic}/claims.csv: every row has to have {', '.join(COLUMNS)}, and nothing else.")
    return [Claim(row["cell"], row["claim"], *(tuple(row[name].split("; ")) for name in COLUMNS[2:])) for row in rows]


def flaws(found, notebook, settings):
    """Say what is wrong with the claims of a notebook, a list of sentences.

    Args:
        found: its claims.
        notebook: the notebook.
        settings: the names of what its study stored, with and without their quantity.
    """
    cells = {cell.id: cell for cell in notebook.cells}
    summary = next(cell for cell in notebook.cells if "summary" in anatomy.tags(cell))
    wrong = [f"{claim.cell}: “{claim.words}”: {trouble}" for claim in found
             for trouble in _troubles(claim, cells, settings, summary)]
    wrong += [f"{where}: no row in claims.csv for {what}" for where, what in _unclaimed(found, notebook, summary)]
    if 2 * sum(claim.refuted_by != UNTRIED for claim in found) < len(found):
        wrong.append("less than half of the claims have a counterfactual that was tried")
    return wrong


def _troubles(claim, cells, settings, summary):
    if claim.cell not in cells:
        yield "there is no such cell"
    elif _words(claim.words) not in _words(cells[claim.cell].source):
        yield "these words do not stand in it"
    for source in claim.evidence:
        yield from _untrue(source, claim, cells, settings, named=True)
    if claim.refuted_by != UNTRIED:
        for source in claim.refuted_by:
            yield from _untrue(source, claim, cells, settings)
    elif claim.cell == summary.id:
        yield "a line of the summary needs a counterfactual that was tried"
    elif not re.search(r"\bhere\b", claim.words, re.IGNORECASE):
        yield "not tried, so it has to say 'here'"


def _untrue(source, claim, cells, settings, named=False):
    """Say why a source is none; evidence is also `named`: its assert says which claim it is for, or it is a paper."""
    kind, _, name = source.partition(":")
    if kind == "row":
        if name not in settings:
            yield f"study.csv has no row {name!r}"
    elif kind == "cell":
        said = _messages(cells[name]) if name in cells and cells[name].cell_type == "code" else []
        if not said:
            yield f"there is no cell {name} with an assert"
        elif named and not any(len(words.split()) >= 2 and words in claim.words for words in said):
            yield f"no assert in {name} has words of it as its message, two at least"
    elif kind == "doi" and named:
        if not any(f"doi.org/{name})" in cell.source for cell in cells.values()):
            yield f"the notebook has no link to doi.org/{name}"
    else:
        yield f"{source!r} is no source"


def _messages(cell):
    """Return the message of each assert of a cell, "" where there is none."""
    asserts = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Assert)]
    return [str(node.msg.value) if isinstance(node.msg, ast.Constant) else "" for node in asserts]


def _unclaimed(found, notebook, summary):
    """Yield what needs a row and has none: take-aways, lines of the summary, and each "because" in them."""
    lines = [(summary.id, line.strip()) for line in re.findall(r"^- (.*(?:\n  .*)*)", summary.source, re.MULTILINE)]
    takeaways = [(cell.id, cell.source) for cell in notebook.cells if "takeaway" in anatomy.tags(cell)]
    for where, text in takeaways + lines:
        rows = [_words(claim.words) for claim in found if claim.cell == where and _words(claim.words) in _words(text)]
        if not rows:
            yield where, f"“{_words(text)}”"
        elif sum("because" in words for words in rows) < len(re.findall(r"\bbecause\b", text)):
            yield where, f"a “because” in “{_words(text)}”"


def _words(text):
    return " ".join(text.split())


def lesson_flaws(name):
    """Say what is wrong with the claims of a notebook as it is committed, a list of sentences."""
    row, (file,) = lesson(name), notebooks.paths([name])
    stored = results.rows(row.topic)
    settings = {entry["setting"] for entry in stored} | {results.setting(entry) for entry in stored}
    return flaws(claims(row.topic), notebooks.read(file), settings)


def cited():
    """Return the ids of the cells that the page of claims links to: {stem of a notebook: set of ids}."""
    return {row.stem: {claim.cell for claim in claims(row.topic)} |
            {source.partition(":")[2] for claim in claims(row.topic) for source in claim.evidence + claim.refuted_by
             if source.startswith("cell:")} for row in syllabus()}


def label(cell_id, stem):
    """Return the name under which the page of claims links to a cell."""
    return f"claim-{stem[:2]}-{cell_id}"


def page():
    """Return the page that shows all claims in Markdown, a table a notebook."""
    parts = ["# What we claim, and what would refute it",
             "Each sentence that a notebook asks you to take away, and each line of its summary: where it stands, what it "
             "rests on (a cell that asserts it, a stored run, a paper), and which counterfactual was run to refute it. Where "
             "none was, the sentence says *here*."]
    for row in syllabus():
        if found := claims(row.topic):
            parts += [f"## {row.number} · {row.title}", "\n".join([
                "| claim | rests on | would be refuted by |", "|---|---|---|", *(_line(claim, row.stem) for claim in found)])]
    return "\n\n".join(parts) + "\n"


def _line(claim, stem):
    words = _words(claim.words).replace("|", r"\|")
    shown = (", ".join(_link(source, stem) for source in sources) for sources in (claim.evidence, claim.refuted_by))
    return f"| {words} {_link(f'cell:{claim.cell}', stem)} | {' | '.join(shown)} |"


def _link(source, stem):
    kind, _, name = source.partition(":")
    if kind == "cell":
        return f"[{name}](#{label(name, stem)})"
    if kind == "doi":
        return f"[doi:{name}](https://doi.org/{name})"
    return f"stored: {name}".replace("|", r"\|") if kind == "row" else source
