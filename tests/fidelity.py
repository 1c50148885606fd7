"""What makes each live figure the same model as the reference code: what is taken of both, and faults that must be seen."""
import functools
import itertools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from snnteach.lessons.bptt.explorers import compute_path
from snnteach.lessons.encoding.explorers import compute_digit as compute_codes
from snnteach.lessons.kinds import Choice
from snnteach.lessons.neurons.explorers import compute_resets
from snnteach.lessons.online.explorers import compute_eligibility
from snnteach.lessons.sparsity.explorers import BETA, compute_digit, digit_net, encode
from snnteach.lessons.stdp.explorers import compute_traces, follow
from snnteach.lessons.surrogate.explorers import compute_shape
from snnteach.neurons import lif
from snnteach.reader.lookup import explorer
from snnteach.stdp import pair_stdp


@dataclass(frozen=True)
class Fidelity:
    """One live figure: `take`, in JavaScript (module, data) => setting => numbers, against `wanted(**setting)` in float64.

    `wanted` returns the same numbers, and how near to its threshold a membrane comes (inf: nothing spikes). `faults` are pairs,
    what live.js says once and what is wrong: a sign, a decay once too often, a step too late. `fixed` are controls of the
    explorer that the figure has not; `more` are settings to be tried beside corners and random ones. `drags` go from a point to
    a point of the first canvas, in shares of its size.
    """

    take: str
    wanted: Callable
    faults: tuple
    fixed: dict = field(default_factory=dict)
    more: Callable = tuple
    drags: tuple = ()

    def settings(self, name, count=200):
        """All corners of the controls, `count` random settings, and more."""
        controls, dice = explorer(name).controls, random.Random(0)
        controls = {key: control for key, control in controls.items() if key not in self.fixed}

        def drawn(control):
            if isinstance(control, Choice):
                return dice.choice(control.options)
            return dice.randint(control.low, control.high) if control.whole else dice.uniform(control.low, control.high)

        rows = [*itertools.product(*(control.corners for control in controls.values())),
                *([drawn(control) for control in controls.values()] for _ in range(count))]
        return [*(dict(zip(controls, row, strict=True)) | self.fixed for row in dict.fromkeys(map(tuple, rows))), *self.more()]


def margin(*mems, threshold=1.0):
    """How near to the threshold any potential comes."""
    return min((mem - threshold).abs().min().item() for mem in mems)


def digit(number, step, training):
    """The hidden spikes up to a step, and the votes."""
    data = compute_digit(number, step, training, dtype=torch.float64)
    spikes = torch.zeros(20, 64, dtype=torch.float64)
    spikes[:step] = data["hidden"]
    return [*spikes.flatten().tolist(), *data["votes"].tolist()], _beside(number)


@functools.cache
def _beside(number):
    """How near to the threshold a membrane of either layer comes on a stored test image."""
    pixels = compute_digit(number, 20, "price on spikes")["image"].double().flatten()[None] / 255
    (first, bias1), (second, bias2) = [[part.double() for part in layer] for layer in digit_net()]
    spk, hidden = lif(encode(pixels @ first.T + bias1), BETA)
    return margin(hidden, lif(spk @ second.T + bias2, BETA)[1])


def resets(**values):
    """The input, and potential, budget, spikes and first level after a spike under each of the five resets."""
    data = compute_resets(**values, dtype=torch.float64)
    row, runs = data["x"].tolist(), data["rows"].values()
    for run in runs:
        row += [*run["mem"].tolist(), *run["shares"], *run["spk"].tolist(), -1 if run["after"] is None else run["after"]]
    return row, margin(*(run["mem"] for run in runs))


def shape(kind, slope, **values):
    """Potentials of every tenth neuron and spikes of all after training; the edge of a boxcar counts as a threshold, too."""
    data = compute_shape(kind, slope, **values, dtype=torch.float64)
    u, edge = data["u"], 0.5 / slope if kind == "boxcar" else 0.0
    row = [*u[:, ::10].flatten().tolist(), *(u > 0).sum(0).tolist(), data["fires"], data["reached"]]
    return row, min(margin(u, threshold=0.0), margin(u.abs(), threshold=edge))


def path(**values):
    """The run, what all paths carry to each step, some paths one by one, and what the window keeps of the gradient."""
    data = compute_path(**values, dtype=torch.float64)
    some = [float(data["paths"][number % len(data["paths"])]) if len(data["paths"]) else 0.0 for number in range(0, 2048, 97)]
    numbers = [*data["mem"].tolist(), *data["spk"].tolist(), *data["coefficients"].tolist(), *some]
    return [*numbers, data["norm"], data["cosine"], data["reached"]], margin(data["mem"])


def codes(code, **values):
    """In each of the four codes spikes of a step and the picture so far, a pixel in four, the error and the spikes of all."""
    numbers = []
    for name in ("rate (Bernoulli)", "latency, linear", "phase", "delta, flash"):
        data = compute_codes(name, **values, dtype=torch.float64)
        count = int(data["count"].split()[0])
        numbers += [*data["sent"][::4].tolist(), *data["guess"].flatten()[::4].tolist(), data["error"], count]
    return numbers, float("inf")


def traces(pairs, **spikes):
    """Traces and weight, of regular pairs or of any spikes, and the sum of all pairs of spikes."""
    run = compute_traces if "lag" in spikes else follow
    data = run(**spikes, pairs=pairs, dtype=torch.float64)
    pre, post = (data[name].nonzero().flatten().tolist() for name in ("pre", "post"))
    return [*torch.cat([*data.values()]).tolist(), 100 * pair_stdp(pre, post, pairs=pairs)], math.inf


def trains(count=100):
    """Spikes wherever a hand may have put them."""
    dice = random.Random(0)
    return [{name: sorted(dice.sample(range(120), dice.randint(1, 12))) for name in ("pre", "post")}
            | {"pairs": dice.choice(("all", "nearest"))} for _ in range(count)]


def eligibility(**values):
    """One synapse step by step, all its weights by e-prop and exactly, each scaled to the largest, and how they compare."""
    data = compute_eligibility(**values, dtype=torch.float64)
    steps = ("mem", "trace", "eligibility", "signal", "product", "exact product", "exact", "eprop")
    return [*torch.cat([data[name] for name in steps]).tolist(), data["cosine"], data["ratio"]], data["margin"]


FIDELITY = {
    "sparsity.digit": Fidelity(
        """({images, layer, read, votes}, data) => {
          const net = data.layers.map(layer), shown = images(data);
          return ({number, step}) => {
            const {hidden, output} = read(shown[number], net);
            return [...hidden.flatMap((spk, t) => spk.map(fired => t < step ? fired : 0)), ...votes(output, step)];
          };
        }""", digit, fixed={"training": "price on spikes"},
        faults=(("+ current - spk[neuron]", "+ current + spk[neuron]"), ("BETA * mem", "BETA * BETA * mem"),
                ("second.currents(spk)", "second.currents(steps.hidden.at(-1) ?? spk)"))),
    "neurons.resets": Fidelity(
        """({model}, data) => values => {
          const {x, rows} = model(values, data);
          return [...x, ...rows.flatMap(({mem, spk, shares, after}) => [...mem, ...shares, ...spk, after ?? -1])];
        }""", resets,
        faults=(("beta * mem + x - spk", "beta * mem + x + spk"),
                ("beta * (mem - spk) + x", "beta * beta * (mem - spk) + x"),
                ("spk = mem > 1 ? 1 : 0;", "spk = steps.mem.at(-1) > 1 ? 1 : 0;")),
        drags=(((0.3, 0.5), (0.6, 0.5)),)),
    "surrogate.shape": Fidelity(
        """({model, unpacked}, {drive}) => {
          const noise = unpacked(drive);
          return values => {
            const {neurons, fires, reached} = model(values, noise);
            const some = neurons.filter((_, at) => at % 10 == 0), all = neurons.map(({u}) => u.filter(each => each > 0));
            return [...noise.flatMap((_, t) => some.map(({u}) => u[t])), ...all.map(spikes => spikes.length), fires, reached];
          };
        }""", shape,
        faults=(("bias - threshold * spk", "bias + threshold * spk"), ("+ BETA * delta", "+ BETA * BETA * delta"),
                ("number < step &&", "number <= step &&")),
        drags=(((0.55, 0.15), (0.7, 0.15)), ((0.6, 0.5), (0.4, 0.5)))),
    "encoding.digit": Fidelity(
        """({CODES, unpacked, sent, seen}, data) => {
          const {images, coins, fates} = unpacked(data);
          return ({digit, step, lost}) => Object.keys(CODES).flatMap(code => {
            const image = images[digit], spk = sent(code, image, lost, coins, fates);
            const {guess, error, count} = seen(code, spk, image, step);
            return [...spk.map(train => train[step - 1]), ...guess].filter((_, at) => at % 4 == 0).concat(error, count);
          });
        }""", codes, fixed={"code": "phase"},
        faults=(("guess.map((value, pixel) => (value - image", "guess.map((value, pixel) => (value + image"),
                ("0.5 ** (1 + t % 8)", "0.5 ** (1 + t % 8) * 0.5"), ("0, step < 8 ? step :", "0, step < 8 ? step - 1 :"),
                ("coin < k ?", "coin <= k ?"), ("late / (STEPS - 1)", "late / STEPS")),
        drags=(((0.4, 0.3), (0.6, 0.6)),)),
    "online.eligibility": Fidelity(
        """({model}, data) => values => {
          const {mem, trace, tag, signal, product, exact, weights, sums, cosine, ratio} = model(values, data);
          const largest = numbers => Math.max(...numbers.map(Math.abs));
          const scaled = (numbers, one = largest(numbers)) => numbers.map(number => number / one);
          return [mem, trace, tag, signal, product, exact, scaled(weights), scaled(sums), cosine, ratio].flat();
        }""", eligibility,
        faults=(("dot(joint[neuron], source) - spk[neuron]", "dot(joint[neuron], source) + spk[neuron]"),
                ("beta_out * before + slope[neuron] * trace[at]", "beta_out * (before + slope[neuron] * trace[at])"),
                ("+ beta * after)", "+ beta * beta * after)"), ("[...now, ...spk]", "[...now, ...(steps.at(-2)?.spk ?? spk)]"),
                ("slopes[at] * one);\n    influence", "step.slope[at] * one);\n    influence")),
        drags=(((0.5, 0.5), (0.4, 0.5)), ((0.3, 0.06), (0.45, 0.06)))),
    "bptt.path": Fidelity(
        """({model, factors, product}, data) => values => {
          const {mem, spk, h, after, back, norm, cosine, reached} = model(values, data), {beta, t, s} = values, some = [];
          for (let number = 0; number < 2048; number += 97) {
            const spikes = new Set([...Array(Math.max(0, t - s)).keys()].filter(k => number >> k & 1).map(k => t - 1 - k));
            some.push(s > t ? 0 : product(factors(h, beta, after, t, s, spikes)));
          }
          return [...mem, ...spk, ...back, ...some, norm, cosine, reached];
        }""", path,
        faults=(("recurrent * (spk[t - 1] ?? 0) - (spk", "recurrent * (spk[t - 1] ?? 0) + (spk"),
                ("[after, h[r]] : [beta]", "[after, h[r]] : [beta, beta]"),
                ("if (t - s < window)", "if (t - s <= window)")),
        drags=(((0.6, 0.15), (0.9, 0.15)), ((0.09, 0.583), (0.3, 0.583)))),
    "stdp.traces": Fidelity(
        """({changes, regular, run, train}) => ({lag, period, pairs, ...spikes}) => {
          const {pre, post} = spikes.pre ? spikes : regular(lag, period), {x, y, change} = run(pre, post, pairs);
          const total = changes(pre, post, pairs).reduce((sum, pair) => sum + pair.change, 0);
          return [...train(pre), ...train(post), ...x, ...y, ...change, total];
        }""", traces, more=trains,
        faults=(("- A_MINUS * S_pre[t] * y", "+ A_MINUS * S_pre[t] * y"), ("x *= FADE;", "x *= FADE * FADE;"),
                ("x = add(x, S_pre[t]);", "x = add(x, S_pre[t - 1] ?? 0);"), ("spike < t", "spike <= t")),
        drags=(((0.2, 0.12), (0.4, 0.12)),)),
}
