"""The teacher's view: the solved notebook is solved, and the guide leaves nothing out."""
import nbformat
import pytest

from snnteach.authoring import notebooks
from snnteach.authoring.teach import guide, teach
from snnteach.install.troubles import SetupError
from snnteach.lessons import lesson, syllabus
from snnteach.reader.lookup import exercises as exercises_of
from snnteach.reader.lookup import questions

NUMBERS = [row.number for row in syllabus()]


@pytest.mark.parametrize("number", NUMBERS)
def test_the_guide_holds_every_answer_hint_mistake_and_question(number):
    text = guide(number)
    exercises = [exercises_of(number)[name] for name in lesson(number).asked]
    assert exercises and len(questions(number)) >= 3
    for exercise in exercises:
        assert f"## {exercise.id} · {exercise.difficulty}, {exercise.minutes} minutes" in text
        for said in (exercise.question, *exercise.hints, *(wrong.reason for wrong in exercise.misconceptions)):
            assert said in text
    for question in questions(number):
        assert question.text in text and question.answer in text


def test_every_question_stands_once():
    texts = [question.text for number in NUMBERS for question in questions(number)]
    assert len(set(texts)) == len(texts) and all(text.endswith("?") or "." in text for text in texts)


def test_the_solved_notebook_is_executed_and_right_beside_guide_and_slides(tmp_path):
    solved, written, page = teach("01", tmp_path)
    assert written.read_text(encoding="utf-8") == guide("01")
    assert f"({page.relative_to(written.parent).as_posix()})" in guide("01") and "Reveal.initialize" in page.read_text("utf-8")
    cells = notebooks.exercise_cells(nbformat.read(solved, as_version=4))
    assert cells.keys() == exercises_of("01").keys()
    for exercise_id, cell in cells.items():
        assert [output.text for output in cell.outputs] == [f"{exercise_id} right\n"] and "..." not in cell.source


def test_an_unknown_notebook_is_named():
    with pytest.raises(SetupError, match="no notebook '99'"):
        teach("99")
