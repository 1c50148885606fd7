"""The film of notebook 07: the potentials of the outputs, and the window of their surrogate, while the network learns."""
import torch

from ...losses import ce_count_loss
from ...networks import SpikingMLP, direct_current
from ...plots import COLORS

_LOW, _HIGH = -4, 2                                   # what lies beyond is drawn at the edge
_BINS = torch.linspace(_LOW, _HIGH, 49)


def learning_frames(data, surrogates, *, steps=96, every=4, sizes=(64, 100, 10), seed=0):
    """Train a network with each of `surrogates` {name: h} on the same batches; return a frame every few steps.

    Args:
        data: inputs and targets to train on, inputs and targets held out.
    """
    runs = [list(_watch(data, h, steps, every, sizes, seed)) for h in surrogates.values()]
    return [{"step": step, **dict(zip(surrogates, views, strict=True))} for step, views in zip(
        range(0, steps + 1, every), zip(*runs, strict=True), strict=True)]


def _watch(data, h, steps, every, sizes, seed):
    inputs, targets, held_out, labels = data
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = SpikingMLP(sizes, surrogate=h)
    optimiser = torch.optim.Adam(net.parameters(), lr=5e-3)
    for step in range(steps + 1):
        if step % every == 0:
            with torch.no_grad():
                yield _view(net(direct_current(held_out, 10))[-1], labels)
        batch = torch.randint(len(inputs), (64,), generator=generator)
        optimiser.zero_grad()
        ce_count_loss(net(direct_current(inputs[batch], 10))[-1].spk, targets[batch]).backward()
        optimiser.step()


def _view(out, labels):
    """What is seen of the outputs: u = U - 1 of the output that should fire and of the others, and what they answer."""
    u, right = out.mem - 1, torch.nn.functional.one_hot(labels, out.mem.shape[-1]).bool()              # [T, B, C], [B, C]
    answer = out.spk.sum(0).argmax(1)
    return {"right": u[:, right], "others": u[:, ~right], "accuracy": (answer == labels).double().mean().item(),
            "classes": len(set(answer[answer == labels].tolist()))}


def build_learning(fig, names, windows):
    """Make an axis for each surrogate, its window shaded: `windows` {name: half its width}."""
    axes = fig.subplots(len(names), 1, sharex=True)
    for ax, name in zip(axes, names, strict=True):
        ax.axvspan(-windows[name], windows[name], color=COLORS["orange"], alpha=0.25, linewidth=0)
        ax.axvline(0, color="0.45", linestyle="--", linewidth=1)
        ax.set(xlim=(_LOW, _HIGH), ylim=(0, 0.16), ylabel="share", yticks=(0, 0.1))
        ax.set_title(name)
    axes[0].text(0.985, 0.9, "output that should fire", transform=axes[0].transAxes, ha="right", va="top", color=COLORS["blue"])
    axes[0].text(0.015, 0.9, "the nine others", transform=axes[0].transAxes, va="top")
    axes[-1].set_xlabel("u = potential of an output - threshold")
    return dict(zip(names, axes, strict=True))


def draw_learning(axes, frame):
    """Draw one moment of the training with every surrogate."""
    for name, ax in axes.items():
        view = frame[name]
        for part, color, style in (("others", "black", "--"), ("right", "blue", "-")):
            share = torch.histogram(view[part].clamp(_LOW, _HIGH), _BINS).hist / view[part].numel()
            ax.stairs(share.numpy(), _BINS.numpy(), color=COLORS[color], linestyle=style, fill=part == "right",
                      alpha=0.7 if part == "right" else 1, linewidth=1.6)
        ax.text(1, 1.03, f"step {frame['step']}: {view['accuracy']:.0%} right, {view['classes']} of 10 digits ever read",
                transform=ax.transAxes, ha="right", va="bottom")
