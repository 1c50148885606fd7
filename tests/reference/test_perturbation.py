"""The law of random probes against its moments and draws, estimates against exact gradients, weights against nodes."""
import math
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snnteach import perturbation
from snnteach.neurons import lif

FLOAT = torch.float64


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def estimates(unknowns, probes, runs, seed=0):
    """Estimates of a gradient of length 1 by brute force, [runs, N], and the gradient."""
    along = torch.randn(unknowns, generator=generator(1), dtype=FLOAT)
    along /= along.norm()
    found = []
    for _ in range(runs):
        directions = torch.randn(probes, unknowns, generator=generator(seed + len(found)), dtype=FLOAT)
        found.append((directions @ along) @ directions / probes)
    return torch.stack(found), along


@pytest.mark.parametrize(("unknowns", "probes"), [(20, 3), (100, 100), (100, 20), (400, 30), (30, 300)])
def test_the_law_is_the_ratio_of_the_moments(unknowns, probes):
    found, along = estimates(unknowns, probes, 400)
    mean, square = (found @ along).mean().item(), found.square().sum(1).mean().item()
    assert mean == pytest.approx(1, abs=0.2) and square == pytest.approx((unknowns + probes + 1) / probes, rel=0.2)
    measured = mean / math.sqrt(square)
    assert measured == pytest.approx(perturbation.perturbation_cosine(unknowns, probes), abs=0.03)


@pytest.mark.parametrize(("unknowns", "probes"), [(100, 100), (100, 30), (300, 30), (30, 300)])
def test_with_many_probes_the_mean_cosine_is_the_law(unknowns, probes):
    found, along = estimates(unknowns, probes, 100)
    cosine = (found @ along / found.norm(dim=1)).mean().item()
    assert cosine == pytest.approx(perturbation.perturbation_cosine(unknowns, probes), abs=0.015)


def test_with_one_probe_the_mean_cosine_is_a_fifth_less():
    found, along = estimates(100, 1, 4000)
    cosine = (found @ along / found.norm(dim=1)).mean().item()
    exact = math.exp(math.lgamma(50) - math.lgamma(50.5)) / math.sqrt(math.pi)         # mean |one coordinate| on a sphere
    assert exact == pytest.approx(math.sqrt(2 / (100 * math.pi)), rel=0.01) and cosine == pytest.approx(exact, rel=0.05)
    assert exact / perturbation.perturbation_cosine(100, 1) == pytest.approx(0.8, abs=0.01)


@given(unknowns=st.integers(1, 10**6), cosine=st.floats(0.01, 0.99))
def test_probes_for_is_the_law_solved(unknowns, cosine):
    probes = perturbation.probes_for(unknowns, cosine)
    assert perturbation.perturbation_cosine(unknowns, probes) >= cosine - 1e-9
    assert probes == 1 or perturbation.perturbation_cosine(unknowns, probes - 1) < cosine + 1e-9


def read_out(seed=0, inputs=12, classes=4):
    """A spiking layer's rates [B, I], a read-out [O, I] and targets."""
    x = torch.randn(20, 8, inputs, generator=generator(seed), dtype=FLOAT)
    rate = lif(x, 0.9)[0].mean(0)
    return rate, torch.randn(classes, inputs, generator=generator(seed + 1), dtype=FLOAT), torch.arange(8) % classes


def test_weight_perturbation_is_the_gradient_on_average():
    rate, weight, target = read_out()
    def loss(weight):
        return torch.nn.functional.cross_entropy(rate @ weight.T, target)
    exact = torch.func.grad(loss)(weight)
    found = perturbation.weight_perturbation(loss, weight, 1e-4, 3000, generator())
    law = perturbation.perturbation_cosine(weight.numel(), 3000)
    assert torch.cosine_similarity(found.flatten(), exact.flatten(), 0).item() == pytest.approx(law, abs=0.01)
    assert found.norm().item() == pytest.approx(exact.norm().item(), rel=0.1)


def test_node_perturbation_is_the_gradient_of_each_sample_on_average():
    rate, weight, target = read_out()
    def losses(votes):
        return torch.nn.functional.cross_entropy(votes, target, reduction="none")
    exact = torch.func.grad(lambda votes: losses(votes).sum())(rate @ weight.T)
    found = perturbation.node_perturbation(losses, rate @ weight.T, 1e-4, 400, generator())
    cosines = torch.cosine_similarity(found, exact)
    assert cosines.mean().item() == pytest.approx(perturbation.perturbation_cosine(4, 400), abs=0.01)


def test_nodes_need_fewer_probes_than_weights_by_the_number_of_inputs():
    rate, weight, target = read_out(inputs=50, classes=8)
    rate, target = rate[:1], target[:1]
    def loss(weight):
        return torch.nn.functional.cross_entropy(rate @ weight.T, target)
    def losses(votes):
        return torch.nn.functional.cross_entropy(votes, target, reduction="none")
    exact, cosines = torch.func.grad(loss)(weight).flatten(), {"weights": [], "nodes": []}
    for seed in range(60):
        by_weights = perturbation.weight_perturbation(loss, weight, 1e-4, 20, generator(seed))
        by_nodes = perturbation.node_perturbation(losses, rate @ weight.T, 1e-4, 20, generator(seed)).T @ rate
        for name, found in (("weights", by_weights), ("nodes", by_nodes)):
            cosines[name].append(torch.cosine_similarity(found.flatten(), exact, 0).item())
    for name, unknowns in (("weights", 400), ("nodes", 8)):
        law = perturbation.perturbation_cosine(unknowns, 20)
        assert sum(cosines[name]) / 60 == pytest.approx(law, abs=0.05)


def test_a_spike_has_no_slope_and_perturbation_needs_none():
    x = 0.3 * torch.ones(12, 1, 1, dtype=FLOAT)
    def count(weight):
        return lif(weight * x, 0.9)[0].sum()
    slope = (count(torch.tensor(2.0, dtype=FLOAT)) - count(torch.tensor(1.0, dtype=FLOAT))).item()
    weight = torch.tensor(1.5, dtype=FLOAT)
    assert perturbation.weight_perturbation(count, weight, 1e-6, 50, generator()).item() == 0          # on a step of the stairs
    assert perturbation.weight_perturbation(count, weight, 0.3, 600, generator()).item() == pytest.approx(slope, rel=0.3)


def test_the_same_seed_gives_the_same_estimate_and_no_gradient_is_kept():
    weight = torch.randn(5, requires_grad=True)
    one, other = (perturbation.weight_perturbation(lambda w: w.sum(), weight, probes=3, generator=generator(4)) for _ in "ab")
    assert torch.equal(one, other) and not one.requires_grad


@pytest.mark.parametrize(("call", "words"), [
    (lambda: perturbation.weight_perturbation(lambda w: w, torch.ones(2)), "loss's result must be of one number"),
    (lambda: perturbation.weight_perturbation(lambda w: w.sum(), torch.ones(2), sigma=0), "sigma must be above 0"),
    (lambda: perturbation.weight_perturbation(lambda w: w.sum() / 0, torch.ones(2)), "Lower sigma"),
    (lambda: perturbation.node_perturbation(lambda c: c.sum(), torch.ones(2, 3)), "one a sample"),
    (lambda: perturbation.perturbation_cosine(0, 3), "at least 1"),
    (lambda: perturbation.probes_for(100, 1), "at most 0.999"),
    (lambda: perturbation.weight_perturbation(3, torch.ones(2)), "loss must be a function"),
])
def test_what_cannot_be_meant_is_refused_with_a_cure(call, words):
    with pytest.raises((TypeError, ValueError), match=re.escape(words)):
        call()
