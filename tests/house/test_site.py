"""The site of the course: built from the committed outputs, whole, without a network, and open to every reader."""
import ast
import base64
import html.parser
import io
import re
from html import escape
from urllib.parse import unquote, urlsplit

import pytest
from PIL import Image

from snnteach.authoring import course, notebooks, site, uses
from snnteach.lessons import lesson
from snnteach.reader.lookup import explorer as find
from tests import browser

PATHS = notebooks.paths()
LOADED = {"img": "src", "script": "src", "iframe": "src", "source": "src", "link": "href"}


class Page(html.parser.HTMLParser):
    """The ids, links and loaded files of a page."""

    def __init__(self, path):
        super().__init__()
        self.ids, self.links, self.loaded = set(), [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.ids.add(values.get("id"))
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        if values.get(LOADED.get(tag)) and values.get("rel") not in ("index", "search", "next", "prev", "canonical"):
            self.loaded.append(values[LOADED[tag]])


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return site.build(tmp_path_factory.mktemp("site")).parent


@pytest.fixture(scope="module")
def pages(built):
    return {path: Page(path) for path in sorted(built.rglob("*.html")) if "_static" not in path.parts}


def test_every_notebook_and_module_has_its_page(pages, built):
    expected = {f"{path.stem}.html" for path in PATHS} | {f"reference/{name}.html" for name in site.modules()}
    assert expected | {"index.html", "glossary.html", "search.html"} <= {str(path.relative_to(built)) for path in pages}


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
    assert text.count("Here you can move “") == len(names) >= 1
    assert text.count('class="anim-slider"') >= sum(len(find(name).sweeps) for name in names) and "LiveFigure(" not in text
    for name in names:
        for parameter, _ in find(name).sweeps:
            assert f'aria-label="{escape(find(name).controls[parameter].label)}"' in text
    for picture in re.findall(r'data:image/png;base64,([^"]+)"', text):
        Image.open(io.BytesIO(base64.b64decode(picture.replace("\\n", "")))).load()              # whole
    assert course.binder(path.name) in text
    assert (built / "_sources" / path.name).read_bytes() == path.read_bytes()


def names_used(notebook):
    """All names that the code of a notebook mentions."""
    used = set()
    for node in ast.walk(ast.parse("\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code"))):
        used |= {getattr(node, part) for part in ("id", "arg", "attr", "name") if isinstance(getattr(node, part, None), str)}
    return used


def introduces(path, row):
    """Tell whether a notebook has the word emphasised, or the symbol in its text and the name in its code."""
    notebook = notebooks.read(path)
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    if row["kind"] == "word":
        return bool(re.search(rf"\*+(the )?{re.escape(row['term'])}s?\.?\*+", prose, re.IGNORECASE))
    formulas = re.sub(r"\\text\{[^}]*\}", "", " ".join(re.findall(r"\$([^$]+)\$", prose)))
    symbols = re.findall(r"\$([^$]+)\$", row["term"])
    return row["code"] in names_used(notebook) and all(
        re.search(rf"(?<![A-Za-z\\]){re.escape(symbol)}(?![A-Za-z])", formulas) for symbol in symbols)


@pytest.mark.parametrize("row", site.glossary(), ids=lambda row: row["term"])
def test_the_notebook_named_in_the_glossary_is_the_first_with_the_term(row):
    assert row["meaning"].strip() and row["kind"] in ("symbol", "word") and (row["kind"] == "symbol") == bool(row["code"])
    assert [path.stem[:2] for path in PATHS if introduces(path, row)][:1] == [row["notebook"]]


def test_the_glossary_names_each_term_once():
    terms = [row["term"].lower() for row in site.glossary()]
    assert len(set(terms)) == len(terms) >= 50


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_opens_from_disk_without_a_network(scheme, pages, built):
    problems = []
    with browser.reader() as reader:
        reader.page.context.set_offline(True)
        reader.page.emulate_media(color_scheme=scheme)
        reader.page.on("requestfailed", lambda request: problems.append(f"failed: {request.url}"))
        reader.page.on("request", lambda request: problems.append(request.url) if request.url.startswith("http") else None)
        for path in pages if scheme == "light" else [built / "14_stdp.html", built / "reference" / "neurons.html"]:
            reader.page.goto(path.as_uri())
            if reader.page.locator(".math").count():
                reader.page.wait_for_function("document.querySelectorAll('mjx-container').length > 0")
                broken = reader.page.locator("[data-mjx-error], mjx-merror, [mathcolor=red], [fill=red]")
                assert broken.count() == 0, f"{path.name}: an equation that MathJax cannot read"
            problems += [f"{path.name}: {wrong}" for wrong in browser.violations(reader.page)]
        assert reader.errors == [] and problems == []


@pytest.mark.browser
@pytest.mark.slow
def test_search_finds_and_a_sweep_plays(built):
    with browser.reader() as reader:
        reader.page.context.set_offline(True)
        reader.page.goto(f"{(built / 'search.html').as_uri()}?q=rheobase")
        reader.page.get_by_role("link", name=re.compile("When does a leaky capacitor")).last.wait_for()
        reader.page.goto((built / "01_membrane.html").as_uri())
        slider = reader.page.locator(".anim-slider").first
        picture = slider.locator("xpath=preceding::img[1]")
        reader.page.wait_for_function("document.querySelector('.anim-slider').value > 0")
        before = picture.get_attribute("src")
        slider.press("ArrowRight")
        assert picture.get_attribute("src") != before
        assert reader.errors == []
