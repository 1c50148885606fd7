"""Right and wrong answers to the exercises of notebook 11, as functions."""
import torch

from ...delays import delayed_current, deployed_current


def signal(seed, *shape):
    """Random spikes, 0. or 1., of which a third are 1."""
    return (torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) < 0.3).float()


def membranes(seed, *shape):
    """Random potentials of both signs."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def synapses(seed, hidden, inputs, max_delay):
    """Random weights and delays, [H, C] each."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(hidden, inputs, generator=generator),
            (max_delay - 1) * torch.rand(hidden, inputs, generator=generator))


# 11.8: decays whose half-lives are spread by equal factors

def spread(n, shortest, longest):
    half_lives = shortest * (longest / shortest) ** torch.linspace(0, 1, n)
    return 0.5 ** (1 / half_lives)


def spread_evenly(n, shortest, longest):
    return 0.5 ** (1 / torch.linspace(shortest, longest, n))


def spread_decays_evenly(n, shortest, longest):
    return torch.linspace(0.5 ** (1 / shortest), 0.5 ** (1 / longest), n)


def half_lives_alone(n, shortest, longest):
    return shortest * (longest / shortest) ** torch.linspace(0, 1, n)


def as_time_constants(n, shortest, longest):
    return torch.exp(-1 / half_lives_alone(n, shortest, longest))


def a_power_for_a_root(n, shortest, longest):
    return 0.5 ** half_lives_alone(n, shortest, longest)


def what_leaks(n, shortest, longest):
    return 1 - spread(n, shortest, longest)


def longest_left_out(n, shortest, longest):
    return 0.5 ** (1 / (shortest * (longest / shortest) ** (torch.arange(n) / n)))


def longest_first(n, shortest, longest):
    return spread(n, shortest, longest).flip(0)


# 11.9: the weakest spike that erases a latch

def weakest_pulse(V, beta):
    return (V - 1) / (1 - beta) - 1


def down_to_zero(V, beta):
    return (V - 1) / (1 - beta)


def without_the_reset(V, beta):
    return V / (1 - beta) - 1


def what_it_pays(V, beta):
    return V - 1


def above_the_border(V, beta):
    return V - (2 - beta)


def from_the_threshold(V, beta):
    return V


def by_the_decay(V, beta):
    return (V - 1) / beta - 1


def a_step_later(V, beta):
    return beta * (V - 1) / (1 - beta) - 1


# 11.4: the delays with which spikes meet

def delays_to_meet(steps, meet):
    return meet - steps


def time_itself(steps, meet):
    return steps


def wrong_sign(steps, meet):
    return steps - meet


def after_the_last(steps, meet):
    return steps.max() - steps


def after_the_first(steps, meet):
    return steps - steps.min()


def all_alike(steps, meet):
    return torch.full_like(steps, meet)


# 11.5: the gradient of a delay

def shares_of(delay, sigma, heard):
    k = torch.arange(len(heard), dtype=heard.dtype)
    return k, torch.softmax(-(k - delay) ** 2 / (2 * sigma**2), 0)


def delay_gradient(delay, sigma, heard):
    k = torch.arange(len(heard), dtype=heard.dtype)
    share = torch.softmax(-(k - delay) ** 2 / (2 * sigma**2), 0)
    return (share * (k - (share * k).sum()) / sigma**2 * heard).sum()


def around_the_delay(delay, sigma, heard):
    k, share = shares_of(delay, sigma, heard)
    return (share * (k - delay) / sigma**2 * heard).sum()


def without_width(delay, sigma, heard):
    return delay_gradient(delay, sigma, heard) * sigma**2


def width_not_squared(delay, sigma, heard):
    return delay_gradient(delay, sigma, heard) * sigma


def backwards(delay, sigma, heard):
    return -delay_gradient(delay, sigma, heard)


def forgets_the_spikes(delay, sigma, heard):
    k, share = shares_of(delay, sigma, heard)
    return (share * (k - delay) / sigma**2).sum()


def reading_itself(delay, sigma, heard):
    return (shares_of(delay, sigma, heard)[1] * heard).sum()


# 11.6: a layer of delayed synapses (build)

def delayed(spk, weight, delay, sigma, max_delay):
    k = torch.arange(max_delay, dtype=spk.dtype)
    share = torch.softmax(-(k - delay[..., None]) ** 2 / (2 * sigma**2), -1)                  # [H, C, K]
    current = spk.new_zeros(*spk.shape[:2], len(weight))                                      # [T, B, H]
    for lag in range(min(max_delay, len(spk))):
        past = torch.cat([torch.zeros_like(spk[:lag]), spk[:len(spk) - lag]])                 # spk, lag steps later
        current = current + past @ (weight * share[..., lag]).T
    return current


def not_normalised(spk, weight, delay, sigma, max_delay):
    k = torch.arange(max_delay, dtype=spk.dtype)
    share = torch.exp(-(k - delay[..., None]) ** 2 / (2 * sigma**2))
    current = spk.new_zeros(*spk.shape[:2], len(weight))
    for lag in range(min(max_delay, len(spk))):
        past = torch.cat([torch.zeros_like(spk[:lag]), spk[:len(spk) - lag]])
        current = current + past @ (weight * share[..., lag]).T
    return current


def into_the_future(spk, weight, delay, sigma, max_delay):
    return delayed(spk.flip(0), weight, delay, sigma, max_delay).flip(0)


def rolls_around(spk, weight, delay, sigma, max_delay):
    k = torch.arange(max_delay, dtype=spk.dtype)
    share = torch.softmax(-(k - delay[..., None]) ** 2 / (2 * sigma**2), -1)
    return sum(spk.roll(lag, 0) @ (weight * share[..., lag]).T for lag in range(max_delay))


def rounds_the_delays(spk, weight, delay, sigma, max_delay):
    return deployed_current(spk, weight, delay.round().long())


def no_delays(spk, weight, delay, sigma, max_delay):
    return spk @ weight.T


def one_width(spk, weight, delay, sigma, max_delay):
    return delayed(spk, weight, delay, 1.0, max_delay)


def no_two(spk, weight, delay, sigma, max_delay):
    return delayed(spk, weight, delay, sigma / 2**0.5, max_delay)


def transposed_kernel(spk, weight, delay, sigma, max_delay):
    k = torch.arange(max_delay, dtype=spk.dtype)
    share = torch.softmax(-(k - delay[..., None]) ** 2 / (2 * sigma**2), 0)
    current = spk.new_zeros(*spk.shape[:2], len(weight))
    for lag in range(min(max_delay, len(spk))):
        past = torch.cat([torch.zeros_like(spk[:lag]), spk[:len(spk) - lag]])
        current = current + past @ (weight * share[..., lag]).T
    return current


def one_step_late(spk, weight, delay, sigma, max_delay):
    current = delayed_current(spk, weight, delay, sigma, max_delay)
    return torch.cat([torch.zeros_like(current[:1]), current[:-1]])


def turned_round(spk, weight, delay, sigma, max_delay):
    return delayed(spk, weight, max_delay - 1 - delay, sigma, max_delay)


def lags_from_one(spk, weight, delay, sigma, max_delay):
    k = torch.arange(1, max_delay + 1, dtype=spk.dtype)
    share = torch.softmax(-(k - delay[..., None]) ** 2 / (2 * sigma**2), -1)
    current = spk.new_zeros(*spk.shape[:2], len(weight))
    for lag in range(min(max_delay, len(spk))):
        past = torch.cat([torch.zeros_like(spk[:lag]), spk[:len(spk) - lag]])
        current = current + past @ (weight * share[..., lag]).T
    return current


def no_weights(spk, weight, delay, sigma, max_delay):
    return delayed(spk, torch.ones_like(weight), delay, sigma, max_delay)


# 11.7: a mean that knows where a sequence ends

def mean_before_end(mem, lengths):
    kept = (torch.arange(len(mem))[:, None] < lengths).to(mem.dtype)                          # [T, B]
    return (mem * kept[..., None]).sum(0) / lengths[:, None]


def mean_of_all(mem, lengths):
    return mem.mean(0)


def masked_over_all(mem, lengths):
    return mean_before_end(mem, lengths) * lengths[:, None] / len(mem)


def sum_before_end(mem, lengths):
    return mean_before_end(mem, lengths) * lengths[:, None]


def one_too_many(mem, lengths):
    kept = (torch.arange(len(mem))[:, None] <= lengths).to(mem.dtype)
    return (mem * kept[..., None]).sum(0) / lengths[:, None]


def last_before_end(mem, lengths):
    return mem[lengths - 1, torch.arange(len(lengths))]


def all_over_lengths(mem, lengths):
    return mem.sum(0) / lengths[:, None]


def from_the_end(mem, lengths):
    return mean_before_end(mem.flip(0), lengths)
