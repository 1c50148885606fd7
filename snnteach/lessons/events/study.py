"""The long runs of notebook 19: who reads digits under saccades and directions of motion, and what filters keep.

Learning rates, epochs and sizes were chosen on held-out training images; the test recordings are made of test images. A seed
draws the camera, the recordings' noise and the networks' weights.
"""
from functools import cache, partial

from ...data import mnist5k
from ...events import background_filter, refractory_filter
from ..kinds import AMOUNT, SHARE
from .recordings import (
    SENSOR,
    WINDOW,
    answer_still,
    answers,
    camera,
    convolution,
    digit_net,
    directions,
    flat_steps,
    from_hot_pixels,
    hidden,
    kept_shares,
    linear,
    motion_net,
    no_trace,
    noisy_list,
    pooled,
    saccades,
    seeded,
    shuffled,
    shuffled_within,
    train,
    two_traces,
)

SEEDS = (0, 1, 2)
TOLERANCE = 0.03
QUANTITIES = {"*: events": AMOUNT, "*": SHARE}

WINDOWS = (1, 2, 5, 10, 20, 50)                                    # of the background filter, ms


def right(one, other):
    """The share of equal classes."""
    return (one == other).double().mean().item()


@cache
def digits_moved(seed):
    """4000 training digits and every fifth of the 10,000 test digits under saccades, before one camera."""
    data, pixels = mnist5k(), camera(SENSOR, seed)
    return (saccades(data.train_images[:4000], pixels, 10 * seed), data.train_labels[:4000],
            saccades(data.test_images[::5], pixels, 10 * seed + 1), data.test_labels[::5])


@cache
def fields_moved(seed):
    """2400 training and 1200 test recordings of eight directions, before one camera."""
    data, pixels = mnist5k(), camera(WINDOW, seed)
    return (*directions(data.train_images, 2400, pixels, 10 * seed), *directions(data.test_images, 1200, pixels, 10 * seed + 1))


def sums_of_digits(seed):
    """A row: who knows no time, on counts summed over the recording and on the pictures themselves."""
    counts, targets, test, wanted = digits_moved(seed)
    data = mnist5k()
    sums, test_sums = counts.float().sum(1), test.float().sum(1)
    few, test_few = pooled(counts).sum(1), pooled(test).sum(1)
    total = test_sums.sum((1, 2, 3))
    found = {"events": total.mean().item(), "brighter": (test_sums[:, 1].sum() / total.sum()).item()}
    for name, make, inputs in (("linear", partial(linear, 2312, 10), (sums, test_sums)),
                               ("linear, 2 by 2 summed", partial(linear, 578, 10), (few, test_few)),
                               ("hidden, 2 by 2 summed", partial(hidden, 578, 10), (few, test_few)),
                               ("linear, pictures", partial(linear, 784, 10),
                                (data.train_images[:4000].float(), data.test_images[::5].float()))):
        found[name] = right(answer_still(seeded(make, seed), inputs[0], targets, inputs[1], seed), wanted)
    return found


def spiking_digits(seed):
    """A row: the spiking network on the same recordings, as they are and with its bins shuffled; trained on shuffled ones."""
    counts, targets, test, wanted = digits_moved(seed)
    net, blind = seeded(digit_net, seed), seeded(digit_net, seed)
    train(net, counts, targets, flat_steps, seed, epochs=6)
    train(blind, shuffled(counts, seed), targets, flat_steps, seed, epochs=6)
    mixed = shuffled(test, 100 + seed)
    return {"in order": right(answers(net, test, flat_steps), wanted),
            "shuffled": right(answers(net, mixed, flat_steps), wanted),
            "backwards": right(answers(net, test.flip(1), flat_steps), wanted),
            "trained and tested shuffled": right(answers(blind, mixed, flat_steps), wanted)}


def sums_of_saccades(seed):
    """Control, a row: who knows three sums, one a saccade, and nothing of time within them."""
    counts, targets, test, wanted = digits_moved(seed)
    sums, test_sums = (pooled(part.unflatten(1, (3, 5)).sum(2)) for part in (counts, test))
    return {name: right(answer_still(seeded(partial(make, 3 * 578, 10), seed), sums, targets, test_sums, seed), wanted)
            for name, make in (("linear", linear), ("hidden", hidden))}


def within_saccades(seed):
    """Control, a row: the spiking network, trained and tested on recordings whose bins are shuffled within each saccade."""
    counts, targets, test, wanted = digits_moved(seed)
    net = seeded(digit_net, seed)
    train(net, shuffled_within(counts, 300 + seed), targets, flat_steps, seed, epochs=6)
    return {"accuracy": right(answers(net, shuffled_within(test, 400 + seed), flat_steps), wanted)}


def still_directions(seed):
    """Controls, a row: who knows no time, on the summed counts of the eight directions."""
    counts, targets, test, wanted = fields_moved(seed)
    sums, test_sums = counts.float().sum(1), test.float().sum(1)
    found = {"events": test_sums.sum((1, 2, 3)).mean().item()}
    for name, make, more in (("linear", partial(linear, sums[0].numel(), 8), {}),
                             ("convolution", convolution, {"learning_rate": 3e-3})):
        said = answer_still(seeded(make, seed), sums, targets, test_sums, seed, **more)
        found |= {name: right(said, wanted), f"{name}, axis": right(said % 4, wanted % 4)}
        found[f"{name}, way on the right axis"] = right(said[said % 4 == wanted % 4], wanted[said % 4 == wanted % 4])
    return found


def steps_side_by_side(seed):
    """Control, a row: who sees all 16 steps at once, as so many pictures, and has neither spikes nor memory."""
    counts, targets, test, wanted = fields_moved(seed)
    counts, test = counts.float().flatten(1, 2), test.float().flatten(1, 2)              # [n, 32, 14, 14]
    found = {}
    for name, make, more in (("linear", partial(linear, counts[0].numel(), 8), {}),
                             ("convolution", partial(convolution, 32), {"learning_rate": 3e-3})):
        said = answer_still(seeded(make, seed), counts, targets, test, seed, **more)
        found |= {name: right(said, wanted), f"{name}, the opposite": right(said, (wanted + 4) % 8)}
    return found


def spiking_directions(beta, encode, seed):
    """A row: the spiking filters, forwards, backwards and shuffled; with beta 0 and no trace nothing of them remembers."""
    counts, targets, test, wanted = fields_moved(seed)
    net = seeded(partial(motion_net, beta), seed)
    train(net, counts, targets, encode, seed, epochs=8, learning_rate=2e-2)
    found = {}
    for name, films in (("forwards", test), ("backwards", test.flip(1)), ("backwards, polarity turned", test.flip(1, 2)),
                        ("shuffled", shuffled(test, 100 + seed))):
        said = answers(net, films, encode)
        found |= {name: right(said, wanted), f"{name}, the opposite": right(said, (wanted + 4) % 8),
                  f"{name}, axis": right(said % 4, wanted % 4)}
    return found


def shuffled_directions(seed):
    """Control, a row: the spiking filters, trained and tested on recordings whose steps are shuffled."""
    counts, targets, test, wanted = fields_moved(seed)
    net = seeded(motion_net, seed)
    train(net, shuffled(counts, 300 + seed), targets, two_traces, seed, epochs=8, learning_rate=2e-2)
    said = answers(net, shuffled(test, 100 + seed), two_traces)
    return {"label": right(said, wanted), "opposite": right(said, (wanted + 4) % 8), "axis": right(said % 4, wanted % 4)}


def sums_of_shuffled(seed):
    """Control, a row: the linear model on three sums of steps that were shuffled: as many inputs, no saccades in them."""
    counts, targets, test, wanted = digits_moved(seed)
    sums, test_sums = (pooled(shuffled(part, more + seed).unflatten(1, (3, 5)).sum(2))
                       for part, more in ((counts, 300), (test, 100)))
    net = seeded(partial(linear, 3 * 578, 10), seed)
    return {"linear": right(answer_still(net, sums, targets, test_sums, seed), wanted)}


def filters_of_hot_pixels(seed):
    """Control, a row: as much noise out of six hot pixels of each list, of 10 lists, through both filters."""
    pixels, data = camera(SENSOR, seed), mnist5k()
    lists = [from_hot_pixels(*noisy_list(data.test_images[20 * seed + place], pixels, 5.0, 20 * seed + place), place)
             for place in range(10)]
    found = {}
    for window in WINDOWS[:4]:
        for name, keep in (("background", partial(background_filter, size=SENSOR, window_us=1000 * window)),
                           ("refractory", partial(refractory_filter, size=SENSOR, dead_us=1000 * window))):
            kept = kept_shares(keep, lists)
            found |= {f"{name} {window}: {what}": share for what, share in zip(("signal", "noise"), kept, strict=True)}
    return found


def filters(seed):
    """A row: 20 noisy lists through both filters."""
    pixels, data = camera(SENSOR, seed), mnist5k()
    lists = [noisy_list(data.test_images[20 * seed + place], pixels, 5.0, 20 * seed + place) for place in range(20)]
    found = {}
    for window in WINDOWS:
        kept = kept_shares(partial(background_filter, size=SENSOR, window_us=1000 * window), lists)
        found |= {f"background {window}: {what}": share for what, share in zip(("signal", "noise"), kept, strict=True)}
        kept = kept_shares(partial(refractory_filter, size=SENSOR, dead_us=1000 * window), lists)
        found |= {f"refractory {window}: {what}": share for what, share in zip(("signal", "noise"), kept, strict=True)}
    return found


ROWS = {
    "digits, sums": sums_of_digits,
    "digits, spiking": spiking_digits,
    "digits, three sums": sums_of_saccades,
    "digits, shuffled within": within_saccades,
    "directions, sums": still_directions,
    "directions, all steps": steps_side_by_side,
    "directions, spiking": partial(spiking_directions, 0.7, two_traces),
    "directions, no memory": partial(spiking_directions, 0.0, no_trace),
    "directions, shuffled": shuffled_directions,
    "digits, three sums shuffled": sums_of_shuffled,
    "filters": filters,
    "filters, hot pixels": filters_of_hot_pixels,
}
