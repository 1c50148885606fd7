"""The sweep of notebook 07 and what could refute its reading, on scikit-learn's digits, three seeds each.

Five surrogates, five sharpnesses and two read-outs; the same with outputs raised towards their threshold, with an area of 1,
with tails, and with four hidden layers; and networks whose layers are silent at first.

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
DEEP = (64, 100, 100, 100, 100, 10)


@cache
def _data():
    data = digits()
    return validation_split(flat(data.train_images), data.train_labels)


def recipe(h, readout="spike", *, freeze=False, sizes=(64, 100, 10), threshold=1.0, bias=0.0, epochs=6, rate=5e-3, scale=1.0):
    """A row: train a network with the surrogate h and measure it on the held-out images.

    `freeze` leaves all weights but those of the outputs as they are drawn, `bias` is added to the biases of the outputs
    before training, `scale` multiplies the loss.
    """
    def row(seed):
        inputs, targets, held_out_inputs, held_out_targets = _data()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            net = SpikingMLP(sizes, threshold=threshold, readout=readout, surrogate=h)
        net.linears[:-1].requires_grad_(not freeze)
        net.linears[-1].bias.data += bias
        loss = count_loss if readout == "spike" else membrane_loss
        fit(net, inputs, targets, loss=lambda records, target: scale * loss(records, target), encode=current,
            epochs=epochs, batch_size=64, learning_rate=rate, seed=seed)
        return accuracy(net, held_out_inputs, held_out_targets, encode=current)

    return row


def tailed(slope):
    """A boxcar with tails: 1 where k |u| < 1/2, beyond it 1 / (2 k u)^2."""
    return lambda u: (2 * slope * u.abs()).clamp(min=1) ** -2


def with_area_1(h):
    """The surrogate h divided by its area."""
    area = round(surrogate.describe(h)["area"], 12)              # the last digits differ with the number of threads
    return lambda u: h(u) / area


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
for _slope in SLOPES:
    ROWS[f"tailed, k = {_slope:g}, spike"] = recipe(tailed(_slope))
for _name in NAMES:
    ROWS[f"{_name}, k = 1, outputs raised"] = recipe(getattr(surrogate, _name)(1.0), bias=0.2)
    ROWS[f"{_name}, k = 16, area 1"] = recipe(with_area_1(getattr(surrogate, _name)(16.0)))
    for _slope in SLOPES:
        ROWS[f"{_name}, k = {_slope:g}, four hidden layers"] = recipe(
            getattr(surrogate, _name)(_slope), "membrane", sizes=DEEP)
ROWS["frozen, four hidden layers"] = recipe(surrogate.atan(), "membrane", sizes=DEEP, freeze=True)
SILENT = {"sizes": (64, 100, 100, 10), "threshold": 5.0, "epochs": 10, "rate": 1e-2}      # layers that never fire at first
for _name, _h in (("atan, k = 1", surrogate.atan()), ("boxcar, k = 1", surrogate.boxcar()), ("tailed, k = 1", tailed(1.0)),
                  ("boxcar, k = 0.1", surrogate.boxcar(0.1)), ("fast_sigmoid, k = 25", surrogate.fast_sigmoid(25.0))):
    ROWS[f"{_name}, silent layers"] = recipe(_h, **SILENT)
ROWS["fast_sigmoid, k = 25, silent layers, loss times 10,000"] = recipe(surrogate.fast_sigmoid(25.0), scale=1e4, **SILENT)
