"""Exercises of notebook 13."""
import math

from ..kinds import Exercise, Guess, Misconception, Question
from . import answers

EXERCISES = [
    Exercise(
        id="13.1", difficulty="easy", minutes=5, tolerance=1e-3,
        question="A neuron without a leak (Eq. 2, time constant 1, threshold 1) hears three spikes, at t = 0, ln 2 and ln "
                 "3, with "
                 "weights 1, 2 and 5. When does it fire?",
        reference=math.log(2.5),
        property="Everyone who is heard came before it, and everyone who came before it is heard.",
        hints=("In z = exp(t) the arrivals are 1, 2 and 3. Try the first input alone, then the first two.",
               "One: 1 / (1 - 1) never fires. Two: z = (1 * 1 + 2 * 2) / (1 + 2 - 1) = 2.5, before the third comes at 3."),
        misconceptions=(
            Misconception(math.log(20 / 7), "you let all three speak. Does the third arrive before the spike?"),
            Misconception(2.5, "that is z. The time is its logarithm."),
            Misconception(math.log(3), "the membrane does not wait for the third: it has crossed before."),
            Misconception(math.log(2), "when an input arrives the *current* jumps. The membrane rises from there on."),
            Misconception(math.log(5 / 3), "the threshold is missing below the line."),
            Misconception(0.0, "the first input alone never gets there: its weight is the threshold, no more."),
            Misconception(math.log(1.25), "below the line stands the sum of the weights less the threshold: 1 + 2 - 1."),
        ),
        solution="z = (1 + 4) / (1 + 2 - 1) = 2.5, which lies between the second arrival, 2, and the third, 3: t = ln 2.5 = "
                 "0.916."),
    Exercise(
        id="13.2", difficulty="medium", minutes=8, tolerance=1e-6,
        question="Eq. 4 moves a weight. Move an arrival instead: return df/dt_i for all inputs of the neuron of Eq. 1 "
                 "(responses "
                 "`alpha_psp(t, 5.0)`, slopes `alpha_psp_slope(t, 5.0)`), given its weights, arrivals and spike time.",
        reference=answers.by_arrival,
        cases=(answers.neuron(0, 3), answers.neuron(1, 5), answers.neuron(2, 2)),
        property="If all arrivals come later by the same time, so does the spike: the answers sum to 1.",
        hints=("U(f) stays at the threshold: U'(f) df plus the change that the arrival makes must be 0.",
               "An arrival later by dt_i changes U(f) by -w_i eps'(f - t_i) dt_i.",
               "df/dt_i = w_i eps'(f - t_i) / U'(f), with U'(f) the sum of w_k eps'(f - t_k)."),
        misconceptions=(
            Misconception(answers.by_arrival_wrong_sign, "the sign: t_i stands with a minus in eps(f - t_i), and that turns "
                                                         "it "
                                                         "once more."),
            Misconception(answers.by_weight, "that is the answer for the weights, Eq. 4."),
            Misconception(answers.not_divided, "that is how fast U(f) falls as the arrival moves. How far does the spike "
                                               "move?"),
            Misconception(answers.without_weight, "an input with a larger weight pulls more: w_i stands above the line, "
                                                  "too."),
            Misconception(answers.with_response, "moving a response sideways changes U by its *slope*, not by its height."),
            Misconception(answers.share_of_weight, "weights alone do not decide: a response at its peak is flat, and moving "
                                                   "it "
                                                   "changes nothing."),
        )),
    Exercise(
        id="13.3", difficulty="medium", minutes=6, tolerance=1e-4,
        question="The neuron of 13.1 fires at z = 2.5. By how much does its spike *time* move per unit of its first weight?",
        reference=-0.3,
        property="A larger weight makes the spike earlier; and dt = dz / z.",
        hints=("Write z (sum of w - 1) = sum of w_i z_i and change w_1: dz (1 + 2 - 1) + z dw = z_1 dw.",
               "dz/dw_1 = (1 - 2.5) / 2 = -0.75, and dt = dz / z."),
        misconceptions=(
            Misconception(-0.75, "that is how far z moves. t = ln z, so dt = dz / z."),
            Misconception(0.3, "more weight, earlier spike: which sign?"),
            Misconception(-0.1, "that is for the second weight."),
            Misconception(-1.5, "that is z_1 - z. Divide by the sum of the weights less the threshold, and by z."),
            Misconception(0.4, "that is z_1 / z. A larger w_1 raises the sum below the line as well."),
            Misconception(-0.6, "divide by the sum of the weights less the threshold, too."),
            Misconception(0.75, "more weight, earlier spike; and that is for z, not for t."),
            Misconception(0.2, "below the line w_1 stands as well: z is a quotient."),
            Misconception(0.0, "0 is right for the third weight, which comes after the spike."),
        ),
        solution="dz/dw_1 = (z_1 - z) / (1 + 2 - 1) = -1.5 / 2 = -0.75; dt = dz / z = -0.3."),
    Exercise(
        id="13.4", difficulty="hard", minutes=20, build=True, gradients=("times", "weight"), tolerance=1e-5,
        question="Write a layer of first spikes (Eq. 2, time constant 1, threshold 1), for a batch. `times` [B, N], "
                 "`weight` [M, N]; "
                 "return when each neuron fires first, [B, M], with gradients by autograd. A neuron that never fires, or "
                 "later "
                 "than 9, counts as 9.0.",
        reference=answers.first_spikes,
        cases=(answers.layer_case(0, 6, 5, 7), answers.layer_case(1, 3, 12, 4), answers.layer_case(2, 4, 1, 9)),
        property="Each spike solves Eq. 2 with exactly the inputs that come before it, and no earlier set does.",
        hints=("arrive, order = times.sort(dim=1) brings the inputs of each sample in order; weight.T[order].transpose(1, 2) "
               "brings the weights along, [B, M, N].",
               "cumsum(2) gives both sums for the first 1, 2, ..., N inputs: N candidates. A candidate counts if its sum of "
               "weights "
               "is above 1, and its z lies between its last input and the next one.",
               "fires.byte().argmax(2, keepdim=True) is the place of the first that counts; gather takes its z. Replace what "
               "does not count before you divide or take a logarithm, or its gradient is NaN."),
        misconceptions=(
            Misconception(answers.hears_everyone, "you let inputs speak that come after the spike. A candidate counts only "
                                                  "if its "
                                                  "spike comes before the next input."),
            Misconception(answers.never_looks_ahead, "the smallest set whose weights suffice need not be the one: its spike "
                                                     "may "
                                                     "come after the next input, which then speaks, too."),
            Misconception(answers.no_threshold, "the threshold is missing below the line."),
            Misconception(answers.no_log, "you return z. The time is its logarithm."),
            Misconception(answers.silent_at_once, "a neuron that never fires is not the first one: it counts as 9.0."),
            Misconception(answers.weights_unsorted, "you sort the arrivals and leave the weights where they were."),
            Misconception(answers.last_set, "after its first spike a neuron is done: take the first candidate that counts."),
            Misconception(answers.dead, "the times are right, and no gradient reaches the weights. Do not detach them."),
        )),
    Exercise(
        id="13.5", difficulty="easy", minutes=4, tolerance=0.01, scales={"neurons": 100},
        question="A network of 100 neurons runs for 200 ms and fires 500 spikes. On a clock of 0.1 ms, backpropagation "
                 "through time "
                 "keeps two numbers (V and I) a neuron and step at the least. EventProp "
                 "keeps three numbers a spike. How many times less "
                 "is "
                 "that?",
        reference=400_000 / 1500,
        property="Count the numbers that each keeps, and divide.",
        hints=("200 ms are 2000 steps.", "100 * 2000 * 2 numbers against 500 * 3."),
        misconceptions=(
            Misconception(200_000 / 1500, "each neuron has two states, V and I."),
            Misconception(800, "a spike is three numbers here: when, which neuron, and its current."),
            Misconception(400, "a time and a neuron are not enough: the backward pass needs the current at the spike, too."),
            Misconception(40_000 / 1500, "a step is 0.1 ms: 200 ms are 2000 of them."),
            Misconception(400_000, "that is what the clock keeps. And EventProp?"),
            Misconception(1500, "that is what EventProp keeps. And the clock?"),
            Misconception(1500 / 400_000, "upside down: how many times *less*?"),
        ),
        solution="100 * 2000 * 2 = 400,000 numbers against 3 * 500 = 1500: 267 times less."),
    Exercise(
        id="13.6", difficulty="easy", minutes=4, tolerance=1e-9,
        question="A clock looks at the membrane at step, 2 step, 3 step and so on. The membrane crosses at `spike_time`, "
                 "between two "
                 "ticks, and stays above. How much later is the spike noticed?",
        reference=answers.noticed_late,
        cases=((3.27, 0.5), (0.04, 0.1), (7.99, 1.0), (1.01, 0.25)),
        property="It lies between 0 and one step, and spike_time plus it is a whole number of steps.",
        hints=("The next tick is number ceil(spike_time / step).", "math.ceil(spike_time / step) * step - spike_time"),
        misconceptions=(
            Misconception(answers.since_last_tick, "that is how long ago the last tick was. The clock notices at the next "
                                                   "one."),
            Misconception(answers.to_the_nearest, "a clock cannot notice a spike before it is there: not the nearest tick, "
                                                  "the "
                                                  "next one."),
            Misconception(answers.half_a_step, "that is the mean over many spikes. How late is this one?"),
            Misconception(answers.the_tick, "that is when it is noticed. How much later than spike_time?"),
            Misconception(answers.ticks, "that is the number of the tick. How much later, in time?"),
            Misconception(answers.one_step, "that is the worst case."),
        )),
    Exercise(
        id="13.7", difficulty="medium", minutes=7, tolerance=1e-3,
        question="Two layers of the neuron of Eq. 1, time constant 5. A hidden neuron with weight 1 to the output fired at "
                 "2, the "
                 "output crosses at 9, where its membrane rises by 0.1 a unit of time. By how much does the output spike "
                 "move if "
                 "the hidden one comes later by a unit?",
        reference=(5 - 7) / 25 * math.exp(1 - 7 / 5) / 0.1,
        property="A response that already falls is higher where the output crosses if it comes later.",
        hints=("It is 13.2 again: w eps'(f - t) / U'(f), with f - t = 7.",
               "eps'(7) = (5 - 7) / 25 * exp(1 - 7/5) = -0.0536."),
        misconceptions=(
            Misconception(2 / 25 * math.exp(1 - 7 / 5) / 0.1, "the sign: seven units after the spike, is its response "
                                                              "rising or "
                                                             "falling?"),
            Misconception((5 - 7) / 25 * math.exp(1 - 7 / 5), "that is how fast the response falls. Divide by the slope of "
                                                              "the "
                                                              "membrane."),
            Misconception(-7 / 5 * math.exp(1 - 7 / 5) / 0.1, "that is for its weight. How far if it comes *later*?"),
            Misconception((5 - 7) / 5 * math.exp(-0.4) / 0.1, "eps' has tau squared below the line."),
            Misconception(1.0, "only if all inputs came later by a unit."),
            Misconception((5 - 9) / 25 * math.exp(1 - 9 / 5) / 0.1, "the response began at 2, not at 0."),
            Misconception(0.0, "it did speak before the output fired, so it counts."),
            Misconception((5 - 7) / 25 * math.exp(7 / 5 - 1) / 0.1, "the exponent is 1 - t / tau."),
        ),
        solution="df/dt = w eps'(7) / U'(f) = (5 - 7) / 25 * exp(-0.4) / 0.1 = -0.536: later, and the output comes earlier."),
]


def _gone(data):
    return math.isinf(data["spike_time"])


GUESSES = {
    "13.a": Guess(
        "Three *exciting* input spikes, close together, make a leaky neuron fire. You turn one "
        "weight down, slowly and evenly, until the neuron is "
        "silent. "
        "What does its spike do meanwhile?",
        ("It comes later and later, without end", "It comes later evenly, and then is gone",
         "It comes later ever faster, and then is gone"), "It comes later ever faster, and then is gone",
        "Each input is a pulse, so the membrane has a *peak*. The spike can come no later than that. Near the peak the "
        "membrane "
        "is flat: a small change of its height moves the crossing far. At the peak the speed is infinite, and beyond it "
        "there "
        "is no spike. (Pulses far apart have several peaks, and the spike can jump to the next one.)\n\n"
        "Under a *constant* current the first answer would be right: at the rheobase the spike takes for "
        "ever.",
        "spiketimes.crossing", {"w2": 0.1}, _gone),
    "13.b": Guess(
        "In a layer of first spikes each neuron fires once, at $z = \\sum_C w_i z_i \\,/\\, (\\sum_C w_i - \\theta)$. Two "
        "such "
        "layers learn what no linear model can. Where does the power come from?",
        ("From $z = e^{t}$, which bends time", "From who is heard: an input that comes after the spike does not count",
         "From silence: a neuron whose weights are too small never fires"),
        "From who is heard: an input that comes after the spike does not count",
        "Let every neuron wait until all its inputs have come. Then $z$ is a fixed weighted sum of the $z$ below it: two "
        "linear "
        "layers, which are one. Such a network gets no further than a linear model, although its times bend as before, and "
        "nobody is silent.\n\nWho is heard changes from point to point; that is the kink, as the zero is in a rectified "
        "unit."),
    "13.c": Guess(
        "A clock notices a spike at its next tick, half a step late on average, and resets the membrane then. A neuron "
        "fires many "
        "spikes. How late is its tenth, compared with an exact simulation?",
        ("Half a step, like the first", "About five steps: each delay adds to the next",
         "Less than half a step: early and late cancel"), "About five steps: each delay adds to the next",
        "What arrives between crossing and reset is thrown away with the membrane, so the next spike starts late, and is "
        "noticed "
        "late once more. Half a step per spike: the tenth is about five steps late.\n\nThe error of a *first* spike is half "
        "a "
        "step, and of a network's timing many times that. Both shrink with the step, linearly."),
    "13.d": Guess(
        "A hidden neuron excites the output. It has fired, and by the time the output crosses its threshold, that pulse is "
        "already "
        "*falling*. You want the output spike a little earlier. Should the hidden spike come earlier or later?",
        ("Earlier", "Later", "It makes no difference"), "Later",
        "A pulse that falls was higher a moment before. Moved later it is higher *where the output crosses*, and the output "
        "comes "
        "earlier. Exact gradients know this; while the pulse still rises they say the opposite.\n\nA surrogate gradient "
        "does not "
        "ask when the spike came. It asks for more potential, and always says: earlier."),
}

QUESTIONS = (
    Question("The paper calls the gradient at spike times unbiased. When is that true?",
             "As long as no spike appears or vanishes while the weight moves. Across such a moment the spike time jumps, "
             "and a "
             "gradient knows nothing of jumps; a silent neuron has the gradient 0 and stays silent for ever unless "
             "something else "
             "wakes it."),
    Question("A network of first spikes reads a point when its first output fires. What does it save, and what does it not?",
             "It stops there, and has heard only the hidden neurons that fired before. What it saves on a chip depends on "
             "what "
             "waiting costs, and on whether the others can be kept from firing."),
    Question("Your colleague compares a network of first spikes with rectified units and finds it five points better. What "
             "do you "
             "ask?",
             "How both were started and at which rate they learned, who chose that and on which points. Here the same "
             "rectified "
             "network goes from far behind to level when its first weights are drawn larger."),
    Question("EventProp needs no surrogate. Why is the surrogate still used almost everywhere?",
             "It reaches silent neurons, runs on a clock in parallel on common hardware, and wants no derivation for each "
             "new "
             "neuron. EventProp gives exact gradients and short memories, and waits for spikes to exist."),
)
