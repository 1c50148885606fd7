"""The signals behind notebook 18: trajectories that are new in the test, the spots of the sun, and neurons without a reset."""
from functools import cache
from time import perf_counter

import torch

from ...data.series import sunspots
from ...encoding import population_code
from ...neurons import lif
from ...regression import (
    SpikingRegressor,
    fit_linear,
    lags,
    nrmse,
    parallel_leak,
    sums_of_sines,
)
from ...training import fit

SKIP, LAG = 20, 5                                            # steps before the error counts; the delay of the target
HORIZONS = (1, 3, 6, 12)                                     # months
TRAIN, TEST = 2000, 2300                                     # months: before TRAIN to learn, from TEST on to test
WINDOW = 200                                                 # months in a training window
FIELDS = 16                                                  # neurons that share an input


def trajectories(seed, samples=64, num_steps=170):
    """Signals x [T, B], their code [T, B, 16], and the target x[t] x[t-5] [T, B, 1]."""
    x = sums_of_sines(num_steps, samples, torch.Generator().manual_seed(seed))
    return x, population_code(((x + 3) / 6).clamp(0, 1), FIELDS), (x * x.roll(LAG, 0))[..., None]


def answer(records):
    """What the outputs say, [T, B, C]: their membranes, or their spikes where they fire."""
    out = records[-1]
    return out.mem if out.spk is None else out.spk


def late_error(records, target):
    """Mean squared error after the first steps."""
    return (answer(records)[SKIP:] - target[SKIP:]).square().mean()


def steps_first(x):
    """Batches [B, T, N] as the networks take them, [T, B, N]."""
    return x.transpose(0, 1)


def learned(net, seed, epochs=150):
    """Train a network on 64 trajectories, all in one batch."""
    _, code, target = trajectories(1000 + seed)
    fit(net, steps_first(code), target, loss=late_error, encode=steps_first, epochs=epochs, batch_size=64,
        learning_rate=1e-2, seed=seed)
    return net


def made(seed, inputs=FIELDS, outputs=1, **options):
    """A network of 100 neurons from a seed."""
    return SpikingRegressor(inputs, 100, outputs, generator=torch.Generator().manual_seed(seed), **options)


@torch.no_grad()
def new_error(net, seed):
    """NRMSE on 64 trajectories that were not trained on."""
    _, code, target = trajectories(2000 + seed)
    return nrmse(answer(net(code))[SKIP:], target[SKIP:])


def linear_error(seed):
    """Control: NRMSE of twelve lags and a constant, fitted on the training trajectories, for the product and for the delay."""
    found = {}
    for name, late in (("product", False), ("delay", True)):
        rows, targets = [], []
        for start in (1000, 2000):
            x = trajectories(start + seed)[0]
            target = (x.roll(LAG, 0) if late else x * x.roll(LAG, 0))[SKIP:]
            rows.append(torch.cat([lags(one, 12)[SKIP - 11:] for one in x.T]))
            targets.append(target.T.flatten())
        weight = fit_linear(rows[0], targets[0])
        found[name] = nrmse(rows[1] @ weight, targets[1])
    return found


def quadratic_error(seed):
    """Control: NRMSE of the product by twelve lags, a constant and the 78 products of the lags, as `linear_error` fits."""
    one, other = torch.triu_indices(12, 12)
    rows, targets = [], []
    for start in (1000, 2000):
        x = trajectories(start + seed)[0]
        past = torch.cat([lags(signal, 12)[SKIP - 11:] for signal in x.T])
        rows.append(torch.cat([past, past[:, 1:][:, one] * past[:, 1:][:, other]], 1))
        targets.append((x * x.roll(LAG, 0))[SKIP:].T.flatten())
    return nrmse(rows[1] @ fit_linear(rows[0], targets[0]), targets[1])


@cache
def months():
    """The root of the sunspot numbers, divided by ten, [3120]."""
    return sunspots().sqrt() / 10


def spot_error(prediction, horizon, first=TEST, last=3120):
    """NRMSE in spots of roots [T] said at month t for month t + horizon, over the targets of the test."""
    said = torch.arange(first - horizon, last - horizon)
    spots = (10 * prediction[said].clamp(min=0)).square()
    return nrmse(spots, sunspots()[said + horizon])


def autoregression(count, horizon):
    """Roots that a linear model of the last `count` months says, [T]; the first months, which it cannot say, are NaN."""
    root, rows = months(), lags(months(), count)
    known = TRAIN - horizon - count + 1                      # rows whose target lies in the training months
    weight = fit_linear(rows[:known], root[count - 1 + horizon:TRAIN])
    return torch.cat([torch.full((count - 1,), torch.nan), rows @ weight])


def chosen_autoregression(horizon, counts=(3, 6, 12, 24, 48, 72, 96, 132)):
    """The number of months that predicts best in the 300 months between training and test."""
    return min(counts, key=lambda count: spot_error(autoregression(count, horizon), horizon, TRAIN, TEST))


def forecast(seed, recurrent=True):
    """A row: a network says what a line through the present month leaves over, for all horizons at once; NRMSE in spots."""
    root = months()
    line = torch.stack([autoregression(1, horizon) for horizon in HORIZONS], 1)                  # [T, H]
    ahead = torch.stack([root.roll(-horizon) for horizon in HORIZONS], 1) - line
    size = ahead[:TRAIN - max(HORIZONS)].std(0)
    code, target = population_code((root / 1.65).clamp(0, 1), FIELDS), ahead / size
    starts = range(0, TRAIN - max(HORIZONS) - WINDOW + 1, 12)
    net = made(seed, outputs=len(HORIZONS), tau=(1.0, 100.0), recurrent=recurrent)
    fit(net, torch.stack([code[start:start + WINDOW] for start in starts]),
        torch.stack([target[start:start + WINDOW] for start in starts], 1), loss=settled_error, encode=steps_first, epochs=50,
        batch_size=32, learning_rate=1e-3, seed=seed)
    with torch.no_grad():
        said = line + size * net(code[:, None])[-1].mem[:, 0]
    return {f"{horizon}": spot_error(said[:, place], horizon) for place, horizon in enumerate(HORIZONS)}


def settled_error(records, target):
    """Mean squared error after the first 50 months of a window."""
    return (records[-1].mem[50:] - target[50:]).square().mean()


def step_by_step(x):
    """Neurons without a reset, one step after the other."""
    return lif(x, 0.9, reset="none")[1]


def in_chunks(x):
    """The same neurons, 32 steps at once."""
    return parallel_leak(x, 0.9)


def speed(seed):
    """A row: how many times as fast chunks are as steps, forward and backward, for 1024 steps of 64 neurons."""
    found = {}
    for batch in (1, 32):
        x = torch.randn(1024, batch, 64, generator=torch.Generator().manual_seed(seed)).requires_grad_()
        slow, fast = (min(_seconds(run, x) for _ in range(7)) for run in (step_by_step, in_chunks))
        found[f"batch {batch}"] = slow / fast
    return found


def _seconds(run, x):
    start = perf_counter()
    run(x).sum().backward()
    return perf_counter() - start
