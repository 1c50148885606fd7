"""Notebook 15: its listings against the package, its exercises against closed forms, its explorers, its floor."""
import math

import pytest
import torch

from snnteach import three_factor as reference
from snnteach.lessons.three_factor import films as floor
from snnteach.lessons.three_factor import study
from snnteach.lessons.three_factor.answers import of_numbers
from snnteach.lessons.three_factor.policy import guess_by_softmax
from snnteach.reader.judge import judge
from snnteach.reader.lookup import exercise as find
from snnteach.reader.lookup import explorer as find_explorer
from snnteach.surrogate import atan, triangular
from tests.drawing import background, film, pictures
from tests.listings import namespace

FLOAT = torch.float64


@pytest.fixture(scope="module")
def shown():
    return namespace("three_factor")


@pytest.mark.parametrize("options", [{}, {"error": "count"}, {"detach_reset": False}, {"surrogate": triangular(0.5)}])
def test_the_listing_of_the_window_is_the_package(shown, options):
    lags = torch.arange(-15, 16)
    found = shown["bptt_window"](lags, 0.8, **options)
    assert torch.equal(found, reference.bptt_window(lags, 0.8, **options)) and found.abs().max() > 0


def test_the_listings_of_the_rules_are_the_package(shown):
    generator = torch.Generator().manual_seed(0)
    x = (torch.rand(20, 4, 6, generator=generator) < 0.3).to(FLOAT)
    mem, signal = torch.randn(2, 20, 4, 3, generator=generator, dtype=FLOAT)
    assert torch.equal(shown["trace"](x, 0.7), reference.trace(x, 0.7))
    assert torch.equal(shown["three_factor"](x, mem, signal, 0.7, 0.5), reference.three_factor(x, mem, signal, 0.7, 0.5))
    spk = (mem > 0.2).to(FLOAT)
    assert torch.equal(shown["score"](x, mem, spk, 0.7, slope=2.0), reference.score(x, mem, spk, 0.7, slope=2.0))
    weight, states = torch.rand(4, 3, 6, generator=generator, dtype=FLOAT), []
    for act in (shown["act"], reference.act):
        state, noise = reference.start_actor(weight), torch.Generator().manual_seed(1)
        for x_t in x:
            state = act(x_t, weight, state, 0.9, 0.95, 1.1, slope=3.0, generator=noise)
        states.append(state)
    assert all(map(torch.equal, *states))


def test_exercises_agree_with_what_is_measured():
    window = reference.bptt_window([0, 1], 0.95)
    assert find("15.1").reference == pytest.approx(-1 / math.log((window[1] / window[0]).item()), rel=1e-9)
    for h in (atan(), triangular(0.3)):
        window = reference.bptt_window([0, 1, 2], 0.9, surrogate=h, detach_reset=False)
        assert find("15.2").reference(0.9, 1.0, of_numbers(h)) == pytest.approx((window[2] / window[1]).item(), rel=1e-6)
    x, mem, error = torch.rand(4, 1, 3), torch.rand(4, 1, 2), torch.rand(4, 1, 2)
    trace, total = torch.zeros(3), torch.zeros(2, 3)
    for t in range(4):
        trace, change = find("15.3").reference(trace, x[t, 0], mem[t, 0], error[t, 0], 0.9, 1.0, 0.1)
        total += change
    assert torch.allclose(total, -0.1 * reference.three_factor(x, mem, error, 0.9, surrogate=triangular()), atol=1e-6)
    decay = torch.linspace(0.9, 0.9999, 200_001, dtype=FLOAT)
    best = decay[(decay**40 * (1 - decay**2).sqrt()).argmax()].item()
    assert find("15.4").reference == pytest.approx(best, abs=2e-6)
    assert -1 / math.log(best) == pytest.approx(81, abs=0.1)
    spk, reward = torch.tensor([1.0, 0.0]), torch.tensor([0.9, 0.4])
    chance = torch.tensor([0.3, 0.7])
    mean = (chance * (reward - 0.2) * (spk - 0.3)).sum().item()
    assert find("15.5").reference(0.3, 0.9, 0.4, 0.2) == pytest.approx(mean, abs=1e-6)


def test_three_digits_are_enough_for_the_best_decay():
    exercise = find("15.4")
    assert [judge(exercise, answer)[0] for answer in (0.988, 0.9877, 0.987, 0.989)] == ["right", "right", "not yet", "not yet"]
    for misconception in exercise.misconceptions:
        assert judge(exercise, misconception.answer) == ("not yet", misconception.reason)


def test_the_credit_explorer_shows_that_a_shared_reward_does_not_say_who():
    compute = find_explorer("three_factor.credit").compute
    few, many = ([compute(neurons=n, trials=1, seed=seed) for seed in range(10)] for n in (3, 300))
    def mean(runs, name):
        return sum(run[name] for run in runs) / len(runs)
    assert mean(few, "told") > 0.5 > 0.15 > mean(many, "told") and mean(many, "named") > 0.6
    assert mean([compute(neurons=300, trials=100, seed=seed) for seed in range(5)], "told") > 0.5


def test_learners_stay_on_the_floor_and_stop_at_the_goal():
    weight, goal = torch.full((8, 4, 25), 0.25), torch.tensor([1.0, 1.0])
    reached, moves, due, path = floor.walk(weight, goal, 0.97, torch.Generator().manual_seed(0), step=reference.act)
    assert path.min() >= 0 and path.max() <= 4 and (path.diff(dim=0).abs().sum(2) <= 1).all() and moves.min() >= 2
    assert torch.equal(reached.bool(), (path[-1] == goal).all(1)) and reached.any() and due.any()
    assert torch.equal(moves[reached == 0], torch.full_like(moves[reached == 0], 50))


def test_weights_that_point_right_lead_right():
    weight = torch.zeros(4, 4, 25)
    weight[:, 0], weight[:, 1:] = 1.0, -1.0
    reached, moves, _, _ = floor.walk(weight, torch.tensor([4.0, 0.0]), 0.9, torch.Generator().manual_seed(0),
                                      step=reference.act)
    assert reached.all() and moves.max() <= 8


def test_the_picture_of_the_late_reward():
    lags, time = torch.arange(-25, 26), torch.arange(160)
    def tag(lag, when, tau):
        """The eligibility at a step that the pair with this lag has left behind; the post spike is at step 30."""
        late = when - (30 + max(0, -lag))
        return (lag > 0) * 0.9**lag * math.exp(-late / tau) - (lag < 0) * 0.9**-lag * math.exp(-late / tau) if late >= 0 else 0
    for picture, s in pictures("three_factor.timing"):
        lag, pays, reward, tau = s["lag"], 30 + s["delay"], s["reward"], s["tau"]
        caught = tag(lag, pays, tau)
        picture.points("pre", [30 - lag], [2], "black", "|")
        picture.points("reward", [pays], [0], "orange", "D")
        picture.line("eligibility", time, [tag(lag, when, tau) for when in time.tolist()], "blue")
        picture.points("caught", [pays], [caught], "orange", "D")
        picture.line("moment", [pays] * 2, [-1.1, 1.1], "orange", ":")
        picture.points("window", lags, [reward * tag(other, pays, tau) for other in lags.tolist()], "blue", ".")
        picture.points("point", [lag], [reward * caught], "orange", "D")
        picture.says("text", "eligibility {}\ntimes reward {}\nchange {}", caught, reward, reward * caught)
        picture.over("window", "point")


def test_the_picture_of_the_shared_reward():
    for picture, s in pictures("three_factor.credit"):
        neurons, trials, random = s["neurons"], s["trials"], torch.Generator().manual_seed(s["seed"])
        x = (torch.rand(1, 1, 20, generator=random) < 0.5).float()[0, 0]
        weight = (torch.randn(neurons, 20, generator=random) / 10 + 0.05).requires_grad_()
        wanted, p = torch.arange(neurons) % 2, torch.sigmoid(4 * (weight @ x - 1))
        expected = -(p - wanted).abs().sum()
        (truth,) = torch.autograd.grad(expected, weight, retain_graph=True)
        spk = (torch.rand(1, trials, neurons, generator=random)[0] < p).float()                         # [trials, neurons]
        chance = torch.log(spk * p + (1 - spk) * (1 - p))
        paid = -(spk - wanted).abs().sum(1) - expected.detach()
        (told,) = torch.autograd.grad((paid[:, None] * chance).sum(), weight)
        named = ((wanted - spk) * 4 * (p * (1 - p)).detach()).sum(0)[:, None] * x
        first = int(x.nonzero()[0])
        along = [update[:, first] / update[:, first].abs().max().clamp(min=1e-9) for update in (truth, named, told)]
        for place, name, update, color, mark in ((1, "named", named, "blue", "o"), (2, "told", told, "vermillion", "x")):
            picture.points(f"{name}_points", along[0], along[place], color, mark)
            cosine = torch.nn.functional.cosine_similarity(update.flatten(), truth.flatten(), 0)
            picture.says(f"{name}_words", "cosine {}", cosine)


def test_what_stands_behind_the_pictures():
    timing, credit = background("three_factor.timing"), background("three_factor.credit")
    timing.axes("0", "Who fired, who paid", ("", 0, 160), ("", -0.6, 2.6), yticks={2: "pre", 1: "post", 0: "reward"})
    timing.axes("1", "", ("time (steps)", 0, 160), ("eligibility", -1.1, 1.1))
    timing.axes("2", "What is learned", ("lag t_post - t_pre (steps)", -25.5, 25.5), ("change of the weight", -1.1, 1.75))
    timing.points("0.line0", [30], [1], "black", "|")
    timing.rule("1.line0", "0.7", y=0)
    timing.rule("2.line0", "0.7", y=0)
    for place, title, label in (("0", "Its own error", "local update (largest = 1)"), ("1", "One shared reward", "")):
        credit.axes(place, title, ("exact gradient, a neuron", -1.1, 1.1), (label, -1.15, 1.15))
        credit.rule(f"{place}.line0", "0.8", y=0)
        credit.rule(f"{place}.line1", "0.8", x=0)
    for behind in (timing, credit):
        behind.done()


def test_the_film_draws_the_floor_and_the_record():
    random = torch.Generator().manual_seed(0)
    frame = {"weight": torch.rand(4, 25, generator=random), "path": torch.tensor([[0.0, 0], [1, 0], [1, 1], [1, 2]]),
             "goal": torch.tensor([4.0, 4.0]), "moves": 50 * torch.rand(24, 10, generator=random),  # [trials, learners]
             "others": {"none": (45.0, 40.0), "table": (9.0, 5.0), "near": (11.0, 6.0)}}
    still, picture = film(floor.build_maze, floor.draw_maze, frame, width=7.6, height=3.6)
    cells = [(x, y) for x in range(5) for y in range(5)]
    arrows = []
    for x, y in cells:                                                             # where the actor's neurons drive it
        rates = torch.tensor([math.exp(-((x - a) ** 2 + (y - b) ** 2) / 1.6) / 2 for a, b in cells])
        right, left, up, down = (8 * frame["weight"] @ rates).softmax(0).tolist()
        arrows.append((right - left, up - down))
    picture.arrows("0.collection0", cells, arrows, "blue")
    picture.line("0.line0", *frame["path"].T, "vermillion")
    picture.points("0.line1", [0], [0], "black", "s")
    picture.points("0.line2", [4], [4], "orange", "*", edge="black")
    blocks = torch.stack([frame["moves"][8 * block:8 * block + 8].mean(0) for block in range(3)])  # [blocks, learners]
    ranked = blocks.sort(1).values                                                 # [blocks, ten learners]
    ends = (ranked[:, low] + share * (ranked[:, low + 1] - ranked[:, low]) for low, share in ((2, 0.25), (6, 0.75)))
    picture.band("1.collection0", [4, 12, 20], *ends, "blue")
    picture.line("1.line0", [4, 12, 20], blocks.mean(1), "blue")
    others = (("table", 9, 5, 5, 87, "o"), ("near", 11, 6, 8.6, 98, "s"), ("none", 45, 40, 40, 87, "D"))
    for place, (name, before, after, height, left, mark) in enumerate(others):
        picture.line(f"1.line{2 * place + 1}", [85, 100, math.nan, 185, 200], [before, before, math.nan, after, after], "black")
        picture.points(f"1.line{2 * place + 2}", [left, left + 100, 208], [before, after, height], "black", mark)
        picture.says(f"1.text{place}", name, at=(215, height))
    picture.done()
    still.axes("0", "Where the weights lead", ("", -0.5, 4.5), ("", -0.5, 4.5))
    still.axes("1", "Reward finds the way, Q-learning sooner", ("trial", 0, 310), ("moves (at most 50)", 0, 52))
    for line in range(6):
        still.rule(f"0.line{2 * line}", "0.85", y=line - 0.5)
        still.rule(f"0.line{2 * line + 1}", "0.85", x=line - 0.5)
    still.rule("1.line0", "0.6", ":", x=100)
    still.says("1.text0", "goal moves", at=(100, 1))
    still.line("1.line1", [0, 100, 100, 200], [8, 8, 4, 4], "0.45", "--")          # |goal| along the floor's squares
    still.says("1.text1", "shortest", at=(4, 8.5))
    still.done()


def test_the_listings_of_the_notebook_are_those_of_the_study(shown):
    options = {"epochs": 1, "beta": 0.8, "surrogate": triangular()}
    for judged in (None, shown["large_only"], shown["softmax_error"]):
        mine = {None: None, shown["large_only"]: study.large_only(study.rate_error),
                shown["softmax_error"]: study.softmax_error}[judged]
        assert shown["learn"](judged, 3, **options) == tuple(study.learn(mine, 3, **options).values())
    generator = torch.Generator().manual_seed(0)
    run, weights, error, exact = study.hidden_layer(generator, steps=2, probe=20)
    chance = torch.randn(10, 100, generator=generator)
    mine, stored = (find(run, weights, error, chance) for find in (shown["signals"], study.signals))
    assert mine.keys() == stored.keys()
    for name, (signal, decay) in mine.items():
        assert torch.equal(signal, stored[name][0]) and decay == stored[name][1]
    local = reference.three_factor(run.x, run.mem, mine["everything"][0], 0.95)
    assert torch.allclose(local, exact, atol=1e-6) and exact.any(), "everything known is the gradient"


def test_the_bandit_learns_from_its_own_reward_only():
    memory, delay = torch.full((16,), 5.0), torch.zeros(16, dtype=torch.long)
    hits = study.bandit(memory, delay, trials=150, rate=0.02, others=torch.arange(16) >= 8)[-50:].mean(0)
    assert hits[:8].mean() > 0.7 > 0.4 > hits[8:].mean()


def test_four_digits_are_learned_by_reward_and_by_nothing_else():
    def idle(x, mem, spk, reward, expected, *constants):
        assert set(reward.tolist()) <= {0.0, 1.0} and not x[10:].any() and (mem.shape == spk.shape == (20, len(reward), 4))
        return torch.zeros(4, 64), expected
    _, curve = study.guess_digits(idle, 0, epochs=1)
    assert curve[0] < 0.4
    accuracy, curve = study.guess_digits(find("15.6").reference, 1, epochs=6)
    assert accuracy > 0.5 and curve[-1] > curve[0] + 0.1


def test_the_policy_without_spikes_learns_and_begins_at_chance():
    accuracy, curve = guess_by_softmax(study._data(), 0, epochs=4)
    assert curve[0] < 0.7 < curve[-1] and accuracy > 0.8
    assert guess_by_softmax(study._data(), 0, epochs=1, rate=0.0)[1][0] < 0.35


def test_a_table_needs_no_place_twice():
    found = study.on_a_table(0, bootstrap=True, n=3)
    assert found["table, last 15"] < 15 and found["table, last 15 again"] < 10 and found["table, first 5"] > 25


def test_the_build_is_the_score_when_nothing_fades():
    generator = torch.Generator().manual_seed(0)
    x = (torch.rand(6, 4, 3, generator=generator) < 0.5).float()
    mem, spk = torch.randn(6, 4, 2, generator=generator), (torch.rand(6, 4, 2, generator=generator) < 0.5).float()
    reward, expected = torch.tensor([1.0, 0, 1, 0]), torch.tensor(0.3)
    change, later = find("15.6").reference(x, mem, spk, reward, expected, 0.8, 1.0, 2.0, 0.1)
    score = reference.score(x, mem, spk, 0.8, slope=2.0)
    assert torch.allclose(change, 0.1 * torch.einsum("b,bhi->hi", reward - expected, score) / 4, atol=1e-6)
    assert later == pytest.approx(0.31)
    state = reference.start_actor(torch.zeros(4, 2, 3))
    for x_t, mem_t, spk_t in zip(x, mem, spk, strict=True):                         # the tag of `act`, with its spikes given
        seen = 0.8 * state.trace + x_t
        tag = 0.9 * state.eligibility + 2 * (spk_t - torch.sigmoid(2 * (mem_t - 1)))[:, :, None] * seen[:, None]
        state = state._replace(trace=seen, eligibility=tag)
    change, _ = find("15.6").reference(x, mem, spk, reward, expected, 0.8, 0.9, 2.0, 0.1)
    assert torch.allclose(change, 0.1 * ((reward - expected)[:, None, None] * state.eligibility).mean(0), atol=1e-6)


@pytest.mark.parametrize("number", [1.0, 0.5])
def test_the_surrogate_of_the_exercise_takes_numbers_and_tensors(number):
    exercise = find("15.2")
    for _, _, h in exercise.cases:
        assert h(-number) == pytest.approx(h(torch.tensor(-number)).item())
    assert judge(exercise, lambda beta, threshold, h: beta - threshold * h(-threshold)) == ("right", "")
    assert judge(exercise, lambda beta, threshold, h: beta - threshold * h(torch.tensor(-threshold))) == ("right", "")
    assert "need not be even" in judge(exercise, lambda beta, threshold, h: beta - threshold * h(threshold))[1]


def test_mistakes_that_readers_write_in_the_build_are_known():
    def written(order="seen first", inside=True, at=1.0, newest=1.0):
        def update(x, mem, spk, reward, expected, beta, decay, slope, rate):
            seen, tag = torch.zeros_like(x[0]), torch.zeros(*spk[0].shape, x.shape[2])
            for x_t, mem_t, spk_t in zip(x, mem, spk, strict=True):
                later = beta * seen + x_t
                surprise = slope * (spk_t - torch.sigmoid((slope if inside else 1.0) * (mem_t - at)))
                new = surprise[:, :, None] * (later if order == "seen first" else seen)[:, None, :]
                tag, seen = decay * tag + (new if newest else decay * new), later
            return rate * ((reward - expected)[:, None, None] * tag).mean(0), expected + 0.05 * (reward.mean() - expected)
        return update
    build = find("15.6")
    assert judge(build, written()) == ("right", "")
    for mistake, words in (({"order": "tag first"}, "step before"), ({"inside": False}, "slope stands inside"),
                           ({"at": 0.0}, "threshold is missing"), ({"newest": 0.0}, "not faded yet")):
        state, reason = judge(build, written(**mistake))
        assert state == "not yet" and words in reason
