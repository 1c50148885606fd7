"""The anatomy of every notebook, read from the committed file; what nbval executes is checked here without executing."""
import ast
import re

import pytest

from snnteach.authoring import notebooks
from snnteach.authoring.anatomy import code_lines, tags
from snnteach.install.troubles import SetupError
from snnteach.lessons import lesson, syllabus
from snnteach.reader.lookup import exercise as find
from snnteach.reader.lookup import exercises
from snnteach.reader.lookup import explorer as find_explorer

PATHS = notebooks.paths()
WHOLE = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook):
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return re.sub("<!--.*?-->", "", text)


def test_the_notebooks_are_those_of_the_syllabus():
    assert sorted(PATHS) == sorted(notebooks.TUTORIALS.glob("*.ipynb")) and len(PATHS) >= 10
    numbers = [row.number for row in syllabus()]
    assert numbers == sorted(set(numbers)) and all(set(row.needs) < set(numbers[:numbers.index(row.number)])
                                                   for row in syllabus() if row.needs)


def test_a_number_a_topic_a_name_or_a_path_means_one_notebook():
    (first,) = notebooks.paths(["1"])
    assert first.name == "01_membrane.ipynb"
    assert notebooks.paths(["01", "membrane", "01_membrane", first]) == [first] * 4
    with pytest.raises(SetupError, match="There is no notebook '99'"):
        notebooks.paths(["02", "99"])


def test_committed_form_is_that_of_a_clean_execution():
    assert notebooks.check() == []


@WHOLE
def test_size(path):
    cells = code_cells(notebooks.read(path))
    assert sum(code_lines(cell.source) for cell in cells) >= 100
    animated = any("<script" in str(output.get("data", {}).get("text/html", "")) for cell in cells for output in cell.outputs)
    assert path.stat().st_size <= (1_200_000 if animated else 500_000)


@WHOLE
def test_parts_are_there_and_in_order(path):
    notebook = notebooks.read(path)
    present = set().union(*(tags(cell) for cell in notebook.cells))
    assert present <= notebooks.TAGS
    assert {"setup", "recall", "explorer", "listing", "exercise", "mistake", "control", "agreement", "program",
            "summary"} <= present | ({"recall"} if path == PATHS[0] else set())
    order = [next(number for number, cell in enumerate(notebook.cells) if tag in tags(cell))
             for tag in ("setup", "explorer", "agreement", "program", "summary")]
    assert order == sorted(order)
    assert "After this you can" in notebook.cells[0].source
    text = prose(notebook)
    assert "How other libraries write this" in text and "doi.org" in text
    assert sum("takeaway" in tags(cell) for cell in notebook.cells) >= 3


@WHOLE
def test_ids_and_headings(path):
    notebook = notebooks.read(path)
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"s\d-[\w-]+|ex-\d\d-\d(-text)?|title|setup|recall|program|summary", name) for name in ids), ids
    levels = [len(mark) for mark in re.findall(r"^(#+) ", prose(notebook), re.MULTILINE)]
    assert levels.count(1) == 1 and all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))


@WHOLE
def test_setup_cell_ends_in_setup_and_nothing_is_installed(path):
    notebook = notebooks.read(path)
    setup = next(cell for cell in notebook.cells if "setup" in tags(cell))
    assert re.search(r"^setup\(\d+\)$", setup.source, re.MULTILINE)
    assert setup.outputs[0].text.startswith("Ready: seed")
    for cell in code_cells(notebook):
        assert not re.search(r"^\s*[!%]|pip install|urlopen|requests|plt\.", cell.source, re.MULTILINE), cell.id
        assert not cell.source.rstrip().endswith(";"), f"{cell.id}: a trailing semicolon is not honoured everywhere"


@WHOLE
def test_cells_are_short(path):
    for cell in code_cells(notebooks.read(path)):
        limit = 60 if "program" in tags(cell) else 30
        assert code_lines(cell.source) <= limit, f"{cell.id}: {code_lines(cell.source)} lines"
        assert max(map(len, cell.source.split("\n"))) <= 120, f"{cell.id}: a line too long for a screen"


@WHOLE
def test_every_picture_has_alternative_text_and_every_figure_a_caption(path):
    for cell in code_cells(notebooks.read(path)):
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                assert len(output.metadata.get("image/png", {}).get("alt", "")) > 30, cell.id
        if "show(" in cell.source:
            assert any("text/markdown" in output.get("data", {}) for output in cell.outputs), cell.id


@WHOLE
def test_exercises_fit_the_stubs(path):
    notebook = notebooks.read(path)
    cells = notebooks.exercise_cells(notebook)
    row = lesson(path.stem)
    assert sorted(cells) == [*row.asked] and row.exercises >= 4
    assert {*exercises(path.stem)} == {*row.asked, *row.retired}          # an older copy still asks those that are retired
    for name, cell in cells.items():
        assert cell.id == f"ex-{name.replace('.', '-')}" and f'check("{name}", ' in cell.source
        stub, exercise = notebooks.find_stub(cell.source), find(name)
        heading = f"**Exercise {name}** · {exercise.difficulty}, give up after {exercise.minutes} minutes"
        assert heading in prose(notebook), f"missing in the text: {heading}"
        assert isinstance(stub, ast.FunctionDef) == bool(exercise.cases) >= exercise.build
        assert exercise.build == cell.metadata.snnteach.get("build", False)
        if exercise.cases:
            import inspect
            reference = ast.parse(inspect.getsource(exercise.reference)).body[0]
            assert ast.dump(stub.args) == ast.dump(reference.args) and stub.name == reference.name
        assert "not attempted" in cell.outputs[0].text
    assert not re.search(r"\b(hint|solution)\(\"", "\n".join(cell.source for cell in code_cells(notebook)))


@WHOLE
def test_explorers_exist_and_links_lead_somewhere(path):
    notebook = notebooks.read(path)
    source = "\n".join(cell.source for cell in code_cells(notebook))
    names = re.findall(r'^(?:explore|play)\("([\w.]+)"\)', source, re.MULTILINE)
    assert names and all(find_explorer(name) for name in names)
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", prose(notebook)):
        assert (path.parent / target).exists(), f"{path.name} links to {target}"
