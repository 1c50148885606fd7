"""Backpropagation through time by hand: F38, F39, F42, the Jacobian of one step, random weights, and bad input."""
import itertools
import math

import numpy as np
import pytest
import torch

from snnteach.bptt import Run, Weights, backward, forward, influence_matrix, random_weights, step_jacobian
from snnteach.neurons import lif
from snnteach.surrogate import atan, fast_sigmoid

FLOAT = torch.float64


def network(seed=0, inputs=6, hidden=7, outputs=3, recurrent=True):
    random = torch.Generator().manual_seed(seed)
    def normal(*shape):
        return torch.randn(*shape, generator=random, dtype=FLOAT)
    weights = Weights(0.6 * normal(hidden, inputs), 0.4 * normal(hidden, hidden) if recurrent else None,
                      normal(outputs, hidden))
    return weights, (torch.rand(30, 4, inputs, generator=random) < 0.4).to(FLOAT), normal(30, 4, outputs)


def by_autograd(weights, x, target, *arguments, **options):
    leaves = Weights(*(None if weight is None else weight.clone().requires_grad_() for weight in weights))
    run = forward(x, leaves, *arguments, **options)
    ((run.out - target) ** 2 / 2).sum().backward()
    return Run(*(record.detach() for record in run)), [None if leaf is None else leaf.grad for leaf in leaves]


@pytest.mark.parametrize("recurrent", [True, False])
@pytest.mark.parametrize("detach_reset", [True, False])
@pytest.mark.parametrize("surrogate", [atan(), fast_sigmoid(5.0)])
@pytest.mark.parametrize("beta", [0.9, torch.linspace(0.5, 0.99, 7, dtype=FLOAT)])
def test_every_gradient_is_autograds(recurrent, detach_reset, surrogate, beta):
    weights, x, target = network(recurrent=recurrent)
    options = {"surrogate": surrogate, "detach_reset": detach_reset}
    run, expected = by_autograd(weights, x, target, beta, 0.8, 1.1, **options)
    assert 0.05 < run.spk.mean() < 0.95
    found = backward(run, weights, run.out - target, beta, 0.8, 1.1, **options)
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            assert theirs.abs().max() > 0 and (ours - theirs).abs().max() <= 1e-10 * theirs.abs().max()


def test_the_two_resets_and_the_recurrence_change_the_gradient():
    weights, x, target = network()
    run = forward(x, weights, 0.9, 0.8)
    detached, attached = (backward(run, weights, run.out - target, 0.9, 0.8, detach_reset=detach) for detach in (True, False))
    assert torch.cosine_similarity(detached.hidden.flatten(), attached.hidden.flatten(), 0) < 0.99


def test_without_recurrence_the_hidden_layer_is_lif():
    weights, x, _ = network(recurrent=False)
    run = forward(x, weights, 0.9, 0.8, 1.1)
    spk, mem = lif(x @ weights.hidden.T, 0.9, 1.1)
    assert torch.equal(run.spk, spk) and torch.allclose(run.mem, mem, atol=1e-12)
    kernel = influence_matrix(30, 0.8)                                                # the read-out is a filter of the spikes
    assert torch.allclose(run.out, torch.einsum("ts,sbh->tbh", kernel, spk @ weights.output.T), atol=1e-12)


@pytest.mark.parametrize("recurrent", [True, False])
def test_truncation_keeps_exactly_the_paths_inside_the_window(recurrent):
    weights, x, target = network(inputs=7, recurrent=recurrent)
    weights = weights._replace(hidden=torch.eye(7, dtype=FLOAT))                     # so that dL/dx[s] is dL/dmem[s]
    run = forward(x, weights, 0.9, 0.8)
    error = run.out - target
    blame = torch.zeros(30, 30, 4, 7, dtype=FLOAT)                                   # [t, s, B, H]: error at t, weights at s
    for t in range(30):
        leaf = x.clone().requires_grad_()
        alone = torch.zeros_like(error)
        alone[t] = error[t]
        (forward(leaf, weights, 0.9, 0.8).out * alone).sum().backward()
        blame[t] = leaf.grad
    lag = torch.arange(30)[:, None] - torch.arange(30)
    for window in (1, 2, 7, 30, 99):
        inside = blame * ((lag >= 0) & (lag < window))[..., None, None]
        expected = torch.einsum("tsbh,sbi->hi", inside, x)
        found = backward(run, weights, error, 0.9, 0.8, truncation=window).hidden
        assert torch.allclose(found, expected, rtol=1e-10, atol=1e-10), window
    whole, exact = (backward(run, weights, error, 0.9, 0.8, truncation=window) for window in (30, None))
    assert all(torch.allclose(a, b, atol=1e-12) for a, b in zip(whole, exact, strict=True) if a is not None)
    immediate = torch.einsum("tbh,tbi->hi", atan()(run.mem - 1) * (error @ weights.output), x)
    assert torch.allclose(backward(run, weights, error, 0.9, 0.8, truncation=1).hidden, immediate, atol=1e-12)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 1.0])
def test_the_influence_of_the_past_falls_by_beta_a_step(beta):
    matrix = influence_matrix(12, beta)
    for t, s in itertools.product(range(12), repeat=2):
        assert matrix[t, s].item() == pytest.approx(beta ** (t - s) if t >= s else 0.0, abs=1e-15)
    x = torch.rand(12, 1, 1, generator=torch.Generator().manual_seed(1), dtype=FLOAT).requires_grad_()
    spk, mem = lif(x, beta)
    rows = torch.stack([torch.autograd.grad(potential, x, retain_graph=True)[0].flatten() for potential in mem.flatten()])
    assert spk.sum() > 0 or beta == 0
    assert torch.allclose(rows, matrix, atol=1e-12)


@pytest.mark.parametrize("detach_reset", [True, False])
def test_the_jacobian_of_a_step_is_autograds(detach_reset):
    weights, x, _ = network()
    run = forward(x, weights, 0.9, 0.8, 1.3)
    def next_mem(mem):
        spk = (mem > 1.3).to(FLOAT)
        lent = atan()(mem.detach() - 1.3) * (mem - mem.detach())                     # a spike that carries h as its slope
        paid = 1.3 * (spk if detach_reset else spk + lent)
        return 0.9 * mem + (spk + lent) @ weights.recurrent.T - paid
    expected = torch.autograd.functional.jacobian(next_mem, run.mem[5, 0])
    found = step_jacobian(run.mem[5, 0], weights, 0.9, 1.3, detach_reset=detach_reset)
    assert torch.allclose(found, expected, atol=1e-12)
    assert step_jacobian(run.mem, weights, 0.9).shape == (30, 4, 7, 7)
    alone = step_jacobian(run.mem[0, 0], weights._replace(recurrent=None), 0.9)
    assert torch.equal(alone, 0.9 * torch.eye(7, dtype=FLOAT))


@pytest.mark.parametrize("gain", [0.5, 1.6])
def test_random_recurrence_fills_a_disc_of_the_radius_gain(gain):
    """The circular law: the share of eigenvalues within r times the gain is r^2."""
    weights, _ = random_weights(torch.Generator().manual_seed(3), (20, 300, 4), gain, 2.0)
    radius = torch.linalg.eigvals(weights.recurrent.double()).abs() / gain
    assert 0.95 < radius.max() < 1.1
    for r in (0.3, 0.5, 0.7, 0.9):
        assert (radius < r).double().mean().item() == pytest.approx(r**2, abs=0.03)


def test_random_weights_have_the_promised_spread_and_are_drawn_apart():
    before = torch.get_rng_state()
    weights, feedback = random_weights(torch.Generator().manual_seed(0), (50, 400, 60), 0.0, 3.0, FLOAT)
    assert [tuple(weight.shape) for weight in (*weights, feedback)] == [(400, 50), (400, 400), (60, 400), (60, 400)]
    assert all(weight.dtype == FLOAT for weight in (*weights, feedback)) and not weights.recurrent.any()
    for weight, spread in ((weights.hidden, 3 / 50**0.5), (weights.output, 1 / 20), (feedback, 1 / 20)):
        assert weight.std().item() == pytest.approx(spread, rel=0.02) and abs(weight.mean().item()) < 0.03 * spread
    assert abs(cosine_of(weights.output, feedback)) < 0.03                         # feedback knows nothing of the read-out
    assert torch.equal(torch.get_rng_state(), before)


def cosine_of(one, other):
    return torch.cosine_similarity(one.flatten(), other.flatten(), 0).item()


def test_random_weights_repeat_with_the_seed_and_scale_alike():
    def drawn(seed, gain=1.0, scale=1.0):
        weights, feedback = random_weights(torch.Generator().manual_seed(seed), (5, 8, 2), gain, scale)
        return [*weights, feedback]
    assert all(map(torch.equal, drawn(1), drawn(1))) and not any(map(torch.equal, drawn(1), drawn(2)))
    for one, other, factor in zip(drawn(1), drawn(1, gain=2.0, scale=4.0), (4, 2, 1, 1), strict=True):
        assert torch.equal(factor * one, other)


@pytest.mark.parametrize(("change", "error", "words"), [
    ({"sizes": (5, 8)}, ValueError, r"sizes must be the three numbers \(I, H, O\), got \(5, 8\)"),
    ({"sizes": 5}, ValueError, "sizes must be the three numbers"),
    ({"sizes": (5, 0, 2)}, ValueError, r"sizes\[1\] must be a whole number of at least 1, got 0"),
    ({"sizes": (5, 8, 2.0)}, ValueError, r"sizes\[2\] must be a whole number"),
    ({"gain": -1.0}, ValueError, "gain must be at least 0, got -1.0"),
    ({"scale": "big"}, TypeError, "scale must be a number, got 'big'"),
    ({"scale": math.nan}, ValueError, "scale must be a number, got NaN"),
    ({"dtype": torch.int64}, ValueError, "dtype must be a floating-point type, .*got torch.int64"),
])
def test_random_weights_name_bad_input(change, error, words):
    with pytest.raises(error, match=f"^random_weights: {words}"):
        random_weights(torch.Generator(), **{"sizes": (5, 8, 2), "gain": 1.0, "scale": 1.0} | change)


GOOD, X, _ = network()
RUN = forward(X, GOOD, 0.9, 0.8)


@pytest.mark.parametrize("call,error,words", [
    (lambda: forward(X[0], GOOD, 0.9, 0.8), ValueError, r"forward: x must be \[T, B, I\] \(time first\), got shape \(4, 6\)"),
    (lambda: forward(X[:, :, None], GOOD, 0.9, 0.8), ValueError, r"got shape \(30, 4, 1, 6\)"),
    (lambda: forward(X.long(), GOOD, 0.9, 0.8), TypeError, "floating point"),
    (lambda: forward(X[..., :5], GOOD, 0.9, 0.8), ValueError, r"weights.hidden must be \(7, 5\).*got shape \(7, 6\)"),
    (lambda: forward(X, GOOD._replace(output=torch.ones(3, 6)), 0.9, 0.8), ValueError, r"weights.output must be \(3, 7\)"),
    (lambda: forward(X, GOOD._replace(recurrent=torch.ones(7, 6)), 0.9, 0.8), ValueError, r"recurrent must be \(7, 7\)"),
    (lambda: forward(X, GOOD, 1.2, 0.8), ValueError, "beta must be between 0 and 1, got 1.2"),
    (lambda: forward(X, GOOD, 0.9, -0.1), ValueError, "beta_out must be between 0 and 1"),
    (lambda: forward(X, GOOD, 0.9, 0.8, 0.0), ValueError, "threshold must be above 0"),
    (lambda: forward(X / 0, GOOD, 0.9, 0.8), ValueError, "NaN or infinity"),
    (lambda: forward(X, GOOD, 0.9, 0.8, surrogate=atan), TypeError, r"surrogate=atan\(\)"),
    (lambda: backward(RUN, GOOD, RUN.out[:, :1], 0.9, 0.8), ValueError,
     r"error must be \(30, 4, 3\) like the read-out.*got shape \(30, 1, 3\)"),
    (lambda: forward(X, None, 0.9, 0.8), TypeError,
     r"forward: weights must be Weights\(hidden, recurrent, output\), got NoneType"),
    (lambda: forward(X, GOOD._replace(output=GOOD.output.tolist()), 0.9, 0.8), TypeError,
     r"weights.output must be a torch.Tensor \[O, H\], got list. Convert it with torch.tensor\(weights.output\)"),
    (lambda: forward(X, GOOD._replace(output=GOOD.output * math.nan), 0.9, 0.8), ValueError, "weights.output holds NaN"),
    (lambda: forward(X, GOOD, 0.9, 0.8, torch.tensor(1.0)), TypeError, r"forward: threshold must be a number.*threshold.item"),
    (lambda: forward(X, GOOD, 0.9, 0.8, detach_reset=None), TypeError, "forward: detach_reset must be True or False, got None"),
    (lambda: backward(None, GOOD, RUN.out, 0.9, 0.8), TypeError, "backward: run must be the Run that forward returned"),
    (lambda: backward(tuple(RUN), GOOD, RUN.out, 0.9, 0.8), TypeError, "backward: run must be the Run .* got tuple"),
    (lambda: backward(RUN._replace(mem=RUN.mem[..., :3]), GOOD, RUN.out, 0.9, 0.8), ValueError,
     r"run.mem must be \(30, 4, 7\)"),
    (lambda: backward(RUN._replace(mem=RUN.mem * math.nan), GOOD, RUN.out, 0.9, 0.8), ValueError, "run.mem holds NaN"),
    (lambda: backward(RUN, GOOD, RUN.out.float(), 0.9, 0.8), TypeError,
     r"error is torch.float32 and run.out is torch.float64.*error.to\(torch.float64\)"),
    (lambda: influence_matrix(10**6, 0.9), ValueError, "num_steps must be a whole number of at least 1 and at most 5000"),
    (lambda: step_jacobian(RUN.mem * math.nan, GOOD, 0.9), ValueError, "step_jacobian: mem holds NaN"),
    (lambda: step_jacobian(RUN.mem.float(), GOOD, 0.9), TypeError, "weights.hidden is torch.float64 and mem is torch.float32"),
    (lambda: step_jacobian(RUN.mem, [1, 2], 0.9), TypeError, "step_jacobian: weights must be Weights"),
    (lambda: random_weights(3, (4, 3, 2), 1.0, 1.0), TypeError, "generator must be a torch.Generator"),
    (lambda: random_weights(None, (4, 10**6, 2), 1.0, 1.0), ValueError, "sizes asks for a tensor of 1000000 x 1000000"),
    (lambda: random_weights(None, (4, 3, 2), 1.0, 1.0, "float32"), ValueError, "dtype must be a floating-point type"),
    (lambda: backward(RUN, GOOD, RUN.out, 0.9, 0.8, truncation=0), ValueError, "truncation must be a whole number"),
    (lambda: backward(RUN, GOOD, RUN.out, 0.9, 0.8, truncation=1.5), ValueError, "truncation must be a whole number"),
    (lambda: backward(RUN, GOOD, RUN.out, 0.9, 0.8, truncation=math.nan), ValueError, "truncation must be a whole number"),
    (lambda: backward(RUN, GOOD, None, 0.9, 0.8), TypeError, r"error must be a torch.Tensor \[T, B, O\], got NoneType"),
    (lambda: backward(RUN, GOOD, RUN.out / 0, 0.9, 0.8), ValueError, "error holds NaN or infinity"),
    (lambda: forward(X, GOOD, 0.9, torch.full((2,), 0.5)), ValueError, r"beta_out must be a number or \[N\] = \[3\]"),
    (lambda: forward(X, tuple(GOOD), 0.9, 0.8), TypeError, r"weights must be Weights\(hidden, recurrent, output\), got tuple"),
    (lambda: forward(X, GOOD._replace(hidden=torch.ones(7)), 0.9, 0.8), ValueError, r"weights.hidden must be \[H, I\]"),
    (lambda: forward(X.float(), GOOD, 0.9, 0.8), TypeError, "weights.hidden is torch.float64 and x is torch.float32"),
    (lambda: influence_matrix(3, torch.ones(3)), TypeError, "beta must be a number"),
    (lambda: influence_matrix(0, 0.9), ValueError, "num_steps must be a whole number"),
    (lambda: influence_matrix(3, math.nan), ValueError, "beta must be a number, got NaN"),
    (lambda: step_jacobian(RUN.mem[..., :3], GOOD, 0.9), ValueError, r"mem must be \(30, 4, 7\) like weights.hidden"),
])
def test_bad_input_says_what_came(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_gradients_hang_on_no_graph():
    leaves = Weights(*(weight.clone().requires_grad_() for weight in GOOD))
    run = forward(X, leaves, 0.9, 0.8)
    assert run.out.requires_grad and not any(grad.requires_grad for grad in backward(run, leaves, run.out, 0.9, 0.8))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_numpys_numbers_are_numbers(kind):
    (weights, x, target), given = network(), (kind(0.9), kind(0.8), kind(0.7))
    weights, x, plain = Weights(*(weight.float() for weight in weights)), x.float(), tuple(map(float, given))
    run, same = forward(x, weights, *given), forward(x, weights, *plain)
    error = run.out - target.float()
    for detach_reset in (True, False):
        found, wanted = (backward(run, weights, error, *numbers, detach_reset=detach_reset, truncation=length)
                         for numbers, length in ((given, np.int64(3)), (plain, 3)))
        assert all(map(torch.equal, (*run, *found), (*same, *wanted))) and found.hidden.dtype == torch.float32
    assert torch.equal(influence_matrix(np.int64(4), kind(0.5)), influence_matrix(4, 0.5))
    assert all(map(torch.equal, *(random_weights(torch.Generator().manual_seed(0), sizes, kind(1), kind(2))[0]
                                  for sizes in ((4, 3, 2), tuple(map(np.int64, (4, 3, 2)))))))


@pytest.mark.parametrize(("part", "change", "words"), [
    ("x", lambda x: x[None], r"backward: run.x must be .*use run.x.transpose\(0, 1\)"),
    ("x", lambda x: x.byte(), "run.x must be floating"),
    ("spk", lambda spk: spk.long(), "backward: run.spk is torch.int64 and run.x is torch.float64")])
def test_a_changed_run_is_named(part, change, words):
    weights, x, error = network()
    run = forward(x, weights, 0.9, 0.9)
    with pytest.raises((TypeError, ValueError), match=words):
        backward(run._replace(**{part: change(getattr(run, part))}), weights, error, 0.9, 0.9)
