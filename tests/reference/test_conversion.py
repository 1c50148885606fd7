"""The proof of `snnteach.conversion`: laws of the rate, exact in whole numbers; conversion; and where its error comes from."""
import copy
import math
import re
from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snnteach import conversion
from snnteach.deep import NormOverTime, OverTime, fold_norm
from snnteach.energy import ReluMLP
from snnteach.networks import SpikingMLP, direct_current
from snnteach.neurons import lif
from snnteach.surrogate import spike
from tests.reference.test_quantization import draw

FLOAT = torch.float64
GRID = torch.arange(-512, 1537, dtype=FLOAT) / 1024                  # from -1/2 to 3/2: sums of these are exact in float64


def trained_like(sizes=(20, 30, 25, 4), seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return ReluMLP(sizes).double()


def spikes(current, num_steps, start, reset="subtract"):
    """Spikes of an integrate-and-fire neuron with a constant current."""
    x = current.expand(num_steps, 1, -1)
    began = torch.full_like(x[0], start)
    return lif(x, 1.0, reset=reset, state=(began, torch.zeros_like(began)))[0]


# The law of one neuron

@pytest.mark.parametrize("start", [0.0, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("num_steps", [1, 2, 7, 16, 64])
def test_the_rate_is_its_closed_form(num_steps, start):
    assert torch.equal(conversion.even_rate(GRID, num_steps, start), spikes(GRID, num_steps, start).mean(0)[0])


@pytest.mark.parametrize("num_steps", [1, 3, 10, 50, 512])
def test_the_largest_error_is_one_over_t_and_half_of_it_and_both_are_reached(num_steps):
    current = torch.arange(-2 * num_steps, 6 * num_steps + 1, dtype=FLOAT) / (4 * num_steps)      # all quarters of a step
    wanted = current.clamp(0, 1)
    low = conversion.even_rate(current, num_steps, 0.0) - wanted
    assert low.min().item() == pytest.approx(-1 / num_steps, abs=1e-12) and low.max() <= 1e-12
    half = conversion.even_rate(current, num_steps) - wanted
    assert half.abs().max().item() == pytest.approx(0.5 / num_steps, abs=1e-12)


@given(numerator=st.integers(-300, 900), denominator=st.integers(1, 600), num_steps=st.integers(1, 300),
       start=st.sampled_from([Fraction(0), Fraction(1, 2)]))
def test_the_law_in_fractions(numerator, denominator, num_steps, start):
    current = Fraction(numerator, denominator)
    mem, count = start, 0
    for _ in range(num_steps):
        mem += current
        if mem > 1:
            mem, count = mem - 1, count + 1
    error = Fraction(count, num_steps) - min(max(current, 0), 1)
    assert count == min(max(math.ceil(num_steps * current + start) - 1, 0), num_steps)
    assert -Fraction(1, num_steps) <= error <= 0 if start == 0 else abs(error) <= Fraction(1, 2 * num_steps)


def test_mean_errors_are_half_and_a_quarter_of_a_step():
    current = (torch.arange(200_000, dtype=FLOAT) + 0.5) / 200_000
    for num_steps in (4, 16):
        low = conversion.even_rate(current, num_steps, 0.0) - current
        half = conversion.even_rate(current, num_steps) - current
        assert low.mean().item() == pytest.approx(-0.5 / num_steps, rel=1e-3)
        assert half.mean().abs() < 1e-5 and half.abs().mean().item() == pytest.approx(0.25 / num_steps, rel=1e-3)


def test_half_precision_counts_wider():
    current = torch.linspace(0, 1, 101).half()
    for steps in (10, 100_000):
        wanted = conversion.even_rate(current.float(), steps)
        assert torch.equal(conversion.even_rate(current, steps), wanted.half())


def test_counts_of_the_literature():
    assert conversion.even_rate(torch.tensor(0.373, dtype=FLOAT), 100, 0.0).item() == 0.37


def test_reset_to_zero_is_its_closed_form_and_lies_below():
    current = torch.linspace(-0.3, 1.3, 641, dtype=FLOAT)
    current = current[(1 / current - (1 / current).round()).abs() > 1e-6]      # on 1/n rounding decides
    rate, steps = conversion.zero_reset_rate(current), 3000
    found = spikes(current, steps, 0.0, "zero").mean(0)[0]
    assert (found - rate).abs().max() < 1 / steps + 1e-9
    within = (current > 0) & (current < 1)
    assert (rate[within] < current[within]).all() and (rate[within] >= current[within] / (1 + current[within]) - 1e-12).all()
    assert (current[within] - rate[within]).max() > 0.49 and (rate[current > 1] == 1).all() and (rate[current < 0] == 0).all()
    assert conversion.zero_reset_rate(torch.tensor([0.25, 0.5, 1.0])).tolist() == pytest.approx([0.2, 1 / 3, 0.5])


# Scales and weights

def test_scales_are_order_statistics_of_the_activations():
    net, x = trained_like(), draw(0, 200, 20)
    records = net(x[None])[:-1]
    assert conversion.activation_scales(net, x) == [record.spk.max().item() for record in records]
    for percentile in (60, 97, 99.9):
        for scale, record in zip(conversion.activation_scales(net, x, percentile), records, strict=True):
            values = record.spk.flatten()
            assert (values <= scale).double().mean() >= percentile / 100 > (values < scale).double().mean()


@pytest.mark.parametrize("percentile", [100, 95])
def test_weights_and_biases_are_scaled_so_that_unclipped_activations_are_divided(percentile):
    ann, x = trained_like(), draw(1, 50, 20)
    scales = conversion.activation_scales(ann, x, percentile)
    net = conversion.convert(ann, scales)
    active = x
    for linear, record, scale in zip(net.linears, ann(x[None]), [*scales, 1.0], strict=True):
        current = linear(active)
        assert torch.allclose(current, record.mem[0] / scale)
        active = current.relu()
    assert net.scales == scales and net.linears[0].weight.dtype == FLOAT


def test_many_steps_give_the_ann_where_nothing_is_clipped():
    ann, x = trained_like(), draw(2, 40, 20)
    net = conversion.convert(ann, conversion.activation_scales(ann, x))
    errors = [(net(direct_current(x, steps))[-1].mem[-1] / steps - ann(x[None])[-1].mem[0]).abs().max().item()
              for steps in (20, 200, 2000)]
    assert errors[2] < 2e-3 and errors[0] > 5 * errors[1] > 25 * errors[2]


def test_a_start_of_zero_is_the_spiking_network_of_the_course():
    ann, x = trained_like(), draw(3, 30, 20)
    net = conversion.convert(ann, conversion.activation_scales(ann, x, 97), 0.0, reset="zero")
    plain = SpikingMLP((20, 30, 25, 4), beta=1.0, readout="membrane", reset="zero").double()
    plain.load_state_dict(net.state_dict())
    for one, other in zip(net(direct_current(x, 12)), plain(direct_current(x, 12)), strict=True):
        assert torch.allclose(one.mem, other.mem) and (one.spk is None or torch.equal(one.spk, other.spk))


def test_gradients_are_those_of_autograd_through_the_loop():
    ann, x = trained_like((6, 8, 5, 3)), draw(4, 7, 6)
    net = conversion.convert(ann, [1.0, 1.0])
    net(direct_current(x, 5))[-1].mem[-1].square().sum().backward()
    again, h = copy.deepcopy(net), net.neurons[0].surrogate
    again.zero_grad()
    mems, fired, out = [torch.full((7, 8), 0.5, dtype=FLOAT), torch.full((7, 5), 0.5, dtype=FLOAT)], [0, 0], 0
    for step in range(5):
        active = x
        for place in range(2):
            mems[place] = mems[place] + again.linears[place](active) - (fired[place].detach() if step else 0)
            active = fired[place] = spike(mems[place] - 1, h)
        out = out + again.linears[2](active)
    out.square().sum().backward()
    for one, other in zip(net.parameters(), again.parameters(), strict=True):
        assert one.grad.any() and torch.allclose(one.grad, other.grad, atol=1e-10)


def test_a_batch_norm_is_folded_before_conversion():
    layer, norm = torch.nn.Linear(20, 6), NormOverTime(6)
    for _ in range(30):
        norm(OverTime(layer)(3 * torch.rand(1, 50, 20)))
    ann = ReluMLP((20, 6, 2))
    ann.linears[0] = fold_norm(layer, norm)
    x = torch.rand(30, 20)
    wanted = ann.linears[1](norm.eval()(OverTime(layer)(x[None])).relu())[0]
    assert torch.allclose(ann(x[None])[-1].mem[0], wanted, atol=1e-5)
    net = conversion.convert(ann, conversion.activation_scales(ann, x))
    assert (net(direct_current(x, 1000))[-1].mem[-1] / 1000 - wanted).abs().max() < 5e-3


@pytest.mark.parametrize("start", [0.0, 0.5])
def test_snntorch_fires_alike(start):
    snntorch = pytest.importorskip("snntorch")
    current, mem, count = GRID.float(), torch.full(GRID.shape, start), 0
    neuron = snntorch.Leaky(beta=1.0, reset_mechanism="subtract")
    for _ in range(16):
        spk, mem = neuron(current, mem)
        count = count + spk
    assert torch.equal(count / 16, conversion.even_rate(current, 16, start))


# The parts of the error

@pytest.mark.parametrize("start", [0.0, 0.5])
@pytest.mark.parametrize("percentile", [100, 90])
def test_four_parts_add_up_and_obey_their_bounds(start, percentile):
    ann, x, steps = trained_like(), draw(5, 60, 20), 8
    scales = conversion.activation_scales(ann, x, percentile)
    net = conversion.convert(ann, scales, start)
    parts = conversion.split_error(net, ann, x, steps)
    bound = (1 if start == 0 else 0.5) / steps
    for part, record, wanted, scale in zip(parts, net(direct_current(x, steps)), ann(x[None]), scales, strict=False):
        assert torch.allclose(sum(part), record.spk.mean(0) - wanted.spk[0] / scale, atol=1e-12)
        assert part.rounding.abs().max() <= bound + 1e-12 and part.clipping.max() <= 0
        assert bool(part.clipping.any()) == (percentile < 100)
    assert max(parts[0].unevenness.abs().max(), parts[0].inherited.abs().max()) < 1e-12
    beyond = (parts[1].rounding + parts[1].unevenness).abs().max()
    assert beyond > bound + 1e-9                                    # the law of the first layer does not hold in the second


def test_run_evenly_is_a_staircase_and_has_no_unevenness():
    ann, x, steps = trained_like(), draw(6, 60, 20), 16
    net = conversion.convert(ann, conversion.activation_scales(ann, x, 95))
    rates, outputs = conversion.run_evenly(net, x, steps)
    assert all(torch.equal(rate * steps, (rate * steps).round()) for rate in rates)
    fed = rates[0]
    second = spikes(net.linears[1](fed).flatten(), steps, 0.5).mean(0)[0].view(60, 25)
    assert torch.equal(rates[1], second)
    assert torch.allclose(outputs, net.linears[2](rates[1]))
    uneven = net(direct_current(x, steps))
    assert torch.equal(uneven[0].spk.mean(0), rates[0]) and not torch.equal(uneven[1].spk.mean(0), rates[1])


def test_spikes_that_come_in_a_bad_order_cost_more_than_a_step():
    x = torch.tensor([[1.0, 0.0], [0.0, 1.0]]).repeat_interleave(5, 0)[:, None]           # five spikes, then five against them
    current = (x * torch.tensor([1.0, -1.0])).sum(-1, keepdim=True)                      # in sum nothing at all
    spk, _ = lif(current, 1.0, state=(torch.full((1, 1), 0.5), torch.zeros(1, 1)))
    assert spk.sum() == 5 and conversion.even_rate(current.mean(0), 10).item() == 0


@pytest.mark.parametrize(("call", "words"), [
    (lambda: conversion.even_rate(torch.arange(3), 4), "current must be floating point"),
    (lambda: conversion.even_rate(torch.rand(3), 4, 2.0), "start must be between 0 and 1"),
    (lambda: conversion.activation_scales(SpikingMLP((3, 4, 2)), torch.rand(2, 3)), "net must be a ReluMLP with a hidden"),
    (lambda: conversion.activation_scales(ReluMLP((3, 2)), torch.rand(2, 3)), "with a hidden layer"),
    (lambda: conversion.activation_scales(ReluMLP((4, 5, 2)), torch.rand(2, 2, 2)), "x.flatten(1)"),
    (lambda: conversion.activation_scales(ReluMLP((4, 5, 2)), torch.rand(9, 4), 1), "Raise percentile"),
    (lambda: conversion.convert(ReluMLP((4, 5, 2)), [1.0, 1.0]), "one a hidden layer, 1, got 2"),
    (lambda: conversion.convert(ReluMLP((4, 5, 2)), [0.0]), "scales[0]"),
    (lambda: conversion.convert(ReluMLP((4, 5, 2)), 3.0), "scales must be a list of numbers"),
    (lambda: conversion.split_error(conversion.ConvertedMLP((4, 5, 2)), ReluMLP((4, 6, 2)), torch.rand(2, 4), 3), "same sizes"),
    (lambda: conversion.run_evenly(conversion.ConvertedMLP((4, 5, 2), reset="zero"), torch.rand(2, 4), 3), "by subtraction"),
])
def test_what_cannot_be_meant_is_refused_with_a_cure(call, words):
    with pytest.raises((TypeError, ValueError), match=re.escape(words)):
        call()


def test_the_cures_of_the_messages_work():
    net = ReluMLP((4, 5, 2))
    assert len(conversion.activation_scales(net, torch.rand(9, 2, 2).flatten(1), 99)) == 1
    assert len(conversion.convert(net, [1.0]).linears) == 2
