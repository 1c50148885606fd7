"""The long runs of notebook 18: controllers of a craft, forecasts of sunspots, trajectories, and neurons without a reset.

Settings come from a few earlier trials: for the sunspots on the months held out before the test, for all else on nothing held
apart, LQR's price on effort among them. The controls inherit those of the network they are compared with, and a row changes
what its name says and nothing else; but the linear controllers have 150 updates and a learning rate of their own.
"""
from functools import partial

import torch

from ..kinds import AMOUNT, COSINE, SHARE, TIME
from .flights import (
    Louder,
    Softer,
    Wounded,
    healed,
    imitated,
    lesions,
    tested,
    trained,
    trained_linear,
    trained_ordinary,
    turns,
)
from .signals import forecast, learned, new_error, speed
from .signals import made as network

SEEDS = (0, 1, 2, 3, 4)
TOLERANCE = 0.1
QUANTITIES = {"speed: *": TIME, "*cosine*": COSINE, "*survival*": SHARE, "*cut *": SHARE, "*rate*": SHARE, "*": AMOUNT}
HARDER = {"starts 1.5": {"width": 1.5}, "kick 2": {"kick": 2.0}, "kick 3": {"kick": 3.0}}


def twice(measure, seed):
    """Two controllers a seed, so that five seeds are ten controllers."""
    return {f"{name}, {which}": value for which in ("first", "second")
            for name, value in measure(2 * seed + (which == "second")).items()}


def controller(seed, **options):
    """A row: how a trained spiking controller flies, and how its gradient was off before training."""
    made, before = trained(seed, **options)
    return {**tested(made), **before}


def well(seed):
    """A row: as `controller`, and from wider starts, kicked, and with neurons cut away."""
    made, before = trained(seed)
    harder = {f"{name}: survival": tested(made, **change)["survival"]
              for name, change in HARDER.items()}
    return {**tested(made), **before, **harder, **lesions(made, seed)}


def wounded(seed):
    """A row: trained with a fifth of the neurons cut; tested whole and cut."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)                                       # of the cuts
        made = healed(trained(seed, Wounded)[0])
    return {**tested(made), **lesions(made, seed)}


def linear(seed):
    """Control, a row: fourteen trained numbers."""
    made = trained_linear(seed)
    harder = {f"{name}: survival": tested(made, **change)["survival"]
              for name, change in HARDER.items()}
    return {**tested(made), **harder}


def ordinary(seed, unit=torch.relu):
    """Control, a row: the same two layers without spikes and without memory, trained as the spiking ones."""
    made = trained_ordinary(seed, unit)
    harder = {f"{name}: survival": tested(made, **change)["survival"]
              for name, change in HARDER.items()}
    return {**tested(made), **harder}


def round_the_loop(seed):
    """A row: the gradient of a trained controller with the reset attached and detached, by steps flown."""
    return turns(trained(seed)[0])


def imitation(seed):
    """Control, a row: the same two layers learn to say what LQR says, without a loop."""
    return {"attached": imitated(seed, False), "detached": imitated(seed, True)}


def trajectory(seed, **options):
    """A row: the product of a signal with its past, on new signals."""
    return new_error(learned(network(seed, **options), seed), seed)


ROWS = {
    "attached": partial(twice, well),
    "detached": partial(twice, partial(controller, detach_reset=True)),
    "detached, surrogate x 0.41": partial(controller, detach_reset=True, factor=0.41),
    "attached, loop x 6": partial(controller, make=Louder),
    "detached, loop / 6": partial(controller, make=Softer, detach_reset=True),
    "round the loop": round_the_loop,
    "imitate LQR": imitation,
    "linear": linear,
    "ordinary": ordinary,
    "ordinary, tanh": partial(ordinary, unit=torch.tanh),
    "no memory": partial(controller, beta=0.0, readout_decay=0.0),
    "trained with cuts": wounded,
    "trajectory": trajectory,
    "trajectory, detached": partial(trajectory, detach_reset=True),
    "trajectory, spike read-out": partial(trajectory, readout="spike"),
    "trajectory, no memory": partial(trajectory, tau=(0.0, 0.0)),
    "sunspots": forecast,
    "sunspots, feed-forward": partial(forecast, recurrent=False),
    "speed": speed,
}
