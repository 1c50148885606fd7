"""Runs beside their controls: rows with a dot a seed, bands over a sweep, curves with their names, the ticks of a sweep."""
import torch

from .style import COLORS, STYLES

LOOKS = (("blue", "o"), ("vermillion", "s"), ("green", "^"), ("purple", "v"), ("orange", "D"), ("black", "x"))
KINDS = {"result": ("blue", "o", ""), "control": ("black", "^", "///"), "mistake": ("vermillion", "X", "")}


def rows(ax, table, *, controls=(), mistakes=(), form="{:.1%}"):
    """Compare named rows: a dot a seed, a bar from the smallest to the largest, the mean at the right, in the form `form`.

    Args:
        ax: axes; the first row stands on top. Their x-axis shows the differences: it need not begin at 0.
        table: {name: values of the seeds}.
        controls: names of the rows that could explain the result away: black triangles, hatched bars.
        mistakes: names of the rows that went wrong on purpose: vermillion crosses.
    """
    unknown = [name for name in (*controls, *mistakes) if name not in table]
    if unknown:
        raise ValueError(f"rows: no such row: {', '.join(unknown)}. The table has {', '.join(table)}.")
    for place, (name, values) in enumerate(table.items()):
        values = torch.as_tensor(values, dtype=torch.float64).flatten()
        color, marker, hatch = KINDS["control" if name in controls else "mistake" if name in mistakes else "result"]
        low, high = values.min().item(), values.max().item()
        ax.barh(place, high - low, left=low, height=0.5, color=COLORS[color], alpha=0.3, hatch=hatch, linewidth=0)
        ax.plot(values, [place] * len(values), linestyle="", marker=marker, color=COLORS[color], markersize=6)
        ax.annotate(form.format(values.mean().item()), (1, place), xycoords=("axes fraction", "data"), xytext=(6, 0),
                    textcoords="offset points", va="center", color=COLORS[color], annotation_clip=False)
    ax.set_yticks(range(len(table)), list(table))
    ax.set_ylim(len(table) - 0.4, -0.6)
    ax.use_sticky_edges = False                                               # else the bars have no margin
    ax.margins(x=0.06)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", color="0.9")
    ax.set_axisbelow(True)


def band(ax, x, values, *, color="blue", label=None, style="-", marker="o"):
    """Draw the mean of `values` [seeds, points] over `x` with a band from the smallest to the largest seed."""
    values = torch.as_tensor(values, dtype=torch.float64).detach()
    color = COLORS.get(color, color)
    ax.fill_between(x, values.amin(0), values.amax(0), color=color, alpha=0.25, linewidth=0)
    ax.plot(x, values.mean(0), color=color, label=label, linestyle=style, marker=marker)


def bands(ax, x, table, *, live=None, markers=True):
    """Draw the curves {name: [seeds, points] or [points]} over x, each in its colour, line and marker; `names` labels them.

    `live` [points] or [runs, points] are the points of this session, black diamonds beside the stored bands.
    """
    if len(table) > len(LOOKS):
        raise ValueError(f"bands: at most {len(LOOKS)} curves can be told apart, got {len(table)}. Use two axes.")
    for place, (name, values) in enumerate(table.items()):
        values = torch.as_tensor(values, dtype=torch.float64).detach()
        if values.shape[-1:] != (len(x),) or values.dim() > 2:
            raise ValueError(f"bands: {name} must be [seeds, {len(x)}] or [{len(x)}], got shape {tuple(values.shape)}.")
        color, marker = LOOKS[place]
        band(ax, x, values.view(-1, len(x)), color=color, label=name, style=STYLES[place % 4], marker=marker if markers else "")
    for run in torch.as_tensor([] if live is None else live, dtype=torch.float64).detach().view(-1, len(x)):
        ax.plot(x, run, "D", color="black", markersize=5, markerfacecolor="white", markeredgewidth=1.5, zorder=3, label="live")


def names(ax, gap=0.085):
    """Write the name of every labelled curve beside its last point, in its colour, at least `gap` of the height apart."""
    curves = {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}.values()
    if not curves:
        raise ValueError("names: no curve here has a label. Draw it with label=... or with bands.")
    ax.autoscale_view()                                            # the limits of what was just drawn
    ends = {line: ax.transLimits.transform(ax.transScale.transform(line.get_xydata()[-1]))[1] for line in curves}
    place = -1.0
    for line in sorted(curves, key=ends.get):
        place = max(ends[line], place + gap)
        ax.annotate(line.get_label(), (1, place), xycoords="axes fraction", xytext=(8, 0), textcoords="offset points",
                    va="center", color=line.get_color(), annotation_clip=False)


def ticks(ax, values, words=None, *, axis="x", log=False):
    """Put ticks at the values of a sweep and nowhere else, named by `words` or by the values; `log` scales the axis."""
    if log:
        ax.set(**{f"{axis}scale": "log"})
    place = getattr(ax, f"{axis}axis")
    place.set_ticks(list(values), [f"{value:g}" for value in values] if words is None else list(words))
    place.set_tick_params(which="minor", length=0)
    place.set_minor_formatter(lambda value, position: "")
