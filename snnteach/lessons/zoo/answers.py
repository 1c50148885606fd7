"""Right and wrong answers to the exercises of notebook 03: functions that readers may write."""
import math

import torch

from ...neurons import lif
from ...zoo import adaptive_lif, cuba_lif, refractory_lif


def receptor(x, beta, rest, rho, strength):
    mem, spk, ada, wait = (torch.zeros_like(x[0]) for _ in range(4))               # [N] each
    spikes = []
    for x_t in x:
        ada = rho * ada + (1 - rho) * spk
        mem = torch.where(wait > 0, 0.0, beta * mem * (1 - spk) + x_t)
        spk = (mem > 1 + strength * ada).to(x.dtype)
        wait = torch.where(spk > 0, float(rest), wait - 1)
        spikes.append(spk)
    return torch.stack(spikes)                                                     # [T, N]


def wrong_receptor(x, beta, rest, rho, strength, *, charges=False, keeps=False, subtracts=False, raw=False, falls=False,
                   late=0, strict=True, forgets=False, sums=False, lowers=False, membranes=False):
    """The receptor with one thing wrong."""
    mem, spk, ada, wait = (torch.zeros_like(x[0]) for _ in range(4))
    spikes, potentials = [], []
    for x_t in x:
        ada = (ada if sums else rho * ada) + (1.0 if raw else 1 - rho) * spk
        left = mem if keeps else mem - spk if subtracts else mem * (1 - spk)
        mem = x_t + (0 if forgets else beta * left)
        mem = mem if charges else torch.where(wait > 0, 0.0, mem)
        level = 1 + (0 if falls else -strength * ada if lowers else strength * ada)
        spk = (((mem > level) if strict else (mem >= level)) & (wait <= 0)).to(x.dtype)
        wait = torch.where(spk > 0, float(rest + late), wait - 1)
        spikes.append(spk)
        potentials.append(mem)
    return torch.stack(potentials if membranes else spikes)


def no_rest(x, beta, rest, rho, strength):
    return receptor(x, beta, 0, rho, strength)


def swapped_decays(x, beta, rest, rho, strength):
    return receptor(x, rho, rest, beta, strength)


def moving(seed, *shape):
    return 0.9 * torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def alpha_potential(x, tau):
    lam, current, potential, trace = math.exp(-1 / tau), 0.0, 0.0, []
    for spike in x.tolist():                                                       # x: [T]
        potential = lam * (potential + math.e / tau * current)
        current = lam * current + spike
        trace.append(potential)
    return torch.tensor(trace, dtype=x.dtype)                                      # [T]


def wrong_potential(x, tau, *, early=False, scaled=True, leaks=True, euler=False, of_current=False):
    """The potential with one thing wrong."""
    lam = 1 - 1 / tau if euler else math.exp(-1 / tau)
    current, potential, trace = 0.0, 0.0, []
    for spike in x.tolist():
        if early:
            current = lam * current + spike
        gain = math.e / tau if scaled else 1.0
        potential = (lam if leaks else 1.0) * potential + lam * gain * current
        if not early:
            current = lam * current + spike
        trace.append(current if of_current else potential)
    return torch.tensor(trace, dtype=x.dtype)


class Unknown:
    """A neuron of section 1 or 2 whose name nobody tells: it takes an input [T, 1, 1] and returns its spikes."""

    def __init__(self, neuron, *numbers):
        self._neuron, self._numbers = neuron, numbers

    def __call__(self, x):
        return self._neuron(x, *self._numbers, reset="zero")[0]

    def __repr__(self):
        return "a neuron"


UNKNOWN = tuple((Unknown(*neuron),) for neuron in (
    (lif, 0.9), (cuba_lif, 0.8, 0.9), (adaptive_lif, 0.9, 0.98, 4.0), (refractory_lif, 0.9, 3),
    (lif, 0.97), (cuba_lif, 0.6, 0.8), (adaptive_lif, 0.8, 0.97, 2.0), (refractory_lif, 0.8, 1)))


def which_neuron(neuron):
    if neuron(torch.full((100, 1, 1), 50.0)).mean() < 0.6:                          # a ceiling that no input lifts
        return "dead time"
    kick = torch.zeros(100, 1, 1)
    kick[0] = 0.9                                                                  # too weak at once
    if neuron(kick).any():
        return "current"
    gaps = neuron(torch.full((600, 1, 1), 0.5)).flatten().nonzero().flatten().diff()
    return "adaptive" if gaps[-1] > gaps[0] else "plain"


def wrong_neuron(neuron, blind):
    """Which neuron it is, without the test that finds one of them."""
    found = which_neuron(neuron)
    return "plain" if found == blind else found
