"""Learning signals against autograd, rules against each other where they must agree, and what turns random feedback."""
import math
import re
from itertools import pairwise

import pytest
import torch

from snnteach import local
from snnteach.networks import direct_current
from snnteach.neurons import lif
from snnteach.surrogate import atan, fast_sigmoid
from snnteach.three_factor import three_factor

FLOAT = torch.float64
HIDDEN = {"one": (6, 9, 4), "two": (6, 9, 8, 4), "three": (5, 7, 7, 6, 3)}


def case(sizes, seed=0, num_steps=12, batch=5, constant=False):
    generator = torch.Generator().manual_seed(seed)
    weights = [2 * weight.double() for weight in local.draw_layers(sizes, generator)]
    x = torch.randn(1 if constant else num_steps, batch, sizes[0], generator=generator, dtype=FLOAT)
    x = direct_current(x[0], num_steps) if constant else x
    return x, weights, torch.arange(batch) % sizes[-1], generator


def by_autograd(x, weights, target, beta=0.9, threshold=1.0, surrogate=atan()):
    """The network written out, and its gradient."""
    weights, spk = [weight.clone().requires_grad_() for weight in weights], x
    for weight in weights[:-1]:
        spk, _ = lif(spk @ weight.T, beta, threshold, surrogate=surrogate)
    loss = torch.nn.functional.cross_entropy(spk.mean(0) @ weights[-1].T, target)
    return torch.autograd.grad(loss, weights)


def changes(rule, x, weights, target, feedback=(), **options):
    constants = {name: options[name] for name in ("beta", "threshold") if name in options}
    return local.local_gradients(rule, local.run_layers(x, weights, **constants), target, weights, feedback, **options)


def equal(one, other, tolerance=1e-12):
    return all(torch.allclose(a, b, atol=tolerance, rtol=0) for a, b in zip(one, other, strict=True))


# Against autograd

@pytest.mark.parametrize("name", HIDDEN)
@pytest.mark.parametrize("constant", [True, False])
@pytest.mark.parametrize("surrogate", [atan(), fast_sigmoid(5)])
def test_backprop_is_autograd(name, constant, surrogate):
    x, weights, target, _ = case(HIDDEN[name], constant=constant)
    found = changes("backprop", x, weights, target, beta=0.8, threshold=0.7, surrogate=surrogate)
    exact = by_autograd(x, weights, target, 0.8, 0.7, surrogate)
    assert equal(found, exact) and all(grad.abs().max() > 1e-4 for grad in exact)


@pytest.mark.parametrize("constant", [True, False])
def test_local_losses_are_autograd_of_each_layers_own_loss(constant):
    x, weights, target, generator = case(HIDDEN["three"], constant=constant)
    feedback = local.draw_feedback("local losses", weights, generator)
    found, source = changes("local losses", x, weights, target, feedback), x
    for place, (weight, back) in enumerate(zip(weights, feedback)):                          # detached below
        weight = weight.clone().requires_grad_()
        spk, _ = lif(source @ weight.T, 0.9)
        loss = torch.nn.functional.cross_entropy(spk.mean(0) @ back.T, target)
        (exact,) = torch.autograd.grad(loss, weight)
        assert torch.allclose(found[place], exact, atol=1e-12, rtol=0) and exact.any()
        source = spk.detach()


def test_the_change_is_the_product_of_three_factors():
    x, weights, target, generator = case(HIDDEN["two"])
    feedback = local.draw_feedback("direct feedback", weights, generator)
    layers = local.run_layers(x, weights)
    signals = local.learning_signals("direct feedback", layers, target, weights, feedback)
    wanted = [three_factor(source, mem, signal.contiguous(), 0.9)
              for source, mem, signal in zip(layers.inputs, layers.mem, signals)]
    assert equal(changes("direct feedback", x, weights, target, feedback)[:-1], wanted)


# Rules that must agree

@pytest.mark.parametrize("name", HIDDEN)
def test_feedback_alignment_with_the_true_weights_is_backprop(name):
    x, weights, target, _ = case(HIDDEN[name])
    assert equal(changes("feedback alignment", x, weights, target, weights[1:]), changes("backprop", x, weights, target))


def test_direct_feedback_through_the_read_out_is_backprop_of_one_hidden_layer():
    x, weights, target, _ = case(HIDDEN["one"])
    assert equal(changes("direct feedback", x, weights, target, weights[1:]), changes("backprop", x, weights, target))
    assert equal(changes("local losses", x, weights, target, weights[1:]), changes("backprop", x, weights, target))


def test_target_projection_is_direct_feedback_whose_answer_is_always_nothing():
    x, weights, target, generator = case(HIDDEN["two"])
    feedback, layers = local.draw_feedback("target projection", weights, generator), local.run_layers(x, weights)
    signals = local.learning_signals("target projection", layers, target, weights, feedback)
    errors = -torch.nn.functional.one_hot(target, 4).double() / 5
    assert equal(signals, [(errors @ back / 12).expand(12, -1, -1) for back in feedback])
    changed = weights[:-1] + [torch.randn(weights[-1].shape, generator=generator, dtype=FLOAT)]     # it does not hear the votes
    again = local.learning_signals("target projection", local.run_layers(x, changed), target, changed, feedback)
    assert equal(signals, again)


@pytest.mark.parametrize("rule", local.LOCAL_RULES)
def test_the_read_out_learns_exactly_under_every_rule(rule):
    x, weights, target, generator = case(HIDDEN["two"])
    found = changes(rule, x, weights, target, local.draw_feedback(rule, weights, generator))
    assert torch.allclose(found[-1], by_autograd(x, weights, target)[-1], atol=1e-12)
    assert all(bool(change.any()) == (rule != "frozen") for change in found[:-1])


def test_the_error_is_the_gradient_of_the_cross_entropy():
    votes = torch.randn(7, 4, dtype=FLOAT, requires_grad=True)
    target = torch.arange(7) % 4
    (exact,) = torch.autograd.grad(torch.nn.functional.cross_entropy(votes, target), votes)
    assert torch.allclose(local.class_error(votes.detach(), target), exact, atol=1e-15)


# What is drawn

@pytest.mark.parametrize("rule", local.LOCAL_RULES)
def test_feedback_has_the_shapes_and_the_size_it_says(rule):
    weights = local.draw_layers((300, 200, 100, 10), torch.Generator().manual_seed(0))
    drawn = local.draw_feedback(rule, weights, torch.Generator().manual_seed(1))
    wanted = {"backprop": [], "frozen": [], "feedback alignment": [(100, 200), (10, 100)]}.get(rule, [(10, 200), (10, 100)])
    assert [tuple(back.shape) for back in drawn] == wanted
    assert all(back.std().item() == pytest.approx(back.shape[1]**-0.5, rel=0.1) for back in drawn)


def test_layers_are_drawn_at_their_scale():
    first, inner, last = local.draw_layers((300, 200, 200, 10), torch.Generator().manual_seed(0), gain=3, readout=0.5)
    for weight, size in ((first, 300**-0.5), (inner, 3 * 200**-0.5), (last, 0.5 * 200**-0.5)):
        assert weight.std().item() == pytest.approx(size, rel=0.05)
    assert not local.draw_layers((5, 4, 3), readout=0)[-1].any()


def test_angles_are_those_of_the_plane():
    line = torch.tensor([1.0, 0.0])
    turned = [torch.tensor([math.cos(a), math.sin(a)]) * 3 for a in (0.0, 0.5, math.pi / 2, math.pi)]
    assert local.angles([line] * 4, turned) == pytest.approx([0, math.degrees(0.5), 90, 180], abs=1e-3)
    assert local.angles([torch.zeros(2)], [line]) == [90.0]
    assert local.angles([1e-200 * line.double()], [line.double()]) == pytest.approx([0], abs=1e-6)


# What turns

def trained(rule, seed=0, readout=1.0, epochs=10, sizes=(30, 40, 4)):
    generator = torch.Generator().manual_seed(seed)
    weights = local.draw_layers(sizes, generator, readout=readout)
    feedback = local.draw_feedback(rule, weights, generator)
    shapes = torch.randn(4, 30, generator=generator)
    targets = torch.arange(300) % 4
    inputs = shapes[targets] + torch.randn(300, 30, generator=generator)
    before = [weight.clone() for weight in weights]
    seen = []
    local.train_layers(rule, weights, feedback, inputs, targets, epochs=epochs, batch_size=30, learning_rate=5e-3,
                       generator=generator, progress=seen.append)
    return before, weights, feedback, inputs, targets, seen


def test_the_read_out_turns_towards_the_random_feedback():
    before, weights, feedback, inputs, targets, seen = trained("feedback alignment")
    assert seen == list(range(11))
    (start,), (end,) = (local.angles([each[-1]], feedback) for each in (before, weights))
    assert start > 80 and end < start - 15
    assert local.angles([weights[-1] - before[-1]], feedback)[0] < 70                         # what it learned points along B


def test_the_first_change_of_a_read_out_that_begins_at_zero_points_along_the_feedback():
    """dW_out = -e r^T; the rates have moved by a positive part of -B^T e; so e e^T B, which is never against B."""
    _, weights, feedback, inputs, targets, _ = trained("feedback alignment", readout=0.0, epochs=1)
    assert local.angles([weights[-1]], feedback)[0] < 87
    error = torch.randn(50, 4, dtype=FLOAT)
    along = (error.T @ error) @ feedback[0].double()
    assert (along * feedback[0]).sum() > 0


def test_frozen_layers_stay_and_feedback_stays():
    for rule in ("frozen", "direct feedback"):
        before, weights, feedback, *_ = trained(rule, epochs=2)
        assert torch.equal(before[0], weights[0]) == (rule == "frozen") and not torch.equal(before[-1], weights[-1])
        assert all(weight.grad is None for weight in weights)
    generator = torch.Generator().manual_seed(5)
    kept = local.draw_feedback("direct feedback", weights, generator)
    copy = [back.clone() for back in kept]
    local.train_layers("direct feedback", weights, kept, inputs := torch.rand(20, 30), torch.arange(20) % 4, epochs=1)
    assert all(map(torch.equal, kept, copy)) and inputs.shape == (20, 30)


@pytest.mark.parametrize("rule", ["backprop", "feedback alignment", "direct feedback", "target projection", "local losses"])
def test_every_rule_learns_a_small_task(rule):
    _, weights, _, inputs, targets, _ = trained(rule, sizes=(30, 40, 40, 4))
    votes = local.run_layers(direct_current(inputs, 10), weights).votes
    assert (votes.argmax(1) == targets).float().mean() > 0.9


def test_the_same_generator_trains_the_same_weights():
    one, other = (trained("direct feedback", epochs=2)[1] for _ in "ab")
    assert all(map(torch.equal, one, other))


# A peer

def test_snntorch_with_detached_layers_and_local_losses_agrees():
    snn = pytest.importorskip("snntorch")
    from snntorch import surrogate
    x, weights, target, generator = case(HIDDEN["two"], constant=True)
    feedback = local.draw_feedback("local losses", weights, generator)
    layers = [torch.nn.Linear(a, b, bias=False, dtype=FLOAT) for a, b in pairwise(HIDDEN["two"][:-1])]
    neurons = [snn.Leaky(beta=0.9, spike_grad=surrogate.atan(alpha=2.0), reset_mechanism="subtract") for _ in layers]
    mem, counts = [torch.zeros(5, layer.out_features, dtype=FLOAT) for layer in layers], [0, 0]
    with torch.no_grad():
        for layer, weight in zip(layers, weights):
            layer.weight.copy_(weight)
    for now in x:
        for place, (layer, neuron) in enumerate(zip(layers, neurons)):
            now, mem[place] = neuron(layer(now.detach()), mem[place])
            now = now.double()
            counts[place] = counts[place] + now
    loss = sum(torch.nn.functional.cross_entropy(count / len(x) @ back.T, target) for count, back in zip(counts, feedback))
    exact = torch.autograd.grad(loss, [layer.weight for layer in layers])
    assert equal(changes("local losses", x, weights, target, feedback)[:-1], exact, 1e-5)


# Refusals

NET = local.draw_layers((6, 5, 3))
RUN, TARGET = local.run_layers(torch.rand(4, 2, 6), NET), torch.tensor([0, 2])


@pytest.mark.parametrize(("call", "words"), [
    (lambda: local.draw_layers((6, 3)), "three or more"),
    (lambda: local.run_layers(torch.rand(4, 6), NET), "[T, B, I] (time first)"),
    (lambda: local.run_layers(torch.rand(4, 2, 7), NET), "to fit weights[0]"),
    (lambda: local.run_layers(torch.rand(4, 2, 6).double(), NET), "x.to(torch.float32)"),
    (lambda: local.run_layers(torch.rand(4, 2, 6), [NET[0], NET[0]]), "to take the neurons of the layer before"),
    (lambda: local.run_layers(torch.rand(4, 2, 6), NET[0]), "Draw them with draw_layers"),
    (lambda: local.local_gradients("dfa", RUN, TARGET, NET), "rule must be one of 'backprop'"),
    (lambda: local.local_gradients("direct feedback", RUN, TARGET, NET), "Draw it with draw_feedback(rule, weights)"),
    (lambda: local.local_gradients("direct feedback", RUN, TARGET, NET, [torch.rand(5, 3)]), "must be (3, 5) to fit"),
    (lambda: local.local_gradients("backprop", RUN.votes, TARGET, NET), "Layers from run_layers"),
    (lambda: local.local_gradients("backprop", RUN, torch.tensor([0, 3]), NET), "must lie in 0..2"),
    (lambda: local.local_gradients("backprop", RUN, TARGET.float(), NET), "Convert with .long()"),
    (lambda: local.angles(torch.ones(2), torch.ones(2)), "For one tensor [one]"),
    (lambda: local.train_layers("frozen", NET, [], torch.rand(9, 6), TARGET), "one a sample"),
    (lambda: local.train_layers("frozen", NET, [], torch.rand(2, 6), TARGET, surrogate=atan), "call its factory"),
])
def test_what_cannot_be_meant_is_refused_with_a_cure(call, words):
    with pytest.raises((TypeError, ValueError), match=re.escape(words)):
        call()


def test_the_cures_of_the_messages_work():
    feedback = local.draw_feedback("direct feedback", NET)
    assert len(local.local_gradients("direct feedback", RUN, TARGET.float().long(), NET, feedback)) == 2
    assert local.run_layers(direct_current(torch.rand(2, 6), 4), NET).votes.shape == (2, 3)
    assert local.run_layers(torch.rand(4, 2, 6).double().to(torch.float32), NET).votes.shape == (2, 3)
    assert local.angles([torch.ones(2)], [torch.ones(2)]) == pytest.approx([0], abs=1e-3)
