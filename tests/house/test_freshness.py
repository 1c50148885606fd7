"""`notebooks --check`: the outputs of a notebook are those of its code and of what that reaches; each kind of lapse is told."""
import copy

import nbformat
import pytest

from snnteach.authoring import course, notebooks
from snnteach.lessons import lesson
from snnteach.reader import resolver
from tests.changes import change

STEM = "02_neurons"                                      # one notebook, on whose copy the lapses of form are tried


@pytest.fixture(scope="module")
def today():
    """The notebooks, and the fingerprints of what makes their outputs, by stem."""
    read = {path.stem: notebooks.read(path) for path in notebooks.paths()}
    return {stem: (notebook, notebooks.made_by(notebook)) for stem, notebook in read.items()}


def stale(today):
    """Return the parts of the code that are not as they were, by notebook; those that are all as they were are left out."""
    after = {stem: notebooks.made_by(notebook) for stem, (notebook, _) in today.items()}
    differ = {stem: {part for part in code.keys() | after[stem].keys() if code.get(part) != after[stem].get(part)}
              for stem, (_, code) in today.items()}
    return {stem: parts for stem, parts in differ.items() if parts}


@pytest.fixture
def edited(tmp_path, monkeypatch, today):
    """edited(function) edits a copy of a notebook whose outputs count as those of today's code, and checks it."""
    notebook, code = copy.deepcopy(today[STEM])
    notebook.metadata["snnteach"] = {"executed": code}
    path = tmp_path / f"{STEM}.ipynb"
    monkeypatch.setattr(notebooks, "paths", lambda names=(): [path])
    monkeypatch.setattr(notebooks, "_readme", lambda: notebooks._text(notebooks.README))      # counts all notebooks

    def edit(function):
        function({cell.id: cell for cell in notebook.cells}, notebook)
        nbformat.write(course.fill(notebook, lesson(STEM)), path)     # more lines to read are more minutes
        return notebooks.check()

    return edit


def test_a_change_of_lif_is_a_matter_of_the_notebooks_that_reach_it(today, monkeypatch):
    change(monkeypatch, "neurons.py", "def lif(x, ", "def lif(more, x, ")
    found = stale(today)
    assert all(parts == {"neurons"} for parts in found.values())
    assert {"00_start_here", "02_neurons", "04_encoding", "09_training"} <= set(found)
    assert not {"01_membrane", "14_stdp"} & set(found)


@pytest.mark.parametrize("file, old, new", [
    ("neurons.py", "def lif(", "# a comment\ndef lif("),
    ("neurons.py", '"""', '"""\nAnother docstring. '),
    ("neurons.py", "def lif(", "def unused():\n    pass\n\n\ndef lif("),
    ("authoring/slides.py", "import", "import re\nimport"),
], ids=["comment", "docstring", "unused", "authoring"])
def test_what_changes_no_output_makes_none_stale(today, monkeypatch, file, old, new):
    change(monkeypatch, file, old, new)
    assert stale(today) == {}


def test_a_message_that_a_notebook_prints_is_a_matter_of_its_outputs(today, monkeypatch):
    change(monkeypatch, "_arguments.py", "For images of 0 to 255", "For pictures of 0 to 255")
    assert stale(today)["04_encoding"] == {"_arguments"} and "01_membrane" not in stale(today)


@pytest.mark.parametrize("file, old, new, only", [
    ("lessons/neurons/exercises.py", 'id="02.1"', 'minutes=9, id="02.1"', "02_neurons"),
    ("lessons/neurons/explorers.py", '"lif": Explorer(', '"lif": Explorer(1, ', "02_neurons"),
    ("lessons/neurons/films.py", "def draw_unrolled(", "def draw_unrolled(more, ", "02_neurons"),
    ("membrane.py", "def firing_rate(", "def firing_rate(more, ", "01_membrane"),
])
def test_a_lesson_is_a_matter_of_its_notebook(today, monkeypatch, file, old, new, only):
    change(monkeypatch, file, old, new)
    assert stale(today) == {only: {file.removesuffix(".py").replace("/", ".")}}


def test_what_all_show_is_a_matter_of_all(today, monkeypatch):
    change(monkeypatch, "reader/answers.py", "def check(", "def check(more, ")
    assert set(stale(today)) == set(today)


def test_changed_data_are_a_matter_of_the_notebooks_that_load_them(today, monkeypatch):
    of_file = resolver._of_file
    monkeypatch.setattr(resolver, "_of_file", lambda path, changed: "other" if path.name == "grasshopper.npz" else of_file(
        path, changed))
    assert stale(today) == {stem: {"data/grasshopper.npz"} for stem in ("01_membrane", "03_zoo", "04_encoding")}


def test_changed_stored_results_are_a_matter_of_the_notebooks_that_draw_them(today, monkeypatch):
    stored = resolver.results.stored
    monkeypatch.setattr(resolver.results, "stored", lambda topic: {} if topic == "training" else stored(topic))
    assert stale(today) == {stem: {"stored training"} for stem in ("09_training", "10_deep")}


@pytest.mark.parametrize("edit", [
    lambda cells, _: cells["setup"].update(source=cells["setup"].source + "\nx = 1"),
    lambda cells, _: cells["setup"].update(source=cells["setup"].source + "\n"),
])
def test_a_changed_cell_makes_the_outputs_stale(edited, edit):
    assert edited(edit) == ["02_neurons.ipynb: its outputs are older than cells. "
                                          "python -m snnteach notebooks --execute 02_neurons"]


def test_a_line_that_moves_to_the_next_cell_makes_the_outputs_stale(edited):
    def move(cells, _):
        first, second = (cell for cell in cells.values() if cell.cell_type == "code" and cell.id in ("setup", "s0-explore"))
        *lines, last = first.source.split("\n")
        first.source, second.source = "\n".join(lines), f"{last}\n{second.source}"
    assert "older than cells." in edited(move)[0]


def test_a_cell_that_only_prose_changes_stays_fresh(edited):
    def say(cells, _):
        next(cell for cell in cells.values() if cell.cell_type == "markdown" and "**Next" not in cell.source
             and "minutes" not in cell.source).source += " More."
    assert edited(say) == []


@pytest.mark.parametrize("metadata", [{}, {"snnteach": {"executed": "d9965260d6cfbed3"}}])
def test_a_notebook_that_was_never_stamped_is_stale(edited, metadata):
    def stamp(_, notebook):
        notebook.metadata.pop("snnteach")
        notebook.metadata.update(metadata)
    (found,) = edited(stamp)
    assert f"older than {', '.join(sorted(notebooks.made_by(notebooks.read(notebooks.paths()[0]))))}. python" in found


def test_a_notebook_as_it_was_executed_is_clean(edited):
    assert edited(lambda cells, _: None) == []


def output(**what):
    return lambda cells, _: cells["setup"].outputs.append(nbformat.v4.new_output(**what))


@pytest.mark.parametrize("edit, message", [
    (lambda cells, _: cells["setup"].update(execution_count=7), "not normalised"),
    (lambda cells, _: cells["setup"].metadata.update(collapsed=True), "not normalised"),
    (lambda _, notebook: notebook.metadata.update(widgets={"state": {}}), "not normalised"),
    (lambda _, notebook: notebook.metadata.kernelspec.update(name="mine"), "not normalised"),
    (output(output_type="stream", text="twice"), "not normalised"),
    (output(output_type="stream", name="stderr", text="UserWarning"), "[setup]: text on stderr"),
    (output(output_type="error", ename="ValueError", evalue="", traceback=[]), "[setup]: error in an output: ValueError"),
    (output(output_type="display_data", data={"text/plain": "/home/me/x"}), "[setup]: a machine's path"),
    (output(output_type="display_data", data={"text/plain": "in C:\\Users\\me\\x"}), "[setup]: a machine's path"),
    (output(output_type="display_data", data={"image/jpeg": "A" * 3000, "text/plain": "/tmp/x"}), "[setup]: a machine's path"),
])
def test_each_other_lapse_of_form_is_told(edited, edit, message):
    found = edited(edit)
    assert len(found) == 1 and found[0].startswith("02_neurons.ipynb") and message in found[0], found


def test_what_a_cell_uses_and_no_one_defines_is_an_error(edited):
    def use(cells, _):
        cells["setup"].source += "\nprint(nowhere)"
    (found,) = edited(use)
    assert found.startswith("02_neurons.ipynb: what its cells reach cannot be followed: ")
    assert "cells uses nowhere but does not define it" in found
