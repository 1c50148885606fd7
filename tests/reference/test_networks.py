"""The spiking network against the written-out loop, values and gradients, and constant input multiplied once."""
import math

import numpy as np
import pytest
import torch

from snnteach.networks import Record, SpikingMLP, direct_current
from snnteach.neurons import lif_step
from snnteach.surrogate import atan, triangular


def network(**options):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return SpikingMLP((6, 8, 7, 3), **{"threshold": 0.4, **options}).double()


def signal(steps=9, batch=4):
    return 4 * torch.rand(steps, batch, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def written_out(net, x, surrogate, readout="spike", beta=0.9, threshold=0.4, **options):
    """Every layer and step in the open: lif_step and nn.Linear."""
    layers = list(net.linears)
    state = [(x.new_zeros(x.shape[1], layer.out_features),) * 2 for layer in layers]       # (spk, mem)
    history = [[] for _ in layers]
    for x_t in x:
        for number, layer in enumerate(layers):
            spk, mem = state[number]
            if number == len(layers) - 1 and readout == "membrane":
                spk, mem = spk, beta * mem + layer(x_t)
            else:
                spk, mem = lif_step(layer(x_t), mem, spk, beta, threshold, surrogate=surrogate, **options)
            state[number], x_t = (spk, mem), spk
            history[number].append(state[number])
    return [Record(*map(torch.stack, zip(*steps, strict=True))) for steps in history]


@pytest.mark.parametrize("readout", ["spike", "membrane"])
@pytest.mark.parametrize("surrogate", [atan(), triangular(0.5)])
@pytest.mark.parametrize(("constant", "options"), [
    (True, {}), (False, {}), (False, {"reset": "zero"}), (False, {"detach_reset": False}),
    (False, {"beta": 0.7, "threshold": 0.5})])
def test_equals_the_written_out_loop(readout, surrogate, constant, options):
    net, x = network(readout=readout, surrogate=surrogate, **options), signal()
    if constant:
        x = direct_current(x[0], 9)
    records, expected = net(x), written_out(net, x, surrogate, readout, **options)
    assert sum(record.spk.sum().item() for record in expected) > 50
    for record, other in zip(records, expected, strict=True):
        torch.testing.assert_close(record.mem, other.mem, rtol=0, atol=1e-10)
        if record.spk is not None:
            assert torch.equal(record.spk, other.spk)
    weight = torch.rand(9, 4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    gradients = []
    for last in (records[-1], expected[-1]):
        loss = (weight * last.mem).sum() + (0 if readout == "membrane" else (weight * last.spk).sum())
        gradients.append(torch.autograd.grad(loss, list(net.parameters())))
    for ours, theirs in zip(*gradients, strict=True):
        assert theirs.abs().max() > 1e-3
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)


def test_constant_input_is_multiplied_once_with_the_same_numbers():
    net, values, calls = network(), signal()[0], []
    net.linears[0].register_forward_hook(lambda layer, inputs, output: calls.append(inputs[0].shape))
    results = []
    for x in (direct_current(values, 9), direct_current(values, 9).contiguous()):
        records = net(x)
        results.append((records, torch.autograd.grad(records[-1].mem.sum(), list(net.parameters()))))
    assert calls == [(4, 6), (9, 4, 6)]
    (ours, our_gradients), (theirs, their_gradients) = results
    for record, other in zip(ours, theirs, strict=True):
        assert torch.equal(record.spk, other.spk)
        torch.testing.assert_close(record.mem, other.mem, rtol=0, atol=1e-12)
    for gradient, other in zip(our_gradients, their_gradients, strict=True):
        torch.testing.assert_close(gradient, other, rtol=0, atol=1e-10)


def test_direct_current_copies_nothing():
    x = torch.rand(4, 6)
    current = direct_current(x, 25)
    assert current.shape == (25, 4, 6) and current.stride(0) == 0 and current.data_ptr() == x.data_ptr()


def test_membrane_readout_never_fires_and_hides_nothing():
    net = network(readout="membrane")
    records = net(100 * signal())
    assert records[-1].spk is None and records[-1].mem.abs().max() > 1
    assert net.neurons[-1].threshold == math.inf


def test_learned_decay_is_one_a_layer_and_has_a_gradient():
    net = network(learn_beta=True, readout="membrane")
    net(signal())[-1].mem.sum().backward()
    assert [neuron.logit_beta.grad.abs().item() > 0 for neuron in net.neurons] == [True] * 3


@pytest.mark.parametrize("arguments,words", [
    ({"sizes": (6,)}, "sizes must be two or more"), ({"sizes": (6, 0)}, r"sizes\[1\] must be a whole number of at least 1"),
    ({"sizes": (6, 2.0)}, r"sizes\[1\] must be a whole number"), ({"sizes": (6, True)}, r"sizes\[1\] must be a whole"),
    ({"sizes": (10**6, 10**6)}, "SpikingMLP: sizes asks for a tensor of 1000000 x 1000000 numbers"),
    ({"sizes": (6, 2), "readout": "vote"}, "readout must be one of"),
    ({"sizes": (6, 2), "beta": 1.5}, "beta must be between"), ({"sizes": (6, 2), "threshold": 0}, "threshold must be positive"),
])
def test_bad_options_are_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        SpikingMLP(**arguments)


@pytest.mark.parametrize("x,error,words", [
    (torch.zeros(4, 6), ValueError, r"x must be \[T, B, N\] \(time first\), got shape \(4, 6\). .*direct_current"),
    (torch.zeros(9, 4, 5), ValueError, r"x must be \(9, 4, 6\) \[T, B, N\] \(time first\), got shape \(9, 4, 5\)\.$"),
    (torch.zeros(9, 4, 2, 3), ValueError, r"x must be \(9, 4, 6\).*got shape \(9, 4, 2, 3\)\. Images \[B"),
    (torch.zeros(0, 4, 6), ValueError, "not empty"),
    (torch.zeros(9, 4, 6).byte(), TypeError, "floating point"),
    (torch.full((9, 4, 6), math.nan), ValueError, "NaN"),
])
def test_bad_input_is_named(x, error, words):
    with pytest.raises(error, match=words):
        SpikingMLP((6, 3))(x)


def test_sizes_are_whole_numbers_of_numpy_too():
    assert [layer.weight.shape for layer in SpikingMLP((np.int64(6), np.int32(2))).linears] == [(2, 6)]


def test_sizes_given_one_by_one_are_named():
    with pytest.raises(TypeError, match=r"sizes must be one tuple, such as SpikingMLP\(\(784, 300, 10\)\), got 784"):
        SpikingMLP(784, 300, 10)


@pytest.mark.parametrize("x,steps,error", [(torch.zeros(4), 3, ValueError), (torch.zeros(4, 6), 0, ValueError),
                                           (torch.zeros(4, 6), 2.5, ValueError), (torch.zeros(4, 6).long(), 3, TypeError)])
def test_direct_current_names_bad_input(x, steps, error):
    with pytest.raises(error, match="direct_current: "):
        direct_current(x, steps)


@pytest.mark.parametrize("constant", [True, False])
def test_a_current_that_is_known_is_not_computed_again(constant):
    net, x, calls = network(), signal(), []
    x = direct_current(x[0], 9) if constant else x
    expected = net(x)
    net.linears[0].register_forward_hook(lambda *_: calls.append(1))
    current = net.current(x)
    records = net(x, current)
    assert calls == [1] and current.shape == (1 if constant else 9, 4, 8)
    assert all(torch.equal(record.mem, other.mem) for record, other in zip(records, expected, strict=True))
