"""One small class shows every explorer: the moving artists are redrawn on a cached background and sent as a PNG."""
import io
from collections.abc import Callable
from dataclasses import dataclass

import ipywidgets as widgets
import matplotlib as mpl
import numpy as np
from PIL import Image

from ..plots.animation import to_html
from ..plots.style import _RC, canvas, encoded, small_png


@dataclass(frozen=True)
class Control:
    """A slider: where it starts, its range and step, its name and unit as the reader sees them."""

    start: float
    low: float
    high: float
    step: float
    label: str
    unit: str = ""

    @property
    def corners(self):
        """The values that the tests try."""
        return self.low, self.start, self.high

    def widget(self):
        """Make the slider, with whole numbers where all its values are whole."""
        whole = all(isinstance(value, int) for value in (self.start, self.low, self.high, self.step))
        make = widgets.IntSlider if whole else widgets.FloatSlider
        digits = {} if whole else {"readout_format": self._digits}
        return make(value=self.start, min=self.low, max=self.high, step=self.step, **digits)

    @property
    def _digits(self):
        """How many decimals a value needs, as a format."""
        return f".{max(0, -int(np.floor(np.log10(self.step))))}f"

    def said(self, value):
        """A value with the slider's name, as a sweep shows it."""
        return f"{_named(self)}: {format(value, self._digits)}"


@dataclass(frozen=True)
class Choice:
    """A drop-down list of named options."""

    start: str
    options: tuple
    label: str
    unit: str = ""

    @property
    def corners(self):
        """The values that the tests try."""
        return tuple(self.options)

    def widget(self):
        """Make the drop-down list."""
        return widgets.Dropdown(value=self.start, options=list(self.options))

    def said(self, value):
        """An option with the list's name, as a sweep shows it."""
        return f"{_named(self)}: {value}"


def _named(control):
    """The name of a control with its unit."""
    return f"{control.label} ({control.unit})" if control.unit else control.label


@dataclass(frozen=True)
class Explorer:
    """compute(**parameters) -> data, build(fig) -> artists once, update(artists, data) at every move.

    `sweeps` are what slides and the site move where no kernel runs: the name of a control, and where others stand meanwhile.
    """

    compute: Callable
    build: Callable
    update: Callable
    controls: dict
    alt: str
    sweeps: tuple                                   # of (name, {other: value})
    size: tuple = (6.4, 3.6)

    def start(self):
        """The parameters an explorer opens with."""
        return {name: control.start for name, control in self.controls.items()}


class Frame:
    """An explorer's figure: `png(**parameters)` redraws only the artists that `build` returned."""

    def __init__(self, explorer, dpi=96):
        self.explorer = explorer
        self.figure = canvas(*explorer.size, dpi=dpi)
        with mpl.rc_context(_RC):
            artists = explorer.build(self.figure)
        self.artists = artists if isinstance(artists, dict) else dict(enumerate(artists))
        for artist in self.artists.values():
            artist.set_animated(True)
        with mpl.rc_context(_RC):
            self.figure.canvas.draw()
        self.figure.set_layout_engine("none")                 # the background stays as it was laid out
        self.background = self.figure.canvas.copy_from_bbox(self.figure.bbox)

    def png(self, **parameters):
        """The picture for these parameters, as PNG bytes."""
        self.explorer.update(self.artists, self.explorer.compute(**parameters))
        self.figure.canvas.restore_region(self.background)
        for artist in self.artists.values():
            artist.axes.draw_artist(artist) if artist.axes else self.figure.draw_artist(artist)
        canvas = self.figure.canvas
        picture = Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba(), "raw", "RGBA", 0, 1).convert("RGB")
        picture = picture.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)   # half the time and the bytes
        picture.putpalette([255 if value >= 253 else value for value in picture.getpalette()])   # white stays white
        out = io.BytesIO()
        picture.save(out, "png", compress_level=1)
        return out.getvalue()


class LiveFigure(widgets.VBox):
    """Sliders above a figure; every move recomputes and sends one PNG, which also stands where no kernel runs."""

    def __init__(self, explorer):
        self.explorer, self.frame = explorer, Frame(explorer)
        self.inputs = {name: control.widget() for name, control in explorer.controls.items()}
        width = f"{round(self.frame.figure.bbox.width)}px"
        self.image = widgets.Image(format="png", layout={"width": width, "max_width": "100%"})
        for name, control in explorer.controls.items():
            self.inputs[name].description = _named(control)
            self.inputs[name].style = {"description_width": "15.4em"}      # grows with its letters in a lecture
            self.inputs[name].layout = {"width": width, "max_width": "100%"}
            self.inputs[name].observe(self._refresh, "value")
        caption = widgets.HTML(f"<em>{explorer.alt}</em>", layout={"width": width, "max_width": "100%"})
        super().__init__([*self.inputs.values(), self.image, caption])
        self._refresh()

    @property
    def values(self):
        """The parameters as the controls stand now."""
        return {name: control.value for name, control in self.inputs.items()}

    def _refresh(self, _change=None):
        self.image.value = self.frame.png(**self.values)

    def __repr__(self):
        return f"LiveFigure({', '.join(f'{name}={value}' for name, value in self.values.items())})"

    def _repr_mimebundle_(self, **options):
        bundle = super()._repr_mimebundle_(**options)                       # the live view ...
        still = encoded(small_png(Image.open(io.BytesIO(self.image.value)).convert("RGB")))
        twin = {"image/png": still, "text/plain": repr(self)}               # ... and its twin where no kernel runs
        return {**bundle, **twin}, {"image/png": {"alt": self.explorer.alt}}


def sweep(explorer, parameter, frames=30, dpi=72, **others):
    """Turn one control into an animation that needs no kernel (for slides and the site), as HTML.

    Above each frame stand the value of the control and those of `others`, which do not stand where the explorer starts.
    """
    frame, shown = Frame(explorer, dpi=dpi), []
    for value in swept(explorer.controls[parameter], frames):
        words = "    ".join(explorer.controls[name].said(at) for name, at in {parameter: value, **others}.items())
        picture = frame.png(**{**explorer.start(), **others, parameter: value})
        shown.append((words, Image.open(io.BytesIO(picture))))
    width, height = shown[0][1].size
    strip = round(0.36 * dpi)                                            # pixels above the picture, for the words
    across, down = width + width % 2, height + strip + (height + strip) % 2         # players want even numbers

    def build(fig):
        axes = fig.add_axes((0, 0, width / across, height / down))
        axes.set_axis_off()
        return axes

    def draw(axes, frame):
        words, image = frame
        axes.imshow(image, interpolation="nearest", aspect="auto")
        axes.text(0.5, 1 + strip / height / 2, words, transform=axes.transAxes, ha="center", va="center", fontsize=13,
                  fontweight="bold")

    return to_html(build, draw, shown, width=across / dpi, height=down / dpi, dpi=dpi)


def swept(control, frames):
    """The values that a sweep shows: all options of a list, up to `frames` values of a slider and where it starts."""
    if isinstance(control, Choice):
        return list(control.options)
    start = round((control.start - control.low) / control.step)
    even = np.linspace(0, round((control.high - control.low) / control.step), frames - 1).round().astype(int)
    return [type(control.start)(round(control.low + step * control.step, 9)) for step in sorted({*even.tolist(), start})]
