"""What ties notebook 19 together: its equations and listings, the modules, the recordings, the explorer and the film."""
import itertools
import math

import pytest
import torch

from snnteach import event_camera as camera
from snnteach import events as reference
from snnteach.data import mnist5k
from snnteach.lessons.events import explorers, films, recordings
from snnteach.lessons.events.exercises import EXERCISES
from snnteach.lessons.events.explorers import SIDE, STEPS
from snnteach.reader.lookup import exercise as find
from tests.drawing import background, film, pictures
from tests.listings import namespace

FLOAT = torch.float64


@pytest.fixture(scope="module")
def listing():
    return namespace("events")


@pytest.fixture(scope="module")
def images():
    return mnist5k().test_images


def draw(seed, *shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=FLOAT)


@pytest.mark.parametrize("step_us, num_steps, origin", [(7, None, None), (10, 60, 0), (33, 20, -50)])
def test_equation_1_listing_and_module_agree(listing, step_us, num_steps, origin):
    events = find("19.7").cases[1][0]
    shown = listing["events_to_tensor"](events, (6, 7), step_us, num_steps, origin)
    assert torch.equal(shown, reference.events_to_tensor(events, (6, 7), step_us, num_steps, origin))
    expected = torch.zeros_like(shown)
    for t, x, y, p in events.tolist():
        expected[(t - (events[0, 0].item() if origin is None else origin)) // step_us, p, y, x] += 1
    assert torch.equal(shown, expected) and shown.sum() == len(events)


@pytest.mark.parametrize("blind", [0, 130, 4321.5])
def test_equation_2_both_listings_and_the_module_agree(listing, blind):
    light, thresholds = draw(0, 30, 3, 4), camera.pixel_thresholds((3, 4), 0.2, 0.0).double()
    level = camera.log_intensity(light)
    package = camera.film_to_events(light, 1000, thresholds, refractory_us=blind)
    for y, x in itertools.product(range(3), range(4)):
        own = [(t, p) for t, column, row, p in package.tolist() if (row, column) == (y, x)]
        assert listing["pixel_events"](level[:, y, x].tolist(), 1000, 0.2, blind) == own and own
    if not blind:
        memory, found = level[0], []
        for now in level[1:]:
            package_counts, package_memory = camera.camera_step(now, memory, thresholds)
            counts, memory = listing["camera_step"](now, memory, thresholds)
            assert torch.equal(counts, package_counts) and torch.equal(memory, package_memory)
            found.append(counts)
        assert torch.equal(torch.stack(found), camera.film_to_counts(light, thresholds)) and len(package) == sum(found).sum()


@pytest.mark.parametrize("slope, threshold, blind", [(40, 0.2, 0.002), (5, 0.25, 0.0), (900, 0.1, 0.01)])
def test_equation_3_is_the_rate_of_the_listing(listing, slope, threshold, blind):
    events = listing["pixel_events"]([slope * n * 1e-3 for n in range(1001)], 1000, threshold, blind * 1e6)
    assert abs(len(events) - slope / (threshold + slope * blind)) <= 1


def test_equation_4_exercise_and_module_agree_and_equation_5_holds_for_noise():
    for events, size, window in find("19.7").cases:
        assert torch.equal(find("19.7").reference(events, size, window), reference.background_filter(events, size, window))
    noise = camera.noise_events((30, 30), 10_000_000, 2.0, torch.Generator().manual_seed(0))
    inner = ((noise[:, 1:3] > 0) & (noise[:, 1:3] < 29)).all(1)
    assert reference.background_filter(noise, (30, 30), 10_000)[inner].double().mean().item() == pytest.approx(
        find("19.8").reference, abs=0.01)
    noise = camera.noise_events((30, 30), 10_000_000, 5.0, torch.Generator().manual_seed(0))
    kept = reference.refractory_filter(noise, (30, 30), 50_000).double().mean().item()
    assert kept == pytest.approx(find("19.9").reference, abs=0.005)


def test_the_network_of_the_listing_is_that_of_the_study(listing, images):
    counts, label = recordings.directions(images, 48, recordings.camera(recordings.WINDOW, 0), 0)
    assert torch.equal(listing["two_traces"](counts), recordings.two_traces(counts)) and label[:9].tolist() == [*range(8), 0]
    ours, theirs = recordings.seeded(listing["motion_net"], 3), recordings.seeded(recordings.motion_net, 3)
    outputs = [net(recordings.two_traces(counts)) for net in (ours, theirs)]
    assert torch.equal(outputs[0][-1].mem, outputs[1][-1].mem) and outputs[0][0].spk.any()
    gradients = [torch.autograd.grad(records[-1].mem.square().sum(), list(net.parameters()))
                 for records, net in zip(outputs, (ours, theirs), strict=True)]
    assert all(torch.equal(one, other) and one.any() for one, other in zip(*gradients, strict=True))


def test_the_values_of_the_exercises_follow_from_the_modules(listing):
    events = torch.tensor([[1_250_300, 0, 0, 1], [1_289_900, 0, 0, 1]])
    assert reference.events_to_tensor(events, (1, 1), 5000).flatten(1).sum(1).nonzero()[-1].item() == find("19.1").reference
    light = torch.linspace(0.1, 0.8, 20, dtype=FLOAT).view(-1, 1, 1)
    assert camera.film_to_counts(light, torch.full((2, 1, 1), 0.25, dtype=FLOAT)).sum() == find("19.3").reference
    events = listing["pixel_events"]([0.04 * n for n in range(2001)], 1000, 0.2, 2000)
    assert 1e6 * (len(events) - 1) / (events[-1][0] - events[0][0]) == pytest.approx(find("19.4").reference, rel=1e-3)
    for (recording,) in find("19.5").cases:
        assert torch.equal(find("19.5").reference(recording), reference.reverse_events(recording))
    for case in find("19.2").cases:
        rows = find("19.2").reference(*case)
        assert rows.dtype == torch.int64 and (rows[:, 0].diff() >= 0).all()
        assert sorted(rows[:, 0].tolist()) == sorted(round(t * 1e6) for t in case[2])
    assert len(EXERCISES) == 9


# The recordings

def test_moved_digits_are_as_many_events_as_the_listing_of_one_and_polarities_are_balanced(images):
    pixels = recordings.camera(recordings.SENSOR, 0)
    counts = recordings.saccades(images[:6], pixels, 0)
    assert counts.shape == (6, 15, 2, 34, 34) and counts.dtype == torch.uint8
    one = camera.move(images[:1] / 255, camera.saccade_path(30), recordings.SENSOR).clamp(0, 1)[:, 0]
    listed = camera.film_to_events(one, 10_000, pixels)
    assert 0 <= int(counts[0].sum()) - len(listed) < 30 * 2 * 34 * 34 * recordings.NOISE * 1.5
    assert 0.45 < counts[:, :, 1].sum() / counts.sum() < 0.56


def test_negatives_moved_the_other_way_have_nearly_the_same_sums(images):
    papers = recordings.fields(images, 24, torch.Generator().manual_seed(1))
    pixels = torch.full((2, *recordings.WINDOW), 0.05)
    right, left, down = (camera.film_to_counts(camera.move(paper, camera.straight_path(way, 16, 0.4), recordings.WINDOW)
                                               .clamp(0, 1), pixels).sum(0)
                         for paper, way in ((papers, 0), (camera.negative(papers), 4), (papers, 2)))
    assert (right - left).abs().sum() < 0.08 * right.sum() and (right - down).abs().sum() > 0.5 * right.sum()


def test_directions_are_balanced_and_a_wallpaper_is_a_negative_half_of_the_time(images):
    counts, label = recordings.directions(images, 240, recordings.camera(recordings.WINDOW, 0), 3)
    assert label.bincount().tolist() == [30] * 8 and counts.sum((1, 2, 3, 4)).min() > 50
    papers = recordings.fields(images, 200, torch.Generator().manual_seed(2))
    assert 70 < (papers.mean((1, 2)) > 0.5).sum() < 130 and 0 <= papers.min() and papers.max() <= 1


def test_shuffling_keeps_every_count_and_every_recording_has_its_own_order(images):
    counts, _ = recordings.directions(images, 24, recordings.camera(recordings.WINDOW, 0), 3)
    mixed = recordings.shuffled(counts, 0)
    assert torch.equal(mixed.sum(1), counts.sum(1)) and not torch.equal(mixed, counts)
    marked = torch.arange(16).view(1, 16, 1, 1, 1).expand(5, 16, 2, 3, 3)
    orders = recordings.shuffled(marked, 1)[:, :, 0, 0, 0]
    assert (orders.sort(1).values == torch.arange(16)).all() and len({tuple(row) for row in orders.tolist()}) == 5


def test_shuffling_within_keeps_every_part():
    marked = torch.arange(15).view(1, 15, 1, 1, 1).expand(4, 15, 2, 3, 3)
    orders = recordings.shuffled_within(marked, 1)[:, :, 0, 0, 0]
    assert (orders.unflatten(1, (3, 5)).sort(2).values.flatten(1) == torch.arange(15)).all()
    assert (orders != torch.arange(15)).any(1).all()


def test_noisy_lists_know_their_signal(images):
    events, signal = recordings.noisy_list(images[0], recordings.camera(recordings.SENSOR, 0), 5.0, 0)
    assert (events[1:, 0] >= events[:-1, 0]).all() and abs(int((~signal).sum()) - 1734) < 170
    hot, marks = recordings.from_hot_pixels(events, signal, 0)
    assert torch.equal(hot[signal], events[signal]) and torch.equal(marks, signal) and torch.equal(hot[:, 0], events[:, 0])
    assert len(hot[~signal, 1:3].unique(dim=0)) == 6 and 0 <= hot[:, 1:3].min() and hot[:, 1:3].max() < 34
    both = [(events, signal)] * 2
    kept, noise = recordings.kept_shares(lambda events: events[:, 3] == 1, both)
    assert kept == pytest.approx((events[signal, 3] == 1).double().mean().item()) and 0.4 < noise < 0.6
    pool = recordings.pooled(torch.arange(2 * 34 * 34.0).view(1, 2, 34, 34))
    assert pool.shape == (1, 2, 17, 17) and pool[0, 0, 0, 0] == 0 + 1 + 34 + 35


# The explorer and the film

def test_the_picture_of_the_camera(images):
    labels = mnist5k().test_labels
    for picture, s in pictures("events.camera", 4):
        image = images[int((labels == s["digit"]).nonzero()[0])][None] / 255
        view = camera.move(image, camera.saccade_path(STEPS), (SIDE, SIDE)).clamp(0, 1)[:, 0]
        pixels = camera.pixel_thresholds((SIDE, SIDE), s["threshold"], 0.03, torch.Generator().manual_seed(19))
        counts = camera.film_to_counts(view, pixels, noise=s["noise"] * s["duration"] / 1000 / STEPS,
                                       generator=torch.Generator().manual_seed(0))
        picture.image("frame", view[s["moment"]].numpy(), "gray", (0, 1))
        for polarity, name, now, color, marker in ((0, "darker", "vermillion", "vermillion", "v"),
                                                   (1, "brighter", "sky", "blue", "^")):
            y, x = counts[s["moment"], polarity].nonzero(as_tuple=True)
            picture.points(f"{name} now", x, y, now, marker)
            step, y, x = counts[:, polarity].nonzero(as_tuple=True)
            picture.points(name, 2.6 * step + 0.55 * x, 0.42 * x - y, color, ".")
        corners = torch.tensor([(0, 0), (SIDE, 0), (SIDE, SIDE), (0, SIDE), (0, 0)])
        picture.line("plane", 2.6 * s["moment"] + 0.55 * corners[:, 0], 0.42 * corners[:, 0] - corners[:, 1], "black")
        picture.says("time", "time: {} ms", s["duration"])
        picture.says("said", "{} events, {} a pixel and second", int(counts.sum()),
                     counts.sum().item() / SIDE**2 / s["duration"] * 1000)
        picture.says("when", "after {} ms", s["moment"] * s["duration"] / STEPS)


def test_what_stands_behind_the_picture():
    behind = background("events.camera")
    behind.axes("0", "", ("", -0.5, 27.5), ("", 27.5, -0.5))
    behind.axes("1", "", ("", -5, 97.4), ("", -34, 17.76))
    for number, (start, end) in enumerate((((0, 0, SIDE), (STEPS, 0, SIDE)), ((0, 0, 0), (0, 0, SIDE)),
                                           ((0, 0, 0), (0, SIDE, 0)))):
        ends = [explorers.place(*start), explorers.place(*end)]
        behind.line(f"1.line{number}", *zip(*ends, strict=True), "0.5")
    behind.says("1.text0", "row")
    behind.says("1.text1", "column")
    behind.done()


def test_the_film_shows_the_view_what_is_sent_and_all_of_it_so_far():
    frames = films.camera_frames()
    assert len(frames) == 30 and not math.isclose(frames[0][1].sum(), 0)
    data = explorers.compute_camera(3, 300, 0.25, 1, 0)
    for number in (0, 12, 29):
        step, view, counts = frames[number]
        assert step == number and torch.equal(counts, data["counts"][:number + 1])
        still, picture = film(films.build_events, films.draw_events, frames[number], width=7.4, height=2.5)
        picture.image("0.image0", view.numpy(), "gray", (0, 1))
        for polarity, (color, marker) in enumerate((("vermillion", "v"), ("blue", "^"))):
            y, x = counts[-1, polarity].nonzero(as_tuple=True)
            picture.points(f"1.line{polarity}", x, y, color, marker)
            past, y, x = counts[:, polarity].nonzero(as_tuple=True)
            picture.points(f"2.line{polarity}", *explorers.place(past, x, y), color, ".")
        corners = [explorers.place(step, x, y) for x, y in ((0, 0), (SIDE, 0), (SIDE, SIDE), (0, SIDE), (0, 0))]
        picture.line("2.line2", *zip(*corners, strict=True), "black")
        picture.says("2.text0", "{} to {} ms: {} events", 10 * step, 10 * step + 10, int(counts[-1].sum()))
        picture.done()
