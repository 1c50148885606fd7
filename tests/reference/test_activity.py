"""Activity penalties against their closed forms (F32), the report, and the calibration of thresholds."""
import math

import numpy as np
import pytest
import torch

from snnteach.activity import activity_report, calibrate_threshold, l1_spikes, lower_neuron, upper_population
from snnteach.networks import Record, SpikingMLP, direct_current


def spikes(seed=0, shape=(6, 3, 5)):
    return (torch.rand(shape, generator=torch.Generator().manual_seed(seed)) < 0.4).double().requires_grad_()


def network(threshold=10.0, **options):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return SpikingMLP((20, 50, 40, 10), threshold=threshold, **options), direct_current(torch.rand(30, 20), 20)


def test_l1_counts_every_spike():
    spk = spikes()
    penalty = l1_spikes(spk, 0.25)
    penalty.backward()
    assert penalty.item() == pytest.approx(0.25 * spk.sum().item() / 3)
    torch.testing.assert_close(spk.grad, torch.full_like(spk, 0.25 / 3))


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("limit", [0, 11, 1000])
def test_upper_is_its_formula_and_gradient(power, limit):         # F32
    spk, strength = spikes(), 0.3
    totals = spk.detach().sum((0, 2))
    penalty = upper_population(spk, limit, strength, power)
    penalty.backward()
    excess = [max(total - limit, 0) for total in totals.tolist()]
    assert penalty.item() == pytest.approx(strength * sum(e**power for e in excess) / 3)
    slope = torch.tensor([strength * power * e ** (power - 1) / 3 if e > 0 else 0 for e in excess], dtype=torch.float64)
    torch.testing.assert_close(spk.grad, slope[None, :, None].expand_as(spk))


def test_lower_is_its_formula_and_gradient():                     # F32
    spk, strength, limit = spikes(), 0.3, 3
    counts = spk.detach().sum(0)
    penalty = lower_neuron(spk, limit, strength)
    penalty.backward()
    missing = (limit - counts).clamp(min=0)
    assert penalty.item() == pytest.approx(strength * (missing**2).sum(1).mean().item() / 5)
    torch.testing.assert_close(spk.grad, (-2 * strength / 5 * missing / 3).expand_as(spk))


def test_penalties_take_convolutional_spikes():
    spk = spikes(shape=(6, 3, 2, 4, 4))
    for penalty in (lambda s: l1_spikes(s, 1.0), lambda s: upper_population(s, 2, 1.0), lambda s: lower_neuron(s, 2, 1.0)):
        torch.testing.assert_close(penalty(spk), penalty(spk.flatten(2)))


def test_silent_values():
    silent = torch.zeros(6, 3, 5)
    assert l1_spikes(silent, 2.0).item() == upper_population(silent, 0, 2.0).item() == 0
    assert lower_neuron(silent, 3, 2.0).item() == 18


@pytest.mark.parametrize("penalty", [
    l1_spikes, lambda spk, strength: upper_population(spk, 1, strength), lambda spk, strength: lower_neuron(spk, 1, strength),
])
@pytest.mark.parametrize("spk,strength,error,words", [
    (torch.zeros(6, 3), 1.0, ValueError, r"spk must be \[T, B, ...\], got shape \(6, 3\)"),
    (torch.zeros(0, 3, 5), 1.0, ValueError, "and not empty"),
    (torch.zeros(6, 0, 5), 1.0, ValueError, "and not empty"),
    (torch.zeros(6, 3, 5).bool(), 1.0, TypeError, "floating point"),
    (torch.full((6, 3, 5), math.nan), 1.0, ValueError, "NaN"),
    (torch.zeros(6, 3, 5), -1.0, ValueError, "strength must be at least 0, got -1.0"),
    (torch.zeros(6, 3, 5), "much", TypeError, "strength must be a number"),
])
def test_bad_input_is_named(penalty, spk, strength, error, words):
    with pytest.raises(error, match=words):
        penalty(spk, strength)


def test_bad_limit_and_power_are_named():
    with pytest.raises(ValueError, match="lower_neuron: limit must be at least 0"):
        lower_neuron(torch.zeros(6, 3, 5), -1, 1.0)
    with pytest.raises(ValueError, match="upper_population: power must be one of 1, 2, got 3"):
        upper_population(torch.zeros(6, 3, 5), 1, 1.0, power=3)


def test_report_counts_by_hand():
    spk = torch.zeros(10, 2, 4)
    spk[:, :, 0] = 1                                               # always
    spk[3, 1, 1] = 1                                               # once, in one sample of two
    first, last = activity_report([Record(spk, spk), Record(None, spk), Record(0 * spk, spk)])
    assert first == {"layer": 1, "neurons": 4, "spikes": pytest.approx(10.5), "rate": pytest.approx(21 / 80),
                     "silent": 0.5, "saturated": 0.25}
    assert (last["layer"], last["spikes"], last["silent"]) == (3, 0, 1)


@pytest.mark.parametrize("readout", ["spike", "membrane"])
def test_calibration_revives_a_dead_network(readout, capsys):
    net, x = network(readout=readout)
    assert [row["spikes"] for row in activity_report(net(x))][1:] == [0] * (2 if readout == "spike" else 1)
    thresholds = calibrate_threshold(net, x, target_rate=0.15)
    report = activity_report(net(x))
    assert [row["rate"] for row in report] == pytest.approx([0.15] * len(report), abs=0.01)
    assert thresholds == [layer.threshold for layer in net.neurons][:len(report)]
    assert capsys.readouterr().out == ""
    if readout == "membrane":
        assert net.neurons[-1].threshold == math.inf


@pytest.mark.parametrize("positive", [-1.0, 1.0])
def test_calibration_needs_input_that_can_fire(positive):
    net, x = network()
    with torch.no_grad():
        net.linears[1].weight.zero_()
        net.linears[1].bias.fill_(-1.0)
        net.linears[1].bias[:2] = positive                         # 2 of 40 neurons can fire, a rate of at most 0.05
    with pytest.raises(ValueError, match="calibrate_threshold: no threshold brings layer 2 to a rate of 0.15"):
        calibrate_threshold(net, x)
    assert net.neurons[1].threshold == 10.0


@pytest.mark.parametrize("rate,error", [(0, ValueError), (1.5, ValueError), ("high", TypeError)])
def test_calibration_refuses_impossible_rates(rate, error):
    net, x = network()
    with pytest.raises(error, match="calibrate_threshold: target_rate must be"):
        calibrate_threshold(net, x, target_rate=rate)


def test_calibration_refuses_a_network_without_spikes():
    with pytest.raises(ValueError, match="no spiking LIF layer"):
        calibrate_threshold(torch.nn.Linear(3, 2), torch.zeros(2, 2, 3))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_counts_rightly(dtype):
    ones = torch.ones(25, 128, 1000, dtype=dtype)
    assert l1_spikes(ones, 1.0).item() == 25_000 and upper_population(ones, 1, 1.0).item() == 24_999
    assert lower_neuron(ones[:, :4], 30, 1.0).item() == 25 and lower_neuron(torch.ones(3000, 1, 2, dtype=dtype), 3001, 1.0) == 1
    (row,) = activity_report([Record(ones, ones)])
    assert row == {"layer": 1, "neurons": 1000, "spikes": 25_000, "rate": 1, "silent": 0, "saturated": 1}
    spk = torch.ones(5, 2, 3, dtype=dtype, requires_grad=True)
    l1_spikes(spk, 1.0).backward()
    assert spk.grad.dtype == dtype and torch.equal(spk.grad, torch.full_like(spk, 0.5))


def test_numbers_of_numpy_are_taken():
    spk = spikes()
    assert l1_spikes(spk, np.float32(0.5)).item() == l1_spikes(spk, 0.5).item()
    assert torch.equal(upper_population(spk, np.int64(2), np.float64(0.5), power=np.int64(2)), upper_population(spk, 2, 0.5, 2))
    assert calibrate_threshold(*network(), target_rate=np.float32(0.25)) == calibrate_threshold(*network(), target_rate=0.25)


@pytest.mark.parametrize("stop", [ValueError, KeyboardInterrupt])
def test_calibration_that_is_refused_or_interrupted_changes_no_threshold(stop):
    net, x = network()
    for number, layer in enumerate(net.neurons):
        layer.threshold = 10.0 + number
    calls = []

    def interrupt(*_):
        calls.append(1)
        if len(calls) > 20:                                         # layer 1 has its new threshold by then
            raise stop

    handle = net.neurons[1].register_forward_hook(interrupt)
    with pytest.raises(stop):
        calibrate_threshold(net, x)
    handle.remove()
    assert len(calls) > 1 and [layer.threshold for layer in net.neurons] == [10.0, 11.0, 12.0]
    assert calibrate_threshold(net, x)[0] < 10


def test_calibrated_thresholds_travel_with_the_weights():
    (net, x), (other, _), (old, _) = network(), network(), network(threshold=3.0)
    thresholds = calibrate_threshold(net, x)
    state = net.state_dict()
    assert str(other.load_state_dict(state)) == "<All keys matched successfully>"
    assert [layer.threshold for layer in other.neurons] == thresholds
    assert all(torch.equal(a.spk, b.spk) for a, b in zip(net(x), other(x), strict=True)) and net(x)[-1].spk.mean() > 0.1
    before = {name: value for name, value in state.items() if "extra" not in name}             # as older versions saved it
    assert str(old.load_state_dict(before)) == "<All keys matched successfully>"
    assert [layer.threshold for layer in old.neurons] == [3.0] * 3 and torch.equal(old.linears[0].weight, net.linears[0].weight)


@pytest.mark.parametrize(("spk", "error", "words"), [
    (None, TypeError, "spk is None: a membrane read-out fires no spikes"),
    ([Record(None, None)], TypeError, "spk must be a torch.Tensor"),
    (torch.zeros(6, 3, 5).numpy(), TypeError, r"Convert it with torch.from_numpy\(spk\)"),
    (torch.full((6, 3, 5), math.inf), ValueError, "spk holds NaN or infinity"),
])
def test_what_users_pass_for_spikes_is_named(spk, error, words):
    for penalty in (lambda: l1_spikes(spk, 1.0), lambda: upper_population(spk, 1, 1.0), lambda: lower_neuron(spk, 1, 1.0)):
        with pytest.raises(error, match=words):
            penalty()


@pytest.mark.parametrize(("change", "error", "words"), [
    ({"net": None}, TypeError, "net must be a torch.nn.Module"), ({"x": None}, TypeError, "x must be a torch.Tensor"),
    ({"x": torch.full((5, 3, 20), math.nan)}, ValueError, "x holds NaN"),
    ({"target_rate": torch.tensor(0.5)}, TypeError, "item()"),
])
def test_calibration_names_bad_input(change, error, words):
    net, x = network()
    with pytest.raises(error, match=f"calibrate_threshold: .*{words}"):
        calibrate_threshold(**{"net": net, "x": x, "target_rate": 0.15} | change)


def test_a_report_names_what_is_no_list_of_records():
    for records in (torch.zeros(6, 3, 5), None, [torch.zeros(6, 3, 5)]):
        with pytest.raises(TypeError, match="activity_report: records must be a list of Record"):
            activity_report(records)


@pytest.mark.parametrize("spk", [True, [0.5], torch.ones(4, 2, 0), torch.ones(4, 2, 3).long()])
def test_the_report_names_records_whose_spikes_are_none(spk):
    with pytest.raises((TypeError, ValueError), match="activity_report: spk in records must be "):
        activity_report([Record(spk, torch.ones(4, 2, 3))])
