"""Grey drawn by spikes: one neuron a pixel, a current as strong as the pixel is white, for each reset; see notebook 02."""
from functools import cache, partial

from ...data import flat, mnist5k
from ...networks import direct_current
from ...neurons import lif
from ..kinds import AMOUNT, SHARE

SEEDS = (0, 1, 2)                                     # which thousand of the training images
TOLERANCE = 0.02
QUANTITIES = {"*: spikes": AMOUNT, "*": SHARE}
STEPS = 25


@cache
def _images():
    return flat(mnist5k().train_images)


def drawn(reset, seed):
    """A row: the mean distance between a pixel that is not black and its neuron's rate, and the spikes of an image."""
    images = _images()[1000 * seed:1000 * (seed + 1)]                                              # [1000, 784]
    spk, _ = lif(direct_current(images, STEPS), beta=0.9, reset=reset)
    return {"error": (spk.mean(0) - images)[images > 0].abs().mean().item(), "spikes": spk.sum().item() / len(images)}


ROWS = {reset: partial(drawn, reset) for reset in ("subtract_decayed", "subtract", "zero")}
