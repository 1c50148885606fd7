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
    """Two pictures, and their errors against the steps and against the spikes spent."""
    axes = fig.subplots(1, 4, width_ratios=(1, 1, 1.2, 1.2))
    for ax, name in zip(axes[:2], ("rate", "latency"), strict=True):
        ax.set_title("Rate" if name == "rate" else "Latency")
        ax.set_xticks([])
        ax.set_yticks([])
    axes[2].set(xlim=(0, 17), ylim=(0, 0.24), xlabel="steps so far", ylabel="error of the picture", title="What a step buys")
    axes[3].set(xlim=(0, 1700), ylim=(0, 0.24), xlabel="spikes so far", title="What a spike buys")
    axes[3].set_yticklabels([])
    return axes


LOOKS = (("rate", "blue", "o-"), ("latency", "vermillion", "s--"))


def draw_reveal(axes, frame):
    """Draw one step of the animation."""
    for ax, (name, _, _) in zip(axes[:2], LOOKS, strict=True):
        ax.imshow(frame[name]["guess"].numpy(), cmap="Greys", vmin=0, vmax=1, interpolation="nearest")
        ax.text(0.5, -0.05, f"step {frame['step']}:\n{frame[name]['spikes']} spikes", transform=ax.transAxes, ha="center",
                va="top")
    for ax, quantity in zip(axes[2:], ("step", "spikes"), strict=True):
        for place, (name, color, style) in enumerate(LOOKS):
            past = [{"step": old["step"], **old[name]} for old in frame["so far"]]
            ax.plot([old[quantity] for old in past], [old["error"] for old in past], style, color=COLORS[color], markersize=4)
            ax.text(0.97, 0.96 - 0.1 * place, name, color=COLORS[color], transform=ax.transAxes, ha="right", va="top")
