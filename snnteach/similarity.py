"""From distances to clusters: a Gaussian similarity, and two ways to choose its width, with the labels and without."""
import torch

from ._arguments import (
    check_affordable,
    check_classes,
    check_finite,
    check_flags,
    check_not_negative,
    check_numbers,
    check_signal,
    check_that,
    check_whole,
)


def _check_square(owner, name, value):
    check_signal(owner, name, value, layout="[B, B]", dims=2)
    check_that(owner, value.shape[0] == value.shape[1], f"{name} must be [B, B], one row and one column a sample, got shape "
                                                        f"{tuple(value.shape)}.")
    check_finite(owner, name, value, "Look for it in the data.")


def gaussian_similarity(distance, width):
    """Turn distances into similarities: 1 for the same, falling to 0 beyond the width.

    K = exp(-D^2 / (2 width^2))

    Args:
        distance: D, not negative, any shape.
        width: positive, in the unit of the distance.

    Returns:
        K between 0 and 1, shape of distance.

    Raises:
        TypeError: distance not a floating-point tensor, width not a number.
        ValueError: NaN, infinity or a negative distance, width not positive.

    Source: von Luxburg (2007), doi:10.1007/s11222-007-9033-z, section 2.2.

    >>> [round(k, 3) for k in gaussian_similarity(torch.tensor([0.0, 2.0]), width=2.0).tolist()]
    [1.0, 0.607]
    """
    check_signal("gaussian_similarity", "distance", distance, layout="a tensor of any shape", min_dims=0)
    check_finite("gaussian_similarity", "distance", distance, "Look for it in the data.")
    check_not_negative("gaussian_similarity", distance=distance)
    check_numbers("gaussian_similarity", above=0, width=width)
    return (-((distance / float(width)) ** 2) / 2).exp()


def target_alignment(similarity, labels, *, centred=True):
    """Say how well similarities agree with the labels: the cosine between the matrix and the one that the labels would draw.

    A = sum(K Y) / (norm(K) norm(Y)),    Y = 1 for two samples of one class, else -1

    Centred, the mean of each row and column is taken off both first. Whoever chooses anything by it has used the labels.

    Args:
        similarity: K, symmetric, [B, B].
        labels: class of each sample, int64, [B], two classes or more.
        centred: take the means off first.

    Returns:
        A, a float from -1 to 1; 0 where nothing is left of K.

    Raises:
        TypeError: similarity not a floating-point tensor, labels not int64, centred not True or False.
        ValueError: shapes that disagree, NaN or infinity, fewer than two classes.

    Source: Cristianini et al. (2001), On Kernel-Target Alignment; centred by Cortes, Mohri and Rostamizadeh (2012),
    arXiv:1203.0550.

    >>> labels = torch.tensor([0, 0, 1, 1, 2, 2])
    >>> everyone_alike = torch.ones(6, 6)
    >>> round(target_alignment(everyone_alike, labels, centred=False), 3), target_alignment(everyone_alike, labels)
    (-0.333, 0.0)
    """
    _check_square("target_alignment", "similarity", similarity)
    check_classes("target_alignment", "labels", labels, "[B] of class numbers")
    check_that("target_alignment", labels.shape == similarity.shape[:1],
               f"labels must be [{len(similarity)}], one a sample, got shape {tuple(labels.shape)}.")
    check_that("target_alignment", len(labels.unique()) > 1, "labels must hold two classes or more.")
    check_flags("target_alignment", centred=centred)
    parts = similarity.detach().double(), torch.where(labels[:, None] == labels, 1.0, -1.0).double()
    if centred:
        parts = [part - part.mean(0) - part.mean(1, keepdim=True) + part.mean() for part in parts]
    norms = parts[0].norm() * parts[1].norm()
    return ((parts[0] * parts[1]).sum() / norms).item() if norms > 1e-12 * len(labels) ** 2 else 0.0


def eigengap(similarity, clusters):
    """Say how clearly similarities fall into so many clusters, without labels: the gap that the spectrum leaves.

    gap = lambda[clusters + 1] - lambda[clusters],    lambda[1] <= lambda[2] <= ... of the normalised Laplacian
    L = I - D^(-1/2) K D^(-1/2), with the diagonal of K left out and D the sums of its rows

    Clusters that do not touch have as many eigenvalues 0 as there are clusters, and a gap behind them. A sample that is like
    no other is a cluster of its own.

    Args:
        similarity: K, symmetric, not negative, [B, B].
        clusters: how many are looked for, at least 1 and fewer than B.

    Returns:
        The gap, a float from 0 to 2.

    Raises:
        TypeError: similarity not a floating-point tensor.
        ValueError: not [B, B], negative, NaN or infinity in it, clusters not whole, less than 1 or too many.

    Source: von Luxburg (2007), doi:10.1007/s11222-007-9033-z, section 8.3.

    >>> pairs = torch.block_diag(torch.ones(3, 3), torch.ones(3, 3))
    >>> round(eigengap(pairs, clusters=2), 3), round(eigengap(torch.ones(6, 6), clusters=2), 3)
    (1.5, 0.0)
    """
    _check_square("eigengap", "similarity", similarity)
    check_not_negative("eigengap", similarity=similarity)
    check_whole("eigengap", clusters=clusters)
    check_that("eigengap", clusters < len(similarity), f"clusters must be fewer than the {len(similarity)} samples, got "
                                                       f"{clusters}.")
    check_affordable("eigengap", "similarity", len(similarity), len(similarity))
    links = similarity.detach().double() * (1 - torch.eye(len(similarity), dtype=torch.float64))
    degree = links.sum(1)
    root = torch.where(degree > 0, degree, 1.0).rsqrt()
    spectrum = torch.linalg.eigvalsh(torch.diag((degree > 0).double()) - root[:, None] * links * root)
    return (spectrum[clusters] - spectrum[clusters - 1]).item()
