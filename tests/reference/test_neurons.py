"""lif against lif_step, against autograd, against closed forms (F3, F5, F7 to F10), and its errors."""
import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snnteach.networks import SpikingMLP
from snnteach.neurons import LIF, RESETS, first_spike_step, lif, lif_step
from snnteach.surrogate import atan, fast_sigmoid, spike, zero

FLOAT = torch.float64


def loop(x, beta, threshold, surrogate, reset, detach_reset, state):
    mem, spk = state
    spikes, membranes = [], []
    for x_t in x:
        spk, mem = lif_step(x_t, mem, spk, beta, threshold, surrogate=surrogate, reset=reset, detach_reset=detach_reset)
        spikes.append(spk)
        membranes.append(mem)
    return torch.stack(spikes), torch.stack(membranes)


def written_out(x, beta, threshold, surrogate, reset, detach_reset, state):
    """The equations of the design, once more and by hand, so that lif_step is tested too."""
    mem, spk = state
    spikes, membranes = [], []
    for x_t in x.unbind(0):
        gate = spk.detach() if detach_reset else spk
        mem = {"subtract": beta * mem + x_t - threshold * gate,
               "subtract_decayed": beta * (mem - threshold * gate) + x_t,
               "zero": beta * (1 - gate) * mem + x_t,
               "none": beta * mem + x_t}[reset]
        spk = spike(mem - threshold, surrogate)
        spikes.append(spk)
        membranes.append(mem)
    return torch.stack(spikes), torch.stack(membranes)


def gradients(run, inputs, used, generator):
    spk, mem = run()
    weights = torch.rand(2, *spk.shape, generator=generator, dtype=FLOAT)
    loss = {"both": (weights[0] * spk + weights[1] * mem).sum(), "spk": (weights[0] * spk).sum(),
            "mem": (weights[1] * mem**2).sum()}[used]
    found = torch.autograd.grad(loss, inputs, allow_unused=True)
    return spk, mem, [torch.zeros_like(i) if g is None else g for i, g in zip(inputs, found, strict=True)]


@pytest.mark.parametrize(("reset", "detach", "kind", "used"),
                         list(itertools.product(RESETS, (True, False), ("float", "scalar", "vector"), ("both", "spk", "mem"))))
def test_sequence_equals_steps_equals_autograd(reset, detach, kind, used):
    random = torch.Generator().manual_seed(3)
    x = (1.2 * torch.rand(25, 3, 4, generator=random, dtype=FLOAT)).requires_grad_()
    beta = {"float": 0.9, "scalar": torch.tensor(0.9, dtype=FLOAT, requires_grad=True),
            "vector": torch.linspace(0.5, 0.98, 4, dtype=FLOAT).requires_grad_()}[kind]
    mem0 = (2 * torch.rand(3, 4, generator=random, dtype=FLOAT)).requires_grad_()
    spk0 = (mem0.detach() > 1.3).to(FLOAT).requires_grad_()
    inputs = [x, mem0, spk0] + ([beta] if kind != "float" else [])
    surrogate = fast_sigmoid(3.0)
    found = []
    for run in (lambda: lif(x, beta, 1.3, surrogate=surrogate, reset=reset, detach_reset=detach, state=(mem0, spk0)),
                lambda: loop(x, beta, 1.3, surrogate, reset, detach, (mem0, spk0)),
                lambda: written_out(x, beta, 1.3, surrogate, reset, detach, (mem0, spk0))):
        found.append(gradients(run, inputs, used, torch.Generator().manual_seed(4)))
    spk, mem, grads = found[0]
    assert 0.05 < spk.mean() < 0.99 and sum(grad.abs().sum() for grad in grads) > 0.1
    for other_spk, other_mem, other_grads in found[1:]:
        assert torch.equal(spk, other_spk)
        assert torch.allclose(mem, other_mem, rtol=0, atol=1e-12)
        for grad, other in zip(grads, other_grads, strict=True):
            assert torch.allclose(grad, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("dtype", "shape", "reset", "detach"), [
    (torch.float32, (25, 128, 784), "subtract", True), (torch.float32, (25, 100, 784), "zero", True),
    (torch.float32, (25, 64, 1000), "none", True), (torch.float64, (11, 128, 784), "subtract_decayed", True),
    (torch.float64, (7, 128, 1000), "zero", False)])
def test_every_block_of_a_gradient_of_the_size_of_mnist(dtype, shape, reset, detach):
    """The backward pass takes 2^18 numbers at a time, some steps: here many blocks, the last of them shorter."""
    random = torch.Generator().manual_seed(0)
    x = (1.2 * torch.rand(shape, generator=random, dtype=dtype)).requires_grad_()
    beta = torch.linspace(0.5, 0.98, shape[2], dtype=dtype).requires_grad_()
    weights = torch.rand(shape, generator=random, dtype=dtype)
    rest, found = (torch.zeros(shape[1:], dtype=dtype),) * 2, []
    for run in (lambda: lif(x, beta, reset=reset, detach_reset=detach),
                lambda: written_out(x, beta, 1.0, atan(), reset, detach, rest)):
        spk, mem = run()
        found.append((spk, *torch.autograd.grad((weights * (spk + mem)).sum(), (x, beta))))
    (spk, grad, grad_beta), (other_spk, other, other_beta) = found
    same = (spk == other_spk).all(0)                     # float32: one neuron in millions may round across its threshold
    assert 0.1 < spk.mean() < 0.9 and (~same).sum() <= (0 if dtype == FLOAT else 5)
    exact = {"rtol": 1e-10, "atol": 1e-10} if dtype == FLOAT else {"rtol": 1e-3, "atol": 1e-5}
    wrong = ~torch.isclose(grad, other, **exact) & same
    assert not wrong.any(), f"steps {wrong.flatten(1).any(1).nonzero().flatten().tolist()}"
    assert torch.allclose(grad_beta, other_beta, rtol=max(exact["rtol"], 1e-9), atol=0)


def test_gradcheck_below_threshold():
    x = (0.05 * torch.rand(6, 2, 3, dtype=FLOAT)).requires_grad_()
    beta = torch.tensor(0.8, dtype=FLOAT, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, beta: lif(x, beta)[1], (x, beta))


@pytest.mark.parametrize("output", [0, 1])
def test_a_second_derivative_is_refused_rather_than_wrong(output):
    x = torch.rand(6, 2, 3, dtype=FLOAT).requires_grad_()
    (grad,) = torch.autograd.grad((lif(x, 0.9)[output] ** 2).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        grad.sum().backward()


def test_a_run_is_continued_where_it_stopped():
    x = torch.rand(30, 2, 5, dtype=FLOAT)
    for reset in RESETS:
        whole_spk, whole_mem = lif(x, 0.9, reset=reset)
        spk, mem = lif(x[:11], 0.9, reset=reset)
        later_spk, later_mem = lif(x[11:], 0.9, reset=reset, state=(mem[-1], spk[-1]))
        assert torch.equal(torch.cat([spk, later_spk]), whole_spk) and torch.equal(torch.cat([mem, later_mem]), whole_mem)


def count(reset, num_steps=100, current=0.3, beta=0.9):
    return int(lif(torch.full((num_steps, 1, 1), current, dtype=FLOAT), beta, reset=reset)[0].sum())


@pytest.mark.parametrize(("reset", "spikes"), [("subtract", 23), ("subtract_decayed", 25), ("zero", 25), ("none", 97)])
def test_counts_by_reset(reset, spikes):
    assert count(reset) == spikes


def test_the_papers_zero_reset_loses_the_input_of_the_step():
    mem, spk, total = 0.0, 0.0, 0
    for _ in range(100):
        mem = (1 - spk) * (0.9 * mem + 0.3)
        spk = float(mem > 1)
        total += int(spk)
    assert total == 20 != count("zero")


def test_spike_is_strictly_above_threshold():
    spk, _ = lif(torch.ones(1, 1, 1), beta=0.5)
    assert spk.item() == 0


def test_first_spike_step_predicts_the_simulation():
    cases = list(itertools.product((0.5, 0.819, 0.9, 0.95, 0.99), torch.linspace(0.013, 1.7, 60, dtype=FLOAT).tolist()))
    beta, current = torch.tensor(cases, dtype=FLOAT).T                                      # [300] each, one neuron a case
    spk, _ = lif(current.expand(800, 1, 300), beta)
    simulated = torch.where(spk.any(0), spk.argmax(0) + 1, math.inf)[0].tolist()
    predicted = [first_spike_step(value, decay) for decay, value in cases]
    assert simulated == predicted and 200 < sum(map(math.isfinite, predicted)) < 300
    assert first_spike_step(0.2, 0.819) == 12 and first_spike_step(0.21, 0.8) == 14
    assert first_spike_step(0.3, 1.0) == 4 and first_spike_step(1.2, 0.0) == 1


@pytest.mark.parametrize("beta", [0.9, torch.linspace(0, 1, 50, dtype=FLOAT)], ids=["one decay", "a decay a neuron"])
def test_balance_law_of_the_soft_reset(beta):
    """F7: what comes in leaves by the leak or by spikes, or is still there; no limit is needed to say it exactly."""
    x = 0.6 * torch.rand(400, 1, 50, generator=torch.Generator().manual_seed(0), dtype=FLOAT)
    spk, mem = lif(x, beta, 0.8)
    assert spk.mean() > 0.1
    assert torch.allclose(0.8 * spk[:-1].sum(0), x.sum(0) - (1 - beta) * mem[:-1].sum(0) - mem[-1], rtol=0, atol=1e-10)


def test_a_constant_current_locks_into_a_rhythm():
    spk, _ = lif(torch.full((500, 1, 1), 0.3, dtype=FLOAT), 0.9)
    assert spk[240:].sum() == 60 and spk[240:253].sum() == 3                       # locked: three spikes in thirteen steps


def test_decayed_reset_is_an_instantaneous_reset():
    x = 2 * torch.rand(500, 1, 7, dtype=FLOAT, generator=torch.Generator().manual_seed(0)) - 0.3
    after, spikes = torch.zeros(1, 7, dtype=FLOAT), []
    for x_t in x:                                   # charge, fire, subtract at once
        mem = 0.9 * after + x_t
        spk = (mem > 1).to(FLOAT)
        after = mem - spk
        spikes.append(spk)
    assert torch.equal(torch.stack(spikes), lif(x, 0.9, reset="subtract_decayed")[0])


@given(st.integers(20, 300), st.floats(0.011, 0.97))
@settings(max_examples=40, deadline=None)
def test_without_leak_the_count_is_the_charge(num_steps, current):
    charge = num_steps * current
    if abs(charge - round(charge)) < 1e-6:
        return
    # the reset acts one step late, so a spike may still be due at the last step: run one step more without input
    x = torch.full((num_steps, 1, 1), current, dtype=FLOAT)
    assert abs(int(lif(x, 1.0)[0].sum()) - math.floor(charge)) == 0
    half = (torch.full((1, 1), 0.5, dtype=FLOAT), torch.zeros(1, 1, dtype=FLOAT))
    assert abs(int(lif(x, 1.0, state=half)[0].sum()) - charge) <= 0.5 + 1e-9


def test_layer_learns_its_decay_and_stays_in_range():
    layer = LIF(beta=torch.tensor([0.5, 0.9]), learn_beta=True)
    optimiser = torch.optim.SGD(layer.parameters(), lr=10.0)
    for _ in range(20):
        _, mem = layer(torch.full((10, 1, 2), 0.05))
        optimiser.zero_grad()
        (-mem.sum()).backward()
        optimiser.step()
    assert bool((layer.beta > torch.tensor([0.5, 0.9])).all()) and bool((layer.beta < 1).all())
    assert not list(LIF(0.9).parameters())
    fixed = LIF(torch.tensor([0.5, 0.9]))
    assert "fixed_beta" in fixed.state_dict()


def test_bfloat_and_double_keep_their_dtype():
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        spk, mem = lif(torch.rand(3, 2, 2).to(dtype), 0.9)
        assert spk.dtype == mem.dtype == dtype


GOOD = torch.zeros(3, 2, 4)


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: lif(torch.zeros(128, 784), 0.9), ValueError,
     r"lif: x must be \[T, B, N\] \(time first\), got shape \(128, 784\). For one time step use lif_step"),
    (lambda: lif(torch.zeros(0, 2, 4), 0.9), ValueError, r"got shape \(0, 2, 4\)"),
    (lambda: lif(GOOD.long(), 0.9), TypeError, "floating point, got torch.int64"),
    (lambda: lif([[0.0]], 0.9), TypeError, "must be a torch.Tensor"),
    (lambda: lif(GOOD, 1.1), ValueError, "beta must be between 0 and 1, got 1.1"),
    (lambda: lif(GOOD, -0.1), ValueError, "beta must be between 0 and 1, got -0.1"),
    (lambda: lif(GOOD, torch.tensor([0.5, 0.5, 2.0, 0.1])), ValueError, "beta must be between 0 and 1"),
    (lambda: lif(GOOD, float("nan")), ValueError, "beta must be a number, got NaN"),
    (lambda: lif(GOOD, "0.9"), TypeError, "beta must be a number"),
    (lambda: lif(GOOD, 0.9, -1.0), ValueError, "threshold must be positive, got -1.0"),
    (lambda: lif(GOOD, 0.9, reset="hard"), ValueError, "reset must be one of 'subtract'.*got 'hard'"),
    (lambda: lif(GOOD / 0, 0.9), ValueError, "NaN or infinity"),
    (lambda: lif(GOOD, 0.9, state=(torch.zeros(4), torch.zeros(4))), ValueError, r"mem must be \(2, 4\).*got shape \(4,\)"),
    (lambda: lif_step(torch.zeros(4), torch.zeros(4), torch.zeros(4), 0.9), ValueError,
     r"x must be \[B, ...\], got shape \(4,\)"),
    (lambda: lif_step(GOOD[0] / 0, GOOD[0], GOOD[0], 0.9), ValueError, "NaN or infinity"),
    (lambda: lif(GOOD, torch.full((3,), 0.9)), ValueError, r"beta must be a number or \[N\] = \[4\].*got shape \(3,\)"),
    (lambda: lif(GOOD, 0.9, surrogate=atan), TypeError, r"must return a tensor.*as in surrogate=atan\(\)"),
    (lambda: lif(GOOD, 0.9, surrogate=zero), TypeError, r"must return a tensor.*as in surrogate=atan\(\)"),
    (lambda: lif(GOOD, 0.9, surrogate="atan"), TypeError,
     r"surrogate must be a function, got 'atan' \(str\).*surrogate=atan\(\)"),
    (lambda: LIF(surrogate=atan), TypeError, "LIF: surrogate must return a tensor"),
    (lambda: lif_step(GOOD[0], 0.0, GOOD[0], 0.9), TypeError, r"mem must be a torch.Tensor \(2, 4\), got float. Start with"),
    (lambda: lif_step(GOOD[0], GOOD[0], GOOD[0, :1], 0.9), ValueError,
     r"spk must be \(2, 4\) like one step.*got shape \(1, 4\)"),
    (lambda: LIF(beta=torch.tensor([1.0] * 500 + [-2.0])), ValueError, "between 0 and 1, got entries from -2 to 1.$"),
    (lambda: LIF(beta=1.0, learn_beta=True), ValueError, "strictly between 0 and 1"),
    (lambda: LIF(beta=2.0), ValueError, "LIF: beta must be between"),
    (lambda: LIF(threshold=0.0), ValueError, "threshold must be positive"),
    (lambda: first_spike_step(0.3, 1.5), ValueError, "beta must be at least 0 and at most 1, got 1.5"),
])
def test_bad_input_says_what_came(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("batch", [1, 2, 3, 7])
def test_a_state_that_is_no_pair_is_named_whatever_its_shape(batch):
    three = torch.zeros(3, 4), torch.zeros(1, 4), torch.zeros(7, 4)
    for state in (torch.zeros(batch, 4), three, three[:1], 0.0):
        with pytest.raises(TypeError, match=r"lif: state must be the pair \(mem, spk\), got .*state=\(mem\[-1\], spk\[-1\]\)"):
            lif(torch.zeros(3, batch, 4), 0.9, state=state)


def test_nan_in_one_step_is_found_at_the_end():
    for reset in RESETS:
        x = torch.zeros(50, 2, 4)
        x[7, 1, 2] = float("nan")
        with pytest.raises(ValueError, match="NaN"):
            lif(x, 0.9, reset=reset)


def test_default_surrogate_is_atan():
    x = torch.rand(5, 1, 2, dtype=FLOAT).requires_grad_()
    default, named = (torch.autograd.grad(lif(x, 0.9, **options)[0].sum(), x)[0] for options in ({}, {"surrogate": atan()}))
    assert torch.equal(default, named)


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_numpys_numbers_are_numbers(reset, kind):
    x, (beta, threshold), start = torch.rand(9, 2, 3), map(kind, (0.9, 1.1)), torch.zeros(2, 3)
    layer = LIF(beta, threshold, reset=reset)
    for found, wanted in ((lif(x, beta, threshold, reset=reset), lif(x, float(beta), float(threshold), reset=reset)),
                          (layer(x), lif(x, float(beta), float(threshold), reset=reset)),
                          (lif_step(x[0], start, start, beta, threshold, reset=reset),
                           lif_step(x[0], start, start, float(beta), float(threshold), reset=reset))):
        assert all(map(torch.equal, found, wanted)) and found[1].dtype == torch.float32
    assert first_spike_step(kind(0.3), kind(0.9)) == first_spike_step(0.3, float(kind(0.9)))


def test_a_large_layer_in_half_precision_is_not_infinite():
    spk, mem = lif(torch.full((5, 128, 1000), 0.6).half(), 0.9)
    assert mem.isfinite().all() and spk.dtype == torch.float16 and spk.float().mean().item() == pytest.approx(0.4)


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: lif(torch.rand(5, 0, 20), 0.9), ValueError, r"lif: x must be .* and not empty, got shape \(5, 0, 20\)"),
    (lambda: lif_step(torch.rand(0, 20), torch.rand(0, 20), torch.rand(0, 20), 0.9), ValueError,
     "lif_step: x must .*not empty"),
    (lambda: LIF()(torch.rand(5, 2, 0)), ValueError, "LIF: x must .*not empty"),
    (lambda: LIF()(torch.rand(5, 2)), ValueError, r"LIF: x must be \[T, B, N\] \(time first\), got shape \(5, 2\)"),
    (lambda: LIF()(GOOD / 0), ValueError, "LIF: the membrane holds NaN"),
    (lambda: LIF(torch.full((3,), 0.9))(GOOD), ValueError, r"LIF: beta must be a number or \[N\] = \[4\]"),
    (lambda: LIF()(GOOD, state=GOOD), TypeError, r"LIF: state must be the pair \(mem, spk\)"),
    (lambda: lif(GOOD, 0.9, torch.tensor(1.0)), TypeError,
     r"lif: threshold must be a number, got a tensor. Pass threshold.item"),
    (lambda: lif(GOOD, 0.9, detach_reset="no"), TypeError, "lif: detach_reset must be True or False, got 'no'"),
    (lambda: LIF(learn_beta=torch.ones(2)), TypeError, "LIF: learn_beta must be True or False, got a tensor"),
    (lambda: lif(GOOD.double(), 0.9, state=(GOOD[0], GOOD[0])), TypeError, "lif: mem is torch.float32 and x is torch.float64"),
    (lambda: lif(GOOD, 0.9, state=(GOOD[0], GOOD[0] > 0)), TypeError, r"lif: spk is torch.bool .*spk.to\(torch.float32\)"),
    (lambda: lif(GOOD, torch.full((4,), 0.9).double()), TypeError, "lif: beta is torch.float64 and x is torch.float32"),
    (lambda: lif(GOOD.numpy(), 0.9), TypeError, r"lif: x must be a torch.Tensor .*torch.from_numpy\(x\)"),
    (lambda: lif(GOOD.to(torch.uint8), 0.9), TypeError, "lif: x must be floating point, got torch.uint8. Divide .* x / 255"),
    (lambda: first_spike_step(torch.tensor(0.3), 0.9), TypeError, r"first_spike_step: current must be a number.*current.item"),
    (lambda: first_spike_step(math.nan, 0.9), ValueError, "first_spike_step: current must be a number, got NaN"),
    (lambda: first_spike_step(0.3, 0.9, math.inf), ValueError, "first_spike_step: threshold must be above 0, got inf"),
])
def test_what_users_hold_is_taken_or_named(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_layer_checks_its_constants_once():
    calls = []

    def surrogate(u):
        calls.append(u.shape)
        return torch.ones_like(u)

    layer = LIF(surrogate=surrogate)
    assert calls == [(1,)]
    for _ in range(3):
        layer(torch.rand(5, 2, 3))
    assert calls == [(1,)]
    lif(torch.rand(5, 2, 3), 0.9, surrogate=surrogate)
    assert calls == [(1,)] * 2


def test_a_readers_tensor_of_decays_is_neither_shared_nor_overwritten():
    beta = torch.tensor([0.9, 0.8])
    layers, other = [torch.nn.ModuleList([LIF(first), LIF(second)]) for first, second in (
        (beta, beta), (torch.tensor([0.1, 0.2]), torch.tensor([0.3, 0.4])))]
    layers.load_state_dict(other.state_dict())
    assert beta.tolist() == torch.tensor([0.9, 0.8]).tolist()
    assert torch.equal(layers[0].beta, other[0].beta) and torch.equal(layers[1].beta, other[1].beta)


def test_a_threshold_can_be_set_and_is_in_the_state_dict():
    source, target, x = LIF(threshold=10.0), LIF(), torch.rand(20, 2, 3)
    source.threshold = 0.1234567890123
    assert target.load_state_dict(source.state_dict()) and target.threshold == 0.1234567890123
    assert torch.equal(target(x)[0], source(x)[0]) and not torch.equal(target(x)[0], LIF()(x)[0])
    layers = torch.nn.Sequential(LIF(threshold=0.5), LIF(torch.tensor([0.5, 0.9]), threshold=0.7, learn_beta=True))
    old = {name: value for name, value in layers.state_dict().items() if "extra" not in name}       # of an earlier version
    assert list(old) == ["1.logit_beta"] and layers.load_state_dict(old) and [layer.threshold for layer in layers] == [0.5, 0.7]


def test_a_network_can_be_exported():
    torch.manual_seed(0)
    for options in ({}, {"learn_beta": True, "reset": "zero", "readout": "membrane"}):
        net, x = SpikingMLP((4, 5, 3), **options), 3 * torch.rand(6, 2, 4)
        program = torch.export.export(net, (torch.rand(6, 2, 4),), strict=False).module()
        for found, wanted in zip(program(x), net(x), strict=True):
            assert torch.equal(found.mem, wanted.mem) and (wanted.spk is None or torch.equal(found.spk, wanted.spk))
        assert net(x)[0].spk.sum() > 0
