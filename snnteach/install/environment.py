"""The environment of the course: make `.venv`, or reuse it, or say why not (standard library only).

A stamp in `.venv` says how far the set-up got and from which pins, so that a complete environment is reused at once and an
interrupted set-up is taken up again.
"""
import hashlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

from .._files import dated, locked, write_atomically
from .pins import LEVELS, ROOT, cpu_options, pins, project, unmet
from .troubles import GIGABYTE, SetupError, check_disk, classify_pip_failure, classify_venv_failure, missing_venv_message


def active_environment():
    """Return the folder of the virtual environment or conda environment that this Python runs in, or None."""
    inside = sys.prefix != sys.base_prefix or (Path(sys.prefix) / "conda-meta").is_dir()
    return Path(sys.prefix) if inside else None


def run(command, **options):
    """Run a command to its end and return its exit code; Ctrl-C and SIGTERM are left to it to answer."""
    child = subprocess.Popen([str(part) for part in command], **options)
    before = None
    if threading.current_thread() is threading.main_thread():
        before = signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    try:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                continue
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


def install(command, **options):
    """Run pip or venv, show what it prints, and return its exit code and what it wrote to stderr."""
    lines = []

    def copy(stream):
        for line in stream:
            lines.append(line)
            sys.stderr.write(line)

    environment = {**os.environ, "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONUTF8": "1"}
    read_end, write_end = os.pipe()
    reader = threading.Thread(target=copy, args=(os.fdopen(read_end, encoding="utf-8", errors="replace"),))
    reader.start()
    try:
        code = run(command, stderr=write_end, env=environment, **options)
    finally:
        os.close(write_end)
        reader.join()
    return code, "".join(lines)


class Environment:
    """The folder `.venv` of a checkout: `ready(level)` returns its Python, made or mended if need be."""

    def __init__(self, root=ROOT, install=install, say=print):
        self.root, self.folder, self._install, self.say = Path(root), Path(root) / ".venv", install, say

    @property
    def python(self):
        """The Python inside the folder, whether it is there or not."""
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def stamp(self):
        """What the stamp says: `state` (creating, installing, complete), `python`, and a hash of the pins for each level."""
        try:
            return json.loads((self.folder / "snnteach.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}

    def mark(self, **entries):
        """Write the stamp."""
        write_atomically(self.folder / "snnteach.json", json.dumps({"made by": "snnteach", **entries}, indent=1))

    def fingerprint(self, level, version):
        """Hash all that decides what is installed: the pins, the project table, the version of Python, the folder's place."""
        parts = [*pins(level, self.root), json.dumps(project(self.root), sort_keys=True), version, str(self.root)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def version(self):
        """Return the version of the Python inside, "" if it does not run."""
        code = "import sys; print('%d.%d.%d' % sys.version_info[:3])"
        try:
            answer = subprocess.run([str(self.python), "-I", "-S", "-c", code], capture_output=True, text=True, timeout=60)
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return answer.stdout.strip() if answer.returncode == 0 else ""

    def holds(self, active):
        """Tell whether the active environment is this one, and made by snnteach."""
        return active is not None and "state" in self.stamp and active.samefile(self.folder)

    def condition(self, level):
        """Return "absent", "foreign", "broken", "moved" (to another Python), "unfinished", "stale" or "complete"."""
        stamp = self.stamp
        if not self.folder.exists() or (self.folder.is_dir() and not any(self.folder.iterdir())):
            return "absent"
        if "state" not in stamp:
            return "foreign"
        if stamp["state"] == "creating":
            return "unfinished"
        version = self.version()
        if not version:
            return "broken"
        if version.rpartition(".")[0] != stamp["python"].rpartition(".")[0]:
            return "moved"
        if stamp["state"] != "complete":
            return "unfinished"
        return "complete" if stamp.get(level) == self.fingerprint(level, version) else "stale"

    def ready(self, level, cpu=False):
        """Return the path of a Python that has everything `level` needs."""
        condition = self.condition(level)
        if condition in _UNUSABLE:
            raise SetupError(_UNUSABLE[condition].format(folder=self.folder))
        if condition != "complete":
            self.folder.mkdir(exist_ok=True)
            if condition == "absent":
                self.mark(state="creating", python="")
            with locked(self.folder / "snnteach.lock", lambda: self.say("Another set-up runs in this folder; waiting for it.")):
                if self.condition(level) != "complete":
                    self._make(level, cpu)
        return self.python

    def _make(self, level, cpu):
        state = self.stamp["state"]
        has_torch = any(True for library in ("lib/python3*", "Lib") for _ in self.folder.glob(f"{library}/site-packages/torch"))
        check_disk(shutil.disk_usage(self.folder).free, needed(cpu, has_torch))
        if state == "creating":
            self._create()
        elif state == "installing":
            self.say("The set-up was interrupted; it goes on where it stopped.")
        else:
            self.say("Bringing .venv up to date with the list of packages.")
        if not cpu and not has_torch:
            advise_cpu(self.say)
        version = self.version()
        self.mark(state="installing", python=version)
        self.pip(self.python, level, cpu)
        below = list(LEVELS)[:list(LEVELS).index(level) + 1]
        self.mark(state="complete", python=version, **{name: self.fingerprint(name, version) for name in below})

    def _create(self):
        absent = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
        if absent:
            raise SetupError(missing_venv_message(absent, sys.version_info, sys.platform))
        self.say(f"Making the environment {self.folder} with Python {sys.version.split()[0]}.")
        code, text = self._install([sys.executable, "-m", "venv", self.folder])
        if code:
            raise SetupError(classify_venv_failure(text, sys.version_info, sys.platform))

    def pip(self, python, level, cpu):
        """Install the pins of a level, all in one command, and then this package, editable; PyTorch's CPU build before both."""
        self.say("Installing the packages with pip. The first time takes some minutes.")
        wanted = pins(level, self.root)
        first = [[*cpu_options(self.root), "--no-deps", *(line for line in wanted if line.startswith("torch"))]] if cpu else []
        for arguments in (*first, wanted, ["--no-deps", "-e", self.root]):      # that index is asked for nothing else
            code, text = self._install([python, "-m", "pip", "install", *arguments])
            if code:
                raise SetupError(classify_pip_failure(text))

    def move_aside(self):
        """Rename `.venv` to a dated name, so that a new one can be made."""
        if self.folder.exists():
            kept = dated(self.folder, "old")
            try:
                os.replace(self.folder, kept)
            except OSError as trouble:
                raise SetupError(f"{self.folder} could not be renamed ({trouble}). Close what uses it and try again.") from None
            self.say(f"Your old environment is kept as {kept}; delete it when you no longer need it.")


_UNUSABLE = {
    "foreign": "{folder} was not made by this command, so it is left alone. Activate it to use it, or add --recreate: "
               "it is then moved aside under a dated name, and a new one is made.",
    "broken": "The Python in {folder} does not run; the Python it was made with may have been removed, or the folder moved. "
              "Add --recreate: it is then moved aside under a dated name, and a new one is made.",
    "moved": "{folder} was made with another version of Python than it runs now, and cannot find its packages. "
             "Add --recreate: it is then moved aside under a dated name, and a new one is made.",
}


def needed(cpu, has_torch):
    """Return the bytes that a set-up takes; on Linux the CUDA libraries come along unless the CPU build is asked for."""
    if has_torch:
        return 0.5 * GIGABYTE
    return (3 if cpu or not sys.platform.startswith("linux") else 8) * GIGABYTE


def has_nvidia():
    """Tell whether this machine has a driver for NVIDIA devices."""
    return shutil.which("nvidia-smi") is not None or Path("/proc/driver/nvidia").exists()


def advise_cpu(say):
    """Say, on Linux without an NVIDIA driver, that --cpu saves gigabytes."""
    if sys.platform.startswith("linux") and not has_nvidia():
        say("No NVIDIA driver here: the CPU build of PyTorch saves gigabytes. To get it, press Ctrl-C and add --cpu.")


def python_for(level, cpu=False, here=False, recreate=False, environment=None):
    """Return the Python to use: of `.venv`, or of the active environment if it has everything or `here` is given."""
    environment = environment or Environment()
    if not (environment.root / LEVELS["lab"][0]).exists():
        raise SetupError("This command needs a checkout of the course. Clone or unpack it, and run the command in its folder.")
    active = active_environment()
    ours = environment.holds(active)
    if active is not None and not ours:
        return _python_here(active, level, cpu, here, environment)
    if here and active is None:
        raise SetupError("--here installs into the active environment, and none is active. Leave it out to use .venv.")
    if recreate:
        if ours:
            raise SetupError("This command runs on the Python in .venv, which it would move. Deactivate it and try again.")
        environment.move_aside()
    python = environment.ready(level, cpu)
    return Path(sys.executable) if ours else python


def _python_here(active, level, cpu, here, environment):
    problems = unmet(level, environment.root)
    if here and problems:
        environment.pip(sys.executable, level, cpu)
    elif problems:
        raise SetupError(
            f"The environment {active} is active and lacks some of what the course needs ({'; '.join(problems[:3])}"
            f"{', and more' if len(problems) > 3 else ''}). Nothing was changed. Deactivate it and run the command again, "
            "which makes .venv in this folder, or add --here to install the pinned packages into the active environment.")
    return Path(sys.executable)
