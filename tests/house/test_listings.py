"""A function shown in a notebook under a package function's name passes that function's own example."""
import doctest
import importlib
import inspect
import re
import sys

import nbformat
import pytest

from snnteach.authoring import notebooks
from snnteach.authoring.uses import shown, users
from snnteach.data import MNIST_FILE
from snnteach.lessons import lesson, syllabus
from snnteach.reader import resolver
from tests import bare, cells
from tests.listings import namespace

PATHS = notebooks.paths()
WHOLE = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def toy(*cells):
    """A notebook with a setup cell, and then listings."""
    tags = [["setup"], *[["listing"]] * len(cells[1:])]
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source, id=f"s{number}", metadata={"tags": tag})
                                           for number, (source, tag) in enumerate(zip(cells, tags, strict=True))])


@WHOLE
def test_listings_pass_the_examples_of_the_package(path):
    names, compared = namespace(path.stem), 0
    for full in sorted({full for found in shown(notebooks.read(path), lesson(path.stem).topic).values() for full in found}):
        module, _, name = full.rpartition(".")
        package = getattr(importlib.import_module(module), name) if name in names else None
        if not inspect.isfunction(package) or not inspect.isfunction(names[name]):
            continue
        assert names[name] is not package and package.__module__ == module
        for test in doctest.DocTestFinder(recurse=False).find(package, name, globs={**vars(sys.modules[module]), **names}):
            result = doctest.DocTestRunner().run(test)
            assert result.failed == 0, f"{path.stem}: the listing of {name} differs from the package"
            compared += result.attempted
    assert compared >= 1, f"{path.stem} shows no function of the package"


@pytest.mark.parametrize("cells, topic, expected", [
    (("", "def lif():\n    pass\ndef mine():\n    pass"), "neurons", ["snnteach.neurons.lif"]),
    (("", "def lif():\n    pass"), "training", ["snnteach.training"]),
    (("from snnteach.neurons import lif", "def lif():\n    pass\nlif()"), "training", ["snnteach.neurons.lif"]),
    (("from snnteach import neurons\nneurons.lif", "def lif():\n    pass"), "training", ["snnteach.neurons.lif"]),
    (("from snnteach import neurons as reference\nreference.lif", "def lif():\n    pass"), "neurons", ["snnteach.neurons.lif"]),
    (("from snnteach import neurons\nneurons.LIF", "class LIF:\n    pass"), "training", ["snnteach.neurons.LIF"]),
])
def test_a_listing_shows_its_topic_or_what_the_notebook_uses(cells, topic, expected):
    assert shown(toy(*cells), topic) == {"s1": expected}


def test_a_name_in_two_modules_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(resolver, "PACKAGE", tmp_path)
    for name in ("__init__", "one", "two"):
        (tmp_path / f"{name}.py").write_text("def f():\n    pass\n")
    setup = f"from {tmp_path.name}.two import f\nf()"
    assert shown(toy(setup, "def g():\n    pass"), "one") == {"s1": ["snnteach.one"]}
    with pytest.raises(ValueError, match="f stands in one and two"):
        shown(toy(setup, "def f():\n    pass"), "one")


def test_every_listing_shows_something():
    for path in PATHS:
        notebook = notebooks.read(path)
        tagged = {cell.id for cell in notebook.cells if "listing" in cell.metadata.get("tags", [])}
        assert shown(notebook, lesson(path.stem).topic).keys() == tagged and tagged


def test_every_module_has_its_notebooks():
    found = users()
    assert {row.topic for row in syllabus()} <= set(found)                            # others are for code of the reader's own
    assert all(path.stem in found[lesson(path.stem).topic] for path in PATHS)
    assert "09_training" in found["activity"] and "01_membrane" not in found["activity"]


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
