"""Surrogate gradients: the spike is a step, its gradient is borrowed from a smooth curve."""
import functools
import math

import torch
from torch.autograd.function import once_differentiable

from ._arguments import check_finite, check_generator, check_numbers, check_signal, check_surrogate, check_that

STEEPEST = 1e15                                              # a slope whose square float32 still holds


class _Surrogate(functools.partial):
    def __repr__(self):
        return f"{self.func.__name__[1:]}({', '.join(f'{name}={value}' for name, value in self.keywords.items())})"


class _Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx, u, h):
        ctx.save_for_backward(u)
        ctx.h = h
        return torch.gt(u, 0, out=torch.empty_like(u))       # 0. or 1. in the dtype of u

    @staticmethod
    @once_differentiable
    def backward(ctx, grad_spk):
        (u,) = ctx.saved_tensors
        return grad_spk * ctx.h(u), None


def spike(u, h):
    """Fire where the membrane is above threshold; in the backward pass, pretend that the slope of the step is h(u).

    S = 1 if u > 0 else 0,    dS/dU := h(u)

    Args:
        u: membrane potential minus threshold, any shape.
        h: surrogate derivative, a function of u (`atan()`, `fast_sigmoid()`, ... or your own).

    Returns:
        Spikes, 0. or 1., shape and dtype of u.

    Raises:
        TypeError: u not a floating-point tensor, h not a derivative (atan for atan()).
        ValueError: u empty, or NaN in it.

    Source: Neftci, Mostafa, Zenke (2019), doi:10.1109/MSP.2019.2931595; Eshraghian et al. (2023), section IV-C.

    >>> u = torch.tensor([-0.5, 0.5], requires_grad=True)
    >>> spk = spike(u, boxcar(slope=2.0)); spk.sum().backward()
    >>> spk.tolist(), u.grad.tolist()
    ([0.0, 1.0], [0.0, 0.0])
    """
    check_signal("spike", "u", u, layout="a tensor of any shape", min_dims=0)
    check_surrogate("spike", h, name="h")
    check_finite("spike", "u", u, infinity=True)
    return _Spike.apply(u, h)


def atan(slope=1.0):
    """Make the arctangent surrogate, whose wide tails reach neurons far from threshold.

    h(u) = 1 / (1 + (pi k u)^2),    peak 1, area 1/k, full width at half maximum 2 / (pi k)

    Args:
        slope: inverse width k, positive.

    Returns:
        h, a function from u = mem - threshold (any shape) to dS/dU (same shape).

    Raises:
        TypeError: slope not a number.
        ValueError: slope not positive, or above 1e15.

    Source: Fang et al. (2021), arXiv:2007.05785; Eshraghian et al. (2023), box "best surrogate", with peak 1 in place of 1/pi.

    >>> [round(value, 3) for value in atan()(torch.tensor([0.0, 0.5])).tolist()]
    [1.0, 0.288]
    """
    check_numbers("atan", above=0, high=STEEPEST, slope=slope)
    return _Surrogate(_atan, slope=float(slope))


def _atan(u, slope):
    return torch.addcmul(u.new_ones(()), u, u, value=(math.pi * slope) ** 2).reciprocal_()   # two passes, not four


def fast_sigmoid(slope=25.0):
    """Make the fast-sigmoid surrogate (SuperSpike).

    h(u) = 1 / (1 + k |u|)^2,    peak 1, area 2/k, full width at half maximum 2 (sqrt 2 - 1) / k

    Args:
        slope: inverse width k, positive.

    Returns:
        h, a function from u = mem - threshold (any shape) to dS/dU (same shape).

    Raises:
        TypeError: slope not a number.
        ValueError: slope not positive, or above 1e15.

    Source: Zenke and Ganguli (2018), doi:10.1162/neco_a_01086.

    >>> fast_sigmoid(slope=1.0)(torch.tensor([0.0, -1.0])).tolist()
    [1.0, 0.25]
    """
    check_numbers("fast_sigmoid", above=0, high=STEEPEST, slope=slope)
    return _Surrogate(_fast_sigmoid, slope=float(slope))


def _fast_sigmoid(u, slope):
    return torch.abs(u).mul_(slope).add_(1).square_().reciprocal_()


def sigmoid(slope=4.0):
    """Make the derivative of a logistic function, the only surrogate here whose peak moves with its slope.

    h(u) = k s (1 - s),  s = 1 / (1 + exp(-k u)),    peak k/4, area 1, full width at half maximum 3.5255 / k

    Args:
        slope: inverse width k, positive.

    Returns:
        h, a function from u = mem - threshold (any shape) to dS/dU (same shape).

    Raises:
        TypeError: slope not a number.
        ValueError: slope not positive, or above 1e15.

    Source: Eshraghian et al. (2023), section IV-C-1.

    >>> sigmoid(slope=4.0)(torch.zeros(1)).item()
    1.0
    """
    check_numbers("sigmoid", above=0, high=STEEPEST, slope=slope)
    return _Surrogate(_sigmoid, slope=float(slope))


def _sigmoid(u, slope):
    s = torch.sigmoid(slope * u)
    return slope * s * (1 - s)


def triangular(slope=1.0):
    """Make the triangular surrogate; it is exactly zero beyond 1/k from threshold.

    h(u) = max(0, 1 - k |u|),    peak 1, area 1/k, full width at half maximum 1/k

    Args:
        slope: inverse width k, positive.

    Returns:
        h, a function from u = mem - threshold (any shape) to dS/dU (same shape).

    Raises:
        TypeError: slope not a number.
        ValueError: slope not positive, or above 1e15.

    Source: Esser et al. (2016), doi:10.1073/pnas.1604850113.

    >>> triangular()(torch.tensor([-2.0, 0.5])).tolist()
    [0.0, 0.5]
    """
    check_numbers("triangular", above=0, high=STEEPEST, slope=slope)
    return _Surrogate(_triangular, slope=float(slope))


def _triangular(u, slope):
    return torch.abs(u).mul_(-slope).add_(1).clamp_(min=0)


def boxcar(slope=1.0):
    """Make the boxcar surrogate, 1 near threshold and exactly 0 elsewhere.

    h(u) = 1 if k |u| < 1/2 else 0,    peak 1, area 1/k, full width at half maximum 1/k

    Args:
        slope: inverse width k, positive.

    Returns:
        h, a function from u = mem - threshold (any shape) to dS/dU (same shape).

    Raises:
        TypeError: slope not a number.
        ValueError: slope not positive, or above 1e15.

    Source: Bengio, Leonard, Courville (2013), arXiv:1308.3432 (straight-through, here with a window).

    >>> boxcar()(torch.tensor([-0.4, 0.6])).tolist()
    [1.0, 0.0]
    """
    check_numbers("boxcar", above=0, high=STEEPEST, slope=slope)
    return _Surrogate(_boxcar, slope=float(slope))


def _boxcar(u, slope):
    return (slope * u.abs() < 0.5).to(u.dtype)


def gaussian(slope=2.5):
    """Make the Gaussian surrogate.

    h(u) = exp(-(k u)^2 / 2),    peak 1, area sqrt(2 pi) / k, full width at half maximum 2 sqrt(2 ln 2) / k

    Args:
        slope: inverse width k (one over the standard deviation), positive.

    Returns:
        h, a function from u = mem - threshold (any shape) to dS/dU (same shape).

    Raises:
        TypeError: slope not a number.
        ValueError: slope not positive, or above 1e15.

    Source: Yin, Corradi, Bohte (2021), doi:10.1038/s42256-021-00397-w.

    >>> gaussian()(torch.zeros(1)).item()
    1.0
    """
    check_numbers("gaussian", above=0, high=STEEPEST, slope=slope)
    return _Surrogate(_gaussian, slope=float(slope))


def _gaussian(u, slope):
    return torch.mul(u, slope).square_().mul_(-0.5).exp_()


def straight_through():
    """Make the straight-through surrogate, which passes every gradient unchanged.

    h(u) = 1

    Returns:
        h, a function from u = mem - threshold (any shape) to dS/dU (same shape).

    Source: Bengio, Leonard, Courville (2013), arXiv:1308.3432.

    >>> straight_through()(torch.tensor([-9.0, 9.0])).tolist()
    [1.0, 1.0]
    """
    return torch.ones_like


def zero():
    """Make the true derivative of the step, zero almost everywhere: with it, nothing below a spike can learn.

    h(u) = 0

    Returns:
        h, a function from u = mem - threshold (any shape) to dS/dU (same shape).

    Source: Eshraghian et al. (2023), Fig. 9a, the dead-neuron problem.

    >>> zero()(torch.tensor([-9.0, 9.0])).tolist()
    [0.0, 0.0]
    """
    return torch.zeros_like


def escape_noise(u, slope=4.0, generator=None):
    """Fire at random, the more likely the higher the membrane; the gradient is that of the firing probability.

    P(S = 1) = 1 / (1 + exp(-k u)),    d E[S] / dU = k s (1 - s): for this neuron the sigmoid surrogate is exact in the mean

    Args:
        u: membrane potential minus threshold, any shape.
        slope: inverse noise amplitude k, positive.
        generator: source of the random numbers, a `torch.Generator`.

    Returns:
        Spikes, 0. or 1., shape and dtype of u.

    Raises:
        TypeError: u not a floating-point tensor, slope not a number, generator not a torch.Generator.
        ValueError: slope not positive, u empty, or NaN in it.

    Source: Gerstner et al. (2014), Neuronal Dynamics, chapter 9; Neftci, Mostafa, Zenke (2019).

    >>> spk = escape_noise(torch.zeros(10_000), generator=torch.Generator().manual_seed(0))
    >>> round(spk.mean().item(), 1)
    0.5
    """
    check_signal("escape_noise", "u", u, layout="a tensor of any shape", min_dims=0)
    check_numbers("escape_noise", above=0, high=STEEPEST, slope=slope)
    check_generator("escape_noise", generator)
    check_finite("escape_noise", "u", u, infinity=True)
    fine = torch.promote_types(u.dtype, torch.float32)       # small probabilities get lost among numbers of 16 bits
    noise = torch.rand(u.shape, generator=generator, dtype=fine, device=u.device)
    return _Escape.apply(u, noise, float(slope))


class _Escape(torch.autograd.Function):
    @staticmethod
    def forward(ctx, u, noise, slope):
        ctx.save_for_backward(u)
        ctx.slope = slope
        return (noise < torch.sigmoid(slope * u.to(noise.dtype))).to(u.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad_spk):
        (u,) = ctx.saved_tensors
        return grad_spk * _sigmoid(u, ctx.slope), None, None


def describe(h):
    """Measure a surrogate: its peak, the area under it and its full width at half maximum.

    area = integral of h(u) du, by the substitution u = tan(a), which brings both tails into view

    Args:
        h: a symmetric surrogate derivative that does not rise away from u = 0.

    Returns:
        dict with floats "peak", "area" and "fwhm", the last two infinite if h does not fall off.

    Raises:
        TypeError: h not a derivative (atan for atan()).
        ValueError: h(0) NaN or infinite.

    Source: the closed forms stand in the docstring of each surrogate.

    >>> {name: round(value, 3) for name, value in describe(atan()).items()}
    {'peak': 1.0, 'area': 1.0, 'fwhm': 0.637}
    """
    check_surrogate("describe", h, name="h")
    peak = h(torch.zeros(1, dtype=torch.float64)).item()
    check_that("describe", math.isfinite(peak), f"h must be finite at u = 0, got h(0) = {peak}.")
    if peak == 0 or h(torch.full((1,), 1e9, dtype=torch.float64)).item() > 1e-3 * peak:
        return {"peak": peak, "area": 0.0 if peak == 0 else math.inf, "fwhm": math.inf}
    edges = torch.linspace(-math.pi / 2, math.pi / 2, 400_001, dtype=torch.float64)
    angle = (edges[1:] + edges[:-1]) / 2
    area = (h(torch.tan(angle)) / torch.cos(angle) ** 2).mean().item() * math.pi
    low, high = 0.0, 1e9                                        # h(low) >= peak/2 > h(high)
    for _ in range(100):
        middle = (low + high) / 2
        if h(torch.full((1,), middle, dtype=torch.float64)).item() >= peak / 2:
            low = middle
        else:
            high = middle
    return {"peak": peak, "area": area, "fwhm": 2 * low}
