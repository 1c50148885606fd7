"""Right and wrong answers to the exercises of notebook 10, as functions."""
import torch


def without_threshold(weight, bias, threshold):
    return weight / threshold, bias / threshold


def only_the_weight(weight, bias, threshold):
    return weight / threshold, bias


def times_the_threshold(weight, bias, threshold):
    return weight * threshold, bias * threshold


def shifted(weight, bias, threshold):
    return weight, bias - threshold + 1


def norm_each_step(x, weight, mean, variance, training):
    if training:
        now_mean = x.mean(1)                                            # [T, N], over the batch alone
        now_variance = x.var(1, unbiased=False)
        mean = 0.9 * mean + 0.1 * now_mean.detach()
        variance = 0.9 * variance + 0.1 * now_variance.detach()
    else:
        now_mean, now_variance = mean, variance
    spread = (now_variance + 1e-5).sqrt()
    return weight[:, None] * (x - now_mean[:, None]) / spread[:, None], mean, variance


def _changed(x, weight, mean, variance, training, *, axes=(1,), keep=0.9, running_out=False, always=False, detach=False,
             root=True, unbiased=False, swap=False, centre=True):
    """`norm_each_step` with one thing done differently."""
    if training or always:
        now_mean = x.mean(axes, keepdim=True).squeeze(1).expand_as(mean)
        now_variance = x.var(axes, unbiased=unbiased, keepdim=True).squeeze(1).expand_as(mean)
        mean, variance = (keep * old + (1 - keep) * new.detach() for old, new in ((mean, now_mean), (variance, now_variance)))
        if running_out:
            now_mean, now_variance = mean, variance
        if detach:
            now_mean, now_variance = now_mean.detach(), now_variance.detach()
    else:
        now_mean, now_variance = mean, variance
    spread = (now_variance + 1e-5).sqrt() if root else now_variance + 1e-5
    return weight[:, None] * (x - now_mean[:, None] * centre) / spread[:, None], mean, variance


def of_all_steps(x, weight, mean, variance, training):
    return _changed(x, weight, mean, variance, training, axes=(0, 1))


def by_the_running(x, weight, mean, variance, training):
    return _changed(x, weight, mean, variance, training, running_out=True)


def always_the_batch(x, weight, mean, variance, training):
    return _changed(x, weight, mean, variance, training, always=True)


def statistics_detached(x, weight, mean, variance, training):
    return _changed(x, weight, mean, variance, training, detach=True)


def by_the_variance(x, weight, mean, variance, training):
    return _changed(x, weight, mean, variance, training, root=False)


def by_n_minus_1(x, weight, mean, variance, training):
    return _changed(x, weight, mean, variance, training, unbiased=True)


def forgets_fast(x, weight, mean, variance, training):
    return _changed(x, weight, mean, variance, training, keep=0.1)


def not_centred(x, weight, mean, variance, training):
    return _changed(x, weight, mean, variance, training, centre=False)


def running_stays(x, weight, mean, variance, training):
    return _changed(x, weight, mean, variance, training, keep=1.0)


def running_not_detached(x, weight, mean, variance, training):
    y, *running = norm_each_step(x, weight, mean, variance, training)
    return (y, 0.9 * mean + 0.1 * x.mean(1), 0.9 * variance + 0.1 * x.var(1, unbiased=False)) if training else (y, *running)


def outside_the_root(x, weight, mean, variance, training):
    _, *running = norm_each_step(x, weight, mean, variance, training)
    now_mean, now_variance = (x.mean(1), x.var(1, unbiased=False)) if training else (mean, variance)
    return weight[:, None] * (x - now_mean[:, None]) / (now_variance.sqrt() + 1e-5)[:, None], *running


def no_weight(x, weight, mean, variance, training):
    return norm_each_step(x, torch.ones_like(weight), mean, variance, training)


def over_time_not_batch(x, weight, mean, variance, training):
    if training:
        now_mean, now_variance = x.mean(0), x.var(0, unbiased=False)
        return weight[:, None] * (x - now_mean) / (now_variance + 1e-5).sqrt(), mean, variance
    return norm_each_step(x, weight, mean, variance, training)


def fold(weight, bias, gamma, beta, mean, variance):
    scale = gamma / (variance + 1e-5).sqrt()
    return scale[:, None] * weight, scale * (bias - mean) + beta


def scale_left_in_the_mean(weight, bias, gamma, beta, mean, variance):
    scale = gamma / (variance + 1e-5).sqrt()
    return scale[:, None] * weight, scale * bias - mean + beta


def old_bias_lost(weight, bias, gamma, beta, mean, variance):
    scale = gamma / (variance + 1e-5).sqrt()
    return scale[:, None] * weight, beta - scale * mean


def beta_lost(weight, bias, gamma, beta, mean, variance):
    return fold(weight, bias, gamma, torch.zeros_like(beta), mean, variance)


def gamma_lost(weight, bias, gamma, beta, mean, variance):
    return fold(weight, bias, torch.ones_like(gamma), beta, mean, variance)


def bias_not_scaled(weight, bias, gamma, beta, mean, variance):
    scale = gamma / (variance + 1e-5).sqrt()
    return scale[:, None] * weight, bias - scale * mean + beta


def columns_scaled(weight, bias, gamma, beta, mean, variance):
    scale = gamma / (variance + 1e-5).sqrt()
    return weight * scale[:weight.shape[1]], scale * (bias - mean) + beta


def no_root(weight, bias, gamma, beta, mean, variance):
    scale = gamma / (variance + 1e-5)
    return scale[:, None] * weight, scale * (bias - mean) + beta


def mean_added(weight, bias, gamma, beta, mean, variance):
    scale = gamma / (variance + 1e-5).sqrt()
    return scale[:, None] * weight, scale * (bias + mean) + beta


def over_time(layer, x):
    return layer(x.flatten(0, 1)).unflatten(0, x.shape[:2])


def batch_first(layer, x):
    return layer(x.transpose(0, 1).flatten(0, 1)).unflatten(0, x.shape[:2])


def sums_over_time(layer, x):
    return layer(x.sum(0)).expand(len(x), *layer(x[0]).shape)


def first_step_only(layer, x):
    return layer(x[0]).expand(len(x), *layer(x[0]).shape)


def stays_flat(layer, x):
    return layer(x.flatten(0, 1))


def axes_swapped_back(layer, x):
    return layer(x.flatten(0, 1)).unflatten(0, (x.shape[1], x.shape[0]))


def drop(x, uniform, p):
    return x * (uniform >= p) / (1 - p)


def not_rescaled(x, uniform, p):
    return x * (uniform >= p)


def kept_with_p(x, uniform, p):
    return x * (uniform < p) / p


def kept_below(x, uniform, p):
    return x * (uniform < p) / (1 - p)


def by_its_own_mean(x, uniform, p):
    return x * (uniform >= p) / (uniform >= p).to(x.dtype).mean()


def divided_by_p(x, uniform, p):
    return x * (uniform >= p) / p


def first_step_dropped(x, uniform, p):
    return torch.cat([x[:1] * (uniform >= p) / (1 - p), x[1:]])


def one_mask_for_the_batch(x, uniform, p):
    return x * (uniform[:1] >= p) / (1 - p)


def multiplied_by_what_is_left(x, uniform, p):
    return x * (uniform >= p) * (1 - p)


def _starts(place, size, window):
    """How many windows of a row see a place: those that start from place - window + 1 to place and lie inside."""
    return min(place, size - window) - max(place - window + 1, 0) + 1


def numbers_hit(size, window, maps, row, column):
    rows, columns = (min(place, size - window) - max(place - window + 1, 0) + 1 for place in (row, column))
    return maps * rows * columns


def as_in_the_middle(size, window, maps, row, column):
    return maps * window**2


def as_with_padding(size, window, maps, row, column):
    rows, columns = (min(place + window // 2, size - 1) - max(place - window // 2, 0) + 1 for place in (row, column))
    return maps * rows * columns


def in_one_map(size, window, maps, row, column):
    return _starts(row, size, window) * _starts(column, size, window)


def all_weights(size, window, maps, row, column):
    return maps * (size - window + 1) ** 2


def end_left_out(size, window, maps, row, column):
    return maps * (_starts(row, size, window) - 1) * (_starts(column, size, window) - 1)


def added_not_multiplied(size, window, maps, row, column):
    return maps * (_starts(row, size, window) + _starts(column, size, window))


def right_edge_forgotten(size, window, maps, row, column):
    rows, columns = (place - max(place - window + 1, 0) + 1 for place in (row, column))
    return maps * rows * columns
