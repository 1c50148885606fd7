"""The explorer of notebook 13: three input spikes, a membrane, its crossing, and how far each weight moves it."""
import math

import numpy as np
import torch

from ...plots import COLORS, threshold_line
from ...spiketimes import alpha_psp, crossing_time, spike_gradients
from ..kinds import Control, Explorer

TAU, END, SCALE = 5.0, 25.0, 8.0
FIRST, SECOND = 1.0, 3.0
_GRID = torch.linspace(0, END, 501, dtype=torch.float64)


def compute_crossing(w1, w2, w3, t3):
    """The membrane of three inputs, its first spike and the gradients of its time."""
    weight = torch.tensor([w1, w2, w3], dtype=torch.float64)
    times = torch.tensor([FIRST, SECOND, t3], dtype=torch.float64)
    mem = (weight * alpha_psp(_GRID[:, None] - times, TAU)).sum(1)
    spike_time = crossing_time(weight, times, TAU)
    grads = spike_gradients(weight, times, spike_time, TAU).weight
    return {"mem": mem, "weight": weight, "times": times, "spike_time": spike_time, "grads": grads}


def build_crossing(fig):
    """Left the membrane over time, right a bar for each weight."""
    left, right = fig.subplots(1, 2, width_ratios=(2.1, 1))
    left.set(xlim=(0, END), ylim=(-1.2, 2.6), xlabel="time (ms)", ylabel="potential / threshold")
    threshold_line(left, label="")
    right.set(xlim=(-0.6, 2.6), ylim=(-SCALE - 1, SCALE + 1), ylabel="df/dw (ms per unit)")
    right.set_xticks(range(3), ("$w_1$", "$w_2$", "$w_3$"))
    right.axhline(0, color="black", linewidth=1)
    right.set_title("How far it moves")
    left.set_title("Three pulses and a threshold")
    colors = [COLORS[name] for name in ("blue", "green", "orange")]
    return {
        "mem": left.plot([], [], color="black")[0],
        "spike": left.plot([], [], "o", color=COLORS["vermillion"], markersize=9)[0],
        "drop": left.plot([], [], ":", color=COLORS["vermillion"], linewidth=1.8)[0],
        **{f"input {place}": left.plot([], [], color=color, linewidth=4, marker=mark, markersize=6)[0]
           for place, (color, mark) in enumerate(zip(colors, "os^", strict=True))},
        **{f"bar {place}": right.bar(place, 0, color=color, width=0.55)[0] for place, color in enumerate(colors)},
        "tips": right.plot([], [], "v", color="black", markersize=7)[0],
        "said": left.text(0.98, 0.95, "", transform=left.transAxes, ha="right", va="top"),
    }


def update_crossing(artists, data):
    """Draw membrane, inputs, crossing and bars."""
    artists["mem"].set_data(_GRID, data["mem"])
    fired = math.isfinite(data["spike_time"])
    artists["spike"].set_data([data["spike_time"]] if fired else [], [1.0] if fired else [])
    artists["drop"].set_data([data["spike_time"]] * 2 if fired else [], [-1.2, 1.0] if fired else [])
    grads = data["grads"].clamp(-SCALE, SCALE)
    for place, (time, weight, grad) in enumerate(zip(data["times"].tolist(), data["weight"].tolist(), grads.tolist(),
                                                     strict=True)):
        artists[f"input {place}"].set_data([time, time], [-1.2, -1.2 + 0.8 * max(abs(weight), 0.02)])
        artists[f"bar {place}"].set_height(grad)
    beyond = data["grads"].abs() > SCALE
    artists["tips"].set_data(np.arange(3)[beyond.numpy()], grads[beyond])
    artists["said"].set_text(f"spike at {data['spike_time']:.2f} ms" if fired else "silent: all bars are 0")


EXPLORERS = {
    "crossing": Explorer(
        compute_crossing, build_crossing, update_crossing,
        controls={"w1": Control(0.5, -1.0, 1.5, 0.05, "w1, arrives at 1 ms"),
                  "w2": Control(0.9, -1.0, 1.5, 0.05, "w2, arrives at 3 ms"),
                  "w3": Control(0.4, -1.0, 1.5, 0.05, "w3"),
                  "t3": Control(4.0, 0.0, 15.0, 0.5, "w3 arrives at", "ms")},
        sweeps=(("w2", {}), ("t3", {}), ("w3", {})),
        alt="The membrane of a neuron under three input pulses, the place where it crosses the threshold, and three bars "
            "that "
            "say how far its spike moves per unit of each weight.",
        size=(7.4, 3.5)),
}
