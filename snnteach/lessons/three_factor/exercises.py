"""Exercises of notebook 15."""
import math

import torch

from ...surrogate import atan, triangular
from ..kinds import Exercise, Guess, Misconception, Question
from . import answers

_TRACE, _X = torch.tensor([0.5, 0.0, 1.0]), torch.tensor([1.0, 1.0, 0.0])
_MEM, _ERROR = torch.tensor([0.7, 1.4]), torch.tensor([0.5, -1.0])

EXERCISES = [
    Exercise(
        id="15.1", difficulty="easy", minutes=4, tolerance=1e-3,
        question="A neuron has beta = 0.95. Which time constant tau_plus, in steps, has the half window in its BPTT gradient?",
        reference=-1 / math.log(0.95),
        hints=("The gradient falls as beta^lag, the STDP window as exp(-lag / tau_plus). Set them equal.",
               "lag ln(beta) = -lag / tau_plus, so tau_plus = -1 / ln(beta)."),
        misconceptions=(
            Misconception(1 / 0.05, "that is 1 / (1 - beta), close for slow neurons. The exact one has a logarithm."),
            Misconception(math.log(0.95), "that is the log-slope. The time constant is minus one over it."),
            Misconception(math.log(0.5) / math.log(0.95), "that is the half-life. Wait until 1/e is left, not one half."),
            Misconception(0.95, "that is what is left after one step. After how many steps is 1/e left?"),
        ),
        property="After tau_plus steps 1/e, 0.368, must be left: 0.95 ** tau_plus says whether it is.",
        solution="beta^lag = exp(lag ln beta), so tau_plus = -1 / ln 0.95 = 19.50 steps."),
    Exercise(
        id="15.2", difficulty="medium", minutes=8,
        question="With the reset kept in the gradient, by which factor does the half window fall per step? Before the spike "
                 "the membrane is at 0; h(u) is the surrogate, u = mem - threshold.",
        reference=answers.window_ratio,
        cases=tuple((beta, threshold, answers.of_numbers(h))
                    for beta, threshold, h in ((0.9, 1.0, atan()), (0.8, 0.5, triangular()), (0.95, 2.0, answers.uneven))),
        hints=("mem[t+1] = beta mem[t] + x - threshold spk[t]. Differentiate for mem[t], through both terms.",
               "d spk / d mem is h(mem - threshold), and before the spike mem = 0: beta - threshold * h(-threshold)."),
        misconceptions=(
            Misconception(lambda beta, threshold, h: beta,
                          "that is the detached reset. Attached, mem[t] reaches mem[t+1] through spk[t] too."),
            Misconception(lambda beta, threshold, h: beta - threshold * h(0),
                          "h is taken where the membrane waits, at mem = 0, so u = -threshold and not 0."),
            Misconception(lambda beta, threshold, h: beta - threshold * h(threshold),
                          "at mem = 0 u is -threshold, with its sign: a surrogate need not be even."),
            Misconception(lambda beta, threshold, h: beta * (1 - h(-threshold)),
                          "the reset takes a whole threshold and does not leak: beta - threshold * h."),
            Misconception(lambda beta, threshold, h: beta + threshold * h(-threshold),
                          "a spike lowers the membrane: the second path comes with a minus."),
            Misconception(lambda beta, threshold, h: beta - h(-threshold),
                          "the reset takes a whole threshold away: h is multiplied by it."),
            Misconception(lambda beta, threshold, h: beta - beta * threshold * h(-threshold),
                          "the reset is not scaled by beta: only the membrane leaks."),
            Misconception(lambda beta, threshold, h: -1 / math.log(answers.window_ratio(beta, threshold, h)),
                          "that is the time constant. The question is which part is left after one step."),
        ),
        property="It is beta, less what the reset hands on; where h is 0, beta alone must be left."),
    Exercise(
        id="15.3", difficulty="medium", minutes=8,
        question="Write one step of an online three-factor rule for one sample: return the new trace [I] and the change of the "
                 "weights [H, I]. The surrogate is max(0, 1 - |u|), the error [H] is dL/dspk.",
        reference=answers.learning_step,
        cases=((_TRACE, _X, _MEM, _ERROR, 0.9, 1.0, 0.1),
               (torch.zeros(3), _X, torch.tensor([-0.5, 0.9]), _ERROR, 0.5, 0.8, 0.5)),
        hints=("trace = beta * trace + x; then one number a neuron times one number a synapse: torch.outer.",
               "change = -rate * torch.outer(error * (1 - (mem - threshold).abs()).clamp(min=0), trace)."),
        misconceptions=(
            Misconception(lambda *given: answers.learning_step(*given[:-1], -given[-1]),
                          "an error says what is too much: the change goes against it, with a minus."),
            Misconception(answers.spikes_only,
                          "the second factor is how near the neuron stands to threshold, not whether it fired."),
            Misconception(lambda trace, x, mem, *others: answers.learning_step(trace, x, 0 * mem + others[2], *others),
                          "the surrogate is missing: a neuron far from threshold cannot change its spike."),
            Misconception(answers.input_now, "you used the input of this step. The trace also remembers what came earlier."),
            Misconception(answers.trace_before,
                          "you multiplied with the trace of the step before: this step's input belongs to it."),
            Misconception(answers.not_clamped, "far from threshold the surrogate is 0, never negative: clamp it."),
            Misconception(lambda *given: answers.learning_step(*given[:-1], 1.0), "the learning rate is missing."),
            Misconception(lambda trace, x, *others: answers.learning_step(trace + x, 0 * x, *others),
                          "the new input has not leaked yet: trace = beta * trace + x, like the membrane."),
        ),
        property="A synapse must not change where its neuron has no error, where its trace is 0, or where h is 0."),
    Exercise(
        id="15.4", difficulty="hard", minutes=10, tolerance=2.8e-4,          # three digits, 0.988, are right
        question="A tag must wait D = 40 steps for its reward, so d^40 of it is left. Every step adds other, independent "
                 "tags, whose sum has standard deviation proportional to 1 / sqrt(1 - d^2). Which decay d makes signal over "
                 "noise largest?",
        reference=math.sqrt(40 / 41),
        hints=("Maximise f(d) = d^D sqrt(1 - d^2), or more easily its logarithm.",
               "D / d = d / (1 - d^2), so d^2 = D / (D + 1)."),
        misconceptions=(
            Misconception(math.exp(-1 / 40), "that is a time constant equal to the delay. The best is about twice as long."),
            Misconception(40 / 41, "that is d squared: the noise has a square root, and so has the answer."),
            Misconception(1 - 1 / 40, "that forgets a fortieth a step: a memory of one delay. The best is twice as long."),
            Misconception(-1 / math.log(math.sqrt(40 / 41)), "that is its time constant, in steps. d is what one step leaves."),
            Misconception(80.0, "that is a time constant of twice the delay, in steps; d is what one step leaves."),
            Misconception(1.0, "then nothing is forgotten, and the noise of all the past grows without bound."),
        ),
        solution="d = sqrt(40/41) = 0.98773, a time constant of -1 / ln d = 81 steps: twice the delay, and one step more.",
        property="It lies between 0 and 1, and at it f(d) = d**40 * (1 - d**2)**0.5 falls on both sides."),
    Exercise(
        id="15.5", difficulty="medium", minutes=6,
        question="A neuron fires with probability p and earns reward_spike if it does, reward_silent if not. The rule is "
                 "(reward - baseline) * (spk - p). What is the expected change?",
        reference=answers.expected_change,
        cases=((0.3, 1.0, 0.0, 0.0), (0.3, 1.0, 0.0, 0.5), (0.8, 0.2, 0.9, 0.4)),
        hints=("Two things can happen. Weigh each by its probability.",
               "p (reward_spike - baseline) (1 - p) + (1 - p) (reward_silent - baseline) (0 - p)."),
        misconceptions=(
            Misconception(lambda p, yes, no, base: p * (yes - base),
                          "that is reward times spk. Without '- p', even a neuron paid for nothing changes."),
            Misconception(lambda p, yes, no, base: p * (1 - p) * (yes - no - base),
                          "the baseline stands in both cases and cancels. It changes the noise only."),
            Misconception(lambda p, yes, no, base: yes - no,
                          "right direction; weigh each outcome by its probability and its score."),
            Misconception(lambda p, yes, no, base: (yes - base) * (1 - p) - (no - base) * p,
                          "you added the two outcomes; weigh them by p and 1 - p."),
            Misconception(lambda p, yes, no, base: p * yes + (1 - p) * no - base,
                          "that is the expected surprise. The change multiplies each reward by its own spk - p."),
            Misconception(lambda p, yes, no, base: p * (1 - p) * (yes - base + no - base),
                          "silence has the score 0 - p, which is negative: the second outcome comes with a minus."),
        ),
        property="It must be 0 where both outcomes are paid alike, whatever the baseline."),
    Exercise(
        id="15.6", difficulty="hard", minutes=15, tolerance=1e-5, build=True,
        question="Write the three-factor update for a batch: from x [T, B, I], mem and spk [T, B, H] and a reward [B] "
                 "that comes after the last step return the change of the weights [H, I], the mean over the batch, and "
                 "the new expectation. The trace of an input decays by beta, the tag of a synapse by decay; p = "
                 "sigmoid(slope * (mem - 1)).",
        reference=answers.reward_update,
        cases=(answers.trial(6, 4, 2, 3, 0.8, 0.9, 2.0, 0.1), answers.trial(3, 2, 3, 2, 0.5, 1.0, 4.0, 1.0)),
        hints=("Two memories, both 0 at first: seen [B, I] = beta * seen + x_t, and tag [B, H, I] = decay * tag + what is new.",
               "What is new: (slope * (spk_t - sigmoid(slope * (mem_t - 1))))[:, :, None] * seen[:, None, :].",
               "rate * ((reward - expected)[:, None, None] * tag).mean(0), and expected + 0.05 * (reward.mean() - expected)."),
        misconceptions=(
            Misconception(answers.but(mem=lambda given: given["mem"] - 1e9),
                          "you tag the spikes alone. Subtract p, what was expected of the neuron."),
            Misconception(answers.but(expected=lambda given: 0 * given["expected"]),
                          "the reward counts less what was expected: reward - expected."),
            Misconception(answers.but(decay=lambda given: 0.0), "only the last step's tag is left: decay * tag + the new one."),
            Misconception(answers.but(decay=lambda given: 1.0), "your tag does not fade: multiply it by decay at every step."),
            Misconception(answers.but(beta=lambda given: 0.0), "you used the input of this step. Its trace remembers more."),
            Misconception(answers.but(beta=lambda given: 1.0), "your trace of the inputs does not fade: multiply it by beta."),
            Misconception(answers.but(x=lambda given: given["x"].roll(1, 0) * (torch.arange(len(given["x"])) > 0)[:, None,
                                                                                                                  None]),
                          "you used the trace of the step before. This step's input belongs to it: first seen, then tag."),
            Misconception(answers.but(mem=lambda given: 1 + (given["mem"] - 1) / given["slope"]),
                          "p = sigmoid(slope * (mem - 1)): the slope stands inside, too."),
            Misconception(answers.but(mem=lambda given: given["mem"] + 1), "p is taken at mem - 1: the threshold is missing."),
            Misconception(answers.but(rate=lambda given: given["rate"] * given["decay"]),
                          "the newest tag has not faded yet: decay * tag + the new one."),
            Misconception(answers.but(rate=lambda given: given["rate"] * len(given["reward"])),
                          "you summed over the batch: take the mean."),
            Misconception(answers.but(reward=lambda given: given["reward"].mean().expand(len(given["reward"]))),
                          "each sample's tag meets its own reward: multiply first, then take the mean."),
            Misconception(answers.but(rate=lambda given: -given["rate"]),
                          "a reward is no error: what came before a good surprise is strengthened, with a plus."),
            Misconception(answers.but(rate=lambda given: given["rate"] / given["slope"]),
                          "the k of k (S - p) is missing: slope."),
            Misconception(answers.but(rate=lambda given: 1.0), "the learning rate is missing."),
            Misconception(answers.but(expected=lambda given: 0.95 * given["expected"] + 0.05 * given["reward"].mean()),
                          "compare the reward with what was expected *before* it came."),
            Misconception(lambda *given: (answers.reward_update(*given)[0], given[3].mean()),
                          "the expectation is a slow mean: it moves by 0.05 of the way to the reward."),
            Misconception(lambda *given: (answers.reward_update(*given)[0], given[4]),
                          "the expectation has to learn too: it moves by 0.05 of the way to the mean reward."),
        ),
        property="Nothing may change where the reward was expected or where no input came."),
]

GUESSES = {
    "15.a": Guess(
        question="The explorer below starts with a tag that lasts 40 steps and a reward 20 steps after the output spike. "
                 "You may either double the tag's memory to 80 steps or halve the delay to 10. Which makes the weight "
                 "change more?",
        choices=("The longer memory: it keeps more of *every* tag", "The shorter delay: a wait costs at once", "Both alike"),
        right="Both alike",
        explanation="What is left of the tag is $e^{-D/\\tau}$, with $D$ the delay and $\\tau$ the memory. Only their "
                    "ratio counts: $10/40 = 20/80$. Either way 0.46 is learned instead of 0.36.\n\nThe two are not alike "
                    "once something else happens during the wait: a long memory keeps that as well. Section 4 is about this.",
        explorer="three_factor.timing", settings={"tau": 80.0}, shown=lambda data: data["change"] > 0.4),
    "15.b": Guess(
        question="You send of the *rate error* only what exceeds 0.4, and of that only the sign: one error in nine, one "
                 "bit each. The accuracy stays at 95 %. Now you do the same to the *softmax error*, which reaches 95 % "
                 "too when it is sent whole. What happens?",
        choices=("Nothing is learned", "It loses some points", "It stays at 95 %: an error is an error"),
        right="Nothing is learned",
        explanation="It reads 8 % of the digits, less than chance: all counts are equal in the end, so the guess is always "
                    "0, and 8 % are zeros. When all ten neurons fire alike, a softmax tells each "
                    "of the nine wrong ones that it has a tenth too much. That is below the trigger and is never sent. "
                    "What is sent is the big error of the right neuron, which has too little. So every neuron grows, "
                    "until all fire at every step.\n\nA rate error tells each wrong neuron how much *it* fires, whatever "
                    "the others do. Take its large errors of one kind only, *too little*, and it fails in the same way."),
    "15.c": Guess(
        question="The reward comes 20 steps late, and meanwhile other choices leave tags of their own. Which memory of the tag "
                 "learns most?",
        choices=("10 steps, half the wait: little noise", "40 steps, twice the wait", "160 steps: the more is left the better"),
        right="40 steps, twice the wait",
        explanation="It makes 0.81 of the choices right, 10 steps 0.47 and 160 steps 0.64. A tag half as long as the wait has "
                    "lost six sevenths of itself when the reward comes, and one eight times as long carries the tags of many "
                    "other trials along. In between lies the best: exercise 15.4 finds it with a pencil."),
    "15.d": Guess(
        question="One reward is shared by 300 noisy neurons, each of which was right or wrong by itself. Over how many trials "
                 "must you average before the update points along the gradient with a cosine of about 0.6?",
        choices=("About 3: a shared reward is right on average", "About 20, the root of 300", "About 100"),
        right="About 100",
        explanation="In one trial a neuron's own part in the reward drowns in that of 299 others. Their noise grows with "
                    "the root of their number, and falls with the root of the number of trials. So trials have to grow *in "
                    "proportion* to the neurons. Told its own error, each neuron needs one trial, however many others "
                    "there are.",
        explorer="three_factor.credit", settings={"neurons": 300, "trials": 100},
        shown=lambda data: len(data["truth"]) == 300 and data["told"] > 0.45),
}

QUESTIONS = [
    Question(
        "The reward is 1 in every trial, whatever the neurons do, and there is no baseline. What does reward times (S - p) "
        "teach?",
        "Nothing on average, for the mean of S - p is 0; in a single trial it only adds noise. A baseline of 1 removes that "
        "as well."),
    Question(
        "A tag fades with a time constant of 20 steps, and the reward comes after 200. Why is learning hopeless?",
        "exp(-10), less than a twenty-thousandth of the tag, is left, buried under the tags of everything that happened "
        "since."),
    Question(
        "Twice as many neurons share one reward. What happens to the number of trials needed?",
        "It grows, roughly in proportion: each neuron's part in the reward is the same, but twice as many others add noise "
        "to it."),
]
