"""Pictures of the thing itself: circuits, neurons, layers, graphs and synapses, with the symbols of the equations on them."""
import itertools
import math

import matplotlib as mpl
import numpy as np
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

from .style import COLORS, RC, canvas

HEADS = {"->": "-|>,head_width=0.28,head_length=0.55", "-|": "|-|,widthA=0,widthB=0.45", "-": "-"}     # acts, takes away, joins
_ALONE = (0, (0.001, 1e5))                                         # a dash too short to be seen, then a gap that never ends
_TURN = np.linspace(0, 2 * math.pi, 61)
PARTS = {  # half its length, and its strokes as (along, across), in inches
    "resistor": (0.3, [[(-0.3, 0), *((-0.25 + 0.1 * k, 0.11 * (-1) ** k) for k in range(6)), (0.3, 0)]]),
    "capacitor": (0.06, [[(side, -0.22), (side, 0.22)] for side in (-0.06, 0.06)]),
    "battery": (0.05, [[(-0.05, -0.12), (-0.05, 0.12)], [(0.05, -0.24), (0.05, 0.24)]]),
    "source": (0.24, [[(0.24 * math.cos(a), 0.24 * math.sin(a)) for a in _TURN], [(-0.14, 0), (0.14, 0)],
                      [(0.03, 0.08), (0.14, 0), (0.03, -0.08)]]),
    "switch": (0.25, [[(-0.25, 0), (0.2, 0.2)]]),
    "ground": (0, [[(0.08 * k, 0.2 - 0.07 * k), (0.08 * k, 0.07 * k - 0.2)] for k in range(3)]),
}


class Diagram:
    """A figure of `width` x `height` inches, (0, 0) at its lower left, one unit an inch: `show(diagram.fig, alt)`.

    Nodes are drawn at a centre and have a name; arrows run between names or points (x, y). Colours are names of `COLORS`.
    """

    def __init__(self, width=6.4, height=3.0):
        self.fig = canvas(width, height)
        self.fig.set_layout_engine("none")
        with mpl.rc_context(RC):
            self.ax = self.fig.add_axes((0, 0, 1, 1))
        self.ax.set(xlim=(0, width), ylim=(0, height))
        self.ax.set_axis_off()
        self.nodes = {}

    def text(self, x, y, words, *, color="black", size=11, **options):
        """Write words centred at (x, y); `options` go to matplotlib's text."""
        look = {"ha": "center", "va": "center", "linespacing": 1.3, "zorder": 4} | options
        return self.ax.text(x, y, words, color=COLORS.get(color, color), fontsize=size, **look)

    def circle(self, name, x, y, words="", *, radius=0.3, color="black", fill="white", style="-", size=14):
        """Draw a neuron or a variable."""
        return self._node(name, Circle((x, y), radius), (x, y), (radius, radius), words, color, fill, style, size)

    def box(self, name, x, y, words="", *, width=1.2, height=0.55, color="black", fill="white", style="-", size=11):
        """Draw a layer, a rule or a thing; with `fill="none"` and `style="--"` it frames others."""
        shape = FancyBboxPatch((x - width / 2 + 0.06, y - height / 2 + 0.06), width - 0.12, height - 0.12,
                               boxstyle="round,pad=0.06,rounding_size=0.1")
        return self._node(name, shape, (x, y), (width / 2, height / 2), words, color, fill, style, size)

    def _node(self, name, shape, centre, half, words, color, fill, style, size):
        if name in self.nodes:
            raise ValueError(f"diagram: there is a node {name!r} already.")
        color = COLORS.get(color, color)
        shape.set(edgecolor=color, facecolor=COLORS.get(fill, fill), linewidth=1.8, linestyle=style)
        shape.set_zorder(1 if fill == "none" else 3)
        self.ax.add_patch(shape)
        self.nodes[name] = shape, centre, half
        self.text(*centre, words, color=color, size=size)
        return name

    def column(self, name, x, y, count, *, height, radius=0.13, dots=False, **look):
        """Draw a layer as circles name0, name1, ... from above; `dots` leaves a gap before the last. Returns their names."""
        places = list(np.linspace(y + height / 2 - radius, y - height / 2 + radius, count + dots))
        if dots:
            self.text(x, places.pop(-2), r"$\vdots$", size=14)
        return [self.circle(f"{name}{n}", x, place, radius=radius, **look) for n, place in enumerate(places)]

    def arrow(self, start, end, words="", *, color="black", style="-", head="->", bend=0.0, at=0.5, shift=(0, 0), width=1.8,
              size=13):
        """Draw an arrow that bends to the left by the share `bend` of its length; its words stand on it, at the share `at`."""
        (start_shape, a), (end_shape, b) = self._end(start), self._end(end)
        color = COLORS.get(color, color)
        self._draw(a, b, head, style, color, width, patchA=start_shape, patchB=end_shape, connectionstyle=f"arc3,rad={-bend}",
                   shrinkA=0 if start_shape is None else 1.5, shrinkB=0 if end_shape is None else 2.5)
        if words:
            side = bend * np.array([a[1] - b[1], b[0] - a[0]])                                # of the curve's control point
            spot = (1 - at) * np.array(a) + at * np.array(b) + 2 * at * (1 - at) * side + shift
            blank = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
            self.text(*spot, words, color=color, size=size, zorder=2.5, bbox=blank)

    def _draw(self, a, b, head, style, color, width, *, shrinkB, **options):
        """An arrow; one with a pattern is drawn without its head, then the head alone, which a pattern would fray."""
        if head not in HEADS:
            raise ValueError(f"diagram: head must be one of {', '.join(HEADS)}, got {head!r}.")
        frays = style != "-" and head == "->"
        for kind, pattern, shrink, scale in (("-", style, 6, 14), (head, _ALONE, 0, 18)) if frays else ((head, style, 0, 14),):
            self.ax.add_patch(FancyArrowPatch(
                a, b, arrowstyle=HEADS[kind], linestyle=pattern, shrinkB=shrinkB + shrink, color=color, linewidth=width,
                mutation_scale=scale, zorder=2, capstyle="butt", **options))

    def loop(self, name, words="", *, angle=90, color="black", style="-", head="->", size=13):
        """Draw an arrow from a node back to itself, on the side that `angle` points to (degrees; 90 is above)."""
        _, centre, half = self._known(name)
        out, *turned = (np.array([math.cos(math.radians(angle + turn)), math.sin(math.radians(angle + turn))])
                        for turn in (0, 40, -40))
        ends = [centre + half * turn for turn in turned]
        self._draw(*ends, head, style, COLORS.get(color, color), 1.8, connectionstyle="arc3,rad=-1.7", shrinkA=0, shrinkB=1)
        self.text(*(centre + (np.array(half) + 0.85 * max(half) + 0.12) * out), words, color=color, size=size)

    def fan(self, starts, ends, *, color="0.8", width=0.7):
        """Join every one of `starts` with every one of `ends`, by thin lines."""
        for start, end in itertools.product(starts, ends):
            self.arrow(start, end, color=color, head="-", width=width)

    def wire(self, *points, color="black", style="-", width=1.8):
        """Draw a line through the points."""
        self.ax.plot(*np.transpose(points), color=COLORS.get(color, color), linestyle=style, linewidth=width, zorder=2,
                     solid_capstyle="round")

    def dot(self, x, y, *, color="black", size=5):
        """Draw a point, such as a joint of wires."""
        self.ax.plot([x], [y], "o", color=COLORS.get(color, color), markersize=size, zorder=4)

    def part(self, kind, start, end, words="", *, color="black", side=1, gap=0.36):
        """Draw a circuit's part in the middle of a wire; its words stand to the left of the way to `end` (`side=-1`: right)."""
        if kind not in PARTS:
            raise ValueError(f"diagram: kind must be one of {', '.join(PARTS)}, got {kind!r}.")
        start, end, (half, strokes) = np.array(start, float), np.array(end, float), PARTS[kind]
        along = (end - start) / np.hypot(*(end - start))
        across, middle = np.array([-along[1], along[0]]), end if kind == "ground" else (start + end) / 2
        self.wire(start, middle - half * along, color=color)
        self.wire(middle + half * along, end, color=color)
        for stroke in strokes:
            self.wire(*(middle + a * along + b * across for a, b in stroke), color=color)
        self.text(*(middle + side * gap * across), words, color=color, size=14)

    def train(self, x, y, spk, *, width, height=0.22, color="black"):
        """Draw spikes [T] as ticks on a line that begins at (x, y)."""
        spk = np.asarray(spk, float)
        self.wire((x, y), (x + width, y), color="0.6", width=1)
        steps = x + (np.flatnonzero(spk) + 0.5) * width / len(spk)
        self.ax.vlines(steps, y, y + height, color=COLORS.get(color, color), linewidth=2, zorder=3)

    def curve(self, x, y, values, *, width, height, color="black", style="-"):
        """Draw values [T] as a curve, the largest of them `height` high, on a line that begins at (x, y)."""
        values = np.asarray(values, float)
        self.wire((x, y), (x + width, y), color="0.6", width=1)
        steps = x + (np.arange(len(values)) + 0.5) * width / len(values)
        self.wire(*zip(steps, y + height * values / np.abs(values).max(), strict=True), color=color, style=style)

    def image(self, x, y, pixels, *, size=1.0, **options):
        """Draw an image [H, W], `size` inches high, centred at (x, y); `options` go to matplotlib's imshow."""
        pixels = np.asarray(pixels, float)
        half, high = size * pixels.shape[1] / pixels.shape[0] / 2, size / 2
        look = {"cmap": "gray_r", "interpolation": "nearest", "aspect": "auto", "zorder": 2} | options
        return self.ax.imshow(pixels, extent=(x - half, x + half, y - high, y + high), **look)

    def _end(self, end):
        return self._known(end)[:2] if isinstance(end, str) else (None, end)

    def _known(self, name):
        if name not in self.nodes:
            raise ValueError(f"diagram: there is no node {name!r}. There are {', '.join(self.nodes) or 'none'}.")
        return self.nodes[name]
