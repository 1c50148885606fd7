"""Codes against their closed forms (F4, F21 to F25), each decoder against its encoder, and the errors of bad input."""
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snnteach import encoding
from snnteach.data import recordings
from snnteach.encoding import (
    delta_code,
    delta_decode,
    field_centres,
    latency_code,
    latency_decode,
    latency_time,
    phase_code,
    phase_decode,
    phase_weights,
    poisson_code,
    population_code,
    population_decode,
    rate_code,
    rate_decode,
)
from snnteach.neurons import first_spike_step, lif
from snnteach.spike_trains import spike_statistics

FLOAT = torch.float64
GREYS = torch.arange(256, dtype=FLOAT) / 255


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_rate_code_is_bernoulli(p):
    spk = rate_code(torch.full((20_000,), p), 100, generator=seeded())
    assert set(spk.unique().tolist()) == {0.0, 1.0}
    found = spike_statistics(spk)
    assert found["rate"] == pytest.approx(p, abs=3e-3) and found["fano"] == pytest.approx(1 - p, abs=0.03)
    assert rate_decode(spk).std().item() == pytest.approx(math.sqrt(p * (1 - p) / 100), rel=0.03)
    long = spike_statistics(rate_code(torch.full((200,), p), 5000, generator=seeded(1)))
    assert long["cv"] == pytest.approx(math.sqrt(1 - p), abs=0.01)


def test_intervals_of_the_rate_code_are_geometric():
    spk = rate_code(torch.full((1,), 0.3), 400_000, generator=seeded())
    gaps = spk.flatten().nonzero().flatten().diff()
    for gap in range(1, 8):
        assert (gaps == gap).double().mean().item() == pytest.approx(0.3 * 0.7 ** (gap - 1), abs=5e-3)
    assert gaps.double().mean().item() == pytest.approx(1 / 0.3, rel=0.01)


def test_rate_code_of_black_and_white_and_its_gain():
    x = torch.tensor([0.0, 0.5, 1.0])
    assert rate_code(x, 1000, generator=seeded()).sum(0)[[0, 2]].tolist() == [0, 1000]
    spk = rate_code(x, 40_000, gain=0.25, generator=seeded())
    assert torch.allclose(rate_decode(spk, gain=0.25), x, atol=0.03) and spk.mean() < 0.2


def test_same_generator_same_spikes_and_the_global_one_stays():
    x, state = torch.rand(5, 3), torch.get_rng_state()
    for code in (rate_code, poisson_code):
        assert torch.equal(code(x, 20, generator=seeded(3)), code(x, 20, generator=seeded(3)))
        assert not torch.equal(code(x, 20, generator=seeded(3)), code(x, 20, generator=seeded(4)))
    assert torch.equal(torch.get_rng_state(), state)


def test_rate_of_a_population():
    """F23: N neurons read over n steps of dt give the rate with a spread of sqrt(n p (1 - p) / N) / (n dt)."""
    p, n, size, dt = 0.2, 4, 50, 1e-3
    spk = rate_code(torch.full((4000, size), p), n, generator=seeded())                             # [n, trials, N]
    rates = spk.sum(0).mean(1) / (n * dt)
    assert rates.mean().item() == pytest.approx(p / dt, rel=5e-3)
    assert rates.std().item() == pytest.approx(math.sqrt(n * p * (1 - p) / size) / (n * dt), rel=0.04)


def test_poisson_has_a_poisson_distribution():
    counts = poisson_code(torch.full((4000,), 0.7), 50, generator=seeded())
    for n in range(4):
        expected = math.exp(-0.7) * 0.7**n / math.factorial(n)
        assert (counts == n).double().mean().item() == pytest.approx(expected, abs=4e-3)
    assert spike_statistics(counts)["fano"] == pytest.approx(1, abs=0.07)
    sparse = poisson_code(torch.full((200,), 0.01), 20_000, generator=seeded())
    assert spike_statistics(sparse)["cv"] == pytest.approx(1, abs=0.02)


def test_dead_time_law():
    """F22: rate 20 a second and a dead time of 10 ms give 16.667 a second, CV .8333, Fano factor .694."""
    found = spike_statistics(poisson_code(torch.full((400,), 0.02), 5000, dead_time=10.0, generator=seeded()), dt=1e-3)
    assert found["cv"] == pytest.approx(1 / 1.2, abs=0.01)
    found = spike_statistics(poisson_code(torch.full((4000,), 0.2), 500, dead_time=1.0, generator=seeded()))
    assert found["rate"] == pytest.approx(0.2 / 1.2, rel=2e-3) and found["fano"] == pytest.approx(1 / 1.44, abs=0.04)
    gaps = poisson_code(torch.tensor([0.5]), 5000, dead_time=4.0, generator=seeded()).flatten().nonzero().flatten().diff()
    assert gaps.min() >= 4
    assert not poisson_code(torch.zeros(3), 10, generator=seeded()).any()


def test_latency_is_the_time_to_the_threshold():
    """F4 and F24."""
    times = latency_time(torch.tensor([1, 0.5, 0.1, 0.02, 0.011, 0.01, 0.0], dtype=FLOAT), tau=5.0, threshold=0.01)
    assert times.tolist()[:5] == pytest.approx([0.0503, 0.1010, 0.527, 3.47, 11.99], rel=2e-3)
    assert times[5:].isinf().all()
    x = torch.linspace(0.15, 1, 20, dtype=FLOAT, requires_grad=True)
    (slope,) = torch.autograd.grad(latency_time(x, tau=7.0, threshold=0.1).sum(), x)
    assert torch.allclose(slope, -7 * 0.1 / (x * (x - 0.1)))


@pytest.mark.parametrize(("tau", "threshold"), [(5.0, 0.1), (5.0, 0.01), (20.0, 0.3), (2.0, 0.5)])
def test_latency_code_is_the_first_spike_of_a_leaky_neuron(tau, threshold):
    x, beta, steps = torch.linspace(0.003, 1, 500, dtype=FLOAT), math.exp(-1 / tau), 200
    spk, _ = lif(((1 - beta) * x).expand(steps, 1, 500), beta, threshold)
    first = (spk.cumsum(0) == 0).sum(0).flatten()                                  # 200: never
    code = latency_code(x, steps, tau=tau, threshold=threshold)
    ours = torch.where(code.any(0), code.argmax(0), steps)
    assert torch.equal(first, ours) and code.sum(0).max() == 1
    law = [min(first_spike_step((1 - beta) * value, beta, threshold) - 1, steps) for value in x.tolist()]
    assert ours.tolist() == law and 0 < (ours == steps).sum() < 400


def test_linear_latency():
    code = latency_code(GREYS, 256, threshold=0.002, mode="linear")
    assert code[:, 0].sum() == 0 and (code.sum(0)[1:] == 1).all()
    assert torch.allclose(latency_decode(code, threshold=0.002, mode="linear"), GREYS)
    coarse = latency_decode(latency_code(GREYS, 9, threshold=0.002, mode="linear"), mode="linear")
    assert (coarse - GREYS)[1:].abs().max() <= 0.5 / 8 + 1e-9


def test_logarithmic_latency_reads_back_within_its_step():
    x = torch.linspace(0.12, 1, 200, dtype=FLOAT)
    read = latency_decode(latency_code(x, 60, tau=30.0), tau=30.0)
    again = latency_code(read, 60, tau=30.0)
    assert torch.equal(again, latency_code(x, 60, tau=30.0)) and (read - x).abs().max() < 0.11
    assert latency_decode(torch.zeros(10, 2)).tolist() == [0, 0]


SIGNALS = st.lists(st.floats(-5, 5, allow_nan=False, width=32), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None)
@given(signal=SIGNALS, threshold=st.floats(0.05, 2))
def test_send_on_delta_errs_by_less_than_its_threshold(signal, threshold):
    x = torch.tensor(signal, dtype=FLOAT)
    events = delta_code(x, threshold)
    assert torch.equal(events, events.round()) and events[0] == 0
    assert (delta_decode(events, threshold, x[0]) - x).abs().max() < threshold * (1 + 1e-9)


@pytest.mark.parametrize("threshold", [0.03, 0.06, 0.07, 0.15, 0.3, 0.6, 0.9])
def test_a_ramp_makes_floor_range_over_threshold_events_or_none(threshold):
    for samples in (101, 1001, 5001):
        ramp = torch.linspace(0, 1, samples, dtype=FLOAT)
        assert delta_code(ramp, threshold).sum() == math.floor(1 / threshold)
        assert delta_code(-ramp, threshold).sum() == -math.floor(1 / threshold)
        assert not delta_code(ramp, threshold, method="frame").any()
    sine = torch.sin(torch.linspace(0, 2 * math.pi, 1000, dtype=FLOAT))
    assert not delta_code(sine, threshold, method="frame").any() and delta_code(sine, threshold).any()


def test_frame_difference_sends_the_sign_of_a_jump():
    x = torch.tensor([0.0, 1.0, 1.0, 0.95, 0.0])
    assert delta_code(x, 0.1, method="frame").tolist() == [0, 1, 0, 0, -1]
    assert delta_code(x, 0.1, method="frame", off_spikes=False).tolist() == [0, 1, 0, 0, 0]
    assert delta_code(x, 0.3).tolist() == [0, 3, 0, 0, -3]


def test_without_off_spikes_the_receiver_only_climbs():
    x = torch.tensor([0.0, 1.0, 0.0, 1.0, 2.0], dtype=FLOAT)[:, None].expand(-1, 3)
    events = delta_code(x, 0.4, off_spikes=False)
    assert events[:, 0].tolist() == [0, 2, 0, 0, 3] and (delta_decode(events, 0.4).diff(dim=0) >= 0).all()


def test_population_fields():
    assert field_centres(6).tolist() == pytest.approx([-0.125, 0.125, 0.375, 0.625, 0.875, 1.125])
    activity = population_code(field_centres(6)[1:-1], 6)
    assert torch.equal(activity.argmax(1), torch.arange(1, 5)) and torch.allclose(activity.amax(1), torch.ones(4))
    assert activity[1, 1].item() == pytest.approx(math.exp(-(1.5**2) / 2), rel=1e-5)
    x = torch.linspace(0, 1, 101, dtype=FLOAT)
    for fields in (6, 12):
        assert (population_decode(population_code(x, fields)) - x)[20:-20].abs().max() < 0.01
        assert (population_decode(population_code(x, fields)) - x).abs().max() < 0.06
    assert population_decode(torch.zeros(2, 5)).tolist() == [0.5, 0.5]


def test_phase_code_is_binary_and_loses_nothing_of_eight_bits():
    spk = phase_code(GREYS, 16)
    assert torch.equal(spk[:8], spk[8:]) and set(spk.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(phase_decode(spk) * 256, torch.arange(256, dtype=FLOAT))
    for number in (0, 1, 77, 200, 255):
        assert "".join(str(int(bit)) for bit in spk[:8, number]) == f"{number:08b}"
    x = torch.rand(500, dtype=FLOAT, generator=seeded())
    error = x - phase_decode(phase_code(x, 6, period=3), period=3)
    assert error.min() >= 0 and error.max() < 1 / 8
    assert phase_weights(8).sum().item() == 255 / 256


def test_a_leak_of_one_half_reads_binary():
    bits = phase_code(GREYS, 8).flip(0)[:, None]                                   # least significant first
    assert torch.equal(lif(bits, 0.5, reset="none")[1][-1, 0] * 128, torch.arange(256, dtype=FLOAT))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_counts_and_clocks_do_not_run_in_half_precision(dtype):
    x = torch.tensor([0.2, 0.7], dtype=dtype)
    for mode in ("linear", "log"):
        code = latency_code(x, 1000, mode=mode)
        assert code.dtype == dtype and code.sum(0).tolist() == [1, 1]
        assert torch.equal(code.argmax(0), latency_code(x.float(), 1000, mode=mode).argmax(0))
        assert latency_decode(code, mode=mode).tolist() == latency_decode(code.float(), mode=mode).to(dtype).tolist()
    counts = poisson_code(torch.full((3,), 400.0, dtype=dtype), 10, generator=seeded())
    assert torch.equal(counts, poisson_code(torch.full((3,), 400.0), 10, generator=seeded()).to(dtype))
    assert counts.dtype == dtype and counts.unique().numel() > 5
    faint = torch.full((1000,), 0.001, dtype=dtype)
    spk = rate_code(faint, 1000, generator=seeded())
    assert spk.dtype == dtype and spk.float().mean().item() == pytest.approx(0.001, rel=0.05)
    assert rate_decode(spk[:, :1] + 1).item() == pytest.approx(1, abs=0.01)
    wave = torch.sin(torch.linspace(0, 9, 2000)).to(dtype)
    for method in ("frame", "send_on_delta"):
        events = delta_code(wave, 0.004, method=method)
        assert torch.equal(events, delta_code(wave.float(), 0.004, method=method).to(dtype)) and events.any()
    climb = torch.ones(5000, dtype=dtype)
    assert delta_decode(climb, 1.0)[-1].item() == torch.tensor(5000.0).to(dtype).item()
    grey = torch.rand(50, generator=seeded()).to(dtype)
    assert torch.equal(phase_decode(phase_code(grey, 8)), phase_decode(phase_code(grey.float(), 8)).to(dtype))
    assert (population_decode(population_code(grey, 8)) - grey).abs().max() < 0.07


def test_scalars_of_numpy_are_numbers():
    x = torch.rand(4, 3, generator=seeded())
    T, half = np.int64(8), np.float64(0.5)
    for name, args, options in (
            ("rate_code", (x, T), {"gain": half}), ("rate_decode", (x,), {"gain": half}), ("phase_code", (x, T), {}),
            ("poisson_code", (x, T), {"dead_time": half}), ("latency_time", (x,), {"tau": half, "threshold": np.float32(0.5)}),
            ("latency_code", (x, T), {"tau": half}), ("latency_code", (x, T), {"threshold": half, "mode": "linear"}),
            ("latency_decode", (x,), {"tau": half}), ("delta_code", (x, half), {"off_spikes": np.bool_(True)}),
            ("delta_decode", (x, half, half), {}), ("population_code", (x, T), {"sharpness": half}),
            ("field_centres", (T,), {}),
            ("phase_code", (x, T), {"period": np.int8(8)}), ("phase_decode", (torch.ones(8, 2),), {"period": np.int8(8)}),
            ("phase_weights", (T,), {"period": T})):
        def plain(value):
            return value.item() if isinstance(value, np.generic) else value

        def seed(name=name):
            return {"generator": seeded()} if name in ("rate_code", "poisson_code") else {}

        one = getattr(encoding, name)(*args, **options, **seed())
        other = getattr(encoding, name)(*map(plain, args), **{key: plain(value) for key, value in options.items()}, **seed())
        assert one.dtype == other.dtype == torch.float32 and torch.equal(one, other), name


X = torch.tensor([0.2, 0.7])
BAD = [
    ("rate_code", (255 * X, 5), {}, "rate_code: x must be intensities between 0 and 1, got 51 to 178.5. .*divide by 255"),
    ("rate_code", (-X, 5), {}, "between 0 and 1, got -0.7"),
    ("rate_code", (X * math.nan, 5), {}, "between 0 and 1, got nan"),
    ("rate_code", (X, 0), {}, "num_steps must be a whole number of at least 1, got 0"),
    ("rate_code", (X, 2.0), {}, "num_steps must be a whole number"),
    ("rate_code", (X, 5), {"gain": 1.5}, "gain must be between 0 and 1, got 1.5"),
    ("rate_decode", (X,), {"gain": 0}, "rate_decode: gain must be above 0 and at most 1, got 0"),
    ("poisson_code", (-X, 5), {}, "rate must not be negative, got entries from -0.7 to -0.2"),
    ("poisson_code", (X / 0, 5), {}, "rate holds NaN or infinity"),
    ("poisson_code", (X, 5), {"dead_time": -1.0}, "dead_time must be at least 0, got -1.0"),
    ("latency_time", (X,), {"tau": -5.0}, "latency_time: tau must be above 0, got -5.0"),
    ("latency_code", (2 * X, 5), {}, "latency_code: x must be intensities between 0 and 1"),
    ("latency_code", (X, 5), {"threshold": 0}, "threshold must be above 0, got 0"),
    ("latency_code", (X, 5), {"tau": -1}, "tau must be above 0, got -1"),
    ("latency_code", (X, 5), {"mode": "cubic"}, "mode must be one of 'log', 'linear', got 'cubic'"),
    ("latency_decode", (X,), {"tau": 0}, "tau must be above 0"),
    ("delta_code", (X, 0.0), {}, "threshold must be above 0"),
    ("delta_code", (X, 0.1), {"method": "level"}, "method must be one of 'frame', 'send_on_delta'"),
    ("delta_code", (X / 0, 0.1), {}, "NaN or infinity"),
    ("delta_code", (torch.zeros(0), 0.1), {}, "not empty, got shape"),
    ("delta_decode", (X, -1), {}, "threshold must be above 0, got -1"),
    ("population_code", (X, 2), {}, "num_fields must be a whole number of at least 3, got 2"),
    ("population_code", (3 * X, 5), {}, "intensities between 0 and 1"),
    ("population_code", (X, 5), {"sharpness": 0}, "sharpness must be above 0"),
    ("population_decode", (-torch.ones(1, 4),), {}, "activity must not be negative, got entries from -1 to -1"),
    ("phase_code", (X, 12), {}, "num_steps must be a multiple of the period 8, got 12"),
    ("phase_code", (X, 17), {"period": 17}, "phase_code: period must be a whole number of at least 1 and at most 16, got 17"),
    ("phase_decode", (torch.zeros(5, 1),), {}, "phase_decode: the length T of spk must be a multiple of the period 8, got 5"),
    ("poisson_code", (1e30 * X, 5), {}, "poisson_code: rate is spikes per step, and 7e.29 over 5 steps of 2 trains"),
    ("poisson_code", (X, 10**11), {}, "num_steps asks for a tensor of 100000000000 x 2 numbers"),
    ("poisson_code", (X, 5), {"dead_time": math.inf}, "dead_time must be at least 0, got inf"),
    ("rate_code", (X, 10**11), {}, "rate_code: num_steps asks for a tensor"),
    ("latency_code", (X, 10**11), {}, "latency_code: num_steps asks for a tensor"),
    ("phase_code", (X, 2**40), {}, "phase_code: num_steps asks for a tensor"),
    ("population_code", (X, 10**11), {}, "population_code: num_fields asks for a tensor"),
    ("rate_decode", (X * math.nan,), {}, "rate_decode: spk holds NaN"),
    ("latency_decode", (X * math.nan,), {}, "latency_decode: spk holds NaN"),
    ("phase_decode", (torch.full((8,), math.nan),), {}, "phase_decode: spk holds NaN"),
    ("population_decode", (torch.full((2, 4), math.inf),), {}, "population_decode: activity holds NaN or infinity"),
    ("population_decode", (torch.ones(2, 2),), {}, r"population_decode: activity must have at least 3 fields .*got shape"),
    ("delta_decode", (X, 0.1, torch.ones(3)), {}, r"delta_decode: start must be a number or \(\) like one step of events"),
    ("delta_decode", (X, 0.1, math.nan), {}, "delta_decode: start must be a number, got NaN"),
    ("delta_decode", (X * math.nan, 0.1), {}, "delta_decode: events holds NaN"),
    ("delta_code", (X * 1e30, 1e-30), {}, "delta_code: x / threshold holds NaN or infinity. Take a larger threshold"),
]


@pytest.mark.parametrize(("name", "args", "options", "message"), BAD)
def test_bad_values_say_what_is_wrong(name, args, options, message):
    with pytest.raises(ValueError, match=f"{message}"):
        getattr(encoding, name)(*args, **options)


@pytest.mark.parametrize(("name", "args"), [
    ("rate_code", (5,)), ("poisson_code", (5,)), ("latency_code", (5,)), ("delta_code", (0.1,)), ("population_code", (5,)),
    ("phase_code", (8,)), ("latency_time", ()), ("rate_decode", ())])
def test_what_is_no_tensor_is_a_type_error(name, args):
    with pytest.raises(TypeError, match=f"{name}: .* must be a torch.Tensor"):
        getattr(encoding, name)([0.1, 0.2], *args)
    if name in ("rate_code", "poisson_code"):
        with pytest.raises(TypeError, match=f"{name}: generator must be a torch.Generator"):
            getattr(encoding, name)(torch.ones(2), *args, generator=0)
    with pytest.raises(TypeError, match="must be floating point"):
        getattr(encoding, name)(torch.ones(8, dtype=torch.int64), *args)


def test_the_cure_for_a_list_as_start_works():
    with pytest.raises(TypeError, match=r"start must be a number or a torch.Tensor, got list. .*torch.tensor\(start\)"):
        delta_decode(torch.ones(3, 2), 0.5, start=[1.0, 2.0])
    assert delta_decode(torch.ones(3, 2), 0.5, start=torch.tensor([1.0, 2.0]))[0].tolist() == [1.5, 2.5]


@pytest.mark.parametrize("shape", [(4,), (2, 3), (2, 1, 5, 5)])
def test_time_comes_first_and_the_type_stays(shape):
    x = torch.rand(shape, generator=seeded(), dtype=FLOAT)
    for spk in (rate_code(x, 8), poisson_code(x, 8), latency_code(x, 8), latency_code(x, 8, mode="linear"), phase_code(x, 8)):
        assert spk.shape == (8, *shape) and spk.dtype == FLOAT
    assert population_code(x, 5).shape == (*shape, 5) and delta_code(x, 0.1).shape == x.shape


def test_the_recording_is_the_published_one():
    sound, times = recordings.grasshopper()
    gaps = times.diff()
    assert sound.shape == (200_000,) and sound.max() == 0 and len(times) == 929
    assert gaps.min().item() == pytest.approx(3.2e-3) and (gaps.std() / gaps.mean()).item() == pytest.approx(0.534, abs=1e-3)
    assert len(recordings.grasshopper(2).spike_times) == 868
    with pytest.raises(ValueError, match="recording must be 1 or 2"):
        recordings.grasshopper(3)


def test_a_damaged_recording_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(recordings, "GRASSHOPPER_FILE", tmp_path / "grasshopper.npz")
    with pytest.raises(RuntimeError, match="cannot be read.*git checkout"):
        recordings.grasshopper()
    np.savez(tmp_path / "grasshopper.npz", envelope_1=np.ones(3, np.float32), spike_times_us_1=np.ones(3, np.int32))
    with pytest.raises(RuntimeError, match="is damaged: envelope_1"):
        recordings.grasshopper()
