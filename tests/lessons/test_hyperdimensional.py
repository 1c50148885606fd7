"""What ties notebook 24 together: its displayed equations, its listings, the module, the explorers and their networks."""
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from snnteach import hyperdimensional as module
from snnteach.authoring import notebooks
from snnteach.lessons.hyperdimensional import exercises, explorers, study
from snnteach.reader.judge import judge
from snnteach.reader.lookup import exercise as find
from tests.cells import code_cells, execute
from tests.drawing import background, pictures
from tests.listings import namespace


@pytest.fixture(scope="module")
def listing():
    return namespace("hyperdimensional")


def spikes(*shape, chance=0.2, seed=0):
    return (torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) < chance).float()


# Equations

def test_equations_1_and_4_listing_module_and_exercise_agree(listing):
    words = listing["draw_words"](7, 50, torch.Generator().manual_seed(1))
    assert torch.equal(words, module.draw_hypervectors(7, 50, torch.Generator().manual_seed(1)))
    bits = spikes(6, 50, chance=0.5)
    found = [[sum(a + b - 2 * a * b for a, b in zip(bit.tolist(), word.tolist(), strict=True)) for word in words]  # Eq. 1
             for bit in bits]
    for distances in (listing["distances"], module.hamming_distances, find("24.4").reference):
        assert torch.allclose(distances(bits, words), torch.tensor(found))
    assert find("24.1").reference == math.sqrt(400) / 2
    votes = spikes(6, 40)                                                                      # Eq. 4 of a population
    book = module.repeated_codewords(10, 40)
    apart = module.hamming_distances(votes, book)
    assert torch.equal(apart, votes.sum(1, keepdim=True) + 4 - 2 * votes @ book.T)


@pytest.mark.parametrize(("wanted", "enough"), [(1, True), (4, True), (1, False)])
def test_equations_2_and_3_listing_module_and_autograd_agree(listing, wanted, enough):
    words, target = module.draw_hypervectors(4, 30, torch.Generator().manual_seed(2)), torch.tensor([0, 3, 1, 1, 2])
    spk = spikes(9, 5, 30).requires_grad_()
    shown, package = (loss(spk, target, words, wanted, enough) for loss in (listing["codeword_loss"], module.codeword_loss))
    total = 0.0
    for counts, label in zip(spk.sum(0).tolist(), target.tolist(), strict=True):               # Eq. 3
        for n, bit in zip(counts, words[label].tolist(), strict=True):
            error = n if bit == 0 else max(wanted - n, 0) if enough else wanted - n
            total += error**2 / 30 / 5
    assert shown.item() == package.item() == pytest.approx(total, rel=1e-5)
    slopes = [torch.autograd.grad(loss, spk)[0] for loss in (shown, package)]
    assert torch.equal(*slopes) and slopes[0].any()
    if (wanted, enough) == (1, True):
        assert torch.allclose(find("24.3").reference(spk.detach().sum(0), words[target]), slopes[0][0], atol=1e-7)
    said = spk.detach()
    for step, now in enumerate(module.has_fired(said)):                                        # Eq. 2
        assert torch.equal(now, said[:step + 1].amax(0))


def test_equation_5_is_the_module_the_guess_and_the_exercise():
    for n in (50, 51, 128):
        chances = [math.comb(n, k) * 0.4**k * 0.6 ** (n - k) for k in range(n + 1)]
        exact = sum(chance for k, chance in enumerate(chances) if k > n / 2) + (chances[n // 2] / 2 if n % 2 == 0 else 0)
        assert module.confusion_chance(n, 0.4) == pytest.approx(exact)                         # Eq. 5
    apart = module.hamming_distances(*2 * [module.repeated_codewords(10, 640)])
    assert apart[0, 1] == 128 and find("24.7").reference == 640
    named = {code: explorers.compute_noise(code, 256, 40, 10)["right"] for code in explorers.CODES}
    said = exercises.GUESSES["24.c"].explanation
    assert f"{100 * named['random words']:.0f} of 100" in said and f"{100 * named['population']:.0f} for the population" in said
    assert round(0.6 * 128) == 77 and round(0.6 * 50) == 30


def test_equation_6_is_the_module_and_the_exercise():
    known, unknown = torch.randn(90, generator=torch.Generator().manual_seed(3)), torch.ones(20)
    alarms, caught = module.alarm_curve(known, unknown)
    for place, s in enumerate(torch.cat([known, unknown]).unique().flip(0).tolist(), 1):       # Eq. 6
        assert alarms[place] == pytest.approx((known >= s).double().mean().item())
        assert caught[place] == pytest.approx((unknown >= s).double().mean().item())
    assert find("24.8").reference(known, unknown, 0.3) == module.caught_at(known, unknown, 0.3)


# Exercises and guesses

def test_the_answers_are_the_modules():
    best = max(c for c in range(2, 40) if 240 % c == 0
               and module.hamming_distances(*2 * [module.repeated_codewords(c, 240)])[0, 1] >= 60)
    assert find("24.2").reference == best == 8
    assert find("24.6").reference == 30 * 256 / 10
    spk, words = spikes(12, 30, 40, chance=0.06), module.draw_hypervectors(5, 40)
    for mine, package in zip(find("24.5").reference(spk, words, 4), module.settle(spk, words, 4), strict=True):
        assert torch.equal(mine, package)


def test_the_numbers_of_the_guesses_are_those_of_the_study():
    stored = study_values()
    text = exercises.GUESSES["24.b"]
    for name, words in (("count, 10", text.question), ("hypervectors, 256, one", text.question),
                        ("hypervectors, 256, count", text.explanation)):
        values = stored[f"{name}: hidden spikes"]
        assert f"{min(values):.0f} to {max(values):.0f}" in words
    few = stored["population, 256, one: hidden spikes"] + stored["population, 10, one: hidden spikes"]
    assert f"{min(few):.0f} to {max(few):.0f}" in text.explanation
    for step, low, high in ((4, 0, 0.2), (8, 0.45, 0.6), (12, 0.9, 1)):
        early, end = (stored[f"hypervectors, 256, one: accuracy{when}"] for when in (f", step {step}", ""))
        for value, last in zip(early, end, strict=True):
            assert low < value / last < high
    for digit in study.UNSEEN:
        assert set(stored[f"without {digit}, hypervectors, 256, one: alarms at 100 %"]) == {1.0}


def study_values():
    from snnteach import stored
    return stored("hyperdimensional")


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32])
def test_the_cell_after_the_build_runs_with_answers_of_any_dtype(dtype, capsys):
    def early(*arguments):
        return tuple(part.to(dtype) for part in find("24.5").reference(*arguments))
    (path,) = notebooks.paths(["24"])
    (build,) = (cell for cell in code_cells(path) if cell.id == "s3-build")
    spk, words = spikes(16, 20, 256, chance=0.05), module.draw_hypervectors(10, 256)
    execute(build, {"answer_early": early, "last": SimpleNamespace(spk=spk), "words": words, "torch": torch,
                    "answers": torch.arange(20) % 10, "whose": lambda fn: "your code", "span": lambda *names: "-"})
    assert "of 2000 digits" in capsys.readouterr().out
    assert judge(find("24.5"), find("24.5").reference) == ("right", "")


# The study

def test_by_class_is_the_mean_count_of_each_class():
    spk, book = spikes(5, 30), study.codebook("repeated", 30, 0)
    assert torch.allclose(study.by_class(spk, book), spk.view(5, 3, 10).mean(1))
    words = study.codebook("random", 30, 0)
    assert torch.equal(study.by_class(words, words).argmax(1), torch.arange(10))
    assert torch.allclose(study.by_class(words, words).diagonal(), torch.ones(10))


@pytest.mark.parametrize(("kind", "bits", "loss"), [
    ("repeated", 10, "count"), ("repeated", 10, "latency"), ("random", 32, "one")])
def test_a_row_tells_what_a_network_did(kind, bits, loss, monkeypatch):
    inputs, targets = torch.rand(64, 9, generator=torch.Generator().manual_seed(0)), torch.arange(64) % 10
    monkeypatch.setattr(study, "images", lambda name="mnist": (inputs, targets, inputs, targets))
    monkeypatch.setattr(study, "EPOCHS", 1)
    found = study.told(kind, bits, loss, 0)
    assert found["operations, output"] == pytest.approx(bits * found["hidden spikes"])
    assert found["operations, first"] == pytest.approx(128 * 16 * inputs.sum(1).mean().item(), rel=0.1)
    assert ("accuracy, 40% flipped" in found) == (loss == "one") and 0 <= found["accuracy"] <= 1
    strange = study.stranger(kind, bits, loss, 3, 0) if loss != "latency" else {"area": 0.5}
    assert 0 <= strange["area"] <= 1


def test_a_tie_goes_to_the_highest_potential_and_no_other_order_moves(monkeypatch):
    inputs, targets = torch.rand(4, 9), torch.tensor([2, 1, 0, 1])
    spk, mem = torch.zeros(16, 4, 3), torch.zeros(16, 4, 3)
    spk[3, 0, 2] = spk[3, 2, 0] = spk[5, 2, 1] = spk[5, 3, 2] = 1                              # one; none; two; the wrong one
    mem[2, 1, 1], mem[2, 2, 0], mem[:, 3, 1] = 0.9, 1.5, 50.0
    words = torch.eye(3)
    monkeypatch.setattr(study, "images", lambda name="mnist": (inputs, targets, inputs, targets))
    monkeypatch.setattr(study, "train", lambda *recipe: (None, words))
    monkeypatch.setattr(study, "run", lambda net, inputs: (None, study.Record(spk, mem)))
    assert study.untied(3, 0) == {"accuracy": 0.75, "tied": 0.5}


def test_an_early_halt_counts_the_spikes_so_far(monkeypatch):
    inputs, targets = torch.rand(64, 9, generator=torch.Generator().manual_seed(0)), torch.arange(64) % 10
    monkeypatch.setattr(study, "images", lambda name="mnist": (inputs, targets, inputs, targets))
    monkeypatch.setattr(study, "EPOCHS", 1)
    found = list(study.halted(0).values())
    assert len(found) == 4 and found == sorted(found) and found[-1] > 0
    assert found[-1] == pytest.approx(study.told("repeated", 10, "count", 0)["hidden spikes"], rel=0.1)


def test_the_two_codes_differ_in_nothing_but_their_words(monkeypatch):
    seen = []
    monkeypatch.setattr(study, "fit", lambda net, *data, **recipe: seen.append((net.state_dict(), recipe["seed"])))
    for kind in ("random", "repeated"):
        study.train(kind, 64, "one", 1, inputs=torch.rand(4, 9), targets=torch.arange(4))
    (one, seed), (other, again) = seen
    assert seed == again == 1 and all(torch.equal(one[name], other[name]) for name in one)


# The explorers

def test_the_stored_spelling_is_of_the_right_size_and_kind():
    stored = explorers.spelling()
    assert explorers.SPELT.stat().st_size < 10_000 and stored["pixels"].shape == (12, 196)
    assert stored["labels"][:10].tolist() == list(range(10))
    for code in explorers.CODES:
        assert stored[code].shape == (12, 256) and stored[code].max() == 16 and stored[code].min() >= 1
    inputs, labels = study.images()[2:]
    assert torch.equal((255 * inputs[(labels == 7).nonzero()[0, 0]]).round().long(), stored["pixels"][7])


def test_the_picture_of_the_spelling():
    stored = explorers.spelling()
    for picture, s in pictures("hyperdimensional.spelling", 6):
        words = study.codebook(explorers.KINDS[s["code"]], 256, 0)
        bits = (stored[s["code"]][s["image"]] < s["step"]).float()
        apart = (bits != words).sum(1)
        picture.image("pixels", stored["pixels"][s["image"]].view(14, 14), "gray_r", (0, 255))
        picture.image("bits", bits.view(16, 16), "Blues", (-0.25, 1.3))
        picture.points("words", apart, range(10), "sky")
        picture.points("nearest", [apart.min()], [apart.argmin()], "vermillion", "s")
        picture.says("says", "step {}: {} bits set, nearest is {}", s["step"], bits.sum(), apart.argmin())
        picture.over("words", "nearest")


def test_the_picture_of_the_noise():
    drawn, noise = explorers.coins()
    for picture, s in pictures("hyperdimensional.noise", 6):
        bits, classes = s["bits"], s["classes"]
        words = ((drawn[:classes, :bits] < 0.5).float() if s["code"] == "random words"
                 else module.repeated_codewords(classes, bits))
        own, other = [], []
        for place in range(explorers.TRIALS):
            meant = place % classes
            heard = words[meant].bool() ^ (noise[place, :bits] < s["flipped"] / 100)
            apart = (heard != words.bool()).sum(1).tolist()
            own.append(apart.pop(meant))
            other.append(min(apart))
        right = np.mean([(a < b) + (a == b) / 2 for a, b in zip(own, other, strict=True)])
        for name, values, color, label in (("own", own, "blue", "the word that was meant"),
                                           ("other", other, "vermillion", "the nearest other word")):
            shares = (torch.tensor(values, dtype=torch.float32) / bits).numpy()
            edges = np.linspace(0, 1, 41)
            picture.stairs(name, np.histogram(shares, edges)[0] / explorers.TRIALS, edges, color, label)
        closest = min((words[a] != words[b]).sum().item() for a in range(classes) for b in range(a))
        picture.says("says", s["code"] + ", {} % flipped\nclosest two words: {} of {} bits\nunderstood: {}%", s["flipped"],
                     closest, bits, 100 * right)


def test_what_stands_behind_the_pictures():
    behind = background("hyperdimensional.spelling")
    behind.axes("0", "The image", ("", -0.5, 13.5), ("", 13.5, -0.5), xticks={}, yticks={})
    behind.axes("1", "256 outputs", ("", -0.5, 15.5), ("", 15.5, -0.5), xticks={}, yticks={})
    behind.axes("2", "Ten words", ("bits that differ from each word", 0, 180), ("word of", 11.3, -0.6),
                yticks={n: str(n) for n in range(10)})
    behind.done()
    behind = background("hyperdimensional.noise")
    behind.axes("0", "", ("bits that differ (share of all bits)", 0, 1), ("share of 200 noisy words", 0, 1),
                legend=("the word that was meant", "the nearest other word"))
    behind.done()
