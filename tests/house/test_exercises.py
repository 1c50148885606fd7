"""Exercises: the reference passes, each misconception gets its own reason, everything else an explanation."""
import collections
import inspect
import math

import numpy as np
import pytest
import torch

from snnteach import check, hint, solution
from snnteach.authoring.anatomy import code_lines
from snnteach.lessons import syllabus
from snnteach.lessons.kinds import Exercise, Misconception
from snnteach.reader import store as progress
from snnteach.reader.judge import judge
from snnteach.reader.lookup import exercise as find
from snnteach.reader.lookup import exercises
from snnteach.reader.misses import said


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A progress of its own, in which nothing has happened: other tests check and ask for hints meanwhile."""
    monkeypatch.setenv("SNNTEACH_HOME", str(tmp_path))


EVERY = pytest.mark.parametrize("name", [name for row in syllabus() for name in exercises(row.number)])


@EVERY
def test_reference_is_right(name):
    exercise = find(name)
    assert judge(exercise, exercise.reference) == ("right", "")
    assert exercise.difficulty in ("easy", "medium", "hard") and 1 <= exercise.minutes <= 25
    assert len(exercise.hints) >= 2 and exercise.question and len(exercise.misconceptions) >= 2
    assert exercise.property, "what must its answer be?"
    if exercise.cases:
        assert inspect.getsource(exercise.reference).startswith("def ")
        assert not exercise.build or 8 <= code_lines(inspect.getsource(exercise.reference)) <= 25
    else:
        assert exercise.solution, "a value needs the way to it"
        assert not isinstance(exercise.reference, float) or said(exercise.reference) not in exercise.property


@EVERY
def test_each_misconception_gets_its_own_reason(name):
    exercise = find(name)
    reasons = [judge(exercise, wrong.answer) for wrong in exercise.misconceptions]
    assert reasons == [("not yet", wrong.reason) for wrong in exercise.misconceptions]
    assert len(set(reasons)) == len(reasons)


@EVERY
@pytest.mark.parametrize("blank", [None, ...])
def test_blank_is_not_attempted(name, blank):
    exercise = find(name)
    assert judge(exercise, blank)[0] == "not attempted"
    if exercise.cases:
        assert judge(exercise, lambda *arguments: blank)[0] == "not attempted"


def stub(x):
    raise NotImplementedError


def fails_silently(x):
    raise ValueError


DOUBLE = Exercise("99.1", "Double it.", "easy", 1, lambda x: 2 * x, ("a", "b"), (Misconception(lambda x: x, "Not once."),),
                  cases=((1.0,), (torch.arange(3.0),)))


@pytest.mark.parametrize(("answer", "state", "words"), [
    (stub, "not attempted", ""), (lambda x: x, "not yet", "Not once."),
    (lambda x: 3 * x, "not yet", "for (1.0) got 3.0, expected 2.0."),
    (lambda x: 2.0001 * x, "not yet", "for (1.0) got 2.0001, expected 2.0."),
    (lambda x: 1 / 0, "not yet", "with ZeroDivisionError: division by zero."),
    (fails_silently, "not yet", "in the line `raise ValueError` with ValueError: no message."),
    (7, "not yet", "expected a function, got a number"),
    (lambda x: 2 * x if isinstance(x, float) else x[:1], "not yet", "expected shape (3,), got (1,)"),
    (lambda x: 2 * x if isinstance(x, float) else 5, "not yet", "expected a tensor of shape (3,), got a number"),
    (lambda x: x + x, "right", ""), (lambda x: 2 * x + 1e-7, "right", ""),
    (lambda x: 2 * x + 5e-4 * isinstance(x, torch.Tensor), "not yet",
     "for ([0.0, 1.0, 2.0]) got [0.0005, 2.0, 4.001], expected [0.0, 2.0, 4.0]"),
])
def test_what_judge_says(answer, state, words):
    found, reason = judge(DOUBLE, answer)
    assert found == state and words in reason


def test_a_long_tensor_is_told_where_it_differs():
    long = Exercise("99.2", "Count.", "easy", 1, lambda: torch.arange(20.0), ("a", "b"), (), cases=((),))
    found, reason = judge(long, lambda: torch.arange(20.0).clamp(max=12))
    assert found == "not yet" and "differs first at index (13,): got 12, expected 13" in reason
    assert "differs first at index (0,): got 0.0005" in judge(long, lambda: torch.arange(20.0) + 5e-4)[1]
    assert "expected a tensor of shape (20,)" in judge(long, lambda: list(range(20)))[1]


def test_a_right_nan_is_not_where_a_long_tensor_differs():
    right = torch.tensor([math.nan, *range(1, 20)])
    long = Exercise("99.2", "Count.", "easy", 1, lambda: right.clone(), ("a", "b"), (), cases=((),))
    assert judge(long, right.clone) == ("right", "")
    assert "differs first at index (13,): got 12, expected 13" in judge(long, lambda: right.clamp(max=12))[1]


class Elsewhere(torch.Tensor):
    """A tensor as if on an accelerator: it cannot be compared before it came here."""

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        with torch._C.DisableTorchFunctionSubclass():
            if function is torch.Tensor.cpu:
                return args[0].as_subclass(torch.Tensor)
            found = function(*args, **kwargs or {})
        if function in (torch.Tensor.detach, torch.Tensor.double):
            return found.as_subclass(cls)
        if function in (torch.allclose, torch.Tensor.isclose):
            raise RuntimeError("Expected all tensors to be on the same device")
        return found


def test_an_answer_on_another_device_or_with_a_graph_is_compared():
    long = Exercise("99.2", "Count.", "easy", 1, lambda: torch.arange(20.0), ("a", "b"), (), cases=((),))
    for make in (lambda x: x.as_subclass(Elsewhere), torch.Tensor.requires_grad_):
        assert judge(long, lambda make=make: make(torch.arange(20.0))) == ("right", "")
        assert "index (13,): got 12, expected 13" in judge(long, lambda make=make: make(torch.arange(20.0).clamp(max=12)))[1]


@pytest.mark.parametrize("size", [3, 20])
@pytest.mark.parametrize(("change", "words"), [
    (lambda x: x.to("meta"), "cannot be compared with the right one (NotImplementedError)"),
    (lambda x: x + 0j, "expected real numbers"), (lambda x: [*"abc"], "expected a tensor"),
    (lambda x: type("Unprintable", (), {"__repr__": lambda self: 1 / 0})(), "got an object of type Unprintable")])
def test_what_cannot_be_compared_is_not_yet_right(size, change, words):
    count = Exercise("99.2", "Count.", "easy", 1, lambda: torch.arange(1.0 * size), (), (), cases=((),))
    found, reason = judge(count, lambda: change(torch.arange(1.0 * size)))
    assert found == "not yet" and words in reason


@pytest.mark.parametrize("answer", [10**400, 1j, "3", ["a", 3], torch.tensor(3.0, device="meta"), torch.ones(2, device="meta")])
def test_a_value_that_cannot_be_compared_is_not_yet_right(answer):
    found, reason = judge(Exercise("99.3", "Count.", "easy", 1, 3.0, (), ()), answer)
    assert found == "not yet" and reason.endswith(".")


def test_a_number_is_a_number_in_any_package():
    exercise = find("01.1")
    assert judge(exercise, 13.86)[0] == "right"
    for number in (torch.tensor(13.863), np.float64(13.863), np.array([13.863]), np.float32(13.863)):
        assert judge(exercise, number)[0] == "right"
    assert judge(Exercise("99.3", "Count.", "easy", 1, 3, (), ()), np.int64(3))[0] == "right"
    assert judge(exercise, np.int64(3)) == ("not yet", "got 3. Put it into exp(-t / 20): the result has to be one half.")
    assert judge(exercise, "much")[0] == "not yet" and judge(exercise, True)[0] == "not yet"


def test_a_named_tuple_is_judged_like_any_tuple():
    pair = Exercise("99.4", "Pair.", "easy", 1, lambda: (1.0, 2.0), (), (), cases=((),))
    named = collections.namedtuple("Named", "first second")
    assert judge(pair, lambda: named(1.0, 2.0))[0] == "right"
    assert "result 2 of 2: got 3.0, expected 2.0" in judge(pair, lambda: named(1.0, 3.0))[1]


def test_cases_are_not_changed_by_an_answer():
    def spoils(x):
        if isinstance(x, torch.Tensor):
            x.zero_()
        return 2 * x
    assert judge(DOUBLE, spoils)[0] == "not yet"
    assert judge(DOUBLE, lambda x: 2 * x)[0] == "right"


def test_a_right_answer_is_given_back_itself(capsys):
    reference = find("01.2").reference

    def right(voltage, current, tau, dt):
        return reference(voltage, current, tau, dt)
    assert check("01.2", right) is right
    assert capsys.readouterr().out == "01.2 right\n"


def test_hints_come_one_at_a_time_and_the_last_one_stays(capsys):
    for number in (1, 2, 2):
        hint("01.4")
        assert capsys.readouterr().out.startswith(f"Hint {number} of 2: {find('01.4').hints[number - 1]}")


def test_a_hint_asked_for_in_two_notebooks_at_once_is_still_a_hint(capsys, monkeypatch):
    monkeypatch.setattr(progress, "hints_taken", lambda exercise_id: 1)          # read before the other one took the last
    monkeypatch.setattr(progress, "record_hint", lambda exercise_id: 3)
    hint("01.4")
    assert capsys.readouterr().out.startswith("Hint 2 of 2: ")


def test_solution_prints_source_or_value(capsys):
    solution("01.2")
    assert "def euler_step" in capsys.readouterr().out
    solution("01.3")
    assert "40" in capsys.readouterr().out


def test_unknown_exercise_says_which_there_are():
    with pytest.raises(ValueError, match="There is no exercise '01.9'; there are 01.1"):
        check("01.9", 3)


def test_the_leading_zero_of_an_exercise_may_be_left_out(capsys):
    check("1.1", ...)
    hint("1.1")
    assert "01.1 not attempted. Ask for a hint with hint(\"01.1\")" in capsys.readouterr().out
