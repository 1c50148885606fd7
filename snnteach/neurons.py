"""The leaky integrate-and-fire neuron: one step, a whole sequence with its own backward pass, and a layer."""
import math

import torch
from torch import nn
from torch.autograd.function import once_differentiable

from ._arguments import (
    check_beta,
    check_between,
    check_dtype,
    check_finite,
    check_flags,
    check_number,
    check_numbers,
    check_option,
    check_pair,
    check_per_neuron,
    check_positive,
    check_shape,
    check_signal,
    check_surrogate,
    check_that,
)
from .surrogate import atan, spike

RESETS = ("subtract", "subtract_decayed", "zero", "none")


def _check_state(owner, mem, spk, x, step):
    for name, value in (("mem", mem), ("spk", spk)):
        check_shape(owner, name, value, step, "like one step of x", " Start with torch.zeros_like(x).")
        check_dtype(owner, name, value, "x", x)


def _check_constants(owner, threshold, surrogate, reset, **flags):
    check_number(owner, "threshold", threshold)
    check_positive(owner, threshold=threshold)
    check_option(owner, "reset", reset, RESETS)
    check_surrogate(owner, surrogate)
    check_flags(owner, **flags)


def _check_sequence(owner, x, state):
    check_signal(owner, "x", x, layout="[T, B, N] (time first)", min_dims=3,
                 hint=" For one time step use lif_step; for batch-first data use x.transpose(0, 1).")
    if state is not None:
        check_pair(owner, "state", state, "(mem, spk)", " Continue a run with state=(mem[-1], spk[-1]).")
        _check_state(owner, *state, x, x.shape[1:])


def lif_step(x, mem, spk, beta, threshold=1.0, *, surrogate=atan(), reset="subtract", detach_reset=True):
    """Advance a layer of leaky integrate-and-fire neurons by one time step.

    mem[t] = beta * mem[t-1] + x[t] - threshold * spk[t-1],    spk[t] = 1 if mem[t] > threshold else 0

    Args:
        x: input current, [B, ...], in units of the threshold.
        mem, spk: membrane potential and spikes of the step before, [B, ...].
        beta: membrane decay per step, between 0 and 1; float, or tensor (scalar or [N]).
        threshold: firing threshold, positive.
        surrogate: derivative of the step function, from `snnteach.surrogate`.
        reset: "subtract" (above), "subtract_decayed": beta * (mem - threshold * spk) + x,
            "zero": beta * (1 - spk) * mem + x, or "none": beta * mem + x.
        detach_reset: keep the reset out of the gradient.

    Returns:
        (spk, mem) of this step, [B, ...] each; mem is recorded before its reset.

    Raises:
        TypeError: x not a floating-point tensor, mem or spk not a tensor of its dtype, surrogate not a derivative (atan for
            atan()), threshold not a number, detach_reset neither True nor False.
        ValueError: x not [B, ...], mem or spk of another shape, beta outside [0, 1] or not [N], threshold not positive,
            reset unknown, NaN in the membrane.

    Source: Eshraghian et al. (2023), Eqs. 4 and 5; the reset acts one step late.

    >>> zero = torch.zeros(1, 1)
    >>> spk, mem = lif_step(torch.full((1, 1), 1.2), zero, zero, beta=0.9)
    >>> spk.item(), round(mem.item(), 2)
    (1.0, 1.2)
    """
    check_signal("lif_step", "x", x, layout="[B, ...]", min_dims=2, hint=" For a whole sequence [T, B, N] use lif.")
    _check_state("lif_step", mem, spk, x, x.shape)
    check_beta("lif_step", beta, x, x.shape)
    _check_constants("lif_step", threshold, surrogate, reset, detach_reset=detach_reset)
    threshold, beta = float(threshold), _plain(beta)
    mem = _charge(x, mem, spk.detach() if detach_reset else spk, beta, threshold, reset)
    check_finite("lif_step", "the membrane", mem)
    return spike(mem - threshold, surrogate), mem


def _plain(beta):
    return beta if isinstance(beta, torch.Tensor) else float(beta)         # numpy's numbers too


def _charge(x, mem, spk, beta, threshold, reset):
    if reset == "subtract":
        return beta * mem + x - threshold * spk
    if reset == "subtract_decayed":
        return beta * (mem - threshold * spk) + x
    if reset == "zero":
        return beta * (1 - spk) * mem + x
    return beta * mem + x


def lif(x, beta, threshold=1.0, *, surrogate=atan(), reset="subtract", detach_reset=True, state=None):
    """Run a layer of leaky integrate-and-fire neurons over a whole sequence.

    mem[t] = beta * mem[t-1] + x[t] - threshold * spk[t-1],    spk[t] = 1 if mem[t] > threshold else 0

    The same numbers as `lif_step` in a loop, several times faster: the backward pass through time is written by hand.

    Args:
        x: input current, [T, B, ...], in units of the threshold.
        beta: membrane decay per step, between 0 and 1; float, or tensor (scalar or [N]).
        threshold: firing threshold, positive.
        surrogate: derivative of the step function, from `snnteach.surrogate`.
        reset: "subtract", "subtract_decayed", "zero" or "none", as in `lif_step`.
        detach_reset: keep the reset out of the gradient.
        state: (mem, spk) of the step before, [B, ...] each; zeros by default. Continue a run with (mem[-1], spk[-1]).

    Returns:
        (spk, mem), [T, B, ...] each; mem is recorded before its reset.

    Raises:
        TypeError: x not a floating-point tensor, state not a pair of tensors of its dtype, surrogate not a derivative (atan
            for atan()), threshold not a number, detach_reset neither True nor False.
        ValueError: x not [T, B, ...] or with an empty axis, beta outside [0, 1] or not [N], threshold not positive, reset
            unknown, state of another shape, NaN in the membrane.

    Source: Eshraghian et al. (2023), Eqs. 4 and 5, and section IV-C for the backward pass.

    >>> spk, mem = lif(torch.full((100, 1, 1), 0.3), beta=0.9)
    >>> spk.shape, int(spk.sum())
    (torch.Size([100, 1, 1]), 23)
    """
    _check_sequence("lif", x, state)
    check_beta("lif", beta, x, x.shape[1:])
    _check_constants("lif", threshold, surrogate, reset, detach_reset=detach_reset)
    spk, mem = _sequence(x, _plain(beta), float(threshold), surrogate, reset, detach_reset, state)
    check_finite("lif", "the membrane", mem[-1])
    return spk, mem


def _sequence(x, beta, threshold, surrogate, reset, detach_reset, state):
    mem, spk = (x.new_zeros(x.shape[1:]),) * 2 if state is None else state
    if torch.compiler.is_compiling() and not torch.compiler.is_dynamo_compiling():
        with torch.no_grad():                                             # torch.export takes the forward pass alone
            return _run(x, beta, mem, spk, threshold, reset)
    return _LIF.apply(x, beta, mem, spk, threshold, surrogate, reset, detach_reset)


def _run(x, beta, before, fired, threshold, reset):
    mem, spk = x.new_empty(x.shape), x.new_empty(x.shape)                 # [T, B, ...]
    level = x.new_full((), threshold)                                     # once: a number would become a tensor at every step
    for x_t, mem_t, spk_t in zip(x, mem, spk):                            # views of one step: nothing is copied
        _charge_into(mem_t, x_t, before, fired, beta, threshold, reset)
        torch.gt(mem_t, level, out=spk_t)
        before, fired = mem_t, spk_t
    return spk, mem


class _LIF(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, beta, mem0, spk0, threshold, surrogate, reset, detach_reset):
        spk, mem = _run(x, beta, mem0, spk0, threshold, reset)
        ctx.save_for_backward(mem, spk, mem0, spk0, beta if isinstance(beta, torch.Tensor) else None)
        ctx.options = beta, threshold, surrogate, reset, detach_reset
        ctx.set_materialize_grads(False)                                  # an output that nobody used costs nothing
        return spk, mem

    @staticmethod
    @once_differentiable
    def backward(ctx, grad_spk, grad_mem):
        mem, spk, mem0, spk0, learned_beta = ctx.saved_tensors
        beta, threshold, surrogate, reset, detach_reset = ctx.options
        beta = beta if learned_beta is None else learned_beta
        grad = torch.zeros_like(mem) if grad_spk is None else _through_spike(grad_spk, mem, threshold, surrogate)
        if grad_mem is not None:
            grad += grad_mem
        stay, leave = _influence(mem, spk, beta, threshold, reset)
        step = stay if detach_reset else stay + surrogate(mem - threshold) * leave     # d mem[t+1] / d mem[t]
        _accumulate(grad, step)
        stay0, leave0 = _influence(mem0, spk0, beta, threshold, reset)
        grad_spk0 = None if detach_reset else leave0 * grad[0]
        return grad, _grad_beta(ctx, grad, mem, spk, mem0, spk0, beta), stay0 * grad[0], grad_spk0, None, None, None, None


def _charge_into(out, x, mem, spk, beta, threshold, reset):
    """`_charge` without a temporary: three operations a step that write where the result belongs."""
    if reset == "zero":
        torch.mul(mem, 1 - spk, out=out).mul_(beta).add_(x)
    elif reset == "subtract_decayed":
        torch.sub(mem, spk, alpha=threshold, out=out).mul_(beta).add_(x)
    else:
        if isinstance(beta, torch.Tensor):
            torch.addcmul(x, mem, beta, out=out)
        else:
            torch.add(x, mem, alpha=beta, out=out)
        if reset == "subtract":
            out.sub_(spk, alpha=threshold)


def _through_spike(grad_spk, mem, threshold, surrogate):
    """grad_spk * h(mem - threshold), some steps at a time: small temporaries halve the whole layer's time at N = 1000."""
    grad = torch.empty_like(mem)
    steps = max(1, 2**17 // mem[0].numel())
    for grad_t, mem_t, out in zip(grad_spk.split(steps), mem.split(steps), grad.split(steps)):
        torch.mul(surrogate(mem_t - threshold), grad_t, out=out)
    return grad


def _influence(mem, spk, beta, threshold, reset):
    """d mem[t+1] / d mem[t] with the reset held fixed, and d mem[t+1] / d spk[t]."""
    if reset == "subtract":
        return beta, -threshold
    if reset == "subtract_decayed":
        return beta, -beta * threshold
    if reset == "zero":
        return beta * (1 - spk), -beta * mem
    return beta, 0.0


def _accumulate(grad, step):
    """grad[t] += step[t] * grad[t+1], from the last step back: backpropagation through time."""
    rows = grad.unbind(0)                                                         # [B, ...] each
    if isinstance(step, torch.Tensor):
        for now, later, factor in zip(rows[-2::-1], rows[:0:-1], step.expand(grad.shape).flip(0)[1:]):
            now.addcmul_(factor, later)
    else:
        for now, later in zip(rows[-2::-1], rows[:0:-1]):
            now.add_(later, alpha=step)


def _grad_beta(ctx, grad, mem, spk, mem0, spk0, beta):
    """dL/dbeta = sum over t of grad[t] * (what beta multiplied at step t)."""
    if not ctx.needs_input_grad[1]:
        return None
    _, threshold, _, reset, _ = ctx.options
    before = torch.cat([mem0[None], mem[:-1]])                                    # [T, B, ...]
    fired = torch.cat([spk0[None], spk[:-1]])
    if reset == "zero":
        before = (1 - fired) * before
    elif reset == "subtract_decayed":
        before = before - threshold * fired
    return (grad * before).sum_to_size(beta.shape)


class LIF(nn.Module):
    """A layer of leaky integrate-and-fire neurons with a fixed or a learned membrane decay.

    mem[t] = beta * mem[t-1] + x[t] - threshold * spk[t-1],    beta = sigmoid(logit) where it is learned

    Args:
        beta: membrane decay per step; float or tensor [N]. Strictly between 0 and 1 if it is learned.
        threshold: firing threshold, positive; `layer.threshold` may be set anew, and `state_dict` holds it.
        learn_beta: make the decay a parameter (one for the layer, or one a neuron if beta is [N]).
        surrogate, reset, detach_reset: as in `lif`.

    Returns:
        A module; `forward(x, state=None)` takes [T, B, ...] and returns (spk, mem), [T, B, ...] each. The constants are
        checked here, once. A state_dict without a threshold, of an older version, leaves the threshold as it is.

    Raises:
        TypeError: surrogate not a derivative (atan for atan()), threshold not a number, learn_beta or detach_reset neither
            True nor False.
        ValueError: beta outside [0, 1] (learned: (0, 1)), threshold not positive, reset unknown.

    Source: Eshraghian et al. (2023), Eq. 4 and section IV-C-3 (learnable decay).

    >>> layer = LIF(beta=0.9, learn_beta=True)
    >>> spk, mem = layer(torch.full((100, 1, 1), 0.3))
    >>> int(spk.sum()), round(layer.beta.item(), 3)
    (23, 0.9)
    """

    def __init__(self, beta=0.9, threshold=1.0, *, learn_beta=False, surrogate=atan(), reset="subtract", detach_reset=True):
        super().__init__()
        check_between("LIF", "beta", beta, 0, 1)
        _check_constants("LIF", threshold, surrogate, reset, learn_beta=learn_beta, detach_reset=detach_reset)
        if learn_beta:
            self.logit_beta = nn.Parameter(torch.logit(torch.as_tensor(beta, dtype=torch.get_default_dtype())))
            check_that("LIF", bool(self.logit_beta.isfinite().all()),
                       f"a learned beta must start strictly between 0 and 1, got {beta}.")
        elif isinstance(beta, torch.Tensor):
            self.register_buffer("fixed_beta", beta.detach().clone())
        else:
            self.fixed_beta = float(beta)
        self.threshold, self.learn_beta = float(threshold), learn_beta
        self.surrogate, self.reset, self.detach_reset = surrogate, reset, detach_reset

    @property
    def beta(self):
        """Membrane decay per step; a tensor that carries gradients where it is learned."""
        return torch.sigmoid(self.logit_beta) if self.learn_beta else self.fixed_beta

    def forward(self, x, state=None):
        """Run the layer over x [T, B, ...] and return (spk, mem), [T, B, ...] each."""
        _check_sequence("LIF", x, state)
        check_per_neuron("LIF", "beta", self.beta, x, x.shape[1:])
        spk, mem = _sequence(x, self.beta, self.threshold, self.surrogate, self.reset, self.detach_reset, state)
        check_finite("LIF", "the membrane", mem[-1])
        return spk, mem

    def get_extra_state(self):
        """Return what state_dict holds besides parameters and buffers: the threshold."""
        return torch.tensor(self.threshold, dtype=torch.float64)

    def set_extra_state(self, state):
        """Take the threshold out of a state_dict."""
        self.threshold = float(state)

    def _load_from_state_dict(self, state_dict, prefix, *rest):
        state_dict.setdefault(f"{prefix}_extra_state", self.get_extra_state())     # older versions kept no threshold
        super()._load_from_state_dict(state_dict, prefix, *rest)


def first_spike_step(current, beta, threshold=1.0):
    """Predict at which step a constant current makes a resting neuron fire first.

    n = floor( ln(1 - threshold (1 - beta) / current) / ln beta ) + 1,    the first step being n = 1

    Args:
        current: constant input, a number in units of the threshold.
        beta: membrane decay per step, 0 < beta < 1.
        threshold: firing threshold, positive.

    Returns:
        The step as an int, or math.inf if current <= threshold (1 - beta), the rheobase.

    Raises:
        TypeError: current, beta or threshold not a number.
        ValueError: current not finite, beta outside [0, 1], threshold not positive.

    Source: the step response U[n] = I (1 - beta^n) / (1 - beta) solved for U[n] > threshold.

    >>> first_spike_step(0.2, beta=0.819), first_spike_step(0.09, beta=0.9)
    (12, inf)
    """
    check_numbers("first_spike_step", current=current)
    check_numbers("first_spike_step", low=0, high=1, beta=beta)
    check_numbers("first_spike_step", above=0, threshold=threshold)
    if current <= threshold * (1 - beta):
        return math.inf
    if beta in (0, 1):
        return 1 if beta == 0 else math.floor(threshold / current) + 1
    return math.floor(math.log(1 - threshold * (1 - beta) / current) / math.log(beta)) + 1
