"""What ties notebook 11 together: its displayed equations, its listings, the modules, the explorers, the film and the study."""
import pytest
import torch

from snnteach import delays, memory
from snnteach.lessons.memory import answers, films, nets
from snnteach.lessons.memory.explorers import compute_latch, compute_three
from snnteach.neurons import lif
from snnteach.reader.lookup import exercise as find
from snnteach.zoo import adaptive_lif, recurrent_lif
from tests.drawing import background, film, pictures
from tests.listings import namespace

FLOAT = torch.float64


@pytest.fixture(scope="module")
def listing():
    return namespace("memory")


def trains(seed, *shape):
    return (torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) < 0.3).to(FLOAT)


@pytest.mark.parametrize("sigma", [0.2, 1.5, 10.0])
def test_equation_4_listing_and_module_read_the_same_past(listing, sigma):
    delay = torch.tensor(4.3, dtype=FLOAT, requires_grad=True)
    spk, k = trains(0, 30), torch.arange(32, dtype=FLOAT)
    share = torch.exp(-(k - 4.3) ** 2 / (2 * sigma**2))
    share = share / share.sum()
    written = torch.stack([sum(share[lag] * spk[t - lag] for lag in range(t + 1)) for t in range(30)])
    module = delays.delayed_current(spk[:, None, None], torch.ones(1, 1, dtype=FLOAT), delay[None, None], sigma, 32).flatten()
    found = listing["hear"](spk, delay, sigma)
    assert torch.allclose(found, written, atol=1e-12) and torch.allclose(module, written, atol=1e-12)
    slopes = [torch.autograd.grad(y[25], delay, retain_graph=True)[0] for y in (found, module)]
    heard = torch.cat([spk[:26].flip(0), torch.zeros(6, dtype=FLOAT)])
    equation = (share * (k - (share * k).sum()) / sigma**2 * heard).sum()
    answer = find("11.5").reference(torch.tensor(4.3, dtype=FLOAT), sigma, heard)
    for slope in (*slopes, answer):
        assert torch.allclose(slope, equation, rtol=1e-9, atol=1e-14)


def test_the_listing_finds_the_delays_from_wide_windows_only(listing):
    exact = torch.tensor([25, 17, 8])
    for start, least, most in ((5.0, 30, 30), (0.5, 0, 10)):
        names = {**listing}
        assert least <= int((names["find"](start).round() == exact).all(1).sum()) <= most


def test_equation_2_is_the_adaptive_neuron():
    x = trains(1, 50, 1, 3)
    spk, mem, trace = adaptive_lif(x, 0.9, 0.8, 2.0)[:3]
    before = torch.cat([torch.zeros(1, 1, 3, dtype=FLOAT), trace[:-1]])
    fired = torch.cat([torch.zeros(1, 1, 3, dtype=FLOAT), spk[:-1]])
    assert torch.allclose(trace, 0.8 * before + 0.2 * fired) and torch.equal(spk, (mem > 1 + 2.0 * trace).to(FLOAT))


def test_an_adaptive_threshold_settles_where_the_exercise_says():                             # F18
    x = 0.7 * trains(2, 40_000, 1, 1)
    spk, _, trace = adaptive_lif(x, 0.9, 0.95, 2.0)[:3]
    assert trace[1000:].mean() == pytest.approx(spk[1000:].mean().item(), abs=2e-3)
    assert find("11.2").reference == pytest.approx(1 + 2 * 0.2)


def test_equation_3_is_the_recurrent_neuron_that_fires_at_every_step():
    x = torch.zeros(60, 1, 1, dtype=FLOAT)
    x[0] = 1.5
    _, mem, *_ = recurrent_lif(x, 0.8, torch.tensor([1.3], dtype=FLOAT))
    for now, before in zip(mem[1:, 0, 0], mem[:-1, 0, 0], strict=True):
        assert now.item() == pytest.approx(0.8 * before.item() + 1.3 - 1)
    assert mem[-1].item() == pytest.approx(0.3 / 0.2, abs=1e-3) and find("11.3").reference == memory.least_self_weight(0.8)


def test_the_weakest_pulse_erases_a_latch_and_a_weaker_one_does_not():
    for V, beta in find("11.9").cases:
        for pulse, left in ((find("11.9").reference(V, beta) - 0.02, 700), (find("11.9").reference(V, beta) + 0.02, 0)):
            x = torch.zeros(1500, 1, 1, dtype=FLOAT)
            x[0], x[800] = 1.5, -pulse
            spk = recurrent_lif(x, beta, torch.tensor([V], dtype=FLOAT))[0]
            assert spk[:800].all() and spk[800:].sum() == left


def test_the_decays_of_the_exercise_are_those_of_the_package():
    for n, shortest, longest in find("11.8").cases:
        decays = find("11.8").reference(n, shortest, longest)
        assert torch.allclose(decays, memory.spread_decays(n, shortest, longest), atol=1e-6)


def test_the_net_of_section_2_is_that_of_the_study(listing):
    torch.manual_seed(0)
    shown = listing["CueNet"](nets.adapt)
    stored = nets.CueNet(nets.adapt, torch.Generator().manual_seed(0))
    stored.load_state_dict(shown.state_dict())
    spk, _ = memory.cue_recall(3, 20, generator=torch.Generator().manual_seed(1))
    assert torch.equal(shown(spk), stored(spk))


def test_the_net_and_the_training_of_section_5_are_those_of_the_study(listing):
    torch.manual_seed(0)
    shown, stored = listing["DelayNet"](), nets.with_delays(torch.Generator().manual_seed(0))
    stored.load_state_dict(shown.state_dict())
    generator = torch.Generator().manual_seed(2)
    generator.set_state(torch.default_generator.get_state())
    listing["train"](shown, iterations=10)
    nets.train_patterns(stored, generator, rate=0.02, iterations=10)
    assert shown.synapses.frozen and stored.synapses.frozen
    assert torch.equal(shown.synapses.delay, stored.synapses.delay)
    for one, other in zip(shown.parameters(), stored.parameters(), strict=True):
        assert torch.equal(one, other)


def test_delays_that_fit_a_class_are_counted():
    fitting = torch.tensor([[24.0, 16, 8, 0], [0, 8, 16, 24], [25, 16, 9, 17], [24, 17, 31, 31], [0, 0, 0, 0]])
    assert [nets.aligned(row[None]) for row in fitting] == [1, 1, 1, 0, 0] and nets.aligned(fitting) == 3


def test_the_build_is_the_layer_of_the_package_and_its_control_has_no_delays():
    for spk, weight, delay, sigma, max_delay in find("11.6").cases:
        assert torch.allclose(answers.delayed(spk, weight, delay, sigma, max_delay),
                              delays.delayed_current(spk, weight, delay, sigma, max_delay), atol=1e-5)
    images = torch.randint(256, (3, 28, 28), generator=torch.Generator().manual_seed(3))
    rows = nets.by_rows(images)
    assert rows.shape == (28, 3, 28) and torch.equal(rows[5, 1], images[1, 5] / 255)
    net = nets.RowNet(delays.delayed_current, torch.Generator().manual_seed(4), delays="none", hidden=87, max_delay=1)
    assert not net.delay.requires_grad and not net.delay.any()
    current = delays.delayed_current(rows, net.weight, net.delay, net.sigma, 1)
    assert torch.allclose(current, rows @ net.weight.T, atol=1e-4)
    net = nets.RowNet(delays.delayed_current, torch.Generator().manual_seed(4), delays="fixed")
    soft = delays.delayed_current(rows, net.weight, net.delay, net.sigma, 14)
    assert torch.allclose(soft, delays.deployed_current(rows, net.weight, net.delay.long()), atol=1e-4)


def test_masks_of_the_exercise_and_of_the_package_agree():
    from snnteach.padding import pad_front

    for mem, lengths in find("11.7").cases:
        expected = torch.stack([mem[:length, place].mean(0) for place, length in enumerate(lengths)])
        assert torch.allclose(find("11.7").reference(mem, lengths), expected, atol=1e-6)
        assert torch.allclose(pad_front(mem, lengths).sum(0) / lengths[:, None], expected, atol=1e-6)


def test_the_explorer_tells_the_order_only_with_delays():
    assert compute_three(0, 0, 0, 0.9)["fires"] == [False, False] and compute_three(0, 0, 0, 0.99)["fires"] == [True, True]
    assert compute_three(25, 17, 8, 0.4)["fires"] == [True, False]
    assert compute_latch(1.0, 0.9, 0.0)["count"] == 4 and compute_latch(0.0, 0.9, 0.0)["count"] == 1


def test_the_picture_of_three_spikes():
    for picture, s in pictures("memory.three"):
        delay = [s["delay_a"], s["delay_b"], s["delay_c"]]
        arrival = [step + wait for step, wait in zip((3, 11, 20), delay, strict=True)]
        for place, (start, end) in enumerate(zip((3, 11, 20), arrival, strict=True)):
            picture.line(f"way{place}", [start, end], [place, place], "0.6")
        picture.points("left", (3, 11, 20), range(3), "black", "|")
        picture.points("arrived", arrival, range(3), "blue")
        for name, words, sent, color in (("order", "A, B, C", (3, 11, 20), "blue"),
                                         ("backwards", "C, B, A", (20, 11, 3), "vermillion")):
            x = torch.zeros(56, 1, 1)
            for step, wait in zip(sent, delay, strict=True):
                x[step + wait] += 0.4
            spk, mem = lif(x, s["beta"])
            picture.line(name, range(56), mem.flatten(), color, "-" if name == "order" else "--", clipped=True)
            picture.says({"order": "verdict", "backwards": "other"}[name], f"{words}: {'fires' if spk.any() else 'silent'}",
                         color=color)


def test_the_picture_of_the_latch():
    for picture, s in pictures("memory.latch"):
        mem, spk, potentials, spikes = 0.0, 0.0, [], []
        for step in range(80):
            mem = s["beta"] * mem + 1.5 * (step == 5) - s["pulse"] * (step == 45) + (s["weight"] - 1) * spk
            spk = float(mem > 1)
            potentials.append(mem)
            spikes.append(spk)
        fired = [step for step, each in enumerate(spikes) if each]
        if min(abs(each - 1) for each in potentials) < 1e-5:                                  # a tie that float32 may turn
            picture.left.clear()
            continue
        picture.line("mem", range(80), potentials, "blue", clipped=True)
        picture.points("spk", fired, [5.8] * len(fired), "black", "|")
        picture.says("count", f"spikes: {{}}, {'awake' if spikes[-1] else 'asleep'} at the end", len(fired))
        if s["weight"]:
            picture.says("law", "2 − β = {}", 2 - s["beta"])
        else:
            picture.says("law", "")


def test_what_stands_behind_the_pictures():
    behind = background("memory.three")
    behind.axes("0", "Spikes in order, and when they arrive", ("", -1, 56), ("", 2.6, -0.6), yticks={0: "A", 1: "B", 2: "C"})
    behind.axes("1", "", ("time step", -1, 56), ("potential U", 0, 1.55))
    behind.rule("1.line0", "0.45", "--", y=1)
    behind.says("1.text0", "threshold")
    behind.done()
    behind = background("memory.latch")
    behind.axes("0", " ", ("time step", -1, 80), ("potential U", -1.6, 6.2))
    behind.rule("0.line0", "0.45", "--", y=1)
    behind.says("0.text0", "threshold")
    behind.says("0.text1", "kick", color="orange")
    behind.says("0.text2", "pulse", color="orange")
    behind.done()


def test_the_film_draws_the_windows_of_its_own_run():
    spk = torch.zeros(40, 1, 3)
    spk[[3, 11, 20], 0, [0, 1, 2]] = 1
    frames = films.meeting_frames(spk, torch.tensor([[5.0, 28.0, 19.0]]), torch.full((1, 3), 0.4), 0.4, 28, (10.0, 0.2))
    assert len(frames) == 26 and [round(delay) for delay in frames[-1]["delay"]] == [25, 17, 8]
    frame = frames[12]
    assert frame["sigma"] == pytest.approx(10 * 0.02 ** (96 / 200)) and frame["sent"] == [3, 11, 20]
    _, picture = film(films.build_meeting, films.draw_meeting, frame, width=6.6, height=4.2)
    picture.rule("0.line0", "0.6", ":", x=28)
    picture.rule("1.line0", "0.6", ":", x=28)
    for place, (sent, delay, color, style) in enumerate(zip(
            (3, 11, 20), frame["delay"], ("blue", "orange", "green"), ("-", "--", "-.", ":"), strict=False)):
        window = delays.delay_kernel(torch.tensor(delay), frame["sigma"], 32)
        picture.line(f"0.line{3 * place + 1}", sent + torch.arange(32), window, color, style, clipped=True)
        picture.points(f"0.line{3 * place + 2}", [sent], [1.07], color, "|")
        picture.line(f"0.line{3 * place + 3}", sent + torch.arange(32), frames[0]["window"][place], "0.75", clipped=True)
        picture.says(f"0.text{place}", "ABC"[place], color=color)
    picture.says("0.text3", "step {}: width {}, delays {}, {}, {}", frame["step"], frame["sigma"], *frame["delay"])
    picture.line("1.line1", range(40), frame["mem"], "black")
    picture.rule("1.line2", "0.45", "--", y=1)
    picture.says("1.text0", "threshold")
    picture.done()
