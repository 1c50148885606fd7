"""Linear control: the straight-line model of a step of any machine, and the best feedback for it."""
import torch

from ._arguments import (
    check_callable,
    check_dtype,
    check_finite,
    check_shape,
    check_signal,
    check_whole,
)


def linearise(step, state, command):
    """Differentiate one step of a machine at a point: what a small error and a small command do.

    s[t+1] ~ step(s, u) + A (s[t] - s) + B (u[t] - u),    A = d step / d state,  B = d step / d command

    Args:
        step: the machine, a differentiable function (state [n], command [m]) -> next state [n].
        state: s, [n].
        command: u, [m].

    Returns:
        (A [n, n], B [n, m]).

    Raises:
        TypeError: step not a function of two arguments that returns a tensor, state or command not floating-point tensors of
            one dtype.
        ValueError: state or command not a vector, NaN or infinity in them, a next state of another size than state.

    Source: the first-order Taylor expansion, by autograd.

    >>> a, b = linearise(lambda state, command: 0.9 * state + command.sin(), torch.zeros(1), torch.zeros(1))
    >>> round(a.item(), 2), round(b.item(), 2)
    (0.9, 1.0)
    """
    _check_machine("linearise", step, state, command)
    return torch.autograd.functional.jacobian(step, (state.detach(), command.detach()))


def _check_machine(owner, step, state, command):
    check_callable(owner, "step", step, "Such as lambda state, command: state + command.", takes=2)
    for name, value in (("state", state), ("command", command)):
        check_signal(owner, name, value, layout="a vector", dims=1)
        check_finite(owner, name, value)
    check_dtype(owner, "command", command, "state", state)
    check_shape(owner, "what step returns", step(state.detach(), command.detach()), state.shape, "like state")


def lqr_gain(a, b, state_cost, command_cost, num_steps=2000):
    """Solve the linear-quadratic regulator: the best linear feedback for linear dynamics and a quadratic cost.

    K = (R + B' P B)^-1 B' P A,    P <- Q + A' P (A - B K),    u = -K s

    Args:
        a: A, [n, n].
        b: B, [n, m].
        state_cost: Q, [n, n].
        command_cost: R, [m, m].
        num_steps: iterations of the Riccati equation, from P = Q.

    Returns:
        K, [m, n]; the best command is -K s.

    Raises:
        TypeError: not floating-point tensors of one dtype.
        ValueError: shapes that do not fit, NaN or infinity in them, num_steps not a whole number of at least 1.

    Source: the discrete-time algebraic Riccati equation, by value iteration.

    >>> one = torch.eye(1)
    >>> round(lqr_gain(one, one, one, one).item(), 3)
    0.618
    """
    _check_regulator("lqr_gain", a, b, state_cost, command_cost, num_steps)
    price = state_cost
    for _ in range(int(num_steps)):
        gain = torch.linalg.solve(command_cost + b.T @ price @ b, b.T @ price @ a)
        price = state_cost + a.T @ price @ (a - b @ gain)
    return gain


def _check_regulator(owner, a, b, state_cost, command_cost, num_steps):
    for name, value, layout in (("a", a, "[n, n]"), ("b", b, "[n, m]"), ("state_cost", state_cost, "[n, n]"),
                                ("command_cost", command_cost, "[m, m]")):
        check_signal(owner, name, value, layout=layout, dims=2)
        check_dtype(owner, name, value, "a", a)
        check_finite(owner, name, value)
    check_shape(owner, "a", a, (len(a), len(a)), "square")
    check_shape(owner, "b", b, (len(a), b.shape[1]), "to fit a")
    check_shape(owner, "state_cost", state_cost, (len(a), len(a)), "to fit a")
    check_shape(owner, "command_cost", command_cost, (b.shape[1], b.shape[1]), "to fit b")
    check_whole(owner, high=100_000, num_steps=num_steps)
