"""Small digits seen whole in notebook 16, learned without recurrence.

How feedback aligns, when to update, and what is forgotten.
"""
from functools import cache

import torch
import torch.nn.functional as F

from ...bptt import forward, random_weights
from ...data import digits, flat, validation_split
from ...online import Reservoir, cosine, eprop, ottt


@cache
def _digits():
    data = digits()
    return validation_split(flat(data.train_images), data.train_labels)


def forgetting(places):
    """A row: learn the digits 0 to 4, then 5 to 9, from a stream of batches of 10; held-out accuracy on both halves.

    Each batch is joined by 10 samples from a reservoir of `places`, or, as a control, by 10 more from the stream.
    """
    def row(seed):
        inputs, labels, held_out, held_out_labels = _digits()
        generator = torch.Generator().manual_seed(seed)
        weights = random_weights(generator, (64, 100, 10), 0.0, 3.0)[0]._replace(recurrent=None)
        reservoir, found = Reservoir(max(places, 1), generator), {}
        optimiser = torch.optim.Adam([weights.hidden, weights.output], lr=2e-3)
        for half, name in enumerate(("first", "second")):
            own = ((labels >= 5) == half).nonzero().flatten()
            for batch in torch.cat([own[torch.randperm(len(own), generator=generator)] for _ in range(5)]).split(10):
                more = own[torch.randint(len(own), (10,), generator=generator)]
                old = (inputs[more], labels[more])
                if places and reservoir.seen:
                    old = reservoir.draw(10)
                for sample in zip(inputs[batch], labels[batch], strict=True):
                    reservoir.add(*sample)
                joined = torch.cat([inputs[batch], old[0]]), torch.cat([labels[batch], old[1]])
                descend(optimiser, weights, gradient(ottt, weights, *joined))
            guess = answer(weights, held_out)
            for part, mask in (("0 to 4", held_out_labels < 5), ("5 to 9", held_out_labels >= 5)):
                found[f"{part} after the {name}"] = (guess == held_out_labels)[mask].float().mean().item()
        return found

    return row


def gradient(rule, weights, images, labels, num_steps=10, **options):
    """The gradient of a rule on constant images [B, 64], the class asked at every step."""
    wanted = F.one_hot(labels, 10).float()
    def error(out, _):
        return (F.softmax(out, 1) - wanted) / (num_steps * len(labels))
    return rule(images.expand(num_steps, -1, -1), weights, error, 0.9, 0.9, **options)


def descend(optimiser, weights, found):
    """One step of an optimiser along the gradient of a network without recurrence."""
    weights.hidden.grad, weights.output.grad = found.hidden, found.output
    optimiser.step()


def answer(weights, images, num_steps=10):
    """The class [B] of constant images [B, 64]."""
    with torch.no_grad():
        return forward(images.expand(num_steps, -1, -1), weights, 0.9, 0.9).out[-1].argmax(1)


def one_by_one(make, rate, at_once):
    """A row: one pass through the digits, one image at a time, by OTTT with updates at every step or at the end; accuracy."""
    def row(seed):
        inputs, labels, held_out, held_out_labels = _digits()
        generator = torch.Generator().manual_seed(seed)
        weights = random_weights(generator, (64, 100, 10), 0.0, 3.0)[0]._replace(recurrent=None)
        optimiser = make([weights.hidden, weights.output], lr=rate)
        def update(found):
            descend(optimiser, weights, found)
        for i in torch.randperm(len(inputs), generator=generator).split(1):
            found = gradient(ottt, weights, inputs[i], labels[i], update=update if at_once else None)
            if not at_once:
                update(found)
        return (answer(weights, held_out) == held_out_labels).float().mean().item()

    return row


MOMENTS = (0, 20, 60, 115, 230, 345, 459)                                                  # updates at which we look


def aligning(signal):
    """A row: 64-30-10, no recurrence, digits seen whole; the cosine with the exact gradient and the accuracy while it learns.

    `signal` is "exact", "random feedback", "feedback redrawn" at each update, or "frozen hidden layer".
    """
    def row(seed):
        inputs, labels, held_out, held_out_labels = _digits()
        generator, found = torch.Generator().manual_seed(seed), {}
        weights, feedback = random_weights(generator, (64, 30, 10), 0.0, 3.0)
        weights = weights._replace(recurrent=None, output=0.3 * weights.output)
        optimiser = torch.optim.Adam([weights.output, *[weights.hidden] * (signal != "frozen hidden layer")], lr=5e-3)
        order = torch.cat([torch.randperm(len(inputs), generator=generator) for _ in range(4)])
        for n, batch in enumerate(order.split(10)):
            if signal == "feedback redrawn":
                feedback = torch.randn(feedback.shape, generator=generator) / 30**0.5
            if n in MOMENTS:
                found[f"cosine {n}"] = cosine(*(gradient(eprop, weights, inputs[:300], labels[:300], feedback=back)
                                                for back in (feedback, None)))
                found[f"accuracy {n}"] = (answer(weights, held_out) == held_out_labels).float().mean().item()
            back = None if signal == "exact" else feedback
            descend(optimiser, weights, gradient(eprop, weights, inputs[batch], labels[batch], feedback=back))
        found["cosine of the weights"] = F.cosine_similarity(weights.output.flatten(), feedback.flatten(), 0).item()
        return found

    return row
