"""The explorer of notebook 05: one digit on its way through three layers, one neuron's membrane, and three readings.

`python -m snnteach.lessons.decoding.explorers` trains its network again and writes `layers_net.npz`.
"""
import functools
from pathlib import Path

import numpy as np
import torch

from ...decoding import count_scores, decide, delayed, latency_scores, membrane_scores, scale_to_data
from ...losses import ce_count_loss
from ...networks import SpikingMLP, direct_current
from ...neurons import lif
from ...plots import COLORS, threshold_line
from ...training import fit
from ..kinds import Control, Explorer

LAYERS_NET = Path(__file__).with_name("layers_net.npz")
STEPS, BETA, WIDTH, SHOWN = 20, 0.9, 40, 20
_NAMES = ("hidden 1", "hidden 2", "output")
_FLOORS = (0, 46, 92)                                                # where each layer's rows begin in the raster
_SPACE = (1, 1, 3)                                                   # rows that a neuron takes


def train_layers_net():
    """Train 784-40-40-10 on the 5000 training images; return its weights as int8, a scale a layer, and test images to show."""
    from ...data import flat, mnist5k

    data = mnist5k()
    inputs = flat(data.train_images)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = SpikingMLP((784, WIDTH, WIDTH, 10), beta=BETA)
    scale_to_data(net, direct_current(inputs[:500], STEPS))
    fit(net, inputs, data.train_labels, loss=lambda records, y: ce_count_loss(records[-1].spk, y),
        encode=lambda x: direct_current(x, 10), epochs=4, learning_rate=5e-3, seed=0)
    arrays = {"images": data.test_images[:SHOWN].numpy(), "labels": data.test_labels[:SHOWN].to(torch.uint8).numpy()}
    for number, linear in enumerate(net.linears, 1):
        weight = linear.weight.detach().clone()
        if number == 1:
            weight[:, (data.train_images == 0).all(0).flatten()] = 0
        scale = weight.abs().max() / 127
        arrays |= {f"weight{number}": (weight / scale).round().to(torch.int8).numpy(), f"scale{number}": scale.numpy(),
                   f"bias{number}": linear.bias.detach().numpy()}
    return arrays


@functools.cache
def _stored():
    with np.load(LAYERS_NET) as archive:
        return {name: torch.from_numpy(archive[name]) for name in archive.files}


@functools.cache
def layers_net():
    """Load the stored network: the weights and biases of its three layers."""
    stored = _stored()
    return [(stored[f"weight{layer}"].float() * stored[f"scale{layer}"], stored[f"bias{layer}"]) for layer in (1, 2, 3)]


def run_stored(pixels, gain=1.0, delay=0):
    """Run the stored network on pixels [B, 784]: (spk, mem) of each layer, [T, B, N]; all currents are multiplied by `gain`."""
    records, heard = [], None
    for weight, bias in layers_net():
        current = direct_current(pixels @ weight.T + bias, STEPS) if heard is None else heard @ weight.T + bias
        records.append(lif(gain * current, BETA))                    # [T, B, N] each
        heard = delayed(records[-1][0], delay)
    return records


def compute_layers(image, step, gain, delay, neuron):
    """Let the network look at one test image for `step` of 20 steps, and keep the membrane of a neuron of its second layer."""
    pixels, label = _stored()["images"][image], int(_stored()["labels"][image])
    records = run_stored(pixels.flatten()[None].float() / 255, gain, delay)
    spk, mem = records[-1][0][:step], records[-1][1][:step]           # of the output, as far as it has come
    named = {"counts": decide(count_scores(spk)), "first spike": decide(latency_scores(spk)),
             "membrane": decide(membrane_scores(mem))}
    return {"image": pixels, "label": label, "step": step, "spk": [one[:step, 0] for one, _ in records],
            "mem": records[1][1][:step, 0, neuron - 1], "fired": records[1][0][:step, 0, neuron - 1], "neuron": neuron,
            "counts": count_scores(spk)[0], "silent": not bool(spk.any()),
            "answers": {name: (int(classes), bool(tied)) for name, (classes, tied) in named.items()}}


def build_layers(fig):
    """Left the image above what is read from it, in the middle all spikes so far above one membrane, right the counts."""
    grid = fig.add_gridspec(2, 3, width_ratios=(1.1, 2.7, 0.9), height_ratios=(2.2, 1))
    picture, words = fig.add_subplot(grid[0, 0]), fig.add_subplot(grid[1, 0])
    raster, trace = fig.add_subplot(grid[0, 1]), fig.add_subplot(grid[1, 1])
    votes = fig.add_subplot(grid[:, 2])
    picture.set(xticks=(), yticks=())
    words.set_axis_off()
    raster.set(xlim=(-0.5, STEPS - 0.5), ylim=(-2, _FLOORS[2] + 31), xticklabels=())
    raster.set_yticks([20, 66, 107], _NAMES)
    raster.set_title("spikes, layer by layer")
    trace.set(xlim=(-0.5, STEPS - 0.5), ylim=(-4, 2.5), xlabel="time step", ylabel="potential U", xticks=(0, 5, 10, 15),
              yticks=(-4, -2, 0, 2))
    threshold_line(trace, label="")
    votes.set(xlim=(0, STEPS), ylim=(-0.6, 9.6), xlabel="spikes", yticks=range(10))
    votes.set_title("counts")
    colors = ("sky", "blue", "black")
    return {
        "image": picture.imshow(np.zeros((28, 28)), cmap="gray_r", vmin=0, vmax=255),
        **{f"layer{place}": raster.plot([], [], "|", color=COLORS[color], markersize=3 if place < 2 else 5,
                                        markeredgewidth=1.6)[0] for place, color in enumerate(colors)},
        "mem": trace.plot([], [], color=COLORS["blue"], linewidth=1.4)[0],
        "fired": trace.plot([], [], "|", color="black", markersize=7, markeredgewidth=1.4)[0],
        "who": trace.text(0.02, 0.05, "", transform=trace.transAxes, color="0.25", fontsize=9),
        **{f"votes{label}": votes.barh(label, 0, color=COLORS["orange"], height=0.7)[0] for label in range(10)},
        "label": picture.text(0.5, 1.05, "", transform=picture.transAxes, ha="center", fontsize=11),
        **{name: words.text(0.0, 0.85 - 0.33 * place, "", transform=words.transAxes, fontsize=9.5)
           for place, name in enumerate(("counts", "first spike", "membrane"))},
    }


def update_layers(artists, data):
    """Show the image, the spikes up to this step, the membrane, the counts and the three answers."""
    artists["image"].set_data(data["image"].numpy())
    artists["label"].set_text(f"a {data['label']}, after {data['step']} step{'s' * (data['step'] > 1)}")
    for place, (spk, floor, space) in enumerate(zip(data["spk"], _FLOORS, _SPACE, strict=True)):
        step, neuron = spk.nonzero(as_tuple=True)
        artists[f"layer{place}"].set_data(step, floor + space * neuron)
    artists["mem"].set_data(torch.arange(len(data["mem"])), data["mem"])
    fired = data["fired"].nonzero().flatten()
    artists["fired"].set_data(fired, torch.full(fired.shape, 2.1))
    artists["who"].set_text(f"neuron {data['neuron']} of hidden 2")
    for label, count in enumerate(data["counts"].tolist()):
        artists[f"votes{label}"].set_width(count)
    for name, (answer, tied) in data["answers"].items():
        said = "nothing" if data["silent"] and name != "membrane" else f"{answer}{' (tied)' * tied}"
        artists[name].set_text(f"{name}: {said}")


EXPLORERS = {
    "layers": Explorer(
        compute_layers, build_layers, update_layers,
        controls={"image": Control(0, 0, SHOWN - 1, 1, "test image"),
                  "step": Control(STEPS, 1, STEPS, 1, "steps so far"),
                  "gain": Control(1.0, 0.25, 2.0, 0.05, "all weights times"),
                  "delay": Control(0, 0, 8, 1, "delay a layer", "steps"),
                  "neuron": Control(27, 1, WIDTH, 1, "neuron of hidden 2")},
        sweeps=(("step", {}), ("gain", {}), ("delay", {})),
        alt="A digit, the spikes of two hidden layers and of ten outputs over twenty steps, the potential of one hidden "
            "neuron, the counts of the ten outputs, and what three readings say: counts, first spike, membrane.",
        size=(7.2, 4.4)),
}

if __name__ == "__main__":
    np.savez_compressed(LAYERS_NET, **train_layers_net())
