"""Whether two answers are the same: numbers and tensors within a tolerance that is relative and absolute."""
import math

import torch


def agree(answer, right, tolerance):
    """Tell whether two answers are the same."""
    if isinstance(right, torch.Tensor):
        if not isinstance(answer, torch.Tensor) or answer.shape != right.shape or answer.is_complex():
            return False
        return bool(close(answer, right, tolerance).all())
    if isinstance(right, (list, tuple)):
        return (isinstance(answer, (list, tuple)) and len(answer) == len(right)
                and all(agree(a, r, tolerance) for a, r in zip(answer, right, strict=True)))
    answer = plain(answer)
    if isinstance(right, (str, bool)):
        return isinstance(answer, type(right)) and answer == right
    if isinstance(answer, bool) or not isinstance(answer, (int, float)):
        return False
    return math.isclose(answer, right, rel_tol=tolerance, abs_tol=tolerance)


def close(answer, right, tolerance):
    """Tell for each number of two tensors whether it is the same."""
    return _values(answer).isclose(_values(right), rtol=tolerance, atol=tolerance, equal_nan=True)


def _values(tensor):
    """What a tensor holds, without its graph and wherever it lies: an answer may come from an accelerator."""
    return tensor.detach().cpu().double()


def plain(answer):
    """The one number in a tensor or a NumPy array as Python's own; anything else as it is."""
    return answer.item() if hasattr(answer, "item") and math.prod(getattr(answer, "shape", (0,))) == 1 else answer


def changed(value, change):
    """Change every number in an answer; whatever holds none stays."""
    if isinstance(value, torch.Tensor):
        return change(_values(value))
    if isinstance(value, (list, tuple)):
        return [changed(entry, change) for entry in value]
    value = plain(value)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return change(torch.tensor(float(value), dtype=torch.float64)).item() if number else value
