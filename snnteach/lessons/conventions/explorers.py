"""The explorers of notebook 22: five neurons on one input, and one neuron beside the continuous one it stands for.

They move plain numbers, several times as fast as single-number tensors; a test compares `walk` with `run_convention`.
"""
import math

from ...conventions import PRESETS, Convention, lateness
from ...membrane import first_spike_time
from ...plots import COLORS
from ..kinds import Choice, Control, Explorer

STEPS, ALPHA = 50, 0.5
SHOWN = {"snnTorch Leaky": "snntorch.Leaky", "Norse LIFBoxCell": "norse.LIFBoxCell", "SpikingJelly LIFNode":
         "spikingjelly.LIFNode", "spytorch": "spytorch"}
ORDERS = ("leak add reset fire", "leak add fire reset", "reset leak add fire", "add leak fire reset", "fire leak add reset")
RESETS = {"subtract": "subtract", "to zero": "value"}
TOP = 2.0


def walk(currents, convention, beta, alpha=0.0):
    """Run one neuron of a convention on a list of currents; lists of its potentials, as recorded, and its spikes."""
    c, mem, spk, syn, mems, spks = convention, convention.rest, 0.0, 0.0, [], []
    gain, verbs, synapse = 1 - beta if c.scaled else 1.0, c.order.split(), "fade" in c.order
    for x in currents:
        for verb in verbs:
            if verb == "leak":
                mem = c.rest + beta * (mem - c.rest)
            elif verb == "add":
                mem += gain * (syn if synapse else x)
            elif verb == "fire":
                spk = float(mem > 1 or (mem == 1 and not c.strict))
            elif verb == "fade":
                syn *= alpha
            elif verb == "hear":
                syn += x
            elif c.reset == "subtract":
                mem -= spk
            elif c.reset == "value":
                mem = (1 - spk) * mem + spk * c.reset_to
        mems.append(mem)
        spks.append(spk)
    return mems, spks


def compute_five(current, beta, order, reset, scaled):
    """The potentials and spikes of four libraries' neurons and of yours under a constant current."""
    yours = Convention(order, scaled=scaled == "1 - beta", reset=RESETS[reset])
    runs = {name: walk([current] * STEPS, PRESETS[preset], beta, ALPHA) for name, preset in SHOWN.items()}
    return {**runs, "yours": walk([current] * STEPS, yours, beta)}


def build_five(fig):
    """One row a neuron: its potential, and its spikes above."""
    artists = {}
    for place, (name, ax) in enumerate(zip((*SHOWN, "yours"), fig.subplots(5, 1, sharex=True), strict=True)):
        color = COLORS["vermillion" if name == "yours" else "blue"]
        ax.set(xlim=(-0.5, STEPS + 6.5), ylim=(-0.6, TOP + 0.95), yticks=(0, 1))
        ax.axhline(1, color="0.45", linestyle="--", linewidth=1.2)
        ax.set_ylabel(name.replace(" ", "\n"), rotation=0, ha="right", va="center")
        if place == 4:
            ax.set_xlabel("time step")
        artists[f"{name}: mem"] = ax.plot([], [], color=color, linestyle="--" if name == "yours" else "-")[0]
        artists[f"{name}: spk"] = ax.plot([], [], "|", color="black", markersize=9, markeredgewidth=1.8)[0]
        artists[f"{name}: says"] = ax.text(STEPS + 0.5, 1.35, "", va="center", fontsize=9.5)
    return artists


def update_five(artists, data):
    """Draw each potential below the row's top, its spikes and how many they are."""
    for name, (mems, spks) in data.items():
        artists[f"{name}: mem"].set_data(range(STEPS), [min(max(mem, -0.5), TOP) for mem in mems])
        fired = [step for step, spk in enumerate(spks) if spk]
        artists[f"{name}: spk"].set_data(fired, [TOP + 0.5] * len(fired))
        artists[f"{name}: says"].set_text(f"{len(fired)}")


def silent_beside_a_loud_one(data):
    """Whether the picture shows snnTorch firing often and Norse not at all."""
    return sum(data["snnTorch Leaky"][1]) > 5 and not any(data["Norse LIFBoxCell"][1])


LENGTH = 3.0                                                 # time constants that the second explorer shows


def compute_steps(step, current, order, reset):
    """A neuron with steps of so many time constants beside the continuous one, and by how much an interval comes late."""
    convention, beta = Convention(order, scaled=True, reset=RESETS[reset]), math.exp(-step)
    mems, spks = walk([current] * math.floor(LENGTH / step + 1e-9), convention, beta)
    interval = first_spike_time(current, tau=1.0)
    times = [step * (n + 1) for n in range(len(mems))]
    fired = [time for time, spk in zip(times, spks, strict=True) if spk]
    exact = [n * interval for n in range(1, math.floor(LENGTH / interval) + 1)]
    fine = [LENGTH * n / 300 for n in range(301)]
    return {"step": step, "order": order, "reset": reset, "times": times, "mems": mems, "fired": fired, "exact": exact,
            "fine": fine, "smooth": [current * (1 - math.exp(-(time % interval))) for time in fine],
            "late": step * lateness(convention, current)}


def build_steps(fig):
    """The two potentials over time, their spikes above, and what Eq. 3 says below."""
    ax = fig.subplots()
    ax.set(xlim=(0, LENGTH), ylim=(-0.6, 2.35), xlabel="time (time constants)", ylabel="membrane potential (threshold)",
           yticks=(0, 1))
    ax.axhline(1, color="0.45", linestyle="--", linewidth=1.2)
    artists = {
        "smooth": ax.plot([], [], color="black", linewidth=1.2, label="continuous")[0],
        "exact": ax.plot([], [], "|", color="black", markersize=12, markeredgewidth=1.8)[0],
        "mem": ax.plot([], [], "o-", color=COLORS["vermillion"], markersize=4, label="with steps")[0],
        "fired": ax.plot([], [], "|", color=COLORS["vermillion"], markersize=12, markeredgewidth=1.8)[0],
        "says": ax.text(0.99, 0.03, "", transform=ax.transAxes, ha="right", va="bottom", fontsize=9.5),
    }
    ax.legend(loc="upper left", ncols=2)
    return artists


def update_steps(artists, data):
    """Draw both neurons."""
    artists["smooth"].set_data(data["fine"], data["smooth"])
    artists["exact"].set_data(data["exact"], [1.9] * len(data["exact"]))
    artists["mem"].set_data(data["times"], [min(max(mem, -0.5), 1.7) for mem in data["mems"]])
    artists["fired"].set_data(data["fired"], [1.75] * len(data["fired"]))
    artists["says"].set_text(f"{len(data['fired'])} spikes, continuous {len(data['exact'])}; by Eq. 3 an "
                             f"interval is {data['late']:.3f} too long")


def close_by(data):
    """Whether the picture shows the delayed reset with steps so short that it lies on the continuous neuron."""
    return data["step"] <= 0.03 and data["order"] == "leak add reset fire" and data["reset"] == "subtract"


EXPLORERS = {
    "five": Explorer(
        compute_five, build_five, update_five,
        controls={"current": Control(1.2, 0.05, 2.0, 0.05, "input", "thresholds"),
                  "beta": Control(0.8, 0.5, 0.95, 0.05, "beta"),
                  "order": Choice(ORDERS[0], ORDERS, "your order"), "reset": Choice("subtract", tuple(RESETS), "your reset"),
                  "scaled": Choice("1", ("1", "1 - beta"), "your input times")},
        sweeps=(("current", {}), ("beta", {"current": 0.3}), ("order", {"current": 0.5})),
        alt="Five rows, one a neuron on the same constant input: the potentials of snnTorch's, Norse's, SpikingJelly's and "
            "spytorch's neurons and of yours, their spikes as ticks above, and how many there are.",
        size=(7.4, 5.2)),
    "steps": Explorer(
        compute_steps, build_steps, update_steps,
        controls={"step": Control(0.25, 0.01, 0.5, 0.01, "step", "time constants"), "current": Control(2.0, 1.1, 4.0, 0.1,
                  "input", "thresholds"), "order": Choice(ORDERS[0], ORDERS[:2], "order"),
                  "reset": Choice("subtract", tuple(RESETS), "reset")},
        sweeps=(("step", {}), ("step", {"order": ORDERS[1]}), ("current", {})),
        alt="The potential of the continuous neuron and that of a neuron with steps over three time constants, their spikes "
            "above, and by how much an interval is too long by Eq. 3.",
        size=(7.4, 3.6)),
}
