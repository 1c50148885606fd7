"""A new topic is one module, one lesson, one notebook, two tests and one row: tried with 01 under another name, in a copy."""
import filecmp
import os
import re
import shutil
import subprocess
import sys

import pytest

from snnteach.install.pins import ROOT
from snnteach.lessons import syllabus

ROW = """
[[notebook]]
number = "77"
topic = "toy"
title = "the toy"
question = "What is one topic more?"
invitation = ": nothing new."
exercises = 6
needs = ["01", "16"]
part = "Learning like a brain"
"""
NEW = {"snnteach/membrane.py": "snnteach/toy.py", "snnteach/lessons/membrane": "snnteach/lessons/toy",
       "tests/reference/test_membrane.py": "tests/reference/test_toy.py",
       "tests/lessons/test_membrane.py": "tests/lessons/test_toy.py", "tutorials/01_membrane.ipynb": "tutorials/77_toy.ipynb"}
PROVE = """
import pathlib
import sys
import pytest
from snnteach import check, explore, hint, progress, stored
from snnteach.authoring import notebooks

lesson = pathlib.Path("snnteach/lessons/toy")
for name, broken in (("exercises", lambda: check("77.1", 3)), ("explorers", lambda: explore("toy.constant"))):
    whole = (lesson / f"{name}.py").read_bytes()
    (lesson / f"{name}.py").write_text("def")
    with pytest.raises(SyntaxError):
        broken()
    check("01.1", 3), hint("02.1"), explore("membrane.constant"), stored("training")
    assert "\\n77  ..........  0/6" in str(progress())
    (lesson / f"{name}.py").write_bytes(whole)

notebooks.run = lambda notebook: notebook              # its outputs are those of notebook 01
notebooks.execute(["77"])
assert notebooks.check(["77"]) == []
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-k", "toy or 77 or syllabus",
                      "tests/lessons/test_toy.py", "tests/reference/test_toy.py",
                      *(f"tests/house/test_{name}.py" for name in ("notebooks", "layers", "exercises", "course", "teach",
                                                                   "anatomy", "guesses", "claims"))]))
"""


def renamed(text):
    """Notebook 01, its module or its lesson under the name of the toy."""
    public = re.findall(r"^def ([a-z]\w*)", (ROOT / "snnteach" / "membrane.py").read_text(encoding="utf-8"), re.MULTILINE)
    text = re.sub(rf"\b({'|'.join(public)})\b", r"toy_\1", re.sub(r"\bmembrane\b", "toy", text))
    return re.sub(r"\b(ex-)?01([.-][\da-d]\b)", r"\g<1>77\2", text).replace("Question(", "Question('A toy. '")


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A copy of the course with the new topic; large data are only linked."""
    root = tmp_path_factory.mktemp("course")

    def copy(path, target):
        os.symlink(path, target) if path.endswith(".npz") else shutil.copy(path, target)

    for name in ("snnteach", "tests", "tutorials"):
        shutil.copytree(ROOT / name, root / name, copy_function=copy, ignore=shutil.ignore_patterns("__pycache__", "*.tmp"))
    for path in filter(lambda path: path.is_file(), ROOT.iterdir()):
        shutil.copy(path, root)
    for old, new in NEW.items():
        source, target = root / old, root / new
        for path in [source, *source.glob("*.py"), *source.glob("*.csv")]:
            if path.is_file():
                place = target / path.name if source.is_dir() else target
                place.parent.mkdir(exist_ok=True)
                place.write_text(renamed(path.read_text(encoding="utf-8")), encoding="utf-8")
    with open(root / "snnteach" / "lessons" / "syllabus.toml", "a", encoding="utf-8") as file:
        file.write(ROW)
    return root


def test_one_topic_more_needs_nothing_else_and_broken_breaks_no_other(course):
    environment = {**os.environ, "PYTHONPATH": str(course), "SNNTEACH_HOME": str(course / "home")}
    done = subprocess.run([sys.executable, "-c", PROVE], cwd=course, env=environment, capture_output=True, text=True,
                          timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert " passed" in done.stdout and "skipped" not in done.stdout
    changed = {str(path.relative_to(course)) for name in ("snnteach", "tests", "tutorials", "README.md")
               for path in ((course / name).rglob("*") if (course / name).is_dir() else [course / name])
               if path.is_file() and path.suffix != ".pyc" and (course / "snnteach/lessons/toy") not in path.parents and
               not ((ROOT / path.relative_to(course)).exists() and filecmp.cmp(path, ROOT / path.relative_to(course), False))}
    last = f"tutorials/{syllabus()[-1].file}"
    assert changed == {*NEW.values(), "snnteach/lessons/syllabus.toml", "README.md", last} - {"snnteach/lessons/toy"}
    assert "**Next:** [77 · the toy](77_toy.ipynb): nothing new." in (course / last).read_text(encoding="utf-8")
    readme = (course / "README.md").read_text(encoding="utf-8")
    assert "| [77 the toy](tutorials/77_toy.ipynb) | What is one topic more? | 40 + 46 | 01, 16 |" in readme
    assert "`toy`" in readme
