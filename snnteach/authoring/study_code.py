"""Which code makes a row of a study, and its fingerprint: what the row's functions reach, and the values that they hold."""
import hashlib
import inspect
from functools import partial
from types import FunctionType
from typing import NamedTuple

from ..reader import resolver, sources

PLAIN = (bool, int, float, complex, str, bytes, type(None))


class Code(NamedTuple):
    """The code of a row: a fingerprint of all that can change its numbers, and the functions that it is made of."""

    fingerprint: str
    made_of: frozenset                              # (module, name), such as ("lessons.training.study", "recipe")


def codes(rows):
    """Fingerprint the code of each row of a study.

    Args:
        rows: {setting: function}; a function that another one made, as `recipe(width=300)` does, holds values and functions.

    Returns:
        {setting: Code}, the same under every version of Python.

    Raises:
        ValueError: a function holds something else, such as a tensor, or reaches what cannot be followed.
    """
    found, known = {}, {}
    for setting, function in rows.items():
        roots = set()
        text = _describe(function, roots)
        roots = frozenset(roots)
        if roots not in known:
            known[roots] = resolver.fingerprint(roots)
        found[setting] = Code(hashlib.sha256(f"{known[roots]} {text}".encode()).hexdigest()[:16], roots)
    return found


def _describe(value, roots):
    """Write a value down, the same in every process, and add the functions of the course that it needs to `roots`."""
    if isinstance(value, PLAIN):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return f"({', '.join(_describe(inner, roots) for inner in value)})"
    if isinstance(value, dict):
        return f"{{{_describe(list(value.items()), roots)}}}"
    if isinstance(value, partial):
        return f"partial{_describe((value.func, value.args, value.keywords), roots)}"
    if not callable(value) or not hasattr(value, "__qualname__"):
        raise ValueError(f"studies: a row holds {value!r}, which has no fingerprint; let it hold numbers, words and functions.")
    value = inspect.unwrap(value)
    outside = value.__module__ or ""                    # None for functions written in C
    package, _, home = outside.partition(".")
    if package == resolver.PACKAGE.name:
        roots.add((home, _name(value, home)))
    held = {}
    if isinstance(value, FunctionType):
        held = dict(zip(value.__code__.co_freevars, (cell.cell_contents for cell in value.__closure__ or ()), strict=True))
        held = {**held, "defaults": value.__defaults__, "keywords": value.__kwdefaults__}
    return f"{outside}.{value.__qualname__}{_describe(held, roots)}"


def _name(function, module):
    """The name at the top of a module to which a function belongs: for a lambda in a table, the table's."""
    top = function.__qualname__.partition(".")[0]
    if top != "<lambda>":
        return top
    line = function.__code__.co_firstlineno
    return next(min(statement.defines) for statement in sources.read(resolver.PACKAGE, module).all()
                if statement.node.lineno <= line <= statement.node.end_lineno)
