"""Answers to the exercises of notebook 17 that are functions: the right one and the wrong ones that people give."""
import torch
from torch.nn.functional import one_hot

from ...neurons import lif
from ...surrogate import atan


def draw(seed, *shape):
    """Numbers for a case."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def spikes(seed, *shape):
    """Spikes for a case, one in three."""
    return (draw(seed, *shape) > 0.43).float()


# 17.2: perturbed currents

def node_gradient(before, after, noise, sigma, x):
    slope = (after - before) / sigma                                  # [B]: one number a sample
    return (slope[:, None] * noise).T @ x / len(x)                    # [H, I]


def wrong_way(before, after, noise, sigma, x):
    """A rise for a fall."""
    return node_gradient(after, before, noise, sigma, x)


def sigma_forgotten(before, after, noise, sigma, x):
    """The change of the loss instead of its slope."""
    return node_gradient(before, after, noise, 1.0, x)


def sigma_squared(before, after, noise, sigma, x):
    """Divides twice, as if the noise had been multiplied by sigma."""
    return node_gradient(before, after, noise, sigma, x) / sigma


def summed(before, after, noise, sigma, x):
    """Sums over the batch."""
    return node_gradient(before, after, noise, sigma, x) * len(x)


def one_loss_for_all(before, after, noise, sigma, x):
    """The batch's mean loss judges every sample alike."""
    return node_gradient(before.mean().expand_as(before), after.mean().expand_as(after), noise, sigma, x)


def without_noise(before, after, noise, sigma, x):
    """Keeps the sign of the noise only."""
    return node_gradient(before, after, noise.sign(), sigma, x)


# 17.4: what the feedback does to the read-out

def pulled(errors, feedback):
    return errors.T @ errors @ feedback                               # -e^T (-e B)


def pushed(errors, feedback):
    """Loses one of the two minus signs."""
    return -errors.T @ errors @ feedback


def feedback_alone(errors, feedback):
    """The matrix itself, whatever the errors are."""
    return feedback.clone()


def mean_error(errors, feedback):
    """The product of means instead of the mean of products."""
    return errors.sum(0)[:, None] * (errors.sum(0) @ feedback) / len(errors)


def averaged(errors, feedback):
    """Divides by the batch, which is in the errors already."""
    return errors.T @ errors @ feedback / len(errors)


def moved_rates(errors, feedback):
    """How far the rates moved, not what that does to the read-out."""
    return -errors @ feedback


# 17.5: targets projected

def projected_signal(target, feedback, num_steps):
    wanted = one_hot(target, len(feedback)).to(feedback.dtype)        # [B, O]
    return -wanted @ feedback / (len(target) * num_steps)             # [B, H]


def away_from_it(target, feedback, num_steps):
    """Without the minus: the neurons of the right class are pushed down."""
    return -projected_signal(target, feedback, num_steps)


def batch_forgotten(target, feedback, num_steps):
    """Sums over the batch."""
    return len(target) * projected_signal(target, feedback, num_steps)


def steps_forgotten(target, feedback, num_steps):
    """As if the rate were the sum of the spikes."""
    return num_steps * projected_signal(target, feedback, num_steps)


def both_forgotten(target, feedback, num_steps):
    """Neither mean."""
    return len(target) * num_steps * projected_signal(target, feedback, num_steps)


def against_the_others(target, feedback, num_steps):
    """The error of a silent network: 1 / C for every class, less the target."""
    return projected_signal(target, feedback, num_steps) + feedback.mean(0) / (len(target) * num_steps)


def signs_of_all(target, feedback, num_steps):
    """The sign of every class's error: the others are told, too."""
    return (1 - 2 * one_hot(target, len(feedback))).to(feedback.dtype) @ feedback / (len(target) * num_steps)


# 17.6: the build

def local_change(x, weight, readout, target, beta):
    spk, mem = lif(x @ weight.T, beta)                                # [T, B, H]
    votes = spk.mean(0) @ readout.T                                   # [B, O], of this layer alone
    error = (votes.softmax(1) - one_hot(target, len(readout))) / len(target)
    signal = error @ readout / len(x)                                 # [B, H], the same at every step
    change, trace = torch.zeros_like(weight), torch.zeros_like(x[0])
    for t in range(len(x)):
        trace = beta * trace + x[t]                                   # [B, I]
        change = change + (signal * atan()(mem[t] - 1)).T @ trace     # three factors
    return change, spk


def _variant(x, weight, readout, target, beta, *, sign=1.0, batch=True, steps=True, slope=True, traced=True, mean=True,
             membrane=False, spiking=False, threshold=1.0, softmax=True, since=0):
    spk, mem = lif(x @ weight.T, beta)
    votes = (mem if membrane else spk).mean(0) @ readout.T * (1 if mean else len(x))
    error = sign * ((votes.softmax(1) if softmax else votes) - one_hot(target, len(readout))) / (len(target) if batch else 1)
    signal = error @ readout / (len(x) if steps else 1)
    change, trace = torch.zeros_like(weight), torch.zeros_like(x[0])
    for t in range(len(x)):
        trace = beta * trace + x[t] if traced else x[t]
        near = spk[t] if spiking else atan()(mem[t] - threshold) if slope else 1.0
        change = change + (t >= since % len(x)) * (signal * near).T @ trace
    return change, spk


def uphill(x, weight, readout, target, beta):
    """Target less answer: a learning step subtracts the change."""
    return _variant(x, weight, readout, target, beta, sign=-1.0)


def batch_left_out(x, weight, readout, target, beta):
    """Sums over the batch."""
    return _variant(x, weight, readout, target, beta, batch=False)


def steps_left_out(x, weight, readout, target, beta):
    """The signal of a count, not of a rate."""
    return _variant(x, weight, readout, target, beta, steps=False)


def no_slope(x, weight, readout, target, beta):
    """Two factors: how near the neuron stands to firing is left out."""
    return _variant(x, weight, readout, target, beta, slope=False)


def spikes_for_slope(x, weight, readout, target, beta):
    """Only neurons that fired learn."""
    return _variant(x, weight, readout, target, beta, spiking=True)


def no_trace(x, weight, readout, target, beta):
    """The input of this step only."""
    return _variant(x, weight, readout, target, beta, traced=False)


def counts_read(x, weight, readout, target, beta):
    """Votes from counts."""
    return _variant(x, weight, readout, target, beta, mean=False)


def membranes_read(x, weight, readout, target, beta):
    """Votes from membranes."""
    return _variant(x, weight, readout, target, beta, membrane=True)


def threshold_at_zero(x, weight, readout, target, beta):
    """h of the membrane itself."""
    return _variant(x, weight, readout, target, beta, threshold=0.0)


def softmax_left_out(x, weight, readout, target, beta):
    """The error of a squared loss."""
    return _variant(x, weight, readout, target, beta, softmax=False)


def last_step_only(x, weight, readout, target, beta):
    """As if only the last step counted."""
    return _variant(x, weight, readout, target, beta, since=-1)


def spikes_first(x, weight, readout, target, beta):
    """Both, in the wrong order."""
    return local_change(x, weight, readout, target, beta)[::-1]


# 17.7: the slope of the loss by goodness

def goodness_slope(goodness, right, level, sharpness):
    z = sharpness * (goodness - level)                                # [B]
    slope = torch.where(right, torch.sigmoid(z) - 1, torch.sigmoid(z))
    return sharpness * slope / len(goodness)


def never_quiet(goodness, right, level, sharpness):
    """Right and wrong alike are made louder."""
    z = sharpness * (goodness - level)
    return -sharpness * torch.sigmoid(-z) / len(goodness)


def turned_round(goodness, right, level, sharpness):
    """Loud for wrong ones."""
    return goodness_slope(goodness, ~right, level, sharpness)


def sharpness_forgotten(goodness, right, level, sharpness):
    """The derivative by z."""
    return goodness_slope(goodness, right, level, sharpness) / sharpness


def whole_batch(goodness, right, level, sharpness):
    """Sums over the batch."""
    return goodness_slope(goodness, right, level, sharpness) * len(goodness)


def the_loss_itself(goodness, right, level, sharpness):
    """The loss, not its slope."""
    z = sharpness * (goodness - level)
    return torch.where(right, torch.nn.functional.softplus(-z), torch.nn.functional.softplus(z)) / len(goodness)


def sign_lost(goodness, right, level, sharpness):
    """All slopes positive."""
    return goodness_slope(goodness, right, level, sharpness).abs()
