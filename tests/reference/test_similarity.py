"""Similarities, their agreement with labels, and the gap of their spectrum: closed forms, scikit-learn, and bad input."""
import math

import pytest
import torch
from scipy.sparse import csgraph

from snnteach.similarity import eigengap, gaussian_similarity, target_alignment

FLOAT = torch.float64
LABELS = torch.arange(3).repeat_interleave(4)


def blobs(spread, seed=0):
    generator = torch.Generator().manual_seed(seed)
    centres = torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]], dtype=FLOAT)[LABELS]
    points = centres + spread * torch.randn(12, 2, generator=generator, dtype=FLOAT)
    return torch.cdist(points, points)


def test_gaussian_similarity():
    distance = blobs(1.0)
    assert torch.allclose(gaussian_similarity(distance, 2.0), (-distance ** 2 / 8).exp())
    assert gaussian_similarity(torch.tensor(3.0), 3).item() == pytest.approx(math.exp(-0.5))


def test_alignment_of_matrices_known_by_hand():
    ideal = (LABELS[:, None] == LABELS).double()
    assert target_alignment(ideal, LABELS) == pytest.approx(1)
    assert target_alignment(2 * ideal - 1, LABELS, centred=False) == pytest.approx(1)
    assert target_alignment(torch.ones(12, 12), LABELS, centred=False) == pytest.approx(-1 / 3)
    assert target_alignment(torch.eye(12), LABELS, centred=False) == pytest.approx(1 / math.sqrt(12))
    assert target_alignment(1 - ideal, LABELS) == pytest.approx(-1)
    assert target_alignment(torch.ones(12, 12), LABELS) == 0


def test_only_the_centred_alignment_forgives_a_constant():
    similarity = gaussian_similarity(blobs(1.0), 2.0)
    both = [[target_alignment(similarity + add, LABELS, centred=centred) for add in (0.0, 5.0)] for centred in (True, False)]
    assert both[0][0] == pytest.approx(both[0][1]) and both[1][1] < 0 < both[1][0]


def test_the_gap_is_that_of_scipys_laplacian():
    similarity = gaussian_similarity(blobs(1.0), 1.5)
    spectrum = torch.linalg.eigvalsh(torch.from_numpy(csgraph.laplacian(similarity.numpy(), normed=True)))
    for clusters in (1, 2, 3, 11):
        assert eigengap(similarity, clusters) == pytest.approx((spectrum[clusters] - spectrum[clusters - 1]).item(), abs=1e-12)


def test_the_gap_is_widest_at_the_true_number_of_clusters():
    gaps = [eigengap(gaussian_similarity(blobs(0.3), 1.0), clusters) for clusters in range(1, 8)]
    assert max(range(7), key=gaps.__getitem__) == 2 and gaps[2] > 0.8


def test_a_lonely_sample_is_a_cluster():
    lonely = torch.block_diag(torch.ones(4, 4), torch.ones(1, 1))
    assert eigengap(lonely, 2) == pytest.approx(4 / 3) and eigengap(lonely, 1) == pytest.approx(0, abs=1e-12)


def test_nothing_given_is_changed():
    similarity = gaussian_similarity(blobs(1.0), 2.0)
    before = similarity.clone()
    target_alignment(similarity, LABELS)
    eigengap(similarity, 3)
    assert torch.equal(similarity, before)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: gaussian_similarity(torch.tensor([-1.0]), 1), "gaussian_similarity: distance must not be negative"),
    (lambda: gaussian_similarity(torch.tensor([1.0]), 0), "gaussian_similarity: width must be above 0"),
    (lambda: target_alignment(torch.ones(3, 2), LABELS), "target_alignment: similarity must be [B, B]"),
    (lambda: target_alignment(torch.ones(3, 3), LABELS), "target_alignment: labels must be [3], one a sample"),
    (lambda: target_alignment(torch.ones(2, 2), torch.tensor([0, 0])), "target_alignment: labels must hold two classes"),
    (lambda: target_alignment(torch.ones(2, 2), torch.tensor([0.0, 1.0])), "labels must be int64 class numbers"),
    (lambda: target_alignment(torch.ones(2, 2), torch.tensor([0, 1]), centred=2), "centred must be True or False"),
    (lambda: eigengap(torch.ones(3, 3), 3), "eigengap: clusters must be fewer than the 3 samples"),
    (lambda: eigengap(-torch.ones(3, 3), 1), "eigengap: similarity must not be negative"),
    (lambda: eigengap(torch.full((3, 3), math.nan), 1), "eigengap: similarity holds NaN")])
def test_what_is_refused(call, message):
    with pytest.raises((TypeError, ValueError)) as told:
        call()
    assert message in str(told.value)
