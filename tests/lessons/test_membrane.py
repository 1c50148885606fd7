"""Notebook 01: its listings against the package, and what its explorers compute against closed forms."""
import math

import pytest
import torch

from snnteach import membrane as reference
from snnteach.lessons.membrane import explorers as explorer
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


@pytest.mark.parametrize(("current", "tau", "refractory"),
                         [(0.9, 20.0, 2.0), (1.5, 20.0, 2.0), (4.0, 5.0, 0.0), (3.0, 50.0, 10.0)])
def test_constant_explorer_fires_as_its_curve_says(current, tau, refractory):
    data = explorer.compute_constant(current, tau, refractory)
    interval = refractory + tau * math.log(current / (current - 1)) if current > 1 else math.inf           # ms
    assert data["rate"] == pytest.approx(1e3 / interval)
    assert abs(data["spikes"].sum().item() - 200 / interval) <= 1 + 0.05 * 200 / interval
    nearest = min(range(161), key=lambda n: abs(n * 4 / 160 - current))
    assert data["curve"][nearest] == pytest.approx(data["rate"], rel=0.05)


@pytest.mark.parametrize("tau", [5.0, 20.0, 50.0])
@pytest.mark.parametrize("width", [0.5, 7.0, 30.0])
def test_pulse_explorer_fires_above_the_strength_duration_curve(width, tau):
    needed = 1 / (1 - math.exp(-width / tau))
    assert explorer.compute_pulse(width, 1.01 * needed, tau)["fires"]
    below = explorer.compute_pulse(width, 0.99 * needed, tau)
    assert not below["fires"] and below["voltage"].argmax() == round(width / 0.25)
    assert below["voltage"].max().item() == pytest.approx(0.99, abs=0.01)
    curve = torch.stack([below["widths"], 1 / (1 - torch.exp(-below["widths"] / tau))])
    assert torch.allclose(below["curve"], curve[1])
