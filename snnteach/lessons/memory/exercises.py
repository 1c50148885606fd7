"""Exercises, guesses and questions of notebook 11."""
import torch

from ..kinds import Exercise, Guess, Misconception, Question
from . import answers, retired

EXERCISES = [
    Exercise(
        id="11.1", difficulty="easy", minutes=4, tolerance=2e-4,
        question="Which decay per step keeps one half for 60 steps?",
        reference=0.5 ** (1 / 60),
        property="Multiplied with itself 60 times it has to give 0.5.",
        hints=("After n steps the membrane has kept beta to the power n. Here n is 60, and what is kept is one half.",
               "beta^60 = 1/2: take the 60th root."),
        misconceptions=(
            Misconception(1 - 0.5 / 60, "you let the same amount leak at every step. Each step takes a share of what is "
                                        "left, so "
                                        "beta^60 has to be 0.5."),
            Misconception(0.5, "that keeps one half for one step."),
            Misconception(0.99, "a decay of 0.99 has its half-life at 69 steps: after 60, 55 % is left."),
            Misconception(0.98, "a decay of 0.98 has its half-life at 34 steps: after 60, 30 % is left."),
            Misconception(60 * 0.5, "a decay per step lies between 0 and 1."),
            Misconception(1 - 1 / 60, "that has a time constant of 60 steps: after those, 37 % is left. One half is asked "
                                      "for."),
            Misconception(0.5**60, "that is what a decay of 0.5 leaves after 60 steps. Turn it round: a root, not a power."),
            Misconception(1 - 0.5 ** (1 / 60), "that is the share that leaks in a step. The decay is the share that stays."),
        ),
        solution="beta^60 = 1/2, so beta = (1/2)^(1/60) = 0.9885."),
    Exercise(
        id="11.4", difficulty="easy", minutes=5,
        question="Give the delays with which spikes of the time steps `steps`, a tensor [C], all arrive at step `meet`.",
        reference=answers.delays_to_meet,
        cases=((torch.tensor([3, 11, 20]), 28), (torch.tensor([7, 2]), 9), (torch.tensor([0, 5, 4, 9]), 30)),
        property="Added to its step, each delay has to give the step at which all meet.",
        hints=("A spike of step t with delay d arrives at step t + d. Set this equal to `meet`.",
               "d = meet - t, for each spike: tensors are subtracted element by element."),
        misconceptions=(
            Misconception(answers.time_itself, "those are the steps at which they set out. How long does each have to travel?"),
            Misconception(answers.wrong_sign, "those are negative: nothing arrives before it was sent."),
            Misconception(answers.after_the_last, "with these they meet, at the step of the last spike. They are to meet at "
                                                  "`meet`."),
            Misconception(answers.after_the_first, "upside down: the earliest spike has to wait longest."),
            Misconception(answers.all_alike, "a delay that is common to all moves them together, and they stay as far apart."),
        )),
    Exercise(
        id="11.5", difficulty="medium", minutes=8,
        question="`heard[k]` is the spike of k steps ago, `heard` a tensor [K]. A synapse reads y = sum over k of g[k] "
                 "heard[k], "
                 "with the Gaussian shares g of Eq. 5 (width sigma, centre delay). Return dy / d delay, without autograd.",
        reference=answers.delay_gradient,
        cases=((torch.tensor(2.3), 1.0, answers.signal(0, 8)), (torch.tensor(0.4), 2.0, answers.signal(1, 12)),
               (torch.tensor(6.0), 4.0, torch.ones(7)), (torch.tensor(3.0), 0.7, torch.eye(9)[5])),
        tolerance=1e-5,
        property="Where everything was a spike, moving the window changes nothing: then it has to be 0.",
        hints=("g is a softmax of -(k - d)^2 / (2 sigma^2). The derivative of that exponent by d is (k - d) / sigma^2.",
               "For a softmax g of exponents e: dg[k] = g[k] (de[k] - sum_j g[j] de[j]). The d cancels, and the mean k stays.",
               "dy/dd = sum over k of g[k] (k - mean) / sigma^2 * heard[k], with mean = sum of g[k] k."),
        misconceptions=(
            Misconception(answers.around_the_delay, "near an edge the mean of the window is not the delay: the shares add "
                                                    "up to 1, "
                                                    "so that raising one lowers the others. Take k minus the mean of k "
                                                    "under g."),
            Misconception(answers.without_width, "right direction, wrong size: a narrow window reacts more. Divide by sigma "
                                                 "squared."),
            Misconception(answers.width_not_squared, "divide by sigma squared, not by sigma."),
            Misconception(answers.backwards, "the other way: a longer delay reads more of what lies further back."),
            Misconception(answers.forgets_the_spikes, "you never used `heard`: only spikes pull."),
            Misconception(answers.reading_itself, "that is y. How does it change with the delay?"),
        )),
    Exercise(
        id="11.6", difficulty="medium", minutes=15, build=True, tolerance=1e-5, gradients=("weight", "delay"),
        question="Write a layer of delayed synapses. spk is [T, B, C], weight and delay [H, C]; return the current [T, B, H], "
                 "sum over inputs and lags of weight * share[lag] * spk[t - lag], with Gaussian shares that add up to 1 "
                 "over the "
                 "lags 0 to max_delay - 1.",
        reference=answers.delayed,
        cases=((answers.signal(2, 12, 3, 4), *answers.synapses(3, 5, 4, 6), 1.5, 6),
               (answers.signal(4, 9, 2, 3), *answers.synapses(5, 2, 3, 5), 0.6, 5),
               (answers.signal(6, 4, 1, 2), *answers.synapses(7, 3, 2, 8), 3.0, 8)),
        property="A single spike at step 0 has to come back weighted by its shares, step by step.",
        hints=("First the shares, [H, C, K]: a softmax over the last axis of -(k - delay[..., None])^2 / (2 sigma^2), with "
               "k = torch.arange(max_delay).",
               "Then a loop over the lags. At each, past = spk shifted later by lag, zeros in front: torch.cat of zeros and "
               "spk[:T - lag].",
               "Add past @ (weight * share[..., lag]).T to the current. Stop at the last step: a lag of T or more reads "
               "nothing."),
        misconceptions=(
            Misconception(answers.not_normalised, "the shares of a synapse have to add up to 1: a softmax, or divide by "
                                                  "their sum."),
            Misconception(answers.into_the_future, "you read spikes that have not come yet: shift the past later, zeros in "
                                                   "front."),
            Misconception(answers.rolls_around, "torch.roll brings the end of the sequence back at its beginning: put zeros "
                                                "there."),
            Misconception(answers.rounds_the_delays, "a rounded delay has no gradient. Read through the Gaussian."),
            Misconception(answers.no_delays, "that ignores the delays."),
            Misconception(answers.one_width, "right for a width of 1 only: divide the distance by sigma."),
            Misconception(answers.no_two, "the exponent of a Gaussian is -(k - d)^2 / (2 sigma^2): there is a 2 below."),
            Misconception(answers.transposed_kernel, "the shares add up to 1 over the lags, the last axis, and not over "
                                                     "neurons."),
            Misconception(answers.turned_round, "you paired lag k with the wrong end of the window: conv1d and unfold do "
                                                "not flip, turn the kernel round."),
            Misconception(answers.lags_from_one, "k starts at 0: lag 0 is the step itself."),
            Misconception(answers.no_weights, "the weights never act."),
            Misconception(answers.one_step_late, "everything comes a step late: lag 0 is the step itself."),
        )),
    Exercise(
        id="11.7", difficulty="easy", minutes=6, tolerance=1e-5,
        question="`mem` is [T, B, C], and sample b has lengths[b] steps; what comes after is padding. Return the mean "
                 "membrane of "
                 "each sample before its end, [B, C].",
        reference=answers.mean_before_end,
        cases=((answers.membranes(8, 10, 3, 2), torch.tensor([10, 4, 7])),
               (answers.membranes(9, 6, 2, 4), torch.tensor([1, 6]))),
        property="Whatever you write into the padding, the result has to stay the same.",
        hints=("Make a mask [T, B]: torch.arange(T)[:, None] < lengths.",
               "Multiply, sum over time, and divide each sample by its own length."),
        misconceptions=(
            Misconception(answers.mean_of_all, "the padding takes part. Leave out the steps from lengths[b] on."),
            Misconception(answers.masked_over_all, "you left the padding out and still divided by T: a short sample gets a "
                                                   "small "
                                                   "mean."),
            Misconception(answers.sum_before_end, "that is the sum: a long sample gets a large one. Divide by its length."),
            Misconception(answers.one_too_many, "one step too many: the steps of a sample are 0 to lengths[b] - 1."),
            Misconception(answers.last_before_end, "that is the last step. Take the mean of all before the end."),
            Misconception(answers.all_over_lengths, "the padding is still in the sum."),
            Misconception(answers.from_the_end, "those are the last steps; the padding stands at the end."),
        )),
    Exercise(
        id="11.8", difficulty="medium", minutes=6, tolerance=1e-5,
        question="Give n decays whose half-lives run from shortest to longest steps in equal factors, a tensor [n].",
        reference=answers.spread, cases=((5, 3.0, 100.0), (3, 1.0, 4.0), (8, 2.0, 50.0)),
        property="The first decay, to the power of the shortest half-life, is 0.5, the last to the power of the longest too, "
                 "and each half-life is the same multiple of the one before.",
        hints=("Equal factors: the half-lives are shortest * r^0, shortest * r^1, ..., and the last is longest.",
               "half_lives = shortest * (longest / shortest) ** torch.linspace(0, 1, n).",
               "A decay with the half-life h keeps one half after h steps: beta^h = 0.5."),
        misconceptions=(
            Misconception(answers.spread_evenly, "these half-lives grow by equal amounts, so that few are short. Multiply each "
                                                 "by the same factor."),
            Misconception(answers.spread_decays_evenly, "you spread the decays, and their half-lives crowd at the short end."),
            Misconception(answers.half_lives_alone, "those are the half-lives. Which decay has each of them?"),
            Misconception(answers.as_time_constants, "those are time constants, after which 37 % is left. A half-life leaves "
                                                     "one half."),
            Misconception(answers.a_power_for_a_root, "0.5 to the power of h is what a decay of 0.5 leaves after h steps. Take "
                                                      "the root."),
            Misconception(answers.what_leaks, "that is the share that leaks in a step. The decay is the share that stays."),
            Misconception(answers.longest_left_out, "the last half-life is to be the longest: torch.linspace(0, 1, n) has both "
                                                    "ends."),
            Misconception(answers.longest_first, "right, and the wrong way round: the shortest half-life comes first."),
        )),
    Exercise(
        id="11.9", difficulty="medium", minutes=6, tolerance=1e-4,
        question="A latch with weight V to itself, decay beta and a threshold of 1 has fired at every step for long. Return "
                 "the size of the weakest inhibitory spike that silences it for ever.",
        reference=answers.weakest_pulse, cases=((1.2, 0.9), (1.5, 0.9), (1.3, 0.8), (1.02, 0.99)),
        property="At V = 2 - beta, where it holds its bit only just, next to nothing has to be enough.",
        hints=("Where has its potential settled? In U = beta U + V - 1 it stands still.",
               "It has settled at (V - 1) / (1 - beta). One step without a spike is enough: then nothing comes back.",
               "What is left must not lie above the threshold of 1."),
        misconceptions=(
            Misconception(answers.down_to_zero, "that brings it down to 0. It falls silent where it no longer lies above 1."),
            Misconception(answers.without_the_reset, "that forgets the reset: of V - 1 at each step it settles at "
                                                     "(V - 1) / (1 - beta)."),
            Misconception(answers.what_it_pays, "that is what a spike leaves over at each step. Over many steps it adds up."),
            Misconception(answers.above_the_border, "that is how far V lies above what it needs. The pulse meets the "
                                                    "potential, and that has settled much higher."),
            Misconception(answers.from_the_threshold, "that takes away what comes back in this one step. How high does the "
                                                      "potential stand?"),
            Misconception(answers.by_the_decay, "what leaks is 1 - beta: divide by that."),
            Misconception(answers.a_step_later, "the spike of the step before comes back along with the pulse: it is a whole "
                                                "step of U = beta U + V - 1."),
        )),
    Exercise(id="11.2", **retired.ADAPTED),
    Exercise(id="11.3", **retired.LEAST_WEIGHT),
]

GUESSES = {
    "11.a": Guess(
        question="The neuron below hears A, B and C once each, at steps 3, 11 and 20, with weights of 0.4. With $\\beta = "
                 "0.9$ it "
                 "stays silent: the first spike has leaked when the last one comes. Now give it a longer memory, "
                 "$\\beta = 0.99$. For which order does it fire?",
        choices=("only for A, B, C", "for C, B, A as well", "for neither"), right="for C, B, A as well",
        explanation="It adds up whatever comes, in any order, and $0.4\\,(1 + 0.99^9 + 0.99^{17}) = 1.10$ is enough. A long "
                    "memory "
                    "says *that* three spikes came. It says nothing about when.\n\nPut $\\beta$ back to 0.4, and the delays "
                    "to 25, "
                    "17 and 8: now the three arrive together, in this order alone.",
        explorer="memory.three", settings={"beta": 0.99}, shown=lambda data: all(data["fires"])),
    "11.f": Guess(
        question="Two layers start alike, all decays at 0.9: of a gradient, about a quarter of a percent crosses the 60 "
                 "steps of the gap. In the first the decays stay; it ends at chance. In the second they may learn. Where does "
                 "it end?",
        choices=("at chance as well: hardly any gradient tells it to slow down", "in between, at about 0.75",
                 "it recalls nearly all"), right="it recalls nearly all",
        explanation="Of the cues 0.999, in the mean of three seeds. Adam makes a full step of however small a gradient; what "
                    "counted was that there was something to change.\n\nIn the run below, ten of forty decays rise above "
                    "0.99."),
    "11.g": Guess(
        question="A latch of $V = 1.2$ holds its bit for ever; to be safe, you build another with $V = 1.5$ ($\\beta = 0.9$, "
                 "$\\theta = 1$). To erase the bit, each gets one inhibitory pulse of $-1.5$. Which falls silent?",
        choices=("both", "only the one with $V = 1.2$", "neither"), right="only the one with $V = 1.2$",
        explanation="They have settled at $(V - 1)/0.1$, at 2 and at 5. The pulse leaves 0.5 of the one, and it is silent; "
                    "3.5 of the other, and it fires on. It takes a pulse of 1, and one of 4: what holds better is "
                    "harder to erase.",
        explorer="memory.latch", settings={"weight": 1.2, "pulse": 1.5},
        shown=lambda data: data["count"] > 20 and not data["spk"][-1]),
    "11.d": Guess(
        question="Thirty neurons start with random delays between 0 and 31 steps and are to make three spikes meet. Their "
                 "synapses "
                 "read through Gaussians of width 0.5, sharp from the start. How many of the thirty find the delays?",
        choices=("all thirty: sharp windows are exact", "about fifteen", "about five"), right="about five",
        explanation="A spike that arrives too late is not heard at step 28: beyond about three steps nothing pulls its delay. "
                    "One that arrives too early leaves a rest in the membrane, and Adam makes a full step of however small a "
                    "slope. So just those five find the delays whose three spikes all start too early; without a membrane "
                    "that keeps anything ($\\beta = 0$) one does.\n\nIn a wide window every spike pulls, early or late; narrow "
                    "later, and the meeting becomes exact."),
    "11.e": Guess(
        question="Four orders of spikes hidden among others. Without delays the best spiking nets reach a little over one half "
                 "(chance is "
                 "a quarter), with sixteen neurons whose delays are learned nearly all. Now take the same sixteen with "
                 "*random* "
                 "delays, never trained. Where do they land?",
        choices=("near the learned ones", "near those without delays", "at chance: random delays scramble the order"),
        right="near the learned ones",
        explanation="Sixteen neurons with four random delays each are sixteen random questions about time, and the read-out "
                    "picks those that help. With sixteen neurons most of the gain is to *have* delays (0.55 to 0.90, then "
                    "0.997 by learning them); with eight, most is to *learn* them (0.55 to 0.74, then 0.986)."),
    "11.b": retired.SHARPNESS,
    "11.c": retired.PAYS_FOR_ITSELF,
}

QUESTIONS = [
    Question("A cortical axon delays a spike by 1 to 20 milliseconds. Would a brain need to learn these delays, or could it "
             "choose "
             "among those it has?",
             "Section 5 measures both: random delays and a learned read-out come close, if there are enough neurons. "
             "Choosing is "
             "what a learning rule for weights does already; learning delays buys smaller networks."),
    Question("Why do we narrow the Gaussians during training, and not only at the end?",
             "The weights have to be learned for the delays that will be used. A net that was trained on blurred delays and "
             "rounded "
             "afterwards is another net. In the last part of the training the delays stand still, as they will be deployed."),
    Question("The size of a gradient before training did not tell which recurrent layer would learn. What would you measure "
             "instead?",
             "Whether the gradient points to something useful: how it changes from sample to sample, how the loss falls "
             "along it, "
             "and whether the network has a state that can be made to last."),
]
