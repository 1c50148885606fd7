"""Explorers of notebook 15, a reward that comes late and a reward that is shared, and the floor on which learners walk."""
import torch

from ...plots import COLORS
from ...surrogate import escape_noise, sigmoid
from ...three_factor import reward_stdp, score, three_factor
from ..kinds import Control, Explorer

_STEPS, _POST, _DECAY = 160, 30, 0.9
_LAGS = torch.arange(-25, 26)


def compute_timing(lag, delay, reward, tau):
    """Let a pair of spikes meet a late reward: the tag it leaves, the change of the weight, and that over all lags."""
    lag, delay = int(lag), int(delay)
    pre, post, paid = torch.zeros(_STEPS, 1, 1), torch.zeros(_STEPS, 1, 1), torch.zeros(_STEPS, 1)
    pre[_POST - lag], post[_POST] = 1, 1
    paid[_POST + delay] = reward
    decay = float(torch.exp(torch.tensor(-1 / tau)))
    result = reward_stdp(pre, post, paid, decay_pre=_DECAY, decay_post=_DECAY, decay_eligibility=decay)
    late = (delay - (-_LAGS).clamp(min=0)).clamp(min=0)                      # steps since the later spike of the pair
    seen = _LAGS >= -delay                                                   # pairs not complete when the reward comes: none
    window = reward * _LAGS.sign() * _DECAY ** _LAGS.abs() * decay ** late * seen
    return {"lag": lag, "delay": delay, "reward": reward, "eligibility": result.eligibility.flatten(),
            "change": result.update.item(), "window": window}


def build_timing(fig):
    """Left the spikes and the reward above the eligibility, right the change of the weight over all lags."""
    grid = fig.add_gridspec(2, 2, width_ratios=(3, 2), height_ratios=(2, 3))
    top, low, right = fig.add_subplot(grid[0, 0]), fig.add_subplot(grid[1, 0]), fig.add_subplot(grid[:, 1])
    top.set(xlim=(0, _STEPS), ylim=(-0.6, 2.6), xticklabels=())
    top.set_yticks((2, 1, 0), ("pre", "post", "reward"))
    top.set_title("Who fired, who paid")
    top.plot(_POST, 1, "|", color="black", markersize=16, markeredgewidth=2)
    low.set(xlim=(0, _STEPS), ylim=(-1.1, 1.1), xlabel="time (steps)", ylabel="eligibility")
    low.axhline(0, color="0.7", linewidth=1)
    right.set(xlim=(-25.5, 25.5), ylim=(-1.1, 1.75), xlabel="lag t_post - t_pre (steps)", ylabel="change of the weight")
    right.set_yticks((-1, -0.5, 0, 0.5, 1))                                  # above them stands the text
    right.set_title("What is learned")
    right.axhline(0, color="0.7", linewidth=1)
    return {
        "pre": top.plot([], [], "|", color="black", markersize=16, markeredgewidth=2)[0],
        "reward": top.plot([], [], "D", color=COLORS["orange"], markersize=7)[0],
        "eligibility": low.plot([], [], color=COLORS["blue"])[0],
        "caught": low.plot([], [], "D", color=COLORS["orange"], markersize=7)[0],
        "moment": low.plot([], [], ":", color=COLORS["orange"])[0],
        "window": right.plot([], [], color=COLORS["blue"], marker=".", linestyle="")[0],
        "point": right.plot([], [], "D", color=COLORS["orange"], markersize=8)[0],
        "text": right.text(0.03, 0.97, "", transform=right.transAxes, va="top"),
    }


def update_timing(artists, data):
    """Move the input spike, the reward, the tag and the point on the window."""
    pays, caught = _POST + data["delay"], data["eligibility"][_POST + data["delay"]].item()
    artists["pre"].set_data([_POST - data["lag"]], [2])
    artists["reward"].set_data([pays], [0])
    artists["eligibility"].set_data(torch.arange(_STEPS), data["eligibility"])
    artists["caught"].set_data([pays], [caught])
    artists["moment"].set_data([pays, pays], [-1.1, 1.1])
    artists["window"].set_data(_LAGS, data["window"])
    artists["point"].set_data([data["lag"]], [data["change"]])
    artists["text"].set_text(f"eligibility {caught:+.3f}\ntimes reward {data['reward']:+.1f}\nchange {data['change']:+.3f}")


def compute_credit(neurons, trials, seed):
    """Let noisy neurons share one reward, minus the number of wrong ones; compare two updates with the exact gradient."""
    generator, neurons = torch.Generator().manual_seed(int(seed)), int(neurons)
    x = (torch.rand(1, 1, 20, generator=generator) < 0.5).float().expand(1, int(trials), 20)
    weight, wanted = torch.randn(neurons, 20, generator=generator) / 10 + 0.05, torch.arange(neurons) % 2
    mem = x @ weight.T                                                              # [1, trials, neurons]
    spk, p = escape_noise(mem - 1, 4.0, generator), torch.sigmoid(4 * (mem - 1))
    reward, expected = -(spk - wanted).abs().sum(2)[0], -(p - wanted).abs().sum(2)[0]
    truth = ((2 * wanted - 1) * sigmoid(4.0)(mem[0, 0] - 1))[:, None] * x[0, 0]     # [neurons, 20]
    told = ((reward - expected)[:, None, None] * score(x, mem, spk, 0.9)).mean(0)
    named = three_factor(x, mem, wanted - spk, 0.9, surrogate=sigmoid(4.0))
    a, b, c = (update[:, x[0, 0] > 0][:, :1].flatten() for update in (truth, told, named))     # one active input each
    a, b, c = (update / update.abs().max().clamp(min=1e-9) for update in (a, b, c))
    return {"truth": a, "told_points": b, "named_points": c, "told": _cosine(told, truth), "named": _cosine(named, truth)}


def _cosine(update, truth):
    return torch.nn.functional.cosine_similarity(update.flatten(), truth.flatten(), 0).item()


def build_credit(fig):
    """Left the update that each neuron learns from its own error, right the one from the shared reward, against the truth."""
    axes = fig.subplots(1, 2, sharey=True)
    for ax, title in zip(axes, ("Its own error", "One shared reward"), strict=True):
        ax.set(xlim=(-1.1, 1.1), ylim=(-1.15, 1.15), xlabel="exact gradient, a neuron")
        ax.axhline(0, color="0.8", linewidth=1)
        ax.axvline(0, color="0.8", linewidth=1)
        ax.set_title(title)
    axes[0].set(ylabel="local update (largest = 1)")
    names = (("named", "blue", "o"), ("told", "vermillion", "x"))
    points = {f"{name}_points": ax.plot([], [], mark, color=COLORS[color], markersize=5)[0]
              for ax, (name, color, mark) in zip(axes, names, strict=True)}
    words = {f"{name}_words": ax.text(0.03, 0.97, "", transform=ax.transAxes, va="top")
             for ax, (name, _, _) in zip(axes, names, strict=True)}
    return {**points, **words}


def update_credit(artists, data):
    """Move the points and say how well the whole update points along the gradient."""
    for name in ("named", "told"):
        artists[f"{name}_points"].set_data(data["truth"], data[f"{name}_points"])
        artists[f"{name}_words"].set_text(f"cosine {data[name]:.2f}")


EXPLORERS = {
    "timing": Explorer(
        compute_timing, build_timing, update_timing, size=(7.0, 3.8),
        controls={"lag": Control(5, -25, 25, 1, "lag post - pre", "steps"),
                  "delay": Control(20, 0, 120, 1, "reward after post", "steps"),
                  "reward": Control(1.0, -1.0, 1.0, 0.1, "reward", "units"),
                  "tau": Control(40.0, 2.0, 200.0, 2.0, "memory of the tag", "steps")},
        sweeps=(("reward", {}), ("tau", {}), ("delay", {})),
        alt="Left, a presynaptic and a postsynaptic spike leave an eligibility trace that decays until a reward comes. "
            "Right, the change of the weight against the lag: the window of STDP, scaled and signed by the late reward."),
    "credit": Explorer(
        compute_credit, build_credit, update_credit, size=(7.0, 3.6),
        controls={"neurons": Control(30, 1, 300, 1, "neurons", "share a reward"),
                  "trials": Control(1, 1, 100, 1, "trials", "averaged"),
                  "seed": Control(0, 0, 20, 1, "draw", "random seed")},
        sweeps=(("trials", {"neurons": 300}),),
        alt="The update of each neuron against its exact gradient. Left, with its own error, the points have the right sign "
            "or lie at zero; right, with one reward shared by all, they scatter, and more trials draw them together."),
}
