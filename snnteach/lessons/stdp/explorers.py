"""Explorers of notebook 14: traces that add up pairs, and what window, rate and correlation make of a hundred weights."""
import math

import torch

from ...plots import COLORS
from ...stdp import PairRule, expected_drift, stdp_window
from ..kinds import Choice, Control, Explorer, Page

_BEFORE, _AFTER = torch.linspace(-80, -0.01, 200), torch.linspace(0.01, 80, 200)
_GAP = torch.tensor([math.nan])                         # the window jumps at 0: no line is drawn there
_BINS = torch.linspace(0, 1, 21)
START = torch.rand(100, generator=torch.Generator().manual_seed(0))                            # [I]
GROUP = 30                                              # the first 30 of 100 inputs share volleys
GAIN = 0.02                                             # chance that a spike at weight 1 makes the neuron fire a step later


def mean_drift(weight, rate, correlation, rule, *, causes=True):
    """Mean weight change per step of a neuron that fires with probability GAIN times its input of the step before, [I].

    The inputs fire with probability `rate`; two of the group correlate with `correlation` in the same step. Without `causes`
    the neuron fires as often, but at random.
    """
    own = weight.clone()                                                    # sum over j of w_j cov(i, j) / (p (1 - p))
    own[:GROUP] = (1 - correlation) * weight[:GROUP] + correlation * weight[:GROUP].sum()
    causal = causes * rule.a_plus * math.exp(-1 / rule.tau_plus) * GAIN * rate * (1 - rate) * own
    output = GAIN * rate * weight.sum().item()                              # firing probability of the neuron
    up = expected_drift(rate, output, rule._replace(a_minus=0.0)) + causal
    down = expected_drift(rate, output, rule._replace(a_plus=0.0))
    return up * (rule.w_max - weight) + down * weight if rule.bounds == "soft" else up + down


def settle(rate, correlation, rule, num_steps=50, *, causes=True):
    """Follow 100 random weights along their mean drift until they rest, [I], in steps of at most .15, smaller and smaller."""
    weight = START
    for step in range(num_steps):
        drift = mean_drift(weight, rate, correlation, rule, causes=causes)
        free = (weight - (drift < 0).float()).abs() < 1                     # not held by a bound
        fastest = (drift.abs() * free).max().clamp(min=1e-12)
        weight = (weight + 0.15 * (1 - step / num_steps) * drift / fastest).clamp(0, 1)
    return weight


def compute_weights(ratio, tau_minus, rate, correlation, bounds):
    """Return the window of a rule and the histograms of the weights on which both groups of inputs settle."""
    rule = PairRule(a_minus=0.01 * ratio, tau_minus=tau_minus, bounds=bounds)
    weight = settle(rate, correlation, rule)
    parts = [torch.histogram(part, _BINS).hist for part in (weight[:GROUP], weight[GROUP:])]
    sides = [100 * stdp_window(lags, rule) for lags in (_BEFORE, _AFTER)]
    return {"window": torch.cat([sides[0], _GAP, sides[1]]), "group": parts[0], "others": parts[1],
            "means": (weight[:GROUP].mean().item(), weight[GROUP:].mean().item()),
            "area": tau_minus * ratio / rule.tau_plus}


def build_weights(fig):
    """Left the window, right the histogram of the weights it ends with."""
    left, right = fig.subplots(1, 2, width_ratios=(1, 1.2))
    left.set(xlim=(-80, 80), ylim=(-2.2, 1.3), xlabel="post minus pre (steps)", ylabel="weight change (% of w_max)")
    left.set_title("The window")
    left.axhline(0, color="0.6", linewidth=0.8)
    left.axvline(0, color="0.6", linewidth=0.8)
    right.set(xlim=(0, 1), ylim=(0, 100), xlabel="weight / w_max", ylabel="inputs")
    right.set_title("What it makes of 100 weights")
    artists = {
        "window": left.plot([], [], color=COLORS["blue"])[0],
        "others": right.stairs(torch.zeros(20), _BINS, color="0.6", fill=True, label="70 independent inputs"),
        "group": right.stairs(torch.zeros(20), _BINS, color=COLORS["vermillion"], linewidth=2,
                              label="group of 30, correlated as set"),
        "area": left.text(0.04, 0.05, "", transform=left.transAxes, fontsize=9),
        "means": right.text(0.5, 0.72, "", transform=right.transAxes, ha="center", fontsize=9),
    }
    right.legend(loc="upper center", fontsize=9)
    return artists


def update_weights(artists, data):
    """Move the window and the histograms."""
    artists["window"].set_data(torch.cat([_BEFORE, _GAP, _AFTER]), data["window"])
    for name in ("group", "others"):
        artists[name].set_data(data[name].numpy())
    artists["area"].set_text(f"area down / area up\n= {data['area']:.2f}")
    group, others = data["means"]
    artists["means"].set_text(f"mean: group {group:.2f}, others {others:.2f}")


_STEPS = 120


def follow(pre, post, pairs, dtype=torch.float32):
    """Run one synapse whose neurons fire at the steps `pre` and `post`; return trains, traces and weight change, [T] each.

    The change is in percent of the largest weight; `pairs` are "all" or "nearest".
    """
    rule, nearest, early, late = PairRule(), pairs == "nearest", {*pre}, {*post}
    x = y = change = 0.0
    data = {"pre": [], "post": [], "x": [], "y": [], "change": []}
    for t in range(_STEPS):
        pre_t, post_t = t in early, t in late
        x, y = x * math.exp(-1 / rule.tau_plus), y * math.exp(-1 / rule.tau_minus)
        change += 100 * (rule.a_plus * post_t * x - rule.a_minus * pre_t * y)
        x, y = (max(x, pre_t), max(y, post_t)) if nearest else (x + pre_t, y + post_t)
        for name, value in zip(data, (pre_t, post_t, x, y, change), strict=True):
            data[name].append(float(value))
    return {name: torch.tensor(values, dtype=dtype) for name, values in data.items()}


def compute_traces(lag, period, pairs, dtype=torch.float32):
    """Run one synapse under regular pairs of spikes, the first pre spike at step 20."""
    return follow(range(20, _STEPS, period), range(20 + lag, _STEPS, period), pairs, dtype)


def build_traces(fig):
    """Spikes and traces above, the weight below."""
    top, bottom = fig.subplots(2, 1, sharex=True, height_ratios=(1.4, 1))
    top.set(xlim=(0, _STEPS), ylim=(-3.4, 3.4), yticks=(-2, 0, 2), yticklabels=("2", "0", "2"), ylabel="trace")
    top.set_title("A post spike reads the pre trace, and the other way round")
    top.axhline(0, color="0.6", linewidth=0.8)
    top.text(1, 2.6, "pre", color=COLORS["blue"])
    top.text(1, -3.0, "post", color=COLORS["vermillion"])
    bottom.set(ylim=(-9, 9), xlabel="time step", ylabel="change (% of w_max)")
    bottom.axhline(0, color="0.6", linewidth=0.8)
    return {
        "x": top.plot([], [], color=COLORS["blue"])[0],
        "y": top.plot([], [], color=COLORS["vermillion"], linestyle="--")[0],
        "pre": top.plot([], [], "|", color=COLORS["blue"], markersize=9, markeredgewidth=2)[0],
        "post": top.plot([], [], "|", color=COLORS["vermillion"], markersize=9, markeredgewidth=2)[0],
        "change": bottom.plot([], [], color="black", drawstyle="steps-post")[0],
        "text": bottom.text(0.02, 0.85, "", transform=bottom.transAxes),
    }


def update_traces(artists, data):
    """Move spikes, traces and weight."""
    time = torch.arange(_STEPS)
    artists["x"].set_data(time, data["x"])
    artists["y"].set_data(time, -data["y"])
    for name, height in (("pre", 3.0), ("post", -3.0)):
        when = time[data[name] > 0]
        artists[name].set_data(when, torch.full_like(when, height, dtype=torch.float))
    artists["change"].set_data(time, data["change"])
    artists["text"].set_text(f"after {_STEPS} steps: {data['change'][-1]:+.2f} %")


EXPLORERS = {
    "weights": Explorer(
        compute_weights, build_weights, update_weights, size=(7.0, 3.6),
        controls={"ratio": Control(1.05, 0.5, 2.0, 0.05, "A- / A+", "ratio"),
                  "tau_minus": Control(20.0, 5.0, 40.0, 1.0, "tau of depression", "steps"),
                  "rate": Control(0.02, 0.005, 0.1, 0.005, "rate", "1/step"),
                  "correlation": Control(0.0, 0.0, 0.5, 0.02, "correlation", "0 to 1"),
                  "bounds": Choice("hard", ("hard", "soft"), "bounds")},
        sweeps=(("correlation", {}), ("ratio", {})),
        alt="Left, the STDP window; right, the histogram of 100 weights after learning, 30 of whose inputs correlate as set. "
            "Without correlation hard bounds drive each weight to one end; with it the group wins; soft bounds blur both."),
    "traces": Explorer(
        compute_traces, build_traces, update_traces, size=(6.4, 4.2),
        controls={"lag": Control(10, -20, 20, 1, "post minus pre", "steps"),
                  "period": Control(50, 21, 80, 1, "time between pairs", "steps"),
                  "pairs": Choice("all", ("all", "nearest"), "pairs")},
        sweeps=(("lag", {}),),
        alt="Above, spikes of two neurons and their decaying traces; below, the weight, which steps up at each post spike by "
            "the pre trace and down at each pre spike by the post trace."),
}

PAGES = {"traces": Page("Two traces and a weight", dict)}
