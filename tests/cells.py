"""What the code cells of a notebook bind, read and change, by syntax tree, and which of them follow from an answer."""
import ast
import builtins
import symtable

from snnteach.authoring import notebooks

SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp,
          ast.GeneratorExp)


def code_cells(path):
    """Return the code cells of a notebook file."""
    return [cell for cell in notebooks.read(path).cells if cell.cell_type == "code"]


def tags(cell):
    """Return the tags of a cell, a set."""
    return set(cell.metadata.get("tags", []))


def execute(cell, names):
    """Execute a cell in a namespace, as a kernel does but without one."""
    names.setdefault("__name__", "__main__")
    exec(compile(cell.source, f"<cell {cell.id}>", "exec"), names)


def bound(node):
    """Return the names that a piece of a syntax tree binds in the notebook, those of inner scopes left out."""
    if isinstance(node, SCOPES):
        return {node.name} if hasattr(node, "name") else set()
    if isinstance(node, ast.alias):
        return {node.asname or node.name.partition(".")[0]}
    own = {node.id} if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else set()
    return own.union(*map(bound, ast.iter_child_nodes(node)))


def _outside(node):
    """Walk a syntax tree, inner scopes left out."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, SCOPES):
            yield from _outside(child)


def read(source):
    """Return the names of the notebook that a source reads, in functions too."""
    scopes, found = [symtable.symtable(source, "cell", "exec")], set()
    for scope in scopes:                                           # grows while it is walked
        scopes += scope.get_children()
        found |= {symbol.get_name() for symbol in scope.get_symbols()
                  if symbol.is_referenced() and (scope is scopes[0] or symbol.is_global())}
    added = {node.target.id for node in _outside(ast.parse(source)) if isinstance(node, ast.AugAssign)
             and isinstance(node.target, ast.Name)}
    return found | added


def needed(node, known=frozenset()):
    """Return the names that a piece of a syntax tree reads before it binds them, in the order of its statements."""
    if isinstance(node, SCOPES) or not hasattr(node, "body") and not isinstance(node, ast.withitem):
        own = bound(node) if isinstance(getattr(node, "ctx", None), ast.Store) else set()      # the target of a loop
        return read(ast.unparse(node)) - known - own
    found, known = set(), {*known, getattr(node, "name", None)}            # `except Error as name`
    for child in ast.iter_child_nodes(node):
        found |= needed(child, known)
        known |= set() if isinstance(child, ast.If) else bound(child)      # perhaps it was not taken
    return found


def uses(tree, name):
    """Tell of each use of a name whether it is called, or an argument of a call, and so not looked into."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    passed = {id(part) for call in calls for part in (call.func, *call.args, *(word.value for word in call.keywords))}
    return [id(node) in passed for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name]


def changed(cell):
    """Return the names that a cell binds, or hands to a call whose result it drops: that call may change what they hold."""
    tree = ast.parse(cell.source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
             and getattr(node.value.func, "id", "") not in ("print", "show")]
    return bound(tree).union(*(read(ast.unparse(call)) for call in calls))


def following(cells, index):
    """Return the cells after number `index` that read what it binds, or what such a cell changes, in their order."""
    names, found = bound(ast.parse(cells[index].source)), []
    for cell in cells[index + 1:]:
        if needed(ast.parse(cell.source)) & names:
            found.append(cell)
            names |= changed(cell) - _brought(cells)
    return found


def with_what_they_need(cells, wanted):
    """Return the setup cell, those that make what the cells of `wanted` read, and these, in the order of the notebook."""
    brought = _brought(cells)
    names, chosen = set(), []
    for cell in reversed(cells):
        if cell in wanted or "setup" in tags(cell) or (changed(cell) - brought) & names:
            names |= needed(ast.parse(cell.source)) - brought
            chosen.insert(0, cell)
    return chosen


def _brought(cells):
    """The names of modules and functions that Python and the setup cell bring; nothing changes these."""
    return set(dir(builtins)).union(*(bound(ast.parse(cell.source)) for cell in cells if "setup" in tags(cell)))
