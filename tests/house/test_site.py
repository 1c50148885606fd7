"""The site of the course: built from the committed outputs, whole, without a network, and open to every reader."""
import ast
import base64
import functools
import io
import os
import re
from html import escape
from urllib.parse import unquote, urlsplit

import pytest
from PIL import Image

from snnteach.authoring import course, notebooks, site, uses
from snnteach.lessons import lesson
from snnteach.reader.lookup import explorer as find
from tests import browser, drawn, hands
from tests.pages import Page

PATHS = notebooks.paths()
FULL = bool(os.environ.get("SNNTEACH_FULL"))
LOOKS = """() => [...new Set([...document.querySelectorAll('body *:not(mjx-container *, svg *)')].filter(
  part => part.getBoundingClientRect().width && [...part.childNodes].some(node => node.nodeType == 3 && node.data.trim())
).map(part => getComputedStyle(part)).map(style => `${style.color} on ${style.backgroundColor}`))]"""
BROKEN = "[data-mjx-error], mjx-merror, [mathcolor=red], [fill=red]"      # what MathJax makes of an equation it cannot read


@pytest.fixture(scope="module", autouse=True)
def drawn_once(tmp_path_factory):
    with drawn.once(tmp_path_factory):
        yield


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return site.build(tmp_path_factory.mktemp("site")).parent


@pytest.fixture(scope="module")
def pages(built):
    return {path: Page(path) for path in sorted(built.rglob("*.html")) if "_static" not in path.parts}


def test_every_notebook_and_module_has_its_page(pages, built):
    expected = {f"{path.stem}.html" for path in PATHS} | {f"reference/{name}.html" for name in site.modules()}
    found = {str(path.relative_to(built)) for path in pages}
    assert expected | {"index.html", "glossary.html", "claims.html", "search.html"} <= found


def test_every_link_inside_leads_somewhere(pages):
    wrong = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if parts.scheme:
                continue
            if not target.exists() or (parts.fragment and target in pages and
                                       unquote(parts.fragment) not in pages[target].ids):
                wrong.append(f"{path.name}: {link}")
    assert wrong == []


def test_nothing_is_loaded_from_elsewhere(pages, built):
    for path, page in pages.items():
        for name in page.loaded:
            assert not re.match(r"(https?:)?//", name), f"{path.name} loads {name}"
            assert name.startswith("data:") or (path.parent / urlsplit(name).path).exists(), f"{path.name}: {name} is missing"
    for style in (built / "_static").rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*['\"]?(https?:)?//", style.read_text(encoding="utf-8")), style


def test_the_first_page_begins_with_a_live_figure_and_the_readme_with_its_picture(built):
    first = (built / "index.html").read_text(encoding="utf-8")
    assert 0 < first.find(f'<div class="live" data-name="{site.FIRST}">') < first.index('<section id="the-course">')
    readme = notebooks.README.read_text(encoding="utf-8")
    picture = re.search(r"\[!\[[^]]{40,}\]\((tutorials/figures/\w+\.png)\)\]\((\S+)\)", readme)
    assert picture.start() < readme.index("\n## ") and picture[2] == course.binder(PATHS[0].name)
    Image.open(notebooks.README.parent / picture[1]).load()


def test_a_page_of_the_reference_begins_with_an_index(pages, built):
    for module in site.modules():
        page, names = pages[built / "reference" / f"{module}.html"], [name for name, _ in site.contents(module)]
        anchors = [link.partition("#")[2] for link in page.links if link.startswith("#")]
        assert names and {f"snnteach.{module}.{name}" for name in names} <= set(anchors), module
        assert all(meaning.endswith(".") for _, meaning in site.contents(module))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_listings_lead_to_the_package_and_back(path, pages, built):
    page = pages[built / f"{path.stem}.html"]
    for cell_id, names in uses.shown(notebooks.read(path), lesson(path.stem).topic).items():
        label = f"listing-{path.stem[:2]}-{cell_id}"
        assert label in page.ids
        for name in names:
            module = name.split(".")[1]
            assert any(link.startswith(f"reference/{module}.html#") and link.endswith(f"#{name}") or
                       link == f"reference/{module}.html#module-{name}" for link in page.links), f"{label}: {name}"
            assert f"../{path.stem}.html#{label}" in pages[built / "reference" / f"{module}.html"].links


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_explorers_are_sweeps_and_binder_opens_the_notebook(path, built):
    text = (built / f"{path.stem}.html").read_text(encoding="utf-8")
    names = re.findall(r'^explore\("([\w.]+)"\)', "\n".join(cell.source for cell in notebooks.read(path).cells), re.MULTILINE)
    assert text.count("Here you can move “") == len(names)
    assert text.count('<div class="player sweep"') == sum(len(find(name).sweeps) for name in names)
    assert "LiveFigure(" not in text
    for name in names:
        for parameter, _ in find(name).sweeps:
            assert f'aria-label="{escape(find(name).controls[parameter].label)}"' in text
    live = re.findall(r'^play\("([\w.]+)"\)', "\n".join(cell.source for cell in notebooks.read(path).cells), re.MULTILINE)
    assert re.findall(r'<div class="live" data-name="([\w.]+)">', text) == live and "LivePage(" not in text
    assert names or live
    for picture in re.findall(r'data:image/png;base64,([^"]+)"', text):
        Image.open(io.BytesIO(base64.b64decode(picture))).load()                                   # whole
    assert course.binder(path.name) in text
    assert (built / "_sources" / path.name).read_bytes() == path.read_bytes()


@functools.cache
def words_of(path):
    """The prose of a notebook, its formulas without their words, and all names that its code mentions."""
    cells = notebooks.read(path).cells
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    formulas = re.sub(r"\\text\{[^}]*\}", "", " ".join(re.findall(r"\$([^$]+)\$", prose)))
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    names = {getattr(node, part, None) for node in ast.walk(ast.parse(code)) for part in ("id", "arg", "attr", "name")}
    return prose, formulas, names


def introduces(path, row):
    """Tell whether a notebook has the word emphasised, or the symbol in its text and the name in its code."""
    prose, formulas, names = words_of(path)
    if row["kind"] == "word":
        return bool(re.search(rf"\*+(the )?{re.escape(row['term'])}s?[.:]?\*+", prose, re.IGNORECASE))
    symbols = re.findall(r"\$([^$]+)\$", row["term"])
    return row["code"] in names and all(
        re.search(rf"(?<![A-Za-z\\]){re.escape(symbol)}(?![A-Za-z])", formulas) for symbol in symbols)


@pytest.mark.parametrize("row", site.glossary(), ids=lambda row: row["term"])
def test_the_notebook_named_in_the_glossary_is_the_first_with_the_term(row):
    assert row["meaning"].strip() and row["kind"] in ("symbol", "word") and (row["kind"] == "symbol") == bool(row["code"])
    assert [path.stem[:2] for path in PATHS if introduces(path, row)][:1] == [row["notebook"]]


def test_the_glossary_names_each_term_once():
    terms = [row["term"].lower() for row in site.glossary()]
    assert len(set(terms)) == len(terms) >= 50


@pytest.fixture(scope="module")
def browsed():
    """One page of Chromium without a network for all tests; what it asks for elsewhere is an error."""
    with browser.reader_offline() as reader:
        yield reader


@pytest.fixture
def reader(browsed):
    """The page, and no error on it before or after a test."""
    browsed.errors.clear()
    yield browsed
    assert browsed.errors == []


def kind(path, built):
    """What a page is: a notebook, or what its folder holds, or itself."""
    if path.stem in {notebook.stem for notebook in PATHS}:
        return "notebook"
    return path.stem if path.parent == built else path.parent.name


@pytest.mark.browser
@pytest.mark.slow
def test_every_page_opens_from_disk_without_a_network(pages, built, reader):
    """Axe looks at the richest page of each kind in both themes, and at others where a colour is new (--full: at all)."""
    problems, kinds, looks = [], set(), set()
    for path in sorted(pages, key=lambda path: -len(pages[path].elements)):
        if kind(path, built) == "snnteach" and "snnteach" in kinds and not FULL:
            continue                                                              # pages of code have nothing of their own
        reader.page.emulate_media(color_scheme="light", reduced_motion="reduce")     # no colour fades
        reader.page.goto(path.as_uri())
        if reader.page.locator(".math").count():
            reader.page.wait_for_function("document.querySelectorAll('mjx-container').length > 0")
            assert reader.page.locator(BROKEN).count() == 0, f"{path.name}: an equation that MathJax cannot read"
        seen, first = set(reader.page.evaluate(LOOKS)), kind(path, built) not in kinds
        if FULL or first or seen - looks:
            problems += [f"{path.name}: {wrong}" for wrong in browser.violations(reader.page)]
        if FULL or first:
            reader.page.emulate_media(color_scheme="dark")
            reader.page.wait_for_function("document.documentElement.dataset.theme == 'dark'")
            problems += [f"{path.name}, dark: {wrong}" for wrong in browser.violations(reader.page)]
        kinds.add(kind(path, built))
        looks |= seen
    assert problems == [] and len(kinds) >= 7


@pytest.mark.browser
@pytest.mark.slow
def test_every_live_figure_moves_on_its_page(built, reader):
    reader.page.emulate_media(color_scheme="light")
    moved = set()
    for path in [built / "index.html", *(built / f"{path.stem}.html" for path in PATHS)]:
        if '<div class="live"' not in path.read_text(encoding="utf-8"):
            continue
        reader.page.goto(path.as_uri())
        for figure in reader.page.locator(".live.moves").all():
            hands.move(reader.page, figure.locator(".live-stage"), (hands.pressed, hands.clicked))
            moved.add((path.stem, figure.get_attribute("data-name")))
    assert ("index", site.FIRST) in moved and {name for _, name in moved} == set(hands.FIGURES)


@pytest.mark.browser
def test_headings_have_an_order_of_sizes(built, reader):
    for width in (400, 1280):
        reader.page.set_viewport_size({"width": width, "height": 800})
        reader.page.goto((built / "02_neurons.html").as_uri())
        sizes = reader.page.evaluate("['h1', 'h2', 'h3', 'p'].map(tag => document.querySelector(`article ${tag}`))"
                                     ".map(part => parseFloat(getComputedStyle(part).fontSize))")
        assert all(above > 1.14 * below for above, below in zip(sizes, sizes[1:])), sizes
    reader.page.set_viewport_size({"width": 1280, "height": 1000})


def test_every_picture_and_slider_says_what_it_is(pages):
    assert [f"{path.name}: {wrong}" for path, page in pages.items() for wrong in page.nameless] == []
    assert sum(len(page.named) for page in pages.values()) > 100


@pytest.mark.browser
@pytest.mark.slow
def test_search_finds_and_a_sweep_moves(built, reader):
    reader.page.goto(f"{(built / 'search.html').as_uri()}?q=rheobase")
    reader.page.get_by_role("link", name=re.compile("When does a leaky capacitor")).last.wait_for()
    reader.page.goto((built / "01_membrane.html").as_uri())
    sweep = reader.page.locator(".sweep.moves").first
    slider, label, picture = (sweep.locator(part) for part in ("input", ".player-label", "img"))
    value, said, before = slider.input_value(), label.inner_text(), picture.get_attribute("src")
    control = find("membrane.constant").controls["current"]
    assert value != "0" and said == control.said(control.start)
    slider.press("ArrowRight")
    assert picture.get_attribute("src") != before and label.inner_text() != said
