"""The slope sweep of notebook 07: five surrogates, five slopes, two read-outs, three seeds, on scikit-learn's digits.

No test image is used: networks learn from 80 % of the training images and are measured on the other 20 % (287 images,
so the standard error of one accuracy is about .01).
"""
from functools import cache

import torch

from ... import surrogate
from ...data import digits, flat, validation_split
from ...losses import ce_count_loss, ce_membrane_loss
from ...networks import SpikingMLP, direct_current
from ...training import accuracy, fit
from ..kinds import SHARE

SEEDS = (0, 1, 2)
TOLERANCE = 0.05
QUANTITIES = {"*": SHARE}                             # accuracies
NAMES = ("atan", "fast_sigmoid", "sigmoid", "triangular", "boxcar")
SLOPES = (0.25, 1.0, 4.0, 16.0, 64.0)
READOUTS = ("spike", "membrane")


@cache
def _data():
    data = digits()
    return validation_split(flat(data.train_images), data.train_labels)


def recipe(h, readout, freeze=False):
    """A row: train 64-100-10 for 6 epochs with the surrogate h and measure it on the held-out images."""
    def row(seed):
        inputs, targets, held_out_inputs, held_out_targets = _data()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            net = SpikingMLP((64, 100, 10), readout=readout, surrogate=h)
        net.linears[0].requires_grad_(not freeze)
        fit(net, inputs, targets, loss=count_loss if readout == "spike" else membrane_loss, encode=current,
            epochs=6, batch_size=64, learning_rate=5e-3, seed=seed)
        return accuracy(net, held_out_inputs, held_out_targets, encode=current)

    return row


def current(x):
    """Ten steps of constant current, [10, B, 64]."""
    return direct_current(x, 10)


def count_loss(records, target):
    """Cross-entropy of the read-out's spike counts."""
    return ce_count_loss(records[-1].spk, target)


def membrane_loss(records, target):
    """Cross-entropy of the read-out's summed membranes."""
    return ce_membrane_loss(records[-1].mem, target)


ROWS = {f"{name}, k = {slope:g}, {readout}": recipe(getattr(surrogate, name)(slope), readout)
        for readout in READOUTS for name in NAMES for slope in SLOPES}
for _readout in READOUTS:
    ROWS[f"straight_through, {_readout}"] = recipe(surrogate.straight_through(), _readout)
    ROWS[f"zero, {_readout}"] = recipe(surrogate.zero(), _readout)
    ROWS[f"frozen, {_readout}"] = recipe(surrogate.atan(), _readout, freeze=True)
