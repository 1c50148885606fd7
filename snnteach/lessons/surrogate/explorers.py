"""Explorers of notebook 07: which potentials a surrogate reaches, and the slope it lends to a staircase."""
import base64
import math

import torch

from ... import surrogate
from ...neurons import lif
from ...plots import COLORS
from ..kinds import Choice, Control, Explorer, Page

_KINDS = ("atan", "fast_sigmoid", "sigmoid", "triangular", "boxcar", "gaussian")
_BINS = torch.linspace(-5, 2, 71)
_U = torch.linspace(-5, 2, 1401)
_DRIVE = torch.randn(20, 1, 200, generator=torch.Generator().manual_seed(0))                    # [T, 1, N]


_STEPS, _BETA, _PUSH = 20, 0.9, 0.08


def lent_to_bias(u, h):
    """What a surrogate lends to the slope of each neuron's firing rate along its bias, from u [T, B, N]: [B, N].

    A bias that acts in every step has raised a membrane by the sum of its decays; the reset is kept out of the gradient.
    """
    raised = (1 - _BETA ** torch.arange(1, len(u) + 1, dtype=u.dtype)) / (1 - _BETA)           # [T]
    return (h(u) * raised[:, None, None]).mean(0)


def train_silent(h, threshold, current, step):
    """Let each silent neuron's bias climb its lent slope, by 0.08 at most a step; return u [T, B, N] and whether one fires."""
    bias = torch.zeros_like(current[0])                                                         # [B, N]
    for number in range(step + 1):
        spk, mem = lif(current + bias, _BETA, threshold)
        u, fires = mem - threshold, spk.any(0)
        if number < step:
            bias = bias + ~fires * lent_to_bias(u, h).clamp(max=_PUSH)
    return u, fires


def compute_shape(kind, slope, threshold, spread, step=0, dtype=torch.float32):
    """Run 200 neurons on noisy current, and train the silent ones for `step` steps; return the surrogate and where u stands."""
    h = getattr(surrogate, kind)(slope)
    u, fires = train_silent(h, threshold, spread * _DRIVE.to(dtype), step)                      # [T, 1, N], [1, N]
    share = torch.histogram(u.flatten().clamp(-5, 2), _BINS.to(dtype)).hist / u.numel()
    reached = (h(u) > 0.01).any(0).to(dtype).mean()                                             # over neurons
    return {"h": h(_U.to(dtype)), "share": share, "window": h(_U.to(dtype)) > 0.01, "reached": reached.item(),
            "spikes": (u > 0).to(dtype).mean().item(), "fires": fires.to(dtype).mean().item(), "u": u[:, 0]}


def packed(numbers):
    """A tensor as text, four bytes a number."""
    return base64.b64encode(numbers.numpy().astype("<f4").tobytes()).decode()


def build_shape(fig):
    """Above the step and its surrogate, below the potentials of a layer on the same axis."""
    top, bottom = fig.subplots(2, 1, sharex=True)
    top.set(xlim=(-5, 2), ylim=(-0.05, 1.6), ylabel="S(u), h(u)")
    top.set_title("Step forward, curve backward")
    top.plot([-5, 0, 0, 2], [0, 0, 1, 1], color="black", label="spike S(u)")
    bottom.set(ylim=(0, 0.16), xlabel="u = membrane potential - threshold", ylabel="share of potentials")
    bottom.axvline(0, color="0.45", linestyle="--", linewidth=1)
    artists = {
        "window": bottom.fill_between(_U, 0, 0, color=COLORS["orange"], alpha=0.25, linewidth=0),
        "h": top.plot([], [], color=COLORS["vermillion"], linestyle="--", label="surrogate h(u)")[0],
        "share": bottom.stairs(torch.zeros(70), _BINS, color=COLORS["blue"], fill=True),
        "text": bottom.text(0.02, 0.95, "", transform=bottom.transAxes, va="top"),
    }
    top.legend(loc="upper left")
    return artists


def update_shape(artists, data):
    """Move the curve, the histogram and the window where the surrogate still gives a gradient."""
    artists["h"].set_data(_U, data["h"])
    artists["share"].set_data(data["share"].numpy())
    artists["window"].set_data(_U, 0, data["window"] * 0.16)
    artists["text"].set_text(f"shaded: h > 0.01\nreached neurons: {data['reached']:.0%}\n"
                             f"potentials that fire: {data['spikes']:.1%}\n"
                             f"neurons that fire: {data['fires']:.0%}")


WEIGHTS = torch.linspace(0, 1, 201)
INPUT = torch.rand(20, 1, 1, generator=torch.Generator().manual_seed(0))                        # [T, 1, 1]
_STEEPEST = 58                                                              # a steeper slope stands at the edge


def compute_landscape(kind, slope, weight):
    """Count the spikes of one neuron for each weight, and the surrogate slope d count / d weight for each."""
    h = getattr(surrogate, kind)(slope)
    weights = torch.cat([WEIGHTS, torch.tensor([weight])]).requires_grad_()                     # the last is the reader's
    spk, _ = lif(INPUT * weights, 0.9, surrogate=h)                                             # [T, 1, 202]
    count = spk.sum(0)[0]
    (slopes,) = torch.autograd.grad(count.sum(), weights)
    return {"count": count.detach()[:-1], "slopes": slopes[:-1], "weight": weight, "here": count[-1].item(),
            "slope_here": slopes[-1].item()}


def build_landscape(fig):
    """Left the staircase with the borrowed tangent, right the borrowed slope at every weight."""
    left, right = fig.subplots(1, 2)
    left.set(xlim=(0, 1), ylim=(-0.5, 9), xlabel="weight", ylabel="spikes in 20 steps")
    left.set_title("The staircase")
    right.set(xlim=(0, 1), ylim=(-2, 60), xlabel="weight", ylabel="d count / d weight")
    right.set_title("Its slope")
    right.axhline(0, color="black")
    right.annotate("true slope: 0 on every step", (0.98, 0), xytext=(0, 4), textcoords="offset points", ha="right", fontsize=9)
    return {
        "count": left.plot([], [], color="black", drawstyle="steps-mid")[0],
        "tangent": left.plot([], [], color=COLORS["vermillion"], linestyle="--")[0],
        "point": left.plot([], [], "o", color=COLORS["blue"], markersize=8)[0],
        "slopes": right.plot([], [], color=COLORS["vermillion"], linestyle="--")[0],
        "slope_point": right.plot([], [], "o", color=COLORS["blue"], markersize=8)[0],
        "text": left.text(0.04, 0.92, "", transform=left.transAxes),
    }


def update_landscape(artists, data):
    """Move the staircase, the tangent that the surrogate lends and the point."""
    weight, here, slope = data["weight"], data["here"], data["slope_here"]
    reach = 0.8 / math.hypot(1, slope / 9)                                                      # a tangent of even length
    ends = torch.tensor([weight - reach / 4, weight + reach / 4])
    artists["count"].set_data(WEIGHTS, data["count"])
    artists["tangent"].set_data(ends, here + slope * (ends - weight))
    artists["point"].set_data([weight], [here])
    artists["slopes"].set_data(WEIGHTS, data["slopes"])
    artists["slope_point"].set_data([weight], [min(slope, _STEEPEST)])
    artists["slope_point"].set_marker("o" if slope <= _STEEPEST else "^")
    artists["text"].set_text(f"lent slope {slope:.2f}")


EXPLORERS = {
    "shape": Explorer(
        compute_shape, build_shape, update_shape, size=(6.4, 4.4),
        controls={"kind": Choice("atan", _KINDS, "surrogate"),
                  "slope": Control(1.0, 0.25, 25.0, 0.25, "sharpness k", "1/threshold"),
                  "threshold": Control(1.0, 0.5, 4.0, 0.1, "threshold", "units"),
                  "spread": Control(0.25, 0.05, 1.0, 0.05, "spread of the current", "units"),
                  "step": Control(0, 0, 10, 1, "training", "steps")},
        sweeps=(("threshold", {}), ("kind", {"threshold": 4.0}), ("step", {"threshold": 4.0})),
        alt="Above, the step of the spike and the surrogate that stands in for its slope; below, the potentials of 200 neurons "
            "on the same axis. Potentials outside the shaded window get less than 0.01 of a gradient."),
    "landscape": Explorer(
        compute_landscape, build_landscape, update_landscape,
        controls={"kind": Choice("atan", _KINDS, "surrogate"),
                  "slope": Control(1.0, 0.25, 25.0, 0.25, "sharpness k", "1/threshold"),
                  "weight": Control(0.35, 0.0, 1.0, 0.005, "weight", "thresholds")},
        sweeps=(("weight", {}), ("slope", {})),
        alt="Left, the spike count of one neuron climbs in stairs as its weight grows, with the tangent that a surrogate "
            "lends; right, that borrowed slope at every weight, where the true slope is zero."),
}

PAGES = {"shape": Page("Potentials in reach of a surrogate", lambda: {"drive": packed(_DRIVE)})}
