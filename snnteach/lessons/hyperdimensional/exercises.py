"""Exercises of notebook 24."""
import torch

from ..kinds import Exercise, Guess, Misconception, Question
from . import answers

SCORES = torch.randn(390, generator=torch.Generator().manual_seed(30))
STRANGE = 1 + torch.randn(150, generator=torch.Generator().manual_seed(31))

EXERCISES = [
    Exercise(
        id="24.1", difficulty="easy", minutes=4,
        question="Two random words of 400 bits differ in 200 bits on average. What is the standard deviation of that "
                 "number?",
        reference=10,
        property="Its square is the variance of 400 fair coins, each 0 or 1.",
        hints=("Each bit differs with probability 1/2, on its own: a sum of 400 fair coins.",
               "A coin has the variance 1/4. Add 400 of them, and take the root."),
        scales={"bits": 400},
        misconceptions=(
            Misconception(20, "a coin of 0 or 1 has a standard deviation of 1/2, not 1."),
            Misconception(100, "that is the variance. Take its root."),
            Misconception(200, "that is the mean."),
            Misconception(14.142135, "the pair differs or not, one coin a bit: do not add the variances of two words."),
            Misconception(0.5, "that is one bit. 400 of them add their variances."),
        ),
        solution="400 coins of variance 1/4 have the variance 100, and the standard deviation sqrt(400)/2 = 10."),
    Exercise(
        id="24.2", difficulty="medium", minutes=6,
        question="A population code deals D bits out evenly to C classes. For how many classes, at most, do any two "
                 "words still differ in a quarter of their bits or more?",
        reference=8,
        property="With it, two words differ in exactly a quarter of their bits, whatever D is.",
        hints=("Each word has D/C ones, and no two words share one: they differ in 2 D/C bits.", "2 D/C >= D/4."),
        misconceptions=(
            Misconception(4, "both words have ones of their own: they differ in 2 D/C bits."),
            Misconception(2, "that is for words that differ in all bits: 2 D/C = D."),
            Misconception(16, "the two words differ in 2 D/C bits, not in 4 D/C."),
            Misconception(7, "with 8 classes they differ in exactly a quarter, which is allowed."),
            Misconception(9, "2 D/9 is less than D/4."),
            Misconception(10, "with ten classes they differ in a fifth of the bits."),
        ),
        solution="2 D/C >= D/4 holds for C up to 8, whatever D is."),
    Exercise(
        id="24.3", difficulty="easy", minutes=6, tolerance=1e-6,
        question="Write the slope of Eq. 3 by the spike counts, for one spike wanted: `counts` [B, D], `ones` [B, D] "
                 "the words of the classes. The loss is a mean over batch and bits. Return [B, D].",
        reference=answers.word_slope,
        cases=((answers.counts(1, 4, 6), answers.coins(2, 4, 6)), (answers.counts(3, 2, 9), answers.coins(4, 2, 9))),
        property="It is zero in every one that has fired, negative in a silent one, positive in a zero that fired.",
        hints=("The error of a one is (1 - n), clamped at 0; of a zero it is -n.", "-2 * error / counts.numel()"),
        misconceptions=(
            Misconception(answers.every_spike, "your ones punish a second spike. One is enough: clamp their error at 0."),
            Misconception(answers.downhill, "that is the way down. The slope points up: a spike in a zero raises the "
                                            "loss."),
            Misconception(answers.summed_bits, "the loss is a mean over the bits, too."),
            Misconception(answers.summed_all, "the loss is a mean over batch and bits: divide."),
            Misconception(answers.without_two, "the error is squared: the slope has a 2."),
            Misconception(answers.zeros_for_nothing, "spikes in zeros cost something, every one of them."),
            Misconception(answers.fired_or_not, "in a zero every spike costs, not only the first."),
        )),
    Exercise(
        id="24.4", difficulty="easy", minutes=5, tolerance=1e-5,
        question="Write bits as -1 and 1, and a Hamming distance needs only one matrix product. `bits` is [B, D], "
                 "`codewords` [C, D], both of 0 and 1. Return the number of bits that differ, [B, C].",
        reference=answers.by_signs,
        cases=((answers.coins(5, 3, 8), answers.words(6, 4, 8)), (answers.coins(7, 5, 30), answers.words(8, 2, 30))),
        property="It is 0 for a word and itself, and D for a word and its opposite.",
        hints=("Bits that agree add 1 to the product of the signs, bits that differ take 1 away.",
               "product = D - 2 * distance"),
        misconceptions=(
            Misconception(answers.twice, "a bit that differs lowers the product by 2: halve it."),
            Misconception(answers.likeness, "that is large where words are alike. How many bits differ?"),
            Misconception(answers.agreeing, "those are the bits that agree."),
            Misconception(answers.shared_ones, "those are the ones that both have."),
            Misconception(answers.missing_ones, "you count ones that are missing, and not those that should be silent."),
            Misconception(answers.extra_ones, "you count ones that should be silent, and not those that are missing."),
            Misconception(answers.share_that_differs, "that is a share, as SciPy gives it. How many bits?"),
        )),
    Exercise(
        id="24.5", difficulty="hard", minutes=12, build=True,
        question="Build the decoder that may answer at any step. `spk` is [T, B, D], `codewords` [C, D]. It answers in "
                 "the first step in which the nearest word leads the second nearest by `lead` bits or more, with the "
                 "nearest word of that step; where that never happens, in the last step. Return `(classes, steps)`, [B] "
                 "each, steps from 0.",
        reference=answers.answer_early,
        cases=((answers.coins(9, 12, 20, 40, chance=0.05), answers.words(10, 4, 40), 3),
               (answers.coins(11, 7, 20, 64, chance=0.1), answers.words(12, 6, 64), 8)),
        property="A bit that was set stays set; no answer comes after the last step.",
        hints=("spk.cummax(0).values holds what has been said up to each step, [T, B, D].",
               "distances = bits.sum(-1, keepdim=True) + codewords.sum(1) - 2 * bits @ codewords.T is [T, B, C]; "
               "topk(2, largest=False) gives the two nearest.",
               "argmax of a row of True and False is the first True, and 0 where all are False: "
               "torch.where(over.any(0), ..., len(spk) - 1)."),
        misconceptions=(
            Misconception(answers.forgetful, "you read the spikes of one step. A bit that was set stays set."),
            Misconception(answers.counted, "you add spikes up. A second spike of a neuron says nothing new here."),
            Misconception(answers.strictly, "you wait for more than the lead: as many bits are enough."),
            Misconception(answers.counted_from_one, "steps count from 0 here."),
            Misconception(answers.never_at_once, "where no word ever leads, argmax says 0. Such samples wait for the "
                                                 "last step."),
            Misconception(answers.last_word, "you answer from the last step. Take the nearest word of the step that "
                                             "you stop in."),
            Misconception(answers.farthest, "you name the word that differs in most bits."),
            Misconception(answers.votes, "you forgive spikes in zeros. A Hamming distance counts them, too."),
            Misconception(answers.steps_first, "the classes come first, then the steps."),
            Misconception(answers.everything, "you always wait for the last step."),
        )),
    Exercise(
        id="24.6", difficulty="easy", minutes=4,
        question="A hidden layer that speaks to 256 outputs fires 30 spikes a digit. How many spikes could one fire "
                 "that speaks to 10 outputs, for the same number of operations in the output layer?",
        reference=768,
        property="Spikes times fan-out is the same for both.",
        hints=("Each spike costs as many operations as it has synapses.", "30 * 256 / 10"),
        misconceptions=(
            Misconception(30, "as many spikes, but each has 25.6 times as many synapses."),
            Misconception(7680, "that is the number of operations. Divide by the fan-out of 10."),
            Misconception(1.171875, "upside down: fewer synapses allow more spikes."),
            Misconception(76800, "multiply by 256, and divide by 10."),
        ),
        solution="30 * 256 = 7680 operations, which are 768 spikes into 10 outputs."),
    Exercise(
        id="24.7", difficulty="medium", minutes=5,
        question="How many bits does a population code for ten classes need, so that any two of its words differ in as "
                 "many bits as two random words of 256 bits do on average?",
        reference=640,
        property="A tenth of it, twice, is the distance.",
        hints=("Two random words of 256 bits differ in 128.", "2 D / 10 = 128."),
        misconceptions=(
            Misconception(1280, "both words have ones of their own: they differ in 2 D/10 bits."),
            Misconception(256, "as wide a population has words that differ in a fifth of the bits, not in half of them."),
            Misconception(128, "that is the distance. How many bits make it?"),
            Misconception(2560, "they differ in 2 D/10 bits, and in 128, not 512."),
            Misconception(320, "2 D/10 = 128: multiply by 10, and halve once."),
        ),
        solution="2 D / 10 = 128, so D = 640."),
    Exercise(
        id="24.8", difficulty="medium", minutes=7, tolerance=1e-6,
        question="`known` and `unknown` hold scores of samples [samples], larger is stranger. An alarm goes off at a "
                 "threshold or above it. Take the lowest threshold, among the scores that occur, at which no more than "
                 "`allowed` (a share) of the known set it off. Which share of the unknown does it catch? Return a float.",
        reference=answers.caught,
        cases=((SCORES, STRANGE, 0.05), ((2 * SCORES).round(), (2 * STRANGE).round(), 0.11)),
        property="It is 1 where all known samples may be refused.",
        hints=("Try all scores that occur as thresholds: torch.cat([known, unknown]).unique().",
               "For each s: (known >= s).double().mean() and (unknown >= s).double().mean(). Keep those whose first is "
               "allowed.",
               "Of those, the largest share caught."),
        misconceptions=(
            Misconception(answers.over_the_quantile_of_strangers, "the known samples set the threshold, and the "
                                                                  "unknown are counted."),
            Misconception(answers.quantile, "scores tie: at your threshold more of the known set the alarm off than are "
                                            "allowed. Try each score that occurs."),
            Misconception(answers.first_from_above, "the highest score is the first that is allowed. Go on down to the "
                                                    "lowest."),
            Misconception(answers.missed, "that is the share that slips through."),
            Misconception(answers.all_together, "the alarms are a share of the known samples alone."),
            Misconception(answers.above_the_mean, "that threshold does not know how many alarms are allowed."),
            Misconception(answers.counted_strangers, "that is how many. Which share?"),
        )),
]


GUESSES = {
    "24.a": Guess(
        "A network with 256 outputs learned to spell random words, under a loss that a single spike of each neuron "
        "satisfies. A digit lasts 16 steps. After how many does the nearest word name nine in ten of the digits that it "
        "gets right in the end?",
        ("About 4", "About 8", "About 12"), "About 12",
        "After 8 steps it names about half of them.\n\nOne spike a neuron is all that was asked for, and nobody said when.",
        "hyperdimensional.spelling", {"step": 12}, lambda data: data["step"] > 11 and data["nearest"] == data["label"]),
    "24.b": Guess(
        "Ten counting neurons need 181 to 203 hidden spikes a digit, random words of 256 bits 25 to 30. Now the random "
        "words learn from the loss of the ten, cross-entropy on counts. How many hidden spikes do they need?",
        ("About 30: the words save them", "About 100", "About 190, like the ten", "More than 400"),
        "More than 400",
        "It is 417 to 478, more than twice as much as ten neurons.\n\nGive a population code, or even ten neurons, the "
        "loss that one spike satisfies, and they make do with 19 to 31. So the words do not save them."),
    "24.c": Guess(
        "Ten classes, 256 outputs, and on the way to the reader 40 % of all bits are flipped. Who is understood?",
        ("Random words, nearly always", "The population, nearly always: 25 neurons say the same",
         "Neither: that is almost a coin a bit"), "Random words, nearly always",
        "In 95 of 100 cases, against 72 for the population of the same width.\n\nTwo random words differ in about 128 "
        "bits, and on average 77 of these still speak for the right one. Two words of the population differ in 50 or "
        "so: 30 against 20, and chance turns that more easily.",
        "hyperdimensional.noise", {"flipped": 40}, lambda data: data["flipped"] > 34),
    "24.d": Guess(
        "Nines were left out of the training. The threshold is lowered until every single nine of the test images "
        "raises the alarm. How many of the known digits raise it, too?",
        ("About one in twenty", "About half", "All of them"), "All of them",
        "So it was in all nine stored runs with random words, whichever digit was left out: some stranger is as near "
        "to a word as the nearest known digit.\n\nAt that point a detector that always cries is just as good."),
}

QUESTIONS = (
    Question("A paper reports that a new read-out needs a third of the spikes. What do you ask to see?",
             "The old read-out under the new loss, and with a price on its spikes: here both save as much. Then the "
             "spikes of the outputs, and the operations of each layer, with the fan-out: a wide output makes each hidden "
             "spike dearer."),
    Question("A detector finds 100 % of the samples of a class that was never trained. Is it good?",
             "Nobody can say. At which false-alarm rate? A detector that always cries finds 100 %, too. Ask for the "
             "curve, or for the share caught at a rate that one could live with."),
    Question("When would you spell classes in many bits?",
             "When bits get lost between the network and its reader: random words stand more flips than a population "
             "of the same width. Or when there are more classes than outputs. For ten classes and a quiet line, ten "
             "neurons do as well here."),
    Question("Why does the network that is asked for one spike answer so late?",
             "A spike cannot be taken back, and a wrong one costs. No spike is missed before the last step. So it "
             "waits for all the evidence. Put the deadline at half time, and it answers there, as well; ask for four "
             "spikes, and it has to begin earlier."),
)
