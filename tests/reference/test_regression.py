"""Errors and floors in closed form, linear models, the leak in parallel, and the network that answers with a membrane."""
import numpy as np
import pytest
import torch

from snnteach.data import series
from snnteach.neurons import lif
from snnteach.regression import (
    SpikingRegressor,
    fit_linear,
    lags,
    nrmse,
    parallel_leak,
    principal_code,
    spike_floor,
    sums_of_sines,
)

FLOAT = torch.float64


def draw(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=FLOAT)


def test_nrmse_of_the_mean_is_one_whatever_the_scale():
    y = 7 + 3 * draw(0, 500, 2)
    assert nrmse(y.mean().expand_as(y), y) == pytest.approx(1) and nrmse(y, y) == 0
    assert nrmse(100 * (y + 1), 100 * y) == pytest.approx(1 / y.std(unbiased=False).item())


def test_floors_in_closed_form():
    grid = torch.linspace(0, 1, 100_001, dtype=FLOAT)
    assert spike_floor(grid) == pytest.approx(1 / 12, rel=1e-4)
    assert spike_floor(2 * grid - 1) == pytest.approx(5 / 24, rel=1e-4)                       # uniform on [-1, 1]
    assert spike_floor(torch.tensor([-2.0, 0.0, 1.0, 3.0])) == pytest.approx((4 + 0 + 0 + 4) / 4)
    y = draw(1, 300)
    best = min(((draw(seed, 300) > 0).to(FLOAT) - y).square().mean().item() for seed in range(2, 40))
    assert spike_floor(y) <= best and spike_floor(y) == pytest.approx(((y > 0.5).to(FLOAT) - y).square().mean().item())


def test_sines_have_variance_one_and_do_not_repeat():
    x = sums_of_sines(2000, 300, torch.Generator().manual_seed(0))
    assert x.var().item() == pytest.approx(1, abs=0.03) and x.abs().max() <= 4 / 2**0.5
    assert torch.equal(x, sums_of_sines(2000, 300, torch.Generator().manual_seed(0)))


def test_an_autoregression_finds_the_law_of_its_series():
    noise, x = 0.1 * draw(3, 5000), [0.0, 0.0]
    for shock in noise.tolist():
        x.append(1.5 * x[-1] - 0.7 * x[-2] + 0.2 + shock)
    x = torch.tensor(x, dtype=FLOAT)
    rows = lags(x, 2)
    assert rows.shape == (5001, 3) and torch.equal(rows[5, 1:], torch.stack([x[6], x[5]]))
    found = fit_linear(rows[:-1], x[2:])
    assert torch.allclose(found, torch.tensor([0.2, 1.5, -0.7], dtype=FLOAT), atol=0.03)
    several = fit_linear(rows[:-1], torch.stack([x[2:], 2 * x[2:]], 1))
    assert torch.allclose(several, torch.stack([found, 2 * found], 1))
    exact = torch.linalg.lstsq(rows[:-1], x[2:, None]).solution[:, 0]
    assert torch.allclose(found, exact, atol=1e-9)


def test_principal_components_are_the_best_of_their_size():
    train = draw(4, 200, 5) @ draw(5, 5, 12) + 0.01 * draw(6, 200, 12) + 3
    errors = [(principal_code(train, train, size) - train).square().mean().item() for size in range(1, 13)]
    values = torch.linalg.svdvals(train - train.mean(0)).square()
    for size, error in enumerate(errors, 1):
        assert error == pytest.approx(values[size:].sum().item() / train.numel(), abs=1e-10)      # Eckart and Young
    assert errors[4] < 2e-4 < errors[3]


@pytest.mark.parametrize("steps, chunk", [(1, 32), (31, 32), (64, 32), (100, 7), (50, 1), (40, 100)])
@pytest.mark.parametrize("beta", [0.0, 0.9, 0.999, 1.0])
def test_the_leak_in_parallel_is_the_leak_step_by_step(steps, chunk, beta):
    x, y = (draw(7, steps, 3, 4).requires_grad_() for _ in range(2))
    mem, wanted = parallel_leak(x, beta, chunk), lif(y, beta, reset="none")[1]
    assert torch.allclose(mem, wanted, rtol=1e-11, atol=1e-11)
    weight = draw(8, steps, 3, 4)
    (mem * weight).sum().backward()
    (wanted * weight).sum().backward()
    assert torch.allclose(x.grad, y.grad, rtol=1e-11, atol=1e-11)


def test_the_leak_in_single_precision():
    x = draw(9, 1024, 2, 8)
    exact = lif(x, 0.999, reset="none")[1]
    assert ((parallel_leak(x.float(), 0.999) - exact).abs().max() / exact.abs().max()).item() < 1e-5


def network(seed=0, **options):
    options = {"inputs": 3, "width": 7, "outputs": 2} | options
    return SpikingRegressor(**options, generator=torch.Generator().manual_seed(seed)).double()


@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("readout", ["membrane", "spike"])
def test_the_network_is_the_written_out_equations(recurrent, readout):
    net, x = network(recurrent=recurrent, readout=readout, tau=(1, 15)), 2 * draw(10, 25, 4, 3)
    hidden, out = net(x)
    mem = spk = torch.zeros(4, 7, dtype=FLOAT)
    y = fired = torch.zeros(4, 2, dtype=FLOAT)
    for step in range(25):
        current = (1 - net.beta).sqrt() * (x[step] @ net.weight.T + net.bias)
        mem = net.beta * mem + current - spk + (spk @ net.recurrent.T if recurrent else 0)
        spk = (mem > 1).to(FLOAT)
        drive = spk @ net.readout_weight.T + net.offset
        y = 0.7 * y + 0.3 * drive if readout == "membrane" else 0.7 * y + drive - fired
        fired = (y > 1).to(FLOAT)
        assert torch.allclose(hidden.mem[step], mem) and torch.equal(hidden.spk[step], spk)
        assert torch.allclose(out.mem[step], y) and (out.spk is None or torch.equal(out.spk[step], fired))
    assert hidden.spk.mean() > 0.02 and (readout == "spike") == (out.spk is not None)


def test_loop_and_layer_have_equal_gradients():
    alone, together, x = network(), network(recurrent=True), 2 * draw(11, 20, 3, 3)
    together.load_state_dict(alone.state_dict() | {"recurrent": torch.zeros(7, 7, dtype=FLOAT)})
    grads = [torch.autograd.grad(net(x)[1].mem.square().sum(), (net.weight, net.readout_weight)) for net in (alone, together)]
    for one, other in zip(*grads, strict=True):
        assert torch.allclose(one, other, rtol=1e-10) and one.any()


def test_time_constants_are_spread_and_can_be_none():
    beta = network(tau=(1, 100), width=3).beta
    assert torch.allclose(-1 / beta.log(), torch.tensor([1, 10, 100], dtype=FLOAT), rtol=1e-5)
    assert not network(tau=(0, 0)).beta.any()


def test_a_detached_reset_changes_gradients_only():
    nets = [network(detach_reset=flag) for flag in (False, True)]
    x = 2 * draw(12, 20, 3, 3)
    answers = [net(x)[1].mem for net in nets]
    assert torch.equal(*answers)
    first, second = (torch.autograd.grad(answer.sum(), net.weight)[0] for answer, net in zip(answers, nets, strict=True))
    assert not torch.allclose(first, second)


@pytest.mark.parametrize("call, words", [
    (lambda: nrmse(torch.zeros(3), torch.zeros(4)), "nrmse: prediction must be"),
    (lambda: nrmse(torch.zeros(3), torch.zeros(3)), "nrmse: target never changes"),
    (lambda: spike_floor([0.1]), "spike_floor: target must be"),
    (lambda: lags(torch.zeros(3), 4), "lags: count must be"),
    (lambda: fit_linear(torch.zeros(2, 3), torch.zeros(2)), "fit_linear: rows must be at least as many"),
    (lambda: principal_code(torch.zeros(4, 3), torch.zeros(4, 3), 5), "principal_code: size must be"),
    (lambda: parallel_leak(torch.zeros(4, 3), 0.5), "parallel_leak: x must be"),
    (lambda: parallel_leak(torch.zeros(4, 3, 1), 1.5), "parallel_leak: beta must be between 0 and 1"),
    (lambda: SpikingRegressor(1, 2, 3, tau=5), "SpikingRegressor: tau must be a pair"),
    (lambda: SpikingRegressor(1, 2, 3, readout="count"), "SpikingRegressor: readout must be one of"),
    (lambda: SpikingRegressor(1, 2, 3)(torch.zeros(5, 4, 2)), "SpikingRegressor: x must be"),
])
def test_what_is_refused(call, words):
    with pytest.raises((TypeError, ValueError), match=words):
        call()


# The data

def test_sunspots_are_those_that_were_published():
    spots = series.sunspots()
    assert spots.shape == (3120,) and spots.dtype == torch.float32 and spots.min() == 0
    yearly = spots.view(-1, 12).mean(1)
    for year, published in ((1749, 80.9), (1957, 190.2), (2000, 119.6), (2008, 2.9)):          # the yearly means
        assert yearly[year - 1749].item() == pytest.approx(published, abs=0.5)
    text = series.SUNSPOTS_FILE.with_name("DATA.md").read_text(encoding="utf-8")
    assert series.SUNSPOTS_SHA256 in text and "public domain" in text
    assert series.SUNSPOTS_FILE.stat().st_size < 100_000


def test_damaged_sunspots_are_noticed(tmp_path, monkeypatch):
    with np.load(series.SUNSPOTS_FILE) as archive:
        tenths = archive["tenths"].copy()
    path = tmp_path / "sunspots.npz"
    monkeypatch.setattr(series, "SUNSPOTS_FILE", path)
    with pytest.raises(RuntimeError, match=r"sunspots\.npz cannot be read .*git checkout"):
        series.sunspots()
    tenths[5] += 1
    np.savez(path, tenths=tenths)
    with pytest.raises(RuntimeError, match="is damaged: tenths has sha256"):
        series.sunspots()
