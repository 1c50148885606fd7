"""Exercises of notebook 12."""
from ..kinds import Exercise, Guess, Misconception, Question
from . import answers

EXERCISES = [
    Exercise(
        id="12.1", difficulty="easy", minutes=4, tolerance=1e-6,
        question="A neuron that integrates and fires, with its membrane at half the threshold before the first step, gets a "
                 "constant current between 0 and 1 for 50 steps. By how much can its rate miss the current, at most?",
        reference=0.01,
        property="Half a spike of 50 steps, as a rate.",
        hints=("From a start of a half the count is the nearest whole number to T I.",
               "So the count misses by half a spike, and the rate by half a spike of 50."),
        misconceptions=(
            Misconception(0.02, "that is from a start of 0, where the count is rounded down. Here it goes to the nearest."),
            Misconception(0.5, "that is how far the count misses. As a rate, of 50 steps?"),
            Misconception(0.005, "that is half of a hundredth: the mean error. What is the largest?"),
            Misconception(1.0, "the count never misses by a whole spike from this start. And a rate is a count over 50."),
        ),
        solution="The count is within half a spike of T I, so the rate is within 1 / (2 T) = 1 / 100 = 0.01."),
    Exercise(
        id="12.2", difficulty="easy", minutes=4,
        question="The membrane begins at 0, each step brings 0.373, and a spike takes 1 away. How many spikes in 100 steps?",
        reference=37,
        property="So many spikes have been paid for by what came in, 37.3, and one more has not.",
        hints=("100 steps bring 37.3.", "Each spike takes 1 away; what is left over stays in the membrane."),
        misconceptions=(
            Misconception(38, "for a 38th spike more than 38 would have to come in, and 37.3 do."),
            Misconception(37.3, "spikes come whole."),
            Misconception(33, "that is with a reset to zero: three steps for each spike, the rest thrown away. Here a spike "
                              "takes 1."),
            Misconception(0.37, "that is the rate. How many spikes in 100 steps?"),
        ),
        solution="37.3 comes in. Each spike takes 1, so there are 37, and 0.3 stay in the membrane."),
    Exercise(
        id="12.3", difficulty="medium", minutes=5,
        question="The same kind of neuron, reset to zero at each spike, gets 0.4 at each step. How many spikes in 300 steps?",
        reference=100,
        property="Every spike takes the same number of steps: count how many until the sum passes 1.",
        hints=("0.4, 0.8, 1.2: in which step does it fire?", "It fires in each third step, and what is above 1 is lost."),
        misconceptions=(
            Misconception(120, "that is with a spike that takes 1 away. Here all of the membrane is lost."),
            Misconception(150, "after two steps the membrane stands at 0.8: not yet."),
            Misconception(85.7, "I / (1 + I) is the lower end of what the rate can be. Count the steps of a spike."),
            Misconception(75, "it is above 1 after three steps, 1.2."),
            Misconception(0.333, "that is the rate. How many spikes in 300 steps?"),
        ),
        solution="0.4, 0.8, 1.2: each third step fires, and 0.2 is thrown away each time. 300 / 3 = 100."),
    Exercise(
        id="12.4", difficulty="easy", minutes=4, tolerance=1e-6,
        question="A weight of 0.6 joins two hidden layers. A rate of 1 stands for an activation of 4 in the layer before it, "
                 "and for 8 in the layer after it. What is the weight of the converted network?",
        reference=0.3,
        property="A full rate before it has to send what an activation of 4 sent, counted in units of 8.",
        hints=("A rate of 1 before stands for 4: it has to bring 0.6 times 4.", "In the layer after, 8 is the new 1."),
        misconceptions=(
            Misconception(1.2, "upside down: the layer after divides, the layer before multiplies."),
            Misconception(0.075, "you divided by the scale of the layer after and forgot that its input is in units of 4."),
            Misconception(2.4, "that is what a full rate brings. In units of 8?"),
            Misconception(0.01875, "the layer before multiplies: a rate of 1 stands for 4."),
            Misconception(0.6, "copied as it is, the weight belongs to activations, not to rates."),
        ),
        solution="0.6 * 4 / 8 = 0.3."),
    Exercise(
        id="12.5", difficulty="medium", minutes=15, build=True, tolerance=1e-4,
        question="Write the conversion. `weights` and `biases` are lists, one a layer, [N_out, N_in] and [N_out], the last "
                 "of them the read-out; `x` are training images [B, N]. The scale of a hidden layer is the percentile of its "
                 "activations, zeros included, over all its neurons and images: `torch.quantile(values.flatten(), "
                 "percentile / 100)`. The read-out does not fire and keeps its outputs. Return (new weights, new biases).",
        reference=answers.converted,
        cases=(answers.case(0, (5, 8, 3), 20, 97), answers.case(1, (4, 6, 7, 2), 15, 100),
               answers.case(2, (6, 9, 8, 9, 3), 30, 80)),
        property="Divide the old activations by the scales and you have the new ones, before clipping; the outputs are the "
                 "same.",
        hints=("Go through the layers once. Keep x, the activations of the ANN, and the scale of the layer before, 1 at first.",
               "x = (x @ weight.T + bias).relu(), and its quantile is the scale `after`; for the last layer take 1.",
               "The new weight is weight * before / after, the new bias is bias / after."),
        misconceptions=(
            Misconception(answers.biases_like_weights, "no layer stands before a bias: divide it by its own layer's scale."),
            Misconception(answers.biases_left, "your biases are in the old units, next to currents in the new ones."),
            Misconception(answers.senders_forgotten, "the inputs of a layer are divided, too: its weights have to make up for "
                                                     "that with the scale of the layer before."),
            Misconception(answers.upside_down, "upside down: the layer after divides, the layer before multiplies."),
            Misconception(answers.readout_scaled, "the read-out does not fire, its outputs stay as they are: its scale is 1."),
            Misconception(answers.active_only, "you left the zeros out. The percentile counts all activations."),
            Misconception(answers.largest, "you took the largest, whatever the percentile."),
            Misconception(answers.not_rectified, "the next layer gets rectified values: x = (x @ weight.T + bias).relu()."),
            Misconception(answers.measured_without_bias, "the ANN has its biases: measure the activations with them."),
            Misconception(answers.inputs_scaled, "the pixels go in as they are: the scale before the first layer is 1."),
            Misconception(answers.pairs, "return two lists, the weights and the biases, not one list of pairs."),
            Misconception(answers.by_neuron, "one scale for a layer, over all its neurons and images."),
            Misconception(answers.scaled_on_the_way, "measure the scales on the ANN as it was trained: your next layer saw "
                                                     "activations that were divided already."),
        )),
    Exercise(
        id="12.6", difficulty="medium", minutes=6,
        question="A neuron begins at 0.5 and gets 0.8 in each of five steps, then -0.8 in each of five. On average it gets "
                 "nothing, and an even current of 0 would make no spike. Follow it by hand. How many spikes does it fire?",
        reference=4,
        property="Follow the membrane step by step; a spike that has been sent is not taken back.",
        hints=("0.5 + 0.8 = 1.3: a spike, and 0.3 stays.", "Then 1.1, a spike; then 0.9, none."),
        misconceptions=(
            Misconception(0, "that is what the even current would do. Here the positive half comes first, and spikes are not "
                             "taken back."),
            Misconception(5, "it does not fire at every step: a spike takes 1 away."),
            Misconception(3, "that is from a start of 0, or with a reset to zero. Here it begins at 0.5, and a spike takes 1."),
            Misconception(4.5, "five times 0.8 and the 0.5 make 4.5, but spikes come whole."),
            Misconception(0.4, "that is the rate over ten steps. How many spikes?"),
        ),
        solution="1.3 fires, 1.1 fires, 0.9, 1.7 fires, 1.5 fires: four. Then it sinks, and fires no more."),
    Exercise(
        id="12.7", difficulty="medium", minutes=5, tolerance=6e-3,
        question="In a hidden layer 30 % of the units are active, and converted the layer's mean rate is 0.1 spikes a neuron "
                 "and step. A product with its sum costs 4.6 pJ, a sum 0.9 pJ, memory nothing. After how many steps do its "
                 "spikes cost as much as the products of the ANN (Eq. 5)?",
        reference=4.6 / 0.9 * 0.3 / 0.1,
        property="So many steps times the rate times the price of a sum is the share of active units times the price of a "
                 "product.",
        hints=("For each synapse: the ANN pays 4.6 for each active unit, the spiking one 0.9 for each spike.",
               "T * 0.1 * 0.9 = 0.3 * 4.6."),
        misconceptions=(
            Misconception(4.6 / 0.9, "that is how many spikes an active unit may send. It sends 0.1 / 0.3 a step."),
            Misconception(4.6 / 0.9 / 0.1, "zeros cost the ANN nothing: only 30 % of its units are active."),
            Misconception(4.6 / 0.9 * 0.1 / 0.3, "upside down: the more often they fire, the fewer steps it takes."),
            Misconception(3.0, "a product costs 5.1 times as much as a sum."),
        ),
        solution="T * 0.1 * 0.9 = 0.3 * 4.6, so T = 15.3."),
    Exercise(
        id="12.8", difficulty="easy", minutes=4, tolerance=1e-6,
        question="Max pooling of spikes lets one through in each step in which any of its inputs fires. Two inputs fire with "
                 "probability 0.4 in each step, independently. The larger rate is 0.4. What comes out?",
        reference=0.64,
        property="One minus the probability that neither fires.",
        hints=("Neither fires in 0.6 times 0.6 of the steps.", "Something comes out in all others."),
        misconceptions=(
            Misconception(0.4, "that is the larger of the two rates, which is what it should be."),
            Misconception(0.8, "in some steps both fire, and only one spike comes out."),
            Misconception(0.16, "that is how often both fire."),
            Misconception(0.36, "that is how often neither fires."),
            Misconception(0.48, "that is how often exactly one of them fires. When both do, a spike comes out as well."),
        ),
        solution="1 - 0.6 * 0.6 = 0.64."),
]


GUESSES = {
    "12.a": Guess(
        "A trained network of rectified units reads 94 % of 10,000 digits. Its weights, scaled by the classic recipe, go to "
        "spiking neurons that get two time steps: they read 10 %, as chance does. Which brings back most?",
        ("Three epochs of training with surrogate gradients", "Two other constants, and no training",
         "Nothing: two steps cannot say much"), "Two other constants, and no training",
        "Begin every membrane at half the threshold, and let a full rate stand for less than the largest activation.\n\n"
        "Without any training two steps then read 93 %. Three epochs of training from the 10 % reach 91 to 92 %.",
        "conversion.network", {"percentile": 97.0, "start": 0.5}, lambda data: data["percentile"] < 99 and data["start"] > 0.4),
    "12.b": Guess(
        "A spike resets the membrane to *zero*, whatever was above the threshold. Each step brings 0.9 of the threshold. How "
        "many spikes in 1000 steps?",
        ("900", "Just under 900", "500"), "500",
        "0.9 is not enough, 1.8 is: a spike in every second step, and 0.8 thrown away each time.\n\nMore steps do not help: "
        "what is thrown away does not come back.",
        "conversion.neuron", {"reset": "zero", "current": 0.9},
        lambda data: data["reset"] == "zero" and data["current"] > 0.8),
    "12.c": Guess(
        "You copy the weights as they are: no scaling, threshold 1, membranes that begin at 0. The network reads 92 % after "
        "two steps. And after 32?",
        ("More: every further step is a better average", "The same", "Less"), "Less",
        "91 % in all seeds. The rates do become better averages, of the wrong thing: everything above 1 is 1.\n\nAfter two "
        "steps the start at 0 takes a quarter off each rate below 1 on average, and nothing off those at 1. That makes up for "
        "some of it."),
    "12.d": Guess(
        "Three epochs at two time steps lift the network that reads 10 % to 91 or 92 %. And three epochs from weights "
        "drawn at random?",
        ("Far less: the converted weights know digits", "About as much, or a little more", "They stay near 10 %"),
        "About as much, or a little more",
        "What lifts it is the training, not the conversion. At two steps by the classic recipe hardly a neuron fires, and what "
        "the weights know is not heard."),
}

QUESTIONS = (
    Question("A colleague reports that fine-tuning with surrogate gradients rescues a converted network at two steps, from "
             "20 % to 94 %. What do you ask to see?",
             "The same epochs from random weights, with a learning rate chosen for them; and the converted network with its "
             "membranes begun at half the threshold and scales that clip a little. Here both explain most of it."),
    Question("Does a converted network need more steps where it is deeper?",
             "From a start of 0 it does: every layer rounds downwards what the layers before have rounded downwards, so that "
             "little arrives. From a start of a half most of that goes. Uneven arrival adds to it, a tenth of the rounding "
             "here. What grew with depth here was inherited, at 32 steps mostly from clipping, which no step mends."),
    Question("Is a converted network cheaper than the network it came from?",
             "Its first layer is not: a constant current is a product, the same one. Further layers replace products by sums "
             "until every active unit has sent about five spikes, on arithmetic alone; with the price of memory, fewer."),
    Question("When would you convert rather than train?",
             "When the trained network is there, and its data or its training cannot be had again; for still images, and with "
             "steps to spare. With data and time, training at the few steps you have did as well here."),
)
