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
from ...surrogate import atan, boxcar
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


def frozen(width=1000):
    """Control, a row: only the read-out learns, the hidden weights stay random."""
    def row(seed):
        net = network(seed, width)
        net.linears[0].requires_grad_(False)
        train(net, seed)
        return accuracy(net, *_images()[2:], encode=lambda x: current(x, 10))

    return row


def linear(seed):
    """Control: no hidden layer and one step, which is a linear model."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = SpikingMLP((784, 10), readout="membrane")
    train(net, seed, num_steps=1)
    return accuracy(net, *_images()[2:], encode=lambda x: current(x, 1))


class Conventional(nn.Module):
    """Control: the same sizes with rectified linear units in place of spiking neurons, in one step."""

    def __init__(self, width):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(784, width), nn.ReLU(), nn.Linear(width, 10))

    def forward(self, x):
        """Run over x [1, B, 784]."""
        return [Record(None, self.layers(x))]


def conventional(width=1000):
    """Control, a row: the conventional network under the same recipe."""
    def row(seed):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            net = Conventional(width)
        train(net, seed, num_steps=1)
        return accuracy(net, *_images()[2:], encode=lambda x: current(x, 1))

    return row


def learning_curve(seed):
    """Train on 4000 images and measure after each epoch on the other 1000."""
    inputs, targets = _images()[:2]
    history = train(network(seed), seed, data=(inputs[:4000], targets[:4000]), validation=(inputs[4000:], targets[4000:]))
    return {f"epoch {row['epoch']}": row["accuracy"] for row in history}


def others_held_out(seed):
    """Control: as the last epoch of `learning_curve`, measured on 1000 images by which nothing was chosen."""
    inputs, targets = _images()[:2]
    net = network(seed)
    train(net, seed, data=(inputs[1000:], targets[1000:]))
    return accuracy(net, inputs[:1000], targets[:1000], encode=lambda x: current(x, 10))


def price(strength, limit=50):
    """A row: spikes of the hidden layer beyond 50 an image cost `strength` each; 300 hidden neurons."""
    def row(seed):
        net, test_images, test_labels = network(seed, width=300), *_images()[2:]
        train(net, seed, regulariser=lambda records: upper_population(records[0].spk, limit, strength))
        with torch.no_grad():
            spikes = net(current(test_images[:1000], 10))[0].spk.sum().item() / 1000
        return {"accuracy": accuracy(net, test_images, test_labels, encode=lambda x: current(x, 10)), "spikes": spikes}

    return row


def limited(strength, limit=50, width=300, each=True):
    """A row: as `price`, with the limit on each image or on the mean of a batch; `above` is the share of images over it."""
    def charge(records):
        counts = records[0].spk.sum((0, 2))                                                     # [B]
        return strength * ((counts if each else counts.mean(0, keepdim=True)) - limit).relu().mean()

    def row(seed):
        net, test_images, test_labels = network(seed, width), *_images()[2:]
        train(net, seed, regulariser=charge)
        with torch.no_grad():
            counts = net(current(test_images[:1000], 10))[0].spk.sum((0, 2))
        return {"accuracy": accuracy(net, test_images, test_labels, encode=lambda x: current(x, 10)),
                "spikes": counts.mean().item(), "above": (counts > limit).double().mean().item()}

    return row


def built(learn_hidden):
    """A row: what the build trains, 784-300-10, 5 steps and half of the epochs, or its control, hidden weights random."""
    def row(seed):
        net = network(seed, width=300)
        net.linears[0].requires_grad_(learn_hidden)
        fit(net, *_images()[:2], loss=lambda records, y: ce_membrane_loss(records[-1].mem / 5, y),
            encode=lambda x: current(x, 5), epochs=6, batch_size=100, learning_rate=2e-3, weight_decay=1e-2, seed=seed,
            augment=shift)
        return accuracy(net, *_images()[2:], encode=lambda x: current(x, 5))

    return row


def dead(calibrate=False, learning_rate=2e-3, surrogate=atan()):
    """A row: 64-100-100-10 on the digits with thresholds of 10, too high to fire, as it is or calibrated before training."""
    def row(seed):
        data = digits(seed=0)
        inputs, test_inputs = data.train_images.flatten(1), data.test_images.flatten(1)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            net = SpikingMLP((64, 100, 100, 10), threshold=10.0, surrogate=surrogate)
        if calibrate:
            calibrate_threshold(net, direct_current(inputs[:200], 20))
        fit(net, inputs, data.train_labels, loss=lambda records, y: ce_count_loss(records[-1].spk, y),
            encode=lambda x: direct_current(x, 20), epochs=10, batch_size=64, learning_rate=learning_rate, seed=seed)
        return accuracy(net, test_inputs, data.test_labels, encode=lambda x: direct_current(x, 20))

    return row


def sequences(samples, seed):
    """Return spike trains of three classes, [samples, 20, 6], each silent after an end of its own, their classes and ends."""
    generator = torch.Generator().manual_seed(seed)
    targets = torch.randint(0, 3, (samples,), generator=generator)
    lengths = torch.randint(5, 21, (samples,), generator=generator)
    rates = 0.05 + 0.15 * torch.nn.functional.one_hot(targets, 3).repeat_interleave(2, 1)                # [samples, 6]
    spikes = (torch.rand(samples, 20, 6, generator=generator) < rates[:, None]).float()
    return spikes.masked_fill((torch.arange(20) >= lengths[:, None])[..., None], 0), targets, lengths


def padding(biases=True):
    """A row: train 6-40-3 on sequences, append 90 blank steps, tell where each ends; without biases nothing drives it."""
    def row(seed):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            net = SpikingMLP((6, 40, 3), threshold=0.5, readout="membrane")
        for linear in net.linears if not biases else ():
            linear.bias.requires_grad_(False).zero_()
        options = {"encode": lambda x: x.transpose(0, 1)}
        fit(net, *sequences(300, seed + 10)[:2], loss=lambda records, y: ce_membrane_loss(records[-1].mem, y), epochs=30,
            batch_size=32, learning_rate=1e-2, seed=seed, **options)
        test, targets, lengths = sequences(1000, 99)
        blank = torch.cat([test, torch.zeros(1000, 90, 6)], 1)
        return {"as they are": accuracy(net, test, targets, **options), "blank": accuracy(net, blank, targets, **options),
                "blank, told": accuracy(net, blank, targets, lengths=lengths, **options)}

    return row


ROWS = {
    "recipe": recipe(),
    "without shift": recipe(augment=None),
    "learning curve": learning_curve,
    "other images held out": others_held_out,
    "hidden layer frozen": frozen(),
    "linear model": linear,
    "conventional network": conventional(),
    "width 100, hidden layer frozen": frozen(100),
    "width 100, conventional network": conventional(100),
    "build": built(learn_hidden=True),
    "build, hidden layer frozen": built(learn_hidden=False),
    **{f"T = {num_steps}": recipe(num_steps=num_steps) for num_steps in (1, 2, 5, 25)},
    **{f"width {width}": recipe(width=width) for width in (100, 300)},
    "rate input, width 300": recipe(width=300, encode=rate),
    "latency input, width 300": recipe(width=300, encode=latency),
    **{f"price {strength:g}": price(strength) for strength in (0, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)},
    **{f"width 100, price {strength:g}": limited(strength, width=100) for strength in (0, 1e-4)},
    **{f"limit on each image, price {strength:g}": limited(strength) for strength in (1e-2, 1e-1)},
    **{f"limit on the mean, price {strength:g}": limited(strength, each=False) for strength in (1e-2, 1e-1)},
    "digits, threshold 10": dead(),
    "digits, calibrated": dead(calibrate=True),
    "digits, threshold 10, learning rate 0.02": dead(learning_rate=2e-2),
    "digits, threshold 10, learning rate 0.02, boxcar": dead(learning_rate=2e-2, surrogate=boxcar()),
    "digits, calibrated, boxcar": dead(calibrate=True, surrogate=boxcar()),
    "padding": padding(),
    "padding, no biases": padding(biases=False),
}
