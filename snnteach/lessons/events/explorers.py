"""The explorer of notebook 19: a digit moves before an event camera, and its events lie in space and time."""
import functools

import numpy as np
import torch

from ...data import mnist5k
from ...event_camera import film_to_counts, move, pixel_thresholds, saccade_path
from ...plots import COLORS
from ..kinds import Control, Explorer

STEPS, SIDE, SHOWN = 30, 28, 10
_LONG, _DEEP, _HIGH = 2.6, 0.55, 0.42                    # of the drawing: a step to the right; a column, to the right and up


@functools.cache
def _pictures():
    data = mnist5k()
    first = [int((data.test_labels == label).nonzero()[0]) for label in range(SHOWN)]    # one of each digit
    return data.test_images[first].float() / 255


@functools.cache
def _pixels(threshold):
    return pixel_thresholds((SIDE, SIDE), threshold, 0.03, torch.Generator().manual_seed(19))


def place(step, x, y):
    """Where (time step, column, row) lies in the drawing: time to the right, rows down, columns into the depth."""
    return _LONG * step + _DEEP * x, _HIGH * x - y


def compute_camera(digit, duration, threshold, noise, moment):
    """Film three saccades over a digit that take `duration` ms, with `noise` made-up events a pixel and second."""
    film = move(_pictures()[digit:digit + 1], saccade_path(STEPS), (SIDE, SIDE)).clamp(0, 1)[:, 0]     # [31, 28, 28]
    made_up = noise * duration / 1000 / STEPS
    counts = film_to_counts(film, _pixels(threshold), noise=made_up, generator=torch.Generator().manual_seed(0))
    total = int(counts.sum())
    return {"digit": digit, "frame": film[moment], "counts": counts, "moment": moment, "duration": duration,
            "total": total, "rate": total / SIDE**2 / duration * 1000}


def draw_space(ax):
    """Prepare axes for a drawing of space and time, and its edges."""
    ax.set(xlim=(-5, _LONG * STEPS + _DEEP * SIDE + 4), ylim=(-SIDE - 6, _HIGH * SIDE + 6))
    ax.set_axis_off()
    corners = ((0, 0, SIDE), (STEPS, 0, SIDE)), ((0, 0, 0), (0, 0, SIDE)), ((0, 0, 0), (0, SIDE, 0))
    for start, end in corners:
        ax.plot(*zip(place(*start), place(*end), strict=True), color="0.5", linewidth=1)
    ax.text(-1.5, -SIDE / 2, "row", rotation=90, ha="right", va="center", fontsize=9, color="0.35")
    ax.text(*place(-2.2, SIDE / 2, 0), "column", rotation=38, ha="center", va="bottom", fontsize=9, color="0.35")


def build_camera(fig):
    """Left what the camera sees and says at one moment, right all events in space and time."""
    grid = fig.add_gridspec(1, 2, width_ratios=(1, 2.1))
    view, space = fig.add_subplot(grid[0]), fig.add_subplot(grid[1])
    view.set(xticks=(), yticks=())
    draw_space(space)
    artists = {"frame": view.imshow(np.zeros((SIDE, SIDE)), cmap="gray", vmin=0, vmax=1)}
    for name, color, marker in (("darker", "vermillion", "v"), ("brighter", "sky", "^")):
        artists[f"{name} now"] = view.plot([], [], marker, color=COLORS[color], markersize=5)[0]
        artists[name] = space.plot([], [], ".", color=COLORS["blue" if color == "sky" else color], markersize=2)[0]
    artists["plane"] = space.plot([], [], color="black", linewidth=1.2)[0]
    artists["time"] = space.text(_LONG * STEPS / 2, -SIDE - 2, "", ha="center", va="top", fontsize=9, color="0.35")
    artists["said"] = space.text(0.02, 1.0, "", transform=space.transAxes, ha="left", va="top", fontsize=10)
    artists["when"] = view.text(0.5, 1.03, "", transform=view.transAxes, ha="center", va="bottom", fontsize=10)
    return artists


def update_camera(artists, data):
    """Show the view with its events, the cloud of all events, the plane of this moment, and how many there are."""
    artists["frame"].set_data(data["frame"].numpy())
    for polarity, name in enumerate(("darker", "brighter")):
        y, x = data["counts"][data["moment"], polarity].nonzero(as_tuple=True)
        artists[f"{name} now"].set_data(x, y)
        step, y, x = data["counts"][:, polarity].nonzero(as_tuple=True)
        artists[name].set_data(*place(step, x, y))
    corners = [place(data["moment"], x, y) for x, y in ((0, 0), (SIDE, 0), (SIDE, SIDE), (0, SIDE), (0, 0))]
    artists["plane"].set_data(*zip(*corners, strict=True))
    artists["time"].set_text(f"time: {data['duration']} ms")
    artists["said"].set_text(f"{data['total']} events, {data['rate']:.1f} a pixel and second")
    artists["when"].set_text(f"after {data['moment'] * data['duration'] / STEPS:.0f} ms")


EXPLORERS = {
    "camera": Explorer(
        compute_camera, build_camera, update_camera,
        controls={"digit": Control(3, 0, SHOWN - 1, 1, "digit"),
                  "duration": Control(300, 75, 600, 75, "time for the way", "ms"),
                  "threshold": Control(0.25, 0.1, 0.8, 0.05, "contrast threshold", "log units"),
                  "noise": Control(0, 0, 20, 1, "noise", "events/pixel/s"),
                  "moment": Control(14, 0, STEPS - 1, 1, "moment", "of 30 steps")},
        sweeps=(("moment", {}), ("threshold", {}), ("noise", {}), ("duration", {"noise": 2})),
        alt="Left a digit as the camera sees it at one moment, with the pixels that just reported brighter or darker. Right "
            "all events of three saccades in space and time, a cloud of two colours, and how many there are.",
        size=(7.4, 3.2)),
}
