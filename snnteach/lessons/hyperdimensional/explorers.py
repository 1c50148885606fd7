"""The explorers of notebook 24: a word that is spelt spike by spike, and words whose bits are flipped.

`python -m snnteach.lessons.hyperdimensional.explorers` trains the networks behind the first again and writes `spelt.npz`.
"""
import functools
from pathlib import Path

import numpy as np
import torch

from ...hyperdimensional import hamming_distances, repeated_codewords
from ...plots import COLORS
from ..kinds import Choice, Control, Explorer
from . import study

SPELT = Path(__file__).with_name("spelt.npz")
CODES = ("random words", "population")
KINDS = dict(zip(CODES, ("random", "repeated"), strict=True))
BITS, SIDE, IMAGES, TRIALS = 256, 16, 12, 200
EDGES = np.linspace(0, 1, 41)


def trained_spelling():
    """Train both networks once, and keep when each output neuron fires first for a few test images, T for never."""
    inputs, labels = study.images()[2:]
    chosen = torch.cat([*((labels == digit).nonzero()[:1, 0] for digit in range(10)), torch.tensor([8, 247])])
    found = {"labels": labels[chosen].numpy().astype(np.uint8),
             "pixels": (255 * inputs[chosen]).round().numpy().astype(np.uint8)}
    for code, kind in KINDS.items():
        net, _ = study.train(kind, BITS, "one", 0)
        spk = study.run(net, inputs[chosen])[1].spk                                            # [T, images, D]
        found[code] = torch.where(spk.any(0), spk.argmax(0), study.STEPS).numpy().astype(np.uint8)
    return found


@functools.cache
def spelling():
    """Load what `trained_spelling` found: labels, pixels, first spikes of both networks."""
    with np.load(SPELT) as archive:
        return {name: torch.from_numpy(archive[name]).long() for name in archive.files}


def compute_spelling(code, image, step):
    """The bits that are set after a step, and how far each word is from them."""
    stored, words = spelling(), study.codebook(KINDS[code], BITS, 0)
    bits = (stored[code][image] < step).float()                                                # [D]
    distances = hamming_distances(bits, words)
    return {"code": code, "step": step, "label": int(stored["labels"][image]), "pixels": stored["pixels"][image].view(14, 14),
            "bits": bits.view(SIDE, SIDE), "distances": distances, "nearest": int(distances.argmin())}


def build_spelling(fig):
    """The image, the output neurons, and the distance to every word."""
    left, middle, right = fig.subplots(1, 3, width_ratios=(0.7, 1.1, 1.6))
    for ax, title in ((left, "The image"), (middle, "256 outputs")):
        ax.set(xticks=(), yticks=())
        ax.spines[:].set_visible(False)
        ax.set_title(title)
    right.set(xlim=(0, 180), ylim=(11.3, -0.6), xlabel="bits that differ from each word", ylabel="word of", yticks=range(10))
    right.set_title("Ten words")
    return {
        "pixels": left.imshow(np.zeros((14, 14)), cmap="gray_r", vmin=0, vmax=255),
        "bits": middle.imshow(np.zeros((SIDE, SIDE)), cmap="Blues", vmin=-0.25, vmax=1.3),
        "words": right.plot([], [], "o", color=COLORS["sky"], markersize=7)[0],
        "nearest": right.plot([], [], "s", color=COLORS["vermillion"], markersize=9)[0],
        "says": right.text(0.98, 0.03, "", transform=right.transAxes, ha="right", va="bottom", fontsize=9.5),
    }


def update_spelling(artists, data):
    """Set the bits, move the words, and mark the nearest."""
    artists["pixels"].set_data(data["pixels"].numpy())
    artists["bits"].set_data(data["bits"].numpy())
    artists["words"].set_data(data["distances"].numpy(), range(10))
    artists["nearest"].set_data([data["distances"][data["nearest"]]], [data["nearest"]])
    artists["says"].set_text(f"step {data['step']}: {data['bits'].sum():.0f} bits set, nearest is {data['nearest']}")


@functools.cache
def coins():
    """Uniform numbers for the words and for the noise."""
    generator = torch.Generator().manual_seed(0)
    return torch.rand(40, 1024, generator=generator), torch.rand(TRIALS, 1024, generator=generator)


def compute_noise(code, bits, flipped, classes):
    """Distances from 200 noisy words to the word that was meant and to the nearest other."""
    drawn, noise = coins()
    words = (drawn[:classes, :bits] < 0.5).float() if code == "random words" else repeated_codewords(classes, bits)
    meant = torch.arange(TRIALS) % classes
    heard = (words[meant] - (noise[:, :bits] < flipped / 100).float()).abs()
    distances = hamming_distances(heard, words)
    own = distances.gather(1, meant[:, None])[:, 0]
    other = distances.scatter(1, meant[:, None], 2.0 * bits).amin(1)
    apart = hamming_distances(words, words) + 2 * bits * torch.eye(classes)
    right = ((own < other).double() + (own == other).double() / 2).mean().item()
    return {"code": code, "bits": bits, "flipped": flipped, "classes": classes, "own": own / bits, "other": other / bits,
            "closest": int(apart.min()), "right": right}


def build_noise(fig):
    """Two histograms of distances."""
    ax = fig.subplots()
    ax.set(xlim=(0, 1), ylim=(0, 1), xlabel="bits that differ (share of all bits)", ylabel="share of 200 noisy words")
    artists = {name: ax.stairs(np.zeros(40), EDGES, color=COLORS[color], linewidth=2.2, linestyle=style, label=label)
               for name, color, style, label in (("own", "blue", "-", "the word that was meant"),
                                                 ("other", "vermillion", "--", "the nearest other word"))}
    artists["says"] = ax.text(0.98, 0.72, "", transform=ax.transAxes, ha="right", va="top", fontsize=9.5)
    ax.legend(loc="upper right")
    return artists


def update_noise(artists, data):
    """Move the histograms and say who was understood."""
    for name in ("own", "other"):
        artists[name].set_data(np.histogram(data[name].numpy(), EDGES)[0] / TRIALS)
    artists["says"].set_text(f"{data['code']}, {data['flipped']} % flipped\n"
                             f"closest two words: {data['closest']} of {data['bits']} bits\n"
                             f"understood: {data['right']:.0%}")


EXPLORERS = {
    "spelling": Explorer(
        compute_spelling, build_spelling, update_spelling,
        controls={"step": Control(1, 1, study.STEPS, 1, "step"), "image": Control(0, 0, IMAGES - 1, 1, "image"),
                  "code": Choice(CODES[0], CODES, "code")},
        sweeps=(("step", {}), ("step", {"code": CODES[1]}), ("image", {"step": 16})),
        alt="Left, a digit; in the middle, 256 output neurons as squares, dark once they have fired; right, in how many bits "
            "they differ from each of ten words, the nearest one marked.",
        size=(8.0, 3.2)),
    "noise": Explorer(
        compute_noise, build_noise, update_noise,
        controls={"flipped": Control(5, 0, 50, 1, "flipped bits", "%"), "bits": Control(256, 64, 1024, 32, "bits"),
                  "classes": Control(10, 2, 40, 1, "classes"), "code": Choice(CODES[0], CODES, "code")},
        sweeps=(("flipped", {}), ("flipped", {"code": CODES[1]}), ("bits", {"flipped": 40})),
        alt="Histograms of distances, as shares of all bits: from noisy words to the word that was meant, and to the nearest "
            "other word; the share that is understood.",
        size=(7.0, 3.4)),
}

if __name__ == "__main__":
    np.savez_compressed(SPELT, **trained_spelling())
