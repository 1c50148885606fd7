"""Answers to the exercises of notebook 05 that are functions: the right one and the wrong ones that people give."""
import torch


def volley(seed, num_steps, samples, neurons, rate):
    """Draw spikes [T, B, N] for a case."""
    noise = torch.rand(num_steps, samples, neurons, generator=torch.Generator().manual_seed(seed))
    return (noise < rate).float()


def first_spikes(spk):
    num_steps = len(spk)
    steps = torch.arange(num_steps).view(-1, 1, 1)
    return torch.where(spk > 0, steps, num_steps).amin(0)


def argmax_alone(spk):
    """A silent neuron fires first of all."""
    return spk.argmax(0)


def silent_at_the_end(spk):
    """A silent neuron and one that fires in the last step look the same."""
    return torch.where(spk.any(0), spk.argmax(0), len(spk) - 1)


def last_spikes(spk):
    """The last spike instead of the first."""
    steps = torch.arange(len(spk)).view(-1, 1, 1)
    return torch.where(spk.any(0), torch.where(spk > 0, steps, -1).amax(0), len(spk))


def from_one(spk):
    """Steps counted from 1."""
    return first_spikes(spk) + 1


def never_is_minus_one(spk):
    """Silence as -1, which would win every race."""
    return torch.where(spk.any(0), spk.argmax(0), -1)


def over_the_batch(spk):
    """The earliest spike of the whole batch."""
    return first_spikes(spk).amin(0)


def counts_instead(spk):
    """How often, not when."""
    return spk.sum(0)


def race_to(spk, margin):
    counts = torch.zeros_like(spk[0])                                  # [B, C]
    steps = torch.full((spk.shape[1],), len(spk) - 1)                  # [B]: the last step, unless it is decided before
    classes, running = torch.zeros_like(steps), torch.ones_like(steps).bool()
    for step, fired in enumerate(spk):
        counts = counts + fired
        best, second = counts.topk(2, dim=1).values.unbind(1)          # [B] each
        classes = torch.where(running, counts.argmax(1), classes)      # the leader, as long as the race is on
        over = running & (best - second >= margin)
        steps[over] = step
        running = running & ~over
    return classes, steps


def reaches_instead(spk, margin):
    """The first class that has `margin` spikes, however many the second has."""
    counts = spk.cumsum(0)
    best = counts.amax(2)
    over = best >= margin
    steps = torch.where(over.any(0), over.int().argmax(0), len(spk) - 1)
    return counts[steps, torch.arange(len(steps))].argmax(1), steps


def more_than_margin(spk, margin):
    """Strictly more than the margin."""
    return race_to(spk, margin + 1)


def answers_at_the_end(spk, margin):
    """Stops the clock in time and answers with the counts of the last step."""
    return spk.sum(0).argmax(1), race_to(spk, margin)[1]


def waits_for_all(spk, margin):
    """Stops when the slowest sample of the batch is decided."""
    steps = race_to(spk, margin)[1].max().expand(spk.shape[1])
    return spk.cumsum(0)[steps, torch.arange(len(steps))].argmax(1), steps


def counts_from_one(spk, margin):
    """Steps counted from 1."""
    classes, steps = race_to(spk, margin)
    return classes, steps + 1


def forgets_the_counts(spk, margin):
    """Compares the spikes of each step alone."""
    best, second = spk.topk(2, dim=2).values.unbind(2)
    over = best - second >= margin
    steps = torch.where(over.any(0), over.int().argmax(0), len(spk) - 1)
    return spk[steps, torch.arange(len(steps))].argmax(1), steps


def never_decided_is_zero(spk, margin):
    """A race that nobody wins ends in step 0."""
    classes, steps = race_to(spk, margin)
    best, second = spk.cumsum(0).topk(2, dim=2).values.unbind(2)
    return classes, torch.where((best - second >= margin).any(0), steps, 0)


def steps_first(spk, margin):
    """Steps and classes in the wrong order."""
    return race_to(spk, margin)[::-1]


def goes_on(spk, margin):
    """A later step with such a lead overwrites the first."""
    counts, last = spk.cumsum(0), len(spk) - 1                         # [T, B, C]
    best, second = counts.topk(2, dim=2).values.unbind(2)
    over = best - second >= margin                                     # [T, B]
    steps = torch.where(over.any(0), last - over.flip(0).int().argmax(0), last)
    return counts[steps, torch.arange(len(steps))].argmax(1), steps


def nobody_is_zero(spk, margin):
    """Class 0 for a race that nobody wins."""
    classes, steps = race_to(spk, margin)
    best, second = spk.cumsum(0).topk(2, dim=2).values.unbind(2)
    return torch.where((best - second >= margin).any(0), classes, 0), steps


def obey_dale(weight, num_inhibitory):
    sign = torch.ones(weight.shape[1])
    sign[weight.shape[1] - num_inhibitory:] = -1
    return weight.abs() * sign


def rows_of_receivers(weight, num_inhibitory):
    """Signs the rows: what a neuron hears, and not what it says."""
    sign = torch.ones(weight.shape[0])
    sign[max(0, weight.shape[0] - num_inhibitory):] = -1
    return weight.abs() * sign[:, None]


def clamps(weight, num_inhibitory):
    """Sets the synapses of the wrong sign to zero."""
    split = weight.shape[1] - num_inhibitory
    return torch.cat([weight[:, :split].clamp(min=0), weight[:, split:].clamp(max=0)], 1)


def flips_the_last(weight, num_inhibitory):
    """Turns the sign of the last columns, whatever it was."""
    split = weight.shape[1] - num_inhibitory
    return torch.cat([weight[:, :split], -weight[:, split:]], 1)


def first_inhibit(weight, num_inhibitory):
    """The first neurons inhibit."""
    sign = torch.ones(weight.shape[1])
    sign[:num_inhibitory] = -1
    return weight.abs() * sign


def all_but_them(weight, num_inhibitory):
    """Both signs the wrong way round."""
    return -obey_dale(weight, num_inhibitory)


def minus_nothing(weight, num_inhibitory):
    """Negates the last columns by weight[:, -k:], which are all of them where k is 0."""
    signed = weight.abs()
    signed[:, -num_inhibitory:] *= -1
    return signed


def inhibition_only(weight, num_inhibitory):
    """Signs the last columns and leaves the others mixed."""
    split = weight.shape[1] - num_inhibitory
    return torch.cat([weight[:, :split], -weight[:, split:].abs()], 1)
