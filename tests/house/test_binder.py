"""Binder builds from `binder/`: the pins are whole and agree with pyproject.toml, and repo2docker understands the folder."""
import csv
import importlib.util
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import conftest
from snnteach.authoring import course, notebooks
from snnteach.install.pins import ROOT, cpu_options, numbers, pins, requirements
from tests.benchmarks import memory


def pinned(level):
    found = [re.fullmatch(r"([\w.-]+)==([\w.]+)(; .*)?", line) for line in pins(level)]
    assert all(found), "every line pins one version exactly"
    return {re.sub(r"[-_.]+", "-", match[1]).lower(): match[2] for match in found}


@pytest.mark.parametrize("level", ["lab", "test"])
def test_every_direct_requirement_is_pinned_above_its_bound(level):
    versions = pinned(level)
    for name, bound in requirements(level).items():
        assert name in versions, f"{name} is not pinned"
        assert numbers(versions[name]) >= numbers(bound), f"{name} is pinned below its bound {bound}"


def test_nothing_is_pinned_twice_and_binder_gets_no_test_tools():
    assert len(pins("test")) == len(pinned("test"))
    assert not {"pytest", "ruff", "snntorch", "norse"} & set(pinned("lab"))


def test_torch_is_pinned_beside_the_cpu_index():
    assert pinned("lab")["torch"] == "2.13.0"
    option, index = cpu_options()
    assert option == "--extra-index-url" and index.endswith("/cpu")


def test_the_scripts_can_be_run():
    for name in ("postBuild", "start"):
        path = ROOT / "binder" / name
        assert path.read_bytes().startswith(b"#!/bin/bash\n") and b"\r" not in path.read_bytes()
        if sys.platform != "win32":
            assert path.stat().st_mode & stat.S_IXUSR
    assert 'exec "$@"' in (ROOT / "binder" / "start").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="repo2docker does not run on Windows")
def test_repo2docker_reads_the_folder(tmp_path):
    if importlib.util.find_spec("repo2docker") is None:
        pytest.skip("jupyter-repo2docker is not installed")
    shutil.copytree(ROOT / "binder", tmp_path / "binder")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    dockerfile = done.stdout + done.stderr
    for part in ("conda environment for python=3.11", 'pip install --no-cache-dir -r "binder/requirements.txt"',
                 "RUN ./binder/postBuild", 'R2D_ENTRYPOINT="${REPO_DIR}/binder/start"'):
        assert part in dockerfile


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize(("tags", "budget"), [(["setup"], "AFTER_SETUP_MB"), ([], "PEAK_MB")])
def test_a_cell_that_takes_its_kernel_above_the_budget_fails(tags, budget, monkeypatch):
    """Every notebook is measured as nbval runs it, by a hook that reaches `tutorials/` because it stands above it."""
    kernel = SimpleNamespace(km=SimpleNamespace(provisioner=SimpleNamespace(pid=os.getpid())))
    item = SimpleNamespace(path=notebooks.TUTORIALS / "any.ipynb", parent=SimpleNamespace(kernel=kernel),
                           cell=SimpleNamespace(metadata={"tags": tags}))
    for most, ends in ((10**6, StopIteration), (10, AssertionError)):
        monkeypatch.setattr(memory, budget, most)
        around = conftest.pytest_runtest_call(item)
        next(around)
        with pytest.raises(ends):
            around.send(None)
    assert Path(conftest.__file__).parent == notebooks.TUTORIALS.parent


def test_the_measured_memory_is_within_the_budget():
    rows = list(csv.DictReader(course.MEMORY.open()))
    measured, stems = [row["notebook"] for row in rows], [path.stem for path in notebooks.paths()]
    assert measured == [stem for stem in stems if stem in measured] and len(measured) >= 10
    for column, most in (("after_setup_mb", memory.AFTER_SETUP_MB), ("peak_mb", memory.PEAK_MB)):
        assert 100 < max(int(row[column]) for row in rows) <= most
