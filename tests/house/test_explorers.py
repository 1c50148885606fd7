"""Every explorer computes at every corner of its controls, moves its picture, and has a twin for pages without a kernel."""
import copy
import csv
import io
import itertools
import math
import statistics
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.artist import Artist
from PIL import Image

from snnteach import explore
from snnteach.lessons import syllabus
from snnteach.lessons.kinds import Choice, Control
from snnteach.plots.style import canvas
from snnteach.reader.live import Frame, widget
from snnteach.reader.lookup import explorer as find
from snnteach.reader.lookup import part
from tests.drawing import built, state, tried

ROOT = Path(__file__).parents[2]
TOPICS = [row.topic for row in syllabus()]
NAMES = [f"{topic}.{name}" for topic in TOPICS for name in part(topic, "explorers").EXPLORERS]
EVERY = pytest.mark.parametrize("name", NAMES)


def test_there_are_explorers():
    assert "membrane.constant" in NAMES


@EVERY
def test_build_returns_artists_by_name(name):
    explorer = find(name)
    artists = explorer.build(canvas(*explorer.size, dpi=50))
    assert type(artists) is dict and all(isinstance(key, str) for key in artists)
    assert artists and all(isinstance(artist, Artist) for artist in artists.values())


@EVERY
def test_corners(name):
    explorer, drawn = find(name), built(name)
    corners = [dict(zip(explorer.controls, values, strict=True))
               for values in itertools.product(*(control.corners for control in explorer.controls.values()))]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for corner in corners[::math.ceil(len(corners) / 40)]:
            explorer.update(drawn.artists, explorer.compute(**corner))
        for corner in (corners[0], corners[-1]):
            assert drawn.png(**corner).startswith(b"\x89PNG")


def same(one, other):
    """Whether two results are equal to the last bit, NaN included."""
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and one.shape == other.shape and one.numpy().tobytes() == other.numpy().tobytes()
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


@EVERY
def test_compute_is_pure(name):
    explorer, settings = find(name), tried(find(name), 2)
    torch.manual_seed(1)
    random = torch.get_rng_state()
    first = [explorer.compute(**each) for each in settings]
    kept = copy.deepcopy(first)
    assert torch.equal(torch.get_rng_state(), random), "it draws from the random numbers that all share"
    torch.manual_seed(2)
    again = [explorer.compute(**each) for each in reversed(settings)][::-1]
    for data in again:
        explorer.update(built(name).artists, data)
    for each, data, copied, repeated in zip(settings, first, kept, again, strict=True):
        assert same(data, copied) and same(data, repeated), each


@EVERY
def test_every_control_moves_the_picture(name):
    explorer, drawn = find(name), built(name)
    before = drawn.png(**explorer.start())
    states = {artist: state(drawn.artists[artist]) for artist in drawn.artists}
    for parameter, control in explorer.controls.items():
        pictures, moved = {before}, set()
        for value in control.corners:
            pictures.add(drawn.png(**{**explorer.start(), parameter: value}))
            moved |= {artist for artist in drawn.artists if state(drawn.artists[artist]) != states[artist]}
        assert len(pictures) >= 2 and moved, f"{name}: {parameter} moves {sorted(moved)}, and no pixel"


@EVERY
def test_labels_and_ranges(name):
    explorer = find(name)
    assert len(explorer.alt) > 60 and explorer.alt.endswith(".")
    for control in explorer.controls.values():
        assert control.label and len(f"{control.label} ({control.unit})") <= 32
        if isinstance(control, Control):
            assert control.low <= control.start <= control.high and 0 < control.step <= control.high - control.low


def test_live_figure_reacts_and_has_a_twin():
    live = explore("membrane.constant")
    before = live.image.value
    live.inputs["current"].value = 3.0
    assert live.image.value != before and "current=3.0" in repr(live)
    bundle, metadata = live._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle and len(metadata["image/png"]["alt"]) > 60
    assert bundle["text/plain"] == repr(live)


def test_blitted_frame_equals_a_full_drawing():
    explorer = find("membrane.pulse")
    moved = {**explorer.start(), "width": 20.0}
    frame = Frame(explorer)
    frame.png(**explorer.start())
    blitted = np.asarray(Image.open(io.BytesIO(frame.png(**moved))))
    fresh = np.asarray(Image.open(io.BytesIO(Frame(explorer).png(**moved))))
    assert np.array_equal(blitted, fresh)


def test_the_palette_keeps_white_white_and_colours_near():
    frame = Frame(find("surrogate.shape"))
    sent = np.asarray(Image.open(io.BytesIO(frame.png(**frame.explorer.start()))).convert("RGB")).astype(int)
    drawn = np.asarray(frame.figure.canvas.buffer_rgba())[..., :3]
    assert (sent[(drawn == 255).all(-1)] == 255).all() and (drawn == 255).all(-1).mean() > 0.5
    assert np.abs(sent - drawn).max() < 32


@EVERY
def test_sweeps_move_a_control_while_others_stand_where_they_can(name):
    explorer = find(name)
    assert explorer.sweeps and len(explorer.sweeps) == len({str(sweep) for sweep in explorer.sweeps})
    for parameter, others in explorer.sweeps:
        control, values = explorer.controls[parameter], explorer.controls[parameter].swept(24)
        assert control.start in values and {*control.corners} <= {*values} and len(values) <= 24
        for place, value in others.items():
            other = explorer.controls[place]
            assert place != parameter and value != other.start
            assert value in other.options if isinstance(other, Choice) else other.low <= value <= other.high


def test_sweep_shows_the_slider_s_own_values_and_says_them():
    lif = find("neurons.lif").controls
    values = lif["beta"].swept(24)
    assert values == [round(value, 2) for value in values] == sorted(set(values)) and type(values[0]) is float
    assert lif["kind"].swept(24) == ["constant", "pulse train", "noise"]
    assert all(type(value) is int for value in find("stdp.traces").controls["lag"].swept(24))
    assert lif["beta"].said(0.9) == "decay beta (per step): 0.90" and lif["kind"].said("noise") == "input: noise"


def test_unknown_names_say_what_there_is():
    with pytest.raises(ValueError, match="'membrane' has 'constant', 'pulse', got 'wave'"):
        explore("membrane.wave")
    with pytest.raises(ValueError, match="no topic 'nothing'"):
        explore("nothing.here")


def test_choice_becomes_a_list():
    assert widget(Choice("a", ("a", "b"), "letter")).options == ("a", "b")


def test_the_table_of_interaction_is_of_our_explorers_keeps_its_promise_and_is_quoted():
    rows = list(csv.DictReader((ROOT / "tests" / "benchmarks" / "interaction.csv").open()))
    assert {row["explorer"] for row in rows} <= set(NAMES) and len(rows) >= 17
    middle = {column: statistics.median(float(row[column]) for row in rows)
              for column in rows[0] if "_" in column}
    ratios = [float(row["ratio"]) for row in rows]
    assert statistics.median(ratios) <= 0.3 and max(ratios) <= 0.5                                   # what we promise
    assert all(float(row["live_fps"]) >= 9 for row in rows)
    quoted = (f"{middle['live_median_ms']:.0f} ms from the key to the picture and {middle['live_fps']:.0f} pictures a second "
              f"in a drag (medians over {len(rows)} explorers), against {middle['interact_median_ms']:.0f} ms and "
              f"{middle['interact_fps']:.0f}; of `interact`'s time {min(ratios):.2f} to {max(ratios):.2f}, median "
              f"{statistics.median(ratios):.2f}")
    assert quoted in " ".join((ROOT / "README.md").read_text(encoding="utf-8").split()), quoted


@EVERY
def test_sliders_and_sweeps_say_the_value_that_is_set(name):
    for control in find(name).controls.values():
        if isinstance(control, Control) and not control.whole:
            assert [float(format(value, control.digits)) for value in control.swept(24)] == pytest.approx(control.swept(24))
