"""Carry a function or class of the reference modules into a bare file: its source and all that it needs."""
import ast
import builtins
import symtable
import sys
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).resolve().parents[1]
EVERY_MODULE_HAS = {"__name__", "__file__", "__doc__"}
DOCUMENTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Source(str):
    """Program text that shows itself as it is, so that a notebook prints it readable."""

    __slots__ = ()

    def __repr__(self):
        return str(self)


def copyable(*objects):
    """Return the shortest self-contained source of functions or classes of the reference modules (`snnteach/*.py`).

    With them comes whatever they use of snnteach, checks of arguments included, each before what needs it and with its
    docstring cut to the first line, and of the imports those that are used: torch and the standard library.

    Args:
        objects: one function or class, such as `snnteach.neurons.lif`, or several that go into one file.

    Returns:
        The source, a str that shows itself as it is; paste it, or write it to a file.

    Raises:
        TypeError: no object, or one that is not a function or class at the top of a reference module.
        ValueError: the source cannot stand alone, for instance because a name means two things in two modules.

    >>> from snnteach.surrogate import straight_through
    >>> copyable(straight_through).splitlines()[:4]
    ['import torch', '', '', 'def straight_through():']
    """
    if not objects:
        raise TypeError("copyable: expected at least one function or class of snnteach.")
    homes, program = [_home(obj) for obj in objects], _Program()
    for module, name in homes:
        program.need(module, name)
    return Source(program.text(homes))


def _home(obj):
    package, _, module = (getattr(obj, "__module__", None) or "").partition(".")
    name = getattr(obj, "__qualname__", None)
    if name is None:
        raise TypeError(f"copyable: expected a function or class of snnteach, got an object of type {type(obj).__name__}.")
    if package != PACKAGE.name or "." in module or not (PACKAGE / f"{module}.py").is_file():
        raise TypeError(f"copyable: {name} comes from {getattr(obj, '__module__', None)}, not from a reference module of "
                        "snnteach (snnteach/*.py).")
    if "." in name:
        raise TypeError(f"copyable: {name} stands inside {name.partition('.')[0]}; pass that instead.")
    return module, name


class _Import(NamedTuple):
    """`import module as alias`, or `from module import name as alias`."""

    module: str
    name: str | None
    alias: str | None

    @property
    def meaning(self):
        if self.name:
            return f"{self.module}.{self.name}"
        return self.module if self.alias else self.module.partition(".")[0]  # import a.b binds a


class _Statement(NamedTuple):
    index: int
    node: ast.stmt
    text: str
    defines: frozenset
    uses: frozenset


class _Module:
    """The statements and imports of one reference module, by the names that they bind."""

    def __init__(self, name):
        self.statements, self.imports, self.inner = {}, {}, {}
        self.path = PACKAGE / f"{name}.py"
        source = self.path.read_text(encoding="utf-8")
        lines = source.splitlines()
        for index, node in enumerate(ast.parse(source).body):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                self._add_import(node)
            else:
                self._add_statement(index, node, lines)

    def _add_import(self, node):
        inner = _inner_module(node)
        for alias in node.names:
            bound = alias.asname or alias.name.partition(".")[0]
            if inner is not None:
                self.inner[bound] = (inner, alias.name)
            elif isinstance(node, ast.Import):
                self.imports.setdefault(bound, set()).add(_Import(alias.name, None, alias.asname))
            else:
                self.imports.setdefault(bound, set()).add(_Import(node.module, alias.name, alias.asname))

    def _add_statement(self, index, node, lines):
        first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))])
        text = "\n".join(lines[first - 1:node.end_lineno])
        table = symtable.symtable(text, str(self.path), "exec")
        bound = (s for s in table.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace())
        statement = _Statement(index, node, text, frozenset(s.get_name() for s in bound), frozenset(_globals_used(table)))
        for name in statement.defines:
            self.statements.setdefault(name, []).append(statement)


def _inner_module(node):
    """Name the module of this package that an import statement reads, "" for the package itself; else None."""
    if isinstance(node, ast.Import):
        inside = [alias.name for alias in node.names if alias.name.partition(".")[0] == PACKAGE.name]
        return "" if inside else None
    if node.level:
        return node.module or ""
    package, _, module = node.module.partition(".")
    return module if package == PACKAGE.name else None


def _globals_used(table):
    """Yield the module-level names that a statement reads, at any depth; local names are left out."""
    top = table.get_type() == "module"
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (top or symbol.is_global()):
            yield symbol.get_name()
    for child in table.get_children():
        yield from _globals_used(child)


class _Program:
    """What goes into the bare file, gathered name by name."""

    def __init__(self):
        self.modules, self.meanings, self.imports, self.statements = {}, {}, set(), {}

    def module(self, name):
        """Read a reference module once."""
        if name not in self.modules:
            if name in ("", "__init__", "__main__") or not (PACKAGE / f"{name}.py").is_file():
                full_name = f"{PACKAGE.name}.{name}".rstrip(".")
                raise ValueError(f"copyable: {full_name} is not a reference module; import names from one of those.")
            self.modules[name] = _Module(name)
        return self.modules[name]

    def need(self, module, name):
        """Add a name as `module` understands it, and then all that it uses."""
        source = self.module(module)
        if name in source.inner and name not in source.statements:
            home, original = source.inner[name]
            if original != name:
                raise ValueError(f"copyable: snnteach.{module} imports {original} as {name}; import it under its own name.")
            return self.need(home, name)
        if name in source.statements:
            self._mean(name, f"{PACKAGE.name}.{module}.{name}")
            for statement in source.statements[name]:
                self._add(module, statement)
        elif name in source.imports:
            self._mean(name, *{line.meaning for line in source.imports[name]})
            self.imports |= source.imports[name]
        elif hasattr(builtins, name):
            self._mean(name, f"builtins.{name}")
        elif name not in EVERY_MODULE_HAS:
            raise ValueError(f"copyable: snnteach.{module} uses {name} but does not define it.")

    def _mean(self, name, *meanings):
        for meaning in meanings:
            if self.meanings.setdefault(name, meaning) != meaning:
                raise ValueError(f"copyable: {name} means {self.meanings[name]} in one place and {meaning} in another.")

    def _add(self, module, statement):
        if (module, statement.index) in self.statements:
            return
        self.statements[module, statement.index] = statement
        for node in ast.walk(statement.node):
            if isinstance(node, (ast.Import, ast.ImportFrom)) and _inner_module(node) is not None:
                raise ValueError(f"copyable: snnteach.{module} imports from snnteach inside {', '.join(statement.defines)}; "
                                 "import at the top of the module.")
        for name in sorted(statement.defines | statement.uses):
            self.need(module, name)

    def text(self, homes):
        """Return the program; the docstrings of everything but `homes`, pairs of module and name, are cut."""
        order = self._module_order([module for module, _ in homes])
        whole = {(module, statement.index) for module, name in homes for statement in self.modules[module].statements[name]}
        blocks = [_import_lines(self.imports)] if self.imports else []
        before = None
        for home, index in sorted(self.statements, key=lambda key: (order.index(key[0]), key[1])):
            statement = self.statements[home, index]
            text = statement.text if (home, index) in whole else _with_short_docstrings(statement)
            documented = isinstance(statement.node, DOCUMENTED)
            if before is not None and not documented and not before:
                blocks[-1] += "\n" + text  # constants stand together
            else:
                blocks.append(text)
            before = documented
        return "\n\n\n".join(blocks) + "\n"

    def _module_order(self, modules):
        """List the modules that are needed as Python would load them: what is imported, then what imports it."""
        order, seen = [], set()

        def visit(name):
            if name in self.modules and name not in seen:
                seen.add(name)
                for home, _ in self.modules[name].inner.values():
                    visit(home)
                order.append(name)

        for module in modules:
            visit(module)
        return order


def _import_lines(imports):
    """Write imports in groups: __future__, the standard library, the rest; `import a` before `from a import b`."""
    names = {}
    for line in imports:
        as_alias = f" as {line.alias}" if line.alias and line.alias != line.name else ""
        if line.name:
            names.setdefault(f"from {line.module} import ", set()).add(line.name + as_alias)
        else:
            names[f"import {line.module}{as_alias}"] = {""}
    groups = {}
    for start, imported in names.items():
        root = start.split()[1].partition(".")[0]
        groups.setdefault(root not in sys.stdlib_module_names, []).append(start + ", ".join(sorted(imported)))
    return "\n\n".join("\n".join(sorted(groups[other], key=lambda line: (line.startswith("from"), line)))
                       for other in sorted(groups))


def _with_short_docstrings(statement):
    """Return the text of a statement in which every docstring of several lines is cut to its first."""
    lines = statement.text.splitlines()
    table = [node for node in ast.walk(ast.parse(statement.text)) if isinstance(node, DOCUMENTED) and ast.get_docstring(node)]
    for node in sorted(table, key=lambda node: -node.lineno):  # from below, so that the line numbers above stay right
        docstring = node.body[0]
        if docstring.end_lineno > docstring.lineno:
            first = ast.get_docstring(node).splitlines()[0]
            indent = " " * docstring.col_offset
            quoted = first.replace("\\", "\\\\").replace('"""', "'''") + (" " if first.endswith('"') else "")
            lines[docstring.lineno - 1:docstring.end_lineno] = [f'{indent}"""{quoted}"""']
    return "\n".join(lines)
