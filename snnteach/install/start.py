"""Start JupyterLab or the tests in the environment (standard library only)."""
import os

from . import environment, workspace
from .commands import setup_options

PYTEST = ("-m", "pytest", "--nbval-lax", "--nbval-current-env", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder",
          "--doctest-modules")
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
    python = environment.python_for("test", **setup_options(options))
    return environment.run([python, *PYTEST, *rest], cwd=environment.ROOT)
