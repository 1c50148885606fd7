"""Right and wrong answers to the exercises of notebook 00, as functions."""
import math

import torch


def crossover(num_neurons):
    return 1 / math.ceil(math.log2(num_neurons))


def spikes_instead_of_density(num_neurons):
    return num_neurons / math.ceil(math.log2(num_neurons))


def gaps(spk):
    positions = [-1, *spk.nonzero().flatten().tolist()]
    return [after - before - 1 for before, after in zip(positions[:-1], positions[1:], strict=True)]


def where(spk):
    return spk.nonzero().flatten().tolist()


def differences(spk):
    return [gap + 1 for gap in from_zero(spk)]


def from_minus_one(spk):
    return [gap + 1 for gap in gaps(spk)]


def from_zero(spk):
    positions = [0, *where(spk)]
    return [after - before - 1 for before, after in zip(positions[:-1], positions[1:], strict=True)]


def first_gap_missing(spk):
    return gaps(spk)[1:]


def zeros_at_the_end(spk):
    return [*gaps(spk), len(spk) - 1 - max(where(spk), default=-1)]


def spikes_at(num_neurons, *positions):
    spk = torch.zeros(num_neurons)
    spk[list(positions)] = 1
    return spk


def layer(current, beta, threshold):
    mem = spk = torch.zeros_like(current[0])
    spikes = []
    for now in current:
        mem = beta * mem + now - threshold * spk
        spk = (mem > threshold).to(current.dtype)
        spikes.append(spk)
    return torch.stack(spikes)


def variant(update):
    """A layer with another update(mem, now, spk, beta, threshold) of the membrane and (mem, threshold) -> (spk, mem)."""
    def wrong(current, beta, threshold):
        mem = spk = torch.zeros_like(current[0])
        shown = []
        for now in current:
            mem, spk, out = update(mem, now, spk, beta, threshold)
            shown.append(out)
        return torch.stack(shown)

    return wrong


def step(mem, threshold):
    return (mem > threshold).to(mem.dtype)


def never_resets(mem, now, spk, beta, threshold):
    mem = beta * mem + now
    return mem, spk, step(mem, threshold)


def no_leak(mem, now, spk, beta, threshold):
    mem = mem + now - threshold * spk
    return mem, step(mem, threshold), step(mem, threshold)


def no_memory(mem, now, spk, beta, threshold):
    return mem, spk, step(now, threshold)


def resets_at_once(mem, now, spk, beta, threshold):
    mem = beta * mem + now
    spk = step(mem, threshold)
    return mem - threshold * spk, spk, spk


def to_zero(mem, now, spk, beta, threshold):
    mem = beta * mem * (1 - spk) + now
    return mem, step(mem, threshold), step(mem, threshold)


def costs_one(mem, now, spk, beta, threshold):
    mem = beta * mem + now - spk
    return mem, step(mem, threshold), step(mem, threshold)


def fires_above_one(mem, now, spk, beta, threshold):
    mem = beta * mem + now - threshold * spk
    return mem, step(mem, 1.0), step(mem, 1.0)


def at_or_above(mem, now, spk, beta, threshold):
    mem = beta * mem + now - threshold * spk
    spk = (mem >= threshold).to(mem.dtype)
    return mem, spk, spk


def asks_first(mem, now, spk, beta, threshold):
    spk = step(mem, threshold)
    return beta * mem + now - threshold * spk, spk, spk


def membrane(mem, now, spk, beta, threshold):
    mem = beta * mem + now - threshold * spk
    return mem, step(mem, threshold), mem


def absorbed(current, beta, threshold):
    return layer((1 - beta) * current, beta, threshold)


def batch_first(current, beta, threshold):
    return layer(current.transpose(0, 1), beta, threshold).transpose(0, 1)


def currents(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) + 0.4
