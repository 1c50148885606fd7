"""The explorers of notebook 17: how well random probes find the gradient, and how feedback turns.

`python -m snnteach.lessons.local.explorers` trains the networks behind the second again and writes `turns.npz`.
"""
import functools
import math
from pathlib import Path

import numpy as np
import torch

from ...local import train_layers
from ...perturbation import perturbation_cosine
from ...plots import COLORS
from ..kinds import Choice, Control, Explorer
from . import study

TURNS = Path(__file__).with_name("turns.npz")
RULES = study.TOLD[1:5]
DEPTHS, EPOCHS = (1, 2, 3), 8
DRAWS = 40
LAYERS = (("blue", "-", "o"), ("vermillion", "--", "s"), ("green", "-.", "^"))


def estimate_directions(unknowns, probes, draw):
    """Cosine of `DRAWS` estimates with the gradient, [DRAWS], drawn exactly without drawing all K x N numbers.

    K probes have components s along the gradient; the estimate's is mean(s^2), and in each of the N - 1 other directions it is
    normal with variance sum(s^2) / K^2.
    """
    generator = torch.Generator().manual_seed(draw)
    square = torch.randn(DRAWS, probes, generator=generator).square_().sum(1)               # [DRAWS]
    aside = torch.randn(DRAWS, unknowns - 1, generator=generator).norm(dim=1) * square.sqrt()
    return square / (square.square() + aside.square()).sqrt()


def compute_probes(unknowns, probes, draw):
    """The angles of 40 estimates, their mean cosine, and the law."""
    cosines = estimate_directions(unknowns, probes, draw)
    counts = torch.logspace(0, 3, 61)
    return {"unknowns": unknowns, "probes": probes, "cosines": cosines, "counts": counts,
            "law": (counts / (unknowns + counts + 1)).sqrt(), "here": perturbation_cosine(unknowns, probes),
            "mean": float(cosines.mean())}


def build_probes(fig):
    """Left the estimates as directions, right the law."""
    left, right = fig.subplots(1, 2, width_ratios=(1, 1.25))
    left.set(xlim=(-0.15, 1.25), ylim=(-1.15, 1.15), aspect="equal", xticks=(), yticks=())
    left.set_title("40 estimates")
    left.plot([0, 1], [0, 0], color="black", linewidth=3)
    left.plot([1], [0], ">", color="black", markersize=9)
    left.text(1.03, -0.1, "gradient", ha="right", va="top")
    right.set(xscale="log", xlim=(1, 1000), ylim=(0, 1), xlabel="probes K", ylabel="cosine with the gradient")
    right.set_title("The law")
    artists = {
        "fan": left.vlines([], [], [], color=COLORS["sky"], linewidth=1.2),
        "angle": left.text(-0.1, 1.1, "", va="top"),
        "law": right.plot([], [], color=COLORS["blue"], label="the law")[0],
        "mean": right.plot([], [], "o", color=COLORS["vermillion"], markersize=8, label="mean of 40")[0],
        "says": right.text(0.98, 0.03, "", transform=right.transAxes, ha="right", va="bottom", fontsize=9.5),
    }
    right.legend(loc="lower right", bbox_to_anchor=(1, 0.09))
    return artists


def update_probes(artists, data):
    """Spread the directions to both sides of the gradient, and move the point along the law."""
    angles = torch.acos(data["cosines"].clamp(-1, 1)) * torch.where(torch.arange(DRAWS) % 2 == 0, 1.0, -1.0)
    artists["fan"].set_segments([((0, 0), (math.cos(angle), math.sin(angle))) for angle in angles.tolist()])
    artists["angle"].set_text(f"{math.degrees(math.acos(data['mean'])):.0f} degrees")
    artists["law"].set_data(data["counts"], data["law"])
    artists["mean"].set_data([data["probes"]], [data["mean"]])
    artists["says"].set_text(f"N = {data['unknowns']}, K = {data['probes']}: law {data['here']:.2f}, measured "
                             f"{data['mean']:.2f}")


def trained_turns():
    """Train every rule at every depth once; return angles [rules, depths, epochs + 1, 3] in degrees and accuracies."""
    angles = np.full((len(RULES), len(DEPTHS), EPOCHS + 1, 3), np.nan, np.float32)
    right = np.zeros((len(RULES), len(DEPTHS), EPOCHS + 1), np.float32)
    for r, rule in enumerate(RULES):
        for d, depth in enumerate(DEPTHS):
            weights, feedback, generator = study.start(rule, (784, *[study.WIDTH] * depth, 10), 0)

            def look(epoch, r=r, d=d, rule=rule, depth=depth, weights=weights, feedback=feedback):
                angles[r, d, epoch, :depth] = study.against_backprop(rule, weights, feedback)
                right[r, d, epoch] = study.accuracy(weights)
            train_layers(rule, weights, feedback, *study.images()[:2], generator=generator, epochs=EPOCHS,
                         learning_rate=study.RATE, progress=look)
    return {"angles": angles.round(1), "right": right}


@functools.cache
def turns():
    """Load what `trained_turns` found: angles and accuracies."""
    with np.load(TURNS) as archive:
        return archive["angles"], archive["right"]


def compute_turn(rule, depth, epoch):
    """The angles of each hidden layer's change to the gradient, up to an epoch."""
    angles, right = turns()
    place = RULES.index(rule), DEPTHS.index(depth)
    return {"rule": rule, "depth": depth, "epoch": epoch, "angles": angles[place][:epoch + 1, :depth].tolist(),
            "right": float(right[place][epoch])}


def build_turn(fig):
    """Left the gradient and the changes as directions, right their angles epoch by epoch."""
    left, right = fig.subplots(1, 2, width_ratios=(1, 1.25))
    left.set(xlim=(-0.35, 1.25), ylim=(-0.25, 1.2), aspect="equal", xticks=(), yticks=())
    left.set_title("Each layer's update")
    left.plot([0, 1], [0, 0], color="black", linewidth=3)
    left.plot([1], [0], ">", color="black", markersize=9)
    left.text(1.03, -0.07, "gradient", ha="right", va="top")
    right.set(xlim=(-0.3, EPOCHS + 0.3), ylim=(0, 120), xlabel="epochs", ylabel="angle to the gradient (degrees)")
    right.axhline(90, color="0.6", linestyle=":")
    right.set_title("Epoch by epoch")
    artists = {"says": right.text(0.98, 0.97, "", transform=right.transAxes, ha="right", va="top", fontsize=9.5)}
    for layer, (color, style, marker) in enumerate(LAYERS, 1):
        artists[f"update {layer}"] = left.plot([], [], style, color=COLORS[color], linewidth=2.6)[0]
        artists[f"angle {layer}"] = right.plot([], [], style, marker=marker, color=COLORS[color], label=f"layer {layer}")[0]
    right.legend(loc="lower left")
    return artists


def update_turn(artists, data):
    """Draw the layers that there are."""
    for layer in (1, 2, 3):
        there = layer <= data["depth"]
        seen = [degrees[layer - 1] for degrees in data["angles"]] if there else []
        turned = math.radians(seen[-1]) if there else 0.0
        artists[f"update {layer}"].set_data(*([0, math.cos(turned)], [0, math.sin(turned)]) if there else ([], []))
        artists[f"angle {layer}"].set_data(range(len(seen)), seen)
    artists["says"].set_text(f"after {data['epoch']} epochs: {data['right']:.1%} of 10,000")


EXPLORERS = {
    "turn": Explorer(
        compute_turn, build_turn, update_turn,
        controls={"rule": Choice("feedback alignment", RULES, "rule"), "depth": Control(1, 1, 3, 1, "hidden layers"),
                  "epoch": Control(0, 0, EPOCHS, 1, "epochs")},
        sweeps=(("epoch", {}), ("epoch", {"depth": 3}), ("epoch", {"rule": "target projection"})),
        alt="Left, the gradient as an arrow to the right and the update of each hidden layer at its angle; right, that angle "
            "against epochs, and how many test digits the network reads.",
        size=(7.4, 3.4)),
    "probes": Explorer(
        compute_probes, build_probes, update_probes,
        controls={"unknowns": Control(100, 10, 1000, 10, "unknowns N"), "probes": Control(100, 1, 1000, 1, "probes K"),
                  "draw": Control(0, 0, 20, 1, "draw")},
        sweeps=(("probes", {}), ("probes", {"unknowns": 1000}), ("unknowns", {"probes": 10})),
        alt="Left, forty estimates of a gradient as directions beside it; right, their mean cosine on the curve of the law "
            "against the number of probes.",
        size=(7.4, 3.4)),
}

if __name__ == "__main__":
    np.savez_compressed(TURNS, **trained_turns())
