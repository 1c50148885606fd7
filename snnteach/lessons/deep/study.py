"""Runs of notebook 10 that take longer than a reader waits: depth on small digits, the convolutional network, its tricks.

Three seeds each. Settings (learning rates, epochs, steps, beta) were chosen on held-out training images, never on test images.
"""
import math
from functools import cache, partial

import torch
import torch.nn.functional as F
from torch import nn

from ...data import digits, mnist5k
from ...deep import (
    ChannelGain,
    DropoutOverTime,
    NormOverTime,
    OverTime,
    Residual,
    SpikingStack,
    conv_net,
    spike_max_pool,
    sum_pool,
)
from ...losses import ce_membrane_loss
from ...networks import Record, direct_current
from ...neurons import LIF
from ...surrogate import atan
from ...training import accuracy, fit
from ..kinds import SHARE

SEEDS = (0, 1, 2)
TOLERANCE = 0.03
QUANTITIES = {"*": SHARE}

WIDTH, DEEP_STEPS = 64, 10                                                 # the deep networks on 8 x 8 digits
STEPS = 4                                                                  # of the convolutional network


@cache
def small_digits():
    """scikit-learn's digits as rows of standardised pixels: train, labels, test, labels."""
    data = digits()
    train, test = data.train_images.flatten(1), data.test_images.flatten(1)
    mean, std = train.mean(), train.std()
    return (train - mean) / std, data.train_labels, (test - mean) / std, data.test_labels


@cache
def pictures():
    """MNIST-5k as standardised pictures [n, 1, 28, 28]: train, labels, test, labels."""
    data = mnist5k()
    mean, std = (data.train_images / 255).mean(), (data.train_images / 255).std()
    images = [((part / 255 - mean) / std)[:, None] for part in (data.train_images, data.test_images)]
    return images[0], data.train_labels, images[1], data.test_labels


def deep_net(depth, seed=0, *, norm=None, shortcuts=False, **neuron):
    """A network 64-64-...-10 of `depth` hidden layers; norm is None, "BN", "BNTT" or "tdBN"; shortcuts round all but the first.

    tdBN is BN over time whose gain is the threshold of its neurons (alpha = 1).
    """
    def layer():
        norms = {None: [], "BN": [NormOverTime(WIDTH)], "BNTT": [NormOverTime(WIDTH, DEEP_STEPS)],
                 "tdBN": [NormOverTime(WIDTH, gain=neuron.get("threshold", 1.0))]}[norm]
        return [OverTime(nn.Linear(WIDTH, WIDTH)), *norms, LIF(0.9, **neuron)]

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers = layer()
        for _ in range(depth - 1):
            layers += [Residual(layer())] if shortcuts else layer()
        return SpikingStack([*layers, OverTime(nn.Linear(WIDTH, 10)), LIF(0.9, math.inf, reset="none")])


@torch.no_grad()
def wake(net, images, rate=0.2):
    """Set the threshold of each layer once, before training, so that its neurons fire at this rate: no norm is left behind."""
    x = direct_current(images, DEEP_STEPS)
    for layer in net.layers[:-1]:
        if isinstance(layer, LIF):
            low, high = 1e-3, 30.0
            for _ in range(25):
                layer.threshold = math.sqrt(low * high)
                low, high = (layer.threshold, high) if layer(x)[0].mean() > rate else (low, layer.threshold)
            x = layer(x)[0]
        else:
            x = layer(x)


def train_deep(net, seed):
    """Train on the small digits and return the accuracy on the test images."""
    train, labels, test, test_labels = small_digits()
    encode = partial(direct_current, num_steps=DEEP_STEPS)
    fit(net, train, labels, loss=lambda records, y: ce_membrane_loss(records[-1].mem / DEEP_STEPS, y), encode=encode,
        epochs=8, batch_size=64, learning_rate=5e-3, seed=seed)
    return accuracy(net, test, test_labels, encode=encode)


def depth(layers, woken=False, **options):
    """A row: a deep network on the small digits; `woken` sets thresholds before training in place of a norm."""
    def row(seed):
        net = deep_net(layers, seed, **options)
        if woken:
            wake(net, small_digits()[0][:200])
        return train_deep(net, seed)

    return row


def woken_by_weights(layers):
    """A row: as `woken`, and then what the thresholds became moves into the weights before them: they are 1 again."""
    def row(seed):
        net = deep_net(layers, seed)
        wake(net, small_digits()[0][:200])
        return train_deep(thresholds_into_weights(net), seed)

    return row


def normed(layers, epochs=8, learning_rate=5e-3):
    """A row: `depth` with batch norm, trained for longer or at another learning rate."""
    def row(seed):
        net, (train, labels, test, test_labels) = deep_net(layers, seed, norm="BN"), small_digits()
        encode = partial(direct_current, num_steps=DEEP_STEPS)
        fit(net, train, labels, loss=lambda records, y: ce_membrane_loss(records[-1].mem / DEEP_STEPS, y), encode=encode,
            epochs=epochs, batch_size=64, learning_rate=learning_rate, seed=seed)
        return accuracy(net, test, test_labels, encode=encode)

    return row


def plain(layers, epochs=8, gain=1.0):
    """A row: `depth` without help, trained for longer, or its hidden weights drawn `gain` times as large."""
    def row(seed):
        net, (train, labels, test, test_labels) = deep_net(layers, seed), small_digits()
        with torch.no_grad():
            for layer in net.layers[:-2:2]:
                layer.layer.weight *= gain
        encode = partial(direct_current, num_steps=DEEP_STEPS)
        fit(net, train, labels, loss=lambda records, y: ce_membrane_loss(records[-1].mem / DEEP_STEPS, y), encode=encode,
            epochs=epochs, batch_size=64, learning_rate=5e-3, seed=seed)
        return accuracy(net, test, test_labels, encode=encode)

    return row


@torch.no_grad()
def thresholds_into_weights(net):
    """Divide the weights and biases of each hidden layer by its threshold, and make that 1: the same spikes (exercise 10.1)."""
    for before, layer in zip(net.layers[:-2], net.layers[1:-1], strict=True):
        if isinstance(layer, LIF):
            before.layer.weight /= layer.threshold
            before.layer.bias /= layer.threshold
            layer.threshold = 1.0
    return net


def shift(images):
    """Move the batch by up to one pixel along both axes."""
    return images.roll(torch.randint(-1, 2, (2,)).tolist(), (2, 3))


def train_conv(net, seed, data, epochs=6, num_steps=STEPS, learning_rate=1e-2):
    """Train by the recipe of notebook 10 and return the history."""
    return fit(net, *data, loss=lambda records, y: ce_membrane_loss(records[-1].mem / num_steps, y),
               encode=lambda x: direct_current(x, num_steps), epochs=epochs, batch_size=100, learning_rate=learning_rate,
               weight_decay=1e-2, seed=seed, augment=shift)


def seeded(make, seed):
    """Build a network whose weights the seed draws."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return make()


def conv(frozen=False):
    """A row: the convolutional network on the 5000 images, measured on the 10,000 test images; or its filters stay random."""
    def row(seed):
        net = seeded(conv_net, seed)
        for layer in net.modules() if frozen else ():
            if isinstance(layer, nn.Conv2d):
                layer.requires_grad_(False)
        train_conv(net, seed, pictures()[:2])
        return accuracy(net, *pictures()[2:], encode=lambda x: direct_current(x, STEPS))

    return row


class Conventional(nn.Module):
    """Control: the same layers with rectified linear units in place of spiking neurons, in one step."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, 12, 5), nn.BatchNorm2d(12), nn.MaxPool2d(2), nn.ReLU(),
                                    nn.Conv2d(12, 32, 5), nn.BatchNorm2d(32), nn.MaxPool2d(2), nn.ReLU(),
                                    nn.Flatten(), nn.Linear(512, 10))

    def forward(self, x):
        """Run over x [1, B, 1, 28, 28]."""
        return [Record(None, self.layers(x[0])[None])]


def conventional(seed):
    """Control: the ReLU network under the same recipe."""
    net = seeded(Conventional, seed)
    train_conv(net, seed, pictures()[:2], num_steps=1)
    return accuracy(net, *pictures()[2:], encode=lambda x: direct_current(x, 1))


class Rectified(nn.Module):
    """Control: a deep network with batch norm and rectified linear units in place of spiking neurons."""

    def __init__(self, depth):
        super().__init__()
        layers = [part for _ in range(depth) for part in (nn.Linear(WIDTH, WIDTH), nn.BatchNorm1d(WIDTH), nn.ReLU())]
        self.layers = nn.Sequential(*layers, nn.Linear(WIDTH, 10))

    def forward(self, x):
        """Run over x [T, B, 64], the same at every step: one step is computed, and the mean over all is that one."""
        return [Record(None, self.layers(x[0]).expand(len(x), -1, -1))]


def rectified(layers):
    """A row: as `depth` with batch norm, without spikes, under the same recipe."""
    return lambda seed: train_deep(seeded(lambda: Rectified(layers), seed), seed)


@cache
def half_pictures():
    """The training pictures of MNIST-5k at half the size, [5000, 1, 14, 14], and their labels."""
    images, labels = pictures()[:2]
    return F.avg_pool2d(images, 2), labels


def tried_net(norm=lambda maps: [NormOverTime(maps)], pool=None, before=lambda maps: [], after=lambda maps: [], last=(),
              **neuron):
    """12C3-MP2-32C3-MP2-10 for half-size pictures, with one thing changed; `pool` pools spikes in place of currents."""
    layers, inputs = [], 1
    for maps in (12, 32):
        neurons = [*before(maps), LIF(0.5, **neuron), *after(maps)]
        pooled = [OverTime(nn.MaxPool2d(2)), *neurons] if pool is None else [*neurons, OverTime(pool)]
        layers += [OverTime(nn.Conv2d(inputs, maps, 3)), *norm(maps), *pooled]
        inputs = maps
    return SpikingStack([*layers, OverTime(nn.Flatten()), *last, OverTime(nn.Linear(128, 10)),
                         LIF(0.9, math.inf, reset="none")])


def tried(learning_rate=1e-2, last=tuple, **changes):
    """A row of the grid: 3000 half-size training pictures, 4 epochs, measured on the other 2000 training pictures."""
    def row(seed):
        net = seeded(lambda: tried_net(last=last(), **changes), seed)
        images, labels = half_pictures()
        train_conv(net, seed, (images[:3000], labels[:3000]), epochs=4, learning_rate=learning_rate)
        return accuracy(net, images[3000:], labels[3000:], encode=lambda x: direct_current(x, STEPS))

    return row


def no_norm(maps):
    """No norm."""
    return []


def first_of_a_tie(spk):
    """What deep learning's libraries do: of equal values the first place of the window counts."""
    return F.max_pool2d(spk, 2)


def gains(maps):
    """A learned gain a channel."""
    return [ChannelGain(maps)]


ROWS = {
    **{f"{layers} layers, {name}": depth(layers, **options) for layers in (2, 6, 10, 20) for name, options in {
        "plain": {}, "woken once": {"woken": True}, "BN": {"norm": "BN"}, "BNTT": {"norm": "BNTT"},
        "shortcuts": {"shortcuts": True}, "BN and shortcuts": {"norm": "BN", "shortcuts": True}}.items()},
    "20 layers, woken by weights": woken_by_weights(20),
    "20 layers, BN, learning rate 0.001": normed(20, learning_rate=1e-3),
    "20 layers, BN, 24 epochs": normed(20, epochs=24),
    **{f"{layers} layers, tdBN": depth(layers, norm="tdBN", threshold=0.5) for layers in (10, 20)},
    **{f"{layers} layers, BN and ReLU": rectified(layers) for layers in (2, 6, 10, 20)},
    "20 layers, BN, wide surrogate": depth(20, norm="BN", surrogate=atan(0.5)),                # tdBN's width, not its height
    "20 layers, tdBN, narrow surrogate": depth(20, norm="tdBN", threshold=0.5, surrogate=atan(2.0)),       # and the reverse
    "10 layers, plain, 24 epochs": plain(10, epochs=24),
    "10 layers, plain, weights times 4": plain(10, gain=4.0),
    "conv net": conv(),
    "filters frozen": conv(frozen=True),
    "ReLU network": conventional,
    "grid, as it is": tried(),
    "grid, no norm": tried(norm=no_norm),
    "grid, no norm, learning rate 0.002": tried(learning_rate=2e-3, norm=no_norm),
    "grid, BNTT": tried(norm=lambda maps: [NormOverTime(maps, STEPS)]),
    "grid, spikes pooled, first of a tie": tried(pool=first_of_a_tie),
    "grid, spikes pooled, ties at random": tried(pool=spike_max_pool),
    "grid, spikes summed": tried(pool=sum_pool),
    "grid, graded spikes": tried(after=gains),
    "grid, learned thresholds": tried(before=gains),
    "grid, learned decay": tried(learn_beta=True),
    "grid, dropout, one mask": tried(last=lambda: [DropoutOverTime(0.3)]),
    "grid, dropout, fresh masks": tried(last=lambda: [DropoutOverTime(0.3, shared=False)]),
    "grid, reset attached": tried(detach_reset=False),
}
