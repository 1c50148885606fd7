"""The long runs of notebook 20: rounding after training and in it, per bit, with its controls; integers; coarse membranes.

Every network is trained on the 5000 training images of MNIST by one recipe (AdamW, one cycle, 8 epochs, peak 3e-3; fine-tuning
4 epochs, peak 1e-3; nothing was chosen by the test images) and measured on the 10,000 test images.
"""
import copy
from functools import cache, partial

import torch
from torch import nn
from torch.nn.utils import parametrize

from ...data import flat, mnist5k
from ...integers import integer_lif, run_integers, simulated_lif, to_integers
from ...losses import ce_membrane_loss
from ...networks import Record, SpikingMLP, direct_current
from ...quantization import put_on_grid, signal_to_noise, ternary_codes, weight_codes
from ...training import fit
from ..kinds import AMOUNT, SHARE

SEEDS = (0, 1, 2)
TOLERANCE = 0.03
QUANTITIES = {"*: dB*": AMOUNT, "*: threshold": AMOUNT, "*: units*": AMOUNT, "*: crest": AMOUNT,
              "*: differ*": AMOUNT, "*": SHARE}
STEPS, BETA = 10, 0.875


@cache
def images():
    """Images, standardised, and their labels; and by which mean and standard deviation."""
    data = mnist5k()
    train, test = flat(data.train_images), flat(data.test_images)                    # [n, 784], 0 to 1
    mean, std = train.mean(), train.std()
    return (train - mean) / std, data.train_labels, (test - mean) / std, data.test_labels, mean.item(), std.item()


class Plain(nn.Module):
    """The same two layers with rectified units in place of spiking neurons; one step."""

    def __init__(self, width):
        super().__init__()
        self.linears = nn.ModuleList((nn.Linear(784, width), nn.Linear(width, 10)))

    def forward(self, x):
        """Run over x [T, B, 784] and return one `Record` of potentials."""
        return [Record(None, self.linears[1](self.linears[0](x).relu()))]


def learn(net, seed, epochs=8, rate=3e-3):
    """Train a network by the recipe of all rows; a rectified one sees one step, which is all it needs."""
    steps = 1 if isinstance(net, Plain) else STEPS
    inputs, targets = images()[:2]
    fit(net, inputs, targets, loss=lambda records, y: ce_membrane_loss(records[-1].mem / len(records[-1].mem), y),
        encode=lambda x: direct_current(x, steps), epochs=epochs, learning_rate=rate, seed=seed)
    return net


@torch.no_grad()
def accuracy(net):
    """The share of the test images that a network names rightly."""
    steps, (test, labels) = 1 if isinstance(net, Plain) else STEPS, images()[2:4]
    votes = torch.cat([net(direct_current(x, steps))[-1].mem.sum(0) for x in test.split(2000)])
    return (votes.argmax(1) == labels).double().mean().item()


@cache
def trained(seed, width=100, plain=False, longer=False, beta=BETA):
    """A network in full precision; `longer` has the epochs of fine-tuning too."""
    if longer:
        return learn(copy.deepcopy(trained(seed, width, plain, beta=beta)), seed, 4, 1e-3)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = Plain(width) if plain else SpikingMLP((784, width, 10), beta=beta, readout="membrane")
    return learn(net, seed)


class Ternary(nn.Module):
    """Weights of three values by the rule of thumb."""

    def forward(self, weight):
        """Return the copy, with the straight-through gradient."""
        codes, scale = ternary_codes(weight)
        return codes * scale + (weight - weight.detach())


class Changed(nn.Module):
    """Least-squares weights whose gradient is another: none beyond the ends of the grid, or none at all."""

    def __init__(self, bits, clipped):
        super().__init__()
        self.bits, self.clipped = bits, clipped

    def forward(self, weight):
        """Return the copy on the grid."""
        codes, scale = weight_codes(weight, self.bits, "least squares")
        through = weight.abs() <= (2 ** (self.bits - 1) - 0.5) * scale if self.clipped else torch.zeros_like(weight)
        return codes * scale + (weight - weight.detach()) * through


def with_grid(net, bits, rule="largest"):
    """A copy of a network with its weights on a grid."""
    net = copy.deepcopy(net)
    if rule == "ternary":
        return with_module(net, Ternary())
    return put_on_grid(net, bits, rule)


def with_module(net, module):
    """A copy of a network whose weights go through a module."""
    net = copy.deepcopy(net)
    for linear in net.linears:
        parametrize.register_parametrization(linear, "weight", module)
    return net


def full(width, seed):
    """A row: full precision, the same with the epochs of fine-tuning, and how far the largest weight stands out."""
    weight = trained(seed, width).linears[0].weight.detach()
    return {"SNN": accuracy(trained(seed, width)), "SNN, longer": accuracy(trained(seed, width, longer=True)),
            "ANN": accuracy(trained(seed, width, True)), "ANN, longer": accuracy(trained(seed, width, True, True)),
            "crest": (weight.abs().amax() / weight.square().mean().sqrt()).item()}


def bits_and_rule(bits, rule, width, seed):
    """A row: a network rounded after training, after longer training, and fine-tuned with rounding; the same of an ANN."""
    found = {}
    for name, plain in (("SNN", False), ("ANN", True)):
        found[f"{name}, PTQ"] = accuracy(with_grid(trained(seed, width, plain), bits, rule))
        found[f"{name}, PTQ of longer"] = accuracy(with_grid(trained(seed, width, plain, True), bits, rule))
        found[f"{name}, QAT"] = accuracy(learn(with_grid(trained(seed, width, plain), bits, rule), seed, 4, 1e-3))
    weight = trained(seed, width).linears[0].weight.detach()
    codes, scale = ternary_codes(weight) if rule == "ternary" else weight_codes(weight, bits, rule)
    return {**found, "dB": signal_to_noise(weight, codes * scale), "zeros": (codes == 0).double().mean().item()}


def each_neuron(bits, seed):
    """A row: rounded after training, with a scale for each neuron in place of one for the layer, by either rule."""
    found = {}
    for rule in BOTH:
        net = copy.deepcopy(trained(seed))
        with torch.no_grad():
            for linear in net.linears:
                for weight in linear.weight:                                         # [N_in], those of one neuron
                    codes, scale = weight_codes(weight, bits, rule)
                    weight.copy_(codes * scale)
        found[f"{rule}, PTQ"] = accuracy(net)
    return found


def at_random(bits, seed):
    """Control, a row: rounded up or down by a coin, so that the mean is right; the grid of the largest weight."""
    net, generator = copy.deepcopy(trained(seed)), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for linear in net.linears:
            scale = weight_codes(linear.weight, bits)[1]
            linear.weight.copy_(scale * (linear.weight / scale + torch.rand(linear.weight.shape, generator=generator)).floor())
    return {"PTQ": accuracy(net)}


def other_gradient(clipped, seed):
    """Control, a row: fine-tuned at 2 bits with a gradient that ends where the grid does, or with none for the weights."""
    return {"QAT": accuracy(learn(with_module(trained(seed), Changed(2, clipped)), seed, 4, 1e-3))}


def decay(beta, seed):
    """Control, a row: another decay, trained so."""
    return {"SNN": accuracy(trained(seed, beta=beta))}


def run_in_integers(network, way="product", rounding="floor"):
    """Hidden spikes [T, 10000, N] as bool, the share of right answers, and the largest membrane in units."""
    pixels, labels, spikes, votes, most = mnist5k().test_images.flatten(1), images()[3], [], [], 0
    for part in pixels.split(2000):
        hidden, out = run_integers(part, network, STEPS, way, rounding)
        spikes.append(hidden.spk.bool())
        votes.append(out.mem.sum(0))
        most = max(most, int(hidden.mem.abs().max()))
    return torch.cat(spikes, 1), (torch.cat(votes).argmax(1) == labels).double().mean().item(), most


def simulated(network, floor):
    """Hidden spikes of the floating-point simulation of a network in integers, [T, 10000, N] as bool."""
    layer, spikes = network.layers[0], []
    for part in mnist5k().test_images.flatten(1).split(2000):
        current = ((part.double() @ layer.weight.double().T + layer.bias) / 2**layer.drop).floor()
        spikes.append(simulated_lif(current.expand(STEPS, -1, -1), layer.threshold, BETA, floor)[0].bool())
    return torch.cat(spikes, 1)


def differ(one, other):
    """Spikes that only one of two has, as a share of those of the first."""
    return ((one != other).double().sum() / one.double().sum()).item()


@torch.no_grad()
def floating(net):
    """Hidden spikes of the network itself, float32, [T, 10000, N] as bool."""
    return torch.cat([net(direct_current(x, STEPS))[0].spk.bool() for x in images()[2].split(2000)], 1)


def coarse(drop, seed):
    """A row: 8-bit weights, a membrane coarser by 2^drop, under three leaks, beside its simulations."""
    net = trained(seed)
    network = to_integers(net, *images()[4:], bits=8, drop=drop)
    spk, right, most = run_in_integers(network)
    shifted, right_shift, _ = run_in_integers(network, "shift")
    cut, right_cut, _ = run_in_integers(network, "product", "truncate")
    return {"accuracy": right, "accuracy, shift": right_shift, "accuracy, truncated": right_cut,
            "threshold": network.layers[0].threshold, "units at most": most,
            "differ, simulation": differ(spk, simulated(network, True)),
            "differ, no floor": min(1.0, differ(spk, simulated(network, False))), "differ, truncated": differ(spk, cut),
            "differ, shift": differ(spk, shifted), "differ, float32": differ(floating(net), spk)}


def rounded_well(drop, seed):
    """Control, a row: the coarse membrane with currents and leak rounded to the nearest unit instead of down."""
    network = to_integers(trained(seed), *images()[4:], bits=8, drop=drop)
    first, last = network.layers
    votes = []
    for part in mnist5k().test_images.flatten(1).split(2000):
        current = (part.long() @ first.weight.T + first.bias + 2**drop // 2) >> drop
        mem, spk, out = torch.zeros_like(current), torch.zeros_like(current), 0
        total = torch.zeros(len(part), 10, dtype=torch.int64)
        for _ in range(STEPS):
            mem = ((7 * mem + 4) >> 3) + current - first.threshold * spk
            spk = (mem > first.threshold).long()
            out = ((7 * out) >> 3 if isinstance(out, torch.Tensor) else 0) + spk @ last.weight.T + last.bias
            total += out
        votes.append(total)
    return {"accuracy": (torch.cat(votes).argmax(1) == images()[3]).double().mean().item()}


def rounded_in_part(seed):
    """Control, a row: the coarsest membrane with either only the currents or only the leak rounded to the nearest unit."""
    network, found = to_integers(trained(seed), *images()[4:], bits=8, drop=16), {}
    first, last = network.layers
    for name, of_current, of_leak in (("current", 2**15, 0), ("leak", 0, 4)):
        votes = []
        for part in mnist5k().test_images.flatten(1).split(2000):
            current = (part.long() @ first.weight.T + first.bias + of_current) >> 16
            mem, spk, fired = torch.zeros_like(current), torch.zeros_like(current), []
            for _ in range(STEPS):
                mem = ((7 * mem + of_leak) >> 3) + current - first.threshold * spk
                spk = (mem > first.threshold).long()
                fired.append(spk)
            votes.append(integer_lif(torch.stack(fired) @ last.weight.T + last.bias, None)[1].sum(0))
        found[name] = (torch.cat(votes).argmax(1) == images()[3]).double().mean().item()
    return found


def few_bits_in_integers(bits, rule, seed):
    """A row: fine-tuned on the grid, then run in integers, with the leak that needs no product."""
    net = learn(with_grid(trained(seed), bits, rule), seed, 4, 1e-3)
    network = to_integers(net, *images()[4:], bits=bits)
    _, right, most = run_in_integers(network, "shift")
    return {"float32": accuracy(net), "integers": right, "threshold": network.layers[0].threshold, "units at most": most}


def random_hidden(seed):
    """Control, a row: hidden weights as they were drawn; only the read-out learns. In integers, with the shift."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = SpikingMLP((784, 100, 10), beta=BETA, readout="membrane")
    net.linears[0].requires_grad_(False)
    return {"integers": run_in_integers(to_integers(learn(net, seed), *images()[4:]), "shift")[1]}


BOTH = ("largest", "least squares")
BITS = {8: BOTH[:1], 6: BOTH[:1], 4: BOTH, 3: BOTH, 2: BOTH}                          # above 4 bits the two rules agree
ROWS = {
    "full": partial(full, 100),
    **{f"{bits} bits, {rule}": partial(bits_and_rule, bits, rule, 100)
       for bits, rules in BITS.items() for rule in rules},
    "ternary": partial(bits_and_rule, 2, "ternary", 100),
    "binary": partial(bits_and_rule, 1, "largest", 100),
    "wide, full": partial(full, 300),
    "wide, 2 bits, largest": partial(bits_and_rule, 2, "largest", 300),
    "wide, 2 bits, least squares": partial(bits_and_rule, 2, "least squares", 300),
    "wide, binary": partial(bits_and_rule, 1, "largest", 300),
    "2 bits, a scale for each neuron": partial(each_neuron, 2),
    "2 bits, rounded by a coin": partial(at_random, 2),
    "2 bits, clipped gradient": partial(other_gradient, True),
    "2 bits, biases only": partial(other_gradient, False),
    "beta 0.9": partial(decay, 0.9),
    **{f"drop {drop}": partial(coarse, drop) for drop in (0, 8, 10, 12, 14, 15, 16)},
    **{f"to the nearest, drop {drop}": partial(rounded_well, drop) for drop in (14, 16)},
    "to the nearest in part, drop 16": rounded_in_part,
    **{f"integers, {bits} bits": partial(few_bits_in_integers, bits, "least squares") for bits in (4, 2)},
    "integers, binary": partial(few_bits_in_integers, 1, "largest"),
    "random hidden": random_hidden,
}
