"""Where conventions agree, a peer gives the same spikes and gradients; where they do not, the documented difference."""
import pytest
import torch

from snnteach.neurons import lif
from snnteach.surrogate import atan, fast_sigmoid, sigmoid

snntorch = pytest.importorskip("snntorch", reason="the peers extra is not installed")
FLOAT = torch.float64


def snntorch_run(x, **options):
    layer = snntorch.Leaky(beta=0.9, **options).to(x.dtype)
    mem, spikes, membranes = torch.zeros_like(x[0]), [], []
    for x_t in x:
        spk, mem = layer(x_t, mem)
        spikes.append(spk)
        membranes.append(mem)
    return torch.stack(spikes), torch.stack(membranes)


def drive():
    return (0.6 * torch.rand(40, 3, 20, generator=torch.Generator().manual_seed(5), dtype=FLOAT)).requires_grad_()


@pytest.mark.parametrize(("theirs", "ours"), [
    (lambda s: s.atan(alpha=2.0), atan()), (lambda s: s.fast_sigmoid(slope=10), fast_sigmoid(10.0)),
    (lambda s: s.sigmoid(slope=5), sigmoid(5.0)),
])
@pytest.mark.parametrize("reset", ["subtract", "zero", "none"])
def test_snntorch_leaky_is_our_default_neuron(theirs, ours, reset):
    x = drive()
    spk, mem = lif(x, 0.9, surrogate=ours, reset=reset)
    other_spk, other_mem = snntorch_run(x, spike_grad=theirs(snntorch.surrogate), reset_mechanism=reset)
    assert spk.mean() > 0.1 and torch.equal(spk, other_spk.to(FLOAT))
    assert torch.allclose(mem, other_mem, atol=1e-6)
    weight = torch.rand(spk.shape, generator=torch.Generator().manual_seed(6), dtype=FLOAT)
    (grad,) = torch.autograd.grad((weight * spk).sum(), x)
    (other,) = torch.autograd.grad((weight * other_spk).sum(), x)
    assert torch.allclose(grad, other, atol=2e-6)


def test_snntorch_immediate_reset_is_our_decayed_one():
    x = drive()
    spk, _ = lif(x, 0.9, reset="subtract_decayed")
    other, _ = snntorch_run(x, reset_delay=False)
    assert torch.equal(spk, other.to(FLOAT))


def slope_of(spike_function):
    u = torch.tensor([-2.0, -0.5, 0.5, 2.0], requires_grad=True)
    (grad,) = torch.autograd.grad(spike_function(u).sum(), u)
    return grad


def test_snntorch_triangular_flips_its_sign():
    """As of 1.0.0; notebook 07 shows what it does to training. If this fails, the peer was mended: update the notebook."""
    assert slope_of(snntorch.surrogate.triangular()).tolist() == [1.0, 1.0, -1.0, -1.0]


def test_norse_superspike_ignores_alpha():
    """As of 1.1.0; notebook 07 says so. If this fails, the peer was mended: update the notebook."""
    threshold = pytest.importorskip("norse.torch.functional.threshold", reason="the peers extra is not installed")
    found = [slope_of(lambda u, alpha=alpha: threshold.threshold(u, "super", alpha)) for alpha in (1.0, 100.0)]
    assert torch.equal(*found) and torch.allclose(found[0], fast_sigmoid(1.0)(torch.tensor([-2.0, -0.5, 0.5, 2.0])))
