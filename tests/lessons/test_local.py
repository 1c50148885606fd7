"""What ties notebook 17 together: its displayed equations, its listings, the modules, the explorers and their networks."""
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy, one_hot

from snnteach import forward_forward, local, perturbation
from snnteach.authoring import notebooks
from snnteach.lessons.local import explorers, study
from snnteach.neurons import lif
from snnteach.reader.judge import judge
from snnteach.reader.lookup import exercise as find
from tests.cells import code_cells, execute
from tests.drawing import background, pictures
from tests.listings import namespace


@pytest.fixture(scope="module")
def listing():
    return namespace("local")


def case(sizes=(12, 9, 8, 4), seed=0, batch=6):
    generator = torch.Generator().manual_seed(seed)
    weights = [2 * weight for weight in local.draw_layers(sizes, generator)]
    return torch.randn(10, batch, sizes[0], generator=generator), weights, torch.arange(batch) % sizes[-1], generator


# Equations

def test_equation_1_listing_and_module_agree(listing):
    weight = torch.tensor([0.5, -1.0, 2.0])
    def loss(weight):
        return (weight**3).sum()
    shown, package = (probe(loss, weight, 0.1, 7, torch.Generator().manual_seed(0))
                      for probe in (listing["weight_perturbation"], perturbation.weight_perturbation))
    generator, total = torch.Generator().manual_seed(0), torch.zeros(3)
    for _ in range(7):                                                                         # Eq. 1
        noise = torch.randn(3, generator=generator)
        total += (loss(weight + 0.1 * noise) - loss(weight)) / 0.1 * noise / 7
    assert torch.equal(shown, package) and torch.allclose(shown, total, atol=1e-5)


@pytest.mark.parametrize(("unknowns", "probes"), [(10, 3), (1000, 100)])
def test_equation_2_is_the_module_and_the_explorer(unknowns, probes):
    law = math.sqrt(probes / (unknowns + probes + 1))
    assert perturbation.perturbation_cosine(unknowns, probes) == pytest.approx(law)
    found = torch.cat([explorers.estimate_directions(unknowns, probes, draw) for draw in range(30)])
    assert found.mean().item() == pytest.approx(law, abs=0.04 if probes < 10 else 0.01)


def test_the_directions_of_the_explorer_are_those_of_real_probes():
    generator, found = torch.Generator().manual_seed(0), []
    for _ in range(400):
        noise = torch.randn(4, 20, generator=generator)
        found.append(noise[:, 0] @ noise / 4)                                                  # the gradient is the first axis
    found = torch.stack(found)
    real = found[:, 0] / found.norm(dim=1)
    shown = torch.cat([explorers.estimate_directions(20, 4, draw) for draw in range(10)])
    assert shown.mean().item() == pytest.approx(real.mean().item(), abs=0.03)
    assert shown.std().item() == pytest.approx(real.std().item(), abs=0.03)


def test_equation_3_is_the_gradient_of_the_cross_entropy():
    votes, target = torch.randn(6, 4, requires_grad=True), torch.arange(6) % 4
    (exact,) = torch.autograd.grad(cross_entropy(votes, target), votes)
    by_hand = (votes.softmax(1) - one_hot(target, 4)) / 6
    assert torch.allclose(exact, by_hand, atol=1e-7) and torch.allclose(local.class_error(votes.detach(), target), exact)


@pytest.mark.parametrize("rule", ["backprop", "feedback alignment", "direct feedback"])
def test_equation_4_listing_and_module_agree(listing, rule):
    x, weights, target, generator = case()
    feedback = local.draw_feedback(rule, weights, generator)
    shown = listing["changes"](rule, x, target, weights, feedback)
    package = local.local_gradients(rule, local.run_layers(x, weights), target, weights, feedback)
    assert all(torch.allclose(one, other, atol=1e-6) and one.any() for one, other in zip(shown, package, strict=True))
    layers = local.run_layers(x, weights)
    told = listing["signals"](rule, local.class_error(layers.votes, target), layers.mem, weights, feedback)
    total, trace = torch.zeros(9, 12), torch.zeros(6, 12)
    for t in range(10):                                                                        # Eq. 4
        trace = 0.9 * trace + x[t]
        h = 1 / (1 + (math.pi * (layers.mem[0][t] - 1)) ** 2)
        total += (told[0][t] * h).T @ trace
    assert torch.allclose(total, shown[0], atol=1e-6)
    if rule == "backprop":
        learned = [weight.clone().requires_grad_() for weight in weights]
        exact = torch.autograd.grad(cross_entropy(local.run_layers(x, learned).votes, target), learned)
        assert all(torch.allclose(one, other, atol=1e-6) for one, other in zip(shown, exact, strict=True))


def test_equations_5_and_6_are_the_module_and_the_exercises():
    x, weights, target, generator = case()
    layers, feedback = local.run_layers(x, weights), local.draw_feedback("local losses", weights, generator)
    told = local.learning_signals("target projection", layers, target, weights, feedback)
    for signal, back in zip(told, feedback, strict=True):                                      # Eq. 5, the mean over the batch
        assert torch.allclose(signal[3], -one_hot(target, 4).float() @ back / 10 / 6)
        assert torch.allclose(signal[3], find("17.5").reference(target, back, 10))
    told = local.learning_signals("local losses", layers, target, weights, feedback)
    for signal, spk, back in zip(told, layers.spk, feedback, strict=True):                     # Eq. 6
        error = ((spk.mean(0) @ back.T).softmax(1) - one_hot(target, 4)) / 6
        assert torch.allclose(signal[0], error @ back / 10, atol=1e-7)
    change, spk = find("17.6").reference(x, weights[0], feedback[0], target, 0.9)
    assert torch.equal(spk, layers.spk[0])
    wanted = local.local_gradients("local losses", layers, target, weights, feedback)[0]
    assert torch.allclose(change, wanted, atol=1e-6) and change.any()


def test_equations_7_and_8_listing_module_and_exercise_agree(listing):
    x, weights, _, _ = case()
    weight, right = weights[0].clone().requires_grad_(), torch.arange(6) < 3
    lost, up = listing["layer_loss"](0.5 * x[0], weight, right)
    (slope,) = torch.autograd.grad(lost, weight)
    found, rate = forward_forward.forward_forward_gradient(0.5 * x[0], weights[0], right)
    assert torch.allclose(slope, found, atol=1e-5) and slope.any() and torch.allclose(up, forward_forward.passed_on(rate))
    good = rate.square().mean(1)
    z = 80 * (good - 0.1)                                                                      # Eq. 7
    signed = torch.where(right, -z, z).tolist()
    wanted = [math.log1p(math.exp(value)) for value in signed]
    assert lost.item() == pytest.approx(sum(wanted) / 6, rel=1e-4)                             # Eq. 8
    good = good.clone().requires_grad_()
    z = 80 * (good - 0.1)
    loss = torch.where(right, torch.nn.functional.softplus(-z), torch.nn.functional.softplus(z)).mean()
    (exact,) = torch.autograd.grad(loss, good)
    assert torch.allclose(find("17.7").reference(good.detach(), right, 0.1, 80.0), exact, atol=1e-5)


# Exercises

def test_the_answers_are_the_modules():
    assert find("17.1").reference == perturbation.probes_for(1000, 0.5)
    weights = local.draw_layers((784, 100, 100, 100, 10))
    assert find("17.3").reference == sum(back.numel() for back in local.draw_feedback("feedback alignment", weights))
    assert sum(back.numel() for back in local.draw_feedback("direct feedback", weights)) == 3000
    generator, x = torch.Generator().manual_seed(0), torch.randn(5, 6, generator=torch.Generator().manual_seed(1))
    current = x @ torch.randn(4, 6, generator=generator).T
    def losses(current):
        return current.square().sum(1)
    found = perturbation.node_perturbation(losses, current, 0.1, 1, torch.Generator().manual_seed(2)).T @ x / 5
    noise = torch.randn(current.shape, generator=torch.Generator().manual_seed(2))
    answer = find("17.2").reference(losses(current), losses(current + 0.1 * noise), noise, 0.1, x)
    assert torch.allclose(answer, found, atol=1e-5)


def test_the_pull_is_what_a_linear_layer_does_to_its_read_out():
    """Rates that moved by -eta e B change -e^T r by eta e^T e B, and never against B."""
    generator = torch.Generator().manual_seed(0)
    errors, feedback, rate = (torch.randn(*shape, generator=generator) for shape in ((6, 3), (3, 5), (6, 5)))
    moved = rate - errors @ feedback
    assert torch.allclose(-errors.T @ moved + errors.T @ rate, find("17.4").reference(errors, feedback), atol=1e-5)
    assert (find("17.4").reference(errors, feedback) * feedback).sum() > 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_cell_after_the_build_runs_with_answers_of_any_dtype(dtype, capsys):
    def change(*arguments):
        found, spk = find("17.6").reference(*arguments)
        return found.to(dtype), spk.to(dtype)
    assert judge(find("17.6"), change) == ("right", "")
    (path,) = notebooks.paths(["17"])
    (build,) = (cell for cell in code_cells(path) if cell.id == "s4-build")
    data = SimpleNamespace(train_labels=torch.arange(5000) % 10, test_labels=torch.arange(20) % 10)
    source = build.source.replace("range(2) for", "range(1) for").replace("torch.randperm(5000", "torch.randperm(300")
    execute(SimpleNamespace(id=build.id, source=source), {
        "local_change": change, "local": local, "data": data, "train": torch.rand(300, 784), "test": torch.rand(20, 784),
        "direct_current": study.direct_current, "whose": lambda fn: "your code", "torch": torch})
    assert "of 10,000 digits" in capsys.readouterr().out


# The study

def test_what_is_changed_is_changed_alone(monkeypatch):
    inputs, targets = torch.rand(256, 784), torch.arange(256) % 10
    monkeypatch.setattr(study, "images", lambda name="mnist": (inputs, targets, inputs, targets))
    monkeypatch.setattr(study, "EPOCHS", 1)
    plain, held, stuck, frozen = (study.turning(*study.CHANGES[name], 0) for name in (
        "nothing", "length held", "read-out frozen", "hidden layer frozen"))
    assert held["size"] == pytest.approx(1, abs=1e-5) and stuck["angle, what it learned"] == 90
    assert stuck["angle, read-out"] == stuck["angle, read-out, before"] == plain["angle, read-out, before"]
    assert len({each["angle, read-out"] for each in (plain, held, stuck, frozen)}) == 4
    assert study.turning(*study.CHANGES["read-out at zero"], 0)["angle, read-out, before"] == 90


# The explorers

def test_the_stored_turns_are_what_the_networks_would_do():
    angles, right = explorers.turns()
    assert explorers.TURNS.stat().st_size < 10_000 and angles.shape == (4, 3, 9, 3) and right.shape == (4, 3, 9)
    weights, feedback, _ = study.start("direct feedback", (784, 100, 100, 10), 0)
    found = study.against_backprop("direct feedback", weights, feedback)
    assert np.allclose(angles[1, 1, 0, :2], found, atol=0.2) and np.isnan(angles[1, 1, 0, 2])
    assert abs(right[1, 1, 0] - study.accuracy(weights)) < 0.002


def test_the_picture_of_the_turn():
    angles, right = explorers.turns()
    for picture, s in pictures("local.turn", 6):
        rule, depth, epoch = explorers.RULES.index(s["rule"]), s["depth"] - 1, s["epoch"]
        for layer, (color, style, marker) in enumerate((("blue", "-", "o"), ("vermillion", "--", "s"), ("green", "-.", "^"))):
            seen = angles[rule, depth, :epoch + 1, layer] if layer <= depth else []
            last = math.radians(seen[-1]) if layer <= depth else 0
            picture.line(f"update {layer + 1}", *(([0, math.cos(last)], [0, math.sin(last)]) if layer <= depth else ([], [])),
                         color, style)
            picture.line(f"angle {layer + 1}", range(len(seen)), seen, color, style, marker=marker, label=f"layer {layer + 1}")
        picture.says("says", "after {} epochs: {}% of 10,000", epoch, 100 * right[rule, depth, epoch])


def test_the_picture_of_the_probes():
    for picture, s in pictures("local.probes", 6):
        cosines = explorers.estimate_directions(s["unknowns"], s["probes"], s["draw"])
        angles = [math.acos(value) * (1 - 2 * (place % 2)) for place, value in enumerate(cosines.tolist())]
        picture.segments("fan", [((0, 0), (math.cos(angle), math.sin(angle))) for angle in angles], "sky")
        mean, counts = cosines.mean().item(), torch.logspace(0, 3, 61)
        picture.says("angle", "{} degrees", math.degrees(math.acos(mean)))
        picture.line("law", counts, [math.sqrt(k / (s["unknowns"] + k + 1)) for k in counts.tolist()], "blue", label="the law")
        picture.points("mean", [s["probes"]], [mean], "vermillion")
        picture.says("says", "N = {}, K = {}: law {}, measured {}", s["unknowns"], s["probes"],
                     math.sqrt(s["probes"] / (s["unknowns"] + s["probes"] + 1)), mean)


def test_what_stands_behind_the_pictures():
    behind = background("local.turn")
    behind.axes("0", "Each layer's update", ("", -0.35, 1.25), ("", -0.25, 1.2), xticks={}, yticks={})
    behind.axes("1", "Epoch by epoch", ("epochs", -0.3, 8.3), ("angle to the gradient (degrees)", 0, 120),
                legend=("layer 1", "layer 2", "layer 3"))
    behind.rule("1.line0", "0.6", ":", y=90)
    behind.line("0.line0", [0, 1], [0, 0], "black")
    behind.points("0.line1", [1], [0], "black", ">")
    behind.says("0.text0", "gradient", at=(1.03, -0.07))
    behind.done()
    behind = background("local.probes")
    behind.axes("0", "40 estimates", ("", -0.15, 1.25), ("", -1.15, 1.15), xticks={}, yticks={})
    behind.axes("1", "The law", ("probes K", 1, 1000), ("cosine with the gradient", 0, 1), xscale="log",
                legend=("the law", "mean of 40"))
    behind.line("0.line0", [0, 1], [0, 0], "black")
    behind.points("0.line1", [1], [0], "black", ">")
    behind.says("0.text0", "gradient", at=(1.03, -0.1))
    behind.done()


def test_lif_is_the_layer_of_every_rule():
    x, weights, _, _ = case()
    layers = local.run_layers(x, weights)
    spk, mem = lif(x @ weights[0].T, 0.9)
    assert torch.equal(layers.spk[0], spk) and torch.equal(layers.mem[0], mem)
    assert torch.equal(layers.votes, layers.spk[1].mean(0) @ weights[-1].T)
