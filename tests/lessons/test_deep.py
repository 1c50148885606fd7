"""What ties notebook 10 together: its equations, listings, the module, the explorer, the film, and what it says is stored."""
import csv
import math
from pathlib import Path
from statistics import mean

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from snnteach import deep, stored
from snnteach.lessons.deep import films, study
from snnteach.losses import ce_membrane_loss
from snnteach.networks import direct_current
from snnteach.neurons import LIF, lif
from snnteach.reader.lookup import exercise as find
from snnteach.reader.lookup import explorer as find_explorer
from tests.drawing import background, film, pictures
from tests.listings import namespace

FLOAT = torch.float64
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shown():
    return namespace("deep")


def draw(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=FLOAT)


def made(make):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return make().double()


def values_and_gradients(layer, x):
    x = x.clone().requires_grad_()
    y = layer(x)
    learned = [weight for weight in layer.parameters() if weight.requires_grad]
    return y, *torch.autograd.grad((draw(9, *y.shape) * y).sum(), [x, *learned])


@pytest.mark.parametrize("shape", [(5, 4, 6), (5, 4, 6, 3, 3)])
def test_equation_1_its_listing_and_the_module_agree(shown, shape):
    x, axes = 2 * draw(0, *shape) + 1, [0, 1, *range(3, len(shape))]
    gamma, b = (draw(seed, 6).view(-1, *[1] * (len(shape) - 3)) for seed in (1, 2))
    equation = gamma * (x - x.mean(axes, keepdim=True)) / (x.var(axes, unbiased=False, keepdim=True) + 1e-5).sqrt() + b
    found = []
    for norm in (shown["NormOverTime"](6).double(), deep.NormOverTime(6).double()):
        norm.norm.weight.data.copy_(gamma.flatten()), norm.norm.bias.data.copy_(b.flatten())
        found.append(values_and_gradients(norm, x))
        mean_run = norm.norm.running_mean.clone()
        norm(x)                                                                                # Eq. 2
        assert torch.allclose(norm.norm.running_mean, 0.9 * mean_run + 0.1 * x.transpose(0, 2).flatten(1).mean(1))
    assert torch.allclose(found[0][0], equation, atol=1e-10)
    assert all(torch.allclose(a, b, atol=1e-10) for a, b in zip(*found, strict=True))


@pytest.mark.parametrize("constant", [True, False])
def test_the_listing_of_layers_over_time_is_the_module(shown, constant):
    x = direct_current(draw(0, 4, 2, 5, 5), 6) if constant else draw(0, 6, 4, 2, 5, 5)
    conv = made(lambda: nn.Conv2d(2, 3, 3))
    found = [values_and_gradients(source(conv), x) if not constant else (source(conv)(x),)
             for source in (shown["OverTime"], deep.OverTime)]
    assert all(torch.allclose(a, b, atol=1e-12) for a, b in zip(*found, strict=True))
    assert all((y[0].stride(0) == 0) is constant for y in found)


def test_equation_3_its_listing_and_the_module_agree(shown):
    linear, x = made(lambda: nn.Linear(6, 6)), draw(0, 7, 4, 6).gt(0).double()
    equation = x + lif(linear(x), 0.9)[0]
    layers = [deep.OverTime(linear), LIF(0.9)]
    found = [values_and_gradients(source(layers), x) for source in (shown["Residual"], deep.Residual)]
    assert torch.equal(found[0][0], equation)
    assert all(torch.allclose(a, b, atol=1e-12) for a, b in zip(*found, strict=True))
    upstream = draw(9, 7, 4, 6)
    around = torch.autograd.grad((upstream * lif(linear(x.requires_grad_()), 0.9)[0]).sum(), x)[0]
    assert torch.allclose(found[0][1], upstream + around, atol=1e-12)                          # the 1 of Eq. 3


def test_the_listing_of_the_network_is_the_package(shown):
    x, found = direct_current(2 * draw(0, 6, 1, 16, 16), 5), []
    for source in (shown["conv_net"], deep.conv_net):
        net = made(lambda source=source: source((3, 4), size=16))
        records = net(x)
        loss = ce_membrane_loss(records[-1].mem, torch.arange(6))
        found.append([records[0].spk, records[1].spk, loss,
                      *torch.autograd.grad(loss, [weight for weight in net.parameters() if weight.requires_grad])])
    assert 0.05 < found[0][0].mean() < 0.6 and all(torch.allclose(a, b, atol=1e-10) for a, b in zip(*found, strict=True))


def test_the_builds_norm_is_the_package_at_each_step():
    for x, weight, average, variance, training in find("10.2").cases:
        norm = deep.NormOverTime(x.shape[2], num_steps=len(x)).train(training)
        norm.norm.weight.data.copy_(weight.flatten())
        norm.norm.running_mean.copy_(average.flatten()), norm.norm.running_var.copy_(variance.flatten())
        y, after, _ = find("10.2").reference(x, weight, average, variance, training)
        assert torch.allclose(norm(x), y, atol=1e-5)
        assert torch.allclose(norm.norm.running_mean.view_as(after), after, atol=1e-6)


def test_exercises_agree_with_the_module():
    for weight, bias, gamma, beta, average, variance in find("10.3").cases:
        layer, norm = nn.Linear(*weight.shape[::-1]), deep.NormOverTime(len(weight))
        pairs = ((layer.weight, weight), (layer.bias, bias), (norm.norm.weight, gamma), (norm.norm.bias, beta),
                 (norm.norm.running_mean, average), (norm.norm.running_var, variance))
        for own, given in pairs:
            own.data.copy_(given)
        folded, answer = deep.fold_norm(layer, norm), find("10.3").reference(weight, bias, gamma, beta, average, variance)
        assert torch.allclose(folded.weight, answer[0], atol=1e-5) and torch.allclose(folded.bias, answer[1], atol=1e-5)
    for weight, bias, threshold in find("10.1").cases:
        s = (torch.rand(20, 3, weight.shape[1], generator=torch.Generator().manual_seed(0)) < 0.5).float()
        new_weight, new_bias = find("10.1").reference(weight, bias, threshold)
        spk = lif(s @ weight.T + bias, 0.9, threshold)[0]
        assert torch.equal(spk, lif(s @ new_weight.T + new_bias, 0.9)[0]) and spk.mean() > 0.05
    assert find("10.5").reference == sum(weight.numel() for weight in nn.Conv2d(12, 32, 5).parameters())
    for size, window, maps, row, column in find("10.9").cases:
        spike = torch.zeros(1, 3, size, size)
        spike[0, 1, row, column] = 1
        current = nn.functional.conv2d(spike, torch.ones(maps, 3, window, window))
        assert find("10.9").reference(size, window, maps, row, column) == current.count_nonzero()
    awake = deep.SpikingStack([deep.OverTime(lambda x: 0 * x + 9), LIF(0.9), *(
        deep.Residual([deep.OverTime(lambda x: 0 * x + 9), LIF(0.9)]) for _ in range(19)),
        deep.OverTime(nn.Identity()), LIF(0.0, math.inf, reset="none")])
    assert awake(torch.ones(1, 1, 2))[-1].mem.max() == find("10.4").reference
    x, uniform, p = find("10.8").cases[0]
    dropped = find("10.8").reference(x, uniform, p)
    assert torch.equal(dropped == 0, (uniform < p).expand_as(x))
    assert torch.allclose(dropped, torch.where(uniform < p, 0, x / 0.7))
    assert find("10.7").reference == pytest.approx(0.21)


def test_woken_layers_fire_at_the_rate_asked_for():
    net, images = study.deep_net(6), study.small_digits()[0][:200]
    study.wake(net, images)
    assert all(record.spk.mean().item() == pytest.approx(0.2, abs=0.01) for record in net(direct_current(images, 10))[:-1])


def test_what_the_prose_says_is_stored():
    runs = stored("deep")
    percent = {name: round(100 * mean(runs[name])) for name in runs}
    assert [percent[f"10 layers, {name}"] for name in ("plain", "woken once", "BN")] == [25, 94, 94]
    assert [percent[f"20 layers, {name}"] for name in ("woken once", "BN")] == [16, 22]
    assert percent["20 layers, BN and ReLU"] == 89
    assert min(runs["conv net"]) > 0.975 and percent["conv net"] == 98


def test_the_conv_step_is_twice_as_fast_as_snntorchs_in_the_stored_table():
    rows = list(csv.DictReader((ROOT / "tests" / "benchmarks" / "conv_step.csv").open()))
    ratios = [float(row["snntorch_ms"]) / float(row["snnteach_ms"]) for row in rows]
    assert ratios == pytest.approx([float(row["ratio"]) for row in rows], rel=0.01)
    assert ratios[0] >= 2 and ratios[1] > 1.7 and ratios[2] > 1.7 and len(ratios) == 3   # 25 steps, 8, which save less, and 50


def test_the_picture_of_the_depth():
    random = torch.Generator().manual_seed(0)
    images, matrices = torch.randn(8, 40, generator=random), []
    for _ in range(10):
        matrices.append((2 * torch.rand(40, 40, generator=random) - 1) / 40**0.5)
    output = (2 * torch.rand(10, 40, generator=random) - 1) / 40**0.5
    for picture, s in pictures("deep.depth"):
        weights = [(s["gain"] * matrix).requires_grad_() for matrix in matrices[:s["depth"]]]
        x, rates = torch.stack([images] * 5), []
        for number, weight in enumerate(weights):
            current = x @ weight.T
            if s["norm"] == "batch norm":
                current = (current - current.mean((0, 1))) / (current.var((0, 1), unbiased=False) + 1e-5).sqrt()
            spk = lif(current, 0.9)[0]
            x = spk + x if number and s["shortcuts"] == "yes" else spk
            rates.append(spk.mean().item())
        F.cross_entropy((x @ output.T).sum(0), torch.arange(8)).backward()
        sizes = [weight.grad.norm().item() for weight in weights]
        for layer in range(10):
            there = layer < s["depth"]
            rate, size = (rates[layer], sizes[layer]) if there else (0, 0)
            picture.bar(f"rate {layer}", 0, layer + 0.65, rate, 0.7, "blue")
            words, end = "{}" if rate else "silent" if there else "no layer", (rate + 0.01, layer + 1)
            picture.says(f"rate text {layer}", words, *[rate] * (rate > 0), at=end)
            picture.bar(f"gradient {layer}", 1e-12, layer + 0.65, max(size - 1e-12, 0), 0.7, "orange")
            picture.says(f"gradient text {layer}", "{}" if size else "exactly 0" * there, *[size] * (size > 0))


def test_what_stands_behind_the_picture():
    behind, layers = background("deep.depth"), {layer: str(layer) for layer in range(1, 11)}
    behind.axes("0", "Forward: who fires", ("spikes a neuron and step", 0, 0.75), ("layer", 10.6, 0.4), yticks=layers)
    behind.axes("1", "Back: who hears of the loss", ("norm of dL/dW", 1e-12, 1e9), ("", 10.6, 0.4), xscale="log")
    behind.done()


def test_the_explorer_tells_what_the_notebook_says():
    compute = find_explorer("deep.depth").compute
    start, ten = compute(2, "none", "no", 1.0), compute(10, "none", "no", 1.0)
    assert start["rates"][1] == pytest.approx(0.005) and max(ten["rates"][2:]) == 0 == ten["gradients"][9]
    assert min(compute(10, "batch norm", "no", 1.0)["rates"]) > 0.15 and min(compute(10, "none", "no", 4.0)["rates"]) > 0.2


@pytest.mark.parametrize("step", [1, 4])
def test_the_film_draws_the_maps(step):
    net, image = made(deep.conv_net).float(), torch.randn(1, 28, 28, generator=torch.Generator().manual_seed(0))
    frames = films.map_frames(net, image, 4)
    records = net.eval()(direct_current(image[None], 4))
    now, one, two, shares, digit_shown = frames[step - 1]
    assert now == step and torch.equal(one, records[0].spk[step - 1, 0]) and torch.equal(two, records[1].spk[step - 1, 0])
    assert torch.allclose(shares, records[2].mem[:step, 0].mean(0).softmax(0), atol=1e-6) and one.sum() > 0
    still, picture = film(films.build_maps, films.draw_maps, frames[step - 1], width=9.0, height=3.4)
    assert torch.equal(digit_shown, image[0])
    picture.image("0.image0", image[0], "gray_r", (image.min().item(), image.max().item()))
    for place, (maps, columns) in enumerate(((one, 4), (two, 8)), 1):
        size, lines = maps.shape[1] + 1, len(maps) // columns
        wanted = torch.full((lines * size + 1, columns * size + 1), 0.3)
        for number, each in enumerate(maps):
            row, column = divmod(number, columns)
            wanted[row * size + 1:(row + 1) * size, column * size + 1:(column + 1) * size] = each
        picture.image(f"{place}.image0", wanted, "gray_r", (0, 1))
    for digit in range(10):
        color = "vermillion" if digit == shares.argmax() else "sky"
        picture.bar(f"3.patch{digit}", 0, digit - 0.35, shares[digit].item(), 0.7, color)
    picture.says("2.text0", "step {}", step)
    picture.done()
    still.axes("3", "read-out", ("softmax so far", 0, 1), ("digit", 9.6, -0.6), yticks={n: str(n) for n in range(10)})
    for place, title in enumerate(("input", "12 maps of layer 1", "32 maps of layer 2")):
        assert still.artists[f"{place}"].get_title(loc="left") == title
        still.left.discard(f"{place}")
    still.done()
