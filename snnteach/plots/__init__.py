"""Figures of the course: one style, a caption and alternative text under every picture, rasters, traces, bands, animations."""
from .animation import animate
from .style import COLORS, STYLES, canvas, enlarge, figure, png, show, use_style
from .traces import band, raster, threshold_line, traces

__all__ = ["COLORS", "STYLES", "animate", "band", "canvas", "enlarge", "figure", "png", "raster", "show", "threshold_line",
           "traces", "use_style"]
