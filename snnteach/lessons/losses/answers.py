"""Right and wrong answers to the exercises of notebook 06, as functions."""
import torch
from torch.nn.functional import cross_entropy, logsigmoid, one_hot


def count_gradient(counts, target):
    return (torch.softmax(counts, 1) - one_hot(target, counts.shape[1])) / len(counts)


def not_averaged(counts, target):
    return torch.softmax(counts, 1) - one_hot(target, counts.shape[1])


def uphill(counts, target):
    return -count_gradient(counts, target)


def only_p(counts, target):
    return torch.softmax(counts, 1) / len(counts)


def of_raw_counts(counts, target):
    return (counts - one_hot(target, counts.shape[1])) / len(counts)


def of_squares(counts, target):
    return 2 * of_raw_counts(counts, target)


def over_samples(counts, target):
    return (torch.softmax(counts, 0) - one_hot(target, counts.shape[1])) / len(counts)


def each_by_itself(counts, target):
    return (torch.sigmoid(counts) - one_hot(target, counts.shape[1])) / len(counts)


def over_classes(counts, target):
    return not_averaged(counts, target) / counts.shape[1]


def over_everything(counts, target):
    return not_averaged(counts, target) / counts.numel()


def shares_of_counts(counts, target):
    return (counts / counts.sum(1, keepdim=True) - one_hot(target, counts.shape[1])) / len(counts)


def nth_steps(spk, n):
    return (spk.cumsum(0) < n).sum(0)


def only_the_first(spk, n):
    return (spk.cumsum(0) == 0).sum(0)


def one_too_many(spk, n):
    return (spk.cumsum(0) <= n).sum(0)


def silent_is_zero(spk, n):
    return (spk.cumsum(0) >= n).int().argmax(0)


def silent_is_infinite(spk, n):
    times = nth_steps(spk, n)
    return torch.where(times == len(spk), torch.inf, times)


def silent_is_minus_one(spk, n):
    times = nth_steps(spk, n)
    return torch.where(times == len(spk), -1, times)


def silent_is_last(spk, n):
    return nth_steps(spk, n).clamp(max=len(spk) - 1)


def counted_from_one(spk, n):
    return nth_steps(spk, n) + 1


def from_the_end(spk, n):
    return len(spk) - 1 - nth_steps(spk.flip(0), n)


def silent_steps(spk, n):
    return (spk == 0).sum(0)


def spike_counts(spk, n):
    return spk.sum(0)


def over_neurons(spk, n):
    return (spk.cumsum(2) < n).sum(2)


def over_the_batch(spk, n):
    return (spk.cumsum(1) < n).sum(1)


def ce_expected(mem, target, threshold, slope):
    quiet, expected = torch.ones_like(mem[0]), torch.zeros_like(mem[0])  # [B, C]
    for mem_t in mem:
        chance = torch.sigmoid(slope * (mem_t - threshold))              # h, of a spike in this step
        quiet = quiet * (1 - chance)                                     # P[t], of no spike so far
        expected = expected + quiet
    logits = -expected                                                   # early is large
    return cross_entropy(logits, target)


def late_is_good(mem, target, threshold, slope):
    return cross_entropy(logsigmoid(slope * (threshold - mem)).cumsum(0).exp().sum(0), target)


def no_product(mem, target, threshold, slope):
    return cross_entropy(-torch.sigmoid(slope * (threshold - mem)).sum(0), target)


def only_the_last(mem, target, threshold, slope):
    return cross_entropy(-torch.sigmoid(slope * (threshold - mem)).prod(0), target)


def excludes_now(mem, target, threshold, slope):
    quiet = torch.sigmoid(slope * (threshold - mem)).cumprod(0)
    return cross_entropy(-(1 + quiet[:-1].sum(0)), target)


def forgets_silence(mem, target, threshold, slope):
    quiet = torch.sigmoid(slope * (threshold - mem)).cumprod(0)
    return cross_entropy(len(mem) * quiet[-1] - quiet.sum(0), target)


def reciprocal(mem, target, threshold, slope):
    return cross_entropy(1 / (torch.sigmoid(slope * (threshold - mem)).cumprod(0).sum(0) + 1), target)


def slope_on_mem_only(mem, target, threshold, slope):
    return cross_entropy(-torch.sigmoid(threshold - slope * mem).cumprod(0).sum(0), target)


def upside_down(mem, target, threshold, slope):
    return cross_entropy(-torch.sigmoid(slope * (mem - threshold)).cumprod(0).sum(0), target)


def threshold_of_one(mem, target, threshold, slope):
    return ce_expected(mem, target, 1.0, slope)


def forgets_sharpness(mem, target, threshold, slope):
    return ce_expected(mem, target, threshold, 1.0)


def hard(mem, target, threshold, slope):
    return cross_entropy(-((mem > threshold).cumsum(0) == 0).sum(0).to(mem.dtype), target) + 0 * mem.sum()


def detached(mem, target, threshold, slope):
    quiet = torch.sigmoid(slope * (threshold - mem))
    return cross_entropy(-quiet.cumprod(0).sum(0).detach(), target) + 0 * mem.sum()


def summed(mem, target, threshold, slope):
    return len(target) * ce_expected(mem, target, threshold, slope)


def mean_time(mem, target, threshold, slope):
    return cross_entropy(-logsigmoid(slope * (threshold - mem)).cumsum(0).exp().mean(0), target)


def over_the_wrong_axis(mem, target, threshold, slope):
    times = logsigmoid(slope * (threshold - mem)).cumsum(1).exp().sum(0)
    return cross_entropy(-times, target)
