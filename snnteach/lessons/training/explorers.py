"""Explorer of notebook 09: what a threshold and a weight gain do to the firing and to the gradients of three layers."""
import torch
import torch.nn.functional as F

from ...neurons import lif
from ...plots import COLORS
from ..kinds import Control, Explorer

SIZES = (64, 60, 60, 10)
_GENERATOR = torch.Generator().manual_seed(0)
_IMAGES = torch.rand(4, SIZES[0], generator=_GENERATOR)                                         # [B, N]
_TARGET = torch.tensor([0, 1, 2, 3])
_WEIGHTS = [(2 * torch.rand(after, before, generator=_GENERATOR) - 1) / before ** 0.5
            for before, after in zip(SIZES, SIZES[1:], strict=False)]
_FLOOR = 1e-8                                                              # left end of the logarithmic axis


def compute_threshold(threshold, gain):
    """Run a random net 64-60-60-10 for 20 steps; return its spikes, and rate and gradient norm of each layer."""
    weights = [(gain * weight).requires_grad_() for weight in _WEIGHTS]
    x, spikes = _IMAGES.expand(20, -1, -1), []
    for weight in weights:
        x, _ = lif(F.linear(x, weight), 0.9, threshold)                                         # [T, B, N]
        spikes.append(x)
    gradients = torch.autograd.grad(F.cross_entropy(x.sum(0), _TARGET), weights)
    return {"picture": torch.cat([spk.detach()[:, 0] for spk in spikes], 1).T,                  # [130, T], first image
            "rates": [spk.mean().item() for spk in spikes],
            "gradients": [gradient.norm().item() for gradient in gradients]}


def build_threshold(fig):
    """Left the spikes of all layers, right firing rate and gradient norm of each layer."""
    axes = fig.subplot_mosaic([["spikes", "rates"], ["spikes", "gradients"]], width_ratios=(1.1, 1))
    spikes, rates, gradients = axes["spikes"], axes["rates"], axes["gradients"]
    artists = {"picture": spikes.imshow(torch.zeros(130, 20).numpy(), cmap="Greys", vmin=0, vmax=1, aspect="auto",
                                        interpolation="nearest", extent=(-0.5, 19.5, 130, 0))}
    for edge in (60, 120):                                                                      # drawn after the spikes
        artists[f"edge {edge}"] = spikes.axhline(edge, color=COLORS["vermillion"], linewidth=1)
    spikes.set_yticks([30, 90, 125], ["layer 1", "layer 2", "output"])
    spikes.set(xlabel="time step", title="Spikes for one image")
    spikes.tick_params(axis="y", length=0)
    rates.set(xlim=(0, 1.25), xlabel="spikes a neuron and step", title="Firing rate")
    gradients.set(xscale="log", xlim=(_FLOOR, 1e9), xlabel="norm of dL/dW", title="Gradient")
    gradients.set_xticks([1e-8, 1e-4, 1, 1e4])
    gradients.minorticks_off()
    for ax, color, name, left in ((rates, "blue", "rate", 0), (gradients, "orange", "gradient", _FLOOR)):
        ax.set_yticks(range(3), ["layer 1", "layer 2", "output"])
        ax.set_ylim(2.6, -0.6)
        for layer, bar in enumerate(ax.barh(range(3), 1e-9, left=left, height=0.6, color=COLORS[color])):
            artists[f"{name} {layer}"] = bar
            artists[f"{name} text {layer}"] = ax.text(left, layer, "", va="center", fontsize=9)
    return artists


def update_threshold(artists, data):
    """Show the new spikes and move the bars and the numbers at their ends."""
    artists["picture"].set_data(data["picture"].numpy())
    for layer, (rate, gradient) in enumerate(zip(data["rates"], data["gradients"], strict=True)):
        artists[f"rate {layer}"].set_width(rate)
        artists[f"rate text {layer}"].set(text="silent" if rate == 0 else f"{rate:.2f}", x=rate + 0.03)
        end = max(gradient, _FLOOR)
        artists[f"gradient {layer}"].set_width(end - _FLOOR)
        artists[f"gradient text {layer}"].set(text="exactly 0" if gradient == 0 else f"{gradient:.1e}", x=end * 2.5)


EXPLORERS = {
    "threshold": Explorer(
        compute_threshold, build_threshold, update_threshold, size=(7.0, 4.2),
        controls={"threshold": Control(0.5, 0.1, 10.0, 0.1, "threshold", "units"),
                  "gain": Control(1.0, 0.2, 5.0, 0.1, "weight gain", "times")},
        sweeps=(("threshold", {}),),
        alt="Left, the spikes of three random layers for one image; right, the firing rate and the gradient norm of each "
            "layer."),
}
