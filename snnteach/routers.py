"""Routers that learn: a gate over experts, on a token alone, on leaky memories of four kinds, or on spikes."""
import math
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from ._arguments import (
    check_callable,
    check_classes,
    check_dtype,
    check_finite,
    check_flags,
    check_generator,
    check_numbers,
    check_option,
    check_pair,
    check_shape,
    check_signal,
    check_that,
    check_whole,
)
from .neurons import lif
from .routing import Streams, next_experts, switching_streams

MEMORIES = ("none", "clock", "leaky", "bank", "membranes", "spikes", "traces")
HEADS = ("linear", "mlp", "anticipation")


class Routed(NamedTuple):
    """What a router did: logits over experts [T, B, E], the next token it foresees [T, B, D] or None, spikes or None.

    >>> Routed(torch.zeros(11, 4, 4), None, None).logits.shape
    torch.Size([11, 4, 4])
    """

    logits: torch.Tensor
    predicted: torch.Tensor | None
    spk: torch.Tensor | None


def _drawn(into, out, generator):
    layer = nn.utils.skip_init(nn.Linear, into, out)
    for part in (layer.weight, layer.bias):
        nn.init.uniform_(part, -into**-0.5, into**-0.5, generator=generator)
    return layer


class Router(nn.Module):
    """A gate that chooses an expert at each token, with a memory h of the tokens so far.

    h[t] is, by `memory`: none, the token x[t] itself; clock, one of num_steps numbers is 1, that of the step t; leaky,
    beta h[t-1] + x[t] with one learned beta a number of the token (0.9 at first), no threshold, no reset, no spike; bank, the
    same over W x[t] + b, `neurons` of them, with decays that are spread at first; membranes, spikes or traces, a layer of lif
    neurons over W x[t] + b: its membranes, its spikes of this step, or decay h[t-1] + spk[t], with decays spread at first.
    The logits are, by `head`: linear, W h; mlp, W2 relu(W1 (x, h)); anticipation, W x_hat with x_hat = W2 relu(W1 (x, h)).

    Args:
        size: numbers in a token, D.
        memory, head: as above.
        experts: number of experts, E.
        neurons: width of the memory, where it is not the token's, and of the hidden layer of a head.
        reset: of the lif neurons, as in `snnteach.neurons.lif`.
        threshold: of the lif neurons, positive.
        decays: the first and the last decay of the spread, strictly between 0 and 1.
        learn_decays: train the decays.
        num_steps: steps of the clock.
        generator: source of the first weights, a `torch.Generator`.

    Returns:
        A module; `forward(x)` takes [T, B, D] and returns `Routed`.

    Raises:
        TypeError: an argument of the wrong kind.
        ValueError: memory, head or reset unknown, counts not whole numbers of at least 1, decays outside ]0, 1[.

    Source: Wong (2026), arXiv:2605.00604, for none, leaky (there called LIF) and anticipation; the others are controls.

    >>> router = Router(16, memory="traces", generator=torch.Generator().manual_seed(0))
    >>> routed = router(torch.rand(12, 4, 16))
    >>> routed.logits.shape, routed.spk.shape
    (torch.Size([12, 4, 4]), torch.Size([12, 4, 64]))
    """

    def __init__(self, size, memory="none", head="linear", *, experts=4, neurons=64, reset="subtract", threshold=1.0,
                 decays=(0.3, 0.97), learn_decays=True, num_steps=12, generator=None):
        super().__init__()
        _check_router("Router", size, memory, head, experts, neurons, reset, threshold, decays, learn_decays, num_steps,
                      generator)
        size, neurons = int(size), int(neurons)
        self.size, self.memory, self.head, self.reset, self.threshold = size, memory, head, reset, float(threshold)
        self.num_steps = int(num_steps)
        width = {"none": size, "leaky": size, "clock": self.num_steps}.get(memory, neurons)
        first, last = (0.9, 0.9) if memory == "leaky" else map(float, decays)
        if memory not in ("none", "clock"):
            spread = torch.linspace(first, last, width).logit()
            self.into = None if memory == "leaky" else _drawn(size, neurons, generator)
            self.decay = nn.Parameter(spread, bool(learn_decays))
            if memory == "traces":
                self.trace_decay = nn.Parameter(spread.clone(), bool(learn_decays))
        if head != "linear":
            self.hidden = _drawn(size + width, neurons, generator)
            self.out = _drawn(neurons, size if head == "anticipation" else int(experts), generator)
        if head != "mlp":
            self.gate = _drawn(width if head == "linear" else size, int(experts), generator)

    def remember(self, x):
        """Return the memory h [T, B, width] of tokens x [T, B, D], and the spikes or None."""
        _check_tokens_fit("Router", x, self)
        if self.memory == "none":
            return x, None
        if self.memory == "clock":
            return torch.eye(self.num_steps, dtype=x.dtype)[:len(x), None].expand(-1, x.shape[1], -1), None
        beta, current = self.decay.sigmoid(), x if self.into is None else self.into(x)
        if self.memory in ("leaky", "bank"):
            return lif(current, beta, reset="none")[1], None
        spk, mem = lif(current, beta, self.threshold, reset=self.reset)
        if self.memory == "traces":
            return lif(spk, self.trace_decay.sigmoid(), reset="none")[1], spk
        return mem if self.memory == "membranes" else spk, spk

    def forward(self, x):
        """Route tokens x [T, B, D] and return `Routed`."""
        _check_tokens_fit("Router", x, self)
        h, spk = self.remember(x)
        if self.head == "linear":
            return Routed(self.gate(h), None, spk)
        said = self.out(self.hidden(torch.cat([x, h], 2)).relu())
        return Routed(said, None, spk) if self.head == "mlp" else Routed(self.gate(said), said, spk)


def _check_router(owner, size, memory, head, experts, neurons, reset, threshold, decays, learn_decays, num_steps, generator):
    check_whole(owner, high=10**5, size=size)
    check_option(owner, "memory", memory, MEMORIES)
    check_option(owner, "head", head, HEADS)
    check_whole(owner, high=10**4, experts=experts, neurons=neurons)
    check_option(owner, "reset", reset, ("subtract", "subtract_decayed", "zero", "none"))
    check_numbers(owner, above=0, high=1e6, threshold=threshold)
    check_pair(owner, "decays", decays, "(first, last)")
    check_numbers(owner, above=0, high=1 - 1e-6, **{f"decays[{place}]": decay for place, decay in enumerate(decays)})
    check_flags(owner, learn_decays=learn_decays)
    check_whole(owner, high=1000, num_steps=num_steps)
    check_generator(owner, generator)


def _check_tokens_fit(owner, x, router):
    check_signal(owner, "x", x, layout="[T, B, D] (time first)", dims=3)
    check_that(owner, x.shape[2] == router.size, f"x must be [T, B, {router.size}], got shape {tuple(x.shape)}.")
    check_that(owner, router.memory != "clock" or len(x) <= router.num_steps,
               f"x must have at most {router.num_steps} steps for this clock, got {len(x)}. Make it with num_steps={len(x)}.")
    check_dtype(owner, "x", x, "the weights", next(router.parameters()))
    check_finite(owner, "x", x, "Look for it where the tokens were made.")


def router_loss(routed, streams, price=0.0, experts=(0, 2)):
    """Ask a router to give the next domain's expert all its probability, and to foresee the next token where it tries to.

    L = mean over t, b of -log softmax(logits)[right] + 1/2 mean of (predicted[t] - token[t + 1])^2 + price * spikes a stream

    0 at the least (without the middle term); ln E for a gate that cannot choose.

    Args:
        routed: `Routed`, from the tokens of all steps but the last.
        streams: `Streams`.
        price: of a spike, not negative.
        experts: the numbers of the two experts that can be right.

    Returns:
        The loss, a scalar.

    Raises:
        TypeError: routed not Routed, streams not Streams, price not a number.
        ValueError: shapes that do not fit, price negative, NaN or infinity.

    Source: Wong (2026), arXiv:2605.00604, for the first two terms.

    >>> streams = switching_streams(4)
    >>> router = Router(16, memory="leaky", generator=torch.Generator().manual_seed(0))
    >>> router_loss(router(streams.tokens[:-1]), streams).shape
    torch.Size([])
    """
    _check_routed("router_loss", routed, streams, experts)
    check_numbers("router_loss", low=0, high=1e6, price=price)
    right = next_experts(streams.domains, experts)
    loss = functional.cross_entropy(routed.logits.flatten(0, 1), right.flatten())
    if routed.predicted is not None:
        loss = loss + 0.5 * (routed.predicted - streams.tokens[1:]).square().mean()
    if routed.spk is not None and price:
        loss = loss + float(price) * routed.spk.sum() / routed.spk.shape[1]
    return loss


def _check_routed(owner, routed, streams, experts):
    check_that(owner, isinstance(routed, Routed), f"routed must be Routed, what a Router returns, got {type(routed).__name__}.",
               TypeError)
    check_that(owner, isinstance(streams, Streams), f"streams must be Streams, such as switching_streams(100), got "
               f"{type(streams).__name__}.", TypeError)
    check_signal(owner, "streams.tokens", streams.tokens, layout="[T, B, D] (time first)", dims=3)
    check_finite(owner, "streams.tokens", streams.tokens, "Look for it where they were made.")
    check_classes(owner, "streams.domains", streams.domains, "[T, B] of 0 and 1")
    check_shape(owner, "streams.domains", streams.domains, streams.tokens.shape[:2], "to fit streams.tokens")
    check_that(owner, len(streams.domains) > 1, f"streams must have two steps or more, got {len(streams.domains)}.")
    check_that(owner, bool(((streams.domains == 0) | (streams.domains == 1)).all()), "streams.domains must hold 0 and 1.")
    for name, part in zip(Routed._fields, routed):
        if part is not None:
            check_signal(owner, f"routed.{name}", part, layout="[T - 1, B, ...] (time first)", dims=3)
            check_that(owner, part.shape[:2] == streams.tokens[1:].shape[:2],
                       f"routed.{name} must be [{len(streams.tokens) - 1}, {streams.tokens.shape[1]}, ...], one step less than "
                       f"streams.tokens, got shape {tuple(part.shape)}. Route streams.tokens[:-1].")
            check_finite(owner, f"routed.{name}", part, "Lower the learning rate.")
    check_that(owner, routed.predicted is None or routed.predicted.shape == streams.tokens[1:].shape,
               "routed.predicted must be as streams.tokens, one step less.")
    check_pair(owner, "experts", experts, "(of domain 0, of domain 1)")
    check_whole(owner, low=0, high=routed.logits.shape[2] - 1,
                **{f"experts[{place}]": number for place, number in enumerate(experts)})


def train_router(router, draw=switching_streams, *, steps=400, samples=256, learning_rate=3e-3, price=0.0, seed=0):
    """Train a router with Adam on streams that are new at every step.

    Args:
        router: a `Router`, or a module that takes tokens [T, B, D] and returns `Routed`.
        draw: a function (samples, generator=...) that returns `Streams`, such as `switching_streams`.
        steps: updates.
        samples: streams an update.
        learning_rate: positive.
        price: of a spike, not negative.
        seed: of the streams.

    Returns:
        The losses, a list of one number an update.

    Raises:
        TypeError: an argument of the wrong kind.
        ValueError: a count that is not a whole number of at least 1, a rate that is not positive, a negative price.

    Source: Kingma and Ba (2015), arXiv:1412.6980, for Adam; the settings of Wong (2026), arXiv:2605.00604, at half its length.

    >>> router = Router(16, generator=torch.Generator().manual_seed(0))
    >>> losses = train_router(router, steps=20, samples=32)
    >>> losses[-1] < losses[0]
    True
    """
    check_that("train_router", isinstance(router, nn.Module), f"router must be a Router, or a module that returns Routed, got "
               f"{type(router).__name__}.", TypeError)
    check_callable("train_router", "draw", draw, "Pass one such as switching_streams.")
    check_whole("train_router", high=10**5, steps=steps, samples=samples)
    check_numbers("train_router", above=0, high=1e3, learning_rate=learning_rate)
    check_numbers("train_router", low=0, high=1e6, price=price)
    check_whole("train_router", low=-2**63, high=2**63 - 1, seed=seed)
    optimiser = torch.optim.Adam(router.parameters(), float(learning_rate))
    generator, losses = torch.Generator().manual_seed(int(seed)), []
    for _ in range(int(steps)):
        streams = draw(int(samples), generator=generator)
        loss = router_loss(router(streams.tokens[:-1]), streams, price)
        check_that("train_router", math.isfinite(loss.item()), "learning_rate is too large: the loss is not finite.")
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses
