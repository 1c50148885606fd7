"""STDP: window, pairs, traces, triplets and drift against closed forms and written-out sums, and what is refused."""
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snnteach.stdp import (
    PairRule,
    Traces,
    TripletRule,
    expected_drift,
    pair_stdp,
    stdp_step,
    stdp_window,
    trace_stdp,
    triplet_stdp,
)

FLOAT = torch.float64
UNEVEN = PairRule(a_plus=0.013, a_minus=0.007, tau_plus=17.0, tau_minus=31.0)
STEPS = st.lists(st.integers(0, 60), min_size=1, max_size=12, unique=True).map(sorted)


def train(times, length=61):
    spk = torch.zeros(length, 1, dtype=FLOAT)
    spk[times] = 1.0
    return spk


def coins(rate, *shape, seed=0):
    return (torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=FLOAT) < rate).to(FLOAT)


def test_window_has_both_sides_and_nothing_at_zero():
    n = torch.arange(1, 40, dtype=FLOAT)
    assert torch.allclose(stdp_window(n, UNEVEN), 0.013 * math.exp(-1 / 17) ** n, rtol=1e-12)
    assert torch.allclose(stdp_window(-n, UNEVEN), -0.007 * math.exp(-1 / 31) ** n, rtol=1e-12)
    assert stdp_window(torch.tensor(0.0), UNEVEN) == 0
    assert stdp_window(torch.tensor([-1e6, 1e6]), UNEVEN).tolist() == [0, 0]


def every_pair(pre, post, rule):
    return sum(stdp_window(torch.tensor(float(t - s), dtype=FLOAT), rule).item() for t in post for s in pre)


def each_last_partner(pre, post, rule):
    pairs = [(t, max(s for s in pre if s < t)) for t in post if pre[0] < t]
    pairs += [(max(s for s in post if s < t), t) for t in pre if post[0] < t]
    return sum(stdp_window(torch.tensor(float(t - s), dtype=FLOAT), rule).item() for t, s in pairs)


@settings(max_examples=80, deadline=None)
@given(pre=STEPS, post=STEPS)
def test_traces_are_the_pair_sum(pre, post):
    for pairs, definition in (("all", every_pair), ("nearest", each_last_partner)):
        expected = definition(pre, post, UNEVEN)
        scale = max(1e-3, abs(expected))                               # potentiation and depression may cancel
        assert abs(pair_stdp(pre, post, UNEVEN, pairs=pairs) - expected) < 1e-12 * scale * 10
        assert abs(trace_stdp(train(pre), train(post), rule=UNEVEN, pairs=pairs).item() - expected) < 1e-12 * scale * 10


@pytest.mark.parametrize("pairs", ["all", "nearest"])
def test_traces_are_the_pair_sum_to_a_relative_1e_12_on_long_trains(pairs):
    pre, post = coins(0.1, 2000, 3, seed=1), coins(0.07, 2000, 2, seed=2)
    found = trace_stdp(pre, post, rule=UNEVEN, pairs=pairs)
    times = [[spk[:, n].nonzero().flatten().tolist() for n in range(spk.shape[1])] for spk in (pre, post)]
    expected = torch.tensor([[pair_stdp(p, q, UNEVEN, pairs=pairs) for p in times[0]] for q in times[1]], dtype=FLOAT)
    assert ((found - expected).abs() / expected.abs()).max() < 1e-12 and found.abs().min() > 0.01


def test_coincident_spikes_are_no_pair():
    one = torch.ones(1, 1, dtype=FLOAT)
    assert trace_stdp(one, one).item() == 0 and pair_stdp([3], [3]) == 0


def test_steps_with_batches_are_independent_layers():
    pre, post = coins(0.2, 50, 4, 5, seed=3), coins(0.2, 50, 4, 2, seed=4)
    weight, traces = torch.zeros(4, 2, 5, dtype=FLOAT), Traces(torch.zeros(4, 5, dtype=FLOAT), torch.zeros(4, 2, dtype=FLOAT))
    for pre_t, post_t in zip(pre, post, strict=True):
        weight, traces = stdp_step(pre_t, post_t, traces, weight, UNEVEN)
    for b in range(4):
        assert torch.allclose(weight[b], trace_stdp(pre[:, b], post[:, b], rule=UNEVEN), rtol=1e-12)


@pytest.mark.parametrize("ratio", [0.5, 1.0, 1.3])
def test_drift_of_strangers(ratio):
    rule = PairRule(a_minus=0.01 * ratio, tau_minus=30.0)
    pre, post = coins(0.05, 8000, 40, seed=5), coins(0.1, 8000, 40, seed=6)
    found = trace_stdp(pre, post, rule=rule).mean().item() / 8000
    side = 0.01 * 20 * 0.05 * 0.1
    assert abs(found - expected_drift(0.05, 0.1, rule)) < 0.05 * side


def test_drift_in_closed_form():
    up, down = (math.exp(-1 / tau) / (1 - math.exp(-1 / tau)) for tau in (17.0, 31.0))
    assert expected_drift(0.2, 0.1, UNEVEN) == pytest.approx(0.02 * (0.013 * up - 0.007 * down), rel=1e-12)
    total = stdp_window(torch.arange(-2000, 2001, dtype=FLOAT), UNEVEN).sum().item()
    assert expected_drift(1.0, 1.0, UNEVEN) == pytest.approx(total, rel=1e-10)


@pytest.mark.parametrize("bounds", ["none", "hard", "soft"])
def test_one_step_with_bounds_is_its_formula(bounds):
    rule = UNEVEN._replace(a_plus=0.9, a_minus=0.8, bounds=bounds, w_max=0.7)
    pre, post, weight = (torch.tensor(values, dtype=FLOAT) for values in ([1.0, 0.0], [0.0, 1.0], [[0.1, 0.65], [0.2, 0.6]]))
    before = Traces(torch.tensor([0.3, 1.2], dtype=FLOAT), torch.tensor([0.7, 0.4], dtype=FLOAT))
    found, traces = stdp_step(pre, post, before, weight, rule)
    for j, i in ((0, 0), (0, 1), (1, 0), (1, 1)):
        up = 0.9 * post[j] * before.pre[i] * math.exp(-1 / 17)
        down = 0.8 * pre[i] * before.post[j] * math.exp(-1 / 31)
        new = weight[j, i] + (up * (0.7 - weight[j, i]) - down * weight[j, i] if bounds == "soft" else up - down)
        expected = new if bounds == "none" else min(max(new, 0), 0.7)
        assert found[j, i].item() == pytest.approx(float(expected), rel=1e-12)
    assert traces.pre.tolist() == pytest.approx([0.3 * math.exp(-1 / 17) + 1, 1.2 * math.exp(-1 / 17)])


@pytest.mark.parametrize("bounds", ["hard", "soft"])
def test_bounds_hold(bounds):
    rule = PairRule(a_plus=0.3, a_minus=0.3, bounds=bounds, w_max=0.7)
    weight = trace_stdp(coins(0.3, 300, 6, seed=7), coins(0.3, 300, 6, seed=8), torch.full((6, 6), 0.3, dtype=FLOAT), rule)
    assert weight.min() >= 0 and weight.max() <= 0.7


def test_soft_bounds_rest_where_both_areas_balance():
    rule = PairRule(a_plus=0.002, a_minus=0.003, bounds="soft")
    start = torch.full((20, 20), 0.9, dtype=FLOAT)
    weight = trace_stdp(coins(0.1, 6000, 20, seed=9), coins(0.1, 6000, 20, seed=10), start, rule)
    assert weight.mean().item() == pytest.approx(0.4, abs=0.02)


def protocol(frequency, lag):
    pre = [1000 * n / frequency for n in range(60)]
    return pre, [t + lag for t in pre]


def written_out_triplets(pre, post, rule):
    """Pfister and Gerstner (2006), Eqs. 3 and 4, as sums over triplets."""
    def trace(times, t, tau):
        return sum(math.exp((s - t) / tau) for s in times if s < t)

    up = sum(trace(pre, t, rule.tau_plus) * (rule.a2_plus + rule.a3_plus * trace(post, t, rule.tau_y)) for t in post)
    return up - sum(trace(post, t, rule.tau_minus) * (rule.a2_minus + rule.a3_minus * trace(pre, t, rule.tau_x)) for t in pre)


@settings(max_examples=40, deadline=None)
@given(pre=STEPS, post=STEPS)
def test_triplets_are_the_written_out_sums(pre, post):
    full = TripletRule(a2_plus=0.004, a3_minus=0.003)
    assert triplet_stdp(pre, post, full) == pytest.approx(written_out_triplets(pre, post, full), rel=1e-10, abs=1e-14)
    as_pairs = TripletRule(0.013, 0.007, 0.0, 0.0, 17.0, 31.0)
    assert triplet_stdp(pre, post, as_pairs) == pytest.approx(pair_stdp(pre, post, UNEVEN), rel=1e-10, abs=1e-14)


def test_triplets_depend_on_frequency_as_in_visual_cortex():
    slow = [triplet_stdp(*protocol(0.1, lag)) for lag in (10, -10)]
    fast = [triplet_stdp(*protocol(50, lag)) for lag in (10, -10)]
    assert slow[0] == pytest.approx(0, abs=1e-6) and slow[1] == pytest.approx(-60 * 7.1e-3 * math.exp(-10 / 33.7), rel=1e-6)
    assert min(fast) > 0.6
    for frequency in (0.1, 10, 50):                                    # a pair rule that does nothing when slow never can
        assert pair_stdp(*protocol(frequency, 10), PairRule(0.0, 0.0071)) <= 0


@pytest.mark.parametrize(("call", "message"), [
    (lambda: pair_stdp([], [1]), "pair_stdp: pre_times must hold at least one"),
    (lambda: pair_stdp([1], torch.zeros(0)), "pair_stdp: post_times must hold at least one"),
    (lambda: triplet_stdp([1], []), "triplet_stdp: post_times must hold"),
    (lambda: pair_stdp([3, 1], [2]), r"pre_times must be in increasing order, got \[3, 1\]"),
    (lambda: triplet_stdp([1], [2, 2]), "triplet_stdp: post_times must be in increasing order"),
    (lambda: pair_stdp([1, math.nan], [2]), "pair_stdp: pre_times must be a number, got NaN"),
    (lambda: pair_stdp([1], [2], PairRule(tau_plus=-20.0)), "pair_stdp: rule.tau_plus must be above 0, got -20.0"),
    (lambda: stdp_window(torch.zeros(1), PairRule(tau_minus=0.0)), "stdp_window: rule.tau_minus must be above 0"),
    (lambda: expected_drift(0.1, 0.1, PairRule(tau_minus=-1.0)), "expected_drift: rule.tau_minus must be above 0"),
    (lambda: triplet_stdp([1], [2], TripletRule(tau_y=-1.0)), "triplet_stdp: rule.tau_y must be above 0"),
    (lambda: triplet_stdp([1], [2], TripletRule(a3_plus=-1.0)), "triplet_stdp: rule.a3_plus must be at least 0"),
    (lambda: stdp_window(torch.zeros(1), PairRule(a_minus=-0.01)), "stdp_window: rule.a_minus must be at least 0"),
    (lambda: pair_stdp([1], [2], PairRule(bounds="soft")), "a sum over pairs has no bounds.*trace_stdp"),
    (lambda: pair_stdp([1], [2], pairs="some"), "pairs must be one of 'all', 'nearest', got 'some'"),
    (lambda: trace_stdp(torch.zeros(5, 1), torch.zeros(4, 1)), "must last equally long, got 5 and 4"),
    (lambda: trace_stdp(torch.zeros(5, 2, 1), torch.zeros(5, 1)), r"pre must be \[T, I\], got shape \(5, 2, 1\)"),
    (lambda: trace_stdp(torch.full((5, 1), 0.5), torch.zeros(5, 1)), "pre must hold spikes, 0 or 1"),
    (lambda: trace_stdp(torch.zeros(5, 2), torch.zeros(5, 3), torch.zeros(2, 3)), r"weight must be \(3, 2\) \[H, I\]"),
    (lambda: trace_stdp(torch.zeros(0, 2), torch.zeros(0, 3)), "not empty, got shape"),
    (lambda: trace_stdp(torch.zeros(5, 1), torch.zeros(5, 1), rule=PairRule(bounds="firm")), "bounds must be one of"),
    (lambda: expected_drift(1.2, 0.1), "rate_pre must be between 0 and 1, got 1.2"),
])
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(("call", "message"), [
    (lambda: stdp_window(3.0),
     r"stdp_window: lag must be a torch.Tensor of any shape, got float. A single lag is torch.tensor\(10.0\)"),
    (lambda: pair_stdp([1], [2], 0.01), "must be a PairRule"),
    (lambda: triplet_stdp([1], [2], PairRule()), "must be a TripletRule"),
    (lambda: trace_stdp([[1]], torch.zeros(1, 1)), "pre must be a torch.Tensor"),
    (lambda: pair_stdp(["a"], [2]), "pre_times must be a number"),
])
def test_wrong_types_are_named(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def quiet(dtype=torch.float32):
    return torch.zeros(9, 1, dtype=dtype), torch.zeros(9, 1, dtype=dtype)


@pytest.mark.parametrize("bounds", ["hard", "soft"])
@pytest.mark.parametrize("outside", [-0.5, 2.0, math.nan])
def test_weights_outside_the_bounds_are_refused(bounds, outside):
    rule, weight = PairRule(bounds=bounds), torch.tensor([[outside]])
    words = "weight holds NaN" if math.isnan(outside) else "weight must be between 0.0 and 1.0, got"
    with pytest.raises(ValueError, match=f"trace_stdp: {words}"):
        trace_stdp(*quiet(), weight, rule)
    with pytest.raises(ValueError, match=f"stdp_step: {words}"):
        stdp_step(torch.zeros(1), torch.zeros(1), Traces(torch.zeros(1), torch.zeros(1)), weight, rule)


@pytest.mark.parametrize("bounds", ["none", "hard", "soft"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, FLOAT])
def test_without_a_spike_no_weight_moves(bounds, dtype):
    """From one bound to the other, both included, whatever their rounding."""
    for low, high in ((0.0, 0.7), (-1.0, 0.0), (-0.3, 0.1)):
        weight = torch.tensor([[low], [high], [(low + high) / 2]], dtype=dtype)
        rule = PairRule(bounds=bounds, w_min=low, w_max=high)
        pre, post = torch.zeros(9, 1, dtype=dtype), torch.zeros(9, 3, dtype=dtype)
        assert torch.equal(trace_stdp(pre, post, weight, rule), weight)


def test_the_cures_for_weights_work():
    weight, rule = torch.tensor([[-0.5]]), PairRule(bounds="soft")
    with pytest.raises(ValueError, match=r"rule._replace\(w_min=.*, or use weight.clamp\(rule.w_min, rule.w_max\)"):
        trace_stdp(*quiet(), weight, rule)
    assert trace_stdp(*quiet(), weight, rule._replace(w_min=-1.0)).item() == -0.5
    assert trace_stdp(*quiet(), weight.clamp(rule.w_min, rule.w_max), rule).item() == 0


@pytest.mark.parametrize("bounds", ["none", "hard", "soft"])
def test_inhibitory_synapses_are_the_excitatory_ones_moved_down(bounds):
    """Bounds [-1, 0] are [0, 1] one lower: the same changes, to rounding."""
    pre, post = coins(0.3, 300, 6, seed=7), coins(0.3, 300, 5, seed=8)
    start = coins(0.5, 5, 6, seed=9) / 2 + 0.2
    rule = PairRule(a_plus=0.05, a_minus=0.06, bounds=bounds)
    expected = trace_stdp(pre, post, start, rule) - 1
    found = trace_stdp(pre, post, start - 1, rule._replace(w_min=-1.0, w_max=0.0))
    assert torch.allclose(found, expected, atol=1e-13) and (found - start + 1).abs().min() > 1e-4
    assert trace_stdp(pre, post, rule=rule._replace(bounds="hard", w_min=-1.0, w_max=0.0)).max() <= 0
    above = trace_stdp(*quiet(), rule=PairRule(bounds="hard", w_min=0.2))
    assert above.item() == pytest.approx(0.2)                            # where zeros lie outside


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_small_changes_are_not_lost_in_half_precision(dtype):
    pre, post, start = coins(0.1, 2000, 4, seed=1), coins(0.1, 2000, 3, seed=2), torch.full((3, 4), 0.5, dtype=FLOAT)
    rule = PairRule(a_plus=0.002, a_minus=0.003, bounds="hard")
    exact = trace_stdp(pre, post, start, rule)
    found = trace_stdp(pre.to(dtype), post.to(dtype), start.to(dtype), rule)
    assert found.dtype == dtype and (found.double() - exact).abs().max() < 0.01 * exact.max()


def test_scalars_of_numpy_are_numbers():
    rule = PairRule(a_plus=0.05, bounds="soft")
    wide = PairRule(*(np.float64(value) if isinstance(value, float) else value for value in rule))
    pre, post = coins(0.3, 50, 3).float(), coins(0.3, 50, 2, seed=1).float()
    for pairs in ("all", "nearest"):
        found = trace_stdp(pre, post, rule=wide, pairs=pairs)
        assert found.dtype == torch.float32 and torch.equal(found, trace_stdp(pre, post, rule=rule, pairs=pairs))
    assert stdp_window(torch.ones(2), wide).dtype == torch.float32
    assert pair_stdp(np.array([1, 5]), np.array([3.0])) == pair_stdp([1, 5], (3,))
    assert pair_stdp(torch.tensor([1, 5]), range(3, 4)) == pair_stdp([1, 5], (3,))
    assert expected_drift(np.float32(0.5), np.float64(0.5)) == expected_drift(0.5, 0.5)


def test_the_cures_for_spike_times_work():
    times = torch.tensor([3.0, 1.0, 3.0])
    with pytest.raises(ValueError, match=r"Use sorted\(set\(times\)\), of a tensor times.unique\(\)"):
        pair_stdp(times, [2])
    assert pair_stdp(times.unique(), [2]) == pair_stdp(sorted(set(times.tolist())), [2])


ONE, OFF = torch.ones(1), torch.zeros(1)


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: stdp_step(ONE, OFF, None, torch.zeros(1, 1)), TypeError, r"traces must be Traces\(pre, post\), got NoneType"),
    (lambda: stdp_step(ONE, OFF, (OFF, OFF), torch.zeros(1, 1)), TypeError, r"Traces\(torch.zeros_like\(pre\)"),
    (lambda: stdp_step(ONE, OFF, Traces(OFF, torch.zeros(2)), torch.zeros(1, 1)), ValueError, r"traces.post must be \(1,\)"),
    (lambda: stdp_step(ONE, OFF, Traces(OFF * math.nan, OFF), torch.zeros(1, 1)), ValueError, "traces.pre holds NaN"),
    (lambda: stdp_step(ONE, OFF, Traces(OFF, OFF), torch.zeros(1, 1).double()), TypeError, "weight is torch.float64 and pre"),
    (lambda: stdp_step(ONE, OFF.double(), Traces(OFF, OFF), torch.zeros(1, 1)), TypeError, "post is torch.float64 and pre is"),
    (lambda: stdp_step(ONE, OFF, Traces(OFF, OFF), None), TypeError, "weight must be a torch.Tensor"),
    (lambda: stdp_step(ONE, OFF, Traces(OFF, OFF), torch.zeros(2, 1)), ValueError, r"weight must be \(1, 1\) \[..., H, I\]"),
    (lambda: stdp_step(ONE * math.nan, OFF, Traces(OFF, OFF), torch.zeros(1, 1)), ValueError, "pre must hold spikes"),
    (lambda: stdp_step(ONE[None].expand(3, 1), OFF[None], Traces(OFF, OFF), torch.zeros(1, 1)), ValueError,
     "agree in all other"),
    (lambda: trace_stdp(ONE[None], OFF[None].double()), TypeError,
     "trace_stdp: post is torch.float64 and pre is torch.float32"),
    (lambda: stdp_window(ONE * math.nan), ValueError, "stdp_window: lag holds NaN"),
    (lambda: stdp_window(ONE, PairRule(a_plus=None)), TypeError, "stdp_window: rule.a_plus must be a number"),
    (lambda: stdp_window(ONE, PairRule(w_min=1.0)), ValueError, "rule.w_min must be below rule.w_max = 1.0, got 1.0"),
    (lambda: stdp_window(ONE, PairRule(tau_plus=math.inf)), ValueError, "rule.tau_plus must be above 0, got inf"),
    (lambda: pair_stdp(None, [1]), TypeError,
     "pair_stdp: pre_times must be a list or a tensor .K. of spike times, got NoneType"),
    (lambda: pair_stdp([1], torch.ones(2, 2)), TypeError, "post_times must be a list or a tensor .K. .*Tensor torch.Size"),
    (lambda: pair_stdp({1: 2}, [1]), TypeError, "pre_times must be a list .*got dict"),
    (lambda: pair_stdp(range(10**5), range(10**5)), ValueError, "100000 x 100000 pairs, which takes too long. Use trace_stdp"),
    (lambda: triplet_stdp("123", [1]), TypeError, "triplet_stdp: pre_times must be a list"),
    (lambda: expected_drift(torch.ones(2), 0.1), TypeError, "expected_drift: rate_pre must be a number"),
])
def test_what_users_hold_is_refused_in_our_words(call, error, message):
    with pytest.raises(error, match=message):
        call()
