"""Deep and convolutional spiking networks: layers over time, batch norm, dropout, pooling, gains and shortcuts."""
import math

import torch
import torch.nn.functional as F
from torch import nn

from ._arguments import (
    check_affordable,
    check_callable,
    check_finite,
    check_flags,
    check_generator,
    check_numbers,
    check_shape,
    check_signal,
    check_spikes,
    check_that,
    check_whole,
)
from .networks import Record
from .neurons import LIF

_TIME_FIRST = "[T, B, ...] (time first)"


def _check_steps_in(owner, x, min_dims=3):
    check_signal(owner, "x", x, layout=_TIME_FIRST, min_dims=min_dims,
                 hint=" For input that does not change use direct_current(x, num_steps).")
    check_finite(owner, "x", x[0] if x.stride(0) == 0 else x)


def _check_timeless(owner, layer):
    check_that(owner, not isinstance(layer, (LIF, OverTime, NormOverTime, DropoutOverTime, ChannelGain, Residual,
                                             SpikingStack)),
               f"layer, a {type(layer).__name__}, takes all steps [T, B, ...] by itself: use it without OverTime.", TypeError)


def _check_fits(owner, x, layer):
    """Raise unless x fits a convolution or a linear layer; others may know better themselves."""
    if isinstance(layer, nn.Conv2d):
        check_that(owner, x.dim() == 5 and x.shape[2] == layer.in_channels,
                   f"x must be [T, B, {layer.in_channels}, H, W] (time first) for this nn.Conv2d, got shape {tuple(x.shape)}. "
                   "Pictures that do not change go in as direct_current(pictures, num_steps).")
    elif isinstance(layer, nn.Linear):
        check_that(owner, x.shape[-1] == layer.in_features,
                   f"x must be [T, B, {layer.in_features}] for this nn.Linear, got shape {tuple(x.shape)}. A network for "
                   "pictures of one size takes no others.")


def _check_channels(owner, x, channels):
    check_that(owner, x.shape[2] == channels,
               f"x must be [T, B, {channels}, ...], {channels} channels or neurons, got shape {tuple(x.shape)}.")


def _repeat(one, num_steps):
    """The same tensor at every step, without a copy: [B, ...] -> [T, B, ...] of stride 0."""
    return one.expand(num_steps, *one.shape)


class OverTime(nn.Module):
    """Apply a layer without memory (a convolution, pooling, Flatten) to every step of a sequence, in one call.

    y[t] = layer(x[t]):    [T, B, ...] -> [T * B, ...] -> layer -> [T, B, ...]

    Args:
        layer: module or function that takes a batch [B, ...] and returns one result a sample.

    Returns:
        A module; `forward(x)` takes [T, B, ...]. Input of stride 0 along time, as `direct_current` makes it, goes through the
        layer once instead of T times, and what comes out has stride 0, too.

    Raises:
        TypeError: layer no function or one that takes all steps by itself, x not a floating-point tensor.
        ValueError: x not [T, B, ...], with NaN or not of the size of the layer; a layer that returns another number of samples.

    Source: a layer without memory does the same at each step, so that time can stand in the batch.

    >>> x = torch.rand(8, 4, 1, 28, 28)
    >>> OverTime(nn.Conv2d(1, 12, 5))(x).shape
    torch.Size([8, 4, 12, 24, 24])
    """

    def __init__(self, layer):
        super().__init__()
        check_callable("OverTime", "layer", layer, "Such as nn.Conv2d(1, 12, 5).", takes=1)
        _check_timeless("OverTime", layer)
        self.layer = layer

    def forward(self, x):
        """Run over x [T, B, ...]."""
        _check_steps_in("OverTime", x)
        _check_fits("OverTime", x, self.layer)
        once = x.stride(0) == 0
        y = self.layer(x[0] if once else x.flatten(0, 1))
        check_that("OverTime", isinstance(y, torch.Tensor) and y.dim() > 1 and len(y) == x.shape[1] * (1 if once else len(x)),
                   "layer must return a tensor with one result a sample, [B, ...] for [B, ...].")
        return _repeat(y, len(x)) if once else y.unflatten(0, x.shape[:2])


class NormOverTime(nn.Module):
    """Batch norm of the currents of a layer over time, with the statistics of all steps together or of each step.

    y = gain * (weight * (x - mean) / sqrt(variance + 1e-5) + bias)

    mean and variance are those of a channel in this batch while the module trains, and running means of them after eval().
    Without num_steps they are taken over T, B and space: batch norm, and with gain = alpha * threshold tdBN. With num_steps
    each step has its own mean, variance and weight, and no bias: BNTT.

    Args:
        channels: number of channels C of [T, B, C, H, W], or of neurons N of [T, B, N].
        num_steps: number of steps T, each with its own statistics, or None for the same for all.
        gain: factor of the result, positive.

    Returns:
        A module; `forward(x)` takes [T, B, C, ...] and returns the same shape.

    Raises:
        TypeError: gain not a number, x not a floating-point tensor.
        ValueError: channels or num_steps not a whole number from 1, gain not positive, x not [T, B, C, ...] or not of
            num_steps steps, a single number a channel to train on, NaN.

    Source: Ioffe and Szegedy (2015), arXiv:1502.03167; Kim and Panda (2021), doi:10.3389/fnins.2021.773954 (BNTT); Zheng et
    al. (2021), arXiv:2011.05280 (tdBN).

    >>> norm = NormOverTime(12)
    >>> y = norm(3 + 2 * torch.randn(8, 4, 12, 6, 6))
    >>> y.mean().abs().item() < 1e-3, round(y.std().item(), 2)
    (True, 1.0)
    """

    def __init__(self, channels, num_steps=None, gain=1.0):
        super().__init__()
        check_whole("NormOverTime", channels=channels, num_steps=1 if num_steps is None else num_steps)
        check_affordable("NormOverTime", "channels", channels, 1 if num_steps is None else num_steps)
        check_numbers("NormOverTime", above=0, gain=gain)
        self.channels, self.num_steps, self.gain = int(channels), None if num_steps is None else int(num_steps), float(gain)
        self.norm = nn.BatchNorm1d(self.channels * (self.num_steps or 1))
        self.norm.bias.requires_grad_(num_steps is None)

    def forward(self, x):
        """Run over x [T, B, C, ...]."""
        _check_steps_in("NormOverTime", x)
        _check_channels("NormOverTime", x, self.channels)
        check_that("NormOverTime", self.num_steps in (None, len(x)), f"x must have the {self.num_steps} steps that have "
                   f"statistics of their own, got {len(x)}.")
        check_that("NormOverTime", not self.training or x[0, :, 0].numel() > 1
                   or not (self.num_steps or x.stride(0) == 0 or len(x) == 1), "one number a channel has no variance: train "
                   "on more samples, or call eval() to use the running statistics.")
        if self.num_steps:                                                       # as channels [B, T * C, ...]
            y = self._normalise(x.transpose(0, 1).flatten(1, 2)).view(x.shape[1], len(x), *x.shape[2:]).transpose(0, 1)
        elif x.stride(0) == 0:
            y = _repeat(self._normalise(x[0]), len(x))
        else:
            y = self._normalise(x.flatten(0, 1)).view(x.shape)
        return y if self.gain == 1 else self.gain * y

    def _normalise(self, x):
        """Batch norm of [B, C, ...], whatever follows the channels."""
        return self.norm(x.flatten(2) if x.dim() > 2 else x).view(x.shape)


class DropoutOverTime(nn.Module):
    """Drop neurons at random while the network trains: the same for all steps of a sample, so that they are gone.

    y[t] = x[t] * keep / (1 - p),    keep = 0 with probability p, else 1;    drawn once a sample, or once a step if not shared

    Args:
        p: probability of being dropped, from 0 to less than 1.
        shared: one mask for all steps; False draws a fresh one at each step.
        generator: torch.Generator that draws, or None for torch's global one.

    Returns:
        A module; `forward(x)` takes [T, B, ...] and returns the same shape; after eval() it changes nothing.

    Raises:
        TypeError: p not a number, shared neither True nor False, generator not a torch.Generator, x not floating point.
        ValueError: p not in [0, 1), x not [T, B, ...], NaN.

    Source: Srivastava et al. (2014), JMLR 15:1929; Gal and Ghahramani (2016), arXiv:1512.05287, for one mask over time.

    >>> y = DropoutOverTime(0.5, generator=torch.Generator().manual_seed(0))(torch.ones(3, 1, 6))
    >>> y[:, 0].tolist() == 3 * [y[0, 0].tolist()], sorted(set(y[0, 0].tolist()))
    (True, [0.0, 2.0])
    """

    def __init__(self, p=0.2, *, shared=True, generator=None):
        super().__init__()
        check_numbers("DropoutOverTime", low=0, p=p)
        check_that("DropoutOverTime", p < 1, f"p must be less than 1, or nothing is left, got {p}.")
        check_flags("DropoutOverTime", shared=shared)
        check_generator("DropoutOverTime", generator)
        self.p, self.shared, self.generator = float(p), bool(shared), generator

    def forward(self, x):
        """Run over x [T, B, ...]."""
        _check_steps_in("DropoutOverTime", x)
        if not self.training:
            return x
        drawn = torch.rand((1 if self.shared else len(x), *x.shape[1:]), generator=self.generator, dtype=x.dtype,
                           device=x.device)
        return x * ((drawn >= self.p) / (1 - self.p)).to(x.dtype)


class ChannelGain(nn.Module):
    """Multiply each channel by a learned number: behind neurons graded spikes, before them learned thresholds.

    y[t] = gain * x[t];    lif(gain * x, threshold=1) fires as lif(x, threshold=1 / gain) does

    Args:
        channels: number of channels C of [T, B, C, H, W], or of neurons N of [T, B, N].
        start: gain at the start, finite.

    Returns:
        A module with the parameter `gain` [C]; `forward(x)` takes [T, B, C, ...] and returns the same shape.

    Raises:
        TypeError: start not a number, x not a floating-point tensor.
        ValueError: channels not a whole number from 1, start not finite, x not [T, B, C, ...], NaN.

    Source: Eshraghian et al. (2023), section IV-C-3 (graded spikes, learnable thresholds).

    >>> ChannelGain(3, start=2.0)(torch.ones(5, 1, 3)).sum().item()
    30.0
    """

    def __init__(self, channels, start=1.0):
        super().__init__()
        check_whole("ChannelGain", channels=channels)
        check_affordable("ChannelGain", "channels", channels)
        check_numbers("ChannelGain", start=start)
        self.gain = nn.Parameter(torch.full((int(channels),), float(start)))

    def forward(self, x):
        """Run over x [T, B, C, ...]."""
        _check_steps_in("ChannelGain", x)
        _check_channels("ChannelGain", x, len(self.gain))
        return x * self.gain.view(-1, *[1] * (x.dim() - 3))


def _check_stacked(owner, layers):
    check_that(owner, isinstance(layers, (list, tuple)), "layers must be a list of modules, such as "
               f"[OverTime(nn.Linear(784, 100)), LIF(0.9)], got {type(layers).__name__}.", TypeError)
    check_that(owner, len(layers) > 0, "layers must not be empty.")
    for number, layer in enumerate(layers):
        check_that(owner, isinstance(layer, nn.Module), f"layers[{number}] must be a module that takes [T, B, ...], got "
                   f"{type(layer).__name__}.", TypeError)
        check_that(owner, not type(layer).__module__.startswith("torch.nn.modules"), f"layers[{number}], a "
                   f"{type(layer).__name__}, knows no time: wrap it, as in OverTime(nn.Conv2d(1, 12, 5)).", TypeError)


class Residual(nn.Module):
    """Add what came in to what comes out of some layers, which then have to learn only the difference.

    y[t] = x[t] + layers(x)[t]

    Where x and the layers' output are spikes, y counts them: 0, 1, 2, ..., one more a shortcut.

    Args:
        layers: list of modules that take [T, B, ...], the last of which returns the shape that came in.

    Returns:
        A module for `SpikingStack`, or by itself: `forward(x)` takes [T, B, ...] and returns the same shape.

    Raises:
        TypeError: layers no list, a layer that is no module, or one that knows no time.
        ValueError: layers empty, layers that return another shape.

    Source: He et al. (2016), arXiv:1512.03385; Fang et al. (2021), arXiv:2102.04159, for adding spikes (SEW, ADD).

    >>> block = Residual([OverTime(nn.Linear(20, 20)), LIF(0.9)])
    >>> block(torch.ones(5, 2, 20)).min().item() >= 1
    True
    """

    def __init__(self, layers):
        super().__init__()
        _check_stacked("Residual", layers)
        self.layers = nn.ModuleList(layers)

    def forward(self, x):
        """Run over x [T, B, ...]."""
        _check_steps_in("Residual", x)
        return _through([self], x, [])


class SpikingStack(nn.Module):
    """A network of layers in a row, which keeps what its neurons did.

    x -> layer -> layer -> ...,    one `Record` for each `LIF`, those inside of a `Residual` too

    Args:
        layers: list of modules that take [T, B, ...]: `LIF`, `OverTime(...)`, `NormOverTime(...)`, `Residual(...)` ...
            A LIF whose threshold is math.inf is a read-out that never fires.

    Returns:
        A module; `forward(x)` takes [T, B, ...] and returns a list of `Record`, the read-out last, which is what
        `snnteach.training` wants. Input of stride 0 along time, as `direct_current` makes it, goes one step long through the
        `OverTime` and `NormOverTime` before the first LIF.

    Raises:
        TypeError: layers no list, a layer that is no module, or one that knows no time.
        ValueError: layers empty, no LIF among them, a residual whose layers return another shape.

    Source: Eshraghian et al. (2023), section IV-C.

    >>> net = SpikingStack([OverTime(nn.Linear(20, 50)), LIF(0.9), OverTime(nn.Linear(50, 2)), LIF(0.9, reset="none")])
    >>> [record.mem.shape[2] for record in net(torch.rand(5, 4, 20))]
    [50, 2]
    """

    def __init__(self, layers):
        super().__init__()
        _check_stacked("SpikingStack", layers)
        self.layers = nn.ModuleList(layers)
        check_that("SpikingStack", any(isinstance(part, LIF) for part in self.modules()),
                   "layers hold no LIF, so that there is nothing to record.")

    def forward(self, x):
        """Run over x [T, B, ...] and return a list of `Record`, one for each LIF."""
        _check_steps_in("SpikingStack", x)
        records = []
        _through(self.layers, x, records)
        return records


def _through(layers, x, records):
    """Send x through the layers, and add to records what their neurons did; what stays the same goes through one step long."""
    num_steps = len(x)
    x = x[:1] if x.stride(0) == 0 else x
    for layer in layers:
        if len(x) < num_steps and not _alike_at_all_steps(layer):
            x = _repeat(x[0], num_steps)
        if isinstance(layer, LIF):
            spk, mem = layer(x)
            records.append(Record(spk if math.isfinite(layer.threshold) else None, mem))
            x = spk
        elif isinstance(layer, Residual):
            y = _through(layer.layers, x, records)
            check_shape("Residual", "what its layers return", y, x.shape, "like what came in")
            x = x + y
        else:
            x = layer(x)
    return x.expand(num_steps, *x.shape[1:])


def _alike_at_all_steps(layer):
    return isinstance(layer, OverTime) or isinstance(layer, NormOverTime) and layer.num_steps is None


def _check_pool(owner, spk, kernel):
    check_signal(owner, "spk", spk, layout="[B, C, H, W]", dims=4, hint=f" Time goes in by OverTime({owner}).")
    check_whole(owner, kernel=kernel)
    check_that(owner, kernel <= min(spk.shape[2:]), f"kernel must fit into [H, W] = {tuple(spk.shape[2:])}, got {kernel}.")
    check_finite(owner, "spk", spk)


def spike_max_pool(spk, kernel=2, generator=None):
    """Keep one value of each window, the largest, and choose at random where several are: the gradient goes to the one.

    pooled = spk[i],    i drawn evenly among the places of the window where spk is largest

    Among spikes nearly every window is a tie, of ones or, more often, of zeros. `torch.nn.functional.max_pool2d` returns the
    same values, and gives the gradient of every tie to the first place of the window.

    Args:
        spk: spikes, [B, C, H, W], 0 or 1.
        kernel: height and width of a window, at most H and W; rows and columns that fill no window are left out.
        generator: torch.Generator that draws, or None for torch's global one.

    Returns:
        Spikes, [B, C, H // kernel, W // kernel].

    Raises:
        TypeError: spk not a floating-point tensor, generator not a torch.Generator.
        ValueError: spk not [B, C, H, W] or not 0 and 1, kernel not a whole number from 1 to H and W.

    Source: Eshraghian et al. (2023), section IV-C-3 (ties broken at random).

    >>> spk = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).view(1, 1, 2, 2)
    >>> spike_max_pool(spk).item()
    1.0
    """
    _check_pool("spike_max_pool", spk, kernel)
    check_spikes("spike_max_pool", "spk", spk)
    check_generator("spike_max_pool", generator)
    drawn = torch.rand(spk.shape, generator=generator, device=spk.device)
    _, place = F.max_pool2d(spk.detach() + 0.5 * drawn, int(kernel), return_indices=True)
    return spk.flatten(2).gather(2, place.flatten(2)).view(place.shape)


def sum_pool(spk, kernel=2):
    """Add up the spikes of each window, as if its neurons had one address.

    pooled = sum of the window

    Args:
        spk: spikes, [B, C, H, W].
        kernel: height and width of a window, at most H and W; rows and columns that fill no window are left out.

    Returns:
        Counts, [B, C, H // kernel, W // kernel], from 0 to kernel * kernel.

    Raises:
        TypeError: spk not a floating-point tensor.
        ValueError: spk not [B, C, H, W], kernel not a whole number from 1 to H and W, NaN.

    Source: Eshraghian et al. (2023), section IV-C-3 (pooling).

    >>> sum_pool(torch.ones(1, 1, 4, 4)).flatten().tolist()
    [4.0, 4.0, 4.0, 4.0]
    """
    _check_pool("sum_pool", spk, kernel)
    return F.avg_pool2d(spk, int(kernel), divisor_override=1)


def _check_fold(layer, norm):
    check_that("fold_norm", isinstance(layer, (nn.Linear, nn.Conv2d)), "layer must be a nn.Linear or nn.Conv2d, got "
               f"{type(layer).__name__}. Of OverTime(layer) pass .layer.", TypeError)
    check_that("fold_norm", isinstance(norm, NormOverTime), f"norm must be a NormOverTime, got {type(norm).__name__}.",
               TypeError)
    check_that("fold_norm", norm.num_steps is None, "norm has statistics for each step, and would need weights for each step.")
    check_that("fold_norm", len(layer.weight) == norm.channels, f"layer has {len(layer.weight)} outputs and norm "
               f"{norm.channels} channels.")


@torch.no_grad()
def fold_norm(layer, norm):
    """Put a trained batch norm into the weights before it, so that nothing is left to compute at run time.

    weight' = scale * weight,    bias' = scale * (bias - mean) + gain * norm bias
    scale = gain * norm weight / sqrt(variance + 1e-5)

    Args:
        layer: `nn.Linear` or `nn.Conv2d`, the layer before the norm.
        norm: `NormOverTime` with the statistics of all steps together; its running statistics are used, as after eval().

    Returns:
        A new layer of the same kind, with a bias: layer and norm in one.

    Raises:
        TypeError: layer neither nn.Linear nn.Conv2d, norm not a NormOverTime.
        ValueError: a norm with statistics for each step, numbers of outputs and channels that differ.

    Source: a chain of two affine maps is one.

    >>> layer, norm = nn.Linear(20, 5), NormOverTime(5)
    >>> x = torch.rand(3, 4, 20)
    >>> _ = norm(OverTime(layer)(x))
    >>> torch.allclose(OverTime(fold_norm(layer, norm))(x), norm.eval()(OverTime(layer)(x)), atol=1e-5)
    True
    """
    _check_fold(layer, norm)
    inner = norm.norm
    scale = norm.gain * inner.weight / (inner.running_var + inner.eps).sqrt()
    bias = torch.zeros_like(inner.bias) if layer.bias is None else layer.bias
    if isinstance(layer, nn.Linear):
        folded = nn.Linear(layer.in_features, layer.out_features)
    else:
        folded = nn.Conv2d(layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride, layer.padding,
                           layer.dilation, layer.groups, padding_mode=layer.padding_mode)
    folded = folded.to(layer.weight)
    folded.weight.copy_(scale.view(-1, *[1] * (layer.weight.dim() - 1)) * layer.weight)
    folded.bias.copy_(scale * (bias - inner.running_mean) + norm.gain * inner.bias)
    return folded


def conv_net(channels=(12, 32), classes=10, size=28, beta=0.5):
    """Build the convolutional network of notebook 10 for pictures [T, B, 1, size, size].

    for each layer: 5 x 5 convolution, batch norm over time, max pooling 2 x 2, LIF; then a read-out that never fires

    Args:
        channels: feature maps of each layer.
        classes: number of outputs.
        size: height and width of the pictures; each layer makes (size - 4) // 2 of it.
        beta: membrane decay per step of the feature maps; that of the read-out is 0.9.

    Returns:
        A `SpikingStack` that returns a `Record` for each layer and the read-out.

    Raises:
        TypeError: channels not a tuple, beta not a number.
        ValueError: a number of channels or classes that is not whole and positive, pictures too small, beta outside [0, 1].

    Source: LeCun et al. (1998), doi:10.1109/5.726791; sizes like those of snnTorch's tutorial 6.

    >>> net = conv_net()
    >>> [tuple(record.mem.shape[2:]) for record in net(torch.rand(4, 2, 1, 28, 28))]
    [(12, 12, 12), (32, 4, 4), (10,)]
    """
    check_that("conv_net", isinstance(channels, (tuple, list)) and len(channels) > 0,
               f"channels must be a tuple of numbers, such as (12, 32), got {channels!r}.", TypeError)
    check_whole("conv_net", high=10**4, classes=classes, size=size,
                **{f"channels[{number}]": maps for number, maps in enumerate(channels)})
    check_numbers("conv_net", low=0, high=1, beta=beta)
    layers, before, left = [], 1, int(size)
    for maps in map(int, channels):
        left = (left - 4) // 2
        check_that("conv_net", left > 0, f"pictures of {size} x {size} are too small for {len(channels)} layers.")
        layers += [OverTime(nn.Conv2d(before, maps, 5)), NormOverTime(maps), OverTime(nn.MaxPool2d(2)), LIF(beta)]
        before = maps
    return SpikingStack([*layers, OverTime(nn.Flatten()), OverTime(nn.Linear(before * left**2, int(classes))),
                         LIF(0.9, math.inf, reset="none")])
