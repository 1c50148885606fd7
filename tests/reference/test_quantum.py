"""The quantum neuron against its closed forms and against two by two matrices, its shot noise, its rival, and bad input."""
import math

import pytest
import torch

from snnteach.neurons import lif
from snnteach.quantum import angle_similarity, qlif, qlif_rheobase, qlif_step

FLOAT = torch.float64


def draw(seed, *shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=FLOAT)


def constant(angle, steps):
    return torch.full((steps, 1), angle, dtype=FLOAT)


def matrices(theta, decay, threshold):
    """The same neuron by state vectors and rotation matrices, a step a spike: the textbook's way."""
    a, spk, both = 0.0, 0.0, []
    for angle in theta.tolist():
        memory = 2 * math.asin(math.sqrt(decay * (1 - spk) * a))
        state = torch.tensor([1.0, 0.0], dtype=torch.complex128)
        for turn in (memory, angle):                                      # two rotations about x, no other gate
            c, s = math.cos(turn / 2), -1j * math.sin(turn / 2)
            state = torch.tensor([[c, s], [s, c]], dtype=torch.complex128) @ state
        a = abs(state[1].item()) ** 2
        spk = float(a > threshold)
        both.append((spk, a))
    return torch.tensor(both, dtype=FLOAT)


@pytest.mark.parametrize("decay", [0.0, 0.6, 0.95, 1.0])
def test_it_is_two_rotations_of_a_state_vector(decay):
    theta = 4 * draw(3, 60) - 0.5                                         # some turn back, some beyond half a turn
    spk, a = qlif(theta[:, None], decay, 0.7)
    wanted = matrices(theta, decay, 0.7)
    assert torch.allclose(torch.stack([spk[:, 0], a[:, 0]], 1), wanted, atol=1e-12) and 5 < spk.sum() < 55


def test_steps_give_what_the_sequence_gives_with_the_same_shots():
    theta = 2 * draw(1, 30, 4, 3)
    for shots in (None, 50):
        spk, a = qlif(theta, 0.9, shots=shots, generator=torch.Generator().manual_seed(5))
        generator, state = torch.Generator().manual_seed(5), (torch.zeros(4, 3, dtype=FLOAT),) * 2
        for t in range(30):
            state = qlif_step(theta[t], state[1], state[0], 0.9, shots=shots, generator=generator)
            assert torch.equal(state[0], spk[t]) and torch.equal(state[1], a[t])


@pytest.mark.parametrize(("angle", "threshold"), [(0.3, 0.7), (0.11, 0.5), (1.0, 0.9), (0.5, 0.2)])
def test_without_a_leak_it_counts_angles(angle, threshold):
    spk, _ = qlif(constant(angle, 200), 1.0, threshold)
    period = math.floor(2 * math.asin(math.sqrt(threshold)) / angle) + 1
    assert spk.flatten().nonzero().flatten().tolist() == list(range(period - 1, 200, period))


@pytest.mark.parametrize(("decay", "threshold"), [(0.9, 0.7), (0.5, 0.3), (1 / 3, 0.75), (0.0, 0.5), (0.99, 0.95)])
def test_below_the_rheobase_it_is_silent_and_settles_at_the_threshold(decay, threshold):
    least = qlif_rheobase(decay, threshold)
    assert qlif(constant(least + 2e-3, 1000), decay, threshold)[0].any()
    spk, a = qlif(constant(least - 2e-3, 1000), decay, threshold)
    assert not spk.any() and threshold - 0.1 < a[-1].item() < threshold


def test_without_a_leak_every_angle_is_enough():
    assert qlif_rheobase(1.0, 0.7) == 0 and qlif(constant(0.01, 400), 1.0)[0].any()


def test_for_small_angles_it_is_the_lif_neuron_of_notebook_02():
    decay, same, errors = 0.9, [], []
    for size in (0.2, 0.02, 0.01):                                         # angle and threshold shrink together
        theta = size * draw(4, 200, 1, 20)
        spk, _ = qlif(theta, decay, (1.2 * size) ** 2)
        classical, _ = lif(theta / 2, math.sqrt(decay), 1.2 * size, reset="zero")
        same.append((spk == classical).double().mean().item())
        free, height = qlif(theta, decay, 1.0)[1].sqrt(), lif(theta / 2, math.sqrt(decay), 99.0, reset="none")[1]
        errors.append(((free - height).abs() / height).max().item())
    assert same[0] < 0.98 and same[1] == same[2] == 1 and 3.8 < errors[1] / errors[2] < 4.2


def test_the_leak_in_angles_is_a_tangent():
    phi, lost = torch.linspace(0.1, 3.0, 30, dtype=FLOAT), 1e-5
    a = (phi / 2).sin() ** 2
    after = qlif_step(torch.zeros_like(phi), a, torch.zeros_like(phi), 1 - lost, 1.0)[1]
    slope = (phi - 2 * after.sqrt().asin()) / lost
    assert torch.allclose(slope, (phi / 2).tan(), rtol=2e-3)


@pytest.mark.parametrize("angle", [0.0, 2 * math.pi, 4 * math.pi])
def test_a_full_turn_changes_nothing(angle):
    a = draw(2, 10)
    assert torch.allclose(qlif_step(torch.full_like(a, angle), a, torch.zeros_like(a), 1.0, 1.0)[1], a, atol=1e-12)


@pytest.mark.parametrize("shots", [20, 100, 1000])
def test_shot_noise_is_binomial(shots):
    chance = torch.tensor([0.1, 0.5, 0.7], dtype=FLOAT).expand(20_000, 3)
    zero, generator = torch.zeros(20_000, 3, dtype=FLOAT), torch.Generator().manual_seed(0)
    _, a = qlif_step(2 * chance.sqrt().asin(), zero, zero, 0.9, shots=shots, generator=generator)
    assert torch.allclose(a * shots, (a * shots).round(), atol=1e-9)
    assert torch.allclose(a.mean(0), chance[0], atol=4 * 0.5 / math.sqrt(shots * 20_000))
    assert torch.allclose(a.std(0), (chance[0] * (1 - chance[0]) / shots).sqrt(), rtol=0.03)


def test_many_shots_become_the_exact_neuron():
    theta = torch.full((40, 50), math.pi / 5, dtype=FLOAT)
    exact = qlif(theta, 0.9)[0]
    near, far = (qlif(theta, 0.9, shots=shots, generator=torch.Generator().manual_seed(1))[0] for shots in (10**6, 10))
    assert torch.equal(near, exact) and not torch.equal(far, exact)


def test_single_precision_stays_single_and_near():
    theta = draw(8, 20, 3)
    spk, a = qlif(theta.float(), 0.9)
    assert a.dtype == spk.dtype == torch.float32 and torch.allclose(a.double(), qlif(theta, 0.9)[1], atol=1e-5)


# The rival

def test_the_similarity_is_the_overlap_of_qubits():
    x = 3 * draw(5, 6, 2)
    found = angle_similarity(x, 1.3)
    for i in range(6):
        for j in range(6):
            overlap = 1.0
            for f in range(2):                                            # the state after a rotation is (cos, -i sin)
                one, other = 1.3 * x[i, f] / 2, 1.3 * x[j, f] / 2
                overlap *= (one.cos() * other.cos() + one.sin() * other.sin()) ** 2
            assert found[i, j].item() == pytest.approx(overlap.item(), abs=1e-12)


def test_for_small_angles_the_similarity_is_a_gaussian():
    x = draw(6, 40, 3)
    gaussian = (-(torch.cdist(x, x) * 0.1 / 2) ** 2).exp()
    assert (angle_similarity(x, 0.1) - gaussian).abs().max() < 1e-5 < (angle_similarity(x, 3.0) - gaussian).abs().max()


# What is refused

GOOD = {"theta": torch.zeros(2, 3), "a": torch.zeros(2, 3), "spk": torch.zeros(2, 3), "decay": 0.9}


@pytest.mark.parametrize(("change", "message"), [
    ({"theta": torch.zeros(2, 3, dtype=torch.int64)}, "theta must be floating point"),
    ({"theta": torch.full((2, 3), math.nan)}, "theta holds NaN"), ({"a": torch.zeros(3, 2)}, "a must be (2, 3) as theta"),
    ({"a": torch.full((2, 3), 1.5)}, "a must be between 0 and 1"),
    ({"a": torch.zeros(2, 3, dtype=FLOAT)}, "a is torch.float64"),
    ({"spk": torch.full((2, 3), 0.5)}, "spk must hold spikes"), ({"decay": 1.1}, "decay must be between 0 and 1"),
    ({"threshold": 0.0}, "threshold must be above 0 and at most 1"), ({"threshold": 1.2}, "threshold must be above 0"),
    ({"shots": 0}, "shots must be a whole number of at least 1"), ({"shots": 1.5}, "shots must be a whole number"),
    ({"shots": 10**7}, "at most 1000000"), ({"generator": 3}, "generator must be a torch.Generator")])
def test_a_step_says_what_is_wrong(change, message):
    with pytest.raises((TypeError, ValueError)) as told:
        qlif_step(**{**GOOD, **change})
    assert str(told.value).startswith("qlif_step: ") and message in str(told.value)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: qlif(torch.zeros(5), 0.9), "qlif: theta must be [T, B, ...] (time first), got shape (5,)"),
    (lambda: qlif(torch.zeros(5, 1), torch.tensor(0.9)), "qlif: decay must be a number, got a tensor. Pass decay.item()"),
    (lambda: qlif_rheobase(0.9, 2), "qlif_rheobase: threshold must be above 0 and at most 1"),
    (lambda: qlif_rheobase("x"), "qlif_rheobase: decay must be a number"),
    (lambda: angle_similarity(torch.zeros(3), 1.0), "angle_similarity: x must be [B, F]"),
    (lambda: angle_similarity(torch.zeros(3, 2), 0), "angle_similarity: scale must be above 0"),
    (lambda: angle_similarity(torch.full((3, 2), math.inf), 1), "angle_similarity: x holds NaN or infinity")])
def test_what_else_is_refused(call, message):
    with pytest.raises((TypeError, ValueError)) as told:
        call()
    assert message in str(told.value)
