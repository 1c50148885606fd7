"""What ties notebook 22 together: its equations, tables and listings, the module, the explorers, the libraries' lines."""
import itertools
import math
import re
from types import SimpleNamespace

import pytest
import torch

from snnteach import conventions
from snnteach.authoring import notebooks
from snnteach.conventions import PRESETS, VERBS, Convention, decay_as, port, run_convention
from snnteach.lessons.conventions import answers, explorers, study
from snnteach.membrane import first_spike_time
from snnteach.neurons import lif
from snnteach.reader.judge import judge
from snnteach.reader.lookup import exercise as find
from tests.cells import code_cells, execute
from tests.drawing import background, pictures
from tests.listings import namespace

FLOAT = torch.float64
CIRCLES = {                                              # the table of section 1: U after a step, but for the next fire
    "fire reset leak add": (lambda u, s, x, b: b * (u - s) + x, lambda u, s, x, b: b * (1 - s) * u + x),
    "fire leak reset add": (lambda u, s, x, b: b * u - s + x, lambda u, s, x, b: b * (1 - s) * u + x),
    "fire leak add reset": (lambda u, s, x, b: b * u + x - s, lambda u, s, x, b: (1 - s) * (b * u + x)),
    "fire reset add leak": (lambda u, s, x, b: b * (u - s + x), lambda u, s, x, b: b * ((1 - s) * u + x)),
    "fire add reset leak": (lambda u, s, x, b: b * (u + x - s), lambda u, s, x, b: b * (1 - s) * (u + x)),
    "fire add leak reset": (lambda u, s, x, b: b * (u + x) - s, lambda u, s, x, b: b * (1 - s) * (u + x)),
}


@pytest.fixture(scope="module")
def listing():
    return namespace("conventions")


def noise(*shape, size=0.8, seed=0):
    return size * torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=FLOAT) - 0.1


def source(name):
    (path,) = notebooks.paths(["22"])
    return next(cell.source for cell in notebooks.read(path).cells if cell.id == name)


# Equations and tables

@pytest.mark.parametrize("order", ["leak add reset fire", "reset leak add fire", "add fire reset leak", "fire leak add reset"])
@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_equation_1_listing_and_module_agree(listing, order, reset):
    x = noise(60, 2, 12).requires_grad_()
    c = Convention(order, reset="value" if reset == "zero" else reset)
    shown, package = listing["run"](x, order, beta=0.8, reset=reset), run_convention(x, c, 0.8).spk
    grads = [torch.autograd.grad((noise(60, 2, 12, seed=1) * spk).sum(), x)[0] for spk in (shown, package)]
    assert torch.equal(shown, package) and shown.sum() > 50 and torch.allclose(*grads, atol=1e-12) and grads[0].any()
    mem = spk = torch.zeros(2, 12, dtype=FLOAT)
    for t, now in enumerate(x.detach()):                                                       # Eq. 1, verb by verb
        for verb in order.split():
            if verb == "fire":
                spk = (mem > 1).to(FLOAT)
            mem = {"leak": 0.8 * mem, "add": mem + now, "fire": mem,
                   "reset": mem - spk if reset == "subtract" else (1 - spk) * mem}[verb]
        assert torch.equal(spk, shown[t])


@pytest.mark.parametrize("circle", CIRCLES)
@pytest.mark.parametrize("kind", [0, 1])
def test_the_table_of_circles_is_what_the_listing_does(listing, circle, kind):
    assert {conventions.ring(" ".join(order)) for order in itertools.permutations(VERBS)} == set(CIRCLES)
    x, u, wanted = noise(80, 1, 10), torch.zeros(1, 10, dtype=FLOAT), []
    for now in x:                                                                              # a step from fire to fire
        spk = (u > 1).to(FLOAT)
        wanted.append(spk)
        u = CIRCLES[circle][kind](u, spk, now, 0.8)
    found = listing["run"](x, circle, beta=0.8, reset=("subtract", "zero")[kind])
    assert torch.equal(found, torch.stack(wanted)) and found.sum() > 30


def test_equation_2_is_the_module():
    tau, dt = 7.0, 0.3
    beta = decay_as(tau, "tau", "beta", dt)
    euler = decay_as(beta, "beta", "euler tau", dt)
    assert beta == pytest.approx(math.exp(-dt / tau)) == pytest.approx(1 - decay_as(beta, "beta", "leak"))
    assert beta == pytest.approx(1 - dt / euler) == pytest.approx(1 - dt * decay_as(beta, "beta", "euler rate", dt))


def test_equation_3_is_the_module_and_the_listing(listing):
    """The reset's four numbers and Euler's, by `lateness`; what the notebook measures lies on them (its own asserts)."""
    late, current = conventions.lateness, 2.0
    named = {("leak add fire reset", "subtract"): 1 / 4, ("leak add reset fire", "subtract"): 3 / 4,
             ("leak add fire reset", "value"): 1 / 2, ("leak add reset fire", "value"): 3 / 2}
    for (order, reset), steps in named.items():
        c = Convention(order, scaled=True, reset=reset)
        assert late(c, current) == steps and late(c._replace(decay="euler"), current) == steps - math.log(2) / 2


def test_equation_4_is_the_port_and_the_build():
    """Euler's decay, the factor, the threshold that moves, and a reset to zero."""
    x, node = 6 * noise(40, 2, 12, size=1.0), PRESETS["spikingjelly.LIFNode"]._replace(rest=-0.5, reset_to=-0.5)
    to = port(node, decay_as(4.0, "euler tau", "beta"))
    assert to == (0.25, 0.75, 1.5, "zero", 0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = conventions.ConventionMLP((12, 20, 5), node, 0.75, 0.2).double()
    layers = [(linear.weight.detach(), linear.bias.detach()) for linear in net.linears]
    built = find("22.6").reference(x, layers, 4.0, True, 0.2, -0.5)
    assert torch.equal(built, net(x)[-1].spk) and torch.equal(built, conventions.carry(net)(x)[-1].spk) and built.sum() > 20


# Exercises

def test_the_answers_are_the_modules():
    x = noise(30, 2, 5, size=2.0)
    assert torch.equal(run_convention(x, Convention(find("22.1").reference), 0.8).spk,
                       run_convention(0.8 * x, Convention("leak add fire reset"), 0.8).spk)     # decay * (v + x)
    mem = syn = torch.zeros(2, 5, dtype=FLOAT)
    wanted = run_convention(x.transpose(0, 1), PRESETS["spytorch"], 0.9, 0.8)
    for t, now in enumerate(x):
        spk, mem, syn = find("22.2").reference(now, mem, syn, 0.8, 0.9)
        found = mem, spk.to(FLOAT), syn
        assert all(torch.allclose(one, other[:, t]) for one, other in zip(found, wanted, strict=True))
    assert wanted.spk.sum() > 20 and find("22.3").reference == decay_as(4.0, "euler tau", "beta")


def test_another_step_leaves_the_potential_where_it_was():
    new, factor = answers.other_step(0.9, 1.0, 0.25)
    coarse = lif(torch.full((10, 1, 1), 0.05, dtype=FLOAT), 0.9, reset="none")[1]
    fine = lif(torch.full((40, 1, 1), 0.05 * factor, dtype=FLOAT), new, reset="none")[1]
    assert torch.allclose(fine[3::4], coarse)


def test_the_price_of_a_late_reset_and_the_gradient_through_one():
    x = noise(200, 1, 20)
    price, mem, spk, trains = find("22.5").reference, 0.0, 0.0, []
    for now in x:
        mem = 0.9 * (mem - price * spk) + now
        spk = (mem > 1).to(FLOAT)
        trains.append(spk)
    assert torch.equal(torch.stack(trains), lif(x, 0.9)[0]) and torch.stack(trains).sum() > 100
    h = torch.tensor([[1.5]], requires_grad=True)
    c = Convention("leak add fire reset", reset="value", detach=False, surrogate=lambda u: torch.full_like(u, 0.4))
    mem = conventions.convention_step(h, conventions.start_state(h, c), c, 0.9).mem
    assert torch.autograd.grad(mem.sum(), h)[0].item() == pytest.approx(find("22.8").reference)


def test_no_case_of_the_build_is_at_a_threshold():
    for x, layers, tau, decay_input, v_threshold, v_reset in find("22.6").cases:
        threshold, reset = (v_threshold, "subtract_decayed") if v_reset is None else (v_threshold - v_reset, "zero")
        for weight, bias in layers:
            x, mem = lif((x @ weight.T + bias) / (tau if decay_input else 1), 1 - 1 / tau, threshold, reset=reset)
            assert (mem - threshold).abs().min() > 1e-3 and 0.1 < x.mean() < 0.9


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_cell_after_the_build_runs_with_answers_of_any_dtype(dtype, capsys):
    def carried(*arguments, **named):
        return find("22.6").reference(*arguments, **named).to(dtype)
    assert judge(find("22.6"), carried) == ("right", "")
    (build,) = (cell for cell in code_cells(*notebooks.paths(["22"])) if cell.id == "s4-build")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = conventions.ConventionMLP((64, 20, 10), PRESETS["spikingjelly.LIFNode"], 0.5)
    test, data = torch.rand(30, 64), SimpleNamespace(test_labels=torch.arange(30) % 10)
    with torch.no_grad():
        home = net(study.direct_current(test, 10))[-1].spk
    from snnteach import stored
    execute(build, {"carried": carried, "net": net, "test": test, "data": data, "home": home, "lif": lif, "math": math,
                    "torch": torch, "direct_current": study.direct_current, "stored": stored, "whose": lambda fn: "your code"})
    assert "your code:" in (said := capsys.readouterr().out) and ", 0 spikes differ" in said


# The study

def test_a_copy_with_nothing_left_out_is_the_port():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = conventions.ConventionMLP((64, 30, 10), PRESETS["norse.LIFBoxCell"], 0.9)
    to, x = port(net.convention, net.beta), 2 * torch.rand(10, 5, 64)
    here = study.copied(net, scale=to.scale, beta=to.beta, reset=to.reset)
    assert torch.equal(here(x)[-1].spk, net(x)[-1].spk)
    made = study.mistakes(net)
    right = {"scale": to.scale, "beta": to.beta, "reset": to.reset}
    assert [len([key for key in right if each[key] != right[key]]) for each in made.values()] == [1, 0, 1, 1, 3]
    assert made["exact for Euler"]["beta"] == pytest.approx(math.exp(-0.1)) and made["bias left out"]["bias"] == 1


# What section 6 says of the libraries

def rows_of_section_6():
    """{library: codes in backticks of the two columns}."""
    lines = [line.strip("|").split("|") for line in source("s6-how").splitlines() if line.startswith("|")][2:]
    return {name.strip(): [re.findall("`([^`]*)`", column) for column in columns] for name, *columns in lines}


def test_the_lines_for_snntorch_and_norse_are_the_two_neurons():
    snn = pytest.importorskip("snntorch", reason="the peers extra is not installed")
    norse = pytest.importorskip("norse.torch", reason="the peers extra is not installed")
    x, table, names = noise(60, 2, 12).float(), rows_of_section_6(), {"snn": snn, "LIFBoxCell": norse.LIFBoxCell}
    for (code,), reset in zip(table["snnTorch 1.0.0"], ("zero", "subtract"), strict=True):
        layer, mem, spikes = eval(code, names), torch.zeros(2, 12), []
        for now in x:
            spk, mem = layer(now, mem)
            spikes.append(spk)
        assert torch.equal(torch.stack(spikes), lif(x, 0.9, reset=reset)[0]) and sum(spikes).sum() > 50
    ((code,), (other,)), state, spikes = table["Norse 1.1.0"], None, []
    layer = eval(code, names)
    for now in x:
        spk, state = layer(10 * now, state)
        spikes.append(spk)
    wrong = (torch.stack(spikes) != lif(x, 0.9, reset="zero")[0]).sum()
    assert wrong <= 1 and other == "LIFBoxParameters(reset_method=reset_subtract)"            # 1 - 0.1 and 10 * 0.1 are rounded


def test_the_line_for_spytorch_is_the_default_one_step_later():
    (line,), x, spikes = rows_of_section_6()["spytorch"][1], noise(60, 2, 12), []
    names = {"spike_fn": lambda u: (u > 0).to(FLOAT), "mem": torch.zeros(2, 12, dtype=FLOAT)}
    for now in x:
        exec(line, names | {"x": now}, names)
        spikes.append(names["out"])
    assert torch.equal(torch.stack(spikes)[1:], lif(x, 0.9)[0][:-1])


def test_the_lines_for_spikingjelly_where_it_is_installed():
    neuron = pytest.importorskip("spikingjelly.activation_based.neuron", reason="SpikingJelly is not installed")
    (code,), (other,) = rows_of_section_6()["SpikingJelly 2.0.0"]
    x = noise(60, 2, 12)
    for text, reset in ((code, "zero"), (code[:-1] + f", {other})", "subtract_decayed")):
        layer = eval(text, {"LIFNode": neuron.LIFNode})
        layer.step_mode = "m"
        assert torch.equal(layer(x), lif(x, 0.9, reset=reset)[0]) and code.count("detach_reset=True") == 1


# The explorers

def test_walking_in_plain_numbers_is_the_module():
    x = noise(80, size=2.0)
    rest = PRESETS["spikingjelly.LIFNode"]._replace(rest=-0.3, reset_to=-0.3, scaled=False)
    for name, c in {**PRESETS, "rest": rest}.items():
        synapse = "fade" in c.order
        run = run_convention(x[:, None, None] if not c.batch_first else x[None, :, None], c, 0.8, 0.5 if synapse else None)
        mems, spks = explorers.walk(x.tolist(), c, 0.8, 0.5)
        assert torch.equal(torch.tensor(spks, dtype=FLOAT), run.spk.flatten()), name
        assert torch.allclose(torch.tensor(mems, dtype=FLOAT), run.mem.flatten(), atol=1e-12)


def test_the_picture_of_five_neurons():
    for picture, s in pictures("conventions.five", 8):
        reset = "value" if s["reset"] == "to zero" else "subtract"
        yours = Convention(s["order"], scaled=s["scaled"] == "1 - beta", reset=reset)
        x = torch.full((50, 1, 1), s["current"], dtype=FLOAT)
        for name, c in {**{name: PRESETS[preset] for name, preset in explorers.SHOWN.items()}, "yours": yours}.items():
            run = run_convention(x.transpose(0, 1) if c.batch_first else x, c, s["beta"], 0.5 if "fade" in c.order else None)
            fired = run.spk.flatten().nonzero().flatten().tolist()
            mine = name == "yours"
            picture.line(f"{name}: mem", range(50), run.mem.flatten().clamp(-0.5, 2.0), "vermillion" if mine else "blue",
                         "--" if mine else "-")
            picture.points(f"{name}: spk", fired, [2.5] * len(fired), "black", "|")
            picture.says(f"{name}: says", "{}", len(fired), at=(50.5, 1.35))


def test_the_picture_of_the_steps():
    for picture, s in pictures("conventions.steps", 8):
        c = Convention(s["order"], scaled=True, reset="value" if s["reset"] == "to zero" else "subtract")
        count = math.floor(3 / s["step"] + 1e-9)
        run = run_convention(torch.full((count, 1, 1), s["current"], dtype=FLOAT), c, math.exp(-s["step"]))
        times = [s["step"] * (n + 1) for n in range(count)]
        fired = [times[n] for n in run.spk.flatten().nonzero().flatten().tolist()]
        interval = first_spike_time(s["current"], tau=1.0)
        exact = [n * interval for n in range(1, 1 + math.floor(3 / interval))]
        fine = [n / 100 for n in range(301)]
        picture.line("smooth", fine, [s["current"] * (1 - math.exp(-(time % interval))) for time in fine], "black",
                     label="continuous")
        picture.points("exact", exact, [1.9] * len(exact), "black", "|")
        picture.line("mem", times, run.mem.flatten().clamp(-0.5, 1.7), "vermillion", marker="o", label="with steps")
        picture.points("fired", fired, [1.75] * len(fired), "vermillion", "|")
        picture.says("says", "{} spikes, continuous {}; by Eq. 3 an interval is {} too long", len(fired), len(exact),
                     s["step"] * conventions.lateness(c, s["current"]))


def test_what_stands_behind_the_pictures():
    behind = background("conventions.five")
    for place, name in enumerate((*explorers.SHOWN, "yours")):
        behind.axes(str(place), "", ("time step" if place == 4 else "", -0.5, 56.5), (name.replace(" ", "\n"), -0.6, 2.95),
                    yticks={0: "0", 1: "1"})
        behind.rule(f"{place}.line0", "0.45", "--", y=1)
    behind.done()
    behind = background("conventions.steps")
    behind.axes("0", "", ("time (time constants)", 0, 3), ("membrane potential (threshold)", -0.6, 2.35),
                yticks={0: "0", 1: "1"}, legend=("continuous", "with steps"))
    behind.rule("0.line0", "0.45", "--", y=1)
    behind.done()
