"""Answers to the exercises of notebook 12 that are functions: the right one and the wrong ones that people give."""
import torch


def case(seed, sizes, samples, percentile):
    """Draw weights, biases and inputs of a small network, and a percentile, for a case."""
    generator = torch.Generator().manual_seed(seed)
    weights = [torch.randn(after, before, generator=generator) for before, after in zip(sizes, sizes[1:])]
    biases = [torch.randn(after, generator=generator) for after in sizes[1:]]
    return weights, biases, torch.rand(samples, sizes[0], generator=generator), percentile


def _scaled(weights, biases, x, percentile, *, scale_of=None, weight_by=None, bias_by=None, last=1.0):
    """The conversion, with one part of it replaced."""
    scale_of = scale_of or (lambda potential, share: torch.quantile(potential.relu().flatten(), share))
    weight_by = weight_by or (lambda before, after: before / after)
    bias_by = bias_by or (lambda before, after: 1 / after)
    before, scaled_weights, scaled_biases = 1.0, [], []
    for number, (weight, bias) in enumerate(zip(weights, biases), 1):
        potential = x @ weight.T + bias
        after = scale_of(potential, percentile / 100) if number < len(weights) or last is None else last
        scaled_weights.append(weight * weight_by(before, after))
        scaled_biases.append(bias * bias_by(before, after))
        before, x = after, potential.relu()
    return scaled_weights, scaled_biases


def converted(weights, biases, x, percentile):
    before, scaled_weights, scaled_biases = 1.0, [], []
    for number, (weight, bias) in enumerate(zip(weights, biases), 1):      # [N_out, N_in], [N_out]
        x = (x @ weight.T + bias).relu()                                   # [B, N_out]: what the ANN's layer does
        after = 1.0                                                        # the read-out does not fire: no scale
        if number < len(weights):
            after = torch.quantile(x.flatten(), percentile / 100)          # a rate of 1 stands for this
        scaled_weights.append(weight * before / after)                     # Eq. 3
        scaled_biases.append(bias / after)
        before = after
    return scaled_weights, scaled_biases


def biases_like_weights(weights, biases, x, percentile):
    """Multiplies biases by the scale of the layer before, too."""
    return _scaled(weights, biases, x, percentile, bias_by=lambda before, after: before / after)


def biases_left(weights, biases, x, percentile):
    """Leaves the biases as they are."""
    return _scaled(weights, biases, x, percentile, bias_by=lambda before, after: 1.0)


def senders_forgotten(weights, biases, x, percentile):
    """Divides by the layer's own scale and forgets that its inputs were divided, too."""
    return _scaled(weights, biases, x, percentile, weight_by=lambda before, after: 1 / after)


def upside_down(weights, biases, x, percentile):
    """Multiplies where it has to divide."""
    return _scaled(weights, biases, x, percentile, weight_by=lambda before, after: after / before)


def readout_scaled(weights, biases, x, percentile):
    """Gives the read-out a scale, too."""
    return _scaled(weights, biases, x, percentile, last=None)


def active_only(weights, biases, x, percentile):
    """Takes the percentile of the units that are active."""
    return _scaled(weights, biases, x, percentile,
                   scale_of=lambda potential, share: torch.quantile(potential[potential > 0], share))


def largest(weights, biases, x, percentile):
    """Takes the largest activation, whatever the percentile."""
    return _scaled(weights, biases, x, percentile, scale_of=lambda potential, share: potential.max())


def not_rectified(weights, biases, x, percentile):
    """Passes the sums on as they are, negative ones too."""
    before, scaled_weights, scaled_biases = 1.0, [], []
    for number, (weight, bias) in enumerate(zip(weights, biases), 1):
        x = x @ weight.T + bias
        after = torch.quantile(x.flatten(), percentile / 100) if number < len(weights) else 1.0
        scaled_weights.append(weight * before / after)
        scaled_biases.append(bias / after)
        before = after
    return scaled_weights, scaled_biases


def measured_without_bias(weights, biases, x, percentile):
    """Runs the ANN without its biases."""
    before, scaled_weights, scaled_biases = 1.0, [], []
    for number, (weight, bias) in enumerate(zip(weights, biases), 1):
        x = (x @ weight.T).relu()
        after = torch.quantile(x.flatten(), percentile / 100) if number < len(weights) else 1.0
        scaled_weights.append(weight * before / after)
        scaled_biases.append(bias / after)
        before = after
    return scaled_weights, scaled_biases


def inputs_scaled(weights, biases, x, percentile):
    """Gives the inputs a scale, too."""
    scaled_weights, scaled_biases = converted(weights, biases, x, percentile)
    return [scaled_weights[0] * torch.quantile(x.flatten(), percentile / 100), *scaled_weights[1:]], scaled_biases


def pairs(weights, biases, x, percentile):
    """Returns one list, of pairs."""
    return list(zip(*converted(weights, biases, x, percentile), strict=True))


def by_neuron(weights, biases, x, percentile):
    """Takes a percentile for each neuron."""
    before, scaled_weights, scaled_biases = torch.ones(x.shape[1]), [], []
    for number, (weight, bias) in enumerate(zip(weights, biases), 1):
        x = (x @ weight.T + bias).relu()
        after = torch.ones(len(bias))
        if number < len(weights):
            after = torch.quantile(x, percentile / 100, dim=0).clamp(min=1e-6)
        scaled_weights.append(weight * before / after[:, None])
        scaled_biases.append(bias / after)
        before = after
    return scaled_weights, scaled_biases


def scaled_on_the_way(weights, biases, x, percentile):
    """Runs the layers on activations that it has divided already."""
    before, scaled_weights, scaled_biases = 1.0, [], []
    for number, (weight, bias) in enumerate(zip(weights, biases), 1):
        x = (x @ weight.T + bias).relu()
        after = torch.quantile(x.flatten(), percentile / 100) if number < len(weights) else torch.tensor(1.0)
        x = x / after
        scaled_weights.append(weight * before / after)
        scaled_biases.append(bias / after)
        before = after
    return scaled_weights, scaled_biases
