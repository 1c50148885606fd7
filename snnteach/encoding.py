"""From numbers to spikes and back: rate, Poisson, latency, delta, population and phase codes, and what each one loses."""
import math

import torch

from ._arguments import (
    check_affordable,
    check_dtype,
    check_finite,
    check_flags,
    check_fraction,
    check_generator,
    check_intensity,
    check_not_negative,
    check_numbers,
    check_option,
    check_signal,
    check_that,
    check_whole,
)

DELTA_METHODS = ("frame", "send_on_delta")
LATENCY_MODES = ("log", "linear")
MOST_DRAWS = 10**9                                           # random intervals that one call may take: a minute


def _check_clock(owner, x, num_steps):
    check_whole(owner, num_steps=num_steps)
    check_affordable(owner, "num_steps", num_steps, *x.shape)


def _fine(x):
    """Numbers of 16 bits as float32: sums, counts and clocks get lost among them."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


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
        TypeError: x not a floating-point tensor, gain not a number, generator not a torch.Generator.
        ValueError: x or gain outside [0, 1], num_steps not whole or less than 1.

    Source: Eshraghian et al. (2023), section III-A and appendix B1; most libraries call this "Poisson", which it is not.

    >>> spk = rate_code(torch.tensor([0.0, 0.2, 1.0]), num_steps=1000, generator=torch.Generator().manual_seed(0))
    >>> spk.shape, [round(rate, 1) for rate in spk.mean(0).tolist()]
    (torch.Size([1000, 3]), [0.0, 0.2, 1.0])
    """
    check_intensity("rate_code", x)
    _check_clock("rate_code", x, num_steps)
    check_fraction("rate_code", gain=gain)
    check_generator("rate_code", generator)
    chance = float(gain) * _fine(x)                                    # [B, ...]
    noise = torch.rand(num_steps, *x.shape, generator=generator, dtype=chance.dtype, device=x.device)
    return (noise < chance).to(x.dtype)


def rate_decode(spk, *, gain=1.0):
    """Estimate intensities from spike counts.

    x = count / (gain T), with standard deviation sqrt(p (1 - p) / T) / gain, p = gain x

    Args:
        spk: spikes, [T, ...].
        gain: that of the encoder, between 0 and 1, not 0.

    Returns:
        Intensities, [...].

    Raises:
        TypeError: spk not a floating-point tensor, gain not a number.
        ValueError: T = 0, NaN or infinity in spk, gain not positive or above 1.

    Source: the mean of a binomial count.

    >>> rate_decode(torch.tensor([1.0, 0.0, 0.0, 1.0])).item()
    0.5
    """
    check_signal("rate_decode", "spk", spk, layout="[T, ...] (time first)")
    check_finite("rate_decode", "spk", spk, "Look for it where they were made.")
    check_numbers("rate_decode", above=0, high=1, gain=gain)
    return (_fine(spk).mean(0) / float(gain)).to(spk.dtype)


def poisson_code(rate, num_steps, *, dead_time=0.0, generator=None):
    """Let spikes fall at random moments, any number in a step, with a dead time after each.

    interval = dead_time + an exponential of mean 1 / rate;    mean rate = rate / (1 + rate dead_time)

    Args:
        rate: spikes per step of a neuron that is not in its dead time, 0 or more, [B, ...].
        num_steps: number of time steps T, at least 1.
        dead_time: steps (a fraction is fine) after a spike in which no other can come, 0 or more.
        generator: torch.Generator of the intervals; torch's global one by default.

    Returns:
        Counts 0, 1, 2, ..., [T, B, ...], of rate's type (one of 16 bits rounds large counts). Without dead time the Fano
        factor and the CV are 1; with it the CV is 1 / (1 + rate dead_time) and the Fano factor of long windows CV^2.

    Raises:
        TypeError: rate not a floating-point tensor, dead_time not a number, generator not a torch.Generator.
        ValueError: rate negative, NaN, infinite or so high that a minute would not do, dead_time negative, num_steps not
            whole or less than 1.

    Source: Gerstner and Kistler, Spiking Neuron Models (2002), section 5.2; renewal theory for the Fano factor (Cox 1962).

    >>> spk = poisson_code(torch.full((500,), 0.5), num_steps=1000, dead_time=2.0, generator=torch.Generator().manual_seed(0))
    >>> spk.shape, round(spk.mean().item(), 2)
    (torch.Size([1000, 500]), 0.25)
    """
    check_signal("poisson_code", "rate", rate, layout="[B, ...]")
    check_finite("poisson_code", "rate", rate, "Look for it where the rates were computed.")
    check_not_negative("poisson_code", rate=rate)
    check_numbers("poisson_code", low=0, dead_time=dead_time)
    _check_clock("poisson_code", rate, num_steps)
    _check_draws("poisson_code", rate.max().item(), num_steps, dead_time, rate.numel())
    check_generator("poisson_code", generator)
    counts = torch.zeros(num_steps, *rate.shape, dtype=_fine(rate).dtype, device=rate.device)
    moment = torch.zeros(rate.shape, dtype=torch.float64, device=rate.device)
    while True:                                                        # one round places one spike of every train
        wait = torch.empty_like(moment).exponential_(generator=generator)
        moment = moment + wait / rate                                  # [B, ...], infinite where the rate is 0
        inside = moment < num_steps
        if not bool(inside.any()):
            return counts.to(rate.dtype)
        counts.scatter_add_(0, moment.clamp(max=num_steps - 1).long()[None], inside.to(counts.dtype)[None])
        moment = moment + float(dead_time)


def _check_draws(owner, highest, num_steps, dead_time, trains):
    """A round draws one interval of every train, and costs as much as a thousand of them at least."""
    check_that(owner, highest * num_steps / (1 + highest * dead_time) * (trains + 1000) <= MOST_DRAWS,
               f"rate is spikes per step, and {highest:g} over {num_steps} steps of {trains} trains takes too many random "
               "intervals. Divide a rate in spikes per second by the steps in a second.")


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
        TypeError: x not a floating-point tensor, tau or threshold not a number.
        ValueError: x outside [0, 1], tau or threshold not positive.

    Source: Eshraghian et al. (2023), appendix B2: the RC membrane of Eq. 2 from rest.

    >>> [round(t, 3) for t in latency_time(torch.tensor([1.0, 0.5, 0.1, 0.02, 0.005]), tau=5.0, threshold=0.01).tolist()]
    [0.05, 0.101, 0.527, 3.466, inf]
    """
    check_intensity("latency_time", x)
    check_numbers("latency_time", above=0, tau=tau, threshold=threshold)
    return _time_to(x, float(tau), float(threshold)).to(x.dtype)


def _time_to(x, tau, threshold):
    return torch.where(x > threshold, -tau * torch.log1p(-threshold / _fine(x).clamp(min=threshold)), math.inf)


def latency_code(x, num_steps, *, tau=5.0, threshold=0.1, mode="log"):
    """Give every pixel one spike at most, the brighter the earlier.

    log: step = floor(tau ln(x / (x - threshold)));    linear: step = round((1 - x) (T - 1)), a half to the even step

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
        TypeError: x not a floating-point tensor, tau or threshold not a number.
        ValueError: x outside [0, 1], num_steps not whole or less than 1, tau or threshold not positive, mode unknown.

    Source: Eshraghian et al. (2023), section III-A and appendix B2.

    >>> latency_code(torch.tensor([1.0, 0.5, 0.0]), num_steps=5, mode="linear").T.tolist()
    [[1.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0]]
    """
    check_intensity("latency_code", x)
    _check_clock("latency_code", x, num_steps)
    check_numbers("latency_code", above=0, tau=tau, threshold=threshold)
    check_option("latency_code", "mode", mode, LATENCY_MODES)
    if mode == "log":
        steps = _time_to(x, float(tau), float(threshold)).floor()      # [B, ...], infinite where nothing fires
    else:
        steps = torch.where(x > float(threshold), ((1 - _fine(x)) * (num_steps - 1)).round(), math.inf)
    clock = torch.arange(num_steps, dtype=steps.dtype, device=x.device).view(-1, *[1] * x.dim())
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
        TypeError: spk not a floating-point tensor, tau or threshold not a number.
        ValueError: T = 0, NaN or infinity in spk, tau or threshold not positive, mode unknown.

    Source: `latency_time` solved for x, at the middle of the step.

    >>> spk = latency_code(torch.tensor([1.0, 0.75, 0.5, 0.0]), num_steps=5, mode="linear")
    >>> latency_decode(spk, mode="linear").tolist()
    [1.0, 0.75, 0.5, 0.0]
    """
    check_signal("latency_decode", "spk", spk, layout="[T, ...] (time first)")
    check_finite("latency_decode", "spk", spk, "Look for it where they were made.")
    check_numbers("latency_decode", above=0, tau=tau, threshold=threshold)
    check_option("latency_decode", "mode", mode, LATENCY_MODES)
    step = (spk.cumsum(0) == 0).sum(0).to(_fine(spk[0]).dtype)        # T where nothing fired
    if mode == "log":
        x = (float(threshold) / -torch.expm1(-(step + 0.5) / float(tau))).clamp(max=1)
    else:
        x = 1 - step / max(len(spk) - 1, 1)
    return torch.where(step < len(spk), x, 0).to(spk.dtype)


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
        TypeError: x not a floating-point tensor, threshold not a number, off_spikes neither True nor False.
        ValueError: T = 0, NaN or infinity in x, threshold not positive or too small to count in, method unknown.

    Source: Eshraghian et al. (2023), section III-A (delta modulation); Miskowicz (2006), doi:10.3390/s6010049 (send-on-delta).

    >>> ramp = torch.linspace(0, 1, 101)
    >>> [int(delta_code(ramp, 0.3, method=method).sum()) for method in ("frame", "send_on_delta")]
    [0, 3]
    """
    check_signal("delta_code", "x", x, layout="[T, ...] (time first)")
    check_numbers("delta_code", above=0, threshold=threshold)
    check_option("delta_code", "method", method, DELTA_METHODS)
    check_flags("delta_code", off_spikes=off_spikes)
    check_finite("delta_code", "x", x, "A change from or to it has no size.")
    threshold, low, fine = float(threshold), -math.inf if off_spikes else 0, _fine(x)
    if method == "frame":
        change = torch.diff(fine, dim=0, prepend=fine[:1])             # [T, ...], the first is 0
        return torch.where(change.abs() > threshold, change.sign(), 0).clamp(min=low).to(x.dtype)
    level = (fine - fine[0]) / threshold                               # in thresholds above the start
    check_finite("delta_code", "x / threshold", level, "Take a larger threshold.")
    sent, events = torch.zeros_like(level[0]), []                      # what was sent, in thresholds too
    for now in level:
        events.append((now - sent).trunc().clamp(min=low))
        sent = sent + events[-1]
    return torch.stack(events).to(x.dtype)


def delta_decode(events, threshold, start=0.0):
    """Rebuild signals from their changes.

    x[t] = start + threshold sum over s <= t of event[s]

    Args:
        events: whole numbers, [T, ...].
        threshold: that of the encoder, positive.
        start: the first sample, a number or a tensor [...] of the events' type.

    Returns:
        Signals, [T, ...].

    Raises:
        TypeError: events not a floating-point tensor, threshold not a number, start neither a number nor a tensor of its type.
        ValueError: T = 0, threshold not positive, start of another shape, NaN or infinity in events or start.

    Source: Miskowicz (2006), doi:10.3390/s6010049.

    >>> delta_decode(torch.tensor([0.0, 1.0, 0.0, 2.0, -1.0]), threshold=0.5, start=1.0).tolist()
    [1.0, 1.5, 1.5, 2.5, 2.0]
    """
    check_signal("delta_decode", "events", events, layout="[T, ...] (time first)")
    check_finite("delta_decode", "events", events, "Look for it where they were made.")
    check_numbers("delta_decode", above=0, threshold=threshold)
    _check_start("delta_decode", start, events)
    return (start + float(threshold) * _fine(events).cumsum(0)).to(events.dtype)


def _check_start(owner, start, events):
    if isinstance(start, torch.Tensor):
        check_signal(owner, "start", start, layout="a number or [...]", min_dims=0)
        check_dtype(owner, "start", start, "events", events)
        check_that(owner, start.dim() == 0 or start.shape == events.shape[1:],
                   f"start must be a number or {tuple(events.shape[1:])} like one step of events, got {tuple(start.shape)}.")
        check_finite(owner, "start", start, "It is the first sample of the signal.")
    else:
        check_that(owner, not hasattr(start, "__len__"),
                   f"start must be a number or a torch.Tensor, got {type(start).__name__}. "
                   "Convert it with torch.tensor(start).", TypeError)
        check_numbers(owner, start=start)


def field_centres(num_fields):
    """Place Gaussian receptive fields over the range 0 to 1, the outermost half a step beyond its ends.

    centre[i] = (i - 1/2) / (num_fields - 2),    i = 0 .. num_fields - 1

    Args:
        num_fields: number of neurons that share one input, at least 3.

    Returns:
        Centres, [num_fields], float32.

    Raises:
        ValueError: num_fields not whole or less than 3.

    Source: Bohte, Kok and La Poutré (2002), doi:10.1016/S0925-2312(01)00658-0.

    >>> field_centres(4).tolist()
    [-0.25, 0.25, 0.75, 1.25]
    """
    _check_fields("field_centres", num_fields)
    return (torch.arange(num_fields) - 0.5) / (num_fields - 2)


def _check_fields(owner, num_fields, *sizes):
    check_whole(owner, low=3, num_fields=num_fields)
    check_affordable(owner, "num_fields", *sizes, num_fields)


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
        TypeError: x not a floating-point tensor, sharpness not a number.
        ValueError: x outside [0, 1], num_fields not whole or less than 3, sharpness not positive.

    Source: Bohte, Kok and La Poutré (2002), doi:10.1016/S0925-2312(01)00658-0.

    >>> [round(a, 2) for a in population_code(torch.tensor([0.25]), num_fields=4)[0].tolist()]
    [0.32, 1.0, 0.32, 0.01]
    """
    check_intensity("population_code", x)
    check_numbers("population_code", above=0, sharpness=sharpness)
    _check_fields("population_code", num_fields, *x.shape)
    fine = _fine(x)
    offset = fine[..., None] - field_centres(num_fields).to(fine)      # [B, ..., num_fields]
    return torch.exp(-(offset * float(sharpness) * (num_fields - 2)) ** 2 / 2).to(x.dtype)


def population_decode(activity):
    """Estimate numbers from the activities (or spike counts) of their populations, by the mean of the centres.

    x = sum over i of a[i] centre[i] / sum over i of a[i], kept between 0 and 1; silence reads 1/2

    Args:
        activity: activities or counts, 0 or more, [..., num_fields].

    Returns:
        Intensities, [...].

    Raises:
        TypeError: activity not a floating-point tensor.
        ValueError: activity negative, NaN or infinite, fewer than 3 fields.

    Source: the centre of mass, the simplest of the read-outs in Pouget, Dayan and Zemel (2000), doi:10.1038/35039062.

    >>> round(population_decode(population_code(torch.tensor([0.25]), num_fields=6)).item(), 2)
    0.25
    """
    check_signal("population_decode", "activity", activity, layout="[..., num_fields]")
    check_finite("population_decode", "activity", activity, "Look for it where it was computed.")
    check_not_negative("population_decode", activity=activity)
    check_that("population_decode", activity.shape[-1] >= 3,
               f"activity must have at least 3 fields along its last axis, got shape {tuple(activity.shape)}.")
    fine = _fine(activity)
    centres, total = field_centres(fine.shape[-1]).to(fine), fine.sum(-1)
    return torch.where(total > 0, (fine @ centres / total).clamp(0, 1), 0.5).to(activity.dtype)


def phase_weights(num_steps, *, period=8):
    """Say what a spike is worth at each phase of the clock: a half, a quarter, an eighth, and so on.

    weight[t] = 2^-(1 + t mod period)

    Args:
        num_steps: number of time steps T, a multiple of the period.
        period: steps of one cycle, at least 1.

    Returns:
        Weights, [T], float32.

    Raises:
        ValueError: num_steps or period not whole or less than 1, num_steps not a multiple of the period.

    Source: Kim et al. (2018), doi:10.1016/j.neucom.2018.05.087 (weighted spikes).

    >>> phase_weights(4, period=2).tolist()
    [0.5, 0.25, 0.5, 0.25]
    """
    _check_period("phase_weights", num_steps, period)
    return 0.5 ** (1 + torch.arange(num_steps) % period)


def _check_period(owner, num_steps, period, most=math.inf, name="num_steps", sizes=()):
    check_whole(owner, **{name: num_steps})
    check_whole(owner, high=most, period=period)
    check_affordable(owner, name, num_steps, *sizes)
    check_that(owner, num_steps % period == 0, f"{name} must be a multiple of the period {period}, got {num_steps}.")


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
        ValueError: x outside [0, 1], num_steps not a multiple of the period, period not whole or outside 1..16.

    Source: Kim et al. (2018), doi:10.1016/j.neucom.2018.05.087.

    >>> phase_code(torch.tensor([0.625]), num_steps=4, period=4).flatten().tolist()
    [1.0, 0.0, 1.0, 0.0]
    """
    check_intensity("phase_code", x)
    _check_period("phase_code", num_steps, period, 16, sizes=x.shape)
    weights = phase_weights(num_steps, period=period).to(x).view(-1, *[1] * x.dim())
    largest = 2 ** int(period)
    number = (x.double() * largest).floor().clamp(max=largest - 1) / largest
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
        ValueError: T not a multiple of the period, period not whole or less than 1, NaN or infinity in spk.

    Source: Kim et al. (2018), doi:10.1016/j.neucom.2018.05.087.

    >>> phase_decode(phase_code(torch.tensor([0.6]), num_steps=8)).item()
    0.59765625
    """
    check_signal("phase_decode", "spk", spk, layout="[T, ...] (time first)")
    check_finite("phase_decode", "spk", spk, "Look for it where they were made.")
    _check_period("phase_decode", len(spk), period, name="the length T of spk")
    fine = _fine(spk)
    weights = phase_weights(len(spk), period=period).to(fine)
    return (torch.tensordot(weights, fine, dims=1) * period / len(spk)).to(spk.dtype)
