"""What ties notebook 13 together: its displayed equations, its listings, the modules, the exercises and the explorer."""
import math

import numpy as np
import pytest
import torch

from snnteach import eventprop, spiketimes, yinyang
from snnteach.lessons.spiketimes import answers, explorers, films, study
from snnteach.reader.judge import judge
from snnteach.reader.lookup import exercise as find
from tests.drawing import background, pictures
from tests.listings import namespace

FLOAT = torch.float64


@pytest.fixture(scope="module")
def listing():
    return namespace("spiketimes")


def draw(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=FLOAT)


def uniform(seed, *shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=FLOAT)


# Equations

def test_equation_1_is_the_membrane_that_is_searched():
    weight, times = torch.tensor([0.5, 0.9, 0.4], dtype=FLOAT), torch.tensor([1.0, 3.0, 4.0], dtype=FLOAT)
    f = spiketimes.crossing_time(weight, times, 5.0)
    mem = sum(w * (f - t) / 5 * math.exp(1 - (f - t) / 5)
              for w, t in zip(weight.tolist(), times.tolist(), strict=True) if f > t)
    assert mem == pytest.approx(1, abs=1e-12)


def test_equation_2_listing_module_and_exercise_agree(listing):
    for seed in range(30):
        times, weight = 2 * uniform(seed, 1, 5), draw(seed + 50, 1, 5) + 0.4
        shown = listing["first_spike"](times[0].tolist(), weight[0].tolist())
        module = spiketimes.first_spike_layer(times, weight).item()
        assert module == pytest.approx(shown, rel=1e-10)
        assert answers.first_spikes(times, weight).item() == pytest.approx(min(shown, 9.0), rel=1e-10)
        if math.isfinite(shown):
            heard = times[0] < shown
            z, w = times[0].exp()[heard], weight[0][heard]
            assert math.exp(shown) == pytest.approx(((w * z).sum() / (w.sum() - 1)).item(), rel=1e-9)


def test_equation_3_and_module_agree():
    times, weight = torch.tensor([[0.0, 0.4]], dtype=FLOAT), torch.tensor([[3.0, 2.5]], dtype=FLOAT)
    f = spiketimes.first_spike_layer(times, weight, leaky=True).item()
    y = (times[0] / 2).exp()
    a, b = (weight[0] * y).sum(), (weight[0] * y * y).sum()
    assert f > 0.4 and math.exp(f / 2) == pytest.approx((2 * b / (a + (a * a - 4 * b).sqrt())).item(), rel=1e-12)
    mem = (weight[0] * ((-(f - times[0]) / 2).exp() - (times[0] - f).exp())).sum()
    assert mem.item() == pytest.approx(1, abs=1e-12)


def test_equation_4_and_module_agree():
    weight, times, f = answers.neuron(7, 4)
    since = f - times
    eps = torch.where(since > 0, since / 5 * (1 - since / 5).exp(), 0.0)
    slope = torch.where(since > 0, (5 - since) / 25 * (1 - since / 5).exp(), 0.0)
    by = spiketimes.spike_gradients(weight, times, f, 5.0)
    assert torch.allclose(by.weight, -eps / (weight * slope).sum()) and torch.allclose(
        by.times, answers.by_arrival(weight, times, f))


def test_equation_5_listing_and_module_agree(listing):
    times, weights = (20 * uniform(3, 50)).sort().values, draw(4, 50) + 0.6
    shown = listing["run"](times.tolist(), weights.tolist(), 20.0)
    module = eventprop.event_driven_lif(eventprop.Arrivals(times, torch.arange(50)), weights[None], 20.0)
    assert len(shown) == len(module.times) > 3
    assert torch.allclose(torch.tensor(shown, dtype=FLOAT), torch.stack([module.times, module.currents], 1), atol=1e-10)


def test_equation_6_listing_and_module_agree(listing):
    times, weights = (20 * uniform(5, 40)).sort().values, draw(6, 40) + 0.8
    given = eventprop.Arrivals(times, torch.arange(40))
    spikes = eventprop.event_driven_lif(given, weights[None], 20.0)
    price = draw(7, len(spikes.times))
    shown = listing["adjoint"](times.tolist(), list(zip(spikes.times.tolist(), spikes.currents.tolist(), strict=True)),
                               price.tolist())
    module = eventprop.eventprop(given, spikes, weights[None], price).weight[0]
    assert len(price) > 3 and torch.allclose(torch.tensor(shown, dtype=FLOAT), module, atol=1e-9)


def test_the_build_has_the_gradients_of_the_package():
    times, weight = answers.layer_case(3, 8, 6, 9)
    inputs = times.clone().requires_grad_(), weight.clone().requires_grad_()
    copies = times.clone().requires_grad_(), weight.clone().requires_grad_()
    ours, theirs = answers.first_spikes(*inputs), spiketimes.first_spike_layer(*copies)
    fires = theirs < 9
    assert torch.allclose(ours[fires], theirs[fires]) and 0 < (~fires).sum() < fires.sum() and ours[~fires].eq(9).all()
    for one, other in zip(torch.autograd.grad(ours[fires].sum(), inputs), torch.autograd.grad(theirs[fires].sum(), copies),
                          strict=True):
        assert torch.allclose(one, other, atol=1e-9)


# Exercises

@pytest.mark.parametrize(("number", "answer", "words"), [
    ("13.1", 0.9163, "right"), ("13.3", 3.0, "dt = dz / z"), ("13.5", 267, "right"), ("13.7", -0.536, "right"),
    ("13.4", lambda times, weight: times, "not yet"), ("13.6", lambda f, step: -f % step, "right")])
def test_what_a_check_says(number, answer, words):
    assert words in " ".join(judge(find(number), answer))


def test_the_values_of_the_exercises_follow_from_the_module():
    times, weight = torch.tensor([[1.0, 2.0, 3.0]], dtype=FLOAT).log(), torch.tensor([[1.0, 2.0, 5.0]], dtype=FLOAT)
    weight.requires_grad_()
    f = spiketimes.first_spike_layer(times, weight)
    (grad,) = torch.autograd.grad(f.sum(), weight)
    assert f.item() == pytest.approx(find("13.1").reference) and grad[0, 0].item() == pytest.approx(find("13.3").reference)
    assert grad[0, 1].item() == pytest.approx(-0.1) and grad[0, 2] == 0
    slope = spiketimes.alpha_psp_slope(torch.tensor(7.0, dtype=FLOAT), 5.0) / 0.1
    assert slope.item() == pytest.approx(find("13.7").reference)


# The study, the film and the explorer

def linear_error(z, design):
    """The largest error of the best linear map from the inputs to z, over the largest z."""
    return ((design @ torch.linalg.lstsq(design, z).solution - z).abs().max() / z.abs().max()).item()


def test_without_causal_sets_the_layers_are_linear_in_z():
    times = yinyang.arrival_times(yinyang.yin_yang(200, torch.Generator().manual_seed(0)).inputs)
    net, design = study.Sets(study.start(0), "all"), times.exp().double()
    with torch.no_grad():
        z = 8 * (torch.atanh((net(times)[0].double() - 3) / 3) + 0.5)        # the rising curve taken off again
        hidden = study.start(0)(times)[0]
    fires = hidden.isfinite().all(0)
    assert linear_error(z, design) < 1e-3 and linear_error(hidden[:, fires].exp().double(), design) > 0.05


def test_free_sets_give_the_network_itself_through_another_curve():
    times = yinyang.arrival_times(yinyang.yin_yang(200, torch.Generator().manual_seed(0)).inputs)
    net = study.start(0)
    with torch.no_grad():
        spikes, values = net(times)[-1], study.Sets(net, "free")(times)[0]
    fires = spikes.isfinite()
    assert torch.allclose(values[fires], 3 + 3 * torch.tanh(spikes[fires].exp() / 8 - 0.5), atol=1e-4)
    assert (values[~fires] == 6).all() and 0.5 < fires.float().mean() < 1


def test_a_frame_of_the_film_is_the_network():
    net = study.start(1, width=20)
    frame = films.map_frame(spiketimes.first_spike_layer, list(net.weights), 3)
    points, parts = films.plane()
    out = net(yinyang.arrival_times(points))[-1]
    inside = parts >= 0
    assert frame["epoch"] == 3 and (frame["answer"].flatten()[~inside] == 4).all()
    heard = inside & (out.amin(1) < 9)
    assert torch.equal(frame["answer"].flatten()[heard], out.argmin(1)[heard])


def test_crossing_computes_the_neuron():
    data = explorers.compute_crossing(w1=0.5, w2=0.9, w3=0.4, t3=4.0)
    assert data["spike_time"] == pytest.approx(4.2703, abs=1e-4)
    place = int((explorers._GRID < data["spike_time"]).sum())
    assert data["mem"][place - 1] < 1 < data["mem"][place] and (data["grads"] < 0).all()
    late = explorers.compute_crossing(w1=0.5, w2=0.9, w3=0.4, t3=8.0)
    assert late["grads"][2] == 0
    gone = explorers.compute_crossing(w1=0.5, w2=0.1, w3=0.4, t3=4.0)
    assert math.isinf(gone["spike_time"]) and not gone["grads"].any()


def test_crossing_draws_membrane_spike_inputs_and_bars():
    for picture, s in pictures("spiketimes.crossing"):
        data = explorers.compute_crossing(**s)
        f, fires = data["spike_time"], math.isfinite(data["spike_time"])
        picture.line("mem", explorers._GRID, data["mem"], "black", clipped=True)
        picture.points("spike", [f] if fires else [], [1] if fires else [], "vermillion")
        picture.line("drop", [f, f] if fires else [], [-1.2, 1] if fires else [], "vermillion", ":")
        for place, (color, mark) in enumerate(zip(("blue", "green", "orange"), "os^", strict=True)):
            size = max(abs(data["weight"][place].item()), 0.02)
            picture.line(f"input {place}", [data["times"][place]] * 2, [-1.2, -1.2 + 0.8 * size], color, marker=mark)
            picture.bar(f"bar {place}", place - 0.275, 0, 0.55, np.clip(data["grads"][place].item(), -8, 8), color)
        beyond = [place for place in range(3) if abs(data["grads"][place]) > 8]
        picture.points("tips", beyond, [math.copysign(8, data["grads"][place]) for place in beyond], "black", "v")
        picture.says("said", "spike at {} ms" if fires else "silent: all bars are {}", f if fires else 0)
        picture.done()


def test_what_stands_behind_the_picture():
    behind = background("spiketimes.crossing")
    behind.axes("0", "Three pulses and a threshold", ("time (ms)", 0, 25), ("potential / threshold", -1.2, 2.6))
    behind.axes("1", "How far it moves", ("", -0.6, 2.6), ("df/dw (ms per unit)", -9, 9),
                xticks={0: "$w_1$", 1: "$w_2$", 2: "$w_3$"})
    behind.rule("0.line0", "0.45", "--", y=1)
    behind.says("0.text0", "")
    behind.rule("1.line0", "black", y=0)
    behind.done()
