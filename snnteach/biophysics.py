"""Neurons in millivolts and milliseconds: driven by conductances, Izhikevich's two equations, and Hodgkin and Huxley's four."""
import math

import torch

from ._arguments import check_finite, check_numbers, check_shape, check_signal, check_that

SODIUM, POTASSIUM, LEAK = (120.0, 50.0), (36.0, -77.0), (0.3, -54.4)      # of the squid: largest conductance, mS/cm2; mV


def _check_trace(owner, name, value, low, high):
    check_signal(owner, name, value, layout="[T]", dims=1)
    check_finite(owner, name, value)
    check_that(owner, bool(((value >= low) & (value <= high)).all()), f"{name} must lie between {low} and {high}, got entries "
               f"from {value.min():.4g} to {value.max():.4g}.")


def exponential_euler(value, target, tau, dt):
    """Step a quantity that decays toward a target: exact as long as target and time constant stay what they are.

    x(t + dt) = x_inf + (x(t) - x_inf) * exp(-dt / tau)

    Args:
        value: x(t), a number.
        target: x_inf, in the unit of x.
        tau: time constant, positive, in the unit of dt.
        dt: length of the step, positive.

    Returns:
        x(t + dt), a float.

    Raises:
        TypeError: an argument that is not a number.
        ValueError: NaN or infinity, tau or dt not positive.

    Source: Rush and Larsen (1978), doi:10.1109/TBME.1978.326270.

    >>> round(exponential_euler(0.0, target=1.0, tau=10.0, dt=10.0), 4)
    0.6321
    """
    check_numbers("exponential_euler", value=value, target=target)
    check_numbers("exponential_euler", above=0, tau=tau, dt=dt)
    return _decay_to(value, target, 1 / tau, dt)


def _decay_to(value, target, rate, dt):
    return target + (value - target) * math.exp(-dt * rate)


def conductance_step(voltage, excitatory, inhibitory, dt, *, leak=0.1, rest=-70.0, excited=0.0, inhibited=-80.0):
    """Step a membrane that synapses open channels in: each conductance pulls the voltage to its own reversal potential.

    C dV/dt = g_L (E_L - V) + g_e (E_e - V) + g_i (E_i - V),    C = 1 uF/cm2
    V_inf = (g_L E_L + g_e E_e + g_i E_i) / (g_L + g_e + g_i),    tau_eff = C / (g_L + g_e + g_i)

    Args:
        voltage: V, in mV.
        excitatory, inhibitory: conductances g_e and g_i, not negative, in mS/cm2.
        dt: length of the step, positive, in ms.
        leak: g_L, positive, in mS/cm2; 0.1 makes a time constant of 10 ms at rest.
        rest, excited, inhibited: reversal potentials E_L, E_e and E_i, in mV.

    Returns:
        V after dt, a float, in mV; exact where the conductances stay what they are.

    Raises:
        TypeError: an argument that is not a number.
        ValueError: NaN or infinity, a conductance negative, leak or dt not positive.

    Source: Dayan and Abbott (2001), section 5.4; compare `cuba_lif`, whose current does not ask for the voltage.

    >>> round(conductance_step(-70.0, excitatory=0.05, inhibitory=0.0, dt=1000.0), 3)
    -46.667
    """
    check_numbers("conductance_step", voltage=voltage, rest=rest, excited=excited, inhibited=inhibited)
    check_numbers("conductance_step", low=0, excitatory=excitatory, inhibitory=inhibitory)
    check_numbers("conductance_step", above=0, leak=leak, dt=dt)
    return _pull(voltage, ((leak, rest), (excitatory, excited), (inhibitory, inhibited)), 0.0, dt)


def _pull(voltage, channels, current, dt):
    """The voltage after dt, for channels of (conductance, reversal potential)."""
    total = sum(conductance for conductance, _ in channels)
    target = (sum(conductance * reversal for conductance, reversal in channels) + current) / total
    return _decay_to(voltage, target, total, dt)                                   # C = 1 uF/cm2


def conductance_lif(excitatory, inhibitory, dt=0.1, *, threshold=-50.0, reset=-65.0, leak=0.1, rest=-70.0, excited=0.0,
                    inhibited=-80.0):
    """Simulate a conductance-based neuron that fires at a threshold and falls to a reset.

    V <- V_inf + (V - V_inf) * exp(-dt / tau_eff);    where V > threshold: spike, then V = reset

    Args:
        excitatory, inhibitory: conductances, [T] each, not negative, in mS/cm2; `low_pass` makes them from spikes.
        dt: length of a step, positive, in ms.
        threshold, reset: in mV, the reset below the threshold.
        leak, rest, excited, inhibited: as in `conductance_step`.

    Returns:
        (spk, voltage), [T] each; the voltage, in mV, is recorded before its reset.

    Raises:
        TypeError: excitatory or inhibitory not a floating-point tensor, another argument not a number.
        ValueError: excitatory and inhibitory of different lengths, negative or above 1000, dt or leak not positive, reset not
            below the threshold.

    Source: Dayan and Abbott (2001), sections 5.4 and 5.8.

    >>> spk, voltage = conductance_lif(torch.full((1000,), 0.08), torch.zeros(1000))
    >>> int(spk.sum()), round(voltage[0].item(), 2)
    (20, -69.45)
    """
    _check_trace("conductance_lif", "excitatory", excitatory, 0, 1000)
    check_shape("conductance_lif", "inhibitory", inhibitory, excitatory.shape, "like excitatory")
    _check_trace("conductance_lif", "inhibitory", inhibitory, 0, 1000)
    check_numbers("conductance_lif", above=0, dt=dt, leak=leak)
    check_numbers("conductance_lif", threshold=threshold, reset=reset, rest=rest, excited=excited, inhibited=inhibited)
    check_that("conductance_lif", reset < threshold, f"reset must be below the threshold of {threshold} mV, got {reset}.")
    voltage, trace = float(rest), []
    for g_e, g_i in zip(excitatory.tolist(), inhibitory.tolist()):
        voltage = _pull(voltage, ((leak, rest), (g_e, excited), (g_i, inhibited)), 0.0, dt)
        trace.append(voltage)
        voltage = float(reset) if voltage > threshold else voltage
    trace = torch.tensor(trace, dtype=excitatory.dtype)
    return (trace > threshold).to(trace.dtype), trace


def izhikevich_step(voltage, recovery, current, dt=0.25, *, a=0.02, b=0.2, c=-65.0, d=8.0):
    """Step Izhikevich's neuron: a voltage that runs away, and a recovery that pulls it back.

    dv/dt = 0.04 v^2 + 5 v + 140 - u + I,    du/dt = a (b v - u);    where v >= 30 mV: spike, then v = c, u = u + d

    Args:
        voltage, recovery: v in mV and u.
        current: I.
        dt: length of the step, in ms, at most 1.
        a, b: rate and sensitivity of the recovery.
        c, d: the voltage after a spike, below 30 mV, and what a spike adds to the recovery.

    Returns:
        (fired, v, u) after the step, as floats; where it fired, v and u are already reset.

    Raises:
        TypeError: an argument that is not a number.
        ValueError: dt not in (0, 1], c not below 30, another argument beyond what keeps the numbers finite.

    Source: Izhikevich (2003), doi:10.1109/TNN.2003.820440.

    >>> fired, v, u = izhikevich_step(29.0, -14.0, 10.0)
    >>> fired, v, round(u, 2)
    (1.0, -65.0, -5.9)
    """
    check_numbers("izhikevich_step", low=-1e4, high=1e4, voltage=voltage, recovery=recovery, current=current)
    _check_izhikevich("izhikevich_step", dt, a, b, c, d)
    _, voltage, recovery, fired = _izhikevich(voltage, recovery, current, dt, a, b, c, d)
    return fired, voltage, recovery


def _check_izhikevich(owner, dt, a, b, c, d):
    check_numbers(owner, above=0, high=1, dt=dt)
    check_numbers(owner, low=-1, high=1, a=a)
    check_numbers(owner, low=-10, high=10, b=b)
    check_numbers(owner, low=-1e3, high=29, c=c)
    check_numbers(owner, low=-1e3, high=1e3, d=d)


def _izhikevich(v, u, current, dt, a, b, c, d):
    """Euler's step; the voltage before its reset, voltage and recovery after it, and whether it fired."""
    slope = 0.04 * v * v + 5 * v + 140 - u + current
    u = u + dt * a * (b * v - u)
    peak = max(min(v + dt * slope, 30.0), -1e4)
    return (peak, float(c), u + d, 1.0) if peak >= 30 else (peak, peak, u, 0.0)


def izhikevich(current, dt=0.25, *, a=0.02, b=0.2, c=-65.0, d=8.0, start=None):
    """Simulate Izhikevich's neuron, which bursts, chatters or adapts according to four numbers.

    dv/dt = 0.04 v^2 + 5 v + 140 - u + I,    du/dt = a (b v - u);    where v >= 30 mV: spike, then v = c, u = u + d

    Args:
        current: I, [T], from -1000 to 1000.
        dt: length of a step, in ms, at most 1 (Euler's method).
        a, b, c, d: as in `izhikevich_step`; the defaults fire regularly, ever more slowly at first.
        start: (v, u) to begin with; (c, b c) by default.

    Returns:
        (spk, voltage, recovery), [T] each; the voltage, in mV, is recorded before its reset, at 30 where it fired.

    Raises:
        TypeError: current not a floating-point tensor, start not a pair of numbers, another argument not a number.
        ValueError: current beyond its range, dt not in (0, 1], c not below 30.

    Source: Izhikevich (2003), doi:10.1109/TNN.2003.820440.

    >>> spk, voltage, recovery = izhikevich(torch.full((4000,), 10.0))
    >>> int(spk.sum())
    23
    """
    _check_trace("izhikevich", "current", current, -1000, 1000)
    _check_izhikevich("izhikevich", dt, a, b, c, d)
    if start is not None:
        check_that("izhikevich", isinstance(start, (tuple, list)) and len(start) == 2, "start must be the pair (v, u).",
                   TypeError)
        check_numbers("izhikevich", low=-1e4, high=1e4, **{"start[0]": start[0], "start[1]": start[1]})
    v, u = (c, b * c) if start is None else start
    rows = []
    for drive in current.tolist():
        peak, v, u, fired = _izhikevich(v, u, drive, dt, a, b, c, d)
        rows.append((fired, peak, u - d * fired))
    return torch.tensor(rows, dtype=current.dtype).unbind(1)


def _softplus_rate(x):
    """x / (1 - exp(-x)), which is 1 at x = 0."""
    return 1 + x / 2 if abs(x) < 1e-6 else x / -math.expm1(-x)


def gate_rates(voltage):
    """Return how fast the three gates of Hodgkin and Huxley's squid open and close at a voltage.

    dx/dt = opening * (1 - x) - closing * x,    so x_inf = opening / (opening + closing), tau = 1 / (opening + closing)

    Args:
        voltage: V, from -1000 to 1000 mV.

    Returns:
        ((opening, closing) of m, of h, of n), in 1/ms.

    Raises:
        TypeError: voltage not a number.
        ValueError: voltage beyond its range.

    Source: Hodgkin and Huxley (1952), doi:10.1113/jphysiol.1952.sp004764, with the rest at -65 mV.

    >>> [round(opening / (opening + closing), 3) for opening, closing in gate_rates(-65.0)]
    [0.053, 0.596, 0.318]
    """
    check_numbers("gate_rates", low=-1000, high=1000, voltage=voltage)
    return _rates(voltage)


def _rates(voltage):
    return ((_softplus_rate((voltage + 40) / 10), 4 * math.exp(-(voltage + 65) / 18)),
            (0.07 * math.exp(-(voltage + 65) / 20), 1 / (1 + math.exp(-(voltage + 35) / 10))),
            (0.1 * _softplus_rate((voltage + 55) / 10), 0.125 * math.exp(-(voltage + 65) / 80)))


def hodgkin_huxley_step(voltage, gates, current, dt=0.01):
    """Step Hodgkin and Huxley's squid axon: three gates open and close two kinds of channels.

    C dV/dt = g_Na m^3 h (E_Na - V) + g_K n^4 (E_K - V) + g_L (E_L - V) + I,    C = 1 uF/cm2

    Args:
        voltage: V, from -1000 to 1000 mV.
        gates: (m, h, n), between 0 and 1.
        current: I, from -1000 to 1000 uA/cm2.
        dt: length of the step, positive and at most 1, in ms; gates and voltage decay to their targets by `exponential_euler`.

    Returns:
        (V, (m, h, n)) after dt.

    Raises:
        TypeError: an argument that is not a number, gates not three of them.
        ValueError: a number beyond its range.

    Source: Hodgkin and Huxley (1952), doi:10.1113/jphysiol.1952.sp004764, with the rest at -65 mV.

    >>> voltage, gates = hodgkin_huxley_step(-65.0, (0.053, 0.596, 0.318), current=10.0, dt=0.1)
    >>> round(voltage, 2)
    -64.03
    """
    check_that("hodgkin_huxley_step", isinstance(gates, (tuple, list)) and len(gates) == 3, "gates must be (m, h, n).",
               TypeError)
    check_numbers("hodgkin_huxley_step", low=0, high=1, **{f"gates[{place}]": gate for place, gate in enumerate(gates)})
    check_numbers("hodgkin_huxley_step", low=-1000, high=1000, voltage=voltage, current=current)
    check_numbers("hodgkin_huxley_step", above=0, high=1, dt=dt)
    return _squid(voltage, gates, current, dt)


def _squid(voltage, gates, current, dt):
    m, h, n = (_decay_to(gate, opening / (opening + closing), opening + closing, dt)
               for gate, (opening, closing) in zip(gates, _rates(voltage)))
    channels = (SODIUM[0] * m**3 * h, SODIUM[1]), (POTASSIUM[0] * n**4, POTASSIUM[1]), LEAK
    return _pull(voltage, channels, current, dt), (m, h, n)


def hodgkin_huxley(current, dt=0.01, start=None):
    """Simulate Hodgkin and Huxley's squid axon, whose spike is not put in: it comes out.

    C dV/dt = g_Na m^3 h (E_Na - V) + g_K n^4 (E_K - V) + g_L (E_L - V) + I,    C = 1 uF/cm2

    Args:
        current: I, [T], from -1000 to 1000 uA/cm2.
        dt: length of a step, positive and at most 1, in ms.
        start: (V, (m, h, n)) to begin with; -65 mV and the gates that belong to it by default.

    Returns:
        (voltage [T] in mV, gates [T, 3] of m, h and n).

    Raises:
        TypeError: current not a floating-point tensor, start not a pair, dt not a number.
        ValueError: a number beyond its range.

    Source: Hodgkin and Huxley (1952), doi:10.1113/jphysiol.1952.sp004764, with the rest at -65 mV.

    >>> voltage, gates = hodgkin_huxley(torch.full((2000,), 10.0))
    >>> round(voltage.max().item()), tuple(gates.shape)
    (40, (2000, 3))
    """
    _check_trace("hodgkin_huxley", "current", current, -1000, 1000)
    check_numbers("hodgkin_huxley", above=0, high=1, dt=dt)
    if start is not None:
        check_that("hodgkin_huxley", isinstance(start, (tuple, list)) and len(start) == 2 and hasattr(start[1], "__len__")
                   and len(start[1]) == 3, "start must be (V, (m, h, n)), such as (-65.0, (0.05, 0.6, 0.32)), got "
                   f"{start}.", TypeError)
        check_numbers("hodgkin_huxley", low=-1000, high=1000, **{"the voltage in start": start[0]})
        check_numbers("hodgkin_huxley", low=0, high=1, **{f"gate {n} in start": gate for n, gate in enumerate(start[1])})
    voltage, gates = start or (-65.0, tuple(opening / (opening + closing) for opening, closing in _rates(-65.0)))
    rows = []
    for drive in current.tolist():
        voltage, gates = _squid(voltage, gates, drive, dt)
        rows.append((voltage, *gates))
    rows = torch.tensor(rows, dtype=current.dtype)                                 # [T, 4]
    return rows[:, 0], rows[:, 1:]


def spikes_of(voltage, level=0.0):
    """Find the spikes in a voltage: the steps in which it crosses a level from below.

    S[t] = 1 where V[t-1] <= level < V[t]

    Args:
        voltage: V, [T], in mV.
        level: in mV.

    Returns:
        spk, [T].

    Raises:
        TypeError: voltage not a floating-point tensor, level not a number.
        ValueError: voltage not [T], NaN in it, level not finite.

    Source: the usual convention; a spike of the squid overshoots 0 mV.

    >>> spikes_of(torch.tensor([-65.0, 10.0, 40.0, -70.0])).tolist()
    [0.0, 1.0, 0.0, 0.0]
    """
    check_signal("spikes_of", "voltage", voltage, layout="[T]", dims=1)
    check_finite("spikes_of", "voltage", voltage)
    check_numbers("spikes_of", level=level)
    above = voltage > level
    rising = torch.cat([above[:1] & False, above[1:] & ~above[:-1]])
    return rising.to(voltage.dtype)
