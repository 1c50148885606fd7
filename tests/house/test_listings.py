"""A function shown in a notebook under a package function's name passes that function's own example."""
import doctest
import importlib
import inspect
import pkgutil
import subprocess
import sys

import pytest

import snnteach
from snnteach.authoring import notebooks
from tests.listings import namespace

PATHS = notebooks.paths()
WHOLE = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
MODULES = [info.name for info in pkgutil.iter_modules(snnteach.__path__) if not info.ispkg and not info.name.startswith("_")]


def public(name):
    """The package's function of this name, or None."""
    for module in (importlib.import_module(f"snnteach.{short}") for short in MODULES):
        found = getattr(module, name, None)
        if callable(found) and getattr(found, "__module__", "") == module.__name__:
            return found
    return None


@WHOLE
def test_listings_pass_the_examples_of_the_package(path):
    names = namespace(path.stem)
    compared = 0
    for name, shown in list(names.items()):
        package = public(name)
        if not inspect.isfunction(shown) or package is None or shown is package or not package.__doc__:
            continue
        context = {**vars(sys.modules[package.__module__]), **names}
        for test in doctest.DocTestFinder(recurse=False).find(package, name, globs=context):
            result = doctest.DocTestRunner().run(test)
            assert result.failed == 0, f"{path.stem}: the listing of {name} differs from the package"
            compared += result.attempted
    assert compared >= 1, f"{path.stem} shows no function of the package"


@WHOLE
def test_program_runs_alone_and_prints_what_the_notebook_shows(path, tmp_path):
    (cell,) = (cell for cell in notebooks.read(path).cells if "program" in cell.metadata.get("tags", []))
    data = notebooks.TUTORIALS.parent / "snnteach" / "data" / "mnist.npz"
    if "mnist.npz" in cell.source:
        (tmp_path / "mnist.npz").symlink_to(data)
    guard = "import sys; sys.modules['snnteach'] = None\nimport torch; torch.set_num_threads(1)\n"
    done = subprocess.run([sys.executable, "-I", "-c", guard + cell.source], cwd=tmp_path, capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout and done.stderr == ""
    if "accuracy" not in cell.source:                       # trained numbers may differ in the last digit between machines
        assert done.stdout == "".join(output.get("text", "") for output in cell.outputs)
