"""Notebook 16: its listings against the package, its exercises, its explorer and its stored study."""
import math
import sys

import pytest
import torch

from snnteach import online as reference
from snnteach import stored as read_stored
from snnteach.authoring import study_table
from snnteach.bptt import Weights, backward, forward, random_weights
from snnteach.lessons.online import explorers as module
from snnteach.lessons.online import study
from snnteach.lessons.online.adaptive import adaptive_eprop, adaptive_variant, cues
from snnteach.lessons.online.films import build_snowball, draw_snowball, snowball_frames
from snnteach.reader.lookup import exercise as find
from snnteach.reader.lookup import explorer as find_explorer
from snnteach.surrogate import spike
from tests.drawing import background, film, pictures
from tests.listings import namespace

FLOAT = torch.float64


@pytest.fixture(scope="module")
def shown():
    return namespace("online")


def network(gain, seed=0):
    generator = torch.Generator().manual_seed(seed)
    weights, feedback = random_weights(generator, (5, 7, 2), gain or 0.0, 2.0, FLOAT)
    x = (torch.rand(25, 3, 5, generator=generator) < 0.3).to(FLOAT)
    target = torch.randn(25, 3, 2, generator=generator, dtype=FLOAT)
    return x, weights if gain is not None else weights._replace(recurrent=None), lambda out, t: out - target[t], feedback


def same(one, other):
    return all((a is None and b is None) or torch.allclose(a, b, rtol=1e-10, atol=1e-12)
               for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("gain", [None, 0.6])
@pytest.mark.parametrize("name", ["rtrl", "eprop", "ottt"])
def test_the_listings_are_the_package(shown, name, gain):
    x, weights, error, feedback = network(gain)
    variants = [{"detach_reset": True}, {"detach_reset": False}] if name == "rtrl" else [{}, {"feedback": feedback}]
    for options in variants:
        ours, theirs = (rule(x, weights, error, 0.9, 0.8, 1.2, **options) for rule in (shown[name], getattr(reference, name)))
        assert same(ours, theirs) and ours.hidden.any()


def test_the_listing_of_rtrl_is_exact(shown):
    x, weights, error, _ = network(0.9, seed=3)
    run = forward(x, weights, 0.9, 0.8)
    errors = torch.stack([error(out, t) for t, out in enumerate(run.out)])
    assert same(shown["rtrl"](x, weights, error, 0.9, 0.8), backward(run, weights, errors, 0.9, 0.8))


def test_the_listing_of_the_memory_is_the_reservoir(shown):
    memories = [make(6, torch.Generator().manual_seed(1)) for make in (shown["FairMemory"], reference.Reservoir)]
    for memory in memories:
        for number in range(200):
            memory.add(torch.tensor(number), torch.tensor(-number))
    assert all(torch.equal(*pair) for pair in zip(*(memory.draw(30) for memory in memories), strict=True))


def test_exercises_agree_with_the_rules():
    x = torch.rand(9, generator=torch.Generator().manual_seed(0))
    weights = Weights(torch.zeros(1, 1, requires_grad=True), None, torch.ones(1, 1))
    mem = forward(x[:, None, None], weights, 0.7, 0.5).mem.flatten()
    slopes = torch.stack([torch.autograd.grad(value, weights.hidden, retain_graph=True)[0].squeeze() for value in mem])
    assert torch.allclose(find("16.1").reference(x, 0.7), slopes)

    hidden, inputs = 200, 100
    assert find("16.2").reference * (inputs + 2 * hidden) == hidden * (inputs + hidden)

    weight = torch.tensor(0.7, requires_grad=True)                         # 16.4, with a slope of 0.4 at step 1
    first = weight * 1.0
    second = 0.9 * first + 0.5 * spike(first - 1, lambda u: torch.full_like(u, 0.4))
    assert find("16.4").reference == pytest.approx(torch.autograd.grad(second, weight)[0].item())

    survive = 1.0
    for number in range(51, 1001):
        survive *= 1 - 50 / number / 50
    assert find("16.6").reference == pytest.approx(survive)


def test_exercises_put_together_are_the_rules():
    x, weights, error, _ = network(None)
    step, add = find("16.3").reference, find("16.5").reference
    one = x[:, :1]
    run = forward(one, weights, 0.9, 0.8)
    slope = reference.atan()(run.mem - 1.0)
    def alone(out, t):
        return torch.full_like(out, 0.3 + 0.1 * t)
    trace, table = torch.zeros(5, dtype=FLOAT), torch.zeros(7, 5, dtype=FLOAT)
    by_eprop, by_ottt = torch.zeros(7, 5, dtype=FLOAT), torch.zeros(7, 5, dtype=FLOAT)
    for t, out in enumerate(run.out):
        trace, table = step(trace, table, one[t, 0], slope[t, 0], 0.9, 0.8)
        by_eprop += (alone(out, t) @ weights.output).T * table
        by_ottt += add(alone(out, t), weights.output, slope[t], trace[None])
    assert torch.allclose(by_eprop, reference.eprop(one, weights, alone, 0.9, 0.8).hidden)
    assert torch.allclose(by_ottt, reference.ottt(one, weights, alone, 0.9, 0.8).hidden)


def test_the_exercise_of_the_reset_makes_eprop_exact_without_recurrence():
    x, weights, error, _ = network(None)
    one, step = x[:, :1], find("16.8").reference
    run = forward(one, weights, 0.9, 0.8, 1.2, detach_reset=False)
    slope = torch.cat([torch.zeros_like(run.mem[:1]), reference.atan()(run.mem - 1.2)])[:, 0]       # h of the step before first
    trace, table, total = torch.zeros(7, 5, dtype=FLOAT), 0, 0
    def alone(out, t):
        return torch.full_like(out, 0.3 + 0.1 * t)
    for t, out in enumerate(run.out):
        trace = step(trace, one[t, 0], slope[t], 0.9, 1.2)
        table = 0.8 * table + slope[t + 1][:, None] * trace
        total = total + (alone(out, t) @ weights.output).T * table
    assert torch.allclose(total, reference.rtrl(one, weights, alone, 0.9, 0.8, 1.2, detach_reset=False).hidden, rtol=1e-10)
    assert not torch.allclose(total, reference.eprop(one, weights, alone, 0.9, 0.8, 1.2).hidden, rtol=0.1)


def test_a_window_that_slides_is_truncated_bptt():
    x, weights, target = study.workload(40)
    for window in (1, 7, 60):
        found = study.sliding(x, weights, target, window)
        exact = study.windowed(window, x, weights, lambda out, t: out - target, 0.9, 0.8)
        for ours, theirs in zip(found, exact, strict=True):
            assert (ours - theirs).norm() < 1e-5 * theirs.norm() and theirs.any()
    rule = {"x": x, "weights": weights, "error": lambda out, t: out - target, "beta": 0.9, "beta_out": 0.8}
    assert same(study.windowed(None, **rule), study.gradient("BPTT", **rule))


def by_autograd(x, W, W_out, error, gamma, rho):
    W, W_out = (weight.clone().requires_grad_() for weight in (W, W_out))
    mem = spk = adapted = torch.zeros(x.shape[1], len(W), dtype=FLOAT)
    out, reached = torch.zeros(x.shape[1], len(W_out), dtype=FLOAT), 0
    for t, x_t in enumerate(x):
        adapted = rho * adapted + spk
        mem = 0.9 * mem + x_t @ W.T - spk.detach()
        spk = spike(mem - 1 - gamma * adapted, reference.atan())
        out = 0.8 * out + spk @ W_out.T
        reached = reached + (error(out, t).detach() * out).sum()
    return torch.autograd.grad(reached, (W, W_out))


@pytest.mark.parametrize("gamma", [0.0, 0.3])
def test_the_adaptive_rule_is_the_gradient(gamma):
    x, weights, error, _ = network(None)
    found = adaptive_eprop(x, weights.hidden, weights.output, error, 0.9, 0.8, gamma, 0.95)
    assert same(found, by_autograd(x, weights.hidden, weights.output, error, gamma, 0.95))
    assert same(found, adaptive_variant()(x, weights.hidden, weights.output, error, 0.9, 0.8, gamma, 0.95))
    plain = reference.eprop(x, weights, error, 0.9, 0.8)
    assert same(found, (plain.hidden, plain.output)) == (gamma == 0)


def test_the_cue_is_one_of_two_groups_and_gone_after_ten_steps():
    x, label = cues(50, torch.Generator().manual_seed(0), delay=30)
    cue, noise = x[:, :, :8], x[:, :, 8:]
    groups = cue[:10].view(10, 50, 2, 4).sum((0, 3))                                                # [B, 2]
    assert x.shape == (50, 50, 40) and not cue[10:].any() and set(label.tolist()) == {0, 1}
    assert torch.equal(groups.argmax(1), label) and not groups[torch.arange(50), 1 - label].any()
    assert 0.04 < noise.mean() < 0.06 and 0.4 < groups.max(1).values.mean() / 40 < 0.6


def test_the_explorer_says_what_the_notebook_says():
    explorer = find_explorer("online.eligibility")
    data = explorer.compute(**explorer.start())
    assert data["cosine"] == pytest.approx(1, abs=1e-5) and data["ratio"] == pytest.approx(1, abs=1e-4)
    weights = Weights(module._W, 0 * module._V, module._OUT)
    beta, beta_out = explorer.start()["beta"], explorer.start()["beta_out"]
    run = forward(module._X, weights, beta, beta_out)
    exact = backward(run, weights, run.out - module._TARGET, beta, beta_out).hidden[3, 2].item()
    assert abs(exact) > 1e-3 and data["product"].sum().item() == pytest.approx(exact, rel=1e-3)
    strong = explorer.compute(**{**explorer.start(), "gain": 1.0})
    random = explorer.compute(**{**explorer.start(), "feedback": "random"})
    assert strong["cosine"] < 0.6 and abs(random["cosine"]) < 0.5


@pytest.mark.parametrize(("neuron", "source"), [(3, 2), (0, 9), (7, 14)])
def test_by_all_paths_a_synapse_gets_the_exact_gradient(neuron, source):
    settings = {"beta": 0.9, "beta_out": 0.8, "gain": 1.0, "feedback": "random"}
    data = find_explorer("online.eligibility").compute(**settings, neuron=neuron, source=source, dtype=FLOAT)
    weights = Weights(*(weight.double() for weight in (module._W, 1.0 * module._V, module._OUT)))
    run = forward(module._X.double(), weights, 0.9, 0.8)
    exact = backward(run, weights, run.out - module._TARGET.double(), 0.9, 0.8)
    whole = torch.cat([exact.hidden, exact.recurrent], 1)[neuron, source]
    assert abs(whole) > 1e-6 and torch.allclose(data["exact product"].sum(), whole, rtol=1e-9)
    assert not torch.allclose(data["product"].sum(), whole, rtol=0.1)


def test_the_snowball_is_the_trace():
    frames = snowball_frames(torch.tensor([1.0, 0.0, 1.0]), 0.5)
    assert [frame[:2] for frame in frames] == [(1, "roll"), (1, "grow"), (2, "roll"), (2, "grow"), (3, "roll"), (3, "grow"),
                                               (3, "back"), (2, "back"), (1, "back")]
    assert frames[0][2]["trace"] == [1.0, 0.5, 1.25] == find("16.1").reference(torch.tensor([1.0, 0.0, 1.0]), 0.5).tolist()


def test_the_stored_study_says_what_the_issue_asks():
    stored = read_stored("online")
    for rule in ("e-prop", "OTTT"):
        short, long = (sorted(stored[f"memory, T = {num_steps}: {rule}"])[1] for num_steps in (50, 5000))
        assert long <= 1.2 * short
    short, long = (sorted(stored[f"memory, T = {num_steps}: BPTT"])[1] for num_steps in (50, 5000))
    assert long > 50 * short
    for num_steps in (50, 500, 5000):
        assert max(a / b for a, b in zip(stored[f"time, T = {num_steps}: OTTT"], stored[f"time, T = {num_steps}: BPTT"],
                                         strict=True)) <= 0.5
    frozen = max(stored["scanned digits, frozen hidden layer"])
    assert min(stored["scanned digits, BPTT"] + stored["scanned digits, e-prop"]) > 0.85 > 0.7 > frozen


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_is_measured_in_a_process_of_its_own():
    name, found = "memory, T = 50: OTTT", study.in_a_process(study.extra_memory, "OTTT", 50)
    assert study_table.in_band(study, name, found, read_stored("online")[name])


def test_the_picture_of_the_eligibility():
    for picture, s in pictures("online.eligibility"):
        beta, beta_out = s["beta"], s["beta_out"]
        weights = Weights(module._W, s["gain"] * module._V, module._OUT)
        feedback = module._OUT if s["feedback"] == "symmetric" else module._RANDOM
        run = forward(module._X, weights, beta, beta_out)
        error = run.out - module._TARGET                                                            # [T, 1, 1]
        before = torch.cat([torch.zeros_like(run.spk[:1]), run.spk[:-1]])
        x, mem = torch.cat([module._X, before], 2)[:, 0, s["source"]].tolist(), run.mem[:, 0, s["neuron"]]
        slopes, traces, tags = (1 / (1 + (math.pi * (mem - 1)) ** 2)).tolist(), [0.0], [0.0]
        for x_t, h in zip(x, slopes, strict=True):
            traces.append(beta * traces[-1] + x_t)
            tags.append(beta_out * tags[-1] + h * traces[-1])
        tag, signal = torch.tensor(tags[1:]), error[:, 0, 0] * feedback[0, s["neuron"]]
        curves = {"trace": ("sky", torch.tensor(traces[1:])), "eligibility": ("blue", tag), "signal": ("orange", signal),
                  "product": ("vermillion", signal * tag)}
        for name, (color, values) in curves.items():
            picture.line(name, range(40), values / values.abs().max().clamp(min=1e-30), color)
            words, number = ("sum {}", (signal * tag).sum()) if name == "product" else ("peak {}", values.abs().max())
            picture.says(f"{name} scale", words, number)
        fired = [t for t in range(40) if x[t]]
        picture.points("x", fired, [-0.08] * len(fired), "black", "|")
        exact = backward(run, weights, error, beta, beta_out)
        eprop = reference.eprop(module._X, weights, lambda out, t: out - module._TARGET[t], beta, beta_out, feedback=feedback)
        exact, eprop = (torch.cat([grads.hidden, grads.recurrent], 1).flatten() for grads in (exact, eprop))
        picture.points("weights", exact / exact.abs().max(), eprop / eprop.abs().max(), "blue")
        picture.says("cosine", "cosine {}\nexact / e-prop, length: {}", torch.nn.functional.cosine_similarity(exact, eprop, 0),
                     exact.norm() / eprop.norm())


def test_what_stands_behind_the_picture():
    behind = background("online.eligibility")
    for place, (title, label, low, high) in enumerate((("One synapse", "trace", -0.15, 1.5), ("", "eligibility", -0.15, 1.5),
                                                       ("", "learning\nsignal", -1.3, 1.9), ("", "product", -1.3, 1.9))):
        behind.axes(f"{place}", title, ("time step" if label == "product" else "", -1, 40), (label, low, high))
        behind.rule(f"{place}.line0", "0.6", y=0)
    behind.axes("4", "All weights of the network", ("exact gradient (scaled)", -1.1, 1.1), ("e-prop (scaled)", -1.1, 1.1))
    behind.line("4.line0", [-1, 1], [-1, 1], "0.7", "--")
    behind.done()


@pytest.mark.parametrize("number", [0, 1, 4, 7, 9])
def test_the_film_draws_the_boxes_and_the_ball(number):
    x, beta = [1.0, 0.0, 1.0, 1.0], 0.5
    now, phase, _ = frame = snowball_frames(torch.tensor(x), beta)[number]
    still, picture = film(build_snowball, draw_snowball, frame, width=7.2, height=3.7)
    back, grown = phase == "back", phase != "roll"
    shown = 4 if back else now
    texts = iter(name for name in picture.artists if ".text" in name)
    patches = [name for name in picture.artists if ".patch" in name]
    boxes, walks, rings = ([name for name in patches if hasattr(picture.artists[name], way)]
                           for way in ("get_bbox", "get_arrowstyle", "get_radius"))
    picture.says(next(texts), "BPTT keeps every step")
    picture.says(next(texts), "A trace is pushed forward")
    stars = []
    for step in range(1, 5):
        done = back and step >= now
        picture.bar(boxes[step - 1], step - 0.42, 4.3, 0.84, 0.84,
                    "vermillion" if done else "orange" if step <= shown else "white")
        picture.says(next(texts), f"{step}", at=(step, 4.72))
        if x[step - 1]:
            stars.append((step, "0.85" if step < now or grown and step == now or back else "blue"))
    for name, step in zip(walks, [step for step in range(max(now, 2), 5) if back], strict=True):
        picture.arrow(name, (step - 0.1, 5.2), (step - 0.9, 5.2), "vermillion")
    for line, (step, color) in enumerate(stars):
        picture.points(f"0.line{line}", [step], [-0.75], color, "*")
    picture.line(f"0.line{len(stars)}", [0.2, 4.8], [-0.4, -0.4], "0.5")
    picture.says(next(texts), "input x")
    traces = [0.0]
    for x_t in x:
        traces.append(beta * traces[-1] + x_t)
    mass = [x[s - 1] * beta ** (shown - s) for s in range(1, (shown if grown else shown - 1) + 1)]
    for name, s in zip(rings, [s for s in range(len(mass), 0, -1) if mass[s - 1]], strict=True):     # area: what is left
        picture.circle(name, (shown - 0.3 * (not grown), 0.8 * math.sqrt(sum(mass)) - 0.4), 0.8 * math.sqrt(sum(mass[:s])))
    words = "m[{}] = {} × {} + {} = {}" if grown else "m shrinks: {} × {}"
    numbers = (shown, beta, traces[shown - 1], x[shown - 1], traces[shown]) if grown else (beta, traces[shown - 1])
    picture.says(next(texts), words, *numbers, color="blue")
    picture.says(next(texts), *(("... and now walks back: {} of {}", 5 - now, 4) if back else ("steps kept: {}", shown)))
    if back:
        picture.says(next(texts), "done at the last step")
    picture.done()
    assert sum(mass) == pytest.approx(traces[shown] if grown else beta * traces[shown - 1])
    assert list(still.artists) == ["0"]
