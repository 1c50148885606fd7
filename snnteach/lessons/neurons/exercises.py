"""Exercises of notebook 02."""
import math

import torch

from ..kinds import Exercise, Misconception, Question


def decay_for_step(beta, dt, new_dt):
    return beta ** (new_dt / dt)


def _linear_leak(beta, dt, new_dt):
    return 1 - (1 - beta) * new_dt / dt


def _upside_down(beta, dt, new_dt):
    return beta ** (dt / new_dt)


def _scaled(beta, dt, new_dt):
    return beta * new_dt / dt


def lif_run(current, beta, threshold, num_steps):
    mem, spk, spikes = 0.0, 0.0, []
    for _ in range(num_steps):
        mem = beta * mem + current - threshold * spk
        spk = float(mem > threshold)
        spikes.append(spk)
    return torch.tensor(spikes)


def _never_resets(current, beta, threshold, num_steps):
    mem, spikes = 0.0, []
    for _ in range(num_steps):
        spk = 0.0
        mem = beta * mem + current - threshold * spk
        spikes.append(float(mem > threshold))
    return torch.tensor(spikes)


def _to_zero(current, beta, threshold, num_steps):
    mem, spk, spikes = 0.0, 0.0, []
    for _ in range(num_steps):
        mem = beta * mem * (1 - spk) + current
        spk = float(mem > threshold)
        spikes.append(spk)
    return torch.tensor(spikes)


def _at_once(current, beta, threshold, num_steps):
    mem, spikes = 0.0, []
    for _ in range(num_steps):
        mem = beta * mem + current
        spk = float(mem > threshold)
        mem = mem - threshold * spk
        spikes.append(spk)
    return torch.tensor(spikes)


def _at_or_above(current, beta, threshold, num_steps):
    mem, spk, spikes = 0.0, 0.0, []
    for _ in range(num_steps):
        mem = beta * mem + current - threshold * spk
        spk = float(mem >= threshold)
        spikes.append(spk)
    return torch.tensor(spikes)


def _loses_the_input(current, beta, threshold, num_steps):
    mem, spk, spikes = 0.0, 0.0, []
    for _ in range(num_steps):
        mem = (1 - spk) * (beta * mem + current)
        spk = float(mem > threshold)
        spikes.append(spk)
    return torch.tensor(spikes)


def _subtracts_one(current, beta, threshold, num_steps):
    mem, spk, spikes = 0.0, 0.0, []
    for _ in range(num_steps):
        mem = beta * mem + current - spk
        spk = float(mem > threshold)
        spikes.append(spk)
    return torch.tensor(spikes)


EXERCISES = [
    Exercise(
        id="02.1", difficulty="easy", minutes=4, tolerance=2e-3,
        question="After how many steps (a fraction is fine) has a membrane with beta = 0.95 lost half of its charge?",
        reference=math.log(0.5) / math.log(0.95),
        hints=("After n steps the membrane has kept beta to the power n. Set that equal to one half.",
               "Take the logarithm on both sides: n = ln(0.5) / ln(beta)."),
        misconceptions=(
            Misconception(10.0, "you took 5 % of the first charge at every step. Each step takes 5 % of what is left, "
                                "so the loss slows down."),
            Misconception(-1 / math.log(0.95), "that is the time constant, after which 37 % is left. Which n leaves one half?"),
            Misconception(14.0, "14 is the first whole step with less than half. The moment itself falls between two steps: "
                                "solve 0.95^n = 0.5 for n."),
        ),
        solution="0.95^n = 1/2, so n = ln(0.5) / ln(0.95) = 13.51 steps."),
    Exercise(
        id="02.2", difficulty="easy", minutes=5,
        question="A neuron decays by `beta` in a step of length `dt`. Give its decay in a step of length `new_dt`.",
        reference=decay_for_step,
        cases=((0.9, 1.0, 2.0), (0.95, 1.0, 0.1), (0.8, 5.0, 1.0)),
        hints=("beta = exp(-dt / tau) and tau stays the same. What is tau, given beta and dt?",
               "Two steps multiply by beta twice. So a step k times as long multiplies by beta to the power k."),
        misconceptions=(
            Misconception(_linear_leak, "that scales the leak in proportion, as Euler would. "
                                        "Two steps of 0.9 leave 0.81, not 0.8."),
            Misconception(_upside_down, "upside down: a longer step must leave less of the charge, not more."),
            Misconception(_scaled, "you scaled beta itself, so a step twice as long would leave more than everything. "
                                   "Decays multiply: think of a power."),
        )),
    Exercise(
        id="02.3", difficulty="medium", minutes=10,
        question="Repair the listing: run one neuron with a constant input from rest and return its spikes, a tensor [T].",
        reference=lif_run,
        cases=((0.3, 0.9, 1.0, 100), (0.7, 0.8, 1.5, 60), (0.25, 1.0, 1.0, 30), (1.0, 0.0, 1.0, 5)),
        hints=("The reset of step t needs the spike of step t - 1. Where does the listing keep it?",
               "Make the spike a second state: spk = 0.0 before the loop, never inside; then Eq. 2, then the comparison.",
               "Collect float(mem > threshold) in a list and return torch.tensor of it."),
        misconceptions=(
            Misconception(_never_resets, "it still never resets: the spike of the step before is forgotten, "
                                         "so the potential climbs to its ceiling and stays."),
            Misconception(_at_once, "your reset arrives as beta * threshold: either you scaled it by beta, or you reset in the "
                                    "same step and let it leak. Eq. 2 subtracts the full threshold, after the decay."),
            Misconception(_to_zero, "that is reset to zero: the excess over the threshold is lost. Eq. 2 subtracts."),
            Misconception(_at_or_above, "you also fire when mem equals the threshold. Eq. 3 is strict: mem > threshold."),
            Misconception(_loses_the_input, "that resets to zero and drops the input of that step. "
                                            "Eq. 2 subtracts a threshold and keeps the rest."),
            Misconception(_subtracts_one, "right for a threshold of 1 only: a spike costs `threshold`, not 1."),
        )),
    Exercise(
        id="02.4", difficulty="easy", minutes=5, tolerance=1e-4,
        question="Above which constant input does a neuron with beta = 0.9 and a threshold of 1 ever fire?",
        reference=0.1,
        hints=("Without a spike the potential climbs to a ceiling. Where do leak and input balance?",
               "At the ceiling U = beta U + I, so U = I / (1 - beta). Set this equal to the threshold."),
        misconceptions=(
            Misconception(1.0, "that fires in one step. Smaller inputs add up over time: to which ceiling?"),
            Misconception(0.9, "beta times the threshold is not the limit. The leak takes 1 - beta of the potential "
                               "at every step; the input must outweigh that."),
            Misconception(10.0, "that is the factor 1 / (1 - beta) between the input and its ceiling. "
                                "Which input has its ceiling at 1?"),
        ),
        solution="The ceiling is I / (1 - 0.9) = 10 I. It passes 1 for I > 0.1."),
    Exercise(
        id="02.5", difficulty="medium", minutes=6, tolerance=5e-3,
        question="beta = 0.8, threshold 1, constant input 0.45, mean potential 0.751: how many spikes in 100 steps?",
        reference=30,
        hints=("Eq. 4 gives spikes per step. Multiply by 100.",
               "The leak costs (1 - beta) times the mean potential per step: 0.2 * 0.751."),
        misconceptions=(
            Misconception(45, "you forgot the leak. What does a fifth of the mean potential cost per step?"),
            Misconception(36, "you took a fifth of the input. The leak takes a fifth of the mean potential, 0.751."),
            Misconception(-15.08, "fewer than no spikes: the leak is 1 - beta of the potential, not beta."),
        ),
        solution="(0.45 - 0.2 * 0.751) * 100 = 29.98, and spikes are whole: 30."),
]

QUESTIONS = [
    Question(
        "You halve the time step, so that the same signal takes twice as many steps, and keep beta. What have you changed?",
        "The memory in seconds: it is halved. Take the square root of beta, and halve the charge that a step brings."),
    Question(
        "beta = 0.9, threshold 1, one input of 3 and then silence. How many spikes with reset \"subtract\", and with \"zero\"?",
        "Two with subtract: the potential is 3, then 0.9 * 3 - 1 = 1.7, then 0.53. One with zero, which throws the excess "
        "away."),
    Question(
        "What does a neuron with reset \"none\" compute, and why is its spike count a poor measure of its input?",
        "A leaky sum and a comparison. Above the threshold it fires at every step, whether the input is a little or much "
        "too large."),
]
