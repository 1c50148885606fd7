"""The table of commands: each row's code is there and called in the environment it needs, and texts name only what is in it."""
import importlib
import importlib.metadata
import inspect
import re
import sys
from pathlib import Path

import grimp
import pytest
import yaml

from snnteach.install import commands, environment
from snnteach.install.pins import ROOT, pins

ROWS = pytest.mark.parametrize("row", commands.COMMANDS, ids=lambda row: row.name)
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
TEXTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / ".ci" / "run", WORKFLOW, *sorted((ROOT / "snnteach").rglob("*.py"))]


@ROWS
def test_the_code_of_every_row_is_there(row):
    module, _, name = row.code.partition(":")
    function = getattr(importlib.import_module(f"snnteach.{module}"), name)
    assert list(inspect.signature(function).parameters) == ["options", "rest"]


@ROWS
def test_every_row_is_called_where_its_packages_are(row):
    """What an environment is made for needs one; what makes one, or mends it, runs on any Python."""
    module = f"snnteach.{row.code.partition(':')[0]}"
    graph = grimp.build_graph("snnteach", include_external_packages=True, cache_dir=None)
    outside = {name for name in graph.find_upstream_modules(module) if name.partition(".")[0] != "snnteach"}
    assert (row.level is None) == row.code.startswith("install.")
    if row.level is not None:
        assert row.arguments[-3:] == commands.SETUP
        pinned = {_plain(line.partition("==")[0]) for line in pins(row.level)}
        homes = importlib.metadata.packages_distributions()
        assert all(pinned & {_plain(home) for home in homes[name]} for name in outside - sys.stdlib_module_names)


def _plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture
def started(monkeypatch):
    """What was made and started, with nothing made or started."""
    asked = []

    def python_for(level, **options):
        asked.append((level, options))
        return python_for.answer

    python_for.answer = Path("other/python")
    monkeypatch.setattr(environment, "python_for", python_for)
    monkeypatch.setattr(environment, "run", lambda command, **options: asked.append((*map(str, command), options["cwd"])) or 5)
    return asked, python_for


@pytest.mark.parametrize("row", [row for row in commands.COMMANDS if row.level], ids=lambda row: row.name)
def test_a_row_runs_again_on_the_python_of_its_environment_and_sets_up_once(row, started):
    asked, _ = started
    words = ["--cpu", "--here", "--recreate"]
    assert commands.main([row.name, *words]) == 5
    assert asked == [(row.level, {"cpu": True, "here": True, "recreate": True}),
                     (str(Path("other/python")), "-m", "snnteach", row.name, environment.ROOT)]


def test_all_else_that_was_typed_is_handed_on(started):
    assert commands.main(["notebooks", "--recreate", "--execute", "01", "7"]) == 5
    assert started[0][1][:-1] == (str(Path("other/python")), "-m", "snnteach", "notebooks", "--execute", "01", "7")


def test_on_the_python_of_the_environment_the_code_is_called(started, monkeypatch):
    """As its path is written there: one with a doubled slash, or a link to another Python, is this Python."""
    from snnteach.authoring import site

    asked, python_for = started
    monkeypatch.setattr(site, "command", lambda options, rest: 7)
    monkeypatch.setattr(sys, "executable", sys.executable.replace("/", "//", 1))
    python_for.answer = Path(sys.executable)
    assert commands.main(["site"]) == 7 and len(asked) == 1


def typed(text):
    """The commands that a text tells to type, each a list of words."""
    return [words.split() for words in re.findall(r"python3? -m snnteach ([a-z]+(?: (?:--[a-z-]+|\d\d|NN)\b)*)", text)]


def test_every_command_that_a_text_tells_to_type_is_one():
    found = [(path.name, words) for path in TEXTS for words in typed(path.read_text(encoding="utf-8"))]
    assert len(found) > 30 and {words[0] for _, words in found} == {row.name for row in commands.COMMANDS}
    for name, words in found:
        try:
            rest = commands.parser().parse_known_args(words)[1]
        except SystemExit:
            rest = words
        assert not rest or words[0] == "test" and not any(word.startswith("--") for word in rest), f"{name}: {' '.join(words)}"


def test_the_hosted_workflow_runs_the_test_command_on_three_systems_and_the_whole_of_it_weekly():
    workflow = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    triggers = workflow[True]                                           # YAML 1.1 reads the word `on` so
    assert {"push", "pull_request"} < set(triggers) and re.fullmatch(r"\d+ \d+ \* \* \d", triggers["schedule"][0]["cron"])
    (job,) = workflow["jobs"].values()
    assert {system.partition("-")[0] for system in job["strategy"]["matrix"]["os"]} == {"ubuntu", "macos", "windows"}
    steps = [step["run"] for step in job["steps"] if "run" in step]
    weekly = re.compile(r"\$\{\{ github.event_name == 'schedule' && '(.*?)' \|\| '' \}\}")
    assert typed(weekly.sub("", steps[0])) == [["test", "--cpu"]] and typed(weekly.sub(r"\1", steps[0])) == [
        ["test", "--cpu", "--full"]]
    assert all(typed(step) for step in steps)
