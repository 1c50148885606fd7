"""Right and wrong answers to the exercises of notebook 09, as functions."""
import torch

from ...neurons import lif
from ...surrogate import atan, spike


def standardise(train, test):
    return (train - train.mean()) / train.std(), (test - train.mean()) / train.std()


def each_its_own(train, test):
    return (train - train.mean()) / train.std(), (test - test.mean()) / test.std()


def both_together(train, test):
    every = torch.cat([train, test])
    return (train - every.mean()) / every.std(), (test - every.mean()) / every.std()


def by_the_variance(train, test):
    return (train - train.mean()) / train.var(), (test - train.mean()) / train.var()


def only_centred(train, test):
    return train - train.mean(), test - train.mean()


def of_numpy(train, test):
    return tuple((pixels - train.mean()) / train.std(unbiased=False) for pixels in (train, test))


def of_each_pixel(train, test):
    return tuple((pixels - train.mean(0)) / train.std(0) for pixels in (train, test))


def only_train(train, test):
    return (train - train.mean()) / train.std(), test


def test_first(train, test):
    return standardise(train, test)[::-1]


def between_0_and_1(train, test):
    low, high = train.min(), train.max()
    return (train - low) / (high - low), (test - low) / (high - low)


def count_accuracy(spk, target):
    return (spk.sum(0).argmax(1) == target).float().mean().item()


def last_step(spk, target):
    return (spk[-1].argmax(1) == target).float().mean().item()


def any_step(spk, target):
    return (spk.argmax(2) == target).float().mean().item()


def over_samples(spk, target):
    return (spk.sum(1).argmax(1) == target[0]).float().mean().item()


def number_right(spk, target):
    return (spk.sum(0).argmax(1) == target).sum().item()


def share_wrong(spk, target):
    return (spk.sum(0).argmax(1) != target).float().mean().item()


def time_first(x):
    return x.transpose(0, 1)


def reshaped(x):
    return x.reshape(x.shape[1], x.shape[0], x.shape[2])


def wrong_axes(x):
    return x.transpose(1, 2)


def reversed(x):
    return x.permute(2, 1, 0)


def step_by_step(x, w1, b1, w2, b2, num_steps):
    current = x @ w1.T + b1                                              # [B, N], the same at every step
    mem = spk = torch.zeros_like(current)
    out, total = 0.0, 0.0
    for _ in range(num_steps):
        mem = 0.9 * mem + current - spk.detach()
        spk = spike(mem - 1, atan())
        out = 0.9 * out + spk @ w2.T + b2                                # [B, C]
        total = total + out
    return total / num_steps


def _by_hand(x, w1, b1, w2, b2, num_steps, *, charge=lambda mem, spk: 0.9 * mem - spk.detach(), kept=0.9, of_step=None,
             fire=lambda u: spike(u, atan()), heard=lambda before, now: now, read=lambda outs: outs.mean(0)):
    """The build with one thing wrong: what membrane and read-out keep, how a neuron fires, and what is heard and returned."""
    current, outs = x @ w1.T + b1, []
    mem = spk = torch.zeros_like(current)
    out = torch.zeros(len(x), len(w2))
    for step in range(num_steps):
        mem = charge(mem, spk) + (current if of_step is None or step == of_step else 0)
        before, spk = spk, fire(mem - 1)
        out = kept * out + heard(before, spk) @ w2.T + b2
        outs.append(out)
    return read(torch.stack(outs))


def learns_through_the_reset(*arguments):
    return _by_hand(*arguments, charge=lambda mem, spk: 0.9 * mem - spk)


def to_zero(*arguments):
    return _by_hand(*arguments, charge=lambda mem, spk: 0.9 * mem * (1 - spk.detach()))


def never_pays(*arguments):
    return _by_hand(*arguments, charge=lambda mem, spk: 0.9 * mem)


def does_not_leak(*arguments):
    return _by_hand(*arguments, charge=lambda mem, spk: mem - spk.detach())


def pays_a_leaked_bill(*arguments):
    return _by_hand(*arguments, charge=lambda mem, spk: 0.9 * (mem - spk.detach()))


def counts(*arguments):
    return _by_hand(*arguments, kept=1.0)


def forgets_the_read_out(*arguments):
    return _by_hand(*arguments, kept=0.0)


def one_pulse(*arguments):
    return _by_hand(*arguments, of_step=0)


def without_a_surrogate(*arguments):
    return _by_hand(*arguments, fire=lambda u: (u > 0).float())


def at_zero(*arguments):
    return _by_hand(*arguments, fire=lambda u: spike(u + 1, atan()))


def last_read_out(x, w1, b1, w2, b2, num_steps):
    before = (num_steps - 1) * step_by_step(x, w1, b1, w2, b2, num_steps - 1) if num_steps > 1 else 0
    return num_steps * step_by_step(x, w1, b1, w2, b2, num_steps) - before


def bias_at_the_end(x, w1, b1, w2, b2, num_steps):
    return step_by_step(x, w1, b1, w2, 0 * b2, num_steps) + b2


def sums_up(*arguments):
    return _by_hand(*arguments, read=lambda outs: outs.sum(0))


def every_step(*arguments):
    return _by_hand(*arguments, read=lambda outs: outs)


def softmax_at_the_end(*arguments):
    return _by_hand(*arguments, read=lambda outs: outs.mean(0).softmax(1))


def softmax_in_each_step(*arguments):
    return _by_hand(*arguments, read=lambda outs: outs.softmax(2).mean(0))


def hears_a_step_late(*arguments):
    return _by_hand(*arguments, heard=lambda before, now: before)


def without_biases(x, w1, b1, w2, b2, num_steps):
    return step_by_step(x, w1, 0 * b1, w2, 0 * b2, num_steps)


def threshold_for(current, rate):
    low, high = 0.0, current.relu().sum(0).max().item()
    for _ in range(40):
        middle = (low + high) / 2
        fires = lif(current, 0.9, threshold=middle)[0].mean() >= rate
        low, high = (middle, high) if fires else (low, middle)
    return low


def _halved(high, fires, halvings=40):
    low = 0.0
    for _ in range(halvings):
        middle = (low + high) / 2
        low, high = (middle, high) if fires(middle) else (low, middle)
    return (low + high) / 2


def _most(current):
    return current.relu().sum(0).max().item()


def other_half(current, rate):
    return _halved(_most(current), lambda theta: lif(current, 0.9, threshold=theta)[0].mean() < rate)


def below_the_largest_current(current, rate):
    return _halved(current.max().item(), lambda theta: lif(current, 0.9, threshold=theta)[0].mean() >= rate)


def below_one(current, rate):
    return _halved(1.0, lambda theta: lif(current, 0.9, threshold=theta)[0].mean() >= rate)


def too_few_halvings(current, rate):
    return _halved(_most(current), lambda theta: lif(current, 0.9, threshold=theta)[0].mean() >= rate, halvings=5)


def all_spikes(current, rate):
    return _halved(_most(current), lambda theta: lif(current, 0.9, threshold=theta)[0].sum() >= rate)


def spikes_of_a_run(current, rate):
    return _halved(_most(current), lambda theta: lif(current, 0.9, threshold=theta)[0].sum(0).mean() >= rate)


def share_that_fires(current, rate):
    return _halved(_most(current), lambda theta: lif(current, 0.9, threshold=theta)[0].amax(0).mean() >= rate)


def potentials_without_a_reset(current, rate):
    return lif(current, 0.9, reset="none")[1].flatten().quantile(1 - rate).item()


def rate_found(current, rate):
    return lif(current, 0.9, threshold=threshold_for(current, rate))[0].mean().item()


def of_the_current(current, rate):
    return current.flatten().quantile(1 - rate).item()
