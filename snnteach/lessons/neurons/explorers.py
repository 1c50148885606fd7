"""The explorers of notebook 02: a leaky integrate-and-fire neuron and its budget, and five resets beside one another."""
import torch

from ...neurons import RESETS, lif
from ...plots import COLORS, threshold_line
from ..kinds import Choice, Control, Explorer, Page

_STEPS = 100
_KINDS = ("constant", "pulse train", "noise")
_HELD = ("W, as in Eq. 2", "W', as in Eq. 1")
_FIVE = ("none", "subtract_decayed", "zero", "subtract", "appendix zero")
_BUDGET = {"leak": "sky", "resets": "vermillion", "stored": "black"}


def uniform(num_steps=_STEPS):
    """The random numbers [T] behind the noise, always the same."""
    return torch.rand(num_steps, generator=torch.Generator().manual_seed(1))


def drive(current, kind, num_steps=_STEPS, dtype=torch.float32):
    """Make an input [T] whose mean is `current`: steady, all of it in every fifth step, or exponential noise."""
    if kind == "constant":
        return torch.full((num_steps,), float(current), dtype=dtype)
    if kind == "pulse train":
        return 5.0 * current * (torch.arange(num_steps) % 5 == 4).to(dtype)
    noise = -torch.log1p(-uniform(num_steps).to(dtype))
    return current * noise / noise.mean()


def scaled(current, kind, beta, held, dtype=torch.float32):
    """The input [T]; with W' held it is scaled by 1 - beta, and is the same as with W held at beta = 0.9."""
    return drive(current, kind, dtype=dtype) * ((1 - beta) / 0.1 if held == _HELD[1] else 1.0)


def budget(x, mem, beta):
    """Where the input [T] went, as shares of it: leak, resets, and what the membrane [T] still stores."""
    leak, stored, mean = (1 - beta) * float(mem[:-1].sum()) / len(x), float(mem[-1]) / len(x), float(x.mean())
    return [leak / mean, (mean - leak - stored) / mean, stored / mean]


def compute_lif(beta, current, reset, kind, held):
    """Run one neuron for 100 steps and tell where its input went: leak, resets, and what the membrane still stores."""
    x = scaled(current, kind, beta, held)                                                # [T]
    spk, mem = (record.flatten() for record in lif(x[:, None, None], beta, reset=reset))
    return {"x": x, "spk": spk, "mem": mem, "rate": float(spk.mean()), "shares": budget(x, mem, beta),
            "law": float(x.mean()) - (1 - beta) * float(mem.mean()), "reset": reset, "held": held}


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


def _scaling(held):
    return "W X" if held == _HELD[0] else "(1 - β) W' X"


def update_lif(artists, data):
    """Move the trace, the spikes, the input, the bars and the two lines of text."""
    steps = torch.arange(_STEPS)
    fired = steps[data["spk"] > 0]
    artists["mem"].set_data(steps, data["mem"])
    artists["spk"].set_data(fired, torch.full(fired.shape, 2.03))
    artists["x"].set_data(steps, data["x"])
    artists["input"].set_text(_scaling(data["held"]))
    artists["rate"].set_text(f"{len(fired)} spikes in {_STEPS} steps: rate {data['rate']:.2f}")
    artists["law"].set_text(f"balance law, for \"subtract\": {data['law']:.2f}")
    for place, share in enumerate(data["shares"]):
        height = 100 * min(1.0, max(0.0, share))
        artists[f"bar{place}"].set_height(height)
        artists[f"share{place}"].set_position((place, min(height, 93)))
        artists[f"share{place}"].set_text(f"{height:.0f}")


def appendix_zero(x, beta):
    """The reset of the paper's appendix, for an input [T]: the step after a spike is lost, input and all."""
    mem, steps = x.new_zeros(()), []
    for x_t in x:
        mem = beta * mem + x_t if not steps or steps[-1] <= 1 else x.new_zeros(())
        steps.append(mem)
    mem = torch.stack(steps)
    return (mem > 1).to(x.dtype), mem


def compute_resets(beta, current, kind, held, dtype=torch.float32):
    """Run one neuron under five resets; each has spikes and potential [T], a budget, and the step after its first spike."""
    x = scaled(current, kind, beta, held, dtype)                                         # [T]
    runs = {name: [record.flatten() for record in lif(x[:, None, None], beta, reset=name)] for name in _FIVE[:-1]}
    runs["appendix zero"] = appendix_zero(x, beta)
    rows = {}
    for name, (spk, mem) in runs.items():
        after = int(spk.argmax()) + 1 if spk[:-1].any() else None
        rows[name] = {"spk": spk, "mem": mem, "shares": budget(x, mem, beta), "after": after}
    return {"x": x, "rows": rows, "held": held}


def build_resets(fig):
    """A row for each reset: left the potential, right where its input went; at the bottom the input."""
    grid, artists = fig.add_gridspec(6, 2, width_ratios=(3.2, 1)), {}
    for place, name in enumerate(_FIVE):
        ax, bar = fig.add_subplot(grid[place, 0]), fig.add_subplot(grid[place, 1])
        ax.set(xlim=(-1, _STEPS), ylim=(-0.3, 3.1), yticks=(0, 1), xticklabels=())
        ax.set_ylabel(name.replace("_", "\n").replace(" ", "\n"), rotation=0, ha="right", va="center")
        threshold_line(ax, label="")
        bar.set(xlim=(0, 100), ylim=(-0.5, 0.5), yticks=(), xticks=(0, 50, 100))
        bar.tick_params(labelbottom=place == 4)
        artists |= {f"{name}: mem": ax.plot([], [], color=COLORS["blue"], linewidth=1.2)[0],
                    f"{name}: spk": ax.plot([], [], "|", color="black", markersize=7)[0],
                    f"{name}: after": ax.plot([], [], "D", color=COLORS["vermillion"], markersize=5)[0],
                    f"{name}: spikes": ax.text(1, 1.05, "", transform=ax.transAxes, ha="right", va="top", fontsize=9)}
        artists |= {f"{name}: {part}": bar.barh(0, 0, color=COLORS[color], height=0.6)[0] for part, color in _BUDGET.items()}
        if not place:
            ax.set_title("Five resets, one input")
            bar.set_title("Where it goes\nleak, resets, stored", fontsize=9)
        elif place == 4:
            bar.set_xlabel("share of the input (%)")
    low = fig.add_subplot(grid[5, 0])
    low.set(xlim=(-1, _STEPS), ylim=(0, 3), xlabel="time step", yticks=(0, 3))
    low.set_ylabel("input", rotation=0, ha="right", va="center")
    words = low.text(1, 0.96, "", transform=low.transAxes, ha="right", va="top", color="0.25")
    return artists | {"x": low.step([], [], where="mid", color=COLORS["orange"], linewidth=1.2)[0], "input": words}


def update_resets(artists, data):
    """Move the traces, the spikes, the marks after the first of them, the bars and the input."""
    steps = torch.arange(_STEPS)
    artists["x"].set_data(steps, data["x"])
    artists["input"].set_text(_scaling(data["held"]))
    for name, row in data["rows"].items():
        fired, after = steps[row["spk"] > 0], [] if row["after"] is None else [row["after"]]
        artists[f"{name}: mem"].set_data(steps, row["mem"])
        artists[f"{name}: spk"].set_data(fired, torch.full(fired.shape, 2.05))
        artists[f"{name}: after"].set_data(after, row["mem"][after])
        level = f"begins again at {row['mem'][row['after']]:.2f}; " if after else ""
        artists[f"{name}: spikes"].set_text(f"{level}{len(fired)} spikes")
        left = 0.0
        for part, share in zip(_BUDGET, row["shares"], strict=True):
            width = min(100 * max(0.0, share), 100 - left)
            artists[f"{name}: {part}"].set(x=left, width=width)
            left += width


_CONTROLS = {"beta": Control(0.9, 0.5, 0.99, 0.01, "decay beta", "per step"),
             "current": Control(0.3, 0.02, 0.6, 0.01, "mean current", "thresholds"),
             "kind": Choice("constant", _KINDS, "input"),
             "held": Choice(_HELD[0], _HELD, "held when beta moves")}

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
    "resets": Explorer(
        compute_resets, build_resets, update_resets, controls=_CONTROLS,
        sweeps=(("kind", {}), ("beta", {})),
        alt="The potential of one neuron over 100 steps under five resets, one below the other: none, subtract decayed, zero, "
            "subtract, and the paper's appendix; at the bottom their common input. A mark shows the level from which each "
            "begins again after its first spike; bars at the right, what of the input leaks, goes in resets, is stored.",
        size=(7.2, 5.6)),
}

PAGES = {"resets": Page("Five resets, one input", lambda: {"uniform": uniform().tolist()})}
