"""Answers to the exercises of notebook 24 that are functions: the right one and the wrong ones that people give."""
import torch

from ...hyperdimensional import caught_at, draw_hypervectors, hamming_distances, has_fired


def coins(seed, *shape, chance=0.5):
    """Zeros and ones for a case."""
    return (torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) < chance).float()


def counts(seed, *shape):
    """Spike counts for a case, from 0 to 3."""
    return torch.randint(4, shape, generator=torch.Generator().manual_seed(seed)).float()


def words(seed, classes, bits):
    """A codebook for a case."""
    return draw_hypervectors(classes, bits, torch.Generator().manual_seed(seed))


# 24.3: the slope of the loss

def word_slope(counts, ones):
    missed = ones - counts                                            # [B, D]
    missed = torch.where(ones > 0, missed.clamp(min=0), missed)       # one spike is enough
    return -2 * missed / counts.numel()


def every_spike(counts, ones):
    """Punishes the second spike of a one."""
    return -2 * (ones - counts) / counts.numel()


def downhill(counts, ones):
    """The step, not the slope."""
    return -word_slope(counts, ones)


def summed_bits(counts, ones):
    """Means over the batch alone."""
    return word_slope(counts, ones) * counts.shape[1]


def summed_all(counts, ones):
    """No mean at all."""
    return word_slope(counts, ones) * counts.numel()


def without_two(counts, ones):
    """Forgets the two of the square."""
    return word_slope(counts, ones) / 2


def zeros_for_nothing(counts, ones):
    """Lets spikes in zeros be."""
    return word_slope(counts, ones) * ones


def fired_or_not(counts, ones):
    """Charges a zero the same for one spike and for three."""
    return word_slope(counts.clamp(max=1), ones)


# 24.4: a distance by one product

def by_signs(bits, codewords):
    agree = (2 * bits - 1) @ (2 * codewords - 1).T                    # bits that agree less bits that differ
    return (bits.shape[-1] - agree) / 2


def twice(bits, codewords):
    """Forgets that one bit that differs moves the product by two."""
    return bits.shape[-1] - (2 * bits - 1) @ (2 * codewords - 1).T


def likeness(bits, codewords):
    """The product itself: large for near words."""
    return (2 * bits - 1) @ (2 * codewords - 1).T


def agreeing(bits, codewords):
    """Counts the bits that agree."""
    return bits.shape[-1] - by_signs(bits, codewords)


def shared_ones(bits, codewords):
    """Counts only ones that both have."""
    return bits @ codewords.T


def missing_ones(bits, codewords):
    """Forgets the spikes that the word does not have."""
    return codewords.sum(1) - bits @ codewords.T


def extra_ones(bits, codewords):
    """Forgets the spikes that are still missing."""
    return bits.sum(-1, keepdim=True) - bits @ codewords.T


def share_that_differs(bits, codewords):
    """A share, as SciPy gives it."""
    return by_signs(bits, codewords) / bits.shape[-1]


# 24.5: the decoder that may answer at any step

def answer_early(spk, codewords, lead):
    bits = spk.cummax(0).values                                       # [T, B, D]: what has been said so far
    distances = bits.sum(-1, keepdim=True) + codewords.sum(1) - 2 * bits @ codewords.T         # [T, B, C]
    first, second = distances.topk(2, largest=False).values.unbind(-1)                         # [T, B] each
    over = second - first >= lead
    last = torch.full_like(over[0], len(spk) - 1, dtype=torch.int64)
    steps = torch.where(over.any(0), over.int().argmax(0), last)                               # [B]
    return distances[steps, torch.arange(len(steps))].argmin(-1), steps


def _answer(distances, lead, steps=None):
    first, second = distances.topk(2, largest=False).values.unbind(-1)
    over = second - first >= lead
    if steps is None:
        steps = torch.where(over.any(0), over.int().argmax(0), len(distances) - 1)
    return distances[steps, torch.arange(len(steps))].argmin(-1), steps


def forgetful(spk, codewords, lead):
    """Reads the spikes of each step alone."""
    return _answer(hamming_distances(spk, codewords), lead)


def counted(spk, codewords, lead):
    """Lets a second spike count again."""
    spoken = spk.cumsum(0)
    return _answer(spoken.sum(-1, keepdim=True) + codewords.sum(1) - 2 * spoken @ codewords.T, lead)


def strictly(spk, codewords, lead):
    """Asks for more than the lead."""
    return answer_early(spk, codewords, lead + 1)


def counted_from_one(spk, codewords, lead):
    """The first step is 1."""
    classes, steps = answer_early(spk, codewords, lead)
    return classes, steps + 1


def never_at_once(spk, codewords, lead):
    """Where nobody leads, argmax of nothing but False is 0."""
    distances = hamming_distances(has_fired(spk), codewords)
    first, second = distances.topk(2, largest=False).values.unbind(-1)
    return _answer(distances, lead, (second - first >= lead).int().argmax(0))


def last_word(spk, codewords, lead):
    """Stops in time, and answers from the last step."""
    distances = hamming_distances(has_fired(spk), codewords)
    return distances[-1].argmin(-1), answer_early(spk, codewords, lead)[1]


def farthest(spk, codewords, lead):
    """Names the word that differs most."""
    distances = hamming_distances(has_fired(spk), codewords)
    steps = answer_early(spk, codewords, lead)[1]
    return distances[steps, torch.arange(len(steps))].argmax(-1), steps


def votes(spk, codewords, lead):
    """Counts the ones that are set, and forgives spikes in zeros."""
    return _answer(-(has_fired(spk) @ codewords.T), lead)


def steps_first(spk, codewords, lead):
    """The right two, in the other order."""
    return answer_early(spk, codewords, lead)[::-1]


def everything(spk, codewords, lead):
    """Waits for the end."""
    distances = hamming_distances(has_fired(spk), codewords)
    steps = torch.full((spk.shape[1],), len(spk) - 1)
    return _answer(distances, lead, steps)


# 24.8: strangers

def caught(known, unknown, allowed):
    best = 0.0
    for threshold in torch.cat([known, unknown]).unique():
        if (known >= threshold).double().mean() <= allowed:
            best = max(best, (unknown >= threshold).double().mean().item())
    return best


def over_the_quantile_of_strangers(known, unknown, allowed):
    """Sets the threshold by the strangers, which nobody has."""
    return caught_at(unknown, known, allowed)


def quantile(known, unknown, allowed):
    """Takes a quantile of the known, and forgets that scores tie."""
    threshold = known.sort().values[int((1 - allowed) * len(known))]
    return (unknown >= threshold).double().mean().item()


def first_from_above(known, unknown, allowed):
    """Stops at the first threshold that is allowed."""
    return (unknown >= torch.cat([known, unknown]).max()).double().mean().item()


def missed(known, unknown, allowed):
    """The share that slips through."""
    return 1 - caught_at(known, unknown, allowed)


def all_together(known, unknown, allowed):
    """Lets the alarms be a share of all samples."""
    threshold = torch.cat([known, unknown]).quantile(1 - allowed)
    return (unknown > threshold).double().mean().item()


def above_the_mean(known, unknown, allowed):
    """A threshold that knows nothing of alarms."""
    return (unknown > known.mean()).double().mean().item()


def counted_strangers(known, unknown, allowed):
    """A number of strangers, not a share."""
    return caught_at(known, unknown, allowed) * len(unknown)
