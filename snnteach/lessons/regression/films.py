"""The film of notebook 18: a flight, the commands of its rotors, and the spikes that gave them."""
import torch

from ...control import DT
from ...plots import COLORS
from .explorers import craft


def flight_frames(flight, every=6, kick=None):
    """Return the frames (step, flight, kick) of a `Flight` of one craft, every so many steps; `kick` is the step of a kick."""
    return [(step, flight, kick) for step in range(every, len(flight.commands) + 1, every)]


def build_flight(fig):
    """Left the air; right the commands above the spikes."""
    grid = fig.add_gridspec(2, 2, width_ratios=(1.1, 1.5), height_ratios=(1, 1.9))
    air, said, raster = fig.add_subplot(grid[:, 0]), fig.add_subplot(grid[0, 1]), fig.add_subplot(grid[1, 1])
    air.set(xlim=(-2, 2), ylim=(-2, 2), xticks=(-2, 0, 2), yticks=(-2, 0, 2), xlabel="x (m)", ylabel="y (m)", aspect=1)
    said.set(ylim=(-0.4, 10.4), ylabel="push (N)", xticklabels=())
    said.set_yticks((0, 4.9, 9.8), ("0", "g/2", "g"))
    for place, words, color in ((0.78, "left", "blue"), (0.89, "right", "vermillion")):
        said.text(place, 1.02, words, color=COLORS[color], fontsize=10, transform=said.transAxes)
    raster.set(ylim=(-2, 66), xlabel="time (s)")
    raster.set_yticks((16, 48), ("layer 1", "layer 2"))
    return air, said, raster


def draw_flight(axes, frame):
    """Draw the craft on its way, and what was said and fired up to one step."""
    step, flight, kick = frame
    air, said, raster = axes
    states, seconds = flight.states[:step + 1, 0], len(flight.commands) * DT
    air.plot(states[:, 0], states[:, 1], color=COLORS["sky"], linewidth=1.4)
    air.plot(*craft(states[-1:].numpy()), color="black", linewidth=4, solid_capstyle="round")
    for rotor, (side, color) in enumerate(((-1, "blue"), (1, "vermillion"))):
        _draw_push(air, states[-1], side, torch.sigmoid(flight.commands[step - 1, 0, rotor]).item(), color)
    air.plot(0, 0, "+", color=COLORS["green"], markersize=12, markeredgewidth=2.2)
    time = torch.arange(1, step + 1) * DT
    for rotor, (color, style) in enumerate((("blue", "-"), ("vermillion", "--"))):
        said.plot(time, 9.8 * torch.sigmoid(flight.commands[:step, 0, rotor]), color=COLORS[color], linestyle=style,
                  linewidth=1.6)
    said.set(xlim=(0, seconds))
    when, neuron = flight.spikes[:step, 0].nonzero(as_tuple=True)
    raster.plot((when + 1) * DT, neuron, "|", color="black", markersize=2.6, markeredgewidth=1.0)
    raster.set(xlim=(0, seconds))
    if kick is not None:
        for ax in (said, raster):
            ax.axvline(kick * DT, color="0.45", linestyle="--", linewidth=1.2)
        said.text(kick * DT + 0.08, 4.4, "kick", color="0.3", fontsize=9)


def _draw_push(ax, state, side, push, color):
    """An arrow as long as a rotor's push, from its end of the beam along the craft's axis."""
    x, y, tilt = state[0], state[1], state[4]
    foot = (x + side * 0.32 * torch.cos(tilt), y + side * 0.32 * torch.sin(tilt))
    ax.annotate("", (foot[0] - push * torch.sin(tilt), foot[1] + push * torch.cos(tilt)), foot,
                arrowprops={"arrowstyle": "-|>", "color": COLORS[color], "linewidth": 2})
