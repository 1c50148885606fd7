"""The long runs of notebook 22: networks of another library's neurons, carried over, and copied with one thing left out.

784-100-10 on the 5000 training images of MNIST, or 64-100-10 on 1437 small digits; ten steps of constant current, count loss,
AdamW under a one-cycle schedule, 20 epochs of 128 images a batch; read by spike counts on the test images. The rate is
4e-3, divided by 1 - beta where the input is scaled, as the weights are. Nothing was chosen by the test images.
"""
from functools import cache, partial

import torch

from ...conventions import PRESETS, ConventionMLP, carry, decay_as, port
from ...data import digits, flat, mnist5k
from ...losses import ce_count_loss
from ...networks import SpikingMLP, direct_current
from ...training import fit
from ..kinds import AMOUNT, SHARE

SEEDS = (0, 1, 2)
TOLERANCE = 0.03
QUANTITIES = {"*: spikes": AMOUNT, "*": SHARE}
STEPS, EPOCHS, RATE = 10, 20, 4e-3
SOURCES = {"Norse": ("norse.LIFBoxCell", 0.9), "SpikingJelly": ("spikingjelly.LIFNode", 0.5),
           "snnTorch": ("snntorch.Leaky", 0.9), "snnTorch zero": ("snntorch.Leaky zero", 0.9)}


@cache
def images(name="mnist"):
    """Training inputs and labels, test inputs and labels."""
    data = mnist5k() if name == "mnist" else digits()
    return flat(data.train_images), data.train_labels, flat(data.test_images), data.test_labels


def trained(source, name, seed):
    """A network of another library's neurons that has learned the images."""
    inputs, targets = images(name)[:2]
    preset, beta = SOURCES[source]
    convention = PRESETS[preset]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = ConventionMLP((inputs.shape[1], 100, 10), convention, beta)
    rate = RATE / (1 - beta if convention.scaled else 1)
    fit(net, inputs, targets, loss=lambda records, y: ce_count_loss(records[-1].spk, y),
        encode=lambda x: direct_current(x, STEPS), epochs=EPOCHS, learning_rate=rate, seed=seed)
    return net


@torch.no_grad()
def counts(net, name="mnist"):
    """Output counts of the test images [B, 10], and hidden spikes an image."""
    votes, hidden = [], 0
    for x in images(name)[2].split(1000):
        first, last = net(direct_current(x, STEPS))
        votes.append(last.spk.sum(0))
        hidden += first.spk.sum().item()
    return torch.cat(votes), hidden / len(images(name)[2])


def copied(net, *, scale, beta, reset, bias=None):
    """A `SpikingMLP` with the weights times `scale`, the biases times `bias` or the same, and these options."""
    sizes = [net.linears[0].in_features, *(linear.out_features for linear in net.linears)]
    here = SpikingMLP(sizes, beta, net.threshold, reset=reset)
    with torch.no_grad():
        for own, other in zip(here.linears, net.linears, strict=True):
            own.weight.copy_(scale * other.weight)
            own.bias.copy_((scale if bias is None else bias) * other.bias)
    return here


def mistakes(net):
    """Ports with one thing left out, and with all of them, by name."""
    to = port(net.convention, net.beta)
    right = {"scale": to.scale, "beta": to.beta, "reset": to.reset}
    steps = decay_as(net.beta, "beta", "euler tau")
    exact, other = decay_as(steps, "tau", "beta"), "subtract" if to.reset == "zero" else "zero"
    return {"scale left out": right | {"scale": 1.0}, "bias left out": right | {"bias": 1.0},
            "another reset": right | {"reset": other}, "exact for Euler": right | {"beta": exact},
            "all left out": {"scale": 1.0, "beta": exact, "reset": other}}


def carried(source, name, seed):
    """A row: what a trained network reads at home, carried over, and with mistakes; how many digits get other counts."""
    net, answers = trained(source, name, seed), images(name)[3]
    home, hidden = counts(net, name)
    found = {"home": (home.argmax(1) == answers).double().mean().item(), "home: spikes": hidden}
    ports = {"carried": carry(net), **{words: copied(net, **made) for words, made in mistakes(net).items()}}
    for words, there in ports.items():
        votes, hidden = counts(there, name)
        found |= {words: (votes.argmax(1) == answers).double().mean().item(), f"{words}: spikes": hidden,
                  f"{words}: changed": (votes != home).any(1).double().mean().item()}
    return found


def into_norse(name, seed):
    """A row: the other way, from `Leaky` with a reset to zero into Norse's neuron, weights divided by 1 - beta or copied."""
    net, answers = trained("snnTorch zero", name, seed), images(name)[3]
    home, hidden = counts(net, name)
    found = {"home": (home.argmax(1) == answers).double().mean().item(), "home: spikes": hidden}
    abroad = ConventionMLP([images(name)[0].shape[1], 100, 10], PRESETS["norse.LIFBoxCell"], net.beta)
    for words, factor in (("carried", 1 / (1 - net.beta)), ("scale left out", 1.0)):
        with torch.no_grad():
            for own, other in zip(abroad.parameters(), net.parameters(), strict=True):
                own.copy_(factor * other)
        votes, hidden = counts(abroad, name)
        found |= {words: (votes.argmax(1) == answers).double().mean().item(), f"{words}: spikes": hidden,
                  f"{words}: changed": (votes != home).any(1).double().mean().item()}
    return found


def asleep(source, name, seed):
    """Control, a row: hidden spikes an image before training, with weights divided by 1 - beta and as drawn."""
    preset, beta = SOURCES[source]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = ConventionMLP((images(name)[0].shape[1], 100, 10), PRESETS[preset], beta)
    awake = counts(net, name)[1]
    with torch.no_grad():
        for part in net.parameters():
            part *= 1 - beta if net.convention.scaled else 1
    return {"divided: spikes": awake, "as drawn: spikes": counts(net, name)[1]}


ROWS = {
    **{f"{name}, {source}": partial(carried, source, name) for name in ("mnist", "digits") for source in list(SOURCES)[:3]
       if (name, source) != ("digits", "snnTorch")},
    "mnist, into Norse": partial(into_norse, "mnist"),
    **{f"untrained, {source}": partial(asleep, source, "mnist") for source in ("Norse", "SpikingJelly")},
}
