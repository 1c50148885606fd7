"""Right and wrong answers to the exercises of notebook 04, as functions."""
import math

import torch


def free_rate(measured, dead_time):
    return measured / (1 - measured * dead_time)


def law_forwards(measured, dead_time):
    return measured / (1 + measured * dead_time)


def to_first_order(measured, dead_time):
    return measured * (1 + measured * dead_time)


def mean_interval(measured, dead_time):
    return 1 / measured - dead_time


def ignored(measured, dead_time):
    return measured


def time_for_share(measured, dead_time):
    return measured / (1 - dead_time)


def faintest(num_steps, tau, threshold):
    return threshold / (1 - math.exp(-num_steps / tau))


def never_late(num_steps, tau, threshold):
    return threshold


def one_step_early(num_steps, tau, threshold):
    return threshold / (1 - math.exp(-(num_steps - 1) / tau))


def wrong_side(num_steps, tau, threshold):
    return threshold * (1 - math.exp(-num_steps / tau))


def what_is_left(num_steps, tau, threshold):
    return threshold / math.exp(-num_steps / tau)


def regular_code(x, num_steps):
    store, spikes = torch.full_like(x, 0.5), []
    for _ in range(num_steps):
        store = store + x
        spk = (store > 1).to(x.dtype)
        store = store - spk
        spikes.append(spk)
    spk = torch.stack(spikes)                                            # [T, ...]
    steps = torch.arange(1, num_steps + 1).view(-1, *[1] * x.dim())      # [T, 1, ...]
    return spk, spk.cumsum(0) / steps


def fired(x, num_steps, *, start=0.5, at=False, empty=False, judged_first=False, pays=1.0):
    store, spikes = torch.full_like(x, start), []
    for _ in range(num_steps):
        before, store = store, store + x
        judged = before if judged_first else store
        spk = ((judged >= 1) if at else (judged > 1)).to(x.dtype)
        store = store * (1 - spk) if empty else store - pays * spk
        spikes.append(spk)
    return torch.stack(spikes)


def read(spk):
    return spk, spk.cumsum(0) / torch.arange(1, len(spk) + 1).view(-1, *[1] * (spk.dim() - 1))


def begins_empty(x, num_steps):
    return read(fired(x, num_steps, start=0.0))


def fires_at_it(x, num_steps):
    return read(fired(x, num_steps, at=True))


def empties(x, num_steps):
    return read(fired(x, num_steps, empty=True))


def never_pays(x, num_steps):
    return read(fired(x, num_steps, pays=0.0))


def judges_first(x, num_steps):
    return read(fired(x, num_steps, judged_first=True))


def pays_a_half(x, num_steps):
    return read(fired(x, num_steps, pays=0.5))


def counts(x, num_steps):
    spk = fired(x, num_steps)
    return spk, spk.cumsum(0)


def of_all_steps(x, num_steps):
    spk = fired(x, num_steps)
    return spk, spk.cumsum(0) / num_steps


def from_step_0(x, num_steps):
    spk = fired(x, num_steps)
    return spk, spk.cumsum(0) / torch.arange(num_steps).view(-1, *[1] * x.dim())


def only_at_the_end(x, num_steps):
    spk = fired(x, num_steps)
    return spk, spk.mean(0).expand_as(spk)


def swapped(x, num_steps):
    return regular_code(x, num_steps)[::-1]


def all_at_the_start(x, num_steps):
    step = torch.arange(num_steps).view(-1, *[1] * x.dim())
    return read((step < (x * num_steps).round()).to(x.dtype))


def grey(seed, *shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))
