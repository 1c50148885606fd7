"""The training step in slices: the same gradients, less memory, and only where it is exact."""
import math

import pytest
import torch
from torch import nn

from snnteach import activity, slices
from snnteach.losses import ce_count_loss, ce_membrane_loss, ce_step_loss, mse_count_loss
from snnteach.networks import Record, SpikingMLP, direct_current
from snnteach.training import fit, train_step

READ = {"count": lambda records, y: ce_count_loss(records[-1].spk, y),
        "step": lambda records, y: ce_step_loss(records[-1].spk, y),
        "square": lambda records, y: mse_count_loss(records[-1].spk, y),
        "membrane": lambda records, y: ce_membrane_loss(records[-1].mem / 6, y)}
TAX = {"none": None, "l1": lambda records: activity.l1_spikes(records[0].spk, 1e-2),
       "upper": lambda records: activity.upper_population(records[0].spk, 3, 1e-2, power=2),
       "lower": lambda records: activity.lower_neuron(records[0].spk, 3, 1e-1)}


def network(dtype=torch.float64, **options):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return SpikingMLP((12, 30, 20, 3), threshold=0.3, **options).to(dtype)


def data(samples=13, constant=True, dtype=torch.float64):
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(samples if constant else 6 * samples, 12, generator=generator, dtype=dtype)
    return (direct_current(x, 6) if constant else x.view(6, samples, 12)), torch.arange(samples) % 3


def gradients(net, x, target, **options):
    optimiser = torch.optim.SGD(net.parameters(), lr=0.0)
    value = train_step(net, x, target, optimiser=optimiser, **options)
    return value, [parameter.grad for parameter in net.parameters()]


def assert_equal(ours, theirs, tolerance):
    assert ours[0] == pytest.approx(theirs[0], rel=tolerance)
    for gradient, other in zip(ours[1], theirs[1], strict=True):
        assert other.norm() > 0 and (gradient - other).norm() <= tolerance * other.norm()


@pytest.mark.parametrize("constant", [True, False])
@pytest.mark.parametrize("slice_size", [1, 4, 12, 13, 50])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-12)])
def test_slices_add_up_to_the_gradients_of_the_whole(constant, slice_size, dtype, tolerance):
    x, target = data(13, constant, dtype)
    whole = gradients(network(dtype), x, target, loss=READ["count"], regulariser=TAX["upper"])
    sliced = gradients(network(dtype), x, target, loss=READ["count"], regulariser=TAX["upper"], slice_size=slice_size)
    assert_equal(sliced, whole, tolerance)


@pytest.mark.parametrize("readout", list(READ))
@pytest.mark.parametrize("tax", list(TAX))
@pytest.mark.parametrize("learn_beta", [False, True])
def test_slices_are_exact_for_all_losses_and_penalties(readout, tax, learn_beta):
    options = {"loss": READ[readout], "regulariser": TAX[tax]}
    kind = {"readout": "membrane" if readout == "membrane" else "spike", "learn_beta": learn_beta}
    whole, sliced = (gradients(network(**kind), *data(), slice_size=size, **options) for size in (None, 5))
    assert_equal(sliced, whole, 1e-12)


def test_the_whole_batch_is_the_written_out_step_to_the_bit():
    for constant in (True, False):
        (x, target), net, other = data(8, constant, torch.float32), network(torch.float32), network(torch.float32)
        value, ours = gradients(net, x, target, loss=READ["step"])
        expected = READ["step"](other(x), target)
        expected.backward()
        assert value == expected.item()
        assert all(torch.equal(a, b.grad) for a, b in zip(ours, other.parameters(), strict=True))


def test_the_first_product_is_taken_once_and_hooks_see_every_slice():
    net, products, runs = network(), [], []
    net.linears[0].register_forward_hook(lambda layer, inputs, output: products.append(tuple(output.shape)))
    net.register_forward_hook(lambda layer, inputs, output: runs.append(output[0].mem.shape[1]))
    gradients(net, *data(10), loss=READ["count"], slice_size=4)
    assert products == [(10, 30)] and runs == [4, 4, 2]
    gradients(net, *data(10, constant=False), loss=READ["count"], slice_size=4)
    assert products[1:] == [(6, 4, 30), (6, 4, 30), (6, 2, 30)]


class Plain(nn.Module):
    """A network of the reader's own, which knows no `current`."""

    def __init__(self, middle=None):
        super().__init__()
        self.inner, self.middle = network(), nn.Identity() if middle is None else middle

    def forward(self, x):
        return self.inner(self.middle(x))


class Overridden(SpikingMLP):
    """A network that changes what forward does, but not what `current` does."""

    def forward(self, x):
        return super().forward(2 * x)


@pytest.mark.parametrize("make", [Plain, lambda: Overridden((12, 30, 3)).double()])
def test_any_network_can_be_sliced(make):
    torch.manual_seed(0)
    net = make()
    whole, sliced = (gradients(net, *data(), loss=READ["count"], slice_size=size)[0] for size in (None, 5))
    assert sliced == pytest.approx(whole, rel=1e-12)


def test_an_encoder_that_learns_gets_its_gradient_from_all_slices():
    found = []
    for size in (None, 4):
        scale, net = torch.ones(12, dtype=torch.float64, requires_grad=True), network()
        optimiser = torch.optim.SGD([scale, *net.parameters()], lr=0.0)
        for constant in (True, False):
            x, target = data(10, constant)
            train_step(net, x * scale if not constant else direct_current(x[0] * scale, 6), target, loss=READ["count"],
                       optimiser=optimiser, slice_size=size)
            found.append(scale.grad.clone())
    assert found[0].norm() > 0
    torch.testing.assert_close(found[:2], found[2:], rtol=1e-12, atol=1e-15)


def test_a_frozen_first_layer_stays_without_gradient():
    net = network()
    net.linears[0].requires_grad_(False)
    gradients(net, *data(), loss=READ["count"], slice_size=4)
    assert net.linears[0].weight.grad is None and net.linears[1].weight.grad.norm() > 0


def test_a_loss_that_is_not_finite_in_a_later_slice_leaves_the_weights():
    net, calls = network(), []
    before = [parameter.detach().clone() for parameter in net.parameters()]

    def loss(records, target):
        calls.append(len(target))
        return READ["count"](records, target) * (math.inf if len(calls) == 3 else 1)

    with pytest.raises(ValueError, match="train_step: the loss is inf"):
        train_step(net, *data(10), loss=loss, optimiser=torch.optim.SGD(net.parameters(), lr=1.0), slice_size=4)
    assert calls == [4, 4, 2] and all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))


def slices_of(net, monkeypatch, loss=READ["count"], numbers=6 * 4 * 30, **options):
    """Fit in one epoch of batches of 12 with a small cache and return how many samples the loss saw at a time."""
    monkeypatch.setattr(slices, "SLICE_NUMBERS", numbers)
    x, target, sizes = torch.rand(24, 12, generator=torch.Generator().manual_seed(2)), torch.arange(24) % 3, []
    net.register_forward_hook(lambda layer, inputs, output: sizes.append(output[-1].mem.shape[1]))
    fit(net, x.to(next(net.parameters()).dtype), target, loss=loss, encode=lambda x: direct_current(x, 6), epochs=2,
        batch_size=12, seed=0, **options)
    return sizes


def test_fit_slices_what_is_large_from_the_second_step(monkeypatch):
    assert slices_of(network(), monkeypatch, regulariser=TAX["lower"]) == [12] + [4, 4, 4] * 3
    assert slices_of(network(), monkeypatch, numbers=2**20) == [12] * 4
    assert slices_of(network(), monkeypatch, slice_size=7) == [7, 5] * 4
    assert slices_of(network(), monkeypatch, slice_size=12) == [12] * 4


@pytest.mark.parametrize("options", [
    {"loss": lambda records, y: 12 * nn.functional.cross_entropy(records[-1].spk.sum(0), y, reduction="sum")},
    {"regulariser": lambda records: (records[0].spk.mean() - 0.5).square()},
    {"regulariser": lambda records: 1e-9 * records[0].spk.sum()},
    {"regulariser": lambda records: (records[0].spk.sum() - 0.8 * records[0].spk.numel()).relu()},       # 0 at the beginning
    {"regulariser": lambda records: (records[0].spk.mean() - 0.9).relu()},
    {"regulariser": lambda records: torch.rand(())},
], ids=["sum", "square of a mean", "small sum", "sum that is 0 yet", "mean that is 0 yet", "random"])
def test_fit_does_not_slice_what_does_not_average(monkeypatch, options):
    assert slices_of(network(), monkeypatch, **options) == [12] * 4


def entropy(output, target):
    return nn.functional.cross_entropy(output.sum(0), target, weight=torch.tensor([1, 1, 9], dtype=output.dtype))


@pytest.mark.parametrize(("loss", "rare"), [
    (lambda records, y: entropy(records[-1].mem, y), 2),
    (lambda records, y: nn.functional.cross_entropy(records[-1].mem.sum(0), y), -100),
    (lambda records, y: entropy(records[-1].spk, y), None)],
    ids=["weights", "ignored samples", "weights, of outputs that are silent yet"])
def test_a_loss_that_does_not_average_over_a_rare_class_is_not_sliced(monkeypatch, loss, rare):
    x, sizes, net = torch.rand(600, 12, generator=torch.Generator().manual_seed(2)).double(), [], network()
    target = torch.arange(600) % 3
    if rare is not None:
        target = torch.arange(600) % 2
        target[1] = rare                                     # in one of the batches, and not in the first
    for layer in net.neurons:
        layer.threshold = 50.0
    monkeypatch.setattr(slices, "SLICE_NUMBERS", 6 * 50 * 30)
    net.register_forward_hook(lambda layer, inputs, output: sizes.append(output[-1].mem.shape[1]))
    fit(net, x, target, loss=loss, encode=lambda x: direct_current(x, 6), epochs=1, batch_size=100, seed=0)
    assert sizes == [100] * 6


def test_more_classes_than_samples_are_tried_from_end_to_end(monkeypatch):
    net, x = network(), torch.rand(40, 12).double()
    records, target = net(direct_current(x, 6)), torch.zeros(40, dtype=torch.int64)
    monkeypatch.setattr(slices, "SLICE_NUMBERS", 6 * 10 * 30)
    for among, size in ((None, 10), (torch.arange(1000), 40), (torch.arange(999), 10)):
        found = slices.exact_slice(net, records, target, among=among, loss=lambda records, y: records[-1].mem.mean() * (
            len(y) if bool((y == 999).any()) else 1))
        assert found == size


@pytest.mark.parametrize("among", [3, [1], torch.zeros(0)])
def test_targets_to_look_among_are_a_tensor(among):
    net, (x, target) = network(), data()
    with pytest.raises((TypeError, ValueError), match="exact_slice: among"):
        slices.exact_slice(net, net(x), target, loss=READ["count"], among=among)


def test_a_network_whose_input_is_called_current_is_one_of_the_readers_own():
    class Mine(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = network()

        def forward(self, current):
            return self.inner(current)

    x, target = data()
    assert gradients(Mine(), x, target, loss=READ["count"], slice_size=5)[0] == pytest.approx(
        gradients(network(), x, target, loss=READ["count"])[0], rel=1e-12)


@pytest.mark.parametrize("layer", [nn.BatchNorm1d(6), nn.BatchNorm2d(1)])
def test_batch_norm_is_never_sliced(monkeypatch, layer):
    class Normed(Plain):
        def forward(self, x):
            rows = x.transpose(0, 1)                                                                    # [B, T, N]
            rows = self.middle(rows if layer.num_features == 6 else rows[:, None]).view(rows.shape)
            return self.inner(rows.transpose(0, 1))

    assert slices_of(Normed(layer.double()), monkeypatch) == [12] * 4


def test_fit_in_slices_learns_the_same_weights(monkeypatch):
    nets = network(), network()
    sizes = [slices_of(net, monkeypatch, numbers=numbers) for net, numbers in zip(nets, (2**20, 6 * 5 * 30), strict=True)]
    assert sizes[0] != sizes[1] and len(sizes[1]) == 10
    for weight, other in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        torch.testing.assert_close(weight, other, rtol=0, atol=1e-8)


def test_looking_at_the_loss_draws_no_random_numbers(monkeypatch):
    found = []

    class Noisy(Plain):
        def forward(self, x):
            draws.append(torch.rand(()).item())
            return super().forward(x)

    def regulariser(records):
        return 0 * torch.rand(()) * records[0].spk.mean()

    for numbers in (2**20, 6 * 4 * 30):
        draws = []
        slices_of(Noisy(), monkeypatch, numbers=numbers, regulariser=regulariser)
        found.append(draws)
    assert len(found[0]) == 4 and len(found[1]) == 10 and found[0][:2] == found[1][:2]


def test_records_of_a_read_out_without_spikes_are_sliced(monkeypatch):
    class Rates(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(12, 30)

        def forward(self, x):
            return [Record(None, self.linear(x))]

    def loss(records, y):
        return ce_membrane_loss(records[-1].mem, y)

    assert slices_of(Rates(), monkeypatch, loss=loss) == [12] + [4, 4, 4] * 3
