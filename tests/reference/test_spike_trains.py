"""Spike trains in numbers: trains known by hand, times on the borders of a clock, channels in closed form, bad input."""
import math

import numpy as np
import pytest
import torch

from snnteach import spike_trains
from snnteach.data import recordings
from snnteach.spike_trains import bin_times, mutual_information, spike_statistics

FLOAT = torch.float64


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_statistics_of_trains_known_by_hand():
    spk = torch.zeros(10, 2)
    spk[[0, 2, 6], 0] = 1
    spk[4, 1] = 2
    found = spike_statistics(spk, dt=0.5)
    assert found["rate"] == 0.5 and found["fano"] == pytest.approx(0.5 / 2.5)
    gaps = torch.tensor([2.0, 4.0, 0.0])
    assert found["cv"] == pytest.approx((gaps.std() / gaps.mean()).item())
    one = torch.zeros(5, 1)
    one[2] = 1
    assert all(math.isnan(spike_statistics(one)[name]) for name in ("fano", "cv"))


def test_bin_times():
    assert bin_times(torch.tensor([0, 999, 1000, 2999]), 3, dt=1000).tolist() == [2, 1, 1]
    times = torch.rand(200, dtype=FLOAT, generator=seeded()).sort().values
    assert bin_times(times, 50, dt=0.02).sum() == 200


@pytest.mark.parametrize(("dt", "num_steps"), [(0.001, 1000), (0.001, 100_000), (0.01, 777), (0.1, 50), (1 / 3, 999), (7, 60)])
@pytest.mark.parametrize("dtype", [torch.float32, FLOAT])
def test_a_time_on_the_grid_lands_on_its_own_step(dt, num_steps, dtype):
    steps = torch.arange(num_steps)
    grids = [steps.to(dtype) * dt, (steps.double() * dt).to(dtype),
             torch.arange(num_steps, dtype=FLOAT).div(1 / dt).to(dtype)]
    for times in grids:
        for unit in (dt, np.float64(dt), *([np.float32(dt)] if dtype == torch.float32 else [])):
            inside = times[times < num_steps * float(unit)]
            assert torch.equal(bin_times(inside, num_steps, dt=unit), torch.ones(num_steps))
    between = bin_times(torch.tensor([0.0019, 0.00199, 0.0019999], dtype=dtype), 3, dt=0.001)
    assert between.tolist() == [0, 3, 0]                                           # all others are rounded down


def test_the_grid_of_milliseconds_and_of_the_recording():
    assert bin_times(torch.arange(0, 1, 0.001), 1000, dt=0.001).unique().tolist() == [1]
    times = recordings.grasshopper().spike_times
    microseconds = (times * 1e6).round().long()
    assert torch.equal(bin_times(times, 10_000, dt=1e-3), torch.bincount(microseconds // 1000, minlength=10_000).float())


def test_times_before_the_border_of_the_clock_stay_inside():
    assert bin_times(torch.tensor([1 - 2**-24]), 50, dt=0.02).tolist() == [0] * 49 + [1]


def test_mutual_information():
    uniform = torch.full((4,), 0.25)
    assert mutual_information(torch.eye(4), uniform) == pytest.approx(2)
    assert mutual_information(torch.full((4, 3), 1 / 3), uniform) == pytest.approx(0, abs=1e-6)
    for flip in (0.1, 0.3):
        channel = torch.tensor([[1 - flip, flip], [flip, 1 - flip]], dtype=FLOAT)
        entropy = -flip * math.log2(flip) - (1 - flip) * math.log2(1 - flip)
        assert mutual_information(channel, torch.full((2,), 0.5)) == pytest.approx(1 - entropy, abs=1e-9)


def test_scalars_of_numpy_are_numbers():
    counts = bin_times(torch.ones(1), np.int64(8), dt=np.float64(0.5))
    assert counts.dtype == torch.float32 and torch.equal(counts, bin_times(torch.ones(1), 8, dt=0.5))


X = torch.tensor([0.2, 0.7])
BAD = [
    ("mutual_information", (torch.eye(3), torch.tensor([0.5, 0.5])), {},
     r"conditional \[X, Y\] and prior \[X\] must agree in X, got 3 and 2"),
    ("spike_statistics", (torch.zeros(10, 3),), {}, "there is no spike in spk"),
    ("spike_statistics", (torch.rand(10, 3),), {}, "whole numbers of 0 or more"),
    ("spike_statistics", (torch.ones(3, 1),), {"dt": 0}, "dt must be above 0, got 0"),
    ("bin_times", (torch.tensor([2.0, 1.0]), 5), {}, "times must ascend; sort them first"),
    ("bin_times", (torch.zeros(0), 5), {}, "at least one spike"),
    ("bin_times", (torch.tensor([1.0, 5.0]), 5), {}, "times must lie in 0 to 5, got 1 to 5"),
    ("bin_times", (X, 10**11), {}, "bin_times: num_steps asks for a tensor"),
    ("spike_statistics", (X / 0,), {}, "spike_statistics: spk holds NaN or infinity"),
    ("bin_times", (X * math.nan, 5), {}, "bin_times: times holds NaN"),
    ("mutual_information", (torch.ones(2, 2), X), {}, "probabilities that sum to 1"),
]


@pytest.mark.parametrize(("name", "args", "options", "message"), BAD)
def test_bad_values_say_what_is_wrong(name, args, options, message):
    with pytest.raises(ValueError, match=message):
        getattr(spike_trains, name)(*args, **options)


def test_what_is_no_tensor_is_a_type_error():
    for call in (lambda: spike_statistics([0.1, 0.2]), lambda: bin_times([0.1, 0.2], 5)):
        with pytest.raises(TypeError, match="must be a torch.Tensor"):
            call()
    with pytest.raises(TypeError, match="must be floating point"):
        spike_statistics(torch.ones(8, dtype=torch.int64))


def test_the_cures_for_times_work():
    spikes, times = torch.tensor([False, True, True]), torch.tensor([2.0, math.inf])
    with pytest.raises(TypeError, match=r"times with times.nonzero\(\).flatten\(\)"):
        bin_times(spikes, 3)
    assert bin_times(spikes.nonzero().flatten(), 3).tolist() == [0, 1, 1]
    with pytest.raises(ValueError, match=r"times\[times.isfinite\(\)\]"):
        bin_times(times, 3)
    assert bin_times(times[times.isfinite()], 3).tolist() == [0, 0, 1]
