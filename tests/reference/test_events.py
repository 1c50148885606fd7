"""Event lists: each event lands in its own step and pixel, none is lost, and what is not such a list says what to do."""
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snnteach.event_camera import film_to_events, noise_events
from snnteach.events import background_filter, events_to_tensor, refractory_filter, reverse_events, tensor_to_events

ROWS = torch.tensor([[1000, 2, 0, 1], [1999, 2, 0, 1], [2000, 0, 1, 0], [1999, 2, 0, 1]])
SIZE = (2, 3)


@given(st.lists(st.tuples(st.integers(0, 9999), st.integers(0, 4), st.integers(0, 3), st.integers(0, 1)), min_size=1),
       st.integers(1, 3000), st.integers(-5000, 0))
def test_every_event_is_counted_once_where_it_belongs(rows, step_us, origin):
    counts = events_to_tensor(torch.tensor(rows), (4, 5), step_us, origin_us=origin)
    expected = torch.zeros_like(counts)
    for t, x, y, p in rows:
        expected[(t - origin) // step_us, p, y, x] += 1
    assert torch.equal(counts, expected) and len(counts) == (max(rows)[0] - origin) // step_us + 1


@given(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 4), st.integers(0, 3), st.integers(0, 1)), min_size=1))
def test_there_and_back_loses_only_the_time_within_a_step(rows):
    events = torch.tensor(rows)
    exact = tensor_to_events(events_to_tensor(events, (4, 5), 1, origin_us=0), 1)
    assert sorted(exact.tolist()) == sorted(events.tolist()) and bool((exact[1:, 0] >= exact[:-1, 0]).all())
    rounded = tensor_to_events(events_to_tensor(events, (4, 5), 100, origin_us=0), 100)
    events[:, 0] = events[:, 0] // 100 * 100
    assert sorted(rounded.tolist()) == sorted(events.tolist())


def test_borders_repeats_and_the_origin():
    counts = events_to_tensor(ROWS, SIZE, 1000)                                   # the first event begins step 0
    assert counts[0, 1, 0, 2] == 3 and counts[1, 0, 1, 0] == 1 and counts.sum() == 4 and counts.dtype == torch.float32
    assert events_to_tensor(ROWS, SIZE, 1000, origin_us=0)[:, 1, 0, 2].tolist() == [0, 3, 0]
    assert events_to_tensor(ROWS, SIZE, 1000, origin_us=999)[0].sum() == 1 and len(events_to_tensor(ROWS, SIZE, 1000, 7)) == 7
    assert torch.equal(events_to_tensor(ROWS.flip(0), SIZE, 1000), counts)


def test_microseconds_of_years_are_exact():
    late = ROWS + torch.tensor([2**55, 0, 0, 0])
    assert torch.equal(events_to_tensor(late, SIZE, 1000), events_to_tensor(ROWS, SIZE, 1000))
    assert torch.equal(tensor_to_events(events_to_tensor(late, SIZE, 1), 1, 2**55 + 1000).sort(0).values, late.sort(0).values)


def test_events_outside_are_refused_or_dropped():
    with pytest.raises(ValueError, match=r"events: 1 of 4 lie before origin_us = 1500 .*outside=\"drop\""):
        events_to_tensor(ROWS, SIZE, 1000, origin_us=1500)
    with pytest.raises(ValueError, match="events: 1 of 4 lie"):
        events_to_tensor(ROWS, SIZE, 1000, num_steps=1)
    assert events_to_tensor(ROWS, SIZE, 1000, origin_us=1500, outside="drop").sum() == 3
    assert events_to_tensor(ROWS, SIZE, 1000, num_steps=1, outside="drop").sum() == 3
    assert events_to_tensor(ROWS[:0], SIZE, 1000, num_steps=3, origin_us=0).shape == (3, 2, 2, 3)


FIELDS = np.array([tuple(row) for row in ROWS.tolist()], dtype=[("t", "u4"), ("x", "u2"), ("y", "u2"), ("p", "?")])


@pytest.mark.parametrize("came", [
    ROWS.numpy(), FIELDS, ROWS.tolist(), tuple(ROWS.T), {name: ROWS[:, place].numpy() for place, name in enumerate("txyp")},
    pytest.param("frame", id="DataFrame")], ids=lambda came: type(came).__name__)
def test_what_users_hold_is_refused_with_a_line_that_works(came):
    if isinstance(came, str):
        pandas = pytest.importorskip("pandas")
        came = pandas.DataFrame(ROWS.numpy(), columns=list("txyp"))
    with pytest.raises(TypeError, match="events_to_tensor: events must be an int64 tensor") as refused:
        events_to_tensor(came, SIZE, 1000)
    cure = str(refused.value).partition("Convert it with ")[2].partition(" if these")[0].rstrip(".")
    events = eval(cure, {"torch": torch, "events": came})
    assert torch.equal(events_to_tensor(events, SIZE, 1000), events_to_tensor(ROWS, SIZE, 1000))


SECONDS = (ROWS.double() / torch.tensor([1e6, 1, 1, 1])).numpy()


@pytest.mark.parametrize("came", [
    SECONDS, SECONDS.tolist(), tuple(SECONDS.T), {name: SECONDS[:, place] for place, name in enumerate("txyp")},
    np.array([tuple(row) for row in SECONDS], dtype=[("t", "f8"), ("x", "u2"), ("y", "u2"), ("p", "?")]),
    pytest.param("frame", id="DataFrame")], ids=lambda came: type(came).__name__)
def test_no_advice_cuts_seconds_to_whole_numbers(came):
    if isinstance(came, str):
        pandas = pytest.importorskip("pandas")
        came = pandas.DataFrame(SECONDS, columns=list("txyp"))
    with pytest.raises(TypeError, match="events_to_tensor: events must be an int64 tensor") as refused:
        events_to_tensor(came, SIZE, 1000)
    cure = str(refused.value).partition("Convert it with ")[2].partition(" if these")[0].rstrip(".")
    events = eval(cure, {"torch": torch, "events": came})
    with pytest.raises(TypeError, match="with t in whole microseconds, got torch.float64"):
        events_to_tensor(events, SIZE, 1000)


def test_the_line_for_a_structured_array_knows_its_names():
    came = np.zeros(2, dtype=[("timestamp", "u4"), ("x", "u2"), ("y", "u2"), ("polarity", "?")])
    with pytest.raises(TypeError, match=r"for name in \(what means t, x, y, p among 'timestamp', 'x', 'y', 'polarity'\)"):
        events_to_tensor(came, SIZE, 1000)


def test_times_beyond_int64_are_refused():
    with pytest.raises(ValueError, match="tensor_to_events: 3 steps of step_us = 4611686018427387904 after origin_us = 0 end"):
        tensor_to_events(torch.ones(3, 2, 1, 1), 2**62)


def test_seconds_are_refused_with_a_line_that_works():
    events = ROWS.double() / torch.tensor([1e6, 1, 1, 1])
    with pytest.raises(TypeError, match="with t in whole microseconds, got torch.float64") as refused:
        events_to_tensor(events, SIZE, 1000)
    cure = str(refused.value).partition("Convert seconds with ")[2].partition(", whole")[0]
    assert torch.equal(eval(cure, {"torch": torch, "events": events}), ROWS)


@pytest.mark.parametrize(("events", "size", "message"), [
    (ROWS[:, :3], SIZE, r"\[K, 4\].*got shape \(4, 3\)"), (ROWS, (1, 3), "y in events must be between 0 and 0"),
    (ROWS, (3, 2), "x in events must be between 0 and 1, got entries from 0 to 2"),
    (ROWS * torch.tensor([1, 1, 1, -1]), SIZE, "p in events.*Turn -1 and 1"),
    (ROWS[:0], SIZE, "events is empty"), (ROWS, 3, "size must be the pair"), (ROWS, (2, 3.0), r"size\[1\] must be a whole"),
    (ROWS, (2, 0), r"size\[1\] must be a whole number of at least 1, got 0")])
def test_bad_events_say_why(events, size, message):
    with pytest.raises((ValueError, TypeError), match=f"events_to_tensor: .*{message}"):
        events_to_tensor(events, size, 1000)


def test_what_cannot_be_meant_is_refused_before_work_starts():
    long = torch.tensor([[0, 0, 0, 1], [10**9, 0, 0, 1]])
    with pytest.raises(ValueError, match="events_to_tensor: num_steps = 1000000001 of step_us = 1 asks"):
        events_to_tensor(long, (260, 346), 1)
    assert len(events_to_tensor(long, (2, 3), 10**6)) == 1001
    with pytest.raises(ValueError, match="tensor_to_events: counts asks for a tensor of 2000000000 x 8 numbers"):
        tensor_to_events(torch.full((1, 2, 1, 1), 1e9), 1000)
    with pytest.raises(ValueError, match="origin_us must be a whole number"):
        tensor_to_events(torch.ones(1, 2, 1, 1), 1000, 2**80)
    with pytest.raises(ValueError, match="origin_us must be a whole number"):
        events_to_tensor(ROWS, SIZE, 1000, origin_us=2**80)


def test_scalars_of_numpy_are_numbers():
    size, step = (np.int64(2), np.int64(3)), np.int64(1000)
    counts = events_to_tensor(ROWS, size, step, np.int64(4), np.int64(0))
    assert torch.equal(counts, events_to_tensor(ROWS, SIZE, 1000, 4, 0))
    assert torch.equal(tensor_to_events(counts, step, np.int64(0)), tensor_to_events(counts, 1000))


def test_counts_are_taken_in_any_type_but_bool():
    counts = events_to_tensor(ROWS, SIZE, 1000)
    for dtype in (torch.float16, torch.bfloat16, torch.float64, torch.uint8, torch.int64):
        assert torch.equal(tensor_to_events(counts.to(dtype), 1000), tensor_to_events(counts, 1000))
    some = counts > 0
    with pytest.raises(TypeError, match=r"tensor_to_events: counts must be numbers, got torch.bool. .*counts.float\(\)"):
        tensor_to_events(some, 1000)
    assert len(tensor_to_events(some.float(), 1000)) == some.sum()


@pytest.mark.parametrize(("counts", "message"), [
    (torch.zeros(2, 3, 4, 5), r"\[T, 2, H, W\], got shape"), (torch.zeros(2, 4, 5), r"\[T, 2, H, W\], got shape"),
    (torch.full((1, 2, 2, 2), 0.5), "whole numbers"), (torch.full((1, 2, 2, 2), -1), "whole numbers"),
    (torch.full((1, 2, 2, 2), float("nan")), "whole numbers"), (torch.full((1, 2, 2, 2), float("inf")), "whole numbers")])
def test_bad_counts_say_why(counts, message):
    with pytest.raises(ValueError, match=f"tensor_to_events: counts must be .*{message}"):
        tensor_to_events(counts, 1000)


# Filters and reversal

SORTED = ROWS[ROWS[:, 0].argsort(stable=True)]


def poisson(rate_hz, size, seconds=4, seed=0):
    return noise_events(size, int(seconds * 1e6), rate_hz, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("rate, dead", [(5.0, 20_000), (40.0, 10_000)])
def test_the_refractory_filter_keeps_the_share_of_a_dead_time(rate, dead):
    events = poisson(rate, (20, 20))
    kept = refractory_filter(events, (20, 20), dead)
    assert kept.double().mean() == pytest.approx(1 / (1 + rate * dead * 1e-6), abs=0.02)
    left = events[kept]
    for pixel in ((0, 0), (7, 3)):
        times = left[(left[:, 1] == pixel[0]) & (left[:, 2] == pixel[1]), 0]
        assert (times.diff() >= dead).all()


@pytest.mark.parametrize("rate, window", [(1.0, 10_000), (5.0, 10_000), (5.0, 40_000)])
def test_noise_passes_the_background_filter_as_the_closed_form_says(rate, window):
    events = poisson(rate, (40, 40))
    inner = ((events[:, 1:3] > 0) & (events[:, 1:3] < 39)).all(1)                       # those with eight neighbours
    kept = background_filter(events, (40, 40), window)
    share, passes = kept[inner].double().mean().item(), 1 - np.exp(-8 * rate * window * 1e-6)
    assert abs(share - passes) < 5 * np.sqrt(passes / int(inner.sum()))
    assert kept[~inner].double().mean() < share + 0.01


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 4), st.integers(0, 3), st.integers(0, 1))), st.integers(1, 30))
def test_the_background_filter_asks_all_neighbours_and_nobody_else(rows, window):
    rows = sorted(rows, key=lambda row: row[0])
    events = torch.tensor(rows, dtype=torch.int64).view(-1, 4)
    expected = [any(0 <= t - before[0] <= window and (before[1], before[2]) != (x, y)
                    and abs(before[1] - x) <= 1 and abs(before[2] - y) <= 1 for before in rows[:place])
                for place, (t, x, y, _) in enumerate(rows)]
    assert background_filter(events, (4, 5), window).tolist() == expected
    last, wanted = {}, []
    for t, x, y, _ in rows:
        wanted.append(all(t - other >= window for other in last.get((x, y), [])))
        if wanted[-1]:
            last.setdefault((x, y), []).append(t)
    assert refractory_filter(events, (4, 5), window).tolist() == wanted


def test_backwards_twice_is_forwards_and_a_film_backwards_has_the_events_backwards():
    assert torch.equal(reverse_events(reverse_events(SORTED)), SORTED) and len(reverse_events(SORTED[:0])) == 0
    level = torch.tensor([0.0, 1.0, 1.5, -0.5, 0.25], dtype=torch.float64).view(-1, 1, 1) * 0.2 + np.log(0.5)
    film, pixel = level.exp() - 0.15, torch.full((2, 1, 1), 0.02, dtype=torch.float64)
    there, back = (film_to_events(each, 1000, pixel) for each in (film, film.flip(0)))
    turned = reverse_events(there)
    assert len(there) > 35 and (turned[:, 3].bincount() - back[:, 3].bincount()).abs().max() <= 3       # one a turn at most
    for early, late in ((0, 900), (1100, 1900), (2100, 2900), (3100, 4000)):                     # the four lines of the film
        one, other = (each[(each[:, 0] >= early) & (each[:, 0] < late), 3] for each in (turned, back))
        assert len(one) > 3 and one.float().mean() == other.float().mean() and abs(len(one) - len(other)) <= 1


@pytest.mark.parametrize("call, words", [
    (lambda: background_filter(SORTED.flip(0), SIZE, 10), "must be sorted by time"),
    (lambda: refractory_filter(SORTED.flip(0), SIZE, 10), "must be sorted by time"),
    (lambda: background_filter(SORTED, (1, 1), 10), "x in events must be between"),
    (lambda: background_filter(SORTED, SIZE, 0.5), "window_us must be a whole number"),
    (lambda: refractory_filter(SORTED, SIZE, -1), "dead_us must be a whole number"),
    (lambda: reverse_events(2 * SORTED), "p in events must be 0 or 1"),
    (lambda: reverse_events(SORTED.float()), "events must be int64"),
])
def test_filters_refuse_what_they_cannot_use(call, words):
    with pytest.raises((TypeError, ValueError), match=words):
        call()


def test_the_cure_for_unsorted_lists_works():
    events = SORTED.flip(0)
    events = events[events[:, 0].argsort(stable=True)]
    assert background_filter(events, SIZE, 10).tolist() == [False] * 4
    assert refractory_filter(events, SIZE, 10).sum() == 3
