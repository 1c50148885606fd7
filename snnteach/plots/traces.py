"""What is drawn again and again: rasters, membrane traces, thresholds, bands over seeds."""
import torch

from .style import COLORS


def raster(ax, spk, *, color="black", height=0.8, marker=None):
    """Draw spikes [T, N] (or [T]) as ticks: time to the right, one row a neuron."""
    spk = torch.as_tensor(spk)
    spk = spk[:, None] if spk.dim() == 1 else spk
    if spk.dim() != 2:
        raise ValueError(f"raster: spk must be [T, N], got shape {tuple(spk.shape)}. Pick one sample: spk[:, b].")
    steps, neurons = spk.nonzero(as_tuple=True)
    ax.vlines(steps, neurons - height / 2, neurons + height / 2, color=COLORS.get(color, color), linewidth=1.2)
    ax.set(xlim=(-0.5, len(spk) - 0.5), ylim=(-0.6, spk.shape[1] - 0.4), xlabel="time step", ylabel="neuron")


def threshold_line(ax, threshold=1.0, label="threshold"):
    """Draw the firing threshold as the dashed grey line it is in every figure of the course."""
    ax.axhline(threshold, color="0.45", linestyle="--", linewidth=1)
    ax.annotate(label, (1, threshold), xycoords=("axes fraction", "data"), xytext=(-2, 2), textcoords="offset points",
                ha="right", va="bottom", color="0.35", fontsize=9)


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
        ax.vlines(torch.as_tensor(spk).detach().nonzero().flatten(), top, top * 1.08, color="black", linewidth=1.2)
    ax.set(xlabel="time step", ylabel="membrane potential")


def band(ax, x, values, *, color="blue", label=None, style="-", marker="o"):
    """Draw the mean of `values` [seeds, points] over `x` with a band from the smallest to the largest seed."""
    values = torch.as_tensor(values, dtype=torch.float64)
    color = COLORS.get(color, color)
    ax.fill_between(x, values.amin(0), values.amax(0), color=color, alpha=0.25, linewidth=0)
    ax.plot(x, values.mean(0), color=color, label=label, linestyle=style, marker=marker)
