"""How many samples of a large batch go through a network at a time, and where that is the same step."""
import math

import torch

from ._arguments import check_callable, check_net, check_records, check_tensor, check_that

SLICE_NUMBERS = 2**20                                            # of a layer's [T, samples, N] at a time: 4 MB in float32


def _check_step(net, records, target, loss, regulariser, among):
    check_net("exact_slice", net)
    check_records("exact_slice", records, name="records")
    check_that("exact_slice", isinstance(target, torch.Tensor) and target.dim() > 0 and target.shape[
        int(target.dim() == 3)] == records[-1].mem.shape[1], "target must be a tensor that holds the samples of records.",
        TypeError)
    check_callable("exact_slice", "loss", loss, "Such as loss=lambda records, target: ce_count_loss(records[-1].spk, target).",
                   takes=2)
    if regulariser is not None:
        check_callable("exact_slice", "regulariser", regulariser, "Leave regulariser out for none.", takes=1)
    if among is not None:
        check_tensor("exact_slice", "among", among, "[samples] of targets")
        check_that("exact_slice", among.numel() > 0, "among is empty: leave it out for the targets of the batch.")


def exact_slice(net, records, target, *, loss, regulariser=None, among=None):
    """Choose how many samples of a batch `train_step` should take at a time: all, unless slices are faster and the same step.

    slice_size = B / ceil(numbers in the largest layer's [T, B, N] / 2^20)

    Slices are the same step if loss and regulariser average over the batch: tried on up to 32 samples (more where there are
    more classes), on their records, on noise, and on records in which all neurons but those of one sample fire always or
    never. A network with batch norm stays whole; one that mixes samples in a way of its own is not found out.

    Args:
        net: the network.
        records: what it returned for the batch, a list of `Record` with spk and mem [T, B, ...].
        target: of the batch, [B], [B, C] or [T, B, C].
        loss, regulariser: as in `train_step`.
        among: targets of all the training data, [samples], or None for those of the batch: a loss may average over most
            samples and not over those of a rare class, as `cross_entropy` with `weight` or `ignore_index` does.

    Returns:
        The number of samples, from 1 to B.

    Raises:
        TypeError: net not a module, records no list of `Record`, loss or regulariser no function, among no tensor.
        ValueError: among empty.

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
    _check_step(net, records, target, loss, regulariser, among)
    samples, largest = records[-1].mem.shape[1], max(record.mem.numel() for record in records)
    slices = min(math.ceil(largest / SLICE_NUMBERS), samples)
    normalised = any(base.__module__ == "torch.nn.modules.batchnorm" for layer in net.modules() for base in type(layer).__mro__)
    if slices == 1 or normalised or not _averages(records, *_telling(target, among, samples), loss, regulariser):
        return samples
    return math.ceil(samples / slices)


def _telling(target, among, samples):
    """Up to 32 targets that a loss may treat in different ways, or one of each class if there are more, and their number."""
    if target.dim() > 1:
        return target, min(32, samples)
    values = (target if among is None else among).unique()                             # ascending
    count = min(samples, 32 if target.is_floating_point() else max(32, len(values)))
    return values[torch.linspace(0, len(values) - 1, count, dtype=torch.float64).round().long()], count


def _averages(records, target, samples, loss, regulariser):
    """Tell whether loss and regulariser of so many samples are the means of those of each."""
    with torch.no_grad(), torch.random.fork_rng():
        for tried in _trials(records, samples):
            each = [_prices(tried, target, slice(n, n + 1), loss, regulariser) for n in range(samples)]
            for whole, parts in zip(_prices(tried, target, slice(samples), loss, regulariser), zip(*each)):
                if not math.isclose(whole, sum(parts) / samples, rel_tol=1e-5):
                    return False
    return True


def _trials(records, samples):
    """Records of so many samples: as they are, noise, and all neurons but those of the first sample firing always or never."""
    yield [record._replace(spk=None if record.spk is None else record.spk[:, :samples], mem=record.mem[:, :samples])
           for record in records]
    full = torch.arange(samples) > 0
    for fires in (None, full, ~full):
        made = []
        for record in records:
            mem = torch.rand_like(record.mem[:, :samples])
            mem = mem if fires is None else torch.zeros_like(mem) + fires.view(-1, *[1] * (mem.dim() - 2)).to(mem)
            spk = None if record.spk is None else torch.zeros_like(record.spk[:, :samples]) + (mem > 0.5)
            made.append(record._replace(spk=spk, mem=mem))
        yield made


def _prices(records, target, part, loss, regulariser):
    """Loss and regulariser of some samples."""
    chosen = [record._replace(spk=None if record.spk is None else record.spk[:, part], mem=record.mem[:, part])
              for record in records]
    wanted = target[:, part] if target.dim() == 3 else target[part]
    return [float(value) for value in [loss(chosen, wanted)] + ([regulariser(chosen)] if regulariser else [])]
