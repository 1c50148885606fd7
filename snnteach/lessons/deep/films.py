"""The film of notebook 10: the feature maps of one digit over time, and what the read-out makes of them."""
import torch
import torch.nn.functional as F

from ...networks import direct_current
from ...plots import COLORS

COLUMNS = (4, 8)                                                          # of the mosaics of the two layers
_GAP = 0.3                                                                # grey of the lines between maps


def tiles(maps, columns):
    """Put maps [C, H, W] of spikes beside each other, grey lines between them: [rows * (H + 1) + 1, columns * (W + 1) + 1]."""
    framed = F.pad(maps, (1, 0, 1, 0), value=_GAP)                        # each has a line above and at its left
    rows = [torch.cat(list(row), 1) for row in framed.split(columns)]
    return F.pad(torch.cat(rows), (0, 1, 0, 1), value=_GAP)


@torch.no_grad()
def map_frames(net, image, num_steps):
    """Return the frames (step, spikes of layers 1 and 2, shares of the digits so far, picture) of a picture [1, H, W]."""
    net.eval()
    first, second, readout = net(direct_current(image[None], num_steps))
    means = readout.mem[:, 0].cumsum(0) / torch.arange(1, num_steps + 1)[:, None]               # [T, 10]
    return [(step + 1, first.spk[step, 0], second.spk[step, 0], means[step].softmax(0), image[0])
            for step in range(num_steps)]


def build_maps(fig):
    """Make the axes: the picture, two mosaics of maps and the read-out."""
    axes = fig.subplots(1, 4, width_ratios=(0.6, 1.45, 1.75, 1))
    for ax, title in zip(axes, ("input", "12 maps of layer 1", "32 maps of layer 2", "read-out"), strict=True):
        ax.set_title(title)
    for ax in axes[:3]:
        ax.set_xticks([])
        ax.set_yticks([])
        for side in ax.spines.values():
            side.set_visible(False)
    axes[3].set(xlim=(0, 1), ylim=(9.6, -0.6), xlabel="softmax so far", ylabel="digit")
    axes[3].set_yticks(range(10), [str(digit) for digit in range(10)])
    return axes


def draw_maps(axes, frame):
    """Draw one step: black is a spike; the digit that leads is vermillion."""
    step, first, second, shares, image = frame
    axes[0].imshow(image.numpy(), cmap="gray_r", interpolation="nearest")
    for ax, maps, columns in zip(axes[1:3], (first, second), COLUMNS, strict=True):
        ax.imshow(tiles(maps, columns).numpy(), cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
    leader = int(shares.argmax())
    colors = [COLORS["vermillion" if digit == leader else "sky"] for digit in range(10)]
    axes[3].barh(range(10), shares.tolist(), height=0.7, color=colors)
    axes[2].text(0.5, -0.06, f"step {step}", transform=axes[2].transAxes, ha="center", va="top", fontsize=11)
