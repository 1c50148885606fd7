"""The explorers of notebook 21: who pays less for a synapse, and how many cores a pruned network fills.

`python -m snnteach.lessons.energy.explorers` trains the network of the second one again and writes `needs.npz`.
"""
import functools
from pathlib import Path

import numpy as np
import torch

from ...energy import ADD_FLOAT, MULTIPLY_FLOAT, break_even
from ...mapping import fill_cores, magnitude_masks
from ...plots import COLORS
from ..kinds import Control, Explorer

NEEDS = Path(__file__).with_name("needs.npz")
LEVELS = 50                                                         # shares pruned, 0, 0.02 ... 0.98
MOST_PRICE, MOST_SPIKES, MOST_COST, MOST_CORES, CHIP = 20.0, 6.0, 3.0, 40, 8
_PARTS = (("arithmetic", "blue"), ("weights", "orange"), ("state", "purple"))


def compute_price(spikes, weight, steps, fan_in, density):
    """Price a synapse for an inference, on both sides, the dense one as 1: arithmetic, weights and states; the break-even."""
    mac = ADD_FLOAT + MULTIPLY_FLOAT
    dense = {"arithmetic": density * mac, "weights": density * weight, "state": 0.0}
    updates = steps / fan_in                                        # a synapse's share of the updates of its neuron
    spiking = {"arithmetic": spikes * ADD_FLOAT + updates * mac, "weights": spikes * weight, "state": updates * 2 * weight}
    whole = sum(dense.values())
    silent = updates * (mac + 2 * weight) / whole
    return {"dense": {part: value / whole for part, value in dense.items()},
            "spiking": {part: value / whole for part, value in spiking.items()},
            "spikes": spikes, "ratio": sum(spiking.values()) / whole,
            "line": (silent, silent + MOST_SPIKES * (ADD_FLOAT + weight) / whole),
            "break_even": break_even(density * (mac + weight), ADD_FLOAT + weight, mac + 2 * weight, steps, fan_in)}


def build_price(fig):
    """Left a stacked bar for each side, right the cost of the spiking one over its spikes, with a dot where we are."""
    bars, plane = fig.subplots(1, 2, width_ratios=(1, 1.5))
    bars.set(xlim=(-0.6, 1.6), ylim=(0, MOST_COST), ylabel="cost of a synapse, dense = 1")
    bars.set_xticks([0, 1], ["dense", "spiking"])
    plane.set(xlim=(0, MOST_SPIKES), ylim=(0, MOST_COST), xlabel="spikes of an input in an inference")
    plane.set_title("spiking wins below the dashed line")
    plane.axhline(1, color="0.45", linestyle="--", linewidth=1.4)
    artists = {f"{side}_{part}": bars.bar(place, 0, width=0.7, color=COLORS[color], label=part if not place else None)[0]
               for part, color in _PARTS for place, side in enumerate(("dense", "spiking"))}
    bars.legend(loc="upper left", fontsize=9)
    return {**artists, "line": plane.plot([], [], color=COLORS["black"], linewidth=1.8)[0],
            "here": plane.plot([], [], "o", color=COLORS["vermillion"], markersize=9)[0],
            "verdict": bars.text(0.5, 1.04, "", transform=bars.transAxes, ha="center", fontsize=11),
            "even": plane.text(0.03, 0.93, "", transform=plane.transAxes, va="top", fontsize=10)}


def update_price(artists, data):
    """Stack the bars, move line and dot, and say who pays less."""
    for side in ("dense", "spiking"):
        below = 0.0
        for part, _ in _PARTS:
            artists[f"{side}_{part}"].set_y(below)
            artists[f"{side}_{part}"].set_height(data[side][part])
            below += data[side][part]
    artists["line"].set_data([0.0, MOST_SPIKES], data["line"])
    artists["here"].set_data([data["spikes"]], [min(data["ratio"], MOST_COST)])
    beyond = data["ratio"] > MOST_COST
    artists["here"].set_marker("^" if beyond else "o")
    artists["verdict"].set_text(f"spiking pays {data['ratio']:.2f} of dense{', off the picture' if beyond else ''}")
    artists["even"].set_text(f"equal at {data['break_even']:.2f} spikes")


def count_needs():
    """Train the spiking network of the study once more; how many synapses each neuron keeps at each level, [levels, 310]."""
    from ...networks import SpikingMLP
    from .study import latency, learn, network

    net = learn(network(SpikingMLP, 300, 0), latency, 0)
    needs = [torch.cat([mask.sum(1) for mask in magnitude_masks(net, level / LEVELS)]) for level in range(LEVELS)]
    return {"needs": torch.stack(needs).to(torch.int16).numpy()}


@functools.cache
def _stored():
    with np.load(NEEDS) as archive:
        return torch.from_numpy(archive["needs"]).long()


def compute_chip(pruned, neurons, synapses):
    """Place the neurons that a pruned network has on cores; for each core the share of its limits that it uses."""
    needs = _stored()[round(pruned * LEVELS)]                       # [310]
    cores = fill_cores(needs, neurons, synapses)
    placed = cores >= 0
    held = torch.bincount(cores[placed], minlength=1)
    wired = torch.bincount(cores[placed], weights=needs[placed].double(), minlength=1)
    return {"cores": int(held.count_nonzero()), "neurons": held / neurons, "synapses": wired / synapses,
            "homeless": int((~placed).sum()), "kept": int(needs.sum()), "limit": synapses}


def build_chip(fig):
    """How full each core is, with neurons and with synapses, and where the chip of eight cores ends."""
    ax = fig.subplots()
    ax.set(xlim=(-0.5, MOST_CORES - 0.5), ylim=(0, 1.3), xlabel="core", ylabel="share of its limit in use", yticks=(0, 0.5, 1))
    ax.axvline(CHIP - 0.5, color="0.45", linestyle="--", linewidth=1.4)
    ax.text(CHIP - 0.2, 1.06, "the chip ends here", color="0.35", fontsize=9)
    empty = np.zeros(MOST_CORES)
    places = np.arange(MOST_CORES)
    artists = {"synapses": ax.plot(places, empty, "s", color=COLORS["orange"], markersize=6, label="synapses")[0],
               "neurons": ax.plot(places, empty, "o", color=COLORS["blue"], markersize=5, label="neurons")[0],
               "says": ax.text(0.5, 0.92, "", transform=ax.transAxes, ha="center", fontsize=11)}
    ax.legend(loc="center right", fontsize=9)
    return artists


def update_chip(artists, data):
    """Show the cores in use, and say whether the network fits."""
    for name in ("neurons", "synapses"):
        shown = data[name][:MOST_CORES]
        artists[name].set_data(torch.arange(len(shown)), shown)
    fits = data["cores"] <= CHIP and not data["homeless"]
    artists["says"].set_text(f"{data['kept']} synapses: {data['homeless']} neurons fit on no core" if data["homeless"] else
                             f"{data['kept']} synapses on {data['cores']} cores: {'fits' if fits else 'does not fit'}")


EXPLORERS = {
    "price": Explorer(
        compute_price, build_price, update_price,
        controls={"spikes": Control(2.0, 0.1, 6.0, 0.1, "spikes of an input"),
                  "weight": Control(0.0, 0.0, MOST_PRICE, 0.5, "price of a weight", "pJ"),
                  "steps": Control(10, 0, 50, 1, "steps"),
                  "fan_in": Control(1000, 10, 1000, 10, "synapses of a neuron"),
                  "density": Control(1.0, 0.05, 1.0, 0.05, "dense inputs not 0", "share")},
        sweeps=(("weight", {}), ("spikes", {"weight": 10.0}), ("density", {"weight": 10.0})),
        alt="Left two stacked bars, the cost of a synapse in a dense and in a spiking network, by arithmetic, weights and "
            "state; right the cost of the spiking one, a line that rises with its spikes and crosses that of the dense one.",
        size=(7.2, 3.6)),
    "chip": Explorer(
        compute_chip, build_chip, update_chip,
        controls={"pruned": Control(0.0, 0.0, 0.98, 0.02, "weights pruned", "share"),
                  "neurons": Control(128, 16, 512, 16, "neurons a core"),
                  "synapses": Control(8192, 1024, 65536, 1024, "synapses a core")},
        sweeps=(("pruned", {}), ("synapses", {}), ("neurons", {"pruned": 0.98})),
        alt="The cores of a chip in a row, for each how much of its limit of neurons and of its limit of synapses is in use, "
            "and a dashed line where the chip ends, after eight cores.",
        size=(7.2, 3.6)),
}

if __name__ == "__main__":
    np.savez_compressed(NEEDS, **count_needs())
