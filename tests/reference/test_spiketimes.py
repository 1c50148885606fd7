"""The time of a spike, its gradient, first spikes and EventProp: against closed forms, brute force and differences."""
import math
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snnteach import eventprop, spiketimes, yinyang
from snnteach.zoo import cuba_lif

FLOAT = torch.float64


def draw(seed, *shape, dtype=FLOAT):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def uniform(seed, *shape, dtype=FLOAT):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


# One neuron

def test_the_response_peaks_at_tau_and_its_slope_is_its_derivative():
    t = torch.linspace(-3, 30, 331, dtype=FLOAT).requires_grad_()
    eps = spiketimes.alpha_psp(t, 5.0)
    (slope,) = torch.autograd.grad(eps.sum(), t)
    away = (t.detach() - 0).abs() > 1e-9
    assert torch.allclose(slope[away], spiketimes.alpha_psp_slope(t.detach(), 5.0)[away], atol=1e-14)
    assert eps.max() == 1 and t[eps.argmax()] == 5 and not eps[t <= 0].any()
    late = t[t > 0]
    assert torch.allclose(spiketimes.alpha_psp(late, 5.0), late / 5 * (1 - late / 5).exp())
    assert spiketimes.alpha_psp(torch.tensor(-1e30), 1.0) == 0 == spiketimes.alpha_psp_slope(torch.tensor(-1e30), 1.0)


def lambert(x):
    """W0 for -1/e < x < 0, by Newton's method."""
    w = -0.3
    for _ in range(200):
        w -= (w * math.exp(w) - x) / (math.exp(w) * (w + 1))
    return w


@pytest.mark.parametrize("w", [1.2, 1.7, 5.0])
def test_one_input_crosses_where_lambert_says(w):
    found = spiketimes.crossing_time(torch.tensor([w], dtype=FLOAT), torch.zeros(1, dtype=FLOAT), 5.0)
    assert found == pytest.approx(-5 * lambert(-1 / (math.e * w)), rel=1e-12)
    assert w != 1.7 or found == pytest.approx(1.44439, abs=5e-6)


def test_a_crossing_is_the_first_of_a_fine_grid_and_no_peak_is_missed():
    grid = torch.arange(0, 60, 1e-3, dtype=FLOAT)
    silent = 0
    for seed in range(60):
        w, t = 0.55 * draw(seed, 5) + 0.25, 15 * uniform(seed + 99, 5)
        mem = (w * spiketimes.alpha_psp(grid[:, None] - t, 5.0)).sum(1)
        over = (mem > 1).nonzero()
        found = spiketimes.crossing_time(w, t, 5.0)
        silent += math.isinf(found)
        assert (math.isinf(found) and mem.max() < 1 + 1e-6) if not len(over) else abs(found - grid[over[0, 0]]) < 1.01e-3
    assert 10 < silent < 50


@given(seed=st.integers(0, 10**6))
def test_spike_gradients_are_differences(seed):
    w, t = draw(seed, 4) + 1.0, 6 * uniform(seed + 1, 4)
    f = spiketimes.crossing_time(w, t, 5.0)
    by = spiketimes.spike_gradients(w, t, f, 5.0)
    if math.isinf(f):
        assert not by.weight.any() and not by.times.any()
        return
    rise = (w * spiketimes.alpha_psp_slope(f - t, 5.0)).sum()
    if rise < 0.02 or (f - t).abs().min() < 1e-3:
        return                                               # grazing, where differences are no good
    for number in range(4):
        step = torch.zeros(4, dtype=FLOAT)
        step[number] = 1e-6
        up, down = (spiketimes.crossing_time(w + sign * step, t, 5.0) for sign in (1, -1))
        assert by.weight[number].item() == pytest.approx((up - down) / 2e-6, rel=1e-6, abs=1e-8)
        up, down = (spiketimes.crossing_time(w, t + sign * step, 5.0) for sign in (1, -1))
        assert by.times[number].item() == pytest.approx((up - down) / 2e-6, rel=1e-6, abs=1e-8)
    assert by.times.sum().item() == pytest.approx(1)         # all inputs later by d: the spike later by d


def test_near_the_peak_the_gradient_grows_like_one_over_the_slope():
    t, products = torch.zeros(1, dtype=FLOAT), []
    for excess in (1e-2, 1e-4, 1e-6):
        w = torch.tensor([1 + excess], dtype=FLOAT)
        f = spiketimes.crossing_time(w, t, 5.0)
        by = spiketimes.spike_gradients(w, t, f, 5.0).weight.item()
        products.append(by * math.sqrt(excess))
        assert f < 5
    assert all(abs(product + 5 / math.sqrt(2)) < 0.4 * 10**-place for place, product in enumerate(products))
    assert spiketimes.crossing_time(torch.ones(1, dtype=FLOAT), t, 5.0) == math.inf


# Layers of first spikes

def brute(times, weight, leaky):
    """First crossings on a grid of 1e-3, [B, M]."""
    grid = torch.arange(0, 14, 1e-3, dtype=FLOAT)
    found = torch.full((len(times), len(weight)), math.inf, dtype=FLOAT)
    for sample, row in enumerate(times):
        s = (grid[:, None] - row).clamp(min=0).nan_to_num(0, 0, 0)
        kernel = (-s / 2).exp() - (-s).exp() if leaky else 1 - (-s).exp()
        over = kernel @ weight.T > 1
        found[sample] = torch.where(over.any(0), grid[over.byte().argmax(0)], math.inf)
    return found


@pytest.mark.parametrize("leaky", [False, True])
def test_first_spikes_are_the_first_crossings(leaky):
    times, weight = 3 * uniform(0, 12, 6), (3 if leaky else 1) * (draw(1, 7, 6) + 1)
    times[3, 2] = times[5] = math.inf
    found, grid = spiketimes.first_spike_layer(times, weight, leaky=leaky), brute(times, weight, leaky)
    early = found < 13.9
    assert torch.equal(grid.isfinite(), early) and 0.05 < found.isinf().double().mean() < 0.5
    assert (found - grid)[early].abs().max() < 1.01e-3 and found[5].isinf().all()


@pytest.mark.parametrize("leaky", [False, True])
def test_gradients_are_differences_and_those_of_a_silent_neuron_are_zero(leaky):
    times, weight = 3 * uniform(2, 5, 4), (3 if leaky else 1) * (draw(3, 3, 4) + 1)
    weight[1] = -1
    price = draw(4, 5, 3)

    def total(times, weight):
        spikes = spiketimes.first_spike_layer(times, weight, 1.0, 1.5, leaky)
        return (spikes.where(spikes.isfinite(), 0.0) * price).sum()

    inputs = times.clone().requires_grad_(), weight.clone().requires_grad_()
    grads = torch.autograd.grad(total(*inputs), inputs)
    assert not grads[1][1].any()
    for place, value in enumerate((times, weight)):
        numbers = torch.zeros_like(value)
        for index in torch.cartesian_prod(*map(torch.arange, value.shape)).tolist():
            step = torch.zeros_like(value)
            step[tuple(index)] = 1e-6
            moved = [[times, weight] for _ in range(2)]
            moved[0][place], moved[1][place] = value + step, value - step
            numbers[tuple(index)] = (total(*moved[0]) - total(*moved[1])) / 2e-6
        assert (grads[place] - numbers).norm() < 1e-6 * numbers.norm()


def test_closed_forms_of_one_input():
    one = torch.zeros(1, 1, dtype=FLOAT)
    leaky = spiketimes.first_spike_layer(one, torch.tensor([[5.0]], dtype=FLOAT), 1.0, 5.0, leaky=True)
    assert leaky.item() == pytest.approx(-10 * math.log((1 + math.sqrt(1 - 4 / 5)) / 2), rel=1e-12)
    assert leaky.item() == pytest.approx(3.23507, abs=5e-6)
    assert spiketimes.first_spike_layer(one, torch.tensor([[3.999]], dtype=FLOAT), leaky=True).isinf()
    assert spiketimes.first_spike_layer(one, torch.tensor([[1.0]], dtype=FLOAT)).isinf()
    barely = spiketimes.first_spike_layer(one, torch.tensor([[1 + 1e-9]], dtype=FLOAT))
    assert barely.item() == pytest.approx(math.log(1e9), rel=1e-6)                      # later and later, without end


def test_an_autograd_layer_of_open_operations_agrees():
    times, weight = 2 * uniform(6, 9, 5), 3 * draw(7, 8, 5) / 5**0.5 + 0.6
    spikes = spiketimes.first_spike_layer(times, weight)
    heard = spiketimes.causal_set(times, spikes)
    inputs = times.clone().requires_grad_(), weight.clone().requires_grad_()
    w = inputs[1] * heard
    again = ((w * inputs[0].exp()[:, None]).sum(2) / (w.sum(2) - 1)).clamp(min=1e-9).log()
    fires = spikes.isfinite()
    assert torch.allclose(again[fires], spikes[fires], atol=1e-12)
    copies = times.clone().requires_grad_(), weight.clone().requires_grad_()
    one = torch.autograd.grad(again[fires].sum(), inputs)
    other = torch.autograd.grad(spiketimes.first_spike_layer(*copies)[fires].sum(), copies)
    assert all(torch.allclose(a, b, atol=1e-10) for a, b in zip(one, other, strict=True))
    assert not heard[~fires].any() and heard[fires].any(1).all()


@given(seed=st.integers(0, 10**6), leaky=st.booleans())
def test_a_later_clock_moves_all_spikes_and_order_does_not_matter(seed, leaky):
    times, weight = 3 * uniform(seed, 3, 5), 4 * draw(seed + 1, 4, 5) + 2
    spikes = spiketimes.first_spike_layer(times, weight, leaky=leaky)
    assert torch.allclose(spiketimes.first_spike_layer(times + 7, weight, leaky=leaky), spikes + 7)
    order = torch.randperm(5, generator=torch.Generator().manual_seed(seed))
    assert torch.allclose(spiketimes.first_spike_layer(times[:, order], weight[:, order], leaky=leaky), spikes)
    with_silent = torch.cat([times, torch.full((3, 1), math.inf, dtype=FLOAT)], 1)
    more = torch.cat([weight, torch.full((4, 1), 9.0, dtype=FLOAT)], 1)
    assert torch.allclose(spiketimes.first_spike_layer(with_silent, more, leaky=leaky), spikes)


# The plane and the network

def written_out(x, y):
    """The class of a point, condition by condition."""
    left, right = math.dist((x, y), (0.25, 0.5)), math.dist((x, y), (0.75, 0.5))
    if math.dist((x, y), (0.5, 0.5)) > 0.5:
        return -1
    if left < 0.1 or right < 0.1:
        return 2
    return 0 if left <= 0.25 or (y > 0.5 and right > 0.25) else 1


def test_the_sign_is_the_one_of_its_paper():
    points = uniform(0, 3000, 2)
    assert yinyang.yin_yang_class(points).tolist() == [written_out(*point) for point in points.tolist()]
    turned = 1 - points                                      # half a turn makes yang of yin
    swapped = torch.tensor([1, 0, 2, -1])[yinyang.yin_yang_class(points)]
    assert (yinyang.yin_yang_class(turned) == swapped).double().mean() > 0.999
    inputs, labels = yinyang.yin_yang(1000, torch.Generator().manual_seed(1))
    assert sorted(labels.bincount().tolist()) == [333, 333, 334] and (labels[:-1] != labels[1:]).double().mean() > 0.5
    assert torch.equal(yinyang.yin_yang_class(inputs), labels) and len(inputs.unique(dim=0)) == 1000


def test_a_network_learns_and_only_with_its_hidden_weights():
    inputs, labels = yinyang.yin_yang(600, torch.Generator().manual_seed(0))
    times = yinyang.arrival_times(inputs)
    assert torch.equal(times[:, :2] + times[:, 2:4], torch.full((600, 2), 2.0)) and not times[:, 4].any()
    right = {}
    for name in ("all", "frozen"):
        net = yinyang.FirstSpikeMLP((5, 30, 3), generator=torch.Generator().manual_seed(2))
        net.weights[0].requires_grad_(name == "all")
        start = net.weights[0].detach().clone()
        yinyang.fit_first_spikes(net, times, labels, epochs=12, batch=50)
        assert torch.equal(net.weights[0], start) == (name == "frozen")
        right[name] = (net(times)[-1].argmin(1) == labels).double().mean().item()
    assert right["all"] > 0.8 and right["all"] > right["frozen"] + 0.1


def test_the_loss_knows_its_floor_its_silent_value_and_its_zero_gradient():
    spikes, target = torch.tensor([[0.1, 9.0, math.inf], [7.0, 8.0, 9.0]], requires_grad=True), torch.tensor([0, 2])
    far = yinyang.first_spike_loss(spikes[:1], target[:1], sharpness=9.0)
    assert far < 1e-10
    together = yinyang.first_spike_loss(spikes[1:], target[1:])
    assert together.item() == pytest.approx(math.log(3))
    (grad,) = torch.autograd.grad(together, spikes)
    assert not grad.any()
    weight = draw(1, 4, 3).requires_grad_()
    (grad,) = torch.autograd.grad(yinyang.silence_cost(weight), weight)
    assert torch.equal(grad, -(weight.sum(1) < 1).to(FLOAT)[:, None].expand(4, 3) / 4)


# From spike to spike

def arrivals(seed, count=24, inputs=4, end=8.0):
    times = (end * uniform(seed, count)).sort().values
    return eventprop.Arrivals(times, torch.randint(inputs, (count,), generator=torch.Generator().manual_seed(seed)))


def clocked(given, weight, recurrent, tau_mem, tau_syn, step, end):
    """The same network in small steps of exact decays: spike times and neurons."""
    mem, syn, spikes, place = torch.zeros(len(weight), dtype=FLOAT), torch.zeros(len(weight), dtype=FLOAT), [], 0
    slow, fast = math.exp(-step / tau_mem), math.exp(-step / tau_syn)
    for now in range(int(end / step)):
        while place < len(given.times) and given.times[place] < (now + 0.5) * step:
            syn, place = syn + weight[:, given.inputs[place]], place + 1
        mem, syn = mem * slow + syn * (tau_syn / (tau_mem - tau_syn) * (slow - fast)), syn * fast
        for neuron in (mem > 1).nonzero().flatten().tolist():
            spikes.append(((now + 1) * step, neuron))
            mem[neuron] = 0
            syn = syn + recurrent[:, neuron]
    return spikes


@pytest.mark.parametrize("taus", [(2.0, 1.0), (1.0, 1.8)])
def test_events_are_the_limit_of_small_steps(taus):
    given, weight, recurrent = arrivals(1, 12, 4, 4.0), draw(2, 3, 4) + 1.2, 0.3 * draw(3, 3, 3)
    spikes = eventprop.event_driven_lif(given, weight, 4.0, recurrent, *taus)
    steps = clocked(given, weight, recurrent, *taus, 5e-4, 4.0)
    assert len(spikes.times) > 8 and [neuron for _, neuron in steps] == spikes.neurons.tolist()
    assert max(abs(time - other) for (time, _), other in zip(steps, spikes.times.tolist(), strict=True)) < 0.02
    assert (spikes.currents > 1).all() and (spikes.times.diff() >= 0).all()


@pytest.mark.parametrize(("taus", "seed"), [((2.0, 1.0), 4), ((1.0, 1.8), 5)])
def test_eventprop_is_finite_differences(taus, seed):
    given, weight, recurrent = arrivals(seed, 10, 3, 4.0), draw(seed, 3, 3) + 1.3, 0.3 * draw(seed + 1, 3, 3)
    spikes = eventprop.event_driven_lif(given, weight, 5.0, recurrent, *taus)
    price = draw(6, len(spikes.times))
    found = eventprop.eventprop(given, spikes, weight, price, recurrent, *taus)
    assert len(spikes.times) > 6

    def total(weight, recurrent):
        again = eventprop.event_driven_lif(given, weight, 5.0, recurrent, *taus)
        assert torch.equal(again.neurons, spikes.neurons)
        return again.times @ price

    for place, value in enumerate((weight, recurrent)):
        numbers = torch.zeros_like(value)
        for index in torch.cartesian_prod(*map(torch.arange, value.shape)).tolist()[::1 if taus[0] == 2 else 3]:
            step = torch.zeros_like(value)
            step[tuple(index)] = 1e-6
            up, down = [weight, recurrent], [weight, recurrent]
            up[place], down[place] = value + step, value - step
            numbers[tuple(index)] = (total(*up) - total(*down)) / 2e-6
        tried = numbers != 0
        assert tried.sum() >= 2 and (found[place] - numbers)[tried].norm() < 1e-6 * numbers.norm()


def test_a_first_spike_is_the_same_by_event_by_layer_and_by_adjoint():
    times, weight = 3 * uniform(7, 4), 3 * (draw(8, 5, 4) + 1.5)
    layer = spiketimes.first_spike_layer(times[None], weight, leaky=True)[0]
    order = times.argsort()
    given = eventprop.Arrivals(times[order], order)
    spikes = eventprop.event_driven_lif(given, weight, 10.0)
    firsts = torch.tensor([spikes.times[spikes.neurons == neuron][:1].sum().item() for neuron in range(5)], dtype=FLOAT)
    assert torch.allclose(layer.where(layer.isfinite(), 0.0), firsts, atol=1e-12) and (firsts > 0).sum() > 2
    price = torch.zeros(len(spikes.times), dtype=FLOAT)
    for neuron in range(5):
        price[(spikes.neurons == neuron).nonzero()[:1]] = 1.0
    learned = weight.clone().requires_grad_()
    fired = spiketimes.first_spike_layer(times[None], learned, leaky=True)
    (grad,) = torch.autograd.grad(fired[fired.isfinite()].sum(), learned)
    assert torch.allclose(eventprop.eventprop(given, spikes, weight, price).weight, grad, atol=1e-9)


def test_a_neuron_without_spikes_has_gradients_of_exactly_zero():
    given, weight = arrivals(9), torch.tensor([[2.0, 2.0, 2.0, 2.0], [0.1, 0.1, 0.1, 0.1]], dtype=FLOAT)
    spikes = eventprop.event_driven_lif(given, weight, 10.0)
    grads = eventprop.eventprop(given, spikes, weight, torch.ones(len(spikes.times), dtype=FLOAT))
    assert set(spikes.neurons.tolist()) == {0} and grads.weight[0].any() and not grads.weight[1].any()
    assert grads.recurrent is None
    nothing = eventprop.Arrivals(torch.zeros(0, dtype=FLOAT), torch.zeros(0).long())
    silent = eventprop.event_driven_lif(nothing, weight, 1.0)
    assert not len(silent.times) and not eventprop.eventprop(nothing, silent, weight, silent.times).weight.any()


def test_the_clock_of_notebook_03_samples_the_same_membrane():
    step, weight = 0.1, torch.tensor([[0.9]], dtype=FLOAT)
    fast, slow = math.exp(-step), math.exp(-step / 2)
    pulse = torch.zeros(40, 1, 1, dtype=FLOAT)
    pulse[0] = 1
    _, mem, _ = cuba_lif(pulse @ weight.T * (slow - fast), fast, slow, reset="zero")
    s = step * torch.arange(1, 41, dtype=FLOAT)
    assert torch.allclose(mem.flatten(), 0.9 * ((-s / 2).exp() - (-s).exp()))


# What is refused, and whether the cure works

@pytest.mark.parametrize(("call", "words"), [
    (lambda: spiketimes.crossing_time(torch.ones(2), torch.ones(3), 5.0), "one arrival a weight"),
    (lambda: spiketimes.spike_gradients(torch.ones(1), torch.zeros(1), 9.0, 5.0), "Take spike_time from crossing_time"),
    (lambda: spiketimes.first_spike_layer(torch.tensor([[0.0, 99.0]]), torch.ones(1, 2)), "within 80 tau"),
    (lambda: spiketimes.first_spike_layer(torch.tensor([[0.0, math.nan]]), torch.ones(1, 2)), "infinity for an input"),
    (lambda: spiketimes.first_spike_layer(torch.ones(2, 3), torch.ones(3, 2)), "times must be [B, N] and weight [M, N]"),
    (lambda: spiketimes.first_spike_layer(torch.ones(2, 3), torch.ones(3, 3).double()), "times is torch.float32"),
    (lambda: yinyang.arrival_times(torch.tensor([[3.0, 5.0]])), "(x - low) / (high - low)"),
    (lambda: yinyang.first_spike_loss(torch.ones(2, 3), torch.tensor([0, 3])), "classes from 0 to 2"),
    (lambda: yinyang.FirstSpikeMLP((5,)), "two numbers or more"),
    (lambda: eventprop.event_driven_lif(eventprop.Arrivals(torch.tensor([1.0, 0.0]), torch.tensor([0, 0])),
                                        torch.ones(1, 1), 2.0), "sort both"),
    (lambda: eventprop.event_driven_lif(arrivals(0), torch.ones(1, 4, dtype=FLOAT), 2.0, tau_mem=1.0), "must differ"),
    (lambda: eventprop.event_driven_lif(arrivals(0), 99 * torch.ones(1, 4, dtype=FLOAT), 9.0, most=3), "more than 3 spikes"),
])
def test_what_cannot_be_meant_is_refused_with_a_cure(call, words):
    with pytest.raises((TypeError, ValueError), match=re.escape(words)):
        call()


def test_the_cures_of_the_messages_work():
    times, inputs = torch.tensor([1.0, 0.0]), torch.tensor([0, 0])
    order = times.argsort()
    assert len(eventprop.event_driven_lif(eventprop.Arrivals(times[order], inputs[order]), 5 * torch.ones(1, 1), 9.0).times)
    x = torch.tensor([[3.0, 5.0]])
    low, high = 0.0, 10.0
    assert yinyang.arrival_times((x - low) / (high - low)).shape == (1, 5)
    assert spiketimes.first_spike_layer(torch.tensor([[0.0, math.inf]]), 2 * torch.ones(1, 2)).isfinite().all()
    assert spiketimes.first_spike_layer(torch.tensor([[0.0, 99.0]]), 2 * torch.ones(1, 2), tau=2.0).isfinite().all()
