"""The argument checks that the public doors of the reference modules share: each returns nothing, or raises and says why."""
import math
from numbers import Integral, Real

import torch

from ._cures import brief, can_take, conversion, event_cure, is_derivative, kind, short

MOST_NUMBERS = 2**31                                         # of a tensor that one call may make: 8 GB in float32


def check_that(owner, holds, problem, error=ValueError):
    """Raise `error` with the sentence `problem` unless `holds`: for what is asked in one place only."""
    if not holds:
        raise error(f"{owner}: {problem}")


def check_tensor(owner, name, value, layout, *, dims=None, hint=""):
    """Raise unless `value` is a tensor and, where `dims` is given, has exactly so many axes."""
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"{owner}: {name} must be a torch.Tensor {layout}, got {kind(value)}.{conversion(name, value)}{hint}")
    if dims is not None and value.dim() != dims:
        raise ValueError(f"{owner}: {name} must be {layout}, got shape {tuple(value.shape)}.{hint}")


def check_signal(owner, name, value, *, layout, min_dims=1, dims=None, hint=""):
    """Raise unless `value` is a floating-point tensor of at least `min_dims` or exactly `dims` axes, none of them empty."""
    check_tensor(owner, name, value, layout)
    if not value.is_floating_point():
        cure = f"Divide images by 255: {name} / 255." if value.dtype == torch.uint8 else f"Convert it with {name}.float()."
        raise TypeError(f"{owner}: {name} must be floating point, got {value.dtype}. {cure}")
    if value.dim() < min_dims or dims not in (None, value.dim()):
        raise ValueError(f"{owner}: {name} must be {layout}, got shape {tuple(value.shape)}.{hint}")
    if 0 in value.shape:
        raise ValueError(f"{owner}: {name} must be {layout} and not empty, got shape {tuple(value.shape)}.")


def check_dtype(owner, name, value, other_name, other):
    """Raise unless two tensors have the same type of numbers."""
    if value.dtype != other.dtype:
        short = str(other.dtype).removeprefix("torch.")
        raise TypeError(f"{owner}: {name} is {value.dtype} and {other_name} is {other.dtype}. Convert one of them, such as "
                        f"{name}.to(torch.{short}).")


def check_shape(owner, name, value, shape, like, hint=""):
    """Raise unless `value` is a tensor of this shape; `like` says where the shape comes from."""
    check_tensor(owner, name, value, tuple(shape), hint=hint)
    if value.shape != tuple(shape):
        raise ValueError(f"{owner}: {name} must be {tuple(shape)} {like}, got shape {tuple(value.shape)}.{hint}")


def check_classes(owner, name, value, layout):
    """Raise unless `value` is a tensor of class numbers."""
    check_tensor(owner, name, value, layout)
    if value.dtype != torch.int64:
        raise TypeError(f"{owner}: {name} must be int64 class numbers, got {value.dtype}. Convert with .long().")


def check_number(owner, name, value):
    """Raise unless `value` is a real number of Python or numpy, and not NaN."""
    if isinstance(value, torch.Tensor) and value.numel() == 1:
        raise TypeError(f"{owner}: {name} must be a number, got a tensor. Pass {name}.item().")
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{owner}: {name} must be a number, got {short(value)} ({kind(value)}).")
    if math.isnan(value):
        raise ValueError(f"{owner}: {name} must be a number, got NaN.")


def check_numbers(owner, *, above=-math.inf, low=-math.inf, high=math.inf, **values):
    """Raise unless each named value is a plain finite number, greater than `above` and within [low, high]."""
    for name, value in values.items():
        check_number(owner, name, value)
        bounds = [*([f"above {above:g}"] if above > -math.inf else []), *([f"at least {low:g}"] if low > -math.inf else []),
                  *([f"at most {high:g}"] if high < math.inf else [])] or ["finite"]
        if not (math.isfinite(value) and above < value and low <= value <= high):
            raise ValueError(f"{owner}: {name} must be {' and '.join(bounds)}, got {value}.")


def check_fraction(owner, **values):
    """Raise unless each named value is a plain number between 0 and 1."""
    for name, value in values.items():
        check_number(owner, name, value)
        check_between(owner, name, value, 0, 1)


def check_whole(owner, low=1, high=math.inf, **values):
    """Raise unless each named value is a whole number of Python or numpy from `low` to `high`."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, Integral) or not low <= value <= high:
            most = f" and at most {high}" if high < math.inf else ""
            raise ValueError(f"{owner}: {name} must be a whole number of at least {low}{most}, got {short(value)}.")


def check_affordable(owner, name, *sizes):
    """Raise where a tensor of these sizes could not have been meant."""
    if math.prod(int(size) for size in sizes) > MOST_NUMBERS:
        raise ValueError(f"{owner}: {name} asks for a tensor of {' x '.join(map(str, sizes))} numbers, more than one can mean.")


def check_generator(owner, generator):
    """Raise unless `generator` is a torch.Generator or None."""
    if generator is not None and not isinstance(generator, torch.Generator):
        raise TypeError(f"{owner}: generator must be a torch.Generator, such as torch.Generator().manual_seed(0), or None, "
                        f"got {kind(generator)}.")


def check_between(owner, name, value, low, high, hint=""):
    """Raise unless the number or every entry of the tensor `value` lies in [low, high]."""
    if not _obeys(owner, name, value, lambda entry: (entry >= low) & (entry <= high)):
        raise ValueError(f"{owner}: {name} must be between {low} and {high}, got {brief(value)}.{hint}")


def check_positive(owner, **values):
    """Raise unless each named number, or every entry of each named tensor, is greater than zero."""
    for name, value in values.items():
        if not _obeys(owner, name, value, lambda entry: entry > 0):
            raise ValueError(f"{owner}: {name} must be positive, got {brief(value)}.")


def check_not_negative(owner, **values):
    """Raise unless each named number, or every entry of each named tensor, is zero or greater."""
    for name, value in values.items():
        if not _obeys(owner, name, value, lambda entry: entry >= 0):
            raise ValueError(f"{owner}: {name} must not be negative, got {brief(value)}.")


def _obeys(owner, name, value, rule):
    """Tell whether a number, or every entry of a tensor, obeys a rule on one interval; NaN obeys none."""
    if isinstance(value, torch.Tensor):
        if value.dtype == torch.bool:
            raise TypeError(f"{owner}: {name} must hold numbers, got torch.bool. Convert it with {name}.float().")
        return _traced() or not value.numel() or all(bool(rule(end)) for end in value.detach().aminmax())
    if conversion(name, value):
        raise TypeError(f"{owner}: {name} must be a number or a torch.Tensor, got {kind(value)}.{conversion(name, value)}")
    check_number(owner, name, value)
    return rule(value)


def _traced():
    """Tell whether PyTorch traces the code, as torch.export does: then no value is known yet."""
    return torch.compiler.is_compiling()


def check_intensity(owner, x):
    """Raise unless x is a floating-point tensor of values between 0 and 1."""
    check_signal(owner, "x", x, layout="[B, ...]")
    if not bool(((x >= 0) & (x <= 1)).all()):                # NaN fails too
        raise ValueError(f"{owner}: x must be intensities between 0 and 1, got {x.min():g} to {x.max():g}. "
                         f"For images of 0 to 255 divide by 255; for other data (x - low) / (high - low).")


def check_spikes(owner, name, value):
    """Raise unless the tensor `value` holds nothing but 0 and 1."""
    if not bool(((value == 0) | (value == 1)).all()):
        raise ValueError(f"{owner}: {name} must hold spikes, 0 or 1, got {brief(value)}.")


def check_finite(owner, name, value, hint="Look for it in the input, the weights, the decays and the state.", infinity=False):
    """Raise if NaN or infinity stands in a tensor; of a membrane, which neither ever leaves, the last step is enough."""
    sound = _traced() or math.isfinite(value.detach().sum().item())       # one fast pass; a sum may be too large, too
    if not sound and bool(value.isnan().any() if infinity else ~value.isfinite().all()):
        raise ValueError(f"{owner}: {name} holds NaN{'' if infinity else ' or infinity'}. {hint}")


def check_option(owner, name, value, options):
    """Raise unless `value` is one of `options`."""
    if isinstance(value, bool) or not isinstance(value, (str, Integral)) or value not in options:
        raise ValueError(f"{owner}: {name} must be one of {', '.join(map(repr, options))}, got {short(value)}.")


def check_callable(owner, name, value, hint, takes=None):
    """Raise unless `value` is a function, of so many arguments where `takes` is given; the hint says what to pass."""
    if not callable(value):
        raise TypeError(f"{owner}: {name} must be a function, got {short(value)} ({kind(value)}). {hint}")
    if takes is not None and not can_take(value, takes):
        raise TypeError(f"{owner}: {name} must be a function of {takes} argument{'s' * (takes > 1)}, got {short(value)}. "
                        f"{hint}")


def check_surrogate(owner, surrogate, name="surrogate"):
    """Raise unless `surrogate` is a derivative h(u), such as atan(), and not the factory atan itself or a name."""
    hint = f"A surrogate is a derivative h(u): call its factory, as in {name}=atan()."
    check_callable(owner, name, surrogate, hint)
    if type(surrogate).__name__ != "_Surrogate" and not is_derivative(surrogate):             # ours need no trial
        raise TypeError(f"{owner}: {name} must return a tensor for a tensor, of its shape, got {short(surrogate)}. {hint}")


def check_beta(owner, beta, x, step, name="beta"):
    """Raise unless beta lies in [0, 1] and, as a tensor, fits one step of the input x, of shape `step`."""
    check_between(owner, name, beta, 0, 1)
    check_per_neuron(owner, name, beta, x, step)


def check_per_neuron(owner, name, value, x, step):
    """Raise unless `value`, where it is a tensor with axes, fits one step of the input x, of shape `step`."""
    if isinstance(value, torch.Tensor) and value.dim():
        if value.dim() > len(step) or any(own not in (1, wanted) for own, wanted in zip(value.shape[::-1], step[::-1],
                                                                                        strict=False)):
            raise ValueError(f"{owner}: {name} must be a number or [N] = [{step[-1]}], one a neuron, "
                             f"got shape {tuple(value.shape)}.")
        check_dtype(owner, name, value, "x", x)


def check_flags(owner, **values):
    """Raise unless each named value is True or False."""
    for name, value in values.items():
        if not (isinstance(value, Integral) or type(value).__name__ in ("bool", "bool_")) or value not in (0, 1):
            raise TypeError(f"{owner}: {name} must be True or False, got {short(value)} ({kind(value)}).")


def check_pair(owner, name, value, parts, hint=""):
    """Raise unless `value` is a tuple or list of two; `parts` names them."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise TypeError(f"{owner}: {name} must be the pair {parts}, got {type(value).__name__}.{hint}")


def check_weights(owner, name, weights, like_name=None, like=None):
    """Raise unless `weights` are `Weights` of `snnteach.bptt` that fit each other, and `like` in their dtype."""
    if getattr(weights, "_fields", None) != ("hidden", "recurrent", "output"):
        raise TypeError(f"{owner}: {name} must be Weights(hidden, recurrent, output), got {kind(weights)}.")
    for part, layout in (("hidden", "[H, I]"), ("output", "[O, H]")):
        check_signal(owner, f"{name}.{part}", getattr(weights, part), layout=layout, dims=2)
    hidden, inputs = weights.hidden.shape
    shapes = (hidden, inputs), (hidden, hidden), (len(weights.output), hidden)
    like_name, like = (f"{name}.hidden", weights.hidden) if like is None else (like_name, like)
    for part, weight, shape in zip(weights._fields, weights, shapes, strict=True):
        if weight is not None:
            check_shape(owner, f"{name}.{part}", weight, shape, f"to fit {hidden} hidden neurons")
            check_dtype(owner, f"{name}.{part}", weight, like_name, like)
            check_finite(owner, f"{name}.{part}", weight, "Look for it where they were computed.")


def check_network(owner, x, weights, beta, beta_out, threshold, name="x", **flags):
    """Raise unless x [T, B, I], the `Weights` of `snnteach.bptt` and the constants of their network fit each other."""
    check_signal(owner, name, x, layout="[T, B, I] (time first)", dims=3,
                 hint=f" For batch-first data use {name}.transpose(0, 1).")
    check_weights(owner, "weights", weights, name, x)
    check_shape(owner, "weights.hidden", weights.hidden, (len(weights.hidden), x.shape[2]), f"to fit {name} {tuple(x.shape)}")
    check_beta(owner, beta, x, (len(weights.hidden),))
    check_beta(owner, beta_out, x, (len(weights.output),), name="beta_out")
    check_numbers(owner, above=0, threshold=threshold)
    check_flags(owner, **flags)


def check_events(owner, events):
    """Raise unless `events` is an int64 tensor [K, 4]; whatever else lists of events come in gets the line that converts it."""
    if not isinstance(events, torch.Tensor):
        raise TypeError(f"{owner}: events must be an int64 tensor [K, 4] of rows (t, x, y, p), got {kind(events)}. "
                        f"{event_cure(events)}")
    if events.dtype != torch.int64:
        raise TypeError(f"{owner}: events must be int64, with t in whole microseconds, got {events.dtype}. Convert seconds "
                        "with (events.double() * torch.tensor([1e6, 1, 1, 1])).round().long(), whole microseconds with "
                        ".long().")
    if events.dim() != 2 or events.shape[1] != 4:
        raise ValueError(f"{owner}: events must be [K, 4], a row (t, x, y, p) an event, got shape {tuple(events.shape)}.")


def check_size(owner, size):
    """Raise unless `size` is the pair (H, W) of whole numbers of at least 1."""
    check_pair(owner, "size", size, "(H, W)")
    check_whole(owner, **{"size[0]": size[0], "size[1]": size[1]})


def check_pixels(owner, events, size):
    """Raise unless every event lies on the sensor and has polarity 0 or 1."""
    for name, place, most in (("x", 1, size[1]), ("y", 2, size[0]), ("p", 3, 2)):
        column = events[:, place]
        if len(column) and not 0 <= int(column.min()) <= int(column.max()) < most:
            hint = (" Turn -1 and 1 into 0 and 1 with events[:, 3] = events[:, 3] > 0." if name == "p" else
                    " Rows are (t, x, y, p), x the column, and size is (H, W).")
            raise ValueError(f"{owner}: {name} in events must be between 0 and {most - 1}, got {brief(column)}.{hint}")


def check_net(owner, net):
    """Raise unless `net` is a module."""
    if not isinstance(net, torch.nn.Module):
        raise TypeError(f"{owner}: net must be a torch.nn.Module, such as SpikingMLP((784, 300, 10)), got {kind(net)}.")


def check_ends(owner, lengths, samples, most=math.inf):
    """Raise unless `lengths` is an int64 tensor [samples] of steps from 1 to `most`."""
    check_tensor(owner, "lengths", lengths, "[B] of whole numbers of steps", dims=1)
    if lengths.dtype != torch.int64:
        raise TypeError(f"{owner}: lengths must be int64 numbers of steps, got {lengths.dtype}. Convert with lengths.long().")
    if len(lengths) != samples:
        raise ValueError(f"{owner}: lengths must be [{samples}], one a sample, got shape {tuple(lengths.shape)}.")
    if not bool(((lengths >= 1) & (lengths <= most)).all()):
        raise ValueError(f"{owner}: lengths must be from 1 to {f'T = {most}' if most < math.inf else 'T'}, the steps of the "
                         f"sequences, got {brief(lengths)}.")


def check_records(owner, records, samples=None, name="net's result"):
    """Raise unless `records` is a list of `Record` with membranes [T, B, ...], of B = `samples` where they are given."""
    if not isinstance(records, (list, tuple)) or not records or not all(hasattr(part, "_replace") for part in records):
        raise TypeError(f"{owner}: {name} must be a list of Record(spk, mem), one a layer, such as SpikingMLP returns, got "
                        f"{short(records)} ({kind(records)}).")
    for record in records:
        for part in ("mem", *(["spk"] if record.spk is not None else [])):
            check_signal(owner, f"{part} in {name}", getattr(record, part), layout="[T, B, ...] (time first)", min_dims=2)
        if record.spk is not None and record.spk.shape[:2] != record.mem.shape[:2]:
            raise ValueError(f"{owner}: spk and mem in {name} must agree in time and batch, got shapes "
                             f"{tuple(record.spk.shape)} and {tuple(record.mem.shape)}.")
        if samples not in (None, record.mem.shape[1]):
            raise ValueError(f"{owner}: mem in {name} must be [T, B, ...] (time first)"
                             f"{'' if samples is None else f' of B = {samples} samples'}, got shape {tuple(record.mem.shape)}.")


def check_data(owner, inputs, targets, lengths):
    """Raise unless `inputs` and `targets` are samples of data and what they should give, equally many."""
    check_inputs(owner, inputs, lengths)
    check_tensor(owner, "targets", targets, "[samples] of class numbers, or quantities [samples], [samples, C] or "
                 "[T, samples, C]")
    check_that(owner, targets.dtype == torch.int64 or targets.is_floating_point(),
               f"targets must be int64 class numbers or floating-point quantities, got {targets.dtype}. Convert class numbers "
               "with targets.long(), quantities with targets.float().", TypeError)
    check_that(owner, targets.dim() in ((1, 2, 3) if targets.is_floating_point() else (1,)),
               "targets must be [samples] of class numbers, or quantities [samples], [samples, C] or [T, samples, C], got "
               f"shape {tuple(targets.shape)} of {targets.dtype}.{_reduction(targets)}")
    check_that(owner, targets.shape[int(targets.dim() == 3)] == len(inputs) and targets.numel() > 0,
               f"inputs must be [samples, ...] and targets equally many, got shapes {tuple(inputs.shape)} and "
               f"{tuple(targets.shape)}.")
    if targets.is_floating_point():
        check_finite(owner, "targets", targets, "Leave such samples out.")


def _reduction(targets):
    if targets.is_floating_point() or targets.dim() != 2:
        return ""
    return " A column becomes [samples] with targets.squeeze(1)." if targets.shape[1] == 1 else (
        " Class numbers come out of one-hot rows with targets.argmax(1); convert counts to quantities with targets.float().")


def check_inputs(owner, inputs, lengths):
    """Raise unless `inputs` are samples [samples, ...], and `lengths`, where they are given, as many."""
    check_tensor(owner, "inputs", inputs, "[samples, ...]")
    check_that(owner, inputs.dim() > 1 and inputs.numel() > 0,
               f"inputs must be [samples, ...], at least one sample and value, got shape {tuple(inputs.shape)}.")
    if inputs.is_floating_point():
        check_finite(owner, "inputs", inputs, "Leave such samples out, or fill what is missing.")
    if lengths is not None:
        check_ends(owner, lengths, len(inputs))


def check_loss(owner, loss):
    """Raise unless `loss` is a function of records and target."""
    check_callable(owner, "loss", loss, "Such as loss=lambda records, target: ce_count_loss(records[-1].spk, target).", takes=2)
    check_that(owner, not str(getattr(loss, "__module__", "")).startswith("torch.nn."),
               f"loss takes (records, target), and {getattr(loss, '__name__', loss)} "
               "takes logits. Pass loss=lambda records, target: your_loss(records[-1].mem.sum(0), target).", TypeError)


def check_encode(owner, encode):
    """Raise unless `encode` is a function of one argument."""
    check_callable(owner, "encode", encode, "For input that stays the same: encode=lambda x: direct_current(x, num_steps=25).",
                   takes=1)


def check_optional(owner, **functions):
    """Raise unless each named value is a function of one argument, or None."""
    for name, value in functions.items():
        if value is not None:
            check_callable(owner, name, value, f"Leave {name} out for none.", takes=1)


def check_code(owner, x, samples):
    """Raise unless x is what encode has to return for so many samples."""
    check_tensor(owner, "encode's result", x, "[T, B, ...] (time first)")
    check_that(owner, x.dim() > 1 and x.numel() > 0 and x.shape[1] == samples,
               f"encode must return [T, B, ...] (time first) with the {samples} samples that it was given, got shape "
               f"{tuple(x.shape)}. For input that stays the same: encode=lambda x: direct_current(x.flatten(1), num_steps=25); "
               "for sequences [B, T, N]: encode=lambda x: x.transpose(0, 1).")


def check_scalar(owner, name, value):
    """Raise unless `value` is one number, as a tensor."""
    check_that(owner, isinstance(value, torch.Tensor) and value.numel() == 1 and value.is_floating_point(),
               f"{name} must return one number, a scalar tensor, got "
               f"{tuple(value.shape) if isinstance(value, torch.Tensor) else type(value).__name__}. Average over the batch.",
               TypeError)
