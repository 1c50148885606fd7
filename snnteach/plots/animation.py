"""Animations with celluloid, made small enough for a notebook and free of anything that needs a network."""
import base64
import hashlib
import io
import re

import matplotlib as mpl
from celluloid import Camera
from IPython.display import HTML, Markdown, display
from PIL import Image

from .style import RC, canvas, check_alt, encoded, png, show_png, small_palette, small_png

_FRAME = re.compile(r'data:image/png;base64,([A-Za-z0-9+/=\\\n]+)')
_ICONS = {"fa-fast-backward": "|◀", "fa-step-backward": "-1", "fa-play fa-flip-horizontal": "◀", "fa-play": "▶",
          "fa-pause": "II", "fa-step-forward": "+1", "fa-fast-forward": "▶|", "fa-minus": "-", "fa-plus": "+"}


def to_html(build, draw, frames, *, width=6.0, height=3.5, dpi=72, interval=150):
    """Draw frames with celluloid and return one HTML player.

    `build(fig) -> axes` runs once, `draw(axes, frame)` for each of `frames` (at most 40).
    """
    if not 1 <= len(frames) <= 40:
        raise ValueError(f"animate: 1 to 40 frames keep the notebook small, got {len(frames)}.")
    with mpl.rc_context({**RC, "animation.embed_limit": 20}):
        fig, axes = _prepared(build, width, height, dpi)
        camera = Camera(fig)
        camera.snap()                                             # what `build` drew belongs to no frame alone:
        camera._photos.clear()                                    # it stays
        for frame in frames:
            draw(axes, frame)
            camera.snap()
        html = camera.animate(interval=interval, blit=False).to_jshtml(default_mode="once")
    return _offline(html)


def _prepared(build, width, height, dpi):
    fig = canvas(width, height, dpi)
    axes = build(fig)
    if any(ax.get_subplotspec() for ax in fig.axes):
        fig.canvas.draw()                                         # lay out once ...
    fig.set_layout_engine("none")                                 # ... so that no frame moves the axes
    return fig, axes


def animate(build, draw, frames, alt, *, still=-1, width=6.0, height=3.5, dpi=72, interval=150):
    """Show an animation with alternative text, and frame number `still` as a picture where scripts do not run."""
    check_alt("animate", alt)
    frames = list(frames)
    display(HTML(f"<div>{to_html(build, draw, frames, width=width, height=height, dpi=dpi, interval=interval)}</div>"))
    with mpl.rc_context(RC):
        fig, axes = _prepared(build, width, height, dpi)          # afresh: celluloid leaves its artists hidden
        draw(axes, frames[still])
    show_png(png(fig), alt, "One frame")
    display(Markdown(f"*{alt} The picture is one frame, for pages that play no script.*"))


def _offline(html):
    """Quantise the frames, replace the icon font by letters, and make the random id a hash of the content."""
    pictures = iter(_quantised([base64.b64decode(re.sub(r"[\\\n]", "", text)) for text in _FRAME.findall(html)]))
    html = _FRAME.sub(lambda match: "data:image/png;base64," + encoded(next(pictures)), html)
    html = re.sub(r'<link rel="stylesheet"[^>]*>', "", html, flags=re.DOTALL)
    html = re.sub(r'<i class="fa ([a-z -]+)"></i>', lambda match: _ICONS.get(match[1], match[1]), html)
    name = re.search(r"_anim_img([0-9a-f]{32})", html)[1]
    return html.replace(name, hashlib.md5(html.replace(name, "").encode()).hexdigest())


def _quantised(pictures):
    """Return PNG bytes with one small palette for all, so that no colour changes while they play."""
    images = [Image.open(io.BytesIO(picture)).convert("RGB") for picture in pictures]
    width, height = images[0].size
    together = Image.new("RGB", (width, height * len(images)))
    for place, image in enumerate(images):
        together.paste(image, (0, height * place))
    palette = small_palette(together)
    return [small_png(image, palette) for image in images]
