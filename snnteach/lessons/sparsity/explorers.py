"""Explorers of notebook 00: a small network that reads a digit with spikes, and the bits of a list and a bitmap.

`python -m snnteach.lessons.sparsity.explorers` trains the small network again and writes `digit_net.npz` (two seconds).
"""
import functools
from pathlib import Path

import numpy as np
import torch

from ...activity import l1_spikes
from ...losses import ce_count_loss
from ...networks import SpikingMLP, direct_current
from ...neurons import lif
from ...plots import COLORS
from ...sparsity import address_bits, crossover_density
from ...training import fit, predict
from ..kinds import Control, Explorer

DIGIT_NET = Path(__file__).with_name("digit_net.npz")
STEPS, BETA = 20, 0.9
_HIDDEN, _SHOWN = 64, 60


def train_digit_net():
    """Train 784-64-10 on the 5000 training images; return its weights as int8, one scale a layer, and images to show.

    The images are the first fifty of the test set and then the first ten that the network misreads. Settings were
    chosen on a fifth of the training images; the price on hidden spikes keeps the raster readable.
    """
    from ...data import flat, mnist5k

    data = mnist5k()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = SpikingMLP((784, _HIDDEN, 10), beta=BETA)
    fit(net, flat(data.train_images), data.train_labels, loss=lambda records, y: ce_count_loss(records[-1].spk, y),
        encode=_encode, epochs=10, learning_rate=5e-3, weight_decay=0.5, seed=0,
        regulariser=lambda records: l1_spikes(records[0].spk, 1e-3))
    arrays = _quantised(net, never_lit=(data.train_images == 0).all(0).flatten())
    wrong = (predict(net, flat(data.test_images), encode=_encode) != data.test_labels).nonzero().flatten()
    shown = torch.cat([torch.arange(50), wrong[wrong >= 50][:10]])
    return {**arrays, "images": data.test_images[shown].numpy(), "labels": data.test_labels[shown].to(torch.uint8).numpy()}


def _encode(x):
    return direct_current(x, STEPS)


@torch.no_grad()
def _quantised(net, never_lit):
    """Round the weights of both layers to int8, in place and as arrays; those of pixels never lit in training are 0."""
    arrays = {}
    for number, linear in enumerate(net.linears, 1):
        if number == 1:
            linear.weight[:, never_lit] = 0
        scale = linear.weight.abs().max() / 127
        rounded = (linear.weight / scale).round()
        linear.weight.copy_(rounded * scale)
        arrays |= {f"weight{number}": rounded.to(torch.int8).numpy(), f"scale{number}": scale.numpy(),
                   f"bias{number}": linear.bias.numpy()}
    return arrays


@functools.cache
def digit_net():
    """Load the stored network: images uint8 [60, 28, 28], labels, and the weights and biases of its two layers."""
    with np.load(DIGIT_NET) as archive:
        stored = {name: torch.from_numpy(archive[name]) for name in archive.files}
    weights = [stored[f"weight{number}"].float() * stored[f"scale{number}"] for number in (1, 2)]
    return {"images": stored["images"], "labels": stored["labels"].long(), "weights": weights,
            "biases": [stored["bias1"], stored["bias2"]]}


def read_digits(pixels):
    """Run the stored network on pixels [B, 784] and return the spikes of its hidden and output layer, [T, B, N] each."""
    net = digit_net()
    (first, second), (bias1, bias2) = net["weights"], net["biases"]
    hidden, _ = lif(_encode(pixels @ first.T + bias1), BETA)  # [T, B, 64]
    output, _ = lif(hidden @ second.T + bias2, BETA)                        # [T, B, 10]
    return hidden, output


def compute_digit(number, step):
    """Let the stored network look at one test image for `step` time steps."""
    image, label = digit_net()["images"][number], int(digit_net()["labels"][number])
    hidden, output = read_digits(image.flatten()[None].float() / 255)
    votes = output[:step, 0].sum(0)                                         # [10]
    return {"image": image, "label": label, "hidden": hidden[:step, 0], "votes": votes, "step": step,
            "answer": int(votes.argmax()) if votes.any() else None}


def build_digit(fig):
    """Left the image, in the middle the hidden spikes so far, right the votes so far."""
    left, middle, right = fig.subplots(1, 3, width_ratios=(2, 3, 2))
    left.set_axis_off()
    left.set_title("What it sees")
    middle.set(xlim=(0.3, STEPS + 0.7), ylim=(-1, _HIDDEN), xlabel="time step", ylabel="hidden neuron",
               xticks=range(0, STEPS + 1, 5))
    middle.set_title("Hidden spikes")
    right.set(xlim=(0, STEPS), ylim=(9.6, -0.6), xlabel="output spikes", yticks=range(10))
    right.set_title("Votes")
    bars = right.barh(range(10), [0] * 10, height=0.7, linewidth=0)
    return {
        "image": left.imshow(np.zeros((28, 28)), cmap="gray_r", vmin=0, vmax=255),
        "text": left.text(0.5, -0.12, "", transform=left.transAxes, ha="center", va="top", fontweight="bold"),
        "spikes": middle.plot([], [], "|", color="black", markersize=3.5, markeredgewidth=1.3)[0],
        "now": middle.axvline(0, color=COLORS["orange"], linewidth=1.2),
        **{f"votes for {number}": bar for number, bar in enumerate(bars)},
    }


def update_digit(artists, data):
    """Show the image, the spikes up to now, and each output's votes, the leader in another colour."""
    artists["image"].set_data(data["image"].numpy())
    steps, neurons = data["hidden"].nonzero(as_tuple=True)
    artists["spikes"].set_data(steps + 1, neurons)
    artists["now"].set_xdata([data["step"] + 0.5] * 2)
    for number, votes in enumerate(data["votes"].tolist()):
        bar = artists[f"votes for {number}"]
        bar.set_width(votes)
        bar.set_color(COLORS["vermillion"] if number == data["answer"] else COLORS["sky"])
    answer = data["answer"]
    verdict = "no vote yet" if answer is None else f"reads {answer}, {'right' if answer == data['label'] else 'wrong'}"
    artists["text"].set_text(f"a {data['label']}: {verdict}")


def compute_bits(neurons, density):
    """Bits a neuron of a list of addresses, at every density, and of this one message."""
    active = round(density / 100 * neurons)
    densities = torch.linspace(0, 20, 81)
    return {"densities": densities, "list": densities / 100 * address_bits(neurons, 1), "density": density,
            "crossover": 100 * crossover_density(neurons), "neurons": neurons, "active": active,
            "bits": address_bits(neurons, active)}


def build_bits(fig):
    """Bits a neuron against density: the bitmap flat, the list rising, the crossing marked."""
    axes = fig.subplots()
    axes.set(xlim=(0, 20), ylim=(0, 3), xlabel="active neurons (%)", ylabel="bits for each neuron")
    axes.set_title("A list of addresses beats a bitmap while few are active")
    axes.axhline(1, color=COLORS["blue"])
    axes.annotate("bitmap", (19.8, 1), xytext=(0, 4), textcoords="offset points", ha="right", color=COLORS["blue"])
    return {
        "list": axes.plot([], [], "--", color=COLORS["vermillion"])[0],
        "cross": axes.plot([], [], ":", color="0.4", linewidth=1.3)[0],
        "point": axes.plot([], [], "o", color="black", markersize=8)[0],
        "name": axes.text(0, 0, "list", color=COLORS["vermillion"]),
        "text": axes.text(0.03, 0.97, "", transform=axes.transAxes, va="top"),
    }


def update_bits(artists, data):
    """Move the list's line, the crossing and the point, and say the numbers."""
    artists["list"].set_data(data["densities"], data["list"])
    artists["name"].set_position((data["crossover"] * 0.3 + 0.3, 0.2))
    artists["cross"].set_data([data["crossover"]] * 2, [0, 1])
    artists["point"].set_data([data["density"]], [data["bits"] / data["neurons"]])
    shorter = "list" if data["bits"] < data["neurons"] else "bitmap" if data["bits"] > data["neurons"] else "neither"
    artists["text"].set_text(f"{data['active']} of {data['neurons']} active\nlist: {data['bits']} bits\n"
                             f"bitmap: {data['neurons']} bits\nshorter: {shorter}\ncrossing: {data['crossover']:.1f} %")


EXPLORERS = {
    "digit": Explorer(
        compute_digit, build_digit, update_digit,
        controls={"number": Control(0, 0, _SHOWN - 1, 1, "digit", "test image"),
                  "step": Control(6, 0, STEPS, 1, "look for", "time steps")},
        sweeps=(("step", {}),),
        alt="Left, a handwritten digit; in the middle, the spikes of 64 hidden neurons up to the chosen time step; right, the "
            "spikes of the ten output neurons so far, as bars. The longest bar is the network's answer."),
    "bits": Explorer(
        compute_bits, build_bits, update_bits,
        controls={"neurons": Control(784, 64, 10_000, 16, "neurons"),
                  "density": Control(5.0, 0.0, 20.0, 0.5, "active", "%")},
        sweeps=(("density", {}), ("neurons", {})),
        alt="Bits for each neuron against the percentage of active neurons. A bitmap always costs one bit; a list of addresses "
            "rises in a straight line and crosses it at one over the number of address bits."),
}

if __name__ == "__main__":
    np.savez_compressed(DIGIT_NET, **train_digit_net())
    print(f"{DIGIT_NET.name}: {DIGIT_NET.stat().st_size} bytes")
