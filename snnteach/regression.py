"""Numbers instead of classes: membranes as read-outs, their error and its floor, linear baselines, and leaks in parallel."""
import torch
from torch import nn

from ._arguments import (
    check_affordable,
    check_between,
    check_dtype,
    check_finite,
    check_flags,
    check_generator,
    check_number,
    check_numbers,
    check_option,
    check_shape,
    check_signal,
    check_surrogate,
    check_that,
    check_whole,
)
from .networks import Record
from .neurons import lif
from .surrogate import atan, spike


def _check_pairs(owner, prediction, target):
    check_signal(owner, "prediction", prediction, layout="[T, ...]")
    check_signal(owner, "target", target, layout="[T, ...]")
    check_shape(owner, "prediction", prediction, target.shape, "as target")
    check_dtype(owner, "prediction", prediction, "target", target)
    check_finite(owner, "prediction", prediction, "Look for it where it was computed.")
    check_finite(owner, "target", target, "Leave such steps out.")


def nrmse(prediction, target):
    """Measure an error in standard deviations of the target: 1 is what the target's mean reaches, 0 is perfect.

    nrmse = sqrt( mean (prediction - target)^2 / mean (target - mean target)^2 )

    Args:
        prediction, target: [T, ...], of one shape; means are taken over all entries.

    Returns:
        The error, a float.

    Raises:
        TypeError: not floating-point tensors of one dtype.
        ValueError: other shapes, NaN or infinity in them, a target that does not vary.

    Source: the root of the share of variance that is not explained.

    >>> nrmse(torch.tensor([0.0, 0.0]), torch.tensor([-1.0, 1.0]))
    1.0
    """
    _check_pairs("nrmse", prediction, target)
    spread = (target.double() - target.double().mean()).square().mean()
    check_that("nrmse", spread > 0, "target never changes: there is no standard deviation to measure in.")
    return ((prediction.double() - target.double()).square().mean() / spread).sqrt().item()


def spike_floor(target):
    """Give the least mean squared error of an output that can only say 0 or 1 at each step.

    floor = mean of min(y^2, (1 - y)^2)

    Args:
        target: y, [T, ...].

    Returns:
        The floor, a float; 1/12 for y uniform on [0, 1], which is its variance: no better than always saying 1/2.

    Raises:
        TypeError: target not a floating-point tensor.
        ValueError: an empty target, NaN or infinity in it.

    Source: each y is at best met by the nearer of 0 and 1.

    >>> round(spike_floor(torch.linspace(0, 1, 10001)), 4)
    0.0833
    """
    check_signal("spike_floor", "target", target, layout="[T, ...]")
    check_finite("spike_floor", "target", target, "Leave such steps out.")
    return torch.minimum(target.double().square(), (1 - target.double()).square()).mean().item()


def sums_of_sines(num_steps, samples, generator=None):
    """Draw signals that never repeat within the window: sums of four sines of random periods and phases.

    x[t] = sum over k of sin(2 pi t / period_k + phase_k) / sqrt(2),    periods log-uniform from 20 to 100 steps

    Args:
        num_steps: T.
        samples: B.
        generator: torch.Generator; torch's global one by default.

    Returns:
        Signals of variance 1, [T, B].

    Raises:
        TypeError: generator not a torch.Generator.
        ValueError: num_steps or samples not whole numbers of at least 1.

    Source: the trajectories of this course.

    >>> sums_of_sines(50, 3, torch.Generator().manual_seed(0)).shape
    torch.Size([50, 3])
    """
    check_whole("sums_of_sines", num_steps=num_steps, samples=samples)
    check_affordable("sums_of_sines", "num_steps", num_steps, samples, 4)
    check_generator("sums_of_sines", generator)
    period = 20 * 5 ** torch.rand(int(samples), 4, generator=generator)
    phase = 2 * torch.pi * torch.rand(int(samples), 4, generator=generator)
    time = torch.arange(int(num_steps))[:, None, None]
    return (2 * torch.pi * time / period + phase).sin().sum(-1) / 2**0.5


def lags(series, count):
    """Put the last values of a series side by side: what a linear model of its past sees.

    row[t] = (1, x[t], x[t-1], ..., x[t-count+1]),    for t from count - 1 on

    Args:
        series: x, [T].
        count: number of lags, from 1 to T.

    Returns:
        [T - count + 1, 1 + count].

    Raises:
        TypeError: series not a floating-point tensor.
        ValueError: series not [T], count not a whole number from 1 to T.

    Source: the design matrix of an autoregression.

    >>> lags(torch.tensor([1.0, 2.0, 3.0]), 2).tolist()
    [[1.0, 2.0, 1.0], [1.0, 3.0, 2.0]]
    """
    check_signal("lags", "series", series, layout="[T]", dims=1)
    check_whole("lags", high=len(series), count=count)
    check_affordable("lags", "count", len(series), count)
    check_finite("lags", "series", series, "Leave such steps out.")
    windows = series.unfold(0, int(count), 1).flip(1)
    return torch.cat([torch.ones_like(windows[:, :1]), windows], 1)


def fit_linear(rows, target):
    """Fit a linear model by least squares.

    weight = argmin over w of sum (rows w - target)^2

    Args:
        rows: [n, k]; a column of ones for a constant, as `lags` has it.
        target: [n] or [n, outputs].

    Returns:
        Weights, [k] or [k, outputs]; the model says rows @ weights.

    Raises:
        TypeError: rows or target not floating-point tensors of one dtype.
        ValueError: rows not [n, k] with n at least k, target of another length, NaN or infinity in them.

    Source: the normal equations, solved by a pseudo-inverse in float64.

    >>> fit_linear(lags(torch.arange(6.0), 1)[:-1], torch.arange(1.0, 6.0)).round(decimals=4).tolist()
    [1.0, 1.0]
    """
    check_signal("fit_linear", "rows", rows, layout="[n, k]", dims=2)
    check_signal("fit_linear", "target", target, layout="[n] or [n, outputs]")
    check_that("fit_linear", target.dim() < 3 and len(target) == len(rows), f"target must be [{len(rows)}] or [{len(rows)}, "
               f"outputs], got shape {tuple(target.shape)}.")
    check_that("fit_linear", len(rows) >= rows.shape[1], f"rows must be at least as many as their {rows.shape[1]} columns, got "
               f"{len(rows)}.")
    check_dtype("fit_linear", "target", target, "rows", rows)
    check_finite("fit_linear", "rows", rows, "Leave such rows out.")
    check_finite("fit_linear", "target", target, "Leave such rows out.")
    wide = rows.double()
    return (torch.linalg.pinv(wide) @ target.double()).to(rows.dtype)


def principal_code(train, inputs, size):
    """Squeeze data through the best linear bottleneck: their first principal components, and back.

    out = mean + (x - mean) V V',    V the first `size` right singular vectors of the centred training data

    Args:
        train: data to find the components in, [n, k].
        inputs: x, [m, k].
        size: number of components, from 1 to k.

    Returns:
        out, [m, k].

    Raises:
        TypeError: train or inputs not floating-point tensors of one dtype.
        ValueError: other shapes, size not a whole number from 1 to the smaller of n and k, NaN or infinity in them.

    Source: principal component analysis by a singular value decomposition.

    >>> train = torch.tensor([[1.0, 1.0], [-1.0, -1.0], [2.0, 2.0]])
    >>> principal_code(train, torch.tensor([[3.0, 3.0]]), 1).round(decimals=3).tolist()
    [[3.0, 3.0]]
    """
    for name, value in (("train", train), ("inputs", inputs)):
        check_signal("principal_code", name, value, layout="[n, k]", dims=2)
        check_finite("principal_code", name, value)
    check_shape("principal_code", "inputs", inputs, (len(inputs), train.shape[1]), "as train")
    check_dtype("principal_code", "inputs", inputs, "train", train)
    check_whole("principal_code", high=min(train.shape), size=size)
    mean = train.mean(0)
    code = torch.linalg.svd(train - mean, full_matrices=False).Vh[:int(size)]                    # [size, k]
    return mean + (inputs - mean) @ code.T @ code


def parallel_leak(x, beta, chunk=32):
    """Run neurons that are never reset without a loop over the steps: many at once, by one matrix, then a few carried over.

    mem[t] = beta mem[t-1] + x[t] = sum over s <= t of beta^(t-s) x[s]

    Within chunks of C steps the sum is a product with the C x C matrix beta^(t-s); a loop over the T / C chunks carries the
    last membrane of each into the next. The numbers of `lif(x, beta, reset="none")`, to rounding.

    Args:
        x: input current, [T, B, N].
        beta: membrane decay per step, one number between 0 and 1.
        chunk: C, steps in a chunk.

    Returns:
        Membranes, [T, B, N]; gradients flow to x.

    Raises:
        TypeError: x not a floating-point tensor, beta not a number.
        ValueError: x not [T, B, N], beta outside [0, 1], chunk not a whole number of at least 1, NaN or infinity in x.

    Source: after Fang et al. (2023), arXiv:2304.12760, who leave the reset out to compute all steps at once.

    >>> parallel_leak(torch.ones(4, 1, 1), 0.5).flatten().tolist()
    [1.0, 1.5, 1.75, 1.875]
    """
    check_signal("parallel_leak", "x", x, layout="[T, B, N] (time first)", dims=3)
    check_number("parallel_leak", "beta", beta)
    check_between("parallel_leak", "beta", beta, 0, 1)
    check_whole("parallel_leak", high=4096, chunk=chunk)
    check_finite("parallel_leak", "x", x)
    size, beta, total = min(int(chunk), len(x)), float(beta), len(x)
    blocks = torch.cat([x, x.new_zeros(-total % size, *x.shape[1:])]).unflatten(0, (-1, size))   # [T / C, C, B, N]
    step = torch.arange(size, device=x.device)
    gap = step[:, None] - step
    kernel = (torch.tensor(beta, dtype=torch.float64) ** gap.clamp(min=0)).tril().to(x)          # [C, C]: beta^(t-s)
    mem = (kernel @ blocks.flatten(2)).view_as(blocks)
    carried, before = torch.zeros_like(x[0]), []
    for last in mem[:, -1]:
        before.append(carried)
        carried = last + beta**size * carried
    fade = kernel[:, 0, None, None] * beta                                                       # beta^(1 ... C)
    return (mem + fade * torch.stack(before)[:, None]).flatten(0, 1)[:total]


class SpikingRegressor(nn.Module):
    """A layer of spiking neurons, each with its own decay, and outputs that integrate their spikes: signals in, signals out.

    spk = LIF(sqrt(1 - beta) (W x + b) + R spk[t-1]),    y[t] = d y[t-1] + (1 - d) (V spk[t] + c)

    Args:
        inputs, width, outputs: sizes.
        tau: shortest and longest time constant of the neurons in steps, spread evenly on a logarithmic scale; (0, 0) for no
            memory.
        readout_decay: d.
        recurrent: let the neurons hear each other, one step later.
        readout: "membrane" as above, or "spike": outputs that fire, whose answer at each step is 0 or 1.
        surrogate: derivative of the step function, from `snnteach.surrogate`.
        detach_reset: keep the reset out of the gradient.
        generator: torch.Generator of the weights; torch's global one by default.

    Returns:
        A module; `forward(x)` takes [T, B, inputs] and returns two `Record`: the neurons, and the outputs, whose mem (or, of
        "spike", spk) is the answer [T, B, outputs].

    Raises:
        TypeError: surrogate not a derivative (atan for atan()), a number not a number, generator not a torch.Generator.
        ValueError: sizes not whole numbers of at least 1, tau not two numbers of at least 0, readout_decay outside [0, 1],
            readout unknown.

    Source: Eshraghian et al. (2023), section III-C-2, regression of membranes; time constants as in notebook 11.

    >>> net = SpikingRegressor(1, 20, 1, generator=torch.Generator().manual_seed(0))
    >>> hidden, out = net(torch.randn(30, 4, 1))
    >>> hidden.spk.shape, out.mem.shape
    (torch.Size([30, 4, 20]), torch.Size([30, 4, 1]))
    """

    def __init__(self, inputs, width, outputs, *, tau=(1.0, 20.0), readout_decay=0.7, recurrent=False, readout="membrane",
                 surrogate=atan(), detach_reset=False, generator=None):
        super().__init__()
        check_whole("SpikingRegressor", high=2**14, inputs=inputs, width=width, outputs=outputs)
        check_that("SpikingRegressor", isinstance(tau, (tuple, list)) and len(tau) == 2, "tau must be a pair, the shortest "
                   "and the longest.", TypeError)
        check_numbers("SpikingRegressor", low=0, **{"tau[0]": tau[0], "tau[1]": tau[1]})
        check_between("SpikingRegressor", "readout_decay", readout_decay, 0, 1)
        check_option("SpikingRegressor", "readout", readout, ("membrane", "spike"))
        check_surrogate("SpikingRegressor", surrogate)
        check_flags("SpikingRegressor", recurrent=recurrent, detach_reset=detach_reset)
        check_generator("SpikingRegressor", generator)
        inputs, width, outputs = int(inputs), int(width), int(outputs)

        def draw(bound, *shape):
            return nn.Parameter(bound * (2 * torch.rand(*shape, generator=generator) - 1))

        self.weight, self.bias = draw(1.5 * (3 / inputs) ** 0.5, width, inputs), draw(0.9, width)
        self.recurrent = draw(0.5 * (3 / width) ** 0.5, width, width) if recurrent else None
        self.readout_weight, self.offset = draw((3 / width) ** 0.5, outputs, width), nn.Parameter(torch.zeros(outputs))
        spread = torch.linspace(0, 1, width)
        constants = tau[0] ** (1 - spread) * tau[1] ** spread if min(tau) > 0 else torch.zeros(width)
        self.register_buffer("beta", torch.exp(-1 / constants))
        self.readout, self.readout_decay = readout, float(readout_decay)
        self.surrogate, self.detach_reset = surrogate, bool(detach_reset)

    def forward(self, x):
        """Run over x [T, B, inputs]; return the records of the neurons and of the outputs."""
        check_signal("SpikingRegressor", "x", x, layout="[T, B, inputs] (time first)", dims=3)
        check_shape("SpikingRegressor", "x", x, (*x.shape[:2], self.weight.shape[1]), "to fit the network")
        check_dtype("SpikingRegressor", "x", x, "the network's weight", self.weight)
        current = (1 - self.beta).sqrt() * (x @ self.weight.T + self.bias)                       # [T, B, N]
        spk, mem = self._alone(current, self.beta) if self.recurrent is None else self._together(current)
        check_finite("SpikingRegressor", "the membrane", mem[-1])
        drive = spk @ self.readout_weight.T + self.offset                                        # [T, B, outputs]
        if self.readout == "spike":
            return [Record(spk, mem), Record(*self._alone(drive, self.readout_decay))]
        return [Record(spk, mem), Record(None, lif((1 - self.readout_decay) * drive, self.readout_decay, reset="none")[1])]

    def _alone(self, current, beta):
        return lif(current, beta, surrogate=self.surrogate, detach_reset=self.detach_reset)

    def _together(self, current):
        spk = mem = torch.zeros_like(current[0])
        steps = []
        for now in current:
            mem = self.beta * mem + now + spk @ self.recurrent.T - (spk.detach() if self.detach_reset else spk)
            spk = spike(mem - 1, self.surrogate)
            steps.append((spk, mem))
        return tuple(map(torch.stack, zip(*steps, strict=True)))
