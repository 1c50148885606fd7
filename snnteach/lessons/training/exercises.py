"""Exercises of notebook 09."""
import math

import torch

from ..kinds import Exercise, Guess, Misconception, Question
from . import answers


def _weights(seed):
    """Input, weights and biases of a small network, and its steps; nobody stays silent, nobody fires always."""
    generator = torch.Generator().manual_seed(seed)
    sizes = ((4, 6), (8, 6), (8,), (3, 8), (3,))
    return tuple(torch.randn(size, generator=generator) / 2 for size in sizes)


def _current(seed, num_steps, low, high):
    """The input of 40 neurons in 8 samples, evenly spread, [T, B, N]."""
    return low + (high - low) * torch.rand(num_steps, 8, 40, generator=torch.Generator().manual_seed(seed))


_SPIKES = torch.zeros(4, 3, 3)                                           # [T, B, C]
_SPIKES[:3, 0, 1] = 1                                                    # sample 0: class 1, last step says 0
_SPIKES[3, 0, 0] = 1
_SPIKES[:, 1, 2] = 1                                                     # sample 1: class 2
_SPIKES[0, 2, 1] = _SPIKES[1, 2, 1] = _SPIKES[2, 2, 0] = 1               # sample 2: class 1
_TARGET = torch.tensor([1, 2, 0])
_FLOOR = math.log(1 + 3 / math.e)

EXERCISES = [
    Exercise(
        id="09.1", difficulty="easy", minutes=5, tolerance=1e-3,
        question="Standardise training and test pixels as an honest experiment does; return both tensors.",
        reference=answers.standardise,
        cases=((torch.tensor([0.0, 1.0, 2.0, 5.0]), torch.tensor([1.0, 7.0])),
               (torch.tensor([[0.2, 0.4], [0.9, 0.1]]), torch.tensor([[0.5, 0.5]]) + torch.tensor([[0.0, 0.3]]))),
        hints=("A network in use sees one image at a time. Which mean and which deviation can it know?",
               "Both tensors: subtract train.mean(), divide by train.std()."),
        property="The training pixels come out with mean 0 and standard deviation 1, and the test pixels pass through the "
                 "same two numbers.",
        misconceptions=(
            Misconception(answers.of_numpy, "that divides by n, as NumPy does: as honest, and with four million pixels the "
                                            "same to six digits. Here take torch's train.std(), which divides by n - 1."),
            Misconception(answers.of_each_pixel, "that takes a mean and a deviation for each pixel. It is as honest, but a "
                                                 "pixel that is always black has a deviation of 0 to divide by. Take one mean "
                                                 "and one deviation of all pixels."),
            Misconception(answers.test_first, "training pixels first, then the test pixels."),
            Misconception(answers.only_train, "the test pixels have to go through the same change, or the network meets other "
                                              "numbers than those it has learned from."),
            Misconception(answers.between_0_and_1, "that stretches the pixels to 0 and 1. Standardising gives mean 0 "
                                                   "and deviation 1."),
            Misconception(answers.each_its_own, "the test set's own mean and deviation are not known when the network "
                                                "is used, and a "
                                         "brighter test set would no longer look brighter. Use those of the training set."),
            Misconception(answers.both_together, "the test images took part in the statistics. They must not take part "
                                                 "in anything."),
            Misconception(answers.by_the_variance, "divide by the standard deviation, not by its square."),
            Misconception(answers.only_centred, "the mean is right; now divide by the standard deviation of the training set."),
        )),
    Exercise(
        id="09.2", difficulty="easy", minutes=6,
        question="Write the accuracy of output spikes spk [T, B, C] for target [B]: the class with most spikes is named.",
        reference=answers.count_accuracy,
        cases=((_SPIKES, _TARGET), (_SPIKES[:, :2], _TARGET[:2])),
        property="One decision a sample, by the spikes of the whole run; the share of samples that are right is a number.",
        hints=("Sum over time first: spk.sum(0) is [B, C]. Then one argmax a sample.",
               "Compare spk.sum(0).argmax(1) with target, and take the mean as a number."),
        misconceptions=(
            Misconception(answers.last_step, "you read only the last time step. The whole run has a vote: sum over time "
                                             "first."),
            Misconception(answers.any_step, "you score every time step by itself. One decision a sample: sum over time, "
                                            "then argmax."),
            Misconception(answers.over_samples, "you summed over samples. Sum over time, the first axis: spk.sum(0)."),
            Misconception(answers.share_wrong, "that is the share of errors: count where the named class is the target."),
            Misconception(answers.number_right, "that is how many are right. Accuracy is a fraction: take the mean."),
        )),
    Exercise(
        id="09.3", difficulty="medium", minutes=6, tolerance=5e-4,
        question="The floor of the step-wise cross-entropy on output spikes with 4 classes.",
        reference=_FLOOR,
        property="It is minus the logarithm of a softmax over a 1 and three 0s, and lies between 0 and ln 4.",
        hints=("The best that spikes can say in one step: a 1 for the class, a 0 for the three others. Take their softmax.",
               "softmax gives the class e / (e + 3). The loss is minus the logarithm of that."),
        misconceptions=(
            Misconception(0.0, "cross-entropy nears 0 only if logits may grow. A spike is worth at most one logit."),
            Misconception(math.exp(-_FLOOR), "that is the softmax of the class. The loss is minus its logarithm."),
            Misconception(math.log(4), "that is a silent network, ln 4. Let the class fire and the three others not."),
            Misconception(math.log(1 + 9 / math.e), "that is the floor with ten classes. With four there are three others."),
            Misconception(math.log(1 + 4 / math.e), "the class itself is not among its rivals: 3 / e, not 4 / e."),
        ),
        solution="-ln(e / (e + 3)) = ln(1 + 3/e) = 0.7437."),
    Exercise(
        id="09.4", difficulty="medium", minutes=6, tolerance=1e-4,
        question="Gradient of the lower regulariser with respect to the count of a neuron: c = 1, limit 3, N = 10, strength 1.",
        reference=-0.4,
        property="Differentiate one square, and keep the mean over the N neurons: it has to be zero for a count of 3.",
        hints=("R = strength / N * sum over i of ([limit - c_i]_+)^2. Differentiate the square of one neuron.",
               "-2 * strength / N * (limit - c)."),
        misconceptions=(
            Misconception(0.4, "right size, wrong sign: more spikes make this penalty smaller."),
            Misconception(-4.0, "the mean over N = 10 neurons is missing."),
            Misconception(-2.0, "the 2 of the square and the mean over N = 10 neurons are missing."),
            Misconception(-0.04, "the neuron lacks two spikes, not 0.2: the 3 - c is not divided by N a second time."),
            Misconception(-0.2, "the 2 of the square is missing."),
            Misconception(0.0, "the neuron fires, but less often than the limit of 3: the penalty still pulls."),
        ),
        solution="-2 / 10 * (3 - 1) = -0.4: gradient descent raises the count."),
    Exercise(
        id="09.5", difficulty="easy", minutes=4,
        question="A loader gives x [B, T, N]. Return [T, B, N].",
        reference=answers.time_first,
        cases=((torch.arange(24.0).view(2, 3, 4),), (torch.arange(18.0).view(3, 3, 2),)),
        property="Sample b, step t of the input is step t, sample b of the result.",
        hints=("Two axes change places; the numbers of one sample must stay together.", "x.transpose(0, 1)."),
        misconceptions=(
            Misconception(answers.reshaped, "the shape is right and the numbers are in wrong places: reshape reads them in "
                                            "the old order and mixes samples. Swap the axes instead."),
            Misconception(answers.wrong_axes, "you swapped time with neurons. Batch and time change places."),
            Misconception(answers.reversed, "neurons must stay last: only the first two axes change places."),
        )),
    Exercise(
        id="09.6", difficulty="medium", minutes=15, build=True, gradients=("w1", "b1", "w2", "b2"), tolerance=1e-5,
        question="Write Eq. 1 one step at a time: x [B, N] is the same at every step, w1 [H, N], b1 [H], w2 [C, H], b2 [C]; "
                 "beta is 0.9, the threshold 1, all start at 0. Return the read-out's mean over num_steps steps, [B, C], with "
                 "the gradients of atan() and a detached reset.",
        reference=answers.step_by_step,
        cases=((*_weights(0), 12), (*_weights(1), 5), (*_weights(2), 1)),
        property="In each step: hidden membranes leak, charge and pay for the last spike; they fire; the read-out leaks and "
                 "adds w2 times these spikes and b2.",
        hints=("x @ w1.T + b1 is the same at every step: compute it once, [B, H]. mem and spk begin as zeros of that shape.",
               "In the loop: mem = 0.9 * mem + current - spk.detach(), then spk = spike(mem - 1, atan()).",
               "Still in the loop: out = 0.9 * out + spk @ w2.T + b2, and add out to a total. Return total / num_steps."),
        misconceptions=(
            Misconception(answers.learns_through_the_reset, "the values are right, and the gradients also run through the "
                                                            "reset. Subtract spk.detach()."),
            Misconception(answers.without_a_surrogate, "the values are right, and w1 learns nothing: a comparison has no "
                                                       "gradient. Use spike(mem - 1, atan())."),
            Misconception(answers.to_zero, "a spike costs one threshold here; you empty the membrane."),
            Misconception(answers.never_pays, "nobody pays for a spike: subtract the spike of the step before."),
            Misconception(answers.pays_a_leaked_bill, "your bill leaks too: 0.9 multiplies the membrane only, not the spike."),
            Misconception(answers.does_not_leak, "the hidden membranes have to leak: 0.9 * mem."),
            Misconception(answers.counts, "the read-out leaks too: 0.9 * out."),
            Misconception(answers.forgets_the_read_out, "the read-out is a membrane as well: it keeps 0.9 of what it had."),
            Misconception(answers.last_read_out, "that is the read-out after the last step. The mean over all steps is "
                                                 "asked for."),
            Misconception(answers.sums_up, "that is the sum over the steps: divide by num_steps."),
            Misconception(answers.every_step, "that is the read-out at each step: return its mean over the steps, [B, C]."),
            Misconception(answers.softmax_at_the_end, "return the mean of the read-out's membrane, not a softmax of it."),
            Misconception(answers.softmax_in_each_step, "the read-out votes with its membrane: no softmax in a step."),
            Misconception(answers.hears_a_step_late, "the read-out hears this step's spikes, not the last step's."),
            Misconception(answers.without_biases, "b1 and b2 are missing."),
            Misconception(answers.one_pulse, "the input comes at every step, not only at the first."),
            Misconception(answers.at_zero, "a neuron fires above its threshold of 1: spike(mem - 1, atan())."),
            Misconception(answers.bias_at_the_end, "b2 drives the read-out at every step, as Eq. 1 has it, not once at "
                                                   "the end."),
        )),
    Exercise(
        id="09.7", difficulty="medium", minutes=10, tolerance=1e-3,
        question="Return the threshold, to 0.001, at which a layer of beta 0.9 with the input current [T, B, N] fires `rate` "
                 "spikes a neuron and step.",
        reference=answers.threshold_for,
        cases=((_current(0, 20, -0.2, 0.6), 0.15), (_current(1, 25, 0.0, 0.3), 0.03), (_current(2, 10, -1.0, 1.0), 0.3)),
        hints=("Try a threshold in the middle: lif(current, 0.9, threshold=middle)[0].mean() is the rate there. Is it too "
               "high, or too low? One half of the interval is out.",
               "A potential is at most the sum of what came in: above current.relu().sum(0).max() nobody fires.",
               "low, high = (middle, high) if the layer fires `rate` or more at middle, else (low, middle). Twenty halvings "
               "are enough."),
        property="At a threshold that is 0.001 lower the layer fires `rate` or more, at one that is 0.001 higher less.",
        misconceptions=(
            Misconception(answers.other_half, "you keep the other half: where the layer fires too much, the threshold has to "
                                              "rise, so the middle becomes the lower end."),
            Misconception(answers.below_the_largest_current,
                          "your interval ends at the largest current, and a potential gathers many steps of it. At which "
                          "threshold can nobody fire?"),
            Misconception(answers.below_one, "your interval ends at 1, and this layer needs more in one of the cases. At which "
                                             "threshold can nobody fire?"),
            Misconception(answers.too_few_halvings, "five halvings are too few: go on until the interval is shorter than "
                                                    "0.001."),
            Misconception(answers.all_spikes, "you count all spikes. The rate is their mean over steps, samples and neurons: "
                                              "spk.mean()."),
            Misconception(answers.spikes_of_a_run, "you compare `rate` with the spikes of a whole run. It is spikes a neuron "
                                                   "*and step*: spk.mean()."),
            Misconception(answers.share_that_fires, "that is the share of neurons that fire at all. Count every spike: "
                                                    "spk.mean()."),
            Misconception(answers.potentials_without_a_reset,
                          "you read potentials that pay for no spike. A neuron that paid has further to climb: count the "
                          "spikes that `lif` returns."),
            Misconception(answers.of_the_current, "those are the largest currents of single steps. The neurons gather them "
                                                  "first: count the spikes that `lif` returns."),
            Misconception(answers.rate_found, "that is the rate. Return the threshold that gives it."),
        )),
]

GUESSES = {
    "09.a": Guess(
        question="The network below is untrained. Raise the threshold of all its neurons from 0.5 to 3. The gradients shrink. "
                 "Which layer's gradient is the first to become *exactly* zero?",
        choices=("Layer 1: it is farthest from the loss", "All at once", "The output layer, next to the loss"),
        right="The output layer, next to the loss",
        explanation="The gradient of a weight is an error times what came in through the weight. Layer 2 is silent, so nothing "
                    "comes in to the output layer: exactly zero. Layer 1 reads pixels, which are always there. Its gradient "
                    "shrinks twenty-thousandfold and does not vanish, because the arctangent has long arms.\n\n"
                    "Vanishing gradients of deep networks begin at the other end. Silence spreads forward.",
        explorer="training.threshold", settings={"threshold": 3.0}, shown=lambda data: data["gradients"][2] == 0),
    "09.e": Guess(
        question="With 1000 hidden neurons, frozen as they were drawn, the network still reads 93.3 of the 96.8 %: learning "
                 "them is worth 3.5 points. With 100 hidden neurons, what is learning worth?",
        choices=("About 1 point", "About 3.5 points again", "About 15 points"), right="About 15 points",
        explanation="15.5: 95.1 against 79.6 %. A hundred random questions about an image are a poor description of it, a "
                    "thousand a rich one. The wider the network, the less its accuracy says about whether the hidden layer "
                    "learned."),
    "09.c": Guess(
        question="The dead network again: thresholds of 10, exactly zero gradients in two of its three layers, 7e-07 in the "
                 "first. This time the learning rate is ten times as large, 0.02. What happens in ten epochs?",
        choices=("Nothing: ten times next to nothing is next to nothing", "It learns, more than 90 % right", "It diverges"),
        right="It learns, more than 90 % right",
        explanation="91 to 93 %. Adam divides each gradient by its own running size: 7e-07 moves a weight as far as 700 "
                    "would. So layer 1 grows at full speed until it fires, feeds layer 2, and so on.\n\nThat is luck. It "
                    "needs the long arms of the arctangent: with the boxcar surrogate, which is zero away from the threshold, "
                    "the gradient of layer 1 is exactly zero as well, and nothing moves at any learning rate. Calibrated "
                    "thresholds learn with either, to 88 to 97 %."),
    "09.d": Guess(
        question="Spikes beyond 50 an image are charged 0.01 each; up to 50 they are free. The network once fired 822. Where "
                 "does its mean settle?",
        choices=("Below 50", "At 50: fewer would be a waste", "Above 50: it still pays for some"), right="Below 50",
        explanation="At 45, and at a price of 0.1 at 32. The limit is one for each *image*, and images differ: a quarter of "
                    "them lie above it even so. The weights are shared, so what quietens the busy images may quieten all "
                    "others, and nothing in the penalty pushes those up again.\n\nPut the limit on the *mean of the batch* "
                    "instead, and the mean settles at 49."),
    # Asked no more: first guesses that were made are still judged, and older copies of the notebook still run.
    "09.b": Guess(
        question="Freeze the 784,000 hidden weights as they were drawn, and train only the 10,000 of the read-out. How many "
                 "of the test digits does the network still read? (With all weights learned it is 96.8 %, and a linear model "
                 "without a hidden layer reads 90.5 %.)",
        choices=("About 10 %: noise in, noise out", "About 80 %: worse than the linear model, which sees the pixels",
                 "About 93 %: better than the linear model"),
        right="About 93 %: better than the linear model",
        explanation="93.3 %. A thousand random questions about an image, each answered by a handful of spikes, are a rich "
                    "description, and a linear read-out of it beats one of the pixels. So a spiking network that reads 93 % "
                    "has not shown that its hidden layer learned anything.\n\nIt takes many questions: with 100 hidden "
                    "neurons the frozen network reads 79.6 %, and learning is worth 15.5 points and not 3.5."),
}

QUESTIONS = [
    Question(
        "Ten classes, cross-entropy at every step on output *spikes*: the loss stands still at 1.46. What is wrong?",
        "Nothing. With one spike for the right class and none elsewhere the loss is ln(1 + 9/e) = 1.461, its floor."),
    Question(
        "You run a trained network for twice as many steps as in training. When can that help, and when not?",
        "With a random code it averages over more noise. With a constant input nothing new comes in once the membranes have "
        "settled."),
    Question(
        "The number of epochs was chosen by the accuracy on test images. Why is the reported accuracy too good?",
        "The epoch is a setting like any other: the best of many noisy values is above their mean. Choose on held-out "
        "training images."),
]
