"""The syllabus is written into notebooks and README, `--check` finds what differs, and one address stands everywhere."""
import re
import shutil

import nbformat
import pytest

import snnteach
from snnteach import lessons
from snnteach.authoring import anatomy, course, notebooks
from snnteach.install import commands
from snnteach.install.pins import ROOT, project
from snnteach.install.troubles import SetupError
from snnteach.lessons import Lesson, lesson, syllabus

NEW = Lesson("025", "decay", "the decay", "Who forgets?", 4, ("00", "01", "02"), "One neuron", ", a clock", " waits.")
NINE = "tutorials/09_training.ipynb"
ADDRESS = r"https://(?:github\.com/[\w-]+/[\w-]+|(?:mybinder\.org/v2|colab\.research\.google\.com)/[^)\s]+)"


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """The notebooks and the README in a folder of their own."""
    shutil.copytree(notebooks.TUTORIALS, tmp_path / "tutorials")
    shutil.copy(notebooks.README, tmp_path)
    monkeypatch.setattr(notebooks, "TUTORIALS", tmp_path / "tutorials")
    monkeypatch.setattr(notebooks, "README", tmp_path / "README.md")
    return tmp_path


TIMES = [anatomy.Times(40, 40, 30)] * 3 + [anatomy.Times(60, 20, 30)] + [anatomy.Times(45, 45, 50)] * (len(syllabus()) - 3)


def stub(about="**1 minutes (aside, 2 minutes) · needs: x · 9 exercises**", end="**Next:** old"):
    side = f"## More (9 min, side path)\n\n{'word ' * 800}\n\n> **Exercise 00.1** · easy, give up after 7 minutes."
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(source) for source in (
        f"# 00 · Old?\n\n{about}\n\nText.", "## Look", side, f"## Summary\n\n- One.\n\n{end}")])


def test_title_and_end_of_a_notebook_come_from_its_row(monkeypatch):
    before = syllabus().index(lesson("02")) + 1
    rows, after = [*syllabus()[:before], NEW, *syllabus()[before:]], syllabus()[before]
    monkeypatch.setattr(course, "syllabus", lambda: tuple(rows))
    title, look, side, end = (cell.source for cell in course.fill(stub(), NEW).cells)
    assert title == ("# 025 · Who forgets?\n\n**10 minutes to read (5 without the side path), 7 for the 4 exercises · needs: "
                     "[00](00_start_here.ipynb), [01](01_membrane.ipynb) and [02](02_neurons.ipynb), a clock**\n\nText.")
    assert look == "## Look (1 min)" and side.startswith("## More (5 min, side path)\n\nword")
    assert end == f"## Summary (1 min)\n\n- One.\n\n**Next:** [{after.number} · {after.title}]({after.file}){after.invitation}"
    assert after.invitation[0] in " :" and after.invitation[-1] == "."
    title, *_, end = (cell.source for cell in course.fill(stub(), lesson("02")).cells)
    assert f"7 for the {lesson('02').exercises} exercises · needs: [01 · the membrane](01_membrane.ipynb)**" in title
    assert end.endswith("**Next:** [025 · the decay](025_decay.ipynb) waits.")
    assert course.fill(stub(), rows[-1]).cells[-1].source.endswith("[course map](../README.md) shows what else there is.")
    readme = course.readme(notebooks.README.read_text(encoding="utf-8"), TIMES)
    assert "| [025 the decay](tutorials/025_decay.ipynb) | Who forgets? | 60 + 30 | 00, 01, 02 |" in readme
    assert "One neuron (00, 01, 02, 025" in readme and "fills 20 to 45 minutes" in readme and "(025 on\n" in readme
    assert f"*All of it, {(4 * 95 * (len(rows) - 4) + 4 * (3 * 70 + 90)) / 240:.0f} hours with the exercises, a week" in readme
    assert "*Two days, 10 hours with the exercises*: 00, 01, 02, 07; then 08, 09, 10. End" in readme


@pytest.mark.parametrize("notebook", [stub(about="5 minutes"), stub(end="Next: old")])
def test_a_notebook_without_the_lines_is_refused(notebook):
    with pytest.raises(ValueError, match=r"02_neurons.ipynb: it has to begin with .* end in a line"):
        course.fill(notebook, lesson("02"))


def test_a_readme_without_its_marks_is_refused():
    with pytest.raises(ValueError, match="<!-- modules --> and <!-- /modules -->"):
        course.readme(notebooks.README.read_text(encoding="utf-8").replace("<!-- /modules -->", ""), TIMES)


@pytest.mark.parametrize(("name", "old", "new"), [
    (NINE, "minutes to read", "minutes for it"), (NINE, "## Summary (", "## Summary (1"),
    (NINE, "09 · How", "09 · Why"), (NINE, "and [07]", "and [08]"),
    (NINE, "**Next:** [", "**Next:** see ["), (NINE, '"tags": [', '"x": 1, "tags": ['),
    ("README.md", " 07, 08 |", " 08 |"), ("README.md", " + 40 |", " + 41 |"), ("README.md", " hours with", " days with"),
    ("README.md", "| 667 |", "| 668 |"), ("README.md", "`stdp`, ", "")])
def test_what_differs_is_found_and_mended(copy, capsys, name, old, new):
    path = copy / name
    whole = path.read_text(encoding="utf-8")
    assert old in whole
    path.write_text(whole.replace(old, new, 1), encoding="utf-8")
    (found,) = [line for line in notebooks.check(["09"]) if "outputs" not in line]
    assert found.startswith(f"{path.name}: ") and found.endswith("python -m snnteach notebooks --write")
    notebooks.write()
    assert path.read_text(encoding="utf-8") == whole and capsys.readouterr().out == f"writing {path.name}\n"


def test_every_address_of_the_course_is_that_of_pyproject():
    address = project()["urls"]["Repository"]
    assert course.binder("07_surrogate.ipynb") == (address.replace("https://github.com", "https://mybinder.org/v2/gh") +
                                                   f"/{course.VERSION}?urlpath=lab/tree/tutorials/07_surrogate.ipynb")
    assert course.VERSION in ("HEAD", f"v{snnteach.__version__}")
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "README.md", ROOT / "CITATION.cff", *notebooks.paths())]
    found = {name for text in texts for name in re.findall(ADDRESS, text)}
    files = [row.file for row in lessons.syllabus()]
    assert course.colab("00_start_here.ipynb").startswith(address.replace("https://", "https://colab.research.google.com/")
                                                          .replace("google.com/github.com", "google.com/github") + "/blob/")
    assert found == {address, *map(course.binder, files), *map(course.colab, files)}


@pytest.mark.parametrize("path", [sum(course.TWO_DAYS, ()), course.CORE])
def test_a_reading_order_has_what_its_notebooks_need_before_them(path):
    assert list(path) == sorted(path) and all(set(lesson(number).needs) <= set(path[:place])
                                              for place, number in enumerate(path))


@pytest.mark.parametrize("name", ["", "0x", ".ipynb", "99"])
def test_what_names_no_notebook_is_refused(name):
    with pytest.raises(ValueError, match="There is no notebook"):
        lessons.lesson(name)


def test_a_row_that_is_not_whole_is_named(monkeypatch, tmp_path):
    text = lessons.SYLLABUS.read_text(encoding="utf-8")
    (tmp_path / "syllabus.toml").write_text(re.sub(r"exercises = \d+\n", "", text, count=1), encoding="utf-8")
    monkeypatch.setattr(lessons, "SYLLABUS", tmp_path / "syllabus.toml")
    with pytest.raises(ValueError, match="^syllabus.toml: the row of notebook 00: missing .*'exercises'"):
        lessons.syllabus.__wrapped__()


def test_a_row_without_its_notebook_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(notebooks, "TUTORIALS", tmp_path / "tutorials")
    with pytest.raises(SetupError, match="09_training.ipynb: in the syllabus, and not in tutorials/"):
        notebooks.paths(["09"])


@pytest.mark.parametrize(("arguments", "message"), [
    (["--check", "--write"], "one at a time"), (["--write", "--execute", "02"], "one at a time"),
    (["--write", "02"], "leave the numbers out")])
def test_flags_that_do_not_go_together_are_refused(arguments, message):
    options = commands.parser().parse_args(["notebooks", *arguments])
    with pytest.raises(SetupError, match=message):
        notebooks.command(options, [])
