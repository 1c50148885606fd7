"""The argument checks: what they take, what they say, and that each cure they name works."""
import math
import re

import numpy as np
import pytest
import torch

from snnteach import _arguments
from snnteach._arguments import (
    check_affordable,
    check_beta,
    check_callable,
    check_dtype,
    check_finite,
    check_flags,
    check_fraction,
    check_generator,
    check_not_negative,
    check_numbers,
    check_positive,
    check_signal,
    check_surrogate,
    check_tensor,
    check_weights,
    check_whole,
)
from snnteach.bptt import Weights
from snnteach.surrogate import atan, zero


class DataFrame:
    """What pandas calls so, as far as the cure uses it."""

    def __init__(self, values):
        self.values = values

    def to_numpy(self, dtype):
        """Return the values as an array."""
        return np.asarray(self.values, dtype)


def test_sequences_of_different_lengths_are_padded_and_whole_columns_stay_whole():
    x = [torch.ones(2, 4), torch.ones(3, 4)]
    with pytest.raises(TypeError) as caught:
        check_signal("f", "x", x, layout="[B, T, N]")
    cures = re.search(r"Pad sequences of different lengths with (.*), which is .*, and keep (.*), their", str(caught.value))
    assert eval(cures[1], {"torch": torch, "x": x}).shape == (2, 3, 4)
    assert eval(cures[2], {"torch": torch, "x": x}).tolist() == [2, 3]
    series = type("Series", (), {"dtype": np.dtype("int32")})()
    with pytest.raises(TypeError, match=r"torch.from_numpy\(x.to_numpy\('int64'\)\)"):
        check_signal("f", "x", series, layout="[B]")


@pytest.mark.parametrize("x", [
    np.ones((3, 2)), np.ones((3, 2), np.float32), DataFrame([[1, 2], [3, 4]]), [[0.5, 1.0]], ((0.5, 1.0),),
    [torch.ones(2), torch.ones(2)], (torch.ones(2),), torch.ones(3, 2, dtype=torch.uint8), torch.ones(3, 2, dtype=torch.int64),
    torch.ones(3, 2) > 0, np.ones((3, 2), np.uint8), np.ones((3, 2), np.int64)],
    ids=lambda x: f"{type(x).__name__}-{getattr(x, 'dtype', '')}")
def test_the_conversion_that_a_message_names_is_one(x):
    for _ in range(3):                                       # an array of whole numbers needs two: to a tensor, to a float
        with pytest.raises(TypeError) as caught:
            check_signal("f", "x", x, layout="[T, N]")
        cure = re.search(r"(?:Convert it with |by 255: )(.*)\.$", str(caught.value))[1]
        x = eval(cure, {"torch": torch, "x": x})
        try:
            check_signal("f", "x", x, layout="[T, N]", dims=2)
        except TypeError:
            continue
        break
    assert x.is_floating_point() and x.max() <= 4 and x.dim() == 2


def test_bytes_are_divided_by_255():
    with pytest.raises(TypeError, match=r"f: x must be floating point, got torch.uint8. Divide images by 255: x / 255\.$"):
        check_signal("f", "x", torch.ones(2, dtype=torch.uint8), layout="[N]")


def test_fractions_lie_between_0_and_1():
    check_fraction("f", none=0, half=np.float32(0.5), all=1)
    for value, error in ((1.01, ValueError), (-1, ValueError), (math.nan, ValueError), (torch.ones(2), TypeError),
                         (None, TypeError), (True, TypeError)):
        with pytest.raises(error, match="f: part must be "):
            check_fraction("f", part=value)


def test_two_dtypes_are_reconciled_as_the_message_says():
    mem, x = torch.ones(2, dtype=torch.float64), torch.ones(2)
    with pytest.raises(TypeError,
                       match=r"mem is torch.float64 and x is torch.float32. .*such as (mem.to\(torch.float32\))") as caught:
        check_dtype("f", "mem", mem, "x", x)
    check_dtype("f", "mem", eval(re.search(r"such as (.*)\.", str(caught.value))[1]), "x", x)


def test_numbers_of_python_and_numpy_are_numbers():
    for one in (1, 1.0, np.float32(1), np.float64(1), np.int64(1)):
        check_numbers("f", above=0, high=1, one=one)
    check_whole("f", three=np.int64(3), high=3)
    for none in (True, "1", None, [1], np.ones(1), torch.ones(1), atan, 1j, np.bool_(True)):
        with pytest.raises(TypeError, match="f: a must be a number"):
            check_numbers("f", a=none)
    with pytest.raises(TypeError, match=r"Pass a.item\(\)"):
        check_numbers("f", a=torch.ones(()))
    for bad, words in ((math.nan, "got NaN"), (math.inf, "finite, got inf"), (-1, "at least 0, got -1")):
        with pytest.raises(ValueError, match=f"f: a must be .*{words}"):
            check_numbers("f", low=0 if bad == -1 else -math.inf, a=bad)
    for none in (0, 2.0, "3", True, None, torch.tensor(3), np.float64(3)):
        with pytest.raises(ValueError, match="f: steps must be a whole number of at least 1, got"):
            check_whole("f", steps=none)


@pytest.mark.parametrize("check", [check_positive, check_not_negative])
def test_a_number_or_a_tensor(check):
    for fine in (1, np.float32(1), torch.ones(3), torch.tensor(1)):
        check("f", a=fine)
    for none in ([1.0], np.ones(2), torch.ones(2) > 0, "1", None):
        with pytest.raises(TypeError, match="f: a must (be a number|hold numbers)"):
            check("f", a=none)
    for bad in (-1, math.nan, torch.tensor([1.0, math.nan]), torch.tensor([1.0, -1.0])):
        with pytest.raises(ValueError, match="f: a must"):
            check("f", a=bad)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_a_sum_that_is_too_large_is_not_an_infinite_value(dtype):
    check_finite("f", "x", torch.full((1000,), torch.finfo(dtype).max, dtype=dtype))
    check_finite("f", "x", torch.tensor([-math.inf], dtype=dtype), infinity=True)
    for bad in (math.nan, math.inf, -math.inf):
        x = torch.zeros(1000, dtype=dtype)
        x[7] = bad
        with pytest.raises(ValueError, match="f: x holds NaN or infinity"):
            check_finite("f", "x", x)
    with pytest.raises(ValueError, match=r"f: x holds NaN\. Look"):
        check_finite("f", "x", torch.tensor([math.inf, -math.inf, math.nan], dtype=dtype), infinity=True)


def test_functions_generators_flags_and_sizes():
    check_callable("f", "error", lambda out, t: out, "", takes=2)
    check_callable("f", "error", max, "", takes=2)                          # written in C, without a signature
    with pytest.raises(TypeError, match="f: error must be a function of 2 arguments, got .* Pass it"):
        check_callable("f", "error", lambda out: out, "Pass it.", takes=2)
    with pytest.raises(TypeError, match="f: error must be a function, got 3"):
        check_callable("f", "error", 3, "")
    for bad in (atan, zero, lambda u: 3, lambda u: u.sum(), "atan"):
        with pytest.raises(TypeError, match=r"f: h must .*call its factory, as in h=atan\(\)"):
            check_surrogate("f", bad, name="h")
    check_surrogate("f", atan())
    assert type(atan()).__name__ == "_Surrogate"                            # by which the check knows ours, untried
    check_generator("f", None)
    with pytest.raises(TypeError, match="f: generator must be a torch.Generator, such as") as caught:
        check_generator("f", 3)
    check_generator("f", eval(re.search(r"such as (.*), or None", str(caught.value))[1]))
    for fine in (True, False, 0, 1, np.bool_(True)):
        check_flags("f", a=fine)
    for bad in (None, "no", 2, 0.0, torch.tensor(True), np.ones(2), []):
        with pytest.raises(TypeError, match="f: a must be True or False, got"):
            check_flags("f", a=bad)
    check_affordable("f", "n", 1000, 1000)
    with pytest.raises(ValueError, match="f: n asks for a tensor of 1000000 x 1000000 numbers"):
        check_affordable("f", "n", 10**6, 10**6)
    with pytest.raises(TypeError, match="got a function that was not called"):
        check_tensor("f", "x", torch.rand, "[N]")


def test_a_decay_for_each_neuron_has_the_dtype_of_the_input():
    x = torch.ones(2, 4)
    for fine in (0.9, np.float32(0.9), torch.tensor(0.9), torch.tensor(0.9, dtype=torch.float64), torch.full((4,), 0.9)):
        check_beta("f", fine, x, (2, 4))
    with pytest.raises(TypeError, match=r"beta is torch.float64 and x is torch.float32.*beta.to\(torch.float32\)"):
        check_beta("f", torch.full((4,), 0.9, dtype=torch.float64), x, (2, 4))


def test_weights_are_whole_or_named():
    good = Weights(torch.ones(3, 2), torch.ones(3, 3), torch.ones(1, 3))
    check_weights("f", "one", good)
    for bad, error, words in (
            (None, TypeError, "one must be Weights.*got NoneType"), (tuple(good), TypeError, "got tuple"),
            (good._replace(hidden=[[1.0]]), TypeError,
             r"one.hidden must be a torch.Tensor \[H, I\], got list. Convert it with"),
            (good._replace(output=None), TypeError, "one.output must be a torch.Tensor"),
            (good._replace(recurrent=torch.ones(2, 2)), ValueError, r"one.recurrent must be \(3, 3\) to fit 3 hidden neurons"),
            (good._replace(output=torch.ones(1, 3).double()), TypeError, "one.output is torch.float64 and one.hidden is"),
            (good._replace(output=good.output / 0), ValueError, "one.output holds NaN or infinity")):
        with pytest.raises(error, match=f"f: {words}|f: .*{words}"):
            check_weights("f", "one", bad)


def test_no_check_is_there_that_nobody_uses():
    import pathlib
    folder = pathlib.Path(_arguments.__file__).parent
    others = "".join(path.read_text() for path in folder.glob("*.py"))
    idle = [name for name in vars(_arguments) if name.startswith("check_") and others.count(f"{name}(") < 2]
    assert not idle
