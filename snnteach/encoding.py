"""From numbers to spikes and back: rate, Poisson, latency, delta, population and phase codes, and what each one loses."""
import math

import torch

from ._arguments import (
    check_between,
    check_finite,
    check_intensity,
    check_not_negative,
    check_option,
    check_positive,
    check_signal,
    check_tensor,
    check_that,
    check_whole,
)

DELTA_METHODS = ("frame", "send_on_delta")
LATENCY_MODES = ("log", "linear")


def rate_code(x, num_steps, *, gain=1.0, generator=None):
    """Toss a coin at every step: the brighter the pixel, the likelier its spike.

    spk[t] = 1 with probability gain x, else 0, independently at every step

    Args:
        x: intensities between 0 and 1, [B, ...].
        num_steps: number of time steps T, at least 1.
        gain: spikes per step of the intensity 1, between 0 and 1.
        generator: torch.Generator of the coin; torch's global one by default.

    Returns:
        Spikes 0 or 1, [T, B, ...], of x's type. The count is binomial: mean T p, variance T p (1 - p), p = gain x.

    Raises:
        TypeError: x not a floating-point tensor.
        ValueError: x or gain outside [0, 1], num_steps less than 1.

    Source: Eshraghian et al. (2023), section III-A and appendix B1; most libraries call this "Poisson", which it is not.

    >>> spk = rate_code(torch.tensor([0.0, 0.2, 1.0]), num_steps=1000, generator=torch.Generator().manual_seed(0))
    >>> spk.shape, [round(rate, 1) for rate in spk.mean(0).tolist()]
    (torch.Size([1000, 3]), [0.0, 0.2, 1.0])
    """
    check_intensity("rate_code", x)
    check_whole("rate_code", num_steps=num_steps)
    check_between("rate_code", "gain", gain, 0, 1)
    noise = torch.rand(num_steps, *x.shape, generator=generator, dtype=x.dtype, device=x.device)
    return (noise < gain * x).to(x.dtype)


def rate_decode(spk, *, gain=1.0):
    """Estimate intensities from spike counts.

    x = count / (gain T), with standard deviation sqrt(p (1 - p) / T) / gain, p = gain x

    Args:
        spk: spikes, [T, ...].
        gain: that of the encoder, between 0 and 1, not 0.

    Returns:
        Intensities, [...].

    Raises:
        TypeError: spk not a floating-point tensor.
        ValueError: T = 0, gain not positive or above 1.

    Source: the mean of a binomial count.

    >>> rate_decode(torch.tensor([1.0, 0.0, 0.0, 1.0])).item()
    0.5
    """
    check_signal("rate_decode", "spk", spk, layout="[T, ...] (time first)")
    check_positive("rate_decode", gain=gain)
    check_between("rate_decode", "gain", gain, 0, 1)
    return spk.mean(0) / gain


def poisson_code(rate, num_steps, *, dead_time=0.0, generator=None):
    """Let spikes fall at random moments, any number in a step, with a dead time after each.

    interval = dead_time + an exponential of mean 1 / rate;    mean rate = rate / (1 + rate dead_time)

    Args:
        rate: spikes per step of a neuron that is not in its dead time, 0 or more, [B, ...].
        num_steps: number of time steps T, at least 1.
        dead_time: steps (a fraction is fine) after a spike in which no other can come, 0 or more.
        generator: torch.Generator of the intervals; torch's global one by default.

    Returns:
        Counts 0, 1, 2, ..., [T, B, ...], of rate's type. Without dead time the Fano factor and the CV are 1; with it the
        CV is 1 / (1 + rate dead_time) and the Fano factor of long windows CV^2.

    Raises:
        TypeError: rate not a floating-point tensor, dead_time not a number.
        ValueError: rate negative, NaN or infinite, dead_time negative, num_steps less than 1.

    Source: Gerstner and Kistler, Spiking Neuron Models (2002), section 5.2; renewal theory for the Fano factor (Cox 1962).

    >>> spk = poisson_code(torch.full((500,), 0.5), num_steps=1000, dead_time=2.0, generator=torch.Generator().manual_seed(0))
    >>> spk.shape, round(spk.mean().item(), 2)
    (torch.Size([1000, 500]), 0.25)
    """
    check_signal("poisson_code", "rate", rate, layout="[B, ...]")
    check_finite("poisson_code", "rate", rate)
    check_not_negative("poisson_code", rate=rate, dead_time=dead_time)
    check_whole("poisson_code", num_steps=num_steps)
    counts = torch.zeros(num_steps, *rate.shape, dtype=rate.dtype, device=rate.device)
    moment = torch.zeros(rate.shape, dtype=torch.float64, device=rate.device)
    while True:                                                        # one round places one spike of every train
        wait = torch.empty_like(moment).exponential_(generator=generator)
        moment = moment + wait / rate                                  # [B, ...], infinite where the rate is 0
        inside = moment < num_steps
        if not bool(inside.any()):
            return counts
        counts.scatter_add_(0, moment.clamp(max=num_steps - 1).long()[None], inside.to(counts.dtype)[None])
        moment = moment + dead_time


def latency_time(x, *, tau=5.0, threshold=0.1):
    """Find the moment at which a constant input makes a membrane reach its threshold: the brighter, the earlier.

    t = tau ln(x / (x - threshold)) where x > threshold, else infinite;    dt/dx = -tau threshold / (x (x - threshold))

    Args:
        x: intensities between 0 and 1, [B, ...]: the potential at which the membrane would settle.
        tau: time constant of the membrane in steps, positive.
        threshold: intensity that is just too faint to fire, positive.

    Returns:
        Times in steps, [B, ...].

    Raises:
        TypeError: x not a floating-point tensor.
        ValueError: x outside [0, 1], tau or threshold not positive.

    Source: Eshraghian et al. (2023), appendix B2: the RC membrane of Eq. 2 from rest.

    >>> [round(t, 3) for t in latency_time(torch.tensor([1.0, 0.5, 0.1, 0.02, 0.005]), tau=5.0, threshold=0.01).tolist()]
    [0.05, 0.101, 0.527, 3.466, inf]
    """
    check_intensity("latency_time", x)
    check_positive("latency_time", tau=tau, threshold=threshold)
    return torch.where(x > threshold, -tau * torch.log1p(-threshold / x.clamp(min=threshold)), math.inf)


def _latency_steps(owner, x, num_steps, tau, threshold, mode):
    check_intensity(owner, x)
    check_whole(owner, num_steps=num_steps)
    check_positive(owner, tau=tau, threshold=threshold)
    check_option(owner, "mode", mode, LATENCY_MODES)
    if mode == "log":
        return latency_time(x, tau=tau, threshold=threshold).floor()
    return torch.where(x > threshold, ((1 - x) * (num_steps - 1)).round(), math.inf)


def latency_code(x, num_steps, *, tau=5.0, threshold=0.1, mode="log"):
    """Give every pixel one spike at most, the brighter the earlier.

    log: step = floor(tau ln(x / (x - threshold)));    linear: step = round((1 - x) (T - 1))

    The step of "log" is exactly the first spike of `lif` with beta = exp(-1 / tau) and the constant input (1 - beta) x.

    Args:
        x: intensities between 0 and 1, [B, ...].
        num_steps: number of time steps T, at least 1; what would fire later stays silent.
        tau: time constant in steps, positive; only "log" uses it.
        threshold: intensities up to it stay silent, positive.
        mode: "log" or "linear".

    Returns:
        Spikes 0 or 1, [T, B, ...], of x's type, at most one along time.

    Raises:
        TypeError: x not a floating-point tensor.
        ValueError: x outside [0, 1], num_steps less than 1, tau or threshold not positive, mode unknown.

    Source: Eshraghian et al. (2023), section III-A and appendix B2.

    >>> latency_code(torch.tensor([1.0, 0.5, 0.0]), num_steps=5, mode="linear").T.tolist()
    [[1.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0]]
    """
    steps = _latency_steps("latency_code", x, num_steps, tau, threshold, mode)
    clock = torch.arange(num_steps, dtype=x.dtype, device=x.device).view(-1, *[1] * x.dim())
    return (clock == steps).to(x.dtype)


def latency_decode(spk, *, tau=5.0, threshold=0.1, mode="log"):
    """Estimate intensities from the step of the first spike; silence reads 0.

    log: x = threshold / (1 - exp(-(step + 1/2) / tau)), at most 1;    linear: x = 1 - step / (T - 1)

    Args:
        spk: spikes, [T, ...].
        tau, threshold, mode: those of the encoder.

    Returns:
        Intensities, [...].

    Raises:
        TypeError: spk not a floating-point tensor.
        ValueError: T = 0, tau or threshold not positive, mode unknown.

    Source: `latency_time` solved for x, at the middle of the step.

    >>> spk = latency_code(torch.tensor([1.0, 0.75, 0.5, 0.0]), num_steps=5, mode="linear")
    >>> latency_decode(spk, mode="linear").tolist()
    [1.0, 0.75, 0.5, 0.0]
    """
    check_signal("latency_decode", "spk", spk, layout="[T, ...] (time first)")
    check_positive("latency_decode", tau=tau, threshold=threshold)
    check_option("latency_decode", "mode", mode, LATENCY_MODES)
    step = (spk.cumsum(0) == 0).sum(0).to(spk.dtype)                   # T where nothing fired
    if mode == "log":
        x = (threshold / -torch.expm1(-(step + 0.5) / tau)).clamp(max=1)
    else:
        x = 1 - step / max(len(spk) - 1, 1)
    return torch.where(step < len(spk), x, 0)


def delta_code(x, threshold, *, method="send_on_delta", off_spikes=True):
    """Send only changes: against the sample before (frame), or against what was last sent (send-on-delta).

    frame: event[t] = sign(x[t] - x[t-1]) where abs(x[t] - x[t-1]) > threshold, else 0
    send_on_delta: event[t] = (x[t] - sent) / threshold, cut to a whole number; sent <- sent + threshold event[t]

    Args:
        x: signals over time, [T, ...]; the first sample is not sent but known to the receiver.
        threshold: change that is worth a spike, positive, in units of x.
        method: "frame" or "send_on_delta".
        off_spikes: send negative events for what falls; without them the receiver follows only upwards.

    Returns:
        Events, [T, ...] of x's type: 0, or +1 and -1; send-on-delta sends n in one step for a jump of n thresholds.
        Send-on-delta with off-spikes keeps abs(x - decoded) < threshold; a monotone rise sends floor(rise / threshold).

    Raises:
        TypeError: x not a floating-point tensor.
        ValueError: T = 0, NaN or infinity in x, threshold not positive, method unknown.

    Source: Eshraghian et al. (2023), section III-A (delta modulation); Miskowicz (2006), doi:10.3390/s6010049 (send-on-delta).

    >>> ramp = torch.linspace(0, 1, 101)
    >>> [int(delta_code(ramp, 0.3, method=method).sum()) for method in ("frame", "send_on_delta")]
    [0, 3]
    """
    check_signal("delta_code", "x", x, layout="[T, ...] (time first)")
    check_positive("delta_code", threshold=threshold)
    check_option("delta_code", "method", method, DELTA_METHODS)
    check_finite("delta_code", "x", x, "A change from or to it has no size.")
    low = -math.inf if off_spikes else 0
    if method == "frame":
        change = torch.diff(x, dim=0, prepend=x[:1])                   # [T, ...], the first is 0
        return torch.where(change.abs() > threshold, change.sign(), 0).clamp(min=low)
    sent, events = torch.zeros_like(x[0]), []                          # what was sent, in thresholds above the start
    for now in (x - x[0]) / threshold:
        events.append((now - sent).trunc().clamp(min=low))
        sent = sent + events[-1]
    return torch.stack(events)


def delta_decode(events, threshold, start=0.0):
    """Rebuild signals from their changes.

    x[t] = start + threshold sum over s <= t of event[s]

    Args:
        events: whole numbers, [T, ...].
        threshold: that of the encoder, positive.
        start: the first sample, a number or [...].

    Returns:
        Signals, [T, ...].

    Raises:
        TypeError: events not a floating-point tensor.
        ValueError: T = 0, threshold not positive.

    Source: Miskowicz (2006), doi:10.3390/s6010049.

    >>> delta_decode(torch.tensor([0.0, 1.0, 0.0, 2.0, -1.0]), threshold=0.5, start=1.0).tolist()
    [1.0, 1.5, 1.5, 2.5, 2.0]
    """
    check_signal("delta_decode", "events", events, layout="[T, ...] (time first)")
    check_positive("delta_decode", threshold=threshold)
    return start + threshold * events.cumsum(0)


def field_centres(num_fields):
    """Place Gaussian receptive fields over the range 0 to 1, the outermost half a step beyond its ends.

    centre[i] = (i - 1/2) / (num_fields - 2),    i = 0 .. num_fields - 1

    Args:
        num_fields: number of neurons that share one input, at least 3.

    Returns:
        Centres, [num_fields], float32.

    Raises:
        ValueError: num_fields less than 3.

    Source: Bohte, Kok and La Poutré (2002), doi:10.1016/S0925-2312(01)00658-0.

    >>> field_centres(4).tolist()
    [-0.25, 0.25, 0.75, 1.25]
    """
    check_whole("field_centres", low=3, num_fields=num_fields)
    return (torch.arange(num_fields) - 0.5) / (num_fields - 2)


def population_code(x, num_fields, *, sharpness=1.5):
    """Share one number among several neurons, each with its favourite value.

    a[i] = exp(-(x - centre[i])^2 / (2 width^2)),    width = 1 / (sharpness (num_fields - 2))

    The activities are intensities again: hand them to `rate_code` or `latency_code`, or use them as currents.

    Args:
        x: intensities between 0 and 1, [B, ...].
        num_fields: neurons a number, at least 3; their centres are `field_centres(num_fields)`.
        sharpness: distance of two centres in widths, positive.

    Returns:
        Activities between 0 and 1, [B, ..., num_fields], of x's type.

    Raises:
        TypeError: x not a floating-point tensor.
        ValueError: x outside [0, 1], num_fields less than 3, sharpness not positive.

    Source: Bohte, Kok and La Poutré (2002), doi:10.1016/S0925-2312(01)00658-0.

    >>> [round(a, 2) for a in population_code(torch.tensor([0.25]), num_fields=4)[0].tolist()]
    [0.32, 1.0, 0.32, 0.01]
    """
    check_intensity("population_code", x)
    check_positive("population_code", sharpness=sharpness)
    centres = field_centres(num_fields).to(x)
    return torch.exp(-((x[..., None] - centres) * sharpness * (num_fields - 2)) ** 2 / 2)


def population_decode(activity):
    """Estimate numbers from the activities (or spike counts) of their populations, by the mean of the centres.

    x = sum over i of a[i] centre[i] / sum over i of a[i], kept between 0 and 1; silence reads 1/2

    Args:
        activity: activities or counts, 0 or more, [..., num_fields].

    Returns:
        Intensities, [...].

    Raises:
        TypeError: activity not a floating-point tensor.
        ValueError: activity negative or NaN, fewer than 3 fields.

    Source: the centre of mass, the simplest of the read-outs in Pouget, Dayan and Zemel (2000), doi:10.1038/35039062.

    >>> round(population_decode(population_code(torch.tensor([0.25]), num_fields=6)).item(), 2)
    0.25
    """
    check_signal("population_decode", "activity", activity, layout="[..., num_fields]")
    check_not_negative("population_decode", activity=activity)
    centres, total = field_centres(activity.shape[-1]).to(activity), activity.sum(-1)
    return torch.where(total > 0, (activity @ centres / total).clamp(0, 1), 0.5)


def phase_weights(num_steps, *, period=8):
    """Say what a spike is worth at each phase of the clock: a half, a quarter, an eighth, and so on.

    weight[t] = 2^-(1 + t mod period)

    Args:
        num_steps: number of time steps T, a multiple of the period.
        period: steps of one cycle, at least 1.

    Returns:
        Weights, [T], float32.

    Raises:
        ValueError: num_steps or period less than 1, num_steps not a multiple of the period.

    Source: Kim et al. (2018), doi:10.1016/j.neucom.2018.05.087 (weighted spikes).

    >>> phase_weights(4, period=2).tolist()
    [0.5, 0.25, 0.5, 0.25]
    """
    check_whole("phase_weights", num_steps=num_steps, period=period)
    check_that("phase_weights", num_steps % period == 0,
               f"num_steps must be a multiple of the period {period}, got {num_steps}.")
    return 0.5 ** (1 + torch.arange(num_steps) % period)


def phase_code(x, num_steps, *, period=8):
    """Write each intensity as a binary number, one bit a step, the largest first, and repeat it every period.

    spk[t] = bit number (t mod period) of floor(2^period x), at most 2^period - 1

    Args:
        x: intensities between 0 and 1, [B, ...].
        num_steps: number of time steps T, a multiple of the period.
        period: bits of the number and steps of one cycle, 1 to 16.

    Returns:
        Spikes 0 or 1, [T, B, ...], of x's type. Eight bits hold the grey values k / 255 without loss.

    Raises:
        TypeError: x not a floating-point tensor.
        ValueError: x outside [0, 1], num_steps not a multiple of the period, period outside 1..16.

    Source: Kim et al. (2018), doi:10.1016/j.neucom.2018.05.087.

    >>> phase_code(torch.tensor([0.625]), num_steps=4, period=4).flatten().tolist()
    [1.0, 0.0, 1.0, 0.0]
    """
    check_intensity("phase_code", x)
    check_between("phase_code", "period", period, 1, 16)
    weights = phase_weights(num_steps, period=period).to(x).view(-1, *[1] * x.dim())
    number = (x.double() * 2**period).floor().clamp(max=2**period - 1) / 2**period
    return ((number / weights).floor() % 2).to(x.dtype)


def phase_decode(spk, *, period=8):
    """Read binary numbers from spikes and the clock.

    x = mean over periods of (sum over t of 2^-(1 + t mod period) spk[t])

    Args:
        spk: spikes, [T, ...], T a multiple of the period.
        period: that of the encoder.

    Returns:
        Intensities, [...], less than 2^-period below those that were sent.

    Raises:
        TypeError: spk not a floating-point tensor.
        ValueError: T not a multiple of the period.

    Source: Kim et al. (2018), doi:10.1016/j.neucom.2018.05.087.

    >>> phase_decode(phase_code(torch.tensor([0.6]), num_steps=8)).item()
    0.59765625
    """
    check_signal("phase_decode", "spk", spk, layout="[T, ...] (time first)")
    weights = phase_weights(len(spk), period=period).to(spk)
    return torch.tensordot(weights, spk, dims=1) * period / len(spk)


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
        TypeError: spk not a floating-point tensor.
        ValueError: no spike at all, T = 0, values that are not whole numbers of 0 or more, dt not positive.

    Source: Gerstner and Kistler, Spiking Neuron Models (2002), section 5.2.

    >>> spk = torch.zeros(12, 2); spk[::3] = 1
    >>> spike_statistics(spk)
    {'rate': 0.3333333333333333, 'fano': 0.0, 'cv': 0.0}
    """
    check_signal("spike_statistics", "spk", spk, layout="[T, ...] (time first)")
    check_positive("spike_statistics", dt=dt)
    check_that("spike_statistics", ((spk >= 0) & (spk == spk.round())).all(), "spk must hold whole numbers of 0 or more.")
    trains = spk.detach().reshape(len(spk), -1).T                      # [trains, T]
    counts = trains.double().sum(1)
    check_that("spike_statistics", counts.any(), "there is no spike in spk; an empty train has no Fano factor and no CV.")
    train, step = trains.nonzero(as_tuple=True)                        # in order: train by train, then time
    several = trains[train, step].long()                               # a step that holds n spikes counts n times
    train, step = train.repeat_interleave(several), step.repeat_interleave(several)
    gaps = step.diff()[train.diff() == 0].double()
    fano = (counts.var() / counts.mean()).item() if len(counts) > 1 else math.nan
    cv = (gaps.std() / gaps.mean()).item() if len(gaps) > 1 else math.nan
    return {"rate": counts.mean().item() / (len(spk) * dt), "fano": fano, "cv": cv}


def bin_times(times, num_steps, *, dt=1.0):
    """Turn spike times into spikes on a clock.

    spk[t] = number of times in [t dt, (t + 1) dt)

    Args:
        times: in ascending order, [K], int or float, in the unit of dt, from 0 up to less than T dt.
        num_steps: number of time steps T, at least 1.
        dt: length of a step, positive.

    Returns:
        Counts, [T], float32.

    Raises:
        TypeError: times not a tensor.
        ValueError: times not [K], empty, unsorted or outside the clock, num_steps less than 1, dt not positive.

    Source: the definition of a spike train on a grid.

    >>> bin_times(torch.tensor([0.5, 1.0, 3.9]), num_steps=4).tolist()
    [1.0, 1.0, 0.0, 1.0]
    """
    check_tensor("bin_times", "times", times, "[K]", dims=1)
    check_whole("bin_times", num_steps=num_steps)
    check_positive("bin_times", dt=dt)
    check_that("bin_times", len(times), "times must hold at least one spike.")
    check_that("bin_times", (times[1:] >= times[:-1]).all(), "times must ascend; sort them first: times.sort().values.")
    check_that("bin_times", 0 <= times[0] and times[-1] < num_steps * dt,
               f"times must lie in 0 to {num_steps * dt:g}, got {times[0]:g} to {times[-1]:g}.")
    return torch.bincount((times / dt).long().clamp(max=num_steps - 1), minlength=num_steps).float()


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
