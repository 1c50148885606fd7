"""The long runs of notebook 12: accuracy and spikes against steps, where the error comes from, fine-tuning at two steps, and
what does not convert by itself.

Networks have two hidden layers of 100 unless a row says otherwise. They are trained on the 5000 training images of MNIST
(AdamW, one cycle, 8 epochs, peak 1e-2) and measured on the 10,000 test images. Scales are measured on training images. Where
trainings of different kinds are compared, each kind and seed takes the best of four peak rates on 1000 held-out training
images, and is then trained on all 5000.
"""
import copy
from functools import cache, partial

import torch
import torch.nn.functional as F
from torch import nn

from ...conversion import ConvertedMLP, activation_scales, convert, even_rate, run_evenly, split_error, zero_reset_rate
from ...data import digits, flat, mnist5k, validation_split
from ...deep import fold_norm
from ...energy import ReluMLP
from ...losses import ce_membrane_loss
from ...networks import Record, SpikingMLP, direct_current
from ...neurons import lif
from ...quantization import staircase
from ...surrogate import boxcar
from ...training import fit
from ..kinds import AMOUNT, SHARE
from .convolution import Conv, spiking_conv

SEEDS = (0, 1, 2)
TOLERANCE = 0.03
QUANTITIES = {"*: spikes*": AMOUNT, "*: scale*": AMOUNT, "*: error*": AMOUNT, "*: peak*": AMOUNT, "*": SHARE}
AFTER = (1, 2, 3, 4, 6, 8, 16, 32)
PEAKS = (3e-4, 1e-3, 3e-3, 1e-2)
SIZES = (784, 100, 100, 10)
DEEP = (784, 100, 100, 100, 100, 10)


@cache
def images():
    """Images from 0 to 1 and their labels: to train on, to measure on."""
    data = mnist5k()
    return flat(data.train_images), data.train_labels, flat(data.test_images), data.test_labels


@cache
def small_images():
    """The same of the digits of 8 x 8 pixels."""
    data = digits()
    return flat(data.train_images), data.train_labels, flat(data.test_images), data.test_labels


@torch.enable_grad()
def train(net, inputs, targets, steps, seed, epochs, peak):
    """Train any network by the recipe of all rows: cross-entropy of the mean current of its read-out."""
    total = not isinstance(net, SpikingMLP) or isinstance(net, ConvertedMLP)           # the last step holds the sum already
    fit(net, inputs, targets,
        loss=lambda records, y: ce_membrane_loss((records[-1].mem[-1:] if total else records[-1].mem) / steps, y),
        encode=lambda x: direct_current(x, steps), epochs=epochs, learning_rate=peak, seed=seed)
    return net


def steps_of(net, steps):
    """An ANN needs one step."""
    return steps if isinstance(net, SpikingMLP) else 1


@torch.no_grad()
def right(net, inputs, targets, steps):
    """The share of images that a network names rightly after so many steps."""
    named = []
    for x in inputs.split(2000):
        mem = net(direct_current(x, steps_of(net, steps)))[-1].mem
        named.append((mem.sum(0) if type(net) is SpikingMLP else mem[-1]).argmax(1))
    return (torch.cat(named) == targets).double().mean().item()


def best(net, data, steps, seed, epochs):
    """Train a copy at the peak rate that is best on held-out training images; return it and the peak."""
    split, now = validation_split(*data[:2], seed=seed), steps_of(net, steps)
    held = {peak: right(train(copy.deepcopy(net), *split[:2], now, seed, epochs, peak), *split[2:], steps) for peak in PEAKS}
    peak = max(held, key=held.get)
    return train(copy.deepcopy(net), *data[:2], now, seed, epochs, peak), peak


def draw(kind, sizes, seed, **options):
    """A network with the weights of a seed."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return kind(sizes, **options)


@cache
def ann(seed, sizes=SIZES, small=False):
    """The trained network of rectified units."""
    inputs, targets = (small_images() if small else images())[:2]
    return train(draw(ReluMLP, sizes, seed), inputs, targets, 1, seed, 20 if small else 8, 1e-2)


@cache
def scales(seed, percentile, sizes=SIZES, small=False):
    """What a rate of 1 stands for; None copies the weights."""
    if percentile is None:
        return [1.0] * (len(sizes) - 2)
    return activation_scales(ann(seed, sizes, small), (small_images() if small else images())[0], percentile)


def made(seed, percentile, start, sizes=SIZES, **options):
    """The converted network."""
    return convert(ann(seed, sizes), scales(seed, percentile, sizes), start, **options)


@torch.no_grad()
def after(net):
    """Right answers and spikes, both after each step: [T], [T, hidden layers]."""
    most = max(AFTER)
    named, spikes = torch.zeros(most), 0
    for x, y in zip(images()[2].split(1000), images()[3].split(1000), strict=True):
        *hidden, out = net(direct_current(x, most))
        named += (out.mem.argmax(2) == y).sum(1)
        spikes = spikes + torch.stack([record.spk.sum((1, 2)) for record in hidden], 1)
    return named / len(images()[2]), spikes.cumsum(0) / len(images()[2])


def curve(percentile, start, sizes, reset, seed):
    """A row: accuracy and spikes an image after so many steps."""
    named, spikes = after(made(seed, percentile, start, sizes, reset=reset))
    return {**{f"right at {t}": named[t - 1].item() for t in AFTER},
            **{f"spikes at {t}": spikes[t - 1].sum().item() for t in AFTER},
            **{f"scale {place}": scale for place, scale in enumerate(scales(seed, percentile, sizes), 1)}}


def dense(sizes, seed):
    """A row: the network of rectified units itself, with as many more epochs as fine-tuning has, and with all at once."""
    more, peak = best(ann(seed, sizes), images(), 1, seed, 3)
    whole, other = best(draw(ReluMLP, sizes, seed), images(), 1, seed, 11)
    return {"right": right(ann(seed, sizes), *images()[2:], 1), "3 more epochs": right(more, *images()[2:], 1),
            "11 epochs": right(whole, *images()[2:], 1), "peak, 3 more": peak, "peak, 11": other}


def bare(sizes, seed):
    """A row: the network of rectified units."""
    return {"right": right(ann(seed, sizes), *images()[2:], 1)}


@torch.no_grad()
def static(net, activation):
    """Accuracy of an ANN with another activation."""
    x = images()[2]
    for linear in net.linears[:-1]:
        x = activation(linear(x))
    return (net.linears[-1](x).argmax(1) == images()[3]).double().mean().item()


def copied(seed):
    """Control, a row: activations in place of the rates of copied weights: clipped, and what a start of 0 adds to it."""
    net = ann(seed)
    return {"clipped": static(net, lambda v: v.clamp(0, 1)), "floor, 2 steps": static(net, lambda v: even_rate(v, 2, 0.0)),
            "rounded, 2 steps": static(net, lambda v: even_rate(v, 2)),
            "a quarter less below 1": static(net, lambda v: torch.where(v > 1, 1.0, (v - 0.25).clamp(0, 1))),
            "reset to zero": static(net, zero_reset_rate)}


@torch.no_grad()
def parts(percentile, steps, sizes, seed):
    """A row: mean sizes of the parts of the error in each hidden layer, for 2000 images; accuracy with even currents."""
    net, x = made(seed, percentile, 0.5, sizes), images()[2][:2000]
    found, again = {}, split_error(net, ann(seed, sizes), x, steps)
    outputs = [run_evenly(net, part, steps)[1] for part in images()[2].split(2000)]
    for layer, each in enumerate(again, 1):
        for name, value in each._asdict().items():
            found[f"error, {name} {layer}"] = value.abs().mean().item()
        found[f"error, in all {layer}"] = sum(each).abs().mean().item()
        found[f"error, of the neuron, at most {layer}"] = (each.rounding + each.unevenness).abs().max().item()
    named = (torch.cat(outputs).argmax(1) == images()[3]).double().mean().item()
    return {**found, "right": right(net, *images()[2:], steps), "right, evenly": named}


def shuffled(net, seed):
    """The same weights and biases in another order within each layer."""
    net, generator = copy.deepcopy(net), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in net.parameters():
            value.copy_(value.flatten()[torch.randperm(value.numel(), generator=generator)].view_as(value))
    return net


class Stairs(nn.Module):
    """A converted network as an ANN whose activation is a staircase of T steps with the straight-through gradient."""

    def __init__(self, net, steps):
        super().__init__()
        self.linears, self.steps = net.linears, steps

    def forward(self, x):
        """Run over x [1, B, N] and return one `Record`."""
        for linear in self.linears[:-1]:
            x = staircase(self.steps * linear(x), 0, self.steps, boxcar()) / self.steps
        return [Record(None, self.linears[-1](x))]


def as_spiking(net):
    """The converted network with the weights of its staircase."""
    made_of = ConvertedMLP(SIZES)
    made_of.linears = net.linears
    return made_of


def at_two(start_from, epochs, seed):
    """A row: trained at two steps from here, with surrogate gradients unless it is a staircase; right before and after."""
    net = start_from(seed)
    trained, peak = best(net, images(), 2, seed, epochs)
    before, now = (right(as_spiking(each) if isinstance(each, Stairs) else each, *images()[2:], 2) for each in (net, trained))
    return {"before": before, "after": now, "peak": peak}


def beyond(start_from, peak, seed):
    """Control, a row: three epochs at a peak rate outside the four."""
    return right(train(start_from(seed), *images()[:2], 2, seed, 3, peak), *images()[2:], 2)


def by_the_book(seed):
    """The largest activation is a rate of 1, and membranes begin at 0."""
    return made(seed, 100, 0.0)


def well(seed):
    """The better conversion: 97 % of the activations are at most a rate of 1, and membranes begin at a half."""
    return made(seed, 97, 0.5)


def as_stairs(seed):
    """The better conversion as a staircase of two steps."""
    return Stairs(well(seed), 2)


def at_random(seed):
    """Weights as they are drawn."""
    return draw(ConvertedMLP, SIZES, seed + 100)


def at_random_from_zero(seed):
    """The same with membranes that begin at 0, as by the book."""
    return draw(ConvertedMLP, SIZES, seed + 100, start=0.0)


def fitted(seed):
    """Weights as they are drawn, scaled so that they fire as much as converted ones: a random ANN, converted."""
    net = draw(ReluMLP, SIZES, seed + 100)
    return convert(net, activation_scales(net, images()[0], 97))


def mixed(seed):
    """The trained weights in another order, converted."""
    net = shuffled(ann(seed), seed)
    return convert(net, activation_scales(net, images()[0], 97))


def leaky(seed):
    """The network of notebook 09."""
    return draw(SpikingMLP, SIZES, seed + 100, readout="membrane")


def small(seed):
    """A row: the digits of 8 x 8 pixels, one hidden layer of 100, at two steps."""
    sizes, data = (64, 100, 10), small_images()
    net = ann(seed, sizes, True)
    book = convert(net, scales(seed, 100, sizes, True), 0.0)
    good = convert(net, scales(seed, 97, sizes, True))
    found = {"ANN": right(net, *data[2:], 1), "by the book": right(book, *data[2:], 2), "97 %, half": right(good, *data[2:], 2),
             "97 %, half, 8 steps": right(good, *data[2:], 8)}
    for name, start in (("by the book", book), ("97 %, half", good), ("random", draw(ConvertedMLP, sizes, seed + 100))):
        found[f"{name}, 3 epochs"] = right(best(start, data, 2, seed, 3)[0], *data[2:], 2)
    found["random, 20 epochs"] = right(best(draw(ConvertedMLP, sizes, seed + 100), data, 2, seed, 20)[0], *data[2:], 2)
    return found


def held_out(seed):
    """A row: two steps on training images that were held out, by percentile; this chose 97."""
    split = validation_split(*images()[:2], seed=seed)
    net = train(draw(ReluMLP, SIZES, seed), *split[:2], 1, seed, 8, 1e-2)
    return {f"right at {percentile} %": right(convert(net, activation_scales(net, split.train_inputs, percentile)),
                                              *split[2:], 2) for percentile in (100, 99.9, 99, 97, 95, 90, 80)}


@torch.no_grad()
def biases(seed):
    """A row: mistakes with the biases, at 16 steps, in every hidden layer."""
    net, found = made(seed, 97, 0.5), {}
    sizes = [1.0, *scales(seed, 97)]
    for name, factor in (("as they should be", lambda layer: 1.0), ("left out", lambda layer: 0.0),
                         ("scaled like weights", lambda layer: sizes[layer]), ("not scaled", lambda layer: sizes[layer + 1])):
        other = copy.deepcopy(net)
        for layer, linear in enumerate(other.linears[:-1]):
            linear.bias.mul_(factor(layer))
        found[name] = right(other, *images()[2:], 16)
    return found


@torch.no_grad()
def firing_readout(percentile, seed):
    """A row: outputs that fire; the most spikes win, and among equals the first, or nobody where they tie."""
    net, found = made(seed, 97, 0.5), {}
    out = ann(seed)(images()[0][None])[-1].mem.flatten()
    scale = out.kthvalue(max(1, round(percentile / 100 * len(out)))).values
    for steps in (2, 8, 32):
        named, tied = [], []
        for x in images()[2].split(2000):
            current = net.linears[-1](net(direct_current(x, steps))[-2].spk) / scale
            began = torch.full_like(current[0], 0.5)
            counts = lif(current, 1.0, state=(began, torch.zeros_like(began)))[0].sum(0)
            named.append(counts.argmax(1))
            tied.append((counts == counts.amax(1, keepdim=True)).sum(1) > 1)
        found |= {f"right at {steps}": (torch.cat(named) == images()[3]).double().mean().item(),
                  f"tied at {steps}": torch.cat(tied).double().mean().item()}
    return found


def pooling(name, seed):
    """A row: pooling by the largest or the mean of four, batch norm folded or forgotten, 16 steps, on 2000 images."""
    pool, test, labels = {"largest": F.max_pool2d, "mean": F.avg_pool2d}[name], images()[2][:2000], images()[3][:2000]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = Conv(pool)
    train(net, *images()[:2], 1, seed, 4, 1e-2)
    net.eval()
    layer, some = fold_norm(net.conv, net.norm), images()[0][:500].unflatten(1, (1, 28, 28))
    with torch.no_grad():
        whole = torch.cat([net(x[None])[-1].mem[0].argmax(1) for x in test.split(500)])
        scale, other = (values.kthvalue(round(0.997 * len(values))).values
                        for values in (part(some).relu().flatten() for part in (layer, net.conv)))
    named = {"ANN": whole, "norm forgotten": spiking_conv(net, net.conv, pool, 16, other, test, True)}
    for steps in (4, 16):
        for kind, waits in (("spikes", False), ("rates", True)):
            named[f"{kind} pooled, {steps} steps"] = spiking_conv(net, layer, pool, steps, scale, test, waits)
    return {said: (part == labels).double().mean().item() for said, part in named.items()}


ROWS = {
    "ANN": partial(dense, SIZES),
    **{f"{name}, start {start}": partial(curve, percentile, start, SIZES, "subtract")
       for name, percentile in (("copied", None), ("largest", 100), ("97 %", 97)) for start in (0.0, 0.5)},
    **{f"{percentile} %, start 0.5": partial(curve, percentile, 0.5, SIZES, "subtract") for percentile in (99.9, 90, 70)},
    "97 %, reset to zero": partial(curve, 97, 0.5, SIZES, "zero"),
    "copied, reset to zero": partial(curve, None, 0.0, SIZES, "zero"),
    "copied, other activations": copied,
    "deep, 97 %, start 0.5": partial(curve, 97, 0.5, DEEP, "subtract"),
    "deep, 97 %, reset to zero": partial(curve, 97, 0.5, DEEP, "zero"),
    "deep, ANN": partial(bare, DEEP),
    **{f"deep, parts at {steps}": partial(parts, 97, steps, DEEP) for steps in (2, 4, 8, 16, 32)},
    **{f"deep, largest, parts at {steps}": partial(parts, 100, steps, DEEP) for steps in (8, 32)},
    "two steps, by the book": partial(at_two, by_the_book, 3),
    "two steps, 97 %, half": partial(at_two, well, 3),
    "two steps, as a staircase": partial(at_two, as_stairs, 3),
    "two steps, random": partial(at_two, at_random, 3),
    "two steps, random, start 0": partial(at_two, at_random_from_zero, 3),
    "two steps, random, scaled": partial(at_two, fitted, 3),
    "two steps, shuffled": partial(at_two, mixed, 3),
    "two steps, by the book, 1 epoch": partial(at_two, by_the_book, 1),
    "two steps, 97 %, half, 1 epoch": partial(at_two, well, 1),
    "two steps, random, 1 epoch": partial(at_two, at_random, 1),
    "two steps, by the book, peak 3e-2": partial(beyond, by_the_book, 3e-2),
    "two steps, random, peak 3e-2": partial(beyond, at_random, 3e-2),
    "two steps, 97 %, half, peak 1e-4": partial(beyond, well, 1e-4),
    "two steps, random, 11 epochs": partial(at_two, at_random, 11),
    "two steps, LIF 0.9, 11 epochs": partial(at_two, leaky, 11),
    "digits of 8 x 8": small,
    "held out, two steps": held_out,
    "biases": biases,
    **{f"firing read-out, {percentile} %": partial(firing_readout, percentile) for percentile in (100, 97)},
    **{f"pooled by the {name}": partial(pooling, name) for name in ("largest", "mean")},
}
