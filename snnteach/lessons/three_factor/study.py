"""The long runs of notebook 15: what each factor is worth, how long a tag should last, and a floor to be learned.

All accuracies are those on the 287 digits held out (98 of four classes); the test images were never used. Learning rates
were chosen there too: softmax and rate errors among 1e-3, 3e-3 and 1e-2 (the rate error: .93, .95 and
.31), errors of size 1 among 3e-4, 1e-3 and 3e-3, those without a surrogate from 1e-4 to 1e-2, the late judge from .03 to 1.
"""
from functools import cache, partial

import torch
from torch.nn.functional import cosine_similarity, cross_entropy, one_hot

from ... import bptt
from ...data import digits, flat, validation_split
from ...neurons import lif
from ...surrogate import atan, escape_noise
from ...three_factor import act, error_events, start_actor, three_factor, trace
from ..kinds import COSINE, SHARE, Quantity
from .answers import reward_update
from .films import COMPASS, walk
from .policy import guess_by_softmax

SEEDS = (0, 1, 2)
TOLERANCE = 0.05
STEPS = 20
QUANTITIES = {"maze*": Quantity(0, 50), "knowledge*": COSINE, "*": SHARE}


@cache
def _data():
    images = digits()                                                              # the test images stay unused here
    return validation_split(flat(images.train_images), images.train_labels)


# One layer reads digits: which part of the error does it need?

def softmax_error(spk, y, generator):
    """What the counts so far say too much, as a softmax, [T, B, 10]."""
    return spk.cumsum(0).softmax(2) - y


def rate_error(spk, y, generator):
    """What the rates so far say too much: the right neuron should fire at each step, the others never, [T, B, 10]."""
    return spk.cumsum(0) / torch.arange(1, len(spk) + 1)[:, None, None] - y


def large_only(error, trigger=0.4):
    """Send of an error only what exceeds the trigger, and of that the sign."""
    return lambda *run: error_events(error(*run), trigger)


def too_little_only(spk, y, generator):
    """Send only the large errors of neurons that fire too little."""
    return large_only(rate_error)(spk, y, generator).clamp(max=0)


def by_lot(spk, y, generator):
    """Drop errors by lot, whatever their size, and send of the others the sign."""
    error = rate_error(spk, y, generator)
    return error.sign() * (torch.rand(error.shape, generator=generator) < 0.6)


def of_another(spk, y, generator):
    """Send each image the error of another one."""
    return softmax_error(spk, y, generator)[:, torch.randperm(y.shape[0], generator=generator)]


def at_the_end(spk, y, generator):
    """Judge the last step only."""
    error = softmax_error(spk, y, generator)
    return torch.cat([torch.zeros_like(error[1:]), error[-1:]])


def learn(judge, seed, epochs=8, rate=3e-3, beta=0.9, surrogate=atan(), seen=STEPS):
    """Train one layer and read the held-out digits; the image is there for the first `seen` steps only."""
    (inputs, labels, held_out, answers), generator = _data(), torch.Generator().manual_seed(seed)
    weight, sent = 0.06 + 0.05 * torch.randn(10, 64, generator=generator), []
    for _ in range(epochs):
        for rows in torch.randperm(len(inputs), generator=generator).split(50):
            x = torch.bernoulli(inputs[rows].expand(STEPS, -1, -1), generator=generator)
            x[seen:] = 0
            weight.requires_grad_(judge is None)
            spk, mem = lif(x @ weight.T, 0.9)
            if judge is None:                                                      # BPTT, by autograd
                (step,) = torch.autograd.grad(cross_entropy(spk.sum(0), labels[rows]), weight)
            else:
                error = judge(spk, one_hot(labels[rows], 10), generator)
                sent.append((error != 0).float().mean().item())
                step = three_factor(x, mem, error, beta, surrogate=surrogate) / len(rows)
            weight = weight.detach() - rate * step
    x = torch.bernoulli(held_out.expand(STEPS, -1, -1), generator=generator)
    right = lif(x @ weight.T, 0.9)[0].sum(0).argmax(1) == answers
    return {"accuracy": right.float().mean().item(), "sent": sum(sent) / max(1, len(sent))}


def reads(judge, **options):
    """A row: what `learn` reaches."""
    return lambda seed: learn(judge, seed, **options)


def linear(seed):
    """Control: softmax regression on the pixels, which no seed moves."""
    inputs, labels, held_out, answers = _data()
    weight = torch.zeros(10, 64)
    for _ in range(1000):
        wrong = (inputs @ weight.T).softmax(1) - one_hot(labels, 10)
        weight -= 0.5 * wrong.T @ inputs / len(inputs)
    return {"accuracy": ((held_out @ weight.T).argmax(1) == answers).float().mean().item()}


# Four digits, and only "right" or "wrong", ten steps later

def try_out(x, weight, generator, beta=0.8, slope=2.0):
    """Run noisy neurons, [T, B, I] -> membranes and spikes [T, B, H]."""
    mem = spk = torch.zeros(x.shape[1], len(weight))
    run = []
    for x_t in x:
        mem = beta * mem + x_t @ weight.T - spk
        spk = escape_noise(mem - 1, slope, generator)
        run.append((mem, spk))
    return map(torch.stack, zip(*run, strict=True))


def guess_digits(update, seed, epochs=20, others=False):
    """Four noisy neurons look at a digit, 0 to 3, for ten steps; the busiest is the guess. Ten steps later: right or wrong.

    Returns the fraction of held-out digits read by the busiest neuron, and that of right guesses in each epoch.
    """
    generator, parts = torch.Generator().manual_seed(seed), _data()
    inputs, labels, held_out, answers = (part[of < 4] for part, of in zip(parts, (*parts[1:2] * 2, *parts[3:] * 2)))
    weight, expected, curve = 0.04 + 0.01 * torch.randn(4, 64, generator=generator), torch.tensor(0.25), []
    for _ in range(epochs):
        hits = []
        for rows in torch.randperm(len(inputs), generator=generator).split(10):
            x = torch.bernoulli(inputs[rows].expand(20, -1, -1), generator=generator)
            x[10:] = 0                                                             # the digit is gone
            mem, spk = try_out(x, weight, generator)
            choice = (spk[:10].sum(0) + 0.1 * torch.rand(len(rows), 4, generator=generator)).argmax(1)
            hits.append((choice == labels[rows]).float())
            told = hits[-1].roll(1) if others else hits[-1]
            change, expected = update(x, mem, spk, told, expected, 0.8, 0.95, 2.0, 0.005)
            weight = weight + change
        curve.append(torch.cat(hits).mean().item())
    _, spk = try_out(torch.bernoulli(held_out.expand(10, -1, -1), generator=generator), weight, generator)
    return (spk.sum(0).argmax(1) == answers).float().mean().item(), curve


def guessed(**options):
    """A row: digits read from reward alone."""
    return lambda seed: guess_digits(reward_update, seed, **options)[0]


def without_spikes(seed):
    """A row, a control: a softmax policy on the same pixels, paid at once; digits read, and right guesses by round."""
    read, curve = guess_by_softmax(_data(), seed)
    return {"accuracy": read, **{f"round {number}": right for number, right in enumerate(curve, 1)}}


# A bandit that pays late

MEMORIES, DELAYS = (2, 5, 10, 20, 40, 80, 160), (0, 10, 20, 40)


def bandit(memory, delay, trials=600, rate=5e-3, step=act, baseline=1.0, others=False, seed=0):
    """Learners side by side, one for each memory of the tag [n] and delay of the reward [n]; hits [trials, n]."""
    generator, n = torch.Generator().manual_seed(seed), len(memory)
    decay, who = torch.exp(-1 / memory)[:, None, None], torch.arange(n)
    weight = 0.2 + 0.02 * torch.randn(n, 4, 40, generator=generator)               # [n, neurons, inputs]
    state, expected, hits = start_actor(weight), torch.zeros(n), torch.zeros(trials, n)
    for trial in range(trials):
        cue, counts = torch.randint(4, (n,), generator=generator), torch.zeros(n, 4)
        for t in range(20):                                                        # 10 steps of cue, 10 of silence
            rates = 0.3 * (t < 10) * one_hot(cue, 4).repeat_interleave(10, 1)
            x = torch.bernoulli(rates, generator=generator)
            state = step(x, weight, state, 0.8, decay, slope=2.0, generator=generator)
            counts += state.spk * (t < 10)
            if t == 9:
                choice = (counts + 0.1 * torch.rand(n, 4, generator=generator)).argmax(1)
                hits[trial] = (choice == cue).float()
            since = 20 * trial + t - 9 - delay                                     # [n]; 0 when the first is due
            due = (since >= 0) & (since % 20 == 0)
            if due.any():
                reward = hits[since.clamp(min=0) // 20, who]
                surprise = due * (torch.where(torch.as_tensor(others), reward.roll(1), reward) - expected)
                weight = weight + (rate * surprise)[:, None, None] * state.eligibility
                expected = expected + 0.02 * baseline * surprise                   # the baseline: a slow mean
    return hits


def late(seed, equal=False, learners=16):
    """A row: right choices in the last 100 of 600 trials. `equal` lets the same weight of tag be left after every wait."""
    memory, delay = torch.cartesian_prod(torch.tensor(MEMORIES).float(), torch.tensor(DELAYS).float()).repeat(learners, 1).T
    rate = 2e-3 * torch.exp(delay / memory).clamp(max=1e3) if equal else torch.full_like(memory, 5e-3)
    right = bandit(memory, delay.long(), rate=rate, seed=seed)[-100:].mean(0).view(learners, len(MEMORIES), -1).mean(0)
    return {f"delay {wait}, memory {steps}": right[row, column].item()
            for column, wait in enumerate(DELAYS) for row, steps in enumerate(MEMORIES)}


def spikes_only(x, weight, state, beta, decay, *, slope, generator):
    """The step of `act` with spk in the place of spk - p."""
    new = act(x, weight, state, beta, decay, slope=slope, generator=generator)
    return new._replace(eligibility=decay * state.eligibility + slope * new.spk[:, :, None] * new.trace[:, None])


def paid(rate, seed):
    """A row: the bandit without delay by four rules, eight learners each, right choices in the last 50 of 300 trials."""
    memory, delay, told = torch.full((16,), 5.0), torch.zeros(16, dtype=torch.long), (torch.arange(16) < 8).float()
    found = {}
    for name, step in (("spk - p", act), ("spk", spikes_only)):
        hits = bandit(memory, delay, trials=300, rate=torch.full((16,), rate), step=step, baseline=told, seed=seed)[-50:]
        found |= {f"{name}, baseline": hits[:, :8].mean().item(), f"{name}, none": hits[:, 8:].mean().item()}
    return found


# A floor and a goal that moves

SPANS = {"first 5": (0, 5), "last 15": (85, 100), "goal moved": (100, 105), "last 15 again": (185, 200)}
GROUPS = ("reward and eligibility", "no eligibility", "another's reward", "no expectation", "no learning")


def goal_of(trial):
    return torch.tensor([4.0, 4.0] if trial < 100 else [4.0, 0.0])


def explore_floor(generator, decay, rate, forget=0.1, swap=None, trials=200):
    """Let learners walk [n]; yields after each trial what they weigh, the moves [n], whether they arrived [n], their path."""
    weight, expected = torch.full((len(rate), 4, 25), 0.25), torch.zeros(len(rate))
    for trial in range(trials):
        reward, moves, due, path = walk(weight, goal_of(trial), decay, generator, step=act)
        told = reward if swap is None else torch.where(swap, reward.roll(1), reward)
        weight = weight + rate[:, None, None] * (told - expected)[:, None, None] * due
        expected = expected + forget * (told - expected)
        yield weight, moves, reward, path


def floor(seed, n=10):
    """A row: five groups of ten spiking learners."""
    group = torch.arange(len(GROUPS)).repeat_interleave(n)
    decay = torch.where(group == 1, 0.0, 0.97)[:, None, None]
    rate = torch.where(group == 1, 0.05, torch.where(group == 4, 0.0, 0.01))       # small tags, a larger rate
    runs = explore_floor(torch.Generator().manual_seed(seed), decay, rate, 0.1 * (group != 3), group == 2)
    moves, arrived = map(torch.stack, zip(*((run[1], run[2]) for run in runs), strict=True))
    return _spans({name: moves[:, group == place] for place, name in enumerate(GROUPS)}, arrived[:, group == 0])


def _spans(moves, arrived):
    found = {f"{name}, {span}": runs[slice(*ends)].mean().item()
             for name, runs in moves.items() for span, ends in SPANS.items()}
    return found | {"stuck of ten": 10 * (arrived[-15:].mean(0) < 0.5).float().mean().item()}


def on_a_table(seed, bootstrap, n=10):
    """A row: learners with a table of 25 places x 4 directions, by the same rule or by Q-learning.

    The rule: softmax of the table, tag x (reward - expected), rate 1, tags that fade by 0.97^6 a move. Q-learning: rate 0.5,
    one move in ten at random, 0.95 a move, all values 1 in the beginning. Rates tried: 0.3, 1, 3; values at first: 0, 0.5, 1.
    """
    generator, who = torch.Generator().manual_seed(seed), torch.arange(n)
    table, expected, record, arrived = torch.full((n, 25, 4), float(bootstrap)), torch.zeros(n), [], []
    for trial in range(200):
        place, out, moves, tag = torch.zeros(n, 2), torch.ones(n), torch.zeros(n), torch.zeros_like(table)
        while out.any() and moves.max() < 50:
            here = (place @ torch.tensor([5.0, 1.0])).long()
            p = table[who, here].softmax(1)
            if bootstrap:
                best = (table[who, here] + 1e-6 * torch.rand(n, 4, generator=generator)).argmax(1)
                lost = torch.rand(n, generator=generator) < 0.1
                choice = torch.where(lost, torch.randint(4, (n,), generator=generator), best)
            else:
                choice = torch.multinomial(p, 1, generator=generator)[:, 0]
                tag = torch.where(out[:, None, None] > 0, 0.97 ** 6 * tag, tag)
                tag[who, here] += out[:, None] * (one_hot(choice, 4) - p)
            place = torch.where(out[:, None] > 0, (place + COMPASS[choice]).clamp(0, 4), place)
            there = (place == goal_of(trial)).all(1)
            if bootstrap:
                ahead = table[who, (place @ torch.tensor([5.0, 1.0])).long()].amax(1)
                table[who, here, choice] += 0.5 * out * (torch.where(there, 1.0, 0.95 * ahead) - table[who, here, choice])
            moves, out = moves + out, out * ~there
        if not bootstrap:
            table = table + (1 - out - expected)[:, None, None] * tag
            expected = expected + 0.1 * (1 - out - expected)
        record.append(moves)
        arrived.append(1 - out)
    return _spans({"table": torch.stack(record)}, torch.stack(arrived))


# What a hidden layer knows

def rows_in_time(images, generator, silence=4):
    """Show each row of a digit for two steps, then nothing, [B, 64] -> [16 + silence, B, 8]."""
    rates = images.view(-1, 8, 8).transpose(0, 1).repeat_interleave(2, 0)
    return torch.cat([torch.bernoulli(rates, generator=generator), torch.zeros(silence, len(images), 8)])


def hidden_layer(generator, steps=200, probe=200, silence=4, feedback=None):
    """Train the network of notebook 08; return a last run, its weights, its error [T, B, 10] and its exact gradient."""
    inputs, labels, *_ = _data()
    hidden, output = (torch.randn(*size, generator=generator) for size in ((100, 8), (10, 100)))
    weights = bptt.Weights(0.5 * hidden, None, 0.2 * output)
    for step in range(steps + 1):
        rows = torch.randint(len(inputs), (50 if step < steps else probe,), generator=generator)
        run = bptt.forward(rows_in_time(inputs[rows], generator, silence), weights, 0.95, 0.9)
        error = torch.zeros_like(run.out)                                          # judged at the last step only
        error[-1] = (run.out[-1].softmax(1) - one_hot(labels[rows], 10)) / len(rows)
        exact = bptt.backward(run, weights, error, 0.95, 0.9)
        if step < steps:
            step_hidden = exact.hidden if feedback is None else three_factor(run.x, run.mem, sent_back(error) @ feedback, 0.95)
            weights = bptt.Weights(weights.hidden - 0.01 * step_hidden, None, weights.output - 0.01 * exact.output)
    return run, weights, error, exact.hidden


def sent_back(error):
    """Let an error fade backward in time through the read-out's memory, [T, B, 10]."""
    return trace(error.flip(0), 0.9).flip(0)


def signals(run, weights, error, chance):
    """What a hidden neuron may be told {name: (signal [T, B, 100], decay of the trace)}, from everything to next to nothing."""
    back = sent_back(error)
    return {"everything": (back @ weights.output, 0.95), "no trace": (back @ weights.output, 0.0),
            "error not sent back": (error @ weights.output, 0.95), "neither of the two": (error @ weights.output, 0.0),
            "random feedback": (back @ chance, 0.95),
            "same signal for all": (back.norm(dim=2, keepdim=True).expand_as(run.spk), 0.95)}


def knowledge(seed, trained_by_chance=False, **options):
    """A row: the cosine of updates that know less with the exact gradient of the hidden layer."""
    generator = torch.Generator().manual_seed(seed)
    chance = torch.randn(10, 100, generator=torch.Generator().manual_seed(100 + seed))
    run, weights, error, exact = hidden_layer(generator, feedback=chance if trained_by_chance else None, **options)
    told = signals(run, weights, error, chance)
    return {name: cosine_similarity(three_factor(run.x, run.mem, signal, decay).flatten(), exact.flatten(), 0).item()
            for name, (signal, decay) in told.items()}


ROWS = {
    "digits, BPTT": reads(None),
    "digits, softmax error": reads(softmax_error),
    "digits, softmax error, large only": reads(large_only(softmax_error), rate=1e-3),
    "digits, rate error": reads(rate_error),
    "digits, rate error, large only": reads(large_only(rate_error), rate=1e-3),
    "digits, rate error, all as ±1": reads(large_only(rate_error, 0.0), rate=1e-3),
    "digits, rate error, by lot": reads(by_lot, rate=3e-3),
    "digits, rate error, too little only": reads(too_little_only, rate=1e-3),
    "digits, no trace": reads(softmax_error, beta=0.0),
    "digits, no trace, ten times the rate": reads(softmax_error, beta=0.0, rate=3e-2),
    "digits, judged late": reads(at_the_end, seen=16, rate=1.0),
    "digits, judged late, no trace": reads(at_the_end, seen=16, beta=0.0, rate=1.0),
    "digits, no surrogate": reads(softmax_error, surrogate=torch.ones_like),
    "digits, another's error": reads(of_another),
    "digits, linear classifier": linear,
    "four digits by reward": guessed(),
    "four digits by another's reward": guessed(others=True),
    "four digits, softmax policy": without_spikes,
    "bandit": late,
    "bandit, equal tags": partial(late, equal=True),
    **{f"paid, rate {rate:g}": partial(paid, rate) for rate in (0.003, 0.01, 0.03)},
    "maze": floor,
    "maze, the same rule": partial(on_a_table, bootstrap=False),
    "maze, Q-learning": partial(on_a_table, bootstrap=True),
    "knowledge": knowledge,
    "knowledge, 2000 images": partial(knowledge, probe=2000),
    "knowledge, no silence": partial(knowledge, silence=0),
    "knowledge, trained by random feedback": partial(knowledge, trained_by_chance=True, steps=600),
}
