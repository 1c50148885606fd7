"""The film of notebook 05: one digit on its way through the layers, step by step, and who leads by which reading."""
import torch

from ...decoding import first_spikes
from ...plots import COLORS

_SHAPE = (8, 5)                                                        # the 40 neurons of a hidden layer, as they are drawn


def thought_frames(image, records):
    """Return a dict for each step of what a network does with one picture [H, W]; records are (spk, mem), [T, N] each."""
    *hidden, (spk, mem) = records
    first = first_spikes(spk[:, None])[0]
    return [{"step": step, "image": image, "spk": [part[step] for part, _ in hidden], "mem": [part[step] for _, part in hidden],
             "counts": spk[:step + 1].sum(0), "first": first, "potentials": mem[:step + 1].sum(0)} for step in range(len(spk))]


def build_thought(fig):
    """The picture, two hidden layers, and the counts of the outputs."""
    axes = fig.subplots(1, 4, width_ratios=(1, 0.85, 0.85, 1.5))
    for ax, title in zip(axes, ("input", "hidden 1", "hidden 2", "spikes of the outputs"), strict=True):
        ax.set_title(title)
    for ax in axes[:3]:
        ax.set(xticks=[], yticks=[])
        for side in ax.spines.values():
            side.set_visible(False)
    for ax in axes[1:3]:
        ax.set(xlim=(-0.6, _SHAPE[1] - 0.4), ylim=(_SHAPE[0] - 0.4, -0.6), aspect="equal")
    axes[3].set(xlim=(0, 13), ylim=(9.6, -0.6), ylabel="class")
    axes[3].set_xticks((0, 5, 10))
    axes[3].set_yticks(range(10), [str(label) for label in range(10)])
    return axes


def draw_thought(axes, frame):
    """Draw one step: black is a spike, grey a potential on its way; who leads by counts, by first spikes, by potentials."""
    axes[0].imshow(frame["image"].numpy(), cmap="gray_r", interpolation="nearest")
    places = torch.cartesian_prod(torch.arange(_SHAPE[0]), torch.arange(_SHAPE[1]))
    for ax, spk, mem in zip(axes[1:3], frame["spk"], frame["mem"], strict=True):
        shades = torch.where(spk > 0, 1.0, 0.45 * mem.clamp(0, 1))
        ax.scatter(places[:, 1], places[:, 0], s=95, c=shades, cmap="gray_r", vmin=0, vmax=1, edgecolors="0.6", linewidths=0.8)
    counts, first, potentials = frame["counts"], frame["first"], frame["potentials"]
    axes[3].barh(range(10), counts.tolist(), height=0.55, color=COLORS["sky"])
    if counts.any():
        leads = {"most": counts == counts.max(), "first": first == first.min(), "potential": potentials == potentials.max()}
        for label in range(10):                                        # all who share a lead
            words = ", ".join(name for name, who in leads.items() if who[label])
            axes[3].text(counts[label] + 0.25, label, words, va="center", color=COLORS["vermillion"], fontweight="bold")
    axes[3].text(13, 9.4, f"step {frame['step'] + 1}", ha="right", fontsize=11)
