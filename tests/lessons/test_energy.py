"""What ties notebook 21 together: its displayed equations, its listings, the modules, the study and the explorers."""
import numpy as np
import pytest
import torch

from snnteach import energy, exchange, mapping
from snnteach.lessons.energy import explorers, study
from snnteach.losses import ce_count_loss
from snnteach.networks import SpikingMLP
from snnteach.reader.lookup import exercise as find
from snnteach.training import fit
from tests.drawing import background, pictures
from tests.listings import namespace

FLOAT = torch.float64
PARTS = (("arithmetic", "blue"), ("weights", "orange"), ("state", "purple"))


@pytest.fixture(scope="module")
def listing():
    return namespace("energy")


def draw(seed, *shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=FLOAT)


def network(seed=0, sizes=(12, 30, 5), **options):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return SpikingMLP(sizes, **{"threshold": 0.4, "readout": "membrane", "reset": "zero", **options}).double()


@pytest.mark.parametrize("name", list(energy.PRICES))
def test_equation_1_listing_and_module_agree(listing, name):
    mac, add, weight, state = energy.PRICES[name]
    macs, additions, updates = 120.0, 3400.0, 560.0
    by_hand = macs * mac + additions * add + (macs + additions) * weight + updates * (mac + state)          # pJ
    assert listing["spent"](macs, additions, updates, energy.PRICES[name]) == pytest.approx(by_hand / 1000)
    assert energy.energy_spent(energy.Operations(macs, additions, updates), name)["total"] == pytest.approx(by_hand / 1000)


@pytest.mark.parametrize("options", [{}, {"update": 24.6, "num_steps": 5, "fan_in": 784}, {"update": 30.0, "num_steps": 9}])
def test_equation_2_listing_and_module_agree(listing, options):
    for dense, spike in ((4.6, 0.9), (14.6, 10.9), (44.6, 30.9)):
        rate = energy.break_even(dense, spike, **options)
        assert listing["break_even"](dense, spike, **options) == rate
        share = options.get("num_steps", 0) * options.get("update", 0.0) / options.get("fan_in", 1)
        assert rate * spike + share == pytest.approx(dense) or (rate == 0 and share > dense)


def test_the_four_answers_of_the_listing(listing):
    names = "arithmetic", "one", "two", "reuse", "fresh"
    assert [round(listing[name], 2) for name in names] == [5.11, 1.34, 1.63, 0.15, 1.44]
    assert listing["bits"] == {5: 0.375, 6: 0.375, 7: 0.375, 8: 0.5, 9: 0.5, 10: 0.5}


def test_equation_3_exercise_and_module_agree():
    count = find("21.4").reference
    for x in ((draw(0, 6, 9, 12) < 0.3).to(FLOAT), draw(1, 6, 9, 12)):
        net = network(sizes=(12, 20, 8, 5))
        mapping.apply_masks(net, mapping.magnitude_masks(net, 0.6))
        records = net(x)
        weights, spikes = [linear.weight.detach() for linear in net.linears], [record.spk.detach() for record in records[:-1]]
        # the count of the exercise is in single precision where its inputs are
        found = count(x.float(), [weight.float() for weight in weights], [spk.float() for spk in spikes])
        wanted = [sum(column) for column in zip(*energy.count_operations(net, x))]
        assert found == pytest.approx(wanted, rel=1e-5) and wanted[1] > 0


@pytest.mark.parametrize("sparsity", [0, 0.3, 0.8, 0.95])
def test_the_listing_prunes_what_the_module_prunes(listing, sparsity):
    ours, theirs = network(), network()
    listing["prune"](ours.float(), sparsity)
    mapping.apply_masks(theirs.float(), mapping.magnitude_masks(theirs, sparsity))
    for one, other in zip(ours.linears, theirs.linears, strict=True):
        assert torch.equal(one.weight, other.weight)
    masks = [(linear.weight != 0).float() for linear in ours.linears]
    assert round(1 - (sum(mask.sum() for mask in masks) / sum(mask.numel() for mask in masks)).item(), 2) == sparsity
    weight = network().linears[0].weight.detach()
    assert torch.equal(find("21.5").reference(weight, sparsity).to(FLOAT), mapping.magnitude_masks(Alone(weight), sparsity)[0])


class Alone(torch.nn.Module):
    """A network of one layer with given weights."""

    def __init__(self, weight):
        super().__init__()
        self.linears = torch.nn.ModuleList([torch.nn.Linear(weight.shape[1], weight.shape[0])])
        self.linears[0].weight = torch.nn.Parameter(weight.clone())


def test_the_listing_fills_cores_as_the_module_does(listing):
    needs = (draw(2, 90) * 40).long()
    for neurons, synapses in ((8, 100), (100, 60), (5, 1000)):
        assert listing["fill"](needs.tolist(), neurons, synapses) == mapping.fill_cores(needs, neurons, synapses).tolist()


def test_equations_4_and_5_listing_and_module_agree(listing):
    net, x = network(), 2 * draw(3, 25, 40, 12)
    ours, theirs = listing["to_graph"](net), exchange.export_graph(net)
    assert ours["edges"] == theirs["edges"] and ours["nodes"].keys() == theirs["nodes"].keys()
    for name, node in ours["nodes"].items():
        assert node["type"] == theirs["nodes"][name]["type"]
        assert all(torch.equal(value, theirs["nodes"][name][key]) for key, value in node.items() if key != "type")
    node, mem = ours["nodes"]["spikes1"], torch.zeros(40, 30, dtype=FLOAT)
    sent = exchange.run_graph(ours, x)
    for now, spk, heard in zip(x, sent["spikes1"], sent["affine1"], strict=True):          # Eq. 4 by Euler, dt = 1e-4
        mem = mem + 1e-4 / node["tau"] * (-mem + node["r"] * heard)
        assert torch.equal((mem > node["v_threshold"]).to(FLOAT), spk) and torch.allclose(heard, now @ net.linears[0].weight.T
                                                                                          + net.linears[0].bias)
        mem = torch.where(spk > 0, 0.0, mem)
    assert torch.equal(sent["spikes1"], net(x)[0].spk)
    read = find("21.8").reference(sent["affine1"], node["tau"], node["r"], node["v_threshold"], 1e-4)
    assert torch.equal(read, sent["spikes1"])


def test_the_file_of_the_listing_changes_nothing(listing, tmp_path):
    net, x = network(), 2 * draw(4, 25, 40, 12)
    listing["save"](listing["to_graph"](net), tmp_path / "net.nir")
    back = listing["load"](tmp_path / "net.nir")
    assert torch.equal(exchange.run_graph(back, x)["spikes1"], net(x)[0].spk)


def test_snntorch_reads_digits_that_reset_to_zero_and_fire_at_the_readout(listing, tmp_path, capsys):
    pytest.importorskip("snntorch")
    from snntorch.import_nir import import_from_nir
    nir = pytest.importorskip("nir")

    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = SpikingMLP((784, 50, 10), reset="zero")
    images, labels, test, answers = study.images()
    fit(net, images[:2000], labels[:2000], loss=lambda records, y: ce_count_loss(records[-1].spk, y), encode=study.latency,
        epochs=4, batch_size=100, learning_rate=8e-3, seed=0)
    x = study.latency(test[:1000])
    listing["save"](listing["to_graph"](net), tmp_path / "digits.nir")
    peer, state, found = import_from_nir(nir.read(tmp_path / "digits.nir")), None, []
    with torch.no_grad():
        for now in x:
            spk, state = peer(now, state)
            found.append(spk)
        wanted = net(x)[-1].spk
    assert torch.equal(torch.stack(found).float(), wanted) and wanted.sum() > 500
    assert (wanted.sum(0).argmax(1) == answers[:1000]).double().mean() > 0.6
    capsys.readouterr()


def test_the_values_of_the_exercises_follow_from_the_modules():
    mac, add, weight = energy.PRICES["arithmetic"].mac, energy.PRICES["arithmetic"].addition, energy.CACHE["32 KB"]
    assert energy.break_even(mac + weight, add + weight) == pytest.approx(find("21.1").reference)
    assert energy.break_even(4, 8) / 12 == pytest.approx(find("21.2").reference)
    spent = energy.energy_spent(energy.Operations(0, 36000, 1500), "8 KB cache, two a read")["total"]
    assert spent == pytest.approx(find("21.3").reference)
    cores = mapping.place_neurons(SpikingMLP((784, 300, 10)), 1024, 65536)
    assert int(cores[-1].max()) + 1 == find("21.6").reference
    tau = exchange.export_graph(SpikingMLP((2, 1), beta=0.8), dt=1.0)["nodes"]["mem1"]["tau"]
    assert tau.item() == pytest.approx(find("21.7").reference)


def test_inputs_of_the_study_are_the_same_spikes_in_another_order():
    x = study.images()[2][:300]
    spikes, at_once, single = study.latency(x), study.at_once(x), study.black_and_white(x)
    assert torch.equal(spikes.sum(0), at_once.sum(0)) and torch.equal(at_once[0], single[0]) and not at_once[1:].any()
    assert spikes.sum(0).max() == 1 and len(spikes) == len(at_once) == 5 and spikes[1:].any()
    net = study.network(SpikingMLP, 30, 0)
    assert net.neurons[0].reset == "zero" and net.readout == "membrane"
    assert torch.equal(study.network(SpikingMLP, 30, 0).linears[0].weight, net.linears[0].weight)


# The explorers

def test_the_picture_of_the_price():
    for picture, s in pictures("energy.price"):
        mac, updates = 4.6, s["steps"] / s["fan_in"]
        sides = {"dense": (s["density"] * mac, s["density"] * s["weight"], 0),
                 "spiking": (s["spikes"] * 0.9 + updates * mac, s["spikes"] * s["weight"], updates * 2 * s["weight"])}
        for place, (side, parts) in enumerate(sides.items()):
            below = 0
            for (part, color), value in zip(PARTS, parts, strict=True):
                height = value / sum(sides["dense"])
                picture.bar(f"{side}_{part}", place - 0.35, below, 0.7, height, color, clipped=True)
                below += height
        whole, spiking = sum(sides["dense"]), sum(sides["spiking"])
        silent = updates * (mac + 2 * s["weight"])
        picture.line("line", [0, 6], [silent / whole, (silent + 6 * (0.9 + s["weight"])) / whole], "black", clipped=True)
        picture.points("here", [s["spikes"]], [min(3, spiking / whole)], "vermillion", "o" if spiking <= 3 * whole else "^")
        picture.says("verdict", "spiking pays {} of dense" + ", off the picture" * (spiking > 3 * whole), spiking / whole)
        picture.says("even", "equal at {} spikes", max(0, whole - silent) / (0.9 + s["weight"]))


def test_the_picture_of_the_chip():
    with np.load(explorers.NEEDS) as archive:
        needs = torch.from_numpy(archive["needs"]).long()
    assert needs.shape == (50, 310) and explorers.NEEDS.stat().st_size < 30_000
    assert needs[0].tolist() == [784] * 300 + [300] * 10
    assert all(abs(int(level.sum()) - 238_200 * (1 - place / 50)) <= 1 for place, level in enumerate(needs))
    for picture, s in pictures("energy.chip"):
        mine = needs[round(50 * s["pruned"])]
        cores = mapping.fill_cores(mine, s["neurons"], s["synapses"])
        used = sorted(set(cores.tolist()) - {-1})
        shown = [core for core in used if core < 40]
        held = [int((cores == core).sum()) / s["neurons"] for core in shown]
        wired = [int(mine[cores == core].sum()) / s["synapses"] for core in shown]
        picture.points("neurons", shown, held, "blue")
        picture.points("synapses", shown, wired, "orange", "s")
        homeless = int((cores < 0).sum())
        if homeless:
            picture.says("says", "{} synapses: {} neurons fit on no core", int(mine.sum()), homeless)
        else:
            words = "fits" if len(used) <= 8 else "does not fit"
            picture.says("says", f"{{}} synapses on {{}} cores: {words}", int(mine.sum()), len(used))


def test_what_stands_behind_the_pictures():
    behind = background("energy.price")
    behind.axes("0", "", ("", -0.6, 1.6), ("cost of a synapse, dense = 1", 0, 3), xticks={0: "dense", 1: "spiking"},
                legend=("arithmetic", "weights", "state"))
    behind.axes("1", "spiking wins below the dashed line", ("spikes of an input in an inference", 0, 6), ("", 0, 3))
    behind.rule("1.line0", "0.45", "--", y=1)
    behind.done()
    behind = background("energy.chip")
    behind.axes("0", "", ("core", -0.5, 39.5), ("share of its limit in use", 0, 1.3), legend=("synapses", "neurons"))
    behind.rule("0.line0", "0.45", "--", x=7.5)
    behind.says("0.text0", "the chip ends here")
    behind.done()
