"""The flights behind notebook 18: controllers made from a seed, trained by one recipe, and flown from 200 starts."""
from functools import cache

import torch
from torch import nn

from ...control import (
    READOUT_GAIN,
    SCALE,
    LinearController,
    SpikingController,
    command_slopes,
    cut_neurons,
    draw_starts,
    flight_cost,
    fly,
    lqr_controller,
    survived,
    train_controller,
)
from ...regression import nrmse
from ...surrogate import atan

STEPS = 500                                                  # 15 seconds
_PEAK = atan()
TURNS = (5, 10, 20, 40, 80)                                  # steps flown


@cache
def test_starts(width=1.0):
    """The 200 starts of all tests; none is trained on but by chance."""
    return draw_starts(200, width, torch.Generator().manual_seed(12345))


@torch.no_grad()
def tested(controller, width=1.0, kick=0.0):
    """Fly from the test starts, with a kick to the turning speed after 6 seconds: survival, mean cost, spikes."""
    blow = torch.tensor([0.0, 0.0, 0.0, 0.0, 0.0, kick])
    flight = fly(controller, test_starts(width), STEPS, kick=(200, blow))
    return {"survival": survived(flight.states).double().mean().item(),
            "cost": flight_cost(flight.states[1:], flight.commands).item(),
            "rate": 0.0 if flight.spikes is None else flight.spikes.mean().item()}


def gain(controller):
    """How many times too large the gradient's slope is: autograd projected on finite differences, and the cosine of the two."""
    exact, moved = command_slopes(controller, draw_starts(20, 1.0, torch.Generator().manual_seed(9)))
    return {"gain": ((exact * moved).sum() / moved.square().sum()).item(),
            "cosine": torch.cosine_similarity(exact.flatten(), moved.flatten(), 0).item()}


class Scaled:
    """The surrogate atan, all of it times a factor."""

    def __init__(self, factor):
        self.factor = factor

    def __call__(self, u):
        return self.factor * _PEAK(u)


def trained(seed, make=SpikingController, factor=1.0, truncate=None, **options):
    """Make a controller from a seed and train it: 120 updates of 32 flights, 20 to 80 steps long."""
    generator = torch.Generator().manual_seed(seed)
    surrogate = _PEAK if factor == 1 else Scaled(factor)
    controller = make(surrogate=surrogate, generator=generator, **options)
    before = gain(controller)
    train_controller(controller, truncate=truncate, generator=generator)
    return controller, before


def trained_linear(seed):
    """Train the fourteen numbers of a linear controller, with a learning rate and a number of updates of its own."""
    controller = LinearController()
    train_controller(controller, 150, learning_rate=2e-2, generator=torch.Generator().manual_seed(seed))
    return controller


class Ordinary(nn.Module):
    """The same two layers of 32 units, rectified or with tanh: no spikes, no memory."""

    def __init__(self, unit, generator):
        super().__init__()
        draw = lambda bound, *shape: nn.Parameter(bound * (2 * torch.rand(*shape, generator=generator) - 1))  # noqa: E731
        self.weight1, self.bias1 = draw(6**-0.5, 32, 6), draw(6**-0.5, 32)
        self.weight2, self.bias2 = draw(32**-0.5, 32, 32), draw(32**-0.5, 32)
        self.readout, self.offset = draw(0.018, 2, 32), nn.Parameter(torch.zeros(2))
        self.unit = unit

    def forward(self, state, memory=None):
        """Command by this state alone, [B, 2]; there is no memory and there are no spikes."""
        hidden = self.unit(state / state.new_tensor(SCALE) @ self.weight1.T + self.bias1)
        hidden = self.unit(hidden @ self.weight2.T + self.bias2)
        return READOUT_GAIN * (hidden @ self.readout.T + self.offset), None, None


def trained_ordinary(seed, unit=torch.relu):
    """Train an ordinary network as the spiking ones were: 120 updates, with their learning rate."""
    generator = torch.Generator().manual_seed(seed)
    controller = Ordinary(unit, generator)
    train_controller(controller, generator=generator)
    return controller


class Louder(SpikingController):
    """A spiking controller whose gradient for the state, and so for all that went before, is `LOUD` times what it is."""

    LOUD = 6.0

    def forward(self, state, memory=None):
        """The same commands."""
        return super().forward(self.LOUD * state - (self.LOUD - 1) * state.detach(), memory)


class Softer(Louder):
    """The same with a sixth."""

    LOUD = 1 / 6


class Wounded(SpikingController):
    """A spiking controller that trains with a fifth of its neurons cut, others in each flight."""

    def forward(self, state, memory=None):
        """Pick anew who is cut at the start of each flight."""
        if memory is None:
            self.heard = (torch.rand(2, len(state), len(self.bias1)) > 0.2).to(state.dtype)      # [layers, B, N]
            self.layer = 0
        return super().forward(state, memory)

    def _fire(self, x, mem, spk):
        spk, mem = super()._fire(x, mem, spk)
        heard, self.layer = self.heard[self.layer], 1 - self.layer
        return heard * spk, mem


def healed(wounded):
    """The same controller without its cuts."""
    controller = SpikingController()
    controller.load_state_dict(wounded.state_dict())
    return controller


def lesions(controller, seed):
    """The share of flights that survives when so many of 32 neurons are cut in each layer."""
    generator = torch.Generator().manual_seed(500 + seed)
    return {f"cut {count}": tested(cut_neurons(controller, count, generator))["survival"] for count in (2, 3, 6, 10)}


def turns(controller):
    """Gradients of a flight's cost with the reset attached and detached, by steps flown: both norms, and their cosine."""
    starts, found = draw_starts(16, 1.0, torch.Generator().manual_seed(9)), {}
    for steps in TURNS:
        both = []
        for detach in (False, True):
            same = SpikingController(detach_reset=detach)
            same.load_state_dict(controller.state_dict())
            flight = fly(same, starts, steps)
            flight_cost(flight.states[1:], flight.commands).backward()
            both.append(torch.cat([weight.grad.flatten() for weight in same.parameters()]))
        found |= {f"attached, {steps}": both[0].norm().item(), f"detached, {steps}": both[1].norm().item(),
                  f"cosine, {steps}": torch.cosine_similarity(*both, 0).item()}
    return found


def imitated(seed, detach_reset, updates=40, steps=30):
    """Train a controller to say what LQR says on LQR's flights, without a loop; NRMSE of its commands on the test starts."""
    generator, teacher = torch.Generator().manual_seed(seed), lqr_controller()
    controller = SpikingController(detach_reset=detach_reset, generator=generator)
    optimizer = torch.optim.Adam(controller.parameters(), 1e-2)

    def said(start):
        with torch.no_grad():
            flight = fly(teacher, start, steps)
        memory, commands = None, []
        for state in flight.states[:-1]:
            command, memory, _ = controller(state, memory)
            commands.append(command)
        return torch.stack(commands)[5:], flight.commands[5:]

    for _ in range(updates):
        mine, wanted = said(draw_starts(32, 1.0, generator))
        optimizer.zero_grad()
        (mine - wanted).square().mean().backward()
        optimizer.step()
    with torch.no_grad():
        return nrmse(*said(test_starts()))
