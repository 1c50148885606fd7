"""Exercises of notebook 14."""
import math

import torch

from ..kinds import Exercise, Guess, Misconception, Question
from . import answers

_UP, _DOWN = 0.01 * math.exp(-10 / 20), 0.012 * math.exp(-20 / 20)


_TARGETS = torch.cat([torch.arange(10), torch.tensor([3, 3, 3, 3, 1])])
_COUNTS = torch.tensor([[0, 1, 2], [5, 0, 1], [0, 0, 0], [2, 6, 1], [1, 2, 0], [3, 5, 0], [0, 1, 3], [1, 0, 0], [2, 1, 5],
                        [0, 3, 1], [2, 1, 1], [1, 1, 2], [2, 1, 2], [2, 1, 1], [2, 0, 0]]).float()
_WEIGHT = torch.tensor([0.0, 0.2, 0.9, 1.0])
_UPS, _DOWNS = torch.tensor([0.1, 0.2, 0.3, 0.0]), torch.tensor([0.2, 0.0, 0.1, 0.5])
_SPK = torch.tensor([0.0, 1.0, 1.0, 0.0])

EXERCISES = [
    Exercise(
        id="14.1", difficulty="easy", minutes=5, tolerance=5e-5,
        question="Pre spikes at 0 and 30, one post spike at 10; A+ = 0.01, A- = 0.012, both time constants 20. How much does "
                 "the weight change, all pairs counted?",
        reference=_UP - _DOWN,
        property="Pre before post counts up, post before pre counts down, and each side by its own distance.",
        hints=("There are two pairs: one with lag +10, one with lag -20.",
               "0.01 exp(-10/20) - 0.012 exp(-20/20)."),
        misconceptions=(
            Misconception(_UP + _DOWN, "the second pair counts down: there the post spike, at 10, came before the pre one."),
            Misconception(_DOWN - _UP, "right pairs, wrong sign: pre before post strengthens."),
            Misconception(-_DOWN, "that is the pair (30, 10). The pre spike at 0 comes before the post spike, and counts up."),
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
        property="Post came five before pre: the synapse is weakened, by less than the largest change.",
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
        reference=answers.nearest_trace,
        cases=((torch.tensor([0.0, 0.5, 0.0, 0.9]), _SPK, 20.0), (torch.tensor([1.0, 1.0, 0.2, 0.3]), _SPK, 5.0)),
        property="A fresh spike leaves exactly 1; without one, exp(-1/tau) of the old trace is left.",
        hints=("A trace never exceeds 1: a spike replaces what was there.",
               "torch.maximum(trace * math.exp(-1 / tau), spk)."),
        misconceptions=(
            Misconception(answers.all_to_all, "this one adds and remembers all spikes. Nearest-neighbour forgets."),
            Misconception(answers.no_decay, "the trace must also decay, by exp(-1/tau) a step."),
            Misconception(answers.linear_decay, "1 - 1/tau is only close: exp(-1/tau) makes traces and pairs agree exactly."),
            Misconception(answers.decay_after, "first decay, then the spike: a fresh spike is worth 1 when the next step "
                                               "begins."),
        )),
    Exercise(
        id="14.4", difficulty="easy", minutes=5, tolerance=0.02,
        question="Two neurons fire at random and ignore each other. tau+ = 20, tau- = 40. Which ratio A-/A+ keeps the weight "
                 "still?",
        reference=math.expm1(1 / 40) / math.expm1(1 / 20),
        property="With this ratio both sides of the window have to have the same area.",
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
        reference=answers.soft_update,
        cases=((_WEIGHT, _UPS, _DOWNS, 1.0), (_WEIGHT, _UPS, _DOWNS, 2.0)),
        property="At w = w_max nothing may go up any more, and at w = 0 nothing down.",
        hints=("Which factor is 0 at w = w_max, and which at w = 0?", "weight + up * (w_max - weight) - down * weight."),
        misconceptions=(
            Misconception(answers.hard_update, "that is the hard bound. A soft one slows down before the wall, and needs no "
                                               "clamp."),
            Misconception(answers.no_bound, "nothing keeps this weight in bounds: scale up by the room above, and down by the "
                                            "weight."),
            Misconception(answers.bound_of_one, "right for w_max = 1 only: the room above is w_max - weight."),
            Misconception(answers.only_above, "bounded above, and not below: depression has to fade as the weight nears 0."),
            Misconception(answers.swapped, "exchanged: at w_max it is potentiation that must stop."),
            Misconception(answers.one_factor, "depression needs its own factor: w, which vanishes at 0."),
            Misconception(answers.both_factors, "with both factors on both terms, 0 and w_max hold the weight for ever."),
        )),
    Exercise(
        id="14.6", difficulty="medium", minutes=6, tolerance=5e-3,
        question="Soft bounds, w_max = 1, independent trains, equal time constants, A-/A+ = 1.5. Where does the weight settle?",
        reference=0.4,
        property="At this weight, A+ (1 - w) and A- w have to be the same.",
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
        question="Name each neuron after the digit on which it fires most on average. counts [S, N] are spikes, targets [S] "
                 "digits; every digit occurs, some more often than others.",
        reference=answers.label_neurons,
        cases=((_COUNTS, _TARGETS), (_COUNTS.flip(1), _TARGETS)),
        property="One digit for each neuron, [N]: that with the largest mean count over its own images.",
        hints=("For each digit: the mean over the images of that digit, counts[targets == digit].mean(0).",
               "Stack the ten means to [10, N]; the label is the argmax over the first axis."),
        misconceptions=(
            Misconception(answers.sums, "a digit that is shown more often collects more spikes. Compare means, not sums."),
            Misconception(answers.best_image, "that is the one image with most spikes; one image is noise. Take the mean."),
            Misconception(answers.labels_of_images, "you took the argmax over neurons: that names digits after neurons."),
        )),
    Exercise(
        id="14.8", difficulty="hard", minutes=20, build=True,
        question="One step of a winner-take-all layer that learns: spk [I] comes in; mem [N], trace [I], weight [N, I], "
                 "threshold [N] are those of the step before. mem decays by 0.99, trace by 0.98, then both add what comes in. "
                 "Of the neurons above their threshold the one furthest above fires: its row moves by 0.007 (trace - 0.05), "
                 "not below 0, and gets length 1; its threshold rises by 0.07; every mem starts again at 0. Return (out, mem, "
                 "trace, weight, threshold).",
        reference=answers.wta_step,
        cases=(answers.case(0.3), answers.case(1.0), answers.case(2.2, 2), answers.case(3.0, 3), answers.case(4.0, 4)),
        property="The results are out, mem, trace, weight, threshold. At most one neuron fires, only its row and its threshold "
                 "may differ from those of the step before, and after a spike every mem is 0.",
        hints=("First the two decays: mem = 0.99 * mem + weight @ spk and trace = 0.98 * trace + spk. Then who wins?",
               "excess, winner = (mem - threshold).max(0); it fires only if excess > 0. out is zeros with a 1 at the winner.",
               "If it fires: row = (weight[winner] + 0.007 * (trace - 0.05)).clamp(min=0); weight = weight.clone(); "
               "weight[winner] = row / row.norm(); threshold = threshold + 0.07 * out; mem = torch.zeros_like(mem)."),
        misconceptions=(
            Misconception(answers.keeps_threshold, "the threshold of the winner has to rise by 0.07, or the same few win."),
            Misconception(answers.no_budget, "the winner's row has to get the length 1 again: divide it by its norm."),
            Misconception(answers.all_thresholds, "all thresholds rose. Only the winner's may, or nobody else gets a turn."),
            Misconception(answers.winner_alone_starts_again, "only the winner started again. The referee resets all."),
            Misconception(answers.nobody_starts_again, "after a spike every membrane starts again at 0."),
            Misconception(answers.everybody_learns, "every row moved. Only the winner learns."),
            Misconception(answers.learns_without_winning, "the weights move in every step. Only at a spike may they."),
            Misconception(answers.all_above_fire, "two neurons fired in one step. Only the one furthest above may."),
            Misconception(answers.highest_wins, "you took the highest membrane. Thresholds differ: who is furthest above?"),
            Misconception(answers.old_trace, "the row learned from the trace before this step; here spikes act at once."),
            Misconception(answers.no_offset, "without the tax of 0.05, no weight ever falls: it is trace - 0.05."),
            Misconception(answers.learns_spikes, "the winner learned the spikes of this step. It moves to the trace."),
            Misconception(answers.below_zero, "a weight of the winner fell below 0. Clamp the row at 0 first."),
            Misconception(answers.sums_to_one, "the row sums to 1. Its length, the root of the sum of squares, has to be 1."),
            Misconception(answers.membrane_keeps, "the membrane decays by 0.99 before it adds."),
            Misconception(answers.decays_what_came_in, "what comes in now does not decay yet: 0.99 * mem + weight @ spk."),
            Misconception(answers.trace_keeps, "the trace decays by 0.98 before it adds."),
            Misconception(answers.winner_subtracts, "the membranes start again at 0, not threshold lower."),
            Misconception(answers.all_subtract, "every membrane starts again at 0, none threshold lower."),
            Misconception(answers.row_stays, "the winner's row did not move: the row that moved is divided by its own norm."),
        )),
    Exercise(
        id="14.9", difficulty="medium", minutes=8,
        question="A library hides its STDP: change(pre, post) takes two trains of spikes [T] and returns by how much the "
                 "weight changes. Depression has the larger amplitude. Return \"right\", \"order\" if a spike raises its trace "
                 "before the traces are read, or \"sign\" if the window is turned round.",
        reference=answers.diagnose,
        cases=tuple((answers.library(up, down, tau, **flaw),) for up, down, tau in ((0.01, 0.012, 20.0), (0.2, 0.5, 4.0))
                    for flaw in ({}, {"write_first": True}, {"turned": True})),
        property="Each answer needs an experiment of its own: one pair of spikes in order, and one pair in the same step.",
        hints=("Make two trains with one spike each. What should happen if post comes ten steps after pre? And if both come in "
               "the same step?",
               "pre, post = torch.zeros(2, 60); pre[20] = post[30] = 1: below 0 is \"sign\". Then change(pre, pre): not 0 is "
               "\"order\"."),
        misconceptions=(
            Misconception(answers.looks_at_the_sign_alone, "a library that raises its traces before it reads them passed for "
                                                           "right. Which pair of spikes tells it from the others?"),
            Misconception(answers.looks_at_one_step_alone, "a window that is turned round passed for right: at lag 0 it does "
                                                           "nothing either. Ask about two spikes in order, too."),
            Misconception(answers.counts_the_order_as_a_sign, "a pair in the same step says nothing about the sign: below 0 "
                                                              "there means that traces are raised too early."),
            Misconception(answers.post_first, "with post before pre a right library weakens. You called that the wrong sign."),
        )),
]

GUESSES = {
    "14.e": Guess(
        question="Pre fires at step 20 and post at step 30: the weight grows. Now a second pre spike, at 35, five steps after "
                 "post. All pairs count, and gain and loss are equally strong and fade alike. What becomes of the weight in "
                 "all?",
        choices=("It still grows, a little less", "Nothing: one before, one after", "It shrinks"),
        right="It shrinks",
        explanation="Post reads the trace of the first pre spike ten steps old, and adds 0.61 % (with the constants of the "
                    "figure below). The second pre spike reads the trace of post only five steps old, and takes 0.78 %. The "
                    "*nearer* pair counts more.\n\nTry it below: first draw the spikes at 70 and 80 out of the picture, then "
                    "click on the line of pre at step 35: $\\Delta w$ ends at -0.17 %."),
    "14.a": Guess(
        question="In the explorer below, a hundred inputs fire at random, and their weights begin anywhere between 0 and 1. "
                 "Now thirty of them share a little: their spikes correlate by 0.1. Where do the weights of these *thirty* "
                 "end?",
        choices=("As before: those that began strong at 1, the others at 0", "Somewhere between: 0.1 is too little to decide",
                 "All thirty at 1, wherever they began"),
        right="All thirty at 1, wherever they began",
        explanation="All thirty. A weak one of them fires when its twenty-nine friends do, and they make the neuron fire: it "
                    "is paid for what they caused. Without the correlation six of them would have ended at 1.\n\nThe seventy "
                    "others pay: nearly all fall to 0. Now the neuron fires more, and for an input that has no part in it "
                    "every coincidence costs, since depression takes a little more than potentiation gives.",
        explorer="stdp.weights", settings={"correlation": 0.1}, shown=lambda data: data["means"][0] == 1),
    "14.b": Guess(
        question="*Cells that fire together wire together*, they say. Bring post closer to pre: 10 steps after it, 5, 1. The "
                 "weight grows a little more each time. And by Eq. 1, what becomes of it if both fire in the *same* step, "
                 "again and again?",
        choices=("It grows most of all", "Nothing happens", "It shrinks: a spike in the same step came too late"),
        right="Nothing happens",
        explanation="Nothing. A spike takes a step to arrive, so a spike in the same step can be neither cause nor effect, and "
                    "Eq. 1 says nothing at lag 0. What wires, by this rule, is not firing together, it is firing *in "
                    "order*.\n\nWhoever writes the rule with two traces has to see to it. Let a spike raise its own trace "
                    "before the traces are read, as several libraries do, and each such pair adds $A_+ - A_-$: with a "
                    "depression that outweighs, synchrony then kills the synapse.",
        explorer="stdp.traces", settings={"lag": 0}, shown=lambda data: bool(data["change"].abs().max() < 1e-6)),
    "14.c": Guess(
        question="A neuron's *field* is its row of weights, drawn as an image. All hundred begin as noise, and the winner "
                 "moves towards what it has just seen. After some hundred digits, what does a field look like?",
        choices=("One digit, in one hand", "A stroke, a part that many digits share", "The average of all digits, each a "
                                                                                      "little different"),
        right="One digit, in one hand",
        explanation="One digit each. The winner moves towards the image that it won, so next time it wins such an image more "
                    "easily, and others less easily. After some hundred images a field is close to a single one of them; later "
                    "it is the mean of those that it wins, still in one hand.\n\nStrokes are what neurons find that *share* an "
                    "image: several have to fire for it. Here the winner takes all, and has to explain the image alone. The "
                    "average of all is what they would find without a competition."),
    "14.d": Guess(
        question="In section 5, a layer without the budget read 9 %. Now you may choose the learning rate anew, and how "
                 "steeply thresholds rise, but the budget does not come back. How much can such a layer read, after 10,000 "
                 "images?",
        choices=("10 %, or a little more: one row outgrows all others", "About 50 %", "80 %, nearly as much as with the "
                                                                                      "budget"),
        right="80 %, nearly as much as with the budget",
        explanation="80 %, where the layer with both rules reads 84 %. The constants had been chosen for a layer that has "
                    "both. A row that may grow makes a louder neuron, which wins more and grows more, and at that learning "
                    "rate the threshold cannot follow: 19 % after 10,000 images. With a smaller rate and a steeper rise it "
                    "can.\n\nTake a rule away with all else fixed, and you measure, too, how the *rest* had been tuned to it. "
                    "Give what is left constants of its own before you call a rule indispensable."),
}

QUESTIONS = [
    Question(
        "Two neurons fire independently of each other, A+ = A-, and tau- is longer than tau+. Where does the weight go, and is "
        "that useful?",
        "Down, since A- tau- > A+ tau+. Yes: inputs that predict nothing are given up, and only correlated ones can hold their "
        "weight."),
    Question(
        "Why does a winner-take-all layer without homeostasis end with a few neurons that win everything?",
        "Whoever wins moves towards the inputs, so it wins again and sooner; the others never get a turn to learn."),
    Question(
        "The layer learns without labels, but the neurons are named with labels. What is fair to call unsupervised, and what "
        "is a fair rival?",
        "The weights are; the read-out is not. A fair rival learns its clusters without labels, too, and names them with the "
        "same ones: k-means."),
]
