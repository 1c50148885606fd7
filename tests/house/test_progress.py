"""Progress: two notebooks at once lose nothing, a kill loses nothing, and trouble never stops a notebook."""
import dataclasses
import datetime
import hashlib
import json
import math
import os
import random
import re
import stat
import subprocess
import sys
import time
import types

import pytest
from filelock import FileLock

from snnteach import _files as files
from snnteach import check, hint
from snnteach.install import commands
from snnteach.lessons import lesson
from snnteach.plots import figure
from snnteach.reader import state, store
from snnteach.reader.lookup import exercise as find
from snnteach.reader.lookup import exercises
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
    monkeypatch.setattr(store, "_held", set())
    monkeypatch.setattr(store, "syllabus", lambda: [types.SimpleNamespace(number="01", asked=("01.1", "01.2")),
                                                    types.SimpleNamespace(number="02", asked=("02.1", "02.2", "02.3"))])
    return folder


def environment():
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def writer(name, count):
    command = [sys.executable, "-c", WRITER, name, str(count)]
    return subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True)


def saved(path):
    """What stands in a file, read with nothing of the course; its check is a checksum of all the rest."""
    content = json.loads(path.read_text())
    check = content.pop("check")
    rest = json.dumps(content, sort_keys=True, separators=(",", ":"))
    assert check == hashlib.sha256(rest.encode()).hexdigest()[:8]
    return content


def test_record_and_read_back(home):
    assert store.solved() == {} and store.hints_taken("01.1") == 0
    assert not home.exists()  # looking makes no folder
    assert [store.record_hint("01.1"), store.record_hint("01.1"), store.record_hint("02.1")] == [1, 2, 1]
    store.record_solved("01.2")
    assert store.hints_taken("01.1") == 2
    assert store.solved() == {"01.2": datetime.date.today().isoformat()}
    assert [store.record_guess("02.a", choice) for choice in ("less", "more")] == ["less", "less"]  # the first one stays
    assert saved(home / "progress.json") == {"solved": store.solved(), "hints": {"01.1": 2, "02.1": 1},
                                             "guesses": {"02.a": "less"}}


def test_a_file_of_before_is_read_and_gains_a_checksum_with_the_next_write(home, capsys):
    home.mkdir()
    (home / "progress.json").write_text('{"solved": {"01.1": "2020-02-29"}, "hints": {"01.2": 3}}')
    before = (home / "progress.json").read_bytes()
    assert store.solved() == {"01.1": "2020-02-29"} and (home / "progress.json").read_bytes() == before
    store.record_solved("01.1")  # the date of the first time stays
    assert saved(home / "progress.json") == {"solved": {"01.1": "2020-02-29"}, "hints": {"01.2": 3}, "guesses": {}}
    assert capsys.readouterr().out == ""


def test_what_a_later_version_added_stays(home, capsys):
    home.mkdir()
    (home / "progress.json").write_text(state.text({**state.empty(), "later": [1, {"é": 0.1}]}))
    store.record_solved("01.1")
    assert saved(home / "progress.json")["later"] == [1, {"é": 0.1}] and capsys.readouterr().out == ""


def test_default_folder(monkeypatch):
    monkeypatch.delenv("SNNTEACH_HOME")
    assert store.home().name == "snnteach"


def test_a_home_that_is_relative_or_begins_with_a_tilde(tmp_path, monkeypatch):
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("SNNTEACH_HOME", "~/mine")
    assert store.home() == tmp_path / "mine"
    monkeypatch.setenv("SNNTEACH_HOME", f"here-{tmp_path.name}")
    monkeypatch.chdir(tmp_path)
    store.record_solved("01.1")
    (tmp_path / "deeper").mkdir()
    monkeypatch.chdir(tmp_path / "deeper")  # as a notebook may
    assert list(store.solved()) == ["01.1"] and list((tmp_path / "deeper").iterdir()) == []


def test_a_command_makes_a_relative_home_whole_for_what_it_starts(tmp_path, monkeypatch):
    monkeypatch.setenv("SNNTEACH_HOME", "mine")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(commands, "_call", lambda *row: os.environ["SNNTEACH_HOME"])
    assert commands.main(["doctor"]) == str(tmp_path / "mine")


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


def test_a_notebook_without_exercises(monkeypatch):
    monkeypatch.setattr(store, "syllabus", lambda: [types.SimpleNamespace(number="00", asked=())])
    assert "\n00  ..........  0/0\n" in repr(store.progress())
    assert '<progress max="1" value="0" aria-label="notebook 00: 0 of 0 solved">' in store.progress()._repr_html_()


def test_an_exercise_that_is_retired_counts_no_more_and_still_answers(monkeypatch, capsys):
    row = dataclasses.replace(lesson("02"), exercises=lesson("02").exercises - 1, retired=("02.3",))
    monkeypatch.setattr(store, "syllabus", lambda: [row])
    assert {*row.asked, "02.3"} == {*exercises("02")} and "02.3" not in row.asked and len(row.asked) == row.exercises
    check("02.3", find("02.3").reference)                # in an older copy of the notebook
    assert "02.3 right" in capsys.readouterr().out
    assert "02.3" in store.solved() and store.progress().rows() == [("02", 0, row.exercises, 0)]


def test_no_exercises_at_all(monkeypatch):
    monkeypatch.setattr(store, "syllabus", tuple)
    assert repr(store.progress()).startswith("Progress: 0 of 0 exercises solved, 0 hints taken.\n")
    assert "<table>" in store.progress()._repr_html_()


def test_code_round_trip(monkeypatch, tmp_path):
    for exercise in ("01.1", "02.3"):
        store.record_solved(exercise)
    store.record_hint("02.1")
    store.record_guess("02.a", "the same")
    code = store.progress().code
    assert code.startswith("snn2:") and code.split() == [code] and code == store.progress().code
    monkeypatch.setenv("SNNTEACH_HOME", str(tmp_path / "other"))
    store.record_hint("02.1")
    store.record_hint("02.1")
    store.record_guess("02.a", "less")
    store.record_solved("01.2")
    restored = store.progress(restore=f"  {code[:30]}\n{code[30:]} ")
    assert sorted(store.solved()) == ["01.1", "01.2", "02.3"] and sorted(restored.state["solved"]) == sorted(store.solved())
    assert store.hints_taken("02.1") == 2  # of two counts the larger
    assert restored.state["guesses"] == {"02.a": "less"}  # of two first guesses the one that was here
    assert store.progress(restore=code).code == restored.code  # twice changes nothing


def test_code_of_a_whole_course_is_short():
    ids = [f"{notebook:02}.{number}" for notebook in range(23) for number in range(1, 9)]
    everything = {**state.empty(), "solved": dict.fromkeys(ids, "2026-11-23")}
    assert len(state.encode(everything)) < 1000
    assert state.decode(state.encode(everything)) == everything


def test_a_code_of_before_is_still_read():
    code = "snn1:-29Rinjaq1bKyMwrKVayqlYyMNQzVLIyqtVRKs7PKUtNQYgpGRkYmekaGuoaGSvpgMSMUMVqawGkrxE7"
    restored = store.progress(restore=code).state
    assert restored == {"solved": {"01.1": "2026-11-23", "01.2": "2026-11-23"}, "hints": {"01.1": 2}, "guesses": {}}


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
    ("", ValueError, "starts with 'snn2:', got ''"),
    ("snn3:abc", ValueError, "starts with 'snn2:', got 'snn3:abc'"),
    ("snn2:ab!c", ValueError, "copy the whole line"),
    ("snn1:äöü", ValueError, "copy the whole line"),
    ("snn2:" + "A" * 40, ValueError, "checksum"),
    (17, TypeError, "got int"),
])
def test_bad_codes_say_why(code, error, message):
    with pytest.raises(error, match=message):
        store.progress(restore=code)


@pytest.mark.parametrize("content, message", [
    ({"solved": {"01.1": "yesterday"}}, "where a date belongs"), ({"hints": {"01.1": "2"}}, "where a count belongs"),
    ({"guesses": {"02.a": 1}}, "where a choice belongs"), ({"guesses": []}, "holds no progress"),
    ({"solved": {"x" * 2_000_000: "2026-11-23"}}, "holds no progress")])
def test_codes_with_a_right_checksum_and_wrong_content(content, message):
    with pytest.raises(ValueError, match=message):
        store.progress(restore=state.encode({**state.empty(), **content}))


@pytest.mark.parametrize("content", [
    b"", b"{", b"\xff\xfe", b"[]", b"null", b'{"solved": {}}', b'{"solved": [], "hints": {}}', b"[" * 100_000,
    b'{"solved": {}, "hints": {}, "guesses": []}', b'{"solved": {"01.1": 3}, "hints": {}}',
    b'{"solved": {"01.1": "2026-13-01"}, "hints": {}}', b'{"solved": {}, "hints": {"01.1": -1}}',
    b'{"solved": {}, "hints": {"01.1": true}}', b'{"solved": {}, "hints": {}, "guesses": {"02.a": 1}, "check": "4fd2ae0e"}'])
@pytest.mark.parametrize("action", ["read", "write"])
def test_a_damaged_file_is_set_aside(home, capsys, content, action):
    home.mkdir()
    (home / "progress.json").write_bytes(content)
    if action == "read":
        assert store.progress().state == state.empty()
    else:
        store.record_solved("01.1")
        assert list(store.solved()) == ["01.1"] and store.hints_taken("01.1") == 0
    (aside,) = home.glob("progress.damaged-*.json")
    assert aside.read_bytes() == content
    said = capsys.readouterr().out
    assert "damaged" in said and str(aside) in said and said.count("\n") == 1
    assert store.progress().rows() and capsys.readouterr().out == ""  # once: what is there now is whole


TYPICAL = {"solved": {"01.1": "2026-11-23", "01.2": "2026-11-24", "02.1": "2026-10-01"}, "hints": {"01.1": 2, "02.3": 12},
           "guesses": {"02.a": "less", "07.b": "the same, \u03b2"}, "later": [1]}


def entries(content):
    return {(name, key, value) for name in state.FITTING for key, value in content[name].items()}


@pytest.mark.parametrize(("damage", "words", "kept"), [
    ((b'"2026-11-24"', b'"2026-11-44"'), "solved 01.2 has '2026-11-44' where a date belongs", 6),
    ((b'"02.3":12', b'"02.3":1.'), "not JSON", 6), ((b'"02.3":12', b'"02.4":12'), "its checksum is not that", 6),
    ((b'"solved"', b'"sold"'), "expected an object with the objects solved, hints", 7),
    ((b'"check"', b'"chalk"'), "its checksum is not that", 7),
    ((b'"02.1":"2026-10-01"}}', b""), "not JSON", 6), ((b'12},"later":[1]', b'1'), "not JSON", 6)])
@pytest.mark.parametrize("action", ["read", "write"])
def test_what_can_be_read_of_a_damaged_file_is_kept(home, capsys, damage, words, kept, action):
    home.mkdir()
    content = state.text(TYPICAL).encode().replace(*damage)
    (home / "progress.json").write_bytes(content)
    store.solved() if action == "read" else store.record_solved("99.1")
    now = saved(home / "progress.json")
    assert len(entries(now) & entries(TYPICAL)) == kept
    assert [path.read_bytes() for path in home.glob("progress.damaged-*.json")] == [content]
    said = capsys.readouterr().out
    read = {name: len(found) - (name == "solved" and "99.1" in found) for name, found in now.items() if name in state.FITTING}
    assert words in said and said.count("\n") == 1
    assert f"counts on (solved: {read['solved']}, hints: {read['hints']}, guesses: {read['guesses']})" in said


def test_every_single_flipped_bit_is_noticed_or_changes_nothing():
    content = state.text(TYPICAL).encode()
    assert state.parsed(content) == (TYPICAL, "")
    for bit in range(8 * len(content)):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        found, trouble = state.parsed(bytes(flipped))
        assert trouble or found == TYPICAL, bytes(flipped)
        assert len(entries(TYPICAL) - entries(found)) <= 1, bytes(flipped)  # all but what was hit stays
        assert entries(found) <= entries(TYPICAL) or "not JSON" not in trouble, bytes(flipped)


def test_what_was_cut_off_is_noticed_and_the_rest_stays():
    content = state.text(TYPICAL).encode()
    for end in range(len(content)):
        found, trouble = state.parsed(content[:end])
        assert trouble and entries(found) <= entries(TYPICAL)
    assert len(entries(found)) == 7


def test_an_unwritable_folder_is_said_once_and_kept_in_memory(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("a file where the folder should be")
    monkeypatch.setenv("SNNTEACH_HOME", str(tmp_path / "file"))
    store.record_solved("01.1")
    assert [store.record_hint("01.2"), store.record_hint("01.2")] == [1, 2]
    assert [store.record_guess("02.a", choice) for choice in ("less", "more")] == ["less", "less"]
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and f"Progress cannot be saved in {tmp_path / 'file'}" in said
    assert list(store.solved()) == ["01.1"] and store.hints_taken("01.2") == 2
    assert "1 of 5 exercises solved, 2 hints" in repr(store.progress())
    (tmp_path / "file").unlink()
    store.record_solved("02.1")  # now there is room: what waited is saved as well
    assert store._unsaved == {}
    monkeypatch.setattr(store, "_unsaved", {})
    assert saved(tmp_path / "file" / "progress.json") == {
        "solved": dict.fromkeys(["01.1", "02.1"], datetime.date.today().isoformat()), "hints": {"01.2": 2},
        "guesses": {"02.a": "less"}}
    monkeypatch.setattr(store, "write_atomically", lambda path, text: path.mkdir())  # trouble again is said again
    store.record_solved("02.2")
    assert "cannot be saved" in capsys.readouterr().out


def test_what_could_not_be_saved_is_saved_at_the_end_of_the_session(tmp_path):
    (tmp_path / "file").write_text("a file where the folder should be")
    program = ("import os, sys\nfrom snnteach.reader.store import record_solved\n"
               "record_solved('01.1')\nos.unlink(os.environ['SNNTEACH_HOME'])")
    surroundings = {**environment(), "SNNTEACH_HOME": str(tmp_path / "file")}
    done = subprocess.run([sys.executable, "-c", program], env=surroundings, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout.count("cannot be saved") == 1 and done.stderr == ""
    assert list(json.loads((tmp_path / "file" / "progress.json").read_text())["solved"]) == ["01.1"]


def test_a_damaged_file_that_cannot_be_set_aside_is_said_and_stays(home, monkeypatch, capsys):
    def no_room(path, content):
        raise OSError(30, "Read-only file system")

    half = state.text(TYPICAL).encode()[:-40]
    home.mkdir()
    (home / "progress.json").write_bytes(half)
    monkeypatch.setattr(store, "write_atomically", no_room)
    assert list(store.solved()) == list(store.solved()) == ["01.1"]
    said = capsys.readouterr().out
    assert said.count("is damaged") == 1 and str(home / "progress.json") in said and "stays as it is" in said
    store.record_solved("01.2")
    assert (home / "progress.json").read_bytes() == half and list(store.solved()) == ["01.1", "01.2"]


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


def test_a_write_is_on_the_disk_before_it_counts_as_saved(tmp_path, monkeypatch):
    done, flush, replace = [], os.fsync, os.replace

    def refuse(*arguments):
        raise OSError(22, "not for folders")

    def noted(descriptor):
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        flush(descriptor)

    monkeypatch.setattr(files.os, "fsync", noted)
    monkeypatch.setattr(files.os, "replace", lambda *names: (done.append("replace"), replace(*names)))
    files.write_atomically(tmp_path / "state", "kept")
    assert done == ["file", "replace"] + ["folder"] * (os.name != "nt")
    monkeypatch.setattr(files.os, "open", refuse)
    files.write_atomically(tmp_path / "state", "kept where no folder can be flushed")


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_file_that_is_a_link_is_written_through(home, tmp_path):
    target = tmp_path / "synchronised" / "mine.json"
    target.parent.mkdir()
    home.mkdir()
    (home / "progress.json").symlink_to(tmp_path / "between")
    (tmp_path / "between").symlink_to("synchronised/mine.json")
    assert store.solved() == {}
    store.record_solved("01.1")  # the file does not exist before
    store.record_hint("01.1")
    assert (home / "progress.json").is_symlink() and (tmp_path / "between").is_symlink() and not target.is_symlink()
    assert list(saved(target)["solved"]) == list(store.solved()) == ["01.1"] and store.hints_taken("01.1") == 1
    target.write_bytes(target.read_bytes()[:-1])  # damaged: mended behind the link, the copy beside it
    assert store.hints_taken("01.1") == 1 and (home / "progress.json").is_symlink()
    assert len(list(target.parent.glob("mine.damaged-*.json"))) == 1 and saved(target)["hints"] == {"01.1": 1}
    assert not list(home.glob("*.lock")) and list(target.parent.glob("*.lock"))  # one lock for all links to a file


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_brackets_in_names_are_no_pattern(home, tmp_path):
    target = tmp_path / "[mine]" / "of [1].json"
    target.parent.mkdir()
    home.mkdir()
    (home / "progress.json").symlink_to(target)
    litter, other = (target.with_name(name) for name in (".of [1].json.7.tmp", ".of 1.json.7.tmp"))
    for path in (litter, other):
        path.touch()
    store.record_solved("01.1")
    assert list(saved(target)["solved"]) == ["01.1"] and not litter.exists() and other.exists()


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_in_a_circle_are_trouble_that_stops_nothing(home, capsys):
    home.mkdir()
    (home / "progress.json").symlink_to(home / "back")
    (home / "back").symlink_to(home / "progress.json")
    assert store.solved() == {} and capsys.readouterr().out == ""
    store.record_solved("01.1")
    assert list(store.solved()) == ["01.1"] and (home / "progress.json").is_symlink()
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and f"Progress cannot be saved in {home}" in said


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


def test_a_lock_that_somebody_holds_is_waited_for_once(home, monkeypatch, capsys):
    waits, path = [], home / "progress.json"

    def lock(name, timeout):
        waits.append(timeout)
        return FileLock(name, timeout=timeout)

    store.record_solved("01.1")
    monkeypatch.setattr(store, "LOCK_SECONDS", 0.2)
    monkeypatch.setattr(store, "FileLock", lock)
    with FileLock(home / "progress.lock"):
        for exercise in ("01.2", "02.1"):
            store.record_solved(exercise)
        assert list(store.solved()) == ["01.1", "01.2", "02.1"] and list(saved(path)["solved"]) == ["01.1"]
        assert waits == [0.2, 0, 0]
    assert capsys.readouterr().out.count("Progress cannot be saved") == 1
    store.record_solved("02.2")  # what waited is saved as well
    assert list(saved(path)["solved"]) == ["01.1", "01.2", "02.1", "02.2"]
    with FileLock(home / "progress.lock"):
        store.record_hint("02.3")
    assert waits[3:] == [0, 0.2]  # it was let go, and so is waited for again
    assert store.hints_taken("02.3") == 1 and capsys.readouterr().out.count("Progress cannot be saved") == 1


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
    assert len(acknowledged) >= KILLS
    assert acknowledged <= set(store.solved())
    assert store.hints_taken("01.1") >= len(acknowledged)
    store.record_solved("99.1")
    assert sorted(path.name for path in home.iterdir() if path.suffix != ".lock") == ["progress.json"]  # no litter
    assert capsys.readouterr().out == ""


def test_progress_needs_no_lesson_and_no_torch():
    """Every lesson is broken here, and still the totals of the whole course are shown."""
    program = """
import sys

class Broken:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("snnteach.lessons.") or name.partition(".")[0] in ("torch", "numpy", "matplotlib"):
            raise ImportError(name)

sys.meta_path.insert(0, Broken())
from snnteach import progress
from snnteach.lessons import syllabus
from snnteach.reader.store import record_solved
record_solved(f"{syllabus()[-1].number}.1")
assert {n: total for n, _, total, _ in progress().rows()} == {row.number: row.exercises for row in syllabus()}
assert len(syllabus()) >= 10
print(progress())
"""
    done = subprocess.run([sys.executable, "-c", program], env=environment(), capture_output=True, text=True, timeout=60)
    assert done.stderr == "" and re.match(r"Progress: 1 of \d+ exercises solved", done.stdout)


def test_only_a_right_answer_is_recorded(capsys):
    exercise = find("01.3")
    not_right = [None, ..., "much", print, *(wrong.answer for wrong in exercise.misconceptions)]
    store.record_solved("02.1")
    before = store.progress().state
    for answer in not_right:
        assert check("1.3", answer) is exercise.reference
        assert store.progress().state == before  # no exercise solved, no hint counted
    check("1.3", exercise.reference)
    hint("1.3")
    after = {**before, "solved": {**before["solved"], "01.3": datetime.date.today().isoformat()}, "hints": {"01.3": 1}}
    for answer in not_right:
        assert store.progress().state == after  # what was right once stays solved
        check("1.3", answer)
    said = capsys.readouterr().out
    assert said.count("01.3 right") == 1 and said.count("01.3 not yet") == 2 * len(not_right) - 4


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
