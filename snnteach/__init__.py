"""How to train spiking neural networks: a course in notebooks, and the code they read.

The names below are loaded when they are first used, so that `import snnteach` stays light.
"""
import importlib

__version__ = "0.1.0"

_HOMES = {
    "setup": ".reader.session",
    "lecture": ".reader.session",
    "progress": ".reader.store",
    "copyable": ".reader.carry",
    "check": ".reader.answers",
    "hint": ".reader.answers",
    "solution": ".reader.answers",
    "whose": ".reader.answers",
    "guess": ".reader.guesses",
    "explore": ".reader.live",
    "play": ".reader.page",
    "stored": ".reader.results",
}
__all__ = ["__version__", *sorted(_HOMES)]


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module 'snnteach' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name], __name__), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *_HOMES})
