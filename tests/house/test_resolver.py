"""The resolver: which function needs which. Every rule on a toy package, and the package's own studies."""
import functools
import re
import types

import pytest

import snnteach
from snnteach.authoring import studies
from snnteach.authoring.study_code import codes
from snnteach.reader import resolver, results
from tests.changes import change

LESSON = types.SimpleNamespace(number="07", topic="topic")


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """Write the files of a package `toy` and return the fingerprint of its a.f."""
    package = tmp_path / "toy"
    monkeypatch.setattr(resolver, "PACKAGE", package)
    monkeypatch.setattr(resolver, "lesson", lambda name: LESSON)
    monkeypatch.setattr(results, "stored", lambda topic: {"row": [len((package / "stored").read_text())]})

    def write(files):
        for name, text in {"__init__.py": "", **files}.items():
            path = package / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return resolver.fingerprint([("a", "f")])

    return write


ROOT = {"__init__.py": "_HOMES = {'explore': '.reader.live', 'check': '.reader.answers', 'stored': '.reader.results', "
                       "'guess': '.reader.guesses', 'play': '.reader.page'}\n"}
DOORS = {
    **ROOT,
    "reader/__init__.py": "",
    "reader/live.py": "def explore(name):\n    return name\n",
    "reader/page.py": "def play(name):\n    return name\n",
    "reader/guesses.py": "def guess(name):\n    return name\n",
    "reader/answers.py": "def check(name, answer):\n    return answer\n",
    "reader/results.py": ("from pathlib import Path\nfrom ..lessons import lesson\nHERE = Path(__file__).parent\n"
                          "def stored(name):\n    return HERE, lesson(name)\n"),
    "lessons/__init__.py": "def lesson(name):\n    return 1\n",
    "lessons/topic/__init__.py": "",
    "lessons/topic/explorers.py": ("from ..kinds import Explorer\ndef one():\n    return 1\ndef two():\n    return 2\n"
                                   "EXPLORERS = {'x': Explorer(one), 'y': Explorer(two)}\nPAGES = {'x': 7}\n"),
    "lessons/topic/live.js": "3",
    "lessons/kinds.py": "class Explorer:\n    pass\nclass Exercise:\n    pass\n",
    "lessons/topic/exercises.py": ("from ..kinds import Exercise\ndef three():\n    return 3\n"
                                   "EXERCISES = [Exercise('07.1', three), Exercise(id='07.2', reference=4),\n"
                                   "             Exercise('07.21', 6)]\nGUESSES = {'07.a': three, '07.b': 8}\n"),
    "stored": "1",
}
CASES = {  # what stands in the files, (file, old, new), whether the fingerprint of a.f changes
    "its own body": ({"a.py": "def f():\n    return 1\n"}, ("a.py", "1", "2"), True),
    "a comment, a docstring, a line": ({"a.py": "def f():\n    return 1\n"},
                                       ("a.py", "def f():", "import os\n\n\ndef f():\n    '''Doc.'''\n    # comment"), False),
    "another function beside it": ({"a.py": "def g(): return 1\ndef f(): return 1\n"},
                                   ("a.py", "g(): return 1", "g(): return 2"),
                                   False),
    "the order of functions": ({"a.py": "def g(): pass\ndef f(): return g()\n"},
                               ("a.py", "def g(): pass\ndef f(): return g()", "def f(): return g()\ndef g(): pass"), False),
    "the order of assignments": ({"a.py": "X = 1\nX = 2\ndef f(): return X\n"}, ("a.py", "X = 1\nX = 2", "X = 2\nX = 1"), True),
    "a name that only a comprehension has": ({"a.py": "x = 1\nT = [x for x in (3,)]\ndef f(y=[x for x in T]): return y\n"},
                                             ("a.py", "x = 1", "x = 2"), False),
    "a name beside a comprehension": ({"a.py": "x = 1\nT = [x for x in (3,)] + [x]\ndef f(): return T\n"},
                                      ("a.py", "x = 1", "x = 2"), True),
    "where a comprehension begins": ({"a.py": "x = [1]\nT = [x for x in x]\ndef f(): return T\n"},
                                     ("a.py", "x = [1]", "x = [2]"), True),
    "a function it calls": ({"a.py": "def g(): return 1\ndef f(): return g()\n"}, ("a.py", "return 1", "return 2"), True),
    "a constant": ({"a.py": "X = 1\ndef f(): return X\n"}, ("a.py", "1", "2"), True),
    "a default": ({"a.py": "X = 1\ndef f(x=X): return x\n"}, ("a.py", "1", "2"), True),
    "a decorator": ({"a.py": "def g(h): return h\n@g\ndef f(): return 1\n"}, ("a.py", "return h", "return g"), True),
    "a local name like another's": ({"a.py": "def g(): return 1\ndef f(g): return g\n"},
                                    ("a.py", "return 1", "return 2"), False),
    "a name in a nested function": ({"a.py": "X = 1\ndef f():\n    def g():\n        return lambda: X\n    return g\n"},
                                    ("a.py", "1", "2"), True),
    "an imported function": ({"a.py": "from .b import g\ndef f(): return g()\n", "b.py": "def g(): return 1\n"},
                             ("b.py", "1", "2"), True),
    "an imported function's neighbour": ({"a.py": "from .b import g\ndef f(): return g()\n",
                                          "b.py": "def g(): return 1\ndef h(): return 3\n"}, ("b.py", "3", "4"), False),
    "through a package": ({"a.py": "from .p import g\ndef f(): return g()\n", "p/__init__.py": "from .q import g\n",
                           "p/q.py": "def g(): return 1\n"}, ("p/q.py", "1", "2"), True),
    "imported inside": ({"p/__init__.py": "", "p/a.py": "def f():\n    from ..b import g\n    return g()\n",
                         "b.py": "def g(): return 1\n", "a.py": "from .p.a import f\n"}, ("b.py", "1", "2"), True),
    "a module imported inside": ({"a.py": "def f():\n    from . import b\n    return b.g()\n",
                                  "b.py": "def g(): return 1\ndef h(): return 3\n"}, ("b.py", "1", "2"), True),
    "what is not asked of it": ({"a.py": "def f():\n    from . import b\n    return b.g()\n",
                                 "b.py": "def g(): return 1\ndef h(): return 3\n"}, ("b.py", "3", "4"), False),
    "the neighbour in module.name": ({"a.py": "from . import b\ndef f(): return b.g()\n",
                                      "b.py": "def g(): return 1\ndef h(): return 3\n"}, ("b.py", "3", "4"), False),
    "a whole module": ({"a.py": "from . import b\ndef f(n): return getattr(b, n)\n",
                        "b.py": "def g(): return 1\ndef h(): return 3\n"}, ("b.py", "3", "4"), True),
    "a whole package": ({"a.py": "from . import p\ndef f(n): return getattr(p, n)\n", "p/__init__.py": "from .q import g\n",
                         "p/q.py": "def g(): return 1\n"}, ("p/q.py", "1", "2"), True),
    "an absolute import": ({"a.py": "import toy.b\ndef f(): return toy.b.g()\n", "b.py": "def g(): return 1\n"},
                           ("b.py", "1", "2"), True),
    "under another name": ({"a.py": "import toy.b as c\ndef f(): return c.g()\n", "b.py": "def g(): return 1\n"},
                           ("b.py", "1", "2"), True),
    "a method": ({"a.py": "class C:\n    def m(self): return 1\ndef f(): return C()\n"}, ("a.py", "1", "2"), True),
    "a base class": ({"a.py": "class B:\n    x = 1\nclass C(B):\n    pass\ndef f(): return C()\n"}, ("a.py", "1", "2"), True),
    "an entry set below": ({"a.py": "T = {}\nfor n in range(2):\n    T[n] = 1\ndef f(): return T\n"}, ("a.py", "1", "3"), True),
    "an attribute set below": ({"a.py": "def f(): return f.x\nf.x = 1\n"}, ("a.py", "1", "2"), True),
    "a method called below": ({"a.py": "T = []\nT.append(1)\ndef f(): return T\n"}, ("a.py", "1", "2"), True),
    "one thing by two names": ({"a.py": "T = U = []\nU.append(1)\ndef f(): return T\n"}, ("a.py", "1", "2"), True),
    "what a module runs": ({"a.py": "from .b import g\ndef f(): return g()\n", "b.py": "def g(): return 1\nprint(3)\n"},
                           ("b.py", "3", "4"), True),
    "what only a command runs": ({"a.py": "def f(): return 1\nif __name__ == '__main__':\n    f.x = 3\n"},
                                 ("a.py", "3", "4"), False),
    "its own module by name": ({"a.py": "def g(): return 3\ndef f(): return __name__\n"}, ("a.py", "3", "4"), True),
    "another library": ({"a.py": "import math as m\ndef f(): return m.pi\n"}, ("a.py", "import math", "import cmath"), True),
    "a library it does not use": ({"a.py": "import math as m\ndef f(): return 1\n"},
                                  ("a.py", "import math", "import cmath"), False),
    "the same name of another module": ({"a.py": "from .b import g\nfrom .c import g as h\ndef f(): return g() + h()\n",
                                         "b.py": "def g(): return 1\n", "c.py": "def g(): return 2\n"},
                                        ("a.py", "from .b import g\nfrom .c import g as h",
                                         "from .c import g\nfrom .b import g as h"), True),
    "data": ({"a.py": "from pathlib import Path\nFILE = Path(__file__).with_name('d.bin')\ndef f(): return FILE\n",
              "d.bin": "1"}, ("d.bin", "1", "2"), True),
    "data of others": ({"a.py": "from pathlib import Path\nFILE = Path(__file__).with_name('d.bin')\ndef f(): return 1\n",
                        "d.bin": "1"}, ("d.bin", "1", "2"), False),
    "checks": ({"a.py": "from ._arguments import check\ndef f():\n    check()\n", "_arguments.py": "def check(): return 1\n"},
               ("_arguments.py", "1", "2"), False),
    "an explorer": ({"a.py": "from . import explore\ndef f(): explore('topic.x')\n", **DOORS},
                    ("lessons/topic/explorers.py", "return 1", "return 5"), True),
    "the script of a live figure": ({"a.py": "from . import play\ndef f(): play('topic.x')\n", **DOORS},
                                    ("lessons/topic/live.js", "3", "4"), True),
    "what a live figure is given": ({"a.py": "from . import play\ndef f(): play('topic.x')\n", **DOORS},
                                    ("lessons/topic/explorers.py", "7", "8"), True),
    "the explorer of a live figure": ({"a.py": "from . import play\ndef f(): play('topic.x')\n", **DOORS},
                                      ("lessons/topic/explorers.py", "return 1", "return 5"), True),
    "a live figure that is not played": ({"a.py": "from . import explore\ndef f(): explore('topic.x')\n", **DOORS},
                                         ("lessons/topic/live.js", "3", "4"), False),
    "another explorer": ({"a.py": "from . import explore\ndef f(): explore('topic.x')\n", **DOORS},
                         ("lessons/topic/explorers.py", "return 2", "return 5"), False),
    "the class of an explorer": ({"a.py": "from . import explore\ndef f(): explore('topic.x')\n", **DOORS},
                                 ("lessons/kinds.py", "class Explorer:\n    pass", "class Explorer:\n    x = 1"), True),
    "explore itself": ({"a.py": "import toy\ndef f(): toy.explore('topic.x')\n", **DOORS},
                       ("reader/live.py", "return name", "return 1"), True),
    "an explorer in a table that grows": ({"a.py": "from . import explore\ndef f(): explore('topic.x')\n", **DOORS,
                                           "lessons/topic/explorers.py": "EXPLORERS = {'x': 1}\nEXPLORERS['y'] = 2\n"},
                                          ("lessons/topic/explorers.py", "2", "3"), True),
    "an explorer in a table that is made": ({"a.py": "from . import explore\ndef f(): explore('topic.x')\n", **DOORS,
                                             "lessons/topic/explorers.py": "EXPLORERS = {**{'x': 1}, 'y': 2}\n"},
                                            ("lessons/topic/explorers.py", "2", "3"), True),
    "an exercise in a list that is made": ({"a.py": "from . import check\ndef f(x): check('7.1', x)\n", **DOORS,
                                            "lessons/topic/exercises.py": "EXERCISES = [str(n) for n in (1, 2)]\n"},
                                           ("lessons/topic/exercises.py", "2", "3"), True),
    "an exercise": ({"a.py": "from . import check\ndef f(x): check('7.1', x)\n", **DOORS},
                    ("lessons/topic/exercises.py", "return 3", "return 5"), True),
    "another exercise": ({"a.py": "from . import check\ndef f(x): check('7.1', x)\n", **DOORS},
                         ("lessons/topic/exercises.py", "reference=4", "reference=5"), False),
    "an exercise whose number is longer": ({"a.py": "from . import check\ndef f(x): check('07.21', x)\n", **DOORS},
                                           ("lessons/topic/exercises.py", "6", "7"), True),
    "an exercise by its id": ({"a.py": "from . import check\ndef f(x): check('7.2', x)\n", **DOORS},
                              ("lessons/topic/exercises.py", "reference=4", "reference=5"), True),
    "a guess": ({"a.py": "from . import guess\ndef f(): guess('7.a')\n", **DOORS},
                ("lessons/topic/exercises.py", "return 3", "return 5"), True),
    "another guess": ({"a.py": "from . import guess\ndef f(): guess('07.a')\n", **DOORS},
                      ("lessons/topic/exercises.py", "8", "9"), False),
    "stored results": ({"a.py": "from . import stored\ndef f(): return stored('topic')\n", **DOORS},
                       ("stored", "1", "22"), True),
    "the syllabus": ({"a.py": "from . import stored\ndef f(): return stored('topic')\n", **DOORS},
                     ("lessons/__init__.py", "return 1", "return 2"), False),
}


@pytest.mark.parametrize("case", CASES)
def test_what_counts_and_what_does_not(toy, case):
    files, (name, old, new), changes = CASES[case]
    assert old in files[name], "the case changes nothing"
    before = toy(files)
    assert toy(files) == before and re.fullmatch("[0-9a-f]{16}", before)
    assert (toy({**files, name: files[name].replace(old, new)}) != before) is changes


EVERYTHING = '''
import math as m, os.path
from collections import namedtuple
x, *rest = [y for y in (1, 2.5, 3j, b"b", None, ...) if y]
P = namedtuple("P", "a b")
class C(P, metaclass=type):
    """Doc."""
    z: int = 1
    async def m(self, *a: int, k=(lambda q: q + x), **o) -> str:
        async with self as s:
            return f"{s!r:>{x}} {x:g} {'nested'}" f"more {rest[1:-1:2]}"
@C
def f(a, /, b=1, *, c):
    try:
        while (n := a @ b) or not c:
            match n:
                case {"k": [1, *_], **more} | C(z=1): del more
                case _: raise ValueError from None
    except* (OSError, ValueError) as error:
        yield from (m.pi if error else os.path.sep, {**c}, {*c}, a < b <= c)
    else:
        global x
        x += ~a
'''


def test_every_version_of_python_gives_the_same_fingerprint(toy):
    assert toy({"a.py": EVERYTHING}) == "0419bd51c869322b"


@pytest.mark.parametrize("files, message", [
    ({"a.py": "def f(): return g()\n"}, r"toy/a\.py uses g but does not define it"),
    ({"a.py": "from .b import *\ndef f(): return g()\n", "b.py": "def g(): return 1\n"}, r"toy/a\.py uses g but"),
    ({"a.py": "from .b import g\ndef f(): return g()\n"}, r"toy/a\.py imports toy\.b\.g, and toy has no such module"),
    ({"a.py": "from .b import g\ndef f(): return g()\n", "b.py": ""}, r"toy/b\.py uses g but"),
    ({"a.py": "from . import b\ndef f(): return b.g()\n", "b.py": ""}, r"toy/b\.py uses g but"),
    ({"a.py": "import importlib\ndef f(n): return importlib.import_module(n)\n"}, r"toy/a\.py imports with importlib"),
    ({"a.py": "from pathlib import Path\ndef f(): return Path(__file__).parent\n"}, r"toy/a\.py: only Path"),
    ({"a.py": "from . import explore\ndef f(n): explore(n)\n", **DOORS}, r"toy/a\.py: explore can be followed only where"),
    ({"a.py": "from . import check\ndef f(n): return map(check, n)\n", **DOORS}, r"toy/a\.py: check can be followed only"),
    ({"a.py": "from . import explore\ndef f(): explore('topic.z')\n", **DOORS}, r"explorers\.py: EXPLORERS has no entry 'z'"),
    ({"a.py": "from . import check\ndef f(x): check('07.9', x)\n", **DOORS}, r"exercises\.py: EXERCISES has no entry '07.9'"),
])
def test_what_cannot_be_followed_is_an_error(toy, files, message):
    with pytest.raises(ValueError, match=message):
        toy(files)


TOPICS = ("encoding", "surrogate", "training", "stdp", "online")                  # enough studies to tell


def of_studies():
    """Fingerprint every row of some studies."""
    return {(topic, setting): code for topic in TOPICS for setting, code in codes(studies.study(topic).ROWS).items()}


BEFORE = functools.cache(of_studies)
ALL = frozenset()                                # a frozenset names the rows that stay fresh, a set those that turn stale
DIGITS = {setting for setting in studies.study("online").ROWS if setting.startswith(("replay", "Adam", "SGD", "aligning"))}


@pytest.mark.parametrize("file, old, new, stale", [
    ("data/__init__.py", "order = torch.randperm(len(inputs)", "order = torch.randperm(1 * len(inputs)",
     {"surrogate": ALL, "online": DIGITS, "stdp": {"learning curve"}}),
    ("data/__init__.py", "rows / 255", "rows / 256", {"surrogate": ALL, "online": DIGITS, "encoding": ALL, "stdp": ALL}),
    ("encoding.py", "(num_steps, *, period=8)", "(num_steps, *, period=9)",
     {"encoding": {f"{word}phase{kind}" for word in ("", "choose ") for kind in ("", ", weighted")}}),
    ("lessons/online/study.py", "rounds + 1", "rounds + 2", {"online": {f"time, T = {steps}" for steps in (50, 500, 5000)}}),
    ("activity.py", "def calibrate_threshold(", "def calibrate_threshold(more, ",
     {"training": {"digits, threshold 10", "digits, calibrated", "digits, calibrated, boxcar",
                   *(f"digits, threshold 10, learning rate 0.02{end}" for end in ("", ", boxcar"))}}),
    ("neurons.py", "def _sequence(", "def _sequence(more, ",
     {"encoding": frozenset({"side, ReLU network", "side, ReLU network, centred"}), "surrogate": ALL,
      "training": frozenset({"conventional network", "width 100, conventional network"})}),
    ("neurons.py", "def lif(", "# a comment\ndef lif(", {}),
    ("neurons.py", "def first_spike_step(", "def unused():\n    pass\n\n\ndef first_spike_step(more, ", {}),
    ("_arguments.py", "math.isfinite", "math.isnan", {}),
], ids=["validation_split", "flat", "phase_weights", "rounds", "calibrate", "sequence", "comment", "unused", "checks"])
def test_a_change_makes_those_studies_stale_that_use_it(monkeypatch, file, old, new, stale):
    before = BEFORE()
    change(monkeypatch, file, old, new)
    after, changed = of_studies(), {}
    for topic, setting in before:
        if before[topic, setting] != after[topic, setting]:
            changed.setdefault(topic, set()).add(setting)
    everything = {topic: {setting for name, setting in before if name == topic} for topic in changed}
    assert changed == {topic: everything[topic] - which if isinstance(which, frozenset) else which
                       for topic, which in stale.items()}


@pytest.mark.parametrize("name", sorted(snnteach._HOMES.keys() - {"copyable", "progress"}))     # they are given no name
def test_what_looks_something_up_by_name_is_a_door(name):
    """Else nothing of the lesson would count in the notebook that calls it."""
    root = snnteach._HOMES[name].lstrip("."), name
    statements = resolver.reach([root]).statements.values()
    reached = {(statement.module, word) for statement in statements for word in statement.defines}
    assert (root in resolver.DOORS) == bool({("reader.lookup", "part"), ("reader.results", "rows")} & reached)
