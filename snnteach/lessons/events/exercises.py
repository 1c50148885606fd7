"""Exercises of notebook 19."""
import math

import torch

from ..kinds import Exercise, Guess, Misconception, Question
from . import answers

PAIR = torch.tensor([[0, 2, 2, 1], [10, 3, 3, 0], [10, 2, 2, 1], [15, 2, 2, 0], [40, 2, 3, 1], [41, 5, 0, 1]])

EXERCISES = [
    Exercise(
        id="19.1", difficulty="easy", minutes=4,
        question="A recording begins with an event at 1,250,300 microseconds, the origin. In which step of 5 ms does an event "
                 "at 1,289,900 microseconds lie?",
        reference=7,
        property="Count whole steps of 5000 microseconds from the origin; the first is step 0.",
        hints=("How many microseconds after the origin does it happen?", "39,600 / 5000 = 7.92. Which step is that in?"),
        misconceptions=(
            Misconception(8, "7.92 is still within step 7: a step is left when the next begins. Round down."),
            Misconception(7.92, "steps are whole: 7.92 lies in the one that began at 7."),
            Misconception(257, "you counted from the time 0 of the camera's clock. Step 0 begins at the origin."),
            Misconception(39, "those are milliseconds. A step has five of them."),
            Misconception(39.6, "those are milliseconds since the origin. A step has five of them."),
            Misconception(7920, "that is a thousand times too many: 5 ms are 5000 microseconds."),
            Misconception(250, "that is the step of the origin on the camera's own clock. Subtract the origin first."),
        ),
        solution="(1,289,900 - 1,250,300) / 5000 = 7.92, rounded down: step 7."),
    Exercise(
        id="19.2", difficulty="medium", minutes=8, tolerance=1e-12,
        question="Turn columns `x`, `y`, `seconds`, `sign` (lists; sign is -1 or 1) into int64 rows (t, x, y, p), t in whole "
                 "microseconds, p 0 or 1, sorted by t.",
        reference=answers.to_rows,
        cases=(answers.table(0), answers.table(1), answers.table(2, 30), ([3, 4], [4, 4], [0.000249, 0.000011], [-1, 1])),
        property="Row by row: a whole number of microseconds, the column, the row, and 0 or 1; times grow.",
        hints=("A row is [round(t * 1e6), column, row, int(p > 0)].",
               "Gather the rows in a list, sort them by their first number, and make one tensor of them at the end."),
        misconceptions=(
            Misconception(answers.cuts_off, "some times are a microsecond early: 0.000249 * 1e6 is 248.999..., and int cuts "
                                            "off. Use round."),
            Misconception(answers.single_precision, "float32 has seven digits: after an hour it steps by 256 microseconds. "
                                                    "Round in Python's float first, then make int64 of it."),
            Misconception(answers.keeps_the_sign, "polarity is 0 or 1 here, not -1 or 1: p > 0."),
            Misconception(answers.keeps_the_order, "the rows are right, and not sorted by time."),
            Misconception(answers.swaps, "x is the column and comes before y, the row."),
            Misconception(answers.as_a_list, "these are lists. Make one tensor of them at the end."),
            Misconception(answers.short, "int32 ends after 36 minutes of microseconds. Take int64."),
            Misconception(answers.keeps_their_columns, "the order of columns is t, x, y, p."),
        )),
    Exercise(
        id="19.3", difficulty="easy", minutes=4,
        question="The light of a pixel rises from 0.1 to 0.8. How many events does that make with dark = 0.15 and a threshold "
                 "of 0.25?",
        reference=5,
        property="How many whole thresholds fit into the change of the logarithm?",
        hints=("The level is log(light + dark), with the natural logarithm.", "log(0.95 / 0.25) = 1.335: how many times 0.25?"),
        misconceptions=(
            Misconception(8, "you left the dark out: log(0.8 / 0.1) = 2.08. It is log(0.95 / 0.25)."),
            Misconception(2, "the change of the *logarithm* counts, the natural one: log(0.95 / 0.25) = 1.335."),
            Misconception(6, "the sixth threshold is not reached: round down."),
            Misconception(5.34, "events are whole: how many thresholds are *crossed*?"),
            Misconception(1, "that is one crossing. The memory moves up by a threshold each time, and the light goes on "
                             "rising."),
            Misconception(2.32, "that is log10: take the natural logarithm."),
            Misconception(2.8, "that is 0.7 / 0.25: the change of the logarithm counts, not that of the light."),
            Misconception(3, "that is 0.95 / 0.25, a ratio. Take its logarithm, and count thresholds in that."),
        ),
        solution="log(0.95) - log(0.25) = 1.335; 1.335 / 0.25 = 5.34: 5 events."),
    Exercise(
        id="19.4", difficulty="medium", minutes=6, tolerance=2e-3,
        question="The logarithm of the light rises by 40 a second. The threshold is 0.2, and a pixel is blind for 2 ms after "
                 "each event. How many events a second does it send?",
        reference=40 / (0.2 + 40 * 0.002),
        property="From event to event: the time that a threshold takes, and then 2 ms.",
        hints=("A rise of 0.2 takes 0.2 / 40 s = 5 ms.", "5 ms and 2 ms from event to event: 1 / 0.007 s."),
        misconceptions=(
            Misconception(200, "that is without the blind time: 40 / 0.2."),
            Misconception(500, "that is the most that a pixel can send, one event each 2 ms. It also has to see a rise of "
                               "0.2."),
            Misconception(7, "that is the time from event to event, in ms. How many are there in a second?"),
            Misconception(0.007, "that is the time from event to event, in s. How many are there in a second?"),
            Misconception(1 / 7, "that is events a millisecond. How many are there in a second?"),
            Misconception(300, "the times add up, not the rates: 5 ms and 2 ms from event to event."),
            Misconception(333, "the blind time comes on top of the 5 ms, it is not taken off them."),
            Misconception(198, "close: blind for 2 ms means that the light rises by 40 * 0.002 unseen. Add that to the "
                               "threshold."),
        ),
        solution="Eq. 3: 40 / (0.2 + 40 * 0.002) = 142.9 a second."),
    Exercise(
        id="19.5", difficulty="easy", minutes=6,
        question="Play a recording, rows (t, x, y, p) sorted by t, backwards: what a camera before the reversed film would "
                 "send. Keep its first and its last time, and return rows sorted by t.",
        reference=answers.backwards,
        cases=((answers.apart(0),), (answers.apart(1, 7),), (torch.tensor([[100, 2, 0, 1], [150, 3, 0, 1], [400, 4, 0, 0]]),)),
        property="The first row lies where the last was, times grow from the same first to the same last, and what became "
                 "brighter now becomes darker.",
        hints=("What does an edge that makes a pixel brighter do in the reversed film?",
               "t becomes first + last - t, p becomes 1 - p, and events.flip(0) turns the list round."),
        misconceptions=(
            Misconception(answers.keeps_polarity, "times are right. But what became brighter becomes darker in a film that "
                                                  "runs backwards: turn the polarity, too."),
            Misconception(answers.flips_only, "you turned the list; times and polarity stayed. Times become first + last - t, "
                                              "and brighter becomes darker."),
            Misconception(answers.turns_the_list_only, "you turned the list, and every event kept its time: sorted again it is "
                                                       "the old recording. Times become first + last - t."),
            Misconception(answers.forgets_to_sort, "the events are right, and not sorted by time: turn the list round."),
            Misconception(answers.from_the_end, "your recording begins at 0. Keep the first time: first + last - t."),
            Misconception(answers.negative_times, "times below zero. Shift them so that the first time stays: first + last - "
                                                  "t."),
        )),
    Exercise(
        id="19.6", difficulty="easy", minutes=4, tolerance=2e-3,
        question="A reader names the right one of four axes in 76 % of the recordings, and has to toss a coin for which of the "
                 "two ways along it. In which share does it name the right one of eight directions?",
        reference=0.38,
        property="First the axis has to be right, and then the coin.",
        hints=("Both have to be right.", "0.76 times one half."),
        misconceptions=(
            Misconception(0.76, "that is the axis alone: the way along it still has to be right."),
            Misconception(0.125, "that is a guess of all eight. The axis is known in three of four recordings."),
            Misconception(0.095, "one in eight would be without knowing the axis: two ways are left, not eight."),
            Misconception(0.19, "two ways are left along an axis, not four."),
            Misconception(0.5, "that is the coin alone: the axis has to be right, too."),
            Misconception(0.88, "a wrong axis cannot give a right direction: multiply."),
        ),
        solution="0.76 * 0.5 = 0.38."),
    Exercise(
        id="19.7", difficulty="medium", minutes=14, build=True,
        question="Write the background activity filter: for rows (t, x, y, p) sorted by t return bool [K], True where one of "
                 "the eight neighbours of the pixel (not itself) has spoken at most `window_us` before, by an event further up "
                 "in the list, kept or not, of either polarity. size is (H, W).",
        reference=answers.near_in_time,
        cases=((answers.noisy(3), (6, 7), 20), (answers.noisy(4, 200), (6, 7), 5), (PAIR, (6, 7), 10),
               (answers.noisy(5, 40, (1, 9)), (1, 9), 30)),
        property="An event is kept if and only if another pixel, at most one column and one row away, spoke within the window "
                 "before it.",
        hints=("Keep the time of the last event of every pixel. For a new event look at its eight neighbours, then write its "
               "own time down.",
               "A frame of one pixel around the sensor saves all questions about its border: last[y + 1][x + 1].",
               "Lists of Python are faster here than tensors: events.tolist(), and torch.tensor(kept) at the end."),
        misconceptions=(
            Misconception(answers.itself_too, "a pixel that speaks twice supports itself: only its eight neighbours count."),
            Misconception(answers.four_neighbours, "neighbours across the corner count, too: eight, not four."),
            Misconception(answers.only_kept_ones, "you remember only what was kept, and so nothing is ever kept: the first "
                                                  "event of an edge has to support the second."),
            Misconception(answers.earlier_than_the_window, "an event exactly window_us before still counts: at most, not "
                                                           "less."),
            Misconception(answers.the_other_ones, "True is for what is kept; yours is True for what is dropped."),
            Misconception(answers.the_events, "return which events are kept, bool [K], not the events."),
            Misconception(answers.as_if_all_had_spoken, "your memories begin at the time 0, as if every pixel had spoken then: "
                                                        "what comes within the first window is kept. Begin long before."),
            Misconception(answers.own_polarity, "neighbours of either polarity count, not only of the event's own."),
            Misconception(answers.wraps_round, "the index -1 is the other side of the sensor: a border has no neighbours "
                                               "beyond it."),
            Misconception(answers.looks_ahead, "only what stands further up in the list supports an event, not what comes "
                                               "after it."),
            Misconception(answers.any_pixel, "you ask whether anything happened just before; it has to be next to the pixel."),
        )),
    Exercise(
        id="19.8", difficulty="easy", minutes=5, tolerance=2e-3,
        question="A camera sees nothing, and each pixel makes up 2 events a second. Which share of them passes a background "
                 "activity filter with a window of 10 ms?",
        reference=1 - math.exp(-0.16),
        property="One minus the probability that eight neighbours were silent for 10 ms.",
        hints=("Eight neighbours together speak 16 times a second.", "They are silent for 10 ms with the probability "
                                                                     "exp(-0.16)."),
        misconceptions=(
            Misconception(1 - math.exp(-0.18), "that is nine pixels: nobody supports itself, eight are left."),
            Misconception(0.16, "close: that is how many events the eight send within the window on average. Two of them "
                                "count once: 1 - exp(-0.16)."),
            Misconception(math.exp(-0.16), "that is the share that is dropped."),
            Misconception(1 - math.exp(-0.02), "that is one neighbour. There are eight."),
            Misconception(1 - math.exp(-0.08), "that is four neighbours. The corners count, too."),
        ),
        solution="Eq. 5: 1 - exp(-8 * 2 * 0.01) = 1 - exp(-0.16) = 0.148."),
    Exercise(
        id="19.9", difficulty="medium", minutes=6, tolerance=2e-3,
        question="A camera sees nothing, and each pixel makes up 5 events a second by chance. A refractory filter lets one "
                 "event of a pixel pass, and drops what that pixel says in the next 50 ms. Which share passes?",
        reference=0.8,
        property="From one event that passes to the next: 50 ms, and then as long as chance takes on average.",
        hints=("How long does it take on average from one event that passes to the next?",
               "50 ms, and then 200 ms until a pixel that makes up 5 events a second speaks: 4 a second are left of 5."),
        misconceptions=(
            Misconception(math.exp(-0.25), "close: that would be right if every event began a new 50 ms. One that is dropped "
                                           "begins nothing."),
            Misconception(0.75, "0.25 events fall into 50 ms on average: that many are dropped for each that passes."),
            Misconception(0.2, "that is the share that is dropped."),
            Misconception(4, "that is how many a second pass. Which share of 5?"),
            Misconception(0.25, "that is how many are dropped, on average, after each that passes."),
            Misconception(1 - math.exp(-0.25), "that is how often 50 ms hold at least one event. How long is it from one that "
                                               "passes to the next?"),
            Misconception(1 - math.exp(-2), "that is the other filter, which asks eight neighbours. This one asks the pixel "
                                            "itself."),
        ),
        solution="From one that passes to the next it takes 50 ms and then 1/5 s on average, 250 ms: 4 a second of 5, "
                 "1 / (1 + 5 * 0.05) = 0.8."),
]


def _quick(data):
    return data["duration"] < 150


GUESSES = {
    "19.a": Guess(
        "In the explorer below a digit makes a round trip of three quick moves before the camera, in 300 ms. The same trip in "
        "a *quarter* of the time: how many events does it make?",
        ("About four times as many: all changes are faster", "Just as many", "About a quarter: there is less time"),
        "Just as many",
        "A pixel does not count time. It counts how often the logarithm of its light has moved by a threshold, and that "
        "depends on the way alone.\n\nSo the events *per second* are four times as many. A real pixel is blind for a moment "
        "after each event, and then a quick way costs fewer events, not more; noise costs less in less time, too.",
        "events.camera", {"duration": 75}, _quick),
    "19.b": Guess(
        "A recording has run for an hour, its clock ticks in microseconds, and you keep the times in a tensor of PyTorch's "
        "default type, float32. How fine is the clock that you have kept?",
        ("256 microseconds", "16 microseconds", "1 microsecond: they are whole numbers"), "256 microseconds",
        "A float32 has 24 binary digits. An hour is 3.6 billion microseconds, between 2 to the 31 and 2 to the 32, so that "
        "neighbouring numbers lie 2 to the 8 apart.\n\nNothing warns you. The cure is int64, which is exact for 292,000 "
        "years."),
    "19.c": Guess(
        "A spiking network reads such recordings of digits, 15 time bins each. You put the bins of every recording into a "
        "random order of its own, train a new network on those, and test it on shuffled test recordings. What happens to its "
        "errors?",
        ("Nearly all answers are wrong: the film is destroyed", "Three to five times as many", "Fewer than twice as many"),
        "Fewer than twice as many",
        "What a digit *is* stands in where its edges are, and every step keeps that. The order adds a little: it "
        "tells in which saccade an edge was seen, and so which way the edge runs.\n\nA good score on such a set says little "
        "about whether a network can use the time of a spike."),
    "19.d": Guess(
        "A spiking network has learned to name eight directions of motion, and is right in about four of five new recordings. "
        "You play these with their steps in reverse order. In how many is its answer still the label?",
        ("Still four of five: the pictures are the same", "About 12.5 %: it is confused, and guesses", "Under 2 %"),
        "Under 2 %",
        "It is not confused at all. Backwards, what went right goes left, and that is what it says: in four of five recordings "
        "it names the opposite direction.\n\nA network that guessed would be right in one of eight. Far fewer than chance "
        "means that it has read the order in time, and the order is the other way round."),
}

QUESTIONS = (
    Question("A paper reports 99 % on N-MNIST with a spiking network. What would you ask for before you believe that it uses "
             "time?",
             "The same network on shuffled time bins, and a network without time on the summed counts. Where both come close, "
             "the set does not need time, and the score cannot show that the network uses it."),
    Question("Why do readers of summed counts hardly tell a direction from its opposite?",
             "Each wallpaper comes with its negative. A film backwards has the events of the film with the other polarity, and "
             "so has the negative: the sums of a picture that moves right are nearly those of its negative that moves left. "
             "Both are equally likely, so that next to nothing is left to learn."),
    Question("When is it right to throw events away?",
             "Where a filter costs fewer wanted than unwanted ones, and somebody has measured it: in a simulation, where one "
             "knows which is which, or by the score of what comes after. A refractory filter cost "
             "more signal than noise that is spread over all pixels, and less where the noise came from hot ones."),
    Question("What does this camera leave out that a real one has?",
             "A finite bandwidth that depends on the light, noise that depends on it too, a read-out bus that delays events "
             "when many come at once, hot pixels, and a world that is not a flat picture."),
)
