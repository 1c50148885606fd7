"""Exercises of notebook 18."""
import math

from ..kinds import Exercise, Guess, Misconception, Question
from . import answers

RIPPLE = 0.3 * (1 - 0.7**4) / (1 - 0.7**5)

EXERCISES = [
    Exercise(
        id="18.1", difficulty="easy", minutes=5, tolerance=2e-3,
        question="A target is uniform between -1 and 1. What is the least mean squared error of an output that says 0 or 1 at "
                 "each step?",
        reference=5 / 24,
        property="Below 1/2 the best it can say is 0, above it 1: average the two kinds of error over the whole range.",
        hints=("Eq. 2: for a negative y the nearer of 0 and 1 is 0, and the error is y squared.",
               "Half of the time y is negative: there the mean of y squared is 1/3. The other half is the case of the text."),
        misconceptions=(
            Misconception(1 / 12, "that is for a target between 0 and 1. Half of this one is negative."),
            Misconception(1 / 3, "that is what always saying 0 costs: the positive half can be met better."),
            Misconception(1 / 6, "that is what the negative half adds. The positive half costs something too."),
            Misconception(1 / 24, "that is what the positive half adds. The negative half costs more."),
            Misconception(5 / 12, "you added the two halves: each counts only half of the time."),
            Misconception((5 / 24) ** 0.5, "that is its root. Give the mean squared error."),
            Misconception(0.25, "a coin cannot do better than that, a network can: it knows the target."),
        ),
        solution="On [-1, 0] it says 0 and pays y^2, 1/3 on average; on [0, 1] it says the nearer one and pays 1/12. "
                 "(1/3 + 1/12) / 2 = 5/24 = 0.208."),
    Exercise(
        id="18.2", difficulty="medium", minutes=7, tolerance=2e-3,
        question="One neuron fires in every fifth step, for ever. It is read by Eq. 1 with V = 1, c = 0 and d = 0.7. How far "
                 "does y swing, from its smallest to its largest value?",
        reference=RIPPLE,
        property="Let y be p right after a spike: four steps of decay and one with a spike have to lead back to p.",
        hints=("Between spikes y is multiplied by 0.7 in each step; in the step of a spike 0.3 is added, too.",
               "p = 0.7^5 p + 0.3 right after a spike. The smallest value comes four steps later: 0.7^4 p."),
        misconceptions=(
            Misconception(0.3, "that is the jump that one spike makes from rest; in the same step the rest decays."),
            Misconception(0.3 / (1 - 0.7**5), "that is the largest value. Take the smallest from it."),
            Misconception(0.7**4 * 0.3 / (1 - 0.7**5), "that is the smallest value. Take it from the largest."),
            Misconception(0.2, "that is the mean: the rate of the neuron."),
            Misconception(0.3 * (1 - 0.7**4), "you began at rest. After many spikes something is left of those before."),
            Misconception(0.3 * (1 - 0.7**5), "you began at rest, and let it decay for five steps."),
            Misconception(1.0, "a spike is 1, but Eq. 1 lets only 0.3 of it in."),
        ),
        solution="Right after a spike p = 0.3 / (1 - 0.7^5) = 0.361, four steps later 0.7^4 p = 0.087: it swings by "
                 "0.274, more "
                 "than its mean, 0.2. Many neurons that fire at different times smooth this out."),
    Exercise(
        id="18.3", difficulty="medium", minutes=8,
        question="Return the NRMSE of persistence for `series` [T] and a whole `horizon`: what is said for step t + horizon is "
                 "the value at step t. Divide by the standard deviation of the values that were to be predicted, with n.",
        reference=answers.persistence_error,
        cases=((answers.walk(0, 200), 1), (answers.walk(1, 300), 12), (answers.walk(2, 50), 7)),
        property="Of a series that repeats every `horizon` steps it is 0; the mean of the targets would reach exactly 1.",
        hints=("The targets are series[horizon:]. Which slice of the series is said for them?",
               "Root of: mean of (said - target)^2, divided by mean of (target - target.mean())^2. `.item()` makes it a "
               "number."),
        misconceptions=(
            Misconception(answers.not_in_deviations, "that is the error in the units of the series. Divide by the standard "
                                                     "deviation of the targets."),
            Misconception(answers.no_root, "you forgot the root."),
            Misconception(answers.of_the_whole_series, "you divide by the deviation of the whole series: only series[horizon:] "
                                                       "was predicted."),
            Misconception(answers.of_the_past, "you divide by the deviation of what was said. The targets are "
                                               "series[horizon:]."),
            Misconception(answers.one_short, "you look one step further than `horizon`."),
            Misconception(answers.the_change_before, "you continue the last change. Persistence says the last value."),
            Misconception(answers.absolute, "that is a mean of absolute errors: square first, then the mean, then the root."),
        )),
    Exercise(
        id="18.4", difficulty="easy", minutes=4, tolerance=2e-3,
        question="Each rotor pushes with at most g. How far, in radians, may the craft lean before it can no longer hold its "
                 "height?",
        reference=math.pi / 3,
        property="Both rotors at full push, times the cosine of the lean, have to equal the weight g.",
        hints=("Only the part of the push that points up carries: F cos a.",
               "2 g cos a = g."),
        misconceptions=(
            Misconception(60.0, "right, in degrees. Give it in radians."),
            Misconception(0.5, "that is the cosine of the angle."),
            Misconception(math.pi / 6, "you took the sine. The part that points up is F cos a."),
            Misconception(math.pi / 4, "at that lean it still climbs: 2 cos a is 1.41."),
            Misconception(math.pi / 2, "there nothing of the push points up at all. It sinks long before."),
            Misconception(0.0, "with both at half push it sinks at any lean, but they can push harder."),
        ),
        solution="2 g cos a = g, so cos a = 1/2 and a = pi/3 = 1.047, 60 degrees."),
    Exercise(
        id="18.5", difficulty="medium", minutes=15, build=True, tolerance=1e-6,
        gradients=("s", "mem1", "spk1", "mem2", "spk2", "u", "weight1", "weight2", "readout"),
        question="Write one step of the controller, Eq. 7, for scaled states s [B, 6]: two layers with beta = 0.7, "
                 "threshold 1, "
                 "reset by subtraction and `atan()`, the second hearing what the first has just fired; then u <- 0.7 u + 0.3 "
                 "(spk2 V' + c), with V in `readout` [2, N] and c in `offset`. Return (mem1, spk1, mem2, spk2, u). The reset "
                 "keeps its gradient.",
        reference=answers.controller_step,
        cases=(answers.step_case(0), answers.step_case(1, 2, 8)),
        property="Four lines of charging and firing and one or two of reading; the reset takes the spikes that were handed in, "
                 "the second layer those that were just made.",
        hints=("mem1 = 0.7 * mem1 + s @ weight1.T + bias1 - spk1, and then its spikes.",
               "`spike(mem1 - 1, atan())` is the step function with a surrogate gradient.",
               "The second layer is the same with spk1 in the place of s. Then the read-out: 0.7 * u + 0.3 * (...)."),
        misconceptions=(
            Misconception(answers.detaches, "the values are right, and the reset is detached. The question asks for one that "
                                            "keeps its gradient: subtract spk1 and spk2 as they are."),
            Misconception(answers.seventeen, "17 is put in outside: use `readout` and `offset` as they are."),
            Misconception(answers.offset_whole, "the offset is part of the drive, of which 0.3 comes in."),
            Misconception(answers.reads_membranes, "V reads the spikes of the second layer, and not its membranes."),
            Misconception(answers.compares_only, "the values are right, and no gradient comes through: a comparison has none. "
                                                 "Use spike(mem - 1, atan())."),
            Misconception(answers.hears_late, "your second layer hears the spikes of the step before. It has to hear those of "
                                              "this step."),
            Misconception(answers.never_resets, "nothing resets: subtract the spikes that were handed in, spk1 and spk2."),
            Misconception(answers.sums_up, "Eq. 7 lets only 0.3 of the drive in."),
            Misconception(answers.no_memory, "the command has a memory: 0.7 of the last one stays."),
            Misconception(answers.fires_at_zero, "the threshold is 1: spike(mem - 1, ...), which compares with zero."),
            Misconception(answers.resets_to_zero, "that resets to zero. Subtract the threshold, 1, and keep the excess."),
        )),
    Exercise(
        id="18.6", difficulty="easy", minutes=5, tolerance=2e-3,
        question="A gradient passes the surrogates of two layers, one after the other, and comes out 6.25 times too large. By "
                 "which factor do you multiply each surrogate to mend it?",
        reference=0.4,
        property="It acts once in each layer: used twice, it has to undo 6.25.",
        hints=("The gradient is multiplied by the surrogate's derivative once in each layer.", "f * f * 6.25 = 1."),
        misconceptions=(
            Misconception(0.41, "0.41 mends a gradient 6 times too large; here it is 6.25."),
            Misconception(0.16, "that would do if the gradient passed one surrogate. It passes two, and would be 6 times too "
                                "small."),
            Misconception(2.5, "upside down: that makes it larger still."),
            Misconception(0.08, "factors multiply: take the root, and not the half."),
            Misconception(3.125, "factors multiply: take the root, and not the half; and the gradient is to shrink."),
            Misconception(0.32, "factors multiply: take the root, and not twice the reciprocal."),
        ),
        solution="f^2 * 6.25 = 1, so f = 1 / 2.5 = 0.4."),
    Exercise(
        id="18.7", difficulty="medium", minutes=8, tolerance=1e-9,
        question="`mem` [C, B, N] are the membranes of a chunk of C steps that was run from rest, without resets. Before "
                 "it, the "
                 "membranes stood at `before` [B, N]. Return the membranes as they should be.",
        reference=answers.carry_over,
        cases=(answers.chunk_case(0, 4, 0.9), answers.chunk_case(1, 1, 0.5), answers.chunk_case(2, 7, 0.99)),
        property="What stood there before leaks on, added to what the chunk does by itself; after one step beta of it is left.",
        hints=("The equation is linear: membranes from rest, plus what is left of `before`.",
               "In the first step of the chunk beta * before is left, in the second beta^2 * before, ..."),
        misconceptions=(
            Misconception(answers.one_step_late, "already in the first step of the chunk it has leaked once."),
            Misconception(answers.without_a_leak, "what stood there before leaks, like everything else."),
            Misconception(answers.first_step_only, "it does not vanish after the first step: the leak hands it on."),
            Misconception(answers.backwards, "it is largest in the first step of the chunk, and smallest in the last."),
            Misconception(answers.same_everywhere, "it fades from step to step: a power for each of them."),
            Misconception(answers.fades_all, "`mem` has leaked already: only `before` has still to fade."),
        )),
    Exercise(
        id="18.8", difficulty="medium", minutes=10, tolerance=1e-9,
        question="Without chunks and without a loop over steps compute Eq. 9, mem[t] = beta * mem[t-1] + x[t], for x [T, B, N] "
                 "in log2(T) rounds, rounded up. After each round a step knows twice as much of its past: first itself alone, "
                 "then two steps, then four.",
        reference=answers.by_doubling,
        cases=(answers.wave_case(0, 13, 0.9), answers.wave_case(1, 16, 0.5), answers.wave_case(2, 1, 0.7),
               answers.wave_case(3, 1500, 0.6)),
        property="Of a single input of 1 at the first step beta^t is left at step t.",
        hints=("A step that knows `reach` steps of its past needs what the step `reach` before it knows, faded by "
               "beta**reach.",
               "The first `reach` steps know all of their past already: mem[:reach] stays as it is.",
               "mem = torch.cat([mem[:reach], mem[reach:] + beta**reach * mem[:-reach]]), and then reach *= 2, while "
               "reach < len(x)."),
        misconceptions=(
            Misconception(answers.fades_one_step, "what comes from `reach` steps ago has faded `reach` times: beta**reach."),
            Misconception(answers.one_round, "that is one round: each step knows the one before it, and nothing older."),
            Misconception(answers.grows_by_one, "from round to round the reach doubles. Where it grows by one, much of the "
                                                "past is added more than once."),
            Misconception(answers.goes_round, "roll brings the end of the recording to its beginning: the first `reach` steps "
                                              "get nothing."),
            Misconception(answers.stops_early, "a round is missing: go on while `reach` is less than the number of steps."),
            Misconception(answers.by_a_sum, "beta**t becomes 0 in a long recording, and you divide by it. Rounds need no "
                                            "division."),
            Misconception(answers.never_fades, "the leak is missing: that is a plain sum of the past."),
        )),
]


def _holds(data):
    return data["controller"] != "spiking" and data["kick"] > 3.2 and data["crash"] is None


GUESSES = {
    "18.a": Guess(
        "Three controllers can fly the craft below: a spiking network of 64 neurons, trained; a *linear* one, fourteen "
        "numbers, trained on the same kind of flights; and LQR, fourteen numbers out of a textbook formula. At a kick of "
        "2 rad/s none falls. You kick harder. Who falls first?",
        ("The linear ones: they know only small errors", "The spiking one",
         "All at about the same kick: the rotors are the limit"), "The spiking one",
        "With the flight below the spiking controller falls at a kick of 3, both linear ones at 4. From 200 starts and with a "
        "kick of 3 it is the same (section 3).\n\nTraining on easy flights alone is not why: an ordinary network of the same "
        "size, trained on them, survives the kick of 3 (section 3).",
        "regression.push", {"controller": "linear", "kick": 3.5}, _holds),
    "18.b": Guess(
        "A signal wanders evenly between 0 and 1. Network A has one output neuron, and its spike, 0 or 1 at each step, "
        "*is* the "
        "answer; it is trained as well as can be. Network B always says 0.5. Whose mean squared error is smaller?",
        ("A's: it follows the signal", "B's: spikes are too coarse", "They are equal"), "They are equal",
        "Both have 1/12. At best A names the nearer of 0 and 1, and is off by up to a half, evenly: that has the same mean "
        "square as the distance from the middle.\n\nNo training gets below it, for it is not the network that errs. What "
        "helps is to *average*: over time, over neurons, or both."),
    "18.c": Guess(
        "A spiking network with a memory of years forecasts next month's sunspots. Beside it stand *persistence*, which says "
        "\"as this month\", and AR(24), a weighted sum of the last 24 months. Who errs least?",
        ("The spiking network", "AR(24)", "Persistence"), "AR(24)",
        "A weighted sum of 24 numbers, fitted in a blink, wins at one month, and at three and six; at twelve the two tie, "
        "and a "
        "longer sum beats both.\n\nThe network beats persistence everywhere. Of forecasts that are printed without these two "
        "beside them nobody can tell whether they are worth anything."),
    "18.d": Guess(
        "Nearly all networks of this course kept the reset out of the gradient (`detach_reset=True`), and learned. Ten "
        "controllers are trained so. How many of the ten keep the craft in the air from at least 95 % of the starts?",
        ("All ten", "About half", "None"), "None",
        "Nine lose every flight, the tenth one in ten; and ten of ten succeed with the reset left in the gradient.\n\nA "
        "spike that comes makes the next one "
        "come later. Leave that out, and the gradient believes that an input moves the rate several times more than it does. "
        "Where nothing comes back that does little harm (section 1); in a loop the gradient goes through it again and again."),
}

QUESTIONS = [
    Question("Fourteen linear numbers and an ordinary network of the same size fly the craft better. What is the spiking "
             "controller good for?",
             "Here: for learning what a loop asks of spikes. It is no better a controller. It would be interesting where the "
             "sensor is an event camera, or where power is what counts; none of that is shown here. A task beyond linear "
             "feedback is no reason: the ordinary network is not linear, either."),
    Question("Why does a detached reset do no harm to a classifier that counts spikes?",
             "A gradient that is too large by nearly one factor for all keeps its direction, and Adam divides by its "
             "size. In a "
             "closed loop it is multiplied by itself at every turn, so even the direction of the sum is spoilt."),
    Question("When may you leave the reset out to compute all steps at once?",
             "When the task does not need the rate to be limited by the neuron itself. It is another neuron: nothing pays "
             "for a "
             "spike. Whether it learns as well is a question for each task, and is not answered here."),
]
