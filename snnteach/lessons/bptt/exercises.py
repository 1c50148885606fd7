"""Exercises of notebook 08."""
import torch

from ..kinds import Exercise, Guess, Misconception, Question
from . import answers

_SPK, _H = torch.tensor([0.5, -1.0, 0.0, 2.0]), torch.tensor([0.2, 0.9, 1.0, 0.4])

EXERCISES = [
    Exercise(
        id="08.1", difficulty="easy", minutes=5, tolerance=5e-3,
        question="One neuron without recurrence, reset detached: beta = 0.8, x[1] = 3, it fires at step 2, h(3) = 0.4, "
                 "dL[3]/dS[3] = 2. What is dL[3]/dW[1]?",
        reference=2 * 0.4 * 0.8**2 * 3,
        property="A product of five numbers, one for each arrow from the loss back to the weight.",
        hints=("Walk back from L[3]: to S[3], to U[3], to U[2], to U[1], to W[1]. Which number stands on each arrow?",
               "2 * 0.4 * beta * beta * x[1]."),
        misconceptions=(
            Misconception(0.0, "the spike at step 2 takes charge away, but a detached reset leaves the path U[1], U[2], U[3] "
                               "as it was: beta each time."),
            Misconception(2 * 0.4 * 0.8**3 * 3, "from step 1 to step 3 the membrane leaks twice, not three times."),
            Misconception(2 * 0.4 * 0.8 * 3, "there are two arrows between U[1] and U[3], each with a beta."),
            Misconception(2 * 0.8**2 * 3, "the arrow from U[3] to S[3] carries the surrogate, h(3) = 0.4."),
            Misconception(2 * 0.4 * 3, "the two steps between U[1] and U[3] leak."),
            Misconception(0.4 * 0.8**2 * 3, "the first factor, dL/dS = 2, is missing."),
            Misconception(2 * 0.4 * 0.8**2, "the last arrow, from W[1] to U[1], carries the input x[1] = 3."),
        ),
        solution="2 (to the spike) * 0.4 (to the potential) * 0.8 * 0.8 (two steps back) * 3 (to the weight) = 1.536."),
    Exercise(
        id="08.2", difficulty="medium", minutes=8,
        question="Mend the backward pass of one neuron, reset detached: d_mem[t] = h(t) d_spk[t] + beta d_mem[t+1].",
        reference=answers.membrane_gradient,
        cases=((_SPK, _H, 0.9), (_SPK.flip(0), torch.ones(4), 0.5)),
        property="At the last step, where nothing comes back, it is h times d_spk; with h = 0 everywhere it is 0 everywhere.",
        hints=("Two arrows leave U[t]: one goes to S[t], one to U[t+1]. Which of them passes through the step function?",
               "Only d_spk[t] is multiplied by h[t]: later = h[t] * d_spk[t] + beta * later."),
        misconceptions=(
            Misconception(answers.as_printed,
                          "this is the printed one: it sends what comes from U[t+1] through the surrogate. The "
                                       "leak is a straight wire."),
            Misconception(answers.without_leak, "on the way from U[t+1] to U[t] the gradient is multiplied by beta."),
            Misconception(answers.forwards, "you start at step 0. What is later must be known first: start at the last step."),
            Misconception(answers.leak_on_everything,
                          "beta belongs to what comes from step t+1; this step's spike does not leak."),
            Misconception(answers.spike_handed_on, "from step t+1 comes its whole gradient, d_mem[t+1], not its d_spk."),
            Misconception(answers.immediate_only,
                          "this is the immediate influence; add what the next step sends back, times beta."),
        )),
    Exercise(
        id="08.3", difficulty="medium", minutes=7,
        question="A neuron without recurrence and with steady input gets beta^n of its gradient from n steps back. Return the "
                 "smallest window K (an int) that keeps at least `share` of the sum over all n.",
        reference=answers.window_for,
        cases=((0.9, 0.9), (0.5, 0.99), (0.97, 0.5), (0.8, 0.9)),
        property="A whole number, and the first at which what is cut off is at most 1 - share of the whole.",
        hints=("1 + beta + ... + beta^(K-1) = (1 - beta^K) / (1 - beta). Divide by the sum without an end.",
               "1 - beta^K >= share, so K >= ln(1 - share) / ln(beta); then the next whole number."),
        misconceptions=(
            Misconception(answers.rounded_down, "rounded down, the window keeps a little less than `share`: round up."),
            Misconception(answers.rounded, "rounded to the nearest, it may fall short of `share`: always round up."),
            Misconception(answers.weakest_alone,
                          "this is where beta^K itself falls to `share`. What is cut off is beta^K: it may be "
                                          "1 - share."),
            Misconception(answers.time_constant,
                          "one time constant keeps 63 %, whatever was asked for. Where does `share` enter?"),
            Misconception(answers.log_of_ten, "two kinds of logarithm are mixed; use the same above and below."),
        )),
    Exercise(
        id="08.4", difficulty="easy", minutes=5, tolerance=5e-3,
        question="A second of sound in 16,000 steps, batch 64, a layer of 500 neurons. How many gigabytes (10^9 bytes) do "
                 "`mem` and `spk` hold in float32?",
        reference=4.096,
        property="Each of the two tensors holds a number for every step, every sample and every neuron.",
        scales={"steps": 16_000, "samples": 64},
        hints=("T * B * H numbers, twice, four bytes each.", "16,000 * 64 * 500 * 2 * 4 bytes."),
        misconceptions=(
            Misconception(2.048, "that is one of the two; the backward pass reads `mem` and `spk`."),
            Misconception(8.192, "float32 has four bytes, not eight."),
            Misconception(1.024, "that is the count of numbers; a float32 has four bytes."),
            Misconception(0.064, "you left out the batch: every sample has its own history."),
            Misconception(4096, "right, in megabytes."),
            Misconception(4.096e9, "right, in bytes."),
            Misconception(3.815, "that is in units of 2^30 bytes; asked are units of 10^9."),
        ),
        solution="16,000 * 64 * 500 = 512 million numbers, two tensors, 4 bytes: 4.096 GB. For one layer."),
    Exercise(
        id="08.5", difficulty="medium", minutes=6, tolerance=5e-3,
        question="V has spectral radius rho, with a real positive largest eigenvalue, h = 0.2 for all neurons, beta = 0.9, "
                 "reset detached. Above which rho do gradients explode?",
        reference=0.5,
        property="At that radius, the largest eigenvalue of beta I + h V is exactly 1.",
        hints=("The matrix of one step is beta I + h V. What is its largest eigenvalue?", "0.9 + 0.2 rho = 1."),
        misconceptions=(
            Misconception(1.0, "that is the rule for a network without leak and with slope 1. Here beta already uses up 0.9."),
            Misconception(5.0, "that is 1/h: you left out the beta that stands beside h V."),
            Misconception(0.1, "that is 1 - beta; V acts through the surrogate, so divide by h."),
            Misconception(1.5, "that is for an attached reset, where the threshold of 1 pushes back: 0.9 + 0.2 (rho - 1) = 1."),
        ),
        solution="beta + h rho = 1, rho = 0.1 / 0.2 = 0.5. The longer the memory, the less feedback it bears."),
    Exercise(
        id="08.6", difficulty="hard", minutes=20, build=True, tolerance=1e-5,
        question="Write the backward pass of a recurrent layer with a synaptic current, reset attached, threshold 1: I[t] = "
                 "alpha I[t-1] + W X[t] + V S[t-1], U[t] = beta U[t-1] + I[t] - S[t-1]. Given d_spk [T, B, H], what the "
                 "read-out sends to each spike, and h [T, B, H], return the gradient for each current I[t], [T, B, H].",
        reference=answers.layer_gradient,
        cases=(answers.layer_case(0, 0.5, 0.9), answers.layer_case(1, 0.8, 0.6)),
        property="One term for each arrow: three leave S[t] (one of them is d_spk[t]), two leave U[t], two leave I[t]. At the "
                 "last step only d_spk, h and a 1 are left.",
        hints=("Draw I[t], U[t] and S[t] for two steps. From S[t]: to the read-out, to I[t+1] with V, to U[t+1] with -1. From "
               "U[t]: to S[t] and U[t+1]. From I[t]: to U[t] and I[t+1].",
               "Keep two things from the step after, d_mem and d_cur, [B, H] each. Spike first: d_spk[t] + d_cur @ V - d_mem.",
               "Then d_mem = h[t] * into_spk + beta * d_mem, and d_cur = d_mem + alpha * d_cur, which is what to store."),
        misconceptions=(
            Misconception(lambda d_spk, h, V, *decays: answers.layer_gradient(d_spk, h, V.T, *decays),
                          "V is the wrong way round: a batch of rows [B, H] goes back through `@ V`, forward it went through "
                          "`@ V.T`."),
            Misconception(lambda d_spk, h, V, alpha, beta: answers.layer_gradient(d_spk, h, V, 0.0, beta),
                          "two arrows leave I[t]: the one to I[t+1], with alpha, is missing."),
            Misconception(answers.layer_detached,
                          "the reset is attached: one more arrow leaves S[t], to U[t+1], with -1."),
            Misconception(answers.layer_variant(lambda d_spk, d_cur, d_mem, V: d_spk + d_mem @ V - d_mem),
                          "V leads from S[t] into the current I[t+1], not into the potential: send back what stands at "
                          "I[t+1]."),
            Misconception(answers.layer_variant(lambda d_spk, d_cur, d_mem, V: d_spk + d_cur @ V + d_mem),
                          "the reset takes charge away: its arrow carries -1."),
            Misconception(answers.layer_variant(lambda d_spk, d_cur, d_mem, V: d_spk - d_mem),
                          "the recurrent arrow is missing: from S[t] to I[t+1], with V."),
            Misconception(answers.layer_step(lambda h, spk, mem, cur: (h * (spk + mem), h * (spk + mem) + cur)),
                          "the leak is a straight wire: only what comes from S[t] passes through h."),
            Misconception(lambda d_spk, h, V, alpha, beta: answers.layer_gradient(d_spk, h, V, beta, alpha),
                          "alpha belongs to I, beta to U."),
            Misconception(answers.layer_step(lambda h, spk, mem, cur: (h * spk + mem, h * spk + cur)),
                          "from I[t] goes an arrow to U[t]: add the whole of dU[t], beta included."),
            Misconception(answers.potential_instead,
                          "this is the gradient for U[t]; asked is that for I[t], which also reaches "
                                              "I[t+1]."),
            Misconception(answers.layer_forwards,
                          "you start at step 0. What is later must be known first: start at the last step."),
        )),
    Exercise(
        id="08.7", difficulty="easy", minutes=5, tolerance=5e-3,
        question="A constant input, beta = 0.9, threshold 1, h = 0.3 at every step. Each step back multiplies by beta "
                 "(detached) or by beta - h (attached). Over all steps, how many times as large is the detached gradient?",
        reference=4.0,
        property="Each gradient is the sum of a geometric series; h stands before both and cancels.",
        hints=("1 + q + q^2 + ... = 1 / (1 - q). What is q for each?", "(1 - 0.6) / (1 - 0.9)."),
        misconceptions=(
            Misconception(10.0, "that is the detached series alone, 1 / (1 - beta). Divide by the attached one."),
            Misconception(2.5, "that is the attached series alone; it is what you divide by."),
            Misconception(1.5, "that compares one step, 0.9 with 0.6. Sum over all steps first."),
            Misconception(0.25, "the other way round: detached over attached."),
            Misconception(3.0, "that is h / (1 - beta), the detached gradient itself. Divide it by the attached one."),
        ),
        solution="Detached 1 / (1 - 0.9) = 10, attached 1 / (1 - 0.6) = 2.5: four times. As beta nears 1 the first grows "
                 "without limit, the second stays below 1 / h."),
]

GUESSES = {
    "08.a": Guess(
        "A neuron with $\\beta = 0.9$ fires at step 6, and the spike takes a whole threshold of charge away. The reset is "
        "*detached*: it is not part of the gradient. How much of the blame that starts at the potential of step 9 arrives at "
        "step 2?",
        ("nothing: the spike emptied the membrane", "about a tenth", "about half"), "about half",
        "It is $0.9^7 = 0.48$, as if nothing had happened at step 6: a detached reset takes the charge and leaves the blame. "
        "Attach it, and the blame dies within a few steps, even at steps without a spike.\n\nThen set the window $K$ to 1 and "
        "read the bottom line: what is left of the exact gradient?",
        "bptt.path", {"t": 9, "s": 2}, lambda data: data["detached"] and data["t"] > 6),
    "08.b": Guess(
        "The window is one step of 100, $K = 1$; there is no recurrence, and the target never changes. What does the gradient "
        "of $W$ lose?",
        ("its length: it points the same way, a hundredth as long", "its direction", "both"),
        "its length: it points the same way, a hundredth as long",
        "The cosine with the exact gradient is 0.98, its length 1 %, which is $(1-\\beta)(1-\\kappa)$. Every step tells the "
        "same story, so each step's own chapter is enough, and an optimiser such as Adam restores the length. It holds only "
        "while all moments look alike."),
    "08.c": Guess(
        "A cue speaks for five steps and falls silent; the answer is due 36 to 44 steps later. You train with a window of 20 "
        "steps, so no gradient ever reaches the cue's own steps. Can the network learn to answer?",
        ("no: the window is shorter than the delay", "yes, in nearly all trials", "only what the read-out alone would learn"),
        "yes, in nearly all trials",
        "The window limits how far *blame* travels, not how far the *state* does. Random recurrent weights carry a faint trace "
        "of the cue into the window, and there $V$ learns to keep it alive. What no window of 20 can teach are the weights of "
        "the cue itself: their gradient is exactly zero."),
    "08.d": Guess(
        "A recurrent network is to draw a wave of 100 steps. Over them its exact gradient grows to hundreds of thousands of "
        "times its size. Which gradient draws the better wave?",
        ("the exact one", "the exact one, clipped to a sane length", "one that sees 10 of the 100 steps"),
        "one that sees 10 of the 100 steps",
        "By far. Clipping mends the length, and that is worth something: plain descent blows up without it. But the long "
        "gradient also turns: change every weight by about 1 %, and its cosine with itself is 0.55 on average, once -0.70. A "
        "shorter arrow turns just as much."),
}

QUESTIONS = [
    Question(
        "Keeping every tenth state and computing the others again saves memory, too. Why is that exact, and truncation is not?",
        "The states computed again are the same states, so every path is followed; it costs a second forward pass. Truncation "
        "leaves paths out."),
    Question(
        "beta = 0.99, no recurrence, reset detached: after how many steps has blame fallen below one per cent?",
        "459: the smallest whole n with 0.99^n < 0.01, and ln 0.01 / ln 0.99 = 458.2."),
    Question(
        "With the reset attached, the factor from one step to the next is beta - threshold * h. When is it negative, and what "
        "does it mean?",
        "When the neuron is so near its threshold that h > beta / threshold. A little more potential now makes a spike "
        "likelier, whose reset leaves less potential in the next step."),
]
