"""Exported graphs equal their network to the last spike, by our reader, through a file of NIR's, and in two peers."""
import io
import math

import numpy as np
import pytest
import torch

from snnteach import exchange
from snnteach.networks import SpikingMLP, direct_current
from snnteach.neurons import RESETS

FLOAT = torch.float64
nir = pytest.importorskip("nir")


def noise(seed, *shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=FLOAT)


def network(seed=0, sizes=(12, 30, 20, 5), dtype=FLOAT, **options):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return SpikingMLP(sizes, **{"threshold": 0.4, **options}).to(dtype)


def through_a_file(graph, path):
    """What nir makes of a graph: dict, nodes, file, nodes, dict."""
    nodes = {name: {key: value if isinstance(value, str) else value.numpy() for key, value in node.items()}
             for name, node in graph["nodes"].items()}
    nir.write(path, nir.NIRGraph.from_dict({**graph, "nodes": nodes}))
    back = nir.read(path).to_dict()
    back["nodes"] = {name: {key: torch.as_tensor(np.asarray(value)) for key, value in node.items()
                            if key not in ("type", "metadata")} | {"type": node["type"]}
                     for name, node in back["nodes"].items()}
    return back


def spikes_of(sent, layers):
    return [sent[f"spikes{number}"] for number in range(1, layers + 1)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("reset", RESETS)
def test_the_graph_is_the_network(reset, dtype):
    net, x = network(reset=reset, dtype=dtype), direct_current(2 * noise(1, 40, 12).to(dtype), 25)
    with torch.no_grad():
        records = net(x)
    for spk, record in zip(spikes_of(exchange.run_graph(exchange.export_graph(net), x), 3), records, strict=True):
        assert torch.equal(spk, record.spk) and spk.sum() > 50


@pytest.mark.parametrize("reset", RESETS)
def test_a_file_changes_nothing(reset, tmp_path):
    net, x = network(reset=reset, readout="membrane"), 2 * noise(2, 25, 40, 12)
    graph = exchange.export_graph(net)
    sent = exchange.run_graph(through_a_file(graph, tmp_path / "net.nir"), x)
    with torch.no_grad():
        records = net(x)
    for spk, record in zip(spikes_of(sent, 2), records[:-1], strict=True):
        assert torch.equal(spk, record.spk)
    assert torch.allclose(sent["readout"], records[-1].mem, rtol=0, atol=1e-12)
    assert torch.equal(sent["output"], sent["readout"])


@pytest.mark.parametrize("dt", [1e-4, 1e-3, 0.5])
def test_a_graph_is_right_at_its_own_step_and_at_no_other(dt):
    net, x = network(reset="zero"), 2 * noise(3, 25, 40, 12)
    graph = exchange.export_graph(net, dt)
    tau, r = (graph["nodes"]["spikes1"][name] for name in ("tau", "r"))
    assert torch.allclose(tau, torch.full_like(tau, dt / (1 - 0.9))) and torch.allclose(r * dt / tau, torch.ones_like(r))
    wanted = net(x)[0].spk
    for given in (None, dt, float(np.float32(dt))):
        assert torch.equal(exchange.run_graph(graph, x, given)["spikes1"], wanted)
    with pytest.raises(ValueError, match="dt must be the step that the graph was written for"):
        exchange.run_graph(graph, x, dt / 2)
    for metadata in ({}, None, {"dt": None}):                                        # without a note the caller decides
        silent = {**graph, "metadata": metadata}
        assert torch.equal(exchange.run_graph(silent, x, dt)["spikes1"], wanted)
        assert not torch.equal(exchange.run_graph(silent, x, dt / 2)["spikes1"], wanted)
        assert torch.equal(exchange.run_graph(silent, x)["spikes1"], wanted) == (dt == 1e-4)


@pytest.mark.parametrize("dt", [1e-4, 1e-3, 0.5])
def test_the_note_of_the_step_survives_a_file(dt, tmp_path):
    net, x = network(reset="zero"), 2 * noise(3, 25, 40, 12)
    back = through_a_file(exchange.export_graph(net, dt), tmp_path / "net.nir")
    assert back["metadata"]["dt"] == dt
    assert torch.equal(exchange.run_graph(back, x)["spikes1"], net(x)[0].spk)


def test_a_tau_from_the_exponential_is_another_neuron_by_euler():
    net, x = network(reset="zero"), 0.5 * noise(4, 25, 40, 12)
    graph = exchange.export_graph(net)
    for number in (1, 2, 3):
        node = graph["nodes"][f"spikes{number}"]
        node["tau"] = -1e-4 / torch.full_like(node["tau"], 0.9).log()              # beta = exp(-dt / tau)
        node["r"] = node["tau"] / 1e-4
    wrong, spk = exchange.run_graph(graph, x)["spikes1"], net(x)[0].spk
    assert 0.01 < (wrong != spk).double().sum() / spk.sum() < 0.5


def test_learned_and_different_decays_come_along():
    net = network(reset="zero", learn_beta=True)
    for neuron, beta in zip(net.neurons, (0.7, 0.8, 0.95), strict=True):
        torch.nn.init.constant_(neuron.logit_beta, math.log(beta / (1 - beta)))
    x = 3 * noise(5, 25, 40, 12)
    for spk, record in zip(spikes_of(exchange.run_graph(exchange.export_graph(net), x), 3), net(x), strict=True):
        assert torch.equal(spk, record.spk)
    beta = torch.linspace(0.5, 0.95, 30, dtype=FLOAT)
    net.neurons[0].__init__(beta, 0.4, reset="subtract")
    assert torch.equal(exchange.run_graph(exchange.export_graph(net), x)["spikes1"], net(x)[0].spk)


def test_nodes_do_what_nir_says():
    numbers = {name: torch.tensor([value, value], dtype=FLOAT) for name, value in
               (("tau", 0.01), ("r", 2.0), ("v_leak", 0.3), ("v_threshold", 0.9), ("v_reset", 0.2))}
    nodes = {"in": {"type": "Input"}, "scale": {"type": "Scale", "scale": torch.tensor([1.0, 2.0], dtype=FLOAT)},
             "linear": {"type": "Linear", "weight": torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=FLOAT)},
             "late": {"type": "Delay", "delay": torch.tensor([3e-3, 3e-3])}, "lif": {"type": "LIF", **numbers},
             "li": {"type": "LI", **{name: numbers[name] for name in ("tau", "r", "v_leak")}}, "out": {"type": "Output"}}
    edges = [("late", "lif"), ("in", "scale"), ("scale", "linear"), ("linear", "late"), ("late", "li"), ("lif", "out")]
    x = noise(6, 50, 3, 2)
    sent = exchange.run_graph({"nodes": nodes, "edges": edges}, x, dt=1e-3)
    late = torch.cat([torch.zeros(3, 3, 2, dtype=FLOAT), torch.stack([2 * x[..., 1], x[..., 0]], 2)])[:50]
    v = w = torch.zeros(3, 2, dtype=FLOAT)
    for t in range(50):
        v, w = (u + 0.1 * (0.3 - u + 2 * late[t]) for u in (v, w))
        spk = v > 0.9
        assert torch.equal(sent["lif"][t], spk.to(FLOAT)) and torch.allclose(sent["li"][t], w)
        v = torch.where(spk, torch.full_like(v, 0.2), v)
    assert torch.equal(sent["late"], late) and torch.equal(sent["out"], sent["lif"]) and 0 < sent["lif"].mean() < 1


def test_one_step_is_the_network_and_torch_exports_it():
    net, x = network(dtype=torch.float32, readout="membrane", learn_beta=True), 2 * noise(7, 12, 8, 12).float()
    step = exchange.OneStep(net)
    program = io.BytesIO()
    torch.export.save(torch.export.export(step, (x[0].clone(), *step.start(8))), program)
    program.seek(0)
    loaded = torch.export.load(program).module()
    for run in (step, loaded):
        mem, spk = step.start(8)
        for now, wanted in zip(x, net(x)[-1].mem, strict=True):
            answer, mem, spk = run(now, mem, spk)
            assert torch.allclose(answer, wanted, atol=1e-6)
        assert all(torch.equal(one, record.spk[-1]) for one, record in zip(spk[:-1], net(x)[:-1], strict=True))


# Peers

def written(net, path, **options):
    graph = exchange.export_graph(net, **options)
    through_a_file(graph, path)
    return nir.read(path)


def test_snntorch_reads_a_network_that_resets_to_zero_and_fires_the_same_spikes(tmp_path, capsys):
    pytest.importorskip("snntorch")
    from snntorch.import_nir import import_from_nir

    net, x = network(reset="zero", dtype=torch.float32), 2 * noise(8, 25, 40, 12).float()
    peer, state, found = import_from_nir(written(net, tmp_path / "net.nir")), None, []
    with torch.no_grad():
        for now in x:
            spk, state = peer(now, state)
            found.append(spk)
        wanted = net(x)[-1].spk
    assert torch.equal(torch.stack(found).float(), wanted) and wanted.sum() > 50
    capsys.readouterr()


@pytest.mark.parametrize(("options", "kind"), [
    ({"reset": "zero", "readout": "membrane"}, "LI"),
    ({"reset": "subtract"}, "(LI|Delay|Threshold)")])
def test_snntorch_reads_no_li_so_neither_a_membrane_readout_nor_the_loop(options, kind, tmp_path):
    pytest.importorskip("snntorch")
    from snntorch.import_nir import import_from_nir

    with pytest.raises(ValueError, match=rf"\.{kind}'>, mapping does not exist"):
        import_from_nir(written(network(dtype=torch.float32, **options), tmp_path / "net.nir"))


def test_norse_builds_a_membrane_readout_and_not_the_loop(tmp_path):
    norse = pytest.importorskip("norse.torch")

    net = network(dtype=torch.float32, reset="zero", readout="membrane")
    norse.from_nir(written(net, tmp_path / "zero.nir"), ignore_warnings=True, dt=1e-4)
    loop = written(network(dtype=torch.float32), tmp_path / "loop.nir")
    with pytest.raises(KeyError, match="mem1"):
        norse.from_nir(loop, ignore_warnings=True, dt=1e-4)(torch.rand(40, 12))


def test_snntorch_writes_all_its_resets_as_one(tmp_path):
    snn = pytest.importorskip("snntorch")
    from snntorch.export_nir import export_to_nir

    graphs = []
    for reset in ("subtract", "zero", "none"):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            peer = torch.nn.Sequential(torch.nn.Linear(4, 3), snn.Leaky(
                beta=torch.full((3,), 0.9), threshold=torch.ones(3), reset_mechanism=reset, init_hidden=True))
        graphs.append(export_to_nir(peer, torch.zeros(1, 4), ignore_dims=[0]))
    nodes = [{name: type(node).__name__ for name, node in graph.nodes.items()} for graph in graphs]
    assert nodes[0] == nodes[1] == nodes[2] and "LIF" in nodes[0].values()


def test_norse_wants_r_of_one_and_then_fires_the_same_spikes(tmp_path):
    norse = pytest.importorskip("norse.torch")

    net, x = network(reset="zero"), 2 * noise(9, 25, 40, 12)                          # in 64 bits: r rounds the weights
    graph = exchange.export_graph(net)
    wanted = net(x)[-1].spk.detach()

    def run(read):
        peer, state, found = norse.from_nir(read, ignore_warnings=True, dt=1e-4).double(), None, []
        with torch.no_grad():
            for now in x:
                spk, state = peer(now, state)
                found.append(spk)
        return torch.stack(found)

    as_it_is = run(written(net, tmp_path / "net.nir"))
    assert (as_it_is != wanted).sum() > 0.5 * wanted.sum()                           # r is not read
    for number in (1, 2, 3):
        affine, lif = graph["nodes"][f"affine{number}"], graph["nodes"][f"spikes{number}"]
        for part in ("weight", "bias"):
            affine[part] = affine[part] * lif["r"][0]
        lif["r"] = torch.ones_like(lif["r"])
    through_a_file(graph, tmp_path / "norse.nir")
    assert torch.equal(run(nir.read(tmp_path / "norse.nir")).double(), wanted) and wanted.sum() > 50


# What is refused

NET, X = SpikingMLP((4, 3, 2)), torch.rand(5, 2, 4)
GRAPH, STEP = exchange.export_graph(NET), exchange.OneStep(NET)
LOOP = {"nodes": {name: {"type": kind} for name, kind in (("i", "Input"), ("a", "Output"), ("b", "Output"))},
        "edges": [("i", "a"), ("a", "b"), ("b", "a")]}


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: exchange.export_graph(torch.nn.Linear(4, 3)), TypeError, "export_graph: net must be a SpikingMLP"),
    (lambda: exchange.export_graph(NET, 0), ValueError, "export_graph: dt must be above 0"),
    (lambda: exchange.export_graph(SpikingMLP((4, 3), beta=1.0)), ValueError, "export_graph: beta of layer 1 must lie"),
    (lambda: exchange.run_graph("net.nir", X), TypeError, 'run_graph: graph must be a dict with "nodes"'),
    (lambda: exchange.run_graph({**GRAPH, "nodes": {**GRAPH["nodes"], "more": {"type": "CubaLIF"}}}, X), ValueError,
     "run_graph: type of node more must be one of"),
    (lambda: exchange.run_graph({**GRAPH, "nodes": {**GRAPH["nodes"], "more": {"type": "Output"}}}, X), ValueError,
     "run_graph: node more must hear another node"),
    (lambda: exchange.run_graph({**GRAPH, "edges": [("input", "there")]}, X), ValueError, "run_graph: edges must be pairs"),
    (lambda: exchange.run_graph(LOOP, X), ValueError, "run_graph: graph has a loop without a Delay"),
    (lambda: exchange.run_graph({**GRAPH, "metadata": {}}, X, dt=1.0), ValueError,
     "run_graph: the delays of node delay1 must be one"),
    (lambda: exchange.run_graph(GRAPH, X, dt=1.0), ValueError, "run_graph: dt must be the step that the graph was written for"),
    (lambda: exchange.run_graph(GRAPH, X, dt=0), ValueError, "run_graph: dt must be above 0"),
    (lambda: exchange.run_graph({**GRAPH, "metadata": {"dt": -1.0}}, X), ValueError, 'run_graph: graph["metadata"]["dt"] must'),
    (lambda: exchange.run_graph(GRAPH, X[..., :3]), ValueError, "run_graph: x must have the 4 inputs of node input"),
    (lambda: exchange.run_graph(GRAPH, X[0]), ValueError, "run_graph: x must be [T, B, N] (time first)"),
    (lambda: exchange.run_graph(GRAPH, X * math.nan), ValueError, "run_graph: x holds NaN"),
    (lambda: exchange.OneStep(torch.nn.Linear(4, 3)), TypeError, "OneStep: net must be a SpikingMLP"),
    (lambda: STEP.start(0), ValueError, "OneStep: batch must be a whole number"),
    (lambda: STEP(X, *STEP.start(2)), ValueError, "OneStep: x must be [B, N]"),
    (lambda: STEP(X[0], *STEP.start(3)), ValueError, "OneStep: mem[0] must be (2, 3)"),
    (lambda: STEP(X[0], STEP.start(2)[0], None), TypeError, "OneStep: spk must be 2 tensors"),
])
def test_what_is_refused(call, error, words):
    with pytest.raises(error) as raised:
        call()
    assert str(raised.value).startswith(words), str(raised.value)
