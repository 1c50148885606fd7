"""Every notebook runs to its end solved and wrong (untouched is what nbval runs), and then says so."""
import pytest

from snnteach.authoring import notebooks
from snnteach.reader.lookup import exercise as find

PATHS = notebooks.paths()
pytestmark = pytest.mark.slow


def printed(notebook, exercise_id):
    cell = notebooks.exercise_cells(notebook)[exercise_id]
    return "".join(output.get("text", "") for output in cell.outputs)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_solved(path, tmp_path):
    notebook = notebooks.run(notebooks.solved(notebooks.without_long(notebooks.read(path))), home=tmp_path)
    for name in notebooks.exercise_cells(notebook):
        assert printed(notebook, name) == f"{name} right\n"


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_wrong(path, tmp_path):
    notebook = notebooks.run(notebooks.wrong(notebooks.without_long(notebooks.read(path))), home=tmp_path)
    for name in notebooks.exercise_cells(notebook):
        said = printed(notebook, name)
        assert said.startswith(f"{name} not yet: {find(name).misconceptions[0].reason}"), said
        assert f'hint("{name}")' in said
