"""The long runs of notebook 26: three tables clustered by quantum and classical similarities, and what might explain it.

Every row clusters twelve stratified subsamples (iris 120 of 150, wine 142 of 178, cancer 200 of 569; the seed is the number of
the subsample, the same for all rows, so that differences are paired; subsamples overlap). Each method has four candidates: the
width of a Gaussian, or the scale of angles. One of them is chosen by the eigengap ("unlabelled"), by the centred alignment with
the labels ("labelled"), or by the plain one ("uncentred"); the score is the adjusted Rand index.
"""
from functools import partial

import torch

from ...similarity import eigengap, target_alignment
from ..kinds import COSINE
from . import flowers

SEEDS = tuple(range(12))
TOLERANCE = 0.05
QUANTITIES = {"*": COSINE}
GAINS = (0.6, 0.8, 1.2, 1.4, 2.0)                      # what inputs are multiplied by; 1 is in the rows without a gain
PLACES = (0.45, 0.55, 0.65, 0.75)
SIZES = {"iris": (120, 3), "wine": (142, 3), "cancer": (200, 2)}


def methods(x, seed):
    """{method: its candidates, as a function without arguments}, for features x [B, F]."""
    code, gauss, rossum = flowers.drive(x), flowers.gaussians, flowers.by_van_rossum
    steady, bare = flowers.steady(code), flowers.steady(x)
    quantum, classical = partial(flowers.quantum_spikes, seed=seed), flowers.classical_spikes
    return {
        "QLIF": lambda: gauss(rossum(quantum(steady))),
        "LIF": lambda: gauss(rossum(classical(steady))),
        "counts": lambda: gauss(flowers.by_counts(quantum(steady))),
        "code": lambda: gauss(flowers.apart(code)),
        "RBF": lambda: gauss(flowers.apart(x)),
        "pQK": lambda: flowers.angles(x),
        "QLIF without code": lambda: gauss(rossum(quantum(bare))),
        "LIF without code": lambda: gauss(rossum(classical(bare))),
        "counts without code": lambda: gauss(flowers.by_counts(quantum(bare))),
        "twin": lambda: gauss(rossum(flowers.twin_spikes(steady))),
        "QLIF, no leak": lambda: gauss(rossum(quantum(steady, decay=1.0))),
        "QLIF, 20 shots": lambda: gauss(rossum(quantum(steady, shots=20))),
        "QLIF, Victor-Purpura": lambda: gauss(flowers.by_victor_purpura(quantum(steady))),
        "QLIF, spikes in": lambda: gauss(rossum(quantum(flowers.bernoulli(code, seed)))),
        "LIF, spikes in": lambda: gauss(rossum(classical(flowers.bernoulli(code, seed)))),
    }


def varied(x):
    """The same for other numbers of fields, other gains, and a step without a neuron."""
    gauss, found = flowers.gaussians, {}
    ways = {"QLIF": flowers.quantum_spikes, "LIF": flowers.classical_spikes}
    for name, spikes in ways.items():
        def candidates(value, spikes=spikes):
            return gauss(flowers.by_van_rossum(spikes(flowers.steady(value))))

        for fields in (4, 16):
            found[f"{name}, {fields} fields"] = partial(lambda run, n: run(flowers.drive(x, n)), candidates, fields)
        for gain in GAINS:
            found[f"{name}, gain {gain:g}"] = partial(lambda run, gain: run(gain * flowers.drive(x)), candidates, gain)
            found[f"{name} without code, gain {gain:g}"] = partial(lambda run, gain: run(gain * x), candidates, gain)
    for fields in (4, 16):
        found[f"code, {fields} fields"] = partial(lambda n: gauss(flowers.apart(flowers.drive(x, n))), fields)
    for place in PLACES:
        found[f"no neuron, step at {place:g}"] = partial(lambda at: gauss(flowers.apart(flowers.with_step(x, at))), place)
    return found


LABELLED = ("QLIF", "LIF", "code", "RBF", "pQK")      # those that are also chosen by the labels


def scored(name, method, seed):
    """A row: the index of the candidate that each rule chooses."""
    size, count = SIZES[name]
    x, labels = flowers.subsample(name, size, seed)
    candidates = (methods(x, seed) | varied(x))[method]()
    rules = {"unlabelled": lambda similarity: eigengap(similarity, count)}
    if method in LABELLED:
        rules |= {"labelled": lambda similarity: target_alignment(similarity, labels),
                  "uncentred": lambda similarity: target_alignment(similarity, labels, centred=False)}
    indices = [flowers.rand_index(labels, flowers.clusters(similarity, count)) for similarity in candidates]
    chosen = {rule: max(range(len(candidates)), key=lambda place, judge=judge: judge(candidates[place]))
              for rule, judge in rules.items()}
    return {rule: indices[place] for rule, place in chosen.items()}


def _taxi(value):
    """Distances that sum differences, where `flowers.apart` sums their squares."""
    return torch.cdist(value, value, p=1)


FURTHER = {
    "LIF without code, gain 1.55": lambda x: flowers.by_van_rossum(flowers.classical_spikes(flowers.steady(1.55 * x))),
    "counts, L1": lambda x: _taxi(flowers.quantum_spikes(flowers.steady(flowers.drive(x))).sum(0)),
    "code, L1": lambda x: _taxi(flowers.drive(x)),
}


def further(name, method, seed):
    """Control, a row: one more distance, its width chosen by the eigengap."""
    size, count = SIZES[name]
    x, labels = flowers.subsample(name, size, seed)
    candidates = flowers.gaussians(FURTHER[method](x))
    chosen = max(candidates, key=lambda similarity: eigengap(similarity, count))
    return {"unlabelled": flowers.rand_index(labels, flowers.clusters(chosen, count))}


def by_means(name, seed):
    """Control, a row: k-means on the features, which has no width."""
    size, count = SIZES[name]
    x, labels = flowers.subsample(name, size, seed)
    return {"unlabelled": flowers.rand_index(labels, flowers.means(x, count))}


NAMES = ("QLIF", "LIF", "counts", "code", "RBF", "pQK", "QLIF without code", "LIF without code", "counts without code", "twin",
         "QLIF, no leak", "QLIF, 20 shots", "QLIF, Victor-Purpura", "QLIF, spikes in", "LIF, spikes in",
         *(f"{part}, {fields} fields" for fields in (4, 16) for part in ("QLIF", "LIF", "code")))
SWEPT = (*(f"{neuron}, gain {gain:g}" for neuron in ("QLIF", "LIF", "QLIF without code", "LIF without code") for gain in GAINS),
         *(f"no neuron, step at {place:g}" for place in PLACES))
ROWS = {f"{name}, {method}": partial(scored, name, method) for name in SIZES for method in NAMES}
ROWS |= {f"{name}, k-means": partial(by_means, name) for name in SIZES}
ROWS |= {f"iris, {method}": partial(scored, "iris", method) for method in SWEPT}
ROWS |= {f"{name}, {method}": partial(further, name, method) for name, method in (
    ("iris", "LIF without code, gain 1.55"), ("cancer", "counts, L1"), ("cancer", "code, L1"))}
