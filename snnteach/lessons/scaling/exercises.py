"""Exercises of notebook 23."""
import torch

from ..kinds import Exercise, Guess, Misconception, Question
from . import answers
from .relay import Disk

COUNTS = torch.tensor([3.0, 5.0, 2.0])

EXERCISES = [
    Exercise(
        id="23.1", difficulty="easy", minutes=5,
        question="The network has 79,510 parameters, four bytes each. Four workers add up their gradients in a ring. How many "
                 "bytes does each of them send in a step?",
        reference=477060,
        property="Each number leaves a worker nearly twice, however many workers there are.",
        hints=("See Eq. 3: 2 (N - 1) / N of the numbers.", "1.5 x 79,510 numbers, four bytes each."),
        scales={"bytes of a number": 4},
        misconceptions=(
            Misconception(318040, "that is what the gradient weighs. A ring sends most of it twice: as sums, and as results."),
            Misconception(636080, "twice the gradient is the limit for many workers. With four it is 2 x 3/4 of it."),
            Misconception(238530, "that is one way round, 3/4 of the gradient. The finished sums have to come back, too."),
            Misconception(954120, "that is sending the whole gradient to each of three others. The ring is cheaper."),
            Misconception(1908240, "that is what all four send together."),
            Misconception(556570, "that is for eight workers."),
            Misconception(119265, "that is how many numbers it sends. Each of them has four bytes."),
        ),
        solution="2 (N - 1) / N = 1.5 of 79,510 numbers, 4 bytes each: 1.5 * 79,510 * 4 = 477,060 bytes."),
    Exercise(
        id="23.2", difficulty="easy", minutes=5, tolerance=1e-5,
        question="Workers have shares of different sizes. From their gradients `gradients` [N, P], each of the mean loss of "
                 "its "
                 "own samples, and `sizes`, a tuple of N numbers of samples, return the gradient of the mean loss of all, [P].",
        reference=answers.combined,
        cases=((answers.draw(0, 3, 4), (5, 2, 1)), (answers.draw(1, 2, 3), (7, 3))),
        property="A worker with twice as many samples counts twice as much, and equal sizes give the plain mean.",
        hints=("Undo each worker's mean: its size times its gradient is the sum over its samples.",
               "Add these sums up, and divide by the number of all samples."),
        misconceptions=(
            Misconception(answers.mean_of_means, "that is the mean of means: a sample of a small share counts more than one of "
                                                 "a large share."),
            Misconception(answers.sum_of_all, "the workers' gradients are means. What does each of them stand for?"),
            Misconception(answers.weighted_sum, "that is the gradient of the summed loss. Divide by the number of all "
                                                "samples."),
            Misconception(answers.by_workers, "divide by the number of all samples, not of the workers."),
            Misconception(answers.turned, "a large share counts more, not less."),
        )),
    Exercise(
        id="23.3", difficulty="medium", minutes=7, tolerance=1e-5,
        question="Workers know the mean and the variance (divided by the count) of their own currents: `counts` [N], `means` "
                 "[N, C], `variances` [N, C]. Return `(mean, variance)` of all currents together, [C] each.",
        reference=answers.pooled,
        cases=((COUNTS, answers.draw(2, 3, 4), answers.draw(3, 3, 4).abs()),
               (torch.tensor([1.0, 9.0]), answers.draw(4, 2, 2), answers.draw(6, 2, 2).abs())),
        property="Shares whose means lie apart make the variance of all larger than each of theirs can explain.",
        hints=("The mean is weighted by the counts, as in 23.2.",
               "A number's square distance from the mean of all is its share's variance plus the square of (m_k - mean), on "
               "average."),
        misconceptions=(
            Misconception(answers.within_only, "if two shares lie far apart, all of it varies, even where each share does "
                                               "not."),
            Misconception(answers.between_only, "that is how far the means lie apart. Each share varies inside, too."),
            Misconception(answers.unweighted, "shares with more numbers count more."),
            Misconception(answers.not_squared, "variances are squares: add the squares of the distances."),
            Misconception(answers.deviation, "that is the standard deviation."),
        )),
    Exercise(
        id="23.4", difficulty="easy", minutes=5, tolerance=2e-3,
        question="Each of eight workers shuffles the same samples by a seed of its own and reads its eighth of its own order. "
                 "Which share of the samples is read by nobody in this epoch?",
        reference=0.875**8,
        property="A sample is missed by one worker with a chance of 7/8, and the eight shuffle independently.",
        hints=("What is the chance that a given sample is not in one worker's eighth?", "0.875 for one worker; for eight?"),
        misconceptions=(
            Misconception(0.0, "together they read as many samples as there are, and some of them twice."),
            Misconception(0.125, "that is what one worker reads. What is the chance that all eight miss a sample?"),
            Misconception(0.875, "that is what one worker misses."),
            Misconception(0.125**8, "that is the chance that all eight read a sample."),
            Misconception(1 - 0.875**8, "that is the share that somebody reads."),
            Misconception(0.75**4, "that is for four workers."),
            Misconception(0.3679, "that is 1/e, the limit for many workers. Here there are eight."),
        ),
        solution="Each worker misses a given sample with a chance of 7/8: 0.875^8 = 0.344, a third of the data."),
    Exercise(
        id="23.5", difficulty="easy", minutes=4, tolerance=2e-3,
        question="On two workers a step takes 8 ms of computing and 2 ms of exchanging gradients. The input changes at every "
                 "step, and you go from T = 10 to T = 40. What share of a step is exchanging then?",
        reference=2 / 34,
        property="Four times as many steps in time are four times the work, and the message is the same.",
        hints=("Which of the two parts grows with T?", "32 ms of computing, 2 ms of exchanging."),
        misconceptions=(
            Misconception(0.2, "that is the share now. The work grows with T."),
            Misconception(0.5, "the gradient is summed over time before it is sent: one message, whatever T is."),
            Misconception(2 / 32, "that is exchanging as part of computing. As a share of the step it is 2 of 34."),
            Misconception(0.05, "close: but the message's own time belongs to the step as well, 2 of 34."),
            Misconception(8 / 10, "that is the share of computing now."),
            Misconception(32 / 34, "that is the share of computing."),
        ),
        solution="Computing grows to 32 ms, the message stays: 2 / 34 = 0.059."),
    Exercise(
        id="23.6", difficulty="hard", minutes=15, build=True, tolerance=1e-6,
        question="Write a training that survives. For each `stop` in `stops`: a new process starts (`run = make_run()` makes "
                 "net, "
                 "optimiser, schedule and generator, all fresh), takes what `disk.read()` has (None at first), trains until "
                 "`len(losses) == stop`, and leaves a dict by `disk.write`. Return the losses of all steps. The entries of the "
                 "dict are net, optimiser, schedule, generator, order, place, losses. An epoch goes through "
                 "`torch.randperm(loss.samples, generator=run.generator)` in batches of `loss.batch_size`; the loss of a batch "
                 "is "
                 "`loss(run.net, batch, run.generator)`; after each step of the optimiser comes one of the schedule.",
        reference=answers.survive,
        cases=((answers.small_run, answers.SmallLoss(), (4, 9), Disk()), (answers.small_run, answers.SmallLoss(), (5,), Disk()),
               (answers.small_run, answers.SmallLoss(), (2, 5, 11), Disk())),
        property="However often it dies, the losses are those of one process that never stopped.",
        hints=("First write the loop for one process: a new order where the epoch is over, then zero_grad, loss, backward, two "
               "steps.",
               "state_dict() and load_state_dict() for net, optimiser and schedule; get_state() and set_state() for the "
               "generator.",
               "The epoch goes on where it was: keep the order and how many of its samples are done."),
        misconceptions=(
            Misconception(answers.weights_only, "the weights come back, and nothing else does: optimiser, schedule, random "
                                                "numbers and the place in the epoch are lost."),
            Misconception(answers.fresh_optimiser, "the optimiser has forgotten its moments: the second loss after the start "
                                                   "is "
                                                   "another."),
            Misconception(answers.fresh_schedule, "the schedule begins again: the rate is that of the first steps."),
            Misconception(answers.fresh_generator, "the generator begins again: the same spikes and orders come a second "
                                                   "time."),
            Misconception(answers.new_epoch, "a new epoch begins where the old one was not over: keep order and place."),
            Misconception(answers.starts_again, "nothing comes back: read the disk, and put back what it holds."),
            Misconception(answers.schedule_stands, "the schedule stands still: it takes a step after each of the optimiser's."),
            Misconception(answers.last_leg_only, "return the losses since the very first step: they belong to what is saved."),
        )),
    Exercise(
        id="23.7", difficulty="easy", minutes=3,
        question="A machine has 16,000 MB, of which the system takes 1500. A reader's server takes 100 MB, and the hungriest "
                 "kernel of this course 808 at its peak. How many readers fit, if all may be at that peak at once?",
        reference=15,
        property="All of them fit at once, and one more would not.",
        hints=("What does one reader take?", "14,500 / 908, rounded down."),
        misconceptions=(
            Misconception(16, "one too many: the last one's kernel would be killed. Round down, and leave the system its "
                              "part."),
            Misconception(17, "the system needs its part, and a reader has a server as well as a kernel."),
            Misconception(14500 / 908, "readers come whole: round down."),
            Misconception(15.97, "that is the quotient. Readers come whole: round down."),
            Misconception(16000 / 908, "the system needs its part, and readers come whole: round down."),
            Misconception(18, "leave the system its part, and count a server with each kernel."),
            Misconception(19, "the server, too, is there for each of them."),
            Misconception(145, "that is servers without kernels."),
        ),
        solution="(16,000 - 1500) / (100 + 808) = 15.97: 15 readers."),
]


def _longer(data):
    return data["num_steps"] >= 20


def _crowded(data):
    return data["readers"] >= 25


GUESSES = {
    "23.a": Guess(
        "A spiking network and an ordinary one have the same weights, layer by layer, and the same batch. You train each of "
        "them on eight machines. Which one gains more from them? (The input of the spiking one changes at every time step.)",
        ("The ordinary one: it has less to compute", "The spiking one", "Neither: equal weights, equal messages"),
        "The spiking one",
        "The time steps multiply the work of a step, and not the message: the gradient is summed over time before it is sent."
        "\n\nEight workers divide the work by eight and send the same message, so the more there is to divide, the more it "
        "pays. That is not speed: on one machine the spiking network is slower by all its steps. And where the "
        "input stays constant over time, its first and largest product is made once, and most of the gain is gone.",
        "scaling.share", {"num_steps": 40, "workers": 8}, _longer),
    "23.b": Guess(
        "The hidden layer gets a batch norm over time, and everything else stays: two workers, equal shares, averaged "
        "gradients. Are the losses those of one process?",
        ("Yes, to rounding: the gradients are averaged", "At first yes, and then they drift apart",
         "No, the first loss is already another"), "No, the first loss is already another",
        "Each worker normalises by the mean and the variance of its own samples. So the network *itself* is another one, "
        "before "
        "any gradient exists.\n\nThe mean of two shares' means is the mean of all. The mean of two shares' variances is not "
        "the "
        "variance of all, and so the averages must be exchanged before they are used."),
    "23.c": Guess(
        "Four workers, each with images of its own, code them in random spikes. All four draw from the *same* seed. "
        "How much more does the averaged gradient scatter (its variance) than with a seed for each?",
        ("Four times as much: it is one noise, not four", "Hardly more", "Twice as much"), "Hardly more",
        "The coins are the same, and they fall on other pixels of other images: what they do to the gradients has nothing "
        "in common.\n\nThat holds for noise of which every *sample* gets its own, and not for noise that all samples of a "
        "worker "
        "share, as the figure below shows."),
    "23.d": Guess(
        "A training is killed and resumed. Everything comes back but the memory of the optimiser: Adam's two moments "
        "start at zero. Which is the first loss that differs from those of a training that never stopped?",
        ("The second one after the start", "The first one after the start", "None: moments build up again in a few steps"),
        "The second one after the start",
        "The first loss comes from weights, data and noise, which are all right. Then the optimiser takes a step with the "
        "wrong "
        "moments, and from there on every weight is another.\n\nIt goes unseen: training goes on, losses fall. Only "
        "the comparison with the uninterrupted run tells."),
    "23.e": Guess(
        "Thirty readers share a machine of two cores. Each of them reads for a minute, runs a cell that computes for two "
        "seconds, reads on. How long do they wait for a result, on average?",
        ("About 30 seconds: fifteen readers for each core", "About 8 seconds", "Less than 3 seconds"), "Less than 3 seconds",
        "A reader computes for two seconds in a minute. Thirty of them keep the two cores busy for half of the time, and most "
        "find one free.\n\nThat is true as long as they read at their own pace.",
        "scaling.class", {"readers": 30}, _crowded),
}

QUESTIONS = (
    Question("Your training on eight machines has other losses than on one. How do you find out whether that is a mistake?",
             "In float64, with noise that belongs to the samples and no batch statistics, the losses agree to rounding. Put "
             "things back one by one. What appears with the norm, with unequal last batches or with the order of the samples "
             "is explained; what appears without them is a mistake."),
    Question("Somebody says that a larger batch trains worse. What do you ask?",
             "Worse after as many epochs, or after as many steps, and at which rate. Here the loss was one of steps: with as "
             "many "
             "steps the large batch is as good, and with a rate that grew with it nearly so."),
    Question("A class of sixty is to press Run All at the same moment. What do you do?",
             "Not size the machine for it, but the lesson: the wait is everybody's work over the cores. Stagger the start, "
             "send "
             "the notebooks executed, or let them run one section at a time."),
)
