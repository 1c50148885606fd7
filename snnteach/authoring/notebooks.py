"""Notebooks as files: normalise and execute them, check that they are, and fill in their exercises for the tests."""
import ast
import inspect
import os
import re
import tempfile
from pathlib import Path

import nbformat

from .._files import write_atomically
from ..install import workspace
from ..install.troubles import SetupError
from ..lessons import lesson, syllabus
from ..reader import resolver
from ..reader.lookup import exercise as find
from . import anatomy, course

TUTORIALS = workspace.TUTORIALS
README = course.ROOT / "README.md"
TAGS = {"setup", "recall", "guess", "explorer", "figure", "listing", "takeaway", "exercise", "long", "mistake", "control",
        "proof", "agreement", "program", "summary"}
KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
          "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"}}
_WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def paths(names=()):
    """Return the notebooks named by number ("1", "01"), topic, file name or path, all of them by default."""
    found = [workspace.find(Path(name).name, TUTORIALS) for name in names or [row.file for row in syllabus()]]
    if missing := [path.name for path in found if not path.exists()]:
        raise SetupError(f"{', '.join(missing)}: in the syllabus, and not in {TUTORIALS.name}/.")
    return found


def read(path):
    """Read a notebook in format 4."""
    return nbformat.read(path, as_version=4)


def run(notebook, *, home=None, timeout=300):
    """Execute a notebook in place with a progress folder of its own, so that no reader's progress shows or changes."""
    from nbclient import NotebookClient

    with tempfile.TemporaryDirectory() as temporary:
        client = NotebookClient(notebook, timeout=timeout, kernel_name="python3", store_widget_state=False,
                                resources={"metadata": {"path": str(TUTORIALS)}})
        client.execute(env={**os.environ, "SNNTEACH_HOME": str(home or temporary), "OMP_NUM_THREADS": "1"})
    return notebook


def write():
    """Normalise all notebooks, and write what the syllabus says into them and into the README; nothing is executed."""
    for path, text in [*((path, _normal(path)) for path in paths()), (README, _readme())]:
        if text != _text(path):
            print(f"writing {path.name}", flush=True)
            write_atomically(path, text)


def execute(names=()):
    """Execute notebooks from top to bottom and write them back, normalised, then write what the syllabus says."""
    for path in paths(names):
        print(f"executing {path.name}", flush=True)
        notebook = read(path)
        code = made_by(notebook)                              # as it was when the outputs were made
        notebook = course.fill(normalise(run(notebook)), lesson(path.stem))
        notebook.metadata["snnteach"] = {"executed": code}
        write_atomically(path, nbformat.writes(notebook) + "\n")
    write()


def _text(path):
    return path.read_text(encoding="utf-8")


def _normal(path):
    return nbformat.writes(course.fill(normalise(read(path)), lesson(path.stem))) + "\n"


def _readme():
    return course.readme(_text(README), [anatomy.times(read(path)) for path in paths()])


def made_by(notebook):
    """Fingerprint what makes the outputs of a notebook: its cells, and what they reach of the package, data included.

    Returns:
        {part: 16 hexadecimal digits}; a part is "cells", a module such as "neurons", a file such as "data/mnist.npz", or
        what a study stored, such as "stored training".

    Raises:
        ValueError: a cell uses what cannot be followed.
    """
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    reached = resolver.reach_of_code("\n".join(code), "cells", resolver.SAYS_WHERE).digests()
    return {**reached, "cells": resolver.digest(["\0".join(code)])}


def normalise(notebook):
    """Bring a notebook into its one committed form: fixed metadata, counts and folding, no widget state, merged streams."""
    notebook.metadata = nbformat.from_dict({**KERNEL, **_kept(notebook.metadata, {"snnteach"})})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    count = 0
    for cell in notebook.cells:
        hidden = {"jupyter": {"source_hidden": True}} if anatomy.folded(cell) else {}
        cell.metadata = nbformat.from_dict({**_kept(cell.metadata, {"tags", "slideshow", "snnteach"}), **hidden})
        if cell.cell_type == "code":
            count += 1
            cell.execution_count = count
            cell.outputs = _merged([_clean(output, count) for output in cell.outputs])
    return notebook


def check(names=()):
    """Return what is wrong with the committed form of the notebooks, one line each."""
    wrong = []
    for path in paths(names):
        notebook = read(path)
        if _normal(path) != _text(path):
            wrong.append(f"{path.name}: not normalised, or not what the syllabus says. python -m snnteach notebooks --write")
        try:
            if changed := _changed(notebook):
                wrong.append(f"{path.name}: its outputs are older than {', '.join(changed)}. "
                             f"python -m snnteach notebooks --execute {path.stem}")
        except (ValueError, SyntaxError) as error:
            wrong.append(f"{path.name}: what its cells reach cannot be followed: {error}")
        for cell in notebook.cells:
            wrong += [f"{path.name} [{cell.id}]: {problem}" for problem in _output_problems(cell)]
    if _readme() != _text(README):
        wrong.append("README.md: not what the syllabus says. python -m snnteach notebooks --write")
    return wrong


def _changed(notebook):
    """Return the parts of the code that are not those that made the outputs."""
    old, new = notebook.metadata.get("snnteach", {}).get("executed", {}), made_by(notebook)
    old = old if isinstance(old, dict) else {}
    return sorted(part for part in old.keys() | new.keys() if old.get(part) != new.get(part))


def _output_problems(cell):
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            yield f"error in an output: {output.ename}"
        if output.get("name") == "stderr":
            yield "text on stderr, such as a warning, in an output"
        words = [output.get("text", ""), *(str(text) for kind, text in output.get("data", {}).items()
                                           if kind in ("text/plain", "text/markdown"))]
        if any(re.search(r"/(home|root|Users|tmp)/|\b[A-Z]:\\", text) for text in words):
            yield "a machine's path in an output"


def _kept(metadata, names):
    return {name: value for name, value in metadata.items() if name in names}


def _clean(output, count):
    if output.output_type == "execute_result":
        output.execution_count = count
    if "data" in output:
        output.data.pop(_WIDGET_VIEW, None)
        output.metadata = nbformat.from_dict(_kept(output.get("metadata", {}), {"image/png"}))
    return output


def _merged(outputs):
    merged = []
    for output in outputs:
        if merged and output.output_type == merged[-1].output_type == "stream" and output.name == merged[-1].name:
            merged[-1].text += output.text
        else:
            merged.append(output)
    return merged


def exercise_cells(notebook):
    """Return the exercise cells, a dict from exercise id to cell."""
    found = {cell.metadata.get("snnteach", {}).get("exercise"): cell for cell in notebook.cells if cell.cell_type == "code"}
    found.pop(None, None)
    return found


def solved(notebook):
    """Replace every stub by the reference: an assignment, or the source that `solution` prints."""
    for exercise_id, cell in exercise_cells(notebook).items():
        exercise, stub, lines = find(exercise_id), find_stub(cell.source), cell.source.split("\n")
        answer = (inspect.getsource(exercise.reference).rstrip() if exercise.cases
                  else f"{stub.targets[0].id} = {exercise.reference!r}")
        cell.source = "\n".join([*lines[:stub.lineno - 1], answer, *lines[stub.end_lineno:]])
    return notebook


def find_stub(source):
    """Return the syntax node of the stub in an exercise cell."""
    for node in ast.parse(source).body:
        last = node.body[-1] if isinstance(node, ast.FunctionDef) else node
        value = getattr(last, "value", None)
        if isinstance(node, (ast.FunctionDef, ast.Assign)) and isinstance(value, ast.Constant) and value.value is ...:
            return node
    raise ValueError(f"no stub that ends in ... in this exercise cell:\n{source}")


def measure(names=()):
    """Print what of each notebook is read, and how long that takes."""
    line = "{:8}  {:>14}  {:24}  {:24}  {}".format
    print(line("notebook", "unfolded lines", "longest open cell", "minutes to read (core)", "for exercises"))
    for path in paths(names):
        print(line(path.stem[:2], *anatomy.measured(read(path))))
    return 0


def command(options, rest):
    """Check the committed notebooks, after writing what the syllabus says or executing them, where that is asked for."""
    if options.execute + options.write + options.check + options.measure > 1:
        raise SetupError("--check, --measure, --write and --execute: one at a time; --execute writes, and ends with a check.")
    if options.write and options.names:
        raise SetupError("--write writes what the syllabus says into all notebooks and the README: leave the numbers out.")
    if options.measure:
        return measure(options.names)
    if options.execute:
        execute(options.names)
    elif options.write:
        write()
    wrong = check(options.names)
    print("\n".join(wrong) if wrong else "All notebooks are clean.")
    return 1 if wrong else 0
