"""Delays that are learned: closed forms, gradients against autograd, deployment, the task, and what is refused."""
import itertools

import pytest
import torch

from snnteach import delays
from snnteach.neurons import lif

FLOAT = torch.float64


def spikes(seed, *shape):
    return (torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) < 0.3).to(FLOAT)


def test_spikes_meet_at_the_delays_of_the_closed_form_and_at_no_others_near():
    steps = torch.tensor([3, 11, 20])
    exact = delays.meeting_delays(steps, 28)
    assert exact.tolist() == [25, 17, 8]
    spk = torch.zeros(40, 1, 3, dtype=FLOAT)
    spk[steps, 0, torch.arange(3)] = 1
    moves = torch.tensor(list(itertools.product((-1, 0, 1), repeat=3)))
    fired, mem = lif(delays.deployed_current(spk, torch.full((27, 3), 0.4, dtype=FLOAT), exact + moves), 0.4)
    common = (moves == moves[:, :1]).all(1)
    assert torch.equal(fired.sum(0).flatten() > 0, common)
    assert mem[:, 0, ~common].max() == pytest.approx(0.4 * (2 + 0.4))                         # two on time, one a step early


@pytest.mark.parametrize("sigma", [0.3, 1.0, 4.0, 30.0])
def test_the_shares_add_up_and_their_slope_is_the_closed_form(sigma):
    delay = torch.tensor([0.0, 2.4, 9.5, 31.0, 40.0, -3.0], dtype=FLOAT, requires_grad=True)
    share = delays.delay_kernel(delay, sigma, 32)
    assert torch.allclose(share.sum(-1), torch.ones(6, dtype=FLOAT))
    k = torch.arange(32, dtype=FLOAT)
    mean = (share * k).sum(-1, keepdim=True)
    expected = share * (k - mean) / sigma**2
    jacobian = torch.autograd.functional.jacobian(lambda d: delays.delay_kernel(d, sigma, 32), delay.detach())
    assert torch.allclose(jacobian[range(6), :, range(6)], expected.detach(), atol=1e-14)
    assert torch.autograd.gradcheck(lambda d: delays.delay_kernel(d, sigma, 32), delay)


def test_the_current_is_the_written_out_sum_in_values_and_gradients():
    spk = spikes(0, 20, 3, 4).requires_grad_()
    weight = torch.randn(5, 4, generator=torch.Generator().manual_seed(1), dtype=FLOAT).requires_grad_()
    delay = (6 * torch.rand(5, 4, generator=torch.Generator().manual_seed(2), dtype=FLOAT)).requires_grad_()
    found = delays.delayed_current(spk, weight, delay, 1.3, 7)
    share = delays.delay_kernel(delay, 1.3, 7)
    rows = []
    for t in range(20):
        rows.append(sum(spk[t - k] @ (weight * share[..., k]).T for k in range(7) if t >= k))
    expected = torch.stack(rows)
    assert torch.allclose(found, expected, atol=1e-12)
    probe = torch.randn(found.shape, generator=torch.Generator().manual_seed(3), dtype=FLOAT)
    for ours, theirs in zip(*(torch.autograd.grad((each * probe).sum(), (spk, weight, delay)) for each in (found, expected)),
                            strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-10, atol=1e-12)


def test_narrow_windows_at_whole_delays_are_what_is_deployed():
    spk, weight = spikes(4, 30, 2, 3), torch.randn(6, 3, generator=torch.Generator().manual_seed(5), dtype=FLOAT)
    delay = torch.randint(0, 12, (6, 3), generator=torch.Generator().manual_seed(6))
    soft = delays.delayed_current(spk, weight, delay.to(FLOAT), 0.05, 12)
    hard = delays.deployed_current(spk, weight, delay)
    assert torch.allclose(soft, hard, atol=1e-12) and hard.abs().sum() > 0
    written = torch.zeros_like(hard)
    for h, c, t in itertools.product(range(6), range(3), range(30)):
        if t >= delay[h, c]:
            written[t, :, h] += weight[h, c] * spk[t - delay[h, c], :, c]
    assert torch.allclose(hard, written, atol=1e-12)


def test_freezing_rounds_and_stops_the_delays_and_the_weights_go_on():
    layer = delays.DelayedLinear(3, 5, 10, generator=torch.Generator().manual_seed(7))
    assert [tuple(part.shape) for part in layer.parameters()] == [(5, 3), (5, 3)]
    layer.delay.data[0, 0] = 12.7
    spk = spikes(8, 20, 2, 3).float()
    layer(spk).sum().backward()
    assert layer.delay.grad.abs().sum() > 0
    layer.freeze()
    assert layer.delay[0, 0] == 9 and torch.equal(layer.delay, layer.delay.round()) and not layer.delay.requires_grad
    layer.zero_grad()
    current = layer(spk)
    current.sum().backward()
    assert layer.weight.grad.abs().sum() > 0
    assert torch.equal(current, delays.deployed_current(spk, layer.weight, layer.delay.long()))
    again = delays.DelayedLinear(3, 5, 10)
    again.load_state_dict(layer.state_dict())                                   # a saved net is deployed as it was frozen
    assert torch.equal(again(spk), current)
    fixed = delays.DelayedLinear(3, 5, 10, learn_delay=False, generator=torch.Generator().manual_seed(7))
    assert fixed.frozen and not fixed.delay.requires_grad


def test_windows_shrink_by_equal_factors():
    widths = [delays.narrowing(part / 4, 8.0, 0.5) for part in range(5)]
    assert widths == pytest.approx([8, 4, 2, 1, 0.5])


def test_gradient_descent_finds_the_closed_form_from_wide_windows():
    spk = torch.zeros(40, 1, 3)
    spk[[3, 11, 20], 0, [0, 1, 2]] = 1
    delay = (31 * torch.rand(8, 3, generator=torch.Generator().manual_seed(1))).requires_grad_()
    optimiser = torch.optim.Adam([delay], lr=0.3)
    for step in range(200):
        current = delays.delayed_current(spk, torch.full((8, 3), 0.4), delay, delays.narrowing(step / 200, 10, 0.2), 32)
        optimiser.zero_grad()
        (-lif(current, 0.4)[1][28]).sum().backward()
        optimiser.step()
    assert (delay.round() == torch.tensor([25, 17, 8])).all()


@pytest.mark.parametrize(("distractors", "jitter"), [(0, 0), (2, 0), (2, 1), (3, 8)])
def test_classes_differ_in_nothing_but_the_times(distractors, jitter):
    spk, target = delays.spike_patterns(400, distractors, jitter=jitter, generator=torch.Generator().manual_seed(9))
    assert spk.shape == (60, 400, 4) and set(target.tolist()) == {0, 1, 2, 3}
    assert torch.equal(spk.sum(0), torch.full((400, 4), 1.0 + distractors)) and set(spk.unique().tolist()) == {0.0, 1.0}
    for sample in range(40):
        order, times = delays.ORDERS[target[sample]], [spk[:, sample, c].nonzero().flatten().tolist() for c in range(4)]
        assert any(all(any(abs(t - (start + 8 * place)) <= jitter for t in times[channel])
                       for place, channel in enumerate(order)) for start in range(36))


def test_the_same_generator_draws_the_same_patterns():
    first, again = (delays.spike_patterns(5, generator=torch.Generator().manual_seed(3))[0] for _ in range(2))
    assert torch.equal(first, again)


SPK, WEIGHT, DELAY = torch.zeros(5, 2, 3), torch.zeros(4, 3), torch.zeros(4, 3)


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: delays.meeting_delays(torch.tensor([3.0]), 5), TypeError, "steps must be int64"),
    (lambda: delays.meeting_delays(torch.tensor([3, 9]), 5), ValueError, "before the last spike"),
    (lambda: delays.meeting_delays(torch.tensor([-1]), 5), ValueError, "not be negative"),
    (lambda: delays.delay_kernel(DELAY, 0.0, 5), ValueError, "sigma"),
    (lambda: delays.delay_kernel(DELAY, 1.0, 0), ValueError, "max_delay"),
    (lambda: delays.delay_kernel(DELAY / 0, 1.0, 5), ValueError, "delay holds NaN"),
    (lambda: delays.delay_kernel(DELAY.long(), 1.0, 5), TypeError, "floating point"),
    (lambda: delays.delayed_current(SPK[0], WEIGHT, DELAY, 1.0, 5), ValueError, "time first"),
    (lambda: delays.delayed_current(SPK, WEIGHT.T, DELAY, 1.0, 5), ValueError, "weight must be"),
    (lambda: delays.delayed_current(SPK, WEIGHT, DELAY[:2], 1.0, 5), ValueError, "delay must be"),
    (lambda: delays.delayed_current(SPK, WEIGHT.double(), DELAY, 1.0, 5), TypeError, "weight is torch.float64"),
    (lambda: delays.delayed_current(SPK / 0, WEIGHT, DELAY, 1.0, 5), ValueError, "current holds NaN"),
    (lambda: delays.delayed_current(SPK, WEIGHT, DELAY.long(), 1.0, 5), TypeError, "delay must be floating point"),
    (lambda: delays.deployed_current(SPK, WEIGHT, DELAY), TypeError, "round().long()"),
    (lambda: delays.deployed_current(SPK, WEIGHT, DELAY.long() - 1), ValueError, "not be negative"),
    (lambda: delays.narrowing(1.5, 10, 1), ValueError, "progress"),
    (lambda: delays.narrowing(0.5, 0, 1), ValueError, "start"),
    (lambda: delays.DelayedLinear(0, 4, 5), ValueError, "inputs"),
    (lambda: delays.DelayedLinear(3, 4, 5, learn_delay="yes"), TypeError, "learn_delay"),
    (lambda: delays.DelayedLinear(3, 4, 5, generator=0), TypeError, "generator"),
    (lambda: delays.spike_patterns(4, num_steps=20), ValueError, "num_steps must be at least"),
    (lambda: delays.spike_patterns(4, jitter=9), ValueError, "jitter"),
    (lambda: delays.spike_patterns(2.5), ValueError, "num_samples"),
])
def test_what_cannot_be_meant_is_refused(call, error, words):
    with pytest.raises(error) as refused:
        call()
    assert words in str(refused.value)
