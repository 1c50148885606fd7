"""Leaky neurons without a clock: a simulation from spike to spike, and EventProp, its exact gradient from the spikes alone."""
import math
from typing import NamedTuple

import torch

from ._arguments import (
    check_dtype,
    check_finite,
    check_numbers,
    check_shape,
    check_signal,
    check_tensor,
    check_that,
    check_whole,
)


class Arrivals(NamedTuple):
    """Input spikes in order of time: when, [K], and at which input, int64 [K].

    >>> Arrivals(torch.tensor([0.5, 2.0]), torch.tensor([1, 0])).inputs.tolist()
    [1, 0]
    """

    times: torch.Tensor
    inputs: torch.Tensor


class EventSpikes(NamedTuple):
    """Output spikes in order of time: when, which neuron (int64) and its synaptic current at that moment, [S] each.

    >>> EventSpikes(torch.tensor([3.2]), torch.tensor([0]), torch.tensor([2.6])).neurons.tolist()
    [0]
    """

    times: torch.Tensor
    neurons: torch.Tensor
    currents: torch.Tensor


class EventGradients(NamedTuple):
    """Gradients of a loss with respect to the input weights [N, I] and the recurrent ones, [N, N] or None.

    >>> EventGradients(torch.zeros(3, 2), None).weight.shape
    torch.Size([3, 2])
    """

    weight: torch.Tensor
    recurrent: torch.Tensor | None


def _check_events(owner, arrivals, weight, recurrent, tau_mem, tau_syn, threshold):
    check_that(owner, getattr(arrivals, "_fields", None) == Arrivals._fields,
               f"arrivals must be Arrivals(times, inputs), got {type(arrivals).__name__}.", TypeError)
    check_signal(owner, "weight", weight, layout="[N, I]", dims=2)
    check_finite(owner, "weight", weight, "Look for it in the training.")
    check_tensor(owner, "arrivals.times", arrivals.times, "[K]", dims=1)
    check_dtype(owner, "arrivals.times", arrivals.times, "weight", weight)
    check_shape(owner, "arrivals.inputs", arrivals.inputs, arrivals.times.shape, "one input an arrival")
    check_that(owner, arrivals.inputs.dtype == torch.int64,
               f"arrivals.inputs must be int64, got {arrivals.inputs.dtype}. Convert with .long().", TypeError)
    check_finite(owner, "arrivals.times", arrivals.times, "Leave silent inputs out.")
    check_that(owner, not len(arrivals.times) or (bool((arrivals.times.diff() >= 0).all()) and arrivals.times[0] >= 0),
               "arrivals.times must not be negative and must not fall: sort both, as with order = times.argsort().")
    check_that(owner, not len(arrivals.inputs) or 0 <= int(arrivals.inputs.min()) <= int(arrivals.inputs.max())
               < weight.shape[1],
               f"arrivals.inputs must be from 0 to {weight.shape[1] - 1}, the columns of weight.")
    if recurrent is not None:
        check_shape(owner, "recurrent", recurrent, (len(weight), len(weight)), "between the neurons of weight")
        check_dtype(owner, "recurrent", recurrent, "weight", weight)
        check_finite(owner, "recurrent", recurrent, "Look for it in the training.")
    check_numbers(owner, above=0, tau_mem=tau_mem, tau_syn=tau_syn, threshold=threshold)
    check_that(owner, abs(tau_mem - tau_syn) > 1e-3 * tau_syn, "tau_mem and tau_syn must differ by a thousandth at least, "
                                                               "or the "
               f"solution has another form; got {tau_mem} and {tau_syn}.")


def event_driven_lif(arrivals, weight, end, recurrent=None, tau_mem=2.0, tau_syn=1.0, threshold=1.0, most=10_000):
    """Simulate leaky neurons from event to event, exactly, without a step of time.

    tau_mem V' = -V + I,    tau_syn I' = -I,    I jumps by a weight at each spike that arrives,    V = 0 after V = threshold

    Between two events V is a sum of two exponentials; where it can cross, the crossing is bracketed by its peak.

    Args:
        arrivals: Arrivals(times [K], inputs [K]), in order of time.
        weight: [N, I].
        end: when to stop, positive, in the unit of tau_mem.
        recurrent: weights from neuron to neuron, [N, N] (to, from), without delay, or None.
        tau_mem, tau_syn: time constants, positive and different.
        threshold: positive.
        most: how many output spikes are allowed.

    Returns:
        EventSpikes(times [S], neurons [S], currents [S]): all that `eventprop` needs.

    Raises:
        TypeError: an argument of the wrong kind or dtype.
        ValueError: arrivals out of order or of inputs that weight lacks, NaN, equal time constants, more than `most` spikes.

    Source: Wunderlich and Pehle (2021), doi:10.1038/s41598-021-91786-z, Table 1, for the neuron.

    >>> one = Arrivals(torch.zeros(1), torch.zeros(1).long())
    >>> spikes = event_driven_lif(one, torch.tensor([[5.0]]), end=10.0, tau_mem=10.0, tau_syn=5.0)
    >>> [round(time, 4) for time in spikes.times.tolist()]
    [3.2351]
    """
    _check_events("event_driven_lif", arrivals, weight, recurrent, tau_mem, tau_syn, threshold)
    check_numbers("event_driven_lif", above=0, end=end)
    check_whole("event_driven_lif", high=10**7, most=most)
    taus = float(tau_mem), float(tau_syn)
    mem = torch.zeros(len(weight), dtype=torch.float64)
    syn, now, place, spikes = torch.zeros_like(mem), 0.0, 0, []
    times, inputs = arrivals.times.tolist(), arrivals.inputs.tolist()
    while True:
        following = min(times[place] if place < len(times) else math.inf, float(end))
        wait, neuron = _next_crossing(mem, syn, following - now, *taus, float(threshold))
        mem, syn = _decayed(mem, syn, wait, *taus)
        now += wait
        if neuron is not None:
            check_that("event_driven_lif", len(spikes) < most, f"more than {most} spikes before {end}. Weaken the weights, "
                                                               f"or "
                       "raise most.")
            spikes.append((now, neuron, syn[neuron].item()))
            mem[neuron] = 0.0
            syn = syn if recurrent is None else syn + recurrent[:, neuron].detach()
        elif place < len(times) and times[place] < end:
            syn = syn + weight[:, inputs[place]].detach()
            place += 1
        else:
            break
    when, which, current = zip(*spikes, strict=True) if spikes else ((), (), ())
    return EventSpikes(torch.tensor(when, dtype=weight.dtype), torch.tensor(which, dtype=torch.int64),
                       torch.tensor(current, dtype=weight.dtype))


def _decayed(mem, syn, wait, tau_mem, tau_syn):
    """Membrane and current after a wait without events."""
    slow, fast = math.exp(-wait / tau_mem), math.exp(-wait / tau_syn)
    return mem * slow + syn * (tau_syn / (tau_mem - tau_syn) * (slow - fast)), syn * fast


def _next_crossing(mem, syn, most, tau_mem, tau_syn, threshold):
    """How long until the first membrane crosses its threshold, and which; or `most` and None."""
    b = syn * (tau_syn / (tau_mem - tau_syn))                               # V(s) = a e^(-s/tau_mem) - b e^(-s/tau_syn)
    a = mem + b
    can = syn > threshold                                                   # else V cannot rise at the threshold
    if not bool(can.any()):
        return most, None
    wait = (_by_root if tau_mem == 2 * tau_syn else _by_bisection)(a[can], b[can], most, tau_mem, tau_syn, threshold)
    first = int(wait.argmin())
    if not wait[first] < most:
        return most, None
    return wait[first].item(), int(can.nonzero()[first])


def _by_root(a, b, most, tau_mem, tau_syn, threshold):
    """With x = e^(-s/tau_mem), V is a x - b x^2: a quadratic."""
    inside = a * a - 4 * b * threshold
    x = (a + inside.clamp(min=0).sqrt()) / (2 * b)
    return torch.where((inside > 0) & (x > 0) & (x <= 1), -tau_mem * x.clamp(min=1e-300).log(), math.inf)


def _by_bisection(a, b, most, tau_mem, tau_syn, threshold):
    """V has one peak, where e^(s/tau_syn - s/tau_mem) is b tau_mem / (a tau_syn); it crosses before it or not at all."""
    def over(s):
        return a * (-s / tau_mem).exp() - b * (-s / tau_syn).exp() > threshold

    peak = (b * tau_mem / (a * tau_syn)).clamp(min=1e-300).log() * (tau_mem * tau_syn / (tau_mem - tau_syn))
    high = torch.where((peak > 0) & peak.isfinite(), peak, 0.0).clamp(max=most)
    crosses, low = over(high), torch.zeros_like(high)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = torch.where(over(middle), low, middle), torch.where(over(middle), middle, high)
    return torch.where(crosses, high, math.inf)


def eventprop(arrivals, spikes, weight, by_time, recurrent=None, tau_mem=2.0, tau_syn=1.0, threshold=1.0):
    """Run EventProp backwards from spike to spike: the exact gradient of a loss of spike times, from the spikes alone.

    Between events, back in time:   lambda_V falls with tau_mem,   tau_syn lambda_I' = lambda_V - lambda_I
    At spike k of neuron n:         lambda_V = (I lambda_V + sum_m w_mn (lambda_V - lambda_I)_m + dL/dt_k) / (I - threshold)
    dL/dw_ni = -tau_syn * sum over the arrivals at i of lambda_I of neuron n

    Exact as long as no spike appears or vanishes. A neuron without spikes has a gradient of exactly 0.

    Args:
        arrivals: as given to `event_driven_lif`.
        spikes: as it returned them.
        weight: [N, I].
        by_time: dL/dt_k, the gradient of the loss with respect to each output spike's time, [S].
        recurrent, tau_mem, tau_syn, threshold: as given to `event_driven_lif`.

    Returns:
        EventGradients(weight [N, I], recurrent [N, N] or None).

    Raises:
        TypeError: an argument of the wrong kind or dtype.
        ValueError: as `event_driven_lif`; by_time not one a spike; a current at a spike that is not above the threshold.

    Source: Wunderlich and Pehle (2021), doi:10.1038/s41598-021-91786-z, Table 1.

    >>> one, weight = Arrivals(torch.zeros(1), torch.zeros(1).long()), torch.tensor([[5.0]])
    >>> spikes = event_driven_lif(one, weight, end=10.0, tau_mem=10.0, tau_syn=5.0)
    >>> round(eventprop(one, spikes, weight, torch.ones(1), tau_mem=10.0, tau_syn=5.0).weight.item(), 4)
    -1.2361
    """
    _check_events("eventprop", arrivals, weight, recurrent, tau_mem, tau_syn, threshold)
    _check_spikes_of("eventprop", spikes, weight, by_time, threshold)
    size, taus = len(weight), (float(tau_mem), float(tau_syn))
    in_v, in_i = torch.zeros(size, dtype=torch.float64), torch.zeros(size, dtype=torch.float64)      # lambda_V, lambda_I
    by_weight = torch.zeros(weight.shape, dtype=torch.float64)
    by_recurrent = None if recurrent is None else torch.zeros(recurrent.shape, dtype=torch.float64)
    events = sorted([*((t, 0, k) for k, t in enumerate(arrivals.times.tolist())),
                     *((t, 1, k) for k, t in enumerate(spikes.times.tolist()))], reverse=True)
    now = events[0][0] if events else 0.0
    for time, is_spike, k in events:
        in_v, in_i = _adjoint(in_v, in_i, now - time, *taus)
        now = time
        if not is_spike:
            by_weight[:, arrivals.inputs[k]] -= taus[1] * in_i
            continue
        neuron, current, sent = int(spikes.neurons[k]), spikes.currents[k].item(), 0.0
        if recurrent is not None:
            by_recurrent[:, neuron] -= taus[1] * in_i
            sent = (recurrent[:, neuron].detach() * (in_v - in_i)).sum().item()
        in_v[neuron] = (current * in_v[neuron].item() + sent + by_time[k].item()) / (current - float(threshold))
    return EventGradients(by_weight.to(weight.dtype), None if recurrent is None else by_recurrent.to(weight.dtype))


def _adjoint(in_v, in_i, wait, tau_mem, tau_syn):
    """Both adjoints a while earlier, without events between."""
    slow, fast = math.exp(-wait / tau_mem), math.exp(-wait / tau_syn)
    return in_v * slow, in_i * fast + in_v * (tau_mem / (tau_mem - tau_syn) * (slow - fast))


def _check_spikes_of(owner, spikes, weight, by_time, threshold):
    check_that(owner, getattr(spikes, "_fields", None) == EventSpikes._fields,
               f"spikes must be EventSpikes, as event_driven_lif returns them, got {type(spikes).__name__}.", TypeError)
    check_tensor(owner, "spikes.times", spikes.times, "[S]", dims=1)
    for name, value in (("spikes.times", spikes.times), ("spikes.currents", spikes.currents), ("by_time", by_time)):
        check_shape(owner, name, value, spikes.times.shape, "one a spike")
        check_dtype(owner, name, value, "weight", weight)
        check_finite(owner, name, value, "Look for it in the loss.")
    check_shape(owner, "spikes.neurons", spikes.neurons, spikes.times.shape, "one a spike")
    check_that(owner, not len(spikes.times) or 0 <= int(spikes.neurons.min()) <= int(spikes.neurons.max()) < len(weight),
               f"spikes.neurons must be from 0 to {len(weight) - 1}, the rows of weight.")
    check_that(owner, bool((spikes.currents > threshold).all()), "spikes.currents must be above the threshold, or the "
                                                                 "membrane "
               "does not rise. Take spikes from event_driven_lif with the same threshold.")
