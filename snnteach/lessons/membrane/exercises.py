"""Exercises and guesses of notebook 01."""
import math
from functools import partial

import torch

from ..kinds import Exercise, Guess, Misconception, Question
from . import answers

EXERCISES = [
    Exercise(
        id="01.1", difficulty="easy", minutes=4, tolerance=4e-3,
        question="After how many milliseconds has a membrane with tau = 20 ms lost half of its charge?",
        reference=20 * math.log(2), property="Put it into exp(-t / 20): the result has to be one half.",
        hints=("The membrane decays as exp(-t / tau). Write down when that is one half.",
               "Take the logarithm on both sides: t = tau ln 2."),
        misconceptions=(
            Misconception(20.0, "after one tau the membrane has kept 37 %, less than half. Which t leaves exactly one half?"),
            Misconception(10.0, "the decay is exponential, not a straight line: in tau/2 it loses 39 %, not half."),
            Misconception(40.0, "tau is not half of the life time; after two tau only 14 % is left."),
            Misconception(20 * math.log10(2), "that is the logarithm to base 10. The exponential wants the natural one."),
            Misconception(20 / math.log(2), "t and tau have changed places: t = tau ln 2."),
            Misconception(0.02 * math.log(2), "that is in seconds; the question asks for milliseconds."),
        ),
        solution="exp(-t / 20) = 1/2, so t = 20 ln 2 = 13.86 ms."),
    Exercise(
        id="01.2", difficulty="easy", minutes=6,
        question="Write one Euler step of the membrane equation with R = 1.",
        reference=answers.euler_step,
        property="Where voltage equals current nothing moves, and a step of length tau lands on the current.",
        cases=((0.0, 1.0, 10.0, 1.0), (0.5, 1.5, 20.0, 0.5), (1.0, 0.0, 5.0, 2.0)),
        hints=("Solve the equation for dU/dt first: (current - voltage) / tau.",
               "Euler: new voltage = voltage + dt times that slope."),
        misconceptions=(
            Misconception(answers.exact_step, "that is the exact step. Euler uses the slope at the start of the step, "
                                       "a straight line: no exponential."),
            Misconception(answers.input_not_scaled, "the leak is right, but the input must be multiplied by dt/tau too."),
            Misconception(answers.no_step_length, "your step does not know how long it is. Multiply the slope by dt."),
            Misconception(answers.only_the_change, "that is how far the potential moves in this step. Add it to where it "
                                                   "was."),
            Misconception(answers.only_the_leak, "your membrane leaks, and nothing comes in."),
            Misconception(answers.away_from_it, "the potential runs away from the current instead of towards it: current - "
                                         "voltage."),
            Misconception(answers.tau_over_dt, "upside down: the longer tau, the less a step moves. It is dt / tau."),
        )),
    Exercise(
        id="01.3", difficulty="easy", minutes=5, tolerance=1e-6,
        question="What is the largest step (ms) below which Euler stays bounded for tau = 20 ms?",
        reference=40.0, property="With just this step 1 - dt / tau is -1: the potential changes its sign and keeps its size.",
        hints=("One Euler step multiplies the potential by 1 - dt/tau. What happens when that is below -1?",
               "Bounded means |1 - dt/tau| < 1. Solve for dt."),
        misconceptions=(
            Misconception(20.0, "beyond 20 ms Euler overshoots and swings, but it still settles. "
                                "When does the swing grow?"),
            Misconception(10.0, "at tau/2 Euler is inaccurate, not unstable. When does |1 - dt/tau| pass 1?"),
            Misconception(45.0, "with 45 ms it grows, as you have just seen. Where does it begin to?"),
            Misconception(2.0, "that is in time constants. How many milliseconds are two of them?"),
        ),
        solution="|1 - dt/tau| < 1 holds for dt < 2 tau = 40 ms."),
    Exercise(
        id="01.4", difficulty="medium", minutes=8, tolerance=3e-3,
        question="Which current (in rheobases) lets a neuron with tau = 10 ms and a dead time of 2 ms fire 100 times a "
                 "second?",
        reference=1 / (1 - math.exp(-0.8)),
        property="tau ln(I / (I - 1)) has to be what the dead time leaves of the interval between two spikes.",
        hints=("At 100 spikes a second the interval is 10 ms. How much of it is left for charging?",
               "8 ms of charging: solve tau ln(I / (I - 1)) = 8 ms for I."),
        misconceptions=(
            Misconception(1 / (1 - math.exp(-1)), "you forgot the dead time: 2 of the 10 ms are not spent charging."),
            Misconception(1 / (1 - math.exp(-1.2)), "the dead time is part of the interval, not in addition to it: "
                                                    "subtract it from 10 ms."),
            Misconception(1 / (1 - math.exp(-0.4)), "that is for a time constant of 20 ms; this neuron's is 10 ms."),
            Misconception(math.exp(0.8), "that is I / (I - 1). Solve it for I."),
            Misconception(1.25, "that is the current without a leak: 10 / 8. Part of yours leaks away while it charges."),
            Misconception(1 / (math.exp(0.8) - 1), "that is I - 1: what is left above the rheobase."),
        ),
        solution="tau ln(I / (I - 1)) = 8 ms, so I = 1 / (1 - exp(-8/10)) = 1.816."),
    Exercise(
        id="01.5", difficulty="medium", minutes=8,
        question="Turn the strength-duration law around: the shortest pulse that fires, torch.inf where none does.",
        reference=answers.shortest_pulse,
        property="At twice the rheobase the pulse lasts tau ln 2; at the rheobase and below no pulse is long enough.",
        cases=((torch.tensor([1.1, 2.0, 10.0]), 20.0, 1.0), (torch.tensor([0.5, 2.0, 3.0]), 5.0, 2.0)),
        hints=("Solve I (1 - exp(-w / tau)) = I_rh for exp(-w / tau) first, then take the logarithm.",
               "w = -tau ln(1 - I_rh / I); at or below the rheobase there is no such w: use torch.where."),
        misconceptions=(
            Misconception(answers.equal_charge, "that is equal charge for every strength. True for very short pulses; "
                                         "a long pulse leaks away while it flows."),
            Misconception(answers.no_silence, "right above the rheobase; below it no pulse is long enough: return torch.inf "
                                              "there."),
            Misconception(answers.negative, "a negative width: the logarithm of a number below 1 is negative, so a minus is "
                                     "missing."),
            Misconception(answers.at_the_rheobase, "what is left at the end of the pulse is 1 - I_rh / I, not I_rh / I: "
                                            "solve for exp(-w / tau) once more."),
            Misconception(answers.at_once_below, "below the rheobase a pulse of no width does not fire; none does: torch.inf "
                                          "there."),
            Misconception(answers.in_time_constants, "that is in time constants: multiply by tau."),
        )),
    Exercise(
        id="01.6", difficulty="medium", minutes=15, build=True,
        question="Write a bank of leaky neurons with a dead time. current is [T, N], one column a neuron, tau is [N]; "
                 "threshold and R are 1, all begin at 0. Return the spikes, [T, N], as 0. and 1.",
        reference=answers.bank,
        cases=((answers.moving(0, 80, 3), torch.tensor([5.0, 10.0, 20.0], dtype=torch.float64), 0.5, 3),
               (answers.moving(1, 60, 2), torch.tensor([2.0, 8.0], dtype=torch.float64), 1.0, 0),
               (torch.ones(5, 2, dtype=torch.float64), torch.tensor([0.001, 0.002], dtype=torch.float64), 1.0, 1)),
        property="In each step: those that rest stay at 0 and the others take one exact step; who is above 1 fires, falls "
                 "to 0 and rests for dead_steps steps.",
        hints=("Two tensors [N] go from step to step: the potential, and how many steps of rest are left. Both begin as "
               "zeros.",
               "torch.where(wait > 0, 0.0, beta * voltage + (1 - beta) * drive) lets some neurons rest while others charge.",
               "Who fires waits dead_steps, everyone else one step less than before: torch.where(fired, dead_steps, wait - "
               "1). Then torch.where(fired, 0.0, voltage), and torch.stack of all the fired.to(current.dtype) at the end."),
        misconceptions=(
            Misconception(partial(answers.wrong_bank, euler=True), "that is Euler's decay, 1 - dt / tau. The exact step has "
                                                                   "exp(-dt / "
                                                      "tau)."),
            Misconception(partial(answers.wrong_bank, scaled=False), "the leak is right, but the input of a step comes in "
                                                                     "by the share 1 "
                                                        "- beta."),
            Misconception(answers.no_dead_time, "nobody rests: after a spike a neuron stays at 0 for dead_steps steps."),
            Misconception(partial(answers.wrong_bank, charges=True), "your neurons do not fire while they rest, but they "
                                                                     "charge. They "
                                                        "stay at 0."),
            Misconception(partial(answers.wrong_bank, keeps=True), "your neurons keep what lay above the threshold. Here "
                                                                   "they fall to 0."),
            Misconception(partial(answers.wrong_bank, falls=False), "after a spike the potential has to fall to 0. The dead "
                                                                    "time hides that; with dead_steps = 0 your neurons keep "
                                                                    "firing."),
            Misconception(partial(answers.wrong_bank, in_time=True), "dead_steps is a number of steps already."),
            Misconception(partial(answers.wrong_bank, all_rest=True), "one spike sends all neurons to rest. Decide for each: "
                                                         "torch.where."),
            Misconception(partial(answers.wrong_bank, strict=False), "you also fire when the potential equals 1. Above it, "
                                                                     "says the "
                                                        "rule."),
            Misconception(partial(answers.wrong_bank, late=1), "your neurons rest one step too many: those that fire now "
                                                               "are free again "
                                                  "after dead_steps steps at 0."),
            Misconception(partial(answers.wrong_bank, late=-1), "your neurons rest one step too few: the step of the spike "
                                                                "is not one of "
                                                   "rest."),
            Misconception(partial(answers.wrong_bank, forgets=True), "your neurons forget: a step begins with beta times "
                                                                     "the potential."),
            Misconception(answers.first_tau_for_all, "all your neurons have the same time constant. beta is a tensor [N]."),
            Misconception(answers.potentials, "these are the potentials. Return who fired, as 0. and 1."),
        )),
]

GUESSES = {
    "01.a": Guess(
        question="In the explorer below the neuron has a time constant of 20 ms and a dead time of 2 ms. A current of 1.5 "
                 "rheobases makes it fire 42 times a second. You double the current. What happens to the rate?",
        choices=("It doubles: twice the charge, half the time",
                 "It less than doubles: the dead time stays as long as it was",
                 "It more than doubles"),
        right="It more than doubles",
        explanation="To 99, a factor of 2.37. At 1.5 rheobases the climb slows down as it nears the threshold: there the "
                    "leak takes two thirds of what comes in. At 3 rheobases it takes one third. So what is left for "
                    "charging grows from a third to two thirds of a current that has itself doubled.\n\nThe dead time does "
                    "work against this, and with 10 ms of it the factor is 1.77. It wins at strong currents too: from 3 to "
                    "6 rheobases, with 2 ms, the factor is 1.79. Without a leak and without a dead time, doubling is "
                    "doubling.",
        explorer="membrane.constant", settings={"current": 3.0}, shown=lambda data: data["current"] >= 3),
    "01.b": Guess(
        question="In these tests no current flowed. Now one does, and it moves: a sine with a period of 20 ms. Each step takes "
                 "the current at the moment it begins, and holds it. How large is the error of the exact step?",
        choices=("None to speak of: the step is exact", "No smaller than Euler's", "Half of Euler's"),
        right="No smaller than Euler's",
        explanation="In steps of 1 ms the exact step is off by 0.079 and Euler by 0.077. It is exact for a current that "
                    "stands still during a step, and this one does not. Holding an old value makes the current late by half "
                    "a step, and no decay can mend that. With a period of 200 ms its error is even more than six times as "
                    "large as Euler's: being late by half a step is all that is left of it, and Euler's own error happens to "
                    "cancel that.\n\nWhat mends it is a better current: with its mean over the step the error is 0.0026, and "
                    "it falls to a quarter when the step is halved. Where your data are spikes or frames, they are what "
                    "they are in a step, and the exact step has nothing to be wrong about."),
    "01.c": Guess(
        question="A pulse of 2 rheobases that lasts 10 ms does not fire the neuron in the explorer below ($\\tau = 20$ ms). "
                 "You may make it longer, or stronger. Which way needs the smaller percentage?",
        choices=("Stronger", "Longer", "Both need the same: what counts is the charge"),
        right="Stronger",
        explanation="27 % more current is enough (2.54 rheobases), where the width has to grow by 39 % (to 13.9 ms). Both "
                    "add charge. But a longer pulse adds it late, when part of the early charge has leaked away; a stronger "
                    "one adds it all along. Without a leak both would need the same.",
        explorer="membrane.pulse", settings={"strength": 2.6, "law": "drawn"}, shown=lambda data: len(data["widths"]) > 0),
    "01.d": Guess(
        question="Our neuron has three parts: a *memory* (the capacitance, $\\beta > 0$), a *leak*, and a *dead time* of 3 "
                 "ms. Take one away, fit floor, gain and delay anew, and see how many spikes of the real neuron are still "
                 "met. Which part does it miss most?",
        choices=("The leak", "The dead time", "The memory"),
        right="The dead time",
        explanation="Whole, the coincidence is 0.66 in the mean of three fits; without memory 0.60, without a dead time "
                    "0.48, and without a leak 0.65, within the spread of the fits. On a second recording, whose sound moves "
                    "faster, it is 0.51, then 0.50, 0.37 and 0.47: there the leak is worth a little. Why the dead time? "
                    "A likely reason: where it fires, the fitted current is mostly more than five rheobases, so the climb is "
                    "short, little leaks, and how long the neuron then rests decides when it can fire next.\n\nThat does "
                    "not say that the receptor has hardly any leak. It says that these spikes hardly tell: a model that "
                    "fits is no proof of its parts."),
}

QUESTIONS = [
    Question(
        "Two neurons share R and the threshold; their time constants are 10 and 40 ms. Which has the lower rheobase, and "
        "which fires first under a strong constant current?",
        "The rheobase is threshold / R, the same for both. The one of 10 ms fires first: its first spike comes after tau "
        "ln(RI / (RI - threshold)), in proportion to tau."),
    Question(
        "Why can Euler's method blow up, and the exact step never?",
        "Euler multiplies by 1 - dt/tau, which is below -1 once dt > 2 tau; the exact step multiplies by exp(-dt/tau), "
        "which stays between 0 and 1 whatever the step."),
    Question(
        "A dead time of 2 ms is added. What is the largest rate now, and where in the curve of rate against current is it "
        "felt?",
        "500 spikes a second. It is felt at strong currents, where the interval was short; near the rheobase 2 ms more "
        "hardly count."),
]
