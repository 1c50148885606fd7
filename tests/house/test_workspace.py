"""Working copies: what a reader edited is never written over, and what they only ran is brought up to date."""
import json
import threading

import pytest

from snnteach._files import dated, locked, write_atomically
from snnteach.install import workspace
from snnteach.install.troubles import SetupError


def notebook(*sources, outputs=()):
    cells = [{"cell_type": "code", "id": f"c{i}", "metadata": {}, "execution_count": None, "outputs": list(outputs),
              "source": source} for i, source in enumerate(sources)]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture
def course(tmp_path):
    """A folder with two notebooks, their working copies already made."""
    tutorials, work = tmp_path / "tutorials", tmp_path / "work"
    tutorials.mkdir()
    (tutorials / "01_membrane.ipynb").write_text(notebook("version 1"))
    (tutorials / "02_neurons.ipynb").write_text(notebook("spikes"))
    (tutorials / "notes.ipynb").write_text(notebook("not part of the course"))
    assert workspace.update(tutorials, work) == ["01_membrane.ipynb: copied into work/", "02_neurons.ipynb: copied into work/"]
    return tutorials, work


def files(work):
    return sorted(path.name for path in work.glob("*.ipynb"))


def test_a_second_update_does_nothing(course):
    assert workspace.update(*course) == []
    assert files(course[1]) == ["01_membrane.ipynb", "02_neurons.ipynb"]


def test_an_unedited_copy_is_replaced(course):
    tutorials, work = course
    (tutorials / "01_membrane.ipynb").write_text(notebook("version 2"))
    assert workspace.update(*course) == ["01_membrane.ipynb: replaced by the new version"]
    assert "version 2" in (work / "01_membrane.ipynb").read_text()
    assert files(work) == ["01_membrane.ipynb", "02_neurons.ipynb"]


def test_running_a_notebook_is_not_editing_it(course):
    tutorials, work = course
    output = {"output_type": "stream", "name": "stdout", "text": "1\n"}
    (work / "01_membrane.ipynb").write_text(notebook(["version ", "1"], outputs=[output]))
    assert workspace.update(*course) == []
    assert "stdout" in (work / "01_membrane.ipynb").read_text()
    (tutorials / "01_membrane.ipynb").write_text(notebook("version 2"))
    assert workspace.update(*course) == ["01_membrane.ipynb: replaced by the new version"]


def test_an_edited_copy_stays_and_the_new_version_lies_beside_it_once(course):
    tutorials, work = course
    (work / "01_membrane.ipynb").write_text(notebook("my answer"))
    assert workspace.update(*course) == []
    (tutorials / "01_membrane.ipynb").write_text(notebook("version 2"))
    [change] = workspace.update(*course)
    beside = dated(work / "01_membrane.ipynb", "new").name.replace("-2.ipynb", ".ipynb")
    assert change == f"01_membrane.ipynb: you edited it, so the new version lies beside it as {beside}"
    assert "my answer" in (work / "01_membrane.ipynb").read_text() and "version 2" in (work / beside).read_text()
    assert workspace.update(*course) == []

    (tutorials / "01_membrane.ipynb").write_text(notebook("version 3"))
    assert len(workspace.update(*course)) == 1
    assert len(files(work)) == 4 and "version 2" in (work / beside).read_text()


def test_an_added_or_removed_cell_is_an_edit(course):
    tutorials, work = course
    (work / "01_membrane.ipynb").write_text(notebook("version 1", "my cell"))
    (work / "02_neurons.ipynb").write_text(notebook())
    for name in ("01_membrane", "02_neurons"):
        (tutorials / f"{name}.ipynb").write_text(notebook("newer"))
    assert len(workspace.update(*course)) == 2 and len(files(work)) == 4


def test_a_copy_that_already_equals_the_new_version_is_left(course):
    tutorials, work = course
    for folder in course:
        (folder / "01_membrane.ipynb").write_text(notebook("version 2"))
    assert workspace.update(*course) == []
    (tutorials / "01_membrane.ipynb").write_text(notebook("version 3"))
    assert workspace.update(*course) == ["01_membrane.ipynb: replaced by the new version"]


@pytest.mark.parametrize("damage", ["", "{", "[1, 2]", '{"cells": 3}'])
def test_a_damaged_copy_counts_as_edited(course, damage):
    tutorials, work = course
    (work / "01_membrane.ipynb").write_text(damage)
    (tutorials / "01_membrane.ipynb").write_text(notebook("version 2"))
    workspace.update(*course)
    assert (work / "01_membrane.ipynb").read_text() == damage and len(files(work)) == 3


@pytest.mark.parametrize("record", [None, "{", "[]"])
def test_without_a_record_nothing_is_written_over(course, record):
    tutorials, work = course
    (work / ".snnteach.json").unlink()
    if record is not None:
        (work / ".snnteach.json").write_text(record)
    (tutorials / "01_membrane.ipynb").write_text(notebook("version 2"))
    workspace.update(*course)
    assert "version 1" in (work / "01_membrane.ipynb").read_text() and len(files(work)) == 3


def test_lab_only_counts_new_versions_and_makes_missing_copies(course):
    tutorials, work = course
    (work / "02_neurons.ipynb").unlink()
    (tutorials / "01_membrane.ipynb").write_text(notebook("version 2"))
    changes = workspace.update(*course, new_versions=False)
    assert changes[0] == "02_neurons.ipynb: copied into work/" and "python3 -m snnteach update" in changes[1]
    assert "version 1" in (work / "01_membrane.ipynb").read_text()


@pytest.mark.parametrize("name", ["1", "01", "01_membrane", "01_membrane.ipynb"])
def test_reset_restores_one_and_keeps_yours(course, name):
    tutorials, work = course
    (work / "01_membrane.ipynb").write_text(notebook("my answer"))
    copy, kept = workspace.reset(name, *course)
    assert copy.read_bytes() == (tutorials / "01_membrane.ipynb").read_bytes()
    assert "my answer" in kept.read_text() and kept.name.startswith("01_membrane.old-")
    (work / "01_membrane.ipynb").write_text(notebook("second answer"))
    second = workspace.reset(name, *course)[1]
    assert second != kept and "my answer" in kept.read_text() and "second answer" in second.read_text()
    (tutorials / "01_membrane.ipynb").write_text(notebook("version 2"))
    assert workspace.update(*course) == ["01_membrane.ipynb: replaced by the new version"]


def test_reset_of_a_missing_or_untouched_copy_keeps_nothing(course):
    tutorials, work = course
    assert workspace.reset("01", *course)[1] is None
    (work / "01_membrane.ipynb").unlink()
    assert workspace.reset("01", *course)[1] is None and (work / "01_membrane.ipynb").exists()


def test_reset_of_an_unknown_name_says_which_there_are(course):
    with pytest.raises(SetupError, match="no notebook '99'.*01_membrane, 02_neurons"):
        workspace.reset("99", *course)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "half \ud800")
    assert path.read_text() == "old" and [found.name for found in tmp_path.iterdir()] == ["file"]


def test_a_lock_makes_the_second_one_wait(tmp_path):
    order, waiting = [], threading.Event()

    def second():
        with locked(tmp_path / "lock", waiting.set):
            order.append("second")

    thread = threading.Thread(target=second)
    with locked(tmp_path / "lock", lambda: pytest.fail("nobody holds it")):
        thread.start()
        assert waiting.wait(10)
        order.append("first")
    thread.join(20)
    assert order == ["first", "second"]
