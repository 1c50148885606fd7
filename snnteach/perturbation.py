"""Learning from one number: change something at random, see whether the loss falls, and how far that guess can be trusted."""
import math

import torch

from ._arguments import (
    check_affordable,
    check_callable,
    check_dtype,
    check_finite,
    check_generator,
    check_numbers,
    check_shape,
    check_signal,
    check_tensor,
    check_whole,
)

MOST_PROBES = 10**6
MOST_UNKNOWN = 10**12                                        # weights of a network: beyond any that was built


def perturbation_cosine(unknowns, probes):
    """Say how well the mean of random probes points along the gradient.

    cosine = sqrt(K / (N + K + 1)),    as mean estimate = g    and    mean estimate^2 = g^2 (N + K + 1) / K

    It is the product of estimate and g, divided by the length of g and the root mean square length of the estimate, exactly;
    the mean of the cosine itself is up to a fifth less for a single probe (sqrt(2 / pi) of it for many unknowns) and the same
    for many probes.

    Args:
        unknowns: numbers N whose gradient is wanted: weights, or currents into neurons.
        probes: random directions K over which the estimate is averaged.

    Returns:
        A float between 0 and 1.

    Raises:
        ValueError: unknowns not a whole number from 1 to 10^12, probes not one from 1 to 10^12.

    Source: the moments of normal numbers; for learning speeds Werfel, Xie and Seung (2005), doi:10.1162/089976605774320539.

    >>> [round(perturbation_cosine(n, k), 3) for n, k in ((100, 100), (1000, 100), (1000, 334))]
    [0.705, 0.301, 0.5]
    """
    check_whole("perturbation_cosine", high=MOST_UNKNOWN, unknowns=unknowns, probes=probes)
    return math.sqrt(int(probes) / (int(unknowns) + int(probes) + 1))


def probes_for(unknowns, cosine):
    """Count the probes that a wanted cosine takes.

    K = ceil(c^2 (N + 1) / (1 - c^2))

    Args:
        unknowns: numbers N whose gradient is wanted.
        cosine: wanted cosine c, from 0.001 to 0.999.

    Returns:
        K, an int, at least 1.

    Raises:
        TypeError: cosine not a number.
        ValueError: unknowns not a whole number from 1 to 10^12, cosine outside 0.001 to 0.999.

    Source: `perturbation_cosine`, solved for K.

    >>> probes_for(1000, 0.5), probes_for(79_400, 0.5)
    (334, 26467)
    """
    check_whole("probes_for", high=MOST_UNKNOWN, unknowns=unknowns)
    check_numbers("probes_for", low=0.001, high=0.999, cosine=cosine)
    wanted = float(cosine) ** 2
    return max(1, math.ceil(wanted * (int(unknowns) + 1) / (1 - wanted) - 1e-9))


def _check_probing(owner, name, value, layout, loss, sigma, probes, generator, **dims):
    check_signal(owner, name, value, layout=layout, **dims)
    check_finite(owner, name, value, "Look for it where it was computed.")
    check_callable(owner, "loss", loss, f"It is called with {name}, changed.", takes=1)
    check_numbers(owner, above=0, high=1e6, sigma=sigma)
    check_whole(owner, high=MOST_PROBES, probes=probes)
    check_affordable(owner, f"{name} and probes", *value.shape, probes)
    check_generator(owner, generator)


@torch.no_grad()
def weight_perturbation(loss, weight, sigma=1e-3, probes=1, generator=None):
    """Estimate a gradient from nothing but the loss: change all weights at random, and keep what made the loss move.

    estimate = mean over K probes of (L(w + sigma xi) - L(w)) / sigma  xi,    xi ~ normal, one number a weight

    Its mean is the gradient of the loss smoothed over sigma, so it needs no derivative, not even of a spike.

    Args:
        loss: function of the weights that returns one number, a scalar tensor; called K + 1 times.
        weight: weights, any shape.
        sigma: size of the changes, positive.
        probes: number of probes K.
        generator: source of the random numbers, a `torch.Generator`.

    Returns:
        The estimate, in the shape and dtype of weight.

    Raises:
        TypeError: weight not a floating-point tensor, loss not a function of one argument or not a scalar tensor, sigma not a
            number, generator not a torch.Generator.
        ValueError: weight empty, NaN or infinity in it or in the loss, sigma not positive, probes not a whole number from 1
            to a million.

    Source: Jabri and Flower (1991), doi:10.1162/neco.1991.3.4.546; Eshraghian et al. (2023), section III-D.

    >>> weight = torch.tensor([1.0, -2.0])
    >>> found = weight_perturbation(lambda w: w.square().sum(), weight, probes=4000, generator=torch.Generator().manual_seed(0))
    >>> [round(value) for value in found.tolist()]                                     # the gradient is 2 w
    [2, -4]
    """
    _check_probing("weight_perturbation", "weight", weight, "a tensor of any shape", loss, sigma, probes, generator, min_dims=0)
    sigma, total, before = float(sigma), torch.zeros_like(weight), _number(loss(weight), weight)
    for _ in range(int(probes)):
        direction = torch.randn(weight.shape, generator=generator, dtype=weight.dtype)
        total += (_number(loss(weight + sigma * direction), weight) - before) / sigma * direction
    return total / int(probes)


def _number(value, weight):
    check_tensor("weight_perturbation", "loss's result", value, "of one number", dims=0)
    check_signal("weight_perturbation", "loss's result", value, layout="one number", min_dims=0)
    check_finite("weight_perturbation", "loss's result", value, "Lower sigma, or look at the loss.")
    return value.to(weight.dtype)


@torch.no_grad()
def node_perturbation(loss, current, sigma=1e-3, probes=1, generator=None):
    """Change the currents into the neurons instead of their weights: far fewer numbers to guess.

    estimate[b] = mean over K probes of (L_b(c + sigma xi) - L_b(c)) / sigma  xi_b,    dL/dW = estimate^T x for c = W x

    Each sample has a loss and a noise of its own, so that one call probes all samples of a batch at once.

    Args:
        loss: function of the currents that returns the loss of each sample, [B]; called K + 1 times.
        current: currents into the neurons, [B, ...]; steps and neurons may follow the batch.
        sigma: size of the changes, positive.
        probes: number of probes K.
        generator: source of the random numbers, a `torch.Generator`.

    Returns:
        The estimate of d L_b / d current, in the shape and dtype of current.

    Raises:
        TypeError: current not a floating-point tensor, loss not a function of one argument or of no tensor, sigma not a number,
            generator not a torch.Generator.
        ValueError: current not [B, ...] or empty, a loss that is not [B], NaN or infinity, sigma not positive, probes not a
            whole number from 1 to a million.

    Source: Williams (1992), doi:10.1007/BF00992696; Werfel, Xie and Seung (2005), doi:10.1162/089976605774320539.

    >>> current = torch.tensor([[1.0, -2.0]])
    >>> found = node_perturbation(lambda c: c.square().sum(1), current, probes=4000, generator=torch.Generator().manual_seed(0))
    >>> [round(value) for value in found[0].tolist()]
    [2, -4]
    """
    _check_probing("node_perturbation", "current", current, "[B, ...]", loss, sigma, probes, generator, min_dims=2)
    sigma, total, before = float(sigma), torch.zeros_like(current), _each(loss(current), current)
    for _ in range(int(probes)):
        direction = torch.randn(current.shape, generator=generator, dtype=current.dtype)
        change = (_each(loss(current + sigma * direction), current) - before) / sigma                 # [B]
        total += change.view(-1, *(1,) * (current.dim() - 1)) * direction
    return total / int(probes)


def _each(losses, current):
    check_shape("node_perturbation", "loss's result", losses, current.shape[:1], "one a sample")
    check_dtype("node_perturbation", "loss's result", losses, "current", current)
    check_finite("node_perturbation", "loss's result", losses, "Lower sigma, or look at the loss.")
    return losses
