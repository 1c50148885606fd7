"""The course's figure style and how a figure reaches the page."""
import base64
import io

import matplotlib as mpl
import numpy as np
from IPython.display import Markdown, display
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

COLORS = {  # Okabe and Ito: told apart by readers with any colour vision
    "black": "#000000", "orange": "#E69F00", "sky": "#56B4E9", "green": "#009E73",
    "yellow": "#F0E442", "blue": "#0072B2", "vermillion": "#D55E00", "purple": "#CC79A7",
}
STYLES = ("-", "--", "-.", ":")  # the second carrier beside colour
RC = {
    "figure.facecolor": "white", "axes.facecolor": "white", "savefig.facecolor": "white",
    "font.size": 10, "axes.titlesize": 11, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": False, "lines.linewidth": 1.8,
    "legend.frameon": False, "legend.fontsize": 9, "figure.constrained_layout.use": True, "mathtext.fontset": "cm",
    "hatch.linewidth": 1.2, "image.interpolation": "nearest",
    "axes.prop_cycle": mpl.cycler(color=[COLORS[name] for name in ("blue", "vermillion", "green", "purple", "orange", "sky")]),
}


def use_style():
    """Make the course's style the default of matplotlib in this session; `setup` calls it."""
    mpl.rcParams.update(RC)


SHARP = 2  # pictures have this many pixels for each one of the page, so that a projector does not blur them
_scale = 1.0


def enlarge(scale):
    """Draw every figure from now on `scale` times as large, letters and lines included; `lecture` calls it."""
    global _scale
    _scale = scale


def enlarged():
    """Return how many times as large figures are drawn: more than once in a lecture."""
    return _scale


def canvas(width=6.0, height=3.5, dpi=96):
    """Make an empty figure in the course's style, without pyplot (nothing to close, nothing shown twice)."""
    with mpl.rc_context(RC):
        fig = Figure(figsize=(width, height), dpi=dpi * _scale)
    FigureCanvasAgg(fig)
    return fig


def figure(width=6.0, height=3.5, rows=1, cols=1, **options):
    """Make (figure, axes) in the course's style; `options` go to matplotlib's `Figure.subplots`."""
    fig = canvas(width, height)
    with mpl.rc_context(RC):
        axes = fig.subplots(rows, cols, **options)
    return fig, axes


def png(fig, sharp=1):
    """Draw the figure, `sharp` pixels for each one of the page, and return its PNG bytes, with few colours to be small."""
    fig.dpi *= sharp
    with mpl.rc_context(RC):
        fig.canvas.draw()
    fig.dpi /= sharp
    return small_png(drawn(fig))


def drawn(fig):
    """Return what was last drawn of the figure as an image."""
    return Image.fromarray(np.asarray(fig.canvas.buffer_rgba())[..., :3])


def small_png(image):
    """Return an image as PNG bytes with a small palette."""
    buffer = io.BytesIO()
    image.quantize(palette=small_palette(image), dither=Image.Dither.NONE).save(buffer, "png", optimize=True)
    return buffer.getvalue()


def small_palette(image):
    """Return the 64 colours that come nearest to all in an image, the rare ones too; white stays white."""
    palette = image.quantize(64, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
    palette.putpalette([255 if value >= 250 else value for value in palette.getpalette()])
    return palette


def show(fig, alt):
    """Show a figure with alternative text `alt`, which is also its visible caption."""
    check_alt("show", alt)
    show_figure(fig, alt, {"text/plain": "Figure"})


def show_figure(fig, alt, twins):
    """Show a figure at its size, drawn sharper, above its caption; `twins` are its other forms, by the name of their format."""
    seen = {"alt": alt, "width": round(fig.bbox.width)}
    display({"image/png": encoded(png(fig, SHARP))} | twins, metadata={"image/png": seen}, raw=True)
    display(Markdown(f"*{alt}*"))


def check_alt(owner, alt):
    """Refuse a picture without alternative text."""
    if not alt or not alt.strip():
        raise ValueError(f"{owner}: alt must say in a sentence what the figure shows, for readers who cannot see it.")


def encoded(picture):
    """PNG bytes as the text that notebooks store."""
    return base64.b64encode(picture).decode()
