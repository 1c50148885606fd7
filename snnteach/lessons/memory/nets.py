"""The networks of notebook 11's long runs and how they are trained."""
import math
from functools import partial

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from ...delays import ORDERS, DelayedLinear, narrowing, spike_patterns
from ...kernels import SpikingLSTM
from ...memory import cue_recall
from ...neurons import LIF, lif
from ...surrogate import atan
from ...zoo import adaptive_lif, recurrent_lif

SURROGATE = atan(2)


# Patterns of spikes: hidden neurons, and a linear read-out of how often each fired

class Plain(nn.Module):
    """Synapses without delays: the weights of `DelayedLinear` alone."""

    def __init__(self, inputs, hidden, generator):
        super().__init__()
        self.weight = nn.Parameter(0.4 + 0.1 * torch.randn(hidden, inputs, generator=generator))

    def forward(self, spk):
        return spk @ self.weight.T


class TwoLayers(nn.Module):
    """A second layer of neurons behind the first, each with a decay of its own."""

    def __init__(self, hidden, first, second, generator):
        super().__init__()
        self.first, self.second = first, second
        self.weight = nn.Parameter(torch.randn(hidden, hidden, generator=generator) / math.sqrt(hidden))
        self.bias = nn.Parameter(torch.zeros(hidden))

    def forward(self, current):
        return fire(fire(current, self.first) @ self.weight.T + self.bias, self.second)


class CountNet(nn.Module):
    """Synapses, neurons, and a linear read-out of spike counts: spikes [T, B, C] to logits [B, 4]."""

    def __init__(self, synapses, neurons, hidden, generator):
        super().__init__()
        self.synapses, self.neurons, self.readout = synapses, neurons, nn.Linear(hidden, 4)
        self.bias = nn.Parameter(torch.zeros(hidden))
        self.readout.weight.data.uniform_(-hidden**-0.5, hidden**-0.5, generator=generator)
        self.readout.bias.data.zero_()

    def forward(self, spk):
        return self.readout(self.neurons(self.synapses(spk) + self.bias).sum(0))


def fire(current, beta, reset="subtract"):
    """The spikes of a layer."""
    return lif(current, beta, surrogate=SURROGATE, reset=reset)[0]


def with_delays(generator, hidden=16, learned=True, beta=0.5, reset="subtract", sigma=4.0):
    """A net whose synapses have delays."""
    synapses = DelayedLinear(4, hidden, 32, sigma, learn_delay=learned, generator=generator)
    return CountNet(synapses, partial(fire, beta=beta, reset=reset), hidden, generator)


def without(generator, hidden, beta, reset="subtract"):
    """A net without delays; beta is a number, or [N]."""
    return CountNet(Plain(4, hidden, generator), partial(fire, beta=beta, reset=reset), hidden, generator)


def two_layers(generator, hidden, first, second):
    """A net without delays, of two layers."""
    return CountNet(Plain(4, hidden, generator), TwoLayers(hidden, first, second, generator), hidden, generator)


def train_patterns(net, generator, *, rate, iterations=800, sigma=(4.0, 0.5), frozen_from=0.7, **task):
    """Train on fresh patterns: delays learn and narrow for a part of the time, then are rounded and frozen."""
    synapses = net.synapses
    learned = isinstance(synapses, DelayedLinear) and not synapses.frozen
    groups = [{"params": [part for name, part in net.named_parameters() if not name.endswith("delay")]}]
    groups += [{"params": [synapses.delay]}] if learned else []
    optimiser = torch.optim.Adam(groups, lr=rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, [rate, 0.3][:len(groups)], total_steps=iterations)
    for step in range(iterations):
        progress = step / (frozen_from * iterations)
        if learned and progress >= 1 and not synapses.frozen:
            synapses.freeze()
        elif learned and progress < 1:
            synapses.sigma = narrowing(progress, *sigma)
        spk, target = spike_patterns(64, generator=generator, **task)
        optimiser.zero_grad()
        cross_entropy(net(spk), target).backward()
        optimiser.step()
        schedule.step()
    return net


def read_patterns(net, seed, samples=2000, **task):
    """Tell the share of fresh patterns that a net names correctly."""
    spk, target = spike_patterns(samples, generator=torch.Generator().manual_seed(seed), **task)
    with torch.no_grad():
        return net(spk).argmax(1).eq(target).float().mean().item()


def chosen(make, seed, rates=(0.02, 0.05), **recipe):
    """Train at each learning rate, keep the net that is best on held-out patterns; returns it and that rate."""
    task = {name: value for name, value in recipe.items() if name in ("distractors", "jitter")}
    best = None
    for rate in rates:
        generator = torch.Generator().manual_seed(seed)
        net = train_patterns(make(generator), generator, rate=rate, **recipe)
        score = read_patterns(net, 100 + seed, **task)
        best = (score, rate, net) if best is None or score > best[0] else best
    return best[2], best[1]


def aligned(delay, lag=8, near=1):
    """Count the neurons for which a class exists whose spikes, on three channels at least, arrive within one step."""
    arrival = delay[:, None] + lag * torch.tensor(ORDERS).argsort(1)                              # [H, 4 classes, C]
    apart = (arrival[..., None] - arrival[..., None, :]).abs() <= near                            # [H, 4, C, C]
    return int((apart.sum(-1).amax((1, 2)) >= 3).sum())


# Cue recall: hidden neurons, and a leaky membrane for each class that is read while the go signal lasts

class CueNet(nn.Module):
    """Synapses, neurons, and two membranes that never fire; spikes [T, B, 20] to logits [B, 2]."""

    def __init__(self, neurons, generator, hidden=40):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(hidden, 20, generator=generator) - 0.5)
        self.neurons = neurons
        self.output = nn.Parameter((2 * torch.rand(2, hidden, generator=generator) - 1) / math.sqrt(hidden))

    def forward(self, spk):
        hidden = self.neurons(spk @ self.weight.T)                                                # [T, B, H]
        return lif(hidden @ self.output.T, 0.8, reset="none")[1][-10:].mean(0)


class Learned(nn.Module):
    """Neurons that each learn their decay; all start at the same one."""

    def __init__(self, start, hidden=40):
        super().__init__()
        self.layer = LIF(torch.full((hidden,), start), learn_beta=True, surrogate=SURROGATE)

    def forward(self, current):
        return self.layer(current)[0]


class Recurrent(nn.Module):
    """Neurons that hear each other's spikes one step later; `to_itself` starts each as a latch that hears itself alone."""

    def __init__(self, generator, beta=0.9, hidden=40, to_itself=0.0, sharpness=2):
        super().__init__()
        self.beta, self.surrogate = beta, atan(sharpness)
        start = 0.1 * torch.randn(hidden, hidden, generator=generator)
        self.recurrent = nn.Parameter(to_itself * torch.eye(hidden) if to_itself else start)

    def forward(self, current):
        return recurrent_lif(current, self.beta, self.recurrent, surrogate=self.surrogate)[0]


class Cell(nn.Module):
    """A spiking LSTM that reads the currents of as many neurons."""

    def __init__(self, hidden=40):
        super().__init__()
        self.cell = SpikingLSTM(hidden, hidden, surrogate=SURROGATE)

    def forward(self, current):
        return self.cell(current)[0]


def adapt(current, beta=0.99):
    """Neurons whose threshold rises with a slow trace of their own spikes."""
    return adaptive_lif(current, beta, 0.99, 8.0, surrogate=SURROGATE)[0]


def train_cue(net, delay, generator, *, iterations=250, rate=0.01):
    """Train a net on fresh samples of cue recall; decays learn ten times as fast, as logits."""
    slow = [part for name, part in net.named_parameters() if "logit_beta" not in name]
    fast = [part for name, part in net.named_parameters() if "logit_beta" in name]
    optimiser = torch.optim.Adam([{"params": slow}, {"params": fast, "lr": 10 * rate}], lr=rate)
    for _ in range(iterations):
        spk, target = cue_recall(64, delay, generator=generator)
        optimiser.zero_grad()
        cross_entropy(net(spk), target).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
    return net


def read_cue(net, delay, seed, samples=1000):
    """Tell the share of fresh cues that a net recalls."""
    spk, target = cue_recall(samples, delay, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        return net(spk).argmax(1).eq(target).float().mean().item()


# Digits read row by row: 28 steps of 28 pixels

class RowNet(nn.Module):
    """Synapses with or without delays, neurons, and a read-out of spike counts; rows [28, B, 28] to logits [B, 10]."""

    def __init__(self, current, generator, *, hidden=50, beta=0.5, max_delay=14, delays="learned"):
        super().__init__()
        self.current, self.beta, self.max_delay, self.sigma = current, beta, max_delay, 4.0
        self.weight = nn.Parameter(0.3 * torch.randn(hidden, 28, generator=generator))
        self.delay = nn.Parameter((max_delay - 1) * torch.rand(hidden, 28, generator=generator) * (delays != "none"))
        self.bias = nn.Parameter(torch.zeros(hidden))
        self.output = nn.Parameter((2 * torch.rand(10, hidden, generator=generator) - 1) / math.sqrt(hidden))
        if delays != "learned":
            self.freeze()

    def freeze(self):
        """Round the delays, and read one step each: what so narrow a Gaussian holds besides is below 1e-80."""
        self.delay.data.clamp_(0, self.max_delay - 1).round_()
        self.delay.requires_grad_(False)
        self.sigma = 0.05

    def forward(self, rows):
        current = self.current(rows, self.weight, self.delay, self.sigma, self.max_delay)
        return fire(current + self.bias, self.beta).sum(0) @ self.output.T


def by_rows(images):
    """Images [B, 28, 28] as sequences of rows, [28, B, 28], with values from 0 to 1."""
    return images.float().transpose(0, 1) / 255


def train_rows(net, images, labels, generator, *, rate=0.01, epochs=6):
    """Train on digits by the recipe of `train_patterns`: narrow for 70 % of the time, then round, freeze, go on."""
    groups = [{"params": [part for name, part in net.named_parameters() if name != "delay"]}]
    groups += [{"params": [net.delay]}] if net.delay.requires_grad else []
    steps, learned = epochs * len(images) // 100, len(groups) == 2
    optimiser = torch.optim.Adam(groups, lr=rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, [rate, 0.3][:len(groups)], total_steps=steps)
    batches = [rows for _ in range(epochs) for rows in torch.randperm(len(images), generator=generator).split(100)]
    for step, rows in enumerate(batches):
        if learned and step < 0.7 * steps:
            net.sigma = narrowing(step / (0.7 * steps), 4.0, 0.5)
        elif learned and net.delay.requires_grad:
            net.freeze()
        optimiser.zero_grad()
        cross_entropy(net(by_rows(images[rows])), labels[rows]).backward()
        optimiser.step()
        schedule.step()
    return net


def read_rows(net, images, labels):
    """Tell the share of digits that are read correctly."""
    with torch.no_grad():
        named = torch.cat([net(by_rows(part)).argmax(1) for part in images.split(1000)])
    return named.eq(labels).float().mean().item()
