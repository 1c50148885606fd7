"""The losses against their closed forms (F27 to F29), finite differences and bad input."""
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snnteach.losses import (
    ce_count_loss,
    ce_expected_spike_time_loss,
    ce_max_membrane_loss,
    ce_membrane_loss,
    ce_spike_time_loss,
    ce_step_loss,
    expected_spike_time,
    mse_count_loss,
    mse_membrane_loss,
    mse_relative_spike_time_loss,
    mse_spike_time_loss,
    pool_population,
    spike_times,
    wanted_membranes,
    wanted_spike_times,
)

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
    value = torch.rand(7, 4, 10, dtype=torch.float64, generator=torch.Generator().manual_seed(1), requires_grad=True)
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
                       r"are learned with mse_membrane_loss; class numbers stored as floats .* target.long\(\), one-hot rows "
                       r".* target.argmax\(1\)"):
        loss(torch.zeros(5, 4, 10), torch.tensor([0.0, 1, 2, 3]))


def test_class_numbers_for_the_loss_of_a_regression_are_told_how_to_become_membranes():
    mem, target = torch.zeros(5, 4, 3), torch.tensor([0, 2, 1, 2])
    for numbers, error in ((target, TypeError), (target.float(), ValueError)):
        with pytest.raises(error, match=r"^mse_membrane_loss: target must be .* wanted_membranes\(target, 5, 3\)"):
            mse_membrane_loss(mem, numbers)
    assert mse_membrane_loss(mem, wanted_membranes(target, 5, 3)) > 0


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


def rasters(seed=0, steps=9, batch=5, classes=4, rate=0.15):
    """Spikes with silent neurons among them, and class numbers."""
    spk, target = outputs(steps, batch, classes, seed)
    spk = spk.detach() * (torch.rand(spk.shape, generator=torch.Generator().manual_seed(seed + 1)) < rate / 0.4)
    assert (spk.sum(0) == 0).any() and (spk.sum(0) > 1).any()
    return spk.requires_grad_(), target


def first_by_hand(spk, k=1):
    """The step of each neuron's k-th spike, [B, C], found one by one; T where there is none."""
    steps = [[[*train.nonzero().flatten().tolist(), *[len(spk)] * k][k - 1] for train in sample.T]
             for sample in spk.transpose(0, 1)]
    return torch.tensor(steps, dtype=spk.dtype)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_spike_times_are_those_found_one_by_one(seed):
    spk, _ = rasters(seed)
    assert torch.equal(spike_times(spk), first_by_hand(spk.detach()))
    assert torch.equal(spike_times(spk, 3), torch.stack([first_by_hand(spk.detach(), k) for k in (1, 2, 3)]))
    late = torch.zeros(9, 1, 2)
    late[-1, 0, 0] = 1
    assert spike_times(late).tolist() == [[8, 9]]                                  # a spike at the last step is not silence


def test_the_first_spike_estimator_is_minus_one_at_the_spike():
    spk, _ = rasters()
    weight = torch.rand(2, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    (grad,) = torch.autograd.grad((weight * spike_times(spk, 2)).sum(), spk)
    expected = torch.zeros_like(spk)
    for k in range(2):
        for b in range(5):
            for c in range(4):
                expected[min(int(first_by_hand(spk.detach(), k + 1)[b, c]), 8), b, c] -= weight[k, b, c]
    torch.testing.assert_close(grad, expected, rtol=0, atol=0)


def of_times(loss, times, target):
    """The losses on times as smooth functions of the times."""
    picked = torch.nn.functional.one_hot(target, times.shape[1]).bool()
    if loss == "relative":
        wanted = torch.where(picked, 0, torch.where(times < 3, 3, times.detach()))
        return ((wanted - times) ** 2).sum() / len(times)
    if loss == "mse":
        return ((torch.where(picked, 1.0, 7.0) - times) ** 2).sum() / len(times)
    logits = -times if loss == "negate" else 1 / (1 + times)
    return -torch.log_softmax(logits, 1)[picked].mean()


TIMED = {
    "negate": lambda spk, target: ce_spike_time_loss(spk, target),
    "reciprocal": lambda spk, target: ce_spike_time_loss(spk, target, inverse="reciprocal"),
    "mse": lambda spk, target: mse_spike_time_loss(spk, wanted_spike_times(target, 4, on=1, off=7).double()),
    "relative": lambda spk, target: mse_relative_spike_time_loss(spk, target, first=0, margin=3),
}


@pytest.mark.parametrize("loss", TIMED)
@pytest.mark.parametrize("seed", [0, 3])
def test_losses_on_times_and_their_gradients(loss, seed):
    """The value of the formula; the estimator passes on what autograd and finite differences find for the times."""
    spk, target = rasters(seed)
    times = spike_times(spk.detach()).requires_grad_()
    value = TIMED[loss](spk, target)
    torch.testing.assert_close(value, of_times(loss, times, target), rtol=1e-12, atol=1e-12)
    (wanted,) = torch.autograd.grad(of_times(loss, times, target), times)
    (found,) = torch.autograd.grad(value, spk)
    torch.testing.assert_close(found.sum(0), -wanted, rtol=1e-12, atol=1e-14)
    between = times.detach() + 0.3                                                     # off the kink of the relative loss
    assert torch.autograd.gradcheck(lambda f: of_times(loss, f, target), between.requires_grad_())
    closed = {"negate": lambda y: (y - torch.softmax(-times, 1)) / 5,
              "mse": lambda y: 2 * (times - torch.where(y > 0, 1, 7)) / 5}
    if loss in closed:
        y = torch.nn.functional.one_hot(target, 4).double()
        torch.testing.assert_close(wanted, closed[loss](y).detach(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("steps", "classes"), [(1, 2), (25, 10)])
def test_minimum_and_silent_value_of_the_losses_on_times(steps, classes):
    target, silent = torch.tensor([1, 0]), torch.zeros(steps, 2, classes, dtype=torch.float64)
    best = silent.clone()
    best[0, range(2), target] = 1
    others = classes - 1
    assert ce_spike_time_loss(best, target).item() == pytest.approx(math.log1p(others * math.exp(-steps)), abs=1e-12)
    floor = ce_spike_time_loss(best, target, inverse="reciprocal").item()
    assert floor == pytest.approx(math.log1p(others * math.exp(-steps / (steps + 1))), abs=1e-12)
    assert floor > math.log1p(others / math.e)
    for inverse in ("negate", "reciprocal"):
        assert ce_spike_time_loss(silent, target, inverse=inverse).item() == pytest.approx(math.log(classes), abs=1e-12)
    wanted = wanted_spike_times(target, classes, on=0, off=steps).double()
    assert mse_spike_time_loss(best, wanted).item() == 0 and mse_spike_time_loss(silent, wanted).item() == steps**2
    near = wanted_spike_times(target, classes, on=0, off=steps - 1).double()
    assert mse_spike_time_loss(silent, near).item() == steps**2 + others
    assert mse_relative_spike_time_loss(best, target, margin=1).item() == 0
    assert mse_relative_spike_time_loss(silent, target, margin=1).item() == steps**2


def test_negated_times_may_all_shift_and_reciprocal_ones_may_not():                # F30
    spk, target = rasters()
    later = torch.cat([torch.zeros(4, 5, 4, dtype=torch.float64), spk.detach()])
    silent = spike_times(spk.detach()) == 9
    assert torch.equal(spike_times(later), spike_times(spk.detach()) + 4) and silent.any()
    assert ce_spike_time_loss(later, target).item() == pytest.approx(ce_spike_time_loss(spk, target).item(), abs=1e-12)
    one, other = (ce_spike_time_loss(value, target, inverse="reciprocal").item() for value in (spk, later))
    assert abs(one - other) > 0.04


def test_relative_times_cost_nothing_beyond_the_margin_and_only_there():            # F31
    target, spk = torch.tensor([0]), torch.zeros(12, 1, 2)
    for own in range(4):
        for other in range(12):
            spk.zero_()
            spk[own, 0, 0] = spk[other, 0, 1] = 1
            cost = mse_relative_spike_time_loss(spk, target, first=1, margin=5).item()
            assert cost == (own - 1) ** 2 + max(0, 6 - other) ** 2
            assert (cost == 0) == (own == 1 and other >= 6)


def test_several_spikes_each_have_a_step_of_their_own():
    spk = torch.zeros(8, 1, 2, dtype=torch.float64)
    spk[[1, 4, 5], 0, 0] = 1
    wanted = torch.tensor([[[1.0, 8.0]], [[3.0, 8.0]]], dtype=torch.float64)           # [K, B, C]: spikes at 1 and 3, and none
    assert mse_spike_time_loss(spk, wanted).item() == 1


def crossing(mem, k, threshold=1.0):
    """The expected first spike by adding up all ways in which it can come, [B, C]."""
    hazard, quiet, expected = torch.sigmoid(k * (mem - threshold)), torch.ones_like(mem[0]), torch.zeros_like(mem[0])
    for t, h in enumerate(hazard):
        expected, quiet = expected + t * quiet * h, quiet * (1 - h)
    return expected + len(mem) * quiet


@pytest.mark.parametrize("k", [1.0, 4.0, 20.0])
def test_the_expected_spike_time_its_gradient_and_its_limit(k):
    mem = (1 + 0.6 * torch.randn(7, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(2))).requires_grad_()
    torch.testing.assert_close(expected_spike_time(mem, slope=k), crossing(mem, k), rtol=1e-10, atol=1e-10)
    assert torch.autograd.gradcheck(lambda value: expected_spike_time(value, slope=k), mem)
    (grad,) = torch.autograd.grad(expected_spike_time(mem, slope=k).sum(), mem)
    hazard = torch.sigmoid(k * (mem - 1)).detach()
    quiet = (1 - hazard).cumprod(0)
    torch.testing.assert_close(grad, -k * hazard * quiet.flip(0).cumsum(0).flip(0), rtol=1e-8, atol=1e-10)
    sharp = expected_spike_time(mem.detach(), threshold=0.8, slope=1e6)
    assert torch.equal(sharp, spike_times((mem.detach() > 0.8).double()))


def test_the_filled_cell_has_its_floor_its_silent_value_and_its_gradient():
    target = torch.tensor([1, 0])
    mem = torch.full((20, 2, 10), -50.0, dtype=torch.float64)
    mem[0, range(2), target] = 50
    assert ce_expected_spike_time_loss(mem, target).item() == pytest.approx(math.log1p(9 * math.exp(-20)), abs=1e-12)
    assert ce_expected_spike_time_loss(0 * mem, target).item() == pytest.approx(math.log(10), abs=1e-12)
    mem = torch.rand(6, 2, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(3)).requires_grad_()
    assert torch.autograd.gradcheck(lambda value: ce_expected_spike_time_loss(value, target, threshold=0.7, slope=3.0), mem)
    times = expected_spike_time(mem, 0.7, 3.0)
    (grad,) = torch.autograd.grad(-torch.log_softmax(-times, 1)[range(2), target].mean(), times)
    y = torch.nn.functional.one_hot(target, 4)
    torch.testing.assert_close(grad, (y - torch.softmax(-times.detach(), 1)) / 2, rtol=1e-10, atol=1e-12)


def test_the_highest_membrane_is_the_logit_and_takes_the_gradient():
    mem = torch.randn(6, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(5)).requires_grad_()
    target = torch.tensor([3, 0, 1])
    loss = ce_max_membrane_loss(mem, target)
    highest = mem.detach().max(0)
    assert loss.item() == pytest.approx(-torch.log_softmax(highest.values, 1)[range(3), target].mean().item(), abs=1e-12)
    (grad,) = torch.autograd.grad(loss, mem)
    missed = (torch.softmax(highest.values, 1) - torch.nn.functional.one_hot(target, 4)) / 3
    expected = torch.zeros_like(mem).scatter_(0, highest.indices[None], missed[None])
    torch.testing.assert_close(grad, expected, rtol=1e-12, atol=1e-14)
    assert torch.autograd.gradcheck(lambda value: ce_max_membrane_loss(value, target), mem)
    silent = torch.zeros(5, 3, 4, requires_grad=True)
    assert ce_max_membrane_loss(silent, target).item() == pytest.approx(math.log(4))
    ce_max_membrane_loss(silent, target).backward()
    assert silent.grad.abs().min() > 0                                                 # steps that tie share the gradient
    assert ce_max_membrane_loss(1e3 * torch.nn.functional.one_hot(target, 4).float().expand(5, 3, 4), target).item() == 0


def test_wanted_membranes_make_both_squared_losses_of_the_tables():
    target = torch.tensor([2, 0])
    still, early = wanted_membranes(target, 6, 3), wanted_membranes(target, 6, 3, on=2, off=-1, until=2)
    assert still.shape == (6, 2, 3) and still[:, 0].unique(dim=0).shape == (1, 3)
    torch.testing.assert_close(still[0], torch.tensor([[0.2, 0.2, 1.05], [1.05, 0.2, 0.2]]))
    assert early[:2, 1].tolist() == [[2, -1, -1]] * 2 and early[2:].unique().tolist() == [-1]
    assert mse_membrane_loss(still, still).item() == 0
    silent = (1.05**2 + 2 * 0.2**2) / 3
    assert mse_membrane_loss(torch.zeros(6, 2, 3), still).item() == pytest.approx(silent, rel=1e-6)


def test_a_population_lowers_the_floor_and_answers_with_its_first_spike():
    target, spk = torch.tensor([1, 0]), torch.zeros(3, 2, 8, dtype=torch.float64)
    spk[:, 0, 4:] = spk[:, 1, :4] = 1                                                   # all four neurons of the class
    pooled = pool_population(spk, 2)
    assert pooled.tolist()[0] == [[0, 4], [4, 0]]
    assert ce_count_loss(pooled, target).item() == pytest.approx(math.log1p(math.exp(-12)), abs=1e-14)
    assert mse_count_loss(pooled / 4, target, on=1.0, off=0.0).item() == 0
    spk = torch.zeros(6, 1, 4)
    spk[4, 0, 0] = spk[2, 0, 1] = 1
    assert spike_times(pool_population(spk, 2)).tolist() == [[2, 6]]
    assert spike_times(pool_population(spk, 2), 2)[1].tolist() == [[4, 6]]


@pytest.mark.parametrize("loss", [ce_max_membrane_loss, ce_spike_time_loss, ce_expected_spike_time_loss,
                                  mse_relative_spike_time_loss])
def test_classes_are_weighted(loss):
    spk, target = rasters(2)
    weights = torch.tensor([2.0, 0.5, 1.0, 3.0], dtype=torch.float64)
    each = torch.stack([loss(spk[:, [b]], target[[b]]) for b in range(5)])
    weighted = (weights[target] * each).mean()
    torch.testing.assert_close(loss(spk, target, class_weights=weights), weighted, rtol=1e-12, atol=1e-12)


SPK, MEM, CLASSES = torch.zeros(6, 2, 4), torch.zeros(6, 2, 4), torch.tensor([3, 0])


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: ce_max_membrane_loss(None, CLASSES), TypeError, "ce_max_membrane_loss: mem is None"),
    (lambda: ce_count_loss(MEM - 1, CLASSES), ValueError, "ce_count_loss: spk must not be negative, got entries"),
    (lambda: spike_times([SPK]), TypeError, "spike_times: spk must be one tensor"),
    (lambda: spike_times(SPK - 1), ValueError, "spike_times: spk must not be negative"),
    (lambda: spike_times(SPK, 0), ValueError, "spike_times: number must be a whole number of at least 1"),
    (lambda: ce_spike_time_loss(SPK, CLASSES, inverse="minus"), ValueError,
     "ce_spike_time_loss: inverse must be one of 'negate', 'rec"),
    (lambda: ce_spike_time_loss(SPK - 1, CLASSES), ValueError, "ce_spike_time_loss: spk must not be negative"),
    (lambda: mse_spike_time_loss(SPK, CLASSES), TypeError, "mse_spike_time_loss: wanted must be floating point"),
    (lambda: mse_spike_time_loss(SPK, torch.zeros(4, 2)), ValueError,
     r"wanted must be \(2, 4\) \[B, C\] or \[K, B, C\] like spk"),
    (lambda: mse_spike_time_loss(SPK, torch.zeros(3, 4, 2)), ValueError, r"wanted must be \(3, 2, 4\) "),
    (lambda: mse_spike_time_loss(SPK, torch.full((2, 4), -1.0)), ValueError, "wanted must not be negative"),
    (lambda: mse_spike_time_loss(SPK, torch.full((2, 4), math.nan)), ValueError, "wanted holds NaN"),
    (lambda: mse_relative_spike_time_loss(SPK, CLASSES, first=6), ValueError,
     "first must be a whole number of at least 0 and at most 5"),
    (lambda: mse_relative_spike_time_loss(SPK, CLASSES, first=3, margin=4), ValueError,
     "margin must be a whole .* at most 3, got 4"),
    (lambda: wanted_spike_times(CLASSES, 3, 0, 5), ValueError, r"wanted_spike_times: target must lie in 0\.\.2, got 0\.\.3"),
    (lambda: wanted_spike_times(CLASSES, 4, -1, 5), ValueError, "on must be at least 0, got -1"),
    (lambda: wanted_spike_times(CLASSES.float(), 4, 0, 5), TypeError, r"target must be int64 .* Convert with .long\(\)"),
    (lambda: wanted_membranes(CLASSES, 6, 4, until=7), ValueError,
     "until must be a whole number of at least 1 and at most 6, got 7"),
    (lambda: wanted_membranes(CLASSES[None], 6, 4), ValueError, r"target must be \[B\], at least one, got \(1, 2\)"),
    (lambda: wanted_membranes(CLASSES, 0, 4), ValueError, "num_steps must be a whole number"),
    (lambda: expected_spike_time(MEM, slope=0), ValueError, "expected_spike_time: slope must be above 0, got 0"),
    (lambda: expected_spike_time(MEM, threshold=torch.tensor(1.0)), TypeError,
     r"threshold must be a number, .* threshold.item\(\)"),
    (lambda: ce_expected_spike_time_loss(MEM, CLASSES, slope=-1), ValueError,
     "ce_expected_spike_time_loss: slope must be above 0"),
    (lambda: pool_population(SPK, 3), ValueError, "num_classes must divide the number of neurons, 4, got 3"),
    (lambda: pool_population(SPK[0], 2), ValueError, r"pool_population: spk must be \[T, B, C\]"),
])
def test_the_new_losses_name_what_is_wrong(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_whole_numbers_of_numpy_are_taken():
    numpy = pytest.importorskip("numpy")
    two = numpy.int64(2)
    assert spike_times(SPK, two).shape == (2, 2, 4) and pool_population(SPK, two).shape == (6, 2, 2)
    assert mse_relative_spike_time_loss(SPK, CLASSES, first=two, margin=two).item() == 16
    assert wanted_membranes(CLASSES, numpy.int64(6), numpy.int64(4), until=two).shape == (6, 2, 4)


@pytest.mark.parametrize("loss", [ce_spike_time_loss, ce_expected_spike_time_loss, mse_relative_spike_time_loss])
def test_half_precision_waits_rightly(loss):
    value = torch.zeros(3001, 1, 2, dtype=torch.bfloat16, requires_grad=True)
    value.data[2999, 0, 0] = 9
    loss(value, torch.tensor([0])).backward()
    assert value.grad.dtype == torch.bfloat16 and value.grad.isfinite().all()
    assert spike_times(value).tolist() == [[2999.0, 3001.0]]


def test_where_snntorch_s_losses_agree_and_where_not():
    """As of 1.0.0: equal values and gradients; silence there is a spike at the last step, and squared errors are means."""
    peer = pytest.importorskip("snntorch.functional", reason="the peers extra is not installed")
    spk, target = (value.float() if value.is_floating_point() else value for value in rasters(6, steps=10))
    spk = spk.detach()
    forced = spk.clone()
    forced[-1] = torch.where(spk.sum(0) == 0, 1.0, spk[-1])                             # their convention, in ours
    wanted = wanted_spike_times(target, 4, on=0, off=9)
    pairs = [
        (peer.ce_count_loss(), ce_count_loss, spk, 1), (peer.ce_rate_loss(), ce_step_loss, spk, 1),
        (peer.ce_max_membrane_loss(), ce_max_membrane_loss, spk + torch.linspace(0, 0.1, 10)[:, None, None], 1),
        (peer.mse_count_loss(correct_rate=0.8, incorrect_rate=0.2), mse_count_loss, spk, 4 * 10),              # / (C T)
        (peer.ce_temporal_loss(), ce_spike_time_loss, forced, 1),
        (peer.ce_temporal_loss(inverse="reciprocal"), lambda s, y: ce_spike_time_loss(s, y, "reciprocal"), forced, 1),
        (peer.mse_temporal_loss(on_target=0, off_target=9), lambda s, y: mse_spike_time_loss(s, wanted), forced,
         4 * 100),                                                                                       # / (C T^2)
    ]
    for theirs, ours, ours_spk, factor in pairs:
        one, other = ((spk if ours_spk is forced else ours_spk).clone().requires_grad_(), ours_spk.clone().requires_grad_())
        values = theirs(one, target).sum(), ours(other, target) / factor
        torch.testing.assert_close(*values, rtol=1e-5, atol=1e-6)
        grads = [torch.autograd.grad(value, source)[0] for value, source in zip(values, (one, other), strict=True)]
        torch.testing.assert_close(*grads, rtol=1e-5, atol=1e-7)
    assert ce_spike_time_loss(spk, target).item() != pytest.approx(ce_spike_time_loss(forced, target).item(), abs=1e-3)
