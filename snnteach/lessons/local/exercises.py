"""Exercises of notebook 17."""
import torch

from ..kinds import Exercise, Guess, Misconception, Question
from . import answers

EXERCISES = [
    Exercise(
        id="17.1", difficulty="easy", minutes=5,
        question="1000 weights learn by perturbation. How many probes does each update take so that its cosine with the "
                 "gradient "
                 "is at least 0.5?",
        reference=334,
        property="With so many probes Eq. 2 gives 0.5 or more, and with one less it does not.",
        hints=("Square Eq. 2 and solve for K: c^2 (N + K + 1) = K.", "K = c^2 (N + 1) / (1 - c^2) = 0.25 * 1001 / 0.75."),
        misconceptions=(
            Misconception(500, "half the probes is not half the cosine. Square the law and solve it for K."),
            Misconception(250, "c^2 N is no more than a first guess: K stands below the line, too."),
            Misconception(251, "c^2 (N + 1) is right only where K is small beside N: K stands below the line, too."),
            Misconception(333, "close: with 333 the cosine is 0.4997, just below."),
            Misconception(1001 / 3, "probes come whole, and you need 0.5 or more: round up."),
            Misconception(333.67, "that is where the cosine is 0.5. Probes come whole: round up."),
            Misconception(335, "one too many: solve the law for K, and round up."),
            Misconception(1000, "that is a cosine of 0.71."),
            Misconception(4, "the law has N in it: 4 probes of 1000 weights have a cosine of 0.06."),
            Misconception(1, "one probe of 1000 weights has a cosine of 0.03."),
        ),
        solution="c^2 (N + K + 1) = K, so K = 0.25 * 1001 / 0.75 = 333.67: 334 probes, each a forward pass."),
    Exercise(
        id="17.2", difficulty="medium", minutes=8, tolerance=1e-5,
        question="The currents into a layer were changed by `sigma * noise`. From the losses of each sample `before` and "
                 "`after` "
                 "[B], `noise` [B, H], `sigma` and the layer's input `x` [B, I], return the estimate of the gradient of the "
                 "mean "
                 "loss by the layer's weights, [H, I].",
        reference=answers.node_gradient,
        cases=((answers.draw(0, 5).abs(), answers.draw(1, 5).abs(), answers.draw(2, 5, 4), 0.3, answers.draw(3, 5, 6)),
               (answers.draw(4, 3).abs(), answers.draw(5, 3).abs(), answers.draw(6, 3, 2), 0.01, answers.draw(7, 3, 4))),
        property="Each sample multiplies its own noise by its own slope, and its own input; then comes the mean.",
        hints=("slope = (after - before) / sigma, one number a sample. It multiplies that sample's noise.",
               "(slope[:, None] * noise) is [B, H]; its transpose times x, [B, I], divided by B."),
        misconceptions=(
            Misconception(answers.wrong_way, "the sign is turned: noise that raises the loss points up the gradient."),
            Misconception(answers.sigma_forgotten, "that is by how much the loss changed. Its slope is that over sigma."),
            Misconception(answers.sigma_squared, "sigma divides once: the noise that you are given has not been multiplied by "
                                                 "it."),
            Misconception(answers.summed, "that is the gradient of the summed loss. Divide by the number of samples."),
            Misconception(answers.one_loss_for_all, "every sample has a loss of its own, and should judge its own noise by it. "
                                                    "One number for the whole batch tells far less."),
            Misconception(answers.without_noise, "large noise moved the loss more than small noise did: its size counts too."),
        )),
    Exercise(
        id="17.3", difficulty="easy", minutes=4,
        question="A network has 784 inputs, three hidden layers of 100 neurons, and 10 outputs. How many fixed random "
                 "numbers does "
                 "feedback alignment need? (Direct feedback needs 3000.)",
        reference=21000,
        property="Each matrix above the first has a fixed random partner of its own shape.",
        hints=("Which forward matrices does backpropagation use backwards? The first is not among them.",
               "100 * 100 twice, and 10 * 100 for the read-out."),
        scales={"hidden layers": 3},
        misconceptions=(
            Misconception(3000, "that is direct feedback, 10 x 100 for each hidden layer."),
            Misconception(99400, "nothing has to be told to the inputs: the first matrix needs no partner."),
            Misconception(20000, "the read-out's matrix needs a partner, too."),
            Misconception(31000, "three hidden layers have two matrices between them."),
            Misconception(30000, "three hidden layers have two matrices between them, and the read-out has its own."),
            Misconception(11000, "three hidden layers have two matrices between them: 100 x 100 twice."),
            Misconception(101000, "count the numbers of the matrices, not the products over ten steps."),
            Misconception(22000, "10 x 100 stands in it once."),
            Misconception(1000, "that is the partner of the read-out. The matrices between hidden layers need theirs."),
        ),
        solution="A partner for each matrix above the first: 2 * 100 * 100 + 10 * 100 = 21,000."),
    Exercise(
        id="17.4", difficulty="medium", minutes=7, tolerance=1e-5,
        question="Feedback has moved the rates of each sample by `-errors @ feedback` (errors [B, O], feedback [O, H]). The "
                 "read-out changes by -errors^T r. What does the move of the rates add to its change? Return [O, H].",
        reference=answers.pulled,
        cases=((answers.draw(8, 5, 3), answers.draw(9, 3, 4)), (answers.draw(10, 2, 4) / 2, answers.draw(11, 4, 7))),
        property="The sum of products of what you return with feedback is never negative.",
        hints=("Put -errors @ feedback in the place of r.", "-errors.T @ (-errors @ feedback): two minus signs."),
        misconceptions=(
            Misconception(answers.pushed, "two minus signs make a plus: the rates go down where the error is positive, and "
                                          "so does "
                                          "the weight that reads them."),
            Misconception(answers.feedback_alone, "the errors decide how much of each row of feedback is added."),
            Misconception(answers.mean_error, "each sample multiplies its own error with its own move. Do not add the errors "
                                              "up "
                                              "first."),
            Misconception(answers.averaged, "the errors hold the 1 / B already: the product is summed over the samples."),
            Misconception(answers.moved_rates, "that is the move of the rates. What does it do to the read-out?"),
        )),
    Exercise(
        id="17.5", difficulty="easy", minutes=5, tolerance=1e-6,
        question="Write the signal of target projection, -B^T onehot(target) / (B T): `target` is [B], `feedback` [O, H]. "
                 "Return "
                 "[B, H], which holds at every step.",
        reference=answers.projected_signal,
        cases=((torch.tensor([0, 2, 1, 1]), answers.draw(12, 3, 5), 10), (torch.tensor([3]), answers.draw(13, 4, 2), 25)),
        property="No vote enters: two networks with different read-outs tell their hidden layers the same.",
        hints=("one_hot(target, len(feedback)) is [B, O] of whole numbers; .to(feedback.dtype) before the product.",
               "-wanted @ feedback / (len(target) * num_steps)"),
        misconceptions=(
            Misconception(answers.away_from_it, "a learning step subtracts: without the minus the neurons that should speak "
                                                "for "
                                                "the class are silenced."),
            Misconception(answers.batch_forgotten, "divide by the number of samples: the loss is a mean."),
            Misconception(answers.steps_forgotten, "divide by the number of steps: a rate is a mean over them."),
            Misconception(answers.both_forgotten, "the loss is a mean over samples, the rate one over steps: divide by both."),
            Misconception(answers.against_the_others, "you subtract what a network without an opinion would answer. Here the "
                                                      "target goes alone."),
            Misconception(answers.signs_of_all, "here the other classes get nothing: only the row of the right class is sent."),
        )),
    Exercise(
        id="17.6", difficulty="hard", minutes=15, build=True, tolerance=1e-5,
        question="Write one layer that learns at its own loss. Its spikes go through the fixed random `readout` [O, H]; the "
                 "cross-entropy of these votes (mean over the batch) is the loss of this layer. `x` is [T, B, I], `weight` "
                 "[H, I], "
                 "`target` [B]. Return `(change, spk)`: the gradient of that loss by weight, [H, I], and the spikes [T, B, H].",
        reference=answers.local_change,
        cases=((answers.spikes(14, 12, 5, 8), answers.draw(15, 6, 8), answers.draw(16, 3, 6), torch.tensor([0, 2, 1, 1, 0]),
                0.9),
               (answers.draw(17, 7, 2, 5), answers.draw(18, 4, 5), answers.draw(19, 4, 4), torch.tensor([3, 1]), 0.7)),
        property="change is a sum over steps of three factors: the signal, h at the membrane less 1, and the trace of the "
                 "input.",
        hints=("Run lif(x @ weight.T, beta), and let spk.mean(0) @ readout.T vote.",
               "The error is (softmax(votes) - onehot(target)) / B, the signal error @ readout / T, the same at every step.",
               "Walk through the steps: trace = beta * trace + x[t]; change += (signal * atan()(mem[t] - 1)).T @ trace."),
        misconceptions=(
            Misconception(answers.uphill, "your error is target less answer. A learning step subtracts the change: answer less "
                                          "target."),
            Misconception(answers.batch_left_out, "the loss is a mean over the batch: divide the error by B."),
            Misconception(answers.steps_left_out, "a rate is a mean over the steps: divide the signal by T."),
            Misconception(answers.no_slope, "two factors are not enough: multiply by h at the membrane less the threshold."),
            Misconception(answers.spikes_for_slope, "you let only neurons that fired learn. Take h of the membrane less the "
                                                    "threshold, which is large near it, on either side."),
            Misconception(answers.no_trace, "the membrane remembers earlier inputs, and so must the synapse: keep a trace that "
                                            "decays by beta."),
            Misconception(answers.counts_read, "your votes read counts. Take the mean over the steps."),
            Misconception(answers.membranes_read, "your votes read membranes. Let the spikes vote."),
            Misconception(answers.threshold_at_zero, "h has its top at the threshold: take it of the membrane less 1."),
            Misconception(answers.softmax_left_out, "your error is votes less target. Cross-entropy has softmax(votes) less "
                                                    "target."),
            Misconception(answers.last_step_only, "that is what the last step adds. Sum over all steps."),
            Misconception(answers.spikes_first, "the change comes first, then the spikes."),
        )),
    Exercise(
        id="17.7", difficulty="medium", minutes=7, tolerance=1e-5,
        question="Write dL/dG for Eq. 8: `goodness` [B], `right` bool [B]. Return [B].",
        reference=answers.goodness_slope,
        cases=((answers.draw(20, 6).abs() / 5, torch.tensor([True, False, True, False, False, True]), 0.1, 20.0),
               (torch.tensor([0.1, 0.1]), torch.tensor([True, False]), 0.1, 3.0)),
        property="Negative for right samples, which should get louder, positive for wrong ones, and largest where the layer is "
                 "most mistaken.",
        hints=("The slope of softplus(z) is sigmoid(z), that of softplus(-z) is -sigmoid(-z) = sigmoid(z) - 1.",
               "By the chain rule dz/dG = sharpness, and the mean divides by B."),
        misconceptions=(
            Misconception(answers.never_quiet, "wrong pairs should make the layer quiet: their slope is positive."),
            Misconception(answers.turned_round, "right and wrong are exchanged: the layer gets loud for wrong pairs."),
            Misconception(answers.sharpness_forgotten, "that is the slope by z. By G it is sharpness times that."),
            Misconception(answers.whole_batch, "the loss is a mean: divide by the number of samples."),
            Misconception(answers.the_loss_itself, "that is the loss. What is its slope?"),
            Misconception(answers.sign_lost, "right pairs should get louder: a learning step subtracts, so their slope is "
                                             "negative."),
        )),
]


def _turned(data):
    return data["epoch"] >= 2 and data["rule"] == "feedback alignment"


def _probed(data):
    return data["unknowns"] == 1000 and data["probes"] >= 80


GUESSES = {
    "17.a": Guess(
        "You send the error back through a fixed *random* matrix in place of the transposed weights. At first the update "
        "stands at "
        "a right angle to the gradient: it knows nothing. Where is it after five epochs?",
        ("Still at a right angle: a random matrix cannot know the way", "Below 60 degrees: they approach each other",
         "Beyond 90 degrees: it leads uphill, and learning fails"), "Below 60 degrees: they approach each other",
        "With one hidden layer, in all three seeds. The random matrix never moves. The *forward* read-out does: it turns "
        "until it "
        "agrees with the feedback.\n\nSection 2 takes the cause apart: hold the hidden layer, and nothing turns; "
        "shuffle the labels, and nothing turns.",
        "local.turn", {"rule": "feedback alignment", "depth": 1, "epoch": 5}, _turned),
    "17.b": Guess(
        "1000 weights. You try 100 random changes, each of all weights at once, and average what they tell. At what angle to "
        "the "
        "gradient is the result?",
        ("About 20 degrees", "About 70 degrees", "About 89 degrees"), "About 70 degrees",
        "The law of this section says $\\sqrt{100/1101} = 0.30$, an angle of 72 degrees.\n\nThat is poor, and better than many "
        "expect: a tenth as many trials as unknowns give three tenths of the cosine, for it grows with the *root* of the "
        "trials.",
        "local.probes", {"unknowns": 1000, "probes": 100}, _probed),
    "17.c": Guess(
        "Which reads more of the 10,000 digits after forty epochs: 100 hidden neurons that learn by direct feedback, or 1000 "
        "that "
        "never learn, as they were drawn, with only their read-out trained?",
        ("The 100 that learn", "The 1000 that do not", "Both the same, within a point"), "Both the same, within a point",
        "In all three seeds. Random features are cheap, and ten times as many of them do what learning does here.\n\nThe 100 "
        "learn "
        "79,400 weights, the 1000 only 10,000, those of their read-out. Against a frozen layer of its *own* width direct "
        "feedback "
        "wins by eight points and more. Both comparisons are fair, and a paper that shows one control should say which."),
}

QUESTIONS = (
    Question("Does a brain need to follow the gradient?",
             "It needs changes that help more often than not: any update at less than 90 degrees lowers the loss for small "
             "steps. "
             "That leaves room for many rules, and is why agreement with backpropagation is a bad test of a rule and a worse "
             "one "
             "of a brain."),
    Question("Someone reports that a local rule reaches 98 % on MNIST. What do you ask first?",
             "What a frozen hidden layer of that width reaches under the same read-out, trained until it no longer improves, "
             "and "
             "what a wider one does; whether anything was chosen on the test set; and how deep the network is."),
    Question("Weight transport is solved by feedback alignment. What is not?",
             "The error still has to exist, in one place, for every class; it has to reach all layers before the activity "
             "that it "
             "judges is over; a separate phase sends it. And with depth the chain of random matrices stops working."),
)
