"""The linear model of a machine and the regulator for it: closed forms, the Riccati equation, refusals."""
import math

import pytest
import torch

from snnteach.regulator import linearise, lqr_gain

FLOAT = torch.float64


def test_a_pendulum_is_differentiated_where_it_stands():
    def pendulum(state, command):
        return torch.stack((state[0] + 0.1 * state[1], state[1] + 0.1 * (command[0] - 9.8 * state[0].sin())))

    for angle in (0.0, 0.7):
        a, b = linearise(pendulum, torch.tensor([angle, 0.3], dtype=FLOAT), torch.zeros(1, dtype=FLOAT))
        assert a.tolist() == [[1, 0.1], [pytest.approx(-0.98 * math.cos(angle)), 1]] and b.tolist() == [[0], [0.1]]


def test_the_regulator_solves_the_riccati_equation():
    generator = torch.Generator().manual_seed(0)
    a, b = torch.eye(4, dtype=FLOAT) + 0.1 * torch.randn(4, 4, generator=generator, dtype=FLOAT), torch.eye(4, 2, dtype=FLOAT)
    q, r = torch.eye(4, dtype=FLOAT), 0.1 * torch.eye(2, dtype=FLOAT)
    gain = lqr_gain(a, b, q, r)
    closed, price = a - b @ gain, torch.zeros(4, 4, dtype=FLOAT)
    for _ in range(4000):                                                          # the price of the closed loop, summed up
        price = q + gain.T @ r @ gain + closed.T @ price @ closed
    again = torch.linalg.solve(r + b.T @ price @ b, b.T @ price @ a)
    assert torch.allclose(gain, again, rtol=1e-6) and torch.linalg.eigvals(closed).abs().max() < 1
    golden = (5**0.5 - 1) / 2                                                      # x' = x + u, q = r = 1: K = 1/golden - 1
    one = torch.eye(1, dtype=FLOAT)
    assert lqr_gain(one, one, one, one).item() == pytest.approx(golden)


@pytest.mark.parametrize("call, words", [
    (lambda: linearise(torch.add, torch.zeros(2, 1), torch.zeros(1)), "linearise: state must be"),
    (lambda: linearise(3, torch.zeros(2), torch.zeros(1)), "linearise: step must be"),
    (lambda: linearise(lambda s, u: s.sum(), torch.zeros(2), torch.zeros(1)), "linearise: what step returns must be"),
    (lambda: linearise(torch.add, torch.zeros(1), torch.zeros(1).double()), "linearise: command"),
    (lambda: lqr_gain(torch.eye(2), torch.eye(2), torch.eye(3), torch.eye(2)), "lqr_gain: state_cost must be"),
    (lambda: lqr_gain(torch.eye(2), torch.eye(2) * math.nan, torch.eye(2), torch.eye(2)), "lqr_gain: b holds NaN"),
])
def test_what_is_refused(call, words):
    with pytest.raises((TypeError, ValueError), match=words):
        call()
