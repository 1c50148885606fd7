"""Exercises of notebook 00."""
import math

import torch

from ..kinds import Exercise, Misconception, Question


def crossover(num_neurons):
    return 1 / math.ceil(math.log2(num_neurons))


def _no_rounding(num_neurons):
    return 1 / math.log2(num_neurons)


def _inverted(num_neurons):
    return math.ceil(math.log2(num_neurons)) / num_neurons


def _spikes_instead_of_density(num_neurons):
    return num_neurons / math.ceil(math.log2(num_neurons))


def gaps(spk):
    positions = [-1, *spk.nonzero().flatten().tolist()]
    return [after - before - 1 for before, after in zip(positions[:-1], positions[1:], strict=True)]


def _positions(spk):
    return spk.nonzero().flatten().tolist()


def _differences(spk):
    positions = [0, *_positions(spk)]
    return [after - before for before, after in zip(positions[:-1], positions[1:], strict=True)]


def _first_gap_missing(spk):
    return gaps(spk)[1:]


def _zeros_at_the_end(spk):
    return [*gaps(spk), len(spk) - 1 - max(_positions(spk), default=-1)]


def _spikes(num_neurons, *positions):
    spk = torch.zeros(num_neurons)
    spk[list(positions)] = 1
    return spk


EXERCISES = [
    Exercise(
        id="00.1", difficulty="easy", minutes=2,
        question="39 of 784 pixels are active, an address takes 10 bits. How many bits does the list of addresses take?",
        reference=390,
        hints=("One address for each active pixel, and each address takes 10 bits.",
               "39 times 10."),
        misconceptions=(
            Misconception(784, "that is the bitmap, one bit for every pixel. The list names only the active ones."),
            Misconception(7840, "that lists all 784 pixels. Only the active ones get an address."),
            Misconception(39, "that is one bit for each active pixel, but one bit cannot say which of 784 it is."),
            Misconception(49, "you added. Every one of the 39 addresses takes 10 bits."),
        ),
        solution="39 addresses of 10 bits: 390 bits, half of the 784 bits of a bitmap."),
    Exercise(
        id="00.2", difficulty="easy", minutes=5,
        question="Write a function of N that returns the fraction of active neurons at which list and bitmap are equally long.",
        reference=crossover,
        cases=((64,), (784,), (10_000,)),
        hints=("K addresses take K * math.ceil(math.log2(N)) bits, the bitmap takes N. Set them equal.",
               "Solve for the fraction K / N. What remains on the other side?"),
        misconceptions=(
            Misconception(_no_rounding, "an address has a whole number of bits: round log2 N up."),
            Misconception(_inverted, "that is the length of one address divided by that of the bitmap. "
                                     "Solve K ceil(log2 N) = N for K / N."),
            Misconception(_spikes_instead_of_density, "that is the number of spikes K. Divide by N to get a fraction."),
        )),
    Exercise(
        id="00.3", difficulty="medium", minutes=8,
        question="Write spikes [N] as a list with the number of zeros before each spike.",
        reference=gaps,
        cases=((_spikes(21, 10, 20),), (_spikes(12, 0, 1, 5),), (_spikes(8, 3),), (torch.zeros(5),)),
        hints=("spk.nonzero().flatten().tolist() gives the positions of the spikes.",
               "Between neighbouring spikes at a and b stand b - a - 1 zeros. Where would a spike before the first one stand?"),
        misconceptions=(
            Misconception(_positions, "those are the positions. How many zeros stand between one spike and the next?"),
            Misconception(_differences, "between spikes at 10 and 20 stand 9 zeros, not 10: the spike itself is no zero."),
            Misconception(_first_gap_missing, "the zeros before the first spike are missing; without them it has no place."),
            Misconception(_zeros_at_the_end, "one number too many: the zeros after the last spike are not written, "
                                             "because the reader knows N."),
        )),
    Exercise(
        id="00.4", difficulty="medium", minutes=6,
        question="A bar 20 pixels tall and 5 wide moves 2 pixels a frame, 15 times. How many events does it cause?",
        reference=1200,
        hints=("In one frame the bar covers new pixels in front and uncovers old ones behind. How many of each?",
               "At 2 pixels a frame it covers 2 columns of 20 pixels and uncovers as many: 80 events a frame."),
        misconceptions=(
            Misconception(600, "half of it. Did you count both edges, the pixels covered in front and those uncovered behind, "
                               "and both columns of each?"),
            Misconception(1500, "that counts the whole bar in each frame. Its inside stays bright and sends nothing."),
            Misconception(3000, "that counts the whole bar twice. Only what changes sends an event: two columns at each edge."),
            Misconception(80, "that is one frame. The bar moves 15 times."),
        ),
        solution="15 moves x 2 columns x 20 pixels x 2 edges = 1200 events. The width of the bar does not matter."),
    Exercise(
        id="00.5", difficulty="easy", minutes=4, tolerance=3e-3,
        question="For how many years could 190 MWh run a brain of 20 W?",
        reference=190e6 / 20 / 8766,
        hints=("190 MWh are 190e6 watt-hours. Divide by 20 W to get hours.",
               "9.5 million hours; a year has about 8766 of them."),
        misconceptions=(
            Misconception(9.5e6, "those are the hours. A year has about 8766 of them."),
            Misconception(190e6 / 20 / 24, "those are the days. Divide by 365.25."),
            Misconception(190e3 / 20 / 8766, "a factor of 1000: one MWh is 1,000,000 watt-hours, not 1000."),
        ),
        solution="190e6 Wh / 20 W = 9.5e6 h, and 9.5e6 / 8766 = 1084 years."),
]

QUESTIONS = [
    Question(
        "A layer of 1000 neurons fires at 5 % in a step. A ReLU layer of the same width has 30 % of its values at zero. How "
        "many operations does each cost one neuron of the next layer, and of which kind?",
        "50 additions, because a weight times a spike is the weight. The ReLU layer needs 700 multiplications and as many "
        "additions."),
    Question(
        "An event camera on a tripod sends nothing of a still room. What is left of the advantage if you carry it in your "
        "hand?",
        "Little: now every edge moves, and the events count the length of all edges times the speed of the hand."),
    Question(
        "Somebody reports 93 % on MNIST and calls it learning in spikes. Which two numbers do you ask for first?",
        "What a linear model gives on the same images, and what the same network gives with its hidden weights frozen at "
        "random."),
]
