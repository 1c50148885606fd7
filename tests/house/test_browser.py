"""Notebooks as a reader meets them: a real server, a real browser, every slider, an exercise, a reload.

At every commit two notebooks, of which the cells with explorers, films and exercises run, and one made of explorers and all
live figures, which Notebook 7 and Voila run, too; with `python3 -m snnteach test --full` all notebooks from top to bottom.
"""
import json
import os
import re
import shutil

import nbformat
import pytest

from snnteach.authoring import notebooks
from snnteach.lessons import lesson
from snnteach.lessons.kinds import Control
from snnteach.reader.lookup import explorer as find
from tests import browser, cells, hands

ALL = [path.name for path in notebooks.paths()]
FULL = bool(os.environ.get("SNNTEACH_FULL"))
PICTURE = "handle => handle.closest('.jp-OutputArea-output, .voila-notebook, body').querySelector('.widget-image').src"
KNOWN = {"notebook": ("reading 'schema'",),                             # what these say of themselves, with any notebook
         "voila": ("ERR_NAME_NOT_RESOLVED", "@jupyterlab/docregistry")}   # an icon font, an extension of Notebook 7
pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with browser.serve(tmp_path_factory.mktemp("lab"), ALL) as server:
        yield server


@pytest.fixture
def reader():
    with browser.reader() as page:
        yield page


def explorers(name):
    """The names that a notebook gives to `explore`."""
    code = "\n".join(cell.source for cell in cells.code_cells(notebooks.TUTORIALS / name))
    return re.findall(r'^explore\("([\w.]+)"\)', code, re.MULTILINE)


def controls(name):
    """How many sliders and how many drop-down lists the explorers of a notebook have."""
    sliders = [isinstance(control, Control) for explorer in explorers(name) for control in find(explorer).controls.values()]
    return sum(sliders), len(sliders) - sum(sliders)


def films(name):
    """How many cells of a notebook animate."""
    return sum("animate(" in cell.source for cell in cells.code_cells(notebooks.TUTORIALS / name))


def shown(name):
    """The ids of the cells that explore, animate or check, and of those that they need."""
    code = cells.code_cells(notebooks.TUTORIALS / name)
    wanted = [cell for cell in code if {"explorer", "exercise"} & cells.tags(cell) or "animate(" in cell.source]
    return [cell.id for cell in cells.with_what_they_need(code, wanted)]


SMALL = min((name for name in ALL if all(controls(name)) and films(name)), key=lambda name: len(shown(name)))   # one of each
NAMES = ALL if FULL else sorted({SMALL, max(ALL, key=lambda name: sum(controls(name)))})


def move_everything(page, name, keys=("ArrowLeft", "ArrowRight")):
    """Move each slider by keyboard, then by mouse, and choose from each list; every time the picture has to change."""
    handles, lists = page.locator(".noUi-handle"), page.locator(".widget-dropdown select")
    assert (handles.count(), lists.count()) == controls(name)
    for number in range(handles.count()):
        handle = handles.nth(number)
        handle.scroll_into_view_if_needed()
        before, start = settled(page, handle), handle.bounding_box()
        handle.click()
        at_the_end = handle.get_attribute("aria-valuenow") == handle.get_attribute("aria-valuemax")
        for _ in range(3):
            page.keyboard.press(keys[0] if at_the_end else keys[1])
        wait_for_another(page, handle, before)
        before, value = settled(page, handle), handle.get_attribute("aria-valuenow")
        track = handle.locator("xpath=ancestor::*[contains(@class, 'noUi-target')]").bounding_box()
        middle = track["x"] + track["width"] / 2
        drag(page, handle, middle + track["width"] * (0.3 if handle.bounding_box()["x"] < middle else -0.3))
        assert handle.get_attribute("aria-valuenow") != value, "the mouse did not move the slider"
        wait_for_another(page, handle, before)
        drag(page, handle, start["x"] + start["width"] / 2)
    for number in range(lists.count()):
        before = settled(page, lists.nth(number))
        lists.nth(number).select_option(index=1)
        wait_for_another(page, lists.nth(number), before)


def move_films(page, name):
    """Move each film by an arrow key, which the front end must not take for its own."""
    moving = page.locator(".film.moves")
    assert moving.count() == films(name)
    for film in moving.all():
        film.locator("input").press("Home")
        film.locator("input").press("ArrowRight")
        assert film.locator(".player-label").inner_text().startswith("frame 2 of ")


def settled(page, control):
    """The picture of a control's explorer, once no further one arrives."""
    while (picture := control.evaluate(PICTURE)) != (page.wait_for_timeout(300) or control.evaluate(PICTURE)):
        pass
    return picture


def drag(page, handle, x):
    box = handle.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(x, y, steps=5)
    page.mouse.up()


def wait_for_another(page, handle, picture):
    changed = f"([handle, old]) => ({PICTURE})(handle) !== old"
    page.wait_for_function(changed, arg=[handle.element_handle(), picture], timeout=15_000)


@pytest.mark.parametrize("name", NAMES)
def test_everything_moves_and_a_solved_exercise_is_kept(lab, reader, name):
    reader.open(lab, name)
    reader.run_all() if FULL else reader.run(shown(name))
    move_everything(reader.page, name)
    move_films(reader.page, name)
    assert reader.output_errors() == [] and reader.errors == []

    number = lesson(name).number
    stub = notebooks.exercise_cells(notebooks.read(notebooks.TUTORIALS / name))
    answered = notebooks.exercise_cells(notebooks.solved(notebooks.read(notebooks.TUTORIALS / name)))[f"{number}.1"]
    cell = reader.cell(answered.id)
    assert f"{number}.1 not attempted" in cell.inner_text()
    reader.write(cell, answered.source)
    cell.get_by_text(f"{number}.1 right").wait_for()
    reader.write(reader.cell("setup"), "from snnteach import progress\nprogress()")
    row = reader.cell("setup").locator("tr").filter(has=reader.page.get_by_text(number, exact=True))
    row.get_by_text(f"1/{len(stub)}", exact=True).wait_for()
    reader.page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    reader.page.reload()
    reader.ready()
    assert reader.source(answered.id) == answered.source
    assert f"{number}.1" in json.loads((lab.home / "progress.json").read_text())["solved"]
    assert reader.errors == []                           # a restart cancels what the debugger asked, and says so
    reader.page.evaluate("jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    reader.write(reader.cell("setup"), "from snnteach import progress\nprint(progress())")
    reader.cell("setup").get_by_text(re.compile(rf"{number}  #+\.+  1/{len(stub)}")).wait_for()


def test_lecture_mode_enlarges_text_and_figures_until_it_is_undone(lab, reader):
    shutil.copy(notebooks.TUTORIALS / SMALL, lab.folder / "lecture.ipynb")
    reader.open(lab, "lecture.ipynb")
    explorer = next(cell for cell in cells.code_cells(notebooks.TUTORIALS / SMALL) if cell.source.startswith("explore("))
    reader.run(["setup", explorer.id])
    cell, picture = reader.cell(explorer.id), "cell => cell.querySelector('.widget-image')?.naturalWidth"
    letters = ("cell => ['.cm-content', '.widget-label'].map("
               "part => parseFloat(getComputedStyle(cell.querySelector(part)).fontSize))")
    cell.locator(".widget-image").wait_for()
    before = cell.evaluate(letters), cell.evaluate(picture)
    reader.write(reader.cell("setup"), "from snnteach import explore, lecture\nlecture(1.5)")
    reader.cell("setup").get_by_text("1.5 times as large").wait_for()
    reader.write(cell, f'explore("{explorers(SMALL)[0]}")')
    reader.page.wait_for_function(f"([cell, old]) => ({picture})(cell) > 1.4 * old", arg=[cell.element_handle(), before[1]])
    assert all(now >= 1.4 * old for now, old in zip(cell.evaluate(letters), before[0], strict=True))
    last = reader.cell("program")
    reader.write(last, "lecture(1)")                     # another cell undoes it
    last.get_by_text("are 1 times as large").wait_for()
    reader.page.wait_for_function(f"([cell, old]) => ({letters})(cell)[0] === old", arg=[cell.element_handle(), before[0][0]])
    assert reader.output_errors() == []


def playground(folder):
    """Write a notebook with a heading, the explorers of the smallest and every live figure, and return its name."""
    code = cells.code_cells(notebooks.TUTORIALS / SMALL)
    explore = [cell for cell in code if cell.source.startswith("explore(")]
    sources = [*(cell.source for cell in cells.with_what_they_need(code, explore)), "from snnteach import play",
               *(f"play({name!r})" for name in hands.FIGURES)]
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Play", id="s0-title"), *(
        nbformat.v4.new_code_cell(source, id=f"s1-{place}") for place, source in enumerate(sources))])
    nbformat.write(notebooks.normalise(made), folder / "playground.ipynb")
    return "playground.ipynb"


def move_live_figures(page):
    """Move each control of each live figure by key and by mouse."""
    stages = page.locator(".live-stage")
    stages.nth(len(hands.FIGURES) - 1).wait_for()
    for stage in stages.all():
        hands.move(page, stage, (hands.pressed, hands.clicked))


TABLE = """from snnteach import guess, progress
from snnteach.lessons.kinds import Guess
from snnteach.lessons.neurons import exercises
exercises.GUESSES = {"02.a": Guess("Is $U_t$ **large**?", ("yes", "no, $U < 1$"), "no, $U < 1$", "It leaks by $\\\\beta$.")}"""


def test_a_guess_is_made_by_keyboard_and_kept(lab, reader):
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source, id=f"s1-{place}") for place, source in enumerate([
        TABLE, 'guess("02.a")', "print(progress())"])])
    nbformat.write(notebooks.normalise(made), lab.folder / "guess.ipynb")
    reader.open(lab, "guess.ipynb")
    reader.run(["s1-0", "s1-1"])
    cell = reader.cell("s1-1")
    first, second = (cell.get_by_role("button", name=letter, exact=True) for letter in "AB")
    first.focus()
    reader.page.keyboard.press("Tab")
    assert cell.get_by_text("It leaks by").count() == 0
    reader.page.keyboard.press("Enter")
    cell.get_by_text("It leaks by").wait_for()
    assert cell.get_by_text("✓ yours, and right").is_visible() and first.is_disabled() and second.is_disabled()
    cell.locator("mjx-container").nth(3).wait_for()      # in the question, a choice, what was said and the explanation
    reader.run(["s1-1", "s1-2"])                         # a second run shows what was said
    cell.get_by_text("It leaks by").wait_for()
    reader.cell("s1-2").get_by_text("1 of 1 first guesses right").wait_for()
    cell.get_by_role("button", name="Guess again").press("Enter")
    cell.get_by_text("It leaks by").wait_for(state="detached")
    assert reader.output_errors() == [] and reader.errors == []


def test_live_figures_in_jupyterlab(lab, reader):
    reader.open(lab, playground(lab.folder))
    reader.run_all()
    move_live_figures(reader.page)                       # no network: what they show is in the notebook's own server
    assert browser.violations(reader.page, ".live-stage") == []
    assert reader.output_errors() == [] and reader.errors == []


def test_without_the_token_the_server_refuses(lab):
    assert browser.status(f"{lab.url}/api/contents?token={lab.token}") == 200
    assert browser.status(f"{lab.url}/api/contents") == 403
    assert browser.status(f"{lab.url}/api/contents?token={'0' * 32}") == 403


def run_all_by_menu(page, attempts=6):
    """Run all cells until the first slider is there, and open the page again where that fails.

    As long as no kernel is connected, Notebook 7 drops the command unsaid; a kernel that had to start twice (another took
    its port) or did not start leaves a dialog over the menu.
    """
    from playwright.sync_api import TimeoutError

    for attempt in range(attempts):
        try:
            page.locator("[data-status=idle]").wait_for(timeout=30_000)
            page.get_by_role("menuitem", name="Run", exact=True).click(timeout=10_000)
            page.get_by_role("menuitem", name="Run All Cells", exact=True).click(timeout=10_000)
            return page.locator(".noUi-handle").first.wait_for(timeout=20_000)
        except TimeoutError:
            said = page.locator("dialog").all_inner_texts()
            assert attempt < attempts - 1, f"no slider after {attempts} times Run All Cells; dialogs: {said}"
            page.reload()


def unexpected(reader, application):
    """The errors on the console, less those that the application makes by itself."""
    return [error for error in reader.errors if not any(words in error for words in KNOWN[application])]


def test_notebook_7(tmp_path, reader):
    with browser.serve(tmp_path, [], "notebook") as server:
        reader.page.goto(f"{server.url}/notebooks/{playground(server.folder)}?token={server.token}")
        run_all_by_menu(reader.page)
        reader.page.locator("[data-status=idle]").wait_for()
        # There the arrow keys go to the heading above or below, as long as a text cell is the active one.
        move_everything(reader.page, SMALL, keys=("PageDown", "PageUp"))
        move_live_figures(reader.page)
        assert reader.output_errors() == [] and unexpected(reader, "notebook") == []


def test_voila(tmp_path, reader):
    with browser.serve(tmp_path, [], "voila") as server:
        reader.page.goto(f"{server.url}/voila/render/{playground(server.folder)}")
        reader.page.locator(".noUi-handle").first.wait_for()
        move_everything(reader.page, SMALL)
        move_live_figures(reader.page)
        assert reader.output_errors() == [] and unexpected(reader, "voila") == []
