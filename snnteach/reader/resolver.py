"""Who needs whom, by function: what names of the package reach, packages, data and stored results included.

It takes too much rather than too little. A module that is used other than as `module.name` counts whole, a class with its
methods; a name given to check, guess or explore counts as its entry in the lesson's table, one given to `stored` as what is
stored. What cannot be followed is an error. Comments, docstrings and places in a file do not count. (Standard library only.)
"""
import ast
import builtins
import functools
import hashlib
from pathlib import Path

from ..lessons import lesson
from . import results, sources
from .sources import DEFINITIONS, asked, outline, read, where

PACKAGE = Path(__file__).resolve().parents[1]
SAYS_WHERE = ("lessons",)                        # the syllabus: a new topic changes nothing of the others
MOVES_NO_NUMBER = ("_arguments", *SAYS_WHERE)    # what it says may be printed, but no number hangs on a check
EVERY_MODULE_HAS = {"__file__", "__doc__", "__package__", "__spec__", "__path__"}
REACHES_ALL = {"__name__", "globals", "vars", "eval", "exec"}     # what is done with them, no syntax tree tells
FINDERS = {"reader.lookup", "reader.results", "reader.resolver"}  # what they look for is named at one of the DOORS
DOORS = {
    ("reader.live", "explore"): "explorers",
    ("reader.page", "play"): "pages",
    ("reader.guesses", "guess"): "guesses",
    ("reader.answers", "check"): "exercises",
    ("reader.answers", "hint"): "exercises",
    ("reader.answers", "solution"): "exercises",
    ("reader.results", "stored"): "study",
}


def fingerprint(roots):
    """Fingerprint all that can change the numbers of some names, the same under every version of Python.

    Args:
        roots: (module, name) pairs, such as ("lessons.training.study", "recipe").

    Returns:
        16 hexadecimal digits.

    Raises:
        ValueError: something cannot be followed; says in which file, and which name.
    """
    return digest(f"{part} {code}" for part, code in sorted(reach(roots, MOVES_NO_NUMBER).digests().items()))


def reach(roots, leave_out=(), checks=True):
    """Follow names, as for `fingerprint`, to all that they need; neither modules in `leave_out`, nor checks if not wanted."""
    found = Reach(leave_out, checks)
    for module, name in roots:
        found.name(module, name)
    return found


def reach_of_code(source, name, leave_out=()):
    """Follow what a program outside the package, such as the cells of a notebook, needs of it."""
    found = Reach(leave_out)
    program = found.sources[name] = sources.module(name, Path(name), source, "")
    for statement in program.all():
        found.statement(statement)
    return found


def digest(lines):
    """Shorten lines of text to 16 hexadecimal digits."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


class Reach:
    """What has been reached: statements, the meaning of names, files and stored results."""

    def __init__(self, leave_out=(), checks=True):
        self.left_out, self.checks, self.sources = frozenset(leave_out), checks, {}
        self.statements = {}             # (module, index) -> Statement
        self.entries = {}                # (module, outline) -> Statement
        self.imports = {}                # (module, name) -> the Imports that give it
        self.builtins = set()            # (module, name)
        self.whole = set()               # modules of which everything counts
        self.files = set()               # paths of data
        self.stored = set()              # topics
        self.asked = {}                  # module -> the (module, name) pairs of the package that its own text names

    def source(self, module):
        """Read a module once; what an import of it runs is reached."""
        if module not in self.sources:
            self.sources[module] = read(PACKAGE, module, self.checks)
            for statement in self.sources[module].always:
                self.statement(statement)
        return self.sources[module]

    def name(self, module, name, path=()):
        """Follow a name as `module` understands it, of which the attributes `path` are asked.

        Returns:
            Where it is at home: (module, name) pairs of the package, (module, "") for a whole module.
        """
        if module in self.left_out:
            return set()
        source, homes = self.source(module), set()
        for statement in source.statements.get(name, ()):
            self.statement(statement)
            homes.add((module, name))
        for line in source.imports.get(name, ()):
            self.imports[module, name] = source.imports[name]
            homes |= self._line(module, line, path)
        if name in source.statements or name in source.imports:
            return homes
        if source.path.name == "__init__.py" and self._is_module(inner := f"{module}.{name}".lstrip(".")):
            return self.module(inner, path)
        if module == "" and name in self._lazy():
            return self.name(self._lazy()[name], name)
        if name in REACHES_ALL:
            self.module(module)
        elif hasattr(builtins, name):
            self.builtins.add((module, name))
        elif name not in EVERY_MODULE_HAS:
            raise ValueError(f"{source.path} uses {name} but does not define it.")
        return set()

    def module(self, module, path=()):
        """Follow what is asked of a module: a name of it, or the whole; return its home, as `name` does."""
        if module in self.left_out:
            return set()
        if path:
            return self.name(module, path[0], path[1:])
        source = self.source(module)
        if module not in self.whole:
            self.whole.add(module)
            for statement in source.all():
                self.statement(statement)
            for name in source.imports:
                self.name(module, name)
        return {(module, "")}

    def statement(self, statement):
        """Follow a statement: what stands in it, and the other statements that bind or change its names."""
        if (statement.module, statement.index) in self.statements:
            return
        self.statements[statement.module, statement.index] = statement
        for name in statement.defines:
            self.name(statement.module, name)
        self._inside(statement)

    def entry(self, module, table, key):
        """Follow one entry of a table, or the whole table where the entry cannot be told from the others."""
        source = self.source(module)
        statements = source.statements.get(table, ())
        found = _entries(statements[0].node.value, key) if len(statements) == 1 else None
        if found == []:
            raise ValueError(f"{source.path}: {table} has no entry {key!r}.")
        for node in found or ():
            statement = source.entry(node)
            if self.entries.setdefault((module, _code(node)), statement) is statement:
                self._inside(statement)
        if found is None:
            self.name(module, table)

    def digests(self):
        """Return a digest of each part: {module, "path of a file" or "stored topic": 16 hexadecimal digits}."""
        lines, ordered = {}, sorted(self.statements.items(), key=_place)
        for (module, _), statement in ordered:
            lines.setdefault(module, []).append(_code(statement.node))
        for module, text in sorted(self.entries):
            lines.setdefault(module, []).append(f"entry {text}")
        for (module, name), meanings in sorted(self.imports.items()):
            lines.setdefault(module, []).append(f"{name} is {sorted(line.meaning for line in meanings)}")
        parts = {module: digest(text) for module, text in lines.items()}
        for path in self.files:
            parts[path.relative_to(PACKAGE).as_posix()] = _of_file(path, path.stat().st_mtime_ns)
        for topic in self.stored:
            parts[f"stored {topic}"] = digest([repr(results.stored(topic))])
        return parts

    def _inside(self, statement):
        """Follow the names in a statement, its own imports, the files it reads, and what it asks for at one of the doors."""
        module, (used, beside) = statement.module, asked(statement.node)
        own = {line.bound: line for line in statement.imports}
        for name in sorted(statement.uses | own.keys()):
            for path, call in used.get(name, [((), None)]):
                homes = self._line(module, own[name], path) if name in own else self.name(module, name, path)
                self.asked.setdefault(module, set()).update(homes)
                for home in homes & DOORS.keys() if module not in FINDERS else ():
                    self._door(module, home, call)
        if len(beside) < len(used.get("__file__", ())) and module not in FINDERS:
            raise ValueError(f"{self.source(module).path}: only Path(__file__).with_name(...) can be followed to a file.")
        self.files |= {self.source(module).path.with_name(name) for name in beside}

    def _line(self, module, line, path):
        """Follow an import as `module` has it."""
        package, _, home = line.module.partition(".")
        if package != PACKAGE.name:
            if package == "importlib" and module not in FINDERS:
                raise ValueError(f"{self.source(module).path} imports with {package}, which cannot be followed.")
            return set()
        if home in self.left_out:
            return set()
        if not self._is_module(home):
            raise ValueError(f"{self.source(module).path} imports {line.meaning}, and {PACKAGE.name} has no such module.")
        if line.name:
            return self.name(home, line.name, path)
        return self.module(home if line.alias else "", path)

    def _door(self, module, home, call):
        """Follow the name that is given to explore, guess, check, hint, solution or stored."""
        name = call.args[0].value if call and call.args and isinstance(call.args[0], ast.Constant) else None
        if not isinstance(name, str):
            raise ValueError(f"{self.source(module).path}: {home[1]} can be followed only where it is called with a name in "
                             "quotes.")
        kind, (topic, _, rest) = DOORS[home], name.partition(".")
        row = lesson(topic)
        if kind == "study":
            self.stored.add(row.topic)
        elif kind in ("exercises", "guesses"):
            self.entry(f"lessons.{row.topic}.exercises", kind.upper(), f"{row.number}.{rest}")
        else:
            explorers = f"lessons.{row.topic}.explorers"
            self.entry(explorers, "EXPLORERS", rest)
            if kind == "pages":
                self.entry(explorers, "PAGES", rest)
                self.files.add(self.source(explorers).path.with_name("live.js"))

    def _is_module(self, name):
        return name in self.sources or where(PACKAGE, name) is not None

    def _lazy(self):
        """Return the public names of the package that are loaded when they are asked for, and their modules."""
        table = self.source("").statements.get("_HOMES")
        return {name: home.lstrip(".") for name, home in ast.literal_eval(table[0].node.value).items()} if table else {}


@functools.lru_cache
def _of_file(path, _changed):
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


_code = functools.lru_cache(maxsize=8192)(outline)


def _place(item):
    """Sort functions and classes by what they are, and other statements, whose order counts, as they stand."""
    (module, index), statement = item
    return (module, 0, _code(statement.node)) if isinstance(statement.node, DEFINITIONS) else (module, 1, f"{index:06}")


def _entries(table, key):
    """Return the values of a key in the syntax tree of a dict, or the calls that are given it; None where one cannot tell."""
    if isinstance(table, ast.Dict):
        found = list(zip(table.keys, table.values, strict=True))
    elif isinstance(table, (ast.List, ast.Tuple)) and all(isinstance(call, ast.Call) for call in table.elts):
        found = [(_first(call), call) for call in table.elts]
    else:
        return None
    known = all(isinstance(name, ast.Constant) for name, _ in found)
    return [value for name, value in found if name.value == key] if known else None


def _first(call):
    """Return what a call is given as `id`, or first."""
    return next((word.value for word in call.keywords if word.arg == "id"), call.args[0] if call.args else None)
