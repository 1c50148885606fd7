"""Answers to the exercises of notebook 21 that are functions: the right one and the wrong ones that people give."""
import torch


def case(seed, num_steps, samples, sizes, current=False, pruned=0.0):
    """Draw an input [T, B, N], weights and hidden spikes for a case of the counter."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(num_steps, samples, sizes[0], generator=generator)
    x = torch.where(x < 0.5, 0.0, x) if current else (x < 0.3).float()
    weights = [torch.randn(outputs, inputs, generator=generator) for inputs, outputs in zip(sizes, sizes[1:])]
    weights = [weight * (torch.rand(weight.shape, generator=generator) >= pruned) for weight in weights]
    spikes = [(torch.rand(num_steps, samples, size, generator=generator) < 0.2).float() for size in sizes[1:-1]]
    return x, weights, spikes


def count(x, weights, spikes):
    macs = additions = updates = 0
    for weight, fed in zip(weights, [x, *spikes]):                     # weight [N_out, N_in], fed [T, B, N_in]
        fan_out = (weight != 0).float().sum(0)                         # [N_in]: synapses that are left
        each = ((fed != 0).float() @ fan_out).sum().item() / fed.shape[1]
        if ((fed == 0) | (fed == 1)).all():
            additions += each                                          # a spike: fetch the weight and add it
        else:
            macs += each
        updates += len(fed) * len(weight)                              # every neuron, every step
    return macs, additions, updates


def every_synapse(x, weights, spikes):
    """Counts synapses that were pruned away, too."""
    return count(x, [torch.ones_like(weight) for weight in weights], spikes)


def every_input(x, weights, spikes):
    """Skips no zero of the input."""
    return tuple(float(value) for value in _dense(x, weights, spikes))


def _dense(x, weights, spikes):
    macs, additions, _ = count(x, weights, spikes)
    full = [len(x) * int((weight != 0).sum()) for weight in weights]
    real = macs > 0
    return (full[0] if real else 0), sum(full[1:]) + (0 if real else full[0]), len(x) * sum(map(len, weights))


def whole_batch(x, weights, spikes):
    """Sums over the batch instead of averaging."""
    macs, additions, updates = count(x, weights, spikes)
    return macs * x.shape[1], additions * x.shape[1], updates * x.shape[1]


def no_steps(x, weights, spikes):
    """Updates each neuron once, whatever the steps."""
    macs, additions, _ = count(x, weights, spikes)
    return macs, additions, sum(map(len, weights))


def all_additions(x, weights, spikes):
    """Calls a product with a real input an addition."""
    macs, additions, updates = count(x, weights, spikes)
    return 0, macs + additions, updates


def all_products(x, weights, spikes):
    """Calls a spike a product."""
    macs, additions, updates = count(x, weights, spikes)
    return macs + additions, 0, updates


def fan_in_instead(x, weights, spikes):
    """Multiplies spikes by the synapses of the mean receiver, not by those of the sender."""
    macs = additions = updates = 0
    for weight, fed in zip(weights, [x, *spikes]):
        each = (fed != 0).float().sum().item() / fed.shape[1] * (weight != 0).float().sum(1).mean().item()
        real = not ((fed == 0) | (fed == 1)).all()
        macs, additions = macs + real * each, additions + (not real) * each
        updates += len(fed) * len(weight)
    return macs, additions, updates


def spiking_only(x, weights, spikes):
    """Updates the neurons that fire, where all leak."""
    macs, additions, _ = count(x, weights, spikes)
    return macs, additions, sum(spk.sum().item() / x.shape[1] for spk in spikes)


def hidden_only(x, weights, spikes):
    """Forgets that the read-out leaks as well."""
    macs, additions, _ = count(x, weights, spikes)
    return macs, additions, len(x) * sum(map(len, weights[:-1]))


def updates_of_the_batch(x, weights, spikes):
    """Multiplies the updates by the samples."""
    macs, additions, updates = count(x, weights, spikes)
    return macs, additions, updates * x.shape[1]


def mean_over_steps(x, weights, spikes):
    """Averages over the steps, too."""
    macs, additions, updates = count(x, weights, spikes)
    return macs / len(x), additions / len(x), updates


def mask_of(weight, sparsity):
    order = weight.abs().flatten().argsort(stable=True)                # among equals the first go
    mask = torch.ones(weight.numel())
    mask[order[:round(sparsity * weight.numel())]] = 0
    return mask.view_as(weight)


def most_negative(weight, sparsity):
    """Prunes the most negative weights: inhibition, not the small ones."""
    mask = torch.ones(weight.numel())
    mask[weight.flatten().argsort()[:round(sparsity * weight.numel())]] = 0
    return mask.view_as(weight)


def largest_go(weight, sparsity):
    """Prunes the largest."""
    mask = torch.ones(weight.numel())
    mask[weight.abs().flatten().argsort(descending=True)[:round(sparsity * weight.numel())]] = 0
    return mask.view_as(weight)


def keeps_the_share(weight, sparsity):
    """Keeps the share that was to go."""
    return mask_of(weight, 1 - sparsity)


def row_by_row(weight, sparsity):
    """Prunes each row alone."""
    return torch.stack([mask_of(row, sparsity) for row in weight])


def share_of_the_largest(weight, sparsity):
    """Takes a share of the largest weight as the limit, not a share of the weights."""
    return (weight.abs() >= sparsity * weight.abs().max()).float()


def _limit(weight, sparsity):
    """The smallest size that stays."""
    return weight.abs().flatten().sort().values[round(sparsity * weight.numel())]


def equals_stay(weight, sparsity):
    """Keeps all that is as large as the smallest that stays."""
    return (weight.abs() >= _limit(weight, sparsity)).float()


def equals_go(weight, sparsity):
    """Prunes all that is as large as the largest that goes."""
    return (weight.abs() > _limit(weight, sparsity - 1 / weight.numel())).float() if sparsity else torch.ones_like(weight)


def last_equals_go(weight, sparsity):
    """Among equals, prunes the last."""
    return mask_of(weight.flatten().flip(0), sparsity).flip(0).view_as(weight)


def pruned_weight(weight, sparsity):
    """Returns the weights, not the mask."""
    return weight * mask_of(weight, sparsity)


def neuron_numbers(seed, size):
    """Draw an input [T, B, N] and the numbers of a NIR neuron for a case."""
    generator = torch.Generator().manual_seed(seed)
    x = 0.4 * torch.rand(30, 3, size, generator=generator, dtype=torch.float64)
    tau = 1e-3 * (2 + 8 * torch.rand(size, generator=generator, dtype=torch.float64))
    return x, tau, tau / 1e-3, 0.5 + torch.rand(size, generator=generator, dtype=torch.float64), 1e-3


def read_lif(x, tau, r, v_threshold, dt):
    v, spikes = torch.zeros_like(x[0]), []
    for now in x:                                                      # now [B, N]
        v = v + dt / tau * (r * now - v)                               # an Euler step of tau dv/dt = -v + r x
        spk = (v > v_threshold).to(x.dtype)
        v = v * (1 - spk)                                              # reset to zero
        spikes.append(spk)
    return torch.stack(spikes)


def late_spike(x, tau, r, v_threshold, dt):
    """Compares before the Euler step."""
    v, spikes = torch.zeros_like(x[0]), []
    for now in x:
        spk = (v > v_threshold).to(x.dtype)
        v = v * (1 - spk)
        v = v + dt / tau * (r * now - v)
        spikes.append(spk)
    return torch.stack(spikes)


def exponential(x, tau, r, v_threshold, dt):
    """Decays by exp(-dt / tau), where the file was written for Euler's step."""
    v, spikes = torch.zeros_like(x[0]), []
    for now in x:
        v = torch.exp(-dt / tau) * v + dt / tau * r * now
        spk = (v > v_threshold).to(x.dtype)
        v = v * (1 - spk)
        spikes.append(spk)
    return torch.stack(spikes)


def subtracts(x, tau, r, v_threshold, dt):
    """Resets by subtraction, which NIR does not know."""
    v, spikes = torch.zeros_like(x[0]), []
    for now in x:
        v = v + dt / tau * (r * now - v)
        spk = (v > v_threshold).to(x.dtype)
        v = v - v_threshold * spk
        spikes.append(spk)
    return torch.stack(spikes)


def r_forgotten(x, tau, r, v_threshold, dt):
    """Leaves the resistance out."""
    return read_lif(x, tau, torch.ones_like(r), v_threshold, dt)


def never_reset(x, tau, r, v_threshold, dt):
    """Fires and goes on."""
    v, spikes = torch.zeros_like(x[0]), []
    for now in x:
        v = v + dt / tau * (r * now - v)
        spikes.append((v > v_threshold).to(x.dtype))
    return torch.stack(spikes)


def input_not_scaled(x, tau, r, v_threshold, dt):
    """Adds r times the input without dt / tau."""
    v, spikes = torch.zeros_like(x[0]), []
    for now in x:
        v = v - dt / tau * v + r * now
        spk = (v > v_threshold).to(x.dtype)
        v = v * (1 - spk)
        spikes.append(spk)
    return torch.stack(spikes)
