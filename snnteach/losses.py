"""Losses on output spikes and output membranes: what the network is told to want."""
import torch

from ._arguments import (
    check_classes,
    check_dtype,
    check_finite,
    check_not_negative,
    check_numbers,
    check_shape,
    check_signal,
    check_that,
)


def _check_output(owner, name, value, target, class_weights=None):
    _check_readout(owner, name, value)
    check_that(owner, not (isinstance(target, torch.Tensor) and target.is_floating_point()),
               f"target must be int64 class numbers, got {getattr(target, 'dtype', '')}. Quantities are learned with "
               "mse_membrane_loss; class numbers that are stored as floats convert with target.long().", TypeError)
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
        ValueError: spk not [T, B, C], T = 0, NaN in spk, target not [B] or outside 0..C-1.

    Source: Eshraghian et al. (2023), Table 2 and appendix B, cross-entropy spike rate.

    >>> round(ce_count_loss(torch.zeros(25, 1, 10), torch.tensor([3])).item(), 6)
    2.302585
    """
    _check_output("ce_count_loss", "spk", spk, target, class_weights)
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
    check_signal("mse_membrane_loss", "target", target, layout="[B], [B, C] or [T, B, C] of quantities")
    check_that("mse_membrane_loss", target.shape in (mem.shape, mem.shape[1:], mem.shape[1:2 if mem.shape[2] == 1 else 3]),
               f"target must be [B, C] = {tuple(mem.shape[1:])} or [T, B, C] = {tuple(mem.shape)} like mem, or [B] if C is 1, "
               f"got shape {tuple(target.shape)}.")
    check_dtype("mse_membrane_loss", "target", target, "mem", mem)
    check_finite("mse_membrane_loss", "target", target, "Leave such samples out.")
    answer = mem if target.dim() == 3 else mem[-1].view(target.shape)
    return (answer - target).square().mean()


def _over_time(value):
    """The sum over time, in float32 at least: half precision counts to 2048 only."""
    return value.sum(0, dtype=torch.promote_types(value.dtype, torch.float32))


def _cross_entropy(logits, target, class_weights):
    if class_weights is None:
        return torch.nn.functional.cross_entropy(logits, target)
    return (class_weights[target] * torch.nn.functional.cross_entropy(logits, target, reduction="none")).mean()
