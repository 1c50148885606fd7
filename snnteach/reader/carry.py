"""Carry a function or class of the reference modules into a bare file: its source and all that it needs."""
import ast
import sys

from . import resolver
from .sources import DEFINITIONS

NO_CHECKS = '# Without checks of arguments, which is what "Raises" is about: copyable(..., checks=True) brings them along.'


class Source(str):
    """Program text that shows itself as it is, so that a notebook prints it readable."""

    __slots__ = ()

    def __repr__(self):
        return str(self)


def copyable(*objects, checks=False):
    """Return the shortest self-contained source of functions or classes of the reference modules (`snnteach/*.py`).

    With them comes whatever they use of snnteach, each before what needs it and with its docstring cut to the first line,
    and of the imports those that are used: torch and the standard library.

    Args:
        objects: one function or class, such as `snnteach.neurons.lif`, or several that go into one file.
        checks: bring the checks of arguments along; without them, the file says so in its first line.

    Returns:
        The source, a str that shows itself as it is; paste it, or write it to a file.

    Raises:
        TypeError: no object, or one that is not a function or class at the top of a reference module.
        ValueError: the source cannot stand alone, for instance because a name means two things in two modules.

    >>> from snnteach.surrogate import straight_through
    >>> copyable(straight_through).splitlines()[1:6]
    ['', 'import torch', '', '', 'def straight_through():']
    """
    if not objects:
        raise TypeError("copyable: expected at least one function or class of snnteach.")
    homes = [_home(obj) for obj in objects]
    try:
        found = resolver.reach(homes, checks=checks)
    except ValueError as trouble:
        raise ValueError(f"copyable: {trouble}") from None
    _refuse_imports(found)
    _refuse_double_meanings(found)
    return Source(_text(found, homes) if checks else f"{NO_CHECKS}\n\n{_text(found, homes)}")


def _home(obj):
    module, name = getattr(obj, "__module__", None) or "", getattr(obj, "__qualname__", None)
    if name is None:
        raise TypeError(f"copyable: expected a function or class of snnteach, got an object of type {type(obj).__name__}.")
    if not _is_reference(module):
        raise TypeError(f"copyable: {name} comes from {module or None}, not from a reference module of snnteach "
                        "(snnteach/*.py).")
    if "." in name:
        raise TypeError(f"copyable: {name} stands inside {name.partition('.')[0]}; pass that instead.")
    return module.partition(".")[2], name


def _refuse_imports(found):
    """Raise if something comes from elsewhere in the package, under another name, or is imported where a bare file has none."""
    package = resolver.PACKAGE.name
    for statement in found.statements.values():
        if any(line.module.partition(".")[0] == package for line in statement.imports):
            raise ValueError(f"copyable: snnteach.{statement.module} imports from snnteach inside "
                             f"{', '.join(statement.defines)}; import at the top of the module.")
    for (module, name), line in _lines(found):
        if line.module.partition(".")[0] == package:
            home = line.module if line.name else package
            if not _is_reference(home):
                raise ValueError(f"copyable: {home} is not a reference module; import names from one of those.")
            if line.name != name:
                raise ValueError(f"copyable: snnteach.{module} imports {line.name} as {name}; import it under its own name.")


def _is_reference(module):
    package, _, name = module.partition(".")
    return package == resolver.PACKAGE.name and name not in ("", "__main__") and (resolver.PACKAGE / f"{name}.py").is_file()


def _lines(found):
    return [(place, line) for place, lines in found.imports.items() for line in lines]


def _refuse_double_meanings(found):
    """Raise if a name stands for two things: in one file it cannot."""
    package, meanings = resolver.PACKAGE.name, [(name, f"builtins.{name}") for _, name in found.builtins]
    for (module, _), statement in found.statements.items():
        meanings += [(name, f"{package}.{module}.{name}") for name in statement.defines if (module, name) not in found.imports]
    for (_, name), line in _lines(found):
        if line.module.partition(".")[0] != package:
            meanings.append((name, line.meaning))
    first = {}
    for name, meaning in meanings:
        if first.setdefault(name, meaning) != meaning:
            raise ValueError(f"copyable: {name} means {first[name]} in one place and {meaning} in another.")


def _text(found, homes):
    """Return the program; the docstrings of everything but `homes`, pairs of module and name, are cut."""
    order = _module_order(found, [module for module, _ in homes])
    whole = {(module, statement.index) for module, name in homes for statement in found.sources[module].statements[name]}
    imports = {line for _, line in _lines(found) if line.module.partition(".")[0] != resolver.PACKAGE.name}
    blocks, before = [_import_lines(imports)] if imports else [], None
    for home, index in sorted(found.statements, key=lambda key: (order.index(key[0]), key[1])):
        statement = found.statements[home, index]
        text = statement.text if (home, index) in whole else _with_short_docstrings(statement)
        documented = isinstance(statement.node, DEFINITIONS)
        if before is not None and not documented and not before:
            blocks[-1] += "\n" + text  # constants stand together
        else:
            blocks.append(text)
        before = documented
    return "\n\n\n".join(blocks) + "\n"


def _module_order(found, modules):
    """List the modules that are needed as Python would load them: what is imported, then what imports it."""
    order, seen = [], set()

    def visit(name):
        if name in found.sources and name not in seen:
            seen.add(name)
            for lines in found.sources[name].imports.values():
                for line in lines:
                    visit(line.module.partition(".")[2])
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
    table = [node for node in ast.walk(ast.parse(statement.text)) if isinstance(node, DEFINITIONS) and ast.get_docstring(node)]
    for node in sorted(table, key=lambda node: -node.lineno):  # from below, so that the line numbers above stay right
        docstring = node.body[0]
        if docstring.end_lineno > docstring.lineno:
            first = ast.get_docstring(node).splitlines()[0]
            indent = " " * docstring.col_offset
            quoted = first.replace("\\", "\\\\").replace('"""', "'''") + (" " if first.endswith('"') else "")
            lines[docstring.lineno - 1:docstring.end_lineno] = [f'{indent}"""{quoted}"""']
    return "\n".join(lines)
