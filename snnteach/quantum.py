"""A quantum leaky integrate-and-fire neuron, one qubit simulated exactly, and the similarity of angles that is its rival.

A reconstruction of the neuron of Brand and Petruccione, not their code.
"""
import math

import torch

from ._arguments import (
    check_affordable,
    check_between,
    check_dtype,
    check_finite,
    check_fraction,
    check_generator,
    check_numbers,
    check_shape,
    check_signal,
    check_spikes,
    check_whole,
)

MOST_SHOTS = 10**6


def _check_qubit(owner, theta, decay, threshold, shots, generator):
    check_finite(owner, "theta", theta, "Look for it in the data.")
    check_fraction(owner, decay=decay)
    check_numbers(owner, above=0, high=1, threshold=threshold)
    if shots is not None:
        check_whole(owner, high=MOST_SHOTS, shots=shots)
    check_generator(owner, generator)


def qlif_step(theta, a, spk, decay, threshold=0.7, *, shots=None, generator=None):
    """Advance quantum leaky integrate-and-fire neurons by one time step.

    phi = 2 arcsin sqrt(decay * (1 - spk[t-1]) * a[t-1]),    a[t] = sin^2((phi + theta[t]) / 2),    spk[t] = a[t] > threshold

    a is the probability of finding the qubit in its excited state. It fades by `decay`, a spike sets it back to 0, and the
    input turns the qubit by the angle theta. With `shots` it is not known, but counted: k of n copies are found excited,
    k ~ Binomial(n, a), and k / n is what is compared with the threshold and remembered.

    Args:
        theta: angle of the input, [B, ...], in radians; a full turn, 2 pi, changes nothing.
        a, spk: probability and spikes of the step before, [B, ...].
        decay: what the leak leaves of a in a step, exp(-dt / T1), from 0 to 1.
        threshold: of the probability, above 0 and at most 1.
        shots: copies of the qubit that are measured in each step; None for the exact probability.
        generator: source of the shot noise.

    Returns:
        (spk, a) of this step, [B, ...] each.

    Raises:
        TypeError: theta, a or spk not floating-point tensors of one dtype, generator not a torch.Generator.
        ValueError: shapes that disagree, NaN or infinity, a outside [0, 1], spk not 0 or 1, decay, threshold or shots out of
            range.

    Source: reconstructed from the abstract of Brand and Petruccione (2024), arXiv:2407.16398, and what others say of it.

    >>> zero = torch.zeros(1, 1)
    >>> spk, a = qlif_step(torch.full((1, 1), torch.pi / 2), zero, zero, decay=0.9)
    >>> spk.item(), round(a.item(), 2)
    (0.0, 0.5)
    """
    check_signal("qlif_step", "theta", theta, layout="[B, ...]")
    _check_qubit("qlif_step", theta, decay, threshold, shots, generator)
    for name, value in (("a", a), ("spk", spk)):
        check_signal("qlif_step", name, value, layout="[B, ...]")
        check_shape("qlif_step", name, value, theta.shape, "as theta")
        check_dtype("qlif_step", name, value, "theta", theta)
    check_between("qlif_step", "a", a, 0, 1)
    check_spikes("qlif_step", "spk", spk)
    return _turn(theta, a, spk, float(decay), float(threshold), shots, generator)


def _turn(theta, a, spk, decay, threshold, shots, generator):
    half = (decay * (1 - spk) * a).sqrt().asin()                       # phi / 2
    a = (half + theta / 2).sin() ** 2
    if shots is not None:
        chance = a.double()
        a = (torch.binomial(torch.full_like(chance, shots), chance, generator=generator) / shots).to(theta.dtype)
    return (a > threshold).to(theta.dtype), a


def qlif(theta, decay, threshold=0.7, *, shots=None, generator=None):
    """Run quantum leaky integrate-and-fire neurons over a sequence of angles, from the ground state.

    spk[t], a[t] as `qlif_step` gives them; a is recorded before the reset

    Args:
        theta: angles of the input, [T, B, ...] (time first), in radians.
        decay: what the leak leaves of a in a step, exp(-dt / T1), from 0 to 1.
        threshold: of the probability, above 0 and at most 1.
        shots: copies of the qubit that are measured in each step; None for the exact probability.
        generator: source of the shot noise.

    Returns:
        (spk, a), [T, B, ...] each.

    Raises:
        TypeError: theta not a floating-point tensor, generator not a torch.Generator.
        ValueError: theta not [T, B, ...], NaN or infinity in it, decay, threshold or shots out of range.

    Source: reconstructed from the abstract of Brand and Petruccione (2024), arXiv:2407.16398, and what others say of it.

    >>> spk, a = qlif(torch.full((4, 1), torch.pi / 4), decay=1.0, threshold=0.6)      # without the leak angles add up
    >>> spk.flatten().tolist(), [round(value, 2) for value in a.flatten().tolist()]
    ([0.0, 0.0, 1.0, 0.0], [0.15, 0.5, 0.85, 0.15])
    """
    check_signal("qlif", "theta", theta, layout="[T, B, ...] (time first)", min_dims=2)
    _check_qubit("qlif", theta, decay, threshold, shots, generator)
    a = spk = torch.zeros_like(theta[0])
    both = []
    for angle in theta:
        spk, a = _turn(angle, a, spk, float(decay), float(threshold), shots, generator)
        both.append((spk, a))
    return tuple(torch.stack(part) for part in zip(*both, strict=True))


def qlif_rheobase(decay, threshold=0.7):
    """Find the smallest constant angle that ever makes a quantum neuron fire.

    theta > 2 arcsin sqrt(threshold) - 2 arcsin sqrt(decay * threshold)

    At this angle the probability climbs to the threshold and stays there: what the leak takes in a step, the turn gives back.

    Args:
        decay: what the leak leaves of the probability in a step, from 0 to 1.
        threshold: of the probability, above 0 and at most 1.

    Returns:
        The angle in radians, a float.

    Raises:
        TypeError: decay or threshold not numbers.
        ValueError: out of range.

    Source: the fixed point of `qlif_step`.

    >>> round(qlif_rheobase(decay=1 / 3, threshold=0.75), 4) == round(torch.pi / 3, 4)
    True
    """
    check_fraction("qlif_rheobase", decay=decay)
    check_numbers("qlif_rheobase", above=0, high=1, threshold=threshold)
    return 2 * math.asin(math.sqrt(threshold)) - 2 * math.asin(math.sqrt(decay * threshold))


def angle_similarity(x, scale):
    """Compare samples whose features are angles of qubits, one a feature: the parameterised quantum kernel without entangling.

    K[i, j] = product over f of cos^2(scale * (x[i, f] - x[j, f]) / 2)

    Each factor is the probability of not telling two qubits apart that were turned by their features. While all differences
    are small it is a Gaussian, exp(-(scale / 2)^2 sum over f of (x_if - x_jf)^2).

    Args:
        x: features, [B, F].
        scale: radians per unit of a feature, positive.

    Returns:
        K, [B, B], between 0 and 1, of x's type.

    Raises:
        TypeError: x not a floating-point tensor, scale not a number.
        ValueError: x not [B, F], NaN or infinity in it, scale not positive.

    Source: the closed form for one rotation a feature; Slabbert, Brand and Petruccione (2025), arXiv:2507.07018, name angle
    encoding and a scale.

    >>> angle_similarity(torch.tensor([[0.0], [1.0], [2.0]]), scale=torch.pi / 2)[0].round(decimals=3).tolist()
    [1.0, 0.5, 0.0]
    """
    check_signal("angle_similarity", "x", x, layout="[B, F]", dims=2)
    check_affordable("angle_similarity", "x", len(x), len(x))
    check_finite("angle_similarity", "x", x, "Leave such samples out.")
    check_numbers("angle_similarity", above=0, scale=scale)
    kernel = torch.ones(len(x), len(x), dtype=x.dtype)
    for feature in (x * (float(scale) / 2)).T:                         # [B]
        kernel = kernel * (feature[:, None] - feature).cos() ** 2
    return kernel
