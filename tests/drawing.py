"""Compare what explorers and films have drawn with numbers, artist by artist; what no test compares is a failure, too.

A text is compared by its words, `{}` where a number stands, and its numbers as exactly as they are printed.
"""
import functools
import random
import re

import matplotlib as mpl
import numpy as np
from matplotlib.collections import Collection
from matplotlib.colors import to_rgba_array
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, Patch
from matplotlib.text import Annotation, Text

from snnteach.authoring import notebooks
from snnteach.lessons.kinds import Choice
from snnteach.plots import COLORS
from snnteach.plots.animation import _prepared as prepared
from snnteach.plots.style import RC
from snnteach.reader.live import Frame
from snnteach.reader.lookup import explorer as find
from tests.listings import namespace

NUMBER = r"([-+]?\d+\.?\d*(?:e[-+]?\d+)?)"
FAINT, THIN, SMALL, TINY = 0.1, 0.4, 1.5, 5.0    # the least that a reader can see: opacity, width, mark, letters in points
KINDS = {"line": "lines", "text": "texts", "patch": "patches", "image": "images", "collection": "collections"}


class Picture:
    """Artists by name; each method compares one of them with what it should show."""

    def __init__(self, artists, said=""):
        self.artists, self.left, self.said = artists, set(artists), said

    def done(self):
        """Fail if an artist was compared with nothing."""
        assert not self.left, f"never compared, {self.said}: {sorted(self.left)}"

    def line(self, name, x, y, color, style="-", *, marker="None", steps="default", label=None, clipped=False):
        """A curve through (x, y), inside its axes unless it may be `clipped`."""
        line = self._curve(name, x, y, style, marker, clipped)
        self._color(name, line.get_color(), color)
        self._equal(name, line.get_drawstyle(), steps)
        self._equal(name, None if line.get_label().startswith("_") else line.get_label(), label)

    def points(self, name, x, y, color, marker="o", edge=None):
        """Marks without a line at (x, y), all of them inside their axes."""
        marks = self._curve(name, x, y, "None", marker, False)
        self._color(name, marks.get_markerfacecolor(), color)
        self._color(name, marks.get_markeredgecolor(), edge or color)

    def rule(self, name, color, style="-", *, x=None, y=None):
        """A straight line across the axes, upright at x or level at y."""
        line, place = self._take(name), y if x is None else x
        self._placed(name, line.get_xydata(), [(0, place), (1, place)] if x is None else [(place, 0), (place, 1)])
        low, high = sorted(line.axes.get_ylim() if x is None else line.axes.get_xlim())
        assert low <= place <= high, f"{name} is hidden, {self.said}"
        self._equal(name, line.get_linestyle(), style)
        self._color(name, line.get_color(), color)

    def says(self, name, words, *numbers, at=None, color=None):
        """A text, the numbers in it, and where it stands."""
        text = self._take(name)
        found = re.fullmatch(re.escape(words).replace(r"\{\}", NUMBER), text.get_text())
        assert found, f"{name}, {self.said}: {text.get_text()!r}, not {words!r}"
        for shown, number in zip(found.groups(), numbers, strict=True):
            assert abs(float(shown) - float(number)) <= 0.51 * _unit(shown), f"{name}, {self.said}: {shown}, not {number}"
        if at is not None:
            spot = text.xy if isinstance(text, Annotation) else text.get_position()
            on_data = text.xycoords == "data" if isinstance(text, Annotation) else text.get_transform() == text.axes.transData
            (self._placed if on_data else self._near)(name, spot, at)
        if color:
            self._color(name, text.get_color(), color)
        if text.get_transform() == text.axes.transData and not isinstance(text, Annotation):
            self._inside(name, [text.get_position()])

    def bar(self, name, x, y, width, height, color, edge=None, style="-", *, clipped=False):
        """A rectangle from the corner (x, y)."""
        bar = self._take(name)
        self._placed(name, bar.get_bbox().get_points(), [(x, y), (x + width, y + height)])
        self._color(name, bar.get_facecolor(), color)
        if not clipped:
            self._inside(name, bar.get_bbox().corners())
        if edge:
            self._color(name, bar.get_edgecolor(), edge)
            self._equal(name, bar.get_linestyle(), style)
            assert bar.get_linewidth() >= THIN, f"{name} has too thin an edge, {self.said}"

    def image(self, name, values, cmap, limits, extent=None, origin="upper"):
        """A picture of a matrix, its colours, and where it lies."""
        image, values = self._take(name), np.asarray(values)
        rows, columns = values.shape[:2]
        self._near(name, np.ma.filled(image.get_array().astype(float), np.nan), values, min(limits[1] - limits[0], 1))
        self._equal(name, (image.get_cmap().name, image.get_clim(), image.origin), (cmap, limits, origin))
        left, right, bottom, top = extent or (-0.5, columns - 0.5, rows - 0.5, -0.5)
        self._placed(name, np.reshape(image.get_extent(), (2, 2)).T, [(left, bottom), (right, top)])

    def segments(self, name, ends, color):
        """Straight pieces [n, 2, 2], each from (x, y) to (x, y)."""
        lines = self._take(name)
        ends = np.asarray(ends, float).reshape(-1, 2, 2)
        self._placed(name, np.asarray(lines.get_segments(), float).reshape(-1, 2), ends.reshape(-1, 2))
        self._inside(name, ends.reshape(-1, 2))
        self._color(name, lines.get_color(), color)

    def stairs(self, name, values, edges, color, label="", *, clipped=False):
        """A histogram."""
        stairs = self._take(name)
        found = stairs.get_data()
        self._placed(name, np.column_stack([found.edges[1:], found.values]), np.column_stack([edges[1:], values]))
        self._near(name, found.edges[0], edges[0])
        if not clipped:
            self._inside(name, np.column_stack([edges[1:], values]))
        self._color(name, stairs.get_facecolor() if stairs.get_fill() else stairs.get_edgecolor(), color)
        self._equal(name, stairs.get_label(), label)

    def band(self, name, x, low, high, color):
        """An area between two curves over x."""
        area, count = self._take(name), len(x)
        (path,) = area.get_paths()
        vertices = path.vertices                           # a corner, below, a corner, above and back
        self._placed(name, vertices[1:count + 1], np.column_stack([x, low]))
        self._placed(name, vertices[count + 2:2 * count + 2][::-1], np.column_stack([x, high]))
        self._color(name, area.get_facecolor(), color)

    def arrow(self, name, start, end, color):
        """An arrow from one point to another."""
        arrow = self._take(name)
        self._placed(name, arrow._posA_posB, [start, end])
        self._color(name, arrow.get_edgecolor(), color)

    def arrows(self, name, places, sizes, color):
        """A field of arrows: where each stands and how far it points."""
        field = self._take(name)
        self._placed(name, field.get_offsets(), places)
        self._near(name, np.column_stack([field.U, field.V]), sizes, min(np.abs(sizes).max(initial=0), 1))
        self._color(name, field.get_facecolor(), color)
        longest = max(np.ptp(field.get_transform().transform(path.vertices), axis=0).max() for path in field.get_paths())
        assert longest >= 3, f"{name}: no arrow is longer than {longest} pixels, {self.said}"

    def circle(self, name, centre, radius):
        """A disc."""
        disc = self._take(name)
        self._placed(name, np.add(disc.get_center(), [(0, 0), [disc.get_radius()] * 2]), np.add(centre, [(0, 0), [radius] * 2]))

    def axes(self, name, title, x, y, xticks=None, yticks=None, xscale="linear", yscale="linear", legend=()):
        """Title, axis labels with their limits, as (label, low, high), named ticks, as {place: words}, and the legend."""
        ax = self._take(name)
        self._equal(name, (ax.get_xscale(), ax.get_yscale()), (xscale, yscale))
        self._equal(name, ax.get_title(loc="left"), title)
        self._equal(name, (ax.get_xlabel(), ax.get_ylabel()), (x[0], y[0]))
        self._placed(name, np.column_stack([ax.get_xlim(), ax.get_ylim()]), np.column_stack([x[1:], y[1:]]))
        self._equal(name, tuple(text.get_text() for text in ax.get_legend().texts) if ax.get_legend() else (), legend)
        for axis, ticks in ((ax.xaxis, xticks), (ax.yaxis, yticks)):
            if ticks is not None:
                self._near(name, axis.get_majorticklocs(), list(ticks))
                self._equal(name, [label.get_text() for label in axis.get_ticklabels()], list(ticks.values()))
        for text in (ax._left_title, ax.xaxis.label, ax.yaxis.label, *(ax.get_legend().texts if ax.get_legend() else ()),
                     *(ax.get_xticklabels() if xticks else ()), *(ax.get_yticklabels() if yticks else ())):
            self._legible(name, text)

    def over(self, *names):
        """Each of these covers the one before, live and in a still."""
        for below, above in zip(names, names[1:], strict=False):
            heights = [self.artists[name].get_zorder() for name in (below, above)]
            order = [list(self.artists).index(name) for name in (below, above)]
            assert heights == sorted(heights) and order == sorted(order), f"{above} lies below {below}"

    def _curve(self, name, x, y, style, marker, clipped):
        line = self._take(name)
        wanted = np.column_stack([np.asarray(x, float), np.asarray(y, float)])
        self._placed(name, line.get_xydata(), wanted)
        self._equal(name, (line.get_linestyle(), line.get_marker()), (style, marker))
        if not clipped:
            self._inside(name, wanted)
        return line

    def _take(self, name):
        """The artist, once a reader could see it."""
        self.left.discard(name)
        artist = self.artists[name]
        said = f"{name} cannot be seen, {self.said}"
        assert artist.get_visible() and (artist.axes is None or artist.axes.get_visible()), said
        assert np.min(1 if artist.get_alpha() is None else artist.get_alpha()) >= FAINT and artist.get_zorder() >= 0, said
        if isinstance(artist, Text):
            self._legible(name, artist)
        elif isinstance(artist, Line2D):
            marked = artist.get_marker() not in ("None", "none", "", " ", None)
            drawn = artist.get_linestyle() not in ("None", "none", "", " ")
            assert not drawn or artist.get_linewidth() >= THIN, said
            assert not marked or (artist.get_markersize() >= SMALL and artist.get_markevery() is None), said
            assert not marked or artist.get_marker() in Line2D.filled_markers or artist.get_markeredgewidth() >= THIN, said
        elif isinstance(artist, Patch | Collection):
            faces, edges, widths = (np.atleast_1d(values) for values in (
                to_rgba_array(artist.get_facecolor()), to_rgba_array(artist.get_edgecolor()), artist.get_linewidth()))
            filled = len(faces) > 0 and not isinstance(artist, FancyArrowPatch) and (faces[:, 3] >= FAINT).all()
            assert filled or (len(edges) and (edges[:, 3] >= FAINT).all() and (widths >= THIN).all()), said
        return artist

    def _legible(self, name, text):
        """Demand of a text, unless it is empty, that its letters are large and dark enough and lie within the figure."""
        if not text.get_text().strip():
            return
        said = f"{name}: {text.get_text()!r} cannot be read, {self.said}"
        *color, opaque = to_rgba_array(text.get_color(), text.get_alpha())[0]
        assert text.get_visible() and opaque >= FAINT and text.get_fontsize() >= TINY, said
        assert min(color) < 0.9 or text.get_bbox_patch(), said
        (left, low), (right, high) = text.get_window_extent(text.figure.canvas.get_renderer()).get_points()
        width, height = text.figure.bbox.size
        assert -1 <= left < right <= width + 1 and -1 <= low < high <= height + 1, \
            f"{said}: {[round(float(edge)) for edge in (left, low, right, high)]} of {width, height}"

    def _placed(self, name, found, wanted):
        """Compare points (x, y), also as shares of the axes that they stand in."""
        self._near(name, found, wanted)
        artist = self.artists[name]
        ax = artist.axes or artist
        self._near(name, *(ax.transLimits.transform(ax.transScale.transform(np.asarray(points, float).reshape(-1, 2)))
                           for points in (found, wanted)))

    def _near(self, name, found, wanted, span=1):
        found, wanted = np.asarray(found, float), np.asarray(wanted, float)
        assert found.shape == wanted.shape, f"{name}, {self.said}: {found.shape}, not {wanted.shape}"
        far = ~np.isclose(found, wanted, rtol=1e-4, atol=1e-4 * span, equal_nan=True)
        assert not far.any(), f"{name}, {self.said}: {found[far][:4]}, not {wanted[far][:4]}, {np.argwhere(far)[:4].tolist()}"

    def _equal(self, name, found, wanted):
        assert found == wanted, f"{name}, {self.said}: {found!r}, not {wanted!r}"

    def _color(self, name, found, wanted):
        """Every one of the colours found is the wanted one, and none of them is transparent."""
        found = to_rgba_array(found)
        assert len(found) and (found[:, 3] >= FAINT).all(), f"{name} is transparent, {self.said}"
        self._near(name, found[:, :3], np.broadcast_to(to_rgba_array(COLORS.get(wanted, wanted))[:, :3], found[:, :3].shape))

    def _inside(self, name, points):
        points, ax = np.asarray(points, float).reshape(-1, 2), self.artists[name].axes
        for values, limits in zip(points.T, (ax.get_xlim(), ax.get_ylim()), strict=True):
            values, (low, high) = values[np.isfinite(values)], sorted(limits)
            assert ((low - 1e-6 <= values) & (values <= high + 1e-6)).all(), f"{name} is hidden, {self.said}"


def _unit(shown):
    """What the last digit of a printed number is worth."""
    digits, _, power = shown.partition("e")
    return 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))


@functools.cache
def built(name):
    """An explorer's figure, built once."""
    return Frame(find(name), dpi=50)


def pictures(name, count=10):
    """Yield (picture, settings): an explorer at its start, its corners and at random settings, in one figure.

    The picture has what `build` returned; each of it has to be compared at every setting.
    """
    for settings in tried(find(name), count):
        explorer, artists = built(name).explorer, built(name).artists
        explorer.update(artists, explorer.compute(**settings))
        picture = Picture(artists, f"{name} at {settings}")
        yield picture, settings
        picture.done()


def tried(explorer, count):
    """The start, both ends of all controls at once and of each alone, `count` random corners, and as many random values."""
    controls, start, dice = explorer.controls, explorer.start(), random.Random(0)
    settings = [start, *({name: control.corners[end] for name, control in controls.items()} for end in (0, -1))]
    settings += [{**start, name: value} for name, control in controls.items() for value in control.corners]
    for _ in range(count):
        settings.append({name: dice.choice(control.corners) for name, control in controls.items()})
        settings.append({name: _drawn_from(control, dice) for name, control in controls.items()})
    return [choice for place, choice in enumerate(settings) if choice not in settings[:place]]


def _drawn_from(control, dice):
    if isinstance(control, Choice):
        return dice.choice(control.options)
    steps = dice.randint(0, round((control.high - control.low) / control.step))
    return type(control.start)(round(control.low + steps * control.step, 9))


def background(name):
    """What an explorer's `build` drew and never moves, as "0.line0", "0.text0", and "0" for the first axes themselves."""
    moving = set(built(name).artists.values())
    return _drawn(built(name).figure, moving, f"background of {name}")


def film(build, draw, frame, *, width=7.0, height=4.0):
    """Return two pictures of a film in its notebook's size: what `build` drew, and what `draw` added for one frame."""
    with mpl.rc_context(RC):
        fig, axes = prepared(build, width, height, 50)
        still = _drawn(fig, (), "what the film keeps")
        draw(axes, frame)
        fig.draw_without_rendering()                                      # texts find their places
    moved = _drawn(fig, set(still.artists.values()), "frame of the film")
    return still, moved


def filmed(number, **names):
    """Run the film's cell of a notebook after its setup and listings; return what it gives to `animate`, and its names."""
    taken, names = [], {**namespace(number), **names, "animate": lambda *film, **options: taken.append(film[:3])}
    (path,) = notebooks.paths([number])
    (cell,) = [cell for cell in notebooks.read(path).cells if cell.cell_type == "code" and "animate(" in cell.source]
    exec(compile(cell.source, f"{path.stem}:{cell.id}", "exec"), names)
    return *taken, names


def _drawn(fig, known, said):
    artists = {}
    for place, ax in enumerate(fig.axes):
        artists[f"{place}"] = ax
        for kind, group in KINDS.items():
            new = [artist for artist in getattr(ax, group) if artist not in known]
            artists |= {f"{place}.{kind}{number}": artist for number, artist in enumerate(new)}
    return Picture({name: artist for name, artist in artists.items() if artist not in known}, said)


def state(artist):
    """What a control may move of an artist, as bytes and text."""
    if isinstance(artist, Text):
        return artist.get_text(), artist.get_position()
    if isinstance(artist, AxesImage):
        return artist.get_array().tobytes(), tuple(artist.get_extent())
    if isinstance(artist, Patch):
        return artist.get_path().transformed(artist.get_patch_transform()).vertices.tobytes(), artist.get_facecolor()
    if isinstance(artist, Collection):
        return [path.vertices.tobytes() for path in artist.get_paths()]
    return artist.get_xydata().tobytes(), artist.get_color(), artist.get_marker()
