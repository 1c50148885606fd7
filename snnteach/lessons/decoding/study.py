"""The long runs of notebook 05: readings, races, populations, noise on the input, initialisation, Dale's law and balance.

Every network is trained on the 5000 training images of MNIST by one recipe (AdamW, one cycle, 5 epochs, peak 3e-3; nothing was
chosen by the test images) and measured on the 10,000 test images, those whose input is noisy on the first 2000 of them.
"""
from functools import cache, partial

import torch
from torch import nn

from ...balance import dale
from ...data import flat, mnist5k
from ...decoding import (
    count_scores,
    decide,
    delete_spikes,
    jitter_spikes,
    latency_scores,
    membrane_scores,
    race,
    run_delayed,
    scale_to_data,
)
from ...encoding import rate_code
from ...losses import ce_count_loss, ce_membrane_loss
from ...networks import Record, SpikingMLP, direct_current
from ...surrogate import atan, boxcar, triangular
from ...training import fit
from ..kinds import AMOUNT, SHARE, Quantity
from .loops import balance, replayed

SEEDS = (0, 1, 2)
TOLERANCE = 0.03
QUANTITIES = {"*: steps*": AMOUNT, "*: spikes*": AMOUNT, "*: current": Quantity(-9, 9), "*: irregular": AMOUNT,
              "*: together": AMOUNT, "*": SHARE}
STEPS = 10


@cache
def _images(standardised=True):
    data = mnist5k()
    train, test = flat(data.train_images), flat(data.test_images)                    # [n, 784], 0 to 1
    mean, std = (train.mean(), train.std()) if standardised else (0, 1)
    return (train - mean) / std, data.train_labels, (test - mean) / std, data.test_labels


def network(sizes, seed, **options):
    """Make a network from a seed."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return SpikingMLP(sizes, **options)


def constant(x, num_steps=STEPS):
    """The same current at every step."""
    return direct_current(x, num_steps)


def count_loss(records, target):
    """Cross-entropy of the counts of each class; a class has several neurons where there are more than ten."""
    return ce_count_loss(_stretched(records[-1].spk), target)


def _stretched(spk):
    """Let the P neurons of a class speak one after the other: [T, B, 10 P] becomes [T P, B, 10], with the same counts."""
    return spk.unflatten(2, (10, -1)).permute(0, 3, 1, 2).flatten(0, 1)


def membrane_loss(records, target):
    """Cross-entropy of the membranes, averaged over time."""
    return ce_membrane_loss(records[-1].mem / len(records[-1].mem), target)


def learn(net, seed, loss=count_loss, encode=constant, standardised=True):
    """Train a network by the recipe of all rows."""
    inputs, targets = _images(standardised)[:2]
    fit(net, inputs, targets, loss=loss, encode=encode, epochs=5, learning_rate=3e-3, seed=seed)
    return net


@torch.no_grad()
def outputs(net, num_steps=STEPS, run=None):
    """What the last layer does for all test images, a `Record` of [T, 10000, C P]."""
    parts = [(run or net)(direct_current(x, num_steps))[-1] for x in _images()[2].split(2000)]
    spk = None if parts[0].spk is None else torch.cat([part.spk for part in parts], 1)
    return Record(spk, torch.cat([part.mem for part in parts], 1))


def right(classes):
    """The share of the test images, or of the first of them, that these classes name rightly."""
    return (classes == _images()[3][:len(classes)]).double().mean().item()


def scored(scores):
    """Accuracy, and the share of ties."""
    classes, tied = decide(scores)
    return right(classes), tied.double().mean().item()


def readings(loss, seed):
    """A row: one network, read in six ways."""
    out = outputs(learn(network((784, 100, 10), seed), seed, loss))
    found = {"counts": count_scores(out.spk), "first spike": latency_scores(out.spk),
             "first spike, then membrane": latency_scores(out.spk, mem=out.mem),
             **{f"membrane, {how}": membrane_scores(out.mem, how=how) for how in ("sum", "max", "last")}}
    named = {name: scored(scores) for name, scores in found.items()}
    return {**{name: accuracy for name, (accuracy, _) in named.items()},
            **{f"ties, {name}": ties for name, (_, ties) in list(named.items())[:2]}}


def patience(noisy, seed):
    """A row: how accuracy grows with the steps that are read, ten at most, and with the margin of a race."""
    net = network((784, 100, 10), seed)
    if noisy:
        out = noisy_outputs(learn(net, seed, encode=coin, standardised=False), coin, seed)
    else:
        out = outputs(learn(net, seed))
    found = {}
    for steps in range(1, STEPS + 1):
        found[f"counts, {steps}"] = scored(count_scores(out.spk[:steps]))[0]
        found[f"membrane, {steps}"] = scored(membrane_scores(out.mem[:steps]))[0]
    for margin in (1, 2, 3, 4, 5):
        classes, steps = race(out.spk, margin)
        found |= {f"race, {margin}": right(classes), f"steps of race, {margin}": steps.double().mean().item() + 1}
    return found


def potentials(seed):
    """Control, a row: noisy input, trained on membranes; what they say after each step, and a race to a lead of one."""
    net = learn(network((784, 100, 10), seed), seed, membrane_loss, coin, standardised=False)
    out = noisy_outputs(net, coin, seed)
    classes, steps = race(out.spk, 1)
    return {**{f"membrane, {step}": scored(membrane_scores(out.mem[:step]))[0] for step in range(1, STEPS + 1)},
            "race, 1": right(classes), "steps of race, 1": steps.double().mean().item() + 1}


def coin(x, num_steps=STEPS, gain=1.0):
    """Rate code: a coin for each pixel and step."""
    return rate_code(x, num_steps, gain=gain)


def sparse_coin(x):
    """Rate code with as few spikes as the latency code has."""
    return coin(x, gain=0.125)


def soon(x, num_steps=STEPS):
    """Latency code: one spike a pixel, the brighter the earlier; pixels below 0.2 stay silent."""
    steps = ((1 - x) * (num_steps - 1)).round()
    return ((torch.arange(num_steps).view(-1, 1, 1) == steps) & (x > 0.2)).float()


@torch.no_grad()
def noisy_outputs(net, encode, seed, spoil=None, amount=0):
    """What the last layer does for the first 2000 test images whose code was spoilt by so much."""
    with torch.random.fork_rng():
        torch.manual_seed(100 + seed)
        x = encode(_images(False)[2][:2000])                                          # [T, 2000, 784]
    return net(x if spoil is None else spoil(x, amount, torch.Generator().manual_seed(200 + seed)))[-1]


def noise(encode, seed):
    """A row: a network trained on a clean code, its input then spoilt."""
    net = learn(network((784, 100, 10), seed), seed, encode=encode, standardised=False)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        clean = encode(_images(False)[2][:2000])
    found = {"spikes": clean.sum().item() / 2000}
    trials = [(f"lost {share}", delete_spikes, share) for share in (0.0, 0.2, 0.4, 0.6)]
    for reach in (2, 5):
        left = jitter_spikes(clean, reach, torch.Generator().manual_seed(seed)).sum().item()
        found[f"spikes after moving {reach}"] = left / 2000                          # those that met became one
        trials += [(f"moved {reach}", jitter_spikes, reach),
                   (f"lost as by moving {reach}", delete_spikes, 1 - left / clean.sum().item())]
    for name, spoil, amount in trials:
        found[name] = scored(count_scores(noisy_outputs(net, encode, seed, spoil, amount).spk))[0]
    return found


def strength(encode, seed):
    """Controls, a row: the networks of `noise`; the input weaker without a loss, and after a loss as strong as before."""
    net, found = learn(network((784, 100, 10), seed), seed, encode=encode, standardised=False), {}
    for share in (0.2, 0.4, 0.6):
        for name, spoil in (("weaker", _weaker), ("lost and refilled", _refilled)):
            found[f"{name} {share}"] = scored(count_scores(noisy_outputs(net, encode, seed, spoil, share).spk))[0]
    return found


def _weaker(x, share, generator):
    return (1 - share) * x


def _refilled(x, share, generator):
    return delete_spikes(x, share, generator) / (1 - share)


def population(num_steps, members, seed):
    """A row: ten populations of `members` neurons, read after `num_steps` steps; accuracy and ties."""
    net = learn(network((784, 100, 10 * members), seed), seed, encode=partial(constant, num_steps=num_steps))
    accuracy, ties = scored(count_scores(outputs(net, num_steps).spk, 10))
    return {"accuracy": accuracy, "ties": ties}


def averaged(num_steps, members, seed):
    """Control, a row: `population` whose loss hears the mean of a class instead of its sum, as steep as with one neuron."""
    def loss(records, target):
        counts = records[-1].spk.sum(0).unflatten(1, (10, -1)).mean(2)                   # [B, 10]
        return nn.functional.cross_entropy(counts, target)

    net = learn(network((784, 100, 10 * members), seed), seed, loss, partial(constant, num_steps=num_steps))
    return {"accuracy": scored(count_scores(outputs(net, num_steps).spk, 10))[0]}


def wider(seed):
    """Control, a row: one step, one neuron a class, and as many weights as twenty a class would have."""
    net = learn(network((784, 124, 10), seed), seed, encode=partial(constant, num_steps=1))
    accuracy, ties = scored(count_scores(outputs(net, 1).spk))
    return {"accuracy": accuracy, "ties": ties}


def membranes_once(seed):
    """Control, a row: one step, one neuron a class that never fires, read by its membrane."""
    net = network((784, 100, 10), seed, readout="membrane")
    learn(net, seed, membrane_loss, partial(constant, num_steps=1))
    return {"accuracy": scored(membrane_scores(outputs(net, 1).mem))[0]}


def deep(scaled, surrogate, seed):
    """A row: four hidden layers of 100 with the weights PyTorch gives them or scaled to data; spikes before, accuracy after."""
    net = network((784, 100, 100, 100, 100, 10), seed, surrogate=surrogate)
    batch = direct_current(_images()[0][:500], STEPS)
    if scaled:
        scale_to_data(net, batch)
    with torch.no_grad():
        rates = [record.spk.mean().item() for record in net(batch)]
    learn(net, seed)
    return {**{f"rate {layer}": rate for layer, rate in enumerate(rates, 1)},
            "accuracy": scored(count_scores(outputs(net).spk))[0]}


def louder(gain, surrogate, seed):
    """Control, a row: the deep network with all its weights and biases multiplied by one gain, the same for each layer."""
    net = network((784, 100, 100, 100, 100, 10), seed, surrogate=surrogate)
    with torch.no_grad():
        for part in net.parameters():
            part *= gain
        rates = [record.spk.mean().item() for record in net(direct_current(_images()[0][:500], STEPS))]
    learn(net, seed)
    return {**{f"rate {layer}": rate for layer, rate in enumerate(rates, 1)},
            "accuracy": scored(count_scores(outputs(net).spk))[0]}


def late(seed):
    """A row: one trained network whose output hears its hidden layer `delay` steps late, in ten steps and in `delay` more."""
    net, found = learn(network((784, 100, 10), seed), seed), {}
    for delay in (0, 1, 2, 3, 5, 7, 10):
        found |= {f"{word} {delay}": scored(count_scores(outputs(net, steps, partial(run_delayed, net, delay=delay)).spk))[0]
                  for word, steps in (("in ten", STEPS), ("and more", STEPS + delay))}
    return found


class Signed(nn.Module):
    """784-100-100-10 whose hidden neurons obey Dale's law: `inhibitory` of each hundred inhibit, or None for free weights."""

    def __init__(self, seed, inhibitory, strength=1.0):
        super().__init__()
        self.net, self.inhibitory = network((784, 100, 100, 10), seed), inhibitory
        with torch.no_grad():
            for linear in self.net.linears[1:]:
                linear.weight[:, 100 - (inhibitory or 0):] *= strength

    def forward(self, x):
        """Run over x [T, B, 784]; the same layers as those of `SpikingMLP`, with signed weights between them."""
        records, current = [], self.net.current(x).expand(len(x), -1, -1)
        for number, neuron in enumerate(self.net.neurons):
            if number:
                linear = self.net.linears[number]
                weight = linear.weight if self.inhibitory is None else dale(linear.weight, self.inhibitory)
                current = nn.functional.linear(records[-1].spk, weight, linear.bias)
            records.append(Record(*neuron(current)))
        return records


def law(inhibitory, strength, seed):
    """A row: accuracy under Dale's law, and how busy the second hidden layer is before training."""
    net = Signed(seed, inhibitory, strength)
    with torch.no_grad():
        busy = net(direct_current(_images()[0][:500], STEPS))[1].spk.mean().item()
    learn(net, seed)
    return {"accuracy": scored(count_scores(outputs(net).spk))[0], "busy before": busy}


def quiet_law(inhibitory, seed):
    """Control, a row: as `law`, and each layer is scaled to data before it learns, so that none starts loud."""
    net, batch = Signed(seed, inhibitory), direct_current(_images()[0][:500], STEPS)
    with torch.no_grad():
        for linear in net.net.linears[1:]:
            linear.weight.copy_(linear.weight if inhibitory is None else dale(linear.weight, inhibitory))
        scale_to_data(net.net, batch)                                                 # keeps all signs
        busy = net(batch)[1].spk.mean().item()
    learn(net, seed)
    return {"accuracy": scored(count_scores(outputs(net).spk))[0], "busy before": busy}


ROWS = {
    "trained by counts": partial(readings, count_loss),
    "trained by membranes": partial(readings, membrane_loss),
    "steady input": partial(patience, False),
    "noisy input": partial(patience, True),
    "noisy input, trained by membranes": potentials,
    "noise, rate": partial(noise, coin),
    "noise, rate, few": partial(noise, sparse_coin),
    "noise, latency": partial(noise, soon),
    "strength, rate": partial(strength, coin),
    "strength, rate, few": partial(strength, sparse_coin),
    "strength, latency": partial(strength, soon),
    **{f"T {steps}, {members} a class": partial(population, steps, members)
       for steps in (1, 2, 5, 10) for members in (1, 5, 20)},
    "T 10, 20 a class, averaged": partial(averaged, 10, 20),
    "T 1, wider": wider,
    "T 1, membranes": membranes_once,
    **{f"deep, {kind}, {width}": partial(deep, kind == "scaled", surrogate) for kind in ("as made", "scaled")
       for width, surrogate in (("wide", atan()), ("middle", triangular(1.0)), ("narrow", boxcar(2.0)))},
    "deep, times two, narrow": partial(louder, 2.0, boxcar(2.0)),
    "deep, times four, narrow": partial(louder, 4.0, boxcar(2.0)),
    "late": late,
    **{f"Dale, {name}": partial(law, *options) for name, options in (
        ("free", (None, 1.0)), ("half", (50, 1.0)), ("a fifth", (20, 1.0)), ("a fifth, four times as strong", (20, 4.0)),
        ("none", (0, 1.0)))},
    **{f"Dale, {name}, scaled": partial(quiet_law, inhibitory) for name, inhibitory in (
        ("free", None), ("a fifth", 20), ("none", 0))},
    **{f"balance, {inhibition}": partial(balance, float(inhibition)) for inhibition in (3, 4, 6, 8, 10)},
    "replayed": replayed,
}
