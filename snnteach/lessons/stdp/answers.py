"""Right and wrong answers to the exercises of notebook 14, as functions."""
import math

import torch


def nearest_trace(trace, spk, tau):
    return torch.maximum(trace * math.exp(-1 / tau), spk)


def all_to_all(trace, spk, tau):
    return trace * math.exp(-1 / tau) + spk


def no_decay(trace, spk, tau):
    return torch.maximum(trace, spk)


def linear_decay(trace, spk, tau):
    return torch.maximum(trace * (1 - 1 / tau), spk)


def decay_after(trace, spk, tau):
    return torch.maximum(trace, spk) * math.exp(-1 / tau)


def soft_update(weight, up, down, w_max):
    return weight + up * (w_max - weight) - down * weight


def hard_update(weight, up, down, w_max):
    return (weight + up - down).clamp(0, w_max)


def no_bound(weight, up, down, w_max):
    return weight + up - down


def bound_of_one(weight, up, down, w_max):
    return weight + up * (1 - weight) - down * weight


def only_above(weight, up, down, w_max):
    return weight + up * (w_max - weight) - down


def swapped(weight, up, down, w_max):
    return weight + up * weight - down * (w_max - weight)


def one_factor(weight, up, down, w_max):
    return weight + (up - down) * (w_max - weight)


def both_factors(weight, up, down, w_max):
    return weight + (up - down) * weight * (w_max - weight)


def label_neurons(counts, targets):
    means = [counts[targets == digit].mean(0) for digit in range(10)]       # ten times [N]
    return torch.stack(means).argmax(0)                                     # [N]


def sums(counts, targets):
    return torch.stack([counts[targets == digit].sum(0) for digit in range(10)]).argmax(0)


def best_image(counts, targets):
    return targets[counts.argmax(0)]


def labels_of_images(counts, targets):
    return torch.stack([counts[targets == digit].mean(0) for digit in range(10)]).argmax(1)


def wta_step(spk, mem, trace, weight, threshold):
    mem = 0.99 * mem + weight @ spk                                         # [N]
    trace = 0.98 * trace + spk                                              # [I]: this step included
    excess, winner = (mem - threshold).max(0)
    out = torch.zeros_like(mem)
    if excess > 0:
        out[winner] = 1.0
        row = (weight[winner] + 0.007 * (trace - 0.05)).clamp(min=0)        # the winner alone learns, Eq. 5
        weight = weight.clone()
        weight[winner] = row / row.norm()
        threshold = threshold + 0.07 * out
        mem = torch.zeros_like(mem)                                         # and everybody starts again
    return out, mem, trace, weight, threshold


def keeps_threshold(spk, mem, trace, weight, threshold):
    return *wta_step(spk, mem, trace, weight, threshold)[:4], threshold


def no_budget(spk, mem, trace, weight, threshold):
    out, mem, trace, _, raised = wta_step(spk, mem, trace, weight, threshold)
    row = (weight + 0.007 * (trace - 0.05)).clamp(min=0)
    return out, mem, trace, torch.where(out[:, None] > 0, row, weight), raised


def all_thresholds(spk, mem, trace, weight, threshold):
    out, *others, _ = wta_step(spk, mem, trace, weight, threshold)
    return out, *others, threshold + 0.07 * out.sum()


def winner_alone_starts_again(spk, mem, trace, weight, threshold):
    out, _, *others = wta_step(spk, mem, trace, weight, threshold)
    return out, (0.99 * mem + weight @ spk) * (1 - out), *others


def nobody_starts_again(spk, mem, trace, weight, threshold):
    out, _, *others = wta_step(spk, mem, trace, weight, threshold)
    return out, 0.99 * mem + weight @ spk, *others


def everybody_learns(spk, mem, trace, weight, threshold):
    out, mem, trace, _, raised = wta_step(spk, mem, trace, weight, threshold)
    moved = (weight + 0.007 * out.sum() * (trace - 0.05)).clamp(min=0)
    return out, mem, trace, moved / moved.norm(dim=1, keepdim=True), raised


def learns_without_winning(spk, mem, trace, weight, threshold):
    out, mem, trace, _, raised = wta_step(spk, mem, trace, weight, threshold)
    moved = (weight + 0.007 * (trace - 0.05)).clamp(min=0)
    return out, mem, trace, moved / moved.norm(dim=1, keepdim=True), raised


def all_above_fire(spk, mem, trace, weight, threshold):
    mem, trace = 0.99 * mem + weight @ spk, 0.98 * trace + spk
    out = (mem > threshold).to(mem.dtype)
    row = (weight + 0.007 * (trace - 0.05)).clamp(min=0)
    row = torch.where(out[:, None] > 0, row / row.norm(dim=1, keepdim=True), weight)
    return out, mem * (out.sum() == 0), trace, row, threshold + 0.07 * out


def highest_wins(spk, mem, trace, weight, threshold):
    mem, trace = 0.99 * mem + weight @ spk, 0.98 * trace + spk
    winner, out = mem.argmax(), torch.zeros_like(mem)
    if mem[winner] > threshold[winner]:
        out[winner] = 1.0
        row = (weight + 0.007 * (trace - 0.05)).clamp(min=0)
        weight = torch.where(out[:, None] > 0, row / row.norm(dim=1, keepdim=True), weight)
        threshold, mem = threshold + 0.07 * out, torch.zeros_like(mem)
    return out, mem, trace, weight, threshold


def old_trace(spk, mem, trace, weight, threshold):
    return variant(spk, mem, trace, weight, threshold, learnt=0.98 * trace)


def no_offset(spk, mem, trace, weight, threshold):
    return variant(spk, mem, trace, weight, threshold, offset=0.0)


def learns_spikes(spk, mem, trace, weight, threshold):
    return variant(spk, mem, trace, weight, threshold, learnt=spk)


def below_zero(spk, mem, trace, weight, threshold):
    out, mem, trace, _, raised = wta_step(spk, mem, trace, weight, threshold)
    row = weight + 0.007 * (trace - 0.05)
    return out, mem, trace, torch.where(out[:, None] > 0, row / row.norm(dim=1, keepdim=True), weight), raised


def sums_to_one(spk, mem, trace, weight, threshold):
    return variant(spk, mem, trace, weight, threshold, length=lambda row: row.sum(1, keepdim=True))


def membrane_keeps(spk, mem, trace, weight, threshold):
    return wta_step(spk, mem / 0.99, trace, weight, threshold)


def decays_what_came_in(spk, mem, trace, weight, threshold):
    return wta_step(spk, mem - weight @ spk / 99, trace, weight, threshold)             # 0.99 (mem + weight @ spk)


def trace_keeps(spk, mem, trace, weight, threshold):
    return wta_step(spk, mem, trace / 0.98, weight, threshold)


def winner_subtracts(spk, mem, trace, weight, threshold):
    out, _, *others = wta_step(spk, mem, trace, weight, threshold)
    return out, 0.99 * mem + weight @ spk - out * threshold, *others


def all_subtract(spk, mem, trace, weight, threshold):
    out, _, *others = wta_step(spk, mem, trace, weight, threshold)
    return out, 0.99 * mem + weight @ spk - out.sum() * threshold, *others


def row_stays(spk, mem, trace, weight, threshold):
    out, mem, trace, _, raised = wta_step(spk, mem, trace, weight, threshold)
    return out, mem, trace, weight, raised


def variant(spk, mem, trace, weight, threshold, learnt=None, offset=0.05, length=lambda row: row.norm(dim=1, keepdim=True)):
    out, mem, trace, _, raised = wta_step(spk, mem, trace, weight, threshold)
    row = (weight + 0.007 * ((trace if learnt is None else learnt) - offset)).clamp(min=0)
    return out, mem, trace, torch.where(out[:, None] > 0, row / length(row), weight), raised


def case(level, seed=0):
    """A step of six neurons and eight inputs; the higher the level, the more of them stand above their thresholds."""
    dice = torch.Generator().manual_seed(seed)
    weight, trace = torch.rand(6, 8, generator=dice), 3 * torch.rand(8, generator=dice)
    spk = (torch.rand(8, generator=dice) < 0.5).float()
    weight[:, 0] = trace[0] = spk[0] = 0.0                                  # an input that is silent and not heard
    return (spk, level + 0.5 * torch.rand(6, generator=dice), trace, weight / weight.norm(dim=1, keepdim=True),
            2 + 2 * torch.rand(6, generator=dice))


def library(a_plus, a_minus, tau, write_first=False, turned=False):
    """A hidden rule for exercise 14.9: two trains [T] -> change of the weight, by two traces, right or with one flaw."""
    decay, sign = math.exp(-1 / tau), -1 if turned else 1

    def change(pre, post):
        x = y = total = 0.0
        for pre_t, post_t in zip(pre.tolist(), post.tolist(), strict=True):
            x, y = decay * x, decay * y
            read = (x + pre_t, y + post_t) if write_first else (x, y)
            total += sign * (a_plus * post_t * read[0] - a_minus * pre_t * read[1])
            x, y = x + pre_t, y + post_t
        return total

    return change


def diagnose(change):
    pre, post = torch.zeros(2, 60)
    pre[20], post[30] = 1, 1
    if change(pre, post) < 0:                                               # pre first must strengthen
        return "sign"
    return "order" if change(pre, pre) != 0 else "right"                    # both in one step must do nothing


def looks_at_the_sign_alone(change):
    return "sign" if diagnose(change) == "sign" else "right"


def looks_at_one_step_alone(change):
    one = torch.ones(1)
    return "order" if change(one, one) != 0 else "right"


def counts_the_order_as_a_sign(change):
    return "right" if diagnose(change) == "right" else "sign"


def post_first(change):
    pre, post = torch.zeros(2, 60)
    pre[30], post[20] = 1, 1
    one = torch.ones(1)
    return "sign" if change(pre, post) < 0 else "order" if change(one, one) != 0 else "right"
