"""A leaky membrane in the place of a grasshopper's receptor: one is fitted for each time constant; see notebook 01."""
from functools import cache, partial

import torch

from ...data.recordings import SECONDS_PER_STEP, grasshopper
from ...scores import coincidence_factor
from ..kinds import AMOUNT, Quantity
from .answers import bank

SEEDS = (0, 1, 2)                                     # the third of the recording that is fitted; the others are the test
TOLERANCE = 0.02
QUANTITIES = {"*: floor": Quantity(-60, 0), "*: gain": AMOUNT, "*: delay": AMOUNT, "*": Quantity(-1, 1)}
DT, WITHIN = 0.5, 2.0                                 # ms
NEURONS = {f"tau {tau}": (float(tau), 6) for tau in (1, 2, 4, 8, 16, 32)} | {     # ms, and steps: a dead time of 3 ms
    "no leak": (1e7, 6), "no memory": (0.01, 6), "no dead time": (8.0, 0)}
FLOORS, DELAYS = range(-32, -7, 2), range(3, 13)         # dB; ms from the sound to the receptor's spike


def sound(recording):
    """Return the loudness of every step of half a millisecond [T] in dB, and the spike times in milliseconds [K]."""
    loudness, times = grasshopper(recording)
    return loudness.view(-1, round(DT / SECONDS_PER_STEP / 1e3)).mean(1), times * 1e3


def heard(loudness, floor, gain):
    """Turn loudness [T] into currents [T, N] in rheobases: nothing below a floor (dB), then `gain` for each dB."""
    return gain * (loudness[:, None] - floor).clamp(min=0)


def coincidence(spk, times, delay, start, end):
    """Share of spikes within 2 ms of one another, corrected for chance: 0 is chance, 1 is every spike.

    Args:
        spk: spikes of the model, [T].
        times: those of the receptor, [K], in ms.
        delay: how much later the receptor fires, ms.
        start, end: the part that is judged, ms.

    Source: Kistler, Gerstner and van Hemmen (1997), doi:10.1162/neco.1997.9.5.1015.
    """
    model = (spk.nonzero().flatten().double() + 1) * DT + delay
    return coincidence_factor(times, model, WITHIN, start, end)


@cache
def _trains(recording, tau, dead_steps):
    """All floors and gains, [N] each, and the spikes [T, N] of a neuron with each of them."""
    gains = torch.logspace(-1.5, 0.5, 25) * max(1.0, tau / 10)
    floors, gains = torch.cartesian_prod(torch.tensor(FLOORS, dtype=torch.float32), gains).unbind(1)
    current = heard(sound(recording)[0], floors, gains)
    return floors, gains, bank(current, torch.full_like(gains, tau), DT, dead_steps)


def fitted(recording, tau, dead_steps, seed):
    """A row: the best floor, gain and delay on a third of the recording, and how the spikes coincide on the rest of it.

    Only neurons that fire as often as the receptor, to a tenth, compete. `shifted` is the control: the same two trains, one
    of them half a second late.
    """
    (loudness, times), (floors, gains, spk) = sound(recording), _trains(recording, tau, dead_steps)
    length = len(loudness) * DT
    start, end = length * seed / 3, length * (seed + 1) / 3
    wanted, counts = ((times >= start) & (times < end)).sum(), spk[round(start / DT):round(end / DT)].sum(0)
    able = ((counts - wanted).abs() <= wanted / 10).nonzero().flatten().tolist()
    _, best, delay = max((coincidence(spk[:, n], times, delay, start, end), n, delay) for n in able for delay in DELAYS)

    def elsewhere(late):
        parts = [(a, b) for a, b in ((0.0, start), (end, length)) if b > a]
        return sum((b - a) * coincidence(spk[:, best], times + late, delay, a, b) for a, b in parts) / (length - end + start)

    return {"coincidence": elsewhere(0), "shifted": elsewhere(500), "floor": floors[best].item(), "gain": gains[best].item(),
            "delay": float(delay)}


ROWS = {f"recording {recording}, {name}": partial(fitted, recording, *neuron) for recording in (1, 2)
        for name, neuron in NEURONS.items()}
