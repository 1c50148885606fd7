"""Long memory: decays from half-lives, a task that needs one, a neuron that stays awake, gradients over time, other steps."""
import math

import torch

from ._arguments import (
    check_affordable,
    check_between,
    check_finite,
    check_fraction,
    check_generator,
    check_numbers,
    check_positive,
    check_scalar,
    check_signal,
    check_that,
    check_whole,
)


def decay_from_half_life(steps):
    """Give the decay per step that keeps one half after so many steps.

    beta = (1/2)^(1/n)

    Args:
        steps: half-life n in steps, positive; a number or a tensor.

    Returns:
        The decay, a float or a tensor like steps.

    Raises:
        TypeError: steps neither a number nor a tensor of numbers.
        ValueError: steps not positive.

    Source: the half-life of `snnteach.membrane.half_life`, solved for beta.

    >>> round(decay_from_half_life(60), 4)
    0.9885
    """
    check_positive("decay_from_half_life", steps=steps)
    return 0.5 ** (1 / (steps if isinstance(steps, torch.Tensor) else float(steps)))


def spread_decays(num_neurons, shortest, longest):
    """Give each neuron of a layer a decay of its own: half-lives that grow by equal factors.

    n_i = shortest (longest / shortest)^(i / (N - 1)),    beta_i = (1/2)^(1 / n_i)

    Args:
        num_neurons: number of neurons N.
        shortest, longest: half-life of the first and of the last neuron in steps, positive.

    Returns:
        Decays, [N].

    Raises:
        TypeError: shortest or longest not a number.
        ValueError: num_neurons not a whole number of at least 1, a half-life not positive.

    Source: Perez-Nieves et al. (2021), doi:10.1038/s41467-021-26022-3, who draw time constants and learn them.

    >>> spread_decays(3, shortest=1, longest=100)
    tensor([0.5000, 0.9330, 0.9931])
    """
    check_whole("spread_decays", high=10**6, num_neurons=num_neurons)
    check_numbers("spread_decays", above=0, high=1e6, shortest=shortest, longest=longest)
    half_lives = torch.logspace(math.log2(shortest), math.log2(longest), int(num_neurons), base=2.0)
    return decay_from_half_life(half_lives)


def cue_recall(num_samples, delay, *, generator=None, cue=10, go=10):
    """Draw samples in which a cue has to be named long after it is gone.

    Of 20 inputs, 8 fire at rate 0.4 during the cue, the first 8 for class 0 and the next 8 for class 1; then comes a delay,
    and at its end the last 4 say "go". Everywhere else all inputs fire at rate 0.01.

    Args:
        num_samples: number of samples B.
        delay: steps between the end of the cue and the beginning of "go".
        generator: random numbers, or None.
        cue, go: steps that the cue and the go signal last.

    Returns:
        (spk, target): [T, B, 20] of 0. and 1. with T = cue + delay + go, and the class of each sample, int64, [B].

    Raises:
        TypeError: generator not a torch.Generator.
        ValueError: a count that is not whole or too small.

    Source: the delayed recall of Bellec et al. (2018), arXiv:1803.09574, with one cue and two classes.

    >>> spk, target = cue_recall(4, delay=60, generator=torch.Generator().manual_seed(0))
    >>> spk.shape, spk[:10, target == 0, :8].mean() > 0.2
    (torch.Size([80, 4, 20]), tensor(True))
    """
    check_whole("cue_recall", high=10**6, num_samples=num_samples, cue=cue, go=go)
    check_whole("cue_recall", low=0, high=10**6, delay=delay)
    check_generator("cue_recall", generator)
    num_steps = int(cue) + int(delay) + int(go)
    check_affordable("cue_recall", "num_samples", num_samples, num_steps, 20)
    target = torch.randint(2, (num_samples,), generator=generator)
    rate = torch.full((num_steps, num_samples, 20), 0.01)
    cued = torch.arange(16) // 8 == target[:, None]                                           # [B, 16]
    rate[:cue, :, :16] = torch.where(cued, 0.4, 0.01)
    rate[-go:, :, 16:] = 0.4
    return torch.bernoulli(rate, generator=generator), target


def least_self_weight(beta, threshold=1.0):
    """Give the weight from a neuron onto itself above which one spike keeps it firing at every step for ever.

    V > threshold (2 - beta): its spike must pay for the reset, threshold, and for the leak, (1 - beta) threshold

    Args:
        beta: decay per step, between 0 and 1.
        threshold: firing threshold, positive; the reset subtracts it.

    Returns:
        The weight at the border, a float: a larger one fires for ever, this one and smaller ones fall silent.

    Raises:
        TypeError: not numbers.
        ValueError: beta outside [0, 1], threshold not positive.

    Source: the fixed point of U = beta U + V - threshold above the threshold.

    >>> round(least_self_weight(0.9), 3)
    1.1
    """
    check_fraction("least_self_weight", beta=beta)
    check_numbers("least_self_weight", above=0, threshold=threshold)
    return float(threshold) * (2 - float(beta))


def gradient_by_step(score, x):
    """Tell how much of the gradient of a score arrives at each step of the input.

    g[t] = || d score / d x[t] ||, the length over batch and inputs

    Args:
        score: a number computed from x, a scalar tensor that carries gradients.
        x: the input, [T, ...], with requires_grad.

    Returns:
        Lengths, [T].

    Raises:
        TypeError: score not a scalar tensor, x not a floating-point tensor.
        ValueError: x without requires_grad, score that does not depend on x, NaN or infinity in the gradient.

    Source: Eshraghian et al. (2023), section IV-D: what is left of a gradient after many steps.

    >>> x = torch.ones(3, 1, requires_grad=True)
    >>> gradient_by_step((torch.tensor([[0.25], [0.5], [1.0]]) * x).sum(), x)
    tensor([0.2500, 0.5000, 1.0000])
    """
    check_scalar("gradient_by_step", "score", score)
    check_signal("gradient_by_step", "x", x, layout="[T, ...]")
    check_that("gradient_by_step", x.requires_grad, "x must carry gradients. Call x.requires_grad_() before the forward pass.")
    check_that("gradient_by_step", score.requires_grad, "score must depend on x, and carry gradients.")
    (gradient,) = torch.autograd.grad(score, x, retain_graph=True, allow_unused=True)
    check_that("gradient_by_step", gradient is not None, "score must depend on x, and carry gradients.")
    check_finite("gradient_by_step", "the gradient", gradient)
    return gradient.flatten(1).norm(dim=1) if gradient.dim() > 1 else gradient.abs()


def kept_per_step(lengths):
    """Tell by which factor the gradient shrinks with each step back, from the last step to the first.

    r = (g[0] / g[T-1])^(1 / (T-1))

    Args:
        lengths: what arrives at each step, [T], as `gradient_by_step` returns it, the first and the last above zero.

    Returns:
        The factor, a float.

    Raises:
        TypeError: lengths not a floating-point tensor.
        ValueError: lengths not [T] of at least 2 steps, or nothing at the first or the last.

    Source: a gradient that shrinks by equal factors, as beta^n does.

    >>> round(kept_per_step(torch.tensor([0.25, 0.5, 1.0])), 3)
    0.5
    """
    check_signal("kept_per_step", "lengths", lengths, layout="[T]", dims=1)
    check_that("kept_per_step", len(lengths) > 1, "lengths must be [T] of at least 2 steps, got 1.")
    check_finite("kept_per_step", "lengths", lengths)
    check_that("kept_per_step", bool(lengths[0] > 0) and bool(lengths[-1] > 0),
               f"the first and the last of lengths must be above 0, got {lengths[0]:g} and {lengths[-1]:g}.")
    return (math.exp((math.log(lengths[0].item()) - math.log(lengths[-1].item())) / (len(lengths) - 1)))


def rebin(spk, steps):
    """Count the spikes of so many neighbouring steps in one coarser step.

    counted[n] = sum of spk[n steps ... n steps + steps - 1]

    Args:
        spk: spikes, [T, ...].
        steps: number of steps that become one; T must be a multiple of it.

    Returns:
        Counts, [T / steps, ...].

    Raises:
        TypeError: spk not a floating-point tensor.
        ValueError: steps not a whole number of at least 1 that divides T.

    Source: binning; nothing is lost but the order within a bin.

    >>> rebin(torch.tensor([1.0, 1.0, 0.0, 1.0]), 2)
    tensor([2., 1.])
    """
    check_signal("rebin", "spk", spk, layout="[T, ...] (time first)")
    check_whole("rebin", steps=steps)
    check_that("rebin", len(spk) % int(steps) == 0, f"steps must divide T = {len(spk)}, got {steps}.")
    counted = spk.unflatten(0, (-1, int(steps))).sum(1)
    check_finite("rebin", "spk", counted)
    return counted


def rescaled(beta, current, steps):
    """Carry a decay and a steady current over to steps that are so many times as long.

    beta' = beta^steps,    current' = current (1 - beta') / (1 - beta);    the weights of spikes stay as they are

    Args:
        beta: decay per old step, between 0 and 1.
        current: what comes in at every old step, such as a bias; a number or a tensor.
        steps: new step in old ones, positive: 4 for steps four times as long, 0.25 for a quarter.

    Returns:
        (beta, current) of the new step, a float and a float or tensor.

    Raises:
        TypeError: beta or steps not a number, current neither a number nor a tensor of numbers.
        ValueError: beta outside [0, 1], steps not positive, current not finite.

    Source: the steady potential current / (1 - beta) stays what it was.

    >>> beta, bias = rescaled(0.9, 0.1, steps=2)
    >>> round(beta, 2), round(bias, 2), round(bias / (1 - beta), 2)
    (0.81, 0.19, 1.0)
    """
    check_fraction("rescaled", beta=beta)
    check_numbers("rescaled", above=0, high=1e6, steps=steps)
    check_between("rescaled", "current", current, -1e30, 1e30)
    coarse = float(beta) ** float(steps)
    gain = float(steps) if beta == 1 else (1 - coarse) / (1 - float(beta))
    return coarse, current * gain
