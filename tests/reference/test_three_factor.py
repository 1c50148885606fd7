"""Three-factor rules against autograd, against sums over pairs, and against all that a noisy neuron can do."""
import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snnteach import surrogate as sg
from snnteach.neurons import lif
from snnteach.three_factor import Actor, act, bptt_window, error_events, reward_stdp, score, start_actor, three_factor, trace

FLOAT = torch.float64


def rand(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=FLOAT)


def spikes(*shape, rate=0.3, seed=0):
    return (rand(*shape, seed=seed) < rate).to(FLOAT)


@given(decay=st.floats(0, 1), steps=st.integers(1, 30))
@settings(deadline=None, max_examples=25)
def test_trace_is_a_geometric_sum(decay, steps):
    x = rand(steps, 3)
    sums = [sum(decay ** (t - s) * x[s] for s in range(t + 1)) for t in range(steps)]
    assert torch.allclose(trace(x, decay), torch.stack(sums), atol=1e-12)


@pytest.mark.parametrize("beta", [0.5, 0.9, 0.99])
def test_half_window_falls_by_beta_a_step(beta):
    window = bptt_window(torch.arange(-30, 31), beta)
    assert not window[:30].any() and window[30] == sg.atan()(torch.tensor(0.5, dtype=FLOAT))
    assert torch.allclose(window[31:] / window[30:-1], torch.full((30,), beta, dtype=FLOAT), rtol=1e-12)
    slope = window[30:].log().diff()
    assert torch.allclose(slope, torch.full_like(slope, math.log(beta)), atol=1e-12)


def test_attached_reset_steepens_the_window():
    h, beta = sg.triangular(0.4), 0.9
    window = bptt_window(range(20), beta, surrogate=h, detach_reset=False)
    expected = beta - h(torch.tensor(-1.0)).item()
    assert torch.allclose(window[1:] / window[:-1], torch.full((19,), expected, dtype=FLOAT), rtol=1e-6)


@pytest.mark.parametrize("error", ["spike", "count"])
def test_window_is_the_written_out_sum(error):
    beta, h = 0.8, sg.fast_sigmoid(2.0)
    mem, before = torch.zeros(21, dtype=FLOAT), 0.0                  # t_post = 10; spikes once
    for t in range(21):
        mem[t] = beta * (mem[t - 1] if t else 0) + 1.5 * (t == 10) - before
        before = float(mem[t] > 1)
    judged = h(mem - 1) if error == "count" else h(mem - 1) * (torch.arange(21) == 10)
    for lag, found in zip(range(-10, 11), bptt_window(range(-10, 11), beta, error=error, surrogate=h).tolist(), strict=True):
        t_pre = 10 - lag
        assert found == pytest.approx(sum(judged[t].item() * beta ** (t - t_pre) for t in range(t_pre, 21)), rel=1e-12)


@pytest.mark.parametrize("make", [sg.atan, sg.fast_sigmoid, sg.triangular])
def test_three_factors_are_the_gradient_of_one_layer(make):
    x, weight = spikes(40, 5, 12), rand(4, 12, seed=1).requires_grad_()
    h = make()
    spk, mem = lif(x @ weight.T, 0.85, 1.2, surrogate=h)
    loss = ((spk.cumsum(0) - rand(40, 5, 4, seed=2)) ** 2).mean()
    exact, signal = torch.autograd.grad(loss, (weight, spk))
    local = three_factor(x, mem.detach(), signal, 0.85, 1.2, surrogate=h)
    assert exact.abs().max() > 0 and torch.allclose(local, exact, rtol=1e-10, atol=1e-14)
    assert not torch.allclose(three_factor(x, mem.detach(), signal, 0.8, 1.2, surrogate=h), exact, rtol=1e-3)


def test_error_events_are_signs_of_large_errors():
    error = torch.linspace(-1, 1, 21)
    events = error_events(error, 0.45)
    assert set(events.tolist()) == {-1.0, 0.0, 1.0} and events.abs().sum() == 12
    assert torch.equal(events[events != 0], error[events != 0].sign())
    assert error_events(torch.tensor([-0.5, 0.5]), 0.5).tolist() == [0, 0]                       # larger, not as large


@pytest.mark.parametrize("lag, delay", [(1, 0), (7, 20), (-3, 9), (0, 5)])
def test_reward_reads_what_is_left_of_a_pair(lag, delay):
    pre, post, reward = torch.zeros(60, 1, 1, dtype=FLOAT), torch.zeros(60, 1, 1, dtype=FLOAT), torch.zeros(60, 1, dtype=FLOAT)
    pre[20 - lag], post[20], reward[max(20, 20 - lag) + delay] = 1, 1, -1.5
    found = reward_stdp(pre, post, reward, decay_pre=0.8, decay_post=0.7, decay_eligibility=0.95, a_plus=2.0, a_minus=3.0)
    size = 2 * 0.8**lag if lag > 0 else -3 * 0.7**-lag if lag < 0 else 0
    assert found.update.item() == pytest.approx(-1.5 * size * 0.95**delay, rel=1e-12, abs=1e-15)
    assert found.eligibility.shape == (60, 1, 1, 1)


def test_reward_stdp_is_the_sum_over_pairs():
    pre, post, reward = spikes(30, 2, 3), spikes(30, 2, 2, seed=1), rand(30, 2, seed=2) - 0.5
    found = reward_stdp(pre, post, reward, decay_pre=0.9, decay_post=0.8, decay_eligibility=0.7, a_plus=1.0, a_minus=1.2).update
    expected = torch.zeros(2, 3, dtype=FLOAT)
    for b, i, j in itertools.product(range(2), range(3), range(2)):
        for s, t in itertools.product(pre[:, b, i].nonzero().flatten().tolist(), post[:, b, j].nonzero().flatten().tolist()):
            tag = 0.9 ** (t - s) if t > s else -1.2 * 0.8 ** (s - t) if t < s else 0
            when = max(s, t)
            expected[j, i] += tag * sum(reward[k, b].item() * 0.7 ** (k - when) for k in range(when, 30))
    assert torch.allclose(found, expected, rtol=1e-12, atol=1e-14)


def run_given(weight, x, spk, beta):
    """Membranes [T, B, 1] of a neuron that fired `spk`: given its spikes, they are smooth in the weights."""
    mem, before, kept = 0.0, torch.zeros_like(spk[0]), []
    for x_t, spk_t in zip(x, spk, strict=True):
        mem = beta * mem + x_t @ weight.T - before
        kept.append(mem)
        before = spk_t
    return torch.stack(kept)


@pytest.mark.parametrize("seed", range(4))
def test_expected_score_times_reward_is_the_gradient_of_the_expected_reward(seed):
    trains = torch.tensor(list(itertools.product((0.0, 1.0), repeat=5)), dtype=FLOAT).T[:, :, None]       # [5, 32, 1]
    x = spikes(5, 1, 3, rate=0.6, seed=seed).expand(5, 32, 3)
    weight, reward = rand(1, 3, seed=seed + 10).requires_grad_(), rand(32, seed=seed + 20)
    mem = run_given(weight, x, trains, 0.9)
    p = torch.sigmoid(3 * (mem - 1))
    chance = torch.where(trains > 0, p, 1 - p).prod(0)[:, 0]
    (gradient,) = torch.autograd.grad((chance * reward).sum(), weight)
    e, chance = score(x, mem.detach(), trains, 0.9, slope=3.0)[:, 0], chance.detach()
    assert chance.sum().item() == pytest.approx(1, abs=1e-12) and (chance[:, None] * e).sum(0).abs().max() < 1e-12
    for baseline in (0.0, 0.7):
        assert torch.allclose((chance * (reward - baseline)) @ e, gradient[0], rtol=1e-11, atol=1e-13)


def test_sampled_escape_noise_agrees_with_the_enumeration():
    n, x = 200_000, torch.tensor([[1.0], [0.0], [1.0]], dtype=FLOAT)[:, None]
    weight, generator = torch.tensor([[0.8]], dtype=FLOAT, requires_grad=True), torch.Generator().manual_seed(0)
    trains = torch.tensor(list(itertools.product((0.0, 1.0), repeat=3)), dtype=FLOAT).T[:, :, None]
    p = torch.sigmoid(4 * (run_given(weight, x.expand(3, 8, 1), trains, 0.9) - 1))
    chance = torch.where(trains > 0, p, 1 - p).prod(0)[:, 0]
    (gradient,) = torch.autograd.grad((chance * (trains[:, :, 0].sum(0) == 1)).sum(), weight)
    mem = spk = torch.zeros(n, 1, dtype=FLOAT)
    mems, spks = [], []
    for x_t in x:
        mem = 0.9 * mem + x_t @ weight.detach().T - spk
        spk = sg.escape_noise(mem - 1, 4.0, generator)
        mems.append(mem), spks.append(spk)
    e = score(x.expand(3, n, 1), torch.stack(mems), torch.stack(spks), 0.9)[:, 0, 0]
    reward = (sum(spks)[:, 0] == 1).to(FLOAT)
    assert ((reward - reward.mean()) * e).mean().item() == pytest.approx(gradient.item(), abs=0.02)


@pytest.mark.parametrize("threshold", [1.0, 0.6])
def test_actors_keep_the_score_of_all_their_steps(threshold):
    weight, x = rand(3, 2, 6), spikes(25, 3, 6, seed=1)
    state, generator, mems, spks = start_actor(weight), torch.Generator().manual_seed(0), [], []
    for x_t in x:
        expected = 0.8 * state.mem + torch.einsum("bai,bi->ba", weight, x_t) - threshold * state.spk
        state = act(x_t, weight, state, 0.8, 1.0, threshold, slope=2.0, generator=generator)
        assert torch.allclose(state.mem, expected, atol=1e-12)
        mems.append(state.mem), spks.append(state.spk)
    whole = score(x, torch.stack(mems), torch.stack(spks), 0.8, threshold, slope=2.0)
    assert torch.stack(spks).any() and torch.allclose(state.eligibility, whole, rtol=1e-12)
    assert torch.allclose(state.trace, trace(x, 0.8)[-1])


def test_each_learner_forgets_at_its_own_pace():
    weight, x = 0.3 * rand(3, 2, 6), spikes(12, 3, 6, seed=1)
    decay = torch.tensor([0.0, 0.5, 0.9], dtype=FLOAT)
    state, generator, tags = start_actor(weight), torch.Generator().manual_seed(0), []
    for x_t in x:
        state = act(x_t, weight, state, 0.8, decay[:, None, None], generator=generator)
        assert isinstance(state, Actor)
        tags.append(4 * (state.spk - torch.sigmoid(4 * (state.mem - 1)))[:, :, None] * state.trace[:, None])
    for learner, pace in enumerate(decay.tolist()):
        faded = sum(pace ** (11 - t) * tag[learner] for t, tag in enumerate(tags))
        assert torch.allclose(state.eligibility[learner], faded, rtol=1e-12) and faded.any()


X, MEM, WEIGHT, NAN = torch.ones(5, 2, 3), torch.ones(5, 2, 4), torch.ones(2, 4, 3), math.nan


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_long_sums_are_not_lost_in_half_precision(dtype):
    x = torch.ones(3000, 1, 1, dtype=dtype)
    assert trace(x, 1.0).dtype == dtype and trace(x, 1.0)[-1].item() == pytest.approx(3000, rel=0.01)
    assert three_factor(x, x, x, 0.0).item() == pytest.approx(3000, rel=0.01)
    sides = spikes(2000, 1, 3), spikes(2000, 1, 2, seed=1), torch.ones(2000, 1, dtype=FLOAT)
    exact, update = reward_stdp(*sides).update, reward_stdp(*(side.to(dtype) for side in sides)).update
    assert update.dtype == dtype and (update.double() - exact).abs().max() < 0.02 * exact.abs().max()


def test_scalars_of_numpy_are_numbers():
    x, mem = rand(6, 2, 3).float(), rand(6, 2, 4).float()
    spk, weight = (mem > 0.5).float(), rand(2, 4, 3).float()

    def results(half):
        noise = torch.Generator().manual_seed(0)
        return [trace(x, half), three_factor(x, mem, mem, half, half), error_events(mem, half),
                score(x, mem, spk, half, half, slope=half), *reward_stdp(x, spk, mem[..., 0], decay_pre=half, a_plus=half),
                *act(x[0], weight, start_actor(weight), half, half, half, slope=half, generator=noise)]

    for kind in (np.float64, np.float32):
        assert all(one.dtype == torch.float32 and torch.equal(one, other)
                   for one, other in zip(results(kind(0.5)), results(0.5), strict=True))
    lags = bptt_window(np.array([1, 2]), np.float64(0.5))
    assert torch.equal(lags, bptt_window([np.int64(1), 2], 0.5)) and torch.equal(lags, bptt_window(range(1, 3), 0.5))


@pytest.mark.parametrize("call, error, words", [
    (lambda: trace([1.0], 0.9), TypeError, "trace: x must be a torch.Tensor"),
    (lambda: trace(torch.ones(3, 1), -5.0), ValueError, "trace: decay must be between 0 and 1, got -5.0"),
    (lambda: trace(torch.ones(0, 1), 0.5), ValueError, "not empty, got shape"),
    (lambda: bptt_window([], 0.9), ValueError, "bptt_window: lags must hold at least one whole number"),
    (lambda: bptt_window([0.5], 0.9), ValueError,
     "lags must be a whole number of at least -100000 and at most 100000, got 0.5"),
    (lambda: bptt_window([1], 1.5), ValueError, "beta must be between 0 and 1"),
    (lambda: bptt_window([1], 0.9, error="all"), ValueError, "error must be one of 'spike', 'count'"),
    (lambda: bptt_window([1], 0.9, surrogate=sg.atan), TypeError, "call its factory"),
    (lambda: three_factor(X, MEM[:4], MEM[:4], 0.9), ValueError, "x and mem must agree in time and batch"),
    (lambda: three_factor(X, MEM, X, 0.9), ValueError, r"signal must be \(5, 2, 4\) like mem"),
    (lambda: three_factor(X, MEM, MEM, 0.9, -1.0), ValueError, "three_factor: threshold must be above 0"),
    (lambda: error_events(MEM, -0.1), ValueError, "error_events: trigger must be at least 0"),
    (lambda: reward_stdp(X, MEM, torch.ones(5, 3)), ValueError, r"reward must be \(5, 2\) \[T, B\]"),
    (lambda: reward_stdp(X, MEM, torch.ones(5, 2), decay_eligibility=-20.0), ValueError, "decay_eligibility must be between"),
    (lambda: reward_stdp(X, MEM, torch.ones(5, 2), a_minus=-1.0), ValueError, "reward_stdp: a_minus must be at least 0"),
    (lambda: score(X, MEM, X, 0.9), ValueError, "spk must be"),
    (lambda: score(X, MEM, MEM, 0.9, slope=0.0), ValueError, "score: slope must be above 0"),
    (lambda: trace(X * NAN, 0.9), ValueError, "trace: x holds NaN"),
    (lambda: trace(X, torch.ones(2)), ValueError, r"trace: decay must be a number or \[N\] = \[3\]"),
    (lambda: trace(torch.ones(3), torch.ones(1)), ValueError,
     r"trace: decay must be a number or a scalar tensor where x is \[T\]"),
    (lambda: trace(X, torch.ones(3).double()), TypeError, "trace: decay is torch.float64 and x is torch.float32"),
    (lambda: bptt_window(None, 0.9), TypeError, r"bptt_window: lags must be a list or a tensor \[L\]"),
    (lambda: bptt_window([10**9], 0.9), ValueError, "lags must be a whole number .*at most 100000"),
    (lambda: bptt_window([1], torch.tensor(0.9)), TypeError, r"beta must be a number, got a tensor. Pass beta.item\(\)"),
    (lambda: bptt_window([1], 0.9, detach_reset=None), TypeError, "detach_reset must be True or False"),
    (lambda: three_factor(X * NAN, MEM, MEM, 0.9), ValueError, "three_factor: x holds NaN"),
    (lambda: three_factor(X, MEM * NAN, MEM, 0.9), ValueError, "three_factor: mem holds NaN"),
    (lambda: three_factor(X, MEM, MEM / 0, 0.9), ValueError, "three_factor: signal holds NaN or infinity"),
    (lambda: three_factor(X, MEM.double(), MEM, 0.9), TypeError, "three_factor: mem is torch.float64 and x is torch.float32"),
    (lambda: three_factor(X, MEM, MEM, torch.ones(3)), TypeError, "three_factor: beta must be a number"),
    (lambda: error_events(MEM * NAN, 0.1), ValueError, "error_events: error holds NaN"),
    (lambda: error_events([0.1], 0.1), TypeError, r"error_events: error must be a torch.Tensor.*torch.tensor\(error\)"),
    (lambda: reward_stdp(X * NAN, MEM, MEM[:, :, 0]), ValueError, "reward_stdp: pre holds NaN"),
    (lambda: reward_stdp(X, MEM * NAN, MEM[:, :, 0]), ValueError, "reward_stdp: post holds NaN"),
    (lambda: reward_stdp(X, MEM, MEM[:, :, 0] * NAN), ValueError, "reward_stdp: reward holds NaN"),
    (lambda: reward_stdp(X, MEM, MEM[:, :, 0].double()), TypeError, "reward_stdp: reward is torch.float64 and pre is"),
    (lambda: reward_stdp(X[..., :1].expand(5, 2, 10**5), MEM[..., :1].expand(5, 2, 10**5), MEM[:, :, 0]), ValueError,
     "reward_stdp: pre and post asks for a tensor of 5 x 2 x 100000 x 100000 numbers"),
    (lambda: score(X * NAN, MEM, MEM, 0.9), ValueError, "score: x holds NaN"),
    (lambda: score(X, MEM, MEM * NAN, 0.9), ValueError, "score: spk holds NaN"),
    (lambda: act(X[0], WEIGHT, None, 0.9, 0.9), TypeError,
     r"act: state must be an Actor, got NoneType. Begin with start_actor"),
    (lambda: act(X[0] * NAN, WEIGHT, start_actor(WEIGHT), 0.9, 0.9), ValueError, "act: the membrane holds NaN"),
    (lambda: act(X[0], WEIGHT * NAN, start_actor(WEIGHT), 0.9, 0.9), ValueError, "act: the membrane holds NaN"),
    (lambda: act(X[0], WEIGHT, start_actor(WEIGHT)._replace(eligibility=WEIGHT * NAN), 0.9, 0.9), ValueError,
     "the eligibility holds"),
    (lambda: act(X[0], WEIGHT, start_actor(WEIGHT.double()), 0.9, 0.9), TypeError,
     "act: state.mem is torch.float64 and weight is"),
    (lambda: act(X[0], WEIGHT, start_actor(WEIGHT), 0.9, torch.ones(2)), ValueError,
     r"act: decay must be \(2, 1, 1\) \[B, 1, 1\]"),
    (lambda: act(X[0], WEIGHT, start_actor(WEIGHT), 0.9, 0.9, generator=1), TypeError, "act: generator must be a torch.Gen"),
    (lambda: start_actor(torch.ones(2, 3)), ValueError, r"weight must be \[B, A, I\]"),
    (lambda: act(torch.ones(2, 9), torch.ones(2, 4, 3), start_actor(torch.ones(2, 4, 3)), 0.9, 0.9), ValueError, "start_actor"),
    (lambda: act(torch.ones(2, 3), torch.ones(2, 4, 3), start_actor(torch.ones(2, 4, 3)), 0.9, 2.0), ValueError, "decay must"),
])
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()
