"""Sweeps: what stands for an explorer on pages and slides that have no kernel."""
import functools
import io

from PIL import Image

from ..plots.player import player
from ..reader.live import Frame
from ..reader.lookup import explorer as find

FRAMES, DPI = 24, 120                                             # at this size a projector does not blur them


@functools.cache
def sweeps(name):
    """Return the sweeps of the explorer called "topic.name": pairs of HTML and the label of the control that it moves."""
    frame = Frame(find(name), dpi=DPI)
    return tuple((sweep(frame, parameter, **others), frame.explorer.controls[parameter].label)
                 for parameter, others in frame.explorer.sweeps)


def sweep(frame, parameter, frames=FRAMES, **others):
    """Turn one control of a `reader.live.Frame` into a player that needs no kernel, as HTML.

    Above each picture stand the value of the control and those of `others`, which do not stand where the explorer starts.
    """
    explorer, pictures, labels = frame.explorer, [], []
    control = explorer.controls[parameter]
    values = control.swept(frames)
    for value in values:
        moved = {parameter: value, **others}
        pictures.append(Image.open(io.BytesIO(frame.png(**{**explorer.start(), **moved}))))
        labels.append(", ".join(explorer.controls[name].said(at) for name, at in moved.items()))
    return player(pictures, labels=labels, alt=explorer.alt, name=control.label, start=values.index(control.start)).data
