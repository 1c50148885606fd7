"""The command line, `python3 -m snnteach`; it runs on a Python with nothing installed."""
import sys


def main(arguments=None):
    """Run one command of the table in `snnteach/install/commands.py` and return its exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036 (an old Python gets this far, and a message)
        print("snnteach: this is Python %d.%d, and the course needs 3.11 or newer. Install one from python.org "  # noqa: UP031
              "and start the command with it, for example: python3.11 -m snnteach lab" % sys.version_info[:2], file=sys.stderr)
        return 1
    from .install import commands  # here: it uses what an old Python cannot read

    return commands.main(sys.argv[1:] if arguments is None else arguments)


if __name__ == "__main__":
    sys.exit(main())
