"""The long runs of notebook 23: real processes under torchrun, a killed worker, noise of many workers, rates, and a server.

The training that is shared is 784-100-10 on random spikes of 512 digits, a dozen steps of 32. Accuracy is that of 10,000 test
images after three epochs of 5000; the rate of one worker was chosen among six on 1000 of the training images.
"""
import os
import subprocess
import sys
import tempfile
import time
from functools import cache, partial
from pathlib import Path

import psutil
import torch
from torch.nn.functional import cross_entropy

from ...data import flat, mnist5k
from ...encoding import rate_code
from ...networks import SpikingMLP, direct_current
from ...perturbation import weight_perturbation
from ...training import accuracy
from ..kinds import MEMORY, SHARE, TIME, Quantity
from . import launch, worker

SEEDS = (0, 1, 2)
TOLERANCE = 0.04
QUANTITIES = {"*difference*": Quantity(0, 10, stray=20.0), "*ms": TIME, "server*": MEMORY, "*noise*": Quantity(0, 3),
              "*restarted": SHARE, "*loss*": Quantity(0, 10), "*": SHARE}
TRAININGS = {"float64": ("none", "float64"), "float32": ("none", "float32"), "own norm": ("own", "float64"),
             "shared norm": ("shared", "float64")}
STEPS, BATCH, HIDDEN = 12, 32, 100
PER_WORKER, RATE, EPOCHS = 25, 1e-3, 3


@cache
def images():
    """Training pixels and labels, test pixels and labels, 0 to 1."""
    data = mnist5k()
    return flat(data.train_images), data.train_labels, flat(data.test_images), data.test_labels


def job(seed, steps=STEPS):
    """The training that workers share, for `worker.work`."""
    inputs, targets = (part[:512].clone() for part in images()[:2])
    generator = torch.Generator().manual_seed(seed)
    return {"inputs": inputs, "targets": targets, "hidden": HIDDEN, "seed": seed, "rate": 0.02, "num_steps": 5,
            "batches": [torch.randperm(512, generator=generator)[:BATCH] for _ in range(steps)],
            "trainings": TRAININGS, "times": [], "repeats": 25, "dies": 0}


def furthest(one, other):
    """The largest difference of two lists of losses."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def processes(workers, seed):
    """A row: the same training under torchrun, against one process; and what a step takes, the shortest of 25.

    With two workers it is done once more, and one of them is killed before step 8: torchrun starts both again.
    """
    task = job(seed) | {"times": [(num_steps, 64) for num_steps in (1, 5, 25)], "dies": 8 if workers == 2 else 0}
    found = launch.launch(workers, task)
    alone = {name: worker.train(task, norm, getattr(torch, dtype)) for name, (norm, dtype) in TRAININGS.items()}
    times = {f"T = {num_steps}, {what} ms": 1000 * seconds for num_steps, _ in task["times"]
             for what, seconds in zip(("computing", "exchanging"), found[f"T = {num_steps}, batch 64"], strict=True)}
    *losses, restarted = found.get("killed", [*alone["float64"], 0.0])
    return {**{f"difference, {name}": furthest(found[name], alone[name]) for name in TRAININGS},
            "last loss": alone["float64"][-1], **times,
            **({"difference, killed": furthest(losses, alone["float64"]), "restarted": restarted} if workers == 2 else {})}


def noisy_gradient(kind, net, x, target, generator):
    """One worker's gradient of its loss, [P], with noise from its generator.

    "coins" codes images in spikes, "masks" drops hidden neurons for each sample, "one mask" the same ones for all samples;
    "probe" perturbs the weights of the read-out once and sees whether the loss rises (notebook 17).
    """
    spk = rate_code(x, 5, generator=generator) if kind == "coins" else direct_current(x, 5)
    rates, (weight, bias) = net(spk)[0].spk.mean(0), net.linears[1].parameters()

    def loss(weight):
        return cross_entropy(5 * (rates @ weight.T + bias), target)

    if kind == "probe":
        with torch.no_grad():
            return weight_perturbation(loss, weight, 1e-3, 1, generator).flatten()
    if kind != "coins":
        rates = rates * 2 * (torch.rand(len(x) if kind == "masks" else 1, 100, generator=generator) < 0.5)
    return torch.cat([part.flatten() for part in torch.autograd.grad(loss(weight), list(net.parameters()))])


def gradient_noise(kind, workers, same, seed, samples, draws=16):
    """How much the averaged gradient of N workers scatters, in units of one worker's: 1/N where they are independent.

    Each worker has images of its own; same: every worker draws from a generator with the same seed.
    """
    inputs, targets = (part[:samples] for part in images()[:2])
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = SpikingMLP((784, 100, 10), readout="membrane")
    found = []
    for draw in range(draws):
        seeds = [1000 * seed + draw + (0 if same else 10_000 * (number + 1)) for number in range(workers)]
        shares = zip(inputs.chunk(workers), targets.chunk(workers), seeds, strict=True)
        found.append(torch.stack([noisy_gradient(kind, net, x, target, torch.Generator().manual_seed(own))
                                  for x, target, own in shares]))
    found = torch.stack(found)                                                        # [draws, N, P]
    return (found.mean(1).var(0).sum() / found.var(0).sum(1).mean()).item()


def unseen(workers, samples=5000, seed=0):
    """The share of the samples that nobody reads in an epoch where each worker shuffles for itself and reads its part."""
    read = torch.zeros(samples, dtype=torch.bool)
    for number in range(workers):
        order = torch.randperm(samples, generator=torch.Generator().manual_seed(100 * seed + number))
        read[order.chunk(workers)[number]] = True
    return 1 - read.double().mean().item()


def noise(kind, share, seed):
    """A row: four workers with so many images each, the same seed on every worker, and seeds of their own."""
    return {"same noise": gradient_noise(kind, 4, True, seed, 4 * share),
            "own noise": gradient_noise(kind, 4, False, seed, 4 * share)}


def trained(workers, factor, epochs, seed):
    """A row: the test accuracy with 25 samples a worker, N workers, and the rate of one worker times a factor."""
    inputs, targets, test, answers = images()
    mean, std = inputs.mean(), inputs.std()
    inputs, test = (inputs - mean) / std, (test - mean) / std
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = SpikingMLP((784, 100, 10), readout="membrane")
    steps = torch.optim.SGD(net.parameters(), lr=factor * RATE, momentum=0.9)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        for batch in torch.randperm(len(inputs), generator=generator).split(PER_WORKER * workers):
            steps.zero_grad()
            x = direct_current(inputs[batch], 10)
            cross_entropy(net(x, net.current(x))[-1].mem.mean(0), targets[batch]).backward()
            steps.step()
    return accuracy(net, test, answers, encode=lambda x: direct_current(x, 10))


def server(seed):
    """A row: the resident memory of a JupyterLab server that has just started, in MB; the seed is not used."""
    with tempfile.TemporaryDirectory() as folder:
        places = {f"JUPYTER_{name}_DIR": folder for name in ("RUNTIME", "CONFIG", "DATA")}
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", "--port=0", "--allow-root",
             f"--ServerApp.root_dir={folder}"], env=os.environ | places, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            late = time.monotonic() + 60
            while not list(Path(folder).glob("jpserver-*.json")) and time.monotonic() < late:
                time.sleep(0.2)
            time.sleep(1)
            return {"MB": psutil.Process(process.pid).memory_info().rss / 1e6}
        finally:
            launch.end(process)


ROWS = {
    **{f"{count} processes": partial(processes, count) for count in (1, 2, 4)},
    **{f"{kind}, {share} a worker": partial(noise, kind, share)
       for kind, shares in (("coins", (16, 256)), ("masks", (16, 256)), ("one mask", (16, 256, 1024)),
                            ("probe", (16, 256, 1024)))
       for share in shares},
    **{f"rate kept, {workers} workers": partial(trained, workers, 1.0, EPOCHS) for workers in (1, 4, 16, 40)},
    **{f"rate times N, {workers} workers": partial(trained, workers, workers, EPOCHS) for workers in (4, 16, 40)},
    "as many steps, 16 workers": partial(trained, 16, 1.0, 16 * EPOCHS),
    "server": server,
}
