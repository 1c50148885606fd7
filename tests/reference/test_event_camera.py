"""The pixel model against its closed forms, step against list, motion between pixels, and what noise leaves in a list."""
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snnteach import event_camera as camera
from snnteach.encoding import delta_code
from snnteach.events import events_to_tensor

ONE = torch.full((2, 1, 1), 0.25, dtype=torch.float64)


def ramp(slope, frames=9, start=0.1, dark=0.15):
    """Light whose logarithm rises by `slope` a frame, one pixel."""
    level = math.log(start + dark) + slope * torch.arange(frames, dtype=torch.float64)
    return (level.exp() - dark).view(-1, 1, 1)


def waves(seed, frames=20, size=(5, 6)):
    draw = torch.rand(frames, *size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return draw.cumsum(0) / draw.cumsum(0).amax() if seed % 2 else draw


def test_the_logarithm_sees_contrast_and_the_dark_limits_it():
    x = torch.rand(4, 5, dtype=torch.float64)
    level = camera.log_intensity(x, 1e-9)
    assert torch.allclose(camera.log_intensity(x / 4, 1e-9), level - math.log(4), atol=1e-6)
    assert (camera.log_intensity(x / 4) - camera.log_intensity(x)).abs().max() < math.log(4)


def test_a_negative_mirrors_every_step_of_the_logarithm():
    x = torch.rand(4, 5, dtype=torch.float64)
    steps = camera.log_intensity(x).diff(dim=1) + camera.log_intensity(camera.negative(x)).diff(dim=1)
    assert steps.abs().max() < 1e-12 and torch.allclose(camera.negative(camera.negative(x)), x)


@pytest.mark.parametrize("dark", [0.05, 0.15, 1.0])
def test_a_negative_film_has_the_same_events_with_the_other_polarity(dark):
    film = waves(0)
    pixels = torch.full((2, 5, 6), 0.2371, dtype=torch.float64)
    one, other = (camera.film_to_counts(each, pixels, dark=dark) for each in (film, camera.negative(film, dark)))
    assert torch.equal(one, other.flip(1)) and one.sum() > 50


def test_thresholds_spread_stay_positive_and_are_one_camera():
    one, again = (camera.pixel_thresholds((40, 40), 0.25, 0.03, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(one, again) and abs(one.mean() - 0.25) < 0.003 and abs(one.std() - 0.03) < 0.002
    assert camera.pixel_thresholds((40, 40), 0.1, 0.5).min() == pytest.approx(0.01)
    assert (camera.pixel_thresholds((3, 2), 0.2, 0.0) == 0.2).all()


@given(st.integers(0, 50), st.floats(0.05, 0.6))
def test_no_change_as_large_as_a_threshold_is_left_and_none_is_lost(seed, threshold):
    film = waves(seed)
    level, pixels = camera.log_intensity(film), camera.pixel_thresholds((5, 6), threshold, 0.1 * threshold).double()
    memory, total = level[0], 0
    for now in level[1:]:
        counts, memory = camera.camera_step(now, memory, pixels)
        change = now - memory
        assert (change < pixels[1] + 1e-9).all() and (change > -pixels[0] - 1e-9).all()
        assert (counts.amin(0) == 0).all() and torch.equal(counts, counts.round())
        total = total + counts
    assert torch.equal(total, camera.film_to_counts(film, pixels).sum(0))
    assert torch.allclose(memory, level[0] + (camera.film_to_counts(film, pixels) * pixels).sum(0).diff(dim=0)[0])


@pytest.mark.parametrize("slope", [0.013, 0.17, 1.9, -0.06])
def test_a_ramp_gives_the_whole_thresholds_in_it_however_slow(slope):
    film = ramp(slope) if slope > 0 else ramp(-slope).flip(0)
    counts = camera.film_to_counts(film.clamp(max=1), ONE)
    rise = camera.log_intensity(film.clamp(max=1))
    assert counts.sum() == math.floor(abs((rise[-1] - rise[0]).item()) / 0.25 + 1e-9)
    assert counts[:, int(slope < 0)].sum() == 0


def test_it_is_the_send_on_delta_of_notebook_04_where_a_step_brings_one_event_at_most():
    film = (torch.arange(40) * 0.35).sin().mul(0.3).add(0.5).double().view(-1, 1, 1)
    level = camera.log_intensity(film)
    pixels = torch.full((2, 1, 1), 0.2, dtype=torch.float64)
    counts = camera.film_to_counts(film, pixels)
    sent = delta_code(level - level[0], 0.2)[1:, 0, 0]
    assert counts.amax() == 1 and torch.equal(counts[:, 1, 0, 0] - counts[:, 0, 0, 0], sent)


@pytest.mark.parametrize("seed", range(4))
def test_steps_and_list_tell_the_same_events(seed):
    film, pixels = waves(seed), camera.pixel_thresholds((5, 6), 0.2, 0.02, torch.Generator().manual_seed(seed)).double()
    events = camera.film_to_events(film, 1000, pixels)
    counts = camera.film_to_counts(film, pixels)
    assert torch.equal(events_to_tensor(events, (5, 6), 1000, len(counts), 0).double(), counts)
    assert len(events) > 60 and (events[1:, 0] >= events[:-1, 0]).all()


def test_event_times_on_a_line_are_exact():
    events = camera.film_to_events(ramp(0.1), 1000, ONE)
    assert events[:, 0].tolist() == [math.floor(2500 * n + 1e-6) for n in (1, 2, 3)]
    finer = camera.film_to_events(ramp(0.05, 17), 500, ONE)
    assert (events[:, 0] - finer[:, 0]).abs().max() <= 1


@pytest.mark.parametrize("slope, refractory", [(0.5, 0), (0.5, 300), (0.5, 4000), (0.02, 700), (3.0, 123.4)])
def test_the_rate_on_a_ramp_is_slope_over_threshold_and_blind_time(slope, refractory):
    film = ramp(slope / 20, 41, start=0.0)
    film = (film - film.min()) / (film.max() - film.min())
    level = camera.log_intensity(film)
    film = (torch.linspace(level[0].item(), level[-1].item(), 41, dtype=torch.float64).exp() - 0.15).clamp(0, 1).view(-1, 1, 1)
    per_us = (level[-1] - level[0]).item() / 40 / 1000
    pixel = torch.full((2, 1, 1), 0.031, dtype=torch.float64)
    events = camera.film_to_events(film, 1000, pixel, refractory_us=refractory)
    between = events[:, 0].double().diff()
    assert len(between) > 5 and torch.allclose(between, torch.full_like(between, 0.031 / per_us + refractory), atol=1.01)


def test_a_leak_makes_still_pixels_speak_at_its_rate():
    still = torch.full((11, 4, 4), 0.3)
    pixels = camera.pixel_thresholds((4, 4), 0.25, 0.03, torch.Generator().manual_seed(0))
    events = camera.film_to_events(still, 1_000_000, pixels, leak_hz=0.75)
    assert len(events) == 7 * 16 and (events[:, 3] == 1).all()
    assert len(camera.film_to_events(still, 1_000_000, pixels)) == 0
    generator = torch.Generator().manual_seed(1)
    spread = camera.film_to_events(still, 100_000, pixels, leak_hz=0.75, start="spread", generator=generator)
    assert 8 <= len(spread) <= 15 and spread[:, 0].double().std() > 150_000, "0.75 a pixel on average, and not all at once"


def test_noise_is_poisson_uniform_and_of_both_polarities():
    generator = torch.Generator().manual_seed(0)
    events = camera.noise_events((20, 30), 2_000_000, 5.0, generator)
    assert abs(len(events) - 6000) < 4 * 6000**0.5 and abs(events[:, 3].double().mean() - 0.5) < 0.02
    for column, high in ((0, 2_000_000), (1, 30), (2, 20)):
        assert abs(events[:, column].double().mean() / (high - 1) - 0.5) < 0.02 and int(events[:, column].max()) < high
    counts = events_to_tensor(events, (20, 30), 20_000, 100, 0).sum(1)
    assert counts.var() / counts.mean() == pytest.approx(1, abs=0.02), "Fano factor of a Poisson process"
    film = torch.full((11, 20, 30), 0.5)
    listed = camera.film_to_events(film, 200_000, torch.full((2, 20, 30), 0.2), noise_hz=5.0, generator=generator)
    assert abs(len(listed) - 6000) < 4 * 6000**0.5
    counted = camera.film_to_counts(film, torch.full((2, 20, 30), 0.2), noise=0.5, generator=generator)
    assert counted.mean() == pytest.approx(0.25, abs=0.01) and len(camera.noise_events((3, 3), 1000, 0.0)) == 0


def test_a_batch_is_filmed_as_each_scene_alone():
    film, pixels = torch.stack([waves(0), waves(2)], 1), camera.pixel_thresholds((5, 6), 0.2, 0.03).double()
    both = camera.film_to_counts(film, pixels)
    assert both.shape == (19, 2, 2, 5, 6)
    for place in range(2):
        assert torch.equal(both[:, place], camera.film_to_counts(film[:, place], pixels))


def test_moving_by_whole_pixels_rolls_and_between_them_interpolates():
    images = torch.zeros(3, 8, 8)
    images[:, 3:5, 2:6] = torch.rand(3, 2, 4)
    film = camera.move(images, torch.tensor([[0.0, 0.0], [2.0, -1.0], [0.5, 0.0]]), (12, 10))
    assert torch.allclose(film[0, :, 2:10, 1:9], images) and torch.allclose(film[1], film[0].roll((2, -1), (1, 2)))
    assert torch.allclose(film[2], (film[0] + film[0].roll(1, 1)) / 2) and torch.allclose(film.sum((2, 3)), images.sum((1, 2)))
    window = camera.move(images, torch.zeros(1, 2), (4, 4))
    assert torch.allclose(window[0], images[:, 2:6, 2:6])


def test_paths_go_where_they_say():
    path = camera.saccade_path(30, 3.5)
    assert path[0].tolist() == path[-1].tolist() == [0, 0] and path.diff(dim=0).norm(dim=1).argmax() in (4, 5, 14, 15, 24, 25)
    for direction in range(8):
        way = camera.straight_path(direction, 10, 0.7)
        back = camera.straight_path((direction + 4) % 8, 10, 0.7)
        assert torch.allclose(way, back.flip(0), atol=1e-5) and torch.allclose(way.diff(dim=0).norm(dim=1), torch.tensor(0.7))
    assert camera.straight_path(0, 2)[-1].tolist() == [0, 1]


FILM = torch.rand(3, 5, 6)
PIXELS = torch.full((2, 5, 6), 0.2)


@pytest.mark.parametrize("call, words", [
    (lambda: camera.log_intensity(255 * FILM), "divide by 255"),
    (lambda: camera.negative(FILM, 0), "dark must be above 0"),
    (lambda: camera.pixel_thresholds((5, 6), -1.0), "threshold must be above 0"),
    (lambda: camera.camera_step(FILM[0], FILM[0].double(), PIXELS), r"memory.to\(torch.float32\)"),
    (lambda: camera.camera_step(FILM[0], FILM[0], PIXELS[0]), r"Make them with pixel_thresholds\(size\)"),
    (lambda: camera.camera_step(FILM[0], FILM[0], 0 * PIXELS), "thresholds must be positive"),
    (lambda: camera.camera_step(FILM[0], FILM[0], PIXELS.long()), r"thresholds.float\(\)"),
    (lambda: camera.film_to_counts(255 * FILM, PIXELS), "divide by 255"),
    (lambda: camera.film_to_counts(FILM[:1], PIXELS), "two frames or more"),
    (lambda: camera.film_to_events(FILM[:1], 1000, PIXELS), "two frames or more"),
    (lambda: camera.film_to_events(FILM, 0.5, PIXELS), "frame_us must be a whole number"),
    (lambda: camera.film_to_events(FILM, 1000, PIXELS, start="now"), "start must be one of"),
    (lambda: camera.film_to_events(FILM, 10**9, PIXELS, noise_hz=1e5), "ask for more events than one recording can mean"),
    (lambda: camera.film_to_events(FILM, 1000, 1e-9 * PIXELS), "ask for more events than one recording can mean"),
    (lambda: camera.noise_events((5, 6), 10**12, 1e5), "ask for more events than one recording can mean"),
    (lambda: camera.saccade_path(31), "a multiple of 3"),
    (lambda: camera.straight_path(8, 10), "direction must be a whole number of at least 0 and at most 7"),
    (lambda: camera.move(FILM, torch.zeros(3, 3), (5, 6)), "offsets"),
    (lambda: camera.move(FILM, torch.zeros(3, 2).double(), (5, 6)), r"path.to\(torch.float32\)"),
])
def test_what_cannot_be_meant_is_refused_with_what_mends_it(call, words):
    with pytest.raises((TypeError, ValueError), match=words):
        call()


def test_the_cures_work():
    assert camera.camera_step(FILM[0], FILM[0].double().to(torch.float32), PIXELS)[0].sum() == 0
    assert camera.log_intensity(255 * FILM / 255).isfinite().all()
    assert camera.camera_step(FILM[0], FILM[0], camera.pixel_thresholds((5, 6)))[0].sum() == 0
