"""Small things with files that must work alike on Linux, macOS and Windows (standard library only)."""
import contextlib
import datetime
import os
import time
from pathlib import Path

PATIENCE = (0.05, 0.1, 0.2, 0.4) if os.name == "nt" else ()  # seconds; Windows replaces no file that a scanner looks at


def write_atomically(path, data):
    """Write bytes or text so that a reader sees the old file or the new one, never half of it."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
            file.flush()
            os.fsync(file.fileno())
        _replace(temporary, path)
        _flush(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _replace(temporary, path):
    for wait in PATIENCE:
        try:
            return os.replace(temporary, path)
        except PermissionError:
            time.sleep(wait)
    os.replace(temporary, path)


def _flush(folder):
    """Have the new name on the disk, too, before anything is said to be saved; Windows opens no folder, and needs not."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def dated(path, word):
    """Return a free name beside `path`: `01_membrane.ipynb` becomes `01_membrane.<word>-2026-11-23.ipynb`.

    >>> dated("no/such/01_membrane.ipynb", "new").name.startswith("01_membrane.new-")
    True
    """
    path, today = Path(path), datetime.date.today().isoformat()
    candidate, number = path.with_name(f"{path.stem}.{word}-{today}{path.suffix}"), 2
    while candidate.exists():
        candidate = path.with_name(f"{path.stem}.{word}-{today}-{number}{path.suffix}")
        number += 1
    return candidate


@contextlib.contextmanager
def locked(path, waiting):
    """Hold a lock that the system frees even if this process is killed; call `waiting` where another one holds it."""
    with open(path, "a+b") as file:
        if not _lock(file, block=False):
            waiting()
            while not _lock(file, block=True):
                pass
        try:
            yield
        finally:
            _unlock(file)


if os.name == "nt":  # pragma: no cover
    import msvcrt

    def _lock(file, block):
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if block else msvcrt.LK_NBLCK, 1)
        except OSError:  # LK_LOCK gives up after ten seconds
            return False
        return True

    def _unlock(file):
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _lock(file, block):
        try:
            fcntl.flock(file, fcntl.LOCK_EX if block else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(file):
        fcntl.flock(file, fcntl.LOCK_UN)
