"""A network of first spikes and what it is tried on: the Yin-Yang plane, an objective for spike times, and the training."""
import math
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from ._arguments import (
    check_classes,
    check_dtype,
    check_finite,
    check_flags,
    check_generator,
    check_numbers,
    check_optional,
    check_signal,
    check_that,
    check_whole,
)
from .spiketimes import first_spike_layer

SMALL, BIG = 0.1, 0.5                                        # radii of a dot and of the disc


class Points(NamedTuple):
    """Points of a plane, float32 [n, 2], and their classes, int64 [n].

    >>> Points(torch.zeros(3, 2), torch.zeros(3).long()).inputs.shape
    torch.Size([3, 2])
    """

    inputs: torch.Tensor
    labels: torch.Tensor


def yin_yang_class(points):
    """Name the part of the Yin-Yang sign in which a point of the unit square lies: 0 yin, 1 yang, 2 a dot, -1 outside.

    The disc has its centre at (0.5, 0.5) and the radius 0.5, the dots theirs at (0.25, 0.5) and (0.75, 0.5) and 0.1. Yin is
    the disc of radius 0.25 around the left dot, and the upper half without that around the right one.

    Args:
        points: x and y, [n, 2].

    Returns:
        Classes, [n], int64.

    Raises:
        TypeError: points not a floating-point tensor.
        ValueError: points not [n, 2], NaN or infinity in it.

    Source: Kriener, Göltz and Petrovici (2022), arXiv:2102.08211.

    >>> yin_yang_class(torch.tensor([[0.3, 0.8], [0.3, 0.2], [0.25, 0.5], [0.0, 0.0]])).tolist()
    [0, 1, 2, -1]
    """
    check_signal("yin_yang_class", "points", points, layout="[n, 2]", dims=2)
    check_that("yin_yang_class", points.shape[1] == 2, f"points must be [n, 2], x and y, got shape {tuple(points.shape)}.")
    check_finite("yin_yang_class", "points", points, "Leave such points out.")
    centre, left, right = ((points - torch.tensor([x, 0.5]).to(points)).square().sum(1).sqrt() for x in (0.5, 0.25, 0.75))
    yin = (left <= BIG / 2) | ((points[:, 1] > 0.5) & (right > BIG / 2))
    named = torch.where((left < SMALL) | (right < SMALL), 2, torch.where(yin, 0, 1))
    return torch.where(centre <= BIG, named, -1)


def yin_yang(num_samples, generator=None):
    """Draw points of the Yin-Yang sign, equally many of each of its three classes (to within one), in random order.

    Args:
        num_samples: at least 1.
        generator: random generator, or None for PyTorch's own.

    Returns:
        Points(inputs [num_samples, 2] between 0 and 1, labels [num_samples]).

    Raises:
        TypeError: generator not a torch.Generator.
        ValueError: num_samples not a whole number from 1 to a million.

    Source: Kriener, Göltz and Petrovici (2022), arXiv:2102.08211, who draw until the class is the wanted one.

    >>> inputs, labels = yin_yang(6, torch.Generator().manual_seed(0))
    >>> inputs.shape, labels.bincount().tolist()
    (torch.Size([6, 2]), [2, 2, 2])
    """
    check_whole("yin_yang", high=10**6, num_samples=num_samples)
    check_generator("yin_yang", generator)
    kept, wanted = [], [(int(num_samples) + 2 - part) // 3 for part in range(3)]
    while any(wanted):
        points = torch.rand(4 * int(num_samples) + 64, 2, generator=generator)
        labels = yin_yang_class(points)
        for part in range(3):
            found = points[labels == part][:wanted[part]]
            wanted[part] -= len(found)
            kept.append(found)
    inputs = torch.cat(kept)
    inputs = inputs[torch.randperm(len(inputs), generator=generator)]
    return Points(inputs, yin_yang_class(inputs))


def arrival_times(inputs, late=2.0, bias=0.0):
    """Turn numbers between 0 and 1 into arrivals: x early and 1 - x late or the other way round, and one bias spike.

    t = (late x_1, ..., late x_K, late (1 - x_1), ..., late (1 - x_K), bias)

    Args:
        inputs: between 0 and 1, [B, K].
        late: arrival of a 1, positive, in the unit of the synaptic time constant.
        bias: arrival of the bias spike, the same for all samples.

    Returns:
        Arrivals, [B, 2 K + 1].

    Raises:
        TypeError: inputs not a floating-point tensor, late or bias not a number.
        ValueError: inputs not [B, K] or not between 0 and 1, late not positive.

    Source: Kriener, Göltz and Petrovici (2022), arXiv:2102.08211, for the mirrored inputs.

    >>> arrival_times(torch.tensor([[0.25, 1.0]])).tolist()
    [[0.5, 2.0, 1.5, 0.0, 0.0]]
    """
    check_signal("arrival_times", "inputs", inputs, layout="[B, K]", dims=2)
    check_finite("arrival_times", "inputs", inputs, "Leave such samples out.")
    check_that("arrival_times", bool(((inputs >= 0) & (inputs <= 1)).all()),
               f"inputs must be between 0 and 1, got {inputs.min():g} to {inputs.max():g}. Scale them: (x - low) / (high - "
               f"low).")
    check_numbers("arrival_times", above=0, late=late)
    check_numbers("arrival_times", bias=bias)
    return torch.cat([late * inputs, late * (1 - inputs), torch.full_like(inputs[:, :1], bias)], 1)


class FirstSpikeMLP(nn.Module):
    """Layers in which every neuron fires once at most, as `first_spike_layer` computes it, and only when matters.

    Weights start normal, of mean `gain` / N and standard deviation `spread` / sqrt(N) for N inputs, in thresholds.

    Args:
        sizes: numbers of neurons, inputs first, such as (5, 60, 3).
        gain: sum of the weights of a neuron, on average; a neuron that hears everything fires only above 1.
        spread: how much weights differ.
        leaky: of all neurons, as in `first_spike_layer`.
        tau: synaptic time constant, positive.
        generator: random generator for the weights, or None for PyTorch's own.

    Raises:
        TypeError: a size, gain, spread or tau not a number, leaky not True or False, generator not a torch.Generator.
        ValueError: fewer than two sizes, a size not a whole number from 1, spread negative, tau not positive.

    Source: Mostafa (2018), doi:10.1109/TNNLS.2017.2726060.

    >>> net = FirstSpikeMLP((5, 60, 3), generator=torch.Generator().manual_seed(0))
    >>> hidden, out = net(arrival_times(torch.rand(8, 2, generator=torch.Generator().manual_seed(1))))
    >>> hidden.shape, out.shape, sum(weight.numel() for weight in net.parameters())
    (torch.Size([8, 60]), torch.Size([8, 3]), 480)
    """

    def __init__(self, sizes, gain=3.0, spread=3.0, leaky=False, tau=1.0, generator=None):
        check_that("FirstSpikeMLP", isinstance(sizes, (tuple, list)) and len(sizes) > 1,
                   f"sizes must be two numbers or more, such as (5, 60, 3), got {sizes}.")
        check_whole("FirstSpikeMLP", high=10**5, **{f"sizes[{place}]": size for place, size in enumerate(sizes)})
        check_numbers("FirstSpikeMLP", gain=gain)
        check_numbers("FirstSpikeMLP", low=0, spread=spread)
        check_numbers("FirstSpikeMLP", above=0, tau=tau)
        check_flags("FirstSpikeMLP", leaky=leaky)
        check_generator("FirstSpikeMLP", generator)
        super().__init__()
        self.leaky, self.tau = bool(leaky), float(tau)
        self.weights = nn.ParameterList(
            gain / n + spread / math.sqrt(n) * torch.randn(m, n, generator=generator)
            for n, m in zip(map(int, sizes), map(int, sizes[1:]), strict=False))

    def forward(self, times):
        """Run over arrivals [B, N]; return the first spikes of each layer, a list of [B, M]."""
        check_signal("FirstSpikeMLP", "times", times, layout="[B, N]", dims=2)
        check_that("FirstSpikeMLP", times.shape[1] == self.weights[0].shape[1],
                   f"times must be [B, {self.weights[0].shape[1]}], got shape {tuple(times.shape)}.")
        spikes = []
        for weight in self.weights:
            times = first_spike_layer(times, weight, 1.0, self.tau, self.leaky)
            spikes.append(times)
        return spikes


def first_spike_loss(spikes, target, silent=6.0, sharpness=3.0):
    """Ask the output of the right class to fire first: cross-entropy on the negative spike times.

    L = mean over b of -log softmax(-sharpness min(f_b, silent))[target_b]

    At least 0, where the right output is far ahead; ln C where all fire together, or none does, and then the gradient is 0.

    Args:
        spikes: first spikes of the outputs, [B, C], in the unit of the synaptic time constant.
        target: classes, [B], int64.
        silent: the time that counts for an output that fires later, or never, positive.
        sharpness: of the softmax, per unit of time, positive.

    Returns:
        The loss, a scalar.

    Raises:
        TypeError: spikes not a floating-point tensor, target not int64, silent or sharpness not a number.
        ValueError: spikes not [B, C], NaN in it, target not B classes below C, silent or sharpness not positive.

    Source: Göltz et al. (2021), doi:10.1038/s42256-021-00388-x; Eshraghian et al. (2023), appendix B6.

    >>> round(first_spike_loss(torch.tensor([[1.0, 2.0, math.inf]]), torch.tensor([0])).item(), 4)
    0.0486
    """
    check_signal("first_spike_loss", "spikes", spikes, layout="[B, C]", dims=2)
    check_finite("first_spike_loss", "spikes", spikes, "Look for it in the training.", infinity=True)
    check_classes("first_spike_loss", "target", target, "[B]")
    check_that("first_spike_loss", target.shape == spikes.shape[:1],
               f"target must be [{len(spikes)}], one a sample, got shape {tuple(target.shape)}.")
    check_that("first_spike_loss", bool(((target >= 0) & (target < spikes.shape[1])).all()),
               f"target must hold classes from 0 to {spikes.shape[1] - 1}, got {target.min()} to {target.max()}.")
    check_numbers("first_spike_loss", above=0, silent=silent, sharpness=sharpness)
    return functional.cross_entropy(-sharpness * spikes.clamp(max=float(silent)), target)


def silence_cost(weight, reserve=1.0):
    """Price neurons whose weights could not bring them to fire even if every input came: the one pull that wakes the silent.

    cost = mean over m of max(0, reserve - sum_n w[m, n])

    Args:
        weight: [M, N], in units of the threshold.
        reserve: the sum that costs nothing; an integrate-and-fire neuron needs more than 1.

    Returns:
        The cost, a scalar; 0 at least.

    Raises:
        TypeError: weight not a floating-point tensor, reserve not a number.
        ValueError: weight not [M, N], NaN or infinity in it.

    Source: Mostafa (2018), doi:10.1109/TNNLS.2017.2726060, who adds a cost on weight sums below the threshold.

    >>> silence_cost(torch.tensor([[0.5, 0.2], [2.0, 1.0]]), reserve=1.5).item()
    0.4000000059604645
    """
    check_signal("silence_cost", "weight", weight, layout="[M, N]", dims=2)
    check_finite("silence_cost", "weight", weight, "Look for it in the training.")
    check_numbers("silence_cost", reserve=reserve)
    return (reserve - weight.sum(1)).clamp(min=0).mean()


def _check_fit(owner, net, times, target, epochs, learning_rate, batch, awake, seed, progress):
    check_that(owner, isinstance(net, nn.Module) and hasattr(net, "weights"),
               f"net must be a FirstSpikeMLP, or a module with weights, got {type(net).__name__}.", TypeError)
    check_signal(owner, "times", times, layout="[samples, N]", dims=2)
    check_finite(owner, "times", times, "Leave such samples out.", infinity=True)
    check_dtype(owner, "times", times, "net.weights[0]", net.weights[0])
    check_classes(owner, "target", target, "[samples]")
    check_that(owner, target.shape == times.shape[:1],
               f"target must be [{len(times)}], one a sample, got shape {tuple(target.shape)}.")
    check_whole(owner, high=10**5, epochs=epochs, batch=batch)
    check_whole(owner, low=-2**63, high=2**63 - 1, seed=seed)
    check_numbers(owner, above=0, learning_rate=learning_rate)
    check_numbers(owner, low=0, awake=awake)
    check_optional(owner, progress=progress)


def fit_first_spikes(net, times, target, epochs=20, learning_rate=0.02, batch=100, awake=1.0, seed=0, progress=None):
    """Train a network of first spikes with Adam on `first_spike_loss` and, times `awake`, on the `silence_cost` of its layers.

    The rate falls to 0 along half a cosine.

    Args:
        net: a `FirstSpikeMLP`, or a module that returns a list of spike times, the outputs last, and has `weights`.
        times: arrivals, [samples, N].
        target: classes, [samples], int64.
        epochs, batch: whole numbers from 1.
        learning_rate: at the start, positive.
        awake: weight of the cost on silence, not negative.
        seed: of the order of the samples.
        progress: a function called with the number of epochs done, or None.

    Returns:
        The mean loss of each epoch, a list.

    Raises:
        TypeError: an argument of the wrong kind.
        ValueError: samples and classes that disagree, a number out of range.

    Source: Kingma and Ba (2015), arXiv:1412.6980, for Adam.

    >>> inputs, labels = yin_yang(60, torch.Generator().manual_seed(0))
    >>> net = FirstSpikeMLP((5, 10, 3), generator=torch.Generator().manual_seed(0))
    >>> losses = fit_first_spikes(net, arrival_times(inputs), labels, epochs=4, batch=20)
    >>> len(losses), losses[-1] < losses[0]
    (4, True)
    """
    _check_fit("fit_first_spikes", net, times, target, epochs, learning_rate, batch, awake, seed, progress)
    learned = [weight for weight in net.weights if weight.requires_grad]
    optimiser = torch.optim.Adam(learned, lr=learning_rate)
    fall = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, int(epochs))
    generator, losses = torch.Generator().manual_seed(int(seed)), []
    for epoch in range(int(epochs)):
        total = 0.0
        for part in torch.randperm(len(times), generator=generator).split(int(batch)):
            loss = first_spike_loss(net(times[part])[-1], target[part])
            optimiser.zero_grad()
            (loss + awake * sum(map(silence_cost, learned))).backward()
            optimiser.step()
            total += loss.item() * len(part) / len(times)
        fall.step()
        losses.append(total)
        if progress is not None:
            progress(epoch + 1)
    return losses
