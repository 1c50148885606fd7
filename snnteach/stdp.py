"""Spike-timing dependent plasticity: pairs, traces, triplets, and a winner-take-all layer that learns without labels."""
import math
from itertools import pairwise
from typing import NamedTuple

import torch

from ._arguments import (
    check_between,
    check_not_negative,
    check_number,
    check_option,
    check_positive,
    check_shape,
    check_signal,
    check_spikes,
    check_that,
)


class PairRule(NamedTuple):
    """Constants of pair STDP: two amplitudes, two time constants (in steps), and what keeps the weights in bounds.

    a_plus, a_minus: largest potentiation and depression of one pair, not negative.
    tau_plus, tau_minus: time constants of the two sides, positive, in the unit of the spike times.
    bounds: "none", "hard" (clamped to [0, w_max]) or "soft" (potentiation scaled by w_max - w, depression by w).
    w_max: upper bound of the weights, positive.

    >>> PairRule(a_minus=0.02).tau_plus
    20.0
    """

    a_plus: float = 0.01
    a_minus: float = 0.01
    tau_plus: float = 20.0
    tau_minus: float = 20.0
    bounds: str = "none"
    w_max: float = 1.0


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


PAIR, TRIPLET = PairRule(), TripletRule()


def _check_rule(owner, rule):
    check_that(owner, isinstance(rule, PairRule),
               f"rule must be a PairRule, got {type(rule).__name__}. Write rule=PairRule(a_plus=0.02).", TypeError)
    check_not_negative(owner, a_plus=rule.a_plus, a_minus=rule.a_minus)
    check_positive(owner, tau_plus=rule.tau_plus, tau_minus=rule.tau_minus, w_max=rule.w_max)
    check_option(owner, "bounds", rule.bounds, ("none", "hard", "soft"))


def _check_times(owner, **trains):
    """A rule that forgets needs its spike times in order."""
    for name, times in trains.items():
        check_that(owner, times, f"{name} must hold at least one spike time, got none. A silent neuron has no pairs: skip it.")
        for time in times:
            check_number(owner, name, time)
            check_that(owner, math.isfinite(time), f"{name} must be finite, got {time}.")
        check_that(owner, all(before < after for before, after in pairwise(times)),
                   f"{name} must be in increasing order, got {str(times)[:60]}. Use sorted(set(times)).")


def _check_trains(owner, pre, post):
    for name, train, layout in (("pre", pre, "[T, I]"), ("post", post, "[T, H]")):
        check_signal(owner, name, train, layout=layout, dims=2, hint=" Pick one sample: x[:, b].")
        check_spikes(owner, name, train)
    check_that(owner, len(pre) == len(post), f"pre and post must last equally long, got {len(pre)} and {len(post)} steps.")


def _as_list(times):
    return times.tolist() if isinstance(times, torch.Tensor) else list(times)


def stdp_window(lag, rule=PAIR):
    """Give the weight change of one pair of spikes as a function of the time between them.

    dw = a_plus exp(-lag / tau_plus) if lag > 0,  -a_minus exp(lag / tau_minus) if lag < 0,  0 at 0;  lag = t_post - t_pre

    Args:
        lag: t_post - t_pre, any shape; positive where the presynaptic spike came first (the paper writes t_pre - t_post).
        rule: a `PairRule`; its bounds play no part here.

    Returns:
        Weight changes, same shape as lag.

    Raises:
        TypeError: lag not a floating-point tensor, rule not a PairRule.
        ValueError: amplitude negative, time constant not positive.

    Source: Bi and Poo (1998), doi:10.1523/JNEUROSCI.18-24-10464.1998; Eshraghian et al. (2023), appendix C2.

    >>> [round(change, 4) for change in stdp_window(torch.tensor([-20.0, 0.0, 20.0])).tolist()]
    [-0.0037, 0.0, 0.0037]
    """
    _check_rule("stdp_window", rule)
    check_that("stdp_window", isinstance(lag, torch.Tensor) and lag.is_floating_point(),
               f"lag must be a floating-point tensor, got {lag!r}. Write torch.tensor([10.0]).", TypeError)
    potentiation = rule.a_plus * torch.exp(-lag.clamp(min=0) / rule.tau_plus)
    depression = rule.a_minus * torch.exp(lag.clamp(max=0) / rule.tau_minus)
    return potentiation * (lag > 0) - depression * (lag < 0)


def pair_stdp(pre_times, post_times, rule=PAIR, *, pairs="all"):
    """Add up the window over the pairs of two spike trains: the definition that every faster form must meet.

    dw = sum over pairs of window(t_post - t_pre)

    Args:
        pre_times, post_times: spike times in increasing order, at least one each.
        rule: a `PairRule`; without bounds (they make the result depend on the order, see `trace_stdp`).
        pairs: "all": every pre spike with every post spike. "nearest": a post spike with the last pre spike before it,
            a pre spike with the last post spike before it.

    Returns:
        The weight change, a float.

    Raises:
        TypeError: rule not a PairRule.
        ValueError: a train empty or not in order, amplitude negative, time constant not positive, bounds, pairs unknown.

    Source: Morrison, Diesmann, Gerstner (2008), doi:10.1007/s00422-008-0233-1.

    >>> round(pair_stdp([0.0, 30.0], [10.0]), 5), round(0.01 * math.exp(-10 / 20) - 0.01 * math.exp(-20 / 20), 5)
    (0.00239, 0.00239)
    """
    _check_rule("pair_stdp", rule)
    check_option("pair_stdp", "pairs", pairs, ("all", "nearest"))
    check_that("pair_stdp", rule.bounds == "none",
               f"a sum over pairs has no bounds, got bounds={rule.bounds!r}. Use trace_stdp.")
    pre, post = _as_list(pre_times), _as_list(post_times)
    _check_times("pair_stdp", pre_times=pre, post_times=post)
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
        pre, post: spikes of this step, [..., I] and [..., H].
        traces: `Traces` of the step before, same shapes; start with zeros.
        weight: [..., H, I].
        rule: a `PairRule`, bounds included.
        pairs: "all": a spike adds 1 to its trace. "nearest": it sets its trace to 1.

    Returns:
        (weight, traces) after this step.

    Raises:
        TypeError: rule not a PairRule.
        ValueError: amplitude negative, time constant not positive, bounds or pairs unknown.

    Source: Morrison, Diesmann, Gerstner (2008); Song, Miller, Abbott (2000), doi:10.1038/78829, for hard bounds.

    >>> one, off = torch.ones(1), torch.zeros(1)
    >>> weight, traces = stdp_step(one, off, Traces(off, off), torch.zeros(1, 1))
    >>> weight, traces = stdp_step(off, one, traces, weight)
    >>> round(weight.item(), 4), round(0.01 * math.exp(-1 / 20), 4)
    (0.0095, 0.0095)
    """
    _check_rule("stdp_step", rule)
    check_option("stdp_step", "pairs", pairs, ("all", "nearest"))
    return _step(pre, post, traces, weight, rule, pairs)


def _step(pre, post, traces, weight, rule, pairs):
    x = traces.pre * math.exp(-1 / rule.tau_plus)                             # [..., I]
    y = traces.post * math.exp(-1 / rule.tau_minus)                           # [..., H]
    up = rule.a_plus * post[..., :, None] * x[..., None, :]                   # [..., H, I]
    down = rule.a_minus * y[..., :, None] * pre[..., None, :]
    if rule.bounds == "soft":
        weight = weight + up * (rule.w_max - weight) - down * weight
    else:
        weight = weight + up - down
    if rule.bounds != "none":
        weight = weight.clamp(0, rule.w_max)
    if pairs == "nearest":
        return weight, Traces(torch.maximum(x, pre), torch.maximum(y, post))
    return weight, Traces(x + pre, y + post)


def trace_stdp(pre, post, weight=None, rule=PAIR, *, pairs="all"):
    """Run STDP over two sets of spike trains with one trace a neuron instead of one sum a pair.

    w(T) = w(0) + the pair sum of `pair_stdp`, to rounding, where the rule has no bounds

    Args:
        pre, post: spikes 0 or 1, [T, I] and [T, H]; step t is time t.
        weight: weights before, [H, I]; zeros by default.
        rule: a `PairRule`, times in steps, bounds included.
        pairs: "all" or "nearest", as in `pair_stdp`.

    Returns:
        Weights after, [H, I].

    Raises:
        TypeError: pre or post not floating point, rule not a PairRule.
        ValueError: trains of another rank or length or not 0 and 1, weight of another shape, time constant not positive,
            bounds or pairs unknown.

    Source: Morrison, Diesmann, Gerstner (2008).

    >>> pre, post = torch.zeros(40, 1), torch.zeros(40, 1)
    >>> pre[[0, 30]], post[10] = 1.0, 1.0
    >>> round(trace_stdp(pre, post).item(), 5), round(pair_stdp([0, 30], [10]), 5)
    (0.00239, 0.00239)
    """
    _check_rule("trace_stdp", rule)
    check_option("trace_stdp", "pairs", pairs, ("all", "nearest"))
    _check_trains("trace_stdp", pre, post)
    shape = (post.shape[1], pre.shape[1])
    weight = pre.new_zeros(shape) if weight is None else weight
    check_shape("trace_stdp", "weight", weight, shape, "[H, I]")
    traces = Traces(torch.zeros_like(pre[0]), torch.zeros_like(post[0]))
    for pre_t, post_t in zip(pre, post, strict=True):
        weight, traces = _step(pre_t, post_t, traces, weight, rule, pairs)
    return weight


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
        TypeError: rule not a TripletRule.
        ValueError: a train empty or not in order, amplitude negative, time constant not positive.

    Source: Pfister and Gerstner (2006), doi:10.1523/JNEUROSCI.1425-06.2006, Eqs. 2 to 4 and Table 3.

    >>> alone, again = triplet_stdp([0.0], [10.0]), triplet_stdp([0.0, 50.0], [10.0, 60.0])
    >>> alone, again > triplet_stdp([0.0, 500.0], [10.0, 510.0])
    (0.0, True)
    """
    check_that("triplet_stdp", isinstance(rule, TripletRule),
               f"rule must be a TripletRule, got {type(rule).__name__}. Write rule=TripletRule().", TypeError)
    check_positive("triplet_stdp", **{name: value for name, value in rule._asdict().items() if name.startswith("tau")})
    check_not_negative("triplet_stdp", **{name: value for name, value in rule._asdict().items() if name.startswith("a")})
    pre, post = _as_list(pre_times), _as_list(post_times)
    _check_times("triplet_stdp", pre_times=pre, post_times=post)
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
        TypeError: rule not a PairRule.
        ValueError: a rate outside [0, 1], amplitude negative, time constant not positive.

    Source: the window summed over all lags, weighted by the chance p q of each pair; Kempter, Gerstner, van Hemmen (1999).

    >>> round(1e6 * expected_drift(0.05, 0.05, PairRule(a_minus=0.0105)), 2)
    -24.38
    """
    _check_rule("expected_drift", rule)
    check_between("expected_drift", "rate_pre", rate_pre, 0, 1)
    check_between("expected_drift", "rate_post", rate_post, 0, 1)
    gain, loss = (1 / math.expm1(1 / tau) for tau in (rule.tau_plus, rule.tau_minus))    # l / (1 - l)
    return rate_pre * rate_post * (rule.a_plus * gain - rule.a_minus * loss)


class WinnerTakeAll(NamedTuple):
    """A layer in which one neuron at most fires per step: weight [N, I], rows of length 1, and threshold [N].

    >>> layer = WinnerTakeAll(torch.ones(1, 4) / 2, torch.ones(1))
    >>> layer.weight.norm(dim=1).item()
    1.0
    """

    weight: torch.Tensor
    threshold: torch.Tensor


def wta_start(num_neurons, num_inputs, threshold=2.0, generator=None):
    """Make a winner-take-all layer that knows nothing: random positive weights, the same threshold for all.

    weight = uniform(0, 1), each row divided by its length

    Args:
        num_neurons, num_inputs: N and I.
        threshold: first threshold of every neuron, positive.
        generator: torch.Generator of the weights.

    Returns:
        `WinnerTakeAll` with weight [N, I] and threshold [N].

    Raises:
        ValueError: threshold not positive.

    Source: Diehl and Cook (2015), doi:10.3389/fncom.2015.00099, section 2.

    >>> layer = wta_start(100, 784, generator=torch.Generator().manual_seed(0))
    >>> layer.weight.shape, round(layer.weight.norm(dim=1).mean().item(), 4)
    (torch.Size([100, 784]), 1.0)
    """
    check_positive("wta_start", threshold=threshold, num_neurons=num_neurons, num_inputs=num_inputs)
    weight = torch.rand(num_neurons, num_inputs, generator=generator)
    return WinnerTakeAll(weight / weight.norm(dim=1, keepdim=True), torch.full((num_neurons,), float(threshold)))


def wta_forward(spk, layer, beta=0.99):
    """Run the layer: of the neurons above their threshold the one that is furthest above fires, and all start afresh.

    mem[t] = beta mem[t-1] + W spk[t],    winner = argmax(mem[t] - threshold) if that is positive;  then mem = 0 for all

    Args:
        spk: input spikes, [T, B, I].
        layer: a `WinnerTakeAll`.
        beta: membrane decay per step, between 0 and 1.

    Returns:
        Output spikes, [T, B, N], at most one a step and sample.

    Raises:
        TypeError: spk not a floating-point tensor.
        ValueError: spk not [T, B, I], another I than the weights have, beta outside [0, 1].

    Source: Diehl and Cook (2015), with inhibition so strong that it acts at once.

    >>> layer = WinnerTakeAll(torch.eye(2), torch.tensor([1.5, 1.5]))
    >>> out = wta_forward(torch.tensor([[[1.0, 0.0]]]).expand(4, 1, 2), layer, beta=1.0)
    >>> out[:, 0].tolist()
    [[0.0, 0.0], [1.0, 0.0], [0.0, 0.0], [1.0, 0.0]]
    """
    check_signal("wta_forward", "spk", spk, layout="[T, B, I] (time first)", dims=3, hint=" Flatten images with flatten(2).")
    check_shape("wta_forward", "spk", spk, (*spk.shape[:2], layer.weight.shape[1]), "to fit the layer's weights")
    check_between("wta_forward", "beta", beta, 0, 1)
    current = spk @ layer.weight.T                                            # [T, B, N]
    mem, out = torch.zeros_like(current[0]), torch.zeros_like(current)
    for x_t, out_t in zip(current, out, strict=True):
        mem.mul_(beta).add_(x_t)
        excess, winner = (mem - layer.threshold).max(dim=1, keepdim=True)     # [B, 1]
        fires = (excess > 0).to(spk.dtype)
        out_t.scatter_(1, winner, fires)
        mem.mul_(1 - fires)                                                   # the winner silences everyone, itself included
    return out


def wta_learn(spk, out, layer, *, learning_rate=0.007, offset=0.05, decay=0.98, rise=0.07, normalise=True):
    """Let each winner move its weights towards the inputs that fired before it, and raise its threshold.

    w += learning_rate (x - offset) at a spike of the winner, x[t] = decay x[t-1] + spk[t];  w = max(w, 0), rows back to
    length 1;  threshold += rise at each spike

    The post-before-pre half of the window is replaced by `offset`, a depression of every synapse at every output spike.

    Args:
        spk: input spikes, [T, B, I].
        out: output spikes of `wta_forward`, [T, B, N].
        layer: a `WinnerTakeAll`; the weights stay fixed inside a batch.
        learning_rate, offset: size of a change, and the trace below which it is a depression; not negative.
        decay: decay of the presynaptic trace per step, between 0 and 1.
        rise: rise of the threshold per spike, not negative; 0 takes the homeostasis away.
        normalise: bring each row of weights back to length 1.

    Returns:
        The layer after the batch, a `WinnerTakeAll`.

    Raises:
        TypeError: spk or out not a floating-point tensor.
        ValueError: spk or out not three-dimensional or of other lengths, a constant out of its range.

    Source: Diehl and Cook (2015), section 2.3 (the rule with x_tar) and section 2.4 (adaptive threshold).

    >>> spk = torch.tensor([[[1.0, 0.0]]])
    >>> layer = WinnerTakeAll(torch.tensor([[0.6, 0.8]]), torch.ones(1))
    >>> layer = wta_learn(spk, torch.ones(1, 1, 1), layer, learning_rate=0.1)
    >>> [round(entry, 3) for entry in layer.weight[0].tolist()], round(layer.threshold.item(), 2)
    ([0.658, 0.753], 1.07)
    """
    check_signal("wta_learn", "spk", spk, layout="[T, B, I]", dims=3)
    check_signal("wta_learn", "out", out, layout="[T, B, N]", dims=3)
    check_shape("wta_learn", "spk", spk, (*spk.shape[:2], layer.weight.shape[1]), "to fit the layer's weights")
    check_shape("wta_learn", "out", out, (*spk.shape[:2], len(layer.weight)), "to fit spk and the layer's weights",
                " Pass out = wta_forward(spk, layer).")
    check_between("wta_learn", "decay", decay, 0, 1)
    check_not_negative("wta_learn", learning_rate=learning_rate, offset=offset, rise=rise)
    trace, traces = torch.zeros_like(spk[0]), torch.empty_like(spk)
    for spk_t, trace_t in zip(spk, traces, strict=True):
        trace = torch.add(spk_t, trace, alpha=decay, out=trace_t)             # [B, I]
    t, b, n = out.nonzero(as_tuple=True)                                      # one entry an output spike
    change = torch.zeros_like(layer.weight).index_add_(0, n, traces[t, b] - offset)
    weight = (layer.weight + learning_rate * change).clamp_(min=0)
    if normalise:
        weight = weight / weight.norm(dim=1, keepdim=True).clamp(min=1e-9)
    return WinnerTakeAll(weight, layer.threshold + rise * out.sum((0, 1)))


def train_wta(layer, images, *, encode, epochs=2, batch_size=16, learning_rate=0.007, generator=None, progress=None,
              **constants):
    """Show a winner-take-all layer images without their labels, in random order, with a learning rate that falls to zero.

    learning_rate(n) = learning_rate (1 - n / (epochs len(images))) after n images

    Args:
        layer: the `WinnerTakeAll` to begin with.
        images: [S, ...], whatever encode takes.
        encode: function from a batch of images to spikes [T, B, I].
        epochs: how often each image is shown.
        batch_size: images between two updates of the weights.
        learning_rate: the first one, positive.
        generator: torch.Generator of the order.
        progress: called after each batch with (layer, images seen so far).
        constants: offset, decay, rise, normalise of `wta_learn`.

    Returns:
        The trained `WinnerTakeAll`.

    Raises:
        ValueError: learning_rate, epochs or batch_size not positive, a constant out of its range.

    Source: Diehl and Cook (2015), with minibatches.

    >>> images = torch.eye(4).repeat(50, 1)
    >>> encode = lambda x: x.expand(20, *x.shape)
    >>> layer = wta_start(4, 4, generator=torch.Generator().manual_seed(1))
    >>> layer = train_wta(layer, images, encode=encode, generator=torch.Generator().manual_seed(1))
    >>> sorted(layer.weight.argmax(1).tolist())
    [0, 1, 2, 3]
    """
    check_positive("train_wta", epochs=epochs, batch_size=batch_size, learning_rate=learning_rate)
    seen, planned = 0, epochs * len(images)
    for _ in range(epochs):
        for chosen in torch.randperm(len(images), generator=generator).split(batch_size):
            spk = encode(images[chosen])                                      # [T, B, I]
            out = wta_forward(spk, layer)
            layer = wta_learn(spk, out, layer, learning_rate=learning_rate * (1 - seen / planned), **constants)
            seen += len(chosen)
            if progress is not None:
                progress(layer, seen)
    return layer


def _check_counts(owner, counts, num_classes):
    check_signal(owner, "counts", counts, layout="[S, N]", dims=2)
    check_positive(owner, num_classes=num_classes)


def assign_labels(counts, targets, num_classes=10):
    """Name each neuron after the class that makes it fire most; only training images may be used for this.

    label = argmax over classes of the mean spike count of the neuron on images of the class

    Args:
        counts: spikes of each neuron for each training image, [S, N], floating point.
        targets: classes of these images, [S].
        num_classes: number of classes.

    Returns:
        Labels [N], -1 for neurons that never fired.

    Raises:
        TypeError: counts not floating point.
        ValueError: counts not [S, N], another number of targets, num_classes not positive.

    Source: Diehl and Cook (2015), section 2.6.

    >>> assign_labels(torch.tensor([[3.0, 0.0, 0.0], [1.0, 2.0, 0.0]]), torch.tensor([0, 1])).tolist()
    [0, 1, -1]
    """
    _check_counts("assign_labels", counts, num_classes)
    check_that("assign_labels", len(targets) == len(counts), f"{len(counts)} rows of counts but {len(targets)} targets.")
    member = torch.nn.functional.one_hot(targets, num_classes).to(counts.dtype)              # [S, C]
    mean = counts.T @ member / member.sum(0).clamp(min=1)                                    # [N, C]
    return torch.where(counts.sum(0) > 0, mean.argmax(1), -1)


def vote(counts, labels, num_classes=10):
    """Read a class off labelled neurons: the class whose neurons fired most on average.

    answer = argmax over classes of the mean count of the neurons with this label

    Args:
        counts: spikes of each neuron for each image, [S, N], floating point.
        labels: labels of the neurons, [N], -1 for none.
        num_classes: number of classes.

    Returns:
        Classes [S], -1 where no labelled neuron fired.

    Raises:
        TypeError: counts not floating point.
        ValueError: counts not [S, N], another number of labels, num_classes not positive.

    Source: Diehl and Cook (2015), section 2.6.

    >>> vote(torch.tensor([[2.0, 3.0, 0.0], [0.0, 0.0, 0.0]]), torch.tensor([0, 1, 1])).tolist()
    [0, -1]
    """
    _check_counts("vote", counts, num_classes)
    check_that("vote", len(labels) == counts.shape[1], f"{counts.shape[1]} neurons but {len(labels)} labels.")
    member = (labels[:, None] == torch.arange(num_classes)).to(counts.dtype)                 # [N, C]
    score = counts @ member / member.sum(0).clamp(min=1)                                     # [S, C]
    return torch.where(score.sum(1) > 0, score.argmax(1), -1)
