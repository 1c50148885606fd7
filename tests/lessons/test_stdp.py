"""Notebook 14: its listings against the package, its exercises, its explorers and its stored study."""
import inspect
import math
from types import SimpleNamespace

import pytest
import torch

from snnteach import stdp as reference
from snnteach import stored as read_stored
from snnteach import winner_take_all as layers
from snnteach.lessons.stdp import measured
from snnteach.lessons.stdp.answers import library
from snnteach.lessons.stdp.explorers import GAIN, GROUP, START, mean_drift, settle
from snnteach.reader.judge import judge
from snnteach.reader.lookup import exercise as find
from snnteach.reader.lookup import explorer as find_explorer
from snnteach.stdp import PairRule, TripletRule
from tests.drawing import background, film, filmed, pictures
from tests.listings import namespace

FLOAT = torch.float64


@pytest.fixture(scope="module")
def shown():
    return namespace("stdp")


def test_the_listings_are_the_package(shown):
    rule = PairRule(0.02, 0.013, 11.0, 23.0)
    lag = torch.linspace(-70, 70, 141, dtype=FLOAT)
    assert torch.allclose(shown["stdp_window"](lag, rule), reference.stdp_window(lag, rule), rtol=1e-14)
    pre, post = [1, 4, 9, 30, 31], [0, 4, 12, 33]
    for pairs in ("all", "nearest"):
        ours = shown["pair_stdp"](pre, post, rule, pairs=pairs)
        assert ours == pytest.approx(reference.pair_stdp(pre, post, rule, pairs=pairs), rel=1e-12) and ours != 0
    assert shown["triplet_stdp"](pre, post) == pytest.approx(reference.triplet_stdp(pre, post), rel=1e-12)
    assert shown["triplet_stdp"](pre, post, TripletRule(a2_plus=0.01)) != shown["triplet_stdp"](pre, post)


@pytest.mark.parametrize("bounds", ["none", "hard", "soft"])
@pytest.mark.parametrize("pairs", ["all", "nearest"])
def test_the_listing_of_one_step_is_the_package(shown, bounds, pairs):
    generator = torch.Generator().manual_seed(0)
    pre, post = ((torch.rand(80, n, generator=generator) < 0.2).to(FLOAT) for n in (4, 3))
    rule, weight = PairRule(0.1, 0.12, bounds=bounds), torch.rand(3, 4, generator=generator, dtype=FLOAT)
    traces, start = reference.Traces(torch.zeros(4, dtype=FLOAT), torch.zeros(3, dtype=FLOAT)), weight
    for pre_t, post_t in zip(pre, post, strict=True):
        weight, traces = shown["stdp_step"](pre_t, post_t, traces, weight, rule, pairs=pairs)
    assert torch.allclose(weight, reference.trace_stdp(pre, post, start, rule, pairs=pairs), rtol=1e-12)


def test_the_listings_of_the_layer_are_the_package(shown):
    generator = torch.Generator().manual_seed(1)
    layer, spk = layers.wta_start(9, 20, generator=generator), (torch.rand(60, 4, 20, generator=generator) < 0.2).float()
    out = layers.wta_forward(spk, layer)
    assert torch.equal(shown["wta_forward"](spk, layer), out) and out.sum() > 20
    for options in ({}, {"normalise": False, "rise": 0.0}, {"learning_rate": 0.1, "offset": 0.3, "decay": 0.5}):
        ours, theirs = (f(spk, out, layer, **options) for f in (shown["wta_learn"], layers.wta_learn))
        assert torch.allclose(ours.weight, theirs.weight, atol=1e-6) and torch.equal(ours.threshold, theirs.threshold)
    defaults = [inspect.signature(f).parameters.items() for f in (shown["wta_learn"], layers.wta_learn)]
    assert [(name, p.default) for name, p in defaults[0]] == [(name, p.default) for name, p in defaults[1]]
    counts, labels = torch.rand(30, 9, generator=generator).round(), torch.tensor([0, 1, 2, 3, 4, 5, 6, -1, 9])
    assert torch.equal(shown["vote"](counts, labels), layers.vote(counts, labels))


def test_exercises_agree_with_the_package():
    rule = PairRule(0.01, 0.012)
    assert find("14.1").reference == pytest.approx(reference.pair_stdp([0, 30], [10], rule), rel=1e-12)
    assert find("14.2").reference == pytest.approx(reference.pair_stdp([12], [7], PairRule(1.0, 1.0, 10.0, 10.0)), rel=1e-12)
    train = (torch.rand(50, 6, generator=torch.Generator().manual_seed(0)) < 0.3).float()
    traces, trace = reference.Traces(torch.zeros(6), torch.zeros(6)), torch.zeros(6)
    for spk in train:
        _, traces = reference.stdp_step(spk, spk, traces, torch.zeros(6, 6), rule, pairs="nearest")
        trace = find("14.3").reference(trace, spk, 20.0)
    assert torch.allclose(trace, traces.pre)
    assert reference.expected_drift(0.1, 0.1, PairRule(1.0, find("14.4").reference, 20.0, 40.0)) == pytest.approx(0, abs=1e-12)
    soft, w = PairRule(0.5, 0.0, bounds="soft", w_max=2.0), torch.tensor([[0.3]])
    one, off = torch.ones(1), torch.zeros(1)
    stepped, _ = reference.stdp_step(off, one, reference.Traces(one, off), w, soft)
    up = torch.full((1, 1), 0.5 * math.exp(-1 / 20))
    assert torch.allclose(stepped, find("14.5").reference(w, up, torch.zeros(1, 1), 2.0))
    assert 1 - find("14.6").reference == pytest.approx(1.5 * find("14.6").reference)
    counts, targets = torch.rand(40, 6, generator=torch.Generator().manual_seed(2)), torch.arange(40) % 10
    assert torch.equal(find("14.7").reference(counts, targets), layers.assign_labels(counts, targets))


def test_the_hidden_libraries_are_what_the_answer_calls_them():
    trains = (torch.rand(2, 200, generator=torch.Generator().manual_seed(0)) < 0.2).float()
    pre, post = (train.nonzero().flatten().tolist() for train in trains)
    together = len({*pre} & {*post})
    for up, down, tau in ((0.01, 0.012, 20.0), (0.2, 0.5, 4.0)):
        right, late, turned = (library(up, down, tau, **flaw)(*trains)
                               for flaw in ({}, {"write_first": True}, {"turned": True}))
        assert right == pytest.approx(reference.pair_stdp(pre, post, PairRule(up, down, tau, tau)), rel=1e-9)
        assert turned == -right and late - right == pytest.approx(together * (up - down)) and together
    assert [find("14.9").reference(*case) for case in find("14.9").cases] == 2 * ["right", "order", "sign"]


def test_naming_the_neurons_has_one_answer_however_ties_are_broken():
    for counts, targets in find("14.7").cases:
        best, second = torch.stack([counts[targets == digit].mean(0) for digit in range(10)]).topk(2, 0).values
        assert (best - second).min() > 0.1


def test_a_rounded_answer_is_right():
    assert judge(find("14.2"), -0.61)[0] == "right" and judge(find("14.2"), -0.6)[0] == "not yet"


def test_the_mean_drift_of_the_explorer_is_that_of_a_simulation():
    rate, correlation, rule = 0.1, 0.3, PairRule(a_minus=0.009)
    generator = torch.Generator().manual_seed(0)
    steps, runs, weight = 3000, 60, torch.linspace(0.1, 0.9, 100)
    shared = torch.rand(steps, runs, 1, generator=generator) < rate                                 # [T, runs, 1]
    own = torch.rand(steps, runs, 100, generator=generator) < rate
    follows = torch.rand(steps, runs, 100, generator=generator) < math.sqrt(correlation)
    follows[..., GROUP:] = False
    pre = torch.where(follows, shared, own).float()
    chance = GAIN * (pre @ weight)                                                                 # [T, runs]
    post = torch.zeros(steps, runs)
    post[1:] = (torch.rand(steps - 1, runs, generator=generator) < chance[:-1]).float()
    total, traces = torch.zeros(runs, 1, 100), reference.Traces(torch.zeros(runs, 100), torch.zeros(runs, 1))
    for pre_t, post_t in zip(pre, post, strict=True):
        total, traces = reference.stdp_step(pre_t, post_t[:, None], traces, total, rule)
    found, law = total[:, 0].mean(0) / steps, mean_drift(weight, rate, correlation, rule)
    for part in (slice(None, GROUP), slice(GROUP, None)):
        error = (found[part].mean() - law[part].mean()).abs()
        assert error < 0.1 * law[part].mean().abs() + 2e-6
    assert law[:GROUP].mean() > law[GROUP:].mean() + 5e-6


def test_explorers_say_what_the_notebook_says():
    weights, traces = find_explorer("stdp.weights"), find_explorer("stdp.traces")
    alone = weights.compute(**weights.start())
    assert alone["others"][[0, -1]].sum() + alone["group"][[0, -1]].sum() > 95
    assert weights.compute(**{**weights.start(), "correlation": 0.1})["means"][0] == 1
    assert weights.compute(**{**weights.start(), "ratio": 0.9})["means"] == (1, 1)
    for pairs in ("all", "nearest"):
        for lag in (-20, -3, 0, 7, 20):
            data = traces.compute(lag=lag, period=30, pairs=pairs)
            pre, post = (data[name].nonzero().flatten().tolist() for name in ("pre", "post"))
            assert data["change"][-1].item() == pytest.approx(100 * reference.pair_stdp(pre, post, pairs=pairs), abs=1e-4)


def test_the_stored_study_keeps_what_was_promised():
    stored = read_stored("stdp")
    learned = stored["learned: accuracy"]
    assert sum(learned) / 3 >= 0.81 and max(stored["learned: seconds of training"]) <= 60
    for control in ("random fields", "training images as fields", "fixed threshold 10", "fixed threshold 20", "no homeostasis",
                    "no normalisation"):
        assert max(stored[f"{control}: accuracy"]) < min(learned)
    assert sum(stored["trace never fades: accuracy"]) / 3 == pytest.approx(sum(learned) / 3, abs=0.01)


@pytest.mark.parametrize("bounds", ["hard", "soft"])
@pytest.mark.parametrize("ratio", [0.8, 1.05, 1.6])
def test_weights_settle_where_nothing_pulls_them_any_more(bounds, ratio):
    rule = PairRule(a_minus=0.01 * ratio, bounds=bounds)
    weight = settle(0.02, 0.1, rule)
    drift = mean_drift(weight, 0.02, 0.1, rule)
    held = (weight == 0) & (drift < 0) | (weight == 1) & (drift > 0)
    still = (weight - settle(0.02, 0.1, rule, num_steps=49)).abs() < 0.01
    assert (held | still).sum() >= 95 and 0 <= weight.min() and weight.max() <= 1
    assert held.any() == (bounds == "hard") and not torch.equal(weight, START)



def test_the_picture_of_a_hundred_weights():
    lags = torch.cat([torch.linspace(-80, -0.01, 200), torch.tensor([math.nan]), torch.linspace(0.01, 80, 200)])
    edges = torch.arange(21) / 20
    for picture, s in pictures("stdp.weights"):
        rule = PairRule(0.01, 0.01 * s["ratio"], 20.0, s["tau_minus"], bounds=s["bounds"])
        weight = settle(s["rate"], s["correlation"], rule)
        change = torch.where(lags > 0, torch.exp(-lags / 20), -s["ratio"] * torch.exp(lags / s["tau_minus"]))  # % of w_max
        picture.line("window", lags, torch.where(lags.isnan(), lags, change), "blue")
        for name, part, color, label in (("others", weight[30:], "0.6", "70 independent inputs"),
                                         ("group", weight[:30], "vermillion", "group of 30, correlated as set")):
            counts = [((part >= low) & ((part < high) | ((high == 1) & (part == 1)))).sum()
                      for low, high in zip(edges, edges[1:], strict=False)]
            picture.stairs(name, counts, edges, color, label)
        picture.over("others", "group")
        picture.says("area", "area down / area up\n= {}", s["ratio"] * s["tau_minus"] / 20)
        picture.says("means", "mean: group {}, others {}", weight[:30].mean(), weight[30:].mean())


def test_the_picture_of_the_traces():
    time = torch.arange(120)
    for picture, s in pictures("stdp.traces"):
        lag, period, nearest = s["lag"], s["period"], s["pairs"] == "nearest"
        pre, post = (list(range(first, 120, period)) for first in (20, 20 + lag))
        def trace(spikes, nearest=nearest):
            past = [[math.exp(-(t - spike) / 20) for spike in spikes if spike <= t] for t in time.tolist()]
            return [max(values, default=0) if nearest else sum(values) for values in past]
        past = [[[spike for spike in spikes if spike <= t] for spikes in (pre, post)] for t in time.tolist()]
        change = [100 * reference.pair_stdp(*both, pairs=s["pairs"]) if all(both) else 0 for both in past]
        picture.line("x", time, trace(pre), "blue")
        picture.line("y", time, [-value for value in trace(post)], "vermillion", "--")
        picture.points("pre", pre, [3] * len(pre), "blue", "|")
        picture.points("post", post, [-3] * len(post), "vermillion", "|")
        picture.line("change", time, change, "black", steps="steps-post")
        picture.says("text", "after 120 steps: {} %", change[-1])


def test_what_stands_behind_the_pictures():
    weights, traces = background("stdp.weights"), background("stdp.traces")
    weights.axes("0", "The window", ("post minus pre (steps)", -80, 80), ("weight change (% of w_max)", -2.2, 1.3))
    weights.rule("0.line0", "0.6", y=0)
    weights.rule("0.line1", "0.6", x=0)
    weights.axes("1", "What it makes of 100 weights", ("weight / w_max", 0, 1), ("inputs", 0, 100),
                 legend=("70 independent inputs", "group of 30, correlated as set"))
    traces.axes("0", "A post spike reads the pre trace, and the other way round", ("", 0, 120), ("trace", -3.4, 3.4),
                yticks={-2: "2", 0: "0", 2: "2"})
    traces.rule("0.line0", "0.6", y=0)
    traces.says("0.text0", "pre", at=(1, 2.6), color="blue")
    traces.says("0.text1", "post", at=(1, -3), color="vermillion")
    traces.axes("1", "", ("time step", 0, 120), ("change (% of w_max)", -9, 9))
    traces.rule("1.line0", "0.6", y=0)
    for behind in (weights, traces):
        behind.done()


def test_the_film_draws_the_fields_in_their_rows():
    fields = torch.rand(100, 784, generator=torch.Generator().manual_seed(0)) + 0.1
    (build, draw, snapshots), _ = filmed("stdp", snapshots=[(300, SimpleNamespace(weight=fields))])
    still, picture = film(build, draw, snapshots[0], width=3.8, height=3.9)
    wall = torch.full((202, 202), torch.nan)                               # seven fields of 28 pixels, a pixel between them
    for place in range(49):
        row, column = 29 * (place // 7), 29 * (place % 7)
        wall[row:row + 28, column:column + 28] = fields[place].view(28, 28) / fields[place].max()
    picture.image("0.image0", wall, "gray_r", (0, 1))
    picture.says("0.text0", "{} images seen", 300, at=(0, -4))
    picture.done()
    still.axes("0", "", ("", -1, 203), ("", 203, -16))
    still.done()


def test_the_step_of_the_exercise_is_the_package_up_to_the_first_spike():
    dice = torch.Generator().manual_seed(5)
    layer, spk = layers.wta_start(7, 12, 4.0, dice), (torch.rand(40, 12, generator=dice) < 0.2).float()
    out = layers.wta_forward(spk[:, None], layer)
    first = int(out.sum((1, 2)).argmax())
    taught = layers.wta_learn(spk[:first + 1, None], out[:first + 1], layer)
    mem, trace, (weight, threshold) = torch.zeros(7), torch.zeros(12), layer
    for t in range(first + 1):
        fired, mem, trace, weight, threshold = find("14.8").reference(spk[t], mem, trace, weight, threshold)
        assert torch.equal(fired, out[t, 0])
    assert fired.sum() == 1 and not mem.any() and first > 2
    assert torch.allclose(weight, taught.weight, atol=1e-6) and torch.allclose(threshold, taught.threshold)


def test_without_causes_the_neuron_fires_as_often_and_nobody_is_paid():
    rule, weight = PairRule(a_minus=0.009), torch.linspace(0.1, 0.9, 100)
    paid, unpaid = (mean_drift(weight, 0.1, 0.3, rule, causes=causes) for causes in (True, False))
    law = reference.expected_drift(0.1, GAIN * 0.1 * weight.sum().item(), rule)
    assert torch.allclose(unpaid, torch.full((100,), law), rtol=1e-5) and (paid > unpaid).all()


def test_the_experiments_are_timed_as_they_were():
    pre, post = measured.pairings(50, -10)
    assert len(pre) == 75 and pre[1] - pre[0] == 20 and pre[5] - pre[0] == 10_000 and post[3] - pre[3] == -10
    pre, post = measured.pairings(0.1, 10)
    assert len(pre) == 50 and pre[1] - pre[0] == 10_000 and min(post) > 0
    assert len(measured.pairings(40, 5, rows=10, pause=4000)[0]) == 50
