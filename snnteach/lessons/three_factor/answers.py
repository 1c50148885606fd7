"""Right and wrong answers to the exercises of notebook 15, as functions."""
import torch

from ...surrogate import atan


def of_numbers(surrogate):
    """Let a surrogate take numbers besides tensors: readers write h(-threshold)."""
    def h(u):
        return surrogate(u) if isinstance(u, torch.Tensor) else surrogate(torch.tensor(float(u))).item()
    return h


def uneven(u):
    return atan()(u + 0.3)


def window_ratio(beta, threshold, h):
    return beta - threshold * h(-threshold)


def learning_step(trace, x, mem, error, beta, threshold, rate):
    trace = beta * trace + x                                        # [I]
    h = (1 - (mem - threshold).abs()).clamp(min=0)                  # [H]
    return trace, -rate * torch.outer(error * h, trace)             # [H, I]


def spikes_only(trace, x, mem, error, beta, threshold, rate):
    trace = beta * trace + x
    return trace, -rate * torch.outer(error * (mem > threshold), trace)


def input_now(trace, x, mem, error, beta, threshold, rate):
    h = (1 - (mem - threshold).abs()).clamp(min=0)
    return beta * trace + x, -rate * torch.outer(error * h, x)


def trace_before(trace, x, mem, error, beta, threshold, rate):
    h = (1 - (mem - threshold).abs()).clamp(min=0)
    return beta * trace + x, -rate * torch.outer(error * h, trace)


def not_clamped(trace, x, mem, error, beta, threshold, rate):
    trace = beta * trace + x
    return trace, -rate * torch.outer(error * (1 - (mem - threshold).abs()), trace)


def expected_change(p, reward_spike, reward_silent, baseline):
    fired = p * (reward_spike - baseline) * (1 - p)                 # fires with probability p: score 1 - p
    silent = (1 - p) * (reward_silent - baseline) * (0 - p)         # stays silent: score -p
    return fired + silent


def reward_update(x, mem, spk, reward, expected, beta, decay, slope, rate):
    seen = torch.zeros_like(x[0])                                   # the trace of each input, [B, I]
    tag = torch.zeros(*spk[0].shape, x.shape[2])                    # the tag of each synapse, [B, H, I]
    for x_t, mem_t, spk_t in zip(x, mem, spk, strict=True):
        seen = beta * seen + x_t
        surprise = slope * (spk_t - torch.sigmoid(slope * (mem_t - 1)))
        tag = decay * tag + surprise[:, :, None] * seen[:, None, :]
    change = rate * ((reward - expected)[:, None, None] * tag).mean(0)
    return change, expected + 0.05 * (reward.mean() - expected)


def but(**twist):
    """The update with one mistake in it: `twist` {name: function} makes other arguments from those that are given."""
    def update(*values):
        given = dict(zip("x mem spk reward expected beta decay slope rate".split(), values, strict=True))
        twisted = reward_update(**given | {name: make(given) for name, make in twist.items()})
        return twisted[0], reward_update(*values)[1]
    return update


DICE = torch.Generator().manual_seed(15)


def trial(steps, batch, neurons, inputs, *constants):
    """A case of the build: random spikes and membranes, rewards of 0 and 1, an expectation, and the constants."""
    def coin(*size):
        return torch.bernoulli(torch.full(size, 0.5), generator=DICE)

    mem = 1 + torch.randn(steps, batch, neurons, generator=DICE) / 2
    return (coin(steps, batch, inputs), mem, coin(steps, batch, neurons), (torch.arange(batch) % 2).float(), torch.tensor(0.3),
            *constants)
