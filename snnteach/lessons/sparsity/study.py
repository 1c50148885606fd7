"""The long runs of notebook 00: what a price on spikes buys, learning rates of all rivals, controls, and bytes fed as they are.

Learning rates were chosen on 1000 of the 5000 training images ("rate ..."). All other rows train on all 5000 and measure on
the 10,000 test images, by which nothing was chosen. A spiking network of the notebook is 784-300-10 and looks for 10 steps;
the one of the explorer is 784-64-10 and looks for 20.
"""
from functools import cache

import torch
from torch import nn

from ...activity import activity_report, l1_spikes
from ...data import flat, mnist5k, validation_split
from ...losses import ce_count_loss, ce_membrane_loss
from ...networks import Record, SpikingMLP, direct_current
from ...surrogate import zero
from ...training import accuracy, fit
from ..kinds import AMOUNT, SHARE
from .explorers import encode, trained

SEEDS = (0, 1, 2)
TOLERANCE = 0.03
QUANTITIES = {"*: active": AMOUNT, "*": SHARE}         # hidden spikes, or hidden neurons that are not 0, a digit
PRICES = (0, 1e-4, 1e-3, 1e-2)


@cache
def _images():
    data = mnist5k()
    return flat(data.train_images), data.train_labels, flat(data.test_images), data.test_labels      # [n, 784], [n]


class Ordinary(nn.Module):
    """The rival: 300 rectified linear units in place of spiking neurons, in one step."""

    def __init__(self):
        super().__init__()
        self.hidden, self.output = nn.Linear(784, 300), nn.Linear(300, 10)

    def forward(self, x):
        """Run over x [1, B, 784]; the values of the hidden units stand where spikes would."""
        values = self.hidden(x).relu()
        return [Record(values, values), Record(None, self.output(values))]


def spiking(width=300, learns=True):
    """The network of the notebook; with random hidden weights for ever where the hidden layer does not learn."""
    net = SpikingMLP((784, width, 10))
    net.linears[0].requires_grad_(learns)
    return net


def frozen(width=300):
    """Control: only the read-out learns."""
    return spiking(width, learns=False)


def linear():
    """Control: no hidden layer and one step, the softmax of W x + b."""
    return SpikingMLP((784, 10), readout="membrane")


def ten(x):
    """Ten steps of the same current."""
    return direct_current(x, 10)


def one(x):
    """One step."""
    return direct_current(x, 1)


def learn(make, seed, rate, price=0.0, scale=1.0, images=None):
    """Train a network by the recipe of the notebook; hidden activity costs `price`, pixels are multiplied by `scale`."""
    inputs, targets = _images()[:2] if images is None else images
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = make()
    spikes = getattr(net, "readout", None) == "spike"
    fit(net, scale * inputs, targets, loss=count_loss if spikes else step_loss, encode=ten if spikes else one, epochs=8,
        learning_rate=rate, seed=seed, regulariser=(lambda records: l1_spikes(records[0].spk, price)) if price else None)
    return net, ten if spikes else one


def count_loss(records, target):
    """Cross-entropy of the vote counts."""
    return ce_count_loss(records[-1].spk, target)


def step_loss(records, target):
    """Ordinary cross-entropy, of one step."""
    return ce_membrane_loss(records[-1].mem, target)


def chosen(make, rate):
    """A row: the accuracy on the images set aside."""
    def row(seed):
        split = validation_split(*_images()[:2])
        net, code = learn(make, seed, rate, images=split[:2])
        return accuracy(net, *split[2:], encode=code)

    return row


def control(make, rate):
    """A row: the accuracy on the test images."""
    def row(seed):
        net, code = learn(make, seed, rate)
        return accuracy(net, *_images()[2:], encode=code)

    return row


def priced(make, rate, price):
    """A row: accuracy, and how much of the hidden layer is active, under a price on hidden activity."""
    def row(seed):
        net, code = learn(make, seed, rate, price)
        return {"accuracy": accuracy(net, *_images()[2:], encode=code), "active": active(net, code)}

    return row


def active(net, code):
    """Hidden spikes, or hidden values that are not 0, a test digit."""
    with torch.no_grad():
        return (net(code(_images()[2][:1000]))[0].spk != 0).sum().item() / 1000


def explorer(price):
    """A row: the network of the explorer, and how often it is right after three steps."""
    def row(seed):
        net, (_, _, images, labels) = trained(price, seed), _images()
        with torch.no_grad():
            votes = net(encode(images))[-1].spk[:3].sum(0)                                            # [B, 10]
        early = ((votes.argmax(1) == labels) & votes.any(1)).double().mean().item()
        return {"accuracy": accuracy(net, images, labels, encode=encode), "after 3 steps": early, "active": active(net, encode)}

    return row


def explorer_frozen(seed):
    """Control: the network of the explorer with random hidden weights for ever."""
    return accuracy(trained(0.0, seed, learns=False), *_images()[2:], encode=encode)


def bytes_as_they_are(rate):
    """A row: pixels from 0 to 255; the accuracy, and which shares of the hidden neurons never and always fire."""
    def row(seed):
        net, code = learn(spiking, seed, rate, scale=255.0)
        images, labels = 255 * _images()[2], _images()[3]
        with torch.no_grad():
            report = activity_report(net(code(images[:1000])))[0]
        return {"accuracy": accuracy(net, images, labels, encode=code)} | {key: report[key] for key in ("silent", "saturated")}

    return row


ROWS = {
    **{f"rate {rate:g}, {make.__name__}": chosen(make, rate) for make, rates in
       {spiking: (1e-3, 5e-3, 2e-2), Ordinary: (1e-3, 1e-2, 3e-2, 1e-1), frozen: (5e-3, 2e-2, 5e-2),
        linear: (1e-3, 1e-2, 3e-2)}.items() for rate in rates},
    **{f"explorer, price {price:g}": explorer(price) for price in PRICES},
    "explorer, frozen": explorer_frozen,
    **{f"spiking, price {price:g}": priced(spiking, 5e-3, price) for price in PRICES},
    **{f"ordinary, price {price:g}": priced(Ordinary, 3e-2, price) for price in PRICES[::2]},
    "ordinary, rate 0.01": priced(Ordinary, 1e-2, 0),
    "spiking, no surrogate": control(lambda: SpikingMLP((784, 300, 10), surrogate=zero()), 5e-3),
    "linear": control(linear, 1e-2),
    "frozen, width 300": control(frozen, 5e-2),
    "frozen, width 1000": control(lambda: frozen(1000), 5e-2),
    **{f"bytes, rate {rate:g}": bytes_as_they_are(rate) for rate in (5e-3, 1e-3)},
}
