"""The membrane against its closed forms (F1 to F4, F6, F11, F19 of the literature's table)."""
import math

import numpy as np
import pytest
import torch

from snnteach.membrane import (
    decay_from_tau,
    firing_rate,
    first_spike_time,
    half_life,
    integrate_and_fire,
    passive_membrane,
    step_response,
    strength_duration,
    tau_from_decay,
)

FLOAT = torch.float64


def test_free_decay_is_exact_for_any_step():
    assert decay_from_tau(5.0) == pytest.approx(0.818731, abs=1e-6)
    for dt in (0.01, 1.0, 7.0):
        trace = passive_membrane(torch.zeros(10, dtype=FLOAT), 5.0, dt, initial=1.0)
        expected = torch.exp(-dt * torch.arange(1, 11, dtype=FLOAT) / 5)
        assert torch.allclose(trace, expected, rtol=1e-12)


def test_euler_decay_differs_by_the_square_of_the_step():
    for ratio in (0.1, 0.01):
        exact, euler = (passive_membrane(torch.zeros(1, dtype=FLOAT), 5.0, 5.0 * ratio, initial=2.0, method=method).item()
                        for method in ("exact", "euler"))
        assert exact - euler == pytest.approx(2 * ratio**2 / 2, rel=ratio)


def test_euler_is_first_order():
    def error(dt):
        trace = passive_membrane(torch.zeros(round(20 / dt), dtype=FLOAT), 5.0, dt, initial=1.0, method="euler")
        return abs(trace[-1].item() - math.exp(-4))
    assert error(1.0) == pytest.approx(6.8e-3, rel=0.01)
    assert error(0.125) == pytest.approx(9.1e-4, rel=0.01)
    assert math.log2(error(0.02) / error(0.01)) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(("dt", "bounded", "monotone"),
                         [(9.0, True, True), (11.0, True, False), (19.9, True, False), (20.1, False, False)])
def test_euler_stability_limits(dt, bounded, monotone):
    trace = passive_membrane(torch.zeros(400, dtype=FLOAT), 10.0, dt, initial=1.0, method="euler")
    assert (trace.abs()[-1] < 1).item() is bounded
    assert bool((trace >= 0).all()) is monotone


def test_step_response_and_its_limits():
    time = torch.linspace(0, 200, 50, dtype=FLOAT)
    analytic = step_response(time, 2.0, 10.0, resistance=3.0, initial=1.0)
    assert analytic[0].item() == pytest.approx(1.0) and analytic[-1].item() == pytest.approx(6.0, rel=1e-6)
    simulated = passive_membrane(torch.full((200,), 2.0, dtype=FLOAT), 10.0, 1.0, resistance=3.0, initial=1.0)
    expected = step_response(torch.arange(1, 201, dtype=FLOAT), 2.0, 10.0, resistance=3.0, initial=1.0)
    assert torch.allclose(simulated, expected, rtol=1e-12)


def test_rheobase_separates_silence_from_firing():
    assert firing_rate(0.999, 20e-3) == 0 and first_spike_time(1.0, 20e-3) == math.inf
    for current, fires in ((0.999, False), (1.001, True)):
        _, spikes = integrate_and_fire(torch.full((5000,), current, dtype=FLOAT), 20e-3, 1e-3)
        assert bool(spikes.any()) is fires


def test_first_spike_time_matches_the_simulation():
    assert first_spike_time(0.2, 25.5e-3, resistance=5.1) * 1e3 == pytest.approx(100.26, abs=0.01)
    for current, initial in ((1.2, 0.0), (3.0, 0.0), (1.5, 0.6)):
        predicted = first_spike_time(current, 20e-3, initial=initial)
        trace = passive_membrane(torch.full((4000,), current, dtype=FLOAT), 20e-3, 5e-5, initial=initial)
        assert (int((trace > 1).nonzero()[0]) + 1) * 5e-5 == pytest.approx(predicted, abs=6e-5)


@pytest.mark.parametrize(("current", "rate"), [(1.05, 15.17), (1.5, 37.08), (3.0, 76.28)])
def test_f_i_curve(current, rate):
    assert firing_rate(current, 20e-3, refractory=5e-3) == pytest.approx(rate, abs=0.01)
    _, spikes = integrate_and_fire(torch.full((100_000,), current), 20e-3, 0.1e-3, refractory=5e-3)
    times = spikes.nonzero().flatten() * 0.1e-3
    assert ((len(times) - 1) / (times[-1] - times[0])).item() == pytest.approx(rate, rel=0.01)


def test_the_f_i_curve_knows_volts_ohms_and_where_the_membrane_starts_again():
    steady, rate = 2.5 * 0.6, firing_rate(0.6, 20e-3, resistance=2.5, threshold=0.8, refractory=4e-3, reset=-0.3)
    assert 1 / rate == pytest.approx(4e-3 + 20e-3 * math.log((steady + 0.3) / (steady - 0.8)), rel=1e-12)
    _, spikes = integrate_and_fire(torch.full((50_000,), 0.6), 20e-3, 0.1e-3, resistance=2.5, threshold=0.8, refractory=4e-3)
    expected = firing_rate(0.6, 20e-3, resistance=2.5, threshold=0.8, refractory=4e-3)
    assert 1e4 / spikes.nonzero().flatten().diff().double().mean().item() == pytest.approx(expected, rel=0.01)


def test_dead_time_holds_the_membrane_at_rest():
    voltage, spikes = integrate_and_fire(torch.full((60,), 5.0), 2.0, 0.1, refractory=0.3)       # 0.3 / 0.1 < 3 in binary
    first = int(spikes.nonzero()[0])
    assert voltage[first + 1:first + 4].tolist() == [0.0, 0.0, 0.0] and voltage[first + 4] > 0


def test_strength_duration_is_reached_by_the_simulation():
    assert float(strength_duration(5 * math.log(2), 5.0)) == pytest.approx(2.0)
    assert float(strength_duration(1e-6, 5.0)) * 1e-6 == pytest.approx(5.0, rel=1e-5)        # charge of a short pulse
    assert float(strength_duration(5 * math.log(2), 5.0, rheobase=3.0)) == pytest.approx(6.0)
    for width in (1.0, 5.0, 20.0):
        needed = float(strength_duration(torch.tensor(width, dtype=FLOAT), 5.0))
        for factor, fires in ((0.999, False), (1.001, True)):
            pulse = torch.full((round(width / 0.01),), needed * factor, dtype=FLOAT)
            assert bool(passive_membrane(pulse, 5.0, 0.01)[-1] > 1) is fires


@pytest.mark.parametrize(("beta", "steps", "tau"), [(0.9, 6.579, 9.491), (0.95, 13.513, 19.496), (0.99, 68.968, 99.499)])
def test_half_life_and_time_constant(beta, steps, tau):
    assert half_life(beta) == pytest.approx(steps, abs=1e-3)
    assert tau_from_decay(beta) == pytest.approx(tau, abs=1e-3)
    assert decay_from_tau(tau_from_decay(beta, 2.0), 2.0) == pytest.approx(beta)


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: decay_from_tau(-1.0), ValueError, "tau must be positive, got -1.0"),
    (lambda: tau_from_decay(1.0), ValueError, "beta must be between 0 and 1"),
    (lambda: passive_membrane(torch.zeros(0), 5.0, 1.0), ValueError, r"current must be \[T\]"),
    (lambda: passive_membrane(torch.zeros(3, dtype=torch.long), 5.0, 1.0), TypeError, "floating point, got torch.int64"),
    (lambda: passive_membrane([1.0], 5.0, 1.0), TypeError, "must be a torch.Tensor"),
    (lambda: passive_membrane(torch.zeros(3), 5.0, 0.0), ValueError, "dt must be above 0, got 0.0"),
    (lambda: passive_membrane(torch.zeros(3), 5.0, 1.0, method="rk4"), ValueError, "'exact', 'euler'"),
    (lambda: firing_rate(1.5, 20e-3, refractory=-1e-3), ValueError, "refractory must be at least 0, got -0.001"),
    (lambda: integrate_and_fire(torch.zeros(3), 5.0, 1.0, threshold=-1.0), ValueError, "threshold must be above 0, got -1.0"),
    (lambda: strength_duration(0.0, 5.0), ValueError, "width must be positive"),
    (lambda: first_spike_time(1.5, "fast"), TypeError, "tau must be a number"),
])
def test_bad_input_says_what_came(call, error, words):
    with pytest.raises(error, match=words):
        call()


CURRENT = torch.tensor([1.0, math.nan, 2.0])


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: firing_rate(3.0, 1.0, reset=2.0), ValueError, "firing_rate: reset must be below the threshold of 1.0, got 2.0"),
    (lambda: firing_rate(3.0, 1.0, reset=1.0), ValueError, "firing_rate: reset must be below the threshold of 1.0, got 1.0"),
    (lambda: first_spike_time(3.0, 1.0, initial=2.0), ValueError,
     "first_spike_time: initial must be below the threshold of 1.0"),
    (lambda: firing_rate(3.0, -1.0), ValueError, "firing_rate: tau must be above 0, got -1.0"),
    (lambda: firing_rate(torch.tensor(3.0), 1.0), TypeError, r"firing_rate: current must be a number.*current.item\(\)"),
    (lambda: first_spike_time(1e200, 1.0, resistance=1e200), ValueError, r"resistance \* current must be finite, got inf"),
    (lambda: first_spike_time(math.inf, 1.0), ValueError, "first_spike_time: current must be finite, got inf"),
    (lambda: passive_membrane(CURRENT, 5.0, 1.0), ValueError, "passive_membrane: current holds NaN or infinity"),
    (lambda: integrate_and_fire(CURRENT, 5.0, 1.0), ValueError, "integrate_and_fire: current holds NaN or infinity"),
    (lambda: passive_membrane(CURRENT[:1], 5.0, 1.0, initial=math.nan), ValueError, "initial must be a number, got NaN"),
    (lambda: passive_membrane(CURRENT[:1], math.inf, 1.0), ValueError, "tau must be above 0, got inf"),
    (lambda: step_response([0.0, 1.0], 1.0, 1.0), TypeError, r"time must be a number or a torch.Tensor.*torch.tensor\(time\)"),
    (lambda: step_response(-torch.ones(2), 1.0, 1.0), ValueError, "step_response: time must not be negative"),
    (lambda: step_response(CURRENT, 1.0, 1.0), ValueError, "step_response: time must not be negative, got entries from nan"),
    (lambda: strength_duration(CURRENT, 1.0), ValueError, "strength_duration: width must be positive"),
    (lambda: half_life(1.5), ValueError, "half_life: beta must be between 0 and 1, both excluded, got 1.5"),
    (lambda: half_life(torch.tensor(0.5)), TypeError, r"half_life: beta must be a number, got a tensor. Pass beta.item\(\)"),
    (lambda: decay_from_tau(torch.ones(2)), TypeError, "decay_from_tau: tau must be a number"),
])
def test_physics_out_of_range_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_what_is_at_the_edge_of_the_possible():
    assert decay_from_tau(math.inf) == 1.0                                   # no leak
    assert firing_rate(1e300, 1.0) == math.inf                               # charged in less than a float can hold
    assert first_spike_time(3.0, 1.0, initial=1 - 1e-12) == pytest.approx(0, abs=1e-11)
    assert firing_rate(0.9, 1.0) == 0
    voltage, spikes = integrate_and_fire(torch.full((50,), 9.0), 1e-3, 1e-3, refractory=1e300)
    assert spikes.sum() == 1 and not voltage[1:].any()                       # dead for as long as anyone looks
    for time in (0.5, torch.tensor(0.5), np.float32(0.5)):
        assert float(step_response(time, np.float64(2.0), np.float32(1.0))) == pytest.approx(2 * (1 - math.exp(-0.5)))
    whole = passive_membrane(torch.ones(3), np.float64(5.0), np.int64(1), np.float64(2.0), np.float64(0.1))
    assert whole.dtype == torch.float32 and torch.equal(whole, passive_membrane(torch.ones(3), 5.0, 1.0, 2.0, 0.1))
