"""The training loop: it learns, repeats itself for a seed, leaves the world as it was and says what is wrong."""
import math

import pytest
import torch

from snnteach.losses import ce_count_loss, ce_membrane_loss
from snnteach.networks import Record, SpikingMLP, direct_current
from snnteach.training import accuracy, fit, predict, train_step


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
