"""What ties notebook 03 together: its listings, the module, the exercises, the fits, and what the explorer draws."""
import itertools
import math

import pytest
import torch

from snnteach import zoo
from snnteach.biophysics import izhikevich, izhikevich_step
from snnteach.lessons.zoo import films, study
from snnteach.lessons.zoo.explorers import compute_plane
from snnteach.reader.lookup import exercise as find
from tests.drawing import background, film, pictures
from tests.listings import namespace

FLOAT = torch.float64
LAM = math.exp(-1 / 5)
RANGES = {"current-based": ((-0.5, 1.5), (-0.1, 0.4), 0.05), "alpha": ((-0.5, 1.5), (-0.5, 2.0), 0.2),
          "adaptive": ((-0.5, 2.0), (-0.1, 0.4), 0.4), "Izhikevich": ((-90.0, 40.0), (-25.0, 10.0), 15.0)}
STATES = {"current-based": ("membrane U", "current I"), "alpha": ("membrane U", "current g"),
          "adaptive": ("membrane U", "adaptation a"), "Izhikevich": ("voltage v (mV)", "recovery u")}
STEPS = {"current-based": lambda i, *state: zoo.cuba_lif_step(i, *state, 0.8, 0.9),
         "alpha": lambda i, *state: zoo.alpha_lif_step(i, *state, 5.0),
         "adaptive": lambda i, *state: zoo.adaptive_lif_step(i, *state, 0.9, 0.95, 2.0)}


def signal(seed, *shape, size=1.0):
    return size * torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=FLOAT)


@pytest.fixture(scope="module")
def listing():
    return namespace("zoo")


@pytest.mark.parametrize(("name", "constants", "options"), [
    ("cuba_lif", (0.8, 0.9), {}), ("alpha_lif", (3.0,), {}), ("adaptive_lif", (0.9, 0.95, 2.0), {}),
    ("adaptive_lif", (0.9, 0.95, 2.0), {"reset": "zero"}), ("recurrent_lif", (0.9, signal(8, 4) - 0.4), {}),
    ("recurrent_lif", (0.9, 0.5 * signal(9, 4, 4) - 0.2), {})])
def test_listings_are_the_module_in_values_and_gradients(listing, name, constants, options):
    x = signal(0, 30, 3, 4, size=0.3 if name == "cuba_lif" else 0.7).requires_grad_()
    found = []
    for run in (listing[name], getattr(zoo, name)):
        records = run(x, *constants, 1.1, **options)
        found.append((*records, *torch.autograd.grad(sum((k + 1) * (part**2).sum() for k, part in enumerate(records)), x)))
    assert torch.equal(found[0][0], found[1][0]) and 0.05 < found[0][0].mean() < 0.95
    for shown, package in zip(*found, strict=True):
        assert torch.allclose(shown, package, rtol=1e-10, atol=1e-10)


def test_the_build_is_the_neuron_of_the_module():
    for x, beta, rest, rho, strength in find("03.6").cases:
        spk, *_ = zoo.refractory_lif(x[:, None], beta, rest, rho=rho, strength=strength, reset="zero")
        assert torch.equal(find("03.6").reference(x, beta, rest, rho, strength), spk[:, 0])
    for x, tau in find("03.2").cases:
        mem = zoo.alpha_lif(x[:, None, None], tau, reset="none")[1].flatten()
        assert torch.allclose(find("03.2").reference(x, tau), mem, atol=1e-12)


def test_the_answers_of_the_values_are_what_the_neurons_do():
    for factor, fires in ((0.99, False), (1.01, True)):
        spk, *_ = zoo.cuba_lif(torch.full((2000, 1, 1), factor * find("03.1").reference, dtype=FLOAT), 0.9, 0.8)
        assert bool(spk.any()) == fires
        kick = torch.zeros(600, 1, 4, dtype=FLOAT)
        kick[0] = 3
        weight = torch.full((4, 4), factor * find("03.5").reference, dtype=FLOAT)
        assert bool(zoo.recurrent_lif(kick, 0.8, weight)[0][-1].any()) == fires
    assert zoo.refractory_lif(torch.full((210, 1, 1), 0.4), 0.9, 4, reset="zero")[0].sum() == find("03.4").reference


def test_what_a_fit_scores():
    train = study.random_train(400, 5000.0, 10_000.0, 0)
    assert len(train) == 400 and train.min() >= 5000 and train.max() < 10_000 and train.diff().min() >= study.REST * study.DT
    assert study.score(train, train, 5000.0, 10_000.0) == pytest.approx(1)
    twice = torch.cat([train, train + 1]).sort().values
    assert study.score(twice, train, 5000.0, 10_000.0) < 0                          # too many are too many, second by second
    spk = torch.tensor([0.0, 1.0, 0.0, 1.0])
    assert study.fired(spk, 3.0).tolist() == [4.0, 5.0]                             # a step of half a millisecond ends
    x = study.heard(torch.tensor([-30.0, -10.0]), torch.tensor([2.0]), 0.5, -20.0)
    assert x.tolist() == [[0], [pytest.approx((1 - math.exp(-0.25)) * 5)]]
    loudness, times = study.sound(2)
    assert len(loudness) == 20_000 and len(times) == 868 and 0 < times.min() < times.max() < 10_000


def test_a_candidate_is_a_column_of_the_neuron_of_the_module():
    loudness, _ = study.sound(1)
    candidates = torch.stack([study.LOW + share * (study.HIGH - study.LOW) for share in (0.3, 0.6)])
    spk = study.spikes(candidates, loudness[:1500])
    for n, (tau, gain, floor, strength, slowness, _) in enumerate(candidates.tolist()):
        x = study.heard(loudness[:1500], torch.tensor([tau]), 10**gain, floor)
        alone = find("03.6").reference(x, math.exp(-0.5 / tau), 7, math.exp(-0.5 / 10**slowness), strength)
        assert (alone[:, 0] != spk[:, n]).float().mean() < 0.01 and spk[:, n].sum() > 5


def test_the_flow_of_a_plane_is_one_step_of_its_neuron():
    for name, step in STEPS.items():
        data = compute_plane(name, 0.5, 0.5, 0.5)
        (x_low, x_high), (y_low, y_high), most = RANGES[name]
        x, y = x_low + data["tails"][:, :1] * (x_high - x_low), y_low + data["tails"][:, 1:] * (y_high - y_low)
        _, mem, other = step(torch.full_like(x, 0.5 * most), x, torch.zeros_like(x), y)
        change = torch.cat([(mem - x) / (x_high - x_low), (other - y) / (y_high - y_low)], 1)
        drawn = data["heads"] - data["tails"]
        moving = change.norm(dim=1) > 1e-6
        assert torch.allclose(drawn[moving], 0.06 * torch.nn.functional.normalize(change[moving]), atol=1e-4)


def walk(name, x, y, drive):
    """The run of a plane by single steps: spikes, and both states from the start on."""
    spikes, places = [], [(x, y)]
    if name == "Izhikevich":
        for _ in range(400):
            slope = 0.04 * x * x + 5 * x + 140 - y + drive
            fired, after, recovery = izhikevich_step(x, y, drive)
            spikes.append(fired)
            places.append((max(-1e4, min(30.0, x + 0.25 * slope)), recovery - 8 * fired))
            x, y = after, recovery
    else:
        state = [torch.full((1, 1), float(value)) for value in (x, 0, y)]
        for _ in range(80):
            spk, *state = STEPS[name](torch.full((1, 1), drive), *state)
            spikes.append(spk.item())
            places.append((state[0].item(), state[1].item()))
            state = [state[0], spk, state[1]]
    return torch.tensor(spikes), torch.tensor(places)


def stills(name, x, drive):
    """Where the first and where the second state stands still, as functions of the first."""
    if name == "current-based":
        return (0.1 * x - drive) / 0.8, torch.full_like(x, drive / 0.2)
    if name == "alpha":
        return (1 - LAM) * x / (LAM * math.e / 5), torch.full_like(x, drive / (1 - LAM))
    if name == "adaptive":
        return 1e3 * (x - drive / 0.1), torch.zeros_like(x)
    return 0.04 * x**2 + 5 * x + 140 + drive, 0.2 * x


def flows(name, x, y, drive):
    if name == "Izhikevich":
        return 0.25 * (0.04 * x**2 + 5 * x + 140 - y + drive), 0.25 * 0.02 * (0.2 * x - y)
    _, mem, other = STEPS[name](torch.full((len(x), 1), drive), x[:, None], torch.zeros(len(x), 1), y[:, None])
    return mem[:, 0] - x, other[:, 0] - y


def test_the_picture_of_the_plane():
    grid = torch.tensor(list(itertools.product(torch.linspace(0.05, 0.95, 10).tolist(), repeat=2)))
    for picture, s in pictures("zoo.plane"):
        (x_low, x_high), (y_low, y_high), most = RANGES[s["neuron"]]
        wide, high, drive = x_high - x_low, y_high - y_low, most * s["input"]
        spk, places = walk(s["neuron"], x_low + s["across"] * wide, y_low + s["up"] * high, drive)
        path = (places - torch.tensor([x_low, y_low])) / torch.tensor([wide, high])
        change = torch.stack(flows(s["neuron"], x_low + grid[:, 0] * wide, y_low + grid[:, 1] * high, drive), 1)
        change = change / torch.tensor([wide, high])
        heads = grid + 0.06 * change / change.norm(dim=1, keepdim=True).clamp(min=1e-9)
        pieces = torch.stack([grid, heads, torch.full_like(grid, math.nan)], 1).flatten(0, 1)
        picture.line("flow", *pieces.unbind(1), "0.65", clipped=True)
        picture.points("tails", *grid.unbind(1), "0.65", ".")
        line = torch.linspace(x_low, x_high, 201)
        for name, curve, color, style in zip(("still_x", "still_y"), stills(s["neuron"], line, drive), ("orange", "sky"),
                                             ("-", "-."), strict=True):
            picture.line(name, torch.linspace(0, 1, 201), (curve - y_low) / high, color, style, clipped=True)
        ends = {"adaptive": ((-8, 10), (-4.5, 4.5)), "Izhikevich": ((30, 30), (-99, 99))}.get(s["neuron"], ((1, 1), (-9, 9)))
        picture.line("threshold", [(end - x_low) / wide for end in ends[0]], [(end - y_low) / high for end in ends[1]], "0.45",
                     "--", clipped=True)
        picture.line("path", *path.unbind(1), "blue", clipped=True)
        picture.points("start", path[:1, 0], path[:1, 1], "vermillion")
        for artist, name, (low, top), part in zip(("name_x", "name_y"), STATES[s["neuron"]], RANGES[s["neuron"]],
                                                  (s["across"], s["up"]), strict=False):
            picture.says(artist, f"{name}, {{}} to {{}} (start {{}})", low, top, low + part * (top - low))
        picture.says("legend", "orange: no step across; blue dash-dot: no step up")
        steps = torch.linspace(0, 1, len(path))
        picture.line("trace", steps, path[:, 0].clamp(0, 1), "blue")
        picture.points("spk", steps[1:][spk > 0], torch.full((int(spk.sum()),), 1.06), "black", "|")
        picture.says("name_t", "time, 0 to {} steps", len(spk))
        across, up = (state.split()[1] for state in STATES[s["neuron"]])
        picture.says("says", f"from {across} = {{}}, {up} = {{}}: {{}} spikes", *places[0].tolist(), int(spk.sum()))


def test_what_stands_behind_the_picture():
    behind = background("zoo.plane")
    behind.axes("0", "The plane of its two states\n ", ("\n ", -0.02, 1.02), (" ", -0.02, 1.02))
    behind.axes("1", "What it does\n ", ("\n ", 0, 1), ("", 0, 1.12))
    behind.done()


def test_the_cloud_is_many_runs_of_izhikevich_and_rests_until_the_input_rises():
    frames = films.cloud_frames()
    assert [frame["input"] for frame in frames] == 10 * [0.0] + 20 * [8.0] and frames[-1]["time"] == 45.0
    assert not any(frame["fired"].any() for frame in frames[8:10]) and frames[13]["fired"].any()
    current, start = torch.tensor([0.0] * 60 + [8.0] * 120), (frames[0]["v"][0, 50].item(), frames[0]["u"][0, 50].item())
    spk, voltage, recovery = izhikevich(current, start=start)
    assert torch.equal(torch.cat([frame["u"][1:, 50] for frame in frames]), recovery)
    assert torch.equal(torch.cat([frame["v"][1:, 50] for frame in frames]), torch.where(spk > 0, -65.0, voltage))
    assert [bool(frame["fired"][50]) for frame in frames] == spk.view(30, 6).bool().any(1).tolist() and spk.any()


@pytest.mark.parametrize("number", [0, 15])
def test_the_film_draws_the_cloud_and_both_nullclines(number):
    frame = films.cloud_frames()[number]
    still, picture = film(films.build_cloud, films.draw_cloud, frame, width=6.4, height=3.8)
    across, fired = torch.linspace(-90, 40, 200), frame["fired"]
    picture.line("0.line0", across, 0.04 * across**2 + 5 * across + 140 + frame["input"], "orange", clipped=True)
    picture.line("0.line1", across, 0.2 * across, "sky", "-.", clipped=True)
    awake = (~fired).nonzero().flatten().tolist()
    for place, who in enumerate(awake, 2):
        picture.line(f"0.line{place}", frame["v"][:, who], frame["u"][:, who], "0.7", clipped=True)
    for place, (who, color) in enumerate(((~fired, "blue"), (fired, "vermillion")), 2 + len(awake)):
        marks = picture.artists[f"0.line{place}"]
        assert marks.get_xydata().tolist() == torch.stack([frame["v"][-1, who], frame["u"][-1, who]], 1).tolist()
        assert marks.get_marker() == "o" and marks.get_linestyle() == "None"
        picture._color(f"0.line{place}", marks.get_markerfacecolor(), color)
        picture.left.discard(f"0.line{place}")
    picture.says("0.text0", "v stands still", color="orange")
    picture.says("0.text1", "u stands still", color="sky")
    picture.says("0.text2", "{} ms, input {}: {} of {} fire", frame["time"], frame["input"], int(fired.sum()), 176)
    picture.done()
    still.axes("0", " ", ("voltage v (mV)", -90, 40), ("recovery u", -22, 8))
    still.done()
