"""How an answer is judged: by what it does, compared with the reference and known mistakes."""
import contextlib
import random

import numpy as np
import torch

from . import misses
from .alike import agree, plain
from .trial import SECONDS, TooLong, outcome, tried


def judge(exercise, answer):
    """Return ("right" | "not yet" | "not attempted", reason); the global random numbers go on as if nobody had asked."""
    with _chance_kept():
        try:
            return _judge(exercise, answer)
        except Exception as error:  # a tensor without data, a number beyond any float, ...
            return "not yet", f"your answer cannot be compared with the right one ({type(error).__name__})."


@contextlib.contextmanager
def _chance_kept():
    """Put the states of the global random numbers back at the end, whatever an answer drew."""
    python, numpy = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


def _judge(exercise, answer):
    if answer is None or answer is ...:
        return "not attempted", ""
    return _judge_function(exercise, answer) if exercise.cases else _judge_value(exercise, answer)


def _judge_value(exercise, answer):
    if agree(answer, exercise.reference, exercise.tolerance):
        return "right", ""
    for misconception in exercise.misconceptions:
        wrong = misconception.answer
        if agree(answer, wrong, exercise.tolerance) and (plain(answer) == 0 or wrong != 0):      # a tiny number is no zero
            return "not yet", misconception.reason
    return "not yet", misses.of_value(exercise, answer)


def _judge_function(exercise, answer):
    if not callable(answer):
        return "not yet", f"expected a function, got {misses.kind(answer)}."
    try:
        outcomes, printed = tried(answer, exercise)
    except NotImplementedError:
        return "not attempted", ""
    except TooLong as error:
        return "not yet", f"your function had not finished after {SECONDS} seconds and {error}. Does a loop never end?"
    except (Exception, SystemExit) as error:  # the reader's code may raise anything
        return "not yet", misses.of_error(error, answer)
    if all(result is None or result is ... for result, _ in outcomes):
        return ("not yet", misses.of_print(printed)) if printed.strip() else ("not attempted", "")
    return _judge_outcomes(exercise, outcomes)


def _judge_outcomes(exercise, outcomes):
    expected = [outcome(exercise.reference, exercise, case) for case in exercise.cases]
    if agree(outcomes, expected, exercise.tolerance):
        return "right", ""
    for misconception in exercise.misconceptions:
        if agree(outcomes, [outcome(misconception.answer, exercise, case) for case in exercise.cases], exercise.tolerance):
            return "not yet", misconception.reason
    return "not yet", misses.of_outcomes(exercise, outcomes, expected)
