"""A spiking network in nothing but integers, as a chip runs it, and the floating-point simulation that agrees with it."""
import math
from typing import NamedTuple

import torch
from torch import nn

from ._arguments import (
    check_between,
    check_finite,
    check_flags,
    check_numbers,
    check_option,
    check_signal,
    check_tensor,
    check_that,
    check_whole,
)
from .networks import Record
from .quantization import RULES, weight_codes

WAYS, ROUNDINGS = ("product", "shift"), ("floor", "truncate")
MOST_SHIFT = 15


def _check_integers(owner, name, value, layout, dims=None, dtypes=(torch.int64,), cure=".long()"):
    check_tensor(owner, name, value, layout, dims=dims)
    check_that(owner, value.dtype in dtypes, f"{name} must be int64, got {value.dtype}. Convert whole numbers with "
               f"{name}{cure}.", TypeError)
    check_that(owner, value.numel() > 0, f"{name} must be {layout} and not empty, got shape {tuple(value.shape)}.")


def _check_leak(owner, shift, way, rounding):
    check_whole(owner, high=MOST_SHIFT, shift=shift)
    check_option(owner, "way", way, WAYS)
    check_option(owner, "rounding", rounding, ROUNDINGS)


def _check_room(owner, name, value, shift, times=1):
    check_between(owner, name, value, -(2 ** (60 - 2 * int(shift)) // times), 2 ** (60 - 2 * int(shift)) // times,
                  " Beyond that a membrane leaves 64 bits.")


def integer_leak(mem, shift=3, way="product", rounding="floor"):
    """Let whole-numbered membranes decay by beta = 1 - 2^-shift without a fraction.

    "product":  (mem * (2^shift - 1)) / 2^shift,        "shift":  mem - mem / 2^shift,        divisions rounded

    "floor" rounds down, as `>>` does in PyTorch, Python and on most chips; "truncate" rounds towards zero, as `/` does in C.
    Who never decays: product and floor: -(2^shift - 1) to -1; shift and floor: 1 to 2^shift - 1; shift and truncate: both;
    product and truncate: nobody.

    Args:
        mem: membranes, int64, any shape.
        shift: whole number from 1 to 15.
        way: "product" or "shift", which needs no multiplication.
        rounding: "floor" or "truncate".

    Returns:
        The membranes after the leak, int64, shape of mem.

    Raises:
        TypeError: mem not an int64 tensor.
        ValueError: mem empty or too large for 64 bits, shift, way or rounding unknown.

    Source: Davies et al. (2018), doi:10.1109/MM.2018.112130359, for decays on a chip; the resting points by case.

    >>> mem = torch.tensor([800, 7, -7])
    >>> integer_leak(mem).tolist(), integer_leak(mem, way="shift").tolist()
    ([700, 6, -7], [700, 7, -6])
    """
    _check_integers("integer_leak", "mem", mem, "a tensor of any shape")
    _check_leak("integer_leak", shift, way, rounding)
    _check_room("integer_leak", "mem", mem, shift)
    return _whole_leak(mem, int(shift), way, rounding)


def _whole_leak(mem, shift, way, rounding):
    lost = mem if way == "shift" else mem * (2**shift - 1)
    part = lost >> shift if rounding == "floor" else torch.div(lost, 2**shift, rounding_mode="trunc")
    return mem - part if way == "shift" else part


def integer_lif(current, threshold, shift=3, way="product", rounding="floor"):
    """Run a layer of leaky integrate-and-fire neurons over a whole sequence in integers.

    mem[t] = leak(mem[t-1]) + current[t] - threshold * spk[t-1],    spk[t] = 1 if mem[t] > threshold else 0

    Args:
        current: whole numbers, int64, [T, B, N].
        threshold: whole number of at least 1, in the unit of current; None for a read-out that never fires.
        shift, way, rounding: of the leak, as in `integer_leak`.

    Returns:
        (spk, mem), int64, [T, B, N] each.

    Raises:
        TypeError: current not an int64 tensor.
        ValueError: current not [T, B, N] or too large for 64 bits, threshold not a whole number from 1, a leak unknown.

    Source: Eshraghian et al. (2023), Eq. 4, with whole numbers; Davies et al. (2018), doi:10.1109/MM.2018.112130359.

    >>> spk, mem = integer_lif(torch.full((4, 1, 1), 60), threshold=100)
    >>> spk.flatten().tolist(), mem.flatten().tolist()
    ([0, 1, 0, 1], [60, 112, 58, 110])
    """
    _check_integers("integer_lif", "current", current, "[T, B, N] (time first)", dims=3)
    _check_leak("integer_lif", shift, way, rounding)
    _check_room("integer_lif", "current", current, shift)
    if threshold is not None:
        check_whole("integer_lif", high=2 ** (60 - 2 * int(shift)), threshold=threshold)
    mem, spk = torch.zeros_like(current[0]), torch.zeros_like(current[0])
    step, spikes, membranes = 0 if threshold is None else int(threshold), [], []
    for now in current:
        mem = _whole_leak(mem, int(shift), way, rounding) + now - step * spk
        spk = torch.zeros_like(mem) if threshold is None else (mem > step).long()
        spikes.append(spk)
        membranes.append(mem)
    return torch.stack(spikes), torch.stack(membranes)


def simulated_lif(current, threshold, beta=0.875, floor=True):
    """Run the same layer in floating point: whole numbers held as float64, and a leak that is rounded down.

    mem[t] = floor(beta mem[t-1]) + current[t] - threshold * spk[t-1],    spk[t] = 1 if mem[t] > threshold else 0

    With beta = 1 - 2^-shift every number is the one of `integer_lif` with the leak "product", "floor". Without the floor it is
    the usual neuron, and some spikes differ.

    Args:
        current: whole numbers in a floating-point tensor, [T, B, N]; float64 holds them to 2^53, float32 to 2^24.
        threshold: positive; infinity for a read-out that never fires.
        beta: membrane decay per step, from 0 to 1.
        floor: round the leak down.

    Returns:
        (spk, mem), [T, B, N] each, in the dtype of current.

    Raises:
        TypeError: current not a floating-point tensor, floor not True or False.
        ValueError: current not [T, B, N], NaN or infinity in it, threshold not positive, beta outside [0, 1].

    Source: Eshraghian et al. (2023), Eq. 4.

    >>> spk, mem = simulated_lif(torch.full((4, 1, 1), 60.0, dtype=torch.float64), threshold=100)
    >>> spk.flatten().tolist(), mem.flatten().tolist()
    ([0.0, 1.0, 0.0, 1.0], [60.0, 112.0, 58.0, 110.0])
    """
    check_signal("simulated_lif", "current", current, layout="[T, B, N] (time first)", dims=3)
    check_finite("simulated_lif", "current", current, "Look for it where the currents were computed.")
    if not (isinstance(threshold, float) and threshold == math.inf):
        check_numbers("simulated_lif", above=0, threshold=threshold)
    check_numbers("simulated_lif", low=0, high=1, beta=beta)
    check_flags("simulated_lif", floor=floor)
    silent = threshold == math.inf
    mem, spk, spikes, membranes = torch.zeros_like(current[0]), torch.zeros_like(current[0]), [], []
    for now in current:
        kept = float(beta) * mem
        mem = (kept.floor() if floor else kept) + now - (0 if silent else float(threshold) * spk)
        spk = (mem > float(threshold)).to(mem.dtype)
        spikes.append(spk)
        membranes.append(mem)
    return torch.stack(spikes), torch.stack(membranes)


class IntegerLayer(NamedTuple):
    """One layer in integers: weight int64 [N_out, N_in], bias int64 [N_out], threshold (None: never fires), bits to drop.

    current = (weight @ input + bias) >> drop

    Source: as `to_integers`.

    >>> IntegerLayer(torch.tensor([[3, -1]]), torch.tensor([5]), 100, 0).threshold
    100
    """

    weight: torch.Tensor
    bias: torch.Tensor
    threshold: int | None
    drop: int


class IntegerNetwork(NamedTuple):
    """A network in integers: its layers, and the shift of its leak, beta = 1 - 2^-shift.

    Source: as `to_integers`.

    >>> IntegerNetwork((IntegerLayer(torch.tensor([[3, -1]]), torch.tensor([5]), 100, 0),), 3).shift
    3
    """

    layers: tuple
    shift: int


def _check_source(owner, net):
    check_that(owner, isinstance(net, nn.Module) and hasattr(net, "linears") and hasattr(net, "neurons"),
               f"net must be a SpikingMLP, such as SpikingMLP((784, 100, 10), beta=0.875), got {type(net).__name__}.",
               TypeError)
    for linear, neuron in zip(net.linears, net.neurons, strict=True):
        check_that(owner, _is_shift(float(neuron.beta)), "every beta of net must be 1 - 2^-shift, such as 0.875, got "
                   f"{float(neuron.beta):g}. Train with such a beta.")
        check_that(owner, float(neuron.beta) == float(net.neurons[0].beta), "all layers of net must have one beta.")
        check_that(owner, neuron.reset == "subtract" or neuron.threshold == math.inf,
                   f"net must reset by subtraction, got reset={neuron.reset!r}.")
        check_finite(owner, "a weight of net", linear.weight)
        check_that(owner, bool(linear.weight.any()), "a layer of net holds nothing but zeros.")


def _is_shift(beta):
    """Tell whether beta is 1 - 2^-shift for a shift from 1 to 15."""
    return 0 < beta < 1 and math.log2(1 - beta) % 1 == 0 and 1 - beta >= 2**-MOST_SHIFT


def to_integers(net, mean=0.0, std=1.0, bits=8, rule="largest", drop=0):
    """Turn a trained network that reads standardised images into one that reads their bytes, all in whole numbers.

    W ((p / 255 - mean) / std) + b = u (code @ p + c),    u = s / (255 std),    c = round((b - W 1 mean / std) / u)

    The unit u of the first layer divides its threshold: Theta = round(theta / (2^drop u)). Later layers hear spikes, u = s.
    A network that `put_on_grid` left on its grid keeps its codes, with the same bits and any rule that it was trained with
    replaced by "largest", which finds them again.

    Args:
        net: a `SpikingMLP` with beta = 1 - 2^-shift that resets by subtraction.
        mean, std: by which pixels between 0 and 1 were standardised before they went into net.
        bits, rule: of the weights, as in `snnteach.quantization.weight_codes`.
        drop: bits of the first layer's current that are shifted away, from 0 to 40: its membranes become so much coarser.

    Returns:
        An `IntegerNetwork` for `run_integers`.

    Raises:
        TypeError: net not a SpikingMLP, mean or std not a number.
        ValueError: beta not 1 - 2^-shift or not the same everywhere, another reset, std not positive, bits or rule unknown, so
            many bits dropped that the threshold rounds to 0.

    Source: Jacob et al. (2018), arXiv:1712.05877, for scales folded into integers; thresholds in units of the weights as on
    Loihi, Davies et al. (2018), doi:10.1109/MM.2018.112130359.

    >>> from snnteach.networks import SpikingMLP
    >>> _ = torch.manual_seed(0)
    >>> network = to_integers(SpikingMLP((784, 100, 10), beta=0.875, readout="membrane"), mean=0.13, std=0.31)
    >>> network.shift, [layer.weight.abs().max().item() for layer in network.layers], network.layers[1].threshold
    (3, [127, 127], None)
    """
    _check_source("to_integers", net)
    check_numbers("to_integers", mean=mean)
    check_numbers("to_integers", above=0, std=std)
    check_whole("to_integers", high=16, bits=bits)
    check_option("to_integers", "rule", rule, RULES)
    check_whole("to_integers", low=0, high=40, drop=drop)
    layers = []
    for number, (linear, neuron) in enumerate(zip(net.linears, net.neurons, strict=True)):
        codes, scale = (part.double() for part in weight_codes(linear.weight, bits, rule))
        bias, unit, dropped = linear.bias.detach().double(), scale, 0 if number else int(drop)
        if number == 0:
            bias, unit = bias - scale * codes.sum(1) * float(mean) / float(std), scale / (255 * float(std))
        threshold = None if neuron.threshold == math.inf else round(float(neuron.threshold) / (2**dropped * unit.item()))
        check_that("to_integers", threshold != 0, f"with drop = {drop} a threshold rounds to 0. Lower drop.")
        layers.append(IntegerLayer(codes.long(), (bias / unit).round().long(), threshold, dropped))
    return IntegerNetwork(tuple(layers), round(-math.log2(1 - float(net.neurons[0].beta))))


def run_integers(pixels, network, num_steps, way="product", rounding="floor"):
    """Run a network in integers on images that stay the same for all steps.

    spk_l = integer_lif((W_l spk_(l-1) + b_l) >> drop_l),    spk_0 = pixels

    Args:
        pixels: bytes of the images, uint8 or int64 from 0 to 255, [B, N].
        network: an `IntegerNetwork`, from `to_integers`.
        num_steps: whole number T, at least 1.
        way, rounding: of the leak, as in `integer_leak`.

    Returns:
        A list of `Record`, one a layer, int64; spk of a read-out that never fires is None.

    Raises:
        TypeError: pixels not bytes, network not an IntegerNetwork.
        ValueError: pixels not [B, N] of the network's inputs, num_steps less than 1, a leak unknown.

    Source: as `to_integers`.

    >>> layer = IntegerLayer(torch.tensor([[1, 2]]), torch.tensor([10]), 500, drop=0)
    >>> records = run_integers(torch.tensor([[50, 100]]), IntegerNetwork((layer,), shift=3), num_steps=4)
    >>> records[0].spk.flatten().tolist(), records[0].mem.flatten().tolist()
    ([0, 0, 1, 0], [260, 487, 686, 360])
    """
    _check_bytes("run_integers", pixels, network)
    check_whole("run_integers", high=10**6, num_steps=num_steps)
    _check_leak("run_integers", network.shift, way, rounding)
    records, heard = [], pixels.long()[None]                                                  # [1, B, N]: the same at all steps
    for layer in network.layers:
        current = ((heard @ layer.weight.T + layer.bias) >> layer.drop).expand(int(num_steps), -1, -1)
        spk, mem = integer_lif(current, layer.threshold, network.shift, way, rounding)
        records.append(Record(None if layer.threshold is None else spk, mem))
        heard = spk
    return records


def _check_bytes(owner, pixels, network):
    check_that(owner, isinstance(network, IntegerNetwork), "network must be an IntegerNetwork, such as to_integers returns, "
               f"got {type(network).__name__}.", TypeError)
    check_whole(owner, high=MOST_SHIFT, **{"network.shift": network.shift})
    check_that(owner, isinstance(network.layers, (tuple, list)) and len(network.layers) > 0
               and all(isinstance(layer, IntegerLayer) for layer in network.layers),
               "network.layers must be IntegerLayers, one or more, such as to_integers returns.", TypeError)
    _check_integers(owner, "pixels", pixels, "[B, N] of bytes", 2, (torch.uint8, torch.int64),
                    cure=".long(), images between 0 and 1 with (pixels * 255).round().long()")
    check_between(owner, "pixels", pixels, 0, 255)
    for number, layer in enumerate(network.layers):
        _check_integer_layer(owner, f"network.layers[{number}]", layer, network.shift)
    for number, (layer, inputs) in enumerate(zip(network.layers, _widths(pixels, network.layers), strict=False)):
        check_that(owner, layer.weight.shape == (len(layer.bias), inputs),
                   f"network.layers[{number}].weight must be [{len(layer.bias)}, {inputs}] to fit its bias and what it hears, "
                   f"pixels [B, N] or the layer before, got {tuple(layer.weight.shape)}. Images [B, H, W] go in as "
                   "pixels.flatten(1).")


def _widths(pixels, layers):
    """How many numbers each layer hears, and what comes out."""
    return pixels.shape[1], *(len(layer.bias) for layer in layers)


def _check_integer_layer(owner, name, layer, shift):
    _check_integers(owner, f"{name}.weight", layer.weight, "[N_out, N_in] of whole numbers", 2)
    _check_integers(owner, f"{name}.bias", layer.bias, "[N_out] of whole numbers", 1)
    _check_room(owner, f"{name}.weight", layer.weight, shift, times=256 * layer.weight.shape[1])
    _check_room(owner, f"{name}.bias", layer.bias, shift)
    check_whole(owner, low=0, high=40, **{f"{name}.drop": layer.drop})
    if layer.threshold is not None:
        check_whole(owner, high=2 ** (60 - 2 * int(shift)), **{f"{name}.threshold": layer.threshold})
