"""The training loop: it learns, repeats itself for a seed, leaves the world as it was and says what is wrong."""
import io
import math
import re

import numpy as np
import pytest
import torch

from snnteach.losses import ce_count_loss, ce_membrane_loss, mse_membrane_loss
from snnteach.networks import Record, SpikingMLP, direct_current
from snnteach.scores import balanced_weights, class_scores, confusion, final_membrane
from snnteach.training import accuracy, fit, predict, r_squared, train_step


def data(samples=120, seed=0):
    generator = torch.Generator().manual_seed(seed)
    targets = torch.randint(0, 3, (samples,), generator=generator)
    return torch.nn.functional.one_hot(targets, 3).repeat(1, 4) + 0.8 * torch.randn(samples, 12, generator=generator), targets


def network(readout="membrane"):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return SpikingMLP((12, 30, 3), readout=readout)


def loss(records, target):
    return ce_membrane_loss(records[-1].mem / 5, target)


def constant(x):
    return direct_current(x, 5)


def noisy(x):
    return (torch.rand(5, *x.shape) < x).float()


def train(net, **options):
    settings = {"loss": loss, "encode": constant, "epochs": 4, "batch_size": 32, "learning_rate": 0.01, "seed": 1}
    return fit(net, *data(), **{**settings, **options})


def weights(net):
    return torch.cat([parameter.detach().flatten() for parameter in net.parameters()])


@pytest.mark.parametrize("readout", ["membrane", "spike"])
def test_it_learns(readout):
    net, (inputs, targets) = network(readout), data(seed=9)
    before = accuracy(net, inputs, targets, encode=constant)
    spikes = {} if readout == "membrane" else {"loss": lambda records, target: ce_count_loss(records[-1].spk, target)}
    history = train(net, epochs=15, **spikes)
    assert accuracy(net, inputs, targets, encode=constant) > max(before, 0.85)
    assert [row["epoch"] for row in history] == list(range(1, 16)) and history[-1]["loss"] < 0.7 * history[0]["loss"]
    assert set(history[0]) == {"epoch", "loss", "seconds"}


def test_fit_is_the_written_out_loop():
    ours, theirs, (inputs, targets) = network(), network(), data(samples=100)
    history = fit(ours, inputs, targets, loss=loss, encode=noisy, epochs=3, batch_size=32, learning_rate=0.01,
                  weight_decay=0.3, seed=5, augment=lambda x: x.flip(1))
    optimiser = torch.optim.AdamW(theirs.parameters(), lr=0.01, weight_decay=0.3, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.01, total_steps=12)                # four batches an epoch
    torch.manual_seed(5)
    for row in history:
        values = []
        for batch in torch.randperm(100).split(32):
            value = loss(theirs(noisy(inputs[batch].flip(1))), targets[batch])
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            schedule.step()
            values += [value.item()] * len(batch)                  # the last batch holds four samples
        assert row["loss"] == pytest.approx(sum(values) / 100, rel=1e-12)
    assert torch.equal(weights(ours), weights(theirs))


@pytest.mark.parametrize("encode", [constant, noisy])
def test_the_seed_decides_everything(encode):
    nets = [network() for _ in range(3)]
    histories = []
    for number, (net, seed) in enumerate(zip(nets, (1, 1, 2), strict=True)):
        torch.manual_seed(number)                                  # fit must not depend on the state it finds
        histories.append(train(net, encode=encode, seed=seed))
    assert torch.equal(weights(nets[0]), weights(nets[1])) and not torch.equal(weights(nets[0]), weights(nets[2]))
    assert [row["loss"] for row in histories[0]] == [row["loss"] for row in histories[1]]


def test_the_global_generator_is_left_alone():
    net, (inputs, targets) = network(), data()
    torch.manual_seed(7)
    before = torch.get_rng_state()
    train(net, encode=noisy, validation=data(seed=9))
    predict(net, inputs, encode=noisy)
    accuracy(net, inputs, targets, encode=noisy)
    assert torch.equal(torch.get_rng_state(), before)


def test_validation_and_progress_change_nothing():
    nets, calls = [network(), network()], []
    train(nets[0], encode=noisy)
    history = train(nets[1], encode=noisy, validation=data(seed=9), progress=calls.append)
    assert torch.equal(weights(nets[0]), weights(nets[1]))
    assert calls == history and len(calls) == 4 and all(0 <= row["accuracy"] <= 1 for row in calls)
    assert history[-1]["accuracy"] == accuracy(nets[1], *data(seed=9), encode=noisy)


def test_each_epoch_shows_each_sample_once():
    inputs, targets = torch.arange(20.0).view(20, 1).repeat(1, 12), torch.zeros(20).long()
    seen = []

    def encode(x):
        seen.append(x[:, 0].tolist())
        return direct_current(x / 20, 2)

    fit(network(), inputs, targets, loss=loss, encode=encode, epochs=2, batch_size=8, seed=0)
    epochs = [sum(seen[:3], []), sum(seen[3:], [])]
    assert [len(batch) for batch in seen] == [8, 8, 4] * 2
    assert [sorted(epoch) for epoch in epochs] == [list(range(20))] * 2 and epochs[0] != epochs[1] != sorted(epochs[1])


def test_augment_touches_training_batches_only():
    shapes, net = [], network()

    def augment(x):
        shapes.append(len(x))
        return x + 1

    train(net, augment=augment, validation=data(seed=9))
    assert shapes == [32, 32, 32, 24] * 4


def test_regulariser_acts_but_is_not_reported():
    quiet, net = network(), network()
    free = train(net)
    first = fit(network(), *data(), loss=loss, encode=constant, epochs=1, batch_size=120, seed=1)
    taxed = fit(network(), *data(), loss=loss, encode=constant, epochs=1, batch_size=120, seed=1,
                regulariser=lambda records: 100.0 * records[0].spk.mean())
    train(quiet, regulariser=lambda records: 10.0 * records[0].spk.mean())
    x = constant(data()[0])
    assert first[0]["loss"] == taxed[0]["loss"] and len(free) == 4
    assert quiet(x)[0].spk.sum() < 0.8 * net(x)[0].spk.sum()


def test_frozen_parameters_stay():
    net = network()
    net.linears[0].requires_grad_(False)
    before = net.linears[0].weight.clone(), net.linears[1].weight.clone()
    train(net)
    assert torch.equal(net.linears[0].weight, before[0]) and not torch.equal(net.linears[1].weight, before[1])


def test_train_step_is_the_written_out_step():
    nets, (inputs, targets) = [network(), network()], data()
    ours, theirs = (torch.optim.SGD(net.parameters(), lr=0.1) for net in nets)
    for _ in range(2):                                             # the second step must not carry the first one's gradient
        value = train_step(nets[0], constant(inputs), targets, loss=loss, optimiser=ours)
        nets[1].zero_grad()
        expected = loss(nets[1](constant(inputs)), targets)
        expected.backward()
        theirs.step()
        assert value == expected.item() and torch.equal(weights(nets[0]), weights(nets[1]))


def test_each_epoch_runs_in_training_mode():
    net, modes = network().eval(), []
    net.register_forward_hook(lambda net, inputs, output: modes.append(net.training))
    train(net, epochs=2, batch_size=120, validation=data(seed=9))
    assert modes == [True, False] * 2


def test_a_loss_of_nan_stops_at_once_and_keeps_the_weights():
    net, calls = network(), []
    before = weights(net)

    def broken(records, target):
        calls.append(1)
        return records[-1].mem.sum() * math.nan

    with pytest.raises(ValueError, match="fit: the loss is nan. Lower the learning rate"):
        train(net, loss=broken)
    assert len(calls) == 1 and torch.equal(weights(net), before)


def test_prediction_by_spikes_by_membranes_and_in_chunks():
    class Fixed(torch.nn.Module):
        def forward(self, x):                                      # class = the input's own number
            assert not self.training and not torch.is_grad_enabled() and x.shape[1] <= 3
            y = torch.nn.functional.one_hot(x[0, :, 0].long(), 5).float().repeat(len(x), 1, 1)
            y[-1] = 0.9 * y[-1].roll(1, dims=-1)                   # the last step alone would say another class
            return [Record(y, -y) if self.spikes else Record(None, y)]

    net, inputs = Fixed(), torch.arange(5.0).view(5, 1)
    for net.spikes in (True, False):
        assert predict(net, inputs, encode=constant, batch_size=3).tolist() == [0, 1, 2, 3, 4]
        assert accuracy(net, inputs, torch.tensor([0, 1, 2, 3, 3]), encode=constant, batch_size=2) == pytest.approx(0.8)
        assert net.training
    predict(net.eval(), inputs, encode=constant, batch_size=3)
    assert not net.training


def test_random_encoding_is_judged_the_same_way_twice():
    net, (inputs, _) = network(), data()
    one, two, other = (predict(net, inputs, encode=noisy, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(one, two) and not torch.equal(one, other)


def test_one_batch_in_one_epoch_is_enough():
    assert len(train(network(), epochs=1, batch_size=1000)) == 1


@pytest.mark.parametrize("options,words", [
    ({"epochs": 0}, "fit: epochs must be a whole number"), ({"batch_size": 2.5}, "fit: batch_size must be a whole number"),
    ({"learning_rate": 0}, "fit: learning_rate must be above 0, got 0"),
    ({"seed": None}, "seed must be a whole number of at least 0.*, got None"), ({"seed": -1}, "seed must be a whole number"),
    ({"validation": (torch.zeros(3, 12), torch.zeros(2).long())}, r"fit \(validation\): inputs must be"),
])
def test_bad_options_are_named(options, words):
    with pytest.raises(ValueError, match=words):
        train(network(), **options)


@pytest.mark.parametrize("inputs,targets,error,words", [
    (torch.zeros(5, 12), torch.zeros(4).long(), ValueError, r"got shapes \(5, 12\) and \(4,\)"),
    (torch.zeros(0, 12), torch.zeros(0).long(), ValueError, "at least one sample"),
    (torch.zeros(5), torch.zeros(5).long(), ValueError, r"inputs must be \[samples, ...\]"),
    (torch.zeros(5, 12), torch.zeros(5), TypeError, "target must be int64.*mse_membrane_loss"),
    (torch.zeros(5, 12), torch.zeros(5).int(), TypeError, "targets must be int64.*targets.long"),
    ([[0.0] * 12], torch.zeros(1).long(), TypeError, "inputs must be a torch.Tensor"),
    (torch.zeros(5, 12), [0] * 5, TypeError, "targets must be a torch.Tensor"),
    (torch.full((5, 12), math.nan), torch.zeros(5).long(), ValueError, "NaN"),
    (torch.zeros(5, 12), torch.full((5,), 3), ValueError, r"target must lie in 0\.\.2, got 3\.\.3"),
])
def test_bad_data_is_named(inputs, targets, error, words):
    with pytest.raises(error, match=words):
        fit(network(), inputs, targets, loss=loss, encode=constant, epochs=1, seed=0)


def test_prediction_names_bad_input():
    with pytest.raises(TypeError, match="predict: inputs must be a torch.Tensor"):
        predict(network(), [[0.0] * 12], encode=constant)
    with pytest.raises(ValueError, match="predict: batch_size"):
        predict(network(), torch.zeros(2, 12), encode=constant, batch_size=0)


@pytest.mark.parametrize("options,words", [
    ({"encode": None}, r"fit: encode must be a function, got None.*lambda x: direct_current"),
    ({"loss": 0.5}, "fit: loss must be a function, got 0.5"),
    ({"progress": True}, "progress must be a function, got True.*Leave"),
    ({"validation": torch.zeros(3, 12)}, r"validation must be the pair \(inputs, targets\), got Tensor"),
])
def test_options_of_a_wrong_kind_are_named(options, words):
    wanted = {"loss": lambda records, y: ce_count_loss(records[-1].spk, y), "encode": lambda x: direct_current(x, 3),
              "epochs": 1, "seed": 0} | options
    with pytest.raises(TypeError, match=words):
        fit(SpikingMLP((12, 5, 3)), torch.zeros(5, 12), torch.zeros(5).long(), **wanted)


def test_predict_names_a_missing_code():
    with pytest.raises(TypeError, match="predict: encode must be a function, got None"):
        predict(SpikingMLP((12, 5, 3)), torch.zeros(5, 12), encode=None)


def quantities(kind, samples=200, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(samples, 12, generator=generator)
    target = x @ torch.randn(12, 2, generator=torch.Generator().manual_seed(5))                     # [samples, 2]
    return x, {"[B]": target[:, 0], "[B, C]": target, "[T, B, C]": target * torch.arange(1, 6)[:, None, None] / 5}[kind]


@pytest.mark.parametrize("kind", ["[B]", "[B, C]", "[T, B, C]"])
def test_a_regression_learns_and_is_scored(kind):
    torch.manual_seed(0)
    net = SpikingMLP((12, 100, 1 if kind == "[B]" else 2), threshold=0.3, readout="membrane")
    x, targets = quantities(kind)
    start = r_squared(net, x, targets, encode=constant)
    history = fit(net, x, targets, loss=lambda records, y: mse_membrane_loss(records[-1].mem, y), encode=constant, epochs=40,
                  batch_size=50, learning_rate=2e-2, seed=0, validation=quantities(kind, seed=1))
    assert start < 0.1 and r_squared(net, x, targets, encode=constant) > 0.7
    assert history[-1]["r_squared"] == r_squared(net, *quantities(kind, seed=1), encode=constant) > 0.5
    assert set(history[0]) == {"epoch", "loss", "seconds", "r_squared"}


@pytest.mark.parametrize("kind", ["[B]", "[B, C]", "[T, B, C]"])
def test_slices_of_a_regression_add_up(kind):
    x, targets = quantities(kind, samples=13)
    found = []
    for size in (None, 5):
        torch.manual_seed(0)
        net = SpikingMLP((12, 30, 1 if kind == "[B]" else 2), threshold=0.3, readout="membrane").double()
        train_step(net, constant(x.double()), targets.double(), loss=lambda records, y: mse_membrane_loss(records[-1].mem, y),
                   optimiser=torch.optim.SGD(net.parameters(), lr=0.0), slice_size=size)
        found.append([parameter.grad for parameter in net.parameters()])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-14)


def test_explained_variance_of_a_network_is_that_of_its_answers():
    net, (x, targets) = SpikingMLP((12, 30, 2), readout="membrane"), quantities("[B, C]")
    answers = predict(net, x, encode=constant, read=final_membrane)
    expected = 1 - ((targets - answers) ** 2).sum() / ((targets - targets.mean(0)) ** 2).sum()
    assert r_squared(net, x, targets, encode=constant, batch_size=7) == pytest.approx(expected.item(), abs=1e-5)
    mean = targets.mean(0).expand_as(targets)
    score = r_squared(net, x, targets, encode=constant, read=lambda record: mean[:record.mem.shape[1]])
    assert score == pytest.approx(0, abs=1e-6)


def test_weights_find_a_rare_class():
    generator = torch.Generator().manual_seed(0)
    targets = (torch.rand(600, generator=generator) < 0.05).long()
    inputs = torch.rand(600, 12, generator=generator) + 0.25 * targets[:, None]
    found = []
    for weights in (None, balanced_weights(targets, num_classes=2)):
        torch.manual_seed(0)
        net = SpikingMLP((12, 40, 2), threshold=0.5, readout="membrane")
        fit(net, inputs, targets, loss=lambda records, y, w=weights: ce_membrane_loss(records[-1].mem / 5, y, class_weights=w),
            encode=constant, epochs=6, batch_size=50, learning_rate=5e-3, seed=0)
        found.append(class_scores(confusion(predict(net, inputs, encode=constant), targets, 2))["balanced accuracy"])
    assert found[0] < 0.7 < 0.8 < found[1]


IMAGES = torch.rand(128, 1, 28, 28)
CLASSES = torch.arange(128) % 10


@pytest.mark.parametrize("encode", [
    lambda x: x.flatten(2), lambda x: x.flatten(1), lambda x: x, lambda x: x.flatten(2).expand(-1, 5, -1), lambda x: x[:0]])
def test_samples_taken_for_moments_are_refused_everywhere(encode):
    net = SpikingMLP((784, 10))
    doors = {"accuracy": lambda: accuracy(net, IMAGES, CLASSES, encode=encode),
             "predict": lambda: predict(net, IMAGES, encode=encode),
             "fit": lambda: fit(net, IMAGES, CLASSES, encode=encode, epochs=1, seed=0,
                                loss=lambda records, y: ce_count_loss(records[-1].spk, y))}
    for name, door in doors.items():
        with pytest.raises(ValueError, match=rf"^{name}: encode must return \[T, B, ...\] \(time first\) with the 128 samples"):
            door()


def test_the_advice_for_images_works():
    net = SpikingMLP((784, 10))
    with pytest.raises(ValueError, match=r"SpikingMLP: .*direct_current\(x.flatten\(1\), num_steps\)"):
        predict(net, IMAGES, encode=lambda x: direct_current(x, 5))
    with pytest.raises(ValueError, match=r"encode=lambda x: direct_current\(x.flatten\(1\), num_steps=25\)"):
        predict(net, IMAGES, encode=lambda x: x.flatten(2))
    assert len(predict(net, IMAGES, encode=lambda x: direct_current(x.flatten(1), num_steps=25))) == 128
    assert len(predict(net, direct_current(IMAGES, 5).transpose(0, 1), encode=lambda x: x.transpose(0, 1).flatten(2))) == 128
    whole = (255 * IMAGES).byte()
    with pytest.raises(TypeError, match=r"torch.uint8. Divide images by 255: x / 255"):
        predict(net, whole, encode=lambda x: direct_current(x.flatten(1), 5))
    assert len(predict(net, whole / 255, encode=lambda x: direct_current(x.flatten(1), 5))) == 128
    with pytest.raises(TypeError, match=r"x is torch.float64 and the weights is torch.float32. .* x.to\(torch.float32\)"):
        predict(net, IMAGES.double(), encode=lambda x: direct_current(x.flatten(1), 5))
    assert len(predict(net, IMAGES.double().to(torch.float32), encode=lambda x: direct_current(x.flatten(1), 5))) == 128


@pytest.mark.parametrize("read", [lambda record: record.mem[0, 0], lambda record: record.mem.sum(),
                                  lambda record: record.mem[:, :3]])
def test_answers_that_are_not_one_a_sample_are_refused(read):
    for name, door in {"predict": lambda: predict(network(), data()[0], encode=constant, read=read),
                       "accuracy": lambda: accuracy(network(), *data(), encode=constant, read=read)}.items():
        with pytest.raises(ValueError, match=rf"^{name}: read must return an answer for each of the 120 samples"):
            door()


def test_answers_and_targets_of_different_shapes_are_refused():
    with pytest.raises(ValueError, match=r"^accuracy: answers and targets must have one shape, got \(120, 3\) and \(120,\)"):
        accuracy(network(), *data(), encode=constant, read=final_membrane)
    for targets in (torch.rand(120), torch.rand(120, 2), torch.rand(4, 120, 3)):
        with pytest.raises(ValueError, match="^r_squared: answers and targets must have one shape"):
            r_squared(network(), data()[0], targets, encode=constant)
    with pytest.raises(ValueError, match="^r_squared: targets are all the same"):
        r_squared(network(), data()[0], torch.ones(120, 3), encode=constant)
    with pytest.raises(TypeError, match="^r_squared: targets must be floating-point .* use accuracy"):
        r_squared(network(), *data(), encode=constant)
    with pytest.raises(TypeError, match="^accuracy: targets must be int64 .* use r_squared"):
        accuracy(network(), data()[0], torch.rand(120), encode=constant)


def test_a_step_compares_samples():
    net = network()
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
    for x, target in ((torch.rand(5, 8, 12), CLASSES[:7] % 3), (torch.rand(5, 8, 12), torch.rand(5, 7, 3)),
                      (torch.rand(8, 5, 12), CLASSES[:8] % 3)):
        with pytest.raises(ValueError, match="^train_step: target must hold the . samples of x"):
            train_step(net, x, target, loss=loss, optimiser=optimiser)


def test_prediction_leaves_every_mode_as_it_was_even_if_encode_raises():
    net = torch.nn.Sequential(network(), torch.nn.Identity())
    net.forward = lambda x: net[0](x)
    net[1].eval()

    def broken(x):
        raise KeyError("no such file")

    with pytest.raises(KeyError):
        predict(net, data()[0], encode=broken)
    assert net.training and net[0].training and not net[1].training
    predict(net, data()[0], encode=constant)
    assert net.training and net[0].linears[0].training and not net[1].training


def test_the_readers_learning_rate_is_neither_overwritten_nor_a_riddle():
    rate = torch.tensor(0.01)
    with pytest.raises(TypeError, match=r"^fit: learning_rate must be a number, got a tensor. Pass learning_rate.item\(\)"):
        train(network(), learning_rate=rate)
    assert rate == 0.01
    nets = [network() for _ in range(2)]
    train(nets[0], learning_rate=np.float64(0.01), epochs=np.int64(2), batch_size=np.int32(32), seed=np.int64(1))
    train(nets[1], learning_rate=0.01, epochs=2)
    assert torch.equal(weights(nets[0]), weights(nets[1]))


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5])
def test_a_fit_of_few_steps_moves_the_weights(steps):
    net = network()
    before = weights(net)
    train(net, epochs=steps, batch_size=120, learning_rate=0.01)
    assert (weights(net) - before).abs().max() > 0.005


def test_an_interrupted_fit_returns_its_history():
    def progress(row):
        if row["epoch"] == 3:
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="fit: interrupted after 3 of 4 epochs"):
        history = train(network(), progress=progress)
    assert [row["epoch"] for row in history] == [1, 2, 3]
    torch.manual_seed(7)
    before = torch.get_rng_state()
    with pytest.warns(UserWarning, match="interrupted after 0 of 4"):
        assert train(network(), encode=interrupted) == []
    assert torch.equal(torch.get_rng_state(), before)


def interrupted(x):
    raise KeyboardInterrupt


def test_a_whole_network_is_saved_and_loaded():
    net, file = network("spike"), io.BytesIO()
    net.neurons[0].threshold = net.neurons[1].threshold = 0.21
    torch.save(net, file)
    file.seek(0)
    loaded = torch.load(file, weights_only=False)
    x = constant(data()[0])
    assert all(torch.equal(a.spk, b.spk) for a, b in zip(net(x), loaded(x), strict=True)) and net(x)[-1].spk.sum() > 0
    train(loaded, loss=lambda records, y: ce_count_loss(records[-1].spk, y))                       # and it still learns


def test_inference_is_exported():
    net, x = network().eval(), torch.rand(5, 4, 12)
    with torch.no_grad():
        program = torch.export.export(net, (x,))
        for record, other in zip(program.module()(x), net(x), strict=True):
            torch.testing.assert_close(record.mem, other.mem)


@pytest.mark.parametrize(("change", "error", "words"), [
    ({"net": None}, TypeError, "net must be a torch.nn.Module, such as SpikingMLP"),
    ({"net": torch.nn.Linear(12, 3)}, TypeError, r"net's result must be a list of Record\(spk, mem\), one a layer"),
    ({"inputs": np.ones((5, 12))}, TypeError, r"inputs must be .* torch.from_numpy\(inputs\).float\(\)"),
    ({"inputs": torch.full((5, 12), math.inf)}, ValueError, "inputs holds NaN or infinity"),
    ({"targets": torch.zeros(5, 2).long()}, ValueError, r"targets must be \[samples\] of class numbers, or quantities"),
    ({"targets": torch.full((5,), math.nan)}, ValueError, "targets holds NaN or infinity"),
    ({"targets": torch.zeros(3, 4, 5)}, ValueError, "inputs must be .* and targets equally many"),
    ({"loss": lambda records, y: records[-1].mem.sum(0)}, TypeError, r"loss must return one number.* got \(5, 3\). Average"),
    ({"loss": lambda records, y: 0.5}, TypeError, "loss must return one number, a scalar tensor, got float"),
    ({"loss": lambda records, y: records[-1].mem.detach().mean()}, ValueError, "the loss depends on no weight that learns"),
    ({"regulariser": lambda records: records[0].spk}, TypeError, "regulariser must return one number"),
    ({"augment": lambda x: x[:2]}, ValueError, "augment must return the 5 samples that it was given"),
    ({"learning_rate": math.nan}, ValueError, "learning_rate must be"),
    ({"weight_decay": -1}, ValueError, "weight_decay must be"),
    ({"epochs": 10**9}, ValueError, "epochs must be a whole number of at least 1 and at most"),
    ({"slice_size": 0}, ValueError, "slice_size must be a whole number"), ({"read": 3}, TypeError, "read must be a function"),
    ({"validation": (torch.zeros(5, 12),)}, TypeError, r"validation must be the pair \(inputs, targets\)"),
    ({"lengths": torch.ones(5).long(), "validation": (0, 1)}, TypeError, r"validation must be \(inputs, targets, lengths\)"),
])
def test_what_users_pass_to_fit_is_named(change, error, words):
    given = {"net": network(), "inputs": torch.zeros(5, 12), "targets": torch.zeros(5).long(), "loss": loss, "encode": constant,
             "epochs": 1, "seed": 0}
    with pytest.raises(error, match=f"^fit.*: .*{words}"):
        fit(**given | change)


def test_a_network_without_a_parameter_that_learns_is_named():
    net = network()
    net.requires_grad_(False)
    with pytest.raises(ValueError, match="^fit: net has no parameter that learns"):
        train(net)


@pytest.mark.parametrize(("change", "error", "words"), [
    ({"net": None}, TypeError, "net must be"), ({"x": None}, TypeError, "x must be a torch.Tensor"),
    ({"x": torch.zeros(5)}, ValueError, r"x must be \[T, B, ...\]"), ({"target": [0, 1]}, TypeError, "target must be"),
    ({"optimiser": None}, TypeError, r"optimiser must be a torch.optim optimiser.*torch.optim.Adam\(net.parameters\(\)\)"),
    ({"loss": None}, TypeError, "loss must be a function"), ({"regulariser": 3}, TypeError, "regulariser must be a function"),
    ({"slice_size": 2.5}, (TypeError, ValueError), "slice_size must be"),
])
def test_what_users_pass_to_a_step_is_named(change, error, words):
    net = network()
    given = {"net": net, "x": torch.zeros(5, 2, 12), "target": torch.zeros(2).long(), "loss": loss,
             "optimiser": torch.optim.SGD(net.parameters(), lr=0.1)}
    with pytest.raises(error, match=f"^train_step: {words}"):
        train_step(**given | change)


@pytest.mark.parametrize(("change", "words"), [
    ({"loss": torch.nn.CrossEntropyLoss()}, r"fit: loss takes \(records, target\), and CrossEntropyLoss\(\) takes logits"),
    ({"loss": torch.nn.functional.cross_entropy}, r"fit: loss takes \(records, target\), and cross_entropy takes logits"),
    ({"regulariser": lambda records: None}, "fit: regulariser must return one number, a scalar tensor, got NoneType"),
    ({"regulariser": lambda records: records[0].mem.mean(0)}, "fit: regulariser must return one number, a scalar tensor, got"),
    ({"validation": (*data(), torch.ones(120))}, r"fit: validation must be the pair \(inputs, targets\), got 3 parts"),
    ({"validation": data(), "lengths": torch.full((120,), 3)}, r"be \(inputs, targets, lengths\), got 2 parts. Lengths of the"),
    ({"encode": direct_current}, "fit: encode must be a function of 1 argument, got")])
def test_first_slips_are_named_in_our_words(change, words):
    with pytest.raises(TypeError, match=words):
        fit(network(), *data(), **{"loss": loss, "encode": constant, "epochs": 1, "seed": 0} | change)


@pytest.mark.parametrize("shape", [(120, 1), (120, 2)])
def test_the_advice_for_columns_and_one_hot_rows_works(shape):
    (inputs, classes), net = data(), network()
    targets = classes[:, None] if shape[1] == 1 else torch.nn.functional.one_hot(classes)
    with pytest.raises(ValueError, match="got shape") as caught:
        fit(net, inputs, targets, loss=loss, encode=constant, epochs=1, seed=0)
    cure = re.search(r"with (targets\.\w+\(1\))", str(caught.value))[1]
    assert torch.equal(eval(cure, {"targets": targets}), classes)


def test_quantities_are_no_class_numbers_and_batches_have_equal_steps():
    inputs, targets = data()
    with pytest.raises(TypeError, match="accuracy: read must return class numbers, got torch.float32"):
        accuracy(network("spike"), inputs, targets, encode=constant, read=lambda record: record.spk.sum(0)[:, 0])
    with pytest.raises(ValueError, match="predict: encode must make equally many steps of each batch"):
        predict(network(), inputs, encode=lambda x: direct_current(x, len(x)), read=lambda record: record.mem, batch_size=50)
