"""Distances of spike trains: by hand, by a fine integral, by trying every alignment, and what makes them metrics."""
import itertools
import math

import pytest
import torch

from snnteach.spike_distances import van_rossum, victor_purpura

FLOAT = torch.float64


def trains(seed, steps=12, samples=5, neurons=2, rate=0.3):
    return (torch.rand(steps, samples, neurons, generator=torch.Generator().manual_seed(seed)) < rate).double()


def spikes_at(*lists, steps=50):
    spk = torch.zeros(steps, len(lists), 1, dtype=FLOAT)
    for sample, times in enumerate(lists):
        spk[list(times), sample, 0] = 1
    return spk


@pytest.mark.parametrize("tau", [0.7, 3.0, 20.0])
def test_van_rossum_is_the_integral_of_the_filtered_trains(tau):
    spk, fine = trains(0), 400
    t = (torch.arange(fine * int(12 + 20 * tau), dtype=FLOAT) + 0.5) / fine
    late = t[:, None] - torch.arange(12, dtype=FLOAT)                                    # [fine, T]
    curves = torch.einsum("ft,tbn->fbn", torch.where(late >= 0, (-late / tau).exp(), 0.0), spk)
    for i, j in itertools.product(range(5), repeat=2):
        integral = ((curves[:, i] - curves[:, j]) ** 2).sum() / fine / tau
        assert van_rossum(spk, tau)[i, j].item() ** 2 == pytest.approx(integral.item(), rel=1e-4, abs=1e-9)


def test_van_rossum_of_trains_known_by_hand():
    squared = van_rossum(spikes_at([3], [], [3, 40], [5]), tau=2.0) ** 2
    assert squared[0].tolist() == pytest.approx([0, 0.5, 0.5, 1 - math.exp(-1)], abs=1e-7)
    assert squared[1, 2].item() == pytest.approx(1, abs=1e-7)


def test_van_rossum_adds_up_over_neurons_and_is_euclidean():
    spk = trains(1, neurons=4)
    squared = sum(van_rossum(spk[:, :, n:n + 1], 4.0) ** 2 for n in range(4))
    distance = van_rossum(spk, 4.0)
    assert torch.allclose(distance ** 2, squared, atol=1e-12)
    centred = -distance ** 2 / 2
    centred = centred - centred.mean(0) - centred.mean(1, keepdim=True) + centred.mean()
    assert torch.linalg.eigvalsh(centred).min() > -1e-9                                  # points in a space of curves


def cheapest(one, other, cost):
    """Try every way to pair spikes in their order."""
    best = math.inf
    for pairs in range(min(len(one), len(other)) + 1):
        for some, others in itertools.product(itertools.combinations(one, pairs), itertools.combinations(other, pairs)):
            moved = cost * sum(abs(a - b) for a, b in zip(some, others, strict=True))
            best = min(best, moved + len(one) + len(other) - 2 * pairs)
    return best


@pytest.mark.parametrize("cost", [0.0, 0.1, 0.5, 1.3, 5.0])
def test_victor_purpura_is_the_cheapest_of_all_ways(cost):
    spk = trains(2)
    found = victor_purpura(spk, cost)
    for i, j in itertools.product(range(5), repeat=2):
        wanted = sum(cheapest(spk[:, i, n].nonzero().flatten().tolist(), spk[:, j, n].nonzero().flatten().tolist(), cost)
                     for n in range(2))
        assert found[i, j].item() == pytest.approx(wanted, abs=1e-12)


def test_victor_purpura_of_trains_known_by_hand():
    spk = spikes_at([10, 20, 30], [12, 33], [])
    assert victor_purpura(spk, 0.2)[0].tolist() == pytest.approx([0, 0.4 + 0.6 + 1, 3])
    assert victor_purpura(spk, 1.0)[0, 1].item() == 5


def test_the_ends_of_the_cost_compare_counts_and_coincidences():
    spk = trains(3, samples=8)
    count = spk.sum(0)
    assert torch.equal(victor_purpura(spk, 0), (count[:, None] - count).abs().sum(2))
    assert torch.equal(victor_purpura(spk, 2.5), (spk[:, :, None] - spk[:, None]).abs().sum((0, 3)))


@pytest.mark.parametrize("distance", [lambda spk: van_rossum(spk, 3.0), lambda spk: victor_purpura(spk, 0.4)])
def test_both_are_metrics(distance):
    found = distance(trains(4, samples=12))
    assert torch.equal(found, found.T) and (found.diagonal() == 0).all() and (found >= 0).all()
    assert (found[:, None] <= found[:, :, None] + found.T[None] + 1e-9).all()            # no way round is shorter
    assert distance(trains(4).float()).dtype == torch.float32


def test_silence_everywhere_is_no_distance():
    silent = torch.zeros(4, 3, 2)
    assert not van_rossum(silent, 2.0).any() and not victor_purpura(silent, 1.0).any()


@pytest.mark.parametrize(("call", "message"), [
    (lambda: van_rossum(torch.zeros(4, 3), 1.0), "van_rossum: spk must be [T, B, N] (time first), got shape (4, 3)"),
    (lambda: van_rossum(-torch.ones(4, 3, 1), 1.0), "van_rossum: spk must not be negative"),
    (lambda: van_rossum(torch.ones(4, 3, 1), 0), "van_rossum: tau must be above 0"),
    (lambda: van_rossum(torch.ones(4, 3, 1, dtype=torch.bool), 1.0), "van_rossum: spk must be floating point"),
    (lambda: van_rossum(torch.full((4, 3, 1), math.nan), 1.0), "van_rossum: spk holds NaN"),
    (lambda: victor_purpura(2 * torch.ones(4, 3, 1), 1.0), "victor_purpura: spk must hold spikes, 0 or 1"),
    (lambda: victor_purpura(torch.ones(4, 3, 1), -1), "victor_purpura: cost must be at least 0"),
    (lambda: victor_purpura([1, 2], 1), "victor_purpura: spk must be a torch.Tensor [T, B, N]")])
def test_what_is_refused(call, message):
    with pytest.raises((TypeError, ValueError)) as told:
        call()
    assert message in str(told.value)
