"""Films drawn with celluloid, small enough for a notebook."""
import matplotlib as mpl
from celluloid import Camera
from matplotlib.animation import AbstractMovieWriter

from .player import player
from .style import RC, canvas, check_alt, drawn, show_figure


class Pictures(AbstractMovieWriter):
    """Collects the frames of an animation of matplotlib as images, in `frames`."""

    def setup(self, fig, outfile, dpi=None):
        """Begin with no frame."""
        super().setup(fig, outfile, dpi)
        self.frames = []

    def grab_frame(self, **_):
        """Take what matplotlib has just drawn."""
        self.frames.append(drawn(self.fig))

    def finish(self):
        """Nothing is left to write."""


def film(build, draw, frames, alt, *, still=-1, width=6.0, height=3.5, dpi=144, interval=150):
    """Draw frames with celluloid and return them as a player, in HTML, 96 pixels of the page an inch.

    `build(fig) -> axes` runs once, `draw(axes, frame)` for each of `frames` (at most 40). It opens on frame number `still`,
    which should say something, and plays from the first. More `dpi` are sharper and larger.
    """
    if not 1 <= len(frames) <= 40:
        raise ValueError(f"animate: 1 to 40 frames keep the notebook small, got {len(frames)}.")
    with mpl.rc_context(RC):
        fig, axes = _prepared(build, width, height, dpi)
        camera = Camera(fig)
        camera.snap()                                             # what `build` drew belongs to no frame alone:
        camera._photos.clear()                                    # it stays
        for frame in frames:
            draw(axes, frame)
            camera.snap()
        pictures = Pictures()
        camera.animate(blit=False).save("film", writer=pictures)
    labels = [f"frame {number} of {len(frames)}" for number in range(1, len(frames) + 1)]
    shown = round(canvas(width).bbox.width)
    return player(pictures.frames, labels=labels, alt=alt, name="frame", start=range(len(frames))[still], interval=interval,
                  width=shown)


def _prepared(build, width, height, dpi):
    fig = canvas(width, height, dpi)
    axes = build(fig)
    if any(ax.get_subplotspec() for ax in fig.axes):
        fig.canvas.draw()                                         # lay out once ...
    fig.set_layout_engine("none")                                 # ... so that no frame moves the axes
    return fig, axes


def animate(build, draw, frames, alt, *, still=-1, width=6.0, height=3.5, dpi=144, interval=150):
    """Show an animation with alternative text; frame number `still` is seen first, and is the picture where no film can be."""
    check_alt("animate", alt)
    frames = list(frames)
    html = film(build, draw, frames, alt, still=still, width=width, height=height, dpi=dpi, interval=interval).data
    with mpl.rc_context(RC):
        fig, axes = _prepared(build, width, height, 96)           # afresh: celluloid leaves its artists hidden
        draw(axes, frames[still])
    show_figure(fig, alt, {"text/html": html, "text/plain": "One frame"})
