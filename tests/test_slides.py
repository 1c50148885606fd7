"""Slides of every notebook: nothing on them overflows, nothing is missing, nothing comes from a network."""
import re

import browser
import pytest

from snnteach.course import notebooks, slides

PATHS = notebooks.paths()
EVERY = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
OVERFLOW = """() => {
  const slide = Reveal.getCurrentSlide(), scale = Reveal.getScale(), frame = slide.getBoundingClientRect();
  let right = 0, bottom = 0;
  for (const part of slide.querySelectorAll('*')) {
    const box = part.getBoundingClientRect();
    if (part.closest('aside, mjx-assistive-mml') || !box.width) continue;
    right = Math.max(right, (box.right - frame.left) / scale);
    bottom = Math.max(bottom, (box.bottom - frame.top) / scale);
  }
  const ink = slide.querySelector('img, p, pre, div.listing, h1, h2, h3');
  return {right, bottom, empty: !ink};
}"""


@EVERY
def test_every_cell_says_what_it_becomes(path):
    notebook = notebooks.read(path)
    types = [cell.metadata.slideshow.slide_type for cell in notebook.cells]
    assert set(types) <= slides.TYPES and types[0] == "slide" and types.count("slide") >= 6
    for cell, kind in zip(notebook.cells, types):
        hidden = {"setup", "exercise", "program", "agreement"} & set(cell.metadata.get("tags", []))
        assert not hidden or kind == "skip", cell.id


@EVERY
def test_exercises_are_hidden_and_ideas_stand_out(path):
    found = slides.slides(notebooks.read(path))
    text = "".join(slide.html + "".join(slide.notes) for slide in found)
    assert not re.search(r"Exercise \d\d\.|not attempted|LiveFigure\(", text)
    assert sum(slide.kind == "idea" for slide in found) >= 3 and sum(slide.kind == "figure" for slide in found) >= 4
    assert sum(bool(slide.notes) for slide in found) >= 5 and all(slide.html.strip() for slide in found)


def test_a_heading_parts_what_is_spoken_from_what_is_shown():
    found = []
    slides._add_text(found, "# Title\n\nWords.", "slide")
    slides._add_text(found, "Seen.\n\n**Take away:** look.\n\n## Next\n\nIdea.\n\n> **Exercise 01.1** easy.", "slide")
    assert [(slide.kind, slide.begins) for slide in found] == [("text", True), ("idea", False), ("text", True)]
    assert "Seen." in found[0].notes[0] and "Look." in found[1].html and "Exercise" not in found[2].html


@pytest.mark.browser
@pytest.mark.slow
@EVERY
def test_slides_open_from_disk_without_a_network_and_none_overflows(path, tmp_path):
    page = slides.build(path.stem[:2], tmp_path)
    with browser.reader((1280, 720)) as reader:
        requests = []
        reader.page.context.set_offline(True)
        reader.page.on("requestfailed", lambda request: requests.append(request.url))
        reader.page.on("request", lambda request: requests.append(request.url) if request.url.startswith("http") else None)
        reader.page.goto(page.as_uri())
        reader.page.wait_for_function("window.Reveal && Reveal.isReady()")
        places = reader.page.evaluate("Reveal.getSlides().map(slide => Reveal.getIndices(slide)).map(at => [at.h, at.v || 0])")
        assert len(places) == len(slides.slides(notebooks.read(path)))
        for across, down in places:
            reader.page.evaluate(f"Reveal.slide({across}, {down})")
            size = reader.page.evaluate(OVERFLOW)
            assert size["right"] <= 1281 and size["bottom"] <= 721 and not size["empty"], f"slide {across}/{down}: {size}"
        assert reader.page.locator("mjx-merror").count() == 0
        sweep = reader.page.locator(".sweep .anim-slider").first
        sweep.evaluate("slider => { const at = Reveal.getIndices(slider.closest('section')); Reveal.slide(at.h, at.v); }")
        picture = reader.page.locator(".sweep img").first
        before = picture.get_attribute("src")
        sweep.press("ArrowRight" if sweep.input_value() == "0" else "ArrowLeft")
        assert picture.get_attribute("src") != before
        assert reader.errors == [] and requests == []
