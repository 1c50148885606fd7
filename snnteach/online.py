"""Learning while the sequence runs: exact forward gradients (RTRL), e-prop and OTTT, and a memory of old samples.

Each rule walks once through the sequence, from its first step to its last, and keeps nothing that grows with its length.
They work on the network of `snnteach.bptt`:

    mem[t] = beta * mem[t-1] + W x[t] + V spk[t-1] - threshold * spk[t-1],    spk[t] = 1 if mem[t] > threshold else 0
    out[t] = beta_out * out[t-1] + W_out spk[t]
"""
import torch

from ._arguments import (
    check_callable,
    check_dtype,
    check_finite,
    check_generator,
    check_network,
    check_number,
    check_shape,
    check_signal,
    check_surrogate,
    check_tensor,
    check_that,
    check_weights,
    check_whole,
)
from .bptt import Weights
from .surrogate import atan

MOST_SAMPLES = 10_000_000
MOST_INFLUENCE = 2**28                                       # numbers of M that rtrl may keep: 1 GB in float32


def _check_online(owner, x, weights, error, beta, beta_out, threshold, surrogate, update, **flags):
    check_number(owner, "beta_out", beta_out)
    check_network(owner, x, weights, beta, beta_out, threshold, **flags)
    check_callable(owner, "error", error, "Pass (out, t) -> dL / d out[t], such as lambda out, t: out - target[t].", takes=2)
    check_surrogate(owner, surrogate)
    if update is not None:
        check_callable(owner, "update", update, "It is called with the gradient of each step.", takes=1)


def _check_feedback(owner, feedback, weights):
    if feedback is not None:
        check_signal(owner, "feedback", feedback, layout="[O, H]", dims=2)
        check_shape(owner, "feedback", feedback, weights.output.shape, "like weights.output [O, H]")
        check_dtype(owner, "feedback", feedback, "weights.output", weights.output)
        check_finite(owner, "feedback", feedback, "Look for it where it was computed.")


def _check_delta(owner, delta, out):
    check_shape(owner, "what error returns", delta, out.shape, "like out [B, O]")
    check_dtype(owner, "what error returns", delta, "out", out)
    check_finite(owner, "what error returns", delta, "Look at the loss that it was differentiated from.")


@torch.no_grad()
def rtrl(x, weights, error, beta, beta_out, threshold=1.0, *, surrogate=atan(), detach_reset=True, update=None):
    """Compute the exact gradient forward in time (real-time recurrent learning), at a price only small networks can pay.

    M[t] = J[t] M[t-1] + immediate[t],    M[t] = d mem[t] / d (W, V),    J[t] = beta + (V - reset) h[t-1]
    N[t] = beta_out N[t-1] + W_out h[t] M[t],    d(W, V) = sum over t of error[t] N[t]

    The influence M holds B * H * H * (I + H) numbers: it grows with the third power of the network, not with T.

    Args:
        x: input, [T, B, I].
        weights: `Weights` with W = hidden [H, I], V = recurrent [H, H] or None, W_out = output [O, H].
        error: function (out [B, O], t) -> dL / d out[t], [B, O], as if out[t] were free; called once a step, as it happens.
        beta: membrane decay of the hidden layer per step, between 0 and 1; float or tensor [H].
        beta_out: decay of the read-out per step, between 0 and 1; float.
        threshold: firing threshold, positive.
        surrogate: derivative h of the step function.
        detach_reset: keep the reset out of the gradient.
        update: function (gradient of this step alone), called after every step; it may change `weights` in place.

    Returns:
        `Weights` that hold the gradients, summed over steps and batch (recurrent is None if the network has none).

    Raises:
        TypeError: x not a floating-point tensor, weights not `Weights` of its dtype, beta_out not a number, error or update
            not a function, error that returns another dtype, surrogate not a derivative (atan for atan()).
        ValueError: x not [T, B, I], weights or error of shapes that do not fit or not finite, beta or beta_out outside
            [0, 1], threshold not positive, an influence of more than 2^28 numbers, NaN in the membrane.

    Source: Williams and Zipser (1989), doi:10.1162/neco.1989.1.2.270; Eshraghian et al. (2023), section V-A.

    >>> from snnteach.bptt import Weights
    >>> weights = Weights(torch.ones(1, 1), None, torch.ones(1, 1))
    >>> x = torch.full((3, 1, 1), 0.6)
    >>> grad = rtrl(x, weights, lambda out, t: torch.full_like(out, float(t == 2)), beta=0.5, beta_out=0.0)
    >>> round(grad.hidden.item(), 3)                # h(0.05) * 0.6 * (1 + beta + beta^2)
    1.025
    """
    _check_online("rtrl", x, weights, error, beta, beta_out, threshold, surrogate, update, detach_reset=detach_reset)
    check_that("rtrl", x.shape[1] * len(weights.hidden)**2 * (x.shape[2] + len(weights.hidden)) <= MOST_INFLUENCE,
               f"x {tuple(x.shape)} and {len(weights.hidden)} hidden neurons ask for an influence of B * H * H * (I + H) "
               f"numbers, more than {MOST_INFLUENCE}. Take smaller batches, or eprop.")
    hidden, diagonal = len(weights.hidden), torch.arange(len(weights.hidden))
    influence = readout = 0.0

    def add_gradient(total, source, kept, before, slope, delta):
        nonlocal influence, readout
        pushed = _column(kept, 4) * influence                                # [B, H, H, I+H]: through a neuron's own past
        if weights.recurrent is not None and before.any():
            reached = weights.recurrent * before[:, None]                    # [B, H, H]: V h[t-1]
            pushed = pushed + (reached @ influence.flatten(2)).view_as(influence)
        immediate = source.new_zeros(len(source), hidden, hidden, source.shape[1])
        immediate[:, diagonal, diagonal] = source[:, None]                   # the weights of neuron k reach neuron k
        influence = pushed + immediate
        readout = beta_out * readout + torch.einsum("oh,bh,bhkj->bokj", weights.output, slope, influence)
        total.add_(torch.einsum("bo,bokj->kj", delta, readout))

    return _walk("rtrl", x, weights, error, beta, beta_out, threshold, surrogate, detach_reset, update, add_gradient)


@torch.no_grad()
def eprop(x, weights, error, beta, beta_out, threshold=1.0, *, surrogate=atan(), detach_reset=True, feedback=None, update=None):
    """Multiply what each synapse remembers of its own past, its eligibility, by a learning signal sent to its neuron.

    trace[t] = beta trace[t-1] + (x[t], spk[t-1]),    eligibility[t] = beta_out eligibility[t-1] + h[t] trace[t]
    d(W, V) = sum over t of (feedback^T error[t]) eligibility[t]

    Exactly the gradient where spikes do not travel back into the layer (V = None). With recurrence it drops every path
    that leaves a neuron through a spike and returns through V.

    Args:
        x: input, [T, B, I].
        weights: `Weights` with W = hidden [H, I], V = recurrent [H, H] or None, W_out = output [O, H].
        error: function (out [B, O], t) -> dL / d out[t], [B, O], as if out[t] were free; called once a step, as it happens.
        beta: membrane decay of the hidden layer per step, between 0 and 1; float or tensor [H].
        beta_out: decay of the read-out per step, between 0 and 1; float.
        threshold: firing threshold, positive.
        surrogate: derivative h of the step function.
        detach_reset: keep the reset out of the gradient; if not, a neuron's trace decays by beta - threshold * h[t-1].
        feedback: the weights that carry the error back, [O, H]; weights.output by default (symmetric e-prop).
        update: function (gradient of this step alone), called after every step; it may change `weights` in place.

    Returns:
        `Weights` that hold the gradients, summed over steps and batch (recurrent is None if the network has none).

    Raises:
        TypeError: x not a floating-point tensor, weights not `Weights` of its dtype, beta_out not a number, error or update
            not a function, error or feedback of another dtype, surrogate not a derivative (atan for atan()).
        ValueError: x not [T, B, I], weights, error or feedback of shapes that do not fit or not finite, beta or beta_out
            outside [0, 1], threshold not positive, NaN in the membrane.

    Source: Bellec et al. (2020), doi:10.1038/s41467-020-17236-y; Eshraghian et al. (2023), section V-B.

    >>> from snnteach.bptt import Weights
    >>> weights = Weights(torch.ones(1, 1), None, torch.ones(1, 1))
    >>> x = torch.full((3, 1, 1), 0.6)
    >>> grad = eprop(x, weights, lambda out, t: torch.full_like(out, float(t == 2)), beta=0.5, beta_out=0.0)
    >>> round(grad.hidden.item(), 3)                # as rtrl: there is no recurrence to lose
    1.025
    """
    _check_online("eprop", x, weights, error, beta, beta_out, threshold, surrogate, update, detach_reset=detach_reset)
    _check_feedback("eprop", feedback, weights)
    back = weights.output if feedback is None else feedback                  # updated in place, the first stays symmetric
    lines = x.shape[2] + (0 if weights.recurrent is None else len(weights.hidden))                   # I+H, or I
    trace, eligibility = 0.0, x.new_zeros(x.shape[1], len(weights.hidden), lines)

    def add_gradient(total, source, kept, before, slope, delta):
        nonlocal trace
        trace = _column(kept, 3) * trace + source[:, None]                   # [B, 1 or H, I+H]
        eligibility.mul_(beta_out).addcmul_(slope[:, :, None], trace)        # [B, H, I+H], filtered as the read-out filters
        total.add_(torch.einsum("bh,bhj->hj", delta @ back, eligibility))

    return _walk("eprop", x, weights, error, beta, beta_out, threshold, surrogate, detach_reset, update, add_gradient)


@torch.no_grad()
def ottt(x, weights, error, beta, beta_out, threshold=1.0, *, surrogate=atan(), feedback=None, update=None):
    """Multiply one trace per input line by the present learning signal: online training through time.

    trace[t] = beta trace[t-1] + (x[t], spk[t-1]),    d(W, V) = sum over t of (h[t] feedback^T error[t]) trace[t]^T

    e-prop without the filter of the read-out. All neurons share one trace [B, I + H], so a step costs one matrix product.
    Exactly the gradient if V = None and the read-out has no memory (beta_out = 0).

    Args:
        x: input, [T, B, I].
        weights: `Weights` with W = hidden [H, I], V = recurrent [H, H] or None, W_out = output [O, H].
        error: function (out [B, O], t) -> dL / d out[t], [B, O], as if out[t] were free; called once a step, as it happens.
        beta: membrane decay of the hidden layer per step, between 0 and 1; float, for the trace is shared by all neurons.
        beta_out: decay of the read-out per step, between 0 and 1; float.
        threshold: firing threshold, positive.
        surrogate: derivative h of the step function. The reset stays out of the gradient.
        feedback: the weights that carry the error back, [O, H]; weights.output by default.
        update: function (gradient of this step alone), called after every step; it may change `weights` in place.

    Returns:
        `Weights` that hold the gradients, summed over steps and batch (recurrent is None if the network has none).

    Raises:
        TypeError: x not a floating-point tensor, weights not `Weights` of its dtype, beta or beta_out not a number, error or
            update not a function, error or feedback of another dtype, surrogate not a derivative (atan for atan()).
        ValueError: x not [T, B, I], weights, error or feedback of shapes that do not fit or not finite, beta or beta_out
            outside [0, 1], threshold not positive, NaN in the membrane.

    Source: Xiao et al. (2022), arXiv:2210.04195; Eshraghian et al. (2023), section V-B.

    >>> from snnteach.bptt import Weights
    >>> weights = Weights(torch.ones(1, 1), None, torch.ones(1, 1))
    >>> x = torch.full((3, 1, 1), 0.6)
    >>> grad = ottt(x, weights, lambda out, t: torch.full_like(out, float(t == 2)), beta=0.5, beta_out=0.0)
    >>> round(grad.hidden.item(), 3)                # as rtrl: the read-out has no memory either
    1.025
    """
    check_number("ottt", "beta", beta)
    _check_online("ottt", x, weights, error, beta, beta_out, threshold, surrogate, update)
    _check_feedback("ottt", feedback, weights)
    back = weights.output if feedback is None else feedback
    trace = None

    def add_gradient(total, source, kept, before, slope, delta):
        nonlocal trace
        trace = source if trace is None else torch.add(source, trace, alpha=beta)                # [B, I+H]
        total.addmm_((slope * (delta @ back)).T, trace)

    return _walk("ottt", x, weights, error, beta, beta_out, threshold, surrogate, True, update, add_gradient)


def _column(kept, rank):
    """Give a decay [H] or [B, H] axes of length 1 for what comes after the neuron, up to `rank` axes with the batch."""
    return kept.view(-1, kept.shape[-1], *(1,) * (rank - 2)) if getattr(kept, "ndim", 0) else kept


def _walk(owner, x, weights, error, beta, beta_out, threshold, surrogate, detach_reset, update, add_gradient):
    """Run the network once; at every step let `add_gradient` add that of (W, V) to a total [H, I+H], and forget the step."""
    mem, out = x.new_zeros(x.shape[1], len(weights.hidden)), x.new_zeros(x.shape[1], len(weights.output))   # [B, H], [B, O]
    spk = slope = filtered = mem
    inputs, recurrent = x.shape[2], weights.recurrent is not None
    totals = x.new_zeros(len(weights.hidden), inputs + recurrent * len(weights.hidden)), torch.zeros_like(weights.output)
    for t in range(len(x)):
        source = torch.cat([x[t], spk], 1) if recurrent else x[t]            # [B, I+H]
        kept = beta if detach_reset else beta - threshold * slope            # d mem[t] / d mem[t-1] inside one neuron
        mem = (beta * mem).sub_(spk, alpha=threshold).addmm_(x[t], weights.hidden.T)
        if recurrent:
            mem.addmm_(spk, weights.recurrent.T)
        before, slope, spk = slope, surrogate(mem - threshold), torch.gt(mem, threshold, out=torch.empty_like(mem))
        out, filtered = torch.addmm(out, spk, weights.output.T, beta=beta_out), torch.add(spk, filtered, alpha=beta_out)
        delta = error(out, t)
        _check_delta(owner, delta, out)
        now = totals if update is None else tuple(map(torch.zeros_like, totals))
        add_gradient(now[0], source, kept, before, slope, delta)
        now[1].addmm_(delta.T, filtered)
        if update is not None:
            totals[0].add_(now[0]), totals[1].add_(now[1]), update(_split(*now, inputs, recurrent))
    check_finite(owner, "the membrane", mem)
    return _split(*totals, inputs, recurrent)


def _split(both, output, inputs, recurrent):
    return Weights(both[:, :inputs], both[:, inputs:] if recurrent else None, output)


def _check_alike(owner, one, other):
    check_weights(owner, "one", one)
    check_weights(owner, "other", other, "one.hidden", one.hidden)
    check_shape(owner, "other.hidden", other.hidden, one.hidden.shape, "like one.hidden")
    check_that(owner, (one.recurrent is None) == (other.recurrent is None),
               "one and other must both have recurrent weights, or neither; leave them out with _replace(recurrent=None).")


def cosine(one, other):
    """Compare the directions of two gradients of the hidden layer.

    cosine = <one, other> / (|one| |other|), over W and V together

    Args:
        one, other: `Weights` that hold gradients; both with recurrent weights, or both without.

    Returns:
        A number between -1 and 1: 1 the same direction, 0 none in common. The read-out, whose gradient every rule
        computes exactly, does not count. NaN if one of them is zero.

    Raises:
        TypeError: one or other not `Weights`, or of two dtypes.
        ValueError: weights of different shapes, NaN or infinity in them, recurrent weights in one of them only.

    Source: the definition of the angle between two vectors.

    >>> from snnteach.bptt import Weights
    >>> along = Weights(torch.tensor([[1.0, 0.0]]), None, torch.zeros(1, 1))
    >>> round(cosine(along, Weights(torch.tensor([[3.0, 4.0]]), None, torch.zeros(1, 1))), 2)
    0.6
    """
    _check_alike("cosine", one, other)
    a, b = (torch.cat([grad.flatten() for grad in (found.hidden, found.recurrent) if grad is not None])
            for found in (one, other))
    a, b = (side.to(torch.promote_types(side.dtype, torch.float32)) for side in (a, b))     # sums are too long for 16 bits
    return (a @ b / (a.norm() * b.norm())).item()


def _check_sample(owner, sample, first):
    check_that(owner, len(sample), "a sample must have at least one part, such as add(image, label).")
    check_that(owner, len(sample) == len(first), f"a sample must have {len(first)} parts like those before, got {len(sample)}.")
    for place, (part, like) in enumerate(zip(sample, first)):
        check_tensor(owner, f"sample[{place}]", part, "", hint=" For a class number use torch.tensor(label).")
        check_shape(owner, f"sample[{place}]", part, like.shape, "like those before")
        check_dtype(owner, f"sample[{place}]", part, "that of the samples before", like)


class Reservoir:
    """Keep a fair sample of an endless stream in a fixed number of places, to replay old samples beside new ones.

    The n-th sample takes a random place with probability size / n, so that each of n samples is kept with probability size / n.

    Args:
        size: number of places.
        generator: source of the random numbers, a `torch.Generator`.

    Returns:
        An object with `add(*sample)` and `draw(count)`.

    Raises:
        TypeError: generator not a torch.Generator; add of what is not a tensor.
        ValueError: size not a whole number from 1 to 10 million; add of nothing, or of another number of parts, other shapes
            or dtypes than the sample before; draw from an empty reservoir, count not a whole number from 1 to 10 million.

    Source: Vitter (1985), algorithm R, doi:10.1145/3147.3165.

    >>> reservoir = Reservoir(2, torch.Generator().manual_seed(0))
    >>> for number in range(100):
    ...     reservoir.add(torch.tensor(float(number)))
    >>> (kept,) = reservoir.draw(8)
    >>> kept.shape, len(kept.unique()), reservoir.seen
    (torch.Size([8]), 2, 100)
    """

    def __init__(self, size, generator=None):
        check_whole("Reservoir", high=MOST_SAMPLES, size=size)
        check_generator("Reservoir", generator)
        self.size, self.generator, self.seen, self.samples = int(size), generator, 0, []

    def add(self, *sample):
        """Offer one sample, such as an image and its label, to the reservoir: tensors, of the same kinds each time."""
        _check_sample("Reservoir", sample, self.samples[0] if self.samples else sample)
        self.seen += 1
        place = int(torch.randint(self.seen, (), generator=self.generator))
        if len(self.samples) < self.size:
            self.samples.append(sample)
        elif place < self.size:
            self.samples[place] = sample

    def draw(self, count):
        """Return `count` kept samples, drawn with replacement, as one tensor [count, ...] for each part of a sample."""
        check_whole("Reservoir", high=MOST_SAMPLES, count=count)
        check_that("Reservoir", self.samples, "nothing to draw; call add first.")
        places = torch.randint(len(self.samples), (int(count),), generator=self.generator).tolist()
        return tuple(torch.stack(parts) for parts in zip(*(self.samples[place] for place in places)))
