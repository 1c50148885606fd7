"""The command line, `python3 -m snnteach`: a table of commands. It runs on a Python with nothing installed."""
import argparse
import os
import sys

from . import __version__

LAB = "make or reuse the environment, make working copies in work/, open them in JupyterLab"
TEST = "the same set-up with the test tools, then every test; further arguments go to pytest"
DOCTOR = "say what is installed, what is wrong and how to mend it; installs nothing"
NOTEBOOKS = "for authors: check that committed notebooks are clean, or execute them again"
STUDY = "for authors: repeat the long runs behind the stored tables"
TEACH = "for teachers: solved notebooks, slides and guides to the exercises, in teach/"
SITE = "the course as pages that open from disk without a kernel or a network, in site/html/"
SLIDES = "for lectures: slides that need no network, in slides/"
UPDATE = "bring new versions of the notebooks into work/, never over one you edited"
RESET = "restore one notebook in work/; yours is kept under a dated name"

CPU = ("--cpu", {"action": "store_true", "help": "install the CPU build of PyTorch (on Linux this saves gigabytes)"})
HERE = ("--here", {"action": "store_true", "help": "install into the active environment instead of .venv"})
RECREATE = ("--recreate", {"action": "store_true", "help": "move .venv aside under a dated name and make a new one"})
SETUP = (CPU, HERE, RECREATE)

NO_BROWSER = ("--no-browser", {"action": "store_true", "help": "print the address, open no browser"})
PORT = ("--port", {"type": int, "metavar": "N", "help": "the port JupyterLab listens on (default 8888, or the next free one)"})
FULL = ("--full", {"action": "store_true", "help": "every notebook in a real browser, a thousand kills: takes longer"})
CHECK = ("--check", {"action": "store_true", "help": "say which notebooks are not as the normaliser leaves them (the default)"})
EXECUTE = ("--execute", {"action": "store_true", "help": "execute from top to bottom and write back, normalised"})
NUMBERS = ("names", {"nargs": "*", "metavar": "NN", "help": "numbers of notebooks, such as 01 07 (default: all)"})
NUMBER = ("name", {"metavar": "NN", "help": "number of the notebook, such as 01"})

COMMANDS = (
    ("lab", LAB, (NO_BROWSER, PORT, *SETUP)),
    ("test", TEST, (FULL, *SETUP)),
    ("doctor", DOCTOR, ()),
    ("notebooks", NOTEBOOKS, (CHECK, EXECUTE, NUMBERS, *SETUP)),
    ("study", STUDY, (NUMBERS, *SETUP)),
    ("teach", TEACH, (NUMBERS, *SETUP)),
    ("slides", SLIDES, (NUMBERS, *SETUP)),
    ("site", SITE, SETUP),
    ("update", UPDATE, ()),
    ("reset", RESET, (NUMBER,)),
)


def parser():
    """Return the parser that the table above describes."""
    top = argparse.ArgumentParser(
        prog="python3 -m snnteach", allow_abbrev=False,
        description="A course on training spiking neural networks: its set-up, its tests and its notebooks.",
        epilog="Start with: python3 -m snnteach lab")
    top.add_argument("--version", action="version", version="snnteach " + __version__)
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, text, arguments in COMMANDS:
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", allow_abbrev=False)
        for flag, settings in arguments:
            command.add_argument(flag, **settings)
    return top


def main(arguments=None):
    """Run one command and return its exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036 (an old Python gets this far, and a message)
        print("snnteach: this is Python %d.%d, and the course needs 3.11 or newer. Install one from python.org "  # noqa: UP031
              "and start the command with it, for example: python3.11 -m snnteach lab" % sys.version_info[:2], file=sys.stderr)
        return 1
    arguments = sys.argv[1:] if arguments is None else arguments
    top = parser()
    options, rest = top.parse_known_args(arguments)
    if rest and options.command != "test":
        top.error("unrecognized arguments: " + " ".join(rest))
    from .course import commands, troubles  # here: they may use what an old Python cannot read

    try:
        return getattr(commands, options.command)(options, rest)
    except troubles.SetupError as trouble:
        print(f"snnteach: {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader piped this into `head`, say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


if __name__ == "__main__":
    sys.exit(main())
