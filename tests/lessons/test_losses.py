"""What ties notebook 06 together: its equations, its listings, the module, the playground, and what its study chose."""
import math
import re

import pytest
import torch

from snnteach import losses, stored
from snnteach.authoring import notebooks
from snnteach.decoding import decide, latency_scores
from snnteach.lessons.losses import study
from snnteach.lessons.losses.explorers import compute_playground, raster
from snnteach.networks import Record
from snnteach.reader.lookup import exercise as find
from snnteach.scores import most_active
from tests.drawing import background, pictures
from tests.listings import namespace

FLOAT = torch.float64
TARGET = torch.tensor([0, 3, 2, 2])


@pytest.fixture(scope="module")
def listing():
    return namespace("losses")


def outputs(seed, steps=20, classes=5):
    mem = 0.6 + 0.6 * torch.randn(steps, 4, classes, generator=torch.Generator().manual_seed(seed), dtype=FLOAT)
    return (mem > 1.7).to(FLOAT).requires_grad_(), mem.requires_grad_()


PAIRS = {  # listing: (the package's, whether it reads spikes)
    **{name: (getattr(losses, name), True) for name in ("ce_count_loss", "ce_step_loss", "mse_count_loss", "ce_spike_time_loss",
                                                     "mse_relative_spike_time_loss")},
    **{name: (getattr(losses, name), False) for name in ("ce_max_membrane_loss", "ce_membrane_loss")},
    "mse_traces": (lambda mem, y: losses.mse_membrane_loss(mem, losses.wanted_membranes(y, 20, 5).double()), False),
    "mse_first": (lambda spk, y: losses.mse_spike_time_loss(spk, losses.wanted_spike_times(y, 5, 0, 20)), True),
}


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("seed", [0, 1])
def test_each_listing_is_the_package_s_in_value_and_gradient(listing, name, seed):
    spk, mem = outputs(seed)
    assert (spk.sum(0) == 0).any()
    package, on_spikes = PAIRS[name]
    value = spk if on_spikes else mem
    one, other = listing[name](value, TARGET), package(value, TARGET)
    torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-6)                     # targets of 0.2 are float32 in both
    torch.testing.assert_close(*(torch.autograd.grad(loss, value)[0] for loss in (one, other)), rtol=1e-6, atol=1e-7)


def test_the_equation_of_the_relative_time_and_its_exercise(listing):
    times = torch.tensor([[4, 7, 15, 20]])
    spk = torch.stack([(times == t).float() for t in range(20)])
    assert find("06.5").reference == 29 == listing["mse_relative_spike_time_loss"](spk, torch.tensor([0]), 2, 10).item()
    assert losses.mse_relative_spike_time_loss(spk, torch.tensor([0]), 2, 10).item() == 29


def test_the_exercises_are_what_the_package_says():
    counts = torch.tensor([[5.0, 2, 4]])
    spk = (torch.arange(10)[:, None, None] < counts).float()
    assert losses.mse_count_loss(spk, torch.tensor([0])).item() == pytest.approx(find("06.1").reference)
    mem = torch.tensor([[[0.9, 0.4]]], requires_grad=True)
    losses.ce_max_membrane_loss(mem, torch.tensor([0])).backward()
    assert mem.grad[0, 0, 0].item() == pytest.approx(find("06.3").reference)
    for spk, n in find("06.4").cases:
        assert torch.equal(find("06.4").reference(spk, n).float(), losses.spike_times(spk, n)[n - 1])
    for mem, target, threshold, slope in find("06.6").cases:
        built, package = find("06.6").reference(mem, target, threshold, slope), losses.ce_expected_spike_time_loss(
            mem, target, threshold, slope)
        torch.testing.assert_close(built, package, rtol=1e-12, atol=1e-12)
    for counts, target in find("06.2").cases:
        counts = counts.clone().requires_grad_()
        losses.ce_count_loss(counts[None], target).backward()
        torch.testing.assert_close(find("06.2").reference(counts.detach(), target), counts.grad)
    floors = [math.log1p(9 * math.exp(-neurons)) for neurons in (6, 7)]
    assert find("06.8").reference == 7 and floors[0] > 0.01 > floors[1]


def test_the_running_readings_end_in_the_readings_of_the_package():
    spk, mem = outputs(3)
    record = Record(spk.detach(), mem.detach())
    assert torch.equal(study.by_first_spike(record)[-1], decide(latency_scores(record.spk, mem=record.mem))[0])
    counted = study.by_count(record)
    assert torch.equal(counted[-1], most_active(record)) and (counted[0] == -1).any()
    assert torch.equal(study.by_sum(record)[-1], record.mem.sum(0).argmax(1))
    assert torch.equal(study.by_maximum(record)[-1], record.mem.amax(0).argmax(1))
    steps = losses.spike_times(record.spk).amin(1)
    named = study.by_first_spike(record)
    for b in range(4):
        assert (named[:int(steps[b]), b] == -1).all() and (named[int(steps[b]):, b] == named[-1, b]).all()
    silent = Record(torch.zeros(6, 1, 3), torch.rand(6, 1, 3))
    assert study.by_first_spike(silent)[:, 0].tolist()[:5] == [-1] * 5 and study.by_first_spike(silent)[-1] >= 0


def test_the_exercises_name_equations_that_are_those_of_the_notebook():
    text = "".join(cell.source for cell in notebooks.read(*notebooks.paths(["06"])).cells if cell.cell_type == "markdown")
    build = repr(find("06.6"))
    assert set(re.findall(r"Eqs?\. (\d+)", build)) == {"8"} and "Eqs. 8 and 9" in build
    assert re.search(r"P_i\[t\] = [^$]*\(8\)", text) and re.search(r"E_i = [^$]*\(9\)", text)


def test_each_learning_rate_is_the_best_on_held_out_images():
    table = stored("losses")
    for name in study.OBJECTIVES:
        held_out = {rate: round(sum(table[f"{name}, held out: rate {rate:g}"]) / 3, 6) for rate in study.TRIED}
        assert held_out[study.RATES[name]] == max(held_out.values()), name


def test_a_decision_is_counted_until_the_answer_stays():
    class Net:
        def __call__(self, x):
            spk = torch.zeros(20, x.shape[1], 10)
            spk[2, :, 4] = spk[5:7, :, 1] = 1                       # 4 leads until 1 draws level at step 5, as the lower number
            return Record(torch.ones(20, x.shape[1], 3), spk), Record(spk, spk)

    found = study.measure(Net(), study.by_count)
    assert found["hidden spikes"] == 60 and found["decision"] == 6
    assert found["own spikes"] + found["other spikes"] == pytest.approx(3)


def test_the_picture_of_the_playground():
    for picture, s in pictures("losses.playground"):
        counting = s["objective"] in ("count, CE", "step, CE", "count, MSE")
        values = [min(10, value + s["shift"]) for value in (s["own"], s["first"], s["second"], s["third"], s["third"] // 2)]
        fired = [[t for t in range(10) if (t + 1) * v // 10 > t * v // 10] if counting else [v] * (v < 10) for v in values]
        spk = torch.zeros(10, 1, 5)
        for neuron, steps in enumerate(fired):
            spk[steps, 0, neuron] = 1
        times = torch.tensor([float((*steps, 10)[0]) for steps in fired])
        loss, push, said, wanted = by_hand(s["objective"], torch.tensor(values).float(), spk, times)
        steps, neurons = spk[:, 0].nonzero(as_tuple=True)
        picture.points("spk", steps, neurons, "black", "|")
        silent = {"count, MSE": 80, "spike time, MSE": 81, "relative spike time, MSE": 81}.get(s["objective"], math.log(5))
        picture.says("loss", "loss {}, silent {}", loss, silent)
        picture.points("wanted", wanted, range(5), "vermillion", "D")
        squared = "MSE" in s["objective"]
        picture.says("axis", ("count / T" if counting else "time / T") if squared else "probability")
        picture.says("variable", "for a spike more" if counting else "for a step later")
        largest = max(push.abs().max().item(), 1e-9)
        for place in range(5):
            share = push[place].item() / largest
            picture.bar(f"said{place}", 0, place - 0.3, said[place].item(), 0.6, "blue")
            picture.bar(f"push{place}", 0, place - 0.3, share, 0.6, "orange")
            side = share + (0.08 if share >= 0 else -0.08)
            picture.says(f"number{place}", "{}", float(f"{push[place].item():.2g}"), at=(side, place))


def by_hand(objective, values, spk, times):
    """The loss, its gradient for counts or times, what is said and what is wanted, from the formulas of the notebook."""
    one = torch.tensor([1.0, 0, 0, 0, 0])
    if objective == "step, CE":
        p = torch.softmax(spk[:, 0], 1)
        return -p[:, 0].log().mean(), (p - one).mean(0) / 10, p.mean(0), one
    if "MSE" not in objective:
        logits = {"count, CE": values, "spike time, CE": -times, "1 / spike time, CE": 1 / (times + 1)}[objective]
        slope = {"count, CE": 1, "spike time, CE": -1, "1 / spike time, CE": -1 / (times + 1) ** 2}[objective]
        p = torch.softmax(logits, 0)
        return -p[0].log(), (p - one) * slope, p, one
    value = values if objective == "count, MSE" else times
    wanted = {"count, MSE": torch.tensor([8.0, 2, 2, 2, 2]), "spike time, MSE": torch.tensor([1.0, 10, 10, 10, 10]),
              "relative spike time, MSE": torch.cat([torch.ones(1), times[1:].clamp(min=6)])}[objective]
    return (value - wanted).square().sum(), 2 * (value - wanted), value / 10, wanted / 10


def test_what_stands_behind_the_playground():
    behind = background("losses.playground")
    words = {0: "class", 1: "1st", 2: "2nd", 3: "3rd", 4: "4th"}
    behind.axes("0", "Spikes\n ", ("time step", -0.5, 9.5), ("", 4.6, -0.6), yticks=words)
    behind.axes("1", "Said, and wanted\n ", (" ", 0, 1.05), ("", 4.6, -0.6))
    behind.axes("2", "Gradient\n ", ("largest = 1", -2, 2), ("", 4.6, -0.6))
    behind.rule("2.line0", "0.45", x=0)
    behind.done()


def test_counts_are_spread_and_ten_steps_late_is_silence():
    assert raster(torch.tensor([0, 3, 10]), True).sum((0, 1)).tolist() == [0, 3, 10]
    assert raster(torch.tensor([0, 9, 10]), False).sum((0, 1)).tolist() == [1, 1, 0]
    start = {"own": 5, "first": 4, "second": 2, "third": 3}
    still = [compute_playground("spike time, CE", **start, shift=shift)["loss"] for shift in (0, 3)]
    bent = [compute_playground("1 / spike time, CE", **start, shift=shift)["loss"] for shift in (0, 3)]
    assert still[0] == pytest.approx(still[1]) and abs(bent[0] - bent[1]) > 0.01
