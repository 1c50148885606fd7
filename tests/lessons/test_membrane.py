"""Notebook 01: its listings against the package, and what its explorers draw against closed forms."""
import math

import pytest
import torch

from snnteach import membrane as reference
from snnteach.lessons.membrane import study
from snnteach.lessons.membrane.answers import bank
from snnteach.reader.results import stored
from tests.drawing import background, pictures
from tests.listings import namespace

FLOAT = torch.float64


@pytest.fixture(scope="module")
def shown():
    return namespace("membrane")


@pytest.mark.parametrize("method", ["exact", "euler"])
def test_the_listed_membrane_is_the_package(shown, method):
    current = torch.rand(60, generator=torch.Generator().manual_seed(0), dtype=FLOAT)
    ours, theirs = (where(current, 7.0, 0.5, 2.0, 0.3, method) for where in
                    (shown["passive_membrane"], reference.passive_membrane))
    assert torch.equal(ours, theirs) and ours.std() > 0.1


def test_the_listed_response_is_the_package(shown):
    time = torch.linspace(0, 80, 33, dtype=FLOAT)
    assert torch.equal(shown["step_response"](time, 0.7, 20.0, 2.0, 0.3), reference.step_response(time, 0.7, 20.0, 2.0, 0.3))


def test_the_listed_neuron_is_the_package(shown):
    current = 4 * torch.rand(800, generator=torch.Generator().manual_seed(1))
    settings = {"tau": 20e-3, "dt": 1e-3, "resistance": 1.5, "threshold": 1.2, "refractory": 4e-3}
    ours, theirs = (where(current, **settings) for where in (shown["integrate_and_fire"], reference.integrate_and_fire))
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True)) and ours[1].sum() > 20


def test_the_picture_of_a_constant_current():
    time, currents = torch.arange(800) * 0.25, torch.linspace(0, 4, 161)
    for picture, s in pictures("membrane.constant"):
        voltage, spikes = reference.integrate_and_fire(torch.full((800,), s["current"]), s["tau"] / 1e3, 0.25e-3,
                                                       refractory=s["refractory"] / 1e3)
        rates = [1e3 / (s["refractory"] + s["tau"] * math.log(current / (current - 1))) if current > 1 else 0
                 for current in (*currents.tolist(), s["current"])]
        fired = time[spikes > 0]
        picture.line("voltage", time, voltage, "blue")
        picture.points("spikes", fired, torch.full(fired.shape, 1.27), "black", "|")
        known = currents <= s["current"] + 1e-3                         # the curve is drawn as far as the reader has come
        picture.line("curve", currents[known], torch.tensor(rates[:-1])[known], "vermillion", "--", clipped=True)
        picture.points("point", [s["current"]], [min(rates[-1], 252)], "blue", "o" if rates[-1] <= 252 else "^")
        picture.says("text", "{} spikes/s", rates[-1])


def test_the_picture_of_a_pulse():
    time = torch.arange(240, dtype=FLOAT) / 4
    for picture, s in pictures("membrane.pulse"):
        widths = torch.linspace(0.3, 30, 150 if s["law"] == "drawn" else 0)
        width, strength, tau = s["width"], s["strength"], s["tau"]
        peak = strength * (1 - math.exp(-width / tau))
        voltage = torch.where(time < width, strength * (1 - torch.exp(-time / tau)), peak * torch.exp(-(time - width) / tau))
        picture.line("voltage", time, voltage, "blue", clipped=True)
        picture.line("pulse", [0, width], [0.03, 0.03], "orange")
        picture.line("curve", widths, 1 / (1 - torch.exp(-widths / tau)), "vermillion", "--", clipped=True)
        picture.points("point", [width], [strength], "blue")
        picture.says("text", "it fires" if peak > 1 else "it does not fire")


def test_what_stands_behind_the_pictures():
    for name, titles, x, y in (
        ("constant", ("The membrane", "f-I curve"), (200, 4), (1.35, 260)),
        ("pulse", ("One pulse", "Strong enough?"), (60, 30), (1.6, 10)),
    ):
        behind = background(f"membrane.{name}")
        labels = {"constant": ("current (rheobases)", "firing rate (spikes/s)"),
                  "pulse": ("pulse width (ms)", "pulse strength (rheobases)")}[name]
        behind.axes("0", titles[0], ("time (ms)", 0, x[0]), ("membrane potential / threshold", 0, y[0]))
        behind.axes("1", titles[1], (labels[0], 0, x[1]), (labels[1], 0, y[1]))
        behind.rule("0.line0", "0.45", "--", y=1)
        behind.says("0.text0", "threshold", at=(1, 1))
        behind.done()


def test_each_neuron_of_the_bank_is_that_of_the_package():
    current = 4 * torch.rand(400, 3, generator=torch.Generator().manual_seed(2), dtype=FLOAT)
    tau = torch.tensor([4.0, 10.0, 25.0], dtype=FLOAT)
    for dead_steps in (0, 1, 5):
        spk = bank(current, tau, 0.5, dead_steps)
        for n in range(3):
            _, alone = reference.integrate_and_fire(current[:, n], tau[n].item(), 0.5, refractory=0.5 * dead_steps)
            assert torch.equal(spk[:, n], alone) and alone.sum() > 5


def test_coincidence_is_one_for_the_same_train_and_nothing_for_chance():
    spk = (torch.rand(20_000, generator=torch.Generator().manual_seed(3)) < 0.04).float()
    times = (spk.nonzero().flatten().double() + 1) * study.DT
    found = [study.coincidence(spk, times + late, delay, 0.0, 10_000.0) for late, delay in ((0, 0), (6, 6), (1.5, 0))]
    assert found == pytest.approx([1, 1, 1], abs=0.01)
    assert [abs(study.coincidence(spk, times + late, 0, 0.0, 10_000.0)) < 0.1 for late in (6, 500)] == [True, True]
    assert study.coincidence(spk, times[::2], 0, 0.0, 10_000.0) == pytest.approx(0.6, abs=0.1)
    assert study.coincidence(0 * spk, times, 0, 0.0, 10_000.0) == 0


def test_what_the_real_neuron_says_of_the_parts():
    fits = stored("membrane")
    mean = {name: sum(values) / 3 for name, values in fits.items()}
    for recording in (1, 2):
        parts = [mean[f"recording {recording}, {name}: coincidence"]
                 for name in ("tau 8", "no leak", "no memory", "no dead time")]
        assert parts[0] == max(parts) and parts[3] == min(parts) and parts[0] - parts[1] < 0.05 < parts[0] - parts[3]
    assert all(abs(value) < 0.1 for name, values in fits.items() if name.endswith("shifted") for value in values)
