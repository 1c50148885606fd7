"""A grid of small pictures: receptive fields, digits."""
import torch


def mosaic(images, columns, gap=1):
    """Put images [N, H, W], each scaled to its own largest value, into one [rows * (H + gap) - gap, ...]; gaps are nan."""
    images = torch.as_tensor(images).detach().double()
    if images.dim() != 3:
        raise ValueError(f"fields: images must be [N, H, W], got shape {tuple(images.shape)}. "
                         "For rows of pixels: weight.view(-1, 28, 28).")
    count, height, width = images.shape
    lines = -(-count // columns)
    whole = torch.full((lines * columns, height + gap, width + gap), torch.nan, dtype=torch.float64)
    whole[:count, :height, :width] = images / images.abs().amax((1, 2), keepdim=True).clamp(min=1e-12)
    whole = whole.view(lines, columns, height + gap, width + gap).transpose(1, 2).flatten(0, 1).flatten(1)
    return whole[:-gap, :-gap] if gap else whole


def fields(ax, images, columns, *, signed=False):
    """Draw images [N, H, W] as a grid: black is an image's largest value; `signed`: red above zero, blue below."""
    look = {"cmap": "RdBu_r", "vmin": -1} if signed else {"cmap": "gray_r", "vmin": 0}
    ax.set_axis_off()
    return ax.imshow(mosaic(images, columns).numpy(), vmax=1, interpolation="nearest", **look)
