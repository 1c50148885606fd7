"""Neurons with one number more than the LIF: current-based, alpha, recurrent, adaptive, refractory; whole sequences at once."""
import math

import torch
from torch.autograd.function import once_differentiable

from ._arguments import (
    check_beta,
    check_dtype,
    check_finite,
    check_flags,
    check_number,
    check_numbers,
    check_option,
    check_per_neuron,
    check_positive,
    check_shape,
    check_signal,
    check_surrogate,
    check_that,
    check_whole,
)
from .kernels import low_pass
from .neurons import RESETS, lif, lif_step
from .surrogate import atan, spike


def _check_zoo(owner, x, state, names, threshold, surrogate, reset, detach_reset):
    check_signal(owner, "x", x, layout="[T, B, N] (time first)", min_dims=3,
                 hint=" For batch-first data use x.transpose(0, 1).")
    if state is not None:
        check_that(owner, isinstance(state, (tuple, list)) and len(state) == len(names.split()),
                   f"state must be the {len(names.split())} tensors ({', '.join(names.split())}), got {type(state).__name__}. "
                   f"Continue a run with state=({', '.join(f'{name}[-1]' for name in names.split())}).", TypeError)
        _check_parts(owner, names, state, x, x.shape[1:])
    _check_rules(owner, threshold, surrogate, reset, detach_reset)


def _check_one_step(owner, x, names, state, threshold, surrogate, reset, detach_reset):
    check_signal(owner, "x", x, layout="[B, ...]", min_dims=2,
                 hint=f" For a whole sequence [T, B, N] use {owner.removesuffix('_step')}.")
    _check_parts(owner, names, state, x, x.shape)
    _check_rules(owner, threshold, surrogate, reset, detach_reset)


def _check_parts(owner, names, state, x, step):
    for name, value in zip(names.split(), state):
        check_shape(owner, name, value, step, "like one step of x", " Start with torch.zeros_like(x).")
        check_dtype(owner, name, value, "x", x)
        check_finite(owner, name, value)


def _check_rules(owner, threshold, surrogate, reset, detach_reset):
    check_number(owner, "threshold", threshold)
    check_positive(owner, threshold=threshold)
    check_option(owner, "reset", reset, RESETS)
    check_surrogate(owner, surrogate)
    check_flags(owner, detach_reset=detach_reset)


def _check_recurrent(owner, recurrent, x, step):
    check_signal(owner, "recurrent", recurrent, layout="[N], one weight a neuron, or [N, N], a row for each receiver")
    check_dtype(owner, "recurrent", recurrent, "x", x)
    check_that(owner, tuple(recurrent.shape) in ((step[-1],), (step[-1],) * 2) and (recurrent.dim() == 1 or len(step) == 2),
               f"recurrent must be [{step[-1]}], or [{step[-1]}, {step[-1]}] for x of one axis of neurons, got shape "
               f"{tuple(recurrent.shape)}.")


def _check_adaptation(owner, rho, strength, x, step):
    check_beta(owner, rho, x, step, name="rho")
    check_per_neuron(owner, "strength", strength, x, step)
    if not isinstance(strength, torch.Tensor):
        check_numbers(owner, strength=strength)


def cuba_lif_step(x, mem, spk, syn, alpha, beta, threshold=1.0, *, surrogate=atan(), reset="subtract", detach_reset=True):
    """Advance a layer of current-based neurons by one time step.

    syn[t] = alpha * syn[t-1] + x[t],    mem[t] = beta * mem[t-1] + syn[t] - threshold * spk[t-1]

    Args:
        x: input, [B, ...], in units of the threshold.
        mem, spk, syn: membrane potential, spikes and synaptic current of the step before, [B, ...] each.
        alpha, beta: decay per step of the current and of the membrane, between 0 and 1; float, or tensor (scalar or [N]).
        threshold, surrogate, reset, detach_reset: as in `lif_step`; the reset leaves the current alone.

    Returns:
        (spk, mem, syn) of this step, [B, ...] each.

    Raises:
        TypeError, ValueError: as `lif_step`.

    Source: Eshraghian et al. (2023), box on neuron models; the current acts in the step in which it comes.

    >>> zero = torch.zeros(1, 1)
    >>> spk, mem, syn = cuba_lif_step(torch.full((1, 1), 0.5), zero, zero, zero, alpha=0.8, beta=0.9)
    >>> spk, mem, syn = cuba_lif_step(zero, mem, spk, syn, alpha=0.8, beta=0.9)
    >>> round(mem.item(), 2), round(syn.item(), 2)
    (0.85, 0.4)
    """
    _check_one_step("cuba_lif_step", x, "mem spk syn", (mem, spk, syn), threshold, surrogate, reset, detach_reset)
    check_beta("cuba_lif_step", alpha, x, x.shape, name="alpha")
    check_beta("cuba_lif_step", beta, x, x.shape)
    check_finite("cuba_lif_step", "x", x)
    syn = alpha * syn + x
    return *lif_step(syn, mem, spk, beta, threshold, surrogate=surrogate, reset=reset, detach_reset=detach_reset), syn


def cuba_lif(x, alpha, beta, threshold=1.0, *, surrogate=atan(), reset="subtract", detach_reset=True, state=None):
    """Run a layer of current-based neurons: the input charges a leaky synapse, and the synapse a leaky membrane.

    syn[t] = alpha * syn[t-1] + x[t],    mem[t] = beta * mem[t-1] + syn[t] - threshold * spk[t-1]

    Args:
        x: input, [T, B, ...], in units of the threshold.
        alpha, beta: decay per step of the current and of the membrane, between 0 and 1; float, or tensor (scalar or [N]).
        threshold, surrogate, reset, detach_reset: as in `lif`; the reset leaves the current alone.
        state: (mem, spk, syn) of the step before, [B, ...] each; zeros by default.

    Returns:
        (spk, mem, syn), [T, B, ...] each. Continue a run with state=(mem[-1], spk[-1], syn[-1]).

    Raises:
        TypeError, ValueError: as `lif`; alpha outside [0, 1].

    Source: Eshraghian et al. (2023), box on neuron models; the same numbers as `cuba_lif_step` in a loop.

    >>> pulse = torch.zeros(20, 1, 1); pulse[0] = 0.1
    >>> spk, mem, syn = cuba_lif(pulse, alpha=0.9, beta=0.8)
    >>> int(mem.argmax()), round(mem.max().item(), 4)
    (5, 0.2693)
    """
    _check_zoo("cuba_lif", x, state, "mem spk syn", threshold, surrogate, reset, detach_reset)
    check_beta("cuba_lif", alpha, x, x.shape[1:], name="alpha")
    check_beta("cuba_lif", beta, x, x.shape[1:])
    check_finite("cuba_lif", "x", x)
    syn = low_pass(x, alpha, None if state is None else state[2])
    spk, mem = lif(syn, beta, threshold, surrogate=surrogate, reset=reset, detach_reset=detach_reset,
                   state=None if state is None else state[:2])
    return spk, mem, syn


def _decay(tau):
    return torch.exp(-1 / tau) if isinstance(tau, torch.Tensor) else math.exp(-1 / tau)


def alpha_lif_step(x, mem, spk, syn, tau, threshold=1.0, *, surrogate=atan(), reset="subtract", detach_reset=True):
    """Advance a layer of alpha neurons by one time step.

    mem[t] = lam * (mem[t-1] + e/tau * syn[t-1]) - threshold * spk[t-1],    syn[t] = lam * syn[t-1] + x[t],    lam = exp(-1/tau)

    Args:
        x: input, [B, ...]; the membrane feels it from the next step on.
        mem, spk, syn: membrane potential, spikes and current of the step before, [B, ...] each.
        tau: steps from a spike to the peak of the potential that it causes, positive; float, or tensor (scalar or [N]).
        threshold, surrogate, reset, detach_reset: as in `lif_step`; the reset leaves the current alone.

    Returns:
        (spk, mem, syn) of this step, [B, ...] each.

    Raises:
        TypeError, ValueError: as `lif_step`; tau not positive.

    Source: Rall (1967), doi:10.1152/jn.1967.30.5.1138, for the alpha function; the recursion is exact.

    >>> zero = torch.zeros(1, 1)
    >>> spk, mem, syn = alpha_lif_step(torch.ones(1, 1), zero, zero, zero, tau=2.0)
    >>> spk, mem, syn = alpha_lif_step(zero, mem, spk, syn, tau=2.0)
    >>> round(mem.item(), 3)
    0.824
    """
    _check_one_step("alpha_lif_step", x, "mem spk syn", (mem, spk, syn), threshold, surrogate, reset, detach_reset)
    check_positive("alpha_lif_step", tau=tau)
    check_per_neuron("alpha_lif_step", "tau", tau, x, x.shape)
    check_finite("alpha_lif_step", "x", x)
    lam = _decay(tau)
    spk, mem = lif_step(lam * math.e / tau * syn, mem, spk, lam, threshold, surrogate=surrogate, reset=reset,
                        detach_reset=detach_reset)
    return spk, mem, lam * syn + x


def alpha_lif(x, tau, threshold=1.0, *, surrogate=atan(), reset="subtract", detach_reset=True, state=None):
    """Run a layer of neurons on whose membrane each input spike leaves an alpha function of peak 1.

    mem[t] = lam * (mem[t-1] + e/tau * syn[t-1]) - threshold * spk[t-1],    syn[t] = lam * syn[t-1] + x[t],    lam = exp(-1/tau)

    Args:
        x: input, [T, B, ...]; the membrane feels it from the next step on.
        tau: steps from a spike to the peak of the potential that it causes, positive; float, or tensor (scalar or [N]).
        threshold, surrogate, reset, detach_reset: as in `lif`; the reset leaves the current alone.
        state: (mem, spk, syn) of the step before, [B, ...] each; zeros by default.

    Returns:
        (spk, mem, syn), [T, B, ...] each. Continue a run with state=(mem[-1], spk[-1], syn[-1]).

    Raises:
        TypeError, ValueError: as `lif`; tau not positive.

    Source: Rall (1967), doi:10.1152/jn.1967.30.5.1138; a spike response model (Gerstner, 1995) with two states and no history.

    >>> pulse = torch.zeros(20, 1, 1); pulse[0] = 0.5
    >>> spk, mem, syn = alpha_lif(pulse, tau=5.0)
    >>> int(mem.argmax()), round(mem.max().item(), 4)
    (5, 0.5)
    """
    _check_zoo("alpha_lif", x, state, "mem spk syn", threshold, surrogate, reset, detach_reset)
    check_positive("alpha_lif", tau=tau)
    check_per_neuron("alpha_lif", "tau", tau, x, x.shape[1:])
    check_finite("alpha_lif", "x", x)
    lam = _decay(tau)
    before = x.new_zeros(x.shape[1:]) if state is None else state[2]
    syn = low_pass(x, lam, before)
    late = torch.cat([before[None], syn[:-1]])                                     # a step late: the rise begins at zero
    spk, mem = lif(lam * math.e / tau * late, lam, threshold, surrogate=surrogate, reset=reset, detach_reset=detach_reset,
                   state=None if state is None else state[:2])
    return spk, mem, syn


def recurrent_lif_step(x, mem, spk, beta, recurrent, threshold=1.0, *, surrogate=atan(), reset="subtract", detach_reset=True):
    """Advance a layer of neurons that hear each other's spikes by one time step.

    mem[t] = beta * mem[t-1] + x[t] + V spk[t-1] - threshold * spk[t-1]

    Args:
        x: input, [B, N], in units of the threshold.
        mem, spk: membrane potential and spikes of the step before, [B, N] each.
        beta: membrane decay per step, between 0 and 1; float, or tensor (scalar or [N]).
        recurrent: V, [N] (each neuron hears itself: one-to-one) or [N, N] (a row for each receiver: all-to-all).
        threshold, surrogate, reset: as in `lif_step`.
        detach_reset: keep the reset out of the gradient; what comes back through V always carries it.

    Returns:
        (spk, mem) of this step, [B, N] each.

    Raises:
        TypeError, ValueError: as `lif_step`; recurrent neither [N] nor [N, N].

    Source: Eshraghian et al. (2023), box on neuron models.

    >>> one = torch.ones(1, 1)
    >>> spk, mem = recurrent_lif_step(0 * one, one, one, beta=0.9, recurrent=torch.tensor([1.2]))
    >>> spk.item(), round(mem.item(), 2)
    (1.0, 1.1)
    """
    _check_one_step("recurrent_lif_step", x, "mem spk", (mem, spk), threshold, surrogate, reset, detach_reset)
    check_beta("recurrent_lif_step", beta, x, x.shape)
    _check_recurrent("recurrent_lif_step", recurrent, x, x.shape)
    check_finite("recurrent_lif_step", "x", x)
    check_finite("recurrent_lif_step", "recurrent", recurrent)
    heard = spk * recurrent if recurrent.dim() == 1 else spk @ recurrent.T         # [B, N]
    return lif_step(x + heard, mem, spk, beta, threshold, surrogate=surrogate, reset=reset, detach_reset=detach_reset)


def recurrent_lif(x, beta, recurrent, threshold=1.0, *, surrogate=atan(), reset="subtract", detach_reset=True, state=None):
    """Run a layer of neurons that hear each other's spikes, one step late.

    mem[t] = beta * mem[t-1] + x[t] + V spk[t-1] - threshold * spk[t-1]

    Args:
        x: input, [T, B, N], in units of the threshold.
        beta: membrane decay per step, between 0 and 1; float, or tensor (scalar or [N]).
        recurrent: V, [N] (each neuron hears itself: one-to-one) or [N, N] (a row for each receiver: all-to-all).
        threshold, surrogate, reset: as in `lif`.
        detach_reset: keep the reset out of the gradient; what comes back through V always carries it.
        state: (mem, spk) of the step before, [B, N] each; zeros by default.

    Returns:
        (spk, mem), [T, B, N] each. Continue a run with state=(mem[-1], spk[-1]).

    Raises:
        TypeError, ValueError: as `lif`; recurrent neither [N] nor [N, N].

    Source: Eshraghian et al. (2023), box on neuron models; the same numbers as `recurrent_lif_step` in a loop.

    >>> kick = torch.zeros(50, 1, 2); kick[0] = 1.5
    >>> recurrent_lif(kick, 0.9, torch.tensor([1.05, 1.15]))[0].sum(0).tolist()
    [[7.0, 50.0]]
    """
    _check_zoo("recurrent_lif", x, state, "mem spk", threshold, surrogate, reset, detach_reset)
    check_beta("recurrent_lif", beta, x, x.shape[1:])
    _check_recurrent("recurrent_lif", recurrent, x, x.shape[1:])
    check_finite("recurrent_lif", "recurrent", recurrent)
    mem, spk = (x.new_zeros(x.shape[1:]),) * 2 if state is None else state
    spk, mem, *_ = _Loop.apply(x, beta, recurrent, None, None, mem, spk, None, None, float(threshold), 0, surrogate, reset,
                               detach_reset)
    check_finite("recurrent_lif", "the membrane", mem[-1])
    return spk, mem


def adaptive_lif_step(x, mem, spk, ada, beta, rho, strength, threshold=1.0, *, surrogate=atan(), reset="subtract",
                      detach_reset=True):
    """Advance a layer of neurons whose threshold rises with every spike by one time step.

    ada[t] = rho * ada[t-1] + (1 - rho) * spk[t-1],    spk[t] = 1 if mem[t] > threshold + strength * ada[t] else 0

    Args:
        x: input, [B, ...], in units of the threshold; what other neurons of the layer send is part of it.
        mem, spk, ada: membrane potential, spikes and adaptation of the step before, [B, ...] each.
        beta, rho: decay per step of the membrane and of the adaptation, between 0 and 1; float, or tensor (scalar or [N]).
        strength: how far the threshold rises at ada = 1; float, or tensor (scalar or [N]).
        threshold: threshold at rest, positive; the reset takes this much, whatever the threshold has become.
        surrogate, reset, detach_reset: as in `lif_step`.

    Returns:
        (spk, mem, ada) of this step, [B, ...] each.

    Raises:
        TypeError, ValueError: as `lif_step`; rho outside [0, 1], strength not finite.

    Source: Bellec et al. (2020), doi:10.1038/s41467-020-17236-y; Eshraghian et al. (2023), section IV-D.

    >>> one = torch.ones(1, 1)
    >>> spk, mem, ada = adaptive_lif_step(one, one, one, 0 * one, beta=0.9, rho=0.8, strength=2.0)
    >>> spk.item(), round(mem.item(), 2), round(ada.item(), 2)
    (0.0, 0.9, 0.2)
    """
    _check_one_step("adaptive_lif_step", x, "mem spk ada", (mem, spk, ada), threshold, surrogate, reset, detach_reset)
    check_beta("adaptive_lif_step", beta, x, x.shape)
    _check_adaptation("adaptive_lif_step", rho, strength, x, x.shape)
    check_finite("adaptive_lif_step", "x", x)
    ada = rho * ada + (1 - rho) * spk
    _, mem = lif_step(x, mem, spk, beta, threshold, surrogate=surrogate, reset=reset, detach_reset=detach_reset)
    return spike(mem - strength * ada - threshold, surrogate), mem, ada


def adaptive_lif(x, beta, rho, strength, threshold=1.0, *, recurrent=None, surrogate=atan(), reset="subtract",
                 detach_reset=True, state=None):
    """Run a layer of neurons whose threshold rises with every spike and falls back slowly.

    ada[t] = rho * ada[t-1] + (1 - rho) * spk[t-1],    spk[t] = 1 if mem[t] > threshold + strength * ada[t] else 0

    Args:
        x: input, [T, B, ...], in units of the threshold.
        beta, rho: decay per step of the membrane and of the adaptation, between 0 and 1; float, or tensor (scalar or [N]).
        strength: how far the threshold rises at ada = 1; float, or tensor (scalar or [N]).
        threshold: threshold at rest, positive; the reset takes this much, whatever the threshold has become.
        recurrent: None, or V as in `recurrent_lif`: then this is the layer of a long short-term memory of spikes (LSNN).
        surrogate, reset, detach_reset: as in `recurrent_lif`; adaptation always carries gradients.
        state: (mem, spk, ada) of the step before, [B, ...] each; zeros by default.

    Returns:
        (spk, mem, ada), [T, B, ...] each. Continue a run with state=(mem[-1], spk[-1], ada[-1]).

    Raises:
        TypeError, ValueError: as `recurrent_lif`; rho outside [0, 1], strength not finite.

    Source: Bellec et al. (2020), doi:10.1038/s41467-020-17236-y; Eshraghian et al. (2023), section IV-D.

    >>> spk, mem, ada = adaptive_lif(torch.full((1000, 1, 1), 0.5), beta=0.9, rho=0.98, strength=4.0)
    >>> int(spk[:100].sum()), int(spk[-100:].sum())
    (33, 30)
    """
    _check_zoo("adaptive_lif", x, state, "mem spk ada", threshold, surrogate, reset, detach_reset)
    check_beta("adaptive_lif", beta, x, x.shape[1:])
    _check_adaptation("adaptive_lif", rho, strength, x, x.shape[1:])
    if recurrent is not None:
        _check_recurrent("adaptive_lif", recurrent, x, x.shape[1:])
        check_finite("adaptive_lif", "recurrent", recurrent)
    mem, spk, ada = (x.new_zeros(x.shape[1:]),) * 3 if state is None else state
    spk, mem, ada, _ = _Loop.apply(x, beta, recurrent, rho, strength, mem, spk, ada, None, float(threshold), 0, surrogate,
                                   reset, detach_reset)
    check_finite("adaptive_lif", "the membrane", mem[-1])
    return spk, mem, ada


def refractory_lif(x, beta, refractory, threshold=1.0, *, rho=0.9, strength=0.0, surrogate=atan(), reset="subtract",
                   detach_reset=True, state=None):
    """Run a layer of neurons that rest after each spike: absolutely for whole steps, then relatively, by a raised threshold.

    wait[t] = refractory where it fires, else wait[t-1] - 1;    mem[t] = 0 and spk[t] = 0 while wait[t-1] > 0

    Args:
        x: input, [T, B, ...], in units of the threshold; what comes in while a neuron rests is lost.
        beta: membrane decay per step, between 0 and 1; float, or tensor (scalar or [N]).
        refractory: steps without a spike after each spike, a whole number of at least 0; a dead time of 5.5 steps does not
            exist, and 1 allows a spike in every second step.
        threshold, surrogate, reset, detach_reset: as in `lif`; with refractory > 0 nothing is left for a reset to change.
        rho, strength: decay and strength of an adaptive threshold, as in `adaptive_lif`; 0 is none.
        state: (mem, spk, ada, wait) of the step before, [B, ...] each; zeros by default.

    Returns:
        (spk, mem, ada, wait), [T, B, ...] each. Continue a run with the last step of (mem, spk, ada, wait).

    Raises:
        TypeError, ValueError: as `adaptive_lif`; refractory not a whole number of at least 0.

    Source: Lapicque (1907) with a dead time; rate 1 / (refractory + steps to threshold).

    >>> spk, *_ = refractory_lif(torch.full((100, 1, 1), 2.0), beta=0.9, refractory=4)
    >>> int(spk.sum())
    20
    """
    _check_zoo("refractory_lif", x, state, "mem spk ada wait", threshold, surrogate, reset, detach_reset)
    check_beta("refractory_lif", beta, x, x.shape[1:])
    check_whole("refractory_lif", low=0, high=2**20, refractory=refractory)
    _check_adaptation("refractory_lif", rho, strength, x, x.shape[1:])
    mem, spk, ada, wait = (x.new_zeros(x.shape[1:]),) * 4 if state is None else state
    spk, mem, ada, wait = _Loop.apply(x, beta, None, rho, strength, mem, spk, ada, wait, float(threshold), int(refractory),
                                      surrogate, reset, detach_reset)
    check_finite("refractory_lif", "the membrane", mem[-1])
    return spk, mem, ada, wait


class _Loop(torch.autograd.Function):
    """Spikes that come back: through `recurrent` to the current, through `strength` to the threshold, through `wait`."""

    @staticmethod
    def forward(ctx, x, beta, recurrent, rho, strength, mem, spk, ada, wait, threshold, refractory, surrogate, reset, detach):
        start, constants = (mem, spk, ada, wait), (beta, rho, strength)
        record = tuple(None if part is None else x.new_empty(x.shape) for part in start)
        before = start
        for x_t, now in zip(x, zip(*(len(x) * [None] if part is None else part.unbind(0) for part in record), strict=True)):
            _advance(now, before, x_t, beta, recurrent, rho, strength, threshold, refractory, reset)
            before = now
        ctx.save_for_backward(recurrent, *(value if isinstance(value, torch.Tensor) else None for value in constants),
                              *start, *record)
        ctx.options = constants, threshold, surrogate, reset, detach
        ctx.set_materialize_grads(False)
        mem, spk, ada, wait = record
        ctx.mark_non_differentiable(*() if wait is None else (wait,))
        return spk, mem, ada, wait

    @staticmethod
    @once_differentiable
    def backward(ctx, *grads):
        recurrent, beta, rho, strength, *parts = ctx.saved_tensors
        kept, (threshold, surrogate, reset, detach) = (beta, rho, strength), ctx.options[1:]
        beta, rho, strength = (plain if tensor is None else tensor for plain, tensor in zip(ctx.options[0], kept))
        wanted = zip((beta, recurrent, rho, strength), ctx.needs_input_grad[1:5])
        sums = [torch.zeros_like(value) if needed else None for value, needed in wanted]
        start, record = parts[:4], parts[4:]
        steps = len(record[0])
        rows = list(zip(*([None] * (steps + 1) if part is None else [first, *part] for first, part in zip(start, record))))
        given = [(None,) * 3, *zip(*([None] * steps if grad is None else grad.unbind(0) for grad in grads[:3]))]
        at_x, flow = torch.empty_like(record[0]), given[-1]
        for t in range(steps, 0, -1):                                              # row 0 is the state before the first step
            at_u, at_mem, at_ada = _blame(rows[t], rows[t - 1][3], flow, strength, threshold, surrogate, at_x[t - 1])
            _collect(sums, rows[t], rows[t - 1], at_u, at_mem, at_ada, threshold, reset)
            flow = _flow(given[t - 1], rows[t - 1], at_mem, at_ada, beta, recurrent, rho, threshold, reset, detach)
        spk, mem, ada = flow
        return at_x, *sums, mem, spk, ada, *(None,) * 7


def _blame(now, left, flow, strength, threshold, surrogate, out):
    """From the gradients at the spikes, membrane and adaptation of a step: at mem - threshold, the charge, the adaptation."""
    (mem, _, ada, _), (at_spk, at_mem, at_ada) = now, flow
    h = surrogate(mem - threshold if ada is None else _add(mem - threshold, ada, -strength))
    at_u = torch.zeros_like(h) if at_spk is None else h.mul_(at_spk)
    torch.add(at_u, 0 if at_mem is None else at_mem, out=out)
    if left is not None:
        awake = left <= 0
        at_u, out = at_u.mul_(awake), out.mul_(awake)
    return at_u, out, None if ada is None else _plus(at_ada, at_u, -strength)


def _collect(sums, now, before, at_u, at_mem, at_ada, threshold, reset):
    """Add to the gradients of beta, recurrent, rho and strength what one step contributes."""
    (mem, spk, ada, _), (at_beta, at_recurrent, at_rho, at_strength) = before, sums
    if at_beta is not None:
        at_beta += (at_mem * _kept(mem, spk, threshold, reset)).sum_to_size(at_beta.shape)
    if at_recurrent is not None and at_recurrent.dim() == 2:
        at_recurrent.addmm_(at_mem.T, spk)
    elif at_recurrent is not None:
        at_recurrent += (at_mem * spk).sum_to_size(at_recurrent.shape)
    if at_rho is not None:
        at_rho += (at_ada * (ada - spk)).sum_to_size(at_rho.shape)
    if at_strength is not None:
        at_strength -= (at_u * now[2]).sum_to_size(at_strength.shape)


def _flow(given, before, at_mem, at_ada, beta, recurrent, rho, threshold, reset, detach):
    """What reaches the spikes, the membrane and the adaptation of a step: from outside, and from the step after it."""
    (to_spk, to_mem, to_ada), (mem, spk, _, _) = given, before
    stay, leave = _slopes(mem, spk, beta, threshold, reset)
    if recurrent is not None and recurrent.dim() == 2:
        to_spk = at_mem @ recurrent if to_spk is None else torch.addmm(to_spk, at_mem, recurrent)
    elif recurrent is not None:
        to_spk = _plus(to_spk, at_mem, recurrent)
    if not detach:
        to_spk = _plus(to_spk, at_mem, leave)
    if at_ada is not None:
        to_spk, to_ada = _plus(to_spk, at_ada, 1 - rho), _plus(to_ada, at_ada, rho)
    return to_spk, _plus(to_mem, at_mem, stay), to_ada


def _plus(start, value, factor):
    if start is None:
        return value * factor
    return torch.addcmul(start, value, factor) if isinstance(factor, torch.Tensor) else torch.add(start, value, alpha=factor)


def _advance(now, before, x, beta, recurrent, rho, strength, threshold, refractory, reset):
    (mem, spk, ada, wait), (charged, fired, tired, left) = now, before             # written into, [B, ...] each
    _add(torch.add(x, fired, alpha=-threshold, out=mem) if reset == "subtract" else mem.copy_(x),
         _kept(charged, fired, threshold, reset), beta)
    if recurrent is not None:
        mem.addcmul_(fired, recurrent) if recurrent.dim() == 1 else mem.addmm_(fired, recurrent.T)
    if ada is not None:
        _add(torch.mul(tired, rho, out=ada), fired, 1 - rho)
        torch.gt(_add(mem.clone(), ada, -strength), threshold, out=spk)
    else:
        torch.gt(mem, threshold, out=spk)
    if wait is not None:
        awake = left <= 0
        mem.mul_(awake)
        torch.sub(left, 1, out=wait).clamp_(min=0).add_(spk.mul_(awake), alpha=refractory)


def _add(out, value, factor):
    return out.addcmul_(value, factor) if isinstance(factor, torch.Tensor) else out.add_(value, alpha=factor)


def _kept(mem, spk, threshold, reset):
    """What beta multiplies: the membrane, less what its reset takes before the leak."""
    if reset == "subtract_decayed":
        return torch.sub(mem, spk, alpha=threshold)
    return torch.addcmul(mem, mem, spk, value=-1) if reset == "zero" else mem


def _slopes(mem, spk, beta, threshold, reset):
    """The derivatives of the charge of a step with respect to membrane and spike of the step before."""
    if reset == "zero":
        return beta * (1 - spk), -beta * mem
    return beta, {"subtract": -threshold, "subtract_decayed": -threshold * beta, "none": 0.0}[reset]
