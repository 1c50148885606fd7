"""Explorer of notebook 06: a playground of five output neurons, their counts or spike times, and what each objective says."""
import torch

from ...losses import (
    ce_count_loss,
    ce_spike_time_loss,
    ce_step_loss,
    mse_count_loss,
    mse_relative_spike_time_loss,
    mse_spike_time_loss,
    spike_times,
)
from ...plots import COLORS
from ..kinds import Choice, Control, Explorer

_STEPS, _CLASSES = 10, 5
_TARGET = torch.tensor([0])
_WANTED = torch.tensor([[1.0, 10, 10, 10, 10]])                          # of the squared spike times: at step 1, and never
_LOSSES = {
    "count, CE": lambda spk: ce_count_loss(spk, _TARGET),
    "step, CE": lambda spk: ce_step_loss(spk, _TARGET),
    "count, MSE": lambda spk: mse_count_loss(spk, _TARGET),
    "spike time, CE": lambda spk: ce_spike_time_loss(spk, _TARGET),
    "1 / spike time, CE": lambda spk: ce_spike_time_loss(spk, _TARGET, inverse="reciprocal"),
    "spike time, MSE": lambda spk: mse_spike_time_loss(spk, _WANTED),
    "relative spike time, MSE": lambda spk: mse_relative_spike_time_loss(spk, _TARGET, first=1, margin=5),
}
_COUNTING = ("count, CE", "step, CE", "count, MSE")


def raster(values, counting):
    """Spikes [T, 1, C]: so many, spread over the steps, or one at the step; T stands for none."""
    steps = torch.arange(_STEPS)[:, None]
    if counting:
        return (((steps + 1) * values // _STEPS) > (steps * values // _STEPS)).float()[:, None]
    return (steps == values).float()[:, None]


def wanted(objective, times):
    """What the objective asks for, as the middle panel draws it: probabilities, or counts and times as parts of T."""
    if objective == "count, MSE":
        return torch.tensor([0.8, 0.2, 0.2, 0.2, 0.2])
    if objective == "spike time, MSE":
        return _WANTED[0] / _STEPS
    if objective == "relative spike time, MSE":
        return torch.cat([torch.ones(1), times[1:].clamp(min=6)]) / _STEPS
    return torch.tensor([1.0, 0, 0, 0, 0])


def reached(objective, spk, times):
    """What the neurons say: the softmax of the logits, or, for squared errors, counts and times as parts of T."""
    if objective.endswith("MSE"):
        return (spk.sum((0, 1)) if objective in _COUNTING else times) / _STEPS
    if objective == "step, CE":
        return torch.softmax(spk, 2).mean((0, 1))
    logits = {"count, CE": spk.sum((0, 1)), "spike time, CE": -times, "1 / spike time, CE": 1 / (times + 1)}[objective]
    return torch.softmax(logits, 0)


def compute_playground(objective, own, first, second, third, shift):
    """One sample of five neurons, of which the first is the class and the last has half of the third's value."""
    counting = objective in _COUNTING
    values = (torch.tensor([own, first, second, third, third // 2]) + shift).clamp(max=_STEPS)
    spk = raster(values, counting).requires_grad_()
    value = _LOSSES[objective](spk)
    (gradient,) = torch.autograd.grad(value, spk)
    times = spike_times(spk.detach())[0]
    push = gradient.sum((0, 1)) / (_STEPS if counting else -1)           # for a spike more in each count, or a step later
    silent = _LOSSES[objective](torch.zeros(_STEPS, 1, _CLASSES)).item()
    return {"objective": objective, "counting": counting, "spk": spk.detach()[:, 0], "loss": value.item(), "silent": silent,
            "reached": reached(objective, spk.detach(), times), "wanted": wanted(objective, times), "gradient": push}


def build_playground(fig):
    """Left the raster, in the middle what is reached and wanted, right the gradient for each neuron."""
    left, middle, right = fig.subplots(1, 3, sharey=True, width_ratios=(1.3, 1, 1))
    left.set(xlim=(-0.5, 9.5), ylim=(4.6, -0.6), xlabel="time step")
    left.set_yticks(range(_CLASSES), ("class", "1st", "2nd", "3rd", "4th"))
    left.set_title("Spikes\n ")
    middle.set(xlim=(0, 1.05))
    middle.set_title("Said, and wanted\n ")
    right.set(xlim=(-2, 2), xlabel="largest = 1")
    right.set_title("Gradient\n ")
    right.axvline(0, color="0.45", linewidth=1)
    artists = {"spk": left.plot([], [], "|", color="black", markersize=16, markeredgewidth=2)[0],
               "loss": left.text(0, 1.02, "", transform=left.transAxes, fontweight="bold"),
               "axis": middle.text(0.5, -0.115, "", transform=middle.transAxes, ha="center", va="top"),
               "variable": right.text(0.5, 1.02, "", transform=right.transAxes, ha="center")}
    for place in range(_CLASSES):
        artists[f"said{place}"] = middle.barh(place, 0, 0.6, color=COLORS["blue"])[0]
        artists[f"push{place}"] = right.barh(place, 0, 0.6, color=COLORS["orange"])[0]
        artists[f"number{place}"] = right.text(0, place, "", va="center", fontsize=9)
    artists["wanted"] = middle.plot([0] * _CLASSES, range(_CLASSES), "D", color=COLORS["vermillion"], markersize=7, zorder=3,
                                    clip_on=False)[0]                    # after the bars, which it is drawn upon
    for name in ("loss", "axis", "variable", *(f"number{place}" for place in range(_CLASSES))):
        artists[name].set_in_layout(False)                               # words that move must not move the axes
    middle.set_xlabel(" ")                                               # room for "axis"
    return artists


def update_playground(artists, data):
    """Move the spikes, the bars, the marks and the words."""
    steps, neurons = data["spk"].nonzero(as_tuple=True)
    artists["spk"].set_data(steps, neurons)
    artists["loss"].set_text(f"loss {data['loss']:.3f}, silent {data['silent']:.3f}")
    artists["wanted"].set_data(data["wanted"], range(_CLASSES))
    squared = data["objective"].endswith("MSE")
    artists["axis"].set_text(("count / T" if data["counting"] else "time / T") if squared else "probability")
    artists["variable"].set_text("for a spike more" if data["counting"] else "for a step later")
    largest = max(data["gradient"].abs().max().item(), 1e-9)
    for place, (said, push) in enumerate(zip(data["reached"].tolist(), data["gradient"].tolist(), strict=True)):
        artists[f"said{place}"].set_width(said)
        artists[f"push{place}"].set_width(push / largest)
        artists[f"number{place}"].set_position((push / largest + (0.08 if push >= 0 else -0.08), place))
        artists[f"number{place}"].set_ha("left" if push >= 0 else "right")
        artists[f"number{place}"].set_text(f"{push:.2g}")


EXPLORERS = {
    "playground": Explorer(
        compute_playground, build_playground, update_playground,
        controls={"objective": Choice("count, CE", tuple(_LOSSES), "objective"),
                  "own": Control(5, 0, 10, 1, "the class", "count or step"),
                  "first": Control(4, 0, 10, 1, "1st rival", "count or step"),
                  "second": Control(2, 0, 10, 1, "2nd rival", "count or step"),
                  "third": Control(3, 0, 10, 1, "3rd; 4th is half", "count or step"),
                  "shift": Control(0, 0, 5, 1, "all more, or later", "steps")},
        sweeps=(("objective", {}), ("own", {}), ("shift", {"objective": "spike time, CE"}),
                ("shift", {"objective": "1 / spike time, CE"})),
        alt="Left, the spikes of five output neurons, the class on top; in the middle, what they say, bars, and what the "
            "objective "
            "wants, diamonds; right, the gradient of the loss for each neuron.",
        size=(7.4, 3.6)),
}
