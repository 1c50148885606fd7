"""The winner-take-all layer: competition, learning, homeostasis and labels against written-out loops, and what is refused."""
import math

import numpy as np
import pytest
import torch

from snnteach.winner_take_all import (
    WinnerTakeAll,
    assign_labels,
    train_wta,
    vote,
    wta_forward,
    wta_learn,
    wta_start,
)


def test_one_winner_a_step_and_everybody_starts_again():
    generator = torch.Generator().manual_seed(0)
    layer = wta_start(7, 12, threshold=1.2, generator=generator)
    spk = (torch.rand(40, 5, 12, generator=generator) < 0.2).float()
    out = wta_forward(spk, layer)
    assert out.shape == (40, 5, 7) and out.sum(-1).max() == 1 and out.sum() > 20
    for b in range(5):
        mem = torch.zeros(7)
        for t in range(40):
            mem = 0.99 * mem + layer.weight @ spk[t, b]
            expected = torch.zeros(7)
            if (mem - layer.threshold).max() > 0:
                expected[(mem - layer.threshold).argmax()] = 1
                mem = torch.zeros(7)
            assert torch.equal(out[t, b], expected)


def test_learning_is_the_written_out_rule():
    generator = torch.Generator().manual_seed(1)
    layer = wta_start(4, 6, threshold=0.8, generator=generator)
    spk = (torch.rand(30, 3, 6, generator=generator) < 0.2).float()
    out = wta_forward(spk, layer)
    change, trace = torch.zeros(4, 6), torch.zeros(3, 6)
    for t in range(30):
        trace = 0.9 * trace + spk[t]
        change += torch.einsum("bn,bi->ni", out[t], trace - 0.1)
    weight = (layer.weight + 0.02 * change).clamp(min=0)
    plain = wta_learn(spk, out, layer, learning_rate=0.02, offset=0.1, decay=0.9, rise=0.0, normalise=False)
    assert torch.allclose(plain.weight, weight, atol=1e-6) and torch.equal(plain.threshold, layer.threshold)
    full = wta_learn(spk, out, layer, learning_rate=0.02, offset=0.1, decay=0.9, rise=0.5)
    assert torch.allclose(full.weight, weight / weight.norm(dim=1, keepdim=True), atol=1e-6)
    assert torch.allclose(full.threshold, layer.threshold + 0.5 * out.sum((0, 1)))


def test_silence_teaches_nothing():
    layer = wta_start(4, 6)
    spk = torch.zeros(5, 2, 6)
    after = wta_learn(spk, wta_forward(spk, layer), layer)
    assert torch.allclose(after.weight, layer.weight) and torch.equal(after.threshold, layer.threshold)


def test_a_winner_must_be_above_its_threshold():
    layer = WinnerTakeAll(torch.tensor([[0.5, 0.5]]), torch.ones(1))
    assert not wta_forward(torch.ones(1, 1, 2), layer).any() and wta_forward(torch.ones(2, 1, 2), layer)[1].item() == 1


def test_training_is_the_written_out_loop():
    """In a new random order each epoch, with a learning rate that falls, and with the constants that were passed."""
    images, generator = torch.rand(20, 6, generator=torch.Generator().manual_seed(0)), torch.Generator().manual_seed(1)
    start, constants = wta_start(4, 6, threshold=0.5, generator=generator), {"offset": 0.1, "rise": 0.3, "decay": 0.8}
    state, layer = generator.get_state(), start
    found = train_wta(start, images, encode=lambda x: x.expand(5, *x.shape), epochs=2, batch_size=8, learning_rate=0.1,
                      generator=generator, **constants)
    for epoch in range(2):
        seen = 20 * epoch
        for chosen in torch.randperm(20, generator=generator.set_state(state) if seen == 0 else generator).split(8):
            spk = images[chosen].expand(5, -1, -1)
            layer = wta_learn(spk, wta_forward(spk, layer), layer, learning_rate=0.1 * (1 - seen / 40), **constants)
            seen += len(chosen)
    assert torch.equal(found.weight, layer.weight) and torch.equal(found.threshold, layer.threshold)
    assert not torch.allclose(found.weight, start.weight, atol=0.05)


def test_training_repeats_and_reports_progress():
    images, seen = torch.eye(4).repeat(10, 1), []

    def learn():
        generator = torch.Generator().manual_seed(3)
        return train_wta(wta_start(5, 4, generator=generator), images, encode=lambda x: x.expand(20, *x.shape), epochs=1,
                         generator=generator, progress=lambda layer, count: seen.append(count))

    assert torch.equal(learn().weight, learn().weight) and seen[:3] == [16, 32, 40]


def test_labels_are_means_not_sums_and_silence_has_no_label():
    counts, targets = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [2.0, 0.0]]), torch.tensor([0, 0, 0, 1])
    assert assign_labels(counts, targets, 2).tolist() == [1, -1]
    assert vote(torch.tensor([[3.0, 1.0, 1.0]]), torch.tensor([0, 1, -1])).item() == 0
    assert vote(torch.tensor([[0.0, 0.0, 4.0]]), torch.tensor([0, 1, -1])).item() == -1


def test_the_layer_reads_unseen_noisy_patterns_without_labels():
    generator = torch.Generator().manual_seed(0)
    prototypes = (torch.rand(4, 60, generator=generator) < 0.3).float()

    def draw(number):
        targets = torch.randint(4, (number,), generator=generator)
        return prototypes[targets] * torch.rand(number, 60, generator=generator), targets

    def encode(x):
        return (torch.rand(50, *x.shape, generator=generator) < 0.8 * x / x.norm(dim=1, keepdim=True)).float()

    layer = wta_start(12, 60, generator=generator)
    layer = train_wta(layer, draw(400)[0], encode=encode, learning_rate=0.02, generator=generator)
    images, targets = draw(200)
    labels = assign_labels(wta_forward(encode(images), layer).sum(0), targets, 4)
    images, targets = draw(200)
    answers = vote(wta_forward(encode(images), layer).sum(0), labels, 4)
    assert (answers == targets).float().mean() > 0.9
    assert isinstance(layer, WinnerTakeAll) and layer.weight.norm(dim=1).sub(1).abs().max() < 1e-5


NAN, LAYER, IMAGES = math.nan, wta_start(2, 4), torch.rand(3, 4)


def film(x):
    """Show the images for five steps, [T, B, I]."""
    return x.expand(5, *x.shape)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: wta_start(10, 4, threshold=-1.0), "wta_start: threshold must be above 0"),
    (lambda: wta_forward(torch.zeros(5, 4), wta_start(2, 4)), "spk must be .T, B, I."),
    (lambda: wta_forward(torch.zeros(5, 1, 3), wta_start(2, 4)), r"\(5, 1, 4\) to fit the layer's weights, got shape \(5"),
    (lambda: wta_forward(torch.zeros(5, 1, 4), wta_start(2, 4), beta=1.1), "beta must be between 0 and 1"),
    (lambda: wta_learn(torch.zeros(5, 1, 4), torch.zeros(5, 1, 3), wta_start(2, 4)), r"out must be \(5, 1, 2\).*got"),
    (lambda: wta_learn(torch.zeros(5, 1, 4), torch.zeros(5, 1, 2), wta_start(2, 4), decay=2.0), "decay must be between"),
    (lambda: wta_learn(torch.zeros(5, 1, 4), torch.zeros(5, 1, 2), wta_start(2, 4), rise=-1.0),
     "wta_learn: rise must be at least 0"),
    (lambda: train_wta(wta_start(2, 4), torch.zeros(3, 4), encode=abs, epochs=0),
     "train_wta: epochs must be a whole number of at least 1"),
    (lambda: assign_labels(torch.zeros(3, 2), torch.zeros(4).long()), "3 rows of counts but 4 targets"),
    (lambda: vote(torch.zeros(3, 2), torch.zeros(3).long()), "2 neurons but 3 labels"),
    (lambda: wta_start(2, 10**12), "wta_start: num_neurons x num_inputs asks for a tensor of 2 x 1000000000000 numbers"),
    (lambda: wta_start(2.0, 4), "num_neurons must be a whole number"),
    (lambda: wta_forward(torch.full((5, 1, 4), NAN), LAYER), "wta_forward: spk holds NaN"),
    (lambda: wta_forward(torch.zeros(5, 1, 4), LAYER._replace(threshold=torch.full((2,), NAN))), "layer.threshold holds NaN"),
    (lambda: wta_forward(torch.zeros(5, 1, 4), LAYER._replace(threshold=torch.ones(3))), r"layer.threshold must be \(2,\)"),
    (lambda: wta_learn(torch.zeros(5, 1, 4), torch.full((5, 1, 2), NAN), LAYER), "wta_learn: out holds NaN"),
    (lambda: train_wta(LAYER, IMAGES, encode=lambda x: x), r"train_wta: what encode returns must be \[T, B, I\]"),
    (lambda: train_wta(LAYER, IMAGES, encode=lambda x: film(x).transpose(0, 1)), r"\[T, B, I\] \(time first\) of B = 3 images"),
    (lambda: train_wta(LAYER, IMAGES, encode=lambda x: film(x) * NAN), "train_wta: what encode returns holds NaN"),
    (lambda: train_wta(LAYER, IMAGES[:0], encode=film), "train_wta: images must be"),
    (lambda: train_wta(LAYER, IMAGES, encode=film, decay=2.0), "train_wta: decay must be between 0 and 1"),
    (lambda: assign_labels(torch.full((3, 2), NAN), torch.zeros(3).long()), "assign_labels: counts holds NaN"),
    (lambda: assign_labels(torch.ones(1, 2), torch.tensor([10])), "targets must be between 0 and 9, got 10. .*num_classes=10"),
    (lambda: assign_labels(-torch.ones(1, 2), torch.tensor([1])), "counts must not be negative"),
    (lambda: vote(torch.full((3, 2), NAN), torch.zeros(2).long()), "vote: counts holds NaN"),
    (lambda: vote(torch.ones(3, 2), torch.tensor([-2, 0])), "labels must be between -1 and 9"),
    (lambda: vote(torch.ones(3, 2), torch.tensor([1, 0]), num_classes=10**12), "num_classes asks for a tensor"),
])
def test_bad_values_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(("call", "message"), [
    (lambda: vote(torch.zeros(3, 2).long(), torch.zeros(2).long()), "counts must be floating point"),
    (lambda: wta_start(2, 4, generator=0), "wta_start: generator must be a torch.Generator"),
    (lambda: wta_forward(torch.zeros(5, 1, 4), tuple(LAYER)), r"wta_forward: layer must be WinnerTakeAll\(weight, threshold\)"),
    (lambda: wta_forward(torch.zeros(5, 1, 4).double(), LAYER), "spk is torch.float64 and layer.weight is torch.float32"),
    (lambda: wta_learn(torch.zeros(5, 1, 4), torch.zeros(5, 1, 2), LAYER, normalise="no"), "normalise must be True or False"),
    (lambda: train_wta(LAYER, IMAGES.tolist(), encode=film), "train_wta: images must be a torch.Tensor"),
    (lambda: train_wta(LAYER, IMAGES, encode=None), "train_wta: encode must be a function"),
    (lambda: train_wta(LAYER, IMAGES, encode=film, progress=lambda: 0),
     "train_wta: progress must be a function of 2 arguments"),
    (lambda: train_wta(LAYER, IMAGES, encode=film, speed=2), "train_wta: constants must be among .*got speed"),
    (lambda: train_wta(LAYER, IMAGES, encode=film, generator=1), "train_wta: generator must be a torch.Generator"),
    (lambda: train_wta(LAYER, IMAGES.double(), encode=film), "what encode returns is torch.float64 and layer.weight is torch"),
    (lambda: assign_labels(torch.ones(3, 2), torch.zeros(3)), "targets must be int64"),
    (lambda: assign_labels(torch.ones(3, 2), [0, 1, 2]),
     r"targets must be a torch.Tensor .S., got list.*torch.tensor\(targets\)"),
    (lambda: vote(torch.ones(3, 2), np.zeros(2)), "labels must be a torch.Tensor"),
])
def test_wrong_kinds_are_named(call, message):
    with pytest.raises(TypeError, match=message):
        call()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_counts_do_not_run_in_half_precision(dtype):
    layer = WinnerTakeAll(torch.ones(1, 1, dtype=dtype), torch.full((1,), 0.5, dtype=dtype))
    spk = torch.ones(3000, 1, 1, dtype=dtype)
    out = wta_forward(spk, layer)
    assert out.dtype == dtype and out.bool().all()
    after = wta_learn(spk, out, layer, rise=0.01)
    assert after.threshold.dtype == dtype and after.threshold.item() == pytest.approx(30.5, rel=0.01)
    counts = torch.tensor([[1.0, 0.0]] * 3000 + [[0.0, 1.0]], dtype=dtype)
    assert assign_labels(counts, torch.tensor([0] * 3000 + [1]), 2).tolist() == [0, 1]


def test_spikes_of_a_network_that_learns_by_gradients_are_taken_without_them():
    spk = torch.rand(5, 3, 4).requires_grad_()
    out = wta_forward(spk, LAYER)
    after = wta_learn(spk, out, LAYER)
    assert not (out.requires_grad or after.weight.requires_grad or after.threshold.requires_grad)


def test_scalars_of_numpy_are_numbers():
    layer = wta_start(np.int64(2), np.int64(4), np.float32(0.5), torch.Generator().manual_seed(0))
    other = wta_start(2, 4, 0.5, torch.Generator().manual_seed(0))
    assert all(map(torch.equal, layer, other))
    constants = {"offset": 0.25, "rise": 0.5, "decay": 0.75, "learning_rate": 0.125}
    trained = [train_wta(layer, IMAGES, encode=film, epochs=kind(2), batch_size=kind(2), normalise=truth(True),
                         generator=torch.Generator().manual_seed(1),
                         **{name: number(value) for name, value in constants.items()})
               for kind, number, truth in ((int, float, bool), (np.int64, np.float64, np.bool_))]
    assert all(map(torch.equal, *trained)) and trained[1].weight.dtype == torch.float32
    counts = wta_forward(film(IMAGES), layer, np.float64(0.5)).sum(0)
    labels = assign_labels(counts, torch.tensor([0, 1, 1]), np.int64(2))
    assert torch.equal(vote(counts, labels, np.int64(2)), vote(counts, labels, 2))
