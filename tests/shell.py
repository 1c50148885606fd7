"""IPython in the process of a test, so that figures are displayed as in a notebook; without its history and thread."""
from contextlib import contextmanager

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config


@contextmanager
def shell():
    """Be an IPython shell for a while."""
    InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    try:
        yield
    finally:
        InteractiveShell.clear_instance()
