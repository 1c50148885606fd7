"""Slides of a notebook, from its committed outputs: one folder with reveal.js and the mathematics, which needs no network.

What each cell becomes is its `slide_type`: "slide" begins a section, "subslide" is a further slide in it, "notes" goes to the
speaker's notes (S opens them), "skip" is left out, as all exercises are. Only listings and short mistakes show their code.
"""
import importlib.util
import re
import shutil
from dataclasses import dataclass
from html import escape
from pathlib import Path

from jinja2 import Template
from nbconvert.filters import Highlight2HTML, markdown2html

from . import notebooks
from .site import ROOT, player, still

FOLDER = ROOT / "slides"
TYPES = {"slide", "subslide", "notes", "skip"}
MOST_LINES = 20                       # of a mistake; a longer one shows what came out of it
TAKE_AWAY = re.compile(r"\*\*Take away:\*\*\s*(.+?)(?=\n\n|\Z)", re.DOTALL)
_HEADING = re.compile(r"^#{1,3} ", re.MULTILINE)


@dataclass
class Slide:
    """What stands on a slide, what the speaker reads, and whether it begins a section."""

    html: str
    notes: list
    begins: bool
    kind: str


def build(number, folder=FOLDER):
    """Write the slides of one notebook and return the path of their page.

    Args:
        number: the notebook, such as "07".
        folder: where to write; each notebook has a folder of its own there, whose files are replaced.

    Raises:
        ValueError: there is no such notebook.
    """
    (path,) = notebooks.paths([number])
    notebook = notebooks.read(path)
    target = Path(folder) / path.stem
    _copy_scripts(target)
    title = re.search(r"^# (.+)$", notebook.cells[0].source, re.MULTILINE)[1]
    template = Template((ROOT / "docs" / "slides.html.j2").read_text(encoding="utf-8"), autoescape=False)
    page = template.render(title=escape(title), sections=_sections(slides(notebook)))
    (target / "index.html").write_text(page, encoding="utf-8")
    return target / "index.html"


def _copy_scripts(target):
    """Put reveal.js, the mathematics and the style sheet beside the page, from the installed packages."""
    shutil.rmtree(target, ignore_errors=True)
    reveal = _package("sphinx_revealjs") / "_static" / "revealjs"
    (target / "mathjax").mkdir(parents=True)
    for name in ("dist/reveal.js", "dist/reveal.css", "LICENSE"):
        shutil.copy(reveal / name, target)
    shutil.copytree(reveal / "plugin" / "notes", target / "notes", ignore=shutil.ignore_patterns("*.esm.*", "plugin.js"))
    shutil.copy(_package("sphinx-mathjax-offline") / "static" / "mathjax" / "tex-svg-full.js", target / "mathjax")
    shutil.copy(ROOT / "docs" / "slides.css", target)


def _package(name):
    return Path(importlib.util.find_spec(name).origin).parent


def _sections(found):
    """Group slides into sections, of which reveal.js makes the columns."""
    sections = []
    for slide in found:
        if slide.begins or not sections:
            sections.append([])
        sections[-1].append(slide)
    return sections


def slides(notebook):
    """Return the slides of a notebook in order."""
    found = []
    for cell in notebook.cells:
        kind = cell.metadata.get("slideshow", {}).get("slide_type", "skip")
        if kind == "skip":
            continue
        if cell.cell_type == "markdown":
            _add_text(found, cell.source, kind)
        else:
            html, notes = _code(cell)
            found.append(Slide(html, notes, False, "code" if html.startswith('<div class="listing"') else "figure"))
    return found


def _add_text(found, source, kind):
    """Add the text of a cell: what stands before its heading is spoken, a take-away stands alone, an exercise is left out."""
    source = source.split("\n> **Exercise")[0].replace("../README.md", "")
    heading = _HEADING.search(source) if kind != "notes" else None
    cut = len(source) if kind == "notes" else heading.start() if heading else 0
    before, after = source[:cut], source[cut:]
    if after and "\n" not in after.strip():                              # a heading alone: what leads to it stands below it
        before, after = "", f"{after.strip()}\n\n{before}"
    _speak(found, before)
    if after:
        ideas = TAKE_AWAY.findall(after)
        text = TAKE_AWAY.sub("", after)
        found.append(Slide(_text(text), [], kind == "slide", "text"))
        found.extend(_idea(idea) for idea in ideas)


def _speak(found, text):
    if not text.strip():
        return
    spoken = TAKE_AWAY.sub("", text).strip()
    if spoken and found:
        found[-1].notes.append(markdown2html(spoken))
    found.extend(_idea(idea) for idea in TAKE_AWAY.findall(text))


def _idea(text):
    size = 46 if len(text.split()) < 30 else 38
    html = markdown2html(f"{text[0].upper()}{text[1:]}")
    return Slide(f'<div style="font-size: {size}px">{html}</div>', [], False, "idea")


def _text(source):
    """A text as HTML, the smaller the longer: at 1280 x 720 none may overflow."""
    words = len(re.sub(r"\$\$.+?\$\$", " ", source, flags=re.DOTALL).split())
    lines = source.count("\n\n") + 2 * source.count("$$") + source.count("\n- ") + source.count("\n|")
    size = max(20, min(34, round(46 - words / 8 - lines / 1.5)))
    source = re.sub(r"^(#+ .*?) \(\d+ min[^)]*\)$", r"\1", source, flags=re.MULTILINE)
    return f'<div style="font-size: {size}px">{markdown2html(source)}</div>'


def _code(cell):
    """The HTML of a code cell, and the captions of its figures for the speaker."""
    tags, parts = set(cell.metadata.get("tags", [])), []
    if "explorer" in tags:
        html, alt, label = player(re.search(r'explore\("([\w.]+)"\)', cell.source)[1], dpi=120)
        return f'<div class="sweep">{html}<p>{escape(label)}</p></div>', [markdown2html(alt)]
    printed = "".join(output.text for output in cell.outputs if output.output_type == "stream")
    shown = [output for output in still(cell.outputs) if "data" in output]
    pictures = [output for output in shown if "text/html" in output.data]
    notes = [markdown2html(output.data["text/markdown"]) for output in shown if "text/markdown" in output.data]
    if "listing" in tags or ("mistake" in tags and not pictures and len(cell.source.split("\n")) <= MOST_LINES):
        parts.append(_listing(cell.source, printed))
    elif printed and not pictures:
        parts.append(_sized(escape(printed.rstrip()), printed.rstrip().split("\n"), "printed"))
    parts += [output.data["text/html"] for output in pictures]
    return "".join(parts), notes


def _listing(source, printed):
    source = re.sub(r"(?<=\S) {3,}#", "  #", source)                    # comments close up, so that the code can be larger
    lines = [*source.split("\n"), *printed.rstrip().split("\n")]
    code = Highlight2HTML()(source, language="python")
    return _sized(code, lines, "listing") + (_sized(escape(printed.rstrip()), lines, "printed") if printed else "")


def _sized(html, lines, kind):
    """A block of fixed-width text in the largest size at which it fits."""
    size = min(24, 1160 / (0.61 * max(map(len, lines))), 590 / (1.3 * len(lines)))
    tag = "pre" if kind == "printed" else "div"
    return f'<{tag} class="{kind}" style="font-size: {size:.1f}px">{html}</{tag}>'
