"""The time of a spike and its exact gradient: one neuron by its crossing, and a layer of first spikes in closed form."""
import math
from typing import NamedTuple

import torch

from ._arguments import (
    check_dtype,
    check_finite,
    check_flags,
    check_number,
    check_numbers,
    check_shape,
    check_signal,
    check_that,
)

SPAN = 80                                                    # time constants that exp() holds in float32


class SpikeGradients(NamedTuple):
    """How far a spike moves when a weight, or an arrival, does: [N] each.

    >>> SpikeGradients(torch.tensor([-1.2]), torch.tensor([1.0])).times.item()
    1.0
    """

    weight: torch.Tensor
    times: torch.Tensor


def alpha_psp(t, tau):
    """Evaluate the response of a membrane to one spike: it rises at once, peaks at tau with the value 1, and falls.

    eps(t) = (t / tau) exp(1 - t / tau) for t > 0, else 0

    Args:
        t: time since the spike arrived, any shape, in the unit of tau.
        tau: time to the peak, positive.

    Returns:
        eps(t), shape of t.

    Raises:
        TypeError: t not a floating-point tensor, tau not a number.
        ValueError: t empty, NaN or infinity in it, tau not positive.

    Source: Eshraghian et al. (2023), appendix C1.

    >>> alpha_psp(torch.tensor([-1.0, 0.0, 5.0]), tau=5.0).tolist()
    [0.0, 0.0, 1.0]
    """
    _check_since("alpha_psp", t, tau)
    late = t.clamp(min=0) / tau
    return late * (1 - late).exp()


def alpha_psp_slope(t, tau):
    """Evaluate the slope of `alpha_psp`: positive before the peak at tau, negative after it.

    eps'(t) = (tau - t) / tau^2 * exp(1 - t / tau) for t > 0, else 0

    Args:
        t: time since the spike arrived, any shape, in the unit of tau.
        tau: time to the peak, positive.

    Returns:
        eps'(t), shape of t, per unit of time.

    Raises:
        TypeError: t not a floating-point tensor, tau not a number.
        ValueError: t empty, NaN or infinity in it, tau not positive.

    Source: the derivative of `alpha_psp`; Eshraghian et al. (2023), appendix C1, print another exponent.

    >>> [round(slope, 4) for slope in alpha_psp_slope(torch.tensor([-1.0, 5.0, 10.0]), tau=5.0).tolist()]
    [0.0, 0.0, -0.0736]
    """
    _check_since("alpha_psp_slope", t, tau)
    late = t.clamp(min=0) / tau
    return ((1 - late) / tau * (1 - late).exp()).where(t > 0, 0.0)


def _check_since(owner, t, tau):
    check_signal(owner, "t", t, layout="a tensor of any shape", min_dims=0)
    check_finite(owner, "t", t, "Look for it in the spike times; a silent neuron has none.")
    check_numbers(owner, above=0, tau=tau)


def _check_pulses(owner, weight, times, tau):
    check_signal(owner, "weight", weight, layout="[N]", dims=1)
    check_signal(owner, "times", times, layout="[N]", dims=1)
    check_shape(owner, "times", times, weight.shape, "one arrival a weight")
    check_dtype(owner, "times", times, "weight", weight)
    check_finite(owner, "weight", weight, "Look for it in the training.")
    check_finite(owner, "times", times, "Leave silent inputs out.")
    check_numbers(owner, above=0, tau=tau)


def crossing_time(weight, times, tau, threshold=1.0):
    """Find when a membrane that adds up alpha responses first crosses its threshold.

    U(t) = sum_i w_i eps(t - t_i),    f = min { t : U(t) = threshold, U'(t) > 0 }

    Between two arrivals U = (a + b s) exp(-s / tau) has one peak at most, so that each crossing is bracketed and none missed.

    Args:
        weight: w, [N], in units of the threshold.
        times: arrivals t_i of one spike each, [N], in the unit of tau.
        tau: time to the peak of a response, positive.
        threshold: positive.

    Returns:
        f, a float; infinity for a neuron that never fires.

    Raises:
        TypeError: weight or times not floating-point tensors of one dtype, tau or threshold not a number.
        ValueError: shapes that disagree, NaN or infinity, tau or threshold not positive.

    Source: Eshraghian et al. (2023), appendix C1; for one input f = -tau W0(-threshold / (e w)), Lambert's W.

    >>> round(crossing_time(torch.tensor([1.7]), torch.tensor([0.0]), tau=5.0), 4)
    1.4444
    >>> crossing_time(torch.tensor([0.9]), torch.tensor([0.0]), tau=5.0)
    inf
    """
    _check_pulses("crossing_time", weight, times, tau)
    check_numbers("crossing_time", above=0, threshold=threshold)
    tau, threshold, held, rising, now = float(tau), float(threshold), 0.0, 0.0, -math.inf
    arrivals = sorted(zip(times.tolist(), weight.tolist(), strict=True))
    for (start, w), end in zip(arrivals, [*(t for t, _ in arrivals[1:]), math.inf], strict=True):
        passed = start - now if now > -math.inf else 0.0     # U = (held + rising s) exp(-s / tau), s since `now`
        held, now = (held + rising * passed) * math.exp(-passed / tau), start
        rising = rising * math.exp(-passed / tau) + w * math.e / tau
        peak = tau - held / rising if rising > 0 else 0.0
        last = min(peak, end - start)
        if last > 0 and (held + rising * last) * math.exp(-last / tau) > threshold:
            return start + _first_above(lambda s, a=held, b=rising: (a + b * s) * math.exp(-s / tau) > threshold, last)
    return math.inf


def _first_above(above, high):
    """The place from 0 to high where above() turns from False to True."""
    low = 0.0
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (low, middle) if above(middle) else (middle, high)
    return high


def spike_gradients(weight, times, spike_time, tau):
    """Say how far a spike moves when a weight or an arrival does, by the slope of the membrane where it crosses.

    df/dw_i = -eps(f - t_i) / U'(f),    df/dt_i = w_i eps'(f - t_i) / U'(f),    U'(f) = sum_k w_k eps'(f - t_k)

    Exact as long as no spike appears or vanishes. A neuron that never fires has gradients of exactly 0.

    Args:
        weight: w, [N].
        times: arrivals t_i, [N], in the unit of tau.
        spike_time: f, a number, as `crossing_time` finds it; infinity for a silent neuron.
        tau: time to the peak of a response, positive.

    Returns:
        SpikeGradients(weight [N], times [N]).

    Raises:
        TypeError: weight or times not floating-point tensors of one dtype, spike_time or tau not a number.
        ValueError: shapes that disagree, NaN or infinity in weight or times, tau not positive, a membrane that does not rise.

    Source: Bohte, Kok and La Poutré (2002), doi:10.1016/S0925-2312(01)00658-0. Eshraghian et al. (2023), appendix C1, print
    the opposite sign and another exponent.

    >>> weight, times = torch.tensor([1.7]), torch.tensor([0.0])
    >>> by = spike_gradients(weight, times, crossing_time(weight, times, tau=5.0), tau=5.0)
    >>> round(by.weight.item(), 4), round(by.times.item(), 4)
    (-1.1948, 1.0)
    """
    _check_pulses("spike_gradients", weight, times, tau)
    check_number("spike_gradients", "spike_time", spike_time)
    check_that("spike_gradients", spike_time > -math.inf, "spike_time must be finite, or infinity for a silent neuron, got "
                                                          "-inf.")
    if math.isinf(spike_time):
        return SpikeGradients(torch.zeros_like(weight), torch.zeros_like(times))
    since = float(spike_time) - times                        # [N]
    pull = weight * alpha_psp_slope(since, float(tau))
    rise = pull.sum()
    check_that("spike_gradients", bool(rise > 0), f"the membrane must rise at spike_time = {float(spike_time):g}, and its "
                                                  f"slope "
               f"is {rise.item():g}. Take spike_time from crossing_time.")
    return SpikeGradients(-alpha_psp(since, float(tau)) / rise, pull / rise)


def _check_arrivals(owner, times, weight, threshold, tau, leaky):
    check_signal(owner, "times", times, layout="[B, N]", dims=2)
    check_signal(owner, "weight", weight, layout="[M, N]", dims=2)
    check_that(owner, times.shape[1] == weight.shape[1],
               f"times must be [B, N] and weight [M, N], got shapes {tuple(times.shape)} and {tuple(weight.shape)}.")
    check_dtype(owner, "times", times, "weight", weight)
    check_finite(owner, "weight", weight, "Look for it in the training.")
    check_that(owner, not bool((times.isnan() | times.isneginf()).any()),
               "times must be finite, or infinity for an input that never fires, got NaN or -inf.")
    check_numbers(owner, above=0, threshold=threshold, tau=tau)
    check_flags(owner, leaky=leaky)
    check_that(owner, _span(times) <= SPAN * tau,
               f"times must lie within {SPAN} tau of each other, beyond which exp() overflows. Pass infinity for what never "
               "comes, or a longer tau.")


def _span(times):
    """How far apart the arrivals lie that ever come."""
    early = times.detach()[times.detach().isfinite()]
    return (early.amax() - early.amin()).item() if early.numel() else 0.0


def first_spike_layer(times, weight, threshold=1.0, tau=1.0, leaky=False):
    """Compute when each neuron of a layer fires first, in closed form and with exact gradients.

    With z = exp(t / tau) and C the inputs that arrive before the spike (the causal set):
    integrate-and-fire, U' = I:  z = sum_C w_i z_i / (sum_C w_i - threshold)
    leaky, tau_mem = 2 tau:      sqrt(z) = 2 b / (a + sqrt(a^2 - 4 b threshold)),  a = sum_C w_i sqrt(z_i),  b = sum_C w_i z_i

    A spike jumps the synaptic current by its weight, and the current decays with tau. U is in the unit of the threshold:
    w (1 - exp(-s / tau)) after one input without the leak, w (exp(-s / 2 tau) - exp(-s / tau)) with it.

    Args:
        times: arrivals, one an input, [B, N], in the unit of tau; infinity for an input that never fires.
        weight: w, [M, N].
        threshold: positive.
        tau: synaptic time constant, positive.
        leaky: let the membrane leak, with the time constant 2 tau.

    Returns:
        First spikes, [B, M]; infinity for a neuron that never fires, whose gradients are exactly 0.

    Raises:
        TypeError: times or weight not floating-point tensors of one dtype, another argument of the wrong kind.
        ValueError: shapes that disagree, NaN, times further apart than 80 tau, threshold or tau not positive.

    Source: Mostafa (2018), doi:10.1109/TNNLS.2017.2726060; Göltz et al. (2021), doi:10.1038/s42256-021-00388-x.

    >>> times, weight = torch.tensor([1.0, 2.0, 3.0]).log()[None], torch.tensor([[1.0, 2.0, 5.0]])
    >>> round(first_spike_layer(times, weight).exp().item(), 4)      # the third input comes too late to matter
    2.5
    """
    _check_arrivals("first_spike_layer", times, weight, threshold, tau, leaky)
    return _FirstSpikes.apply(times, weight, float(threshold), float(tau), bool(leaky))


class _FirstSpikes(torch.autograd.Function):
    """Forward: the closed forms. Backward: the slope of the membrane at the crossing, as in `spike_gradients`."""

    @staticmethod
    def forward(ctx, times, weight, threshold, tau, leaky):
        spikes = _solve(times, weight, threshold, 2 * tau if leaky else tau, _leaky_crossing if leaky else _crossing)
        ctx.save_for_backward(times, weight, spikes)
        ctx.tau, ctx.leaky = tau, leaky
        return spikes

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad):
        times, weight, spikes = ctx.saved_tensors
        since = (spikes[:, :, None] - times[:, None]) / ctx.tau                                      # [B, M, N]
        heard = (since > 0) & spikes.isfinite()[:, :, None]
        fast = (-since.where(heard, 0.0)).exp() * heard                                              # exp(-s / tau)
        slow = fast.sqrt() if ctx.leaky else heard.to(fast.dtype)                                    # exp(-s / 2 tau), or 1
        pull = weight * ((fast - slow / 2) if ctx.leaky else fast) / ctx.tau                         # w_i kappa'(f - t_i)
        by_rise = (grad / pull.sum(2)).where(spikes.isfinite() & (grad != 0), 0.0)                   # [B, M]
        by_weight = -torch.einsum("bm,bmn->mn", by_rise, slow - fast)
        return torch.einsum("bm,bmn->bn", by_rise, pull), by_weight, None, None, None


def _solve(times, weight, threshold, tau, crossing):
    """First spikes [B, M], with z = exp(t / tau) counted from the first arrival of each sample."""
    arrive, order = times.sort(dim=1, stable=True)                                                   # [B, N]
    heard = arrive.isfinite()
    start = arrive[:, :1].where(heard[:, :1], 0.0)
    z = ((arrive - start) / tau).where(heard, 0.0).exp()
    w = weight.T[order].transpose(1, 2) * heard[:, None]                                             # [B, M, N]
    out, fires = crossing(w, z[:, None], threshold)                                                  # [B, M, N] each
    until = torch.cat([z[:, 1:].where(heard[:, 1:], math.inf), torch.full_like(z[:, :1], math.inf)], 1)
    fires &= heard[:, None] & (out <= until[:, None]) & (out >= z[:, None] * (1 - 1e-6))
    first = fires.byte().argmax(2, keepdim=True)                           # the smallest set that is its own causal set
    spikes = start + tau * out.gather(2, first).squeeze(2).log()
    return spikes.where(fires.any(2), math.inf)


def _crossing(w, z, threshold):
    room = w.cumsum(2) - threshold
    return (w * z).cumsum(2) / room, room > 0


def _leaky_crossing(w, z, threshold):
    a, b = (w * z).cumsum(2), (w * z * z).cumsum(2)
    inside = a * a - 4 * b * threshold
    return 2 * b / (a + inside.sqrt()), (inside > 0) & (b > 0)


def causal_set(times, spikes):
    """Tell which inputs arrived before a neuron's first spike: those whose weights and times can move it.

    C[b, m, n] = 1 if t[b, n] < f[b, m], else 0

    Args:
        times: arrivals, [B, N]; infinity for an input that never fires.
        spikes: first spikes, [B, M], as `first_spike_layer` gives them; infinity for a silent neuron, which has no set.

    Returns:
        bool, [B, M, N].

    Raises:
        TypeError: times or spikes not floating-point tensors of one dtype.
        ValueError: not [B, N] and [B, M], NaN in them.

    Source: Mostafa (2018), doi:10.1109/TNNLS.2017.2726060.

    >>> causal_set(torch.tensor([[0.0, 0.7, 1.1]]), torch.tensor([[0.9]])).tolist()
    [[[True, True, False]]]
    """
    for name, value, layout in (("times", times, "[B, N]"), ("spikes", spikes, "[B, M]")):
        check_signal("causal_set", name, value, layout=layout, dims=2)
        check_finite("causal_set", name, value, "Look for it in the training.", infinity=True)
    check_that("causal_set", len(times) == len(spikes), f"times and spikes must have the same number of samples, got shapes "
               f"{tuple(times.shape)} and {tuple(spikes.shape)}.")
    check_dtype("causal_set", "times", times, "spikes", spikes)
    return (times[:, None] < spikes[:, :, None]) & spikes.isfinite()[:, :, None]
