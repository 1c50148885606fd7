"""The tables that notebook 26 clusters, the ways to compare their rows, and the clustering itself, by scikit-learn."""
import math
import warnings
from functools import cache
from typing import NamedTuple

import torch

from ...encoding import population_code
from ...neurons import lif
from ...quantum import angle_similarity, qlif
from ...similarity import gaussian_similarity
from ...spike_distances import van_rossum, victor_purpura

STEPS, TAU, FIELDS = 40, 10.0, 8
DECAY, THRESHOLD = math.exp(-0.1), 0.7
WIDTHS = (0.25, 0.5, 1.0, 2.0)                      # of a Gaussian, in medians of the distances
SCALES = (0.25, 0.5, 1.0, 2.0)                      # of angles, in half turns for the whole range of a feature


class Table(NamedTuple):
    """Features between 0 and 1, [B, F] float64, and the class of each sample, [B]."""

    features: torch.Tensor
    labels: torch.Tensor


def scaled(raw):
    """Features, each stretched to the range from 0 to 1."""
    low, high = raw.amin(0), raw.amax(0)
    return (raw - low) / (high - low)


@cache
def table(name):
    """Load one of scikit-learn's tables, "iris", "wine" or "cancer": (raw features, labels)."""
    from sklearn import datasets  # here: its second of import is for those who use it

    load = {"iris": datasets.load_iris, "wine": datasets.load_wine, "cancer": datasets.load_breast_cancer}[name]
    features, labels = load(return_X_y=True)
    return torch.from_numpy(features), torch.from_numpy(labels).long()


def whole(name):
    """All samples of a table, scaled."""
    raw, labels = table(name)
    return Table(scaled(raw), labels)


def subsample(name, size, seed):
    """About `size` samples, from each class its share, scaled anew."""
    raw, labels = table(name)
    generator = torch.Generator().manual_seed(seed)
    chosen = []
    for number in labels.unique():
        of_class = (labels == number).nonzero().flatten()
        chosen.append(of_class[torch.randperm(len(of_class), generator=generator)[:round(len(of_class) * size / len(labels))]])
    kept = torch.cat(chosen)
    return Table(scaled(raw[kept]), labels[kept])


def drive(features, fields=FIELDS):
    """The population code of all features side by side, [B, F * fields]."""
    return population_code(features, fields).flatten(1)


def steady(value):
    """The same input in every step, [T, B, N]."""
    return value.expand(STEPS, *value.shape)


def bernoulli(value, seed):
    """Input spikes with the probability `value` in every step, [T, B, N]."""
    return torch.bernoulli(steady(value), generator=torch.Generator().manual_seed(seed))


def quantum_spikes(value, decay=DECAY, shots=None, seed=0):
    """Spikes of the quantum neuron; an input of 1 turns it by a quarter turn."""
    generator = torch.Generator().manual_seed(seed)
    return qlif(value * (math.pi / 2), decay, THRESHOLD, shots=shots, generator=generator)[0]


def classical_spikes(value):
    """Spikes of the classical neuron with the same decay and the threshold 1."""
    return lif(value, DECAY, reset="zero")[0]


def twin_spikes(value):
    """Spikes of the classical neuron that the quantum one is for small angles."""
    return lif(value * (math.pi / 4), math.sqrt(DECAY), math.sqrt(THRESHOLD), reset="zero")[0]


def with_step(features, place, height=0.35):
    """No neuron: each feature, and `height` more from `place` on."""
    return features + height * (features > place)


def apart(value):
    """Euclidean distances between the rows."""
    return torch.cdist(value, value)


def by_counts(spk):
    """Distances of spike counts, [B, B]: the times are thrown away."""
    return apart(spk.sum(0))


def by_van_rossum(spk):
    """Distances of spike trains with the time constant of all rows."""
    return van_rossum(spk, TAU)


def by_victor_purpura(spk):
    """Distances of spike trains where a step costs a fifth of a spike."""
    return victor_purpura(spk, 0.2)


def median(distance):
    """The median distance of two different samples."""
    return distance[torch.triu(torch.ones_like(distance), 1) > 0].median().item()


def gaussians(distance):
    """Candidates of one method: its distances under a Gaussian of each width."""
    return [gaussian_similarity(distance, width * median(distance)) for width in WIDTHS]


def angles(features):
    """Candidates of the parameterised quantum kernel: each scale."""
    return [angle_similarity(features, scale * math.pi) for scale in SCALES]


def clusters(similarity, count):
    """Spectral clustering of a matrix of similarities: the cluster of each sample."""
    from sklearn.cluster import SpectralClustering

    with warnings.catch_warnings():                 # narrow Gaussians leave samples alone, which it would say each time
        warnings.simplefilter("ignore")
        found = SpectralClustering(count, affinity="precomputed", random_state=0).fit_predict(similarity.numpy())
    return torch.from_numpy(found).long()


def means(features, count):
    """K-means: the cluster of each sample."""
    from sklearn.cluster import KMeans

    return torch.from_numpy(KMeans(count, n_init=10, random_state=0).fit_predict(features.numpy())).long()


def rand_index(labels, found):
    """The adjusted Rand index: 1 for the same parts, 0 on average for parts drawn by chance."""
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(labels.numpy(), found.numpy()))


def matched(labels, found):
    """How many samples are in the cluster of their class, when clusters are named as well as they can be."""
    from scipy.optimize import linear_sum_assignment
    from sklearn.metrics import confusion_matrix

    both = confusion_matrix(labels.numpy(), found.numpy())
    return int(both[linear_sum_assignment(-both)].sum())
