"""The codes of notebook 04 compared: one network, 784-300-10, fed the same MNIST digits in each code.

The only setting chosen for each code is the gain of its input current, from (0.3, 1, 3, 10, 30): the best mean of three
seeds on 1000 images held out of the 5000 for training, after half of the epochs (rows "choose ..."). The other rows train on
all 5000 images with this gain, and each network is measured once on the 10,000 test images.

"side, ...": the same network on digits lit from one of eight sides, which are the classes; each run takes the best of three
gains on the same held-out images. "picture, ...": how far what has been read after each step is from the digits.
"""
import math
from functools import cache, partial

import torch
import torch.nn.functional as F
from torch import nn

from ...data import flat, mnist5k
from ...encoding import (
    delta_code,
    latency_code,
    latency_decode,
    phase_code,
    phase_weights,
    population_code,
    rate_code,
    rate_decode,
)
from ...losses import ce_membrane_loss
from ...networks import SpikingMLP, direct_current
from ...neurons import lif
from ...training import accuracy, fit
from ..kinds import AMOUNT, SHARE

SEEDS = (0, 1, 2)
TOLERANCE = 0.03
QUANTITIES = {"*: inputs": AMOUNT, "*: hidden": AMOUNT, "*: gain": AMOUNT, "*": SHARE}     # spikes an image, accuracies, errors
GAINS = (0.3, 1, 3, 10, 30)
STEPS = 8
HIDDEN = (300,)                           # sizes of the hidden layers
FAINTEST = 0.002                          # below the darkest grey that is not black, 1 / 255


def latency(x, num_steps=STEPS):
    """One spike a pixel that is not black, linear, [T, B, 784]."""
    return latency_code(x, num_steps, threshold=FAINTEST, mode="linear")


def one_bit(x):
    """A constant current where the pixel is bright, [T, B, 784]."""
    return direct_current((x > 0.5).to(x.dtype), STEPS)


def undivided_rate(x):
    """A rate code of pixel values from 0 to 255, which somebody forgot to divide, [T, B, 784]."""
    return (torch.rand(STEPS, *x.shape) < 255 * x).to(x.dtype)


def weighted_phase(x):
    """A phase code whose spikes weigh what their phase says, [T, B, 784]."""
    return phase_code(x, STEPS) * phase_weights(STEPS).view(-1, 1, 1)


def shuffled_latency(x):
    """Control: the same pixels fire, but within each image they swap their times at random."""
    spk = latency(x)                                                                            # [T, B, N]
    fires, step = spk.sum(0) > 0, spk.argmax(0)                                                 # [B, N]
    rank = torch.where(fires, torch.rand(fires.shape), 2.0).argsort(1)                          # those that fire, mixed
    place = torch.where(fires, torch.arange(fires.shape[1]), fires.shape[1]).argsort(1)         # the same ones, in order
    mixed = torch.empty_like(step).scatter_(1, place, step.gather(1, rank))
    return (torch.arange(len(spk)).view(-1, 1, 1) == mixed) * fires.to(x.dtype)


def all_at_once(x):
    """Control: the same pixels fire once, all at the first step, [T, B, 784]: who speaks is kept, when is lost."""
    return (torch.arange(STEPS).view(-1, 1, 1) == 0) * (x > FAINTEST).to(x.dtype)


def flash(x, threshold=0.1):
    """Send-on-delta of a picture that appears at the second step, [T, B, 784]: n events at once, then nothing."""
    return delta_code(torch.cat([torch.zeros_like(x)[None], direct_current(x, STEPS - 1)]), threshold)


def population(x):
    """Four neurons a pixel, of which the activity (above 0.3) becomes a latency, [T, B, 3136]."""
    return latency_code(population_code(x, 4).flatten(1), STEPS, threshold=0.3, mode="linear")


CODES = {
    "direct current": partial(direct_current, num_steps=STEPS),
    "direct current, T = 1": partial(direct_current, num_steps=1),
    "direct current, one bit": one_bit,
    "linear model": partial(direct_current, num_steps=1),
    "rate": partial(rate_code, num_steps=STEPS),
    "rate, T = 1": partial(rate_code, num_steps=1),
    "rate, T = 32": partial(rate_code, num_steps=32),
    "rate, 0 to 255": undivided_rate,
    "latency, linear": latency,
    "latency, logarithmic": partial(latency_code, num_steps=STEPS, tau=STEPS, threshold=0.1),
    "latency, shuffled": shuffled_latency,
    "latency, all at once": all_at_once,
    "phase": partial(phase_code, num_steps=STEPS),
    "phase, weighted": weighted_phase,
    "delta, flash": flash,
    "population, latency": population,
}
CHOSEN = {  # the best of the rows "choose ..."; a test compares
    "direct current": 3, "direct current, T = 1": 3, "direct current, one bit": 3, "linear model": 10,
    "rate": 3, "rate, T = 1": 10, "rate, T = 32": 3, "rate, 0 to 255": 3,
    "latency, linear": 10, "latency, logarithmic": 30, "latency, shuffled": 10, "latency, all at once": 10,
    "phase": 3, "phase, weighted": 30, "delta, flash": 3, "population, latency": 1,
}


@cache
def _images():
    data = mnist5k()
    return flat(data.train_images), data.train_labels, flat(data.test_images), data.test_labels


def encoder(code, gain):
    """A code times its gain; a constant current stays a view along time, which the network multiplies only once."""
    def encode(x):
        current = code(x)
        return direct_current(gain * current[0], len(current)) if current.stride(0) == 0 else gain * current

    return encode


def train(code, hidden, gain, seed, inputs, targets, epochs):
    """Train the network on one code; return it with its encoder."""
    encode = encoder(code, gain)
    num_steps, _, num_inputs = encode(inputs[:1]).shape
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = SpikingMLP((num_inputs, *hidden, 10), readout="membrane")
    fit(net, inputs, targets, loss=lambda records, y: ce_membrane_loss(records[-1].mem / num_steps, y), encode=encode,
        epochs=epochs, batch_size=100, learning_rate=2e-3, seed=seed)
    return net, encode


def choose(code, hidden):
    """A row: accuracy on the held-out training images for each gain, after 4 epochs."""
    def row(seed):
        inputs, targets = _images()[:2]
        found = {}
        for gain in GAINS:
            net, encode = train(code, hidden, gain, seed, inputs[:4000], targets[:4000], epochs=4)
            found[f"gain {gain}"] = accuracy(net, inputs[4000:], targets[4000:], encode=encode)
        return found

    return row


def final(code, gain, hidden):
    """A row: accuracy on the test images, and non-zero inputs and hidden spikes an image on the first 1000 of them."""
    def row(seed):
        inputs, targets, test_inputs, test_targets = _images()
        net, encode = train(code, hidden, gain, seed, inputs, targets, epochs=8)
        with torch.no_grad(), torch.random.fork_rng():
            torch.manual_seed(seed)
            current = encode(test_inputs[:1000])                                                # [T, 1000, N]
            spk = net(current)[0].spk
        return {"accuracy": accuracy(net, test_inputs, test_targets, encode=encode),
                "inputs": current.count_nonzero().item() / 1000,
                "hidden": 0.0 if spk is None else spk.sum().item() / 1000}

    return row


def lit(images, seed):
    """Flat ink lit from one of eight sides: images [N, 784] whose ink has greys from 0.52 to 1, and the sides [N]."""
    side = torch.randint(8, (len(images),), generator=torch.Generator().manual_seed(seed))
    angle, across = math.pi / 4 * side[:, None], torch.linspace(-1, 1, 28)
    light = angle.cos() * across.repeat(28) + angle.sin() * across.repeat_interleave(28)            # [N, 784]
    return (images > 0.5) * (0.76 + 0.24 * light.clamp(-1, 1)), side


def side_by_side(x):
    """Control: the pixels that fire at step 1, 2, ..., each step a picture of its own and none in time, [T, B, T 784]."""
    return direct_current(latency(x).transpose(0, 1).flatten(1), STEPS)


@cache
def _ink():
    """The mean grey of the ink of the training images, lit from all sides."""
    x = lit(_images()[0], seed=0)[0]
    return x[x > 0].mean()


def centred(x):
    """Control: a direct current with the mean grey of all ink taken off each inked pixel, [T, B, 784]."""
    return direct_current((x - _ink()) * (x > 0), STEPS)


def sided(code, seed, hidden=HIDDEN, epochs=8):
    """A row: how often the side of the light is found on the test images, and the gain, the best on held-out images."""
    images, _, test_images, _ = _images()
    (x, sides), (test_x, test_sides) = lit(images, seed=0), lit(test_images, seed=1)

    def held_out(gain):
        net, encode = train(code, hidden, gain, seed, x[:4000], sides[:4000], epochs=4)
        return accuracy(net, x[4000:], sides[4000:], encode=encode)

    gain = max(GAINS[1:4], key=held_out)
    net, encode = train(code, hidden, gain, seed, x, sides, epochs)
    return {"accuracy": accuracy(net, test_x, test_sides, encode=encode), "gain": gain}


def ordinary(seed, offset=0.0):
    """A row: an ordinary network, 784-300-8 with rectified units, on the same lamps, its gain chosen in the same way."""
    images, _, test_images, _ = _images()
    (x, sides), (test_x, test_sides) = lit(images, seed=0), lit(test_images, seed=1)

    def trained(gain, inputs, targets, epochs):
        random = torch.Generator().manual_seed(seed)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            net = nn.Sequential(nn.Linear(784, HIDDEN[0]), nn.ReLU(), nn.Linear(HIDDEN[0], 8))
        optimiser = torch.optim.Adam(net.parameters(), lr=2e-3)
        for _ in range(epochs):
            for part in torch.randperm(len(inputs), generator=random).split(100):
                optimiser.zero_grad()
                F.cross_entropy(net(gain * (inputs[part] - offset) * (inputs[part] > 0)), targets[part]).backward()
                optimiser.step()
        return lambda inputs: net(gain * (inputs - offset) * (inputs > 0)).argmax(1)

    def share(read, inputs, targets):
        with torch.no_grad():
            return (read(inputs) == targets).double().mean().item()

    gain = max(GAINS[1:4], key=lambda gain: share(trained(gain, x[:4000], sides[:4000], 4), x[4000:], sides[4000:]))
    return {"accuracy": share(trained(gain, x, sides, 8), test_x, test_sides), "gain": gain}


def ordinary_centred(seed):
    """A row: the same network, with the mean grey of all ink taken off each inked pixel."""
    return ordinary(seed, _ink())


READING = 16                              # steps of a picture


def read_clock(spk, **options):
    """What the first steps of a latency code say; the others are still silent."""
    return latency_decode(torch.cat([spk, spk.new_zeros(READING - len(spk), *spk.shape[1:])]), **options)


CLOCKED = {"mode": "linear", "threshold": 0.05}
PICTURES = {                              # spikes [T, N, 784] of a picture, and how they are read
    "rate": (lambda x, seed: rate_code(x, READING, generator=torch.Generator().manual_seed(seed)), rate_decode),
    "latency": (lambda x, _: latency_code(x, READING, **CLOCKED), partial(read_clock, **CLOCKED)),
    "regular": (lambda x, _: lif(direct_current(x, READING), 1.0, state=(torch.full_like(x, 0.5), torch.zeros_like(x)))[0],
                rate_decode),
}


def picture(code, seed):
    """A row: the error after each step, root mean square over the pixels of 1000 digits (which ones, says the seed)."""
    x, (encode, decode) = _images()[0][1000 * seed:1000 * (seed + 1)], PICTURES[code]
    spk = encode(x, seed)
    return {f"step {step}": (decode(spk[:step]) - x).square().mean().sqrt().item() for step in range(1, READING + 1)}


LINEAR = {"linear model": ()}              # it has no hidden layer
ROWS = {**{f"choose {name}": choose(code, LINEAR.get(name, HIDDEN)) for name, code in CODES.items()},
        **{name: final(code, CHOSEN[name], LINEAR.get(name, HIDDEN)) for name, code in CODES.items()},
        **{f"side, {name}": partial(sided, CODES[name], hidden=LINEAR.get(name, HIDDEN)) for name in (
            "direct current", "direct current, one bit", "linear model", "rate", "latency, linear", "latency, all at once")},
        "side, latency, side by side": partial(sided, side_by_side),
        "side, direct current, centred": partial(sided, centred),
        "side, linear model, centred": partial(sided, centred, hidden=()),
        "side, ReLU network": ordinary, "side, ReLU network, centred": ordinary_centred,
        "side, direct current, 32 epochs": partial(sided, CODES["direct current"], epochs=32),
        **{f"picture, {name}": partial(picture, name) for name in PICTURES}}
