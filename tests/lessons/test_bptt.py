"""Notebook 08: its listings against autograd and the package, its explorer, its film and its exercises."""
import pytest
import torch

from snnteach import bptt as reference
from snnteach.lessons.bptt import explorers as explorer
from snnteach.lessons.bptt.films import backward_frames
from snnteach.neurons import lif
from snnteach.reader.lookup import exercise as find
from snnteach.reader.lookup import explorer as find_explorer
from snnteach.surrogate import atan
from tests.listings import namespace

FLOAT = torch.float64


@pytest.fixture(scope="module")
def shown():
    return namespace("bptt")


def network():
    random = torch.Generator().manual_seed(3)
    def normal(*shape):
        return torch.randn(*shape, generator=random, dtype=FLOAT)
    weights = reference.Weights(0.6 * normal(7, 6), 0.4 * normal(7, 7), normal(2, 7))
    return weights, (torch.rand(25, 3, 6, generator=random) < 0.4).to(FLOAT), normal(25, 3, 2)


@pytest.mark.parametrize("detach_reset", [True, False])
def test_the_listed_backward_pass_is_autograd_of_the_listed_forward_pass(shown, detach_reset):
    weights, x, target = network()
    leaves = reference.Weights(*(weight.clone().requires_grad_() for weight in weights))
    run = shown["forward"](x, leaves, 0.9, 0.8, detach_reset=detach_reset)
    ((run.out - target) ** 2 / 2).sum().backward()
    run = reference.Run(*(record.detach() for record in run))
    found = shown["backward"](run, weights, run.out - target, 0.9, 0.8, detach_reset=detach_reset)
    assert run.spk.sum() > 10
    for ours, leaf in zip(found, leaves, strict=True):
        assert (ours - leaf.grad).abs().max() <= 1e-10 * leaf.grad.abs().max()


def test_the_listed_layer_is_the_backward_pass_of_lif(shown):
    x = torch.rand(40, 2, 5, generator=torch.Generator().manual_seed(0), dtype=FLOAT).requires_grad_()
    spk, mem = lif(x, 0.9)
    (theirs,) = torch.autograd.grad((spk * x.detach()).sum() + (mem**2).sum() / 2, x)
    ours = shown["layer_backward"](mem.detach(), x.detach(), mem.detach(), 0.9)
    assert spk.sum() > 10 and torch.allclose(ours, theirs, atol=1e-12)


def test_the_map_of_influence_is_measured_not_drawn(shown):
    measured, spk = shown["maps"]["detached"]
    assert torch.allclose(measured, reference.influence_matrix(30, 0.9) * shown["x"], atol=1e-12) and spk.sum() == 3
    attached, _ = shown["maps"]["attached"]
    assert attached[29, 0].abs() < 1e-4 < measured[29, 0]


@pytest.mark.parametrize("reset", ["detached", "attached"])
def test_the_bars_of_the_explorer_are_autograds(reset):
    data = find_explorer("bptt.path").compute(beta=0.9, t=9, s=2, truncation=12, reset=reset)
    current = (explorer._X @ explorer._WEIGHTS.hidden.T).requires_grad_()
    spk, _ = lif(current, 0.9, detach_reset=reset == "detached")
    (bars,) = torch.autograd.grad(spk[9].sum(), current)
    assert bars.any() and torch.allclose(data["coefficients"], bars.flatten(), atol=1e-5)
    whole = find_explorer("bptt.path").compute(beta=0.9, t=9, s=2, truncation=1, reset=reset)
    assert data["cosine"] == pytest.approx(1) and data["norm"] == pytest.approx(1) and whole["norm"] < 1
    assert (data["through"] == pytest.approx(0.9**7)) == (reset == "detached")


def test_the_film_ends_at_the_exact_gradient():
    weights, x, target = network()
    x, target = x[:, :1], target[:, :1, :1]
    weights = weights._replace(output=weights.output[:1])
    run = reference.forward(x, weights, 0.9, 0.8)
    frames = backward_frames(run, weights, run.out - target, 0.9, 0.8)
    assert [frame[0] for frame in frames] == list(range(24, -1, -1))
    _, grads, total, record = frames[-1]
    assert torch.allclose(total, record["exact"], atol=1e-10) and not grads.isnan().any()
    assert frames[0][1][:-1].isnan().all() and (frames[0][2] - record["exact"]).abs().max() > 1e-3


def test_exercises_agree_with_autograd():
    weight = torch.tensor([0.1, 0.5, 0.5], dtype=FLOAT, requires_grad=True)          # W[1], W[2], W[3] of exercise 08.1
    x = torch.tensor([3.0, 3.0, 3.0], dtype=FLOAT)
    spk, mem = lif((weight * x)[:, None, None], 0.8, surrogate=lambda u: torch.full_like(u, 0.4))
    (2 * spk[2]).sum().backward()
    assert spk[1] == 1 and weight.grad[0].item() == pytest.approx(find("08.1").reference)
    current = torch.rand(6, 1, 1, generator=torch.Generator().manual_seed(1)).requires_grad_()
    spk, mem = lif(current, 0.7)
    d_spk = torch.arange(6.0)
    (grad,) = torch.autograd.grad((spk.flatten() * d_spk).sum(), current)
    ours = find("08.2").reference(d_spk, atan()(mem.detach().flatten() - 1), 0.7)
    assert torch.allclose(ours, grad.flatten(), atol=1e-6)
    for beta, share in ((0.9, 0.9), (0.8, 0.5)):
        K = find("08.3").reference(beta, share)
        assert 1 - beta**K >= share > 1 - beta ** (K - 1)
