"""A network for other tools: as a graph of NIR's nodes in plain dicts, run step by step, and as one step for `torch.export`."""
import math

import torch
from torch import nn

from ._arguments import (
    check_dtype,
    check_finite,
    check_net,
    check_numbers,
    check_option,
    check_shape,
    check_signal,
    check_that,
    check_whole,
)
from .neurons import lif_step

NODES = ("Input", "Output", "Affine", "Linear", "Scale", "Delay", "Threshold", "LI", "LIF")


def _check_exported(owner, net):
    check_net(owner, net)
    check_that(owner, hasattr(net, "linears") and hasattr(net, "neurons") and hasattr(net, "readout"),
               f"net must be a SpikingMLP, such as SpikingMLP((784, 300, 10)), got {type(net).__name__}.", TypeError)


def export_graph(net, dt=1e-4):
    """Write a network as a graph of NIR's primitives: a dict that holds nothing but strings, tensors, dicts and pairs.

    beta = 1 - dt / tau,  r dt / tau = 1,    so that   tau = dt / (1 - beta),  r = tau / dt

    NIR's neurons are differential equations. Stepped by Euler with this dt, they are the network's own to the last spike:
    reset "zero" is an Affine and a LIF, and a read-out an Affine and a LI. NIR has no reset by subtraction; "subtract" and
    "subtract_decayed" become LI -> Threshold, and from there Delay (one step) -> Scale (minus what is taken off) -> LI.

    Args:
        net: a `SpikingMLP`, beta of each layer between 0 and 1, neither included.
        dt: seconds that a step stands for, above 0; snnTorch takes 1e-4 for granted.

    Returns:
        {"type": "NIRGraph", "nodes": {name: {"type": ..., ...}}, "edges": [(from, to), ...], "metadata": {"dt": dt}}, the
        layout of `nir.NIRGraph.to_dict()`; numbers are float64, weights as they are. Spikes leave the nodes "spikes1",
        "spikes2" and on, membranes of a read-out the node "readout".

    Raises:
        TypeError: net not a SpikingMLP, dt not a number.
        ValueError: dt not above 0, a beta of 0 or 1.

    Source: Pedersen et al. (2024), Neuromorphic Intermediate Representation, doi:10.1038/s41467-024-52259-9.

    >>> from snnteach.networks import SpikingMLP
    >>> graph = export_graph(SpikingMLP((4, 3, 2), reset="zero", readout="membrane"))
    >>> list(graph["nodes"]), round(graph["nodes"]["spikes1"]["tau"][0].item(), 6)
    (['input', 'affine1', 'spikes1', 'affine2', 'readout', 'output'], 0.001)
    """
    _check_exported("export_graph", net)
    check_numbers("export_graph", above=0, dt=dt)
    _check_decays("export_graph", net)
    nodes = {"input": {"type": "Input", "shape": torch.tensor([net.linears[0].in_features])}}
    edges, last = [], "input"
    for number, (linear, neuron) in enumerate(zip(net.linears, net.neurons, strict=True), 1):
        nodes[f"affine{number}"] = {"type": "Affine", "weight": linear.weight.detach().clone(),
                                    "bias": linear.bias.detach().clone()}
        readout = number == len(net.linears) and net.readout == "membrane"
        own, links = _neuron_nodes(neuron, linear.out_features, float(dt), number, readout)
        nodes |= own
        edges += [(last, f"affine{number}"), (f"affine{number}", next(iter(own))), *links]
        last = "readout" if readout else f"spikes{number}"
    nodes["output"] = {"type": "Output", "shape": torch.tensor([net.linears[-1].out_features])}
    return {"type": "NIRGraph", "nodes": nodes, "edges": [*edges, (last, "output")], "metadata": {"dt": float(dt)}}


def _check_decays(owner, net):
    for number, neuron in enumerate(net.neurons, 1):
        check_that(owner, bool(((torch.as_tensor(neuron.beta) > 0) & (torch.as_tensor(neuron.beta) < 1)).all()),
                   f"beta of layer {number} must lie between 0 and 1, neither included, to have a tau, got {neuron.beta}.")


def _neuron_nodes(neuron, size, dt, number, readout):
    """The nodes of a layer's neurons, the one that hears the current first, and the edges between them."""
    full = torch.full((size,), 1.0, dtype=torch.float64)
    beta = torch.as_tensor(neuron.beta, dtype=torch.float64).detach() * full
    leaky = {"tau": dt / (1 - beta), "r": 1 / (1 - beta), "v_leak": 0 * full}
    if readout:
        return {"readout": {"type": "LI", **leaky}}, []
    threshold = neuron.threshold * full
    if neuron.reset == "zero":
        return {f"spikes{number}": {"type": "LIF", **leaky, "v_threshold": threshold, "v_reset": 0 * full}}, []
    mem, spikes, late, back = (f"{word}{number}" for word in ("mem", "spikes", "delay", "reset"))
    nodes = {mem: {"type": "LI", **leaky}, spikes: {"type": "Threshold", "threshold": threshold}}
    if neuron.reset == "none":
        return nodes, [(mem, spikes)]
    taken = threshold * (beta if neuron.reset == "subtract_decayed" else 1)
    nodes |= {late: {"type": "Delay", "delay": dt * full}, back: {"type": "Scale", "scale": -taken}}
    return nodes, [(mem, spikes), (spikes, late), (late, back), (back, mem)]


def _check_graph(owner, graph):
    check_that(owner, isinstance(graph, dict) and isinstance(graph.get("nodes"), dict) and "edges" in graph,
               'graph must be a dict with "nodes" and "edges", such as export_graph returns, got '
               f"{type(graph).__name__}. A graph that nir has read: graph.to_dict(), its arrays as tensors.", TypeError)
    for name, node in graph["nodes"].items():
        check_that(owner, isinstance(node, dict), f"node {name} must be a dict, got {type(node).__name__}.", TypeError)
        check_option(owner, f"type of node {name}", node.get("type"), NODES)
    for edge in graph["edges"]:
        check_that(owner, isinstance(edge, (tuple, list)) and len(edge) == 2 and set(edge) <= set(graph["nodes"]),
                   f"edges must be pairs of names of nodes, got {edge!r}.")


def run_graph(graph, x, dt=None):
    """Run a graph of NIR's nodes by Euler steps, and return what every node sent.

    LI: v[t] = v[t-1] + dt/tau (v_leak - v[t-1] + r x[t]);    LIF: the same, 1 where v > v_threshold, then v = v_reset there

    Args:
        graph: a dict, such as `export_graph` returns, of the node types in `NODES`; numbers are tensors.
        x: input, [T, B, N].
        dt: seconds of a step, above 0. None takes the note of `export_graph`, graph["metadata"]["dt"], and 1e-4 without one: a
            file need not say it, as NIR's equations have no step. Another dt than the note's is refused.

    Returns:
        {name of node: what it sent, [T, B, N]}. Spikes and currents cross in their own step; a Delay takes round(delay / dt).

    Raises:
        TypeError: graph not a dict of nodes and edges, x not a floating-point tensor, dt not a number.
        ValueError: a node of another type, an edge of unknown nodes, a loop without a Delay, x not [T, B, N], dt not above 0 or
            not the one that the graph notes.

    Source: Pedersen et al. (2024), doi:10.1038/s41467-024-52259-9, for the nodes; Euler's step is the reader's choice.

    >>> from snnteach.networks import SpikingMLP, direct_current
    >>> _ = torch.manual_seed(0)
    >>> net, x = SpikingMLP((4, 3, 2)), direct_current(5 * torch.rand(8, 4), 20)
    >>> torch.equal(run_graph(export_graph(net), x)["spikes2"], net(x)[-1].spk)
    True
    """
    _check_graph("run_graph", graph)
    check_signal("run_graph", "x", x, layout="[T, B, N] (time first)", dims=3,
                 hint=" For input that does not change use direct_current(x, num_steps).")
    check_finite("run_graph", "x", x, "Leave such samples out.")
    dt = _step_of("run_graph", graph, dt)
    nodes, sources = graph["nodes"], {name: [] for name in graph["nodes"]}
    for start, end in graph["edges"]:
        sources[end].append(start)
    _check_wired("run_graph", nodes, sources, x, dt)
    order = _in_order(nodes, sources)
    check_that("run_graph", len(order) == len(nodes), "graph has a loop without a Delay: no node in it can be the first.")
    made = {name: _made(node, x, float(dt)) for name, node in nodes.items()}
    state, sent = {}, {name: [] for name in nodes}
    with torch.no_grad():
        for t, now in enumerate(x):
            for name in order:
                lag = made[name]["lag"]
                heard = (now if nodes[name]["type"] == "Input" else 0 * made[name]["delay"].expand(len(now), -1) if t < lag
                         else sum(sent[source][t - lag] for source in sources[name]))
                sent[name].append(_node_step(nodes[name]["type"], made[name], heard, state, name))
    return {name: torch.stack(values) for name, values in sent.items()}


def _step_of(owner, graph, dt):
    """The step in seconds: the graph's note, which another dt must not contradict; without a note dt, or 1e-4."""
    metadata = graph.get("metadata")
    noted = metadata.get("dt") if isinstance(metadata, dict) else None
    if noted is None:
        dt = 1e-4 if dt is None else dt
        check_numbers(owner, above=0, dt=dt)
        return float(dt)
    noted = noted if isinstance(noted, (int, float)) else float(noted)
    check_numbers(owner, above=0, **{'graph["metadata"]["dt"]': noted})
    if dt is not None:
        check_numbers(owner, above=0, dt=dt)
        check_that(owner, math.isclose(dt, noted, rel_tol=1e-6),
                   f"dt must be the step that the graph was written for, {noted:g} s, or None, got {dt:g}. At another step its "
                   "neurons are others.")
    return float(noted)


def _check_wired(owner, nodes, sources, x, dt):
    for name, node in nodes.items():
        check_that(owner, bool(sources[name]) != (node["type"] == "Input"),
                   f"node {name} must hear another node, and an Input none; check the edges.")
        if "shape" in node and node["type"] == "Input":
            check_that(owner, x.shape[2:].numel() == int(node["shape"].prod()),
                       f"x must have the {int(node['shape'].prod())} inputs of node {name}, got shape {tuple(x.shape)}.")
        if node["type"] == "Delay":
            check_that(owner, bool(((node["delay"] / dt).round() >= 1).all()) and len(node["delay"].unique()) == 1,
                       f"the delays of node {name} must be one, and a step of {dt:g} s at least.")


def _in_order(nodes, sources):
    """Names of the nodes, each after all that it hears in the same step; those in a loop without a Delay are missing."""
    order, waiting = [], list(nodes)
    while ready := [name for name in waiting if nodes[name]["type"] == "Delay" or set(sources[name]) <= set(order)]:
        order += ready
        waiting = [name for name in waiting if name not in order]
    return order


def _made(node, x, dt):
    """The numbers of a node in the type of x, those of a neuron as factors of one step."""
    numbers = {name: value.to(x) for name, value in node.items() if isinstance(value, torch.Tensor)}
    if "tau" in node:
        share = dt / node["tau"]
        numbers |= {"decay": (1 - share).to(x), "gain": (node["r"] * share).to(x), "rest": (node["v_leak"] * share).to(x)}
    return numbers | {"lag": int((node["delay"][0] / dt).round()) if node["type"] == "Delay" else 0}


def _node_step(kind, made, heard, state, name):
    """What a node of this type sends for what it hears, [B, N]; neurons keep their potential in `state`."""
    if kind in ("Affine", "Linear"):
        return nn.functional.linear(heard, made["weight"], made.get("bias"))
    if kind == "Scale":
        return made["scale"] * heard
    if kind == "Threshold":
        return (heard > made["threshold"]).to(heard)
    if kind not in ("LI", "LIF"):
        return heard
    mem = state.get(name, 0) * made["decay"] + made["rest"] + made["gain"] * heard
    state[name] = mem
    if kind == "LI":
        return mem
    spk = mem > made["v_threshold"]
    state[name] = torch.where(spk, made["v_reset"], mem)
    return spk.to(heard)


class OneStep(nn.Module):
    """A `SpikingMLP` that advances by one step, its state passed in and handed back: what a loop in real time calls.

    The same numbers as the network's own, step by step; `torch.export.export` takes it as it is.

    Args:
        net: a `SpikingMLP`, whose parameters it shares.

    Returns:
        A module; `forward(x, mem, spk)` takes x [B, N] and the membranes and spikes of the step before, one tensor [B, N_l] a
        layer, and returns (answer, mem, spk): the spikes of the last layer, or the membranes of a read-out, and the new state.

    Raises:
        TypeError: net not a SpikingMLP, x not a tensor, mem or spk not sequences of tensors.
        ValueError: x not [B, N] of the network's inputs, a state of other layers or shapes.

    Source: Eshraghian et al. (2023), Eq. 4, as one step of a recurrent network.

    >>> from snnteach.networks import SpikingMLP, direct_current
    >>> _ = torch.manual_seed(0)
    >>> net, x = SpikingMLP((4, 3, 2)), 5 * torch.rand(8, 4)
    >>> step = OneStep(net)
    >>> mem, spk, spikes = *step.start(8), 0
    >>> for _ in range(20):
    ...     answer, mem, spk = step(x, mem, spk)
    ...     spikes = spikes + answer
    >>> torch.equal(spikes, net(direct_current(x, 20))[-1].spk.sum(0))
    True
    """

    def __init__(self, net):
        super().__init__()
        _check_exported("OneStep", net)
        self.net = net

    def start(self, batch):
        """Return the state (mem, spk) before the first step, zeros for `batch` samples."""
        check_whole("OneStep", high=10**6, batch=batch)
        zeros = [linear.weight.new_zeros(int(batch), linear.out_features) for linear in self.net.linears]
        return zeros, [zero.clone() for zero in zeros]

    def forward(self, x, mem, spk):
        """Advance by one step on x [B, N]: (answer, mem, spk)."""
        _check_handed("OneStep", self.net, x, mem, spk)
        mems, spks = [], []
        for linear, neuron, before, fired in zip(self.net.linears, self.net.neurons, mem, spk, strict=True):
            fired, before = lif_step(linear(x), before, fired, neuron.beta, neuron.threshold, surrogate=neuron.surrogate,
                                     reset=neuron.reset, detach_reset=neuron.detach_reset)
            x = fired
            mems.append(before)
            spks.append(fired)
        return mems[-1] if self.net.readout == "membrane" else spks[-1], mems, spks


def _check_handed(owner, net, x, mem, spk):
    check_signal(owner, "x", x, layout="[B, N]", dims=2, hint=" For a whole sequence call the network itself.")
    check_shape(owner, "x", x, (len(x), net.linears[0].in_features), "to fit the network's inputs")
    check_dtype(owner, "x", x, "the weights", net.linears[0].weight)
    for name, state in (("mem", mem), ("spk", spk)):
        check_that(owner, isinstance(state, (tuple, list)) and len(state) == len(net.linears),
                   f"{name} must be {len(net.linears)} tensors, one a layer; start(batch) makes the first.", TypeError)
        for number, (linear, part) in enumerate(zip(net.linears, state, strict=True)):
            check_shape(owner, f"{name}[{number}]", part, (len(x), linear.out_features), "to fit x and its layer")
            check_dtype(owner, f"{name}[{number}]", part, "x", x)
