"""The stored tables: made by today's code, whole, as written, possible and repeatable; and the engine that writes them."""
import datetime
import importlib
import os
import sys
from functools import partial
from types import SimpleNamespace

import pytest
import torch

from snnteach import stored
from snnteach.authoring import studies, study_code, study_table
from snnteach.lessons import Lesson
from snnteach.reader import lookup, resolver, results

TOPICS = studies.topics()


@pytest.mark.parametrize("topic", TOPICS)
def test_the_table_is_whole_as_written_possible_and_as_new_as_the_code(topic):
    assert studies.flaws(topic) == []


@pytest.mark.parametrize("topic", TOPICS)
def test_the_cheapest_run_lies_in_its_stored_band(topic):
    module, seconds, values = studies.study(topic), results.seconds(topic), stored(topic)
    setting = min(seconds, key=lambda name: sum(seconds[name]))
    for name, value in studies.named(setting, module.ROWS[setting](module.SEEDS[0])).items():
        assert study_table.in_band(module, name, value, values[name]), f"{name}: {value} against {values[name]}"


@pytest.mark.parametrize("topic,name,value", [
    ("encoding", "choose rate: gain 3", 1.013), ("encoding", "rate: accuracy", 1.013), ("encoding", "rate: hidden", -1),
    ("surrogate", "atan, k = 1, spike", 1.013), ("training", "recipe", -0.1), ("training", "learning curve: epoch 3", 1.013),
    ("training", "price 0: spikes", -1), ("stdp", "learned: accuracy", 1.013), ("stdp", "learned: classes named", 11),
    ("stdp", "learned: share of the busiest neuron", 1.013), ("stdp", "400 neurons: seconds of training", -1),
    ("online", "gain 0: OTTT", -1.013), ("online", "gain 0.8: size", -0.1), ("online", "scanned digits, OTTT", 1.013),
    ("online", "pattern, BPTT", -0.1), ("online", "replay 10: 0 to 4 after the first", 1.013),
    ("online", "memory, T = 50: OTTT", -1), ("online", "time, T = 500: BPTT", float("nan")),
])
def test_an_impossible_number_shows(topic, name, value, tmp_path):
    rows = results.rows(topic)
    row = next(row for row in rows if row["setting"] == name and row["seed"] == "1")
    row["value"] = f"{value:.6g}"
    study_table.write(tmp_path / "study.csv", rows)                                     # so the digest is right
    (flaw,) = study_table.flaws(studies.study(topic), results.read(tmp_path / "study.csv"))
    assert flaw.startswith(f"{name}, seed 1: {value:g} does not lie between")


TOY = '''"""A toy."""
from snnteach.lessons.kinds import Quantity
from ...neurons import clock, lif, twice
SEEDS, TOLERANCE = (0, 1), 0.1
QUANTITIES = {"two: seconds": Quantity(0, 100, stray=0.5), "*": Quantity(0, 100)}
def scaled(by):
    return lambda seed: by * lif(seed + 1.0)
def two(seed):
    return {"a": twice(seed), "seconds": clock() + seed}
ROWS = {"one": scaled(1), "two": two, "ten": scaled(10)}
'''
NEURONS = '''from ._arguments import check
RATE = 2.0
def lif(x):
    check(x)
    return RATE * x
def twice(x):
    return x + x
def clock():
    return 10.0
'''


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """Make a course of one lesson, `toy`; `change` edits it, `calls` notes the runs."""
    package = tmp_path / "toycourse"
    folder = package / "lessons" / "toy"
    folder.mkdir(parents=True)
    for inner in (package, package / "lessons", folder):
        (inner / "__init__.py").write_text("")
    (folder / "study.py").write_text(TOY)
    (package / "neurons.py").write_text(NEURONS)
    (package / "_arguments.py").write_text("def check(x):\n    pass\n")
    row, calls, measure = Lesson("77", "toy", "a toy", "?", 1, 0, (), "One neuron"), [], studies._measure

    def lesson(name):
        if name not in ("77", "toy", "77_toy"):
            raise ValueError(f"There is no notebook {name!r}. There are: 77_toy.")
        return row

    def measured(module, setting, seed, code_hash):
        calls.append((setting, seed))
        return measure(module, setting, seed, code_hash)

    def change(file, old, new):
        text = (package / file).read_text()
        assert old in text
        (package / file).write_text(text.replace(old, new))
        forget()

    def forget():
        for name in [name for name in sys.modules if name.partition(".")[0] == "toycourse"]:
            del sys.modules[name]
        importlib.invalidate_caches()

    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "avx2")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(resolver, "PACKAGE", package)
    monkeypatch.setattr(results, "FOLDER", package / "lessons")
    monkeypatch.setattr(lookup, "LESSONS", "toycourse.lessons")
    for module in (results, studies):
        monkeypatch.setattr(module, "lesson", lesson)
    monkeypatch.setattr(studies, "syllabus", lambda: (row,))
    monkeypatch.setattr(studies, "_measure", measured)
    yield SimpleNamespace(folder=folder, table=folder / "study.csv", change=change, calls=calls)
    forget()


def rewrite(toy, change):
    """Change the rows of the stored table by hand."""
    header, *lines = toy.table.read_text().splitlines()
    toy.table.write_text("\n".join([header, *change(lines)]) + "\n")


@pytest.mark.parametrize("name", ["toy", "77", "77_toy"])
def test_a_study_is_found_by_topic_notebook_or_number(toy, name):
    assert studies.study(name).SEEDS == (0, 1)


def test_run_writes_and_stored_reads(toy):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    studies.run("toy")
    threads = torch.get_num_threads()
    torch.set_num_threads(before)
    assert stored("toy") == {"one": [2.0, 4.0], "two: a": [0.0, 2.0], "two: seconds": [10.0, 11.0], "ten": [20.0, 40.0]}
    assert {name: len(values) for name, values in results.seconds("toy").items()} == {"one": 2, "two": 2, "ten": 2}
    assert studies.flaws("toy") == [] and threads == 2
    assert [path.name for path in toy.folder.iterdir() if "csv" in path.name or "tmp" in path.name] == ["study.csv"]
    header, first, *_ = toy.table.read_text().split("\n")
    assert header == "setting,seed,value,seconds,versions,code_hash,confirmed,digest"
    versions = f"Python {sys.version.split()[0]} torch {torch.__version__} {torch.backends.cpu.get_cpu_capability()}"
    assert first.split(",")[:3] == ["one", "0", "2"] and first.split(",")[4] == versions


def test_some_settings_again_keep_the_others(toy):
    studies.run("toy")
    before = toy.table.read_text().split("\n")
    toy.change("lessons/toy/study.py", "scaled(1)", "scaled(4)")
    assert studies.stale("toy") == ["one"]
    toy.calls.clear()
    assert studies.command(SimpleNamespace(names=["77"], stale=True, confirm=False), []) == 0
    assert toy.calls == [("one", "0"), ("one", "1")]
    assert stored("toy")["one"] == [8.0, 16.0] and toy.table.read_text().split("\n")[3:] == before[3:]


def test_nothing_that_was_finished_is_lost(toy, monkeypatch):
    studies.run("toy")
    before = toy.table.read_text()
    toy.change("neurons.py", "return x + x", "return (1 / 0 if x else 7)")
    toy.calls.clear()
    with pytest.raises(ZeroDivisionError):
        studies.run("toy")
    assert toy.table.read_text() == before and toy.calls == [("one", "0"), ("one", "1"), ("two", "0"), ("two", "1")]
    toy.change("neurons.py", "(1 / 0 if x else 7)", "3 * x")
    toy.calls.clear()
    studies.run("toy")                                     # both runs of "one" are taken over; "two" has other code now
    assert toy.calls == [("two", "0"), ("two", "1"), ("ten", "0"), ("ten", "1")]
    assert stored("toy") == {"one": [2.0, 4.0], "two: a": [0.0, 3.0], "two: seconds": [10.0, 11.0], "ten": [20.0, 40.0]}
    assert studies.flaws("toy") == [] and not list(toy.folder.glob("*.unfinished"))
    toy.calls.clear()
    studies.run("toy")
    assert len(toy.calls) == 6                             # a study that came to its end is made anew
    with monkeypatch.context() as other:
        other.setattr(studies, "_versions", lambda: "another processor")
        study_table.write(toy.table.with_suffix(".csv.unfinished"), results.rows("toy")[:1])
        toy.calls.clear()
        studies.run("toy")
        assert len(toy.calls) == 6


def test_the_command_rounds_alike_on_all_processors(toy, monkeypatch):
    monkeypatch.setattr(studies.platform, "machine", lambda: "AMD64")
    del os.environ["ATEN_CPU_CAPABILITY"]                 # the fixture puts it back
    assert studies.command(SimpleNamespace(names=[], stale=False, confirm=False), []) == 0
    assert os.environ.pop("ATEN_CPU_CAPABILITY") == "avx2" and len(toy.calls) == 6
    monkeypatch.setattr(studies, "_versions", lambda: "torch AVX512")
    studies.run("toy")
    assert studies.command(SimpleNamespace(names=[], stale=False, confirm=False), []) == 0
    assert "ATEN_CPU_CAPABILITY" not in os.environ        # the other runs of the table were made with AVX-512


def test_unknown_names_are_refused(toy):
    with pytest.raises(studies.SetupError, match="There is no notebook '78'. There are: 77_toy"):
        studies.command(SimpleNamespace(names=["78"], stale=False, confirm=False), [])
    with pytest.raises(ValueError, match="toy has no setting 'three'; it has one, two, ten"):
        studies.run("toy", ["three"])


@pytest.mark.parametrize("damage", [lambda line: line.replace("one,1,4,", "one,1,four,"), lambda line: "one,1"])
def test_stored_says_what_is_wrong(toy, damage):
    with pytest.raises(FileNotFoundError, match="no results of 'toy'. Run: python -m snnteach study 77"):
        stored("toy")
    studies.run("toy")
    rewrite(toy, lambda lines: [lines[0], damage(lines[1]), *lines[2:]])
    for read in (stored, results.seconds):
        with pytest.raises(ValueError, match="line 3 of toy/study.csv is damaged. Run: python -m snnteach study 77"):
            read("toy")
    (toy.folder / "study.py").unlink()
    with pytest.raises(FileNotFoundError, match=r"notebook 77 \(toy\) has no study"):
        stored("77")


@pytest.mark.parametrize("change,flaw", [
    (lambda lines: [lines[0].replace("one,0,2,", "one,0,2.1,"), *lines[1:]], "one, seed 0: not as the study wrote it"),
    (lambda lines: [line.replace("ten,1,40", "ten,1,38") for line in lines], "ten, seed 1: not as the study wrote it"),
    (lambda lines: [line.replace("two: a,1", "two: b,1") for line in lines], "two, seed 1: not as the study wrote it"),
    (lambda lines: [line for line in lines if not line.startswith("two: a,1")], "two, seed 1: not as the study wrote it"),
    (lambda lines: [*lines, lines[-1]], "ten, seed 1: not as the study wrote it"),
    (lambda lines: lines[1:], "one, seed 0: not stored"),
    (lambda lines: [*lines, lines[-1].replace("ten,1", "ten,2")], "ten, seed 2: the study has no such run"),
    (lambda lines: [lines[0].replace("torch", "tensor"), *lines[1:]], "one, seed 0: not as the study wrote it"),
    (lambda lines: [lines[0].replace("one,0,2,", "one,0,x,"), *lines[1:]], "one, seed 0: x is not a number"),
])
def test_a_table_changed_by_hand_is_neither_clean_nor_confirmed(toy, change, flaw):
    studies.run("toy")
    rewrite(toy, change)
    before, said = toy.table.read_text(), []
    assert flaw in studies.flaws("toy")
    assert not studies.confirm("toy", said.append) and flaw in said[0] and toy.table.read_text() == before


@pytest.mark.parametrize("file,old,new,names", [
    ("lessons/toy/study.py", "scaled(10)", "scaled(12)", ["ten"]),
    ("lessons/toy/study.py", "by * lif", "lif", ["one", "ten"]),
    ("lessons/toy/study.py", '"""A toy."""', '"""Another toy."""\n# with a comment', []),
    ("lessons/toy/study.py", "TOLERANCE = (0, 1), 0.1", "TOLERANCE = (0, 1), 0.2", []),
    ("neurons.py", "RATE = 2.0", "RATE = 3.0", ["one", "ten"]),
    ("neurons.py", "return x + x", "return 3 * x", ["two"]),
    ("neurons.py", "    return x + x", '    """Return 2 x."""\n\n    return x + x', []),
    ("neurons.py", "def clock", "def unrelated():\n    return 1\ndef clock", []),
    ("_arguments.py", "pass", "return 1", []),
])
def test_a_row_is_stale_when_what_it_reaches_changes(toy, file, old, new, names):
    studies.run("toy")
    toy.change(file, old, new)
    assert studies.stale("toy") == names
    cure = "Run python -m snnteach study 77 --stale; if no number should have moved, study 77 --confirm."
    assert studies.flaws("toy") == [f"{name}: older than the code it comes from. {cure}" for name in names]


def confirm(toy, said):
    toy.calls.clear()
    said.clear()
    return studies.confirm("toy", said.append)


def test_confirm_stamps_rows_of_which_no_digit_moved(toy, monkeypatch):
    studies.run("toy")
    values, said = stored("toy"), []
    monkeypatch.setattr(studies, "MINUTE", -1)             # only what must be repeated
    assert confirm(toy, said) and not toy.calls and {row["confirmed"] for row in results.rows("toy")} == {""}
    toy.change("neurons.py", "return RATE * x", "return x * RATE")
    new = studies._versions().replace("torch", "newer")
    monkeypatch.setattr(studies, "_versions", lambda: new)
    assert confirm(toy, said) and toy.calls in ([(name, seed)] for name in ("one", "ten") for seed in "01")
    assert "2 settings were older than their code; 1 runs were repeated, no digit moved" in said[-1]
    today = datetime.date.today().isoformat()
    marks = {(row["setting"], row["seed"]): row["confirmed"] for row in results.rows("toy")}
    repeated = toy.calls[0]
    assert {(row["setting"], row["seed"]) for row in results.rows("toy") if row["versions"] == new} == {repeated}
    assert {run for run, mark in marks.items() if mark == f"{today} repeated"} == {repeated}
    assert {name for (name, _), mark in marks.items() if mark == today} == {"one", "ten"} and marks["two: a", "0"] == ""
    assert stored("toy") == values and studies.flaws("toy") == []
    toy.change("neurons.py", "return x + x", "return 2 * x")
    assert confirm(toy, said) and len(toy.calls) == 1 and toy.calls[0][0] == "two"
    assert studies.flaws("toy") == []


def test_confirm_leaves_rows_of_another_instruction_set_for_another_call(toy, monkeypatch):
    made, said = "Python 3.11.7 torch 2.13.0+cpu {}", []
    for names, versions in ((["one", "ten"], made.format("AVX512")), (["two"], made.format("AVX2"))):
        monkeypatch.setattr(studies, "_versions", lambda versions=versions: versions)
        studies.run("toy", names)
    toy.change("neurons.py", "return RATE * x", "return x * RATE")
    toy.change("neurons.py", "return x + x", "return 2 * x")
    assert not confirm(toy, said) and {name for name, _ in toy.calls} == {"two"} and studies.stale("toy") == ["one", "ten"]
    assert "2 settings were made with AVX512" in said[0] and "ATEN_CPU_CAPABILITY=avx512" in said[0]
    monkeypatch.setattr(studies, "_versions", lambda: made.format("AVX512"))
    assert confirm(toy, said) and {name for name, _ in toy.calls} == {"one", "ten"} and studies.flaws("toy") == []


def test_confirm_refuses_where_a_digit_moved(toy, capsys):
    studies.run("toy")
    before = toy.table.read_text()
    for old, new in (("return RATE * x", "return RATE * x * (1 + 1e-5)"), ("return x + x", "return x + x + 1e-9")):
        toy.change("neurons.py", old, new)
    assert studies.command(SimpleNamespace(names=["toy"], stale=False, confirm=True), []) == 1
    out = capsys.readouterr().out
    assert "not confirmed, nothing was written" in out and "Run: python -m snnteach study 77" in out
    assert "2.00002 now, 2 stored" in out or "4.00004 now" in out or "20.0002 now" in out or "40.0004 now" in out
    assert toy.table.read_text() == before and studies.stale("toy") == ["one", "two", "ten"]


@pytest.mark.parametrize("clock,good", [("14.9", True), ("5.1", True), ("17.0", False), ("3.0", False)])
def test_a_measured_number_may_stray_within_its_band(toy, clock, good):
    studies.run("toy")
    before, said = toy.table.read_text(), []
    toy.change("neurons.py", "return 10.0", f"return {clock}")
    assert confirm(toy, said) is good and toy.calls[0][0] == "two"
    assert stored("toy")["two: seconds"] == [10.0, 11.0] and (toy.table.read_text() == before) is not good


def test_confirm_sees_a_quantity_that_came_or_went(toy):
    studies.run("toy")
    for old, new in (('"a": twice(seed)', '"b": twice(seed)'), ('"b": twice(seed), ', '')):
        toy.change("lessons/toy/study.py", old, new)
        said = []
        assert not confirm(toy, said) and "two: a" in said[-1]


def test_repeated_runs_call_every_function_and_fill_a_minute(monkeypatch):
    made = {"cheap": {"f"}, "with g": {"f", "g"}, "with g again": {"f", "g"}, "with h": {"f", "h"}}
    code = {name: study_code.Code("", frozenset(parts)) for name, parts in made.items()}
    stored = {(name, "0"): [{"seconds": f"{cost}"}] for name, cost in zip(made, (3.0, 3.5, 1.0, 10.0), strict=True)}
    must, may = [("with g again", "0"), ("with h", "0")], [("cheap", "0"), ("with g", "0"), ("with h", "1")]
    stored |= {("with h", "1"): [{"seconds": "10.5"}]}
    for minute, more in ((-1, 0), (13.9, 0), (14, 1), (17.4, 1), (17.5, 2), (27.9, 2), (28, 3), (60, 3)):
        monkeypatch.setattr(studies, "MINUTE", minute)
        assert studies._to_repeat(stored, code) == must + may[:more]


def test_the_code_of_a_row_is_its_functions_and_their_values(toy):
    module = studies.study("toy")

    def code(function):
        return study_code.codes({"row": function})["row"]

    assert code(module.scaled(1)) == code(module.scaled(1)) != code(module.scaled(1.5))
    assert code(partial(module.scaled, 1)) != code(partial(module.scaled, by=1)) != code(partial(module.scaled, by=2))
    assert code(partial(module.lif, x=torch.relu)).made_of == {("neurons", "lif")}
    assert code(partial(module.two, [module.twice, {"a": (True, None, "b")}])).made_of == {
        ("lessons.toy.study", "two"), ("neurons", "twice")}
    with pytest.raises(ValueError, match=r"a row holds tensor\(\[1.\]\), which has no fingerprint"):
        code(partial(module.lif, torch.ones(1)))


def test_a_lambda_belongs_to_its_table(toy):
    toy.change("lessons/toy/study.py", "scaled(10)}", "scaled(10),\n        'lambda': lambda seed: 2.0 * seed}")
    row = studies.study("toy").ROWS["lambda"]
    assert study_code.codes({"lambda": row})["lambda"].made_of == {("lessons.toy.study", "ROWS")}
