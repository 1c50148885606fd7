"""The switchboard is each library step by step, forward and backward; its circles, ports and lateness are what they say.

snnTorch and Norse run here. SpikingJelly and spytorch ran where `conventions_observed.json` was made, which says how; where
SpikingJelly is installed its runs are repeated (`pip install --no-deps --target somewhere spikingjelly==2.0.0 loguru`).
"""
import copy
import itertools
import json
import math
from pathlib import Path

import pytest
import torch

from snnteach.conventions import (
    FORMS,
    PRESETS,
    VERBS,
    Convention,
    ConventionMLP,
    Membrane,
    carry,
    convention_step,
    decay_as,
    lateness,
    port,
    ring,
    run_convention,
    start_state,
)
from snnteach.membrane import decay_from_tau, firing_rate
from snnteach.neurons import lif
from snnteach.surrogate import atan, fast_sigmoid
from snnteach.zoo import cuba_lif

FLOAT = torch.float64
OBSERVED = json.loads(Path(__file__).with_name("conventions_observed.json").read_text())["cases"]
ORDERS = [" ".join(order) for order in itertools.permutations(VERBS)]


def drive(size=0.6, shape=(40, 3, 8), seed=5, low=0.0):
    noise = torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=FLOAT)
    return (low + (size - low) * noise).requires_grad_()


def graded(spk, x):
    """The gradient by x of a sum of spikes in which each has a weight of its own."""
    weight = torch.rand(spk.shape, generator=torch.Generator().manual_seed(6), dtype=FLOAT)
    return torch.autograd.grad((weight * spk).sum(), x)[0]


def looped(layer, x, state, read):
    """Run a peer step by step: spikes, and what `read` finds in its state."""
    spikes, seen = [], []
    for now in x:
        spk, *state = layer(now, *state)
        spikes.append(spk)
        seen.append(read(state))
    return torch.stack(spikes).to(FLOAT), torch.stack(seen)


# The libraries that run here

@pytest.mark.parametrize(("name", "options"), [
    ("snntorch.Leaky", {}), ("snntorch.Leaky zero", {"reset_mechanism": "zero"}),
    ("snntorch.Synaptic", {}), ("snntorch.Synaptic zero", {"reset_mechanism": "zero"})])
def test_snntorch_step_by_step(name, options):
    snntorch = pytest.importorskip("snntorch", reason="the peers extra is not installed")
    two = "Synaptic" in name
    make = snntorch.Synaptic if two else snntorch.Leaky
    layer = make(beta=0.9, **({"alpha": 0.8} if two else {}), **options).double()
    layer.beta, layer.threshold = (torch.tensor(value, dtype=FLOAT) for value in (0.9, 1.0))
    if two:
        layer.alpha = torch.tensor(0.8, dtype=FLOAT)
    x = drive(0.3 if two else 0.6)
    zero = torch.zeros_like(x[0])
    spk, parts = looped(layer, x, [zero] * (2 if two else 1), torch.stack)
    ours = run_convention(x, PRESETS[name], 0.9, 0.8 if two else None)
    shown = torch.stack([ours.syn, ours.mem] if two else [ours.mem], 1)
    assert torch.equal(ours.spk, spk) and 0.1 < spk.mean() < 0.9 and torch.allclose(shown, parts, rtol=0, atol=1e-10)
    grad = graded(spk, x)
    assert torch.allclose(graded(ours.spk, x), grad, rtol=0, atol=5e-6) and grad.abs().max() > 0.1   # its pi is single


@pytest.mark.parametrize("name", ["norse.LIFBoxCell", "norse.LIFCell"])
def test_norse_step_by_step(name):
    pytest.importorskip("norse.torch", reason="the peers extra is not installed")
    from norse.torch.functional import lif as two
    from norse.torch.functional import lif_box as one

    x, dt = drive(6.0 if "Box" in name else 3.0), 1e-3
    zero = torch.zeros_like(x[0])
    inverse = {"tau_mem_inv": torch.tensor(100.0, dtype=FLOAT)}
    if "Box" in name:
        step, state = one.lif_box_feed_forward_step, one.LIFBoxFeedForwardState(zero)
        parameters = one.LIFBoxParameters(**inverse)
    else:
        step, state = two.lif_feed_forward_step, two.LIFFeedForwardState(v=zero, i=zero)
        parameters = two.LIFParameters(tau_syn_inv=torch.tensor(200.0, dtype=FLOAT), **inverse)
    spk, parts = looped(lambda now, state: step(now, state, parameters, dt), x, [state], lambda state: torch.stack([*state[0]]))
    beta, alpha = decay_as(100.0, "euler rate", "beta", dt), decay_as(200.0, "euler rate", "beta", dt)
    ours = run_convention(x, PRESETS[name], beta, None if "Box" in name else alpha)
    shown = torch.stack([ours.mem] if "Box" in name else [ours.mem, ours.syn], 1)
    assert torch.equal(ours.spk, spk) and 0.1 < spk.mean() < 0.9 and torch.allclose(shown, parts, rtol=0, atol=1e-10)
    grad = graded(spk, x)
    assert torch.allclose(graded(ours.spk, x), grad, rtol=0, atol=1e-8) and grad.abs().max() > 0.01


# The libraries that were run elsewhere

def observed_drive(case):
    count = torch.arange(1, 16 * 2 * 3 + 1, dtype=FLOAT)
    x = case["size"] * (count * 0.6180339887498949 % 1 * 1024).round() / 1024
    return x.reshape(16, 2, 3)


def convention_of(name):
    jelly = PRESETS["spikingjelly.LIFNode"]
    return {"default": jelly, "decay_input=False": PRESETS["spikingjelly.LIFNode decay_input=False"],
            "v_reset=None": PRESETS["spikingjelly.LIFNode v_reset=None"],
            "v_reset=-0.5": jelly._replace(rest=-0.5, reset_to=-0.5),
            "detach_reset=True, ATan": jelly._replace(detach=True, surrogate=atan()), "spytorch": PRESETS["spytorch"]}[name]


@pytest.mark.parametrize("name", OBSERVED)
def test_spikingjelly_and_spytorch_as_they_were_observed(name):
    case, convention, x = OBSERVED[name], convention_of(name), observed_drive(OBSERVED[name])
    x = (x.transpose(0, 1).clone() if convention.batch_first else x).requires_grad_()
    beta = case["beta"] if "beta" in case else decay_as(case["tau"], "euler tau", "beta")
    ours = run_convention(x, convention, beta, case.get("alpha"))
    weights = (torch.arange(96, dtype=FLOAT) % 7 + 1).reshape(ours.spk.shape)
    (grad,) = torch.autograd.grad((weights * ours.spk).sum(), x)
    assert "".join(str(int(spk)) for spk in ours.spk.flatten().tolist()) == case["spk"] and case["spk"].count("1") > 20
    for found, seen in ((ours.mem, case["mem"]), (grad, case["grad"])):
        assert torch.allclose(found.detach().flatten(), torch.tensor(seen, dtype=FLOAT), rtol=0, atol=1e-6)
    assert grad.abs().max() > 0.5


@pytest.mark.parametrize(("name", "options"), [
    ("default", {"tau": 2.0}), ("decay_input=False", {"tau": 4.0, "decay_input": False}),
    ("v_reset=None", {"tau": 4.0, "v_reset": None}), ("v_reset=-0.5", {"tau": 4.0, "v_reset": -0.5})])
def test_spikingjelly_where_it_is_installed(name, options):
    neuron = pytest.importorskip("spikingjelly.activation_based.neuron", reason="SpikingJelly is not installed")
    x = drive(6.0)
    layer = neuron.LIFNode(step_mode="m", store_v_seq=True, **options)
    spk, ours = layer(x), run_convention(x, convention_of(name), decay_as(options["tau"], "euler tau", "beta"))
    assert torch.equal(ours.spk, spk) and spk.mean() > 0.1 and torch.allclose(ours.mem, layer.v_seq, rtol=0, atol=1e-10)
    assert torch.allclose(graded(ours.spk, x), graded(spk, x), rtol=0, atol=1e-10)


# The course

@pytest.mark.parametrize(("convention", "reset"), [
    (PRESETS["snnteach"], "subtract"), (Convention("reset leak add fire"), "subtract_decayed"),
    (Convention("reset leak add fire", reset="value"), "zero"), (Convention(reset="none"), "none")])
@pytest.mark.parametrize("detach", [True, False])
def test_the_course_is_four_of_the_conventions(convention, reset, detach):
    x = drive(low=-0.1)
    ours, (spk, mem) = run_convention(x, convention._replace(detach=detach), 0.9), lif(x, 0.9, reset=reset, detach_reset=detach)
    assert torch.equal(ours.spk, spk) and spk.sum() > 50 and torch.allclose(ours.mem, mem, rtol=0, atol=1e-12)
    assert torch.allclose(graded(ours.spk, x), graded(spk, x), rtol=0, atol=1e-10)


def test_the_synaptic_neuron_is_that_of_the_zoo_and_spytorch_is_it_two_steps_later():
    x = drive(0.3)
    ours, spk = run_convention(x, PRESETS["snntorch.Synaptic"], 0.9, 0.8), cuba_lif(x, 0.8, 0.9)[0]
    assert torch.equal(ours.spk, spk) and spk.sum() > 50
    late = run_convention(x.transpose(0, 1), PRESETS["spytorch"], 0.9, 0.8).spk.transpose(0, 1)
    assert torch.equal(late[2:], spk[:-2]) and not late[:2].any()             # old current, and spikes told a step late


# Steps, layouts, switches

def test_a_run_is_its_steps_and_each_verb_does_what_it_says():
    c = Convention("hear add fire leak fade reset", scaled=True, reset="value", reset_to=-0.2, rest=0.1, strict=False)
    x = drive(1.5).detach()
    state, record = start_state(x[0], c), run_convention(x, c, 0.7, 0.6, 0.8)
    mem, syn = torch.full_like(x[0], 0.1), torch.zeros_like(x[0])
    for t, now in enumerate(x):
        state = convention_step(now, state, c, 0.7, 0.6, 0.8)
        syn = syn + now
        mem = mem + 0.3 * syn
        spk = mem >= 0.8
        mem = torch.where(spk, torch.full_like(mem, -0.2), 0.1 + 0.7 * (mem - 0.1))
        syn = 0.6 * syn
        assert torch.equal(state.spk, spk.to(FLOAT)) and torch.equal(record.spk[t], state.spk)
        assert torch.allclose(state.mem, mem) and torch.allclose(record.mem[t], mem) and torch.allclose(record.syn[t], syn)
    assert 0.1 < record.spk.mean() < 0.9


def test_the_threshold_itself_fires_where_it_is_not_strict():
    x = torch.full((2, 1, 1), 0.5, dtype=FLOAT)
    trains = [run_convention(x, Convention(strict=strict), 1.0).spk.flatten().tolist() for strict in (True, False)]
    assert trains == [[0.0, 0.0], [0.0, 1.0]]


def test_batch_first_is_the_same_numbers_in_another_layout():
    x, c = drive(), Convention()
    there = run_convention(x.transpose(0, 1), c._replace(batch_first=True), 0.9)
    assert torch.equal(there.spk.transpose(0, 1), run_convention(x, c, 0.9).spk)


def test_the_detached_reset_and_the_surrogate_change_the_gradient_alone():
    x = drive()
    switched = Convention(), Convention(detach=False), Convention(surrogate=fast_sigmoid())
    runs = [run_convention(x, c, 0.9).spk for c in switched]
    assert torch.equal(runs[0], runs[1]) and torch.equal(runs[0], runs[2])
    first, *others = (graded(spk, x) for spk in runs)
    assert all((first - other).abs().max() > 0.05 for other in others)


# Circles and ports

def test_circles_are_turned_and_there_are_six():
    assert {ring(order) for order in ORDERS} == {order for order in ORDERS if order.startswith("fire")}
    assert all(ring(f"{order} {order}".split(" ", 1)[1].rsplit(" ", 3)[0]) == ring(order) for order in ORDERS)
    assert ring("fire leak add reset fade hear") == "fire leak add reset fade hear"


@pytest.mark.parametrize(("reset", "distinct"), [("subtract", 4), ("value", 4), ("none", 2)])
def test_24_orders_are_four_neurons(reset, distinct):
    x, trains = drive(0.7, (200, 1, 20), low=-0.1).detach(), {}
    for order in ORDERS:
        lag = int(order.index("fire") < order.index("add"))
        spk = run_convention(x, Convention(order, reset=reset), 0.8).spk[lag:199 + lag]
        trains.setdefault(tuple(spk.flatten().tolist()), []).append(ring(order))
    assert len(trains) == distinct and min(map(sum, trains)) > 300
    assert all(len({ring(order) for order in orders} & set(others)) == 0                      # a circle is in one group only
               for orders, others in itertools.permutations(trains.values(), 2))


@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("reset", ["subtract", "value", "none"])
def test_a_port_fires_the_same_spikes(reset, scaled):
    x, ported = drive(5.0 if scaled else 0.9, (80, 2, 20), low=-0.2).detach(), 0
    for order in ORDERS:
        c = Convention(order, scaled=scaled, reset=reset)
        if reset == "value" and ring(order).index("add") < ring(order).index("reset"):
            with pytest.raises(ValueError, match="port: convention must reset before it adds"):
                port(c, 0.75)
            continue
        to, spk = port(c, 0.75, 0.9), run_convention(x, c, 0.75, threshold=0.9).spk
        ours = lif(to.scale * x, to.beta, to.threshold, reset=to.reset)[0]
        assert torch.equal(ours[:len(x) - to.lag], spk[to.lag:]) and spk.sum() > 200
        ported += 1
    assert ported == (12 if reset == "value" else 24)


def test_a_rest_moves_into_the_threshold():
    x, c = drive(6.0).detach(), PRESETS["spikingjelly.LIFNode"]._replace(rest=-0.5, reset_to=-0.5)
    to = port(c, 0.75, 1.0)
    assert to == (0.25, 0.75, 1.5, "zero", 0)
    assert torch.equal(lif(0.25 * x, 0.75, 1.5, reset="zero")[0], run_convention(x, c, 0.75).spk)


# Decays

def test_every_form_there_and_back():
    assert decay_as(0.9, "beta", "tau") == pytest.approx(-1 / math.log(0.9)) and decay_as(0.9, "beta", "leak") == 1 - 0.9
    assert decay_as(20e-3, "tau", "beta", 1e-3) == decay_from_tau(20e-3, 1e-3)
    assert decay_as(100.0, "euler rate", "euler tau", 1e-3) == pytest.approx(0.01)
    for given, wanted in itertools.product(FORMS, FORMS):
        there = decay_as(0.7, "beta", given, 0.3)
        assert decay_as(decay_as(there, given, wanted, 0.3), wanted, "beta", 0.3) == pytest.approx(0.7, rel=1e-12)
    exact, euler = decay_as(5.0, "tau", "beta"), decay_as(5.0, "euler tau", "beta")           # F1
    assert exact - euler == pytest.approx(0.02, rel=0.07) and euler == 0.8 and exact == pytest.approx(0.818731, abs=1e-6)


# The continuous neuron

CURRENTS = torch.linspace(1.6, 2.4, 101, dtype=FLOAT)


def measured_lateness(c, dt):
    """Mean interval over that of the continuous neuron with tau = 1, in steps a spike."""
    beta = math.exp(-dt) if c.decay == "exp" else 1 - dt
    spk = run_convention(CURRENTS.expand(int(40 / dt), 1, -1), c, beta).spk[:, 0]
    steps = torch.arange(len(spk), dtype=FLOAT)[:, None]
    first, last = torch.where(spk > 0, steps, math.inf).amin(0), torch.where(spk > 0, steps, -1.0).amax(0)
    exact = torch.tensor([1 / firing_rate(current, tau=1.0) for current in CURRENTS.tolist()], dtype=FLOAT)
    return ((last - first) / (spk.sum(0) - 1) - exact / dt).mean().item()


@pytest.mark.parametrize("c", [Convention(order, scaled=True, reset=reset, decay=decay) for order, reset, decay in (
    ("leak add fire reset", "subtract", "exp"), ("leak add reset fire", "subtract", "exp"),
    ("leak add fire reset", "value", "exp"), ("leak add reset fire", "value", "exp"),
    ("leak add fire reset", "value", "euler"), ("add leak reset fire", "subtract", "exp"))])
def test_intervals_come_late_by_so_many_steps(c):
    predicted = sum(lateness(c, current) for current in CURRENTS.tolist()) / len(CURRENTS)
    assert measured_lateness(c, 0.02) == pytest.approx(predicted, abs=0.05 if c.order.startswith("leak") else 0.12)


# What is refused

X, STATE = torch.rand(5, 2, 3), Membrane(torch.zeros(2, 3), torch.zeros(2, 3))


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: run_convention(X, "snntorch.Leaky", 0.9), TypeError, "run_convention: convention must be a Convention"),
    (lambda: run_convention(X[0], Convention(), 0.9), ValueError, "run_convention: x must be"),
    (lambda: run_convention(X * math.nan, Convention(), 0.9), ValueError, "run_convention: x holds NaN"),
    (lambda: run_convention(X, Convention("leak add fire"), 0.9), ValueError, "run_convention: order of convention must hold"),
    (lambda: run_convention(X, Convention(None), 0.9), TypeError, "run_convention: order of convention must be a text"),
    (lambda: run_convention(X, Convention(reset="hard"), 0.9), ValueError, "run_convention: reset of convention must be one"),
    (lambda: run_convention(X, Convention(decay="tau"), 0.9), ValueError, "run_convention: decay of convention must be one"),
    (lambda: run_convention(X, Convention(scaled=2), 0.9), TypeError, "run_convention: scaled of convention must be True or"),
    (lambda: run_convention(X, Convention(surrogate=atan), 0.9), TypeError, "run_convention: surrogate of convention"),
    (lambda: run_convention(X, Convention(), 1.1), ValueError, "run_convention: beta must be"),
    (lambda: run_convention(X, Convention(), 0.9, 0.5), ValueError, "run_convention: alpha must be given where"),
    (lambda: run_convention(X, PRESETS["spytorch"], 0.9), ValueError, "run_convention: alpha must be given where"),
    (lambda: run_convention(X, Convention(), 0.9, threshold=0), ValueError, "run_convention: threshold must be above 0"),
    (lambda: run_convention(X, Convention(rest=1.0), 0.9), ValueError, "run_convention: threshold must be above 0 and above"),
    (lambda: convention_step(X, STATE, Convention(), 0.9), ValueError, "convention_step: mem of state must be"),
    (lambda: convention_step(X[0], STATE[:2], Convention(), 0.9), TypeError, "convention_step: state must be a Membrane"),
    (lambda: convention_step(X[0], STATE, PRESETS["spytorch"], 0.9, 0.8), ValueError, "convention_step: syn of state must be"),
    (lambda: start_state(X[0, 0], Convention()), ValueError, "start_state: x must be"),
    (lambda: ring("leak add"), ValueError, "ring: order of order must hold"),
    (lambda: decay_as(1.0, "tau", "half-life"), ValueError, "decay_as: wanted must be one of"),
    (lambda: decay_as(1.0, "euler tau", "beta"), ValueError, "decay_as: value must be a decay whose beta lies between"),
    (lambda: decay_as(-1.0, "tau", "beta"), ValueError, "decay_as: value must be a decay"),
    (lambda: port(PRESETS["norse.LIFCell"], 0.9), ValueError, "port: convention must have no synapse"),
    (lambda: port(Convention(reset="value", reset_to=0.2), 0.9), ValueError, "port: convention must reset to its rest"),
    (lambda: port(Convention(rest=0.2), 0.9), ValueError, "port: convention must have a rest of 0"),
    (lambda: lateness(Convention(), 2.0), ValueError, "lateness: convention must be scaled"),
    (lambda: lateness(Convention(scaled=True), 1.0), ValueError, "lateness: current must be above the threshold"),
])
def test_what_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


# Networks

@pytest.mark.parametrize("name", [
    "norse.LIFBoxCell", "spikingjelly.LIFNode v_reset=None", "snntorch.Leaky", "snntorch.Leaky zero"])
def test_a_network_is_carried_with_all_its_spikes_and_gradients(name):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = ConventionMLP((12, 30, 20, 5), PRESETS[name], 0.8, 0.25).double()
    x = drive(5.0, (20, 8, 12))
    here, there = carry(net)(x), net(x)
    assert all(torch.equal(one.spk, other.spk) and one.spk.sum() > 50 for one, other in zip(here, there, strict=True))
    ours, theirs = (graded(records[-1].spk, x) for records in (here, there))
    assert torch.allclose(ours, theirs, rtol=0, atol=1e-9) and ours.any()
    if "Leaky" in name:
        assert all(torch.equal(own, other) for own, other in zip(net.parameters(), carry(net).parameters(), strict=True))


def test_a_scaled_network_starts_awake():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = ConventionMLP((12, 30), PRESETS["norse.LIFBoxCell"], 0.9)
        torch.manual_seed(0)
        plain = torch.nn.Linear(12, 30)
    assert torch.allclose(net.linears[0].weight, 10 * plain.weight) and torch.allclose(net.linears[0].bias, 10 * plain.bias)


def test_adam_moves_a_carried_network_alike_at_a_rate_that_is_scaled():
    """The answer to exercise 22.7; at the old rate the two part."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = ConventionMLP((12, 30, 5), PRESETS["norse.LIFBoxCell"], 0.9, 0.5).double()
    x, losses = drive(3.0, (10, 16, 12)).detach(), {}
    for name, learner, rate in (("there", copy.deepcopy(net), 0.01), ("scaled", carry(net), 0.001), ("old", carry(net), 0.01)):
        optimiser = torch.optim.Adam(learner.parameters(), lr=rate)
        losses[name] = []
        for _ in range(8):
            loss = (learner(x)[-1].spk.mean(0) - torch.eye(5, dtype=FLOAT).repeat(4, 1)[:16]).square().sum()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses[name].append(loss.item())
    assert losses["there"] == pytest.approx(losses["scaled"]) and losses["there"][-1] < losses["there"][0]
    assert losses["old"][1:] != pytest.approx(losses["there"][1:], rel=0.01)


# Traps, as of the versions that notebook 22 names. If one of these fails, the peer was mended: update the notebook.

def snn_spikes(layer, x, *state):
    return looped(layer, x, list(state), lambda state: state[-1])


def test_snntorch_loses_spikes_where_it_resets_at_once():
    snntorch = pytest.importorskip("snntorch", reason="the peers extra is not installed")
    pulse = torch.zeros(6, 1, 1)
    pulse[0] = 2.6
    spk, mem = snn_spikes(snntorch.Leaky(beta=0.9, reset_delay=False), pulse, torch.zeros(1, 1))
    assert spk.flatten().tolist() == [1, 0, 0, 0, 0, 0] and mem[1:3].min() > 1
    assert run_convention(pulse, Convention("leak add fire reset"), 0.9).spk.flatten().tolist() == [1, 1, 0, 0, 0, 0]


def test_snntorch_decays_by_another_beta_than_it_was_given():
    snntorch = pytest.importorskip("snntorch", reason="the peers extra is not installed")
    for beta in (0.5, 0.3):
        kept = snntorch.Lapicque(beta=beta)(torch.zeros(1, 1), torch.full((1, 1), 0.5))[1] / 0.5
        assert kept.item() == pytest.approx(1 + math.log(beta), abs=1e-6)
    impulse = torch.zeros(4, 1, 1)
    impulse[0] = 1
    mem = snntorch.StateLeaky(beta=0.9, channels=1, threshold=9.0)(impulse)
    mem = (mem[1] if isinstance(mem, tuple) else mem).flatten()
    assert (mem[1:] / mem[:-1]).tolist() == pytest.approx([math.exp(-0.1)] * 3, abs=1e-5)


def test_snntorch_takes_no_other_reset_after_construction():
    snntorch = pytest.importorskip("snntorch", reason="the peers extra is not installed")
    layer, plain = snntorch.Leaky(beta=0.9), snntorch.Leaky(beta=0.9)
    layer.reset_mechanism = "zero"
    x = torch.full((50, 1, 1), 0.3)
    assert torch.equal(*(snn_spikes(one, x, torch.zeros(1, 1))[0] for one in (layer, plain)))


def test_norse_keeps_the_reset_in_one_gradient_and_not_in_the_other():
    pytest.importorskip("norse.torch", reason="the peers extra is not installed")
    from norse.torch.functional import lif as norse

    zero, slopes = torch.zeros(1, 1), []
    for recurrent in (True, False):
        x = torch.full((1, 1), 12.0, requires_grad=True)
        if recurrent:
            _, state = norse.lif_step(x, norse.LIFState(z=zero, v=zero, i=zero), torch.ones(1, 1), zero, norse.LIFParameters())
        else:
            _, state = norse.lif_feed_forward_step(x, norse.LIFFeedForwardState(v=zero, i=zero), norse.LIFParameters())
        slopes.append(torch.autograd.grad(state.v.sum(), x)[0].item())
    assert slopes == pytest.approx([0.0, -0.1 * 1.2 / 1.2**2])                       # dt / tau, times -h / (1 + |h - 1|)^2


def test_norse_subtracts_before_the_leak():
    """What section 6 of the notebook says: with reset_subtract Norse is `subtract_decayed`."""
    pytest.importorskip("norse.torch", reason="the peers extra is not installed")
    from norse.torch.functional import lif_box
    from norse.torch.functional.reset import reset_subtract

    x, state = drive().detach(), lif_box.LIFBoxFeedForwardState(torch.zeros(3, 8, dtype=FLOAT))
    parameters = lif_box.LIFBoxParameters(tau_mem_inv=torch.tensor(100.0, dtype=FLOAT), reset_method=reset_subtract)
    spk, _ = looped(lambda now, state: lif_box.lif_box_feed_forward_step(10 * now, state, parameters), x, [state],
                    lambda state: state[0].v)
    assert torch.equal(spk, lif(x, 0.9, reset="subtract_decayed")[0]) and spk.mean() > 0.1


def test_spikingjelly_wants_a_float_above_1_and_keeps_its_state():
    neuron = pytest.importorskip("spikingjelly.activation_based.neuron", reason="SpikingJelly is not installed")
    for tau in (1.0, 2):
        with pytest.raises(AssertionError):
            neuron.LIFNode(tau=tau)
    node = neuron.LIFNode(tau=2.0, decay_input=False, v_reset=None, step_mode="m")
    assert node(torch.ones(1, 1, 1)).item() == 1                                     # at the threshold itself
    node = neuron.LIFNode(tau=2.0, step_mode="m")
    x = torch.full((3, 1, 1), 1.9)
    node(torch.full((3, 1, 1), 0.9))
    kept = node(x)
    node.reset()
    assert not torch.equal(kept, node(x))
