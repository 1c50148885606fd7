"""Exercises of notebook 03."""
from functools import partial

import torch

from ..kinds import Exercise, Guess, Misconception, Question
from . import answers

EXERCISES = [
    Exercise(
        id="03.1", difficulty="easy", minutes=5, tolerance=1e-4,
        question="A current-based neuron has alpha = 0.9 and beta = 0.8. Above which steady input does it ever fire?",
        reference=0.02,
        property="With this input the current climbs to a ceiling, and that current lifts the potential to a ceiling of 1.",
        hints=("Take the two stages one by one. To which ceiling does the current climb under a steady input X?",
               "The current climbs to X / (1 - alpha), and a steady current I lifts the potential to I / (1 - beta)."),
        misconceptions=(
            Misconception(0.2, "that is what the membrane alone asks for: 1 - beta. The current has summed the input up "
                               "before: ten times."),
            Misconception(0.1, "that is the leak of the current alone. Its ceiling still has to lift the potential to 1."),
            Misconception(0.3, "the two stages do not add, they follow one another: one multiplies by 10, the next by 5."),
            Misconception(50.0, "that is how much the two stages multiply a steady input. Which input do they lift to 1?"),
            Misconception(0.72, "the decays say what stays. A steady input climbs by 1 / (1 - decay) in each stage."),
            Misconception(0.5, "that divides one leak by the other. The two stages multiply, by 10 and by 5."),
            Misconception(1.0, "that fires in one step. A smaller one adds up, first in the current, then in the potential."),
        ),
        solution="The current's ceiling is 10 X, the potential's 5 times that: 50 X. It passes 1 for X > 0.02."),
    Exercise(
        id="03.2", difficulty="medium", minutes=10,
        question="x [T] holds input spikes. Return the potential [T] of an alpha neuron that never fires, from two numbers "
                 "that you update in each step.",
        reference=answers.alpha_potential,
        cases=((torch.tensor([1.0, 0, 0, 0, 0, 0, 0, 0], dtype=torch.float64), 2.0),
               (torch.tensor([0, 1.0, 1, 0, 0, 1, 0, 0, 0, 1], dtype=torch.float64), 5.0)),
        property="A spike alone leaves 0 in its own step, and n / tau * e^(1 - n / tau) after n more.",
        hints=("lam = exp(-1 / tau). The potential uses the current of the step before, so update the potential first.",
               "potential = lam * (potential + e / tau * current), then current = lam * current + x[t]."),
        misconceptions=(
            Misconception(partial(answers.wrong_potential, early=True), "a step too early: the potential feels the current of "
                          "the step before, so that the rise begins at zero."),
            Misconception(partial(answers.wrong_potential, scaled=False), "the shape is right and the height is not: the "
                                                                          "factor e / tau brings the peak to 1."),
            Misconception(partial(answers.wrong_potential, leaks=False), "one of your two numbers never leaks, so the "
                                                                         "potential climbs and stays. Both decay by lam."),
            Misconception(partial(answers.wrong_potential, euler=True), "that is Euler's decay, 1 - 1 / tau. The exact one is "
                          "exp(-1 / tau)."),
            Misconception(partial(answers.wrong_potential, of_current=True), "that is the current. Return the potential."),
        )),
    Exercise(
        id="03.3", difficulty="easy", minutes=4, tolerance=1e-3,
        question="A neuron with theta = 1 and kappa = 4 fires in every fourth step, for a long time. What is its mean "
                 "threshold?",
        reference=2.0,
        property="The adaptation decays by rho and takes in the share 1 - rho of each spike, so its mean is that of the "
                 "spikes.",
        hints=("Eq. 4 is an average over the past. What is the mean of the spikes?",
               "The mean of a is the rate, 0.25. The threshold is theta + kappa a."),
        misconceptions=(
            Misconception(5.0, "that would be the threshold if it fired in every step. What is the mean of a?"),
            Misconception(1.25, "that is theta plus the mean of a. kappa says how far the threshold rises with a."),
            Misconception(1.0, "that is what lies on top of theta."),
            Misconception(0.25, "that is the mean of a. Which threshold does it make?"),
            Misconception(17.0, "one spike in four steps is a rate of 1/4, not of 4."),
        ),
        solution="The mean of a is the rate, 1/4. So the mean threshold is 1 + 4 / 4 = 2."),
    Exercise(
        id="03.4", difficulty="easy", minutes=4, tolerance=1e-3,
        question="A neuron rests for 4 steps after each spike. Then its input needs 3 steps to charge it, and in the third it "
                 "fires. How many spikes in 210 steps?",
        reference=30,
        property="From one spike to the next pass the steps of rest, and those of charging; the last of them is the spike's.",
        scales={"steps": 210},
        hints=("Write a train of spikes down: fire, rest, rest, rest, rest, charge, charge, and then?",
               "A spike every 4 + 3 steps."),
        misconceptions=(
            Misconception(52.5, "that is a spike every four steps: the charging is left out."),
            Misconception(42, "that is the ceiling, one spike in rest + 1 steps. This input takes 3 steps to charge."),
            Misconception(70, "that is a spike every three steps: it also rests for four."),
            Misconception(26, "that gives the spike a step of its own. It comes in the third step of charging."),
            Misconception(1 / 7, "that is the rate per step; how many in 210 steps?"),
            Misconception(7, "that is the number of steps from spike to spike."),
        ),
        solution="Four steps to rest and three to charge: a spike in every seventh step, 30 in 210."),
    Exercise(
        id="03.8", difficulty="medium", minutes=10,
        question="neuron takes an input [T, 1, 1] and returns its spikes, at a threshold of 1 and with reset to zero. Choose "
                 "inputs, and return what it is: 'plain', 'current', 'adaptive' or 'dead time'.",
        reference=answers.which_neuron,
        cases=answers.UNKNOWN,
        property="Three inputs tell: one so strong that a plain neuron fires in every step, one kick just below the threshold, "
                 "and a steady one for long.",
        hints=("Which of them cannot fire in every step, however strong the input? Which can fire when its input has ended?",
               "Input 50: a rate below 0.6 is a dead time. A single kick of 0.9: whoever fires later has a current. A steady "
               "0.5 for 600 steps: intervals that grow are an adaptation."),
        misconceptions=(
            Misconception(partial(answers.wrong_neuron, blind="dead time"), "a dead time shows under a strong input: at 50 "
                          "a plain neuron fires in every step, one that rests cannot."),
            Misconception(partial(answers.wrong_neuron, blind="current"), "a current fires late: kick the neuron once, a "
                          "little below the threshold, and wait."),
            Misconception(partial(answers.wrong_neuron, blind="adaptive"), "under a strong input nobody looks tired. Give a "
                          "weak one (0.5) for hundreds of steps, and compare the first intervals with the last."),
        )),
    Exercise(
        id="03.5", difficulty="medium", minutes=6, tolerance=1e-3,
        question="Four neurons with beta = 0.8 and theta = 1, reset 'subtract', hear all four with the weight w, and fire "
                 "together in every step. Above which w does that last?",
        reference=0.3,
        property="Firing in every step each gains 4 w - theta a step, and the leak has to leave more than theta of that sum.",
        hints=("In every step each potential becomes beta U + 4 w - theta. Where does that settle?",
               "It settles at (4 w - theta) / (1 - beta). This has to be above theta."),
        misconceptions=(
            Misconception(1.2, "that is the sum over the four. Each hears four spikes in a step."),
            Misconception(4.8, "the four spikes add up, so each weight may be smaller than the sum: divide by four."),
            Misconception(0.25, "four such spikes pay for one spike and not for the leak, which takes a fifth of the potential "
                                "in each step."),
            Misconception(0.4, "that is for three senders. Each hears itself too."),
            Misconception(0.05, "that is what each has to bring beyond the price of a spike. The price itself is theta."),
            Misconception(0.275, "that is for a leak of a tenth. Here beta is 0.8."),
            Misconception(0.45, "that is 1 + beta, by four. The leak takes 1 - beta of the potential."),
        ),
        solution="The potential settles at (4 w - 1) / 0.2, which is above 1 for 4 w > 1.2: the sum of a row takes v's place."),
    Exercise(
        id="03.6", difficulty="hard", minutes=20, build=True,
        question="Write a neuron that rests and tires. x is [T, N] in thresholds, the resting threshold is 1, the reset is to "
                 "zero. beta, rho and strength are numbers or [N], rest is a whole number of steps. Return the spikes [T, N].",
        reference=answers.receptor,
        cases=((answers.moving(0, 80, 3), torch.tensor([0.8, 0.9, 0.95], dtype=torch.float64), 3, 0.9, 3.0),
               (answers.moving(1, 60, 2), 0.85, 0, torch.tensor([0.8, 0.95], dtype=torch.float64), 2.0),
               (answers.moving(2, 50, 2), 0.7, 1, 0.9, torch.tensor([0.0, 6.0], dtype=torch.float64)),
               (torch.ones(6, 1, dtype=torch.float64), 0.0, 0, 0.5, 1.0)),
        property="In each step: the adaptation takes in the spike of the step before; who rests stays at 0, the others "
                 "leak and charge; who is above 1 + strength * adaptation fires and rests.",
        hints=("Four tensors [N] go from step to step: mem, spk, the adaptation, and how many steps of rest are left. All "
               "begin as zeros.",
               "ada = rho * ada + (1 - rho) * spk, with the spike of the step before. Then mem = torch.where(wait > 0, 0.0, "
               "beta * mem * (1 - spk) + x_t): the factor 1 - spk is the reset to zero.",
               "spk = (mem > 1 + strength * ada).to(x.dtype), wait = torch.where(spk > 0, float(rest), wait - 1), and "
               "torch.stack of all spk at the end."),
        misconceptions=(
            Misconception(answers.no_rest, "nobody rests: after a spike a neuron stays at 0 for `rest` steps."),
            Misconception(partial(answers.wrong_receptor, charges=True), "your neurons do not fire while they rest, but they "
                          "charge. They stay at 0."),
            Misconception(partial(answers.wrong_receptor, keeps=True), "nothing is taken from the membrane after a spike. The "
                          "rest hides that; with rest = 0 it shows."),
            Misconception(partial(answers.wrong_receptor, subtracts=True), "you subtract a threshold. Here the reset is to "
                          "zero."),
            Misconception(partial(answers.wrong_receptor, raw=True), "your adaptation takes in each spike whole. It is an "
                          "average: the share 1 - rho of it."),
            Misconception(partial(answers.wrong_receptor, sums=True), "your adaptation never recovers: it decays by rho "
                                                                      "in each step."),
            Misconception(partial(answers.wrong_receptor, falls=True), "your threshold stays at 1. It is 1 + strength "
                                                                       "times the adaptation."),
            Misconception(partial(answers.wrong_receptor, lowers=True), "your threshold falls with each spike. It rises."),
            Misconception(partial(answers.wrong_receptor, late=1), "your neurons rest one step too many: those that fire now "
                          "are free again after `rest` steps at 0."),
            Misconception(partial(answers.wrong_receptor, late=-1), "your neurons rest one step too few: the step of the spike "
                          "is not one of rest."),
            Misconception(partial(answers.wrong_receptor, strict=False), "you also fire when the potential equals the "
                          "threshold. Above it, says the rule."),
            Misconception(partial(answers.wrong_receptor, forgets=True), "your neurons forget: a step begins with beta times "
                          "the potential."),
            Misconception(answers.swapped_decays, "beta and rho are exchanged: beta is the decay of the membrane."),
            Misconception(partial(answers.wrong_receptor, membranes=True), "these are the potentials. Return the spikes."),
        )),
    Exercise(
        id="03.7", difficulty="medium", minutes=5, tolerance=1e-3,
        question="A membrane leaks with 0.1 mS/cm2 toward -70 mV. Synapses open 0.1 mS/cm2 toward 0 mV and 0.2 mS/cm2 toward "
                 "-80 mV. Where does the voltage settle?",
        reference=-57.5,
        property="It is the mean of the three reversal potentials, each weighted with its conductance.",
        hints=("Where it settles the three currents g (E - V) add to zero. Solve for V.",
               "V = (0.1 * -70 + 0.1 * 0 + 0.2 * -80) / (0.1 + 0.1 + 0.2)."),
        misconceptions=(
            Misconception(-50.0, "that is the plain mean of the three potentials. Each counts with its conductance."),
            Misconception(-23.0, "that is the weighted sum. Divide by the sum of the conductances."),
            Misconception(-76.6666667, "you left the excitatory synapse out. Its potential is 0, its conductance is not."),
            Misconception(-35.0, "you left the inhibitory synapse out."),
            Misconception(-53.3333333, "you left the leak out."),
        ),
        solution="(-7 + 0 - 16) / 0.4 = -57.5 mV."),
]

GUESSES = {
    "03.e": Guess(
        question="Each neuron in the picture has just fired, and its potential alone would not make it fire again. Now all "
                 "input stops. Which can still fire, because of its new part?",
        choices=("None: no input, no spike", "The one with the adaptation",
                 "The one with the current", "The one with the current, and the one whose spike comes back"),
        right="The one with the current, and the one whose spike comes back",
        explanation="A current is input that is still to come: section 1 fires a neuron by it after the last input. "
                    "A spike that comes back is input of its own making: section 3 keeps one going for ever. An adaptation "
                    "raises the threshold, and in this notebook sinks more slowly than the potential."),
    "03.a": Guess(
        question="A current-based neuron stands at $U = 0.5$, half way to its threshold. No input comes any more, but a "
                 "current of $I = 0.2$ is left in its synapse. What does the potential do?",
        choices=("It falls at once: nothing comes in", "It rises first, and falls later", "It stays until the current is gone"),
        right="It rises first, and falls later",
        explanation="It climbs from 0.5 to 0.72 in four steps, and then falls. The leak takes 0.05 in the first step and the "
                    "current brings 0.16. As the current fades and the potential grows, the two meet: there the orange line is "
                    "crossed, and the potential stands still for a moment.\n\nOne number no longer tells what a neuron will do "
                    "next. Two neurons at the same potential can part, and the plane is where one sees both numbers.",
        explorer="zoo.plane", settings={"across": 0.5, "up": 0.6},
        shown=lambda data: data["neuron"] == "current-based" and float(data["x"].max()) > float(data["x"][0]) + 0.05),
    "03.b": Guess(
        question="A neuron without a leak ($\\beta = 1$, reset `\"subtract\"`) fires 30 times in 100 steps of an input of 0.3. "
                 "Now each spike raises its threshold, to 2.2 in the mean. How often does it fire in the long run?",
        choices=("30 times, as before", "About half as often", "Less and less, until it is silent"),
        right="30 times, as before",
        explanation="Each spike still takes one $\\theta$ away, and what comes in has to go out. A higher threshold only lets "
                    "the membrane fill up further before it pays. With a leak a fuller membrane loses more, so the rate falls, "
                    "from 0.41 to 0.30 at an input of 0.5 and $\\beta = 0.9$. It falls to 0.17 without any leak if a spike "
                    "*empties* the membrane, for then all that was waiting is thrown away.\n\nThe law is Eq. 4 of notebook 02, "
                    "rate = input minus leak: no threshold stands in it."),
    "03.c": Guess(
        question="A neuron ($\\beta = 0.9$, $\\theta = 1$) hears its own spikes with a weight of 1.05: each brings more "
                 "than it costs. You kick it once so that it fires, and leave it alone. How long does it go on?",
        choices=("For ever: it gains 0.05 a spike", "Not at all: a spike always ends in a reset", "A few steps"),
        right="A few steps",
        explanation="Seven spikes. The gain is 0.05 a step, but the leak takes a tenth of the potential in each, so the "
                    "potential "
                    "runs toward 0.05 / 0.1 = 0.5, below the threshold. To stay above it, the gain has to be more than "
                    "$(1-\\beta)\\theta$: the weight must exceed $\\theta(2-\\beta) = 1.1$. At 1.09 it dies after 18 "
                    "spikes, at 1.11 it never does."),
    "03.d": Guess(
        question="Over the ten seconds the receptor slows down, from 127 spikes in the first to 78 in the last, while the "
                 "sound stays as loud. Three neurons were fitted to the first half: with a slow adaptation (seconds), a fast "
                 "one (tens of milliseconds), and none. Which has the best *coincidence* with the receptor in the second half?",
        choices=("The one with slow adaptation: it alone can slow down", "None of them clearly", "The one without: it has less "
                 "to learn wrongly"),
        right="None of them clearly",
        explanation="The bands of three fits overlap. Coincidence asks *when* a spike comes, and that is decided by the sound "
                    "and the dead time: cut to one step, it takes coincidence from 0.65 and more to less than 0.48.\n\n"
                    "Ask *how often* instead, and of the three the slow one wins: it fires 450 to 480 times "
                    "where the receptor fires 415, the others 490 to 508. Two questions, two answers: what a model is "
                    "good for depends on what you score."),
}

QUESTIONS = [
    Question(
        "A library calls its decays alpha and beta, another swaps the names. When does a network that you carry over notice?",
        "At the first spike. Until then the two filters are interchangeable; then the reset leaks with the decay of the "
        "membrane, and of the membrane only."),
    Question(
        "The spiking LSTM keeps a cue for a long time. Do its spikes carry the memory?",
        "No. What goes back is the analogue output and the cell; the spikes only leave. Whoever sells its memory as a memory "
        "of spikes has not looked at the arrows."),
    Question(
        "Your simulation has steps of 1 ms, and the dead time that you read in a paper is 2.5 ms. What do you do?",
        "Decide, and say it: 2 and 3 steps differ by a quarter in the largest rate. Or take steps of 0.5 ms."),
    Question(
        "Which of these neurons would you start with, and what would make you change?",
        "The plain LIF, and a measured failure: a task that needs more memory than beta near 1 gives, a loop, or a real neuron "
        "that tires."),
]
