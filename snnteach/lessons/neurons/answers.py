"""Right and wrong answers to the exercises of notebook 02, as functions."""
import math

import torch

from ...neurons import lif


def decay_for_step(beta, dt, new_dt):
    return beta ** (new_dt / dt)



def linear_leak(beta, dt, new_dt):
    return 1 - (1 - beta) * new_dt / dt



def eulers_tau(beta, dt, new_dt):
    return math.exp(-(1 - beta) * new_dt / dt)



def upside_down(beta, dt, new_dt):
    return beta ** (dt / new_dt)



def scaled(beta, dt, new_dt):
    return beta * new_dt / dt



def forgets_dt(beta, dt, new_dt):
    return beta ** new_dt



def what_is_lost(beta, dt, new_dt):
    return 1 - beta ** (new_dt / dt)



def lif_run(current, beta, threshold, num_steps):
    mem, spk, spikes = 0.0, 0.0, []
    for _ in range(num_steps):
        mem = beta * mem + current - threshold * spk
        spk = float(mem > threshold)
        spikes.append(spk)
    return torch.tensor(spikes)



def never_resets(current, beta, threshold, num_steps):
    mem, spikes = 0.0, []
    for _ in range(num_steps):
        spk = 0.0
        mem = beta * mem + current - threshold * spk
        spikes.append(float(mem > threshold))
    return torch.tensor(spikes)



def to_zero(current, beta, threshold, num_steps):
    mem, spk, spikes = 0.0, 0.0, []
    for _ in range(num_steps):
        mem = beta * mem * (1 - spk) + current
        spk = float(mem > threshold)
        spikes.append(spk)
    return torch.tensor(spikes)



def at_once(current, beta, threshold, num_steps):
    mem, spikes = 0.0, []
    for _ in range(num_steps):
        mem = beta * mem + current
        spk = float(mem > threshold)
        mem = mem - threshold * spk
        spikes.append(spk)
    return torch.tensor(spikes)



def at_or_above(current, beta, threshold, num_steps):
    mem, spk, spikes = 0.0, 0.0, []
    for _ in range(num_steps):
        mem = beta * mem + current - threshold * spk
        spk = float(mem >= threshold)
        spikes.append(spk)
    return torch.tensor(spikes)



def loses_the_input(current, beta, threshold, num_steps):
    mem, spk, spikes = 0.0, 0.0, []
    for _ in range(num_steps):
        mem = (1 - spk) * (beta * mem + current)
        spk = float(mem > threshold)
        spikes.append(spk)
    return torch.tensor(spikes)



def subtracts_one(current, beta, threshold, num_steps):
    mem, spk, spikes = 0.0, 0.0, []
    for _ in range(num_steps):
        mem = beta * mem + current - spk
        spk = float(mem > threshold)
        spikes.append(spk)
    return torch.tensor(spikes)



def compares_with_one(current, beta, threshold, num_steps):
    mem, spk, spikes = 0.0, 0.0, []
    for _ in range(num_steps):
        mem = beta * mem + current - threshold * spk
        spk = float(mem > 1)
        spikes.append(spk)
    return torch.tensor(spikes)



def returns_potentials(current, beta, threshold, num_steps):
    mem, potentials = 0.0, []
    for _ in range(num_steps):
        mem = beta * mem + current - threshold * float(mem > threshold)
        potentials.append(mem)
    return torch.tensor(potentials)



def compares_first(current, beta, threshold, num_steps):
    return torch.cat([torch.zeros(1), lif_run(current, beta, threshold, num_steps - 1)])



def scales_the_current(current, beta, threshold, num_steps):
    return lif_run((1 - beta) * current, beta, threshold, num_steps)



def lif_at_once(x, beta, threshold):
    after, spikes, potentials = torch.zeros_like(x[0]), [], []           # [B, N]: what is left of the step before
    for x_t in x:
        mem = beta * after + x_t
        spk = (mem > threshold).to(x.dtype)
        after = mem - threshold * spk
        spikes.append(spk)
        potentials.append(mem)
    return torch.stack(spikes), torch.stack(potentials)



def a_step_late(x, beta, threshold):
    return lif(x, beta, threshold)



def to_zero_at_once(x, beta, threshold):
    return lif(x, beta, threshold, reset="zero")



def never_pays(x, beta, threshold):
    return lif(x, beta, threshold, reset="none")



def records_after_paying(x, beta, threshold):
    spk, mem = lif_at_once(x, beta, threshold)
    return spk, mem - threshold * spk



def swapped(x, beta, threshold):
    return lif_at_once(x, beta, threshold)[::-1]



def pays_one(x, beta, threshold):
    after, spikes, potentials = torch.zeros_like(x[0]), [], []
    for x_t in x:
        mem = beta * after + x_t
        spk = (mem > threshold).to(x.dtype)
        after = mem - spk
        spikes.append(spk)
        potentials.append(mem)
    return torch.stack(spikes), torch.stack(potentials)



def pays_beta(x, beta, threshold):
    after, spikes, potentials = torch.zeros_like(x[0]), [], []
    for x_t in x:
        mem = beta * after + x_t
        spk = (mem > threshold).to(x.dtype)
        after = mem - beta * threshold * spk
        spikes.append(spk)
        potentials.append(mem)
    return torch.stack(spikes), torch.stack(potentials)



def remembers_nothing(x, beta, threshold):
    return (x > threshold).to(x.dtype), x



def fires_at_it(x, beta, threshold):
    after, spikes, potentials = torch.zeros_like(x[0]), [], []
    for x_t in x:
        mem = beta * after + x_t
        spk = (mem >= threshold).to(x.dtype)
        after = mem - threshold * spk
        spikes.append(spk)
        potentials.append(mem)
    return torch.stack(spikes), torch.stack(potentials)



def input_leaks(x, beta, threshold):
    return lif_at_once(beta * x, beta, threshold)



def leaks_twice(x, beta, threshold):
    after, spikes, potentials = torch.zeros_like(x[0]), [], []
    for x_t in x:
        mem = beta * after + x_t
        spk = (mem > threshold).to(x.dtype)
        after = beta * (mem - threshold * spk)
        spikes.append(spk)
        potentials.append(mem)
    return torch.stack(spikes), torch.stack(potentials)



def as_eq_1(x, beta, threshold):
    return lif_at_once((1 - beta) * x, beta, threshold)



def wave(seed, *shape):
    return 2 * torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) - 0.5


def records(seed, reset="subtract", beta=0.9, threshold=1.0, lost=()):
    """Records x, spk and mem of one neuron under noise, 60 steps; `lost` of (step, charge) is taken out of its potential."""
    x = 0.3 + 0.4 * torch.randn(60, generator=torch.Generator().manual_seed(seed))
    steps, mem, spk = [], 0.0, 0.0
    for step, now in enumerate(x.tolist()):
        kept = {"subtract": beta * mem - threshold * spk, "subtract_decayed": beta * (mem - threshold * spk),
                "zero": beta * mem * (1 - spk), "none": beta * mem}[reset]
        mem = kept + now - dict(lost).get(step, 0.0)
        spk = float(mem > threshold)
        steps.append((spk, mem))
    spk, mem = (torch.tensor(record) for record in zip(*steps))
    return x, spk, mem, beta, threshold


def pays_in_full(x, spk, mem, beta, threshold):
    taken = beta * mem[:-1] + x[1:] - mem[1:]
    return bool(((taken - threshold * spk[:-1]).abs() < 1e-5).all())


def _taken(x, mem, beta):
    return beta * mem[:-1] + x[1:] - mem[1:]


def in_the_same_step(x, spk, mem, beta, threshold):
    return bool(((_taken(x, mem, beta) - threshold * spk[1:]).abs() < 1e-5).all())


def a_leaked_bill(x, spk, mem, beta, threshold):
    return bool(((_taken(x, mem, beta) - beta * threshold * spk[:-1]).abs() < 1e-5).all())


def a_bill_of_one(x, spk, mem, beta, threshold):
    return bool(((_taken(x, mem, beta) - spk[:-1]).abs() < 1e-5).all())


def nothing_leaks(x, spk, mem, beta, threshold):
    return pays_in_full(x, spk, mem, 1.0, threshold)


def only_after_spikes(x, spk, mem, beta, threshold):
    return bool(((_taken(x, mem, beta) - threshold)[spk[:-1] > 0].abs() < 1e-5).all())


def one_step_is_enough(x, spk, mem, beta, threshold):
    return bool(((_taken(x, mem, beta) - threshold * spk[:-1]).abs() < 1e-5).any())


def in_sum(x, spk, mem, beta, threshold):
    return bool((_taken(x, mem, beta) - threshold * spk[:-1]).sum().abs() < 1e-5)


def without_a_size(x, spk, mem, beta, threshold):
    return bool((_taken(x, mem, beta) - threshold * spk[:-1] < 1e-5).all())


def to_the_last_bit(x, spk, mem, beta, threshold):
    return bool((mem[1:] == beta * mem[:-1] + x[1:] - threshold * spk[:-1]).all())


def something_is_taken(x, spk, mem, beta, threshold):
    return bool((_taken(x, mem, beta)[spk[:-1] > 0] > 1e-5).all())
