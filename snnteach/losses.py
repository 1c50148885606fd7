"""Losses on output spikes and output membranes: what the network is told to want."""
import torch

from ._arguments import (
    check_affordable,
    check_classes,
    check_dtype,
    check_finite,
    check_not_negative,
    check_numbers,
    check_option,
    check_shape,
    check_signal,
    check_that,
    check_whole,
)


def _check_output(owner, name, value, target, class_weights=None):
    _check_readout(owner, name, value)
    check_that(owner, not (isinstance(target, torch.Tensor) and target.is_floating_point()),
               f"target must be int64 class numbers, got {getattr(target, 'dtype', '')}. Quantities are learned with "
               "mse_membrane_loss; class numbers stored as floats convert with target.long(), one-hot rows with "
               "target.argmax(1).", TypeError)
    check_classes(owner, "target", target, "[B] of class numbers")
    check_shape(owner, "target", target, value.shape[1:2], f"[B] like {name}")
    check_that(owner, target.min() >= 0 and target.max() < value.shape[2],
               f"target must lie in 0..{value.shape[2] - 1}, got {target.min().item()}..{target.max().item()}.")
    if class_weights is not None:
        check_signal(owner, "class_weights", class_weights, layout="[C]", dims=1)
        check_shape(owner, "class_weights", class_weights, value.shape[2:], f"[C] like {name}")
        check_dtype(owner, "class_weights", class_weights, name, value)
        check_not_negative(owner, class_weights=class_weights)
        check_finite(owner, "class_weights", class_weights, "Look for it where they were computed.")


def _check_readout(owner, name, value):
    check_that(owner, value is not None, f"{name} is None: a membrane read-out fires no spikes. Use a loss on records[-1].mem, "
               "such as ce_membrane_loss, or build the network with readout='spike'.", TypeError)
    check_that(owner, not (isinstance(value, (list, tuple)) and any(hasattr(part, "mem") or isinstance(part, torch.Tensor)
               for part in value)), f"{name} must be one tensor [T, B, C], got the records of all layers. Pass records[-1].spk "
               "or records[-1].mem.", TypeError)
    check_signal(owner, name, value, layout="[T, B, C]", dims=3)
    check_finite(owner, name, value, "The error lies before the loss.")


def _check_labels(owner, target, num_classes):
    check_whole(owner, high=10**6, num_classes=num_classes)
    check_classes(owner, "target", target, "[B] of class numbers")
    check_that(owner, target.dim() == 1 and len(target) > 0, f"target must be [B], at least one, got {tuple(target.shape)}.")
    check_that(owner, target.min() >= 0 and target.max() < num_classes,
               f"target must lie in 0..{num_classes - 1}, got {target.min().item()}..{target.max().item()}.")


def ce_count_loss(spk, target, class_weights=None):
    """Compare the spike counts, read as logits, with the class by cross-entropy.

    L = mean over batch of -ln softmax(c)[target],    c = sum over t of spk[t]

    Minimum ln(1 + (C-1) e^-T), where the class fires at every step and the others never; silent network ln C.

    Args:
        spk: output spikes, [T, B, C].
        target: class numbers, [B], int64.
        class_weights: weight of each class, [C], or None: each sample's part is multiplied by that of its class.

    Returns:
        The loss, a scalar tensor. Its gradient with respect to the counts is (softmax(c) - one_hot(target)) / B.

    Raises:
        TypeError: spk not a floating-point tensor, target not int64.
        ValueError: spk not [T, B, C], T = 0, NaN or negative values (membranes) in spk, target not [B] or outside 0..C-1.

    Source: Eshraghian et al. (2023), Table 2 and appendix B, cross-entropy spike rate.

    >>> round(ce_count_loss(torch.zeros(25, 1, 10), torch.tensor([3])).item(), 6)
    2.302585
    """
    _check_output("ce_count_loss", "spk", spk, target, class_weights)
    check_not_negative("ce_count_loss", spk=spk)
    return _cross_entropy(_over_time(spk), target, class_weights)


def ce_step_loss(spk_or_mem, target, class_weights=None):
    """Compare every single time step with the class by cross-entropy, and average over the steps.

    L = mean over batch and t of -ln softmax(y[t])[target],    y = output spikes or output membranes

    Minimum on spikes ln(1 + (C-1) / e), never 0: a spike is worth at most one logit; on membranes 0. Silent network ln C.

    Args:
        spk_or_mem: output spikes or membranes, [T, B, C].
        target: class numbers, [B], int64.
        class_weights: weight of each class, [C], or None: each sample's part is multiplied by that of its class.

    Returns:
        The loss, a scalar tensor.

    Raises:
        TypeError: spk_or_mem not a floating-point tensor, target not int64.
        ValueError: spk_or_mem not [T, B, C], T = 0, NaN in it, target not [B] or outside 0..C-1.

    Source: Eshraghian et al. (2023), section IV-C; snnTorch tutorial 5 adds the steps up, here they are averaged.

    >>> spk = torch.zeros(25, 1, 10); spk[:, 0, 3] = 1
    >>> round(ce_step_loss(spk, torch.tensor([3])).item(), 6)
    1.46115
    """
    _check_output("ce_step_loss", "spk_or_mem", spk_or_mem, target, class_weights)
    logits, labels = spk_or_mem.flatten(0, 1).T[None], target.repeat(len(spk_or_mem))[None]
    return _cross_entropy(logits, labels, class_weights)              # [1, C, T*B], [1, T*B]: half the time of [T*B, C], [T*B]


def ce_membrane_loss(mem, target, class_weights=None):
    """Compare the summed membranes, read as logits, with the class by cross-entropy.

    L = mean over batch of -ln softmax(m)[target],    m = sum over t of mem[t]

    Minimum 0, approached as the membranes move apart; network without activity (mem = 0) ln C.

    Args:
        mem: output membranes, [T, B, C], in units of the threshold.
        target: class numbers, [B], int64.
        class_weights: weight of each class, [C], or None: each sample's part is multiplied by that of its class.

    Returns:
        The loss, a scalar tensor.

    Raises:
        TypeError: mem not a floating-point tensor, target not int64.
        ValueError: mem not [T, B, C], T = 0, NaN in mem, target not [B] or outside 0..C-1.

    Source: Eshraghian et al. (2023), Table 2, maximum membrane, in its variant with the sum.

    >>> round(ce_membrane_loss(torch.zeros(25, 1, 10), torch.tensor([3])).item(), 6)
    2.302585
    """
    _check_output("ce_membrane_loss", "mem", mem, target, class_weights)
    return _cross_entropy(_over_time(mem), target, class_weights)


def ce_max_membrane_loss(mem, target, class_weights=None):
    """Compare the highest membrane of each class, read as a logit, with the class by cross-entropy.

    L = mean over batch of -ln softmax(m)[target],    m = max over t of mem[t]

    Minimum 0, approached as the highest membranes move apart; network without activity (mem = 0) ln C.

    Args:
        mem: output membranes, [T, B, C], in units of the threshold.
        target: class numbers, [B], int64.
        class_weights: weight of each class, [C], or None: each sample's part is multiplied by that of its class.

    Returns:
        The loss, a scalar tensor. Its gradient is that of the logits, softmax(m) - one_hot(target) over B, and goes to the
        one step with the highest membrane; steps that share it share the gradient.

    Raises:
        TypeError: mem not a floating-point tensor, target not int64.
        ValueError: mem not [T, B, C], T = 0, NaN in mem, target not [B] or outside 0..C-1.

    Source: Eshraghian et al. (2023), Table 2 and appendix B, maximum membrane.

    >>> mem = torch.tensor([[[0.2, 0.1]], [[0.9, 0.3]], [[0.4, 0.1]]])
    >>> round(ce_max_membrane_loss(mem, torch.tensor([0])).item(), 4)              # logits 0.9 and 0.3
    0.4375
    """
    _check_output("ce_max_membrane_loss", "mem", mem, target, class_weights)
    return _cross_entropy(mem.amax(0), target, class_weights)


def mse_count_loss(spk, target, on=0.8, off=0.2, class_weights=None):
    """Ask the class for one spike count and all others for another, by squared error.

    L = mean over batch of sum over classes of (y - c)^2,    c = sum over t of spk[t],    y = on T or off T

    Minimum 0 where on T and off T are whole numbers; silent network T^2 (on^2 + (C-1) off^2).

    Args:
        spk: output spikes, [T, B, C].
        target: class numbers, [B], int64.
        on, off: wanted firing rates of the class and of the others, fractions of T between 0 and 1.
        class_weights: weight of each class, [C], or None: each sample's part is multiplied by that of its class.

    Returns:
        The loss, a scalar tensor. Its gradient with respect to the counts is 2 (c - y) / B.

    Raises:
        TypeError: spk not a floating-point tensor, target not int64.
        ValueError: spk not [T, B, C], T = 0, NaN in spk, target not [B] or outside 0..C-1, on or off outside [0, 1].

    Source: Eshraghian et al. (2023), Table 2 and appendix B, mean square spike rate.

    >>> round(mse_count_loss(torch.zeros(10, 1, 10), torch.tensor([3])).item(), 3)
    100.0
    """
    _check_output("mse_count_loss", "spk", spk, target, class_weights)
    check_numbers("mse_count_loss", low=0, high=1, on=on, off=off)
    counts = _over_time(spk)                                                                                 # [B, C]
    wanted = off + (on - off) * torch.nn.functional.one_hot(target, spk.shape[-1]).to(counts.dtype)
    missed = (len(spk) * wanted - counts).square().sum(1)                                                # [B]
    return missed.mean() if class_weights is None else (class_weights[target] * missed).mean()


def mse_membrane_loss(mem, target):
    """Ask the membranes for quantities, at the last step or at every step, by squared error: the loss of a regression.

    L = mean over batch and outputs of (mem[T-1] - target)^2;    for a target [T, B, C] the mean over batch, outputs and t

    Minimum 0; a network without activity (mem = 0) has the mean of target^2.

    Args:
        mem: output membranes, [T, B, C], in units of the threshold.
        target: quantities, [B] (of a network with one output), [B, C] or, one a step, [T, B, C]; in the same units.

    Returns:
        The loss, a scalar tensor. Its gradient with respect to mem[T-1] is 2 (mem[T-1] - target) / (B C).

    Raises:
        TypeError: mem or target not a floating-point tensor, or of different dtypes.
        ValueError: mem not [T, B, C], target of another shape, NaN or infinity in one of them.

    Source: Eshraghian et al. (2023), Table 2, mean square membrane.

    >>> mse_membrane_loss(torch.full((25, 2, 1), 0.5), torch.tensor([0.5, 1.5])).item()
    0.5
    """
    _check_readout("mse_membrane_loss", "mem", mem)
    check_that("mse_membrane_loss", getattr(target, "dtype", None) != torch.int64, "target must be floating point quantities, "
               "got torch.int64. Quantities convert with target.float(); class numbers become membranes with "
               f"wanted_membranes(target, {len(mem)}, {mem.shape[2]}).", TypeError)
    check_signal("mse_membrane_loss", "target", target, layout="[B], [B, C] or [T, B, C] of quantities")
    check_that("mse_membrane_loss", target.shape in (mem.shape, mem.shape[1:], mem.shape[1:2 if mem.shape[2] == 1 else 3]),
               f"target must be [B, C] = {tuple(mem.shape[1:])} or [T, B, C] = {tuple(mem.shape)} like mem, or [B] if C is 1, "
               f"got shape {tuple(target.shape)}. Class numbers (int64) become membranes with wanted_membranes(target, "
               f"{len(mem)}, {mem.shape[2]}).")
    check_dtype("mse_membrane_loss", "target", target, "mem", mem)
    check_finite("mse_membrane_loss", "target", target, "Leave such samples out.")
    answer = mem if target.dim() == 3 else mem[-1].view(target.shape)
    return (answer - target).square().mean()


def wanted_membranes(target, num_steps, num_classes, on=1.05, off=0.2, until=None):
    """Turn class numbers into the membranes that one wants at every step, for `mse_membrane_loss`.

    wanted[t, b, c] = on    if c is the class of sample b and t < until, else    off

    With `until` at its end, T, the class is held above the threshold for the whole run: an objective on rates. With an early
    one it has to be there at the beginning: an objective on time.

    Args:
        target: class numbers, [B], int64.
        num_steps, num_classes: numbers of time steps T and of classes C.
        on, off: membranes in units of the threshold; `on` above 1 asks for spikes.
        until: first step without `on`, from 1 to T, or None for T.

    Returns:
        Membranes, [T, B, C], float32; for float64 outputs convert them with `.double()`.

    Raises:
        TypeError: target not int64, on or off not a number.
        ValueError: target not [B], empty, or outside 0..C-1; num_steps, num_classes or until no whole numbers of that range.

    Source: Eshraghian et al. (2023), Tables 2 and 3, mean square membrane with a target that is static or changes with time.

    >>> wanted_membranes(torch.tensor([1]), num_steps=3, num_classes=2, until=2)[:, 0].tolist()[1:]
    [[0.20000000298023224, 1.0499999523162842], [0.20000000298023224, 0.20000000298023224]]
    """
    check_whole("wanted_membranes", high=10**6, num_steps=num_steps)
    _check_labels("wanted_membranes", target, num_classes)
    check_affordable("wanted_membranes", "num_steps", num_steps, len(target), num_classes)
    check_numbers("wanted_membranes", on=on, off=off)
    if until is not None:
        check_whole("wanted_membranes", high=num_steps, until=until)
    wanted = torch.full((int(num_steps), len(target), int(num_classes)), float(off))
    wanted[:until, torch.arange(len(target)), target] = float(on)
    return wanted


def pool_population(spk, num_classes):
    """Add up the spikes of the neurons that speak for one class: the population version of every loss on spikes.

    pooled[t, b, c] = sum over p of spk[t, b, c P + p],    P = N / C neurons for each class, side by side

    A loss on counts then sees up to P spikes of a class in one step, so that its minimum falls: that of `ce_count_loss` to
    ln(1 + (C-1) e^(-T P)). `mse_count_loss` takes rates: give it the mean, pool_population(spk, C) / P. A loss on spike times
    sees the first spike of the group.

    Args:
        spk: output spikes, [T, B, N].
        num_classes: number of classes C, a divisor of N.

    Returns:
        Spikes of each class and step, [T, B, C], from 0 to P.

    Raises:
        TypeError: spk not a floating-point tensor.
        ValueError: spk not [T, B, N], NaN in it, num_classes no whole number that divides N.

    Source: Eshraghian et al. (2023), section III-B and Table 2, population codes.

    >>> pool_population(torch.tensor([[[1.0, 1.0, 0.0, 1.0]]]), num_classes=2)
    tensor([[[2., 1.]]])
    """
    _check_readout("pool_population", "spk", spk)
    check_whole("pool_population", high=10**6, num_classes=num_classes)
    check_that("pool_population", spk.shape[2] % num_classes == 0,
               f"num_classes must divide the number of neurons, {spk.shape[2]}, got {num_classes}.")
    return spk.unflatten(2, (int(num_classes), -1)).sum(3)


class _SpikeTimes(torch.autograd.Function):
    """When the k-th spikes come; a spike more at that step counts as one step less."""

    @staticmethod
    def forward(ctx, spk, number):
        so_far = spk.cumsum(0, dtype=torch.promote_types(spk.dtype, torch.float32))                      # [T, B, C]
        times = torch.stack([(so_far < k).sum(0) for k in range(1, number + 1)])                          # [K, B, C], 0..T
        ctx.save_for_backward(times)
        ctx.layout = spk.shape, spk.dtype
        return times.to(so_far.dtype)

    @staticmethod
    def backward(ctx, grad):
        (times,), (shape, dtype) = ctx.saved_tensors, ctx.layout
        back = torch.zeros(shape, dtype=grad.dtype, device=grad.device)
        return back.scatter_add_(0, times.clamp(max=shape[0] - 1), -grad).to(dtype), None


def spike_times(spk, number=None):
    """Tell at which step each neuron fires first, or its first few times; a spike that never comes counts as one at T.

    f[b, c] = number of steps before the first spike, 0..T

    The time jumps where a spike appears, so it has no gradient. In the backward pass it gets a stand-in, the first-spike
    estimator: df / dspk[t] = -1 at t = f, and 0 elsewhere. A spike more at that step counts as one step less. A silent neuron
    takes its -1 at the last step, T-1, where a spike could still come.

    Args:
        spk: output spikes, [T, B, C]; from `pool_population` also the numbers of spikes of a group.
        number: how many spikes K of each neuron to time, or None for the first one only.

    Returns:
        Steps, [B, C], or [K, B, C] where number is given; from 0 to T, in the dtype of spk, float32 at least.

    Raises:
        TypeError: spk not a floating-point tensor.
        ValueError: spk not [T, B, C], NaN or negative values in it, number no whole number from 1 to 1000.

    Source: Eshraghian et al. (2023), Table 3 and appendix B, which let a silent neuron fire at the last step; here it is one
        step later, so that it differs from a neuron that does fire there. The -1 is that of snnTorch's temporal losses.

    >>> spk = torch.tensor([[[0.0, 0.0]], [[1.0, 0.0]], [[1.0, 0.0]]], requires_grad=True)
    >>> spike_times(spk).tolist()
    [[1.0, 3.0]]
    >>> torch.autograd.grad(spike_times(spk).sum(), spk)[0][:, 0].tolist()
    [[0.0, 0.0], [-1.0, 0.0], [0.0, -1.0]]
    """
    _check_readout("spike_times", "spk", spk)
    check_not_negative("spike_times", spk=spk)
    if number is not None:
        check_whole("spike_times", high=1000, number=number)
    times = _SpikeTimes.apply(spk, 1 if number is None else int(number))
    return times[0] if number is None else times


def ce_spike_time_loss(spk, target, inverse="negate", class_weights=None):
    """Compare the first spikes, early ones as large logits, with the class by cross-entropy.

    L = mean over batch of -ln softmax(z)[target],    z = -f ("negate")    or    1 / (f + 1) ("reciprocal")

    Minimum, where the class fires at step 0 and the others never: ln(1 + (C-1) e^-T) for "negate", which depends on differences
    of times only; ln(1 + (C-1) e^(-T/(T+1))) for "reciprocal", above ln(1 + (C-1) / e). Silent network ln C.

    Args:
        spk: output spikes, [T, B, C].
        target: class numbers, [B], int64.
        inverse: what turns early into large, "negate" or "reciprocal".
        class_weights: weight of each class, [C], or None: each sample's part is multiplied by that of its class.

    Returns:
        The loss, a scalar tensor. Its gradient with respect to the times is (one_hot(target) - softmax(-f)) / B for "negate".

    Raises:
        TypeError: spk not a floating-point tensor, target not int64.
        ValueError: spk not [T, B, C], NaN or negative values in spk, target not [B] or outside 0..C-1, inverse unknown.

    Source: Eshraghian et al. (2023), Table 3 and appendix B, cross-entropy spike time; there 1 / f, which excludes step 0.

    >>> spk = torch.zeros(25, 1, 10); spk[2, 0, 3] = 1
    >>> round(ce_spike_time_loss(spk, torch.tensor([3]), inverse="reciprocal").item(), 4)
    2.0414
    """
    _check_output("ce_spike_time_loss", "spk", spk, target, class_weights)
    check_not_negative("ce_spike_time_loss", spk=spk)
    check_option("ce_spike_time_loss", "inverse", inverse, ("negate", "reciprocal"))
    times = spike_times(spk)
    return _cross_entropy(-times if inverse == "negate" else 1 / (times + 1), target, class_weights)


def wanted_spike_times(target, num_classes, on, off):
    """Turn class numbers into the step at which each neuron should fire first, for `mse_spike_time_loss`.

    wanted[b, c] = on    if c is the class of sample b, else    off

    Args:
        target: class numbers, [B], int64.
        num_classes: number of classes C.
        on, off: wanted steps of the class and of the others, at least 0; off = T asks the others to stay silent.

    Returns:
        Steps, [B, C], float32.

    Raises:
        TypeError: target not int64, on or off not a number.
        ValueError: target not [B], empty, or outside 0..C-1; num_classes not a whole number; on or off negative.

    Source: Eshraghian et al. (2023), Table 3, mean square spike time.

    >>> wanted_spike_times(torch.tensor([2]), num_classes=3, on=0, off=20)
    tensor([[20., 20.,  0.]])
    """
    _check_labels("wanted_spike_times", target, num_classes)
    check_affordable("wanted_spike_times", "num_classes", len(target), num_classes)
    check_numbers("wanted_spike_times", low=0, on=on, off=off)
    wanted = torch.full((len(target), int(num_classes)), float(off))
    wanted[torch.arange(len(target)), target] = float(on)
    return wanted


def mse_spike_time_loss(spk, wanted):
    """Ask each neuron to fire at a step of its own, or several times at steps of their own, by squared error.

    L = mean over batch of sum over classes (and over k) of (wanted - f)^2,    f = steps of the first (or k-th) spikes

    Minimum 0, where all spikes come when they should; a silent network has the sum of (wanted - T)^2.

    Args:
        spk: output spikes, [T, B, C].
        wanted: steps, [B, C], such as those of `wanted_spike_times`, or [K, B, C] for the first K spikes; T asks for none.

    Returns:
        The loss, a scalar tensor. Its gradient with respect to the times is 2 (f - wanted) / B.

    Raises:
        TypeError: spk or wanted not a floating-point tensor.
        ValueError: spk not [T, B, C], wanted of another shape, NaN or negative values, K larger than 1000.

    Source: Eshraghian et al. (2023), Table 3 and appendix B, mean square spike time, also of several spikes.

    >>> spk = torch.zeros(5, 1, 2); spk[1, 0, 0] = 1
    >>> mse_spike_time_loss(spk, wanted_spike_times(torch.tensor([0]), 2, on=0, off=4)).item()         # (1 - 0)^2 + (5 - 4)^2
    2.0
    """
    _check_readout("mse_spike_time_loss", "spk", spk)
    check_not_negative("mse_spike_time_loss", spk=spk)
    check_signal("mse_spike_time_loss", "wanted", wanted, layout="[B, C] or [K, B, C] of steps", min_dims=2)
    check_shape("mse_spike_time_loss", "wanted", wanted, (*wanted.shape[:-2][:1], *spk.shape[1:]),
                "[B, C] or [K, B, C] like spk")
    check_finite("mse_spike_time_loss", "wanted", wanted)
    check_not_negative("mse_spike_time_loss", wanted=wanted)
    check_that("mse_spike_time_loss", wanted.dim() == 2 or len(wanted) <= 1000, f"wanted asks for {len(wanted)} spikes each.")
    times = spike_times(spk, len(wanted) if wanted.dim() == 3 else None)
    return (times - wanted).square().sum() / spk.shape[1]


def mse_relative_spike_time_loss(spk, target, first=0, margin=5, class_weights=None):
    """Ask the class to fire at one step and all others at least so many steps later, by squared error.

    L = mean over batch of sum over classes of (y - f)^2,    y = first for the class; first + margin for others that fire
    before that step; f itself for others that fire later, which cost nothing

    Minimum 0, where the class fires at `first` and no other before first + margin; silent network (T - first)^2.

    Args:
        spk: output spikes, [T, B, C].
        target: class numbers, [B], int64.
        first: wanted step of the class, from 0.
        margin: steps by which the others have to be later, from 1; first + margin at most T.
        class_weights: weight of each class, [C], or None: each sample's part is multiplied by that of its class.

    Returns:
        The loss, a scalar tensor. Its gradient with respect to the times is 2 (f - y) / B.

    Raises:
        TypeError: spk not a floating-point tensor, target not int64.
        ValueError: spk not [T, B, C], NaN or negative values in spk, target not [B] or outside 0..C-1, first or margin no whole
            numbers of that range.

    Source: Eshraghian et al. (2023), Table 3 and appendix B, mean square relative spike time.

    >>> spk = torch.zeros(20, 1, 3); spk[1, 0, 0] = 1; spk[3, 0, 1] = 1
    >>> mse_relative_spike_time_loss(spk, torch.tensor([0])).item()                               # (1 - 0)^2 + (3 - 5)^2
    5.0
    """
    _check_output("mse_relative_spike_time_loss", "spk", spk, target, class_weights)
    check_not_negative("mse_relative_spike_time_loss", spk=spk)
    check_whole("mse_relative_spike_time_loss", low=0, high=len(spk) - 1, first=first)
    check_whole("mse_relative_spike_time_loss", high=len(spk) - int(first), margin=margin)
    times = spike_times(spk)                                                                              # [B, C]
    is_class = torch.nn.functional.one_hot(target, spk.shape[2]).bool()
    missed = torch.where(is_class, times - first, (times - first - margin).clamp(max=0)).square().sum(1)   # [B]
    return missed.mean() if class_weights is None else (class_weights[target] * missed).mean()


def expected_spike_time(mem, threshold=1.0, slope=4.0):
    """Expect the step of the first spike of a neuron that fires by chance, the likelier the higher its membrane.

    E = sum over t of P[t],    P[t] = product over s <= t of (1 - h[s]),    h[s] = sigmoid(slope (mem[s] - threshold))

    P[t] is the chance that no spike has come by step t. The time is smooth in every membrane:
    dE / dmem[s] = -slope h[s] (P[s] + ... + P[T-1]). As the slope grows, E goes to the first step with mem > threshold.

    Args:
        mem: output membranes, [T, B, C], in units of the threshold.
        threshold: membrane at which a spike is as likely as none.
        slope: sharpness k of the sigmoid, positive.

    Returns:
        Steps, [B, C], from 0 (surely at once) to T (surely never), in the dtype of mem, float32 at least.

    Raises:
        TypeError: mem not a floating-point tensor, threshold or slope not a number.
        ValueError: mem not [T, B, C], NaN in mem, slope not positive.

    Source: Gerstner et al. (2014), Neuronal Dynamics, chapter 9 (escape noise); the sum is that of any waiting time.

    >>> mem = torch.tensor([[[0.0, 0.0]], [[9.0, 1.0]], [[0.0, 0.0]]])
    >>> expected_spike_time(mem, slope=100.0).tolist()                                         # at 1; at 1 or, as likely, never
    [[1.0, 2.0]]
    """
    _check_readout("expected_spike_time", "mem", mem)
    check_numbers("expected_spike_time", threshold=threshold)
    check_numbers("expected_spike_time", above=0, slope=slope)
    quiet = torch.nn.functional.logsigmoid(float(slope) * (float(threshold) - mem))                    # ln(1 - h), [T, B, C]
    return quiet.cumsum(0, dtype=torch.promote_types(mem.dtype, torch.float32)).exp().sum(0)


def ce_expected_spike_time_loss(mem, target, threshold=1.0, slope=4.0, class_weights=None):
    """Compare the expected first spikes, computed from the membranes, with the class by cross-entropy.

    L = mean over batch of -ln softmax(-E)[target],    E = expected_spike_time(mem)

    Minimum ln(1 + (C-1) e^-T), approached as the class's first membrane rises and all others fall; network without activity
    (mem = 0) ln C.

    Args:
        mem: output membranes, [T, B, C], in units of the threshold.
        target: class numbers, [B], int64.
        threshold, slope: as in `expected_spike_time`.
        class_weights: weight of each class, [C], or None: each sample's part is multiplied by that of its class.

    Returns:
        The loss, a scalar tensor. Its gradient with respect to E is (one_hot(target) - softmax(-E)) / B.

    Raises:
        TypeError: mem not a floating-point tensor, target not int64, threshold or slope not a number.
        ValueError: mem not [T, B, C], NaN in mem, target not [B] or outside 0..C-1, slope not positive.

    Source: one way to fill the cell of Eshraghian et al. (2023), Table 3, that is empty: cross-entropy of membranes, for time.

    >>> mem = torch.full((20, 1, 10), -9.0); mem[0, 0, 3] = 9
    >>> round(ce_expected_spike_time_loss(mem, torch.tensor([3])).item(), 6)
    0.0
    """
    _check_output("ce_expected_spike_time_loss", "mem", mem, target, class_weights)
    check_numbers("ce_expected_spike_time_loss", threshold=threshold)
    check_numbers("ce_expected_spike_time_loss", above=0, slope=slope)
    return _cross_entropy(-expected_spike_time(mem, threshold, slope), target, class_weights)


def _over_time(value):
    """The sum over time, in float32 at least: half precision counts to 2048 only."""
    return value.sum(0, dtype=torch.promote_types(value.dtype, torch.float32))


def _cross_entropy(logits, target, class_weights):
    if class_weights is None:
        return torch.nn.functional.cross_entropy(logits, target)
    return (class_weights[target] * torch.nn.functional.cross_entropy(logits, target, reduction="none")).mean()
