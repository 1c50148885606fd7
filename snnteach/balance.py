"""Excitation and inhibition: Dale's law, a recurrent network in balance, and how regular and how synchronous its spikes are."""
import math

import torch

from ._arguments import (
    check_affordable,
    check_finite,
    check_generator,
    check_numbers,
    check_signal,
    check_spikes,
    check_that,
    check_whole,
)


def dale(weight, num_inhibitory):
    """Give all synapses of a neuron one sign: the last `num_inhibitory` of the sending neurons inhibit, the others excite.

    W[i, j] = sign[j] abs(V[i, j]),    sign[j] = -1 for the last neurons j, else 1

    Args:
        weight: free weights V, [N_out, N_in]; column j holds what neuron j sends.
        num_inhibitory: how many of the N_in neurons inhibit, 0 to N_in.

    Returns:
        Weights W that obey Dale's law, [N_out, N_in]; gradients flow to `weight`.

    Raises:
        TypeError: weight not a floating-point tensor.
        ValueError: weight not [N_out, N_in] or not finite, num_inhibitory not a whole number from 0 to N_in.

    Source: Dale's law as in Strata and Harvey (1999), doi:10.1016/S0361-9230(99)00100-8, reduced to the sign of the effect.

    >>> dale(torch.tensor([[1.0, -2.0, 3.0], [-1.0, 2.0, 3.0]]), num_inhibitory=1).tolist()
    [[1.0, 2.0, -3.0], [1.0, 2.0, -3.0]]
    """
    check_signal("dale", "weight", weight, layout="[N_out, N_in]", dims=2)
    check_finite("dale", "weight", weight)
    check_whole("dale", low=0, high=weight.shape[1], num_inhibitory=num_inhibitory)
    sign = torch.ones_like(weight[0])
    sign[weight.shape[1] - int(num_inhibitory):] = -1
    return weight.abs() * sign


def obeys_dale(weight):
    """Tell of each sending neuron whether all its synapses have one sign; zeros are no synapses.

    Args:
        weight: weights, [N_out, N_in].

    Returns:
        [N_in], bool.

    Raises:
        TypeError: weight not a floating-point tensor.
        ValueError: weight not [N_out, N_in], NaN in it.

    Source: Dale's law, as in `dale`.

    >>> obeys_dale(torch.tensor([[1.0, -2.0, 3.0], [0.0, 2.0, 3.0]])).tolist()
    [True, False, True]
    """
    check_signal("obeys_dale", "weight", weight, layout="[N_out, N_in]", dims=2)
    check_finite("obeys_dale", "weight", weight, infinity=True)
    return (weight >= 0).all(0) | (weight <= 0).all(0)


def draw_synapses(num_excitatory, num_inhibitory, inputs, weight, inhibition, generator=None):
    """Draw a random recurrent network: every neuron hears equally many excitatory and equally many inhibitory ones.

    W[i, j] = weight for `inputs[0]` excitatory j, -inhibition weight for `inputs[1]` inhibitory j, else 0

    Args:
        num_excitatory, num_inhibitory: neurons of both kinds; the inhibitory ones are the last.
        inputs: (excitatory, inhibitory) synapses onto each neuron.
        weight: of an excitatory synapse, in thresholds, positive.
        inhibition: how many times as strong an inhibitory synapse is, 0 or more; often called g.
        generator: torch.Generator of the wiring; torch's global one by default.

    Returns:
        Weights, [N, N], float32; W[i, j] leads from j to i. No neuron hears itself twice, one may hear itself once.

    Raises:
        TypeError: weight or inhibition not a number, generator not a torch.Generator.
        ValueError: sizes not whole or out of range, more synapses than neurons, weight not positive, inhibition negative.

    Source: the network of Brunel (2000), doi:10.1023/A:1008925309027, in steps and without random input.

    >>> weight = draw_synapses(8, 2, (4, 1), 0.5, 3.0, torch.Generator().manual_seed(0))
    >>> weight.shape, weight.sum(1).unique().tolist()
    (torch.Size([10, 10]), [0.5])
    """
    check_whole("draw_synapses", num_excitatory=num_excitatory, num_inhibitory=num_inhibitory)
    check_affordable("draw_synapses", "num_excitatory", num_excitatory + num_inhibitory, num_excitatory + num_inhibitory)
    check_that("draw_synapses", isinstance(inputs, (tuple, list)) and len(inputs) == 2,
               f"inputs must be the pair (excitatory, inhibitory), got {inputs!r}.", TypeError)
    check_whole("draw_synapses", low=0, high=num_excitatory, **{"inputs[0]": inputs[0]})
    check_whole("draw_synapses", low=0, high=num_inhibitory, **{"inputs[1]": inputs[1]})
    check_numbers("draw_synapses", above=0, weight=weight)
    check_numbers("draw_synapses", low=0, inhibition=inhibition)
    check_generator("draw_synapses", generator)
    count = int(num_excitatory) + int(num_inhibitory)
    halves = []
    for size, heard, strength in ((int(num_excitatory), int(inputs[0]), float(weight)),
                                  (int(num_inhibitory), int(inputs[1]), -float(inhibition) * float(weight))):
        half = torch.zeros(count, size)
        half.scatter_(1, torch.rand(count, size, generator=generator).argsort(1)[:, :heard], strength)
        halves.append(half)
    return torch.cat(halves, 1)


def interval_cv(spk):
    """Measure how irregular spike trains are: standard deviation over mean of the intervals, train by train, then averaged.

    CV = std / mean;    0 for a clock, sqrt(1 - p) for a coin tossed at every step, 1 for a Poisson train

    Args:
        spk: spikes, [T, ...]; each place along the other axes is one train.

    Returns:
        The mean CV over the trains with at least three intervals, a float; NaN if there is none.

    Raises:
        TypeError: spk not a floating-point tensor.
        ValueError: no spikes 0 or 1.

    Source: Gerstner and Kistler, Spiking Neuron Models (2002), section 5.2. Pooled over trains it would mix their rates in.

    >>> interval_cv(torch.tensor([1.0, 0, 1, 0, 1, 0, 1]))
    0.0
    """
    check_signal("interval_cv", "spk", spk, layout="[T, ...] (time first)")
    check_spikes("interval_cv", "spk", spk)
    found = []
    for train in spk.detach().reshape(len(spk), -1).T:
        gaps = train.nonzero().flatten().diff().double()
        if len(gaps) > 2:
            found.append((gaps.std(unbiased=False) / gaps.mean()).item())
    return sum(found) / len(found) if found else math.nan


def synchrony(spk):
    """Measure how much neurons fire together: the variance of their sum over that of independent neurons.

    chi = var over t of sum over i of spk[t, i]  /  sum over i of var over t of spk[t, i]

    Args:
        spk: spikes of one run, [T, N].

    Returns:
        A float: 1 for independent neurons, N where all fire together, NaN where nothing varies.

    Raises:
        TypeError: spk not a floating-point tensor.
        ValueError: spk not [T, N], no spikes 0 or 1, fewer than two steps.

    Source: the ratio of Golomb (2007), doi:10.4249/scholarpedia.1347, without its square root and with spikes for membranes.

    >>> synchrony(torch.tensor([[1.0, 1.0], [0.0, 0.0], [1.0, 1.0], [0.0, 0.0]]))
    2.0
    """
    check_signal("synchrony", "spk", spk, layout="[T, N] (time first, one run)", dims=2)
    check_spikes("synchrony", "spk", spk)
    check_that("synchrony", len(spk) > 1, "spk must have at least two steps, got one.")
    spk = spk.detach().double()
    apart = spk.var(0).sum().item()
    return spk.sum(1).var().item() / apart if apart else math.nan
