"""Exercises of notebook 26."""
import math

from ..kinds import Exercise, Guess, Misconception, Question
from . import answers

_REACHED = 2 * math.asin(math.sqrt(0.75))                     # a third of a turn, 2 pi / 3

EXERCISES = [
    Exercise(
        id="26.1", difficulty="easy", minutes=4, tolerance=2e-3,
        question="A qubit in its ground state is turned by 60 degrees, and by 60 degrees once more. With which probability is "
                 "it found excited then?",
        reference=0.75,
        property="Angles add up; the probability is the squared sine of half their sum.",
        hints=("The two turns make one of 120 degrees.", "sin(60 degrees) is 0.866; square it."),
        misconceptions=(
            Misconception(0.5, "you added two probabilities of a quarter. Angles add up, probabilities do not."),
            Misconception(0.25, "that is after the first turn."),
            Misconception(0.4375, "that is for two independent chances of a quarter. The second turn starts where the first "
                                  "one ended."),
            Misconception(math.sqrt(0.75), "that is the sine. The probability is its square."),
            Misconception(2 / 3, "120 degrees are two thirds of a half turn, and the height of the point is no straight line."),
            Misconception(0.933, "that is for 150 degrees."),
            Misconception(1.0, "that takes 180 degrees, half a turn."),
        ),
        solution="60 + 60 = 120 degrees, half of it is 60, and sin^2(60 degrees) = 0.75: three times as much "
                 "as after one turn."),
    Exercise(
        id="26.2", difficulty="medium", minutes=6, tolerance=2e-3,
        question="A quantum neuron has the threshold 0.75 and a short memory: the leak leaves a third of the probability in "
                 "each step. Which constant angle (in radians) must the input exceed, so that it ever fires?",
        reference=math.pi / 3,
        property="At this angle, what the leak takes in a step is what the turn gives back.",
        hints=("At the threshold phi = 2 arcsin sqrt(0.75) = 120 degrees. Where is phi after the leak?",
               "A third of 0.75 is 0.25, and 2 arcsin sqrt(0.25) = 60 degrees."),
        misconceptions=(
            Misconception(2 * math.pi / 3, "that is the way from the ground state in a single step. From the threshold the "
                                           "leak brings it back only part of the way."),
            Misconception(math.pi / 6, "that is half of it: phi is *two* arcsines."),
            Misconception(0.5, "that is how much probability the leak takes. Which angle gives it back?"),
            Misconception(2 * math.sqrt(0.75) * (1 - math.sqrt(1 / 3)), "that is the classical twin, for small angles. Here "
                                                                        "angles are large."),
            Misconception(60.0, "in radians, please."),
            Misconception(4 * math.pi / 9, "you took the leak off the angle. It works on the probability."),
        ),
        solution="2 arcsin sqrt(0.75) - 2 arcsin sqrt(0.25) = 120 - 60 = 60 degrees, pi / 3 = 1.047."),
    Exercise(
        id="26.3", difficulty="easy", minutes=5,
        question="Without a leak, the threshold at 0.75, and pi / 8 in each step: how many spikes in 60 steps?",
        reference=10,
        property="Between two spikes the same whole number of steps passes: as many as it takes to get past 2 pi / 3.",
        hints=("0.75 is reached at 120 degrees; a step turns by 22.5.", "Five steps make 112.5 degrees, six make 135."),
        misconceptions=(
            Misconception(12, "after five steps it stands at 112.5 degrees: not yet."),
            Misconception(11, "what is left over after a spike is thrown away: it starts again from the ground state."),
            Misconception(11.25, "spikes come whole, and what is left over after a spike is thrown away."),
            Misconception(7, "eight steps make half a turn, the probability 1. The threshold comes before that."),
            Misconception(7.5, "that is the way to the probability 1, and spikes come whole. The threshold comes before it."),
            Misconception(6, "that is how many steps one spike takes. How many spikes in 60 steps?"),
        ),
        solution="2 pi / 3 over pi / 8 is 5.33, so each sixth step fires: 60 / 6 = 10 spikes."),
    Exercise(
        id="26.4", difficulty="easy", minutes=4, tolerance=1e-3,
        question="A qubit is excited with probability 0.7. How many shots does it take to know this with a standard deviation "
                 "of 0.01?",
        reference=2100,
        property="The variance of a share of n shots is a (1 - a) / n.",
        hints=("a (1 - a) = 0.21.", "0.21 / n has to be 0.01 squared."),
        misconceptions=(
            Misconception(10_000, "that would be 1 / 0.01^2. A single shot has the variance 0.21, not 1."),
            Misconception(2500, "that is for a probability of a half, the worst one."),
            Misconception(7000, "the variance of one shot is a (1 - a), not a."),
            Misconception(100, "the deviation falls with the *root* of the number of shots."),
            Misconception(21, "the deviation falls with the *root* of the number of shots: square the 0.01."),
            Misconception(4583, "a (1 - a) is the variance already: no root of it."),
        ),
        solution="0.7 * 0.3 / n = 0.0001, so n = 2100, in every step, for every neuron."),
    Exercise(
        id="26.5", difficulty="easy", minutes=5, tolerance=1e-3,
        question="One train has spikes at 10, 20 and 31, another at 13 and 33. To move a spike costs 0.1 a step. How far apart "
                 "are they after Victor and Purpura?",
        reference=1.5,
        property="One spike more in the first train costs 1 in any case. What is the cheapest way to do the rest?",
        hints=("One spike has to go. Which one leaves the other two nearest to their partners?",
               "Move 10 to 13 and 31 to 33, and delete 20."),
        misconceptions=(
            Misconception(0.5, "those are the moves. The spike that has no partner costs 1."),
            Misconception(1.0, "the spikes that have a partner have to be moved, too."),
            Misconception(5.0, "to delete all and to add all is one way, and there are cheaper ones."),
            Misconception(1.9, "moving 20 to 13 is dearer than moving 10 there."),
            Misconception(6.0, "a step costs 0.1."),
            Misconception(2.5, "both trains need not lose a spike: only one is too many."),
        ),
        solution="Move 10 to 13 (0.3) and 31 to 33 (0.2), and delete 20 (1): 1.5."),
    Exercise(
        id="26.6", difficulty="hard", minutes=18, build=True, tolerance=1e-6,
        question="Write van Rossum's distance between all samples (Eq. 5 and 6): `spk` [T, B, N], `tau` in steps; return D, "
                 "[B, B], with the squares summed over neurons. Without an integral.",
        reference=answers.distances,
        cases=((answers.trains(0, 12, 4, 3), 3.0), (answers.trains(1, 30, 5, 1), 8.0), (answers.trains(2, 6, 3, 4), 0.5)),
        property="A sample is at distance 0 from itself, and a single spike at the square root of a half from silence.",
        hints=("A matrix `near` [T, T] with exp(-(t - s) / tau) / 2, the difference without its sign, says what two spikes "
               "at t and s contribute.",
               "For one neuron x = spk[:, :, n], [T, B], the products of all samples are x.T @ near @ x, [B, B]. Sum them over "
               "neurons.",
               "D squared is own[:, None] + own - 2 * product, where own is the diagonal of the product. Take the root of what "
               "is clamped at 0."),
        misconceptions=(
            Misconception(answers.without_root, "that is D squared."),
            Misconception(answers.without_half, "the half in front of the sum is missing: a lonely spike has D squared 1/2."),
            Misconception(answers.pooled, "you threw all neurons into one train. A spike of another neuron is another spike."),
            Misconception(answers.sum_of_roots, "squares are summed over neurons, and the root comes last."),
            Misconception(answers.the_product, "that is the product, how much two samples share. How far apart are they?"),
            Misconception(answers.product_once, "the square of a difference has the product twice."),
            Misconception(answers.one_sided, "a pair of spikes counts whichever comes first: the difference without its sign."),
            Misconception(answers.squared_time, "the filter is an exponential; yours has the time squared."),
            Misconception(answers.on_a_grid, "a sum over steps is not the integral: between two steps a trace goes on fading. "
                                             "Use the closed form."),
            Misconception(answers.mean_over_neurons, "squares are summed over neurons; yours are averaged."),
            Misconception(answers.only_counts, "you compared counts. When the spikes come matters, too."),
        )),
    Exercise(
        id="26.7", difficulty="easy", minutes=4, tolerance=2e-3,
        question="Without a code, the quantum neuron goes from 13 to 20 spikes where its feature passes 0.648. Inputs are now "
                 "multiplied by a gain. Which gain brings this step to 0.5?",
        reference=0.648 / 0.5,
        property="The neuron sees the feature times the gain; the step comes where this is 0.648.",
        hints=("The step comes where gain * feature = 0.648.", "Put the feature to 0.5."),
        misconceptions=(
            Misconception(0.5 / 0.648, "that moves the step to the other side: with a higher gain it comes earlier."),
            Misconception(0.852, "gains multiply: a difference does not help."),
            Misconception(1.148, "the step has to move by a factor, not by 0.148."),
            Misconception(0.648 * 0.5, "that is a product. The step comes where gain * feature = 0.648."),
        ),
        solution="0.648 / 0.5 = 1.296."),
    Exercise(
        id="26.8", difficulty="medium", minutes=6, tolerance=1e-3,
        question="A Gaussian so wide that all samples look alike: K is 1 everywhere. There are three classes of the same size. "
                 "How large is its alignment, not centred (Y is 1 within a class, -1 else)?",
        reference=-1 / 3,
        property="It is the mean of Y over all pairs, and most pairs are of different classes.",
        hints=("sum(K Y) is the number of pairs of one class less the number of the others.",
               "A third of all pairs are of one class: 1/3 - 2/3; norm(K) norm(Y) is the number of pairs."),
        misconceptions=(
            Misconception(0.0, "that is with two classes, or centred."),
            Misconception(1 / 3, "that is the share of pairs of one class. The others count with a minus."),
            Misconception(math.sqrt(1 / 3), "that is with 0 for different classes. Here Y is -1."),
            Misconception(-1.0, "pairs of one class count with a plus."),
            Misconception(-2 / 3, "those are the pairs of different classes. The others count, too."),
        ),
        solution="1/3 of the pairs count +1 and 2/3 count -1: -1/3. It says that a matrix that tells nothing is worse than "
                 "nothing; centred, the same matrix has the alignment 0."),
]


def _overturned(data):
    return int(data["quantum"].sum()) == 0 and int(data["classical"].sum()) > 0


def _given_up(data):
    return data["shift"] >= 20 and abs(data["now"][1] - 2) < 1e-9


GUESSES = {
    "26.a": Guess(
        "Each step turns the qubit of a quantum neuron by the same angle, and it fires now and then. You make the angle "
        "larger and larger, up to a full turn a step. What does the neuron do?",
        ("It fires more and more, up to a spike in every step, and stays there",
         "It fires more and more, and then falls silent",
         "Nothing much: a probability cannot exceed 1, so the drive saturates early"),
        "It fires more and more, and then falls silent",
        "A point that runs round a circle goes up, and comes down again on the other side. A turn of half a circle excites the "
        "qubit for certain; a full turn brings it back to where it was, and the neuron sees no input at all.\n\nA classical "
        "membrane has no other side: twice the current is twice the push.",
        "quantum.neurons", {"angle": 2.0}, _overturned),
    "26.b": Guess(
        "Two spike trains are the same but for one spike, which is moved away from its partner, step by step, into a long "
        "silence. How does the distance of Victor and Purpura grow, at 0.2 a step?",
        ("In proportion, for as long as the spike moves", "In proportion at first, and then not at all",
         "Ever more slowly, towards a limit that it never reaches"),
        "In proportion at first, and then not at all",
        "To move a spike by $n$ steps costs $0.2\\,n$. But nobody has to move it: to delete it here and add it there costs 2. "
        "From ten steps on that is the cheaper way, and the distance stays at 2.\n\nThe third answer is that of van Rossum's "
        "distance.",
        "quantum.distances", {"shift": 20}, _given_up),
    "26.c": Guess(
        "Flowers are turned into a population code, the code drives quantum neurons, their spike trains are compared, and the "
        "flowers clustered. Now you take it apart: classical neurons for the qubits; then counts for the spike times; "
        "then the code alone, with no neuron and no spike. Where is the clustering lost?",
        ("With the qubits", "With the spike times", "With the spikes", "Nowhere"),
        "Nowhere",
        "On three tables, twelve subsamples each, no step moves the mean score by more than 0.02. Under a constant drive "
        "a count says when the spikes come, and a spike count says little more than the number that drove it.\n\nWhat is "
        "compared is the population code, in a costume."),
    "26.d": Guess(
        "Without the population code, one neuron a feature, the quantum neuron is far ahead on the iris: 0.81 against 0.59 "
        "for the classical one, in all twelve subsamples, with the same decay, steps and distance. What is behind it?",
        ("The squared sine, which bends features the way flowers need it",
         "The qubit's leak, which grows towards the top and makes it more selective",
         "The place where its count of spikes makes one large step"),
        "The place where its count of spikes makes one large step",
        "Counts are whole numbers, so each neuron turns a feature into a staircase. The last large step, from 13 to 20 spikes, "
        "comes at 0.65 of the range for the quantum neuron and at 0.52 for the classical one. Between two of the "
        "three species the border of the petals lies near 0.65.\n\nMultiply the input of the classical neuron by 0.8, and "
        "its step stands at 0.66, and the score rises to that of the qubit. A feature with a step at 0.65 and no "
        "neuron at all does as well."),
}

QUESTIONS = (
    Question("A paper reports that a quantum neuron clusters the iris better than a quantum kernel. Which three controls do "
             "you ask for?",
             "A classical neuron in the same pipeline, the pipeline without spikes, and the same rule of choice for every "
             "width, without labels. A fourth: other gains and other tables."),
    Question("A qubit is simulated here in one line, exactly. What would a quantum computer add?",
             "Nothing for this neuron: one qubit without entanglement is a point on a circle. A real one adds the noise of its "
             "shots, and needs thousands of runs a step to know its own membrane."),
    Question("Why is it wrong to tune a clustering by its labels, when everybody tunes classifiers by theirs?",
             "A classifier is judged on labels that it has not seen. A clustering is said to work where there are none; if "
             "labels chose its width, the score measures the choice."),
    Question("Twelve subsamples of the iris all favour one method. Is that a p-value of 1 in 4096?",
             "No. They share most of their flowers, so they agree because they are nearly the same data. They say how much the "
             "score depends on a few flowers, and nothing about other flowers."),
)
