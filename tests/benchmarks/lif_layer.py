"""Time one LIF layer, forward and backward, against snnTorch in one process on one thread.

    python tests/benchmarks/lif_layer.py

Prints the median processor time of each over alternating rounds of ten calls (as in a training loop), and their ratio. Both
compute the same: the same spikes from the same input, the gradient of their sum. A tensor of 31 MB is made and freed first, as
in any process that has loaded data: from then on the C library of Linux keeps freed memory of that size, for both alike, where
a fresh process pays page faults at each call.
"""
import statistics
import time

import snntorch
import torch

from snnteach.neurons import lif

ROUNDS, CALLS, STEPS, BATCH, BETA = 12, 10, 25, 128, 0.9


def snntorch_layer(x):
    layer, spikes = snntorch.Leaky(beta=BETA), []
    mem = layer.reset_mem()
    for x_t in x:
        spk, mem = layer(x_t, mem)
        spikes.append(spk)
    return torch.stack(spikes)


def snnteach_layer(x):
    return lif(x, BETA)[0]


def seconds(run, x):
    start = time.process_time()
    for _ in range(CALLS):
        run(x).sum().backward()
        x.grad = None
    return (time.process_time() - start) / CALLS


def measure(neurons):
    x = (0.4 * torch.rand(STEPS, BATCH, neurons, generator=torch.Generator().manual_seed(0))).requires_grad_()
    assert torch.equal(snntorch_layer(x), snnteach_layer(x)), "the spikes differ"
    rounds = [(seconds(snntorch_layer, x), seconds(snnteach_layer, x)) for _ in range(ROUNDS)][1:]
    theirs, ours = (1e3 * statistics.median(column) for column in zip(*rounds, strict=True))
    ratio = statistics.median(a / b for a, b in rounds)
    print(f"T={STEPS} B={BATCH} N={neurons:4d}: snnTorch {theirs:6.2f} ms, snnteach {ours:6.2f} ms, {ratio:.1f} times faster")


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.empty(31_000_000 // 4).fill_(0)
    print(f"snntorch {snntorch.__version__}, torch {torch.__version__}, one thread; spikes equal")
    for size in (100, 1000):
        measure(size)
