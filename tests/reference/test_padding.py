"""Sequences of different lengths: moved to one end and back, and a padded batch trains and answers as its samples do alone."""
import math

import pytest
import torch

from snnteach.losses import ce_count_loss, ce_membrane_loss, mse_membrane_loss
from snnteach.networks import Record, SpikingMLP
from snnteach.padding import end_together, pad_back, pad_front
from snnteach.scores import final_membrane
from snnteach.training import accuracy, fit, predict, r_squared, train_step

LENGTHS = torch.tensor([3, 7, 1, 5])


def network(readout="membrane", outputs=3):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return SpikingMLP((6, 20, outputs), threshold=0.3, readout=readout).double()


def padded(seed=0, steps=7):
    x = torch.rand(steps, 4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return x.masked_fill((torch.arange(steps)[:, None] >= LENGTHS)[..., None], 0)


@pytest.mark.parametrize("shape", [(7, 4), (7, 4, 3), (7, 4, 2, 3)])
def test_front_and_back_by_hand(shape):
    value = torch.rand(shape)
    front = pad_front(value, LENGTHS)
    for sample, length in enumerate(LENGTHS.tolist()):
        assert torch.equal(front[7 - length:, sample], value[:length, sample]) and not front[:7 - length, sample].any()
        assert torch.equal(pad_back(front, LENGTHS)[:length, sample], value[:length, sample])
        assert not pad_back(front, LENGTHS)[length:, sample].any()
    assert torch.equal(pad_front(pad_back(front, LENGTHS), LENGTHS), front)


def test_what_stands_in_the_padding_does_not_matter_even_if_it_is_nan():
    value = torch.rand(7, 4, 3)
    spoilt = value.masked_fill((torch.arange(7)[:, None] >= LENGTHS)[..., None], math.nan)
    assert torch.equal(pad_front(value, LENGTHS), pad_front(spoilt, LENGTHS))


def test_nan_before_an_end_is_named():
    value = torch.rand(7, 4, 3)
    value[0, 2, 1] = math.nan
    for function, spoilt in ((pad_front, value), (pad_back, value.flip(0))):
        with pytest.raises(ValueError, match=f"^{function.__name__}: value holds NaN"):
            function(spoilt, LENGTHS)


def test_a_gradient_goes_only_to_the_steps_that_count():
    value = torch.rand(7, 4, 3, requires_grad=True)
    pad_front(value, LENGTHS).sum().backward()
    assert torch.equal(value.grad, (torch.arange(7)[:, None] < LENGTHS)[..., None].expand(7, 4, 3).float())


def test_records_end_together():
    spk, mem = torch.rand(7, 4, 3), torch.rand(7, 4, 3)
    first, last = end_together([Record(spk, mem), Record(None, mem)], LENGTHS)
    assert torch.equal(first.spk, pad_front(spk, LENGTHS)) and last.spk is None
    assert torch.equal(first.mem, last.mem) and torch.equal(last.mem, pad_front(mem, LENGTHS))


TARGETS = {"classes": torch.tensor([0, 1, 2, 1]), "numbers": torch.rand(4, 3, dtype=torch.float64),
           "numbers at each step": torch.rand(7, 4, 3, dtype=torch.float64)}


@pytest.mark.parametrize("kind", list(TARGETS))
@pytest.mark.parametrize("slice_size", [None, 3])
def test_a_padded_step_is_the_mean_of_the_steps_of_its_samples_alone(kind, slice_size):
    """The gradient of the padded batch against samples that go through alone and unpadded."""
    target = TARGETS[kind]

    def loss(records, target):
        return (ce_membrane_loss if kind == "classes" else mse_membrane_loss)(records[-1].mem, target)

    net, other = network(), network()
    value = train_step(net, padded(), target, loss=loss, lengths=LENGTHS, slice_size=slice_size,
                       optimiser=torch.optim.SGD(net.parameters(), lr=0.0))
    total = 0
    for sample, length in enumerate(LENGTHS.tolist()):
        own = target[:length, sample:sample + 1] if target.dim() == 3 else target[sample:sample + 1]
        share = length / 7 if target.dim() == 3 else 1                      # a mean over T: padding counts as answered rightly
        total = total + share * loss(other(padded()[:length, sample:sample + 1]), own) / 4
    total.backward()
    assert value == pytest.approx(total.item(), rel=1e-12)
    for ours, theirs in zip(net.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=0, atol=1e-12)


@pytest.mark.parametrize("read", [None, final_membrane, lambda record: record.mem])
def test_answers_are_those_of_each_sample_alone(read):
    net, options = network(), {} if read is None else {"read": read}
    x = padded().transpose(0, 1)                                                                   # [samples, T, N]
    answers = predict(net, x, encode=lambda x: x.transpose(0, 1), lengths=LENGTHS, batch_size=3, **options)
    for sample, length in enumerate(LENGTHS.tolist()):
        alone = predict(net, x[sample:sample + 1, :length], encode=lambda x: x.transpose(0, 1), **options)
        if answers.dim() == 3:
            torch.testing.assert_close(answers[:length, sample], alone[:, 0])
            assert not answers[length:, sample].any()
        else:
            torch.testing.assert_close(answers[sample], alone[0])


def film(samples=300, steps=20, blank=0, seed=0):
    """Short sequences of three classes that are told by which third of the inputs is active, and how long they are."""
    generator = torch.Generator().manual_seed(seed)
    targets = torch.randint(0, 3, (samples,), generator=generator)
    lengths = torch.randint(5, steps + 1, (samples,), generator=generator)
    rates = 0.05 + 0.15 * torch.nn.functional.one_hot(targets, 3).repeat_interleave(2, 1)           # [samples, 6]
    x = (torch.rand(samples, steps, 6, generator=generator) < rates[:, None]).float()
    x = x.masked_fill((torch.arange(steps) >= lengths[:, None])[..., None], 0)
    return torch.cat([x, torch.zeros(samples, blank, 6)], 1), targets, lengths


def test_blank_steps_at_the_end_change_nothing_in_a_trained_membrane_read_out():
    torch.manual_seed(0)
    net, (x, targets, lengths) = SpikingMLP((6, 40, 3), threshold=0.5, readout="membrane"), film()

    def time_first(x):
        return x.transpose(0, 1)

    history = fit(net, x, targets, lengths=lengths, loss=lambda records, y: ce_membrane_loss(records[-1].mem, y), epochs=30,
                  encode=time_first, batch_size=32, learning_rate=1e-2, seed=0, validation=film(seed=1))
    with torch.no_grad():
        net.linears[1].bias += torch.tensor([0.02, 0.0, 0.0])      # a bias drives the membranes on when nothing comes in
    test, answers, ends = film(seed=1)
    longer = film(blank=90, seed=1)[0]
    assert history[-1]["accuracy"] > 0.6
    known = [predict(net, samples, encode=time_first, lengths=ends) for samples in (test, longer)]
    unknown = [accuracy(net, samples, answers, encode=time_first) for samples in (test, longer)]
    assert torch.equal(*known) and unknown[0] > unknown[1] + 0.1


def test_explained_variance_leaves_the_padding_out():
    net, x = network(), padded().transpose(0, 1)
    targets = predict(net, x, encode=lambda x: x.transpose(0, 1), lengths=LENGTHS, read=lambda record: record.mem)
    spoilt = targets.masked_fill((torch.arange(7)[:, None] >= LENGTHS)[..., None], 1e6)
    for wanted in (targets, spoilt):
        assert r_squared(net, x, wanted, encode=lambda x: x.transpose(0, 1), lengths=LENGTHS) == 1
    assert r_squared(net, x, spoilt, encode=lambda x: x.transpose(0, 1)) < 1


def test_a_regulariser_sees_no_spike_of_the_padding():
    seen, net = [], network("spike")
    x = padded() + 1                                                                   # the padding is far from silent

    def regulariser(records):
        seen.append([record.spk.sum((0, 2)) for record in records])
        return 0 * records[0].spk.mean()

    train_step(net, x, TARGETS["classes"], loss=lambda records, y: ce_count_loss(records[-1].spk, y), lengths=LENGTHS,
               optimiser=torch.optim.SGD(net.parameters(), lr=0.0), regulariser=regulariser)
    for layer, counts in enumerate(seen[0]):
        for sample, length in enumerate(LENGTHS.tolist()):
            assert counts[sample] == net(x)[layer].spk[:length, sample].sum()


@pytest.mark.parametrize(("value", "lengths", "error", "words"), [
    ([[1.0]], LENGTHS, TypeError, r"value must be a torch.Tensor \[T, B, ...\], got list. .* torch.tensor\(value\)"),
    (torch.zeros(7), LENGTHS, ValueError, r"value must be \[T, B, ...\].* got.*\(7,\)"),
    (torch.zeros(0, 4), LENGTHS, ValueError, "value must be .*not empty"),
    (torch.zeros(7, 4), [3, 7, 1, 5], TypeError, r"lengths must be a torch.Tensor .* Convert it with torch.tensor\(lengths\)"),
    (torch.zeros(7, 4), LENGTHS.float(), TypeError, r"lengths must be int64 .* Convert with lengths.long\(\)"),
    (torch.zeros(7, 4), LENGTHS[:3], ValueError, r"lengths must be \[4\], one a sample, got shape \(3,\)"),
    (torch.zeros(6, 4), LENGTHS, ValueError, "lengths must be from 1 to T = 6.* got entries from 1 to 7"),
    (torch.zeros(7, 4), LENGTHS - 1, ValueError, "lengths must be from 1 to T = 7.* got entries from 0 to 6"),
    (torch.zeros(7, 4), LENGTHS[None], ValueError, "lengths must be"),
])
def test_bad_input_is_named(value, lengths, error, words):
    for function in (pad_front, pad_back):
        with pytest.raises(error, match=f"^{function.__name__}: {words}"):
            function(value, lengths)
    if isinstance(value, torch.Tensor):
        with pytest.raises(error, match=f"^end_together: {words.replace('value', 'mem in records')}"):
            end_together([Record(None, value)], lengths)


@pytest.mark.parametrize("records", [None, [], [torch.zeros(7, 4, 3)], torch.zeros(7, 4, 3), Record(None, torch.zeros(7, 4))])
def test_records_of_a_wrong_kind_are_named(records):
    with pytest.raises(TypeError, match="^end_together: records must be a list of Record"):
        end_together(records, LENGTHS)


@pytest.mark.parametrize(("lengths", "error", "words"), [
    (LENGTHS.float(), TypeError, "lengths must be int64"), (LENGTHS[:2], ValueError, r"lengths must be \[4\], one a sample"),
    (LENGTHS + 1, ValueError, "lengths must be from 1 to T = 7"), ([3, 7, 1, 5], TypeError, r"torch.tensor\(lengths\)"),
])
def test_lengths_are_checked_at_every_door(lengths, error, words):
    x, options = padded().transpose(0, 1), {"encode": lambda x: x.transpose(0, 1), "lengths": lengths}

    def loss(records, target):
        return ce_membrane_loss(records[-1].mem, target)

    doors = {
        "predict": lambda: predict(network(), x, **options),
        "accuracy": lambda: accuracy(network(), x, TARGETS["classes"], **options),
        "r_squared": lambda: r_squared(network(), x, TARGETS["numbers"], **options),
        "fit": lambda: fit(network(), x, TARGETS["classes"], loss=loss, epochs=1, seed=0, **options),
        "train_step": lambda: train_step(network(), padded(), TARGETS["classes"], loss=loss, lengths=lengths,
                                         optimiser=torch.optim.SGD(network().parameters(), lr=0.1)),
    }
    for name, door in doors.items():
        with pytest.raises(error, match=f"^{name}: .*{words}"):
            door()


def test_a_record_that_holds_no_number_is_named():
    mem = torch.ones(3, 2, 1)
    for record, error, words in ((Record(mem, mem / 0), ValueError, "end_together: mem in records holds NaN or infinity"),
                                 (Record(mem * math.nan, mem), ValueError, "end_together: spk in records holds NaN"),
                                 (Record(True, mem), TypeError, "end_together: spk in records must be a torch.Tensor"),
                                 (Record(mem[:, :1], mem), ValueError, "spk and mem in records must agree in time and batch")):
        with pytest.raises(error, match=words):
            end_together([record], torch.tensor([3, 2]))
    late = mem.clone()
    late[2, 1] = math.nan                                                # after the end of the second
    assert end_together([Record(None, late)], torch.tensor([3, 2]))[0].mem.isfinite().all()
