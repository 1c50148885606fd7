"""Right and wrong answers to the exercises of notebook 07, as functions."""
import torch

from ... import surrogate


def weights_that_move(fired, u):
    near = u.abs() < 0.5                                # [N_out], where the boxcar is 1
    return near[:, None] & (fired > 0)[None, :]         # [N_out, N_in]


def only_neurons_that_fired(fired, u):
    return (u > 0)[:, None] & (fired > 0)[None, :]


def whatever_the_input(fired, u):
    return (u.abs() < 0.5)[:, None] & torch.ones_like(fired, dtype=torch.bool)[None, :]


def whatever_the_potential(fired, u):
    return torch.ones_like(u, dtype=torch.bool)[:, None] & (fired > 0)[None, :]


def near_and_fired(fired, u):
    return ((u.abs() < 0.5) & (u > 0))[:, None] & (fired > 0)[None, :]


def unit_fast_sigmoid(u, slope):
    return slope / 2 / (1 + slope * u.abs()) ** 2


def not_scaled(u, slope):
    return 1 / (1 + slope * u.abs()) ** 2


def scaled_by_the_area(u, slope):
    return 2 / slope / (1 + slope * u.abs()) ** 2


def one_side(u, slope):
    return slope / (1 + slope * u.abs()) ** 2


def exponential_backward(grad_spk, mem, threshold, slope):
    return grad_spk * torch.exp(-slope * (mem - threshold).abs())


def no_chain(grad_spk, mem, threshold, slope):
    return torch.exp(-slope * (mem - threshold).abs())


def no_threshold(grad_spk, mem, threshold, slope):
    return grad_spk * torch.exp(-slope * mem.abs())


def no_absolute_value(grad_spk, mem, threshold, slope):
    return grad_spk * torch.exp(-slope * (mem - threshold))


def derivative_of_h(grad_spk, mem, threshold, slope):
    return exponential_backward(grad_spk, mem, threshold, slope) * -slope * (mem - threshold).sign()


def minus_k_times_h(grad_spk, mem, threshold, slope):
    return exponential_backward(grad_spk, mem, threshold, slope) * -slope


def area_of_one(grad_spk, mem, threshold, slope):
    return exponential_backward(grad_spk, mem, threshold, slope) * slope / 2


def of_the_spike(grad_spk, mem, threshold, slope):
    return grad_spk * (mem > threshold) * torch.exp(-slope * (mem - threshold).abs())


def layer_with_tails(current, slope):
    class Tailed(torch.autograd.Function):
        @staticmethod
        def forward(ctx, u):
            ctx.save_for_backward(u)
            return (u > 0).to(u.dtype)

        @staticmethod
        def backward(ctx, grad_spk):
            (u,) = ctx.saved_tensors
            return grad_spk / (2 * slope * u.abs()).clamp(min=1) ** 2

    mem = spk = torch.zeros_like(current[0])            # [B, N]
    record = []
    for x in current:
        mem = 0.9 * mem + x - spk.detach()              # the reset: one step late, out of the gradient
        spk = Tailed.apply(mem - 1)
        record.append((spk, mem))
    spk, mem = zip(*record, strict=True)
    return torch.stack(spk), torch.stack(mem)           # [T, B, N] each


def layer(h, current, *, at=1.0, late=True, detached=True, potential=True):
    mem = spk = torch.zeros_like(current[0])
    record = []
    for x in current:
        mem = 0.9 * mem + x - (late * (spk.detach() if detached else spk))
        spk = surrogate.spike(mem - at, h) if at else surrogate.spike(mem - 1, lambda u: h(u + 1))
        record.append((spk, mem if potential else mem - 1))
        mem = mem if late else mem - spk.detach()
    spk, mem = zip(*record, strict=True)
    return torch.stack(spk), torch.stack(mem)


def tails(slope):
    return lambda u: (2 * slope * u.abs()).clamp(min=1) ** -2


def only_the_box(current, slope):
    return layer(surrogate.boxcar(slope), current)


def through_the_reset(current, slope):
    return layer(tails(slope), current, detached=False)


def reset_at_once(current, slope):
    return layer(tails(slope), current, late=False)


def of_the_potential(current, slope):
    return layer(tails(slope), current, at=0)


def not_squared(current, slope):
    return layer(lambda u: 1 / (2 * slope * u.abs()).clamp(min=1), current)


def without_gradient(current, slope):
    return layer(surrogate.zero(), current)


def u_for_the_potential(current, slope):
    return layer(tails(slope), current, potential=False)


def looks_right(h):
    u = torch.linspace(-3, 3, 601)
    peak = h(torch.zeros(1))
    return bool(peak > 0 and (h(u) >= 0).all() and (h(u) <= peak).all() and torch.allclose(h(u), h(-u), atol=1e-6))


def only_the_peak(h):
    return bool(h(torch.zeros(1)) > 0)


def only_no_sign(h):
    return bool((h(torch.linspace(-3, 3, 601)) >= 0).all())


def one_at_the_peak(h):
    return looks_right(h) and h(torch.zeros(1)).item() == 1


def triangle_of_two_signs(u):
    return torch.where(u >= 0, -1.0, 1.0) * torch.ones_like(u)


def peak_at_rest(u):
    return 1 / (1 + 25 * (u + 1).abs()) ** 2


def tall_triangle(u):
    return 3 * (1 - u.abs()).clamp(min=0)


def left_half(u):
    return (-u).sigmoid()
