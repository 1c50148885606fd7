"""From the spikes of a network to its answer: read-outs, a race, noise on spikes, delays, and weights scaled to data."""
import math

import torch

from ._arguments import (
    check_affordable,
    check_dtype,
    check_finite,
    check_fraction,
    check_generator,
    check_net,
    check_numbers,
    check_option,
    check_signal,
    check_spikes,
    check_that,
    check_whole,
)
from .networks import Record

MEMBRANES = ("sum", "max", "last")


def _check_spoken(owner, name, value, num_classes):
    check_signal(owner, name, value, layout="[T, B, C] (time first)", dims=3,
                 hint=f" One sample: {name}[:, None]; batch-first data: {name}.transpose(0, 1).")
    check_finite(owner, name, value, "Look for it in the input and the weights.", infinity=True)
    if num_classes is not None:
        check_whole(owner, num_classes=num_classes)
        check_that(owner, value.shape[2] % num_classes == 0,
                   f"{name} has {value.shape[2]} neurons, which {num_classes} classes cannot share evenly. Pass a num_classes "
                   "that divides them.")


def _wide_enough(value):
    """Numbers of 16 bits as float32: counts get lost among them."""
    return value.to(torch.promote_types(value.dtype, torch.float32))


def _by_class(value, num_classes):
    """Give each class its neurons, which lie side by side: [..., C P] becomes [..., C, P]."""
    return value.unflatten(-1, (value.shape[-1] if num_classes is None else int(num_classes), -1))


def count_scores(spk, num_classes=None):
    """Score each class by how often its neurons fire: the rate read-out.

    score[b, c] = sum over t and over the neurons i of class c of spk[t, b, i]

    Args:
        spk: output spikes, [T, B, C P].
        num_classes: C where each class has a population of P neurons, side by side; None for one neuron a class.

    Returns:
        Scores, [B, C], float32 at least; `decide` names the largest.

    Raises:
        TypeError: spk not a floating-point tensor.
        ValueError: spk not [T, B, C P], no spikes 0 or 1, neurons that num_classes cannot share evenly.

    Source: Eshraghian et al. (2023), section III-B and appendix B3.

    >>> spk = torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]], [[0.0, 1.0]]])
    >>> count_scores(spk).tolist()
    [[1.0, 2.0]]
    """
    _check_spoken("count_scores", "spk", spk, num_classes)
    check_spikes("count_scores", "spk", spk)
    return _by_class(_wide_enough(spk).sum(0), num_classes).sum(-1)                                   # [B, C]


def first_spikes(spk):
    """Find the step in which each neuron fires first; T stands for a neuron that never does.

    first[b, i] = min { t : spk[t, b, i] = 1 },    or T

    Args:
        spk: spikes, [T, B, N].

    Returns:
        Steps from 0 to T, [B, N], int64.

    Raises:
        TypeError: spk not a floating-point tensor.
        ValueError: spk not [T, B, N], or no spikes 0 or 1.

    Source: Eshraghian et al. (2023), section III-B, the f of the latency code.

    >>> first_spikes(torch.tensor([[[0.0, 0.0]], [[1.0, 0.0]], [[1.0, 0.0]]])).tolist()
    [[1, 3]]
    """
    _check_spoken("first_spikes", "spk", spk, None)
    check_spikes("first_spikes", "spk", spk)
    return torch.where(spk.any(0), spk.argmax(0), len(spk))


def latency_scores(spk, num_classes=None, mem=None):
    """Score each class by its earliest spike: the latency read-out.

    score[b, c] = T - min over the neurons i of class c of first[b, i];    0 for a class that never fires

    Args:
        spk: output spikes, [T, B, C P].
        num_classes: C where each class has P neurons, side by side; None for one neuron a class.
        mem: their membranes, [T, B, C P]: then the one that is higher at the first spike of the sample goes first among classes
            that fire in one step (by less than a step); None leaves ties.

    Returns:
        Scores, [B, C], float32 at least; `decide` names the largest.

    Raises:
        TypeError: spk or mem not a floating-point tensor.
        ValueError: spk not [T, B, C P], no spikes 0 or 1, mem of another shape, neurons that num_classes cannot share evenly.

    Source: Eshraghian et al. (2023), section III-B and appendix B3.

    >>> spk = torch.tensor([[[0.0, 0.0]], [[1.0, 0.0]], [[0.0, 1.0]]])
    >>> latency_scores(spk).tolist()
    [[2.0, 1.0]]
    """
    _check_spoken("latency_scores", "spk", spk, num_classes)
    check_spikes("latency_scores", "spk", spk)
    if mem is not None:
        _check_spoken("latency_scores", "mem", mem, num_classes)
        check_that("latency_scores", mem.shape == spk.shape,
                   f"mem must be {tuple(spk.shape)} like spk, got shape {tuple(mem.shape)}.")
        check_dtype("latency_scores", "mem", mem, "spk", spk)
    first = torch.where(spk.any(0), spk.argmax(0), len(spk))                                   # [B, C P]
    scores = _by_class(len(spk) - first, num_classes).amax(-1).to(_wide_enough(spk).dtype)
    if mem is None:
        return scores
    step = first.amin(1).clamp(max=len(spk) - 1)                                               # [B]: when the first one fires
    height = _by_class(_wide_enough(mem)[step, torch.arange(len(step))], num_classes).amax(-1)        # [B, C]
    rank = height.argsort(1).argsort(1).to(scores.dtype)
    return scores + rank / rank.shape[1]                                                       # from 0 to less than a step


def membrane_scores(mem, num_classes=None, how="sum"):
    """Score each class by the membranes of its neurons: the read-out that needs no spike.

    score[b, c] = sum over i of class c of (sum over t, max over t, or the last of) mem[t, b, i]

    Args:
        mem: membrane potentials of the outputs, [T, B, C P].
        num_classes: C where each class has P neurons, side by side; None for one neuron a class.
        how: "sum", "max" or "last".

    Returns:
        Scores, [B, C], float32 at least; `decide` names the largest.

    Raises:
        TypeError: mem not a floating-point tensor.
        ValueError: mem not [T, B, C P], NaN or infinity in it, how unknown, neurons that num_classes cannot share evenly.

    Source: Eshraghian et al. (2023), Table 2, the logits of the membrane losses.

    >>> membrane_scores(torch.tensor([[[0.5, 0.1]], [[0.2, 0.9]]]), how="last").tolist()
    [[0.20000000298023224, 0.8999999761581421]]
    """
    _check_spoken("membrane_scores", "mem", mem, num_classes)
    check_option("membrane_scores", "how", how, MEMBRANES)
    mem = _wide_enough(mem)
    over_time = mem.sum(0) if how == "sum" else mem.amax(0) if how == "max" else mem[-1]       # [B, C P]
    return _by_class(over_time, num_classes).sum(-1)


def decide(scores):
    """Name the class with the largest score, and say where several share it.

    class[b] = argmax over c of score[b, c];    tied[b] = the largest score stands more than once

    Args:
        scores: [B, C], from one of the read-outs.

    Returns:
        (classes, tied): [B] int64, among equals the lowest number; and [B] bool. A silent network ties everywhere.

    Raises:
        TypeError: scores not a floating-point tensor.
        ValueError: scores not [B, C], NaN in them.

    Source: Eshraghian et al. (2023), appendix B3; `tied` is what an argmax does not say.

    >>> classes, tied = decide(torch.tensor([[0.0, 3.0, 1.0], [0.0, 0.0, 0.0]]))
    >>> classes.tolist(), tied.tolist()
    ([1, 0], [False, True])
    """
    check_signal("decide", "scores", scores, layout="[B, C]", dims=2)
    check_finite("decide", "scores", scores, "Look for it where they were computed.", infinity=True)
    return scores.argmax(1), (scores == scores.amax(1, keepdim=True)).sum(1) > 1


def race(spk, margin=1, num_classes=None):
    """Answer as soon as one class is `margin` spikes ahead of all others.

    step[b] = min { t : largest count up to t - second largest >= margin };    the leader of that step is the answer

    Args:
        spk: output spikes, [T, B, C P].
        margin: spikes by which the winner has to lead, at least 1.
        num_classes: C where each class has P neurons, side by side; None for one neuron a class.

    Returns:
        (classes, steps): [B] int64 each. Where nobody leads by so much, the leader of the last step, and T - 1.

    Raises:
        TypeError: spk not a floating-point tensor.
        ValueError: spk not [T, B, C P], no spikes 0 or 1, margin not a whole number of at least 1, one class alone.

    Source: the race of Gold and Shadlen (2007), doi:10.1146/annurev.neuro.29.051605.113038, with spikes as the evidence.

    >>> spk = torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]], [[0.0, 1.0]], [[0.0, 1.0]]])
    >>> [one.item() for one in race(spk, margin=1)], [one.item() for one in race(spk, margin=2)]
    ([0, 0], [1, 3])
    """
    _check_spoken("race", "spk", spk, num_classes)
    check_spikes("race", "spk", spk)
    check_whole("race", margin=margin)
    counts = _by_class(_wide_enough(spk).cumsum(0), num_classes).sum(-1)                              # [T, B, C]
    check_that("race", counts.shape[2] > 1, "spk has one class, and nobody to lead.")
    best, second = counts.topk(2, dim=2).values.unbind(2)                                      # [T, B] each
    over = best - second >= int(margin)
    steps = torch.where(over.any(0), over.int().argmax(0), len(spk) - 1)
    return counts[steps, torch.arange(len(steps))].argmax(1), steps


def delete_spikes(spk, probability, generator=None):
    """Lose each spike with the same probability, on its own.

    spk'[t, ...] = spk[t, ...] with probability 1 - p, else 0

    Args:
        spk: spikes, [T, ...].
        probability: share of the spikes that is lost, between 0 and 1.
        generator: torch.Generator of the coin; torch's global one by default.

    Returns:
        The spikes that are left, [T, ...].

    Raises:
        TypeError: spk not a floating-point tensor, probability not a number, generator not a torch.Generator.
        ValueError: no spikes 0 or 1, probability outside [0, 1].

    Source: Eshraghian et al. (2023), section III-B, on which code tolerates errors.

    >>> left = delete_spikes(torch.ones(1000, 1), 0.4, torch.Generator().manual_seed(0))
    >>> round(left.mean().item(), 1)
    0.6
    """
    check_signal("delete_spikes", "spk", spk, layout="[T, ...] (time first)")
    check_spikes("delete_spikes", "spk", spk)
    check_fraction("delete_spikes", probability=probability)
    check_generator("delete_spikes", generator)
    return spk * (torch.rand(spk.shape, generator=generator, device=spk.device) >= float(probability))


def jitter_spikes(spk, reach, generator=None):
    """Move each spike by a whole number of steps from -reach to reach, all equally likely.

    A spike that would leave the window stays in its first or last step; spikes of one neuron that meet become one.

    Args:
        spk: spikes, [T, ...].
        reach: steps that a spike moves at most, 0 or more.
        generator: torch.Generator of the moves; torch's global one by default.

    Returns:
        The moved spikes, [T, ...].

    Raises:
        TypeError: spk not a floating-point tensor, generator not a torch.Generator.
        ValueError: no spikes 0 or 1, reach not a whole number from 0.

    Source: the timing noise in Mainen and Sejnowski (1995), doi:10.1126/science.7770778, made uniform.

    >>> moved = jitter_spikes(torch.eye(9)[:, 4:5], 2, torch.Generator().manual_seed(0))
    >>> moved.sum().item(), 2 <= moved.argmax().item() <= 6
    (1.0, True)
    """
    check_signal("jitter_spikes", "spk", spk, layout="[T, ...] (time first)")
    check_spikes("jitter_spikes", "spk", spk)
    check_whole("jitter_spikes", low=0, high=10**6, reach=reach)
    check_generator("jitter_spikes", generator)
    trains = spk.reshape(len(spk), -1)                                                         # [T, N]
    step, train = trains.nonzero(as_tuple=True)
    move = torch.randint(-int(reach), int(reach) + 1, step.shape, generator=generator, device=spk.device)
    moved = torch.zeros_like(trains)
    moved[(step + move).clamp(0, len(spk) - 1), train] = 1
    return moved.view(spk.shape)


def delayed(spk, steps):
    """Let spikes arrive later: silence first, then what was sent `steps` steps ago.

    arrives[t] = spk[t - steps],    and 0 for t < steps

    Args:
        spk: spikes or any signal, [T, ...].
        steps: whole number of steps, 0 or more.

    Returns:
        What arrives within the same T steps, [T, ...]; the last `steps` steps of spk never do.

    Raises:
        TypeError: spk not a floating-point tensor.
        ValueError: steps not a whole number from 0.

    Source: a fixed axonal delay, as in Izhikevich (2006), doi:10.1162/089976606775093882.

    >>> delayed(torch.tensor([1.0, 0.0, 1.0, 1.0]), 1).tolist()
    [0.0, 1.0, 0.0, 1.0]
    """
    check_signal("delayed", "spk", spk, layout="[T, ...] (time first)")
    check_whole("delayed", low=0, steps=steps)
    kept = max(0, len(spk) - int(steps))
    return torch.cat([torch.zeros_like(spk[kept:]), spk[:kept]])


def _check_mlp(owner, net):
    check_net(owner, net)
    check_that(owner, hasattr(net, "linears") and hasattr(net, "neurons"),
               f"net must be a SpikingMLP, such as SpikingMLP((784, 300, 10)), got {type(net).__name__}.", TypeError)


def run_delayed(net, x, delay):
    """Run a network in which every layer hears the layer before it `delay` steps later.

    spk_l = lif(W_l delayed(spk_(l-1)) + b_l)    from the second layer on;    delay 0 is net(x)

    Args:
        net: a `SpikingMLP`.
        x: input, [T, B, N].
        delay: whole number of steps, 0 or more, the same for each layer after the first.

    Returns:
        A list of `Record`, one a layer, as net(x) gives. Without biases layer l (from 0) is that of net(x), l delay steps late.

    Raises:
        TypeError: net not a SpikingMLP, x not a floating-point tensor.
        ValueError: x not [T, B, N] or not of the network's inputs, delay not a whole number from 0.

    Source: Eshraghian et al. (2023), section IV-D, on delays; one for all synapses of a layer here.

    >>> from snnteach.networks import SpikingMLP
    >>> _ = torch.manual_seed(0)
    >>> net, x = SpikingMLP((5, 4, 3), threshold=0.1), torch.rand(6, 2, 5)
    >>> now, late = net(x), run_delayed(net, x, delay=2)
    >>> torch.equal(now[0].spk, late[0].spk)
    True
    """
    _check_mlp("run_delayed", net)
    _check_mlp_input("run_delayed", net, x)
    check_whole("run_delayed", low=0, delay=delay)
    records = []
    for number, neuron in enumerate(net.neurons):
        current = net.linears[number](delayed(records[-1].spk, delay)) if number else net.current(x).expand(len(x), -1, -1)
        records.append(Record(*neuron(current)))
    return records if net.readout == "spike" else [*records[:-1], Record(None, records[-1].mem)]


def _check_mlp_input(owner, net, x):
    check_signal(owner, "x", x, layout="[T, B, N] (time first)", dims=3,
                 hint=" For input that does not change use direct_current(x, num_steps).")
    check_that(owner, x.shape[2] == net.linears[0].in_features,
               f"x must have the network's {net.linears[0].in_features} inputs along its last axis, got shape "
               f"{tuple(x.shape)}.")
    check_dtype(owner, "x", x, "the weights", net.linears[0].weight)
    check_finite(owner, "x", x, "Leave such samples out.", infinity=True)


def weight_gain(mem, threshold=1.0, spread=1.0):
    """Say by which factor weights have to grow for membranes to reach the threshold `spread` standard deviations up.

    gain = threshold / (mean + spread std),    so that gain (mean + spread std) = threshold

    Args:
        mem: membranes of one layer that never resets, [T, B, N]: they are proportional to the weights.
        threshold: firing threshold, positive.
        spread: standard deviations above the mean at which the threshold shall lie; 1 leaves a sixth of a bell curve above.

    Returns:
        The factor, a float.

    Raises:
        TypeError: mem not a floating-point tensor, threshold or spread not a number.
        ValueError: mem not [T, B, N], threshold not positive, mean + spread std not positive (then no gain helps).

    Source: after Rossbroich, Gygax and Zenke (2022), doi:10.1088/2634-4386/ac97bb, with measured moments for computed ones.

    >>> weight_gain(torch.tensor([-0.1, 0.1]).expand(10, 4, 2)).__round__(2)
    9.94
    """
    check_signal("weight_gain", "mem", mem, layout="[T, B, N] (time first)", dims=3)
    check_finite("weight_gain", "mem", mem)
    check_numbers("weight_gain", above=0, threshold=threshold)
    check_numbers("weight_gain", spread=spread)
    top = _reach(mem, float(spread))
    check_that("weight_gain", top > 0, f"no gain makes this layer fire: its mean + spread std is {top:.3g}, not positive. Try "
               "a larger spread or weights with another mean.")
    return float(threshold) / top


def _reach(mem, spread):
    std, mean = torch.std_mean(mem.detach().double())
    return (mean + spread * std).item()


def scale_to_data(net, x, spread=1.0):
    """Scale the weights of each layer, from the first to the last, so that it fires on these data.

    W_l, b_l <- gain_l W_l, gain_l b_l    with gain_l = `weight_gain` of the layer's membranes without resets

    Args:
        net: a `SpikingMLP`, freshly made; changed in place. A read-out that never fires keeps its weights.
        x: input, [T, B, N], a batch or two of the training data.
        spread: standard deviations above the mean membrane at which the threshold shall lie.

    Returns:
        The gains, a list of floats, one a spiking layer.

    Raises:
        TypeError: net not a SpikingMLP, x not a floating-point tensor, spread not a number.
        ValueError: x not [T, B, N] or not of the network's inputs, a layer that no gain makes fire: then nothing has changed.

    Source: as `weight_gain`; layer by layer on data, as Mishkin and Matas (2016), arXiv:1511.06422, do for other networks.

    >>> from snnteach.networks import SpikingMLP
    >>> _ = torch.manual_seed(0)
    >>> net, x = SpikingMLP((20, 50, 50, 10)), torch.rand(10, 30, 20)
    >>> _ = scale_to_data(net, x)
    >>> [0.02 < record.spk.mean().item() < 0.5 for record in net(x)]
    [True, True, True]
    """
    _check_mlp("scale_to_data", net)
    _check_mlp_input("scale_to_data", net, x)
    check_numbers("scale_to_data", spread=spread)
    check_affordable("scale_to_data", "x", *x.shape)
    gains, current = [], net.current(x).expand(len(x), -1, -1)
    with torch.no_grad():
        for number, neuron in enumerate(net.neurons):
            if neuron.threshold == math.inf:
                break
            gains.append(neuron.threshold / _passive_reach(current, neuron, float(spread), number))
            spk, _ = neuron(gains[-1] * current)
            current = net.linears[number + 1](spk) if number + 1 < len(net.neurons) else None
        for layer, gain in zip(net.linears, gains):
            layer.weight *= gain
            layer.bias *= gain
    return gains


def _passive_reach(current, neuron, spread, number):
    mem = torch.zeros_like(current[0])
    history = []
    for now in current:                                                                        # no reset: proportional to W
        mem = neuron.beta * mem + now
        history.append(mem)
    top = _reach(torch.stack(history), spread)
    check_that("scale_to_data", top > 0, f"no gain makes layer {number} (from 0) fire: its mean + spread std is {top:.3g}, not "
               "positive. Try a larger spread, or start from other weights.")
    return top
