"""What ties notebook 05 together: its displayed equations, its listings, the modules, the explorer and its network."""
import itertools

import numpy as np
import pytest
import torch

from snnteach import balance, decoding
from snnteach.data import flat, mnist5k
from snnteach.lessons.decoding import explorers, films
from snnteach.lessons.decoding.study import count_loss, outputs
from snnteach.losses import ce_count_loss
from snnteach.networks import SpikingMLP, direct_current
from snnteach.neurons import lif
from snnteach.reader.lookup import exercise as find
from snnteach.zoo import recurrent_lif
from tests.drawing import background, film, pictures
from tests.listings import namespace

FLOAT = torch.float64


@pytest.fixture(scope="module")
def listing():
    return namespace("decoding")


def draw(seed, *shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=FLOAT)


def network(seed=0, sizes=(20, 15, 12, 6), threshold=0.2):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return SpikingMLP(sizes, threshold=threshold).double()


@pytest.mark.parametrize("delay", [0, 1, 3, 30])
def test_equation_1_listing_and_module_agree(listing, delay):
    net, x = network(threshold=1.0), direct_current(8 * draw(0, 4, 20), 14)
    layers = [(linear.weight, linear.bias) for linear in net.linears]
    shown, package = listing["run_layers"](x, layers, delay), decoding.run_delayed(net, x, delay)
    sent = [list(x)]
    for weight, bias in layers:                                     # Eq. 1, neuron by neuron and step by step
        first, heard = len(sent) == 1, sent[-1]
        mem, spk, steps = torch.zeros(4, len(bias), dtype=FLOAT), torch.zeros(4, len(bias), dtype=FLOAT), []
        for t in range(14):
            before = heard[t] if first else heard[t - delay] if t >= delay else torch.zeros_like(heard[0])
            mem = 0.9 * mem + before @ weight.T + bias - spk
            spk = (mem > 1).to(FLOAT)
            steps.append(spk)
        sent.append(steps)
    for steps, (spk, mem), record in zip(sent[1:], shown, package, strict=True):
        assert torch.equal(torch.stack(steps), spk) and torch.equal(spk, record.spk)
        assert torch.allclose(mem, record.mem, rtol=0, atol=1e-10)
    assert shown[0][0].any() and (delay or shown[-1][0].any())
    gradients = [torch.autograd.grad(sum(spk.sum() + mem.square().sum() for spk, mem in records), list(net.parameters()))
                 for records in (shown, package)]
    for one, other in zip(*gradients, strict=True):
        assert torch.allclose(one, other, rtol=1e-10, atol=1e-10) and (delay == 30 or one.abs().sum() > 0)


def test_equation_2_listing_and_module_agree(listing):
    ours, theirs, x = network(), network(), direct_current(4 * draw(1, 60, 20), 12)
    listing["scale_to_data"](ours, x, 1.5)
    decoding.scale_to_data(theirs, x, 1.5)
    spk = x
    for one, other, neuron in zip(ours.linears, theirs.linears, ours.neurons, strict=True):
        assert torch.allclose(one.weight, other.weight, rtol=1e-8) and torch.allclose(one.bias, other.bias, rtol=1e-8)
        _, mem = lif(one(spk), 0.9, reset="none")
        assert (mem.mean() + 1.5 * mem.std()).item() == pytest.approx(neuron.threshold)
        spk, _ = neuron(one(spk))


def test_equation_3_listing_and_module_agree(listing):
    spk, mem = (draw(2, 9, 40, 5) < 0.2).to(FLOAT), draw(3, 9, 40, 5)
    shown = listing["readings"](spk, mem)
    assert torch.equal(shown["counts"], decoding.count_scores(spk)) and torch.equal(shown["membrane"],
                                                                                    decoding.membrane_scores(mem))
    assert torch.equal(shown["first spike"].to(FLOAT), decoding.latency_scores(spk))
    for sample, label in itertools.product(range(40), range(5)):
        fired = spk[:, sample, label].nonzero().flatten().tolist()
        assert shown["counts"][sample, label] == len(fired)
        assert shown["first spike"][sample, label] == 9 - min(fired, default=9)
    for scores in shown.values():
        for one, other in zip(listing["decide"](scores), decoding.decide(scores.to(FLOAT)), strict=True):
            assert torch.equal(one, other)
    assert decoding.decide(shown["counts"])[1].any()


def test_equation_6_and_the_layer_of_the_zoo_agree():
    weight = balance.draw_synapses(40, 10, (8, 4), 0.2, 4.0, torch.Generator().manual_seed(0)).double()
    current, start = 0.3 * draw(4, 50, 2, 50), draw(5, 2, 50)
    spk, mem = recurrent_lif(current, 0.9, weight, state=(start, torch.zeros_like(start)))
    assert torch.equal(spk, (mem > 1).double()) and 0.02 < spk.mean() < 0.6
    before = torch.cat([start[None], mem[:-1]])
    fired = torch.cat([torch.zeros_like(spk[:1]), spk[:-1]])
    assert torch.allclose(mem, 0.9 * before + current + fired @ weight.T - fired, atol=1e-12)


def test_the_answers_of_the_exercises_are_the_modules():
    for (spk,) in find("05.3").cases:
        assert torch.equal(find("05.3").reference(spk), decoding.first_spikes(spk))
    for spk, margin in find("05.4").cases:
        for one, other in zip(find("05.4").reference(spk, margin), decoding.race(spk, margin), strict=True):
            assert torch.equal(one, other)
    for weight, count in find("05.6").cases:
        assert torch.equal(find("05.6").reference(weight, count), balance.dale(weight, count))


def test_the_values_of_the_exercises_follow_from_the_modules():
    chain = SpikingMLP((1, 1, 1, 1, 1))
    with torch.no_grad():
        for linear in chain.linears:
            linear.weight.fill_(2.0)
            linear.bias.zero_()
    heard = decoding.run_delayed(chain, torch.ones(10, 1, 1), 2)[-1].mem
    assert int((heard != 0).sum()) == find("05.1").reference
    mem = torch.tensor([-1.0, 1.0], dtype=FLOAT).repeat(1, 1, 500)
    mem = 0.05 + 0.25 * mem / mem.std()
    assert decoding.weight_gain(mem, spread=2.0) == pytest.approx(find("05.2").reference)
    weight = balance.draw_synapses(400, 100, (40, 10), 0.06, 10.0, torch.Generator().manual_seed(0))
    assert (0.2 + 0.045 * weight.sum(1)).mean().item() == pytest.approx(find("05.7").reference, abs=1e-6)


def test_one_neuron_a_class_and_many_have_the_same_count_loss():
    spk, target = (draw(6, 8, 30, 10) < 0.3).to(FLOAT), torch.arange(30) % 10
    record = type("Record", (), {"spk": spk})
    assert count_loss([record], target).item() == pytest.approx(ce_count_loss(spk, target).item())
    many = (draw(7, 8, 30, 40) < 0.3).to(FLOAT)
    summed = torch.nn.functional.cross_entropy(many.unflatten(2, (10, 4)).sum((0, 3)), target)
    assert count_loss([type("Record", (), {"spk": many})], target).item() == pytest.approx(summed.item())


def test_outputs_are_those_of_all_images_in_order():
    net = SpikingMLP((784, 8, 10), threshold=0.1)
    out, data = outputs(net, 3), mnist5k()
    train, test = flat(data.train_images), flat(data.test_images[[0, 4321, 9999]])
    with torch.no_grad():
        few = net(direct_current((test - train.mean()) / train.std(), 3))[-1]
    assert torch.equal(out.spk[:, [0, 4321, 9999]], few.spk) and few.spk.any()


# The explorer

def test_the_stored_network_reads_digits_and_is_what_its_function_makes():
    data = mnist5k()
    (spk, _) = explorers.run_stored(flat(data.test_images[:1000]))[-1]
    assert (spk.sum(0).argmax(1) == data.test_labels[:1000]).double().mean() > 0.87
    assert explorers.LAYERS_NET.stat().st_size <= 60_000
    made = explorers.train_layers_net()
    with np.load(explorers.LAYERS_NET) as stored:
        assert set(made) == set(stored.files) and np.array_equal(made["images"], stored["images"])
    for layer, (weight, _) in enumerate(explorers.layers_net(), 1):
        same = torch.from_numpy(made[f"weight{layer}"]).float().flatten()
        assert torch.nn.functional.cosine_similarity(same, weight.flatten(), dim=0) > 0.7


def test_a_gain_multiplies_all_weights_and_a_delay_is_that_of_the_module():
    net = SpikingMLP((784, explorers.WIDTH, explorers.WIDTH, 10))
    with torch.no_grad():
        for linear, (weight, bias) in zip(net.linears, explorers.layers_net(), strict=True):
            linear.weight.copy_(1.5 * weight)
            linear.bias.copy_(1.5 * bias)
    pixels = flat(mnist5k().test_images[:5])
    with torch.no_grad():
        records = decoding.run_delayed(net, direct_current(pixels, explorers.STEPS), 4)
    for (spk, _), record in zip(explorers.run_stored(pixels, 1.5, 4), records, strict=True):
        assert (spk != record.spk).float().mean() < 1e-3 and spk.any()


def test_the_picture_of_the_layers():
    data = mnist5k()
    for picture, s in pictures("decoding.layers"):
        image, step = s["image"], s["step"]
        records = explorers.run_stored(flat(data.test_images[image:image + 1]), s["gain"], s["delay"])
        picture.image("image", data.test_images[image].numpy(), "gray_r", (0, 255))
        picture.says("label", f"a {{}}, after {{}} step{'s' * (step > 1)}", int(data.test_labels[image]), step)
        for place, ((spk, _), floor, space, color) in enumerate(zip(records, (0, 46, 92), (1, 1, 3), ("sky", "blue", "black"),
                                                                    strict=True)):
            fired = spk[:step, 0].nonzero()
            picture.points(f"layer{place}", fired[:, 0], floor + space * fired[:, 1], color, "|")
        mem, own = (part[:step, 0, s["neuron"] - 1] for part in (records[1][1], records[1][0]))
        picture.line("mem", torch.arange(step), mem, "blue", clipped=True)
        fired = own.nonzero().flatten()
        picture.points("fired", fired, torch.full(fired.shape, 2.1), "black", "|")
        picture.says("who", "neuron {} of hidden 2", s["neuron"])
        spk, potential = records[-1][0][:step], records[-1][1][:step]
        for label, count in enumerate(spk.sum((0, 1)).tolist()):
            picture.bar(f"votes{label}", 0, label - 0.35, count, 0.7, "orange")
        first = torch.where(spk.any(0), spk.float().argmax(0), step)[0]
        for name, scores in (("counts", spk.sum((0, 1))), ("first spike", -first), ("membrane", potential.sum((0, 1)))):
            if name != "membrane" and not spk.any():
                picture.says(name, f"{name}: nothing")
            else:
                tied = int((scores == scores.max()).sum()) > 1
                picture.says(name, f"{name}: {{}}{' (tied)' * tied}", int(scores.argmax()))


def test_what_stands_behind_the_picture():
    behind = background("decoding.layers")
    behind.axes("0", "", ("", -0.5, 27.5), ("", 27.5, -0.5))
    behind.axes("1", "", ("", 0, 1), ("", 0, 1))
    behind.axes("2", "spikes, layer by layer", ("", -0.5, 19.5), ("", -2, 123),
                yticks={20: "hidden 1", 66: "hidden 2", 107: "output"})
    behind.axes("3", "", ("time step", -0.5, 19.5), ("potential U", -4, 2.5))
    behind.axes("4", "counts", ("spikes", 0, 20), ("", -0.6, 9.6), yticks={label: str(label) for label in range(10)})
    behind.rule("3.line0", "0.45", "--", y=1)
    behind.says("3.text0", "")
    behind.done()


@pytest.mark.parametrize("step", [0, 4])
def test_the_film_draws_what_the_network_has_said_so_far(step):
    layers = [((draw(seed, 6, 40) > 0.5).float(), draw(seed + 1, 6, 40)) for seed in (2, 4)]
    spk, mem = (draw(6, 6, 10) > 0.8).float(), draw(7, 6, 10)
    spk[0] = 0
    image = torch.rand(28, 28, generator=torch.Generator().manual_seed(0))
    frame = films.thought_frames(image, [*layers, (spk, mem)])[step]
    assert frame["step"] == step and torch.equal(frame["counts"], spk[:step + 1].sum(0))
    assert torch.allclose(frame["potentials"], mem[:step + 1].sum(0))
    still, picture = film(films.build_thought, films.draw_thought, frame, width=8.6, height=3.2)
    picture.image("0.image0", image, "gray_r", (image.min().item(), image.max().item()))
    for place, (fired, charge) in enumerate(layers, 1):
        dots = picture.artists[f"{place}.collection0"]
        wanted = torch.where(fired[step] > 0, 1.0, 0.45 * charge[step].clamp(0, 1))
        assert np.allclose(dots.get_array(), wanted, atol=1e-6)
        assert dots.get_clim() == (0, 1) and dots.get_cmap().name == "gray_r"
        assert dots.get_offsets().tolist() == [[n % 5, n // 5] for n in range(40)]
        picture.left.discard(f"{place}.collection0")
    for label in range(10):
        picture.bar(f"3.patch{label}", 0, label - 0.275, frame["counts"][label].item(), 0.55, "sky")
        if step:
            leads = {"most": spk[:step + 1].sum(0), "first": -decoding.first_spikes(spk[:, None])[0],
                     "potential": mem[:step + 1].sum(0)}
            words = ", ".join(name for name, scores in leads.items() if scores[label] == scores.max())
            picture.says(f"3.text{label}", words, at=(frame["counts"][label].item() + 0.25, label), color="vermillion")
    picture.says(f"3.text{10 if step else 0}", "step {}", step + 1)
    picture.done()
    still.axes("3", "spikes of the outputs", ("", 0, 13), ("class", 9.6, -0.6), xticks={n: str(n) for n in (0, 5, 10)},
               yticks={n: str(n) for n in range(10)})
    for place, title in enumerate(("input", "hidden 1", "hidden 2")):
        assert still.artists[f"{place}"].get_title(loc="left") == title
        still.left.discard(f"{place}")
    still.done()
