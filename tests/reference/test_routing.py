"""Streams whose domain switches, what the best router makes of them, and routers that learn: closed forms and brute force."""
import itertools
import math
import re
from functools import partial

import pytest
import torch
from torch.nn import functional

from snnteach import routers, routing
from snnteach.neurons import lif
from snnteach.routers import Router
from snnteach.surrogate import atan, spike


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def phi(x):
    return 0.5 * math.erfc(-x / math.sqrt(2))


# Streams

@pytest.mark.parametrize(("earliest", "latest"), [(6, 6), (3, 9), (1, 11)])
def test_a_domain_changes_once_at_its_switch(earliest, latest):
    domains, switch = routing.switching_domains(4000, earliest, latest, generator=generator())
    changes = (domains[1:] != domains[:-1]).nonzero()
    assert len(changes) == 4000 and torch.equal(torch.stack([switch[b] for b in changes[:, 1]]), changes[:, 0] + 1)
    counts = switch.bincount(minlength=latest + 1)[earliest:] / 4000
    assert counts.min() > 0.7 / (latest - earliest + 1) and len(counts) == latest - earliest + 1
    assert abs(domains[0].float().mean() - 0.5) < 0.03


def test_tokens_are_noise_around_the_mean_of_their_domain():
    streams = routing.switching_streams(4000, size=6, noise=0.5, generator=generator())
    for domain, mean in ((0, [1, 1, 1, 0, 0, 0]), (1, [0, 0, 0, 1, 1, 1])):
        mine = streams.tokens[streams.domains == domain]
        assert torch.allclose(mine.mean(0), torch.tensor(mean).float(), atol=0.02)
        assert torch.allclose(mine.std(0), torch.full((6,), 0.5), atol=0.02)
    again = routing.switching_streams(4000, size=6, noise=0.5, generator=generator())
    assert torch.equal(again.tokens, streams.tokens)


def test_until_the_earlier_switch_two_streams_are_the_same():
    """So no router can tell them apart: what it wins at one switch it loses where the switch is later."""
    early, late = (routing.switching_streams(50, at, at, generator=generator()) for at in (6, 8))
    assert torch.equal(early.tokens[:6], late.tokens[:6]) and not torch.equal(early.tokens[6], late.tokens[6])


def test_the_right_expert_is_that_of_the_next_domain():
    domains = torch.tensor([[0, 1], [0, 1], [1, 0]])
    assert routing.next_experts(domains).tolist() == [[0, 2], [2, 0]]
    assert routing.next_experts(domains, (3, 1)).tolist() == [[3, 1], [1, 3]]


# Closed forms

@pytest.mark.parametrize(("size", "noise"), [(16, 0.8), (4, 1.0), (2, 0.5)])
def test_a_token_names_its_domain_as_often_as_the_normal_law_says(size, noise):
    streams = routing.switching_streams(20_000, size=size, noise=noise, num_steps=7, generator=generator())
    named = (routing.token_evidence(streams.tokens, noise) > 0).long()
    found = (named == streams.domains).double().mean().item()
    law = routing.token_accuracy(size, noise)
    assert law == pytest.approx(phi(math.sqrt(size) / 2 / noise)) and found == pytest.approx(law, abs=4e-3)
    assert size != 16 or 1 - law == pytest.approx(0.00621, abs=1e-5)


def test_the_evidence_is_the_ratio_of_two_normal_densities():
    tokens, noise = torch.randn(5, 3, 4, generator=generator(), dtype=torch.float64), 0.7
    density = [torch.distributions.Normal(torch.tensor(mean, dtype=torch.float64), noise).log_prob(tokens).sum(2)
               for mean in ([1.0, 1, 0, 0], [0.0, 0, 1, 1])]
    assert torch.allclose(routing.token_evidence(tokens, noise), density[1] - density[0])


@pytest.mark.parametrize(("earliest", "latest"), [(3, 9), (6, 6), (1, 4), (5, 8)])
def test_the_hazard_and_the_bounds_count_switches(earliest, latest):
    times = range(earliest, latest + 1)
    brute = [sum(other == time for other in times) / sum(other >= time for other in times) for time in times]
    assert routing.switch_hazard(earliest, latest) == pytest.approx(brute) and brute[-1] == 1
    bounds = routing.switch_bounds(earliest, latest)
    assert bounds.probability == pytest.approx(sum(1 / n for n in range(1, len(times) + 1)) / len(times))
    assert bounds.lowest == pytest.approx(1 / len(times)) and bounds.highest == pytest.approx(min(2, len(times)) / len(times))
    if (earliest, latest) == (3, 9):
        assert bounds == pytest.approx((1 / 7, 2 / 7, 363 / 140 / 7))


def test_without_noise_the_bayes_router_gives_the_hazard():
    """The domain stays until the switch; what it gives to the other one is the hazard of the next step."""
    for switch in range(3, 10):
        domains = torch.where(torch.arange(12) < switch, 0, 1)[:, None]
        evidence = (2.0 * domains - 1) * 60
        given = routing.bayes_router(evidence.double(), 3, 9)[:, 0]
        hazard = [0.0, 0.0, *routing.switch_hazard(3, 9)]
        assert given[:switch].tolist() == pytest.approx(hazard[:switch], abs=1e-9)
        assert given[switch:].min() > 1 - 1e-9


def brute_bayes(evidence, earliest, latest):
    """Sum over all hypotheses with their densities, one by one."""
    answers = []
    for t in range(len(evidence)):
        total, one = 0.0, 0.0
        for start, switch in itertools.product((0, 1), range(earliest, latest + 1)):
            domain = [start if k < switch else 1 - start for k in range(t + 2)]
            weight = math.exp(sum(0.5 * value * (2 * d - 1) for value, d in zip(evidence[:t + 1], domain)))
            total, one = total + weight, one + weight * domain[t + 1]
        answers.append(one / total)
    return answers


@pytest.mark.parametrize(("earliest", "latest"), [(2, 5), (3, 3), (1, 6)])
def test_the_bayes_router_sums_over_all_hypotheses(earliest, latest):
    evidence = torch.randn(6, 4, generator=generator(), dtype=torch.float64) * 2
    found = routing.bayes_router(evidence, earliest, latest)
    for stream in range(4):
        assert found[:, stream].tolist() == pytest.approx(brute_bayes(evidence[:, stream].tolist(), earliest, latest))


def test_what_bayes_gives_is_how_often_it_is_so():
    streams = routing.switching_streams(20_000, 3, 9, noise=2.0, generator=generator())
    given = routing.bayes_router(routing.token_evidence(streams.tokens, 2.0), 3, 9)[:-1]
    coming = streams.domains[1:].float()
    for low in (0.0, 0.2, 0.4, 0.6, 0.8):
        inside = (given >= low) & (given < low + 0.2)
        assert coming[inside].mean().item() == pytest.approx(given[inside].mean().item(), abs=0.015)


def test_no_router_beats_bayes_over_all_steps_and_one_that_always_bets_beats_it_at_the_switch():
    streams = routing.switching_streams(4000, 3, 9, generator=generator(1))
    evidence = routing.token_evidence(streams.tokens)
    def score(one):
        return routing.score_router(torch.stack([1 - one, one], 2)[:-1], streams, (0, 1))
    best, token, contrary = map(score, (routing.bayes_router(evidence, 3, 9), evidence.sigmoid(), (-evidence).sigmoid()))
    assert best.overall > token.overall > contrary.overall and contrary.at_switch > 0.98 > best.at_switch
    assert best.probability == pytest.approx(363 / 140 / 7, abs=0.02) and 1 / 7 - 0.02 < best.at_switch < 2 / 7 + 0.02
    assert best.overall == pytest.approx(1 - 6 / 7 / 11, abs=0.005)                # five of seven missed, a tie lost or won


# Scores

def test_a_score_is_what_a_loop_over_streams_says():
    streams = routing.switching_streams(9, 2, 8, generator=generator())
    given = torch.randn(11, 9, 4, generator=generator(1)).softmax(2)
    at, gave, rest = [], [], []
    for b, t in itertools.product(range(9), range(11)):
        right = 2 * streams.domains[t + 1, b].item()
        hit = float(given[t, b].argmax() == right)
        if t == streams.switch[b] - 1:
            at.append(hit)
            gave.append(given[t, b, right].item())
        else:
            rest.append(hit)
    score = routing.score_router(given, streams)
    assert score == pytest.approx((sum(at) / 9, sum(gave) / 9, sum(rest) / 90, sum(at + rest) / 99))


def test_the_interaction_of_a_sum_is_zero():
    assert routing.interaction(0.1, 0.3, 0.4, 0.6) == pytest.approx(0)
    assert routing.interaction(0.006, 0.301, 0.006, 0.748) == pytest.approx(0.447)


# Routers

@pytest.mark.parametrize("reset", ["subtract", "zero", "none"])
@pytest.mark.parametrize("memory", ["membranes", "spikes", "traces"])
def test_the_spiking_memories_are_the_loop_written_out(memory, reset):
    router = Router(6, memory, reset=reset, neurons=5, generator=generator()).double()
    x = torch.randn(9, 3, 6, generator=generator(1), dtype=torch.float64) * 3
    routed = router(x)
    beta, decay = router.decay.sigmoid(), getattr(router, "trace_decay", router.decay).sigmoid()
    mem = spk = trace = torch.zeros(3, 5, dtype=torch.float64)
    logits, total = [], 0.0
    for token in x:
        current = token @ router.into.weight.T + router.into.bias
        fired = spk.detach()
        mem = {"subtract": beta * mem + current - fired, "zero": beta * (1 - fired) * mem + current,
               "none": beta * mem + current}[reset]
        spk = spike(mem - 1, atan())
        trace = decay * trace + spk
        logits.append(router.gate({"membranes": mem, "spikes": spk, "traces": trace}[memory]))
        total += spk.sum().item()
    assert torch.allclose(torch.stack(logits), routed.logits, atol=1e-10) and routed.spk.sum().item() == total > 0
    learned = [p for p in router.parameters() if p.requires_grad]
    ours = torch.autograd.grad(routed.logits.square().sum(), learned, allow_unused=True)
    theirs = torch.autograd.grad(torch.stack(logits).square().sum(), learned, allow_unused=True)
    assert all(torch.allclose(a, b, atol=1e-10) for a, b in zip(ours, theirs) if a is not None)


def test_the_leaky_memory_is_a_sum_that_fades():
    router = Router(4, "leaky", generator=generator()).double()
    x = torch.randn(7, 2, 4, generator=generator(1), dtype=torch.float64)
    h, spk = router.remember(x)
    wanted = sum(0.9 ** (6 - s) * x[s] for s in range(7))
    assert torch.allclose(h[-1], wanted, atol=1e-6) and spk is None and router.into is None
    assert torch.allclose(h, lif(x, router.decay.sigmoid(), reset="none")[1])


def test_the_bank_is_linear_and_the_clock_tells_nothing_but_the_step():
    bank = Router(4, "bank", neurons=8, generator=generator()).double()
    x, y = torch.randn(2, 7, 3, 4, generator=generator(1), dtype=torch.float64)
    zero = bank(torch.zeros_like(x)).logits
    assert torch.allclose(bank(x + 2 * y).logits - zero, bank(x).logits - zero + 2 * (bank(y).logits - zero), atol=1e-9)
    clock = Router(4, "clock", "mlp", generator=generator()).double()
    assert torch.equal(clock.remember(x)[0], clock.remember(y)[0]) and clock.remember(x)[0].sum() == 7 * 3
    assert len({tuple(row) for row in clock.remember(x)[0][:, 0].tolist()}) == 7


def test_the_heads_are_what_their_formulas_say():
    x = torch.randn(5, 2, 4, generator=generator(1))
    for memory, head in itertools.product(("none", "leaky"), ("mlp", "anticipation")):
        router = Router(4, memory, head, generator=generator())
        both = torch.cat([x, router.remember(x)[0]], 2)
        said = functional.relu(both @ router.hidden.weight.T + router.hidden.bias) @ router.out.weight.T + router.out.bias
        routed = router(x)
        assert torch.allclose(routed.logits, said if head == "mlp" else router.gate(said), atol=1e-6)
        assert (routed.predicted is None) == (head == "mlp")


def test_a_router_without_memory_cannot_know_what_was_before():
    x = torch.randn(6, 2, 4, generator=generator(1))
    y = torch.cat([x[:3].flip(0), x[3:]])
    for memory, head in (("none", "linear"), ("none", "anticipation"), ("clock", "mlp")):
        router = Router(4, memory, head, generator=generator())
        assert torch.allclose(router(x).logits[3:], router(y).logits[3:])
    for memory in ("leaky", "bank", "membranes", "traces"):
        router = Router(4, memory, generator=generator())
        assert not torch.allclose(router(3 * x).logits[3:], router(3 * y).logits[3:])


def test_decays_are_spread_and_can_be_kept():
    router = Router(16, "traces", decays=(0.3, 0.97), generator=generator())
    decays = router.decay.sigmoid()
    assert decays[0].item() == pytest.approx(0.3) and decays[-1].item() == pytest.approx(0.97, abs=1e-5)
    assert (decays[1:] > decays[:-1]).all()
    kept = Router(16, "bank", decays=(0.9, 0.9), learn_decays=False, generator=generator())
    routers.train_router(kept, steps=3, samples=16)
    assert torch.allclose(kept.decay.sigmoid(), torch.tensor(0.9))


def test_the_loss_is_its_three_terms():
    streams = routing.switching_streams(6, generator=generator())
    router = Router(16, "none", "anticipation", generator=generator())
    routed = router(streams.tokens[:-1])
    right = routing.next_experts(streams.domains)
    wanted = -routed.logits.log_softmax(2).gather(2, right[..., None]).mean()
    wanted = wanted + 0.5 * (routed.predicted - streams.tokens[1:]).square().mean()
    assert torch.allclose(routers.router_loss(routed, streams), wanted)
    spiking = Router(16, "spikes", generator=generator())(3 * streams.tokens[:-1])
    free, priced = (routers.router_loss(spiking, streams, price) for price in (0.0, 0.25))
    assert (priced - free).item() == pytest.approx(0.25 * spiking.spk.sum().item() / 6, rel=1e-4) and spiking.spk.any()
    blank = routers.Routed(torch.zeros(11, 6, 4), None, None)
    assert routers.router_loss(blank, streams).item() == pytest.approx(math.log(4))


def test_training_repeats_and_learns_what_the_token_says():
    losses = []
    for _ in range(2):
        router = Router(16, generator=generator())
        losses.append(routers.train_router(router, partial(routing.switching_streams, earliest=3, latest=9), steps=100,
                                           samples=64, learning_rate=0.01, seed=4))
    assert losses[0] == losses[1] and losses[0][-1] < 0.7 * losses[0][0]
    streams = routing.switching_streams(2000, 3, 9, generator=generator(5))
    with torch.no_grad():
        score = routing.score_router(router(streams.tokens[:-1]).logits.softmax(2), streams)
    assert score.at_switch < 0.03 and score.elsewhere > 0.97


# What is refused

TOKENS, NET = torch.rand(11, 4, 16), Router(16, generator=generator())
STREAMS = routing.switching_streams(4, generator=generator())


@pytest.mark.parametrize(("call", "words"), [
    (lambda: routing.switching_streams(4, 7, 6), "earliest must not come after latest"),
    (lambda: routing.switching_streams(4, 6, 12), "latest must be a whole number of at least 1 and at most 11"),
    (lambda: routing.switching_streams(4, size=5), "size must be even"),
    (lambda: routing.switching_streams(4, noise=-1), "noise must be"),
    (lambda: routing.next_experts(torch.zeros(3, 2)), "Convert with .long()"),
    (lambda: routing.bayes_router(torch.rand(5, 2), 3, 9), "latest must be a whole number of at least 1 and at most 5"),
    (lambda: routing.score_router(torch.rand(12, 4, 4), STREAMS), "to fit streams.domains"),
    (lambda: routing.score_router(torch.rand(11, 4, 2), STREAMS), "experts[1] must be"),
    (lambda: routing.score_router(torch.rand(11, 4, 4), TOKENS), "streams must be Streams"),
    (lambda: Router(16, "memory"), "memory must be one of"),
    (lambda: Router(16, decays=(0.5, 1.0)), "decays[1] must be"),
    (lambda: NET(torch.rand(11, 4, 15)), "x must be [T, B, 16]"),
    (lambda: NET(torch.rand(11, 4, 16).double()), "x.to(torch.float32)"),
    (lambda: Router(16, "clock")(torch.rand(13, 4, 16)), "Make it with num_steps=13"),
    (lambda: routers.router_loss(NET(STREAMS.tokens), STREAMS), "Route streams.tokens[:-1]"),
    (lambda: routers.router_loss(TOKENS, STREAMS), "routed must be Routed"),
    (lambda: routers.train_router(NET, STREAMS), "draw must be a function"),
    (lambda: routing.interaction(0.1, 0.2, 0.3, math.nan), "both must be a number"),
])
def test_what_cannot_be_meant_is_refused_with_a_cure(call, words):
    with pytest.raises((TypeError, ValueError), match=re.escape(words)):
        call()


def test_the_cures_of_the_messages_work():
    assert NET(TOKENS.double().to(torch.float32)).logits.shape == (11, 4, 4)
    assert Router(16, "clock", num_steps=13, generator=generator())(torch.rand(13, 4, 16)).logits.shape == (13, 4, 4)
    assert routers.router_loss(NET(STREAMS.tokens[:-1]), STREAMS).item() > 0
    assert routing.next_experts(torch.zeros(3, 2).long()).shape == (2, 2)


# Peers

def test_snntorch_without_a_reset_is_the_leaky_memory_and_two_of_its_layers_are_the_traces():
    snntorch = pytest.importorskip("snntorch", reason="the peers extra is not installed")
    x = torch.randn(9, 3, 6, generator=generator())
    router = Router(6, "leaky", generator=generator())
    neuron = snntorch.Leaky(beta=0.9, threshold=1e9, reset_mechanism="none")
    mem, kept = neuron.init_leaky(), []
    for token in x:
        _, mem = neuron(token, mem)
        kept.append(mem)
    assert torch.allclose(torch.stack(kept), router.remember(x)[0], atol=1e-5)
    router = Router(6, "traces", neurons=5, decays=(0.8, 0.8), generator=generator())
    first, second = snntorch.Leaky(beta=0.8), snntorch.Leaky(beta=0.8, threshold=1e9, reset_mechanism="none")
    mem, trace, kept = first.init_leaky(), second.init_leaky(), []
    for token in 3 * x:
        spk, mem = first(router.into(token), mem)
        _, trace = second(spk, trace)
        kept.append(trace)
    with torch.no_grad():
        h, spk = router.remember(3 * x)
    assert torch.allclose(torch.stack(kept), h, atol=1e-4) and spk.any()
