"""What ties notebook 26 together: its displayed equations, its listings, the modules, the exercises and the explorers."""
import math

import pytest
import torch

from snnteach import quantum, similarity, spike_distances
from snnteach.lessons.quantum import answers, explorers, flowers, study
from snnteach.neurons import lif
from snnteach.reader.judge import judge
from snnteach.reader.lookup import exercise as find
from tests.drawing import background, pictures
from tests.listings import namespace

FLOAT = torch.float64


@pytest.fixture(scope="module")
def listing():
    return namespace("quantum")


def uniform(seed, *shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=FLOAT)


# Equations

def test_equation_1_listing_and_module_agree(listing):
    a, theta = uniform(0, 30), 5 * uniform(1, 30) - 1
    phi = 2 * a.sqrt().asin()
    wanted = ((phi + theta) / 2).sin() ** 2
    assert torch.allclose(a, (phi / 2).sin() ** 2) and torch.allclose(a, (1 - phi.cos()) / 2)
    assert torch.allclose(listing["turned"](a, theta), wanted)
    assert torch.allclose(quantum.qlif_step(theta, a, torch.zeros(30, dtype=FLOAT), 1.0, 1.0)[1], wanted)


def test_equation_2_listing_and_module_agree(listing):
    theta = 2 * uniform(2, 60, 3, 4)
    for decay, threshold in ((0.9, 0.7), (0.5, 0.3), (1.0, 0.95)):
        shown, module = listing["qlif"](theta, decay, threshold), quantum.qlif(theta, decay, threshold)
        assert torch.equal(shown[0], module[0]) and torch.allclose(shown[1], module[1], atol=1e-12) and shown[0].any()
        t = 20
        memory = decay * (1 - module[0][t - 1]) * module[1][t - 1]
        assert torch.allclose(module[1][t], ((2 * memory.sqrt().asin() + theta[t]) / 2).sin() ** 2)


def test_equation_3_is_the_rheobase_of_the_module():
    least = 2 * math.asin(math.sqrt(0.7)) - 2 * math.asin(math.sqrt(0.9 * 0.7))
    assert quantum.qlif_rheobase(0.9, 0.7) == pytest.approx(least, abs=1e-12)


def test_equation_4_is_the_lif_of_the_package():
    theta = 0.02 * uniform(3, 100, 1, 10)
    root = quantum.qlif(theta, 0.9, 1.0)[1].sqrt()
    assert torch.allclose(root, lif(theta / 2, math.sqrt(0.9), 9.0, reset="none")[1], rtol=5e-3)


def test_equation_5_is_the_deviation_of_the_shots():
    zero = torch.zeros(20_000, 1, dtype=FLOAT)
    a = quantum.qlif_step(zero + 1.2, zero, zero, 0.9, shots=50, generator=torch.Generator().manual_seed(0))[1]
    height = math.sin(0.6) ** 2
    assert a.std().item() == pytest.approx(math.sqrt(height * (1 - height) / 50), rel=0.03)


def test_equations_6_and_7_listings_module_and_build_agree(listing):
    spk = (uniform(4, 25, 4, 1) < 0.3).double()
    times = [spk[:, b, 0].nonzero().flatten().tolist() for b in range(4)]
    edits, areas = spike_distances.victor_purpura(spk, 0.3), spike_distances.van_rossum(spk, 3.0)
    assert torch.allclose(answers.distances(spk, 3.0), areas, atol=1e-9)
    for i in range(4):
        for j in range(4):
            assert edits[i, j].item() == pytest.approx(listing["cheapest"](times[i], times[j], 0.3), abs=1e-12)
            closed = sum(sign * math.exp(-abs(t - s) / 3) / 2 for one, other, sign in
                         ((i, i, 1), (j, j, 1), (i, j, -2)) for t in times[one] for s in times[other])
            assert areas[i, j].item() ** 2 == pytest.approx(closed, abs=1e-9)


def test_equations_8_and_9_are_the_module():
    x = uniform(5, 8, 3)
    assert torch.allclose(similarity.gaussian_similarity(torch.cdist(x, x), 0.4), (-torch.cdist(x, x) ** 2 / 0.32).exp())
    product = ((2.0 * (x[:, None] - x) / 2).cos() ** 2).prod(2)
    assert torch.allclose(quantum.angle_similarity(x, 2.0), product)
    assert (quantum.angle_similarity(x, 0.05) - (-(0.05 * torch.cdist(x, x)) ** 2 / 4).exp()).abs().max() < 1e-6


def test_equation_10_and_the_gap_listing_and_module_agree(listing):
    table = flowers.subsample("iris", 60, 0)
    K = similarity.gaussian_similarity(flowers.apart(table.features), 0.3)
    for centred in (True, False):
        assert listing["target_alignment"](K, table.labels, centred) == pytest.approx(
            similarity.target_alignment(K, table.labels, centred=centred), abs=1e-12)
    assert listing["eigengap"](K, 3) == pytest.approx(similarity.eigengap(K, 3), abs=1e-10)


# Exercises

@pytest.mark.parametrize(("number", "answer", "words"), [
    ("26.1", 0.75, "right"), ("26.2", 1.047, "right"), ("26.3", 10, "right"), ("26.4", 2100, "right"), ("26.5", 1.5, "right"),
    ("26.6", lambda spk, tau: spike_distances.van_rossum(spk, tau), "right"), ("26.7", 1.296, "right"),
    ("26.8", -0.333, "right"), ("26.8", -1 / 3, "right"), ("26.3", 10.7, "got 10.7"), ("26.6", lambda spk, tau: spk, "shape")])
def test_what_a_check_says(number, answer, words):
    assert words in " ".join(judge(find(number), answer))


def test_the_values_of_the_exercises_follow_from_the_module():
    sixth = torch.full((2, 1), math.pi / 3, dtype=FLOAT)
    assert quantum.qlif(sixth, 1.0, 1.0)[1][-1].item() == pytest.approx(find("26.1").reference)
    assert quantum.qlif_rheobase(1 / 3, 0.75) == pytest.approx(find("26.2").reference)
    assert quantum.qlif(torch.full((60, 1), math.pi / 8, dtype=FLOAT), 1.0, 0.75)[0].sum() == find("26.3").reference
    spk = torch.zeros(40, 2, 1)
    spk[[10, 20, 31], 0] = 1
    spk[[13, 33], 1] = 1
    assert spike_distances.victor_purpura(spk, 0.1)[0, 1].item() == pytest.approx(find("26.5").reference)
    feature = torch.linspace(0, 1, 2001, dtype=FLOAT)[:, None]
    gain = find("26.7").reference
    for factor, place in ((1.0, 0.648), (gain, 0.5)):
        count = flowers.quantum_spikes(flowers.steady(factor * feature)).sum(0).flatten()
        assert feature[count < 20].max().item() == pytest.approx(place, abs=2e-3)
    labels = torch.arange(3).repeat_interleave(5)
    assert similarity.target_alignment(torch.ones(15, 15), labels, centred=False) == pytest.approx(find("26.8").reference)


# The study, its tables, and the explorers

def test_subsamples_keep_the_shares_of_the_classes_and_are_drawn_anew():
    for name, (size, count) in study.SIZES.items():
        (x, labels), (_, whole) = flowers.subsample(name, size, 0), flowers.whole(name)
        shares = [part.bincount().double() / len(part) for part in (labels, whole)]
        assert abs(len(labels) - size) <= 1 and len(shares[0]) == count and (shares[0] - shares[1]).abs().max() < 0.01
        assert x.amin() == 0 and x.amax() == 1 and not torch.equal(x, flowers.subsample(name, size, 1).features)
        assert torch.equal(x, flowers.subsample(name, size, 0).features)


def test_a_row_is_the_index_of_the_candidate_that_the_rule_likes_best():
    x, labels = flowers.subsample("iris", 120, 3)
    candidates = flowers.gaussians(flowers.apart(flowers.drive(x)))
    best = max(candidates, key=lambda K: similarity.eigengap(K, 3))
    found = study.ROWS["iris, code"](3)
    assert found["unlabelled"] == flowers.rand_index(labels, flowers.clusters(best, 3))
    assert set(found) == {"unlabelled", "labelled", "uncentred"}
    assert found["unlabelled"] == pytest.approx(flowers_stored("iris, code: unlabelled")[3], abs=0.05)


def test_a_further_row_clusters_by_its_own_distance_and_the_gap():
    x, labels = flowers.subsample("cancer", 200, 2)
    code = flowers.drive(x)
    distance = (code[:, None] - code).abs().sum(2)
    candidates = [(-(distance / (width * flowers.median(distance))) ** 2 / 2).exp() for width in flowers.WIDTHS]
    best = max(candidates, key=lambda K: similarity.eigengap(K, 2))
    assert study.ROWS["cancer, code, L1"](2) == {"unlabelled": flowers.rand_index(labels, flowers.clusters(best, 2))}
    assert study.FURTHER["counts, L1"](x)[0, 1] == (
        flowers.quantum_spikes(flowers.steady(code[:2])).sum(0).diff(dim=0).abs().sum())
    assert torch.equal(study.FURTHER["LIF without code, gain 1.55"](x / 1.55),
                       flowers.by_van_rossum(flowers.classical_spikes(flowers.steady(1.55 * (x / 1.55)))))


def flowers_stored(name):
    from snnteach import stored
    return stored("quantum")[name]


def test_scores_know_a_perfect_and_a_random_clustering():
    labels = torch.arange(3).repeat_interleave(20)
    renamed = (labels + 1) % 3
    assert flowers.rand_index(labels, renamed) == 1 and flowers.matched(labels, renamed) == 60
    drawn = torch.randint(3, (60,), generator=torch.Generator().manual_seed(0))
    assert abs(flowers.rand_index(labels, drawn)) < 0.05 and flowers.matched(labels, drawn) < 35


def test_neurons_computes_both():
    data = explorers.compute_neurons(0.2, 10, 0.7, "exact")
    theta = torch.full((40, 1, 1), 0.2 * math.pi, dtype=FLOAT)
    assert torch.equal(data["quantum"], quantum.qlif(theta, math.exp(-0.1), 0.7)[0].flatten())
    assert data["quantum"].sum() == 10 and data["classical"].sum() == 13
    still = explorers.compute_neurons(2.0, 10, 0.7, "exact")
    assert not still["quantum"].any() and still["classical"].all()
    assert not torch.equal(data["a"], explorers.compute_neurons(0.2, 10, 0.7, "20")["a"])


def test_neurons_draws_curves_threshold_and_spikes():
    for picture, s in pictures("quantum.neurons"):
        data, steps = explorers.compute_neurons(**s), range(40)
        picture.line("a", steps, data["a"], "blue", marker="o")
        picture.line("squared", steps, data["squared"], "vermillion", "--", clipped=True)
        picture.rule("threshold", "0.45", "--", y=s["threshold"])
        for row, (name, color) in enumerate((("classical", "vermillion"), ("quantum", "blue"))):
            at = data[name].nonzero().flatten()
            picture.points(name, at, [row] * len(at), color, "|")
        picture.says("said", "spikes: quantum {}, classical {}", data["quantum"].sum(), data["classical"].sum())
        picture.done()


def test_distances_computes_what_the_module_says():
    for shift in (0, 3, 12, 26):
        data = explorers.compute_distances(shift, 4.0, 0.2)
        assert data["now"][0] == pytest.approx(data["rossum"][shift].item(), abs=1e-9)
        assert data["now"][1] == pytest.approx(data["purpura"][shift].item(), abs=1e-9)


def test_distances_draws_trains_and_curves_up_to_the_shift():
    for picture, s in pictures("quantum.distances"):
        data, seen = explorers.compute_distances(**s), s["shift"] + 1
        for row, name in ((1, "first"), (0, "second")):
            at = data["spk"][:, 1 - row].nonzero().flatten()
            picture.points(name, at, [row] * len(at), "black", "|")
        picture.line("purpura", range(seen), data["purpura"][:seen], "blue")
        picture.line("rossum", range(seen), data["rossum"][:seen], "vermillion", "--")
        picture.points("here", [s["shift"]] * 2, data["now"], "black")
        picture.says("said", "Victor and Purpura (blue) {}\nvan Rossum, squared (dashed) {}", data["now"][1], data["now"][0])
        picture.done()


def test_what_stands_behind_the_pictures():
    behind = background("quantum.neurons")
    behind.axes("0", "A qubit (blue), a membrane (dashed)", ("", -0.5, 39.5),
                ("probability, or $U^2$", -0.03, 1.1))
    behind.axes("1", "", ("time step", -0.5, 39.5), ("", -0.6, 1.6), yticks={0: "classical", 1: "quantum"})
    behind.done()
    behind = background("quantum.distances")
    behind.axes("0", "One spike drifts away: how far apart are the trains?", ("time step", 0, 59), ("", -0.6, 1.6),
                yticks={0: "second", 1: "first"})
    behind.axes("1", "", ("shift (steps)", 0, 26), ("distance", 0, 2.2))
    behind.done()
