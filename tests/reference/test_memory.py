"""Long memory: half-lives, the cue, the latch, gradients over time, and other steps."""
import math

import pytest
import torch

from snnteach import memory
from snnteach.membrane import half_life
from snnteach.neurons import lif
from snnteach.zoo import recurrent_lif


@pytest.mark.parametrize(("beta", "steps"), [(0.9, 6.579), (0.95, 13.513), (0.99, 68.968)])
def test_half_lives(beta, steps):                                                             # F19
    assert half_life(beta) == pytest.approx(steps, abs=1e-3)
    assert memory.decay_from_half_life(half_life(beta)) == pytest.approx(beta)
    assert memory.decay_from_half_life(torch.tensor([half_life(beta)], dtype=torch.float64)).item() == pytest.approx(beta)


def test_spread_decays_have_half_lives_that_grow_by_equal_factors():
    decays = memory.spread_decays(5, 3, 48)
    lives = torch.tensor([half_life(beta) for beta in decays.double().tolist()])
    assert torch.allclose(lives, torch.tensor([3.0, 6, 12, 24, 48]), rtol=1e-3) and decays.dtype == torch.float32
    assert memory.spread_decays(1, 5, 50).shape == (1,)


def test_the_cue_its_gap_and_the_go_signal():
    spk, target = memory.cue_recall(4000, 30, generator=torch.Generator().manual_seed(0))
    assert spk.shape == (50, 4000, 20) and abs(target.float().mean() - 0.5) < 0.05
    for label in (0, 1):
        mean = spk[:, target == label].mean(1)                                                # [T, 20]
        assert mean[:10, 8 * label:8 * label + 8].mean() == pytest.approx(0.4, abs=0.01)
        assert mean[:10, 8 - 8 * label:16 - 8 * label].mean() == pytest.approx(0.01, abs=0.003)
        assert mean[40:, 16:].mean() == pytest.approx(0.4, abs=0.01)
        assert mean[10:40].mean() == pytest.approx(0.01, abs=0.003) and mean[:40, 16:].mean() < 0.013
    assert memory.cue_recall(2, 0, cue=1, go=1)[0].shape == (2, 2, 20)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.95])
@pytest.mark.parametrize("threshold", [1.0, 2.5])
def test_the_latch_holds_above_the_border_and_dies_below(beta, threshold):                    # F17
    least = memory.least_self_weight(beta, threshold)
    assert least == pytest.approx(threshold * (2 - beta))
    x = torch.zeros(1500, 1, 2, dtype=torch.float64)
    x[0] = 1.2 * threshold
    weight = torch.tensor([least - 0.002 * threshold, least + 0.002 * threshold], dtype=torch.float64)
    spk, *_ = recurrent_lif(x, beta, weight, threshold)
    assert spk[-1, 0].tolist() == [0, 1] and spk[:, 0, 1].all()


def test_what_arrives_of_a_gradient_through_a_membrane_is_its_decay():
    x = torch.zeros(40, 2, 3, dtype=torch.float64, requires_grad=True)
    _, mem = lif(x, 0.93)
    lengths = memory.gradient_by_step(mem[-1].sum(), x)
    assert torch.allclose(lengths, math.sqrt(6) * 0.93 ** torch.arange(39, -1, -1, dtype=torch.float64))
    assert memory.kept_per_step(lengths) == pytest.approx(0.93)
    assert torch.equal(memory.gradient_by_step(mem[-1].sum(), x), lengths)                    # the graph is kept


@pytest.mark.parametrize("steps", [0.25, 0.5, 2, 7])
def test_a_rescaled_neuron_keeps_its_steady_potential_and_its_time_constant(steps):
    beta, current = memory.rescaled(0.9, torch.tensor([0.02, -0.3], dtype=torch.float64), steps)
    assert beta == pytest.approx(0.9**steps)
    assert torch.allclose(current / (1 - beta), torch.tensor([0.2, -3.0], dtype=torch.float64))
    assert memory.rescaled(1.0, 0.1, 4) == (1.0, pytest.approx(0.4)) and memory.rescaled(0.0, 0.1, 2) == (0.0, 0.1)


def test_longer_steps_count_what_fell_into_them():
    spk = torch.rand(12, 2, 3).round()
    assert torch.equal(memory.rebin(spk, 4), torch.stack([spk[:4].sum(0), spk[4:8].sum(0), spk[8:].sum(0)]))
    assert torch.equal(memory.rebin(spk, 1), spk)


X = torch.zeros(4, 2)


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: memory.decay_from_half_life(0), ValueError, "steps must be positive"),
    (lambda: memory.decay_from_half_life([3]), TypeError, "torch.tensor"),
    (lambda: memory.spread_decays(0, 1, 2), ValueError, "num_neurons"),
    (lambda: memory.spread_decays(3, 0, 2), ValueError, "shortest"),
    (lambda: memory.cue_recall(4, -1), ValueError, "delay"),
    (lambda: memory.cue_recall(4, 10, generator=1), TypeError, "generator"),
    (lambda: memory.cue_recall(10**6, 10**6), ValueError, "more than one can mean"),
    (lambda: memory.least_self_weight(1.1), ValueError, "beta"),
    (lambda: memory.least_self_weight(0.9, 0), ValueError, "threshold"),
    (lambda: memory.gradient_by_step(X.sum(), X), ValueError, "requires_grad_()"),
    (lambda: memory.gradient_by_step(X.clone().requires_grad_().sum(), X.clone().requires_grad_()), ValueError, "depend on x"),
    (lambda: memory.gradient_by_step(1.0, X), TypeError, "score"),
    (lambda: memory.kept_per_step(torch.ones(1)), ValueError, "at least 2"),
    (lambda: memory.kept_per_step(torch.tensor([0.0, 1.0])), ValueError, "above 0"),
    (lambda: memory.rebin(X, 3), ValueError, "must divide T = 4"),
    (lambda: memory.rescaled(0.9, 0.1, 0), ValueError, "steps"),
    (lambda: memory.rescaled(0.9, math.nan, 2), ValueError, "current"),
])
def test_what_cannot_be_meant_is_refused(call, error, words):
    with pytest.raises(error) as refused:
        call()
    assert words in str(refused.value)
