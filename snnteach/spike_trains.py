"""Spike trains in numbers: their rate and regularity, times on a clock, and the bits that a code word tells."""
import math

import torch

from ._arguments import check_affordable, check_finite, check_numbers, check_signal, check_tensor, check_that, check_whole


def spike_statistics(spk, *, dt=1.0):
    """Measure spike trains: how many, how reliable the count, how regular the intervals.

    rate = mean count / (T dt);    Fano factor = variance / mean of the counts;    CV = std / mean of the intervals

    Args:
        spk: spikes or counts, whole numbers of 0 or more, [T, ...]; each place along the other axes is one train.
        dt: length of a step, positive; the rate is in spikes per unit of it.

    Returns:
        A dict of floats: "rate", "fano" (over the trains; NaN if there is only one) and "cv" (over the intervals
        inside trains; NaN if there are fewer than two).

    Raises:
        TypeError: spk not a floating-point tensor, dt not a number.
        ValueError: no spike at all, T = 0, values that are not whole numbers of 0 or more, dt not positive.

    Source: Gerstner and Kistler, Spiking Neuron Models (2002), section 5.2.

    >>> spk = torch.zeros(12, 2); spk[::3] = 1
    >>> spike_statistics(spk)
    {'rate': 0.3333333333333333, 'fano': 0.0, 'cv': 0.0}
    """
    check_signal("spike_statistics", "spk", spk, layout="[T, ...] (time first)")
    check_numbers("spike_statistics", above=0, dt=dt)
    check_finite("spike_statistics", "spk", spk, "Look for it where they were made.")
    check_that("spike_statistics", ((spk >= 0) & (spk == spk.round())).all(), "spk must hold whole numbers of 0 or more.")
    trains = spk.detach().reshape(len(spk), -1).T                      # [trains, T]
    counts = trains.double().sum(1)
    check_that("spike_statistics", counts.any(), "there is no spike in spk; an empty train has no Fano factor and no CV.")
    check_affordable("spike_statistics", "spk", int(counts.sum()))
    train, step = trains.nonzero(as_tuple=True)                        # in order: train by train, then time
    several = trains[train, step].long()                               # a step that holds n spikes counts n times
    train, step = train.repeat_interleave(several), step.repeat_interleave(several)
    gaps = step.diff()[train.diff() == 0].double()
    fano = (counts.var() / counts.mean()).item() if len(counts) > 1 else math.nan
    cv = (gaps.std() / gaps.mean()).item() if len(gaps) > 1 else math.nan
    return {"rate": counts.mean().item() / (len(spk) * float(dt)), "fano": fano, "cv": cv}


def bin_times(times, num_steps, *, dt=1.0):
    """Turn spike times into spikes on a clock.

    spk[t] = number of times in [t dt, (t + 1) dt)

    A time on the border of two steps belongs to the later one, also where rounding has moved it: by 2 units in the last
    place of its type or less. All other times are rounded down.

    Args:
        times: in ascending order, [K], int or float, in the unit of dt, from 0 up to less than T dt. float32 tells steps
            apart up to a million of them; times in seconds of long recordings are float64.
        num_steps: number of time steps T, at least 1.
        dt: length of a step, positive.

    Returns:
        Counts, [T], float32.

    Raises:
        TypeError: times not a tensor of numbers, dt not a number.
        ValueError: times not [K], empty, unsorted, NaN or outside the clock, num_steps not whole or less than 1, dt not
            positive.

    Source: the definition of a spike train on a grid.

    >>> bin_times(torch.tensor([0.5, 1.0, 3.9]), num_steps=4).tolist()
    [1.0, 1.0, 0.0, 1.0]
    """
    check_tensor("bin_times", "times", times, "[K]", dims=1)
    check_that("bin_times", times.dtype != torch.bool, "times must be numbers, got torch.bool. Spikes on a clock turn into "
               "times with times.nonzero().flatten().", TypeError)
    check_whole("bin_times", num_steps=num_steps)
    check_affordable("bin_times", "num_steps", num_steps)
    check_numbers("bin_times", above=0, dt=dt)
    check_that("bin_times", len(times), "times must hold at least one spike.")
    check_finite("bin_times", "times", times, "Leave out what did not fire: times[times.isfinite()].")
    check_that("bin_times", (times[1:] >= times[:-1]).all(), "times must ascend; sort them first: times.sort().values.")
    check_that("bin_times", 0 <= times[0] and times[-1] < num_steps * dt,
               f"times must lie in 0 to {num_steps * dt:g}, got {times[0]:g} to {times[-1]:g}.")
    steps = times.double() / float(dt)                                 # [K]
    border = steps.round()
    rounding = 2 * torch.finfo(times.dtype if times.is_floating_point() else steps.dtype).eps * border
    steps = torch.where((steps - border).abs() <= rounding, border, steps.floor())
    return torch.bincount(steps.long().clamp(max=num_steps - 1), minlength=num_steps).float()


def mutual_information(conditional, prior):
    """Count the bits that a code word tells about the number behind it.

    I = sum over x, y of p(x) p(y|x) log2(p(y|x) / p(y)),    p(y) = sum over x of p(x) p(y|x)

    Args:
        conditional: p(y|x), the probability of each code word y for each number x, [X, Y], rows sum to 1.
        prior: p(x), [X], sums to 1.

    Returns:
        Bits, a float between 0 and the entropy of the prior.

    Raises:
        TypeError: conditional or prior not floating-point tensors.
        ValueError: shapes that do not fit, negative entries, sums other than 1.

    Source: Shannon (1948), doi:10.1002/j.1538-7305.1948.tb01338.x.

    >>> noisy = torch.tensor([[0.75, 0.25], [0.25, 0.75]])
    >>> round(mutual_information(noisy, torch.tensor([0.5, 0.5])), 4)
    0.1887
    """
    for name, value, layout, dims in (("conditional", conditional, "[X, Y]", 2), ("prior", prior, "[X]", 1)):
        check_signal("mutual_information", name, value, layout=layout, dims=dims)
        check_that("mutual_information", (value >= 0).all() and ((value.double().sum(-1) - 1).abs() < 1e-4).all(),
                   f"{name} must hold probabilities that sum to 1 along the last axis.")
    check_that("mutual_information", len(conditional) == len(prior),
               f"conditional [X, Y] and prior [X] must agree in X, got {len(conditional)} and {len(prior)}.")
    joint = prior.double()[:, None] * conditional.double()
    independent = prior.double()[:, None] * joint.sum(0)
    return torch.where(joint > 0, joint * torch.log2(joint / independent), 0).sum().item()
