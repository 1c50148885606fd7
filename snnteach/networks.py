"""A spiking network of fully connected layers, and constant input for it."""
import math
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import nn

from ._arguments import (
    check_affordable,
    check_dtype,
    check_finite,
    check_option,
    check_shape,
    check_signal,
    check_that,
    check_whole,
)
from .neurons import LIF
from .surrogate import atan


class Record(NamedTuple):
    """What one layer did: its spikes (None for a read-out that never fires) and its membranes, [T, B, N] each.

    Source: snnTorch's words `spk` and `mem`; mem is recorded before its reset.

    >>> Record(torch.zeros(10, 4, 3), torch.zeros(10, 4, 3)).spk.shape
    torch.Size([10, 4, 3])
    """

    spk: torch.Tensor | None
    mem: torch.Tensor


def direct_current(x, num_steps):
    """Feed the same values at every time step, as currents, without copying them.

    current[t] = x

    Args:
        x: values, [B, ...], in units of the threshold.
        num_steps: number of time steps T, at least 1.

    Returns:
        A view of x, [T, B, ...], whose stride along time is 0; `SpikingMLP` then multiplies by its first weights only once.

    Raises:
        TypeError: x not a floating-point tensor.
        ValueError: x not [B, ...], num_steps less than 1.

    Source: Eshraghian et al. (2023), section III-A.

    >>> direct_current(torch.rand(4, 3), num_steps=10).shape
    torch.Size([10, 4, 3])
    """
    check_signal("direct_current", "x", x, layout="[B, ...]", min_dims=2)
    check_finite("direct_current", "x", x, "Leave such samples out, or fill what is missing.")
    check_whole("direct_current", high=10**6, num_steps=num_steps)
    return x.expand(int(num_steps), *x.shape)


def _check_input(net, x):
    check_signal("SpikingMLP", "x", x, layout="[T, B, N] (time first)", min_dims=3,
                 hint=" For input that does not change use direct_current(x, num_steps).")
    check_shape("SpikingMLP", "x", x, (*x.shape[:2], net.linears[0].in_features), "[T, B, N] (time first)",
                " Images [B, ...] go in as direct_current(x.flatten(1), num_steps), films [T, B, ...] as x.flatten(2)."
                if net.linears[0].in_features in (math.prod(x.shape[1:]), math.prod(x.shape[2:])) else "")
    check_dtype("SpikingMLP", "x", x, "the weights", net.linears[0].weight)


class SpikingMLP(nn.Module):
    """A network of fully connected layers of leaky integrate-and-fire neurons.

    spk_l = lif(W_l spk_(l-1) + b_l),    spk_0 = x;    read-out "membrane": mem[t] = beta mem[t-1] + W spk[t] + b, no spikes

    Args:
        sizes: number of inputs, of the neurons of each hidden layer, of the outputs.
        beta: membrane decay per step; float, or tensor (scalar). Strictly between 0 and 1 if it is learned.
        threshold: firing threshold of every layer, positive; `calibrate_threshold` sets it layer by layer.
        readout: "spike", or "membrane" for a last layer that integrates and never fires.
        learn_beta: make the decay of each layer a parameter.
        surrogate, reset, detach_reset: as in `snnteach.neurons.lif`.

    Returns:
        A module; `forward(x)` takes [T, B, N] and returns a list of `Record`, one a layer, the read-out last.

    Raises:
        ValueError: sizes not two or more positive whole numbers, readout unknown, options that `LIF` refuses.

    Source: Eshraghian et al. (2023), Eqs. 4 and 5; the box on the read-out layer for "membrane".

    >>> _ = torch.manual_seed(0)
    >>> net = SpikingMLP((784, 100, 10), readout="membrane")
    >>> records = net(direct_current(torch.rand(4, 784), num_steps=25))
    >>> records[0].spk.shape, records[-1].spk, records[-1].mem.shape
    (torch.Size([25, 4, 100]), None, torch.Size([25, 4, 10]))
    """

    def __init__(self, sizes, beta=0.9, threshold=1.0, *, readout="spike", learn_beta=False, surrogate=atan(),
                 reset="subtract", detach_reset=True):
        super().__init__()
        check_that("SpikingMLP", isinstance(sizes, (tuple, list)),
                   f"sizes must be one tuple, such as SpikingMLP((784, 300, 10)), got {sizes!r}.", TypeError)
        check_that("SpikingMLP", len(sizes) > 1, f"sizes must be two or more positive whole numbers, got {sizes!r}.")
        check_whole("SpikingMLP", **{f"sizes[{place}]": size for place, size in enumerate(sizes)})
        check_affordable("SpikingMLP", "sizes", *sorted(sizes)[-2:])
        check_option("SpikingMLP", "readout", readout, ("spike", "membrane"))
        self.readout = readout
        self.linears = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(map(int, sizes)))
        options = {"learn_beta": learn_beta, "surrogate": surrogate, "detach_reset": detach_reset}
        self.neurons = nn.ModuleList(LIF(beta, threshold, reset=reset, **options) for _ in self.linears)
        if readout == "membrane":
            self.neurons[-1] = LIF(beta, math.inf, reset="none", **options)

    def current(self, x):
        """Multiply x [T, B, N] by the first weights: the current of the first layer, [1, B, N] where x stays the same."""
        _check_input(self, x)
        first = self.linears[0]
        return first(x[0])[None] if x.stride(0) == 0 else first(x)

    def forward(self, x, current=None):
        """Run over x [T, B, N] and return a list of `Record`, one a layer; `current`, if it is known, stands for current(x)."""
        _check_input(self, x)
        current = (self.current(x) if current is None else current).expand(len(x), -1, -1)
        records = []
        for number, neuron in enumerate(self.neurons):
            if number:
                current = self.linears[number](records[-1].spk)
            records.append(Record(*neuron(current)))
        return records if self.readout == "spike" else [*records[:-1], Record(None, records[-1].mem)]
