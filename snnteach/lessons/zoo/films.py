"""The film of notebook 03: a cloud of Izhikevich neurons in the plane of their two states, as their rest is lost."""
import torch

from ...biophysics import izhikevich
from ...plots import COLORS

_RANGES = ((-90.0, 40.0), (-22.0, 8.0))                               # of voltage and recovery
_DT, _AFTER = 0.25, -65.0                                             # ms; the voltage after a spike


def cloud_frames(levels=(0.0, 8.0), frames=(10, 20), every=6, side=(16, 11)):
    """Start neurons all over the plane and follow them, for so many frames at each level of input; a dict for each frame.

    A frame comes after `every` steps. It holds the states [every + 1, N] since the frame before, spikes counted on the way.
    """
    current = torch.tensor(levels).repeat_interleave(every * torch.tensor(frames))
    runs = []
    for v, u in torch.cartesian_prod(torch.linspace(-88, 28, side[0]), torch.linspace(-21, 5, side[1])).tolist():
        spk, voltage, recovery = izhikevich(current, _DT, start=(v, u))
        voltage = torch.where(spk > 0, _AFTER, voltage)
        runs.append((spk, torch.cat([torch.tensor([v]), voltage]), torch.cat([torch.tensor([u]), recovery])))
    spk, v, u = (torch.stack(part, 1) for part in zip(*runs, strict=True))                          # [T (+ 1), N]
    return [{"time": (step + every) * _DT, "input": current[step].item(), "v": v[step:step + every + 1],
             "u": u[step:step + every + 1], "fired": spk[step:step + every].bool().any(0)}
            for step in range(0, len(current), every)]


def build_cloud(fig):
    """One plane."""
    ax = fig.subplots()
    ax.set(xlim=_RANGES[0], ylim=_RANGES[1], xlabel="voltage v (mV)", ylabel="recovery u", title=" ")
    return ax


def draw_cloud(ax, frame):
    """Draw both nullclines, each neuron with a tail, and those that fired in vermillion."""
    across = torch.linspace(*_RANGES[0], 200)
    ax.plot(across, 0.04 * across**2 + 5 * across + 140 + frame["input"], color=COLORS["orange"])
    ax.plot(across, 0.2 * across, "-.", color=COLORS["sky"])
    ax.text(-34, 6.5, "v stands still", color=COLORS["orange"], va="center")
    ax.text(39, 2.5, "u stands still", color=COLORS["sky"], ha="right", va="center")
    v, u, fired = frame["v"], frame["u"], frame["fired"]
    ax.plot(v[:, ~fired], u[:, ~fired], color="0.7", linewidth=0.8)
    for who, color, size in ((~fired, "blue", 4), (fired, "vermillion", 6)):
        ax.plot(v[-1, who], u[-1, who], "o", color=COLORS[color], markersize=size, markeredgewidth=0)
    ax.text(0, 1.04, f"{frame['time']:.0f} ms, input {frame['input']:.0f}: {int(fired.sum())} of {len(fired)} fire",
            transform=ax.transAxes, fontweight="bold")
