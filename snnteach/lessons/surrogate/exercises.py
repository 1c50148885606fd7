"""Exercises of notebook 07."""
import math

import torch

from ..kinds import Exercise, Misconception, Question


def weights_that_move(fired, u):
    near = u.abs() < 0.5                                # [N_out], where the boxcar is 1
    return near[:, None] & (fired > 0)[None, :]         # [N_out, N_in]


def _only_neurons_that_fired(fired, u):
    return (u > 0)[:, None] & (fired > 0)[None, :]


def _whatever_the_input(fired, u):
    return (u.abs() < 0.5)[:, None] & torch.ones_like(fired, dtype=torch.bool)[None, :]


def _whatever_the_potential(fired, u):
    return torch.ones_like(u, dtype=torch.bool)[:, None] & (fired > 0)[None, :]


def _near_and_fired(fired, u):
    return ((u.abs() < 0.5) & (u > 0))[:, None] & (fired > 0)[None, :]


def unit_fast_sigmoid(u, slope):
    return slope / 2 / (1 + slope * u.abs()) ** 2


def _not_scaled(u, slope):
    return 1 / (1 + slope * u.abs()) ** 2


def _scaled_by_the_area(u, slope):
    return 2 / slope / (1 + slope * u.abs()) ** 2


def _one_side(u, slope):
    return slope / (1 + slope * u.abs()) ** 2


def exponential_backward(grad_spk, mem, threshold, slope):
    return grad_spk * torch.exp(-slope * (mem - threshold).abs())


def _no_chain(grad_spk, mem, threshold, slope):
    return torch.exp(-slope * (mem - threshold).abs())


def _no_threshold(grad_spk, mem, threshold, slope):
    return grad_spk * torch.exp(-slope * mem.abs())


def _no_absolute_value(grad_spk, mem, threshold, slope):
    return grad_spk * torch.exp(-slope * (mem - threshold))


def _of_the_spike(grad_spk, mem, threshold, slope):
    return grad_spk * (mem > threshold) * torch.exp(-slope * (mem - threshold).abs())


_FIRED, _NEAR = torch.tensor([1.0, 0.0, 1.0]), torch.tensor([-0.2, 0.3, -2.0])
_U = torch.tensor([-2.0, -0.3, 0.0, 0.1, 1.0])
_GRAD, _MEM = torch.tensor([1.0, -2.0, 0.5, 3.0]), torch.tensor([0.0, 0.9, 1.2, 2.5])


def _logistic_slope(u):
    s = 1 / (1 + math.exp(-u))
    return s * (1 - s)


EXERCISES = [
    Exercise(
        id="07.1", difficulty="easy", minutes=6,
        question="Which weights W[i, j] have a gradient in one step, under a boxcar of slope 1? "
                 "Inputs `fired` [N_in] are 0 or 1, `u` [N_out] is potential minus threshold.",
        reference=weights_that_move,
        cases=((_FIRED, _NEAR), (torch.tensor([0.0, 1.0]), torch.tensor([0.7, -0.49, 0.1])), (torch.zeros(2), torch.zeros(3))),
        hints=("dL/dW[i, j] = dL/dS[i] * h(u[i]) * S_in[j]. When is one of the last two factors zero?",
               "A table [N_out, N_in]: (u.abs() < 0.5)[:, None] & (fired > 0)[None, :]."),
        misconceptions=(
            Misconception(_only_neurons_that_fired, "the output neuron need not fire: with a surrogate it is enough that its "
                                                    "potential is near the threshold, from below or above."),
            Misconception(_whatever_the_input, "a silent input multiplies the gradient of its weights by S_in = 0."),
            Misconception(_whatever_the_potential, "the boxcar is exactly 0 where |u| > 1/2: those rows get nothing."),
            Misconception(_near_and_fired, "near threshold is right, but from below counts too: the boxcar is symmetric in u."),
        )),
    Exercise(
        id="07.2", difficulty="easy", minutes=5,
        question="Write a fast sigmoid whose area is 1 for every slope.",
        reference=unit_fast_sigmoid,
        cases=((_U, 1.0), (_U, 25.0)),
        hints=("The area of 1 / (1 + k |u|)^2 is 2/k. Which factor makes it 1?",
               "Multiply by k/2. The peak is then k/2."),
        misconceptions=(
            Misconception(_not_scaled, "this one has peak 1 and area 2/k. Divide by the area."),
            Misconception(_scaled_by_the_area, "you multiplied by the area 2/k; divide by it."),
            Misconception(_one_side, "area 2: each of the two sides has 1. Halve it."),
        )),
    Exercise(
        id="07.3", difficulty="medium", minutes=7,
        question="Write the backward pass of a spike whose surrogate is h(u) = exp(-k |u|).",
        reference=exponential_backward,
        cases=((_GRAD, _MEM, 1.0, 2.0), (_GRAD, _MEM, 2.0, 1.0)),
        hints=("u is the potential minus the threshold; the backward pass gets dL/dS and returns dL/dU.",
               "dL/dU = dL/dS * h(u): grad_spk times torch.exp(-slope * (mem - threshold).abs())."),
        misconceptions=(
            Misconception(_no_chain, "that is dS/dU. The backward pass returns dL/dU: multiply by what came in, grad_spk."),
            Misconception(_no_threshold, "the surrogate must peak at the threshold; yours peaks at mem = 0."),
            Misconception(_no_absolute_value, "below threshold yours grows without bound. Take the absolute value of u."),
            Misconception(_of_the_spike, "the spike itself does not enter: silent neurons need the gradient too."),
        )),
    Exercise(
        id="07.4", difficulty="medium", minutes=8, tolerance=5e-4,
        question="L = (W_out S - y)^2 with W_out = 2, y = 1, S_in = 1, W_in = 0.8, threshold 1, sigmoid surrogate with k = 1. "
                 "What is dL/dW_in?",
        reference=-4 * _logistic_slope(-0.2),
        hints=("U = 0.8 is below threshold, so S = 0. Write dL/dS, h(U - 1) and dU/dW_in one after the other.",
               "dL/dS = 2 (W_out S - y) W_out = -4; h(-0.2) = s(1 - s) with s = 1 / (1 + exp(0.2))."),
        misconceptions=(
            Misconception(4 * _logistic_slope(-0.2), "right size, wrong sign: the output is too small, so W_out S - y < 0."),
            Misconception(-2 * _logistic_slope(-0.2), "one factor of 2 is missing: both the square and W_out bring one."),
            Misconception(-4 * _logistic_slope(0.8), "the surrogate is to be taken at U - threshold = -0.2, not at U = 0.8."),
            Misconception(0.0, "that is the true gradient, 0 because the neuron is silent. The surrogate gives another."),
        ),
        solution="2 (2*0 - 1) * 2 = -4; s = 0.4502, s(1 - s) = 0.2475; S_in = 1. The product is -0.9901: raise the weight."),
    Exercise(
        id="07.5", difficulty="easy", minutes=4, tolerance=2e-3,
        question="The highest potential of a layer stands 0.9 below threshold. Below which slope does a boxcar still teach it?",
        reference=0.5 / 0.9,
        hints=("The boxcar is 1 where k |u| < 1/2. Put |u| = 0.9.", "k < 0.5 / 0.9."),
        misconceptions=(
            Misconception(1 / 0.9, "that is the triangular surrogate, which ends at 1/k. The boxcar ends at 1/(2k)."),
            Misconception(0.45, "that is |u|/2. The condition reads k |u| < 1/2: divide by |u|."),
            Misconception(1.8, "upside down: this is the width 1/k that is needed."),
        ),
        solution="k * 0.9 < 1/2, so k < 0.556."),
]

QUESTIONS = [
    Question(
        "A friend checks a surrogate gradient with finite differences on a loss that counts spikes, and finds 0. Is the "
        "surrogate wrong?",
        "No. The loss is a staircase: its true derivative is 0 almost everywhere, and finite differences measure that. "
        "Compare a surrogate with its formula instead."),
    Question(
        "A layer stands 3 thresholds too low. How large is h for a boxcar and for an arctangent, both of slope 1, and what "
        "follows?",
        "0 for the boxcar, for ever; 1 / (1 + (3 pi)^2), about 0.011, for the arctangent, which an optimiser such as Adam "
        "scales up."),
    Question(
        "Must the area under a surrogate be 1?",
        "No. A common factor is another learning rate for that layer. But the factors of stacked layers multiply, so with "
        "plain gradient descent a scale per layer can make the gradient vanish or explode with depth."),
]
