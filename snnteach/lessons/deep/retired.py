"""What notebook 10 asks no more; older copies of it, and what readers solved, still find it under the same ids."""
import torch
from torch import nn

from ..kinds import Guess, Misconception
from . import answers


def _draw(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


_CONV, _FLAT = nn.Conv2d(2, 3, 3).requires_grad_(False), nn.Flatten()
_CONV.weight.copy_(_draw(0, *_CONV.weight.shape)), _CONV.bias.copy_(_draw(1, 3))

NUMBERS_OF_A_LAYER = dict(
    difficulty="easy", minutes=6,
    question="How many numbers do the weights and biases of the second convolution hold: 12 maps in, 32 maps out, "
             "windows of 5 x 5?",
    reference=9632,
    property="Every one of the 32 maps has a window of weights on each of the 12 maps below it, and one bias.",
    hints=("One map of the 32 looks at all 12 maps below, through 5 x 5 weights on each.",
           "12 * 25 + 1 = 301 for one map, and there are 32."),
    misconceptions=(
        Misconception(9600, "the biases are missing: one for each of the 32 maps."),
        Misconception(832, "each of the 32 maps has its own window on every one of the 12 maps below, not one for all."),
        Misconception(800, "each of the 32 maps looks at all 12 maps below, and has a bias."),
        Misconception(9984, "a bias belongs to a map, not to each pair of maps: 32, not 384."),
        Misconception(9644, "only the maps that come out have a bias: 32, not 44."),
        Misconception(3612, "that is a layer of 12 maps on 12 maps. Here 32 come out."),
        Misconception(616448, "the same window slides over all 64 places: its weights are counted once."),
    ),
    solution="32 * (12 * 5 * 5 + 1) = 9632. A dense layer from 12 * 12 * 12 to 32 * 8 * 8 numbers would hold 3.5 million.")

OVER_TIME = dict(
    difficulty="easy", minutes=5, tolerance=1e-5,
    question="Apply layer, which takes [B, ...], to each step of x [T, B, ...], in one call and without a loop.",
    reference=answers.over_time,
    cases=((_CONV, _draw(2, 3, 4, 2, 5, 5)), (_FLAT, _draw(3, 2, 3, 2, 3, 3))),
    property="Result [t, b] is what the layer makes of x[t, b].",
    hints=("Let the layer see T * B samples: x.flatten(0, 1).", "Then give the first axis its two sizes back: "
           ".unflatten(0, x.shape[:2])."),
    misconceptions=(
        Misconception(answers.batch_first, "the batch went in before time and came out as if time had gone in first: "
                                           "samples are mixed. Flatten x as it is."),
        Misconception(answers.sums_over_time, "the steps are added up. Each step goes through by itself."),
        Misconception(answers.first_step_only, "that is the first step, repeated. It is right only for input that does not "
                                               "change."),
        Misconception(answers.stays_flat, "time is still inside the batch: unflatten the first axis again."),
        Misconception(answers.axes_swapped_back, "T and B came back in the wrong order: unflatten(0, x.shape[:2])."),
    ))

SILENT = Guess(
    question="In the network below 12 % of the first layer's neurons fire at each step. Put ten such layers in a row, all "
             "with the weights that PyTorch draws. How many neurons of the tenth layer fire?",
    choices=("About 12 %: initial weights are made to keep signals alive", "About 1 %: some activity is lost in each layer",
             "None: from the third layer on nobody fires"),
    right="None: from the third layer on nobody fires",
    explanation="12.5 % in the first layer, 0.5 % in the second, nobody from the third on. PyTorch's weights shrink with "
                "the number of inputs, which suits inputs that are all there. Of spikes only a few are there at once, "
                "and what they add up to stays below the threshold.\n\nA rectified linear unit would pass on a small "
                "number. A spiking neuron passes on nothing, and so the loss at the other end is not heard either.",
    explorer="deep.depth", settings={"depth": 10},
    shown=lambda data: data["depth"] > 2 and data["rates"][data["depth"] - 1] == 0)
