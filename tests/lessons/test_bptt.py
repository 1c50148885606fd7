"""Notebook 08: its listings against autograd and the package, its explorer, its film and its exercises."""
import numpy as np
import pytest
import torch

from snnteach import bptt as reference
from snnteach.lessons.bptt import explorers as explorer
from snnteach.lessons.bptt import study
from snnteach.lessons.bptt.answers import layer_detached
from snnteach.lessons.bptt.films import backward_frames, build_backward, draw_backward
from snnteach.neurons import lif
from snnteach.reader.lookup import exercise as find
from snnteach.surrogate import atan, spike
from tests.drawing import background, film, pictures
from tests.listings import namespace

FLOAT = torch.float64


@pytest.fixture(scope="module")
def shown():
    return namespace("bptt")


def network():
    random = torch.Generator().manual_seed(3)
    def normal(*shape):
        return torch.randn(*shape, generator=random, dtype=FLOAT)
    weights = reference.Weights(0.6 * normal(7, 6), 0.4 * normal(7, 7), normal(2, 7))
    return weights, (torch.rand(25, 3, 6, generator=random) < 0.4).to(FLOAT), normal(25, 3, 2)


@pytest.mark.parametrize("detach_reset", [True, False])
def test_the_listed_backward_pass_is_autograd_of_the_listed_forward_pass(shown, detach_reset):
    weights, x, target = network()
    leaves = reference.Weights(*(weight.clone().requires_grad_() for weight in weights))
    run = shown["forward"](x, leaves, 0.9, 0.8, detach_reset=detach_reset)
    ((run.out - target) ** 2 / 2).sum().backward()
    run = reference.Run(*(record.detach() for record in run))
    found = shown["backward"](run, weights, run.out - target, 0.9, 0.8, detach_reset=detach_reset)
    assert run.spk.sum() > 10
    for ours, leaf in zip(found, leaves, strict=True):
        assert (ours - leaf.grad).abs().max() <= 1e-10 * leaf.grad.abs().max()


def test_the_listed_layer_is_the_backward_pass_of_lif(shown):
    x = torch.rand(40, 2, 5, generator=torch.Generator().manual_seed(0), dtype=FLOAT).requires_grad_()
    spk, mem = lif(x, 0.9)
    (theirs,) = torch.autograd.grad((spk * x.detach()).sum() + (mem**2).sum() / 2, x)
    ours = shown["layer_backward"](mem.detach(), x.detach(), mem.detach(), 0.9)
    assert spk.sum() > 10 and torch.allclose(ours, theirs, atol=1e-12)


def test_the_map_of_influence_is_measured_not_drawn(shown):
    measured, spk = shown["maps"]["detached"]
    assert torch.allclose(measured, reference.influence_matrix(30, 0.9) * shown["x"], atol=1e-12) and spk.sum() == 3
    attached, _ = shown["maps"]["attached"]
    assert attached[29, 0].abs() < 1e-4 < measured[29, 0]


def test_the_film_ends_at_the_exact_gradient():
    weights, x, target = network()
    x, target = x[:, :1], target[:, :1, :1]
    weights = weights._replace(output=weights.output[:1])
    run = reference.forward(x, weights, 0.9, 0.8)
    frames = backward_frames(run, weights, run.out - target, 0.9, 0.8)
    assert [frame[0] for frame in frames] == list(range(24, -1, -1))
    _, grads, total, record = frames[-1]
    assert torch.allclose(total, record["exact"], atol=1e-10) and not grads.isnan().any()
    assert frames[0][1][:-1].isnan().all() and (frames[0][2] - record["exact"]).abs().max() > 1e-3


def test_exercises_agree_with_autograd():
    weight = torch.tensor([0.1, 0.5, 0.5], dtype=FLOAT, requires_grad=True)          # W[1], W[2], W[3] of exercise 08.1
    x = torch.tensor([3.0, 3.0, 3.0], dtype=FLOAT)
    spk, mem = lif((weight * x)[:, None, None], 0.8, surrogate=lambda u: torch.full_like(u, 0.4))
    (2 * spk[2]).sum().backward()
    assert spk[1] == 1 and weight.grad[0].item() == pytest.approx(find("08.1").reference)
    current = torch.rand(6, 1, 1, generator=torch.Generator().manual_seed(1)).requires_grad_()
    spk, mem = lif(current, 0.7)
    d_spk = torch.arange(6.0)
    (grad,) = torch.autograd.grad((spk.flatten() * d_spk).sum(), current)
    ours = find("08.2").reference(d_spk, atan()(mem.detach().flatten() - 1), 0.7)
    assert torch.allclose(ours, grad.flatten(), atol=1e-6)
    ratio = (torch.tensor(0.9) ** torch.arange(500)).sum() / (torch.tensor(0.9 - 0.3) ** torch.arange(500)).sum()
    assert find("08.7").reference == pytest.approx(ratio.item())
    for beta, share in ((0.9, 0.9), (0.8, 0.5)):
        K = find("08.3").reference(beta, share)
        assert 1 - beta**K >= share > 1 - beta ** (K - 1)


@pytest.mark.parametrize("detached", [True, False])
def test_the_layer_of_the_build_is_autograd_of_the_run_that_learns(detached):
    weights, x = reference.Weights(*(weight.float() for weight in network()[0])), network()[1].float()
    pokes = torch.zeros(25, 3, 7, requires_grad=True)                      # added to the currents
    d_spk = torch.randn(25, 3, 7, generator=torch.Generator().manual_seed(4))
    syn = mem = spk = torch.zeros(3, 7)
    mems, spks, loss = [], [], 0.0
    for t, (drive, poke) in enumerate(zip(x @ weights.hidden.T, pokes, strict=True)):
        syn = 0.6 * syn + drive + spk @ weights.recurrent.T + poke
        mem = 0.9 * mem + syn - (spk.detach() if detached else spk)
        spk = spike(mem - 1, atan())
        mems, spks, loss = [*mems, mem.detach()], [*spks, spk.detach()], loss + (spk * d_spk[t]).sum()
    loss.backward()
    found_mem, found_spk, out = study.read_rows(x, weights, alpha=0.6, beta=0.9, beta_out=0.8)
    assert torch.allclose(found_mem, torch.stack(mems), atol=1e-5)
    assert torch.equal(found_spk, torch.stack(spks)) and found_spk.sum() > 10
    assert torch.allclose(out, sum(0.8 ** (24 - t) * spk @ weights.output.T for t, spk in enumerate(spks)), atol=1e-5)
    gradient = layer_detached if detached else find("08.6").reference
    assert torch.allclose(gradient(d_spk, atan()(found_mem - 1), weights.recurrent, 0.6, 0.9), pokes.grad, atol=1e-4)


def test_the_cue_is_silent_long_before_it_is_asked():
    x, side = study.cue_task(50, torch.Generator().manual_seed(0))
    left, right = x[:, :, :20].sum((0, 2)), x[:, :, 20:40].sum((0, 2))
    assert x.shape == (45, 50, 100) and not x[5:, :, :40].any() and x[5:, :, 40:].any()
    assert torch.equal((left > 0), side[0, :, 0] > 0) and torch.equal((right > 0), side[0, :, 0] < 0)
    weights, _ = study.draw(0, 1.0)
    run = reference.forward(x, weights, 0.9, 0.9)
    error = torch.zeros_like(run.out)
    error[-5:] = 1.0
    reached = [reference.backward(run, weights, error, 0.9, 0.9, truncation=K).hidden[:, :40].any() for K in (36, 37)]
    assert reached == [False, True]                                                     # no window of 20 reaches it


def paths(beta, detach, recurrent):
    """All coefficients [t, s] of the explorer's neuron from the loss at t to step s, by autograd, and its run."""
    current = (explorer._X @ explorer._WEIGHTS.hidden.T).requires_grad_()
    mem = spk = torch.zeros(1, 1)
    steps = []
    for drive in current:
        mem = beta * mem + drive + recurrent * spk - (spk.detach() if detach else spk)
        spk = spike(mem - 1, atan())
        steps.append((spk, mem))
    rows = [torch.autograd.grad(spk.sum(), current, retain_graph=True)[0].flatten() for spk, _ in steps]
    return torch.stack(rows), *(torch.cat(record).detach().flatten() for record in zip(*steps, strict=True))


def verdict(lag, window, beta, detached, recurrent):
    """What the second line above the graph has to say, and the numbers in it."""
    if lag < 0:
        return ["no path: a weight used later cannot have caused an earlier loss"]
    if lag >= window:
        return ["the path is {} steps long: a window of K = {} cuts it", lag, window]
    if lag == 0:
        return ["no step back: the memory has no say"]
    steps = f"{{}} step{'s' if lag > 1 else ''} back: "
    if recurrent == (0 if detached else 1):                # nothing leads from a spike to the next potential
        return [steps + "beta^{} = {}", lag, lag, beta**lag]
    return [steps + f"a product of (beta + {'V' if detached else '(V - threshold)'} h)", lag]


def test_the_picture_of_the_paths():
    lags = torch.arange(12)[:, None] - torch.arange(12)                                             # t - s
    for picture, s in pictures("bptt.path"):
        t, now, window, detached = s["t"], s["s"], s["truncation"], s["reset"] == "detached"
        table, spk, mem = paths(s["beta"], detached, s["recurrent"])
        slope, reached = atan()(mem[t] - 1).item(), 0 <= t - now < window
        x, error = explorer._X[:, 0], explorer._ERROR.flatten()
        exact, cut = ((error[:, None] * table * mask).sum(0) @ x for mask in (lags >= 0, (lags >= 0) & (lags < window)))
        corners = [(t, 3), (t, 1), (now, 1), (now, 0)] if t >= now else []
        picture.line("path", [x for x, _ in corners], [y for _, y in corners], "vermillion" if reached else "0.6",
                     "-" if reached else "--")
        fired = spk.nonzero().flatten()
        picture.points("fired", fired, [2] * len(fired), "black")
        picture.over("path", "fired")
        picture.says("formula", "dL[{}]/dW[{}] = dL[{}]/dS[{}] · X[{}] × {}  (surrogate {} × memory {})",
                     t, now, t, t, now, table[t, now], slope, table[t, now] / slope)
        words, *numbers = verdict(t - now, window, s["beta"], detached, s["recurrent"])
        picture.says("verdict", words, *numbers)
        for step, value in enumerate(table[t].tolist()):
            inside = t - step < window
            picture.bar(f"bar{step}", step - 0.35, 0, 0.7, value,
                        "white" if not inside else "vermillion" if step == now else "sky",
                        "blue" if inside else "0.6", "-" if inside else ":")
        picture.says("worth", "all losses, window K = {}: cosine {}, length {} of the exact gradient", window,
                     torch.nn.functional.cosine_similarity(exact, cut, 0), cut.norm() / exact.norm())


def test_what_stands_behind_the_picture():
    behind, nodes = background("bptt.path"), [(step, row) for step in range(12) for row in range(4)]
    behind.axes("0", " \n ", ("", -0.6, 11.6), ("", -0.4, 3.4), xticks={step: "" for step in range(12)},
                yticks={0: "input X", 1: "potential U", 2: "spike S", 3: "loss L"})
    behind.axes("1", "", ("step s whose weights are blamed", -0.6, 11.6), ("blame\n(surrogate × memory)", -0.4, 130),
                xticks={step: f"{step}" for step in range(12)}, yticks={0: "0", 1: "1", 10: "10", 100: "100"}, yscale="symlog")
    behind.rule("1.line0", "black", y=0)
    for number, (step, row) in enumerate(nodes):
        behind.points(f"0.line{number}", [step], [row], "white", edge="0.55")
    edges = [edge for step in range(12) for edge in (
        *(((step, row), (step, row + 1)) for row in range(3)),
        *([((step - 1, 1), (step, 1)), ((step - 1, 2), (step, 1))] if step else []))]
    for number, (start, end) in enumerate(edges):
        behind.arrow(f"0.patch{number}", start, end, "0.75")
    behind.done()


@pytest.mark.parametrize("visited", [1, 9, 25])
def test_the_film_draws_what_has_been_visited(visited):
    weights, x, target = network()
    weights, x = weights._replace(output=weights.output[:1]), x[:, :1]
    run = reference.forward(x, weights, 0.9, 0.8)
    error, now = (run.out - target[:, :1, :1])[:, 0, 0], 25 - visited
    frames = backward_frames(run, weights, error[:, None, None], 0.9, 0.8)
    still, picture = film(build_backward, draw_backward, frames[visited - 1], width=7.2)

    # By autograd: the gradient of every potential, through perturbations that are added to the currents.
    poke = torch.zeros(25, 1, 7, dtype=FLOAT, requires_grad=True)
    eye = reference.Weights(torch.cat([weights.hidden, torch.eye(7, dtype=FLOAT)], 1), weights.recurrent, weights.output)
    again = reference.forward(torch.cat([x, poke], 2), eye, 0.9, 0.8)
    (grads,) = torch.autograd.grad((again.out[:, 0, 0] * error).sum(), poke)
    grads = grads[:, 0]                                                                             # [T, H]
    seen = torch.where(torch.arange(25)[:, None] >= now, grads / grads.abs().amax(0), np.nan)
    total = (grads[now:, :, None] * x[now:, 0, None]).sum(0).flatten()
    whole = (grads[:, :, None] * x[:, 0, None]).sum(0).flatten()

    for step, value in enumerate(error):
        picture.bar(f"0.patch{step}", step - 0.4, 0, 0.8, value, "vermillion" if step >= now else "0.8", clipped=True)
    picture.rule("0.line0", "black", y=0)
    picture.image("1.image0", seen.T, "PuOr_r", (-1, 1), (-0.5, 24.5, -0.5, 6.5), "lower")
    picture.segments("1.collection0", [((t, n - 0.35), (t, n + 0.35)) for t, n in run.spk[:, 0].nonzero().tolist()], "black")
    picture.rule("1.line0", "vermillion", x=now - 0.5)
    for row, value in enumerate(total):
        picture.bar(f"2.patch{row}", 0, row - 0.4, value, 0.8, "blue")
    picture.points("2.line0", whole, range(42), "vermillion", "|")
    picture.says("2.text0", "ticks: the whole pass", color="vermillion")
    picture.done()
    for place, title in (("0", "The error sets out backwards ..."), ("2", "... and dW adds up")):
        assert still.artists[place].get_title(loc="left") == title
    assert len(still.artists) == 3 and not picture.artists["1.image0"].axes.yaxis_inverted()
