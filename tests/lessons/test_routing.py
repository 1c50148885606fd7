"""What ties notebook 25 together: its displayed equations, its listings, the modules, the explorers and the study."""
import math
from types import SimpleNamespace

import pytest
import torch

from snnteach import routers, routing
from snnteach.authoring import notebooks
from snnteach.lessons.routing import answers, study
from snnteach.neurons import lif
from snnteach.reader.judge import judge
from snnteach.reader.lookup import exercise as find
from tests.cells import code_cells, execute
from tests.drawing import background, pictures
from tests.listings import namespace


@pytest.fixture(scope="module")
def listing():
    return namespace("routing")


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def phi(x):
    return 0.5 * math.erfc(-x / math.sqrt(2))


# Equations

def test_equation_1_is_the_gate_without_memory():
    router, x = routers.Router(6, generator=generator()), torch.randn(3, 2, 6, generator=generator(1))
    given = (x @ router.gate.weight.T + router.gate.bias).softmax(2)                           # Eq. 1
    assert torch.allclose(given, router(x).logits.softmax(2), atol=1e-6)


@pytest.mark.parametrize(("size", "noise"), [(16, 0.8), (16, 1.0), (4, 0.5)])
def test_equation_2_is_the_module_and_exercise_1(size, noise):
    law = 1 - phi(math.sqrt(size) / (2 * noise))                                               # Eq. 2
    assert 1 - routing.token_accuracy(size, noise) == pytest.approx(law, rel=1e-9)
    assert noise != 1.0 or find("25.1").reference == pytest.approx(law, abs=1e-5)


def test_equation_3_listing_module_and_lif_agree(listing):
    x, beta = torch.randn(9, 3, 16, generator=generator()), torch.linspace(0.1, 0.99, 16)
    h = torch.zeros(3, 16)
    for t in range(9):
        h = beta * h + x[t]                                                                    # Eq. 3
    assert torch.allclose(listing["leaky"](x, beta)[-1], h, atol=1e-5)
    assert torch.allclose(lif(x, beta, reset="none")[1][-1], h, atol=1e-5)


def test_equation_4_is_the_loss_of_the_module(listing):
    streams = routing.switching_streams(5, 3, 9, generator=generator())
    router = routers.Router(16, "leaky", "anticipation", generator=generator())
    x = streams.tokens[:-1]
    h = listing["leaky"](x, router.decay.sigmoid())
    logits, foreseen = listing["foreseeing"](x, h, router.hidden, router.out, router.gate)
    right = routing.next_experts(streams.domains)
    wanted = -logits.softmax(2).log().gather(2, right[..., None]).mean() + 0.5 * (foreseen - streams.tokens[1:]).square().mean()
    assert torch.allclose(routers.router_loss(router(x), streams), wanted, atol=1e-5)


def test_equation_5_is_the_module_and_exercise_3():
    assert find("25.3").reference == pytest.approx(routing.interaction(0.02, 0.25, 0.12, 0.70))
    assert routing.interaction(1.0, 2.0, 3.0, 7.0) == 7 - 2 - 3 + 1                            # Eq. 5


@pytest.mark.parametrize("weight", [3, 10])
def test_equation_6_is_what_two_tokens_do(listing, weight):
    law = phi(2.5 * (weight - 1) / math.sqrt(1 + weight**2))                                   # Eq. 6
    streams = routing.switching_streams(20_000, generator=generator())
    one = listing["delayed"](routing.token_evidence(streams.tokens), weight)[:-1].sigmoid()
    score = routing.score_router(torch.stack([1 - one, one], 2), streams, (0, 1))
    assert score.at_switch == pytest.approx(law, abs=5e-3) and score.elsewhere > 0.99
    assert weight != 3 or find("25.4").reference == pytest.approx(law, abs=1e-4)


def test_equation_7_is_the_module_and_exercise_5():
    assert routing.switch_hazard(3, 9) == [1 / (9 - s + 1) for s in range(3, 10)]              # Eq. 7
    assert find("25.5").reference == pytest.approx(routing.switch_bounds(5, 8).probability, abs=1e-5)


def test_equation_8_listing_module_and_exercise_6_agree(listing):
    e = 3 * torch.randn(11, 4, generator=generator(), dtype=torch.float64)
    found = listing["bayes_router"](e, 3, 9)
    assert torch.equal(found, routing.bayes_router(e, 3, 9))
    total = one = 0.0
    for start in (0, 1):
        for switch in range(3, 10):
            domain = [(start + (k >= switch)) % 2 for k in range(7)]
            weight = math.exp(sum((2 * d - 1) * value / 2 for d, value in zip(domain, e[:6, 0].tolist())))     # Eq. 8
            total, one = total + weight, one + weight * domain[6]
    assert found[5, 0].item() == pytest.approx(one / total)
    sure = torch.full((7, 1), 50.0, dtype=torch.float64)                                 # no doubt of domain 1, hazard 1/5
    mixed = find("25.6").reference(torch.ones(1), torch.tensor([1 / 5])).item()
    assert routing.bayes_router(sure, 3, 7)[2].item() == pytest.approx(mixed, abs=1e-6) == 0.8


@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_equation_9_is_the_module_and_the_build(reset):
    router = routers.Router(5, "traces", neurons=6, experts=3, reset=reset, generator=generator()).double()
    x = 3 * torch.randn(9, 4, 5, generator=generator(1), dtype=torch.float64)
    beta, decay = router.decay.sigmoid(), router.trace_decay.sigmoid()
    mem = spk = trace = torch.zeros(4, 6, dtype=torch.float64)
    for token in x:
        kept = beta * mem - spk if reset == "subtract" else beta * (1 - spk) * mem
        mem = kept + router.into(token)                                                        # Eq. 9
        spk = (mem > 1).double()
        trace = decay * trace + spk
    routed = router(x)
    assert torch.allclose(routed.logits[-1], router.gate(trace)) and routed.spk.any()
    if reset == "zero":
        router = router.float()
        torch.nn.init.zeros_(router.into.bias), torch.nn.init.zeros_(router.gate.bias)
        logits, fired = answers.spiking_gate(x.float(), router.into.weight.T, router.gate.weight.T, router.decay.sigmoid(),
                                             router.trace_decay.sigmoid())
        routed = router(x.float())
        assert torch.equal(fired, routed.spk) and torch.allclose(logits, routed.logits, atol=1e-5)


def test_the_streams_of_the_listing_are_those_of_the_module(listing):
    shown = listing["streams"](40, 3, 9, generator(2))
    package = routing.switching_streams(40, 3, 9, generator=generator(2))
    assert all(torch.equal(a, b) for a, b in zip(shown, package, strict=True))


# Exercises

def test_the_score_of_exercise_2_is_the_module():
    streams = routing.switching_streams(30, 2, 9, generator=generator())
    given = torch.randn(11, 30, 4, generator=generator(1)).softmax(2)
    found = find("25.2").reference(given, routing.next_experts(streams.domains), streams.switch)
    score = routing.score_router(given, streams)
    assert found.tolist() == pytest.approx([score.at_switch, score.elsewhere])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_cell_after_the_build_runs_with_answers_of_any_dtype(dtype, capsys):
    def gate(*arguments):
        logits, spk = answers.spiking_gate(*arguments)
        return logits.to(dtype), spk.to(dtype)
    assert judge(find("25.7"), gate) == ("right", "")
    (path,) = notebooks.paths(["25"])
    (build,) = (cell for cell in code_cells(path) if cell.id == "s4-build")
    source = build.source.replace("range(300)", "range(2)").replace("2000", "20")
    images = [torch.rand(9, 49), torch.rand(9, 49)]
    def digit_streams(samples, images, generator):
        domains, switch = routing.switching_domains(samples, generator=generator)
        return routing.Streams(torch.where(domains[..., None] == 0, images[0][0], images[1][0]), domains, switch)
    execute(SimpleNamespace(id=build.id, source=source), {
        "spiking_gate": gate, "routing": routing, "train": images, "test": images, "torch": torch,
        "digit_streams": digit_streams,
        "cross_entropy": torch.nn.functional.cross_entropy, "whose": lambda fn: "your code", "span": lambda name: "0 to 1"})
    assert "your code: right at" in capsys.readouterr().out


# The study

def test_the_controls_of_the_study_are_what_they_say():
    x = torch.randn(11, 3, 16, generator=generator())
    linear = study.Cascade(16, "traces", generator=generator())
    zero = linear(torch.zeros_like(x)).logits
    assert torch.allclose(linear(2 * x).logits - zero, 2 * (linear(x).logits - zero), atol=1e-3) and linear(x).spk is None
    pointwise, other = study.Pointwise(16, "traces", generator=generator()), x.clone()
    other[:5] = 0
    assert torch.equal(pointwise(3 * x).spk[5:], pointwise(3 * other).spk[5:]) and pointwise(3 * x).spk.any()
    ramp = study.Rectified(16, "traces", generator=generator())
    trace = sum(ramp.trace_decay.sigmoid()**(len(x) - 1 - t) * (ramp.into(token) - 1).relu() for t, token in enumerate(x))
    assert torch.allclose(ramp(x).logits[-1], ramp.gate(trace), atol=1e-5) and ramp(x).spk is None and trace.any()


def test_the_digits_of_a_stream_are_of_its_domain():
    streams = study.digit_streams(40, 3, 9, generator(), "test")
    for domain, part in enumerate(study.images("test")):
        mine = streams.tokens[streams.domains == domain]
        assert ((mine[:20, None] - part[None]).abs().amax(2).amin(1) == 0).all()
    assert streams.tokens.shape == (12, 40, 49) and len(study.images("test")[0]) == 1135 + 1028


# The explorers

def test_the_picture_of_the_stream():
    for picture, s in pictures("routing.stream", 6):
        stream = routing.switching_streams(1, s["switch"], s["switch"], noise=s["noise"], generator=generator(s["draw"]))
        first, second = stream.tokens[:, 0].double().chunk(2, 1)
        e = (second.sum(1) - first.sum(1)) / s["noise"]**2
        domains = stream.domains[:, 0].tolist()
        for place, value in enumerate((e / e.abs().max()).tolist()):
            picture.bar(f"bar {place}", place - 0.35, 0, 0.7, value, "orange" if domains[place] else "sky")
        for place in range(2):
            picture.rule(f"edge {place}", "black", "--", x=s["switch"] - 0.5)
        h, leaky = 0.0, []
        for value in e.tolist():
            h = s["beta"] * h + value
            leaky.append(1 / (1 + math.exp(-min(max(h, -500), 500))))
        known = {"leaky": leaky, "fixed": routing.bayes_router(e[:, None])[:, 0].tolist(),
                 "random": routing.bayes_router(e[:, None], 3, 9)[:, 0].tolist()}
        right = {name: [one if domains[t + 1] else 1 - one for t, one in enumerate(values[:-1])]
                 for name, values in known.items()}
        for name, color, style, marker, label in (("leaky", "blue", "-", "o", "leaky sum"),
                                                  ("fixed", "vermillion", "--", "s", "knows: at 6"),
                                                  ("random", "green", "-.", "^", "knows: 3 to 9")):
            picture.line(name, range(11), right[name], color, style, marker=marker, label=label)
        picture.says("said", "leaky sum right:\n{} of {}", sum(value > 0.5 for value in right["leaky"]), 11)


def test_the_picture_of_the_hazard():
    for picture, s in pictures("routing.hazard", 6):
        latest, steps = s["earliest"] + s["width"], s["width"] + 1
        for place in range(13):
            value = 1 / (latest - place) if s["earliest"] - 1 <= place < latest else 0.0
            color = "vermillion" if value > 0.5 else "orange" if value == 0.5 else "blue"
            picture.bar(f"bar {place}", place - 0.35, 0, 0.7, value, color)
        picture.says("said", "switch at {} to {}. The best router at the switch:\nright {} to {}, given to the right expert {}",
                     s["earliest"], latest, 1 / steps, min(2, steps) / steps, sum(1 / n for n in range(1, steps + 1)) / steps)


def test_what_stands_behind_the_pictures():
    behind = background("routing.stream")
    behind.axes("0", "What each token says about its domain", ("", -0.6, 11.6), ("says", -1.15, 1.15),
                yticks={-1: "domain 0", 1: "domain 1"})
    behind.axes("1", "Who has the expert of token t + 1 ready?", ("token t", -0.6, 11.6),
                ("given to the\nright expert", -0.06, 1.06), legend=("leaky sum", "knows: at 6", "knows: 3 to 9"))
    behind.rule("0.line0", "black", y=0)
    behind.rule("1.line0", "0.45", ":", y=0.5)
    behind.says("1.text0", "")
    behind.done()
    behind = background("routing.hazard")
    behind.axes("0", "Is the switch next, if it has not come?", ("token t", -0.6, 12.6),
                ("probability that t + 1\nis of the other domain", 0, 1.5), yticks={0: "0.0", 0.5: "0.5", 1: "1.0"})
    behind.rule("0.line0", "0.45", "--", y=0.5)
    behind.says("0.text0", "")
    behind.done()
