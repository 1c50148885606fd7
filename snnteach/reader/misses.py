"""Why an answer is not right: the first reason that explains all of it, in words."""
import inspect
import linecache
import math
import traceback
from decimal import Decimal

import numpy as np
import torch

from .alike import agree, changed, close, plain
from .trial import named

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
KINDS = ((bool, "True or False"), ((int, float, np.number), "a number"), (complex, "a complex number"), (str, "text"),
         (np.ndarray, "a NumPy array"), (type(None), "nothing"), (list, "a list"), (tuple, "a tuple"))
FEW = 8                                            # numbers of a tensor that are shown


def of_value(exercise, answer):
    """Why a value is not the right one."""
    right, answer = exercise.reference, plain(answer)
    return (_misfit(answer, right) or _rounded(answer, right, exercise.tolerance)
            or _turned(exercise, [answer], [right], [(f"the number of {name}", [n]) for name, n in exercise.scales.items()])
            or f"got {said(answer)}. {exercise.property or 'That is not it.'}")


def of_outcomes(exercise, outcomes, expected):
    """Why a function is not the right one, by the first case that shows it."""
    results, rights = [found.result for found in outcomes], [found.result for found in expected]
    wrong = [place for place, pair in enumerate(zip(results, rights, strict=True)) if not agree(*pair, exercise.tolerance)]
    if not wrong:
        return _of_gradients(exercise, outcomes, expected)
    case, result, right = exercise.cases[wrong[0]], results[wrong[0]], rights[wrong[0]]
    at = f"for ({', '.join(map(said, case))}) " if case else ""
    if misfit := _misfit(result, right):
        return at + misfit
    why = _cut_short(results, rights) or _turned(exercise, results, rights, _sizes(exercise.cases))
    why = why[:1].upper() + why[1:] or exercise.property
    return f"{at}{_difference(result, right, exercise.tolerance)} {why}".rstrip()


def of_print(printed):
    """What to say where a function printed its answer and returned nothing."""
    printed = printed.strip().splitlines()[0]
    return f"your function printed {printed if len(printed) < 24 else 'its result'} and returned nothing: return it."


def of_error(error, answer):
    """Where a function stopped, and why; not what our own code stumbled over when it was given the wrong thing."""
    text = (str(error).splitlines() or ["no message"])[0].rstrip(".")
    home = getattr(inspect.unwrap(answer), "__globals__", None)
    steps = list(traceback.walk_tb(error.__traceback__))
    own = [place for place, (frame, _) in enumerate(steps) if frame.f_globals is home]
    frame, number = steps[own[-1]] if own else (None, 0)
    line = linecache.getline(frame.f_code.co_filename, number, frame.f_globals).strip() if own else ""
    where = f" in the line `{_short(line)}`" if line else ""
    module = steps[-1][0].f_globals.get("__name__", "")
    explains = isinstance(error, ValueError) or module in ("snnteach._arguments", "snnteach._cures")
    if own and module.startswith("snnteach.") and module != frame.f_globals["__name__"] and not explains:
        inner = steps[own[-1] + 1][0]
        given = {kind(inner.f_locals.get(name)): None for name in inspect.getargs(inner.f_code).args if name != "self"}
        cure = " torch.tensor(...) makes a tensor of a number." if "a number" in given else ""
        return f"your function stopped{where}: what is called there cannot use {' and '.join(given)}.{cure}"
    return f"your function stopped{where} with {type(error).__name__}: {text}."


def kind(value):
    """What something is, in words."""
    if isinstance(value, torch.Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    name = next((name for kinds, name in KINDS if isinstance(value, kinds)), None)
    if isinstance(value, (list, tuple)):
        return f"{name} of {len(value)}"
    return name or ("a function" if callable(value) else f"an object of type {type(value).__name__}")


def _misfit(answer, right):
    """What is wrong with the kind, the length or the shape of an answer; "" if nothing is."""
    answer, wanted = plain(answer) if not isinstance(right, torch.Tensor) else answer, kind(right)
    if isinstance(right, torch.Tensor):
        if not isinstance(answer, torch.Tensor):
            return f"expected {wanted}, got {kind(answer)}{_cure(answer)}."
        if answer.is_complex():
            return "expected real numbers, got complex ones."
        return "" if answer.shape == right.shape else _shapes(answer, right)
    if isinstance(right, (list, tuple)):
        if not isinstance(answer, (list, tuple)) or len(answer) != len(right):
            return f"expected {wanted}, got {kind(answer)}."
        return next(filter(None, map(_misfit, answer, right)), "")
    fits = isinstance(answer, (int, float)) and not isinstance(answer, bool) if wanted == "a number" else kind(answer) == wanted
    forgot = ": is there a way to its end without a return?" if answer is None else "."
    if not fits:
        return f"expected {wanted}, got {kind(answer)}{forgot}"
    return "got nan, which is not a number." if wanted == "a number" and math.isnan(answer) and not math.isnan(right) else ""


def _cure(answer):
    entries = answer if isinstance(answer, list) else [answer]
    if entries and all(isinstance(entry, torch.Tensor) for entry in entries):
        return "; torch.stack makes one of it"
    return "; torch.as_tensor makes one of it" if all(kind(e) in ("a number", "a NumPy array") for e in entries) else ""


def _shapes(answer, right):
    shapes = f"expected shape {tuple(right.shape)}, got {tuple(answer.shape)}"
    for one in range(answer.dim()):
        for other in range(one):
            if agree(answer.transpose(one, other), right, 1e-6):
                return f"{shapes}: the numbers are right, axes {other} and {one} have to change places."
    return f"{shapes}."


def _rounded(answer, right, tolerance):
    """What to say of a number that was rounded, or cut off, to fewer digits than the tolerance needs; "" if it was not."""
    if not isinstance(right, (int, float)) or isinstance(right, bool) or not math.isfinite(answer):
        return ""
    unit = 10.0 ** Decimal(repr(answer)).as_tuple().exponent
    if abs(answer - right) >= min(unit, 0.05 * abs(right)):
        return ""
    digits = next(digits for digits in range(1, 18) if agree(float(f"{right:.{digits}g}"), right, tolerance))
    return f"close: give {NUMBERS[digits] if digits < len(NUMBERS) else digits} digit{'s' * (digits > 1)}."


def _cut_short(results, rights):
    cut = any(agree(results, changed(rights, lambda x, places=places: x.round(decimals=places)), 1e-7) for places in range(6))
    return "close: your results are rounded; return all their digits." if cut else ""


def _turned(exercise, results, rights, sizes):
    """Which simple change of all results makes them right; "" if none does."""
    def holds(change, scales=None):
        turned = [changed(result, lambda x, n=n: change(x, n))
                  for result, n in zip(results, scales or [1] * len(results), strict=True)]
        return agree(turned, rights, exercise.tolerance)

    for name, scales in sizes:
        if holds(lambda x, n: x / n, scales):
            return f"that is the answer times {name} ({scales[0]}): a count or a sum, where a rate or a mean is asked for."
        if holds(lambda x, n: x * n, scales):
            return f"that is the answer divided by {name} ({scales[0]}): a rate or a mean, where a count or a sum is asked for."
    if holds(lambda x, n: x / 100) or holds(lambda x, n: x * 100):
        return "there is a factor of 100 between this and the answer: per cent, or a share?"
    for _, scales in sizes if "deviation" in exercise.question + exercise.property else ():
        for power in (0.5, -0.5, 1, -1):
            if holds(lambda x, n, power=power: x * (1 - 1 / n) ** power, scales):
                return ("it is off by the factor between two standard deviations: torch divides by n - 1 and NumPy by n."
                        " Which is asked for?")
    if holds(lambda x, n: -x):
        return "the sign is the other way round."
    return "that is one over the answer." if holds(lambda x, n: 1 / x) else ""


def _sizes(cases):
    """Numbers that may stand for how many: axes and whole of each tensor, whole numbers; those above one in all cases."""
    found = [dict(pair for place, argument in enumerate(case) for pair in _sizes_of(place, argument)) for case in cases]
    scales = [("a size of what it was given", [sizes[key] for sizes in found]) for key in found[0]
              if all(sizes.get(key, 0) > 1 for sizes in found)]
    return [pair for pair in scales if max(pair[1]) > 2]


def _sizes_of(place, argument):
    if isinstance(argument, torch.Tensor):
        return [((place, axis), size) for axis, size in enumerate(argument.shape)] + [((place, "all"), argument.numel())]
    return [((place, "itself"), argument)] if type(argument) is int else []


def _of_gradients(exercise, outcomes, expected):
    for found, wanted in zip(outcomes, expected, strict=True):
        for name, gradient, right in zip(named(exercise), found.gradients, wanted.gradients, strict=True):
            if not agree(gradient, right, exercise.tolerance):
                lost = ("no gradient reaches it. Is there a detach, an item or a new tensor on the way?" if not gradient.any()
                        else _difference(gradient, right, exercise.tolerance))
                return f"the values are right, the gradient of `{name}` is not: {lost}"
    raise AssertionError("unreachable: outcomes disagree, but neither their values nor their gradients")


def _difference(result, right, tolerance):
    if isinstance(right, (list, tuple)):
        place = next(place for place, pair in enumerate(zip(result, right, strict=True)) if not agree(*pair, tolerance))
        return f"result {place + 1} of {len(right)}: {_difference(result[place], right[place], tolerance)}"
    if isinstance(right, torch.Tensor) and right.numel() > FEW:
        where = tuple((~close(result, right, tolerance)).nonzero()[0].tolist())
        return f"the tensor differs first at index {where}: got {result[where].item():g}, expected {right[where].item():g}."
    digits = next(digits for digits in (4, 8, 17) if digits == 17 or said(result, digits) != said(right, digits))
    return f"got {said(result, digits)}, expected {said(right, digits)}."


def said(value, digits=4):
    """A value as it is shown in a sentence: numbers rounded, a long tensor by its shape, a function by its name."""
    if isinstance(value, torch.Tensor):
        return kind(value) if value.numel() > FEW else said(value.detach().tolist(), digits)
    if isinstance(value, (list, tuple)):
        inside = ", ".join(said(entry, digits) for entry in value)
        return _short(f"[{inside}]" if isinstance(value, list) else f"({inside}{',' * (len(value) == 1)})")
    if callable(value):
        return getattr(value, "__name__", kind(value))
    return _short(str(float(f"{value:.{digits}g}")) if isinstance(value, float) else repr(value))


def _short(text):
    return text if len(text) <= 80 else f"{text[:76]} ..."
