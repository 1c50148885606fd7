"""What an inference costs: operations counted, prices from the literature, and the spikes at which two networks are equal."""
import math
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import nn

from ._arguments import (
    check_affordable,
    check_dtype,
    check_finite,
    check_net,
    check_numbers,
    check_option,
    check_records,
    check_shape,
    check_signal,
    check_tensor,
    check_that,
    check_whole,
)
from .networks import Record


class Prices(NamedTuple):
    """What one operation costs, in picojoules: multiply and add, add, fetch a weight, fetch and store the state of a neuron.

    Source: the four terms that Dampfhoffer et al. (2023), doi:10.1109/TETCI.2022.3214509, keep apart.

    >>> Prices(mac=4.6, addition=0.9, weight=10.0, state=20.0).mac
    4.6
    """

    mac: float
    addition: float
    weight: float
    state: float


# Picojoules at 45 nm and 0.9 V, the table in Horowitz (2014), doi:10.1109/ISSCC.2014.6757323; caches for 64 bits at a time.
ADD_FLOAT, MULTIPLY_FLOAT = 0.9, 3.7
ADD_INT8, MULTIPLY_INT8 = 0.03, 0.2
CACHE = {"8 KB": 10.0, "32 KB": 20.0, "1 MB": 100.0}
PRICES = {
    "arithmetic": Prices(ADD_FLOAT + MULTIPLY_FLOAT, ADD_FLOAT, 0.0, 0.0),
    "8 KB cache": Prices(ADD_FLOAT + MULTIPLY_FLOAT, ADD_FLOAT, CACHE["8 KB"], 2 * CACHE["8 KB"]),
    "8 KB cache, two a read": Prices(ADD_FLOAT + MULTIPLY_FLOAT, ADD_FLOAT, CACHE["8 KB"] / 2, CACHE["8 KB"]),
    "1 MB cache": Prices(ADD_FLOAT + MULTIPLY_FLOAT, ADD_FLOAT, CACHE["1 MB"] / 2, CACHE["8 KB"]),
}


class Operations(NamedTuple):
    """What a layer does for one sample on average: products with a sum, sums alone, and updates of a neuron's state.

    Each product and each sum at a synapse fetches one weight; an update is one product with a sum, and touches one state.

    Source: SynOps, as in Merolla et al. (2014), doi:10.1126/science.1254642, and their counterpart for real inputs.

    >>> Operations(macs=0.0, additions=300.0, updates=50.0).additions
    300.0
    """

    macs: float
    additions: float
    updates: float


class ReluMLP(nn.Module):
    """A network of fully connected layers with rectified neurons, the ANN beside a `SpikingMLP`: no state, one step.

    a_l = max(0, W_l a_(l-1) + b_l),    a_0 = x;    the last layer is not rectified

    Args:
        sizes: number of inputs, of the neurons of each hidden layer, of the outputs.

    Returns:
        A module; `forward(x)` takes [T, B, N], each step on its own, and returns a list of `Record`, one a layer: the hidden
        activations stand where spikes would, so that losses, prices and `fit` take both kinds of network.

    Raises:
        TypeError, ValueError: sizes not two or more positive whole numbers, x not [T, B, N].

    Source: Nair and Hinton (2010), Rectified linear units improve restricted Boltzmann machines (ICML).

    >>> _ = torch.manual_seed(0)
    >>> records = ReluMLP((784, 80, 10))(torch.rand(1, 4, 784))
    >>> records[0].spk.shape, records[-1].spk, records[-1].mem.shape
    (torch.Size([1, 4, 80]), None, torch.Size([1, 4, 10]))
    """

    def __init__(self, sizes):
        super().__init__()
        check_that("ReluMLP", isinstance(sizes, (tuple, list)),
                   f"sizes must be one tuple, such as ReluMLP((784, 300, 10)), got {sizes!r}.", TypeError)
        check_that("ReluMLP", len(sizes) > 1, f"sizes must be two or more positive whole numbers, got {sizes!r}.")
        check_whole("ReluMLP", **{f"sizes[{place}]": size for place, size in enumerate(sizes)})
        check_affordable("ReluMLP", "sizes", *sorted(sizes)[-2:])
        self.linears = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(map(int, sizes)))

    def forward(self, x):
        """Run over x [T, B, N] and return a list of `Record`, one a layer."""
        _check_counted_input("ReluMLP", self, x)
        records, active = [], x
        for linear in self.linears:
            current = linear(active)                                                            # [T, B, N]
            active = current.relu()
            records.append(Record(active, current))
        return [*records[:-1], Record(None, current)]


def _check_counted(owner, net):
    check_net(owner, net)
    check_that(owner, isinstance(getattr(net, "linears", None), nn.ModuleList) and len(net.linears) > 0,
               "net must have its layers in net.linears, as SpikingMLP and ReluMLP do, such as SpikingMLP((784, 300, 10)), got "
               f"{type(net).__name__}.", TypeError)


def _check_counted_input(owner, net, x):
    check_signal(owner, "x", x, layout="[T, B, N] (time first)", dims=3,
                 hint=" For input that does not change use direct_current(x, num_steps).")
    check_shape(owner, "x", x, (*x.shape[:2], net.linears[0].in_features), "to fit the network's inputs")
    check_dtype(owner, "x", x, "the weights", net.linears[0].weight)
    check_finite(owner, "x", x, "Leave such samples out.")


def count_operations(net, x, records=None):
    """Count what each layer does for a sample: zeros are skipped, and so are synapses whose weight is zero.

    ops_l = mean over batch of sum over t, j of [a_(l-1)[t, j] != 0] fan_j,    fan_j = number of i with W_l[i, j] != 0

    Inputs 0 and 1 cost additions, all others products with a sum. Input that stays the same in all steps (`direct_current`)
    is multiplied once and kept. Spiking layers update each neuron at each step, T N a sample; biases cost nothing here.

    Args:
        net: a `SpikingMLP` or a `ReluMLP`.
        x: input, [T, B, N].
        records: what net(x) returned, where it is known; None runs the network.

    Returns:
        A list of `Operations`, one a layer.

    Raises:
        TypeError: net without `linears`, x not a floating-point tensor, records not a list of `Record`.
        ValueError: x not [T, B, N] or not of the network's inputs, records of another number of layers, steps or samples.

    Source: SynOps = spikes times fan-out; Dampfhoffer et al. (2023), doi:10.1109/TETCI.2022.3214509, for both kinds.

    >>> net = ReluMLP((3, 4))
    >>> count_operations(net, torch.tensor([[[1.0, 0.0, 1.0]]]))[0]
    Operations(macs=0.0, additions=8.0, updates=0.0)
    >>> count_operations(net, torch.tensor([[[0.5, 0.0, 1.0]]]))[0]
    Operations(macs=8.0, additions=0.0, updates=0.0)
    """
    _check_counted("count_operations", net)
    _check_counted_input("count_operations", net, x)
    _check_known("count_operations", net, x, records)
    steps = len(x) if hasattr(net, "neurons") else 0                                            # an ANN updates no state
    return [_layer_operations(linear.weight.detach(), fed, steps * linear.out_features)
            for linear, fed in zip(net.linears, _fed(net, x, records), strict=True)]


def _check_known(owner, net, x, records):
    if records is not None:
        check_records(owner, records, x.shape[1], name="records")
        check_that(owner, len(records) == len(net.linears) and all(len(r.mem) == len(x) for r in records),
                   f"records must be what net(x) returned, {len(net.linears)} layers of {len(x)} steps.")
        for number, (record, linear) in enumerate(zip(records[:-1], net.linears, strict=False)):
            check_that(owner, record.spk is not None and record.spk.shape[2:] == (linear.out_features,),
                       f"records must hold the spikes of layer {number + 1}, [T, B, {linear.out_features}].")


def _fed(net, x, records):
    """What each layer is fed, [T, B, N_in], one step where it is the same in all."""
    with torch.no_grad():
        records = net(x) if records is None else records
    heard = [x, *(record.spk for record in records[:-1])]
    return [fed.detach()[:1] if fed.stride(0) == 0 else fed.detach() for fed in heard]


def _layer_operations(weight, fed, updates):
    fan = (weight != 0).sum(0, dtype=torch.float64)                                             # synapses that leave each input
    each = torch.einsum("tbn,n->", (fed != 0).double(), fan).item() / fed.shape[1]
    binary = bool(((fed == 0) | (fed == 1)).all())
    return Operations(0.0 if binary else each, each if binary else 0.0, float(updates))


def count_messages(net, x, cores, records=None):
    """Count the messages that carry spikes to cores: one for each core on which a spike, or an input, has a synapse.

    messages_l = mean over batch of sum over t, j of [a_(l-1)[t, j] != 0] c_j,    c_j = number of cores with W_l[i, j] != 0

    Args:
        net: a `SpikingMLP` or a `ReluMLP`.
        x: input, [T, B, N]; one that stays the same in all steps (`direct_current`) is sent once.
        cores: what `place_neurons` returned; neurons on core -1 hear nothing.
        records: what net(x) returned, where it is known; None runs the network.

    Returns:
        Messages a sample, a float for each layer that receives them.

    Raises:
        TypeError: net without `linears`, x not a floating-point tensor, cores not a list of int64 tensors.
        ValueError: x not [T, B, N] or not of the network's inputs, cores that do not fit the layers, records of other layers.

    Source: multicast of spikes, as in Davies et al. (2018), doi:10.1109/MM.2018.112130359.

    >>> from snnteach.mapping import place_neurons
    >>> net, x = ReluMLP((3, 4)), torch.tensor([[[1.0, 0.0, 1.0]]])
    >>> count_messages(net, x, place_neurons(net, neurons=4, synapses=6))
    [4.0]
    """
    _check_counted("count_messages", net)
    _check_counted_input("count_messages", net, x)
    _check_cores("count_messages", net, cores)
    _check_known("count_messages", net, x, records)
    return [_layer_messages(linear.weight.detach() != 0, fed, core)
            for linear, fed, core in zip(net.linears, _fed(net, x, records), cores, strict=True)]


def _layer_messages(synapse, fed, core):
    reached = sum((synapse[core == number].any(0).double() for number in core.unique().tolist() if number >= 0),
                  torch.zeros(synapse.shape[1], dtype=torch.float64, device=fed.device))        # cores that each input reaches
    return torch.einsum("tbn,n->", (fed != 0).double(), reached).item() / fed.shape[1]


def _check_cores(owner, net, cores):
    check_that(owner, isinstance(cores, (list, tuple)),
               f"cores must be a list, one tensor a layer, got {type(cores).__name__}.", TypeError)
    check_that(owner, len(cores) == len(net.linears), f"cores must be {len(net.linears)}, one a layer, got {len(cores)}.")
    for number, (linear, core) in enumerate(zip(net.linears, cores, strict=True)):
        check_tensor(owner, f"cores[{number}]", core, "[N] of core numbers", dims=1)
        check_that(owner, core.dtype == torch.int64,
                   f"cores[{number}] must be int64 core numbers, got {core.dtype}. Convert with .long().", TypeError)
        check_shape(owner, f"cores[{number}]", core, (linear.out_features,), "one a neuron of its layer")


def energy_spent(operations, prices):
    """Price counted operations, in nanojoules.

    E = M e_mac + A e_add + (M + A) e_weight + U (e_mac + e_state)

    Args:
        operations: an `Operations`, or a list of them, such as `count_operations` returns.
        prices: a `Prices`, or its name in `PRICES`, such as "8 KB cache".

    Returns:
        A dict: "arithmetic", "weights", "state" and "total", nJ a sample. The product and sum of an update are arithmetic.

    Raises:
        TypeError: operations or prices of another kind.
        ValueError: a number that is negative or not finite, a name that PRICES does not have.

    Source: Horowitz (2014), doi:10.1109/ISSCC.2014.6757323, for the prices; a sum of parts, not a measured chip.

    >>> {part: round(value, 3) for part, value in energy_spent(Operations(0, 1000, 50), "8 KB cache").items()}
    {'arithmetic': 1.13, 'weights': 10.0, 'state': 1.0, 'total': 12.13}
    """
    _check_operations("energy_spent", operations)
    _check_prices("energy_spent", prices)
    layers = [operations] if hasattr(operations, "_fields") else operations
    macs, additions, updates = (math.fsum(map(float, column)) for column in zip(*layers))
    price = PRICES[prices] if isinstance(prices, str) else prices
    parts = {"arithmetic": (macs + updates) * price.mac + additions * price.addition,
             "weights": (macs + additions) * price.weight, "state": updates * price.state}
    parts = {part: float(value) / 1000 for part, value in parts.items()}
    return {**parts, "total": math.fsum(parts.values())}


def _check_operations(owner, operations):
    check_that(owner, getattr(operations, "_fields", None) == Operations._fields or (
        isinstance(operations, (list, tuple)) and len(operations) > 0
        and all(getattr(layer, "_fields", None) == Operations._fields for layer in operations)),
        "operations must be Operations(macs, additions, updates) or a list of them, such as count_operations returns, got "
        f"{type(operations).__name__}.", TypeError)
    for layer in [operations] if hasattr(operations, "_fields") else operations:
        check_numbers(owner, low=0, **{f"operations.{name}": value for name, value in layer._asdict().items()})


def _check_prices(owner, prices):
    if isinstance(prices, str):
        check_option(owner, "prices", prices, tuple(PRICES))
    else:
        check_that(owner, getattr(prices, "_fields", None) == Prices._fields,
                   f"prices must be Prices(mac, addition, weight, state) or a name in PRICES, got {type(prices).__name__}.",
                   TypeError)
        check_numbers(owner, low=0, **{f"prices.{name}": value for name, value in prices._asdict().items()})


def break_even(dense, spike, update=0.0, num_steps=0, fan_in=1):
    """Find how often an input may fire in an inference before spikes cost more than one dense product with it.

    s* = (E_dense - T E_update / F) / E_spike

    Both sides per synapse and inference: the dense network pays E_dense once, the spiking one E_spike for each of s spikes, and
    its share of the updates of the neuron behind the synapse, which has F of them.

    Args:
        dense: energy of one synapse of the dense network, above 0.
        spike: energy of one spike at one synapse, above 0, in the same unit.
        update: energy of one update of a neuron's state, 0 or more, in the same unit.
        num_steps: updates of each neuron T in an inference, 0 or more.
        fan_in: synapses F of the neuron, at least 1.

    Returns:
        Spikes of an input neuron per inference at which both cost the same; 0 where the updates alone cost more.

    Raises:
        TypeError: an energy that is not a number.
        ValueError: dense or spike not above 0, update negative, num_steps or fan_in not whole numbers.

    Source: Dampfhoffer et al. (2023), doi:10.1109/TETCI.2022.3214509, reduced to one synapse.

    >>> round(break_even(dense=4.6, spike=0.9), 2)
    5.11
    >>> round(break_even(dense=14.6, spike=10.9), 2), round(break_even(dense=9.6, spike=5.9), 2)
    (1.34, 1.63)
    """
    check_numbers("break_even", above=0, dense=dense, spike=spike)
    check_numbers("break_even", low=0, update=update)
    check_whole("break_even", low=0, num_steps=num_steps)
    check_whole("break_even", fan_in=fan_in)
    return max(0.0, float(dense) - int(num_steps) * float(update) / int(fan_in)) / float(spike)
