"""The explorers of notebook 26: a quantum neuron beside its classical twin, and two spike trains that drift apart."""
import math

import torch

from ...neurons import lif
from ...plots import COLORS
from ...quantum import qlif
from ...spike_distances import van_rossum, victor_purpura
from ..kinds import Choice, Control, Explorer

STEPS, TOP = 40, 1.0
SHOTS = {"exact": None, "1000": 1000, "100": 100, "20": 20, "5": 5}


def compute_neurons(angle, t1, threshold, shots):
    """Forty steps of one drive: probability and spikes of the quantum neuron, squared membrane and spikes of its twin."""
    theta = torch.full((STEPS, 1, 1), angle * math.pi, dtype=torch.float64)
    decay = math.exp(-1 / t1)
    spk, a = qlif(theta, decay, threshold, shots=SHOTS[shots], generator=torch.Generator().manual_seed(0))
    twin, mem = lif(theta / 2, math.sqrt(decay), math.sqrt(threshold), reset="zero")
    return {"a": a.flatten(), "quantum": spk.flatten(), "squared": mem.flatten() ** 2, "classical": twin.flatten(),
            "threshold": threshold}


def build_neurons(fig):
    """The two curves over time, and their spikes above."""
    curves, ticks = fig.subplots(2, 1, sharex=True, height_ratios=(3.2, 1))
    curves.set(xlim=(-0.5, STEPS - 0.5), ylim=(-0.03, TOP + 0.1), ylabel="probability, or $U^2$")
    curves.set_title("A qubit (blue), a membrane (dashed)")
    ticks.set(ylim=(-0.6, 1.6), xlabel="time step")
    ticks.set_yticks((0, 1), ("classical", "quantum"))
    return {
        "squared": curves.plot([], [], "--", color=COLORS["vermillion"])[0],
        "a": curves.plot([], [], color=COLORS["blue"], marker="o", markersize=3)[0],
        "threshold": curves.axhline(0.7, color="0.45", linestyle="--", linewidth=1.2),
        "quantum": ticks.plot([], [], "|", color=COLORS["blue"], markersize=14, markeredgewidth=2)[0],
        "classical": ticks.plot([], [], "|", color=COLORS["vermillion"], markersize=14, markeredgewidth=2)[0],
        "said": curves.text(1.0, 1.03, "", transform=curves.transAxes, ha="right", va="bottom"),
    }


def update_neurons(artists, data):
    """Draw curves, threshold, spikes and their numbers."""
    artists["a"].set_data(range(STEPS), data["a"])
    artists["squared"].set_data(range(STEPS), data["squared"])
    artists["threshold"].set_ydata([data["threshold"]] * 2)
    for row, name in enumerate(("classical", "quantum")):
        steps = data[name].nonzero().flatten()
        artists[name].set_data(steps, [row] * len(steps))
    artists["said"].set_text(f"spikes: quantum {int(data['quantum'].sum())}, classical {int(data['classical'].sum())}")


FIRST, MOVED, LAST, REACH = 8, 20, 52, 26
_SHIFTS = range(REACH + 1)


def _pair(shift):
    """Two trains [T, 2, 1]: the second is the first with its middle spike later by `shift` steps."""
    spk = torch.zeros(60, 2, 1, dtype=torch.float64)
    spk[[FIRST, MOVED, LAST], 0] = 1
    spk[[FIRST, MOVED + shift, LAST], 1] = 1
    return spk


def compute_distances(shift, tau, cost):
    """Both distances for every shift, and the two trains for one."""
    rossum = torch.tensor([1 - math.exp(-step / tau) for step in _SHIFTS], dtype=torch.float64)
    purpura = torch.tensor([min(cost * step, 2.0) for step in _SHIFTS], dtype=torch.float64)
    spk = _pair(shift)
    return {"rossum": rossum, "purpura": purpura, "shift": shift, "spk": spk[:, :, 0],
            "now": (van_rossum(spk, tau)[0, 1].item() ** 2, victor_purpura(spk, cost)[0, 1].item())}


def build_distances(fig):
    """Above the two trains, below the distances against the shift."""
    trains, curves = fig.subplots(2, 1, height_ratios=(1, 2.6))
    trains.set(xlim=(0, 59), ylim=(-0.6, 1.6), xlabel="time step")
    trains.set_yticks((0, 1), ("second", "first"))
    trains.set_title("One spike drifts away: how far apart are the trains?")
    curves.set(xlim=(0, REACH), ylim=(0, 2.2), xlabel="shift (steps)", ylabel="distance")
    return {
        "first": trains.plot([], [], "|", color="black", markersize=14, markeredgewidth=2)[0],
        "second": trains.plot([], [], "|", color="black", markersize=14, markeredgewidth=2)[0],
        "purpura": curves.plot([], [], color=COLORS["blue"])[0],
        "rossum": curves.plot([], [], "--", color=COLORS["vermillion"])[0],
        "here": curves.plot([], [], "o", color="black", markersize=7)[0],
        "said": curves.text(0.99, 0.3, "", transform=curves.transAxes, ha="right", va="top"),
    }


def update_distances(artists, data):
    """Draw trains, curves up to the shift, and where we are."""
    for row, name in ((1, "first"), (0, "second")):
        steps = data["spk"][:, 1 - row].nonzero().flatten()
        artists[name].set_data(steps, [row] * len(steps))
    seen = data["shift"] + 1                                     # what lies ahead is not told
    for name in ("rossum", "purpura"):
        artists[name].set_data(range(seen), data[name][:seen])
    artists["here"].set_data([data["shift"]] * 2, data["now"])
    artists["said"].set_text(f"Victor and Purpura (blue) {data['now'][1]:.2f}\n"
                             f"van Rossum, squared (dashed) {data['now'][0]:.2f}")


EXPLORERS = {
    "neurons": Explorer(
        compute_neurons, build_neurons, update_neurons,
        controls={"angle": Control(0.2, 0.0, 2.0, 0.05, "angle a step", "half turns"),
                  "t1": Control(10, 1, 50, 1, "T1", "steps"),
                  "threshold": Control(0.7, 0.1, 0.95, 0.05, "threshold"),
                  "shots": Choice("exact", tuple(SHOTS), "shots")},
        sweeps=(("angle", {}), ("t1", {}), ("shots", {})),
        alt="The excitation probability of a qubit over 40 steps, climbing to a threshold and reset by each spike, beside the "
            "squared membrane of a classical neuron, and the spikes of both.",
        size=(6.8, 3.9)),
    "distances": Explorer(
        compute_distances, build_distances, update_distances,
        controls={"shift": Control(2, 0, REACH, 1, "shift", "steps"),
                  "tau": Control(4.0, 1.0, 20.0, 1.0, "tau", "steps"),
                  "cost": Control(0.2, 0.0, 1.0, 0.05, "cost of a step")},
        sweeps=(("shift", {}), ("cost", {"shift": 12})),
        alt="Above, two spike trains that differ in the time of one spike. Below, their distances after Victor and Purpura and "
            "after van Rossum against the shift of that spike, drawn up to where it is.",
        size=(6.8, 3.9)),
}
