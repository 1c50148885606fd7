"""A machine's memory and cores: closed forms against simulation, and against what one can count by hand."""
import math

import pytest
import torch

from snnteach import hosting


def test_memory_by_hand():
    assert hosting.readers_that_fit(16_000, 908, 1500) == 15 == math.floor(14_500 / 908)
    assert hosting.readers_that_fit(1000, 1, 2000) == 0
    assert hosting.memory_needed(10, 100, 300, 0.0) == 1000 and hosting.memory_needed(10, 100, 300, 1.0) == 3000
    assert hosting.memory_needed(10, 100, 300, 0.5, certainty=1.0) == 3000


@pytest.mark.parametrize(("readers", "share"), [(5, 0.3), (30, 0.2), (80, 0.05)])
def test_memory_is_the_binomial_quantile(readers, share):
    busy = hosting.memory_needed(readers, 0, 1, share, 0.99)

    def below(most):
        return sum(math.comb(readers, k) * share**k * (1 - share) ** (readers - k) for k in range(int(most) + 1))
    assert below(busy) >= 0.99 > below(busy - 1)
    drawn = torch.rand(20_000, readers, generator=torch.Generator().manual_seed(0)) < share
    assert (drawn.sum(1) <= busy).double().mean().item() == pytest.approx(below(busy), abs=0.004)


def test_a_reader_alone_never_waits():
    for cores in (1, 4):
        crowd = hosting.shared_cores(1, cores, 60, 3)
        assert crowd.response == pytest.approx(3) and crowd.slowed == 0
        assert crowd.busy == pytest.approx(3 / 63 / cores)


def test_with_a_core_each_nobody_waits_and_with_too_few_the_cores_set_the_pace():
    assert hosting.shared_cores(12, 12, 60, 5).response == pytest.approx(5)
    crowd = hosting.shared_cores(500, 2, 60, 5)
    assert crowd.busy == pytest.approx(1) and crowd.response == pytest.approx(500 * 5 / 2 - 60, rel=1e-6)   # n work / c - think


def test_two_readers_on_one_core_by_hand():
    """Birth and death: rates 2/Z, 1/Z up, 1/S down; r = S/Z."""
    ratio = 5 / 20
    chances = [1, 2 * ratio, 2 * ratio**2]
    total = sum(chances)
    mean, started = (chances[1] + 2 * chances[2]) / total, (2 * chances[0] + chances[1]) / total / 20
    crowd = hosting.shared_cores(2, 1, 20, 5)
    assert crowd.response == pytest.approx(mean / started) and crowd.busy == pytest.approx(1 - 1 / total)
    assert crowd.slowed == pytest.approx(chances[1] / (2 * chances[0] + chances[1]))


@pytest.mark.parametrize("varied", [True, False])
def test_the_closed_form_is_what_a_simulation_does_whatever_the_cells_are(varied):
    for readers, cores, think, work in ((6, 1, 20, 5), (12, 2, 30, 4)):
        law = hosting.shared_cores(readers, cores, think, work)
        found = hosting.simulate_cores(readers, cores, think, work, starts=8000, varied=varied,
                                       generator=torch.Generator().manual_seed(0))
        assert found.response == pytest.approx(law.response, rel=0.07) and found.busy == pytest.approx(law.busy, rel=0.05)
        assert found.slowed == pytest.approx(law.slowed, abs=0.04)


def test_all_at_once():
    assert hosting.all_at_once(30, 2, 16) == 240 and hosting.all_at_once(1, 2, 16) == 16


@pytest.mark.parametrize(("call", "words"), [
    (lambda: hosting.readers_that_fit(0, 1), "memory must be"), (lambda: hosting.memory_needed(3, 5, 4, 0.1), "at least idle"),
    (lambda: hosting.memory_needed(3, 1, 2, 1.5), "between 0 and 1"),
    (lambda: hosting.shared_cores(0, 1, 1, 1), "readers must"), (lambda: hosting.shared_cores(2, 1, 0, 1), "think must be"),
    (lambda: hosting.simulate_cores(2, 1, 1, 1, starts=0), "starts"),
    (lambda: hosting.all_at_once(2, 1, math.inf), "work must be"),
])
def test_what_cannot_be_meant_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
