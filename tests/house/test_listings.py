"""A function shown in a notebook under a package function's name passes that function's own example."""
import doctest
import importlib
import inspect
import pkgutil
import re
import sys

import pytest

import snnteach
from snnteach.authoring import notebooks
from snnteach.data import MNIST_FILE
from tests import bare, cells
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


@pytest.fixture(scope="module")
def run():
    with bare.interpreter() as run:
        yield run


NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def assert_printed(said, shown, trained):
    """The same words; the same numbers too, or nearly so where the program trains: other machines round otherwise."""
    assert NUMBER.sub("#", said) == NUMBER.sub("#", shown)
    found, expected = ([float(number) for number in NUMBER.findall(text)] for text in (said, shown))
    assert found == (pytest.approx(expected, rel=0.05, abs=0.1) if trained else expected)


@WHOLE
def test_program_runs_alone_and_prints_what_the_notebook_shows(path, tmp_path, run):
    """At every commit it runs only here: nbval leaves it out (conftest.py), for the output is compared here."""
    (cell,) = (cell for cell in cells.code_cells(path) if "program" in cells.tags(cell))
    if "mnist.npz" in cell.source:
        (tmp_path / "mnist.npz").symlink_to(MNIST_FILE)
    done = run(cell.source, tmp_path)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert done.stdout
    assert_printed(done.stdout, "".join(output.get("text", "") for output in cell.outputs), "accuracy" in cell.source)


@pytest.mark.parametrize(("source", "code", "said"), [
    ("import snnteach", 1, "ModuleNotFoundError"), ("import os, sys\nprint(os.listdir())", 0, "program.py"),
    ("print(undefined)", 1, "NameError"), ("raise SystemExit(3)", 3, ""), ("seen = 1\nprint('first')", 0, "first"),
    ("print('seen' in globals(), __name__)", 0, "False __main__"),
])
def test_a_program_finds_nothing_of_snnteach_nor_of_the_one_before(source, code, said, tmp_path, run):
    done = run(source, tmp_path)
    assert done.returncode == code and said in done.stdout + done.stderr


@pytest.mark.parametrize(("said", "trained"), [("accuracy 0.70", True), ("accuracy 0.95", False), ("error 0.94", True)])
def test_another_output_is_noticed(said, trained):
    assert_printed("accuracy 0.95" if trained else "accuracy 0.94", "accuracy 0.94", True)
    with pytest.raises(AssertionError):
        assert_printed(said, "accuracy 0.94", trained)
