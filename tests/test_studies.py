"""The stored tables: made by today's code, whole, and repeatable; and the small engine that writes them."""
import sys

import pytest
import torch

from snnteach import studies

TOPICS = studies.topics()


@pytest.mark.parametrize("topic", TOPICS)
def test_the_table_is_as_new_as_the_code(topic):
    assert studies.stale(topic) is None, studies.stale(topic)


@pytest.mark.parametrize("topic", TOPICS)
def test_every_setting_is_stored_for_every_seed(topic):
    module, values = studies.study(topic), studies.load(topic)
    assert {setting.partition(": ")[0] for setting in values} == set(module.ROWS)
    assert {len(runs) for runs in values.values()} == {len(module.SEEDS)}


@pytest.mark.parametrize("topic", TOPICS)
def test_the_cheapest_run_lies_in_its_stored_band(topic):
    module, seconds, values = studies.study(topic), studies.seconds(topic), studies.load(topic)
    setting = min(seconds, key=lambda name: sum(seconds[name]))
    result = module.ROWS[setting](module.SEEDS[0])
    named = {f"{setting}: {name}": value for name, value in result.items()} if isinstance(result, dict) else {setting: result}
    for name, value in named.items():
        margin = module.TOLERANCE * max(abs(stored) for stored in values[name])
        assert min(values[name]) - margin <= value <= max(values[name]) + margin, f"{name}: {value} against {values[name]}"


TOY = '''"""A toy."""
from ..neurons import lif
TOPIC, SEEDS, TOLERANCE = "77_toy", (0, 1), 0.1
ROWS = {"one": lambda seed: seed + 1.0, "two": lambda seed: {"a": seed, "b": 2.0 * seed}}
'''


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A package folder with one study, `toy`, and one module that it imports."""
    folder = tmp_path / "snnteach" / "studies"
    folder.mkdir(parents=True)
    (folder / "toy.py").write_text(TOY)
    (folder.parent / "neurons.py").write_text("from ._arguments import check\ndef lif(x):\n    return x\n")
    (folder.parent / "_arguments.py").write_text("def check():\n    pass\n")
    monkeypatch.setattr(studies, "FOLDER", folder)
    monkeypatch.setattr(studies, "__path__", [*studies.__path__, str(folder)])
    yield folder
    sys.modules.pop("snnteach.studies.toy", None)


@pytest.mark.parametrize("name", ["toy", "77", "77_toy"])
def test_a_study_is_found_by_topic_notebook_or_number(toy, name):
    assert studies.study(name).TOPIC == "77_toy"


def test_run_writes_and_load_reads(toy):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    studies.run("77")
    threads = torch.get_num_threads()
    torch.set_num_threads(before)
    assert studies.load("toy") == {"one": [1.0, 2.0], "two: a": [0.0, 1.0], "two: b": [0.0, 2.0]}
    assert set(studies.seconds("toy")) == {"one", "two"} and len(studies.seconds("toy")["two"]) == 2
    assert studies.stale("toy") is None and threads == 2
    assert [path.name for path in sorted(toy.iterdir()) if path.suffix in (".csv", ".part")] == ["toy.csv"]
    header, first, *_ = (toy / "toy.csv").read_text().split("\n")
    assert header == "setting,seed,value,seconds,versions,code_hash"
    assert first.startswith("one,0,1,") and first.endswith(studies.code_hash("toy"))


def test_run_again_of_one_setting_keeps_the_others(toy):
    studies.run("toy")
    module, before = studies.study("toy"), (toy / "toy.csv").read_text().split("\n")
    module.ROWS["one"] = lambda seed: 9.0
    studies.run("toy", only=["one"])
    assert studies.load("toy") == {"one": [9.0, 9.0], "two: a": [0.0, 1.0], "two: b": [0.0, 2.0]}
    assert (toy / "toy.csv").read_text().split("\n")[3:] == before[3:]


def test_a_failed_run_leaves_the_table(toy):
    studies.run("toy")
    before = (toy / "toy.csv").read_text()
    studies.study("toy").ROWS["two"] = lambda seed: 1 / 0
    with pytest.raises(ZeroDivisionError):
        studies.run("toy")
    assert (toy / "toy.csv").read_text() == before


def test_unknown_names_are_refused(toy):
    with pytest.raises(ValueError, match="there is no study '78'; there are .*toy"):
        studies.run("78")
    with pytest.raises(ValueError, match="toy has no setting 'three'; it has one, two"):
        studies.run("toy", only=["three"])
    with pytest.raises(FileNotFoundError, match="no results of 'toy' yet. Run: python -m snnteach study"):
        studies.load("toy")


@pytest.mark.parametrize("file,old,new,same", [
    ("studies/toy.py", "seed + 1.0", "seed + 1.5", False),
    ("studies/toy.py", '"""A toy."""', '"""Another toy."""\n# with a comment', True),
    ("neurons.py", "return x", "return 2 * x", False),
    ("neurons.py", "    return x", '    """Return x."""\n\n    return x', True),
    ("_arguments.py", "pass", "return 1", True),
])
def test_the_hash_follows_code_and_nothing_else(toy, file, old, new, same):
    studies.run("toy")
    path = toy.parent / file
    path.write_text(path.read_text().replace(old, new))
    if same:
        assert studies.stale("toy") is None
    else:
        assert studies.stale("toy") == ("toy.csv is older than the code it comes from (one, two). "
                                        "Run: python -m snnteach study 77")
