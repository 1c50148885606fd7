"""What must be installed: the pins and lower bounds, and whether this Python has them (standard library only)."""
import importlib.metadata
import json
import re
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

ROOT = Path(__file__).resolve().parents[2]
LEVELS = {"lab": ("binder/requirements.txt",), "test": ("binder/requirements.txt", "tests/requirements.txt")}
EXTRAS = {"lab": ("lab",), "test": ("lab", "test", "site", "peers")}


def pins(level, root=ROOT):
    """Return the pinned requirements of a level, options and comments left out."""
    lines = [line.strip() for name in LEVELS[level] for line in (root / name).read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line and line[0] not in "-#"]


def cpu_options(root=ROOT):
    """Return the pip options that find the CPU build of PyTorch: the first line of the runtime pins."""
    return (root / LEVELS["lab"][0]).read_text(encoding="utf-8").splitlines()[0].split()


def project(root=ROOT):
    """Return the [project] table of pyproject.toml."""
    import tomllib  # here: Python 3.11

    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def requirements(level, root=ROOT):
    """Return the direct requirements of a level, a dict from name to lower bound."""
    table = project(root)
    lines = table["dependencies"] + [line for extra in EXTRAS[level] for line in table["optional-dependencies"][extra]]
    return dict(re.match(r"([\w.-]+)>=([\d.]+)", line).groups() for line in lines)


def unmet(level, root=ROOT):
    """Return what this Python lacks for a level, one line each."""
    problems = []
    for name, bound in requirements(level, root).items():
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            problems.append(f"{name} is missing")
            continue
        if numbers(found) < numbers(bound):
            problems.append(f"{name} is {found}, older than {bound}")
    return problems if installed_from(root) else [*problems, "snnteach is not installed from this folder"]


def installed_from(root):
    """Tell whether this Python has the package installed, editable, from the folder `root`; kernels import it from there."""
    for distribution in importlib.metadata.distributions(name="snnteach"):
        origin = json.loads(distribution.read_text("direct_url.json") or "{}")
        if origin.get("dir_info", {}).get("editable"):
            return Path(url2pathname(urlsplit(origin["url"]).path)).resolve() == Path(root).resolve()
    return False


def numbers(version):
    """Return the release numbers of a version, for comparison.

    >>> numbers("2.13.0+cpu") >= numbers("2.4")
    True
    """
    return tuple(int(part) for part in re.match(r"\d+(\.\d+)*", version).group().split("."))
