"""Exercises of notebook 04."""
import math

from ..kinds import Exercise, Misconception, Question


def free_rate(measured, dead_time):
    return measured / (1 - measured * dead_time)


def _law_forwards(measured, dead_time):
    return measured / (1 + measured * dead_time)


def _to_first_order(measured, dead_time):
    return measured * (1 + measured * dead_time)


def _mean_interval(measured, dead_time):
    return 1 / measured - dead_time


def _ignored(measured, dead_time):
    return measured


def faintest(num_steps, tau, threshold):
    return threshold / (1 - math.exp(-num_steps / tau))


def _never_late(num_steps, tau, threshold):
    return threshold


def _one_step_early(num_steps, tau, threshold):
    return threshold / (1 - math.exp(-(num_steps - 1) / tau))


def _wrong_side(num_steps, tau, threshold):
    return threshold * (1 - math.exp(-num_steps / tau))


def _what_is_left(num_steps, tau, threshold):
    return threshold / math.exp(-num_steps / tau)


EXERCISES = [
    Exercise(
        id="04.1", difficulty="easy", minutes=4,
        question="A pixel of intensity 0.5 in a Bernoulli rate code: how many steps until the standard deviation of its "
                 "estimated intensity is 0.05?",
        reference=100,
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
        reference=free_rate,
        cases=((50.0, 0.005), (100.0, 0.0), (92.9, 0.0032), (0.25, 2.0)),
        hints=("Think in intervals: the mean interval is dead_time + 1 / rate.",
               "1 / measured = dead_time + 1 / rate. Solve for rate."),
        misconceptions=(
            Misconception(_law_forwards, "this makes the rate lower still. The dead time has already been at work: undo it."),
            Misconception(_to_first_order, "right for short dead times only: 1 / (1 - m d) is not 1 + m d."),
            Misconception(_mean_interval, "that is the mean interval without dead time; the rate is its inverse."),
            Misconception(_ignored, "then the dead time would cost nothing. It silences the neuron for a part of the time."),
        )),
    Exercise(
        id="04.3", difficulty="medium", minutes=7,
        question="Which is the faintest intensity that still fires within `num_steps` steps of a logarithmic latency code?",
        reference=faintest,
        cases=((10, 5.0, 0.1), (8, 8.0, 0.1), (100, 5.0, 0.01), (2, 2.0, 0.3)),
        hints=("Put t = num_steps into t = tau ln(x / (x - threshold)) and solve for x.",
               "x / (x - threshold) = exp(t / tau), so threshold / x = 1 - exp(-t / tau)."),
        misconceptions=(
            Misconception(_never_late, "that one fires after an infinite time. The clock stops at num_steps."),
            Misconception(_one_step_early, "the last step begins at num_steps - 1 and lasts until num_steps: a spike at "
                                           "t = num_steps - 0.1 still counts."),
            Misconception(_wrong_side, "below the threshold nothing fires. The faintest must lie above it: divide."),
            Misconception(_what_is_left, "exp(-t / tau) is what is missing of the charge at time t; you need what is there."),
        )),
    Exercise(
        id="04.4", difficulty="easy", minutes=3,
        question="A signal rises from 0 to 1 in ten thousand even samples. How many events does send-on-delta emit with a "
                 "threshold of 0.03?",
        reference=33,
        hints=("Does the number of samples matter?", "One event for each whole threshold of the rise: floor(1 / 0.03)."),
        misconceptions=(
            Misconception(34, "the last, unfinished threshold is not sent: round down."),
            Misconception(1 / 0.03, "events are whole: round down."),
            Misconception(0, "that is frame difference, which sees steps of 0.0001 and drops each of them."),
            Misconception(10_000, "an event comes when the change since the last *event* is worth it, not at every sample."),
        ),
        solution="floor(1 / 0.03) = 33. The last 0.01 is the error that remains, less than a threshold."),
    Exercise(
        id="04.5", difficulty="medium", minutes=6,
        question="Eight bits reach a membrane one a step, each spike adding 1, the *least* significant bit first. With which "
                 "beta is the last potential, without reset, proportional to the binary number?",
        reference=0.5,
        hints=("A spike at step t is worth beta^(7 - t) at the last step.",
               "Later bits weigh more. Each must weigh twice as much as the one before it: 1 / beta = 2."),
        misconceptions=(
            Misconception(2.0, "then the *first* bit would weigh most, and the membrane would explode. Here it comes last."),
            Misconception(1.0, "without a leak the membrane counts spikes, whatever their step."),
            Misconception(0.9, "this reads numbers to the base 1 / 0.9: bits overlap, and 0111 beats 1000."),
            Misconception(0.25, "then a bit weighs four times the one before it. Binary asks for twice."),
        ),
        solution="mem[7] = sum over t of beta^(7 - t) spk[t]; with beta = 1/2 that is the number divided by 128."),
]

QUESTIONS = [
    Question(
        "Latency says more with fewer spikes. Name two reasons to use a rate code all the same.",
        "One lost or shifted spike destroys a latency, but changes a rate little; and a latency needs a common start of "
        "time, which a rate does not."),
    Question(
        "A sensor has sent nothing for ten seconds. Which readings of this silence does frame difference allow, and which "
        "send-on-delta?",
        "Under frame difference the signal may have drifted any distance, slowly. Under send-on-delta it is within one "
        "threshold of what was said last, unless the sensor is broken."),
    Question(
        "Why is it a bug if the spikes of an image depend on the other images of its batch?",
        "The same image gives other spikes in another batch, and at test time, alone, others again: the reader cannot "
        "decode them, and test images influence each other's scores."),
]
