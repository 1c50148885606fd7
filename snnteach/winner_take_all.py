"""A winner-take-all layer that learns what comes together, without labels: competition, Hebbian learning and homeostasis."""
from typing import NamedTuple

import torch

from ._arguments import (
    check_affordable,
    check_between,
    check_callable,
    check_classes,
    check_dtype,
    check_finite,
    check_flags,
    check_fraction,
    check_generator,
    check_not_negative,
    check_numbers,
    check_shape,
    check_signal,
    check_tensor,
    check_that,
    check_whole,
)


class WinnerTakeAll(NamedTuple):
    """A layer in which one neuron at most fires per step: weight [N, I], rows of length 1, and threshold [N].

    >>> layer = WinnerTakeAll(torch.ones(1, 4) / 2, torch.ones(1))
    >>> layer.weight.norm(dim=1).item()
    1.0
    """

    weight: torch.Tensor
    threshold: torch.Tensor


def wta_start(num_neurons, num_inputs, threshold=2.0, generator=None):
    """Make a winner-take-all layer that knows nothing: random positive weights, the same threshold for all.

    weight = uniform(0, 1), each row divided by its length

    Args:
        num_neurons, num_inputs: N and I.
        threshold: first threshold of every neuron, positive.
        generator: torch.Generator of the weights.

    Returns:
        `WinnerTakeAll` with weight [N, I] and threshold [N].

    Raises:
        TypeError: threshold not a number, generator not a torch.Generator.
        ValueError: threshold not positive, num_neurons or num_inputs not whole or less than 1.

    Source: Diehl and Cook (2015), doi:10.3389/fncom.2015.00099, section 2.

    >>> layer = wta_start(100, 784, generator=torch.Generator().manual_seed(0))
    >>> layer.weight.shape, round(layer.weight.norm(dim=1).mean().item(), 4)
    (torch.Size([100, 784]), 1.0)
    """
    check_whole("wta_start", num_neurons=num_neurons, num_inputs=num_inputs)
    check_affordable("wta_start", "num_neurons x num_inputs", num_neurons, num_inputs)
    check_numbers("wta_start", above=0, threshold=threshold)
    check_generator("wta_start", generator)
    weight = torch.rand(num_neurons, num_inputs, generator=generator)
    return WinnerTakeAll(weight / weight.norm(dim=1, keepdim=True), torch.full((num_neurons,), float(threshold)))


def _check_wta_layer(owner, layer):
    check_that(owner, isinstance(layer, WinnerTakeAll), f"layer must be WinnerTakeAll(weight, threshold), got "
               f"{type(layer).__name__}. Begin with wta_start(num_neurons, num_inputs).", TypeError)
    check_signal(owner, "layer.weight", layer.weight, layout="[N, I]", dims=2)
    check_shape(owner, "layer.threshold", layer.threshold, layer.weight.shape[:1], "[N], one a row of layer.weight")
    check_dtype(owner, "layer.threshold", layer.threshold, "layer.weight", layer.weight)
    for name, value in layer._asdict().items():
        check_finite(owner, f"layer.{name}", value, "Look for it in what the layer has learned from.")


def _check_wta_input(owner, spk, layer, name="spk"):
    check_signal(owner, name, spk, layout="[T, B, I] (time first)", dims=3, hint=" Flatten images with flatten(2).")
    check_shape(owner, name, spk, (*spk.shape[:2], layer.weight.shape[1]), "to fit the layer's weights")
    check_dtype(owner, name, spk, "layer.weight", layer.weight)
    check_finite(owner, name, spk, "Look for it where the spikes were made.")


def wta_forward(spk, layer, beta=0.99):
    """Run the layer: of the neurons above their threshold the one that is furthest above fires, and all start afresh.

    mem[t] = beta mem[t-1] + W spk[t],    winner = argmax(mem[t] - threshold) if that is positive;  then mem = 0 for all

    Args:
        spk: input spikes, [T, B, I].
        layer: a `WinnerTakeAll`.
        beta: membrane decay per step, between 0 and 1.

    Returns:
        Output spikes, [T, B, N], at most one a step and sample.

    Raises:
        TypeError: spk not a floating-point tensor of the weights' type, layer not a WinnerTakeAll, beta not a number.
        ValueError: spk not [T, B, I], another I than the weights have, NaN or infinity in spk or layer, beta outside [0, 1].

    Source: Diehl and Cook (2015), with inhibition so strong that it acts at once.

    >>> layer = WinnerTakeAll(torch.eye(2), torch.tensor([1.5, 1.5]))
    >>> out = wta_forward(torch.tensor([[[1.0, 0.0]]]).expand(4, 1, 2), layer, beta=1.0)
    >>> out[:, 0].tolist()
    [[0.0, 0.0], [1.0, 0.0], [0.0, 0.0], [1.0, 0.0]]
    """
    _check_wta_layer("wta_forward", layer)
    _check_wta_input("wta_forward", spk, layer)
    check_fraction("wta_forward", beta=beta)
    fine = torch.promote_types(spk.dtype, torch.float32)
    current = spk.to(fine) @ layer.weight.to(fine).T                          # [T, B, N]
    mem, out = torch.zeros_like(current[0]), torch.zeros_like(current)
    for x_t, out_t in zip(current, out, strict=True):
        mem.mul_(float(beta)).add_(x_t)
        excess, winner = (mem - layer.threshold).max(dim=1, keepdim=True)     # [B, 1]
        fires = (excess > 0).to(fine)
        out_t.scatter_(1, winner, fires)
        mem.mul_(1 - fires)                                                   # the winner silences everyone, itself included
    return out.to(spk.dtype)


def wta_learn(spk, out, layer, *, learning_rate=0.007, offset=0.05, decay=0.98, rise=0.07, normalise=True):
    """Let each winner move its weights towards the inputs that fired before it, and raise its threshold.

    w += learning_rate (x - offset) at a spike of the winner, x[t] = decay x[t-1] + spk[t];  w = max(w, 0), rows back to
    length 1;  threshold += rise at each spike

    The post-before-pre half of the window is replaced by `offset`, a depression of every synapse at every output spike.

    Args:
        spk: input spikes, [T, B, I].
        out: output spikes of `wta_forward`, [T, B, N].
        layer: a `WinnerTakeAll`; the weights stay fixed inside a batch.
        learning_rate, offset: size of a change, and the trace below which it is a depression; not negative.
        decay: decay of the presynaptic trace per step, between 0 and 1.
        rise: rise of the threshold per spike, not negative; 0 takes the homeostasis away.
        normalise: bring each row of weights back to length 1.

    Returns:
        The layer after the batch, a `WinnerTakeAll`.

    Raises:
        TypeError: spk or out not a floating-point tensor of the weights' type, layer not a WinnerTakeAll, a constant not a
            number, normalise neither True nor False.
        ValueError: spk or out not three-dimensional or of other lengths, NaN or infinity, a constant out of its range.

    Source: Diehl and Cook (2015), section 2.3 (the rule with x_tar) and section 2.4 (adaptive threshold).

    >>> spk = torch.tensor([[[1.0, 0.0]]])
    >>> layer = WinnerTakeAll(torch.tensor([[0.6, 0.8]]), torch.ones(1))
    >>> layer = wta_learn(spk, torch.ones(1, 1, 1), layer, learning_rate=0.1)
    >>> [round(entry, 3) for entry in layer.weight[0].tolist()], round(layer.threshold.item(), 2)
    ([0.658, 0.753], 1.07)
    """
    _check_wta_layer("wta_learn", layer)
    _check_wta_input("wta_learn", spk, layer)
    check_shape("wta_learn", "out", out, (*spk.shape[:2], len(layer.weight)), "to fit spk and the layer's weights",
                " Pass out = wta_forward(spk, layer).")
    check_dtype("wta_learn", "out", out, "spk", spk)
    check_finite("wta_learn", "out", out, "Pass out = wta_forward(spk, layer).")
    _check_learning("wta_learn", learning_rate, offset, decay, rise, normalise)
    fine, learning_rate = torch.promote_types(spk.dtype, torch.float32), float(learning_rate)
    spk, out, weight = spk.detach().to(fine), out.detach().to(fine), layer.weight.detach().to(fine)
    trace, traces = torch.zeros_like(spk[0]), torch.empty_like(spk)
    for spk_t, trace_t in zip(spk, traces, strict=True):
        trace = torch.add(spk_t, trace, alpha=float(decay), out=trace_t)      # [B, I]
    t, b, n = out.nonzero(as_tuple=True)                                      # one entry an output spike
    change = torch.zeros_like(weight).index_add_(0, n, traces[t, b] - float(offset))
    weight = (weight + learning_rate * change).clamp_(min=0)
    if normalise:
        weight = weight / weight.norm(dim=1, keepdim=True).clamp(min=1e-9)
    threshold = layer.threshold.detach() + float(rise) * out.sum((0, 1))
    return WinnerTakeAll(weight.to(layer.weight.dtype), threshold.to(layer.threshold.dtype))


def _check_learning(owner, learning_rate, offset=0.0, decay=0.0, rise=0.0, normalise=True):
    check_numbers(owner, low=0, learning_rate=learning_rate, offset=offset, rise=rise)
    check_fraction(owner, decay=decay)
    check_flags(owner, normalise=normalise)


def train_wta(layer, images, *, encode, epochs=2, batch_size=16, learning_rate=0.007, generator=None, progress=None,
              **constants):
    """Show a winner-take-all layer images without their labels, in random order, with a learning rate that falls to zero.

    learning_rate(n) = learning_rate (1 - n / (epochs len(images))) after n images

    Args:
        layer: the `WinnerTakeAll` to begin with.
        images: [S, ...], whatever encode takes.
        encode: function from a batch of images to spikes [T, B, I].
        epochs: how often each image is shown.
        batch_size: images between two updates of the weights.
        learning_rate: the first one, positive.
        generator: torch.Generator of the order.
        progress: called after each batch with (layer, images seen so far).
        constants: offset, decay, rise, normalise of `wta_learn`.

    Returns:
        The trained `WinnerTakeAll`.

    Raises:
        TypeError: layer not a WinnerTakeAll, images not a tensor, encode or progress not a function, a constant unknown or not
            a number, generator not a torch.Generator, what encode returns not a floating-point tensor of the weights' type.
        ValueError: images empty, learning_rate not positive, epochs or batch_size not whole or less than 1, a constant out of
            its range, what encode returns not [T, B, I] for its B images and the layer's I, NaN or infinity.

    Source: Diehl and Cook (2015), with minibatches.

    >>> images = torch.eye(4).repeat(50, 1)
    >>> encode = lambda x: x.expand(20, *x.shape)
    >>> layer = wta_start(4, 4, generator=torch.Generator().manual_seed(1))
    >>> layer = train_wta(layer, images, encode=encode, generator=torch.Generator().manual_seed(1))
    >>> sorted(layer.weight.argmax(1).tolist())
    [0, 1, 2, 3]
    """
    _check_wta_layer("train_wta", layer)
    _check_images("train_wta", images, encode, progress, generator)
    check_whole("train_wta", epochs=epochs, batch_size=batch_size)
    check_numbers("train_wta", above=0, learning_rate=learning_rate)
    check_that("train_wta", set(constants) <= {"offset", "decay", "rise", "normalise"},
               f"constants must be among offset, decay, rise and normalise, got {', '.join(constants)}.", TypeError)
    _check_learning("train_wta", learning_rate, **constants)
    seen, planned = 0, epochs * len(images)
    for _ in range(epochs):
        for chosen in torch.randperm(len(images), generator=generator).split(int(batch_size)):
            spk = encode(images[chosen])                                      # [T, B, I]
            _check_wta_input("train_wta", spk, layer, "what encode returns")
            check_that("train_wta", spk.shape[1] == len(chosen), f"what encode returns must be [T, B, I] (time first) of "
                       f"B = {len(chosen)} images, got shape {tuple(spk.shape)}.")
            out = wta_forward(spk, layer)
            layer = wta_learn(spk, out, layer, learning_rate=learning_rate * (1 - seen / planned), **constants)
            seen += len(chosen)
            if progress is not None:
                progress(layer, seen)
    return layer


def _check_images(owner, images, encode, progress, generator):
    check_tensor(owner, "images", images, "[S, ...]")
    check_that(owner, images.dim() and len(images), f"images must be [S, ...] and not empty, got shape {tuple(images.shape)}.")
    check_callable(owner, "encode", encode, "It turns a batch of images into spikes [T, B, I].", takes=1)
    if progress is not None:
        check_callable(owner, "progress", progress, "It is called with the layer and the number of images seen.", takes=2)
    check_generator(owner, generator)


def _check_counts(owner, counts, num_classes):
    check_signal(owner, "counts", counts, layout="[S, N]", dims=2)
    check_finite(owner, "counts", counts, "Look for it where the spikes were counted.")
    check_not_negative(owner, counts=counts)
    check_whole(owner, num_classes=num_classes)
    check_affordable(owner, "num_classes", num_classes, max(counts.shape))


def _check_names(owner, name, classes, size, low, num_classes):
    check_tensor(owner, name, classes, size, dims=1)
    check_classes(owner, name, classes, size)
    check_between(owner, name, classes, low, num_classes - 1, hint=f" These are the classes of num_classes={num_classes}.")


def assign_labels(counts, targets, num_classes=10):
    """Name each neuron after the class that makes it fire most; only training images may be used for this.

    label = argmax over classes of the mean spike count of the neuron on images of the class

    Args:
        counts: spikes of each neuron for each training image, [S, N], floating point.
        targets: classes of these images, int64 [S].
        num_classes: number of classes.

    Returns:
        Labels [N], -1 for neurons that never fired.

    Raises:
        TypeError: counts not floating point, targets not int64.
        ValueError: counts not [S, N], negative, NaN or infinite, another number of targets, a target that is no class,
            num_classes not whole or less than 1.

    Source: Diehl and Cook (2015), section 2.6.

    >>> assign_labels(torch.tensor([[3.0, 0.0, 0.0], [1.0, 2.0, 0.0]]), torch.tensor([0, 1])).tolist()
    [0, 1, -1]
    """
    _check_counts("assign_labels", counts, num_classes)
    check_tensor("assign_labels", "targets", targets, "[S]", dims=1)
    check_that("assign_labels", len(targets) == len(counts), f"{len(counts)} rows of counts but {len(targets)} targets.")
    _check_names("assign_labels", "targets", targets, "[S]", 0, num_classes)
    counts = counts.to(torch.promote_types(counts.dtype, torch.float32))
    member = torch.nn.functional.one_hot(targets, int(num_classes)).to(counts.dtype)         # [S, C]
    mean = counts.T @ member / member.sum(0).clamp(min=1)                                    # [N, C]
    return torch.where(counts.sum(0) > 0, mean.argmax(1), -1)


def vote(counts, labels, num_classes=10):
    """Read a class off labelled neurons: the class whose neurons fired most on average.

    answer = argmax over classes of the mean count of the neurons with this label

    Args:
        counts: spikes of each neuron for each image, [S, N], floating point.
        labels: labels of the neurons, int64 [N], -1 for none.
        num_classes: number of classes.

    Returns:
        Classes [S], -1 where no labelled neuron fired.

    Raises:
        TypeError: counts not floating point, labels not int64.
        ValueError: counts not [S, N], negative, NaN or infinite, another number of labels, a label that is neither -1 nor a
            class, num_classes not whole or less than 1.

    Source: Diehl and Cook (2015), section 2.6.

    >>> vote(torch.tensor([[2.0, 3.0, 0.0], [0.0, 0.0, 0.0]]), torch.tensor([0, 1, 1])).tolist()
    [0, -1]
    """
    _check_counts("vote", counts, num_classes)
    check_tensor("vote", "labels", labels, "[N]", dims=1)
    check_that("vote", len(labels) == counts.shape[1], f"{counts.shape[1]} neurons but {len(labels)} labels.")
    _check_names("vote", "labels", labels, "[N]", -1, num_classes)
    counts = counts.to(torch.promote_types(counts.dtype, torch.float32))
    member = (labels[:, None] == torch.arange(num_classes)).to(counts.dtype)                 # [N, C]
    score = counts @ member / member.sum(0).clamp(min=1)                                     # [S, C]
    return torch.where(score.sum(1) > 0, score.argmax(1), -1)
