"""Progress: two notebooks at once lose nothing, a kill loses nothing, and trouble never stops a notebook."""
import datetime
import json
import math
import os
import random
import subprocess
import sys
import time
import types

import pytest

from snnteach import _files as files
from snnteach.plots import figure
from snnteach.reader import store
from snnteach.reader.session import lecture, setup

KILLS = 1000 if os.environ.get("SNNTEACH_FULL") else 30  # all of them under --full: three minutes
WRITER = """
import sys
from snnteach.reader.store import record_hint, record_solved
for number in range(int(sys.argv[2])):
    record_solved(f"{sys.argv[1]}.{number}")
    record_hint("01.1")
    print(number, flush=True)
"""


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    folder = tmp_path / "home"
    monkeypatch.setenv("SNNTEACH_HOME", str(folder))
    monkeypatch.setattr(store, "_unsaved", {})
    monkeypatch.setattr(store, "_told", set())
    monkeypatch.setattr(store, "syllabus", lambda: [types.SimpleNamespace(number="01", exercises=2),
                                                    types.SimpleNamespace(number="02", exercises=3)])
    return folder


def writer(name, count):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", WRITER, name, str(count)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def test_record_and_read_back(home):
    assert store.solved() == {} and store.hints_taken("01.1") == 0
    assert not home.exists()  # looking makes no folder
    assert [store.record_hint("01.1"), store.record_hint("01.1"), store.record_hint("02.1")] == [1, 2, 1]
    store.record_solved("01.2")
    assert store.hints_taken("01.1") == 2
    assert store.solved() == {"01.2": datetime.date.today().isoformat()}
    assert json.loads((home / "progress.json").read_text()) == {"solved": store.solved(), "hints": {"01.1": 2, "02.1": 1}}


def test_the_first_date_stays(home):
    home.mkdir()
    (home / "progress.json").write_text('{"solved": {"01.1": "2020-02-29"}, "hints": {}, "later": [1]}')
    store.record_solved("01.1")
    assert store.solved() == {"01.1": "2020-02-29"}
    assert json.loads((home / "progress.json").read_text())["later"] == [1]  # what a later version added stays


def test_default_folder(monkeypatch):
    monkeypatch.delenv("SNNTEACH_HOME")
    assert store.home().name == "snnteach"


def test_plain_table():
    store.record_solved("01.1")
    store.record_solved("02.2")
    store.record_solved("99.9")  # an exercise of another version is kept and not counted
    store.record_hint("02.1")
    assert repr(store.progress()) == (
        "Progress: 2 of 5 exercises solved, 1 hint taken.\n"
        "01  #####.....  1/2\n"
        "02  ###.......  1/3  hints 1\n"
        "To carry it over: progress().code, then progress(restore=...).")


def test_html_table():
    store.record_solved("02.2")
    page = store.progress()._repr_html_()
    assert page.count("<tr>") == 3 and page.count("<progress ") == 2
    assert '<progress max="3" value="1" aria-label="notebook 02: 1 of 3 solved">' in page
    assert "1 of 5 exercises solved, 0 hints taken" in page


def test_no_exercises_at_all(monkeypatch):
    monkeypatch.setattr(store, "syllabus", tuple)
    assert repr(store.progress()).startswith("Progress: 0 of 0 exercises solved, 0 hints taken.\n")
    assert "<table>" in store.progress()._repr_html_()


def test_code_round_trip(monkeypatch, tmp_path):
    for exercise in ("01.1", "02.3"):
        store.record_solved(exercise)
    store.record_hint("02.1")
    code = store.progress().code
    assert code.startswith("snn1:") and code.split() == [code] and code == store.progress().code
    monkeypatch.setenv("SNNTEACH_HOME", str(tmp_path / "other"))
    store.record_hint("02.1")
    store.record_hint("02.1")
    store.record_solved("01.2")
    restored = store.progress(restore=f"  {code[:30]}\n{code[30:]} ")
    assert sorted(store.solved()) == ["01.1", "01.2", "02.3"] and sorted(restored.state["solved"]) == sorted(store.solved())
    assert store.hints_taken("02.1") == 2  # of two counts the larger
    assert store.progress(restore=code).code == restored.code  # twice changes nothing


def test_code_of_a_whole_course_is_short():
    ids = [f"{notebook:02}.{number}" for notebook in range(23) for number in range(1, 9)]
    state = {"solved": dict.fromkeys(ids, "2026-11-23"), "hints": {}}
    assert len(store._encode(state)) < 1000
    assert store._decode(store._encode(state)) == state


def test_every_damaged_code_is_refused():
    store.record_solved("01.1")
    code = store.progress().code
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    damaged = [code[:end] for end in range(len(code))]
    damaged += [code[:at] + next(x for x in letters if x != code[at]) + code[at + 1:] for at in range(len(code) - 1)]
    for text in damaged:
        with pytest.raises(ValueError, match="progress: "):
            store.progress(restore=text)
    assert list(store.solved()) == ["01.1"]


@pytest.mark.parametrize("code, error, message", [
    ("", ValueError, "starts with 'snn1:', got ''"),
    ("snn2:abc", ValueError, "starts with 'snn1:', got 'snn2:abc'"),
    ("snn1:ab!c", ValueError, "copy the whole line"),
    ("snn1:äöü", ValueError, "copy the whole line"),
    ("snn1:" + "A" * 40, ValueError, "checksum"),
    (17, TypeError, "got int"),
])
def test_bad_codes_say_why(code, error, message):
    with pytest.raises(error, match=message):
        store.progress(restore=code)


@pytest.mark.parametrize("state, message", [
    ({"solved": {"01.1": "yesterday"}, "hints": {}}, "where a date belongs"),
    ({"solved": {}, "hints": {"01.1": "2"}}, "where a count belongs"),
    ({"solved": {"x" * 2_000_000: "2026-11-23"}, "hints": {}}, "holds no progress"),
])
def test_codes_with_a_right_checksum_and_wrong_content(state, message):
    with pytest.raises(ValueError, match=message):
        store.progress(restore=store._encode(state))


@pytest.mark.parametrize("content", [
    b"", b"{", b"\xff\xfe", b"[]", b"null", b'{"solved": {}}', b'{"solved": {"01.1": 3}, "hints": {}}',
    b'{"solved": {"01.1": "2026-13-01"}, "hints": {}}', b'{"solved": {}, "hints": {"01.1": -1}}',
    b'{"solved": {}, "hints": {"01.1": true}}', b"[" * 100_000])
@pytest.mark.parametrize("action", ["read", "write"])
def test_a_damaged_file_is_set_aside(home, capsys, content, action):
    home.mkdir()
    (home / "progress.json").write_bytes(content)
    if action == "read":
        assert store.solved() == {}
    else:
        store.record_solved("01.1")
        assert list(store.solved()) == ["01.1"]
    (aside,) = home.glob("progress.damaged-*.json")
    assert aside.read_bytes() == content
    said = capsys.readouterr().out
    assert "damaged" in said and str(aside) in said and said.count("\n") == 1


def test_an_unwritable_folder_is_said_once_and_kept_in_memory(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("a file where the folder should be")
    monkeypatch.setenv("SNNTEACH_HOME", str(tmp_path / "file"))
    store.record_solved("01.1")
    assert [store.record_hint("01.2"), store.record_hint("01.2")] == [1, 2]
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and f"Progress cannot be saved in {tmp_path / 'file'}" in said
    assert list(store.solved()) == ["01.1"] and store.hints_taken("01.2") == 2
    assert "1 of 5 exercises solved, 2 hints" in repr(store.progress())
    (tmp_path / "file").unlink()
    store.record_solved("02.1")  # now there is room: what waited is saved as well
    monkeypatch.setattr(store, "_unsaved", {})
    assert list(store.solved()) == ["01.1", "02.1"] and store.hints_taken("01.2") == 2
    monkeypatch.setattr(store, "write_atomically", lambda path, text: path.mkdir())  # trouble again is said again
    store.record_solved("02.2")
    assert "cannot be saved" in capsys.readouterr().out


def test_what_could_not_be_saved_is_saved_at_the_end_of_the_session(tmp_path):
    (tmp_path / "file").write_text("a file where the folder should be")
    program = ("import os, sys\nfrom snnteach.reader.store import record_solved\n"
               "record_solved('01.1')\nos.unlink(os.environ['SNNTEACH_HOME'])")
    environment = {**os.environ, "SNNTEACH_HOME": str(tmp_path / "file"), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout.count("cannot be saved") == 1 and done.stderr == ""
    assert list(json.loads((tmp_path / "file" / "progress.json").read_text())["solved"]) == ["01.1"]


def test_a_damaged_file_that_cannot_be_set_aside_is_said_and_stays(home, monkeypatch, capsys):
    def no_lock(folder):
        raise OSError(30, "Read-only file system")

    home.mkdir()
    (home / "progress.json").write_bytes(b"{half")
    monkeypatch.setattr(store, "_lock", no_lock)
    assert store.solved() == {} and store.solved() == {}
    said = capsys.readouterr().out
    assert said.count("is damaged") == 1 and str(home / "progress.json") in said and "stays as it is" in said
    store.record_solved("01.1")
    assert (home / "progress.json").read_bytes() == b"{half" and list(store.solved()) == ["01.1"]


def test_a_replace_that_is_refused_for_a_moment_is_tried_again(tmp_path, monkeypatch):
    refused, replace = [PermissionError(13, "in use")] * 2, os.replace

    def busy(temporary, path):
        if refused:
            raise refused.pop()
        replace(temporary, path)

    monkeypatch.setattr(files, "PATIENCE", (0.0, 0.0, 0.0))
    monkeypatch.setattr(files.os, "replace", busy)
    files.write_atomically(tmp_path / "state", "kept")
    assert (tmp_path / "state").read_text() == "kept" and refused == []
    refused.extend([PermissionError(13, "in use")] * 4)
    with pytest.raises(PermissionError):
        files.write_atomically(tmp_path / "state", "lost")
    assert (tmp_path / "state").read_text() == "kept" and list(tmp_path.iterdir()) == [tmp_path / "state"]


def test_a_full_disk_keeps_the_file_and_the_news(home, monkeypatch, capsys):
    store.record_solved("01.1")
    before = (home / "progress.json").read_bytes()

    def full(path, text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "write_atomically", full)
    store.record_solved("01.2")
    assert list(store.solved()) == ["01.1", "01.2"]
    assert (home / "progress.json").read_bytes() == before
    assert "No space left on device" in capsys.readouterr().out


def test_a_lock_that_never_opens_does_not_stop_the_notebook(home, monkeypatch, capsys):
    monkeypatch.setattr(store, "LOCK_SECONDS", 0.2)
    store.record_solved("01.1")
    with store._lock(home):
        store.record_solved("01.2")
        assert list(store.solved()) == ["01.1", "01.2"]
    assert "Progress cannot be saved" in capsys.readouterr().out
    store.record_solved("02.1")
    assert sorted(json.loads((home / "progress.json").read_text())["solved"]) == ["01.1", "01.2", "02.1"]


def test_two_processes_at_once_lose_nothing(home):
    both = [writer(name, 60) for name in ("03", "04")]
    for process in both:
        process.communicate(timeout=120)
        assert process.returncode == 0
    assert set(store.solved()) == {f"{name}.{number}" for name in ("03", "04") for number in range(60)}
    assert store.hints_taken("01.1") == 120


def test_a_kill_at_any_moment_loses_nothing(home, capsys):
    chance, acknowledged = random.Random(0), set()
    for round_number in range(KILLS):
        process = writer(f"{round_number:03}", 100_000)
        lines = [process.stdout.readline()]
        time.sleep(chance.uniform(0, 0.05))
        process.kill()
        lines += process.stdout.readlines()
        process.wait()
        process.stdout.close()
        acknowledged |= {f"{round_number:03}.{int(line)}" for line in lines if line.endswith("\n")}
    assert len(acknowledged) > 2 * KILLS
    assert acknowledged <= set(store.solved())
    assert store.hints_taken("01.1") >= len(acknowledged)
    store.record_solved("99.1")
    assert sorted(path.name for path in home.iterdir() if path.suffix != ".lock") == ["progress.json"]  # no litter
    assert capsys.readouterr().out == ""


def test_recording_needs_no_torch():
    program = "import sys, snnteach.reader.store; sys.exit('torch' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    assert subprocess.run([sys.executable, "-c", program], env=environment, check=False).returncode == 0


def test_setup_seeds_and_prints_one_fixed_line(capsys):
    import torch

    threads = torch.get_num_threads()
    try:
        with torch.random.fork_rng():
            assert setup(7) is None
            first = torch.rand(3)
            setup(7)
            assert torch.equal(first, torch.rand(3)) and torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(threads)
    assert capsys.readouterr().out == 2 * "Ready: seed 7, one thread. Exercises answer to check, hint and solution.\n"


@pytest.mark.parametrize("seed, error", [("7", TypeError), (7.0, TypeError), (True, TypeError), (None, TypeError),
                                         (-1, ValueError), (2**63, ValueError)])
def test_setup_refuses(seed, error, capsys):
    with pytest.raises(error, match="setup: seed must be"):
        setup(seed)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("scale", "error", "words"), [
    ("big", TypeError, "scale must be a number, got 'big'"), (True, TypeError, "scale must be a number"),
    (0.5, ValueError, "between 1 and 3, got 0.5"), (math.nan, ValueError, "between 1 and 3, got nan")])
def test_lecture_says_what_is_wrong(scale, error, words):
    with pytest.raises(error, match=words):
        lecture(scale)


def test_lecture_enlarges_figures_until_it_is_undone(capsys):
    lecture(2)
    try:
        assert figure(3, 2)[0].canvas.get_width_height() == (2 * 288, 2 * 192)
    finally:
        lecture(1)
    assert figure(3, 2)[0].canvas.get_width_height() == (288, 192)
    assert capsys.readouterr().out.startswith("Lecture mode: new figures, and text in JupyterLab and Notebook 7, are 2 ")
