"""Time a whole training step against snnTorch's tutorial 5 in one process on one thread, and measure the memory it needs.

    python tests/benchmarks/training_step.py

The network 784-1000-10 sees a constant input for 25 steps, batch 128; its loss is the cross-entropy of the read-out's
membranes at each step, its optimiser Adam. The tutorial multiplies by the first weights at every step ("as printed"); whoever
tunes it multiplies once ("hoisted"). Ours goes through in the slices that `fit` chooses. All start from the same weights, and
the loss of the first steps is compared. They take turns in rounds, as in `lif_layer.py`. Memory is measured on Linux in a
process of its own for each: the highest resident size in three steps over that before, with parameters, gradients and the
optimiser's state in place.

What was tried for ours (ms, on one machine, medians): whole batch 46 to 51, slices of 64 27 to 37, of 43 27, of 32 26 to 28,
of 22 31, of 16 28 to 31; without the product taken once for all slices 36. Much of the whole batch's time is memory that the
C library fetches anew from the system at each step (12,000 page faults); where it keeps what was freed, because something
larger was freed before, as other steps in one process do, the whole batch takes 24 to 28, and slices save memory only. For
input that changes in time the first product fills the step, and slices gain nothing (139 and 134). Products with ten outputs
the other way round would save one more, and were left as they are: nn.Linear is what a reader expects. A threshold that is made
a tensor once, not at each step, saves 1.7 us a step and layer. The surrogate's temporaries in smaller pieces need a little less
memory, but a layer of 300 takes a fifth longer; both loops of the backward pass in one changed nothing that could be measured.
"""
import statistics
import subprocess
import sys
import time
from pathlib import Path

import snntorch
import torch
from torch import nn

from snnteach.losses import ce_step_loss
from snnteach.networks import SpikingMLP, direct_current
from snnteach.training import train_step

ROUNDS, CALLS, WARM_UP, STEPS, BATCH, SIZES, BETA, SLICE = 8, 8, 2, 25, 128, (784, 1000, 10), 0.95, 32


class Tutorial(nn.Module):
    """The network of snnTorch's tutorial 5."""

    def __init__(self, hoisted):
        super().__init__()
        inputs, hidden, outputs = SIZES
        self.fc1, self.fc2 = nn.Linear(inputs, hidden), nn.Linear(hidden, outputs)
        self.lif1, self.lif2 = snntorch.Leaky(beta=BETA), snntorch.Leaky(beta=BETA)
        self.hoisted = hoisted

    def forward(self, x):
        mem1, mem2 = self.lif1.init_leaky(), self.lif2.init_leaky()
        spikes, membranes = [], []
        current = self.fc1(x)
        for step in range(STEPS):
            spk1, mem1 = self.lif1(current if self.hoisted or step == 0 else self.fc1(x), mem1)
            spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
            spikes.append(spk2)
            membranes.append(mem2)
        return torch.stack(spikes), torch.stack(membranes)


def tutorial(hoisted):
    """Return a function (x, target) that makes one step of the tutorial and returns its loss."""
    torch.manual_seed(0)
    net, entropy = Tutorial(hoisted), nn.CrossEntropyLoss()
    optimiser = torch.optim.Adam(net.parameters(), lr=5e-4, betas=(0.9, 0.999))

    def step(x, target):
        _, mem = net(x)
        loss = torch.zeros(1)
        for mem_t in mem:
            loss += entropy(mem_t, target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return loss.item()

    return step


def ours(slice_size):
    """Return a function (x, target) that makes one step of ours and returns its loss."""
    torch.manual_seed(0)
    net = SpikingMLP(SIZES, BETA)
    optimiser = torch.optim.Adam(net.parameters(), lr=5e-4, betas=(0.9, 0.999), fused=True)
    return lambda x, target: train_step(net, direct_current(x, STEPS), target, optimiser=optimiser, slice_size=slice_size,
                                        loss=lambda records, y: STEPS * ce_step_loss(records[-1].mem, y))


WHO = {"as printed": lambda: tutorial(hoisted=False), "hoisted": lambda: tutorial(hoisted=True),
       "ours, whole batch": lambda: ours(None), "ours": lambda: ours(SLICE)}


def batch():
    generator = torch.Generator().manual_seed(1)
    return torch.rand(BATCH, SIZES[0], generator=generator), torch.randint(0, SIZES[-1], (BATCH,), generator=generator)


def milliseconds():
    """Median processor time of a step, by who makes it."""
    (x, target), steps = batch(), {name: make() for name, make in WHO.items()}
    first = {name: [step(x, target) for _ in range(3)] for name, step in steps.items()}
    assert all(abs(a - b) < 1e-3 * b for losses in first.values() for a, b in zip(losses, first["as printed"])), first
    times = {name: [] for name in WHO}
    for _ in range(ROUNDS):
        for name, step in steps.items():
            for call in range(CALLS):
                start = time.process_time()
                step(x, target)
                if call >= WARM_UP:
                    times[name].append(1e3 * (time.process_time() - start))
    return {name: statistics.median(values) for name, values in times.items()}


def resident(field):
    """Memory of this process in MB: VmRSS as it is, VmHWM at its highest."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


def extra_memory(name):
    """Highest resident memory in three steps over that before, in MB; to be called in a fresh process."""
    (x, target), step = batch(), WHO[name]()
    step(x[:1], target[:1])                                       # gradients and the optimiser's state are made here
    Path("/proc/self/clear_refs").write_text("5")                 # forget the highest so far
    before = resident("VmRSS")
    for _ in range(3):
        step(x, target)
    return resident("VmHWM") - before


def megabytes():
    """Extra memory of a step, by who makes it, each in a process of its own, the median of five."""
    def once(name):
        return float(subprocess.run([sys.executable, __file__, name], check=True, capture_output=True, text=True).stdout)
    return {name: statistics.median(once(name) for _ in range(5)) for name in WHO}


def rows():
    """Measure, print and yield a row of `speed.csv` against each form of the tutorial."""
    times, memory = milliseconds(), megabytes()
    for name in WHO:
        print(f"training step, {name:17s}: {times[name]:6.1f} ms, {memory[name]:5.1f} MB", flush=True)
    for name in ("as printed", "hoisted"):
        print(f"{times[name] / times['ours']:.1f} times faster than the tutorial {name}")
        yield {"what": "training step", "how": name, "snntorch_ms": times[name], "snnteach_ms": times["ours"],
               "snntorch_mb": memory[name], "snnteach_mb": memory["ours"], "whole_batch_ms": times["ours, whole batch"],
               "whole_batch_mb": memory["ours, whole batch"]}


if __name__ == "__main__":
    torch.set_num_threads(1)
    if len(sys.argv) > 1:
        print(extra_memory(sys.argv[1]))
    else:
        print(f"snntorch {snntorch.__version__}, torch {torch.__version__}, one thread; T = {STEPS}, B = {BATCH}, {SIZES}")
        list(rows())
