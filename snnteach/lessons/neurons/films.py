"""The film of notebook 02: the unrolled graph, one bar a step."""
from matplotlib.patches import FancyArrowPatch

from ...neurons import lif
from ...plots import COLORS

# The unrolled graph, drawn on the axes of its own potential: inputs below, spikes above, one bar a step.
_INPUT, _SPIKE = -0.42, 1.78                                             # height of the two rows of nodes


def unrolled_frames(x, beta, threshold=1.0):
    """Return the frames (step, phase, record) of the animation: keep, add, then reset and compare, for each step of x [T]."""
    spk, mem = (record.flatten().tolist() for record in lif(x[:, None, None], beta, threshold))
    record = {"x": x.tolist(), "mem": [0.0, *mem], "spk": [0.0, *spk], "beta": beta, "threshold": threshold}
    return [(step, phase, record) for step in range(1, len(x) + 1) for phase in range(3)]


def build_unrolled(fig):
    """Make the axes on which the graph unrolls."""
    axes = fig.add_axes((0.105, 0.12, 0.885, 0.77))
    axes.set(xlim=(0.3, 9.6), ylim=(-0.62, 1.98), xlabel="time step t")
    axes.set_xticks(range(1, 10))
    axes.set_yticks((_INPUT, 0, 0.5, 1, _SPIKE), ("input X", "U = 0", "0.5", "1", "spike S"))
    axes.spines["bottom"].set_position(("data", -0.62))
    return axes


def draw_unrolled(axes, frame):
    """Draw the graph up to one phase of one step."""
    now, phase, record = frame
    axes.axhline(record["threshold"], color="0.45", linestyle="--", linewidth=1)
    axes.text(0.34, record["threshold"] + 0.03, "threshold", color="0.35", fontsize=8)
    for step in range(1, len(record["x"]) + 1):
        _draw_step(axes, record, step, 3 if step < now else phase if step == now else -1)
    _draw_equation(axes, record, now, phase)


def _draw_step(axes, record, step, phase):
    """One column: the input node, the bar of three terms, the spike node, and the edges from the step before."""
    kept, added = record["beta"] * record["mem"][step - 1], record["x"][step - 1]
    removed = record["threshold"] * record["spk"][step - 1]
    axes.plot(step, _INPUT, "o", markersize=11, markeredgecolor=COLORS["orange"] if added and phase >= 0 else "0.75",
              markerfacecolor=COLORS["orange"] if added and phase >= 0 else "white")
    fired = phase >= 2 and record["spk"][step] > 0
    axes.plot(step, _SPIKE, "o", markersize=11, markeredgecolor="black" if phase >= 2 else "0.75",
              markerfacecolor="black" if fired else "white")
    _arrow(axes, (step, _INPUT + 0.1), (step, -0.02), COLORS["orange"] if phase >= 1 and added else "0.85")
    if step > 1:
        before = record["mem"][step - 1] if phase >= 0 else 0.25
        _arrow(axes, (step - 0.7, before), (step - 0.32, kept if phase >= 0 else 0.25),
               COLORS["blue"] if phase >= 0 else "0.85")
        axes.text(step - 0.5, before + 0.04, "β", color=COLORS["blue"] if phase >= 0 else "0.75", fontsize=9, ha="center")
        _arrow(axes, (step - 0.88, _SPIKE - 0.1), (step - 0.22, max(kept + added, 0.2) + 0.04 if phase >= 2 else 1.45),
               COLORS["vermillion"] if phase >= 2 and removed else "0.85", "--")
        if phase >= 2 and removed:
            axes.text(step - 0.5, _SPIKE - 0.07, "−θ", color=COLORS["vermillion"], fontsize=9, ha="center")
    if phase < 0:
        return
    axes.bar(step, kept, width=0.56, color=COLORS["blue"])
    if phase >= 1:
        axes.bar(step, added, width=0.56, bottom=kept, color=COLORS["orange"])
    if phase >= 2:
        level = kept + added - removed
        if removed:
            axes.bar(step, removed, width=0.56, bottom=level, color="#FFFFFFB8", hatch="////",
                     edgecolor=COLORS["vermillion"])
        axes.plot([step - 0.3, step + 0.3], [level, level], color="black", linewidth=3)


def _draw_equation(axes, record, step, phase):
    """Above the picture, Eq. 2 with this step's numbers, term by term in the colours of the bars."""
    mem, added, removed = record["mem"], record["x"][step - 1], record["threshold"] * record["spk"][step - 1]
    verdict = "fires" if record["spk"][step] else "silent"
    terms = [(0.00, f"U[{step}]  =", "white"), (0.13, f"{record['beta']:g} × {mem[step - 1]:.2f}", COLORS["blue"]),
             (0.32, f"+ {added:.2f}", COLORS["orange"]), (0.45, f"− {removed:.2f}", COLORS["vermillion"]),
             (0.57, f"=  {mem[step]:.2f}", "white"), (0.71, f"S[{step}] = {record['spk'][step]:.0f}, {verdict}", "white")]
    for place, words, fill in terms[:phase + 2 if phase < 2 else None]:
        ink = "white" if fill in (COLORS["blue"], COLORS["vermillion"]) else "black"
        axes.text(place, 1.06, words, color=ink, transform=axes.transAxes, fontsize=12, fontweight="bold",
                  bbox={"facecolor": fill, "edgecolor": "none", "pad": 3})


def _arrow(axes, start, end, color, style="-"):
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=9, color=color, linestyle=style,
                                   linewidth=1.4, shrinkA=0, shrinkB=0, zorder=0.5 if color == "0.85" else 3))
