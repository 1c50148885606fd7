"""One small class shows every explorer: the moving artists are redrawn on a cached background and sent as a PNG."""
import io

import ipywidgets as widgets
import matplotlib as mpl
from PIL import Image

from ..lessons.kinds import Choice
from ..plots.style import RC, canvas, encoded, small_png
from .lookup import explorer


class Frame:
    """An explorer's figure: `png(**parameters)` redraws only the artists that `build` returned."""

    def __init__(self, explorer, dpi=96):
        self.explorer = explorer
        self.figure = canvas(*explorer.size, dpi=dpi)
        with mpl.rc_context(RC):
            self.artists = explorer.build(self.figure)
        for artist in self.artists.values():
            artist.set_animated(True)
        with mpl.rc_context(RC):
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


def widget(control):
    """Make the slider or the drop-down list of a control; a slider has whole numbers where all its values are whole."""
    if isinstance(control, Choice):
        return widgets.Dropdown(value=control.start, options=list(control.options))
    make, format = (widgets.IntSlider, {}) if control.whole else (widgets.FloatSlider, {"readout_format": control.digits})
    return make(value=control.start, min=control.low, max=control.high, step=control.step, **format)


class LiveFigure(widgets.VBox):
    """Sliders above a figure; every move recomputes and sends one PNG, which also stands where no kernel runs."""

    def __init__(self, explorer):
        self.explorer, self.frame = explorer, Frame(explorer)
        self.inputs = {name: widget(control) for name, control in explorer.controls.items()}
        width = f"{round(self.frame.figure.bbox.width)}px"
        self.image = widgets.Image(format="png", layout={"width": width, "max_width": "100%"})
        for name, control in explorer.controls.items():
            self.inputs[name].description = control.name
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


def explore(name):
    """Open an explorer; move its sliders with the mouse or the arrow keys."""
    return LiveFigure(explorer(name))
