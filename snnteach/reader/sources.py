"""Source files taken apart: the statements and imports of a module by the names that they bind (standard library only)."""
import ast
import functools
import symtable
from typing import NamedTuple

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Import(NamedTuple):
    """`import module as alias`, or `from module import name as alias`; module is written out, from the package on."""

    module: str
    name: str | None
    alias: str | None

    @property
    def bound(self):
        """The name that it gives."""
        return self.alias or self.name or self.module.partition(".")[0]  # import a.b binds a

    @property
    def meaning(self):
        """What that name stands for."""
        if self.name:
            return f"{self.module}.{self.name}"
        return self.module if self.alias else self.module.partition(".")[0]


class Statement(NamedTuple):
    """A statement at the top of a module, or an entry of one of its tables."""

    module: str
    index: int
    node: ast.AST
    text: str
    defines: frozenset                      # names that it binds or changes
    uses: frozenset                         # names of the module that it reads, at any depth
    imports: tuple                          # those inside it


class Module:
    """A module: `statements` and `imports` by the names they bind, and `always`, those that are run for their effect."""

    def __init__(self, name, path, source, package):
        self.name, self.path, self.package = name, path, package
        self.statements, self.imports, self.always = {}, {}, []
        lines = source.splitlines()
        for index, node in enumerate(ast.parse(source, str(path)).body):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                for line in self._lines(node):
                    self.imports.setdefault(line.bound, set()).add(line)
            elif not _is_text(node) and not _is_command(node):
                self._add(index, node, lines)

    def _add(self, index, node, lines):
        first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))])
        statement = self.statement(index, node, "\n".join(lines[first - 1:node.end_lineno]))
        for name in statement.defines:
            self.statements.setdefault(name, []).append(statement)
        if not statement.defines:
            self.always.append(statement)

    def statement(self, index, node, text):
        """Take a node apart, of which `text` is the source."""
        table, inner = symtable.symtable(text, str(self.path), "exec"), _comprehended(node)
        bound = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()}
        inside = (line for inner in ast.walk(node) if isinstance(inner, (ast.Import, ast.ImportFrom))
                  for line in self._lines(inner))
        changed = () if isinstance(node, DEFINITIONS) else _changed(node)
        return Statement(self.name, index, node, text, frozenset(bound.union(changed) - inner),
                         frozenset(_globals_used(table)) - inner, tuple(inside))

    def entry(self, node):
        """Take an expression apart, such as an entry of a table."""
        return self.statement(-1, node, ast.unparse(node))

    def all(self):
        """Return every statement, in order."""
        found = {statement.index: statement for statements in self.statements.values() for statement in statements}
        found |= {statement.index: statement for statement in self.always}
        return [found[index] for index in sorted(found)]

    def _lines(self, node):
        if isinstance(node, ast.Import):
            return [Import(alias.name, None, alias.asname) for alias in node.names]
        home = node.module or ""
        if node.level:
            here = self.package.split(".")
            home = ".".join([*here[:len(here) - node.level + 1], *([node.module] if node.module else [])])
        return [Import(home, alias.name, alias.asname) for alias in node.names]


def where(package, name):
    """Return the file of the module `name` ("", "neurons", "lessons.neurons.films") of the package in a folder, or None."""
    stem = package.joinpath(*name.split(".")) if name else package
    return next((path for path in (stem / "__init__.py", stem.with_suffix(".py")) if path.is_file()), None)


def read(package, name, checks=True):
    """Read a module, without its argument checks if they are not wanted, or say that there is none."""
    path, full = where(package, name), f"{package.name}.{name}".rstrip(".")
    if path is None:
        raise ValueError(f"there is no module {full} in {package}.")
    inside = full if path.name == "__init__.py" else full.rpartition(".")[0]
    text = path.read_text(encoding="utf-8")
    return module(name, path, text if checks else without_checks(text), inside)


def without_checks(source):
    """Leave out of a reference module the statements that call `_arguments`, and the functions made only of such."""
    tree, lines = ast.parse(source), source.splitlines()
    names = {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "_arguments"
             for alias in node.names}
    while helpers := {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and _checks(node, names)} - names:
        names |= helpers
    for node in ast.walk(tree):
        if _checks(node, names) and (not isinstance(node, DEFINITIONS) or node in tree.body):
            lines[node.lineno - 1:node.end_lineno] = [None] * (node.end_lineno - node.lineno + 1)
    return "\n".join(line for line in lines if line is not None) + "\n"


def _checks(node, names):
    """Tell whether a statement does nothing but call functions of these names."""
    if isinstance(node, (ast.FunctionDef, ast.For, ast.If)):
        body = [inner for inner in (*node.body, *getattr(node, "orelse", ())) if not _is_text(inner)]
        return bool(body) and all(_checks(inner, names) for inner in body)
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and getattr(node.value.func, "id", None) in names


module = functools.lru_cache(maxsize=512)(Module)


@functools.lru_cache(maxsize=8192)
def asked(node):
    """Return what a syntax tree asks of each name, and the files that it finds beside its own.

    Returns:
        ({name: [(attributes, call)]}, files): ("functional", "relu") and the call node for each `nn.functional.relu(x)`,
        None in place of the call where it is not called; "mnist.npz" for `Path(__file__).with_name("mnist.npz")`.
    """
    used, inner = {}, set()
    calls = [call for call in ast.walk(node) if isinstance(call, ast.Call)]
    called = {id(call.func): call for call in calls}
    for outer in ast.walk(node):                          # from outside to inside
        path, place = [], outer
        if isinstance(outer, (ast.Name, ast.Attribute)) and id(outer) not in inner:
            while isinstance(place, ast.Attribute):
                path.append(place.attr)
                place = place.value
                inner.add(id(place))
            if isinstance(place, ast.Name):
                used.setdefault(place.id, []).append((tuple(reversed(path)), called.get(id(outer))))
    beside = [call.args[0] for call in calls if call.args and ast.unparse(call.func) == "Path(__file__).with_name"]
    return used, [name.value for name in beside if isinstance(name, ast.Constant)]


def outline(node):
    """The syntax tree as text, without docstrings, positions and empty fields (which differ between Python versions)."""
    if isinstance(node, list):
        return "[" + ",".join(map(outline, node)) + "]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = dict(ast.iter_fields(node))
    if isinstance(node, (ast.Module, *DEFINITIONS)) and ast.get_docstring(node) is not None:
        fields["body"] = node.body[1:]
    if isinstance(node, ast.JoinedStr):                   # Python 3.12 adds empty texts to some
        fields["values"] = [part for part in node.values if getattr(part, "value", None) != ""]
    kept = (f"{name}={outline(value)}" for name, value in fields.items() if value is not None and value != [])
    return type(node).__name__ + "(" + ",".join(kept) + ")"


def _is_text(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_command(node):
    """Tell whether a statement is `if __name__ == "__main__":`, which an import does not run."""
    return isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'"


def _changed(node):
    """Yield the names whose entries or attributes a statement sets, or on which it calls a method for its effect."""
    for inner in ast.walk(node):
        if isinstance(inner, (ast.Subscript, ast.Attribute)) and not isinstance(inner.ctx, ast.Load):
            target = inner
        elif isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Call) and isinstance(inner.value.func, ast.Attribute):
            target = inner.value.func
        else:
            continue
        while isinstance(target, (ast.Subscript, ast.Attribute)):
            target = target.value
        if isinstance(target, ast.Name):
            yield target.id


def _comprehended(node):
    """Return the names that only the comprehensions of a statement bind: since Python 3.12 its symbol table has them, too."""
    hidden, seen = set(), set()

    def look(part, inside):
        body = [part.body] if isinstance(part, ast.Lambda) else part.body if isinstance(part, DEFINITIONS) else []
        if isinstance(part, COMPREHENSIONS):
            look(part.generators[0].iter, inside)         # the one part that does not see the names
            own = {name.id for loop in part.generators for name in ast.walk(loop.target) if isinstance(name, ast.Name)}
            hidden.update(own)
            inside = inside | own
        if isinstance(part, ast.Name) and part.id not in inside:
            seen.add(part.id)
        for child in ast.iter_child_nodes(part):
            if child not in body:                         # which is a scope of its own
                look(child, inside)

    look(node, frozenset())
    return hidden - seen


def _globals_used(table):
    """Yield the module-level names that a statement reads, at any depth; local names are left out."""
    top = table.get_type() == "module"
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (top or symbol.is_global()):
            yield symbol.get_name()
    for child in table.get_children():
        yield from _globals_used(child)
