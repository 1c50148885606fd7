"""How fast is this machine? A fixed piece of work of some ten seconds, of the kinds that the tests are made of.

    python tests/benchmarks/unit.py                 # its core seconds (user + system), compared with the reference
    python tests/benchmarks/unit.py --store 480     # stores them as the reference, beside those of the whole test command

The work uses nothing of snnteach, so that it stays the same when the course changes: interpreting Python, small tensors forward
and backward on one thread, drawing, and starting interpreters. The reference is unit.csv beside this file: measure the unit and
`time python3 -m snnteach test` in the same hour on a machine that does nothing else.
"""
import argparse
import ast
import csv
import inspect
import io
import os
import platform
import subprocess
import sys
from pathlib import Path

import matplotlib
import torch

TABLE = Path(__file__).with_suffix(".csv")
COLUMNS = ("machine", "notebooks", "unit_core_seconds", "whole_core_seconds")
TUTORIALS = Path(__file__).parents[2] / "tutorials"


def interpret(times=70):
    """Parse, compile and count, as a collection of tests does."""
    source = inspect.getsource(argparse)
    for _ in range(times):
        names = {}
        for node in ast.walk(ast.parse(source)):
            names[type(node).__name__] = names.get(type(node).__name__, 0) + 1
    compile(source, "argparse", "exec")


def train(times=1000, num_steps=25, batch=64, size=100):
    """A layer of leaky neurons, step by step, and its gradient."""
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(size, size, generator=generator).mul(0.1).requires_grad_()
    x = torch.rand(num_steps, batch, size, generator=generator)
    for _ in range(times):
        mem, total = torch.zeros(batch, size), 0.0
        for x_t in x:
            mem = 0.9 * mem + x_t @ weight
            total = total + torch.sigmoid(4 * (mem - 1)).sum()
        (gradient,) = torch.autograd.grad(total, weight)
        weight.data -= 1e-6 * gradient


def draw(times=20):
    """A figure with lines, letters and an image."""
    from matplotlib.figure import Figure

    for number in range(times):
        fig = Figure(figsize=(6, 3.5), dpi=192)
        left, right = fig.subplots(1, 2)
        left.plot([number, 2, 3], label="a line")
        left.legend()
        right.imshow(torch.rand(28, 28).numpy())
        fig.savefig(io.BytesIO(), format="png")


def start(times=2):
    """Interpreters that import what a kernel imports first."""
    for _ in range(times):
        subprocess.run([sys.executable, "-c", "import torch, matplotlib.pyplot"], check=True)


def core_seconds():
    """The user and system time of this process and of those it started and waited for."""
    return sum(os.times()[:4])


def measure():
    """Do the work and return its core seconds, part by part."""
    torch.set_num_threads(1)
    found = {}
    for part in (interpret, train, draw, start):
        before = core_seconds()
        part()
        found[part.__name__] = core_seconds() - before
    return found


def reference():
    """Return the stored row, a dict, or None."""
    return next(csv.DictReader(TABLE.open(encoding="utf-8")), None) if TABLE.exists() else None


def main():
    """Measure, compare, and store if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--store", type=float, metavar="SECONDS", help="core seconds of the whole test command in this hour")
    whole, found = parser.parse_args().store, measure()
    unit = sum(found.values())
    print(f"unit: {unit:.1f} core seconds ({', '.join(f'{part} {seconds:.1f}' for part, seconds in found.items())})")
    if whole:
        machine = (f"{os.cpu_count()} cores, {platform.system()} on {platform.machine()}, Python {platform.python_version()}, "
                   f"torch {torch.__version__}, matplotlib {matplotlib.__version__}")
        notebooks = len(list(TUTORIALS.glob("[0-9][0-9]_*.ipynb")))
        with TABLE.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([COLUMNS, (machine, notebooks, f"{unit:.1f}", f"{whole:.0f}")])
    elif row := reference():
        ratio, seconds = unit / float(row["unit_core_seconds"]), float(row["whole_core_seconds"])
        print(f"the reference took {row['unit_core_seconds']}, so this machine needs {ratio:.2f} times as long; its whole test "
              f"command took {seconds:.0f} core seconds, here it should be {ratio * seconds:.0f}")


if __name__ == "__main__":
    main()
