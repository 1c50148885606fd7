"""Training that survives its own death: what goes into a checkpoint, and how it reaches the disk whole."""
import os
import pickle
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from ._arguments import check_callable, check_scalar, check_that, check_whole

PARTS = ("net", "optimiser", "schedule", "generator")


class Training(NamedTuple):
    """All that a training changes: weights, the optimiser's memory, its schedule, and the stream of random numbers.

    Source: the objects of PyTorch that have a state; every one of them goes into a checkpoint.

    >>> net = nn.Linear(3, 2)
    >>> optimiser = torch.optim.Adam(net.parameters())
    >>> run = Training(net, optimiser, torch.optim.lr_scheduler.StepLR(optimiser, 5), torch.Generator().manual_seed(0))
    >>> run.generator.initial_seed()
    0
    """

    net: nn.Module
    optimiser: torch.optim.Optimizer
    schedule: object
    generator: torch.Generator


def _check_trained(owner, run):
    check_that(owner, getattr(run, "_fields", None) == PARTS, "run must be Training(net, optimiser, schedule, generator), got "
               f"{type(run).__name__}.", TypeError)
    check_that(owner, isinstance(run.net, nn.Module), f"run.net must be a torch.nn.Module, got {type(run.net).__name__}.",
               TypeError)
    check_that(owner, isinstance(run.optimiser, torch.optim.Optimizer), "run.optimiser must be a torch.optim optimiser.",
               TypeError)
    check_that(owner, isinstance(run.schedule, torch.optim.lr_scheduler.LRScheduler), "run.schedule must be a schedule of "
               "torch.optim.lr_scheduler.", TypeError)
    check_that(owner, isinstance(run.generator, torch.Generator), "run.generator must be a torch.Generator.", TypeError)


def _check_saved(owner, saved, *more):
    check_that(owner, isinstance(saved, dict) and {*PARTS, *more} <= saved.keys(), "saved must be a dict with the entries "
               f"{', '.join([*PARTS, *more])}, as {owner if more else 'pack'} makes it.", TypeError)


def pack(run, rest):
    """Copy everything that a training has changed into one dict that shares nothing with it.

    Args:
        run: a `Training`.
        rest: what else has to be there again, such as {"order": ..., "place": ..., "losses": ...}: a dict of numbers, tensors,
            and lists of them.

    Returns:
        A dict: "net", "optimiser", "schedule", "generator" (its state, a tensor), and the rest.

    Raises:
        TypeError: run not a `Training`, rest not a dict.
        ValueError: something in rest is named like a part of the run.

    Source: PyTorch's guide to saving and loading: https://docs.pytorch.org/tutorials/beginner/saving_loading_models.html.

    >>> net = nn.Linear(1, 1)
    >>> optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
    >>> run = Training(net, optimiser, torch.optim.lr_scheduler.StepLR(optimiser, 5), torch.Generator().manual_seed(0))
    >>> sorted(pack(run, {"place": 3}))
    ['generator', 'net', 'optimiser', 'place', 'schedule']
    """
    _check_trained("pack", run)
    check_that("pack", isinstance(rest, dict), f"rest must be a dict, got {type(rest).__name__}.", TypeError)
    check_that("pack", not set(PARTS) & rest.keys(), f"rest must have other names than {', '.join(PARTS)}.")
    state = {"net": run.net.state_dict(), "optimiser": run.optimiser.state_dict(), "schedule": run.schedule.state_dict(),
             "generator": run.generator.get_state(), **rest}
    return pickle.loads(pickle.dumps(state))


def unpack(run, saved, leave_out=()):
    """Put everything back, in place: the run goes on as if it had never stopped.

    Args:
        run: a `Training` of the same network and optimiser, fresh or not.
        saved: a dict that `pack` made.
        leave_out: names of parts that are not put back: to see what comes of it.

    Returns:
        The rest of what was saved, a dict.

    Raises:
        TypeError: run not a `Training`, saved not such a dict.
        ValueError: an unknown name in leave_out.

    Source: PyTorch's guide to saving and loading: https://docs.pytorch.org/tutorials/beginner/saving_loading_models.html.

    >>> net = nn.Linear(1, 1)
    >>> optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
    >>> run = Training(net, optimiser, torch.optim.lr_scheduler.StepLR(optimiser, 5), torch.Generator().manual_seed(0))
    >>> saved, drawn = pack(run, {"place": 3}), torch.rand(1, generator=run.generator)
    >>> unpack(run, saved), torch.equal(torch.rand(1, generator=run.generator), drawn)
    ({'place': 3}, True)
    """
    _check_trained("unpack", run)
    _check_saved("unpack", saved)
    check_that("unpack", isinstance(leave_out, (tuple, list)) and all(isinstance(name, str) and name in PARTS
                                                                      for name in leave_out),
               f"leave_out must be a tuple of names out of {', '.join(PARTS)}, got {leave_out!r}.")
    for name in PARTS[:3]:
        if name not in leave_out:
            getattr(run, name).load_state_dict(pickle.loads(pickle.dumps(saved[name])))
    if "generator" not in leave_out:
        run.generator.set_state(saved["generator"])
    return {name: value for name, value in saved.items() if name not in PARTS}


def _check_file(owner, path, there=False):
    check_that(owner, isinstance(path, (str, Path)) and str(path).endswith(".pt"), "path must be the name of a file that ends "
               f"in .pt, such as 'run.pt', got {path!r}.", TypeError)
    check_that(owner, Path(path).parent.is_dir(), f"path must lie in a folder that exists, and {Path(path).parent} does not.")
    check_that(owner, not there or Path(path).is_file(), f"path must be a file, and {path} is none.")


def write_whole(path, saved):
    """Write a checkpoint so that whoever reads it finds the old one or the new one, never half of one.

    The bytes go into a file beside it, are flushed to the disk, and the file is renamed: a rename happens or does not.

    Args:
        path: name of the file, ending in .pt; its neighbour has ".part" after it.
        saved: a dict, as `pack` makes it.

    Returns:
        The size in bytes.

    Raises:
        TypeError: path no such name, saved not a dict.
        ValueError: its folder does not exist.

    Source: POSIX.1-2024, rename(); Pillai et al. (2014), OSDI '14, pages 433 to 448, on what survives a crash.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     size = write_whole(f"{folder}/run.pt", {"place": 3})
    ...     read_whole(f"{folder}/run.pt"), size > 100, os.listdir(folder)
    ({'place': 3}, True, ['run.pt'])
    """
    _check_file("write_whole", path)
    check_that("write_whole", isinstance(saved, dict), f"saved must be a dict, got {type(saved).__name__}.", TypeError)
    beside = f"{path}.part"
    with open(beside, "wb") as file:
        torch.save(saved, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
    return os.path.getsize(path)


def read_whole(path):
    """Read a checkpoint: tensors, numbers and words only, so that a file from elsewhere can run no code.

    Args:
        path: name of a file that `write_whole` wrote.

    Returns:
        The dict.

    Raises:
        TypeError: path no name that ends in .pt.
        ValueError: there is no such file.

    Source: torch.load with weights_only=True, https://docs.pytorch.org/docs/stable/notes/serialization.html.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     size = write_whole(f"{folder}/run.pt", {"losses": [0.5, 0.25]})
    ...     read_whole(f"{folder}/run.pt")
    {'losses': [0.5, 0.25]}
    """
    _check_file("read_whole", path, there=True)
    return torch.load(path, weights_only=True)


def go_on(run, loss, samples, until, *, batch_size, saved=None, leave_out=(), each=None):
    """Train up to a step, from the start or from where a checkpoint stands: the same losses, to the last bit.

    for each step: the next batch of this epoch's order; a new order where the epoch is over

    Args:
        run: a `Training`; changed in place. The order is drawn from its generator.
        loss: function of (batch, generator) that returns the loss of a batch, a scalar tensor: batch [B] are numbers of
            samples, generator is the run's, for whatever noise the encoding draws.
        samples: how many there are.
        until: number of the step after the last one, counted from the start of the training.
        batch_size: samples of a step; the last of an epoch may have fewer.
        saved: a dict that this function returned, or None for the start.
        leave_out: parts of the run that are not put back, as in `unpack`: to see what comes of it.
        each: function of the dict after each step, such as one that writes it, or None.

    Returns:
        A dict as `pack` makes it, with "order" [samples], "place" (samples of this epoch that are done) and "losses", a list
        of floats, one a step since the start.

    Raises:
        TypeError: an argument of a wrong kind.
        ValueError: samples, until or batch_size not whole numbers from 1.

    Source: PyTorch's guide to reproducibility, https://docs.pytorch.org/docs/stable/notes/randomness.html.

    >>> def start():
    ...     torch.manual_seed(0)
    ...     net = nn.Linear(3, 2)
    ...     optimiser = torch.optim.Adam(net.parameters())
    ...     return Training(net, optimiser, torch.optim.lr_scheduler.StepLR(optimiser, 5), torch.Generator().manual_seed(0))
    >>> inputs, targets, (first, second) = torch.rand(8, 3), torch.arange(8) % 2, (start(), start())
    >>> def loss_of(net): return lambda batch, generator: nn.functional.cross_entropy(net(inputs[batch]), targets[batch])
    >>> half = go_on(first, loss_of(first.net), 8, 3, batch_size=4)
    >>> whole = go_on(first, loss_of(first.net), 8, 5, batch_size=4, saved=half)
    >>> go_on(second, loss_of(second.net), 8, 5, batch_size=4, saved=half)["losses"] == whole["losses"]
    True
    """
    _check_trained("go_on", run)
    check_callable("go_on", "loss", loss, "It takes (batch, generator).", takes=2)
    check_whole("go_on", high=10**7, samples=samples, until=until, batch_size=batch_size)
    if each is not None:
        check_callable("go_on", "each", each, "It takes the dict; leave it out for none.", takes=1)
    if saved is not None:
        _check_saved("go_on", saved, "order", "place", "losses")
    order, place, losses = torch.randperm(0), 0, []
    if saved is not None:
        rest = unpack(run, saved, leave_out)
        order, place, losses = rest["order"], rest["place"], list(rest["losses"])
    while len(losses) < int(until):
        if place >= len(order):
            order, place = torch.randperm(int(samples), generator=run.generator), 0
        batch = order[place:place + int(batch_size)]
        run.optimiser.zero_grad()
        value = loss(batch, run.generator)
        check_scalar("go_on", "loss", value)
        check_that("go_on", value.requires_grad, "the loss depends on no weight that learns.")
        value.backward()
        run.optimiser.step()
        run.schedule.step()
        place, losses = place + len(batch), [*losses, value.item()]
        if each is not None:
            each(pack(run, {"order": order, "place": place, "losses": losses}))
    return pack(run, {"order": order, "place": place, "losses": losses})
