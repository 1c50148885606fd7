"""The film of notebook 15: an actor in its maze."""
import torch

from ...plots import COLORS
from ...three_factor import start_actor

CELLS = torch.cartesian_prod(torch.arange(5.0), torch.arange(5.0))            # [25, 2] centres of the place cells
COMPASS = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])


def place_rates(place):
    """Spikes per step of the 25 place cells when learners stand at `place` [n, 2]; returns [n, 25]."""
    return 0.5 * torch.exp(-torch.cdist(place, CELLS) ** 2 / 1.6)


def walk(weight, goal, decay, generator, *, step, limit=50):
    """Send learners with weights [n, 4, 25] from the corner (0, 0) over the floor until they stand on `goal` [2].

    Each move takes six steps of time; the actor neuron with most spikes decides. Returns whether the goal was reached [n],
    the moves needed [n], the eligibility at the end [n, 4, 25] and the path [moves + 1, n, 2].
    """
    n, out = len(weight), torch.ones(len(weight))                              # out: still under way
    place, moves, due, state = torch.zeros(n, 2), torch.zeros(n), torch.zeros_like(weight), start_actor(weight)
    path = [place]
    while out.any() and len(path) <= limit:
        counts, rates = torch.zeros(n, 4), place_rates(place)
        for _ in range(6):
            x = torch.bernoulli(rates, generator=generator)
            state = step(x, weight, state, 0.8, decay, slope=2.0, generator=generator)
            counts += state.spk
        choice = (counts + 0.1 * torch.rand(n, 4, generator=generator)).argmax(1)
        place = torch.where(out[:, None] > 0, (place + COMPASS[choice]).clamp(0, 4), place)
        due = torch.where(out[:, None, None] > 0, state.eligibility, due)
        moves, out = moves + out, out * (place != goal).any(1)
        path.append(place)
    return 1 - out, moves, due, torch.stack(path)


def build_maze(fig):
    """Make the floor and, beside it, the record of the moves needed."""
    floor, record = fig.subplots(1, 2, width_ratios=(1, 1.3))
    floor.set(xlim=(-0.5, 4.5), ylim=(-0.5, 4.5), aspect="equal", xticks=(), yticks=())
    floor.set_title("Where the weights lead")
    for line in range(6):
        floor.axhline(line - 0.5, color="0.85", linewidth=0.8)
        floor.axvline(line - 0.5, color="0.85", linewidth=0.8)
    record.set(xlim=(0, 310), ylim=(0, 52), xlabel="trial", ylabel="moves (at most 50)")
    record.set_xticks((0, 50, 100, 150, 200))
    record.spines["bottom"].set_bounds(0, 200)                                 # right of it stand names
    record.set_title("Reward finds the way, Q-learning sooner")
    record.axvline(100, color="0.6", linestyle=":")
    record.annotate("goal moves", (100, 1), xytext=(3, 0), textcoords="offset points", fontsize=9)
    record.plot([0, 100, 100, 200], [8, 8, 4, 4], color="0.45", linestyle="--", linewidth=1)
    record.annotate("shortest", (4, 8.5), fontsize=9, color="0.35")
    return floor, record


def draw_maze(axes, frame):
    """Draw one trial: where the weights [4, 25] lead, the path [moves, 2] and the goal; beside it, blocks of eight trials.

    `frame["others"]` {name: (before, after)} are the moves that other learners need in the end, for each of the two goals,
    drawn as two bars with the mark that stands before the name.
    """
    floor, record = axes
    arrows = (8 * place_rates(CELLS) @ frame["weight"].T).softmax(1) @ COMPASS
    floor.quiver(*CELLS.T, *arrows.T, color=COLORS["blue"], pivot="mid", angles="xy", scale_units="xy", scale=1.2, width=0.02)
    floor.plot(*frame["path"].T, color=COLORS["vermillion"], linewidth=3, alpha=0.6)
    floor.plot(0, 0, "s", color="black", markersize=9)
    floor.plot(*frame["goal"], "*", color=COLORS["orange"], markeredgecolor="black", markersize=18)
    blocks = frame["moves"].unflatten(0, (-1, 8)).mean(1)                      # [blocks, learners]
    trials = 8 * torch.arange(len(blocks)) + 4
    low, high = blocks.quantile(torch.tensor([0.25, 0.75]), 1)                 # the middle half of the learners
    record.fill_between(trials, low, high, color=COLORS["blue"], alpha=0.2, linewidth=0)
    record.plot(trials, blocks.mean(1), color=COLORS["blue"], linewidth=2.2)
    height = -9.0
    for place, (name, (before, after)) in enumerate(sorted(frame["others"].items(), key=lambda item: item[1][1])):
        height, left, mark = max(after, height + 3.6), 87 + 11 * (place % 2), "osD^vP"[place]
        record.plot([85, 100, torch.nan, 185, 200], [before, before, torch.nan, after, after], color="black", linewidth=1.2)
        record.plot([left, left + 100, 208], [before, after, height], linestyle="", marker=mark, color="black", markersize=5.5)
        record.annotate(name, (215, height), fontsize=9, va="center")
