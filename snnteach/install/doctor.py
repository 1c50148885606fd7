"""What is installed, what is wrong and how to mend it (standard library only, until the environment exists)."""
import importlib.metadata
import os
import platform
import shutil
import sys
import uuid
from pathlib import Path

from . import environment, pins, workspace

GOOD, NOTE, WRONG = "ok", "note", "wrong"


def doctor(options, rest):
    """Report on this machine, with the Python of the environment where there is one that works."""
    own = environment.Environment()
    if environment.active_environment() is None and own.version():
        return environment.run([own.python, "-m", "snnteach", "doctor"], cwd=environment.ROOT)
    return report()


def report(say=print):
    """Print what every check found, how to mend what is wrong, and return 1 if something is, else 0."""
    findings = [finding for check in CHECKS for finding in check()]
    for state, text, *cure in findings:
        say(f"{state:6}{text}")
        for line in cure:
            say(f"      {line}")
    wrong = sum(state == WRONG for state, *_ in findings)
    say(f"{wrong} {'thing is' if wrong == 1 else 'things are'} wrong." if wrong else "All is well.")
    return 1 if wrong else 0


def python_checks():
    """Say which Python and which machine this is."""
    yield GOOD, f"Python {platform.python_version()} at {sys.executable}"
    yield GOOD, f"{platform.system()} {platform.release()}, {platform.machine()}"
    if sys.maxsize < 2**32:
        yield WRONG, "this Python is a 32-bit build, for which PyTorch has no package.", "Install a 64-bit one from python.org."


def environment_checks():
    """Say in what condition `.venv` is, or which environment is active instead."""
    own, active = environment.Environment(), environment.active_environment()
    if active is not None and not own.holds(active):
        yield GOOD, f"the environment {active} is active and used instead of .venv"
        return
    yield _CONDITIONS[own.condition("lab")]


_CONDITIONS = {
    "absent": (NOTE, "there is no environment yet.", "Make it with: python3 -m snnteach lab"),
    "unfinished": (WRONG, "the set-up of .venv was interrupted.", "Run again: python3 -m snnteach lab"),
    "stale": (NOTE, ".venv was made from another list of packages, or in another folder; the next lab or test mends it."),
    "foreign": (WRONG, ".venv was not made by snnteach.",
                "Activate it to use it, or move it aside: python3 -m snnteach lab --recreate"),
    "broken": (WRONG, "the Python in .venv does not run.", "Make a new one: python3 -m snnteach lab --recreate"),
    "moved": (WRONG, ".venv runs another Python than it was made with.", "Make a new one: python3 -m snnteach lab --recreate"),
    "complete": (GOOD, ".venv is complete"),
}


def package_checks():
    """Say the versions of the packages the course needs, where an environment is active."""
    if environment.active_environment() is None:
        return
    problems = pins.unmet("lab")
    sound = set(pins.requirements("lab")) - {problem.split()[0] for problem in problems}
    if sound:
        yield GOOD, ", ".join(f"{name} {importlib.metadata.version(name)}" for name in sorted(sound))
    if problems:
        yield WRONG, "; ".join(problems), "Install: python3 -m snnteach lab (with --here into an environment of your own)"


def thread_checks():
    """Say how many threads PyTorch takes; the course sets one, because small tensors run slower with more."""
    yield GOOD, f"{os.cpu_count()} processors"
    try:
        import torch
    except ImportError:
        return
    except OSError as trouble:
        yield WRONG, f"PyTorch is installed and does not load: {trouble}", "A new one: python3 -m snnteach lab --recreate"
        return
    device = f"CUDA device {torch.cuda.get_device_name()}" if torch.cuda.is_available() else "no CUDA device (none is needed)"
    yield GOOD, f"torch {torch.__version__}, {device}, threads: {torch.get_num_threads()} (setup in a notebook sets one)"


def memory_checks():
    """Say how much memory and disk are free."""
    memory = free_memory()
    if memory is None:
        yield NOTE, "free memory is unknown before the environment exists"
    elif memory < 1e9:
        yield WRONG, f"{memory / 1e9:.1f} GB of memory free; a notebook needs about 0.5 GB.", "Shut down other notebooks."
    else:
        yield GOOD, f"{memory / 1e9:.1f} GB of memory free"
    disk = shutil.disk_usage(pins.ROOT).free
    if disk < 0.5e9:
        yield WRONG, f"{disk / 1e9:.1f} GB of disk free.", "Free some space: the environment takes 3 GB, up to 8 without --cpu."
    else:
        yield GOOD, f"{disk / 1e9:.1f} GB of disk free"


def free_memory():
    """Return the bytes of memory free, None where neither psutil nor the system tells."""
    try:
        import psutil

        return psutil.virtual_memory().available
    except ImportError:
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def write_checks():
    """Say whether the folders the course writes to can be written to."""
    folders = [("working copies", workspace.WORK)]
    if home := progress_folder():
        folders.append(("progress", home))
    for name, folder in folders:
        trouble = write_trouble(folder)
        if trouble:
            yield WRONG, f"{name}: {folder} cannot be written to ({trouble}).", "Change the owner or the rights of that folder."
        else:
            yield GOOD, f"{name} go to {folder}" if name == "working copies" else f"{name} is kept in {folder}"


def progress_folder():
    """Return the folder that progress is kept in, None before the packages that know it are there."""
    try:
        from ..reader.store import home
    except ImportError:
        return None
    return home()


def write_trouble(folder):
    """Return why no file can be made in a folder (or in the nearest one above that exists), None if one can."""
    folder = Path(folder)
    while not folder.exists():
        folder = folder.parent
    trial = folder / f".snnteach-{uuid.uuid4().hex}"
    try:
        trial.write_bytes(b"snnteach")
        trial.unlink()
    except OSError as trouble:
        return trouble.strerror or str(trouble)
    return None


CHECKS = (python_checks, environment_checks, package_checks, thread_checks, memory_checks, write_checks)
