"""Backpropagation through time, written out by hand: a small recurrent spiking network, its run and its backward pass."""
from typing import NamedTuple

import torch

from ._arguments import (
    check_affordable,
    check_beta,
    check_dtype,
    check_finite,
    check_flags,
    check_generator,
    check_network,
    check_numbers,
    check_shape,
    check_signal,
    check_surrogate,
    check_that,
    check_weights,
    check_whole,
)
from .surrogate import atan, spike

LONGEST = 5000                                               # steps of a matrix [T, T]: 200 MB
DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


class Weights(NamedTuple):
    """Hold the weights of the two-layer network, or their gradients.

    mem[t] = beta * mem[t-1] + hidden x[t] + recurrent spk[t-1] - threshold * spk[t-1]

    Args:
        hidden: input to hidden layer, [H, I].
        recurrent: hidden layer to itself, one step later, [H, H], or None.
        output: hidden layer to read-out, [O, H].

    Source: Eshraghian et al. (2023), Fig. 10a; Neftci, Mostafa, Zenke (2019).

    >>> Weights(torch.ones(3, 2), None, torch.ones(1, 3)).hidden.shape
    torch.Size([3, 2])
    """

    hidden: torch.Tensor
    recurrent: torch.Tensor
    output: torch.Tensor


class Run(NamedTuple):
    """Hold everything that a run of the network leaves behind, which is what the backward pass reads.

    T * B * (I + 2 H + O) numbers: the memory of backpropagation through time grows with T

    Args:
        x: input, [T, B, I].
        mem, spk: membrane potential before its reset, and spikes, of the hidden layer, [T, B, H].
        out: read-out, [T, B, O].

    Source: Eshraghian et al. (2023), Fig. 10a.

    >>> run = forward(torch.ones(5, 1, 2), Weights(torch.ones(3, 2), None, torch.ones(1, 3)), beta=0.9, beta_out=0.8)
    >>> run.mem.shape, run.out.shape
    (torch.Size([5, 1, 3]), torch.Size([5, 1, 1]))
    """

    x: torch.Tensor
    mem: torch.Tensor
    spk: torch.Tensor
    out: torch.Tensor


def forward(x, weights, beta, beta_out, threshold=1.0, *, surrogate=atan(), detach_reset=True):
    """Run a recurrent spiking layer and a leaky read-out over a whole sequence.

    mem[t] = beta * mem[t-1] + W x[t] + V spk[t-1] - threshold * spk[t-1],    spk[t] = 1 if mem[t] > threshold else 0
    out[t] = beta_out * out[t-1] + W_out spk[t]

    Args:
        x: input, [T, B, I].
        weights: `Weights` with W = hidden [H, I], V = recurrent [H, H] or None, W_out = output [O, H].
        beta: membrane decay of the hidden layer per step, between 0 and 1; float or tensor [H].
        beta_out: decay of the read-out per step, between 0 and 1; float or tensor [O].
        threshold: firing threshold, positive.
        surrogate: derivative of the step function, for autograd.
        detach_reset: keep the reset out of autograd's graph.

    Returns:
        `Run` with x, mem, spk and out, [T, B, ...] each; mem is recorded before its reset.

    Raises:
        TypeError: x not a floating-point tensor, weights not `Weights` of the same dtype, surrogate not a derivative
            (atan for atan()), threshold not a number, detach_reset neither True nor False.
        ValueError: x not [T, B, I], weights of shapes that do not fit or not finite, beta or beta_out outside [0, 1],
            threshold not positive, NaN in the membrane.

    Source: Eshraghian et al. (2023), Eqs. 4 and 5 and Fig. 10a.

    >>> weights = Weights(torch.full((1, 1), 0.6), torch.full((1, 1), 0.2), torch.ones(1, 1))
    >>> run = forward(torch.ones(4, 1, 1), weights, beta=0.9, beta_out=0.5)
    >>> run.spk.flatten().tolist(), run.out.flatten().tolist()
    ([0.0, 1.0, 0.0, 1.0], [0.0, 1.0, 0.5, 1.25])
    """
    check_network("forward", x, weights, beta, beta_out, threshold, detach_reset=detach_reset)
    check_surrogate("forward", surrogate)
    mem = x.new_zeros(x.shape[1], len(weights.hidden))                                  # [B, H]
    spk, out = mem, x.new_zeros(x.shape[1], len(weights.output))                        # [B, H], [B, O]
    current = x @ weights.hidden.T                                                      # [T, B, H]
    mems, spks, outs = [], [], []
    for drive in current.unbind(0):
        mem = beta * mem + drive - threshold * (spk.detach() if detach_reset else spk)
        if weights.recurrent is not None:
            mem = mem + spk @ weights.recurrent.T
        check_finite("forward", "the membrane", mem)
        spk = spike(mem - threshold, surrogate)
        out = beta_out * out + spk @ weights.output.T
        mems.append(mem), spks.append(spk), outs.append(out)
    return Run(x, torch.stack(mems), torch.stack(spks), torch.stack(outs))


def _check_run(owner, run, weights):
    for name, value, size in (("mem", run.mem, len(weights.hidden)), ("spk", run.spk, len(weights.hidden)),
                              ("out", run.out, len(weights.output))):
        check_shape(owner, f"run.{name}", value, (*run.x.shape[:2], size), "to fit run.x and weights")
        check_dtype(owner, f"run.{name}", value, "run.x", run.x)
        check_finite(owner, f"run.{name}", value)


@torch.no_grad()
def backward(run, weights, error, beta, beta_out, threshold=1.0, *, surrogate=atan(), detach_reset=True, truncation=None):
    """Walk a run from its last step to its first and collect the gradient of the loss for every weight.

    d_out[t] = error[t] + beta_out * d_out[t+1]
    d_spk[t] = W_out^T d_out[t] + V^T d_mem[t+1]   (and - threshold * d_mem[t+1] if the reset is attached)
    d_mem[t] = h(mem[t] - threshold) * d_spk[t] + beta * d_mem[t+1]
    dW = sum over t of d_mem[t] x[t]^T,   dV = sum of d_mem[t] spk[t-1]^T,   dW_out = sum of d_out[t] spk[t]^T

    Args:
        run: what `forward` returned.
        weights: the weights of that run.
        error: the loss differentiated for out[t] as if out[t] were free, [T, B, O].
        beta, beta_out, threshold: as in the run.
        surrogate: derivative h of the step function.
        detach_reset: keep the reset out of the gradient.
        truncation: how many steps an error may reach back, its own included: 1 keeps the immediate influence alone,
            T or None is exact. Between them K errors travel side by side, at K times the work.

    Returns:
        `Weights` that hold the gradients (recurrent is None if the network has none).

    Raises:
        TypeError: run not a `Run`, error not a floating-point tensor of its dtype, surrogate not a derivative (atan for
            atan()).
        ValueError: error not [T, B, O] or not finite, truncation not a whole number from 1, a run of another network, and all
            that `forward` refuses.

    Source: Eshraghian et al. (2023), section IV-C and Fig. 10a; Neftci, Mostafa, Zenke (2019).

    >>> weights = Weights(torch.ones(1, 1), None, torch.ones(1, 1))
    >>> run = forward(torch.full((3, 1, 1), 0.6), weights, beta=0.5, beta_out=0.0)
    >>> error = torch.tensor([0.0, 0.0, 1.0]).view(3, 1, 1)             # only the last step has a loss
    >>> grad = backward(run, weights, error, beta=0.5, beta_out=0.0)
    >>> round(grad.hidden.item(), 3)                                     # h(mem[2] - 1) * 0.6 * (1 + beta + beta^2)
    1.025
    """
    check_that("backward", getattr(run, "_fields", None) == ("x", "mem", "spk", "out"),
               f"run must be the Run that forward returned, got {type(run).__name__}.", TypeError)
    check_network("backward", run.x, weights, beta, beta_out, threshold, name="run.x", detach_reset=detach_reset)
    _check_run("backward", run, weights)
    check_surrogate("backward", surrogate)
    check_signal("backward", "error", error, layout="[T, B, O]", dims=3)
    check_shape("backward", "error", error, run.out.shape, "like the read-out [T, B, O]")
    check_dtype("backward", "error", error, "run.out", run.out)
    check_finite("backward", "error", error, "Look at the loss that it was differentiated from.")
    check_whole("backward", truncation=1 if truncation is None else truncation)
    slope = surrogate(run.mem - threshold)                                              # [T, B, H]
    ages = 1 if truncation is None else min(truncation, len(run.x))     # errors kept apart by how far they have come
    d_mem, d_out = slope.new_zeros(ages, *slope.shape[1:]), slope.new_zeros(ages, *error.shape[1:])
    grad = Weights(*(None if weight is None else torch.zeros_like(weight) for weight in weights))
    for t in reversed(range(len(run.x))):
        later = _age(d_mem, truncation)                                                 # d_mem[t+1], [ages, B, H]
        d_out = beta_out * _age(d_out, truncation)
        d_out[0] += error[t]
        d_spk = d_out @ weights.output
        if weights.recurrent is not None:
            d_spk = d_spk + later @ weights.recurrent
        if not detach_reset:
            d_spk = d_spk - threshold * later
        d_mem = slope[t] * d_spk + beta * later
        grad.hidden.add_(d_mem.sum(0).T @ run.x[t])
        grad.output.add_(d_out.sum(0).T @ run.spk[t])
        if weights.recurrent is not None and t > 0:
            grad.recurrent.add_(d_mem.sum(0).T @ run.spk[t - 1])
    return grad


def _age(grads, truncation):
    """One step further back in time: every error grows older by one, and the oldest is forgotten."""
    return grads if truncation is None else torch.cat([torch.zeros_like(grads[:1]), grads[:-1]])


def influence_matrix(num_steps, beta):
    """Tabulate how much of an input current at step s is left in the membrane at step t, with no spike in between.

    M[t, s] = d mem[t] / d current[s] = beta^(t - s) for s <= t, 0 for s > t

    Args:
        num_steps: number of time steps T, at most 5000.
        beta: membrane decay per step, between 0 and 1.

    Returns:
        M, [T, T] float64: rows are the step looked at, columns the step that caused it.

    Raises:
        TypeError: beta not a number.
        ValueError: num_steps not a whole number from 1 to 5000, beta outside [0, 1].

    Source: Eshraghian et al. (2023), section IV-C: immediate influence on the diagonal, prior influence below it.

    >>> influence_matrix(3, beta=0.5).tolist()
    [[1.0, 0.0, 0.0], [0.5, 1.0, 0.0], [0.25, 0.5, 1.0]]
    """
    check_whole("influence_matrix", high=LONGEST, num_steps=num_steps)
    check_numbers("influence_matrix", low=0, high=1, beta=beta)
    lag = torch.arange(num_steps)[:, None] - torch.arange(num_steps)                    # t - s
    return torch.where(lag >= 0, torch.as_tensor(beta, dtype=torch.float64) ** lag.clamp(min=0), 0.0)


def step_jacobian(mem, weights, beta, threshold=1.0, *, surrogate=atan(), detach_reset=True):
    """Differentiate one step of the hidden layer for the step before: what a gradient is multiplied by on its way back.

    J[t] = d mem[t+1] / d mem[t] = beta I + V diag(h(mem[t] - threshold))   (and - threshold diag(h) if the reset is attached)

    Args:
        mem: membrane potentials, [..., H]; a whole run [T, B, H] gives all its Jacobians at once.
        weights: `Weights`, of which V = recurrent [H, H] is used.
        beta, threshold: as in the run.
        surrogate: derivative h of the step function.
        detach_reset: keep the reset out of the gradient.

    Returns:
        J, [..., H, H]: rows are the neurons of the later step, columns those of the earlier one.

    Raises:
        TypeError: mem not a floating-point tensor, weights not `Weights` of the same dtype, surrogate not a derivative (atan
            for atan()), threshold not a number, detach_reset neither True nor False.
        ValueError: mem not [..., H] or not finite, beta outside [0, 1], threshold not positive.

    Source: Pascanu, Mikolov, Bengio (2013), arXiv:1211.5063, for the product of such matrices.

    >>> weights = Weights(torch.ones(1, 1), torch.full((1, 1), 0.3), torch.ones(1, 1))
    >>> at_threshold = torch.ones(1)                                     # where h = 1
    >>> for detach in (True, False):
    ...     round(step_jacobian(at_threshold, weights, beta=0.9, detach_reset=detach).item(), 2)
    1.2
    0.2
    """
    check_signal("step_jacobian", "mem", mem, layout="[..., H]", min_dims=1)
    check_weights("step_jacobian", "weights", weights, "mem", mem)
    check_shape("step_jacobian", "mem", mem, (*mem.shape[:-1], len(weights.hidden)), "like weights.hidden [H, I]")
    check_finite("step_jacobian", "mem", mem)
    check_beta("step_jacobian", beta, mem, mem.shape[-1:])
    check_numbers("step_jacobian", above=0, threshold=threshold)
    check_flags("step_jacobian", detach_reset=detach_reset)
    check_surrogate("step_jacobian", surrogate)
    identity = torch.eye(mem.shape[-1], dtype=mem.dtype, device=mem.device)
    through_spike = torch.zeros_like(identity) if weights.recurrent is None else weights.recurrent
    if not detach_reset:
        through_spike = through_spike - threshold * identity
    return beta * identity + through_spike * surrogate(mem - threshold).unsqueeze(-2)


def random_weights(generator, sizes, gain, scale, dtype=torch.float32):
    """Draw the weights of a recurrent network and a fixed random feedback from its outputs to its hidden neurons.

    hidden ~ scale N(0, 1/I), recurrent ~ gain N(0, 1/H), of spectral radius about gain, output and feedback ~ N(0, 1/H)

    Args:
        generator: torch.Generator that draws.
        sizes: (I, H, O), the numbers of inputs, hidden neurons and outputs.
        gain: factor of the recurrent weights, about their spectral radius, 0 or more.
        scale: factor of the input weights, 0 or more.
        dtype: floating-point type of the weights.

    Returns:
        (weights, feedback): `Weights` ([H, I], [H, H], [O, H]), and feedback [O, H] for errors sent back at random.

    Raises:
        TypeError: generator not a torch.Generator, gain or scale not a number.
        ValueError: sizes not three positive whole numbers, gain or scale negative, dtype not a floating-point type.

    Source: Girko (1985), doi:10.1137/1129095 (circular law); Lillicrap et al. (2016), doi:10.1038/ncomms13276 (feedback).

    >>> weights, feedback = random_weights(torch.Generator().manual_seed(0), (4, 3, 2), gain=1.0, scale=1.0)
    >>> [tuple(weight.shape) for weight in (*weights, feedback)]
    [(3, 4), (3, 3), (2, 3), (2, 3)]
    """
    check_generator("random_weights", generator)
    check_that("random_weights", isinstance(sizes, (tuple, list)) and len(sizes) == 3,
               f"sizes must be the three numbers (I, H, O), got {sizes!r}.")
    check_whole("random_weights", **{f"sizes[{place}]": size for place, size in enumerate(sizes)})
    check_affordable("random_weights", "sizes", sizes[1], max(sizes))
    check_numbers("random_weights", low=0, gain=gain, scale=scale)
    check_that("random_weights", isinstance(dtype, torch.dtype) and dtype in DTYPES,
               f"dtype must be a floating-point type, one of {', '.join(map(str, DTYPES))}, got {dtype}.")
    inputs, hidden, outputs = map(int, sizes)
    shapes = (hidden, inputs), (hidden, hidden), (outputs, hidden), (outputs, hidden)
    drawn = [torch.randn(shape, generator=generator, dtype=dtype) / shape[1] ** 0.5 for shape in shapes]
    return Weights(float(scale) * drawn[0], float(gain) * drawn[1], drawn[2]), drawn[3]
