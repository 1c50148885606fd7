"""The film of notebook 04: one digit, read from its spikes step by step."""
from ...encoding import latency_code, rate_code
from ...plots import COLORS
from .explorers import STEPS, decode, generator


def reveal_frames(image, num_steps=STEPS):
    """Return one dict a step for the animation: what rate and latency have said of an image [784] up to this step."""
    trains = {"rate": rate_code(image, num_steps, generator=generator()),
              "latency": latency_code(image, num_steps, threshold=0.05, mode="linear")}
    codes, frames = {"rate": "rate (Bernoulli)", "latency": "latency, linear"}, []
    for step in range(1, num_steps + 1):
        frame = {"step": step}
        for name, spk in trains.items():
            guess = decode(codes[name], spk[:step], num_steps)
            frame[name] = {"guess": guess.view(28, 28), "spikes": int(spk[:step].sum()),
                           "error": (guess - image).square().mean().sqrt().item()}
        frames.append(frame)
    return [{**frame, "so far": frames[:frame["step"]]} for frame in frames]


def build_reveal(fig):
    """Two pictures and the error against the spikes spent."""
    axes = fig.subplots(1, 3, width_ratios=(1, 1, 1.25))
    for ax, name in zip(axes[:2], ("rate", "latency"), strict=True):
        ax.set_title("Rate" if name == "rate" else "Latency")
        ax.set_xticks([])
        ax.set_yticks([])
    axes[2].set(xlim=(0, 2100), ylim=(0, 0.4), xlabel="spikes so far", ylabel="error of the picture")
    axes[2].set_title("What a spike buys")
    return axes


def draw_reveal(axes, frame):
    """Draw one step of the animation."""
    for ax, name in zip(axes[:2], ("rate", "latency"), strict=True):
        ax.imshow(frame[name]["guess"].numpy(), cmap="Greys", vmin=0, vmax=1, interpolation="nearest")
        ax.text(0.5, -0.05, f"step {frame['step']}: {frame[name]['spikes']} spikes", transform=ax.transAxes, ha="center",
                va="top")
    for name, color, style, place in (("rate", "blue", "o-", (900, 0.09)), ("latency", "vermillion", "s--", (170, 0.2))):
        past = [old[name] for old in frame["so far"]]
        axes[2].plot([old["spikes"] for old in past], [old["error"] for old in past], style, color=COLORS[color], markersize=4)
        axes[2].text(*place, name, color=COLORS[color])
