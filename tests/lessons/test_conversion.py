"""What ties notebook 12 together: its displayed equations, its listings, the module, the study, and its explorers."""
import math

import pytest
import torch

from snnteach import conversion
from snnteach.authoring import notebooks
from snnteach.data import mnist5k
from snnteach.energy import ReluMLP, count_operations
from snnteach.lessons.conversion import explorers, study
from snnteach.networks import SpikingMLP, direct_current
from snnteach.reader.judge import judge
from snnteach.reader.lookup import exercise as find
from tests.cells import code_cells, execute
from tests.drawing import background, pictures
from tests.listings import namespace

FLOAT = torch.float64


@pytest.fixture(scope="module")
def listing():
    return namespace("conversion")


def network(seed=0, sizes=(20, 15, 12, 4)):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return ReluMLP(sizes).double()


def inputs(seed, samples, size=20):
    return torch.rand(samples, size, generator=torch.Generator().manual_seed(seed), dtype=FLOAT)


# Equations

@pytest.mark.parametrize("start", [0.0, 0.5])
@pytest.mark.parametrize("num_steps", [1, 5, 16])
def test_equation_1_listing_and_module_agree(listing, num_steps, start):
    current = torch.arange(1, 1025, dtype=FLOAT) / 1024                                      # above 0, at most 1
    count = listing["integrating_layer"](current.expand(num_steps, -1), start).sum(0)
    rest = start + num_steps * current - count                                               # Eq. 1
    assert ((rest > 0) & (rest <= 1)).all()
    assert torch.allclose(count / num_steps - current, (start - rest) / num_steps, atol=1e-12)
    assert torch.equal(conversion.even_rate(current, num_steps, start), count / num_steps)
    outside = torch.tensor([-0.7, 1.2, 5.0], dtype=FLOAT)
    assert listing["integrating_layer"](outside.expand(num_steps, -1), start).mean(0).tolist() == [0, 1, 1]


@pytest.mark.parametrize("current", [0.9, 0.4, 0.3, 0.11])
def test_equation_2_simulation_and_module_agree(current):
    mem = spikes = 0
    for _ in range(1200):
        mem += current
        spikes, mem = (spikes + 1, 0) if mem > 1 else (spikes, mem)
    each = math.floor(1 / current) + 1                                                       # Eq. 2
    assert spikes == 1200 // each
    assert conversion.zero_reset_rate(torch.tensor(current, dtype=FLOAT)).item() == pytest.approx(1 / each)


def test_equation_3_listing_exercise_and_module_agree(listing):
    ann, x = network(), inputs(0, 60)
    scales = conversion.activation_scales(ann, x, 90)
    made = conversion.convert(ann, scales)
    for layer, (before, after) in enumerate(zip([1.0, *scales], [*scales, 1.0], strict=True)):           # Eq. 3
        assert torch.allclose(made.linears[layer].weight, ann.linears[layer].weight * before / after)
        assert torch.allclose(made.linears[layer].bias, ann.linears[layer].bias / after)
    votes, spikes = listing["run"](made, x, 12, 0.5)
    records = made(direct_current(x, 12))
    assert torch.allclose(records[-1].mem, votes) and spikes[-1].sum() == sum(record.spk.sum() for record in records[:-1])
    layers = [[part.detach() for part in (linear.weight, linear.bias)] for linear in ann.linears]
    weights, biases = find("12.5").reference([weight for weight, _ in layers], [bias for _, bias in layers], x, 100)
    full = conversion.convert(ann, conversion.activation_scales(ann, x))             # at 100 both are the largest
    for linear, weight, bias in zip(full.linears, weights, biases, strict=True):
        assert torch.allclose(linear.weight, weight) and torch.allclose(linear.bias, bias)


def test_equation_4_simulation_and_module_agree():
    ann, x, steps = network(), inputs(1, 40), 8
    scales = conversion.activation_scales(ann, x, 90)
    net = conversion.convert(ann, scales)
    rates = [record.spk.mean(0) for record in net(direct_current(x, steps))[:-1]]
    for layer, part in enumerate(conversion.split_error(net, ann, x, steps)):
        a = ann(x[None])[layer].spk[0] / scales[layer]
        m = net.linears[layer](rates[layer - 1] if layer else x)
        evenly = conversion.even_rate(m, steps)
        for found, wanted in zip(part, (a.clamp(0, 1) - a, m.clamp(0, 1) - a.clamp(0, 1), evenly - m.clamp(0, 1),
                                        rates[layer] - evenly), strict=True):                # Eq. 4
            assert torch.equal(found, wanted)
        assert torch.allclose(sum(part), rates[layer] - a, atol=1e-12)


def test_equation_5_is_where_the_counted_operations_cost_the_same():
    ann, x = network(), inputs(2, 50)
    net = conversion.convert(ann, conversion.activation_scales(ann, x))
    steps = 40
    active = (ann(x[None])[0].spk > 0).double().mean().item()
    rate = net(direct_current(x, steps))[0].spk.mean().item()
    star = 4.6 / 0.9 * active / rate                                                         # Eq. 5
    products, sums = count_operations(ann, x[None])[1].macs, count_operations(net, direct_current(x, steps))[1].additions
    assert 0.9 * sums / steps * star == pytest.approx(4.6 * products)


def test_the_answers_of_the_exercises_are_the_modules():
    current = torch.linspace(0, 1, 20_001, dtype=FLOAT)
    worst = (conversion.even_rate(current, 50) - current).abs().max()
    assert worst.item() == pytest.approx(find("12.1").reference, abs=1e-6)
    assert 100 * conversion.even_rate(torch.tensor(0.373, dtype=FLOAT), 100, 0.0) == find("12.2").reference
    assert 300 * conversion.zero_reset_rate(torch.tensor(0.4, dtype=FLOAT)) == pytest.approx(find("12.3").reference)
    ann = network(sizes=(5, 3, 3, 2))
    with torch.no_grad():
        ann.linears[1].weight.fill_(0.6)
    assert conversion.convert(ann, [4.0, 8.0]).linears[1].weight.unique().item() == pytest.approx(find("12.4").reference)
    wave = torch.tensor([0.8] * 5 + [-0.8] * 5)[:, None, None]
    assert explorers.fire(wave, 0.5, "subtract")[0].sum() == find("12.6").reference
    assert find("12.8").reference == pytest.approx(1 - (1 - 0.4) ** 2)


def test_the_cell_after_the_build_runs(listing, capsys):
    assert judge(find("12.5"), find("12.5").reference) == ("right", "")
    (path,) = notebooks.paths(["12"])
    (build,) = (cell for cell in code_cells(path) if cell.id == "s2-build")
    ann = network(sizes=(784, 100, 100, 10)).float()
    names = {"converted": find("12.5").reference, "ann": ann, "whose": lambda fn: "your code", "torch": torch,
             "train": mnist5k().train_images[:200].flatten(1) / 255, "ReluMLP": ReluMLP,
             "over_steps": lambda net, start, num_steps: (torch.ones(8), torch.ones(8))}
    execute(build, names)
    assert "your code: 100.00% of 10,000 digits after 8 steps" in capsys.readouterr().out
    made = conversion.convert(ann, conversion.activation_scales(ann, names["train"], 97))
    for linear, other in zip(names["yours"].linears, made.linears, strict=True):
        assert torch.allclose(linear.weight, other.weight, rtol=1e-3, atol=1e-6)


# The study

def test_a_staircase_is_the_network_run_evenly():
    ann, x = network(sizes=(784, 100, 100, 10)).float(), mnist5k().test_images[:50].flatten(1) / 255
    net = conversion.convert(ann, conversion.activation_scales(ann, x, 97))
    stairs = study.Stairs(net, 2)(x[None])[-1].mem[0]
    assert torch.allclose(stairs, conversion.run_evenly(net, x, 2)[1], atol=1e-5)
    assert all(one is other for one, other in zip(study.as_spiking(study.Stairs(net, 2)).linears, net.linears, strict=True))


def test_shuffled_weights_are_the_same_weights():
    ann = network()
    mixed = study.shuffled(ann, 0)
    for one, other in zip(ann.parameters(), mixed.parameters(), strict=True):
        assert torch.equal(one.flatten().sort().values, other.flatten().sort().values) and not torch.equal(one, other)


def test_an_ann_takes_one_step():
    assert study.steps_of(network(), 5) == 1 and study.steps_of(conversion.ConvertedMLP((3, 4, 2)), 5) == 5
    assert study.steps_of(SpikingMLP((3, 2)), 5) == 5


# The explorers

def test_the_stored_network_is_what_the_module_converts():
    assert explorers.SMALL_NET.stat().st_size <= 30_000 and explorers.ann_right() > 180
    net = explorers.small_net()
    ann = ReluMLP((40, 40, 40, 10))
    with torch.no_grad():
        ann.linears[0].weight.copy_(torch.eye(40))
        ann.linears[0].bias.zero_()
        for layer in (1, 2):
            ann.linears[layer].weight.copy_(net[f"weight{layer}"])
            ann.linears[layer].bias.copy_(net[f"bias{layer}"])
        for s in ({"steps": 7, "percentile": 97.0, "start": 0.5, "reset": "subtract"},
                  {"steps": 4, "percentile": 90.0, "start": 0.25, "reset": "zero"}):
            place = round((s["percentile"] - 80) * 2)
            made = conversion.convert(ann, [net[f"scales{layer}"][place].item() for layer in (1, 2)], s["start"],
                                      reset=s["reset"])
            *hidden, out = made(direct_current(net["potential"], s["steps"]))
            data = explorers.compute_network(**s)
            assert abs(data["right"] - int((out.mem[-1].argmax(1) == explorers.labels()).sum())) <= 1
            for record, rates in zip(hidden, data["rates"], strict=True):
                assert (record.spk.mean(0)[:10].flatten() != rates).float().mean() < 0.01


def fired(current, start, reset):
    """Membranes and spikes of one neuron, in Python's numbers."""
    mem, spk, mems, spikes = start, 0, [], []
    for now in current:
        mem = (0 if spk and reset == "zero" else mem) + now - (spk if reset == "subtract" else 0)
        spk = int(mem > 1)
        mems.append(mem)
        spikes.append(spk)
    return mems, spikes


def test_the_picture_of_the_neuron():
    axis = [-0.2 + 0.01 * place for place in range(161)]
    for picture, s in pictures("conversion.neuron", 8):
        steps = s["steps"]
        data = explorers.compute_neuron(**s)
        mems, spikes = fired([s["current"]] * steps, s["start"], s["reset"])
        near = [abs(mem - 1) > 1e-4 for mem in mems]
        if all(near):
            assert data["spk"].tolist() == spikes and data["mem"].tolist() == pytest.approx(mems, abs=1e-4)
        if s["reset"] == "subtract":
            exact = conversion.even_rate(torch.tensor(axis, dtype=FLOAT), steps, s["start"])
            assert ((data["rates"] - exact).abs() > 1e-6).float().mean() < 0.1           # rounding decides at the steps
        picture.line("mem", range(1, steps + 1), data["mem"], "blue", marker="o", clipped=True)
        picture.points("spk", [t for t, spk in enumerate(data["spk"].tolist(), 1) if spk], [2.4] * data["count"], "black", "|")
        picture.says("count", "{} spikes in {} steps", data["count"], steps)
        picture.line("rates", axis, data["rates"], "vermillion", steps="steps-mid")
        picture.points("here", [s["current"]], [data["count"] / steps], "blue")


def test_the_picture_of_the_network():
    for picture, s in pictures("conversion.network", 6):
        data = explorers.compute_network(**s)
        for name, wanted, rate, color, marker in zip(("first", "second"), data["wanted"], data["rates"], ("blue", "vermillion"),
                                                     ("o", "s"), strict=True):
            seen = wanted <= 1.6
            picture.points(name, wanted[seen], rate[seen], color, marker)
        picture.says("spikes", "{} spikes an image", data["spikes"])
        picture.bar("bar", 0.65, 0, 0.7, data["right"], "vermillion")
        picture.says("right", "{}", data["right"], at=(1, max(0, data["right"] - 16)))


def test_what_stands_behind_the_pictures():
    behind = background("conversion.neuron")
    behind.axes("0", "One neuron", ("time step", 0, 32.5), ("membrane", -0.6, 2.6))
    behind.axes("1", "Its rate, and a clipped ReLU", ("current", -0.2, 1.4), ("spikes a step", -0.05, 1.1))
    behind.rule("0.line0", "0.45", "--", y=1)
    behind.says("0.text0", "")
    behind.line("1.line0", [-0.2, 0, 1, 1.4], [0, 0, 1, 1], "0.45", "--")
    behind.done()
    behind = background("conversion.network")
    behind.axes("0", "first layer", ("activation / scale", -0.05, 1.6), ("rate", -0.05, 1.08))
    behind.axes("1", "second layer", ("activation / scale", -0.05, 1.6), ("", -0.05, 1.08))
    behind.axes("2", "read, of 200", ("", -0.6, 1.6), ("", 0, 200), xticks={0: "ANN", 1: "SNN"})
    behind.line("0.line0", [0, 1, 1.6], [0, 1, 1], "0.45", "--")
    behind.line("1.line0", [0, 1, 1.6], [0, 1, 1], "0.45", "--")
    behind.bar("2.patch0", -0.35, 0, 0.7, explorers.ann_right(), "0.6")
    behind.done()
