"""Exercises of notebook 09."""
import math

import torch

from ..kinds import Exercise, Misconception, Question


def standardise(train, test):
    return (train - train.mean()) / train.std(), (test - train.mean()) / train.std()


def _each_its_own(train, test):
    return (train - train.mean()) / train.std(), (test - test.mean()) / test.std()


def _both_together(train, test):
    every = torch.cat([train, test])
    return (train - every.mean()) / every.std(), (test - every.mean()) / every.std()


def _by_the_variance(train, test):
    return (train - train.mean()) / train.var(), (test - train.mean()) / train.var()


def _only_centred(train, test):
    return train - train.mean(), test - train.mean()


def count_accuracy(spk, target):
    return (spk.sum(0).argmax(1) == target).float().mean().item()


def _last_step(spk, target):
    return (spk[-1].argmax(1) == target).float().mean().item()


def _any_step(spk, target):
    return (spk.argmax(2) == target).float().mean().item()


def _number_right(spk, target):
    return (spk.sum(0).argmax(1) == target).sum().item()


def time_first(x):
    return x.transpose(0, 1)


def _reshaped(x):
    return x.reshape(x.shape[1], x.shape[0], x.shape[2])


def _wrong_axes(x):
    return x.transpose(1, 2)


def _reversed(x):
    return x.permute(2, 1, 0)


_SPIKES = torch.zeros(4, 3, 3)                                           # [T, B, C]
_SPIKES[:3, 0, 1] = 1                                                    # sample 0: class 1, last step says 0
_SPIKES[3, 0, 0] = 1
_SPIKES[:, 1, 2] = 1                                                     # sample 1: class 2
_SPIKES[0, 2, 1] = _SPIKES[1, 2, 1] = _SPIKES[2, 2, 0] = 1               # sample 2: class 1
_TARGET = torch.tensor([1, 2, 0])
_FLOOR = math.log(1 + 3 / math.e)

EXERCISES = [
    Exercise(
        id="09.1", difficulty="easy", minutes=5,
        question="Standardise training and test pixels as an honest experiment does; return both tensors.",
        reference=standardise,
        cases=((torch.tensor([0.0, 1.0, 2.0, 5.0]), torch.tensor([1.0, 7.0])),
               (torch.tensor([[0.2, 0.4], [0.9, 0.1]]), torch.tensor([[0.5, 0.5]]) + torch.tensor([[0.0, 0.3]]))),
        hints=("A network in use sees one image at a time. Which mean and which deviation can it know?",
               "Both tensors: subtract train.mean(), divide by train.std()."),
        misconceptions=(
            Misconception(_each_its_own, "the test set's own mean and deviation are not known when the network is used, and a "
                                         "brighter test set would no longer look brighter. Use those of the training set."),
            Misconception(_both_together, "the test images took part in the statistics. They must not take part in anything."),
            Misconception(_by_the_variance, "divide by the standard deviation, not by its square."),
            Misconception(_only_centred, "the mean is right; now divide by the standard deviation of the training set."),
        )),
    Exercise(
        id="09.2", difficulty="easy", minutes=6,
        question="Write the accuracy of output spikes spk [T, B, C] for target [B]: the class with most spikes is named.",
        reference=count_accuracy,
        cases=((_SPIKES, _TARGET), (_SPIKES[:, :2], _TARGET[:2])),
        hints=("Sum over time first: spk.sum(0) is [B, C]. Then one argmax a sample.",
               "Compare spk.sum(0).argmax(1) with target, and take the mean as a number."),
        misconceptions=(
            Misconception(_last_step, "you read only the last time step. The whole run has a vote: sum over time first."),
            Misconception(_any_step, "you score every time step by itself. One decision a sample: sum over time, then argmax."),
            Misconception(_number_right, "that is how many are right. Accuracy is a fraction: take the mean."),
        )),
    Exercise(
        id="09.3", difficulty="medium", minutes=6, tolerance=5e-4,
        question="The floor of the step-wise cross-entropy on output spikes with 4 classes.",
        reference=_FLOOR,
        hints=("The best that spikes can say in one step: a 1 for the class, a 0 for the three others. Take their softmax.",
               "softmax gives the class e / (e + 3). The loss is minus the logarithm of that."),
        misconceptions=(
            Misconception(0.0, "cross-entropy nears 0 only if logits may grow. A spike is worth at most one logit."),
            Misconception(math.log(4), "that is a silent network, ln 4. Let the class fire and the three others not."),
            Misconception(math.log(1 + 9 / math.e), "that is the floor with ten classes. With four there are three others."),
            Misconception(math.log(1 + 4 / math.e), "the class itself is not among its rivals: 3 / e, not 4 / e."),
        ),
        solution="-ln(e / (e + 3)) = ln(1 + 3/e) = 0.7437."),
    Exercise(
        id="09.4", difficulty="medium", minutes=6, tolerance=1e-4,
        question="Gradient of the lower regulariser with respect to the count of a neuron: c = 1, limit 3, N = 10, strength 1.",
        reference=-0.4,
        hints=("R = strength / N * sum over i of ([limit - c_i]_+)^2. Differentiate the square of one neuron.",
               "-2 * strength / N * (limit - c)."),
        misconceptions=(
            Misconception(0.4, "right size, wrong sign: more spikes make this penalty smaller."),
            Misconception(-4.0, "the mean over N = 10 neurons is missing."),
            Misconception(-0.2, "the 2 of the square is missing."),
            Misconception(0.0, "the neuron fires, but less often than the limit of 3: the penalty still pulls."),
        ),
        solution="-2 / 10 * (3 - 1) = -0.4: gradient descent raises the count."),
    Exercise(
        id="09.5", difficulty="easy", minutes=4,
        question="A loader gives x [B, T, N]. Return [T, B, N].",
        reference=time_first,
        cases=((torch.arange(24.0).view(2, 3, 4),), (torch.arange(18.0).view(3, 3, 2),)),
        hints=("Two axes change places; the numbers of one sample must stay together.", "x.transpose(0, 1)."),
        misconceptions=(
            Misconception(_reshaped, "the shape is right and the numbers are in wrong places: reshape reads them in the old "
                                     "order and mixes samples. Swap the axes instead."),
            Misconception(_wrong_axes, "you swapped time with neurons. Batch and time change places."),
            Misconception(_reversed, "neurons must stay last: only the first two axes change places."),
        )),
]

QUESTIONS = [
    Question(
        "Ten classes, cross-entropy at every step on output *spikes*: the loss stands still at 1.46. What is wrong?",
        "Nothing. With one spike for the right class and none elsewhere the loss is ln(1 + 9/e) = 1.461, its floor."),
    Question(
        "You run a trained network for twice as many steps as in training. When can that help, and when not?",
        "With a random code it averages over more noise. With a constant input nothing new comes in once the membranes have "
        "settled."),
    Question(
        "The number of epochs was chosen by the accuracy on test images. Why is the reported accuracy too good?",
        "The epoch is a setting like any other: the best of many noisy values is above their mean. Choose on held-out "
        "training images."),
]
