"""A notebook runs to its end untouched (as nbval runs it), wrong and solved; the last two are proved without running it again.

Wrong: `check` gives back the very object that the untouched run gets. Solved: each solution's own text passes `check` with the
names of the setup cell alone, and the cells that read what an exercise binds run once more after it, those that train with a
build under --full only: what `check` gives back there has the code and the free names of the reference, with which the
untouched run trains, and those cells only call it or hand it on. That no other cell can tell the states apart is read from the
syntax trees.
"""
import ast
import builtins
import copy
import inspect
import os
import random

import nbformat
import numpy as np
import pytest
import torch

from snnteach import check, solution
from snnteach.authoring import notebooks
from snnteach.lessons import syllabus
from snnteach.lessons.kinds import Exercise, Misconception
from snnteach.reader import store, trial
from snnteach.reader.judge import judge
from snnteach.reader.lookup import exercise as find
from snnteach.reader.lookup import exercises
from tests import cells

EVERY = pytest.mark.parametrize("name", [name for row in syllabus() for name in exercises(row.number)])
BUILDS = bool(os.environ.get("SNNTEACH_FULL"))
WHOLE = pytest.mark.parametrize("path", notebooks.paths(), ids=lambda path: path.stem)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SNNTEACH_HOME", str(tmp_path))
    monkeypatch.setattr(trial, "within", lambda seconds, work: work())                # test_misses tries its thread


def chance():
    """The state of every global source of random numbers."""
    return random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()


@EVERY
def test_a_wrong_answer_gets_what_an_untouched_stub_gets_and_its_own_reason(name, capsys):
    exercise, before = find(name), chance()
    assert check(name, None) is check(name, ...) is exercise.reference
    assert capsys.readouterr().out.count(f"{name} not attempted") == 2
    for wrong in exercise.misconceptions:
        assert check(name, wrong.answer) is exercise.reference
        said = capsys.readouterr().out
        assert said.startswith(f"{name} not yet: {wrong.reason}") and f'hint("{name}")' in said, said
    for wrong in (lambda *arguments: 1 / 0, "nonsense"):
        assert check(name, wrong) is exercise.reference and f"{name} not yet: " in capsys.readouterr().out
    assert chance() == before and store.solved() == {}


def throws_dice(x):
    random.random()
    np.random.rand()
    torch.manual_seed(0)
    return x.zero_()


def fails_after_dice(x):
    torch.rand(1)
    raise ValueError


@pytest.mark.parametrize("answer", [throws_dice, fails_after_dice])
def test_judging_leaves_chance_and_arguments_as_they_were(answer):
    case = torch.ones(3)
    toy = Exercise("99.1", "Double it.", "easy", 1, lambda x: 2 * x, (), (Misconception(answer, "No."),), cases=((case,),))
    before = chance()
    assert judge(toy, answer)[0] == "not yet"
    assert chance() == before and torch.equal(case, torch.ones(3))


def solve(names, cell, capsys):
    """Run an exercise cell that is filled with its solution; `check` has to call it right."""
    capsys.readouterr()
    cells.execute(cell, names)
    name = cell.metadata.snnteach.exercise
    assert capsys.readouterr().out == f"{name} right\n" and name in store.solved()


@WHOLE
def test_each_solution_is_right_with_the_names_of_the_setup_cell(path, capsys):
    solved, names = notebooks.solved(notebooks.read(path)), {}
    cells.execute(next(cell for cell in solved.cells if "setup" in cells.tags(cell)), names)
    for name, cell in notebooks.exercise_cells(solved).items():
        solve(names.copy(), cell, capsys)
        solution(name)
        answer, said = find(name).reference, capsys.readouterr().out
        assert said.startswith(inspect.getsource(answer).rstrip() if find(name).cases else str(answer))


@WHOLE
def test_cells_that_read_an_answer_run_once_it_is_solved(path, capsys):
    run_what_follows(notebooks.solved(notebooks.read(path)), notebooks.read(path), capsys)


@WHOLE
def test_what_follows_a_build_only_calls_it_or_hands_it_on(path):
    code = cells.code_cells(path)
    for index, cell in enumerate(code):
        if cell.metadata.get("snnteach", {}).get("build"):
            (answer,) = cells.bound(ast.parse(cell.source))
            below = [ast.parse(follower.source) for follower in code[index + 1:]]
            assert any(used := [cells.uses(tree, answer) for tree in below]) and all(called for each in used for called in each)


def test_a_cell_that_looks_into_a_function_is_found():
    for source, called in (("f(1)", True), ("g(f)", True), ("g(step=f)", True), ("f.__module__", False), ("f is g", False)):
        assert list(cells.uses(ast.parse(source), "f")) == [called]


def run_what_follows(solved, untouched, capsys, builds=BUILDS):
    """After each solved exercise run the cells that read its answer, and before it those that they need; name them."""
    answers, ran = notebooks.exercise_cells(solved), []
    code = [cell for cell in untouched.cells if cell.cell_type == "code"]
    for index, cell in enumerate(code):
        name = cell.metadata.get("snnteach", {}).get("exercise")
        below = cells.following(code, index) if name and (builds or not find(name).build) else []
        names = {}
        for needed in cells.with_what_they_need(code, [cell, *below]) if below else []:
            solve(names, answers[name], capsys) if needed is cell else cells.execute(needed, names)
        ran += [follower.id for follower in below]
    return ran


def notebook(*sources):
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source, id=f"s1-{number}")
                                           for number, source in enumerate(sources)])
    made.cells[0].metadata["tags"] = ["setup"]
    made.cells[3].metadata["snnteach"] = {"exercise": "02.2"}
    return made


def test_what_follows_an_answer_is_found_and_run_with_what_it_needs_only(capsys):
    stub = 'def decay_for_step(beta, dt, new_dt):\n    ...\ndecay_for_step = check("02.2", decay_for_step)'
    sources = ["import math\nfrom snnteach import check", "fig = 1 / 0", "decays = []", stub, "decays.append(0.81)",
               "unrelated = 1 / 0", "half = decay_for_step(0.9, 1, 2)\nassert half == decays[0]",
               "with open('none') as fig:\n    other = 1 / 0", "assert half == 0.81", "last = fig"]
    untouched = notebook(*sources)
    assert run_what_follows(notebooks.solved(copy.deepcopy(untouched)), untouched, capsys) == ["s1-6", "s1-8"]
    untouched.cells[8].source = "assert decay_for_step.__module__.startswith('snnteach')"        # right unless it is solved
    with pytest.raises(AssertionError):
        run_what_follows(notebooks.solved(copy.deepcopy(untouched)), untouched, capsys)


@WHOLE
def test_an_exercise_cell_binds_what_it_checks_and_no_other_cell_touches_what_a_solution_uses(path):
    code = cells.code_cells(path)
    others = [cell for cell in code if not {"setup", "program"} & cells.tags(cell)]
    elsewhere = set().union(*(cells.bound(ast.parse(cell.source)) for cell in others if "exercise" not in cells.tags(cell)))
    (setup,) = (cells.bound(ast.parse(cell.source)) for cell in code if "setup" in cells.tags(cell))
    for name, cell in notebooks.exercise_cells(notebooks.read(path)).items():
        tree = ast.parse(cell.source)
        (answer,) = cells.bound(tree)
        assert ast.unparse(tree.body[-1]) == f"{answer} = check({name!r}, {answer})", f"{cell.id} has to rebind {answer}"
        if find(name).cases:
            free = cells.read(inspect.getsource(find(name).reference)) - set(dir(builtins))
            assert free <= setup and not free & elsewhere, f"{name}: a solution uses only what the setup cell brings"


@WHOLE
def test_no_cell_needs_a_name_that_only_a_long_cell_binds(path):
    code = cells.code_cells(path)
    short = [cell for cell in code if "long" not in cells.tags(cell)]
    known = set(dir(builtins))
    for cell in short:
        assert not (lost := cells.needed(ast.parse(cell.source)) - known), f"{cell.id} reads {lost}"
        known |= cells.bound(ast.parse(cell.source))
    assert all("exercise" not in cells.tags(cell) for cell in code if cell not in short)
