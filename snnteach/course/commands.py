"""What each command of the table in `snnteach/__main__.py` does: `command(options, rest)` returns an exit code."""
import os
import sys
from pathlib import Path

from . import doctor as _doctor
from . import environment, workspace
from .troubles import SetupError

PYTEST = ("-m", "pytest", "--nbval-lax", "--nbval-current-env", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder",
          "--doctest-modules")
JUPYTER = ("-m", "jupyterlab", "--ServerApp.ip=localhost", "--LabApp.news_url=None", "--LabApp.extension_manager=readonly",
           "--LanguageServerManager.autodetect=False",
           "--ServerApp.kernel_websocket_connection_class=snnteach.course.websocket.PromptConnection",
           "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate")


def lab(options, rest):
    """Make the environment and the working copies, and serve them until the reader stops it."""
    python = _python("lab", options)
    _tell(workspace.update(new_versions=False))
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
    return environment.run([_python("test", options), *PYTEST, *rest], cwd=environment.ROOT)


def doctor(options, rest):
    """Report on this machine, with the Python of the environment where there is one that works."""
    own = environment.Environment()
    if environment.active_environment() is None and own.version():
        return environment.run([own.python, "-m", "snnteach", "doctor"], cwd=environment.ROOT)
    return _doctor.report()


def notebooks(options, rest):
    """Check the committed notebooks, or execute them again."""
    if (code := _elsewhere("lab", options)) is not None:
        return code
    from . import notebooks as tools

    if options.execute:
        tools.execute(options.names)
    wrong = tools.check(options.names)
    print("\n".join(wrong) if wrong else "All notebooks are clean.")
    return 1 if wrong else 0


def study(options, rest):
    """Repeat the long runs of some or all notebooks."""
    if (code := _elsewhere("lab", options)) is not None:
        return code
    from .. import studies

    for name in options.names:
        try:
            studies.study(name)
        except ValueError as trouble:
            raise SetupError(str(trouble)) from None
    studies.run(options.names)
    return 0


def teach(options, rest):
    """Write the teacher's view of some or all notebooks."""
    if (code := _elsewhere("test", options)) is not None:
        return code
    from . import notebooks as tools
    from .teach import teach as write

    for path in tools.paths(options.names):
        for written in write(path.stem[:2]):
            print(written.relative_to(environment.ROOT))
    return 0


def slides(options, rest):
    """Write the slides of some or all notebooks."""
    if (code := _elsewhere("test", options)) is not None:
        return code
    from . import notebooks as tools
    from .slides import build

    for path in tools.paths(options.names):
        print(f"Open {build(path.stem[:2])}")
    return 0


def site(options, rest):
    """Build the course as a site."""
    if (code := _elsewhere("test", options)) is not None:
        return code
    from .site import build

    print(f"Open {build()}")
    return 0


def update(options, rest):
    """Bring new versions of the notebooks into the working copies."""
    _tell(workspace.update() or ["Nothing new: your notebooks are as new as the course."])
    return 0


def reset(options, rest):
    """Restore one notebook and keep a dated copy of the reader's."""
    target, kept = workspace.reset(options.name)
    print(f"{target.name} is as the course ships it." + (f" Yours is kept as {kept.name}." if kept else ""))
    return 0


def _elsewhere(level, options):
    """Run the same command on the environment's Python and return its exit code, or None if this is that Python already."""
    python = _python(level, options)
    if python == Path(sys.executable):
        return None
    arguments = [options.command, *(["--execute"] if getattr(options, "execute", False) else []),
                 *getattr(options, "names", ())]
    return environment.run([python, "-m", "snnteach", *arguments], cwd=environment.ROOT)


def _python(level, options):
    return environment.python_for(level, cpu=options.cpu, here=options.here, recreate=options.recreate)


def _tell(changes):
    for change in changes:
        print(change)
