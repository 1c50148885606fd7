"""Truncated backpropagation through time as a stream needs it: a window of steps that slides."""
from collections import deque

import torch

from ...bptt import Weights
from ...surrogate import atan


def sliding(x, weights, target, window=20, beta=0.9, beta_out=0.8, surrogate=atan()):
    """The gradient of the last `window` steps before each error, in a stream: they alone are kept, and walked back each time.

    A step that leaves the window gives its weights what all errors have told it: the gradient of `windowed`, in one pass.
    """
    grads = Weights(*(torch.zeros_like(weight) for weight in weights))
    mem = spk = x.new_zeros(x.shape[1], len(weights.hidden))                               # [B, H]
    out, kept = torch.zeros_like(target), deque()
    for x_t in [*x, *[None] * window]:                                                     # at the end the window runs empty
        if len(kept) == window or x_t is None and kept:
            sent, before, after, _, blame, blame_out = kept.popleft()
            for grad, told, source in zip(grads, (blame, blame, blame_out), (sent, before, after), strict=True):
                grad.addmm_(told.T, source)
        if x_t is None:
            continue
        before, mem = spk, beta * mem + x_t @ weights.hidden.T + spk @ weights.recurrent.T - spk
        spk = (mem > 1).to(mem.dtype)
        out = beta_out * out + spk @ weights.output.T
        kept.append((x_t, before, spk, surrogate(mem - 1), torch.zeros_like(mem), torch.zeros_like(out)))
        d_out, d_mem = out - target, torch.zeros_like(mem)
        for *_, slope, blame, blame_out in reversed(kept):
            d_mem = slope * (d_out @ weights.output + d_mem @ weights.recurrent) + beta * d_mem
            blame += d_mem
            blame_out += d_out
            d_out = beta_out * d_out
    return grads
