"""Learning without weight transport: what a hidden layer is told by fixed random weights, by the target, by a loss of its own.

A network of spiking layers is read out by its firing rates, and every rule gives each hidden neuron a learning signal:

    spk_l = lif(W_l spk_(l-1)),    votes = W_out r,    r = mean over t of the last spk
    dW_l = sum over t of signal_l[t] h(mem_l[t] - threshold) trace_(l-1)[t]
"""
import math
from itertools import pairwise
from typing import NamedTuple

import torch
from torch.nn.functional import one_hot

from ._arguments import (
    check_affordable,
    check_callable,
    check_classes,
    check_dtype,
    check_finite,
    check_fraction,
    check_generator,
    check_numbers,
    check_option,
    check_shape,
    check_signal,
    check_surrogate,
    check_that,
    check_whole,
)
from .neurons import lif
from .surrogate import atan
from .three_factor import three_factor, trace

LOCAL_RULES = ("backprop", "feedback alignment", "direct feedback", "target projection", "local losses", "frozen")
MOST_EPOCHS = 10_000


class Layers(NamedTuple):
    """What a network of spiking layers did.

    votes = W_out rate of the last hidden layer,    rate = mean over t of spk

    Args:
        inputs: what came into each hidden layer, [T, B, N] each.
        mem, spk: membranes before their reset and spikes of each hidden layer, [T, B, H] each.
        votes: the read-out, [B, O].

    Source: Eshraghian et al. (2023), section III-B, a rate code read by a linear layer.

    >>> Layers((), (), (torch.zeros(9, 1, 4),), torch.zeros(1, 2)).votes.shape
    torch.Size([1, 2])
    """

    inputs: tuple
    mem: tuple
    spk: tuple
    votes: torch.Tensor


def _check_stack_of_weights(owner, weights):
    check_that(owner, isinstance(weights, (list, tuple)), f"weights must be a list of tensors [out, in], got "
               f"{type(weights).__name__}. Draw them with draw_layers((784, 100, 10)).", TypeError)
    check_that(owner, len(weights) > 1, f"weights must be two or more tensors [out, in], got {len(weights)}.")
    for place, weight in enumerate(weights):
        check_signal(owner, f"weights[{place}]", weight, layout="[out, in]", dims=2)
        check_dtype(owner, f"weights[{place}]", weight, "weights[0]", weights[0])
        check_finite(owner, f"weights[{place}]", weight, "Lower the learning rate, or look where they were computed.")
    for place, (below, above) in enumerate(pairwise(weights), 1):
        check_shape(owner, f"weights[{place}]", above, (len(above), len(below)), "to take the neurons of the layer before")


def _check_decay_and_threshold(owner, beta, threshold, surrogate=None):
    check_fraction(owner, beta=beta)
    check_numbers(owner, above=0, threshold=threshold)
    if surrogate is not None:
        check_surrogate(owner, surrogate)


def _check_classes(owner, name, target, samples, classes):
    check_classes(owner, name, target, "[B] of class numbers")
    check_shape(owner, name, target, (samples,), "one a sample")
    check_that(owner, 0 <= int(target.min()) <= int(target.max()) < classes,
               f"{name} must lie in 0..{classes - 1}, got {int(target.min())}..{int(target.max())}.")


def draw_layers(sizes, generator=None, gain=1.5, readout=1.0):
    """Draw the weights of a network of spiking layers.

    W ~ normal of standard deviation 1 / sqrt(inputs), times `gain` between hidden layers, whose spikes are rare,
    and times `readout` in the last matrix: random feedback is found sooner where that begins small

    Args:
        sizes: number of inputs, of the neurons of each hidden layer, of the outputs; three or more.
        generator: source of the random numbers, a `torch.Generator`.
        gain: of the weights between hidden layers, positive.
        readout: of the weights of the read-out, 0 or more.

    Returns:
        A list of weights [out, in], the read-out last.

    Raises:
        TypeError: sizes not a tuple or list, generator not a torch.Generator.
        ValueError: sizes not three or more positive whole numbers, gain not positive, readout negative.

    Source: the scale that keeps a sum of independent inputs at that of one; Eshraghian et al. (2023), section IV-C.

    >>> [tuple(weight.shape) for weight in draw_layers((784, 100, 50, 10))]
    [(100, 784), (50, 100), (10, 50)]
    """
    check_that("draw_layers", isinstance(sizes, (tuple, list)), f"sizes must be a tuple, such as (784, 100, 10), got "
               f"{type(sizes).__name__}.", TypeError)
    check_that("draw_layers", len(sizes) > 2, f"sizes must be three or more positive whole numbers, got {len(sizes)}.")
    check_whole("draw_layers", **{f"sizes[{place}]": size for place, size in enumerate(sizes)})
    check_affordable("draw_layers", "sizes", *sorted(sizes)[-2:])
    check_generator("draw_layers", generator)
    check_numbers("draw_layers", above=0, high=1e6, gain=gain)
    check_numbers("draw_layers", low=0, high=1e6, readout=readout)
    scales = [1.0, *[float(gain)] * (len(sizes) - 3), float(readout)]
    return [scale * torch.randn(int(out), int(into), generator=generator) / math.sqrt(into)
            for scale, (into, out) in zip(scales, pairwise(sizes))]


def draw_feedback(rule, weights, generator=None):
    """Draw the fixed random weights by which a rule tells the hidden layers something.

    feedback alignment: one matrix for each W above the first, of its shape; direct feedback, target projection and local
    losses: one [O, H] for each hidden layer; all of standard deviation 1 / sqrt(columns); backprop and frozen: none

    Args:
        rule: one of `LOCAL_RULES`.
        weights: list of weights [out, in] of the network, the read-out last.
        generator: source of the random numbers, a `torch.Generator`.

    Returns:
        A list of matrices, one a hidden layer, or an empty list.

    Raises:
        TypeError: weights not a list of floating-point tensors of one dtype, generator not a torch.Generator.
        ValueError: rule unknown, weights that do not fit each other, NaN or infinity in them.

    Source: Lillicrap et al. (2016), doi:10.1038/ncomms13276; Nokland (2016), arXiv:1609.01596.

    >>> weights = draw_layers((784, 100, 50, 10))
    >>> [tuple(back.shape) for back in draw_feedback("feedback alignment", weights)]
    [(50, 100), (10, 50)]
    >>> [tuple(back.shape) for back in draw_feedback("direct feedback", weights)]
    [(10, 100), (10, 50)]
    """
    check_option("draw_feedback", "rule", rule, LOCAL_RULES)
    _check_stack_of_weights("draw_feedback", weights)
    check_generator("draw_feedback", generator)
    if rule in ("backprop", "frozen"):
        return []
    classes, hidden = len(weights[-1]), [len(weight) for weight in weights[:-1]]
    shapes = [weight.shape for weight in weights[1:]] if rule == "feedback alignment" else [(classes, size) for size in hidden]
    return [torch.randn(shape, generator=generator, dtype=weights[0].dtype) / math.sqrt(shape[1]) for shape in shapes]


def run_layers(x, weights, beta=0.9, threshold=1.0):
    """Run a network of spiking layers whose last firing rates are read out by a matrix.

    spk_l = lif(W_l spk_(l-1)),    votes = W_out mean over t of spk

    Args:
        x: input, [T, B, I]; from `direct_current` the first product is made once.
        weights: list of weights [out, in], the read-out last.
        beta: membrane decay per step, between 0 and 1.
        threshold: firing threshold, positive.

    Returns:
        `Layers`.

    Raises:
        TypeError: x or weights not floating-point tensors of one dtype, beta or threshold not a number.
        ValueError: x not [T, B, I], weights that do not fit x or each other, beta outside [0, 1], threshold not positive, NaN.

    Source: Eshraghian et al. (2023), Eqs. 4 and 5, section III-B.

    >>> layers = run_layers(torch.rand(10, 4, 784), draw_layers((784, 100, 50, 10)))
    >>> [tuple(spk.shape) for spk in layers.spk], tuple(layers.votes.shape)
    ([(10, 4, 100), (10, 4, 50)], (4, 10))
    """
    _check_stack_of_weights("run_layers", weights)
    check_signal("run_layers", "x", x, layout="[T, B, I] (time first)", dims=3,
                 hint=" For input that does not change use direct_current(x, num_steps).")
    check_dtype("run_layers", "x", x, "weights[0]", weights[0])
    check_that("run_layers", x.shape[2] == weights[0].shape[1], f"x must be [T, B, {weights[0].shape[1]}] to fit weights[0], "
               f"got shape {tuple(x.shape)}.")
    check_finite("run_layers", "x", x[:1] if x.stride(0) == 0 else x, "Look for it where x was computed.")
    _check_decay_and_threshold("run_layers", beta, threshold)
    inputs, mem, spk, now = [], [], [], x
    for weight in weights[:-1]:
        current = (now[0] @ weight.T).expand(len(x), -1, -1) if now.stride(0) == 0 else now @ weight.T
        fired, potential = lif(current, float(beta), float(threshold))
        inputs, mem, spk, now = [*inputs, now], [*mem, potential], [*spk, fired], fired
    return Layers(tuple(inputs), tuple(mem), tuple(spk), now.mean(0) @ weights[-1].T)


def class_error(votes, target):
    """Say how wrong the votes are, class by class: the gradient of the cross-entropy, averaged over the batch.

    e = (softmax(votes) - onehot(target)) / B

    Args:
        votes: read-out, [B, O].
        target: class numbers, [B], int64.

    Returns:
        e = dL/dvotes, [B, O].

    Raises:
        TypeError: votes not a floating-point tensor, target not int64.
        ValueError: votes not [B, O] or NaN or infinite, target of another length or outside 0..O-1.

    Source: Eshraghian et al. (2023), Table 3, cross-entropy.

    >>> class_error(torch.zeros(1, 2), torch.tensor([1])).tolist()
    [[0.5, -0.5]]
    """
    check_signal("class_error", "votes", votes, layout="[B, O]", dims=2)
    check_finite("class_error", "votes", votes, "Lower the learning rate.")
    _check_classes("class_error", "target", target, *votes.shape)
    return (votes.softmax(1) - one_hot(target, votes.shape[1])) / len(target)


def _check_ran(owner, layers, weights):
    check_that(owner, isinstance(layers, Layers), f"layers must be Layers from run_layers, got {type(layers).__name__}.",
               TypeError)
    for name, part in zip(("inputs", "mem", "spk"), layers[:3]):
        check_that(owner, isinstance(part, tuple) and len(part) == len(weights) - 1,
                   f"layers.{name} must be a tuple of {len(weights) - 1} tensors, one a hidden layer. Run run_layers again.")
        for place, value in enumerate(part):
            _check_run_part(owner, f"layers.{name}[{place}]", value, weights[place].shape[int(name == "inputs")], weights)
    for place in range(len(weights) - 1):
        check_shape(owner, f"layers.inputs[{place}]", layers.inputs[place][..., 0], layers.mem[0].shape[:2], "as layers.mem")
        check_shape(owner, f"layers.mem[{place}]", layers.mem[place][..., 0], layers.mem[0].shape[:2], "as layers.mem[0]")
        check_shape(owner, f"layers.spk[{place}]", layers.spk[place][..., 0], layers.mem[0].shape[:2], "as layers.mem")
    check_signal(owner, "layers.votes", layers.votes, layout="[B, O]", dims=2)
    check_shape(owner, "layers.votes", layers.votes, (layers.mem[0].shape[1], len(weights[-1])), "to fit weights")
    check_dtype(owner, "layers.votes", layers.votes, "weights[0]", weights[0])
    check_finite(owner, "layers.votes", layers.votes, "Look for it in the input and the weights.")


def _check_run_part(owner, name, value, size, weights):
    check_signal(owner, name, value, layout="[T, B, N] (time first)", dims=3)
    check_shape(owner, name, value, (*value.shape[:2], size), "to fit weights")
    check_dtype(owner, name, value, "weights[0]", weights[0])
    check_finite(owner, name, value if value.stride(0) else value[0], "Look for it in the input and the weights.")


def _check_random_feedback(owner, rule, feedback, weights):
    check_that(owner, isinstance(feedback, (list, tuple)), f"feedback must be a list of tensors, got {type(feedback).__name__}."
               " Draw it with draw_feedback(rule, weights).", TypeError)
    if rule not in ("backprop", "frozen"):
        check_that(owner, len(feedback) == len(weights) - 1, f"feedback must hold {len(weights) - 1} tensors, one a hidden "
                   f"layer, got {len(feedback)}. Draw it with draw_feedback(rule, weights).")
        for place, back in enumerate(feedback):
            check_signal(owner, f"feedback[{place}]", back, layout="[out, in]", dims=2)
            check_shape(owner, f"feedback[{place}]", back,
                        (len(weights[place + 1 if rule == "feedback alignment" else -1]), len(weights[place])), "to fit")
            check_dtype(owner, f"feedback[{place}]", back, "weights[0]", weights[0])
            check_finite(owner, f"feedback[{place}]", back, "Draw it anew.")


@torch.no_grad()
def learning_signals(rule, layers, target, weights, feedback=(), beta=0.9, threshold=1.0, *, surrogate=atan()):
    """Tell every hidden neuron what to do about the error, by one of six rules.

    backprop            last layer: W_out^T e / T at every step; below: W^T of what the layer above owes its potentials
    feedback alignment  the same with fixed random B for every W^T
    direct feedback     B^T e / T, straight to every layer
    target projection   -B^T onehot(target) / (B T), straight to every layer, without an error
    local losses        B^T e_l / T with e_l the error of the layer's own read-out B r_l, fixed and random
    frozen              0

    Args:
        rule: one of `LOCAL_RULES`.
        layers: `Layers` from `run_layers`.
        target: class numbers, [B], int64.
        weights: list of weights [out, in], the read-out last.
        feedback: fixed random weights from `draw_feedback`.
        beta: membrane decay per step, between 0 and 1.
        threshold: firing threshold, positive.
        surrogate: derivative h of the step function.

    Returns:
        dL/dspk of each hidden layer as the rule has it, a list of [T, B, H].

    Raises:
        TypeError: layers not Layers, weights or feedback not lists of floating-point tensors, target not int64, beta or
            threshold not a number, surrogate not a derivative (atan for atan()).
        ValueError: rule unknown, shapes that do not fit, target outside 0..O-1, beta outside [0, 1], threshold not positive,
            NaN or infinity.

    Source: Lillicrap et al. (2016), doi:10.1038/ncomms13276; Nokland (2016), arXiv:1609.01596; Frenkel et al. (2021),
    doi:10.3389/fnins.2021.629892; Kaiser et al. (2020), doi:10.3389/fnins.2020.00424.

    >>> weights, x, target = draw_layers((20, 30, 40, 3)), torch.rand(10, 4, 20), torch.tensor([0, 1, 2, 1])
    >>> layers, feedback = run_layers(x, weights), draw_feedback("direct feedback", weights)
    >>> [tuple(told.shape) for told in learning_signals("direct feedback", layers, target, weights, feedback)]
    [(10, 4, 30), (10, 4, 40)]
    """
    _check_told("learning_signals", rule, layers, target, weights, feedback, beta, threshold, surrogate)
    return _signals(rule, layers, target, weights, feedback, float(beta), float(threshold), surrogate)


def _check_told(owner, rule, layers, target, weights, feedback, beta, threshold, surrogate):
    check_option(owner, "rule", rule, LOCAL_RULES)
    _check_stack_of_weights(owner, weights)
    _check_ran(owner, layers, weights)
    _check_random_feedback(owner, rule, feedback, weights)
    _check_classes(owner, "target", target, *layers.votes.shape)
    _check_decay_and_threshold(owner, beta, threshold, surrogate)


def _signals(rule, layers, target, weights, feedback, beta, threshold, surrogate):
    num_steps, hidden = len(layers.mem[0]), range(len(layers.mem))
    error = class_error(layers.votes, target)                                               # [B, O]
    if rule == "frozen":
        return [torch.zeros_like(mem) for mem in layers.mem]
    if rule in ("backprop", "feedback alignment"):
        back = weights[1:] if rule == "backprop" else feedback
        found = [(error @ back[-1] / num_steps).expand(num_steps, -1, -1)]
        for place in reversed(hidden[1:]):
            owed = surrogate(layers.mem[place] - threshold) * found[0]                      # [T, B, H] of the layer above
            found.insert(0, trace(owed.flip(0), beta).flip(0) @ back[place - 1])            # its potentials remember
        return found
    if rule == "target projection":
        told = [-one_hot(target, error.shape[1]).to(error.dtype) / len(target)] * len(hidden)
    elif rule == "local losses":
        told = [class_error(spk.mean(0) @ back.T, target) for spk, back in zip(layers.spk, feedback)]
    else:
        told = [error] * len(hidden)
    return [(told[place] @ feedback[place] / num_steps).expand(num_steps, -1, -1) for place in hidden]


@torch.no_grad()
def local_gradients(rule, layers, target, weights, feedback=(), beta=0.9, threshold=1.0, *, surrogate=atan()):
    """Compute how each weight should change by one of six rules; the read-out's change is exact in all of them.

    dW_l = sum over t of signal_l[t] h(mem_l[t] - threshold) trace_(l-1)[t],    dW_out = e^T r

    Args:
        rule, layers, target, weights, feedback, beta, threshold, surrogate: as in `learning_signals`.

    Returns:
        A list like weights; a learning step subtracts it. "backprop" gives the gradient of the cross-entropy, reset detached.

    Raises:
        TypeError, ValueError: as `learning_signals`.

    Source: as `learning_signals`; the product of three factors is `snnteach.three_factor.three_factor`.

    >>> weights, x, target = draw_layers((20, 30, 3)), torch.rand(10, 4, 20), torch.tensor([0, 1, 2, 1])
    >>> [tuple(change.shape) for change in local_gradients("backprop", run_layers(x, weights), target, weights)]
    [(30, 20), (3, 30)]
    """
    _check_told("local_gradients", rule, layers, target, weights, feedback, beta, threshold, surrogate)
    beta, threshold = float(beta), float(threshold)
    signals = _signals(rule, layers, target, weights, feedback, beta, threshold, surrogate)
    error = class_error(layers.votes, target)
    return [*(_layer_change(x, mem, signal, beta, threshold, surrogate)
              for x, mem, signal in zip(layers.inputs, layers.mem, signals)), error.T @ layers.spk[-1].mean(0)]


def _layer_change(x, mem, signal, beta, threshold, surrogate):
    """`three_factor`, in one product where the input stays the same and its trace is a number times it."""
    if x.stride(0):
        return three_factor(x, mem, signal, beta, threshold, surrogate=surrogate)
    grown = trace(torch.ones(len(x), 1, 1, dtype=x.dtype), beta)                            # [T, 1, 1]
    return (signal * surrogate(mem - threshold) * grown).sum(0).T @ x[0]


def angles(one, other):
    """Measure the angle between two changes of the same weights, layer by layer.

    angle = arccos( <a, b> / (|a| |b|) ),    in degrees

    Args:
        one, other: lists of tensors, equally shaped in pairs.

    Returns:
        A list of degrees from 0 to 180; 90 where one of the two is zero, which points nowhere.

    Raises:
        TypeError: one or other not a list of floating-point tensors of one dtype.
        ValueError: lists of different lengths, tensors of different shapes, NaN or infinity in them.

    Source: the definition of the angle between two vectors.

    >>> [round(angle, 6) for angle in angles([torch.tensor([1.0, 0.0])], [torch.tensor([1.0, 1.0])])]
    [45.0]
    """
    for name, value in (("one", one), ("other", other)):
        check_that("angles", isinstance(value, (list, tuple)), f"{name} must be a list of tensors, got {type(value).__name__}. "
                   f"For one tensor [{name}].", TypeError)
        check_that("angles", len(value) > 0, f"{name} must hold one tensor at least.")
    check_that("angles", len(one) == len(other), f"one and other must be equally long, got {len(one)} and {len(other)}.")
    for place, (a, b) in enumerate(zip(one, other)):
        check_signal("angles", f"one[{place}]", a, layout="a tensor of any shape", min_dims=0)
        check_signal("angles", f"other[{place}]", b, layout="a tensor of any shape", min_dims=0)
        check_shape("angles", f"other[{place}]", b, a.shape, "as in one")
        check_finite("angles", f"one[{place}]", a, "Look for it where it was computed.")
        check_finite("angles", f"other[{place}]", b, "Look for it where it was computed.")
    return [_degrees(a.detach().double().flatten(), b.detach().double().flatten()) for a, b in zip(one, other)]


def _degrees(a, b):
    a, b = a / max(float(a.abs().max()), 1e-300), b / max(float(b.abs().max()), 1e-300)       # squares of the smallest survive
    size = float(a.norm() * b.norm())
    return math.degrees(math.acos(max(-1.0, min(1.0, float(a @ b) / size)))) if size else 90.0


@torch.no_grad()
def train_layers(rule, weights, feedback, inputs, targets, *, num_steps=10, epochs=5, batch_size=128, learning_rate=2e-3,
                 beta=0.9, threshold=1.0, surrogate=atan(), generator=None, progress=None):
    """Train a network of spiking layers by one of six rules, with Adam, on images as constant currents.

    for each epoch, for each batch of a new random order: w <- w - Adam's step along `local_gradients`

    Args:
        rule: one of `LOCAL_RULES`.
        weights: list of weights [out, in], the read-out last; changed in place.
        feedback: fixed random weights from `draw_feedback`; they stay as they are.
        inputs: samples, [samples, I].
        targets: class numbers, [samples], int64.
        num_steps: time steps T of each sample.
        epochs, batch_size: whole numbers.
        learning_rate: of Adam, positive.
        beta, threshold, surrogate: as in `learning_signals`.
        generator: source of the order of the samples, a `torch.Generator`.
        progress: function of the number of the epoch, from 0 (before the first) to epochs, or None.

    Returns:
        The weights.

    Raises:
        TypeError: an argument of a wrong kind.
        ValueError: rule unknown, shapes that do not fit, counts below 1, learning_rate not positive, NaN or infinity.

    Source: Kingma and Ba (2015), arXiv:1412.6980, for Adam; the rules as in `learning_signals`.

    >>> generator = torch.Generator().manual_seed(0)
    >>> inputs, targets, weights = torch.rand(60, 20), torch.arange(60) % 2, draw_layers((20, 30, 2), generator)
    >>> inputs[:, 0] = 4 * targets
    >>> feedback = draw_feedback("direct feedback", weights, generator)
    >>> trained = train_layers("direct feedback", weights, feedback, inputs, targets, epochs=60, generator=generator)
    >>> bool((run_layers(inputs.expand(10, -1, -1), trained).votes.argmax(1) == targets).float().mean() > 0.9)
    True
    """
    _check_samples(rule, weights, feedback, inputs, targets, generator, progress)
    _check_decay_and_threshold("train_layers", beta, threshold, surrogate)
    check_whole("train_layers", high=MOST_EPOCHS, num_steps=num_steps, epochs=epochs)
    check_whole("train_layers", batch_size=batch_size)
    check_numbers("train_layers", above=0, high=1e6, learning_rate=learning_rate)
    learns = [weight for weight in weights if rule != "frozen" or weight is weights[-1]]
    optimiser = torch.optim.Adam(learns, lr=float(learning_rate))
    for epoch in range(int(epochs) + 1):
        if progress is not None:
            progress(epoch)
        for batch in torch.randperm(len(inputs), generator=generator).split(int(batch_size)) if epoch < epochs else ():
            layers = run_layers(inputs[batch].expand(int(num_steps), -1, -1), weights, beta, threshold)
            changes = local_gradients(rule, layers, targets[batch], weights, feedback, beta, threshold, surrogate=surrogate)
            for weight, change in zip(weights, changes):
                weight.grad = change
            optimiser.step()
    for weight in weights:
        weight.grad = None
    return weights


def _check_samples(rule, weights, feedback, inputs, targets, generator, progress):
    check_option("train_layers", "rule", rule, LOCAL_RULES)
    _check_stack_of_weights("train_layers", weights)
    _check_random_feedback("train_layers", rule, feedback, weights)
    check_signal("train_layers", "inputs", inputs, layout="[samples, I]", dims=2)
    check_dtype("train_layers", "inputs", inputs, "weights[0]", weights[0])
    check_that("train_layers", inputs.shape[1] == weights[0].shape[1], f"inputs must be [samples, {weights[0].shape[1]}] to "
               f"fit weights[0], got shape {tuple(inputs.shape)}.")
    check_finite("train_layers", "inputs", inputs, "Leave such samples out.")
    _check_classes("train_layers", "targets", targets, len(inputs), len(weights[-1]))
    check_generator("train_layers", generator)
    if progress is not None:
        check_callable("train_layers", "progress", progress, "It is called with the number of each epoch.", takes=1)
