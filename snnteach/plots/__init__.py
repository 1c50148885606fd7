"""Figures of the course: one style, a caption and alternative text under each, what recurs in them, diagrams, films."""
from .animation import animate
from .compare import band, bands, names, rows, ticks
from .diagram import Diagram
from .fields import fields
from .style import COLORS, STYLES, canvas, enlarge, figure, png, show, use_style
from .traces import raster, readout, rule, threshold_line, traces

__all__ = ["COLORS", "Diagram", "STYLES", "animate", "band", "bands", "canvas", "enlarge", "fields", "figure", "names", "png",
           "raster", "readout", "rows", "rule", "show", "threshold_line", "ticks", "traces", "use_style"]
