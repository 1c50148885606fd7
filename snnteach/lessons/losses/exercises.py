"""Exercises of notebook 06."""
import math

import torch

from ..kinds import Exercise, Guess, Misconception, Question
from . import answers


def _counts(seed, batch, classes):
    return torch.randint(0, 6, (batch, classes), generator=torch.Generator().manual_seed(seed)).double()


def _spikes(seed, steps, batch, classes):
    return (torch.rand(steps, batch, classes, generator=torch.Generator().manual_seed(seed)) < 0.2).float()


def _membranes(seed, steps, batch, classes):
    return 0.6 + 0.5 * torch.randn(steps, batch, classes, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


_PULL = 1 / (1 + math.exp(0.5)) * -1

EXERCISES = [
    Exercise(
        id="06.1", difficulty="easy", minutes=4,
        question="Squared error of counts: three classes fired 5, 2 and 4 times in 10 steps, the first is the class, the "
                 "wanted rates are 0.8 and 0.2. What is the loss of this sample?",
        reference=13,
        property="Three squares, one a neuron: wanted count minus count. Nothing is divided.", scales={"steps": 10},
        hints=("Wanted counts first: 0.8 of 10 steps for the class, 0.2 of 10 for each other.",
               "Wanted are 8, 2, 2; fired are 5, 2, 4. Square the differences and add them up."),
        misconceptions=(
            Misconception(5, "you added the distances. Each one is squared first."),
            Misconception(13 / 3, "that is the mean over the classes. Here the squares are added up."),
            Misconception(0.13, "that compares rates. The wanted rates are turned into counts: 0.8 of 10 steps is 8."),
            Misconception(9, "that is the class alone. Its rivals have a wanted count, too."),
            Misconception(4, "those are the rivals alone. The class has a wanted count, too."),
            Misconception(45, "you asked for 10 spikes of the class and none of the others. Wanted are 8 and 2."),
            Misconception(math.sqrt(13), "no root is taken: the loss is the sum of the squares."),
        ),
        solution="(8 - 5)^2 + (2 - 2)^2 + (2 - 4)^2 = 9 + 0 + 4 = 13."),
    Exercise(
        id="06.2", difficulty="medium", minutes=6,
        question="The gradient of the count cross-entropy with respect to the counts [B, C], for the mean over the batch.",
        reference=answers.count_gradient,
        cases=((_counts(0, 3, 4), torch.tensor([2, 0, 3])), (_counts(1, 1, 10), torch.tensor([7])),
               (torch.zeros(2, 3, dtype=torch.float64), torch.tensor([1, 1]))),
        property="Each row adds up to 0: what the class is pulled up by, its rivals are pushed down by.",
        hints=("Eq. 2 is the gradient of one sample. p is a softmax over the classes, the last axis.",
               "one_hot is torch.nn.functional.one_hot(target, C). The mean over the batch divides by B = len(counts)."),
        misconceptions=(
            Misconception(answers.not_averaged, "right for each sample. The loss is their mean, so divide by the batch."),
            Misconception(answers.uphill, "that is the way uphill, y - p. The gradient is p - y, and descent takes it away."),
            Misconception(answers.only_p, "those are the probabilities. The class's own entry lacks its -1."),
            Misconception(answers.of_raw_counts, "the counts are logits: put them through a softmax first."),
            Misconception(answers.of_squares, "that is the gradient of a squared error against 1 and 0. Cross-entropy "
                                              "compares a softmax."),
            Misconception(answers.over_samples, "your softmax runs over the samples. The classes compete, along axis 1."),
            Misconception(answers.each_by_itself, "a sigmoid judges each neuron by itself. A softmax lets them compete."),
            Misconception(answers.over_classes, "you divided by the classes, their number of columns. The mean is over "
                                                "samples, the rows."),
            Misconception(answers.over_everything, "you divided by the classes as well. The mean is over samples only."),
            Misconception(answers.shares_of_counts, "those are shares of the spikes. A softmax takes e to the power of each "
                                                    "count first."),
        )),
    Exercise(
        id="06.3", difficulty="easy", minutes=5, tolerance=1e-3,
        question="Two classes; their highest membranes are 0.9 and 0.4, the first is the class. What is the gradient of the "
                 "maximum-membrane cross-entropy with respect to the 0.9?",
        reference=_PULL,
        property="It is p - y for the class: a probability between 0 and 1, minus 1.",
        hints=("The logits are 0.9 and 0.4. What does a softmax make of them?",
               "p = e^0.9 / (e^0.9 + e^0.4) = 1 / (1 + e^-0.5). The gradient is p - 1."),
        misconceptions=(
            Misconception(1 + _PULL, "that is p, the probability of the class. Its gradient is p - 1."),
            Misconception(-(1 + _PULL), "that is -p. The class's own gradient is p - 1."),
            Misconception(-_PULL, "right size. The loss falls as this membrane rises, so the gradient is negative."),
            Misconception(-math.log(1 + _PULL), "that is the loss. Its derivative with respect to the logit is p - 1."),
            Misconception(0.9 / 1.3 - 1, "a share of the membranes is no softmax: take e to the power of each first."),
            Misconception(-0.1, "cross-entropy does not compare the membrane with 1 but its softmax."),
        ),
        solution="p = 1 / (1 + e^-0.5) = 0.622, and p - 1 = -0.378."),
    Exercise(
        id="06.4", difficulty="medium", minutes=8,
        question="The step of each neuron's n-th spike (1 is the first), from spk [T, B, C], as [B, C]; T where it never "
                 "comes.",
        reference=answers.nth_steps,
        cases=((_spikes(0, 9, 3, 4), 1), (_spikes(1, 12, 2, 6), 2), (_spikes(2, 15, 1, 5), 3), (torch.zeros(4, 2, 2), 1),
               (torch.ones(3, 1, 2), 2)),
        property="It is the number of steps before that spike: 0 where the first comes at once, T where there is none.",
        hints=("How many steps pass in which fewer than n spikes have come? Count them.",
               "spk.cumsum(0) is the number of spikes so far, [T, B, C].", "(spk.cumsum(0) < n).sum(0)."),
        misconceptions=(
            Misconception(answers.only_the_first, "right for n = 1 only: you found the first spikes."),
            Misconception(answers.one_too_many, "those are the spikes after the n-th: the steps with n spikes so far are "
                                                "counted, too."),
            Misconception(answers.silent_is_zero, "argmax says 0 where the spike never comes: it would count as the first "
                                                  "of all."),
            Misconception(answers.silent_is_infinite, "where the spike never comes it is T here, not inf."),
            Misconception(answers.silent_is_minus_one, "where the spike never comes it is T; -1 is earlier than any spike."),
            Misconception(answers.silent_is_last, "where the spike never comes it looks like one at the last step. Give it T, "
                                                  "one step more."),
            Misconception(answers.counted_from_one, "steps are counted from 0: a first spike in the first step has 0."),
            Misconception(answers.from_the_end, "you count spikes from the end. The n-th from the beginning is asked for."),
            Misconception(answers.silent_steps, "that counts every step without a spike, those after the n-th one, too."),
            Misconception(answers.spike_counts, "those are counts. When did the spike come?"),
            Misconception(answers.over_neurons, "you looked along the neurons. Time is the first axis."),
            Misconception(answers.over_the_batch, "you looked along the batch. Time is the first axis."),
        )),
    Exercise(
        id="06.5", difficulty="medium", minutes=6,
        question="Relative spike times: the class should fire at step 2 and its rivals 10 steps later or more. The class "
                 "fires at 4, the rivals at 7, at 15 and never (T = 20). What is the loss?",
        reference=29,
        property="Two of the four neurons cost something: the class, and the one rival that is too early.",
        hints=("The class: (4 - 2)^2. Rivals have to be at 2 + 10 or later; who is later costs nothing.",
               "The rival at 7 lacks five steps. Those at 15 and 20 are late enough."),
        misconceptions=(
            Misconception(102, "rivals that are late enough cost nothing: their wanted time is the time they have."),
            Misconception(53, "the margin is counted from the wanted step of the class, 2, not from where it did fire."),
            Misconception(13, "rivals have to be 10 steps later than the class's 2: at 12, not at 10."),
            Misconception(38, "15 is later than 12, and late enough: that rival costs nothing."),
            Misconception(25, "the class costs something as well: it fires at 4 and should fire at 2."),
            Misconception(4, "the rival at 7 is too early: 12 is wanted."),
            Misconception(7, "you added the distances. Each one is squared first."),
            Misconception(7.25, "that is the mean over the neurons. Here the squares are added up."),
        ),
        solution="(4 - 2)^2 + (7 - 12)^2 + 0 + 0 = 29."),
    Exercise(
        id="06.6", difficulty="medium", minutes=15, build=True, gradients=("mem",),
        question="Fill the empty cell: from mem [T, B, C] the expected spike times of Eqs. 8 and 9, and from "
                 "these the cross-entropy, the mean over the batch.",
        reference=answers.ce_expected,
        cases=((_membranes(0, 8, 3, 4), torch.tensor([1, 3, 0]), 1.0, 4.0),
               (_membranes(1, 12, 2, 3), torch.tensor([2, 2]), 0.7, 2.0),
               (_membranes(2, 1, 1, 2), torch.tensor([0]), 0.5, 9.0)),
        property="Where all membranes are equal the loss is ln C, and raising the class's membrane at any step lowers it.",
        hints=("h = torch.sigmoid(slope * (mem - threshold)) is the chance of a spike in a step, [T, B, C]; 1 - h of none.",
               "P[t] is a running product over time: (1 - h).cumprod(0). Its sum over time is E, [B, C].",
               "Early has to be a large logit: torch.nn.functional.cross_entropy(-E, target)."),
        misconceptions=(
            Misconception(answers.late_is_good, "the sign: with E as the logit the class is asked to come last."),
            Misconception(answers.no_product, "you added up the chances of no spike in each step by itself. P[t] is that "
                                              "of none so far: a running product."),
            Misconception(answers.only_the_last, "that is the chance of no spike at all, one number. E adds up P[t] for "
                                                 "every t."),
            Misconception(answers.excludes_now, "the product of Eq. 8 runs to s = t, the step itself included."),
            Misconception(answers.forgets_silence, "you left out the runs in which no spike comes: they count T."),
            Misconception(answers.reciprocal, "here early is made large by the sign: the logit is -E."),
            Misconception(answers.slope_on_mem_only, "slope multiplies the difference, so the threshold too."),
            Misconception(answers.upside_down, "that multiplies h, the chances of a spike in every step. Multiply 1 - h."),
            Misconception(answers.threshold_of_one, "right for a threshold of 1 only: compare mem with `threshold`."),
            Misconception(answers.forgets_sharpness, "right for a sharpness of 1 only: `slope` multiplies mem - threshold."),
            Misconception(answers.hard, "that is the first step above the threshold, a staircase without gradient. Use the "
                                        "sigmoid of Eq. 8."),
            Misconception(answers.detached, "the value is right and no gradient flows: leave out .detach(), .item() and the "
                                            "like."),
            Misconception(answers.summed, "that is the sum over the batch. Take the mean, as cross_entropy does by itself."),
            Misconception(answers.mean_time, "E is the sum of P[t], not its mean: an expected number of steps."),
            Misconception(answers.over_the_wrong_axis, "your product runs over the samples. Time is the first axis."),
        )),
    Exercise(
        id="06.7", difficulty="easy", minutes=4, tolerance=1e-3,
        question="Of 1000 training samples 30 belong to class 1, the rest to class 0. Which weight does class 1 get, if both "
                 "classes are to have the same say and the mean weight of a sample is to be 1?",
        reference=1000 / 60,
        property="All weights of the 30 add up to 500, and so do those of the 970.",
        hints=("Both classes have the same say: the 30 weights add up to half of the total.",
               "The total of all weights is 1000. 30 w = 500."),
        misconceptions=(
            Misconception(970 / 30, "that makes both sums equal at 970, and the mean weight 1.94. It has to be 1."),
            Misconception(1000 / 30, "those 30 would have a say of 1000, all there is. Half is theirs."),
            Misconception(1000 / 1940, "that is the weight of the frequent class."),
            Misconception(0.5, "half is what the whole class has to say. Share 500 out among 30 samples."),
            Misconception(0.06, "upside down: the rarer the class, the more a sample of it has to count."),
        ),
        solution="30 w = 1000 / 2, so w = 16.667."),
    Exercise(
        id="06.8", difficulty="easy", minutes=5,
        question="Ten classes, one time step, P neurons for each class, count cross-entropy: which is the smallest P with "
                 "which the loss can fall below 0.01?",
        reference=7,
        property="Put it into ln(1 + 9 e^-P): the result has to be below 0.01, and that of P - 1 above.",
        hints=("The best that can happen: all P neurons of the class fire, no other. What are the logits?",
               "The minimum is ln(1 + 9 e^-P). Try whole numbers, or solve 9 e^-P = e^0.01 - 1."),
        misconceptions=(
            Misconception(5, "that leaves the nine rivals out: ln(1 + 9 e^-5) is 0.059."),
            Misconception(6, "just short: ln(1 + 9 e^-6) is 0.022."),
            Misconception(6.797, "neurons are whole: this is where 0.01 is met exactly."),
            Misconception(70, "that is the number of all output neurons. How many for each class?"),
            Misconception(10, "that would do. Fewer do as well."),
        ),
        solution="ln(1 + 9 e^-6) = 0.0221 and ln(1 + 9 e^-7) = 0.0082: 7."),
]

GUESSES = {
    "06.a": Guess(
        question="Five output neurons, ten steps. The neuron of the class fires at every step, the four others never: no "
                 "spikes could be better. A loss compares each *step* with the class by cross-entropy, the spikes 0 and 1 as "
                 "logits, and takes the mean over the steps. What is its value?",
        choices=("0.0002, next to nothing", "1.61, what silence costs", "0.90"),
        right="0.90",
        explanation="A spike is a logit of 1, and a logit of 1 against four of 0 gives the class a probability of "
                    "$e/(e+4) = 0.40$. Its negative logarithm is $\\ln(1 + 4/e) = 0.90$, at every step, however many "
                    "steps there are.\n\nCounts are another matter: ten spikes are a logit of 10, and the same raster costs "
                    "$\\ln(1 + 4e^{-10}) = 0.0002$. A loss that stands still at 0.9 may have nothing left to learn.",
        explorer="losses.playground", settings={"objective": "step, CE", "own": 10, "first": 0, "second": 0, "third": 0},
        shown=lambda data: data["objective"] == "step, CE" and data["loss"] < 0.91),
    "06.b": Guess(
        question="A network was trained with cross-entropy on the negated times of its first spikes. *All ten output "
                 "neurons fire*, and something upstream makes every one of them fire three steps later, still within the "
                 "run. What does the loss do?",
        choices=("It stays as it was", "It rises: late is bad", "It falls: late spikes are closer to silence"),
        right="It stays as it was",
        explanation="A softmax sees only differences of logits, and three more steps for everybody change no difference. "
                    "(A neuron that never fires stays at $T$: to it the others come nearer, and the loss rises, by next to "
                    "nothing as long as the gap is wide: it is 0.000003 for a class at step 5 of 20 among nine silent rivals, "
                    "0.06 at step 15.)\n\nThis loss asks for *gaps*; speed counts as the gap to the silent ones. If you want "
                    "speed, ask for it: with times that are wanted, or with $1/(f+1)$, which bends."),
    "06.c": Guess(
        question="After training, the step-wise cross-entropy has about 840 hidden spikes an image, and the one on counts "
                 "about 330, for the same network and a lower accuracy. Which of these is a part of the reason?",
        choices=("Its gradient is longer: it adds up every step", "A spike is worth one logit to it, so it never has enough",
                 "Its learning rate: it trains with another one"),
        right="A spike is worth one logit to it, so it never has enough",
        explanation="Its probability for the class cannot pass $e/(e+9) = 0.23$, so it goes on pulling at images that were "
                    "right long ago. It is a part: with five or twenty logits a spike the step-wise loss keeps four fifths."),
    "06.e": Guess(
        question="In the cross-entropy of counts a spike of the output becomes worth a twentieth of a logit, and nothing else "
                 "changes. Trained so from the start, how many hidden spikes has an image? (With whole logits, 325.)",
        choices=("About as many: the order of the classes is the same", "Fewer: the gradients are smaller",
                 "More than twice as many"),
        right="More than twice as many",
        explanation="871. Twenty spikes are one logit now, so no image is ever right enough, and the loss goes on pulling at "
                    "images that were right long ago. With logits four times as large there are 137.\n\nIs this why the "
                    "step-wise loss is so loud (843)? In part. Its probability for the class cannot pass $e/(e+9) = 0.23$. Let "
                    "a spike count for five logits there, and it falls by a fifth, and by no more at twenty. The rest has "
                    "another reason, not found here: asked from step 5 on only, it is as loud."),
    "06.d": Guess(
        question="Is it an 8? Three of a hundred images are. A network says \"no\" to all and is right in 97.0 % of the "
                 "test. You train it again, with weights that give both classes the same say. It now finds three of four "
                 "eights. What is its accuracy?",
        choices=("About 99 %", "About as before", "It must be above 97 %, or the weights have failed"),
        right="About as before",
        explanation="It finds eights, and pays for them with false alarms among the others, who are 32 times as many. "
                    "Accuracy counts both alike, and so it hardly notices that the network has begun to do its job. The "
                    "balanced accuracy, the mean of what is found of each class, does: it was 0.50, what a coin reaches."),
}

QUESTIONS = [
    Question(
        "Your loss on output spikes has stood at 1.47 for an hour, with ten classes. What do you look at first?",
        "Whether it is the step-wise cross-entropy, whose floor is 1.461: then nothing is wrong. Look at the accuracy."),
    Question(
        "You want an answer within three steps. Which objectives ask for that, and which only allow it?",
        "Wanted spike times and an early membrane ask for it; relative times ask for a step and a gap. Cross-entropy of "
        "negated times asks for gaps only, to the silent ones at T included; that of counts for nothing about time."),
    Question(
        "An output neuron is silent for every image of its class. Which objectives can wake it, and through what?",
        "Those on membranes directly. Those on spikes only through the surrogate's tail, and on first spikes only at the "
        "last step, where the estimator puts its -1."),
]
