"""Classes as words of many bits: random hypervectors and their geometry, a loss that one spike satisfies, reading by distance.

A codebook gives each class c a word h_c of D bits, one an output neuron; a network is asked to fire in the ones of its class:

    bit[t, i] = 1 once neuron i has fired,    distance_c[t] = number of bits that differ from h_c,    class = nearest word
"""
import math

import torch

from ._arguments import (
    check_affordable,
    check_classes,
    check_dtype,
    check_finite,
    check_flags,
    check_fraction,
    check_generator,
    check_numbers,
    check_shape,
    check_signal,
    check_spikes,
    check_that,
    check_whole,
)

LONGEST_WORD = 100_000


def _check_bits(owner, name, value, layout, dims=None):
    check_signal(owner, name, value, layout=layout, dims=dims)
    check_spikes(owner, name, value)


def _check_codebook(owner, codewords, like_name=None, like=None):
    _check_bits(owner, "codewords", codewords, "[C, D] of bits, a row a class", dims=2)
    if like is not None:
        check_shape(owner, "codewords", codewords, (len(codewords), like.shape[-1]), f"to fit the bits of {like_name}")
        check_dtype(owner, "codewords", codewords, like_name, like)


def draw_hypervectors(num_classes, num_bits, generator=None):
    """Draw a random word of many bits for each class.

    h[c, i] = 1 with probability 1/2, else 0

    Two words differ in D/2 of D bits on average, with a standard deviation of sqrt(D)/2.

    Args:
        num_classes: number of words C.
        num_bits: bits D of a word.
        generator: torch.Generator of the coin; torch's global one by default.

    Returns:
        The words, [C, D], float32 of 0 and 1.

    Raises:
        TypeError: generator not a torch.Generator.
        ValueError: num_classes or num_bits not a whole number of at least 1.

    Source: Kanerva (2009), doi:10.1007/s12559-009-9009-8.

    >>> words = draw_hypervectors(2, 10_000, torch.Generator().manual_seed(0))
    >>> round((words[0] != words[1]).float().mean().item(), 1)
    0.5
    """
    check_whole("draw_hypervectors", high=LONGEST_WORD, num_classes=num_classes, num_bits=num_bits)
    check_affordable("draw_hypervectors", "the codebook", num_classes, num_bits)
    check_generator("draw_hypervectors", generator)
    return (torch.rand(int(num_classes), int(num_bits), generator=generator) < 0.5).float()


def repeated_codewords(num_classes, num_bits):
    """Write a population code as a codebook: the bits are dealt out to the classes in turn.

    h[c, i] = 1 where i mod C = c, else 0

    With D = C this is one neuron a class. Two words differ in 2 D / C bits where C divides D.

    Args:
        num_classes: number of classes C.
        num_bits: bits D, at least C.

    Returns:
        The words, [C, D], float32 of 0 and 1.

    Raises:
        ValueError: num_classes or num_bits not a whole number, fewer bits than classes.

    Source: Eshraghian et al. (2023), section III-B, population codes.

    >>> repeated_codewords(2, 4)
    tensor([[1., 0., 1., 0.],
            [0., 1., 0., 1.]])
    """
    check_whole("repeated_codewords", high=LONGEST_WORD, num_classes=num_classes, num_bits=num_bits)
    check_affordable("repeated_codewords", "the codebook", num_classes, num_bits)
    check_that("repeated_codewords", num_bits >= num_classes,
               f"num_bits must be at least num_classes, one bit for each class, got {num_bits} and {num_classes}.")
    return (torch.arange(int(num_bits)) % int(num_classes) == torch.arange(int(num_classes))[:, None]).float()


def has_fired(spk):
    """Turn spikes into the word that has been said so far: a bit is set by its neuron's first spike, and stays.

    bit[t, b, i] = max over s <= t of spk[s, b, i]

    Args:
        spk: output spikes, [T, B, D].

    Returns:
        The bits after each step, [T, B, D].

    Raises:
        TypeError: spk not a floating-point tensor.
        ValueError: spk not [T, B, D], or no spikes 0 or 1.

    Source: reconstructed after Kinavuidi et al. (2025), arXiv:2511.08558.

    >>> has_fired(torch.tensor([[[0.0, 0.0]], [[1.0, 0.0]], [[0.0, 0.0]]]))[:, 0].tolist()
    [[0.0, 0.0], [1.0, 0.0], [1.0, 0.0]]
    """
    _check_bits("has_fired", "spk", spk, "[T, B, D] (time first)", dims=3)
    return spk.cummax(0).values


def hamming_distances(bits, codewords):
    """Count in how many bits something differs from each word.

    distance[..., c] = sum over i of (bit_i + h_ci - 2 bit_i h_ci)

    Args:
        bits: what is compared, [..., D], of 0 and 1.
        codewords: the words, [C, D], of 0 and 1.

    Returns:
        Distances, [..., C], whole numbers in the dtype of bits; `argmin(-1)` names the nearest word.

    Raises:
        TypeError: bits or codewords not floating-point tensors of the same dtype.
        ValueError: neither 0 nor 1 somewhere, codewords not [C, D] of as many bits.

    Source: Hamming (1950), doi:10.1002/j.1538-7305.1950.tb00463.x.

    >>> hamming_distances(torch.tensor([1.0, 1.0, 0.0]), torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])).tolist()
    [1.0, 3.0]
    """
    _check_bits("hamming_distances", "bits", bits, "[..., D] of bits")
    _check_codebook("hamming_distances", codewords, "bits", bits)
    return bits.sum(-1, keepdim=True) + codewords.sum(1) - 2 * bits @ codewords.T


def settle(spk, codewords, lead):
    """Answer in the step in which the nearest word leads the second nearest by so many bits.

    step[b] = min { t : second smallest distance[t] - smallest >= lead };    the nearest word of that step is the answer

    Args:
        spk: output spikes, [T, B, D].
        codewords: the words, [C, D], of 0 and 1, two or more.
        lead: bits by which the nearest has to lead, a whole number of at least 1.

    Returns:
        (classes, steps): [B] int64 each. Where nobody leads by so much, the nearest word of the last step, and T - 1.

    Raises:
        TypeError: spk or codewords not floating-point tensors of the same dtype.
        ValueError: spk not [T, B, D] of 0 and 1, codewords not [C, D] of as many bits, one word alone, lead not a whole number.

    Source: the race of `snnteach.decoding.race`, with distances for counts.

    >>> words = torch.tensor([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]])
    >>> spk = torch.tensor([[[1.0, 0.0, 0.0, 0.0]], [[0.0, 1.0, 0.0, 0.0]]])
    >>> [[part.item() for part in settle(spk, words, lead)] for lead in (2, 4, 5)]
    [[0, 0], [0, 1], [0, 1]]
    """
    _check_bits("settle", "spk", spk, "[T, B, D] (time first)", dims=3)
    _check_codebook("settle", codewords, "spk", spk)
    check_that("settle", len(codewords) > 1, "codewords must be two or more: one alone leads nobody.")
    check_whole("settle", high=LONGEST_WORD, lead=lead)
    distances = hamming_distances(has_fired(spk), codewords)                                   # [T, B, C]
    first, second = distances.topk(2, largest=False).values.unbind(-1)                         # [T, B] each
    over = second - first >= int(lead)
    steps = torch.where(over.any(0), over.int().argmax(0), len(spk) - 1)                       # [B]
    return distances[steps, torch.arange(len(steps))].argmin(-1), steps


def codeword_loss(spk, target, codewords, wanted=1, enough=True):
    """Ask for the word of the class: spikes in its ones, silence in its zeros.

    L = mean over batch and bits of e^2,    n = sum over t of spk[t],    h = bits of the class's word
    zeros: e = n;    ones: e = max(wanted - n, 0) if enough, else wanted - n

    With `enough` a one that has fired `wanted` times is content, and more spikes cost nothing; in a zero every spike costs.
    Minimum 0; silent network wanted^2 times the share of ones. The derivative by n_i is -2 e / (B D) in ones and 2 n / (B D)
    in zeros.

    Args:
        spk: output spikes, [T, B, D].
        target: class numbers, [B], int64.
        codewords: the words, [C, D], of 0 and 1.
        wanted: spikes that a one asks for, a number above 0.
        enough: True, or False to punish further spikes in ones, too.

    Returns:
        The loss, a scalar tensor.

    Raises:
        TypeError: spk or codewords not floating-point tensors of the same dtype, target not int64, enough not True or False.
        ValueError: spk not [T, B, D], NaN in it, codewords not [C, D] of 0 and 1, target outside 0..C-1, wanted not positive.

    Source: reconstructed after Kinavuidi et al. (2025), arXiv:2511.08558: a squared error that one spike satisfies.

    >>> words = torch.tensor([[1.0, 1.0, 0.0, 0.0]])
    >>> twice = torch.tensor([[[1.0, 0.0, 1.0, 0.0]], [[1.0, 0.0, 0.0, 0.0]]])
    >>> [codeword_loss(twice, torch.tensor([0]), words, enough=enough).item() for enough in (True, False)]
    [0.5, 0.75]
    """
    check_signal("codeword_loss", "spk", spk, layout="[T, B, D] (time first)", dims=3)
    check_finite("codeword_loss", "spk", spk, "The error lies before the loss.")
    _check_codebook("codeword_loss", codewords, "spk", spk)
    check_classes("codeword_loss", "target", target, "[B] of class numbers")
    check_shape("codeword_loss", "target", target, spk.shape[1:2], "[B] like spk")
    check_that("codeword_loss", target.min() >= 0 and target.max() < len(codewords),
               f"target must lie in 0..{len(codewords) - 1}, got {target.min().item()}..{target.max().item()}.")
    check_numbers("codeword_loss", above=0, high=10**6, wanted=wanted)
    check_flags("codeword_loss", enough=enough)
    ones = codewords[target]                                                                   # [B, D]
    missed = wanted * ones - spk.sum(0)
    return torch.where((ones > 0) & bool(enough), missed.clamp(min=0), missed).square().mean()


def flip_bits(bits, probability, generator=None):
    """Turn each bit over with the same probability, on its own.

    bit' = 1 - bit with probability p, else bit

    Args:
        bits: of 0 and 1, [..., D].
        probability: chance p of each bit, between 0 and 1.
        generator: torch.Generator of the coin; torch's global one by default.

    Returns:
        The bits after the noise, of the same shape.

    Raises:
        TypeError: bits not a floating-point tensor, probability not a number, generator not a torch.Generator.
        ValueError: neither 0 nor 1 somewhere, probability outside [0, 1].

    Source: the binary symmetric channel of Shannon (1948), doi:10.1002/j.1538-7305.1948.tb01338.x.

    >>> round(flip_bits(torch.zeros(10_000), 0.25, torch.Generator().manual_seed(0)).mean().item(), 1)
    0.2
    """
    _check_bits("flip_bits", "bits", bits, "[..., D] of bits")
    check_fraction("flip_bits", probability=probability)
    check_generator("flip_bits", generator)
    return (bits - (torch.rand(bits.shape, generator=generator, device=bits.device) < float(probability)).to(bits.dtype)).abs()


def _log_choose(total, chosen):
    return math.lgamma(total + 1) - torch.lgamma(chosen + 1) - torch.lgamma(total - chosen + 1)


def _binomial(total, probability):
    """The chances of 0 to `total` events, [total + 1], float64."""
    counts = torch.arange(total + 1, dtype=torch.float64)
    if probability in (0, 1):
        return (counts == total * probability).double()
    return (_log_choose(total, counts) + counts * math.log(probability) + (total - counts) * math.log1p(-probability)).exp()


def confusion_chance(distance, probability):
    """Say how likely flipped bits carry a word to another that lies `distance` bits away.

    P = P(k > n/2) + P(k = n/2) / 2,    k of the n = distance differing bits are flipped: binomial with n and p

    Bits in which the two words agree do not matter. A tie is broken by a coin. Over several other words the sum of the chances
    bounds the chance of any mistake from above.

    Args:
        distance: bits n in which the two words differ, a whole number from 0.
        probability: chance p that a bit is flipped, between 0 and 1.

    Returns:
        A chance, a float; 1/2 for two words that are the same.

    Raises:
        TypeError: probability not a number.
        ValueError: distance not a whole number from 0, probability outside [0, 1].

    Source: the error of a repetition code on the binary symmetric channel; MacKay (2003), chapter 1.

    >>> round(confusion_chance(3, 0.1), 3)
    0.028
    """
    check_whole("confusion_chance", low=0, high=LONGEST_WORD, distance=distance)
    check_fraction("confusion_chance", probability=probability)
    chances, half = _binomial(int(distance), float(probability)), int(distance) // 2
    tie = chances[half].item() / 2 if distance % 2 == 0 else 0.0
    return chances[half + 1:].sum().item() + tie


def closer_chance(num_bits, distance):
    """Say how likely two random words differ in fewer than `distance` bits.

    P = sum over k < d of (D choose k) / 2^D

    Args:
        num_bits: bits D of a word.
        distance: bits d that the two should differ in at least, from 0 to D + 1.

    Returns:
        A chance, a float.

    Raises:
        ValueError: num_bits not a whole number of at least 1, distance not a whole number from 0 to D + 1.

    Source: Kanerva (2009), doi:10.1007/s12559-009-9009-8, on the distribution of distances.

    >>> round(closer_chance(4, 1), 6), round(closer_chance(4, 3), 6)
    (0.0625, 0.6875)
    """
    _check_word("closer_chance", num_bits, distance)
    counts = torch.arange(int(distance), dtype=torch.float64)
    return (_log_choose(int(num_bits), counts) - int(num_bits) * math.log(2)).exp().sum().item()


def _check_word(owner, num_bits, distance):
    check_whole(owner, high=LONGEST_WORD, num_bits=num_bits)
    check_whole(owner, low=0, high=int(num_bits) + 1, distance=distance)


def random_capacity(num_bits, distance):
    """Say how many random words one can draw until a pair closer than `distance` bits is to be expected.

    C (C - 1) / 2 * P = 1,    P = closer_chance(D, d)

    Args:
        num_bits: bits D of a word.
        distance: bits d that all pairs should differ in at least, from 1 to D + 1.

    Returns:
        The number C, a float that is not rounded; infinity where P is too small for a float.

    Raises:
        ValueError: num_bits not a whole number of at least 1, distance not a whole number from 1 to D + 1.

    Source: the birthday argument; Kinavuidi et al. (2025), arXiv:2511.08558, count in this way.

    >>> round(random_capacity(64, 16)), f"{random_capacity(128, 32):.0e}"
    (406, '3e+04')
    """
    _check_word("random_capacity", num_bits, distance)
    check_whole("random_capacity", distance=distance)
    chance = closer_chance(num_bits, distance)
    return (1 + math.sqrt(1 + 8 / chance)) / 2 if chance > 1e-300 else math.inf


def _check_scores(owner, **scores):
    for name, value in scores.items():
        check_signal(owner, name, value, layout="[samples] of scores", dims=1)
        check_finite(owner, name, value)


def alarm_curve(known, unknown):
    """Trade caught strangers against false alarms, threshold by threshold: the receiver operating characteristic.

    alarm where score >= s;    false alarms(s) = share of known >= s,    caught(s) = share of unknown >= s

    Args:
        known: scores of samples of known classes, [samples], such as the distance to the nearest word.
        unknown: scores of samples of a class that was never seen, [samples]; larger means stranger.

    Returns:
        (false_alarms, caught): [points] each, float64, from (0, 0) to (1, 1), a point for each threshold that occurs.

    Raises:
        TypeError: known or unknown not floating-point tensors.
        ValueError: not [samples], empty, NaN or infinity in them.

    Source: Fawcett (2006), doi:10.1016/j.patrec.2005.10.010.

    >>> [points.tolist() for points in alarm_curve(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 2.0]))]
    [[0.0, 0.0, 0.5, 1.0], [0.0, 0.5, 1.0, 1.0]]
    """
    _check_scores("alarm_curve", known=known, unknown=unknown)
    steps = torch.cat([known, unknown]).double().unique().flip(0)[:, None]                            # [points, 1], falling
    return tuple(torch.cat([torch.zeros(1, dtype=torch.float64), (scores.double() >= steps).double().mean(1)])
                 for scores in (known, unknown))


def curve_area(known, unknown):
    """Say how often a stranger scores above a known sample: the area under `alarm_curve`.

    area = P(unknown > known) + P(unknown = known) / 2;    1/2 is chance

    Args:
        known, unknown: scores, [samples] each; larger means stranger.

    Returns:
        A float from 0 to 1.

    Raises:
        TypeError: known or unknown not floating-point tensors.
        ValueError: not [samples], empty, NaN or infinity in them.

    Source: Hanley and McNeil (1982), doi:10.1148/radiology.143.1.7063747.

    >>> curve_area(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 2.0]))
    0.875
    """
    _check_scores("curve_area", known=known, unknown=unknown)
    alarms, caught = alarm_curve(known, unknown)
    return torch.trapezoid(caught, alarms).item()


def caught_at(known, unknown, false_alarms=0.05):
    """Say how many strangers are caught by the threshold that raises at most so many false alarms.

    caught(s) of `alarm_curve`, at the lowest s with false alarms(s) <= false_alarms

    Args:
        known, unknown: scores, [samples] each; larger means stranger.
        false_alarms: share of known samples that may be refused, between 0 and 1.

    Returns:
        A share, a float.

    Raises:
        TypeError: known or unknown not floating-point tensors, false_alarms not a number.
        ValueError: not [samples], empty, NaN or infinity in them, false_alarms outside [0, 1].

    Source: Fawcett (2006), doi:10.1016/j.patrec.2005.10.010, a point of the curve.

    >>> caught_at(torch.arange(100.0), torch.tensor([90.0, 96.0, 99.0]))
    0.6666666666666666
    """
    _check_scores("caught_at", known=known, unknown=unknown)
    check_fraction("caught_at", false_alarms=false_alarms)
    alarms, caught = alarm_curve(known, unknown)
    return caught[alarms <= float(false_alarms)][-1].item()
