"""Exercises of notebook 05."""
import torch

from ..kinds import Exercise, Guess, Misconception, Question
from . import answers

WEIGHT = torch.tensor([[0.5, -0.2, 0.1, -0.4], [-0.3, 0.6, -0.7, 0.2], [0.1, 0.9, 0.3, -0.8]])

EXERCISES = [
    Exercise(
        id="05.1", difficulty="easy", minutes=4,
        question="Three hidden layers and an output, a delay of 2 steps between layers, 10 steps: in how many of them can the "
                 "output hear anything of the input?",
        reference=4,
        property="Follow one spike of the first step: in which step does it reach the output, and how many are left then?",
        hints=("Count the connections between layers. The input reaches the first layer at once.",
               "Three connections of 2 steps: a spike of step 0 arrives in step 6. Steps 6, 7, 8 and 9 are left."),
        misconceptions=(
            Misconception(6, "that is the step in which the first spike arrives, or the steps that are lost. How many of the "
                             "ten are left from there?"),
            Misconception(10, "without delays it would be all ten: a spike crosses every layer in its own step. Here each of "
                              "the connections between layers takes 2 steps."),
            Misconception(2, "you counted four connections. The input reaches the first hidden layer without a delay."),
            Misconception(8, "that is one connection. A spike crosses three on its way from the first layer to the output."),
            Misconception(7, "three steps are lost at a delay of 1. Here it is 2."),
            Misconception(3, "close: steps count from 0, and the step in which the spike arrives counts too."),
            Misconception(5, "close: steps count from 0, so the spike arrives in step 6, and step 9 is the last."),
        ),
        solution="Three connections of 2 steps: what the first layer fires in step 0 arrives in step 6. Steps 6 to 9 are "
                 "left: 4."),
    Exercise(
        id="05.2", difficulty="easy", minutes=4, tolerance=2e-3,
        question="A layer's potentials without resets have the mean 0.05 and the standard deviation 0.25. By which factor do "
                 "its weights have to grow for the threshold, 1, to lie two standard deviations above the mean?",
        reference=1 / 0.55,
        property="Multiply mean and standard deviation by it: the new mean and twice the new standard deviation make 1.",
        hints=("Weights twice as large make both the mean and the standard deviation twice as large.",
               "g (0.05 + 2 * 0.25) = 1."),
        misconceptions=(
            Misconception(1.9, "you kept the mean where it was. It grows with the weights, like the standard deviation."),
            Misconception(2.0, "you left the mean out. It is multiplied too, and takes a part of the way to the threshold."),
            Misconception(4.0, "that puts the threshold at one standard deviation, without the mean."),
            Misconception(1 / 0.3, "that is for one standard deviation above the mean. Here it is two."),
            Misconception(20.0, "that lifts the mean alone to the threshold; half of the potentials would lie above it."),
            Misconception(1 / 0.45, "the mean is on the way to the threshold, not in its way: add it."),
        ),
        solution="The gain multiplies both: g (0.05 + 2 * 0.25) = 1, so g = 1 / 0.55 = 1.818."),
    Exercise(
        id="05.3", difficulty="medium", minutes=8,
        question="Return the step of each neuron's first spike, [B, N] for `spk` [T, B, N]; T for a neuron that never fires.",
        reference=answers.first_spikes,
        cases=((answers.volley(0, 8, 3, 5, 0.25),), (torch.zeros(4, 1, 2),), (torch.eye(3)[:, None],),
               (answers.volley(1, 5, 2, 3, 0.9),)),
        property="A neuron that fires in step 0 gets 0, one that fires in the last step only gets T - 1, a silent one T.",
        hints=("`spk.argmax(0)` finds the first 1 along time. What does it find in a train of zeros?",
               "`spk.any(0)` says who fired at all: torch.where(fired, first, len(spk))."),
        misconceptions=(
            Misconception(answers.argmax_alone, "a silent neuron gets 0, as if it had fired before all others. Ask `any` "
                                                "first."),
            Misconception(answers.silent_at_the_end, "a silent neuron gets T - 1, like one that fires in the last step. They "
                                                     "are not the same: give it T."),
            Misconception(answers.never_is_minus_one, "-1 for silence would win every race to the smallest step. Give it T."),
            Misconception(answers.last_spikes, "those are the last spikes. Which is the first?"),
            Misconception(answers.from_one, "you count steps from 1. The first step is step 0."),
            Misconception(answers.over_the_batch, "that is the earliest of the whole batch. Keep an answer for each sample."),
            Misconception(answers.counts_instead, "that is how often each neuron fires, not when it does first."),
        )),
    Exercise(
        id="05.4", difficulty="medium", minutes=12, build=True,
        question="Write the race: for `spk` [T, B, C], answer for each sample as soon as one class is `margin` spikes ahead of "
                 "all others. Return (classes, steps), [B] each, int64, steps counted from 0. Where nobody leads by so much: "
                 "the leader of the last step, and T - 1. Among equals the lowest class leads.",
        reference=answers.race_to,
        cases=((answers.volley(2, 12, 6, 4, 0.3), 1), (answers.volley(3, 12, 6, 4, 0.3), 2),
               (answers.volley(4, 9, 5, 3, 0.5), 3),
               (torch.zeros(4, 2, 3), 1)),
        property="At the step that you return the leader has `margin` spikes more than the second, and at no step before.",
        hints=("Keep the counts so far, [B, C], and add the spikes of each step.",
               "counts.topk(2, dim=1).values gives the largest and the second of each sample: compare their difference with "
               "`margin`.",
               "A sample that is decided keeps its class and step while others run on: torch.where(running, new, old)."),
        misconceptions=(
            Misconception(answers.reaches_instead, "that is the first class with `margin` spikes. It has to lead the second "
                                                   "by so many."),
            Misconception(answers.more_than_margin, "a lead of exactly `margin` is enough."),
            Misconception(answers.answers_at_the_end, "the steps are right, the classes are those of the whole window: whoever "
                                                      "leads when the race is over has won it."),
            Misconception(answers.waits_for_all, "each sample has a race of its own; yours all end with the slowest."),
            Misconception(answers.counts_from_one, "the classes are right; count steps from 0."),
            Misconception(answers.steps_first, "you return steps first: classes come first."),
            Misconception(answers.goes_on, "you go on after the race is won: the *first* step with such a lead counts."),
            Misconception(answers.nobody_is_zero, "where nobody wins, it is the leader of the last step, not class 0."),
            Misconception(answers.forgets_the_counts, "you compare the spikes of one step. Add them up over the steps."),
            Misconception(answers.never_decided_is_zero, "a race that nobody wins ends in the last step, T - 1, not in step "
                                                         "0."),
        )),
    Exercise(
        id="05.5", difficulty="medium", minutes=6,
        question="Neurons fire at 10 Hz, each 1 ms step a coin with p = 0.01, alone. How many does it take to know their rate "
                 "within 25 ms with a standard deviation of 1 Hz?",
        reference=396,
        property="Put it into Eq. 4: the standard deviation has to be 1 Hz.", scales={"steps": 25},
        hints=("One neuron's estimate has a variance of p (1 - p) / (steps * step length^2), N neurons a share 1/N of it.",
               "sqrt(25 * 0.01 * 0.99 / N) / 0.025 s = 1 Hz."),
        misconceptions=(
            Misconception(400, "close: that is the Poisson law. A coin has the variance p (1 - p), not p."),
            Misconception(20, "the standard deviation of one neuron is 20 Hz, and it falls with the square root of N."),
            Misconception(19.9, "that is the standard deviation of one neuron in Hz; it falls with the square root of N."),
            Misconception(4, "the rate is estimated from one window of 25 steps, and 10 Hz are 0.01 spikes a step."),
            Misconception(0.2475, "that is the variance of one neuron's count. Turn it into a rate: divide by 0.025 s twice."),
            Misconception(9900, "you forgot that there are 25 steps."),
        ),
        solution="Eq. 4: sqrt(25 * 0.01 * 0.99 / N) / 0.025 = 1, so N = 25 * 0.01 * 0.99 / 0.025^2 = 396."),
    Exercise(
        id="05.6", difficulty="easy", minutes=6,
        question="Make weights [N_out, N_in] obey Dale's law: keep their sizes, and let the last `num_inhibitory` of the "
                 "sending neurons inhibit and all others excite.",
        reference=answers.obey_dale,
        cases=((WEIGHT, 1), (WEIGHT, 0), (WEIGHT[:, :2], 2), (-WEIGHT.T, 1)),
        property="Each column, what one neuron sends, has one sign, and every size is what it was.",
        hints=("W[i, j] leads from neuron j to neuron i: what neuron j sends is column j.",
               "weight.abs() times a row of signs: 1 for the first columns, -1 for the last `num_inhibitory`."),
        misconceptions=(
            Misconception(answers.rows_of_receivers, "you gave the rows a sign: what a neuron hears. Dale's law is on what it "
                                                     "sends, the columns."),
            Misconception(answers.clamps, "you cut the synapses of the wrong sign. Keep their sizes, and turn their sign."),
            Misconception(answers.flips_the_last, "turning a sign keeps a column mixed. Take the absolute value first."),
            Misconception(answers.first_inhibit, "the last neurons inhibit, not the first."),
            Misconception(answers.all_but_them, "the signs are the wrong way round."),
            Misconception(answers.minus_nothing, "-0 is 0: with no inhibitory neuron your slice takes all columns."),
            Misconception(answers.inhibition_only, "the other columns are still mixed: those neurons have to excite only."),
        )),
    Exercise(
        id="05.7", difficulty="easy", minutes=5, tolerance=2e-3,
        question="A neuron of the balanced network hears a steady 0.2, 40 excitatory synapses of 0.06 and 10 inhibitory ones "
                 "of 0.6; everyone fires in 4.5 % of the steps. What does it hear on average, per step?",
        reference=0.2 + 40 * 0.06 * 0.045 - 10 * 0.6 * 0.045,
        property="0.2, plus 40 synapses, less 10, each in 4.5 % of the steps.",
        hints=("Each synapse brings its weight in 4.5 % of the steps.",
               "0.2 + 40 * 0.06 * 0.045 - 10 * 0.6 * 0.045."),
        misconceptions=(
            Misconception(0.578, "inhibition takes away: its part is negative."),
            Misconception(0.308, "you left the inhibition out."),
            Misconception(-0.162, "you left the steady current out."),
            Misconception(-3.4, "that is what arrives when all fire at once. They fire in 4.5 % of the steps."),
            Misconception(0.04, "close: give three digits."),
            Misconception(-0.07, "you left the excitation out."),
            Misconception(0.281, "an inhibitory synapse is ten times as strong as an excitatory one here: 0.6."),
        ),
        solution="0.2 + 40 * 0.06 * 0.045 - 10 * 0.6 * 0.045 = 0.2 + 0.108 - 0.27 = 0.038, below the rheobase of 0.1."),
]


def _quiet(data):
    return float(data["counts"].sum()) == 0


GUESSES = {
    "05.a": Guess(
        "In the explorer below a trained network of three layers reads a digit, and its outputs fire 33 times in 20 steps. Now "
        "multiply *all* its weights by 0.4. How many of the 33 are left?",
        ("About 13: 0.4 of them", "About two: 0.4 for each of three layers", "None"), "None",
        "What reaches a neuron counts only *above the leak*, so a layer that hears little loses more than its share. (The "
        "first layer, far above it, keeps 48 %.)\n\nOn 1000 test images 1 % of the spikes are left where fading would leave "
        "6 %. A network that is too quiet does not fade, it falls silent; section 2 says what to do.",
        "decoding.layers", {"gain": 0.4}, _quiet),
    "05.b": Guess(
        "A chain of five neurons, each with one synapse strong enough to fire the next. A single pulse reaches the first "
        "one in step 7. In which step does the fifth fire, in this course and in snnTorch?",
        ("Step 7", "Step 11: a step for each synapse", "Step 12: a step for each neuron"), "Step 7",
        "In one step layers are computed one after the other, and each uses what the one before it has *just* sent: a spike "
        "crosses the whole network in its own step.\n\nNothing in Eq. 1 holds it back unless a delay is written there. Chips "
        "that update all layers at once, and brains, take time for each synapse.",
        ),
    "05.c": Guess(
        "A network was trained so that its *counts* over ten steps are right, and 93 % of the test images are. You read the "
        "same spikes by who fires *first*. Where are most of the answers that you lose?",
        ("Wrong classes fire early, by chance", "Several outputs fire first in one and the same step",
         "Some images never make an output fire"),
        "Several outputs fire first in one and the same step",
        "Time comes in steps, and a steady image drives its strongest outputs over the threshold within the first few: many "
        "races end in a dead heat, and an argmax gives those to the lowest class number.\n\nAsk who had the higher potential "
        "in that step, and most of what was lost is back."),
    "05.d": Guess(
        "The neurons of a recurrent network, without any noise, fire nearly like clocks. You make each inhibitory synapse two "
        "and a half times as strong. All neurons fire less. And their rhythm?",
        ("More regular: inhibition calms the network", "It stays: only the rate changes", "Irregular, nearly like coins"),
        "Irregular, nearly like coins",
        "With weak inhibition a neuron is driven over its threshold by the *mean* of its input, and a mean is a "
        "clock.\n\nStrong inhibition takes the mean below the threshold; then only the accidents of who fires together are "
        "left to fire a neuron. The network makes its own noise, out of fixed wires and no dice."),
}

QUESTIONS = (
    Question("A colleague reports 9.8 % on MNIST and says that the network has begun to learn. What do you ask for?",
             "The number of output spikes and of ties. A silent network ties in every image, an argmax then says 0, and 980 "
             "of the 10,000 test images are zeros: 9.8 % is silence."),
    Question("When would you answer at the first spike, and what do you pay?",
             "Where time or energy matters and the input is good from the first step. One pays with ties and, under noise, "
             "with answers that one more spike would have changed; a race to a larger lead buys them back."),
    Question("Twenty neurons a class raise the accuracy at T = 1. Is that the population code at work?",
             "Compare with one membrane a class: a sum of twenty spikes is a number of 21 levels, and the membrane has all of "
             "them. Where the membrane may be read, the population buys nothing here."),
    Question("Does a network that learns need Dale's law?",
             "No: it costs a little, or nothing when both signs are there in equal strength. It matters when the network is a "
             "model of a circuit, or when hardware has separate lines."),
)
