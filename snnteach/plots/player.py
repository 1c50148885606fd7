"""One player for films and sweeps: pictures with a label each, a slider and, where it is a film, buttons; all in one HTML."""
import io
import json
from html import escape
from math import isqrt
from pathlib import Path

from IPython.display import HTML
from PIL import Image

from .style import check_alt, encoded, small_palette

_SCRIPT = Path(__file__).with_name("player.js")
_KEYS = 'data-lm-suppress-shortcuts="true"'                       # else JupyterLab takes the arrow keys for its own
_BUTTONS = "".join(f'<button type="button" {_KEYS}>{word}</button>' for word in ("back", "play", "forward"))


def player(pictures, *, labels, alt, name, start=0, interval=None, width=None):
    """Show one of many pictures, chosen by a slider or played in turn, as HTML that needs nothing from a network.

    Args:
        pictures: PIL images of the same size.
        labels: what stands above each of them, such as "decay beta (per step): 0.90".
        alt: what they show, for readers who cannot see them.
        name: what the slider moves, such as "decay beta".
        start: number of the picture that is seen first, also where scripts do not run.
        interval: milliseconds from one picture to the next in a film; None for a sweep, which only its slider moves.
        width: of a picture on the page, in pixels; None for as many as it has.

    Raises:
        ValueError: not one label a picture, no alternative text, no name, no picture number `start`.
    """
    if len(labels) != len(pictures):
        raise ValueError(f"player: one label a picture, got {len(labels)} for {len(pictures)} pictures.")
    check_alt("player", alt)
    if not name.strip():
        raise ValueError("player: name must say what the slider moves.")
    if not 0 <= start < len(pictures):
        raise ValueError(f"player: start must be the number of a picture, 0 to {len(pictures) - 1}, got {start}.")
    sources = [f"data:image/png;base64,{encoded(picture)}" for picture in _small(pictures)]
    others = sources[:start] + sources[start + 1:]                                # the one on the page is not sent twice
    data = json.dumps({"pictures": others, "labels": list(labels), "interval": interval}).replace("<", r"\u003c")
    return HTML(f"""<div class="player {'film' if interval else 'sweep'}" style="display: inline-block; max-width: 100%">
<div class="player-label" style="text-align: center; font-weight: bold">{escape(labels[start])}</div>
<img alt="{escape(alt)}"{f' width="{width}"' if width else ''} src="{sources[start]}" style="max-width: 100%">
<div class="player-controls" style="display: flex; gap: .5em">{_BUTTONS if interval else ''}<input type="range" \
style="flex: 1; min-width: 0" autocomplete="off" {_KEYS} aria-label="{escape(name)}" aria-valuetext="{escape(labels[start])}" \
min="0" max="{len(pictures) - 1}" value="{start}"></div>
<script type="application/json">{data}</script>
</div>
<script>
{_SCRIPT.read_text(encoding="utf-8")}</script>""")


def _small(pictures):
    """Return PNG bytes with one small palette for all, so that no colour changes from one picture to the next."""
    pictures = [picture.convert("RGB") for picture in pictures]
    palette = _palette(pictures)
    for picture in pictures:
        buffer = io.BytesIO()
        picture.quantize(palette=palette, dither=Image.Dither.NONE).save(buffer, "png")
        yield buffer.getvalue()


def _palette(pictures):
    """Return the colours nearest to those of all pictures: each counts by the root of its pixels, and rare ones count, too."""
    pixels = {}
    for picture in pictures:
        for count, colour in picture.getcolors(picture.width * picture.height):
            pixels[colour] = pixels.get(colour, 0) + count
    weighed = [colour for colour in sorted(pixels) for _ in range(1 + isqrt(pixels[colour]))]
    line = Image.new("RGB", (len(weighed), 1))
    line.putdata(weighed)
    return small_palette(line)
