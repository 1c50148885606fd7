"""The long runs of notebook 11: what learned delays are worth, and how long a cue is remembered.

Every net of the patterns gets the same search: learning rates 0.02 and 0.05, of which that counts which is best on 2000
held-out patterns; what is stored was read on 2000 fresh ones. All other settings were chosen for the delays, and the
controls inherit them, those without spikes too. The nets of the cue have one recipe, chosen for none of them; nothing was
chosen on the cues they are read on.
"""
from functools import cache, partial

import torch
from torch import nn

from ...data import mnist5k, validation_split
from ...delays import delayed_current
from ...memory import spread_decays
from ...zoo import recurrent_lif
from ..kinds import AMOUNT, SHARE
from . import nets, rivals
from .lengths import last_step, mean_before_end, mean_of_all, padding

SEEDS = (0, 1, 2)
TOLERANCE = 0.1
QUANTITIES = {"*: aligned": AMOUNT, "*: rate": SHARE, "*": SHARE}


def patterns(make, seed, **recipe):
    """A row: the accuracy on fresh patterns, and the learning rate that held-out patterns chose."""
    net, rate = nets.chosen(make, seed, **recipe)
    task = {name: value for name, value in recipe.items() if name in ("distractors", "jitter")}
    return {"accuracy": nets.read_patterns(net, 1000 + seed, **task), "rate": rate}


def delays(make, seed, **recipe):
    """A row: as `patterns`, and how many neurons have delays that fit a class."""
    net, rate = nets.chosen(make, seed, **recipe)
    task = {name: value for name, value in recipe.items() if name in ("distractors", "jitter")}
    return {"accuracy": nets.read_patterns(net, 1000 + seed, **task), "rate": rate, "aligned": nets.aligned(net.synapses.delay)}


def rounded_late(seed, **task):
    """A row: Gaussians to the very end; the accuracy before and after the delays are rounded."""
    net, _ = nets.chosen(nets.with_delays, seed, frozen_from=1.0, **task)
    before = nets.read_patterns(net, 1000 + seed, **task)
    net.synapses.freeze()
    return {"Gaussian": before, "rounded": nets.read_patterns(net, 1000 + seed, **task)}


def cue(make, delay, seed):
    """A row: the share of fresh cues that are recalled."""
    generator = torch.Generator().manual_seed(seed)
    net = nets.train_cue(nets.CueNet(make(generator), generator), delay, generator)
    return nets.read_cue(net, delay, 1000 + seed)


class Interrupted(nn.Module):
    """A recurrent layer whose neurons hear nothing of each other during the 60 steps of the gap."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, current):
        state, fired = None, []
        for part, heard in zip(current.split((10, 60, 10)), (1.0, 0.0, 1.0), strict=True):
            spk, mem = recurrent_lif(part, self.layer.beta, heard * self.layer.recurrent, surrogate=self.layer.surrogate,
                                     state=state)
            state = mem[-1], spk[-1]
            fired.append(spk)
        return torch.cat(fired)


def interrupted(seed):
    """A row: a recurrent layer learns as in `cue`; the share that is recalled as it is, and with V at zero in the gap."""
    generator = torch.Generator().manual_seed(seed)
    net = nets.train_cue(nets.CueNet(nets.Recurrent(generator), generator), 60, generator)
    whole = nets.read_cue(net, 60, 1000 + seed)
    net.neurons = Interrupted(net.neurons)
    return {"as it is": whole, "V at 0 in the gap": nets.read_cue(net, 60, 1000 + seed)}


@cache
def _digits():
    data = mnist5k()
    return validation_split(data.train_images, data.train_labels), data


def digits(seed, **options):
    """A row: the accuracy on 10,000 test digits of the net whose learning rate was best on 1000 held out."""
    (images, labels, held_out, answers), data = _digits()
    best = (-1.0, None)
    for rate in (0.01, 0.02, 0.05):
        generator = torch.Generator().manual_seed(seed)
        net = nets.train_rows(nets.RowNet(delayed_current, generator, **options), images, labels, generator, rate=rate)
        best = max(best, (nets.read_rows(net, held_out, answers), net), key=lambda pair: pair[0])
    return nets.read_rows(best[1], data.test_images, data.test_labels)


def digits_without_spikes(make, seed):
    """A row: as `digits`, by the same search, of a rival without spikes."""
    (images, labels, held_out, answers), data = _digits()

    def trained(rate):
        generator = torch.Generator().manual_seed(seed)
        return nets.train_rows(make(generator), images, labels, generator, rate=rate)

    best = max(map(trained, (0.01, 0.02, 0.05)), key=lambda net: nets.read_rows(net, held_out, answers))
    return nets.read_rows(best, data.test_images, data.test_labels)


def same(beta):
    """Neurons with these decays, whatever the generator."""
    return lambda generator: partial(nets.fire, beta=beta)


def learned(generator):
    """Neurons that learn their decays, from 0.9."""
    return nets.Learned(0.9)


def spread(generator):
    """Neurons with half-lives from 3 to 100 steps."""
    return partial(nets.fire, beta=spread_decays(40, 3, 100))


def spread_patterns(generator):
    """A wide net without delays, with half-lives from 1 to 100 steps."""
    return nets.without(generator, 64, spread_decays(64, 1, 100))


def adaptive(generator):
    """Adaptive neurons."""
    return nets.adapt


def fast_adaptive(generator):
    """Adaptive neurons with a fast membrane: what the slow trace of their threshold does alone."""
    return partial(nets.adapt, beta=0.9)


def latches(generator):
    """A recurrent layer in which each neuron starts as a latch of weight 1.2."""
    return nets.Recurrent(generator, to_itself=1.2)


def cell(generator):
    """A spiking LSTM; its own weights are drawn by PyTorch from a seed of the generator's."""
    torch.manual_seed(int(torch.randint(2**31, (1,), generator=generator)))
    return nets.Cell()


def recurrent_patterns(generator):
    """A recurrent net without delays."""
    return nets.CountNet(nets.Plain(4, 16, generator), nets.Recurrent(generator, hidden=16), 16, generator)


CELLS = {"beta 0.9": same(0.9), "beta 0.99": same(0.99), "half-lives 3 to 100": spread, "learned, from 0.9": learned}
STATES = {"adaptive": adaptive, "recurrent, beta 0.9": nets.Recurrent, "spiking LSTM": cell}

ROWS = {
    "patterns, learned 16": partial(delays, nets.with_delays),
    "patterns, fixed 16": partial(delays, partial(nets.with_delays, learned=False)),
    **{f"patterns, beta {beta}": partial(patterns, partial(nets.without, hidden=23, beta=beta)) for beta in (0.9, 0.99)},
    "patterns, beta 0": partial(patterns, partial(nets.without, hidden=23, beta=0.0, reset="zero")),
    "patterns, two layers": partial(patterns, partial(nets.two_layers, hidden=23, first=0.9, second=0.99)),
    "patterns, half-lives 1 to 100": partial(patterns, spread_patterns),
    **{f"cue 60, {name}": partial(cue, make, 60) for name, make in CELLS.items()},
    **{f"cue 60, {name}": partial(cue, make, 60) for name, make in STATES.items()},
    "cue 60, adaptive, beta 0.9": partial(cue, fast_adaptive, 60),
    "cue 60, recurrent from latches": partial(cue, latches, 60),
    **{f"cue {delay}, recurrent, k = {k}": partial(cue, partial(nets.Recurrent, sharpness=k), delay)
       for delay, k in ((60, 1), (120, 1), (120, 2))},
    "cue 60, recurrent, interrupted": interrupted,
    "patterns, recurrent": partial(patterns, recurrent_patterns),
    "order, learned 16": partial(patterns, nets.with_delays, distractors=0),
    "order, beta 0.9": partial(patterns, partial(nets.without, hidden=23, beta=0.9), distractors=0),
    "order, beta 0": partial(patterns, partial(nets.without, hidden=23, beta=0.0, reset="zero"), distractors=0),
    "digits, learned": digits,
    "digits, fixed": partial(digits, delays="fixed"),
    "digits, none": partial(digits, delays="none", hidden=87, beta=0.9, max_delay=1),
    "patterns, convolution": partial(patterns, rivals.Convolution),
    "patterns, convolution, 4 kernels, highest": partial(patterns, partial(rivals.Convolution, kernels=4, read=torch.amax)),
    "patterns, GRU": partial(patterns, rivals.Gated),
    **{f"digits, GRU {hidden}": partial(digits_without_spikes, partial(rivals.Gated, inputs=28, hidden=hidden, classes=10))
       for hidden in (20, 50)},
    "patterns, learned 8": partial(delays, partial(nets.with_delays, hidden=8)),
    "patterns, fixed 8": partial(delays, partial(nets.with_delays, hidden=8, learned=False)),
    "patterns, rounded at the end": rounded_late,
    "patterns, half-lives 1 to 100, rate 0.1": partial(patterns, spread_patterns, rates=(0.1,)),
    "patterns, half-lives 1 to 100, 2400 batches": partial(patterns, spread_patterns, rates=(0.05,), iterations=2400),
    "cue 120, recurrent from latches": partial(cue, latches, 120),
    "patterns, learned 16, jitter 2": partial(patterns, nets.with_delays, jitter=2),
    "patterns, half-lives 1 to 100, jitter 2": partial(patterns, spread_patterns, jitter=2),
    **{f"cue {delay}, {name}": partial(cue, make, delay) for delay in (10, 30)
       for name, make in {**CELLS, **STATES}.items()},
    **{f"unequal lengths, {name}": partial(padding, read) for name, read in (
        ("last step", last_step), ("mean of all steps", mean_of_all), ("mean before the end", mean_before_end))},
}
