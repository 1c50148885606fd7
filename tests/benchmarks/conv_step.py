"""Time a training step of the convolutional network against snnTorch in one process on one thread, and store the table.

    python tests/benchmarks/conv_step.py          writes tests/benchmarks/conv_step.csv

The network is 12C5-MP2-32C5-MP2-10 without a norm, beta 0.5, and its loss the cross-entropy of the read-out's mean membrane.
snnTorch's is written as its tutorial 6 writes it: every layer at each step of a loop over time. Ours puts time into the batch,
and what stays the same, up to the first neurons, goes through one step long: the more steps, the more that saves. It is timed
with 25 steps and a batch of 32, and with the 8 steps and 100 pictures of notebook 10. Both start from the same weights, and the
losses of the first steps are compared. They take turns in rounds; processor time, medians. A large array is freed before, so
that the allocator keeps what later ones need, whoever runs first.

Most of the time goes into convolutions and pooling, which both need (58 of 70 ms with 8 steps and 100 pictures). If `OverTime`
handed these channels_last, a step would take about a sixth less; float32 would then round otherwise in all stored runs of
notebook 10, and with the filters of both in that order, which the loop over time likes more, the ratio would be 1.5. Pooling
alone in that order gains forward what it loses backward. Convolution as one product of unfolded patches is five times slower.
"""
import csv
import math
import statistics
import time
from pathlib import Path

import snntorch
import torch
import torch.nn.functional as F
from torch import nn

from snnteach.deep import OverTime, SpikingStack
from snnteach.networks import direct_current
from snnteach.neurons import LIF
from snnteach.training import train_step

TABLE = Path(__file__).with_suffix(".csv")
ROUNDS, CALLS, WARM_UP, BETA = 8, 4, 1, 0.5
SIZES = (25, 32, None), (8, 100, None), (50, 128, 32)                            # steps, batch, slices of ours


class Tutorial(nn.Module):
    """The network in the way of snnTorch's tutorial 6."""

    def __init__(self, num_steps):
        super().__init__()
        self.num_steps = num_steps
        self.conv1, self.conv2, self.fc1 = nn.Conv2d(1, 12, 5), nn.Conv2d(12, 32, 5), nn.Linear(512, 10)
        surrogate = snntorch.surrogate.atan(alpha=2.0)
        self.lif1, self.lif2 = (snntorch.Leaky(beta=BETA, spike_grad=surrogate) for _ in range(2))
        self.lif3 = snntorch.Leaky(beta=0.9, reset_mechanism="none")

    def forward(self, x):
        mem1, mem2, mem3, membranes = self.lif1.init_leaky(), self.lif2.init_leaky(), self.lif3.init_leaky(), []
        for _ in range(self.num_steps):
            spk1, mem1 = self.lif1(F.max_pool2d(self.conv1(x), 2), mem1)
            spk2, mem2 = self.lif2(F.max_pool2d(self.conv2(spk1), 2), mem2)
            _, mem3 = self.lif3(self.fc1(spk2.flatten(1)), mem3)
            membranes.append(mem3)
        return torch.stack(membranes)


def stepper(net):
    """Return a function (x, target) that makes one training step and returns its loss."""
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)

    def step(x, target):
        loss = F.cross_entropy(net(x).mean(0), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return loss.item()

    return step


def pair(num_steps, slice_size=None):
    """Both networks with the same weights, as training steps; ours takes so many pictures at a time."""
    torch.manual_seed(0)
    theirs = Tutorial(num_steps)
    conv1, conv2, linear = nn.Conv2d(1, 12, 5), nn.Conv2d(12, 32, 5), nn.Linear(512, 10)
    for own, other in ((conv1, theirs.conv1), (conv2, theirs.conv2), (linear, theirs.fc1)):
        own.load_state_dict(other.state_dict())
    ours = SpikingStack([OverTime(conv1), OverTime(nn.MaxPool2d(2)), LIF(BETA), OverTime(conv2), OverTime(nn.MaxPool2d(2)),
                         LIF(BETA), OverTime(nn.Flatten()), OverTime(linear), LIF(0.9, math.inf, reset="none")])
    optimiser = torch.optim.Adam(ours.parameters(), lr=1e-3)
    return stepper(theirs), lambda x, target: train_step(
        ours, direct_current(x, num_steps), target, optimiser=optimiser, slice_size=slice_size,
        loss=lambda records, y: F.cross_entropy(records[-1].mem.mean(0), y))


def row(num_steps, batch, slice_size):
    """Measure a row of the table."""
    steps, times, losses = pair(num_steps, slice_size), ([], []), ([], [])
    x, target = 2 * torch.randn(batch, 1, 28, 28), torch.arange(batch) % 10
    for _ in range(ROUNDS):
        for step, spent, seen in zip(steps, times, losses, strict=True):
            for call in range(CALLS):
                start = time.process_time()
                seen.append(step(x, target))
                spent.extend([time.process_time() - start] * (call >= WARM_UP))
    assert all(math.isclose(a, b, rel_tol=1e-3) for a, b in zip(losses[0][:3], losses[1][:3], strict=True)), losses
    theirs, ours = (1000 * statistics.median(spent) for spent in times)
    return {"what": f"12C5-MP2-32C5-MP2-10, {num_steps} steps, batch {batch}" + (
        f" in slices of {slice_size}" if slice_size else ""), "snntorch_ms": f"{theirs:.1f}",
            "snnteach_ms": f"{ours:.1f}", "ratio": f"{theirs / ours:.2f}"}


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.ones(8_000_000)                                                            # and freed
    found = [row(*size) for size in SIZES]
    print(*found, sep="\n")
    with TABLE.open("w", newline="") as file:
        writer = csv.DictWriter(file, found[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)
