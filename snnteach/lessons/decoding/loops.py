"""The balanced network of notebook 05: how it fires, and what its neurons do when a part of what they hear is changed."""
import torch

from ...balance import draw_synapses, interval_cv, synchrony
from ...neurons import lif
from ...zoo import recurrent_lif


@torch.no_grad()
def recurrent(inhibition, seed, num_steps=2000):
    """Run the balanced network of the notebook, 400 neurons that excite and 100 that inhibit; (spk, mem, weight)."""
    generator = torch.Generator().manual_seed(seed)
    weight = draw_synapses(400, 100, (40, 10), 0.06, inhibition, generator)
    start = torch.rand(1, 500, generator=generator)
    push = torch.full((1, 1, 1), 0.2).expand(num_steps, 1, 500)
    spk, mem = recurrent_lif(push, 0.9, weight, state=(start, torch.zeros_like(start)))
    return spk[:, 0], mem[:, 0], weight                                               # [T, 500], [T, 500], [500, 500]


def balance(inhibition, seed):
    """A row: how the network fires after its first 500 steps, and what its neurons hear."""
    spk, mem, weight = recurrent(inhibition, seed)
    spk, mem = spk[500:], mem[500:]
    excitation, inhibited = spk[:, :400] @ weight[:, :400].T, spk[:, 400:] @ weight[:, 400:].T
    return {"rate": spk.mean().item(), "irregular": interval_cv(spk), "together": synchrony(spk),
            "below zero": (mem < 0).double().mean().item(), "excitation: current": excitation.mean().item(),
            "inhibition: current": inhibited.mean().item(),
            "net: current": 0.2 + (excitation + inhibited).mean().item()}


def replayed(seed):
    """Controls, a row: the same spikes come back to neurons that do not hear each other, with one part changed; g = 10.

    A part is shifted in time or holds still at its mean; or all swings stay and the mean is that of g = 4, 0.156 higher.
    """
    spk, _, weight = recurrent(10.0, seed)
    before = torch.cat([torch.zeros(1, 500), spk[:-1]])                               # what arrives is a step old
    excitation, inhibited = before[:, :400] @ weight[:, :400].T, before[:, 400:] @ weight[:, 400:].T
    still = [part[500:].mean(0).expand_as(part) for part in (excitation, inhibited)]
    rate, low, high = spk[500:].mean(), 0.0, 1.0
    for _ in range(25):                                                               # how much more push gives the same rate
        middle = (low + high) / 2
        low, high = (low, middle) if _fires(0.2 + middle + excitation + still[1]).mean() > rate else (middle, high)
    runs = {"as it was": 0.2 + excitation + inhibited, "inhibition shifted": 0.2 + excitation + inhibited.roll(777, 0),
            "inhibition frozen": 0.2 + excitation + still[1], "inhibition frozen, pushed": 0.2 + low + excitation + still[1],
            "excitation frozen": 0.2 + still[0] + inhibited, "higher mean": 0.356 + excitation + inhibited}
    found = {"more push: current": low}
    for name, current in runs.items():
        fired = _fires(current)
        found |= {f"{name}: rate": fired.mean().item(), f"{name}: irregular": interval_cv(fired),
                  f"{name}: together": synchrony(fired)}
    return found


def _fires(current):
    return lif(current[:, None], 0.9)[0][500:, 0]                                     # [T, 500], nobody hears anybody
