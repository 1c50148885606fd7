"""Delays that are learned: each synapse reads its input through a Gaussian over the past, which narrows to one step."""
import torch
from torch import nn
from torch.nn.functional import conv1d, pad

from ._arguments import (
    check_affordable,
    check_dtype,
    check_finite,
    check_flags,
    check_generator,
    check_numbers,
    check_shape,
    check_signal,
    check_tensor,
    check_that,
    check_whole,
)

ORDERS = ((0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2), (2, 0, 3, 1))      # who fires first, second, ... in each class


def meeting_delays(steps, meet):
    """Give the delays with which spikes of different times arrive together.

    d_i = meet - t_i

    Args:
        steps: time step t_i of each spike, int64, [C].
        meet: step at which all of them are to arrive, a whole number, no earlier than the last spike.

    Returns:
        Delays in steps, int64, [C].

    Raises:
        TypeError: steps not an int64 tensor.
        ValueError: steps not [C] or negative, meet not a whole number or before a spike.

    Source: a spike of step t with delay d acts in step t + d.

    >>> meeting_delays(torch.tensor([3, 11, 20]), meet=28)
    tensor([25, 17,  8])
    """
    _check_whole_steps("meeting_delays", "steps", steps, "[C]", 1)
    check_whole("meeting_delays", low=0, high=2**53, meet=meet)
    check_that("meeting_delays", int(steps.max()) <= meet,
               f"meet must not lie before the last spike, step {int(steps.max())}, got {meet}: no delay is negative.")
    return int(meet) - steps


def _check_whole_steps(owner, name, value, layout, dims):
    check_tensor(owner, name, value, layout, dims=dims)
    check_that(owner, value.dtype == torch.int64,
               f"{name} must be int64 whole steps, got {value.dtype}. Convert with {name}.round().long().", TypeError)
    check_that(owner, value.numel() > 0, f"{name} must be {layout} and not empty, got shape {tuple(value.shape)}.")
    check_that(owner, int(value.min()) >= 0, f"{name} must not be negative, got {int(value.min())}.")


def delay_kernel(delay, sigma, max_delay):
    """Say how much of each past step a synapse reads: a Gaussian around its delay, whose parts add up to 1.

    g[k] = exp(-(k - d)^2 / (2 sigma^2)) / sum_j exp(-(j - d)^2 / (2 sigma^2)),    k = 0 ... max_delay - 1

    Args:
        delay: delay d of each synapse in steps, any shape [...], not whole; beyond the last step read it stays at the edge.
        sigma: width of the Gaussian in steps, positive.
        max_delay: number of steps K that a synapse can look back, this one included.

    Returns:
        The shares g, [..., K].

    Raises:
        TypeError: delay not a floating-point tensor.
        ValueError: delay empty or not finite, sigma not positive, max_delay not a whole number of at least 1.

    Source: Hammouamri, Khalfaoui-Hassani and Masquelier (2024), arXiv:2306.17670, section 3.

    >>> delay_kernel(torch.tensor([2.0]), sigma=0.5, max_delay=5).round(decimals=2)
    tensor([[0.0000, 0.1100, 0.7900, 0.1100, 0.0000]])
    """
    check_signal("delay_kernel", "delay", delay, layout="[...]", min_dims=0)
    _check_reading("delay_kernel", sigma, max_delay, delay.numel())
    check_finite("delay_kernel", "delay", delay, "Lower the learning rate of the delays.")
    return _shares(delay, sigma, max_delay)


def _check_reading(owner, sigma, max_delay, synapses):
    check_numbers(owner, low=1e-3, high=1e6, sigma=sigma)
    check_whole(owner, high=10**6, max_delay=max_delay)
    check_affordable(owner, "max_delay", synapses, max_delay)


def _shares(delay, sigma, max_delay):
    k = torch.arange(int(max_delay), dtype=delay.dtype, device=delay.device)
    distance = k - delay[..., None]                                                           # [..., K]
    return torch.softmax(-(distance / float(sigma)) ** 2 / 2, -1)


def delayed_current(spk, weight, delay, sigma, max_delay):
    """Collect the input of neurons whose synapses read the past through Gaussians.

    current_i[t] = sum_j w_ij sum_k g_ij[k] spk_j[t - k],    g_ij as in `delay_kernel`

    The gradient of a delay is the difference between later and earlier input, d g[k] / d d = g[k] (k - mean k) / sigma^2.

    Args:
        spk: spikes or currents, [T, B, C].
        weight: strength of each synapse, [H, C].
        delay: its delay in steps, not whole, [H, C].
        sigma: width of all Gaussians in steps, positive.
        max_delay: number of steps K that a synapse can look back, this one included.

    Returns:
        Current, [T, B, H].

    Raises:
        TypeError: spk, weight or delay not floating-point tensors of one dtype.
        ValueError: shapes that do not fit, sigma not positive, max_delay not a whole number of at least 1, NaN or infinity.

    Source: Hammouamri, Khalfaoui-Hassani and Masquelier (2024), arXiv:2306.17670, section 3.

    >>> spk = torch.zeros(6, 1, 2)
    >>> spk[0, 0, 0] = spk[2, 0, 1] = 1                                           # two spikes, two steps apart
    >>> delayed_current(spk, torch.ones(1, 2), torch.tensor([[3.0, 1.0]]), 0.05, 5).flatten()
    tensor([0., 0., 0., 2., 0., 0.])
    """
    _check_synapses("delayed_current", spk, weight, delay)
    check_signal("delayed_current", "delay", delay, layout="[H, C]")
    check_dtype("delayed_current", "delay", delay, "spk", spk)
    _check_reading("delayed_current", sigma, max_delay, delay.numel())
    check_finite("delayed_current", "delay", delay, "Lower the learning rate of the delays.")
    current = _look_back(spk, weight[..., None] * _shares(delay, sigma, max_delay))
    check_finite("delayed_current", "the current", current, "Look for it in spk and weight.")
    return current


def _check_synapses(owner, spk, weight, delay):
    check_signal(owner, "spk", spk, layout="[T, B, C] (time first)", dims=3,
                 hint=" For batch-first data use spk.transpose(0, 1).")
    check_signal(owner, "weight", weight, layout="[H, C]", dims=2)
    check_shape(owner, "weight", weight, (len(weight), spk.shape[2]), f"to fit spk {tuple(spk.shape)}")
    check_dtype(owner, "weight", weight, "spk", spk)
    check_shape(owner, "delay", delay, weight.shape, "like weight")


def _look_back(spk, kernel):
    """Convolve spk [T, B, C] with a kernel [H, C, K] over its past."""
    past = pad(spk.permute(1, 2, 0), (kernel.shape[-1] - 1, 0))                               # [B, C, K - 1 + T]
    return conv1d(past, kernel.flip(-1)).permute(2, 0, 1)                                     # [T, B, H]


def deployed_current(spk, weight, delay):
    """Collect the input of neurons whose synapses each read one past step: what a chip does, with no Gaussian left.

    current_i[t] = sum_j w_ij spk_j[t - d_ij],    0 before the first step

    Args:
        spk: spikes or currents, [T, B, C].
        weight: strength of each synapse, [H, C].
        delay: its delay in whole steps, int64, [H, C].

    Returns:
        Current, [T, B, H].

    Raises:
        TypeError: spk or weight not floating-point tensors of one dtype, delay not int64.
        ValueError: shapes that do not fit, a delay negative, NaN or infinity.

    Source: a spike of step t with delay d acts in step t + d.

    >>> spk = torch.zeros(4, 1, 1)
    >>> spk[0] = 1
    >>> deployed_current(spk, torch.full((1, 1), 0.4), torch.tensor([[2]])).flatten()
    tensor([0.0000, 0.0000, 0.4000, 0.0000])
    """
    _check_whole_steps("deployed_current", "delay", delay, "[H, C]", 2)
    _check_synapses("deployed_current", spk, weight, delay)
    check_affordable("deployed_current", "spk", *spk.shape, len(weight))
    step = torch.arange(len(spk), device=spk.device)[:, None, None] - delay                   # [T, H, C]
    synapse = torch.arange(spk.shape[2], device=spk.device).expand_as(step)
    arrived = spk.permute(0, 2, 1)[step.clamp(min=0), synapse]                                # [T, H, C, B]
    current = torch.einsum("thcb,thc->tbh", arrived, weight * (step >= 0))
    check_finite("deployed_current", "the current", current, "Look for it in spk and weight.")
    return current


def narrowing(progress, start, end):
    """Say how wide the Gaussians are when a part of the training has gone by: they shrink by equal factors.

    sigma = start (end / start)^progress

    Args:
        progress: part of the training that has gone by, between 0 and 1.
        start, end: first and last width in steps, positive.

    Returns:
        The width, a float.

    Raises:
        TypeError: not numbers.
        ValueError: progress outside [0, 1], start or end not positive.

    Source: Hammouamri, Khalfaoui-Hassani and Masquelier (2024), arXiv:2306.17670: the width decreases in training.

    >>> [round(narrowing(part, start=10, end=0.1), 2) for part in (0, 0.5, 1)]
    [10.0, 1.0, 0.1]
    """
    check_numbers("narrowing", low=0, high=1, progress=progress)
    check_numbers("narrowing", low=1e-3, high=1e6, start=start, end=end)
    return float(start) * (float(end) / float(start)) ** float(progress)


class DelayedLinear(nn.Module):
    """A layer of synapses with a weight and a delay each; Gaussian while they learn, one whole step each once they are frozen.

    current_i[t] = sum_j w_ij sum_k g_ij[k] spk_j[t - k],    after freeze(): sum_j w_ij spk_j[t - d_ij]

    Args:
        inputs, outputs: numbers of neurons C and H.
        max_delay: number of steps K that a synapse can look back, this one included.
        sigma: width of the Gaussians to start with, in steps; set `layer.sigma` to narrow them.
        learn_delay: make the delays parameters; else they stay as they were drawn, and act in whole steps from the start.
        generator: random numbers of the first weights (0.4 +- 0.1) and delays (anywhere), or None.

    Returns:
        A module; `forward(spk)` takes [T, B, C] and returns the current [T, B, H]. `freeze()` rounds the delays, and from then
        on the weights alone learn.

    Raises:
        TypeError: generator not a torch.Generator, learn_delay neither True nor False.
        ValueError: a size or max_delay not a whole number of at least 1, sigma not positive.

    Source: Hammouamri, Khalfaoui-Hassani and Masquelier (2024), arXiv:2306.17670; freezing before the end is ours.

    >>> layer = DelayedLinear(4, 16, max_delay=32, sigma=4.0, generator=torch.Generator().manual_seed(0))
    >>> layer(torch.zeros(60, 8, 4)).shape, sum(part.numel() for part in layer.parameters())
    (torch.Size([60, 8, 16]), 128)
    """

    def __init__(self, inputs, outputs, max_delay, sigma=4.0, *, learn_delay=True, generator=None):
        super().__init__()
        check_whole("DelayedLinear", high=10**6, inputs=inputs, outputs=outputs)
        _check_reading("DelayedLinear", sigma, max_delay, inputs * outputs)
        check_flags("DelayedLinear", learn_delay=learn_delay)
        check_generator("DelayedLinear", generator)
        shape, self.max_delay, self.sigma = (int(outputs), int(inputs)), int(max_delay), float(sigma)
        self.weight = nn.Parameter(0.4 + 0.1 * torch.randn(shape, generator=generator))
        self.delay = nn.Parameter((self.max_delay - 1) * torch.rand(shape, generator=generator))
        self.register_buffer("frozen", torch.tensor(False))
        if not learn_delay:
            self.freeze()

    def freeze(self):
        """Round the delays to whole steps and take them out of the learning."""
        with torch.no_grad():
            self.delay.copy_(self.delay.clamp(0, self.max_delay - 1).round())
        self.delay.requires_grad_(False)
        self.frozen.fill_(True)

    def forward(self, spk):
        """Return the current [T, B, H] of spikes or currents [T, B, C]."""
        if not self.frozen:
            return delayed_current(spk, self.weight, self.delay, self.sigma, self.max_delay)
        return deployed_current(spk, self.weight, self.delay.long())


def spike_patterns(num_samples, distractors=2, *, lag=8, num_steps=60, jitter=0, generator=None):
    """Draw samples whose classes differ in nothing but the times of their spikes.

    Four channels fire `lag` steps apart, in an order that is the class, from a random step on; `distractors` more spikes of
    each channel lie anywhere. Every sample has the same number of spikes in each channel, whatever its class.

    Args:
        num_samples: number of samples B.
        distractors: further spikes a channel; 0 leaves the order alone.
        lag: steps between the spikes of the pattern.
        num_steps: number of steps T, enough for the pattern.
        jitter: each spike of the pattern is moved by up to so many steps, at most lag.
        generator: random numbers, or None.

    Returns:
        (spk, target): [T, B, 4] of 0. and 1., and the class of each sample, int64, [B].

    Raises:
        TypeError: generator not a torch.Generator.
        ValueError: a count that is not whole or too small, a pattern that does not fit into num_steps.

    Source: ours; coincidences of delayed spikes as in Izhikevich (2006), doi:10.1162/089976606775093882.

    >>> spk, target = spike_patterns(8, generator=torch.Generator().manual_seed(0))
    >>> spk.shape, spk.sum(0).unique()
    (torch.Size([60, 8, 4]), tensor([3.]))
    """
    check_whole("spike_patterns", high=10**6, num_samples=num_samples, lag=lag, num_steps=num_steps)
    check_whole("spike_patterns", low=0, high=10**6, distractors=distractors, jitter=jitter)
    check_generator("spike_patterns", generator)
    check_that("spike_patterns", jitter <= lag, f"jitter must be at most lag = {lag}, got {jitter}.")
    check_that("spike_patterns", num_steps >= 3 * lag + 2 * jitter + 1 and num_steps > distractors,
               f"num_steps must be at least 3 lag + 2 jitter + 1 = {3 * lag + 2 * jitter + 1} and more than distractors, "
               f"got {num_steps}.")
    check_affordable("spike_patterns", "num_samples", num_samples, num_steps, 4)
    target = torch.randint(4, (num_samples,), generator=generator)
    onset = jitter + torch.randint(num_steps - 3 * lag - 2 * jitter, (num_samples, 1), generator=generator)
    moved = torch.randint(-jitter, jitter + 1, (num_samples, 4), generator=generator)
    step = onset + lag * torch.tensor(ORDERS).argsort(1)[target] + moved                      # [B, 4]: when a channel fires
    priority = torch.rand(num_samples, 4, num_steps, generator=generator)
    priority.scatter_(2, step[..., None], 2.0)                                                # the pattern comes first
    chosen = priority.topk(int(distractors) + 1, dim=2).indices
    spk = torch.zeros(num_samples, 4, num_steps).scatter_(2, chosen, 1.0)
    return spk.permute(2, 0, 1).contiguous(), target
