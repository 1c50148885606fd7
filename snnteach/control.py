"""A closed loop: a craft with two rotors, controllers with spikes and without, trained through the physics, and a baseline."""
from copy import deepcopy
from typing import NamedTuple

import torch
from torch import nn

from ._arguments import (
    check_affordable,
    check_between,
    check_callable,
    check_dtype,
    check_finite,
    check_flags,
    check_generator,
    check_net,
    check_numbers,
    check_shape,
    check_signal,
    check_surrogate,
    check_that,
    check_whole,
)
from .regulator import linearise, lqr_gain
from .surrogate import atan, spike

DT, GRAVITY = 0.03, 9.8                                      # seconds, m/s^2; the craft weighs 1 kg
SCALE = (1.0, 1.0, 1.0, 1.0, 0.3, 1.0)                       # of x, y (m), vx, vy (m/s), tilt (rad), turning (rad/s)
WEIGHTS = (1.0, 1.0, 0.1, 0.1, 0.1, 0.05)                    # what an error of one scale costs
START_BOX = (1.0, 1.0, 0.5, 0.5, 0.5, 0.5)                      # a start lies within these, either way
READOUT_GAIN = 17.0                                          # makes the small weights of the read-out learn faster


class Flight(NamedTuple):
    """A flight: states [T + 1, B, 6] from the start on, commands [T, B, 2], spikes [T, B, N] or None.

    >>> fly(LinearController(), torch.zeros(2, 6), 10).commands.shape
    torch.Size([10, 2, 2])
    """

    states: torch.Tensor
    commands: torch.Tensor
    spikes: torch.Tensor | None


def _check_states(owner, name, value, layout="[B, 6]", dims=2):
    check_signal(owner, name, value, layout=f"{layout}: x, y, vx, vy, tilt, turning", dims=dims)
    check_that(owner, value.shape[-1] == 6, f"{name} must be {layout}: x, y, vx, vy, tilt, turning, got shape "
               f"{tuple(value.shape)}.")
    check_finite(owner, name, value, "Look for it in the commands and the start.")


def craft_step(state, command, dt=DT):
    """Move the craft by one time step: the rotors push along its axis and turn it by their difference.

    f_i = g sigmoid(u_i),    vx += -dt (f_1 + f_2) sin a,    vy += dt ((f_1 + f_2) cos a - g),    w += dt (f_2 - f_1)

    and then x += dt vx, y += dt vy, a += dt w, with the new speeds. Both commands 0 hold it where it is.

    Args:
        state: x, y (m), vx, vy (m/s), tilt a (rad), turning w (rad/s), [B, 6].
        command: u of the two rotors, without a unit, [B, 2].
        dt: length of the step in seconds, positive.

    Returns:
        The state one step later, [B, 6]; gradients flow through it.

    Raises:
        TypeError: state or command not a floating-point tensor, or not of one dtype; dt not a number.
        ValueError: state not [B, 6], command not [B, 2], NaN or infinity in them, dt not positive.

    Source: Newton's equations for a rigid body in a plane, mass 1 kg, rotors that push 0 to 9.8 N, semi-implicit Euler.

    >>> craft_step(torch.zeros(1, 6), torch.zeros(1, 2)).tolist()
    [[0.0, 0.0, 0.0, 0.0, 0.0, 0.0]]
    """
    _check_states("craft_step", "state", state)
    check_signal("craft_step", "command", command, layout="[B, 2], one a rotor", dims=2)
    check_shape("craft_step", "command", command, (len(state), 2), "one a rotor")
    check_dtype("craft_step", "command", command, "state", state)
    check_finite("craft_step", "command", command, "Look for it in the controller.")
    check_numbers("craft_step", above=0, dt=dt)
    return _move(state, command, float(dt))


def _move(state, command, dt):
    x, y, vx, vy, tilt, turning = state.unbind(-1)
    left, right = (GRAVITY * torch.sigmoid(command)).unbind(-1)
    thrust = left + right
    vx = vx - dt * thrust * tilt.sin()
    vy = vy + dt * (thrust * tilt.cos() - GRAVITY)
    turning = turning + dt * (right - left)
    return torch.stack((x + dt * vx, y + dt * vy, vx, vy, tilt + dt * turning, turning), -1)


def flight_cost(states, commands):
    """Price a flight: the error at every step, softened by a logarithm, and the effort.

    cost = mean over t, b of log(1 + sum_i weight_i (s_i / scale_i)^2) + 0.01 (u_1^2 + u_2^2)

    Args:
        states: [T, B, 6], after each step.
        commands: [T, B, 2], of each step.

    Returns:
        The cost, a scalar; 0 for a craft that stays at the origin without a command.

    Raises:
        TypeError: states or commands not floating-point tensors of one dtype.
        ValueError: other shapes, NaN or infinity in them.

    Source: the quadratic cost of linear control with a logarithm around it, so that a lost flight does not drown the others.

    >>> flight_cost(torch.zeros(5, 1, 6), torch.zeros(5, 1, 2)).item()
    0.0
    """
    _check_states("flight_cost", "states", states, "[T, B, 6]", 3)
    check_signal("flight_cost", "commands", commands, layout="[T, B, 2]", dims=3)
    check_shape("flight_cost", "commands", commands, (*states.shape[:2], 2), "as states; leave the start out: states[1:]")
    check_dtype("flight_cost", "commands", commands, "states", states)
    check_finite("flight_cost", "commands", commands, "Look for it in the controller.")
    return _cost(states, commands)


def _cost(states, commands):
    error = (states / states.new_tensor(SCALE)).square() @ states.new_tensor(WEIGHTS)            # [T, B]
    return (1 + error).log().mean() + 0.01 * commands.square().sum(-1).mean()


def survived(states):
    """Tell which flights never leave the box: x and y within 3 m of its middle and a tilt of at most 1.57 rad, at every step.

    Args:
        states: [T, B, 6].

    Returns:
        bool [B].

    Raises:
        TypeError: states not a floating-point tensor.
        ValueError: states not [T, B, 6], NaN or infinity in them.

    Source: the definition of a crash in this course.

    >>> survived(torch.tensor([[[0.0, 0, 0, 0, 0, 0], [4.0, 0, 0, 0, 0, 0]]])).tolist()
    [True, False]
    """
    _check_states("survived", "states", states, "[T, B, 6]", 3)
    return (states[..., [0, 1, 4]].abs() <= states.new_tensor((3.0, 3.0, 1.57))).all(-1).all(0)


def draw_starts(count, width=1.0, generator=None, dtype=torch.float32):
    """Draw starts of flights: up to a metre off, half a metre a second, half a radian, half a radian a second.

    s_i = width * START_BOX_i * uniform(-1, 1)

    Args:
        count: number of starts B.
        width: multiplies them all; positive.
        generator: torch.Generator; torch's global one by default.
        dtype: torch.float32 or torch.float64.

    Returns:
        States, [B, 6].

    Raises:
        TypeError: width not a number, generator not a torch.Generator.
        ValueError: count not a whole number of at least 1, width not positive, dtype not floating point.

    Source: the starts of this course.

    >>> draw_starts(3, generator=torch.Generator().manual_seed(0)).shape
    torch.Size([3, 6])
    """
    check_whole("draw_starts", count=count)
    check_affordable("draw_starts", "count", count, 6)
    check_numbers("draw_starts", above=0, width=width)
    check_generator("draw_starts", generator)
    check_that("draw_starts", dtype in (torch.float32, torch.float64), f"dtype must be torch.float32 or torch.float64, got "
               f"{dtype!r}.")
    drawn = 2 * torch.rand(int(count), 6, generator=generator, dtype=dtype) - 1
    return float(width) * drawn * torch.tensor(START_BOX, dtype=dtype)


class LinearController(nn.Module):
    """A controller of fourteen numbers: each command is a weighted sum of the six errors.

    u = K (s / scale) + c

    Args:
        weight: K, [2, 6]; zeros by default.

    Returns:
        A module; `forward(state, memory)` takes [B, 6] and returns (command [B, 2], None, None).

    Raises:
        TypeError: weight not a floating-point tensor.
        ValueError: weight not [2, 6], NaN or infinity in it.

    Source: state feedback, as in any book on linear control.

    >>> LinearController()(torch.ones(1, 6))[0].tolist()
    [[0.0, 0.0]]
    """

    def __init__(self, weight=None):
        super().__init__()
        if weight is not None:
            check_signal("LinearController", "weight", weight, layout="[2, 6]", dims=2)
            check_shape("LinearController", "weight", weight, (2, 6), "a row a rotor")
            check_finite("LinearController", "weight", weight)
        self.weight = nn.Parameter(torch.zeros(2, 6) if weight is None else weight.detach().clone())
        self.bias = nn.Parameter(self.weight.new_zeros(2))
        self.register_buffer("scale", self.weight.new_tensor(SCALE))

    def forward(self, state, memory=None):
        """Return (command [B, 2], None, None): it remembers nothing and fires nothing."""
        _check_states("LinearController", "state", state)
        check_dtype("LinearController", "state", state, "the controller's weight", self.weight)
        return state / self.scale @ self.weight.T + self.bias, None, None


class SpikingController(nn.Module):
    """Two layers of spiking neurons between the state of the craft and its rotors, read by a leaky integrator.

    spk1 = LIF(W1 (s / scale) + b1),    spk2 = LIF(W2 spk1 + b2),    u <- d u + (1 - d) 17 (V spk2 + c)

    Args:
        width: neurons in each layer.
        beta: membrane decay per step.
        readout_decay: d, the decay of the command per step.
        surrogate: derivative of the step function, from `snnteach.surrogate`.
        detach_reset: keep the reset out of the gradient, as other notebooks do and this loop does not forgive.
        generator: torch.Generator of the weights; torch's global one by default.

    Returns:
        A module; `forward(state, memory)` takes [B, 6] and the memory of the step before (None at the start), and returns
        (command [B, 2], memory, spikes [B, 2 width]).

    Raises:
        TypeError: surrogate not a derivative (atan for atan()), a number not a number, generator not a torch.Generator.
        ValueError: width not a whole number of at least 1, beta or readout_decay outside [0, 1].

    Source: Eshraghian et al. (2023), Eq. 4, for the neurons; the scales of the weights are those of this course.

    >>> controller = SpikingController(generator=torch.Generator().manual_seed(0))
    >>> command, memory, spikes = controller(torch.zeros(5, 6))
    >>> command.shape, spikes.shape
    (torch.Size([5, 2]), torch.Size([5, 64]))
    """

    def __init__(self, width=32, beta=0.7, readout_decay=0.7, *, surrogate=atan(), detach_reset=False, generator=None):
        super().__init__()
        check_whole("SpikingController", high=2**14, width=width)
        check_between("SpikingController", "beta", beta, 0, 1)
        check_between("SpikingController", "readout_decay", readout_decay, 0, 1)
        check_surrogate("SpikingController", surrogate)
        check_flags("SpikingController", detach_reset=detach_reset)
        check_generator("SpikingController", generator)
        width = int(width)
        draw = lambda low, high, *shape: nn.Parameter(low + (high - low) * torch.rand(*shape, generator=generator))  # noqa: E731
        first, second = (1.5 * (3 / inputs) ** 0.5 for inputs in (6, width))
        self.weight1, self.bias1 = draw(-first, first, width, 6), draw(0, 0.9, width)
        self.weight2, self.bias2 = draw(-second, second, width, width), draw(0, 0.9, width)
        self.readout, self.offset = draw(-0.018, 0.018, 2, width), nn.Parameter(torch.zeros(2))
        self.register_buffer("scale", torch.tensor(SCALE))
        self.beta, self.readout_decay = float(beta), float(readout_decay)
        self.surrogate, self.detach_reset = surrogate, bool(detach_reset)

    def forward(self, state, memory=None):
        """Advance by one step: (command [B, 2], memory, spikes [B, 2 width])."""
        _check_states("SpikingController", "state", state)
        check_dtype("SpikingController", "state", state, "the controller's weight1", self.weight1)
        zero = state.new_zeros(len(state), len(self.bias1))
        mem1, spk1, mem2, spk2, command = (zero, zero, zero, zero, state.new_zeros(len(state), 2)) if memory is None else memory
        spk1, mem1 = self._fire(state / self.scale @ self.weight1.T + self.bias1, mem1, spk1)
        spk2, mem2 = self._fire(spk1 @ self.weight2.T + self.bias2, mem2, spk2)
        drive = READOUT_GAIN * (spk2 @ self.readout.T + self.offset)
        command = self.readout_decay * command + (1 - self.readout_decay) * drive
        return command, (mem1, spk1, mem2, spk2, command), torch.cat((spk1, spk2), 1)

    def _fire(self, x, mem, spk):
        mem = self.beta * mem + x - (spk.detach() if self.detach_reset else spk)
        return spike(mem - 1, self.surrogate), mem


def fly(controller, start, num_steps, *, dt=DT, kick=None, truncate=None):
    """Close the loop: the controller sees the craft's state and commands its rotors, step by step.

    (u, memory) = controller(s[t], memory),    s[t+1] = craft_step(s[t], u)

    Args:
        controller: a `LinearController`, a `SpikingController`, or any function (state, memory) -> (command, memory, spikes).
        start: states, [B, 6].
        num_steps: T, number of steps.
        dt: length of a step in seconds, positive.
        kick: (step, [6]): what is added to every state before that step; None for none.
        truncate: cut the gradient every so many steps; None for never.

    Returns:
        Flight(states [T + 1, B, 6], commands [T, B, 2], spikes [T, B, N] or None).

    Raises:
        TypeError: controller not a function of two arguments, start not a floating-point tensor, dt not a number.
        ValueError: start not [B, 6], num_steps or truncate not whole numbers of at least 1, dt not positive, kick not such a
            pair, a command that is not [B, 2].

    Source: the loop of notebook 18.

    >>> flight = fly(LinearController(), torch.zeros(2, 6), 10)
    >>> flight.states.shape, flight.spikes
    (torch.Size([11, 2, 6]), None)
    """
    _check_flight("fly", controller, start, num_steps, dt, kick, truncate)
    return _fly(controller, start, int(num_steps), float(dt), kick, truncate)


def _check_flight(owner, controller, start, num_steps, dt, kick, truncate):
    check_callable(owner, "controller", controller, "Such as SpikingController() or LinearController().", takes=2)
    _check_states(owner, "start", start)
    check_whole(owner, high=100_000, num_steps=num_steps)
    check_numbers(owner, above=0, dt=dt)
    if truncate is not None:
        check_whole(owner, truncate=truncate)
    if kick is not None:
        check_that(owner, isinstance(kick, (tuple, list)) and len(kick) == 2, "kick must be the pair (step, what is added to "
                   "the state, a tensor [6]).", TypeError)
        check_whole(owner, low=0, **{"kick[0]": kick[0]})
        check_signal(owner, "kick[1]", kick[1], layout="[6]", dims=1)
        check_shape(owner, "kick[1]", kick[1], (6,), "as a state")
        check_dtype(owner, "kick[1]", kick[1], "start", start)
        check_finite(owner, "kick[1]", kick[1])


def _ask(owner, controller, state, memory):
    answer = controller(state, memory)
    check_that(owner, isinstance(answer, tuple) and len(answer) == 3, "controller must return (command [B, 2], memory, "
               f"spikes), with None for what it has not, got {type(answer).__name__}.", TypeError)
    check_shape(owner, "controller's command", answer[0], (len(state), 2), "one a rotor")
    return answer


def _fly(controller, state, num_steps, dt, kick=None, truncate=None):
    memory, states, commands, spikes = None, [state], [], []
    for step in range(num_steps):
        if kick is not None and step == kick[0]:
            state = state + kick[1]
        if truncate is not None and step and step % truncate == 0:
            state = state.detach()
            memory = None if memory is None else tuple(part.detach() for part in memory)
        command, memory, fired = _ask("fly", controller, state, memory)
        state = _move(state, command, dt)
        states.append(state)
        commands.append(command)
        spikes.append(fired)
    return Flight(torch.stack(states), torch.stack(commands), None if spikes[0] is None else torch.stack(spikes))


def train_controller(controller, updates=120, *, batch=32, horizon=(20, 80), width=(0.2, 1.0), learning_rate=5e-3, clip=1.0,
                     truncate=None, generator=None):
    """Train a controller through the physics: fly, price the flight, and follow the gradient of the price; in place.

    Horizon and width of the starts grow from the first to the second of their numbers in the first half of the updates. Adam,
    a learning rate that falls along half a cosine, gradients clipped to the norm `clip`.

    Args:
        controller: a `LinearController` or `SpikingController`, changed in place.
        updates: number of updates.
        batch: flights an update.
        horizon: steps of a flight, at first and from halfway on.
        width: width of the starts (see `draw_starts`), at first and from halfway on.
        learning_rate: the first learning rate, positive.
        clip: norm to which gradients are clipped, positive.
        truncate: cut the gradient every so many steps; None for never.
        generator: torch.Generator of the starts; torch's global one by default.

    Returns:
        The cost of each update, a list of floats.

    Raises:
        TypeError: controller not a torch.nn.Module, a number not a number, generator not a torch.Generator.
        ValueError: counts not whole numbers of at least 1, widths, learning rate or clip not positive.

    Source: backpropagation through a differentiable simulator, with a curriculum.

    >>> generator = torch.Generator().manual_seed(0)
    >>> costs = train_controller(LinearController(), 10, horizon=(20, 20), width=(1, 1), generator=generator)
    >>> len(costs), costs[-1] < costs[0]
    (10, True)
    """
    _check_training("train_controller", controller, updates, batch, horizon, width, learning_rate, clip, truncate, generator)
    optimizer = torch.optim.Adam(controller.parameters(), lr=float(learning_rate))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, int(updates))
    dtype, costs = next(controller.parameters()).dtype, []
    for update in range(int(updates)):
        grown = min(1.0, 2 * update / updates)
        steps = round(horizon[0] + grown * (horizon[1] - horizon[0]))
        start = draw_starts(batch, width[0] + grown * (width[1] - width[0]), generator, dtype)
        flight = _fly(controller, start, steps, DT, truncate=truncate)
        cost = _cost(flight.states[1:], flight.commands)
        optimizer.zero_grad()
        cost.backward()
        torch.nn.utils.clip_grad_norm_(controller.parameters(), float(clip))
        optimizer.step()
        schedule.step()
        costs.append(cost.item())
    return costs


def _check_training(owner, controller, updates, batch, horizon, width, learning_rate, clip, truncate, generator):
    check_net(owner, controller)
    for name, pair in (("horizon", horizon), ("width", width)):
        check_that(owner, isinstance(pair, (tuple, list)) and len(pair) == 2, f"{name} must be a pair, at first and from "
                   "halfway on.", TypeError)
    check_whole(owner, high=100_000, updates=updates, batch=batch, **{"horizon[0]": horizon[0], "horizon[1]": horizon[1]})
    check_numbers(owner, above=0, **{"width[0]": width[0], "width[1]": width[1]})
    check_numbers(owner, above=0, learning_rate=learning_rate, clip=clip)
    if truncate is not None:
        check_whole(owner, truncate=truncate)
    check_generator(owner, generator)


def lqr_controller(effort=0.1, dt=DT):
    """Make the linear-quadratic regulator of the hovering craft, for the errors of `flight_cost` and a price on effort.

    Q = diag(weight_i / scale_i^2),    R = effort I,    A and B by `linearise` at rest

    With the effort of `flight_cost`, 0.01, its commands are so large that the rotors, which a linear model lets push without
    limit, reach theirs.

    Args:
        effort: price of a command squared, positive.
        dt: length of the step in seconds, positive.

    Returns:
        A `LinearController` whose weight is -K scale.

    Raises:
        TypeError: effort or dt not a number.
        ValueError: effort or dt not positive.

    Source: `lqr_gain` for the craft of this course.

    >>> lqr_controller().weight.shape
    torch.Size([2, 6])
    """
    check_numbers("lqr_controller", above=0, effort=effort, dt=dt)
    scale = torch.tensor(SCALE, dtype=torch.float64)
    still = torch.zeros(6, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    a, b = linearise(lambda state, command: _move(state[None], command[None], float(dt))[0], *still)
    state_cost = torch.diag(torch.tensor(WEIGHTS, dtype=torch.float64) / scale**2)
    gain = lqr_gain(a, b, state_cost, float(effort) * torch.eye(2, dtype=torch.float64))
    return LinearController((-gain * scale).float())


def cut_neurons(controller, count, generator=None):
    """Copy a spiking controller and silence some neurons of each layer: they go on charging, and nobody hears them.

    Args:
        controller: a `SpikingController`.
        count: neurons to cut in each of its two layers, from 0 to its width.
        generator: torch.Generator that picks them; torch's global one by default.

    Returns:
        A new `SpikingController`, whose columns of weight2 and readout are 0 where a neuron was cut.

    Raises:
        TypeError: controller not a SpikingController, generator not a torch.Generator.
        ValueError: count not a whole number from 0 to the width.

    Source: a lesion, as biologists make it.

    >>> controller = SpikingController(generator=torch.Generator().manual_seed(0))
    >>> cut = cut_neurons(controller, 3, torch.Generator().manual_seed(0))
    >>> int((cut.readout == 0).all(0).sum())
    3
    """
    check_that("cut_neurons", isinstance(controller, SpikingController), "controller must be a SpikingController, got "
               f"{type(controller).__name__}.", TypeError)
    check_whole("cut_neurons", low=0, high=len(controller.bias1), count=count)
    check_generator("cut_neurons", generator)
    copy = deepcopy(controller)
    with torch.no_grad():
        for weight in (copy.weight2, copy.readout):
            weight[:, torch.randperm(weight.shape[1], generator=generator)[:int(count)]] = 0
    return copy


def command_slopes(controller, state, num_steps=400, width=0.2):
    """Measure how the command answers to the state, held still: by autograd, and by moving the state.

    M[u, i] = d (mean over t of u[t]) / d s_i;    or (mean u at s_i + width scale_i - mean u at s_i - width scale_i) / (2 width)

    Args:
        controller: a `SpikingController`.
        state: states that are held for `num_steps`, [B, 6]; slopes are means over them.
        num_steps: steps to average over, the first fifth left out.
        width: distance to either side, in scales; wide enough for many spikes to change.

    Returns:
        (autograd [2, 6], finite differences [2, 6]), a unit of u for each scale of the state.

    Raises:
        TypeError: controller not a function of two arguments, state not a floating-point tensor, width not a number.
        ValueError: state not [B, 6], num_steps not a whole number of at least 5, width not positive.

    Source: the definition of a derivative.

    >>> linear = LinearController(torch.arange(12.0).view(2, 6))
    >>> exact, moved = command_slopes(linear, torch.zeros(1, 6), 10)
    >>> torch.allclose(exact, moved, atol=1e-4)
    True
    """
    check_callable("command_slopes", "controller", controller, "Such as SpikingController().", takes=2)
    _check_states("command_slopes", "state", state)
    check_whole("command_slopes", low=5, high=100_000, num_steps=num_steps)
    check_numbers("command_slopes", above=0, width=width)
    scale = state.new_tensor(SCALE)

    def mean_command(held):
        memory, commands = None, []
        for _ in range(int(num_steps)):
            command, memory, _ = _ask("command_slopes", controller, held, memory)
            commands.append(command)
        return torch.stack(commands[int(num_steps) // 5:]).mean(0)                               # [B, 2]

    held = state.detach().clone().requires_grad_()
    means = mean_command(held)
    exact = torch.stack([torch.autograd.grad(means[:, rotor].sum(), held, retain_graph=True)[0].mean(0) for rotor in (0, 1)])
    with torch.no_grad():
        shift = float(width) * torch.diag(scale)                                                 # [6, 6]
        moved = [(mean_command(state + step) - mean_command(state - step)).mean(0) / (2 * float(width)) for step in shift]
    return exact * scale, torch.stack(moved, 1)
