"""What slices of rat cortex showed: the change of a synapse after pairs of spikes, by lag and frequency.

The means and their standard errors were read off the papers' figures by Chindemi and others (2022),
doi:10.1038/s41467-022-30214-w; another reading of the second experiment differs by up to .06. Both paired five times in a
row at the frequency named: Markram and others (1997), doi:10.1126/science.275.5297.213, ten such rows (ten to fifteen at
+-10 ms) every four seconds; Sjoestroem, Turrigiano and Nelson (2001), doi:10.1016/S0896-6273(01)00542-6, fifteen every
ten seconds, and at 0.1 Hz fifty single pairs.
"""
from typing import NamedTuple


class Point(NamedTuple):
    """Frequency (Hz), lag (ms; post minus pre), relative change of the synapse, and its standard error."""

    frequency: float
    lag: float
    change: float
    error: float


MARKRAM = (Point(2, 5, -0.01, 0.04), Point(5, 5, 0.02, 0.07), Point(10, 5, 0.20, 0.06), Point(20, 5, 0.37, 0.09),
           Point(30, 5, 0.42, 0.07), Point(40, 5, 0.50, 0.12), Point(10, 10, 0.20, 0.06), Point(10, -10, -0.21, 0.03))
SJOSTROM = (Point(0.1, 10, -0.04, 0.05), Point(10, 10, 0.15, 0.10), Point(20, 10, 0.31, 0.14), Point(40, 10, 0.54, 0.11),
            Point(50, 10, 0.56, 0.27), Point(0.1, -10, -0.32, 0.08), Point(10, -10, -0.44, 0.11), Point(20, -10, -0.36, 0.09),
            Point(40, -10, 0.50, 0.30), Point(50, -10, 0.69, 0.19))
SJOSTROM_20 = (Point(20, -25, -0.30, 0.07), Point(20, -10, -0.36, 0.09), Point(20, 0, -0.24, 0.10), Point(20, 10, 0.31, 0.14),
               Point(20, 25, -0.35, 0.18))


def pairings(frequency, lag, rows=15, pause=10_000, in_row=5):
    """Return the spike times (pre, post) of such an experiment, in ms: rows of pairs, a row every `pause` ms."""
    if frequency < 1:
        rows, in_row = 50, 1
    pre = [100 + pause * row + 1000 * number / frequency for row in range(rows) for number in range(in_row)]
    return pre, [time + lag for time in pre]
