"""What ties notebook 20 together: its displayed equations, its listings, the modules, the explorers and their network."""
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from snnteach import integers, quantization
from snnteach.authoring import notebooks
from snnteach.data import flat, mnist5k
from snnteach.lessons.quantization import explorers, study
from snnteach.losses import ce_membrane_loss
from snnteach.networks import SpikingMLP, direct_current
from snnteach.reader.judge import judge
from snnteach.reader.lookup import exercise as find
from snnteach.surrogate import boxcar, spike
from tests.cells import code_cells, execute
from tests.drawing import background, pictures
from tests.listings import namespace

FLOAT = torch.float64


@pytest.fixture(scope="module")
def listing():
    return namespace("quantization")


def draw(seed, *shape, dtype=FLOAT):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def network(seed=0, sizes=(784, 12, 10)):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return SpikingMLP(sizes, beta=7 / 8, readout="membrane")


# Equations

@pytest.mark.parametrize("bits", [2, 3, 5, 8])
def test_equation_1_listing_and_module_agree(listing, bits):
    weight, most = draw(0, 30, 7), 2 ** (bits - 1) - 1
    shown, package = listing["to_grid"](weight, bits), quantization.weight_codes(weight, bits)
    step = max(abs(value) for value in weight.flatten().tolist()) / most                       # Eq. 1, number by number
    wanted = [round(value / step) for value in weight.flatten().tolist()]
    assert shown[0].flatten().tolist() == wanted == package[0].flatten().tolist()
    assert shown[1].item() == package[1].item() == pytest.approx(step)
    assert max(map(abs, wanted)) == most


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_equation_2_listing_and_module_agree(listing, bits):
    signal = (torch.arange(400_000, dtype=FLOAT) + 0.5) / 200_000 - 1
    codes, scale = listing["to_grid"](signal, bits)
    law = 20 * math.log10(2 * (2 ** (bits - 1) - 1))
    assert listing["ratio"](signal, codes * scale) == pytest.approx(law, abs=0.01)
    assert quantization.signal_to_noise(signal, codes * scale) == pytest.approx(law, abs=0.01)
    error = signal - codes * scale
    assert error.square().mean().item() == pytest.approx(scale.item() ** 2 / 12, rel=1e-3)
    assert signal.square().mean().item() == pytest.approx((scale.item() * quantization.levels(bits)) ** 2 / 3, rel=1e-3)


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_equation_3_listing_and_module_agree(listing, bits):
    weight = draw(1, 500) ** 3
    shown, package = listing["least_squares"](weight, bits), quantization.weight_codes(weight, bits, "least squares")
    assert torch.equal(shown[0], package[0]) and torch.equal(shown[1], package[1])
    scale = shown[1].clone().requires_grad_()
    (slope,) = torch.autograd.grad((weight - scale * shown[0]).square().sum(), scale)          # the derivative of Eq. 3
    assert abs(slope) < 1e-2 * shown[0].square().sum() * shown[1]
    fixed = (weight * shown[0]).sum() / shown[0].square().sum()
    assert shown[1].item() == pytest.approx(fixed.item(), rel=3e-3)
    assert torch.equal(find("20.3").reference(weight, shown[0]), fixed)


@pytest.mark.parametrize("most", [1, 3])
def test_equation_4_listing_and_module_agree(listing, most):
    x = (most * draw(2, 200)).requires_grad_()
    fires = [(x > k + 0.5).to(FLOAT) for k in range(-most, most)]
    boxes = [((x - k - 0.5).abs() < 0.5).to(FLOAT) for k in range(-most, most)]
    for values in (listing["stairs"](x, most), quantization.staircase(x, -most, most, boxcar())):
        (slope,) = torch.autograd.grad(values.sum(), x)
        assert torch.equal(values, sum(fires) - most) and torch.equal(values, x.detach().round().clamp(-most, most))
        assert torch.equal(slope, sum(boxes)) and set(slope.tolist()) == {0.0, 1.0}
    for values in (listing["round_through"](x), quantization.round_through(x)):
        (slope,) = torch.autograd.grad(values.sum(), x)
        assert torch.equal(values, x.detach().round()) and slope.eq(1).all()
    assert torch.equal(spike(x - 0.5, boxcar()), (x > 0.5).to(FLOAT))


def test_equation_5_listing_and_module_agree(listing):
    weight = draw(3, 40, 9)
    size = weight.abs()
    for codes, scale in (listing["binary"](weight), quantization.weight_codes(weight, 1)):
        assert torch.equal(codes, weight.sign()) and scale.item() == pytest.approx(size.mean().item())
    for codes, scale in (listing["ternary"](weight), quantization.ternary_codes(weight)):
        kept = size > 0.7 * size.mean()
        assert torch.equal(codes, weight.sign() * kept) and scale.item() == pytest.approx(size[kept].mean().item())
    assert torch.equal(find("20.4").reference(weight), weight.sign() * size.mean())


@pytest.mark.parametrize("drop", [0, 8])
def test_equation_6_listing_and_module_agree(listing, drop):
    net, mean, std = network(), 0.13, 0.31
    linear = net.linears[0]
    codes, offset, threshold = listing["fold"](linear, mean, std, drop)
    layer = integers.to_integers(net, mean, std, drop=drop).layers[0]
    assert torch.equal(codes, layer.weight) and torch.equal(offset, layer.bias) and threshold == layer.threshold
    step = linear.weight.detach().abs().max().double().item() / 127
    unit = step / (255 * std)
    assert threshold == round(1 / (2**drop * unit))
    pixels = torch.arange(784) % 256
    wanted = step * codes.double() @ ((pixels / 255).double() - mean) / std + linear.bias.detach().double()
    assert torch.allclose(unit * (codes @ pixels + offset).double(), wanted, atol=1e-6 + unit / 2, rtol=1e-5)


@pytest.mark.parametrize("size", [3, 200, 50_000])
def test_equation_7_listing_and_module_agree(listing, size):
    current, threshold = (size * draw(4, 30, 3, 5)).round().long(), max(1, size)
    spk, mem = integers.integer_lif(current, threshold)
    assert all(map(torch.equal, listing["integer_lif"](current, threshold), (spk, mem))) and spk.any()
    for sample in range(3):
        for neuron in range(5):
            value = fired = 0
            for t in range(30):                                                                # Eq. 7, in Python's numbers
                value = math.floor(7 * value / 8) + int(current[t, sample, neuron]) - threshold * fired
                fired = int(value > threshold)
                assert (value, fired) == (int(mem[t, sample, neuron]), int(spk[t, sample, neuron]))


def test_a_network_on_the_grid_of_the_listing_learns_as_that_of_the_module(listing):
    net = network()
    ours, theirs = listing["rounded"](net, 2), quantization.put_on_grid(network(), 2, "least squares")
    x, target = direct_current(draw(5, 20, 784, dtype=torch.float32), 6), torch.arange(20) % 10
    grads = []
    for each in (ours, theirs):
        ce_membrane_loss(each(x)[-1].mem, target).backward()
        grads.append([linear.parametrizations.weight.original.grad for linear in each.linears])
    assert all(torch.equal(one, other) and one.any() for one, other in zip(*grads, strict=True))
    assert not hasattr(net.linears[0], "parametrizations")


def test_the_answers_of_the_exercises_are_the_modules():
    for current, threshold in find("20.7").cases:
        for one, other in zip(find("20.7").reference(current, threshold),
                              integers.integer_lif(current, threshold, way="shift"), strict=True):
            assert torch.equal(one, other)
    codes, scale = quantization.weight_codes(torch.linspace(-0.62, 0.62, 63, dtype=FLOAT), 6)
    assert scale.item() == pytest.approx(find("20.1").reference)
    assert 30.8 + 6.02 * (find("20.2").reference - 7) >= 45 > 30.8 + 6.02 * (find("20.2").reference - 8)
    assert 3 ** find("20.5").reference <= 256 < 3 ** (find("20.5").reference + 1)
    net = network()
    with torch.no_grad():
        net.linears[0].weight.mul_(0.5 / net.linears[0].weight.abs().max())
    assert integers.to_integers(net, 0.13, 0.31, drop=8).layers[0].threshold == find("20.6").reference
    rests = torch.arange(100)
    assert rests[integers.integer_leak(rests, 4, "shift") == rests].max() == find("20.8").reference


def test_the_read_out_of_the_build_is_the_leak_that_never_fires():
    heard = (100 * draw(6, 10, 4, 3)).round().long()
    _, mem = find("20.7").reference(heard, 2**40)
    assert torch.equal(mem, integers.integer_lif(heard, None, way="shift")[1])


@pytest.mark.parametrize("dtype", [torch.bool, torch.int32, torch.float32, torch.float64])
def test_the_cell_after_the_build_runs_with_spikes_of_any_dtype(dtype, capsys):
    def layer(current, threshold):
        spk, mem = find("20.7").reference(current, threshold)
        return spk.to(dtype), mem
    assert judge(find("20.7"), layer) == ("right", "")
    made = integers.to_integers(network(), 0.13, 0.31, drop=8)
    current = (40 * draw(8, 20, 12)).round().long()
    (path,) = notebooks.paths(["20"])
    (build,) = (cell for cell in code_cells(path) if cell.id == "s5-build")
    execute(build, {"integer_layer": layer, "made": made, "current": current, "threshold": 50, "whose": lambda fn: "your code",
                    "torch": torch, "data": SimpleNamespace(test_labels=torch.arange(20) % 10)})
    assert "of 10,000 digits" in capsys.readouterr().out


# The study

def test_a_gradient_that_is_changed_is_changed_and_the_copy_is_not():
    weight = draw(7, 20, 20, dtype=torch.float32).requires_grad_()
    codes, scale = quantization.weight_codes(weight, 2, "least squares")
    for clipped, wanted in ((True, (weight.abs() <= 1.5 * scale).float()), (False, torch.zeros(20, 20))):
        used = study.Changed(2, clipped)(weight)
        assert torch.allclose(used, codes * scale)
        (grad,) = torch.autograd.grad(used.sum(), weight)
        assert torch.equal(grad, wanted)
    used = study.Ternary()(weight)
    (grad,) = torch.autograd.grad(used.sum(), weight)
    assert torch.allclose(used, torch.mul(*quantization.ternary_codes(weight))) and grad.eq(1).all()


def test_differences_are_shares_of_the_first():
    one, other = torch.tensor([True, True, False, False]), torch.tensor([True, False, True, True])
    assert study.differ(one, other) == 1.5


# The explorers

def test_the_stored_network_is_what_its_listing_would_run():
    assert explorers.SMALL_NET.stat().st_size <= 70_000 and explorers.full_right() > 440
    weights = [weight for weight, _ in explorers.small_net()]
    net = SpikingMLP((784, explorers.WIDTH, 10), beta=7 / 8, readout="membrane")
    with torch.no_grad():
        for linear, (weight, bias) in zip(net.linears, explorers.small_net(), strict=True):
            linear.weight.copy_(weight)
            linear.bias.copy_(bias)
        data = mnist5k()
        train, test = flat(data.train_images), flat(data.test_images[:500])
        votes = net(direct_current((test - train.mean()) / train.std(), explorers.STEPS))[-1].mem.sum(0)
    assert (explorers.answers(weights) == votes.argmax(1)).float().mean() > 0.995


def test_the_picture_of_the_grid():
    weight = explorers.small_net()[0][0]
    for picture, s in pictures("quantization.grid", 6):
        most, stretch = quantization.levels(s["bits"]), s["stretch"]
        codes, scale = [], []
        for whole, _ in explorers.small_net():
            step = stretch * quantization.weight_codes(whole, s["bits"], s["rule"])[1]
            scale.append(step)
            codes.append(torch.where(whole >= 0, 1.0, -1.0) if s["bits"] == 1 else (whole / step).round().clamp(-most, most))
        at = [level for level in range(-most, most + 1) if abs(scale[0] * level) <= 0.15]
        full = {level: int((codes[0] == level).sum()) for level in range(-most, most + 1)}
        shares = [full[level] / max(full.values()) for level in at]
        picture.segments("copies", [((scale[0] * level, 0), (scale[0] * level, share))
                                    for level, share in zip(at, shares, strict=True)], "vermillion")
        named = explorers.answers([code * step for code, step in zip(codes, scale, strict=True)])
        right = int((named == mnist5k().test_labels[:500]).sum())
        picture.bar("copy", 0.65, 0, 0.7, right, "vermillion")
        picture.says("right", "{}", right, at=(1, max(0, right - 45)))
        picture.says("noise", "signal over error: {} dB", quantization.signal_to_noise(weight, codes[0] * scale[0]))
        picture.says("zeros", "zeros: {}%", 100 * (codes[0] == 0).float().mean())


def test_the_picture_of_the_leak():
    for picture, s in pictures("quantization.leak"):
        theta = s["threshold"]
        push = round(float(np.float32(s["drive"]) * np.float32(theta)))
        mem = fired = exact = exact_fired = 0
        trace, other, spikes = [], [], []
        for t in range(80):
            lost = {"(7 v) >> 3": mem - (7 * mem) // 8, "v - (v >> 3)": mem // 8, "7 v / 8 in C": mem - int(7 * mem / 8),
                    "v - v / 8 in C": int(mem / 8)}[s["way"]]
            now = push if t < 30 else 0
            mem = mem - lost + now - theta * fired
            exact = 0.875 * exact + now - theta * exact_fired
            fired, exact_fired = int(mem > theta), int(exact > theta)
            trace.append(mem / theta)
            other.append(exact / theta)
            spikes += [t] * fired
        picture.line("mem", range(80), trace, "vermillion", steps="steps-mid", label="integers", clipped=True)
        picture.line("exact", range(80), other, "0.3", "--", label="floating point", clipped=True)
        picture.points("spk", spikes, [1.7] * len(spikes), "black", "|")
        picture.says("last", "after 80 steps: {} units of {}", mem, theta)


def test_what_stands_behind_the_pictures():
    behind = background("quantization.grid")
    behind.axes("0", "Weights of the hidden layer", ("", -0.15, 0.15), ("share", 0, 0.09))
    behind.axes("1", "Their copies on the grid", ("weight", -0.15, 0.15), ("of the fullest", 0, 1.3))
    behind.axes("2", "", ("", -0.6, 1.6), ("digits read, of 500", 0, 500), xticks={0: "full", 1: "copy"})
    edges = torch.linspace(-0.15, 0.15, 61)
    weight = explorers.small_net()[0][0]
    behind.stairs("0.patch0", torch.histogram(weight.flatten(), edges).hist / weight.numel(), edges, "sky")
    behind.bar("2.patch0", -0.35, 0, 0.7, explorers.full_right(), "0.6")
    behind.done()
    behind = background("quantization.leak")
    behind.axes("0", "Pushed for 30 steps, then left alone", ("time step", -0.5, 79.5), ("potential / threshold", -4, 1.9),
                legend=("floating point", "integers"))
    behind.rule("0.line0", "0.45", "--", y=1)
    behind.says("0.text0", "")
    behind.bar("0.patch0", -0.5, 0, 30, 1, "sky", clipped=True)
    behind.done()
