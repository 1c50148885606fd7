"""The explorers of notebook 23: what a step on many workers is made of, and a class on one machine.

`kernels.csv` holds the memory of this course's kernels as it was measured with 22 notebooks (`tests/benchmarks/memory.py`).
"""
import csv
import functools
from pathlib import Path

import torch

from ...hosting import memory_needed, shared_cores
from ...plots import COLORS, ticks
from ...scaling import step_time, step_work
from ..kinds import Choice, Control, Explorer

KERNELS = Path(__file__).with_name("kernels.csv")
SIZES, PARAMETERS = (784, 100, 10), 784 * 100 + 100 + 100 * 10 + 10
SPEED, LATENCY = 2e10, 5e-5                                  # multiply-adds a second of a worker; seconds of a message
LINKS = {"1 Gbit/s": 1.25e8, "10 Gbit/s": 1.25e9, "100 Gbit/s": 1.25e10}            # bytes a second
MOST = 16
SERVER_MB, SYSTEM_MB, THINK, CERTAIN = 100, 1500, 60.0, 0.99
POINTS = (1, 2, 3, 4, 6, 8, 10, 14, 18, 22, 26, 30, 35, 40, 50, 60, 70, 80, 90, 100)


@functools.cache
def kernels():
    """Memory of the kernels in MB: after setup, and at the peak; one number a notebook, two tensors."""
    with open(KERNELS, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return tuple(torch.tensor([float(row[name]) for row in rows]) for name in ("after_setup_mb", "peak_mb"))


def compute_share(workers, num_steps, batch, current, link):
    """The two parts of a step's time on N workers, in ms, and the speed-up against one, for 1 to 16 workers."""
    work = step_work(SIZES, num_steps, batch, constant=current == "constant")
    times = [step_time(work, PARAMETERS, count, speed=SPEED, bandwidth=LINKS[link], latency=LATENCY)
             for count in range(1, MOST + 1)]
    here = times[workers - 1]
    return {"workers": workers, "num_steps": num_steps, "computing": 1000 * here.computing,
            "exchanging": 1000 * here.exchanging, "speedups": [sum(times[0]) / sum(each) for each in times]}


def build_share(fig):
    """Left the time of a step in two parts, right the speed-up against workers."""
    left, right = fig.subplots(1, 2, width_ratios=(1, 1.4))
    left.set(xlim=(0, 1), ylim=(-0.6, 1.6), yticks=(0, 1), xlabel="share of the step's time")
    left.set_yticklabels(["exchanging", "computing"])
    left.set_title("One step")
    right.plot([1, MOST], [1, MOST], color="0.6", linestyle=":")
    right.text(12.5, 13.4, "N times", color="0.4", ha="right")
    right.axhline(1, color="0.6", linestyle="--")
    right.set(xlim=(0.5, MOST + 0.5), ylim=(0, MOST + 0.5), xlabel="workers N", ylabel="times as fast as one")
    right.set_title("Speed-up")
    return {"computing": left.barh([1], [0], color=COLORS["blue"], height=0.5)[0],
            "exchanging": left.barh([0], [0], color=COLORS["vermillion"], height=0.5, hatch="//")[0],
            "took": left.text(0.98, 1.38, "", ha="right", va="bottom", fontsize=9.5),
            "curve": right.plot([], [], color=COLORS["blue"], marker=".")[0],
            "point": right.plot([], [], "o", color=COLORS["vermillion"], markersize=9)[0],
            "says": right.text(0.03, 0.97, "", transform=right.transAxes, ha="left", va="top", fontsize=9.5)}


def update_share(artists, data):
    """Set the two bars, and move the point along its curve."""
    total = data["computing"] + data["exchanging"]
    for name in ("computing", "exchanging"):
        artists[name].set_width(data[name] / total)
    artists["took"].set_text(f"{total:.2f} ms, {data['exchanging'] / total:.0%} exchanging")
    artists["curve"].set_data(range(1, MOST + 1), data["speedups"])
    artists["point"].set_data([data["workers"]], [data["speedups"][data["workers"] - 1]])
    artists["says"].set_text(f"{data['workers']} workers, T = {data['num_steps']}: {data['speedups'][data['workers'] - 1]:.2f} "
                             "times as fast")


def compute_class(readers, cores, work, share):
    """Memory in GB and mean seconds to a result, for classes up to this size."""
    idle, peak = (SERVER_MB + float(values.max()) for values in kernels())

    def memory(count):
        return (SYSTEM_MB + memory_needed(count, idle, peak, share, CERTAIN)) / 1000

    shown = [count for count in POINTS if count < readers] + [readers]
    return {"readers": readers, "shown": shown, "memory": [memory(count) for count in shown],
            "responses": [shared_cores(count, cores, THINK, work).response for count in shown],
            "crowd": shared_cores(readers, cores, THINK, work)}


def build_class(fig):
    """Left the memory, right the time to a result, both against readers."""
    left, right = fig.subplots(1, 2)
    left.set(xlim=(0, 100), ylim=(0, 100), xlabel="readers", ylabel="memory (GB)")
    left.set_title("What they fill")
    right.set(xlim=(0, 100), yscale="log", ylim=(0.4, 1500), xlabel="readers", ylabel="time to a result, on average")
    ticks(right, (1, 10, 60, 600), ("1 s", "10 s", "1 min", "10 min"), axis="y")
    right.set_title("How long they wait")
    for share, style in ((1.0, "--"), (0.0, ":")):
        ends = [compute_class(count, 1, 1.0, share)["memory"][-1] for count in (1, 100)]
        left.plot([1, 100], ends, color="0.5", linestyle=style)
    left.text(66, 78, "all at the peak", color="0.4", ha="right")
    left.text(98, 26, "all idle", color="0.4", ha="right")
    return {"memory": left.plot([], [], color=COLORS["blue"])[0],
            "need": left.plot([], [], "o", color=COLORS["vermillion"], markersize=9)[0],
            "gigabytes": left.text(0.03, 0.97, "", transform=left.transAxes, va="top", fontsize=9.5),
            "wait": right.plot([], [], color=COLORS["blue"])[0],
            "now": right.plot([], [], "o", color=COLORS["vermillion"], markersize=9)[0],
            "says": right.text(0.03, 0.97, "", transform=right.transAxes, va="top", fontsize=9.5)}


def update_class(artists, data):
    """Move the two points along their curves."""
    crowd = data["crowd"]
    artists["memory"].set_data(data["shown"], data["memory"])
    artists["need"].set_data([data["readers"]], data["memory"][-1:])
    artists["gigabytes"].set_text(f"{data['readers']} readers: {data['memory'][-1]:.1f} GB,\nenough 99 times in 100")
    artists["wait"].set_data(data["shown"], data["responses"])
    artists["now"].set_data([data["readers"]], [crowd.response])
    artists["says"].set_text(f"{data['readers']} readers: {crowd.response:.1f} s,\ncores busy {crowd.busy:.0%}")


EXPLORERS = {
    "share": Explorer(
        compute_share, build_share, update_share,
        controls={"workers": Control(2, 1, MOST, 1, "workers N"), "num_steps": Control(4, 1, 50, 1, "steps T"),
                  "batch": Control(64, 16, 1024, 16, "batch, all workers"),
                  "current": Choice("changing", ("changing", "constant"), "input over time"),
                  "link": Choice("1 Gbit/s", tuple(LINKS), "link")},
        sweeps=(("workers", {}), ("num_steps", {"workers": 8}), ("batch", {"workers": 8}),
                ("num_steps", {"workers": 8, "current": "constant"})),
        alt="Left, the time of a training step as two bars, computing and exchanging gradients; right, the speed-up against "
            "the number of workers, with the line of N times as fast.",
        size=(7.4, 3.3)),
    "class": Explorer(
        compute_class, build_class, update_class,
        controls={"readers": Control(8, 1, 100, 1, "readers"), "cores": Control(2, 1, 16, 1, "cores"),
                  "work": Control(2.0, 0.5, 10.0, 0.5, "core time of a cell", "s"),
                  "share": Control(0.2, 0.0, 1.0, 0.05, "part of the time at the peak")},
        sweeps=(("readers", {}), ("cores", {"readers": 60, "work": 4.0}), ("work", {"readers": 30}),
                ("share", {"readers": 30})),
        alt="Left, the memory that a class fills against the number of readers, between all idle and all at the peak; right, "
            "the mean time from starting a cell to its result.",
        size=(7.4, 3.4)),
}
