"""The table of commands, and where each runs (standard library only).

A row names its code as text, "install.workspace:update_command". A command with a level needs an environment: it is
called in that environment's Python, with the arguments that came.
"""
import argparse
import importlib
import os
import sys
from pathlib import Path
from typing import NamedTuple

from .. import __version__
from . import environment
from .troubles import SetupError

CPU = ("--cpu", {"action": "store_true", "help": "install the CPU build of PyTorch (on Linux this saves gigabytes)"})
HERE = ("--here", {"action": "store_true", "help": "install into the active environment instead of .venv"})
RECREATE = ("--recreate", {"action": "store_true", "help": "move .venv aside under a dated name and make a new one"})
SETUP = (CPU, HERE, RECREATE)

NO_BROWSER = ("--no-browser", {"action": "store_true", "help": "print the address, open no browser"})
PORT = ("--port", {"type": int, "metavar": "N", "help": "the port JupyterLab listens on (default 8888, or the next free one)"})
FULL = ("--full", {"action": "store_true", "help": "every notebook in a real browser, a thousand kills, the lowest versions"})
CHECK = ("--check", {"action": "store_true", "help": "say which notebooks are not as the normaliser leaves them (the default)"})
MEASURE = ("--measure", {"action": "store_true", "help": "print unfolded lines of code, and minutes to read and for exercises"})
WRITE = ("--write", {"action": "store_true", "help": "normalise, and write what the syllabus says into them and the README"})
EXECUTE = ("--execute", {"action": "store_true", "help": "execute from top to bottom and write back, normalised"})
STALE = ("--stale", {"action": "store_true", "help": "only what is older than the code it comes from"})
CONFIRM = ("--confirm", {"action": "store_true", "help": "after a change that should move no number: repeat a few runs, and "
                                                        "where all digits are the same, keep the others"})
NAMES = ("names", {"nargs": "*", "metavar": "NN", "help": "numbers of notebooks, such as 01 07 (default: all)"})
CODES = ("file", {"metavar": "FILE", "nargs": "?", "default": "-",
                  "help": "text with a line of progress().code for each reader (default: what is piped in)"})
NAME = ("name", {"metavar": "NN", "help": "number of the notebook, such as 01"})


class Command(NamedTuple):
    """A row: what is typed, what it does, its code, the environment it is called in (None: this Python) and its arguments."""

    name: str
    text: str
    code: str                                      # "module:function", called with (options, rest), returns an exit code
    level: str | None
    arguments: tuple


COMMANDS = (
    Command("lab", "make or reuse the environment, make working copies in work/, open them in JupyterLab",
            "install.start:lab", None, (NO_BROWSER, PORT, *SETUP)),
    Command("test", "the same set-up with the test tools, then every test, or those of some topics (test 02 stdp); "
            "further arguments go to pytest",
            "install.start:test", None, (FULL, *SETUP)),
    Command("doctor", "say what is installed, what is wrong and how to mend it; installs nothing",
            "install.doctor:doctor", None, ()),
    Command("notebooks", "for authors: check that committed notebooks are clean, or execute them again",
            "authoring.notebooks:command", "lab", (CHECK, MEASURE, WRITE, EXECUTE, NAMES, *SETUP)),
    Command("study", "for authors: repeat the long runs behind the stored tables",
            "authoring.studies:command", "lab", (STALE, CONFIRM, NAMES, *SETUP)),
    Command("teach", "for teachers: solved notebooks, slides and guides to the exercises, in teach/",
            "authoring.teach:command", "test", (NAMES, *SETUP)),
    Command("class", "for teachers: who solved which exercise, with how many hints, and what was guessed",
            "authoring.classroom:command", "lab", (CODES, *SETUP)),
    Command("slides", "for lectures: slides that need no network, in slides/",
            "authoring.slides:command", "test", (NAMES, *SETUP)),
    Command("site", "the course as pages that open from disk without a kernel or a network, in site/html/",
            "authoring.site:command", "test", SETUP),
    Command("update", "bring new versions of the notebooks into work/, never over one you edited",
            "install.workspace:update_command", None, ()),
    Command("reset", "restore one notebook in work/; yours is kept under a dated name",
            "install.workspace:reset_command", None, (NAME,)),
)


def parser():
    """Return the parser that the table above describes."""
    top = argparse.ArgumentParser(
        prog="python3 -m snnteach", allow_abbrev=False,
        description="A course on training spiking neural networks: its set-up, its tests and its notebooks.",
        epilog="Start with: python3 -m snnteach lab")
    top.add_argument("--version", action="version", version="snnteach " + __version__)
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for row in COMMANDS:
        command = commands.add_parser(row.name, help=row.text, description=row.text[0].upper() + row.text[1:] + ".",
                                      allow_abbrev=False)
        for flag, settings in row.arguments:
            command.add_argument(flag, **settings)
    return top


def main(arguments):
    """Run one command and return its exit code."""
    top = parser()
    options, rest = top.parse_known_args(arguments)
    if rest and options.command != "test":
        top.error("unrecognized arguments: " + " ".join(rest))
    if home := os.environ.get("SNNTEACH_HOME"):  # what a command starts stands in another folder
        os.environ["SNNTEACH_HOME"] = os.path.abspath(os.path.expanduser(home))
    (row,) = (row for row in COMMANDS if row.name == options.command)
    try:
        return _call(row, options, rest, arguments)
    except SetupError as trouble:
        print(f"snnteach: {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader piped this into `head`, say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _call(row, options, rest, arguments):
    """Call the code of a command here, or run the same command on the Python of its environment."""
    if row.level:
        python = environment.python_for(row.level, **setup_options(options))
        if python != Path(sys.executable):
            done = {flag for flag, _ in SETUP}                                            # the environment is ready
            once = [word for word in arguments if word not in done]
            return environment.run([python, "-m", "snnteach", *once], cwd=environment.ROOT)
    module, _, name = row.code.partition(":")
    return getattr(importlib.import_module(f"snnteach.{module}"), name)(options, rest)


def setup_options(options):
    """The arguments of every command that makes an environment, as a dict."""
    return {name: getattr(options, name) for name in ("cpu", "here", "recreate")}
