"""What a check says to an answer that no misconception explains, and how it tries the reader's function."""
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from snnteach import whose
from snnteach.lessons.kinds import Exercise, Misconception
from snnteach.neurons import lif
from snnteach.reader import trial
from snnteach.reader.judge import judge
from snnteach.surrogate import triangular


def value(right, **more):
    return Exercise("99.1", "How much?", "easy", 1, right, (), (), tolerance=2e-3, **more)


def reason(exercise, answer):
    state, words = judge(exercise, answer)
    assert state == "not yet" and words.endswith((".", "?")) and "larger" not in words and "smaller" not in words
    return words


@pytest.mark.parametrize(("right", "answer", "words"), [
    (3.0332, 3.0, "close: give three digits."), (3.0332, 3, "close: give three digits."), (13.511, 13.5, None),
    (13.511, 13.4, "got 13.4. That is not it."), (0.7437, 0.74, "close: give three digits."), (0.7437, 0.7, "got 0.7. That"),
    (0.7437, 74.37, "a factor of 100"), (30, 0.3, "a factor of 100"), (-0.7437, 0.7437, "the sign"),
    (0.1484, 6.7385, "one over the answer"), (0.7437, "0.7437", "expected a number, got text."),
    (0.7437, [0.7437], "expected a number, got a list of 1."), (0.7437, torch.ones(2), "got a tensor of shape (2,)."),
    (0.7437, np.ones(2), "got a NumPy array."), (0.7437, True, "got True or False."), (0.7437, print, "got a function."),
    (0.7437, float("nan"), "got nan"), (0.7437, float("inf"), "got inf."), (0.7437, 0, "got 0. That is not it."),
    (0.0, 4.0, "got 4.0. That is not it."), (True, 1, "expected True or False, got a number."), ("a", 1, "expected text"),
])
def test_what_is_said_to_a_value(right, answer, words):
    if words is None:
        assert judge(value(right), answer) == ("right", "")
    else:
        assert words in reason(value(right), answer)


def test_a_count_for_a_rate_and_a_property():
    rate = value(0.2998, scales={"steps": 25}, property="A neuron fires at most once a step.")
    assert "the answer times the number of steps (25)" in reason(rate, 7.495)
    assert "the answer divided by the number of steps (25)" in reason(rate, 0.011992)
    assert reason(rate, 1.7) == "got 1.7. A neuron fires at most once a step."


def test_a_tiny_number_is_not_the_misconception_zero():
    queue = Exercise("99.1", "How probable?", "easy", 1, 0.05, (), (Misconception(0.0, "A queue."),), tolerance=1e-3)
    assert judge(queue, 0) == ("not yet", "A queue.") and reason(queue, 4.6e-9) == "got 4.6e-09. That is not it."


def spread(x):
    return x / x.std(0)


def doubled(x):
    return torch.stack([x, 2 * x])


def function(reference, *cases, **more):
    cases = tuple((case,) for case in cases)
    return Exercise("99.2", "A mean, a deviation, or what it is.", "easy", 1, reference, (), (), cases=cases, **more)


def test_a_factor_between_deviations_is_a_reason_only_where_one_is_asked_for():
    asked = function(lambda x: x / x.std(0, correction=0), *PAIR)
    assert "NumPy by n" in reason(asked, spread)
    assert "NumPy by n" not in reason(replace(asked, question="Which share?"), spread)


X = torch.tensor([[0.3, 1.7, 2.9], [4.1, 0.6, 0.2], [1.3, 5.5, 3.7], [0.9, 2.2, 4.8]])
PAIR = X, X[:3] + 1


def only_odd(x):
    if len(x) == 3:
        return x.mean()


@pytest.mark.parametrize(("reference", "answer", "words"), [
    (spread, lambda x: x / x.std(0, unbiased=False), "torch divides by n - 1 and NumPy by n"),
    (lambda x: x.mean(0), lambda x: x.sum(0), "times a size of what it was given (4): a count or a sum"),
    (lambda x: x.sum(0), lambda x: x.mean(0), "divided by a size of what it was given (4): a rate or a mean"),
    (spread, lambda x: 100 * spread(x), "factor of 100"), (spread, lambda x: -spread(x), "The sign is the other way"),
    (spread, lambda x: 1 / spread(x), "That is one over"),
    (spread, lambda x: spread(x).round(decimals=2), "results are rounded"),
    (doubled, lambda x: doubled(x).transpose(0, 2), "numbers are right, axes 0 and 2 have to change places"),
    (doubled, lambda x: doubled(x)[None], "expected shape (2, 4, 3), got (1, 2, 4, 3)."),
    (spread, lambda x: spread(x).tolist(), "expected a tensor of shape (4, 3), got a list of 4."),
    (spread, lambda x: spread(x).numpy(), "got a NumPy array; torch.as_tensor makes one of it."),
    (spread, lambda x: list(spread(x)), "got a list of 4; torch.stack makes one of it."),
    (lambda x: x.mean().item(), lambda x: x.mean(0), "expected a number, got a tensor of shape (3,)."),
    (lambda x: x.mean(), only_odd, "got nothing."), (lambda x: x.mean().item(), only_odd, "without a return?"),
    (lambda x: (x, x.mean()), lambda x: (x, 2 * x.mean()), "result 2 of 2: got 4.7, expected 2.35."),
    (lambda x: (x, x), lambda x: x, "expected a tuple of 2, got a tensor of shape (4, 3)."),
    (spread, lambda x: spread(x) + x, "differs first at index (0, 0): got"),
])
def test_what_is_said_to_a_function(reference, answer, words):
    found = reason(function(reference, *PAIR), answer)
    assert words in found and "tensor([" not in found and len(found) < 300


def test_a_value_that_is_printed_and_not_returned():
    mean = function(lambda x: x.mean(), *PAIR)
    assert reason(mean, lambda x: print(round(x.mean().item(), 2))) == (
        "your function printed 2.35 and returned nothing: return it.")
    assert "printed its result and returned nothing" in reason(mean, lambda x: print(x))
    assert judge(mean, lambda x: None)[0] == judge(mean, lambda x: print())[0] == "not attempted"


def test_what_a_function_prints_is_shown_but_not_without_end(capsys):
    assert judge(function(spread, *PAIR), lambda x: print(x.shape) or spread(x)) == ("right", "")
    assert capsys.readouterr().out == "torch.Size([4, 3])\ntorch.Size([3, 3])\n"
    judge(function(spread, X), lambda x: print("x" * 10**6))
    assert len(capsys.readouterr().out) < 2100


def with_a_number(x):
    return x * triangular()(-1.0)


def with_a_wrong_shape(x):
    return lif(x, beta=0.9)


def with_a_missing_method(x):
    return x.no_such_method()


def test_an_error_is_shown_with_the_readers_line():
    inside = reason(function(spread, X), with_a_number)
    assert "in the line `return x * triangular()(-1.0)`: what is called there cannot use a number. torch.tensor(" in inside
    said = reason(function(spread, X), with_a_wrong_shape)
    assert "in the line `return lif(x, beta=0.9)` with ValueError: lif: x must be" in said
    assert "`return x.no_such_method()` with AttributeError: 'Tensor' object has" in reason(function(spread, X),
                                                                                           with_a_missing_method)
    assert "with SystemExit: no message." in reason(function(spread, X), lambda x: exit())


def goes_on(x):
    while True:
        pass


def swallows(x):
    while True:
        try:
            time.sleep(0.001)
        except Exception:
            pass


def swallows_once(x):
    try:
        goes_on(x)
    except:  # noqa: E722
        goes_on(x)


def prints_on(x):
    while True:
        print(x)


def waits(x):
    threading.Event().wait(3)


@pytest.mark.parametrize(("answer", "end"), [
    (goes_on, "was stopped"), (swallows, "was stopped"), (swallows_once, "was stopped"), (prints_on, "was stopped"),
    (waits, "restart the kernel")])
def test_a_function_that_does_not_end_is_stopped_or_left_alone(monkeypatch, answer, end, capsys):
    monkeypatch.setattr(trial, "SECONDS", 0.3)
    state, before = torch.get_rng_state(), time.monotonic()
    found = reason(function(spread, X), answer)
    assert "had not finished after 10 seconds" in found and end in found and time.monotonic() - before < 5
    assert torch.equal(torch.get_rng_state(), state)
    print("here")
    assert capsys.readouterr().out.endswith("here\n"), "what is printed afterwards goes where it did before"


def test_a_reader_who_interrupts_stops_the_function_too(monkeypatch):
    def interrupted(thread, timeout=None, join=threading.Thread.join):
        monkeypatch.undo()
        raise KeyboardInterrupt
    monkeypatch.setattr(threading.Thread, "join", interrupted)
    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt):
        judge(function(spread, X), goes_on)
    assert not any(thread.is_alive() for thread in threading.enumerate() if thread not in before)


def test_a_trial_keeps_what_a_thread_has_of_its_own():
    with torch.no_grad():
        assert trial.within(1, torch.is_grad_enabled)
    assert trial.within(1, torch.get_num_threads) == torch.get_num_threads()
    with pytest.raises(ZeroDivisionError):
        trial.within(1, lambda: 1 / 0)


def squared(weight, x):
    return (weight * x) ** 2


BUILD = Exercise("99.3", "Build it.", "medium", 5, squared, (), (
    Misconception(lambda weight, x: (weight.detach() * x) * weight * x, "half of the gradient is cut off."),),
    cases=((torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])),), build=True, gradients=("weight",))


@pytest.mark.parametrize(("answer", "words"), [
    (lambda weight, x: (weight.detach() * x) * weight * x, "half of the gradient is cut off."),
    (lambda weight, x: squared(weight.detach(), x), "values are right, the gradient of `weight` is not: no gradient reaches"),
    (lambda weight, x: torch.tensor(squared(weight, x).tolist()), "no gradient reaches it"),
    (lambda weight, x: squared(3 * weight - 2 * weight.detach(), x), "gradient of `weight` is not: got ["),
    (lambda weight, x: weight * x, "for ([1.0, 2.0], [3.0, 4.0]) got [3.0, 8.0], expected [9.0, 64.0]."),
])
def test_a_build_is_judged_by_its_gradients_too(answer, words):
    assert words in reason(BUILD, answer)
    assert judge(BUILD, lambda weight, x: weight ** 2 * x ** 2) == ("right", "")
    assert not any(argument.requires_grad for argument in BUILD.cases[0])


def test_gradients_of_all_arguments_and_of_none():
    everything = Exercise("99.3", "Build it.", "medium", 5, squared, (), (), cases=BUILD.cases, gradients=True)
    assert "the gradient of `x` is not" in reason(everything, lambda weight, x: squared(weight, x.detach()))
    nothing = Exercise("99.3", "Build it.", "medium", 5, squared, (), (), cases=BUILD.cases)
    assert judge(nothing, lambda weight, x: squared(weight.detach(), x)) == ("right", "")


def test_whose_code_a_check_gave_back():
    class Mine:
        def __call__(self):
            return 1
    assert whose(squared) == whose(Mine) == whose(Mine()) == "your code"
    assert whose(lif) == whose(Exercise) == "the reference code"
