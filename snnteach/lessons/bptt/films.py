"""The film of notebook 08: the gradient on its way back."""
import torch

from ...bptt import backward, step_jacobian
from ...plots import COLORS
from ...surrogate import atan


def backward_frames(run, weights, error, beta, beta_out, threshold=1.0):
    """Return the frames of the animation, from the last step to the first: the gradients that have been visited so far."""
    slope, jacobian = atan()(run.mem - threshold)[:, 0], step_jacobian(run.mem, weights, beta, threshold)[:, 0]
    d_out, d_mem = torch.zeros_like(error[0, 0]), torch.zeros_like(slope[0])
    grads, total = torch.full_like(slope, torch.nan), torch.zeros_like(weights.hidden)              # [T, H], [H, I]
    record = {"spk": run.spk[:, 0], "error": error[:, 0, 0],
              "exact": backward(run, weights, error, beta, beta_out, threshold).hidden.flatten()}
    frames = []
    for t in reversed(range(len(slope))):
        d_out = error[t, 0] + beta_out * d_out
        d_mem = slope[t] * (d_out @ weights.output) + d_mem @ jacobian[t]
        grads[t], total = d_mem, total + d_mem[:, None] * run.x[t, 0]
        frames.append((t, grads.clone(), total.flatten(), record))
    record["scale"] = grads.abs().amax(0).clamp(min=1e-30)                                          # [H], for the colours
    return frames


def build_backward(fig):
    """Left the error and, below it, the gradient of every potential; right the weight gradient as it adds up."""
    grid = fig.add_gridspec(2, 2, width_ratios=(2.2, 1), height_ratios=(1, 2.6))
    axes = [fig.add_subplot(cell) for cell in (grid[0, 0], grid[1, 0], grid[:, 1])]
    axes[0].set(ylabel="error E", xticks=(), ylim=(-0.8, 0.8), yticks=(-0.5, 0, 0.5))
    axes[0].set_title("The error sets out backwards ...")
    axes[1].set(xlabel="time step (ticks: spikes)", ylabel="hidden neuron")
    axes[2].set(xlabel="gradient of W", ylabel="weight", yticks=())
    axes[2].set_title("... and dW adds up")
    return axes


def draw_backward(axes, frame):
    """Draw what has been visited down to one step."""
    now, grads, total, record = frame
    top, middle, right = axes
    steps, neurons = grads.shape
    top.bar(range(steps), record["error"], color=[COLORS["vermillion"] if step >= now else "0.8" for step in range(steps)])
    top.axhline(0, color="black", linewidth=0.8)
    top.set(xlim=(-0.5, steps - 0.5))
    middle.imshow((grads / record["scale"]).T, cmap="PuOr_r", vmin=-1, vmax=1, aspect="auto", interpolation="nearest",
                  extent=(-0.5, steps - 0.5, -0.5, neurons - 0.5), origin="lower")
    fired = record["spk"].nonzero()
    middle.vlines(fired[:, 0], fired[:, 1] - 0.35, fired[:, 1] + 0.35, color="black", linewidth=1.1)
    middle.axvline(now - 0.5, color=COLORS["vermillion"], linewidth=2)
    middle.set(xlim=(-0.5, steps - 0.5), ylim=(-0.5, neurons - 0.5), yticks=range(0, neurons, 2))
    rows = torch.arange(len(total))
    right.barh(rows, total, height=0.8, color=COLORS["blue"])
    right.set_ylim(-1, len(total) + 4)                                                              # room for the text
    right.plot(record["exact"], rows, "|", color=COLORS["vermillion"], markersize=6, markeredgewidth=1.6)
    right.text(0.98, 0.985, "ticks: the whole pass", transform=right.transAxes, ha="right", va="top", fontsize=9,
               color=COLORS["vermillion"])
