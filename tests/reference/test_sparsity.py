"""The three S's against their closed forms (F26 of the literature's table)."""
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snnteach.sparsity import address_bits, change_events, crossover_density, moving_bar, run_length, spike_matvec

GENERATOR = torch.Generator().manual_seed(0)


def texture(height, width, contrast):
    return contrast * torch.rand(height, width, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("density", [0.0, 0.05, 0.5, 1.0])
def test_spike_matvec_is_exactly_the_product(density):
    weight = torch.randint(-1000, 1000, (30, 200), generator=GENERATOR).double() / 1024         # sums without rounding
    spk = (torch.rand(200, generator=GENERATOR) < density).double()
    assert torch.equal(spike_matvec(weight, spk.nonzero().flatten()), weight @ spk)


def test_spike_matvec_on_any_weights():
    weight = torch.randn(30, 200, generator=GENERATOR, dtype=torch.float64)
    spk = (torch.rand(200, generator=GENERATOR) < 0.1).double()
    assert torch.allclose(spike_matvec(weight, spk.nonzero().flatten()), weight @ spk, rtol=0, atol=1e-12)
    assert spike_matvec(weight, torch.tensor([], dtype=torch.long)).tolist() == [0.0] * 30


@pytest.mark.parametrize(("neurons", "address"), [(64, 6), (65, 7), (784, 10), (10_000, 14)])
def test_list_and_bitmap_cross_at_one_over_the_address_length(neurons, address):
    assert crossover_density(neurons) == 1 / address == 1 / math.ceil(math.log2(neurons))
    crossing = neurons / address
    assert address_bits(neurons, math.floor(crossing)) <= neurons
    assert address_bits(neurons, math.floor(crossing) + 1) > neurons


def test_bits_of_a_digit():
    assert address_bits(784, 39) == 390 and address_bits(784, 0) == 0
    assert address_bits(2**60 + 1, 1) == 61                                                      # no rounding of a logarithm


@given(st.lists(st.booleans(), max_size=40))
@settings(max_examples=100, deadline=None)
def test_gaps_lead_back_to_the_spikes(values):
    spk = torch.tensor(values, dtype=torch.float32)
    rebuilt, position = torch.zeros(len(values)), -1
    for gap in run_length(spk):
        position += gap + 1
        rebuilt[position] = 1
    assert torch.equal(rebuilt, spk)


@pytest.mark.parametrize("speed", [0, 1, 2, 3])
def test_events_follow_the_edge(speed):
    video = moving_bar(10, 12, 48, bar_width=5, speed=speed)
    events = change_events(video, threshold=0.2)
    assert events[0].count_nonzero() == 0
    for step in range(1, 10):
        left = 1 + speed * step
        assert (events[step] > 0).nonzero()[:, 1].unique().tolist() == list(range(left + 5 - speed, left + 5))
        assert (events[step] < 0).nonzero()[:, 1].unique().tolist() == list(range(left - speed, left))
        assert events[step].count_nonzero() == 2 * speed * 12                                    # edges x speed x height


def test_the_bar_covers_the_background_with_its_own_brightness():
    background = texture(3, 9, 0.5)
    frame = moving_bar(1, 3, 9, bar_width=2, background=background, brightness=0.7)[0]
    assert (frame[:, 1:3] == 0.7).all() and torch.equal(frame[:, 3:], background[:, 3:])


def test_no_events_when_the_bar_stops():
    events = change_events(moving_bar(20, 12, 48, stop_step=8), threshold=0.2)
    assert events[1:9].abs().sum((1, 2)).tolist() == [24.0] * 8
    assert events[9:].count_nonzero() == 0


def test_events_do_not_depend_on_the_background():
    plain = change_events(moving_bar(20, 12, 48), threshold=0.2)
    for contrast in (0.05, 0.5):
        assert torch.equal(change_events(moving_bar(20, 12, 48, background=texture(12, 48, contrast)), 0.2), plain)


def test_slow_change_is_not_lost_and_the_error_stays_below_the_threshold():
    ramp = torch.linspace(0, 1, 401, dtype=torch.float64)[:, None, None]
    events = change_events(ramp, threshold=0.099)
    assert events.sum() == 10 and (ramp[1:] - ramp[:-1]).max() < 0.099                           # no single step is that large
    level = ramp.flatten()[torch.where(events.flatten() != 0, torch.arange(401), 0).cummax(0)[0]]
    assert (ramp.flatten() - level).abs().max() <= 0.099


def test_first_event_of_the_bar_is_the_exact_difference():
    video = moving_bar(6, 3, 20, background=texture(3, 20, 0.5))
    expected = torch.where((video[1] - video[0]).abs() > 0.1, (video[1] - video[0]).sign(), 0)
    assert torch.equal(change_events(video, 0.1)[1], expected)


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: spike_matvec([[1.0]], torch.tensor([0])), TypeError, r"weight must be a torch.Tensor \[M, N\], got list"),
    (lambda: spike_matvec(torch.ones(3), torch.tensor([0])), ValueError, r"weight must be \[M, N\], got shape \(3,\)"),
    (lambda: spike_matvec(torch.ones(2, 3), torch.tensor([1.0])), TypeError, "indices must be int64, got torch.float32"),
    (lambda: spike_matvec(torch.ones(2, 3), torch.tensor([3])), ValueError, "indices must be between 0 and 2, got 3"),
    (lambda: spike_matvec(torch.ones(2, 3), torch.tensor([-1])), ValueError, "indices must be between 0 and 2, got -1"),
    (lambda: spike_matvec(torch.ones(2, 3), torch.tensor([1, 1])), ValueError, "stands twice"),
    (lambda: address_bits(1, 0), ValueError, "num_neurons must be a whole number of at least 2, got 1"),
    (lambda: address_bits(8, 9), ValueError, "num_spikes must be a whole number of at least 0 and at most 8, got 9"),
    (lambda: address_bits(8, True), ValueError, "num_spikes must be a whole number"),
    (lambda: crossover_density(0.5), ValueError, "num_neurons must be a whole number"),
    (lambda: run_length([0, 1]), TypeError, r"spk must be a torch.Tensor \[N\], got list"),
    (lambda: run_length(torch.zeros(2, 2)), ValueError, r"spk must be \[N\], got shape \(2, 2\)"),
    (lambda: run_length(torch.tensor([0.5])), ValueError, "spk must hold spikes, 0 or 1, got 0.5"),
    (lambda: moving_bar(0, 4, 4), ValueError, "num_steps must be a whole number of at least 1 and at most 1048576, got 0"),
    (lambda: moving_bar(4, 4, 4, speed=0.5), ValueError,
     "speed must be a whole number of at least 0 and at most 1048576, got 0.5"),
    (lambda: moving_bar(4, 4, 4, stop_step=-1), ValueError, "stop_step must be a whole number"),
    (lambda: moving_bar(4, 4, 4, brightness="white"), TypeError, "brightness must be a number"),
    (lambda: moving_bar(4, 4, 4, background=torch.zeros(4, 5)), ValueError, r"background must be \(4, 4\) .*got shape \(4, 5"),
    (lambda: change_events(torch.zeros(4, 4), 0.1), ValueError, r"video must be \[T, H, W\], got shape \(4, 4\)"),
    (lambda: change_events(torch.zeros(2, 1, 4, 4), 0.1), ValueError, r"video must be \[T, H, W\]"),
    (lambda: change_events(torch.zeros(2, 4, 4, dtype=torch.uint8), 0.1), TypeError, "floating point, got torch.uint8"),
    (lambda: change_events(torch.zeros(2, 4, 4), 0.0), ValueError, "threshold must be above 0, got 0.0"),
])
def test_bad_input_says_what_came(call, error, words):
    with pytest.raises(error, match=words):
        call()


NAN_FILM = torch.zeros(3, 4, 4)
NAN_FILM[1, 2, 2] = math.nan


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: change_events(NAN_FILM, 0.1), ValueError, "change_events: video holds NaN"),
    (lambda: change_events(NAN_FILM, torch.tensor(0.1)), ValueError, "change_events: video holds NaN"),
    (lambda: change_events(NAN_FILM[:1], torch.tensor(0.1)), TypeError, r"threshold must be a number.*threshold.item\(\)"),
    (lambda: moving_bar(3, 4, 4, background=NAN_FILM[1]), ValueError, "moving_bar: background holds NaN"),
    (lambda: moving_bar(3, 4, 4, brightness=math.inf), ValueError, "moving_bar: brightness must be finite"),
    (lambda: moving_bar(10**5, 10**4, 10**4), ValueError, "num_steps x height x width asks for a tensor of 100000 x 10000"),
    (lambda: moving_bar(3, 4, 4, speed=10**30), ValueError, "moving_bar: speed must be a whole number"),
    (lambda: spike_matvec(NAN_FILM[1], torch.tensor([2])), ValueError,
     "the product holds NaN or infinity. Look for it in weight"),
    (lambda: crossover_density(1), ValueError, "crossover_density: num_neurons must be a whole number of at least 2, got 1"),
    (lambda: run_length(torch.tensor([math.nan])), ValueError, "run_length: spk must hold spikes"),
])
def test_what_cannot_be_meant_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_numpys_numbers_are_numbers():
    assert address_bits(np.int64(784), np.int32(39)) == 390 and crossover_density(np.int64(784)) == 0.1
    wanted = moving_bar(5, 6, 7, bar_width=2, speed=2, stop_step=3, brightness=0.5)
    assert torch.equal(wanted, moving_bar(*map(np.int64, (5, 6, 7)), bar_width=np.int64(2), speed=np.int64(2),
                                          stop_step=np.int64(3), brightness=np.float64(0.5)))
    film = torch.rand(4, 2, 2)
    assert torch.equal(change_events(film, np.float64(0.1)), change_events(film, 0.1))
