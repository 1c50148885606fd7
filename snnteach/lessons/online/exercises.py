"""Exercises of notebook 16."""
import torch

from ..kinds import Exercise, Guess, Misconception, Question
from . import answers
from .adaptive import MISTAKES, adaptive_eprop

_X = torch.tensor([1.0, 0.0, 0.0, 2.0, 1.0])
_TRACE, _SLOPE = torch.tensor([0.5, 0.0, 2.0]), torch.tensor([0.9, 0.1])
_ELIGIBILITY = torch.tensor([[0.3, 0.0, 1.0], [0.0, 0.2, 0.4]])
_ERROR = torch.tensor([[0.5, -1.0], [0.2, 0.3], [-0.4, 0.0]])                       # [B, O]
_BACK = torch.tensor([[1.0, -0.5, 0.2, 0.0], [0.3, 0.8, -1.0, 0.6]])                # [O, H]
_SLOPES = torch.tensor([[0.9, 0.1, 0.4, 0.2], [0.3, 0.3, 1.0, 0.0], [0.05, 0.6, 0.2, 0.7]])
_TRACES = torch.tensor([[1.0, 0.0, 0.9, 0.2, 0.0], [0.0, 1.9, 0.0, 0.4, 1.0], [0.6, 0.0, 0.0, 1.0, 0.3]])

EXERCISES = [
    Exercise(
        id="16.1", difficulty="easy", minutes=5,
        question="Push the influence of one weight forward: return m[t] = d mem[t] / dW for every step of the input x [T], one "
                 "neuron without recurrence, reset detached.",
        reference=answers.pushed_forward, cases=((_X, 0.8), (torch.rand(12, generator=torch.Generator().manual_seed(0)), 0.5)),
        property="A single input of 1 has to leave 1, beta, beta^2 and so on, beginning with its own step.",
        hints=("mem[t] = beta mem[t-1] + W x[t]. Differentiate both sides by W.",
               "m[t] = beta m[t-1] + x[t], from m = 0: one line in a loop over x."),
        misconceptions=(
            Misconception(answers.forgets_all,
                          "that is the immediate influence alone. The weight has also acted through the past: add beta times "
                          "the influence of the step before."),
            Misconception(answers.forgets_nothing, "the past leaks: it comes back multiplied by beta at each step, not whole."),
            Misconception(answers.decays_the_newest,
                          "the newest input has not leaked yet. Decay what was there, then add x[t]."),
            Misconception(answers.averages, "this course does not scale the input by 1 - beta; its influence is x[t] itself."),
        )),
    Exercise(
        id="16.2", difficulty="medium", minutes=8, tolerance=1e-3,
        question="BPTT stores x, mem and spk of every step; e-prop one eligibility per weight of the hidden layer. At how many "
                 "steps T do both keep equally many numbers (beyond it, BPTT keeps more)? I = 100 inputs, H = 200 recurrent "
                 "neurons, batch of one.",
        reference=120.0,
        property="T times what one step costs BPTT has to be one number for each weight of W and V.",
        hints=("Per step, BPTT keeps I + 2 H numbers. How many weights does the hidden layer have, W and V together?",
               "H (I + H) = 60,000 against T (I + 2 H) = 500 T."),
        misconceptions=(
            Misconception(40.0, "that counts W alone. V has 200 x 200 weights, and each has an eligibility too."),
            Misconception(80.0, "that counts V alone. The 200 x 100 weights of W have an eligibility too."),
            Misconception(200.0, "the hidden layer leaves two numbers a neuron and step, mem and spk, besides the input."),
            Misconception(24000.0, "that is RTRL, which keeps the influence of every weight on every neuron."),
            Misconception(150.0, "BPTT keeps x as well: 100 inputs, 200 potentials and 200 spikes a step."),
            Misconception(300.0, "one number a neuron and step is not enough: mem and spk are two, and x comes besides."),
            Misconception(100.0, "two numbers a neuron are right, mem and spk; the input is one number a line, not two."),
            Misconception(60.0, "half of it: each weight has one eligibility, and a step leaves I + 2 H = 500 numbers."),
            Misconception(240.0, "an eligibility is one number a weight, not two: the traces are shared by all neurons."),
            Misconception(12_000.0, "a step leaves 500 numbers, not 5: 60,000 eligibilities are worth fewer steps."),
            Misconception(60_000.0, "those are the eligibilities. How many steps of 500 numbers are as many?"),
        ),
        solution="H (I + H) = 200 * 300 = 60,000 eligibilities; I + 2 H = 500 numbers a step. 60,000 / 500 = 120 steps."),
    Exercise(
        id="16.3", difficulty="medium", minutes=8,
        question="Write one step of e-prop's traces for one sample: trace [I], eligibility [H, I], input x [I], slope [H].",
        reference=answers.eligibility_step,
        cases=((_TRACE, _ELIGIBILITY, torch.tensor([1.0, 1.0, 0.0]), _SLOPE, 0.9, 0.5),
               (torch.zeros(3), torch.zeros(2, 3), torch.tensor([1.0, 0.0, 3.0]), _SLOPE, 0.8, 0.7)),
        property="After a single input, the trace falls by beta a step, and each synapse adds slope times trace to what is "
                 "left of its own.",
        hints=("First the input line: the trace leaks by beta and takes up x. Only then the synapse.",
               "Eq. 5: beta_out * eligibility + slope[:, None] * trace, with the new trace."),
        misconceptions=(
            Misconception(answers.no_filter,
                          "the read-out remembers, so a spike now also moves later outputs: keep beta_out times the "
                          "eligibility of the step before."),
            Misconception(answers.one_step_late,
                          "you used the old trace. The input of this step moves the potential of this step."),
            Misconception(answers.same_decay,
                          "two memories, two decays: the trace leaks like the membrane, the eligibility like the read-out."),
            Misconception(answers.input_alone,
                          "the slope multiplies the trace, what is left of all inputs, not the last input."),
        )),
    Exercise(
        id="16.4", difficulty="medium", minutes=7, tolerance=1e-4,
        question="One neuron that excites itself: beta = 0.9, V = 0.5, reset detached. Input x[1] = 1, x[2] = 0; the slope at "
                 "step 1 is h[1] = 0.4. What is the exact influence d mem[2] / dW?",
        reference=1.1,
        property="It is the sum over the paths from U[1] to U[2], each the product of the factors on its arrows.",
        hints=("Two paths lead from mem[1] to mem[2]: the leak, and the spike that comes back through V.",
               "d mem[2] / d mem[1] = beta + V h[1], and d mem[1] / dW = x[1] = 1."),
        misconceptions=(
            Misconception(0.9, "that is what e-prop keeps. The exact influence adds the path through the spike, V h[1]."),
            Misconception(1.4, "the path through the spike passes the step function: V is multiplied by its slope h[1]."),
            Misconception(0.2, "that is the path through the spike alone; the leak carries 0.9 besides."),
            Misconception(0.7, "the reset is detached: no threshold * h[1] is taken off."),
            Misconception(0.5, "that is the leak minus an attached reset; the reset is detached, and the path through V is "
                               "missing."),
            Misconception(1.3, "the spike comes back through V: h[1] has to be multiplied by V = 0.5."),
            Misconception(1.26, "you took the leak times 1 + h[1]: the spike does not leak, it comes back through V, besides."),
            Misconception(0.36, "that is the leak times the slope. They are on two paths, which add; V is on the second."),
            Misconception(0.18, "you multiplied the two paths. What comes along different paths adds up."),
            Misconception(0.56, "both paths begin at U[1]: the slope stands on the path through the spike, not on the leak."),
        ),
        solution="d mem[2] / dW = (beta + V h[1]) x[1] + x[2] = (0.9 + 0.5 * 0.4) * 1 + 0 = 1.1. e-prop says 0.9."),
    Exercise(
        id="16.5", difficulty="easy", minutes=6,
        question="Write the gradient that one step of OTTT adds: error [B, O], feedback [O, H], slope [B, H], trace [B, I].",
        reference=answers.ottt_gradient, cases=((_ERROR, _BACK, _SLOPES, _TRACES), (2 * _ERROR[:2], _BACK, _SLOPES[1:],
                                                                                    _TRACES[:2])),
        property="[H, I]: for a batch of one, entry (k, j) is the slope of neuron k, times its learning signal, times the "
                 "trace of line j.",
        hints=("The learning signal of each neuron is error @ feedback, [B, H]. What makes it a signal for its potential?",
               "(slope * (error @ feedback)).T @ trace sums the outer products over the batch."),
        misconceptions=(
            Misconception(answers.without_slope, "the signal speaks about spikes; times the slope it speaks about potentials."),
            Misconception(answers.batch_mean,
                          "the loss decides by its error how samples are averaged; the gradient sums over them."),
            Misconception(answers.transposed, "the shape of a weight is [to, from] = [H, I]; yours is [I, H]."),
            Misconception(answers.only_spikes,
                          "you rounded the slope. A neuron below threshold learns too, by as much as its slope."),
        )),
    Exercise(
        id="16.6", difficulty="medium", minutes=6, tolerance=4e-4,
        question="A reservoir of 50 places has seen 1000 samples. How probable is it that the very first is still there?",
        reference=0.05,
        property="All of the 1000 samples have the same chance to be among the kept, and their chances add up to the number of "
                 "places.",
        scales={"samples": 1000},
        hints=("The rule is fair: every sample seen so far is equally likely to be among the kept.",
               "50 places for 1000 samples, all with the same chance."),
        misconceptions=(
            Misconception(1.0, "it gave up its safety when the places ran out: sample 51 and all later ones may replace it."),
            Misconception(0.0, "a queue drops the oldest first. In a reservoir sample n enters with probability 50 / n only, "
                               "and takes a random place."),
            Misconception(0.98**950, "that lets every new sample in. Sample n enters with probability 50 / n only, and only "
                                     "then throws one of the 50 out."),
            Misconception(0.02, "that is the chance of one place to be hit. Ask how many of the 1000 samples are kept."),
            Misconception(0.001, "that is the chance to be one certain sample of the 1000. There are 50 places."),
            Misconception(0.95, "that is the chance to be gone."),
            Misconception(50 / 950, "50 of 1000 are kept, not 50 against 950."),
        ),
        solution="The n-th sample enters with probability 50/n and evicts a given one with 1/50, so the first survives step n "
                 "with 1 - 1/n. The product from n = 51 to 1000 is 50/51 * 51/52 * ... * 999/1000 = 50/1000."),
    Exercise(
        id="16.7", difficulty="hard", minutes=20, build=True, tolerance=1e-4,
        question="Write e-prop for a layer of adaptive neurons, Eqs. 8 to 10: x [T, B, I], W [H, I], W_out [O, H], error(out "
                 "[B, O], t). Walk once through x and return the gradients (of W, of W_out), summed over steps and batch; "
                 "threshold 1, surrogate atan().",
        reference=adaptive_eprop,
        cases=((*answers.net(0, 4, 5, 2), answers.drifting, 0.9, 0.8, 0.2, 0.95), (*answers.net(1, 3, 4, 3), answers.drifting,
                                                                                   0.7, 0.5, 0.5, 0.8)),
        property="With gamma = 0 it has to give what the listing of eprop gives; with gamma > 0 a spike long ago still lowers "
                 "what an input does now.",
        hints=("Begin with the neuron: adapted = rho * adapted + spk with the spikes of the step before, then mem, then the "
               "threshold 1 + gamma * adapted. h is atan()(mem - threshold).",
               "Two traces: trace [B, I] as in Eq. 4, and slow [B, H, I], what the adaptation owes to each weight. At each "
               "step: slow = rho * slow + fast, and only then the new fast = h[:, :, None] * (trace[:, None] - gamma * slow).",
               "The rest is the listing of eprop: eligibility = beta_out * eligibility + fast, times error(out, t) @ W_out, "
               "summed over the batch; for the output error(out, t).T @ filtered, with filtered = beta_out * filtered + spk."),
        misconceptions=MISTAKES),
    Exercise(
        id="16.8", difficulty="medium", minutes=8,
        question="The reset is attached. Keep its path in the trace of e-prop: from trace [H, I], one for each neuron, input "
                 "x [I] and the slopes h of the step before, slope_before [H], return the new trace [H, I] of one sample.",
        reference=answers.trace_with_reset,
        cases=((_ELIGIBILITY, torch.tensor([1.0, 0.0, 2.0]), _SLOPE, 0.9, 1.0),
               (_ELIGIBILITY + 1, torch.tensor([0.0, 1.0, 0.0]), _SLOPE.flip(0), 0.8, 1.5)),
        property="It is Eq. 2 without V, for one row of M that looks at itself only: what was there, times the arrows from U "
                 "to the next U, and the input.",
        hints=("Two arrows lead from U to U of the next step: the leak, and the spike, which takes the threshold off. What "
               "stands on each?",
               "beta on the first, slope times -threshold on the second. Paths add up: each neuron multiplies its own row by "
               "beta - threshold * slope_before."),
        misconceptions=(
            Misconception(answers.without_reset, "that is the trace of Eq. 4, with the reset detached. A spike now lowers its "
                                                 "own neuron in the next step."),
            Misconception(answers.reset_lifts, "a spike takes the threshold off: the second path has a minus."),
            Misconception(answers.threshold_of_one, "a spike takes off the threshold, which need not be 1."),
            Misconception(answers.reset_without_slope, "from U to its spike leads the slope h: it stands on that path."),
            Misconception(answers.reset_takes_the_new, "the reset of this step comes from the spike of the step before: it "
                                                       "knows nothing of the input that comes in now."),
            Misconception(answers.reset_leaks, "the two paths add up. The reset does not leak: it is taken off whole."),
            Misconception(answers.reset_alone, "that is the path of the reset alone. The leak carries beta besides."),
        )),
]

GUESSES = {
    "16.f": Guess(
        question="One neuron, one weight, 1000 steps, and the loss looks at the last potential. You may walk through the steps "
                 "*once*, forward, and must have the exact gradient at the end. How many numbers must you carry along for it?",
        choices=("About 1000: the past has to be there to be blamed", "About ten: older steps have faded", "One"),
        right="One",
        explanation="Call it $m$, how much the potential would differ now if the weight had been a little larger all along. At "
                    "each step it leaks with the potential, and the new input is added: $m \\leftarrow \\beta m + x$. Nothing "
                    "is left out.\n\nOne number for one weight of one neuron. Section 1 counts what a whole network needs."),
    "16.a": Guess(
        question="The figure below opens with the error sent back through the very weights that lead to the output, and all "
                 "dots lie on the diagonal. Now each neuron gets the error through a *random* weight of its own instead. What "
                 "becomes of the dots?",
        choices=("A round cloud: random weights are noise", "The diagonal again, only noisier: the error is the same",
                 "Straight rays, some of which point the wrong way"),
        right="Straight rays, some of which point the wrong way",
        explanation="There is one output, so the learning signal of a neuron is the error times *one* number, its feedback "
                    "weight. A wrong number stretches or flips the gradients of all its synapses alike: a ray for each neuron. "
                    "What the synapse itself contributes, its eligibility, is still right.\n\nAll rays together have a cosine "
                    "of 0.02 with the gradient here. That sounds hopeless; section 6 shows that it is not.",
        explorer="online.eligibility", settings={"feedback": "random"},
        shown=lambda data: data["cosine"] < 0.5),
    "16.b": Guess(
        question="A layer of adaptive neurons has learned, by e-prop with the slow trace, to name the cue of 60 steps ago. Now "
                 "plain neurons without $A$, whose potential keeps 0.98 a step instead of 0.9, and plain e-prop. How many of "
                 "the cues do they name?",
        choices=("About half, like a coin: without adaptation there is no memory", "Some 70 %: half a memory",
                 "As many: slow is slow"),
        right="As many: slow is slow",
        explanation="0.93 to 0.97, against 0.91 to 0.94 of the adaptive ones. A potential that keeps 0.98 a step still has "
                    "$0.98^{60} = 0.30$ of the cue, just as a lift of the threshold with $\\rho = 0.98$. With 0.9 it has "
                    "0.002, and plain neurons are near the coin.\n\nAdaptation is not *the* memory, then: it is a way to be "
                    "slow while the potential stays fast."),
    "16.c": Guess(
        question="BPTT has the exact gradient, e-prop drops the paths through $V$, OTTT drops the read-out's memory too, and "
                 "one network keeps its random hidden layer and trains the read-out alone. After 200 updates, which of these "
                 "four draws *worst*?",
        choices=("The frozen one: it learned least", "BPTT: the exact gradient", "OTTT: it drops most"),
        right="BPTT: the exact gradient",
        explanation="Its error is 0.139 to 0.618 over three seeds, the frozen layer's 0.041 to 0.055, e-prop's and OTTT's "
                    "0.021 to 0.047. At a gain of 1 the exact gradient of 200 steps is a product of 200 Jacobians. It is exact "
                    "for an infinitely small step, and says nothing about a step of any use. What e-prop leaves out is what "
                    "explodes. Under a narrow surrogate nothing does, and BPTT draws as well as e-prop: see the table."),
    "16.e": Guess(
        question="The digits come row by row, and the question in the last five of 28 steps. BPTT follows all paths and reads "
                 "87 % of them; a layer that keeps its random hidden weights reads 68 %. E-prop drops every path from neuron "
                 "to neuron. How much does it read?",
        choices=("About 70 %: memory lives in the recurrence", "About 80 %", "As much as BPTT"),
        right="As much as BPTT",
        explanation="E-prop reads 87 %, too. What it keeps, the leak of its neurons and the memory of the read-out, is enough "
                    "here. Drop the latter as well (OTTT), and seven to eight points go."),
    "16.d": Guess(
        question="The random feedback $F$ is drawn once and never changes. After 20 updates the gradient it gives has a cosine "
                 "of 0.2, 0.0 and -0.1 with the exact one, for three seeds. And after 460?",
        choices=("Still near 0: $F$ knows nothing, and learns nothing", "About a half", "Near 1: by then the rule is exact"),
        right="About a half",
        explanation="0.66, 0.48 and 0.67. $F$ does not move, but $W_{out}$ does: the forward weights come to meet the backward "
                    "ones. Nobody told them to. The figure below watches it, and takes the meeting away for a test."),
}

QUESTIONS = [
    Question(
        "One hidden layer, no recurrence, a read-out without memory, reset detached. Rank BPTT, RTRL, e-prop and OTTT by how "
        "exact they are.",
        "No ranking: all four give the same gradient. E-prop leaves out paths through V, OTTT also the read-out's filter, and "
        "here there are neither."),
    Question(
        "A stream runs for a week. Can e-prop learn a relation that spans an hour, because it needs no memory for the past?",
        "Only if something in the neuron remembers for an hour. Its traces fade like beta^n, and what has faded can get no "
        "credit. Constant memory is not unlimited memory."),
    Question(
        "A buffer of the last R samples is simpler than a reservoir. What does it lose in a stream whose topic changes?",
        "The old topic: R samples after the change none of it is left. A reservoir holds every sample so far with equal "
        "probability."),
]
