"""What the notebooks use of the package, and what their listings show of it: the site's links, both ways."""
import ast

from ..lessons import lesson
from ..reader import resolver
from ..reader.sources import DEFINITIONS
from . import notebooks


def used(notebook):
    """Return what the cells of a notebook name of the package, at home: (module, name) pairs, (module, "") for all of it."""
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    asked = resolver.reach_of_code(code, "cells").asked.get("cells", ())
    return {(module, name) for module, name in asked if module != "cells"}


def shown(notebook, topic):
    """Find what the listings of a notebook show of the package.

    Args:
        notebook: the notebook.
        topic: its topic; the module of this name comes first, then the one from which the notebook uses the name.

    Returns:
        {id of a listing cell: full names, such as "snnteach.neurons.lif"}; the topic's module where no name is the package's.

    Raises:
        ValueError: a name stands in two of these modules.
    """
    homes, found = {}, {}
    own = resolver.read(resolver.PACKAGE, topic).statements
    reference = {path.stem for path in resolver.PACKAGE.glob("[!_]*.py")}                  # a lesson's own code has no page
    for module, name in {pair for pair in used(notebook) if pair[0] in reference} | {(topic, name) for name in own}:
        homes.setdefault(name, set()).add(module)
    for cell in notebook.cells:
        if "listing" in cell.metadata.get("tags", []):
            names = [node.name for node in ast.parse(cell.source).body if isinstance(node, DEFINITIONS)]
            found[cell.id] = [_full(name, homes[name]) for name in names if name in homes and not name.startswith("_")]
            found[cell.id] = found[cell.id] or [f"snnteach.{topic}"]
    return found


def _full(name, modules):
    if len(modules) > 1:
        raise ValueError(f"{name} stands in {' and '.join(sorted(modules))}: which of them does the listing show?")
    return f"snnteach.{min(modules)}.{name}"


def label(cell_id, stem):
    """Return the name under which pages link to a listing."""
    return f"listing-{stem[:2]}-{cell_id}"


def listings():
    """Return where the package's names are shown: a dict from full name to (label, notebook)."""
    found = {}
    for path in notebooks.paths():
        for cell_id, names in shown(notebooks.read(path), lesson(path.stem).topic).items():
            for name in names:
                found.setdefault(name, []).append((label(cell_id, path.stem), path.stem))
    return found


def users():
    """Return the notebooks that use each module of the package, or whose topic it is: {module: [stems]}, in their order."""
    found = {}
    for path in notebooks.paths():
        for module in {lesson(path.stem).topic, *(module for module, _ in used(notebooks.read(path)))}:
            found.setdefault(module, []).append(path.stem)
    return found
