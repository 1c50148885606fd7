"""Exercises of notebook 01."""
import math

import torch

from ..kinds import Exercise, Misconception, Question


def euler_step(voltage, current, tau, dt):
    return voltage + dt / tau * (current - voltage)


def _exact_step(voltage, current, tau, dt):
    return current + (voltage - current) * math.exp(-dt / tau)


def _input_not_scaled(voltage, current, tau, dt):
    return (1 - dt / tau) * voltage + current


def _no_step_length(voltage, current, tau, dt):
    return voltage + (current - voltage) / tau


def shortest_pulse(current, tau, rheobase):
    width = -tau * torch.log1p(-rheobase / current)
    return torch.where(current > rheobase, width, torch.inf)


def _equal_charge(current, tau, rheobase):
    return torch.where(current > rheobase, tau * rheobase / current, torch.inf)


def _no_silence(current, tau, rheobase):
    return -tau * torch.log1p(-rheobase / current)


def _negative(current, tau, rheobase):
    return -shortest_pulse(current, tau, rheobase)


def _at_the_rheobase(current, tau, rheobase):
    return torch.where(current > rheobase, -tau * torch.log(rheobase / current), torch.inf)


EXERCISES = [
    Exercise(
        id="01.1", difficulty="easy", minutes=4, tolerance=2e-3,
        question="After how many milliseconds has a membrane with tau = 20 ms lost half of its charge?",
        reference=20 * math.log(2),
        hints=("The membrane decays as exp(-t / tau). Write down when that is one half.",
               "Take the logarithm on both sides: t = tau ln 2."),
        misconceptions=(
            Misconception(20.0, "after one tau the membrane has kept 37 %, less than half. Which t leaves exactly one half?"),
            Misconception(10.0, "the decay is exponential, not a straight line: in tau/2 it loses 39 %, not half."),
            Misconception(40.0, "tau is not half of the life time; after two tau only 14 % is left."),
        ),
        solution="exp(-t / 20) = 1/2, so t = 20 ln 2 = 13.86 ms."),
    Exercise(
        id="01.2", difficulty="easy", minutes=6,
        question="Write one Euler step of the membrane equation with R = 1.",
        reference=euler_step,
        cases=((0.0, 1.0, 10.0, 1.0), (0.5, 1.5, 20.0, 0.5), (1.0, 0.0, 5.0, 2.0)),
        hints=("Solve the equation for dU/dt first: (current - voltage) / tau.",
               "Euler: new voltage = voltage + dt times that slope."),
        misconceptions=(
            Misconception(_exact_step, "that is the exact step. Euler uses the slope at the start of the step, "
                                       "a straight line: no exponential."),
            Misconception(_input_not_scaled, "the leak is right, but the input must be multiplied by dt/tau too."),
            Misconception(_no_step_length, "your step does not know how long it is. Multiply the slope by dt."),
        )),
    Exercise(
        id="01.3", difficulty="easy", minutes=5, tolerance=1e-6,
        question="What is the largest step (ms) below which Euler stays bounded for tau = 20 ms?",
        reference=40.0,
        hints=("One Euler step multiplies the potential by 1 - dt/tau. What happens when that is below -1?",
               "Bounded means |1 - dt/tau| < 1. Solve for dt."),
        misconceptions=(
            Misconception(20.0, "beyond 20 ms Euler overshoots and swings, but it still settles. "
                                "When does the swing grow?"),
            Misconception(10.0, "at tau/2 Euler is inaccurate, not unstable. When does |1 - dt/tau| pass 1?"),
        ),
        solution="|1 - dt/tau| < 1 holds for dt < 2 tau = 40 ms."),
    Exercise(
        id="01.4", difficulty="medium", minutes=8, tolerance=2e-3,
        question="Which current (in rheobases) lets a neuron with tau = 20 ms and a dead time of 2 ms fire 100 times a second?",
        reference=1 / (1 - math.exp(-0.4)),
        hints=("At 100 spikes a second the interval is 10 ms. How much of it is left for charging?",
               "8 ms of charging: solve tau ln(I / (I - 1)) = 8 ms for I."),
        misconceptions=(
            Misconception(1 / (1 - math.exp(-0.5)), "you forgot the dead time: 2 of the 10 ms are not spent charging."),
            Misconception(1 / (1 - math.exp(-0.6)), "the dead time is part of the interval, not in addition to it: "
                                                    "subtract it from 10 ms."),
        ),
        solution="tau ln(I / (I - 1)) = 8 ms, so I = 1 / (1 - exp(-8/20)) = 3.033."),
    Exercise(
        id="01.5", difficulty="medium", minutes=8,
        question="Turn the strength-duration law around: the shortest pulse that fires, torch.inf where none does.",
        reference=shortest_pulse,
        cases=((torch.tensor([1.1, 2.0, 10.0]), 20.0, 1.0), (torch.tensor([0.5, 2.0, 3.0]), 5.0, 2.0)),
        hints=("Solve I (1 - exp(-w / tau)) = I_rh for exp(-w / tau) first, then take the logarithm.",
               "w = -tau ln(1 - I_rh / I); at or below the rheobase there is no such w: use torch.where."),
        misconceptions=(
            Misconception(_equal_charge, "that is equal charge for every strength. True for very short pulses; "
                                         "a long pulse leaks away while it flows."),
            Misconception(_no_silence, "right above the rheobase; below it no pulse is long enough: return torch.inf there."),
            Misconception(_negative, "a negative width: the logarithm of a number below 1 is negative, so a minus is missing."),
            Misconception(_at_the_rheobase, "what is left at the end of the pulse is 1 - I_rh / I, not I_rh / I: "
                                            "solve for exp(-w / tau) once more."),
        )),
]

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
