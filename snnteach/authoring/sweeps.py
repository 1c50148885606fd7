"""A sweep: what stands for an explorer on pages and slides that have no kernel."""
import io

from PIL import Image

from ..plots.animation import to_html
from ..reader.live import Frame


def sweep(explorer, parameter, frames=30, dpi=72, **others):
    """Turn one control into an animation that needs no kernel (for slides and the site), as HTML.

    Above each frame stand the value of the control and those of `others`, which do not stand where the explorer starts.
    """
    frame, shown = Frame(explorer, dpi=dpi), []
    for value in explorer.controls[parameter].swept(frames):
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
