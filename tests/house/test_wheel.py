"""A built wheel holds all that the course reads, and runs in a fresh interpreter without the checkout."""
import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from snnteach.install.pins import ROOT

KEPT_OUT = shutil.ignore_patterns("__pycache__", ".*", "*.tmp")
READER = """
import sys
sys.path.insert(0, sys.argv[1])
import snnteach
from snnteach import check, explore, lessons, progress, stored
from snnteach.reader import live, lookup, page, results
assert snnteach.__file__.startswith(sys.argv[1]), snnteach.__file__
for row in lessons.syllabus():
    for name in lookup.part(row.topic, "explorers").EXPLORERS:
        assert live.LiveFigure(lookup.explorer(f"{row.topic}.{name}")).image.value
    for name in getattr(lookup.part(row.topic, "explorers"), "PAGES", {}):
        assert page.LivePage(f"{row.topic}.{name}").data
    exercise = next(iter(lookup.exercises(row.number)))
    assert check(exercise, ...) is not ...
    if results.path(row.topic).exists():
        assert stored(row.topic)
    print(row.topic)
"""


def start(*arguments, **options):
    """Run a Python that sees neither the checkout nor any setting of this one."""
    return subprocess.run([sys.executable, "-I", *arguments], capture_output=True, text=True, timeout=120, **options)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built without a network from a copy, so that no file of an earlier build gets into it."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT / "snnteach", source / "snnteach", ignore=KEPT_OUT)
    for name in ("pyproject.toml", "LICENSE", "LICENSE-TEXT"):
        shutil.copy(ROOT / name, source)
    done = start("-m", "pip", "wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", str(folder), str(source))
    assert done.returncode == 0, done.stdout + done.stderr
    [path] = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


def test_every_file_of_the_package_is_in_it(wheel, tmp_path):
    shutil.copytree(ROOT / "snnteach", tmp_path / "snnteach", ignore=KEPT_OUT)
    there = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("snnteach/")}
    assert packed == there and {".py", ".toml", ".csv", ".npz", ".md"} <= {os.path.splitext(name)[1] for name in packed}


def test_explore_check_and_stored_of_every_lesson_run_from_it(installed, tmp_path):
    done = start("-W", "error", "-c", READER, str(installed), cwd=tmp_path, env={**os.environ, "SNNTEACH_HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("not attempted") >= 10
