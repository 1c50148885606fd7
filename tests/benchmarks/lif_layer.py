"""Time one LIF layer, forward and backward, against snnTorch in one process on one thread.

    python tests/benchmarks/lif_layer.py

Prints the median processor time a call and the ratio. Both compute the same: the same spikes from the same input, and the
gradient, taken in two ways: of the sum of the spikes into an input that is kept (the gradient that comes in is one number, and
memory is used again), and of a weighted sum into a fresh copy of the input, as between two layers of a network. They take
turns in rounds of twenty calls of which the first five are not counted: a training loop calls the same layer thousands of
times, and the C library needs a few calls to settle on which memory to keep. `speed.py` stores the results.
"""
import statistics
import time

import snntorch
import torch

from snnteach.neurons import lif

ROUNDS, CALLS, WARM_UP, STEPS, BATCH, BETA = 8, 20, 5, 25, 128, 0.9
SIZES = (100, 1000)


def snntorch_layer(x):
    layer, spikes = snntorch.Leaky(beta=BETA), []
    mem = layer.reset_mem()
    for x_t in x:
        spk, mem = layer(x_t, mem)
        spikes.append(spk)
    return torch.stack(spikes)


def snnteach_layer(x):
    return lif(x, BETA)[0]


def sum_into_a_kept_leaf(run, x, weight):
    run(x).sum().backward()
    x.grad = None


def weighted_into_a_fresh_leaf(run, x, weight):
    run(x.detach().clone().requires_grad_()).backward(weight)


WAYS = {"gradient of a sum into a kept leaf": sum_into_a_kept_leaf,
        "dense gradient into a fresh leaf": weighted_into_a_fresh_leaf}


def seconds(way, run, x, weight):
    """Processor time of each counted call of one round."""
    times = []
    for _ in range(CALLS):
        start = time.process_time()
        way(run, x, weight)
        times.append(time.process_time() - start)
    return times[WARM_UP:]


def rows():
    """Measure, print and yield a row of `speed.csv` for each size and way."""
    for neurons in SIZES:
        generator = torch.Generator().manual_seed(0)
        x = (0.4 * torch.rand(STEPS, BATCH, neurons, generator=generator)).requires_grad_()
        weight = torch.rand(x.shape, generator=generator)
        assert torch.equal(snntorch_layer(x), snnteach_layer(x)), "the spikes differ"
        for name, way in WAYS.items():
            theirs, ours = [], []
            for _ in range(ROUNDS):
                theirs += seconds(way, snntorch_layer, x, weight)
                ours += seconds(way, snnteach_layer, x, weight)
            theirs, ours = (1e3 * statistics.median(times) for times in (theirs, ours))
            print(f"layer, N = {neurons:4d}, {name}: snnTorch {theirs:6.2f} ms, snnteach {ours:6.2f} ms, "
                  f"{theirs / ours:.1f} times faster", flush=True)
            yield {"what": f"layer of {neurons}", "how": name, "snntorch_ms": theirs, "snnteach_ms": ours}


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(f"snntorch {snntorch.__version__}, torch {torch.__version__}, one thread; T = {STEPS}, B = {BATCH}; spikes equal")
    list(rows())
