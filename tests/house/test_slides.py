"""Slides of every notebook: nothing is cut, small or missing, nothing comes from a network, no presenter is stuck."""
import os
import re

import nbformat
import pytest

from snnteach.authoring import anatomy, course, notebooks, site, slides
from snnteach.install.troubles import SetupError
from tests import browser, drawn, hands
from tests.pages import Page

PATHS = notebooks.paths()
SWEPT, = notebooks.paths(["02"])                # has formulas in its notes, and a second sweep that does not start at its end
FULL = bool(os.environ.get("SNNTEACH_FULL"))
EVERY = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
LOOK = """() => Reveal.getSlides().map(slide => {
  const {h, v} = Reveal.getIndices(slide);
  Reveal.slide(h, v, 9);
  const scale = Reveal.getScale(), frame = slide.getBoundingClientRect();
  const seen = [...slide.querySelectorAll('*')].filter(part => part.getBoundingClientRect().width &&
                                                        !part.closest('aside, mjx-assistive-mml'));
  const boxes = seen.map(part => part.getBoundingClientRect());
  const read = seen.filter(part => !part.closest('svg') &&
                           [...part.childNodes].some(node => node.nodeType == 3 && node.data.trim()));
  const size = part => parseFloat(getComputedStyle(part).fontSize), code = part => part.closest('.listing');
  const longest = Math.max(0, ...seen.filter(code).flatMap(part => part.innerText.split('\\n').map(line => line.length)));
  return {
    at: [h, v || 0],
    left: Math.min(...boxes.map(box => box.left - frame.left)) / scale,
    top: Math.min(...boxes.map(box => box.top - frame.top)) / scale,
    right: Math.max(...boxes.map(box => box.right - frame.left)) / scale,
    bottom: Math.max(...boxes.map(box => box.bottom - frame.top)) / scale,
    wide: seen.filter(part => part.matches('pre, div') && part.scrollWidth > part.clientWidth + 1).map(part => part.className),
    text: Math.min(36, ...read.filter(part => !code(part)).map(size)),
    formula: Math.min(36, ...seen.filter(part => part.matches('mjx-container > svg')).map(
      svg => svg.getBoundingClientRect().width / scale / svg.viewBox.baseVal.width * 1000)),
    code: Math.min(36, ...read.filter(code).map(size)), longest,
    empty: !seen.some(part => part.matches('img, p, pre, li') && !part.matches('.fragment')),
    kinds: [...new Set([slide, ...seen].filter(part => !part.closest('svg *')).map(part => [
      part.parentElement.tagName, part.tagName, part.className, getComputedStyle(part).color,
      getComputedStyle(part).backgroundColor].join(' ')))],
  };
})"""
BROKEN = "[data-mjx-error], mjx-merror, [mathcolor=red], [fill=red]"      # what MathJax makes of an equation it cannot read


@EVERY
def test_every_cell_says_what_it_becomes(path):
    notebook = notebooks.read(path)
    types = [cell.metadata.slideshow.slide_type for cell in notebook.cells]
    assert set(types) <= slides.TYPES and types[0] == "slide" and types.count("slide") >= 6
    for cell, kind in zip(notebook.cells, types):
        hidden = {"setup", "exercise", "program", "agreement", "proof"} & set(cell.metadata.get("tags", []))
        assert not hidden or kind == "skip", cell.id


@EVERY
def test_exercises_are_hidden_and_ideas_stand_out(path):
    found = slides.slides(notebooks.read(path))
    text = "".join(slide.html + "".join(slide.notes) for slide in found)
    assert not re.search(r"Exercise \d\d\.|not attempted|LiveFigure\(", text)
    assert sum(slide.kind == "idea" for slide in found) >= 3 and sum(slide.kind == "figure" for slide in found) >= 4
    assert not re.search(r"^\s*assert ", re.sub("<[^>]+>", "", text), re.MULTILINE)
    assert sum(bool(slide.notes) for slide in found) >= 5 and all(slide.html.strip() for slide in found)


def test_a_cell_becomes_slides_or_is_spoken():
    found = []
    for source, kind, *tags in (("# Title\n\nWords.", "slide"), ("Seen.", "notes"),
                                ("**Take away:** look.", "subslide", "takeaway"),
                                ("## Next\n\nIdea.\n\n> **Exercise 01.1** easy.", "slide"),
                                ("One.\n\n<!-- next slide -->\n\nTwo.", "subslide")):
        slides._add_text(found, nbformat.v4.new_markdown_cell(source, metadata={"tags": tags}), kind)
    assert [(slide.kind, slide.begins) for slide in found] == [
        ("text", True), ("idea", False), ("text", True), ("text", False), ("text", False)]
    assert "One." in found[-2].html and "Two." in found[-1].html and "next slide" not in found[-2].html + found[-1].html
    assert "Seen." in found[0].notes[0] and "<p>Look." in found[1].html and "Exercise" not in found[2].html


def test_what_is_folded_leaves_its_source_out_and_keeps_what_it_printed():
    found = [slides.Slide("", [], False, "text", 0)]
    cell = nbformat.v4.new_code_cell("hidden = 1", metadata={"tags": ["mistake"]})
    cell.outputs = [nbformat.v4.new_output("stream", text="printed")]
    slides._add_code(found, cell)
    assert "hidden" in found[0].html and "printed" in found[0].html
    for tag in anatomy.FOLDED:
        found, cell.metadata["tags"] = [slides.Slide("", [], False, "text", 0)], ["mistake", tag]
        slides._add_code(found, cell)
        assert "hidden" not in found[0].html and "printed" in found[0].html


def test_links_lead_to_binder_or_are_text():
    html = slides._html("## A\n\n[07](07_surrogate.ipynb), the [map](../README.md), [paper](https://doi.org/1)")
    assert re.findall('href="(.*?)"', html) == [course.binder("07_surrogate.ipynb"), "https://doi.org/1"]
    assert "the map," in html


def test_long_lines_are_wrapped_and_long_code_is_parted():
    assert slides._wrapped("  " + "word " * 40).split("\n")[1].startswith("      word")
    assert max(map(len, slides._wrapped("word " * 40).split("\n"))) <= slides.MOST_CHARACTERS
    code = "\n\n".join(["x = 1\n" * 14 + "y = 2"] * 3)
    parts = slides._parted(code)
    assert "\n\n".join(parts) == code and len(parts) == 3
    assert site.narrow(f"x = 1         # one\n{'y' * 79}      # two") == f"x = 1  # one\n# two\n{'y' * 79}"
    code = "x = 1\nassert (x ==\n        1)\nfor y in (2,):\n    print(y)\n    if x:\n        assert y\nassert y"
    assert slides._without_asserts(code) == "x = 1\nfor y in (2,):\n    print(y)"


def test_what_is_not_slides_is_never_replaced(tmp_path):
    mine = tmp_path / PATHS[0].stem / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("kept")
    with pytest.raises(SetupError, match="something else than slides"):
        slides.build(PATHS[0].stem[:2], tmp_path)
    assert mine.read_text() == "kept"


@pytest.fixture(scope="module", autouse=True)
def drawn_once(tmp_path_factory):
    with drawn.once(tmp_path_factory):
        yield


@pytest.fixture(scope="module")
def decks(tmp_path_factory):
    """The page of the slides of every notebook, written once."""
    folder = tmp_path_factory.mktemp("slides")
    return {path: slides.write(path, folder / path.stem) for path in PATHS}


@pytest.fixture(scope="module")
def browsed():
    """One page of Chromium without a network for all slides; what it asks for elsewhere is an error."""
    with browser.reader_offline((1280, 720)) as reader:
        reader.kinds = set()
        yield reader


@pytest.fixture
def reader(browsed):
    """The page, and no error on it before or after a test."""
    browsed.errors.clear()
    yield browsed
    assert browsed.errors == []


def open_slides(reader, page):
    reader.page.goto("about:blank")                              # the same page with another hash would not load again
    reader.page.goto(page.as_uri())
    reader.page.wait_for_function("window.Reveal && Reveal.isReady()")


def here(reader):
    return reader.page.evaluate("[Reveal.getIndices().h, Reveal.getIndices().v]")


@pytest.mark.browser
@pytest.mark.slow
@EVERY
def test_slides_open_from_disk_without_a_network_and_can_be_read(path, decks, reader):
    """Every slide is measured; axe looks at those with something on them that it has seen on no other (--full: at all)."""
    html = decks[path].read_text(encoding="utf-8")
    for link in re.findall('href="([^"]*)"', html):
        assert re.match("https?://", link) or (decks[path].parent / link).is_file(), link
    open_slides(reader, decks[path])
    found = reader.page.evaluate(LOOK)
    assert len(found) == html.count('<section class="')
    for seen in found:
        kinds, at = set(seen.pop("kinds")), seen["at"]
        assert min(seen["left"], seen["top"]) >= 0 and seen["right"] <= 1281 and seen["bottom"] <= 721, seen
        assert not seen["wide"] and not seen["empty"], seen
        assert min(seen["text"], seen["formula"]) >= 18, seen
        assert seen["code"] >= (18 if seen["longest"] < 110 else 15), seen
        if FULL or kinds - reader.kinds:
            reader.kinds |= kinds
            reader.page.evaluate("at => Reveal.slide(...at, 9)", at)
            assert browser.violations(reader.page, "section.present" if at != [0, 0] else None) == [], at
    assert reader.page.locator(BROKEN).count() == 0 and reader.page.locator(".words, aside", has_text="$").count() == 0


@EVERY
def test_every_picture_and_slider_says_what_it_is(path, decks):
    page = Page(decks[path])
    assert len(page.named) >= 4 and page.nameless == []


@pytest.mark.browser
@pytest.mark.slow
def test_a_sweep_moves_and_lets_the_presenter_go_on(decks, reader):
    open_slides(reader, decks[SWEPT])
    slider, picture = (reader.page.locator(f".sweep {part}").nth(2) for part in ("input", "img"))
    slider.evaluate("slider => { const at = Reveal.getIndices(slider.closest('section')); Reveal.slide(at.h, at.v); }")
    start, before = here(reader), picture.get_attribute("src")
    while not slider.evaluate("slider => slider == document.activeElement"):
        reader.page.keyboard.press("Tab")
    reader.page.keyboard.press("ArrowLeft")
    assert picture.get_attribute("src") != before and here(reader) == start

    for share, below in ((0.25, 0), (0.6, 60)):       # where the mouse lets the slider go
        before, box = picture.get_attribute("src"), slider.bounding_box()
        reader.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        reader.page.mouse.down()
        reader.page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2 + below)
        reader.page.mouse.up()
        assert picture.get_attribute("src") != before
        reader.page.keyboard.press("PageDown")
        assert here(reader) != start
        reader.page.keyboard.press("PageUp")
        assert here(reader) == start


@pytest.mark.browser
@pytest.mark.slow
def test_every_live_figure_moves_on_its_slide_which_stays(decks, reader):
    moved = set()
    for page in decks.values():
        if '<div class="live"' not in page.read_text(encoding="utf-8"):
            continue
        open_slides(reader, page)
        for figure in reader.page.locator(".live.moves").all():
            figure.evaluate("figure => { const at = Reveal.getIndices(figure.closest('section')); Reveal.slide(at.h, at.v); }")
            start = here(reader)
            hands.move(reader.page, figure.locator(".live-stage"), (hands.pressed, hands.clicked))
            assert here(reader) == start
            moved.add(figure.get_attribute("data-name"))
    assert moved == set(hands.FIGURES)


@pytest.mark.browser
@pytest.mark.slow
def test_a_film_plays_by_the_space_bar_and_the_slide_stays(decks, reader):
    page = next(page for page in decks.values() if '<div class="player film"' in page.read_text(encoding="utf-8"))
    open_slides(reader, page)
    film = reader.page.locator(".film").first
    film.evaluate("film => { const at = Reveal.getIndices(film.closest('section')); Reveal.slide(at.h, at.v); }")
    start, before = here(reader), film.locator("img").get_attribute("src")
    film.get_by_role("button", name="play").press(" ")
    film.get_by_role("button", name="pause").wait_for()
    reader.page.wait_for_function("document.querySelector('.film input').value > 1")
    assert here(reader) == start and film.locator("img").get_attribute("src") != before


@pytest.mark.browser
@pytest.mark.slow
def test_the_speaker_reads_the_notes_and_each_formula_once(decks, reader):
    open_slides(reader, decks[SWEPT])
    notes = reader.page.locator("aside.notes:has(mjx-container)").first
    notes.evaluate("notes => { const at = Reveal.getIndices(notes.closest('section')); Reveal.slide(at.h, at.v); }")
    words = notes.locator("p").first.text_content()
    with reader.page.expect_popup() as popup:
        reader.page.keyboard.press("s")
    shown = popup.value.locator(".speaker-controls-notes .value")
    shown.locator("mjx-container").first.wait_for()
    assert shown.locator("p").first.text_content() == words and len(words) > 40
    assert shown.locator("svg").count() == notes.locator("svg").count() and shown.locator("math").count() == 0
    popup.value.close()
