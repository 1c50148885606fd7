"""Routing a stream of tokens to experts: a domain that switches, how well a router can do, and how it is scored.

A stream has two domains. A token is normal noise around the mean of its domain, and the right expert at t is the one of the
domain at t + 1: a router that sees tokens up to t must have it ready. At one step, the switch, the domain changes.
"""
import math
from typing import NamedTuple

import torch

from ._arguments import (
    check_affordable,
    check_classes,
    check_finite,
    check_generator,
    check_numbers,
    check_pair,
    check_shape,
    check_signal,
    check_that,
    check_whole,
)

LONGEST_STREAM = 1000


class Streams(NamedTuple):
    """Tokens [T, B, D] of streams, the domain 0 or 1 of each, int64 [T, B], and the step [B] at which it changes.

    >>> Streams(torch.zeros(12, 4, 16), torch.zeros(12, 4).long(), torch.full((4,), 6)).tokens.shape
    torch.Size([12, 4, 16])
    """

    tokens: torch.Tensor
    domains: torch.Tensor
    switch: torch.Tensor


class RouterScore(NamedTuple):
    """How a router did, as shares from 0 to 1.

    Args:
        at_switch: right choices (argmax) at the step before the domain changes.
        probability: what the gate gave to the right expert there, on average.
        elsewhere: right choices at all other steps.
        overall: right choices at all steps.

    >>> RouterScore(0.0, 0.1, 1.0, 10 / 11).at_switch
    0.0
    """

    at_switch: float
    probability: float
    elsewhere: float
    overall: float


class SwitchBounds(NamedTuple):
    """What a router without any doubt about the past does at a switch: its share of right choices, and its probability.

    Args:
        lowest, highest: right choices, where a tie of one half goes to the old domain, and to the new one.
        probability: what it gives to the right expert, on average.

    >>> SwitchBounds(0.0, 1.0, 0.5).probability
    0.5
    """

    lowest: float
    highest: float
    probability: float


def _check_switch_times(owner, earliest, latest, most=LONGEST_STREAM):
    check_whole(owner, high=most, earliest=earliest, latest=latest)
    check_that(owner, earliest <= latest, f"earliest must not come after latest, got {earliest} and {latest}.")


def switching_domains(samples, earliest=6, latest=6, num_steps=12, generator=None):
    """Draw the domains of streams that change once, at a step between two others, from either domain to the other.

    switch ~ uniform in earliest .. latest,    domain[t] = start for t < switch, 1 - start from there on

    Args:
        samples: number of streams.
        earliest, latest: first and last step at which the new domain may begin, between 1 and num_steps - 1.
        num_steps: tokens in a stream.
        generator: source of the random numbers, a `torch.Generator`.

    Returns:
        (domains, switch): int64 [T, B] and [B].

    Raises:
        TypeError: generator not a torch.Generator.
        ValueError: a count that is not a whole number of at least 1, a switch outside the stream.

    Source: after Wong (2026), arXiv:2605.00604, where the switch is always at step 6 of 12.

    >>> domains, switch = switching_domains(5, 3, 3, num_steps=6)
    >>> (domains[0] != domains[3]).all().item(), switch.tolist()
    (True, [3, 3, 3, 3, 3])
    """
    check_whole("switching_domains", high=10**6, samples=samples)
    check_whole("switching_domains", low=2, high=LONGEST_STREAM, num_steps=num_steps)
    _check_switch_times("switching_domains", earliest, latest, most=num_steps - 1)
    check_generator("switching_domains", generator)
    switch = torch.randint(int(earliest), int(latest) + 1, (int(samples),), generator=generator)
    start = torch.randint(0, 2, (int(samples),), generator=generator)
    return (start + (torch.arange(int(num_steps))[:, None] >= switch)) % 2, switch


def switching_streams(samples, earliest=6, latest=6, num_steps=12, size=16, noise=0.8, generator=None):
    """Draw streams of noisy tokens whose domain changes once.

    token[t] = mean of domain[t] + noise * normal;    the mean of domain 0 is 1 in the first half of the numbers and 0 in the
    second, that of domain 1 the other way round

    Args:
        samples, earliest, latest, num_steps, generator: as in `switching_domains`.
        size: numbers in a token, even.
        noise: standard deviation, not negative.

    Returns:
        `Streams`.

    Raises:
        TypeError: generator not a torch.Generator, noise not a number.
        ValueError: what `switching_domains` refuses, an odd size, negative noise.

    Source: Wong (2026), arXiv:2605.00604, section 4.

    >>> streams = switching_streams(4, generator=torch.Generator().manual_seed(0))
    >>> streams.tokens.shape, streams.switch.tolist()
    (torch.Size([12, 4, 16]), [6, 6, 6, 6])
    """
    check_whole("switching_streams", high=10**6, samples=samples)
    check_whole("switching_streams", low=2, high=LONGEST_STREAM, num_steps=num_steps)
    _check_switch_times("switching_streams", earliest, latest, most=num_steps - 1)
    check_generator("switching_streams", generator)
    check_numbers("switching_streams", low=0, high=1e6, noise=noise)
    check_whole("switching_streams", low=2, high=10**5, size=size)
    check_that("switching_streams", size % 2 == 0, f"size must be even, got {size}.")
    check_affordable("switching_streams", "samples", num_steps, samples, size)
    domains, switch = switching_domains(samples, earliest, latest, num_steps, generator)
    half = torch.arange(int(size)) >= int(size) // 2
    means = torch.stack([~half, half]).float()                                                   # [2, D]
    tokens = means[domains] + float(noise) * torch.randn(*domains.shape, int(size), generator=generator)
    return Streams(tokens, domains, switch)


def _check_domains(owner, domains, name="domains"):
    check_classes(owner, name, domains, "[T, B] of 0 and 1")
    check_that(owner, domains.dim() == 2 and len(domains) > 1 and domains.shape[1] > 0,
               f"{name} must be [T, B] with two steps or more, got shape {tuple(domains.shape)}.")
    check_that(owner, bool(((domains == 0) | (domains == 1)).all()),
               f"{name} must hold 0 and 1, got {int(domains.min())} to {int(domains.max())}.")


def next_experts(domains, experts=(0, 2)):
    """Name the right expert at each step but the last: the one of the domain that comes next.

    right[t] = experts[domain[t + 1]]

    Args:
        domains: 0 or 1, int64 [T, B].
        experts: the numbers of the two experts; a gate may have others, which are never right.

    Returns:
        Class numbers, int64 [T - 1, B].

    Raises:
        TypeError: domains not an int64 tensor, experts not a pair.
        ValueError: domains not [T, B] with two steps or more, or not 0 and 1, experts not whole numbers from 0.

    Source: Wong (2026), arXiv:2605.00604, section 4.

    >>> next_experts(torch.tensor([[0], [0], [1]])).flatten().tolist()
    [0, 2]
    """
    _check_domains("next_experts", domains)
    check_pair("next_experts", "experts", experts, "(of domain 0, of domain 1)")
    check_whole("next_experts", low=0, high=10**6, **{f"experts[{place}]": number for place, number in enumerate(experts)})
    return torch.tensor([int(number) for number in experts])[domains[1:]]


def token_accuracy(size=16, noise=0.8):
    """Say how often one token names its own domain rightly, read as well as it can be.

    Phi(sqrt(size) / (2 noise)):    the two means are sqrt(size) apart, and the best border lies half way

    Args:
        size: numbers in a token.
        noise: standard deviation, positive.

    Returns:
        A share from 1/2 to 1. A router without memory has it while the domain stays, and 1 minus it at a switch.

    Raises:
        TypeError: noise not a number.
        ValueError: size not a whole number of at least 1, noise not positive.

    Source: the likelihood ratio of two normal densities.

    >>> round(1 - token_accuracy(16, 0.8), 4)
    0.0062
    """
    check_whole("token_accuracy", high=10**9, size=size)
    check_numbers("token_accuracy", above=0, high=1e9, noise=noise)
    return 0.5 * (1 + math.erf(math.sqrt(int(size)) / (2 * float(noise)) / math.sqrt(2)))


def switch_hazard(earliest, latest):
    """Say how likely the switch is at each step, if it has not come before.

    hazard[s] = P(switch = s | switch >= s) = 1 / (latest - s + 1),    s = earliest .. latest

    Args:
        earliest, latest: first and last step at which the switch may come, all equally likely.

    Returns:
        A list of probabilities, the last 1.

    Raises:
        ValueError: not whole numbers from 1, earliest after latest.

    Source: the hazard of a uniform distribution.

    >>> [round(value, 2) for value in switch_hazard(3, 9)]
    [0.14, 0.17, 0.2, 0.25, 0.33, 0.5, 1.0]
    """
    _check_switch_times("switch_hazard", earliest, latest)
    return [1 / (int(latest) - step + 1) for step in range(int(earliest), int(latest) + 1)]


def switch_bounds(earliest, latest):
    """Say what the best router does at a switch whose time it cannot know.

    It knows the past without doubt and bets on the new domain where the hazard is above one half: lowest is the share of
    switches there, highest counts those at one half, too; what it gives the right expert is the hazard, on average.

    Args:
        earliest, latest: first and last step at which the switch may come, all equally likely.

    Returns:
        `SwitchBounds`. They are no limits for a router that pays for it elsewhere: one that always bets is right at each.

    Raises:
        ValueError: not whole numbers from 1, earliest after latest.

    Source: Bayes' rule.

    >>> [round(value, 3) for value in switch_bounds(3, 9)]
    [0.143, 0.286, 0.37]
    >>> switch_bounds(6, 6) == (1, 1, 1)
    True
    """
    _check_switch_times("switch_bounds", earliest, latest)
    hazard = switch_hazard(earliest, latest)
    count = len(hazard)
    return SwitchBounds(sum(value > 0.5 for value in hazard) / count, sum(value >= 0.5 for value in hazard) / count,
                        sum(hazard) / count)


def token_evidence(tokens, noise=0.8):
    """Weigh each token: by how much it speaks for domain 1 and against domain 0, in log odds.

    e = log p(token given 1) - log p(token given 0) = (sum of its second half - sum of its first) / noise^2

    Args:
        tokens: [T, B, D], D even.
        noise: standard deviation of the tokens, positive.

    Returns:
        Log odds, [T, B].

    Raises:
        TypeError: tokens not a floating-point tensor, noise not a number.
        ValueError: tokens not [T, B, D] with D even, NaN or infinity in them, noise not positive.

    Source: the likelihood ratio of two normal densities.

    >>> token_evidence(torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]]]), noise=0.5).flatten().tolist()
    [-4.0, 4.0]
    """
    check_signal("token_evidence", "tokens", tokens, layout="[T, B, D] (time first)", dims=3)
    check_that("token_evidence", tokens.shape[2] % 2 == 0, f"tokens must have an even size, got shape {tuple(tokens.shape)}.")
    check_finite("token_evidence", "tokens", tokens, "Look for it where they were made.")
    check_numbers("token_evidence", above=1e-6, high=1e9, noise=noise)
    first, second = tokens.chunk(2, dim=2)
    return (second.sum(2) - first.sum(2)) / float(noise)**2


def bayes_router(evidence, earliest=6, latest=6):
    """Give the probability that the next token comes from domain 1, from all tokens so far: the router that none can beat.

    Each hypothesis h, a start and a switch, has a domain d_h[t]; with u = 2 d - 1:
    P(h | tokens up to t) ~ exp(sum over k <= t of u_h[k] e[k] / 2),    answer[t] = sum over h of P(h) d_h[t + 1]

    Args:
        evidence: log odds of each token, [T, B], from `token_evidence`.
        earliest, latest: first and last step at which the switch may come, all equally likely; latest at most T.

    Returns:
        Probabilities, [T, B].

    Raises:
        TypeError: evidence not a floating-point tensor.
        ValueError: evidence not [T, B], NaN or infinity in it, a switch outside 1..T.

    Source: Bayes' rule.

    >>> sure = torch.tensor([[40.0], [40.0], [40.0]])
    >>> [round(value, 2) for value in bayes_router(sure, 2, 3).flatten().tolist()]
    [1.0, 0.5, 0.0]
    """
    check_signal("bayes_router", "evidence", evidence, layout="[T, B] (time first)", dims=2)
    check_finite("bayes_router", "evidence", evidence, "Look for it in the tokens.")
    _check_switch_times("bayes_router", earliest, latest, most=len(evidence))
    check_affordable("bayes_router", "evidence", *evidence.shape, 2 * (latest - earliest + 1))
    switch = torch.arange(int(earliest), int(latest) + 1).repeat(2)                              # [hypotheses]
    start = torch.arange(2).repeat_interleave(len(switch) // 2)
    domain = (start + (torch.arange(len(evidence) + 1)[:, None] >= switch)) % 2                  # [T + 1, hypotheses]
    said = evidence[:, :, None] * (domain[:-1, None] - 0.5)                                      # u e / 2
    return (said.cumsum(0).softmax(2) * domain[1:, None]).sum(2)


@torch.no_grad()
def score_router(probabilities, streams, experts=(0, 2)):
    """Score what a gate gave to each expert: at the switch and elsewhere, by its choice and by its probability.

    Args:
        probabilities: of each expert, [T - 1, B, E]; the softmax of a gate's logits.
        streams: `Streams`; their tokens are not looked at.
        experts: the numbers of the two experts that can be right.

    Returns:
        `RouterScore`; each stream has one step before its switch.

    Raises:
        TypeError: probabilities not a floating-point tensor, streams not Streams.
        ValueError: shapes that do not fit, no such experts, a switch outside 1..T-1, NaN or infinity.

    Source: Wong (2026), arXiv:2605.00604, scores the choices at the switch.

    >>> streams = switching_streams(100, noise=0.0)
    >>> now = torch.nn.functional.one_hot(2 * streams.domains[:-1], 4).float()
    >>> score_router(now, streams)[:3]
    (0.0, 0.0, 1.0)
    """
    _check_scored("score_router", probabilities, streams, experts)
    right = next_experts(streams.domains, experts)                                               # [T - 1, B]
    chosen = (probabilities.argmax(2) == right).double()
    given = probabilities.gather(2, right[..., None])[..., 0].double()
    before = torch.arange(len(right))[:, None] == streams.switch - 1
    rest = chosen[~before]
    return RouterScore(chosen[before].mean().item(), given[before].mean().item(),
                       rest.mean().item() if len(rest) else math.nan, chosen.mean().item())


def _check_scored(owner, probabilities, streams, experts):
    check_signal(owner, "probabilities", probabilities, layout="[T - 1, B, E] (time first)", dims=3)
    check_finite(owner, "probabilities", probabilities, "Lower the learning rate.")
    check_that(owner, isinstance(streams, Streams), f"streams must be Streams, such as switching_streams(100), got "
               f"{type(streams).__name__}.", TypeError)
    _check_domains(owner, streams.domains, "streams.domains")
    check_that(owner, len(streams.domains) > 2, f"streams must have three steps or more, got {len(streams.domains)}.")
    check_shape(owner, "probabilities", probabilities[:, :, 0], (len(streams.domains) - 1, streams.domains.shape[1]),
                "without its last axis, to fit streams.domains")
    check_classes(owner, "streams.switch", streams.switch, "[B]")
    check_shape(owner, "streams.switch", streams.switch, streams.domains.shape[1:], "to fit streams.domains")
    check_that(owner, bool(((streams.switch > 0) & (streams.switch < len(streams.domains))).all()),
               f"streams.switch must lie in 1..{len(streams.domains) - 1}, got {int(streams.switch.min())} to "
               f"{int(streams.switch.max())}.")
    check_pair(owner, "experts", experts, "(of domain 0, of domain 1)")
    check_whole(owner, low=0, high=probabilities.shape[2] - 1,
                **{f"experts[{place}]": number for place, number in enumerate(experts)})


def interaction(neither, memory, anticipation, both):
    """Say how much more two ingredients bring together than the sum of what each brings alone.

    (both - neither) - (memory - neither) - (anticipation - neither)

    Args:
        neither, memory, anticipation, both: the same score without either, with one, with the other, with both; numbers.

    Returns:
        A number: above 0 for more than the sum, below for less.

    Raises:
        TypeError: not a number.
        ValueError: NaN or infinity.

    Source: the interaction of a two by two experiment.

    >>> round(interaction(0.0, 0.25, 0.0, 0.75), 2)
    0.5
    """
    check_numbers("interaction", neither=neither, memory=memory, anticipation=anticipation, both=both)
    return float(both) - float(memory) - float(anticipation) + float(neither)
