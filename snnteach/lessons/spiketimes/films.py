"""The film of notebook 13: which output fires first over the Yin-Yang plane, while a network of first spikes learns."""
import numpy as np
import torch
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_rgb

from ...plots import COLORS
from ...yinyang import arrival_times, yin_yang_class

SIDE = 120
_PARTS = ("blue", "orange", "green")
_WHEN = Normalize(0.7, 3.1)                                  # the times of a trained network


def plane():
    """Points of a grid over the unit square, [SIDE^2, 2], and the part of the sign in which each lies."""
    line = (torch.arange(SIDE) + 0.5) / SIDE
    points = torch.cartesian_prod(line, line).flip(1)                                    # x runs fastest
    return points, yin_yang_class(points)


@torch.no_grad()
def map_frame(layer, weights, epoch):
    """Ask a network which output fires first, and how late, at every point of the plane."""
    points, parts = plane()
    out = layer(layer(arrival_times(points), weights[0]), weights[1])                    # [SIDE^2, 3]
    inside = parts >= 0
    answer = torch.where(out.isfinite().any(1) & (out.amin(1) < 9), out.argmin(1), 3)
    right = (answer == parts)[inside].double().mean().item()
    return {"epoch": epoch, "answer": torch.where(inside, answer, 4).view(SIDE, SIDE), "right": right,
            "time": out.amin(1).clamp(max=6).where(inside, torch.nan).view(SIDE, SIDE)}


def _borders(ax):
    """Draw the disc, its two dots and the wave between yin and yang."""
    whole, half = torch.linspace(0, 2 * torch.pi, 121), torch.linspace(0, torch.pi, 61)
    pieces = [(0.5, 0.5, whole), (0.25, 0.1, whole), (0.75, 0.1, whole), (0.75, 0.25, half), (0.25, 0.25, -half)]
    for centre, radius, angle in pieces:
        ax.plot(centre + radius * angle.cos(), 0.5 + radius * angle.sin(), color="black", linewidth=1.4)


def build_map(fig):
    """Left the answers over the plane, right the time of the first output spike; the true borders on both."""
    axes = fig.subplots(1, 2)
    for ax in axes:
        ax.set(xticks=(), yticks=(), aspect="equal", xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xlabel="$x$")
        for side in ax.spines.values():
            side.set_visible(False)
        _borders(ax)
    axes[0].set(ylabel="$y$", title=" ")
    axes[1].set_title(" ")
    axes[1].text(0, 1.005, "when", weight="bold", va="bottom", fontsize=11, transform=axes[1].transAxes)
    bar = fig.colorbar(ScalarMappable(_WHEN, "cividis"), ax=axes[1], shrink=0.75)
    bar.set_label(r"first spike ($\tau$)")
    bar.outline.set_visible(False)
    return axes


def draw_map(axes, frame):
    """Draw the plane as the network answers after some epochs."""
    colors = np.array([*(to_rgb(COLORS[name]) for name in _PARTS), (0.45, 0.45, 0.45), (1, 1, 1)])
    look = {"origin": "lower", "extent": (0, 1, 0, 1), "interpolation": "nearest"}
    axes[0].imshow(colors[frame["answer"].numpy()], **look)
    axes[1].imshow(frame["time"].numpy(), cmap="cividis", norm=_WHEN, **look)
    axes[0].text(0, 1.005, f"who is first, epoch {frame['epoch']}: {frame['right']:.0%} right", weight="bold", va="bottom",
                 transform=axes[0].transAxes)
    for ax in axes:
        ax.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
