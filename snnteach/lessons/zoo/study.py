"""Neurons fitted to a grasshopper's receptor, and what each neuron of the zoo costs; see notebook 03.

A fit is a search: 192 random neurons, then six times 192 neighbours of the sixteen best. It sees the first five seconds of the
first recording and nothing else. What it wants is coincidence, from which chance is already taken away, less the share by which
the number of spikes in each second is off: that asks for the right number besides. The dead time is set beforehand.
"""
import math
import statistics
import time
from functools import partial

import torch

from ...data.recordings import SECONDS_PER_STEP, grasshopper
from ...kernels import SpikingLSTM
from ...neurons import lif
from ...scores import coincidence_factor
from ...zoo import adaptive_lif, alpha_lif, cuba_lif, recurrent_lif, refractory_lif
from ..kinds import AMOUNT, TIME, Quantity

SEEDS = (0, 1, 2)
TOLERANCE = 0.02
QUANTITIES = {"cost, *": TIME, "*: floor": Quantity(-60, 0), "*, random": Quantity(-1, 1), "*, shifted": Quantity(-1, 1),
              "*, coincidence": Quantity(-1, 1), "*": AMOUNT}
DT, WITHIN, REST = 0.5, 2.0, 7                         # ms, ms, and steps: a dead time of 3.5 ms
FITTED, HELD_OUT, WHOLE = (0.0, 5000.0), (5000.0, 10_000.0), (0.0, 10_000.0)                # ms
TAU, GAIN, FLOOR, STRENGTH, SLOWNESS, DELAY = range(6)    # columns of a candidate; gain and slowness as powers of ten
LOW, HIGH = torch.tensor([[0.5, -1.5, -32.0, 0.0, 1.0, 3.0], [12.0, 1.5, -10.0, 60.0, 4.0, 12.0]])
KINDS = {"slow adaptation": (2.9, 4.0, 60.0), "fast adaptation": (1.0, 2.3, 60.0), "no adaptation": (1.0, 2.3, 0.0)}
CANDIDATES, PARENTS, ROUNDS = 192, 16, 7


def sound(recording):
    """Return the loudness of every step of half a millisecond [T] in dB, and the spike times in milliseconds [K]."""
    loudness, times = grasshopper(recording)
    return loudness.view(-1, round(DT / SECONDS_PER_STEP / 1e3)).mean(1), times * 1e3


def heard(loudness, tau, gain, floor):
    """Turn loudness [T] into the input [T, N] of neurons: nothing below a floor, a gain per dB above it, in thresholds."""
    return (1 - torch.exp(-DT / tau)) * gain * (loudness[:, None] - floor).clamp(min=0)


def spikes(candidates, loudness):
    """Run a neuron for each candidate [N, 6] over the sound and return its spikes, [T, N]."""
    tau, gain, floor, strength, slowness, _ = candidates.unbind(1)
    x = heard(loudness, tau, 10**gain, floor)[:, None]                             # [T, 1, N]
    with torch.no_grad():
        return refractory_lif(x, torch.exp(-DT / tau), REST, rho=torch.exp(-DT / 10**slowness), strength=strength,
                              reset="zero")[0][:, 0]


def fired(spk, delay):
    """When the receptor would have fired, in milliseconds: a step ends, and the delay passes."""
    return (spk.nonzero().flatten().double() + 1) * DT + float(delay)


def score(model, times, start, end):
    """Coincidence less the share of spikes that are too many or too few, second by second."""
    seconds = torch.arange(start, end + 1, 1000.0, dtype=torch.float64)
    counts, wanted = (torch.histogram(train, seconds).hist for train in (model, times))
    off = ((counts - wanted).abs().sum() / wanted.sum()).item()
    return coincidence_factor(times, model, WITHIN, start, end) - off


def fitted(kind, seed):
    """A row: the neuron that a search of this seed finds on the first half of the first recording, and what it meets."""
    generator = torch.Generator().manual_seed(seed)
    low, high = LOW.clone(), HIGH.clone()
    low[SLOWNESS], high[SLOWNESS], high[STRENGTH] = KINDS[kind]
    loudness, times = sound(1)
    loudness, best = loudness[:round(FITTED[1] / DT)], (torch.empty(0, 6), torch.empty(0))
    candidates = low + (high - low) * torch.rand(CANDIDATES, 6, generator=generator)
    for turn in range(ROUNDS):
        spk = spikes(candidates, loudness)
        found = torch.tensor([score(fired(spk[:, n], candidates[n, DELAY]), times, *FITTED) for n in range(CANDIDATES)])
        both = torch.cat([best[0], candidates]), torch.cat([best[1], found])
        order = both[1].argsort(descending=True, stable=True)[:PARENTS]
        best = both[0][order], both[1][order]
        parents = best[0][torch.randint(PARENTS, (CANDIDATES,), generator=generator)]
        spread = 0.15 * 0.6**turn * (high - low) * torch.randn(CANDIDATES, 6, generator=generator)
        candidates = torch.minimum(torch.maximum(parents + spread, low), high)
    return described(best[0][0], seed)


def described(neuron, seed):
    """What a neuron [6] is, and how it meets each part of the recordings, beside its two controls."""
    tau, gain, floor, strength, slowness, delay = neuron.tolist()
    row = {"tau": tau, "gain": 10**gain, "floor": floor, "strength": strength, "slowness": 10**slowness, "delay": delay}
    for name, recording, part in (("fitted", 1, FITTED), ("held out", 1, HELD_OUT), ("second sound", 2, WHOLE)):
        loudness, times = sound(recording)
        model = fired(spikes(neuron[None], loudness)[:, 0], delay)
        inside = model[(model >= part[0]) & (model < part[1])]
        row |= {f"{name}, coincidence": coincidence_factor(times, model, WITHIN, *part),
                f"{name}, shifted": coincidence_factor(times + 500, model, WITHIN, *part),
                f"{name}, random": coincidence_factor(times, random_train(len(inside), *part, seed), WITHIN, *part),
                f"{name}, spikes": float(len(inside))}
    return row


def taken_away(seed):
    """A row: the held-out seconds again, for fits from which one thing is taken and nothing is fitted anew."""
    loudness, times = sound(1)
    slow, none = fitted("slow adaptation", seed), fitted("no adaptation", seed)
    row = {}
    for fit, name, rest, kept in ((slow, "slow without its adaptation", REST, 0.0), (slow, "slow with a short rest", 1, 1.0),
                                  (none, "none with a short rest", 1, 1.0)):
        tau = torch.tensor([fit["tau"]])
        x = heard(loudness, tau, fit["gain"], fit["floor"])[:, None]               # [T, 1, 1]
        with torch.no_grad():
            spk, *_ = refractory_lif(x, torch.exp(-DT / tau), rest, rho=math.exp(-DT / fit["slowness"]),
                                     strength=kept * fit["strength"], reset="zero")
        model = fired(spk[:, 0, 0], fit["delay"])
        row |= {f"{name}, coincidence": coincidence_factor(times, model, WITHIN, *HELD_OUT),
                f"{name}, spikes": float(((model >= HELD_OUT[0]) & (model < HELD_OUT[1])).sum())}
    return row


def loud_times(loudness, floor, peaks):
    """When the sound is above a floor [dB], in steps: at each peak, or whenever the dead time has passed. No membrane."""
    level, found = loudness.tolist(), [-REST]
    for t in range(1, len(level) - 1):
        top = not peaks or level[t - 1] <= level[t] > level[t + 1]
        if level[t] > floor and top and t - found[-1] > REST:
            found.append(t)
    return torch.tensor(found[1:], dtype=torch.float64)


def detector(peaks, seed):
    """A row without a neuron and without chance: floor and delay that meet the fitted seconds best, and what they meet."""
    loudness, times = sound(1)
    loudness, best = loudness[:round(FITTED[1] / DT)], (-math.inf,)
    for floor in range(-24, -7):
        found = (loud_times(loudness, floor, peaks) + 1) * DT
        for delay in torch.arange(3.0, 12.5, 0.5).tolist():
            best = max(best, (score(found + delay, times, *FITTED), floor, delay))
    _, floor, delay = best
    row = {"floor": float(floor), "delay": delay}
    for name, recording, part in (("fitted", 1, FITTED), ("held out", 1, HELD_OUT), ("second sound", 2, WHOLE)):
        loudness, times = sound(recording)
        model = (loud_times(loudness, floor, peaks) + 1) * DT + delay
        row |= {f"{name}, coincidence": coincidence_factor(times, model, WITHIN, *part),
                f"{name}, spikes": float(((model >= part[0]) & (model < part[1])).sum())}
    return row


def random_train(count, start, end, seed):
    """As many spikes anywhere, but for the same dead time: a Poisson train that rests, without any knowledge of the sound."""
    rest = REST * DT
    free = torch.rand(count, generator=torch.Generator().manual_seed(100 + seed), dtype=torch.float64).sort().values
    return start + free * (end - start - count * rest) + rest * torch.arange(count)


def layers(num_neurons):
    """The layers of the zoo by name, each a function of its input, with weights and decays that learn where it has them."""
    generator = torch.Generator().manual_seed(0)
    own, everyone = (torch.randn(shape, generator=generator).div_(num_neurons).requires_grad_()
                     for shape in ((num_neurons,), (num_neurons, num_neurons)))
    lstm = SpikingLSTM(num_neurons, num_neurons)
    return {"LIF": lambda x: lif(x, 0.9), "current-based": lambda x: cuba_lif(x, 0.8, 0.9),
            "alpha": lambda x: alpha_lif(x, 5.0), "dead time": lambda x: refractory_lif(x, 0.9, 3),
            "adaptive": lambda x: adaptive_lif(x, 0.9, 0.98, 2.0),
            "one-to-one": lambda x: recurrent_lif(x, 0.9, own), "all-to-all": lambda x: recurrent_lif(x, 0.9, everyone),
            "spiking LSTM": lstm}


def cost(seed, steps=100, batch=32, num_neurons=100, calls=9):
    """A row: milliseconds of processor time, forward and backward, of each layer; median of calls that take turns."""
    x = 0.3 * torch.rand(steps, batch, num_neurons, generator=torch.Generator().manual_seed(seed))
    times = {name: [] for name in layers(num_neurons)}
    for _ in range(calls):
        for name, layer in layers(num_neurons).items():
            start = time.process_time()
            layer(x.clone().requires_grad_())[0].sum().backward()
            times[name].append(1e3 * (time.process_time() - start))
    return {name: statistics.median(found[2:]) for name, found in times.items()}


ROWS = {kind: partial(fitted, kind) for kind in KINDS} | {"cost, milliseconds": cost, "taken away": taken_away}
ROWS |= {"detector of peaks": partial(detector, True), "detector of loudness": partial(detector, False)}
ROWS |= {"cost, batch 4": partial(cost, batch=4), "cost, 400 neurons": partial(cost, num_neurons=400)}
