"""The explorer of notebook 02, a leaky integrate-and-fire neuron and its budget, and the animation of its unrolled graph."""
import torch

from ...neurons import RESETS, lif
from ...plots import COLORS, threshold_line
from ..kinds import Choice, Control, Explorer

_STEPS = 100
_KINDS = ("constant", "pulse train", "noise")
_HELD = ("W, as in Eq. 2", "W', as in Eq. 1")


def drive(current, kind, num_steps=_STEPS):
    """Make an input [T] whose mean is `current`: steady, all of it in every fifth step, or exponential noise."""
    if kind == "constant":
        return torch.full((num_steps,), float(current))
    if kind == "pulse train":
        return torch.where(torch.arange(num_steps) % 5 == 4, 5.0 * current, 0.0)
    noise = -torch.log1p(-torch.rand(num_steps, generator=torch.Generator().manual_seed(1)))
    return current * noise / noise.mean()


def compute_lif(beta, current, reset, kind, held):
    """Run one neuron for 100 steps and tell where its input went: leak, resets, and what the membrane still stores.

    With W' held the input is scaled by 1 - beta, and is the same as with W held at beta = 0.9.
    """
    x = drive(current, kind) * ((1 - beta) / 0.1 if held == _HELD[1] else 1.0)          # [T]
    spk, mem = (record.flatten() for record in lif(x[:, None, None], beta, reset=reset))
    leak = (1 - beta) * float(mem[:-1].sum()) / _STEPS
    stored = float(mem[-1]) / _STEPS
    mean = float(x.mean())
    shares = [leak / mean, (mean - leak - stored) / mean, stored / mean]
    return {"x": x, "spk": spk, "mem": mem, "rate": float(spk.mean()), "shares": shares,
            "law": mean - (1 - beta) * float(mem.mean()), "reset": reset, "held": held}


def build_lif(fig):
    """Left the membrane above its input, right the share of the input that leaks, is reset away, or is stored."""
    grid = fig.add_gridspec(2, 2, width_ratios=(4, 1.25), height_ratios=(3, 1))
    top, low, bar = fig.add_subplot(grid[0, 0]), fig.add_subplot(grid[1, 0]), fig.add_subplot(grid[:, 1])
    top.set(xlim=(-1, _STEPS), ylim=(-0.2, 2.2), ylabel="potential U", xticklabels=())
    top.set_title(" \n ")                                                # room for the two lines that move
    top.set_yticks((0, 0.5, 1, 1.5, 2), ("0", "0.5", "θ = 1", "1.5", "2"))
    threshold_line(top, label="")
    low.set(xlim=(-1, _STEPS), ylim=(0, 3), xlabel="time step", ylabel="input")
    bar.set(xlim=(-0.5, 2.5), ylim=(0, 100), ylabel="share of the input (%)")
    bar.set_xticks((0, 1, 2), ("leak", "reset", "stored"), fontsize=9)
    bar.set_title("Where it goes\n ")
    names = ("sky", "vermillion", "black")
    return {
        "mem": top.plot([], [], color=COLORS["blue"], linewidth=1.3)[0],
        "spk": top.plot([], [], "|", color="black", markersize=10)[0],
        "x": low.step([], [], where="mid", color=COLORS["orange"], linewidth=1.2)[0],
        "input": low.text(1, 0.96, "", transform=low.transAxes, ha="right", va="top", color="0.25"),
        "rate": top.text(0, 1.14, "", transform=top.transAxes, fontweight="bold", fontsize=11),
        "law": top.text(0, 1.03, "", transform=top.transAxes, color="0.25"),
        **{f"bar{place}": bar.bar(place, 0, color=COLORS[name], width=0.7)[0] for place, name in enumerate(names)},
        **{f"share{place}": bar.text(place, 0, "", ha="center", va="bottom", fontsize=9) for place in range(3)},
    }


def update_lif(artists, data):
    """Move the trace, the spikes, the input, the bars and the two lines of text."""
    steps = torch.arange(_STEPS)
    fired = steps[data["spk"] > 0]
    artists["mem"].set_data(steps, data["mem"])
    artists["spk"].set_data(fired, torch.full(fired.shape, 2.03))
    artists["x"].set_data(steps, data["x"])
    artists["input"].set_text("W X" if data["held"] == _HELD[0] else "(1 - β) W' X")
    artists["rate"].set_text(f"{len(fired)} spikes in {_STEPS} steps: rate {data['rate']:.2f}")
    artists["law"].set_text(f"balance law, for \"subtract\": {data['law']:.2f}")
    for place, share in enumerate(data["shares"]):
        height = 100 * min(1.0, max(0.0, share))
        artists[f"bar{place}"].set_height(height)
        artists[f"share{place}"].set_position((place, min(height, 93)))
        artists[f"share{place}"].set_text(f"{height:.0f}")


EXPLORERS = {
    "lif": Explorer(
        compute_lif, build_lif, update_lif,
        controls={"beta": Control(0.9, 0.5, 0.99, 0.01, "decay beta", "per step"),
                  "current": Control(0.3, 0.02, 0.6, 0.01, "mean current", "thresholds"),
                  "kind": Choice("constant", _KINDS, "input"),
                  "reset": Choice("subtract", RESETS, "reset"),
                  "held": Choice(_HELD[0], _HELD, "held when beta moves")},
        sweeps=(("kind", {}), ("kind", {"current": 0.09}), ("beta", {}), ("beta", {"held": _HELD[1]})),
        alt="Left, the potential of a leaky integrate-and-fire neuron with its threshold and spikes, above its input; "
            "right, the share of that input that leaks, is taken by resets, or is still stored in the membrane.",
        size=(6.8, 4.0)),
}
