"""One network under every objective of notebook 06: accuracy, spikes, time to decision, gradient norms, and counterfactuals.

784-100-10, spiking read-out, 20 steps of constant current, AdamW. All choices were made on 1000 images held out of the 5000
for training: the learning rate of each objective (rows "held out", four rates, three seeds; `RATES`), the targets of the
squared losses and the epochs (seed 0). Then each network is trained on all 5000 and measured once on the 10,000 test images.
A counterfactual has the learning rate of the objective that it varies.
"""
from functools import cache, partial

import torch
from torch.nn.functional import cross_entropy

from ...data import flat, mnist5k
from ...decoding import decide, latency_scores
from ...losses import (
    ce_count_loss,
    ce_expected_spike_time_loss,
    ce_max_membrane_loss,
    ce_membrane_loss,
    ce_spike_time_loss,
    ce_step_loss,
    mse_count_loss,
    mse_membrane_loss,
    mse_relative_spike_time_loss,
    mse_spike_time_loss,
    pool_population,
    spike_times,
    wanted_membranes,
    wanted_spike_times,
)
from ...networks import Record, SpikingMLP, direct_current
from ...scores import balanced_weights, class_scores, confusion, most_active
from ...training import accuracy, fit, predict
from ..kinds import AMOUNT, SHARE

SEEDS = (0, 1, 2)
TOLERANCE = 0.05
QUANTITIES = {"*: * spikes": AMOUNT, "*: decision": AMOUNT, "*: * norm*": AMOUNT, "*: last loss": AMOUNT, "*": SHARE}
STEPS, EARLY = 20, 5
TRIED = (1e-3, 3e-3, 1e-2, 3e-2)                       # learning rates


@cache
def _images():
    data = mnist5k()
    return flat(data.train_images), data.train_labels, flat(data.test_images), data.test_labels


def most(value):
    """Name the class of the largest value, [T, B, C] -> [T, B]; -1 where all are equal, before anything has happened."""
    return torch.where((value == value[..., :1]).all(2), -1, value.argmax(2))


def by_count(record):
    """The class with most spikes so far, at every step, [T, B]."""
    return most(record.spk.cumsum(0))


def by_maximum(record):
    """The class with the highest membrane so far."""
    return most(record.mem.cummax(0).values)


def by_sum(record):
    """The class with the highest membranes so far, added up."""
    return most(record.mem.cumsum(0))


def by_first_spike(record):
    """The class that fired first; -1 before anybody has, and at the last step the highest membrane where nobody has."""
    named = decide(latency_scores(record.spk, mem=record.mem))[0].expand(len(record.mem), -1)
    fired = record.spk.cumsum(0).any(2)
    return torch.where(fired | (torch.arange(len(fired)) == len(fired) - 1)[:, None], named, -1)


def early(record, target, **wanted):
    """Squared error of the membranes in the first steps, none asked for afterwards."""
    return mse_membrane_loss(record.mem[:EARLY], wanted_membranes(target, EARLY, record.mem.shape[2], **wanted))


OBJECTIVES = {                                         # loss of (last record, target), and how the answer is read
    "count, CE": (lambda record, y: ce_count_loss(record.spk, y), by_count),
    "step, CE": (lambda record, y: ce_step_loss(record.spk, y), by_count),
    "count, MSE": (lambda record, y: mse_count_loss(record.spk, y), by_count),
    "highest membrane, CE": (lambda record, y: ce_max_membrane_loss(record.mem, y), by_maximum),
    "summed membrane, CE": (lambda record, y: ce_membrane_loss(record.mem, y), by_sum),
    "membrane, MSE": (lambda record, y: mse_membrane_loss(record.mem, wanted_membranes(y, STEPS, 10)), by_sum),
    "spike time, CE": (lambda record, y: ce_spike_time_loss(record.spk, y), by_first_spike),
    "1 / spike time, CE": (lambda record, y: ce_spike_time_loss(record.spk, y, inverse="reciprocal"), by_first_spike),
    "spike time, MSE": (lambda record, y: mse_spike_time_loss(record.spk, wanted_spike_times(y, 10, 0, STEPS)), by_first_spike),
    "relative spike time, MSE": (lambda record, y: mse_relative_spike_time_loss(record.spk, y, 2, 10), by_first_spike),
    "early membrane, MSE": (early, by_first_spike),
    "expected spike time, CE": (lambda record, y: ce_expected_spike_time_loss(record.mem, y), by_first_spike),
}
RATES = dict.fromkeys(OBJECTIVES, 3e-3) | dict.fromkeys(
    ("step, CE", "highest membrane, CE", "summed membrane, CE", "membrane, MSE", "relative spike time, MSE"), 1e-2)


def network(seed, outputs=10):
    """784-100-10 with spiking neurons in both layers, at its random start."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return SpikingMLP((784, 100, outputs))


def train(net, loss, seed, learning_rate, data=None, num_steps=STEPS):
    """Train by the recipe of notebook 06: six epochs of AdamW, batches of 128; `loss` takes the last record and the target."""
    inputs, targets = _images()[:2] if data is None else data
    return fit(net, inputs, targets, loss=lambda records, y: loss(records[-1], y), epochs=6, batch_size=128,
               learning_rate=learning_rate, encode=lambda x: direct_current(x, num_steps), seed=seed)


def gradient_norm(net, loss):
    """The length of the gradient of all weights on the first 500 training images."""
    inputs, targets = _images()[:2]
    parameters = list(net.parameters())
    value = loss(net(direct_current(inputs[:500], STEPS))[-1], targets[:500])
    gradients = torch.autograd.grad(value, parameters, allow_unused=True)
    return sum(gradient.square().sum() for gradient in gradients if gradient is not None).sqrt().item()


def measure(net, running):
    """Accuracy, spikes an image and steps until the answer stays, on the test images."""
    inputs, targets = _images()[2:]
    right, hidden, own, others, waited = 0, 0.0, 0.0, 0.0, 0.0
    with torch.no_grad():
        for x, y in zip(inputs.split(1000), targets.split(1000)):
            first, last = net(direct_current(x, STEPS))
            answers = running(last)                                                               # [T, B]
            counts = last.spk.sum(0)                                                              # [B, C]
            right += (answers[-1] == y).sum().item()
            hidden += first.spk.sum().item()
            own += counts.gather(1, y[:, None]).sum().item()
            others += counts.sum().item() - counts.gather(1, y[:, None]).sum().item()
            waited += (1 + (answers != answers[-1]).flip(0).cummax(0).values.sum(0)).sum().item()
    samples = len(targets)
    return {"accuracy": right / samples, "hidden spikes": hidden / samples, "own spikes": own / samples,
            "other spikes": others / samples, "decision": waited / samples}


def objective(name, seed):
    """A row: everything about the network under one objective."""
    (loss, running), net = OBJECTIVES[name], network(seed)
    start = gradient_norm(net, loss)
    train(net, loss, seed, RATES[name])
    return {**measure(net, running), "gradient norm at the start": start, "gradient norm at the end": gradient_norm(net, loss)}


def held_out(name, seed):
    """A row: accuracy on 1000 images held out of the training images, for each learning rate."""
    (loss, running), (inputs, targets, _, _), found = OBJECTIVES[name], _images(), {}
    for rate in TRIED:
        net = network(seed)
        train(net, loss, seed, rate, (inputs[:4000], targets[:4000]))
        with torch.no_grad():
            answers = running(net(direct_current(inputs[4000:], STEPS))[-1])[-1]
        found[f"rate {rate:g}"] = (answers == targets[4000:]).double().mean().item()
    return found


def frozen(name, seed):
    """Control, a row: only the read-out learns, the hidden weights stay random."""
    (loss, running), net = OBJECTIVES[name], network(seed)
    net.linears[0].requires_grad_(False)
    train(net, loss, seed, RATES[name])
    return measure(net, running)


def varied(name, loss, seed):
    """A row: an objective with another loss in its place."""
    net = network(seed)
    history = train(net, loss, seed, RATES[name])
    return {**measure(net, OBJECTIVES[name][1]), "last loss": history[-1]["loss"]}


LOGITS = {"count, CE": lambda record: record.spk.sum(0), "1 / spike time, CE": lambda record: 1 / (spike_times(record.spk) + 1),
          "spike time, CE": lambda record: -spike_times(record.spk)}                             # [B, C]


def tempered(name, factor, seed):
    """A row: the logits of an objective, not its loss, times a factor."""
    return varied(name, lambda record, y: cross_entropy(factor * LOGITS[name](record), y), seed)


def step_tempered(factor, seed):
    """A row: the spikes of the step-wise loss count as so many logits."""
    return varied("step, CE", lambda record, y: ce_step_loss(factor * record.spk, y), seed)


def scaled(name, factor, seed):
    """A row: the loss of an objective times a factor."""
    return varied(name, lambda record, y: factor * OBJECTIVES[name][0](record, y), seed)


def late_spikes(seed):
    """A row: the other neurons are asked to fire at the last step instead of never."""
    return varied("spike time, MSE", lambda record, y: mse_spike_time_loss(record.spk, wanted_spike_times(y, 10, 0, STEPS - 1)),
                  seed)


def close_rivals(seed):
    """A row: the other neurons have to be three steps later, not ten."""
    return varied("relative spike time, MSE", lambda record, y: mse_relative_spike_time_loss(record.spk, y, 2, 3), seed)


def windowed(start, end, seed):
    """A row: the class is wanted above the threshold from `start` to `end`, and low before and after; read in that window."""
    def loss(record, y):
        wanted = wanted_membranes(y, STEPS, 10, until=end)
        wanted[:start] = 0.2
        return mse_membrane_loss(record.mem, wanted)

    net = network(seed)
    train(net, loss, seed, RATES["early membrane, MSE"])
    inputs, targets = _images()[2:]
    with torch.no_grad():
        mem = net(direct_current(inputs, STEPS))[-1].mem
    return {"accuracy": (mem[start:end].sum(0).argmax(1) == targets).double().mean().item(),
            "own spikes": (mem.gather(2, targets.expand(STEPS, -1)[..., None]) > 1).sum().item() / len(targets)}


def sharpened(slope, seed):
    """A row: the expected spike time of a sharper, or blunter, sigmoid."""
    return varied("expected spike time, CE", lambda record, y: ce_expected_spike_time_loss(record.mem, y, slope=slope), seed)


def asked(threshold, seed):
    """A row: the membrane at which the objective expects a spike lies above the threshold of the neuron."""
    return varied("expected spike time, CE", lambda record, y: ce_expected_spike_time_loss(record.mem, y, threshold=threshold),
                  seed)


def few_steps(name, num_steps, seed):
    """A row: an objective with fewer time steps."""
    net = network(seed)
    train(net, OBJECTIVES[name][0], seed, RATES[name], num_steps=num_steps)
    read = most_active if name != "summed membrane, CE" else _summed
    return accuracy(net, *_images()[2:], encode=lambda x: direct_current(x, num_steps), read=read)


def _summed(record):
    return record.mem.sum(0).argmax(1)


def population(neurons, seed):
    """A row: cross-entropy of counts in a single step, with a group of neurons for each class."""
    net = network(seed, 10 * neurons)
    train(net, lambda record, y: ce_count_loss(pool_population(record.spk, 10), y), seed, RATES["count, CE"], num_steps=1)
    return accuracy(net, *_images()[2:], encode=lambda x: direct_current(x, 1),
                    read=lambda record: most_active(Record(pool_population(record.spk, 10), record.mem)))


def rare(images, labels, digit=8, share=0.03):
    """Is it an 8? Return images and answers, 0 or 1, with so few eights that they are `share` of all."""
    own, others = (labels == digit).nonzero().flatten(), (labels != digit).nonzero().flatten()
    kept = torch.cat([others, own[:round(len(others) * share / (1 - share))]]).sort().values
    return images[kept], (labels[kept] == digit).long()


def unequal(name, weighted, seed):
    """A row: 784-100-2 asked for a digit that is 3 % of the images, in training and in the test."""
    loss = {"count, CE": lambda record, y, w: ce_count_loss(record.spk, y, class_weights=w),
            "summed membrane, CE": lambda record, y, w: ce_membrane_loss(record.mem, y, class_weights=w)}[name]
    inputs, targets, test_inputs, test_targets = (part for half in (_images()[:2], _images()[2:]) for part in rare(*half))
    weights, net = balanced_weights(targets, 2) if weighted else None, network(seed, 2)
    train(net, lambda record, y: loss(record, y, weights), seed, 3e-3, (inputs, targets))
    read = most_active if name == "count, CE" else _summed
    table = confusion(predict(net, test_inputs, encode=lambda x: direct_current(x, STEPS), read=read), test_targets, 2)
    return {"accuracy": table.diagonal().sum().item() / table.sum().item(),
            "balanced accuracy": class_scores(table)["balanced accuracy"], "found": (table[1, 1] / table[1].sum()).item()}


def single_step(name, rate, seed):
    """Control, a row: one time step at a given learning rate, the same network read by its counts and by its membranes."""
    net = network(seed)
    train(net, OBJECTIVES[name][0], seed, rate, num_steps=1)
    with torch.no_grad():
        last = net(direct_current(_images()[2], 1))[-1]
    right = {"by count": most_active(last), "by membrane": _summed(last)}
    counts = last.spk.sum(0)
    return {**{way: (answers == _images()[3]).double().mean().item() for way, answers in right.items()},
            "tied": ((counts == counts.amax(1, keepdim=True)).sum(1) > 1).double().mean().item()}


def answered(name, change, seed):
    """Control, a row: how many images are read by a spike, how well these are, and how the rest, by its last membranes."""
    loss = OBJECTIVES[name][0] if not change else lambda record, y: ce_expected_spike_time_loss(record.mem, y, **change)
    net = network(seed)
    train(net, loss, seed, RATES[name])
    inputs, targets = _images()[2:]
    with torch.no_grad():
        last = net(direct_current(inputs, STEPS))[-1]
    fired, right = last.spk.sum((0, 2)) > 0, decide(latency_scores(last.spk, mem=last.mem))[0] == targets
    return {"answered": fired.double().mean().item(), "right of the answered": right[fired].double().mean().item()}


def late_steps(factor, seed):
    """A row: the step-wise loss with a factor on its logits, that asks from step `EARLY` on only."""
    return varied("step, CE", lambda record, y: ce_step_loss(factor * record.spk[EARLY:], y), seed)


def rare_spikes(weighted, seed):
    """Control, a row: the spikes of the neuron of the rare class, the mean over all test images and the most for one."""
    inputs, targets, test_inputs, _ = (part for half in (_images()[:2], _images()[2:]) for part in rare(*half))
    weights, net = balanced_weights(targets, 2) if weighted else None, network(seed, 2)
    train(net, lambda record, y: ce_count_loss(record.spk, y, class_weights=weights), seed, 3e-3, (inputs, targets))
    with torch.no_grad():
        counts = net(direct_current(test_inputs, STEPS))[-1].spk[..., 1].sum(0)
    return {"mean spikes": counts.mean().item(), "most spikes": counts.max().item()}


ROWS = {
    **{name: partial(objective, name) for name in OBJECTIVES},
    **{f"{name}, held out": partial(held_out, name) for name in OBJECTIVES},
    **{f"{name}, hidden layer frozen": partial(frozen, name) for name in ("count, CE", "summed membrane, CE", "spike time, CE",
                                                                          "expected spike time, CE")},
    **{f"count, CE, logits x {factor:g}": partial(tempered, "count, CE", factor) for factor in (0.05, 0.25, 4)},
    **{f"1 / spike time, CE, logits x {factor}": partial(tempered, "1 / spike time, CE", factor) for factor in (5, 20)},
    "spike time, CE, logits x 0.05": partial(tempered, "spike time, CE", 0.05),
    **{f"step, CE, logits x {factor}": partial(step_tempered, factor) for factor in (5, 20)},
    **{f"count, CE, loss x {factor:g}": partial(scaled, "count, CE", factor) for factor in (0.01, 100)},
    "spike time, MSE, others late": late_spikes,
    "relative spike time, MSE, margin 3": close_rivals,
    "membrane early, then low": partial(windowed, 0, EARLY),
    "membrane low, then late": partial(windowed, STEPS - EARLY, STEPS),
    **{f"expected spike time, CE, sharpness {slope}": partial(sharpened, slope) for slope in (1, 2, 8, 25)},
    **{f"expected spike time, CE, from {threshold}": partial(asked, threshold) for threshold in (1.5, 2)},
    **{f"{name}, T = {steps}": partial(few_steps, name, steps) for name in ("count, CE", "summed membrane, CE")
       for steps in (1, 2, 5)},
    **{f"T = 1, {neurons} neurons a class": partial(population, neurons) for neurons in (5, 20)},
    **{f"rare, {name}{', weighted' * weighted}": partial(unequal, name, weighted)
       for name in ("count, CE", "summed membrane, CE") for weighted in (False, True)},
    **{f"{name}, T = 1, rate {rate:g}": partial(single_step, name, rate) for name in ("count, CE", "summed membrane, CE")
       for rate in (3e-3, 1e-2)},
    "spike time, CE, answered": partial(answered, "spike time, CE", {}),
    **{f"expected spike time, CE, {way}, answered": partial(answered, "expected spike time, CE", change)
       for way, change in (("as it is", {"slope": 4.0}), ("sharpness 1", {"slope": 1.0}), ("from 2", {"threshold": 2.0}))},
    "step, CE, logits x 20, from step 5": partial(late_steps, 20),
    **{f"rare, count, CE{', weighted' * weighted}, spikes of its neuron": partial(rare_spikes, weighted)
       for weighted in (False, True)},
}
