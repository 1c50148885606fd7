"""The layers of the zoo against their steps and written-out loops, closed forms (F12 to F14, F16 to F18), peers, and errors."""
import csv
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from snnteach.kernels import alpha_kernel, convolve, cuba_kernel
from snnteach.neurons import RESETS, lif
from snnteach.surrogate import atan, fast_sigmoid, spike
from snnteach.zoo import (
    adaptive_lif,
    adaptive_lif_step,
    alpha_lif,
    alpha_lif_step,
    cuba_lif,
    cuba_lif_step,
    recurrent_lif,
    recurrent_lif_step,
    refractory_lif,
)

FLOAT = torch.float64
H = fast_sigmoid(3.0)
TABLE = Path(__file__).parents[1] / "benchmarks" / "zoo_layers.csv"


def signal(seed, *shape, size=1.0):
    return size * torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=FLOAT)


def charge(x, mem, spk, beta, threshold, reset, detach):
    gate = spk.detach() if detach else spk
    return {"subtract": beta * mem + x - threshold * gate, "subtract_decayed": beta * (mem - threshold * gate) + x,
            "zero": beta * (1 - gate) * mem + x, "none": beta * mem + x}[reset]


def cuba(x, state, alpha, beta, **how):
    mem, spk, syn = state
    syn = alpha * syn + x
    mem = charge(syn, mem, spk, beta, **how)
    return spike(mem - how["threshold"], H), mem, syn


def alpha_function(x, state, tau, **how):
    mem, spk, syn = state
    lam = torch.exp(-1 / torch.as_tensor(tau, dtype=FLOAT))
    mem = charge(lam * math.e / tau * syn, mem, spk, lam, **how)
    return spike(mem - how["threshold"], H), mem, lam * syn + x


def recurrent(x, state, beta, weight, **how):
    mem, spk = state
    mem = charge(x + (spk * weight if weight.dim() == 1 else spk @ weight.T), mem, spk, beta, **how)
    return spike(mem - how["threshold"], H), mem


def adaptive(x, state, beta, rho, strength, weight=None, **how):
    mem, spk, ada = state
    ada = rho * ada + (1 - rho) * spk
    back = 0 if weight is None else spk * weight if weight.dim() == 1 else spk @ weight.T
    mem = charge(x + back, mem, spk, beta, **how)
    return spike(mem - how["threshold"] - strength * ada, H), mem, ada


def refractory(x, state, beta, rest, rho, strength, **how):
    mem, spk, ada, wait = state
    awake = (wait <= 0).to(x.dtype)
    ada = rho * ada + (1 - rho) * spk
    mem = awake * charge(x, mem, spk, beta, **how)
    spk = awake * spike(mem - how["threshold"] - strength * ada, H)
    return spk, mem, ada, (wait - 1).clamp(min=0) + rest * spk.detach()


def unrolled(step, x, state, *constants, **how):
    records = []
    for x_t in x:
        spk, mem, *more = step(x_t, state, *constants, **how)
        state = mem, spk, *more
        records.append((spk, mem, *more))
    return [torch.stack(record) for record in zip(*records, strict=True)]


def vector(low, high):
    return torch.linspace(low, high, 4, dtype=FLOAT)


def leaves(values):
    return [value.clone().requires_grad_() if isinstance(value, torch.Tensor) else value for value in values]


V1, V2 = vector(-0.4, 0.3), 0.6 * signal(9, 4, 4) - 0.3
LAYERS = {  # whole sequence, step, written out, states, constants, size of the input
    "cuba": (cuba_lif, cuba_lif_step, cuba, 3, (vector(0.5, 0.9), vector(0.6, 0.95)), 0.3),
    "cuba, numbers": (cuba_lif, cuba_lif_step, cuba, 3, (0.8, 0.9), 0.3),
    "alpha": (alpha_lif, alpha_lif_step, alpha_function, 3, (vector(1.5, 6.0),), 0.4),
    "alpha, number": (alpha_lif, alpha_lif_step, alpha_function, 3, (3.0,), 0.4),
    "one-to-one": (recurrent_lif, recurrent_lif_step, recurrent, 2, (vector(0.6, 0.95), V1), 1.2),
    "all-to-all": (recurrent_lif, recurrent_lif_step, recurrent, 2, (0.9, V2), 1.2),
    "adaptive": (adaptive_lif, adaptive_lif_step, adaptive, 3, (vector(0.6, 0.95), vector(0.9, 0.7), vector(0.5, 2.0)), 1.4),
    "adaptive, numbers": (adaptive_lif, adaptive_lif_step, adaptive, 3, (0.9, 0.95, 1.5), 1.4)}


def compare(found, inputs):
    (spk, *rest), grads = found[0][:-1], found[0][-1]
    assert 0.05 < spk.mean() < 0.97 and sum(grad.abs().sum() for grad in grads) > 0.1
    for other in found[1:]:
        assert torch.equal(spk, other[0])
        for one, two in zip(rest, other[1:-1], strict=True):
            assert torch.allclose(one, two, rtol=0, atol=1e-12)
        for one, two in zip(grads, other[-1], strict=True):
            assert torch.allclose(one, two, rtol=1e-10, atol=1e-10)


def gradients(records, inputs, parts):
    loss = sum(((part + 1) * torch.linspace(0.5, 1.5, len(records[part]), dtype=FLOAT)[:, None, None]
                * records[part]**(1 if part == 0 else 2)).sum() for part in parts)
    grads = torch.autograd.grad(loss, inputs, allow_unused=True)
    return [torch.zeros_like(value) if grad is None else grad for value, grad in zip(inputs, grads, strict=True)]


@pytest.mark.parametrize(("name", "reset", "detach"), list(itertools.product(LAYERS, RESETS, (True, False))))
def test_sequence_equals_steps_equals_the_equations(name, reset, detach):
    whole, step, equations, states, constants, size = LAYERS[name]
    constants, x = leaves(constants), signal(0, 25, 3, 4, size=size).requires_grad_()
    state = leaves([signal(1 + part, 3, 4) for part in range(states)])
    with torch.no_grad():
        state[1].copy_(state[0] > 0.7)
    inputs = [x, *state, *(value for value in constants if isinstance(value, torch.Tensor))]
    how, found = {"threshold": 1.1, "reset": reset}, []

    def one_step(x_t, before, *rest, **options):
        return step(x_t, *before, *rest, **options)

    for parts in (range(states), (0,), (1,)) if detach else (range(states),):
        found = []
        for records in (whole(x, *constants, 1.1, surrogate=H, reset=reset, detach_reset=detach, state=tuple(state)),
                        unrolled(one_step, x, state, *constants, **how, surrogate=H, detach_reset=detach),
                        unrolled(equations, x, state, *constants, **how, detach=detach)):
            found.append((*records, gradients(records, inputs, parts)))
        compare(found, inputs)


@pytest.mark.parametrize(("weight", "reset", "detach"), list(itertools.product((V1, V2), RESETS, (True, False))))
def test_an_adaptive_layer_with_a_loop_equals_its_equations(weight, reset, detach):
    x, weight = signal(0, 25, 3, 4, size=1.4).requires_grad_(), weight.clone().requires_grad_()
    rho, zero = vector(0.7, 0.9).requires_grad_(), (torch.zeros(3, 4, dtype=FLOAT),) * 3
    found = []
    for records in (adaptive_lif(x, 0.9, rho, 1.5, recurrent=weight, surrogate=H, reset=reset, detach_reset=detach),
                    unrolled(adaptive, x, zero, 0.9, rho, 1.5, weight, threshold=1.0, reset=reset, detach=detach)):
        found.append((*records, gradients(records, [x, weight, rho], range(3))))
    compare(found, [x, weight, rho])


@pytest.mark.parametrize(("rest", "reset", "detach"), list(itertools.product((0, 1, 3), RESETS, (True, False))))
def test_a_neuron_that_rests_equals_its_equations(rest, reset, detach):
    x, beta, strength = signal(0, 40, 3, 4, size=1.6).requires_grad_(), vector(0.6, 0.95).requires_grad_(), vector(0, 2)
    strength.requires_grad_()
    zero, found = (torch.zeros(3, 4, dtype=FLOAT),) * 4, []
    for records in (refractory_lif(x, beta, rest, rho=0.9, strength=strength, surrogate=H, reset=reset, detach_reset=detach),
                    unrolled(refractory, x, zero, beta, rest, 0.9, strength, threshold=1.0, reset=reset, detach=detach)):
        found.append((*records, gradients(records[:3], [x, beta, strength], range(3))))
    compare(found, [x, beta, strength])


@pytest.mark.parametrize("name", ["cuba", "alpha", "one-to-one", "adaptive"])
def test_a_run_is_continued_where_it_stopped(name):
    whole, _, _, _, constants, size = LAYERS[name]
    x = signal(3, 30, 2, 4, size=size)
    spk, mem, *more = whole(x, *constants)
    early_spk, early_mem, *early = whole(x[:11], *constants)
    late_spk, late_mem, *_ = whole(x[11:], *constants, state=(early_mem[-1], early_spk[-1], *(part[-1] for part in early)))
    assert torch.equal(torch.cat([early_spk, late_spk]), spk) and torch.allclose(torch.cat([early_mem, late_mem]), mem)
    parts = refractory_lif(4 * x, 0.9, 3)
    early = refractory_lif(4 * x[:11], 0.9, 3)
    late = refractory_lif(4 * x[11:], 0.9, 3, state=[early[place][-1] for place in (1, 0, 2, 3)])
    assert torch.equal(torch.cat([early[0], late[0]]), parts[0]) and parts[0].sum() > 20


def test_kernels_are_what_one_spike_leaves():
    pulse = torch.zeros(60, 1, 1, dtype=FLOAT)
    pulse[0] = 1
    n = torch.arange(60, dtype=FLOAT)
    for alpha, beta in ((0.9, 0.8), (0.8, 0.9), (0.8, 0.7), (0.6, 0.95)):                        # F12
        mem = cuba_lif(pulse, alpha, beta, reset="none")[1].flatten()
        assert torch.allclose(mem, (alpha**(n + 1) - beta**(n + 1)) / (alpha - beta), rtol=0, atol=1e-13)
        assert torch.allclose(cuba_kernel(alpha, beta, 60).double(), mem, atol=1e-6)
    assert torch.allclose(cuba_lif(pulse, 0.9, 0.9, reset="none")[1].flatten(), (n + 1) * 0.9**n, atol=1e-13)
    assert cuba_kernel(0.9, 0.8, 400).sum().item() == pytest.approx(50, rel=1e-5)
    peak = math.log(math.log(0.7) / math.log(0.8)) / math.log(0.8 / 0.7)
    assert int(cuba_kernel(0.8, 0.7, 60).argmax()) == 3 and 3 <= peak < 4
    for tau in (1.0, 3.0, 5.0):                                                                  # F13
        mem = alpha_lif(pulse, tau, reset="none")[1].flatten()
        assert torch.allclose(mem, n / tau * torch.exp(1 - n / tau), rtol=0, atol=1e-12)
    x = (signal(5, 200, 2, 3) < 0.1).to(FLOAT)
    for kernel, layer in ((alpha_kernel(5.0, 200), lambda x: alpha_lif(x, 5.0, reset="none")),
                          (cuba_kernel(0.9, 0.8, 200), lambda x: cuba_lif(x, 0.9, 0.8, reset="none"))):
        assert torch.allclose(convolve(x, kernel.double()), layer(x)[1], atol=1e-6)
    coincident = torch.zeros(10, 1, 1)                                                           # F16
    for lag in range(1, 7):
        pair = torch.zeros(10, 1, 1)
        pair[0] = pair[lag] = 0.6
        assert bool(lif(pair, 0.9)[0].any()) == (lag <= math.log(0.4 / 0.6) / math.log(0.9)) == (lag <= 3)
    assert not lif(coincident, 0.9)[0].any()


def test_activity_goes_on_above_a_critical_weight():                                              # F17
    for beta, threshold in itertools.product((0.5, 0.8, 0.9), (0.5, 1.0)):
        kick = torch.zeros(400, 1, 2, dtype=FLOAT)
        kick[0] = 3 * threshold
        weights = torch.tensor([0.99, 1.01], dtype=FLOAT) * threshold * (2 - beta)
        assert recurrent_lif(kick, beta, weights, threshold)[0][-1].flatten().tolist() == [0, 1]


@pytest.mark.parametrize(("reset", "rho"), list(itertools.product(("subtract", "zero"), (0.9, 0.98))))
def test_the_mean_adaptation_is_the_rate(reset, rho):                                             # F18
    spk, mem, ada = adaptive_lif(torch.full((6000, 1, 1), 0.4, dtype=FLOAT), 0.9, rho, 3.0, reset=reset)
    assert ada[2000:].mean().item() == pytest.approx(spk[2000:].mean().item(), rel=0.01)
    first = int(spk.flatten().argmax())
    assert ada[first + 1].item() == pytest.approx(1 - rho) and ada[first + 2].item() == pytest.approx(rho * (1 - rho))
    assert bool((spk == (mem > 1 + 3 * ada)).all())


def test_the_dead_time_caps_the_rate():                                                           # F6
    for rest in (0, 1, 4):
        rate = refractory_lif(torch.full((1000, 1, 1), 9.0), 0.9, rest)[0].mean().item()
        assert rate == pytest.approx(1 / (rest + 1), abs=2e-3)
    beta = math.exp(-0.5 / 20)
    for level in (1.5, 3.0):
        spk = refractory_lif(torch.full((8000, 1, 1), level * (1 - beta), dtype=FLOAT), beta, 10, reset="zero")[0]
        climb = math.ceil(math.log(1 - 1 / level) / math.log(beta))                # steps to threshold, a whole number
        assert spk.mean().item() == pytest.approx(1 / (10 + climb), rel=0.01)
        law = 1 / (5 + 20 * math.log(level / (level - 1)))                         # per ms
        assert 2 * spk.mean().item() == pytest.approx(law, rel=0.04)


def test_without_what_is_added_each_layer_is_the_lif():
    x = signal(6, 40, 3, 4, size=0.8)
    for reset in RESETS:
        spk, mem = lif(x, 0.9, reset=reset)
        for records in (cuba_lif(x, 0.0, 0.9, reset=reset), recurrent_lif(x, 0.9, 0 * V1, reset=reset),
                        recurrent_lif(x, 0.9, 0 * V2, reset=reset), adaptive_lif(x, 0.9, 0.9, 0.0, reset=reset),
                        refractory_lif(x, 0.9, 0, reset=reset)):
            assert torch.equal(records[0], spk) and torch.allclose(records[1], mem, atol=1e-12)
    bill = recurrent_lif(x, 0.9, torch.full((4,), -0.5, dtype=FLOAT))[0]           # a spike with another price
    mem, spk = (torch.zeros(3, 4, dtype=FLOAT),) * 2
    for t, x_t in enumerate(x):
        mem = 0.9 * mem + x_t - 1.5 * spk
        spk = (mem > 1).to(FLOAT)
        assert torch.equal(spk, bill[t])


def test_spikes_are_those_of_snntorch():
    snn = pytest.importorskip("snntorch")
    x = 0.4 * torch.rand(40, 3, 5, generator=torch.Generator().manual_seed(0))
    layer = snn.Synaptic(alpha=0.8, beta=0.9)
    syn, mem = layer.reset_mem()
    for t, record in enumerate(zip(*cuba_lif(x, 0.8, 0.9), strict=True)):
        spk, syn, mem = layer(x[t], syn, mem)
        assert torch.equal(spk, record[0]) and torch.allclose(mem, record[1], atol=1e-5)
    weight = 0.2 * torch.randn(5, 5, generator=torch.Generator().manual_seed(1))
    layer = snn.RLeaky(beta=0.9, linear_features=5)
    with torch.no_grad():
        layer.recurrent.weight.copy_(weight)
        layer.recurrent.bias.zero_()
    spk, mem = layer.reset_mem()
    for t, record in enumerate(zip(*recurrent_lif(x, 0.9, weight), strict=True)):
        spk, mem = layer(x[t], spk, mem)
        assert torch.equal(spk, record[0]) and torch.allclose(mem, record[1], atol=1e-5)
    layer = snn.RLeaky(beta=0.9, all_to_all=False, V=weight[0])
    spk, mem = layer.reset_mem()
    for t, record in enumerate(zip(*recurrent_lif(x, 0.9, weight[0]), strict=True)):
        spk, mem = layer(x[t], spk, mem)
        assert torch.equal(spk, record[0])


def test_snntorchs_alpha_is_a_current_based_neuron_a_step_late():                                 # F14
    snn = pytest.importorskip("snntorch")
    x = 0.4 * torch.rand(60, 3, 5, generator=torch.Generator().manual_seed(0))
    layer = snn.Alpha(alpha=0.8, beta=0.7, reset_mechanism="none")
    state, theirs = layer.reset_mem(), []
    for x_t in x:
        spk, *state = layer(x_t, *state)
        theirs.append((spk, state[2]))
    scale = math.log(0.7) / (math.log(0.7) - math.log(0.8)) * 0.1                   # tau_alpha * (alpha - beta)
    late = scale * torch.cat([torch.zeros_like(x[:1]), x[:-1]])
    spk, mem, _ = cuba_lif(late, 0.8, 0.7, reset="none")
    spikes, membranes = map(torch.stack, zip(*theirs, strict=True))
    assert scale / 0.1 == pytest.approx(2.6711, abs=1e-4) and 0.05 < spk.mean() < 0.95
    assert torch.equal(spk, spikes) and torch.allclose(mem, membranes, atol=1e-5)
    kernel = scale * cuba_kernel(0.8, 0.7, 20)
    assert kernel.max().item() == pytest.approx(0.4527, abs=1e-4) and int(kernel.argmax()) + 1 == 4
    layer = snn.Alpha(alpha=0.8, beta=0.7, reset_mechanism="subtract")              # the documented difference: the bill goes
    state, seen = layer.reset_mem(), []                                             # to the exciting current
    for _ in range(60):
        spk, *state = layer(torch.full((1, 1), 0.8), *state)
        seen.append(state[2].item())
    ours = alpha_lif(torch.full((60, 1, 1), 0.8), 3.0)[1]
    assert min(seen) < -0.5 and ours.min() >= 0


def test_norses_neurons_are_ours_with_scaled_input_and_eulers_decay():
    """LIF: the membrane reads the new current; LSNN: that of the step before. The jump of LSNN's threshold has decayed once."""
    norse = pytest.importorskip("norse.torch")
    x = 2 * torch.rand(80, 2, 3, generator=torch.Generator().manual_seed(0), dtype=FLOAT)
    dt, mem_inv, syn_inv, b_inv = (torch.tensor(value, dtype=FLOAT) for value in (0.001, 100.0, 200.0, 20.0))
    leak, fade, rho = (1 - dt * value for value in (mem_inv, syn_inv, b_inv))
    one, nought = torch.ones((), dtype=FLOAT), torch.zeros((), dtype=FLOAT)
    shared = {"tau_mem_inv": mem_inv, "tau_syn_inv": syn_inv, "v_th": one, "v_leak": nought, "v_reset": nought}
    lif_cell = norse.LIFCell(p=norse.LIFParameters(**shared), dt=dt)
    lsnn_cell = norse.LSNNCell(p=norse.LSNNParameters(**shared, tau_adapt_inv=b_inv, beta=1.8 * one), dt=dt)
    found = []
    for cell in (lif_cell, lsnn_cell):
        state, spikes = None, []
        for x_t in x:
            spk, state = cell(x_t, state)
            spikes.append(spk.detach())
        found.append(torch.stack(spikes))
    spk, _, syn = cuba_lif(dt * mem_inv * x, fade, leak, reset="zero")
    late = torch.cat([0 * syn[:1], syn[:-1]])
    tired, *_ = adaptive_lif(late, leak, rho, 1.8 * rho / (1 - rho), reset="zero")
    assert 0.05 < tired.mean() < spk.mean() < 0.9
    assert torch.equal(found[0], spk) and torch.equal(found[1], tired)


REFUSED = [
    (lambda: cuba_lif(torch.ones(5, 3), 0.9, 0.9), ValueError, r"^cuba_lif: x must be \[T, B, N\]"),
    (lambda: cuba_lif(torch.ones(5, 1, 3), 1.1, 0.9), ValueError, "^cuba_lif: alpha must be between 0 and 1"),
    (lambda: cuba_lif(torch.ones(5, 1, 3), 0.9, np.ones(3)), TypeError, "^cuba_lif: beta must be"),
    (lambda: cuba_lif(torch.ones(5, 1, 3), 0.9, 0.9, state=(torch.zeros(1, 3),) * 2), TypeError,
     r"^cuba_lif: state must be the 3 tensors \(mem, spk, syn\), got tuple\. Continue a run with state="),
    (lambda: cuba_lif_step(torch.ones(1, 3), *(torch.zeros(1, 2),) * 3, 0.9, 0.9), ValueError, "^cuba_lif_step: mem must be"),
    (lambda: cuba_lif_step(torch.ones(3), *(torch.zeros(3),) * 3, 0.9, 0.9), ValueError, r"use cuba_lif\."),
    (lambda: alpha_lif(torch.ones(5, 1, 3), 0.0), ValueError, "^alpha_lif: tau must be positive"),
    (lambda: alpha_lif(torch.ones(5, 1, 3), torch.ones(2)), ValueError, r"^alpha_lif: tau must be a number or \[N\]"),
    (lambda: recurrent_lif(torch.ones(5, 1, 3), 0.9, torch.ones(2)), ValueError, r"^recurrent_lif: recurrent must be \[3\]"),
    (lambda: recurrent_lif(torch.ones(5, 1, 3), 0.9, 1.0), TypeError, "^recurrent_lif: recurrent must be a torch.Tensor"),
    (lambda: recurrent_lif(torch.ones(5, 1, 3), 0.9, torch.ones(3).double()), TypeError, "recurrent is torch.float64"),
    (lambda: adaptive_lif(torch.ones(5, 1, 3), 0.9, 1.5, 1.0), ValueError, "^adaptive_lif: rho must be between"),
    (lambda: adaptive_lif(torch.ones(5, 1, 3), 0.9, 0.9, math.inf), ValueError, "^adaptive_lif: strength must be finite"),
    (lambda: adaptive_lif(torch.ones(5, 1, 3), 0.9, 0.9, 1.0, surrogate=atan), TypeError, "surrogate=atan"),
    (lambda: adaptive_lif(torch.ones(5, 1, 3), 0.9, 0.9, 1.0, reset="hard"), ValueError, "^adaptive_lif: reset must be one of"),
    (lambda: refractory_lif(torch.ones(5, 1, 3), 0.9, 2.5), ValueError, "refractory must be a whole number of at least 0"),
    (lambda: refractory_lif(torch.full((5, 1, 3), math.nan), 0.9, 2), ValueError, "the membrane holds NaN")]


@pytest.mark.parametrize(("call", "error", "words"), REFUSED)
def test_what_is_refused_and_why(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_numbers_of_numpy_are_taken():
    x = torch.rand(5, 2, 3)
    assert torch.equal(cuba_lif(x, np.float32(0.5), np.float64(0.5))[0], cuba_lif(x, 0.5, 0.5)[0])
    assert torch.equal(refractory_lif(x, np.float64(0.5), np.int64(2))[0], refractory_lif(x, 0.5, 2)[0])


def test_the_table_of_speed_keeps_its_promise():
    """Three times as fast as snnTorch's equivalent without recurrence, twice with it; one size is bound by its products."""
    rows = list(csv.DictReader(TABLE.open()))
    ratios = {row["layer"]: float(row["ratio"]) for row in rows}
    for row in rows:
        assert float(row["ratio"]) == pytest.approx(float(row["snntorch_ms"]) / float(row["snnteach_ms"]), rel=0.01)
    assert len(ratios) == 7 and ratios.pop("spiking LSTM of 100, batch 128") > 1.5
    assert min(ratios.values()) >= 2 and min(ratios["current-based"], ratios["alpha"]) >= 3
