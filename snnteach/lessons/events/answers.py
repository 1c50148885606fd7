"""Answers to the exercises of notebook 19 that are functions: the right one and the wrong ones that people give."""
import torch


def noisy(seed, count=60, size=(6, 7), span=400):
    """Draw events [K, 4], sorted by time, for a case; several in one microsecond are likely."""
    generator = torch.Generator().manual_seed(seed)
    columns = [torch.randint(0, high, (count,), generator=generator) for high in (span, size[1], size[0], 2)]
    events = torch.stack(columns, 1)
    return events[events[:, 0].argsort(stable=True)]


def apart(seed, count=60, span=400):
    """The same with every event at a time of its own."""
    events = noisy(seed, count)
    events[:, 0] = torch.randperm(span, generator=torch.Generator().manual_seed(seed))[:count].sort().values
    return events


def table(seed, count=9):
    """Columns x, y, seconds, sign as a maker of cameras writes them, not in the order of time."""
    generator = torch.Generator().manual_seed(seed)
    micros = torch.randint(3_600_000_000, 3_600_900_000, (count,), generator=generator)
    x, y, sign = (torch.randint(0, high, (count,), generator=generator) for high in (30, 20, 2))
    return x.tolist(), y.tolist(), [float(t) / 1e6 for t in micros], [1 if one else -1 for one in sign.tolist()]


# 19.2: from a table

def to_rows(x, y, seconds, sign):
    rows = [[round(t * 1e6), column, row, int(p > 0)] for column, row, t, p in zip(x, y, seconds, sign, strict=True)]
    return torch.tensor(sorted(rows, key=lambda row: row[0]))


def cuts_off(x, y, seconds, sign):
    """Microseconds cut off instead of rounded."""
    rows = [[int(t * 1e6), a, b, int(p > 0)] for a, b, t, p in zip(x, y, seconds, sign, strict=True)]
    return torch.tensor(sorted(rows, key=lambda row: row[0]))


def keeps_the_sign(x, y, seconds, sign):
    """Polarity -1 and 1."""
    rows = to_rows(x, y, seconds, sign)
    rows[:, 3] = 2 * rows[:, 3] - 1
    return rows


def keeps_the_order(x, y, seconds, sign):
    """Not sorted by time."""
    return torch.tensor([[round(t * 1e6), a, b, int(p > 0)] for a, b, t, p in zip(x, y, seconds, sign, strict=True)])


def swaps(x, y, seconds, sign):
    """Rows and columns the wrong way round."""
    return to_rows(y, x, seconds, sign)


def single_precision(x, y, seconds, sign):
    """A tensor of float32 on the way."""
    rows = torch.tensor([x, y, seconds, sign], dtype=torch.float32).T[:, [2, 0, 1, 3]]
    rows = (rows * torch.tensor([1e6, 1, 1, 1])).round().long()
    rows[:, 3] = (rows[:, 3] > 0).long()
    return rows[rows[:, 0].argsort(stable=True)]


def keeps_their_columns(x, y, seconds, sign):
    """Columns in the table's order."""
    return to_rows(x, y, seconds, sign)[:, [1, 2, 0, 3]]


def as_a_list(x, y, seconds, sign):
    """Lists instead of a tensor."""
    return to_rows(x, y, seconds, sign).tolist()


def short(x, y, seconds, sign):
    """Times of 32 bits."""
    return to_rows(x, y, seconds, sign).int()


# 19.5: backwards

def backwards(events):
    t, x, y, p = events.flip(0).T
    return torch.stack([events[0, 0] + events[-1, 0] - t, x, y, 1 - p], 1)


def keeps_polarity(events):
    """Time turned, polarity not."""
    made = backwards(events)
    made[:, 3] = 1 - made[:, 3]
    return made


def flips_only(events):
    """The rows in the other order, and nothing else."""
    return events.flip(0)


def turns_the_list_only(events):
    """The rows in the other order, with their old times."""
    made = events.flip(0).clone()
    made[:, 3] = 1 - made[:, 3]
    return made


def forgets_to_sort(events):
    """New times, old order."""
    return backwards(events).flip(0)


def from_the_end(events):
    """Times counted from the last event: the recording begins at 0."""
    made = backwards(events)
    made[:, 0] = made[:, 0] - events[0, 0]
    return made


def negative_times(events):
    """Times with a minus."""
    made = backwards(events)
    made[:, 0] = -events.flip(0)[:, 0]
    return made


# 19.7: the background filter

def near_in_time(events, size, window_us):
    height, width = size
    last = torch.full((height + 2, width + 2), -10**15).tolist()         # when each pixel last spoke, a frame around
    kept = []
    for t, x, y, _ in events.tolist():
        beside = [last[y + 1 + down][x + 1 + right] for down in (-1, 0, 1) for right in (-1, 0, 1) if down or right]
        kept.append(t - max(beside) <= window_us)
        last[y + 1][x + 1] = t
    return torch.tensor(kept, dtype=torch.bool)


def _filter(events, size, window_us, places, before=lambda t, last, window: t - last <= window, remember=lambda kept: True):
    height, width = size
    last = torch.full((height + 2, width + 2), -10**15).tolist()
    kept = []
    for t, x, y, _ in events.tolist():
        beside = [last[y + 1 + down][x + 1 + right] for down, right in places]
        kept.append(before(t, max(beside), window_us))
        if remember(kept[-1]):
            last[y + 1][x + 1] = t
    return torch.tensor(kept, dtype=torch.bool)


_SQUARE = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
_BESIDE = [place for place in _SQUARE if place != (0, 0)]


def itself_too(events, size, window_us):
    """The pixel counts as its own neighbour."""
    return _filter(events, size, window_us, _SQUARE)


def four_neighbours(events, size, window_us):
    """No diagonals."""
    return _filter(events, size, window_us, [place for place in _SQUARE if abs(place[0]) + abs(place[1]) == 1])


def only_kept_ones(events, size, window_us):
    """A dropped event leaves no trace: nothing ever passes."""
    return _filter(events, size, window_us, _BESIDE, remember=bool)


def earlier_than_the_window(events, size, window_us):
    """Less than the window instead of at most."""
    return _filter(events, size, window_us, _BESIDE, before=lambda t, last, window: t - last < window)


def the_other_ones(events, size, window_us):
    """True for what is to be dropped."""
    return ~near_in_time(events, size, window_us)


def the_events(events, size, window_us):
    """The events that are left, not which."""
    return events[near_in_time(events, size, window_us)]


def wraps_round(events, size, window_us):
    """Beyond the first column comes the last one: indices of -1."""
    last = torch.full(size, -10**15).tolist()
    kept = []
    for t, x, y, _ in events.tolist():
        beside = [last[(y + down) % size[0]][(x + right) % size[1]] for down, right in _BESIDE]
        kept.append(t - max(beside) <= window_us)
        last[y][x] = t
    return torch.tensor(kept, dtype=torch.bool)


def looks_ahead(events, size, window_us):
    """Events after it support an event, too."""
    t, x, y, _ = events.T
    near = ((x[:, None] - x).abs() <= 1) & ((y[:, None] - y).abs() <= 1) & ((x[:, None] != x) | (y[:, None] != y))
    return (near & ((t[:, None] - t).abs() <= window_us)).any(1)


def as_if_all_had_spoken(events, size, window_us):
    """Memories that begin at the time 0."""
    frame = [[0, x, y, 0] for y in range(-1, size[0] + 1) for x in range(-1, size[1] + 1)]
    shifted = torch.cat([torch.tensor(frame), events]) + torch.tensor([0, 1, 1, 0])
    return near_in_time(shifted, (size[0] + 2, size[1] + 2), window_us)[len(frame):]


def own_polarity(events, size, window_us):
    """Only neighbours of the same polarity count."""
    kept = torch.zeros(len(events), dtype=torch.bool)
    for polarity in (0, 1):
        same = events[:, 3] == polarity
        kept[same] = near_in_time(events[same], size, window_us)
    return kept


def any_pixel(events, size, window_us):
    """Any event just before, wherever it was."""
    t = events[:, 0]
    return torch.cat([torch.zeros(1, dtype=torch.bool), t.diff() <= window_us])
