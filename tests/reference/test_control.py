"""The craft, its controllers, their training and the regulator they are compared with: closed forms, autograd, refusals."""
import math

import pytest
import torch

from snnteach import control
from snnteach.control import (
    LinearController,
    SpikingController,
    command_slopes,
    craft_step,
    cut_neurons,
    draw_starts,
    flight_cost,
    fly,
    lqr_controller,
    survived,
    train_controller,
)
from snnteach.neurons import lif_step
from snnteach.regulator import linearise, lqr_gain

FLOAT = torch.float64


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def state(*numbers):
    return torch.tensor([numbers], dtype=FLOAT)


def test_a_craft_without_a_command_hovers_and_a_fallen_one_falls():
    assert torch.equal(craft_step(state(1, 2, 0, 0, 0, 0), torch.zeros(1, 2, dtype=FLOAT)), state(1, 2, 0, 0, 0, 0))
    off = torch.full((1, 2), -50.0, dtype=FLOAT)
    flight = state(0, 0, 0, 0, 0.3, 0)
    for _ in range(10):
        flight = craft_step(flight, off)
    assert flight[0, 3].item() == pytest.approx(-9.8 * 0.3)                       # g t
    assert flight[0, 1].item() == pytest.approx(-9.8 * 0.03**2 * 55)              # semi-implicit: g dt^2 n (n + 1) / 2
    assert flight[0, 4].item() == pytest.approx(0.3) and flight[0, 0].item() == pytest.approx(0, abs=1e-12)


def test_each_force_acts_where_newton_says():
    left = craft_step(state(0, 0, 0, 0, 0, 0), torch.tensor([[math.log(3), -50.0]], dtype=FLOAT))
    assert left[0, 5].item() == pytest.approx(-0.03 * 9.8 * 0.75)                  # sigmoid(ln 3) = 3/4
    assert left[0, 3].item() == pytest.approx(0.03 * (9.8 * 0.75 - 9.8))
    tilted = craft_step(state(0, 0, 0, 0, 0.5, 0), torch.zeros(1, 2, dtype=FLOAT), dt=0.1)
    assert tilted[0, 2].item() == pytest.approx(-0.1 * 9.8 * math.sin(0.5))
    assert tilted[0, 3].item() == pytest.approx(0.1 * 9.8 * (math.cos(0.5) - 1))


def hovering():
    """The craft at rest as a linear model."""
    step = lambda s, u: craft_step(s[None], u[None])[0]                                            # noqa: E731
    return linearise(step, torch.zeros(6, dtype=FLOAT), torch.zeros(2, dtype=FLOAT))


def test_the_step_in_closed_form_is_what_linearise_differentiates():
    a, b = hovering()
    dt, g = 0.03, 9.8
    expected = torch.eye(6, dtype=FLOAT)
    expected[0, 2] = expected[1, 3] = expected[4, 5] = dt
    expected[2, 4], expected[0, 4] = -dt * g, -dt**2 * g
    push = g / 4                                                                   # g sigmoid'(0)
    wanted = torch.zeros(6, 2, dtype=FLOAT)
    wanted[3], wanted[1] = dt * push, dt**2 * push
    wanted[5], wanted[4] = torch.tensor([-dt * push, dt * push]), torch.tensor([-dt**2 * push, dt**2 * push])
    assert torch.allclose(a, expected, atol=1e-12) and torch.allclose(b, wanted, atol=1e-12)


def test_gradients_flow_through_the_physics():
    inputs = (draw_starts(3, 1.0, seeded(), FLOAT).requires_grad_(), torch.randn(3, 2, generator=seeded(1), dtype=FLOAT,
                                                                                 requires_grad=True))
    assert torch.autograd.gradcheck(craft_step, inputs)
    states, commands = torch.randn(4, 2, 6, dtype=FLOAT, requires_grad=True), torch.randn(4, 2, 2, dtype=FLOAT,
                                                                                         requires_grad=True)
    assert torch.autograd.gradcheck(flight_cost, (states, commands))


def test_the_cost_in_numbers():
    states = torch.zeros(2, 1, 6, dtype=FLOAT)
    states[1, 0] = torch.tensor([1.0, 0, 0, 0, 0.3, 2.0])
    commands = torch.tensor([[[0.0, 0.0]], [[3.0, -4.0]]], dtype=FLOAT)
    assert flight_cost(states, commands).item() == pytest.approx((math.log(1 + 1 + 0.1 + 0.05 * 4) + 0.25) / 2)


def test_a_crash_is_forever_and_the_walls_are_inside():
    states = torch.zeros(3, 5, 6)
    states[1, 1, 0], states[1, 2, 1], states[2, 3, 4], states[1, 4, 0] = -3.01, 3.01, 1.58, 3.0
    assert survived(states).tolist() == [True, False, False, False, True]


def test_starts_fill_their_box():
    starts = draw_starts(4000, 0.5, seeded())
    assert torch.allclose(starts.abs().amax(0), 0.5 * torch.tensor(control.START_BOX), atol=0.01)
    assert torch.equal(starts, draw_starts(4000, 0.5, seeded())) and starts.mean(0).abs().max() < 0.02


def test_the_regulator_of_the_craft_is_the_gain_for_its_linear_model():
    scale, weights = (torch.tensor(row, dtype=FLOAT) for row in (control.SCALE, control.WEIGHTS))
    gain = lqr_gain(*hovering(), torch.diag(weights / scale**2), 0.1 * torch.eye(2, dtype=FLOAT))
    assert torch.allclose(lqr_controller().weight.double(), -gain * scale, rtol=1e-5)


def test_the_regulator_flies_and_nobody_does_not():
    start = draw_starts(100, 1.0, seeded(5))
    with torch.no_grad():
        assert survived(fly(lqr_controller(), start, 300).states).float().mean() == 1
        assert survived(fly(LinearController(), start, 300).states).float().mean() < 0.05


def test_the_controller_is_the_written_out_equations():
    controller = SpikingController(8, 0.6, 0.8, generator=seeded(2))
    inputs = draw_starts(3, 1.0, seeded(3))[None] + 0.3 * torch.randn(12, 3, 6, generator=seeded(4))
    zero = torch.zeros(3, 8)
    mem1 = spk1 = mem2 = spk2 = zero
    command, memory = torch.zeros(3, 2), None
    for s in inputs:
        spk1, mem1 = lif_step(s / controller.scale @ controller.weight1.T + controller.bias1, mem1, spk1, 0.6,
                              detach_reset=False)
        spk2, mem2 = lif_step(spk1 @ controller.weight2.T + controller.bias2, mem2, spk2, 0.6, detach_reset=False)
        command = 0.8 * command + 0.2 * 17 * (spk2 @ controller.readout.T + controller.offset)
        out, memory, spikes = controller(s, memory)
        assert torch.allclose(out, command, atol=1e-6) and torch.equal(spikes, torch.cat([spk1, spk2], 1))
    assert 0.05 < spikes.mean() < 0.9
    ours = torch.autograd.grad(out.sum(), controller.weight1)[0]
    theirs = torch.autograd.grad(command.sum(), controller.weight1)[0]
    assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-7) and ours.any()


def test_the_reset_carries_a_gradient_unless_it_is_detached():
    for detached in (False, True):
        controller = SpikingController(6, detach_reset=detached, generator=seeded(2)).double()
        mem, spk = torch.randn(1, 6, dtype=FLOAT, requires_grad=True), torch.ones(1, 6, dtype=FLOAT, requires_grad=True)
        zero = torch.zeros(1, 6, dtype=FLOAT)
        _, (after, *_), _ = controller(torch.zeros(1, 6, dtype=FLOAT), (mem, spk, zero, zero, torch.zeros(1, 2, dtype=FLOAT)))
        to_mem, to_spk = torch.autograd.grad(after.sum(), (mem, spk), allow_unused=True)
        assert torch.allclose(to_mem, torch.full_like(mem, 0.7))
        assert to_spk is None if detached else torch.allclose(to_spk, torch.full_like(spk, -1.0))


def test_a_flight_is_the_loop_and_a_kick_comes_once():
    controller, start = LinearController(torch.randn(2, 6, generator=seeded(6))), draw_starts(2, 1.0, seeded(7))
    kick = torch.tensor([0.0, 0, 0, 0, 0, 2.0])
    flight = fly(controller, start, 6, kick=(3, kick))
    now = start
    for step in range(6):
        now = now + kick if step == 3 else now
        command = controller(now)[0]
        now = craft_step(now, command)
        assert torch.allclose(flight.states[step + 1], now) and torch.allclose(flight.commands[step], command)
    assert torch.equal(flight.states[0], start)


def test_truncation_cuts_the_gradient_and_nothing_else():
    controller, start = SpikingController(8, generator=seeded(8)), draw_starts(2, 1.0, seeded(9)).requires_grad_()
    whole, cut = fly(controller, start, 7), fly(controller, start, 7, truncate=3)
    assert torch.equal(whole.states, cut.states)
    assert torch.autograd.grad(whole.states[-1].sum(), start, retain_graph=True)[0].any()
    assert not torch.autograd.grad(cut.states[-1].sum(), start)[0].any()


def test_training_lowers_the_cost_and_repeats():
    runs = []
    for _ in range(2):
        controller = LinearController()
        costs = train_controller(controller, 40, horizon=(20, 30), width=(1, 1), learning_rate=5e-2, generator=seeded(10))
        runs.append((costs, controller.weight.detach()))
    assert runs[0][0] == runs[1][0] and torch.equal(runs[0][1], runs[1][1]) and len(runs[0][0]) == 40
    assert sum(runs[0][0][-5:]) < 0.9 * sum(runs[0][0][:5])


def test_cut_neurons_are_not_heard_and_the_original_stays():
    controller = SpikingController(10, generator=seeded(11))
    before = controller.weight2.clone()
    cut = cut_neurons(controller, 4, seeded(12))
    assert torch.equal(controller.weight2, before) and cut.weight2 is not controller.weight2
    for weight in (cut.weight2, cut.readout):
        assert int((weight == 0).all(0).sum()) == 4
    assert torch.equal(cut_neurons(controller, 0).readout, controller.readout)
    assert not cut_neurons(controller, 10).readout.any()


def test_slopes_of_a_linear_controller_and_of_a_detached_one():
    weight = torch.randn(2, 6, generator=seeded(13))
    exact, moved = command_slopes(LinearController(weight), draw_starts(4, 1.0, seeded(14)), 10)
    assert torch.allclose(exact, weight, atol=1e-5) and torch.allclose(moved, weight, atol=1e-4)
    held, gains = draw_starts(8, 1.0, seeded(15)), {}
    for detached in (False, True):
        exact, moved = command_slopes(SpikingController(detach_reset=detached, generator=seeded(0)), held, 150)
        gains[detached] = ((exact * moved).sum() / moved.square().sum()).item()
    assert 0.6 < gains[False] < 1.4 and 3.5 < gains[True] < 9


@pytest.mark.parametrize("call, words", [
    (lambda: craft_step(torch.zeros(6), torch.zeros(1, 2)), "craft_step: state must be"),
    (lambda: craft_step(torch.zeros(2, 6), torch.zeros(1, 2)), "craft_step: command must be"),
    (lambda: craft_step(torch.full((1, 6), math.nan), torch.zeros(1, 2)), "craft_step: state holds NaN"),
    (lambda: flight_cost(torch.zeros(3, 1, 6), torch.zeros(2, 1, 2)), "flight_cost: commands must be .* leave the start out"),
    (lambda: draw_starts(0), "draw_starts: count must be"),
    (lambda: SpikingController(surrogate=control.atan), "SpikingController: surrogate must"),
    (lambda: SpikingController(beta=1.2), "SpikingController: beta must be between 0 and 1"),
    (lambda: fly(lambda s, m: torch.zeros(1, 2), torch.zeros(1, 6), 3), "fly: controller must return"),
    (lambda: fly(LinearController(), torch.zeros(1, 6), 3, kick=3), "fly: kick must be the pair"),
    (lambda: train_controller(LinearController(), clip=0), "train_controller: clip must be above 0"),
    (lambda: cut_neurons(LinearController(), 1), "cut_neurons: controller must be a SpikingController"),
    (lambda: cut_neurons(SpikingController(4), 5), "cut_neurons: count must be .* at most 4"),
    (lambda: command_slopes(LinearController(), torch.zeros(1, 6), 2), "command_slopes: num_steps must be"),
])
def test_what_is_refused(call, words):
    with pytest.raises((TypeError, ValueError), match=words):
        call()


def test_the_cure_for_a_start_among_the_states_works():
    flight = fly(LinearController(), draw_starts(2, 1.0, seeded()), 4)
    assert flight_cost(flight.states[1:], flight.commands) > 0
