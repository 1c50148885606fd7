"""A real series: how many spots the sun had, month by month, offline."""
import hashlib
import zipfile
import zlib
from pathlib import Path

import numpy as np
import torch

SUNSPOTS_FILE = Path(__file__).with_name("sunspots.npz")
SUNSPOTS_SHA256 = "f244bfb7398ec18ddc70222bf85c51a3deb5b8a0c6268bd33f2622982a205107"    # of its numbers in C order


def sunspots():
    """Load the monthly mean sunspot numbers from January 1749 to December 2008.

    Returns:
        Sunspot numbers, float32 [3120], a month each; 12 a year.

    Raises:
        RuntimeError: the file is missing or damaged (the sha256 of its numbers is verified).

    Source: US National Geophysical Data Center, as shipped in the source of statsmodels 0.14.6; see `snnteach/data/DATA.md`.

    >>> spots = sunspots()
    >>> spots.shape, round(spots[0].item(), 1)
    (torch.Size([3120]), 58.0)
    """
    try:
        with np.load(SUNSPOTS_FILE) as archive:
            tenths = archive["tenths"]
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise RuntimeError(_damaged(f"cannot be read ({error})")) from error
    got = hashlib.sha256(np.ascontiguousarray(tenths)).hexdigest()
    if got != SUNSPOTS_SHA256:
        raise RuntimeError(_damaged(f"is damaged: tenths has sha256 {got}, expected {SUNSPOTS_SHA256}"))
    return torch.from_numpy(tenths.astype(np.float32) / 10)


def _damaged(what):
    return (f"sunspots: {SUNSPOTS_FILE} {what}. Restore it: git checkout -- snnteach/data/sunspots.npz, or install snnteach "
            "again.")
