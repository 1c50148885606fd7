"""Words of many bits against closed forms: distances, capacity, noise; the loss against autograd, alarms against peers."""
import math

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from scipy.stats import binom
from sklearn.metrics import roc_auc_score, roc_curve

from snnteach import hyperdimensional as hd
from snnteach.decoding import first_spikes

FLOAT = torch.float64


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def spikes(*shape, chance=0.3, seed=0, dtype=FLOAT):
    return (torch.rand(*shape, generator=generator(seed)) < chance).to(dtype)


# Words and their distances

@pytest.mark.parametrize("bits", [64, 256, 1024])
def test_random_words_are_half_their_bits_apart(bits):
    words = hd.draw_hypervectors(400, bits, generator())
    assert words.shape == (400, bits) and words.dtype == torch.float32
    apart = hd.hamming_distances(words, words)[*torch.triu_indices(400, 400, 1)].double()       # 79,800 pairs
    assert apart.mean().item() == pytest.approx(bits / 2, rel=2e-3)
    assert apart.std().item() == pytest.approx(math.sqrt(bits) / 2, rel=0.03)


def test_the_same_coin_draws_the_same_words():
    assert torch.equal(hd.draw_hypervectors(3, 9, generator(1)), hd.draw_hypervectors(3, 9, generator(1)))
    assert not torch.equal(hd.draw_hypervectors(3, 9, generator(1)), hd.draw_hypervectors(3, 9, generator(2)))


@pytest.mark.parametrize(("classes", "bits"), [(10, 10), (10, 250), (10, 256), (3, 7), (1, 4)])
def test_a_population_code_deals_its_bits_out(classes, bits):
    words = hd.repeated_codewords(classes, bits)
    assert (words.sum(0) == 1).all() and words.sum(1).max() - words.sum(1).min() <= 1
    if bits % classes == 0:
        apart = hd.hamming_distances(words, words)
        assert torch.equal(apart, 2 * bits / classes * (1 - torch.eye(classes)))
    if bits == classes:
        assert torch.equal(words, torch.eye(classes))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_distances_are_counted(dtype):
    bits, words = spikes(4, 5, 70, seed=1, dtype=dtype), hd.draw_hypervectors(6, 70, generator(2)).to(dtype)
    found = hd.hamming_distances(bits, words)
    assert found.shape == (4, 5, 6) and found.dtype == dtype
    assert torch.equal(found, (bits[:, :, None] != words).sum(-1).to(dtype))
    peer = cdist(bits[0].numpy(), words.numpy(), "hamming") * 70                                # SciPy gives the share
    assert np.allclose(found[0].numpy(), peer)


def test_a_bit_stays_once_its_neuron_fired():
    spk = spikes(9, 4, 30, chance=0.1)
    bits = hd.has_fired(spk)
    for step in range(9):
        assert torch.equal(bits[step], (spk[:step + 1].sum(0) > 0).to(FLOAT))
    assert torch.equal((bits == 0).sum(0), first_spikes(spk))


def test_the_nearest_word_of_a_population_code_is_a_vote():
    """distance_c = fired + P - 2 fired in c: the nearest word is that with most neurons that have fired."""
    spk, words = spikes(6, 50, 40, chance=0.1), hd.repeated_codewords(10, 40).double()
    bits = hd.has_fired(spk)[-1]
    votes = bits @ words.T
    assert torch.equal(hd.hamming_distances(bits, words), bits.sum(1, keepdim=True) + 4 - 2 * votes)
    one = hd.hamming_distances(hd.has_fired(spikes(6, 50, 10, chance=0.05)), torch.eye(10, dtype=FLOAT))
    assert one.shape == (6, 50, 10)


def test_settle_is_the_first_step_with_the_lead():
    spk, words = spikes(12, 40, 64, chance=0.06, seed=3), hd.draw_hypervectors(5, 64, generator(4)).double()
    distances = hd.hamming_distances(hd.has_fired(spk), words)
    for lead in (1, 6, 15, 60):
        classes, steps = hd.settle(spk, words, lead)
        for sample in range(40):
            waits = [step for step in range(12) if distances[step, sample].sort().values.diff()[0] >= lead]
            step = waits[0] if waits else 11
            assert steps[sample] == step and classes[sample] == distances[step, sample].argmin()


# The loss

@pytest.mark.parametrize("enough", [True, False])
@pytest.mark.parametrize("wanted", [1, 3])
def test_the_loss_is_its_formula_and_its_derivative(enough, wanted):
    spk, words = spikes(8, 5, 20, seed=5).requires_grad_(), hd.draw_hypervectors(4, 20, generator(6)).double()
    target = torch.tensor([0, 3, 1, 1, 2])
    found = hd.codeword_loss(spk, target, words, wanted, enough)
    (slope,) = torch.autograd.grad(found, spk)
    counts, total, by_hand = spk.detach().sum(0), 0.0, torch.zeros(5, 20, dtype=FLOAT)
    for b in range(5):
        for i in range(20):
            n = counts[b, i].item()
            error = n if words[target[b], i] == 0 else max(wanted - n, 0) if enough else wanted - n
            total += error**2 / 100
            by_hand[b, i] = (2 if words[target[b], i] == 0 else -2) * error / 100
    assert found.item() == pytest.approx(total, abs=1e-12)
    assert torch.allclose(slope, by_hand.expand(8, -1, -1), atol=1e-12)


def test_one_spike_is_enough_and_silence_costs_the_ones():
    words = hd.draw_hypervectors(3, 50, generator(7))
    target = torch.arange(3)
    once, often, silent = words[None], words.expand(9, -1, -1), torch.zeros(4, 3, 50)
    assert hd.codeword_loss(once, target, words).item() == hd.codeword_loss(often, target, words).item() == 0
    assert hd.codeword_loss(often, target, words, enough=False) > 1
    for wanted in (1, 4):
        silence = hd.codeword_loss(silent, target, words, wanted).item()
        assert silence == pytest.approx(wanted**2 * words.mean().item(), rel=1e-6)
    assert hd.codeword_loss(4 * once, target, words, 4).item() == 0


# Noise

def test_flipped_bits_are_as_many_as_they_should_be():
    bits = spikes(200, 500, seed=8)
    assert torch.equal(hd.flip_bits(bits, 0, generator()), bits) and torch.equal(hd.flip_bits(bits, 1, generator()), 1 - bits)
    for chance in (0.1, 0.45):
        noisy = hd.flip_bits(bits, chance, generator(9))
        assert ((noisy == 0) | (noisy == 1)).all()
        assert (noisy != bits).double().mean().item() == pytest.approx(chance, abs=4 * math.sqrt(chance * (1 - chance) / 1e5))


@pytest.mark.parametrize("distance", [0, 1, 2, 7, 51, 128])
@pytest.mark.parametrize("chance", [0.0, 0.1, 0.4, 0.5, 1.0])
def test_confusion_is_the_tail_of_a_binomial(distance, chance):
    tail = binom.sf(distance / 2, distance, chance)
    tie = binom.pmf(distance // 2, distance, chance) / 2 if distance % 2 == 0 else 0
    assert hd.confusion_chance(distance, chance) == pytest.approx(tail + tie, abs=1e-11)


def test_confusion_is_what_happens_to_two_words():
    """Only the bits that differ matter: two words of 60 bits that differ in 12."""
    words = torch.zeros(2, 60, dtype=FLOAT)
    words[1, :12] = 1
    noisy = hd.flip_bits(words[0].expand(40_000, -1), 0.3, generator(10))
    gap = hd.hamming_distances(noisy, words).diff().squeeze(1)
    found = (gap < 0).double().mean() + (gap == 0).double().mean() / 2
    assert found.item() == pytest.approx(hd.confusion_chance(12, 0.3), abs=4 * math.sqrt(0.1 / 4e4))


def test_a_word_of_a_population_falls_before_a_random_one():
    """As much noise as an equally wide population stands: 2 D / C bits against D / 2."""
    for chance in (0.2, 0.3, 0.4):
        assert hd.confusion_chance(51, chance) > 4 * hd.confusion_chance(128, chance)
    assert hd.confusion_chance(128, 0.4) == pytest.approx(hd.confusion_chance(2 * 640 // 10, 0.4))


# Capacity

@pytest.mark.parametrize(("bits", "distance"), [(10, 0), (10, 3), (64, 16), (256, 110), (9, 10)])
def test_closeness_is_a_sum_of_binomials(bits, distance):
    exact = sum(math.comb(bits, k) for k in range(distance)) / 2**bits
    assert hd.closer_chance(bits, distance) == pytest.approx(exact, rel=1e-9)


def test_capacity_solves_the_birthday_equation_and_grows_by_a_power():
    for bits in (64, 128, 256, 512):
        count, chance = hd.random_capacity(bits, bits // 4), hd.closer_chance(bits, bits // 4)
        assert count * (count - 1) / 2 * chance == pytest.approx(1)
    at_64, at_128, at_256 = (hd.random_capacity(bits, bits // 4) for bits in (64, 128, 256))
    assert at_128 > at_64**1.5 and at_256 > at_128**1.5
    assert hd.random_capacity(64, 65) == pytest.approx(2) and hd.random_capacity(8000, 8) == math.inf


def test_no_population_code_keeps_a_quarter_of_its_bits_for_more_than_eight_classes():
    for bits in (48, 240, 480):
        for classes in range(2, 17):
            if bits % classes == 0:
                words = hd.repeated_codewords(classes, bits)
                apart = hd.hamming_distances(words, words)[0, 1].item()
                assert (apart >= bits / 4) == (classes <= 8)


def test_a_drawn_book_is_as_crowded_as_the_birthday_argument_says():
    """As many words as the capacity: about half of the books or a little more hold a pair that is too close."""
    count, crowded = round(hd.random_capacity(32, 8)), 0
    for seed in range(60):
        words = hd.draw_hypervectors(count, 32, generator(seed))
        apart = hd.hamming_distances(words, words) + 32 * torch.eye(count)
        crowded += bool(apart.min() < 8)
    assert crowded / 60 == pytest.approx(1 - math.exp(-1), abs=0.2)


# Strangers

@pytest.mark.parametrize("ties", [False, True])
def test_the_alarm_curve_and_its_area_are_those_of_scikit_learn(ties):
    known, unknown = torch.randn(300, generator=generator(11)), 1 + torch.randn(80, generator=generator(12))
    if ties:
        known, unknown = (2 * known).round(), (2 * unknown).round()
    strange, scores = torch.cat([torch.zeros(300), torch.ones(80)]).numpy(), torch.cat([known, unknown]).numpy()
    alarms, caught = hd.alarm_curve(known, unknown)
    peer = roc_curve(strange, scores, drop_intermediate=False)
    assert np.allclose(alarms.numpy(), peer[0]) and np.allclose(caught.numpy(), peer[1])
    assert hd.curve_area(known, unknown) == pytest.approx(roc_auc_score(strange, scores), abs=1e-12)
    pairs = (unknown[:, None] > known).double() + (unknown[:, None] == known).double() / 2
    assert hd.curve_area(known, unknown) == pytest.approx(pairs.mean().item())
    for allowed in (0, 0.05, 0.5, 1):
        assert hd.caught_at(known, unknown, allowed) == peer[1][peer[0] <= allowed].max()


def test_a_threshold_that_would_refuse_too_many_is_not_taken():
    known, unknown = torch.tensor([0.0, 0.0, 1.0, 1.0]), torch.tensor([1.0, 2.0])
    assert hd.caught_at(known, unknown, 0.49) == 0.5 and hd.caught_at(known, unknown, 0.5) == 1
    assert hd.caught_at(known, unknown, 0) == 0.5 and hd.caught_at(known, torch.tensor([0.0]), 0.4) == 0


# What is refused

SPK, WORDS = torch.zeros(3, 2, 4), torch.eye(2, 4)


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: hd.draw_hypervectors(0, 8), ValueError, "num_classes must be a whole number"),
    (lambda: hd.draw_hypervectors(3, 8, 0), TypeError, "manual_seed"),
    (lambda: hd.draw_hypervectors(100_000, 100_000), ValueError, "more than one can mean"),
    (lambda: hd.repeated_codewords(10, 9), ValueError, "at least num_classes"),
    (lambda: hd.has_fired(SPK[0]), ValueError, r"\[T, B, D\]"),
    (lambda: hd.has_fired(2 + SPK), ValueError, "0 or 1"),
    (lambda: hd.hamming_distances(SPK, WORDS[:, :3]), ValueError, "to fit the bits"),
    (lambda: hd.hamming_distances(SPK.double(), WORDS), TypeError, r"codewords.to\(torch.float64\)"),
    (lambda: hd.hamming_distances(SPK.bool(), WORDS), TypeError, r"bits.float\(\)"),
    (lambda: hd.hamming_distances(SPK - 1, WORDS), ValueError, "0 or 1"),
    (lambda: hd.settle(SPK, WORDS[:1], 1), ValueError, "two or more"),
    (lambda: hd.settle(SPK, WORDS, 0), ValueError, "lead must be a whole number"),
    (lambda: hd.codeword_loss(SPK, torch.tensor([0, 2]), WORDS), ValueError, "0..1, got 0..2"),
    (lambda: hd.codeword_loss(SPK, torch.tensor([0.0, 1.0]), WORDS), TypeError, "int64"),
    (lambda: hd.codeword_loss(SPK, torch.tensor([0]), WORDS), ValueError, "like spk"),
    (lambda: hd.codeword_loss(SPK / 0, torch.tensor([0, 1]), WORDS), ValueError, "NaN"),
    (lambda: hd.codeword_loss(SPK, torch.tensor([0, 1]), 2 * WORDS), ValueError, "0 or 1"),
    (lambda: hd.codeword_loss(SPK, torch.tensor([0, 1]), WORDS, 0), ValueError, "wanted must be above 0"),
    (lambda: hd.codeword_loss(SPK, torch.tensor([0, 1]), WORDS, 1, "yes"), TypeError, "enough must be True or False"),
    (lambda: hd.flip_bits(SPK, 1.1), ValueError, "probability must be between"),
    (lambda: hd.confusion_chance(2.5, 0.1), ValueError, "distance must be a whole number"),
    (lambda: hd.closer_chance(8, 10), ValueError, "at most 9"),
    (lambda: hd.random_capacity(8, 0), ValueError, "distance must be a whole number of at least 1"),
    (lambda: hd.curve_area(torch.tensor([]), torch.ones(2)), ValueError, "not empty"),
    (lambda: hd.alarm_curve(torch.ones(2), torch.tensor([math.nan])), ValueError, "NaN"),
    (lambda: hd.caught_at(torch.ones(2), torch.ones(2), 5), ValueError, "false_alarms must be between"),
])
def test_what_is_refused_says_why(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_numpy_numbers_are_taken():
    assert hd.draw_hypervectors(np.int64(2), np.int64(5)).shape == (2, 5)
    assert hd.confusion_chance(np.int64(3), np.float64(0.1)) == pytest.approx(0.028)
