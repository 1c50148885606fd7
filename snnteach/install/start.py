"""Start JupyterLab or the tests in the environment (standard library only)."""
import itertools
import os
import re

from ..lessons import lesson, syllabus
from . import environment, workspace
from .commands import setup_options
from .troubles import SetupError

# A worker that dies ends the run: with loadfile, xdist waits for ever on the one that replaces it.
PYTEST = ("-m", "pytest", "-p", "tests.light", "--nbval-lax", "--nbval-current-env", "-n", "2", "--dist", "loadfile",
          "--no-loadscope-reorder", "--max-worker-restart", "0", "--doctest-modules")
JUPYTER = ("-m", "jupyterlab", "--ServerApp.ip=localhost", "--LabApp.news_url=None", "--LabApp.extension_manager=readonly",
           "--LanguageServerManager.autodetect=False",
           "--ServerApp.kernel_websocket_connection_class=snnteach.authoring.websocket.PromptConnection",
           "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate")


def lab(options, rest):
    """Make the environment and the working copies, and serve them until the reader stops it."""
    python = environment.python_for("lab", **setup_options(options))
    workspace.tell(workspace.update(new_versions=False))
    command = [python, *JUPYTER, f"--ServerApp.root_dir={workspace.WORK}"]
    command += ["--no-browser"] if options.no_browser else []
    command += [f"--ServerApp.port={options.port}"] if options.port else []
    command += ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    print(f"Starting JupyterLab in {workspace.WORK}. Ctrl-C stops it.", flush=True)
    return environment.run(command, cwd=workspace.WORK)


def test(options, rest):
    """Make the environment with the test tools and run pytest, whose last line is the last line here."""
    if options.full:
        os.environ["SNNTEACH_FULL"] = "1"
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)     # workers and kernels load what one of them compiled
    chosen = chosen_tests(rest)                         # before anything is installed: a wrong name is said at once
    python = environment.python_for("test", **setup_options(options))
    return environment.run([python, *PYTEST, *chosen], cwd=environment.ROOT)


def chosen_tests(words):
    """Return pytest's arguments, numbers and topics at the beginning (`02 surrogate`) replaced by all that concerns them."""
    leading = list(itertools.takewhile(lambda word: not (word.startswith("-") or "::" in word
                                                         or (environment.ROOT / word).exists()), words))
    try:
        rows = [lesson(word) for word in leading]
    except ValueError as trouble:
        raise SetupError(str(trouble)) from None
    if not rows:
        return words
    modules = [row.topic for row in rows] + sorted(set().union(*(helpers(row) for row in rows)))
    paths = [f"tutorials/{row.stem}.ipynb" for row in rows] + [f"snnteach/{name}.py" for name in modules]
    paths += [f"tests/{kind}/test_{name}.py" for name in modules for kind in ("reference", "lessons")]
    paths += [f"snnteach/lessons/{row.topic}" for row in rows] + ["tests/house"]
    names = [f"{name}{end}" for name in modules for end in ("]", ".")]               # [surrogate], [surrogate.shape], a file
    names += [f"{row.number}{end}" for row in rows for end in ("]", ".", "_")]       # [07], [07.1], [07_surrogate]
    return [*filter(lambda path: (environment.ROOT / path).exists(), paths), "--ignore=tests/house/test_site.py",    # one piece
            "-k", " or ".join(names), *words[len(leading):]]


def helpers(row):
    """The reference modules that a notebook imports and no topic is named after, such as `losses`."""
    source = (environment.ROOT / "tutorials" / f"{row.stem}.ipynb").read_text(encoding="utf-8")
    topics = {other.topic for other in syllabus()}
    return {name for name in re.findall(r"from snnteach\.(\w+) import", source)
            if name not in topics and (environment.ROOT / "snnteach" / f"{name}.py").exists()}
