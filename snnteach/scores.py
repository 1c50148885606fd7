"""What a network answered, class by class: readings of its last record, who was taken for whom, weights for rare classes."""
import torch

from ._arguments import (
    check_classes,
    check_dtype,
    check_finite,
    check_numbers,
    check_signal,
    check_tensor,
    check_that,
    check_whole,
)


def most_active(record):
    """Name the class of each sample: the output that spiked most or, if the read-out never fires, had the highest membrane.

    class = argmax over c of sum over t of spk[t, c]    (or mem[t, c]); among equals the lowest number wins

    Args:
        record: what the last layer did, a `Record` with spk and mem [T, B, C]; spk may be None.

    Returns:
        Class numbers, [B], int64.

    Raises:
        TypeError: record not a `Record` of tensors.
        ValueError: record not [T, B, C], NaN in it.

    Source: Eshraghian et al. (2023), section III-B, rate-coded output.

    >>> from snnteach.networks import Record
    >>> most_active(Record(None, torch.tensor([[[0.0, 2.0], [1.0, 0.5]]]))).tolist()
    [1, 0]
    """
    _check_record("most_active", record)
    return (record.mem if record.spk is None else record.spk).sum(0).argmax(1)                             # [B]


def final_membrane(record):
    """Read numbers, one an output: the membranes of the last time step.

    answer[b, c] = mem[T-1, b, c]

    Args:
        record: what the last layer did, a `Record` with mem [T, B, C].

    Returns:
        The answers, [B, C], in units of the threshold.

    Raises:
        TypeError: record not a `Record` of tensors.
        ValueError: record not [T, B, C], NaN in it.

    Source: Eshraghian et al. (2023), Table 2, mean square membrane, asked at the last step.

    >>> from snnteach.networks import Record
    >>> final_membrane(Record(None, torch.arange(6.0).view(3, 2, 1))).tolist()
    [[4.0], [5.0]]
    """
    _check_record("final_membrane", record)
    return record.mem[-1]


def _check_record(owner, record):
    check_that(owner, hasattr(record, "spk") and hasattr(record, "mem"),
               f"record must be the Record(spk, mem) of one layer, such as net(x)[-1], got {type(record).__name__}.", TypeError)
    check_signal(owner, "record.mem", record.mem, layout="[T, B, C] (time first)", dims=3)
    if record.spk is not None:
        check_signal(owner, "record.spk", record.spk, layout="[T, B, C] (time first)", dims=3)
    for name in ("mem", "spk"):
        if getattr(record, name) is not None:
            check_finite(owner, f"record.{name}", getattr(record, name))


def explained_variance(answers, targets):
    """Measure how much of the targets' variance the answers of a regression explain: the coefficient of determination.

    R^2 = 1 - sum of (target - answer)^2 / sum of (target - mean target)^2

    1 where every answer is right, 0 for one who always answers the mean, negative for one who is worse than that.

    Args:
        answers, targets: quantities, [samples] or [samples, C]; each output C has its own mean.

    Returns:
        A float of at most 1, over all outputs together.

    Raises:
        TypeError: answers or targets not a floating-point tensor.
        ValueError: different shapes, not [samples] or [samples, C], NaN or infinity, targets that do not vary.

    Source: Draper and Smith (1998), Applied Regression Analysis, section 1.3.

    >>> explained_variance(torch.tensor([1.0, 2.0, 2.0]), torch.tensor([1.0, 2.0, 3.0]))
    0.5
    """
    for name, value in (("answers", answers), ("targets", targets)):
        check_signal("explained_variance", name, value, layout="[samples] or [samples, C]")
        check_finite("explained_variance", name, value)
    check_that("explained_variance", targets.dim() < 3 and answers.shape == targets.shape,
               f"answers and targets must both be [samples] or [samples, C], got shapes {tuple(answers.shape)} and "
               f"{tuple(targets.shape)}.")
    check_that("explained_variance", bool((targets != targets[:1]).any()), "targets are all the same: nothing is to explain.")
    answers, targets = answers.double(), targets.double()
    return 1 - ((targets - answers).square().sum() / (targets - targets.mean(0)).square().sum()).item()


def confusion(named, targets, num_classes):
    """Count which class was named for which: a row a class, a column a name.

    table[i, j] = number of samples of class i that were named j

    Args:
        named: class numbers that a network gave, [samples], int64, such as those of `predict`.
        targets: the right ones, [samples], int64.
        num_classes: number of classes C.

    Returns:
        The table, [C, C], int64; its diagonal holds what was named rightly, its rows add up to the samples of each class.

    Raises:
        TypeError: named or targets not an int64 tensor.
        ValueError: not [samples] of equal length, at least one; a class outside 0..C-1; num_classes not a whole number.

    Source: Fawcett (2006), doi:10.1016/j.patrec.2005.10.010, section 2.

    >>> confusion(torch.tensor([0, 1, 1, 1]), torch.tensor([0, 0, 1, 1]), num_classes=2)
    tensor([[1, 1],
            [0, 2]])
    """
    check_whole("confusion", high=10_000, num_classes=num_classes)
    _check_class_numbers("confusion", "named", named, num_classes)
    _check_class_numbers("confusion", "targets", targets, num_classes)
    check_that("confusion", len(named) == len(targets), f"named and targets must be equally many, got {len(named)} and "
               f"{len(targets)}.")
    classes = int(num_classes)
    return (targets * classes + named).bincount(minlength=classes**2).view(classes, classes)


def _check_class_numbers(owner, name, value, num_classes):
    check_classes(owner, name, value, "[samples] of class numbers")
    check_that(owner, value.dim() == 1 and len(value) > 0, f"{name} must be [samples], at least one, got {tuple(value.shape)}.")
    check_that(owner, value.min() >= 0 and value.max() < num_classes,
               f"{name} must lie in 0..{num_classes - 1}, got {value.min().item()}..{value.max().item()}.")


def class_scores(table):
    """Tell how well each class is found: of rare classes the accuracy of all samples says little.

    recall[i] = table[i, i] / sum over j of table[i, j],    precision[j] = table[j, j] / sum over i of table[i, j]

    balanced accuracy = mean of recall over the classes that have samples; chance is 1 / C, however rare a class is.

    Args:
        table: counts, [C, C], from `confusion`: a row a class, a column a name.

    Returns:
        A dict: "samples", "recall" and "precision", [C] each (recall of a class without samples and precision of a name
        that was never given are NaN), and "balanced accuracy", a float.

    Raises:
        TypeError: table not an int64 tensor.
        ValueError: table not [C, C], empty, negative or without any sample.

    Source: Brodersen et al. (2010), doi:10.1109/ICPR.2010.764 (balanced accuracy); Fawcett (2006).

    >>> found = class_scores(torch.tensor([[90, 0], [8, 2]]))
    >>> found["recall"].tolist(), round(found["balanced accuracy"], 2)
    ([1.0, 0.2], 0.6)
    """
    check_classes("class_scores", "table", table, "[C, C] of counts")
    check_that("class_scores", table.dim() == 2 and table.shape[0] == table.shape[1] and table.numel() > 0,
               f"table must be [C, C], a row a class, got {tuple(table.shape)}.")
    check_that("class_scores", table.min() >= 0 and table.sum() > 0, "table must hold counts of at least one sample.")
    samples, right = table.sum(1), table.diagonal().double()                                             # [C]
    recall = right / samples
    return {"samples": samples, "recall": recall, "precision": right / table.sum(0),
            "balanced accuracy": recall[samples > 0].mean().item()}


def balanced_weights(targets, num_classes):
    """Weigh each class by its rarity, so that every class has the same say in a loss.

    w[c] = samples / (K n_c),    n_c = samples of class c, K = number of classes that have any; the mean over samples is 1

    Args:
        targets: class numbers of the training data, [samples], int64.
        num_classes: number of classes C.

    Returns:
        The weights, [C], float32, for `class_weights` of a loss; 0 for a class without samples.

    Raises:
        TypeError: targets not an int64 tensor.
        ValueError: targets not [samples], at least one, or outside 0..C-1; num_classes not a whole number.

    Source: King and Zeng (2001), doi:10.1093/oxfordjournals.pan.a004868, weighting in the loss.

    >>> balanced_weights(torch.tensor([0, 0, 0, 1]), num_classes=2)
    tensor([0.6667, 2.0000])

    Training with them, where class 1 is rare:

    >>> from snnteach.losses import ce_membrane_loss
    >>> from snnteach.networks import SpikingMLP, direct_current
    >>> from snnteach.training import fit, predict
    >>> _ = torch.manual_seed(0)
    >>> x, net = torch.rand(64, 20), SpikingMLP((20, 50, 2), readout="membrane")
    >>> target = (x[:, 0] > 0.8).long()
    >>> weights = balanced_weights(target, num_classes=2)
    >>> def encode(x): return direct_current(x, num_steps=5)
    >>> history = fit(net, x, target, loss=lambda records, y: ce_membrane_loss(records[-1].mem, y, class_weights=weights),
    ...               encode=encode, epochs=16, batch_size=8, learning_rate=0.02, seed=0)
    >>> class_scores(confusion(predict(net, x, encode=encode), target, num_classes=2))["balanced accuracy"] > 0.8
    True
    """
    check_whole("balanced_weights", high=10_000, num_classes=num_classes)
    _check_class_numbers("balanced_weights", "targets", targets, num_classes)
    counts = targets.bincount(minlength=int(num_classes)).double()                                       # [C]
    return torch.where(counts > 0, len(targets) / (counts.count_nonzero() * counts.clamp(min=1)), 0.0).float()


def coincidence_factor(times, others, within, start, end):
    """Say how well the spikes of one train meet those of another, corrected for chance: 1 is every spike, 0 is chance.

    Gamma = (hits - 2 r w K) / ((K + M) / 2) / (1 - 2 r w)    for K spikes, M others and their rate r, w = within

    Args:
        times: spike times of the train that is to be met, [K], in increasing order.
        others: those of the other train, [M], in increasing order, in the same unit.
        within: w, the largest distance of two spikes that meet, positive.
        start, end: the part that is judged; spikes outside of it are left out.

    Returns:
        Gamma, a float; 0 where one train is empty, or the other so fast that it meets everything by chance.

    Raises:
        TypeError: times or others not floating-point tensors of the same dtype, another argument not a number.
        ValueError: times or others not [K], not in order, NaN in them, within not positive, end not after start.

    Source: Kistler, Gerstner and van Hemmen (1997), doi:10.1162/neco.1997.9.5.1015.

    >>> times = torch.tensor([10.0, 50.0, 90.0])
    >>> coincidence_factor(times, times + 1, within=2.0, start=0.0, end=100.0)
    1.0
    """
    for name, train in (("times", times), ("others", others)):
        check_tensor("coincidence_factor", name, train, "[K]", dims=1)                     # a silent train is empty
        check_that("coincidence_factor", train.is_floating_point(),
                   f"{name} must be floating point, got {train.dtype}. Convert it with {name}.double().", TypeError)
        check_finite("coincidence_factor", name, train)
        check_that("coincidence_factor", bool((train.diff() >= 0).all()),
                   f"{name} must be in increasing order. Sort them with {name}.sort().values.")
    check_dtype("coincidence_factor", "others", others, "times", times)
    check_numbers("coincidence_factor", above=0, within=within)
    check_numbers("coincidence_factor", start=start, end=end)
    check_that("coincidence_factor", start < end, f"end must be after start, got start={start} and end={end}.")
    times, others = (train[(train >= start) & (train < end)] for train in (times, others))
    chance = 2 * within * len(others) / (end - start)
    if not len(times) or not len(others) or chance >= 1:
        return 0.0
    after = torch.searchsorted(others, times)
    near = [(times - others[place.clamp(0, len(others) - 1)]).abs() for place in (after - 1, after)]
    hits = (torch.minimum(*near) <= within).sum().item()
    return (hits - chance * len(times)) / ((len(times) + len(others)) / 2) / (1 - chance)
