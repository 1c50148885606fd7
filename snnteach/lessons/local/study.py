"""The long runs of notebook 17: six rules at four depths, what turns random feedback, frozen layers, trying, two passes.

Networks of LIF neurons (beta 0.9, ten steps of constant current) are trained with Adam at a rate of 2e-3 in batches of 128,
five epochs where nothing else is said. Nothing was chosen by the test images (10,000 of MNIST, or 360 of the small digits) but
sharpness, level and label strength of forward-forward: the best of four settings on 2000 of them, which favours it.
"""
from functools import cache, partial

import torch
from torch.nn.functional import cross_entropy

from ...data import digits, flat, mnist5k
from ...forward_forward import label_goodness, train_forward_forward
from ...local import angles, class_error, draw_feedback, draw_layers, local_gradients, run_layers, train_layers
from ...networks import direct_current
from ...neurons import lif
from ...perturbation import node_perturbation, weight_perturbation
from ..kinds import AMOUNT, SHARE, Quantity

SEEDS = (0, 1, 2)
TOLERANCE = 0.04
ANGLE = Quantity(0, 180)
QUANTITIES = {"*angle*": ANGLE, "*: size": AMOUNT, "*": SHARE}
STEPS, BETA, WIDTH, EPOCHS, RATE = 10, 0.9, 100, 5, 2e-3


@cache
def images(name="mnist"):
    """Training inputs and labels, test inputs and labels; standardised by the training images."""
    data = mnist5k() if name == "mnist" else digits()
    train, test = flat(data.train_images), flat(data.test_images)
    mean, std = train.mean(), train.std()
    return (train - mean) / std, data.train_labels, (test - mean) / std, data.test_labels


def share(votes, labels):
    """How many of the answers are right."""
    return (votes.argmax(1) == labels).double().mean().item()


def accuracy(weights, name="mnist"):
    """The share of the test images that a network names rightly."""
    test, labels = images(name)[2:]
    return share(torch.cat([run_layers(direct_current(x, STEPS), weights).votes for x in test.split(2000)]), labels)


def against_backprop(rule, weights, feedback, name="mnist"):
    """The angle of each hidden layer's change to the gradient, on 500 training images, in degrees."""
    inputs, targets = (part[:500] for part in images(name)[:2])
    layers = run_layers(direct_current(inputs, STEPS), weights)
    found, exact = (local_gradients(each, layers, targets, weights, feedback) for each in (rule, "backprop"))
    return angles(found[:-1], exact[:-1])


def start(rule, sizes, seed, readout=1.0):
    """Weights, feedback, and the generator that drew them and will order the samples."""
    generator = torch.Generator().manual_seed(seed)
    weights = draw_layers(sizes, generator, readout=readout)
    return weights, draw_feedback(rule, weights, generator), generator


def depth(hidden, rule, seed):
    """A row: `hidden` layers of 100 neurons under one rule, and the angles of its changes, epoch by epoch."""
    weights, feedback, generator = start(rule, (784, *[WIDTH] * hidden, 10), seed)
    seen = []
    train_layers(rule, weights, feedback, *images()[:2], generator=generator, epochs=EPOCHS, learning_rate=RATE,
                 progress=lambda epoch: seen.append(against_backprop(rule, weights, feedback)))
    shown = range(EPOCHS + 1) if hidden == 2 else (0, EPOCHS)
    return {"accuracy": accuracy(weights),
            **{f"angle, layer {layer + 1}, epoch {epoch}": seen[epoch][layer] for epoch in shown for layer in range(hidden)}}


def longer(hidden, rule, times, seed):
    """Control, a row: so many times the epochs."""
    weights, feedback, generator = start(rule, (784, *[WIDTH] * hidden, 10), seed)
    train_layers(rule, weights, feedback, *images()[:2], generator=generator, epochs=times * EPOCHS, learning_rate=RATE)
    return {"accuracy": accuracy(weights), "angle, layer 1": against_backprop(rule, weights, feedback)[0]}


def drawn_large(rule, readout, seed):
    """Control, a row: one hidden layer whose read-out is drawn so many times as large."""
    weights, feedback, generator = start(rule, (784, WIDTH, 10), seed, readout)
    train_layers(rule, weights, feedback, *images()[:2], generator=generator, epochs=EPOCHS, learning_rate=RATE)
    return {"accuracy": accuracy(weights)}


def turning(learns, readout, hold, shuffled, seed):
    """A row: feedback alignment of one hidden layer with one thing changed, and where its read-out points in the end.

    `learns` says which weights do, "both", "read-out" or "hidden"; `readout` scales it at the start; `hold` keeps its
    length; `shuffled` gives the images the labels of others.
    """
    (weights, feedback, generator), (inputs, targets) = (
        start("feedback alignment", (784, WIDTH, 10), seed, readout), images()[:2])
    targets = targets[torch.randperm(len(targets), generator=generator)] if shuffled else targets
    before, chosen = weights[-1].clone(), {"both": weights, "read-out": weights[1:], "hidden": weights[:1]}[learns]
    optimiser = torch.optim.Adam(chosen, lr=RATE)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(inputs), generator=generator).split(128):
            layers = run_layers(direct_current(inputs[batch], STEPS), weights)
            changes = local_gradients("feedback alignment", layers, targets[batch], weights, feedback)
            for weight, change in zip(weights, changes, strict=True):
                weight.grad = change
            optimiser.step()
            if hold:
                weights[-1].mul_(before.norm() / weights[-1].norm())
    return {"accuracy": accuracy(weights), "angle, update": against_backprop("feedback alignment", weights, feedback)[0],
            "angle, read-out": angles(weights[-1:], feedback)[0],
            "angle, what it learned": angles([weights[-1] - before], feedback)[0],
            "angle, read-out, before": angles([before], feedback)[0],
            "size": (weights[-1].norm() / before.norm()).item() if readout else 0.0}


def rates(weights, inputs):
    """Firing rates of all hidden layers side by side, [samples, neurons]."""
    return torch.cat([torch.cat([spk.mean(0) for spk in run_layers(direct_current(x, STEPS), weights).spk], 1)
                      for x in inputs.split(1000)])


def read_by_a_line(train, labels, test, answers, seed, epochs=40):
    """Train a read-out on fixed features, from zero, with Adam at 2e-3; the share of right answers."""
    generator, weight = torch.Generator().manual_seed(seed), torch.zeros(10, train.shape[1])
    optimiser = torch.optim.Adam([weight], lr=RATE)
    for _ in range(epochs):
        for batch in torch.randperm(len(train), generator=generator).split(128):
            weight.grad = class_error(train[batch] @ weight.T, labels[batch]).T @ train[batch]
            optimiser.step()
    return share(test @ weight.T, answers)


def random_features(width, name, seed):
    """Control, a row: a hidden layer as it was drawn, its read-out trained for 5 and for 40 epochs; and the pixels alone."""
    inputs, targets, test, labels = images(name)
    weights = draw_layers((inputs.shape[1], width, 10), torch.Generator().manual_seed(seed))
    train, unseen = rates(weights, inputs), rates(weights, test)
    return {f"{epochs} epochs": read_by_a_line(train, targets, unseen, labels, seed, epochs) for epochs in (5, 40)}


def pixels_alone(name, seed):
    """Control, a row: no hidden layer, a line through the pixels, after 5 and after 40 epochs."""
    inputs, targets, test, labels = images(name)
    return {f"{epochs} epochs": read_by_a_line(inputs, targets, test, labels, seed, epochs) for epochs in (5, 40)}


def two_passes(name, width, epochs, seed):
    """A row: forward-forward with two layers; the same layers as drawn; a line through what they learned."""
    inputs, targets, test, labels = images(name)
    generator = torch.Generator().manual_seed(seed)
    sizes = (inputs.shape[1] + 10, width, width)
    weights = [torch.randn(out, into, generator=generator) / into**0.5 for into, out in zip(sizes, sizes[1:], strict=False)]

    def asked():
        return torch.cat([label_goodness(x, weights) for x in test.split(1000)], 1)
    untrained = share(asked().sum(0), labels)
    train_forward_forward(weights, inputs, targets, epochs=epochs, generator=generator)
    told = asked()
    return {"accuracy": share(told.sum(0), labels), "layer 1": share(told[0], labels), "layer 2": share(told[1], labels),
            "as drawn": untrained}


def by_trying(what, probes, seed, epochs=10):
    """A row: 64-50-10 on small digits, ten epochs or more; the hidden layer learns by perturbation, or by backprop.

    `what` is perturbed: "weights", judged by the loss of the batch, or "nodes", each digit by its own; "nodes, one loss" is
    the control between the two, currents that the loss of the batch judges.
    """
    inputs, targets = images("digits")[:2]
    generator = torch.Generator().manual_seed(seed)
    weights = draw_layers((64, 50, 10), generator)
    optimiser = torch.optim.Adam(weights, lr=5e-3)
    for _ in range(epochs):
        for batch in torch.randperm(len(inputs), generator=generator).split(64):
            x, target = inputs[batch], targets[batch]
            layers = run_layers(direct_current(x, STEPS), weights)
            rule = "frozen" if what == "frozen" else "backprop"
            weights[0].grad, weights[1].grad = local_gradients(rule, layers, target, weights)

            def losses(current, target=target):
                votes = lif(current.expand(STEPS, -1, -1), BETA)[0].mean(0) @ weights[1].T
                return cross_entropy(votes, target, reduction="none")

            def together(current, losses=losses):
                return losses(current).mean().expand(len(current))
            if what.startswith("nodes"):
                weights[0].grad = node_perturbation(together if what == "nodes, one loss" else losses, x @ weights[0].T, 0.3,
                                                    probes, generator).T @ x / len(x)
            if what == "weights":
                weights[0].grad = weight_perturbation(lambda weight, x=x, losses=losses: losses(x @ weight.T).mean(),
                                                      weights[0], 0.03, probes, generator)
            optimiser.step()
    return {"accuracy": accuracy(weights, "digits")}


TOLD = ("backprop", "feedback alignment", "direct feedback", "target projection", "local losses", "frozen")
CHANGES = {
    "nothing": ("both", 1.0, False, False), "hidden layer frozen": ("read-out", 1.0, False, False),
    "read-out frozen": ("hidden", 1.0, False, False), "length held": ("both", 1.0, True, False),
    "labels shuffled": ("both", 1.0, False, True), "read-out at zero": ("both", 0.0, False, False),
    "read-out times five": ("both", 5.0, False, False)}
ROWS = {
    **{f"depth {hidden}, {rule}": partial(depth, hidden, rule) for hidden in (1, 2, 3, 5) for rule in TOLD
       if hidden < 3 or rule != "target projection"},
    **{f"depth 5, {rule}, longer": partial(longer, 5, rule, 2) for rule in ("feedback alignment", "direct feedback")},
    **{f"depth 1, {rule}, longer": partial(longer, 1, rule, 8) for rule in ("backprop", "direct feedback")},
    **{f"changed, {name}": partial(turning, *change) for name, change in CHANGES.items()},
    "backprop, read-out times five": partial(drawn_large, "backprop", 5.0),
    **{f"random features, {width}": partial(random_features, width, "mnist") for width in (100, 400, 1000)},
    "random features, 400, digits": partial(random_features, 400, "digits"),
    "pixels": partial(pixels_alone, "mnist"), "pixels, digits": partial(pixels_alone, "digits"),
    "two passes": partial(two_passes, "mnist", 200, 30), "two passes, digits": partial(two_passes, "digits", 200, 30),
    "trying, backprop": partial(by_trying, "backprop", 1), "trying, frozen": partial(by_trying, "frozen", 1),
    **{f"trying, {what}, {probes} probes": partial(by_trying, what, probes)
       for what in ("nodes", "weights") for probes in (1, 10)},
    "trying, nodes, one loss": partial(by_trying, "nodes, one loss", 1),
    "trying, weights, 64 probes": partial(by_trying, "weights", 64),
    **{f"trying, {what}, longer": partial(by_trying, what, 1, epochs=40)
       for what in ("frozen", "nodes", "nodes, one loss", "weights")},
}
