"""Exercises of notebook 10."""
import torch

from ..kinds import Exercise, Guess, Misconception, Question
from . import answers, retired


def _draw(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _norm_case(seed, num_steps, batch, neurons, training):
    x = _draw(seed, num_steps, batch, neurons) * torch.arange(1.0, num_steps + 1).view(-1, 1, 1) + 1
    return (x, 1 + _draw(seed + 1, num_steps, neurons) / 5, _draw(seed + 2, num_steps, neurons),
            1 + _draw(seed + 3, num_steps, neurons) ** 2, training)


def _fold_case(seed):
    return (_draw(seed, 4, 3), _draw(seed + 1, 4), 1 + _draw(seed + 2, 4) / 3, _draw(seed + 3, 4), _draw(seed + 4, 4),
            0.5 + _draw(seed + 5, 4) ** 2)


def _drop_case(seed, p):
    return _draw(seed, 5, 3, 8).abs(), torch.rand(3, 8, generator=torch.Generator().manual_seed(seed)), p


_RATE = 0.3

EXERCISES = [
    Exercise(
        id="10.1", difficulty="easy", minutes=5,
        question="A layer W s + b fires above a threshold. Return the weight and the bias with which the same neurons fire the "
                 "same spikes above 1.",
        reference=answers.without_threshold,
        cases=((_draw(0, 3, 4), _draw(1, 3), 0.5), (_draw(2, 2, 5), _draw(3, 2), 2.0)),
        property="Divide the whole equation of the membrane by the threshold: what enters it and what a spike costs "
                 "change by one and the same factor.",
        hints=("mem / threshold obeys the same equation with a threshold of 1, if its input is divided as well.",
               "The input is weight @ s + bias: divide both by threshold."),
        misconceptions=(
            Misconception(answers.only_the_weight, "the bias is a current too, and has to be divided as well."),
            Misconception(answers.times_the_threshold, "the other way round: above a threshold of 1 instead of 0.5 the same "
                                                       "spikes need twice the current."),
            Misconception(answers.shifted, "lifting the current moves where a membrane settles, but a spike costs one "
                                           "threshold, and that is another now. Divide instead."),
        )),
    Exercise(
        id="10.2", difficulty="medium", minutes=15, build=True, gradients=("x", "weight"), tolerance=1e-5,
        question="Write batch norm with the statistics of each step: x [T, B, N], weight [T, N], the running mean and variance "
                 "[T, N] and whether the layer trains. Return (y, mean, variance). While it trains, normalise by the mean "
                 "and the variance (divided by B) over the batch, and move the running ones a tenth of the way there; else "
                 "normalise by the running ones and leave them. Add 1e-5 to the variance.",
        reference=answers.norm_each_step,
        cases=(_norm_case(0, 4, 6, 3, True), _norm_case(10, 3, 8, 2, True), _norm_case(20, 4, 6, 3, False)),
        property="While it trains, each neuron at each step comes out with mean 0 over the batch and a standard deviation of "
                 "its weight.",
        hints=("Statistics over the batch alone: x.mean(1) and x.var(1, unbiased=False) are [T, N]; [:, None] makes them "
               "[T, 1, N].",
               "Running ones: mean = 0.9 * mean + 0.1 * x.mean(1).detach(), and the same for the variance. If it does not "
               "train, use them in place of the batch's.",
               "y = weight[:, None] * (x - m[:, None]) / (v[:, None] + 1e-5).sqrt()."),
        misconceptions=(
            Misconception(answers.of_all_steps, "you pool all steps, as the listing above does. Here each step has its own "
                                                "mean and variance: average over the batch, axis 1, alone."),
            Misconception(answers.by_the_running, "while it trains, normalise by this batch's statistics; the running ones are "
                                                  "only kept for later."),
            Misconception(answers.always_the_batch, "if it does not train, use the running mean and variance, and leave them: "
                                                    "the answer for one image must not hang on its neighbours."),
            Misconception(answers.statistics_detached, "the values are right, and the gradient misses that the mean and the "
                                                       "variance move with x. Detach only what goes into the running ones."),
            Misconception(answers.by_the_variance, "divide by the standard deviation: the root of the variance plus 1e-5."),
            Misconception(answers.running_not_detached, "the values are right; detach what goes into the running ones."),
            Misconception(answers.outside_the_root, "add 1e-5 under the root, to the variance."),
            Misconception(answers.no_weight, "that is normalised; multiply it by weight."),
            Misconception(answers.over_time_not_batch, "that is averaged over time: the batch is axis 1."),
            Misconception(answers.by_n_minus_1, "that variance is divided by B - 1. Take x.var(1, unbiased=False)."),
            Misconception(answers.forgets_fast, "the running statistics keep nine tenths of what they were."),
            Misconception(answers.running_stays, "the running statistics have to move while it trains, or after eval() they "
                                                 "are those of the start."),
            Misconception(answers.not_centred, "the mean has to go as well: x minus the mean, then the division."),
        )),
    Exercise(
        id="10.3", difficulty="medium", minutes=8, tolerance=1e-4,
        question="Fold a trained batch norm into the layer before it: weight [C, N], bias [C], and gamma, beta, mean, variance "
                 "[C] of the norm. Return the new weight and bias.",
        reference=answers.fold, cases=(_fold_case(0), _fold_case(10)),
        property="For every input s, new weight @ s + new bias is what the norm makes of weight @ s + bias.",
        hints=("Write it out: gamma * (W s + b - mean) / sqrt(variance + 1e-5) + beta. What multiplies s? What does not?",
               "With scale = gamma / sqrt(variance + 1e-5): scale[:, None] * W, and scale * (b - mean) + beta."),
        misconceptions=(
            Misconception(answers.scale_left_in_the_mean, "the mean is subtracted before the scaling, so it is scaled too."),
            Misconception(answers.old_bias_lost, "the layer's own bias is lost: it is scaled along with the rest."),
            Misconception(answers.beta_lost, "the norm's own beta is lost: it is added at the end."),
            Misconception(answers.gamma_lost, "gamma is lost: it multiplies what the norm has divided."),
            Misconception(answers.bias_not_scaled, "the layer's own bias passes through the norm, too: scale it."),
            Misconception(answers.columns_scaled, "a channel is an output, a row of the weight: scale[:, None] * weight."),
            Misconception(answers.no_root, "divide by the standard deviation, the root of the variance plus 1e-5."),
            Misconception(answers.mean_added, "the norm subtracts the mean."),
        )),
    Exercise(
        id="10.4", difficulty="easy", minutes=4,
        question="A network of 20 layers of spiking neurons has a shortcut round each layer but the first. What is the "
                 "largest number that may stand at the input of its read-out?",
        reference=20,
        property="Each layer can add one spike to what passes by, and the first has to send something by.",
        hints=("The first layer sends 0 or 1. What does the second layer, with its shortcut, send?",
               "The first sends at most 1, and each of the other 19 adds at most 1."),
        misconceptions=(
            Misconception(1, "a spike is 0 or 1, but a shortcut adds: 1 + 1 is 2."),
            Misconception(19, "the first layer's spike goes through all 19 shortcuts, and each of the others adds one."),
            Misconception(21, "there are 20 layers, the first among them, and none of them adds more than one."),
            Misconception(2, "that is what the second layer sends. The next one adds to that."),
            Misconception(10, "every one of the 20 layers may add a spike, not every other."),
            Misconception(40, "the read-out gets the sum, and each of the 20 layers puts one spike into it, not two."),
            Misconception(2**19, "a shortcut adds one spike; it does not double what passes by."),
        ),
        solution="1 of the first layer and 1 of each of the 19 that have a shortcut: 20."),
    Exercise(
        id="10.7", difficulty="medium", minutes=6, tolerance=2e-3,
        question="A window of 2 x 2 neurons, each of which fires with probability 0.3, independently. Max pooling gives the "
                 "gradient to the first of the largest. How large is the share of the gradient that the second place gets?",
        reference=_RATE * (1 - _RATE),
        property="The second place is chosen only if it fires and the first place does not.",
        hints=("When does max pooling choose place 2? It has to be larger than place 1, and nobody after it can be larger.",
               "It fires (0.3) and place 1 does not (0.7)."),
        misconceptions=(
            Misconception(_RATE, "that it fires is not enough: the first place, if it fires too, comes first."),
            Misconception(0.25, "that would be an even share. Ties go to the first place, and most windows are ties."),
            Misconception(_RATE + (1 - _RATE) ** 4, "that is the first place: it also gets all windows in which nobody fires."),
            Misconception(_RATE * (1 - _RATE) ** 3, "places 3 and 4 may fire or not: they come after the second."),
            Misconception(_RATE**2 * (1 - _RATE), "the second fires and the first does not: two numbers, not three."),
            Misconception(2 * _RATE - _RATE**2, "that is that either fires. The second has to, and the first must not."),
            Misconception((1 - _RATE) ** 4, "that is a window in which nobody fires, and the first place gets it."),
        ),
        solution="0.3 * 0.7 = 0.21. Place i, counted from 0, gets r (1 - r)^i, and the first also (1 - r)^4 = 0.24."),
    Exercise(
        id="10.8", difficulty="easy", minutes=5,
        question="Drop neurons for all steps: x [T, B, N], uniform random numbers [B, N] between 0 and 1, and p. A neuron "
                 "whose number lies below p is gone; the others grow so that the mean stays.",
        reference=answers.drop, cases=(_drop_case(0, 0.3), _drop_case(1, 0.6)),
        property="A neuron of a sample is zero at every step, or larger by one and the same factor at every step.",
        hints=("uniform >= p is the mask, [B, N]. What factor keeps the mean when only 1 - p of the neurons are left?",
               "x * (uniform >= p) / (1 - p): the mask goes along with every step."),
        misconceptions=(
            Misconception(answers.not_rescaled, "the mask is right; divide by 1 - p, or the next layer gets less while "
                                                "it trains than after that."),
            Misconception(answers.kept_below, "the factor is right, but those below p are to go."),
            Misconception(answers.by_its_own_mean, "divide by 1 - p, not by what this one mask happens to leave."),
            Misconception(answers.kept_with_p, "those below p are to go; you kept them."),
            Misconception(answers.divided_by_p, "1 - p of the neurons are left: divide by 1 - p."),
            Misconception(answers.first_step_dropped, "only the first step is dropped. The neuron is gone for all steps."),
            Misconception(answers.one_mask_for_the_batch, "each sample has its own row of the random numbers."),
            Misconception(answers.multiplied_by_what_is_left, "dividing by 1 - p keeps the mean; multiplying shrinks."),
        )),
    Exercise(
        id="10.9", difficulty="medium", minutes=8,
        question="A convolution without padding slides window x window weights over maps of size x size spikes, and gives "
                 "`maps` maps. Return to how many numbers one spike at (row, column), counted from 0, adds a weight.",
        reference=answers.numbers_hit,
        cases=((12, 5, 32, 6, 6), (12, 5, 32, 0, 0), (12, 5, 32, 0, 6), (12, 5, 32, 1, 9), (7, 3, 4, 5, 2)),
        property="In a corner one window of each map sees the spike; far from all edges as many as a window has weights.",
        hints=("Along one axis: a window that starts at s sees the places s to s + window - 1. It may start at 0 to "
               "size - window.",
               "So s runs from max(place - window + 1, 0) to min(place, size - window), both included.",
               "That number for the row, times that for the column, times the number of maps."),
        misconceptions=(
            Misconception(answers.as_in_the_middle, "right far from the edges. How many windows see a corner?"),
            Misconception(answers.as_with_padding, "that is with padding. Without it no window hangs over an edge, and a "
                                                   "corner is seen once."),
            Misconception(answers.in_one_map, "that is one map. Each of the maps has a window of its own on the spike."),
            Misconception(answers.all_weights, "that is how many numbers come out in all. One spike reaches those whose window "
                                               "sees it."),
            Misconception(answers.end_left_out, "both ends count: from 2 to 6 there are five places."),
            Misconception(answers.added_not_multiplied, "rows and columns multiply: each row of windows has them all."),
            Misconception(answers.right_edge_forgotten, "right at the upper left; at the lower right a window has to end in "
                                                        "time: it starts at size - window at the latest."),
        )),
    Exercise(id="10.5", **retired.NUMBERS_OF_A_LAYER),
    Exercise(id="10.6", **retired.OVER_TIME),
]

GUESSES = {
    "10.e": Guess(
        question="As PyTorch draws the weights, ten such layers fall silent: 12 % of the first fire at each step, and nobody "
                 "from the third on. Now double *all* weights. How many neurons of the tenth layer fire?",
        choices=("About 25 %, as in the first", "About 5 %", "Still none"), right="Still none",
        explanation="Of the first four layers 25, 9, 3 and 0.6 % fire, and nobody from the fifth on. With three times the "
                    "weights 31 % become 4 %, with four all layers fire at 23 to 34 %: hardly any one gain keeps ten layers "
                    "both awake and quiet.\n\nA rectified linear unit would pass on a small number. A spiking neuron passes on "
                    "nothing, and so the loss at the other end is not heard either.",
        explorer="deep.depth", settings={"depth": 10, "gain": 2.0},
        shown=lambda data: data["depth"] == 10 and data["rates"][0] > 0.2 and data["rates"][9] == 0),
    "10.b": Guess(
        question="Twenty layers, batch norm in each. All of them fire at about 20 %, and no gradient is small. After the same "
                 "8 epochs, how many of the test digits does the network read?",
        choices=("About 94 %, as with ten layers", "Less than 30 %", "About 97 %, as with two layers"),
        right="Less than 30 %",
        explanation="22 %, and 16 % with thresholds set once (tdBN at a threshold of 0.5: 42 %). That every layer is awake "
                    "is not enough. Rectified linear units with the same norm read 89 %. Why is asked below."),
    "10.c": Guess(
        question="Graded spikes, learned thresholds, learned decays, dropout: each is added to the same network, alone. "
                 "Which gains most over the network as it is?",
        choices=("Learned decays: each layer finds its memory", "Graded spikes: each says more",
                 "None of them gains more than one seed differs from another", "Dropout: 3000 pictures are few"),
        right="None of them gains more than one seed differs from another",
        explanation="Graded spikes gain a third of a point, learned decays a tenth, learned thresholds nothing, and "
                    "dropout does not help. Seeds of the network as it is lie a whole point apart, and none of the four "
                    "gains in all three.\n\nEach trick has its place: graded spikes where weights have few bits, decays "
                    "where time matters, dropout where a network learns its data by heart. Still digits, float weights and "
                    "four epochs are none of these."),
    "10.d": Guess(
        question="Four neurons of a window of 2 x 2 fire with probability 0.1 each. Over many windows, which share of the "
                 "gradient does `max_pool2d` give to the *first* place of the window, at its upper left?",
        choices=("25 %, as to every place", "About 76 %", "About 40 %"),
        right="About 76 %",
        explanation="75.6 %: 10 % of the windows because it fires, and the 65.6 % in which nobody does. Among real numbers "
                    "a tie never happens, and nobody has to care who wins it. Among spikes nearly every window is a tie, "
                    "mostly of zeros, and the rule for ties decides."),
    "10.a": retired.SILENT,
}

QUESTIONS = [
    Question("A ReLU network of ten layers with PyTorch's initial weights learns. Why does the spiking one not?",
             "Its currents shrink as well, but a ReLU passes on small numbers, so that a later layer or Adam can make them "
             "large again. A spiking neuron below its threshold passes on nothing at all forward, and only its surrogate "
             "backward: where no spikes come in, a weight's gradient is exactly zero."),
    Question("Batch norm, a good initial threshold, larger weights: three ways to wake a layer. Which for a chip?",
             "All three end as numbers in weights or thresholds: a norm over all steps is folded after training. Norms also "
             "follow the currents while they change in training; thresholds set once do not. BNTT would need other weights at "
             "each step."),
    Question("How would you find out whether twenty layers are worth it?",
             "Take a task that two layers cannot do. On these digits a network of two layers reads as many as one of twenty "
             "with shortcuts, so that depth is trainable here and not useful."),
]
