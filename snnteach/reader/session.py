"""The first call of every notebook."""
from numbers import Integral, Real

import torch
from IPython import get_ipython
from IPython.display import HTML, display

from ..plots import enlarge, use_style

_style = None                                                      # what `lecture` put on the page


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


def lecture(scale=1.5):
    """Make text, code and the figures drawn from now on `scale` times as large, for a lecture hall; `lecture(1)` undoes it.

    Run it after `setup`; figures that are on the page already stay as they are. Text and sliders grow in JupyterLab and
    Notebook 7; elsewhere the page has its own zoom.

    Args:
        scale: a number from 1 to 3.

    Raises:
        TypeError: scale not a number.
        ValueError: scale below 1 or above 3.

    >>> lecture(1)
    Lecture mode: new figures, and text in JupyterLab and Notebook 7, are 1 times as large.
    """
    global _style
    if isinstance(scale, bool) or not isinstance(scale, Real):
        raise TypeError(f"lecture: scale must be a number, got {scale!r} ({type(scale).__name__}).")
    if not 1 <= scale <= 3:
        raise ValueError(f"lecture: scale must be between 1 and 3, got {scale}.")
    enlarge(float(scale))
    sizes = {"content-font-size1": 14, "code-font-size": 13, "ui-font-size1": 13}        # JupyterLab's own, in pixels
    letters = " ".join(f"--jp-{name}: {scale * size:.0f}px;" for name, size in sizes.items())
    widget = f"font-size: {scale * 13:.0f}px; --jp-widgets-font-size: {scale * 13:.0f}px;"
    if (shell := get_ipython()) is not None and hasattr(shell, "kernel"):
        if _style is not None:
            _style.update(HTML(""))                                # the last one on the page would win, not the latest
        _style = display(HTML(f"<style>.jp-Notebook {{ {letters} }} .jp-Notebook .jupyter-widgets {{ {widget} }}</style>"),
                         display_id=True)
    print(f"Lecture mode: new figures, and text in JupyterLab and Notebook 7, are {scale:g} times as large.")
