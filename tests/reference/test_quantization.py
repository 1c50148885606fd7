"""Grids against brute force and closed forms, straight-through gradients against surrogates, integers against floats."""
import math
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snnteach import integers, quantization
from snnteach.networks import SpikingMLP, direct_current
from snnteach.surrogate import atan, boxcar, spike, straight_through, triangular

FLOAT = torch.float64


def draw(seed, *shape, dtype=FLOAT):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def error(weight, codes, scale):
    return (weight - codes * scale).square().sum().item()


# Grids

@pytest.mark.parametrize("bits", range(1, 17))
def test_a_grid_has_as_many_levels_as_its_bits_allow(bits):
    most = quantization.levels(bits)
    assert most == {1: 1}.get(bits, 2 ** (bits - 1) - 1)
    codes, scale = quantization.weight_codes(torch.linspace(-3, 3, 200_001, dtype=FLOAT), bits)
    assert len(codes.unique()) == (2 if bits == 1 else 2 * most + 1) <= 2**bits
    assert codes.abs().max() == most and (bits == 1 or scale.item() == pytest.approx(3 / most))


@given(bits=st.integers(2, 10), seed=st.integers(0, 10**6))
def test_the_error_is_at_most_half_a_step_and_the_code_the_nearest(bits, seed):
    weight = draw(seed, 50)
    codes, scale = quantization.weight_codes(weight, bits)
    assert (weight - codes * scale).abs().max() <= scale / 2 * (1 + 1e-9)
    most = quantization.levels(bits)
    every = scale * torch.arange(-most, most + 1, dtype=FLOAT)
    assert torch.allclose((weight - codes * scale).abs(), (weight[:, None] - every).abs().amin(1), atol=1e-12)


@given(bits=st.integers(1, 6), seed=st.integers(0, 10**6))
def test_least_squares_never_errs_more_than_the_largest_weight_and_stands_still(bits, seed):
    weight = draw(seed, 80) ** 3
    codes, scale = quantization.weight_codes(weight, bits, "least squares")
    assert error(weight, codes, scale) <= error(weight, *quantization.weight_codes(weight, bits)) * (1 + 1e-9)
    best = (weight * codes).sum() / codes.square().sum()
    assert scale.item() == pytest.approx(best.item(), rel=2e-3) or bits > 4
    if bits == 1:
        nearby = [error(weight, codes, scale * factor) for factor in (0.9, 0.99, 1.01, 1.1)]
        assert error(weight, codes, scale) < min(nearby)


def test_least_squares_at_two_bits_is_the_best_of_all_scales():
    weight = draw(0, 4000)
    codes, scale = quantization.weight_codes(weight, 2, "least squares")
    tried = [error(weight, (weight / s).round().clamp(-1, 1), s) for s in torch.linspace(0.3, 4, 400, dtype=FLOAT)]
    assert error(weight, codes, scale) <= min(tried) * 1.001
    assert scale.item() == pytest.approx(1.224, abs=0.03)                  # a normal's three levels: Max (1960), his table
    by_rule = quantization.ternary_codes(weight)
    assert error(weight, *by_rule) < 1.02 * min(tried)
    assert (by_rule[0] != codes).double().mean() < 0.06


def test_ternary_codes_obey_their_rule():
    weight = torch.tensor([-2.0, -0.3, 0.0, 0.2, 1.0])
    codes, scale = quantization.ternary_codes(weight)
    assert codes.tolist() == [-1, 0, 0, 0, 1] and scale.item() == 1.5
    codes, scale = quantization.ternary_codes(weight, cut=0)
    assert codes.tolist() == [-1, -1, 0, 1, 1] and scale.item() == pytest.approx(3.5 / 4)
    with pytest.raises(ValueError, match="Lower cut"):
        quantization.ternary_codes(torch.ones(3), cut=1)
    quantization.ternary_codes(torch.ones(3), cut=0.7)


@pytest.mark.parametrize("bits", range(2, 13))
def test_evenly_spread_values_lose_twenty_log_of_two_levels(bits):
    signal = (torch.arange(2_000_000, dtype=FLOAT) + 0.5) / 1_000_000 - 1
    copy = torch.mul(*quantization.weight_codes(signal, bits))
    law = 20 * math.log10(2 * quantization.levels(bits))
    assert quantization.signal_to_noise(signal, copy) == pytest.approx(law, abs=0.01)
    more = 20 * math.log10(quantization.levels(bits + 1) / quantization.levels(bits))
    assert 20 * math.log10(2) < more < 20 * math.log10(2) + 15 / 2**bits                # 6.02 dB a bit, the more the finer


def test_a_copy_without_error_is_infinitely_good():
    assert quantization.signal_to_noise(torch.ones(3), torch.ones(3)) == math.inf


def test_half_precision_is_summed_wider():
    weight = (100 * draw(1, 70_000)).half()
    codes, scale = quantization.weight_codes(weight, 12, "least squares")
    assert codes.dtype == scale.dtype == torch.float32 and scale.isfinite() and codes.abs().max() <= 2047
    assert quantization.OnGrid(4)(weight).dtype == torch.float16


# Straight through

@given(seed=st.integers(0, 10**6), low=st.integers(-5, 0), high=st.integers(1, 5))
def test_a_staircase_of_spikes_is_rounding_with_the_straight_through_gradient(seed, low, high):
    x = (3 * draw(seed, 40)).requires_grad_()
    stairs = quantization.staircase(x, low, high, boxcar())
    (by_spikes,) = torch.autograd.grad(stairs.sum(), x)
    assert torch.equal(stairs, x.detach().round().clamp(low, high))
    within = (x >= low) & (x <= high)
    assert torch.equal(by_spikes, within.to(FLOAT))
    y = x.detach().clone().requires_grad_()
    through = quantization.round_through(y)
    (straight,) = torch.autograd.grad(through.sum(), y)
    assert torch.equal(through, y.detach().round()) and straight.eq(1).all()


def test_triangles_tile_too_and_arctangents_do_not():
    x = torch.linspace(-1.9, 1.9, 38, dtype=FLOAT).requires_grad_()
    found = {}
    for name, h in (("triangular", triangular()), ("atan", atan())):
        (found[name],) = torch.autograd.grad(quantization.staircase(x, -4, 4, h).sum(), x)
    assert torch.allclose(found["triangular"], torch.ones(38, dtype=FLOAT)) and found["atan"].std() > 0.01


def test_one_step_with_the_straight_through_surrogate_is_the_trick_with_detach():
    u = draw(2, 30).requires_grad_()
    (one,) = torch.autograd.grad(spike(u, straight_through()).sum(), u)
    v = u.detach().clone().requires_grad_()
    fired = (v > 0).to(FLOAT)
    trick = fired.detach() + (v - v.detach())
    (other,) = torch.autograd.grad(trick.sum(), v)
    assert torch.equal(one, other) and torch.equal(spike(u, straight_through()), trick)


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("rule", quantization.RULES)
def test_a_weight_is_on_its_grid_exactly_and_learns_straight_through(bits, rule):
    weight = draw(3, 20, 30, dtype=torch.float32).requires_grad_()
    used = quantization.OnGrid(bits, rule)(weight)
    codes, scale = quantization.weight_codes(weight, bits, rule)
    assert torch.equal(used, codes * scale) and len(used.unique()) <= 2**bits
    (grad,) = torch.autograd.grad((used * torch.arange(30)).sum(), weight)
    assert torch.equal(grad, torch.arange(30.0).expand(20, 30))


def test_a_network_trains_on_its_grid_and_can_be_put_on_another():
    net = SpikingMLP((20, 15, 3), readout="membrane")
    before = [linear.weight.detach().clone() for linear in net.linears]
    quantization.put_on_grid(net, 3)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.5)
    net(direct_current(torch.rand(5, 20), 6))[-1].mem[..., 0].sum().backward()
    optimiser.step()
    for linear, weight in zip(net.linears, before, strict=True):
        behind = linear.parametrizations.weight.original
        assert not torch.equal(behind, weight) and len(linear.weight.unique()) <= 7 < len(behind.unique())
    quantization.put_on_grid(net, 2)
    for linear in net.linears:
        assert len(linear.parametrizations.weight) == 1 and len(linear.weight.unique()) <= 3
        assert linear.parametrizations.weight[0].bits == 2
    with pytest.raises(ValueError, match="no nn.Linear"):
        quantization.put_on_grid(torch.nn.ReLU(), 2)


# Peers

@pytest.mark.parametrize("rule", quantization.RULES)
@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_pytorch_rounds_alike_and_its_gradient_ends_half_a_step_later(bits, rule):
    weight = draw(8, 3000, dtype=torch.float32).requires_grad_()
    most = quantization.levels(bits)
    codes, scale = quantization.weight_codes(weight, bits, rule)
    theirs = torch.fake_quantize_per_tensor_affine(weight, scale.item(), 0, -most, most)
    (grad,) = torch.autograd.grad(theirs.sum(), weight)
    assert torch.allclose(theirs, codes * scale, rtol=1e-6, atol=0)
    x = (weight / scale).detach().requires_grad_()
    (ours,) = torch.autograd.grad(quantization.staircase(x, -most, most, boxcar()).sum(), x)
    far = x.detach().abs() % 1 % 0.5 > 1e-4                                     # whole numbers and halves are ends of boxes
    assert torch.equal(ours[far], (x.abs() < most).float()[far]) and torch.equal(grad[far], (x.abs() < most + 0.5).float()[far])


def test_snntorch_rounds_a_membrane_straight_through_without_ends():
    quant = pytest.importorskip("snntorch.functional.quant")
    weight = draw(9, 500, dtype=torch.float32).requires_grad_()
    codes, scale = quantization.weight_codes(weight, 3, "least squares")
    theirs = quant.StateQuant.apply(weight, scale * torch.arange(-3.0, 4.0))
    (grad,) = torch.autograd.grad(theirs.sum(), weight)
    assert torch.equal(theirs, codes * scale) and grad.eq(1).all()
    assert torch.equal(theirs, quantization.OnGrid(3, "least squares")(weight))


# Integers

def exact(mem, shift, way, rounding):
    """The leak in Python's whole numbers and fractions."""
    down = (lambda top: top // 2**shift) if rounding == "floor" else (lambda top: int(top / 2**shift))
    return mem - down(mem) if way == "shift" else down(mem * (2**shift - 1))


@pytest.mark.parametrize("way", integers.WAYS)
@pytest.mark.parametrize("rounding", integers.ROUNDINGS)
@pytest.mark.parametrize("shift", [1, 3, 5])
def test_a_leak_is_its_formula_and_rests_where_it_says(shift, way, rounding):
    mem = torch.arange(-300, 301)
    found = integers.integer_leak(mem, shift, way, rounding)
    assert found.tolist() == [exact(value, shift, way, rounding) for value in mem.tolist()]
    most = 2**shift - 1
    rests = {("product", "floor"): range(-most, 1), ("shift", "floor"): range(most + 1), ("product", "truncate"): range(1),
             ("shift", "truncate"): range(-most, most + 1)}[way, rounding]
    assert mem[found == mem].tolist() == list(rests)
    for _ in range(300):
        mem = integers.integer_leak(mem, shift, way, rounding)
    assert mem.unique().tolist() == list(rests)                  # the rest of the line has come to rest, at its ends


def test_product_rounds_down_and_shift_rounds_up():
    mem = torch.arange(-1000, 1000)
    exact_leak = 0.875 * mem.double()
    assert torch.equal(integers.integer_leak(mem).double(), exact_leak.floor())
    assert torch.equal(integers.integer_leak(mem, way="shift").double(), exact_leak.ceil())
    assert torch.equal(integers.integer_leak(mem, rounding="truncate").double(), exact_leak.trunc())


@given(seed=st.integers(0, 10**6), shift=st.integers(1, 6), threshold=st.integers(1, 300))
def test_integers_equal_the_simulation_that_floors_the_leak(seed, shift, threshold):
    current = (threshold * draw(seed, 12, 3, 4)).round().long()
    spk, mem = integers.integer_lif(current, threshold, shift)
    same = integers.simulated_lif(current.double(), threshold, 1 - 2.0**-shift)
    assert torch.equal(spk.double(), same[0]) and torch.equal(mem.double(), same[1])
    silent, held = integers.integer_lif(current, None, shift)
    assert not silent.any() and torch.equal(held.double(), integers.simulated_lif(current.double(), math.inf,
                                                                                  1 - 2.0**-shift)[1])


def test_without_the_floor_a_coarse_simulation_differs_and_a_fine_one_nearly_agrees():
    rates = {}
    for unit in (10, 10_000):
        current = (unit * draw(5, 50, 40, 20)).round()
        with_floor, without = (integers.simulated_lif(current, unit, 0.875, floor)[0] for floor in (True, False))
        rates[unit] = ((with_floor != without).sum() / with_floor.sum()).item()
    assert rates[10] > 0.02 and rates[10_000] < 5e-3


def network(sizes=(30, 20, 4), seed=0, **options):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return SpikingMLP(sizes, **{"beta": 0.875, "threshold": 0.5, "readout": "membrane", **options})


@pytest.mark.parametrize("readout", ["membrane", "spike"])
def test_a_network_in_integers_is_the_network_to_its_rounding(readout):
    net, pixels = network(readout=readout), torch.randint(0, 256, (200, 30), generator=torch.Generator().manual_seed(1))
    mean, std = 0.4, 0.3
    quantization.put_on_grid(net.double(), 12)
    whole = integers.run_integers(pixels, integers.to_integers(net, mean, std, bits=12), 10)
    with torch.no_grad():
        records = net(direct_current((pixels / 255 - mean).double() / std, 10))
    assert records[0].spk.mean() > 0.05
    assert (whole[0].spk != records[0].spk).double().mean() < 1e-3
    unit = quantization.weight_codes(net.linears[0].weight, 12)[1].item() / (255 * std)
    assert (whole[0].mem * unit - records[0].mem).abs().max() < 0.05 or (whole[0].spk != records[0].spk).any()
    assert (whole[-1].spk is None) == (records[-1].spk is None)


def test_codes_and_units_are_those_of_the_formula():
    net, mean, std = network().double(), 0.3, 0.25
    made = integers.to_integers(net, mean, std, bits=4, drop=2)
    codes, scale = quantization.weight_codes(net.linears[0].weight, 4)
    unit, first, last = scale / (255 * std), *made.layers
    assert torch.equal(first.weight, codes.long()) and first.drop == 2 and last.drop == 0 and made.shift == 3
    assert first.threshold == round(0.5 / (4 * unit.item())) and last.threshold is None
    pixels = torch.arange(30.0, dtype=FLOAT) * 8
    wanted = (codes * scale) @ ((pixels / 255 - mean) / std) + net.linears[0].bias
    assert ((first.weight.double() @ pixels + first.bias) * unit - wanted).abs().max() <= unit / 2 * 1.001
    spk = (pixels[:20] > 50).double()
    codes, scale = quantization.weight_codes(net.linears[1].weight, 4)
    assert ((last.weight.double() @ spk + last.bias) * scale - (codes * scale) @ spk - net.linears[1].bias).abs().max() \
        <= scale / 2 * 1.001


@pytest.mark.parametrize(("bits", "rule"), [(4, "least squares"), (2, "least squares"), (2, "largest"), (1, "largest")])
def test_a_network_on_its_grid_keeps_its_codes(bits, rule):
    net = quantization.put_on_grid(network(), bits, rule)
    made = integers.to_integers(net, bits=bits)
    for layer, linear in zip(made.layers, net.linears, strict=True):
        codes, scale = quantization.weight_codes(linear.parametrizations.weight.original, bits, rule)
        assert torch.equal(layer.weight, codes.long()) or codes.abs().max() < quantization.levels(bits)


def test_dropped_bits_are_shifted_away():
    net, pixels = network(), torch.randint(0, 256, (6, 30), generator=torch.Generator().manual_seed(2))
    fine, made = integers.to_integers(net), integers.to_integers(net, drop=3)
    current = (pixels @ fine.layers[0].weight.T + fine.layers[0].bias) >> 3
    spk, mem = integers.integer_lif(current.expand(7, -1, -1), made.layers[0].threshold, way="shift", rounding="truncate")
    out = integers.run_integers(pixels, made, 7, "shift", "truncate")
    assert torch.equal(out[0].spk, spk) and torch.equal(out[0].mem, mem)
    assert torch.equal(integers.run_integers(pixels.to(torch.uint8), made, 7, "shift", "truncate")[1].mem, out[1].mem)


@pytest.mark.parametrize(("call", "words"), [
    (lambda: integers.to_integers(network(beta=0.9)), "beta of net must be 1 - 2^-shift, such as 0.875"),
    (lambda: integers.to_integers(network(reset="zero")), "must reset by subtraction"),
    (lambda: integers.to_integers(network(), drop=40), "Lower drop"),
    (lambda: integers.integer_lif(torch.zeros(2, 3, 4), 1), "current must be int64, got torch.float32. Convert whole numbers "
                                                            "with current.long()"),
    (lambda: integers.integer_lif(torch.full((1, 1, 1), 2**60), 1), "leaves 64 bits"),
    (lambda: integers.integer_leak(torch.tensor([2**55])), "leaves 64 bits"),
    (lambda: integers.run_integers(torch.rand(2, 30), integers.to_integers(network()), 3), "(pixels * 255).round().long()"),
    (lambda: integers.run_integers(torch.zeros(2, 28, dtype=torch.uint8), integers.to_integers(network()), 3),
     "must be [20, 28]"),
    (lambda: integers.simulated_lif(torch.zeros(2, 3, 4), 0), "above 0"),
    (lambda: quantization.weight_codes(torch.zeros(3), 4), "nothing but zeros"),
    (lambda: quantization.weight_codes(torch.tensor([1e-45]), 4), "nothing but zeros (or less than 1e-30)"),
    (lambda: quantization.weight_codes(torch.ones(3), 17), "at most 16"),
    (lambda: quantization.staircase(torch.ones(3), 2, 2, boxcar()), "lowest must be below highest"),
    (lambda: quantization.staircase(torch.ones(3), 0, 2, boxcar), "call its factory"),
])
def test_what_cannot_be_meant_is_refused_with_a_cure(call, words):
    with pytest.raises((TypeError, ValueError), match=re.escape(words)):
        call()


def test_the_cures_of_the_messages_work():
    assert integers.integer_lif(torch.zeros(2, 3, 4).long(), 1)[0].shape == (2, 3, 4)
    images = torch.rand(2, 5, 6)
    pixels = (images * 255).round().long().flatten(1)
    assert integers.run_integers(pixels, integers.to_integers(network(), drop=1), 3)[1].mem.shape == (3, 2, 4)
