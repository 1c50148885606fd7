"""Time one LIF layer, forward and backward, against snnTorch in one process on one thread.

    python tests/benchmarks/lif_layer.py

Prints the median processor time a call and the ratio. Both compute the same: the same spikes from the same input, and the
gradient of their sum. They take turns in rounds of twenty calls of which the first five are not counted: a training loop calls
the same layer thousands of times, and the C library needs a few calls to settle on which memory to keep.
"""
import statistics
import time

import snntorch
import torch

from snnteach.neurons import lif

ROUNDS, CALLS, WARM_UP, STEPS, BATCH, BETA = 8, 20, 5, 25, 128, 0.9


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
    """Processor time of each counted call of one round."""
    times = []
    for _ in range(CALLS):
        start = time.process_time()
        run(x).sum().backward()
        x.grad = None
        times.append(time.process_time() - start)
    return times[WARM_UP:]


def measure(neurons):
    x = (0.4 * torch.rand(STEPS, BATCH, neurons, generator=torch.Generator().manual_seed(0))).requires_grad_()
    assert torch.equal(snntorch_layer(x), snnteach_layer(x)), "the spikes differ"
    theirs, ours = [], []
    for _ in range(ROUNDS):
        theirs += seconds(snntorch_layer, x)
        ours += seconds(snnteach_layer, x)
    theirs, ours = (1e3 * statistics.median(times) for times in (theirs, ours))
    print(f"T={STEPS} B={BATCH} N={neurons:4d}: snnTorch {theirs:6.2f} ms, snnteach {ours:6.2f} ms, "
          f"{theirs / ours:.1f} times faster")


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.empty(31_000_000 // 4).fill_(0)
    print(f"snntorch {snntorch.__version__}, torch {torch.__version__}, one thread; spikes equal")
    for size in (100, 1000):
        measure(size)
