"""The long runs of notebook 13: the Yin-Yang plane learned by first spikes, what might explain it away, and other starts.

Every network sees 3000 points, 20 epochs of Adam in batches of 100, and is measured on 10,000 other points. The rate (0.02, and
0.05 for rectified units) falls to 0 along half a cosine. Rates and starting weights were
chosen for 60 hidden units, on a third set of points.
"""
import copy
from functools import cache, partial

import torch
from torch import nn
from torch.nn import functional

from ...losses import ce_membrane_loss
from ...networks import SpikingMLP, direct_current
from ...spiketimes import causal_set
from ...training import fit
from ...yinyang import FirstSpikeMLP, arrival_times, fit_first_spikes, yin_yang
from ..kinds import AMOUNT, SHARE

SEEDS = (0, 1, 2)
TOLERANCE = 0.04
QUANTITIES = {"*: heard": AMOUNT, "*": SHARE}
TRAIN, TEST = 3000, 10_000


@cache
def points(seed):
    """Points to train on and others to measure with: (inputs, labels) each."""
    generator = torch.Generator().manual_seed(1000 + seed)
    return yin_yang(TRAIN, generator), yin_yang(TEST, generator)


def accuracy(answers, seed):
    """The share of test points with the right answer."""
    return (answers == points(seed)[1].labels).double().mean().item()


def start(seed, width=60, **options):
    """A network as it is drawn."""
    return FirstSpikeMLP((5, width, 3), generator=torch.Generator().manual_seed(seed), **options)


def learn(net, seed, **options):
    """Train by the recipe of all rows."""
    inputs, labels = points(seed)[0]
    fit_first_spikes(net, arrival_times(inputs), labels, seed=seed, **options)
    return net


@torch.no_grad()
def firsts(net, seed):
    """Arrivals, hidden and output spikes for the test points."""
    times = arrival_times(points(seed)[1].inputs)
    return times, *net(times)


def measured(net, before, seed):
    """What a trained network is like: its accuracy, its silence, what it hears, and how far its causal sets moved."""
    times, hidden, out = firsts(net, seed)
    old, now = causal_set(times, before), causal_set(times, hidden)
    return {"accuracy": accuracy(out.argmin(1), seed), "silent before": before.isinf().double().mean().item(),
            "silent": hidden.isinf().double().mean().item(), "dead": hidden.isinf().all(0).double().mean().item(),
            "other set": (old != now).any(2).double().mean().item(), "no answer": out.isinf().all(1).double().mean().item(),
            "heard": (hidden < out.amin(1, keepdim=True)).sum(1).double().mean().item()}


def first_spikes(width, gain, awake, epochs, seed):
    """A row: first spikes in two layers."""
    net = start(seed, width, gain=gain)
    before = firsts(net, seed)[1]
    return measured(learn(net, seed, awake=awake, epochs=epochs), before, seed)


def frozen_hidden(seed):
    """Control, a row: hidden weights as they were drawn, only the read-out learns."""
    net = start(seed)
    net.weights[0].requires_grad_(False)
    return {"accuracy": accuracy(firsts(learn(net, seed), seed)[2].argmin(1), seed)}


class Sets(nn.Module):
    """The same layers and another read-out, for three choices of who is heard.

    `which` is "free" (the causal sets, new for the weights of each step), "drawn" (the sets of the network as it was drawn) or
    "all" (all inputs for every neuron). Nothing is cut off on the way, so that "all" makes each layer linear in z = exp(t).
    With held sets a sum less the threshold may be negative; near 0 it counts as 0.05. The last z goes through a rising curve,
    which keeps its order, so that the loss of first spikes can be used; an output that hears nobody counts as 6.
    """

    def __init__(self, net, which):
        super().__init__()
        self.weights, self.which = net.weights, which
        self.deciding = net if which == "free" else copy.deepcopy(net)                          # whose sets

    def forward(self, times):
        """Run over arrivals [B, N] and return a list of the last layer's values in place of its times."""
        with torch.no_grad():
            at, z = [times, *self.deciding(times)], times.exp()
        for place, weight in enumerate(self.weights):
            held = torch.ones(1, 1, 1) if self.which == "all" else causal_set(at[place], at[place + 1])
            w = weight * held                                                                    # [B, M, N]
            room = w.sum(2) - 1
            z = torch.einsum("bmn,bn->bm", w.expand(len(z), -1, -1), z) / torch.where(room.abs() < 0.05, 0.05, room)
        return [torch.where(held.any(2), 3 + 3 * torch.tanh(z / 8 - 0.5), 6.0)]


def with_sets(which, seed):
    """Control, a row: who is heard is free, as it was drawn, or everyone."""
    net = learn(Sets(start(seed), which), seed)
    with torch.no_grad():
        return {"accuracy": accuracy(net(arrival_times(points(seed)[1].inputs))[-1].argmin(1), seed)}


def leaky(scale, seed):
    """A row: the leaky neuron of the closed form, weights drawn `scale` times as large."""
    net = learn(start(seed, gain=3.0 * scale, spread=3.0 * scale, leaky=True), seed)
    return {"accuracy": accuracy(firsts(net, seed)[2].argmin(1), seed)}


def trained(net, learning_rate, epochs, seed):
    """Train a network without time on coordinates and a constant by the same recipe; return its answers."""
    (inputs, labels), (test, _) = points(seed)
    with_bias = [torch.cat([x, 1 - x, torch.ones(len(x), 1)], 1) for x in (inputs, test)]
    optimiser = torch.optim.Adam(net.parameters(), lr=learning_rate)
    fall, generator = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs), torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        for part in torch.randperm(TRAIN, generator=generator).split(100):
            optimiser.zero_grad()
            functional.cross_entropy(net(with_bias[0][part]), labels[part]).backward()
            optimiser.step()
        fall.step()
    with torch.no_grad():
        return net(with_bias[1]).argmax(1)


def plain(width, scale, epochs, seed):
    """Control, a row: rectified units, as many weights, drawn `scale` times as large as PyTorch draws; a linear model for 0."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = nn.Linear(5, 3, bias=False) if not width else nn.Sequential(
            nn.Linear(5, width, bias=False), nn.ReLU(), nn.Linear(width, 3, bias=False))
    with torch.no_grad():
        for weight in net.parameters():
            weight.mul_(scale)
    return {"accuracy": accuracy(trained(net, 0.05, epochs, seed), seed)}


def with_surrogate(seed):
    """Control, a row: LIF neurons under a steady current for ten steps, trained with the surrogate gradient."""
    (inputs, labels), (test, _) = points(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = SpikingMLP((4, 60, 3), readout="membrane")
    both = [torch.cat([x, 1 - x], 1) for x in (inputs, test)]
    fit(net, both[0], labels, loss=lambda records, y: ce_membrane_loss(records[-1].mem / 10, y),
        encode=lambda x: direct_current(x, 10), epochs=20, learning_rate=0.02, batch_size=100, seed=seed)
    with torch.no_grad():
        return {"accuracy": accuracy(net(direct_current(both[1], 10))[-1].mem.sum(0).argmax(1), seed)}


ROWS = {
    "first spikes": partial(first_spikes, 60, 3.0, 1.0, 20),
    "frozen hidden": frozen_hidden,
    "everyone heard": partial(with_sets, "all"),
    "sets as drawn": partial(with_sets, "drawn"),
    "sets free, same read-out": partial(with_sets, "free"),
    "linear": partial(plain, 0, 1, 20),
    "ReLU": partial(plain, 60, 6, 20),
    "ReLU, as drawn by PyTorch": partial(plain, 60, 1, 20),
    "surrogate": with_surrogate,
    "narrow": partial(first_spikes, 15, 3.0, 1.0, 20),
    "narrow ReLU": partial(plain, 15, 6, 20),
    "leaky": partial(leaky, 1),
    "leaky, drawn four times as large": partial(leaky, 4),
    "longer": partial(first_spikes, 60, 3.0, 1.0, 60),
    "longer ReLU": partial(plain, 60, 6, 60),
    **{f"start {gain:g}, {'priced' if awake else 'free'}": partial(first_spikes, 60, gain, awake, 20)
       for gain in (-3.0, 0.0, 3.0) for awake in (1.0, 0.0) if (gain, awake) not in ((3.0, 1.0), (-3.0, 0.0))},
}
