"""The explorer of notebook 16, one synapse's eligibility and learning signal, and the animation of influence pushed forward."""
import functools
import math

import torch

from ...bptt import Weights, backward, forward, influence_matrix
from ...online import cosine
from ...plots import COLORS
from ...surrogate import atan
from ..kinds import Choice, Control, Explorer, Page

_STEPS, _INPUTS, _HIDDEN = 40, 10, 12
_GENERATOR = torch.Generator().manual_seed(5)
_X = (torch.rand(_STEPS, 1, _INPUTS, generator=_GENERATOR) < 0.12).float()                          # [T, 1, I]
_W = 0.55 * torch.randn(_HIDDEN, _INPUTS, generator=_GENERATOR).abs()
_V = torch.randn(_HIDDEN, _HIDDEN, generator=_GENERATOR) / _HIDDEN**0.5                             # spectral radius about 1
_OUT, _RANDOM = torch.randn(2, 1, _HIDDEN, generator=_GENERATOR) / _HIDDEN**0.5
_TARGET = torch.sin(torch.arange(_STEPS) / _STEPS * 4 * math.pi)[:, None, None]                     # [T, 1, 1]


@functools.lru_cache(64)
def _all_weights(beta, beta_out, gain, feedback, dtype):
    """Run the network; return what every synapse shares, and the two gradients of all weights, [H, I+H]."""
    weights = Weights(_W.to(dtype), gain * _V.to(dtype), _OUT.to(dtype))
    x, back = _X.to(dtype), weights.output if feedback == "symmetric" else _RANDOM.to(dtype)
    run = forward(x, weights, beta, beta_out)
    error, slope = run.out - _TARGET.to(dtype), atan()(run.mem - 1.0)[:, 0]                          # [T, 1, O], [T, H]
    decay, decay_out = (influence_matrix(_STEPS, value).to(dtype) for value in (beta, beta_out))
    source = torch.cat([x, torch.cat([torch.zeros_like(run.spk[:1]), run.spk[:-1]])], 2)[:, 0]      # [T, I+H]
    traces, signal = decay @ source, error[:, 0] @ back                                             # [T, I+H], [T, H]
    exact = backward(run, weights, error, beta, beta_out)
    eprop = (slope * (decay_out.T @ signal)).T @ traces                # the sum over t of signal * eligibility, all at once
    cut = Weights(eprop[:, :_INPUTS], eprop[:, _INPUTS:], exact.output)
    grads = torch.cat([exact.hidden, exact.recurrent], 1), eprop
    return run, weights, error, slope, decay_out, source, traces, signal, grads, cosine(exact, cut)


def pushed(neuron, source, slope, weights, beta, beta_out):
    """Push the influence of one weight forward: what it moves in the read-out [T, O], by all paths there are."""
    influence, readout, steps = torch.zeros_like(slope[0]), torch.zeros_like(weights.output[:, 0]), []
    for t, arrived in enumerate(source):
        spread = weights.recurrent @ (slope[t - 1] * influence) if t else 0.0                       # [H]
        influence = beta * influence + spread
        influence[neuron] += arrived
        readout = beta_out * readout + weights.output @ (slope[t] * influence)
        steps.append(readout)
    return torch.stack(steps)


def compute_eligibility(beta, beta_out, gain, feedback, neuron=3, source=2, dtype=torch.float32):
    """Run a small network; return one synapse's trace, eligibility, learning signal and product, and all its gradients.

    `exact` and `eprop` are scaled to their largest weight. `exact product` is what the error of each step says of the weight
    by all paths, those through other neurons included; its sum is the exact gradient.
    """
    neuron, source = int(neuron), int(source)
    run, weights, error, slope, decay_out, sources, traces, signal, (exact, eprop), alike = _all_weights(
        beta, beta_out, gain, feedback, dtype)
    eligibility = decay_out @ (slope[:, neuron] * traces[:, source])
    moved = pushed(neuron, sources[:, source], slope, weights, beta, beta_out)                      # [T, O]
    return {"x": sources[:, source], "trace": traces[:, source], "mem": run.mem[:, 0, neuron], "eligibility": eligibility,
            "signal": signal[:, neuron], "product": signal[:, neuron] * eligibility,
            "exact product": (error[:, 0] * moved).sum(1), "cosine": alike, "margin": (run.mem - 1).abs().min().item(),
            "exact": (exact / exact.abs().max()).flatten(), "eprop": (eprop / eprop.abs().max()).flatten(),
            "ratio": (exact.norm() / eprop.norm()).item()}


def build_eligibility(fig):
    """Left one synapse from its input to its weight change, right every weight: e-prop against the exact gradient."""
    grid = fig.add_gridspec(4, 2, width_ratios=(1.35, 1))
    names = {"trace": ("trace", "sky"), "eligibility": ("eligibility", "blue"), "signal": ("learning\nsignal", "orange"),
             "product": ("product", "vermillion")}
    artists = {}
    for row, (name, (label, color)) in enumerate(names.items()):
        axes = fig.add_subplot(grid[row, 0])
        axes.set(xlim=(-1, _STEPS), ylim=(-1.3, 1.9) if row > 1 else (-0.15, 1.5), yticks=(), xticks=())
        axes.set_ylabel(label, rotation=0, ha="right", va="center")
        axes.axhline(0, color="0.6", linewidth=0.8)
        artists[name] = axes.plot([], [], color=COLORS[color])[0]
        artists[f"{name} scale"] = axes.text(0.995, 0.97, "", transform=axes.transAxes, ha="right", va="top", fontsize=8,
                                             color="0.35")
        if name == "trace":
            axes.set_title("One synapse")
            artists["x"] = axes.plot([], [], "|", color="black", markersize=5)[0]
    axes.set(xticks=range(0, 41, 10), xlabel="time step")
    right = fig.add_subplot(grid[:, 1])
    right.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), xlabel="exact gradient (scaled)", ylabel="e-prop (scaled)", xticks=(-1, 0, 1),
              yticks=(-1, 0, 1))
    right.set_title("All weights of the network")
    right.plot([-1, 1], [-1, 1], color="0.7", linestyle="--", linewidth=1)
    artists["weights"] = right.plot([], [], "o", color=COLORS["blue"], markersize=3, alpha=0.6)[0]
    artists["cosine"] = right.text(0.03, 0.98, "", transform=right.transAxes, va="top", fontsize=9)
    return artists


def update_eligibility(artists, data):
    """Move the four curves, each scaled to its largest value, and the cloud of weights."""
    steps = range(_STEPS)
    for name in ("trace", "eligibility", "signal", "product"):
        largest = float(data[name].abs().max())
        artists[name].set_data(steps, data[name] / largest if largest else data[name])
        artists[f"{name} scale"].set_text(f"peak {largest:.2g}")
    artists["product scale"].set_text(f"sum {float(data['product'].sum()):+.2g}")
    fired = data["x"].nonzero().flatten()
    artists["x"].set_data(fired, torch.full(fired.shape, -0.08))
    artists["weights"].set_data(data["exact"], data["eprop"])
    artists["cosine"].set_text(f"cosine {data['cosine']:.2f}\nexact / e-prop, length: {data['ratio']:.3g}")


EXPLORERS = {
    "eligibility": Explorer(
        compute_eligibility, build_eligibility, update_eligibility, size=(7.2, 4.6),
        controls={"beta": Control(0.9, 0.5, 0.99, 0.01, "membrane beta", "per step"),
                  "beta_out": Control(0.8, 0.0, 0.95, 0.05, "read-out beta", "per step"),
                  "gain": Control(0.0, 0.0, 1.5, 0.05, "recurrent gain", "radius of V"),
                  "feedback": Choice("symmetric", ("symmetric", "random"), "feedback"),
                  "neuron": Control(3, 0, _HIDDEN - 1, 1, "to", "neuron"),
                  "source": Control(2, 0, _INPUTS + _HIDDEN - 1, 1, "synapse from", "line")},
        sweeps=(("gain", {}), ("feedback", {})),
        alt="Left, one synapse over 40 steps: its input spikes with their fading trace, its eligibility, the learning signal "
            "sent to its neuron, and their product, whose sum is the weight's gradient. Right, that sum for all weights of the "
            "network against the exact gradient: on the diagonal without recurrence."),
}

PAGES = {"eligibility": Page("One synapse, its eligibility, and the exact gradient", lambda: {
    "x": _X[:, 0].int().tolist(), "W": _W.tolist(), "V": _V.tolist(), "out": _OUT[0].tolist(), "random": _RANDOM[0].tolist(),
    "target": _TARGET.flatten().tolist()})}
