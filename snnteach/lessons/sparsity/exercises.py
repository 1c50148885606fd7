"""Exercises and guesses of notebook 00."""
import math

import torch

from ..kinds import Exercise, Guess, Misconception, Question
from . import answers

EXERCISES = [
    Exercise(
        id="00.1", difficulty="easy", minutes=2,
        question="39 of 784 pixels are active, an address takes 10 bits. How many bits does the list of addresses take?",
        reference=390, property="The list has one address of 10 bits for each active pixel, and nothing else.",
        hints=("One address for each active pixel, and each address takes 10 bits.",
               "39 times 10."),
        misconceptions=(
            Misconception(784, "that is the bitmap, one bit for every pixel. The list names only the active ones."),
            Misconception(7840, "that lists all 784 pixels. Only the active ones get an address."),
            Misconception(7450, "those are the addresses of the silent pixels. The list names the active ones."),
            Misconception(39, "that is one bit for each active pixel, but one bit cannot say which of 784 it is."),
            Misconception(10, "that is one address. The list has one for each of the 39 active pixels."),
            Misconception(49, "you added. Every one of the 39 addresses takes 10 bits."),
            Misconception(48.75, "those are bytes. How many bits?"),
            Misconception(39 * math.log2(784), "log2 784 is 9.61, but an address has a whole number of bits: 10."),
        ),
        solution="39 addresses of 10 bits: 390 bits, half of the 784 bits of a bitmap."),
    Exercise(
        id="00.2", difficulty="easy", minutes=5,
        question="Write a function of N that returns the fraction of active neurons at which list and bitmap are equally long.",
        reference=answers.crossover,
             property="At this share of active neurons, K addresses take as many bits as the N of the bitmap.",
        cases=((64,), (784,), (10_000,)),
        hints=("K addresses take K * math.ceil(math.log2(N)) bits, the bitmap takes N. Set them equal.",
               "Solve for the fraction K / N. What remains on the other side?"),
        misconceptions=(
            Misconception(lambda n: 1 / math.log2(n), "an address has a whole number of bits: round log2 N up."),
            Misconception(lambda n: 1 / math.floor(math.log2(n)),
                          "you rounded log2 N down. With 9 bits only 512 of 784 neurons have an address."),
            Misconception(lambda n: 1 / n.bit_length(),
                          "one bit too many where N is a power of two: those of 64 neurons run from 0 to 63 and take 6 bits."),
            Misconception(lambda n: math.ceil(math.log2(n)) / n,
                          "that is the length of one address over that of the bitmap. Solve K ceil(log2 N) = N for K / N."),
            Misconception(lambda n: math.ceil(math.log2(n)),
                          "that is the length of one address. How many of them are as long as N bits, as a share of N?"),
            Misconception(answers.spikes_instead_of_density, "that is the number of spikes K. Divide by N to get a fraction."),
        )),
    Exercise(
        id="00.3", difficulty="medium", minutes=8,
        question="Write spikes [N] as a list with the number of zeros before each spike.",
        reference=answers.gaps,
        property="There are as many entries as spikes, and entries plus spikes add up to the place after the last one.",
        cases=((answers.spikes_at(21, 10, 20),), (answers.spikes_at(12, 0, 1, 5),), (answers.spikes_at(8, 3),),
               (torch.zeros(5),)),
        hints=("spk.nonzero().flatten().tolist() gives the positions of the spikes.",
               "Between neighbouring spikes at a and b stand b - a - 1 zeros. Where would a spike before the first one stand?"),
        misconceptions=(
            Misconception(answers.where,
                          "those are the positions. How many zeros stand between one spike and the next?"),
            Misconception(answers.differences,
                          "between spikes at 10 and 20 stand 9 zeros, not 10: the spike itself is no zero."),
            Misconception(answers.from_minus_one, "every entry counts one too many: the spike itself is no zero."),
            Misconception(answers.from_zero,
                          "only the first gap is one short: a spike before the first one would stand at -1, not at "
                                      "0."),
            Misconception(answers.first_gap_missing,
                          "the zeros before the first spike are missing; without them it has no place."),
            Misconception(answers.zeros_at_the_end, "one number too many: the zeros after the last spike are not written, "
                                             "because the reader knows N."),
        )),
    Exercise(
        id="00.4", difficulty="medium", minutes=6,
        question="A bar 20 pixels tall and 5 wide moves 2 pixels a frame, 15 times. How many events does it cause?",
        reference=1200, scales={"moves": 15},
        property="Only pixels that change send an event: at each move two columns in front of the bar and two behind it.",
        hints=("In one frame the bar covers new pixels in front and uncovers old ones behind. How many of each?",
               "At 2 pixels a frame it covers 2 columns of 20 pixels and uncovers as many: 80 events a frame."),
        misconceptions=(
            Misconception(600, "half of it. Did you count both edges, the pixels covered in front and those uncovered behind, "
                               "and both columns of each?"),
            Misconception(300, "that is one column of one edge a move. The bar jumps two columns, and has two edges."),
            Misconception(1500, "that counts the whole bar in each frame. Its inside stays bright and sends nothing."),
            Misconception(3000, "that counts the whole bar twice. Only what changes sends an event: two columns at each edge."),
            Misconception(1280, "16 frames make 15 moves; the first frame has nothing to be compared with."),
            Misconception(80, "that is one frame. The bar moves 15 times."),
        ),
        solution="15 moves x 2 columns x 20 pixels x 2 edges = 1200 events. The width of the bar does not matter."),
    Exercise(
        id="00.5", difficulty="easy", minutes=4, tolerance=3e-3,
        question="For how many years could 190 MWh run a brain of 20 W?",
        reference=190e6 / 20 / 8766, property="So many years of 8766 hours at 20 watts add up to 190 million watt-hours.",
        hints=("190 MWh are 190e6 watt-hours. Divide by 20 W to get hours.",
               "9.5 million hours; a year has about 8766 of them."),
        misconceptions=(
            Misconception(9.5e6, "those are the hours. A year has about 8766 of them."),
            Misconception(190e6 / 20 / 24, "those are the days. Divide by 365.25."),
            Misconception(190e6 / 20 / 365, "you divided hours by days: a year has 8766 hours."),
            Misconception(190e6 * 3600 / 20, "those are the seconds. A year has about 3.16e7 of them."),
            Misconception(190e3 / 20 / 8766, "a factor of 1000: one MWh is 1,000,000 watt-hours, not 1000."),
            Misconception(9.5, "190 / 20 divides megawatt-hours by watts: write both in watts, and hours come out."),
        ),
        solution="190e6 Wh / 20 W = 9.5e6 h, and 9.5e6 / 8766 = 1084 years."),
    Exercise(
        id="00.6", difficulty="medium", minutes=15, build=True,
        question="Write a layer of spiking neurons, Eq. 2: currents [T, B, N] in, spikes [T, B, N] out, from rest.",
        reference=answers.layer,
        property="Each step leaks, adds its current, pays for the last spike, and then asks whether U > threshold.",
        cases=((answers.currents(0, 12, 3, 5), 0.9, 1.0), (answers.currents(1, 12, 3, 5), 0.5, 1.5),
               (torch.tensor([0.5, 0.5, 0.5, 0.0, 1.0, 0.25]).view(6, 1, 1), 1.0, 1.0)),
        hints=("Two things live on from step to step: mem and spk. Both start as torch.zeros_like(current[0]).",
               "for now in current: gives one step [B, N] after the other. In it, write Eq. 2 from left to right: "
               "mem = beta * mem + now - threshold * spk.",
               "(mem > threshold).float() makes spikes of truth values; collect them in a list, and return torch.stack(list)."),
        misconceptions=(
            Misconception(answers.variant(answers.never_resets),
                          "no spike is ever paid for: subtract threshold times the spike of the step "
                                                   "before."),
            Misconception(answers.variant(answers.no_leak), "nothing leaks: of the last potential only beta is kept."),
            Misconception(answers.variant(answers.no_memory),
                          "nothing is remembered: the potential of the step before is lost. Is mem "
                                                "updated in the loop, and started before it?"),
            Misconception(answers.variant(answers.resets_at_once),
                          "you subtract the threshold in the step of the spike, so that the rest "
                                                     "leaks as well. In Eq. 2 the next step pays, and in full."),
            Misconception(answers.variant(answers.to_zero),
                          "you set the potential to zero after a spike. Eq. 2 subtracts a threshold and "
                                              "keeps what is above it."),
            Misconception(answers.variant(answers.costs_one), "right for a threshold of 1 only: a spike costs `threshold`."),
            Misconception(answers.variant(answers.fires_above_one),
                          "right for a threshold of 1 only: the spike compares with `threshold`."),
            Misconception(answers.variant(answers.at_or_above),
                          "you fire when U equals the threshold, too. Eq. 2 is strict: U > threshold."),
            Misconception(answers.variant(answers.asks_first),
                          "you compare before the current of this step has arrived, so every spike "
                                                 "comes a step late: update mem first."),
            Misconception(answers.absorbed, "you scaled the current by 1 - beta. Eq. 2 adds all of it."),
            Misconception(answers.batch_first,
                          "your time runs along the images: it is the first axis, current[0] is the first step."),
            Misconception(answers.variant(answers.membrane), "those are the potentials. Return the spikes."),
        )),
]

GUESSES = {
    "00.a": Guess(
        "The network may look at a digit for 20 steps. After how many steps does it read four digits in "
        "five correctly?",
        ("1, as an ordinary network does", "3", "10, half of them", "all 20, or why would it look so long"), "3",
        "Nothing is read in the first step. The hidden neurons spike at once, but no output has collected enough of them yet. "
        "From the second step on there are votes, and most of the first ones are right. After three steps one digit in six has "
        "no vote yet, and few are misread. Most of what the other 17 steps add is the first votes of these slow ones.",
        explorer="sparsity.digit", settings={"step": 3}, shown=lambda data: data["answer"] == data["label"]),
    "00.b": Guess(
        "A message says which of 784 neurons are active. From which share of active neurons on is a list of addresses longer "
        "than a bitmap?",
        ("about a half: then most are named", "about a quarter", "about a tenth", "never: who is silent is not named"),
        "about a tenth",
        "One address costs as much as ten entries of the bitmap, for it takes 10 bits to tell 784 neurons apart. So the list "
        "is the longer one as soon as more than one in ten is active. A list is for rare things only.",
        explorer="sparsity.bits", settings={"density": 10.0}, shown=lambda data: data["density"] >= data["crossover"]),
    "00.c": Guess(
        "We film a bright bar that moves to the right in front of a dark wall, then hang a textured wallpaper there, all of it "
        "clearly darker than the bar, and film it again. Which film has more events?",
        ("the one with wallpaper: there is more to see", "the one without: the bar stands out more", "both have equally many"),
        "both have equally many",
        "The wallpaper does not change, so it is never mentioned. What changes is the pixels that the bar covers or uncovers, "
        "and these are the same. (A pixel of it that is nearly as bright as the bar would send nothing "
        "when it is covered.) And it has to stand still, which is the camera's business too."),
    "00.e": Guess(
        "Freeze the weights of the 300 hidden neurons as they were drawn, and train only the second layer. A linear "
        "classifier, which sees the pixels, reads 91 %. What does the frozen network read?",
        ("More: random features are a richer picture", "Less", "About as much"), "Less",
        "88 %. Three hundred random questions say less about a digit than its pixels do. A thousand say more: 92 %."),
    "00.d": Guess(
        "The ordinary network multiplies 300 values by 10 weights each, once. The spiking one adds 10 weights for each hidden "
        "spike, for ten steps. A product, with its addition, costs as much as five additions. Both may skip their zeros. Whose "
        "second layer needs less energy?",
        ("the spiking one, by four to one", "about the same", "the ordinary one, by two to one"),
        "the ordinary one, by two to one",
        "It needs 1.7 nJ, the spiking one 3.6. Few ReLU values of a digit are not 0, some 36, and each is used once; the "
        "spiking network fires some 400 times. Four to one it is only against a rival that may not skip (13.8 nJ)."),
}

QUESTIONS = [
    Question(
        "A layer of 1000 neurons fires at 5 % in a step. A ReLU layer of the same width has 30 % of its values at zero. How "
        "many operations does each cost one neuron of the next layer, and of which kind?",
        "50 additions a step, because a weight times a spike is the weight; ten steps make 500. The ReLU layer needs 700 "
        "multiplications and as many additions where zeros are skipped, once."),
    Question(
        "An event camera on a tripod sends nothing of a still room. What is left of the advantage if you carry it in your "
        "hand?",
        "Less, the more edges there are: every one of them moves now, and the events count the length of all edges times the "
        "speed of the hand."),
    Question(
        "Somebody reports 93 % on MNIST and calls it learning in spikes. Which two numbers do you ask for first?",
        "What a linear model gives on the same images, and what the same network gives with its hidden weights frozen at "
        "random."),
]
