"""Exercises of notebook 14."""
import math

import torch

from ..kinds import Exercise, Misconception, Question

_UP, _DOWN = 0.01 * math.exp(-10 / 20), 0.012 * math.exp(-20 / 20)


def nearest_trace(trace, spk, tau):
    return torch.maximum(trace * math.exp(-1 / tau), spk)


def _all_to_all(trace, spk, tau):
    return trace * math.exp(-1 / tau) + spk


def _no_decay(trace, spk, tau):
    return torch.maximum(trace, spk)


def _linear_decay(trace, spk, tau):
    return torch.maximum(trace * (1 - 1 / tau), spk)


def _decay_after(trace, spk, tau):
    return torch.maximum(trace, spk) * math.exp(-1 / tau)


def soft_update(weight, up, down, w_max):
    return weight + up * (w_max - weight) - down * weight


def _hard_update(weight, up, down, w_max):
    return (weight + up - down).clamp(0, w_max)


def _swapped(weight, up, down, w_max):
    return weight + up * weight - down * (w_max - weight)


def _one_factor(weight, up, down, w_max):
    return weight + (up - down) * (w_max - weight)


def _both_factors(weight, up, down, w_max):
    return weight + (up - down) * weight * (w_max - weight)


def label_neurons(counts, targets):
    means = [counts[targets == digit].mean(0) for digit in range(10)]       # ten times [N]
    return torch.stack(means).argmax(0)                                     # [N]


def _sums(counts, targets):
    return torch.stack([counts[targets == digit].sum(0) for digit in range(10)]).argmax(0)


def _best_image(counts, targets):
    return targets[counts.argmax(0)]


def _labels_of_images(counts, targets):
    return torch.stack([counts[targets == digit].mean(0) for digit in range(10)]).argmax(1)


_TARGETS = torch.cat([torch.arange(10), torch.tensor([3, 3, 3, 3, 1])])
_COUNTS = torch.tensor([[0, 1, 2], [5, 0, 1], [0, 0, 0], [2, 6, 1], [1, 2, 0], [3, 5, 0], [0, 1, 3], [1, 0, 0], [2, 1, 5],
                        [0, 3, 1], [2, 1, 1], [1, 1, 2], [2, 1, 2], [2, 1, 1], [2, 0, 0]]).float()
_WEIGHT = torch.tensor([0.0, 0.2, 0.9, 1.0])
_UPS, _DOWNS = torch.tensor([0.1, 0.2, 0.3, 0.0]), torch.tensor([0.2, 0.0, 0.1, 0.5])
_SPK = torch.tensor([0.0, 1.0, 1.0, 0.0])

EXERCISES = [
    Exercise(
        id="14.1", difficulty="easy", minutes=5, tolerance=5e-5,
        question="Pre spikes at 0 and 30, one post spike at 10; A+ = 0.01, A- = 0.012, both time constants 20. "
                 "How much does the weight change, all pairs counted?",
        reference=_UP - _DOWN,
        hints=("There are two pairs: one with lag +10, one with lag -20.",
               "0.01 exp(-10/20) - 0.012 exp(-20/20)."),
        misconceptions=(
            Misconception(_UP + _DOWN, "the second pair counts down: there the post spike, at 10, came before the pre one."),
            Misconception(_DOWN - _UP, "right pairs, wrong sign: pre before post strengthens."),
            Misconception(_UP, "that is the pair (0, 10). The pre spike at 30 also looks back, at the post spike at 10."),
            Misconception(0.01 * math.exp(-20 / 20) - 0.012 * math.exp(-10 / 20), "the lags are exchanged: 10 - 0 = 10 is the "
                                                                                  "potentiating one, 30 - 10 = 20 the other."),
        ),
        solution="Lag +10: 0.01 exp(-0.5) = 0.006065. Lag -20: -0.012 exp(-1) = -0.004415. Sum 0.00165."),
    Exercise(
        id="14.2", difficulty="easy", minutes=4, tolerance=5e-3,
        question="A paper defines dt = t_pre - t_post and gives A+ exp(dt/tau) for dt < 0 and A- exp(-dt/tau) for dt > 0, with "
                 "A+ = 1, A- = -1, tau = 10. Pre spikes at 12, post at 7. What does the weight do?",
        reference=-math.exp(-0.5),
        hints=("Here dt = 12 - 7 = 5 is positive. Which of the two lines is that?", "A- exp(-dt/tau) with A- = -1."),
        misconceptions=(
            Misconception(math.exp(-0.5), "the post spike came first, so the synapse did not cause it: the weight falls."),
            Misconception(math.exp(0.5), "dt = +5 belongs to the second line; the first one would grow with the distance."),
            Misconception(-math.exp(0.5), "right line, but its exponent is -dt/tau: the further apart, the less."),
        ),
        solution="dt = 5 > 0, so -exp(-5/10) = -0.607: post before pre weakens, whatever the convention is called."),
    Exercise(
        id="14.3", difficulty="easy", minutes=5,
        question="Advance a nearest-neighbour trace by one step: decay, then a spike sets it to 1.",
        reference=nearest_trace,
        cases=((torch.tensor([0.0, 0.5, 0.0, 0.9]), _SPK, 20.0), (torch.tensor([1.0, 1.0, 0.2, 0.3]), _SPK, 5.0)),
        hints=("A trace never exceeds 1: a spike replaces what was there.",
               "torch.maximum(trace * math.exp(-1 / tau), spk)."),
        misconceptions=(
            Misconception(_all_to_all, "this one adds and remembers all spikes. Nearest-neighbour forgets earlier ones."),
            Misconception(_no_decay, "the trace must also decay, by exp(-1/tau) a step."),
            Misconception(_linear_decay, "1 - 1/tau is only close: exp(-1/tau) makes traces and pairs agree exactly."),
            Misconception(_decay_after, "first decay, then the spike: a fresh spike is worth 1 when the next step begins."),
        )),
    Exercise(
        id="14.4", difficulty="easy", minutes=5, tolerance=0.02,
        question="Two neurons fire at random and ignore each other. tau+ = 20, tau- = 40. "
                 "Which ratio A-/A+ keeps the weight still?",
        reference=math.expm1(1 / 40) / math.expm1(1 / 20),
        hints=("The drift is the area of the window's two sides: A+ tau+ against A- tau-, nearly.", "20 / 40."),
        misconceptions=(
            Misconception(2.0, "upside down: depression lasts twice as long, so it needs half the height."),
            Misconception(1.0, "equal heights are not equal areas: the depression side is twice as wide."),
            Misconception(0.25, "areas grow with tau, not with its square."),
        ),
        solution="A+ l+/(1 - l+) = A- l-/(1 - l-) with l = exp(-1/tau) gives 0.494; in continuous time tau+/tau- = 0.5."),
    Exercise(
        id="14.5", difficulty="medium", minutes=6,
        question="Write a soft-bounded update: potentiation `up` shrinks with the room left above, depression `down` with the "
                 "weight itself.",
        reference=soft_update,
        cases=((_WEIGHT, _UPS, _DOWNS, 1.0), (_WEIGHT, _UPS, _DOWNS, 2.0)),
        hints=("Which factor is 0 at w = w_max, and which at w = 0?", "weight + up * (w_max - weight) - down * weight."),
        misconceptions=(
            Misconception(_hard_update, "that is the hard bound. A soft one slows down before the wall, and needs no clamp."),
            Misconception(_swapped, "exchanged: at w_max it is potentiation that must stop."),
            Misconception(_one_factor, "depression needs its own factor: w, which vanishes at 0."),
            Misconception(_both_factors, "with both factors on both terms, 0 and w_max hold the weight for ever."),
        )),
    Exercise(
        id="14.6", difficulty="medium", minutes=6, tolerance=5e-3,
        question="Soft bounds, w_max = 1, independent trains, equal time constants, A-/A+ = 1.5. Where does the weight settle?",
        reference=0.4,
        hints=("At rest A+ (1 - w) = A- w.", "w = 1 / (1 + A-/A+)."),
        misconceptions=(
            Misconception(0.0, "that is what hard bounds do. Here depression fades as w falls: it is A- w, not A-."),
            Misconception(0.6, "that is A-/(A+ + A-). More depression gives a lower weight."),
            Misconception(2 / 3, "that is A+/A-. Solve A+ (1 - w) = A- w."),
            Misconception(0.5, "only if both amplitudes are equal."),
        ),
        solution="A+ (1 - w) = A- w, so w = A+/(A+ + A-) = 1/2.5 = 0.4."),
    Exercise(
        id="14.7", difficulty="medium", minutes=7,
        question="Name each neuron after the digit on which it fires most on average. counts [S, N] are spikes, "
                 "targets [S] digits; every digit occurs, some more often than others.",
        reference=label_neurons,
        cases=((_COUNTS, _TARGETS), (_COUNTS.flip(1), _TARGETS)),
        hints=("For each digit: the mean over the images of that digit, counts[targets == digit].mean(0).",
               "Stack the ten means to [10, N]; the label is the argmax over the first axis."),
        misconceptions=(
            Misconception(_sums, "a digit that is shown more often collects more spikes. Compare means, not sums."),
            Misconception(_best_image, "that is the one image with most spikes; one image is noise. Average over the class."),
            Misconception(_labels_of_images, "you took the argmax over neurons: that names digits after neurons."),
        )),
]

QUESTIONS = [
    Question(
        "Two neurons fire independently of each other, A+ = A-, and tau- is longer than tau+. Where does the weight go, and "
        "is that useful?",
        "Down, since A- tau- > A+ tau+. Yes: inputs that predict nothing are given up, and only correlated ones can hold "
        "their weight."),
    Question(
        "Why does a winner-take-all layer without homeostasis end with a few neurons that win everything?",
        "Whoever wins moves towards the inputs, so it wins again and sooner; the others never get a turn to learn."),
    Question(
        "The layer learns without labels, but the neurons are named with labels. What is fair to call unsupervised, and "
        "what is a fair rival?",
        "The weights are; the read-out is not. A fair rival learns its clusters without labels, too, and names them with "
        "the same ones: k-means."),
]
