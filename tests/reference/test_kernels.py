"""Filters and kernels against sums by hand, the spiking LSTM against its equations and snnTorch, and what is refused."""
import math

import pytest
import torch

from snnteach.kernels import SpikingLSTM, alpha_kernel, convolve, cuba_kernel, low_pass
from snnteach.neurons import lif
from snnteach.surrogate import fast_sigmoid, spike

FLOAT = torch.float64


@pytest.mark.parametrize("alpha", [0.8, torch.tensor(0.8, dtype=FLOAT), torch.tensor([0.5, 0.9, 1.0], dtype=FLOAT)])
def test_a_low_pass_is_a_loop_a_convolution_and_a_neuron_that_never_resets(alpha):               # F54
    x = torch.rand(30, 2, 3, dtype=FLOAT).requires_grad_()
    before = torch.rand(2, 3, dtype=FLOAT).requires_grad_()
    inputs = [x, before]
    if isinstance(alpha, torch.Tensor):
        alpha = alpha.clone().requires_grad_()
        inputs.append(alpha)
    y, rows = before, []
    for x_t in x:
        y = alpha * y + x_t
        rows.append(y)
    weight = torch.rand(30, 2, 3, dtype=FLOAT)
    found = [(record, *torch.autograd.grad((weight * record**2).sum(), inputs))
             for record in (low_pass(x, alpha, before), torch.stack(rows))]
    for one, two in zip(*found, strict=True):
        assert torch.allclose(one, two, rtol=1e-10, atol=1e-10)
    if not isinstance(alpha, torch.Tensor):
        kernel = 0.8 ** torch.arange(30, dtype=FLOAT)
        assert torch.allclose(low_pass(x, 0.8), convolve(x, kernel), atol=1e-10)
        assert torch.allclose(low_pass(x, 0.8), lif(x, 0.8, reset="none")[1], atol=1e-12)
        assert torch.autograd.gradcheck(lambda x: low_pass(x, 0.8), torch.rand(5, 2, 2, dtype=FLOAT).requires_grad_())


def test_a_convolution_looks_only_back():
    x, kernel = torch.rand(12, 2, 3, dtype=FLOAT), torch.rand(5, dtype=FLOAT)
    by_hand = torch.zeros_like(x)
    for t in range(12):
        for n in range(min(t, 4) + 1):
            by_hand[t] += kernel[n] * x[t - n]
    assert torch.allclose(convolve(x, kernel), by_hand, atol=1e-12)
    assert torch.allclose(convolve(x[:3], kernel), by_hand[:3], atol=1e-12)                      # longer than the input
    assert torch.autograd.gradcheck(convolve, (x[:6].clone().requires_grad_(), kernel.clone().requires_grad_()))


def test_kernels_by_their_formulas():
    n = torch.arange(40, dtype=FLOAT)
    assert torch.allclose(cuba_kernel(0.9, 0.9, 40).double(), (n + 1) * 0.9**n, atol=1e-6)
    assert torch.allclose(cuba_kernel(0.9, 0.9 + 1e-7, 40).double(), (n + 1) * 0.9**n, atol=1e-4)
    assert torch.allclose(cuba_kernel(0.0, 0.9, 40).double(), 0.9**n, atol=1e-6)
    assert torch.allclose(cuba_kernel(0.8, 0.7, 40), cuba_kernel(0.7, 0.8, 40))
    eps = alpha_kernel(5.0, 400)
    assert eps[0] == 0 and int(eps.argmax()) == 5 and eps.max() == 1 and eps.sum().item() == pytest.approx(5 * math.e, rel=0.01)


def equations(layer, x, mem, cell):
    inward, back, bias = layer.lstm.weight_ih_l0, layer.lstm.weight_hh_l0, layer.lstm.bias_ih_l0 + layer.lstm.bias_hh_l0
    rows = []
    for x_t in x:
        i, f, g, o = (x_t @ inward.T + mem @ back.T + bias).chunk(4, 1)
        cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
        mem = torch.sigmoid(o) * torch.tanh(cell)
        rows.append((spike(mem - layer.threshold, layer.surrogate), mem))
    return *map(torch.stack, zip(*rows, strict=True)), cell


@pytest.mark.parametrize("num_inputs", [3, 7])
def test_the_spiking_lstm_equals_its_equations_whatever_its_inputs(num_inputs):
    torch.manual_seed(0)
    layer = SpikingLSTM(num_inputs, 7, surrogate=fast_sigmoid(4.0)).double()
    x = torch.randn(20, 3, num_inputs, dtype=FLOAT).requires_grad_()
    state = (0.3 * torch.randn(2, 3, 7, dtype=FLOAT)).requires_grad_()
    inputs = [x, state, *layer.lstm.parameters()]
    found = []
    for spk, mem, cell in (layer(x, state=(state[0], state[1])), equations(layer, x, state[0], state[1])):
        found.append((spk, mem, cell, *torch.autograd.grad((spk * 2).sum() + (mem**2).sum() + cell.sum(), inputs)))
    assert 0.05 < found[0][0].mean() < 0.95
    for one, two in zip(*found, strict=True):
        assert torch.allclose(one, two, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("num_inputs", [5, 7])
def test_the_memory_is_kept_whatever_the_input_size(num_inputs):
    """snnTorch 1.0.0 compares the state with the shape of the input, and forgets where they differ."""
    torch.manual_seed(0)
    layer = SpikingLSTM(num_inputs, 7)
    x = torch.randn(20, 2, num_inputs)
    spk, mem, cell = layer(x)
    early, early_mem, early_cell = layer(x[:8])
    late, late_mem, late_cell = layer(x[8:], state=(early_mem[-1], early_cell))
    assert torch.equal(torch.cat([early, late]), spk) and torch.allclose(late_cell, cell, atol=1e-6)
    assert (layer(x[8:])[1] - late_mem).abs().max() > 0.01
    snn = pytest.importorskip("snntorch")
    theirs = snn.SLSTM(num_inputs, 7, threshold=0.1)
    for one, two in zip(theirs.lstm_cell.parameters(), layer.lstm.parameters(), strict=True):
        one.data.copy_(two.data)
    state, rows = theirs.reset_mem(), []
    for x_t in x:
        one, *state = theirs(x_t, *state)
        rows.append(one)
    if num_inputs == 7:
        assert torch.equal(torch.stack(rows), spk) and torch.allclose(state[1], mem[-1], atol=1e-6)
    else:
        assert not torch.allclose(state[1], mem[-1], atol=1e-3) and torch.allclose(state[1], layer(x[-1:])[1][0], atol=1e-6)


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: low_pass(torch.ones(5), 0.9), ValueError, r"^low_pass: x must be \[T, B, N\].* x\[:, None, None\]"),
    (lambda: low_pass(torch.ones(5, 1, 1), 1.5), ValueError, "^low_pass: alpha must be between"),
    (lambda: low_pass(torch.ones(5, 1, 1), 0.5, torch.ones(2)), ValueError, "^low_pass: state must be"),
    (lambda: convolve(torch.ones(5, 1, 1), torch.ones(2, 2)), ValueError, r"^convolve: kernel must be \[K\]"),
    (lambda: convolve(torch.ones(5, 1, 1), torch.ones(2).double()), TypeError, "kernel is torch.float64 and x is"),
    (lambda: cuba_kernel(0.5, 2.0, 3), ValueError, "^cuba_kernel: beta must be"),
    (lambda: alpha_kernel(-1.0, 3), ValueError, "^alpha_kernel: tau must be above 0"),
    (lambda: alpha_kernel(1.0, 2.5), ValueError, "^alpha_kernel: num_steps must be a whole number"),
    (lambda: SpikingLSTM(5, 7)(torch.rand(3, 2, 6)), ValueError, "^SpikingLSTM: x must have 5 inputs"),
    (lambda: SpikingLSTM(5, 7)(torch.rand(3, 2, 5), state=torch.zeros(2, 7)), TypeError, "state must be the pair"),
    (lambda: SpikingLSTM(5, 7, threshold=1.5), ValueError, "threshold must be above 0 and at most 1"),
    (lambda: SpikingLSTM(5, 7).double()(torch.rand(3, 2, 5)), TypeError, "x is torch.float32 and the weights is")])
def test_what_is_refused_and_why(call, error, words):
    with pytest.raises(error, match=words):
        call()
