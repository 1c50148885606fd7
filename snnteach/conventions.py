"""One leaky integrate-and-fire neuron with the switches of five libraries, their names for its decay, and a way out of each."""
import math
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import nn

from ._arguments import (
    check_affordable,
    check_dtype,
    check_finite,
    check_flags,
    check_number,
    check_numbers,
    check_option,
    check_shape,
    check_signal,
    check_surrogate,
    check_that,
    check_whole,
)
from .networks import Record, SpikingMLP
from .surrogate import atan, fast_sigmoid, sigmoid, spike

VERBS = ("leak", "add", "fire", "reset")
SYNAPSE = ("fade", "hear")
FORMS = ("beta", "leak", "tau", "euler tau", "euler rate")


class Convention(NamedTuple):
    """How a library writes a leaky integrate-and-fire neuron: what one step does, in which order, and to what.

    leak: mem = rest + beta (mem - rest), add: mem = mem + gain x, fire: spk = mem > threshold, reset: mem = mem - threshold spk
    or (1 - spk) mem + spk reset_to;  with a synapse also fade: syn = alpha syn;  hear: syn = syn + x, and add takes syn for x

    order: the verbs of a step, four or six, each once. scaled: gain is 1 - beta, else 1. reset: "subtract", "value" or "none".
    strict: fire above the threshold, not at it. detach: keep the reset out of the gradient. decay: what the library is given,
    "beta", or a tau that becomes beta by "exp" or "euler". batch_first: sequences are [B, T, ...].

    Source: the code of the libraries, as of the versions that `PRESETS` names.

    >>> Convention("leak add fire reset", scaled=True).reset
    'subtract'
    """

    order: str = "leak add reset fire"
    scaled: bool = False
    reset: str = "subtract"
    reset_to: float = 0.0
    rest: float = 0.0
    strict: bool = True
    detach: bool = True
    decay: str = "beta"
    surrogate: object = atan()
    batch_first: bool = False


class Membrane(NamedTuple):
    """The state of a layer between two steps, or its record: mem, spk, and syn or None; [B, ...] or [T, B, ...] each.

    Source: snnTorch's words for the parts.

    >>> Membrane(torch.zeros(4, 3), torch.zeros(4, 3)).syn is None
    True
    """

    mem: torch.Tensor
    spk: torch.Tensor
    syn: torch.Tensor | None = None


class Port(NamedTuple):
    """How to write another convention with `snnteach.neurons.lif`: its weights and biases times `scale`, and these options.

    `lag` is the number of steps by which the other's spikes come later.

    Source: the algebra of `port`.

    >>> Port(0.1, 0.9, 1.0, "zero", 0).reset
    'zero'
    """

    scale: float
    beta: float
    threshold: float
    reset: str
    lag: int


_EULER = Convention("leak add fire reset", scaled=True, reset="value", detach=False, decay="euler")
_NORSE = _EULER._replace(surrogate=fast_sigmoid(1.0))
_JELLY = _EULER._replace(strict=False, surrogate=sigmoid(4.0))
PRESETS = {
    "snnteach": Convention(),
    "snntorch.Leaky": Convention(),
    "snntorch.Leaky zero": Convention("reset leak add fire", reset="value"),
    "snntorch.Synaptic": Convention("fade hear leak add reset fire"),
    "snntorch.Synaptic zero": Convention("fade hear leak add reset fire", reset="value"),
    "norse.LIFBoxCell": _NORSE,
    "norse.LIFCell": _NORSE._replace(order="hear leak add fade fire reset"),
    "spikingjelly.LIFNode": _JELLY,
    "spikingjelly.LIFNode decay_input=False": _JELLY._replace(scaled=False),
    "spikingjelly.LIFNode v_reset=None": _JELLY._replace(reset="subtract"),
    "spytorch": Convention("fire leak add reset fade hear", decay="exp", surrogate=fast_sigmoid(100.0), batch_first=True),
}                                                      # snnTorch 1.0.0, Norse 1.1.0, SpikingJelly 2.0.0, spytorch 034188d


def _check_convention(owner, convention, name="convention"):
    check_that(owner, isinstance(convention, Convention),
               f'{name} must be a Convention, such as PRESETS["norse.LIFBoxCell"], got {convention!r:.60}.', TypeError)
    check_that(owner, isinstance(convention.order, str),
               f"order of {name} must be a text of verbs, got {convention.order!r:.60}.", TypeError)
    check_that(owner, sorted(convention.order.split()) in (sorted(VERBS), sorted(VERBS + SYNAPSE)),
               f"order of {name} must hold leak, add, fire and reset once each, and with a synapse fade and hear, got "
               f"{convention.order!r:.80}.")
    check_numbers(owner, **{f"reset_to of {name}": convention.reset_to, f"rest of {name}": convention.rest})
    check_option(owner, f"reset of {name}", convention.reset, ("subtract", "value", "none"))
    check_option(owner, f"decay of {name}", convention.decay, ("beta", "exp", "euler"))
    check_flags(owner, **{f"{part} of {name}": getattr(convention, part)
                          for part in ("scaled", "strict", "detach", "batch_first")})
    check_surrogate(owner, convention.surrogate, f"surrogate of {name}")


def _check_constants_of(owner, convention, beta, alpha, threshold):
    check_numbers(owner, low=0, high=1, beta=beta)
    check_numbers(owner, threshold=threshold)
    check_that(owner, threshold > max(convention.rest, 0), f"threshold must be above 0 and above the rest, got {threshold}.")
    check_that(owner, ("fade" in convention.order) == (alpha is not None),
               f"alpha must be given where a convention has a synapse, and left out where it has none, got {alpha!r:.60}.")
    check_numbers(owner, low=0, high=1, alpha=0.0 if alpha is None else alpha)


def convention_step(x, state, convention, beta, alpha=None, threshold=1.0):
    """Advance a layer by one step of any convention: do its verbs in their order.

    the formulas of `Convention`, one after another

    Args:
        x: input current, [B, ...].
        state: `Membrane` of the step before, [B, ...] each; `start_state` makes the first.
        convention: a `Convention`, such as an entry of `PRESETS`.
        beta: share of the membrane that is kept in a step, from 0 to 1.
        alpha: share of the synapse's current that is kept, from 0 to 1; None without a synapse.
        threshold: firing threshold, above 0 and above the convention's rest.

    Returns:
        The new `Membrane`; mem is recorded where the step ends, so after the reset if that comes last.

    Raises:
        TypeError: x not a floating-point tensor, state no Membrane of its dtype, convention no Convention, no number
            where one is due.
        ValueError: x not [B, ...], a state of another shape, an unknown verb, reset or decay, beta or alpha outside [0, 1],
            alpha without a synapse or missing, a threshold not above 0 and the rest, NaN in the membrane.

    Source: the code of the libraries; the zoo of `snnteach.neurons` and `snnteach.zoo` written as one.

    >>> norse = Convention("leak add fire reset", scaled=True, reset="value", decay="euler")
    >>> state = start_state(torch.zeros(1, 1), norse)
    >>> for _ in range(3):
    ...     state = convention_step(torch.full((1, 1), 5.0), state, norse, beta=0.75)
    >>> state.spk.item(), state.mem.item()
    (1.0, 0.0)
    """
    check_signal("convention_step", "x", x, layout="[B, ...]", min_dims=2, hint=" For a whole sequence use run_convention.")
    check_finite("convention_step", "x", x)
    _check_convention("convention_step", convention)
    _check_constants_of("convention_step", convention, beta, alpha, threshold)
    _check_membrane("convention_step", state, convention, x)
    state = _convention_step(x, state, convention, float(beta), alpha, float(threshold))
    check_finite("convention_step", "the membrane", state.mem)
    return state


def _check_membrane(owner, state, convention, x):
    check_that(owner, isinstance(state, Membrane),
               f"state must be a Membrane, such as start_state(x, convention), got {type(state).__name__}.", TypeError)
    check_that(owner, ("fade" in convention.order) == (state.syn is not None),
               "syn of state must be a tensor where the convention has a synapse, and None where it has none.")
    for name, part in zip(state._fields, state if state.syn is not None else state[:2], strict=False):
        check_shape(owner, f"{name} of state", part, x.shape, "like x")
        check_dtype(owner, f"{name} of state", part, "x", x)
        check_finite(owner, f"{name} of state", part)


def _convention_step(x, state, c, beta, alpha, threshold):
    mem, spk, syn = state
    for verb in c.order.split():
        paid = spk.detach() if c.detach else spk
        if verb == "fade":
            syn = float(alpha) * syn
        elif verb == "hear":
            syn = syn + x
        elif verb == "leak":
            mem = c.rest + beta * (mem - c.rest) if c.rest else beta * mem
        elif verb == "add":
            mem = mem + (1 - beta if c.scaled else 1.0) * (x if syn is None else syn)
        elif verb == "fire":
            spk = _fire(mem - threshold, c)
        elif c.reset == "subtract":
            mem = mem - threshold * paid
        elif c.reset == "value":
            mem = (1 - paid) * mem + paid * c.reset_to
    return Membrane(mem, spk, syn)


def _fire(u, c):
    spk = spike(u, c.surrogate)
    return spk if c.strict else spk + (u == 0).to(u.dtype)             # at the threshold, too


def start_state(x, convention):
    """Make the state before the first step: the membrane at rest, no spike, no current in the synapse.

    mem = rest,  spk = 0,  syn = 0

    Args:
        x: input of one step, [B, ...].
        convention: a `Convention`.

    Returns:
        `Membrane` of tensors like x.

    Raises:
        TypeError: x not a floating-point tensor, convention no Convention.
        ValueError: x not [B, ...], a convention of unknown words.

    Source: the libraries' own first states; SpikingJelly starts at v_reset, Norse at v_leak, both this `rest`.

    >>> start_state(torch.zeros(2, 3), Convention("fire leak add reset fade hear")).syn.shape
    torch.Size([2, 3])
    """
    check_signal("start_state", "x", x, layout="[B, ...]", min_dims=2)
    _check_convention("start_state", convention)
    zero = torch.zeros_like(x)
    return Membrane(zero + convention.rest, zero, zero if "fade" in convention.order else None)


def run_convention(x, convention, beta, alpha=None, threshold=1.0):
    """Run a layer of any convention over a whole sequence, from rest.

    `convention_step` for each step of x

    Args:
        x: input current, [T, B, ...]; [B, T, ...] if the convention is batch first.
        convention, beta, alpha, threshold: as in `convention_step`.

    Returns:
        `Membrane` of the record, in the layout of x: mem, spk, and syn or None.

    Raises:
        TypeError: x not a floating-point tensor, convention no Convention, a number that is none.
        ValueError: x of less than three axes, and what `convention_step` refuses.

    Source: the loops of the libraries' tutorials.

    >>> x = torch.full((100, 1, 1), 0.3)
    >>> [int(run_convention(x, Convention(scaled=scaled), beta=0.9).spk.sum()) for scaled in (False, True)]
    [23, 0]
    """
    check_signal("run_convention", "x", x, layout="[T, B, ...] (time first)", min_dims=3,
                 hint=" For one step use convention_step.")
    check_finite("run_convention", "x", x)
    _check_convention("run_convention", convention)
    _check_constants_of("run_convention", convention, beta, alpha, threshold)
    sequence = x.transpose(0, 1) if convention.batch_first else x
    state, record = start_state(sequence[0], convention), []
    for now in sequence:
        state = _convention_step(now, state, convention, float(beta), alpha, float(threshold))
        record.append(state)
    axis = int(convention.batch_first)
    mem, spk, syn = (None if parts[0] is None else torch.stack(parts, axis) for parts in zip(*record, strict=True))
    check_finite("run_convention", "the membrane", state.mem)
    return Membrane(mem, spk, syn)


def ring(order):
    """Turn an order of verbs until it begins with fire: orders of one ring are one neuron, recorded at different moments.

    "leak add fire reset" -> "fire reset leak add"

    Args:
        order: the verbs of a step, four or six, each once, parted by spaces.

    Returns:
        The same verbs in the same circle, from fire on.

    Raises:
        TypeError: order not a text.
        ValueError: a verb that is unknown, missing or there twice.

    Source: a loop over steps runs through the circle again and again, wherever a step is said to begin.

    >>> ring("leak add reset fire"), ring("reset leak add fire")
    ('fire leak add reset', 'fire reset leak add')
    """
    _check_convention("ring", Convention(order), "order")
    verbs = order.split()
    place = verbs.index("fire")
    return " ".join(verbs[place:] + verbs[:place])


def decay_as(value, given, wanted, dt=1.0):
    """Say one decay in another library's words.

    beta = 1 - leak = exp(-dt / tau) = 1 - dt / euler_tau = 1 - dt euler_rate

    Args:
        value: the decay, in the words of `given`.
        given, wanted: "beta" (share kept in a step: snnTorch), "leak" (1 - beta: lava-dl), "tau" (time constant of the exact
            solution: spytorch, Sinabs, Rockpool), "euler tau" (SpikingJelly, NIR) or "euler rate" (its inverse: Norse's
            tau_mem_inv).
        dt: length of a step, in the unit of the time constants.

    Returns:
        The same decay as a float, in the words of `wanted`.

    Raises:
        TypeError: value or dt not a number.
        ValueError: given or wanted unknown, dt not above 0, a value whose beta does not lie between 0 and 1.

    Source: Eshraghian et al. (2023), Eq. 3 and appendix A.

    >>> decay_as(2.0, "euler tau", "beta"), round(decay_as(2.0, "tau", "beta"), 3)
    (0.5, 0.607)
    >>> decay_as(100.0, "euler rate", "beta", dt=1e-3)
    0.9
    """
    check_numbers("decay_as", value=value)
    check_option("decay_as", "given", given, FORMS)
    check_option("decay_as", "wanted", wanted, FORMS)
    check_numbers("decay_as", above=0, dt=dt)
    beta = _beta_of(float(value), given, float(dt))
    check_that("decay_as", 0 < beta < 1, f"value must be a decay whose beta lies between 0 and 1, neither included; a "
               f"{given} of {value} with dt = {dt} means beta = {beta:.6g}.")
    return {"beta": beta, "leak": 1 - beta, "tau": -dt / math.log(beta), "euler tau": dt / (1 - beta),
            "euler rate": (1 - beta) / dt}[wanted]


def _beta_of(value, given, dt):
    if given == "beta":
        return value
    if given == "leak":
        return 1 - value
    if value <= 0:
        return math.nan
    if given == "euler rate":
        return 1 - dt * value
    return math.exp(-dt / value) if given == "tau" else 1 - dt / value


def _before(convention, one, other):
    """Whether one verb comes before another in the circle, from fire on."""
    circle = ring(convention.order).split()
    return circle.index(one) < circle.index(other)


def _check_ported(owner, convention):
    check_that(owner, "fade" not in convention.order,
               "convention must have no synapse; neurons with one are snnteach.zoo.cuba_lif(x, alpha, beta).")
    check_that(owner, convention.reset != "subtract" or convention.rest == 0,
               f"convention must have a rest of 0 where it resets by subtraction, got {convention.rest}: what is taken off "
               "would no longer be the threshold.")
    check_that(owner, convention.reset != "value" or convention.reset_to == convention.rest,
               f"convention must reset to its rest, got reset_to = {convention.reset_to} and rest = {convention.rest}.")
    check_that(owner, convention.reset != "value" or _before(convention, "reset", "add"),
               "convention must reset before it adds, or the input of that step is lost, which lif never does; its order is "
               f"{convention.order!r}.")


def port(convention, beta, threshold=1.0):
    """Say how `snnteach.neurons.lif` fires the spikes of another convention: what its weights are multiplied by, and options.

    circle from fire on: a reset before the leak is "subtract_decayed", after it "subtract"; a reset to rest before the input
    is "zero"; an input before the leak is multiplied by beta, a scaled one by 1 - beta; rest is taken off the threshold

    Args:
        convention: a `Convention` without a synapse.
        beta: share of the membrane that is kept in a step, from 0 to 1; `decay_as` finds it.
        threshold: the other's firing threshold, above 0 and above the rest.

    Returns:
        `Port`: scale, beta, threshold, reset, lag. The spikes are the same, lag steps later, but where a membrane meets its
        threshold exactly and the other fires there.

    Raises:
        TypeError: convention no Convention, beta or threshold not a number.
        ValueError: a synapse (use `snnteach.zoo.cuba_lif`), a reset after the input or to another value than the rest, a
            subtraction with a rest other than 0: `lif` has none of these; a number out of its range.

    Source: the balance of one step, written out for each order.

    >>> port(Convention("leak add fire reset", scaled=True, reset="value", decay="euler"), beta=0.5)
    Port(scale=0.5, beta=0.5, threshold=1.0, reset='zero', lag=0)
    """
    _check_convention("port", convention)
    _check_ported("port", convention)
    _check_constants_of("port", convention, beta, None, threshold)
    beta, threshold = float(beta), float(threshold)
    scale = (1 - beta if convention.scaled else 1.0) * (beta if _before(convention, "add", "leak") else 1.0)
    early = _before(convention, "reset", "leak")
    reset = {"none": "none", "value": "zero", "subtract": "subtract_decayed" if early else "subtract"}
    steps = convention.order.split()
    lag = int(steps.index("fire") < steps.index("add"))
    return Port(scale, beta, threshold - convention.rest, reset[convention.reset], lag)


def lateness(convention, current, threshold=1.0):
    """Predict how much later than the continuous neuron a convention fires under a constant current, in steps a spike.

    subtract: theta / (2 I) where the reset comes before the leak, 3 theta / (2 I) after it;  to rest: 1/2 before the input, 3/2
    after it;  Euler's beta: less ln(I / (I - theta)) / 2;  input before the leak: theta / (I - theta) more

    Args:
        convention: a `Convention` without a synapse and with a rest of 0 whose input is scaled, so that the continuous neuron
            tau dU/dt = I - U is what it means; a reset by "subtract" or to the "value" 0.
        current: the constant current I, above the threshold.
        threshold: firing threshold theta, positive.

    Returns:
        The mean interval less tau ln(I / (I - theta)), divided by the step, in the limit of short steps. For a reset to 0 each
        single interval is off by up to half a step to both sides; the mean is over currents.

    Raises:
        TypeError: convention no Convention, current or threshold not a number.
        ValueError: a convention that is not meant, current not above the threshold, threshold not positive.

    Source: first order in dt, the overshoot over the threshold being anything up to one step's rise with equal chances.

    >>> norse = Convention("leak add fire reset", scaled=True, reset="value", decay="euler")
    >>> round(lateness(norse._replace(decay="exp"), 2.0), 3), round(lateness(norse, 2.0), 3)
    (0.5, 0.153)
    """
    _check_convention("lateness", convention)
    c = convention
    check_that("lateness", c.scaled and "fade" not in c.order and c.rest == c.reset_to == 0 and c.reset != "none",
               "convention must be scaled, without a synapse, with a rest and a reset_to of 0, and with a reset.")
    check_numbers("lateness", above=0, threshold=threshold)
    check_number("lateness", "current", current)
    check_that("lateness", threshold < current < math.inf, f"current must be above the threshold of {threshold}, got "
               f"{current}.")
    late = _before(c, "leak" if c.reset == "subtract" else "add", "reset")
    steps = (1.5 if late else 0.5) * (threshold / current if c.reset == "subtract" else 1)
    steps -= math.log(current / (current - threshold)) / 2 if c.decay == "euler" else 0
    return float(steps + (threshold / (current - threshold) if _before(c, "add", "leak") else 0))


class ConventionMLP(nn.Module):
    """A network of fully connected layers whose neurons follow any convention without a synapse.

    spk_l = neuron(W_l spk_(l-1) + b_l),    spk_0 = x

    Args:
        sizes: number of inputs, of the neurons of each hidden layer, of the outputs.
        convention: a `Convention` without a synapse, time first.
        beta: share of the membrane that is kept in a step, from 0 to 1; below 1 where the input is scaled.
        threshold: firing threshold, above 0 and above the rest.

    Returns:
        A module; `forward(x)` takes [T, B, N] and returns a list of `Record`, one a layer, so that `snnteach.training.fit`
        trains it. Weights and biases start like those of `nn.Linear`, divided by 1 - beta where the input is scaled, or the
        layers would start silent.

    Raises:
        TypeError: sizes no tuple, convention no Convention, beta or threshold not a number.
        ValueError: sizes not two or more positive whole numbers, a synapse, batch first, a number out of its range.

    Source: the multilayer networks of the libraries' tutorials.

    >>> _ = torch.manual_seed(0)
    >>> net = ConventionMLP((20, 30, 5), Convention(scaled=True, reset="value"), beta=0.9)
    >>> [record.spk.shape for record in net(torch.rand(10, 4, 20))]
    [torch.Size([10, 4, 30]), torch.Size([10, 4, 5])]
    """

    def __init__(self, sizes, convention, beta, threshold=1.0):
        super().__init__()
        check_that("ConventionMLP", isinstance(sizes, (tuple, list)) and len(sizes) > 1,
                   f"sizes must be one tuple of two numbers or more, such as (784, 300, 10), got {sizes!r:.60}.", TypeError)
        check_whole("ConventionMLP", **{f"sizes[{place}]": size for place, size in enumerate(sizes)})
        check_affordable("ConventionMLP", "sizes", *sorted(sizes)[-2:])
        _check_convention("ConventionMLP", convention)
        check_that("ConventionMLP", "fade" not in convention.order and not convention.batch_first,
                   "convention must have no synapse and be time first.")
        _check_constants_of("ConventionMLP", convention, beta, None, threshold)
        check_that("ConventionMLP", beta < 1 or not convention.scaled, "beta must be below 1, or a scaled input is nothing.")
        self.convention, self.beta, self.threshold = convention, float(beta), float(threshold)
        self.linears = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(map(int, sizes)))
        if convention.scaled:
            with torch.no_grad():
                for part in self.parameters():
                    part /= 1 - self.beta

    def forward(self, x):
        """Run over x [T, B, N] and return a list of `Record`, one a layer."""
        check_signal("ConventionMLP", "x", x, layout="[T, B, N] (time first)", dims=3)
        check_shape("ConventionMLP", "x", x, (*x.shape[:2], self.linears[0].in_features), "[T, B, N] (time first)")
        check_dtype("ConventionMLP", "x", x, "the weights", self.linears[0].weight)
        records = []
        for linear in self.linears:
            current = linear(x[0]).expand(len(x), -1, -1) if x.stride(0) == 0 else linear(x)
            run = run_convention(current, self.convention, self.beta, threshold=self.threshold)
            records.append(Record(run.spk, run.mem))
            x = run.spk
        return records


def carry(net):
    """Carry a network of another convention into the course: a `SpikingMLP` that fires the same spikes.

    W' = scale W,  b' = scale b,    scale, beta, threshold and reset from `port`

    Args:
        net: a `ConventionMLP`, whose parameters are copied.

    Returns:
        A `SpikingMLP` with the surrogate and detach of net's convention. With a lag each layer is one step later.

    Raises:
        TypeError: net no ConventionMLP.
        ValueError: a convention that `port` refuses.

    Source: `port`, layer by layer.

    >>> _ = torch.manual_seed(0)
    >>> net = ConventionMLP((20, 30, 5), Convention("leak add fire reset", scaled=True, reset="value"), beta=0.5)
    >>> x = 3 * torch.rand(10, 4, 20)
    >>> torch.equal(carry(net)(x)[-1].spk, net(x)[-1].spk)
    True
    """
    check_that("carry", isinstance(net, ConventionMLP),
               f"net must be a ConventionMLP, such as ConventionMLP((784, 300, 10), Convention(), 0.9), got "
               f"{type(net).__name__}.", TypeError)
    _check_ported("carry", net.convention)
    to = port(net.convention, net.beta, net.threshold)
    sizes = [net.linears[0].in_features, *(linear.out_features for linear in net.linears)]
    here = SpikingMLP(sizes, to.beta, to.threshold, reset=to.reset, surrogate=net.convention.surrogate,
                      detach_reset=net.convention.detach).to(net.linears[0].weight.dtype)
    with torch.no_grad():
        for own, other in zip(here.parameters(), net.linears.parameters(), strict=True):
            own.copy_(to.scale * other)
    return here
