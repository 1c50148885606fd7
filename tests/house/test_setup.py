"""The command line and the environment behind it: on a bare Python, half made, in the way, or failing for a known reason."""
import ast
import json
import os
import signal
import subprocess
import sys
import time
import venv
from pathlib import Path

import pytest

from snnteach import __main__ as command_line
from snnteach.install import commands, doctor, environment, pins, start, troubles
from snnteach.install.environment import Environment, python_for
from snnteach.install.troubles import SetupError

PYPROJECT = """[project]
name = "snnteach"
dependencies = ["torch>=2.4", "numpy>=1.26"]
[project.optional-dependencies]
lab = ["jupyterlab>=4.2"]
test = ["pytest>=8.2"]
site = []
peers = ["snntorch>=0.9"]
"""
RUNTIME = "--extra-index-url https://index.example/cpu\n# runtime\ntorch==2.13.0\nnumpy==2.4.6\n\njupyterlab==4.6.6\n"


class Machine:
    """Stands in for pip and venv: notes what is asked, fails on request, and makes the file that venv would make."""

    def __init__(self, root):
        self.root, self.asked, self.said, self.failures = root, [], [], []

    def environment(self, version="3.11.7"):
        made = Environment(self.root, install=self.install, say=self.said.append)
        made.version = lambda: version if made.python.exists() else ""
        return made

    def install(self, command):
        self.asked.append([str(part) for part in command[1:]])
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, BaseException):
                raise failure
            return failure
        if "venv" in command:
            python = Environment(self.root).python
            python.parent.mkdir(parents=True, exist_ok=True)
            python.touch()
        return 0, ""

    @property
    def steps(self):
        return ["venv" if "venv" in step else "editable" if "-e" in step else "pins" for step in self.asked]


@pytest.fixture
def machine(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "active_environment", lambda: None)
    for folder, text in (("binder", RUNTIME), ("tests", "# tools\npytest==9.2.0\nsnntorch==1.0.0\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "requirements.txt").write_text(text)
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    return Machine(tmp_path)


# On a Python with nothing installed

@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bare") / "env"
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def on(python, *arguments, program=None):
    what = ["-m", "snnteach", *arguments] if program is None else ["-c", program]
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "COV_"))}
    return subprocess.run([str(python), *what], cwd=pins.ROOT, env=clean, capture_output=True, text=True, timeout=60)


def test_help_needs_nothing_installed(bare):
    done = on(bare, "--help")
    assert done.returncode == 0 and done.stderr == ""
    for name, *_ in commands.COMMANDS:
        assert name in done.stdout and on(bare, name, "--help").returncode == 0
    assert on(bare, "--version").stdout.startswith("snnteach 0.")


def test_an_active_environment_that_lacks_something_is_left_alone(bare):
    before = sorted(bare.parents[1].rglob("*"))
    for command in ("lab", "test", "notebooks", "study"):
        done = on(bare, command)
        assert done.returncode == 1 and "torch is missing" in done.stderr and "Nothing was changed" in done.stderr
        assert "--here" in done.stderr and "Traceback" not in done.stderr
    assert sorted(bare.parents[1].rglob("*")) == before


def test_what_makes_the_environment_needs_nothing_installed(bare):
    names = [path.stem for path in Path(environment.__file__).parent.glob("*.py")]
    done = on(bare, program=f"import snnteach.lessons; from snnteach.install import {', '.join(names)}")
    assert done.returncode == 0 and len(names) >= 7, done.stderr


def test_help_answers_at_once(bare):
    """Processor time, where the system tells that of a child: it does not grow with what else runs."""
    seconds = []
    for _ in range(5):
        before, start = os.times(), time.perf_counter()
        on(bare, "--help")
        after, wall = os.times(), time.perf_counter() - start
        seconds.append(wall if os.name == "nt" else sum(after[2:4]) - sum(before[2:4]))
    assert 0 < min(seconds) < 0.3, seconds


def test_doctor_on_a_bare_python_says_what_is_missing(bare):
    done = on(bare, "doctor")
    assert done.returncode == 1 and done.stderr == ""
    assert "wrong torch is missing" in done.stdout and "GB of disk free" in done.stdout


def test_an_unknown_argument_or_notebook_is_an_error_without_a_traceback(bare):
    assert "unrecognized arguments: --fast" in on(bare, "lab", "--fast").stderr
    assert "no notebook '99'" in on(bare, "reset", "99").stderr


def test_an_old_python_reads_the_command_line_and_gets_a_message(monkeypatch, capsys):
    for name in ("__init__.py", "__main__.py"):
        ast.parse((pins.ROOT / "snnteach" / name).read_text(encoding="utf-8"), feature_version=(3, 7))
    monkeypatch.setattr(sys, "version_info", (3, 10, 1))
    assert command_line.main(["--help"]) == 1
    assert "this is Python 3.10, and the course needs 3.11 or newer" in capsys.readouterr().err


# The environment: made once, taken up again, brought up to date

def test_the_first_run_makes_it_and_the_second_reuses_it(machine):
    assert machine.environment().ready("lab") == machine.environment().python
    assert machine.steps == ["venv", "pins", "editable"]
    assert machine.environment().condition("lab") == "complete"
    machine.environment().ready("lab")
    assert len(machine.asked) == 3


def test_pins_go_to_pip_in_one_command_without_the_index(machine):
    machine.environment().ready("test")
    assert machine.asked[1] == ["-m", "pip", "install", "torch==2.13.0", "numpy==2.4.6", "jupyterlab==4.6.6", "pytest==9.2.0",
                                "snntorch==1.0.0"]
    assert machine.asked[2] == ["-m", "pip", "install", "--no-deps", "-e", str(machine.root)]


def test_cpu_takes_the_index_from_the_first_line(machine):
    machine.environment().ready("lab", cpu=True)
    first, others, _ = machine.asked[1:]
    assert first[3:] == ["--extra-index-url", "https://index.example/cpu", "--no-deps", "torch==2.13.0"]
    assert "--extra-index-url" not in others and {"torch==2.13.0", "numpy==2.4.6"} <= set(others)


@pytest.mark.parametrize("failure", [(1, "Traceback ... KeyboardInterrupt"), (-9, ""), KeyboardInterrupt()])
@pytest.mark.parametrize("steps_before", [0, 1, 2])
def test_an_interrupted_set_up_is_taken_up_again(machine, steps_before, failure):
    real = machine.install

    def stopping(command):
        if len(machine.asked) == steps_before:
            machine.failures = [failure]
        return real(command)

    made = Environment(machine.root, install=stopping, say=machine.said.append)
    made.version = machine.environment().version
    with pytest.raises((SetupError, KeyboardInterrupt)):
        made.ready("lab")
    assert machine.environment().condition("lab") == "unfinished"
    machine.asked.clear()
    machine.environment().ready("lab")
    assert machine.steps == (["venv", "pins", "editable"] if steps_before == 0 else ["pins", "editable"])
    assert machine.environment().condition("lab") == "complete"


def test_changed_pins_bring_it_up_to_date(machine):
    machine.environment().ready("lab")
    (machine.root / "binder" / "requirements.txt").write_text(RUNTIME.replace("2.4.6", "2.4.7"))
    assert machine.environment().condition("lab") == "stale"
    machine.environment().ready("lab")
    assert machine.steps[3:] == ["pins", "editable"] and "numpy==2.4.7" in machine.asked[3]


def test_a_moved_folder_is_installed_again(machine, tmp_path_factory):
    machine.environment().ready("lab")
    machine.root = machine.root.rename(tmp_path_factory.mktemp("elsewhere") / "course")
    machine.environment().ready("lab")
    assert machine.steps[3:] == ["pins", "editable"] and machine.asked[-1][-1] == str(machine.root)


def test_a_setting_of_a_tool_is_no_reason_to_install_again(machine):
    machine.environment().ready("lab")
    (machine.root / "pyproject.toml").write_text(PYPROJECT + "[tool.ruff]\nline-length = 100\n")
    assert machine.environment().condition("lab") == "complete"


def test_the_test_level_holds_the_lab_level_but_not_the_other_way_round(machine):
    machine.environment().ready("lab")
    assert machine.environment().condition("test") == "stale"
    machine.environment().ready("test")
    assert machine.environment().condition("lab") == machine.environment().condition("test") == "complete"


def test_an_empty_folder_is_as_good_as_none(machine):
    (machine.root / ".venv").mkdir()
    machine.environment().ready("lab")
    assert machine.steps == ["venv", "pins", "editable"]


# What is in the way

def test_a_folder_that_snnteach_did_not_make_is_left_alone(machine):
    (machine.root / ".venv").mkdir()
    (machine.root / ".venv" / "pyvenv.cfg").write_text("home = /usr/bin")
    with pytest.raises(SetupError, match="was not made by this command.*--recreate"):
        machine.environment().ready("lab")
    assert not machine.asked


def test_a_python_that_does_not_run_is_named(machine):
    machine.environment().ready("lab")
    machine.environment().python.unlink()
    with pytest.raises(SetupError, match="does not run.*--recreate"):
        machine.environment().ready("lab")


def test_a_python_of_another_version_is_named(machine):
    machine.environment().ready("lab")
    with pytest.raises(SetupError, match="another version of Python.*--recreate"):
        machine.environment(version="3.12.1").ready("lab")
    assert machine.environment(version="3.11.9").condition("lab") == "stale"


def test_recreate_moves_it_aside_and_makes_a_new_one(machine):
    (machine.root / ".venv").mkdir()
    (machine.root / ".venv" / "mine.txt").write_text("precious")
    python_for("lab", recreate=True, environment=machine.environment())
    [kept] = machine.root.glob(".venv.old-*")
    assert (kept / "mine.txt").read_text() == "precious" and machine.environment().condition("lab") == "complete"
    assert str(kept) in machine.said[0]


def test_a_damaged_stamp_is_not_trusted(machine):
    machine.environment().ready("lab")
    (machine.root / ".venv" / "snnteach.json").write_text("{")
    assert machine.environment().condition("lab") == "foreign"


def test_too_little_disk_stops_before_anything_is_installed(machine, monkeypatch):
    monkeypatch.setattr(environment.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 1e9}))
    with pytest.raises(SetupError, match=r"3.0 GB.*this disk has 1.0 GB free"):
        machine.environment().ready("lab", cpu=True)
    assert not machine.asked and machine.environment().condition("lab") == "unfinished"


def test_a_missing_ensurepip_is_named_before_anything_is_made(machine, monkeypatch):
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda name: None if name == "ensurepip" else object())
    monkeypatch.setattr(environment.sys, "platform", "linux")
    with pytest.raises(SetupError, match=r"lacks ensurepip[\s\S]*sudo apt install python3\.\d+-venv"):
        machine.environment().ready("lab")
    assert not machine.asked


def test_pips_failure_becomes_a_message(machine):
    machine.failures = [(0, ""), (1, "Temporary failure in name resolution")]
    (machine.root / ".venv").mkdir()
    machine.environment().python.parent.mkdir(parents=True)
    machine.environment().mark(state="creating", python="")
    with pytest.raises(SetupError, match="no way to the package index.*Run the same command again"):
        machine.environment().ready("lab")


def test_no_checkout_is_named(machine):
    (machine.root / "binder" / "requirements.txt").unlink()
    with pytest.raises(SetupError, match="needs a checkout"):
        python_for("lab", environment=machine.environment())


# Inside an environment of the reader's own

@pytest.fixture
def active(machine, monkeypatch):
    own = machine.root / "own"
    own.mkdir()
    monkeypatch.setattr(environment, "active_environment", lambda: own)
    return machine


def test_one_that_has_everything_is_used(active, monkeypatch):
    monkeypatch.setattr(environment, "unmet", lambda level, root: [])
    assert python_for("lab", environment=active.environment()) == Path(sys.executable)
    assert not active.asked and not (active.root / ".venv").exists()


def test_one_that_lacks_something_is_changed_only_when_asked(active):
    with pytest.raises(SetupError, match=r"snntorch|numpy|is missing|older|not installed[\s\S]*--here"):
        python_for("test", environment=active.environment())
    assert not active.asked
    assert python_for("test", here=True, environment=active.environment()) == Path(sys.executable)
    assert active.steps == ["pins", "editable"] and not (active.root / ".venv").exists()


def test_here_needs_an_active_environment(machine):
    with pytest.raises(SetupError, match="none is active"):
        python_for("lab", here=True, environment=machine.environment())
    assert not machine.asked


def test_being_inside_our_own_environment_is_no_surprise(machine, monkeypatch):
    machine.environment().ready("lab")
    monkeypatch.setattr(environment, "active_environment", lambda: machine.root / ".venv")
    for here in (False, True):
        assert python_for("lab", here=here, environment=machine.environment()) == Path(sys.executable)
    assert len(machine.asked) == 3
    with pytest.raises(SetupError, match="Deactivate"):
        python_for("lab", recreate=True, environment=machine.environment())


def test_an_active_venv_of_the_readers_own_may_be_called_venv(machine, monkeypatch):
    (machine.root / ".venv").mkdir()
    (machine.root / ".venv" / "pyvenv.cfg").touch()
    monkeypatch.setattr(environment, "active_environment", lambda: machine.root / ".venv")
    monkeypatch.setattr(environment, "unmet", lambda level, root: [])
    assert python_for("lab", environment=machine.environment()) == Path(sys.executable) and not machine.asked


def test_unmet_compares_versions(machine):
    changed = PYPROJECT.replace("numpy>=1.26", "numpy>=999.1").replace("jupyterlab", "no-such-thing")
    (machine.root / "pyproject.toml").write_text(changed)
    problems = pins.unmet("lab", machine.root)
    assert any(line.startswith("numpy is ") and line.endswith("older than 999.1") for line in problems)
    assert "no-such-thing is missing" in problems and "snnteach is not installed from this folder" in problems
    assert not any("torch" in line for line in problems)


# Messages

@pytest.mark.parametrize("text, expected", [
    ("OSError: [Errno 28] No space left on device", "The disk is full"),
    ("ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: 'x'", "could not be written"),
    ("NewConnectionError: Failed to establish a new connection: [Errno -3] Temporary failure in name resolution\n"
     "ERROR: No matching distribution found for torch==2.13.0", "no way to the package index"),
    ("WARNING: Retrying after connection broken by 'ReadTimeoutError'", "no way to the package index"),
    ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]", "certificate"),
    ("ProxyError('Cannot connect to proxy.', OSError('Tunnel connection failed: 407", "proxy refused"),
    ("ERROR: Could not find a version that satisfies the requirement celluloid==0.2.0 (from versions: none)", "no way to"),
    ("ERROR: Could not find a version that satisfies the requirement torch==2.13.0 (from versions: none)", "no build"),
    ("ERROR: No matching distribution found for torch==2.13.0", "PyTorch has no build"),
    ("ERROR: No matching distribution found for numpy==2.4.6", "A pinned package has no build"),
    ("error: externally-managed-environment", "Leave --here out"),
    ("HINT: This error might have occurred since this system does not have Windows Long Path support enabled", "too long"),
    ("/x/.venv/bin/python: No module named pip", "no pip in this environment"),
    ("ERROR: Operation cancelled by user", "Stopped"),
    ("something nobody foresaw", "its own message stands above"),
])
def test_each_failure_of_pip_has_its_message(text, expected):
    message = troubles.classify_pip_failure(text)
    assert expected in message and "Run the same command again" in message


@pytest.mark.parametrize("text, expected", [
    ("The virtual environment was not created successfully because ensurepip is not available", "apt install python3.11-venv"),
    ("[Errno 28] No space left on device", "The disk is full"),
    ("KeyboardInterrupt", "Stopped"),
    ("odd", "It said:\nodd"),
])
def test_each_failure_of_venv_has_its_message(text, expected):
    assert expected in troubles.classify_venv_failure(text, (3, 11), "linux")
    assert "python.org" in troubles.missing_venv_message(["venv"], (3, 11), "win32")


def test_advice_on_the_cpu_build(monkeypatch):
    said = []
    monkeypatch.setattr(environment.sys, "platform", "linux")
    monkeypatch.setattr(environment, "has_nvidia", lambda: True)
    environment.advise_cpu(said.append)
    assert not said
    monkeypatch.setattr(environment, "has_nvidia", lambda: False)
    environment.advise_cpu(said.append)
    assert "--cpu" in said[0] and "gigabytes" in said[0]


# Running things

def test_install_shows_and_returns_what_went_wrong(capfd):
    code, text = environment.install([sys.executable, "-c", "import sys; print('seen'); sys.exit('gone wrong')"])
    assert code == 1 and "gone wrong" in text
    shown = capfd.readouterr()
    assert "seen" in shown.out and "gone wrong" in shown.err


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to pass on")
def test_stopping_the_command_stops_what_it_runs():
    child = "import time; print('up', flush=True); time.sleep(60)"
    code = f"import sys; from snnteach.install.environment import run; sys.exit(run([sys.executable, '-c', {child!r}]) == -15)"
    outer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=pins.ROOT)
    assert outer.stdout.readline() == "up\n"
    outer.send_signal(signal.SIGTERM)
    assert outer.wait(20) == 1
    outer.stdout.close()


@pytest.fixture
def started(monkeypatch):
    """What `environment.run` was asked to start, with every set-up left out."""
    asked = []

    def python_for(level, **options):
        asked.append((level, options))
        return Path(sys.executable)

    def run(command, **options):
        asked.append(([str(part) for part in command], options))
        return 5

    monkeypatch.setattr(environment, "python_for", python_for)
    monkeypatch.setattr(environment, "run", run)
    return asked


def test_test_hands_its_arguments_to_pytest(started):
    assert command_line.main(["test", "--cpu", "-k", "lif", "tests/test_neurons.py", "--lf"]) == 5
    assert started[0] == ("test", {"cpu": True, "here": False, "recreate": False})
    assert started[1][0][-4:] == ["-k", "lif", "tests/test_neurons.py", "--lf"]
    assert {"--nbval-lax", "--nbval-current-env", "--dist", "loadfile", "--doctest-modules"} <= set(started[1][0])


def test_numbers_and_topics_at_the_beginning_mean_all_that_concerns_them(started):
    command_line.main(["test", "7", "membrane", "-n", "2", "-x"])
    asked = started[1][0]
    for path in ("tutorials/07_surrogate.ipynb", "tests/reference/test_surrogate.py", "tests/lessons/test_membrane.py",
                 "snnteach/membrane.py", "tests/reference/test_networks.py", "tests/house"):
        assert path in asked and (environment.ROOT / path).exists()
    names = asked[asked.index("-k") + 1].split(" or ")
    for test in ("test_x[07_surrogate]", "test_x[07.1]", "test_x[surrogate.shape]", "test_x[surrogate]", "test_x[01_membrane]"):
        assert any(name in test for name in names)
    assert not any(name in test for name in names for test in ("test_x[08_bptt]", "test_x[0.075]", "test_x[stdp]"))
    assert asked[-3:] == ["-n", "2", "-x"]


def test_a_topic_that_is_none_is_told_before_anything_is_installed(started, capsys):
    assert command_line.main(["test", "99"]) == 1 and started == []
    assert "There is no notebook '99'" in capsys.readouterr().err


def test_lab_serves_the_working_copies_on_this_machine_only(started, monkeypatch, tmp_path):
    monkeypatch.setattr(start.workspace, "update", lambda new_versions: [])
    monkeypatch.setattr(start.workspace, "WORK", tmp_path)
    command_line.main(["lab", "--no-browser", "--port", "8999"])
    command, options = started[1]
    assert {"jupyterlab", "--no-browser", "--ServerApp.port=8999", "--ServerApp.ip=localhost"} <= set(command)
    assert f"--ServerApp.root_dir={tmp_path}" in command
    assert ("--allow-root" in command) == (hasattr(os, "geteuid") and os.geteuid() == 0)
    assert options["cwd"] == tmp_path and not any("token" in part for part in command)


def test_the_server_of_the_course_holds_no_small_message_back(monkeypatch):
    from jupyter_server.services.kernels.websocket import KernelWebsocketHandler
    from traitlets.utils.importstring import import_item

    (name,) = [option.split("=")[1] for option in start.JUPYTER if "websocket_connection_class" in option]
    done, connection, handler = [], import_item(name), KernelWebsocketHandler.__new__(KernelWebsocketHandler)
    monkeypatch.setattr(connection.__base__, "connect", lambda self: done.append("connected"))
    monkeypatch.setattr(KernelWebsocketHandler, "set_nodelay", lambda self, value: done.append(value))
    connection(websocket_handler=handler, parent=None).connect()
    assert done == [True, "connected"]


def test_notebooks_names_what_is_wrong(started, capsys, monkeypatch):
    from snnteach.authoring import notebooks

    monkeypatch.setattr(notebooks, "check", lambda names: ["01_membrane.ipynb: not normalised"])
    assert command_line.main(["notebooks", "--check"]) == 1
    assert "not normalised" in capsys.readouterr().out
    assert command_line.main(["notebooks", "nosuch"]) == 1
    assert command_line.main(["study", "nosuch"]) == 1
    assert "nosuch" in capsys.readouterr().err


# The doctor

def test_the_doctor_counts_what_is_wrong_and_says_how_to_mend_it(monkeypatch):
    said = []
    monkeypatch.setattr(doctor, "CHECKS", [lambda: [(doctor.GOOD, "fine"), (doctor.NOTE, "hm", "look")]])
    assert doctor.report(said.append) == 0 and said == ["ok    fine", "note  hm", "      look", "All is well."]
    monkeypatch.setattr(doctor, "CHECKS", [lambda: [(doctor.WRONG, "bad", "do this")]])
    assert doctor.report(said.append) == 1 and said[-3:] == ["wrong bad", "      do this", "1 thing is wrong."]


def test_the_doctor_looks_at_this_machine(monkeypatch):
    said = []
    doctor.report(said.append)
    text = "\n".join(said)
    assert "torch 2" in text and "threads: " in text and "GB of memory free" in text and "progress is kept in" in text


@pytest.mark.parametrize("condition", ["absent", "unfinished", "stale", "foreign", "broken", "moved", "complete"])
def test_the_doctor_knows_every_condition(condition, monkeypatch):
    monkeypatch.setattr(environment, "active_environment", lambda: None)
    monkeypatch.setattr(Environment, "condition", lambda self, level: condition)
    [(state, *_)] = doctor.environment_checks()
    assert (state == doctor.WRONG) == (condition in ("unfinished", "foreign", "broken", "moved"))


def test_a_folder_that_cannot_be_written_to_is_wrong(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    assert doctor.write_trouble(tmp_path / "file") is not None
    assert doctor.write_trouble(tmp_path / "new" / "deeper") is None and len(list(tmp_path.iterdir())) == 1
    monkeypatch.setenv("SNNTEACH_HOME", str(tmp_path / "file"))
    assert doctor.WRONG in [state for state, *_ in doctor.write_checks()]


@pytest.mark.parametrize("memory, state", [(8e9, "ok"), (2e8, "wrong"), (None, "note")])
def test_too_little_memory_is_wrong(memory, state, monkeypatch):
    monkeypatch.setattr(doctor, "free_memory", lambda: memory)
    assert next(iter(doctor.memory_checks()))[0] == state


def test_the_stamp_says_who_made_it(machine):
    machine.environment().ready("lab")
    assert json.loads((machine.root / ".venv" / "snnteach.json").read_text())["made by"] == "snnteach"
