"""How a function of the reader's is tried: on copies of each case, with an end to patience, and with what it printed kept."""
import contextlib
import copy
import ctypes
import inspect
import io
import threading
from typing import NamedTuple

import torch

SECONDS = 10
LONGEST = 2000                                     # characters that are shown of what a function printed


class Outcome(NamedTuple):
    """What a function gave on one case; a gradient for each argument that the exercise names, zero where no path leads."""

    result: object
    gradients: list


class TooLong(BaseException):
    """Raised inside a function that has had its time; `except Exception` does not catch it."""


def tried(function, exercise):
    """Return the outcomes of all cases and what the function printed, which is shown afterwards.

    Raises:
        TooLong: the function had not finished after SECONDS; says whether it could be stopped.
    """
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            outcomes = within(SECONDS, lambda: [outcome(function, exercise, case) for case in exercise.cases])
    finally:
        text = said.getvalue()
        print(text if len(text) <= LONGEST else f"{text[:LONGEST]} ...\n", end="")
    return outcomes, text


def within(seconds, work):
    """Return what work() returns. After `seconds` it is stopped at its next step of Python or, if it takes none, left alone.

    It runs in a thread of its own, which nothing can keep the notebook waiting for, on every system.
    """
    ended = []

    def run():
        try:
            ended.append((work(), None))
        except BaseException as error:
            ended.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        thread.join(seconds)
    finally:                                       # also when the reader interrupts the kernel
        late = thread.is_alive()
        stopped = not late or _stopped(thread)
    if late:
        raise TooLong("was stopped" if stopped else "cannot be stopped: restart the kernel to be rid of it")
    result, error = ended.pop()
    if error is not None:
        raise error
    return result


def _stopped(thread):
    for _ in range(5):                             # a bare `except` may catch it
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(TooLong))
        thread.join(0.2)
        if not thread.is_alive():
            return True
    return False


def outcome(function, exercise, case):
    """Return what a function gives on a copy of a case."""
    arguments = copy.deepcopy(case)
    leaves = [argument.requires_grad_() for name, argument in _named(exercise, arguments)]
    result = function(*arguments)
    return Outcome(result, _gradients(result, leaves))


def named(exercise):
    """Return the names of the arguments for which an exercise compares gradients."""
    return [name for name, _ in _named(exercise, exercise.cases[0])]


def _named(exercise, arguments):
    names = inspect.signature(exercise.reference).parameters if exercise.gradients else ()
    return [(name, argument) for name, argument in zip(names, arguments, strict=False)
            if isinstance(argument, torch.Tensor) and argument.is_floating_point()
            and (exercise.gradients is True or name in exercise.gradients)]


def _gradients(result, leaves):
    """The gradients of a fixed weighted sum of all numbers in a result."""
    parts = [part for part in _tensors(result) if part.requires_grad] if leaves else []
    if not parts:
        return [torch.zeros_like(leaf) for leaf in leaves]
    total = sum((part.flatten() * torch.arange(1.0, part.numel() + 1).sin()).sum() for part in parts)
    return list(torch.autograd.grad(total, leaves, allow_unused=True, materialize_grads=True))


def _tensors(result):
    if isinstance(result, torch.Tensor):
        return [result]
    return [part for entry in result for part in _tensors(entry)] if isinstance(result, (list, tuple)) else []
