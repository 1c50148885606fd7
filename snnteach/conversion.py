"""From a trained network of rectified units to a spiking one: scales, conversion, and where the error comes from."""
import math
from itertools import pairwise
from typing import NamedTuple

import torch

from ._arguments import (
    check_affordable,
    check_dtype,
    check_finite,
    check_flags,
    check_fraction,
    check_net,
    check_numbers,
    check_option,
    check_shape,
    check_signal,
    check_surrogate,
    check_that,
    check_whole,
)
from .energy import ReluMLP
from .networks import Record, SpikingMLP, direct_current
from .neurons import RESETS, lif
from .surrogate import atan

MOST_STEPS = 10**6


def even_rate(current, num_steps, start=0.5):
    """Tell the rate of an integrate-and-fire neuron that gets the same current at every step.

    rate = clamp(ceil(T I + start) - 1, 0, T) / T,    T = num_steps

    The threshold is 1, membranes begin at `start`, and a spike subtracts the threshold. From 0 the rate lies up to 1/T below
    clamp(I, 0, 1) and never above it; from 1/2 up to 1/(2T) on either side. Both are reached.

    Args:
        current: I, any shape, in units of the threshold.
        num_steps: T, at least 1.
        start: membrane before the first step, from 0 to 1, in units of the threshold.

    Returns:
        Spikes a step, from 0 to 1, in the shape and dtype of current.

    Raises:
        TypeError: current not a floating-point tensor.
        ValueError: current empty, NaN or infinity in it, num_steps less than 1, start outside [0, 1].

    Source: Cao, Chen and Khosla (2015), doi:10.1007/s11263-014-0788-3, with the rounding that a strict threshold makes.

    >>> even_rate(torch.tensor([-0.2, 0.37, 0.5, 1.7]), num_steps=10, start=0.0)
    tensor([0.0000, 0.3000, 0.4000, 1.0000])
    >>> even_rate(torch.tensor([-0.2, 0.37, 0.5, 1.7]), num_steps=10)
    tensor([0.0000, 0.4000, 0.5000, 1.0000])
    """
    check_signal("even_rate", "current", current, layout="of any shape", min_dims=0)
    check_finite("even_rate", "current", current, "Look for it where current was computed.")
    check_whole("even_rate", high=MOST_STEPS, num_steps=num_steps)
    check_fraction("even_rate", start=start)
    steps, wide = int(num_steps), current.to(torch.promote_types(current.dtype, torch.float32))
    return (((wide * steps + float(start)).ceil() - 1).clamp(0, steps) / steps).to(current.dtype)


def integrating_layer(current, start=0.5):
    """Run neurons that integrate and fire over a whole sequence: nothing leaks, and a spike takes the threshold away.

    mem[t] = mem[t-1] + current[t] - spk[t-1],    spk[t] = 1 if mem[t] > 1 else 0,    mem before the first step is start

    Args:
        current: [T, ...], in units of the threshold.
        start: membrane before the first step, from 0 to 1, in units of the threshold.

    Returns:
        Spikes, in the shape and dtype of current.

    Raises:
        TypeError: current not a floating-point tensor.
        ValueError: current empty, NaN or infinity in it, start outside [0, 1].

    Source: Eshraghian et al. (2023), Eq. 4 with beta = 1; the start: Bu et al. (2022), arXiv:2202.01440.

    >>> integrating_layer(torch.full((8,), 0.37), start=0.0).tolist()
    [0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0]
    """
    check_signal("integrating_layer", "current", current, layout="[T, ...] (time first)")
    check_finite("integrating_layer", "current", current, "Look for it where current was computed.")
    check_fraction("integrating_layer", start=start)
    steps = current.reshape(len(current), 1, -1)
    began = torch.full_like(steps[0], float(start))
    return lif(steps, 1.0, state=(began, torch.zeros_like(began)))[0].view(current.shape)


def zero_reset_rate(current):
    """Tell the rate, over a long time, of an integrate-and-fire neuron that a spike resets to zero.

    rate = 1 / (floor(1 / I) + 1) for 0 < I <= 1,    0 below, 1 above

    What lies above the threshold is thrown away at each spike: the rate lies between I / (1 + I) and I.

    Args:
        current: I, any shape, the same at every step, in units of the threshold.

    Returns:
        Spikes a step, from 0 to 1, in the shape and dtype of current.

    Raises:
        TypeError: current not a floating-point tensor.
        ValueError: current empty, NaN or infinity in it.

    Source: Rueckauer et al. (2017), doi:10.3389/fnins.2017.00682, section 2.2, with the rounding to whole steps.

    >>> zero_reset_rate(torch.tensor([-0.2, 0.3, 0.9, 1.7]))
    tensor([0.0000, 0.2500, 0.5000, 1.0000])
    """
    check_signal("zero_reset_rate", "current", current, layout="of any shape", min_dims=0)
    check_finite("zero_reset_rate", "current", current, "Look for it where current was computed.")
    held = current.clamp(torch.finfo(current.dtype).tiny, 1)
    return torch.where(current > 1, 1.0, torch.where(current > 0, 1 / ((1 / held).floor() + 1), 0.0)).to(current.dtype)


def _check_ann(owner, net, name="net"):
    check_net(owner, net)
    check_that(owner, isinstance(net, ReluMLP) and len(net.linears) > 1,
               f"{name} must be a ReluMLP with a hidden layer, such as ReluMLP((784, 100, 10)), got {type(net).__name__}. "
               "Fold a batch norm into the weights first (snnteach.deep.fold_norm).", TypeError)


def _check_rows(owner, net, x):
    check_signal(owner, "x", x, layout="[B, N]", dims=2, hint=" Images go in as x.flatten(1).")
    check_shape(owner, "x", x, (len(x), net.linears[0].in_features), "to fit the network's inputs")
    check_dtype(owner, "x", x, "the weights", net.linears[0].weight)
    check_finite(owner, "x", x, "Leave such samples out.")


@torch.no_grad()
def activation_scales(net, x, percentile=100.0):
    """Measure how large the activations of each hidden layer become: the value that a rate of 1 will stand for.

    scale_l = percentile of all positive and zero activations a_l of the layer;    100 is the largest of them

    Args:
        net: a trained `ReluMLP`.
        x: training inputs, [B, N]; not the test set.
        percentile: from above 0 to 100.

    Returns:
        A list of floats, one a hidden layer.

    Raises:
        TypeError: net not a ReluMLP with a hidden layer, x not a floating-point tensor.
        ValueError: x not [B, N], NaN in it, percentile outside (0, 100], a layer whose percentile is 0.

    Source: Diehl et al. (2015), doi:10.1109/IJCNN.2015.7280696, for the largest; Rueckauer et al. (2017),
    doi:10.3389/fnins.2017.00682, for the percentile.

    >>> _ = torch.manual_seed(0)
    >>> largest, robust = (activation_scales(ReluMLP((20, 50, 3)), torch.rand(64, 20), p)[0] for p in (100, 99))
    >>> largest > robust > 0
    True
    """
    _check_ann("activation_scales", net)
    _check_rows("activation_scales", net, x)
    check_numbers("activation_scales", above=0, high=100, percentile=percentile)
    scales = []
    for record in net(x[None])[:-1]:
        values = record.spk.flatten()
        scales.append(values.kthvalue(max(1, math.ceil(float(percentile) / 100 * len(values)))).values.item())
        check_that("activation_scales", scales[-1] > 0, f"percentile {percentile} of layer {len(scales)} is 0: more of its "
                   "activations are 0 than that. Raise percentile (from 0 to 100: 97, not 0.97).")
    return scales


def _check_sizes(owner, sizes):
    check_that(owner, isinstance(sizes, (tuple, list)), f"sizes must be one tuple, such as {owner}((784, 100, 10)), got "
               f"{sizes!r}.", TypeError)
    check_that(owner, len(sizes) > 1, f"sizes must be two or more positive whole numbers, got {sizes!r}.")
    check_whole(owner, **{f"sizes[{place}]": size for place, size in enumerate(sizes)})
    check_affordable(owner, "sizes", *sorted(sizes)[-2:])


def _check_options(owner, start, reset, surrogate, detach_reset):
    check_fraction(owner, start=start)
    check_option(owner, "reset", reset, RESETS)
    check_surrogate(owner, surrogate)
    check_flags(owner, detach_reset=detach_reset)


class ConvertedMLP(SpikingMLP):
    """A `SpikingMLP` of integrate-and-fire neurons whose membranes do not begin at zero, and a read-out that adds up.

    mem_l[0] = start,    mem_l[t] = mem_l[t-1] + W_l spk_(l-1)[t] + b_l - spk_l[t-1],    spk_l[t] = mem_l[t] > 1

    The read-out begins at 0 and never fires: its last membrane over T is the mean of its currents, which stands for an output.

    Args:
        sizes: number of inputs, of the neurons of each hidden layer, of the outputs.
        start: membrane of the hidden neurons before the first step, from 0 to 1, in units of the threshold.
        reset, surrogate, detach_reset: as in `snnteach.neurons.lif`.

    Returns:
        A module; `forward(x)` takes [T, B, N] and returns a list of `Record`, one a layer, the read-out last. `scales`, one
        a hidden layer, say what a rate of 1 stands for; all 1 at first.

    Raises:
        ValueError: sizes not two or more positive whole numbers, start outside [0, 1], reset unknown.

    Source: Rueckauer et al. (2017), doi:10.3389/fnins.2017.00682; the start of a half: Bu et al. (2022), arXiv:2202.01440.

    >>> net = ConvertedMLP((20, 50, 3))
    >>> net(direct_current(torch.rand(4, 20), num_steps=8))[-1].mem.shape
    torch.Size([8, 4, 3])
    """

    def __init__(self, sizes, start=0.5, *, reset="subtract", surrogate=atan(), detach_reset=True):
        _check_sizes("ConvertedMLP", sizes)
        _check_options("ConvertedMLP", start, reset, surrogate, detach_reset)
        super().__init__(sizes, 1.0, readout="membrane", reset=reset, surrogate=surrogate, detach_reset=detach_reset)
        self.start, self.scales = float(start), [1.0] * (len(self.linears) - 1)

    def forward(self, x, current=None):
        """Run over x [T, B, N] and return a list of `Record`, one a layer."""
        current = (self.current(x) if current is None else current).expand(len(x), -1, -1)
        records = []
        for linear, neuron in zip(self.linears[1:], self.neurons):
            began = torch.full_like(current[0], self.start)
            records.append(Record(*neuron(current, state=(began, torch.zeros_like(began)))))
            current = linear(records[-1].spk)
        return [*records, Record(None, current.cumsum(0))]


@torch.no_grad()
def convert(net, scales, start=0.5, *, reset="subtract", surrogate=atan(), detach_reset=True):
    """Turn a trained network of rectified units into a spiking one whose rates stand for the activations.

    W_l' = W_l scale_(l-1) / scale_l,    b_l' = b_l / scale_l,    scale_0 = 1 and 1 for the read-out, which does not fire

    Args:
        net: a trained `ReluMLP`; left as it is.
        scales: what a rate of 1 stands for, one a hidden layer, from `activation_scales`; [1.0, ...] copies the weights.
        start, reset, surrogate, detach_reset: as in `ConvertedMLP`.

    Returns:
        A `ConvertedMLP`. Input goes in as `direct_current(x, num_steps)`; the answer is in the last membrane of the read-out.

    Raises:
        TypeError: net not a ReluMLP with a hidden layer, scales no list of numbers.
        ValueError: scales not one a hidden layer or not positive, start outside [0, 1], reset unknown.

    Source: Diehl et al. (2015), doi:10.1109/IJCNN.2015.7280696; biases: Rueckauer et al. (2017), doi:10.3389/fnins.2017.00682.

    >>> _ = torch.manual_seed(0)
    >>> ann, x = ReluMLP((20, 50, 3)), torch.rand(64, 20)
    >>> net = convert(ann, activation_scales(ann, x))
    >>> read = net(direct_current(x, num_steps=500))[-1].mem[-1] / 500
    >>> (read - ann(x[None])[-1].mem[0]).abs().max() < 0.01
    tensor(True)
    """
    _check_ann("convert", net)
    check_that("convert", isinstance(scales, (list, tuple)), f"scales must be a list of numbers, got {scales!r}.", TypeError)
    check_that("convert", len(scales) == len(net.linears) - 1,
               f"scales must be one a hidden layer, {len(net.linears) - 1}, got {len(scales)}.")
    check_numbers("convert", above=0, **{f"scales[{place}]": scale for place, scale in enumerate(scales)})
    _check_options("convert", start, reset, surrogate, detach_reset)
    sizes = [net.linears[0].in_features, *(linear.out_features for linear in net.linears)]
    made = ConvertedMLP(sizes, start, reset=reset, surrogate=surrogate, detach_reset=detach_reset).to(net.linears[0].weight)
    made.scales = [float(scale) for scale in scales]
    for (before, after), old, new in zip(pairwise([1.0, *made.scales, 1.0]), net.linears, made.linears):
        new.weight.copy_(old.weight * (before / after))
        new.bias.copy_(old.bias / after)
    return made


def _check_converted(owner, net):
    check_that(owner, isinstance(net, ConvertedMLP), f"net must be a ConvertedMLP, got {type(net).__name__}.", TypeError)
    check_that(owner, net.neurons[0].reset == "subtract", f"net must reset by subtraction, got {net.neurons[0].reset!r}.")


def _check_same_sizes(owner, net, ann):
    check_that(owner, [linear.weight.shape for linear in net.linears] == [linear.weight.shape for linear in ann.linears],
               "net must be what convert made of ann, of the same sizes.")


class ErrorParts(NamedTuple):
    """Where a layer's rates differ from the activations that they stand for, [B, N] each; the four parts add up to it.

    >>> parts = ErrorParts(*torch.zeros(4, 2, 3))
    >>> parts.rounding.shape
    torch.Size([2, 3])
    """

    clipping: torch.Tensor
    inherited: torch.Tensor
    rounding: torch.Tensor
    unevenness: torch.Tensor


@torch.no_grad()
def split_error(net, ann, x, num_steps):
    """Split what each hidden layer's rates miss into four parts.

    rate - a = (clamp(a) - a) + (clamp(m) - clamp(a)) + (even_rate(m) - clamp(m)) + (rate - even_rate(m))
             = clipping + inherited + rounding + unevenness,    clamp to [0, 1]

    a is the ANN's activation over the layer's scale, m the current that the layer got, averaged over the steps. Rounding is at
    most 1/T from a start of 0, 1/(2T) from a half. Unevenness is what is left: the same current, given evenly, would
    not make it; it is 0 in the first layer, whose current is constant.

    Args:
        net: what `convert` made of ann, with reset "subtract".
        ann: the `ReluMLP`.
        x: inputs, [B, N].
        num_steps: T.

    Returns:
        A list of `ErrorParts`, one a hidden layer.

    Raises:
        TypeError: net not a ConvertedMLP, ann not a ReluMLP, x not a floating-point tensor.
        ValueError: x not [B, N], num_steps less than 1, networks of different sizes, another reset.

    Source: the three errors of Bu et al. (2022), arXiv:2303.04347; inherited is what the layers before hand on.

    >>> _ = torch.manual_seed(0)
    >>> ann, x = ReluMLP((20, 50, 50, 3)), torch.rand(64, 20)
    >>> parts = split_error(convert(ann, activation_scales(ann, x)), ann, x, num_steps=16)
    >>> [part.unevenness.abs().max().item() > 1e-6 for part in parts]
    [False, True]
    """
    _check_converted("split_error", net)
    _check_ann("split_error", ann, "ann")
    _check_same_sizes("split_error", net, ann)
    _check_rows("split_error", ann, x)
    check_whole("split_error", high=MOST_STEPS, num_steps=num_steps)
    rates = [record.spk.mean(0) for record in net(direct_current(x, int(num_steps)))[:-1]]
    found = []
    for linear, fed, rate, record, scale in zip(net.linears, [x, *rates], rates, ann(x[None]), net.scales):
        wanted, given = record.spk[0] / scale, linear(fed)
        even = even_rate(given, num_steps, net.start)
        clipped, heard = wanted.clamp(0, 1), given.clamp(0, 1)
        found.append(ErrorParts(clipped - wanted, heard - clipped, even - heard, rate - even))
    return found


@torch.no_grad()
def run_evenly(net, x, num_steps):
    """Run a converted network layer by layer: each waits for the rates of the one before and gets them as an even current.

    rate_l = even_rate(W_l rate_(l-1) + b_l),    rate_0 = x: an ANN whose activation is a staircase of T steps

    Args:
        net: a `ConvertedMLP` with reset "subtract".
        x: inputs, [B, N].
        num_steps: T, for each layer.

    Returns:
        (rates, outputs): a list of rates, one a hidden layer, [B, N_l] each, and the mean current of the read-out, [B, C].

    Raises:
        TypeError: net not a ConvertedMLP, x not a floating-point tensor.
        ValueError: x not [B, N], num_steps less than 1, another reset.

    Source: Bu et al. (2022), arXiv:2303.04347: without unevenness a converted network is an ANN with a staircase.

    >>> _ = torch.manual_seed(0)
    >>> rates, outputs = run_evenly(ConvertedMLP((20, 50, 3)), torch.rand(4, 20), num_steps=8)
    >>> rates[0].shape, outputs.shape
    (torch.Size([4, 50]), torch.Size([4, 3]))
    """
    _check_converted("run_evenly", net)
    _check_rows("run_evenly", net, x)
    check_whole("run_evenly", high=MOST_STEPS, num_steps=num_steps)
    rates = []
    for linear in net.linears[:-1]:
        rates.append(even_rate(linear(rates[-1] if rates else x), num_steps, net.start))
    return rates, net.linears[-1](rates[-1])
