"""The explorers of notebook 20: a trained network's weights on a grid, and an integer membrane that leaks.

`python -m snnteach.lessons.quantization.explorers` trains the stored network again and writes `small_net.npz`.
"""
import functools
from pathlib import Path

import numpy as np
import torch

from ...data import flat, mnist5k
from ...integers import integer_lif, simulated_lif
from ...losses import ce_membrane_loss
from ...networks import SpikingMLP, direct_current
from ...neurons import lif
from ...plots import COLORS, threshold_line
from ...quantization import levels, signal_to_noise, weight_codes
from ...training import fit
from ..kinds import Choice, Control, Explorer

SMALL_NET = Path(__file__).with_name("small_net.npz")
STEPS, BETA, WIDTH, SHOWN = 10, 0.875, 40, 500
_END = 0.15                                                          # of the axis of weights; the largest is 0.118
_EDGES = torch.linspace(-_END, _END, 61)


def train_small_net():
    """Train 784-40-10 on the 5000 training images; return its weights as int16, a scale a layer, and its biases."""
    data = mnist5k()
    inputs = flat(data.train_images)
    inputs = (inputs - inputs.mean()) / inputs.std()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = SpikingMLP((784, WIDTH, 10), beta=BETA, readout="membrane")
    fit(net, inputs, data.train_labels, loss=lambda records, y: ce_membrane_loss(records[-1].mem / STEPS, y),
        encode=lambda x: direct_current(x, STEPS), epochs=6, learning_rate=3e-3, seed=0)
    arrays = {}
    for number, linear in enumerate(net.linears, 1):
        codes, scale = weight_codes(linear.weight, 16)
        arrays |= {f"codes{number}": codes.to(torch.int16).numpy(), f"scale{number}": scale.numpy(),
                   f"bias{number}": linear.bias.detach().numpy()}
    return arrays


@functools.cache
def small_net():
    """Load the stored network: (weight, bias) of its two layers."""
    with np.load(SMALL_NET) as archive:
        stored = {name: torch.from_numpy(archive[name]) for name in archive.files}
    return [(stored[f"codes{layer}"].float() * stored[f"scale{layer}"], stored[f"bias{layer}"]) for layer in (1, 2)]


@functools.cache
def _digits():
    data = mnist5k()
    train = flat(data.train_images)
    return (flat(data.test_images[:SHOWN]) - train.mean()) / train.std(), data.test_labels[:SHOWN]


@torch.no_grad()
def answers(weights):
    """The classes that the small network names with these weights, for the first 500 test images."""
    (_, first), (_, last) = small_net()
    spk, _ = lif((_digits()[0] @ weights[0].T + first).expand(STEPS, -1, -1), BETA)                  # [T, B, N]
    left = torch.arange(STEPS, 0, -1)                                # a spike is heard for so many steps, less and less
    heard = torch.einsum("t,tbn->bn", (1 - BETA**left) / (1 - BETA), spk)
    return (heard @ weights[1].T + last * float(((1 - BETA**left) / (1 - BETA)).sum())).argmax(1)


@functools.cache
def _scale(layer, bits, rule):
    return weight_codes(small_net()[layer][0], bits, rule)[1]


def on_grid(layer, bits, rule, stretch):
    """Codes and scale of a layer: the rule's scale, stretched."""
    weight, scale = small_net()[layer][0], stretch * _scale(layer, bits, rule)
    if bits == 1:
        return torch.where(weight >= 0, 1.0, -1.0), scale
    return (weight / scale).round().clamp(-levels(bits), levels(bits)), scale


@functools.cache
def _histogram():
    weight = small_net()[0][0]
    return torch.histogram(weight.flatten(), _EDGES).hist / weight.numel()


def compute_grid(bits, rule, stretch):
    """Put both layers of the small network on a grid, and ask it about 500 test images."""
    rounded = [on_grid(layer, bits, rule, stretch) for layer in (0, 1)]
    codes, scale = rounded[0]
    most = levels(bits)
    counts = torch.bincount((codes.flatten() + most).long(), minlength=2 * most + 1) / codes.numel()
    classes = answers([code * step for code, step in rounded])
    return {"bits": bits, "rule": rule, "stretch": stretch, "levels": scale * torch.arange(-most, most + 1.0),
            "share": counts / counts.max(), "decibels": signal_to_noise(small_net()[0][0], codes * scale),
            "zeros": float((codes == 0).float().mean()), "right": int((classes == _digits()[1]).sum())}


@functools.cache
def full_right():
    """How many of the 500 images the network reads in full precision."""
    return int((answers([weight for weight, _ in small_net()]) == _digits()[1]).sum())


def build_grid(fig):
    """Left the weights above their copies on the grid, right how many digits are read."""
    grid = fig.add_gridspec(2, 2, width_ratios=(2.6, 1), height_ratios=(1, 1))
    top, bottom, right = fig.add_subplot(grid[0, 0]), fig.add_subplot(grid[1, 0]), fig.add_subplot(grid[:, 1])
    top.set(xlim=(-_END, _END), ylim=(0, 0.09), ylabel="share", xticklabels=())
    top.set_title("Weights of the hidden layer")
    top.stairs(_histogram().numpy(), _EDGES.numpy(), color=COLORS["sky"], fill=True)
    bottom.set(xlim=(-_END, _END), ylim=(0, 1.3), xlabel="weight", ylabel="of the fullest")
    bottom.set_title("Their copies on the grid")
    right.set(ylim=(0, SHOWN), xlim=(-0.6, 1.6), ylabel=f"digits read, of {SHOWN}")
    right.set_xticks([0, 1], ["full", "copy"])
    right.bar(0, full_right(), color="0.6", width=0.7)
    return {
        "copies": bottom.vlines([], [], [], color=COLORS["vermillion"], linewidth=2.5),
        "copy": right.bar(1, 0, color=COLORS["vermillion"], width=0.7)[0],
        "right": right.text(1, 0, "", ha="center", va="bottom"),
        "noise": bottom.text(0.02, 0.94, "", transform=bottom.transAxes, va="top", fontsize=9.5),
        "zeros": bottom.text(0.98, 0.94, "", transform=bottom.transAxes, va="top", ha="right", fontsize=9.5),
    }


def update_grid(artists, data):
    """Show the copies, their error and what the network reads with them."""
    seen = data["levels"].abs() <= _END
    artists["copies"].set_segments([((level, 0), (level, share)) for level, share in
                                    zip(data["levels"][seen].tolist(), data["share"][seen].tolist(), strict=True)])
    artists["copy"].set_height(data["right"])
    artists["right"].set_text(f"{data['right']}")
    artists["right"].set_position((1, max(0, data["right"] - 45)))
    artists["noise"].set_text(f"signal over error: {data['decibels']:.1f} dB")
    artists["zeros"].set_text(f"zeros: {data['zeros']:.1%}")


LEAK_WAYS = {"(7 v) >> 3": ("product", "floor"), "v - (v >> 3)": ("shift", "floor"), "7 v / 8 in C": ("product", "truncate"),
             "v - v / 8 in C": ("shift", "truncate")}
PULSE, WHOLE = 30, 80


def compute_leak(way, threshold, drive):
    """Push an integer neuron for 30 steps and leave it alone for 50, beside the same neuron in floating point."""
    current = torch.zeros(WHOLE, 1, 1)
    current[:PULSE] = drive
    whole = (current * threshold).round().long()
    spk, mem = integer_lif(whole, threshold, 3, *LEAK_WAYS[way])
    _, exact = simulated_lif(whole.double(), threshold, 0.875, floor=False)
    return {"way": way, "mem": mem.flatten(), "exact": exact.flatten(), "spk": spk.flatten(), "threshold": threshold,
            "last": int(mem[-1])}


def build_leak(fig):
    """Two membranes over time, in units of the threshold, and spikes above."""
    ax = fig.subplots()
    ax.set(xlim=(-0.5, WHOLE - 0.5), ylim=(-4, 1.9), xlabel="time step", ylabel="potential / threshold")
    ax.axvspan(-0.5, PULSE - 0.5, color=COLORS["sky"], alpha=0.2, linewidth=0)
    threshold_line(ax, label="")
    ax.set_title("Pushed for 30 steps, then left alone")
    artists = {
        "exact": ax.plot([], [], color="0.3", linestyle="--", label="floating point")[0],
        "mem": ax.plot([], [], color=COLORS["vermillion"], drawstyle="steps-mid", label="integers")[0],
        "spk": ax.plot([], [], "|", color="black", markersize=8, markeredgewidth=1.6)[0],
        "last": ax.text(0.98, 0.95, "", transform=ax.transAxes, ha="right", va="top"),
    }
    ax.legend(loc="lower right")
    return artists


def update_leak(artists, data):
    """Draw both membranes and say where the integer one has come to rest."""
    step = torch.arange(WHOLE)
    artists["exact"].set_data(step, data["exact"] / data["threshold"])
    artists["mem"].set_data(step, data["mem"] / data["threshold"])
    fired = data["spk"].nonzero().flatten()
    artists["spk"].set_data(fired, torch.full(fired.shape, 1.7))
    artists["last"].set_text(f"after 80 steps: {data['last']} units of {data['threshold']}")


EXPLORERS = {
    "grid": Explorer(
        compute_grid, build_grid, update_grid,
        controls={"bits": Control(8, 1, 8, 1, "bits a weight"),
                  "rule": Choice("largest", ("largest", "least squares"), "scale by"),
                  "stretch": Control(1.0, 0.1, 2.0, 0.05, "step times")},
        sweeps=(("bits", {}), ("bits", {"rule": "least squares"}), ("stretch", {"bits": 2})),
        alt="A histogram of the weights of a trained hidden layer, how full each level of their grid is, the "
            "error in decibels, and how many of 500 digits the network reads with full weights and with the copies.",
        size=(7.2, 4.2)),
    "leak": Explorer(
        compute_leak, build_leak, update_leak,
        controls={"way": Choice("(7 v) >> 3", tuple(LEAK_WAYS), "leak"),
                  "threshold": Control(32, 2, 256, 2, "threshold", "units"),
                  "drive": Control(0.35, -0.5, 0.5, 0.05, "input", "thresholds")},
        sweeps=(("way", {}), ("threshold", {"way": "v - (v >> 3)"}), ("drive", {})),
        alt="The membrane of a neuron that is pushed for 30 steps and then left alone, in whole numbers and in floating point, "
            "with its spikes and the value at which the whole numbers come to rest.",
        size=(6.8, 3.4)),
}

if __name__ == "__main__":
    np.savez_compressed(SMALL_NET, **train_small_net())
