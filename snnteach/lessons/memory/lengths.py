"""Sequences of unequal lengths in notebook 11: three read-outs of one net, and how many blanks each of them bears."""
import torch
from torch.nn.functional import cross_entropy

from ...networks import SpikingMLP
from ...padding import pad_front

BLANKS = (0, 30, 120)


def trains(samples, generator):
    """Spike trains of four classes, [60, B, 20], that last 15 to 60 steps and are then silent; their classes and lengths."""
    rates = 0.05 + 0.25 * torch.rand(4, 20, generator=torch.Generator().manual_seed(6))
    target = torch.randint(4, (samples,), generator=generator)
    lengths = torch.randint(15, 61, (samples,), generator=generator)
    spk = torch.bernoulli(rates[target].expand(60, -1, -1), generator=generator)
    return spk * (torch.arange(60)[:, None] < lengths)[..., None], target, lengths


def padded(read, seed, iterations=150):
    """Train a net that is read so; the shares of 1000 fresh trains it names with 0, 30 and 120 blank steps behind all.

    `read` takes the last membranes [T, B, C] and the lengths [B]. Nets of one seed see the same samples, whatever `read`.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = SpikingMLP((20, 30, 4), readout="membrane")
    for linear in net.linears:
        linear.weight.data *= 2
    generator, optimiser = torch.Generator().manual_seed(seed), torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(iterations):
        spk, target, lengths = trains(64, generator)
        optimiser.zero_grad()
        cross_entropy(read(net(spk)[-1].mem, lengths), target).backward()
        optimiser.step()
    spk, target, lengths = trains(1000, torch.Generator().manual_seed(1000 + seed))
    with torch.no_grad():
        answers = [read(net(torch.cat([spk, torch.zeros(blank, 1000, 20)]))[-1].mem, lengths).argmax(1) for blank in BLANKS]
    return [(answer == target).float().mean().item() for answer in answers]


def last_step(mem, lengths):
    """The last membrane, blanks or not."""
    return mem[-1]


def mean_of_all(mem, lengths):
    """The mean membrane of all steps, blanks included."""
    return mem.mean(0)


def mean_before_end(mem, lengths):
    """The mean membrane of the steps before each sequence ends."""
    return pad_front(mem, lengths).sum(0) / lengths[:, None]


def padding(read, seed):
    """A row: what a net that is read so names, by the number of blank steps."""
    return {f"{blank} blanks": score for blank, score in zip(BLANKS, padded(read, seed), strict=True)}
