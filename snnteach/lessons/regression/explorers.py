"""The explorer of notebook 18: push a flying craft, cut its neurons, and see whether its controller holds it.

`python -m snnteach.lessons.regression.explorers` trains its controllers again and writes `push_net.npz`.
"""
import functools
import math
from pathlib import Path

import numpy as np
import torch

from ...control import DT, GRAVITY, READOUT_GAIN, SCALE, lqr_controller
from ...plots import COLORS, rule
from ..kinds import Choice, Control, Explorer
from .flights import trained, trained_linear

PUSH_NET = Path(__file__).with_name("push_net.npz")
STEPS, KICK_STEP, WIDTH = 150, 50, 32
_CONTROLLERS = ("spiking", "linear", "LQR")
_SHOWN = range(0, STEPS + 1, 15)                                     # steps at which the craft is drawn


def train_push_net():
    """Train one spiking and one linear controller, as the study does with seed 0; return their weights and LQR's."""
    spiking, _ = trained(0)
    arrays = {name: value.numpy() for name, value in spiking.state_dict().items() if name != "scale"}
    arrays["order"] = torch.stack([torch.randperm(WIDTH, generator=torch.Generator().manual_seed(layer))
                                   for layer in (1, 2)]).to(torch.uint8).numpy()
    for name, controller in (("linear", trained_linear(0)), ("LQR", lqr_controller())):
        arrays |= {name: controller.weight.detach().numpy(), f"{name} bias": controller.bias.detach().numpy()}
    return arrays


@functools.cache
def push_net():
    """Load the stored weights, float64 for the loop; the scale of the state is part of them."""
    with np.load(PUSH_NET) as archive:
        arrays = {name: archive[name].astype(int if name == "order" else float) for name in archive.files}
    for name in ("weight1", "linear", "LQR"):
        arrays[name] = arrays[name] / np.array(SCALE)
    return arrays


def _spiking(cut):
    """Return a step of the spiking controller: state -> (two commands, spikes [64])."""
    net = push_net()
    second, readout = net["weight2"].copy(), READOUT_GAIN * net["readout"]
    second[:, net["order"][0, :cut]] = 0
    readout[:, net["order"][1, :cut]] = 0
    weights = net["weight1"], net["bias1"], second, net["bias2"], readout, READOUT_GAIN * net["offset"]
    mem, spk, command = [np.zeros(WIDTH)] * 2, [np.zeros(WIDTH)] * 2, np.zeros(2)

    def step(state):
        nonlocal command
        first, bias1, second, bias2, readout, offset = weights
        mem[0] = 0.7 * mem[0] + first @ state + bias1 - spk[0]
        spk[0] = mem[0] > 1
        mem[1] = 0.7 * mem[1] + second @ spk[0] + bias2 - spk[1]
        spk[1] = mem[1] > 1
        spk[0], spk[1] = spk[0] + 0.0, spk[1] + 0.0
        command = 0.7 * command + 0.3 * (readout @ spk[1] + offset)
        return command, spk

    return step


def _linear(name):
    weight, bias = push_net()[name], push_net()[f"{name} bias"]
    return lambda state: (weight @ state + bias, None)


def compute_push(controller, kick, offset, cut):
    """Fly for 4.5 seconds from 1.5 m below and `offset` m aside, with a kick to the turning speed after 1.5 seconds."""
    step = _spiking(cut) if controller == "spiking" else _linear(controller)
    x, y, vx, vy, tilt, turning = float(offset), -1.5, 0.0, 0.0, 0.0, 0.0
    states, spikes = np.empty((STEPS + 1, 6)), np.zeros((STEPS, 2 * WIDTH))
    states[0] = x, y, vx, vy, tilt, turning
    crash = None
    for now in range(STEPS):
        if now == KICK_STEP:
            turning += kick
        (left, right), fired = step(np.array((x, y, vx, vy, tilt, turning)))
        left, right = (GRAVITY / (1 + math.exp(-min(max(u, -50.0), 50.0))) for u in (left, right))
        vx -= DT * (left + right) * math.sin(tilt)
        vy += DT * ((left + right) * math.cos(tilt) - GRAVITY)
        turning += DT * (right - left)
        x, y, tilt = x + DT * vx, y + DT * vy, tilt + DT * turning
        states[now + 1] = x, y, vx, vy, tilt, turning
        if fired is not None:
            spikes[now] = np.concatenate(fired)
        if crash is None and (abs(x) > 3 or abs(y) > 3 or abs(tilt) > 1.57):
            crash = now + 1
    return {"states": torch.from_numpy(states), "spikes": torch.from_numpy(spikes), "crash": crash, "controller": controller,
            "kick": kick}


def craft(states):
    """Lines of a craft for each state [n, 6]: its beam from rotor to rotor, with a gap between crafts; x and y."""
    x, y, tilt = states[:, 0], states[:, 1], states[:, 4]
    dx, dy = 0.32 * np.cos(tilt), 0.32 * np.sin(tilt)
    gap = np.full_like(x, np.nan)
    return np.stack([x - dx, x + dx, gap], 1).ravel(), np.stack([y - dy, y + dy, gap], 1).ravel()


def build_push(fig):
    """Left the flight, right the tilt above the spikes."""
    grid = fig.add_gridspec(2, 2, width_ratios=(1.15, 1.5), height_ratios=(1, 1.15))
    air, tilt, raster = fig.add_subplot(grid[:, 0]), fig.add_subplot(grid[0, 1]), fig.add_subplot(grid[1, 1])
    air.set(xlim=(-3.4, 3.4), ylim=(-3.4, 3.4), xlabel="x (m)", ylabel="y (m)", xticks=(-3, 0, 3), yticks=(-3, 0, 3), aspect=1)
    air.plot((-3, 3, 3, -3, -3), (-3, -3, 3, 3, -3), color="0.45", linestyle="--", linewidth=1.2)
    air.plot(0, 0, "+", color=COLORS["green"], markersize=12, markeredgewidth=2.2)
    tilt.set(xlim=(0, STEPS * DT), ylim=(-1.9, 1.9), ylabel="tilt (rad)", xticklabels=(), yticks=(-1.57, 0, 1.57))
    raster.set(xlim=(0, STEPS * DT), ylim=(-2, 2 * WIDTH + 2), xlabel="time (s)")
    raster.set_yticks((WIDTH / 2, 1.5 * WIDTH), ("layer 1", "layer 2"))
    for ax, words in ((tilt, "kick"), (raster, "")):
        rule(ax, words, x=KICK_STEP * DT)
    for level in (-1.57, 1.57):
        tilt.axhline(level, color="0.45", linestyle="--", linewidth=1.2)
    return {
        "path": air.plot([], [], color=COLORS["sky"], linewidth=1.4)[0],
        "craft": air.plot([], [], color=COLORS["blue"], linewidth=3, solid_capstyle="round")[0],
        "last": air.plot([], [], color="black", linewidth=4, solid_capstyle="round")[0],
        "crashed": air.plot([], [], "X", color=COLORS["vermillion"], markersize=13)[0],
        "said": air.set_title("spiking: flies"),
        "tilt": tilt.plot([], [], color=COLORS["blue"], linewidth=1.8)[0],
        "spikes": raster.plot([], [], "|", color="black", markersize=2.6, markeredgewidth=1.0)[0],
        "silent": raster.text(0.5, 0.5, "", transform=raster.transAxes, ha="center", va="center", color="0.35"),
    }


def update_push(artists, data):
    """Show the flight up to its crash, the tilt, the spikes, and how it ended."""
    end = STEPS if data["crash"] is None else data["crash"]
    states = data["states"][:end + 1].numpy()
    artists["path"].set_data(states[:, 0], states[:, 1])
    artists["craft"].set_data(*craft(states[[step for step in _SHOWN if step <= end]]))
    artists["last"].set_data(*craft(states[-1:]))
    artists["crashed"].set_data(([], []) if data["crash"] is None else (states[-1:, 0], states[-1:, 1]))
    ended = "flies" if data["crash"] is None else f"crashes after {end * DT:.1f} s"
    artists["said"].set_text(f"{data['controller']}: {ended}")
    artists["tilt"].set_data(np.arange(end + 1) * DT, states[:, 4])
    step, neuron = data["spikes"][:end].numpy().nonzero()
    artists["spikes"].set_data(step * DT, neuron)
    artists["silent"].set_text("" if data["controller"] == "spiking" else "14 numbers, no spikes")


EXPLORERS = {
    "push": Explorer(
        compute_push, build_push, update_push,
        controls={"controller": Choice("spiking", _CONTROLLERS, "controller"),
                  "kick": Control(1.5, -5.0, 5.0, 0.25, "kick", "rad/s"),
                  "offset": Control(1.5, -2.5, 2.5, 0.25, "start aside", "m"),
                  "cut": Control(0, 0, 16, 1, "neurons cut a layer")},
        sweeps=(("kick", {}), ("cut", {}), ("controller", {"kick": 3.5})),
        alt="A flight of 4.5 seconds: left the craft on its way to the middle of a box, right its tilt, with a kick after 1.5 "
            "seconds, and the spikes of the two layers that control it.",
        size=(7.2, 4.0)),
}

if __name__ == "__main__":
    np.savez_compressed(PUSH_NET, **train_push_net())
