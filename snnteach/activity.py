"""How much a network fires: penalties that steer it, a report that shows it, and thresholds set to a wanted rate."""
import math

import torch

from ._arguments import check_finite, check_net, check_numbers, check_option, check_records, check_signal, check_that
from .neurons import LIF


def _check_layer(owner, spk, name="spk", **prices):
    check_that(owner, spk is not None, f"{name} is None: a membrane read-out fires no spikes. Pass those of another layer.",
               TypeError)
    check_signal(owner, name, spk, layout="[T, B, ...]", min_dims=3, hint=" Pass the spikes of one layer, such as "
                 "records[0].spk.")
    check_finite(owner, name, spk.detach().sum(0, dtype=_wide(spk)))
    check_numbers(owner, low=0, **prices)


def _wide(spk):
    """The type in which spikes are counted: half precision counts to 2048 only, its largest number is 65504."""
    return torch.promote_types(spk.dtype, torch.float32)


def l1_spikes(spk, strength):
    """Charge the same price for every spike.

    R = strength * mean over batch of sum over t and i of spk[t, i]

    Minimum and silent value 0.

    Args:
        spk: spikes of one layer, [T, B, ...].
        strength: price of a spike, at least 0.

    Returns:
        The penalty, a scalar tensor.

    Raises:
        TypeError: spk not a floating-point tensor.
        ValueError: spk not [T, B, ...], T = 0, NaN in spk, strength negative.

    Source: Eshraghian et al. (2023), section III-E and appendix B.

    >>> l1_spikes(torch.ones(10, 4, 3), strength=0.5).item()
    15.0
    """
    _check_layer("l1_spikes", spk, strength=strength)
    return float(strength) * spk.sum(dtype=_wide(spk)) / spk.shape[1]


def upper_population(spk, limit, strength, power=1):
    """Charge a layer for the spikes that it fires beyond a limit, whichever neuron fires them.

    R = strength * mean over batch of [ sum over i of c_i - limit ]_+ ^ power,    c_i = sum over t of spk[t, i]

    Minimum and silent value 0. Above the limit the gradient with respect to each count is
    strength * power * (sum of c - limit)^(power - 1), divided by B.

    Args:
        spk: spikes of one layer, [T, B, ...].
        limit: spikes a sample that cost nothing, at least 0.
        strength: price, at least 0.
        power: 1 or 2.

    Returns:
        The penalty, a scalar tensor.

    Raises:
        TypeError: spk not a floating-point tensor.
        ValueError: spk not [T, B, ...], T = 0, NaN in spk, limit or strength negative, power neither 1 nor 2.

    Source: Eshraghian et al. (2023), section III-E and appendix B.

    >>> upper_population(torch.ones(10, 4, 3), limit=20, strength=0.5).item()
    5.0
    """
    _check_layer("upper_population", spk, limit=limit, strength=strength)
    check_option("upper_population", "power", power, (1, 2))
    counts = spk.sum(0, dtype=_wide(spk)).flatten(1).sum(1)                                              # [B]
    return float(strength) * (counts - float(limit)).relu().pow(int(power)).mean()


def lower_neuron(spk, limit, strength):
    """Charge every neuron that fires less often than a limit, so that none falls out of the learning.

    R = strength / N * mean over batch of sum over i of ([ limit - c_i ]_+)^2,    c_i = sum over t of spk[t, i]

    Minimum 0; silent value strength * limit^2. Below the limit the gradient with respect to c_i is
    -2 strength / N * (limit - c_i), divided by B.

    Args:
        spk: spikes of one layer, [T, B, ...]; N is the number of neurons.
        limit: wanted spikes of each neuron a sample, at least 0.
        strength: price, at least 0.

    Returns:
        The penalty, a scalar tensor.

    Raises:
        TypeError: spk not a floating-point tensor.
        ValueError: spk not [T, B, ...], T = 0, NaN in spk, limit or strength negative.

    Source: Eshraghian et al. (2023), section III-E and appendix B.

    >>> lower_neuron(torch.zeros(10, 4, 3), limit=2, strength=0.5).item()
    2.0
    """
    _check_layer("lower_neuron", spk, limit=limit, strength=strength)
    return float(strength) * (float(limit) - spk.sum(0, dtype=_wide(spk))).relu().square().mean()


def activity_report(records):
    """Tell of every spiking layer how much it fires: the first thing to look at when a network learns nothing.

    spikes = mean over batch of the layer's spikes,    rate = spikes / (T N)

    Args:
        records: what a network returns, one `Record` a layer with spk [T, B, ...]; layers without spikes (None) are left out.

    Returns:
        A list of dicts, one a spiking layer: "layer" (counted from 1), "neurons", "spikes" (a sample), "rate" (a neuron
        and step), "silent" (fraction of neurons that never fired in the batch), "saturated" (fraction that always fired).

    Raises:
        TypeError: spk not a floating-point tensor.
        ValueError: spk not [T, B, ...], empty, NaN in spk.

    Source: Eshraghian et al. (2023), Fig. 9a and the box on varying thresholds (dead neurons).

    >>> from snnteach.networks import Record
    >>> spk = torch.zeros(10, 4, 3); spk[:, :, 0] = 1
    >>> report = activity_report([Record(spk, spk)])
    >>> {name: round(value, 2) for name, value in report[0].items()}
    {'layer': 1, 'neurons': 3, 'spikes': 10.0, 'rate': 0.33, 'silent': 0.67, 'saturated': 0.33}
    """
    check_records("activity_report", records, name="records")
    return [_report(number, record.spk.detach()) for number, record in enumerate(records, 1) if record.spk is not None]


def _report(number, spk):
    _check_layer("activity_report", spk, name="spk in records")
    rates = spk.flatten(2).mean((0, 1), dtype=_wide(spk))                                              # [N]
    return {"layer": number, "neurons": len(rates), "spikes": rates.sum().item() * len(spk), "rate": rates.mean().item(),
            "silent": (rates == 0).double().mean().item(), "saturated": (rates == 1).double().mean().item()}


def calibrate_threshold(net, x, target_rate=0.15):
    """Set the threshold of each layer, from the first to the last, so that it fires at a wanted rate: dead layers wake up.

    threshold: rate(threshold) = target_rate by bisection,    rate = spikes / (T B N)

    Args:
        net: a network whose `LIF` layers were registered in the order in which they run; changed in place.
        x: input of the network, [T, B, ...], a batch or two of the training data.
        target_rate: wanted firing rate a neuron and step, between 0 and 1.

    Returns:
        The new thresholds, one a spiking layer.

    Raises:
        TypeError: target_rate not a number.
        ValueError: target_rate not in (0, 1), no spiking layer, or a layer that no threshold brings to the wanted rate: then
            all thresholds are as they were.

    Source: Eshraghian et al. (2023), box on varying thresholds, made into a procedure.

    >>> from snnteach.networks import SpikingMLP
    >>> _ = torch.manual_seed(0)
    >>> net, x = SpikingMLP((20, 50, 10), threshold=10.0), torch.rand(10, 30, 20)
    >>> _ = calibrate_threshold(net, x)
    >>> [round(row["rate"], 2) for row in activity_report(net(x))]
    [0.15, 0.15]
    """
    check_net("calibrate_threshold", net)
    check_signal("calibrate_threshold", "x", x, layout="[T, B, ...] (time first)", min_dims=2)
    check_finite("calibrate_threshold", "x", x, "Leave such samples out.")
    check_numbers("calibrate_threshold", above=0, high=1, target_rate=target_rate)
    layers = [layer for layer in net.modules() if isinstance(layer, LIF) and layer.threshold != math.inf]
    check_that("calibrate_threshold", layers, "net has no spiking LIF layer.")
    before, found = [layer.threshold for layer in layers], []
    try:
        with torch.no_grad():
            for number, layer in enumerate(layers, 1):
                layer.threshold = _bisect(layer, _current_into(net, layer, x), float(target_rate), number)
                found.append(layer.threshold)
    finally:                                                                    # refused or interrupted: nothing has changed
        for layer, threshold in zip(layers, found if len(found) == len(layers) else before):
            layer.threshold = threshold
    return found


def _current_into(net, layer, x):
    seen = []
    hook = layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    try:
        net(x)
    finally:
        hook.remove()
    return seen[0]


def _bisect(layer, current, target_rate, number):
    def rate(threshold):
        layer.threshold = threshold
        return layer(current)[0].mean(dtype=_wide(current)).item()

    high = current.relu().sum(0, dtype=_wide(current)).max().item()      # at `high` nobody can fire
    low = 1e-6 * high
    if high == 0 or rate(low) < target_rate:
        raise ValueError(f"calibrate_threshold: no threshold brings layer {number} to a rate of {target_rate}; "
                         f"its input current is positive too rarely.")
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if rate(middle) >= target_rate else (low, middle)
    return low
