"""Exercises of notebook 21."""
import torch

from ..kinds import Exercise, Guess, Misconception, Question
from . import answers

WEIGHT = torch.tensor([[0.5, -0.2, 0.1, -0.4], [-0.3, 0.6, -0.7, 0.25], [0.15, 0.9, 0.35, -0.8]])

EXERCISES = [
    Exercise(
        id="21.1", difficulty="easy", minutes=4, tolerance=4e-3,
        question="The weights lie in the 32 KB cache: 20 pJ for a weight. How often may an input fire in an inference "
                 "before a spike at a time costs more than one product? No updates.",
        reference=24.6 / 20.9,
        property="Both sides fetch the weight: the dense one once, the spiking one at every spike.",
        hints=("Eq. 2 without its second term: one product and its weight, over one sum and its weight.",
               "(4.6 + 20) / (0.9 + 20)."),
        misconceptions=(
            Misconception(4.6 / 0.9, "that is arithmetic alone. Both sides fetch a weight for 20 pJ each time."),
            Misconception(14.6 / 10.9, "one weight a read: 20 pJ, not 10."),
            Misconception(24.6 / 0.9, "a spike has to fetch its weight as well."),
            Misconception(4.6 / 20.9, "the product has to fetch its weight as well."),
            Misconception(23.7 / 20.9, "a product with a sum costs 3.7 + 0.9 pJ."),
        ),
        solution="(4.6 + 20) / (0.9 + 20) = 24.6 / 20.9 = 1.177: one spike, and a little more."),
    Exercise(
        id="21.2", difficulty="medium", minutes=5, tolerance=5e-4,
        question="A spike fetches 8 bits; a dense network that says as much as 12 steps of spikes moves ceil(log2(12 + 1)) "
                 "bits for each input and no weight. Up to which rate, in spikes an input and step, do spikes move fewer bits?",
        reference=1 / 24,
        property="The break-even counts spikes per inference; a rate counts them per step.", scales={"steps": 12},
        hints=("log2(13) is 3.7, so the dense network moves 4 bits for each input.",
               "Break-even 4 / 8 of a spike per inference, over 12 steps."),
        misconceptions=(
            Misconception(0.5, "that is per inference. Twelve steps share it."),
            Misconception(3.7004 / 96, "bits are whole: round 3.7 up to 4."),
            Misconception(4 / 12, "a spike moves 8 bits, not one."),
            Misconception(12 / 96, "the dense network moves the logarithm of 13 in bits, not 12."),
            Misconception(3 / 96, "3 bits tell 8 counts apart; from 0 to 12 there are 13."),
        ),
        solution="ceil(log2 13) = 4 bits against 8 bits a spike: half a spike per inference, 0.5 / 12 = 0.0417 a step."),
    Exercise(
        id="21.3", difficulty="easy", minutes=4, tolerance=2e-3,
        question="A spiking network makes 36,000 additions and 1500 updates an image. How many nJ does it spend where a weight "
                 "costs 5 pJ, and fetching and storing a state 10 pJ?",
        reference=(36000 * 5.9 + 1500 * 14.6) / 1000,
        property="Eq. 1: every addition fetches a weight, every update is a product with a sum and touches a state.",
        hints=("An addition is 0.9 pJ and its weight 5 pJ. An update is 4.6 pJ and its state 10 pJ.",
               "(36000 (0.9 + 5) + 1500 (4.6 + 10)) pJ, and 1000 pJ are 1 nJ."),
        misconceptions=(
            Misconception((36000 * 0.9 + 1500 * 4.6) / 1000, "that is the arithmetic alone."),
            Misconception(36000 * 5.9 / 1000, "you left the updates out: every neuron, every step."),
            Misconception((36000 * 5.9 + 1500 * 4.6) / 1000, "an update also fetches and stores a state."),
            Misconception((36000 * 9.6 + 1500 * 14.6) / 1000, "a spike needs no product: an addition is 0.9 pJ."),
            Misconception((36000 * 5.9 + 1500 * 10) / 1000, "an update is also a product with a sum, 4.6 pJ: the leak."),
            Misconception(36000 * 5.9 + 1500 * 14.6, "that is in pJ."),
            Misconception((36000 * 5.9 + 1500 * 14.6) / 1e6, "1000 pJ are 1 nJ, not a million."),
            Misconception((36000 * 5.9 + 1500 * 24.6) / 1000, "10 pJ a state is for fetching *and* storing it."),
        ),
        solution="36000 * 5.9 + 1500 * 14.6 = 212,400 + 21,900 pJ = 234.3 nJ. Nine tenths are the spikes."),
    Exercise(
        id="21.4", difficulty="medium", minutes=15, build=True,
        question="Write the counter. For an input x [T, B, N], the weights [N_out, N_in] of all layers and the spikes "
                 "[T, B, N] of the hidden ones return (macs, additions, updates), plain numbers for one sample on average. A "
                 "zero of an input costs nothing, a weight of zero is no synapse; a layer whose input is nothing but 0 and 1 "
                 "adds, any other multiplies; every neuron of every layer is updated at every step.",
        reference=answers.count,
        cases=(answers.case(0, 6, 4, (5, 7, 3), pruned=0.4), answers.case(1, 3, 5, (6, 4, 5, 2), pruned=0.6),
               answers.case(2, 4, 3, (5, 6, 2), current=True, pruned=0.3), answers.case(3, 5, 2, (3, 4))),
        property="An input counts as often as it is not 0, times the synapses that leave it.",
        hints=("Each layer is fed by the one before it: pair the weights with [x, *spikes].",
               "(weight != 0).float().sum(0) are the synapses that leave each input, [N_in].",
               "((fed != 0).float() @ fan_out).sum() over steps and samples; divide by the samples. Updates: len(fed) times "
               "the neurons, len(weight)."),
        misconceptions=(
            Misconception(answers.every_synapse, "you count synapses that are pruned away: a weight of 0 is none."),
            Misconception(answers.every_input, "zeros cost nothing: count only inputs that are not 0."),
            Misconception(answers.whole_batch, "that is the whole batch. Divide by its samples."),
            Misconception(answers.no_steps, "every neuron leaks at every step: updates grow with T."),
            Misconception(answers.all_additions, "a grey pixel times a weight is a product. Only 0 and 1 come without."),
            Misconception(answers.all_products, "a spike needs no product: its weight is added as it is."),
            Misconception(answers.fan_in_instead, "you multiply by the synapses of a receiver. A spike goes to all that "
                                                  "*leave* the neuron that fires: column by column."),
            Misconception(answers.spiking_only, "neurons that are silent leak as well: all of them are updated."),
            Misconception(answers.hidden_only, "the neurons of the read-out leak as well."),
            Misconception(answers.updates_of_the_batch, "updates are for one sample: do not multiply them by the batch."),
            Misconception(answers.mean_over_steps, "sum over the steps: each spike fetches its weights again."),
        )),
    Exercise(
        id="21.5", difficulty="medium", minutes=6,
        question="Return a mask, 0 and 1 in the shape of `weight`, that prunes the `sparsity` share of its entries with the "
                 "smallest size; among equals the first go.",
        reference=answers.mask_of,
        cases=((WEIGHT, 0.5), (WEIGHT, 0.75), (WEIGHT.T, 0.25), (-WEIGHT, 0.0), (torch.ones(3, 4), 0.5)),
        property="No weight that is kept is weaker than one that goes, and exactly the asked share goes.",
        hints=("weight.abs().flatten().argsort(stable=True) lists the entries from the weakest on.",
               "Start with ones, write 0 at the first round(sparsity * weight.numel()) of that list, and view_as(weight)."),
        misconceptions=(
            Misconception(answers.most_negative, "you sort by value: what goes is inhibition. Sort by size."),
            Misconception(answers.largest_go, "the strongest go. Keep them."),
            Misconception(answers.keeps_the_share, "`sparsity` is the share that goes, not the share that stays."),
            Misconception(answers.row_by_row, "you prune each row alone. The weakest of the whole matrix go."),
            Misconception(answers.share_of_the_largest, "a share of the largest size is a limit, and nobody knows how many lie "
                                                        "below it. Take a share of the entries."),
            Misconception(answers.pruned_weight, "those are the weights. Return the mask, 0 and 1."),
            Misconception(answers.equals_stay, "a limit keeps all of equal size: too few go. Take the order, not a limit."),
            Misconception(answers.equals_go, "a limit takes all of equal size: too many go. Take the order, not a limit."),
            Misconception(answers.last_equals_go, "among equals the first go."),
        )),
    Exercise(
        id="21.6", difficulty="easy", minutes=5,
        question="Cores of 1024 neurons and 65,536 synapses each. How many does 784-300-10 fill with all its synapses, one "
                 "core after the other?",
        reference=4,
        property="How many neurons of 784 synapses go into a core?",
        hints=("A hidden neuron needs 784 synapses: 83 of them fill a core.",
               "Three cores hold 249 hidden neurons. What do the other 51 and the ten outputs, 300 synapses each, need?"),
        misconceptions=(
            Misconception(1, "310 neurons would fit by their number. Their 238,200 synapses do not."),
            Misconception(3, "three cores hold 249 hidden neurons. 51 and the outputs are left."),
            Misconception(5, "the outputs need 3000 synapses, and the fourth core has room for them."),
            Misconception(3.634643554, "cores come whole, and a neuron is not cut in two."),
        ),
        solution="83 neurons of 784 synapses a core: 249 on three cores. The fourth takes 51 (39,984) and the outputs (3000)."),
    Exercise(
        id="21.7", difficulty="easy", minutes=4, tolerance=1e-3,
        question="beta is 0.8, and a step stands for 1 ms. Which tau, in ms, makes Euler's step decay by just beta?",
        reference=5.0,
        property="beta = 1 - dt / tau.",
        hints=("An Euler step of tau dv/dt = -v leaves 1 - dt / tau of v.", "dt / tau = 0.2."),
        misconceptions=(
            Misconception(4.4814, "that is for beta = exp(-dt / tau), the exact decay. A reader that takes Euler steps leaks "
                                  "faster with it: 0.777."),
            Misconception(1.25, "1 - dt / tau is beta, not dt / tau."),
            Misconception(0.2, "that is dt / tau. Turn it over."),
            Misconception(0.005, "that is in seconds. Give ms."),
        ),
        solution="1 - dt / tau = 0.8, so tau = 1 ms / 0.2 = 5 ms."),
    Exercise(
        id="21.8", difficulty="medium", minutes=10,
        question="Read a LIF node: spikes [T, B, N] for input x [T, B, N], by Euler steps of tau dv/dt = -v + r x from v = 0. "
                 "A spike where v > v_threshold, and v is set to 0 there, in the same step.",
        reference=answers.read_lif,
        cases=(answers.neuron_numbers(0, 6), answers.neuron_numbers(1, 4), answers.neuron_numbers(2, 9)),
        property="Without a spike, v changes by dt / tau times what the right-hand side is.",
        hints=("One step: v + dt / tau * (r * now - v).",
               "Compare, then multiply v by (1 - spk), and keep the spikes of each step in a list for torch.stack."),
        misconceptions=(
            Misconception(answers.exponential, "you decay by exp(-dt / tau), which is the exact solution. Whoever wrote tau "
                                               "for Euler's step meant 1 - dt / tau."),
            Misconception(answers.subtracts, "you take the threshold off. NIR sets v to v_reset, here 0."),
            Misconception(answers.r_forgotten, "r is missing: it multiplies the input."),
            Misconception(answers.late_spike, "compare after the Euler step, in the same step."),
            Misconception(answers.never_reset, "nothing resets v after a spike."),
            Misconception(answers.input_not_scaled, "dt / tau belongs to the input as well: it multiplies the whole "
                                                    "right-hand side."),
        )),
]

GUESSES = {
    "21.a": Guess(
        "An addition costs 0.9 pJ, a multiplication with its addition 4.6 pJ. So an input of a spiking network may fire five "
        "times before it costs more than one number in a dense network. Now both also fetch each weight from a small cache, "
        "for 10 pJ. How often may it fire now?",
        ("Still about five times: both pay the same for a weight", "About three times", "About 1.3 times"), "About 1.3 times",
        "The dense network fetches a weight once, the spiking one *at every spike*: (4.6 + 10) / (0.9 + 10) = 1.34.\n\nWhat "
        "both pay in equal measure hides what only one of them saves. The dearer a weight, the nearer the break-even is to "
        "one spike.",
        "energy.price", {"weight": 10.0}, lambda data: abs(data["break_even"] - 1.34) < 0.6),
    "21.b": Guess(
        "A dense network of 300 neurons reads grey digits at 97 %. Two others want to save energy: one spikes, and waits over "
        "five steps for pixels that come one after the other, the bright ones first. The other stays dense, and is shown "
        "black-and-white pixels. Who saves more?",
        ("The spiking network: it is sparse in time as well", "The dense one with black-and-white pixels",
         "Neither: both lose more accuracy than they save"), "The dense one with black-and-white pixels",
        "What is saved is the *product*: a pixel of 0 or 1 adds its weight, whoever reads it. Both fetch the same weights.\n\n"
        "Waiting adds something: every neuron leaks at every step. In the table below the spiking network pays more at every "
        "price, and reads no better."),
    "21.c": Guess(
        "The network below, 784-300-10, needs 31 cores of 128 neurons and 8192 synapses. Now 98 % of its synapses are pruned "
        "away. How many cores does it need?",
        ("One: 2 % of 31", "Three", "31: pruning sets weights to zero and frees nothing"), "Three",
        "As long as synapses fill the cores, cores go down with them. Then the *other* limit binds: 310 neurons at 128 a core "
        "are three cores, however few synapses they have.\n\nA chip has several limits, and the one that binds changes on the "
        "way.",
        "energy.chip", {"pruned": 0.98}, lambda data: data["cores"] <= 3),
    "21.d": Guess(
        "A network whose neurons subtract the threshold when they fire is written to a file as neurons that are set to zero, "
        "the only reset that the format has. Weights, decay and threshold are the same. Its hidden neurons hear a constant "
        "current, and those that fire do so twelve times in 20 steps. How many of their spikes are still where they were?",
        ("Nearly all: the resets differ only after a spike", "About four in five", "Next to none"), "About four in five",
        "Until its first spike a neuron is the same under both resets; then subtraction leaves what was above the threshold, "
        "and zero does not. Neurons that fire once keep their spike; those that fire five times lose more than a third.\n\n"
        "Nothing fails and nothing warns: the file is valid, and the accuracy moves by little. Count spikes, not answers."),
}

QUESTIONS = (
    Question("A paper reports that its spiking network needs a tenth of the energy of an ANN. What do you ask for?",
             "The accuracy of both; whether zeros are skipped for the ANN as well; what a weight and a state cost to fetch; "
             "how often the first layer's products are made; and what an ANN with binary input, or a narrower one, needs."),
    Question("When does time save energy, if it does not on still images?",
             "Where nothing happens most of the time: a sensor that sends changes. Then a dense network has to be run at every "
             "step to notice anything, and the comparison is per second, not per image."),
    Question("Is pruning better for spiking networks than for others?",
             "Not here: at nine tenths the dense network keeps more of its accuracy, and the spiking one still updates every "
             "state at every step."),
    Question("Why can a chip reject a network whose synapses fit in total?",
             "Cores have several limits, and neurons are not cut in two: what is left over in one core helps no other."),
)
