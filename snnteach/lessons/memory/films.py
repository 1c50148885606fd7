"""The film of notebook 11: three windows narrow until three spikes meet."""
import torch

from ...delays import delay_kernel, delayed_current, narrowing
from ...neurons import lif
from ...plots import COLORS, STYLES

_NAMES = ("A", "B", "C")
_LOOKS = ("blue", "orange", "green")


def meeting_frames(spk, delay, weight, beta, meet, widths, steps=200, every=8):
    """Train the delays [1, C] of one neuron to fire at step `meet` on spk [T, 1, C]; returns a dict for each frame."""
    delay = delay.clone().requires_grad_()
    optimiser, frames = torch.optim.Adam([delay], lr=0.3), []
    for step in range(steps + 1):
        sigma = narrowing(step / steps, *widths)
        _, mem = lif(delayed_current(spk, weight, delay, sigma, 32), beta)
        if step % every == 0:
            frames.append({"step": step, "sigma": sigma, "delay": delay.detach()[0].tolist(),
                           "window": delay_kernel(delay, sigma, 32)[0].detach(), "mem": mem.flatten().detach(),
                           "sent": spk[:, 0].argmax(0).tolist(), "meet": meet})
        optimiser.zero_grad()
        (-mem[meet].sum()).backward()
        optimiser.step()
    for frame in frames:
        frame["first"] = frames[0]["window"]
    return frames


def build_meeting(fig):
    """Above the windows, by the step at which they make a spike arrive; below the potential."""
    top, low = fig.subplots(2, 1, sharex=True, height_ratios=(1.2, 1))
    top.set(ylim=(0, 1.18), ylabel="share that arrives", title=" ")
    low.set(xlim=(0, 39), ylim=(0, 1.4), xlabel="time step", ylabel="potential U")
    return top, low


def draw_meeting(axes, frame):
    """Draw how much of each spike arrives at each step, in grey what did at first, and what the neuron makes of it."""
    top, low = axes
    for axis in axes:
        axis.axvline(frame["meet"], color="0.6", linestyle=":", linewidth=1)
    for place, (sent, window) in enumerate(zip(frame["sent"], frame["window"])):
        arrival = sent + torch.arange(len(window))
        top.plot(arrival, window, color=COLORS[_LOOKS[place]], linestyle=STYLES[place])
        top.plot([sent], [1.07], "|", color=COLORS[_LOOKS[place]], markersize=12, markeredgewidth=2)
        top.text(sent + 0.4, 1.07, _NAMES[place], va="center", color=COLORS[_LOOKS[place]])
        top.plot(arrival, frame["first"][place], color="0.75", zorder=1)
    words = f"step {frame['step']}: width {frame['sigma']:.2f}, delays " + ", ".join(f"{delay:.1f}" for delay in frame["delay"])
    top.text(0, 1.05, words, transform=top.transAxes, fontweight="bold")
    low.plot(range(len(frame["mem"])), frame["mem"], color=COLORS["black"])
    low.axhline(1, color="0.45", linestyle="--", linewidth=1)
    low.text(0.2, 1.04, "threshold", color="0.35", fontsize=8)
