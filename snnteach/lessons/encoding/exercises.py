"""Exercises of notebook 04."""
import torch

from ..kinds import Exercise, Guess, Misconception, Question
from . import answers

EXERCISES = [
    Exercise(
        id="04.1", difficulty="easy", minutes=4,
        question="A pixel of intensity 0.5 in a Bernoulli rate code: how many steps until the standard deviation of its "
                 "estimated intensity is 0.05?",
        reference=100,
        property="Put it into sqrt(p (1 - p) / T) with p = 0.5: the result has to be 0.05.",
        hints=("The variance of the count is T p (1 - p). What is that of count / T?", "sqrt(p (1 - p) / T) = 0.05."),
        misconceptions=(
            Misconception(200, "that is a Poisson train, whose variance is p / T. A coin has the factor 1 - p as well."),
            Misconception(5, "then the variance is 0.05. The standard deviation is its square root."),
            Misconception(10, "p (1 - p) = 0.25 is a variance and belongs under the root, together with T."),
            Misconception(400, "you took 1 / sqrt(T); the factor sqrt(p (1 - p)) = 0.5 is missing."),
        ),
        solution="sqrt(0.25 / T) = 0.05 gives T = 0.25 / 0.0025. Half the error costs four times the steps."),
    Exercise(
        id="04.2", difficulty="medium", minutes=6,
        question="A neuron fires at the rate `measured`, with a dead time after each spike. How fast would it fire without?",
        reference=answers.free_rate,
        property="One over your rate, plus the dead time, has to be the mean interval that was measured.",
        cases=((50.0, 0.005), (100.0, 0.0), (92.9, 0.0032), (0.25, 2.0)),
        hints=("Think in intervals: the mean interval is dead_time + 1 / rate.",
               "1 / measured = dead_time + 1 / rate. Solve for rate."),
        misconceptions=(
            Misconception(answers.law_forwards,
                          "this makes the rate lower still. The dead time has already been at work: undo it."),
            Misconception(answers.to_first_order, "right for short dead times only: 1 / (1 - m d) is not 1 + m d."),
            Misconception(answers.mean_interval, "that is the mean interval without dead time; the rate is its inverse."),
            Misconception(answers.time_for_share,
                          "dead_time is a time, not a share. For which share of the time is the neuron dead?"),
            Misconception(answers.ignored,
                          "then the dead time would cost nothing. It silences the neuron for a part of the time."),
        )),
    Exercise(
        id="04.3", difficulty="medium", minutes=7,
        question="Which is the faintest intensity that still fires within `num_steps` steps of a logarithmic latency code?",
        reference=answers.faintest,
        property="At your intensity, tau ln(x / (x - threshold)) has to come out as num_steps.",
        cases=((10, 5.0, 0.1), (8, 8.0, 0.1), (100, 5.0, 0.01), (2, 2.0, 0.3)),
        hints=("Put t = num_steps into t = tau ln(x / (x - threshold)) and solve for x.",
               "x / (x - threshold) = exp(t / tau), so threshold / x = 1 - exp(-t / tau)."),
        misconceptions=(
            Misconception(answers.never_late, "that one fires after an infinite time. The clock stops at num_steps."),
            Misconception(answers.one_step_early,
                          "the last step begins at num_steps - 1 and lasts until num_steps: a spike at t = "
                                           "num_steps - 0.1 still counts."),
            Misconception(answers.wrong_side, "below the threshold nothing fires. The faintest must lie above it: divide."),
            Misconception(answers.what_is_left,
                          "exp(-t / tau) is what is missing of the charge at time t; you need what is there."),
        )),
    Exercise(
        id="04.4", difficulty="easy", minutes=3,
        question="A signal rises from 0 to 1 in ten thousand even samples. How many events does send-on-delta emit with a "
                 "threshold of 0.03?",
        reference=33,
        property="Each event lifts the reader by 0.03, and the reader never overtakes the signal, which ends at 1.",
        hints=("Does the number of samples matter?", "One event for each whole threshold of the rise: floor(1 / 0.03)."),
        misconceptions=(
            Misconception(34, "the last, unfinished threshold is not sent: round down."),
            Misconception(1 / 0.03, "events are whole: round down."),
            Misconception(0, "that is frame difference, which sees steps of 0.0001 and drops each of them."),
            Misconception(300, "that is 0.03 times the samples. What counts is how often a threshold fits into the rise."),
            Misconception(10_000, "an event comes when the change since the last *event* is worth it, not at every sample."),
        ),
        solution="floor(1 / 0.03) = 33. The last 0.01 is the error that remains, less than a threshold."),
    Exercise(
        id="04.5", difficulty="medium", minutes=6,
        question="Eight bits reach a membrane one a step, each spike adding 1, the *least* significant bit first. With which "
                 "beta is the last potential, without reset, proportional to the binary number?",
        reference=0.5,
        property="The bits of 128 and of 127 (one 1 and seven 0, or one 0 and seven 1) have to leave potentials as 128 to 127.",
        hints=("A spike at step t is worth beta^(7 - t) at the last step.",
               "Later bits weigh more. Each must weigh twice as much as the one before it: 1 / beta = 2."),
        misconceptions=(
            Misconception(2.0, "then the *first* bit would weigh most, and the membrane would explode. Here it comes last."),
            Misconception(1.0, "without a leak the membrane counts spikes, whatever their step."),
            Misconception(0.9, "this reads numbers to the base 1 / 0.9: bits overlap, and 0111 beats 1000."),
            Misconception(0.25, "then a bit weighs four times the one before it. Binary asks for twice."),
        ),
        solution="mem[7] = sum over t of beta^(7 - t) spk[t]; with beta = 1/2 that is the number divided by 128."),
    Exercise(
        id="04.6", difficulty="medium", minutes=12, build=True,
        question="Write a code without a coin, and its reader. Each pixel has a store, half full (0.5) at first. At every step "
                 "add the pixel's intensity; where the store is then above 1, fire and take 1 out. The reader divides the "
                 "spikes so far by the steps so far. Return (spk, read), each [T, ...].",
        reference=answers.regular_code,
        cases=((answers.grey(0, 40), 16), (answers.grey(1, 3, 5), 7), (torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0]), 8)),
        property="After t steps the count has to be t x, up to half a spike, and the reader divides it by t.",
        hints=("One tensor goes from step to step: the store, shaped like x. It begins as torch.full_like(x, 0.5).",
               "In the loop: add x; the spikes are where the store is above 1; subtract them from the store; keep them in a "
               "list.",
               "spk = torch.stack(list) is [T, ...]; spk.cumsum(0) counts; divide by 1, 2, ..., T, shaped [T, 1, ...]: "
               "torch.arange(1, num_steps + 1).view(-1, *[1] * x.dim())."),
        misconceptions=(
            Misconception(answers.begins_empty,
                          "your store begins empty, so every count is rounded down. Half full, it is rounded to "
                                         "the nearest."),
            Misconception(answers.fires_at_it, "you also fire when the store is exactly 1. It has to be above 1."),
            Misconception(answers.empties, "you empty the store after a spike, and what was above 1 is lost. Take out 1."),
            Misconception(answers.never_pays, "nothing is taken out of the store: once above 1 it fires at every step."),
            Misconception(answers.pays_a_half,
                          "a spike takes out 1, not a half. The half is only how full the store is at first."),
            Misconception(answers.judges_first, "you compare before you add: the intensity of this step comes one step late."),
            Misconception(answers.counts, "the spikes are right. The reader counts, but does not divide by the steps so far."),
            Misconception(answers.of_all_steps,
                          "the spikes are right. After t steps the reader knows of t steps: divide by t, not by "
                                         "all."),
            Misconception(answers.from_step_0, "the spikes are right. The first step is number 1, not 0: you divide by 0."),
            Misconception(answers.only_at_the_end,
                          "the spikes are right. The reader has to say something after each step, from the "
                                            "spikes so far."),
            Misconception(answers.swapped, "both are right, in the wrong order: return (spk, read)."),
            Misconception(answers.all_at_the_start,
                          "the count at the end is right, but all spikes come first: read early, every grey "
                                             "is white. Spread them."),
        )),
]

GUESSES = {
    "04.a": Guess(
        question="A grey of 0.5 is said in 16 steps: by a coin, which gives about eight spikes, or by *one* spike, whose step "
                 "says the grey. How many steps does the coin need to be as exact as the one spike?",
        choices=("16 are more than enough: eight spikes say more than one", "About twice as many, 32", "About 14 times as "
                                                                                                       "many, 225"),
        right="About 14 times as many, 225",
        explanation="A clock of 16 ticks rounds the grey to the nearest tick, and errs by half a tick at most: 0.033. The coin "
                    "errs by 0.125 after 16 steps, and by 0.033 after 225. (0.5 is the clock's worst grey: it lies between two "
                    "ticks. Over all greys the clock errs by 0.019, and the coin needs 450 steps.)\n\nThe coin's error falls "
                    "with the *root* of the number of steps, that of the clock with the number of steps. Eight spikes at "
                    "random steps say one thing only: their number. One spike at a chosen step says which of 16 steps it "
                    "chose.",
        explorer="encoding.pixel", settings={"code": "latency, linear", "intensity": 0.5},
        shown=lambda data: data["code"] == "latency, linear" and data["intensity"] == 0.5),
    "04.b": Guess(
        question="Below, the same digit is revealed in 16 steps: by coins, and by linear latency, in which the bright pixels "
                 "come first and every spike is exact. Stop at any step and compare both with the digit. From which step on is "
                 "latency closer?",
        choices=("From step 2 or 3: the bright pixels are most of the digit", "Only after step 10", "From step 6 or so"),
        right="Only after step 10",
        explanation="The coin leads for the first ten steps of 16. Latency is exact where it has spoken, but at any moment all "
                    "darker pixels are still silent, and silence reads as black. The coin is right nowhere, yet roughly right "
                    "everywhere, from the first step.\n\nCount spikes in place of steps, and latency is ahead early and all "
                    "the way: it fires a tenth as often. Which code is *fast* depends on what you pay for, time or spikes."),
    "04.c": Guess(
        question="A sensor reports a change of the loudness when two samples in a row differ by more than 2 dB (*frame "
                 "difference*). At 2,000 samples a second it reports 13 changes in the 20 milliseconds of sound below. You buy "
                 "a better one, with 20,000 samples a second. How many changes does it report now?",
        choices=("About 130", "None", "13: it is the same sound"),
        right="None",
        explanation="With ten times the samples, two in a row differ by a tenth, and no difference reaches 2 dB: the sensor "
                    "has gone deaf. It compares with what it *saw* last, and forgets what it never reported.\n\nSend-on-delta "
                    "compares with what it *said* last, so small changes add up until they are worth an event, whatever the "
                    "clock.",
        explorer="encoding.delta", settings={"method": "frame"},
        shown=lambda data: data["count"] == 0),
    "04.d": Guess(
        question="In eight steps a direct current and a phase code pass on all 8 bits of a grey, one timed spike 3, a coin "
                 "1.1. One network learns to read MNIST digits from each of the four. How far apart are the best and the worst "
                 "accuracy?",
        choices=("2 to 3 points", "Less than 1 point", "More than 5 points"),
        right="Less than 1 point",
        explanation="0.7 points: phase 94.5 %, latency 93.8 %. A digit is no grey: it is a shape, drawn nearly in black and "
                    "white, over a hundred pixels, and shows even when each grey is wrong. Cut every pixel to *one bit*, and "
                    "the network still reads 93.4 %, so to this network all the grey of MNIST is worth one point.\n\nWhoever "
                    "compares codes on MNIST alone compares little. Below comes a task in which grey is all there is."),
    "04.e": Guess(
        question="One network, eight lamps. Which finds the lamp most often?",
        choices=("the raw numbers, as a current", "coins", "one timed spike a pixel", "all the same, as on MNIST"),
        right="one timed spike a pixel",
        explanation="One timed spike a pixel finds 99 % of the lamps, the raw numbers 41 %, coins 39 %, and chance would be "
                    "12.5 %.\n\nNot so fast, though: in the figure below the raw numbers get one small change, and then they "
                    "find 99 %, too. It was not their exactness that failed."),
}

QUESTIONS = [
    Question(
        "Latency says more with fewer spikes. Name two reasons to use a rate code all the same.",
        "One lost or shifted spike destroys a latency, but changes a rate little; and a latency needs a common start of time, "
        "which a rate does not."),
    Question(
        "A sensor has sent nothing for ten seconds. Which readings of this silence does frame difference allow, and which "
        "send-on-delta?",
        "Under frame difference the signal may have drifted any distance, slowly. Under send-on-delta it is within one "
        "threshold of what was said last, unless the sensor is broken."),
    Question(
        "Why is it a bug if the spikes of an image depend on the other images of its batch?",
        "The same image gives other spikes in another batch, and at test time, alone, others again: the reader cannot decode "
        "them, and test images influence each other's scores."),
]
