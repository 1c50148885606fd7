"""The three S's: a spike makes a product a memory read, few spikes make a short message, a still scene sends nothing."""
from itertools import pairwise

import torch

from ._arguments import (
    check_affordable,
    check_between,
    check_finite,
    check_numbers,
    check_shape,
    check_signal,
    check_spikes,
    check_tensor,
    check_that,
    check_whole,
)

MOST_PIXELS = 2**20                                          # along an axis of a film, or in a step of what moves on it


def spike_matvec(weight, indices):
    """Multiply a weight matrix by a vector of spikes without a multiplication: read the columns that spiked and add them.

    y = W s = sum over k of W[:, k] where s[k] = 1

    Args:
        weight: weights W, [M, N], of any type.
        indices: which of the N inputs spiked, [K], int64, each at most once; K may be 0.

    Returns:
        The product y, [M], in the type of `weight`.

    Raises:
        TypeError: weight not a tensor, indices not an int64 tensor.
        ValueError: weight not [M, N], indices not [K], an index outside 0..N-1 or twice, NaN or infinity in a column read.

    Source: Eshraghian et al. (2023), section II-A, the first S: spikes.

    >>> weight = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    >>> spike_matvec(weight, torch.tensor([0, 2])).tolist()
    [4.0, 10.0]
    """
    check_tensor("spike_matvec", "weight", weight, "[M, N]", dims=2)
    check_tensor("spike_matvec", "indices", indices, "[K]", dims=1)
    check_that("spike_matvec", indices.dtype == torch.int64,
               f"indices must be int64, got {indices.dtype}. From spikes [N]: spk.nonzero().flatten().", TypeError)
    check_between("spike_matvec", "indices", indices, 0, weight.shape[1] - 1)
    check_that("spike_matvec", len(indices.unique()) == len(indices),
               "indices: one stands twice; within one time step a neuron spikes at most once.")
    product = weight[:, indices].sum(dim=1)                                # [M, K] -> [M]
    check_finite("spike_matvec", "the product", product, "Look for it in weight.")
    return product


def address_bits(num_neurons, num_spikes):
    """Count the bits of a list that holds the address of every neuron that spiked.

    bits = K ceil(log2 N),    against N bits of a bitmap, which holds a 0 or 1 for everybody

    Args:
        num_neurons: number of neurons N, at least 2.
        num_spikes: number of spikes K in this time step, 0 to N.

    Returns:
        The length of the list in bits, an int.

    Raises:
        ValueError: num_neurons not a whole number of at least 2, num_spikes not a whole number from 0 to N.

    Source: Eshraghian et al. (2023), section II-A, the second S: sparsity.

    >>> address_bits(784, 39)
    390
    """
    check_whole("address_bits", low=2, num_neurons=num_neurons)
    check_whole("address_bits", low=0, high=num_neurons, num_spikes=num_spikes)
    return int(num_spikes) * (int(num_neurons) - 1).bit_length()                     # bit_length of the largest address: exact


def crossover_density(num_neurons):
    """Find the fraction of spiking neurons at which a list of addresses is as long as a bitmap.

    K ceil(log2 N) = N,    so K / N = 1 / ceil(log2 N)

    Args:
        num_neurons: number of neurons N, at least 2.

    Returns:
        The density K / N, between 0 and 1; below it the list is the shorter one.

    Raises:
        ValueError: num_neurons not a whole number of at least 2.

    Source: the length of the list (`address_bits`) set equal to N.

    >>> crossover_density(784)
    0.1
    """
    check_whole("crossover_density", low=2, num_neurons=num_neurons)
    return 1 / address_bits(num_neurons, 1)


def run_length(spk):
    """Write spikes as the numbers of zeros that stand before each of them.

    gap[k] = index of spike k - index of spike k-1 - 1

    The zeros after the last spike are not written; who reads the gaps must know N.

    Args:
        spk: spikes 0 or 1, [N], of any type.

    Returns:
        One int a spike, a list; empty for silence.

    Raises:
        TypeError: spk not a tensor.
        ValueError: spk not [N], a value other than 0 and 1.

    Source: Eshraghian et al. (2023), section II-A: two spikes at positions 10 and 20 of 21.

    >>> spk = torch.zeros(21)
    >>> spk[[10, 20]] = 1
    >>> run_length(spk)
    [10, 9]
    """
    check_tensor("run_length", "spk", spk, "[N]", dims=1, hint=" Pick one time step: spk[t, b].")
    check_spikes("run_length", "spk", spk)
    positions = [-1, *spk.nonzero().flatten().tolist()]
    return [after - before - 1 for before, after in pairwise(positions)]


def _check_film(owner, **sizes):
    check_whole(owner, high=MOST_PIXELS, **sizes)
    check_affordable(owner, " x ".join(sizes), *sizes.values())


def moving_bar(num_steps, height, width, *, bar_width=4, speed=1, stop_step=None, background=None, brightness=1.0):
    """Film an upright bar that moves to the right in front of a background that stands still.

    pixel[t, y, x] = brightness where left(t) <= x < left(t) + bar_width, else background[y, x];
    left(t) = 1 + speed min(t, stop_step)

    Args:
        num_steps: number of frames T, at least 1.
        height, width: size of a frame in pixels.
        bar_width: width of the bar in pixels, at least 1; what leaves the frame is cut off.
        speed: pixels a frame, a whole number, 0 or more.
        stop_step: the frame from which on the bar stands still, or None if it never stops.
        background: brightness of what stands still, [height, width], float; black by default.
        brightness: of the bar, on the scale of the background.

    Returns:
        The video, float [T, height, width].

    Raises:
        TypeError: background not a floating-point tensor, brightness not a number.
        ValueError: a size, speed or step that is not such a whole number, or larger than one can mean; background of another
            shape or not finite.

    Source: Eshraghian et al. (2023), section II-A, the third S: static suppression; here as a film that can be counted.

    >>> moving_bar(2, height=1, width=6, bar_width=2)[:, 0].tolist()
    [[0.0, 1.0, 1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]]
    """
    _check_film("moving_bar", num_steps=num_steps, height=height, width=width)
    check_whole("moving_bar", high=MOST_PIXELS, bar_width=bar_width)
    check_whole("moving_bar", low=0, high=MOST_PIXELS, speed=speed, stop_step=num_steps if stop_step is None else stop_step)
    check_numbers("moving_bar", brightness=brightness)
    height, width, bar_width = int(height), int(width), int(bar_width)
    background = torch.zeros(height, width) if background is None else background
    check_signal("moving_bar", "background", background, layout="[height, width]", dims=2)
    check_shape("moving_bar", "background", background, (height, width), "[height, width]")
    check_finite("moving_bar", "background", background, "Look for it where the background was computed.")
    step = torch.arange(int(num_steps)).clamp(max=int(num_steps if stop_step is None else stop_step))
    left = (1 + int(speed) * step)[:, None, None]                               # [T, 1, 1]
    column = torch.arange(width)                                           # [W]
    return torch.where((column >= left) & (column < left + bar_width), float(brightness), background)


def change_events(video, threshold):
    """Turn a video into what an event camera sends: each pixel speaks up only when its brightness has changed enough.

    event[t] = sign(video[t] - last) where abs(video[t] - last) > threshold, else 0;
    last = the brightness at which this pixel last spoke, at first video[0]

    Args:
        video: brightness, [T, H, W].
        threshold: change that a pixel ignores, positive, in units of the video.

    Returns:
        Events, [T, H, W] of the video's type: 1 brighter, -1 darker, 0 nothing to say. The first frame has none.

    Raises:
        TypeError: video not a floating-point tensor, threshold not a number.
        ValueError: video not [T, H, W] or with an empty axis, NaN or infinity in it, threshold not positive.

    Source: Miskowicz (2006), doi:10.3390/s6010049 (send-on-delta), applied to each pixel as event cameras do
    (Lichtsteiner et al. 2008, doi:10.1109/JSSC.2007.914337), here on brightness where those cameras take its logarithm.

    >>> change_events(torch.tensor([0.0, 0.2, 0.4, 0.4, 0.0])[:, None, None], threshold=0.3).flatten().tolist()
    [0.0, 0.0, 1.0, 0.0, -1.0]
    """
    check_signal("change_events", "video", video, layout="[T, H, W]", dims=3)
    check_finite("change_events", "video", video, "Look for it where the video was computed.")
    check_numbers("change_events", above=0, threshold=threshold)
    last, events = video[0], []
    for frame in video:                                                    # [H, W]
        change = frame - last
        spoke = change.abs() > threshold
        events.append(torch.where(spoke, change.sign(), 0))
        last = torch.where(spoke, frame, last)
    return torch.stack(events)                                             # [T, H, W]
