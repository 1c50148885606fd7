"""Right and wrong answers to the exercises of notebook 08, as functions."""
import math

import torch


def membrane_gradient(d_spk, h, beta):
    d_mem, later = torch.zeros_like(d_spk), 0.0                       # [T] each
    for t in reversed(range(len(d_spk))):
        later = h[t] * d_spk[t] + beta * later
        d_mem[t] = later
    return d_mem


def as_printed(d_spk, h, beta):
    d_mem, later = torch.zeros_like(d_spk), 0.0
    for t in reversed(range(len(d_spk))):
        later = h[t] * (d_spk[t] + beta * later)
        d_mem[t] = later
    return d_mem


def without_leak(d_spk, h, beta):
    return membrane_gradient(d_spk, h, 1.0)


def forwards(d_spk, h, beta):
    return membrane_gradient(d_spk.flip(0), h.flip(0), beta).flip(0)


def leak_on_everything(d_spk, h, beta):
    d_mem, later = torch.zeros_like(d_spk), 0.0
    for t in reversed(range(len(d_spk))):
        later = beta * (h[t] * d_spk[t] + later)
        d_mem[t] = later
    return d_mem


def spike_handed_on(d_spk, h, beta):
    after = torch.cat([d_spk[1:], torch.zeros(1)])
    return h * d_spk + beta * after


def immediate_only(d_spk, h, beta):
    return h * d_spk


def layer_gradient(d_spk, h, V, alpha, beta):
    d_syn, d_mem, d_cur = torch.zeros_like(d_spk), torch.zeros_like(d_spk[0]), torch.zeros_like(d_spk[0])
    for t in reversed(range(len(d_spk))):
        into_spk = d_spk[t] + d_cur @ V - d_mem                        # d_cur, d_mem: of step t+1 still, [B, H]
        d_mem = h[t] * into_spk + beta * d_mem
        d_cur = d_mem + alpha * d_cur
        d_syn[t] = d_cur
    return d_syn


def layer_variant(into_spk):
    """`layer_gradient` with another sum of what comes back into the spike."""
    def gradient(d_spk, h, V, alpha, beta):
        d_syn, d_mem, d_cur = torch.zeros_like(d_spk), torch.zeros_like(d_spk[0]), torch.zeros_like(d_spk[0])
        for t in reversed(range(len(d_spk))):
            d_mem = h[t] * into_spk(d_spk[t], d_cur, d_mem, V) + beta * d_mem
            d_syn[t] = d_cur = d_mem + alpha * d_cur
        return d_syn

    return gradient


layer_detached = layer_variant(lambda d_spk, d_cur, d_mem, V: d_spk + d_cur @ V)


def layer_step(step):
    """`layer_gradient` with another way from the spike to potential and current."""
    def gradient(d_spk, h, V, alpha, beta):
        d_syn, d_mem, d_cur = torch.zeros_like(d_spk), torch.zeros_like(d_spk[0]), torch.zeros_like(d_spk[0])
        for t in reversed(range(len(d_spk))):
            d_mem, d_cur = step(h[t], d_spk[t] + d_cur @ V - d_mem, beta * d_mem, alpha * d_cur)
            d_syn[t] = d_cur
        return d_syn

    return gradient


def potential_instead(d_spk, h, V, alpha, beta):
    d_syn, later = layer_gradient(d_spk, h, V, alpha, beta), torch.zeros_like(d_spk)
    later[:-1] = d_syn[1:]
    return d_syn - alpha * later


def layer_forwards(d_spk, h, V, alpha, beta):
    return layer_gradient(d_spk.flip(0), h.flip(0), V, alpha, beta).flip(0)


def window_for(beta, share):
    return math.ceil(math.log(1 - share) / math.log(beta))


def rounded_down(beta, share):
    return math.floor(math.log(1 - share) / math.log(beta))


def rounded(beta, share):
    return round(math.log(1 - share) / math.log(beta))


def weakest_alone(beta, share):
    return math.ceil(math.log(share) / math.log(beta))


def time_constant(beta, share):
    return math.ceil(-1 / math.log(beta))


def log_of_ten(beta, share):
    return math.ceil(-math.log10(1 - share) / -math.log(beta))


def drawn(seed, *shapes):
    random = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=random) for shape in shapes]


def layer_case(seed, alpha, beta):
    d_spk, mem, V = drawn(seed, (4, 2, 3), (4, 2, 3), (3, 3))
    return d_spk, 1 / (1 + mem**2), V, alpha, beta
