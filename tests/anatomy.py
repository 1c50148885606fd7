"""The rules that the anatomy of a notebook obeys: each is a function that yields what breaks it, one line each."""
import ast
import re

from snnteach.authoring import anatomy
from snnteach.authoring.slides import TAKE_AWAY
from tests import cells

PIECES = {"guess", "explorer", "takeaway", "exercise", "mistake", "control", "agreement"}


def code_cells(notebook):
    """Return the code cells of a notebook."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def takeaways(notebook):
    """A take-away is a paragraph in a cell of its own, directly under what it sums up."""
    for above, cell in zip([None, *notebook.cells], notebook.cells):
        if "takeaway" in cells.tags(cell):
            if not re.fullmatch(rf"{re.escape(TAKE_AWAY)}\S.*", cell.source):
                yield f"{cell.id}: a take-away is one paragraph that begins with '{TAKE_AWAY}'"
            if above is None or {"setup", "recall", "exercise", "takeaway"} & cells.tags(above) or above.id.startswith("ex-"):
                yield f"{cell.id}: there is nothing above it to sum up"
        elif TAKE_AWAY.strip() in cell.source:
            yield f"{cell.id}: a take-away has a cell of its own, with the tag takeaway"


def headings(notebook):
    """What sums a section up shares no cell with the next heading: a heading begins its cell."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and re.search(r"(?<!\A)^#{1,6} ", cell.source, re.MULTILINE):
            yield f"{cell.id}: a heading that does not begin its cell"


def folding(notebook):
    """A figure has a picture, a proof proves the cell above, and what is to be read is not folded."""
    code = code_cells(notebook)
    for above, cell in zip([None, *code], code):
        tags = cells.tags(cell)
        if "figure" in tags and not any("image/png" in output.get("data", {}) for output in cell.outputs):
            yield f"{cell.id}: a figure without a picture"
        if "proof" in tags and (above is None or "proof" in cells.tags(above) or not asserts(cell)):
            yield f"{cell.id}: a proof holds the asserts of the cell above"
        if anatomy.folded(cell) and tags & {"setup", "explorer", "guess", "listing", "exercise", "program"}:
            yield f"{cell.id}: folded, and to be read"


def asserts(cell):
    """Return the assert statements of a cell."""
    return [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Assert)]


def open_asserts(notebook):
    """No assert stands in a cell that opens unfolded."""
    for cell in code_cells(notebook):
        if not anatomy.folded(cell) and asserts(cell):
            yield f"{cell.id}: an assert in a cell that opens unfolded"


def lengths(notebook):
    """Cells that open unfolded are short, and few enough."""
    opened = anatomy.opened(notebook)
    for cell in opened:
        lines, most = anatomy.code_lines(cell.source), 25 if "listing" in cells.tags(cell) else 15
        if lines > most:
            yield f"{cell.id}: {lines} lines, and {most} at most"
    times = anatomy.times(notebook)
    lines, most = sum(anatomy.code_lines(cell.source) for cell in opened), 200 if times.core < times.reading else 150
    if lines > most:
        yield f"{lines} unfolded lines, and {most} at most"


def minutes(notebook):
    """The core path takes 45 minutes at most, a side path 30 more."""
    times = anatomy.times(notebook)
    if times.core > 45 or times.reading > times.core + 30:
        yield f"{times.reading} minutes to read, {times.core} of them on the core path: at most 45, and 30 beside it"


def pieces(notebook):
    """No kind of cell is missing, and a guess is nothing but the question."""
    if missing := PIECES - set().union(*map(cells.tags, notebook.cells)):
        yield f"no cell with the tag {', '.join(sorted(missing))}"
    for cell in notebook.cells:
        if "guess" in cells.tags(cell) and not re.fullmatch(r'guess\("\d\d\.[a-z]"\)', cell.source):
            yield f"{cell.id}: more than a guess"


def builds(notebook):
    """One exercise is a build, and the next cell runs what `check` gave back and says whose code it was."""
    code = code_cells(notebook)
    places = [place for place, cell in enumerate(code) if cell.metadata.get("snnteach", {}).get("build")]
    if len(places) != 1:
        yield f"{len(places)} build exercises instead of one"
    for place in places:
        (answer,), run = cells.bound(ast.parse(code[place].source)), ([*code, None])[place + 1]
        if run is None or f"whose({answer})" not in run.source:
            yield f"{code[place].id}: the next cell has to run {answer} and say whose({answer}) it was"


RULES = (takeaways, headings, folding, open_asserts, lengths, minutes, pieces, builds)
