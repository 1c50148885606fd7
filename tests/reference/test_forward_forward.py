"""The gradient of goodness against autograd, what goes up to the next layer, and that layers learn to tell right from wrong."""
import re

import pytest
import torch

from snnteach import forward_forward as ff
from snnteach.neurons import lif
from snnteach.surrogate import atan, triangular

FLOAT = torch.float64


def case(seed=0, batch=7, inputs=9, hidden=11):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(batch, inputs, generator=generator, dtype=FLOAT)
    return x, torch.randn(hidden, inputs, generator=generator, dtype=FLOAT) / 2, torch.arange(batch) % 3 > 0


@pytest.mark.parametrize("surrogate", [atan(), triangular()])
@pytest.mark.parametrize(("level", "sharpness"), [(0.1, 80.0), (0.3, 5.0)])
def test_the_gradient_is_autograds(surrogate, level, sharpness):
    x, weight, right = case()
    weight.requires_grad_()
    spk, _ = lif((x @ weight.T).expand(13, -1, -1), 0.8, surrogate=surrogate)
    z = sharpness * (spk.mean(0).square().mean(1) - level)
    loss = torch.where(right, torch.nn.functional.softplus(-z), torch.nn.functional.softplus(z)).mean()
    (exact,) = torch.autograd.grad(loss, weight)
    found, rate = ff.forward_forward_gradient(x, weight.detach(), right, 0.8, num_steps=13, level=level, sharpness=sharpness,
                                              surrogate=surrogate)
    assert torch.allclose(found, exact, atol=1e-12, rtol=1e-9) and exact.any()
    assert torch.equal(rate, spk.mean(0).detach())


def test_what_goes_up_does_not_tell_how_good_the_layer_was():
    rate = torch.rand(6, 5, dtype=FLOAT)
    louder = torch.arange(1, 7)[:, None] * rate
    assert torch.allclose(ff.passed_on(louder), ff.passed_on(rate))
    assert not torch.allclose(ff.goodness(louder), ff.goodness(rate))
    assert torch.allclose(ff.passed_on(rate).square().mean(1), torch.ones(6, dtype=FLOAT))
    assert not ff.passed_on(torch.zeros(2, 3)).any()


def test_a_label_stands_before_the_pixels():
    images = torch.rand(3, 4)
    found = ff.with_label(images, torch.tensor([2, 0, 1]), classes=3, strength=7)
    assert torch.equal(found[:, :3], 7 * torch.eye(3)[[2, 0, 1]]) and torch.equal(found[:, 3:], images)


def task(seed=0):
    generator = torch.Generator().manual_seed(seed)
    shapes, labels = torch.randn(4, 30, generator=generator), torch.arange(400) % 4
    images = shapes[labels] + torch.randn(400, 30, generator=generator)
    weights = [torch.randn(40, 34, generator=generator) / 34**0.5, torch.randn(40, 40, generator=generator) / 40**0.5]
    return images, labels, weights, generator


def test_layers_learn_to_tell_right_from_wrong():
    images, labels, weights, generator = task()
    def right(weights):
        return [(part.argmax(1) == labels).float().mean().item() for part in ff.label_goodness(images, weights, classes=4)]
    before = right(weights)
    ff.train_forward_forward(weights, images, labels, classes=4, epochs=15, batch_size=50, generator=generator)
    assert max(before) < 0.45 and min(right(weights)) > 0.8
    assert all(weight.grad is None for weight in weights)


def test_the_same_generator_trains_the_same_layers_and_each_label_is_asked_as_it_would_be_alone():
    found = []
    for _ in range(2):
        images, labels, weights, generator = task()
        found.append(ff.train_forward_forward(weights, images[:50], labels[:50], classes=4, epochs=1, generator=generator))
    assert all(map(torch.equal, *found))
    x = ff.with_label(images[:5], torch.full((5,), 2), 4)
    for layer, weight in enumerate(weights):
        rate = lif((x @ weight.T).expand(10, -1, -1), 0.9)[0].mean(0)
        assert torch.allclose(ff.label_goodness(images[:5], weights, classes=4)[layer, :, 2], ff.goodness(rate))
        x = ff.passed_on(rate)


@pytest.mark.parametrize(("call", "words"), [
    (lambda: ff.with_label(torch.rand(2, 3), torch.tensor([0, 10])), "must lie in 0..9"),
    (lambda: ff.with_label(torch.rand(2, 3, 3), torch.tensor([0, 1])), "images.flatten(1)"),
    (lambda: ff.forward_forward_gradient(torch.rand(2, 3), torch.rand(4, 3), torch.tensor([0, 1])), "right == 1"),
    (lambda: ff.forward_forward_gradient(torch.rand(2, 3), torch.rand(4, 2), torch.tensor([True, False])), "to fit x"),
    (lambda: ff.label_goodness(torch.rand(2, 3), [torch.rand(4, 3)]), "to take label and pixels"),
    (lambda: ff.label_goodness(torch.rand(2, 3), torch.rand(4, 13)), "For one layer [weight]"),
    (lambda: ff.train_forward_forward([torch.rand(4, 4)], torch.rand(2, 3), torch.tensor([0, 0]), classes=1), "2 or more"),
])
def test_what_cannot_be_meant_is_refused_with_a_cure(call, words):
    with pytest.raises((TypeError, ValueError), match=re.escape(words)):
        call()


def test_the_cures_of_the_messages_work():
    x, weight, right = case()
    again, once = (ff.forward_forward_gradient(x, weight, given)[0] for given in (right.long() == 1, right))
    assert torch.equal(again, once)
    assert ff.label_goodness(torch.rand(2, 3), [torch.rand(4, 13)]).shape == (1, 2, 10)
    assert ff.with_label(torch.rand(2, 3, 3).flatten(1), torch.tensor([0, 1])).shape == (2, 19)
