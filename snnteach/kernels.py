"""What a spike leaves behind, as a kernel and as a recursion; and a spiking LSTM, whose memory is more than a kernel."""

import torch
from torch import nn
from torch.autograd.function import once_differentiable

from ._arguments import (
    check_beta,
    check_dtype,
    check_finite,
    check_numbers,
    check_pair,
    check_shape,
    check_signal,
    check_surrogate,
    check_that,
    check_whole,
)
from .surrogate import atan, spike

MOST_TAPS = 2**24


class _LowPass(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, alpha, before):
        y = torch.empty_like(x)
        for last, x_t, y_t in zip([before, *y[:-1]], x, y):
            _leak(x_t, last, alpha, y_t)
        ctx.save_for_backward(y, before, alpha if isinstance(alpha, torch.Tensor) else None)
        ctx.alpha = alpha
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        y, before, learned = ctx.saved_tensors
        alpha, grad = ctx.alpha if learned is None else learned, grad.clone()
        rows = grad.unbind(0)
        for now, later in zip(rows[-2::-1], rows[:0:-1]):                          # the same filter, from the last step back
            _leak(now, later, alpha, now)
        grad_alpha = None
        if ctx.needs_input_grad[1]:
            grad_alpha = (grad * torch.cat([before[None], y[:-1]])).sum_to_size(learned.shape)
        return grad, grad_alpha, alpha * grad[0] if ctx.needs_input_grad[2] else None


def _leak(x, last, alpha, out):
    if isinstance(alpha, torch.Tensor):
        torch.addcmul(x, last, alpha, out=out)
    else:
        torch.add(x, last, alpha=alpha, out=out)


def low_pass(x, alpha, state=None):
    """Filter a sequence with a leak: what comes in fades by the factor alpha in each step.

    y[t] = alpha * y[t-1] + x[t],    which is the causal convolution of x with alpha^n

    Args:
        x: input, [T, B, ...].
        alpha: decay per step, between 0 and 1; float, or tensor (scalar or [N]).
        state: y of the step before, [B, ...]; zeros by default.

    Returns:
        y, [T, B, ...].

    Raises:
        TypeError: x not a floating-point tensor.
        ValueError: x not [T, B, ...], NaN in it, alpha outside [0, 1], state of another shape.

    Source: Eshraghian et al. (2023), Eq. 4 without its reset.

    >>> low_pass(torch.tensor([1.0, 0.0, 0.0]).view(3, 1, 1), alpha=0.5).flatten().tolist()
    [1.0, 0.5, 0.25]
    """
    check_signal("low_pass", "x", x, layout="[T, B, N] (time first)", min_dims=3, hint=" Add axes with x[:, None, None].")
    check_beta("low_pass", alpha, x, x.shape[1:], name="alpha")
    check_finite("low_pass", "x", x)
    if state is not None:
        check_shape("low_pass", "state", state, x.shape[1:], "like one step of x")
        check_dtype("low_pass", "state", state, "x", x)
        check_finite("low_pass", "state", state)
    before = x.new_zeros(x.shape[1:]) if state is None else state
    return _LowPass.apply(x, alpha if isinstance(alpha, torch.Tensor) else float(alpha), before)


def cuba_kernel(alpha, beta, num_steps):
    """Return what one input spike leaves on the membrane of a current-based neuron that never fires.

    k[n] = (alpha^(n+1) - beta^(n+1)) / (alpha - beta),    (n + 1) alpha^n where alpha = beta

    Args:
        alpha, beta: decay per step of the current and of the membrane, between 0 and 1.
        num_steps: length of the kernel.

    Returns:
        k, [num_steps].

    Raises:
        TypeError: alpha or beta not a number.
        ValueError: alpha or beta outside [0, 1], num_steps not a whole number of at least 1.

    Source: the convolution of alpha^n and beta^n.

    >>> kernel = cuba_kernel(0.9, 0.8, 50)
    >>> int(kernel.argmax()), round(kernel.max().item(), 3)
    (5, 2.693)
    """
    check_numbers("cuba_kernel", low=0, high=1, alpha=alpha, beta=beta)
    check_whole("cuba_kernel", high=MOST_TAPS, num_steps=num_steps)
    n = torch.arange(1, int(num_steps) + 1, dtype=torch.float64)
    if abs(alpha - beta) < 1e-6:
        kernel = n * (0.5 * (alpha + beta)) ** (n - 1)
    else:
        kernel = (alpha**n - beta**n) / (alpha - beta)
    return kernel.to(torch.get_default_dtype())


def alpha_kernel(tau, num_steps):
    """Return the alpha function: it rises from zero, peaks at 1 after tau steps and falls.

    eps[n] = n / tau * exp(1 - n / tau)

    Args:
        tau: steps to the peak, positive.
        num_steps: length of the kernel.

    Returns:
        eps, [num_steps].

    Raises:
        TypeError: tau not a number.
        ValueError: tau not positive, num_steps not a whole number of at least 1.

    Source: Rall (1967), doi:10.1152/jn.1967.30.5.1138.

    >>> [round(value, 3) for value in alpha_kernel(2.0, 4).tolist()]
    [0.0, 0.824, 1.0, 0.91]
    """
    check_numbers("alpha_kernel", above=0, tau=tau)
    check_whole("alpha_kernel", high=MOST_TAPS, num_steps=num_steps)
    age = torch.arange(int(num_steps), dtype=torch.float64) / float(tau)
    return (age * torch.exp(1 - age)).to(torch.get_default_dtype())


def convolve(x, kernel):
    """Convolve a sequence with a kernel that looks only back in time: any shape of response, at the price of the history.

    y[t] = sum over n of kernel[n] * x[t-n]

    Args:
        x: input, [T, B, ...].
        kernel: response to one spike, [K]; kernel[0] acts at once.

    Returns:
        y, [T, B, ...].

    Raises:
        TypeError: x or kernel not a floating-point tensor of the same dtype.
        ValueError: x not [T, B, ...], kernel not [K], NaN in one of them.

    Source: the spike response model, Gerstner (1995), doi:10.1103/PhysRevE.51.738.

    >>> convolve(torch.tensor([1.0, 0.0, 1.0]).view(3, 1, 1), torch.tensor([0.5, 2.0])).flatten().tolist()
    [0.5, 2.0, 0.5]
    """
    check_signal("convolve", "x", x, layout="[T, B, N] (time first)", min_dims=3, hint=" Add axes with x[:, None, None].")
    check_signal("convolve", "kernel", kernel, layout="[K]", dims=1)
    check_dtype("convolve", "kernel", kernel, "x", x)
    check_finite("convolve", "x", x)
    check_finite("convolve", "kernel", kernel)
    rows = x.flatten(1).T[:, None]                                                 # [B N, 1, T]
    padded = torch.nn.functional.pad(rows, (len(kernel) - 1, 0))
    return torch.nn.functional.conv1d(padded, kernel.flip(0)[None, None])[:, 0].T.reshape(x.shape)


class SpikingLSTM(nn.Module):
    """A layer of long short-term memory whose output is made of spikes; its memory is the cell, which no spike resets.

    i, f, o = sigmoid(W x[t] + V mem[t-1] + b), three parts;    g = tanh(the fourth)
    cell[t] = f * cell[t-1] + i * g,    mem[t] = o * tanh(cell[t]),    spk[t] = 1 if mem[t] > threshold else 0

    Args:
        num_inputs, num_hidden: I and N.
        threshold: firing threshold, between 0 and 1, as mem lies between -1 and 1.
        forget_bias: start of the bias of f; 2 keeps 88 % of the cell a step.
        surrogate: derivative of the step function, from `snnteach.surrogate`.

    Returns:
        A module; `forward(x, state=None)` takes [T, B, I] and returns (spk [T, B, N], mem [T, B, N], cell [B, N] of the last
        step). Continue a run with state=(mem[-1], cell). `lstm` holds the weights, an nn.LSTM.

    Raises:
        TypeError: surrogate not a derivative (atan for atan()), threshold or forget_bias not a number.
        ValueError: num_inputs or num_hidden not a whole number of at least 1, threshold outside (0, 1).

    Source: Hochreiter and Schmidhuber (1997), doi:10.1162/neco.1997.9.8.1735; Eshraghian et al. (2023), box on neuron models.

    >>> layer = SpikingLSTM(5, 7)
    >>> spk, mem, cell = layer(torch.rand(10, 2, 5))
    >>> spk.shape, cell.shape
    (torch.Size([10, 2, 7]), torch.Size([2, 7]))
    """

    def __init__(self, num_inputs, num_hidden, threshold=0.1, *, forget_bias=2.0, surrogate=atan()):
        super().__init__()
        check_whole("SpikingLSTM", high=2**20, num_inputs=num_inputs, num_hidden=num_hidden)
        check_numbers("SpikingLSTM", above=0, high=1, threshold=threshold)
        check_numbers("SpikingLSTM", forget_bias=forget_bias)
        check_surrogate("SpikingLSTM", surrogate)
        self.lstm = nn.LSTM(int(num_inputs), int(num_hidden))
        with torch.no_grad():
            self.lstm.bias_ih_l0[num_hidden:2 * num_hidden] = forget_bias           # PyTorch's order: i, f, g, o
            self.lstm.bias_hh_l0[num_hidden:2 * num_hidden] = 0
        self.threshold, self.surrogate = float(threshold), surrogate

    def forward(self, x, state=None):
        """Run the layer over x [T, B, I] and return (spk, mem, cell)."""
        check_signal("SpikingLSTM", "x", x, layout="[T, B, I] (time first)", dims=3, hint=" For batch-first data use "
                     "x.transpose(0, 1).")
        check_that("SpikingLSTM", x.shape[2] == self.lstm.input_size, f"x must have {self.lstm.input_size} inputs, got shape "
                   f"{tuple(x.shape)}.")
        check_dtype("SpikingLSTM", "x", x, "the weights", self.lstm.weight_ih_l0)
        check_finite("SpikingLSTM", "x", x)
        if state is not None:
            check_pair("SpikingLSTM", "state", state, "(mem, cell)", " Continue a run with state=(mem[-1], cell).")
            for name, value in zip(("mem", "cell"), state):
                check_shape("SpikingLSTM", name, value, (x.shape[1], self.lstm.hidden_size), "as the layer has neurons")
                check_dtype("SpikingLSTM", name, value, "x", x)
        start = None if state is None else tuple(part[None] for part in state)
        mem, (_, cell) = self.lstm(x, start)
        return spike(mem - self.threshold, self.surrogate), mem, cell[0]
