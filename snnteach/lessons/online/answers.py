"""Right and wrong answers to the exercises of notebook 16, as functions."""
import torch


def pushed_forward(x, beta):
    trace, steps = torch.zeros(()), []
    for x_t in x:                                       # [T]
        trace = beta * trace + x_t
        steps.append(trace)
    return torch.stack(steps)                           # [T]


def forgets_all(x, beta):
    return x.clone()


def forgets_nothing(x, beta):
    return x.cumsum(0)


def decays_the_newest(x, beta):
    trace, steps = torch.zeros(()), []
    for x_t in x:
        trace = beta * (trace + x_t)
        steps.append(trace)
    return torch.stack(steps)


def averages(x, beta):
    return (1 - beta) * pushed_forward(x, beta)


def eligibility_step(trace, eligibility, x, slope, beta, beta_out):
    trace = beta * trace + x                            # [I]
    eligibility = beta_out * eligibility + slope[:, None] * trace[None, :]      # [H, I]
    return trace, eligibility


def no_filter(trace, eligibility, x, slope, beta, beta_out):
    trace = beta * trace + x
    return trace, slope[:, None] * trace[None, :]


def one_step_late(trace, eligibility, x, slope, beta, beta_out):
    return beta * trace + x, beta_out * eligibility + slope[:, None] * trace[None, :]


def same_decay(trace, eligibility, x, slope, beta, beta_out):
    trace = beta * trace + x
    return trace, beta * eligibility + slope[:, None] * trace[None, :]


def input_alone(trace, eligibility, x, slope, beta, beta_out):
    return beta * trace + x, beta_out * eligibility + slope[:, None] * x[None, :]


def ottt_gradient(error, feedback, slope, trace):
    signal = error @ feedback                           # [B, H]
    return (slope * signal).T @ trace                   # [H, I], summed over the batch


def without_slope(error, feedback, slope, trace):
    return (error @ feedback).T @ trace


def batch_mean(error, feedback, slope, trace):
    return (slope * (error @ feedback)).T @ trace / len(error)


def transposed(error, feedback, slope, trace):
    return trace.T @ (slope * (error @ feedback))


def only_spikes(error, feedback, slope, trace):
    return (slope.round() * (error @ feedback)).T @ trace


def trace_with_reset(trace, x, slope_before, beta, threshold):
    return (beta - threshold * slope_before)[:, None] * trace + x       # [H, I]


def without_reset(trace, x, slope_before, beta, threshold):
    return beta * trace + x


def reset_lifts(trace, x, slope_before, beta, threshold):
    return (beta + threshold * slope_before)[:, None] * trace + x


def threshold_of_one(trace, x, slope_before, beta, threshold):
    return (beta - slope_before)[:, None] * trace + x


def reset_without_slope(trace, x, slope_before, beta, threshold):
    return (beta - threshold) * trace + x


def reset_takes_the_new(trace, x, slope_before, beta, threshold):
    return beta * trace + x - threshold * slope_before[:, None] * (beta * trace + x)


def reset_leaks(trace, x, slope_before, beta, threshold):
    return beta * (1 - threshold * slope_before)[:, None] * trace + x


def reset_alone(trace, x, slope_before, beta, threshold):
    return x - threshold * slope_before[:, None] * trace


def drifting(out, t):
    return out - 0.1 * t


def net(seed, *sizes):
    generator, (inputs, hidden, outputs) = torch.Generator().manual_seed(seed), sizes
    x = (torch.rand(15, 2, inputs, generator=generator) < 0.5).float()                             # [T, B, I]
    return x, torch.rand(hidden, inputs, generator=generator), torch.randn(outputs, hidden, generator=generator)
