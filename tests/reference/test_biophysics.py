"""Conductances, Izhikevich and Hodgkin-Huxley against closed forms (F15, F20), published patterns, finer steps, and errors."""
import math

import pytest
import torch

from snnteach.biophysics import (
    conductance_lif,
    conductance_step,
    exponential_euler,
    gate_rates,
    hodgkin_huxley,
    hodgkin_huxley_step,
    izhikevich,
    izhikevich_step,
    spikes_of,
)


def test_an_exponential_step_is_exact_for_a_fixed_target():
    value = 3.0
    for _ in range(7):
        value = exponential_euler(value, 1.0, 5.0, 0.3)
    assert value == pytest.approx(1 + 2 * math.exp(-7 * 0.3 / 5), rel=1e-12)


def test_conductances_average_their_potentials_and_shorten_time():                                # F15
    assert conductance_step(-70.0, 0.05, 0.0, 1e4) == pytest.approx(-46.667, abs=1e-3)
    assert conductance_step(0.0, 0.1, 0.2, 1e4) == pytest.approx(-57.5)
    tau = 1 / 0.15
    assert (conductance_step(-70.0, 0.05, 0.0, tau) + 46.6667) / (-70 + 46.6667) == pytest.approx(math.exp(-1), abs=1e-4)
    assert conductance_step(-70.0, 0.0, 0.3, 5.0, inhibited=-70.0) == -70
    level = torch.full((4000,), 0.05)
    assert conductance_lif(level, 0 * level, threshold=0.0)[1][-1].item() == pytest.approx(-46.667, abs=1e-3)
    spk, voltage = conductance_lif(2 * level, 0 * level, dt=0.01)                   # the rate by its closed form
    climb = -math.log((-50 + 35) / (-65 + 35)) / 0.2                                # from -65 to -50 toward -35, tau 5 ms
    assert spk.sum().item() == pytest.approx(40 / climb, abs=1.1) and bool((spk == (voltage > -50)).all())
    shunted = conductance_lif(2 * level, 2 * level)[0].sum()
    assert shunted < spk.sum()


@pytest.mark.parametrize(("numbers", "spikes", "first", "last"), [
    ({}, (21, 25), (22, 28), (42, 50)), ({"a": 0.1, "d": 2.0}, (105, 130), (4, 7), (7, 10)),
    ({"c": -50.0, "d": 2.0}, (70, 90), (1, 4), (1, 60)), ({"c": -55.0, "d": 4.0}, (28, 38), (2, 6), (26, 40))])
def test_izhikevichs_neurons_do_what_they_are_named_for(numbers, spikes, first, last):
    spk, voltage, recovery = izhikevich(torch.full((4000,), 10.0), **numbers)       # one second
    gaps = 0.25 * spk.nonzero().flatten().diff()
    assert spikes[0] <= spk.sum() <= spikes[1] and first[0] <= gaps[0] <= first[1] and last[0] <= gaps[-1] <= last[1]
    assert voltage.max() == 30 and bool(((voltage == 30) == (spk == 1)).all())


def test_izhikevichs_sequence_is_its_step():
    current = 12 * torch.rand(400, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    spk, voltage, recovery = izhikevich(current, start=(-60.0, -10.0))
    v, u = -60.0, -10.0
    for t, drive in enumerate(current.tolist()):
        before = v, u
        fired, v, u = izhikevich_step(v, u, drive)
        slope = 0.04 * before[0]**2 + 5 * before[0] + 140 - before[1] + drive
        peak = min(before[0] + 0.25 * slope, 30.0)
        assert fired == spk[t] and voltage[t].item() == pytest.approx(peak) and v == pytest.approx(-65 if fired else peak)
        assert recovery[t].item() == pytest.approx(before[1] + 0.25 * 0.02 * (0.2 * before[0] - before[1]))
        assert u == pytest.approx(recovery[t].item() + 8 * fired)
    assert spk.sum() == 2


def test_the_squids_threshold_and_spike():                                                        # F20
    counts = {}
    for level in (6.0, 6.3):
        voltage, gates = hodgkin_huxley(torch.full((8000,), level), dt=0.025)      # 200 ms
        counts[level] = int(spikes_of(voltage).sum())
        assert 38 < voltage.max() < 42 and bool(((gates >= 0) & (gates <= 1)).all())
    assert counts == {6.0: 2, 6.3: 11}
    rest, gates = hodgkin_huxley(torch.zeros(2000), dt=0.025)
    assert abs(rest[-1] + 65) < 0.2 and torch.allclose(gates[-1], torch.tensor([0.053, 0.596, 0.318]), atol=0.005)
    fine, coarse = (hodgkin_huxley(torch.full((round(40 / dt),), 10.0), dt=dt)[0] for dt in (0.005, 0.02))
    shots = [spikes_of(voltage).nonzero().flatten() * dt for voltage, dt in ((fine, 0.005), (coarse, 0.02))]
    assert len(shots[0]) == len(shots[1]) == 3 and torch.allclose(*shots, atol=0.2)


def test_the_squids_sequence_is_its_step_and_its_rates_have_no_hole():
    voltage, gates = hodgkin_huxley(torch.full((300,), 10.0, dtype=torch.float64), dt=0.05, start=(-60.0, (0.1, 0.5, 0.4)))
    v, state = -60.0, (0.1, 0.5, 0.4)
    for t in range(300):
        v, state = hodgkin_huxley_step(v, state, 10.0, 0.05)
        assert v == pytest.approx(voltage[t].item()) and gates[t].tolist() == pytest.approx(state)
    for hole, place in ((-40.0, 0), (-55.0, 2)):
        beside, at = gate_rates(hole + 1e-4)[place][0], gate_rates(hole)[place][0]
        assert at == pytest.approx(beside, rel=1e-4) and at == pytest.approx({0: 1.0, 2: 0.1}[place])


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: exponential_euler(0.0, 1.0, 0.0, 1.0), ValueError, "^exponential_euler: tau must be above 0"),
    (lambda: conductance_step(-70.0, -0.1, 0.0, 1.0), ValueError, "^conductance_step: excitatory must be at least 0"),
    (lambda: conductance_lif(torch.ones(5), torch.ones(4)), ValueError, "^conductance_lif: inhibitory must be"),
    (lambda: conductance_lif(-torch.ones(5), torch.ones(5)), ValueError, "excitatory must lie between 0 and 1000"),
    (lambda: conductance_lif(torch.ones(5), torch.ones(5), reset=-40.0), ValueError, "reset must be below the threshold"),
    (lambda: izhikevich(torch.ones(5, 1)), ValueError, r"^izhikevich: current must be \[T\]"),
    (lambda: izhikevich(torch.ones(5), dt=2.0), ValueError, "^izhikevich: dt must be above 0 and at most 1"),
    (lambda: izhikevich(torch.ones(5), start=-65.0), TypeError, "start must be the pair"),
    (lambda: izhikevich_step(-65.0, -13.0, 1e6), ValueError, "^izhikevich_step: current must be"),
    (lambda: gate_rates(math.nan), ValueError, "^gate_rates: voltage must be a number, got NaN"),
    (lambda: hodgkin_huxley(torch.full((5,), 1e5)), ValueError, "current must lie between -1000 and 1000, got"),
    (lambda: hodgkin_huxley(torch.zeros(5), start=(-65.0, 5)), TypeError,
     r"start must be \(V, \(m, h, n\)\).* got \(-65.0, 5\)"),
    (lambda: hodgkin_huxley_step(-65.0, (0.1, 0.2), 1.0), TypeError, r"gates must be \(m, h, n\)"),
    (lambda: spikes_of(torch.ones(2, 2)), ValueError, r"^spikes_of: voltage must be \[T\]")])
def test_what_is_refused_and_why(call, error, words):
    with pytest.raises(error, match=words):
        call()
