"""A real neuron and the sound that it heard: a grasshopper's auditory receptor, offline."""
import hashlib
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

GRASSHOPPER_FILE = Path(__file__).with_name("grasshopper.npz")
SECONDS_PER_STEP = 50e-6
SHA256 = {  # of the bytes of each array in C order
    "envelope_1": "0ce6640337e23ca15fabb03f5a5c9ddac2a7f7f3a7685c168bc1a0d3c99ba26b",
    "spike_times_us_1": "f85b906ac083eee90838a9f8baef6902808be50c274515791cb9f6980f0ca86e",
    "envelope_2": "1150e3c8dfa3a272d9522195e68f999540b9c5ced0142b9ff3ea7235ec35c9af",
    "spike_times_us_2": "027ced8092aeb528b45b40d0770ec2daec43e101b66a5f191b33eb394f5d6075",
}


class Recording(NamedTuple):
    """Ten seconds: loudness in decibel, float32 [200000], a sample each 50 us, and spike times in seconds, float64 [K]."""

    loudness: torch.Tensor
    spike_times: torch.Tensor


def grasshopper(recording=1):
    """Load ten seconds of a grasshopper's auditory receptor: how loud the sound was, and when the neuron fired.

    loudness = 20 log10(envelope), so that the loudest moment is 0 dB

    Args:
        recording: 1 (envelope with frequencies up to 200 Hz, 929 spikes) or 2 (up to 800 Hz, 868 spikes).

    Returns:
        Recording(loudness [200000] in dB, spike_times [K] in seconds).

    Raises:
        ValueError: recording neither 1 nor 2.
        RuntimeError: the file is missing or damaged (the sha256 of every array is verified).

    Source: Rokem et al. (2006), doi:10.1152/jn.00891.2005, as shipped by nitime 0.12.1; see `snnteach/data/DATA.md`.

    >>> sound, times = grasshopper()
    >>> sound.shape, len(times), round(times[0].item(), 4)
    (torch.Size([200000]), 929, 0.0067)
    """
    if recording not in (1, 2):
        raise ValueError(f"grasshopper: recording must be 1 or 2, got {recording!r}.")
    names = (f"envelope_{recording}", f"spike_times_us_{recording}")
    try:
        with np.load(GRASSHOPPER_FILE) as archive:
            envelope, times = (archive[name] for name in names)
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise RuntimeError(_damaged(f"cannot be read ({error})")) from error
    for name, array in zip(names, (envelope, times), strict=True):
        got = hashlib.sha256(np.ascontiguousarray(array)).hexdigest()
        if got != SHA256[name]:
            raise RuntimeError(_damaged(f"is damaged: {name} has sha256 {got}, expected {SHA256[name]}"))
    return Recording(20 * torch.from_numpy(envelope).log10(), torch.from_numpy(times).double() / 1e6)


def _damaged(what):
    return (f"grasshopper: {GRASSHOPPER_FILE} {what}. Restore it: git checkout -- snnteach/data/grasshopper.npz, "
            "or install snnteach again.")
