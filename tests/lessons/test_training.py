"""Notebook 09: its listings against the package, its exercises, its explorer, its numbers and its stored study."""
import math

import pytest
import torch
import torch.nn.functional as F

from snnteach import activity
from snnteach import stored as read_stored
from snnteach import training as reference
from snnteach.authoring import notebooks
from snnteach.losses import ce_count_loss, ce_membrane_loss, ce_step_loss
from snnteach.networks import Record, SpikingMLP, direct_current
from snnteach.neurons import lif
from snnteach.reader.judge import judge
from snnteach.reader.lookup import exercise as find
from snnteach.reader.lookup import explorer as find_explorer
from snnteach.reader.lookup import guess as find_guess
from tests.drawing import background, pictures
from tests.listings import namespace


@pytest.fixture(scope="module")
def shown():
    return namespace("training")


@pytest.fixture(scope="module")
def stored():
    return read_stored("training")


def mean(values):
    return sum(values) / len(values)


def trained(train, **options):
    torch.manual_seed(0)
    net, x = SpikingMLP((20, 30, 4)), torch.rand(70, 20)
    curve = train(net, x, torch.arange(70) % 4, loss=lambda records, y: ce_count_loss(records[-1].spk, y),
                  encode=lambda x: direct_current(3 * x, 8), epochs=3, batch_size=16, learning_rate=0.01, seed=5, **options)
    return list(net.state_dict().values()), [row["loss"] for row in curve]


@pytest.mark.parametrize("options", [
    {}, {"weight_decay": 0.1}, {"augment": lambda x: x + 0.1 * torch.randn_like(x)},
    {"regulariser": lambda records: activity.upper_population(records[0].spk, 10, 1e-2)},
], ids=["plain", "weight decay", "augment", "regulariser"])
def test_the_listing_of_fit_gives_the_packages_weights(shown, options):
    (ours, our_losses), (theirs, their_losses) = trained(shown["fit"], **options), trained(reference.fit, **options)
    assert our_losses == their_losses and all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize(("name", "options"), [
    ("upper_population", {"limit": 10, "strength": 0.3}), ("upper_population", {"limit": 10, "strength": 0.3, "power": 2}),
    ("lower_neuron", {"limit": 4, "strength": 0.3}), ("lower_neuron", {"limit": 0, "strength": 1.0}),
])
def test_the_listings_of_the_regularisers_are_the_package(shown, name, options):
    spk = torch.rand(8, 5, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64).round().requires_grad_()
    pair = [make(spk, **options) for make in (shown[name], getattr(activity, name))]
    assert torch.allclose(*pair) and torch.allclose(*(torch.autograd.grad(value, spk)[0] for value in pair))


def test_the_listing_of_the_network_is_the_package(shown):
    """Values and gradients, for a constant input and for one that changes."""
    nets = []
    for make in (lambda: shown["Network"](hidden=30), lambda: SpikingMLP((784, 30, 10), readout="membrane")):
        torch.manual_seed(0)
        nets.append(make().double())
    x, target = torch.rand(6, 784, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 2, torch.arange(6)
    for signal in (direct_current(x, 8), x.expand(8, 6, 784) * torch.linspace(0.2, 1, 8, dtype=torch.float64).view(8, 1, 1)):
        found = []
        losses = (shown["membrane_loss"], lambda records, y: ce_membrane_loss(records[-1].mem / 8, y))
        for net, loss in zip(nets, losses, strict=True):
            value, learned = loss(net(signal), target), [weight for weight in net.parameters() if weight.requires_grad]
            found.append((net(signal)[0].spk, value, *torch.autograd.grad(value, learned)))
        assert 0.05 < found[0][0].mean() < 0.9
        assert all(torch.allclose(a, b, rtol=1e-10, atol=1e-14) for a, b in zip(*found, strict=True))


def test_the_listing_of_the_step_wise_loss_is_the_package(shown):
    spk = torch.rand(8, 5, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64).round().requires_grad_()
    pair = [loss(*given) for loss, given in ((shown["step_loss"], ([Record(spk, spk)], torch.tensor([0, 1, 2, 3, 0]))),
                                             (ce_step_loss, (spk, torch.tensor([0, 1, 2, 3, 0]))))]
    assert torch.allclose(*pair) and torch.allclose(*(torch.autograd.grad(value, spk)[0] for value in pair))


def test_the_listing_of_the_calibration_is_the_package(shown):
    torch.manual_seed(0)
    ours, x = SpikingMLP((20, 50, 30, 4), threshold=10.0), torch.rand(12, 16, 20)
    theirs = SpikingMLP((20, 50, 30, 4), threshold=10.0)
    theirs.load_state_dict(ours.state_dict())
    shown["threshold_for"] = find("09.7").reference
    shown["calibrate"](ours, x, 0.2)
    found = activity.calibrate_threshold(theirs, x, 0.2)
    assert [layer.threshold for layer in ours.neurons] == pytest.approx(found, rel=1e-6)
    assert all(record.spk.mean().item() == pytest.approx(0.2, abs=0.01) for record in ours(x))


def test_the_listing_of_the_report_says_what_the_package_reports(shown, capsys):
    torch.manual_seed(0)
    net, x = SpikingMLP((20, 50, 4), threshold=0.3), torch.rand(12, 16, 20)
    shown["report"](net, x, torch.arange(16) % 4, lambda records, y: ce_count_loss(records[-1].spk, y))
    said = capsys.readouterr().out.splitlines()
    for line, row, linear in zip(said, activity.activity_report(net(x)), net.linears, strict=True):
        assert line == (f"layer {row['layer']}: rate {row['rate']:.2f}, silent neurons {row['silent']:4.0%}, "
                        f"gradient of its weights {linear.weight.grad.norm():.0e}")


def test_the_build_is_the_network_of_the_package():
    net = SpikingMLP((6, 8, 3), readout="membrane")
    for x, *weights, num_steps in find("09.6").cases:
        with torch.no_grad():
            for own, given in zip((net.linears[0].weight, net.linears[0].bias, net.linears[1].weight, net.linears[1].bias),
                                  weights, strict=True):
                own.copy_(given)
        spk, out = net(direct_current(x, num_steps))[0].spk, net(direct_current(x, num_steps))[1].mem
        assert torch.allclose(find("09.6").reference(x, *weights, num_steps), out.mean(0), atol=1e-5)
        assert 0 < spk.mean() < 0.9


def test_the_threshold_of_a_rate_is_the_only_one_whatever_interval_is_halved():
    exercise = find("09.7")
    for current, rate in exercise.cases:
        def fired(threshold, current=current):
            return lif(current, 0.9, threshold=threshold)[0].mean().item()
        right = exercise.reference(current, rate)
        assert fired(right - 1e-3) >= rate > fired(right + 1e-3) > rate - 0.01
        rates = [fired(threshold) for threshold in torch.linspace(0.05, 1.2 * current.relu().sum(0).max().item(), 200).tolist()]
        assert sorted(rates, reverse=True) == rates and rates[-1] == 0


def test_exercises_agree_with_autograd_and_the_package():
    spk = torch.zeros(8, 1, 10)
    spk[:5] = 1
    spk[1:5, :, 2] = 0                                                                           # neuron 2 fired once
    spk.requires_grad_()
    (gradient,) = torch.autograd.grad(activity.lower_neuron(spk, limit=3, strength=1), spk)
    assert gradient[0, 0, 2].item() == pytest.approx(find("09.4").reference) == pytest.approx(-0.4)
    best = torch.zeros(6, 1, 4)
    best[:, 0, 1] = 1
    assert find("09.3").reference == pytest.approx(ce_step_loss(best, torch.tensor([1])).item(), abs=1e-6)
    assert find("09.3").reference == pytest.approx(0.7437, abs=1e-4)
    net, x = SpikingMLP((20, 50, 4)), 3 * torch.rand(30, 20)
    target, encode = torch.arange(30) % 4, lambda x: direct_current(x, 10)
    assert find("09.2").reference(net(encode(x))[-1].spk, target) == pytest.approx(
        reference.accuracy(net, x, target, encode=encode), abs=1e-6)
    train, test = find("09.1").reference(5 * torch.rand(100) + 1, torch.full((3,), 9.0))
    assert abs(train.mean()) < 1e-5 and train.std() == pytest.approx(1, abs=1e-5) and (test > 1.5).all()
    batch_first = torch.rand(3, 5, 2)
    assert torch.equal(find("09.5").reference(batch_first)[4, 2], batch_first[2, 4])


def test_a_deviation_that_is_kept_from_zero_is_as_good():
    def of_each_pixel(train, test):
        return tuple((pixels - train.mean(0)) / (train.std(0) + 1e-6) for pixels in (train, test))

    def of_all(train, test):
        return tuple((pixels - train.mean()) / (train.std() + 1e-6) for pixels in (train, test))

    assert judge(find("09.1"), of_all) == ("right", "") and "for each pixel" in judge(find("09.1"), of_each_pixel)[1]


def test_the_explorer_starves_the_last_layer_first():
    compute = find_explorer("training.threshold").compute
    healthy, silent = compute(threshold=0.5, gain=1.0), compute(threshold=3.0, gain=1.0)
    assert healthy["picture"].shape == (130, 20) and min(healthy["rates"]) > 0.02
    assert 1e4 < healthy["gradients"][0] / silent["gradients"][0] < 4e4
    assert silent["rates"][1] == silent["rates"][2] == silent["gradients"][2] == 0 < silent["gradients"][1]
    assert compute(threshold=0.1, gain=5.0)["rates"][0] > 0.45


def test_a_gain_is_a_lower_threshold():
    compute = find_explorer("training.threshold").compute
    assert compute(threshold=1.0, gain=2.0)["rates"][0] == pytest.approx(compute(threshold=0.5, gain=1.0)["rates"][0], abs=1e-3)


def test_what_the_prose_says_is_stored(stored):
    accuracies = {"recipe": 0.968, "hidden layer frozen": 0.933, "linear model": 0.905, "conventional network": 0.968,
                  "without shift": 0.950, "T = 1": 0.965, "price 0: accuracy": 0.965, "price 0.1: accuracy": 0.836,
                  "learning curve: epoch 12": 0.973}
    for setting, value in accuracies.items():
        assert mean(stored[setting]) == pytest.approx(value, abs=1e-3), setting
    points = {setting: 100 * (mean(stored["recipe"]) - mean(stored[setting]))
              for setting in ("hidden layer frozen", "without shift", "width 100")}
    assert points == pytest.approx({"hidden layer frozen": 3.5, "without shift": 1.73, "width 100": 1.7}, abs=0.06)
    assert 0.027 < mean(stored["width 300"]) - mean(stored["latency input, width 300"]) < 0.03
    spikes = [mean(stored[f"price {price}: spikes"]) for price in ("0", "0.0001", "0.001", "0.1")]
    assert [round(value) for value in spikes] == [822, 406, 102, 32] and spikes[2] < spikes[0] / 8
    assert max(stored["digits, threshold 10"]) < 0.25 and min(stored["digits, threshold 10, learning rate 0.02"]) > 0.9
    assert math.log(1 + 9 / math.e) == pytest.approx(1.461, abs=5e-4)

    frozen = 100 * mean(stored["width 100, hidden layer frozen"])
    assert f"{frozen:.1f} %" in find_guess("09.e").explanation and frozen == pytest.approx(79.6, abs=0.05)
    assert 100 * (mean(stored["width 100"]) - frozen / 100) == pytest.approx(15.5, abs=0.05)
    assert "{:.1f} of the {:.1f} %".format(*(100 * mean(stored[name]) for name in ("hidden layer frozen", "recipe"))) in (
        find_guess("09.e").question)
    counts = [round(mean(stored[f"{name}: spikes"])) for name in ("price 0.01", "price 0.1", "limit on the mean, price 0.01")]
    assert all(str(count) in find_guess("09.d").explanation for count in counts) and counts == [45, 32, 49]


def test_the_notebook_says_which_numbers_are_stored():
    (path,) = notebooks.paths(["training"])
    text = path.read_text(encoding="utf-8")
    assert "stored, three seeds" in text and "python3 -m snnteach study 09" in text


def test_the_picture_of_the_layers():
    random = torch.Generator().manual_seed(0)
    images = torch.rand(4, 64, generator=random)
    matrices = [(2 * torch.rand(after, before, generator=random) - 1) / math.sqrt(before)
                for before, after in ((64, 60), (60, 60), (60, 10))]
    for picture, s in pictures("training.threshold"):
        weights, records = [(s["gain"] * matrix).requires_grad_() for matrix in matrices], [torch.stack([images] * 20)]
        for weight in weights:
            records.append(lif(records[-1] @ weight.T, 0.9, s["threshold"])[0])
        F.cross_entropy(records[-1].sum(0), torch.arange(4)).backward()
        picture.image("picture", torch.cat([spk[:, 0].detach().T for spk in records[1:]]), "Greys", (0, 1),
                      (-0.5, 19.5, 130, 0))
        picture.rule("edge 60", "vermillion", y=60)
        picture.rule("edge 120", "vermillion", y=120)
        picture.over("picture", "edge 60", "edge 120")
        for layer, (weight, spk) in enumerate(zip(weights, records[1:], strict=True)):
            rate, size = spk.mean().item(), weight.grad.norm().item()
            picture.bar(f"rate {layer}", 0, layer - 0.3, rate, 0.6, "blue")
            picture.says(f"rate text {layer}", "{}" if rate else "silent", *[rate] * (rate > 0), at=(rate + 0.03, layer))
            picture.bar(f"gradient {layer}", 1e-8, layer - 0.3, max(size - 1e-8, 0), 0.6, "orange")
            drawn, text = picture.artists[f"gradient {layer}"].get_width(), picture.artists[f"gradient text {layer}"]
            assert drawn == pytest.approx(max(size - 1e-8, 0), rel=1e-3)    # small ones, too: the axis is logarithmic
            picture.says(f"gradient text {layer}", "{}" if size else "exactly 0", *[size] * (size > 0))
            assert text.get_position() == pytest.approx((2.5 * max(size, 1e-8), layer), rel=1e-3)


def test_what_stands_behind_the_picture():
    behind, layers = background("training.threshold"), ("layer 1", "layer 2", "output")
    behind.axes("0", "Spikes for one image", ("time step", -0.5, 19.5), ("", 130, 0),
                yticks=dict(zip((30, 90, 125), layers, strict=True)))
    behind.axes("1", "Firing rate", ("spikes a neuron and step", 0, 1.25), ("", 2.6, -0.6), yticks=dict(enumerate(layers)))
    behind.axes("2", "Gradient", ("norm of dL/dW", 1e-8, 1e9), ("", 2.6, -0.6), yticks=dict(enumerate(layers)), xscale="log")
    behind.done()
