"""Notebook 07: its listings against the package, its exercises, its explorers and its stored study."""
import math

import pytest
import torch

from snnteach import stored as read_stored
from snnteach import surrogate as reference
from snnteach.neurons import lif
from snnteach.reader.lookup import exercise as find
from snnteach.reader.lookup import explorer as find_explorer
from tests.drawing import background, pictures
from tests.listings import namespace

FLOAT = torch.float64


@pytest.fixture(scope="module")
def shown():
    return namespace("surrogate")


@pytest.mark.parametrize(("name", "slope"), [("atan", 1.0), ("atan", 5.0), ("boxcar", 1.0), ("boxcar", 0.1)])
def test_the_listing_of_the_spike_is_the_package(shown, name, slope):
    generator = torch.Generator().manual_seed(0)
    u = (2 * torch.randn(500, generator=generator, dtype=FLOAT)).requires_grad_()
    upstream = torch.randn(500, generator=generator, dtype=FLOAT)
    ours = shown["spike"](u, shown[name](slope))
    theirs = reference.spike(u, getattr(reference, name)(slope))
    assert torch.equal(ours, theirs) and ours.dtype == FLOAT and set(ours.tolist()) == {0.0, 1.0}
    gradients = [torch.autograd.grad(spk, u, upstream)[0] for spk in (ours, theirs)]
    assert torch.allclose(*gradients, rtol=1e-12, atol=1e-15) and gradients[0].any()


def test_the_listing_of_the_spike_passes_the_packages_example(shown):
    u = torch.tensor([-0.5, 0.0, 0.5], requires_grad=True)
    spk = shown["spike"](u, shown["boxcar"](slope=2.0))
    spk.sum().backward()
    assert spk.tolist() == [0.0, 0.0, 1.0] and u.grad.tolist() == [0.0, 1.0, 0.0]


def test_the_listing_of_escape_noise_is_the_package(shown):
    u = torch.linspace(-2, 2, 101, dtype=FLOAT, requires_grad=True)
    noisy = [make(u, 3.0, torch.Generator().manual_seed(4)) for make in (shown["escape_noise"], reference.escape_noise)]
    assert torch.equal(*noisy) and 0 < noisy[0].sum() < 101
    gradients = [torch.autograd.grad(spk.sum(), u)[0] for spk in noisy]
    assert torch.allclose(*gradients, rtol=1e-10) and torch.allclose(gradients[0], reference.sigmoid(3.0)(u), rtol=1e-10)


def test_the_staircase_counts_the_packages_spikes(shown):
    weight = torch.linspace(0, 1, 101).requires_grad_()
    count = shown["spike_count"](weight, shown["current"], reference.atan())
    spk, _ = lif(shown["current"][:, None, None] * weight, 0.9)
    assert torch.equal(count, spk.sum(0)[0]) and count.max() == 7
    (lent,) = torch.autograd.grad(count.sum(), weight)
    assert (lent > 0).all()


def test_exercises_agree_with_autograd():
    fired, u = torch.tensor([1.0, 0.0, 1.0]), torch.tensor([-0.2, 0.3, -2.0])
    weight = torch.zeros(3, 3, requires_grad=True)
    current = weight @ fired
    reference.spike(current + u, reference.boxcar()).sum().backward()
    assert torch.equal(find("07.1").reference(fired, u), weight.grad != 0)
    for slope in (1.0, 25.0):
        assert reference.describe(lambda u, k=slope: find("07.2").reference(u, k))["area"] == pytest.approx(1, abs=1e-3)
    mem = torch.tensor([0.0, 0.9, 1.2, 2.5], requires_grad=True)
    upstream = torch.tensor([1.0, -2.0, 0.5, 3.0])
    spk = reference.spike(mem - 1.0, lambda u: torch.exp(-2.0 * u.abs()))
    (grad,) = torch.autograd.grad(spk, mem, upstream)
    assert torch.allclose(find("07.3").reference(upstream, mem.detach(), 1.0, 2.0), grad)
    w_in = torch.tensor(0.8, requires_grad=True)
    ((2 * reference.spike(w_in - 1, reference.sigmoid(1.0)) - 1) ** 2).backward()
    assert find("07.4").reference == pytest.approx(w_in.grad.item(), abs=1e-6) == pytest.approx(-0.9901, abs=1e-4)
    largest = find("07.5").reference
    below = torch.tensor([-0.9])
    assert reference.boxcar(largest * 0.999)(below) == 1 and reference.boxcar(largest * 1.001)(below) == 0


def test_explorers_say_what_the_notebook_says():
    shape, landscape = find_explorer("surrogate.shape").compute, find_explorer("surrogate.landscape").compute
    silent = {kind: shape(kind=kind, slope=1.0, threshold=4.0, spread=0.25) for kind in ("atan", "fast_sigmoid", "boxcar")}
    assert all(data["spikes"] == 0 and abs(data["share"].sum() - 1) < 1e-5 for data in silent.values())
    assert silent["atan"]["reached"] == pytest.approx(0.285, abs=0.02)
    assert silent["fast_sigmoid"]["reached"] == 1 and silent["boxcar"]["reached"] == 0
    data = landscape(kind="atan", slope=1.0, weight=0.35)
    assert data["here"] == 2 and (data["count"].diff() >= 0).all() and (data["slopes"] > 0).all()


def test_without_a_surrogate_only_the_readout_learns():
    stored = read_stored("surrogate")
    assert stored["zero, membrane"] == stored["frozen, membrane"] and max(stored["zero, spike"]) < 0.15


FORMULAS = {  # the table of section 2 of the notebook
    "atan": lambda u, k: 1 / (1 + (math.pi * k * u) ** 2), "fast_sigmoid": lambda u, k: 1 / (1 + k * u.abs()) ** 2,
    "sigmoid": lambda u, k: k * torch.sigmoid(k * u) * torch.sigmoid(-k * u), "boxcar": lambda u, k: 1.0 * (k * u.abs() < 0.5),
    "triangular": lambda u, k: (1 - k * u.abs()).clamp(min=0), "gaussian": lambda u, k: torch.exp(-(k * u) ** 2 / 2),
}


def test_the_picture_of_the_shape():
    noise, axis = torch.randn(20, 1, 200, generator=torch.Generator().manual_seed(0)), torch.linspace(-5, 2, 1401)
    edges = torch.linspace(-5, 2, 71)
    for picture, s in pictures("surrogate.shape"):
        def h(u, s=s):
            return FORMULAS[s["kind"]](u, s["slope"])
        _, mem = lif(s["spread"] * noise, 0.9, s["threshold"])
        u = mem[:, 0] - s["threshold"]                                                              # [T, N]
        share = [((u.clamp(-5, 2) >= low) & (u.clamp(-5, 2) < high)).float().mean() for low, high in
                 zip(edges, [*edges[1:-1], math.inf], strict=False)]
        picture.line("h", axis, h(axis), "vermillion", "--", label="surrogate h(u)", clipped=s["kind"] == "sigmoid")
        picture.stairs("share", share, edges, "blue", clipped=True)
        picture.band("window", axis, 0 * axis, 0.16 * (h(axis) > 0.01), "orange")
        picture.says("text", "shaded: h > 0.01\nreached neurons: {}%\npotentials that fire: {}%",
                     100 * (h(u) > 0.01).any(0).float().mean(), 100 * (u > 0).float().mean())


def test_the_picture_of_the_landscape():
    current, weights = torch.rand(20, generator=torch.Generator().manual_seed(0)), torch.linspace(0, 1, 201)
    for picture, s in pictures("surrogate.landscape"):
        w = torch.cat([weights, torch.tensor([s["weight"]])]).requires_grad_()
        mem = spk = count = torch.zeros(202)
        for x in current:
            mem = 0.9 * mem + w * x - spk.detach()
            spk = reference.spike(mem - 1, lambda u, s=s: FORMULAS[s["kind"]](u, s["slope"]))
            count = count + spk
        (lent,) = torch.autograd.grad(count.sum(), w)
        here, slope, count = count[-1].item(), lent[-1].item(), count.detach()[:-1]
        reach = 0.2 / math.hypot(1, slope / 9)                       # as long on the paper, whatever the slope
        ends = torch.tensor([s["weight"] - reach, s["weight"] + reach])
        picture.line("count", weights, count, "black", steps="steps-mid")
        picture.line("tangent", ends, here + slope * (ends - s["weight"]), "vermillion", "--", clipped=True)
        picture.points("point", [s["weight"]], [here], "blue")
        picture.line("slopes", weights, lent[:-1], "vermillion", "--", clipped=s["kind"] == "sigmoid")
        picture.points("slope_point", [s["weight"]], [min(slope, 58)], "blue", "o" if slope <= 58 else "^")
        picture.says("text", "surrogate slope {}", slope)
        picture.over("count", "tangent", "point")


def test_what_stands_behind_the_pictures():
    shape, landscape = background("surrogate.shape"), background("surrogate.landscape")
    shape.axes("0", "Step forward, curve backward", ("", -5, 2), ("spike, slope", -0.05, 1.6),
               legend=("spike S(u)", "surrogate h(u)"))
    shape.line("0.line0", [-5, 0, 0, 2], [0, 0, 1, 1], "black", label="spike S(u)")
    shape.axes("1", "", ("u = membrane potential - threshold", -5, 2), ("share of potentials", 0, 0.16))
    shape.rule("1.line0", "0.45", "--", x=0)
    landscape.axes("0", "The staircase", ("weight", 0, 1), ("spikes in 20 steps", -0.5, 9))
    landscape.axes("1", "Its slope", ("weight", 0, 1), ("d count / d weight", -2, 60))
    landscape.rule("1.line0", "black", y=0)
    landscape.says("1.text0", "true slope: 0 on every step", at=(0.98, 0))
    for behind in (shape, landscape):
        behind.done()
