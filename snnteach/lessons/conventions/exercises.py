"""Exercises of notebook 22."""

from ..kinds import Exercise, Guess, Misconception, Question
from . import answers
from .explorers import close_by, silent_beside_a_loud_one

EXERCISES = [
    Exercise(
        id="22.1", difficulty="easy", minutes=4,
        question="A library's step reads `v = decay * (v + x)`, then `s = v > 1`, then `v = v - s`. Which order of the four "
                 "verbs "
                 'is that? Answer with a text, such as "leak add reset fire".',
        reference="add leak fire reset",
        property="Four verbs, each once, parted by spaces, in the order in which this step does them.",
        hints=("What is done first to v: is it multiplied, or does x come?",
               "The decay multiplies v + x, so x was there before it leaked."),
        misconceptions=(
            Misconception("leak add fire reset", "the decay multiplies x, too: it came before the leak."),
            Misconception("add leak reset fire", "s is computed before it is taken off, in the same step."),
            Misconception("leak add reset fire", "that is `decay * v + x - s` with the spike of the step before."),
            Misconception("fire reset add leak", "that is the same circle, cut elsewhere: this step begins with the input."),
            Misconception("add fire leak reset", "v is compared after it has leaked."),
            Misconception("reset add leak fire", "that is the same circle, cut elsewhere: this step ends with the reset."),
            Misconception("leak fire reset add", "that is the same circle, cut one verb later: the input comes first."),
            Misconception("add, leak, fire, reset", "that is the order; part the verbs by spaces alone."),
            Misconception("Add Leak Fire Reset", "that is the order; write the verbs as they are written above."),
            Misconception("add fire reset leak", "the decay is in the first line: v leaks before it is compared, not at "
                                                 "the end."),
        ),
        solution='The input comes first, what is there leaks, the neuron fires, and pays: "add leak fire reset".'),
    Exercise(
        id="22.2", difficulty="medium", minutes=8,
        question='Write one step of spytorch, "fire leak add reset fade hear", with the threshold 1 and no gradient: x, '
                 'mem and '
                 "syn are [B, N]. Return (spk, mem, syn).",
        reference=answers.superspike_step,
        cases=((answers.draw(0, 3, 4), answers.draw(1, 3, 4) + 0.7, answers.draw(2, 3, 4), 0.8, 0.9),
               (answers.draw(3, 2, 5).abs(), answers.draw(4, 2, 5) + 1, answers.draw(5, 2, 5), 0.5, 0.7)),
        property="Each verb uses what stands there when its turn comes: fire the old potential, add the old current.",
        hints=("The first line is spk = (mem > 1).float(): what the potential was when the step began.",
               "The membrane adds syn before syn is changed: mem = beta * mem + syn - spk.",
               "Last: syn = alpha * syn + x."),
        misconceptions=(
            Misconception(answers.heard_at_once, "your membrane adds the new current. Add comes before fade and hear."),
            Misconception(answers.fired_at_the_end, "your spike is that of the new potential. Fire comes first here."),
            Misconception(answers.told_at_the_end, "you take the right spike off and return another one: return the one "
                                                   "that was taken off."),
            Misconception(answers.reset_first, "your reset comes before the leak, so what it takes off leaks, too."),
            Misconception(answers.never_reset, "the reset is missing."),
            Misconception(answers.in_another_order, "the numbers are right; return them as (spk, mem, syn)."),
            Misconception(answers.set_to_zero, "spytorch subtracts the threshold; you set the potential to zero."),
            Misconception(answers.fading_what_comes, "your input fades on arrival. Fade comes before hear."),
        )),
    Exercise(
        id="22.3", difficulty="easy", minutes=3,
        question="`LIFNode(tau=4.0)` of SpikingJelly leaks by an Euler step. Which beta do you give to snnTorch's `Leaky`?",
        reference=0.75,
        property="A share of what was there that stays after a step of length 1.",
        hints=("An Euler step leaves 1 - 1 / tau of the membrane.", "1 - 1 / 4"),
        misconceptions=(
            Misconception(0.7788, "that is exp(-1 / 4), the exact step. This library takes Euler's."),
            Misconception(0.78, "that is the exact step, exp(-1 / 4), rounded. What does Euler's leave?"),
            Misconception(0.25, "that is what leaks. What stays?"),
            Misconception(4.0, "tau is a time in steps; beta is a share between 0 and 1."),
            Misconception(0.8, "that is 1 - 1 / 5, or 4 / 5: what does one step of 1 take from 4?"),
            Misconception(1.3333, "a neuron that keeps more than everything would explode."),
        ),
        solution="1 - 1 / tau = 0.75. With exp(-1 / 4) = 0.779 it would leak less than there."),
    Exercise(
        id="22.4", difficulty="medium", minutes=6,
        question="A network listens to constant currents, its input is not scaled, and `beta` belongs to a step `dt`. You "
                 "now take steps of `new_dt`. Return (new beta, factor of the weights) so that the membrane without spikes "
                 "is the same at the same times.",
        reference=answers.other_step,
        cases=((0.9, 1.0, 0.5), (0.9, 1.0, 3.0), (0.5, 2.0, 1.0), (0.99, 0.1, 1.0)),
        property="The end value x / (1 - beta) of a constant current must stay what it was, and so must the time it takes.",
        hints=("The same share must be left after the same time: new beta to the power of dt / new_dt is the old one.",
               "A constant current x ends at x / (1 - beta). Keep that: the factor is (1 - new) / (1 - beta)."),
        misconceptions=(
            Misconception(answers.times_by_steps, "the ratio of the steps is right for short steps only. Keep x / (1 - "
                                                  "beta)."),
            Misconception(answers.scaled_anew, "your factor is that of weights which were scaled to begin with; these hold "
                                               "what 1 - beta did at the old step."),
            Misconception(answers.old_decay, "a shorter step leaks less: beta has to move."),
            Misconception(answers.weights_kept, "with the same weights a constant current would end at another potential."),
            Misconception(answers.straight, "that is Euler's step. Two half steps must leave what a whole one leaves."),
            Misconception(answers.upside_down, "your factor is upside down: with shorter steps each brings less."),
            Misconception(answers.turned_round, "you go from the new step to the old one."),
        )),
    Exercise(
        id="22.5", difficulty="medium", minutes=5, tolerance=1e-3,
        question="Read \"fire leak reset add\" as \"fire reset leak add\" with another price: by how much would the "
                 "potential have to fall at once, before the leak, so that the delayed reset by 1 at beta = 0.9 comes out? "
                 "Three digits.",
        reference=1 / 0.9,
        property="What is taken off before the leak is multiplied by beta, and 1 must be left of it.",
        hints=("beta (U - y) must be beta U - 1.", "beta y = 1."),
        misconceptions=(
            Misconception(1.0, "what is taken off before the leak leaks, too: 0.9 would be left of it."),
            Misconception(0.9, "the other way round: after the leak 1 must be left."),
            Misconception(0.1, "that is by how much beta falls short of 1."),
            Misconception(1.1, "that is 1 + 0.1, and 0.9 of it is 0.99."),
            Misconception(0.81, "0.9 of it must be 1."),
            Misconception(0.111, "that is how much more than 1 it is. How much is it in all?"),
        ),
        solution="beta (U - y) = beta U - 1 gives y = 1 / beta = 1.111: the delayed reset takes a ninth more."),
    Exercise(
        id="22.6", difficulty="hard", minutes=15, build=True,
        question="Run a network of SpikingJelly's LIFNodes with `lif`. `x` is [T, B, N]; `layers` are pairs (weight [N', N], "
                 "bias [N']), the first layer first; `tau`, `decay_input`, `v_threshold` and `v_reset` are what the library "
                 "was given, `v_reset` a number or None. Return the spikes of the last layer.",
        reference=answers.carried,
        cases=((answers.draw(0, 12, 3, 6).abs(), answers.network(1, 6.0, 6, 8, 4), 4.0, True, 1.0, 0.0),
               (answers.draw(5, 12, 3, 6).abs(), answers.network(6, 1.5, 6, 8, 4), 4.0, False, 1.0, None),
               (answers.draw(10, 12, 3, 6).abs(), answers.network(11, 6.0, 6, 8, 4), 3.0, True, 0.8, None),
               (answers.draw(15, 12, 3, 6).abs(), answers.network(16, 8.0, 6, 8, 4), 4.0, True, 1.0, -0.5)),
        property="Weights and biases of every layer are scaled alike; what is left of the potential is 1 - 1 / tau; u = v - "
                 "v_reset falls to 0 when it passes v_threshold - v_reset.",
        hints=("beta = 1 - 1 / tau; the whole current is divided by tau if decay_input, else left alone.",
               'A number for v_reset is reset="zero" of u = v - v_reset, whose threshold is v_threshold - v_reset; None is '
               '"subtract_decayed", with the threshold as it is.',
               "For each layer: x, _ = lif(scale * (x @ weight.T + bias), beta, threshold, reset=reset)."),
        misconceptions=(
            Misconception(answers.exact_decay, "your decay is exp(-1 / tau). LIFNode takes an Euler step."),
            Misconception(answers.unscaled, "with decay_input the current is divided by tau."),
            Misconception(answers.always_scaled, "without decay_input the current goes in as it is."),
            Misconception(answers.bias_forgotten, "the bias is part of the current: it is scaled with the weights."),
            Misconception(answers.always_subtracts, 'a number for v_reset sets the potential: reset="zero". The default '
                                                    '"subtract" is neither this nor that.'),
            Misconception(answers.late_subtraction, 'v_reset=None subtracts before the leak: "subtract_decayed".'),
            Misconception(answers.zero_taken_for_none, "v_reset = 0.0 is a number, but `if v_reset` takes it for None: ask "
                                                       "`v_reset is None`."),
            Misconception(answers.only_the_kind, 'two things are left: v_reset=None subtracts before the leak, which is '
                                                 '"subtract_decayed", and a number moves the threshold by -v_reset.'),
            Misconception(answers.always_to_zero, "v_reset=None is no reset to zero: it subtracts the threshold."),
            Misconception(answers.unmoved_threshold, "where v falls back and leaks to v_reset, measure it from there: the "
                                                     "threshold is v_threshold - v_reset."),
            Misconception(answers.moved_up, "a v_reset below 0 makes the way to the threshold longer: subtract it."),
            Misconception(answers.first_layer_only, "spikes are an input like any other: later layers are scaled, too."),
        )),
    Exercise(
        id="22.7", difficulty="easy", minutes=4,
        question="A network of Norse's neurons (beta = 0.9) learns with Adam at a rate of 0.01. You carry it over, W' = 0.1 "
                 "W, and go on. At which rate does Adam make the same changes to what the neurons do?",
        reference=0.001,
        property="Adam moves every weight by about its rate, whatever the size of the gradient. A move of W by 0.01 is which "
                 "move of W'?",
        hints=("Adam's step is about its rate, for W and for W'.", "W' moves by 0.1 where W moves by 1."),
        misconceptions=(
            Misconception(0.01, "the weights are a tenth as large, so the same move changes ten times as much."),
            Misconception(0.1, "the other way round: smaller weights need smaller moves."),
            Misconception(0.0001, "that is right for plain gradient descent, where the gradient by W' is ten times as "
                                  "large, too. Adam divides by its size."),
            Misconception(0.009, "the factor is 1 - beta = 0.1."),
        ),
        solution="W' = 0.1 W: a move of 0.01 in W is one of 0.001 in W'. (Plain gradient descent would need 0.0001.)"),
    Exercise(
        id="22.8", difficulty="medium", minutes=6, tolerance=2e-3,
        question="SpikingJelly's default keeps the reset in the gradient. A neuron is charged to h = 1.5, fires, and is set "
                 "to 0: v = (1 - s) h. With the surrogate slope 0.4 at this h, what does autograd give for dv / dh?",
        reference=-0.6,
        property="A product of two factors that both depend on h.",
        hints=("The slope of (1 - s) h is (1 - s) - h ds/dh.", "s = 1, and ds/dh is the surrogate's 0.4."),
        misconceptions=(
            Misconception(0.0, "that is the detached reset: here s depends on h, too."),
            Misconception(0.4, "s depends on h, but what multiplies it?"),
            Misconception(-0.4, "1 - s is multiplied by h = 1.5, and so is its slope."),
            Misconception(1.0, "the neuron fired: 1 - s is 0."),
            Misconception(-0.2, "that is with h less the threshold: v holds h itself."),
            Misconception(0.6, "a larger h makes 1 - s smaller: the sign is the other way."),
        ),
        solution="dv/dh = (1 - s) - h ds/dh = 0 - 1.5 * 0.4 = -0.6: more charge, it says, less potential."),
]


GUESSES = {
    "22.a": Guess(
        "snnTorch's `Leaky(beta=0.9)` fires 23 times in 100 steps at an input of 0.3. You give Norse's `LIFBoxCell` the same "
        "decay, the same threshold and the same input. How often does it fire?",
        ("23 times: it is the same neuron", "2 or 3 times", "Never", "About 40 times"), "Never",
        "Norse multiplies its input by 1 - beta, a tenth. The potential creeps up to 0.3 and stays there. In snnTorch it "
        "would end at 0.3 / 0.1 = 3, far above the threshold.\n\nThe two agree on every number that you typed. They disagree "
        "about a factor that nobody typed.",
        "conventions.five", {"current": 0.3, "beta": 0.9}, silent_beside_a_loud_one),
    "22.b": Guess(
        "A step leaks, adds its input, fires and resets, in some order: four verbs, 24 orders. All reset by subtraction. "
        "Spikes that merely come one step later count as the same. How many different neurons are there?",
        ("24", "12", "6", "4"), "4",
        "A loop over steps runs through the verbs as through a circle, and 24 orders are six circles, cut in four places. "
        "The cut decides what is recorded, not what fires.\n\nTwo more pairs fall together: add and reset only add and "
        "subtract, and side by side it is all the same which comes first."),
    "22.c": Guess(
        "The course's reset comes one step late and after the leak. The continuous neuron resets at once. Under a constant "
        "current you make the steps shorter and shorter, the exact beta and the input's factor with them. What becomes of the "
        "spikes?",
        ("They stay wrong: a late reset is another neuron",
         "They approach the continuous neuron's, and the immediate reset is no closer",
         "They approach the continuous neuron's, but the immediate reset is closer"),
        "They approach the continuous neuron's, but the immediate reset is closer",
        "One step late is nothing once the steps are short. What is left is one step's worth of leak on what was taken off, "
        "and that shrinks as the step does.\n\nUntil then the interval is three times as much too long as with an immediate "
        "reset. At long steps it is another neuron indeed: at beta = 0 it remembers.",
        "conventions.steps", {"step": 0.02}, close_by),
    "22.d": Guess(
        "A network learned MNIST with Norse's neurons. You copy it into `lif`, with the right decay and the right reset, and "
        "forget the factor 1 - beta: all its currents are ten times too strong. It read 93 % of the test digits. Now?",
        ("About 10 %, as by chance", "About 50 %", "About 90 %"), "About 90 %",
        "In all three seeds. Too strong a current makes all neurons fire more, mostly the right one still the "
        "most.\n\nThat is what makes the mistake so long-lived: nothing looks broken. A mistake that makes currents too "
        "*weak* is found at once."),
}

QUESTIONS = (
    Question("Two papers report different accuracies for \"LIF, tau = 2, MNIST\". What do you ask before you believe that "
             "one is better?",
             "Whether tau is Euler's or exact, whether the input is divided by it, whether the reset sets or subtracts and "
             "when, which surrogate of which width, and whether the reset is in the gradient; then the learning rate, which "
             "means something else if the input is scaled."),
    Question("Which of these switches would you fix in a standard, and which leave open?",
             "An opinion, but a useful line is whether short steps make the difference vanish: order, lag and Euler do "
             "vanish, the scale of the input and reset by value against subtraction for strong pulses do not, and the "
             "gradient switches are no matter of the neuron at all."),
    Question("Your colleague ports a network and the accuracy is the same to a tenth of a point. Is the port right?",
             "No. Compare spikes, one by one, on a few samples: a wrong reset cost less than a point here, and changed "
             "the counts of more than half of the digits. What is built on the spikes, such as an energy or a chip, is "
             "wrong then."),
)
