"""What ties notebook 18 together: its displayed equations, its listings, the modules, the explorer and the film."""
import math

import numpy as np
import pytest
import torch

from snnteach import control, regression
from snnteach.control import LinearController, SpikingController, cut_neurons, draw_starts, fly
from snnteach.data.series import sunspots
from snnteach.lessons.regression import answers, explorers, films, flights, signals
from snnteach.neurons import lif
from snnteach.plots.style import canvas
from snnteach.reader.lookup import exercise as find
from tests.drawing import background, pictures
from tests.listings import namespace

FLOAT = torch.float64


@pytest.fixture(scope="module")
def listing():
    return namespace("regression")


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_equation_1_listing_and_module_agree(listing):
    spk = (torch.rand(20, 3, 7, generator=seeded(1)) < 0.3).to(FLOAT).requires_grad_()
    net = regression.SpikingRegressor(2, 7, 2, readout_decay=0.6, generator=seeded()).double()
    shown = listing["read_out"](spk, net.readout_weight, net.offset, 0.6)
    drive = spk @ net.readout_weight.T + net.offset
    assert torch.allclose(shown, lif(0.4 * drive, 0.6, reset="none")[1], atol=1e-12)
    for step in range(20):                                                     # Eq. 1, summed up
        wanted = sum(0.6 ** (step - s) * 0.4 * drive[s] for s in range(step + 1))
        assert torch.allclose(shown[step], wanted, atol=1e-12)
    assert torch.autograd.grad(shown[-1].sum(), spk)[0].any()


def test_equation_2_is_the_least_of_all_spike_trains():
    y = torch.randn(9, generator=seeded(2), dtype=FLOAT)
    trains = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=FLOAT)] * 9)             # all 512
    assert (trains - y).square().mean(1).min().item() == pytest.approx(regression.spike_floor(y))


def test_equations_3_and_4_listing_and_lesson_agree(listing):
    root = sunspots().sqrt() / 10
    for count, horizon in ((1, 1), (24, 6), (132, 12)):
        shown = listing["autoregression"](root, count, horizon)
        assert torch.allclose(shown, signals.autoregression(count, horizon)[count - 1:], atol=2e-4)
        rows = regression.lags(root, count)[:2000 - horizon - count + 1].double()
        errors = rows @ (torch.linalg.lstsq(rows, root[count - 1 + horizon:2000, None].double()).solution[:, 0])
        assert torch.allclose(shown[:len(rows)].double(), errors, atol=1e-4)
    assert signals.spot_error(signals.months(), 3) == pytest.approx(
        answers.persistence_error(sunspots()[2300 - 3:], 3), rel=1e-4)


def test_equation_5_listing_and_module_agree(listing):
    state, command = draw_starts(5, 1.0, seeded(3), FLOAT).requires_grad_(), torch.randn(5, 2, generator=seeded(4), dtype=FLOAT)
    shown, package = listing["craft_step"](state, command), control.craft_step(state, command)
    assert torch.allclose(shown, package, atol=1e-12)
    x, y, vx, vy, a, w = state.unbind(1)
    push = 9.8 / (1 + (-command).exp())
    wanted = vx - 0.03 * push.sum(1) * a.sin(), vy + 0.03 * (push.sum(1) * a.cos() - 9.8), w + 0.03 * (push[:, 1] - push[:, 0])
    for place, value in zip((2, 3, 5), wanted, strict=True):
        assert torch.allclose(shown[:, place], value, atol=1e-12)
    for place, speed in ((0, 2), (1, 3), (4, 5)):
        assert torch.allclose(shown[:, place], state[:, place] + 0.03 * shown[:, speed], atol=1e-12)
    grads = [torch.autograd.grad(out.square().sum(), state, retain_graph=True)[0] for out in (shown, package)]
    assert torch.allclose(*grads, atol=1e-12)


def test_equation_6_listing_and_module_agree(listing):
    flight = fly(LinearController(torch.randn(2, 6, generator=seeded(5))), draw_starts(4, 1.0, seeded(6)), 15)
    shown = listing["price"](flight.states[1:], flight.commands)
    assert torch.allclose(shown, control.flight_cost(flight.states[1:], flight.commands))
    total = 0.0
    for states, commands in zip(flight.states[1:].tolist(), flight.commands.tolist(), strict=True):
        for s, u in zip(states, commands, strict=True):
            far = sum(q * (one / scale) ** 2 for q, one, scale in zip(control.WEIGHTS, s, control.SCALE, strict=True))
            total += (math.log(1 + far) + 0.01 * (u[0] ** 2 + u[1] ** 2)) / 60
    assert shown.item() == pytest.approx(total, rel=1e-4)


def test_equation_7_build_and_module_agree():
    net = SpikingController(generator=seeded(7)).double()
    state, memory = draw_starts(4, 1.0, seeded(8), FLOAT), None
    zero = torch.zeros(4, 32, dtype=FLOAT)
    ours = (zero, zero, zero, zero, torch.zeros(4, 2, dtype=FLOAT))
    for _ in range(15):
        command, memory, _ = net(state, memory)
        ours = answers.controller_step(state / net.scale, *ours, net.weight1, net.bias1, net.weight2, net.bias2,
                                       17 * net.readout, 17 * net.offset)
        assert all(torch.allclose(one, other, atol=1e-10) for one, other in zip(ours, memory, strict=True))
        state = control.craft_step(state, command)
    grads = [torch.autograd.grad(last.sum(), (net.weight1, net.readout), retain_graph=True) for last in (command, ours[-1])]
    for one, other in zip(*grads, strict=True):
        assert torch.allclose(one, other, rtol=1e-8, atol=1e-12) and one.any()


def test_equation_8_is_what_gain_measures():
    weight = torch.randn(2, 6, generator=seeded(9))
    assert flights.gain(LinearController(weight)) == pytest.approx({"gain": 1.0, "cosine": 1.0}, abs=1e-3)


def test_equation_9_listing_and_module_agree(listing):
    x = torch.randn(64, 2, 3, generator=seeded(10), dtype=FLOAT)
    shown = listing["parallel_leak"](x, 0.9, 16)
    assert torch.allclose(shown, regression.parallel_leak(x, 0.9, 16), atol=1e-12)
    wanted = sum(0.9 ** (63 - s) * x[s] for s in range(64))
    assert torch.allclose(shown[-1], wanted, atol=1e-12)
    parts = x.unflatten(0, (4, 16))
    rest = lif(parts.transpose(0, 1).flatten(1, 2), 0.9, reset="none")[1].unflatten(1, (4, 2))       # every chunk from rest
    assert torch.allclose(answers.carry_over(rest[:, 2], shown[31], 0.9), shown[32:48], atol=1e-12)
    assert torch.allclose(answers.by_doubling(x[:61], 0.9), shown[:61], atol=1e-12)


def test_an_ordinary_controller_has_neither_spikes_nor_memory():
    one, other = (flights.Ordinary(torch.relu, seeded(19)) for _ in range(2))
    sizes = [sum(weight.numel() for weight in made.parameters()) for made in (one, SpikingController())]
    assert sizes[0] == sizes[1]
    state = draw_starts(5, 1.0, seeded(20))
    command, memory, spikes = one(state)
    assert command.shape == (5, 2) and memory is None and spikes is None and command.abs().max() < 3
    control.train_controller(one, 2, generator=seeded(21))
    assert torch.equal(command, other(state)[0]) and not torch.equal(command, one(state)[0])


def test_training_listing_and_module_agree(listing):
    ours, theirs = SpikingController(8, generator=seeded(11)), SpikingController(8, generator=seeded(11))
    listing["train"](ours, seeded(12), updates=4)
    control.train_controller(theirs, 4, generator=seeded(12))
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_the_values_of_the_exercises_follow_from_the_module():
    grid = torch.linspace(-1, 1, 20_001, dtype=FLOAT)
    assert regression.spike_floor(grid) == pytest.approx(find("18.1").reference, rel=1e-3)
    train = torch.zeros(400, 1, 1, dtype=FLOAT)
    train[4::5] = 1
    late = lif(0.3 * train, 0.7, reset="none")[1][-50:]
    assert (late.max() - late.min()).item() == pytest.approx(find("18.2").reference, rel=1e-6)
    full = torch.full((1, 2), 50.0, dtype=FLOAT)
    for lean, rises in ((find("18.4").reference - 0.01, True), (find("18.4").reference + 0.01, False)):
        state = torch.tensor([[0, 0, 0, 0, lean, 0]], dtype=FLOAT)
        assert (control.craft_step(state, full)[0, 3] > 0).item() == rises
    assert find("18.6").reference ** 2 * 6.25 == pytest.approx(1)


# What stands behind the study

def test_scaled_surrogates_scale_the_gradient_of_a_layer():
    x = torch.randn(2, 5, generator=seeded(13), requires_grad=True)
    grads = [torch.autograd.grad(control.spike(x, flights.Scaled(factor)).sum(), x)[0] for factor in (1.0, 0.4)]
    assert torch.allclose(grads[1], 0.4 * grads[0])


def test_wounded_controllers_lose_others_in_each_flight_and_heal():
    wounded = flights.Wounded(generator=seeded(14))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        flight = fly(wounded, draw_starts(40, 1.0, seeded(15)), 20)
    silent = (flight.spikes.sum(0) == 0).float()
    assert not torch.equal(silent[0], silent[1]) and silent.mean() > 0.2
    healed = flights.healed(wounded)
    assert type(healed) is SpikingController and torch.equal(healed.readout, wounded.readout)


def test_trajectories_are_new_in_the_test():
    (x, code, target), (new, *_) = signals.trajectories(1000, 8), signals.trajectories(2000, 8)
    assert code.shape == (170, 8, 16) and not torch.allclose(x, new)
    assert torch.equal(target[50, :, 0], x[50] * x[45])


def test_no_month_of_the_test_is_learned_from(monkeypatch):
    before, changed = signals.autoregression(12, 6), signals.months().clone()
    changed[signals.TRAIN:] = 0
    monkeypatch.setattr(signals, "months", lambda: changed)
    assert torch.allclose(before[11:signals.TRAIN], signals.autoregression(12, 6)[11:signals.TRAIN])


# The explorer and the film

@pytest.mark.parametrize("cut", [0, 5])
def test_the_explorer_flies_as_the_module_does(cut):
    net = explorers.push_net()
    controller = SpikingController().double()
    scaled = {name: torch.from_numpy(net[name]) for name in ("bias1", "weight2", "bias2", "readout", "offset")}
    scaled["weight1"] = torch.from_numpy(net["weight1"] * np.array(control.SCALE))
    controller.load_state_dict(scaled | {"scale": torch.tensor(control.SCALE)})
    with torch.no_grad():
        controller.scale = torch.tensor(control.SCALE, dtype=FLOAT)
        controller.weight2[:, net["order"][0, :cut]] = 0
        controller.readout[:, net["order"][1, :cut]] = 0
        start = torch.tensor([[1.0, -1.5, 0, 0, 0, 0]], dtype=FLOAT)
        kick = explorers.KICK_STEP, torch.tensor([0, 0, 0, 0, 0, 1.5]).double()
        flight = fly(controller, start, explorers.STEPS, kick=kick)
    shown = explorers.compute_push("spiking", 1.5, 1.0, cut)
    assert np.allclose(shown["states"], flight.states[:, 0], atol=1e-6)
    assert np.array_equal(shown["spikes"], flight.spikes[:, 0]) and shown["spikes"].any()


def test_linear_controllers_of_the_explorer_are_those_of_the_module():
    lqr = control.lqr_controller()
    assert np.allclose(explorers.push_net()["LQR"] * np.array(control.SCALE), lqr.weight.detach(), atol=1e-5)
    flight = fly(lqr.double(), torch.tensor([[-2.0, -1.5, 0, 0, 0, 0]], dtype=FLOAT), explorers.STEPS)
    shown = explorers.compute_push("LQR", 0.0, -2.0, 0)
    assert np.allclose(shown["states"], flight.states[:, 0].detach(), atol=1e-3) and not shown["spikes"].any()


def test_a_crash_ends_the_flight():
    data = explorers.compute_push("spiking", 5.0, 1.0, 0)
    x, y, *_, tilt, _ = data["states"][data["crash"]]
    assert abs(x) > 3 or abs(y) > 3 or abs(tilt) > 1.57
    assert np.all(np.abs(data["states"].numpy()[:data["crash"], [0, 1]]) <= 3)


def test_the_picture_of_a_push():
    for picture, s in pictures("regression.push"):
        data = explorers.compute_push(**s)
        end = explorers.STEPS if data["crash"] is None else data["crash"]
        states = data["states"][:end + 1].numpy()
        picture.line("path", states[:, 0], states[:, 1], "sky", clipped=True)
        shown = states[[step for step in range(0, explorers.STEPS + 1, 15) if step <= end]]
        for name, drawn, color in (("craft", shown, "blue"), ("last", states[-1:], "black")):
            picture.line(name, *explorers.craft(drawn), color, clipped=True)
        crashed = ([], []) if data["crash"] is None else (states[-1:, 0], states[-1:, 1])
        picture.points("crashed", *crashed, "vermillion", "X")
        if data["crash"] is None:
            picture.says("said", f"{s['controller']}: flies")
        else:
            picture.says("said", f"{s['controller']}: crashes after {{}} s", f"{end * 0.03:.1f}")
        picture.line("tilt", np.arange(end + 1) * 0.03, states[:, 4], "blue", clipped=True)
        step, neuron = data["spikes"][:end].numpy().nonzero()
        picture.points("spikes", step * 0.03, neuron, "black", "|")
        picture.says("silent", "" if s["controller"] == "spiking" else "14 numbers, no spikes")


def test_what_stands_behind_the_picture():
    behind = background("regression.push")
    behind.axes("0", "LQR: flies", ("x (m)", -3.4, 3.4), ("y (m)", -3.4, 3.4))
    behind.axes("1", "", ("", 0, 4.5), ("tilt (rad)", -1.9, 1.9))
    behind.axes("2", "", ("time (s)", 0, 4.5), ("", -2, 66), yticks={16: "layer 1", 48: "layer 2"})


def test_a_beam_has_its_length_and_its_tilt():
    x, y = explorers.craft(np.array([[1.0, 2.0, 0, 0, 0.5, 0]]))
    assert math.hypot(x[1] - x[0], y[1] - y[0]) == pytest.approx(0.64)
    assert math.atan2(y[1] - y[0], x[1] - x[0]) == pytest.approx(0.5) and np.isnan(x[2])


def test_the_film_shows_what_was_flown():
    controller = cut_neurons(SpikingController(generator=seeded(16)), 2, seeded(17))
    with torch.no_grad():
        flight = fly(controller, draw_starts(1, 1.0, seeded(18)), 24)
    frames = films.flight_frames(flight, every=6, kick=12)
    assert [step for step, *_ in frames] == [6, 12, 18, 24]
    fig = canvas(7.2, 3.6)
    air, said, raster = axes = films.build_flight(fig)
    films.draw_flight(axes, frames[2])
    assert np.allclose(air.lines[0].get_xydata(), flight.states[:19, 0, :2])
    for rotor in (0, 1):
        assert np.allclose(said.lines[rotor].get_ydata(), 9.8 * torch.sigmoid(flight.commands[:18, 0, rotor]))
    when, neuron = flight.spikes[:18, 0].nonzero(as_tuple=True)
    assert np.allclose(raster.lines[0].get_xydata(), torch.stack([(when + 1) * 0.03, neuron], 1), atol=1e-6)
