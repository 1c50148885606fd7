"""Online rules against backpropagation through time (F40, F41), autograd and each other; what they store; the reservoir."""
import inspect
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snnteach.bptt import Weights, backward, forward, random_weights
from snnteach.online import Reservoir, cosine, eprop, ottt, rtrl
from snnteach.surrogate import atan, fast_sigmoid

FLOAT = torch.float64
BETA, BETA_OUT = 0.9, 0.8


def case(seed=0, gain=None, num_steps=30, batch=3, sizes=(5, 8, 2)):
    generator = torch.Generator().manual_seed(seed)
    weights, feedback = random_weights(generator, sizes, gain or 0.0, 2.0, FLOAT)
    x = (torch.rand(num_steps, batch, sizes[0], generator=generator) < 0.3).to(FLOAT)
    target = torch.randn(num_steps, batch, sizes[2], generator=generator, dtype=FLOAT)
    return x, weights if gain is not None else weights._replace(recurrent=None), target, feedback


def autograd(x, weights, target, beta=BETA, beta_out=BETA_OUT, **options):
    leaves = Weights(*(None if weight is None else weight.clone().requires_grad_() for weight in weights))
    run = forward(x, leaves, beta, beta_out, **options)
    assert run.spk.sum() > 20
    loss = ((run.out - target) ** 2).sum() / 2
    grads = iter(torch.autograd.grad(loss, [leaf for leaf in leaves if leaf is not None]))
    return Weights(*(None if leaf is None else next(grads) for leaf in leaves))


def apart(found, exact):
    assert (found.recurrent is None) == (exact.recurrent is None)
    return max(((a - b).abs().max() / b.abs().max()).item() for a, b in zip(found, exact, strict=True) if b is not None)


@pytest.mark.parametrize("gain", [None, 0.5, 1.5])
@pytest.mark.parametrize("detach_reset", [True, False])
@pytest.mark.parametrize("surrogate", [atan(), fast_sigmoid(5.0)])
def test_rtrl_is_bptt(gain, detach_reset, surrogate):
    for seed in range(2):
        x, weights, target, _ = case(seed, gain)
        options = {"surrogate": surrogate, "detach_reset": detach_reset}
        found = rtrl(x, weights, lambda out, t, y=target: out - y[t], BETA, BETA_OUT, **options)
        assert apart(found, autograd(x, weights, target, **options)) < 1e-9


def test_rtrl_with_a_decay_for_each_neuron_and_another_threshold():
    x, weights, target, _ = case(1, 0.7)
    beta = torch.linspace(0.5, 0.99, 8, dtype=FLOAT)
    for detach_reset in (True, False):
        found = rtrl(x, weights, lambda out, t: out - target[t], beta, BETA_OUT, 0.7, detach_reset=detach_reset)
        assert apart(found, autograd(x, weights, target, beta, threshold=0.7, detach_reset=detach_reset)) < 1e-9


@pytest.mark.parametrize("beta", [0.9, torch.linspace(0.5, 0.99, 8, dtype=FLOAT)], ids=["one decay", "a decay a neuron"])
@pytest.mark.parametrize("detach_reset", [True, False])
def test_eprop_is_bptt_without_recurrence(beta, detach_reset):
    for seed in range(3):
        x, weights, target, _ = case(seed)
        found = eprop(x, weights, lambda out, t, y=target: out - y[t], beta, BETA_OUT, detach_reset=detach_reset)
        assert apart(found, autograd(x, weights, target, beta, detach_reset=detach_reset)) < 1e-9


def test_eprop_is_bptt_where_recurrent_spikes_are_cut_from_the_graph():
    x, weights, target, _ = case(2, 0.8)
    leaves = Weights(*(weight.clone().requires_grad_() for weight in weights))
    mem, spk, out, loss = torch.zeros(3, 8, dtype=FLOAT), torch.zeros(3, 8, dtype=FLOAT), torch.zeros(3, 2, dtype=FLOAT), 0.0
    from snnteach.surrogate import spike
    for x_t, y_t in zip(x, target, strict=True):
        mem = BETA * mem + x_t @ leaves.hidden.T + spk.detach() @ leaves.recurrent.T - spk.detach()
        spk = spike(mem - 1.0, atan())
        out = BETA_OUT * out + spk @ leaves.output.T
        loss = loss + ((out - y_t) ** 2).sum() / 2
    exact = Weights(*torch.autograd.grad(loss, leaves))
    found = eprop(x, weights, lambda out, t: out - target[t], BETA, BETA_OUT)
    assert apart(found, exact) < 1e-9 and apart(found, autograd(x, weights, target)) > 0.1
    run = forward(x, weights, BETA, BETA_OUT)
    cut = backward(run, weights._replace(recurrent=0 * weights.recurrent), run.out - target, BETA, BETA_OUT)
    assert apart(found, cut) < 1e-9


def test_ottt_is_bptt_only_without_recurrence_and_without_a_memory_in_the_readout():
    x, weights, target, _ = case(3)
    def error(out, t):
        return out - target[t]
    assert apart(ottt(x, weights, error, BETA, 0.0), autograd(x, weights, target, beta_out=0.0)) < 1e-9
    assert apart(ottt(x, weights, error, BETA, 0.8), autograd(x, weights, target)) > 1e-2
    x, weights, target, _ = case(3, 0.8)
    assert apart(ottt(x, weights, error, BETA, 0.0), autograd(x, weights, target, beta_out=0.0)) > 1e-2
    assert apart(ottt(x, weights, error, BETA, 0.0), eprop(x, weights, error, BETA, 0.0)) < 1e-9


@pytest.mark.parametrize("rule", [eprop, ottt])
def test_feedback_takes_the_place_of_the_readout_weights(rule):
    x, weights, target, feedback = case(4, 0.3)
    def error(out, t):
        return out - target[t]
    plain = rule(x, weights, error, BETA, BETA_OUT)
    assert apart(rule(x, weights, error, BETA, BETA_OUT, feedback=weights.output), plain) == 0
    changed = rule(x, weights, error, BETA, BETA_OUT, feedback=feedback)
    assert apart(changed, plain) > 0.1 and torch.equal(changed.output, plain.output)
    flipped = rule(x, weights, error, BETA, BETA_OUT, feedback=-weights.output)
    assert torch.allclose(flipped.hidden, -plain.hidden) and cosine(flipped, plain) == pytest.approx(-1)


@pytest.mark.parametrize("rule", [rtrl, eprop, ottt])
def test_the_error_sees_the_outputs_of_the_network_in_their_order(rule):
    x, weights, _, _ = case(5, 0.5)
    seen = []
    def error(out, t):
        seen.append((t, out))
        return torch.zeros_like(out)
    grads = rule(x, weights, error, BETA, BETA_OUT)
    assert [t for t, _ in seen] == list(range(30)) and not any(grad.any() for grad in grads)
    assert torch.allclose(torch.stack([out for _, out in seen]), forward(x, weights, BETA, BETA_OUT).out, atol=1e-12)


@pytest.mark.parametrize("rule", [rtrl, eprop, ottt])
def test_updates_add_up_and_act_at_once(rule):
    x, weights, target, _ = case(6, 0.5)
    def error(out, t):
        return out - target[t]
    steps = []
    whole = rule(x, weights, error, BETA, BETA_OUT)
    assert apart(rule(x, weights, error, BETA, BETA_OUT, update=steps.append), whole) < 1e-12 and len(steps) == 30
    assert apart(Weights(*map(sum, zip(*steps, strict=True))), whole) < 1e-12
    differences = []
    for rate in (1e-6, 1e-7):
        moving = Weights(*(weight.clone() for weight in weights))
        def update(now, moving=moving, rate=rate):
            for weight, grad in zip(moving, now, strict=True):
                weight.sub_(rate * grad)
        rule(x, moving, error, BETA, BETA_OUT, update=update)
        moved = Weights(*((before - after) / rate for before, after in zip(weights, moving, strict=True)))
        differences.append(apart(moved, whole))
    assert 5 < differences[0] / differences[1] < 20 and differences[0] > 1e-6     # of the order of the rate


@pytest.mark.parametrize("rule", [rtrl, eprop, ottt])
def test_no_graph_is_kept_and_nothing_is_changed(rule):
    x, weights, target, _ = case(7, 0.5)
    leaves = Weights(*(weight.clone().requires_grad_() for weight in weights))
    copies = [value.clone() for value in (x, *weights)]
    grads = rule(x, leaves, lambda out, t: out - target[t], BETA, BETA_OUT)
    assert all(grad.grad_fn is None and not grad.requires_grad and grad.shape == weight.shape
               for grad, weight in zip(grads, weights, strict=True))
    assert all(torch.equal(*pair) for pair in zip(copies, (x, *leaves), strict=True))


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 8), st.integers(1, 3), st.integers(1, 4), st.integers(1, 5), st.integers(1, 3), st.booleans(),
       st.integers(0, 1000))
def test_shapes_and_the_order_of_the_approximations(num_steps, batch, inputs, hidden, outputs, recurrent, seed):
    x, weights, target, _ = case(seed, 0.9 if recurrent else None, num_steps, batch, (inputs, hidden, outputs))
    def error(out, t):
        return out - target[t]
    run = forward(x, weights, BETA, BETA_OUT)
    exact = backward(run, weights, run.out - target, BETA, BETA_OUT)
    found = [rule(x, weights, error, BETA, BETA_OUT) for rule in (rtrl, eprop, ottt)]
    for grads in found:
        assert [None if grad is None else grad.shape for grad in grads] == [
            None if weight is None else weight.shape for weight in weights]
        assert torch.allclose(grads.output, exact.output, atol=1e-9)
    assert torch.allclose(found[0].hidden, exact.hidden, atol=1e-9, rtol=1e-9)
    if num_steps == 1:
        assert all(torch.allclose(grads.hidden, exact.hidden, atol=1e-9) for grads in found)


@pytest.mark.parametrize(("change", "kind", "message"), [
    ({"beta": -0.1}, ValueError, "beta must be between 0 and 1"),
    ({"beta_out": 1.5}, ValueError, "beta_out must be between 0 and 1"),
    ({"threshold": 0.0}, ValueError, "threshold must be above 0"),
    ({"x": torch.zeros(4, 5)}, ValueError, "x must be"),
    ({"x": [1.0]}, TypeError, "x must be a torch.Tensor"),
    ({"x": torch.zeros(4, 2, 7, dtype=FLOAT)}, ValueError, "weights.hidden must be"),
    ({"error": lambda out, t: 1.0}, TypeError, r"what error returns must be a torch.Tensor \(3, 2\), got float"),
    ({"error": lambda out, t: out.sum(0)}, ValueError,
     r"what error returns must be \(3, 2\) like out \[B, O\], got shape \(2,\)"),
    ({"x": torch.full((4, 3, 5), torch.nan, dtype=FLOAT)}, ValueError, "NaN"),
    ({"error": None}, TypeError, r"error must be a function, got None \(NoneType\). Pass \(out, t\) -> dL / d out\[t\]"),
    ({"error": torch.zeros(4, 3, 2)}, TypeError, r"error must be a function, got a tensor of shape \(4, 3, 2\)"),
    ({"error": lambda out: out}, TypeError, "error must be a function of 2 arguments"),
    ({"error": atan}, TypeError, "error must be a function of 2 arguments"),
    ({"error": lambda out, t: out * torch.nan}, ValueError, "what error returns holds NaN or infinity. Look at the loss"),
    ({"error": lambda out, t: out.float()}, TypeError, "what error returns is torch.float32 and out is torch.float64"),
    ({"update": 3}, TypeError, "update must be a function, got 3"),
    ({"update": lambda: None}, TypeError, "update must be a function of 1 argument,"),
    ({"surrogate": atan}, TypeError, r"surrogate must return a tensor.*surrogate=atan\(\)"),
    ({"weights": None}, TypeError, r"weights must be Weights\(hidden, recurrent, output\), got NoneType"),
    ({"weights": Weights([[0.5]], None, [[1.0]])}, TypeError, r"weights.hidden .*got list. .*torch.tensor\(weights.hidden\)"),
    ({"x": torch.zeros(4, 3, 5)}, TypeError, "weights.hidden is torch.float64 and x is torch.float32"),
    ({"threshold": torch.tensor(1.0)}, TypeError, r"threshold must be a number, got a tensor. Pass threshold.item\(\)"),
])
@pytest.mark.parametrize("rule", [rtrl, eprop, ottt])
def test_bad_input_is_named(rule, change, kind, message):
    x, weights, _, _ = case(0, 0.5)
    arguments = {"x": x, "weights": weights, "error": lambda out, t: out, "beta": BETA, "beta_out": BETA_OUT, **change}
    with pytest.raises(kind, match=message) as caught:
        rule(**arguments)
    assert str(caught.value).startswith(f"{rule.__name__}: ")


def test_bad_feedback_and_decays_that_cannot_be_shared():
    x, weights, _, feedback = case(0, 0.5)
    for rule in (eprop, ottt):
        with pytest.raises(ValueError, match=rf"{rule.__name__}: feedback must be \(2, 8\) like weights.output"):
            rule(x, weights, lambda out, t: out, BETA, BETA_OUT, feedback=weights.output.T)
        with pytest.raises(TypeError, match=f"{rule.__name__}: beta_out must be a number"):
            rule(x, weights, lambda out, t: out, BETA, torch.full((2,), 0.5))
        for bad, error, words in ((feedback.float(), TypeError,
                                   "feedback is torch.float32 and weights.output is torch.float64"),
                                  (feedback * torch.nan, ValueError, "feedback holds NaN"),
                                  (feedback.tolist(), TypeError, r"feedback must be .*got list. .*torch.tensor\(feedback\)")):
            with pytest.raises(error, match=f"{rule.__name__}: {words}"):
                rule(x, weights, lambda out, t: out, BETA, BETA_OUT, feedback=bad)
    with pytest.raises(TypeError, match="ottt: beta must be a number"):
        ottt(x, weights, lambda out, t: out, torch.full((8,), 0.5), BETA_OUT)


def test_cosine():
    x, weights, _, _ = case(0, 0.5)
    other = weights._replace(hidden=2 * weights.hidden, recurrent=2 * weights.recurrent, output=-weights.output)
    assert cosine(weights, other) == pytest.approx(1)                    # neither length nor read-out count
    assert cosine(weights, weights._replace(hidden=-weights.hidden, recurrent=-weights.recurrent)) == pytest.approx(-1)
    one, other = (Weights(torch.tensor([[hidden]]), torch.tensor([[recurrent]]), torch.ones(1, 1))
                  for hidden, recurrent in ((3.0, 4.0), (12.0, -5.0)))
    assert cosine(one, other) == pytest.approx((36 - 20) / (5 * 13))


def test_an_influence_that_cannot_be_meant_is_refused_before_any_work():
    x, (weights, _) = torch.zeros(1, 64, 100), random_weights(torch.Generator(), (100, 500, 2), 1.0, 1.0)
    with pytest.raises(ValueError, match=r"rtrl: x \(1, 64, 100\) and 500 hidden .* Take smaller batches, or eprop"):
        rtrl(x, weights, lambda out, t: out, BETA, BETA_OUT)
    assert eprop(x, weights, lambda out, t: out, BETA, BETA_OUT).hidden.shape == (500, 100)


@pytest.mark.parametrize("rule", [rtrl, eprop, ottt])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_numpys_numbers_are_numbers(rule, kind):
    x, weights, target, _ = case(1, 0.5)
    x, weights, target = x.float(), Weights(*(weight.float() for weight in weights)), target.float()
    found, wanted = (rule(x, weights, lambda out, t: out - target[t], *numbers)
                     for numbers in ((kind(0.9), kind(0.8), kind(0.7)), map(float, (kind(0.9), kind(0.8), kind(0.7)))))
    assert all(map(torch.equal, found, wanted)) and found.hidden.dtype == torch.float32


@pytest.mark.parametrize(("change", "error", "words"), [
    (lambda good: None, TypeError, "other must be Weights"), (lambda good: good.hidden, TypeError, "other must be Weights"),
    (lambda good: good._replace(recurrent=None), ValueError,
     r"both have recurrent weights, or neither.*_replace\(recurrent=None"),
    (lambda good: Weights(*(weight.float() for weight in good)), TypeError, "other.hidden is torch.float32 and one.hidden is"),
    (lambda good: good._replace(hidden=good.hidden[:, :3]), ValueError, r"other.hidden must be \(8, 5\) like one.hidden"),
    (lambda good: good._replace(hidden=good.hidden * torch.nan), ValueError, "other.hidden holds NaN"),
])
def test_two_directions_that_cannot_be_compared(change, error, words):
    good = case(0, 0.5)[1]
    with pytest.raises(error, match=f"cosine: .*{words}"):
        cosine(good, change(good))
    small = Weights(torch.full((8, 5), 200.0).half(), None, torch.ones(1, 8).half())
    assert cosine(small, small) == pytest.approx(1)                      # the sum of squares is beyond half precision


@pytest.mark.parametrize(("sample", "error", "words"), [
    ((torch.zeros(4),), ValueError, "a sample must have 2 parts like those before, got 1"),
    ((), ValueError, "a sample must have at least one part"),
    ((torch.zeros(4), 3), TypeError, r"sample\[1\] must be a torch.Tensor .*torch.tensor\(label\)"),
    ((torch.zeros(5), torch.tensor(3)), ValueError, r"sample\[0\] must be \(4,\) like those before, got shape \(5,\)"),
    ((torch.zeros(4), torch.tensor(3.0)), TypeError,
     r"sample\[1\] is torch.float32 and that of the samples before is torch.int64"),
])
def test_a_reservoir_loses_no_label(sample, error, words):
    reservoir = Reservoir(np.int64(3), torch.Generator().manual_seed(0))
    reservoir.add(torch.zeros(4), torch.tensor(7))
    with pytest.raises(error, match=f"Reservoir: {words}"):
        reservoir.add(*sample)
    assert [part.tolist() for part in reservoir.draw(1)] == [[[0.0] * 4], [7]] and reservoir.seen == 1
    for count in (0, 2.5, None, 10**12):
        with pytest.raises(ValueError, match="Reservoir: count must be a whole number"):
            reservoir.draw(count)
    with pytest.raises(TypeError, match="Reservoir: generator must be a torch.Generator"):
        Reservoir(3, 0)


def times_kept(size, stream, rounds):
    """How often each number of a short stream is in the reservoir at its end."""
    kept, generator = torch.zeros(stream), torch.Generator().manual_seed(0)
    for _ in range(rounds):
        reservoir = Reservoir(size, generator)
        for number in range(stream):
            reservoir.add(torch.tensor(number))
        for (number,) in reservoir.samples:
            kept[number] += 1
    return kept


@pytest.mark.parametrize(("size", "stream", "rounds"), [(1, 2, 2000), (2, 3, 2000), (3, 7, 1500), (8, 40, 300)])
def test_a_reservoir_is_fair(size, stream, rounds):
    kept, chance = times_kept(size, stream, rounds), size / stream
    assert kept.sum() == rounds * size
    assert (kept / rounds - chance).abs().max() < 4.5 * (chance * (1 - chance) / rounds) ** 0.5


def test_a_reservoir_hands_back_whole_samples():
    reservoir = Reservoir(3, torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match="Reservoir: nothing to draw"):
        reservoir.draw(1)
    for number in range(20):
        reservoir.add(torch.full((4,), float(number)), torch.tensor(number))
    images, labels = reservoir.draw(50)
    assert images.shape == (50, 4) and torch.equal(images[:, 0], labels.float()) and len(labels.unique()) == 3
    assert len(reservoir.samples) == 3 and reservoir.seen == 20
    for size in (0, 2.5):
        with pytest.raises(ValueError, match="Reservoir: size must be a whole number of at least 1"):
            Reservoir(size)


PEAKS = """
import json, torch
from snnteach.bptt import Weights, backward, forward, random_weights
from snnteach.online import eprop, ottt

def peak():
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024

def bptt(x, weights, error, beta, beta_out):
    with torch.no_grad():
        run = forward(x, weights, beta, beta_out)
        backward(run, weights, run.out, beta, beta_out)

torch.set_num_threads(1)
weights, _ = random_weights(torch.Generator().manual_seed(0), (100, 200, 10), 0.5, 3.0)
x = torch.empty(1000, 16, 100).bernoulli_(0.05)
for rule in (eprop, ottt, bptt):                                # load libraries; and a little memory that all may use
    rule(x[:2], weights, lambda out, t: out, 0.9, 0.8)
found = {}
for rule in (eprop, ottt, bptt):
    found[rule.__name__] = [peak()]
    for num_steps in (50, 1000):
        rule(x[:num_steps], weights, lambda out, t: out, 0.9, 0.8)
        found[rule.__name__].append(peak())
print(json.dumps(found))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_of_the_forward_rules_does_not_grow_with_the_sequence():
    done = subprocess.run([sys.executable, "-c", PEAKS], capture_output=True, text=True, check=True)
    peaks = json.loads(done.stdout)                                      # megabytes: before, after 50 steps, after 1000
    for rule in ("eprop", "ottt"):
        assert peaks[rule][2] - peaks[rule][1] < 8, peaks                # one record of the hidden layer alone would be 13
    assert peaks["bptt"][2] - peaks["bptt"][1] > 25, peaks               # what must grow is seen to grow


def test_a_library_calls_truncated_bptt_rtrl():
    backprop = pytest.importorskip("snntorch.backprop")
    source = inspect.getsource(backprop.RTRL)
    assert "return TBPTT(" in source and "K=1" in source
