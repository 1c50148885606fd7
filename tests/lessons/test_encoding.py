"""Notebook 04: its listings against the package, its exercises, its explorers and its stored study."""
import io
import math
import wave
from pathlib import Path

import numpy as np
import pytest
import torch

from snnteach import encoding as reference
from snnteach import stored as read_stored
from snnteach.authoring import studies
from snnteach.data import flat, mnist5k
from snnteach.data.recordings import grasshopper
from snnteach.lessons.encoding import sounds
from snnteach.lessons.encoding.explorers import digits_shown, fates
from snnteach.lessons.encoding.films import build_reveal, draw_reveal, reveal_frames
from snnteach.neurons import lif
from snnteach.reader.lookup import exercise as find
from snnteach.reader.lookup import explorer as find_explorer
from tests.drawing import background, film, pictures
from tests.listings import namespace


@pytest.fixture(scope="module")
def shown():
    return namespace("encoding")


def seeded():
    return torch.Generator().manual_seed(5)


def test_the_listing_of_the_coin_is_the_package(shown):
    x = torch.rand(40, 3, generator=seeded())
    assert torch.equal(shown["rate_code"](x, 30, gain=0.7, generator=seeded()),
                       reference.rate_code(x, 30, gain=0.7, generator=seeded()))


@pytest.mark.parametrize("mode", reference.LATENCY_MODES)
def test_the_listing_of_latency_is_the_package(shown, mode):
    x = torch.linspace(0, 1, 200)
    options = {"tau": 7.0, "threshold": 0.05, "mode": mode}
    assert torch.equal(shown["latency_code"](x, 20, **options), reference.latency_code(x, 20, **options))


@pytest.mark.parametrize("method", reference.DELTA_METHODS)
@pytest.mark.parametrize("off_spikes", [True, False])
def test_the_listing_of_delta_is_the_package(shown, method, off_spikes):
    x = grasshopper().loudness[:3000:3].view(250, 4)
    ours, theirs = (code(x, 1.5, method=method, off_spikes=off_spikes) for code in (shown["delta_code"], reference.delta_code))
    assert torch.equal(ours, theirs) and ours.any()
    assert torch.equal(shown["delta_decode"](ours, 1.5, x[0]), reference.delta_decode(ours, 1.5, x[0]))


def test_the_listings_of_population_and_phase_are_the_package(shown):
    x = torch.rand(50, generator=seeded())
    assert torch.equal(shown["population_code"](x, 7), reference.population_code(x, 7))
    for period in (4, 8):
        assert torch.equal(shown["phase_code"](x, 16, period=period), reference.phase_code(x, 16, period=period))


def test_exercises_agree_with_simulation():
    needed = find("04.1").reference
    spread = reference.rate_code(torch.full((20_000,), 0.5), needed, generator=seeded()).mean(0).std().item()
    assert spread == pytest.approx(0.05, rel=0.02)
    spk = reference.poisson_code(torch.full((500,), 0.25), 4000, dead_time=2.0, generator=seeded())
    assert find("04.2").reference(spk.mean().item(), 2.0) == pytest.approx(0.25, rel=0.01)
    for num_steps, tau, threshold in find("04.3").cases:
        limit = find("04.3").reference(num_steps, tau, threshold)
        x = torch.tensor([limit - 1e-6, limit + 1e-6], dtype=torch.float64)
        assert reference.latency_code(x, num_steps, tau=tau, threshold=threshold).sum(0).tolist() == [0, 1]
    assert reference.delta_code(torch.linspace(0, 1, 10_000), 0.03).sum() == find("04.4").reference
    bits = reference.phase_code(torch.arange(256) / 255, 8).flip(0)[:, None]
    mem = lif(bits, find("04.5").reference, reset="none")[1][-1, 0]
    assert torch.equal(mem * 128, torch.arange(256.0))


def test_misconceptions_differ_from_the_answer_and_from_each_other():
    for number in range(1, 6):                                               # 04.6 is judged in test_exercises
        exercise = find(f"04.{number}")
        answers = [exercise.reference, *(wrong.answer for wrong in exercise.misconceptions)]
        if exercise.cases:
            answers = [tuple(round(answer(*case), 9) for case in exercise.cases) for answer in answers]
        assert len(set(answers)) == len(answers)


def test_pixel_explorer_says_what_the_notebook_says():
    compute = find_explorer("encoding.pixel").compute
    assert compute(code="rate (Bernoulli)", intensity=1.0, num_steps=16)["error"] == 0
    assert compute(code="Poisson", intensity=1.0, num_steps=16)["error"] > 0.1
    assert compute(code="phase", intensity=0.5, num_steps=8)["error"] == 0
    for intensity in (0.2, 0.5, 0.9):
        coin, once = (compute(code=code, intensity=intensity, num_steps=16)["error"]
                      for code in ("rate (Bernoulli)", "latency, linear"))
        assert once <= 0.5 / 15 + 1e-6 < coin
        many, direct = (compute(code=code, intensity=intensity, num_steps=16)["error"]
                        for code in ("population", "direct current"))
        assert direct < 1e-6 < many < coin


def test_digit_explorer_reads_the_digit_in_the_end():
    compute, codes = (getattr(find_explorer("encoding.digit"), name) for name in ("compute", "controls"))
    for code in codes["code"].options:
        early, late = (compute(code=code, digit=3, step=step) for step in (1, 16))
        assert late["error"] <= early["error"] + 1e-6 and late["error"] < (0.18 if "log" in code else 0.1), code
    frames = reveal_frames(digits_shown()[3])
    assert len(frames) == 16 and frames[-1]["latency"]["error"] < frames[-1]["rate"]["error"]


def test_delta_explorer_frame_difference_is_deaf_to_dense_samples():
    compute = find_explorer("encoding.delta").compute
    assert compute(method="frame", threshold=2.0, every=1)["count"] == 0
    assert compute(method="frame", threshold=2.0, every=10)["count"] > 0
    for every in (1, 5, 20):
        sent = compute(method="send_on_delta", threshold=2.0, every=every)
        assert sent["error"] < 2.001 and math.isclose(sent["count"], 24, abs_tol=4)


def test_the_gains_are_those_that_validation_chose():
    study, stored = studies.study("encoding"), read_stored("encoding")
    for name in study.CODES:
        means = {gain: sum(stored[f"choose {name}: gain {gain}"]) / 3 for gain in study.GAINS}
        assert study.CHOSEN[name] == max(means, key=means.get), name


def test_choosing_a_gain_never_looks_at_test_images(monkeypatch):
    study = studies.study("encoding")
    inputs, targets, test_inputs, test_targets = study._images()
    poison = torch.full_like(test_inputs, math.nan)
    monkeypatch.setattr(study, "_images", lambda: (inputs[:600], targets[:600], poison, test_targets))
    monkeypatch.setattr(study, "GAINS", (3,))
    monkeypatch.setattr(study, "train", lambda code, hidden, gain, seed, x, y, epochs: (x.shape, None))
    monkeypatch.setattr(study, "accuracy", lambda net, x, y, encode: float(x.isfinite().all()))
    assert study.choose(study.CODES["rate"], study.HIDDEN)(0) == {"gain 3": 1.0}


def test_shuffled_latency_keeps_pixels_and_times_but_not_who_has_which():
    study = studies.study("encoding")
    x = digits_shown()
    torch.manual_seed(0)
    plain, mixed = study.latency(x), study.shuffled_latency(x)
    assert torch.equal(plain.sum(0), mixed.sum(0)) and torch.equal(plain.sum(2), mixed.sum(2))
    assert not torch.equal(plain, mixed)
    at_once = study.all_at_once(x)
    assert torch.equal(plain.sum(0), at_once.sum(0)) and not at_once[1:].any()


def test_the_recording_has_its_provenance():
    text = (Path(reference.__file__).parent / "data" / "DATA.md").read_text(encoding="utf-8")
    assert "grasshopper.npz" in text and "nitime" in text


def sent(code, x, num_steps):
    """The spikes [T, ...] of intensities x [...] in a code of the explorers."""
    options = {"tau": num_steps / 4, "threshold": 0.05, "mode": "linear" if "linear" in code else "log"}
    random = torch.Generator().manual_seed(4)
    if "latency" in code:
        return reference.latency_code(x, num_steps, **options)
    return {"rate (Bernoulli)": lambda: reference.rate_code(x, num_steps, generator=random),
            "Poisson": lambda: reference.poisson_code(x, num_steps, generator=random),
            "phase": lambda: reference.phase_code(x, num_steps),
            "population": lambda: reference.rate_code(reference.population_code(x, 6), num_steps, generator=random),
            "direct current": lambda: torch.stack([x] * num_steps),
            "delta, flash": lambda: reference.delta_code(torch.stack([0 * x] + [x] * (num_steps - 1)), 0.1)}[code]()


def believed(code, spk, num_steps):
    """What a reader of the first steps says: spk [t, ...] of num_steps."""
    steps = len(spk)
    if "latency" in code:
        silence = spk.new_zeros(num_steps - steps, *spk.shape[1:])
        return reference.latency_decode(torch.cat([spk, silence]), tau=num_steps / 4, threshold=0.05,
                                        mode="linear" if "linear" in code else "log")
    if code == "phase":                                                     # bit t of a period is worth 2^-(t+1)
        whole = steps if steps < 8 else steps - steps % 8
        worth = 0.5 ** (torch.arange(whole) % 8 + 1.0)
        return (worth.view(-1, *[1] * (spk.dim() - 1)) * spk[:whole]).sum(0) / max(whole // 8, 1)
    if code == "population":
        return reference.population_decode(spk.sum(0))
    return 0.1 * spk.sum(0) if "delta" in code else (spk.sum(0) / steps).clamp(max=1)


def test_the_picture_of_a_pixel():
    for picture, s in pictures("encoding.pixel", 15):
        code, steps, x = s["code"], s["num_steps"], s["intensity"]
        spk = sent(code, torch.full((24,), x), steps)
        read = believed(code, spk, steps)
        picture.image("rows", (spk[:, 0] if code == "population" else spk).T, "Greys", (0, 1), (-0.5, steps - 0.5, 0, 24),
                      "lower")
        picture.rule("end", "0.6", ":", x=steps - 0.5)
        picture.says("title", "6 neurons, once" if code == "population" else "The same grey, 24 times")
        picture.rule("truth", "vermillion", "--", x=x)
        picture.points("estimate", read, np.arange(24) + 0.5, "blue")
        wrong = ((read - x) ** 2).mean().sqrt()
        if code == "direct current":
            picture.says("text", "no spikes: a current, error {}", wrong)
        else:
            picture.says("text", "{} spikes, error {}", spk.sum() / 24, wrong)
        picture.over("rows", "end")


def test_the_picture_of_a_digit():
    data = mnist5k()
    for picture, s in pictures("encoding.digit", 15):
        code, step = s["code"], s["step"]
        image = flat(data.train_images[(data.train_labels == s["digit"]).nonzero()[0]])[0]
        kept = (fates() >= 256 * s["lost"]).float()                                                     # [16, 784]
        spk = sent(code, image, 16) * (kept[..., None] if code == "population" else kept)
        read, now = believed(code, spk[:step], 16), spk[step - 1]
        picture.image("now", (now.sum(-1) if code == "population" else now).clamp(0, 1).view(28, 28), "Greys", (0, 1))
        picture.image("guess", read.view(28, 28), "Greys", (0, 1))
        picture.image("image", image.view(28, 28), "Greys", (0, 1))
        if code == "direct current":
            picture.says("count", "step {}: current, no spikes", step)
        else:
            picture.says("count", "step {}: {} spikes so far", step, spk[:step].sum())
        picture.says("error", "error {}", ((read - image) ** 2).mean().sqrt())


def test_the_picture_of_the_changes():
    for picture, s in pictures("encoding.delta"):
        x = grasshopper().loudness[20_000:20_400:s["every"]]
        time, threshold = np.arange(len(x)) * s["every"] / 20, s["threshold"]                           # ms
        events = reference.delta_code(x, threshold, method=s["method"])
        rebuilt = x[0] + threshold * events.cumsum(0)
        picture.line("x", time, x, "black", label="sound")
        picture.line("rebuilt", time, rebuilt, "vermillion", steps="steps-post", label="rebuilt from events", clipped=True)
        for name, color, low, high in (("up", "blue", 0, 6), ("down", "orange", -6, 0)):
            ticks = [((t, 0), (t, min(max(size, low), high))) for t, size in zip(time, events.tolist(), strict=True)
                     if low < size or size < high]
            picture.segments(name, [tick for tick in ticks if tick[1][1]], color)
        picture.says("title", "{} events, largest error {} dB", events.abs().sum(), (rebuilt - x).abs().max())
        picture.over("x", "rebuilt")


def test_what_stands_behind_the_pictures():
    pixel, digit, delta = (background(f"encoding.{name}") for name in ("pixel", "digit", "delta"))
    pixel.axes("0", " ", ("time step", -1, 32), ("repetition", 0, 26.88))
    pixel.axes("1", "What they say", ("intensity read from the spikes", -0.05, 1.05), ("", 0, 26.88))
    for place, title in enumerate(("Spikes of this step", "Read so far", "The digit")):
        digit.axes(f"{place}", title, (" ", -0.5, 27.5), ("", 27.5, -0.5))
    delta.axes("0", " ", ("", 0, 20), ("loudness (dB)", -34, 3), legend=("sound", "rebuilt from events"))
    delta.axes("1", "", ("time (ms)", 0, 20), ("events", -6.5, 6.5))
    delta.rule("1.line0", "black", y=0)
    for behind in (pixel, digit, delta):
        behind.done()


@pytest.mark.parametrize("step", [1, 7, 16])
def test_the_film_draws_both_codes(step):
    image = digits_shown()[3]
    still, picture = film(build_reveal, draw_reveal, reveal_frames(image)[step - 1], width=7.6, height=2.7)
    past = {}
    for place, (code, name) in enumerate((("rate (Bernoulli)", "rate"), ("latency, linear", "latency"))):
        spk = sent(code, image, 16)
        read = [believed(code, spk[:now], 16) for now in range(1, step + 1)]
        picture.image(f"{place}.image0", read[-1].view(28, 28), "Greys", (0, 1))
        picture.says(f"{place}.text0", "step {}:\n{} spikes", step, spk[:step].sum())
        past[name] = ([spk[:now].sum() for now in range(1, step + 1)],
                      [((guess - image) ** 2).mean().sqrt() for guess in read])
    for place, (name, color, style, marker) in enumerate((("rate", "blue", "-", "o"), ("latency", "vermillion", "--", "s"))):
        picture.line(f"2.line{place}", range(1, step + 1), past[name][1], color, style, marker=marker)
        picture.line(f"3.line{place}", *past[name], color, style, marker=marker)
        picture.says(f"2.text{place}", name, color=color)
        picture.says(f"3.text{place}", name, color=color)
    still.axes("0", "Rate", ("", -0.5, 27.5), ("", 27.5, -0.5))
    still.axes("1", "Latency", ("", -0.5, 27.5), ("", 27.5, -0.5))
    still.axes("2", "What a step buys", ("steps so far", 0, 17), ("error of the picture", 0, 0.24))
    still.axes("3", "What a spike buys", ("spikes so far", 0, 1700), ("", 0, 0.24))
    for part in (still, picture):
        part.done()


def test_the_build_is_a_neuron_without_a_leak_and_errs_by_half_a_spike():
    for x, num_steps in find("04.6").cases:
        spk, read = find("04.6").reference(x, num_steps)
        start = (torch.full_like(x, 0.5)[None], torch.zeros_like(x)[None])
        assert torch.equal(spk, lif(x.expand(num_steps, 1, *x.shape), 1.0, state=start)[0][:, 0])
        steps = torch.arange(1, num_steps + 1).view(-1, *[1] * x.dim())
        assert ((read - x).abs() <= 0.5 / steps + 1e-6).all() and torch.allclose(read * steps, spk.cumsum(0))
    for x, num_steps in find("04.6").cases[:2]:                            # no rounding decides whether a store is above 1
        store = 0.5 + x.double() * torch.arange(1, num_steps + 1).view(-1, *[1] * x.dim())
        assert ((store - store.round()).abs() > 1e-5).all()


def test_the_stored_pictures_are_those_of_the_codes():
    study, stored = studies.study("encoding"), read_stored("encoding")
    x = flat(mnist5k().train_images[:1000])
    for name, code in (("rate", "rate (Bernoulli)"), ("latency", "latency, linear")):
        spk = study.PICTURES[name][0](x, 0)
        if name == "latency":
            assert torch.equal(spk, sent(code, x, 16))
        for step in (1, 10, 16):
            error = (believed(code, spk[:step], 16) - x).square().mean().sqrt().item()
            assert stored[f"picture, {name}: step {step}"][0] == pytest.approx(error, rel=1e-4)
    assert torch.equal(study.PICTURES["regular"][0](x[:50], 0), find("04.6").reference(x[:50], 16)[0])


def test_only_the_grey_says_where_the_light_comes_from():
    study = studies.study("encoding")
    images = flat(mnist5k().train_images[:400])
    x, side = study.lit(images, seed=3)
    ink = images > 0.5
    assert torch.equal(x > 0.5, ink) and torch.equal(x > 0, ink) and x.max() <= 1 and set(side.tolist()) == set(range(8))
    where = torch.linspace(-1, 1, 28)
    for image, number in zip(x[:40], side[:40].tolist(), strict=True):       # the brightest ink lies on the lamp's side
        row, column = divmod(image.argmax().item(), 28)
        angle = math.pi / 4 * number
        towards = math.cos(angle) * where.repeat(28) + math.sin(angle) * where.repeat_interleave(28)
        assert towards[28 * row + column] >= min(1, towards[image > 0].max()) - 1e-5
    one, many = study.latency(x), study.side_by_side(x)
    assert torch.equal(many[0].view(400, 8, 784).transpose(0, 1), one) and many.stride(0) == 0


def test_the_centred_numbers_are_the_greys_less_one_offset_where_there_is_ink():
    study = studies.study("encoding")
    x = study.lit(flat(mnist5k().train_images), seed=0)[0]
    current, ink = study.centred(x), x > 0
    assert current.shape == (8, *x.shape) and current.stride(0) == 0 and not current[0][~ink].any()
    offset = (x - current[0])[ink]
    assert offset.max() - offset.min() < 1e-6 and abs(current[0][ink].mean()) < 1e-4


def test_a_gain_for_the_side_of_the_light_never_looks_at_test_images(monkeypatch):
    study, seen = studies.study("encoding"), []
    inputs, targets = study._images()[:2]
    marked = torch.full((50, 784), 0.9)
    monkeypatch.setattr(study, "_images", lambda: (inputs, targets, marked, targets[:50]))
    monkeypatch.setattr(study, "train", lambda code, hidden, gain, seed, x, y, epochs: (len(x), gain))
    monkeypatch.setattr(study, "accuracy", lambda net, x, y, encode: seen.append((net, len(x))) or float(encode == 3))
    assert study.sided(study.CODES["rate"], 0) == {"accuracy": 1.0, "gain": 3}
    assert seen == [(4000, 1000)] * 3 + [(5000, 50)]


def test_a_sound_is_a_short_file_and_its_spikes_click_in_their_place():
    loudness = torch.tensor([0.0, -20.0]).repeat_interleave(2000)               # 0.1 s loud, 0.1 s faint
    loud = sounds.tone(loudness, dt=50e-6)
    assert len(loud) == 1600 and loud[:800].abs().max() > 0.99 and 0.09 < loud[800:].abs().max() < 0.101
    spk = torch.zeros(100)
    spk[[10, 40]] = 1
    click = sounds.clicks(spk, dt=1e-3)
    assert click.nonzero().flatten().tolist() == [*range(80, 88), *range(320, 328)] and abs(click.sum()) < 1e-6
    with wave.open(io.BytesIO(sounds.wav(loud))) as file:
        assert (file.getframerate(), file.getnframes(), file.getsampwidth(), file.getnchannels()) == (8000, 1600, 1, 1)
        frames = torch.frombuffer(bytearray(file.readframes(1600)), dtype=torch.uint8)
    assert ((frames.double() - 128) / 127 - loud).abs().max() < 0.004


def test_who_cannot_hear_a_sound_reads_what_it_is(monkeypatch):
    shown = []
    monkeypatch.setattr(sounds, "display", lambda data, raw: shown.append(data))
    sounds.listen({"A & B": (torch.zeros(8), "two beats")})
    assert "two beats" in shown[0]["text/plain"] and "<b>A &amp; B</b>: two beats" in shown[0]["text/html"]
    assert '<audio controls preload="none" aria-label="A &amp; B" src="data:audio/wav;base64,' in shown[0]["text/html"]
