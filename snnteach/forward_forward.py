"""Two forward passes and none backward: each spiking layer learns to tell an image with its label from one with another."""
import torch
from torch.nn.functional import one_hot

from ._arguments import (
    check_affordable,
    check_classes,
    check_dtype,
    check_finite,
    check_fraction,
    check_generator,
    check_numbers,
    check_shape,
    check_signal,
    check_surrogate,
    check_tensor,
    check_that,
    check_whole,
)
from .neurons import lif
from .surrogate import atan
from .three_factor import trace

MOST_ROUNDS = 10_000


def _check_claims(owner, name, labels, samples, classes):
    check_whole(owner, high=10_000, classes=classes)
    check_classes(owner, name, labels, "[B] of class numbers")
    check_shape(owner, name, labels, (samples,), "one a sample")
    check_that(owner, 0 <= int(labels.min()) <= int(labels.max()) < classes,
               f"{name} must lie in 0..{int(classes) - 1}, got {int(labels.min())}..{int(labels.max())}.")


def _check_layer_input(owner, name, images):
    check_signal(owner, name, images, layout="[B, I]", dims=2, hint=" Images go in as rows: images.flatten(1).")
    check_finite(owner, name, images, "Leave such samples out.")


def with_label(images, labels, classes=10, strength=5.0):
    """Put a label, right or wrong, in front of the pixels of an image.

    x = (strength * onehot(label), image)

    Args:
        images: [B, I].
        labels: class numbers to be claimed, [B], int64.
        classes: number of classes C.
        strength: current of the label's line, 0 or more.

    Returns:
        [B, C + I].

    Raises:
        TypeError: images not a floating-point tensor, labels not int64, strength not a number.
        ValueError: images not [B, I], NaN or infinite, labels of another length or outside 0..C-1, strength negative.

    Source: Hinton (2022), arXiv:2212.13345, section 3.3, a label that stands in the picture.

    >>> with_label(torch.ones(1, 3), torch.tensor([1]), classes=2).tolist()
    [[0.0, 5.0, 1.0, 1.0, 1.0]]
    """
    _check_layer_input("with_label", "images", images)
    _check_claims("with_label", "labels", labels, len(images), classes)
    check_affordable("with_label", "images and classes", len(images), images.shape[1] + classes)
    check_numbers("with_label", low=0, high=1e6, strength=strength)
    return torch.cat([float(strength) * one_hot(labels, int(classes)).to(images.dtype), images], 1)


def _check_one_layer(owner, x, weight, beta):
    _check_layer_input(owner, "x", x)
    check_signal(owner, "weight", weight, layout="[H, I]", dims=2)
    check_shape(owner, "weight", weight, (len(weight), x.shape[1]), f"to fit x {tuple(x.shape)}")
    check_dtype(owner, "weight", weight, "x", x)
    check_finite(owner, "weight", weight, "Lower the learning rate, or look where it was computed.")
    check_fraction(owner, beta=beta)


def goodness(rate):
    """Say how loud a layer is: the mean square of its firing rates.

    G = mean over neurons of r^2

    Args:
        rate: firing rates per step, [B, H].

    Returns:
        [B].

    Raises:
        TypeError: rate not a floating-point tensor.
        ValueError: rate not [B, H], NaN or infinity in it.

    Source: Hinton (2022), arXiv:2212.13345, section 2, with firing rates for activities and a mean for the sum.

    >>> goodness(torch.tensor([[1.0, 0.0], [0.5, 0.5]])).tolist()
    [0.5, 0.25]
    """
    _check_layer_input("goodness", "rate", rate)
    return rate.square().mean(1)


def passed_on(rate):
    """Take the loudness out of firing rates, so that the next layer cannot read the answer from it.

    y = r / sqrt(mean over neurons of r^2),    0 where the layer is silent

    Args:
        rate: firing rates per step, [B, H].

    Returns:
        Currents for the next layer, [B, H], whose mean square is 1.

    Raises:
        TypeError: rate not a floating-point tensor.
        ValueError: rate not [B, H], NaN or infinity in it.

    Source: Hinton (2022), arXiv:2212.13345, section 2.1, the simple layer normalisation.

    >>> passed_on(torch.tensor([[0.2, 0.2], [0.0, 0.0]])).tolist()
    [[1.0, 1.0], [0.0, 0.0]]
    """
    _check_layer_input("passed_on", "rate", rate)
    return rate / rate.square().mean(1, keepdim=True).sqrt().clamp(min=torch.finfo(rate.dtype).tiny)


def _spikes(x, weight, beta, num_steps):
    return lif((x @ weight.T).expand(int(num_steps), -1, -1), float(beta))


@torch.no_grad()
def forward_forward_gradient(x, weight, right, beta=0.9, *, num_steps=10, level=0.1, sharpness=80.0, surrogate=atan()):
    """Compute how one layer changes to be loud for right pairs and quiet for wrong ones, from its own spikes alone.

    L = mean of softplus(-z) over right and of softplus(z) over wrong samples,    z = sharpness (G - level)
    signal = dL/dG 2 r / (H T),    dW = sum over t of signal h(mem[t] - 1) trace[t]

    Args:
        x: currents that stay the same in all steps, [B, I], right and wrong pairs together.
        weight: weights, [H, I].
        right: which samples are right, bool [B].
        beta: membrane decay per step, between 0 and 1.
        num_steps: number of time steps T.
        level: goodness that parts right from wrong, positive.
        sharpness: how strongly a difference in goodness counts, positive.
        surrogate: derivative h of the step function.

    Returns:
        (dW [H, I], firing rates [B, H]).

    Raises:
        TypeError: x or weight not floating-point tensors of one dtype, right not bool, a constant not a number, surrogate not a
            derivative (atan for atan()).
        ValueError: shapes that do not fit, NaN or infinity, beta outside [0, 1], a constant not positive.

    Source: Hinton (2022), arXiv:2212.13345, section 2; spiking, with a surrogate and the trace of `snnteach.three_factor`.

    >>> x, weight = torch.ones(2, 3), torch.full((4, 3), 0.2)
    >>> change, rate = forward_forward_gradient(x, weight, torch.tensor([True, True]))
    >>> bool((change < 0).all()), tuple(rate.shape)                          # subtracted: weights grow, the layer gets louder
    (True, (2, 4))
    """
    _check_one_layer("forward_forward_gradient", x, weight, beta)
    check_tensor("forward_forward_gradient", "right", right, "[B] of True and False", dims=1)
    check_that("forward_forward_gradient", right.dtype == torch.bool, f"right must be bool, got {right.dtype}. Convert 0 and 1 "
               "with right == 1.", TypeError)
    check_shape("forward_forward_gradient", "right", right, x.shape[:1], "one a sample")
    check_whole("forward_forward_gradient", high=MOST_ROUNDS, num_steps=num_steps)
    check_affordable("forward_forward_gradient", "x, weight and num_steps", num_steps, len(x), len(weight))
    check_numbers("forward_forward_gradient", above=0, high=1e6, level=level, sharpness=sharpness)
    check_surrogate("forward_forward_gradient", surrogate)
    spk, mem = _spikes(x, weight, beta, num_steps)
    rate = spk.mean(0)                                                                      # [B, H]
    z = float(sharpness) * (rate.square().mean(1) - float(level))
    slope = torch.where(right, -torch.sigmoid(-z), torch.sigmoid(z)) * float(sharpness) / len(x)           # dL/dG, [B]
    signal = slope[:, None] * 2 * rate / (rate.shape[1] * len(spk))                         # dL/dspk, the same at every step
    grown = trace(torch.ones(len(spk), 1, 1, dtype=x.dtype), float(beta))                   # the trace of a constant input
    return (signal * surrogate(mem - 1) * grown).sum(0).T @ x, rate


@torch.no_grad()
def train_forward_forward(weights, images, labels, *, classes=10, strength=5.0, epochs=10, batch_size=128, learning_rate=2e-3,
                          beta=0.9, num_steps=10, level=0.1, sharpness=80.0, generator=None):
    """Train every layer at its own loss: images with their label are right, with another one they are wrong.

    for each batch, for each layer: w <- w - Adam's step along `forward_forward_gradient`;    y = `passed_on`(rates) goes up

    Args:
        weights: list of weights [H, inputs], the first for C + I inputs; changed in place.
        images: [samples, I].
        labels: class numbers, [samples], int64.
        classes, strength: as in `with_label`.
        epochs, batch_size: whole numbers.
        learning_rate: of Adam, positive.
        beta, num_steps, level, sharpness: as in `forward_forward_gradient`.
        generator: source of order and wrong labels, a `torch.Generator`.

    Returns:
        The weights.

    Raises:
        TypeError: an argument of a wrong kind.
        ValueError: shapes that do not fit, fewer than two classes, counts below 1, a constant not positive, NaN or infinity.

    Source: Hinton (2022), arXiv:2212.13345, section 3.3.

    >>> generator = torch.Generator().manual_seed(0)
    >>> images, labels = torch.rand(60, 20, generator=generator), torch.arange(60) % 2
    >>> images[:, 0] = 4 * labels
    >>> weights = [torch.randn(30, 22, generator=generator) / 22**0.5]
    >>> trained = train_forward_forward(weights, images, labels, classes=2, epochs=60, generator=generator)
    >>> bool((label_goodness(images, trained, classes=2).sum(0).argmax(1) == labels).float().mean() > 0.9)
    True
    """
    _check_stack("train_forward_forward", weights, images, classes)
    _check_claims("train_forward_forward", "labels", labels, len(images), classes)
    check_that("train_forward_forward", classes > 1, "classes must be 2 or more, or no label is wrong.")
    check_numbers("train_forward_forward", low=0, high=1e6, strength=strength)
    check_whole("train_forward_forward", high=MOST_ROUNDS, epochs=epochs, num_steps=num_steps)
    check_whole("train_forward_forward", batch_size=batch_size)
    check_numbers("train_forward_forward", above=0, high=1e6, learning_rate=learning_rate, level=level, sharpness=sharpness)
    check_fraction("train_forward_forward", beta=beta)
    check_generator("train_forward_forward", generator)
    optimiser = torch.optim.Adam(weights, lr=float(learning_rate))
    for _ in range(int(epochs)):
        for batch in torch.randperm(len(images), generator=generator).split(int(batch_size)):
            other = labels[batch] + torch.randint(1, int(classes), batch.shape, generator=generator)
            claimed = torch.cat([labels[batch], other % int(classes)])
            x = with_label(images[batch].repeat(2, 1), claimed, classes, strength)
            right = torch.arange(len(x)) < len(batch)
            for weight in weights:
                weight.grad, rate = forward_forward_gradient(x, weight, right, beta, num_steps=num_steps, level=level,
                                                             sharpness=sharpness)
                x = passed_on(rate)
            optimiser.step()
    for weight in weights:
        weight.grad = None
    return weights


def _check_stack(owner, weights, images, classes):
    _check_layer_input(owner, "images", images)
    check_whole(owner, high=10_000, classes=classes)
    check_that(owner, isinstance(weights, (list, tuple)) and len(weights) > 0, "weights must be a list of tensors [H, inputs], "
               f"got {type(weights).__name__}. For one layer [weight].", TypeError)
    for place, weight in enumerate(weights):
        check_signal(owner, f"weights[{place}]", weight, layout="[H, inputs]", dims=2)
        check_dtype(owner, f"weights[{place}]", weight, "images", images)
        check_finite(owner, f"weights[{place}]", weight, "Lower the learning rate.")
        check_shape(owner, f"weights[{place}]", weight,
                    (len(weight), len(weights[place - 1]) if place else images.shape[1] + int(classes)),
                    "to fit the layer before" if place else "to take label and pixels")


@torch.no_grad()
def label_goodness(images, weights, *, classes=10, strength=5.0, beta=0.9, num_steps=10):
    """Ask every layer how good each label looks: one forward pass for each class.

    goodness of layer l under label c;    the answer is the label with the largest sum over layers

    Args:
        images: [B, I].
        weights: list of weights [H, inputs], the first for C + I inputs.
        classes, strength: as in `with_label`.
        beta: membrane decay per step, between 0 and 1.
        num_steps: number of time steps T.

    Returns:
        [layers, B, C].

    Raises:
        TypeError: an argument of a wrong kind.
        ValueError: shapes that do not fit, a constant out of its range, NaN or infinity.

    Source: Hinton (2022), arXiv:2212.13345, section 3.3.

    >>> label_goodness(torch.rand(4, 20), [torch.rand(30, 30), torch.rand(8, 30)]).shape
    torch.Size([2, 4, 10])
    """
    _check_stack("label_goodness", weights, images, classes)
    check_numbers("label_goodness", low=0, high=1e6, strength=strength)
    check_fraction("label_goodness", beta=beta)
    check_whole("label_goodness", high=MOST_ROUNDS, num_steps=num_steps)
    check_affordable("label_goodness", "images, weights and num_steps", num_steps, len(images), max(map(len, weights)))
    found = []
    for claimed in range(int(classes)):
        x, heard = with_label(images, torch.full((len(images),), claimed), classes, strength), []
        for weight in weights:
            rate = _spikes(x, weight, beta, num_steps)[0].mean(0)
            heard, x = [*heard, rate.square().mean(1)], passed_on(rate)
        found.append(torch.stack(heard))
    return torch.stack(found, 2)
