"""Event lists: from (t, x, y, p) in microseconds to a tensor of counts, [T, 2, H, W], and back; filters; reversal."""
import torch

from ._arguments import (
    check_affordable,
    check_events,
    check_option,
    check_pixels,
    check_size,
    check_tensor,
    check_that,
    check_whole,
)

OUTSIDE = ("refuse", "drop")


def events_to_tensor(events, size, step_us, num_steps=None, origin_us=None, outside="refuse"):
    """Count the events of each pixel and polarity in each time step.

    counts[n, p, y, x] = number of events (t, x, y, p) with n = floor((t - origin_us) / step_us)

    The arithmetic is that of whole numbers: an event on the border of two steps belongs to the later one, and the same event
    twice counts twice. A network for pixels of a picture takes [T, B, 2, H, W]: add the batch with `.unsqueeze(1)`, or join
    recordings with `torch.stack(tensors, 1)`; one of fully connected layers takes `.flatten(2)` of that.

    Args:
        events: int64 tensor [K, 4] with a row (t, x, y, p) an event: t in microseconds, x the column, y the row of the pixel,
            p the polarity (0 darker, 1 brighter). The order of the rows does not matter.
        size: (H, W), the pixels of the sensor.
        step_us: length of a time step in microseconds, a whole number of at least 1.
        num_steps: number of time steps T; by default up to the last event.
        origin_us: time in microseconds at which step 0 begins; by default the time of the first event.
        outside: what happens to events before the origin or after the last step: "refuse" or "drop".

    Returns:
        counts, float32 [T, 2, H, W].

    Raises:
        TypeError: events not an int64 tensor; what came is named, with the line that converts it.
        ValueError: events not [K, 4], no event and no num_steps or origin_us, a pixel outside the sensor, a polarity other
            than 0 and 1, step_us or num_steps not whole, events outside the time while `outside` is "refuse", more steps than a
            tensor can hold.

    Source: address-event representation, Eshraghian et al. (2023), section III-A; Gallego et al. (2022),
        doi:10.1109/TPAMI.2020.3008413, section 3.1.

    >>> events = torch.tensor([[1000, 2, 0, 1], [1999, 2, 0, 1], [2000, 0, 1, 0]])     # t, x, y, p
    >>> counts = events_to_tensor(events, size=(2, 3), step_us=1000)
    >>> counts.shape, counts[0, 1, 0, 2].item(), counts[1, 0, 1, 0].item(), counts.sum().item()
    (torch.Size([2, 2, 2, 3]), 2.0, 1.0, 3.0)
    """
    check_events("events_to_tensor", events)
    check_size("events_to_tensor", size)
    check_pixels("events_to_tensor", events, size)
    check_whole("events_to_tensor", step_us=step_us)
    check_option("events_to_tensor", "outside", outside, OUTSIDE)
    _check_time("events_to_tensor", events, num_steps, origin_us)
    time, x, y, polarity = events.T                                                       # [K] each
    origin = int(time.min()) if origin_us is None else int(origin_us)
    step = torch.div(time - origin, int(step_us), rounding_mode="floor")
    num_steps = max(1, int(step.max()) + 1) if num_steps is None else int(num_steps)
    check_affordable("events_to_tensor", f"num_steps = {num_steps} of step_us = {step_us}", num_steps, 2, *size)
    inside = (step >= 0) & (step < num_steps)
    check_that("events_to_tensor", outside == "drop" or bool(inside.all()),
               f"events: {int((~inside).sum())} of {len(events)} lie before origin_us = {origin} or after the last of the "
               f"{num_steps} steps. Leave origin_us and num_steps out, or pass outside=\"drop\".")
    height, width = map(int, size)
    place = ((step * 2 + polarity) * height + y) * width + x                              # [K] places in the flat tensor
    counts = torch.zeros(num_steps * 2 * height * width)
    counts.index_add_(0, place[inside], torch.ones(int(inside.sum())))
    return counts.view(num_steps, 2, height, width)


def _check_time(owner, events, num_steps, origin_us):
    if num_steps is not None:
        check_whole(owner, num_steps=num_steps)
    if origin_us is not None:
        check_whole(owner, low=-2**62, high=2**62, origin_us=origin_us)
    check_that(owner, len(events) or (num_steps is not None and origin_us is not None),
               "events is empty, so num_steps and origin_us have to be given.")


def tensor_to_events(counts, step_us, origin_us=0):
    """List the events of a tensor of counts, sorted by time: the way back.

    t = origin_us + n step_us for each of the counts[n, p, y, x] events

    Where in its step an event happened is lost: t is the beginning of the step.

    Args:
        counts: whole numbers of at least 0, [T, 2, H, W].
        step_us: length of a time step in microseconds, a whole number of at least 1.
        origin_us: time in microseconds at which step 0 begins, a whole number.

    Returns:
        events, int64 [K, 4] with rows (t, x, y, p), sorted by t, then polarity, row and column.

    Raises:
        TypeError: counts not a tensor of numbers.
        ValueError: counts not [T, 2, H, W], negative, not whole, NaN, infinite or too many; step_us or origin_us not whole.

    Source: the inverse of `events_to_tensor`.

    >>> counts = torch.zeros(2, 2, 2, 3)
    >>> counts[1, 0, 1, 2] = 2
    >>> tensor_to_events(counts, step_us=1000, origin_us=500).tolist()
    [[1500, 2, 1, 0], [1500, 2, 1, 0]]
    """
    check_tensor("tensor_to_events", "counts", counts, "[T, 2, H, W]", dims=4)
    check_that("tensor_to_events", counts.shape[1] == 2, f"counts must be [T, 2, H, W], got shape {tuple(counts.shape)}.")
    check_that("tensor_to_events", counts.dtype != torch.bool,
               "counts must be numbers, got torch.bool. Convert it with counts.float().", TypeError)
    check_that("tensor_to_events", bool(((counts >= 0) & (counts == counts.round()) & counts.isfinite()).all()),
               "counts must be whole numbers of at least 0.")
    check_whole("tensor_to_events", step_us=step_us)
    check_whole("tensor_to_events", low=-2**62, high=2**62, origin_us=origin_us)
    check_that("tensor_to_events", int(origin_us) + len(counts) * int(step_us) < 2**63,
               f"{len(counts)} steps of step_us = {step_us} after origin_us = {origin_us} end later than int64 can count.")
    check_affordable("tensor_to_events", "counts", int(counts.sum(dtype=torch.float64)), 8)      # a row is 4 numbers of int64
    step, polarity, y, x = counts.nonzero(as_tuple=True)                                  # [K] each, a pixel and step once
    rows = torch.stack([int(origin_us) + step * int(step_us), x, y, polarity], 1)
    return rows.repeat_interleave(counts[step, polarity, y, x].long(), 0)


def _check_order(owner, events, size, **times):
    check_events(owner, events)
    check_size(owner, size)
    check_pixels(owner, events, size)
    check_affordable(owner, "size", 2, *size)
    check_that(owner, bool((events[1:, 0] >= events[:-1, 0]).all()),
               "events must be sorted by time. Sort them with events = events[events[:, 0].argsort(stable=True)].")
    check_whole(owner, high=2**62, **times)


def refractory_filter(events, size, dead_us):
    """Drop what a pixel says again too soon: the events within dead_us of the last one of that pixel that was kept.

    keep (t, x, y, p)  if  t - last[y, x] >= dead_us;    then last[y, x] = t

    Pixels that fire by chance at the rate r keep the share 1 / (1 + r dead), as neurons with a dead time do.

    Args:
        events: int64 tensor [K, 4] of rows (t, x, y, p), sorted by t in microseconds.
        size: (H, W), the pixels of the sensor.
        dead_us: time in microseconds in which a pixel may speak once, a whole number of at least 1.

    Returns:
        kept, bool [K]: events[kept] are left.

    Raises:
        TypeError: events not an int64 tensor; size no pair.
        ValueError: events not [K, 4] or not sorted, a pixel outside the sensor, dead_us not whole.

    Source: Delbruck (2008), Frame-free dynamic digital vision, the refractory filter of jAER.

    >>> events = torch.tensor([[0, 1, 0, 1], [400, 1, 0, 1], [900, 0, 0, 1], [1000, 1, 0, 0]])
    >>> refractory_filter(events, (1, 2), dead_us=1000).tolist()
    [True, False, True, True]
    """
    _check_order("refractory_filter", events, size, dead_us=dead_us)
    last, kept = {}, []
    for t, x, y, _ in events.tolist():
        kept.append((x, y) not in last or t - last[x, y] >= dead_us)
        if kept[-1]:
            last[x, y] = t
    return torch.tensor(kept, dtype=torch.bool)


def background_filter(events, size, window_us):
    """Keep an event only if one of its eight neighbours has spoken just before: edges come together, noise comes alone.

    keep (t, x, y, p)  if  t - last[v, u] <= window_us for a pixel (u, v) beside (x, y);    then last[y, x] = t, kept or not

    Noise alone, at the rate r a pixel, passes with the probability 1 - exp(-8 r window).

    Args:
        events: int64 tensor [K, 4] of rows (t, x, y, p), sorted by t in microseconds.
        size: (H, W), the pixels of the sensor.
        window_us: how long a neighbour's word counts, in microseconds, a whole number of at least 1.

    Returns:
        kept, bool [K]: events[kept] are left. Of several events in one microsecond those further up in the list come first.

    Raises:
        TypeError: events not an int64 tensor; size no pair.
        ValueError: events not [K, 4] or not sorted, a pixel outside the sensor, window_us not whole.

    Source: Delbruck (2008), Frame-free dynamic digital vision, the background activity filter of jAER.

    >>> events = torch.tensor([[0, 5, 5, 1], [300, 6, 5, 1], [400, 0, 0, 1], [9000, 6, 6, 1]])
    >>> background_filter(events, (8, 8), window_us=1000).tolist()
    [False, True, False, False]
    """
    _check_order("background_filter", events, size, window_us=window_us)
    height, width = map(int, size)
    long_ago = int(events[0, 0]) - int(window_us) - 1 if len(events) else 0
    near = [[long_ago] * (width + 2) for _ in range(height + 2)]                           # when a neighbour last spoke
    kept = []
    for t, x, y, _ in events.tolist():
        kept.append(t - near[y + 1][x + 1] <= window_us)
        for row in range(y, y + 3):
            for column in range(x, x + 3):
                if (row, column) != (y + 1, x + 1):
                    near[row][column] = t
    return torch.tensor(kept, dtype=torch.bool)


def reverse_events(events):
    """Play a recording backwards: what came last comes first, and what became brighter becomes darker.

    (t, x, y, p)  ->  (first t + last t - t, x, y, 1 - p)

    Args:
        events: int64 tensor [K, 4] of rows (t, x, y, p), in any order.

    Returns:
        events, int64 [K, 4], in the opposite order, between the same two times.

    Raises:
        TypeError: events not an int64 tensor.
        ValueError: events not [K, 4], a polarity other than 0 and 1.

    Source: a film played backwards; its light changes as much, the other way.

    >>> reverse_events(torch.tensor([[100, 2, 0, 1], [150, 3, 0, 1], [400, 4, 0, 0]])).tolist()
    [[100, 4, 0, 1], [350, 3, 0, 0], [400, 2, 0, 0]]
    """
    check_events("reverse_events", events)
    check_that("reverse_events", not len(events) or 0 <= int(events[:, 3].min()) <= int(events[:, 3].max()) <= 1,
               "p in events must be 0 or 1. Turn -1 and 1 into 0 and 1 with events[:, 3] = events[:, 3] > 0.")
    time, x, y, polarity = events.flip(0).T
    ends = int(time.min()) + int(time.max()) if len(events) else 0
    return torch.stack([ends - time, x, y, 1 - polarity], 1)
