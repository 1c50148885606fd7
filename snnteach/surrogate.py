"""Surrogate gradients: the spike is a step, its gradient is borrowed from a smooth curve."""
import math

import torch
from torch.autograd.function import once_differentiable

from ._arguments import check_positive


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

    Source: Neftci, Mostafa, Zenke (2019), doi:10.1109/MSP.2019.2931595; Eshraghian et al. (2023), section IV-C.

    >>> u = torch.tensor([-0.5, 0.5], requires_grad=True)
    >>> spk = spike(u, boxcar(slope=2.0)); spk.sum().backward()
    >>> spk.tolist(), u.grad.tolist()
    ([0.0, 1.0], [0.0, 0.0])
    """
    return _Spike.apply(u, h)


def atan(slope=1.0):
    """Make the arctangent surrogate, whose wide tails reach neurons far from threshold.

    h(u) = 1 / (1 + (pi k u)^2),    peak 1, area 1/k, full width at half maximum 2 / (pi k)

    Args:
        slope: inverse width k, positive.

    Returns:
        h, a function from u = mem - threshold (any shape) to dS/dU (same shape).

    Raises:
        ValueError: slope not positive.

    Source: Fang et al. (2021), arXiv:2007.05785; Eshraghian et al. (2023), box "best surrogate", with peak 1 in place of 1/pi.

    >>> [round(value, 3) for value in atan()(torch.tensor([0.0, 0.5])).tolist()]
    [1.0, 0.288]
    """
    check_positive("atan", slope=slope)
    return lambda u: torch.addcmul(u.new_ones(()), u, u, value=(math.pi * slope) ** 2).reciprocal_()   # two passes, not four


def fast_sigmoid(slope=25.0):
    """Make the fast-sigmoid surrogate (SuperSpike).

    h(u) = 1 / (1 + k |u|)^2,    peak 1, area 2/k, full width at half maximum 2 (sqrt 2 - 1) / k

    Args:
        slope: inverse width k, positive.

    Returns:
        h, a function from u = mem - threshold (any shape) to dS/dU (same shape).

    Raises:
        ValueError: slope not positive.

    Source: Zenke and Ganguli (2018), doi:10.1162/neco_a_01086.

    >>> fast_sigmoid(slope=1.0)(torch.tensor([0.0, -1.0])).tolist()
    [1.0, 0.25]
    """
    check_positive("fast_sigmoid", slope=slope)
    return lambda u: torch.abs(u).mul_(slope).add_(1).square_().reciprocal_()


def sigmoid(slope=4.0):
    """Make the derivative of a logistic function, the only surrogate here whose peak moves with its slope.

    h(u) = k s (1 - s),  s = 1 / (1 + exp(-k u)),    peak k/4, area 1, full width at half maximum 3.5255 / k

    Args:
        slope: inverse width k, positive.

    Returns:
        h, a function from u = mem - threshold (any shape) to dS/dU (same shape).

    Raises:
        ValueError: slope not positive.

    Source: Eshraghian et al. (2023), section IV-C-1.

    >>> sigmoid(slope=4.0)(torch.zeros(1)).item()
    1.0
    """
    check_positive("sigmoid", slope=slope)

    def h(u):
        s = torch.sigmoid(slope * u)
        return slope * s * (1 - s)

    return h


def triangular(slope=1.0):
    """Make the triangular surrogate; it is exactly zero beyond 1/k from threshold.

    h(u) = max(0, 1 - k |u|),    peak 1, area 1/k, full width at half maximum 1/k

    Args:
        slope: inverse width k, positive.

    Returns:
        h, a function from u = mem - threshold (any shape) to dS/dU (same shape).

    Raises:
        ValueError: slope not positive.

    Source: Esser et al. (2016), doi:10.1073/pnas.1604850113.

    >>> triangular()(torch.tensor([-2.0, 0.5])).tolist()
    [0.0, 0.5]
    """
    check_positive("triangular", slope=slope)
    return lambda u: torch.abs(u).mul_(-slope).add_(1).clamp_(min=0)


def boxcar(slope=1.0):
    """Make the boxcar surrogate, 1 near threshold and exactly 0 elsewhere.

    h(u) = 1 if k |u| < 1/2 else 0,    peak 1, area 1/k, full width at half maximum 1/k

    Args:
        slope: inverse width k, positive.

    Returns:
        h, a function from u = mem - threshold (any shape) to dS/dU (same shape).

    Raises:
        ValueError: slope not positive.

    Source: Bengio, Leonard, Courville (2013), arXiv:1308.3432 (straight-through, here with a window).

    >>> boxcar()(torch.tensor([-0.4, 0.6])).tolist()
    [1.0, 0.0]
    """
    check_positive("boxcar", slope=slope)
    return lambda u: (slope * u.abs() < 0.5).to(u.dtype)


def gaussian(slope=2.5):
    """Make the Gaussian surrogate.

    h(u) = exp(-(k u)^2 / 2),    peak 1, area sqrt(2 pi) / k, full width at half maximum 2 sqrt(2 ln 2) / k

    Args:
        slope: inverse width k (one over the standard deviation), positive.

    Returns:
        h, a function from u = mem - threshold (any shape) to dS/dU (same shape).

    Raises:
        ValueError: slope not positive.

    Source: Yin, Corradi, Bohte (2021), doi:10.1038/s42256-021-00397-w.

    >>> gaussian()(torch.zeros(1)).item()
    1.0
    """
    check_positive("gaussian", slope=slope)
    return lambda u: torch.mul(u, slope).square_().mul_(-0.5).exp_()


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
        ValueError: slope not positive.

    Source: Gerstner et al. (2014), Neuronal Dynamics, chapter 9; Neftci, Mostafa, Zenke (2019).

    >>> spk = escape_noise(torch.zeros(10_000), generator=torch.Generator().manual_seed(0))
    >>> round(spk.mean().item(), 1)
    0.5
    """
    check_positive("escape_noise", slope=slope)
    noise = torch.rand(u.shape, generator=generator, dtype=u.dtype, device=u.device)
    return _Escape.apply(u, noise, slope)


class _Escape(torch.autograd.Function):
    @staticmethod
    def forward(ctx, u, noise, slope):
        ctx.save_for_backward(u)
        ctx.slope = slope
        return (noise < torch.sigmoid(slope * u)).to(u.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad_spk):
        (u,) = ctx.saved_tensors
        return grad_spk * sigmoid(ctx.slope)(u), None, None


def describe(h):
    """Measure a surrogate: its peak, the area under it and its full width at half maximum.

    area = integral of h(u) du, by the substitution u = tan(a), which brings both tails into view

    Args:
        h: a symmetric surrogate derivative that does not rise away from u = 0.

    Returns:
        dict with floats "peak", "area" and "fwhm", the last two infinite if h does not fall off.

    Source: the closed forms stand in the docstring of each surrogate.

    >>> {name: round(value, 3) for name, value in describe(atan()).items()}
    {'peak': 1.0, 'area': 1.0, 'fwhm': 0.637}
    """
    peak = h(torch.zeros(1, dtype=torch.float64)).item()
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
