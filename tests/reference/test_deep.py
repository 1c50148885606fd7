"""Layers over time against the loop over time, batch norm against torch's, and the laws of pooling, dropout and gains."""
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from snnteach.deep import (
    ChannelGain,
    DropoutOverTime,
    NormOverTime,
    OverTime,
    Residual,
    SpikingStack,
    conv_net,
    fold_norm,
    spike_max_pool,
    sum_pool,
)
from snnteach.networks import direct_current
from snnteach.neurons import LIF, lif, lif_step

FLOAT = torch.float64


def draw(seed, *shape, dtype=FLOAT):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def spikes(seed, *shape, rate=0.3, dtype=FLOAT):
    return (torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype) < rate).to(dtype)


def made(make, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return make().double()


class Counted(nn.Module):
    calls = 0

    def forward(self, x):
        self.calls += len(x)
        return 2 * x


def test_a_layer_over_time_is_the_layer_at_each_step():
    layer, x = made(lambda: nn.Conv2d(2, 3, 3)), draw(0, 5, 4, 2, 6, 6).requires_grad_()
    together, one_by_one = OverTime(layer)(x), torch.stack([layer(x_t) for x_t in x])
    assert torch.allclose(together, one_by_one, atol=1e-12)
    gradients = [torch.autograd.grad((draw(1, *y.shape) * y).sum(), (x, layer.weight)) for y in (together, one_by_one)]
    assert all(torch.allclose(a, b, atol=1e-10) for a, b in zip(*gradients, strict=True))


def test_constant_input_goes_through_once_and_stays_constant():
    counted, x = Counted(), draw(0, 4, 3)
    y = OverTime(counted)(direct_current(x, 7))
    assert counted.calls == 4 and y.shape == (7, 4, 3) and y.stride(0) == 0
    assert OverTime(counted)(y.contiguous()).stride(0) > 0 and counted.calls == 4 + 28


def test_what_stays_the_same_reaches_the_first_neurons_as_one_step():
    heard, x, linear = [], draw(0, 8, 3), made(lambda: nn.Linear(3, 5))

    def listening(module, inputs):
        heard.append(len(inputs[0]))

    layers = [OverTime(linear), made(lambda: NormOverTime(5)), OverTime(torch.abs), DropoutOverTime(0.5, shared=False),
              LIF(0.9)]
    for layer in layers:
        layer.register_forward_pre_hook(listening)
    net = SpikingStack(layers)
    found = net(direct_current(x, 7))[0]
    assert heard == [1, 1, 1, 7, 7] and found.spk.shape == (7, 8, 5) and 0.05 < found.spk.mean() < 0.8
    layers[3].eval()
    gradients = [torch.autograd.grad((draw(1, 7, 8, 5) * net(x)[0].mem).sum(), linear.weight)[0]
                 for x in (direct_current(x, 7), direct_current(x, 7).contiguous())]
    assert heard[-5:] == 5 * [7] and torch.allclose(*gradients, atol=1e-10) and gradients[0].abs().sum() > 0


@pytest.mark.parametrize("shape", [(5, 4, 3), (5, 4, 3, 2, 6)])
def test_norm_of_all_steps_is_torchs_on_the_flattened_batch(shape):
    ours, theirs = NormOverTime(3).double(), (nn.BatchNorm1d if len(shape) == 3 else nn.BatchNorm2d)(3).double()
    for inner in (ours.norm, theirs):
        nn.init.constant_(inner.weight, 1.7), nn.init.constant_(inner.bias, 0.3)
    x = (3 * draw(0, *shape) + 1).requires_grad_()
    for _ in range(2):
        y, other = ours(x), theirs(x.flatten(0, 1)).view(shape)
        assert torch.allclose(y, other, atol=1e-12)
    mean, var = (getattr(x.transpose(0, 2).flatten(1), name)(1) for name in ("mean", "var"))
    axes = [0, 1, *range(3, len(shape))]
    by_hand = 1.7 * (x - x.mean(axes, keepdim=True)) / (x.var(axes, unbiased=False, keepdim=True) + 1e-5).sqrt() + 0.3
    assert torch.allclose(y, by_hand, atol=1e-10)
    a, b = (torch.autograd.grad((draw(1, *shape) * out).sum(), x)[0] for out in (y, by_hand))
    assert torch.allclose(a, b, atol=1e-10)
    assert torch.allclose(ours.norm.running_mean, 0.19 * mean) and torch.allclose(ours.norm.running_var, 0.81 + 0.19 * var)
    ours.eval(), theirs.eval()
    assert torch.allclose(ours(x), theirs(x.flatten(0, 1)).view(shape), atol=1e-12) and not torch.allclose(ours(x), y)


@pytest.mark.parametrize("shape", [(5, 4, 3), (5, 4, 3, 2, 6)])
def test_norm_of_each_step_is_a_batch_norm_a_step(shape):
    ours, x = NormOverTime(3, num_steps=5).double(), draw(0, *shape) * torch.arange(1.0, 6).view(-1, *[1] * (len(shape) - 1))
    ours.norm.weight.data.copy_(torch.arange(15.0) + 1)
    steps = [(nn.BatchNorm1d if len(shape) == 3 else nn.BatchNorm2d)(3).double() for _ in range(5)]
    for t, step in enumerate(steps):
        step.weight.data.copy_(torch.arange(3.0) + 1 + 3 * t)
    for mode in (True, False):
        ours.train(mode)
        other = torch.stack([step.train(mode)(x_t) for step, x_t in zip(steps, x, strict=True)])
        assert torch.allclose(ours(x), other, atol=1e-12)
    assert not ours.norm.bias.requires_grad and NormOverTime(3).norm.bias.requires_grad


def test_norm_of_constant_input_is_that_of_its_copies():
    once, copies, x = NormOverTime(3).double(), NormOverTime(3).double(), draw(0, 6, 3)
    y = once(direct_current(x, 5))
    assert y.stride(0) == 0 and torch.allclose(y, copies(direct_current(x, 5).contiguous()), atol=1e-12)


@pytest.mark.parametrize("threshold", [0.1, 0.5, 3.0])
def test_a_gain_of_the_threshold_makes_the_threshold_meaningless(threshold):
    x = 2 * draw(0, 8, 16, 5)
    spk, mem = lif(NormOverTime(5).double()(x), 0.9)
    other, scaled = lif(NormOverTime(5, gain=threshold).double()(x), 0.9, threshold)
    assert torch.equal(spk, other) and torch.allclose(scaled, threshold * mem) and 0.1 < spk.mean() < 0.6


def test_dropout_is_one_mask_for_all_steps_and_nothing_after_eval():
    x, generator = torch.ones(6, 50, 40), torch.Generator().manual_seed(0)
    y = DropoutOverTime(0.3, generator=generator)(x)
    assert all(torch.equal(y_t, y[0]) for y_t in y) and sorted(y.unique().tolist()) == pytest.approx([0, 1 / 0.7])
    assert not torch.equal(y[0, 0], y[0, 1]) and y.mean().item() == pytest.approx(1, abs=0.04)
    fresh = DropoutOverTime(0.3, shared=False, generator=generator)(x)
    assert not torch.equal(fresh[0], fresh[1])
    layer = DropoutOverTime(0.3)
    assert layer.eval()(x) is x


def test_a_fresh_mask_averages_out_over_time():
    """The variance of a dropped input's mean over T steps: p / (1 - p), and p / ((1 - p) T) with fresh masks."""
    x, p, generator = torch.ones(10, 200, 500), 0.4, torch.Generator().manual_seed(0)
    shared, fresh = (DropoutOverTime(p, shared=one, generator=generator)(x).mean(0).var().item() for one in (True, False))
    assert shared == pytest.approx(p / (1 - p), rel=0.02) and fresh == pytest.approx(p / (1 - p) / 10, rel=0.02)


def test_a_gain_before_the_neuron_is_its_threshold_and_behind_it_the_next_weight():
    x, gain = 0.8 * draw(0, 20, 3, 4).abs(), torch.tensor([0.5, 1.0, 2.0, 4.0], dtype=FLOAT)   # powers of two: exact
    layer = ChannelGain(4).double()
    layer.gain.data.copy_(gain)
    spk, _ = lif(layer(x), 0.75)
    for n in range(4):
        assert torch.equal(spk[..., n], lif(x[..., n:n + 1], 0.75, 1 / gain[n].item())[0][..., 0])
    weight = draw(1, 6, 4)
    assert torch.allclose(layer(spk) @ weight.T, spk @ (weight * gain).T, atol=1e-12)
    assert layer(draw(2, 5, 2, 4, 3, 3)).shape == (5, 2, 4, 3, 3)


def test_a_residual_adds_and_its_neurons_are_recorded():
    inner = [OverTime(made(lambda: nn.Linear(6, 6))), LIF(0.9)]
    x = spikes(0, 7, 4, 6)
    alone = lif(inner[0](x), 0.9)[0]
    assert torch.equal(Residual(inner)(x), x + alone)
    last = [OverTime(made(lambda: nn.Linear(6, 2))), LIF(0.9, math.inf, reset="none")]
    records = SpikingStack([LIF(0.9), Residual(inner), *last])(2 * x)
    assert [record.mem.shape[2] for record in records] == [6, 6, 2] and records[-1].spk is None
    with pytest.raises(ValueError, match="Residual: what its layers return must be"):
        Residual([OverTime(made(lambda: nn.Linear(6, 5))), LIF(0.9)])(x)


def by_hand(net, x):
    """The convolutional network step by step, with lif_step; batch norm takes its statistics of all steps."""
    conv1, norm1, _, lif1, conv2, norm2, _, lif2, _, linear, _ = net.layers
    first = F.max_pool2d(norm1.norm(conv1.layer(x[0]).flatten(2)).view(conv1.layer(x[0]).shape), 2)
    spk, mem, below = torch.zeros_like(first), torch.zeros_like(first), []
    for _ in x:
        spk, mem = lif_step(first, mem, spk, lif1.beta)
        below.append(spk)
    maps = torch.stack([conv2.layer(spk) for spk in below])
    rows = maps.transpose(0, 2).flatten(1)                                                 # [C, all that is averaged over]
    mean, std, weight, bias = (part.view(-1, 1, 1) for part in (
        rows.mean(1), (rows.var(1, unbiased=False) + 1e-5).sqrt(), norm2.norm.weight, norm2.norm.bias))
    maps = weight * (maps - mean) / std + bias
    spk = mem = torch.zeros_like(F.max_pool2d(maps[0], 2))
    out, outs = 0, []
    for maps_t in maps:
        spk, mem = lif_step(F.max_pool2d(maps_t, 2), mem, spk, lif2.beta)
        out = 0.9 * out + linear.layer(spk.flatten(1))
        outs.append(out)
    return torch.stack(below), torch.stack(outs)


def test_the_convolutional_network_is_the_loop_over_its_steps():
    net, x = made(lambda: conv_net((3, 4), size=16)), direct_current(2 * draw(0, 5, 1, 16, 16), 6)
    records, (spk, out) = net(x), by_hand(net, x)
    assert torch.equal(records[0].spk, spk) and 0.05 < spk.mean() < 0.6 and torch.allclose(records[-1].mem, out, atol=1e-10)
    learned = [weight for weight in net.parameters() if weight.requires_grad]
    target = torch.arange(5)
    ours, theirs = (torch.autograd.grad(F.cross_entropy(mem.mean(0), target), learned) for mem in (records[-1].mem, out))
    assert all(torch.allclose(a, b, rtol=1e-9, atol=1e-10) for a, b in zip(ours, theirs, strict=True))
    assert ours[0].abs().sum() > 0 and [record.mem.shape[2:] for record in records] == [(3, 6, 6), (4, 1, 1), (10,)]


def test_pooled_spikes_are_torchs_and_the_gradient_goes_to_one_of_the_largest():
    spk = spikes(0, 3, 2, 7, 6).requires_grad_()
    pooled = spike_max_pool(spk, generator=torch.Generator().manual_seed(0))
    assert torch.equal(pooled, F.max_pool2d(spk, 2)) and pooled.shape == (3, 2, 3, 3)
    (gradient,) = torch.autograd.grad(pooled.sum(), spk)
    assert gradient.sum() == 54 and set(gradient.unique().tolist()) == {0, 1}
    assert torch.equal(F.max_pool2d(gradient * spk, 2), pooled.detach())                # where somebody fired, to one who did


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.6])
def test_the_share_of_the_gradient_a_place_gets(rate):
    """Place i of the window: r (1-r)^i, and the first also (1-r)^4, by torch; a quarter with ties at random."""
    spk = spikes(1, 400, 1, 40, 40, rate=rate).requires_grad_()
    law = [rate * (1 - rate) ** place + (place == 0) * (1 - rate) ** 4 for place in range(4)]
    for pool, wanted in ((lambda s: F.max_pool2d(s, 2), law), (spike_max_pool, [0.25] * 4)):
        (gradient,) = torch.autograd.grad(pool(spk).mean(), spk)
        shares = F.unfold(gradient, 2, stride=2).sum((0, 2))
        assert shares.tolist() == pytest.approx(wanted, abs=0.006) and sum(wanted) == pytest.approx(1)


def test_summed_spikes_are_counted():
    spk = spikes(0, 3, 2, 7, 6)
    assert torch.allclose(sum_pool(spk), spk[:, :, :6].unfold(2, 2, 2).unfold(3, 2, 2).sum((4, 5)))


@pytest.mark.parametrize(("make", "shape"), [
    (lambda: nn.Linear(6, 3), (5, 4, 6)), (lambda: nn.Linear(6, 3, bias=False), (5, 4, 6)),
    (lambda: nn.Conv2d(2, 3, 3, stride=2, padding=1), (5, 4, 2, 7, 7)),
    (lambda: nn.Conv2d(2, 3, 3, bias=False), (5, 4, 2, 7, 7))])
def test_a_folded_norm_is_the_layer_and_the_norm(make, shape):
    layer, norm, x = made(make), NormOverTime(3, gain=0.7).double(), draw(0, *shape)
    nn.init.constant_(norm.norm.weight, -1.3), nn.init.constant_(norm.norm.bias, 0.2)
    for seed in range(3):
        norm(OverTime(layer)(2 * draw(seed, *shape) + 1))
    folded = fold_norm(layer, norm)
    assert torch.allclose(OverTime(folded)(x), norm.eval()(OverTime(layer)(x)), atol=1e-12)
    assert type(folded) is type(layer) and folded.weight.dtype == FLOAT


def test_folding_a_whole_network_keeps_every_spike():
    net, x = made(lambda: conv_net((3, 4), size=16)), direct_current(2 * draw(0, 5, 1, 16, 16), 6)
    for _ in range(5):
        net(x)
    net.eval()
    layers = list(net.layers)
    for place in (4, 0):
        layers[place:place + 2] = [OverTime(fold_norm(layers[place].layer, layers[place + 1]))]
    for record, other in zip(net(x), SpikingStack(layers)(x), strict=True):
        assert torch.allclose(record.mem, other.mem, atol=1e-10)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: OverTime(3), "OverTime: layer must be a function"),
    (lambda: OverTime(nn.Flatten(0))(torch.ones(3, 2, 4)), "OverTime: layer must return"),
    (lambda: OverTime(nn.Flatten())(torch.ones(3, 2)), r"OverTime: x must be \[T, B"),
    (lambda: OverTime(nn.Flatten())(torch.full((3, 2, 4), math.nan)), "OverTime: x holds NaN"),
    (lambda: OverTime(LIF(0.9)), "OverTime: layer, a LIF, takes all steps .* use it without OverTime"),
    (lambda: OverTime(NormOverTime(3)), "OverTime: layer, a NormOverTime, takes all steps"),
    (lambda: conv_net()(torch.rand(2, 1, 28, 28)), r"OverTime: x must be \[T, B, 1, H, W\] .* direct_current\(pictures"),
    (lambda: conv_net()(torch.rand(4, 2, 3, 28, 28)), r"OverTime: x must be \[T, B, 1, H, W\] .* shape \(4, 2, 3, 28, 28\)"),
    (lambda: conv_net()(torch.rand(4, 2, 1, 32, 32)), r"OverTime: x must be \[T, B, 512\] .* pictures of one size"),
    (lambda: OverTime(nn.Linear(4, 2))(torch.rand(3, 2, 5)), r"OverTime: x must be \[T, B, 4\]"),
    (lambda: NormOverTime(0), "NormOverTime: channels must be"),
    (lambda: NormOverTime(2, gain=0), "NormOverTime: gain must be"),
    (lambda: NormOverTime(2)(torch.ones(3, 4, 5)), r"NormOverTime: x must be \[T, B, 2, ...\]"),
    (lambda: NormOverTime(2, 3)(torch.ones(4, 5, 2)), "NormOverTime: x must have the 3 steps"),
    (lambda: NormOverTime(2, 3)(torch.ones(3, 1, 2)), "NormOverTime: one number a channel"),
    (lambda: DropoutOverTime(1.0), "DropoutOverTime: p must be less than 1"),
    (lambda: DropoutOverTime(0.5, shared=2), "DropoutOverTime: shared must be True or False"),
    (lambda: ChannelGain(3)(torch.ones(2, 2, 4)), r"ChannelGain: x must be \[T, B, 3"),
    (lambda: SpikingStack([]), "SpikingStack: layers must not be empty"),
    (lambda: SpikingStack([nn.Linear(2, 2), LIF(0.9)]), r"SpikingStack: layers\[0\], a Linear, knows no time: wrap it"),
    (lambda: SpikingStack([OverTime(nn.Flatten())]), "SpikingStack: layers hold no LIF"),
    (lambda: Residual(LIF(0.9)), "Residual: layers must be a list"),
    (lambda: spike_max_pool(torch.full((1, 1, 2, 2), 0.5)), "spike_max_pool: spk must hold spikes"),
    (lambda: spike_max_pool(torch.ones(3, 1, 1, 2, 2)), r"spike_max_pool: spk must be \[B, C, H, W\].*OverTime"),
    (lambda: sum_pool(torch.ones(1, 1, 2, 2), 3), r"sum_pool: kernel must fit"),
    (lambda: fold_norm(nn.Flatten(), NormOverTime(2)), "fold_norm: layer must be a nn.Linear or nn.Conv2d"),
    (lambda: fold_norm(nn.Linear(2, 3), NormOverTime(2)), "fold_norm: layer has 3 outputs"),
    (lambda: fold_norm(nn.Linear(2, 3), NormOverTime(3, 4)), "fold_norm: norm has statistics for each step"),
    (lambda: conv_net(12), "conv_net: channels must be a tuple"), (lambda: conv_net(size=12), "conv_net: pictures of 12 x 12"),
])
def test_what_is_refused(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


def test_the_cures_that_messages_name_work():
    assert conv_net()(direct_current(torch.rand(2, 1, 28, 28), 3))[-1].mem.shape == (3, 2, 10)
    assert SpikingStack([OverTime(nn.Conv2d(1, 12, 5)), LIF(0.9)])(torch.rand(2, 3, 1, 8, 8))[0].spk.shape == (2, 3, 12, 4, 4)
    assert OverTime(spike_max_pool)(spikes(0, 3, 1, 1, 2, 2)).shape == (3, 1, 1, 1, 1)
    assert NormOverTime(2, 3).eval()(torch.ones(3, 1, 2)).shape == (3, 1, 2)


def test_a_convolutional_network_of_snntorch_fires_the_same_spikes():
    """Conv, pool, Leaky in a loop over time, as in snnTorch's tutorial 6: spikes and gradients are those of the stack."""
    snntorch = pytest.importorskip("snntorch", reason="the peers extra is not installed")
    conv, x = made(lambda: nn.Conv2d(1, 4, 3)), (2 * draw(0, 6, 3, 1, 10, 10))
    (record,) = SpikingStack([OverTime(conv), OverTime(nn.MaxPool2d(2)), LIF(0.5)])(x)
    theirs, mem, found = snntorch.Leaky(beta=0.5, spike_grad=snntorch.surrogate.atan(alpha=2.0)).double(), 0, []
    mem = torch.zeros(3, 4, 4, 4, dtype=FLOAT)
    for x_t in x:
        spk, mem = theirs(F.max_pool2d(conv(x_t), 2), mem)
        found.append(spk)
    other, weight = torch.stack(found).double(), draw(1, *record.spk.shape)
    assert torch.equal(record.spk, other) and 0.05 < other.mean() < 0.6
    ours, gradient = (torch.autograd.grad((weight * spk).sum(), conv.weight)[0] for spk in (record.spk, other))
    assert torch.allclose(ours, gradient, atol=1e-5)
