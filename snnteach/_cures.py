"""What came, in words, whether it can do what is asked, and the line that makes of it what was expected."""
import inspect
from numbers import Integral

import torch


def kind(value):
    return "a function that was not called" if callable(value) and not isinstance(value, type) else type(value).__name__


def conversion(name, value):
    """The line that makes a tensor of what users hold."""
    if type(value).__name__ in ("DataFrame", "Series"):
        whole = getattr(getattr(value, "dtype", None), "kind", "f") in "iu"
        return f" Convert it with torch.from_numpy({name}.to_numpy({'int64' if whole else 'float32'!r}))."
    if type(value).__name__ == "ndarray":
        return f" Convert it with torch.from_numpy({name}){'.float()' if value.dtype.kind == 'f' else ''}."
    if isinstance(value, (list, tuple)) and value:
        alike = all(isinstance(entry, torch.Tensor) for entry in value)
        if alike and len({entry.shape for entry in value}) > 1 and len({entry.shape[1:] for entry in value}) == 1:
            return (f" Pad sequences of different lengths with torch.nn.utils.rnn.pad_sequence({name}, batch_first=True), "
                    f"which is [B, T, ...], and keep torch.tensor([len(one) for one in {name}]), their lengths.")
        return f" Convert it with torch.{'stack' if alike else 'tensor'}({name})."
    return ""


def short(value):
    """What came, in at most 60 characters of one line."""
    if isinstance(value, torch.Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def brief(value):
    """A number as it is, a tensor by its range: an error message is no place for a thousand entries."""
    if not isinstance(value, torch.Tensor):
        return value
    return f"entries from {value.min().item():.4g} to {value.max().item():.4g}" if value.numel() > 1 else value.item()


def event_cure(events):
    """The line that makes a tensor of a list of events; fractions stay, for they may be seconds."""
    kind, names = type(events).__name__, getattr(getattr(events, "dtype", None), "names", None)
    named = names or (tuple("txyp") if hasattr(events, "get") else ())
    whole = all(_is_whole(events[name] if names else events.get(name)) for name in named) if named else _is_whole(events)
    to = "int64" if whole else "float64"
    if names:
        chosen = "'txyp'" if {*"txyp"} <= {*names} else f"(what means t, x, y, p among {', '.join(map(repr, names))})"
        return f"Convert it with torch.stack([torch.from_numpy(events[name].astype('{to}')) for name in {chosen}], 1)."
    if kind == "ndarray":
        return f"Convert it with torch.from_numpy(events.astype('{to}'))."
    if kind == "DataFrame":
        return f"Convert it with torch.from_numpy(events[['t', 'x', 'y', 'p']].to_numpy('{to}'))."
    if kind == "dict":
        return f"Convert it with torch.stack([torch.as_tensor(events[name]).to(torch.{to}) for name in 'txyp'], 1)."
    if isinstance(events, (list, tuple)) and events and all(hasattr(part, "dtype") for part in events):
        return (f"Convert it with torch.stack([torch.as_tensor(part).to(torch.{to}) for part in events], 1) if these are the "
                "columns t, x, y, p.")
    return f"Convert it with torch.tensor({'events' if isinstance(events, (list, tuple)) else 'rows'}, dtype=torch.{to})."


def _is_whole(value):
    """Tell whether a number, or all that a tensor, an array, a column or a list holds, is of a whole type."""
    if isinstance(value, torch.Tensor):
        return not value.is_floating_point()
    if hasattr(value, "dtype"):
        return getattr(value.dtype, "kind", "f") in "iub"
    return all(map(_is_whole, value)) if isinstance(value, (list, tuple)) else isinstance(value, Integral)


def can_take(function, count):
    """Tell whether a function can be called with so many arguments."""
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:                                       # written in C, without a signature
        return True
    return True


def is_derivative(function):
    """Tell whether a function gives a tensor for a tensor, as a surrogate does, and is not its factory."""
    try:
        slope = function(torch.ones(1))
    except TypeError:                                        # a factory, of a number or of nothing
        return False
    return isinstance(slope, torch.Tensor) and slope.shape == (1,)
