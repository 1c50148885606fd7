"""Few bits: weights on a grid, and training on it by a straight-through gradient."""
import math

import torch
from torch import nn
from torch.nn.utils import parametrize

from ._arguments import (
    check_finite,
    check_net,
    check_numbers,
    check_option,
    check_shape,
    check_signal,
    check_surrogate,
    check_that,
    check_whole,
)
from .surrogate import spike

RULES = ("largest", "least squares")
MOST_BITS = 16


def levels(bits):
    """Count the levels above zero of a signed grid of so many bits.

    L = 2^(bits - 1) - 1,    so that the grid -L, ..., 0, ..., L has 2 L + 1 levels; 1 bit has the two levels -1 and 1

    Args:
        bits: whole number from 1 to 16.

    Returns:
        L, an int; 1 for 1 bit, whose levels are -1 and 1.

    Raises:
        ValueError: bits not a whole number from 1 to 16.

    Source: Gholami et al. (2021), arXiv:2103.13630, section III, symmetric quantisation in the restricted range.

    >>> [levels(bits) for bits in (1, 2, 3, 8)]
    [1, 1, 3, 127]
    """
    check_whole("levels", high=MOST_BITS, bits=bits)
    return max(1, 2 ** (int(bits) - 1) - 1)


def _check_to_round(owner, weight):
    check_signal(owner, "weight", weight, layout="a tensor of any shape")
    check_finite(owner, "weight", weight, "Look for it where the weights were trained.")
    check_that(owner, weight.abs().amax() > 1e-30, "weight holds nothing but zeros (or less than 1e-30), and no grid has a "
               "step of 0.")


def weight_codes(weight, bits, rule="largest"):
    """Give each weight the nearest level of a grid: a whole number, and one scale for all of them.

    code = clamp(round(w / s), -L, L)    with s = max abs(w) / L, or the s that makes the squared error least

    "least squares" repeats s <- sum(w code) / sum(code^2) with the codes of the s before, starting at the largest weight; the
    error never grows. With 1 bit there are two levels, code = 1 for w >= 0 and else -1, and s = mean abs(w), the best there is.

    Args:
        weight: any shape, not all of it zero.
        bits: whole number from 1 to 16.
        rule: "largest" or "least squares".

    Returns:
        (codes, scale): whole numbers from -L to L in the shape of weight, and a scalar tensor, float32 at least; the copy is
        their product.

    Raises:
        TypeError: weight not a floating-point tensor.
        ValueError: weight empty or zero everywhere, NaN or infinity in it, bits or rule unknown.

    Source: Gholami et al. (2021), arXiv:2103.13630; for 1 bit Rastegari et al. (2016), arXiv:1603.05279.

    >>> codes, scale = weight_codes(torch.tensor([-0.6, 0.05, 0.24, 0.32]), bits=3)
    >>> codes.tolist(), round(scale.item(), 3)
    ([-3.0, 0.0, 1.0, 2.0], 0.2)
    """
    _check_to_round("weight_codes", weight)
    check_whole("weight_codes", high=MOST_BITS, bits=bits)
    check_option("weight_codes", "rule", rule, RULES)
    weight = weight.detach().to(torch.promote_types(weight.dtype, torch.float32))
    if int(bits) == 1:
        return torch.where(weight >= 0, 1.0, -1.0).to(weight.dtype), weight.abs().mean()
    most = 2 ** (int(bits) - 1) - 1
    scale = weight.abs().amax() / most
    codes = (weight / scale).round_()                        # none is clamped at the scale of the largest weight
    for _ in range(20 if rule == "least squares" else 0):
        before, scale = scale, (weight * codes).sum() / codes.square().sum()
        codes = (weight / scale).round_().clamp_(-most, most)
        if abs(scale - before) < 1e-3 * scale:
            break
    return codes, scale


def ternary_codes(weight, cut=0.7):
    """Give each weight one of three levels by a rule without a search: -1, 0 or 1, and one scale.

    code = sign(w) where |w| > cut mean |w|, else 0;    s = mean of the |w| that are not cut away

    Args:
        weight: any shape, not all of it zero.
        cut: weights of up to this many times the mean size become 0; from 0 to 1, so that one is left.

    Returns:
        (codes, scale), as from `weight_codes`.

    Raises:
        TypeError: weight not a floating-point tensor, cut not a number.
        ValueError: weight empty or zero everywhere, NaN or infinity in it, cut outside [0, 1], nothing left.

    Source: Li et al. (2016), arXiv:1605.04711, Eq. 6, cut = 0.7 for weights near normal.

    >>> codes, scale = ternary_codes(torch.tensor([-0.6, 0.1, 0.2, 0.3]))
    >>> codes.tolist(), round(scale.item(), 3)
    ([-1.0, 0.0, 0.0, 1.0], 0.45)
    """
    _check_to_round("ternary_codes", weight)
    check_numbers("ternary_codes", low=0, high=1, cut=cut)
    weight = weight.detach().to(torch.promote_types(weight.dtype, torch.float32))
    size = weight.abs()
    kept = size > float(cut) * size.mean()
    check_that("ternary_codes", bool(kept.any()), "no weight is larger than cut times their mean size. Lower cut.")
    return weight.sign() * kept, size[kept].mean()


def signal_to_noise(signal, copy):
    """Say in decibels how much larger a signal is than the error of its copy.

    ratio = 10 log10( sum signal^2 / sum (signal - copy)^2 );    for evenly spread values on a grid of L levels 20 log10(2 L)

    Args:
        signal, copy: tensors of one shape and dtype; signal not all of it zero.

    Returns:
        Decibels, a float; infinity where the copy is the signal.

    Raises:
        TypeError: signal or copy not a floating-point tensor.
        ValueError: shapes that differ, NaN or infinity, a signal of zeros.

    Source: Bennett (1948), doi:10.1002/j.1538-7305.1948.tb01340.x: the error of a fine grid is spread evenly, step^2 / 12.

    >>> round(signal_to_noise(torch.tensor([1.0, -1.0]), torch.tensor([0.9, -0.9])), 1)
    20.0
    """
    check_signal("signal_to_noise", "signal", signal, layout="a tensor of any shape")
    check_signal("signal_to_noise", "copy", copy, layout="a tensor of any shape")
    check_shape("signal_to_noise", "copy", copy, signal.shape, "as signal")
    check_finite("signal_to_noise", "signal", signal, "Leave such values out.")
    check_finite("signal_to_noise", "copy", copy, "Leave such values out.")
    check_that("signal_to_noise", bool(signal.any()), "signal holds nothing but zeros.")
    signal, copy = signal.detach().double(), copy.detach().double()
    noise = (signal - copy).square().sum().item()
    return 10 * math.log10(signal.square().sum().item() / noise) if noise else math.inf


def round_through(x):
    """Round to whole numbers, and let the gradient through as if nothing had been rounded.

    y = round(x),    dy/dx := 1

    Args:
        x: any shape.

    Returns:
        Whole numbers in the shape and dtype of x, exactly: the difference that carries the gradient is a true zero.

    Raises:
        TypeError: x not a floating-point tensor.
        ValueError: x empty, NaN or infinity in it.

    Source: Bengio, Leonard and Courville (2013), arXiv:1308.3432, the straight-through estimator, after Hinton.

    >>> x = torch.tensor([0.4, 1.7], requires_grad=True)
    >>> y = round_through(x); y.sum().backward()
    >>> y.tolist(), x.grad.tolist()
    ([0.0, 2.0], [1.0, 1.0])
    """
    check_signal("round_through", "x", x, layout="a tensor of any shape", min_dims=0)
    check_finite("round_through", "x", x, "Look for it where x was computed.")
    return x.detach().round() + (x - x.detach())


def staircase(x, lowest, highest, h):
    """Round by spikes: a staircase is a sum of steps, and each step is a spike with a surrogate gradient.

    y = lowest + sum over k from lowest to highest - 1 of spike(x - k - 1/2, h),    so dy/dx := sum over k of h(x - k - 1/2)

    Boxes of width 1 stand side by side: their sum is the straight-through gradient, 1 between the ends and 0 beyond.

    Args:
        x: any shape.
        lowest, highest: whole numbers, the ends of the stairs, from -500 to 500.
        h: surrogate derivative of one step, a function of the distance from it, such as `boxcar()`.

    Returns:
        Whole numbers from lowest to highest in the shape and dtype of x: round(x), clamped; halves go down.

    Raises:
        TypeError: x not a floating-point tensor, h not a derivative.
        ValueError: x empty, NaN in it, an end not a whole number from -500 to 500, lowest not below highest.

    Source: the straight-through estimator (arXiv:1308.3432) written with the surrogates of Neftci, Mostafa and Zenke (2019),
    doi:10.1109/MSP.2019.2931595.

    >>> from snnteach.surrogate import boxcar
    >>> x = torch.tensor([-0.6, 0.4, 7.0], requires_grad=True)
    >>> y = staircase(x, -3, 3, boxcar()); y.sum().backward()
    >>> y.tolist(), x.grad.tolist()
    ([-1.0, 0.0, 3.0], [1.0, 1.0, 0.0])
    """
    check_signal("staircase", "x", x, layout="a tensor of any shape", min_dims=0)
    check_finite("staircase", "x", x, "Look for it where x was computed.", infinity=True)
    check_whole("staircase", -500, 500, lowest=lowest, highest=highest)
    check_that("staircase", lowest < highest, f"lowest must be below highest, got {lowest} and {highest}.")
    check_surrogate("staircase", h, name="h")
    return int(lowest) + sum(spike(x - k - 0.5, h) for k in range(int(lowest), int(highest)))


class OnGrid(nn.Module):
    """Put a weight on its grid in the forward pass, and let the gradient through to the weight behind it.

    W_used = s code(W),    dW_used/dW := 1;    the grid is drawn anew at every pass

    Args:
        bits: whole number from 1 to 16.
        rule: "largest" or "least squares", as in `weight_codes`.

    Returns:
        A module for `torch.nn.utils.parametrize.register_parametrization`; `forward(weight)` returns values on the grid,
        exactly.

    Raises:
        TypeError: weight not a floating-point tensor.
        ValueError: bits or rule unknown; a weight that is empty, zero everywhere or holds NaN.

    Source: Courbariaux, Bengio and David (2015), arXiv:1511.00363: train a full weight through its binary copy.

    >>> weight = torch.tensor([-0.6, 0.1, 0.24, 0.29], requires_grad=True)
    >>> used = OnGrid(bits=2)(weight); used.sum().backward()
    >>> [round(value, 2) for value in used.tolist()], weight.grad.tolist()
    ([-0.6, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0])
    """

    def __init__(self, bits, rule="largest"):
        super().__init__()
        check_whole("OnGrid", high=MOST_BITS, bits=bits)
        check_option("OnGrid", "rule", rule, RULES)
        self.bits, self.rule = int(bits), rule

    def forward(self, weight):
        """Return the copy of weight on the grid."""
        _check_to_round("OnGrid", weight)
        codes, scale = weight_codes(weight, self.bits, self.rule)
        return (codes * scale).to(weight.dtype) + (weight - weight.detach())


def put_on_grid(net, bits, rule="largest"):
    """Let every linear layer of a network use its weights on a grid, in training too; biases stay as they are.

    W_used = `OnGrid`(W),    the weight that learns is W

    Args:
        net: a network with `nn.Linear` layers; changed in place. Layers on another grid leave it for this one.
        bits, rule: as in `weight_codes`.

    Returns:
        The network.

    Raises:
        TypeError: net not a module.
        ValueError: no linear layer in it, bits or rule unknown, a weight that no grid holds.

    Source: as `OnGrid`; biases in full as in Gholami et al. (2021), arXiv:2103.13630.

    >>> from snnteach.networks import SpikingMLP
    >>> net = put_on_grid(SpikingMLP((20, 50, 2)), bits=2)
    >>> [len(linear.weight.unique()) for linear in net.linears]
    [3, 3]
    """
    check_net("put_on_grid", net)
    check_whole("put_on_grid", high=MOST_BITS, bits=bits)
    check_option("put_on_grid", "rule", rule, RULES)
    linears = [part for part in net.modules() if isinstance(part, nn.Linear)]
    check_that("put_on_grid", bool(linears), "net has no nn.Linear layer, and nothing to put on a grid.")
    for linear in linears:
        _check_to_round("put_on_grid", linear.weight)
    for linear in linears:
        if parametrize.is_parametrized(linear, "weight"):
            parametrize.remove_parametrizations(linear, "weight", leave_parametrized=False)
        parametrize.register_parametrization(linear, "weight", OnGrid(bits, rule))
    return net
