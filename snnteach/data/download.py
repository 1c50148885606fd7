"""Fetch an IDX file once: announced, verified, and under its final name only when it is whole."""
import gzip
import hashlib
import http.client
import os
import ssl
import struct
import time
import urllib.error
import urllib.request
import zlib

import numpy as np
import torch
from filelock import FileLock, Timeout
from tqdm.auto import tqdm

ATTEMPTS = 3
WAIT_SECONDS = 1  # before the second attempt, twice that before the third
TIMEOUT_SECONDS = 30
LOCK_SECONDS = 900
OFFLINE = "mnist5k() needs no network: it loads 5000 training images and all 10,000 test images from the package."


class DamagedFile(RuntimeError):
    """A file whose content is not what it should be."""


def fetch_idx(url, path, md5):
    """Return the tensor in a gzipped IDX file, from `path` if it is there and sound, else downloaded from `url`.

    Args:
        url: address of the file.
        path: where it is kept; the folder is made if needed.
        md5: checksum of the unpacked content.

    Returns:
        The array as a uint8 tensor.

    Raises:
        ConnectionError: the server cannot be reached, or answers with an error, after a few attempts.
        DamagedFile: what came is incomplete or something else; nothing of it is kept.
    """
    tensor = _cached(path, md5)
    if tensor is None:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(path.with_name(path.name + ".lock"), timeout=LOCK_SECONDS):
                tensor = _cached(path, md5)  # another process may have been faster
                if tensor is None:
                    tensor = _fetch(url, path, md5)
        except Timeout:
            raise TimeoutError(f"{path} has been locked by another process for {LOCK_SECONDS // 60} minutes.") from None
    return tensor


def _cached(path, md5):
    try:
        return _read_idx(path, md5)
    except (FileNotFoundError, DamagedFile):
        return None


def _fetch(url, path, md5):
    if path.exists():
        print(f"{path} is damaged; it is downloaded again.")
    print(f"Downloading {url} to {path.parent}")
    part = path.with_name(path.name + ".part")  # one writer at a time: the caller holds the lock
    try:
        _download(url, part)
        try:
            tensor = _read_idx(part, md5)
        except DamagedFile as error:
            raise DamagedFile(f"{url}: {error} Nothing was kept; try again later or pass another base_url.") from None
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return tensor


def _download(url, part):
    reason = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            print(f"{reason} Trying again ({attempt + 1} of {ATTEMPTS}).")
            time.sleep(WAIT_SECONDS * attempt)
        try:
            got, expected = _copy(url, part)
        except urllib.error.HTTPError as error:
            reason = f"The server answered {error.code} {error.reason}."
            if error.code < 500:
                break
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError, ssl.SSLError) as error:
            reason = f"The connection failed: {getattr(error, 'reason', error)}."
        else:
            if expected is None or got == int(expected):
                return
            reason = f"The file is incomplete: expected {expected} bytes, got {got}."
    raise ConnectionError(f"{url} could not be downloaded. {reason} Nothing was kept. {OFFLINE}")


def _copy(url, part):
    """Copy what is at `url` into the file `part`; return the bytes that came and the Content-Length or None."""
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response, open(part, "wb") as file:
        expected = response.headers["Content-Length"]
        with tqdm(total=expected and int(expected), unit="B", unit_scale=True, desc=part.stem, leave=False) as bar:
            while block := response.read(1 << 16):
                bar.update(file.write(block))
        return file.tell(), expected


def _read_idx(path, md5):
    """Read a gzipped IDX file of unsigned bytes: 0, 0, 8, number of axes, their big-endian sizes, the values."""
    packed = path.read_bytes()
    try:
        raw = gzip.decompress(packed)
    except (OSError, EOFError, zlib.error) as error:
        raise DamagedFile(f"expected a gzip file with md5 {md5} inside, got {len(packed)} bytes that do not unpack "
                          f"({error}).") from error
    got = hashlib.md5(raw, usedforsecurity=False).hexdigest()
    if got != md5:
        raise DamagedFile(f"expected md5 {md5} of the unpacked content, got {got}.")
    start = 4 + 4 * raw[3]
    shape = struct.unpack(f">{raw[3]}i", raw[4:start])
    return torch.from_numpy(np.frombuffer(raw, np.uint8, offset=start).reshape(shape).copy())
