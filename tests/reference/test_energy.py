"""Operations against plain loops, prices against the published table, break-even against closed forms, the ANN beside."""
import math

import pytest
import torch

from snnteach import energy, mapping
from snnteach.energy import CACHE, PRICES, Operations, Prices, ReluMLP
from snnteach.losses import ce_membrane_loss
from snnteach.networks import Record, SpikingMLP, direct_current
from snnteach.training import accuracy, fit

FLOAT = torch.float64


def noise(seed, *shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=FLOAT)


def network(kind, sizes=(6, 5, 4, 3), seed=0, **options):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return kind(sizes, **options).double()


# Counting

def plain_counts(net, x):
    """Synapse by synapse and step by step."""
    heard, found = [x, *(record.spk for record in net(x)[:-1])], []
    for linear, fed in zip(net.linears, heard, strict=True):
        steps = fed[:1] if fed.stride(0) == 0 else fed
        values = {value.item() for value in fed.unique()}
        total = 0
        for step in steps:
            for sample in step:
                for j, value in enumerate(sample.tolist()):
                    if value != 0:
                        total += sum(1 for i in range(linear.out_features) if linear.weight[i, j] != 0)
        each = total / x.shape[1]
        spiking = isinstance(net, SpikingMLP)
        found.append(Operations(*((0.0, each) if values <= {0.0, 1.0} else (each, 0.0)),
                                float(len(x) * linear.out_features * spiking)))
    return found


@pytest.mark.parametrize("make", [
    lambda: (network(SpikingMLP, threshold=0.2), (noise(0, 7, 4, 6) < 0.3).to(FLOAT)),
    lambda: (network(SpikingMLP, threshold=0.2, readout="membrane"), direct_current(noise(1, 4, 6), 7)),
    lambda: (network(SpikingMLP, threshold=0.2, reset="zero"), noise(2, 7, 4, 6)),
    lambda: (network(ReluMLP, seed=1), noise(3, 1, 4, 6)),
    lambda: (network(ReluMLP), (noise(4, 1, 4, 6) < 0.5).to(FLOAT)),
], ids=["spikes", "current", "films", "ann", "ann, binary"])
@pytest.mark.parametrize("pruned", [False, True])
def test_counts_equal_plain_loops(make, pruned):
    net, x = make()
    if pruned:
        with torch.no_grad():
            for linear in net.linears:
                linear.weight.mul_(noise(5, *linear.weight.shape) < 0.5)
    with torch.no_grad():
        wanted, records = plain_counts(net, x), net(x)
    assert [pytest.approx(layer) for layer in wanted] == energy.count_operations(net, x)
    assert energy.count_operations(net, x, records) == energy.count_operations(net, x)
    assert all(sum(layer[:2]) > 0 for layer in wanted)


def test_synops_are_spikes_times_fan_out_and_a_dense_ann_multiplies_everything():
    net, x = network(SpikingMLP, (6, 5, 4, 3), threshold=0.1), direct_current(1 + noise(6, 8, 6), 9)
    records = net(x)
    counts = energy.count_operations(net, x, records)
    for layer, fan_out, record in zip(counts[1:], (4, 3), records, strict=False):
        assert layer.additions == pytest.approx(record.spk.sum().item() / 8 * fan_out) and layer.macs == 0 < layer.additions
    assert counts[0] == Operations(30.0, 0.0, 45.0)                            # the same at every step: multiplied once
    repeated = energy.count_operations(net, x.contiguous())
    assert repeated[0].macs == 9 * counts[0].macs and repeated[1:] == counts[1:]
    ann = network(ReluMLP, (6, 5))
    assert energy.count_operations(ann, 1 + noise(7, 1, 8, 6)) == [Operations(30.0, 0.0, 0.0)]


# Messages

@pytest.mark.parametrize("kind", [ReluMLP, SpikingMLP])
def test_messages_equal_plain_loops(kind):
    net = network(kind, (6, 9, 5), **({} if kind is ReluMLP else {"threshold": 0.2}))
    mapping.apply_masks(net, mapping.random_masks(net, 0.6, torch.Generator().manual_seed(1)))
    x = (noise(12, 4, 7, 6) < 0.4).to(FLOAT)
    cores = mapping.place_neurons(net, 3, 100)
    records = net(x)
    wanted = []
    for linear, fed, core in zip(net.linears, (x, records[0].spk), cores, strict=True):
        total = 0
        for *_, j in (fed != 0).nonzero().tolist():
            total += len({core[i].item() for i in range(linear.out_features) if linear.weight[i, j] != 0})
        wanted.append(total / 7)
    assert energy.count_messages(net, x, cores) == pytest.approx(wanted) and min(wanted) > 0
    assert energy.count_messages(net, x, cores, records) == pytest.approx(wanted)
    one = mapping.place_neurons(net, 100, 1000)
    everything = sum(sum(layer[:2]) for layer in energy.count_operations(net, x, records))
    assert sum(energy.count_messages(net, x, one)) <= sum(wanted) <= everything


def test_a_constant_current_is_sent_once():
    net, x = network(SpikingMLP, (6, 5, 4)), direct_current(0.1 + noise(3, 4, 6), 9)
    cores = mapping.place_neurons(net, 2, 100)
    assert energy.count_messages(net, x, cores)[0] == 6 * 3
    assert energy.count_messages(net, x.contiguous(), cores)[0] == 9 * 6 * 3


# Prices

def test_energy_is_the_sum_of_its_parts():
    layers, prices = [Operations(3.0, 5.0, 7.0), Operations(11.0, 13.0, 17.0)], Prices(2.0, 0.5, 4.0, 8.0)
    parts = energy.energy_spent(layers, prices)
    assert parts["arithmetic"] == pytest.approx((2 * (14 + 24) + 0.5 * 18) / 1000)
    assert parts["weights"] == pytest.approx(4 * (14 + 18) / 1000) and parts["state"] == pytest.approx(8 * 24 / 1000)
    assert parts["total"] == pytest.approx(sum(parts[name] for name in ("arithmetic", "weights", "state")))
    each = [energy.energy_spent(layer, prices)["total"] for layer in layers]
    assert sum(each) == pytest.approx(parts["total"])


def test_the_prices_are_those_of_the_table():
    assert all(price.mac == pytest.approx(4.6) and price.addition == 0.9 for price in PRICES.values())
    assert PRICES["arithmetic"][2:] == (0, 0) and PRICES["8 KB cache"][2:] == (10, 20)
    assert PRICES["8 KB cache, two a read"][2:] == (5, 10) and PRICES["1 MB cache"][2:] == (50, 10)
    assert CACHE == {"8 KB": 10, "32 KB": 20, "1 MB": 100}


def test_break_even_is_where_both_cost_the_same():
    assert energy.break_even(4.6, 0.9) == pytest.approx(5.111, abs=1e-3)
    assert energy.break_even(14.6, 10.9) == pytest.approx(1.339, abs=1e-3)
    assert energy.break_even(9.6, 5.9) == pytest.approx(1.627, abs=1e-3)
    for name, price in PRICES.items():
        s = energy.break_even(price.mac + price.weight, price.addition + price.weight, price.mac + price.state, 5, 784)
        dense = energy.energy_spent(Operations(784.0, 0.0, 0.0), name)["total"]
        spiking = energy.energy_spent(Operations(0.0, 784 * s, 5.0), name)["total"]
        assert dense == pytest.approx(spiking)
    assert energy.break_even(4.6, 0.9, update=4.6, num_steps=10, fan_in=5) == 0.0


def test_counted_networks_meet_at_the_break_even_rate():
    """A layer of 64 inputs that each fire s times costs what a dense product costs, at the s that break_even names."""
    weight_price = 9.3                                                         # so that s* = 13.9 / 10.2 and T s* is whole
    s = energy.break_even(4.6 + weight_price, 0.9 + weight_price)
    prices, steps = Prices(4.6, 0.9, weight_price, 0.0), 100
    spikes = torch.zeros(steps, 1, 100, dtype=FLOAT)
    spikes.view(steps, 100)[0] = 1
    spikes.view(steps, 100)[1, :round(100 * (s - 1))] = 1
    net = network(SpikingMLP, (100, 3))
    (counted,) = energy.count_operations(net, spikes)
    ann = energy.count_operations(network(ReluMLP, (100, 3)), 0.5 + noise(8, 1, 1, 100))
    spent = energy.energy_spent(counted._replace(updates=0.0), prices)["total"]
    assert spent == pytest.approx(energy.energy_spent(ann, prices)["total"], rel=3e-3)


# The ANN

def test_the_ann_is_torchs_and_its_gradients_are():
    net = network(ReluMLP)
    twin = torch.nn.Sequential(net.linears[0], torch.nn.ReLU(), net.linears[1], torch.nn.ReLU(), net.linears[2])
    x = noise(9, 1, 10, 6)
    records = net(x)
    assert torch.equal(records[-1].mem, twin(x)) and records[-1].spk is None
    assert all(torch.equal(record.spk, record.mem.relu()) for record in records[:-1])
    ours, theirs = (torch.autograd.grad(out.square().sum(), list(net.parameters())) for out in (net(x)[-1].mem, twin(x)))
    assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))


def test_fit_trains_the_ann():
    x, target = noise(10, 64, 20).float(), torch.arange(64) % 2
    net = network(ReluMLP, (20, 30, 2)).float()
    fit(net, x, target, loss=lambda records, y: ce_membrane_loss(records[-1].mem, y), encode=lambda x: x[None], epochs=40,
        batch_size=16, learning_rate=0.02, seed=0)
    assert accuracy(net, x, target, encode=lambda x: x[None]) > 0.9


# What is refused

NET, X, OPS = SpikingMLP((4, 3, 2)), torch.rand(5, 2, 4), Operations(1.0, 2.0, 3.0)
CORES = mapping.place_neurons(NET, 3, 100)


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: ReluMLP(784), TypeError, "ReluMLP: sizes must be one tuple"),
    (lambda: ReluMLP((784,)), ValueError, "ReluMLP: sizes must be two or more"),
    (lambda: ReluMLP((784, 0)), ValueError, "ReluMLP: sizes[1] must be a whole number"),
    (lambda: ReluMLP((4, 2))(X[0]), ValueError, "ReluMLP: x must be [T, B, N] (time first)"),
    (lambda: energy.count_operations(torch.nn.Linear(4, 3), X), TypeError, "count_operations: net must have its layers"),
    (lambda: energy.count_operations(NET, X[..., :3]), ValueError, "count_operations: x must be (5, 2, 4)"),
    (lambda: energy.count_operations(NET, X.double()), TypeError, "count_operations: x is torch.float64"),
    (lambda: energy.count_operations(NET, X * math.nan), ValueError, "count_operations: x holds NaN"),
    (lambda: energy.count_operations(NET, X, NET(X)[:1]), ValueError, "count_operations: records must be what net(x)"),
    (lambda: energy.count_operations(NET, X, NET(X[:4])), ValueError, "count_operations: records must be what net(x)"),
    (lambda: energy.count_operations(NET, X, [Record(None, X), Record(None, X)]), ValueError,
     "count_operations: records must hold the spikes"),
    (lambda: energy.count_messages(NET, X[0], CORES), ValueError, "count_messages: x must be [T, B, N] (time first)"),
    (lambda: energy.count_messages(NET, X, CORES[0]), TypeError, "count_messages: cores must be a list"),
    (lambda: energy.count_messages(NET, X, CORES[:1]), ValueError, "count_messages: cores must be 2, one a layer"),
    (lambda: energy.count_messages(NET, X, [core.float() for core in CORES]), TypeError,
     "count_messages: cores[0] must be int64"),
    (lambda: energy.count_messages(NET, X, CORES[::-1]), ValueError, "count_messages: cores[0] must be (3,)"),
    (lambda: energy.energy_spent((1, 2, 3), "arithmetic"), TypeError, "energy_spent: operations must be Operations"),
    (lambda: energy.energy_spent([], "arithmetic"), TypeError, "energy_spent: operations must be Operations"),
    (lambda: energy.energy_spent(OPS._replace(macs=-1), "arithmetic"), ValueError,
     "energy_spent: operations.macs must be at least 0"),
    (lambda: energy.energy_spent(OPS, "cache"), ValueError, "energy_spent: prices must be one of 'arithmetic'"),
    (lambda: energy.energy_spent(OPS, (4.6, 0.9)), TypeError, "energy_spent: prices must be Prices"),
    (lambda: energy.break_even(0, 0.9), ValueError, "break_even: dense must be above 0"),
    (lambda: energy.break_even(4.6, "0.9"), TypeError, "break_even: spike must be a number"),
    (lambda: energy.break_even(4.6, 0.9, update=-1), ValueError, "break_even: update must be at least 0"),
    (lambda: energy.break_even(4.6, 0.9, fan_in=0), ValueError, "break_even: fan_in must be a whole number"),
    (lambda: energy.break_even(4.6, 0.9, num_steps=1.5), ValueError, "break_even: num_steps must be a whole number"),
])
def test_what_is_refused(call, error, words):
    with pytest.raises(error) as raised:
        call()
    assert str(raised.value).startswith(words), str(raised.value)
