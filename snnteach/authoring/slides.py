"""Slides of a notebook, from its committed outputs: one folder with reveal.js and the mathematics, which needs no network.

What each cell becomes is its `slide_type`: "slide" begins a section, "subslide" is a further slide in it, "notes" goes to the
speaker's notes (S opens them), "skip" is left out, as all exercises are. Only listings and short mistakes show their code.
A guess is put to the hall; its answer comes on the next slide.
No size is chosen here: the page lets each part of a slide grow as far as it fits (`docs/slides.html.j2`).
"""
import ast
import importlib.util
import re
import shutil
import textwrap
from dataclasses import dataclass
from html import escape
from pathlib import Path

from jinja2 import Template
from nbconvert.filters import Highlight2HTML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from ..install.troubles import SetupError
from ..reader import guesses, page
from ..reader.lookup import explorer as find
from ..reader.lookup import guess
from . import anatomy, notebooks
from .course import binder
from .site import ROOT, narrow, still
from .sweeps import sweeps

FOLDER = ROOT / "slides"
TYPES = {"slide", "subslide", "notes", "skip"}
MOST_LINES = 26                       # on a slide
MOST_OF_A_MISTAKE = 22                # lines of it; a longer one shows only what came out of it
MOST_CHARACTERS = 90                  # in a printed line
TAKE_AWAY = "**Take away:** "
_NEXT = re.compile(r"^(?=#{1,3} )|^<!-- next slide -->\n", re.MULTILINE)


@dataclass
class Slide:
    """What stands on a slide, what the speaker reads, whether it begins a section, and how many lines of code fill as much."""

    html: str
    notes: list
    begins: bool
    kind: str
    lines: int = MOST_LINES


def build(number, folder=FOLDER):
    """Write the slides of one notebook and return the path of their page.

    Args:
        number: the notebook, such as "07".
        folder: where to write; each notebook has a folder of its own there, whose slides are replaced.

    Raises:
        SetupError: there is no such notebook, or something else than slides is in its folder.
    """
    (path,) = notebooks.paths([number])
    return write(path, Path(folder) / path.stem)


def write(path, target):
    """Write the slides of the notebook at a path into a folder of their own, and return the path of their page.

    Raises:
        SetupError: something else than slides is in that folder.
    """
    notebook = notebooks.read(path)
    _copy_scripts(Path(target))
    title = re.search(r"^# (.+)$", notebook.cells[0].source, re.MULTILINE)[1]
    template = Template((ROOT / "docs" / "slides.html.j2").read_text(encoding="utf-8"), autoescape=False)
    page = Path(target) / "index.html"
    page.write_text(template.render(title=escape(title), sections=_sections(slides(notebook))), encoding="utf-8")
    return page


def _copy_scripts(target):
    """Put reveal.js, the mathematics and the style sheet beside the page, from the installed packages."""
    if (target / "reveal.js").exists():
        shutil.rmtree(target)
    elif target.exists() and any(target.iterdir()):
        raise SetupError(f"{target} holds something else than slides, which would be lost. Move it elsewhere.")
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
        if kind != "skip" and cell.cell_type == "markdown":
            _add_text(found, cell, kind)
        elif kind != "skip":
            _add_code(found, cell)
    return found


def _add_text(found, cell, kind):
    """Add the text of a cell: notes are spoken, a take-away stands alone, an exercise is left out.

    A heading and the comment `<!-- next slide -->` begin a further slide.
    """
    source = cell.source.split("\n> **Exercise")[0]
    source = source.replace("**How other libraries write this.** ", "## How other libraries write this\n\n")
    if "takeaway" in anatomy.tags(cell):
        idea = source.removeprefix(TAKE_AWAY)
        found.append(Slide(f'<div class="part words">{_html(idea[0].upper() + idea[1:])}</div>', [], False, "idea"))
    elif kind == "notes":
        found[-1].notes.append(_html(source))
    else:
        found += [_text(text, kind == "slide" and place == 0) for place, text in enumerate(filter(None, _NEXT.split(source)))]


def _text(source, begins):
    source = re.sub(r"^(#+ .*?) \(\d+ min[^)]*\)$", r"\1", source, flags=re.MULTILINE)
    lines = 3 + len(source.split()) // 6 + 2 * source.count("$$")
    return Slide(f'<div class="part words">{_html(source)}</div>', [], begins, "text", lines)


def _html(source):
    """Markdown as HTML whose links lead somewhere from any folder: to a notebook on Binder; the README is only named."""
    source = re.sub(r"\]\((\w+\.ipynb)\)", lambda found: f"]({binder(found[1])})", source)
    source = re.sub(r"\[([^]]*)\]\(\.\./README\.md\)", r"\1", source)
    return MarkdownWithMath(renderer=IPythonRenderer(escape=False, exclude_anchor_links=True)).render(source)


def _add_code(found, cell):
    """Add a code cell: its sweeps, its live figure, its pictures, or its code and what it printed below a short text."""
    tags = anatomy.tags(cell)
    if "explorer" in tags:
        found.extend(_moved(*re.search(r'(explore|play)\("([\w.]+)"\)', cell.source).groups()))
        return
    if "guess" in tags:
        found.extend(_hall(guess(re.search(r'guess\("([\w.]+)"\)', cell.source)[1])))
        return
    data = [output.data for output in still(cell.outputs) if "data" in output]
    pictures = [shown["text/html"] for shown in data if "text/html" in shown]
    captions = [_html(shown["text/markdown"]) for shown in data if "text/markdown" in shown]
    source = _without_asserts(cell.source)
    short = "mistake" in tags and not anatomy.folded(cell) and not pictures and source.count("\n") < MOST_OF_A_MISTAKE
    code = source if "listing" in tags or short else ""
    printed = "".join(output.text for output in cell.outputs if output.output_type == "stream") if code or not pictures else ""
    later = " fragment" if tags & {"mistake", "control"} else ""           # the audience says first what comes out
    blocks = [(f'<div class="part listing">{Highlight2HTML()(part, language="python")}</div>', part.count("\n") + 1)
              for part in _parted(narrow(code))]
    blocks += [(f'<pre class="part printed{later}">{escape(part)}</pre>', part.count("\n") + 1)
               for part in _parted(_wrapped(narrow(printed)))]
    together = found[-1].lines + sum(lines for _, lines in blocks) <= MOST_LINES
    for place, (html, lines) in enumerate(blocks):
        if found[-1].lines + lines > MOST_LINES or (place == 0 and not together):
            found.append(Slide("", [], False, "code", 0))
            html = html.replace(later, "", 1)                              # a slide that opens on nothing looks broken
        found[-1].html += html
        found[-1].lines += lines
    if pictures:
        found.append(Slide("".join(pictures), captions, False, "figure"))


def _moved(call, name):
    """The live figure, or the sweeps of an explorer, each on a slide of its own."""
    for html in [page.inlined(name)] if call == "play" else [html for html, _ in sweeps(name)]:
        yield Slide(html, [_html(find(name).alt)], False, "figure")


def _hall(question):
    """The question with its choices, then what is so; all of the explanation but its first paragraph is spoken."""
    reason, _, further = guesses.explained(question).partition("\n\n")
    answer = guesses.rendered(f"{guesses.verdict(question)}\n\n{reason}")
    yield Slide(f'<div class="part words">{guesses.asked(question)}</div>', ["<p>Hands up for each.</p>"], False, "text")
    yield Slide(f'<div class="part words">{answer}</div>', [guesses.rendered(further)], False, "text")


def _without_asserts(source):
    """Leave out the asserts of a cell: they are for the tests, and nobody reads them from the back of a hall."""
    gone = {line for node in ast.walk(ast.parse(source)) if _only_asserts(node)
            for line in range(node.lineno, node.end_lineno + 1)}
    return "\n".join(line for number, line in enumerate(source.split("\n"), 1) if number not in gone).rstrip("\n")


def _only_asserts(node):
    return isinstance(node, ast.Assert) or (isinstance(node, ast.If | ast.For) and not node.orelse and
                                            all(map(_only_asserts, node.body)))


def _wrapped(printed):
    return "\n".join(textwrap.fill(line, MOST_CHARACTERS, subsequent_indent=f"{re.match(' *', line)[0]}    ",
                                   break_long_words=False, break_on_hyphens=False) for line in printed.split("\n"))


def _parted(text):
    """Part code or print at blank lines where it is longer than a slide."""
    parts = []
    for block in filter(None, text.strip("\n").split("\n\n")):
        if parts and f"{parts[-1]}\n\n{block}".count("\n") < MOST_LINES:
            parts[-1] += f"\n\n{block}"
        else:
            parts.append(block)
    return parts


def command(options, rest):
    """Write the slides of some or all notebooks."""
    for path in notebooks.paths(options.names):
        print(f"Open {build(path.stem)}")
    return 0
