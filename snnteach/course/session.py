"""The first call of every notebook."""
from numbers import Integral

import torch

from ..plots import use_style


def setup(seed):
    """Seed the initialisation of layers, use one thread, set the figure style and print one line that never changes.

    One thread, because tensors as small as those of this course run slower with two.

    Args:
        seed: a whole number, 0 or greater.

    Raises:
        TypeError: seed not a whole number.
        ValueError: seed negative or above 2**63 - 1.

    >>> setup(7)
    Ready: seed 7, one thread. Exercises answer to check, hint and solution.
    """
    if isinstance(seed, bool) or not isinstance(seed, Integral):
        raise TypeError(f"setup: seed must be a whole number, got {seed!r} ({type(seed).__name__}).")
    if not 0 <= seed < 2**63:
        raise ValueError(f"setup: seed must be between 0 and 2**63 - 1, got {seed}.")
    torch.manual_seed(int(seed))
    torch.set_num_threads(1)
    use_style()
    print(f"Ready: seed {seed}, one thread. Exercises answer to check, hint and solution.")
