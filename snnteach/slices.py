"""How many samples of a large batch go through a network at a time, and where that is the same step."""
import math

import torch

from ._arguments import check_callable, check_net, check_records, check_that

SLICE_NUMBERS = 2**20                                            # of a layer's [T, samples, N] at a time: 4 MB in float32


def _check_step(net, records, target, loss, regulariser):
    check_net("exact_slice", net)
    check_records("exact_slice", records, name="records")
    check_that("exact_slice", isinstance(target, torch.Tensor) and target.dim() > 0 and target.shape[
        int(target.dim() == 3)] == records[-1].mem.shape[1], "target must be a tensor that holds the samples of records.",
        TypeError)
    check_callable("exact_slice", "loss", loss, "Such as loss=lambda records, target: ce_count_loss(records[-1].spk, target).",
                   takes=2)
    if regulariser is not None:
        check_callable("exact_slice", "regulariser", regulariser, "Leave regulariser out for none.", takes=1)


def exact_slice(net, records, target, *, loss, regulariser=None):
    """Choose how many samples of a batch `train_step` should take at a time: all, unless slices are faster and the same step.

    slice_size = B / ceil(numbers in the largest layer's [T, B, N] / 2^20)

    Slices are the same step if loss and regulariser average over the batch: tried on up to 32 samples, on their records, and
    on ones in which all neurons but those of one sample fire always or never. A network with batch norm stays whole; one
    that mixes samples in a way of its own is not found out.

    Args:
        net: the network.
        records: what it returned for the batch, a list of `Record` with spk and mem [T, B, ...].
        target: of the batch, [B], [B, C] or [T, B, C].
        loss, regulariser: as in `train_step`.

    Returns:
        The number of samples, from 1 to B.

    Raises:
        TypeError: net not a module, records no list of `Record`, loss or regulariser no function.

    Source: gradients of a mean add up; the limit is the cache of common processors.

    >>> from snnteach.losses import ce_count_loss
    >>> from snnteach.networks import SpikingMLP, direct_current
    >>> net, target = SpikingMLP((20, 1000, 2)), torch.arange(128) % 2
    >>> records = net(direct_current(torch.rand(128, 20), num_steps=25))
    >>> exact_slice(net, records, target, loss=lambda records, y: ce_count_loss(records[-1].spk, y))
    32
    >>> exact_slice(net, records, target, loss=lambda records, y: (records[-1].mem ** 2).sum())
    128
    """
    _check_step(net, records, target, loss, regulariser)
    samples, largest = records[-1].mem.shape[1], max(record.mem.numel() for record in records)
    slices = min(math.ceil(largest / SLICE_NUMBERS), samples)
    normalised = any(base.__module__ == "torch.nn.modules.batchnorm" for layer in net.modules() for base in type(layer).__mro__)
    if slices == 1 or normalised or not _averages(records, target, loss, regulariser):
        return samples
    return math.ceil(samples / slices)


def _averages(records, target, loss, regulariser):
    """Tell whether loss and regulariser of up to 32 samples are the means of those of each, as they are and at the extremes."""
    samples = min(32, records[-1].mem.shape[1])
    full = torch.arange(samples) > 0                                                   # all fire always, but the first never
    with torch.no_grad(), torch.random.fork_rng():
        for fires in (None, full, ~full):
            each = [_prices(records, target, slice(n, n + 1), fires, loss, regulariser) for n in range(samples)]
            for whole, parts in zip(_prices(records, target, slice(samples), fires, loss, regulariser), zip(*each)):
                if not math.isclose(whole, sum(parts) / samples, rel_tol=1e-5):
                    return False
    return True


def _prices(records, target, part, fires, loss, regulariser):
    """Loss and regulariser of some samples; each fires at every step or never if `fires` [samples] says so."""
    chosen = []
    for record in records:
        spk, mem = None if record.spk is None else record.spk[:, part], record.mem[:, part]
        if fires is not None:
            mem = torch.zeros_like(mem) + fires[part].view(-1, *[1] * (mem.dim() - 2)).to(mem)
        chosen.append(record._replace(spk=spk if spk is None or fires is None else mem, mem=mem))
    wanted = target[:, part] if target.dim() == 3 else target[part]
    return [float(value) for value in [loss(chosen, wanted)] + ([regulariser(chosen)] if regulariser else [])]
