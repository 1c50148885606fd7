"""Explorers of notebook 11: three spikes that must meet, and a neuron that keeps itself awake."""
import torch

from ...delays import deployed_current
from ...memory import least_self_weight
from ...neurons import lif
from ...plots import COLORS, threshold_line
from ...zoo import recurrent_lif
from ..kinds import Control, Explorer

FIRED = torch.tensor([3, 11, 20])                        # when the inputs A, B and C fire; backwards: C, B, A
WEIGHT = 0.4
_STEPS, _HELD = 56, 80
_NAMES = ("A", "B", "C")


def compute_three(delay_a, delay_b, delay_c, beta):
    """Run one neuron on the three spikes in order and backwards, with these delays; spk and mem are [T, 2]."""
    spk = torch.zeros(_STEPS, 2, 3)                                                           # [T, B, C]
    spk[FIRED, 0, torch.arange(3)] = 1
    spk[FIRED.flip(0), 1, torch.arange(3)] = 1
    delay = torch.tensor([[delay_a, delay_b, delay_c]])
    fired, mem = lif(deployed_current(spk, torch.full((1, 3), WEIGHT), delay), beta)
    return {"arrival": FIRED + delay[0], "mem": mem[..., 0], "fires": (fired[..., 0].sum(0) > 0).tolist()}


def build_three(fig):
    """Above each spike and when it arrives; below the potential, for the spikes in order and backwards."""
    top, low = fig.subplots(2, 1, height_ratios=(1, 1.6), sharex=True)
    top.set(ylim=(2.6, -0.6), title="Spikes in order, and when they arrive")
    top.set_yticks(range(3), _NAMES)
    low.set(xlim=(-1, _STEPS), ylim=(0, 1.55), xlabel="time step", ylabel="potential U")
    threshold_line(low)
    artists = {
        **{f"way{place}": top.plot([], [], color="0.6", linewidth=1.2)[0] for place in range(3)},
        "left": top.plot(FIRED, range(3), "|", color="black", markersize=14, markeredgewidth=2)[0],
        "arrived": top.plot([], [], "o", color=COLORS["blue"], markersize=7)[0],
        "order": low.plot([], [], color=COLORS["blue"])[0],
        "backwards": low.plot([], [], color=COLORS["vermillion"], linestyle="--")[0],
        "verdict": low.text(0.01, 0.96, "", transform=low.transAxes, va="top", color=COLORS["blue"], fontweight="bold"),
        "other": low.text(0.01, 0.84, "", transform=low.transAxes, va="top", color=COLORS["vermillion"], fontweight="bold"),
    }
    return artists


def update_three(artists, data):
    """Move the arrivals, both potentials and the two verdicts."""
    arrival = data["arrival"].tolist()
    for place, (start, end) in enumerate(zip(FIRED.tolist(), arrival)):
        artists[f"way{place}"].set_data([start, end], [place, place])
    artists["arrived"].set_data(arrival, range(3))
    steps = torch.arange(_STEPS)
    artists["order"].set_data(steps, data["mem"][:, 0])
    artists["backwards"].set_data(steps, data["mem"][:, 1])
    for name, words, fires in zip(("verdict", "other"), ("A, B, C", "C, B, A"), data["fires"]):
        artists[name].set_text(f"{words}: {'fires' if fires else 'silent'}")


def compute_latch(weight, beta, pulse):
    """Kick a neuron once that sends its spikes back to itself, and inhibit it once; spk and mem are [T]."""
    x = torch.zeros(_HELD, 1, 1)
    x[5], x[45] = 1.5, -pulse
    spk, mem, *_ = recurrent_lif(x, beta, torch.tensor([weight]))
    return {"spk": spk.flatten(), "mem": mem.flatten(), "count": int(spk.sum()), "weight": weight,
            "least": least_self_weight(beta)}


def build_latch(fig):
    """The potential after one kick and one inhibitory pulse, its spikes above."""
    axes = fig.subplots()
    axes.set(xlim=(-1, _HELD), ylim=(-1.6, 6.2), xlabel="time step", ylabel="potential U")
    axes.set_title(" ")
    threshold_line(axes)
    axes.annotate("kick", (5, -1.45), ha="center", color=COLORS["orange"])
    axes.annotate("pulse", (46, -1.45), color=COLORS["orange"])
    return {"mem": axes.plot([], [], color=COLORS["blue"])[0],
            "spk": axes.plot([], [], "|", color="black", markersize=12)[0],
            "count": axes.text(0, 1.04, "", transform=axes.transAxes, fontweight="bold"),
            "law": axes.text(1, 1.04, "", transform=axes.transAxes, ha="right", color="0.25")}


def update_latch(artists, data):
    """Move the potential, the spikes and what is said of them."""
    steps = torch.arange(_HELD)
    fired = steps[data["spk"] > 0]
    artists["mem"].set_data(steps, data["mem"])
    artists["spk"].set_data(fired, torch.full(fired.shape, 5.8))
    awake = data["spk"][-1] > 0
    artists["count"].set_text(f"spikes: {data['count']}, {'awake' if awake else 'asleep'} at the end")
    artists["law"].set_text(f"2 − β = {data['least']:.2f}" if data["weight"] > 0 else "")


EXPLORERS = {
    "three": Explorer(
        compute_three, build_three, update_three,
        controls={"delay_a": Control(0, 0, 31, 1, "delay of A", "steps"),
                  "delay_b": Control(0, 0, 31, 1, "delay of B", "steps"),
                  "delay_c": Control(0, 0, 31, 1, "delay of C", "steps"),
                  "beta": Control(0.9, 0.0, 0.99, 0.01, "decay beta", "per step")},
        sweeps=(("beta", {}), ("delay_a", {"delay_b": 17, "delay_c": 8, "beta": 0.4})),
        alt="Above, three spikes A, B and C at steps 3, 11 and 20, each with a line to the step at which it arrives; below, "
            "the "
            "potential of the neuron that hears them, for this order and for the reversed one, with its threshold.",
        size=(6.6, 4.2)),
    "latch": Explorer(
        compute_latch, build_latch, update_latch,
        controls={"weight": Control(0.0, 0.0, 1.5, 0.01, "weight to itself V", "thresholds"),
                  "beta": Control(0.9, 0.5, 0.99, 0.01, "decay beta", "per step"),
                  "pulse": Control(0.0, 0.0, 6.0, 0.1, "inhibitory pulse", "thresholds")},
        sweeps=(("weight", {}), ("pulse", {"weight": 1.5})),
        alt="The potential of a neuron that is kicked once, sends its spikes back to itself, and gets an inhibitory pulse at "
            "step 45, its threshold, and its spikes; above, how many there are and, where the weight is not 0, "
            "that above which they go on for ever."),
}
