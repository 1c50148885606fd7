"""Answers to the exercises of notebook 13 that are functions: the right one and the wrong ones that people give."""
import math

import torch

from ...spiketimes import alpha_psp, alpha_psp_slope, crossing_time

TAU, LATE = 5.0, 9.0


def neuron(seed, inputs):
    """A case: weights and arrivals of a neuron that fires, and its spike."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        weight = torch.randn(inputs, generator=generator, dtype=torch.float64) + 0.8
        times = 6 * torch.rand(inputs, generator=generator, dtype=torch.float64)
        spike_time = crossing_time(weight, times, TAU)
        if math.isfinite(spike_time) and (spike_time > times).sum() > 1:
            return weight, times, spike_time


def by_arrival(weight, times, spike_time):
    """The right one: df/dt_i = w_i eps'(f - t_i) / U'(f)."""
    since = spike_time - times                                             # [N]
    pull = (weight * (5 - since) / 25 * (1 - since / 5).exp()).where(since > 0, 0.0)             # w_i eps'(f - t_i)
    return pull / pull.sum()                                               # over U'(f)


def by_arrival_wrong_sign(weight, times, spike_time):
    """Turns the sign of the derivative of eps(f - t)."""
    return -by_arrival(weight, times, spike_time)


def by_weight(weight, times, spike_time):
    """Answers for the weights."""
    return -alpha_psp(spike_time - times, TAU) / (weight * alpha_psp_slope(spike_time - times, TAU)).sum()


def not_divided(weight, times, spike_time):
    """Leaves the slope of the membrane out."""
    return weight * alpha_psp_slope(spike_time - times, TAU)


def without_weight(weight, times, spike_time):
    """Leaves the weight above the line out."""
    slope = alpha_psp_slope(spike_time - times, TAU)
    return slope / (weight * slope).sum()


def with_response(weight, times, spike_time):
    """Takes eps for eps'."""
    return weight * alpha_psp(spike_time - times, TAU) / (weight * alpha_psp_slope(spike_time - times, TAU)).sum()


def share_of_weight(weight, times, spike_time):
    """Shares by weight alone."""
    return weight / weight.sum()


def noticed_late(spike_time, step):
    """The right one: how long until the next tick."""
    return math.ceil(spike_time / step) * step - spike_time


def since_last_tick(spike_time, step):
    """Looks back instead of ahead."""
    return spike_time - math.floor(spike_time / step) * step


def to_the_nearest(spike_time, step):
    """Rounds to the nearest tick."""
    return round(spike_time / step) * step - spike_time


def half_a_step(spike_time, step):
    """Answers with the mean."""
    return step / 2


def the_tick(spike_time, step):
    """Returns when it is noticed, not how late."""
    return math.ceil(spike_time / step) * step


def ticks(spike_time, step):
    """Counts ticks."""
    return math.ceil(spike_time / step)


def one_step(spike_time, step):
    """Answers with the most."""
    return step


def first_spikes(times, weight):
    arrive, order = times.sort(dim=1)                                      # [B, N]
    z, w = arrive.exp()[:, None], weight.T[order].transpose(1, 2)          # [B, 1, N], [B, M, N]
    room, charge = w.cumsum(2) - 1, (w * z).cumsum(2)                      # for the first 1, 2, ..., N inputs
    out = charge / room.where(room > 0, torch.ones_like(room))             # N candidates, Eq. 2
    until = torch.cat([z[:, :, 1:], torch.full_like(z[:, :, :1], math.inf)], 2)
    fires = (room > 0) & (out <= until) & (out >= 0.999999 * z)
    found = fires.any(2)                                                   # [B, M]
    first = out.gather(2, fires.byte().argmax(2, keepdim=True)).squeeze(2)
    spikes = first.where(found, torch.ones_like(first)).log()              # no logarithm of what does not count
    return torch.where(found, spikes, 9.0).clamp(max=9.0)


def layer_with(times, weight, *, everyone=False, early=True, threshold=1.0, log=True, silent=LATE, last=False, moved=True,
                 cut=False):
    """The layer with its misconceptions, by their flags."""
    arrive, order = times.sort(dim=1)                                      # [B, N]
    z = arrive.exp()
    w = weight.T[order].transpose(1, 2) if moved else weight.expand(len(times), -1, -1)          # [B, M, N]
    room, charge = w.cumsum(2) - threshold, (w * z[:, None]).cumsum(2)
    out = charge / room.where(room > 0, torch.ones_like(room))
    until = torch.cat([z[:, 1:], torch.full_like(z[:, :1], math.inf)], 1)[:, None]
    fires = (room > 0) & (out > 0)
    if early:
        fires = fires & (out <= until) & (out >= 0.999999 * z[:, None])
    if everyone:
        fires = fires & (torch.arange(z.shape[1]) == z.shape[1] - 1)
    place = (fires * torch.arange(1, 1 + z.shape[1])).argmax(2, keepdim=True) if last else fires.byte().argmax(2, keepdim=True)
    found = fires.any(2)
    z_out = out.gather(2, place).squeeze(2).where(found, torch.ones_like(out[:, :, 0]))
    value = z_out.log() if log else z_out
    value = value.where(found, torch.full_like(value, silent)).clamp(max=LATE)
    return value.detach() + 0 * weight.sum() + 0 * times.sum() if cut else value


def layer_case(seed, samples, inputs, neurons):
    """Arrivals and weights of a layer, of which some neurons stay silent."""
    generator = torch.Generator().manual_seed(seed)
    times = 2 * torch.rand(samples, inputs, generator=generator, dtype=torch.float64)
    return times, 1.5 * torch.randn(neurons, inputs, generator=generator, dtype=torch.float64) + 0.6


def hears_everyone(times, weight):
    """Lets every input speak, also those that come too late."""
    return layer_with(times, weight, everyone=True, early=False)


def never_looks_ahead(times, weight):
    """Takes the first set whose weights reach, without looking whether its spike comes before the next input."""
    return layer_with(times, weight, early=False)


def no_threshold(times, weight):
    """Forgets the threshold."""
    return layer_with(times, weight, threshold=0.0)


def no_log(times, weight):
    """Returns z."""
    return layer_with(times, weight, log=False)


def silent_at_once(times, weight):
    """Lets a silent neuron fire at 0."""
    return layer_with(times, weight, silent=0.0)


def last_set(times, weight):
    """Takes the last set that is one."""
    return layer_with(times, weight, last=True)


def weights_unsorted(times, weight):
    """Sorts arrivals, and not the weights with them."""
    return layer_with(times, weight, moved=False)


def dead(times, weight):
    """Cuts the gradient."""
    return layer_with(times, weight, cut=True)
