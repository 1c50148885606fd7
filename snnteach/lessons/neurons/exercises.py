"""Exercises of notebook 02."""
import math

import torch

from ..kinds import Exercise, Guess, Misconception, Question
from . import answers

EXERCISES = [
    Exercise(
        id="02.1", difficulty="easy", minutes=4, tolerance=2e-3,
        question="After how many steps (a fraction is fine) has a membrane with beta = 0.95 lost half of its charge?",
        reference=math.log(0.5) / math.log(0.95),
        property="Put it into 0.95^n: the result has to be 0.5.",
        hints=("After n steps the membrane has kept beta to the power n. Set that equal to one half.",
               "Take the logarithm on both sides: n = ln(0.5) / ln(beta)."),
        misconceptions=(
            Misconception(10.0, "you took 5 % of the first charge at every step. Each step takes 5 % of what is left, "
                                "so the loss slows down."),
            Misconception(-1 / math.log(0.95), "that is the time constant, after which 37 % is left. Which n leaves one half?"),
            Misconception(14.0, "14 is the first whole step with less than half. The moment itself falls between two steps: "
                                "solve 0.95^n = 0.5 for n."),
            Misconception(13.0, "13 is the last whole step with more than half; the moment itself falls between two steps."),
        ),
        solution="0.95^n = 1/2, so n = ln(0.5) / ln(0.95) = 13.51 steps."),
    Exercise(
        id="02.2", difficulty="easy", minutes=5,
        question="A neuron decays by `beta` in a step of length `dt`. Give its decay in a step of length `new_dt`.",
        reference=answers.decay_for_step,
        cases=((0.9, 1.0, 2.0), (0.95, 1.0, 0.1), (0.8, 5.0, 1.0)),
        property="Two steps of length `dt` and one of 2 * dt have to leave the same share: beta * beta.",
        hints=("beta = exp(-dt / tau) and tau stays the same. What is tau, given beta and dt?",
               "Two steps multiply by beta twice. So a step k times as long multiplies by beta to the power k."),
        misconceptions=(
            Misconception(answers.linear_leak, "that scales the leak in proportion, as Euler would. "
                                        "Two steps of 0.9 leave 0.81, not 0.8."),
            Misconception(answers.upside_down, "upside down: a longer step must leave less of the charge, not more."),
            Misconception(answers.scaled, "you scaled beta itself, so a step twice as long would leave more than everything. "
                                   "Decays multiply: think of a power."),
            Misconception(answers.forgets_dt, "right where dt is 1. beta belongs to a step of length `dt`: how many of "
                                              "those is `new_dt`?"),
            Misconception(answers.eulers_tau, "1 / (1 - beta) is Euler's time constant; the exact one is -dt / ln(beta)."),
            Misconception(answers.what_is_lost, "that is the share that leaks. The decay is the share that stays."),
        )),
    Exercise(
        id="02.3", difficulty="medium", minutes=10,
        question="Repair the listing: run one neuron with a constant input from rest and return its spikes, a tensor [T].",
        reference=answers.lif_run,
        cases=((0.3, 0.9, 1.0, 100), (0.7, 0.8, 1.5, 60), (0.25, 1.0, 1.0, 30), (1.0, 0.0, 1.0, 5)),
        property="In each step: decay and add, subtract a threshold if the step before fired, then compare.",
        hints=("The reset of step t needs the spike of step t - 1. Where does the listing keep it?",
               "Make the spike a second state: spk = 0.0 before the loop, never inside; then Eq. 2, then the comparison.",
               "Collect float(mem > threshold) in a list and return torch.tensor of it."),
        misconceptions=(
            Misconception(answers.never_resets, "it still never resets: the spike of the step before is forgotten, "
                                         "so the potential climbs to its ceiling and stays."),
            Misconception(answers.at_once, "your reset arrives as beta * threshold: either you scaled it by beta, or you "
                                           "reset in the "
                                    "same step and let it leak. Eq. 2 subtracts the full threshold, after the decay."),
            Misconception(answers.to_zero, "that is reset to zero: the excess over the threshold is lost. Eq. 2 subtracts."),
            Misconception(answers.at_or_above, "you also fire when mem equals the threshold. Eq. 3 is strict: mem > "
                                               "threshold."),
            Misconception(answers.loses_the_input, "that resets to zero and drops the input of that step. "
                                            "Eq. 2 subtracts a threshold and keeps the rest."),
            Misconception(answers.subtracts_one, "right for a threshold of 1 only: a spike costs `threshold`, not 1."),
            Misconception(answers.compares_with_one, "right for a threshold of 1 only: compare mem with `threshold`."),
            Misconception(answers.returns_potentials, "those are the potentials. Return the spikes."),
            Misconception(answers.compares_first, "you compare before the current of this step has arrived, so every spike "
                                                  "comes a step late: update mem first."),
            Misconception(answers.scales_the_current, "Eq. 2 adds all of the input: W has swallowed 1 - beta."),
        )),
    Exercise(
        id="02.4", difficulty="easy", minutes=5, tolerance=1e-4,
        question="Above which constant input does a neuron with beta = 0.9 and a threshold of 1 ever fire?",
        reference=0.1,
        property="With this input the potential climbs to 1 and no higher: there the leak takes as much as comes in.",
        hints=("Without a spike the potential climbs to a ceiling. Where do leak and input balance?",
               "At the ceiling U = beta U + I, so U = I / (1 - beta). Set this equal to the threshold."),
        misconceptions=(
            Misconception(1.0, "that fires in one step. Smaller inputs add up over time: to which ceiling?"),
            Misconception(0.9, "beta times the threshold is not the limit. The leak takes 1 - beta of the potential "
                               "at every step; the input must outweigh that."),
            Misconception(10.0, "that is the factor 1 / (1 - beta) between the input and its ceiling. "
                                "Which input has its ceiling at 1?"),
            Misconception(1 / 9, "close: nothing is multiplied by beta on the way in. At the ceiling U = 0.9 U + I."),
        ),
        solution="The ceiling is I / (1 - 0.9) = 10 I. It passes 1 for I > 0.1."),
    Exercise(
        id="02.5", difficulty="medium", minutes=6, tolerance=5e-3,
        question="beta = 0.8, threshold 1, constant input 0.45, mean potential 0.751: how many spikes in 100 steps?",
        reference=30,
        property="Spikes and leak together have to make up the input: 45 thresholds in 100 steps.", scales={"steps": 100},
        hints=("Eq. 4 gives spikes per step. Multiply by 100.",
               "The leak costs (1 - beta) times the mean potential per step: 0.2 * 0.751."),
        misconceptions=(
            Misconception(45, "you forgot the leak. What does a fifth of the mean potential cost per step?"),
            Misconception(36, "you took a fifth of the input. The leak takes a fifth of the mean potential, 0.751."),
            Misconception(-15.08, "fewer than no spikes: the leak is 1 - beta of the potential, not beta."),
            Misconception(-30.1, "you took off the whole potential. Per step only the share 1 - beta of it leaks: "
                                 "0.2 * 0.751."),
            Misconception(15.02, "that is what leaks in 100 steps. What is left of the 45 that came in?"),
            Misconception(60.02, "what leaks does not fire: take it away from the input."),
        ),
        solution="(0.45 - 0.2 * 0.751) * 100 = 29.98, and spikes are whole: 30."),
    Exercise(
        id="02.6", difficulty="medium", minutes=12, build=True,
        question="Write the neuron that resets at once: charge, compare, pay, all in one step. From rest, x is [T, B, N]. "
                 "Return (spk, mem), each [T, B, N], mem as it was before paying.",
        reference=answers.lif_at_once,
        cases=((answers.wave(0, 40, 2, 5), 0.9, 1.0), (answers.wave(1, 30, 3, 4), 0.75, 0.6), (torch.ones(6, 1, 1), 0.5, 1.0),
               (torch.ones(4, 1, 1), 0.0, 1.0)),
        property="After a spike, what is left is mem - threshold, and the next step keeps beta times that.",
        hints=("One tensor goes from step to step: what is left after paying. It begins as zeros, shaped like x[0].",
               "In the loop: mem = beta * left + x_t; the spikes are where mem > threshold; then left = mem - threshold * spk.",
               "Collect spk and mem of every step in two lists and return torch.stack of each. (mem > threshold) is a tensor "
               "of truth values: .to(x.dtype) makes numbers of them."),
        misconceptions=(
            Misconception(answers.a_step_late, "that is Eq. 2: the bill comes a step late, and in full. Here it is paid in "
                                               "the step of the spike, so that only what is left goes on to leak."),
            Misconception(answers.to_zero_at_once, "you empty the membrane after a spike. It pays one threshold and keeps "
                                                   "the rest."),
            Misconception(answers.never_pays, "nobody pays: the next step has to begin from mem - threshold * spk."),
            Misconception(answers.records_after_paying, "the spikes are right, and mem is what is left after paying. "
                                                        "Record it before."),
            Misconception(answers.swapped, "both are right, in the wrong order: return (spk, mem)."),
            Misconception(answers.pays_beta, "you pay beta * threshold, and the rest leaks as well. Pay one whole "
                                                        "threshold before the leak."),
            Misconception(answers.pays_one, "right for a threshold of 1 only: a spike costs `threshold`, not 1."),
            Misconception(answers.remembers_nothing, "your neuron forgets: each step has to begin with beta times what was "
                                                     "left."),
            Misconception(answers.fires_at_it, "you also fire when mem equals the threshold. Eq. 3 is strict: mem > "
                                               "threshold."),
            Misconception(answers.input_leaks, "the input of this step has not leaked yet: beta multiplies only what was "
                                               "left before."),
            Misconception(answers.leaks_twice, "what is left leaks twice: once when it is stored and once when it is used."),
            Misconception(answers.as_eq_1, "the input is not scaled by 1 - beta here: W has swallowed that factor (Eq. 2)."),
        )),
    Exercise(
        id="02.7", difficulty="easy", minutes=4, tolerance=1e-3,
        question="A neuron as in Eq. 2 has beta = 0.9 and a weight of 0.4. You try beta = 0.98 and want the ceiling of its "
                 "potential under a constant input to stay: which weight does it need?",
        reference=0.08,
        property="The ceiling under a constant X is W X / (1 - beta): W and 1 - beta have to change by the same factor.",
        hints=("Without a spike, U = beta U + W X at the ceiling. Solve for U.",
               "The ceiling is W X / (1 - beta), so W / (1 - beta) has to stay: 0.4 / 0.1."),
        misconceptions=(
            Misconception(0.4, "with this weight the ceiling is five times as high: W X / 0.02, where it was W X / 0.1."),
            Misconception(2.0, "upside down: what leaks less needs less. The ceiling is W X / (1 - beta)."),
            Misconception(0.4 * 0.98 / 0.9, "you scaled W with beta. What sets the ceiling is 1 - beta, which shrinks from "
                                            "0.1 to 0.02."),
            Misconception(0.4 * 0.9 / 0.98, "you scaled W with 1 / beta. What sets the ceiling is 1 - beta: from 0.1 to 0.02."),
            Misconception(4.0, "that is W', the weight of Eq. 1, which stays. Which W = (1 - beta) W' is it at beta = 0.98?"),
        ),
        solution="W / (1 - beta) is 4 and has to stay: W = 4 * 0.02 = 0.08."),
    Exercise(
        id="02.8", difficulty="medium", minutes=8,
        question="From records x, spk and mem [T] of one neuron say whether each spike cost one whole threshold, a step later, "
                 "and nothing else was taken, to 1e-5: True or False.",
        reference=answers.pays_in_full,
        cases=(answers.records(0), answers.records(1, beta=0.8, threshold=0.6), answers.records(0, "none"),
               answers.records(0, "zero"), answers.records(0, "subtract_decayed"), answers.records(2, lost=((25, 0.2),)),
               answers.records(3, threshold=9.0), answers.records(3, threshold=9.0, lost=((31, -0.1),)),
               answers.records(5, beta=1.0), answers.records(4, lost=((12, 0.1), (30, -0.1)))),
        hints=("Eq. 2 says what mem[1:] would be if nothing were taken: beta * mem[:-1] + x[1:]. What is missing was taken.",
               "What was taken in each step after the first has to be threshold * spk[:-1], the spikes of the step before.",
               "Compare with .abs() < 1e-5, ask for .all(), and turn it into a bool."),
        property="In every step but the first it compares what is missing from beta * U + X with the bill of the step before.",
        misconceptions=(
            Misconception(answers.in_the_same_step, "you look for the payment in the step of the spike. It comes one step "
                                                    "later: spk[:-1] beside mem[1:]."),
            Misconception(answers.a_leaked_bill, "your bill leaks: you take beta * threshold, or let what is left after "
                                                 "the payment leak. Eq. 2 leaks first and then takes a whole threshold."),
            Misconception(answers.a_bill_of_one, "right for a threshold of 1 only: a spike costs `threshold`."),
            Misconception(answers.nothing_leaks, "you forgot the leak: of the potential before, only beta is kept."),
            Misconception(answers.something_is_taken, "to take something after each spike is not enough: how much was it, and "
                                                      "was anything taken elsewhere?"),
            Misconception(answers.only_after_spikes, "you look at the steps after a spike only. Charge can get lost in the "
                                                     "others, too."),
            Misconception(answers.one_step_is_enough, "one right step is not enough: ask for all of them."),
            Misconception(answers.in_sum, "you compare sums: what one step takes too much another may take too little. Compare "
                                          "step by step."),
            Misconception(answers.without_a_size, "a step that takes too little passes your test: compare the size, .abs()."),
            Misconception(answers.to_the_last_bit, "a right neuron fails your test by rounding: allow for 1e-5."),
        )),
]

GUESSES = {
    "02.a": Guess(
        question="In the explorer below, a steady input of 0.3 thresholds a step fires the neuron ($\\beta = 0.9$) 23 times "
                 "in 100 steps. Now the *same* charge comes in packets: four steps of nothing, then 1.5 at once. How often "
                 "does the neuron fire?",
        choices=("More often: charge that comes together leaks less", "Less often", "As often: the mean is the same"),
        right="Less often",
        explanation="20 times, once a packet. A packet lifts the potential far above the threshold, and a spike takes one "
                    "threshold away. The rest waits, and leaks: the leak takes a share of what is *there*, so it takes most "
                    "where the potential is high. It eats 33 % of the input here, and 23 % when steady. Without a leak "
                    "($\\beta = 1$) both fire alike.\n\nThe opposite holds for a faint input. At a mean of 0.09 the steady "
                    "one climbs to 0.9 and stays there, and each packet adds to what the one before has left: every fifth "
                    "packet fires. Packets help a weak mean and waste a strong one; the order turns between 0.2 and 0.3.",
        explorer="neurons.lif", settings={"current": 0.3, "kind": "pulse train"},
        shown=lambda data: bool((data["x"] > 1).any())),
    "02.b": Guess(
        question="Your library writes Eq. 1, with the factor $1-\\beta$. Under a steady input a neuron with $\\beta = 0.9$ "
                 "fires 23 times in 100 steps. You give it twice the memory, $\\beta = 0.95$, and touch "
                 "nothing else. How often does it fire now?",
        choices=("About twice as often: half as much leaks", "A little more often", "About half as often"),
        right="About half as often",
        explanation="11 times. Eq. 1 takes in the share $1-\\beta$ of its input, and you have just halved it. The ceiling "
                    "stays where it was, but the climb after each spike takes twice as many steps. In Eq. 2, with $W$ held, "
                    "it would have been 26 times: there the longer memory leaks less and nothing else changes.\n\nIn "
                    "continuous time this is the f-I curve of notebook 01: $\\tau$ stands in front of the logarithm. A slow "
                    "membrane is slow at everything."),
    "02.c": Guess(
        question="`\"subtract\"` gives 23 spikes in 100 steps of 0.3. `\"zero\"` throws away whatever lay above the "
                 "threshold. How many does it give?",
        choices=("More", "Fewer: it throws charge away", "23 too: at 0.3 there is hardly anything above the threshold"),
        right="More",
        explanation="It fires 25 times. Look at what is left a step after the first spike. The potential was 1.03, and the "
                    "leak has taken its tenth: 0.93. `\"subtract\"` now takes a whole threshold, more than there is, and "
                    "leaves -0.07; the new input makes it 0.23. `\"zero\"` takes only what is there: 0.30 with the new input. "
                    "As long as a spike leaves at $U < \\theta/\\beta = 1.11$, the bill is higher than the balance.\n\nWith "
                    "larger inputs the spikes come from further above, and the order turns: noise between 0 and 0.6 gives "
                    "`\"subtract\"` 0.23 spikes a step and `\"zero\"` 0.22."),
    "02.d": Guess(
        question="The same pupils again, with answers that have nothing to do with their input. This time they are written as "
                 "Eq. 1: their input is scaled by $1-\\beta$, with $W'$ held. Their decay starts at 0.7. Where does it go?",
        choices=("Down again: there is no memory in these data", "It stays near 0.7: there is nothing to learn", "Up, towards "
                                                                                                                 "1"),
        right="Up, towards 1",
        explanation="To 0.99. Where nothing can be foretold, the best answer is to keep still. In Eq. 2 a potential is still "
                    "when it forgets at once; in Eq. 1 when it takes in next to nothing, $1-\\beta$ near 0. The data are the "
                    "same, the loss is the same, and the decay goes to the opposite end. It is tempting to say that the pupil "
                    "unlearned a memory for which the data have no use. It was never memory that was unlearned.\n\nGive the "
                    "pupil a weight of its own, and it turns that down instead: to 0.1 and less, and the decay ends "
                    "anywhere."),
}

QUESTIONS = [
    Question(
        "You halve the time step, so that the same signal takes twice as many steps, and keep beta. What have you changed?",
        "The memory in seconds: it is halved. Take the square root of beta, and halve the charge that a step brings."),
    Question(
        "beta = 0.9, threshold 1, one input of 3 and then silence. How many spikes with reset \"subtract\", and with \"zero\"?",
        "Two with subtract: the potential is 3, then 0.9 * 3 - 1 = 1.7, then 0.53. One with zero, which throws the excess "
        "away."),
    Question(
        "What does a neuron with reset \"none\" compute, and why is its spike count a poor measure of its input?",
        "A leaky sum and a comparison. Above the threshold it fires at every step, whether the input is a little or much "
        "too large."),
]
