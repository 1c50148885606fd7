"""Read-outs against plain loops, noise against its statistics, delays and gains against closed forms, the balance."""
import math

import pytest
import torch

from snnteach import balance, decoding
from snnteach.activity import calibrate_threshold
from snnteach.networks import SpikingMLP, direct_current
from snnteach.neurons import lif
from snnteach.scores import most_active
from snnteach.spike_trains import spike_statistics
from snnteach.zoo import recurrent_lif

FLOAT = torch.float64


def noise(seed, *shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=FLOAT)


def spikes(seed, *shape, rate=0.3):
    return (noise(seed, *shape) < rate).to(FLOAT)


def network(sizes=(6, 8, 7, 3), bias=True, **options):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = SpikingMLP(sizes, **{"threshold": 0.2, **options}).double()
    if not bias:
        for linear in net.linears:
            torch.nn.init.zeros_(linear.bias)
    return net


# Read-outs

@pytest.mark.parametrize("members", [1, 3])
def test_scores_equal_plain_loops(members):
    spk, mem = spikes(0, 7, 5, 4 * members), noise(1, 7, 5, 4 * members)
    counts, latency = decoding.count_scores(spk, 4), decoding.latency_scores(spk, 4)
    found = {how: decoding.membrane_scores(mem, 4, how) for how in decoding.MEMBRANES}
    for sample in range(5):
        for label in range(4):
            mine = range(label * members, (label + 1) * members)
            assert counts[sample, label] == sum(spk[t, sample, i].item() for t in range(7) for i in mine)
            first = [t for t in range(7) if any(spk[t, sample, i] for i in mine)]
            assert latency[sample, label] == (7 - first[0] if first else 0)
            own = [[mem[t, sample, i].item() for t in range(7)] for i in mine]
            for how, over in (("sum", sum), ("max", max), ("last", lambda trace: trace[-1])):
                assert found[how][sample, label].item() == pytest.approx(sum(map(over, own)), abs=1e-12)


def test_one_neuron_a_class_is_the_reading_that_trains():
    net = network()
    record = net(direct_current(noise(2, 40, 6), 9))[-1]
    assert torch.equal(decoding.decide(decoding.count_scores(record.spk))[0], most_active(record))
    assert torch.equal(decoding.count_scores(record.spk), decoding.count_scores(record.spk, 3))


def test_first_spikes_tell_silence_from_the_first_and_the_last_step():
    spk = torch.zeros(5, 1, 3)
    spk[0, 0, 0] = spk[4, 0, 1] = spk[4, 0, 0] = 1
    assert decoding.first_spikes(spk).tolist() == [[0, 4, 5]]
    assert decoding.latency_scores(spk).tolist() == [[5.0, 1.0, 0.0]]


def test_a_membrane_breaks_ties_and_nothing_else():
    spk, mem = spikes(3, 6, 200, 5, rate=0.2), noise(4, 6, 200, 5)
    plain, broken = decoding.latency_scores(spk), decoding.latency_scores(spk, mem=mem)
    assert decoding.decide(plain)[1].any() and not decoding.decide(broken)[1].any()
    assert bool(((broken - plain >= 0) & (broken - plain < 1)).all())
    for sample in range(200):
        first = decoding.first_spikes(spk)[sample]
        if first.min() < 6:
            rivals = (first == first.min()).nonzero().flatten()
            best = rivals[mem[first.min(), sample, rivals].argmax()]
            assert broken[sample].argmax() == best


def test_a_silent_network_ties_and_an_argmax_says_nought():
    classes, tied = decoding.decide(decoding.count_scores(torch.zeros(8, 3, 10)))
    assert classes.tolist() == [0, 0, 0] and tied.all()


@pytest.mark.parametrize("margin", [1, 2, 4])
def test_a_race_equals_a_plain_loop(margin):
    spk = spikes(5, 12, 30, 4)
    classes, steps = decoding.race(spk, margin)
    for sample in range(30):
        counts, answer = [0] * 4, None
        for t in range(12):
            counts = [count + int(fired) for count, fired in zip(counts, spk[t, sample], strict=True)]
            best, second = sorted(counts)[:1:-1]
            if best - second >= margin:
                answer = counts.index(best), t
                break
        assert (classes[sample].item(), steps[sample].item()) == (answer or (counts.index(max(counts)), 11))


def test_a_race_of_populations_sums_them():
    spk = spikes(6, 9, 20, 6)
    summed = spk.unflatten(2, (2, 3)).sum(3).clamp(max=1)
    assert not torch.equal(decoding.race(spk, 2, num_classes=2)[1], decoding.race(summed, 2)[1])
    assert decoding.race(spk, 10**6, num_classes=2)[1].eq(8).all()


# Noise

def test_deletion_is_a_coin_for_each_spike():
    spk = spikes(7, 200, 50)
    left = decoding.delete_spikes(spk, 0.3, torch.Generator().manual_seed(0))
    assert bool((left <= spk).all()) and left.sum() / spk.sum() == pytest.approx(0.7, abs=0.03)
    assert torch.equal(decoding.delete_spikes(spk, 0.0), spk) and not decoding.delete_spikes(spk, 1.0).any()


def test_jitter_moves_each_spike_alike():
    lone = torch.zeros(21, 20000)
    lone[10] = 1
    moved = decoding.jitter_spikes(lone, 3, torch.Generator().manual_seed(0))
    assert moved.sum(0).eq(1).all() and moved[:7].sum() == moved[14:].sum() == 0
    assert torch.allclose(moved[7:14].mean(1), torch.full((7,), 1 / 7), atol=0.01)
    ends = decoding.jitter_spikes(torch.ones(1, 5), 4)
    assert ends.eq(1).all() and torch.equal(decoding.jitter_spikes(lone, 0), lone)
    crowd = torch.ones(10, 300)
    assert decoding.jitter_spikes(crowd, 5).sum() < crowd.sum()                      # who meets becomes one


@pytest.mark.parametrize(("neurons", "spread"), [(1, 19.9), (10, 6.3), (100, 2.0)])
def test_a_population_of_coins_has_the_spread_of_f23(neurons, spread):
    steps, chance, seconds = 25, 0.01, 0.001
    predicted = math.sqrt(steps * chance * (1 - chance) / neurons) / (steps * seconds)
    counts = spikes(8, steps, 4000, neurons, rate=chance).mean(2).sum(0)             # [runs]
    assert predicted == pytest.approx(spread, abs=0.05)
    assert (counts / (steps * seconds)).std().item() == pytest.approx(predicted, rel=0.05)


# Layers over time

def test_zero_delay_is_the_network_itself():
    net, x = network(), direct_current(noise(9, 4, 6), 11)
    for now, then in zip(net(x), decoding.run_delayed(net, x, 0), strict=True):
        assert torch.equal(now.spk, then.spk) and torch.equal(now.mem, then.mem)


@pytest.mark.parametrize("delay", [1, 3])
def test_without_biases_layer_l_is_l_delays_late(delay):
    net, x = network(bias=False), direct_current(4 * noise(10, 4, 6), 20)
    for layer, (now, then) in enumerate(zip(net(x), decoding.run_delayed(net, x, delay), strict=True)):
        assert now.spk.sum() > 5
        assert torch.equal(then.spk, decoding.delayed(now.spk, layer * delay))
        assert torch.equal(then.mem, decoding.delayed(now.mem, layer * delay))


def test_with_biases_it_is_not():
    net, x = network(), direct_current(4 * noise(10, 4, 6), 20)
    for linear in net.linears:
        torch.nn.init.constant_(linear.bias, 0.3)
    assert not torch.equal(decoding.run_delayed(net, x, 3)[-1].mem, decoding.delayed(net(x)[-1].mem, 6))


def test_a_spike_crosses_all_layers_in_its_own_step_and_a_delay_longer_than_the_window_reaches_nobody():
    net = network((1, 1, 1, 1), bias=False, threshold=1.0)
    for linear in net.linears:
        torch.nn.init.constant_(linear.weight, 1.5)
    pulse = torch.zeros(12, 1, 1, dtype=FLOAT)
    pulse[2] = 1
    assert [record.spk.flatten().nonzero()[0].item() for record in net(pulse)] == [2, 2, 2]
    assert [record.spk.flatten().nonzero()[0].item() for record in decoding.run_delayed(net, pulse, 4)] == [2, 6, 10]
    assert decoding.run_delayed(net, pulse, 5)[2].spk.sum() == 0
    assert torch.equal(decoding.delayed(pulse, 0), pulse) and not decoding.delayed(pulse, 99).any()


def test_the_membrane_read_out_hears_late_too():
    net = network(readout="membrane", bias=False)
    x = direct_current(4 * noise(10, 4, 6), 12)
    last = decoding.run_delayed(net, x, 2)[-1]
    assert last.spk is None and torch.equal(last.mem, decoding.delayed(net(x)[-1].mem, 4))


# Weights scaled to data

def test_the_gain_puts_the_threshold_where_it_was_asked_for():
    mem = 0.05 + 0.02 * torch.randn(20, 50, 30, generator=torch.Generator().manual_seed(0), dtype=FLOAT)
    for threshold, spread in ((1.0, 1.0), (2.5, 2.0), (1.0, 0.0)):
        gain = decoding.weight_gain(mem, threshold, spread)
        assert gain * (mem.mean() + spread * mem.std()).item() == pytest.approx(threshold, abs=1e-12)


def test_scaling_is_the_gain_of_each_layer_and_the_scaled_network_gives_one_again():
    net, twin, x = network(), network(), direct_current(4 * noise(11, 60, 6), 15)
    gains = decoding.scale_to_data(net, x)
    current = x
    for gain, scaled, linear in zip(gains, net.linears, twin.linears, strict=True):
        mem = lif(linear(current), 0.9, 0.2, reset="none")[1]
        assert gain == pytest.approx(decoding.weight_gain(mem, 0.2), rel=1e-9)
        assert torch.allclose(scaled.weight, gain * linear.weight) and torch.allclose(scaled.bias, gain * linear.bias)
        current = lif(scaled(current), 0.9, 0.2)[0]
    assert decoding.scale_to_data(net, x) == pytest.approx([1.0] * 3, abs=1e-9)
    assert all(0.01 < record.spk.mean() < 0.4 for record in net(x))


def test_dividing_thresholds_is_multiplying_weights():
    net, twin, x = network(threshold=1.0), network(threshold=1.0), direct_current(4 * noise(12, 60, 6), 15)
    thresholds = calibrate_threshold(net, x)
    with torch.no_grad():
        for linear, threshold in zip(twin.linears, thresholds, strict=True):
            linear.weight /= threshold
            linear.bias /= threshold
    assert all(torch.equal(one.spk, other.spk) for one, other in zip(net(x), twin(x), strict=True))


def test_a_read_out_that_never_fires_keeps_its_weights_and_a_refusal_changes_nothing():
    net = network(readout="membrane")
    before = [linear.weight.clone() for linear in net.linears]
    assert len(decoding.scale_to_data(net, direct_current(noise(13, 9, 6), 5))) == 2
    assert torch.equal(net.linears[2].weight, before[2]) and not torch.equal(net.linears[0].weight, before[0])
    net = network()
    with torch.no_grad():
        for linear, sign in zip(net.linears, (1, -1, 1), strict=True):
            linear.weight.copy_(sign * linear.weight.abs())
            linear.bias.zero_()
    before = [linear.weight.clone() for linear in net.linears]
    with pytest.raises(ValueError, match="scale_to_data: no gain makes layer 1"):
        decoding.scale_to_data(net, direct_current(noise(13, 9, 6), 5), spread=0.0)
    assert all(torch.equal(linear.weight, old) for linear, old in zip(net.linears, before, strict=True))


# Excitation and inhibition

def test_dale_gives_columns_one_sign_and_lets_gradients_through():
    free = (noise(14, 4, 6) - 0.5).requires_grad_()
    signed = balance.dale(free, 2)
    assert bool((signed[:, :4] >= 0).all()) and bool((signed[:, 4:] <= 0).all()) and torch.equal(signed.abs(), free.abs())
    assert balance.obeys_dale(signed.detach()).all() and not balance.obeys_dale(free.detach()).all()
    assert balance.obeys_dale(signed.detach().T).sum() < 4                            # rows are not columns
    signed.sum().backward()
    sign = torch.tensor([1.0] * 4 + [-1.0] * 2, dtype=FLOAT)
    assert torch.equal(free.grad, free.detach().sign() * sign)


def test_every_neuron_hears_equally_many():
    weight = balance.draw_synapses(40, 10, (8, 3), 0.5, 4.0, torch.Generator().manual_seed(0))
    assert weight.shape == (50, 50) and balance.obeys_dale(weight).all()
    assert weight[:, :40].gt(0).sum(1).eq(8).all() and weight[:, 40:].lt(0).sum(1).eq(3).all()
    assert set(weight.unique().tolist()) == {-2.0, 0.0, 0.5}
    heard = weight[:, :40].gt(0).sum(0).double()
    assert heard.std() > 0.5                                                          # who is heard is drawn


def test_irregularity_of_clocks_and_coins():
    clock, coin = torch.zeros(400, 3), spikes(18, 40000, 3, rate=0.2)
    clock[::7] = 1
    assert balance.interval_cv(clock) == 0.0 and math.isnan(balance.interval_cv(torch.zeros(9, 2)))
    assert balance.interval_cv(coin) == pytest.approx(math.sqrt(0.8), abs=0.02)
    single = balance.interval_cv(coin[:, :1])
    assert single == pytest.approx(spike_statistics(coin[:, :1])["cv"], rel=1e-3)
    mixed = torch.cat([clock, clock.new_zeros(400, 3).index_fill_(0, torch.arange(0, 400, 3), 1)], 1)
    assert balance.interval_cv(mixed) == 0.0 < spike_statistics(mixed)["cv"]           # pooled, two clocks look irregular


def test_synchrony_of_strangers_and_of_copies():
    coins = spikes(19, 20000, 40, rate=0.1)
    assert balance.synchrony(coins) == pytest.approx(1.0, abs=0.05)
    assert balance.synchrony(coins[:, :1].expand(-1, 40)) == pytest.approx(40.0)
    assert math.isnan(balance.synchrony(torch.ones(5, 3)))


def test_strong_inhibition_makes_the_network_irregular():
    found = []
    for inhibition in (4.0, 10.0):
        generator = torch.Generator().manual_seed(0)
        weight = balance.draw_synapses(400, 100, (40, 10), 0.06, inhibition, generator)
        start = torch.rand(1, 500, generator=generator)
        spk, _ = recurrent_lif(torch.full((800, 1, 500), 0.2), 0.9, weight, state=(start, torch.zeros_like(start)))
        found.append((spk[300:].mean().item(), balance.interval_cv(spk[300:])))
    (fast, regular), (slow, irregular) = found
    assert fast > 2.5 * slow > 0.05 and irregular > 0.8 > 0.4 > regular


# What is refused

SPK, MEM, NET = torch.zeros(5, 2, 6), torch.rand(5, 2, 6), SpikingMLP((4, 3, 2))


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: decoding.count_scores(SPK[0]), ValueError, "count_scores: spk must be [T, B, C] (time first), got shape (2, 6)"),
    (lambda: decoding.count_scores(MEM), ValueError, "count_scores: spk must hold spikes, 0 or 1"),
    (lambda: decoding.count_scores(SPK, 4), ValueError, "count_scores: spk has 6 neurons, which 4 classes cannot share"),
    (lambda: decoding.count_scores(SPK.bool()), TypeError, "count_scores: spk must be floating point"),
    (lambda: decoding.first_spikes(SPK[:, 0]), ValueError, "first_spikes: spk must be [T, B, C]"),
    (lambda: decoding.latency_scores(SPK, mem=MEM[:4]), ValueError, "latency_scores: mem must be (5, 2, 6) like spk"),
    (lambda: decoding.latency_scores(SPK, mem=MEM.double()), TypeError, "latency_scores: mem is torch.float64"),
    (lambda: decoding.membrane_scores(MEM, how="mean"), ValueError, "membrane_scores: how must be one of 'sum', 'max', 'last'"),
    (lambda: decoding.membrane_scores(MEM * math.nan), ValueError, "membrane_scores: mem holds NaN"),
    (lambda: decoding.decide(SPK), ValueError, "decide: scores must be [B, C], got shape (5, 2, 6)"),
    (lambda: decoding.race(SPK, 0), ValueError, "race: margin must be a whole number of at least 1"),
    (lambda: decoding.race(SPK[..., :1]), ValueError, "race: spk has one class"),
    (lambda: decoding.delete_spikes(SPK, 1.5), ValueError, "delete_spikes: probability must be between 0 and 1"),
    (lambda: decoding.delete_spikes(SPK, 0.5, 3), TypeError, "delete_spikes: generator must be a torch.Generator"),
    (lambda: decoding.jitter_spikes(SPK, -1), ValueError, "jitter_spikes: reach must be a whole number of at least 0"),
    (lambda: decoding.delayed(SPK, 1.5), ValueError, "delayed: steps must be a whole number of at least 0"),
    (lambda: decoding.run_delayed(torch.nn.Linear(4, 3), SPK, 1), TypeError, "run_delayed: net must be a SpikingMLP"),
    (lambda: decoding.run_delayed(NET, SPK, 1), ValueError, "run_delayed: x must have the network's 4 inputs"),
    (lambda: decoding.weight_gain(-MEM), ValueError, "weight_gain: no gain makes this layer fire"),
    (lambda: decoding.weight_gain(MEM, 0), ValueError, "weight_gain: threshold must be above 0"),
    (lambda: decoding.scale_to_data(NET, SPK), ValueError, "scale_to_data: x must have the network's 4 inputs"),
    (lambda: balance.dale(MEM[0], 7), ValueError, "dale: num_inhibitory must be a whole number of at least 0 and at most 6"),
    (lambda: balance.obeys_dale(MEM), ValueError, "obeys_dale: weight must be [N_out, N_in]"),
    (lambda: balance.draw_synapses(4, 1, (5, 1), 1.0, 1.0), ValueError, "draw_synapses: inputs[0] must be a whole number"),
    (lambda: balance.draw_synapses(4, 1, 3, 1.0, 1.0), TypeError, "draw_synapses: inputs must be the pair"),
    (lambda: balance.interval_cv(MEM), ValueError, "interval_cv: spk must hold spikes"),
    (lambda: balance.synchrony(SPK), ValueError, "synchrony: spk must be [T, N]"),
    (lambda: balance.synchrony(SPK[:1, 0]), ValueError, "synchrony: spk must have at least two steps"),
])
def test_what_is_refused(call, error, words):
    with pytest.raises(error) as raised:
        call()
    assert str(raised.value).startswith(words), str(raised.value)


def test_counts_do_not_get_lost_in_half_precision():
    spk = torch.ones(4000, 1, 2, dtype=torch.float16)
    assert decoding.count_scores(spk).tolist() == [[4000.0, 4000.0]]
    assert decoding.count_scores(spk).dtype == torch.float32


# A peer

def test_snntorch_sends_spikes_on_within_the_step_and_gives_ties_to_the_lowest_class():
    snn = pytest.importorskip("snntorch")
    from snntorch.functional import acc

    layers, spk, first = [snn.Leaky(beta=0.9, init_hidden=False) for _ in range(5)], [], []
    memories = [layer.init_leaky() for layer in layers]
    for t in range(12):
        spk = torch.full((1, 1), float(t == 7))
        for number, layer in enumerate(layers):
            spk, memories[number] = layer(1.5 * spk, memories[number])
            if spk.any():
                first.append(t)
    assert first == [7] * 5
    out, target = spikes(20, 9, 300, 6, rate=0.15).float(), torch.arange(300) % 6
    for scores, theirs in ((decoding.count_scores(out), acc.accuracy_rate(out, target)),
                           (decoding.latency_scores(out).clamp(min=1), acc.accuracy_temporal(out, target))):
        assert decoding.decide(scores)[1].any()
        assert (decoding.decide(scores)[0] == target).double().mean().item() == pytest.approx(theirs, abs=1e-9)
    grouped = acc.accuracy_rate(out, target % 2, population_code=True, num_classes=2)
    assert (decoding.decide(decoding.count_scores(out, 2))[0] == target % 2).double().mean().item() == pytest.approx(grouped)
    assert acc.accuracy_rate(torch.zeros(9, 300, 6), target) == pytest.approx(1 / 6)             # silence is class 0
