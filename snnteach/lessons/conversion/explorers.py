"""The explorers of notebook 12: one neuron and its rate, and a small converted network.

`python -m snnteach.lessons.conversion.explorers` trains the small network again and writes `small_net.npz`.
"""
import functools
from pathlib import Path

import numpy as np
import torch

from ...data import flat, mnist5k
from ...energy import ReluMLP
from ...losses import ce_membrane_loss
from ...neurons import lif
from ...plots import COLORS, threshold_line
from ...training import fit
from ..kinds import Choice, Control, Explorer

SMALL_NET = Path(__file__).with_name("small_net.npz")
WIDTH, SHOWN, DOTS = 40, 200, 10                                     # neurons a layer, images read, images drawn
PERCENTILES = torch.linspace(80, 100, 41)
CURRENTS = torch.linspace(-0.2, 1.4, 161)


def train_small_net():
    """Train 784-40-40-10; return what the pictures need: potentials of the first layer, the other layers, percentiles."""
    data = mnist5k()
    inputs = flat(data.train_images)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = ReluMLP((784, WIDTH, WIDTH, 10))
    fit(net, inputs, data.train_labels, loss=lambda records, y: ce_membrane_loss(records[-1].mem, y),
        encode=lambda x: x[None], epochs=8, learning_rate=1e-2, seed=0)
    with torch.no_grad():
        arrays = {"potential": net.linears[0](flat(data.test_images[:SHOWN])).half().numpy()}
        for layer, record in enumerate(net(inputs[None])[:2], 1):
            arrays[f"scales{layer}"] = torch.quantile(record.spk.flatten(), PERCENTILES / 100).numpy()
            arrays[f"weight{layer}"] = net.linears[layer].weight.numpy()
            arrays[f"bias{layer}"] = net.linears[layer].bias.numpy()
    return arrays


@functools.cache
def small_net():
    """Load what is stored, as float32."""
    with np.load(SMALL_NET) as archive:
        return {name: torch.from_numpy(archive[name]).float() for name in archive.files}


@functools.cache
def activations():
    """Activations of both hidden layers and outputs of the ANN, for the first 200 test images."""
    net = small_net()
    first = net["potential"].relu()
    second = (first @ net["weight1"].T + net["bias1"]).relu()
    return first, second, second @ net["weight2"].T + net["bias2"]


@functools.cache
def labels():
    """The digits that the images show."""
    return mnist5k().test_labels[:SHOWN]


def fire(current, start, reset):
    """Spikes and membranes of integrate-and-fire neurons with this current, [T, B, N]."""
    began = torch.full_like(current[0], start)
    return lif(current, 1.0, reset=reset, state=(began, torch.zeros_like(began)))


def compute_network(steps, percentile, start, reset):
    """Run the small network converted, and set its rates against the activations that they stand for."""
    net, (first, second, _) = small_net(), activations()
    place = round((percentile - 80) * 2)
    scales = [net["scales1"][place], net["scales2"][place]]
    spk, _ = fire((net["potential"] / scales[0]).expand(steps, -1, -1), start, reset)
    current = torch.nn.functional.linear(spk, net["weight1"] * (scales[0] / scales[1]), net["bias1"] / scales[1])
    then, _ = fire(current, start, reset)
    rates = [spk.mean(0), then.mean(0)]
    votes = scales[1] * rates[1] @ net["weight2"].T + net["bias2"]
    return {"steps": steps, "percentile": percentile, "start": start, "reset": reset,
            "wanted": [(active / scale)[:DOTS].flatten() for active, scale in zip((first, second), scales, strict=True)],
            "rates": [rate[:DOTS].flatten() for rate in rates], "right": int((votes.argmax(1) == labels()).sum()),
            "spikes": float(spk.sum() + then.sum()) / SHOWN}


@functools.cache
def ann_right():
    """How many of the images the network of rectified units reads."""
    return int((activations()[2].argmax(1) == labels()).sum())


def build_network(fig):
    """Rates against activations in both layers, and how many digits are read."""
    grid = fig.add_gridspec(1, 3, width_ratios=(2, 2, 1.1))
    artists = {}
    for place, (name, words, color) in enumerate((("first", "first layer", "blue"), ("second", "second layer", "vermillion"))):
        ax = fig.add_subplot(grid[0, place])
        ax.set(xlim=(-0.05, 1.6), ylim=(-0.05, 1.08), xlabel="activation / scale", ylabel="rate" if not place else "")
        ax.set_title(words)
        ax.plot([0, 1, 1.6], [0, 1, 1], color="0.45", linestyle="--")
        artists[name] = ax.plot([], [], "o" if not place else "s", color=COLORS[color], markersize=3)[0]
        if place:
            artists["spikes"] = ax.text(0.97, 0.04, "", transform=ax.transAxes, ha="right", fontsize=9.5)
    right = fig.add_subplot(grid[0, 2])
    right.set(ylim=(0, SHOWN), xlim=(-0.6, 1.6))
    right.set_title(f"read, of {SHOWN}")
    right.set_xticks([0, 1], ["ANN", "SNN"])
    right.bar(0, ann_right(), color="0.6", width=0.7)
    artists["bar"] = right.bar(1, 0, color=COLORS["vermillion"], width=0.7)[0]
    artists["right"] = right.text(1, 0, "", ha="center", va="bottom")
    return artists


def update_network(artists, data):
    """Move the dots and the bar."""
    for name, wanted, rate in zip(("first", "second"), data["wanted"], data["rates"], strict=True):
        seen = wanted <= 1.6
        artists[name].set_data(wanted[seen], rate[seen])
    artists["spikes"].set_text(f"{data['spikes']:.0f} spikes an image")
    artists["bar"].set_height(data["right"])
    artists["right"].set_text(f"{data['right']}")
    artists["right"].set_position((1, max(0, data["right"] - 16)))


def compute_neuron(current, steps, start, reset):
    """Give one neuron a constant current, and many neurons all currents of the axis."""
    spk, mem = fire(torch.full((steps, 1, 1), current), start, reset)
    rates = fire(CURRENTS.expand(steps, 1, -1), start, reset)[0].mean((0, 1))
    return {"current": current, "steps": steps, "start": start, "reset": reset, "mem": mem.flatten(), "spk": spk.flatten(),
            "rates": rates, "rate": float(spk.mean()), "count": int(spk.sum())}


def build_neuron(fig):
    """Left the membrane of one neuron, right the rate against the current."""
    left, right = fig.subplots(1, 2)
    left.set(xlim=(0, 32.5), ylim=(-0.6, 2.6), xlabel="time step", ylabel="membrane")
    left.set_title("One neuron")
    threshold_line(left, label="")
    right.set(xlim=(-0.2, 1.4), ylim=(-0.05, 1.1), xlabel="current", ylabel="spikes a step")
    right.set_title("Its rate, and a clipped ReLU")
    right.plot([-0.2, 0, 1, 1.4], [0, 0, 1, 1], color="0.45", linestyle="--")
    return {
        "mem": left.plot([], [], color=COLORS["blue"], marker="o", markersize=3)[0],
        "spk": left.plot([], [], "|", color="black", markersize=10, markeredgewidth=1.8)[0],
        "count": left.text(0.97, 0.03, "", transform=left.transAxes, ha="right", fontsize=10),
        "rates": right.plot([], [], color=COLORS["vermillion"], drawstyle="steps-mid")[0],
        "here": right.plot([], [], "o", color=COLORS["blue"], markersize=8)[0],
    }


def update_neuron(artists, data):
    """Draw membrane, spikes and rates."""
    step = torch.arange(1, data["steps"] + 1)
    artists["mem"].set_data(step, data["mem"])
    fired = step[data["spk"] > 0]
    artists["spk"].set_data(fired, torch.full(fired.shape, 2.4))
    artists["count"].set_text(f"{data['count']} spikes in {data['steps']} steps")
    artists["rates"].set_data(CURRENTS, data["rates"])
    artists["here"].set_data([data["current"]], [data["rate"]])


RESET = Choice("subtract", ("subtract", "zero"), "reset")
EXPLORERS = {
    "network": Explorer(
        compute_network, build_network, update_network,
        controls={"steps": Control(6, 1, 32, 1, "time steps"),
                  "percentile": Control(100.0, 80.0, 100.0, 0.5, "rate 1 stands for percentile"),
                  "start": Control(0.0, 0.0, 1.0, 0.25, "membrane starts at"), "reset": RESET},
        sweeps=(("steps", {}), ("percentile", {"steps": 2, "start": 0.5}), ("start", {"steps": 2, "percentile": 97.0})),
        alt="Rates of the neurons of a converted network against the activations that they stand for, in both hidden layers, "
            "and how many of 200 digits the network of rectified units and the spiking one read.",
        size=(7.6, 3.4)),
    "neuron": Explorer(
        compute_neuron, build_neuron, update_neuron,
        controls={"current": Control(0.37, -0.2, 1.4, 0.01, "current", "thresholds a step"),
                  "steps": Control(8, 1, 32, 1, "time steps"),
                  "start": Control(0.0, 0.0, 1.0, 0.25, "membrane starts at"), "reset": RESET},
        sweeps=(("current", {}), ("steps", {}), ("start", {})),
        alt="The membrane and the spikes of a neuron that integrates and fires, and its rate against the current as a "
            "staircase beside a rectified unit that is clipped at 1.",
        size=(7.2, 3.4)),
}

if __name__ == "__main__":
    np.savez_compressed(SMALL_NET, **train_small_net())
