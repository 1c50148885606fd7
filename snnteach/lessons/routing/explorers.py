"""The explorers of notebook 25: what three gates give to the right expert, token by token; and the hazard of a switch."""
import torch

from ...neurons import lif
from ...plots import COLORS, rule
from ...routing import bayes_router, switch_bounds, switch_hazard, switching_streams, token_evidence
from ..kinds import Control, Explorer

STEPS, SIZE, WIDE = 12, 16, 12
GATES = {"leaky": ("blue", "-", "o"), "fixed": ("vermillion", "--", "s"), "random": ("green", "-.", "^")}
NAMES = {"leaky": "leaky sum", "fixed": "knows: at 6", "random": "knows: 3 to 9"}


def compute_stream(beta, switch, noise, draw):
    """One stream: the evidence of its tokens, and the probability that each gate gives to the expert that will be right."""
    generator = torch.Generator().manual_seed(draw)
    stream = switching_streams(1, switch, switch, STEPS, SIZE, noise, generator)
    evidence = token_evidence(stream.tokens.double(), noise)                                     # [12, 1]
    one = {"leaky": lif(evidence[:, :, None], beta, reset="none")[1][..., 0].sigmoid(),
           "fixed": bayes_router(evidence), "random": bayes_router(evidence, 3, 9)}
    coming = stream.domains[1:]
    right = {name: torch.where(coming == 1, given[:-1], 1 - given[:-1])[:, 0] for name, given in one.items()}
    return {"evidence": evidence[:, 0], "domains": stream.domains[:, 0], "right": right, "switch": switch, "beta": beta}


def build_stream(fig):
    """Above the evidence of each token, below what three gates give to the right expert."""
    above, below = fig.subplots(2, 1, sharex=True, height_ratios=(1, 1.5))
    above.set(ylabel="says", xlim=(-0.6, STEPS - 0.4), ylim=(-1.15, 1.15), title="What each token says about its domain")
    above.set_yticks((-1, 1), ("domain 0", "domain 1"))
    above.axhline(0, color="black", linewidth=0.8)
    below.set(xlabel="token t", ylabel="given to the\nright expert", ylim=(-0.06, 1.06),
              title="Who has the expert of token t + 1 ready?")
    below.set_xticks(range(STEPS))
    rule(below, "", y=0.5, style=":")
    artists = {f"bar {place}": above.bar(place, 0, width=0.7)[0] for place in range(STEPS)}
    artists |= {f"edge {place}": ax.axvline(0, color=COLORS["black"], linestyle="--", linewidth=1.4)
                for place, ax in enumerate((above, below))}
    artists |= {name: below.plot([], [], linestyle=style, marker=marker, color=COLORS[color], label=NAMES[name])[0]
                for name, (color, style, marker) in GATES.items()}
    below.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    artists["said"] = below.text(1.03, 0.05, "", transform=below.transAxes, va="bottom")
    return artists


def update_stream(artists, data):
    """Draw evidence, the switch and the three curves."""
    shown = data["evidence"] / data["evidence"].abs().max()
    for place, (value, domain) in enumerate(zip(shown.tolist(), data["domains"].tolist(), strict=True)):
        artists[f"bar {place}"].set(height=value, color=COLORS["orange" if domain else "sky"])
    for place in range(2):
        artists[f"edge {place}"].set_xdata([data["switch"] - 0.5] * 2)
    for name, values in data["right"].items():
        artists[name].set_data(range(STEPS - 1), values)
    artists["said"].set_text(f"leaky sum right:\n{int((data['right']['leaky'] > 0.5).sum())} of {STEPS - 1}")


def compute_hazard(earliest, width):
    """The probability that the next token brings the switch, at each step, and what the best router makes of it."""
    latest = earliest + width
    return {"earliest": earliest, "latest": latest, "hazard": switch_hazard(earliest, latest),
            "bounds": switch_bounds(earliest, latest)}


def build_hazard(fig):
    """A bar for each step at which the switch may be next."""
    ax = fig.subplots()
    ax.set(xlabel="token t", ylabel="probability that t + 1\nis of the other domain", xlim=(-0.6, WIDE + 0.6), ylim=(0, 1.5),
           title="Is the switch next, if it has not come?")
    ax.set_yticks((0, 0.5, 1))
    ax.set_xticks(range(WIDE + 1))
    rule(ax, "", y=0.5, style="--")
    return {**{f"bar {place}": ax.bar(place, 0, width=0.7)[0] for place in range(WIDE + 1)},
            "said": ax.text(0.02, 0.96, "", transform=ax.transAxes, va="top")}


def update_hazard(artists, data):
    """Draw the hazard, in another colour where a bet on the new domain pays."""
    hazard = [0.0] * (data["earliest"] - 1) + data["hazard"]
    for place in range(WIDE + 1):
        value = hazard[place] if place < len(hazard) else 0.0
        artists[f"bar {place}"].set(height=value, color=COLORS["vermillion" if value > 0.5 else
                                                               "orange" if value == 0.5 else "blue"])
    low, high, given = data["bounds"]
    artists["said"].set_text(f"switch at {data['earliest']} to {data['latest']}. The best router at the switch:\n"
                             f"right {low:.3f} to {high:.3f}, given to the right expert {given:.3f}")


EXPLORERS = {
    "stream": Explorer(
        compute_stream, build_stream, update_stream,
        controls={"beta": Control(0.0, 0.0, 1.0, 0.05, "beta of the leaky sum"),
                  "switch": Control(6, 3, 9, 1, "the switch comes at"),
                  "noise": Control(0.8, 0.4, 2.4, 0.1, "noise"),
                  "draw": Control(0, 0, 20, 1, "another stream")},
        sweeps=(("beta", {}), ("switch", {"beta": 0.5}), ("noise", {"beta": 0.5})),
        alt="Above, bars for what each of twelve tokens says about its domain, with the step at which the domain changes. "
            "Below, the probability that three gates give to the expert of the next token: a leaky sum, a router that knows "
            "the switch comes at 6, and one that knows it comes from 3 to 9.",
        size=(7.6, 4.4)),
    "hazard": Explorer(
        compute_hazard, build_hazard, update_hazard,
        controls={"earliest": Control(3, 1, 6, 1, "earliest switch"),
                  "width": Control(0, 0, 7, 1, "the latest is later by", "steps")},
        sweeps=(("width", {}), ("earliest", {"width": 4})),
        alt="Bars: the probability at each step that the next token brings the switch, if it has not come; a dashed line at "
            "one half, above which a bet on the other domain pays.",
        size=(6.8, 3.4)),
}
