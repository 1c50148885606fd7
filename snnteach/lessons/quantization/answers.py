"""Answers to the exercises of notebook 20 that are functions: the right one and the wrong ones that people give."""
import torch


def draw(seed, *shape):
    """Weights for a case."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def currents(seed, num_steps, samples, neurons, size):
    """Whole-numbered currents [T, B, N] for a case, of both signs."""
    return (size * (0.2 + draw(seed, num_steps, samples, neurons))).round().long()


def best_scale(weight, codes):
    return (weight * codes).sum() / (codes * codes).sum()


def other_way_round(weight, codes):
    """Fits the codes to the weights."""
    return (weight * codes).sum() / (weight * weight).sum()


def ratio_of_sizes(weight, codes):
    """Makes the mean sizes equal."""
    return weight.abs().sum() / codes.abs().sum()


def ratio_of_lengths(weight, codes):
    """Makes the energies equal."""
    return weight.norm() / codes.norm()


def mean_ratio(weight, codes):
    """Averages w / code where the code is not 0."""
    kept = codes != 0
    return (weight[kept] / codes[kept]).mean()


def largest_weight(weight, codes):
    """The scale of the largest weight."""
    return weight.abs().max() / codes.abs().max()


def squares_forgotten(weight, codes):
    """Divides by the sum of the sizes instead of the squares."""
    return (weight * codes).sum() / codes.abs().sum()


def halved(weight, codes):
    """Keeps the 2 of the derivative on one side only."""
    return 2 * (weight * codes).sum() / (codes * codes).sum()


def by_element(weight, codes):
    """One scale a weight instead of one for all."""
    return weight * codes / (codes * codes).clamp(min=1)


def binarise(weight):
    scale = weight.detach().abs().mean()
    copy = torch.where(weight >= 0, scale, -scale)
    return copy.detach() + (weight - weight.detach())


def dead(weight):
    """The copy without a gradient to the weight, kept in the graph by a product with 0."""
    return torch.where(weight >= 0, 1.0, -1.0) * weight.detach().abs().mean() + 0 * weight


def through_the_scale(weight):
    """Lets the gradient run through the mean as well, and not through the sign."""
    return torch.where(weight >= 0, 1.0, -1.0) * weight.abs().mean()


def through_both(weight):
    """Straight through, and through the mean too."""
    sign = torch.where(weight >= 0, 1.0, -1.0)
    return sign * weight.abs().mean() + (weight - weight.detach())


def no_scale(weight):
    """Ones without a scale."""
    return torch.where(weight >= 0, 1.0, -1.0) + (weight - weight.detach())


def sign_of_zero(weight):
    """torch.sign knows a third level: 0."""
    return weight.detach().sign() * weight.detach().abs().mean() + (weight - weight.detach())


def largest_scale(weight):
    """The largest weight as the scale."""
    return torch.where(weight >= 0, 1.0, -1.0) * weight.detach().abs().max() + (weight - weight.detach())


def root_mean_square(weight):
    """The root mean square as the scale."""
    return torch.where(weight >= 0, 1.0, -1.0) * weight.detach().square().mean().sqrt() + (weight - weight.detach())


def clipped(weight):
    """No gradient where the weight is larger than the scale."""
    scale = weight.detach().abs().mean()
    through = (weight - weight.detach()) * (weight.detach().abs() <= scale)
    return torch.where(weight >= 0, 1.0, -1.0) * scale + through


def integer_layer(current, threshold):
    mem, spk = torch.zeros_like(current[0]), torch.zeros_like(current[0])
    spikes, membranes = [], []
    for now in current:                                        # [B, N], whole numbers
        mem = mem - (mem >> 3) + now - threshold * spk         # no product but with 0 or 1
        spk = (mem > threshold).long()
        spikes.append(spk)
        membranes.append(mem)
    return torch.stack(spikes), torch.stack(membranes)         # [T, B, N] each


def _run(current, threshold, step, fires=None):
    mem, spk, spikes, membranes = torch.zeros_like(current[0]), torch.zeros_like(current[0]), [], []
    for now in current:
        mem = step(mem, now, threshold * spk, spk)
        spk = (mem > threshold if fires is None else fires(mem, threshold)).long()
        spikes.append(spk)
        membranes.append(mem)
    return torch.stack(spikes), torch.stack(membranes)


def product_leak(current, threshold):
    """(7 v) >> 3, the leak of the listing."""
    return _run(current, threshold, lambda mem, now, reset, spk: (7 * mem >> 3) + now - reset)


def truncated_leak(current, threshold):
    """v - v / 8 rounded towards zero, as in C."""
    return _run(current, threshold, lambda mem, now, reset, spk: mem - torch.div(mem, 8, rounding_mode="trunc") + now - reset)


def float_leak(current, threshold):
    """0.875 v in floating point, made whole again."""
    return _run(current, threshold, lambda mem, now, reset, spk: (0.875 * mem).long() + now - reset)


def leaks_late(current, threshold):
    """Leaks what has just arrived, too."""
    def step(mem, now, reset, spk):
        mem = mem + now
        return mem - (mem >> 3) - reset
    return _run(current, threshold, step)


def leaks_reset(current, threshold):
    """Takes the threshold away before the leak."""
    def step(mem, now, reset, spk):
        mem = mem - reset
        return mem - (mem >> 3) + now
    return _run(current, threshold, step)


def reset_to_zero(current, threshold):
    """Sets the membrane to zero after a spike."""
    def step(mem, now, reset, spk):
        mem = mem * (1 - spk)
        return mem - (mem >> 3) + now
    return _run(current, threshold, step)


def never_resets(current, threshold):
    """Forgets the reset."""
    return _run(current, threshold, lambda mem, now, reset, spk: mem - (mem >> 3) + now)


def resets_at_once(current, threshold):
    """Takes the threshold away in the step of the spike, before the membrane is kept."""
    mem, spikes, membranes = torch.zeros_like(current[0]), [], []
    for now in current:
        mem = mem - (mem >> 3) + now
        spk = (mem > threshold).long()
        mem = mem - threshold * spk
        spikes.append(spk)
        membranes.append(mem)
    return torch.stack(spikes), torch.stack(membranes)


def fires_at_threshold(current, threshold):
    """Fires at the threshold, not above it."""
    return _run(current, threshold, lambda mem, now, reset, spk: mem - (mem >> 3) + now - reset,
                lambda mem, threshold: mem >= threshold)


def never_leaks(current, threshold):
    """Forgets the leak."""
    return _run(current, threshold, lambda mem, now, reset, spk: mem + now - reset)


def keeps_an_eighth(current, threshold):
    """Keeps what should be lost."""
    return _run(current, threshold, lambda mem, now, reset, spk: (mem >> 3) + now - reset)


def membranes_first(current, threshold):
    """Membranes and spikes in the wrong order."""
    return integer_layer(current, threshold)[::-1]
