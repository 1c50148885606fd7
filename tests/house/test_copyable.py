"""Copyable: every public name of the reference modules runs in a bare interpreter and answers as the package does."""
import ast
import doctest
import importlib
import inspect
import itertools
import json
import pkgutil
import symtable
import types

import pytest
import torch

import snnteach
from snnteach.reader import resolver
from snnteach.reader.carry import Source, copyable
from snnteach.reader.sources import without_checks
from tests import bare
from tests.house.test_layers import code_lines

MODULES = [importlib.import_module(f"snnteach.{info.name}") for info in pkgutil.iter_modules(snnteach.__path__)
           if not info.ispkg and not info.name.startswith("_")]

RUNNER = """
import builtins, dis, doctest, json
try:
    import snnteach
except ImportError:
    pass
else:
    raise SystemExit("snnteach can be imported: the test would prove nothing")


def global_names(code):
    yield from (line.argval for line in dis.get_instructions(code) if line.opname == "LOAD_GLOBAL")
    for inner in code.co_consts:
        if hasattr(inner, "co_code"):
            yield from global_names(inner)


answers = {}
for name, job in json.load(open("jobs.json", encoding="utf-8")).items():
    said = []
    try:
        alone, namespace = {"__name__": "bare"}, {"__name__": "bare"}
        code = compile(job["alone"], name, "exec")
        exec(code, alone)
        if missing := {used for used in global_names(code) if used not in alone and not hasattr(builtins, used)}:
            raise NameError(f"not in the source: {missing}")
        if job["together"] != job["alone"]:
            code = compile(job["together"], name, "exec")
        exec(code, namespace)
        for line in job["imports"]:
            exec(line, namespace)
        test = doctest.DocTestParser().get_doctest(job["example"], namespace, name, None, 0)
        result = doctest.DocTestRunner(verbose=False).run(test, out=said.append, clear_globs=False)
        answers[name] = [result.attempted, "".join(said)]
    except Exception as error:
        answers[name] = [0, f"{type(error).__name__}: {error}"]
print(json.dumps(answers))
"""


def public(module):
    """Return the functions and classes that a reference module defines for others, by name."""
    own = (item for item in vars(module).items() if getattr(item[1], "__module__", None) == module.__name__)
    return {name: value for name, value in own if not name.startswith("_") and isinstance(value, (type, types.FunctionType))}


def job(module, name):
    """Return what the bare interpreter needs: the source, the example, and what the example uses besides."""
    obj = getattr(module, name)
    docstring = inspect.getdoc(obj) or ""
    wanted, kept = {}, []
    for example in doctest.DocTestParser().get_examples(docstring):
        tree = ast.parse(example.source)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("snnteach"):
                home = importlib.import_module(node.module)
                wanted |= {alias.asname or alias.name: getattr(home, alias.name) for alias in node.names}
            elif isinstance(node, ast.Name) and hasattr(module, node.id):
                wanted[node.id] = getattr(module, node.id)
        if not any(isinstance(node, ast.ImportFrom) and (node.module or "").startswith("snnteach") for node in tree.body):
            kept.append("".join(f"{'>>> ' if n == 0 else '... '}{line}\n" for n, line in enumerate(example.source.splitlines()))
                        + example.want)
    extras = [value for extra, value in wanted.items()
              if extra != name and str(getattr(value, "__module__", "")).startswith("snnteach.")]
    imports = [ast.unparse(node) for node in ast.parse(inspect.getsource(module)).body
               if isinstance(node, (ast.Import, ast.ImportFrom)) and not getattr(node, "level", 0)
               and {alias.asname or alias.name for alias in node.names} & wanted.keys()]
    return {checks: {"alone": copyable(obj, checks=checks), "together": copyable(obj, *extras, checks=checks),
                     "example": "".join(kept), "imports": imports} for checks in (False, True)}


@pytest.fixture(scope="module")
def run():
    with bare.interpreter() as run:
        yield run


def answers(jobs, folder, run):
    """Run jobs in one bare process, where nothing of snnteach can be imported: {name: (examples, what was wrong)}."""
    (folder / "jobs.json").write_text(json.dumps(jobs), encoding="utf-8")
    done = run(RUNNER, folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def file_of(*modules, checks=False):
    """A job without an example: everything that these modules define for others, in one file."""
    source = copyable(*(value for module in modules for value in public(module).values()), checks=checks)
    return {"alone": source, "together": source, "example": "", "imports": []}


def test_every_public_name_runs_alone_and_every_set_of_them_in_one_file(tmp_path, run):
    jobs = {f"{module.__name__}.{name}{' with checks' * checks}": form
            for module in MODULES for name in public(module) for checks, form in job(module, name).items()}
    pairs = {f"{a.__name__} with {b.__name__}": file_of(a, b) for a, b in itertools.combinations(MODULES, 2)}
    whole = {f"all of it{' with checks' * checks}": file_of(*MODULES, checks=checks) for checks in (False, True)}
    assert len(MODULES) >= 13 and {name.split(" ")[0].rpartition(".")[0] for name in jobs} == {m.__name__ for m in MODULES}
    found = answers({**jobs, **pairs, **whole}, tmp_path, run)
    assert {item: said for item, (_, said) in found.items() if said} == {}
    untested = {item for item in jobs if found[item][0] == 0}
    assert not untested, "public names without an example in their docstring"


def test_the_runner_notices_a_wrong_answer_and_a_missing_name(tmp_path, run):
    sources = {"right": "def f(): return 1", "wrong": "def f(): return 2", "leaning": "from snnteach.neurons import lif",
               "missing": "def f():\n    if not f: g()\n    return 1"}
    found = answers({name: {"alone": source, "together": source, "example": ">>> f()\n1\n", "imports": []}
                    for name, source in sources.items()}, tmp_path, run)
    assert found["right"] == [1, ""]
    assert "Got:\n    2" in found["wrong"][1] and found["missing"][1] == "NameError: not in the source: {'g'}"
    assert "ModuleNotFoundError" in found["leaning"][1]


@pytest.mark.parametrize("checks", [False, True])
def test_gradients_of_the_copied_lif_are_those_of_the_package(checks):
    from snnteach.neurons import lif
    namespace = {}
    exec(copyable(lif, checks=checks), namespace)
    x = torch.rand(40, 2, 5, generator=torch.Generator().manual_seed(0))
    gradients = []
    for function in (lif, namespace["lif"]):
        current, beta = x.clone().requires_grad_(), torch.full((5,), 0.8, requires_grad=True)
        spk, mem = function(current, beta)
        (spk.sum() + (mem**2).sum()).backward()
        gradients.append((spk, mem, current.grad, beta.grad))
    assert gradients[0][0].sum() > 0
    assert all(torch.equal(one, other) for one, other in zip(*gradients, strict=True))


@pytest.mark.parametrize(("module", "name", "most"),
                         [("neurons", "lif_step", 40), ("neurons", "lif", 100), ("online", "eprop", 50)])
def test_what_one_copies_is_short(module, name, most):
    source = copyable(getattr(importlib.import_module(f"snnteach.{module}"), name))
    assert 20 < code_lines(ast.parse(source), source.split("\n")) <= most


def test_checks_come_along_only_if_asked_for():
    from snnteach.neurons import lif
    short, whole = copyable(lif), copyable(lif, checks=True)
    assert short.startswith('# Without checks of arguments, which is what "Raises" is about: copyable(..., checks=True)')
    assert "check_" not in short and "RESETS" not in short and whole.startswith("import ")
    exec(short, bare_namespace := {})
    exec(whole, namespace := {})
    assert bare_namespace["lif"](torch.zeros(3, 2, 4), 0.9, -1.0)[0].all()           # nobody objects
    with pytest.raises(ValueError, match="lif: threshold must be positive, got -1.0"):
        namespace["lif"](torch.zeros(3, 2, 4), 0.9, -1.0)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_without_checks_no_check_and_nothing_that_served_only_checks_is_left(module):
    for name, member in public(module).items():
        source, whole = copyable(member), copyable(member, checks=True)
        assert "check_" not in source and "_arguments" not in source, name
        assert idle_names(symtable.symtable(source, name, "exec")) <= idle_names(symtable.symtable(whole, name, "exec")), name


def idle_names(table):
    """Return the local names that a program binds and does not read in the function that binds them."""
    found = set()
    for inner in table.get_children():
        if inner.get_type() == "function":
            found |= {(inner.get_name(), symbol.get_name()) for symbol in inner.get_symbols()
                      if symbol.is_assigned() and not symbol.is_parameter() and not symbol.is_referenced()}
        found |= idle_names(inner)
    return found


def test_statements_that_only_check_are_left_out_and_no_others():
    source = ("from ._arguments import check_that, check_size\n\n\ndef _check_all(a):\n    check_that(a)\n    if a:\n"
              "        for b in a:\n            check_size(b)\n\n\ndef _check_more(a):\n    'Twice.'\n    _check_all(a)\n\n\n"
              "def f(a):\n    'Say.'\n    check_that(\n        a > 1,\n        'x')\n    if a:\n        _check_more(a)\n"
              "    if a:\n        check_size(a)\n        a += 1\n    a.check_that(a)\n    return check_size(a), check_that\n")
    assert without_checks(source) == ("from ._arguments import check_that, check_size\n\n\n\n\n\n\ndef f(a):\n    'Say.'\n"
                                      "    if a:\n        a += 1\n    a.check_that(a)\n    return check_size(a), check_that\n")
    assert without_checks("def f(a):\n    check_that(a)\n") == "def f(a):\n    check_that(a)\n"   # another's check_that


def test_source_is_ordered_and_readable():
    from snnteach.neurons import lif_step
    source = copyable(lif_step, checks=True)
    assert isinstance(source, str) and repr(source) == source and source.endswith("\n")
    defined = [node.name for node in ast.parse(source).body if hasattr(node, "name")]
    assert defined.index("atan") < defined.index("lif_step") and defined.index("check_number") < defined.index("atan")
    assert not {"lif", "LIF", "_LIF", "fast_sigmoid", "zero"} & set(defined)  # a local variable is called zero in no place
    assert ">>> spk, mem = lif_step(" in source  # its own docstring is whole
    tree = {node.name: ast.get_docstring(node) for node in ast.parse(source).body if hasattr(node, "name")}
    assert tree["atan"] == "Make the arctangent surrogate, whose wide tails reach neurons far from threshold."
    assert "nn" not in source.split("def ")[0].split()


def test_several_go_into_one_file_without_a_line_twice():
    from snnteach.neurons import LIF, first_spike_step
    from snnteach.surrogate import atan, boxcar
    source = copyable(boxcar, LIF, atan, first_spike_step)
    names = [node.name for node in ast.parse(source).body if hasattr(node, "name")]
    assert len(names) == len(set(names)) and {"boxcar", "LIF", "atan", "first_spike_step"} < set(names)
    assert source.count(">>> ") == sum(inspect.getdoc(obj).count(">>> ") for obj in (boxcar, LIF, atan, first_spike_step))
    with pytest.raises(TypeError, match="at least one"):
        copyable()


def test_shown_as_it_is_in_a_notebook():
    pretty = pytest.importorskip("IPython.lib.pretty")
    assert pretty.pretty(Source("a = 1\nb = 2\n")).strip() == "a = 1\nb = 2"


@pytest.mark.parametrize("obj, message", [
    (torch.nn.Linear, "comes from torch"), (len, "comes from builtins"), (public, "comes from"), (3, "object of type int"),
    (snnteach.reader.carry.Source, "comes from snnteach.reader.carry"), (None, "object of type NoneType")])
def test_refuses_what_is_not_reference_code(obj, message):
    with pytest.raises(TypeError, match=f"copyable: .*{message}"):
        copyable(obj)


def test_refuses_what_stands_inside_something():
    from snnteach.neurons import LIF
    from snnteach.surrogate import atan
    with pytest.raises(TypeError, match="object of type _Surrogate"):
        copyable(atan())
    with pytest.raises(TypeError, match=r"stands inside LIF; pass that"):
        copyable(LIF.forward)
    with pytest.raises(TypeError, match="object of type LIF"):
        copyable(LIF(beta=0.9))


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """A package in the place of snnteach; the fixture writes modules and copies the function f of module a."""
    monkeypatch.setattr(resolver, "PACKAGE", tmp_path / "toy")
    (tmp_path / "toy").mkdir()

    def write(**modules):
        for name, text in {"__init__": "", **modules}.items():
            (tmp_path / "toy" / f"{name}.py").parent.mkdir(exist_ok=True)
            (tmp_path / "toy" / f"{name}.py").write_text(text, encoding="utf-8")
        return copyable(types.SimpleNamespace(__module__="toy.a", __qualname__="f"), checks=True)

    return write


def test_follows_constants_decorators_classes_and_aliases(made_up):
    source = made_up(
        b="import functools\nimport math\nimport os\n\nBIG = 10\nSMALL = (BIG,\n         1)\nUNUSED = 2\n\n\n"
          "@functools.cache\ndef g():\n    '''One \"line\".\n\n    More.\n    '''\n    return math.pi + SMALL[0]\n",
        a="from os import path as where\n\nfrom .b import UNUSED, g\n\n\nclass C:\n    '''First.\n\n    Second.'''\n\n"
          "    def m(self):\n        '''Say.\n\n        More.'''\n        UNUSED = 3\n        return g() + UNUSED\n\n\n"
          "def f(c=C()):\n    '''Whole.\n\n    docstring'''\n    return c.m(), where.sep\n")
    namespace = {}
    exec(source, namespace)
    assert namespace["f"]()[0] == pytest.approx(16.14159, abs=1e-5)
    assert "UNUSED = 2" not in source and "import os\n" not in source and "More." not in source and "Second." not in source
    assert source.startswith("import functools\nimport math\nfrom os import path as where\n\n\nBIG = 10\nSMALL = (BIG,")
    assert "    '''Whole.\n\n    docstring'''" in source and '    """One "line"."""' in source


@pytest.mark.parametrize("modules, message", [
    ({"a": "from .b import g\ndef _h(): return 1\ndef f(): return g() + _h()", "b": "def _h(): return 2\ndef g(): return _h()"},
     r"_h means (toy\.a\._h in one place and toy\.b|toy\.b\._h in one place and toy\.a)\._h in another"),
    ({"a": "from .b import g\nimport math as m\ndef f(): return g() + m.pi", "b": "import cmath as m\ndef g(): return m.pi"},
     "m means"),
    ({"a": "from .b import g\ndef f(): return g([1])", "b": "def sum(x): return 0\ndef g(x): return sum(x)"}, None),
    ({"a": "from .b import g\ndef f(): return g([1]) + sum([1])", "b": "def sum(x): return 0\ndef g(x): return sum(x)"},
     "sum means"),
    ({"a": "from .b import g as h\ndef f(): return h()", "b": "def g(): return 1"}, "imports g as h"),
    ({"a": "from . import b\ndef f(): return b.g()", "b": "def g(): return 1"}, "toy is not a reference module"),
    ({"a": "from .plots import g\ndef f(): return g()", "plots/__init__": "def g(): return 1"},
     "toy.plots is not a reference module"),
    ({"a": "import toy.b\ndef f(): return toy.b.g()", "b": "def g(): return 1"}, "toy is not a reference module"),
    ({"a": "def f():\n    from .b import g\n    return g()", "b": "def g(): return 1"}, "imports from snnteach inside f"),
    ({"a": "from .b import *\ndef f(): return g()", "b": "def g(): return 1"}, "uses g but does not define it"),
    ({"a": "from toy.b import g\ndef f(): return g()", "b": "def g(): return 1"}, None),
    ({"a": "from torch import nn\nfrom .b import g\ndef f(): return nn, g()", "b": "import torch.nn as nn\ndef g(): return nn"},
     None),
])
def test_what_cannot_stand_alone_is_said(made_up, modules, message):
    if message is None:
        exec(made_up(**modules), namespace := {})
        namespace["f"]()
    else:
        with pytest.raises(ValueError, match=f"copyable: .*({message})"):
            made_up(**modules)
