"""Explorers: figures with sliders, one table a topic, shown by `explore("topic.name")`."""
import importlib

from .live import Choice, Control, Explorer, LiveFigure, sweep, swept

__all__ = ["Choice", "Control", "Explorer", "LiveFigure", "explore", "find", "sweep", "swept"]


def find(name):
    """Return the Explorer called "topic.name", or say which there are."""
    topic, _, short = name.partition(".")
    try:
        table = importlib.import_module(f"{__name__}.{topic}").EXPLORERS
    except ModuleNotFoundError as error:
        raise ValueError(f'explore: no topic {topic!r}; a name reads "topic.name", such as "neurons.lif".') from error
    if short not in table:
        raise ValueError(f"explore: {topic!r} has {', '.join(map(repr, table))}, got {short!r}.")
    return table[short]


def explore(name):
    """Open an explorer; move its sliders with the mouse or the arrow keys."""
    return LiveFigure(find(name))
