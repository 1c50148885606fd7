"""The explorer of notebook 08, one path through the unrolled graph, and the animation of the gradient running back."""
import torch
from matplotlib.patches import FancyArrowPatch

from ..bptt import Weights, backward, forward, step_jacobian
from ..plots import COLORS
from ..surrogate import atan
from . import Choice, Control, Explorer

_STEPS, _INPUTS = 12, 20
_GENERATOR = torch.Generator().manual_seed(3)
_X = (torch.rand(_STEPS, 1, _INPUTS, generator=_GENERATOR) < 0.15).float()                          # [T, 1, I]
_WEIGHTS = Weights(0.02 + 0.12 * torch.rand(1, _INPUTS, generator=_GENERATOR), None, torch.ones(1, 1))
_ERROR = torch.cos(0.7 * torch.arange(_STEPS))[:, None, None]                                         # it changes its sign
_ROWS = {"X": 0.0, "U": 1.0, "S": 2.0, "L": 3.0}                                                    # heights of the nodes


def compute_path(beta, t, s, truncation, reset):
    """Run one neuron; return the coefficients of the paths from the loss at step t, and what the window keeps of the whole."""
    t, s, truncation, detach = int(t), int(s), int(truncation), reset == "detached"
    run = forward(_X, _WEIGHTS, beta, 0.0)
    step = step_jacobian(run.mem, _WEIGHTS, beta, detach_reset=detach).flatten()                    # d mem[r+1] / d mem[r]
    slope = atan()(run.mem - 1.0).flatten()                                                         # [T]
    coefficients = torch.zeros(_STEPS)
    for start in range(t + 1):
        coefficients[start] = slope[t] * step[start:t].prod()
    full, cut = (backward(run, _WEIGHTS, _ERROR, beta, 0.0, detach_reset=detach, truncation=window).hidden.flatten()
                 for window in (None, truncation))
    cosine = torch.nn.functional.cosine_similarity(full, cut, dim=0).item()
    return {"coefficients": coefficients, "slope": slope[t].item(), "through": step[s:t].prod().item() if s <= t else 0.0,
            "spk": run.spk.flatten(), "x": _X.sum(-1).flatten(), "beta": beta, "t": t, "s": s, "truncation": truncation,
            "detached": detach, "reached": s <= t and t - s < truncation, "cosine": cosine,
            "norm": (cut.norm() / full.norm()).item()}


def build_path(fig):
    """Above the unrolled graph with one path in it, below the coefficients of all paths from the same loss."""
    grid = fig.add_gridspec(2, 1, height_ratios=(3, 2))
    top, low = fig.add_subplot(grid[0]), fig.add_subplot(grid[1])
    top.set(xlim=(-0.6, _STEPS - 0.4), ylim=(-0.4, 3.4))
    top.set_title(" \n ")                                                # room for the two lines that move
    top.set_yticks(list(_ROWS.values()), ("input X", "potential U", "spike S", "loss L"))
    top.set_xticks(range(_STEPS), ())
    top.tick_params(length=0)
    for side in ("left", "bottom"):
        top.spines[side].set_visible(False)
    for step in range(_STEPS):
        for first, second in (("X", "U"), ("U", "S"), ("S", "L")):
            _edge(top, (step, _ROWS[first]), (step, _ROWS[second]))
        if step:
            _edge(top, (step - 1, _ROWS["U"]), (step, _ROWS["U"]))
        for height in _ROWS.values():
            top.plot(step, height, "o", color="white", markeredgecolor="0.55", markersize=11, zorder=2)
    low.set(xlim=(-0.6, _STEPS - 0.4), ylim=(-0.35, 1.35), xlabel="step s whose weights are blamed", ylabel="coefficient")
    low.set_xticks(range(_STEPS))
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
    slope, through, product = (round(value, 3) + 0.0 for value in                                   # + 0.0: no "-0.00"
                               (data["slope"], data["through"], data["slope"] * data["through"]))
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
        return "immediate influence: the memory has no say"
    memory = f"beta^{lag} = {beta**lag:.2f}" if data["detached"] else "a product of (beta - threshold h)"
    return f"prior influence, {lag} step{'s' if lag > 1 else ''} back: {memory}"


def _edge(axes, start, end, color="0.75"):
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=8, color=color, linewidth=1.2,
                                   shrinkA=6, shrinkB=6, zorder=1))


EXPLORERS = {
    "path": Explorer(
        compute_path, build_path, update_path, size=(6.8, 4.8),
        controls={"beta": Control(0.9, 0.5, 0.99, 0.01, "decay beta", "per step"),
                  "t": Control(9, 0, 11, 1, "loss at t", "step"),
                  "s": Control(2, 0, 11, 1, "weights at s", "step"),
                  "truncation": Control(12, 1, 12, 1, "window K", "steps"),
                  "reset": Choice("detached", ("detached", "attached"), "reset")},
        sweeps=(("beta", {}), ("reset", {})),
        alt="Above, the unrolled graph of one neuron over twelve steps with the path from one loss to the weights of one step; "
            "below, the coefficient of every such path from the same loss, hollow where a truncation window cuts it."),
}


def backward_frames(run, weights, error, beta, beta_out, threshold=1.0):
    """Return the frames of the animation, from the last step to the first: the gradients that have been visited so far."""
    slope, jacobian = atan()(run.mem - threshold)[:, 0], step_jacobian(run.mem, weights, beta, threshold)[:, 0]
    d_out, d_mem = torch.zeros_like(error[0, 0]), torch.zeros_like(slope[0])
    grads, total = torch.full_like(slope, torch.nan), torch.zeros_like(weights.hidden)              # [T, H], [H, I]
    record = {"spk": run.spk[:, 0], "error": error[:, 0, 0],
              "exact": backward(run, weights, error, beta, beta_out, threshold).hidden.flatten()}
    frames = []
    for t in reversed(range(len(slope))):
        d_out = error[t, 0] + beta_out * d_out
        d_mem = slope[t] * (d_out @ weights.output) + d_mem @ jacobian[t]
        grads[t], total = d_mem, total + d_mem[:, None] * run.x[t, 0]
        frames.append((t, grads.clone(), total.flatten(), record))
    record["scale"] = grads.abs().amax(0).clamp(min=1e-30)                                          # [H], for the colours
    return frames


def build_backward(fig):
    """Left the error and, below it, the gradient of every potential; right the weight gradient as it adds up."""
    grid = fig.add_gridspec(2, 2, width_ratios=(2.2, 1), height_ratios=(1, 2.6))
    axes = [fig.add_subplot(cell) for cell in (grid[0, 0], grid[1, 0], grid[:, 1])]
    axes[0].set(ylabel="error E", xticks=(), ylim=(-0.8, 0.8), yticks=(-0.5, 0, 0.5))
    axes[0].set_title("The error sets out backwards ...")
    axes[1].set(xlabel="time step (ticks: spikes)", ylabel="hidden neuron")
    axes[2].set(xlabel="gradient of W", ylabel="weight", yticks=())
    axes[2].set_title("... and dW adds up")
    return axes


def draw_backward(axes, frame):
    """Draw what has been visited down to one step."""
    now, grads, total, record = frame
    top, middle, right = axes
    steps, neurons = grads.shape
    top.bar(range(steps), record["error"], color=[COLORS["vermillion"] if step >= now else "0.8" for step in range(steps)])
    top.axhline(0, color="black", linewidth=0.8)
    top.set(xlim=(-0.5, steps - 0.5))
    middle.imshow((grads / record["scale"]).T, cmap="PuOr_r", vmin=-1, vmax=1, aspect="auto", interpolation="nearest",
                  extent=(-0.5, steps - 0.5, -0.5, neurons - 0.5), origin="lower")
    fired = record["spk"].nonzero()
    middle.vlines(fired[:, 0], fired[:, 1] - 0.35, fired[:, 1] + 0.35, color="black", linewidth=1.1)
    middle.axvline(now - 0.5, color=COLORS["vermillion"], linewidth=2)
    middle.set(xlim=(-0.5, steps - 0.5), ylim=(-0.5, neurons - 0.5), yticks=range(0, neurons, 2))
    rows = torch.arange(len(total))
    right.barh(rows, total, height=0.8, color=COLORS["blue"])
    right.set_ylim(-1, len(total) + 4)                                                              # room for the text
    right.plot(record["exact"], rows, "|", color=COLORS["vermillion"], markersize=6, markeredgewidth=1.6)
    right.text(0.98, 0.985, "ticks: the whole pass", transform=right.transAxes, ha="right", va="top", fontsize=9,
               color=COLORS["vermillion"])
