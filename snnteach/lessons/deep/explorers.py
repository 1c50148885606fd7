"""Explorer of notebook 10: how far spikes go forward and gradients go back through many layers, before any training."""
import torch
import torch.nn.functional as F

from ...neurons import lif
from ...plots import COLORS
from ..kinds import Choice, Control, Explorer

MOST, WIDTH, STEPS, BATCH = 10, 40, 5, 8
_GENERATOR = torch.Generator().manual_seed(0)
_IMAGES = torch.randn(BATCH, WIDTH, generator=_GENERATOR)                                       # [B, N]
_TARGET = torch.arange(BATCH)
_WEIGHTS = [(2 * torch.rand(WIDTH, WIDTH, generator=_GENERATOR) - 1) / WIDTH**0.5 for _ in range(MOST)]
_OUTPUT = (2 * torch.rand(10, WIDTH, generator=_GENERATOR) - 1) / WIDTH**0.5
_FLOOR = 1e-12                                                             # left end of the logarithmic axis


def compute_depth(depth, norm, shortcuts, gain):
    """Run a random net of `depth` layers for 5 steps; return firing rate and gradient norm of each of 10 layers, or None."""
    weights = [(gain * weight).requires_grad_() for weight in _WEIGHTS[:depth]]
    x, rates = _IMAGES.expand(STEPS, -1, -1), []                                                # [T, B, N]
    for number, weight in enumerate(weights):
        current = F.linear(x, weight)
        if norm == "batch norm":
            current = F.batch_norm(current.flatten(0, 1), None, None, training=True).view(current.shape)
        spk, _ = lif(current, 0.9)
        rates.append(spk.mean().item())
        x = x + spk if shortcuts == "yes" and number else spk
    loss = F.cross_entropy(F.linear(x, _OUTPUT).sum(0), _TARGET)
    gradients = [gradient.norm().item() for gradient in torch.autograd.grad(loss, weights)]
    missing = [None] * (MOST - depth)
    return {"depth": depth, "rates": rates + missing, "gradients": gradients + missing}


def build_depth(fig):
    """Left the firing rate of each layer, right the norm of the gradient of its weights."""
    rates, gradients = fig.subplots(1, 2, sharey=True)
    rates.set(xlim=(0, 0.75), xlabel="spikes a neuron and step", ylabel="layer", title="Forward: who fires")
    gradients.set(xscale="log", xlim=(_FLOOR, 1e9), xlabel="norm of dL/dW", title="Back: who hears of the loss")
    gradients.set_xticks([1e-9, 1e-6, 1e-3, 1, 1e3])
    gradients.minorticks_off()
    rates.set_ylim(MOST + 0.6, 0.4)
    rates.set_yticks(range(1, MOST + 1), [str(layer) for layer in range(1, MOST + 1)])
    artists = {}
    for ax, color, name, left in ((rates, "blue", "rate", 0), (gradients, "orange", "gradient", _FLOOR)):
        ax.tick_params(axis="y", length=0)
        for layer, bar in enumerate(ax.barh(range(1, MOST + 1), 1e-9, left=left, height=0.7, color=COLORS[color])):
            artists[f"{name} {layer}"] = bar
            artists[f"{name} text {layer}"] = ax.text(left, layer + 1, "", va="center", fontsize=9)
    return artists


def update_depth(artists, data):
    """Move the bars, and the numbers at their ends; layers that are not there say so."""
    for layer, (rate, gradient) in enumerate(zip(data["rates"], data["gradients"], strict=True)):
        artists[f"rate {layer}"].set_width(rate or 0)
        words = "no layer" if rate is None else "silent" if rate == 0 else f"{rate:.3f}"
        artists[f"rate text {layer}"].set(text=words, x=(rate or 0) + 0.01, color="0.6" if rate is None else "black")
        end = max(gradient or 0, _FLOOR)
        artists[f"gradient {layer}"].set_width(end - _FLOOR)
        words = "" if gradient is None else "exactly 0" if gradient == 0 else f"{gradient:.0e}"
        artists[f"gradient text {layer}"].set(text=words, x=end * 2)


EXPLORERS = {
    "depth": Explorer(
        compute_depth, build_depth, update_depth, size=(7.0, 4.2),
        controls={"depth": Control(2, 2, MOST, 1, "hidden layers"),
                  "norm": Choice("none", ("none", "batch norm"), "norm"),
                  "shortcuts": Choice("no", ("no", "yes"), "shortcuts"),
                  "gain": Control(1.0, 0.5, 4.0, 0.1, "weight gain", "times")},
        sweeps=(("depth", {}), ("depth", {"norm": "batch norm"}), ("depth", {"shortcuts": "yes"})),
        alt="Left, how often the neurons of each layer of a random deep network fire; right, the norm of the gradient that "
            "each layer's weights get from the loss at the other end."),
}
