"""Answers to the exercises of notebook 25 that are functions: the right one and the wrong ones that people give."""
import torch

from ...surrogate import atan, spike


def draw(seed, *shape):
    """Numbers for a case."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def gates(seed, *shape):
    """What a gate gives to each expert, for a case."""
    return (2 * draw(seed, *shape)).softmax(-1)


def steps(seed, low, high, count):
    """Whole numbers for a case."""
    return torch.randint(low, high, (count,), generator=torch.Generator().manual_seed(seed))


# 25.2: the score at the switch and elsewhere

def at_and_elsewhere(given, right, switch):
    chosen = (given.argmax(2) == right).float()                       # [T - 1, B]
    before = torch.arange(len(right))[:, None] == switch - 1          # [T - 1, B]
    return torch.stack([chosen[before].mean(), chosen[~before].mean()])


def one_step_late(given, right, switch):
    """Scores the step after: the new domain has been seen."""
    return at_and_elsewhere(given, right, switch + 1)


def everywhere(given, right, switch):
    """Averages over all steps for the second number."""
    found = at_and_elsewhere(given, right, switch)
    return torch.stack([found[0], (given.argmax(2) == right).float().mean()])


def probabilities(given, right, switch):
    """What the gate gave, not what it chose."""
    chosen = given.gather(2, right[..., None])[..., 0]
    before = torch.arange(len(right))[:, None] == switch - 1
    return torch.stack([chosen[before].mean(), chosen[~before].mean()])


def swapped(given, right, switch):
    """Elsewhere first."""
    return at_and_elsewhere(given, right, switch).flip(0)


def mean_time(given, right, switch):
    """One step for all streams."""
    return at_and_elsewhere(given, right, switch.float().mean().round().long().expand(len(switch)))


def up_to_the_switch(given, right, switch):
    """All steps before the switch instead of the one before it."""
    chosen = (given.argmax(2) == right).float()
    before = torch.arange(len(right))[:, None] < switch
    return torch.stack([chosen[before].mean(), chosen[~before].mean()])


def from_the_switch(given, right, switch):
    """The step before the switch and all that follow."""
    chosen = (given.argmax(2) == right).float()
    after = torch.arange(len(right))[:, None] >= switch - 1
    return torch.stack([chosen[after].mean(), chosen[~after].mean()])


def of_all_steps(given, right, switch):
    """Sums at the switch and elsewhere, both over the number of all steps."""
    chosen = (given.argmax(2) == right).float()
    before = torch.arange(len(right))[:, None] == switch - 1
    return torch.stack([(chosen * before).mean(), (chosen * ~before).mean()])


# 25.6: what comes next

def comes_next(now, hazard):
    return now * (1 - hazard) + (1 - now) * hazard


def stays_only(now, hazard):
    """Only the way on which nothing changes."""
    return now * (1 - hazard)


def turned(now, hazard):
    """The probability of domain 0."""
    return 1 - comes_next(now, hazard)


def certain(now, hazard):
    """Bets on the likelier present first."""
    return comes_next((now > 0.5).to(now.dtype), hazard)


def added(now, hazard):
    """Adds the hazard."""
    return (now + hazard).clamp(max=1)


def forgets_the_hazard(now, hazard):
    """The next is as the present."""
    return now.clone()


def half_way(now, hazard):
    """Mixes with one half instead of with the other domain."""
    return now * (1 - hazard) + 0.5 * hazard


# 25.7: the build

def spiking_gate(x, into, out, beta, decay):
    mem, spk = torch.zeros(x.shape[1], into.shape[1]), torch.zeros(x.shape[1], into.shape[1])
    trace, logits, spikes = torch.zeros_like(mem), [], []
    for token in x:                                                   # [B, D]
        mem = beta * (1 - spk.detach()) * mem + token @ into          # reset to zero
        spk = spike(mem - 1, atan())
        trace = decay * trace + spk                                   # [B, N]
        logits.append(trace @ out)                                    # [B, E]
        spikes.append(spk)
    return torch.stack(logits), torch.stack(spikes)


def _gate(x, into, out, beta, decay, *, reset="zero", read="trace", detach=True, traced=True, soft=True, late=True,
          threshold=1, averaged=False):
    mem, spk = torch.zeros(x.shape[1], into.shape[1]), torch.zeros(x.shape[1], into.shape[1])
    trace, logits, spikes = torch.zeros_like(mem), [], []
    for token in x:
        fired = spk.detach() if detach else spk
        if reset == "zero":
            mem = beta * (1 - fired) * mem + token @ into
        elif reset == "all":
            mem = (1 - fired) * (beta * mem + token @ into)
        else:
            mem = beta * mem + token @ into - (fired if reset == "subtract" else 0)
        spk = spike(mem - threshold, atan()) if soft else (mem > 1).float()
        if not late:
            trace = decay * (trace + spk)
        else:
            trace = (decay * trace if traced else 0) + (1 - decay if averaged else 1) * spk
        logits.append({"trace": trace, "spk": spk, "mem": mem}[read] @ out)
        spikes.append(spk)
    return torch.stack(logits), torch.stack(spikes)


def subtracts(x, into, out, beta, decay):
    """The reset by subtraction."""
    return _gate(x, into, out, beta, decay, reset="subtract")


def never_reset(x, into, out, beta, decay):
    """No reset."""
    return _gate(x, into, out, beta, decay, reset="none")


def loses_the_input(x, into, out, beta, decay):
    """The reset takes this step's input, too."""
    return _gate(x, into, out, beta, decay, reset="all")


def reads_spikes(x, into, out, beta, decay):
    """No trace."""
    return _gate(x, into, out, beta, decay, read="spk")


def reads_membranes(x, into, out, beta, decay):
    """The membrane instead of spikes."""
    return _gate(x, into, out, beta, decay, read="mem")


def hard_threshold(x, into, out, beta, decay):
    """No surrogate: right values, no gradient into the neuron."""
    return _gate(x, into, out, beta, decay, soft=False)


def attached(x, into, out, beta, decay):
    """The gradient goes through the reset."""
    return _gate(x, into, out, beta, decay, detach=False)


def trace_late(x, into, out, beta, decay):
    """The spike of this step decays at once."""
    return _gate(x, into, out, beta, decay, late=False)


def no_threshold(x, into, out, beta, decay):
    """Fires above 0."""
    return _gate(x, into, out, beta, decay, threshold=0)


def averages(x, into, out, beta, decay):
    """A trace that averages: a spike counts 1 - decay."""
    return _gate(x, into, out, beta, decay, averaged=True)


def decays_mixed_up(x, into, out, beta, decay):
    """beta for the trace and decay for the membrane."""
    return _gate(x, into, out, decay, beta)


def spikes_before_logits(x, into, out, beta, decay):
    """Both, in the wrong order."""
    return spiking_gate(x, into, out, beta, decay)[::-1]
