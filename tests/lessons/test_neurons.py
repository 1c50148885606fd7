"""What ties notebook 02 together: its displayed equations, its listings, the module, the explorer and the animation."""
import itertools
import math

import pytest
import torch

from snnteach import neurons
from snnteach.authoring import notebooks
from snnteach.lessons.neurons.explorers import appendix_zero, compute_lif, compute_resets, drive
from snnteach.lessons.neurons.films import build_unrolled, draw_unrolled, unrolled_frames
from snnteach.reader.lookup import exercise as find
from snnteach.surrogate import fast_sigmoid
from tests.drawing import background, film, pictures
from tests.listings import namespace

FLOAT = torch.float64
EQUATIONS = {  # what section 2 and the table of section 3 display; mem, spk of the step before
    "subtract": lambda x, mem, spk, beta, threshold: beta * mem + x - threshold * spk,
    "subtract_decayed": lambda x, mem, spk, beta, threshold: beta * (mem - threshold * spk) + x,
    "zero": lambda x, mem, spk, beta, threshold: beta * (1 - spk) * mem + x,
    "none": lambda x, mem, spk, beta, threshold: beta * mem + x,
}


@pytest.fixture(scope="module")
def listing():
    return namespace("neurons")


def signal(seed, *shape):
    return 1.3 * torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=FLOAT)


@pytest.mark.parametrize("reset", neurons.RESETS)
def test_equation_listing_and_module_agree_on_one_step(listing, reset):
    x, mem = signal(0, 6, 7), 2 * signal(1, 6, 7)
    spk = (mem > 1.2).to(FLOAT)
    expected = EQUATIONS[reset](x, mem, spk, 0.8, 1.2)
    for step in (listing["lif_step"], neurons.lif_step):
        now, potential = step(x, mem, spk, 0.8, 1.2, reset=reset)
        assert torch.allclose(potential, expected, rtol=0, atol=1e-14)
        assert torch.equal(now, (potential > 1.2).to(FLOAT)) and 0 < now.mean() < 1


@pytest.mark.parametrize(("reset", "detach", "vector"), list(itertools.product(neurons.RESETS, (True, False), (True, False))))
def test_written_out_loop_equals_the_module_in_values_and_gradients(listing, reset, detach, vector):
    x = signal(2, 30, 3, 4).requires_grad_()
    beta = (torch.linspace(0.6, 0.95, 4, dtype=FLOAT) if vector else torch.tensor(0.9, dtype=FLOAT)).requires_grad_()
    mem0 = signal(3, 3, 4).requires_grad_()
    spk0 = (mem0.detach() > 1.1).to(FLOAT)
    results = []
    for run in (listing["lif_loop"], neurons.lif):
        spk, mem = run(x, beta, 1.1, surrogate=fast_sigmoid(4.0), reset=reset, detach_reset=detach, state=(mem0, spk0))
        loss = (torch.arange(1, 5) * spk).sum() + (mem**2).sum()
        results.append((spk, mem, *torch.autograd.grad(loss, (x, beta, mem0))))
    assert 0.05 < results[0][0].mean() < 0.99
    assert torch.equal(results[0][0], results[1][0])
    for shown, package in zip(*results, strict=True):
        assert torch.allclose(shown, package, rtol=1e-10, atol=1e-12)
    assert all(gradient.abs().sum() > 0 for gradient in results[0][2:])


@pytest.mark.parametrize(("reset", "detach"), list(itertools.product(neurons.RESETS, (True, False))))
def test_written_out_loop_equals_the_module_with_a_fixed_decay(listing, reset, detach):
    x = signal(6, 30, 3, 4).requires_grad_()
    results = []
    for run in (listing["lif_loop"], neurons.lif):
        spk, mem = run(x, 0.9, 1.1, surrogate=fast_sigmoid(4.0), reset=reset, detach_reset=detach)
        results.append((spk, mem, *torch.autograd.grad((torch.arange(1, 5) * spk).sum() + (mem**2).sum(), x)))
    for shown, package in zip(*results, strict=True):
        assert torch.allclose(shown, package, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("reset", neurons.RESETS)
def test_the_module_of_the_listing_is_that_of_the_package(listing, reset):
    x = signal(4, 25, 2, 5).float()
    layers = [source(0.85, 0.9, learn_beta=True, reset=reset) for source in (listing["LIF"], neurons.LIF)]
    results = []
    for layer in layers:
        spk, mem = layer(x)
        results.append((spk, mem, *torch.autograd.grad((spk + mem).sum(), layer.logit_beta)))
    assert torch.equal(results[0][0], results[1][0])
    for shown, package in zip(*results, strict=True):
        assert torch.allclose(shown, package, rtol=1e-4)
    assert not any(parameter.requires_grad for parameter in listing["LIF"](0.85).parameters())


def test_first_spike_listing_is_the_module(listing):
    for beta, current in itertools.product((0.5, 0.9, 0.99), (0.009, 0.049, 0.2, 0.7, 1.5)):
        assert listing["first_spike_step"](current, beta) == neurons.first_spike_step(current, beta)
    assert listing["first_spike_step"](0.09, 0.9) == math.inf


@pytest.mark.parametrize("reset", neurons.RESETS)
@pytest.mark.parametrize("kind", ["constant", "pulse train", "noise"])
def test_the_explorers_budget_adds_up(reset, kind):
    data = compute_lif(0.9, 0.3, reset, kind, "W, as in Eq. 2")
    assert data["x"].mean().item() == pytest.approx(0.3, rel=1e-5)
    assert sum(data["shares"]) == pytest.approx(1.0)
    if reset == "none":
        assert data["shares"][1] == pytest.approx(0, abs=1e-5)
    if reset == "subtract":                      # each reset within the run costs one threshold
        paid = int(data["spk"][:-1].sum()) / 100
        assert data["shares"][1] * 0.3 == pytest.approx(paid, abs=1e-5)
        assert data["rate"] == pytest.approx(data["law"], abs=0.02)


def test_the_same_mean_input_fires_in_packets_only():
    counts = {kind: int(compute_lif(0.9, 0.09, "subtract", kind, "W, as in Eq. 2")["spk"].sum())
              for kind in ("constant", "pulse train", "noise")}
    assert counts["constant"] == 0 and counts["pulse train"] == 4 and counts["noise"] >= 1
    assert bool((drive(0.09, "noise") >= 0).all())


def test_the_animation_shows_the_three_terms_of_the_equation():
    x = 0.6 * torch.tensor([1.0, 1, 1, 0, 1, 1, 0, 1, 1])
    frames = unrolled_frames(x, beta=0.9)
    assert [frame[:2] for frame in frames[:4]] == [(1, 0), (1, 1), (1, 2), (2, 0)] and len(frames) == 27 <= 30
    record = frames[0][2]
    for step in range(1, 10):
        expected = 0.9 * record["mem"][step - 1] + record["x"][step - 1] - record["spk"][step - 1]
        assert record["mem"][step] == pytest.approx(expected, abs=1e-6)
        assert record["spk"][step] == float(record["mem"][step] > 1)
    assert sum(record["spk"]) == 3


def test_the_repaired_listing_is_the_module():
    for current, beta, threshold, num_steps in find("02.3").cases:
        spk, _ = neurons.lif(torch.full((num_steps, 1, 1), current, dtype=FLOAT), beta, threshold)
        assert torch.equal(find("02.3").reference(current, beta, threshold, num_steps).to(FLOAT), spk.flatten())
        single, _ = neurons.lif(torch.full((num_steps, 1, 1), current), beta, threshold)      # a reader may use float32
        assert torch.equal(single.to(FLOAT), spk)


def test_the_build_that_resets_at_once_is_the_delayed_reset_that_decays():
    for x, beta, threshold in find("02.6").cases:
        spk, mem = neurons.lif(x, beta, threshold, reset="subtract_decayed")
        built, potential = find("02.6").reference(x, beta, threshold)
        assert torch.equal(built, spk) and torch.allclose(potential, mem, atol=1e-6)
    assert not torch.equal(find("02.6").reference(*find("02.6").cases[0])[0], neurons.lif(*find("02.6").cases[0])[0])


def test_the_picture_of_the_neuron_and_its_budget():
    steps, uniform = torch.arange(100), torch.rand(100, generator=torch.Generator().manual_seed(1))
    for picture, s in pictures("neurons.lif"):
        current, beta = s["current"], s["beta"]
        x = {"constant": torch.full((100,), current), "pulse train": 5 * current * (steps % 5 == 4),
             "noise": torch.log(1 - uniform) * current / torch.log(1 - uniform).mean()}[s["kind"]]
        x = x * (10 * (1 - beta) if "Eq. 1" in s["held"] else 1)
        spk, mem = (record.flatten() for record in neurons.lif(x[:, None, None], beta, reset=s["reset"]))
        before = torch.cat([torch.zeros(1), mem[:-1]])
        parts = [((1 - beta) * before).sum(), (beta * before + x - mem).sum(), mem[-1]]               # leak, reset, stored
        fired = steps[spk > 0]
        picture.line("mem", steps, mem, "blue", clipped=True)
        picture.points("spk", fired, torch.full(fired.shape, 2.03), "black", "|")
        picture.line("x", steps, x, "orange", steps="steps-mid", clipped=True)
        picture.says("input", "(1 - β) W' X" if "Eq. 1" in s["held"] else "W X")
        picture.says("rate", "{} spikes in 100 steps: rate {}", len(fired), len(fired) / 100)
        picture.says("law", 'balance law, for "subtract": {}', x.mean() - (1 - beta) * mem.mean())
        for place, (part, color) in enumerate(zip(parts, ("sky", "vermillion", "black"), strict=True)):
            share = min(max(100 * float(part / x.sum()), 0), 100)
            picture.bar(f"bar{place}", place - 0.35, 0, 0.7, share, color)
            picture.says(f"share{place}", "{}", share, at=(place, min(share, 93)))


def test_what_stands_behind_the_picture():
    behind = background("neurons.lif")
    behind.axes("0", " \n ", ("", -1, 100), ("potential U", -0.2, 2.2),
                yticks={0: "0", 0.5: "0.5", 1: "θ = 1", 1.5: "1.5", 2: "2"})
    behind.axes("1", "", ("time step", -1, 100), ("input", 0, 3))
    behind.axes("2", "Where it goes\n ", ("", -0.5, 2.5), ("share of the input (%)", 0, 100),
                xticks={0: "leak", 1: "reset", 2: "stored"})
    behind.rule("0.line0", "0.45", "--", y=1)
    behind.says("0.text0", "")
    behind.done()


def appendix_by_hand(x, beta):
    """The paper's appendix, in plain numbers."""
    mem, steps = 0.0, []
    for now in x.tolist():
        mem = 0.0 if mem > 1 else beta * mem + now
        steps.append(mem)
    return torch.tensor(steps)


def test_the_appendix_is_the_notebook_s_and_the_five_rows_are_their_runs(listing):
    (path,) = notebooks.paths(["02"])
    (cell,) = [cell for cell in notebooks.read(path).cells if cell.id == "s3-levels"]
    names = {**listing, "pays_in_full": find("02.8").reference}
    exec(cell.source, names)
    x = signal(7, 100)
    spk, mem = appendix_zero(x, 0.9)
    shown = names["appendix_zero"](x[:, None, None], 0.9)
    assert torch.equal(spk, shown[0].flatten()) and torch.allclose(mem, shown[1].flatten(), rtol=0, atol=1e-14)
    rows = compute_resets(0.9, 0.3, "constant", "W, as in Eq. 2")["rows"]
    assert rows.keys() == names["runs"].keys()
    for name, (spk, mem) in names["runs"].items():
        row = rows[name]
        assert torch.equal(row["spk"], spk.flatten()) and torch.allclose(row["mem"], mem.flatten(), atol=1e-6)
        assert row["after"] == int(spk.argmax()) + 1 and sum(row["shares"]) == pytest.approx(1)


def test_the_picture_of_five_resets():
    steps, uniform = torch.arange(100), torch.rand(100, generator=torch.Generator().manual_seed(1))
    for picture, s in pictures("neurons.resets"):
        current, beta = s["current"], s["beta"]
        x = {"constant": torch.full((100,), current), "pulse train": 5 * current * (steps % 5 == 4),
             "noise": torch.log(1 - uniform) * current / torch.log(1 - uniform).mean()}[s["kind"]]
        x = x * (10 * (1 - beta) if "Eq. 1" in s["held"] else 1)
        picture.line("x", steps, x, "orange", steps="steps-mid", clipped=True)
        picture.says("input", "(1 - β) W' X" if "Eq. 1" in s["held"] else "W X")
        for name in (*neurons.RESETS, "appendix zero"):
            mem = (appendix_by_hand(x, beta) if name == "appendix zero" else
                   neurons.lif(x[:, None, None], beta, reset=name)[1].flatten())
            fired, before = steps[mem > 1], torch.cat([torch.zeros(1), mem[:-1]])
            parts = [((1 - beta) * before).sum(), (beta * before + x - mem).sum(), mem[-1]]           # leak, reset, stored
            picture.line(f"{name}: mem", steps, mem, "blue", clipped=True)
            picture.points(f"{name}: spk", fired, torch.full(fired.shape, 2.05), "black", "|")
            picture.left.discard(f"{name}: after")
            if len(fired) and fired[0] < 99:
                after = mem[fired[0] + 1].item()
                assert picture.artists[f"{name}: after"].get_xydata().tolist() == [[fired[0] + 1, pytest.approx(after)]]
                picture.says(f"{name}: spikes", "begins again at {}; {} spikes", after, len(fired))
            else:
                assert len(picture.artists[f"{name}: after"].get_xydata()) == 0
                picture.says(f"{name}: spikes", "{} spikes", len(fired))
            left = 0.0
            for part, amount, color in zip(("leak", "resets", "stored"), parts, ("sky", "vermillion", "black"), strict=True):
                share = min(max(100 * float(amount / x.sum()), 0), 100 - left)
                picture.bar(f"{name}: {part}", left, -0.3, share, 0.6, color)
                left += share


def unrolled(step, phase):
    """What the film draws at one phase of one step, and the record behind it."""
    frames = unrolled_frames(0.6 * torch.tensor([1.0, 1, 1, 0, 1, 1, 0, 1, 1]), beta=0.9)
    still, picture = film(build_unrolled, draw_unrolled, frames[3 * (step - 1) + phase])
    return still, picture, frames[0][2]


@pytest.mark.parametrize(("now", "phase"), [(1, 0), (3, 2), (4, 1), (4, 2), (9, 2)])
def test_the_film_draws_the_three_terms(now, phase):
    _, picture, record = unrolled(now, phase)
    x, mem, spk = record["x"], record["mem"], record["spk"]
    bars, marks, levels = [], [], []
    for step in range(1, 10):
        stage = 3 if step < now else phase if step == now else -1
        kept, added = 0.9 * mem[step - 1], x[step - 1]
        lit = stage >= 0 and added
        marks += [(step, -0.42, "orange" if lit else "white", "orange" if lit else "0.75"),
                  (step, 1.78, "black" if stage >= 2 and spk[step] else "white", "black" if stage >= 2 else "0.75")]
        if stage >= 0:
            bars += [(step, 0, kept, "blue")]
        if stage >= 1:
            bars += [(step, kept, added, "orange")]
        if stage >= 2:
            bars += [(step, mem[step], 1, "white")] if spk[step - 1] else []
            levels += [(step, mem[step])]
    picture.rule("0.line0", "0.45", "--", y=1)
    lines = iter([name for name in picture.artists if ".line" in name][1:])
    for place, height, face, edge in [mark for step in range(9) for mark in marks[2 * step:2 * step + 2]]:
        picture.points(next(lines), [place], [height], face, edge=edge)
        if height > 1 and levels and levels[0][0] == place:
            picture.line(next(lines), [place - 0.3, place + 0.3], [levels[0][1]] * 2, "black")
            levels.pop(0)
    drawn = [name for name, patch in picture.artists.items() if ".patch" in name and hasattr(patch, "get_height")]
    for name, (step, bottom, height, color) in zip(drawn, bars, strict=True):
        picture.bar(name, step - 0.28, bottom, 0.56, height, color)
    check_arrows(picture, record, now, phase)
    check_words(picture, record, now, phase)
    picture.done()


def check_arrows(picture, record, now, phase):
    mem, spk, arrows = record["mem"], record["spk"], []
    for step in range(1, 10):
        stage = 3 if step < now else phase if step == now else -1
        arrows += [((step, -0.32), (step, -0.02), "orange" if stage >= 1 and record["x"][step - 1] else "0.85")]
        if step > 1:
            before, kept = (mem[step - 1], 0.9 * mem[step - 1]) if stage >= 0 else (0.25, 0.25)
            top = max(0.9 * mem[step - 1] + record["x"][step - 1], 0.2) + 0.04 if stage >= 2 else 1.45
            arrows += [((step - 0.7, before), (step - 0.32, kept), "blue" if stage >= 0 else "0.85"),
                       ((step - 0.88, 1.68), (step - 0.22, top), "vermillion" if stage >= 2 and spk[step - 1] else "0.85")]
    drawn = [name for name, patch in picture.artists.items() if ".patch" in name and hasattr(patch, "get_arrowstyle")]
    for name, (start, end, color) in zip(drawn, arrows, strict=True):
        picture.arrow(name, start, end, color)


def check_words(picture, record, now, phase):
    mem, spk, paid = record["mem"], record["spk"], []
    texts = iter([name for name in picture.artists if ".text" in name])
    picture.says(next(texts), "threshold", at=(0.34, 1.03))
    for step in range(2, 10):
        stage = 3 if step < now else phase if step == now else -1
        picture.says(next(texts), "β", at=(step - 0.5, (mem[step - 1] if stage >= 0 else 0.25) + 0.04))
        if stage >= 2 and spk[step - 1]:
            picture.says(next(texts), "−θ", at=(step - 0.5, 1.71), color="vermillion")
            paid.append(step)
    terms = [("U[{}]  =", now), ("{} × {}", 0.9, mem[now - 1]), ("+ {}", record["x"][now - 1]), ("− {}", spk[now - 1]),
             ("=  {}", mem[now]), (f"S[{{}}] = {{}}, {'fires' if spk[now] else 'silent'}", now, spk[now])]
    for words, *numbers in terms[:phase + 2 if phase < 2 else None]:
        picture.says(next(texts), words, *numbers)
    assert now < 9 or len(paid) == 3


def test_what_the_film_keeps():
    still, _, _ = unrolled(1, 0)
    still.axes("0", "", ("time step t", 0.3, 9.6), ("", -0.62, 1.98), xticks={step: f"{step}" for step in range(1, 10)},
               yticks={-0.42: "input X", 0: "U = 0", 0.5: "0.5", 1: "1", 1.78: "spike S"})
    still.done()
