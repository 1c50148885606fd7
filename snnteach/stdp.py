"""Spike-timing dependent plasticity: pairs, traces, triplets, and how fast the weights of strangers drift."""
import math
from itertools import pairwise
from typing import NamedTuple

import torch

from ._arguments import (
    check_affordable,
    check_between,
    check_dtype,
    check_finite,
    check_fraction,
    check_numbers,
    check_option,
    check_shape,
    check_signal,
    check_spikes,
    check_tensor,
    check_that,
)

MOST_PAIRS = 10**8                                           # of spikes that one call may add up: a minute


class PairRule(NamedTuple):
    """Constants of pair STDP: two amplitudes, two time constants (in steps), and what keeps the weights in bounds.

    Args:
        a_plus, a_minus: largest potentiation and depression of one pair, not negative.
        tau_plus, tau_minus: time constants of the two sides, positive, in the unit of the spike times.
        bounds: "none", "hard" (clamped to [w_min, w_max]) or "soft" (potentiation scaled by w_max - w, depression by
            w - w_min). Weights that lie outside before the first step are refused.
        w_max, w_min: upper and lower bound of the weights. Inhibitory synapses, whose weights are negative, have
            w_min=-1.0, w_max=0.0: potentiation still moves a weight up, so it weakens the inhibition.

    >>> PairRule(a_minus=0.02).tau_plus
    20.0
    """

    a_plus: float = 0.01
    a_minus: float = 0.01
    tau_plus: float = 20.0
    tau_minus: float = 20.0
    bounds: str = "none"
    w_max: float = 1.0
    w_min: float = 0.0


class TripletRule(NamedTuple):
    """Constants of triplet STDP; the defaults are the minimal all-to-all fit to visual cortex, times in milliseconds.

    a2_plus, a2_minus: amplitudes of pairs; a3_plus, a3_minus: of triplets post-pre-post and pre-post-pre.
    tau_plus, tau_minus: time constants of the pair traces; tau_x, tau_y: of the slow traces, pre and post.

    >>> TripletRule().a2_plus, TripletRule().tau_y
    (0.0, 114.0)
    """

    a2_plus: float = 0.0
    a2_minus: float = 7.1e-3
    a3_plus: float = 6.5e-3
    a3_minus: float = 0.0
    tau_plus: float = 16.8
    tau_minus: float = 33.7
    tau_x: float = 101.0
    tau_y: float = 114.0


PAIR = PairRule()
TRIPLET = TripletRule()


def _check_rule(owner, rule):
    check_that(owner, isinstance(rule, PairRule),
               f"rule must be a PairRule, got {type(rule).__name__}. Write rule=PairRule(a_plus=0.02).", TypeError)
    check_numbers(owner, low=0, **{"rule.a_plus": rule.a_plus, "rule.a_minus": rule.a_minus})
    check_numbers(owner, above=0, **{"rule.tau_plus": rule.tau_plus, "rule.tau_minus": rule.tau_minus})
    check_numbers(owner, **{"rule.w_max": rule.w_max, "rule.w_min": rule.w_min})
    check_that(owner, rule.w_min < rule.w_max, f"rule.w_min must be below rule.w_max = {rule.w_max}, got {rule.w_min}.")
    check_option(owner, "rule.bounds", rule.bounds, ("none", "hard", "soft"))


def _check_times(owner, **trains):
    """A rule that forgets needs its spike times in order."""
    for name, times in trains.items():
        check_that(owner, isinstance(times, (list, tuple, range)) or getattr(times, "ndim", 0) == 1,
                   f"{name} must be a list or a tensor [K] of spike times, got {type(times).__name__} "
                   f"{str(getattr(times, 'shape', ''))}.", TypeError)
        check_that(owner, len(times), f"{name} must hold at least one spike time. A silent neuron has no pairs: skip it.")
        for time in _as_list(times):
            check_numbers(owner, **{name: time})
        check_that(owner, all(before < after for before, after in pairwise(_as_list(times))),
                   f"{name} must be in increasing order, got {str(times[:9])[:60]}. Use sorted(set(times)), of a tensor "
                   "times.unique().")


def _check_trains(owner, layouts, pre, post):
    for name, train, layout in (("pre", pre, layouts[0]), ("post", post, layouts[1])):
        check_signal(owner, name, train, layout=layout, dims=2 if "T" in layout else None, hint=" Pick one sample: x[:, b].")
        check_spikes(owner, name, train)
    check_dtype(owner, "post", post, "pre", pre)


def _check_weight(owner, weight, pre, shape, layout, rule):
    check_affordable(owner, "weight", *shape)
    if weight is not None:
        check_shape(owner, "weight", weight, shape, layout)
        check_dtype(owner, "weight", weight, "pre", pre)
        check_finite(owner, "weight", weight, "Look for it where the weights were computed.")
        if rule.bounds != "none":
            check_between(owner, "weight", weight, rule.w_min, rule.w_max, hint=" These are the bounds of the rule: move them "
                          "to where the weights are, rule._replace(w_min=..., w_max=...), or use "
                          "weight.clamp(rule.w_min, rule.w_max).")


def _as_list(times):
    return times.tolist() if hasattr(times, "tolist") else list(times)


def stdp_window(lag, rule=PAIR):
    """Give the weight change of one pair of spikes as a function of the time between them.

    dw = a_plus exp(-lag / tau_plus) if lag > 0,  -a_minus exp(lag / tau_minus) if lag < 0,  0 at 0;  lag = t_post - t_pre

    Args:
        lag: t_post - t_pre, any shape; positive where the presynaptic spike came first (the paper writes t_pre - t_post).
        rule: a `PairRule`; its bounds play no part here.

    Returns:
        Weight changes, same shape as lag.

    Raises:
        TypeError: lag not a floating-point tensor, rule not a PairRule of numbers.
        ValueError: lag empty or NaN, amplitude negative, time constant not positive.

    Source: Bi and Poo (1998), doi:10.1523/JNEUROSCI.18-24-10464.1998; Eshraghian et al. (2023), appendix C2.

    >>> [round(change, 4) for change in stdp_window(torch.tensor([-20.0, 0.0, 20.0])).tolist()]
    [-0.0037, 0.0, 0.0037]
    """
    _check_rule("stdp_window", rule)
    check_tensor("stdp_window", "lag", lag, "of any shape", hint=" A single lag is torch.tensor(10.0).")
    check_signal("stdp_window", "lag", lag, layout="a tensor of any shape", min_dims=0)
    check_finite("stdp_window", "lag", lag, "Look for it where the lags were computed.", infinity=True)
    potentiation = float(rule.a_plus) * torch.exp(-lag.clamp(min=0) / float(rule.tau_plus))
    depression = float(rule.a_minus) * torch.exp(lag.clamp(max=0) / float(rule.tau_minus))
    return potentiation * (lag > 0) - depression * (lag < 0)


def pair_stdp(pre_times, post_times, rule=PAIR, *, pairs="all"):
    """Add up the window over the pairs of two spike trains: the definition that every faster form must meet.

    dw = sum over pairs of window(t_post - t_pre)

    Args:
        pre_times, post_times: spike times in increasing order, at least one each; a list or a tensor [K].
        rule: a `PairRule`; without bounds (they make the result depend on the order, see `trace_stdp`).
        pairs: "all": every pre spike with every post spike. "nearest": a post spike with the last pre spike before it,
            a pre spike with the last post spike before it.

    Returns:
        The weight change, a float.

    Raises:
        TypeError: times neither a list nor a tensor of numbers, rule not a PairRule of numbers.
        ValueError: a train empty or not in order, amplitude negative, time constant not positive, bounds, pairs unknown.

    Source: Morrison, Diesmann, Gerstner (2008), doi:10.1007/s00422-008-0233-1.

    >>> round(pair_stdp([0.0, 30.0], [10.0]), 5), round(0.01 * math.exp(-10 / 20) - 0.01 * math.exp(-20 / 20), 5)
    (0.00239, 0.00239)
    """
    _check_rule("pair_stdp", rule)
    check_option("pair_stdp", "pairs", pairs, ("all", "nearest"))
    check_that("pair_stdp", rule.bounds == "none",
               f"a sum over pairs has no bounds, got bounds={rule.bounds!r}. Use trace_stdp.")
    _check_times("pair_stdp", pre_times=pre_times, post_times=post_times)
    check_that("pair_stdp", len(pre_times) * len(post_times) <= MOST_PAIRS,
               f"pre_times and post_times make {len(pre_times)} x {len(post_times)} pairs, which takes too "
               "long. Use trace_stdp.")
    pre, post = _as_list(pre_times), _as_list(post_times)
    last = 1 if pairs == "nearest" else 0                                     # the last one before, or all of them
    change = 0.0
    for t in post:
        change += sum(rule.a_plus * math.exp((s - t) / rule.tau_plus) for s in [s for s in pre if s < t][-last:])
    for t in pre:
        change -= sum(rule.a_minus * math.exp((s - t) / rule.tau_minus) for s in [s for s in post if s < t][-last:])
    return change


class Traces(NamedTuple):
    """What a synapse remembers of its two neurons: pre [..., I] and post [..., H].

    >>> Traces(torch.zeros(784), torch.zeros(100)).post.shape
    torch.Size([100])
    """

    pre: torch.Tensor
    post: torch.Tensor


def stdp_step(pre, post, traces, weight, rule=PAIR, *, pairs="all"):
    """Advance all synapses by one time step: let the traces decay, read them, and only then add the new spikes.

    w += a_plus post[t] x - a_minus y pre[t],    x = exp(-1/tau_plus) x,  y = exp(-1/tau_minus) y before,
    x += pre[t],  y += post[t] after: two spikes in one step are no pair

    Args:
        pre, post: spikes 0 or 1 of this step, [..., I] and [..., H].
        traces: `Traces` of the step before, same shapes; start with zeros.
        weight: [..., H, I], within the bounds of the rule.
        rule: a `PairRule`, bounds included.
        pairs: "all": a spike adds 1 to its trace. "nearest": it sets its trace to 1.

    Returns:
        (weight, traces) after this step.

    Raises:
        TypeError: tensors not floating point or of different types, traces not Traces, rule not a PairRule of numbers.
        ValueError: shapes that do not fit, pre or post other than 0 and 1, weight outside the bounds, NaN or infinity,
            amplitude negative, time constant not positive, bounds or pairs unknown.

    Source: Morrison, Diesmann, Gerstner (2008); Song, Miller, Abbott (2000), doi:10.1038/78829, for hard bounds.

    >>> one, off = torch.ones(1), torch.zeros(1)
    >>> weight, traces = stdp_step(one, off, Traces(off, off), torch.zeros(1, 1))
    >>> weight, traces = stdp_step(off, one, traces, weight)
    >>> round(weight.item(), 4), round(0.01 * math.exp(-1 / 20), 4)
    (0.0095, 0.0095)
    """
    _check_rule("stdp_step", rule)
    check_option("stdp_step", "pairs", pairs, ("all", "nearest"))
    _check_trains("stdp_step", ("[..., I]", "[..., H]"), pre, post)
    check_that("stdp_step", pre.shape[:-1] == post.shape[:-1],
               f"pre [..., I] and post [..., H] must agree in all other axes, got {tuple(pre.shape)} and {tuple(post.shape)}.")
    _check_traces("stdp_step", traces, pre, post)
    _check_weight("stdp_step", weight, pre, (*post.shape, pre.shape[-1]), "[..., H, I]", rule)
    check_tensor("stdp_step", "weight", weight, "[..., H, I]")
    return _step(pre, post, traces, weight, rule, pairs)


def _check_traces(owner, traces, pre, post):
    check_that(owner, isinstance(traces, Traces), f"traces must be Traces(pre, post), got {type(traces).__name__}. Start with "
               "Traces(torch.zeros_like(pre), torch.zeros_like(post)).", TypeError)
    for name, value, like in (("pre", traces.pre, pre), ("post", traces.post, post)):
        check_shape(owner, f"traces.{name}", value, like.shape, f"like {name}")
        check_dtype(owner, f"traces.{name}", value, name, like)
        check_finite(owner, f"traces.{name}", value, "Start with zeros.")


def _step(pre, post, traces, weight, rule, pairs):
    x = traces.pre * math.exp(-1 / rule.tau_plus)                             # [..., I]
    y = traces.post * math.exp(-1 / rule.tau_minus)                           # [..., H]
    up = float(rule.a_plus) * post[..., :, None] * x[..., None, :]                   # [..., H, I]
    down = float(rule.a_minus) * y[..., :, None] * pre[..., None, :]
    low, high = float(rule.w_min), float(rule.w_max)
    if rule.bounds == "soft":
        weight = weight + up * (high - weight) - down * (weight - low)
    else:
        weight = weight + up - down
    if rule.bounds != "none":
        weight = weight.clamp(low, high)
    if pairs == "nearest":
        return weight, Traces(torch.maximum(x, pre), torch.maximum(y, post))
    return weight, Traces(x + pre, y + post)


def trace_stdp(pre, post, weight=None, rule=PAIR, *, pairs="all"):
    """Run STDP over two sets of spike trains with one trace a neuron instead of one sum a pair.

    w(T) = w(0) + the pair sum of `pair_stdp`, to rounding, where the rule has no bounds

    Args:
        pre, post: spikes 0 or 1, [T, I] and [T, H]; step t is time t.
        weight: weights before, [H, I], within the bounds of the rule; by default zeros, or the bound that is nearest to 0.
        rule: a `PairRule`, times in steps, bounds included.
        pairs: "all" or "nearest", as in `pair_stdp`.

    Returns:
        Weights after, [H, I].

    Raises:
        TypeError: tensors not floating point or of different types, rule not a PairRule of numbers.
        ValueError: trains of another rank or length or not 0 and 1, weight of another shape, outside the bounds, NaN or
            infinite, amplitude negative, time constant not positive, bounds or pairs unknown.

    Source: Morrison, Diesmann, Gerstner (2008).

    >>> pre, post = torch.zeros(40, 1), torch.zeros(40, 1)
    >>> pre[[0, 30]], post[10] = 1.0, 1.0
    >>> round(trace_stdp(pre, post).item(), 5), round(pair_stdp([0, 30], [10]), 5)
    (0.00239, 0.00239)
    """
    _check_rule("trace_stdp", rule)
    check_option("trace_stdp", "pairs", pairs, ("all", "nearest"))
    _check_trains("trace_stdp", ("[T, I]", "[T, H]"), pre, post)
    check_that("trace_stdp", len(pre) == len(post),
               f"pre and post must last equally long, got {len(pre)} and {len(post)} steps.")
    _check_weight("trace_stdp", weight, pre, (post.shape[1], pre.shape[1]), "[H, I]", rule)
    fine = torch.promote_types(pre.dtype, torch.float32)                      # small changes get lost among numbers of 16 bits
    if weight is None:
        weight = pre.new_zeros(post.shape[1], pre.shape[1])
        weight = weight if rule.bounds == "none" else weight.clamp(float(rule.w_min), float(rule.w_max))
    traces = Traces(torch.zeros_like(pre[0], dtype=fine), torch.zeros_like(post[0], dtype=fine))
    weight = weight.to(fine)
    for pre_t, post_t in zip(pre.to(fine), post.to(fine), strict=True):
        weight, traces = _step(pre_t, post_t, traces, weight, rule, pairs)
    return weight.to(pre.dtype)


def triplet_stdp(pre_times, post_times, rule=TRIPLET):
    """Add up triplet STDP: how much a post spike potentiates also depends on how recently the neuron fired before.

    At a post spike  dw = x1 (a2_plus + a3_plus y2),  at a pre spike  dw = -y1 (a2_minus + a3_minus x2):
    x1, x2 are traces of pre with tau_plus, tau_x, y1, y2 of post with tau_minus, tau_y, all read before they rise by 1

    Args:
        pre_times, post_times: spike times in increasing order, at least one each, in milliseconds for the defaults.
        rule: a `TripletRule`.

    Returns:
        The weight change, a float.

    Raises:
        TypeError: times neither a list nor a tensor of numbers, rule not a TripletRule of numbers.
        ValueError: a train empty or not in order, amplitude negative, time constant not positive.

    Source: Pfister and Gerstner (2006), doi:10.1523/JNEUROSCI.1425-06.2006, Eqs. 2 to 4 and Table 3.

    >>> alone, again = triplet_stdp([0.0], [10.0]), triplet_stdp([0.0, 50.0], [10.0, 60.0])
    >>> alone, again > triplet_stdp([0.0, 500.0], [10.0, 510.0])
    (0.0, True)
    """
    check_that("triplet_stdp", isinstance(rule, TripletRule),
               f"rule must be a TripletRule, got {type(rule).__name__}. Write rule=TripletRule().", TypeError)
    for name, value in rule._asdict().items():
        check_numbers("triplet_stdp", **{"above" if name.startswith("tau") else "low": 0, f"rule.{name}": value})
    _check_times("triplet_stdp", pre_times=pre_times, post_times=post_times)
    pre, post = _as_list(pre_times), _as_list(post_times)
    taus = (rule.tau_plus, rule.tau_x, rule.tau_minus, rule.tau_y)
    x1 = x2 = y1 = y2 = change = 0.0
    now, fires_pre, fires_post = min(pre[0], post[0]), set(pre), set(post)
    for t in sorted(fires_pre | fires_post):
        x1, x2, y1, y2 = (trace * math.exp((now - t) / tau) for trace, tau in zip((x1, x2, y1, y2), taus, strict=True))
        now, before, after = t, t in fires_pre, t in fires_post
        change += after * x1 * (rule.a2_plus + rule.a3_plus * y2) - before * y1 * (rule.a2_minus + rule.a3_minus * x2)
        x1, x2, y1, y2 = x1 + before, x2 + before, y1 + after, y2 + after
    return change


def expected_drift(rate_pre, rate_post, rule=PAIR):
    """Predict how fast a weight drifts, per step, while two neurons fire at random and ignore each other.

    dw/dt = p q (a_plus l+ / (1 - l+) - a_minus l- / (1 - l-)),    l = exp(-1/tau)

    Args:
        rate_pre, rate_post: firing probabilities per step p and q, between 0 and 1.
        rule: a `PairRule` with all-to-all pairs; its bounds play no part here.

    Returns:
        The mean weight change per step, a float.

    Raises:
        TypeError: a rate not a number, rule not a PairRule of numbers.
        ValueError: a rate outside [0, 1], amplitude negative, time constant not positive.

    Source: the window summed over all lags, weighted by the chance p q of each pair; Kempter, Gerstner, van Hemmen (1999).

    >>> round(1e6 * expected_drift(0.05, 0.05, PairRule(a_minus=0.0105)), 2)
    -24.38
    """
    _check_rule("expected_drift", rule)
    check_fraction("expected_drift", rate_pre=rate_pre, rate_post=rate_post)
    gain, loss = (1 / math.expm1(1 / tau) for tau in (rule.tau_plus, rule.tau_minus))    # l / (1 - l)
    return rate_pre * rate_post * (rule.a_plus * gain - rule.a_minus * loss)
