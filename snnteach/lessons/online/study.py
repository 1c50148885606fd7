"""The long runs of notebook 16: how far each rule is from the gradient, what it learns, and what it costs.

Settings of the digit task (a scan row by row) were chosen on 1000 of the 5000 training images; here every network learns from
all 5000 and is measured once on the 10,000 test images. The frozen layer also gets a rate of its own: with 4000 images and 1,
2, 4, 10 and 20 times the common rate it came to 0.664, 0.685, 0.695, 0.700 and 0.701 on the other 1000 (mean of three seeds):
there is no gain beyond ten times. The variants of the drawing were looked for with other seeds. Memory and time are measured
in processes of their own. Nothing was chosen for the cue, the wave and the digits seen whole but what keeps them short.
"""
import json
import math
import statistics
import subprocess
import sys
import time
from functools import cache

import torch
import torch.nn.functional as F

from ...bptt import Weights, backward, forward, random_weights
from ...data import mnist5k
from ...online import cosine, eprop, ottt
from ...surrogate import atan
from ..kinds import AMOUNT, COSINE, MEMORY, SHARE, TIME
from .adaptive import NUMB, recall, wave
from .whole import aligning, forgetting, one_by_one
from .windows import sliding

SEEDS = (0, 1, 2)
TOLERANCE = 0.1
QUANTITIES = {
    "gain *: size": AMOUNT,
    "gain *": COSINE,
    "pattern, *": AMOUNT,                                 # mean squared errors
    "wave, *": AMOUNT,
    "aligning, *: cosine *": COSINE,
    "memory, *": MEMORY,                                  # MB
    "bill of a window: memory*": MEMORY,
    "bill of a window: time*": TIME,
    "time, *": TIME,                                      # milliseconds
    "*": SHARE,                                           # accuracies
}
RULES = ("BPTT", "e-prop", "e-prop, random feedback", "OTTT", "frozen hidden layer")
GAINS = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
LENGTHS = (50, 500, 5000)
WINDOWS = (10, 20)
WIDE, NARROW = atan(), atan(10)


def gradient(rule, x, weights, error, beta, beta_out, random_feedback=None, surrogate=WIDE):
    """The gradient by one of RULES; BPTT by hand, from a stored run."""
    if rule in ("BPTT", "frozen hidden layer"):
        with torch.no_grad():
            run = forward(x, weights, beta, beta_out)
            errors = torch.stack([error(out, t) for t, out in enumerate(run.out)])
            found = backward(run, weights, errors, beta, beta_out, surrogate=surrogate)
        zero = torch.zeros_like
        return found if rule == "BPTT" else Weights(zero(found.hidden), zero(found.recurrent), found.output)
    if rule == "OTTT":
        return ottt(x, weights, error, beta, beta_out, surrogate=surrogate)
    return eprop(x, weights, error, beta, beta_out, surrogate=surrogate,
                 feedback=None if rule == "e-prop" else random_feedback)


def descend(optimiser, weights, found, clip=math.inf):
    """One step of an optimiser along gradients that no autograd made, shortened together to a length of at most `clip`."""
    for weight, grad in zip(weights, found, strict=True):
        weight.grad = grad
    if clip < math.inf:  # an infinite limit would turn an overflowing length into NaN
        torch.nn.utils.clip_grad_norm_(weights, clip)
    optimiser.step()


def alignment(gain):
    """A row: cosine between the hidden gradients of each rule and of BPTT, 50 neurons, 100 steps, random target."""
    def row(seed):
        generator = torch.Generator().manual_seed(seed)
        x = (torch.rand(100, 4, 20, generator=generator) < 0.2).double()                   # [T, B, I]
        weights, feedback = random_weights(generator, (20, 50, 3), gain, 1.5, torch.float64)
        target = torch.randn(100, 4, 3, generator=generator, dtype=torch.float64)
        def error(out, t):
            return out - target[t]
        exact = gradient("BPTT", x, weights, error, 0.9, 0.9)
        found = {rule: gradient(rule, x, weights, error, 0.9, 0.9, feedback) for rule in RULES[1:4]}
        size = (exact.hidden.norm() / found["e-prop"].hidden.norm()).item()
        return {**{rule: cosine(exact, grad) for rule, grad in found.items()}, "size": size}

    return row


@cache
def _images():
    data = mnist5k()
    scan = [(images / 255).transpose(0, 1).contiguous() for images in (data.train_images, data.test_images)]
    return scan[0], data.train_labels, scan[1], data.test_labels                           # rows of pixels: [28, n, 28]


def scan_error(labels, num_steps=28, asked=5):
    """Cross-entropy of softmax(out[t]) with the class, mean over the batch and the last `asked` steps; no error before."""
    wanted = F.one_hot(labels, 10).float()
    def error(out, t):
        return (F.softmax(out, 1) - wanted) / (asked * len(labels)) if t >= num_steps - asked else torch.zeros_like(out)
    return error


def scanned_digits(rule, rate=5e-3):
    """A row: 28-100-10, recurrent, sees a digit row by row and is asked in the last five steps; test accuracy."""
    def row(seed):
        images, labels, test_images, test_labels = _images()
        generator, epochs = torch.Generator().manual_seed(seed), 10
        weights, feedback = random_weights(generator, (28, 100, 10), 0.5, 3.0)
        optimiser = torch.optim.Adam(weights, lr=rate)
        for epoch in range(epochs):
            optimiser.param_groups[0]["lr"] = rate * (1 + math.cos(math.pi * epoch / epochs)) / 2
            for batch in torch.randperm(len(labels), generator=generator).split(50):
                x, error = images[:, batch], scan_error(labels[batch])
                descend(optimiser, weights, gradient(rule, x, weights, error, 0.9, 0.95, feedback))
        with torch.no_grad():
            out = torch.cat([forward(x, weights, 0.9, 0.95).out[-1] for x in test_images.split(1000, 1)])
        return (out.argmax(1) == test_labels).float().mean().item()

    return row


def pattern(rule, rate=1e-2, clip=math.inf, surrogate=WIDE):
    """A row: 100 recurrent neurons draw three curves of 200 steps on a frozen input; mean squared error after 200 updates."""
    def row(seed):
        generator = torch.Generator().manual_seed(seed)
        x = (torch.rand(200, 1, 20, generator=generator) < 0.05).float()                   # [T, 1, I]
        waves = torch.arange(1, 5) * torch.linspace(0, 2 * math.pi, 200)[:, None, None]    # [T, 1, 4]
        curves = torch.sin(waves + 2 * math.pi * torch.rand(3, 4, generator=generator))    # [T, 3, 4]
        target = (curves * (0.5 + torch.rand(3, 4, generator=generator))).sum(2)
        target = (target / target.std())[:, None]                                          # [T, 1, 3]
        weights, feedback = random_weights(generator, (20, 100, 3), 1.0, 1.3)
        weights.output.mul_(0.3)
        optimiser = torch.optim.Adam(weights, lr=rate)
        def error(out, t):
            return (out - target[t]) * 2 / target.numel()
        for _ in range(200):
            descend(optimiser, weights, gradient(rule, x, weights, error, 0.9, 0.9, feedback, surrogate), clip)
        with torch.no_grad():
            return (forward(x, weights, 0.9, 0.9).out - target).square().mean().item()

    return row


def windowed_digits(window, rate=5e-3):
    """A row: `scanned_digits` by BPTT whose errors reach back `window` steps, their own included."""
    def row(seed):
        images, labels, test_images, test_labels = _images()
        generator, epochs = torch.Generator().manual_seed(seed), 10
        weights, _ = random_weights(generator, (28, 100, 10), 0.5, 3.0)
        optimiser = torch.optim.Adam(weights, lr=rate)
        for epoch in range(epochs):
            optimiser.param_groups[0]["lr"] = rate * (1 + math.cos(math.pi * epoch / epochs)) / 2
            for batch in torch.randperm(len(labels), generator=generator).split(50):
                x, error = images[:, batch], scan_error(labels[batch])
                descend(optimiser, weights, windowed(window, x, weights, error, 0.9, 0.95))
        with torch.no_grad():
            out = torch.cat([forward(x, weights, 0.9, 0.95).out[-1] for x in test_images.split(1000, 1)])
        return (out.argmax(1) == test_labels).float().mean().item()

    return row


def windowed_pattern(window, rate=1e-2):
    """A row: `pattern` by BPTT whose errors reach back `window` steps, their own included."""
    def row(seed):
        generator = torch.Generator().manual_seed(seed)
        x = (torch.rand(200, 1, 20, generator=generator) < 0.05).float()                   # [T, 1, I]
        waves = torch.arange(1, 5) * torch.linspace(0, 2 * math.pi, 200)[:, None, None]    # [T, 1, 4]
        curves = torch.sin(waves + 2 * math.pi * torch.rand(3, 4, generator=generator))    # [T, 3, 4]
        target = (curves * (0.5 + torch.rand(3, 4, generator=generator))).sum(2)
        target = (target / target.std())[:, None]                                          # [T, 1, 3]
        weights, _ = random_weights(generator, (20, 100, 3), 1.0, 1.3)
        weights.output.mul_(0.3)
        optimiser = torch.optim.Adam(weights, lr=rate)
        def error(out, t):
            return (out - target[t]) * 2 / target.numel()
        for _ in range(200):
            descend(optimiser, weights, windowed(window, x, weights, error, 0.9, 0.9))
        with torch.no_grad():
            return (forward(x, weights, 0.9, 0.9).out - target).square().mean().item()

    return row


def windowed(window, x, weights, error, beta, beta_out):
    """The gradient by BPTT, by hand, whose errors reach back `window` steps; None is exact."""
    with torch.no_grad():
        run = forward(x, weights, beta, beta_out)
        errors = torch.stack([error(out, t) for t, out in enumerate(run.out)])
        return backward(run, weights, errors, beta, beta_out, surrogate=WIDE, truncation=window)


def workload(num_steps):
    """The network whose memory and time are measured: 100 inputs at 5 %, 200 recurrent neurons, 10 read-outs, batch 16."""
    generator = torch.Generator().manual_seed(0)
    weights = random_weights(generator, (100, 200, 10), 0.5, 3.0)[0]
    x = torch.empty(num_steps, 16, 100).bernoulli_(0.05, generator=generator)              # made in place: no hidden peak
    return x, weights, torch.randn(16, 10, generator=generator)


def _autograd(x, weights, target):
    weights = Weights(*(weight.clone().requires_grad_() for weight in weights))
    loss = (forward(x, weights, 0.9, 0.8).out - target).square().sum() / 2
    return Weights(*torch.autograd.grad(loss, weights))


def _by_hand(x, weights, target):
    with torch.no_grad():
        run = forward(x, weights, 0.9, 0.8)
        return backward(run, weights, run.out - target, 0.9, 0.8)


STEPS = {
    "BPTT": _autograd,
    "BPTT by hand": _by_hand,
    "e-prop": lambda x, weights, target: eprop(x, weights, lambda out, t: out - target, 0.9, 0.8),
    "OTTT": lambda x, weights, target: ottt(x, weights, lambda out, t: out - target, 0.9, 0.8),
}


def extra_memory(rule, num_steps):
    """Run one gradient in this process; return by how many MB its peak rose above what was there before (Linux)."""
    torch.set_num_threads(1)
    x, weights, target = workload(2)
    STEPS[rule](x[:, :2, :3], Weights(torch.ones(4, 3), torch.ones(4, 4), torch.ones(2, 4)), target[:2, :2])   # load libraries
    x, weights, target = workload(num_steps)
    before = _resident("VmRSS")
    STEPS[rule](x, weights, target)
    return (_resident("VmHWM") - before) / 1024


def _resident(field):
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field))


def seconds_a_gradient(num_steps, rounds):
    """Median processor time of one gradient by each of STEPS, which take turns in one process."""
    torch.set_num_threads(1)
    times, work = {rule: [] for rule in STEPS}, workload(num_steps)
    for _ in range(rounds + 1):
        for rule, step in STEPS.items():
            start = time.process_time()
            step(*work)
            times[rule].append(time.process_time() - start)
    return {rule: statistics.median(values[1:]) for rule, values in times.items()}         # the first round warms up


def in_a_process(function, *arguments):
    """Call a function of this module, such as extra_memory, in a fresh process."""
    code = f"import json\nfrom {function.__module__} import *\nprint(json.dumps({function.__name__}{arguments!r}))"
    return json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def memory(num_steps):
    """A row: extra memory in MB of one gradient by each rule, each in a process of its own."""
    return lambda _: {rule: in_a_process(extra_memory, rule, num_steps) for rule in STEPS}


def duration(num_steps):
    """A row: milliseconds a gradient by each rule, in rounds that take turns."""
    rounds = max(3, 500 // num_steps)
    return lambda _: {rule: 1e3 * value for rule, value in in_a_process(seconds_a_gradient, num_steps, rounds).items()}


def window_memory(num_steps):
    """Run one gradient of `sliding` in this process; return by how many MB its peak rose, as `extra_memory` does."""
    torch.set_num_threads(1)
    x, weights, target = workload(2)
    sliding(x[:, :2, :3], Weights(torch.ones(4, 3), torch.ones(4, 4), torch.ones(2, 4)), target[:2, :2])       # load libraries
    x, weights, target = workload(num_steps)
    before = _resident("VmRSS")
    sliding(x, weights, target)
    return (_resident("VmHWM") - before) / 1024


def window_times(num_steps, rounds):
    """Median processor time of one gradient by `sliding` and, in turns with it, by e-prop."""
    torch.set_num_threads(1)
    times, work = {"window 20": [], "e-prop": []}, workload(num_steps)
    for _ in range(rounds + 1):
        for name, step in zip(times, (sliding, STEPS["e-prop"]), strict=True):
            start = time.process_time()
            step(*work)
            times[name].append(time.process_time() - start)
    return {f"time, T = {num_steps}, {name}": 1e3 * statistics.median(values[1:]) for name, values in times.items()}


def window_bill(_):
    """A row: what a window of 20 steps costs in a stream, in processes of its own; memory in MB, time in milliseconds."""
    return {"memory, T = 500": in_a_process(window_memory, 500), **in_a_process(window_times, 50, 10)}


ROWS = {
    **{f"gain {gain:g}": alignment(gain) for gain in GAINS},
    **{f"scanned digits, {rule}": scanned_digits(rule) for rule in RULES},
    "scanned digits, frozen hidden layer, ten times the rate": scanned_digits("frozen hidden layer", rate=5e-2),
    **{f"pattern, {rule}": pattern(rule) for rule in RULES},
    **{f"scanned digits, BPTT, window {window}": windowed_digits(window) for window in WINDOWS},
    **{f"pattern, BPTT, window {window}": windowed_pattern(window) for window in WINDOWS},
    "bill of a window": window_bill,
    "pattern, BPTT, a third of the rate": pattern("BPTT", rate=3e-3),
    "pattern, BPTT, clipped": pattern("BPTT", clip=0.1),
    **{f"pattern, {rule}, narrow surrogate": pattern(rule, surrogate=NARROW) for rule in ("BPTT", "e-prop")},
    **{f"aligning, {signal}": aligning(signal)
       for signal in ("exact", "random feedback", "feedback redrawn", "frozen hidden layer")},
    "recall, adaptive": recall(),
    "recall, adaptive, slow trace dropped": recall(NUMB),
    "recall, adaptive, frozen hidden layer": recall(frozen=True),
    "recall, plain": recall(gamma=0.0),
    "recall, plain, beta 0.98": recall(beta=0.98, gamma=0.0),
    "wave, adaptive": wave(),
    "wave, plain": wave(gamma=0.0),
    "wave, frozen hidden layer": wave(frozen=True),
    **{f"SGD {rate:g}, {'at once' if at_once else 'deferred'}": one_by_one(torch.optim.SGD, rate, at_once)
       for rate in (0.01, 0.03, 0.1) for at_once in (False, True)},
    **{f"Adam {rate:g}, {'at once' if at_once else 'deferred'}": one_by_one(torch.optim.Adam, rate, at_once)
       for rate, at_once in ((1e-3, False), (1e-3, True), (1e-4, True))},
    **{f"replay {places}": forgetting(places) for places in (0, 10, 50, 200)},
    **{f"memory, T = {num_steps}": memory(num_steps) for num_steps in LENGTHS},
    **{f"time, T = {num_steps}": duration(num_steps) for num_steps in LENGTHS},
}
