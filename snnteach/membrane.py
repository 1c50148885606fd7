"""The membrane: a leaky capacitor that adds up current, and the closed forms of what it does."""
import math

import torch

from ._arguments import (
    check_finite,
    check_not_negative,
    check_number,
    check_numbers,
    check_option,
    check_positive,
    check_signal,
    check_that,
)


def decay_from_tau(tau, dt=1.0):
    """Turn a time constant into the factor by which a membrane shrinks in one step.

    beta = exp(-dt / tau)

    Args:
        tau: membrane time constant, positive, in the unit of dt.
        dt: length of a step, positive.

    Returns:
        The decay per step beta, between 0 and 1.

    Raises:
        TypeError: tau or dt not a number.
        ValueError: tau or dt not positive.

    Source: Eshraghian et al. (2023), appendix A.

    >>> round(decay_from_tau(tau=5.0), 6)
    0.818731
    """
    check_number("decay_from_tau", "tau", tau)
    check_positive("decay_from_tau", tau=tau)
    check_numbers("decay_from_tau", above=0, dt=dt)
    return math.exp(-dt / tau)


def _check_decay(owner, beta):
    check_number(owner, "beta", beta)
    check_that(owner, 0 < beta < 1, f"beta must be between 0 and 1, both excluded, got {beta}.")


def tau_from_decay(beta, dt=1.0):
    """Turn a decay per step into the time constant.

    tau = -dt / ln beta

    Args:
        beta: decay per step, between 0 and 1 (both excluded).
        dt: length of a step, positive.

    Returns:
        The time constant tau, in the unit of dt.

    Raises:
        TypeError: beta or dt not a number.
        ValueError: beta not between 0 and 1, dt not positive.

    Source: the inverse of `decay_from_tau`.

    >>> round(tau_from_decay(0.9), 3)
    9.491
    """
    _check_decay("tau_from_decay", beta)
    check_numbers("tau_from_decay", above=0, dt=dt)
    return -dt / math.log(beta)


def half_life(beta):
    """Count the steps in which a membrane loses half of its charge.

    n = ln(1/2) / ln(beta)

    Args:
        beta: decay per step, between 0 and 1 (both excluded).

    Returns:
        The half-life in steps, a float.

    Raises:
        TypeError: beta not a number.
        ValueError: beta not between 0 and 1.

    Source: beta^n = 1/2.

    >>> round(half_life(0.95), 3)
    13.513
    """
    _check_decay("half_life", beta)
    return tau_from_decay(beta) * math.log(2)


def _check_drive(owner, current, **constants):
    check_signal(owner, "current", current, layout="[T]", dims=1)
    check_finite(owner, "current", current, "Look for it in what the current was computed from.")
    check_numbers(owner, **constants)


def passive_membrane(current, tau, dt, resistance=1.0, initial=0.0, method="exact"):
    """Charge a leaky capacitor with a current that is constant within each step; it never fires.

    exact: U[t+1] = beta U[t] + (1 - beta) R I[t], beta = exp(-dt/tau)    euler: the same with beta = 1 - dt/tau

    Args:
        current: input current I, [T], in amperes (or any unit; R turns it into volts).
        tau: time constant R C, positive, in seconds.
        dt: length of a step, positive, in seconds.
        resistance: membrane resistance R, positive, in ohms.
        initial: potential before the first step, in volts.
        method: "exact" or "euler".

    Returns:
        Membrane potential U after each step, [T], in volts.

    Raises:
        TypeError: current not a floating-point tensor, another argument not a number.
        ValueError: T = 0, NaN or infinity in current, tau, dt or resistance not positive, initial not finite, method unknown.

    Source: Eshraghian et al. (2023), Eqs. 1 to 3 and appendix A.

    >>> passive_membrane(torch.ones(2), tau=1.0, dt=math.log(2)).tolist()
    [0.5, 0.75]
    """
    _check_drive("passive_membrane", current, above=0, tau=tau, dt=dt, resistance=resistance)
    check_numbers("passive_membrane", initial=initial)
    check_option("passive_membrane", "method", method, ("exact", "euler"))
    beta = math.exp(-dt / tau) if method == "exact" else 1 - float(dt) / float(tau)
    voltage, trace = float(initial), []
    for current_t in current:
        voltage = beta * voltage + (1 - beta) * float(resistance) * current_t
        trace.append(voltage)
    return torch.stack(trace)                                              # [T]


def step_response(time, current, tau, resistance=1.0, initial=0.0):
    """Evaluate the membrane potential under a constant current in closed form.

    U(t) = R I + (U(0) - R I) exp(-t / tau)

    Args:
        time: times t since the current was switched on, not negative, a number or a tensor of any shape, in seconds.
        current: the constant current I, in amperes.
        tau: time constant R C, positive, in seconds.
        resistance: membrane resistance R, positive, in ohms.
        initial: potential U(0), in volts.

    Returns:
        U at these times, shape of `time`, in volts.

    Raises:
        TypeError: time neither a number nor a tensor, another argument not a number.
        ValueError: time negative or NaN, tau or resistance not positive, current or initial not finite.

    Source: Eshraghian et al. (2023), Eq. 2.

    >>> step_response(torch.tensor([0.0, math.log(2)]), current=1.0, tau=1.0).tolist()
    [0.0, 0.5]
    """
    check_not_negative("step_response", time=time)
    check_numbers("step_response", above=0, tau=tau, resistance=resistance)
    check_numbers("step_response", current=current, initial=initial)
    steady = float(resistance) * float(current)
    return steady + (float(initial) - steady) * torch.exp(-torch.as_tensor(time) / float(tau))


def _check_circuit(owner, current, threshold, *, tau, resistance, **start):
    check_numbers(owner, above=0, threshold=threshold, tau=tau, resistance=resistance)
    check_numbers(owner, current=current, **start)
    check_numbers(owner, **{"resistance * current": resistance * current})
    for name, potential in start.items():
        check_that(owner, potential < threshold, f"{name} must be below the threshold of {threshold}, got {potential}.")


def first_spike_time(current, tau, resistance=1.0, threshold=1.0, initial=0.0):
    """Predict when a constant current brings the membrane to threshold.

    t = tau ln( (R I - U(0)) / (R I - threshold) ),    never if R I <= threshold

    Args:
        current: the constant current I, in amperes.
        tau: time constant R C, positive, in seconds.
        resistance: membrane resistance R, positive, in ohms.
        threshold: firing threshold, positive, in volts.
        initial: potential U(0) below threshold, in volts.

    Returns:
        The time to the first spike, in seconds; math.inf below the rheobase.

    Raises:
        TypeError: an argument not a number.
        ValueError: tau, resistance or threshold not positive, initial not below threshold, current not finite.

    Source: Eshraghian et al. (2023), Eq. 2 solved for U(t) = threshold.

    >>> round(first_spike_time(0.2, tau=25.5e-3, resistance=5.1) * 1e3, 2)
    100.26
    """
    _check_circuit("first_spike_time", current, threshold, initial=initial, tau=tau, resistance=resistance)
    steady = float(resistance) * float(current)
    if steady <= threshold:
        return math.inf
    return float(tau) * math.log((steady - initial) / (steady - threshold))


def firing_rate(current, tau, resistance=1.0, threshold=1.0, refractory=0.0, reset=0.0):
    """Predict the firing rate under a constant current: the f-I curve.

    f = 1 / ( t_ref + tau ln( (R I - U_reset) / (R I - threshold) ) ),    0 if R I <= threshold

    Args:
        current: the constant current I, in amperes.
        tau: time constant R C, positive, in seconds.
        resistance: membrane resistance R, positive, in ohms.
        threshold: firing threshold, positive, in volts.
        refractory: dead time t_ref after a spike, not negative, in seconds.
        reset: potential U_reset after a spike, below threshold, in volts.

    Returns:
        The rate in spikes a second.

    Raises:
        TypeError: an argument not a number.
        ValueError: tau, resistance or threshold not positive, refractory negative, reset not below threshold, current not
            finite.

    Source: Gerstner et al. (2014), Neuronal Dynamics, section 1.3.

    >>> round(firing_rate(1.5, tau=20e-3, refractory=5e-3), 2)
    37.08
    """
    _check_circuit("firing_rate", current, threshold, reset=reset, tau=tau, resistance=resistance)
    check_numbers("firing_rate", low=0, refractory=refractory)
    interval = float(refractory) + first_spike_time(current, tau, resistance, threshold, initial=reset)
    return 1 / interval if interval else math.inf          # a current that charges the membrane in less than a float can hold


def integrate_and_fire(current, tau, dt, resistance=1.0, threshold=1.0, refractory=0.0):
    """Simulate a leaky membrane that fires, falls to zero and rests for a dead time, in seconds and volts.

    U[t+1] = beta U[t] + (1 - beta) R I[t];    where U > threshold: spike, U = 0 and held there for t_ref

    Args:
        current: input current I, [T], in amperes.
        tau: time constant R C, positive, in seconds.
        dt: length of a step, positive, in seconds.
        resistance: membrane resistance R, positive, in ohms.
        threshold: firing threshold, positive, in volts.
        refractory: dead time t_ref after a spike, not negative, in seconds; rounded to the nearest whole step.

    Returns:
        (voltage, spikes), [T] each; the voltage is recorded before it is reset.

    Raises:
        TypeError: current not a floating-point tensor, another argument not a number.
        ValueError: T = 0, NaN or infinity in current, tau, dt, resistance or threshold not positive, refractory negative.

    Source: Lapicque (1907); Eshraghian et al. (2023), section II-B.

    >>> voltage, spikes = integrate_and_fire(torch.full((1000,), 1.5), tau=20e-3, dt=1e-3)
    >>> int(spikes.sum())
    45
    """
    _check_drive("integrate_and_fire", current, above=0, tau=tau, dt=dt, resistance=resistance, threshold=threshold)
    check_numbers("integrate_and_fire", low=0, refractory=refractory)
    beta, dead_steps = math.exp(-dt / tau), round(min(refractory / dt, len(current)))
    voltage, wait, trace = 0.0, 0, []
    for drive in (float(resistance) * current).tolist():
        voltage = 0.0 if wait > 0 else beta * voltage + (1 - beta) * drive
        trace.append(voltage)
        wait = dead_steps if voltage > threshold else wait - 1
        voltage = 0.0 if voltage > threshold else voltage
    trace = torch.tensor(trace, dtype=current.dtype)                       # [T]
    return trace, (trace > threshold).to(current.dtype)


def strength_duration(width, tau, rheobase=1.0):
    """Predict how strong a pulse of a given width must be to reach threshold.

    I_th(w) = I_rh / (1 - exp(-w / tau)),    which doubles the rheobase I_rh at the chronaxie w = tau ln 2

    Args:
        width: pulse widths w, positive, a number or a tensor, in seconds.
        tau: membrane time constant, positive, in seconds.
        rheobase: the current I_rh = threshold / R that just fires the neuron if it lasts for ever, in amperes.

    Returns:
        The threshold current, shape of `width`, in amperes.

    Raises:
        TypeError: width neither a number nor a tensor, tau or rheobase not a number.
        ValueError: width, tau or rheobase not positive.

    Source: Lapicque (1907); the step response solved for U(w) = threshold.

    >>> round(float(strength_duration(5.0 * math.log(2), tau=5.0)), 6)
    2.0
    """
    check_positive("strength_duration", width=width)
    check_numbers("strength_duration", above=0, tau=tau, rheobase=rheobase)
    return float(rheobase) / -torch.expm1(-torch.as_tensor(width) / float(tau))
