"""Exercises of notebook 07."""
import math

import torch

from ... import surrogate
from ..kinds import Exercise, Guess, Misconception, Question
from . import answers

_FIRED, _NEAR = torch.tensor([1.0, 0.0, 1.0]), torch.tensor([-0.2, 0.3, -2.0])
_U = torch.tensor([-2.0, -0.3, 0.0, 0.1, 1.0])
_GRAD, _MEM = torch.tensor([1.0, -2.0, 0.5, 3.0]), torch.tensor([0.0, 0.9, 1.2, 2.5])


_CURRENT = torch.randn(8, 2, 5, generator=torch.Generator().manual_seed(0))


def _logistic_slope(u):
    s = 1 / (1 + math.exp(-u))
    return s * (1 - s)


EXERCISES = [
    Exercise(
        id="07.1", difficulty="easy", minutes=6,
        question="Which weights W[i, j] have a gradient in one step, under a boxcar of sharpness 1? Inputs `fired` [N_in] "
                 "are 0 or 1, `u` [N_out] is potential minus threshold.",
        reference=answers.weights_that_move,
        property="A weight moves if and only if its input fired and its output stands less than 1/2 from threshold.",
        cases=((_FIRED, _NEAR), (torch.tensor([0.0, 1.0]), torch.tensor([0.7, -0.49, 0.1])), (torch.zeros(2), torch.zeros(3))),
        hints=("dL/dW[i, j] = dL/dS[i] * h(u[i]) * S_in[j]. When is one of the last two factors zero?",
               "A table [N_out, N_in]: (u.abs() < 0.5)[:, None] & (fired > 0)[None, :]."),
        misconceptions=(
            Misconception(answers.only_neurons_that_fired, "the output neuron need not fire: with a surrogate it is enough "
                                                           "that its potential is near the threshold, from below or above."),
            Misconception(answers.whatever_the_input, "a silent input multiplies the gradient of its weights by S_in = 0."),
            Misconception(answers.whatever_the_potential, "the boxcar is exactly 0 where |u| > 1/2: those rows get nothing."),
            Misconception(answers.near_and_fired, "near threshold is right, but from below counts too: the boxcar is "
                                                  "symmetric in u."),
        )),
    Exercise(
        id="07.2", difficulty="easy", minutes=5,
        question="Write a fast sigmoid whose area is 1 for every sharpness k, the argument `slope`.",
        reference=answers.unit_fast_sigmoid,
        property="It keeps the shape 1 / (1 + k |u|)^2 and has an area of 1 whatever k is.",
        cases=((_U, 1.0), (_U, 25.0)),
        hints=("The area of 1 / (1 + k |u|)^2 is 2/k. Which factor makes it 1?",
               "Multiply by k/2. The peak is then k/2."),
        misconceptions=(
            Misconception(answers.not_scaled, "this one has peak 1 and area 2/k. Divide by the area."),
            Misconception(answers.scaled_by_the_area, "you multiplied by the area 2/k; divide by it."),
            Misconception(answers.one_side, "area 2: each of the two sides has 1. Halve it."),
        )),
    Exercise(
        id="07.3", difficulty="medium", minutes=7,
        question="Write the backward pass of a spike whose surrogate is h(u) = exp(-k |u|).",
        reference=answers.exponential_backward,
        property="What comes in as grad_spk is multiplied by a factor of at most 1, which is 1 at threshold.",
        cases=((_GRAD, _MEM, 1.0, 2.0), (_GRAD, _MEM, 2.0, 1.0)),
        hints=("u is the potential minus the threshold; the backward pass gets dL/dS and returns dL/dU.",
               "dL/dU = dL/dS * h(u): grad_spk times torch.exp(-slope * (mem - threshold).abs())."),
        misconceptions=(
            Misconception(answers.no_chain, "that is dS/dU. The backward pass returns dL/dU: multiply by what came in, "
                                            "grad_spk."),
            Misconception(answers.no_threshold, "the surrogate must peak at the threshold; yours peaks at mem = 0."),
            Misconception(answers.no_absolute_value, "below threshold yours grows without bound. Take the absolute value of "
                                                     "u."),
            Misconception(answers.derivative_of_h, "you took the derivative of h; h itself stands in for the slope."),
            Misconception(answers.minus_k_times_h, "-k comes from the derivative of h; h itself stands in for the slope."),
            Misconception(answers.area_of_one, "area 1 was exercise 07.2; here the peak is 1."),
            Misconception(answers.of_the_spike, "the spike itself does not enter: silent neurons need the gradient too."),
        )),
    Exercise(
        id="07.4", difficulty="medium", minutes=8, tolerance=5e-4,
        question="L = (W_out S - y)^2 with W_out = 2, y = 1, S_in = 1, W_in = 0.8, threshold 1, sigmoid surrogate with k = "
                 "1. What is dL/dW_in?",
        reference=-4 * _logistic_slope(-0.2),
        property="It is a product of three factors: dL/dS, h(U - threshold) and dU/dW_in. Two of them are not 1.",
        hints=("U = 0.8 is below threshold, so S = 0. Write dL/dS, h(U - 1) and dU/dW_in one after the other.",
               "dL/dS = 2 (W_out S - y) W_out = -4; h(-0.2) = s(1 - s) with s = 1 / (1 + exp(0.2))."),
        misconceptions=(
            Misconception(4 * _logistic_slope(-0.2), "right size, wrong sign: the output is too small, so W_out S - y < 0."),
            Misconception(-2 * _logistic_slope(-0.2), "one factor of 2 is missing: both the square and W_out bring one."),
            Misconception(-4 * _logistic_slope(0.8), "the surrogate is to be taken at U - threshold = -0.2, not at U = 0.8."),
            Misconception(-_logistic_slope(-0.2), "that is h with the right sign; multiply it by the size of dL/dS, which "
                                                  "is 4."),
            Misconception(-4.0, "that is dL/dS alone. Times h(-0.2), times S_in."),
            Misconception(2 * _logistic_slope(-0.2), "both a sign and a factor of 2: dL/dS = 2 (W_out S - y) W_out."),
            Misconception(0.0, "that is the true gradient, 0 because the neuron is silent. The surrogate gives another."),
        ),
        solution="2 (2*0 - 1) * 2 = -4; s = 0.4502, s(1 - s) = 0.2475; S_in = 1. The product is -0.9901: raise the weight."),
    Exercise(
        id="07.5", difficulty="easy", minutes=4, tolerance=2e-3,
        question="The highest potential of a layer stands 0.9 below threshold. Below which sharpness k does a boxcar still "
                 "teach it?",
        reference=0.5 / 0.9,
        property="At the answer, k times 0.9 is the place where the boxcar ends.",
        hints=("The boxcar is 1 where k |u| < 1/2. Put |u| = 0.9.", "k < 0.5 / 0.9."),
        misconceptions=(
            Misconception(1 / 0.9, "that is the triangular surrogate, which ends at 1/k. The boxcar ends at 1/(2k)."),
            Misconception(0.45, "that is |u|/2. The condition reads k |u| < 1/2: divide by |u|."),
            Misconception(1.8, "upside down: this is the width 1/k that is needed."),
        ),
        solution="k * 0.9 < 1/2, so k < 0.556."),
    Exercise(
        id="07.6", difficulty="hard", minutes=15, build=True, gradients=("current",), tolerance=1e-5,
        question="Write a layer of leaky integrate-and-fire neurons (beta = 0.9, threshold 1, reset by subtraction) whose "
                 "surrogate is a boxcar with tails: 1 where k |u| < 1/2, beyond it 1 / (2 k u)^2. It takes current [T, B, "
                 "N] and returns spikes and potentials, [T, B, N] each.",
        reference=answers.layer_with_tails,
        cases=((_CURRENT, 1.0), (2 * _CURRENT, 4.0)),
        property="Its spikes and potentials are those of lif(current, 0.9), and its gradients those of lif with this "
                 "surrogate.",
        hints=("Two parts: a torch.autograd.Function whose forward is (u > 0).to(u.dtype), and a loop over the steps.",
               "One step: mem = 0.9 * mem + x - spk.detach(), then spk = Tailed.apply(mem - 1). Both start at zero.",
               "The tails in one line: h = 1 / (2 * slope * u.abs()).clamp(min=1) ** 2. The backward pass returns "
               "grad_spk * h."),
        misconceptions=(
            Misconception(answers.only_the_box, "the gradients are those of a boxcar without tails: far from threshold "
                                                "yours are 0."),
            Misconception(answers.through_the_reset, "the gradient runs through the reset, too. Detach the spike that is "
                                                     "subtracted."),
            Misconception(answers.reset_at_once, "the potential is recorded before its reset, and the reset acts one step "
                                                 "late: subtract the spike of the step before, and do not let it leak "
                                                 "first."),
            Misconception(answers.of_the_potential, "the spikes are right, the surrogate is not: its argument is the "
                                                    "potential minus the threshold."),
            Misconception(answers.not_squared, "the tails fall with 1 / (2 k |u|); they have to fall with its square."),
            Misconception(answers.without_gradient, "no gradient comes back. A comparison such as mem > 1 has none: the "
                                                    "backward pass of the Function has to lend it one."),
            Misconception(answers.u_for_the_potential, "return the potentials, not the potentials minus the threshold."),
        )),
    Exercise(
        id="07.7", difficulty="medium", minutes=8, tolerance=1e-3,
        question="S1 = step(w1 - 1), S2 = step(w2 S1 - 1), a boxcar of sharpness 1 for both. Walk from (w1, w2) = (0.6, "
                 "0.6) to (1.4, 1.4), first raising w1, then w2. What does the lent slope of S2 add up to?",
        reference=0.4 * 0.6 + 0.8,
        property="It is a sum of four pieces: below and above w1 = 1 on the first leg, the same for w2 on the second.",
        hints=("On the first leg the lent slope is h(w2 S1 - 1) w2 h(w1 - 1), on the second h(w2 S1 - 1) S1. When is each h 1?",
               "First leg: below w1 = 1 the second neuron stands at -1, out of its window; above, at 0.6 - 1 = -0.4, within.",
               "First leg 0.4 * 0.6. On the second S1 = 1, and w2 - 1 stays within the window all along."),
        misconceptions=(
            Misconception(1.0, "that is what S2 really climbs. The lent slopes add up to something else."),
            Misconception(0.4 * 0.6 + 0.8 - 0.4 * 1.4, "that is how far the two ways differ. Only the first of them is "
                                                       "asked for."),
            Misconception(1.6, "a boxcar of 1 all along the way: but below w1 = 1 the second neuron stands at -1, and on "
                               "the first leg the slope has the factor w2."),
            Misconception(0.4 * 0.6, "that is the first leg. The second adds its share."),
            Misconception(0.4 * 1.4, "that is the other way round the square: first w2, then w1."),
            Misconception(0.8, "on the first leg, too, something is lent: for w1 from 1 to 1.4 both neurons are in their "
                               "windows."),
            Misconception(0.8 * 0.6 + 0.8, "on the first leg only w1 > 1 counts: before that S1 = 0, and the second neuron "
                                           "stands at -1."),
            Misconception(0.4 + 0.8, "the slope along w1 has the factor w2 = 0.6: that is how far S1 lifts the second "
                                     "neuron."),
            Misconception(0.4 * 0.6 + 0.4, "on the second leg w2 - 1 is in the window from -0.4 to 0.4: below threshold, "
                                           "too."),
        ),
        solution="0.4 * 0.6 + 0.8 = 1.04; the other way round it is 0.4 * 1.4 = 0.56. S2 climbs 1 on both."),
    Exercise(
        id="07.8", difficulty="easy", minutes=6,
        question="Write a test of a surrogate h: True if h is positive at threshold, nowhere negative, nowhere larger than "
                 "at threshold, and the same on both sides of it.",
        reference=answers.looks_right,
        cases=tuple((h,) for h in (surrogate.atan(), answers.tall_triangle, surrogate.straight_through(), surrogate.zero(),
                                   answers.triangle_of_two_signs, answers.peak_at_rest, answers.left_half)),
        property="It is True for atan, straight_through and a triangle of any height, and False for zero and three broken "
                 "ones.",
        hints=("Compare h on a grid, such as u = torch.linspace(-3, 3, 601), with h at zero.",
               "Four conditions: h(0) > 0, (h(u) >= 0).all(), (h(u) <= h(0)).all(), torch.allclose(h(u), h(-u))."),
        misconceptions=(
            Misconception(answers.only_the_peak, "a positive h(0) is not enough: one of the broken ones peaks elsewhere."),
            Misconception(answers.only_no_sign, "a surrogate that is nowhere negative can still peak in the wrong place."),
            Misconception(answers.one_at_the_peak, "the peak need not be 1: a common factor is another learning rate, and "
                                                   "no mistake."),
        )),
]

GUESSES = {
    "07.a": Guess(
        "You raise the threshold from 1 to 4, so that no neuron fires any more. Which surrogate, of sharpness 1, can still "
        "teach this layer?",
        ("neither: a silent neuron is dead", "`boxcar`", "`atan`", "both: a surrogate does not need spikes"), "`atan`",
        "The layer is silent, yet the arctangent still gives more than 0.01 of the gradient to 28 % of the neurons: its "
        "tails reach far. The boxcar gives exactly 0 to all of them, since every potential has left its window.\n\n"
        "So both habits of thought fail. Silent is not dead, and a surrogate is no guarantee: what counts is whether a "
        "potential stands where $h$ is not zero.",
        "surrogate.shape", {"threshold": 4.0}, lambda data: data["spikes"] == 0),
    "07.b": Guess(
        "The outputs of this network are membranes that never fire, so the last layer gets an honest gradient. Its hidden "
        "layer has the true slope of a spike, 0. Ten digits: how many of those held out does it read after training?",
        ("1 in 10: no gradient, no learning", "5 in 10", "9 in 10", "97 in 100, as with a surrogate"), "9 in 10",
        "The hidden layer learns nothing: it stays as random as it was. But a hundred random features and a trained last "
        "layer read nine of ten of these digits.\n\n"
        "This is why a dead layer is so easily overlooked. A network that learns *something* proves nothing about its first "
        "layer; only the same network with that layer frozen tells."),
    "07.c": Guess(
        "The sharper a surrogate, the nearer it is to the true slope of the step. You train with $k$ from 1/4 to 64, spikes "
        "at the output. Which $k$ is safe, whatever the shape?",
        ("the lowest, 1/4", "the middle, 4: a compromise", "the sharpest, 64: nearest to the truth",
         "none: it depends on the shape"),
        "the lowest, 1/4",
        "At $k = 1/4$ all five shapes read more than 96 %. At 4 three still do, and two read a third; at 64 three have "
        "fallen to 22 % or less, near chance.\n\n"
        "The truth is no help here: the true slope is 0, and the nearer you come to it, the fewer potentials receive "
        "anything."),
    "07.d": Guess(
        "Two neurons in a row, one weight each. You walk from weights at which the second is silent to weights at which it "
        "fires, and add up the lent slope along the way. Then you do it again by another way. The spike climbs 1 on both. "
        "What do your sums say?",
        ("both 1: that is what the spike climbs", "the same on both ways, but not 1", "1 on one way, almost 0 on the other"),
        "1 on one way, almost 0 on the other",
        "Raise the first weight, then the second, and you collect 1.00. Raise the second first, and you collect 0.05.\n\n"
        "On that way the second potential never glides through its threshold. It waits one threshold below, and when the "
        "first neuron fires it jumps to one half above. A slope that is lent only near the threshold does not see a jump."),
}

QUESTIONS = [
    Question(
        "A friend checks a surrogate gradient with finite differences on a loss that counts spikes, and finds 0. Is the "
        "surrogate wrong?",
        "No. The loss is a staircase: its true derivative is 0 almost everywhere, and finite differences measure that. "
        "Compare a surrogate with its formula instead."),
    Question(
        "A layer stands 3 thresholds too low. How large is h for a boxcar and for an arctangent, both of sharpness 1, and "
        "what follows?",
        "0 for the boxcar, for ever; 1 / (1 + (3 pi)^2), about 0.011, for the arctangent, which an optimiser such as Adam "
        "scales up."),
    Question(
        "Must the area under a surrogate be 1?",
        "No. A common factor is another learning rate for that layer. But the factors of stacked layers multiply, so with "
        "plain gradient descent a scale per layer can make the gradient vanish or explode with depth."),
]
