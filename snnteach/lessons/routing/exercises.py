"""Exercises of notebook 25."""
from ..kinds import Exercise, Guess, Misconception, Question
from . import answers

EXERCISES = [
    Exercise(
        id="25.1", difficulty="easy", minutes=5, tolerance=2e-3,
        question="Tokens of 16 numbers, noise 1 instead of 0.8. How often is the gate that reads the token alone right at a "
                 "switch?",
        reference=0.02275,
        property="It is right there only where the token is taken for one of the other domain.",
        hints=("The two means are 4 apart, and the border lies half way: 2 from each.",
               "At a switch it is right where noise of standard deviation 1 carries the token over the border: 1 - Phi(2)."),
        misconceptions=(
            Misconception(0.97725, "that is how often it names its own domain. At a switch the right expert is the other one."),
            Misconception(0.0062, "that is with noise 0.8."),
            Misconception(0.0, "close to it, but noise sometimes makes a token look like one of the other domain."),
            Misconception(0.5, "it does not guess: the token says clearly where it comes from."),
            Misconception(0.0000317, "the border lies half way between the means: 2 from each, not 4."),
            Misconception(0.1587, "8 numbers move up and 8 move down: the means are the root of 16 apart."),
        ),
        solution="The means are sqrt(16) = 4 apart, the border is 2 from each, and the noise is 1: 1 - Phi(2) = 0.0228."),
    Exercise(
        id="25.2", difficulty="medium", minutes=8, tolerance=1e-6,
        question="Score a router: from what it gave to each expert, `given` [T-1, B, E], the number of the right expert, "
                 "`right` [T-1, B], and the step at which each domain changes, `switch` [B], return a tensor of two: the share "
                 "of right choices at the step before the switch, and the share at all other steps.",
        reference=answers.at_and_elsewhere,
        cases=((answers.gates(0, 11, 7, 4), answers.steps(1, 0, 4, 77).view(11, 7), answers.steps(2, 1, 11, 7)),
               (answers.gates(3, 5, 9, 3), answers.steps(4, 0, 3, 45).view(5, 9), answers.steps(5, 1, 5, 9))),
        property="Each stream has one step before its switch, and the second share leaves just that step out.",
        hints=("The choice is given.argmax(2). Which row of each column is the step before the switch?",
               "torch.arange(T - 1)[:, None] == switch - 1 is True once in each column."),
        misconceptions=(
            Misconception(answers.one_step_late, "one step late: the expert of the new domain is due at the step before it "
                                                 "begins."),
            Misconception(answers.everywhere, "the second share leaves the step before the switch out."),
            Misconception(answers.probabilities, "that is what the gate gave on average. How often was its choice right?"),
            Misconception(answers.swapped, "the switch comes first."),
            Misconception(answers.mean_time, "every stream has its own switch."),
            Misconception(answers.from_the_switch, "only the step before the switch, not all that follow."),
            Misconception(answers.of_all_steps, "divide by the steps that count, not by all of them."),
            Misconception(answers.up_to_the_switch, "only one step of each stream: the last before its switch."),
        )),
    Exercise(
        id="25.3", difficulty="easy", minutes=4, tolerance=1e-6,
        question="At the switch a gate is right in 0.02 of the streams; with memory in 0.25, with anticipation in 0.12, with "
                 "both in 0.70. How large is the interaction?",
        reference=0.35,
        property="From what both gain over neither, take away what each gains alone.",
        hints=("Gains over 0.02: memory 0.23, anticipation 0.10, both 0.68.", "0.68 - 0.23 - 0.10."),
        misconceptions=(
            Misconception(0.33, "the gate without either has 0.02 in each of the four numbers: it comes back once."),
            Misconception(0.68, "that is what both gain. Take away what each gains alone."),
            Misconception(0.45, "that is how far both are ahead of memory. Anticipation alone gains something, too."),
            Misconception(0.58, "memory alone gains something, too."),
            Misconception(0.37, "the 0.02 of the gate without either is added once, not twice."),
            Misconception(1.07, "what each gains alone is taken away, not added."),
        ),
        solution="(0.70 - 0.02) - (0.25 - 0.02) - (0.12 - 0.02) = 0.35."),
    Exercise(
        id="25.4", difficulty="medium", minutes=7, tolerance=2e-3,
        question="A linear gate reads the evidence of two tokens: $e_t - 3\\, e_{t-5}$, and $e_{t-5} = 0$ before the stream "
                 "begins. Evidence has a mean of 2.5 of its own standard deviations. The switch comes at 6. How often is the "
                 "gate right at t = 5?",
        reference=0.9431,
        property="Both tokens are of the old domain; the sum has to come out for the new one.",
        hints=("In standard deviations of the evidence: the mean is 2.5 - 3 * 2.5 = -5, and the noise of two tokens adds up to "
               "sqrt(1 + 9).", "Phi(5 / sqrt(10))."),
        misconceptions=(
            Misconception(0.0569, "a negative sum names the new domain, and that is right here."),
            Misconception(0.9938, "that is one token alone. The noise of the other counts, too."),
            Misconception(0.8944, "the noise of three times a token is three times as large: variances 1 and 9."),
            Misconception(0.9874, "that is with a weight of 10. Here it is 3."),
            Misconception(0.7365, "that is for a mean of one standard deviation. Evidence has one of 2.5."),
            Misconception(0.6915, "the variances of two tokens add up: 1 + 9. Then take the root."),
            Misconception(0.0062, "that is the token of t = 5 alone. What does the older one do?"),
            Misconception(0.99921, "the two tokens are of the same domain, and the older one has the other sign: 2.5 - 7.5."),
        ),
        solution="The mean is 2.5 (1 - 3) = -5, the standard deviation sqrt(1 + 9) = 3.16: Phi(1.58) = 0.943."),
    Exercise(
        id="25.5", difficulty="easy", minutes=5, tolerance=2e-3,
        question="The switch comes at 5, 6, 7 or 8, all equally likely. What does the best router give to the right expert at "
                 "the switch, on average?",
        reference=0.52083,
        property="It gives the hazard of the step at which the switch then comes.",
        hints=("The hazards are 1/4, 1/3, 1/2 and 1.", "Each is met by a quarter of the streams: take their mean."),
        misconceptions=(
            Misconception(0.25, "that is how often it is right if a tie goes to the old domain. What does it give on average?"),
            Misconception(0.5, "a tie counted as a bet makes two of four. And what does it give on average?"),
            Misconception(0.375, "that lies half way between two shares of right *choices*. What does it give on average?"),
            Misconception(0.3704, "that is for a switch at 3 to 9. Here there are four steps to choose from."),
            Misconception(0.75, "the last two hazards alone. The other two are met as often."),
            Misconception(2.0833, "that is the sum. Each is met by a quarter of the streams."),
        ),
        solution="(1/4 + 1/3 + 1/2 + 1) / 4 = 0.5208."),
    Exercise(
        id="25.6", difficulty="medium", minutes=6, tolerance=1e-6,
        question="A router believes that the present domain is 1 with probability `now`, and that the domain changes before "
                 "the next token with probability `hazard`, both tensors [B]. Return the probability that the next token is "
                 "of domain 1.",
        reference=answers.comes_next,
        cases=((answers.gates(6, 8), answers.gates(7, 8)), (answers.draw(8, 30).sigmoid(), answers.draw(9, 30).sigmoid())),
        property="A domain 1 that stays and a domain 0 that changes both lead to 1.",
        hints=("There are two ways to a next token of domain 1.", "now (1 - hazard) + (1 - now) hazard."),
        misconceptions=(
            Misconception(answers.stays_only, "that is one way to domain 1. The present may be 0 and change."),
            Misconception(answers.turned, "that is the probability of domain 0."),
            Misconception(answers.certain, "doubt about the present stays doubt: mix the two ways."),
            Misconception(answers.added, "a change leads away from 1, too, where the present is 1."),
            Misconception(answers.forgets_the_hazard, "that is the present. The domain may change before the next token."),
            Misconception(answers.half_way, "a change leads to the other domain, not to a draw."),
        )),
    Exercise(
        id="25.7", difficulty="hard", minutes=15, tolerance=1e-5, build=True, gradients=("into", "out", "beta", "decay"),
        question="Write the gate with spikes. From tokens `x` [T, B, D], weights `into` [D, N] and `out` [N, E], and decays "
                 "`beta` and `decay` [N]: a membrane that leaks by beta, takes `x[t] @ into` in, and after a spike starts from "
                 "zero before this step's input; a spike where it is above 1 (`spike(mem - 1, atan())`, the reset detached); a "
                 "trace that leaks by `decay` and takes the spike; logits `trace @ out`. Return logits [T, B, E] and spikes "
                 "[T, B, N].",
        reference=answers.spiking_gate,
        cases=((answers.draw(10, 9, 4, 5), answers.draw(11, 5, 6), answers.draw(12, 6, 3),
                0.5 + 0.4 * answers.draw(13, 6).sigmoid(), 0.5 + 0.4 * answers.draw(14, 6).sigmoid()),
               (answers.draw(15, 6, 3, 8), answers.draw(16, 8, 7) / 2, answers.draw(17, 7, 4), answers.draw(18, 7).sigmoid(),
                answers.draw(19, 7).sigmoid())),
        property="Spikes are 0 or 1, and one of long ago is still heard in the logits.",
        hints=("mem = beta * (1 - spk.detach()) * mem + token @ into, with the spike of the step before.",
               "trace = decay * trace + spk, after the spike of this step; logits.append(trace @ out)."),
        misconceptions=(
            Misconception(answers.subtracts, "a spike takes 1 away here. It should take all of the membrane."),
            Misconception(answers.never_reset, "after a spike the membrane goes on from where it was: the reset is missing."),
            Misconception(answers.loses_the_input, "the reset takes the input of this step, too. Only what was there before "
                                                   "should go."),
            Misconception(answers.reads_spikes, "the gate hears only the spikes of this step. Read their trace."),
            Misconception(answers.reads_membranes, "the gate reads membranes. Read the trace of the spikes."),
            Misconception(answers.hard_threshold, "no gradient goes through a comparison: use spike(mem - 1, atan())."),
            Misconception(answers.attached, "values are right; the gradient runs through the reset. Detach the spike there."),
            Misconception(answers.trace_late, "the spike of this step has leaked already. It comes in after the leak."),
            Misconception(answers.no_threshold, "a neuron fires above 1 here, not above 0: spike(mem - 1, atan())."),
            Misconception(answers.averages, "a spike counts one in the trace, not 1 - decay."),
            Misconception(answers.decays_mixed_up, "beta belongs to the membrane, decay to the trace."),
            Misconception(answers.spikes_before_logits, "logits first, then spikes."),
        )),
]

GUESSES = {
    "25.a": Guess(
        "A gate reads one token and names the domain that it comes from rightly 99.4 % of the time. Experts are to be ready "
        "for the *next* token. How often is the gate right at the step before the domain changes?",
        ("99.4 %", "About half of the time", "0.6 %"), "0.6 %",
        "The token before the switch is an ordinary token of the old domain. The gate is right there only where noise makes it "
        "take the token for one of the other domain, and that is 0.6 %.\n\nNo training on single tokens can help: what it "
        "would have to tell apart is the same."),
    "25.b": Guess(
        "Now the gate reads a leaky sum of what all tokens so far have said, and chooses the domain that the sum speaks for. "
        "What does a long memory do?",
        ("It is right at the switch, and all else stays", "It is wrong at the switch, and at steps after it",
         "Nothing: the tokens are clear enough"), "It is wrong at the switch, and at steps after it",
        "The sum holds six tokens of the old domain when the first of the new one comes. The longer the memory, the more "
        "tokens it takes to turn it round.\n\nSo a memory that is only summed makes a router slow. What it holds beside the "
        "domain is how long the stream has gone on, and that takes more than one sum to read.",
        "routing.stream", {"beta": 0.9}, lambda data: data["beta"] > 0.7),
    "25.c": Guess(
        "The switch comes at 3, 4, up to 9, all equally likely. A router knows this, remembers everything, and makes as few "
        "errors as can be. At how many of the switches is its choice right?",
        ("Nearly all", "About half", "Between one and two of seven", "None"), "Between one and two of seven",
        "It bets on the new domain only where a change is likelier than not. Before step 8 the chance that the change is next "
        "is below one half; at 8 it is one half, and at 9 it is 1.\n\nSo it is right where the switch comes at 9, one stream "
        "of seven, and, if it settles ties that way, at 8.",
        "routing.hazard", {"width": 6}, lambda data: data["latest"] - data["earliest"] > 4),
    "25.d": Guess(
        "Put a threshold and a reset into the leaky sums, 64 real LIF neurons, and let a linear gate read traces of their "
        "spikes. Nothing is foreseen, and all that the gate hears is 0 or 1. Where the switch is fixed, how often is it right "
        "there, beside the paper's memory with anticipation?",
        ("Less often: spikes throw the sum away", "As often", "More often"), "More often",
        "Right at 90 % of the switches against 66 to 70 %, in three seeds, from the same number of updates.\n\nWhere the trace "
        "sums up membranes in place of spikes, it loses 12 to 14 points, and where a ramp stands in place of the step 25 to "
        "28. So it is the step that helps, here. On real digits, below, memory with anticipation is ahead."),
}

QUESTIONS = (
    Question("A paper reports that two parts of a model bring far more together than their sum. What do you ask to see?",
             "Both parts replaced by what could stand for them: prediction by the same layers without the prediction, memory "
             "by a clock; the same table where the thing to be foreseen cannot be foreseen; and the score at all other steps."),
    Question("Is a router that is right at three of ten switches, where the time of the switch is random, better than the "
             "Bayes router, which is right at one or two of seven?",
             "No. A gate that always bets on the other domain is right at nearly all. What counts is the errors over "
             "all steps, and there none beats Bayes."),
    Question("What does the threshold of the spiking gate do that the leaky sum cannot?",
             "It is not the membrane, nor the reset: a threshold on the current alone, before the sum, does as well. Nor does "
             "any non-linearity do: a ramp in its place loses a quarter of the switches. A step makes all tokens of a domain "
             "nearly alike before they are summed up; whether that is the reason was not tried."),
    Question("When would a real router need a clock?",
             "Where text or data come in blocks of a fixed length, position tells much. A position embedding is a clock, so "
             "ask for it as a baseline."),
)
