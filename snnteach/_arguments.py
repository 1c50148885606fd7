"""The argument checks that every public door of the reference modules shares."""
import math

import torch


def check_signal(owner, name, value, *, layout, min_dims, hint=""):
    """Raise unless `value` is a floating-point tensor with at least `min_dims` axes and no empty time axis."""
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"{owner}: {name} must be a torch.Tensor {layout}, got {type(value).__name__}.")
    if not value.is_floating_point():
        raise TypeError(f"{owner}: {name} must be floating point, got {value.dtype}. Convert it with .float().")
    if value.dim() < min_dims:
        raise ValueError(f"{owner}: {name} must be {layout}, got shape {tuple(value.shape)}.{hint}")
    if value.shape[0] == 0:
        raise ValueError(f"{owner}: {name} must be {layout} with a first axis of at least 1, got shape {tuple(value.shape)}.")


def check_between(owner, name, value, low, high):
    """Raise unless the number or every entry of the tensor `value` lies in [low, high]."""
    if isinstance(value, torch.Tensor):
        inside = bool(((value >= low) & (value <= high)).all())
    else:
        inside = low <= check_number(owner, name, value) <= high
    if not inside:
        raise ValueError(f"{owner}: {name} must be between {low} and {high}, got {value}.")


def check_positive(owner, **values):
    """Raise unless each named number, or every entry of each named tensor, is greater than zero."""
    for name, value in values.items():
        number = value.min().item() if isinstance(value, torch.Tensor) else check_number(owner, name, value)
        if not number > 0:
            raise ValueError(f"{owner}: {name} must be positive, got {value}.")


def check_number(owner, name, value):
    """Return `value` if it is a real number, else raise."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{owner}: {name} must be a number, got {value!r} ({type(value).__name__}).")
    return value


def check_option(owner, name, value, options):
    """Raise unless `value` is one of `options`."""
    if value not in options:
        raise ValueError(f"{owner}: {name} must be one of {', '.join(map(repr, options))}, got {value!r}.")


def check_finite(owner, mem):
    """Raise if a NaN or an infinity entered a membrane (it never leaves, so the last step tells)."""
    if not math.isfinite(mem.sum().item()):                  # one fast pass: NaN and infinity survive a sum
        raise ValueError(f"{owner}: the membrane is NaN or infinite; look for NaN or infinity in x, beta or state.")
