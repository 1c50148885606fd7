"""One network over time: rasters, membrane traces, read-outs, and the lines that mark a level."""
import torch

from .style import COLORS


def raster(ax, spk, *, color="black", height=0.8):
    """Draw spikes [T, N] (or [T]) as ticks, the broader the fewer steps there are: time to the right, one row a neuron."""
    spk = torch.as_tensor(spk).detach()
    spk = spk[:, None] if spk.dim() == 1 else spk
    if spk.dim() != 2:
        raise ValueError(f"raster: spk must be [T, N], got shape {tuple(spk.shape)}. Pick one sample: spk[:, b].")
    steps, neurons = spk.nonzero(as_tuple=True)
    room = 72 * ax.figure.get_figwidth() * ax.get_position().width / len(spk)         # points a step
    ax.vlines(steps, neurons - height / 2, neurons + height / 2, color=COLORS.get(color, color),
              linewidth=min(max(room / 3, 1.5), 4))
    ax.set(xlim=(-0.5, len(spk) - 0.5), ylim=(-0.6, spk.shape[1] - 0.4), xlabel="time step", ylabel="neuron")


def rule(ax, words, *, x=None, y=None, style="--", end=1.0):
    """Draw a grey line across the axes, level at y or upright at x, with its name at the share `end` of its length."""
    if (x is None) == (y is None):
        raise ValueError(f"rule: give x or y, and only one of them, got x={x}, y={y}.")
    look = {"color": "0.45", "linestyle": style, "linewidth": 1.2, "zorder": 1}
    if y is not None:
        ax.axhline(y, **look)
        place, coordinates, shift = (end, y), ("axes fraction", "data"), (3 - 6 * end, 2)
        side = {"ha": "right" if end > 0.5 else "left", "va": "bottom"}
    else:
        ax.axvline(x, **look)
        place, coordinates, shift = (x, end), ("data", "axes fraction"), (4, 3 - 6 * end)
        side = {"ha": "left", "va": "top" if end > 0.5 else "bottom"}
    ax.annotate(words, place, xycoords=coordinates, xytext=shift, textcoords="offset points", color="0.3", fontsize=9, **side)


def threshold_line(ax, threshold=1.0, label="threshold"):
    """Draw the firing threshold as the dashed grey line it is in every figure of the course."""
    rule(ax, label, y=threshold)


def traces(ax, mem, threshold=None, spk=None, *, color="blue", label=None, style="-"):
    """Draw a membrane potential [T]; its spikes [T] are short ticks above the threshold."""
    mem = torch.as_tensor(mem).detach()
    if mem.dim() != 1:
        raise ValueError(f"traces: mem must be [T], got shape {tuple(mem.shape)}. Pick one neuron: mem[:, b, n].")
    ax.plot(mem, color=COLORS.get(color, color), label=label, linestyle=style)
    if threshold is not None:
        threshold_line(ax, threshold)
    if spk is not None:
        top = float(max(mem.max(), threshold or 0)) * 1.06
        ax.vlines(torch.as_tensor(spk).detach().nonzero().flatten(), top, top * 1.1, color="black", linewidth=1.5)
    ax.set(xlabel="time step", ylabel="membrane potential")


def readout(ax, mem, target, label=None):
    """Draw the membranes (or counts) [T, C] of all classes in grey, that of class `target` in colour and by name."""
    mem = torch.as_tensor(mem).detach()
    if mem.dim() != 2 or not 0 <= target < mem.shape[-1]:
        raise ValueError(f"readout: mem must be [T, C] and target one of its classes, got shape {tuple(mem.shape)} and "
                         f"target {target}. Pick one sample: mem[:, b].")
    others = [one for one in range(mem.shape[1]) if one != target]
    ax.plot(mem[:, others], "--", color="0.65", linewidth=1.2)
    ax.plot(mem[:, target], color=COLORS["vermillion"], linewidth=2.6)
    ax.annotate(f"class {target}" if label is None else label, (len(mem) - 1, float(mem[-1, target])), xytext=(4, 0),
                textcoords="offset points", va="center", color=COLORS["vermillion"], annotation_clip=False)
    ax.set(xlabel="time step", ylabel="read-out")
