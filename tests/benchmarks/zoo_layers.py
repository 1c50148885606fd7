"""Time the layers of the zoo, forward and backward, against those of snnTorch in one process on one thread.

    python tests/benchmarks/zoo_layers.py           on an otherwise idle machine; writes tests/benchmarks/zoo_layers.csv

Both compute the same, which is tested before anything is timed: equal spikes. They take turns in rounds, as in `lif_layer.py`;
the gradient is that of a weighted sum, into a fresh copy of the input, as between two layers. The spiking LSTM is timed with 40
neurons, as many as the course trains, and with 100 in batches of 32 and of 128, where the matrix products that both need take
most of the time.

With 100 neurons and a batch of 128, twice snnTorch's speed was looked for and not found. The six products alone (input,
recurrence, their gradients and those of both weights), each in its best order, take 20 ms where the whole layer,
`torch.nn.LSTM` of oneDNN, takes 21 to 22; with input and spikes side by side, [B, I + N], they take 17, which is 90 thousand
million operations a second on one core. A backward pass by hand on these (one product a step for both, weights made contiguous
once, the weights' gradient as one product over all steps or a sum of one a step, all gates in one sigmoid with tanh as a scaled
sigmoid, buffers written with out=) gave the same numbers to 1e-14, and took 23 and 22 ms for 21, and with 40 neurons 6 for 5.
"""
import csv
import math
import statistics
import time
from pathlib import Path

import snntorch
import torch

from snnteach.kernels import SpikingLSTM
from snnteach.zoo import alpha_lif, cuba_lif, recurrent_lif

ROUNDS, CALLS, WARM_UP, STEPS, BATCH, NEURONS = 6, 10, 3, 25, 128, 100
ALPHA, BETA = 0.8, 0.9
TABLE = Path(__file__).with_suffix(".csv")


def unrolled(layer, x, state):
    """The loop that snnTorch's layers need: `state` are the arguments after the input; the first result is the spikes."""
    spikes = []
    for x_t in x:
        spk, *state = layer(x_t, *state)
        spikes.append(spk)
    return torch.stack(spikes)


def synaptic(x):
    layer = snntorch.Synaptic(alpha=ALPHA, beta=BETA)
    return unrolled(layer, x, layer.reset_mem())


def alpha(x):
    layer = snntorch.Alpha(alpha=BETA, beta=BETA - 1e-3, reset_mechanism="none")
    return unrolled(layer, x, layer.reset_mem())


def recurrent(weight):
    all_to_all = weight.dim() == 2
    layer = snntorch.RLeaky(beta=BETA, all_to_all=all_to_all, **({"linear_features": NEURONS} if all_to_all else {"V": weight}))
    if all_to_all:
        with torch.no_grad():
            layer.recurrent.weight.copy_(weight)
            layer.recurrent.bias.zero_()

    def run(x):
        spk, mem = layer.reset_mem()
        spikes = []
        for x_t in x:
            spk, mem = layer(x_t, spk, mem)
            spikes.append(spk)
        return torch.stack(spikes)
    return run


def lstm(num_neurons):
    layer, ours = snntorch.SLSTM(num_neurons, num_neurons, threshold=0.1), SpikingLSTM(num_neurons, num_neurons, threshold=0.1)
    for theirs, mine in zip(layer.lstm_cell.parameters(), ours.lstm.parameters(), strict=True):
        theirs.data.copy_(mine.data)
    return (lambda x: unrolled(layer, x[..., :num_neurons], layer.reset_mem())), lambda x: ours(x[..., :num_neurons])[0]


def part(run, batch):
    return lambda x: run(x[:, :batch])


def pairs():
    """Yield (name, snnTorch's, ours, share of spikes that may differ)."""
    yield "current-based", synaptic, lambda x: cuba_lif(x, ALPHA, BETA)[0], 0
    tau = -1 / math.log(BETA)
    yield "alpha", lambda x: alpha(math.e * x), lambda x: alpha_lif(x, tau, reset="none")[0], 2e-3
    generator = torch.Generator().manual_seed(1)
    for name, shape in (("recurrent, one-to-one", (NEURONS,)), ("recurrent, all-to-all", (NEURONS, NEURONS))):
        weight = torch.randn(shape, generator=generator) * (0.3 if len(shape) == 1 else 0.03)
        learned = weight.clone().requires_grad_()
        yield name, recurrent(weight), lambda x, v=learned: recurrent_lif(x, BETA, v)[0], 1e-3
    for num_neurons, batch in ((40, BATCH), (NEURONS, 32), (NEURONS, BATCH)):
        theirs, ours = lstm(num_neurons)
        yield f"spiking LSTM of {num_neurons}, batch {batch}", part(theirs, batch), part(ours, batch), 1e-3


def seconds(run, x, weight):
    times = []
    for _ in range(CALLS):
        start = time.process_time()
        spk = run(x.detach().clone().requires_grad_())
        spk.backward(weight[:, :spk.shape[1], :spk.shape[2]])
        times.append(time.process_time() - start)
    return times[WARM_UP:]


def rows():
    """Measure, print and yield a row of the table for each layer."""
    generator = torch.Generator().manual_seed(0)
    x = 0.4 * torch.rand(STEPS, BATCH, NEURONS, generator=generator)
    weight = torch.rand(x.shape, generator=generator)
    for name, theirs, ours, slack in pairs():
        share = (theirs(x) != ours(x)).float().mean().item()
        assert share <= slack, f"{name}: {share:.2%} of the spikes differ"
        times = [], []
        for _ in range(ROUNDS):
            for kept, run in zip(times, (theirs, ours), strict=True):
                kept += seconds(run, x, weight)
        theirs_ms, ours_ms = (1e3 * statistics.median(kept) for kept in times)
        print(f"{name:30s} snnTorch {theirs_ms:6.2f} ms, snnteach {ours_ms:6.2f} ms, {theirs_ms / ours_ms:.1f} times faster",
              flush=True)
        yield {"layer": name, "snntorch_ms": round(theirs_ms, 2), "snnteach_ms": round(ours_ms, 2),
               "ratio": round(theirs_ms / ours_ms, 2)}


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(f"snntorch {snntorch.__version__}, torch {torch.__version__}, one thread; T = {STEPS}, B = {BATCH}, N = {NEURONS}")
    found = list(rows())
    with TABLE.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(found[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)
