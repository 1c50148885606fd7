"""What recurs in figures: the artists are those of the data, wrong input is refused by name, pictures have twice the pixels."""
import base64
import io

import numpy as np
import pytest
import torch
from IPython.utils.capture import capture_output
from PIL import Image

from snnteach import plots
from snnteach.plots import COLORS, Diagram, bands, fields, figure, names, raster, readout, rows, rule, show, ticks, traces
from tests.drawing import Picture
from tests.shell import shell

SEEDS = {"ours": [0.95, 0.96, 0.97], "linear": [0.90, 0.91, 0.92], "undone": [0.1]}


@pytest.fixture
def ax():
    return figure()[1]


def texts(ax):
    return {text.get_text(): text for text in ax.texts}


def test_a_raster_has_a_tick_for_each_spike_and_broad_ones_where_there_is_room(ax):
    spk = (torch.rand(20, 6, generator=torch.Generator().manual_seed(0)) < 0.3).float()
    raster(ax, spk)
    (ticks,) = ax.collections
    assert np.allclose([segment.mean(0) for segment in ticks.get_segments()], spk.nonzero())
    assert ticks.get_linewidth()[0] > 3 and ax.get_xlim() == (-0.5, 19.5)
    raster(ax, torch.ones(1000))
    assert ax.collections[1].get_linewidth()[0] == 1.5


@pytest.mark.parametrize("place", [{"y": 0.4}, {"x": 3.0}])
def test_a_rule_stands_at_its_value_and_has_its_name(ax, place):
    ax.set(xlim=(0, 5), ylim=(0, 1))
    rule(ax, "chance", **place)
    Picture({"rule": ax.lines[0]}).rule("rule", "0.45", "--", **place)
    assert texts(ax)["chance"].xy == ((1, 0.4) if "y" in place else (3, 1))


def test_a_readout_names_one_class_of_many(ax):
    mem = torch.rand(8, 5, generator=torch.Generator().manual_seed(0))
    readout(ax, mem, 3)
    drawn = Picture({f"{n}": line for n, line in enumerate(ax.lines)})
    for n, one in enumerate((0, 1, 2, 4)):
        drawn.line(f"{n}", range(8), mem[:, one], "0.65", "--")
    drawn.line("4", range(8), mem[:, 3], "vermillion")
    drawn.done()
    assert texts(ax)["class 3"].xy == (7, mem[-1, 3].item())


def test_rows_show_every_seed_and_which_of_them_are_controls(ax):
    rows(ax, SEEDS, controls=("linear",), mistakes=("undone",))
    drawn = Picture({f"{n}": line for n, line in enumerate(ax.lines)})
    for n, (values, color, marker) in enumerate(zip(SEEDS.values(), ("blue", "black", "vermillion"), "o^X", strict=True)):
        drawn.points(f"{n}", values, [n] * len(values), color, marker)
    drawn.done()
    assert np.allclose([(bar.get_x(), bar.get_width()) for bar in ax.patches], [(0.95, 0.02), (0.90, 0.02), (0.1, 0)])
    assert [bar.get_hatch() or "" for bar in ax.patches] == ["", "///", ""] and {"96.0%", "91.0%", "10.0%"} == set(texts(ax))
    assert [label.get_text() for label in ax.get_yticklabels()] == list(SEEDS)
    assert ax.get_ylim()[0] > ax.get_ylim()[1]                                # the first row stands on top


def test_bands_lie_between_the_seeds_and_no_two_look_alike(ax):
    table = {name: torch.rand(3, 4, generator=torch.Generator().manual_seed(n)) for n, name in enumerate("abcdef")}
    bands(ax, range(4), table, live=[0.1, 0.2, 0.3, 0.4])
    *means, live = ax.lines
    for line, cover, values in zip(means, ax.collections, table.values(), strict=True):
        assert np.allclose(line.get_ydata(), values.mean(0))
        low, high = cover.get_paths()[0].vertices[:, 1].min(), cover.get_paths()[0].vertices[:, 1].max()
        assert np.allclose((low, high), (values.min(), values.max()))
    for carrier in ("get_color", "get_marker"):
        assert len({getattr(line, carrier)() for line in means}) == 6
    assert live.get_marker() == "D" and live.get_ydata().tolist() == [0.1, 0.2, 0.3, 0.4]


def test_names_stand_beside_the_ends_of_their_curves_and_apart(ax):
    bands(ax, range(3), {"low": [0.0, 0.5, 0.1], "high": [0.0, 0.5, 1.0], "lower": [0.0, 0.5, 0.09]})
    names(ax)
    heights = {name: text.xy[1] for name, text in texts(ax).items()}
    assert heights["lower"] < heights["low"] < heights["high"] and heights["low"] - heights["lower"] > 0.08
    assert all(text.get_color() == line.get_color() for text, line in zip(
        sorted(ax.texts, key=lambda text: text.get_text()), sorted(ax.lines, key=lambda line: line.get_label()), strict=True))


def test_a_name_stands_at_the_end_of_its_curve_as_it_will_be_drawn(ax):
    ax.plot([0, 1], [0, 5], label="steep")
    names(ax)
    bottom, top = ax.get_ylim()
    assert texts(ax)["steep"].xy[1] == pytest.approx((5 - bottom) / (top - bottom))


@pytest.mark.parametrize("axis", ["x", "y"])
def test_ticks_are_the_values_and_no_others(ax, axis):
    ax.plot([1, 100], [1, 100])
    ticks(ax, (1, 10, 40), axis=axis, log=True)
    place = getattr(ax, f"{axis}axis")
    ax.figure.draw_without_rendering()
    assert place.get_ticklocs().tolist() == [1, 10, 40] and place.get_scale() == "log"
    written = [label.get_text() for label in place.get_ticklabels() + place.get_ticklabels(minor=True)]
    assert [words for words in written if words] == ["1", "10", "40"]


def test_fields_are_scaled_each_by_itself_and_lie_in_rows(ax):
    images = torch.arange(1.0, 4)[:, None, None] * torch.tensor([[0.0, 1], [0.5, 1]])
    picture = np.ma.filled(fields(ax, images, columns=2).get_array(), np.nan)
    wanted = np.array([[0, 1, np.nan, 0, 1], [0.5, 1, np.nan, 0.5, 1], [np.nan] * 5,
                       [0, 1, np.nan, np.nan, np.nan], [0.5, 1, np.nan, np.nan, np.nan]])
    np.testing.assert_array_equal(picture, wanted)


def test_arrows_of_a_diagram_run_from_border_to_border_and_carry_their_symbol():
    d = Diagram(4, 2)
    d.circle("U", 1, 1, "$U$", radius=0.3)
    d.box("S", 3, 1, "$S$", width=1)
    d.arrow("U", "S", r"$\theta$", color="blue", at=0.25)
    d.arrow("U", "S", style="--", bend=0.2)
    d.fig.draw_without_rendering()
    solid, dashed, head = d.ax.patches[2:]
    for arrow in (solid, dashed, head):
        shaft = arrow.get_path().vertices
        assert abs(np.hypot(*(shaft[0] - (1, 1))) - 0.3) < 0.05 and 2.3 < shaft[:, 0].max() < 2.5
    symbol = texts(d.ax)[r"$\theta$"]
    assert symbol.get_position() == (1.5, 1) and symbol.get_color() == COLORS["blue"]
    assert solid.get_path().get_extents().ymax < 1.1 < 1.15 < dashed.get_path().get_extents().ymax      # bends to the left
    assert dashed.get_linestyle() == "--" and (head.get_path().vertices[-1] != dashed.get_path().vertices[-1]).any()


def test_a_part_of_a_circuit_sits_in_the_middle_of_its_wire():
    d = Diagram(4, 2)
    d.part("capacitor", (1, 0), (1, 2), "$C$")
    assert np.allclose([line.get_xydata().mean(0) for line in d.ax.lines], [(1, 0.47), (1, 1.53), (1, 0.94), (1, 1.06)])
    assert texts(d.ax)["$C$"].get_position() == pytest.approx((0.64, 1))


def test_a_train_and_a_curve_share_their_steps():
    d, spk = Diagram(4, 2), [0, 1, 0, 1]
    d.train(1, 0.2, spk, width=2)
    d.curve(1, 1, [0, 2, 1, 4], width=2, height=0.5)
    assert [segment[0, 0] for segment in d.ax.collections[0].get_segments()] == [1.75, 2.75]
    assert np.allclose(d.ax.lines[-1].get_xydata(), [(1.25, 1), (1.75, 1.25), (2.25, 1.125), (2.75, 1.5)])


def test_a_figure_is_drawn_with_twice_the_pixels_of_its_size():
    fig = figure(3, 2)[0]
    with shell(), capture_output() as captured:
        show(fig, "Empty axes.")
    data, metadata = captured.outputs[0].data["image/png"], captured.outputs[0].metadata["image/png"]
    assert metadata == {"alt": "Empty axes.", "width": 288} and fig.dpi == 96
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (576, 384)


def unknown(ax):
    Diagram().arrow("U", "S")


WRONG = {
    "spk must be .T, N., got shape .2, 3, 4.": lambda ax: raster(ax, torch.ones(2, 3, 4)),
    "give x or y": lambda ax: rule(ax, "chance", x=1, y=1),
    "mem must be .T., got shape": lambda ax: traces(ax, torch.ones(3, 2)),
    "target 5": lambda ax: readout(ax, torch.ones(3, 5), 5),
    "no such row: oops": lambda ax: rows(ax, SEEDS, controls=("oops",)),
    "at most 6 curves": lambda ax: bands(ax, range(2), {f"{n}": [1, 2] for n in range(7)}),
    "a must be .seeds, 3. or .3., got shape .3, 2.": lambda ax: bands(ax, range(3), {"a": torch.ones(3, 2)}),
    "no curve here has a label": names,
    "images must be .N, H, W., got shape .4, 9.": lambda ax: fields(ax, torch.ones(4, 9), 2),
    "there is no node 'U'. There are none": unknown,
    "head must be one of": lambda ax: Diagram().arrow((0, 0), (1, 1), head=">>"),
    "kind must be one of resistor": lambda ax: Diagram().part("diode", (0, 0), (1, 1)),
    "a node 'U' already": lambda ax: [Diagram.circle(d, "U", 1, 1) for d in [Diagram()] * 2],
}


@pytest.mark.parametrize("words", WRONG)
def test_what_cannot_be_drawn_is_refused(ax, words):
    with pytest.raises(ValueError, match=words):
        WRONG[words](ax)


def test_every_public_name_is_there_and_documented():
    assert all(getattr(plots, name).__doc__ for name in plots.__all__ if callable(getattr(plots, name)))
