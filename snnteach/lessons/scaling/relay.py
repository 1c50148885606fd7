"""A training that is killed and goes on: its parts, its disk, and the process that dies in the middle.

    python -m snnteach.lessons.scaling.relay FOLDER SECONDS

goes on from run.pt in FOLDER to the step that job.pt names, writes half of the next checkpoint, says so, and waits to die.
"""
import faulthandler
import io
import sys
import time
from pathlib import Path

import torch

from ...checkpoints import Training, go_on, read_whole, write_whole
from ...encoding import rate_code
from ...losses import ce_membrane_loss
from ...networks import SpikingMLP

ENTRIES = ("net", "optimiser", "schedule", "generator", "order", "place", "losses")
HALF = "half of the next checkpoint is written"


class Disk:
    """One checkpoint, in a file or, without a path, in memory: `read()` returns it, or None, `write(saved)` replaces it."""

    def __init__(self, path=None):
        self.path, self.bytes = path, None

    def write(self, saved):
        """Keep this dict, which needs all entries by their names."""
        missing = [name for name in ENTRIES if not isinstance(saved, dict) or name not in saved]
        if missing:
            raise ValueError(f"disk.write: a checkpoint is a dict with {', '.join(ENTRIES)}; {', '.join(missing)} is missing.")
        if self.path is not None:
            write_whole(self.path, saved)
        else:
            file = io.BytesIO()
            torch.save(saved, file)
            self.bytes = file.getvalue()

    def read(self):
        """Return what was written last, or None."""
        if self.path is not None:
            return read_whole(self.path) if Path(self.path).exists() else None
        return None if self.bytes is None else torch.load(io.BytesIO(self.bytes), weights_only=True)


def make_run(sizes=(784, 50, 10), steps=40):
    """A fresh start, the same in every process: weights, AdamW, its one-cycle schedule and a stream of random numbers."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = SpikingMLP(sizes, readout="membrane")
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-2, total_steps=steps)
    return Training(net, optimiser, schedule, torch.Generator().manual_seed(0))


def batch_loss(net, batch, generator, inputs, targets, num_steps=10):
    """The loss of some samples, coded in random spikes that the generator draws."""
    spk = rate_code(inputs[batch], num_steps, generator=generator)
    return ce_membrane_loss(net(spk)[-1].mem, targets[batch]) / num_steps


def train_until_killed(folder, seconds):
    """Go on from run.pt, writing it after each step; then write half of one more checkpoint, and wait."""
    faulthandler.dump_traceback_later(seconds, exit=True)
    torch.set_num_threads(1)
    job, disk, run = torch.load(folder / "job.pt", weights_only=True), Disk(folder / "run.pt"), make_run()

    def loss(batch, generator):
        return batch_loss(run.net, batch, generator, job["inputs"], job["targets"])

    samples, size = len(job["inputs"]), job["batch_size"]
    saved = go_on(run, loss, samples, job["dies"], batch_size=size, saved=disk.read(), each=disk.write)
    lost = io.BytesIO()
    torch.save(go_on(run, loss, samples, job["dies"] + 1, batch_size=size, saved=saved), lost)
    (folder / "run.pt.part").write_bytes(lost.getvalue()[:lost.tell() // 2])
    print(HALF, flush=True)
    time.sleep(seconds)


if __name__ == "__main__":
    train_until_killed(Path(sys.argv[1]), float(sys.argv[2]))
