"""Right and wrong answers to the exercises of notebook 01: functions that readers may write."""
import math

import torch


def euler_step(voltage, current, tau, dt):
    return voltage + dt / tau * (current - voltage)


def exact_step(voltage, current, tau, dt):
    return current + (voltage - current) * math.exp(-dt / tau)


def input_not_scaled(voltage, current, tau, dt):
    return (1 - dt / tau) * voltage + current


def no_step_length(voltage, current, tau, dt):
    return voltage + (current - voltage) / tau


def only_the_change(voltage, current, tau, dt):
    return dt / tau * (current - voltage)


def only_the_leak(voltage, current, tau, dt):
    return voltage - dt / tau * voltage


def away_from_it(voltage, current, tau, dt):
    return voltage + dt / tau * (voltage - current)


def tau_over_dt(voltage, current, tau, dt):
    return voltage + tau / dt * (current - voltage)


def shortest_pulse(current, tau, rheobase):
    width = -tau * torch.log1p(-rheobase / current)
    return torch.where(current > rheobase, width, torch.inf)


def equal_charge(current, tau, rheobase):
    return torch.where(current > rheobase, tau * rheobase / current, torch.inf)


def no_silence(current, tau, rheobase):
    return -tau * torch.log1p(-rheobase / current)


def negative(current, tau, rheobase):
    return -shortest_pulse(current, tau, rheobase)


def at_the_rheobase(current, tau, rheobase):
    return torch.where(current > rheobase, -tau * torch.log(rheobase / current), torch.inf)


def at_once_below(current, tau, rheobase):
    return torch.where(current > rheobase, shortest_pulse(current, tau, rheobase), 0.0)


def in_time_constants(current, tau, rheobase):
    return shortest_pulse(current, 1.0, rheobase)


def bank(current, tau, dt, dead_steps):
    beta = torch.exp(-dt / tau)                                            # [N]
    voltage, wait, spikes = torch.zeros_like(tau), torch.zeros_like(tau), []
    for drive in current:                                                  # [N]
        voltage = torch.where(wait > 0, 0.0, beta * voltage + (1 - beta) * drive)
        fired = voltage > 1
        wait = torch.where(fired, dead_steps, wait - 1)
        voltage = torch.where(fired, 0.0, voltage)
        spikes.append(fired.to(current.dtype))
    return torch.stack(spikes)                                             # [T, N]


def wrong_bank(current, tau, dt, dead_steps, *, euler=False, scaled=True, charges=False, keeps=False, all_rest=False,
               strict=True, late=0, forgets=False, falls=True, in_time=False):
    """The bank with one thing wrong."""
    beta = 1 - dt / tau if euler else torch.exp(-dt / tau)
    voltage, wait, spikes = torch.zeros_like(tau), torch.zeros_like(tau), []
    for drive in current:
        voltage = (0 if forgets else beta * voltage) + ((1 - beta) if scaled else 1) * drive
        voltage = voltage if charges else torch.where(wait > 0, 0.0, voltage)
        fired = ((voltage > 1) if strict else (voltage >= 1)) & (wait <= 0)
        spikes.append(fired.to(current.dtype))
        fired = fired.any().expand_as(fired) if all_rest else fired
        wait = torch.where(fired, (dead_steps / dt if in_time else dead_steps) + late, wait - 1)
        voltage = torch.where(fired & falls, voltage - 1 if keeps else 0.0, voltage)
    return torch.stack(spikes)


def no_dead_time(current, tau, dt, dead_steps):
    return bank(current, tau, dt, 0)


def first_tau_for_all(current, tau, dt, dead_steps):
    return bank(current, tau[:1].expand_as(tau), dt, dead_steps)


def potentials(current, tau, dt, dead_steps):
    beta, voltage, wait, trace = torch.exp(-dt / tau), torch.zeros_like(tau), torch.zeros_like(tau), []
    for drive in current:
        voltage = torch.where(wait > 0, 0.0, beta * voltage + (1 - beta) * drive)
        trace.append(voltage)
        wait = torch.where(voltage > 1, dead_steps, wait - 1)
        voltage = torch.where(voltage > 1, 0.0, voltage)
    return torch.stack(trace)


def moving(seed, *shape):
    return 12 * torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
