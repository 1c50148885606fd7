"""What each process of `torchrun` runs: the same small training, on its share of every batch.

    python -m torch.distributed.run --standalone --nproc-per-node=2 -m snnteach.lessons.scaling.worker FOLDER

FOLDER holds job.pt; the first worker writes result.pt beside it. A watchdog ends the process whatever happens.
"""
import faulthandler
import os
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path

import torch
from torch import distributed, nn

from ...checkpoints import read_whole, write_whole
from ...deep import NormOverTime
from ...networks import Record
from ...neurons import lif
from ...scaling import SharedNorm, average_gradients, sample_noise, train_shared

NORMS = {"none": nn.Identity, "own": NormOverTime, "shared": SharedNorm}


class NormNet(nn.Module):
    """784-H-10: a hidden layer of LIF neurons behind a norm, and a read-out of their rates as membranes that forget nothing."""

    def __init__(self, hidden, norm):
        super().__init__()
        self.first, self.last = nn.Linear(784, hidden), nn.Linear(hidden, 10)
        self.norm = nn.Identity() if norm == "none" else NORMS[norm](hidden)

    def forward(self, x):
        """Run over x [T, B, 784]."""
        spk, mem = lif(self.norm(self.first(x)), 0.9)
        return [Record(spk, mem), Record(None, self.last(spk))]


def build(hidden, norm, dtype, seed):
    """The same net on every worker: drawn from the same seed."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return NormNet(hidden, norm).to(dtype)


def loss(records, target):
    """Cross-entropy of the read-out's mean over time."""
    return nn.functional.cross_entropy(5 * records[-1].mem.mean(0), target)


def optimiser(net, rate):
    """Gradient descent with momentum."""
    return torch.optim.SGD(net.parameters(), lr=rate, momentum=0.9)


def batches(job, dtype):
    """The whole batches of all steps, as spikes whose noise belongs to the samples: [T, B, 784] and [B] each."""
    made = []
    for step, chosen in enumerate(job["batches"]):
        noise = sample_noise(chosen, (job["num_steps"], 784), seed=step)
        made.append(((noise < job["inputs"][chosen]).to(dtype), job["targets"][chosen]))
    return made


def train(job, norm, dtype):
    """One training on this worker's shares: its losses, step by step."""
    net = build(job["hidden"], norm, dtype, job["seed"])
    return train_shared(net, optimiser(net, job["rate"]), batches(job, dtype), loss)


def train_on(job, folder):
    """The training "float64" again, which one worker does not survive: torchrun starts all again, from the last checkpoint."""
    net, path, made = build(job["hidden"], "none", torch.float64, job["seed"]), folder / "run.pt", batches(job, torch.float64)
    steps, losses = optimiser(net, job["rate"]), []
    first = os.environ["TORCHELASTIC_RESTART_COUNT"] == "0"
    if path.exists():
        saved = read_whole(path)
        net.load_state_dict(saved["net"])
        steps.load_state_dict(saved["optimiser"])
        losses = saved["losses"]
    while len(losses) < len(made):
        if first and distributed.get_rank() == 1 and len(losses) == job["dies"]:
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
        losses += train_shared(net, steps, [made[len(losses)]], loss)
        if distributed.get_rank() == 0:
            write_whole(path, {"net": net.state_dict(), "optimiser": steps.state_dict(), "losses": losses})
        distributed.barrier()
    return losses + [0.0 if first else 1.0]


def least(repeats, call, clock=time.perf_counter):
    """Return the shortest time that a call took, in seconds of this clock."""
    taken = []
    for _ in range(repeats):
        if distributed.is_initialized():
            distributed.barrier()
        start = clock()
        call()
        taken.append(clock() - start)
    return min(taken)


def timed(job, num_steps, samples):
    """Seconds of a step on this worker's samples: (computing, exchanging gradients).

    Computing counts seconds of a core, so that other programs on the machine do not; exchanging, which waits, by the clock.
    """
    net = build(job["hidden"], "none", torch.float32, 0)
    x, target = (torch.rand(num_steps, samples, 784) < 0.2).float(), torch.arange(samples) % 10
    steps = optimiser(net, job["rate"])

    def compute():
        steps.zero_grad()
        loss(net(x), target).backward()
        steps.step()

    return least(job["repeats"], compute, time.process_time), least(job["repeats"], lambda: average_gradients(net))


def meet(folder, seconds):
    """Join the other workers. Each life of the job meets in a file of its own: the addresses of the last life are dead."""
    rank, workers, life = (int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "TORCHELASTIC_RESTART_COUNT"))
    store = distributed.FileStore(str(folder / f"meeting{life}"), workers)
    distributed.init_process_group("gloo", store=store, rank=rank, world_size=workers, timeout=timedelta(seconds=seconds))


def work(folder):
    """Do the job in this folder; worker 0 writes down what came out."""
    job = torch.load(folder / "job.pt", weights_only=True)
    faulthandler.dump_traceback_later(job["seconds"], exit=True)
    torch.set_num_threads(1)
    meet(folder, job["seconds"])
    workers = distributed.get_world_size()
    result = {name: train(job, norm, getattr(torch, dtype)) for name, (norm, dtype) in job["trainings"].items()}
    if job["dies"]:
        result["killed"] = train_on(job, folder)
    for num_steps, batch in job["times"]:
        result[f"T = {num_steps}, batch {batch}"] = timed(job, num_steps, batch // workers)
    if distributed.get_rank() == 0:
        torch.save(result, folder / "result.pt")
    distributed.barrier()
    distributed.destroy_process_group()


if __name__ == "__main__":
    work(Path(sys.argv[1]))
    sys.stdout.flush()
    os._exit(0)                                              # nothing that still waits on a socket keeps the process alive
