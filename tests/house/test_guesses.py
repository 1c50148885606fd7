"""Guesses: what every table and notebook obeys, and how a guess is asked, kept and answered, with a kernel and without."""
import re

import nbformat
import pytest

from snnteach import guess, lecture, progress
from snnteach.authoring import notebooks, slides, teach
from snnteach.lessons import syllabus
from snnteach.lessons.kinds import Control, Explorer, Guess
from snnteach.lessons.neurons import exercises as lesson
from snnteach.reader import guesses as reader
from snnteach.reader import lookup, store
from tests import cells

QUESTION = Guess(
    "The same charge comes in **one of five** steps, and $U_t$ leaks. Does it fire more?",
    ("less, by $\\beta^5$", "more", "as often"), "more",
    "A large input leaves less time to leak.\n\nAt $\\beta = 1$ it would not matter.", "neurons.lif", {"beta": 0.8})
# Asked no more. First guesses hang on the id, so the entry stays, and no other question gets it.
RETIRED = {"06.c", "09.b", "10.a", "11.b", "11.c", "14.b", "16.c", "20.b"}
OTHER = Guess("And with `beta` = 1?", ("more", "the same"), "the same", "Nothing leaks.")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A progress of its own, and two guesses in notebook 02."""
    monkeypatch.setenv("SNNTEACH_HOME", str(tmp_path))
    monkeypatch.setattr(lesson, "GUESSES", {"02.a": QUESTION, "02.b": OTHER}, raising=False)
    yield
    lecture(1)


# What every table and its notebook obey

def broken(number, table, notebook, find=lookup.explorer):
    """Yield what is wrong with the guesses of a notebook, one line each."""
    asked = [name for name in table if name not in RETIRED]
    if sorted(table) != [f"{number}.{letter}" for letter in reader.LETTERS.lower()[:len(table)]]:
        yield f"ids {list(table)}: {number}.a, {number}.b and so on, none left out"
    if len(table) > 1 and len({(*entry.choices, entry.right).index(entry.right) for entry in table.values()}) < 2:
        yield "the right choice is always in the same place"
    asking = [cell for cell in notebook.cells if "guess(" in cell.source and cell.cell_type == "code"]
    if [cell.source for cell in asking if re.fullmatch(r"s\d+-guess[\w-]*", cell.id) and "guess" in cells.tags(cell)] != [
            f'guess("{name}")' for name in asked]:
        yield "each guess is the whole of one cell sN-guess with the tag guess, in the order of the table"
    for name, entry in table.items():
        yield from (f"{name}: {problem}" for problem in broken_entry(entry, find))
        yield from (f"{name}: {problem}" for problem in broken_place(name, entry, notebook) if name in asked)


def broken_entry(entry, find):
    if len(set(entry.choices)) != len(entry.choices) or len(entry.choices) < 2 or entry.right not in entry.choices:
        yield "two choices or more, all different, the right one among them"
    bare = [re.sub(r"(?s)\$\$.*?\$\$|\$.*?\$|`.*?`", "X", text) for text in (entry.question, *entry.choices, entry.explanation)]
    if not all(text.strip() and not re.search(r"[$<]|\]\(", text) for text in bare):
        yield "no empty words, no formula that is not closed, no link and no HTML"
    if entry.explorer is None:
        return
    explorer = find(entry.explorer)
    if not entry.settings or not all(name in explorer.controls and value in explorer.controls[name].swept(10_000)
                                     for name, value in entry.settings.items()):
        yield f"settings that {entry.explorer} can have"
    elif entry.shown is None or entry.shown(explorer.compute(**explorer.start())) is not False or entry.shown(
            explorer.compute(**{**explorer.start(), **entry.settings})) is not True:
        yield "shown(data) is False where the explorer starts, and True at the settings"


def broken_place(name, entry, notebook):
    sources = [cell.source for cell in notebook.cells]
    asked = next((place for place, source in enumerate(sources) if source == f'guess("{name}")'), None)
    before = plain("\n".join(cell.source for cell in notebook.cells[:asked] if cell.cell_type == "markdown"))
    if any(plain(part) in before for part in re.split(r"(?<=[.:?])\s", entry.explanation)):
        yield "a sentence of the explanation stands above the question"
    if plain(entry.question) in plain("\n".join(sources)):
        yield "the question stands in the lesson only"
    opened = [place for place, source in enumerate(sources) for door in ("explore", "play")
              if f'{door}("{entry.explorer}")' in source]
    if entry.explorer and asked is not None and (not opened or opened[0] < asked):
        yield f"{entry.explorer} opens below the question"


def plain(text):
    return re.sub(r"[\s*_`]+", " ", text).strip()


@pytest.mark.parametrize("row", syllabus(), ids=lambda row: row.stem)
def test_every_guess_is_fair_and_asked_once(row, monkeypatch):
    monkeypatch.undo()
    assert list(broken(row.number, lookup.guesses(row.number), notebooks.read(notebooks.TUTORIALS / row.file))) == []


TOY = Explorer(lambda gain: {"spikes": gain > 3}, None, None, {"gain": Control(1, 0, 9, 1, "gain")}, "", ())
FIRST = Guess("Does it fire?", ("no", "yes"), "yes", "It does. At 4 already.", "t.x", {"gain": 4}, lambda data: data["spikes"])
SECOND = Guess("Twice?", ("no", "yes"), "no", "Once.")


def page(*sources):
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source, id=f"s1-guess-{place}") if "(" in source else
                                           nbformat.v4.new_markdown_cell(source) for place, source in enumerate(sources)])
    for cell in made.cells:
        cell.metadata["tags"] = ["guess"] if cell.source.startswith("guess(") else []
    return made


def changed(entry, **fields):
    return Guess(**{**vars(entry), **fields})


@pytest.mark.parametrize("row", syllabus(), ids=lambda row: row.stem)
def test_no_backslash_of_a_formula_was_taken_for_a_control_character(row, monkeypatch):
    monkeypatch.undo()
    for each in lookup.guesses(row.number).values():
        assert "".join((each.question, *each.choices, each.explanation)).replace("\n", "").isprintable(), each.question


@pytest.mark.parametrize(("first", "second", "sources", "words"), [
    ({}, {}, [], ""), ({}, {"right": "yes"}, [], "same place"), ({"choices": ("yes",)}, {}, [], "two choices"),
    ({"choices": ("yes", "yes")}, {}, [], "all different"), ({"right": "maybe"}, {}, [], "the right one among"),
    ({"explanation": " "}, {}, [], "no empty words"), ({"question": "Is $x one?"}, {}, [], "not closed"),
    ({"question": "See [02](02.ipynb)"}, {}, [], "no link"), ({"question": "<b>Why</b>?"}, {}, [], "no HTML"),
    ({"settings": {"size": 4}}, {}, [], "settings that t.x can have"), ({"settings": {}}, {}, [], "settings that"),
    ({"settings": {"gain": 4.5}}, {}, [], "settings that"), ({"settings": {"gain": 12}}, {}, [], "settings that"),
    ({"settings": {"gain": 2}}, {}, [], "True at the settings"), ({"shown": lambda data: True}, {}, [], "False where the"),
    ({"shown": None}, {}, [], "shown(data)"), ({}, {}, ['guess("02.a")', 'explore("t.x")'], "one cell"),
    ({}, {}, ['guess("02.b")', 'guess("02.a")', 'explore("t.x")'], "in the order of the table"),
    ({}, {}, ['guess("02.a")', 'explore("t.x")', 'guess("02.b")\nx = f(1)'], "the whole of one cell"),
    ({}, {}, ['explore("t.x")', 'guess("02.a")', 'guess("02.b")'], "opens below"),
    ({}, {}, ['guess("02.a")', 'guess("02.b")'], "opens below"),
    ({}, {}, ['guess("02.a")', 'play("t.x")', 'guess("02.b")'], ""),
    ({}, {}, ["See: *At 4\nalready.*", 'guess("02.a")', 'explore("t.x")', 'guess("02.b")'], "explanation stands above"),
    ({}, {}, ["Does **it** fire?", 'guess("02.a")', 'explore("t.x")', 'guess("02.b")'], "in the lesson only"),
])
def test_each_rule_finds_what_breaks_it(first, second, sources, words):
    table = {"02.a": changed(FIRST, **first), "02.b": changed(SECOND, **second)}
    found = list(broken("02", table, page(*sources or ['guess("02.a")', 'explore("t.x")', 'guess("02.b")']), lambda name: TOY))
    assert any(words in line for line in found) if words else found == []
    assert "ids" in next(broken("02", {"02.b": FIRST}, page()), lambda name: TOY)


def test_a_guess_that_is_asked_no_more_keeps_its_entry_and_its_id(monkeypatch):
    monkeypatch.setitem(globals(), "RETIRED", {"02.b"})
    table, asking = {"02.a": FIRST, "02.c": SECOND, "02.b": OTHER}, ['guess("02.a")', 'explore("t.x")', 'guess("02.c")']
    assert list(broken("02", table, page(*asking), lambda name: TOY)) == []
    assert "in the order of the table" in "\n".join(broken("02", table, page(*asking, 'guess("02.b")'), lambda name: TOY))
    table.pop("02.b")
    assert "none left out" in next(broken("02", table, page(*asking), lambda name: TOY))


# With a kernel

def state(asked):
    return [(button.disabled, button.button_style) for button in asked.buttons], [words.value for words in asked.words]


def test_a_click_commits_and_only_then_the_answer_appears():
    asked = guess("2.a")
    assert state(asked)[0] == [(False, "")] * 3 and asked.answer.value == "" and asked.again.layout.display == "none"
    asked.buttons[0].click()
    buttons, words = state(asked)
    assert buttons == [(True, "danger"), (True, "success"), (True, "")]
    assert "✗ yours" in words[0] and "✓ right" in words[1] and words[2] == "as often"
    said = asked.answer.value
    assert "You said “less, by " in said and "The answer is “more”." in said and asked.again.layout.display is None
    assert "At <span class=\"math\">\\(\\beta = 1\\)</span> it would" in said and "decay beta (per step): 0.80." in said


def test_the_first_guess_stays_is_shown_again_and_counts():
    guess("02.a").buttons[0].click()
    again = guess("02.a")
    assert "You said “less" in again.answer.value and "✗ yours" in again.words[0].value
    again.again.click()
    assert state(again)[0] == [(False, "")] * 3 and again.answer.value == "" and again.words[0].value.startswith("less")
    again.buttons[1].click()
    assert "You said “more”. That is right. Your first guess, “less" in again.answer.value
    assert "You said “less" in guess("02.a").answer.value
    guess("02.b").buttons[1].click()
    assert progress().state["guesses"] == {"02.a": QUESTION.choices[0], "02.b": "the same"}
    assert "1 of 2 first guesses right" in repr(progress()) and "1 of 2 first guesses right" in progress()._repr_html_()


def test_no_progress_speaks_of_guesses_that_were_not_made_or_cannot_be_judged(monkeypatch):
    assert "guess" not in repr(progress())
    store.record_guess("02.a", "more")
    store.record_guess("02.z", "of an older edition")
    assert "1 of 1 first guesses right" in repr(progress())
    monkeypatch.setattr(lookup, "part", lambda topic, name: 1 / 0)
    assert "guess" not in repr(progress()), "a broken lesson breaks no progress"


def test_a_choice_that_is_no_longer_offered_is_asked_for_again():
    store.record_guess("02.b", "gone")
    asked = guess("02.b")
    assert asked.answer.value == ""
    asked.buttons[0].click()
    assert "You said “more”. The answer is “the same”. Your first guess, “gone”, is the one" in asked.answer.value


def test_in_a_lecture_the_hall_is_asked_anew_and_nothing_is_kept():
    guess("02.a").buttons[1].click()
    lecture(1.5)
    asked = guess("02.a")
    assert asked.answer.value == ""
    asked.buttons[0].click()
    assert "The hall said “less" in asked.answer.value and "first guess" not in asked.answer.value
    assert progress().state["guesses"] == {"02.a": "more"}


@pytest.mark.parametrize(("name", "words"), [
    ("02.c", "There is no guess '02.c'; there are 02.a, 02.b."), ("01.x", "There is no guess '01.x'; there are "),
    ("99.a", "There is no guess '99.a': the number before the point is that of a notebook"), ("x", "There is no guess 'x'")])
def test_an_unknown_guess_says_which_there_are(name, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        guess(name)


# Without one

def test_the_committed_output_folds_the_answer_and_its_text_gives_nothing_away():
    guess("02.a").buttons[1].click()                     # what the author clicked shows in no output
    bundle = guess("02.a")._repr_mimebundle_()
    output = nbformat.v4.new_output("display_data", data=bundle)
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell('guess("02.a")', outputs=[output], id="s1-guess")])
    (shown,) = notebooks.normalise(made).cells[0].outputs
    assert set(shown.data) == {"text/html", "text/plain"}
    page, answer = shown.data["text/html"].split("<details>")
    assert "<li>B: more</li>" in page and "leaves less" not in page and "right" not in page and "\\(U_t\\)" in page
    assert answer.startswith("<summary>The answer</summary><p>The answer is “more”.</p>") and "leaves less" in answer
    assert "- more" in shown.data["text/plain"] and "leaves less" not in shown.data["text/plain"]


def test_slides_ask_the_hall_and_answer_on_the_next_one():
    cell = nbformat.v4.new_code_cell('guess("02.a")', id="s1-guess")
    cell.metadata = nbformat.from_dict({"tags": ["guess"], "slideshow": {"slide_type": "subslide"}})
    asked, answered = slides.slides(nbformat.v4.new_notebook(cells=[cell]))
    assert "C: as often" in asked.html and "leaves less" not in asked.html + "".join(asked.notes)
    assert "The answer is “more”." in answered.html and "leaves less" in answered.html
    assert "would not matter" in answered.notes[0] and "would not matter" not in answered.html


def test_the_teachers_guide_has_the_guesses():
    words = teach.guide("02")
    assert "## Guess 02.a\n\nThe same charge" in words and "- more (right)\n- as often\n\nA large" in words
