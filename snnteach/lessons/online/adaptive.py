"""Adaptive neurons of notebook 16: e-prop for them, how people get it wrong, and what they remember and draw."""
import math

import torch
import torch.nn.functional as F

from ...bptt import random_weights
from ...surrogate import atan
from ..kinds import Misconception


def adaptive_eprop(x, W, W_out, error, beta, beta_out, gamma, rho):
    mem = spk = adapted = filtered = x.new_zeros(x.shape[1], len(W))    # [B, H]
    out = x.new_zeros(x.shape[1], len(W_out))                           # [B, O]
    trace = slow = fast = eligibility = total = total_out = 0
    for t, x_t in enumerate(x):
        adapted = rho * adapted + spk
        mem = beta * mem + x_t @ W.T - spk
        threshold = 1 + gamma * adapted
        h, spk = atan()(mem - threshold), (mem > threshold).to(x.dtype)
        out, filtered = beta_out * out + spk @ W_out.T, beta_out * filtered + spk
        trace = beta * trace + x_t                                      # [B, I]
        slow = rho * slow + fast                                        # [B, H, I]: what adapted owes to W
        fast = h[:, :, None] * (trace[:, None] - gamma * slow)
        eligibility = beta_out * eligibility + fast
        delta = error(out, t)                                           # [B, O]
        total = total + torch.einsum("bh,bhi->hi", delta @ W_out, eligibility)
        total_out = total_out + delta.T @ filtered
    return total, total_out


def adaptive_variant(neuron=lambda gamma: gamma, rule=lambda gamma: gamma, bill=0.0, share=lambda rho: 1.0, late=False,
                     filters=True, traces=True, back=True):
    """Return adaptive_eprop with one thing in it changed."""
    def changed(x, W, W_out, error, beta, beta_out, gamma, rho):
        mem = spk = adapted = filtered = x.new_zeros(x.shape[1], len(W))
        out = x.new_zeros(x.shape[1], len(W_out))
        trace = slow = fast = eligibility = total = total_out = 0
        for t, x_t in enumerate(x):
            mem = beta * mem + x_t @ W.T - spk * (1 + bill * neuron(gamma) * adapted)
            adapted = rho * adapted + share(rho) * spk
            threshold = 1 + neuron(gamma) * adapted
            h, spk = atan()(mem - threshold), (mem > threshold).to(x.dtype)
            out, filtered = beta_out * out + spk @ W_out.T, beta_out * filtered + spk
            trace, before = beta * trace + x_t, slow
            slow = rho * slow + share(rho) * fast
            fast = h[:, :, None] * ((trace if traces else x_t)[:, None] - rule(gamma) * (before if late else slow))
            eligibility = (beta_out if filters else 0.0) * eligibility + fast
            signal = error(out, t) @ (W_out if back else torch.ones_like(W_out))
            total = total + torch.einsum("bh,bhi->hi", signal, eligibility)
            total_out = total_out + error(out, t).T @ (filtered if filters else spk)
        return total, total_out
    return changed


NUMB = adaptive_variant(rule=lambda gamma: 0.0)        # the neurons adapt, and the rule does not know it


def _swapped(*arguments):
    return adaptive_eprop(*arguments)[::-1]


def _averaged(x, *rest):
    total, total_out = adaptive_eprop(x, *rest)
    return total / x.shape[1], total_out / x.shape[1]


MISTAKES = (
    Misconception(adaptive_variant(neuron=lambda gamma: 0.0, rule=lambda gamma: 0.0),
                  "that is a plain neuron: its threshold has to rise by gamma with each spike."),
    Misconception(NUMB,
                  "the neuron adapts, the rule does not know it: the threshold depends on W too, by way of past spikes."),
    Misconception(adaptive_variant(neuron=lambda gamma: 0.0),
                  "the rule adapts, the neuron does not: compare mem with 1 + gamma * adapted."),
    Misconception(adaptive_variant(rule=lambda gamma: -gamma),
                  "the sign: a raised threshold is taken off the potential, so its trace is taken off too."),
    Misconception(adaptive_variant(late=True),
                  "the slow trace is a step late: take up the last step's product first, then subtract it."),
    Misconception(adaptive_variant(share=lambda rho: 1 - rho),
                  "you scaled each spike by 1 - rho. In Eq. 8 a spike lifts the adaptation by 1."),
    Misconception(adaptive_variant(bill=1.0), "a spike costs 1 here, not the raised threshold (Eq. 8)."),
    Misconception(adaptive_variant(filters=False),
                  "the read-out remembers: keep beta_out times the eligibility, and filter the spikes for its own weights."),
    Misconception(adaptive_variant(traces=False), "the slope multiplies the trace of the input line, not its last input."),
    Misconception(adaptive_variant(back=False), "the error reaches a neuron through its weights to the output: @ W_out."),
    Misconception(_averaged, "the loss decides by its error how samples are averaged; the gradient sums over them."),
    Misconception(_swapped, "both are right, in the wrong order: return (of W, of W_out)."),
)


def cues(count, generator, delay=60):
    """A cue of ten steps on one of two groups of four lines, noise on 32 others for 20 + `delay` steps; spikes, and which."""
    label = torch.randint(2, (count,), generator=generator)
    x = torch.rand(20 + delay, count, 40, generator=generator) < 0.05                      # [T, B, I]
    x[:, :, :8] = False
    cue = torch.rand(10, count, 8, generator=generator) < 0.5
    x[:10, :, :8] = cue & (torch.arange(8) // 4 == label[:, None])
    return x.float(), label


def recall(rule=adaptive_eprop, beta=0.9, gamma=0.1, frozen=False, updates=200):
    """A row: 40-30-2, no recurrence, asked in the last five of 80 steps which cue came in the first ten; accuracy."""
    def row(seed):
        generator = torch.Generator().manual_seed(seed)
        weights = random_weights(generator, (40, 30, 2), 0.0, 1.5)[0]._replace(recurrent=None)
        optimiser = torch.optim.Adam([weights.output, *[weights.hidden] * (not frozen)], lr=5e-3)
        for _ in range(updates):
            x, label = cues(20, generator)
            wanted = F.one_hot(label, 2).float()
            def error(out, t, wanted=wanted):
                return (F.softmax(out, 1) - wanted) / 20 if t >= 75 else 0 * out
            grads = rule(x, weights.hidden, weights.output, error, beta, 0.9, gamma, 0.98)
            weights.hidden.grad, weights.output.grad = grads
            optimiser.step()
        x, label = cues(400, generator)
        answers = {}
        def ask(out, t):
            answers[t] = out
            return 0 * out
        rule(x, weights.hidden, weights.output, ask, beta, 0.9, gamma, 0.98)
        return (answers[79].argmax(1) == label).float().mean().item()

    return row


def wave(gamma=0.1, frozen=False, updates=80):
    """A row: 20-100-1, no recurrence, draws one curve of 200 steps on a frozen input; mean squared error after 80 updates."""
    def row(seed):
        generator = torch.Generator().manual_seed(seed)
        x = (torch.rand(200, 1, 20, generator=generator) < 0.05).float()                   # [T, 1, I]
        curve = torch.sin(torch.arange(1, 4) * torch.linspace(0, 2 * math.pi, 200)[:, None]).sum(1)
        target = (curve / curve.std())[:, None, None]
        weights = random_weights(generator, (20, 100, 1), 0.0, 1.3)[0]
        optimiser = torch.optim.Adam([weights.output, *[weights.hidden] * (not frozen)], lr=1e-2)
        drawn = {}
        def error(out, t):
            drawn[t] = out
            return (out - target[t]) / 100
        for _ in range(updates + 1):
            grads = adaptive_eprop(x, weights.hidden, weights.output, error, 0.9, 0.9, gamma, 0.98)
            squared = (torch.stack([*drawn.values()]) - target).square().mean().item()
            weights.hidden.grad, weights.output.grad = grads
            optimiser.step()
        return squared

    return row
