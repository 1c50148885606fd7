"""Readings, confusions and class weights against counts by hand, and what they refuse."""
import math

import pytest
import torch

from snnteach.losses import ce_count_loss, ce_membrane_loss, ce_step_loss, mse_count_loss
from snnteach.networks import Record
from snnteach.scores import (
    balanced_weights,
    class_scores,
    coincidence_factor,
    confusion,
    explained_variance,
    final_membrane,
    most_active,
)

NAMED, TARGETS = torch.tensor([0, 1, 1, 2, 0, 2, 2]), torch.tensor([0, 1, 2, 2, 1, 2, 2])


def test_readings():
    spk = torch.tensor([[[1.0, 0, 0], [0, 1, 1]], [[1, 0, 1], [0, 0, 1]]])                         # [T, B, C]
    mem = torch.arange(12.0).view(2, 2, 3).flip(2)
    assert most_active(Record(spk, mem)).tolist() == [0, 2] and most_active(Record(None, mem)).tolist() == [0, 0]
    assert most_active(Record(torch.zeros(5, 1, 3), torch.zeros(5, 1, 3))).tolist() == [0]         # the lowest number wins
    assert torch.equal(final_membrane(Record(spk, mem)), mem[-1])


def test_confusions_are_counted_by_class_and_name():
    table = confusion(NAMED, TARGETS, num_classes=4)
    by_hand = torch.zeros(4, 4, dtype=torch.int64)
    for target, named in zip(TARGETS.tolist(), NAMED.tolist(), strict=True):
        by_hand[target, named] += 1
    assert torch.equal(table, by_hand) and table.sum() == 7 and table[2].tolist() == [0, 1, 3, 0]


def test_scores_of_classes_by_hand():
    found = class_scores(confusion(NAMED, TARGETS, num_classes=4))
    assert found["samples"].tolist() == [1, 2, 4, 0]
    assert found["recall"][:3].tolist() == [1, 0.5, 0.75] and found["recall"][3].isnan()
    assert found["precision"][:3].tolist() == [0.5, 0.5, 1] and found["precision"][3].isnan()
    assert found["balanced accuracy"] == pytest.approx((1 + 0.5 + 0.75) / 3)


def test_always_naming_the_common_class_is_chance():
    targets = torch.tensor([0] * 95 + [1] * 5)
    found = class_scores(confusion(torch.zeros_like(targets), targets, num_classes=2))
    assert found["balanced accuracy"] == 0.5


def test_balanced_weights_give_each_class_the_same_say():
    weights = balanced_weights(TARGETS, num_classes=5)
    says = torch.stack([weights[TARGETS[TARGETS == c]].sum() for c in range(3)])
    torch.testing.assert_close(says, torch.full((3,), 7 / 3))
    assert weights[TARGETS].mean().item() == pytest.approx(1) and weights[3:].tolist() == [0, 0]


def parts(loss, value, target):
    """The part of each sample in a loss."""
    return torch.stack([loss(value[:, b:b + 1], target[b:b + 1]) for b in range(len(target))])


@pytest.mark.parametrize("loss", [ce_count_loss, ce_step_loss, ce_membrane_loss, mse_count_loss])
def test_a_weighted_loss_is_the_mean_of_weighted_parts(loss):
    value = torch.rand(6, 7, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).round()
    weights = torch.tensor([0.2, 1.5, 3.0], dtype=torch.float64)
    expected = (weights[TARGETS] * parts(loss, value, TARGETS)).mean()
    torch.testing.assert_close(loss(value, TARGETS, class_weights=weights), expected)
    torch.testing.assert_close(loss(value, TARGETS, class_weights=torch.ones(3).double()), loss(value, TARGETS))


def test_explained_variance_by_hand():
    targets = torch.tensor([[1.0, 10], [2, 20], [3, 60]])
    assert explained_variance(targets, targets) == 1
    assert explained_variance(targets.mean(0).expand(3, 2), targets) == 0
    assert explained_variance(targets + torch.tensor([1.0, 0]), targets) == pytest.approx(1 - 3 / (2 + 1400))
    assert explained_variance(-targets[:, 0], targets[:, 0]) < 0


CONFUSION = {"named": NAMED, "targets": TARGETS, "num_classes": 3}


@pytest.mark.parametrize(("change", "error", "words"), [
    ({"named": NAMED.float()}, TypeError, "named must be int64"),
    ({"targets": None}, TypeError, "targets must be a torch.Tensor"),
    ({"named": NAMED[:3]}, ValueError, "named and targets must be equally many, got 3 and 7"),
    ({"named": NAMED[None]}, ValueError, r"named must be \[samples\]"),
    ({"targets": TARGETS[:0]}, ValueError, "targets must be .*at least one"),
    ({"num_classes": 2}, ValueError, r"named must lie in 0\.\.1, got 0\.\.2"),
    ({"targets": -TARGETS}, ValueError, r"targets must lie in .*-2\.\.0"),
    ({"num_classes": 2.5}, (TypeError, ValueError), "num_classes must be a whole number"),
    ({"num_classes": 10**9}, ValueError, "num_classes must be a whole number of at least 1 and at most"),
])
def test_bad_classes_are_named(change, error, words):
    with pytest.raises(error, match=f"^confusion: {words}"):
        confusion(**CONFUSION | change)
    if "named" not in change and "named" not in words:
        with pytest.raises(error, match=f"^balanced_weights: {words}"):
            balanced_weights(**{name: value for name, value in (CONFUSION | change).items() if name != "named"})


@pytest.mark.parametrize(("table", "error", "words"), [
    (torch.ones(2, 2), TypeError, "table must be int64"),
    (torch.ones(2, 3).long(), ValueError, r"table must be \[C, C\]"),
    (torch.zeros(2, 2).long(), ValueError, "at least one sample"),
    (-torch.ones(2, 2).long(), ValueError, "table must hold counts"),
    ([[1, 2], [3, 4]], TypeError, r"Convert it with torch.tensor\(table\)"),
    (torch.ones(0, 0).long(), ValueError, "table must be"),
])
def test_bad_tables_are_named(table, error, words):
    with pytest.raises(error, match=f"class_scores: .*{words}"):
        class_scores(table)


@pytest.mark.parametrize(("answers", "targets", "error", "words"), [
    (torch.ones(3), torch.ones(3), ValueError, "targets are all the same"),
    (torch.ones(3), torch.arange(4.0), ValueError, r"got shapes \(3,\) and \(4,\)"),
    (torch.ones(3, 1), torch.arange(3.0), ValueError, r"got shapes \(3, 1\) and \(3,\)"),
    (torch.ones(3).long(), torch.arange(3.0), TypeError, "answers must be floating point"),
    (torch.tensor([math.nan, 1, 2]), torch.arange(3.0), ValueError, "answers holds NaN"),
    (torch.ones(2, 2, 2), torch.rand(2, 2, 2), ValueError, "answers and targets must both be"),
])
def test_bad_quantities_are_named(answers, targets, error, words):
    with pytest.raises(error, match=f"^explained_variance: .*{words}"):
        explained_variance(answers, targets)


@pytest.mark.parametrize("read", [most_active, final_membrane])
@pytest.mark.parametrize(("record", "error", "words"), [
    (torch.zeros(5, 2, 3), TypeError, r"record must be the Record\(spk, mem\) .*such as net\(x\)\[-1\], got Tensor"),
    ([Record(None, torch.zeros(5, 2, 3))], TypeError, "record must be the Record.*got list"),
    (Record(None, torch.zeros(5, 3)), ValueError, r"record.mem must be \[T, B, C\]"),
    (Record(None, torch.full((5, 2, 3), math.nan)), ValueError, "record.mem holds NaN"),
    (Record(torch.full((5, 2, 3), math.nan), torch.zeros(5, 2, 3)), ValueError, "record.spk holds NaN"),
])
def test_bad_records_are_named(read, record, error, words):
    with pytest.raises(error, match=f"^{read.__name__}: {words}"):
        read(record)


WEIGHTS = torch.ones(3)


@pytest.mark.parametrize("loss", [ce_count_loss, ce_step_loss, ce_membrane_loss, mse_count_loss])
@pytest.mark.parametrize(("weights", "error", "words"), [
    ([1.0, 2.0, 3.0], TypeError, r"class_weights must be a torch.Tensor.*torch.tensor\(class_weights\)"),
    (WEIGHTS.long(), TypeError, "class_weights must be floating point"),
    (WEIGHTS[:2], ValueError, r"class_weights must be \(3,\)"),
    (WEIGHTS.double(), TypeError, r"class_weights is torch.float64 .*class_weights.to\(torch.float32\)"),
    (-WEIGHTS, ValueError, "class_weights must not be negative"),
    (WEIGHTS / 0, ValueError, "class_weights holds NaN or infinity"),
])
def test_bad_class_weights_are_named(loss, weights, error, words):
    with pytest.raises(error, match=f"^{loss.__name__}: {words}"):
        loss(torch.zeros(4, 7, 3), TARGETS, class_weights=weights)


def test_coincidence_is_one_for_the_same_train_and_nothing_for_chance():
    generator = torch.Generator().manual_seed(0)
    times = (1e4 * torch.rand(300, generator=generator, dtype=torch.float64)).sort().values
    assert coincidence_factor(times, times, 2.0, 0.0, 1e4) == pytest.approx(1)
    others = (1e4 * torch.rand(300, generator=generator, dtype=torch.float64)).sort().values
    assert abs(coincidence_factor(times, others, 2.0, 0.0, 1e4)) < 0.1
    assert coincidence_factor(times, times[:0], 2.0, 0.0, 1e4) == coincidence_factor(times[:0], times, 2.0, 0.0, 1e4) == 0
    assert coincidence_factor(times, torch.arange(0, 1e4, dtype=torch.float64), 2.0, 0.0, 1e4) == 0      # meets all by chance
    near = torch.tensor([10.0, 50.0, 90.0], dtype=torch.float64)
    by_hand = (2 - 2 * 3 / 100 * 2.0 * 3) / 3 / (1 - 2 * 3 / 100 * 2.0)
    assert coincidence_factor(near, near + torch.tensor([1.5, 3.0, -1.0]), 2.0, 0.0, 100.0) == pytest.approx(by_hand)
    assert coincidence_factor(near, near[:2], 2.0, 0.0, 60.0) == pytest.approx(1)
    for bad, words in ((near.flip(0), "in increasing order"), (near.long(), "must be floating point")):
        with pytest.raises((ValueError, TypeError), match=words):
            coincidence_factor(bad, near, 2.0, 0.0, 100.0)
    with pytest.raises(ValueError, match="end must be after start"):
        coincidence_factor(near, near, 2.0, 5.0, 5.0)
