"""Answers to the build of notebook 26: the right one and the wrong ones that people give."""
import math

import torch


def trains(seed, steps, samples, neurons):
    """A case: spikes [T, B, N], float64."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(steps, samples, neurons, generator=generator) < 0.3).double()


def distances(spk, tau):
    """The right one: D^2 = own + own - 2 product, with the product in closed form."""
    steps, samples, _ = spk.shape
    t = torch.arange(steps, dtype=spk.dtype)
    near = (-(t[:, None] - t).abs() / tau).exp() / 2                       # [T, T]
    product = torch.zeros(samples, samples, dtype=spk.dtype)
    for neuron in spk.unbind(2):                                           # [T, B]
        product = product + neuron.T @ near @ neuron
    own = product.diagonal()                                               # [B]
    squared = own[:, None] + own - 2 * product
    return squared.clamp(min=0).sqrt()


def _product(spk, near):
    return torch.einsum("tbn,ts,scn->bc", spk, near, spk)


def _near(spk, tau):
    t = torch.arange(len(spk), dtype=spk.dtype)
    return (-(t[:, None] - t).abs() / tau).exp() / 2


def _from(product):
    own = product.diagonal()
    return (own[:, None] + own - 2 * product).clamp(min=0)


def without_root(spk, tau):
    """Returns the square."""
    return _from(_product(spk, _near(spk, tau)))


def without_half(spk, tau):
    """Leaves the half of the closed form out."""
    return _from(_product(spk, 2 * _near(spk, tau))).sqrt()


def pooled(spk, tau):
    """Throws all neurons into one train first."""
    return _from(_product(spk.sum(2, keepdim=True), _near(spk, tau))).sqrt()


def sum_of_roots(spk, tau):
    """Sums distances over neurons, not their squares."""
    return sum(_from(_product(spk[:, :, n:n + 1], _near(spk, tau))).sqrt() for n in range(spk.shape[2]))


def the_product(spk, tau):
    """Stops at the product."""
    return _product(spk, _near(spk, tau))


def product_once(spk, tau):
    """Takes the product off once."""
    product = _product(spk, _near(spk, tau))
    return (product.diagonal()[:, None] + product.diagonal() - product).clamp(min=0).sqrt()


def one_sided(spk, tau):
    """Counts a pair only where the first spike is the later one."""
    return _from(_product(spk, _near(spk, tau).tril())).sqrt()


def squared_time(spk, tau):
    """Puts a Gaussian where the exponential belongs."""
    t = torch.arange(len(spk), dtype=spk.dtype)
    return _from(_product(spk, (-((t[:, None] - t) / tau) ** 2).exp() / 2)).sqrt()


def only_counts(spk, tau):
    """Compares counts."""
    return torch.cdist(spk.sum(0), spk.sum(0))


def on_a_grid(spk, tau):
    """Lets traces fade step by step and sums squares over steps, where an integral belongs."""
    trace, both = torch.zeros_like(spk[0]), []
    for now in spk:
        trace = trace * math.exp(-1 / tau) + now
        both.append(trace)
    curves = torch.stack(both, 1).flatten(1)                               # [B, T * N]
    return torch.cdist(curves, curves) / math.sqrt(tau)


def mean_over_neurons(spk, tau):
    """Averages the squares."""
    return distances(spk, tau) / math.sqrt(spk.shape[2])
