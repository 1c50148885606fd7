"""Exercises of notebook 20."""
import torch

from ..kinds import Exercise, Guess, Misconception, Question
from . import answers

ON_THE_EDGE = torch.tensor([[[20, 21]], [[3, 3]], [[-30, 20]], [[5, -9]], [[0, 0]], [[0, 0]]])

EXERCISES = [
    Exercise(
        id="20.1", difficulty="easy", minutes=4, tolerance=1e-4,
        question="The largest weight of a layer is 0.62. You put it on the grid of 6 bits (Eq. 1). How far apart are its "
                 "levels?",
        reference=0.02,
        property="Count the levels above zero, L. The largest weight stands on the last of them.",
        hints=("6 bits have 2^5 - 1 = 31 levels above zero, as many below, and zero.",
               "The largest weight stands on level 31: s = 0.62 / 31."),
        misconceptions=(
            Misconception(0.62 / 32, "close: 2^5 is 32, and one of the 64 codes stays unused, so that the grid is the same on "
                                     "both sides. How many levels stand above zero?"),
            Misconception(0.62 / 63, "all 63 levels share both signs. How many stand above zero?"),
            Misconception(1.24 / 63, "close: 63 levels have 62 gaps between them."),
            Misconception(0.62 / 6, "6 bits are not 6 levels: each bit doubles them."),
            Misconception(0.04, "codes stand on both sides of zero, but the largest weight is only 31 steps away from it."),
            Misconception(31, "that is the number of levels above zero. How far apart are they?"),
            Misconception(0.01, "that is the largest error, half a step."),
        ),
        solution="L = 2^5 - 1 = 31 levels stand above zero, and s = 0.62 / 31 = 0.02."),
    Exercise(
        id="20.2", difficulty="easy", minutes=5,
        question="A layer on a grid of 7 bits has 30.8 dB between signal and error. You need 45 dB. How many bits, at 6.02 dB "
                 "for each?",
        reference=10,
        property="At so many bits there are 45 dB or more, and with one less there are not.",
        hints=("14.2 dB are missing. How many bits are that?", "14.2 / 6.02 = 2.4: three more."),
        misconceptions=(
            Misconception(9, "2.4 bits are missing; two more make 42.8 dB, not 45."),
            Misconception(3, "that is how many more. How many in all?"),
            Misconception(9.36, "bits come whole, and you need 45 dB or more."),
            Misconception(12, "that is at 3 dB a bit. A bit halves the error, and half the error is 6.02 dB."),
            Misconception(8, "one more bit makes 36.8 dB."),
            Misconception(11, "that is more than you need: 10 bits reach 48.9 dB."),
            Misconception(14.2, "that is how many decibels are missing. How many bits?"),
            Misconception(22, "a bit is worth 6.02 dB, not one."),
        ),
        solution="(45 - 30.8) / 6.02 = 2.36, so three more: 10 bits."),
    Exercise(
        id="20.3", difficulty="medium", minutes=8, tolerance=1e-5,
        question="Given `weight` and its `codes` on a grid, return the one scale that makes the sum of squares of `weight - "
                 "scale * codes` least.",
        reference=answers.best_scale,
        cases=((answers.draw(0, 6, 5), (2 * answers.draw(0, 6, 5)).round().clamp(-3, 3)),
               (answers.draw(1, 40) ** 3, answers.draw(1, 40).sign()),
               (torch.tensor([0.9, 0.1, -0.4]), torch.tensor([1.0, 0.0, -1.0]))),
        property="No other scale gives a smaller sum of squares: its derivative with respect to the scale is 0.",
        hints=("Write the sum of (w - s c)^2 and take its derivative with respect to s.",
               "The sum of -2 c (w - s c) is 0: the sum of w c is s times the sum of c^2."),
        misconceptions=(
            Misconception(answers.other_way_round, "you divide by the squares of the weights: that fits the codes to the "
                                                   "weights, not the weights to the codes."),
            Misconception(answers.ratio_of_sizes, "that makes the mean sizes equal, which is not the same: weights whose code "
                                                  "is 0 pull at your scale, and cannot be helped by it."),
            Misconception(answers.ratio_of_lengths, "that makes both sums of squares equal, not their difference small."),
            Misconception(answers.mean_ratio, "every ratio counts alike in your mean. A weight with code 3 is moved three "
                                              "times as far by the scale as one with code 1."),
            Misconception(answers.largest_weight, "that is the scale of the largest weight. Here the sum of squares counts."),
            Misconception(answers.squares_forgotten, "take the derivative again: below stands the sum of the squares."),
            Misconception(answers.halved, "both terms of the derivative carry the 2."),
            Misconception(answers.by_element, "one scale for all weights: sum before you divide."),
        )),
    Exercise(
        id="20.4", difficulty="medium", minutes=8, gradients=("weight",), tolerance=1e-5,
        question="Write a binary weight: forward plus or minus the mean size of all weights (zero counts as plus), backward "
                 "the straight-through gradient.",
        reference=answers.binarise,
        cases=((answers.draw(2, 4, 6),), (torch.tensor([0.0, -0.5, 1.0, 2.0]),), (answers.draw(3, 50) - 1,)),
        property="Two values come out, plus and minus one number, and the gradient of their sum is 1 for every weight.",
        hints=("The copy is torch.where(weight >= 0, scale, -scale), with scale = weight.detach().abs().mean().",
               "copy.detach() + (weight - weight.detach()) is the copy, and its gradient is that of weight."),
        misconceptions=(
            Misconception(answers.dead, "no gradient reaches the weight: it would never learn. Add weight - weight.detach()."),
            Misconception(answers.through_the_scale, "your gradient runs through the mean alone, and says nothing to a weight "
                                                     "about its own sign. Detach the scale, and pass the gradient straight "
                                                     "through."),
            Misconception(answers.through_both, "your gradient runs through the scale as well. Detach it."),
            Misconception(answers.no_scale, "you left the scale out: plus and minus the mean size, not 1."),
            Misconception(answers.sign_of_zero, "torch.sign(0) is 0, a third level. Zero counts as plus."),
            Misconception(answers.largest_scale, "plus and minus the largest weight is far too much for the others. Take the "
                                                 "mean size, the least-squares scale of two levels."),
            Misconception(answers.root_mean_square, "that is the root mean square; the least-squares scale of a sign is the "
                                                    "mean of the sizes (Eq. 2 with c = 1 or -1)."),
            Misconception(answers.clipped, "you stop the gradient of large weights. Straight through means all of them."),
        )),
    Exercise(
        id="20.5", difficulty="easy", minutes=4,
        question="A ternary weight has three values. How many of them can be packed into one byte of 8 bits, if any coding is "
                 "allowed?",
        reference=5,
        property="So many weights together have at most 256 combinations, and one more would have more than 256.",
        hints=("n ternary weights have 3^n combinations, a byte has 256.", "3^5 = 243 fits, 3^6 = 729 does not."),
        misconceptions=(
            Misconception(4, "two bits each waste one of their four codes. How many combinations do n weights have?"),
            Misconception(8, "that is for two values. Three need more room."),
            Misconception(1.6, "that is about how many bits each of them takes. How many fit?"),
            Misconception(6, "3^6 is 729, more than 256."),
            Misconception(85, "256 / 3 is not it: combinations multiply."),
            Misconception(5.05, "that is 8 / log2(3). Weights come whole."),
        ),
        solution="n weights have 3^n combinations: 3^5 = 243 fit into 256, 3^6 = 729 do not. Five, 1.6 bits each."),
    Exercise(
        id="20.6", difficulty="medium", minutes=6, tolerance=1e-3,
        question="A layer has 8-bit weights of which the largest is 0.5, pixels from 0 to 255, standardised with a standard "
                 "deviation of 0.31, and a threshold of 1. You drop 8 bits of its current. What is its whole-numbered "
                 "threshold?",
        reference=78,
        property="The unit of the current is s / (255 std), with s the scale of 8 bits; dropping 8 bits makes it 256 times as "
                 "large.",
        hints=("The scale is s = 0.5 / 127, the unit s / (255 * 0.31).",
               "1 / unit is 20,079; 8 dropped bits divide it by 256."),
        misconceptions=(
            Misconception(20079, "that is before 8 bits are dropped: divide by 256."),
            Misconception(253, "you left the standard deviation out: pixels are divided by it, and the unit is larger."),
            Misconception(2510, "8 bits are not a factor of 8: each is a factor of 2."),
            Misconception(5140224, "dropping bits makes the unit larger, and the threshold a smaller number."),
            Misconception(39, "127 levels stand above zero, not 63."),
            Misconception(79, "close: 8 bits have 127 levels above zero, not 128."),
            Misconception(0.01275, "that is the unit. How many of them make a threshold of 1?"),
            Misconception(78.4, "a threshold is a whole number here: round it."),
        ),
        solution="s = 0.5 / 127; the unit is s / (255 * 0.31) = 4.98e-5 and 256 times that after 8 dropped bits, 0.01275. "
                 "1 / 0.01275 = 78.4, rounded 78."),
    Exercise(
        id="20.7", difficulty="medium", minutes=12, build=True,
        question="Write a layer of LIF neurons in integers whose leak needs no product: it is `v - (v >> 3)`. The reset "
                 "subtracts the threshold one step late, and a neuron fires strictly above it. `current` is int64 [T, B, N]; "
                 "return (spikes, membranes), int64 [T, B, N] each, the membranes before their reset.",
        reference=answers.integer_layer,
        cases=((answers.currents(0, 14, 2, 5, 30), 40), (answers.currents(1, 9, 1, 4, 9), 12), (ON_THE_EDGE, 20),
               (answers.currents(2, 10, 1, 3, 4000), 5000)),
        property="mem[t] = mem[t-1] - (mem[t-1] >> 3) + current[t] - threshold * spk[t-1], all of it whole.",
        hints=("Keep mem and spk, [B, N], and loop over the steps of current.",
               "mem = mem - (mem >> 3) + now - threshold * spk, with the spikes of the step before.",
               "spk = (mem > threshold).long(); torch.stack makes [T, B, N] of the lists."),
        misconceptions=(
            Misconception(answers.product_leak, "that is the leak of the listing, (7 v) >> 3, which rounds down. v - (v >> 3) "
                                                "rounds up."),
            Misconception(answers.truncated_leak, "you round towards zero, as C does. >> rounds down, for negative numbers "
                                                  "too."),
            Misconception(answers.float_leak, "a leak in floating point is no integer arithmetic, and rounds another way."),
            Misconception(answers.leaks_late, "you leak the current that has just arrived. Only what was there leaks."),
            Misconception(answers.leaks_reset, "the reset is not scaled by the leak: take the threshold away after it."),
            Misconception(answers.reset_to_zero, "you reset to zero. Subtract the threshold."),
            Misconception(answers.never_resets, "the threshold is never taken away."),
            Misconception(answers.resets_at_once, "you reset in the step of the spike. The reset acts one step late, and the "
                                                  "membrane is kept as it was before."),
            Misconception(answers.fires_at_threshold, "a neuron fires above the threshold, not at it."),
            Misconception(answers.never_leaks, "nothing leaks."),
            Misconception(answers.keeps_an_eighth, "you keep an eighth. Take it away."),
            Misconception(answers.membranes_first, "you return membranes first: spikes come first."),
        )),
    Exercise(
        id="20.8", difficulty="easy", minutes=4,
        question="A chip leaks by `v - (v >> 4)`. Which is the largest membrane that never decays?",
        reference=15,
        property="For it `v >> 4` is 0, and for the next larger value it is not.",
        hints=("v stays where it is when v >> 4 is 0.", "v >> 4 is v / 16, rounded down."),
        misconceptions=(
            Misconception(16, "16 >> 4 is 1, so 16 becomes 15."),
            Misconception(7, "that is for v >> 3."),
            Misconception(4, "a shift by 4 divides by 16."),
            Misconception(0, "0 rests, too. But what is 10 >> 4?"),
            Misconception(3, "a shift by 4 divides by 16, not by 4."),
            Misconception(17, "17 >> 4 is 1, so 17 becomes 16."),
            Misconception(31, "31 >> 4 is 1, so 31 becomes 30."),
            Misconception(8, "8 >> 4 is 0, so 8 stays; but larger values do, too."),
        ),
        solution="v >> 4 is 0 for all v from 0 to 15: the largest is 15."),
]


def _rescued(data):
    return data["bits"] == 2 and data["rule"] == "least squares"


GUESSES = {
    "20.a": Guess(
        "Two bits leave a weight three values: $-s$, 0 and $s$, where $s$ is the layer's largest weight. Rounded so, the "
        "network of this notebook falls from 93 % of 10,000 digits to less than half. One change is allowed. Which brings "
        "back most?",
        ("Four more epochs of training, with the rounding inside", "Rounding up or down by a coin, so that errors average out",
         "Another $s$, and no training at all"), "Another $s$, and no training at all",
        "With $s$ the *largest* weight, all weights below half of it become 0: 99 % of them. A ruler that is too long is "
        "best replaced.\n\nWith the $s$ of least squares the same three values read 91 to 92 % without training. Four "
        "epochs on the long ruler reach 87 to 91 %; a coin is right on average and leaves its noise, 43 to 59 %.",
        "quantization.grid", {"bits": 2, "rule": "least squares"}, _rescued),
    "20.b": Guess(
        "You fine-tune for four epochs at 2 bits, and pass the gradient straight through. How many of the 78,400 hidden "
        "weights end on another of their three levels than the one they began on?",
        ("About 1 %", "About a tenth", "About half"), "About a tenth",
        "The weights *behind* the copies all move, by a fifth of their size together, but most never reach the middle "
        "between two levels.\n\nFine-tuning here turns 8 % of them. That and the biases are worth one to two points; the "
        "biases alone 0.1 to 1.1 of these, the rest, about one point, needs the weights."),
    "20.e": Guess(
        "Was it the rounding inside the training, or the four further epochs? You may spend four epochs, and want 2 bits. You "
        "spend them at full precision, and round then. Against rounding at once, without the epochs?",
        ("One to two points better", "Half a point better", "No better"), "No better",
        "Rounded after four more epochs, three seeds read 90.4 to 91.8 %; rounded at once, 90.8 to 92.1 %.\n\nWith the "
        "rounding inside, the same four epochs make it 92.8 to 93.3 %."),
    "20.c": Guess(
        "Every weight becomes plus or minus one number, and both networks are trained so: the spiking one, and an ordinary one "
        "with rectified units in its place. Which loses more?",
        ("The spiking one: its neurons are all or none already", "The ordinary one", "Both the same"), "The ordinary one",
        "In all three seeds, by half a point to a point.\n\nEshraghian et al. (2023) suppose that errors below the "
        "threshold are absorbed. That was not tested here; the edge is small enough to need the seeds."),
    "20.d": Guess(
        "An integer membrane stands at 7 and hears nothing more. Each step it becomes `v - (v >> 3)`. Where is it after 100 "
        "steps?",
        ("At 7", "At 0", "At -1"), "At 7",
        "`7 >> 3` is 7 divided by 8 and rounded down, which is 0: nothing is taken away, ever.\n\nA membrane of $-1$ fares "
        "otherwise: `-1 >> 3` is $-1$, so it becomes 0 at once. The leak rounds *up*; `(7 * v) >> 3` rounds *down*, and "
        "leaves $-1$ to $-7$ where they are.",
        "quantization.leak", {"way": "v - (v >> 3)"}, lambda data: data["last"] > 0),
}

QUESTIONS = (
    Question("A vendor offers a chip with 4-bit weights. Your network was trained in float32. What do you ask before you "
             "retrain?",
             "Which scale the rounding uses, one for a layer or one for each neuron. At 2 and 3 bits the scale alone "
             "decides most here; at 4 neither mattered, for this small network. Retraining comes after."),
    Question("Is a network with 2-bit weights 16 times as cheap as one in float32?",
             "Its weights take 16 times less memory. Membranes, accumulators, indices and traffic do not shrink with them, and "
             "whether a chip can use two bits at all is a question for the chip."),
    Question("Spiking networks are said to be robust to quantisation. What would you compare?",
             "The same layers with rectified units, trained and rounded in the same way, over several seeds: what is left of "
             "the difference, and whether it is larger than between seeds."),
    Question("The simulation agrees with the chip on 99.3 % of the spikes. Good enough?",
             "For the accuracy perhaps. But where they should be equal, 0.7 % is a bug with a cause, such as a leak that "
             "rounds otherwise; one that is understood costs one line."),
)
