"""An event camera: what each of its pixels says when a picture moves in front of it, and ways to move one."""
import math

import torch

from ._arguments import (
    check_affordable,
    check_dtype,
    check_finite,
    check_generator,
    check_intensity,
    check_numbers,
    check_option,
    check_shape,
    check_signal,
    check_size,
    check_that,
    check_whole,
)

MOST_EVENTS = 5 * 10**7                                           # of one recording: 1.6 GB of rows
STARTS = ("fresh", "spread")


def log_intensity(x, dark=0.15):
    """Turn light into what a pixel compares: its logarithm, so that equal contrasts are equal steps.

    level = log(x + dark)

    Args:
        x: intensities between 0 and 1, [...].
        dark: the light that a pixel sees where there is none, positive: it limits how dark a dark grey can be.

    Returns:
        level, [...]. A step of log 2 = 0.69 is twice the light.

    Raises:
        TypeError: x not a floating-point tensor, dark not a number.
        ValueError: x outside [0, 1], dark not positive.

    Source: Lichtsteiner, Posch and Delbruck (2008), doi:10.1109/JSSC.2007.914337, the logarithmic photoreceptor.

    >>> level = log_intensity(torch.tensor([[0.1, 0.35, 0.85]]))
    >>> level.diff().round(decimals=2).tolist()                      # 0.25, 0.5 and 1 with the dark: twice, and twice again
    [[0.6899999976158142, 0.6899999976158142]]
    """
    check_intensity("log_intensity", x)
    check_numbers("log_intensity", above=0, dark=dark)
    return (x + float(dark)).log()


def negative(x, dark=0.15):
    """Make the negative of a picture, so that every step of its logarithm changes its sign and nothing else.

    log(y + dark) = log(dark) + log(1 + dark) - log(x + dark)

    Args:
        x: intensities between 0 and 1, [...].
        dark: as in `log_intensity`, positive.

    Returns:
        y, between 0 and 1, [...]; its events are those of x with the other polarity.

    Raises:
        TypeError: x not a floating-point tensor, dark not a number.
        ValueError: x outside [0, 1], dark not positive.

    Source: the mirror image of `log_intensity` between black and white.

    >>> negative(torch.tensor([[0.0, 1.0]])).tolist()
    [[1.0, 0.0]]
    """
    check_intensity("negative", x)
    check_numbers("negative", above=0, dark=dark)
    return (dark * (1 + dark) / (x + float(dark)) - dark).clamp(0, 1)


def pixel_thresholds(size, threshold=0.25, mismatch=0.03, generator=None):
    """Make the pixels of one camera: each has a threshold for darker and one for brighter, none quite like its neighbour's.

    C[p, y, x] = threshold + mismatch * standard normal,    at least threshold / 10

    Args:
        size: (H, W), the pixels of the sensor.
        threshold: contrast threshold in units of the natural logarithm, positive; 0.25 is 28 % more light.
        mismatch: standard deviation over pixels, in the same units, 0 or more.
        generator: torch.Generator of the camera; torch's global one by default.

    Returns:
        C, [2, H, W]: first the thresholds of polarity 0 (darker), then those of polarity 1 (brighter).

    Raises:
        TypeError: size no pair, threshold or mismatch not a number, generator not a torch.Generator.
        ValueError: size not of whole numbers of at least 1, threshold not positive, mismatch negative.

    Source: Hu, Liu and Delbruck (2021), arXiv:2006.07722, section III.

    >>> pixels = pixel_thresholds((34, 34), 0.25, 0.03, torch.Generator().manual_seed(0))
    >>> pixels.shape, round(pixels.mean().item(), 2), round(pixels.std().item(), 2)
    (torch.Size([2, 34, 34]), 0.25, 0.03)
    """
    check_size("pixel_thresholds", size)
    check_affordable("pixel_thresholds", "size", 2, *size)
    check_numbers("pixel_thresholds", above=0, threshold=threshold)
    check_numbers("pixel_thresholds", low=0, mismatch=mismatch)
    check_generator("pixel_thresholds", generator)
    spread = torch.randn(2, *map(int, size), generator=generator)
    return (float(threshold) + float(mismatch) * spread).clamp(min=float(threshold) / 10)


def _check_pixels(owner, thresholds, like_name, like):
    check_shape(owner, "thresholds", thresholds, (2, *like.shape[-2:]), f"as {like_name} has pixels",
                " Make them with pixel_thresholds(size).")
    check_that(owner, thresholds.is_floating_point(), f"thresholds must be floating point, got {thresholds.dtype}. Convert "
               "with thresholds.float().", TypeError)
    check_dtype(owner, "thresholds", thresholds, like_name, like)
    check_finite(owner, "thresholds", thresholds, "Make them with pixel_thresholds(size).")
    check_that(owner, bool((thresholds > 0).all()), f"thresholds must be positive, got {thresholds.min().item():g}.")


def camera_step(level, memory, thresholds):
    """Let every pixel compare what it sees with what it remembers, and say how often that crossed its threshold.

    n[p] = floor(change / C[p]) of the side p to which level - memory points, 0 of the other
    memory <- memory + n[1] C[1] - n[0] C[0]

    Args:
        level: logarithm of the light now, [..., H, W], from `log_intensity`.
        memory: the level that each pixel remembers, [..., H, W]; at first the first picture.
        thresholds: C, [2, H, W], from `pixel_thresholds`.

    Returns:
        (counts, memory): events [..., 2, H, W], polarity 0 (darker) first, and what is remembered now, [..., H, W]. What has
        not crossed a threshold stays in level - memory: a slow change is not lost.

    Raises:
        TypeError: an argument that is no floating-point tensor, types of numbers that differ.
        ValueError: shapes that differ, NaN or infinity, thresholds not positive.

    Source: Hu, Liu and Delbruck (2021), arXiv:2006.07722, section III; send-on-delta.

    >>> pixels = torch.full((2, 1, 2), 0.25)
    >>> counts, memory = camera_step(torch.tensor([[0.6, -0.3]]), torch.zeros(1, 2), pixels)
    >>> counts[1].tolist(), counts[0].tolist(), memory.tolist()      # brighter, darker
    ([[2.0, 0.0]], [[0.0, 1.0]], [[0.5, -0.25]])
    """
    check_signal("camera_step", "level", level, layout="[..., H, W]", min_dims=2)
    check_shape("camera_step", "memory", memory, level.shape, "like level")
    check_dtype("camera_step", "memory", memory, "level", level)
    check_finite("camera_step", "level", level)
    check_finite("camera_step", "memory", memory)
    _check_pixels("camera_step", thresholds, "level", level)
    return _compare(level, memory, thresholds)


def _compare(level, memory, thresholds):
    change = level - memory                                                               # [..., H, W]
    counts = torch.stack([-change, change], -3).clamp_(min=0).div_(thresholds).floor_()   # [..., 2, H, W]
    darker, brighter = (counts * thresholds).unbind(-3)
    return counts, memory + brighter - darker


def film_to_counts(film, thresholds, *, dark=0.15, noise=0.0, generator=None):
    """Film a batch of scenes with one camera, and count the events of each pixel from frame to frame.

    counts[n] = camera_step(log(film[n+1] + dark), memory, C) + Poisson(noise),    memory = log(film[0] + dark) at first

    Where within a step an event happens is left open, and no pixel is ever blind: for that use `film_to_events`.

    Args:
        film: intensities between 0 and 1, [T + 1, ..., H, W], such as [T + 1, B, H, W].
        thresholds: C, [2, H, W], from `pixel_thresholds`.
        dark: as in `log_intensity`, positive.
        noise: events that a pixel makes up in a step, on average, half of each polarity.
        generator: torch.Generator of the noise; torch's global one by default.

    Returns:
        counts, [T, ..., 2, H, W], ready for a network.

    Raises:
        TypeError: film or thresholds not floating-point tensors, a number that is none, generator not a torch.Generator.
        ValueError: film not [T + 1, ..., H, W] of intensities, thresholds of another shape, dark not positive, noise negative.

    Source: Hu, Liu and Delbruck (2021), arXiv:2006.07722, section III.

    >>> brighter = torch.tensor([0.1, 0.35, 0.85, 0.85]).view(4, 1, 1, 1)
    >>> film_to_counts(brighter, torch.full((2, 1, 1), 0.3))[:, 0, 1].flatten().tolist()
    [2.0, 2.0, 0.0]
    """
    check_signal("film_to_counts", "film", film, layout="[T + 1, ..., H, W]", min_dims=3)
    check_that("film_to_counts", len(film) > 1, "film must have two frames or more: events are changes.")
    _check_light("film_to_counts", film, dark)
    _check_pixels("film_to_counts", thresholds, "film", film)
    check_numbers("film_to_counts", low=0, high=1000, noise=noise)
    check_generator("film_to_counts", generator)
    memory, counts = (film[0] + float(dark)).log(), []
    for frame in film[1:]:
        now, memory = _compare((frame + float(dark)).log(), memory, thresholds)
        counts.append(now)
    counts = torch.stack(counts)
    if noise:
        counts += torch.poisson(torch.full_like(counts, float(noise) / 2), generator=generator)
    return counts


def _check_light(owner, film, dark):
    check_that(owner, bool(((film >= 0) & (film <= 1)).all()),
               f"film must hold intensities between 0 and 1, got {film.min():g} to {film.max():g}. For pictures of 0 to 255 "
               "divide by 255.")
    check_numbers(owner, above=0, dark=dark)


def film_to_events(film, frame_us, thresholds, *, dark=0.15, refractory_us=0.0, leak_hz=0.0, noise_hz=0.0, start="fresh",
                   generator=None):
    """Film one scene, and list its events: each pixel on its own clock, to the microsecond.

    d change/dt = d log(I + dark)/dt + leak_hz C[1];    an event where change = C[1] or -C[0]; then change = 0, and the pixel
    is blind for refractory_us, after which it remembers what it then sees

    Between two frames the logarithm of the light is a straight line, so that the time of each event is exact. On a line of
    slope s a pixel fires s / (C + s refractory) times a unit of time.

    Args:
        film: intensities between 0 and 1, [T + 1, H, W].
        frame_us: time from frame to frame in microseconds, a whole number of at least 1.
        thresholds: C, [2, H, W], from `pixel_thresholds`.
        dark: as in `log_intensity`, positive.
        refractory_us: time in microseconds for which a pixel is blind after an event.
        leak_hz: events per second that a pixel sends (all of them brighter) because its memory leaks, if nothing moves.
        noise_hz: events per second that a pixel makes up, half of each polarity; its memory does not notice.
        start: "fresh": all pixels remember the first frame; "spread": their changes lie anywhere between 0 and C[1], as those
            of a camera that leaks have come to lie.
        generator: torch.Generator of noise and start; torch's global one by default.

    Returns:
        events, int64 [K, 4] of rows (t, x, y, p), sorted by t; t in microseconds from the first frame, rounded down.

    Raises:
        TypeError: film or thresholds not floating-point tensors, a number that is none, generator not a torch.Generator.
        ValueError: film not [T + 1, H, W] of intensities, thresholds of another shape, frame_us not whole, dark not positive, a
            time or a rate negative, start unknown, more events than a recording can mean.

    Source: Hu, Liu and Delbruck (2021), arXiv:2006.07722, section III, without its finite bandwidth.

    >>> brighter = torch.tensor([0.1, 0.35, 0.85]).view(3, 1, 1)         # log 2 more a frame
    >>> film_to_events(brighter, 1000, torch.full((2, 1, 1), 0.3)).tolist()
    [[432, 0, 0, 1], [865, 0, 0, 1], [1298, 0, 0, 1], [1731, 0, 0, 1]]
    """
    check_signal("film_to_events", "film", film, layout="[T + 1, H, W]", dims=3)
    check_that("film_to_events", len(film) > 1, "film must have two frames or more: events are changes.")
    _check_light("film_to_events", film, dark)
    _check_pixels("film_to_events", thresholds, "film", film)
    check_whole("film_to_events", high=10**12, frame_us=frame_us)
    check_numbers("film_to_events", low=0, high=1e12, refractory_us=refractory_us)
    check_numbers("film_to_events", low=0, high=1e6, leak_hz=leak_hz, noise_hz=noise_hz)
    check_option("film_to_events", "start", start, STARTS)
    check_generator("film_to_events", generator)
    check_that("film_to_events", _expected_events(film, int(frame_us), thresholds, dark, leak_hz + noise_hz) <= MOST_EVENTS,
               "film, thresholds and rates ask for more events than one recording can mean.")
    level, thresholds = (film.double() + float(dark)).log(), thresholds.double()          # [T + 1, H, W], [2, H, W]
    brighter = thresholds[1]
    change = torch.zeros_like(brighter)
    if start == "spread":
        change = brighter * torch.rand(brighter.shape, generator=generator, dtype=torch.float64)
    slopes = level.diff(dim=0) / int(frame_us) + float(leak_hz) * 1e-6 * brighter          # [T, H, W], a microsecond
    free, found = torch.zeros_like(brighter), []                                            # when each pixel sees again
    for number, slope in enumerate(slopes):
        change, free, events = _one_frame(change, free, slope, thresholds, number * int(frame_us), int(frame_us), refractory_us)
        found += events
    if noise_hz:
        found.append(_made_up(film.shape[1:], len(slopes) * int(frame_us), noise_hz, generator))
    events = torch.cat(found) if found else torch.zeros(0, 4, dtype=torch.int64)
    return events[events[:, 0].argsort(stable=True)]


def _expected_events(film, frame_us, thresholds, dark, rate):
    """About how many events a film gives, without blind times."""
    swing = (film[1:] + dark).log_().sub_((film[:-1] + dark).log()).abs().sum(0) / thresholds.amin(0)
    return swing.sum().item() + film[0].numel() * (len(film) - 1) * frame_us * 1e-6 * rate


def _one_frame(change, free, slope, thresholds, begin, frame_us, refractory_us):
    """Follow all pixels through a frame in which the logarithm of the light is a line: [H, W] each, and lists of events."""
    now, end, found = torch.full_like(change, float(begin)), float(begin + frame_us), []
    bound = torch.where(slope > 0, thresholds[1], -thresholds[0])
    while True:
        blind = free > now
        now, change = torch.where(blind, free, now), torch.where(blind, 0.0, change)      # sees again, remembers that moment
        when = now + (bound - change) / slope                                             # nan and inf where nothing changes
        fires = (when <= end) & (now < end) & (slope != 0)
        if not bool(fires.any()):
            return change + slope * (end - now).clamp(min=0), free, found
        y, x = fires.nonzero(as_tuple=True)                                               # [k] each
        found.append(torch.stack([when[y, x].long(), x, y, (slope[y, x] > 0).long()], 1))
        now, change = torch.where(fires, when, now), torch.where(fires, 0.0, change)
        free = torch.where(fires, when + float(refractory_us), free)


def noise_events(size, duration_us, noise_hz, generator=None):
    """Make up the events of pixels that see nothing: each fires by chance, at any time, with either polarity.

    number = Poisson(noise_hz * duration * H * W),    times and pixels uniform, polarity a coin

    Args:
        size: (H, W), the pixels of the sensor.
        duration_us: length of the recording in microseconds, a whole number of at least 1.
        noise_hz: events per second and pixel, 0 or more.
        generator: torch.Generator of the dice; torch's global one by default.

    Returns:
        events, int64 [K, 4] of rows (t, x, y, p), sorted by t.

    Raises:
        TypeError: size no pair, noise_hz not a number, generator not a torch.Generator.
        ValueError: size or duration_us not whole, noise_hz negative, more events than a recording can mean.

    Source: Hu, Liu and Delbruck (2021), arXiv:2006.07722, shot noise, here at one rate for all light.

    >>> events = noise_events((20, 20), 1_000_000, 5.0, torch.Generator().manual_seed(0))
    >>> 1850 < len(events) < 2150, int(events[-1, 0]) < 1_000_000
    (True, True)
    """
    check_size("noise_events", size)
    check_affordable("noise_events", "size", 2, *size)
    check_whole("noise_events", high=10**15, duration_us=duration_us)
    check_numbers("noise_events", low=0, high=1e6, noise_hz=noise_hz)
    check_generator("noise_events", generator)
    check_that("noise_events", math.prod(map(int, size)) * int(duration_us) * 1e-6 * float(noise_hz) <= MOST_EVENTS,
               "size, noise_hz and duration_us ask for more events than one recording can mean.")
    made = _made_up(size, int(duration_us), noise_hz, generator)
    return made[made[:, 0].argsort(stable=True)]


def _made_up(size, duration_us, rate, generator):
    mean = math.prod(map(int, size)) * duration_us * 1e-6 * float(rate)
    count = int(torch.poisson(torch.tensor(mean, dtype=torch.float64), generator=generator))
    highs = duration_us, int(size[1]), int(size[0]), 2
    return torch.stack([torch.randint(0, high, (count,), generator=generator) for high in highs], 1)


def saccade_path(num_steps, reach=3.5):
    """Move the gaze as N-MNIST does: three quick moves round a triangle, each from rest to rest, and back to where it began.

    offset = corner + (next corner - corner) (1 - cos(pi s)) / 2,    s from 0 to 1 within a move

    Args:
        num_steps: number of time steps T, a multiple of 3.
        reach: pixels from one corner of the triangle to the next, along x; it is as high.

    Returns:
        path, [T + 1, 2] of offsets (down, right) in pixels: one more than steps, the first and the last are 0.

    Raises:
        TypeError: reach not a number.
        ValueError: num_steps not a multiple of 3.

    Source: after Orchard et al. (2015), doi:10.3389/fnins.2015.00437; the corners and the speed are ours.

    >>> path = saccade_path(30, reach=3.5)
    >>> path.shape, path[10].tolist(), path[20].tolist(), path[30].tolist()
    (torch.Size([31, 2]), [3.5, 1.75], [0.0, 3.5], [0.0, 0.0])
    """
    check_whole("saccade_path", low=3, high=10**6, num_steps=num_steps)
    check_that("saccade_path", int(num_steps) % 3 == 0, f"num_steps must be a multiple of 3, three moves, got {num_steps}.")
    check_numbers("saccade_path", low=-1e4, high=1e4, reach=reach)
    corners = float(reach) * torch.tensor([[0.0, 0.0], [1.0, 0.5], [0.0, 1.0], [0.0, 0.0]])
    share = (1 - torch.cos(math.pi * torch.arange(1, int(num_steps) // 3 + 1) / (int(num_steps) // 3))) / 2
    moves = corners[:-1, None] + (corners[1:] - corners[:-1])[:, None] * share[:, None]    # [3, T / 3, 2]
    return torch.cat([corners[:1], moves.flatten(0, 1)])


def straight_path(direction, num_steps, speed=1.0):
    """Move a picture in one of eight directions at a steady speed, half of the way before the middle and half after.

    offset[n] = (n - T / 2) speed (sin a, cos a),    a = direction * 45 degrees

    Args:
        direction: 0 (right), 1 (right and down), 2 (down), ... 7 (right and up); direction + 4 is the opposite.
        num_steps: number of time steps T, at least 1.
        speed: pixels per step.

    Returns:
        path, [T + 1, 2] of offsets (down, right) in pixels.

    Raises:
        TypeError: speed not a number.
        ValueError: direction not from 0 to 7, num_steps less than 1.

    Source: a plain choice; all eight are equally fast.

    >>> straight_path(2, 2, speed=1.5)[:, 0].tolist()                    # down
    [-1.5, 0.0, 1.5]
    """
    check_whole("straight_path", low=0, high=7, direction=direction)
    check_whole("straight_path", high=10**6, num_steps=num_steps)
    check_numbers("straight_path", low=-1e4, high=1e4, speed=speed)
    angle = int(direction) * math.pi / 4
    way = float(speed) * torch.tensor([math.sin(angle), math.cos(angle)])
    return (torch.arange(int(num_steps) + 1) - int(num_steps) / 2)[:, None] * way


def move(images, path, size):
    """Film pictures that move along a path before a camera, between pixels by linear interpolation.

    film[n, b] = A(down[n]) images[b] A(right[n])^T,    A[i, j] = max(0, 1 - abs(i - j - margin - offset))

    Args:
        images: intensities, [B, h, w].
        path: offsets (down, right) in pixels, [T + 1, 2], such as `saccade_path` gives.
        size: (H, W), the pixels of the camera; the picture lies in its middle where the offset is 0, and outside it is black.

    Returns:
        film, [T + 1, B, H, W].

    Raises:
        TypeError: images or path not floating-point tensors of one type.
        ValueError: images not [B, h, w], path not [T + 1, 2], NaN or infinity in them, size not of whole numbers.

    Source: bilinear interpolation, written as two products.

    >>> film = move(torch.ones(1, 2, 2), torch.tensor([[0.0, 0.0], [0.0, 0.5]]), (2, 4))
    >>> film[:, 0, 0].tolist()
    [[0.0, 1.0, 1.0, 0.0], [0.0, 0.5, 1.0, 0.5]]
    """
    check_signal("move", "images", images, layout="[B, h, w]", dims=3)
    check_signal("move", "path", path, layout="[T + 1, 2]", dims=2)
    check_that("move", path.shape[1] == 2, f"path must be [T + 1, 2] of offsets (down, right), got shape {tuple(path.shape)}.")
    check_dtype("move", "path", path, "images", images)
    check_finite("move", "images", images)
    check_finite("move", "path", path)
    check_size("move", size)
    check_affordable("move", "path", len(path), len(images), *size)
    down, right = (_tent(path[:, axis], int(size[axis]), images.shape[1 + axis]) for axis in (0, 1))
    return down[:, None] @ images @ right[:, None].transpose(-1, -2)                       # [T + 1, B, H, W]


def _tent(offset, length, pixels):
    """The matrices that move a row of pixels by an offset: [T + 1, length, pixels]."""
    check_affordable("move", "path", len(offset), length, pixels)
    place = torch.arange(length, dtype=offset.dtype)[:, None] - torch.arange(pixels) - (length - pixels) // 2
    return (1 - (place - offset.view(-1, 1, 1)).abs()).clamp(min=0)
