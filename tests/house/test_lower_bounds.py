"""The lower bounds of pyproject.toml are the lowest versions that work, under Python 3.11, the oldest.

Each was lowered until no build for Linux, Windows and macOS was left or something failed: the fused optimiser on a processor
(torch 2.3), `set_data` of a filled area (matplotlib 3.9), a package that they import and do not ask for (ipywidgets 7.6.3,
nbclient 0.5.12, ipykernel 6.3), formulas in Markdown (mistune 2), widgets in JupyterLab 4 (ipywidgets 7), the
reset of a neuron (nir 1.0.5), or what the others ask for (ipython, nbformat, nbconvert). Here environments of exactly these
are made.
"""
import os
import shutil
import subprocess
import sys

import pytest

from snnteach.install.pins import ROOT, pins
from tests.house.test_wheel import READER

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not os.environ.get("SNNTEACH_FULL"), reason="installs two environments, minutes: test --full does it"),
    pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the lowest versions have no builds for a newer Python"),
]
NOTEBOOK = "from snnteach.authoring import notebooks as n; n.normalise(n.run(n.read(n.paths(['01'])[0])))"


@pytest.fixture
def lowest(tmp_path):
    """Give lowest(*options), which makes an environment of the lower bounds and returns a function that runs its Python."""
    python = tmp_path / "lowest" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def run(*command):
        settings = {"PYTHONPATH": str(ROOT), "SNNTEACH_HOME": str(tmp_path), "SNNTEACH_FULL": ""}
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, **settings}, capture_output=True, text=True, timeout=3000)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    def make(*options):
        run(sys.executable, "-m", "uv", "venv", "--python", sys.executable, str(python.parents[1]))
        run(sys.executable, "-m", "uv", "pip", "install", "--python", str(python), "--resolution", "lowest-direct",
            "--only-binary", ":all:", "-r", "pyproject.toml", *options)
        return lambda *arguments: run(str(python), *arguments)

    yield make
    shutil.rmtree(python.parents[1])


def test_what_pip_installs_explores_checks_and_stores(lowest):
    """As on Colab, where ipython and ipywidgets are old."""
    assert lowest()("-c", READER, str(ROOT)).count("not attempted") >= 10


def test_the_reference_and_a_notebook_pass_with_the_lab(lowest):
    tools = [pin for pin in pins("test") if pin.startswith(("pytest==", "hypothesis=="))]
    python = lowest("--extra", "lab", *tools)
    assert " passed" in python("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/reference")
    python("-c", NOTEBOOK)
