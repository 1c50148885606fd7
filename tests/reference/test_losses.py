"""The losses against their closed forms (F27 to F29), finite differences and bad input."""
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snnteach.losses import ce_count_loss, ce_membrane_loss, ce_step_loss, mse_count_loss, mse_membrane_loss

LOSSES = (ce_count_loss, ce_step_loss, ce_membrane_loss, mse_count_loss)


def outputs(steps=7, batch=4, classes=10, seed=0):
    generator = torch.Generator().manual_seed(seed)
    value = (torch.rand(steps, batch, classes, generator=generator) < 0.4).double().requires_grad_()
    return value, torch.randint(0, classes, (batch,), generator=generator)


@settings(max_examples=30, deadline=None)
@given(steps=st.integers(1, 9), batch=st.integers(1, 5), classes=st.integers(2, 11), seed=st.integers(0, 999))
def test_each_loss_is_its_formula(steps, batch, classes, seed):
    value, target = outputs(steps, batch, classes, seed)

    def entropy(logits):                                           # [B, C]
        return -torch.stack([torch.log_softmax(row, 0)[y] for row, y in zip(logits, target, strict=True)]).mean()

    counts = sum(value)
    wanted = torch.full_like(counts, 0.2 * steps)
    wanted[range(batch), target] = 0.8 * steps
    expected = (entropy(counts), sum(map(entropy, value)) / steps, entropy(counts), ((wanted - counts) ** 2).sum() / batch)
    for loss, number in zip(LOSSES, expected, strict=True):
        torch.testing.assert_close(loss(value, target), number, rtol=1e-12, atol=1e-12)


def test_count_gradient_is_softmax_minus_one_hot():                # F27
    spk, target = outputs()
    ce_count_loss(spk, target).backward()
    y = torch.nn.functional.one_hot(target, 10)
    expected = (torch.softmax(spk.detach().sum(0), 1) - y) / 4
    torch.testing.assert_close(spk.grad, expected.expand_as(spk), rtol=0, atol=1e-15)


def test_squared_count_gradient_is_twice_the_miss():               # F29
    spk, target = outputs()
    mse_count_loss(spk, target).backward()
    wanted = 7 * (0.2 + 0.6 * torch.nn.functional.one_hot(target, 10).double())
    torch.testing.assert_close(spk.grad, (2 * (spk.detach().sum(0) - wanted) / 4).expand_as(spk), rtol=0, atol=1e-12)


@pytest.mark.parametrize("steps,classes", [(1, 2), (25, 10), (100, 3)])
def test_floors_and_silent_values(steps, classes):                 # F27, F28
    target = torch.tensor([1, 0])
    silent = torch.zeros(steps, 2, classes, dtype=torch.float64)
    best = silent.clone()
    best[:, range(2), target] = 1
    for loss in (ce_count_loss, ce_step_loss, ce_membrane_loss):
        assert loss(silent, target).item() == pytest.approx(math.log(classes), abs=1e-12)
    assert ce_count_loss(best, target).item() == pytest.approx(math.log1p((classes - 1) * math.exp(-steps)), abs=1e-12)
    assert ce_step_loss(best, target).item() == pytest.approx(math.log1p((classes - 1) / math.e), abs=1e-12)
    assert ce_step_loss(1e3 * best, target).item() == pytest.approx(0, abs=1e-12)
    assert mse_count_loss(best, target, on=1.0, off=0.0).item() == 0
    assert mse_count_loss(silent, target).item() == pytest.approx(steps**2 * (0.64 + (classes - 1) * 0.04))


def test_floor_of_the_paper_setting():
    spk = torch.zeros(25, 1, 10)
    spk[:, 0, 4] = 1
    assert ce_step_loss(spk, torch.tensor([4])).item() == pytest.approx(1.461150, abs=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_gradcheck(loss):
    _, target = outputs()
    value = torch.randn(7, 4, 10, dtype=torch.float64, generator=torch.Generator().manual_seed(1), requires_grad=True)
    assert torch.autograd.gradcheck(lambda v: loss(v, target), value)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("value,target,error,words", [
    (torch.zeros(4, 10), torch.zeros(4).long(), ValueError, r"must be \[T, B, C\], got shape \(4, 10\)"),
    (torch.zeros(2, 3, 4, 10), torch.zeros(3).long(), ValueError, r"must be \[T, B, C\], got shape \(2, 3, 4, 10\)"),
    (torch.zeros(0, 4, 10), torch.zeros(4).long(), ValueError, "not empty"),
    (torch.zeros(5, 0, 10), torch.zeros(0).long(), ValueError, r"not empty, got shape \(5, 0, 10\)"),
    (torch.zeros(5, 4, 10).long(), torch.zeros(4).long(), TypeError, "must be floating point"),
    (0.5, torch.zeros(4).long(), TypeError, "must be a torch.Tensor"),
    (None, torch.zeros(4).long(), TypeError, r"is None: a membrane read-out fires no spikes. Use a loss on records\[-1\].mem"),
    ([torch.zeros(5, 4, 10)], torch.zeros(4).long(), TypeError, r"the records of all layers. Pass records\[-1\].spk"),
    (torch.full((5, 4, 10), math.nan), torch.zeros(4).long(), ValueError, "NaN"),
    (torch.zeros(5, 4, 10), torch.tensor([0, 1, 2, 10]), ValueError, r"target must lie in 0\.\.9, got 0\.\.10"),
    (torch.zeros(5, 4, 10), torch.tensor([0, 1, 2, -1]), ValueError, r"target must lie in 0\.\.9, got -1\.\.2"),
    (torch.zeros(5, 4, 10), torch.zeros(3).long(), ValueError, r"target must be \(4,\) \[B\] like .*, got shape \(3,\)"),
    (torch.zeros(5, 4, 10), torch.zeros(4), TypeError, "int64"),
    (torch.zeros(5, 4, 10), [0, 1, 2, 3], TypeError, "target must be a torch.Tensor"),
])
def test_bad_input_is_named(loss, value, target, error, words):
    with pytest.raises(error, match=f"^{loss.__name__}: .*{words}"):
        loss(value, target)


@pytest.mark.parametrize("rates", [{"on": 1.5}, {"off": -0.1}])
def test_rates_are_fractions(rates):
    with pytest.raises(ValueError, match="mse_count_loss: (on|off) must be at least 0 and at most 1"):
        mse_count_loss(torch.zeros(5, 4, 10), torch.zeros(4).long(), **rates)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_counts_rightly(dtype):
    spk = torch.zeros(3001, 1, 2, dtype=dtype, requires_grad=True)
    spk.data[:, 0, 1] = 1
    assert mse_count_loss(spk, torch.tensor([1]), on=1.0, off=0.0).item() == 0
    assert ce_count_loss(spk, torch.tensor([0])).item() == 3001
    ce_count_loss(spk, torch.tensor([0])).backward()
    assert spk.grad.dtype == dtype and spk.grad.abs().sum() > 0


@pytest.mark.parametrize("loss", LOSSES)
def test_quantities_for_a_class_loss_are_sent_to_the_loss_of_a_regression(loss):
    with pytest.raises(TypeError, match=f"^{loss.__name__}: target must be int64 class numbers, got torch.float32. Quantities "
                       r"are learned with mse_membrane_loss; class numbers that are stored as floats .* target.long\(\)"):
        loss(torch.zeros(5, 4, 10), torch.tensor([0.0, 1, 2, 3]))


def test_squared_membrane_loss_is_its_formula():
    mem = torch.randn(5, 4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    for target in (torch.rand(4, 3).double(), torch.rand(5, 4, 3).double()):
        answer = mem if target.dim() == 3 else mem[-1]
        assert mse_membrane_loss(mem, target).item() == pytest.approx(((answer - target) ** 2).mean().item())
        assert mse_membrane_loss(answer.detach() if target.dim() == 3 else mem, answer.detach()).item() == 0
        assert torch.autograd.gradcheck(lambda value, target=target: mse_membrane_loss(value, target), mem)
    one = mem[:, :, :1]
    assert mse_membrane_loss(one, torch.rand(4).double()).dim() == 0
    assert torch.equal(mse_membrane_loss(one, one[-1, :, 0].detach() + 1), torch.tensor(1.0).double())


@pytest.mark.parametrize(("mem", "target", "error", "words"), [
    (torch.zeros(5, 4, 3), torch.zeros(4), ValueError, r"target must be \[B, C\] = \(4, 3\) or .* got shape \(4,\)"),
    (torch.zeros(5, 4, 3), torch.zeros(4, 1), ValueError, r"got shape \(4, 1\)"),
    (torch.zeros(5, 4, 1), torch.zeros(5), ValueError, r"got shape \(5,\)"),
    (torch.zeros(5, 4, 1), torch.zeros(4).long(), TypeError, "target must be floating point"),
    (torch.zeros(5, 4, 1), torch.zeros(4).double(), TypeError, r"target is torch.float64 .* target.to\(torch.float32\)"),
    (torch.zeros(5, 4, 1), torch.full((4,), math.nan), ValueError, "target holds NaN"),
    (torch.full((5, 4, 1), math.nan), torch.zeros(4), ValueError, "mem holds NaN"),
    (torch.zeros(4, 1), torch.zeros(4), ValueError, r"mem must be \[T, B, C\]"),
    (None, torch.zeros(4), TypeError, "mem is None"), (torch.zeros(5, 4, 1), 0.5, TypeError, "target must be a torch.Tensor"),
])
def test_squared_membrane_loss_names_bad_input(mem, target, error, words):
    with pytest.raises(error, match=f"^mse_membrane_loss: .*{words}"):
        mse_membrane_loss(mem, target)
