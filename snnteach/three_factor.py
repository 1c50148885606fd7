"""Three-factor learning: what the presynaptic neuron did, what the postsynaptic neuron did, and a third signal that judges."""
from typing import NamedTuple

import torch

from ._arguments import (
    check_affordable,
    check_between,
    check_dtype,
    check_finite,
    check_flags,
    check_fraction,
    check_generator,
    check_numbers,
    check_option,
    check_per_neuron,
    check_shape,
    check_signal,
    check_surrogate,
    check_that,
    check_whole,
)
from .neurons import lif
from .surrogate import STEEPEST, atan, escape_noise

LONGEST_LAG = 100_000                                        # that bptt_window runs: two such runs of lif, seconds


def _check_sides(owner, names, x, other, signal=None):
    """Raise unless what the two sides of a synapse did, x [T, B, I] and other [T, B, H], fit, and a signal fits the second."""
    for name, value, layout in zip(names, (x, other), ("[T, B, I] (time first)", "[T, B, H] (time first)"), strict=False):
        check_signal(owner, name, value, layout=layout, dims=3, hint=" For batch-first data use x.transpose(0, 1).")
        check_dtype(owner, name, value, names[0], x)
        check_finite(owner, name, value, "Look for it where it was computed.")
    check_that(owner, x.shape[:2] == other.shape[:2],
               f"{names[0]} and {names[1]} must agree in time and batch, got {tuple(x.shape)} and {tuple(other.shape)}.")
    for name in names[2:]:
        check_signal(owner, name, signal, layout=f"[T, B, H] like {names[1]}")
        check_shape(owner, name, signal, other.shape, f"like {names[1]}")
        check_dtype(owner, name, signal, names[0], x)
        check_finite(owner, name, signal, "Look for it where it was computed.")


def _check_neuron(owner, beta, threshold, slope=1.0):
    check_fraction(owner, beta=beta)
    check_numbers(owner, above=0, threshold=threshold)
    check_numbers(owner, above=0, high=STEEPEST, slope=slope)


def trace(x, decay):
    """Keep a fading memory of a signal; the same sum serves as presynaptic trace and as eligibility trace.

    trace[t] = decay * trace[t-1] + x[t],    trace[-1] = 0

    Args:
        x: signal, [T, ...].
        decay: part of the trace that is left after one step, between 0 and 1; float, or tensor (scalar or [N], the last axis).

    Returns:
        The trace, [T, ...]. With decay = beta it is d mem[t] / d weight of a neuron whose reset is kept out of the gradient.

    Raises:
        TypeError: x not a floating-point tensor, decay neither a number nor a tensor of its type.
        ValueError: x empty, NaN or infinite, decay outside [0, 1] or of another size than the last axis.

    Source: Eshraghian et al. (2023), section V-A; Gerstner et al. (2018), doi:10.3389/fncir.2018.00053.

    >>> trace(torch.tensor([1.0, 0.0, 0.0, 1.0]), decay=0.5).tolist()
    [1.0, 0.5, 0.25, 1.125]
    """
    check_signal("trace", "x", x, layout="[T, ...] (time first)", min_dims=1)
    check_finite("trace", "x", x, "Look for it where it was computed.")
    check_between("trace", "decay", decay, 0, 1)
    check_that("trace", x.dim() > 1 or not isinstance(decay, torch.Tensor) or decay.dim() == 0,
               "decay must be a number or a scalar tensor where x is [T], got a tensor with axes.")
    check_per_neuron("trace", "decay", decay, x, x.shape[-1:])
    decay = decay if isinstance(decay, torch.Tensor) else float(decay)
    fine = x.to(torch.promote_types(x.dtype, torch.float32))               # a long sum gets lost among numbers of 16 bits
    kept, now = [], torch.zeros_like(fine[0])
    for x_t in fine:
        now = decay * now + x_t
        kept.append(now)
    return torch.stack(kept).to(x.dtype)


def bptt_window(lags, beta, *, error="spike", surrogate=atan(), detach_reset=True):
    """Measure with autograd how much one input spike changes its weight, against the time to one output spike.

    loss = spk[t_post] or sum over t of spk[t],    d loss / d weight = sum over judged steps t >= t_pre of h beta^(t - t_pre)

    A current of 1.5 thresholds makes the output fire at t_post, and there only; the input under test arrives lag steps
    before it through a weight of 0, so that it does not move the spike that it is compared with.

    Args:
        lags: t_post - t_pre in steps, whole numbers; positive where the input comes first. List or tensor [L].
        beta: membrane decay per step, between 0 and 1.
        error: "spike" judges the step of the output spike only, "count" every step of the run alike.
        surrogate: derivative of the step function, from `snnteach.surrogate`.
        detach_reset: keep the reset out of the gradient.

    Returns:
        d loss / d weight for each lag, float64 [L]; for "spike", h(threshold / 2) beta^lag where lag >= 0, else 0.

    Raises:
        TypeError: lags neither a list nor a tensor [L], beta not a number, surrogate not a derivative (atan for atan()),
            detach_reset neither True nor False.
        ValueError: lags empty, not whole numbers or longer than 100,000, beta outside [0, 1], error unknown.

    Source: Eshraghian et al. (2023), section IV-C-4 and Fig. 10b.

    >>> [round(value, 4) for value in bptt_window([-1, 0, 1, 2], beta=0.9).tolist()]
    [0.0, 0.2884, 0.2596, 0.2336]
    """
    _check_lags("bptt_window", lags)
    check_fraction("bptt_window", beta=beta)
    check_option("bptt_window", "error", error, ("spike", "count"))
    check_surrogate("bptt_window", surrogate)
    check_flags("bptt_window", detach_reset=detach_reset)
    lags = torch.as_tensor(lags)
    t_post, probe = int(lags.abs().max()), torch.arange(len(lags))
    pre = torch.zeros(2 * t_post + 1, len(lags), 1, dtype=torch.float64)                    # [T, L, 1], one input a lag
    pre[t_post - lags, probe] = 1
    drive = torch.zeros_like(pre)
    drive[t_post] = 1.5
    weight = torch.zeros(len(lags), 1, dtype=torch.float64, requires_grad=True)             # one weight a lag
    spk, _ = lif(drive + weight * pre, beta, surrogate=surrogate, detach_reset=detach_reset)
    loss = spk[t_post].sum() if error == "spike" else spk.sum()
    return torch.autograd.grad(loss, weight)[0][:, 0]


def _check_lags(owner, lags):
    check_that(owner, isinstance(lags, (list, tuple, range)) or getattr(lags, "ndim", 0) == 1,
               f"lags must be a list or a tensor [L] of whole numbers t_post - t_pre, such as [-5, 0, 5], got "
               f"{type(lags).__name__} {str(getattr(lags, 'shape', ''))}.", TypeError)
    check_that(owner, len(lags), "lags must hold at least one whole number t_post - t_pre, such as [-5, 0, 5].")
    for lag in lags.tolist() if hasattr(lags, "tolist") else lags:
        check_whole(owner, low=-LONGEST_LAG, high=LONGEST_LAG, lags=lag)
    check_affordable(owner, "lags", 2 * int(max(map(abs, lags))) + 1, 8 * len(lags))            # float64, and its copies


def three_factor(x, mem, signal, beta, threshold=1.0, *, surrogate=atan()):
    """Multiply what each synapse remembers, how close its neuron stands to firing, and how its neuron is judged.

    dW[j, i] = sum over t and batch of signal[t, j] * h(mem[t, j] - threshold) * trace[t, i]

    If signal[t] = dL/dspk[t], this is the gradient of one layer, exactly as backpropagation through time finds it
    (reset kept out of the gradient). Any other signal makes a local rule that only resembles it.

    Args:
        x: presynaptic spikes or currents, [T, B, I].
        mem: membrane potentials before their reset, [T, B, H].
        signal: third factor, one number a neuron and step, [T, B, H].
        beta: membrane decay per step, between 0 and 1.
        threshold: firing threshold, positive.
        surrogate: derivative h of the step function, from `snnteach.surrogate`.

    Returns:
        dW, [H, I]; a learning step subtracts it where the signal is an error.

    Raises:
        TypeError: x, mem or signal not floating point or of different types, beta or threshold not a number, surrogate not a
            derivative (atan for atan()).
        ValueError: x, mem or signal not [T, B, ...], of different lengths, NaN or infinite, beta outside [0, 1], threshold
            not positive.

    Source: Neftci, Mostafa, Zenke (2019), doi:10.1109/MSP.2019.2931595; Bellec et al. (2020), doi:10.1038/s41467-020-17236-y.

    >>> x, mem, signal = torch.ones(2, 1, 1), torch.ones(2, 1, 1), torch.ones(2, 1, 1)
    >>> round(three_factor(x, mem, signal, beta=0.5).item(), 4)
    2.5
    """
    _check_sides("three_factor", ("x", "mem", "signal"), x, mem, signal)
    _check_neuron("three_factor", beta, threshold)
    check_surrogate("three_factor", surrogate)
    judged = signal * surrogate(mem - float(threshold))                                     # [T, B, H]
    return torch.einsum("tbh,tbi->hi", judged, trace(x, beta))


def error_events(error, trigger):
    """Send an error only where it is large, and of it only the sign.

    event = sign(error) if |error| > trigger else 0

    Args:
        error: error signals, floating point, any shape.
        trigger: size from which an error is sent, 0 or more.

    Returns:
        Events, -1., 0. or 1., shape and dtype of error.

    Raises:
        TypeError: error not a floating-point tensor, trigger not a number.
        ValueError: error empty, NaN or infinite, trigger negative.

    Source: error-triggered learning of Payvand et al. (2020), arXiv:1910.06152.

    >>> error_events(torch.tensor([-0.7, 0.2, 0.9]), trigger=0.5).tolist()
    [-1.0, 0.0, 1.0]
    """
    check_signal("error_events", "error", error, layout="a tensor of any shape", min_dims=0)
    check_finite("error_events", "error", error, "Look at the loss that it was computed from.")
    check_numbers("error_events", low=0, trigger=trigger)
    return error.sign() * (error.abs() > float(trigger))


class Plasticity(NamedTuple):
    """Hold what reward-modulated plasticity did: its eligibility traces and the change of the weights.

    update = sum over t and batch of reward[t] * eligibility[t]

    Source: Izhikevich (2007), doi:10.1093/cercor/bhl152.

    >>> Plasticity(torch.zeros(9, 1, 2, 3), torch.zeros(2, 3)).update.shape
    torch.Size([2, 3])
    """

    eligibility: torch.Tensor
    update: torch.Tensor


def reward_stdp(pre, post, reward, *, decay_pre=0.9, decay_post=0.9, decay_eligibility=0.95, a_plus=1.0, a_minus=1.0):
    """Let spike pairs only tag a synapse; a reward that comes later turns the tag into a change.

    tag[t] = a_plus post[t] decay_pre trace_pre[t-1] - a_minus pre[t] decay_post trace_post[t-1]
    eligibility[t] = decay_eligibility * eligibility[t-1] + tag[t],    update = sum over t of reward[t] * eligibility[t]

    A pair with lag n = t_post - t_pre > 0 and a reward R that comes D steps after the output spike give
    R a_plus decay_pre^n decay_eligibility^D. Spikes of the same step make no pair.

    Args:
        pre: presynaptic spikes, [T, B, I].
        post: postsynaptic spikes, [T, B, H].
        reward: reward signal, [T, B]; negative values punish.
        decay_pre, decay_post: decay of the two spike traces per step, between 0 and 1.
        decay_eligibility: decay of the tag per step, between 0 and 1.
        a_plus, a_minus: size of potentiation and of depression, 0 or more.

    Returns:
        `Plasticity` with eligibility [T, B, H, I] and update [H, I].

    Raises:
        TypeError: pre, post or reward not floating point or of different types, a decay or a size not a number.
        ValueError: pre, post or reward not [T, B, ...], of different lengths, NaN or infinite, a decay outside [0, 1], a size
            negative, an eligibility [T, B, H, I] that no memory holds.

    Source: Florian (2007), doi:10.1162/neco.2007.19.6.1468; Izhikevich (2007), doi:10.1093/cercor/bhl152.

    >>> spikes = torch.eye(6)[:, None, :, None]                           # spikes[:, :, k] is one spike at step k
    >>> late = torch.zeros(6, 1); late[4] = 1.0
    >>> round(reward_stdp(spikes[:, :, 0], spikes[:, :, 2], late).update.item(), 4), round(0.9**2 * 0.95**2, 4)
    (0.731, 0.731)
    """
    _check_sides("reward_stdp", ("pre", "post"), pre, post)
    check_signal("reward_stdp", "reward", reward, layout="[T, B]", dims=2)
    check_shape("reward_stdp", "reward", reward, pre.shape[:2], "[T, B]")
    check_dtype("reward_stdp", "reward", reward, "pre", pre)
    check_finite("reward_stdp", "reward", reward, "Look for it where it was computed.")
    check_affordable("reward_stdp", "pre and post", *post.shape, pre.shape[2])
    check_fraction("reward_stdp", decay_pre=decay_pre, decay_post=decay_post, decay_eligibility=decay_eligibility)
    check_numbers("reward_stdp", low=0, a_plus=a_plus, a_minus=a_minus)
    before = trace(pre, decay_pre) - pre, trace(post, decay_post) - post                    # what was left of earlier spikes
    tag = (float(a_plus) * post[..., None] * before[0][:, :, None]
           - float(a_minus) * before[1][..., None] * pre[:, :, None])                       # [T, B, H, I]
    eligibility = trace(tag, decay_eligibility)
    return Plasticity(eligibility, torch.einsum("tb,tbhi->hi", reward, eligibility))


def score(x, mem, spk, beta, threshold=1.0, *, slope=4.0):
    """Compute how each weight would have to change to make the spikes that a noisy neuron fired more probable.

    score = d ln P(spk | x) / dW = sum over t of k (spk[t] - p[t]) trace[t],    p = sigmoid(k (mem - threshold))

    The first half rewards pairs in which the input came first; the second half subtracts what was to be expected.
    Its product with the reward is, on average over the noise, the gradient of the expected reward.

    Args:
        x: presynaptic spikes or currents, [T, B, I].
        mem: membrane potentials before their reset, [T, B, H].
        spk: the spikes that `escape_noise` drew, [T, B, H].
        beta: membrane decay per step, between 0 and 1.
        threshold: threshold of the neurons, positive.
        slope: inverse noise amplitude k of `escape_noise`, positive.

    Returns:
        The score of each sample, [B, H, I].

    Raises:
        TypeError: x, mem or spk not floating point or of different types, beta, threshold or slope not a number.
        ValueError: x, mem or spk not [T, B, ...], of different lengths, NaN or infinite, beta outside [0, 1], threshold or
            slope not positive.

    Source: Williams (1992), doi:10.1007/BF00992696; Pfister et al. (2006), doi:10.1162/neco.2006.18.6.1318.

    >>> x, mem, spk = torch.ones(1, 1, 1), torch.ones(1, 1, 1), torch.ones(1, 1, 1)
    >>> score(x, mem, spk, beta=0.9).item()
    2.0
    """
    _check_sides("score", ("x", "mem", "spk"), x, mem, spk)
    _check_neuron("score", beta, threshold, slope)
    slope, threshold = float(slope), float(threshold)
    surprise = slope * (spk - torch.sigmoid(slope * (mem - threshold)))                     # [T, B, H]
    return torch.einsum("tbh,tbi->bhi", surprise, trace(x, beta))


class Actor(NamedTuple):
    """Hold the state of noisy neurons that learn from reward, one independent learner a row.

    eligibility[t] = decay * eligibility[t-1] + k (spk[t] - p[t]) trace[t],    a reward changes weights by rate R eligibility

    Args:
        mem, spk: membrane potential and spikes of the last step, [B, A].
        trace: presynaptic trace, [B, I].
        eligibility: what a reward would do to each weight, [B, A, I].

    Source: Florian (2007), doi:10.1162/neco.2007.19.6.1468.

    >>> Actor(torch.zeros(2, 4), torch.zeros(2, 4), torch.zeros(2, 9), torch.zeros(2, 4, 9)).eligibility.shape
    torch.Size([2, 4, 9])
    """

    mem: torch.Tensor
    spk: torch.Tensor
    trace: torch.Tensor
    eligibility: torch.Tensor


def start_actor(weight):
    """Make the state of actors at rest.

    mem = spk = trace = eligibility = 0

    Args:
        weight: weights of each learner, [B, A, I].

    Returns:
        `Actor` of zeros that fit.

    Raises:
        TypeError: weight not a floating-point tensor.
        ValueError: weight not [B, A, I].

    Source: the state of `act`, before anything happened.

    >>> start_actor(torch.zeros(2, 4, 9)).trace.shape
    torch.Size([2, 9])
    """
    check_signal("start_actor", "weight", weight, layout="[B, A, I] (one table a learner)", dims=3)
    rest = weight.new_zeros(weight.shape[:2])
    return Actor(rest, rest, weight.new_zeros(weight.shape[0], weight.shape[2]), torch.zeros_like(weight))


def act(x, weight, state, beta, decay, threshold=1.0, *, slope=4.0, generator=None):
    """Advance noisy neurons by one step, each learner with weights of its own, and let their synapses remember who did what.

    mem = beta mem + W x - threshold spk;    spk ~ escape_noise(mem - threshold);    trace = beta trace + x
    eligibility = decay eligibility + k (spk - p) trace

    Args:
        x: presynaptic spikes of this step, [B, I].
        weight: weights of each learner, [B, A, I].
        state: `Actor` of the step before, from `start_actor` or `act`.
        beta: membrane decay per step, between 0 and 1.
        decay: decay of the eligibility trace per step, between 0 and 1; float, or tensor [B, 1, 1], one a learner.
        threshold: threshold of the neurons, positive.
        slope: inverse noise amplitude k, positive.
        generator: source of the random numbers, a `torch.Generator`.

    Returns:
        `Actor` of this step. With decay = 1 its eligibility is the `score` of all steps so far.

    Raises:
        TypeError: state not an Actor, x or weight not a floating-point tensor of its type, a constant not a number, generator
            not a torch.Generator.
        ValueError: x or weight of another shape than the state, NaN or infinity in any of them, beta or decay outside [0, 1],
            decay another tensor than [B, 1, 1], threshold or slope not positive.

    Source: Florian (2007), doi:10.1162/neco.2007.19.6.1468; Fremaux and Gerstner (2016), doi:10.3389/fncir.2015.00085.

    >>> weight = torch.full((1, 2, 3), 9.0)
    >>> state = act(torch.ones(1, 3), weight, start_actor(weight), beta=0.9, decay=0.95)
    >>> state.spk.tolist(), state.trace.tolist()
    ([[1.0, 1.0]], [[1.0, 1.0, 1.0]])
    """
    _check_actor("act", state, x, weight, decay)
    _check_neuron("act", beta, threshold, slope)
    check_generator("act", generator)
    beta, threshold, slope = float(beta), float(threshold), float(slope)
    decay = decay if isinstance(decay, torch.Tensor) else float(decay)
    mem = beta * state.mem + (weight @ x[:, :, None])[:, :, 0] - threshold * state.spk      # [B, A]
    check_finite("act", "the membrane", mem, "Look for it in x, weight and state.")
    spk = escape_noise(mem - threshold, slope, generator)
    seen = beta * state.trace + x                                                           # [B, I]
    surprise = slope * (spk - torch.sigmoid(slope * (mem - threshold)))                     # [B, A]
    eligibility = decay * state.eligibility + surprise[:, :, None] * seen[:, None]          # [B, A, I]
    check_finite("act", "the eligibility", eligibility, "Look for it in the trace and the eligibility of state.")
    return Actor(mem, spk, seen, eligibility)


def _check_actor(owner, state, x, weight, decay):
    check_that(owner, isinstance(state, Actor),
               f"state must be an Actor, got {type(state).__name__}. Begin with start_actor(weight).", TypeError)
    check_signal(owner, "weight", weight, layout="[B, A, I] (one table a learner)", dims=3)
    check_signal(owner, "x", x, layout="[B, I] (one step)", dims=2, hint=" A sequence goes in step by step.")
    for name, value, shape in (("x", x, weight.shape[::2]), ("state.mem", state.mem, weight.shape[:2]),
                               ("state.spk", state.spk, weight.shape[:2]), ("state.trace", state.trace, weight.shape[::2]),
                               ("state.eligibility", state.eligibility, weight.shape)):
        check_shape(owner, name, value, shape, f"to fit weight {tuple(weight.shape)}", " Begin with start_actor(weight).")
        check_dtype(owner, name, value, "weight", weight)
    check_between(owner, "decay", decay, 0, 1)
    if isinstance(decay, torch.Tensor) and decay.dim():
        check_shape(owner, "decay", decay, (len(weight), 1, 1), "[B, 1, 1], one a learner, or a number")
        check_dtype(owner, "decay", decay, "weight", weight)
