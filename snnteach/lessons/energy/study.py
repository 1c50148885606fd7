"""The long runs of notebook 21: networks of one task, counted, and what is left of two of them when synapses are pruned away.

Every network is trained on the 5000 training images of MNIST, moved by up to a pixel, pixels from 0 to 1 (AdamW, one cycle, 12
epochs, batches of 100, weight decay 0.01). The peak learning rate (8e-3, and 4e-3 for a constant current) and the price on
hidden activity (1e-3) were chosen on 1000 images held out of the 5000. Accuracy is that on the 10,000 test images, operations
are counted on the first 2000 of them.
"""
from functools import cache, partial

import torch

from ...activity import l1_spikes
from ...data import flat, mnist5k
from ...encoding import latency_code
from ...energy import ReluMLP, count_messages, count_operations
from ...losses import ce_membrane_loss
from ...mapping import apply_masks, magnitude_masks, place_neurons, random_masks
from ...networks import SpikingMLP, direct_current
from ...training import accuracy, fit
from ..kinds import AMOUNT, SHARE

SEEDS = (0, 1, 2)
TOLERANCE = 0.03
QUANTITIES = {"*: accuracy*": SHARE, "*": AMOUNT}
PRICE, BRIGHT = 1e-3, 0.3                                   # of a unit of hidden activity; from where on a pixel counts
SPARSITIES = (0.5, 0.8, 0.9, 0.95, 0.98)
CORE = {"neurons": 128, "synapses": 8192}


@cache
def images():
    """Train and test images as rows of pixels from 0 to 1, with their labels."""
    data = mnist5k()
    return flat(data.train_images), data.train_labels, flat(data.test_images), data.test_labels


def grey(x):
    """Pixels as they are, in one step."""
    return x[None]


def black_and_white(x):
    """Pixels as 0 or 1, in one step."""
    return (x > BRIGHT).to(x)[None]


def current(x):
    """Pixels as a constant current over ten steps."""
    return direct_current(x, 10)


def latency(x):
    """A spike for each bright pixel, the brighter the earlier, in five steps."""
    return latency_code(x, 5, mode="linear", threshold=BRIGHT)


def at_once(x):
    """Control: the spikes of `latency`, all of them in the first of the five steps."""
    return torch.cat([black_and_white(x), x.new_zeros(4, *x.shape)])


def shift(x):
    """Move the batch by up to one pixel along both axes."""
    return x.view(-1, 28, 28).roll(torch.randint(-1, 2, (2,)).tolist(), (1, 2)).flatten(1)


def network(kind, width, seed):
    """Make 784-width-10 from a seed: a `ReluMLP`, or a `SpikingMLP` that resets to zero, with a read-out that never fires."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return kind((784, width, 10), **({} if kind is ReluMLP else {"readout": "membrane", "reset": "zero"}))


def rate(encode):
    """The peak learning rate of an input code."""
    return 4e-3 if encode is current else 8e-3


def learn(net, encode, seed, epochs=12, price=PRICE, share=1.0):
    """Train a network by the recipe of all rows, at a share of its learning rate."""
    inputs, targets = images()[:2]
    fit(net, inputs, targets, loss=lambda records, y: ce_membrane_loss(records[-1].mem / len(records[-1].mem), y),
        encode=encode, epochs=epochs, batch_size=100, learning_rate=share * rate(encode), weight_decay=1e-2, seed=seed,
        augment=shift, regulariser=lambda records: l1_spikes(records[0].spk, price))
    return net


def read(net, encode):
    """Accuracy on the test images."""
    return accuracy(net, *images()[2:], encode=encode)


def counted(net, encode):
    """What a network does for an image, all layers together."""
    macs, additions, updates = (sum(column) for column in zip(*count_operations(net, encode(images()[2][:2000]))))
    return {"products": macs, "additions": additions, "updates": updates}


def measured(kind, width, encode, seed, price=PRICE):
    """A row: one network, its accuracy and its operations."""
    net = learn(network(kind, width, seed), encode, seed, price=price)
    return {"accuracy": read(net, encode), **counted(net, encode)}


def pruned(kind, encode, seed):
    """A row: prune a trained network of 300 hidden neurons ever further, read it at once and after two more epochs.

    Control: the same number of synapses, chosen by chance. Both go on from the trained network, not from each other.
    """
    trained, found = learn(network(kind, 300, seed), encode, seed), {}
    for sparsity in SPARSITIES:
        masks = magnitude_masks(trained, sparsity)
        chance = random_masks(trained, sparsity, torch.Generator().manual_seed(seed))
        for name, chosen in (("", masks), (", by chance", chance)):
            net = network(kind, 300, seed)
            net.load_state_dict(trained.state_dict())
            apply_masks(net, chosen)
            if not name:
                found[f"{sparsity}: accuracy at once"] = read(net, encode)
            learn(net, encode, seed, epochs=2, share=0.25)
            found[f"{sparsity}: accuracy{name}"] = read(net, encode)
            if not name:
                found |= sized(net, encode, sparsity)
    return found | sized(trained, encode, 0)


def sized(net, encode, sparsity):
    """What a pruned network does, and how much of a chip it takes, by the share that is pruned."""
    return {f"{sparsity}: {what}": value for what, value in {**counted(net, encode), **placed(net, encode)}.items()}


def placed(net, encode):
    """How many cores a network fills, and how many messages its spikes become."""
    cores = place_neurons(net, **CORE)
    return {"cores": 1 + max(int(core.max()) for core in cores),
            "messages": sum(count_messages(net, encode(images()[2][:2000]), cores))}


ROWS = {
    "ANN 300, grey": partial(measured, ReluMLP, 300, grey),
    "ANN 80, grey": partial(measured, ReluMLP, 80, grey),
    "ANN 30, grey": partial(measured, ReluMLP, 30, grey),
    "direct 300": partial(measured, SpikingMLP, 300, current),
    "latency 300": partial(measured, SpikingMLP, 300, latency),
    "latency 80": partial(measured, SpikingMLP, 80, latency),
    "latency 30": partial(measured, SpikingMLP, 30, latency),
    "latency 300, no price": partial(measured, SpikingMLP, 300, latency, price=0.0),
    "at once 300": partial(measured, SpikingMLP, 300, at_once),
    "one step 300": partial(measured, SpikingMLP, 300, black_and_white),
    "ANN 300, black and white": partial(measured, ReluMLP, 300, black_and_white),
    "ANN 80, black and white": partial(measured, ReluMLP, 80, black_and_white),
    "pruned ANN": partial(pruned, ReluMLP, grey),
    "pruned latency": partial(pruned, SpikingMLP, latency),
}
