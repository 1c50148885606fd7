"""Surrogates against their formulas and figures (F33 to F37)."""
import copy
import math
import pickle

import numpy as np
import pytest
import torch

from snnteach import surrogate as module
from snnteach.neurons import lif
from snnteach.surrogate import (
    atan,
    boxcar,
    describe,
    escape_noise,
    fast_sigmoid,
    gaussian,
    sigmoid,
    spike,
    straight_through,
    triangular,
    zero,
)

FLOAT = torch.float64
U = torch.linspace(-3, 3, 601, dtype=FLOAT)
FORMULAS = {
    "atan": (atan, lambda u, k: 1 / (1 + (math.pi * k * u) ** 2)),
    "fast_sigmoid": (fast_sigmoid, lambda u, k: 1 / (1 + k * u.abs()) ** 2),
    "sigmoid": (sigmoid, lambda u, k: k * torch.exp(-k * u) / (1 + torch.exp(-k * u)) ** 2),
    "triangular": (triangular, lambda u, k: torch.clamp(1 - k * u.abs(), min=0)),
    "boxcar": (boxcar, lambda u, k: (k * u.abs() < 0.5).to(u.dtype)),
    "gaussian": (gaussian, lambda u, k: torch.exp(-((k * u) ** 2) / 2)),
}


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("slope", [0.7, 1.0, 5.0, 25.0])
def test_autograd_gives_the_formula_and_the_forward_pass_is_the_step(name, slope):
    make, formula = FORMULAS[name]
    u = U.clone().requires_grad_()
    spk = spike(u, make(slope=slope))
    assert torch.equal(spk, (U > 0).to(FLOAT))
    upstream = torch.rand(U.shape, dtype=FLOAT, generator=torch.Generator().manual_seed(0))
    (grad,) = torch.autograd.grad(spk, u, upstream)
    assert torch.allclose(grad, upstream * formula(U, slope), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("h", "peak", "area", "fwhm"), [
    (atan(), 1, 1, 2 / math.pi), (atan(4.0), 1, 0.25, 1 / (2 * math.pi)), (atan(0.1), 1, 10, 20 / math.pi),
    (fast_sigmoid(25.0), 1, 2 / 25, 2 * (math.sqrt(2) - 1) / 25), (sigmoid(4.0), 1, 1, 3.5255 / 4),
    (sigmoid(25.0), 6.25, 1, 3.5255 / 25), (triangular(), 1, 1, 1), (boxcar(), 1, 1, 1),
    (gaussian(2.5), 1, math.sqrt(2 * math.pi) / 2.5, 2 * math.sqrt(2 * math.log(2)) / 2.5),
    (straight_through(), 1, math.inf, math.inf), (zero(), 0, 0, math.inf),
])
def test_peak_area_and_width(h, peak, area, fwhm):
    found = describe(h)
    assert found["peak"] == pytest.approx(peak, abs=1e-12)
    assert found["area"] == pytest.approx(area, rel=2e-4) and found["fwhm"] == pytest.approx(fwhm, rel=2e-4)


def test_zero_surrogate_stops_every_gradient():
    x = torch.rand(20, 2, 5, dtype=FLOAT).requires_grad_()
    (grad,) = torch.autograd.grad(lif(x, 0.9, surrogate=zero())[0].sum(), x)
    assert torch.equal(grad, torch.zeros_like(grad))


def test_boxcar_is_exactly_zero_outside_its_window():
    u = torch.tensor([-0.51, -0.49, 0.49, 0.51], dtype=FLOAT, requires_grad=True)
    (grad,) = torch.autograd.grad(spike(u, boxcar()).sum(), u)
    assert grad.tolist() == [0.0, 1.0, 1.0, 0.0]


def test_escape_noise_gradient_is_the_slope_of_its_mean():
    slope, samples = 3.0, 400_000
    for level in (-0.4, 0.0, 0.7):
        def mean(value):
            u = torch.full((samples,), value, dtype=FLOAT)
            return escape_noise(u, slope, torch.Generator().manual_seed(1)).mean().item()
        difference = (mean(level + 0.05) - mean(level - 0.05)) / 0.1           # common random numbers
        u = torch.full((1,), level, dtype=FLOAT, requires_grad=True)
        (grad,) = torch.autograd.grad(escape_noise(u, slope, torch.Generator().manual_seed(1)).sum(), u)
        assert grad.item() == pytest.approx(sigmoid(slope)(u).item()) == pytest.approx(difference, abs=0.02)
        assert mean(level) == pytest.approx(1 / (1 + math.exp(-slope * level)), abs=3e-3)


def test_the_surrogate_field_is_not_a_gradient():
    """F37: around a closed loop the surrogate 'gradient' of a two-neuron chain does not add up to zero."""
    h = sigmoid(3.0)
    angle = torch.linspace(0, 2 * math.pi, 200_001, dtype=FLOAT)[:-1]
    w1, w2 = 1 + 0.5 * torch.cos(angle), 1 + 0.5 * torch.sin(angle)
    first = (w1 > 1).to(FLOAT)
    field1 = h(w2 * first - 1) * w2 * h(w1 - 1)
    field2 = h(w2 * first - 1) * first
    step = 2 * math.pi / len(angle)
    integral = ((field1 * -0.5 * torch.sin(angle) + field2 * 0.5 * torch.cos(angle)) * step).sum().item()
    assert integral == pytest.approx(0.4696, abs=2e-4)
    true_gradient = ((2 * w1 * -0.5 * torch.sin(angle) + 2 * w2 * 0.5 * torch.cos(angle)) * step).sum().item()
    assert true_gradient == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("name", [*FORMULAS, "escape_noise"])
def test_slope_must_be_positive(name):
    make = getattr(module, name)
    with pytest.raises(ValueError, match=f"{name}: slope must be above 0 and at most 1e\\+15, got 0"):
        make(U, 0) if name == "escape_noise" else make(slope=0)
    with pytest.raises(TypeError, match="slope must be a number"):
        make(U, "steep") if name == "escape_noise" else make(slope="steep")


def test_surrogates_leave_their_argument_alone():
    for make in (*(make for make, _ in FORMULAS.values()), straight_through, zero):
        u = U.clone()
        make()(u)
        assert torch.equal(u, U)


@pytest.mark.parametrize("make", [atan, fast_sigmoid, sigmoid, triangular, boxcar, gaussian, straight_through, zero])
def test_surrogates_can_be_pickled_and_copied(make):
    for h in (make(), make(slope=3.0)) if make not in (straight_through, zero) else (make(),):
        for again in (pickle.loads(pickle.dumps(h)), copy.deepcopy(h)):
            assert torch.equal(again(U), h(U)) and repr(again) == repr(h)


def test_a_surrogate_shows_what_it_is():
    assert repr(atan()) == "atan(slope=1.0)" and repr(fast_sigmoid(np.float32(10))) == "fast_sigmoid(slope=10.0)"


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: spike(U * math.nan, atan()), ValueError, "spike: u holds NaN"),
    (lambda: spike(U.tolist(), atan()), TypeError, r"spike: u must be a torch.Tensor .*torch.tensor\(u\)"),
    (lambda: spike(U > 0, atan()), TypeError, r"spike: u must be floating point, got torch.bool.*u.float\(\)"),
    (lambda: spike(U, atan), TypeError, r"spike: h must return a tensor.*h=atan\(\)"),
    (lambda: spike(U, None), TypeError, "spike: h must be a function, got None"),
    (lambda: escape_noise(U * math.nan), ValueError, "escape_noise: u holds NaN"),
    (lambda: escape_noise(U, generator=3), TypeError, "escape_noise: generator must be a torch.Generator"),
    (lambda: describe(atan), TypeError, "describe: h must return a tensor"),
    (lambda: describe(lambda u: 1 / u.abs()), ValueError, r"describe: h must be finite at u = 0, got h\(0\) = inf"),
    (lambda: atan(torch.tensor(2.0)), TypeError, r"atan: slope must be a number, got a tensor. Pass slope.item\(\)"),
    (lambda: atan(math.inf), ValueError, "atan: slope must be above 0 and at most 1e.15, got inf"),
    (lambda: sigmoid("steep"), TypeError, "sigmoid: slope must be a number, got 'steep'"),
])
def test_bad_input_says_what_came(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_the_steepest_slope_is_still_finite_in_every_dtype():
    for dtype in (torch.float16, torch.bfloat16, torch.float32):
        for make in (atan, fast_sigmoid, triangular, boxcar, gaussian):
            assert not make(module.STEEPEST)(torch.tensor([0.0, 1e-3, 1.0], dtype=dtype))[[0]].isnan().any()


def test_a_neuron_without_a_threshold_stays_silent():
    assert spike(torch.tensor([0.5, 2.0]) - math.inf, atan()).sum() == 0


def test_rare_noise_is_as_rare_in_half_precision():
    for dtype in (torch.float16, torch.bfloat16):
        spk = escape_noise(torch.full((200_000,), -10.0, dtype=dtype), 1.0, torch.Generator().manual_seed(0))
        assert spk.dtype == dtype and spk.float().mean().item() == pytest.approx(1 / (1 + math.exp(10)), abs=5e-5)
