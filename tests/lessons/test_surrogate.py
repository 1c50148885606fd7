"""Notebook 07: its listings against the package, its exercises, its explorers and its stored study."""
import itertools

import pytest
import torch

from snnteach import stored as read_stored
from snnteach import surrogate as reference
from snnteach.authoring import studies
from snnteach.neurons import lif
from snnteach.reader.lookup import exercise as find
from snnteach.reader.lookup import explorer as find_explorer
from tests.listings import namespace

FLOAT = torch.float64


@pytest.fixture(scope="module")
def shown():
    return namespace("surrogate")


@pytest.mark.parametrize(("name", "slope"), [("atan", 1.0), ("atan", 5.0), ("boxcar", 1.0), ("boxcar", 0.1)])
def test_the_listing_of_the_spike_is_the_package(shown, name, slope):
    generator = torch.Generator().manual_seed(0)
    u = (2 * torch.randn(500, generator=generator, dtype=FLOAT)).requires_grad_()
    upstream = torch.randn(500, generator=generator, dtype=FLOAT)
    ours = shown["spike"](u, shown[name](slope))
    theirs = reference.spike(u, getattr(reference, name)(slope))
    assert torch.equal(ours, theirs) and ours.dtype == FLOAT and set(ours.tolist()) == {0.0, 1.0}
    gradients = [torch.autograd.grad(spk, u, upstream)[0] for spk in (ours, theirs)]
    assert torch.allclose(*gradients, rtol=1e-12, atol=1e-15) and gradients[0].any()


def test_the_listing_of_the_spike_passes_the_packages_example(shown):
    u = torch.tensor([-0.5, 0.0, 0.5], requires_grad=True)
    spk = shown["spike"](u, shown["boxcar"](slope=2.0))
    spk.sum().backward()
    assert spk.tolist() == [0.0, 0.0, 1.0] and u.grad.tolist() == [0.0, 1.0, 0.0]


def test_the_listing_of_escape_noise_is_the_package(shown):
    u = torch.linspace(-2, 2, 101, dtype=FLOAT, requires_grad=True)
    noisy = [make(u, 3.0, torch.Generator().manual_seed(4)) for make in (shown["escape_noise"], reference.escape_noise)]
    assert torch.equal(*noisy) and 0 < noisy[0].sum() < 101
    gradients = [torch.autograd.grad(spk.sum(), u)[0] for spk in noisy]
    assert torch.allclose(*gradients, rtol=1e-10) and torch.allclose(gradients[0], reference.sigmoid(3.0)(u), rtol=1e-10)


def test_the_staircase_counts_the_packages_spikes(shown):
    weight = torch.linspace(0, 1, 101).requires_grad_()
    count = shown["spike_count"](weight, shown["current"], reference.atan())
    spk, _ = lif(shown["current"][:, None, None] * weight, 0.9)
    assert torch.equal(count, spk.sum(0)[0]) and count.max() == 7
    (lent,) = torch.autograd.grad(count.sum(), weight)
    assert (lent > 0).all()


def test_exercises_agree_with_autograd():
    fired, u = torch.tensor([1.0, 0.0, 1.0]), torch.tensor([-0.2, 0.3, -2.0])
    weight = torch.zeros(3, 3, requires_grad=True)
    current = weight @ fired
    reference.spike(current + u, reference.boxcar()).sum().backward()
    assert torch.equal(find("07.1").reference(fired, u), weight.grad != 0)
    for slope in (1.0, 25.0):
        assert reference.describe(lambda u, k=slope: find("07.2").reference(u, k))["area"] == pytest.approx(1, abs=1e-3)
    mem = torch.tensor([0.0, 0.9, 1.2, 2.5], requires_grad=True)
    upstream = torch.tensor([1.0, -2.0, 0.5, 3.0])
    spk = reference.spike(mem - 1.0, lambda u: torch.exp(-2.0 * u.abs()))
    (grad,) = torch.autograd.grad(spk, mem, upstream)
    assert torch.allclose(find("07.3").reference(upstream, mem.detach(), 1.0, 2.0), grad)
    w_in = torch.tensor(0.8, requires_grad=True)
    ((2 * reference.spike(w_in - 1, reference.sigmoid(1.0)) - 1) ** 2).backward()
    assert find("07.4").reference == pytest.approx(w_in.grad.item(), abs=1e-6) == pytest.approx(-0.9901, abs=1e-4)
    largest = find("07.5").reference
    below = torch.tensor([-0.9])
    assert reference.boxcar(largest * 0.999)(below) == 1 and reference.boxcar(largest * 1.001)(below) == 0


def test_explorers_say_what_the_notebook_says():
    shape, landscape = find_explorer("surrogate.shape").compute, find_explorer("surrogate.landscape").compute
    silent = {kind: shape(kind=kind, slope=1.0, threshold=4.0, spread=0.25) for kind in ("atan", "fast_sigmoid", "boxcar")}
    assert all(data["spikes"] == 0 and abs(data["share"].sum() - 1) < 1e-5 for data in silent.values())
    assert silent["atan"]["reached"] == pytest.approx(0.285, abs=0.02)
    assert silent["fast_sigmoid"]["reached"] == 1 and silent["boxcar"]["reached"] == 0
    data = landscape(kind="atan", slope=1.0, weight=0.35)
    assert data["here"] == 2 and (data["count"].diff() >= 0).all() and (data["slopes"] > 0).all()


@pytest.mark.parametrize("kind", find_explorer("surrogate.landscape").controls["kind"].options)
def test_landscape_slope_is_that_of_the_written_out_loop(kind):
    from snnteach.lessons.surrogate.explorers import INPUT

    for slope, weight in itertools.product((1.0, 10.0), (0.2, 0.7)):
        h, w = getattr(reference, kind)(slope), torch.tensor(weight, requires_grad=True)
        mem = spk = count = torch.zeros(())
        for x in INPUT.flatten():
            mem = 0.9 * mem + w * x - spk.detach()
            spk = reference.spike(mem - 1.0, h)
            count = count + spk
        data = find_explorer("surrogate.landscape").compute(kind=kind, slope=slope, weight=weight)
        assert data["here"] == count.item()
        assert data["slope_here"] == pytest.approx(torch.autograd.grad(count, w)[0].item(), rel=1e-4, abs=1e-5)


def test_the_stored_sweep_is_whole_and_up_to_date():
    study, stored = studies.study("surrogate"), read_stored("surrogate")
    assert list(stored) == list(study.ROWS) and all(len(values) == 3 for values in stored.values())
    assert studies.stale("surrogate") is None
    assert stored["zero, membrane"] == stored["frozen, membrane"] and max(stored["zero, spike"]) < 0.15


def test_a_row_of_the_sweep_repeats():
    study = studies.study("surrogate")
    assert study.ROWS["frozen, membrane"](0) == pytest.approx(read_stored("surrogate")["frozen, membrane"][0], abs=0.03)
