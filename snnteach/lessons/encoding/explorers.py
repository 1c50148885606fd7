"""Explorers of notebook 04: one pixel and one digit in every code, a real sound as its changes, and a digit revealed."""
import base64
import functools

import torch

from ...data import flat, mnist5k
from ...data.recordings import grasshopper
from ...encoding import (
    delta_code,
    delta_decode,
    latency_code,
    latency_decode,
    phase_code,
    phase_weights,
    poisson_code,
    population_code,
    population_decode,
    rate_code,
    rate_decode,
)
from ...plots import COLORS
from ..kinds import Choice, Control, Explorer, Page

_CODES = ("rate (Bernoulli)", "Poisson", "latency, linear", "latency, logarithmic", "phase", "population", "direct current")
TRIALS, FIELDS, STEPS = 24, 6, 16


def generator():
    return torch.Generator().manual_seed(4)


def latency_options(code, num_steps):
    return {"mode": "linear" if "linear" in code else "log", "tau": num_steps / 4, "threshold": 0.05}


def _encode(code, x, num_steps):
    """Spikes [T, ...] of intensities x [...]; for the population one more axis, [T, ..., fields]."""
    if code.startswith("rate"):
        return rate_code(x.float(), num_steps, generator=generator()).to(x.dtype)            # the same coins in any type
    if code == "Poisson":
        return poisson_code(x, num_steps, generator=generator())
    if code.startswith("latency"):
        return latency_code(x, num_steps, **latency_options(code, num_steps))
    if code == "phase":
        return phase_code(x, num_steps)
    if code == "population":
        return rate_code(population_code(x, FIELDS), num_steps, generator=generator())
    return x.expand(num_steps, *x.shape)


def decode(code, spk, num_steps):
    """What the first len(spk) of num_steps steps say about the intensities, [...]."""
    if code.startswith("latency"):
        rest = spk.new_zeros(num_steps - len(spk), *spk.shape[1:])
        return latency_decode(torch.cat([spk, rest]), **latency_options(code, num_steps))
    if code == "phase":                                                        # whole periods, or what there is of the first
        used = spk[:max(len(spk) // 8 * 8, min(len(spk), 8))]
        return torch.tensordot(phase_weights(num_steps)[:len(used)].to(used), used, dims=1) / max(len(used) // 8, 1)
    if code == "population":
        return population_decode(spk.sum(0))
    return rate_decode(spk).clamp(max=1)


def compute_pixel(code, intensity, num_steps):
    """Say one grey 24 times in one code; return the spikes and what a reader of the spikes believes."""
    spk = _encode(code, torch.full((TRIALS,), float(intensity)), num_steps)    # [T, trials, ...]
    estimate = decode(code, spk, num_steps)                                                  # [trials]
    rows = spk[:, 0] if code == "population" else spk
    return {"rows": rows.T, "estimate": estimate, "intensity": intensity, "num_steps": num_steps, "code": code,
            "spikes": "no spikes: a current" if code.startswith("direct") else f"{spk.sum().item() / TRIALS:.1f} spikes",
            "error": (estimate - intensity).square().mean().sqrt().item()}


def build_pixel(fig):
    """Left the spikes of all repetitions, right what each of them is read as."""
    left, right = fig.subplots(1, 2, width_ratios=(1.5, 1))
    left.set(xlim=(-1, 32), ylim=(0, 1.12 * TRIALS), xlabel="time step", ylabel="repetition")
    left.set_title(" ")
    left.set_yticks([])
    right.set(xlim=(-0.05, 1.05), ylim=(0, 1.12 * TRIALS), xlabel="intensity read from the spikes")
    right.set_title("What they say")
    right.set_yticks([])
    return {
        "rows": left.imshow(torch.zeros(TRIALS, 16).numpy(), cmap="Greys", vmin=0, vmax=1, aspect="auto", origin="lower",
                            interpolation="nearest", extent=(-0.5, 15.5, 0, TRIALS)),
        "end": left.axvline(15.5, color="0.6", linestyle=":"),
        "title": left.text(0, 1.03, "", transform=left.transAxes, fontweight="bold", fontsize=11),
        "truth": right.axvline(0.5, color=COLORS["vermillion"], linestyle="--"),
        "estimate": right.plot([], [], "o", color=COLORS["blue"], markersize=4, alpha=0.7)[0],
        "text": right.text(0.5, 0.97, "", transform=right.transAxes, fontsize=9, ha="center", va="top",
                           bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8}),
    }


def update_pixel(artists, data):
    """Show the new spikes and move the estimates."""
    artists["rows"].set_data(data["rows"].numpy())
    artists["rows"].set_extent((-0.5, data["num_steps"] - 0.5, 0, TRIALS))
    artists["end"].set_xdata([data["num_steps"] - 0.5] * 2)
    artists["title"].set_text(f"{FIELDS} neurons, once" if data["code"] == "population" else "The same grey, 24 times")
    artists["truth"].set_xdata([data["intensity"]] * 2)
    artists["estimate"].set_data(data["estimate"], torch.arange(TRIALS) + 0.5)
    artists["text"].set_text(f"{data['spikes']}, error {data['error']:.3f}")


@functools.cache
def digits_shown():
    """The first image of each class among the training images, [10, 784], 0 to 1."""
    data = mnist5k()
    return flat(torch.stack([data.train_images[data.train_labels == digit][0] for digit in range(10)]))


@functools.cache
def fates():
    """Whole numbers from 0 to 255 [T, 784], always the same: below 256 x the share of losses, a spike gets lost."""
    return torch.randint(256, (STEPS, 784), generator=torch.Generator().manual_seed(6))


@functools.cache
def _digit_spikes(code, digit, dtype):
    image = (255 * digits_shown()[digit]).round().to(dtype) / 255
    if code.startswith("delta"):
        return image, delta_code(torch.cat([image.new_zeros(1, 784), image.expand(STEPS - 1, 784)]), 0.1)
    return image, _encode(code, image, STEPS)


def compute_digit(code, digit, step, lost=0.0, dtype=torch.float32):
    """Return a digit's spikes at one step, what all steps so far say, and how wrong that is, if a share of spikes gets lost."""
    image, spk = _digit_spikes(code, int(digit), dtype)
    kept = fates() >= 256 * lost                                                              # [T, 784]
    spk = spk * (kept[..., None] if spk.dim() == 3 else kept)
    so_far = spk[:step]
    guess = delta_decode(so_far, 0.1)[-1] if code.startswith("delta") else decode(code, so_far, STEPS)
    now = spk[step - 1].sum(-1) if code == "population" else spk[step - 1]
    return {"sent": now, "now": now.clamp(0, 1).view(28, 28), "guess": guess.view(28, 28), "image": image.view(28, 28),
            "step": step, "count": "current, no spikes" if code.startswith("direct") else f"{int(so_far.sum())} spikes so far",
            "error": (guess - image).square().mean().sqrt().item()}


def build_digit(fig):
    """Three pictures: the spikes of this step, what all so far say, the digit."""
    axes = fig.subplots(1, 3)
    artists = {}
    titles = {"now": "Spikes of this step", "guess": "Read so far", "image": "The digit"}
    for ax, (name, title) in zip(axes, titles.items(), strict=True):
        ax.set_title(title)
        ax.set_xticks([])
        ax.set_yticks([])
        ax.set_xlabel(" ")
        artists[name] = ax.imshow(torch.zeros(28, 28).numpy(), cmap="Greys", vmin=0, vmax=1, interpolation="nearest")
    artists["count"] = axes[0].text(0.5, -0.04, "", transform=axes[0].transAxes, ha="center", va="top")
    artists["error"] = axes[1].text(0.5, -0.04, "", transform=axes[1].transAxes, ha="center", va="top")
    return artists


def update_digit(artists, data):
    """Show the step."""
    for name in ("now", "guess", "image"):
        artists[name].set_data(data[name].numpy())
    artists["count"].set_text(f"step {data['step']}: {data['count']}")
    artists["error"].set_text(f"error {data['error']:.3f}")


@functools.cache
def _sound():
    return grasshopper().loudness[20_000:20_400]                                             # 20 ms


def compute_delta(method, threshold, every):
    """Send 20 ms of a real sound as changes, and rebuild it."""
    x = _sound()[::every]
    events = delta_code(x, threshold, method=method)
    rebuilt = delta_decode(events, threshold, x[0])
    time = torch.arange(len(x)) * every * 0.05                                                # ms
    return {"time": time, "x": x, "rebuilt": rebuilt, "events": events, "count": int(events.abs().sum()),
            "error": (rebuilt - x).abs().max().item()}


def build_delta(fig):
    """Above the sound and what its events say, below the events."""
    top, low = fig.subplots(2, 1, sharex=True, height_ratios=(2.2, 1))
    top.set(xlim=(0, 20), ylim=(-34, 3), ylabel="loudness (dB)")
    top.set_title(" ")
    low.set(ylim=(-6.5, 6.5), xlabel="time (ms)", ylabel="events")
    low.axhline(0, color="black", linewidth=0.8)
    artists = {
        "x": top.plot([], [], color="black", linewidth=3, alpha=0.35, label="sound")[0],
        "rebuilt": top.plot([], [], color=COLORS["vermillion"], drawstyle="steps-post", label="rebuilt from events")[0],
        "up": low.vlines([], [], [], color=COLORS["blue"], linewidth=1.2),
        "down": low.vlines([], [], [], color=COLORS["orange"], linewidth=1.2),
        "title": top.text(0, 1.04, "", transform=top.transAxes, fontweight="bold", fontsize=11),
    }
    top.legend(loc="upper right", ncols=2)
    return artists


def update_delta(artists, data):
    """Move the curves and the events."""
    artists["x"].set_data(data["time"], data["x"])
    artists["rebuilt"].set_data(data["time"], data["rebuilt"])
    for name, events in (("up", data["events"].clamp(0, 6)), ("down", data["events"].clamp(-6, 0))):
        artists[name].set_segments([((t, 0), (t, size)) for t, size in zip(data["time"].tolist(), events.tolist(), strict=True)
                                    if size])
    artists["title"].set_text(f"{data['count']} events, largest error {data['error']:.1f} dB")


EXPLORERS = {
    "pixel": Explorer(
        compute_pixel, build_pixel, update_pixel, size=(6.4, 3.2),
        controls={"code": Choice("rate (Bernoulli)", _CODES, "code"),
                  "intensity": Control(0.4, 0.0, 1.0, 0.01, "intensity", "0 to 1"),
                  "num_steps": Control(16, 8, 32, 8, "length", "steps")},
        sweeps=(("code", {}), ("intensity", {})),
        alt="Left, the spikes of 24 repetitions of one grey pixel in the chosen code; right, the intensity that each "
            "repetition is read as, beside the true one, dashed."),
    "digit": Explorer(
        compute_digit, build_digit, update_digit, size=(6.4, 2.8),
        controls={"code": Choice("rate (Bernoulli)", (*_CODES, "delta, flash"), "code"),
                  "digit": Control(3, 0, 9, 1, "digit"),
                  "step": Control(4, 1, STEPS, 1, "time", "steps"),
                  "lost": Control(0.0, 0.0, 0.5, 0.05, "spikes lost", "share")},
        sweeps=(("code", {}),),
        alt="A handwritten digit in the chosen code: the spikes of one step, the picture that all steps so far add up to, "
            "and the digit itself."),
    "delta": Explorer(
        compute_delta, build_delta, update_delta, size=(6.4, 4.0),
        controls={"method": Choice("send_on_delta", ("send_on_delta", "frame"), "compare with"),
                  "threshold": Control(2.0, 0.5, 6.0, 0.25, "threshold", "dB"),
                  "every": Control(1, 1, 20, 1, "sample every", "x 50 us")},
        sweeps=(("method", {}), ("every", {"method": "frame"})),
        alt="Above, 20 milliseconds of a sound's loudness and what its events rebuild; below, the events, up and down. "
            "Send-on-delta follows within a threshold."),
}


def shipped():
    """What the live figure needs, a byte a number: the ten digits, the coins of the rate code, and which spikes get lost."""
    coins = 255 * torch.rand(STEPS, 784, generator=generator())              # k / 255 is above a coin where k is above this
    return {name: base64.b64encode(numbers.to(torch.uint8).numpy().tobytes()).decode()
            for name, numbers in {"images": (255 * digits_shown()).round(), "coins": coins.floor(), "fates": fates()}.items()}


PAGES = {"digit": Page("One digit in four codes, read as it arrives", shipped)}
