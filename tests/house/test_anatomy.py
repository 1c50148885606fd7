"""Every notebook obeys the rules of its anatomy, and each rule finds what breaks it; the minutes are those of the formula."""
import copy

import nbformat
import pytest

from snnteach.authoring import anatomy, notebooks
from snnteach.lessons import lesson
from snnteach.reader.lookup import exercises
from tests import anatomy as rules

PATHS = notebooks.paths()


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_each_notebook_obeys(rule, path):
    assert list(rule(notebooks.read(path))) == []


def text(source, id, *tags):
    return nbformat.v4.new_markdown_cell(source, id=id, metadata={"tags": list(tags)})


def code(source, id, *tags, picture=False, **snnteach):
    cell = nbformat.v4.new_code_cell(source, id=id, metadata={"tags": list(tags), "snnteach": snnteach})
    cell.outputs = [nbformat.v4.new_output("display_data", data={"image/png": ""})] * picture
    return cell


@pytest.fixture
def whole():
    """A notebook that obeys, by the ids of its cells."""
    return {cell.id: cell for cell in [
        text("# 99 · Why?\n\n**0 minutes**", "title"), code("setup(1)", "setup", "setup"),
        text("## Predict (9 min)\n\n" + "word " * 400 + "\n\n$$a$$", "s0-predict"), code('guess("99.a")', "s0-guess", "guess"),
        code('explore("toy.x")', "s0-explore", "explorer"), code("x = 1", "s1-x", "mistake"),
        code("assert x == 1", "s1-x-proof", "proof"), code("show(x)\nassert x", "s1-figure", "figure", picture=True),
        text("**Take away:** look.", "s1-takeaway", "takeaway"),
        text("> **Exercise 99.1** · easy, give up after 4 minutes. Do it.\n>\n> Go.\n\nOn.", "ex-99-1-text"),
        code('f = ...\nf = check("99.1", f)', "ex-99-1", "exercise", exercise="99.1", build=True),
        code("print(whose(f), f)", "s2-run"), text("## More (3 min, side path)", "s2-more"),
        code("\n\n".join(["y = 2  # two"] * 25 + ["# only words"]), "s2-listing", "listing"),
        code("assert x", "s2-control", "control"), code("assert x", "s3-agreement", "agreement"),
        code("z = 1\n" * 60, "program", "program"), text("**Next:** it", "summary", "summary")]}


def broken(whole, rule):
    return list(rule(nbformat.v4.new_notebook(cells=list(copy.deepcopy(whole).values()))))


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_a_notebook_that_obeys_is_let_pass(rule, whole):
    assert broken(whole, rule) == []


LAPSES = [
    (rules.takeaways, "s1-takeaway", {"source": "Take away: look."}, "one paragraph"),
    (rules.takeaways, "s1-takeaway", {"source": "**Take away:** look.\n\nMore."}, "one paragraph"),
    (rules.takeaways, "s1-takeaway", {"metadata": {}}, "a cell of its own"),
    (rules.takeaways, "s2-more", {"source": "## More\n\nSo. **Take away:** look."}, "s2-more: a take-away has"),
    (rules.takeaways, "s1-figure", {"metadata": {"tags": ["exercise"]}}, "nothing above it"),
    (rules.headings, "s2-more", {"source": "So it is.\n\n## More"}, "does not begin"),
    (rules.headings, "title", {"source": "# 99 · Why?\n\n### Because"}, "does not begin"),
    (rules.folding, "s1-figure", {"outputs": []}, "without a picture"),
    (rules.folding, "s1-x-proof", {"source": "x = 1"}, "a proof holds"),
    (rules.folding, "s1-figure", {"metadata": {"tags": ["proof"]}}, "a proof holds"),
    (rules.folding, "s2-listing", {"metadata": {"tags": ["listing", "control"]}}, "to be read"),
    (rules.open_asserts, "s1-x", {"source": "for x in y:\n    assert x"}, "s1-x: an assert"),
    (rules.open_asserts, "program", {"source": "assert x"}, "program: an assert"),
    (rules.lengths, "s1-x", {"source": "x = 1\n" * 16}, "s1-x: 16 lines, and 15"),
    (rules.lengths, "s2-listing", {"source": "x = 1\n" * 26}, "s2-listing: 26 lines, and 25"),
    (rules.minutes, "s0-predict", {"source": "## Predict\n\n" + "word " * 7500}, "at most 45"),
    (rules.minutes, "s2-more", {"source": "## More (3 min, side path)\n\n" + "word " * 6000}, "and 30 beside"),
    (rules.pieces, "s2-control", {"metadata": {}}, "the tag control"),
    (rules.pieces, "s0-guess", {"source": 'guess("99.a")\nx = 1'}, "more than a guess"),
    (rules.builds, "s2-run", {"source": "print(f)"}, "ex-99-1: the next cell"),
    (rules.builds, "ex-99-1", {"metadata": {}}, "0 build exercises"),
]


@pytest.mark.parametrize("rule, name, change, message", LAPSES, ids=[f"{rule.__name__}-{words}" for rule, *_, words in LAPSES])
def test_each_lapse_is_told(rule, name, change, message, whole):
    for key, value in change.items():
        whole[name][key] = nbformat.from_dict(value)
    (found,) = broken(whole, rule)
    assert message in found


def test_too_many_lines_are_told_and_a_side_path_may_have_more(whole):
    for number in range(9):
        whole[f"s1-{number}"] = code("x = 1\n" * 14, f"s1-{number}")                  # 126, and 30 that are there
    assert broken(whole, rules.lengths) == []
    whole["s2-more"].source = "## More"
    assert broken(whole, rules.lengths) == ["156 unfolded lines, and 150 at most"]


def test_minutes_are_those_of_the_formula(whole):
    first = 1 / 6 + (2 + 400) / 160 + 1 / 2 + 1 / 6 + 2 + 1 / 6 + 1 + 2 / 160 + 1 / 160 + 1 / 6          # setup ... s2-run
    notebook = nbformat.v4.new_notebook(cells=list(whole.values()))
    assert anatomy.sections(notebook) == [("## Predict", False, round(first + 4 / 160)), ("## More", True, 4)]
    assert anatomy.times(notebook) == (15, 10, 4)
    assert anatomy.measured(notebook) == (30, "25 (s2-listing)", "15 (10)", 4)
    anatomy.write_minutes(notebook)
    anatomy.write_minutes(notebook)                                                              # no word is counted twice
    assert [cell.source.split("\n")[0] for cell in (whole["s0-predict"], whole["s2-more"])] == [
        "## Predict (7 min)", "## More (4 min, side path)"]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_minutes_of_the_exercises_are_those_of_the_lesson(path):
    asked = [exercises(path.stem)[name] for name in lesson(path.stem).asked]
    assert anatomy.times(notebooks.read(path)).exercises == sum(task.minutes for task in asked)


def test_what_is_folded_is_written_and_nowhere_else(whole):
    notebook = notebooks.normalise(nbformat.v4.new_notebook(cells=list(whole.values())))
    whole["s2-run"].metadata["jupyter"] = {"source_hidden": True}
    for cell in notebooks.normalise(notebook).cells:
        assert (cell.metadata.get("jupyter") == {"source_hidden": True}) == (
            cell.id in ("s1-x-proof", "s1-figure", "s2-control", "s3-agreement")), cell.id


def test_the_table_of_measures_has_a_line_for_each(capsys):
    notebooks.measure(["02", "14"])
    head, *lines = capsys.readouterr().out.splitlines()
    assert [line[:2] for line in lines] == ["02", "14"] and "unfolded lines" in head
