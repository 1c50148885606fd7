"""Explorers of notebook 00: a small network that reads a digit with spikes, and the bits of a list and a bitmap.

`python -m snnteach.lessons.sparsity.explorers` trains the small network again, twice, and writes `digit_net.npz`.
"""
import base64
import functools
from pathlib import Path

import numpy as np
import torch

from ...activity import l1_spikes
from ...losses import ce_count_loss
from ...networks import SpikingMLP, direct_current
from ...neurons import lif
from ...plots import COLORS
from ...sparsity import address_bits, crossover_density
from ...training import fit, predict
from ..kinds import Choice, Control, Explorer, Page

DIGIT_NET = Path(__file__).with_name("digit_net.npz")
STEPS, BETA = 20, 0.9
TRAINED = {"price on spikes": 1e-3, "no price": 0.0}      # what a hidden spike cost in training
_HIDDEN, _SHOWN = 64, 60


def trained(price, seed=0, learns=True):
    """Train 784-64-10 on the 5000 training images; each hidden spike costs `price`. Settings were chosen on a fifth of them."""
    from ...data import flat, mnist5k

    data = mnist5k()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = SpikingMLP((784, _HIDDEN, 10), beta=BETA)
    net.linears[0].requires_grad_(learns)
    fit(net, flat(data.train_images), data.train_labels, loss=lambda records, y: ce_count_loss(records[-1].spk, y),
        encode=encode, epochs=10, learning_rate=5e-3, weight_decay=0.5, seed=seed,
        regulariser=(lambda records: l1_spikes(records[0].spk, price)) if price else None)
    return net


def train_digit_nets():
    """Train with and without a price on spikes; return the weights as int8, one scale a layer, and images to show.

    The images are the first fifty of the test set and then the first ten that the network trained with the price misreads.
    """
    from ...data import flat, mnist5k

    data, arrays = mnist5k(), {}
    for name, price in TRAINED.items():
        net = trained(price)
        arrays |= _quantised(net, name, never_lit=(data.train_images == 0).all(0).flatten())
        if price:
            wrong = (predict(net, flat(data.test_images), encode=encode) != data.test_labels).nonzero().flatten()
    shown = torch.cat([torch.arange(50), wrong[wrong >= 50][:10]])
    return {**arrays, "images": data.test_images[shown].numpy(), "labels": data.test_labels[shown].to(torch.uint8).numpy()}


def encode(x):
    """The same values at each of the 20 steps."""
    return direct_current(x, STEPS)


@torch.no_grad()
def _quantised(net, name, never_lit):
    """Round the weights of both layers to int8, in place and as arrays; those of pixels never lit in training are 0."""
    arrays = {}
    for number, linear in enumerate(net.linears, 1):
        if number == 1:
            linear.weight[:, never_lit] = 0
        scale = linear.weight.abs().max() / 127
        rounded = (linear.weight / scale).round()
        linear.weight.copy_(rounded * scale)
        arrays |= {f"{name}: weight{number}": rounded.to(torch.int8).numpy(), f"{name}: scale{number}": scale.numpy(),
                   f"{name}: bias{number}": linear.bias.numpy()}
    return arrays


@functools.cache
def _stored():
    with np.load(DIGIT_NET) as archive:
        return {name: torch.from_numpy(archive[name]) for name in archive.files}


@functools.cache
def digit_net(training="price on spikes"):
    """Load a stored network, one of `TRAINED`: the weights and biases of its two layers."""
    stored = _stored()
    return [(stored[f"{training}: weight{layer}"].float() * stored[f"{training}: scale{layer}"],
             stored[f"{training}: bias{layer}"]) for layer in (1, 2)]


def read_digits(pixels, training="price on spikes"):
    """Run a stored network on pixels [B, 784] and return the spikes of its hidden and output layer, [T, B, N] each."""
    (first, bias1), (second, bias2) = [[part.to(pixels.dtype) for part in layer] for layer in digit_net(training)]
    hidden, _ = lif(encode(pixels @ first.T + bias1), BETA)                 # [T, B, 64]
    output, _ = lif(hidden @ second.T + bias2, BETA)                        # [T, B, 10]
    return hidden, output


def compute_digit(number, step, training, dtype=torch.float32):
    """Let a stored network look at one test image for `step` time steps."""
    image, label = _stored()["images"][number], int(_stored()["labels"][number])
    hidden, output = read_digits(image.flatten()[None].to(dtype) / 255, training)
    votes = output[:step, 0].sum(0)                                         # [10]
    return {"image": image, "label": label, "hidden": hidden[:step, 0], "votes": votes, "step": step,
            "answer": int(votes.argmax()) if votes.any() else None}


def build_digit(fig):
    """Left the image, in the middle the hidden spikes so far, right the votes so far."""
    left, middle, right = fig.subplots(1, 3, width_ratios=(2, 3, 2))
    left.set_axis_off()
    left.set_title("What it sees")
    middle.set(xlim=(0.3, STEPS + 0.7), ylim=(-1, _HIDDEN), xlabel="time step", ylabel="hidden neuron",
               xticks=range(0, STEPS + 1, 5))
    middle.set_title("Hidden spikes")
    right.set(xlim=(0, STEPS), ylim=(9.6, -0.6), xlabel="output spikes", yticks=range(10))
    right.set_title("Votes")
    bars = right.barh(range(10), [0] * 10, height=0.7, linewidth=0)
    return {
        "image": left.imshow(np.zeros((28, 28)), cmap="gray_r", vmin=0, vmax=255),
        "text": left.text(0.5, -0.12, "", transform=left.transAxes, ha="center", va="top", fontweight="bold"),
        "spikes": middle.plot([], [], "|", color="black", markersize=3.5, markeredgewidth=1.3)[0],
        "now": middle.axvline(0, color=COLORS["orange"], linewidth=1.2),
        **{f"votes for {number}": bar for number, bar in enumerate(bars)},
    }


def update_digit(artists, data):
    """Show the image, the spikes up to now, and each output's votes, the leader in another colour."""
    artists["image"].set_data(data["image"].numpy())
    steps, neurons = data["hidden"].nonzero(as_tuple=True)
    artists["spikes"].set_data(steps + 1, neurons)
    artists["now"].set_xdata([data["step"] + 0.5] * 2)
    for number, votes in enumerate(data["votes"].tolist()):
        bar = artists[f"votes for {number}"]
        bar.set_width(votes)
        bar.set_color(COLORS["vermillion"] if number == data["answer"] else COLORS["sky"])
    answer = data["answer"]
    verdict = "no vote yet" if answer is None else f"reads {answer}, {'right' if answer == data['label'] else 'wrong'}"
    artists["text"].set_text(f"a {data['label']}: {verdict}")


def from_text(drawing):
    """Make an image [784] of a digit drawn with letters, as MNIST's were made: 20 pixels large, its mass in the middle."""
    lines = [line for line in drawing.splitlines() if line.strip(" .")]
    if not lines:
        raise ValueError("from_text: the drawing is empty. Put a letter, such as #, wherever there is ink.")
    width = max(map(len, lines))
    ink = torch.tensor([[float(letter not in " .") for letter in line.ljust(width)] for line in lines])
    ink = ink[:, ink.any(0)].repeat_interleave(2, 0)                        # a letter is twice as tall as it is wide
    size = [max(1, round(20 * side / max(ink.shape))) for side in ink.shape]
    ink = torch.nn.functional.interpolate(ink[None, None], size, mode="bilinear", antialias=True)[0, 0]
    image = torch.zeros(28, 28)
    image[:size[0], :size[1]] = ink.clamp(0, 1)
    for axis in (0, 1):
        middle = (image.sum(1 - axis) @ torch.arange(28.0) / image.sum()).item()
        image = image.roll(max(0, min(round(13.5 - middle), 28 - size[axis])), axis)             # nothing leaves it
    return image.flatten()


def packed(images):
    """Bytes of images as text: a zero is followed by how many there are in a row, 255 at most."""
    data, at = bytearray(), 0
    pixels = images.flatten().tolist()
    while at < len(pixels):
        zeros = next((zeros for zeros in range(255) if at + zeros == len(pixels) or pixels[at + zeros]), 255)
        data += bytes((0, zeros)) if zeros else bytes((pixels[at],))
        at += max(1, zeros)
    return base64.b64encode(data).decode()


def shipped(training="price on spikes"):
    """What the live figure needs: the weights as int8, the other numbers of the network, and the images with their labels."""
    stored = _stored()
    layers = [{"weight": base64.b64encode(stored[f"{training}: weight{layer}"].numpy().tobytes()).decode(),
               "scale": stored[f"{training}: scale{layer}"].item(), "bias": stored[f"{training}: bias{layer}"].tolist()}
              for layer in (1, 2)]
    return {"layers": layers, "images": packed(stored["images"]), "labels": stored["labels"].tolist()}


def compute_bits(neurons, density):
    """Bits a neuron of a list of addresses, up to the density of this message, and of this one message."""
    active = round(density / 100 * neurons)
    densities = torch.linspace(0, density, 81)
    return {"densities": densities, "list": densities / 100 * address_bits(neurons, 1), "density": density,
            "crossover": 100 * crossover_density(neurons), "neurons": neurons, "active": active,
            "bits": address_bits(neurons, active)}


def build_bits(fig):
    """Bits a neuron against density: the bitmap flat, the list as far as it has grown, the crossing once it is reached."""
    axes = fig.subplots()
    axes.set(xlim=(0, 54), ylim=(0, 7.3), xlabel="active neurons (%)", ylabel="bits for each neuron")
    axes.set_title("A list of addresses grows with each spike, a bitmap does not")
    axes.axhline(1, color=COLORS["blue"])
    axes.annotate("bitmap", (53.8, 1), xytext=(0, 4), textcoords="offset points", ha="right", color=COLORS["blue"])
    return {
        "list": axes.plot([], [], "--", color=COLORS["vermillion"])[0],
        "cross": axes.plot([], [], ":", color="0.4", linewidth=1.5)[0],
        "point": axes.plot([], [], "o", color="black", markersize=8)[0],
        "name": axes.text(0, 0, "list", color=COLORS["vermillion"], va="center"),
        "text": axes.text(0.03, 0.97, "", transform=axes.transAxes, va="top"),
    }


def crossed(data):
    """Whether the list has become as long as the bitmap."""
    return data["density"] >= data["crossover"]


def update_bits(artists, data):
    """Let the list grow, mark the crossing it has passed, and say the numbers."""
    length = data["bits"] / data["neurons"]
    artists["list"].set_data(data["densities"], data["list"])
    artists["name"].set_position((data["density"] + 1, length + 0.05))
    artists["cross"].set_data([data["crossover"]] * 2 * crossed(data), [0, 1] * crossed(data))
    artists["point"].set_data([data["density"]], [length])
    shorter = "list" if data["bits"] < data["neurons"] else "bitmap" if data["bits"] > data["neurons"] else "neither"
    where = f"\ncrossed at {data['crossover']:.1f} %" if crossed(data) else ""
    artists["text"].set_text(f"{data['active']} of {data['neurons']} active\nlist: {data['bits']} bits\n"
                             f"bitmap: {data['neurons']} bits\nshorter: {shorter}{where}")


EXPLORERS = {
    "digit": Explorer(
        compute_digit, build_digit, update_digit,
        controls={"number": Control(0, 0, _SHOWN - 1, 1, "digit", "test image"),
                  "step": Control(1, 0, STEPS, 1, "look for", "time steps"),
                  "training": Choice("price on spikes", tuple(TRAINED), "trained with")},
        sweeps=(("step", {}), ("training", {"step": STEPS})),
        alt="Left, a handwritten digit; in the middle, the spikes of 64 hidden neurons up to the chosen time step; right, the "
            "spikes of the ten output neurons so far, as bars. The longest bar is the network's answer."),
    "bits": Explorer(
        compute_bits, build_bits, update_bits,
        controls={"neurons": Control(784, 64, 10_000, 16, "neurons"),
                  "density": Control(2.0, 0.0, 50.0, 0.5, "active", "%")},
        sweeps=(("density", {}), ("neurons", {})),
        alt="Bits for each neuron against the percentage of active neurons. A bitmap always costs one bit; a list of addresses "
            "grows in a straight line with the number of spikes, and is the longer one from some share of them on."),
}

PAGES = {"digit": Page("Draw a digit, and a spiking network reads it", shipped, still={"step": STEPS})}

if __name__ == "__main__":
    np.savez_compressed(DIGIT_NET, **train_digit_nets())
    print(f"{DIGIT_NET.name}: {DIGIT_NET.stat().st_size} bytes")
