"""Answers to the exercises of notebook 18 that are functions: the right one and the wrong ones that people give."""
import torch

from ...surrogate import atan, spike


def walk(seed, num_steps):
    """Draw a random walk for a case."""
    return torch.randn(num_steps, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).cumsum(0)


def persistence_error(series, horizon):
    target, said = series[horizon:], series[:-horizon]
    return ((said - target).square().mean() / (target - target.mean()).square().mean()).sqrt().item()


def not_in_deviations(series, horizon):
    """The error in the units of the series."""
    return (series[:-horizon] - series[horizon:]).square().mean().sqrt().item()


def no_root(series, horizon):
    """The share of the variance, and not its root."""
    return persistence_error(series, horizon) ** 2


def of_the_whole_series(series, horizon):
    """Divides by the deviation of the whole series, and not of the months that are predicted."""
    return (not_in_deviations(series, horizon) / series.std(unbiased=False)).item()


def of_the_past(series, horizon):
    """Divides by the deviation of what was said, and not of what came."""
    return (not_in_deviations(series, horizon) / series[:-horizon].std(unbiased=False)).item()


def one_short(series, horizon):
    """Looks one step further than asked."""
    return persistence_error(series, horizon + 1)


def the_change_before(series, horizon):
    """Continues the last change, and not the last value."""
    target, said = series[2 * horizon:], 2 * series[horizon:-horizon] - series[:-2 * horizon]
    return ((said - target).square().mean() / (target - target.mean()).square().mean()).sqrt().item()


def absolute(series, horizon):
    """A mean of absolute errors."""
    target = series[horizon:]
    return ((series[:-horizon] - target).abs().mean() / target.std(unbiased=False)).item()


def step_case(seed, batch=3, width=5):
    """Draw the arguments of `controller_step` for a case, with neurons that have just fired."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    mem1, mem2 = 0.5 + draw(batch, width), 0.5 + draw(batch, width)
    return (draw(batch, 6), mem1, (mem1 > 1).double(), mem2, (mem2 > 1).double(), draw(batch, 2), draw(width, 6), draw(width),
            draw(width, width), draw(width), draw(2, width), draw(2))


def controller_step(s, mem1, spk1, mem2, spk2, u, weight1, bias1, weight2, bias2, readout, offset):
    mem1 = 0.7 * mem1 + s @ weight1.T + bias1 - spk1                       # [B, 32]; the reset keeps its gradient
    spk1 = spike(mem1 - 1, atan())
    mem2 = 0.7 * mem2 + spk1 @ weight2.T + bias2 - spk2                    # hears the spikes of this very step
    spk2 = spike(mem2 - 1, atan())
    drive = spk2 @ readout.T + offset                                      # [B, 2]
    u = 0.7 * u + 0.3 * drive
    return mem1, spk1, mem2, spk2, u


def detaches(s, mem1, spk1, mem2, spk2, u, weight1, bias1, weight2, bias2, readout, offset):
    """Keeps the reset out of the gradient."""
    return controller_step(s, mem1, spk1.detach(), mem2, spk2.detach(), u, weight1, bias1, weight2, bias2, readout, offset)


def compares_only(s, mem1, spk1, mem2, spk2, u, weight1, bias1, weight2, bias2, readout, offset):
    """A comparison, through which no gradient comes."""
    mem1 = 0.7 * mem1 + s @ weight1.T + bias1 - spk1
    spk1 = (mem1 > 1).to(s.dtype)
    mem2 = 0.7 * mem2 + spk1 @ weight2.T + bias2 - spk2
    spk2 = (mem2 > 1).to(s.dtype)
    return mem1, spk1, mem2, spk2, 0.7 * u + 0.3 * (spk2 @ readout.T + offset)


def hears_late(s, mem1, spk1, mem2, spk2, u, weight1, bias1, weight2, bias2, readout, offset):
    """The second layer hears the spikes of the step before."""
    mem2 = 0.7 * mem2 + spk1 @ weight2.T + bias2 - spk2
    spk2 = spike(mem2 - 1, atan())
    mem1 = 0.7 * mem1 + s @ weight1.T + bias1 - spk1
    return mem1, spike(mem1 - 1, atan()), mem2, spk2, 0.7 * u + 0.3 * (spk2 @ readout.T + offset)


def never_resets(s, mem1, spk1, mem2, spk2, u, weight1, bias1, weight2, bias2, readout, offset):
    """Forgets both resets."""
    return controller_step(s, mem1, 0 * spk1, mem2, 0 * spk2, u, weight1, bias1, weight2, bias2, readout, offset)


def sums_up(s, mem1, spk1, mem2, spk2, u, weight1, bias1, weight2, bias2, readout, offset):
    """A read-out without the factor 0.3."""
    mem1, spk1, mem2, spk2, _ = controller_step(s, mem1, spk1, mem2, spk2, u, weight1, bias1, weight2, bias2, readout, offset)
    return mem1, spk1, mem2, spk2, 0.7 * u + spk2 @ readout.T + offset


def no_memory(s, mem1, spk1, mem2, spk2, u, weight1, bias1, weight2, bias2, readout, offset):
    """A command that forgets the last one."""
    mem1, spk1, mem2, spk2, _ = controller_step(s, mem1, spk1, mem2, spk2, u, weight1, bias1, weight2, bias2, readout, offset)
    return mem1, spk1, mem2, spk2, spk2 @ readout.T + offset


def seventeen(s, mem1, spk1, mem2, spk2, u, weight1, bias1, weight2, bias2, readout, offset):
    """Multiplies the read-out by 17, which the caller does."""
    return controller_step(s, mem1, spk1, mem2, spk2, u, weight1, bias1, weight2, bias2, 17 * readout, 17 * offset)


def offset_whole(s, mem1, spk1, mem2, spk2, u, weight1, bias1, weight2, bias2, readout, offset):
    """Lets all of the offset in."""
    return controller_step(s, mem1, spk1, mem2, spk2, u, weight1, bias1, weight2, bias2, readout, offset / 0.3)


def reads_membranes(s, mem1, spk1, mem2, spk2, u, weight1, bias1, weight2, bias2, readout, offset):
    """Reads the membranes of the second layer."""
    mem1, spk1, mem2, spk2, _ = controller_step(s, mem1, spk1, mem2, spk2, u, weight1, bias1, weight2, bias2, readout, offset)
    return mem1, spk1, mem2, spk2, 0.7 * u + 0.3 * (mem2 @ readout.T + offset)


def fires_at_zero(s, mem1, spk1, mem2, spk2, u, weight1, bias1, weight2, bias2, readout, offset):
    """Forgets to subtract the threshold before the step function."""
    mem1 = 0.7 * mem1 + s @ weight1.T + bias1 - spk1
    spk1 = spike(mem1, atan())
    mem2 = 0.7 * mem2 + spk1 @ weight2.T + bias2 - spk2
    spk2 = spike(mem2, atan())
    return mem1, spk1, mem2, spk2, 0.7 * u + 0.3 * (spk2 @ readout.T + offset)


def resets_to_zero(s, mem1, spk1, mem2, spk2, u, weight1, bias1, weight2, bias2, readout, offset):
    """Keeps nothing of a membrane that fired."""
    mem1 = 0.7 * mem1 * (1 - spk1) + s @ weight1.T + bias1
    spk1 = spike(mem1 - 1, atan())
    mem2 = 0.7 * mem2 * (1 - spk2) + spk1 @ weight2.T + bias2
    spk2 = spike(mem2 - 1, atan())
    return mem1, spk1, mem2, spk2, 0.7 * u + 0.3 * (spk2 @ readout.T + offset)


def chunk_case(seed, steps, beta):
    """Draw membranes of a chunk that began at rest, and the membrane before it."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(steps, 2, 3, generator=generator, dtype=torch.float64),
            torch.randn(2, 3, generator=generator, dtype=torch.float64), beta)


def carry_over(mem, before, beta):
    fade = beta ** torch.arange(1, len(mem) + 1).to(mem)                   # beta, beta^2, ..., beta^C
    return mem + fade[:, None, None] * before


def one_step_late(mem, before, beta):
    """Begins with beta^0."""
    return mem + (beta ** torch.arange(len(mem)).to(mem))[:, None, None] * before


def without_a_leak(mem, before, beta):
    """Adds the membrane before to every step."""
    return mem + before


def first_step_only(mem, before, beta):
    """Hands it to the first step and not on."""
    mem = mem.clone()
    mem[0] += beta * before
    return mem


def backwards(mem, before, beta):
    """Lets it grow towards the end."""
    return mem + (beta ** torch.arange(1, len(mem) + 1).to(mem)).flip(0)[:, None, None] * before


def same_everywhere(mem, before, beta):
    """Fades it once for all steps."""
    return mem + beta ** len(mem) * before


def fades_all(mem, before, beta):
    """Lets the chunk itself fade too, a second time."""
    fade = (beta ** torch.arange(1, len(mem) + 1).to(mem))[:, None, None]
    return fade * (mem + before)


def wave_case(seed, steps, beta):
    """Draw inputs and a leak."""
    return torch.randn(steps, 2, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64), beta


def by_doubling(x, beta):
    mem, reach = x, 1                                                      # each step knows itself
    while reach < len(x):
        mem = torch.cat([mem[:reach], mem[reach:] + beta**reach * mem[:-reach]])
        reach *= 2
    return mem


def _rounds(x, beta, fade=None, grow=lambda reach: 2 * reach, last=1):
    mem, reach = x, 1
    while last * reach < len(x):
        mem = torch.cat([mem[:reach], mem[reach:] + (beta**reach if fade is None else fade) * mem[:-reach]])
        reach = grow(reach)
    return mem


def fades_one_step(x, beta):
    """Lets everything fade once a round."""
    return _rounds(x, beta, fade=beta)


def one_round(x, beta):
    """Stops after the first round."""
    return torch.cat([x[:1], x[1:] + beta * x[:-1]])


def grows_by_one(x, beta):
    """Looks one step further in each round, and not twice as far."""
    return _rounds(x, beta, grow=lambda reach: reach + 1)


def goes_round(x, beta):
    """Lets the last steps speak to the first."""
    mem, reach = x, 1
    while reach < len(x):
        mem = mem + beta**reach * mem.roll(reach, 0)
        reach *= 2
    return mem


def stops_early(x, beta):
    """Leaves the last round out."""
    return _rounds(x, beta, last=2)


def by_a_sum(x, beta):
    """Takes the leak out, sums up, and puts it back."""
    fade = (beta ** torch.arange(len(x)).to(x))[:, None, None]
    return fade * (x / fade).cumsum(0)


def never_fades(x, beta):
    """Sums up without a leak."""
    return x.cumsum(0)
