"""The long runs of notebook 09: MNIST-5k end to end, its controls, and what T, width, input code and spike price change.

All choices (learning rate, loss, shift, epochs) were made on 1000 images held out of the 5000 for training. Here each
network is trained on all 5000 and measured once on the 10,000 test images; only "learning curve" uses the held-out images.
"""
from functools import cache

import torch
from torch import nn

from ...activity import calibrate_threshold, upper_population
from ...data import digits, mnist5k
from ...losses import ce_count_loss, ce_membrane_loss
from ...networks import Record, SpikingMLP, direct_current
from ...training import accuracy, fit
from ..kinds import AMOUNT, SHARE

SEEDS = (0, 1, 2)
TOLERANCE = 0.03
QUANTITIES = {"*: spikes": AMOUNT, "*": SHARE}         # spikes an image, accuracies


@cache
def _images():
    data = mnist5k()
    return data.train_images / 255, data.train_labels, data.test_images / 255, data.test_labels     # [n, 28, 28], 0..1


def current(images, num_steps):
    """Standardised pixel values as a constant current, [T, B, 784]."""
    train = _images()[0]
    return direct_current(((images - train.mean()) / train.std()).flatten(1), num_steps)


def rate(images, num_steps):
    """A spike at each step with the probability of the pixel value, [T, B, 784]."""
    values = images.flatten(1)
    return (torch.rand(num_steps, *values.shape) < values).float()


def latency(images, num_steps):
    """One spike a pixel, the brighter the earlier; black pixels never fire, [T, B, 784]."""
    values = images.flatten(1)
    steps = ((1 - values) * (num_steps - 1)).round()
    return ((torch.arange(num_steps).view(-1, 1, 1) == steps) & (values > 0)).float()


def shift(images):
    """Move the batch by up to one pixel along both axes."""
    return images.roll(torch.randint(-1, 2, (2,)).tolist(), (1, 2))


def train(net, seed, num_steps=10, encode=current, augment=shift, data=None, validation=None, regulariser=None):
    """Train a network by the recipe of notebook 09 and return its history."""
    inputs, targets = _images()[:2] if data is None else data
    return fit(net, inputs, targets, loss=lambda records, y: ce_membrane_loss(records[-1].mem / num_steps, y),
               encode=lambda x: encode(x, num_steps), epochs=12, batch_size=100, learning_rate=2e-3, weight_decay=1e-2,
               seed=seed, augment=augment, validation=validation, regulariser=regulariser)


def network(seed, width=1000):
    """The network 784-width-10 of notebook 09, its read-out a leaky membrane that never fires."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return SpikingMLP((784, width, 10), readout="membrane")


def recipe(width=1000, num_steps=10, encode=current, **options):
    """A row: train on the 5000 images, measure the accuracy on the test images."""
    def row(seed):
        net = network(seed, width)
        train(net, seed, num_steps, encode, **options)
        return accuracy(net, *_images()[2:], encode=lambda x: encode(x, num_steps))

    return row


def frozen(seed):
    """Control: only the read-out learns, the hidden weights stay random."""
    net = network(seed)
    net.linears[0].requires_grad_(False)
    train(net, seed)
    return accuracy(net, *_images()[2:], encode=lambda x: current(x, 10))


def linear(seed):
    """Control: no hidden layer and one step, which is a linear model."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = SpikingMLP((784, 10), readout="membrane")
    train(net, seed, num_steps=1)
    return accuracy(net, *_images()[2:], encode=lambda x: current(x, 1))


class Conventional(nn.Module):
    """Control: the same sizes with rectified linear units in place of spiking neurons, in one step."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(784, 1000), nn.ReLU(), nn.Linear(1000, 10))

    def forward(self, x):
        """Run over x [1, B, 784]."""
        return [Record(None, self.layers(x))]


def conventional(seed):
    """Control: the conventional network under the same recipe."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = Conventional()
    train(net, seed, num_steps=1)
    return accuracy(net, *_images()[2:], encode=lambda x: current(x, 1))


def learning_curve(seed):
    """Train on 4000 images and measure after each epoch on the other 1000."""
    inputs, targets = _images()[:2]
    history = train(network(seed), seed, data=(inputs[:4000], targets[:4000]), validation=(inputs[4000:], targets[4000:]))
    return {f"epoch {row['epoch']}": row["accuracy"] for row in history}


def price(strength, limit=50):
    """A row: spikes of the hidden layer beyond 50 an image cost `strength` each; 300 hidden neurons."""
    def row(seed):
        net, test_images, test_labels = network(seed, width=300), *_images()[2:]
        train(net, seed, regulariser=lambda records: upper_population(records[0].spk, limit, strength))
        with torch.no_grad():
            spikes = net(current(test_images[:1000], 10))[0].spk.sum().item() / 1000
        return {"accuracy": accuracy(net, test_images, test_labels, encode=lambda x: current(x, 10)), "spikes": spikes}

    return row


def dead(calibrate):
    """A row: 64-100-100-10 on the digits with thresholds of 10, too high to fire, as it is or calibrated before training."""
    def row(seed):
        data = digits(seed=0)
        inputs, test_inputs = data.train_images.flatten(1), data.test_images.flatten(1)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            net = SpikingMLP((64, 100, 100, 10), threshold=10.0)
        if calibrate:
            calibrate_threshold(net, direct_current(inputs[:200], 20))
        fit(net, inputs, data.train_labels, loss=lambda records, y: ce_count_loss(records[-1].spk, y),
            encode=lambda x: direct_current(x, 20), epochs=10, batch_size=64, learning_rate=2e-3, seed=seed)
        return accuracy(net, test_inputs, data.test_labels, encode=lambda x: direct_current(x, 20))

    return row


ROWS = {
    "recipe": recipe(),
    "without shift": recipe(augment=None),
    "learning curve": learning_curve,
    "hidden layer frozen": frozen,
    "linear model": linear,
    "conventional network": conventional,
    **{f"T = {num_steps}": recipe(num_steps=num_steps) for num_steps in (1, 2, 5, 25)},
    **{f"width {width}": recipe(width=width) for width in (100, 300)},
    "rate input, width 300": recipe(width=300, encode=rate),
    "latency input, width 300": recipe(width=300, encode=latency),
    **{f"price {strength:g}": price(strength) for strength in (0, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)},
    "digits, threshold 10": dead(calibrate=False),
    "digits, calibrated": dead(calibrate=True),
}
