"""The explorer of notebook 03: the plane of a neuron's two states, its flow, and a run that starts wherever one puts it."""
from collections.abc import Callable
from typing import NamedTuple

import torch

from ...biophysics import izhikevich
from ...plots import COLORS
from ...zoo import adaptive_lif, alpha_lif, cuba_lif
from ..kinds import Choice, Control, Explorer

_STEPS, _MILLISECONDS, _DT = 80, 100, 0.25
_ALPHA, _BETA, _TAU, _RHO, _STRENGTH = 0.8, 0.9, 5.0, 0.95, 2.0
_LAM = float(torch.exp(torch.tensor(-1 / _TAU, dtype=torch.float64)))
_PULL = _LAM * float(torch.e) / _TAU                                 # what the current of an alpha neuron adds in a step


class _Model(NamedTuple):
    """Ranges of the states (x, y), the largest input, axis names, the flow, both nullclines, the threshold, and a run.

    `flow(x, y, input)` is what a step adds to x and y where the neuron does not fire; a nullcline is a pair of ends (x, y), or
    a function of x.
    """

    x: tuple
    y: tuple
    most: float
    names: tuple
    flow: Callable
    still: Callable
    threshold: tuple
    run: Callable


def _layer(neuron):
    def run(x0, y0, drive):
        state = torch.tensor([[x0]]), torch.zeros(1, 1), torch.tensor([[y0]])
        spk, mem, other = neuron(torch.full((_STEPS, 1, 1), drive), state)
        return spk.flatten(), torch.cat([state[0], mem[:, 0]]).flatten(), torch.cat([state[2], other[:, 0]]).flatten()
    return run


def _cells(x0, y0, drive):
    spk, v, u = izhikevich(torch.full((int(_MILLISECONDS / _DT),), drive), _DT, start=(x0, y0))
    return spk, torch.cat([torch.tensor([x0]), v]), torch.cat([torch.tensor([y0]), u])


_THRESHOLD = ((1, 1), (-9, 9))
_MODELS = {
    "current-based": _Model(
        (-0.5, 1.5), (-0.1, 0.4), 0.05, ("membrane U", "current I"),
        lambda x, y, i: (_BETA * x + _ALPHA * y + i - x, _ALPHA * y + i - y),
        lambda x, i: (((1 - _BETA) * x - i) / _ALPHA, torch.full_like(x, i / (1 - _ALPHA))), _THRESHOLD,
        _layer(lambda x, state: cuba_lif(x, _ALPHA, _BETA, state=state))),
    "alpha": _Model(
        (-0.5, 1.5), (-0.5, 2.0), 0.2, ("membrane U", "current g"),
        lambda x, y, i: (_LAM * x + _PULL * y - x, _LAM * y + i - y),
        lambda x, i: ((1 - _LAM) * x / _PULL, torch.full_like(x, i / (1 - _LAM))), _THRESHOLD,
        _layer(lambda x, state: alpha_lif(x, _TAU, state=state))),
    "adaptive": _Model(
        (-0.5, 2.0), (-0.1, 0.4), 0.4, ("membrane U", "adaptation a"),
        lambda x, y, i: (_BETA * x + i - x, _RHO * y - y),
        lambda x, i: (1e3 * (x - i / (1 - _BETA)), torch.zeros_like(x)), ((-8, 10), (-4.5, 4.5)),
        _layer(lambda x, state: adaptive_lif(x, _BETA, _RHO, _STRENGTH, state=state))),
    "Izhikevich": _Model(
        (-90.0, 40.0), (-25.0, 10.0), 15.0, ("voltage v (mV)", "recovery u"),
        lambda x, y, i: (_DT * (0.04 * x**2 + 5 * x + 140 - y + i), _DT * 0.02 * (0.2 * x - y)),
        lambda x, i: (0.04 * x**2 + 5 * x + 140 + i, 0.2 * x), ((30, 30), (-99, 99)), _cells)}


def compute_plane(neuron, input, across, up):
    """Run a neuron from a point of its plane, and tell where its states flow and where each of them stands still.

    The plane is drawn from 0 to 1 in both directions; `x` and `y` are the states themselves, from the start on.
    """
    model = _MODELS[neuron]
    drive = model.most * input
    spk, x, y = model.run(model.x[0] + across * (model.x[1] - model.x[0]), model.y[0] + up * (model.y[1] - model.y[0]), drive)
    grid = torch.cartesian_prod(torch.linspace(0.05, 0.95, 10), torch.linspace(0.05, 0.95, 10))
    places = [low + part * (high - low) for (low, high), part in zip((model.x, model.y), grid.unbind(1), strict=True)]
    flow = torch.stack([change / (high - low) for change, (low, high) in
                        zip(model.flow(*places, drive), (model.x, model.y), strict=True)], 1)
    flow = 0.06 * flow / flow.norm(dim=1, keepdim=True).clamp(min=1e-9)               # directions, all of one length
    line = torch.linspace(model.x[0], model.x[1], 201)
    still = [_unit(curve, model.y) for curve in model.still(line, drive)]
    return {"neuron": neuron, "spk": spk, "x": x, "y": y, "path": (_unit(x, model.x), _unit(y, model.y)), "tails": grid,
            "heads": grid + flow, "still": still, "names": model.names, "ranges": (model.x, model.y),
            "threshold": [_unit(torch.tensor(ends, dtype=torch.float32), span)
                          for ends, span in zip(model.threshold, (model.x, model.y), strict=True)]}


def _unit(value, span):
    return (value - span[0]) / (span[1] - span[0])


def build_plane(fig):
    """Left the plane with its flow, right the first state over time."""
    grid = fig.add_gridspec(1, 2, width_ratios=(1.25, 1))
    plane, time = fig.add_subplot(grid[0]), fig.add_subplot(grid[1])
    plane.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xticks=(), yticks=())
    plane.set_title("The plane of its two states\n ")
    plane.set_xlabel("\n ")
    plane.set_ylabel(" ")
    time.set(xlim=(0, 1), ylim=(0, 1.12), yticks=(), xticks=())
    time.set_title("What it does\n ")
    time.set_xlabel("\n ")
    inside = {"transform": plane.transAxes, "fontsize": 9}
    return {
        "flow": plane.plot([], [], color="0.65", linewidth=0.8)[0],
        "tails": plane.plot([], [], ".", color="0.65", markersize=3)[0],
        "still_x": plane.plot([], [], color=COLORS["orange"], linewidth=1.6)[0],
        "still_y": plane.plot([], [], color=COLORS["sky"], linewidth=1.6, linestyle="-.")[0],
        "threshold": plane.plot([], [], color="0.45", linewidth=1.2, linestyle="--")[0],
        "path": plane.plot([], [], color=COLORS["blue"], linewidth=1.6)[0],
        "start": plane.plot([], [], "o", color=COLORS["vermillion"], markersize=7)[0],
        "name_x": plane.text(0.5, -0.09, "", ha="center", **inside),
        "name_y": plane.text(-0.03, 0.5, "", ha="right", va="center", rotation=90, **inside),
        "name_t": time.text(0.5, -0.09, "", ha="center", fontsize=9, transform=time.transAxes),
        "legend": plane.text(0, 1.02, "orange: no step across; blue dash-dot: no step up", color="0.25", **inside),
        "trace": time.plot([], [], color=COLORS["blue"], linewidth=1.4)[0],
        "spk": time.plot([], [], "|", color="black", markersize=9)[0],
        "says": time.text(0, 1.02, "", transform=time.transAxes, fontsize=9, color="0.25"),
    }


def update_plane(artists, data):
    """Move the flow, both nullclines, the threshold, the run and its trace."""
    tails, heads = data["tails"], data["heads"]
    gaps = torch.full_like(tails, float("nan"))
    artists["flow"].set_data(*torch.stack([tails, heads, gaps], 1).flatten(0, 1).unbind(1))
    artists["tails"].set_data(*tails.unbind(1))
    line = torch.linspace(0, 1, 201)
    artists["still_x"].set_data(line, data["still"][0])
    artists["still_y"].set_data(line, data["still"][1])
    artists["threshold"].set_data(*data["threshold"])
    x, y = data["path"]
    artists["path"].set_data(x, y)
    artists["start"].set_data(x[:1], y[:1])
    for name, words, (low, high), at in zip(("name_x", "name_y"), data["names"], data["ranges"],
                                            (data["x"][0], data["y"][0]), strict=True):
        artists[name].set_text(f"{words}, {low:g} to {high:g} (start {at:.2f})")
    steps = torch.linspace(0, 1, len(x))
    artists["trace"].set_data(steps, x.clamp(0, 1))
    fired = steps[1:][data["spk"] > 0]
    artists["spk"].set_data(fired, torch.full(fired.shape, 1.06))
    across, up = (name.split()[1] for name in data["names"])
    artists["name_t"].set_text(f"time, 0 to {len(x) - 1} steps")
    artists["says"].set_text(f"from {across} = {data['x'][0]:.2f}, {up} = {data['y'][0]:.2f}: {len(fired)} spikes")


EXPLORERS = {
    "plane": Explorer(
        compute_plane, build_plane, update_plane,
        controls={"neuron": Choice("current-based", tuple(_MODELS), "neuron"),
                  "input": Control(0.0, 0.0, 1.0, 0.05, "steady input", "of the largest"),
                  "across": Control(0.7, 0.0, 1.0, 0.05, "start, across", "of the axis"),
                  "up": Control(0.4, 0.0, 1.0, 0.05, "start, up", "of the axis")},
        sweeps=(("neuron", {"input": 0.8}), ("input", {}), ("up", {})),
        alt="Left, the plane of the two states of a neuron: short lines say where each point flows, one curve where the first "
            "state stands still, another where the second does, a dashed line is the threshold, and a run starts at a dot; "
            "right, the first state over time with its spikes.",
        size=(7.2, 4.0)),
}
