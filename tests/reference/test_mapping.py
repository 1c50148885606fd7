"""Masks against plain sorting, a pruned network that stays pruned while it learns, cores against their limits."""
import pickle

import pytest
import torch

from snnteach import mapping
from snnteach.energy import ReluMLP
from snnteach.losses import ce_membrane_loss
from snnteach.networks import SpikingMLP, direct_current
from snnteach.training import fit

FLOAT = torch.float64


def noise(seed, *shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=FLOAT)


def network(kind=ReluMLP, sizes=(6, 5, 4), seed=0, **options):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return kind(sizes, **options).double()


@pytest.mark.parametrize("sparsity", [0, 0.1, 0.5, 0.77, 1])
def test_the_smallest_weights_go(sparsity):
    net = network()
    masks = mapping.magnitude_masks(net, sparsity)
    weights = torch.cat([linear.weight.detach().abs().flatten() for linear in net.linears])
    kept = torch.cat([mask.flatten() for mask in masks]).bool()
    assert int((~kept).sum()) == round(sparsity * 50)
    assert not kept.any() or kept.all() or weights[~kept].max() < weights[kept].min()
    assert all(mask.shape == linear.weight.shape for mask, linear in zip(masks, net.linears, strict=True))


def test_chance_takes_as_many_and_others():
    net = network(sizes=(30, 20, 10))
    one, other = (mapping.random_masks(net, 0.6, torch.Generator().manual_seed(seed)) for seed in (0, 1))
    by_size = mapping.magnitude_masks(net, 0.6)
    count = sum(mask.sum() for mask in by_size)
    assert sum(mask.sum() for mask in one) == sum(mask.sum() for mask in other) == count
    assert not torch.equal(one[0], other[0]) and not torch.equal(one[0], by_size[0])
    again = mapping.random_masks(net, 0.6, torch.Generator().manual_seed(0))
    assert all(torch.equal(a, b) for a, b in zip(one, again, strict=True))


@pytest.mark.parametrize("kind", [ReluMLP, SpikingMLP])
def test_what_is_pruned_stays_pruned_and_the_rest_learns(kind):
    net, x, target = network(kind, (20, 30, 2)).float(), noise(0, 64, 20).float(), torch.arange(64) % 2
    masks = mapping.magnitude_masks(net, 0.7)
    handles = mapping.apply_masks(net, masks)
    before = [linear.weight.detach().clone() for linear in net.linears]

    def learn():
        fit(net, x, target, loss=lambda records, y: ce_membrane_loss(records[-1].mem, y), batch_size=16, seed=0,
            encode=lambda x: direct_current(x, 3), epochs=2, learning_rate=0.05, weight_decay=0.1)

    learn()
    for linear, mask, old in zip(net.linears, masks, before, strict=True):
        assert bool((linear.weight[mask == 0] == 0).all()) and not torch.equal(linear.weight, old)
    for handle in handles:
        handle.remove()
    learn()
    assert any(bool((linear.weight[mask == 0] != 0).any()) for linear, mask in zip(net.linears, masks, strict=True))


def test_the_gradient_of_a_pruned_weight_is_zero_and_the_network_can_be_pickled():
    net = network()
    masks = mapping.random_masks(net, 0.5, torch.Generator().manual_seed(0))
    free = network()
    mapping.apply_masks(net, masks)
    with torch.no_grad():
        for linear, mask in zip(free.linears, masks, strict=True):
            linear.weight.mul_(mask)
    x = noise(1, 1, 9, 6)
    for one, other, mask in zip(*(torch.autograd.grad(n(x)[-1].mem.square().sum(), [part.weight for part in n.linears])
                                  for n in (net, free)), masks, strict=True):
        assert torch.equal(one, other * mask) and other[mask == 0].any()
    assert torch.equal(pickle.loads(pickle.dumps(net))(x)[-1].mem, net(x)[-1].mem)


@pytest.mark.parametrize(("neurons", "synapses"), [(4, 100), (100, 12), (3, 13), (1, 6), (100, 1000)])
def test_no_core_is_overfull_and_none_could_have_taken_the_next(neurons, synapses):
    net = network(sizes=(6, 9, 5))
    mapping.apply_masks(net, mapping.random_masks(net, 0.2, torch.Generator().manual_seed(0)))
    cores = mapping.place_neurons(net, neurons, synapses)
    needs = torch.cat([(linear.weight != 0).sum(1) for linear in net.linears])
    flat = torch.cat(cores)
    assert [len(core) for core in cores] == [9, 5] and bool((flat >= 0).eq(needs <= synapses).all())
    for core in range(int(flat.max()) + 1):
        mine = flat == core
        assert 0 < int(mine.sum()) <= neurons and int(needs[mine].sum()) <= synapses
    placed = flat[flat >= 0]
    assert bool((placed.diff() >= 0).all()) and bool((placed.diff() <= 1).all())
    for place in (placed.diff() == 1).nonzero().flatten().tolist():             # a new core only where the old one was full
        core, need = placed[place], needs[flat >= 0][place + 1]
        mine = flat == core
        assert int(mine.sum()) == neurons or int(needs[mine].sum() + need) > synapses


def test_a_neuron_too_wide_for_a_core_has_no_place():
    net = network(sizes=(6, 3, 2))
    with torch.no_grad():
        net.linears[0].weight[1, 2:] = 0
    assert [core.tolist() for core in mapping.place_neurons(net, 9, 4)] == [[-1, 0, -1], [1, 2]]
    assert [core.tolist() for core in mapping.place_neurons(net, 9, 5)] == [[-1, 0, -1], [0, 1]]


# What is refused

NET = ReluMLP((4, 3, 2))
MASKS = mapping.magnitude_masks(NET, 0.5)


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: mapping.magnitude_masks(torch.nn.Linear(4, 3), 0.5), TypeError, "magnitude_masks: net must have its layers"),
    (lambda: mapping.magnitude_masks(NET, 50), ValueError, "magnitude_masks: sparsity must be between 0 and 1"),
    (lambda: mapping.random_masks(NET, -0.1), ValueError, "random_masks: sparsity must be between 0 and 1"),
    (lambda: mapping.random_masks(NET, 0.5, 3), TypeError, "random_masks: generator must be a torch.Generator"),
    (lambda: mapping.apply_masks(NET, MASKS[0]), TypeError, "apply_masks: masks must be a list"),
    (lambda: mapping.apply_masks(NET, MASKS[:1]), ValueError, "apply_masks: masks must be 2, one a layer"),
    (lambda: mapping.apply_masks(NET, MASKS[::-1]), ValueError, "apply_masks: masks[0] must be (3, 4)"),
    (lambda: mapping.apply_masks(NET, [2 * mask for mask in MASKS]), ValueError, "apply_masks: masks[0] must hold 0 and 1"),
    (lambda: mapping.apply_masks(NET, [mask.bool() for mask in MASKS]), TypeError, "apply_masks: masks[0] is torch.bool"),
    (lambda: mapping.fill_cores([3, 4], 9, 9), TypeError, "fill_cores: needs must be a torch.Tensor"),
    (lambda: mapping.fill_cores(torch.rand(4), 9, 9), TypeError, "fill_cores: needs must be int64"),
    (lambda: mapping.fill_cores(torch.tensor([3, -4]), 9, 9), ValueError, "fill_cores: needs must not be negative"),
    (lambda: mapping.fill_cores(torch.tensor([3, 4]), 0, 9), ValueError, "fill_cores: neurons must be a whole number"),
    (lambda: mapping.place_neurons(NET, 0, 9), ValueError, "place_neurons: neurons must be a whole number"),
    (lambda: mapping.place_neurons(NET, 9, 2.5), ValueError, "place_neurons: synapses must be a whole number"),
])
def test_what_is_refused(call, error, words):
    with pytest.raises(error) as raised:
        call()
    assert str(raised.value).startswith(words), str(raised.value)
