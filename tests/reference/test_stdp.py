"""STDP: window, pairs, traces, triplets, drift and the winner-take-all layer against closed forms and written-out sums."""
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snnteach.stdp import (
    PairRule,
    Traces,
    TripletRule,
    WinnerTakeAll,
    assign_labels,
    expected_drift,
    pair_stdp,
    stdp_step,
    stdp_window,
    trace_stdp,
    train_wta,
    triplet_stdp,
    vote,
    wta_forward,
    wta_learn,
    wta_start,
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
    (lambda: pair_stdp([1, math.nan], [2]), "pre_times must be finite"),
    (lambda: pair_stdp([1], [2], PairRule(tau_plus=-20.0)), "pair_stdp: tau_plus must be positive, got -20.0"),
    (lambda: stdp_window(torch.zeros(1), PairRule(tau_minus=0.0)), "stdp_window: tau_minus must be positive"),
    (lambda: expected_drift(0.1, 0.1, PairRule(tau_minus=-1.0)), "expected_drift: tau_minus must be positive"),
    (lambda: triplet_stdp([1], [2], TripletRule(tau_y=-1.0)), "triplet_stdp: tau_y must be positive"),
    (lambda: triplet_stdp([1], [2], TripletRule(a3_plus=-1.0)), "triplet_stdp: a3_plus must not be negative"),
    (lambda: stdp_window(torch.zeros(1), PairRule(a_minus=-0.01)), "stdp_window: a_minus must not be negative"),
    (lambda: pair_stdp([1], [2], PairRule(bounds="soft")), "a sum over pairs has no bounds.*trace_stdp"),
    (lambda: pair_stdp([1], [2], pairs="some"), "pairs must be one of 'all', 'nearest', got 'some'"),
    (lambda: trace_stdp(torch.zeros(5, 1), torch.zeros(4, 1)), "must last equally long, got 5 and 4"),
    (lambda: trace_stdp(torch.zeros(5, 2, 1), torch.zeros(5, 1)), r"pre must be \[T, I\], got shape \(5, 2, 1\)"),
    (lambda: trace_stdp(torch.full((5, 1), 0.5), torch.zeros(5, 1)), "pre must hold spikes, 0 or 1"),
    (lambda: trace_stdp(torch.zeros(5, 2), torch.zeros(5, 3), torch.zeros(2, 3)), r"weight must be \(3, 2\) \[H, I\]"),
    (lambda: trace_stdp(torch.zeros(0, 2), torch.zeros(0, 3)), "first axis of at least 1"),
    (lambda: trace_stdp(torch.zeros(5, 1), torch.zeros(5, 1), rule=PairRule(bounds="firm")), "bounds must be one of"),
    (lambda: expected_drift(1.2, 0.1), "rate_pre must be between 0 and 1, got 1.2"),
    (lambda: wta_start(10, 4, threshold=-1.0), "wta_start: threshold must be positive"),
    (lambda: wta_forward(torch.zeros(5, 4), wta_start(2, 4)), "spk must be .T, B, I."),
    (lambda: wta_forward(torch.zeros(5, 1, 3), wta_start(2, 4)), r"\(5, 1, 4\) to fit the layer's weights, got shape \(5"),
    (lambda: wta_forward(torch.zeros(5, 1, 4), wta_start(2, 4), beta=1.1), "beta must be between 0 and 1"),
    (lambda: wta_learn(torch.zeros(5, 1, 4), torch.zeros(5, 1, 3), wta_start(2, 4)), r"out must be \(5, 1, 2\).*got"),
    (lambda: wta_learn(torch.zeros(5, 1, 4), torch.zeros(5, 1, 2), wta_start(2, 4), decay=2.0), "decay must be between"),
    (lambda: wta_learn(torch.zeros(5, 1, 4), torch.zeros(5, 1, 2), wta_start(2, 4), rise=-1.0), "rise must not be negative"),
    (lambda: train_wta(wta_start(2, 4), torch.zeros(3, 4), encode=None, epochs=0), "epochs must be positive"),
    (lambda: assign_labels(torch.zeros(3, 2), torch.zeros(4).long()), "3 rows of counts but 4 targets"),
    (lambda: vote(torch.zeros(3, 2), torch.zeros(3).long()), "2 neurons but 3 labels"),
])
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(("call", "message"), [
    (lambda: stdp_window(3.0), "lag must be a floating-point tensor"),
    (lambda: pair_stdp([1], [2], 0.01), "must be a PairRule"),
    (lambda: triplet_stdp([1], [2], PairRule()), "must be a TripletRule"),
    (lambda: trace_stdp([[1]], torch.zeros(1, 1)), "pre must be a torch.Tensor"),
    (lambda: pair_stdp(["a"], [2]), "pre_times must be a number"),
    (lambda: vote(torch.zeros(3, 2).long(), torch.zeros(2).long()), "counts must be floating point"),
])
def test_wrong_types_are_named(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def test_one_winner_a_step_and_everybody_starts_again():
    generator = torch.Generator().manual_seed(0)
    layer = wta_start(7, 12, threshold=1.2, generator=generator)
    spk = (torch.rand(40, 5, 12, generator=generator) < 0.2).float()
    out = wta_forward(spk, layer)
    assert out.shape == (40, 5, 7) and out.sum(-1).max() == 1 and out.sum() > 20
    for b in range(5):
        mem = torch.zeros(7)
        for t in range(40):
            mem = 0.99 * mem + layer.weight @ spk[t, b]
            expected = torch.zeros(7)
            if (mem - layer.threshold).max() > 0:
                expected[(mem - layer.threshold).argmax()] = 1
                mem = torch.zeros(7)
            assert torch.equal(out[t, b], expected)


def test_learning_is_the_written_out_rule():
    generator = torch.Generator().manual_seed(1)
    layer = wta_start(4, 6, threshold=0.8, generator=generator)
    spk = (torch.rand(30, 3, 6, generator=generator) < 0.2).float()
    out = wta_forward(spk, layer)
    change, trace = torch.zeros(4, 6), torch.zeros(3, 6)
    for t in range(30):
        trace = 0.9 * trace + spk[t]
        change += torch.einsum("bn,bi->ni", out[t], trace - 0.1)
    weight = (layer.weight + 0.02 * change).clamp(min=0)
    plain = wta_learn(spk, out, layer, learning_rate=0.02, offset=0.1, decay=0.9, rise=0.0, normalise=False)
    assert torch.allclose(plain.weight, weight, atol=1e-6) and torch.equal(plain.threshold, layer.threshold)
    full = wta_learn(spk, out, layer, learning_rate=0.02, offset=0.1, decay=0.9, rise=0.5)
    assert torch.allclose(full.weight, weight / weight.norm(dim=1, keepdim=True), atol=1e-6)
    assert torch.allclose(full.threshold, layer.threshold + 0.5 * out.sum((0, 1)))


def test_silence_teaches_nothing():
    layer = wta_start(4, 6)
    spk = torch.zeros(5, 2, 6)
    after = wta_learn(spk, wta_forward(spk, layer), layer)
    assert torch.allclose(after.weight, layer.weight) and torch.equal(after.threshold, layer.threshold)


def test_a_winner_must_be_above_its_threshold():
    layer = WinnerTakeAll(torch.tensor([[0.5, 0.5]]), torch.ones(1))
    assert not wta_forward(torch.ones(1, 1, 2), layer).any() and wta_forward(torch.ones(2, 1, 2), layer)[1].item() == 1


def test_training_is_the_written_out_loop():
    """In a new random order each epoch, with a learning rate that falls, and with the constants that were passed."""
    images, generator = torch.rand(20, 6, generator=torch.Generator().manual_seed(0)), torch.Generator().manual_seed(1)
    start, constants = wta_start(4, 6, threshold=0.5, generator=generator), {"offset": 0.1, "rise": 0.3, "decay": 0.8}
    state, layer = generator.get_state(), start
    found = train_wta(start, images, encode=lambda x: x.expand(5, *x.shape), epochs=2, batch_size=8, learning_rate=0.1,
                      generator=generator, **constants)
    for epoch in range(2):
        seen = 20 * epoch
        for chosen in torch.randperm(20, generator=generator.set_state(state) if seen == 0 else generator).split(8):
            spk = images[chosen].expand(5, -1, -1)
            layer = wta_learn(spk, wta_forward(spk, layer), layer, learning_rate=0.1 * (1 - seen / 40), **constants)
            seen += len(chosen)
    assert torch.equal(found.weight, layer.weight) and torch.equal(found.threshold, layer.threshold)
    assert not torch.allclose(found.weight, start.weight, atol=0.05)


def test_training_repeats_and_reports_progress():
    images, seen = torch.eye(4).repeat(10, 1), []

    def learn():
        generator = torch.Generator().manual_seed(3)
        return train_wta(wta_start(5, 4, generator=generator), images, encode=lambda x: x.expand(20, *x.shape), epochs=1,
                         generator=generator, progress=lambda layer, count: seen.append(count))

    assert torch.equal(learn().weight, learn().weight) and seen[:3] == [16, 32, 40]


def test_labels_are_means_not_sums_and_silence_has_no_label():
    counts, targets = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [2.0, 0.0]]), torch.tensor([0, 0, 0, 1])
    assert assign_labels(counts, targets, 2).tolist() == [1, -1]
    assert vote(torch.tensor([[3.0, 1.0, 1.0]]), torch.tensor([0, 1, -1])).item() == 0
    assert vote(torch.tensor([[0.0, 0.0, 4.0]]), torch.tensor([0, 1, -1])).item() == -1


def test_the_layer_reads_unseen_noisy_patterns_without_labels():
    generator = torch.Generator().manual_seed(0)
    prototypes = (torch.rand(4, 60, generator=generator) < 0.3).float()

    def draw(number):
        targets = torch.randint(4, (number,), generator=generator)
        return prototypes[targets] * torch.rand(number, 60, generator=generator), targets

    def encode(x):
        return (torch.rand(50, *x.shape, generator=generator) < 0.8 * x / x.norm(dim=1, keepdim=True)).float()

    layer = wta_start(12, 60, generator=generator)
    layer = train_wta(layer, draw(400)[0], encode=encode, learning_rate=0.02, generator=generator)
    images, targets = draw(200)
    labels = assign_labels(wta_forward(encode(images), layer).sum(0), targets, 4)
    images, targets = draw(200)
    answers = vote(wta_forward(encode(images), layer).sum(0), labels, 4)
    assert (answers == targets).float().mean() > 0.9
    assert isinstance(layer, WinnerTakeAll) and layer.weight.norm(dim=1).sub(1).abs().max() < 1e-5
