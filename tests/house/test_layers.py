"""The rules of the house: who imports whom, how long modules and functions are, and that every public name is documented."""
import ast
import builtins
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import grimp
import pytest
from importlinter import cli

from snnteach.lessons import syllabus

PACKAGE = Path(__file__).parents[2] / "snnteach"
MODULES = sorted(PACKAGE.rglob("*.py"))
REFERENCE = [path for path in PACKAGE.glob("*.py") if not path.name.startswith("__")]
PUBLIC = [path for path in REFERENCE if not path.name.startswith("_")]
NAMED = pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))


def test_imports_keep_the_contracts(capsys):
    """Layers, lessons and circles, as pyproject.toml states them; an import inside a function counts."""
    broken = cli.lint_imports(config_filename=str(PACKAGE.parent / "pyproject.toml"), no_cache=True)
    assert not broken, capsys.readouterr().out


def test_who_imports_what_from_outside():
    """PyTorch alone for what is copied, nothing for what runs before there is an environment."""
    graph = grimp.build_graph("snnteach", include_external_packages=True, cache_dir=None)
    bare = ["snnteach", "snnteach.__main__", "snnteach.lessons", *graph.find_children("snnteach.install")]
    allowed = {f"snnteach.{path.stem}": {"torch"} for path in REFERENCE} | dict.fromkeys(bare, set())
    allowed["snnteach.install.doctor"] = {"torch", "psutil"}      # inside functions, which go without
    for module, outside in allowed.items():
        found = {name for name in graph.find_modules_directly_imported_by(module) if name.partition(".")[0] != "snnteach"}
        assert found - sys.stdlib_module_names <= outside, module


def meanings(path):
    """Yield (name, where it is defined) of all that a reference module binds at its top."""
    home = f"snnteach.{path.stem}"
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            yield from ((alias.asname or alias.name.split(".")[0], alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = f"snnteach.{node.module}" if node.level else node.module
            yield from ((alias.asname or alias.name, f"{origin}.{alias.name}") for alias in node.names)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name, f"{home}.{node.name}"
        else:
            stored = (inner for inner in ast.walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store))
            yield from ((inner.id, f"{home}.{inner.id}") for inner in stored)


def test_a_name_means_one_thing_in_all_reference_modules():
    homes = {}
    for path in REFERENCE:
        for name, home in meanings(path):
            homes.setdefault(name, set()).add(home)
    assert {"math", "atan", "check_that"} < homes.keys()
    assert not {name: found for name, found in homes.items() if len(found) > 1}
    assert not homes.keys() & set(dir(builtins)) - {"__doc__"}


FIELDS_OF_TUPLES = {"_fields", "_replace", "_asdict", "_make", "_field_defaults"}


@NAMED
def test_nobody_reaches_for_a_private_name_of_another(path):
    tree, modules, reached = ast.parse(path.read_text()), {file.stem for file in MODULES}, []
    inside = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.level or node.module.split(".")[0] == "snnteach"):
            inside |= {alias.asname or alias.name: alias.name for alias in node.names}
    for name in inside.values():
        if name.startswith("_") and not name.startswith("__") and name not in modules:
            reached.append(name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in inside:
            if node.attr.startswith("_") and not node.attr.startswith("__") and node.attr not in FIELDS_OF_TUPLES:
                reached.append(f"{node.value.id}.{node.attr}")
    assert not reached


FOUND_OUT_ON_THE_WAY = {"_send_back", "_bisect"}                 # what no argument tells: these raise for themselves


def is_check(call):
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and bool(re.match("_?check_", call.func.id))


def only_checks(statements):
    return all(isinstance(node, ast.Expr) and (is_check(node.value) or isinstance(node.value, ast.Constant))
               or isinstance(node, (ast.For, ast.If)) and only_checks(node.body + node.orelse) for node in statements)


@pytest.mark.parametrize("path", PUBLIC, ids=lambda path: path.stem)
def test_arguments_are_checked_by_statements_that_can_be_left_out(path):
    tree = ast.parse(path.read_text())
    statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    assert all(id(node) in statements for node in ast.walk(tree) if is_check(node)), "a check is part of an expression"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and "check" in node.name:
            assert node.name.startswith("_check_") and only_checks(node.body), f"{node.name} does more than check"
        if isinstance(node, ast.FunctionDef) and node.name not in FOUND_OUT_ON_THE_WAY:
            assert not any(isinstance(inner, ast.Raise) for inner in ast.walk(node)), f"{node.name} raises: see _arguments"


def test_checks_return_nothing():
    for node in ast.parse((PACKAGE / "_arguments.py").read_text()).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            assert node.name.startswith("check_") and not any(isinstance(inner, ast.Return) for inner in ast.walk(node))


def code_lines(node, lines):
    """Count the lines of code: not those that are empty, document or comment."""
    documented = set()
    for inner in ast.walk(node):
        body = getattr(inner, "body", None)
        if isinstance(inner, (ast.FunctionDef, ast.ClassDef, ast.Module)) and body and ast.get_docstring(inner) is not None:
            documented |= set(range(body[0].lineno, body[0].end_lineno + 1))
    first, last = (1, len(lines)) if isinstance(node, ast.Module) else (node.lineno, node.end_lineno)
    return sum(1 for number in range(first, last + 1)
               if number not in documented and lines[number - 1].strip() and not lines[number - 1].strip().startswith("#"))


@NAMED
def test_sizes(path):
    source = path.read_text()
    tree, lines = ast.parse(source), source.split("\n")
    assert code_lines(tree, lines) <= 250
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert code_lines(node, lines) <= 30, f"{node.name} is too long"


@pytest.mark.parametrize("path", PUBLIC, ids=lambda path: path.stem)
def test_public_docstrings_are_whole(path):
    module = importlib.import_module(f"snnteach.{path.stem}")
    assert module.__doc__
    found = 0
    for name, member in vars(module).items():
        if name.startswith("_") or not (inspect.isfunction(member) or inspect.isclass(member)):
            continue
        if member.__module__ != module.__name__:
            continue
        text = inspect.getdoc(member) or ""
        needed = [">>> "] + ([] if inspect.isclass(member) and issubclass(member, tuple) else ["Source:"])
        if inspect.isfunction(member):
            needed += ["Returns:"] + (["Args:"] if inspect.signature(member).parameters else [])
        assert all(word in text for word in needed), f"{name}: {[word for word in needed if word not in text]} missing"
        assert re.match(r"[A-Z][^\n]*[.:]", text), f"{name}: the first line is no sentence"
        if inspect.isfunction(member):
            missing = [argument for argument in inspect.signature(member).parameters if argument not in text]
            assert not missing, f"{name}: {missing} not documented"
        found += 1
    assert found


def test_every_lesson_is_a_row_of_the_syllabus():
    assert {path.name for path in (PACKAGE / "lessons").iterdir() if path.is_dir() and path.name != "__pycache__"} == {
        row.topic for row in syllabus()} <= {path.stem for path in PUBLIC}
    assert all((PACKAGE / "lessons" / row.topic / "__init__.py").exists() for row in syllabus())


def test_importing_the_package_is_light():
    code = ("import sys, snnteach\n"
            "heavy = {'torch', 'numpy', 'matplotlib', 'ipywidgets'} & set(sys.modules)\nassert not heavy, heavy")
    subprocess.run([sys.executable, "-c", code], check=True)


def test_reference_modules_hold_no_numpy_when_used():
    for path in PUBLIC:
        source = path.read_text()
        assert ".numpy()" not in source and "print(" not in re.sub(r'""".*?"""', "", source, flags=re.DOTALL)
