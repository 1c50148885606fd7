"""Shares and wholes: equal gradients where they must be, other ones where they must not, and what a message weighs."""
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import distributed, nn

from snnteach import scaling
from snnteach.deep import NormOverTime
from snnteach.losses import ce_membrane_loss
from snnteach.networks import Record, SpikingMLP
from snnteach.neurons import lif

FLOAT = torch.float64


def loss(records, target):
    return ce_membrane_loss(records[-1].mem, target)


def case(batch=8, sizes=(6, 9, 3), seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = SpikingMLP(sizes, readout="membrane").double()
        x, target = 2 * torch.rand(7, batch, sizes[0], dtype=FLOAT), torch.randint(0, sizes[-1], (batch,))
    return net, x, target


class Normed(nn.Module):
    def __init__(self, norm):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.norm, self.last = nn.Linear(6, 9), norm, nn.Linear(9, 3)
        self.double()

    def forward(self, x):
        spk, mem = lif(self.norm(self.first(x)), 0.9)
        return [Record(spk, mem), Record(None, self.last(spk))]


# Equal gradients

@pytest.mark.parametrize("workers", [1, 2, 4, 8])
def test_the_mean_of_equal_shares_is_the_gradient_of_the_whole_batch(workers):
    net, x, target = case()
    exact = torch.autograd.grad(loss(net(x), target), list(net.parameters()))
    losses, gradients = scaling.share_gradients(net, x, target, loss, (8 // workers,) * workers)
    whole = torch.cat([part.flatten() for part in exact])
    assert torch.allclose(scaling.averaged(gradients), whole, atol=1e-12, rtol=0) and whole.any()
    assert losses.mean().item() == pytest.approx(loss(net(x), target).item(), abs=1e-12)
    assert gradients.shape == (workers, sum(parameter.numel() for parameter in net.parameters()))


def test_unequal_shares_need_their_weights():
    net, x, target = case()
    whole = scaling.share_gradients(net, x, target, loss, (8,))[1][0]
    _, gradients = scaling.share_gradients(net, x, target, loss, (5, 2, 1))
    assert torch.allclose(scaling.averaged(gradients, (5, 2, 1)), whole, atol=1e-12)
    assert (scaling.averaged(gradients) - whole).norm() > 0.05 * whole.norm()


def test_norms_of_their_own_make_another_network_and_pooled_moments_the_same():
    net, (_, x, target) = Normed(NormOverTime(9)), case()
    whole = scaling.share_gradients(net, x, target, loss, (8,))
    shares = scaling.share_gradients(net, x, target, loss, (4, 4))
    assert (shares[0].mean() - whole[0][0]).abs() > 1e-3
    assert (shares[1].mean(0) - whole[1][0]).norm() > 0.05 * whole[1].norm()
    current = net.first(x).detach()
    parts = [part.flatten(0, 1) for part in current.split([5, 3], 1)]
    means, variances = (torch.stack([take(part) for part in parts]) for take in (
        lambda part: part.mean(0), lambda part: part.var(0, correction=0)))
    mean, variance = scaling.pooled_moments(torch.tensor([35.0, 21.0], dtype=FLOAT), means, variances)
    rows = current.flatten(0, 1)
    assert torch.allclose(mean, rows.mean(0), atol=1e-12)
    assert torch.allclose(variance, rows.var(0, correction=0), atol=1e-12)


def test_the_shared_norm_of_one_worker_is_the_norm_over_time():
    x = case()[1].requires_grad_()
    ours, theirs = scaling.SharedNorm(6).double(), NormOverTime(6).double()
    out = [norm(x) for norm in (ours, theirs)]
    weight = torch.randn(x.shape, generator=torch.Generator().manual_seed(1)).double()
    slopes = [torch.autograd.grad((each * weight).sum(), x, retain_graph=True)[0] for each in out]
    assert torch.allclose(*out, atol=1e-10) and torch.allclose(*slopes, atol=1e-9) and slopes[0].any()
    assert torch.allclose(ours.running_mean, theirs.norm.running_mean, atol=1e-12)
    assert torch.allclose(ours.running_var, theirs.norm.running_var, atol=1e-12)
    ours.eval(), theirs.eval()
    assert torch.allclose(ours(x), theirs(x), atol=1e-12)


def test_a_group_of_one_changes_nothing(tmp_path):
    """The paths through torch.distributed, in this process; several processes are tested with the lesson."""
    net, x, target = case()
    alone = scaling.train_shared(net, torch.optim.SGD(net.parameters(), lr=0.01), [(x, target)] * 3, loss)
    y = scaling.SharedNorm(6).double()(x)
    distributed.init_process_group("gloo", store=distributed.FileStore(str(tmp_path / "store"), 1), rank=0, world_size=1)
    try:
        again = case()[0]
        assert scaling.train_shared(again, torch.optim.SGD(again.parameters(), lr=0.01), [(x, target)] * 3, loss) == alone
        assert all(torch.equal(a, b) for a, b in zip(net.parameters(), again.parameters()))
        assert torch.equal(scaling.SharedNorm(6).double()(x), y)
    finally:
        distributed.destroy_process_group()
    assert alone[2] < alone[0]


def test_training_in_shares_is_ordinary_training():
    net, x, target = case()
    other, (steps, their_steps) = case()[0], (None, None)
    steps, their_steps = (torch.optim.SGD(each.parameters(), lr=0.1, momentum=0.9) for each in (net, other))
    found = scaling.train_shared(net, steps, [(x, target), (x.flip(1), target.flip(0))], loss)
    for (part, wanted), value in zip([(x, target), (x.flip(1), target.flip(0))], found, strict=True):
        _, gradients = scaling.share_gradients(other, part, wanted, loss, (2, 2, 2, 2))
        flat = scaling.averaged(gradients)
        for parameter, gradient in zip(other.parameters(), flat.split([p.numel() for p in other.parameters()])):
            parameter.grad = gradient.view_as(parameter)
        assert value == pytest.approx(loss(other(part), wanted).item(), abs=1e-12)
        their_steps.step()
    assert all(torch.allclose(a, b, atol=1e-12) for a, b in zip(net.parameters(), other.parameters()))


def test_parameters_without_a_gradient_count_as_zero():
    net = nn.ModuleList([nn.Linear(2, 1), nn.Linear(2, 1)])
    net[0](torch.ones(1, 2)).sum().backward()
    assert scaling.average_gradients(net) == 6 and not net[1].weight.grad.any() and net[0].weight.grad.all()


# The ring

@settings(max_examples=40, deadline=None)
@given(workers=st.integers(1, 9), numbers=st.integers(1, 40), seed=st.integers(0, 9))
def test_a_ring_adds_up_and_everybody_sends_twice_all_but_one_part(workers, numbers, seed):
    vectors = list(torch.randn(workers, numbers, generator=torch.Generator().manual_seed(seed), dtype=FLOAT))
    before = [vector.clone() for vector in vectors]
    sums, sent = scaling.ring_all_reduce(vectors)
    assert all(torch.allclose(each, torch.stack(before).sum(0), atol=1e-12) for each in sums)
    assert all(torch.equal(each, sums[0]) for each in sums) and all(map(torch.equal, vectors, before))
    assert sum(sent) == 2 * (workers - 1) * numbers                    # 2 (N - 1) / N of P each, on average
    if numbers % workers == 0:
        assert set(sent) == {2 * (workers - 1) * numbers // workers}


# Random numbers

def test_noise_belongs_to_samples():
    samples = torch.tensor([7, 3, 11, 3, 0])
    noise = scaling.sample_noise(samples, (5, 4), seed=2)
    for part in ([0], [1, 2], [4, 3]):
        assert torch.equal(scaling.sample_noise(samples[part], (5, 4), seed=2), noise[:, part])
    assert torch.equal(noise[:, 1], noise[:, 3]) and not torch.equal(noise[:, 0], noise[:, 1])
    assert not torch.equal(scaling.sample_noise(samples, (5, 4), seed=3), noise)           # in spite of 32-bit seeds
    one, other = (torch.rand(3, generator=torch.Generator().manual_seed(seed)) for seed in (5, 2**32 + 5))
    assert torch.equal(one, other), "PyTorch's generator looks at all bits of a seed now: say so in sample_noise"
    many = scaling.sample_noise(torch.arange(2000), (3,), seed=0)
    assert abs(many.mean() - 0.5) < 0.02 and abs(many.var() - 1 / 12) < 0.004
    assert abs(torch.corrcoef(torch.stack([many[0, :-1], many[0, 1:]]))[0, 1]) < 0.06          # neighbours know nothing


# What a step takes

@pytest.mark.parametrize(("sizes", "num_steps", "batch"), [((6, 9, 3), 7, 8), ((4, 5, 5, 2), 3, 2)])
def test_work_is_what_the_matrices_multiply(sizes, num_steps, batch):
    pairs = [a * b for a, b in zip(sizes, sizes[1:])]
    forward = num_steps * batch * sum(pairs)
    backward = num_steps * batch * (sum(pairs) + sum(pairs[1:]))       # weights of all layers, inputs of all but the first
    assert scaling.step_work(sizes, num_steps, batch) == forward + backward
    saved = 2 * (num_steps - 1) * batch * pairs[0]
    assert scaling.step_work(sizes, num_steps, batch, constant=True) == forward + backward - saved


def test_time_multiplies_work_and_no_message():
    options = {"speed": 1e9, "bandwidth": 1e8, "latency": 1e-4}
    once, often = (scaling.step_time(scaling.step_work((784, 100, 10), steps, 64), 79510, 4, **options) for steps in (1, 25))
    assert often.computing == pytest.approx(25 * once.computing) and often.exchanging == once.exchanging
    assert once.exchanging == pytest.approx(1.5 * 4 * 79510 / 1e8 + 6e-4)
    alone = scaling.step_time(1e9, 79510, 1, **options)
    assert alone == (1.0, 0.0)
    limit = scaling.step_time(0, 10**6, 1000, speed=1e9, bandwidth=1e8).exchanging
    assert limit == pytest.approx(2 * 4e6 / 1e8, rel=2e-3)             # hardly more, however many workers


def test_amdahl_is_a_step_whose_message_takes_always_the_same():
    for workers in (1, 2, 16, 1000):
        for serial in (0.0, 0.1, 1.0):
            taken = serial + (1 - serial) / workers
            assert scaling.amdahl(workers, serial) == pytest.approx(1 / taken)
    assert scaling.amdahl(10**6, 0.05) == pytest.approx(20, rel=1e-3)


# What is refused

@pytest.mark.parametrize(("call", "words"), [
    (lambda net, x, y: scaling.share_gradients(net, x, y, loss, (5, 2)), "must add up to the 8 samples"),
    (lambda net, x, y: scaling.share_gradients(net, x, y[:7], loss, (8,)), "must hold the 8 samples"),
    (lambda net, x, y: scaling.share_gradients(net, x, y, lambda records, y: records[-1].mem.detach().sum(), (8,)),
     "no weight"),
    (lambda net, x, y: scaling.averaged(torch.rand(3, 2), (1, 2)), "must be 3 numbers"),
    (lambda net, x, y: scaling.averaged(torch.tensor([[math.nan]])), "holds NaN"),
    (lambda net, x, y: scaling.ring_all_reduce([torch.ones(2), torch.ones(3)]), "like the first worker's"),
    (lambda net, x, y: scaling.pooled_moments(torch.zeros(2), torch.ones(2, 1), torch.ones(2, 1)), "leave empty shares out"),
    (lambda net, x, y: scaling.SharedNorm(6).double()(x[:1, :1]), "one number a channel"),
    (lambda net, x, y: scaling.train_shared(net, torch.optim.SGD(net.parameters(), 0.1), [(x, y[:3])], loss),
     "as many targets"),
    (lambda net, x, y: scaling.sample_noise(torch.tensor([-1]), (2,), seed=0), "from 0 to 2^32"),
    (lambda net, x, y: scaling.step_work((784,), 1, 1), "two or more"),
    (lambda net, x, y: scaling.step_time(1.0, 1, 0, speed=1.0, bandwidth=1.0), "whole number of at least 1"),
    (lambda net, x, y: scaling.amdahl(2, 1.5), "between 0 and 1"),
])
def test_what_cannot_be_meant_is_refused(call, words):
    with pytest.raises(ValueError, match=words.replace("(", r"\(").replace("^", r"\^")):
        call(*case())
