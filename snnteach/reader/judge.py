"""How an answer is judged: by what it does, compared with the reference and known mistakes."""
import contextlib
import copy
import math
import random

import numpy as np
import torch


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
    if not exercise.cases:
        return _judge_value(exercise, answer)
    if not callable(answer):
        return "not yet", f"expected a function, got {answer!r}."
    try:
        results = [answer(*copy.deepcopy(case)) for case in exercise.cases]
    except NotImplementedError:
        return "not attempted", ""
    except Exception as error:  # the reader's code may raise anything
        said = (str(error).splitlines() or ["no message"])[0].rstrip(".")
        return "not yet", f"your function stopped with {type(error).__name__}: {said}."
    if all(result is None or result is ... for result in results):
        return "not attempted", ""
    return _judge_results(exercise, results)


def _judge_value(exercise, answer):
    if agree(answer, exercise.reference, exercise.tolerance):
        return "right", ""
    for misconception in exercise.misconceptions:
        if agree(answer, misconception.answer, exercise.tolerance):
            return "not yet", misconception.reason
    return "not yet", f"got {_short(answer)}, {_difference(answer, exercise.reference, exercise.tolerance)}"


def _judge_results(exercise, results):
    expected = [exercise.reference(*copy.deepcopy(case)) for case in exercise.cases]
    if agree(results, expected, exercise.tolerance):
        return "right", ""
    for misconception in exercise.misconceptions:
        wrong = [misconception.answer(*copy.deepcopy(case)) for case in exercise.cases]
        if agree(results, wrong, exercise.tolerance):
            return "not yet", misconception.reason
    for case, result, right in zip(exercise.cases, results, expected, strict=True):
        if not agree(result, right, exercise.tolerance):
            shown = ", ".join(_short(argument) for argument in case)
            digits = next(digits for digits in (4, 8, 17) if digits == 17 or _short(result, digits) != _short(right, digits))
            difference = _difference(result, right, exercise.tolerance, digits, reveal=True)
            return "not yet", f"for ({shown}) got {_short(result, digits)}, {difference}"
    raise AssertionError("unreachable: results disagree but every case agrees")


def agree(answer, right, tolerance):
    """Tell whether two answers are the same: numbers and tensors within a tolerance that is relative and absolute."""
    if isinstance(right, torch.Tensor):
        if not isinstance(answer, torch.Tensor) or answer.shape != right.shape or answer.is_complex():
            return False
        return bool(_close(answer, right, tolerance).all())
    if isinstance(right, (list, tuple)):
        return (isinstance(answer, (list, tuple)) and len(answer) == len(right)
                and all(agree(a, r, tolerance) for a, r in zip(answer, right, strict=True)))
    answer = _plain(answer)
    if isinstance(right, (str, bool)):
        return isinstance(answer, type(right)) and answer == right
    if isinstance(answer, bool) or not isinstance(answer, (int, float)):
        return False
    return math.isclose(answer, right, rel_tol=tolerance, abs_tol=tolerance)


def _close(answer, right, tolerance):
    return _values(answer).isclose(_values(right), rtol=tolerance, atol=tolerance, equal_nan=True)


def _values(tensor):
    """What a tensor holds, without its graph and wherever it lies: an answer may come from an accelerator."""
    return tensor.detach().cpu().double()


def _plain(answer):
    """The one number in a tensor or a NumPy array as Python's own; anything else as it is."""
    return answer.item() if hasattr(answer, "item") and math.prod(getattr(answer, "shape", (0,))) == 1 else answer


def _difference(answer, right, tolerance, digits=4, reveal=False):
    if isinstance(right, torch.Tensor):
        if not isinstance(answer, torch.Tensor):
            return f"expected a tensor of shape {tuple(right.shape)}."
        if answer.shape != right.shape:
            return f"expected shape {tuple(right.shape)}."
        if answer.is_complex():
            return "expected real numbers."
        if right.numel() > 8:
            where = tuple((~_close(answer, right, tolerance)).nonzero()[0].tolist())
            return f"which differs first at index {where}: {answer[where].item():g}, expected {right[where].item():g}."
    if reveal:
        return f"expected {_short(right, digits)}."
    answer = _plain(answer)
    if isinstance(answer, float) and math.isnan(answer):
        return "which is not a number."
    numbers = isinstance(right, (int, float)) and isinstance(answer, (int, float))
    if numbers and not isinstance(right, bool) and not isinstance(answer, bool):
        return "the answer is larger." if answer < right else "the answer is smaller."
    if isinstance(right, (int, float)) and not isinstance(right, bool):
        return f"expected a number, not {type(answer).__name__}."
    return "which is not it."


def _short(value, digits=4):
    if isinstance(value, torch.Tensor):
        if value.numel() > 8:
            return f"a tensor of shape {tuple(value.shape)}"
        return f"tensor({_rounded(value.detach().tolist(), digits)})"
    text = str(_rounded(value, digits)) if isinstance(value, (float, list, tuple)) else repr(value)
    return text if len(text) <= 80 else f"{text[:76]} ..."


def _rounded(value, digits):
    if isinstance(value, (list, tuple)):
        entries = [_rounded(entry, digits) for entry in value]
        return tuple(entries) if isinstance(value, tuple) else entries
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value
