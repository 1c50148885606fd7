"""Sequences of different lengths in one tensor: where the padding stands."""
import torch

from ._arguments import check_ends, check_finite, check_records, check_tensor, check_that


def _check_lengths(owner, name, value, lengths):
    check_tensor(owner, name, value, "[T, B, ...]")
    check_that(owner, value.dim() > 1 and value.numel() > 0,
               f"{name} must be [T, B, ...] and not empty, got {tuple(value.shape)}.")
    check_ends(owner, lengths, value.shape[1], most=len(value))


def pad_front(value, lengths):
    """Move the padding of each sequence from its end to its beginning, and make it zero: then all of them end together.

    moved[t, b] = value[t - (T - lengths[b]), b],    0 for t < T - lengths[b]

    A sum over time then knows nothing of the padding, and the last step is the last of every sequence.

    Args:
        value: sequences that begin together, [T, B, ...].
        lengths: steps of each, [B], int64, from 1 to T.

    Returns:
        A tensor like value, [T, B, ...].

    Raises:
        TypeError: value or lengths not a tensor, lengths not int64.
        ValueError: value not [T, B, ...], lengths not [B], a length outside 1..T, NaN or infinity before an end.

    Source: left padding, as in language models that continue a batch of texts.

    >>> pad_front(torch.tensor([[1.0, 4.0], [2.0, 5.0], [3.0, 9.0]]), torch.tensor([3, 2])).T
    tensor([[1., 2., 3.],
            [0., 4., 5.]])
    """
    _check_lengths("pad_front", "value", value, lengths)
    moved = _to_the_end(value, lengths)
    check_finite("pad_front", "value", moved)
    return moved


def _to_the_end(value, lengths):
    missing = (len(value) - lengths).to(value.device)                                       # [B]
    step = torch.arange(len(value), device=value.device)[:, None]                           # [T, 1]
    moved = value[(step - missing) % len(value), torch.arange(len(lengths))]
    return moved.masked_fill((step < missing).view(*moved.shape[:2], *[1] * (value.dim() - 2)), 0)


def pad_back(value, lengths):
    """Move the padding of each sequence from its beginning to its end, and make it zero: the way back from `pad_front`.

    moved[t, b] = value[t + (T - lengths[b]), b],    0 for t >= lengths[b]

    Args:
        value: sequences that end together, [T, B, ...].
        lengths: steps of each, [B], int64, from 1 to T.

    Returns:
        A tensor like value, [T, B, ...].

    Raises:
        TypeError: value or lengths not a tensor, lengths not int64.
        ValueError: value not [T, B, ...], lengths not [B], a length outside 1..T, NaN or infinity before an end.

    Source: the inverse of `pad_front`.

    >>> pad_back(torch.tensor([[1.0, 0.0], [2.0, 4.0], [3.0, 5.0]]), torch.tensor([3, 2])).T
    tensor([[1., 2., 3.],
            [4., 5., 0.]])
    """
    _check_lengths("pad_back", "value", value, lengths)
    lengths = lengths.to(value.device)
    step = torch.arange(len(value), device=value.device)[:, None]                           # [T, 1]
    moved = value[(step + len(value) - lengths) % len(value), torch.arange(len(lengths))]
    moved = moved.masked_fill((step >= lengths).view(*moved.shape[:2], *[1] * (value.dim() - 2)), 0)
    check_finite("pad_back", "value", moved)
    return moved


def end_together(records, lengths):
    """Move what layers recorded so that all samples end at the last step, and nothing is left of what came after their ends.

    spk, mem = pad_front(spk, lengths), pad_front(mem, lengths)    of each layer

    Args:
        records: what a network returned for padded sequences, a list of `Record` with spk (or None) and mem [T, B, ...].
        lengths: steps of each sample, [B], int64, from 1 to T.

    Returns:
        A list of records like the one that came.

    Raises:
        TypeError: records no list of `Record`, lengths not an int64 tensor.
        ValueError: spk or mem not [T, B, ...], lengths not [B] or outside 1..T, NaN or infinity before an end.

    Source: see `pad_front`.

    >>> from snnteach.networks import Record
    >>> mem = torch.tensor([1.0, 2.0, 99.0]).view(3, 1, 1)                        # T = 3, of which the last is padding
    >>> end_together([Record(None, mem)], torch.tensor([2]))[0].mem.flatten()
    tensor([0., 1., 2.])

    `fit` and `predict` do this with the records of padded sequences, [samples, T, N], if they are told their lengths:

    >>> from snnteach.losses import ce_membrane_loss
    >>> from snnteach.networks import SpikingMLP
    >>> from snnteach.training import fit
    >>> _ = torch.manual_seed(0)
    >>> target, lengths = torch.arange(64) % 2, torch.arange(64) % 7 + 4
    >>> films = (torch.rand(64, 10, 20) < 0.1 + 0.2 * target[:, None, None]).float()
    >>> net = SpikingMLP((20, 50, 2), readout="membrane")
    >>> history = fit(net, films, target, lengths=lengths, loss=lambda records, y: ce_membrane_loss(records[-1].mem, y),
    ...               encode=lambda x: x.transpose(0, 1), epochs=8, learning_rate=0.05, seed=0,
    ...               validation=(films, target, lengths))
    >>> history[-1]["accuracy"] > 0.8
    True
    """
    _check_layers("end_together", records, lengths)
    moved = [record._replace(spk=None if record.spk is None else _to_the_end(record.spk, lengths),
                             mem=_to_the_end(record.mem, lengths)) for record in records]
    _check_moved("end_together", moved)
    return moved


def _check_moved(owner, records):
    for record in records:
        check_finite(owner, "mem in records", record.mem)
        if record.spk is not None:
            check_finite(owner, "spk in records", record.spk)


def _check_layers(owner, records, lengths):
    check_records(owner, records, name="records")
    for record in records:
        _check_lengths(owner, "mem in records", record.mem, lengths)
        if record.spk is not None:
            _check_lengths(owner, "spk in records", record.spk, lengths)
