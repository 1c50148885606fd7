"""The course as a site: Sphinx and MyST-NB on the committed outputs; `docs/conf.py` holds Sphinx's settings.

Nothing is executed. The notebooks are copied with five changes: a sweep stands where an explorer needs a kernel, live figures
are on the page with all they need, pictures carry their alternative text, what is folded is folded, and each listing is
preceded by a link to what it shows of the package.
"""
import csv
import html
import importlib
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import nbformat

from ..install.pins import ROOT
from ..install.troubles import SetupError
from ..lessons import lesson
from ..reader import page
from ..reader.lookup import explorer as find
from . import anatomy, claims, notebooks, uses
from .course import binder, modules
from .sweeps import sweeps

FOLDER = ROOT / "site"
GLOSSARY = Path(__file__).with_name("glossary.csv")
FIRST = "sparsity.digit"              # the live figure with which the site begins
FITTING = 96                          # characters of code beside both columns of a page


def build(folder=FOLDER):
    """Write the site and return the path of its first page.

    Args:
        folder: where to write; `source`, `doctrees` and `html` in it are replaced.

    Raises:
        SetupError: Sphinx gave a warning, such as for a link that leads nowhere.
    """
    folder = Path(folder).resolve()
    for name in ("source", "doctrees", "html"):
        shutil.rmtree(folder / name, ignore_errors=True)
    prepare(folder / "source")
    # A process of its own: autodoc changes the signatures of the functions it documents.
    sphinx = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "-c", str(ROOT / "docs"),
              "-d", str(folder / "doctrees"), str(folder / "source"), str(folder / "html")]
    if subprocess.run(sphinx, cwd=ROOT).returncode:
        raise SetupError("Sphinx found something wrong with the site; its messages stand above.")
    for path in notebooks.paths():                      # what the download button gives: the notebook as it is committed
        shutil.copy(path, folder / "html" / "_sources")
    return folder / "html" / "index.html"


def prepare(source):
    """Write what Sphinx reads: notebooks, a page for each reference module, the glossary and the first page."""
    (source / "reference").mkdir(parents=True)
    shutil.copytree(notebooks.TUTORIALS / "figures", source / "figures")
    for path in notebooks.paths():
        nbformat.write(for_page(notebooks.read(path), path.stem), source / path.name)
    (source / "claims.md").write_text(claims.page(), encoding="utf-8")
    users = uses.users()
    for module in modules():
        (source / "reference" / f"{module}.rst").write_text(reference_page(module, users.get(module, ())), encoding="utf-8")
    (source / "glossary.md").write_text(glossary_page(), encoding="utf-8")
    readme = notebooks.README.read_text(encoding="utf-8").replace("(tutorials/", "(")
    (source / "readme.txt").write_text(readme, encoding="utf-8")
    (source / "index.md").write_text(index_page(), encoding="utf-8")


def for_page(notebook, stem):
    """Change a notebook into the one whose page needs no kernel."""
    cells, shown, cited = [], uses.shown(notebook, lesson(stem).topic), claims.cited()[stem]
    for cell in notebook.cells:
        if cell.id in shown:
            cells.append(_link_to_package(cell.id, stem, shown[cell.id]))
        if cell.id in cited:
            cells += _linked_with_claims(cell, stem)
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace("(../README.md)", "(index.md)")
        elif found := re.search(r'^explore\("([\w.]+)"\)', cell.source, re.MULTILINE):
            cell.outputs = _sweep_outputs(found[1], stem)
        elif found := re.search(r'^play\("([\w.]+)"\)', cell.source, re.MULTILINE):
            live = {"text/html": page.inlined(found[1])}, {"text/markdown": f"*{find(found[1]).alt}*"}
            cell.outputs = [nbformat.v4.new_output("display_data", data=data) for data in live]
        else:
            cell.outputs = still(cell.outputs)
        if cell.cell_type == "code":
            cell.source = narrow(cell.source, FITTING)
        if anatomy.folded(cell):
            cell.metadata.tags.append("hide-input")                          # MyST's word
        cells.append(cell)
    notebook.cells = cells
    return notebook


def _sweep_outputs(name, stem):
    found = sweeps(name)
    moved = ", ".join(f"“{label}”" for _, label in found)
    text = (f"*{find(name).alt} Here you can move {moved}; to move all that the explorer has, open this notebook "
            f"[on Binder]({binder(f'{stem}.ipynb')}) or on your own machine.*")
    players = [nbformat.v4.new_output("display_data", data={"text/html": html}) for html, _ in found]
    return [*players, nbformat.v4.new_output("display_data", data={"text/markdown": text})]


def narrow(source, most=None):
    """Close comments up, and put those above their line that make it longer than `most` (80, or the longest line of code)."""
    lines = [re.split(r"(?<=\S) {2,}(?=#)", line, maxsplit=1) for line in source.split("\n")]
    most, shown = most or max(80, *(len(code) for code, *_ in lines)), []
    for code, *comment in lines:
        if comment and len(f"{code}  {comment[0]}") > most:
            shown.append(re.match(" *", code)[0] + comment.pop())
        shown.append("  ".join([code, *comment]))
    return "\n".join(shown)


def still(outputs):
    """Write pictures as HTML with their alternative text, at their size; where a film plays, it stands for its single frame."""
    for output in outputs:
        data = output.get("data", {})
        if "image/png" in data and "text/html" not in data:
            shown = output.metadata["image/png"]
            width = f' width="{shown["width"]}"' if "width" in shown else ""
            source = "".join(data["image/png"].split())
            output.data = {"text/html": f'<img alt="{html.escape(shown["alt"])}"{width} src="data:image/png;base64,{source}">'}
        data.pop("image/png", None)
    return outputs


def _link_to_package(cell_id, stem, names):
    links = ", ".join(f"{{py:obj}}`{name}`" for name in names)
    text = f"({uses.label(cell_id, stem)})=\n{{.listing}}\nIn the package, with checks and documentation: {links}"
    return nbformat.v4.new_markdown_cell(text, id=f"{cell_id}-link")


def _linked_with_claims(cell, stem):
    """Name a cell for the page of claims, and link to that page: below the text, in a cell above the code."""
    name = f"({claims.label(cell.id, stem)})=\n"
    if cell.cell_type == "code":
        link = "{.listing}\n[What we claim by this](claims.md)"
        return [nbformat.v4.new_markdown_cell(name + link, id=f"{cell.id}-claim")]
    cell.source = f"{name}{cell.source}\n\n{{.listing}}\n[What would refute it](claims.md)"
    return []


def reference_page(module, users):
    """Return the page of a reference module: its documentation, an index of its names, and the notebooks that use it."""
    links = "\n".join(f"* :doc:`/{stem}`" for stem in users)
    title = f"snnteach.{module}"
    rows = "\n".join(f"   * - :py:obj:`~{title}.{name}`\n     - {meaning}" for name, meaning in contents(module))
    index = f".. list-table::\n   :widths: 30 70\n   :class: contents\n\n{rows}\n\n"
    return (f"{title}\n{'=' * len(title)}\n\n.. automodule:: {title}\n   :members:\n\n{indent(index, '   ')}"
            f"   Notebooks that use this module:\n\n" + indent(links, "   ") + "\n")


def contents(module):
    """Return the public functions and classes of a reference module in its order, each with its first sentence."""
    found = vars(importlib.import_module(f"snnteach.{module}"))
    return [(name, thing.__doc__.split("\n\n")[0].strip()) for name, thing in found.items()
            if callable(thing) and not name.startswith("_") and thing.__module__ == f"snnteach.{module}"]


def document(app, what, name, obj, options, lines, where):
    """Set the formula of a docstring apart, and say in which listings a notebook shows the object (for autodoc)."""
    paragraphs = "\n".join(lines).strip().split("\n\n")
    for place, paragraph in enumerate(paragraphs[1:], 1):
        if re.match(r"(Args|Returns|Raises|Source|>>>)", paragraph) or what == "module":
            break
        if not paragraph.rstrip().endswith("."):
            paragraphs[place] = ".. code-block:: none\n   :class: formula\n\n" + indent(paragraph, "   ")
    links = ", ".join(f":ref:`notebook {stem[:2]} <{label}>`" for label, stem in where.get(name, ()))
    lines[:] = "\n\n".join([*paragraphs, *([f"As a listing: {links}."] if links else [])]).split("\n") + [""]


def glossary():
    """Return the rows of the table behind the glossary: kind, term, code, meaning, notebook."""
    with open(GLOSSARY, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def glossary_page():
    """Return the notation and the glossary, both from the one table."""
    rows = glossary()
    symbols = [f"| {row['term']} | `{row['code']}` | {row['meaning']} | [{row['notebook']}]({lesson(row['notebook']).file}) |"
               for row in rows if row["kind"] == "symbol"]
    words = [f"{row['term']}\n  {row['meaning']} [Notebook {row['notebook']}]({lesson(row['notebook']).file})\n"
             for row in sorted(rows, key=lambda row: row["term"].lower()) if row["kind"] == "word"]
    return "\n".join(["# Notation and glossary", "", "One notation in all notebooks: the symbols of the paper in the text, the "
                      "words of snnTorch in the code, tensors time first.", "", "## Notation", "",
                      "| symbol | in code | meaning | first in |", "|---|---|---|---|", *symbols, "", "## Words", "",
                      "```{glossary}", *words, "```", ""])


def index_page():
    """Return the first page: a live figure, what stands between three pairs of marks in the README, and the contents."""
    live = ("**Draw a digit, and a spiking network reads it.** Its neurons speak in spikes, the black ticks; the class with "
            "the most output spikes wins. [Notebook 00](00_start_here.ipynb) tells what you see.\n\n"
            f"~~~~~{{raw}} html\n{page.inlined(FIRST)}\n~~~~~\n")
    parts = [f'```{{include}} readme.txt\n:start-after: "<!-- {name} -->"\n:end-before: "<!-- /{name} -->"\n```\n'
             for name in ("introduction", "map", "start")]
    trees = [("The course", [path.stem for path in notebooks.paths()]), ("Notation and claims", ["glossary", "claims"]),
             ("Reference", [f"reference/{module}" for module in modules()])]
    contents = ["\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```", ""])
                for caption, pages in trees]
    return "\n".join(["# Training spiking neural networks", "", live, *parts, *contents])


def command(options, rest):
    """Build the course as a site."""
    print(f"Open {build()}")
    return 0
