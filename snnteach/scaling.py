"""One training on many workers: shares of a batch, their gradients averaged, and what a step costs in work and in messages."""
from typing import NamedTuple

import torch
from torch import distributed, nn

from ._arguments import (
    check_affordable,
    check_dtype,
    check_finite,
    check_flags,
    check_fraction,
    check_loss,
    check_net,
    check_not_negative,
    check_numbers,
    check_records,
    check_scalar,
    check_shape,
    check_signal,
    check_tensor,
    check_that,
    check_whole,
)

MOST_WORKERS = 10**6


def _check_share_sizes(owner, sizes, samples=None):
    check_that(owner, isinstance(sizes, (tuple, list)) and len(sizes) > 0,
               f"sizes must be a tuple of whole numbers of samples, one a worker, such as (32, 32), got {sizes!r}.", TypeError)
    for place, size in enumerate(sizes):
        check_whole(owner, high=2**31, **{f"sizes[{place}]": size})
    check_that(owner, samples in (None, sum(sizes)), f"sizes must add up to the {samples} samples of x [T, B, ...], got "
               f"{tuple(sizes)}.")


def _check_learner(owner, net):
    check_net(owner, net)
    check_that(owner, any(parameter.requires_grad for parameter in net.parameters()), "net has no parameter that learns.")


def _learning(net):
    return [parameter for parameter in net.parameters() if parameter.requires_grad]


def share_gradients(net, x, target, loss, sizes):
    """Give each of N workers its share of a batch, and return what each of them would compute.

    g_k = d loss(samples of worker k) / dw

    Args:
        net: a network that returns a list of `Record`; every worker has a copy with the same weights.
        x: input, [T, B, ...].
        target: class numbers or quantities, [B, ...].
        loss: function of (records, target) that returns a scalar tensor, a mean over its samples.
        sizes: samples of each worker, such as (32, 32); together B.

    Returns:
        (losses [N], gradients [N, P]), P numbers of all parameters that learn, one after the other. Weights are not changed.

    Raises:
        TypeError: an argument of a wrong kind, a network that returns no list of `Record`.
        ValueError: sizes that do not add up to B, samples of x and target that differ, a network without parameters that learn.

    Source: Li et al. (2020), arXiv:2006.15704 (data parallel training in PyTorch).

    >>> from snnteach.losses import ce_membrane_loss
    >>> from snnteach.networks import SpikingMLP
    >>> _ = torch.manual_seed(0)
    >>> net, x, target = SpikingMLP((6, 8, 2), readout="membrane").double(), torch.rand(5, 4, 6).double(), torch.arange(4) % 2
    >>> def loss(records, target): return ce_membrane_loss(records[-1].mem, target)
    >>> whole, parts = (share_gradients(net, x, target, loss, sizes)[1] for sizes in ((4,), (2, 2)))
    >>> whole.shape, torch.allclose(parts.mean(0), whole[0])
    (torch.Size([1, 74]), True)
    """
    _check_learner("share_gradients", net)
    check_tensor("share_gradients", "x", x, "[T, B, ...] (time first)")
    check_that("share_gradients", x.dim() > 1, f"x must be [T, B, ...] (time first), got shape {tuple(x.shape)}.")
    check_tensor("share_gradients", "target", target, "[B, ...]")
    check_that("share_gradients", target.dim() > 0 and len(target) == x.shape[1], "target must hold the "
               f"{x.shape[1]} samples of x [T, B, ...], got shape {tuple(target.shape)}.")
    check_that("share_gradients", target.dtype == torch.int64 or target.is_floating_point(), "target must be int64 class "
               f"numbers or floating-point quantities, got {target.dtype}. Convert with target.long().", TypeError)
    check_loss("share_gradients", loss)
    _check_share_sizes("share_gradients", sizes, x.shape[1])
    losses, gradients = [], []
    for part, wanted in zip(x.split(list(sizes), 1), target.split(list(sizes)), strict=True):
        records = net(part)
        check_records("share_gradients", records, part.shape[1])
        value = loss(records, wanted)
        check_scalar("share_gradients", "loss", value)
        check_that("share_gradients", value.requires_grad, "the loss depends on no weight that learns.")
        found = torch.autograd.grad(value, _learning(net), materialize_grads=True, allow_unused=True)
        losses.append(value.detach())
        gradients.append(torch.cat([gradient.flatten() for gradient in found]))
    return torch.stack(losses), torch.stack(gradients)


def averaged(gradients, sizes=None):
    """Average what workers found, each with the weight of its samples.

    g = sum_k B_k g_k / sum_k B_k;    without sizes, all shares equal:  g = mean of g_k

    Args:
        gradients: of each worker's mean loss, [N, P].
        sizes: samples of each worker B_k, or None where all have as many.

    Returns:
        The gradient of the mean loss over all samples, [P].

    Raises:
        TypeError: gradients not a floating-point tensor, sizes not a tuple.
        ValueError: gradients not [N, P], sizes not N whole numbers from 1, NaN.

    Source: the mean of means, weighted; Goyal et al. (2017), arXiv:1706.02677, section 2.3, on unequal shares.

    >>> averaged(torch.tensor([[1.0], [4.0]])).item(), averaged(torch.tensor([[1.0], [4.0]]), (2, 1)).item()
    (2.5, 2.0)
    """
    check_signal("averaged", "gradients", gradients, layout="[N, P], a row a worker", dims=2)
    check_finite("averaged", "gradients", gradients, "Look for it in the workers' input and weights.")
    if sizes is not None:
        _check_share_sizes("averaged", sizes)
        check_that("averaged", len(sizes) == len(gradients), f"sizes must be {len(gradients)} numbers, one a row of gradients, "
                   f"got {len(sizes)}.")
    if sizes is None:
        return gradients.mean(0)
    weight = torch.tensor([float(size) for size in sizes], dtype=gradients.dtype)
    return weight / weight.sum() @ gradients


def ring_all_reduce(vectors):
    """Add up the vectors of N workers that stand in a ring, each speaking to its right neighbour only.

    N - 1 rounds in which a running sum of each piece goes once round, N - 1 in which the finished pieces do:
    every worker sends 2 (N - 1) / N of its numbers, however many workers there are.

    Args:
        vectors: one vector [P] of each worker, a list or tuple of tensors of equal shapes.

    Returns:
        (sums, sent): a list of N vectors [P], all the same sum to rounding, and how many numbers each worker sent, N whole
        numbers.

    Raises:
        TypeError: vectors not a list of floating-point tensors of one type.
        ValueError: vectors of different shapes, NaN.

    Source: Patarasuk and Yuan (2009), doi:10.1016/j.jpdc.2008.09.002.

    >>> sums, sent = ring_all_reduce([torch.ones(6), 2 * torch.ones(6), 3 * torch.ones(6)])
    >>> sums[0].tolist(), sent
    ([6.0, 6.0, 6.0, 6.0, 6.0, 6.0], [8, 8, 8])
    """
    check_that("ring_all_reduce", isinstance(vectors, (tuple, list)) and 0 < len(vectors) <= 4096,
               "vectors must be a list of 1 to 4096 tensors [P], one a worker.", TypeError)
    for place, vector in enumerate(vectors):
        check_signal("ring_all_reduce", f"vectors[{place}]", vector, layout="[P]", dims=1)
        check_shape("ring_all_reduce", f"vectors[{place}]", vector, vectors[0].shape, "like the first worker's")
        check_dtype("ring_all_reduce", f"vectors[{place}]", vector, "vectors[0]", vectors[0])
        check_finite("ring_all_reduce", f"vectors[{place}]", vector, "Look for it in this worker's gradients.")
    workers = len(vectors)
    pieces = [list(vector.clone().tensor_split(workers)) for vector in vectors]       # [worker][piece]
    sent = [0] * workers
    for turn in range(2 * (workers - 1)):
        adds = turn < workers - 1
        moving = [(worker, (worker - turn) % workers) for worker in range(workers)]
        for worker, piece, numbers in [(worker, piece, pieces[worker][piece]) for worker, piece in moving]:
            right = (worker + 1) % workers
            pieces[right][piece] = pieces[right][piece] + numbers if adds else numbers
            sent[worker] += len(numbers)
    return [torch.cat(own) for own in pieces], sent


def average_gradients(net):
    """Replace each gradient by its mean over all workers of the process group: one message for all parameters.

    w.grad <- (1 / N) sum over workers of w.grad

    Call it between `backward()` and the optimiser's step. Without a process group there is one worker, and nothing happens.
    Gradients that are None count as zero, and every worker must have the same parameters.

    Args:
        net: a network after `backward()`.

    Returns:
        How many numbers went into the message, P.

    Raises:
        TypeError: net not a torch.nn.Module.
        ValueError: a network without parameters that learn.

    Source: Li et al. (2020), arXiv:2006.15704; one bucket in the place of several.

    >>> net = nn.Linear(3, 2)
    >>> net(torch.ones(1, 3)).sum().backward()
    >>> average_gradients(net), net.weight.grad.sum().item()
    (8, 6.0)
    """
    _check_learner("average_gradients", net)
    parameters = _learning(net)
    flat = torch.cat([(torch.zeros_like(parameter) if parameter.grad is None else parameter.grad).flatten()
                      for parameter in parameters])
    if distributed.is_initialized():
        distributed.all_reduce(flat)
        flat /= distributed.get_world_size()
    for parameter, part in zip(parameters, flat.split([parameter.numel() for parameter in parameters]), strict=True):
        parameter.grad = part.view_as(parameter)
    return len(flat)


def train_shared(net, optimiser, batches, loss):
    """Train on this worker's share of every batch, with gradients averaged over all workers of the process group.

    Each worker runs this with the same net and the same batches. Without a process group it is ordinary training.

    Args:
        net: a network that returns a list of `Record`, with the same weights on every worker.
        optimiser: a `torch.optim` optimiser of the network's parameters.
        batches: a list of pairs (x [T, B, ...], target [B, ...]), the whole batch of each step; B a multiple of the workers.
        loss: function of (records, target) that returns a scalar tensor, a mean over its samples.

    Returns:
        The loss of each step before it, over the whole batch, a list of floats: the same on every worker.

    Raises:
        TypeError: an argument of a wrong kind.
        ValueError: a batch that cannot be shared evenly.

    Source: Li et al. (2020), arXiv:2006.15704 (data parallel training in PyTorch).

    >>> from snnteach.losses import ce_membrane_loss
    >>> from snnteach.networks import SpikingMLP
    >>> _ = torch.manual_seed(0)
    >>> net, batch = SpikingMLP((6, 8, 2), readout="membrane"), (torch.rand(5, 4, 6), torch.arange(4) % 2)
    >>> def loss(records, target): return ce_membrane_loss(records[-1].mem, target)
    >>> losses = train_shared(net, torch.optim.SGD(net.parameters(), lr=1e-3), [batch, batch], loss)
    >>> losses[1] < losses[0]
    True
    """
    _check_learner("train_shared", net)
    check_that("train_shared", isinstance(optimiser, torch.optim.Optimizer), "optimiser must be a torch.optim optimiser, got "
               f"{type(optimiser).__name__}.", TypeError)
    check_loss("train_shared", loss)
    _check_batches("train_shared", batches)
    grouped, losses = distributed.is_initialized(), []
    rank, workers = (distributed.get_rank(), distributed.get_world_size()) if grouped else (0, 1)
    for x, target in batches:
        records = net(x.chunk(workers, 1)[rank])                                      # [T, B / N, ...]
        value = loss(records, target.chunk(workers)[rank])
        check_scalar("train_shared", "loss", value)
        check_that("train_shared", value.requires_grad, "the loss depends on no weight that learns.")
        optimiser.zero_grad()
        value.backward()
        average_gradients(net)                                                        # the one message of a step
        optimiser.step()
        total = value.detach().clone()
        if grouped:
            distributed.all_reduce(total)
        losses.append(total.item() / workers)
    return losses


def _check_batches(owner, batches):
    check_that(owner, isinstance(batches, (tuple, list)) and all(isinstance(pair, (tuple, list)) and len(pair) == 2
                                                                 for pair in batches),
               "batches must be a list of pairs (x [T, B, ...], target [B, ...]).", TypeError)
    for x, target in batches:
        check_tensor(owner, "x in batches", x, "[T, B, ...] (time first)")
        check_tensor(owner, "target in batches", target, "[B, ...]")
        check_that(owner, x.dim() > 1 and target.dim() > 0 and len(target) == x.shape[1], "batches must hold as many targets "
                   f"as samples in x [T, B, ...], got shapes {tuple(x.shape)} and {tuple(target.shape)}.")
        check_that(owner, target.dtype == torch.int64 or target.is_floating_point(), "target in batches must be int64 or "
                   f"floating point, got {target.dtype}.", TypeError)
        check_that(owner, not distributed.is_initialized() or x.shape[1] % distributed.get_world_size() == 0,
                   f"batches of {x.shape[1]} samples cannot be shared evenly: their mean of means would be another mean.")


class _SumOverWorkers(torch.autograd.Function):
    """Sum over the process group; each worker's input is part of every worker's sum, and so hears from all of them."""

    @staticmethod
    def forward(ctx, x):
        total = x.clone()
        if distributed.is_initialized():
            distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx, grad):
        return _SumOverWorkers.apply(grad)


def pooled_moments(counts, means, variances):
    """Join the means and variances of the shares of a set to those of the whole set.

    mean = sum_k n_k m_k / n,    variance = sum_k n_k (v_k + (m_k - mean)^2) / n,    n = sum_k n_k

    Args:
        counts: numbers in each share n_k, [N].
        means: of each share m_k, [N, C].
        variances: of each share v_k (divided by n_k), [N, C].

    Returns:
        (mean, variance) of all, [C] each.

    Raises:
        TypeError: an argument not a floating-point tensor, types that differ.
        ValueError: shapes that do not fit, counts not positive, negative variances, NaN.

    Source: Chan, Golub and LeVeque (1983), doi:10.1080/00031305.1983.10483115.

    >>> x = torch.randn(10, 3, generator=torch.Generator().manual_seed(0)).double()
    >>> parts = x.split([4, 6])
    >>> mean, variance = pooled_moments(torch.tensor([4.0, 6.0]).double(), torch.stack([part.mean(0) for part in parts]),
    ...                                 torch.stack([part.var(0, correction=0) for part in parts]))
    >>> torch.allclose(mean, x.mean(0)), torch.allclose(variance, x.var(0, correction=0))
    (True, True)
    """
    check_signal("pooled_moments", "counts", counts, layout="[N]", dims=1)
    check_signal("pooled_moments", "means", means, layout="[N, C]", dims=2)
    check_shape("pooled_moments", "means", means, (len(counts), means.shape[1]), "for the shares in counts")
    check_shape("pooled_moments", "variances", variances, means.shape, "like means")
    for name, value in (("counts", counts), ("means", means), ("variances", variances)):
        check_dtype("pooled_moments", name, value, "means", means)
        check_finite("pooled_moments", name, value, "Leave empty shares out.")
    check_that("pooled_moments", bool((counts > 0).all()), "counts must be positive: leave empty shares out.")
    check_not_negative("pooled_moments", variances=variances)
    weight = (counts / counts.sum())[:, None]                                         # [N, 1]
    mean = (weight * means).sum(0)
    return mean, (weight * (variances + (means - mean).square())).sum(0)


class SharedNorm(nn.Module):
    """Batch norm over time whose mean and variance are those of all workers together.

    y = weight * (x - mean) / sqrt(variance + 1e-5) + bias,    mean and variance over T, B and all workers while it trains

    Without a process group it is `NormOverTime(channels)`. 2 C + 1 numbers go round once a layer, not once a time step.

    Args:
        channels: number of neurons N of [T, B, N].

    Returns:
        A module; `forward(x)` takes [T, B, N] and returns the same shape. After eval() running means are used.

    Raises:
        TypeError: x not a floating-point tensor of the weights' type.
        ValueError: channels not a whole number from 1, x not [T, B, N], fewer than two numbers a channel to train on, NaN.

    Source: Ioffe and Szegedy (2015), arXiv:1502.03167; PyTorch's SyncBatchNorm is the same for accelerators.

    >>> y = SharedNorm(12)(3 + 2 * torch.randn(8, 4, 12))
    >>> y.mean().abs().item() < 1e-3, round(y.std(correction=0).item(), 2)
    (True, 1.0)
    """

    def __init__(self, channels):
        super().__init__()
        check_whole("SharedNorm", channels=channels)
        check_affordable("SharedNorm", "channels", channels)
        self.weight, self.bias = nn.Parameter(torch.ones(int(channels))), nn.Parameter(torch.zeros(int(channels)))
        self.register_buffer("running_mean", torch.zeros(int(channels)))
        self.register_buffer("running_var", torch.ones(int(channels)))

    def forward(self, x):
        """Run over x [T, B, N]."""
        check_signal("SharedNorm", "x", x, layout="[T, B, N] (time first)", dims=3)
        check_shape("SharedNorm", "x", x, (*x.shape[:2], len(self.weight)), "[T, B, N] (time first)")
        check_dtype("SharedNorm", "x", x, "the weights", self.weight)
        check_finite("SharedNorm", "x", x)
        mean, variance = self._moments(x) if self.training else (self.running_mean, self.running_var)
        return self.weight * (x - mean) / (variance + 1e-5).sqrt() + self.bias

    def _moments(self, x):
        rows = x.flatten(0, 1)                                                        # [T * B, N]
        own = torch.cat([rows.sum(0), rows.square().sum(0), rows.new_full((1,), len(rows))])
        total = _SumOverWorkers.apply(own)
        count = total[-1].item()
        check_that("SharedNorm", count > 1, "one number a channel has no variance: train on more samples, or call eval().")
        mean, square = (total[:-1] / count).chunk(2)
        variance = (square - mean.square()).clamp(min=0)
        with torch.no_grad():
            self.running_mean.lerp_(mean.detach(), 0.1)
            self.running_var.lerp_(variance.detach() * count / (count - 1), 0.1)
        return mean, variance


def sample_noise(samples, shape, seed):
    """Draw random numbers that belong to the samples, whoever draws them: as many workers as you like draw the same.

    noise of sample n = rand(shape) of a generator whose seed is mixed out of both numbers

    Args:
        samples: numbers of the samples, [B], int64, from 0 to 2^32 - 1.
        shape: of each sample's noise, a tuple, such as (T, N).
        seed: of this step of the training, a whole number from 0 to 2^31 - 1; another one at each step. (Both are mixed into
            32 bits, and no more: PyTorch's generator on the CPU looks at no others.)

    Returns:
        Noise from 0 to 1, [T, B, N] for the shape (T, N): the samples stand in axis 1, as in the input of a network.

    Raises:
        TypeError: samples not int64, shape not a tuple.
        ValueError: samples not [B] or out of range, a shape with no or no positive sizes, seed out of range.

    Source: one stream of random numbers a sample; Steele, Lea and Flood (2014), doi:10.1145/2660193.2660195, for the mixing.

    >>> whole = sample_noise(torch.arange(6), (3, 2), seed=1)
    >>> whole.shape, torch.equal(sample_noise(torch.arange(4, 6), (3, 2), seed=1), whole[:, 4:])
    (torch.Size([3, 6, 2]), True)
    """
    check_tensor("sample_noise", "samples", samples, "[B] of sample numbers", dims=1)
    check_that("sample_noise", samples.dtype == torch.int64, f"samples must be int64, got {samples.dtype}. Convert with "
               "samples.long().", TypeError)
    check_that("sample_noise", len(samples) > 0 and 0 <= int(samples.min()) and int(samples.max()) < 2**32,
               "samples must be numbers from 0 to 2^32 - 1, and at least one.")
    check_that("sample_noise", isinstance(shape, (tuple, list)) and len(shape) > 0, "shape must be a tuple, such as (T, N), "
               f"got {shape!r}.", TypeError)
    for place, size in enumerate(shape):
        check_whole("sample_noise", **{f"shape[{place}]": size})
    check_affordable("sample_noise", "shape", len(samples), *shape)
    check_whole("sample_noise", low=0, high=2**31 - 1, seed=seed)
    generator = torch.Generator()
    return torch.stack([torch.rand(*shape, generator=generator.manual_seed(_mixed(int(seed) * 2**32 + number)))
                        for number in samples.tolist()], 1)


def _mixed(number):
    """32 bits of which each hangs on all 64 of a number."""
    number = (number + 0x9E3779B97F4A7C15) % 2**64
    number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    number = (number ^ (number >> 27)) * 0x94D049BB133111EB % 2**64
    return (number ^ (number >> 31)) % 2**32


class StepTime(NamedTuple):
    """What one training step takes, in seconds: computing, and exchanging gradients.

    Source: the usual model of a message, latency and size over bandwidth; Patarasuk and Yuan (2009),
    doi:10.1016/j.jpdc.2008.09.002.

    >>> sum(StepTime(0.5, 0.25))
    0.75
    """

    computing: float
    exchanging: float


def step_work(sizes, num_steps, batch, constant=False):
    """Count the multiplications of one training step of fully connected layers: forward, weights' and inputs' gradients.

    T B (2 P_1 + 3 P_2 + 3 P_3 + ...),    P_l = n_(l-1) n_l;    the first layer sends no gradient to the input, and input that
    does not change is multiplied by P_1 once, not T times

    Args:
        sizes: neurons of each layer, such as (784, 100, 10).
        num_steps: steps T; 1 for an ordinary network.
        batch: samples B of this worker.
        constant: whether the input stays the same over time.

    Returns:
        Multiply-adds, a whole number.

    Raises:
        TypeError: sizes not a tuple, constant not True or False.
        ValueError: fewer than two sizes, sizes, num_steps or batch not whole numbers from 1.

    Source: counted; Eshraghian et al. (2023), section IV, for the unrolled network.

    >>> step_work((784, 100, 10), 1, 1), step_work((784, 100, 10), 10, 1), step_work((784, 100, 10), 10, 1, constant=True)
    (159800, 1598000, 186800)
    """
    check_that("step_work", isinstance(sizes, (tuple, list)), "sizes must be a tuple, such as (784, 100, 10).", TypeError)
    check_that("step_work", len(sizes) > 1, f"sizes must be two or more whole numbers, got {len(sizes)}.")
    for place, size in enumerate(sizes):
        check_whole("step_work", high=10**9, **{f"sizes[{place}]": size})
    check_whole("step_work", high=10**9, num_steps=num_steps, batch=batch)
    check_flags("step_work", constant=constant)
    first, *later = [int(a) * int(b) for a, b in zip(sizes, sizes[1:], strict=False)]
    return int(batch) * (2 * first * (1 if constant else int(num_steps)) + 3 * sum(later) * int(num_steps))


def step_time(work, numbers, workers, *, speed, bandwidth, latency=0.0):
    """Predict what a step of data parallel training takes, with the gradients exchanged in a ring.

    computing = work / (N speed),    exchanging = 2 (N - 1) / N * 4 numbers / bandwidth + 2 (N - 1) latency

    Args:
        work: multiply-adds of the whole batch, such as `step_work` counts.
        numbers: parameters P, four bytes each.
        workers: N.
        speed: multiply-adds a second of one worker.
        bandwidth: bytes a second that a worker can send.
        latency: seconds that a message takes however short it is.

    Returns:
        StepTime(computing, exchanging), in seconds.

    Raises:
        TypeError, ValueError: an argument not a number, workers not a whole number from 1, speed or bandwidth not positive.

    Source: Patarasuk and Yuan (2009), doi:10.1016/j.jpdc.2008.09.002, for the ring.

    >>> step_time(1e9, 1_000_000, 4, speed=1e9, bandwidth=1e7)
    StepTime(computing=0.25, exchanging=0.6)
    """
    check_numbers("step_time", low=0, high=1e30, work=work, numbers=numbers)
    check_whole("step_time", high=MOST_WORKERS, workers=workers)
    check_numbers("step_time", low=1e-9, high=1e30, speed=speed, bandwidth=bandwidth)
    check_numbers("step_time", low=0, high=1e9, latency=latency)
    others = int(workers) - 1
    return StepTime(float(work) / (int(workers) * float(speed)),
                    2 * others / int(workers) * 4 * float(numbers) / float(bandwidth) + 2 * others * float(latency))


def amdahl(workers, serial):
    """How many times faster N workers are where a part of the work cannot be shared.

    speed-up = 1 / (serial + (1 - serial) / N),    never above 1 / serial

    Args:
        workers: N.
        serial: part of one worker's time that cannot be shared, 0 to 1.

    Returns:
        The speed-up, a float.

    Raises:
        TypeError, ValueError: workers not a whole number from 1, serial not between 0 and 1.

    Source: Amdahl (1967), doi:10.1145/1465482.1465560.

    >>> amdahl(4, 0.0), amdahl(4, 0.5), round(amdahl(1000, 0.1), 1)
    (4.0, 1.6, 9.9)
    """
    check_whole("amdahl", high=MOST_WORKERS, workers=workers)
    check_fraction("amdahl", serial=serial)
    return 1 / (float(serial) + (1 - float(serial)) / int(workers))
