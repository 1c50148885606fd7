"""The long runs of notebook 08: a wave, a cue and a pendulum, each with and without what an exact gradient is said to need.

All but the pendulum go down gradients that no autograd made. Nothing was chosen on the test images; sizes and rates of the
digit reader are a first guess. A loss that is no longer a number is stored as infinite.
"""
import math
from functools import cache, partial

import torch
import torch.nn.functional as F
from torch import nn

from ...bptt import Weights, backward, forward
from ...data import digits, flat, mnist5k
from ...neurons import lif_step
from ...surrogate import atan
from ..kinds import AMOUNT, SHARE
from .answers import layer_detached, layer_gradient

SEEDS = (0, 1, 2)
TOLERANCE = 0.1
QUANTITIES = {"wave, *": AMOUNT, "pendulum, *": AMOUNT, "*": SHARE}
WINDOWS = (5, 10, 20, 45)
BETA, BETA_OUT = 0.9, 0.9


def draw(seed, gain):
    """A network 100-100-1 whose V has a spectral radius of about `gain`, and the generator that drew it."""
    random = torch.Generator().manual_seed(seed)
    normal = [torch.randn(shape, generator=random) for shape in ((100, 100), (100, 100), (1, 100))]
    return Weights(0.15 * normal[0], gain * normal[1] / 10, normal[2] / 10), random


def wave_task(seed, gain=1.0):
    """The network, 100 steps of random spikes [T, 1, 100] that never change, and a sum of four sines [T, 1, 1] to draw."""
    weights, random = draw(seed, gain)
    x = (torch.rand(100, 1, 100, generator=random) < 0.05).float()
    phase = torch.arange(100)[:, None] / 100 * 2 * math.pi * torch.arange(1, 5)
    return weights, x, torch.sin(phase + 6 * torch.rand(4, generator=random)).sum(1)[:, None, None] / 2, random


def wave_gradient(weights, x, wave, **options):
    """The gradient of half the mean squared error, and the error relative to that of a flat line."""
    run = forward(x, weights, BETA, BETA_OUT)
    loss = ((run.out - wave).square().mean() / wave.square().mean()).item()
    return backward(run, weights, (run.out - wave) / len(wave), BETA, BETA_OUT, **options), loss


def wave(gain=1.0, frozen=False, rate=5e-3, plain=False, clip=None, **options):
    """A row: the loss after 100 updates with Adam, or with plain gradient descent; 1 is a flat line."""
    def row(seed):
        weights, x, target, _ = wave_task(seed, gain)
        trained = list(weights[2:] if frozen else weights)
        optimiser = (torch.optim.SGD if plain else torch.optim.Adam)(trained, lr=rate)
        for _ in range(100):
            grads, _ = wave_gradient(weights, x, target, **options)
            for weight, grad in zip(weights, grads, strict=True):
                weight.grad = grad
            if clip:
                torch.nn.utils.clip_grad_norm_(trained, clip)
            optimiser.step()
            if not all(weight.abs().max() < 1e4 for weight in weights):
                return math.inf
        return wave_gradient(weights, x, target)[1]

    return row


def wave_at(rate):
    """A row: the loss down the exact gradient with Adam at another rate, after 100 updates, as in `wave`, and after 200."""
    def row(seed):
        weights, x, target, _ = wave_task(seed)
        optimiser, losses = torch.optim.Adam(weights, lr=rate), {}
        for update in range(1, 201):
            weights.hidden.grad, weights.recurrent.grad, weights.output.grad = wave_gradient(weights, x, target)[0]
            optimiser.step()
            if update in (100, 200):
                losses[f"{update} updates"] = wave_gradient(weights, x, target)[1]
        return losses

    return row


def cue_task(batch, random):
    """45 steps: one of two groups of 20 inputs speaks for 5 steps, 60 others chatter; the side, 1 or -1, is due last."""
    x = (torch.rand(45, batch, 100, generator=random) < 0.05).float()
    side = (torch.rand(batch, generator=random) < 0.5).float() * 2 - 1
    spoken = (torch.rand(5, batch, 20, generator=random) < 0.5).float()
    x[:, :, :40] = 0
    x[:5, :, :20], x[:5, :, 20:40] = spoken * (side > 0)[:, None], spoken * (side < 0)[:, None]
    return x, side[None, :, None]


def cue(truncation=None, trained=Weights._fields):
    """A row: share of 500 new trials whose cue, 36 to 44 steps ago, is told right after 100 updates; chance is a half."""
    def row(seed):
        weights, random = draw(seed, 1.0)
        optimiser = torch.optim.Adam([getattr(weights, name) for name in trained], lr=5e-3)
        for _ in range(100):
            x, side = cue_task(32, random)
            run = forward(x, weights, BETA, BETA_OUT)
            error = (run.out - side) / (5 * 32)
            error[:-5] = 0                                                                  # the last five steps are judged
            for weight, grad in zip(weights, backward(run, weights, error, BETA, BETA_OUT, truncation=truncation), strict=True):
                weight.grad = grad
            optimiser.step()
        x, side = cue_task(500, random)
        return (forward(x, weights, BETA, BETA_OUT).out[-5:].mean(0).sign() == side[0]).float().mean().item()

    return row


def swing(weights, state, num_steps, **options):
    """A pendulum on its tip, pushed by 32 spiking neurons that see its angle and speed [B, 2]; squared angles [T, B]."""
    inward, bias, outward, offset = weights
    mem = spk = torch.zeros(len(state), len(bias))
    push, angles = 0.0, []
    for _ in range(num_steps):
        spk, mem = lif_step(state @ inward.T + bias, mem, spk, BETA, **options)
        push = 0.7 * push + 5.1 * (spk @ outward.T + offset)                                # [B, 1]
        speed = state[:, 1:] + 0.05 * (4 * torch.sin(state[:, :1]) + push)
        state = torch.cat([state[:, :1] + 0.05 * speed, speed], 1)
        angles.append(state[:, 0] ** 2)
    return torch.stack(angles)


def pendulum(detach_reset, factor=1.0):
    """A row: root mean square angle, in degrees, of 200 new starts over 400 steps after 100 updates through the pendulum."""
    def row(seed):
        random = torch.Generator().manual_seed(seed)
        def uniform(*shape):
            return 2 * torch.rand(*shape, generator=random) - 1
        weights = [1.8 * uniform(32, 2), 0.45 + 0.45 * uniform(32), 0.018 * uniform(1, 32), torch.zeros(1)]
        options = {"detach_reset": detach_reset, "surrogate": lambda u: factor * atan()(u)}
        optimiser = torch.optim.Adam([weight.requires_grad_() for weight in weights], lr=5e-3)
        for update in range(100):
            grown = min(1, update / 50)                                                     # longer runs, wider starts
            loss = torch.log1p(swing(weights, (0.1 + 0.4 * grown) * uniform(32, 2), int(20 + 60 * grown), **options)).mean()
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimiser.step()
        with torch.no_grad():
            return math.degrees(swing(weights, 0.5 * uniform(200, 2), 400, **options).clamp(max=math.pi**2).mean().sqrt())

    return row


@cache
def _images():
    data = mnist5k()
    rows = [(images / 255).view(-1, 28, 28).transpose(0, 1) for images in (data.train_images, data.test_images)]
    return rows[0].contiguous(), data.train_labels, rows[1].contiguous(), data.test_labels  # rows of pixels: [28, n, 28]


def read_rows(x, weights, alpha=0.5, beta=0.9, beta_out=0.95):
    """Run the layer of exercise 08.6 over x [T, B, I]; returns mem, spk [T, B, H] and the last read-out [B, O]."""
    mem = spk = syn = x.new_zeros(x.shape[1], len(weights.hidden))
    out, steps = 0.0, []
    for current in x @ weights.hidden.T:
        syn = alpha * syn + current + spk @ weights.recurrent.T
        mem = beta * mem + syn - spk
        spk = (mem > 1).float()
        out = beta_out * out + spk @ weights.output.T
        steps.append((mem, spk))
    return *map(torch.stack, zip(*steps, strict=True)), out


def learn_rows(gradient, seed, frozen=False, epochs=4, alpha=0.5, beta=0.9, beta_out=0.95):
    """Train 28-100-10 on digits read row by row, by `gradient` of exercise 08.6; share of the test images that are read."""
    images, labels, test_images, test_labels = _images()
    random, steps = torch.Generator().manual_seed(seed), epochs * len(labels) // 50
    normal = [torch.randn(shape, generator=random) for shape in ((100, 28), (100, 100), (10, 100))]
    weights = Weights(1.5 * normal[0] / 28**0.5, 0.5 * normal[1] / 10, normal[2] / 10)
    optimiser = torch.optim.Adam(weights[2:] if frozen else weights, lr=5e-3)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    fade = beta_out ** torch.arange(27, -1, -1.0)[:, None, None]                            # from O[28] back to O[t], Eq. 4
    for batch in torch.cat([torch.randperm(len(labels), generator=random) for _ in range(epochs)]).split(50):
        x = images[:, batch]
        mem, spk, out = read_rows(x, weights, alpha, beta, beta_out)
        d_out = fade * (F.softmax(out, 1) - F.one_hot(labels[batch], 10)) / len(batch)      # only the end is judged
        weights.output.grad = torch.einsum("tbo,tbh->oh", d_out, spk)
        if not frozen:
            d_syn = gradient(d_out @ weights.output, atan()(mem - 1), weights.recurrent, alpha, beta)
            weights.hidden.grad = torch.einsum("tbh,tbi->hi", d_syn, x)
            weights.recurrent.grad = torch.einsum("tbh,tbj->hj", d_syn[1:], spk[:-1])
        optimiser.step()
        rate.step()
    guess = torch.cat([read_rows(x, weights, alpha, beta, beta_out)[2].argmax(1) for x in test_images.split(1000, 1)])
    return (guess == test_labels).float().mean().item()


class Rival(nn.Module):
    """An ordinary recurrent network of 100 units, `nn.RNN` or `nn.GRU`, whose last state is read out; rows [T, B, 28]."""

    def __init__(self, kind):
        super().__init__()
        self.layer, self.output = kind(28, 100), nn.Linear(100, 10)

    def forward(self, x):
        return self.output(self.layer(x)[0][-1])                                            # [B, 10]


def learn_rival(kind, seed, epochs=4):
    """Train a `Rival` as `learn_rows` trains, by autograd, with the initial weights of PyTorch; share of the test images."""
    images, labels, test_images, test_labels = _images()
    random, steps = torch.Generator().manual_seed(seed), epochs * len(labels) // 50
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = Rival(kind)
    optimiser = torch.optim.Adam(net.parameters(), lr=5e-3)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for batch in torch.cat([torch.randperm(len(labels), generator=random) for _ in range(epochs)]).split(50):
        optimiser.zero_grad()
        F.cross_entropy(net(images[:, batch]), labels[batch]).backward()                    # only the end is judged
        optimiser.step()
        rate.step()
    with torch.no_grad():
        guess = torch.cat([net(x).argmax(1) for x in test_images.split(1000, 1)])
    return (guess == test_labels).float().mean().item()


def immediate_gradient(d_spk, h, V, alpha, beta):
    """What a window of one step leaves of `layer_gradient`."""
    return h * d_spk


def still(detach_reset):
    """A row: share of the 360 test images of 8 x 8 pixels that 64-100-10, without V, reads after 10 epochs of 10 steps."""
    def row(seed):
        data, random = digits(), torch.Generator().manual_seed(seed)
        normal = [torch.randn(shape, generator=random) for shape in ((100, 64), (10, 100))]
        weights = Weights(3 * normal[0] / 8, None, normal[1] / 10)
        optimiser = torch.optim.Adam(weights[::2], lr=2e-3)
        for batch in torch.cat([torch.randperm(len(data.train_labels), generator=random) for _ in range(10)]).split(50):
            run = forward(flat(data.train_images[batch]).expand(10, -1, -1), weights, BETA, BETA_OUT)
            error = (F.softmax(run.out, 2) - F.one_hot(data.train_labels[batch], 10)) / (10 * len(batch))
            grads = backward(run, weights, error, BETA, BETA_OUT, detach_reset=detach_reset)
            weights.hidden.grad, weights.output.grad = grads.hidden, grads.output
            optimiser.step()
        run = forward(flat(data.test_images).expand(10, -1, -1), weights, BETA, BETA_OUT)
        return (run.out[-1].argmax(1) == data.test_labels).float().mean().item()

    return row


ROWS = {
    "wave, exact": wave(), "wave, window 10": wave(truncation=10), "wave, attached": wave(detach_reset=False),
    "wave, sharp": wave(surrogate=atan(5.0)), "wave, clipped": wave(clip=0.1),
    "wave, read-out alone": wave(frozen=True), "wave, read-out alone, 4 x rate": wave(frozen=True, rate=2e-2),
    "wave, gain 0.3, exact": wave(gain=0.3), "wave, gain 0.3, window 10": wave(gain=0.3, truncation=10),
    **{f"wave, plain, {name}{clipped}": wave(plain=True, rate=1.0, clip=clip, **way)
       for name, way in (("exact", {}), ("window 10", {"truncation": 10}))
       for clipped, clip in (("", None), (", clipped", 1.0))},
    **{f"wave, exact, rate {rate:g}": wave_at(rate) for rate in (5e-4, 2e-3)},
    "wave, clipped, rate 0.002": wave(clip=0.1, rate=2e-3), "wave, read-out alone, rate 0.08": wave(frozen=True, rate=8e-2),
    **{f"wave, {name}, rate {rate:g}": wave(rate=rate, **way) for rate in (2e-2, 8e-2)
       for name, way in (("exact", {}), ("clipped", {"clip": 0.1}), ("window 10", {"truncation": 10}))},
    **{f"cue, window {K}": cue(K if K < 45 else None) for K in WINDOWS},
    "cue, window 20, V as drawn": cue(20, ("hidden", "output")), "cue, read-out alone": cue(trained=("output",)),
    "rows, by hand": partial(learn_rows, layer_gradient),
    "rows, by hand, reset detached": partial(learn_rows, layer_detached),
    "rows, immediate influence alone": partial(learn_rows, immediate_gradient),
    "rows, read-out alone": partial(learn_rows, layer_gradient, frozen=True),
    **{f"rows, {kind.__name__}": partial(learn_rival, kind) for kind in (nn.RNN, nn.GRU)},
    "still, attached": still(False), "still, detached": still(True),
    "pendulum, attached": pendulum(False), "pendulum, detached": pendulum(True),
    "pendulum, detached, surrogate x 0.2": pendulum(True, 0.2), "pendulum, attached, surrogate x 5": pendulum(False, 5.0),
}
