"""Answers to the exercises of notebook 22 that are functions: the right one and the wrong ones that people give."""
import math

import torch

from ...neurons import lif


def draw(seed, *shape):
    """Numbers for a case."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# 22.2: the step of spytorch

def superspike_step(x, mem, syn, alpha, beta):
    spk = (mem > 1).float()                                           # fire
    mem = beta * mem + syn - spk                                      # leak, add, reset
    syn = alpha * syn + x                                             # fade, hear
    return spk, mem, syn


def heard_at_once(x, mem, syn, alpha, beta):
    """The membrane takes the new current."""
    spk = (mem > 1).float()
    syn = alpha * syn + x
    return spk, beta * mem + syn - spk, syn


def fired_at_the_end(x, mem, syn, alpha, beta):
    """The spike is that of the new potential, and is taken off there."""
    mem = beta * mem + syn
    spk = (mem > 1).float()
    return spk, mem - spk, alpha * syn + x


def told_at_the_end(x, mem, syn, alpha, beta):
    """The old spike is taken off, the new one returned."""
    mem = beta * mem + syn - (mem > 1).float()
    return (mem > 1).float(), mem, alpha * syn + x


def reset_first(x, mem, syn, alpha, beta):
    """The threshold is taken off before the leak."""
    spk = (mem > 1).float()
    return spk, beta * (mem - spk) + syn, alpha * syn + x


def never_reset(x, mem, syn, alpha, beta):
    """The verb reset is missing."""
    return (mem > 1).float(), beta * mem + syn, alpha * syn + x


def fading_what_comes(x, mem, syn, alpha, beta):
    """Hear, then fade."""
    spk = (mem > 1).float()
    return spk, beta * mem + syn - spk, alpha * (syn + x)


def in_another_order(x, mem, syn, alpha, beta):
    """The potential first."""
    spk, mem, syn = superspike_step(x, mem, syn, alpha, beta)
    return mem, spk, syn


def set_to_zero(x, mem, syn, alpha, beta):
    """A reset to zero, where spytorch subtracts."""
    spk = (mem > 1).float()
    return spk, (1 - spk) * (beta * mem + syn), alpha * syn + x


# 22.4: another step

def other_step(beta, dt, new_dt):
    new = beta ** (new_dt / dt)
    return new, (1 - new) / (1 - beta)


def times_by_steps(beta, dt, new_dt):
    """The ratio of the steps, which is right for slow neurons only."""
    return beta ** (new_dt / dt), new_dt / dt


def scaled_anew(beta, dt, new_dt):
    """The whole new factor, as if the weights had been scaled to begin with."""
    new = beta ** (new_dt / dt)
    return new, 1 - new


def old_decay(beta, dt, new_dt):
    """The decay stays."""
    return beta, new_dt / dt


def weights_kept(beta, dt, new_dt):
    """The weights stay."""
    return beta ** (new_dt / dt), 1.0


def straight(beta, dt, new_dt):
    """Euler's decay."""
    new = 1 - (1 - beta) * new_dt / dt
    return new, (1 - new) / (1 - beta)


def upside_down(beta, dt, new_dt):
    """The factor of the other direction."""
    new, factor = other_step(beta, dt, new_dt)
    return new, 1 / factor


def turned_round(beta, dt, new_dt):
    """From the new step to the old."""
    return other_step(beta, new_dt, dt)


# 22.6: a network of LIFNodes, run with lif

def carried(x, layers, tau, decay_input, v_threshold, v_reset):
    beta = 1 - 1 / tau
    scale = 1 / tau if decay_input else 1.0
    if v_reset is None:
        reset, threshold = "subtract_decayed", v_threshold
    else:
        reset, threshold = "zero", v_threshold - v_reset
    for weight, bias in layers:
        x, _ = lif(scale * (x @ weight.T + bias), beta, threshold, reset=reset)
    return x


def _wrong(x, layers, tau, decay_input, v_threshold, v_reset, *, beta=None, scale=None, bias_scale=None, reset=None,
           threshold=None):
    right = 1 / tau if decay_input else 1.0
    scale = right if scale is None else scale
    usual = ("subtract_decayed", v_threshold) if v_reset is None else ("zero", v_threshold - v_reset)
    for weight, bias in layers:
        current = scale * x @ weight.T + (scale if bias_scale is None else bias_scale) * bias
        x, _ = lif(current, 1 - 1 / tau if beta is None else beta, threshold or usual[1], reset=reset or usual[0])
    return x


def exact_decay(x, layers, tau, decay_input, v_threshold, v_reset):
    """exp(-1 / tau)."""
    return _wrong(x, layers, tau, decay_input, v_threshold, v_reset, beta=math.exp(-1 / tau))


def unscaled(x, layers, tau, decay_input, v_threshold, v_reset):
    """The input goes in as it is."""
    return _wrong(x, layers, tau, decay_input, v_threshold, v_reset, scale=1.0)


def always_scaled(x, layers, tau, decay_input, v_threshold, v_reset):
    """decay_input is not asked."""
    return _wrong(x, layers, tau, decay_input, v_threshold, v_reset, scale=1 / tau)


def bias_forgotten(x, layers, tau, decay_input, v_threshold, v_reset):
    """Only the weights are scaled."""
    return _wrong(x, layers, tau, decay_input, v_threshold, v_reset, bias_scale=1.0)


def always_subtracts(x, layers, tau, decay_input, v_threshold, v_reset):
    """The course's default reset for all."""
    return _wrong(x, layers, tau, decay_input, v_threshold, v_reset, reset="subtract")


def late_subtraction(x, layers, tau, decay_input, v_threshold, v_reset):
    """The soft reset after the leak."""
    return _wrong(x, layers, tau, decay_input, v_threshold, v_reset, reset="subtract" if v_reset is None else "zero")


def zero_taken_for_none(x, layers, tau, decay_input, v_threshold, v_reset):
    """`if v_reset:`, which is false at 0.0, too."""
    return carried(x, layers, tau, decay_input, v_threshold, v_reset or None)


def only_the_kind(x, layers, tau, decay_input, v_threshold, v_reset):
    """The course's words for subtraction and zero, and nothing moved."""
    return _wrong(x, layers, tau, decay_input, v_threshold, v_reset, reset="subtract" if v_reset is None else "zero",
                  threshold=v_threshold)


def always_to_zero(x, layers, tau, decay_input, v_threshold, v_reset):
    """v_reset=None is taken for zero."""
    return _wrong(x, layers, tau, decay_input, v_threshold, v_reset, reset="zero")


def unmoved_threshold(x, layers, tau, decay_input, v_threshold, v_reset):
    """The rest is not taken off the threshold."""
    return _wrong(x, layers, tau, decay_input, v_threshold, v_reset, threshold=v_threshold)


def moved_up(x, layers, tau, decay_input, v_threshold, v_reset):
    """The rest is added to the threshold."""
    return _wrong(x, layers, tau, decay_input, v_threshold, v_reset, threshold=v_threshold + (v_reset or 0))


def first_layer_only(x, layers, tau, decay_input, v_threshold, v_reset):
    """Later layers get spikes, so they are taken to need no scale."""
    first = carried(x, layers[:1], tau, decay_input, v_threshold, v_reset)
    return carried(first, [(weight * tau, bias * tau) for weight, bias in layers[1:]] if decay_input else layers[1:], tau,
                   decay_input, v_threshold, v_reset)


def network(seed, gain, *sizes):
    """Weights and biases for a case, large enough to fire."""
    layers = []
    for into, out in zip(sizes, sizes[1:], strict=False):
        weight, bias = draw(seed, out, into), draw(seed + 1, out)
        layers.append((gain * (weight + 0.2) / into**0.5, 0.3 * gain * bias))
        seed += 2
    return tuple(layers)
