"""Exercises of notebook 16."""
import torch

from ..kinds import Exercise, Misconception, Question


def pushed_forward(x, beta):
    trace, steps = torch.zeros(()), []
    for x_t in x:                                       # [T]
        trace = beta * trace + x_t
        steps.append(trace)
    return torch.stack(steps)                           # [T]


def _forgets_all(x, beta):
    return x.clone()


def _forgets_nothing(x, beta):
    return x.cumsum(0)


def _decays_the_newest(x, beta):
    trace, steps = torch.zeros(()), []
    for x_t in x:
        trace = beta * (trace + x_t)
        steps.append(trace)
    return torch.stack(steps)


def _averages(x, beta):
    return (1 - beta) * pushed_forward(x, beta)


def eligibility_step(trace, eligibility, x, slope, beta, beta_out):
    trace = beta * trace + x                            # [I]
    eligibility = beta_out * eligibility + slope[:, None] * trace[None, :]      # [H, I]
    return trace, eligibility


def _no_filter(trace, eligibility, x, slope, beta, beta_out):
    trace = beta * trace + x
    return trace, slope[:, None] * trace[None, :]


def _one_step_late(trace, eligibility, x, slope, beta, beta_out):
    return beta * trace + x, beta_out * eligibility + slope[:, None] * trace[None, :]


def _same_decay(trace, eligibility, x, slope, beta, beta_out):
    trace = beta * trace + x
    return trace, beta * eligibility + slope[:, None] * trace[None, :]


def _input_alone(trace, eligibility, x, slope, beta, beta_out):
    return beta * trace + x, beta_out * eligibility + slope[:, None] * x[None, :]


def ottt_gradient(error, feedback, slope, trace):
    signal = error @ feedback                           # [B, H]
    return (slope * signal).T @ trace                   # [H, I], summed over the batch


def _without_slope(error, feedback, slope, trace):
    return (error @ feedback).T @ trace


def _batch_mean(error, feedback, slope, trace):
    return (slope * (error @ feedback)).T @ trace / len(error)


def _transposed(error, feedback, slope, trace):
    return trace.T @ (slope * (error @ feedback))


def _only_spikes(error, feedback, slope, trace):
    return (slope.round() * (error @ feedback)).T @ trace


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
        question="Push the influence of one weight forward: return m[t] = d mem[t] / dW for every step of the input x [T], "
                 "one neuron without recurrence, reset detached.",
        reference=pushed_forward, cases=((_X, 0.8), (torch.rand(12, generator=torch.Generator().manual_seed(0)), 0.5)),
        hints=("mem[t] = beta mem[t-1] + W x[t]. Differentiate both sides by W.",
               "m[t] = beta m[t-1] + x[t], from m = 0: one line in a loop over x."),
        misconceptions=(
            Misconception(_forgets_all, "that is the immediate influence alone. The weight has also acted through the past: "
                                        "add beta times the influence of the step before."),
            Misconception(_forgets_nothing, "the past leaks: it comes back multiplied by beta at each step, not whole."),
            Misconception(_decays_the_newest, "the newest input has not leaked yet. Decay what was there, then add x[t]."),
            Misconception(_averages, "this course does not scale the input by 1 - beta; its influence is x[t] itself."),
        )),
    Exercise(
        id="16.2", difficulty="medium", minutes=8, tolerance=1e-3,
        question="BPTT stores x, mem and spk of every step; e-prop one eligibility per weight of the hidden layer. At how "
                 "many steps T do both keep equally many numbers (beyond it, BPTT keeps more)? I = 100 inputs, H = 200 "
                 "recurrent neurons, batch of one.",
        reference=120.0,
        hints=("Per step, BPTT keeps I + 2 H numbers. How many weights does the hidden layer have, W and V together?",
               "H (I + H) = 60,000 against T (I + 2 H) = 500 T."),
        misconceptions=(
            Misconception(40.0, "that counts W alone. V has 200 x 200 weights, and each has an eligibility too."),
            Misconception(80.0, "that counts V alone. The 200 x 100 weights of W have an eligibility too."),
            Misconception(200.0, "the hidden layer leaves two numbers a neuron and step, mem and spk, besides the input."),
            Misconception(24000.0, "that is RTRL, which keeps the influence of every weight on every neuron."),
        ),
        solution="H (I + H) = 200 * 300 = 60,000 eligibilities; I + 2 H = 500 numbers a step. 60,000 / 500 = 120 steps."),
    Exercise(
        id="16.3", difficulty="medium", minutes=8,
        question="Write one step of e-prop's traces for one sample: trace [I], eligibility [H, I], input x [I], slope [H].",
        reference=eligibility_step,
        cases=((_TRACE, _ELIGIBILITY, torch.tensor([1.0, 1.0, 0.0]), _SLOPE, 0.9, 0.5),
               (torch.zeros(3), torch.zeros(2, 3), torch.tensor([1.0, 0.0, 3.0]), _SLOPE, 0.8, 0.7)),
        hints=("First the input line: the trace leaks by beta and takes up x. Only then the synapse.",
               "Eq. 5: beta_out * eligibility + slope[:, None] * trace, with the new trace."),
        misconceptions=(
            Misconception(_no_filter, "the read-out remembers, so a spike now also moves later outputs: keep beta_out times "
                                      "the eligibility of the step before."),
            Misconception(_one_step_late, "you used the old trace. The input of this step moves the potential of this step."),
            Misconception(_same_decay, "two memories, two decays: the trace leaks like the membrane, the eligibility like the "
                                       "read-out."),
            Misconception(_input_alone, "the slope multiplies the trace, what is left of all inputs, not the last input."),
        )),
    Exercise(
        id="16.4", difficulty="medium", minutes=7, tolerance=1e-4,
        question="One neuron that excites itself: beta = 0.9, V = 0.5, reset detached. Input x[1] = 1, x[2] = 0; the slope at "
                 "step 1 is h[1] = 0.4. What is the exact influence d mem[2] / dW?",
        reference=1.1,
        hints=("Two paths lead from mem[1] to mem[2]: the leak, and the spike that comes back through V.",
               "d mem[2] / d mem[1] = beta + V h[1], and d mem[1] / dW = x[1] = 1."),
        misconceptions=(
            Misconception(0.9, "that is what e-prop keeps. The exact influence adds the path through the spike, V h[1]."),
            Misconception(1.4, "the path through the spike passes the step function: V is multiplied by its slope h[1]."),
            Misconception(0.2, "that is the path through the spike alone; the leak carries 0.9 besides."),
            Misconception(0.7, "the reset is detached: no threshold * h[1] is taken off."),
            Misconception(0.5, "that is the leak minus an attached reset; the reset is detached, and the path through V is "
                               "missing."),
        ),
        solution="d mem[2] / dW = (beta + V h[1]) x[1] + x[2] = (0.9 + 0.5 * 0.4) * 1 + 0 = 1.1. e-prop says 0.9."),
    Exercise(
        id="16.5", difficulty="easy", minutes=6,
        question="Write the gradient that one step of OTTT adds: error [B, O], feedback [O, H], slope [B, H], trace [B, I].",
        reference=ottt_gradient, cases=((_ERROR, _BACK, _SLOPES, _TRACES), (2 * _ERROR[:2], _BACK, _SLOPES[1:], _TRACES[:2])),
        hints=("The learning signal of each neuron is error @ feedback, [B, H]. What makes it a signal for its potential?",
               "(slope * (error @ feedback)).T @ trace sums the outer products over the batch."),
        misconceptions=(
            Misconception(_without_slope, "the signal speaks about spikes; times the slope it speaks about potentials."),
            Misconception(_batch_mean, "the loss decides by its error how samples are averaged; the gradient sums over them."),
            Misconception(_transposed, "the shape of a weight is [to, from] = [H, I]; yours is [I, H]."),
            Misconception(_only_spikes, "you rounded the slope. A neuron below threshold learns too, by as much as its slope."),
        )),
    Exercise(
        id="16.6", difficulty="medium", minutes=6, tolerance=1e-3,
        question="A reservoir of 50 places has seen 1000 samples. How probable is it that the very first is still there?",
        reference=0.05,
        hints=("The rule is fair: every sample seen so far is equally likely to be among the kept.",
               "50 places for 1000 samples, all with the same chance."),
        misconceptions=(
            Misconception(1.0, "it gave up its safety when the places ran out: sample 51 and all later ones may replace it."),
            Misconception(0.0, "a queue drops the oldest first. In a reservoir sample n enters with probability 50 / n only, "
                               "and takes a random place."),
            Misconception(0.02, "that is the chance of one place to be hit. Ask how many of the 1000 samples are kept."),
        ),
        solution="The n-th sample enters with probability 50/n and evicts a given one with 1/50, so the first survives step n "
                 "with 1 - 1/n. The product from n = 51 to 1000 is 50/51 * 51/52 * ... * 999/1000 = 50/1000."),
]

QUESTIONS = [
    Question(
        "No recurrence, a read-out without memory, reset detached. Rank BPTT, RTRL, e-prop and OTTT by how exact they are.",
        "No ranking: all four give the same gradient. E-prop leaves out paths through V, OTTT also the read-out's filter, "
        "and here there are neither."),
    Question(
        "A stream runs for a week. Can e-prop learn a relation that spans an hour, because it needs no memory for the past?",
        "Only if something in the neuron remembers for an hour. Its traces fade like beta^n, and what has faded can get no "
        "credit. Constant memory is not unlimited memory."),
    Question(
        "A buffer of the last R samples is simpler than a reservoir. What does it lose in a stream whose topic changes?",
        "The old topic: R samples after the change none of it is left. A reservoir holds every sample so far with equal "
        "probability."),
]
