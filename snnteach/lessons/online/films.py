"""The film of notebook 16: what each synapse has to remember, as a snowball."""
import math

from matplotlib.patches import Circle, FancyArrowPatch, Rectangle

from ...bptt import influence_matrix
from ...plots import COLORS


def snowball_frames(x, beta):
    """Return the frames (step, phase, record) of the animation: first every step forward, then the walk back of BPTT."""
    record = {"x": x.tolist(), "beta": beta, "trace": (influence_matrix(len(x), beta) @ x.double()).tolist()}
    forward_steps = [(step, phase, record) for step in range(1, len(x) + 1) for phase in ("roll", "grow")]
    return forward_steps + [(step, "back", record) for step in range(len(x), 0, -1)]


def build_snowball(fig):
    """Make one plane without axes: above what BPTT keeps, below the ball on its slope."""
    axes = fig.add_axes((0.01, 0.01, 0.98, 0.98))
    axes.set(xlim=(-1.6, 13.2), ylim=(-1.35, 6.2), aspect="equal")
    axes.set_axis_off()
    return axes


def draw_snowball(axes, frame):
    """Draw the store of BPTT and the snowball at one step."""
    now, phase, record = frame
    back, last = phase == "back", len(record["x"])
    shown = last if back else now
    axes.text(-1.5, 5.75, "BPTT keeps every step", fontweight="bold")
    axes.text(-1.5, 3.1, "A trace is pushed forward", fontweight="bold")
    for step in range(1, last + 1):
        filled, done = step <= shown, back and step >= now
        color = COLORS["vermillion"] if done else COLORS["orange"] if filled else "white"
        axes.add_patch(Rectangle((step - 0.42, 4.3), 0.84, 0.84, facecolor=color, edgecolor="0.5", alpha=0.85))
        axes.text(step, 4.72, str(step), ha="center", va="center", fontsize=9, color="black" if filled else "0.6")
        if done and step > 1:
            axes.add_patch(FancyArrowPatch((step - 0.1, 5.2), (step - 0.9, 5.2), arrowstyle="-|>", mutation_scale=9,
                                           connectionstyle="arc3,rad=0.4", color=COLORS["vermillion"]))
        fell = record["x"][step - 1]
        gone = step < now or (step == now and phase == "grow") or back
        axes.plot(step, -0.75, "*", markersize=11, color="0.85" if gone else COLORS["blue"]) if fell else None
    axes.plot([0.2, last + 0.8], [-0.4, -0.4], color="0.5", linewidth=1)
    axes.text(-1.5, -0.9, "input x", va="bottom")
    grown = back or phase == "grow"
    _draw_ball(axes, record, shown, grown)
    trace, before = record["trace"][shown - 1], record["trace"][shown - 2] if shown > 1 else 0.0
    beta, x = record["beta"], record["x"][shown - 1]
    said = (f"m[{shown}] = {beta:g} × {before:.2f} + {x:g} = {trace:.2f}" if grown else f"m shrinks: {beta:g} × {before:.2f}")
    axes.text(4.4, 3.1, said, color=COLORS["blue"])
    kept = f"steps kept: {shown}" if not back else f"... and now walks back: {last - now + 1} of {last}"
    axes.text(4.4, 5.75, kept, color=COLORS["vermillion"] if back else "black")
    if back:
        axes.text(10.2, 3.1, "done at the last step", color=COLORS["green"], fontweight="bold", fontsize=9)


def _draw_ball(axes, record, step, grown):
    """Rings from the oldest snow inside to the newest outside; the area of each is what is left of that step."""
    newest = step if grown else step - 1
    left = [record["x"][s - 1] * record["beta"] ** (step - s) for s in range(1, newest + 1)]
    total = sum(left)
    bottom, shades = -0.4, ("#08306B", "#2171B5", "#6BAED6", "#C6DBEF")
    outer = 0.8 * math.sqrt(total)
    place = step - 0.3 if not grown else step
    for s in range(newest, 0, -1):
        if left[s - 1] > 0:
            radius = 0.8 * math.sqrt(sum(left[:s]))
            axes.add_patch(Circle((place, bottom + outer), radius, facecolor=shades[(s - 1) % 4], edgecolor="white",
                                  linewidth=0.6))
