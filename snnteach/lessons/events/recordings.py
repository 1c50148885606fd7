"""The two sets of recordings of notebook 19, made from MNIST by the camera of `snnteach.event_camera`, and who reads them."""
import math

import torch
import torch.nn.functional as F
from torch import nn

from ...deep import OverTime, SpikingStack
from ...event_camera import (
    film_to_counts,
    film_to_events,
    move,
    negative,
    noise_events,
    pixel_thresholds,
    saccade_path,
    straight_path,
)
from ...kernels import low_pass
from ...losses import ce_membrane_loss
from ...networks import Record, SpikingMLP
from ...neurons import LIF
from ...training import fit, predict

SENSOR, BINS = (34, 34), 15                                        # of the saccades; a bin is 20 ms of 300
WINDOW, STEPS, SPEEDS = (14, 14), 16, (0.2, 0.3, 0.4)              # of the directions; pixels a step
NOISE = 1e-3                                                       # events that a pixel makes up in a step


def camera(size, seed):
    """One camera: thresholds of 0.25, a spread of 0.03 between its pixels."""
    return pixel_thresholds(size, 0.25, 0.03, torch.Generator().manual_seed(1000 + seed))


def saccades(images, pixels, seed, look=film_to_counts):
    """Mini N-MNIST: digits uint8 [n, 28, 28] under three saccades, as counts uint8 [n, 15, 2, 34, 34]."""
    path, generator = saccade_path(2 * BINS), torch.Generator().manual_seed(seed)
    parts = []
    for some in images.split(250):
        film = move(some.float() / 255, path, SENSOR).clamp(0, 1)                        # [31, 250, 34, 34]
        counts = look(film, pixels, noise=NOISE, generator=generator)                    # [30, 250, 2, 34, 34]
        parts.append(counts.unflatten(0, (BINS, 2)).sum(1).transpose(0, 1).clamp(max=255).to(torch.uint8))
    return torch.cat(parts)


def fields(images, num, generator):
    """Wallpapers of four digits each, turned and mirrored by chance, every other one a negative, [num, 40, 40]."""
    tiles = images[torch.randint(len(images), (num, 4), generator=generator), 4:24, 4:24].float() / 255
    papers = tiles.view(num, 2, 2, 20, 20).permute(0, 1, 3, 2, 4).reshape(num, 40, 40)
    turns, shifts = (torch.randint(high, (num, *more), generator=generator) for high, more in ((8, ()), (40, (2,))))
    made = [torch.rot90(paper.T if turn > 3 else paper, turn % 4).roll(shift, (0, 1))
            for paper, turn, shift in zip(papers, turns.tolist(), shifts.tolist(), strict=True)]
    papers, dark = torch.stack(made), torch.rand(num, generator=generator) < 0.5
    return torch.where(dark[:, None, None], negative(papers), papers)


def directions(images, num, pixels, seed):
    """Wallpapers that pass a window in eight directions at three speeds: counts uint8 [num, 16, 2, 14, 14], and classes."""
    generator = torch.Generator().manual_seed(seed)
    papers, order = fields(images, num, generator), torch.arange(num)
    counts = torch.zeros(num, STEPS, 2, *WINDOW, dtype=torch.uint8)
    for kind in range(24):
        film = move(papers[kind::24], straight_path(kind % 8, STEPS, SPEEDS[kind // 8]), WINDOW).clamp(0, 1)
        some = film_to_counts(film, pixels, noise=NOISE, generator=generator)
        counts[kind::24] = some.transpose(0, 1).clamp(max=255).to(torch.uint8)
    return counts, order % 8


def shuffled(counts, seed):
    """Put the bins of each recording in an order of its own: every count stays, time is lost."""
    order = torch.rand(counts.shape[:2], generator=torch.Generator().manual_seed(seed)).argsort(1)
    return counts[torch.arange(len(counts))[:, None], order]


def shuffled_within(counts, seed, parts=3):
    """Shuffle the bins of each recording within each of its parts, and keep the parts in order."""
    return torch.cat([shuffled(part, seed + place) for place, part in enumerate(counts.chunk(parts, 1))], 1)


def seeded(make, seed):
    """Build a network whose weights the seed draws."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return make()


# Readers that know no time

class Still(nn.Module):
    """A network without time for `fit`: one step, and no spikes."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        """Run over x [1, B, ...]."""
        return [Record(None, self.layers(x[0])[None])]


def linear(inputs, classes):
    """A linear model of sums."""
    return Still(nn.Flatten(), nn.Linear(inputs, classes))


def hidden(inputs, classes):
    """The same with a hidden layer of 100 rectified units."""
    return Still(nn.Flatten(), nn.Linear(inputs, 100), nn.ReLU(), nn.Linear(100, classes))


def convolution(channels=2, classes=8):
    """Two convolutions over the sums, or over all steps side by side as channels, and the mean of their maps."""
    return Still(nn.Conv2d(channels, 32, 5), nn.ReLU(), nn.Conv2d(32, 32, 3, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
                 nn.Flatten(), nn.Linear(32, classes))


def answer_still(net, train, targets, test, seed, epochs=10, learning_rate=1e-3):
    """Train a reader of sums [n, ...], standardised by the training set, and return its answers for the test set."""
    mean, std = train.mean(0), train.std(0) + 0.1 * train.std()
    train, test = (train - mean) / std, (test - mean) / std
    fit(net, train, targets, loss=lambda records, y: ce_membrane_loss(records[-1].mem, y), encode=lambda x: x[None],
        epochs=epochs, batch_size=64, learning_rate=learning_rate, weight_decay=1e-2, seed=seed)
    return predict(net, test, encode=lambda x: x[None], read=lambda record: record.mem[-1].argmax(1))


# Readers that spike

def pooled(counts):
    """Sum the counts of two by two pixels: [..., 34, 34] becomes [..., 17, 17]."""
    return 4 * F.avg_pool2d(counts.float().flatten(0, -4), 2).unflatten(0, counts.shape[:-3])


def flat_steps(x):
    """Recordings [B, T, 2, 34, 34] as currents of a network, [T, B, 578], small ones."""
    return 0.25 * pooled(x).flatten(2).transpose(0, 1)


def digit_net():
    """578-100-10: leaky neurons, a last layer that never fires."""
    return SpikingMLP((578, 100, 10), readout="membrane")


def two_traces(x):
    """What each event leaves behind, for a short and for a longer time: [B, T, 2, H, W] becomes [T, B, 4, H, W]."""
    spk = (x > 0).float().transpose(0, 1)
    return torch.cat([0.5 * low_pass(spk, 0.5), 0.3 * low_pass(spk, 0.8)], 2)


def no_trace(x):
    """Control: the events of the present bin alone, twice."""
    spk = (x > 0).float().transpose(0, 1)
    return torch.cat([0.5 * spk, 0.3 * spk], 2)


def motion_net(beta=0.7, channels=32):
    """A layer of 32 spiking filters of 5 by 5, the same everywhere; how many of each fire is what the output hears."""
    return SpikingStack([OverTime(nn.Conv2d(4, channels, 5, stride=2)), LIF(beta), OverTime(lambda spk: spk.sum((2, 3)) / 4),
                         OverTime(nn.Linear(channels, 8)), LIF(0.95, math.inf, reset="none")])


def mean_membrane(record):
    """Name the class with the highest potential over time."""
    return record.mem.sum(0).argmax(1)


def train(net, counts, targets, encode, seed, epochs, learning_rate=1e-2):
    """Train a spiking network on recordings [n, T, 2, H, W] by the mean membrane of its outputs."""
    return fit(net, counts, targets, loss=lambda records, y: ce_membrane_loss(records[-1].mem / len(records[-1].mem), y),
               encode=encode, epochs=epochs, batch_size=64, learning_rate=learning_rate, seed=seed)


def answers(net, counts, encode):
    """Return the classes that a trained network names."""
    return predict(net, counts, encode=encode, read=mean_membrane)


# Lists with noise, for the filters

def noisy_list(image, pixels, noise_hz, seed):
    """One digit uint8 [28, 28] under three saccades of 100 ms: (events [K, 4] with noise, which of them are signal [K])."""
    film = move(image[None].float() / 255, saccade_path(60), SENSOR).clamp(0, 1)[:, 0]
    signal = film_to_events(film, 5000, pixels, refractory_us=500)
    noise = noise_events(SENSOR, 300_000, noise_hz, torch.Generator().manual_seed(seed))
    events = torch.cat([signal, noise])
    order = events[:, 0].argsort(stable=True)
    return events[order], order < len(signal)


def from_hot_pixels(events, signal, seed, hot=6):
    """Control: as much noise at the same times, out of a few hot pixels drawn by chance instead of all."""
    generator, moved, noise = torch.Generator().manual_seed(seed), events.clone(), ~signal
    places = torch.randperm(SENSOR[0] * SENSOR[1], generator=generator)[:hot]
    chosen = places[torch.randint(hot, (int(noise.sum()),), generator=generator)]
    moved[noise, 1], moved[noise, 2] = chosen % SENSOR[1], chosen // SENSOR[1]
    return moved, signal


def kept_shares(keep, lists):
    """Run a filter, events -> bool [K], over (events, signal) lists: the shares of signal and of noise that it keeps."""
    kept = [(keep(events), signal) for events, signal in lists]
    return tuple(sum(int((one & part).sum()) for one, part in pairs) / sum(int(part.sum()) for _, part in pairs)
                 for pairs in (kept, [(one, ~signal) for one, signal in kept]))
