"""The player of films and sweeps: whole pictures in order, a label each, mouse and keyboard, nothing from a network."""
import base64
import io
import json
import re

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from snnteach.authoring.sweeps import sweep
from snnteach.plots import COLORS
from snnteach.plots.animation import film
from snnteach.plots.player import player
from snnteach.reader.live import Frame
from snnteach.reader.lookup import explorer as find
from tests import browser

SHADES = [Image.new("RGB", (60, 40), (40 * shade, 0, 0)) for shade in range(4)]
WORDS = {"alt": "A red that brightens.", "name": "red"}


def frames_of(html):
    """The pictures of a player in order, and their labels."""
    pictures = json.loads(re.search(r'<script type="application/json">(.*?)</script>', html)[1])
    first = re.search(r'<img [^>]*src="(.*?)"', html)[1]
    pictures["pictures"].insert(int(re.search(r' value="(\d+)"', html)[1]), first)
    return [Image.open(io.BytesIO(base64.b64decode(text.split(",")[1]))) for text in pictures["pictures"]], pictures["labels"]


def pixels(image):
    return np.asarray(image.convert("RGB")).astype(int)


def build(fig):
    axes = fig.subplots()
    axes.plot([0, 1], [0, 1], color=COLORS["green"], linewidth=9)                            # belongs to every frame
    return axes


def draw(axes, frame):
    axes.plot([0, 1], [frame, frame], color=COLORS["orange"], linewidth=9)
    axes.plot([0, 0.02], [1 - frame, 1 - frame], color=COLORS["vermillion"], linewidth=9)      # a rare colour
    axes.bar(np.arange(200) / 200, 2, 0.005, color=[str(shade / 200) for shade in range(200)])


def test_a_film_s_frames_are_whole_share_their_colours_and_lose_none():
    html = film(build, draw, (0.2, 0.4, 0.6), "Lines and shades.").data
    frames, labels = frames_of(html)
    assert 'width="576"' in html
    assert labels == ["frame 1 of 3", "frame 2 of 3", "frame 3 of 3"]
    assert len({tuple(frame.getpalette()) for frame in frames}) == 1 and len({frame.tobytes() for frame in frames}) == 3
    for frame in frames:
        seen = pixels(frame)
        assert (seen[0, 0] == 255).all() and frame.size == (864, 504)                        # 1.5 pixels for one of the page
        for name in ("green", "orange", "vermillion"):
            assert np.abs(seen - np.multiply(to_rgb(COLORS[name]), 255)).max(-1).min() < 32, name


def test_a_film_keeps_what_build_drew_and_shows_each_frame_alone():
    def line(axes, at):
        axes.plot([at, at], [0, 1], color="black", linewidth=9)

    def empty(fig):
        axes = fig.add_axes((0, 0, 1, 1), xlim=(0, 1), ylim=(0, 1))
        axes.set_axis_off()
        axes.plot([0, 1], [0.5, 0.5], color=COLORS["blue"], linewidth=9)
        return axes

    frames, _ = frames_of(film(empty, line, (0.2, 0.5, 0.8), "One line that moves.", width=3, height=1, dpi=100).data)
    for frame, at in zip(frames, (60, 150, 240)):
        seen = pixels(frame)
        black = np.flatnonzero((seen[10] < 60).all(-1))
        assert abs(black.mean() - at) < 2 and len(black) < 20 and (seen[50, 5] < 200).any()
    with pytest.raises(ValueError, match="1 to 40 frames"):
        film(empty, line, (), "Nothing.")


def test_a_player_needs_words_and_says_what_is_wrong():
    labels = [str(shade) for shade in range(4)]
    html = player(SHADES, labels=["<0>", *labels[1:]], alt='A "red".', name="red & more", start=2).data
    frames, said = frames_of(html)
    assert [round(pixels(frame)[0, 0, 0]) for frame in frames] == [0, 40, 80, 120] and said[0] == "<0>"
    assert 'alt="A &quot;red&quot;."' in html and 'aria-label="red &amp; more"' in html and "<button" not in html
    assert html.count("<button") == 0 and "<button" in player(SHADES, labels=labels, interval=100, **WORDS).data
    with pytest.raises(ValueError, match="one label a picture, got 3 for 4"):
        player(SHADES, labels=labels[1:], **WORDS)
    for wrong in ({**WORDS, "alt": " "}, {**WORDS, "name": ""}):
        with pytest.raises(ValueError, match="player: (alt|name) must say"):
            player(SHADES, labels=labels, **wrong)
    for start in (-1, 4):
        with pytest.raises(ValueError, match="0 to 3, got"):
            player(SHADES, labels=labels, start=start, **WORDS)


def test_a_sweep_is_small_always_the_same_and_says_its_value():
    frame = Frame(find("membrane.constant"), dpi=72)
    html = sweep(frame, "current", frames=12)
    assert html.count("data:image/png;base64") == 12 and len(html) < 300_000
    assert "http" not in html and html == sweep(frame, "current", frames=12)
    control = frame.explorer.controls["current"]
    frames, labels = frames_of(html)
    assert labels == [control.said(value) for value in control.swept(12)] and len({frame.tobytes() for frame in frames}) == 12
    _, labels = frames_of(sweep(Frame(find("three_factor.credit"), dpi=50), "trials", 3, neurons=300))
    assert labels[0].startswith("trials") and labels[0].endswith(": 300")


def test_a_sweep_shows_the_explorer_s_picture_pixel_by_pixel():
    frame = Frame(find("bptt.path"), dpi=72)
    control = frame.explorer.controls["reset"]
    frames, _ = frames_of(sweep(frame, "reset"))
    assert len(frames) == len(control.options) > 1
    for option, shown in zip(control.options, frames):
        live = Image.open(io.BytesIO(frame.png(**{**frame.explorer.start(), "reset": option})))
        assert live.size == shown.size and np.abs(pixels(live) - pixels(shown)).max() < 16


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """A page without a network that shows the same film twice and a sweep."""
    labels = [f"red {shade}" for shade in range(4)]
    played, late = (player(SHADES, labels=labels, interval=400, start=start, **WORDS).data for start in (0, 2))
    page = tmp_path_factory.mktemp("player") / "page.html"
    page.write_text(f"<!doctype html><html lang=en><title>Players</title><main><h1>Players</h1>{played}{played}"
                    f"{player(SHADES, labels=labels, start=2, **WORDS).data}{late}</main>", encoding="utf-8")
    with browser.reader() as reader:
        reader.page.context.set_offline(True)
        reader.page.on("request", lambda asked: reader.errors.append(asked.url) if asked.url.startswith("http") else None)
        reader.page.goto(page.as_uri())
        yield reader
        assert reader.errors == []


def seen(part):
    """What a player shows: label, picture, place of the slider and what it says."""
    slider = part.locator("input")
    return (part.locator(".player-label").inner_text(), part.locator("img").get_attribute("src"),
            slider.input_value(), slider.get_attribute("aria-valuetext"))


@pytest.mark.browser
def test_players_of_one_page_move_alone_by_button_mouse_and_key(reader):
    one, two, moved = (reader.page.locator(".player").nth(place) for place in range(3))
    first = seen(one)
    assert first == seen(two) and first[0] == "red 0" and seen(moved)[0] == "red 2" and seen(moved)[1] != first[1]
    one.get_by_role("button", name="play").click()
    reader.page.wait_for_function("document.querySelector('.player input').value == 3")
    one.get_by_role("button", name="play").wait_for()                                # it stops at the end and can play again
    assert seen(one)[0] == "red 3" and seen(two) == first and seen(moved)[0] == "red 2"
    reader.page.evaluate("() => { window.heard = []; document.addEventListener('keydown', key => heard.push(key.key)); }")
    one.get_by_role("button", name="back").press(" ")                                # a page may turn at a space
    assert (seen(one)[0], seen(one)[2], seen(one)[3]) == ("red 2", "2", "red 2") and seen(one)[1] == seen(moved)[1]
    for _ in range(3):
        one.get_by_role("button", name="forward").click()
    assert seen(one)[0] == "red 3"
    moved.get_by_role("slider", name="red").press("ArrowRight")
    assert seen(moved)[0] == seen(moved)[3] == "red 3" and seen(moved)[1] == seen(one)[1] != first[1]
    moved.locator("input").click(position={"x": 2, "y": 5})
    assert seen(moved) == first
    assert reader.page.evaluate("heard") == ["ArrowRight"]
    assert moved.get_by_role("button").count() == 0 and browser.violations(reader.page) == []


@pytest.mark.browser
def test_a_film_plays_from_its_start_again_and_stops_when_it_is_moved(reader):
    one = reader.page.locator(".player").first
    one.locator("input").press("End")
    one.get_by_role("button", name="play").click()
    assert seen(one)[0] == "red 0"
    one.locator("input").press("ArrowRight")
    assert one.get_by_role("button", name="play").count() == 1 and seen(one)[0] == "red 1"
    reader.page.wait_for_timeout(500)
    assert seen(one)[0] == "red 1"


@pytest.mark.browser
def test_a_film_that_opens_on_a_late_frame_plays_from_the_first(reader):
    late = reader.page.locator(".film").last
    assert seen(late)[0] == seen(late)[3] == "red 2"
    late.get_by_role("button", name="play").click()
    assert seen(late)[0] == "red 0"
    late.locator("input").press("End")
