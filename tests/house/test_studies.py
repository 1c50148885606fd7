"""The stored tables: made by today's code, whole, and repeatable; and the small engine that writes them."""
import importlib.util

import pytest
import torch

from snnteach import stored
from snnteach.authoring import studies
from snnteach.lessons import Lesson
from snnteach.reader import results

TOPICS = studies.topics()


@pytest.mark.parametrize("topic", TOPICS)
def test_the_table_is_as_new_as_the_code(topic):
    assert studies.stale(topic) is None, studies.stale(topic)


@pytest.mark.parametrize("topic", TOPICS)
def test_every_setting_is_stored_for_every_seed(topic):
    module, values = studies.study(topic), stored(topic)
    assert {setting.partition(": ")[0] for setting in values} == set(module.ROWS)
    assert {len(runs) for runs in values.values()} == {len(module.SEEDS)}


@pytest.mark.parametrize("topic", TOPICS)
def test_the_cheapest_run_lies_in_its_stored_band(topic):
    module, seconds, values = studies.study(topic), studies.seconds(topic), stored(topic)
    setting = min(seconds, key=lambda name: sum(seconds[name]))
    result = module.ROWS[setting](module.SEEDS[0])
    named = {f"{setting}: {name}": value for name, value in result.items()} if isinstance(result, dict) else {setting: result}
    for name, value in named.items():
        margin = module.TOLERANCE * max(abs(stored) for stored in values[name])
        assert min(values[name]) - margin <= value <= max(values[name]) + margin, f"{name}: {value} against {values[name]}"


TOY = '''"""A toy."""
from ...neurons import lif
SEEDS, TOLERANCE = (0, 1), 0.1
ROWS = {"one": lambda seed: seed + 1.0, "two": lambda seed: {"a": seed, "b": 2.0 * seed}}
'''


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A package folder with one lesson, `toy`, and one module that its study imports."""
    package = tmp_path / "snnteach"
    folder = package / "lessons" / "toy"
    folder.mkdir(parents=True)
    (folder / "study.py").write_text(TOY)
    (package / "neurons.py").write_text("from ._arguments import check\ndef lif(x):\n    return x\n")
    (package / "_arguments.py").write_text("def check():\n    pass\n")
    row = Lesson("77", "toy", "a toy", "?", 1, 0, (), "One neuron")
    spec = importlib.util.spec_from_file_location("snnteach.lessons.toy.study", folder / "study.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def lesson(name):
        if name not in ("77", "toy", "77_toy"):
            raise ValueError(f"There is no notebook {name!r}. There are: 77_toy.")
        return row

    monkeypatch.setattr(results, "FOLDER", package / "lessons")
    monkeypatch.setattr(results, "lesson", lesson)
    monkeypatch.setattr(studies, "PACKAGE", package)
    monkeypatch.setattr(studies, "lesson", lesson)
    monkeypatch.setattr(studies, "syllabus", lambda: (row,))
    monkeypatch.setattr(studies, "part", lambda topic, name: module)
    return folder


@pytest.mark.parametrize("name", ["toy", "77", "77_toy"])
def test_a_study_is_found_by_topic_notebook_or_number(toy, name):
    assert studies.study(name).SEEDS == (0, 1)


def test_run_writes_and_load_reads(toy):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    studies.run("77")
    threads = torch.get_num_threads()
    torch.set_num_threads(before)
    assert stored("toy") == {"one": [1.0, 2.0], "two: a": [0.0, 1.0], "two: b": [0.0, 2.0]}
    assert set(studies.seconds("toy")) == {"one", "two"} and len(studies.seconds("toy")["two"]) == 2
    assert studies.stale("toy") is None and threads == 2
    assert [path.name for path in sorted(toy.iterdir()) if path.suffix in (".csv", ".part")] == ["study.csv"]
    header, first, *_ = (toy / "study.csv").read_text().split("\n")
    assert header == "setting,seed,value,seconds,versions,code_hash"
    assert first.startswith("one,0,1,") and first.endswith(studies.code_hash("toy"))


def test_run_again_of_one_setting_keeps_the_others(toy):
    studies.run("toy")
    module, before = studies.study("toy"), (toy / "study.csv").read_text().split("\n")
    module.ROWS["one"] = lambda seed: 9.0
    studies.run("toy", only=["one"])
    assert stored("toy") == {"one": [9.0, 9.0], "two: a": [0.0, 1.0], "two: b": [0.0, 2.0]}
    assert (toy / "study.csv").read_text().split("\n")[3:] == before[3:]


def test_a_failed_run_leaves_the_table(toy):
    studies.run("toy")
    before = (toy / "study.csv").read_text()
    studies.study("toy").ROWS["two"] = lambda seed: 1 / 0
    with pytest.raises(ZeroDivisionError):
        studies.run("toy")
    assert (toy / "study.csv").read_text() == before


def test_unknown_names_are_refused(toy):
    with pytest.raises(ValueError, match="There is no notebook '78'. There are: 77_toy"):
        studies.run("78")
    with pytest.raises(ValueError, match="toy has no setting 'three'; it has one, two"):
        studies.run("toy", only=["three"])
    with pytest.raises(FileNotFoundError, match="no results of 'toy'. Run: python -m snnteach study 77"):
        stored("toy")


@pytest.mark.parametrize("file,old,new,same", [
    ("lessons/toy/study.py", "seed + 1.0", "seed + 1.5", False),
    ("lessons/toy/study.py", '"""A toy."""', '"""Another toy."""\n# with a comment', True),
    ("neurons.py", "return x", "return 2 * x", False),
    ("neurons.py", "    return x", '    """Return x."""\n\n    return x', True),
    ("_arguments.py", "pass", "return 1", True),
])
def test_the_hash_follows_code_and_nothing_else(toy, file, old, new, same):
    studies.run("toy")
    path = toy.parents[1] / file
    path.write_text(path.read_text().replace(old, new))
    if same:
        assert studies.stale("toy") is None
    else:
        assert studies.stale("toy") == ("toy.csv is older than the code it comes from (one, two). "
                                        "Run: python -m snnteach study 77")
