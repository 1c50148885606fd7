"""The film of notebook 19: a digit moves, and what the camera says of it grows into a cloud of events."""
from ...plots import COLORS
from .explorers import SIDE, STEPS, compute_camera, draw_space, place


def camera_frames(digit=3, noise=1):
    """Return the frames (step, view [28, 28], counts so far [step + 1, 2, 28, 28]) of three saccades of 300 ms."""
    data = [compute_camera(digit, 300, 0.25, noise, step) for step in range(STEPS)]
    return [(step, one["frame"], one["counts"][:step + 1]) for step, one in enumerate(data)]


def build_events(fig):
    """Make the axes: the view, the events of the moment, and all of them in space and time."""
    axes = fig.subplots(1, 3, width_ratios=(1, 1, 2.4))
    for ax, title in zip(axes[:2], ("what is there", "what is sent"), strict=True):
        ax.set(xticks=(), yticks=(), xlim=(-0.5, SIDE - 0.5), ylim=(SIDE - 0.5, -0.5), aspect="equal")
        ax.set_title(title)
    draw_space(axes[2])
    return axes


def draw_events(axes, frame):
    """Draw one step; blue is brighter, vermillion darker."""
    step, view, counts = frame
    axes[0].imshow(view.numpy(), cmap="gray", vmin=0, vmax=1)
    for polarity, (color, marker) in enumerate((("vermillion", "v"), ("blue", "^"))):
        y, x = counts[-1, polarity].nonzero(as_tuple=True)
        axes[1].plot(x, y, marker, color=COLORS[color], markersize=2.5)
        past, y, x = counts[:, polarity].nonzero(as_tuple=True)
        axes[2].plot(*place(past, x, y), ".", color=COLORS[color], markersize=1.5)
    corners = [place(step, x, y) for x, y in ((0, 0), (SIDE, 0), (SIDE, SIDE), (0, SIDE), (0, 0))]
    axes[2].plot(*zip(*corners, strict=True), color="black", linewidth=1)
    axes[2].text(0, -SIDE - 2, f"{step * 10} to {step * 10 + 10} ms: {int(counts[-1].sum())} events", va="top", fontsize=9)
