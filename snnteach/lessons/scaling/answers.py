"""Answers to the exercises of notebook 23 that are functions: the right one and the wrong ones that people give."""
import torch

from ...encoding import rate_code
from ...losses import ce_membrane_loss
from .relay import Disk, make_run

SAMPLES, BATCH = 20, 8


def draw(seed, *shape):
    """Numbers for a case."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# 23.2: shares of different sizes

def combined(gradients, sizes):
    weight = torch.tensor(sizes, dtype=gradients.dtype)
    return (weight[:, None] * gradients).sum(0) / weight.sum()        # [P]


def mean_of_means(gradients, sizes):
    """Every worker counts as much, however few samples it has."""
    return gradients.mean(0)


def sum_of_all(gradients, sizes):
    """Adds the workers' gradients."""
    return gradients.sum(0)


def weighted_sum(gradients, sizes):
    """Forgets to divide by the samples of all."""
    return (torch.tensor(sizes, dtype=gradients.dtype)[:, None] * gradients).sum(0)


def by_workers(gradients, sizes):
    """Divides by the number of workers."""
    return weighted_sum(gradients, sizes) / len(sizes)


def turned(gradients, sizes):
    """Weights the small shares most."""
    weight = 1 / torch.tensor(sizes, dtype=gradients.dtype)
    return (weight[:, None] * gradients).sum(0) / weight.sum()


# 23.3: mean and variance of all

def pooled(counts, means, variances):
    weight = (counts / counts.sum())[:, None]                         # [N, 1]
    mean = (weight * means).sum(0)                                    # [C]
    return mean, (weight * (variances + (means - mean) ** 2)).sum(0)


def within_only(counts, means, variances):
    """The mean of the variances: how far the means lie apart is forgotten."""
    weight = (counts / counts.sum())[:, None]
    return (weight * means).sum(0), (weight * variances).sum(0)


def between_only(counts, means, variances):
    """The variance of the means."""
    mean, variance = pooled(counts, means, variances)
    return mean, variance - within_only(counts, means, variances)[1]


def unweighted(counts, means, variances):
    """Every share counts as much."""
    return pooled(torch.ones_like(counts), means, variances)


def not_squared(counts, means, variances):
    """Adds the distances of the means, not their squares."""
    weight, mean = (counts / counts.sum())[:, None], pooled(counts, means, variances)[0]
    return mean, (weight * (variances + (means - mean).abs())).sum(0)


def deviation(counts, means, variances):
    """The standard deviation."""
    mean, variance = pooled(counts, means, variances)
    return mean, variance.sqrt()


# 23.6: the build

class SmallLoss:
    """The loss of a small network on samples of a case, coded in random spikes."""

    samples, batch_size = SAMPLES, BATCH

    def __init__(self):
        self.inputs, self.targets = draw(5, SAMPLES, 12).sigmoid(), torch.arange(SAMPLES) % 3

    def __call__(self, net, batch, generator):
        spk = rate_code(self.inputs[batch], 4, generator=generator)
        return ce_membrane_loss(net(spk)[-1].mem, self.targets[batch])


def small_run():
    """A fresh start of a small run."""
    return make_run((12, 8, 3), steps=12)


def survive(make_run, loss, stops, disk):
    for stop in stops:                                                # at each stop the process dies
        run, saved = make_run(), disk.read()
        order, place, losses = torch.randperm(0), 0, []
        if saved is not None:
            run.net.load_state_dict(saved["net"])
            run.optimiser.load_state_dict(saved["optimiser"])
            run.schedule.load_state_dict(saved["schedule"])
            run.generator.set_state(saved["generator"])
            order, place, losses = saved["order"], saved["place"], saved["losses"]
        while len(losses) < stop:
            if place >= len(order):                                   # the epoch is over
                order, place = torch.randperm(loss.samples, generator=run.generator), 0
            batch = order[place:place + loss.batch_size]
            run.optimiser.zero_grad()
            value = loss(run.net, batch, run.generator)
            value.backward()
            run.optimiser.step()
            run.schedule.step()
            place, losses = place + len(batch), losses + [value.item()]
        disk.write({"net": run.net.state_dict(), "optimiser": run.optimiser.state_dict(),
                    "schedule": run.schedule.state_dict(), "generator": run.generator.get_state(),
                    "order": order, "place": place, "losses": losses})
    return losses


LOSSES = survive(small_run, SmallLoss(), (12,), Disk())                 # of one process that is never stopped


def _without(make_run, loss, stops, disk, *lost):
    """The training that does not put some parts back."""
    for stop in stops:
        run, saved = make_run(), disk.read()
        order, place, losses = torch.randperm(0), 0, []
        if saved is not None:
            for name in ("net", "optimiser", "schedule"):
                if name not in lost:
                    getattr(run, name).load_state_dict(saved[name])
            if "generator" not in lost:
                run.generator.set_state(saved["generator"])
            if "order" not in lost:
                order, place = saved["order"], saved["place"]
            losses = saved["losses"]
        while len(losses) < stop:
            if place >= len(order):
                order, place = torch.randperm(loss.samples, generator=run.generator), 0
            batch = order[place:place + loss.batch_size]
            run.optimiser.zero_grad()
            value = loss(run.net, batch, run.generator)
            value.backward()
            run.optimiser.step()
            if "step" not in lost:
                run.schedule.step()
            place, losses = place + len(batch), losses + [value.item()]
        disk.write({"net": run.net.state_dict(), "optimiser": run.optimiser.state_dict(),
                    "schedule": run.schedule.state_dict(), "generator": run.generator.get_state(),
                    "order": order, "place": place, "losses": losses})
    return losses


def weights_only(make_run, loss, stops, disk):
    """Puts nothing back but the weights."""
    return _without(make_run, loss, stops, disk, "optimiser", "schedule", "generator", "order")


def fresh_optimiser(make_run, loss, stops, disk):
    """A fresh optimiser under old weights."""
    return _without(make_run, loss, stops, disk, "optimiser")


def fresh_schedule(make_run, loss, stops, disk):
    """The schedule begins again."""
    return _without(make_run, loss, stops, disk, "schedule")


def fresh_generator(make_run, loss, stops, disk):
    """The random numbers begin again."""
    return _without(make_run, loss, stops, disk, "generator")


def new_epoch(make_run, loss, stops, disk):
    """The epoch begins again, in a new order."""
    return _without(make_run, loss, stops, disk, "order")


def starts_again(make_run, loss, stops, disk):
    """Puts nothing back at all."""
    return _without(make_run, loss, stops, disk, "net", "optimiser", "schedule", "generator", "order")


def schedule_stands(make_run, loss, stops, disk):
    """Never moves the schedule."""
    return _without(make_run, loss, stops, disk, "step")


def last_leg_only(make_run, loss, stops, disk):
    """Returns only what came after the last start."""
    return survive(make_run, loss, stops, disk)[stops[-2] if len(stops) > 1 else 0:]
