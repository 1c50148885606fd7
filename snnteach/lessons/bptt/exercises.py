"""Exercises of notebook 08."""
import math

import torch

from ..kinds import Exercise, Misconception, Question


def membrane_gradient(d_spk, slope, beta):
    d_mem, later = torch.zeros_like(d_spk), 0.0                       # [T] each
    for t in reversed(range(len(d_spk))):
        later = slope[t] * d_spk[t] + beta * later
        d_mem[t] = later
    return d_mem


def _as_printed(d_spk, slope, beta):
    d_mem, later = torch.zeros_like(d_spk), 0.0
    for t in reversed(range(len(d_spk))):
        later = slope[t] * (d_spk[t] + beta * later)
        d_mem[t] = later
    return d_mem


def _without_leak(d_spk, slope, beta):
    return membrane_gradient(d_spk, slope, 1.0)


def _forwards(d_spk, slope, beta):
    return membrane_gradient(d_spk.flip(0), slope.flip(0), beta).flip(0)


def _leak_on_everything(d_spk, slope, beta):
    d_mem, later = torch.zeros_like(d_spk), 0.0
    for t in reversed(range(len(d_spk))):
        later = beta * (slope[t] * d_spk[t] + later)
        d_mem[t] = later
    return d_mem


def _immediate_only(d_spk, slope, beta):
    return slope * d_spk


def window_for(beta, share):
    return math.ceil(math.log(1 - share) / math.log(beta))


def _rounded_down(beta, share):
    return math.floor(math.log(1 - share) / math.log(beta))


def _weakest_alone(beta, share):
    return math.ceil(math.log(share) / math.log(beta))


def _time_constant(beta, share):
    return math.ceil(-1 / math.log(beta))


def _log_of_ten(beta, share):
    return math.ceil(-math.log10(1 - share) / -math.log(beta))


_SPK, _SLOPE = torch.tensor([0.5, -1.0, 0.0, 2.0]), torch.tensor([0.2, 0.9, 1.0, 0.4])

EXERCISES = [
    Exercise(
        id="08.1", difficulty="easy", minutes=5,
        question="One neuron without recurrence, reset detached: beta = 0.8, x[1] = 3, it fires at step 2, "
                 "h(3) = 0.4, dL[3]/dS[3] = 2. What is dL[3]/dW[1]?",
        reference=2 * 0.4 * 0.8**2 * 3,
        hints=("Walk back from L[3]: to S[3], to U[3], to U[2], to U[1], to W[1]. Which number stands on each arrow?",
               "2 * 0.4 * beta * beta * x[1]."),
        misconceptions=(
            Misconception(0.0, "the spike at step 2 takes charge away, but a detached reset leaves the path U[1], U[2], U[3] "
                               "as it was: beta each time."),
            Misconception(2 * 0.4 * 0.8**3 * 3, "from step 1 to step 3 the membrane leaks twice, not three times."),
            Misconception(2 * 0.4 * 0.8 * 3, "there are two arrows between U[1] and U[3], each with a beta."),
            Misconception(2 * 0.8**2 * 3, "the arrow from U[3] to S[3] carries the surrogate, h(3) = 0.4."),
            Misconception(2 * 0.4 * 0.8**2, "the last arrow, from W[1] to U[1], carries the input x[1] = 3."),
        ),
        solution="2 (to the spike) * 0.4 (to the potential) * 0.8 * 0.8 (two steps back) * 3 (to the weight) = 1.536."),
    Exercise(
        id="08.2", difficulty="medium", minutes=8,
        question="Mend the backward pass of one neuron, reset detached: d_mem[t] = h(t) d_spk[t] + beta d_mem[t+1].",
        reference=membrane_gradient,
        cases=((_SPK, _SLOPE, 0.9), (_SPK.flip(0), torch.ones(4), 0.5)),
        hints=("Two arrows leave U[t]: one goes to S[t], one to U[t+1]. Which of them passes through the step function?",
               "Only d_spk[t] is multiplied by slope[t]: later = slope[t] * d_spk[t] + beta * later."),
        misconceptions=(
            Misconception(_as_printed, "this is the printed one: it sends what comes from U[t+1] through the surrogate. The "
                                       "leak is a straight wire."),
            Misconception(_without_leak, "on the way from U[t+1] to U[t] the gradient is multiplied by beta."),
            Misconception(_forwards, "you start at step 0. What is later must be known first: start at the last step."),
            Misconception(_leak_on_everything, "beta belongs to what comes from step t+1; this step's spike does not leak."),
            Misconception(_immediate_only, "this is the immediate influence; add what the next step sends back, times beta."),
        )),
    Exercise(
        id="08.3", difficulty="medium", minutes=7,
        question="A neuron without recurrence and with steady input gets beta^n of its gradient from n steps back. "
                 "Return the smallest window K (an int) that keeps at least `share` of the sum over all n.",
        reference=window_for,
        cases=((0.9, 0.9), (0.5, 0.99), (0.97, 0.5)),
        hints=("1 + beta + ... + beta^(K-1) = (1 - beta^K) / (1 - beta). Divide by the sum without an end.",
               "1 - beta^K >= share, so K >= ln(1 - share) / ln(beta); then the next whole number."),
        misconceptions=(
            Misconception(_rounded_down, "rounded down, the window keeps a little less than `share`: round up."),
            Misconception(_weakest_alone, "this is where beta^K itself falls to `share`. What is cut off is beta^K: it may be "
                                          "1 - share."),
            Misconception(_time_constant, "one time constant keeps 63 %, whatever was asked for. Where does `share` enter?"),
            Misconception(_log_of_ten, "two kinds of logarithm are mixed; use the same above and below."),
        )),
    Exercise(
        id="08.4", difficulty="easy", minutes=5, tolerance=5e-3,
        question="A second of sound in 16,000 steps, batch 64, a layer of 500 neurons. How many gigabytes (10^9 bytes) do "
                 "`mem` and `spk` hold in float32?",
        reference=4.096,
        hints=("T * B * H numbers, twice, four bytes each.", "16,000 * 64 * 500 * 2 * 4 bytes."),
        misconceptions=(
            Misconception(2.048, "that is one of the two; the backward pass reads `mem` and `spk`."),
            Misconception(8.192, "float32 has four bytes, not eight."),
            Misconception(1.024, "that is the count of numbers; a float32 has four bytes."),
            Misconception(0.064, "you left out the batch: every sample has its own history."),
            Misconception(4096, "right, in megabytes."),
            Misconception(3.815, "that is in units of 2^30 bytes; asked are units of 10^9."),
        ),
        solution="16,000 * 64 * 500 = 512 million numbers, two tensors, 4 bytes: 4.096 GB. For one layer."),
    Exercise(
        id="08.5", difficulty="medium", minutes=6, tolerance=5e-3,
        question="V has spectral radius rho, with a real positive largest eigenvalue, h = 0.2 for all neurons, beta = 0.9, "
                 "reset detached. Above which rho do gradients explode?",
        reference=0.5,
        hints=("The matrix of one step is beta I + h V. What is its largest eigenvalue?", "0.9 + 0.2 rho = 1."),
        misconceptions=(
            Misconception(1.0, "that is the rule for a network without leak and with slope 1. Here beta already uses up 0.9."),
            Misconception(5.0, "that is 1/h: you left out the beta that stands beside h V."),
            Misconception(0.1, "that is 1 - beta; V acts through the surrogate, so divide by h."),
            Misconception(1.5, "that is for an attached reset, where the threshold of 1 pushes back: 0.9 + 0.2 (rho - 1) = 1."),
        ),
        solution="beta + h rho = 1, rho = 0.1 / 0.2 = 0.5. The longer the memory, the less feedback it bears."),
]

QUESTIONS = [
    Question(
        "Keeping every tenth state and computing the others again saves memory, too. Why is that exact, and truncation is "
        "not?",
        "The states computed again are the same states, so every path is followed; it costs a second forward pass. "
        "Truncation leaves paths out."),
    Question(
        "beta = 0.99, no recurrence, reset detached: after how many steps has blame fallen below one per cent?",
        "459: the smallest whole n with 0.99^n < 0.01, and ln 0.01 / ln 0.99 = 458.2."),
    Question(
        "With the reset attached, the factor from one step to the next is beta - threshold * h. When is it negative, and "
        "what does it mean?",
        "When the neuron is so near its threshold that h > beta / threshold. A little more potential now makes a spike "
        "likelier, whose reset leaves less potential in the next step."),
]
