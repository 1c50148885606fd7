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
        raise ValueError(f"{owner}: {name} must be between {low} and {high}, got {_brief(value)}.")


def check_positive(owner, **values):
    """Raise unless each named number, or every entry of each named tensor, is greater than zero."""
    for name, value in values.items():
        number = value.min().item() if isinstance(value, torch.Tensor) else check_number(owner, name, value)
        if not number > 0:
            raise ValueError(f"{owner}: {name} must be positive, got {_brief(value)}.")


def _brief(value):
    """A number as it is, a tensor by its range: an error message is no place for a thousand entries."""
    if not isinstance(value, torch.Tensor) or value.numel() <= 1:
        return value
    return f"entries from {value.min().item():.4g} to {value.max().item():.4g}"


def check_number(owner, name, value):
    """Return `value` if it is a real number, else raise."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{owner}: {name} must be a number, got {value!r} ({type(value).__name__}).")
    return value


def check_option(owner, name, value, options):
    """Raise unless `value` is one of `options`."""
    if value not in options:
        raise ValueError(f"{owner}: {name} must be one of {', '.join(map(repr, options))}, got {value!r}.")


def check_callable(owner, name, value, hint):
    """Raise unless `value` is a function; the hint says what to pass."""
    if not callable(value):
        raise TypeError(f"{owner}: {name} must be a function, got {value!r} ({type(value).__name__}). {hint}")


def check_surrogate(owner, surrogate):
    """Raise unless `surrogate` is a derivative h(u), such as atan(), and not the factory atan itself or a name."""
    hint = "A surrogate is a derivative h(u): call its factory, as in surrogate=atan()."
    check_callable(owner, "surrogate", surrogate, hint)
    try:
        is_derivative = isinstance(surrogate(torch.ones(1)), torch.Tensor)
    except TypeError:                                        # a factory without arguments
        is_derivative = False
    if not is_derivative:
        raise TypeError(f"{owner}: surrogate must return a tensor for a tensor, got {surrogate!r}. {hint}")


def check_beta(owner, beta, step, name="beta"):
    """Raise unless beta lies in [0, 1] and, as a tensor, fits one step of the input, of shape `step`."""
    check_between(owner, name, beta, 0, 1)
    if isinstance(beta, torch.Tensor) and beta.dim() and (beta.dim() > len(step) or any(
            own not in (1, wanted) for own, wanted in zip(beta.shape[::-1], step[::-1], strict=False))):
        raise ValueError(f"{owner}: {name} must be a number or [N] = [{step[-1]}], one a neuron, "
                         f"got shape {tuple(beta.shape)}.")


def check_state(owner, state, step):
    """Raise unless `state` is the pair (mem, spk) of one time step, tensors of shape `step`."""
    if not isinstance(state, (tuple, list)) or len(state) != 2:
        raise TypeError(f"{owner}: state must be the pair (mem, spk), got {type(state).__name__}. "
                        "Continue a run with state=(mem[-1], spk[-1]).")
    for name, value in zip(("mem", "spk"), state, strict=True):
        if not isinstance(value, torch.Tensor):
            raise TypeError(f"{owner}: {name} must be a torch.Tensor, got {type(value).__name__}. "
                            "Start with torch.zeros_like(x).")
        if value.shape != step:
            raise ValueError(f"{owner}: {name} must be {tuple(step)} like one step of x, got {tuple(value.shape)}.")


def check_finite(owner, mem):
    """Raise if a NaN or an infinity entered a membrane (it never leaves, so the last step tells)."""
    if not math.isfinite(mem.sum().item()):                  # one fast pass: NaN and infinity survive a sum
        raise ValueError(f"{owner}: the membrane is NaN or infinite; look for NaN or infinity in x, beta or state.")
