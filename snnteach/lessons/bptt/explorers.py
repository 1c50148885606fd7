"""The explorer of notebook 08: paths of blame through the unrolled graph of one neuron."""
import functools

import torch
from matplotlib.patches import FancyArrowPatch

from ...bptt import Weights, backward, forward, step_jacobian
from ...plots import COLORS
from ...surrogate import atan
from ..kinds import Choice, Control, Explorer, Page

_STEPS, _INPUTS = 12, 20
_GENERATOR = torch.Generator().manual_seed(3)
_X = (torch.rand(_STEPS, 1, _INPUTS, generator=_GENERATOR) < 0.15).float()                          # [T, 1, I]
_WEIGHTS = Weights(0.02 + 0.12 * torch.rand(1, _INPUTS, generator=_GENERATOR), None, torch.ones(1, 1))
_ERROR = torch.cos(0.7 * torch.arange(_STEPS))[:, None, None]                                         # it changes its sign
_ROWS = {"X": 0.0, "U": 1.0, "S": 2.0, "L": 3.0}                                                    # heights of the nodes


@functools.lru_cache(64)
def _run(beta, recurrent, dtype):
    weights = Weights(_WEIGHTS.hidden.to(dtype), torch.full((1, 1), float(recurrent), dtype=dtype), _WEIGHTS.output.to(dtype))
    return forward(_X.to(dtype), weights, beta, 0.0), weights


@functools.lru_cache(256)
def _gradient(beta, recurrent, detach, truncation, dtype):
    run, weights = _run(beta, recurrent, dtype)
    return backward(run, weights, _ERROR.to(dtype), beta, 0.0, detach_reset=detach, truncation=truncation).hidden.flatten()


def compute_path(beta, t, s, truncation, reset, recurrent=0.0, dtype=torch.float32):
    """Run one neuron; return the coefficients of the paths from the loss at step t, and what the window keeps of the whole.

    `paths` holds each path from the loss to step s on its own: bit k of its place is set where the path leaves the membrane
    and goes through the spike of step t - 1 - k.
    """
    t, s, truncation, detach = int(t), int(s), int(truncation), reset == "detached"
    run, weights = _run(beta, recurrent, dtype)
    step = step_jacobian(run.mem, weights, beta, detach_reset=detach).flatten()                     # d mem[r+1] / d mem[r]
    slope = atan()(run.mem - 1.0).flatten()                                                         # [T]
    coefficients, after = torch.zeros(_STEPS, dtype=dtype), recurrent - (0.0 if detach else 1.0)    # from S[r] to U[r+1]
    coefficients[:t + 1] = slope[t] * torch.cat([step[:t], step.new_ones(1)]).flip(0).cumprod(0).flip(0)
    paths = slope[t:t + 1] if s <= t else slope[:0]
    for r in range(t - 1, s - 1, -1):
        paths = torch.cat([beta * paths, after * slope[r] * paths])                                 # [2^(t-s)] in the end
    full, cut = (_gradient(beta, recurrent, detach, window, dtype) for window in (None, truncation))
    cosine = torch.nn.functional.cosine_similarity(full, cut, dim=0).item()
    return {"coefficients": coefficients, "slope": slope[t].item(), "through": step[s:t].prod().item() if s <= t else 0.0,
            "spk": run.spk.flatten(), "mem": run.mem.flatten(), "x": _X.sum(-1).flatten(), "beta": beta, "t": t, "s": s,
            "truncation": truncation, "detached": detach, "reached": s <= t and t - s < truncation, "cosine": cosine,
            "norm": (cut.norm() / full.norm()).item(), "after": after, "paths": paths}


def build_path(fig):
    """Above the unrolled graph with one path in it, below the coefficients of all paths from the same loss."""
    grid = fig.add_gridspec(2, 1, height_ratios=(3, 2))
    top, low = fig.add_subplot(grid[0]), fig.add_subplot(grid[1])
    top.set(xlim=(-0.6, _STEPS - 0.4), ylim=(-0.4, 3.4))
    top.set_title(" \n ")                                                # room for the two lines that move
    top.set_yticks(list(_ROWS.values()), ("input X", "potential U", "spike S", "loss L"))
    top.set_xticks(range(_STEPS), ())
    top.tick_params(length=0)
    top.spines[["left", "bottom"]].set_visible(False)
    for step in range(_STEPS):
        for first, second in (("X", "U"), ("U", "S"), ("S", "L")):
            _edge(top, (step, _ROWS[first]), (step, _ROWS[second]))
        if step:
            _edge(top, (step - 1, _ROWS["U"]), (step, _ROWS["U"]))
            _edge(top, (step - 1, _ROWS["S"]), (step, _ROWS["U"]))
        for height in _ROWS.values():
            top.plot(step, height, "o", color="white", markeredgecolor="0.55", markersize=11, zorder=2)
    low.set_yscale("symlog", linthresh=1)                                # with a self-weight, blame can grow a hundredfold
    low.set(xlim=(-0.6, _STEPS - 0.4), ylim=(-0.4, 130), xlabel="step s whose weights are blamed", xticks=range(_STEPS),
            ylabel="blame\n(surrogate × memory)", yticks=(0, 1, 10, 100), yticklabels=("0", "1", "10", "100"))
    low.axhline(0, color="black", linewidth=0.8)
    bars = low.bar(range(_STEPS), 0, width=0.7, color=COLORS["sky"], edgecolor=COLORS["blue"])
    return {
        "path": top.plot([], [], color=COLORS["vermillion"], linewidth=4, zorder=3, solid_joinstyle="round")[0],
        "fired": top.plot([], [], "o", color="black", markersize=11, zorder=4)[0],
        "formula": top.text(-0.13, 1.12, "", transform=top.transAxes, fontweight="bold", fontsize=10),
        "verdict": top.text(-0.13, 1.02, "", transform=top.transAxes, color="0.25"),
        **{f"bar{step}": bar for step, bar in enumerate(bars)},
        "worth": low.text(0.01, 0.99, "", transform=low.transAxes, va="top", fontsize=9),
    }


def update_path(artists, data):
    """Move the path, the formula, the bars and what the window keeps of the whole gradient."""
    t, s = data["t"], data["s"]
    corners = [(t, _ROWS["L"]), (t, _ROWS["U"]), (s, _ROWS["U"]), (s, _ROWS["X"])] if s <= t else []
    artists["path"].set_data([x for x, _ in corners], [y for _, y in corners])
    artists["path"].set(color=COLORS["vermillion"] if data["reached"] else "0.6",
                        linestyle="-" if data["reached"] else "--")
    fired = data["spk"].nonzero().flatten()
    artists["fired"].set_data(fired, torch.full(fired.shape, _ROWS["S"]))
    slope, through, product = (round(value, digits) + 0.0 for value, digits in                     # + 0.0: no "-0.00"
                               ((data["slope"], 2), (data["through"], 2), (data["slope"] * data["through"], 3)))
    artists["formula"].set_text(f"dL[{t}]/dW[{s}] = dL[{t}]/dS[{t}] · X[{s}] × {product:.3f}  "
                                f"(surrogate {slope:.2f} × memory {through:.2f})")
    artists["verdict"].set_text(_verdict(data))
    for step in range(_STEPS):
        inside, bar = t - step < data["truncation"], artists[f"bar{step}"]
        bar.set_height(float(data["coefficients"][step]))
        bar.set(facecolor=COLORS["vermillion"] if step == s and inside else COLORS["sky"] if inside else "white",
                edgecolor=COLORS["blue"] if inside else "0.6", linestyle="-" if inside else ":")
    artists["worth"].set_text(f"all losses, window K = {data['truncation']}: "
                              f"cosine {data['cosine']:.2f}, length {data['norm']:.2f} of the exact gradient")


def _verdict(data):
    lag, beta = data["t"] - data["s"], data["beta"]
    if lag < 0:
        return "no path: a weight used later cannot have caused an earlier loss"
    if not data["reached"]:
        return f"the path is {lag} steps long: a window of K = {data['truncation']} cuts it"
    if lag == 0:
        return "no step back: the memory has no say"
    memory = "a product of (beta + V h)" if data["detached"] else "a product of (beta + (V - threshold) h)"
    memory = memory if data["after"] else f"beta^{lag} = {beta**lag:.2f}"
    return f"{lag} step{'s' if lag > 1 else ''} back: {memory}"


def _edge(axes, start, end, color="0.75"):
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=8, color=color, linewidth=1.2,
                                   shrinkA=6, shrinkB=6, zorder=1))


EXPLORERS = {
    "path": Explorer(
        compute_path, build_path, update_path, size=(6.8, 4.8),
        controls={"beta": Control(0.9, 0.5, 0.99, 0.01, "decay beta", "per step"),
                  "t": Control(5, 0, 11, 1, "loss at t", "step"),
                  "s": Control(2, 0, 11, 1, "weights at s", "step"),
                  "truncation": Control(12, 1, 12, 1, "window K", "steps"),
                  "recurrent": Control(0.0, -1.0, 1.0, 0.05, "self-weight V", "thresholds"),
                  "reset": Choice("detached", ("detached", "attached"), "reset")},
        sweeps=(("t", {"s": 1}), ("reset", {"t": 9, "s": 4})),
        alt="Above, the unrolled graph of one neuron over twelve steps with a path from one loss to the weights of one step; "
            "below, what all paths from the same loss to each step carry, hollow where a truncation window cuts them."),
}

PAGES = {"path": Page("One path of blame through the unrolled graph", lambda: {
    "x": _X[:, 0].int().tolist(), "weight": _WEIGHTS.hidden[0].tolist(), "error": _ERROR.flatten().tolist()})}
