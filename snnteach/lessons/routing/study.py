"""The long runs of notebook 25: routers with and without memory, anticipation, time constants and spikes; and real digits.

Every router takes 300 updates of Adam at 3e-3, each on 256 new streams of 12 tokens, and is scored on 4096 others. A seed
draws the first weights, the training streams and the test streams, the same streams for all routers. Nothing was chosen by the
test streams.
"""
from functools import cache, partial

import torch
from torch.nn.functional import avg_pool2d, cross_entropy

from ...data import mnist5k
from ...neurons import lif
from ...routers import Router, train_router
from ...routing import Streams, next_experts, score_router, switching_domains, switching_streams
from ..kinds import AMOUNT, SHARE
from .answers import spiking_gate

SEEDS = (0, 1, 2)
TOLERANCE = 0.1
QUANTITIES = {"*: spikes": AMOUNT, "*": SHARE}
REGIMES = {"fixed": (6, 6), "random": (3, 9)}
STEPS = 300
PAIRS = ((1, 7), (3, 8))


class Cascade(Router):
    """Control: the traces of a router without its spikes, a leaky integrator of leaky integrators, all linear."""

    def remember(self, x):
        return lif(lif(self.into(x), self.decay.sigmoid(), reset="none")[1], self.trace_decay.sigmoid(), reset="none")[1], None


class Pointwise(Router):
    """Control: neurons without a membrane, whose spikes tell whether the current of this step is above threshold."""

    def remember(self, x):
        spk, _ = lif(self.into(x), 0.0, self.threshold, reset="none")
        return lif(spk, self.trace_decay.sigmoid(), reset="none")[1], spk


class Rectified(Router):
    """Control: neurons without a membrane and without spikes, whose traces sum up how far a current is above threshold."""

    def remember(self, x):
        return lif((self.into(x) - self.threshold).relu(), self.trace_decay.sigmoid(), reset="none")[1], None


def routed(router, draw, seed):
    """What a router gives each expert in 4096 streams that it was not trained on, the streams, and its spikes."""
    streams = draw(4096, generator=torch.Generator().manual_seed(10_000 + seed))
    with torch.no_grad():
        found = router(streams.tokens[:-1])
    return found.logits.softmax(2), streams, found.spk


def scores(router, draw, seed):
    """The scores of a router, and its spikes a token where it has any."""
    given, streams, spk = routed(router, draw, seed)
    found = {name.replace("_", " "): value for name, value in score_router(given, streams)._asdict().items()}
    return found if spk is None else {**found, "spikes": spk.mean().item() * spk.shape[2]}


def row(regime, memory, head, seed, kind=Router, price=0.0, **options):
    """A row: one kind of router, trained and scored where the switch is at step 6, or at random in 3 to 9."""
    earliest, latest = REGIMES[regime]
    draw = partial(switching_streams, earliest=earliest, latest=latest)
    router = kind(16, memory, head, generator=torch.Generator().manual_seed(seed), **options)
    train_router(router, draw, steps=STEPS, price=price, seed=seed)
    return scores(router, draw, seed)


def longer(regime, memory, head, seed):
    """Control, a row: three times the updates."""
    earliest, latest = REGIMES[regime]
    draw = partial(switching_streams, earliest=earliest, latest=latest)
    router = Router(16, memory, head, generator=torch.Generator().manual_seed(seed))
    train_router(router, draw, steps=3 * STEPS, seed=seed)
    return scores(router, draw, seed)


def longer_control(kind, seed):
    """Control, a row: a kind of traces that does not spike, at a fixed switch, three times the updates."""
    router = kind(16, "traces", "linear", generator=torch.Generator().manual_seed(seed))
    train_router(router, switching_streams, steps=3 * STEPS, seed=seed)
    return scores(router, switching_streams, seed)


@cache
def images(split):
    """Images of the four digits of two domains, 7 by 7 pixels, roughly standardised, [2][n, 49]."""
    data = mnist5k()
    pictures, labels = (data.train_images, data.train_labels) if split == "train" else (data.test_images, data.test_labels)
    pixels = avg_pool2d(pictures.view(-1, 1, 28, 28) / 255, 4).flatten(1)
    return [(pixels[(labels == one) | (labels == other)] - 0.13) / 0.23 for one, other in PAIRS]


def digit_streams(samples, earliest=6, latest=6, generator=None, split="train"):
    """Streams of handwritten digits: ones and sevens in one domain, threes and eights in the other, [12, B, 49]."""
    domains, switch = switching_domains(samples, earliest, latest, generator=generator)
    first, second = images(split)
    picked = [part[torch.randint(len(part), domains.shape, generator=generator)] for part in (first, second)]
    return Streams(torch.where(domains[..., None] == 0, *picked), domains, switch)


def on_digits(regime, memory, head, seed):
    """A row: a router of real digits; trained on the 2000 images of its four digits, scored with streams of test images."""
    earliest, latest = REGIMES[regime]
    draw = partial(digit_streams, earliest=earliest, latest=latest)
    router = Router(49, memory, head, generator=torch.Generator().manual_seed(seed))
    train_router(router, draw, steps=STEPS, seed=seed)
    return scores(router, partial(draw, split="test"), seed)


def longer_on_digits(memory, head, seed):
    """Control, a row: real digits at a fixed switch, three times the updates."""
    router = Router(49, memory, head, generator=torch.Generator().manual_seed(seed))
    train_router(router, digit_streams, steps=3 * STEPS, seed=seed)
    return scores(router, partial(digit_streams, split="test"), seed)


def built(seed):
    """A row: the gate of the build exercise on digits, trained and scored as in the notebook."""
    generator = torch.Generator().manual_seed(seed)
    into = (torch.randn(49, 64, generator=generator) / 7).requires_grad_()
    out = (torch.randn(64, 4, generator=generator) / 8).requires_grad_()
    leaks = [torch.linspace(0.3, 0.97, 64).logit().requires_grad_() for _ in range(2)]
    optimiser = torch.optim.Adam([into, out, *leaks], 3e-3)
    for _ in range(STEPS):
        streams = digit_streams(128, generator=generator)
        logits, _ = spiking_gate(streams.tokens[:-1], into, out, *(leak.sigmoid() for leak in leaks))
        loss = cross_entropy(logits.flatten(0, 1), next_experts(streams.domains).flatten())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    streams = digit_streams(2000, generator=generator, split="test")
    with torch.no_grad():
        logits, spk = spiking_gate(streams.tokens[:-1], into, out, *(leak.sigmoid() for leak in leaks))
    score = score_router(logits.softmax(2), streams)
    return {"at switch": score.at_switch, "overall": score.overall, "spikes": spk.mean().item() * 64}


FOUR = {"token": ("none", "linear"), "anticipation": ("none", "anticipation"), "memory": ("leaky", "linear"),
        "both": ("leaky", "anticipation")}
OTHERS = {"two layers": ("leaky", "mlp"), "clock": ("clock", "mlp"), "bank": ("bank", "linear"), "traces": ("traces", "linear")}
SPIKING = {"spikes": partial(row, "fixed", "spikes", "linear"), "membranes": partial(row, "fixed", "membranes", "linear"),
           **{f"traces, {change}": partial(row, "fixed", "traces", "linear", **options) for change, options in {
               "reset to zero": {"reset": "zero"}, "no reset": {"reset": "none"}, "no spikes": {"kind": Cascade},
               "rectified": {"kind": Rectified}, "no membrane": {"kind": Pointwise}, "16 neurons": {"neurons": 16}}.items()},
           **{f"traces, price {price:g}": partial(row, "fixed", "traces", "linear", price=price)
              for price in (0.001, 0.003, 0.01)}}
ROWS = {
    **{f"{regime}, {name}": partial(row, regime, *kind) for regime in REGIMES for name, kind in (FOUR | OTHERS).items()},
    **{f"{regime}, bank, one decay": partial(row, regime, "bank", "linear", decays=(0.9, 0.9), learn_decays=False)
       for regime in REGIMES},
    **{f"{regime}, two layers, one decay": partial(row, regime, "leaky", "mlp", learn_decays=False) for regime in REGIMES},
    "fixed, both, one decay": partial(row, "fixed", "leaky", "anticipation", learn_decays=False),
    **{f"fixed, {name}": made for name, made in SPIKING.items()},
    **{f"digits, {regime}, {name}": partial(on_digits, regime, *kind) for regime in REGIMES
       for name, kind in {**FOUR, **OTHERS}.items() if name not in ("anticipation", "clock")},
    "digits, build": built,
    **{f"{regime}, {name}, longer": partial(longer, regime, *(FOUR | OTHERS)[name])
       for regime, name in (("fixed", "both"), ("fixed", "traces"), ("random", "both"))},
    **{f"fixed, traces, {name}, longer": partial(longer_control, kind)
       for name, kind in (("no spikes", Cascade), ("rectified", Rectified))},
    **{f"digits, fixed, {name}, longer": partial(longer_on_digits, *(FOUR | OTHERS)[name]) for name in ("both", "traces")},
}
