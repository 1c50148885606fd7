"""Exercises of notebook 15."""
import math

import torch

from ...surrogate import atan, triangular
from ..kinds import Exercise, Misconception, Question


def window_ratio(beta, threshold, h):
    return beta - threshold * float(h(torch.tensor(-threshold)))


def _detached(beta, threshold, h):
    return beta


def _at_the_spike(beta, threshold, h):
    return beta - threshold * float(h(torch.tensor(0.0)))


def _plus(beta, threshold, h):
    return beta + threshold * float(h(torch.tensor(-threshold)))


def _without_threshold(beta, threshold, h):
    return beta - float(h(torch.tensor(-threshold)))


def learning_step(trace, x, mem, error, beta, threshold, rate):
    trace = beta * trace + x                                        # [I]
    h = (1 - (mem - threshold).abs()).clamp(min=0)                  # [H]
    return trace, -rate * torch.outer(error * h, trace)             # [H, I]


def _uphill(trace, x, mem, error, beta, threshold, rate):
    trace, change = learning_step(trace, x, mem, error, beta, threshold, rate)
    return trace, -change


def _spikes_only(trace, x, mem, error, beta, threshold, rate):
    trace = beta * trace + x
    return trace, -rate * torch.outer(error * (mem > threshold), trace)


def _two_factors(trace, x, mem, error, beta, threshold, rate):
    trace = beta * trace + x
    return trace, -rate * torch.outer(error, trace)


def _input_now(trace, x, mem, error, beta, threshold, rate):
    h = (1 - (mem - threshold).abs()).clamp(min=0)
    return beta * trace + x, -rate * torch.outer(error * h, x)


def _decays_at_once(trace, x, mem, error, beta, threshold, rate):
    trace = beta * (trace + x)
    h = (1 - (mem - threshold).abs()).clamp(min=0)
    return trace, -rate * torch.outer(error * h, trace)


def expected_change(p, reward_spike, reward_silent, baseline):
    fired = p * (reward_spike - baseline) * (1 - p)                 # fires with probability p: score 1 - p
    silent = (1 - p) * (reward_silent - baseline) * (0 - p)         # stays silent: score -p
    return fired + silent


def _hebbian(p, reward_spike, reward_silent, baseline):
    return p * (reward_spike - baseline)


def _baseline_stays(p, reward_spike, reward_silent, baseline):
    return p * (1 - p) * (reward_spike - reward_silent - baseline)


def _difference(p, reward_spike, reward_silent, baseline):
    return reward_spike - reward_silent


def _not_weighted(p, reward_spike, reward_silent, baseline):
    return (reward_spike - baseline) * (1 - p) - (reward_silent - baseline) * p


_TRACE, _X = torch.tensor([0.5, 0.0, 1.0]), torch.tensor([1.0, 1.0, 0.0])
_MEM, _ERROR = torch.tensor([0.7, 1.4]), torch.tensor([0.5, -1.0])

EXERCISES = [
    Exercise(
        id="15.1", difficulty="easy", minutes=4, tolerance=1e-3,
        question="A neuron has beta = 0.95. Which time constant tau_plus, in steps, has the half window in its BPTT gradient?",
        reference=-1 / math.log(0.95),
        hints=("The gradient falls as beta^lag, the STDP window as exp(-lag / tau_plus). Set them equal.",
               "lag ln(beta) = -lag / tau_plus, so tau_plus = -1 / ln(beta)."),
        misconceptions=(
            Misconception(1 / 0.05, "that is 1 / (1 - beta), close for slow neurons. The exact one has a logarithm."),
            Misconception(math.log(0.95), "that is the log-slope. The time constant is minus one over it."),
            Misconception(math.log(0.5) / math.log(0.95), "that is the half-life. Wait until 1/e is left, not one half."),
        ),
        solution="beta^lag = exp(lag ln beta), so tau_plus = -1 / ln 0.95 = 19.50 steps."),
    Exercise(
        id="15.2", difficulty="medium", minutes=8,
        question="With the reset kept in the gradient, by which factor does the half window fall per step? Before the spike "
                 "the membrane is at 0; h(u) is the surrogate, u = mem - threshold.",
        reference=window_ratio,
        cases=((0.9, 1.0, atan()), (0.8, 0.5, triangular()), (0.95, 2.0, atan(0.5))),
        hints=("mem[t+1] = beta mem[t] + x - threshold spk[t]. Differentiate for mem[t], through both terms.",
               "d spk / d mem is h(mem - threshold), and before the spike mem = 0: beta - threshold * h(-threshold)."),
        misconceptions=(
            Misconception(_detached, "that is the detached reset. Attached, mem[t] reaches mem[t+1] through spk[t] too."),
            Misconception(_at_the_spike, "h is taken where the membrane waits, at mem = 0, so u = -threshold and not 0."),
            Misconception(_plus, "a spike lowers the membrane: the second path comes with a minus."),
            Misconception(_without_threshold, "the reset takes a whole threshold away: h is multiplied by it."),
        )),
    Exercise(
        id="15.3", difficulty="medium", minutes=8,
        question="Write one step of an online three-factor rule for one sample: return the new trace [I] and the change of the "
                 "weights [H, I]. The surrogate is max(0, 1 - |u|), the error [H] is dL/dspk.",
        reference=learning_step,
        cases=((_TRACE, _X, _MEM, _ERROR, 0.9, 1.0, 0.1), (torch.zeros(3), _X, _MEM, _ERROR, 0.5, 0.8, 1.0)),
        hints=("trace = beta * trace + x; then one number a neuron times one number a synapse: torch.outer.",
               "change = -rate * torch.outer(error * (1 - (mem - threshold).abs()).clamp(min=0), trace)."),
        misconceptions=(
            Misconception(_uphill, "an error says what is too much: the change goes against it, with a minus."),
            Misconception(_spikes_only, "the second factor is how near the neuron stands to threshold, not whether it fired."),
            Misconception(_two_factors, "the surrogate is missing: a neuron far from threshold cannot change its spike."),
            Misconception(_input_now, "you used the input of this step. The trace also remembers what came earlier."),
            Misconception(_decays_at_once, "the new input has not leaked yet: trace = beta * trace + x, like the membrane."),
        )),
    Exercise(
        id="15.4", difficulty="hard", minutes=12, tolerance=2.8e-4,          # three digits, 0.988, are right
        question="A tag must wait D = 40 steps for its reward, so d^40 of it is left. Every step adds other, independent "
                 "tags, whose sum has standard deviation proportional to 1 / sqrt(1 - d^2). Which decay d makes signal over "
                 "noise largest?",
        reference=math.sqrt(40 / 41),
        hints=("Maximise f(d) = d^D sqrt(1 - d^2), or more easily its logarithm.",
               "D / d = d / (1 - d^2), so d^2 = D / (D + 1)."),
        misconceptions=(
            Misconception(math.exp(-1 / 40), "that is a time constant equal to the delay. The best is about twice as long."),
            Misconception(40 / 41, "that is d squared: the noise has a square root, and so has the answer."),
            Misconception(1.0, "then nothing is forgotten, and the noise of all the past grows without bound."),
        ),
        solution="d = sqrt(40/41) = 0.98773, a time constant of -1 / ln d = 81 steps: twice the delay, and one step more."),
    Exercise(
        id="15.5", difficulty="medium", minutes=8,
        question="A neuron fires with probability p and earns reward_spike if it does, reward_silent if not. The rule is "
                 "(reward - baseline) * (spk - p). What is the expected change?",
        reference=expected_change,
        cases=((0.3, 1.0, 0.0, 0.0), (0.3, 1.0, 0.0, 0.5), (0.8, 0.2, 0.9, 0.4)),
        hints=("Two things can happen. Weigh each by its probability.",
               "p (reward_spike - baseline) (1 - p) + (1 - p) (reward_silent - baseline) (0 - p)."),
        misconceptions=(
            Misconception(_hebbian, "that is reward times spk. Without '- p', even a neuron paid for nothing changes."),
            Misconception(_baseline_stays, "the baseline stands in both cases and cancels. It changes the noise only."),
            Misconception(_difference, "right direction; weigh each outcome by its probability and its score."),
            Misconception(_not_weighted, "you added the two outcomes; weigh them by p and 1 - p."),
        )),
]

QUESTIONS = [
    Question(
        "The reward is 1 in every trial, whatever the neurons do, and there is no baseline. What does reward times (S - p) "
        "teach?",
        "Nothing on average, for the mean of S - p is 0; in a single trial it only adds noise. A baseline of 1 removes that "
        "as well."),
    Question(
        "A tag fades with a time constant of 20 steps, and the reward comes after 200. Why is learning hopeless?",
        "exp(-10), less than a twenty-thousandth of the tag, is left, buried under the tags of everything that happened "
        "since."),
    Question(
        "Twice as many neurons share one reward. What happens to the number of trials needed?",
        "It grows, roughly in proportion: each neuron's part in the reward is the same, but twice as many others add noise "
        "to it."),
]
