"""Replace one or two arguments of documented calls by what users really pass, and say how each call ended.

The calls come from the examples in the docstrings, so a new function is tried without a line here. An answer is good, or a
TypeError or ValueError that begins with the function's name and names an argument; nothing else is, and no NaN may come out.

    python -m tests.reference.fuzz 20000 3 [module ...]       how many calls ended how, three examples of each bad kind
"""
import contextlib
import doctest
import importlib
import inspect
import io
import pkgutil
import random
import signal
import sys
import time
import warnings
from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np
import torch

import snnteach

try:
    import pandas
except ImportError:                                          # not among what the tests install: one kind less
    pandas = None

SLOW_SECONDS = 5


def modules():
    """The reference modules."""
    return [importlib.import_module(f"snnteach.{info.name}") for info in pkgutil.iter_modules(snnteach.__path__)
            if not info.ispkg and not info.name.startswith("_")]


def public(module):
    """The public functions and classes that a module defines, by name; tuples of names have nothing to check."""
    return {name: member for name, member in vars(module).items()
            if not name.startswith("_") and getattr(member, "__module__", None) == module.__name__
            and (inspect.isfunction(member) or (inspect.isclass(member) and not issubclass(member, tuple)))}


@dataclass
class Call:
    """A documented call: the function, its name and its arguments by name."""

    name: str
    function: object
    arguments: dict

    def run(self, arguments):
        """Call with these arguments."""
        positional, named = [], {}
        for name, parameter in inspect.signature(self.function).parameters.items():
            if name not in arguments:
                continue
            if parameter.kind is parameter.VAR_POSITIONAL:
                positional += arguments[name]
            elif parameter.kind is parameter.VAR_KEYWORD:
                named |= arguments[name]
            else:
                named[name] = arguments[name]
        if positional:                                       # what stands before *args has to go by position too
            return self.function(*positional, **named)
        return self.function(**named)


def documented_calls():
    """Return the calls that the examples in the docstrings make, a list of Call."""
    calls = []
    for module in modules():
        for name, member in public(module).items():
            for example in doctest.DocTestFinder(recurse=False).find(member, name):
                calls += _calls_in(example, module, name, member)
    return calls


def _calls_in(test, module, name, member):
    found, names = [], dict(vars(module))

    def spy(*args, **kwargs):
        with contextlib.suppress(TypeError):
            found.append(Call(name, member, inspect.signature(member).bind(*args, **kwargs).arguments))
        return member(*args, **kwargs)

    names[name] = spy
    with contextlib.redirect_stdout(io.StringIO()):
        for part in test.examples:
            exec(compile(part.source, name, "single"), names)
    return found[:3]


def variants(value, draw):
    """Name and make what may stand where `value` stood, or where a part of it stood."""
    if isinstance(value, (tuple, list)) and value and draw.random() < 0.7:
        place = draw.randrange(len(value))                   # one entry of a record, of a pair or of a list
        name, entry = variants(value[place], draw)
        entries = [*value[:place], entry, *value[place + 1:]]
        return f"{name} at {place}", type(value)(*entries) if hasattr(value, "_fields") else type(value)(entries)
    kinds = plain_kinds() | (kinds_of_tensor(value) if isinstance(value, torch.Tensor) else {})
    name = draw.choice(sorted(kinds))
    return name, kinds[name]


def plain_kinds():
    """What users pass by mistake, or because another library takes it."""
    kinds = {"None": None, "list": [0.5, 1.5], "tuple": (1, 2), "dict": {"a": 1}, "str": "text", "bool": True, "int": 3,
             "float": 0.25, "negative": -1.0, "NaN": float("nan"), "inf": float("inf"), "array": np.ones((3, 2)),
             "function": torch.nn.functional.relu, "uncalled": snnteach.surrogate.atan, "tensor": torch.rand(4, 3),
             "scalar tensor": torch.tensor(0.5), "huge": 10**12, "huge float": 1e30, "numpy float": np.float64(0.25),
             "numpy int": np.int64(3), "numpy single": np.float32(0.25), "empty list": [], "list of str": ["a", "b"]}
    return kinds | ({} if pandas is None else {"frame": pandas.DataFrame({"a": [0.5, 1.5], "b": [1.0, 2.0]})})


def kinds_of_tensor(value):
    """The same numbers in another type, rank, order or length, or with one that is none."""
    value = value.detach()
    kinds = {"bool tensor": value > 0, "int tensor": value.long(), "bytes": value.clamp(0, 255).to(torch.uint8),
             "one rank more": value[None], "flat": value.reshape(-1), "no axes": value.reshape(-1)[:1].sum(),
             "numpy": value.numpy(), "as list": value.tolist()}
    if value.dim() > 1:
        kinds["batch first"] = value.transpose(0, 1)
    if value.is_floating_point():
        kinds |= {"float64": value.double(), "half": value.half(), "NaN inside": _with(value, float("nan")),
                  "inf inside": _with(value, float("inf"))}
    for axis in range(value.dim()):
        kinds[f"axis {axis} longer"] = torch.cat([value, value.narrow(axis, 0, min(1, value.shape[axis]))], axis)
        kinds[f"axis {axis} empty"] = value.narrow(axis, 0, 0)
    return kinds


def _with(value, bad):
    changed = value.detach().clone()
    if changed.numel():
        changed.view(-1)[changed.numel() // 2] = bad
    return changed


class TooSlow(Exception):
    """A call that did not end in time."""


@contextlib.contextmanager
def limit(seconds):
    """Stop what runs in the block after so many seconds; where there are no alarms (Windows), say so when it ends."""
    def stop(*_):
        raise TooSlow

    start, alarms = time.perf_counter(), hasattr(signal, "SIGALRM")
    before = signal.signal(signal.SIGALRM, stop) if alarms else None
    if alarms:
        signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        if alarms:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
    if time.perf_counter() - start > seconds:
        raise TooSlow


def tensors(value):
    """All tensors in a result."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for entry in value:
            yield from tensors(entry)


def raised_inside(error, arguments, names):
    """Tell whether an error was raised in the body of a function, or of a network, that was passed by one of these names."""
    codes = set()
    for name in names:
        value = arguments[name]
        own = inspect.getmembers(type(value), inspect.isfunction) if isinstance(value, torch.nn.Module) else [(name, value)]
        codes |= {getattr(function, "__code__", None) for _, function in own}
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code not in codes:
        trace = trace.tb_next
    return trace is not None


def verdict(call, arguments, kinds):
    """Run a call with changed arguments; return ("answer" | "clean" | what is wrong, what was said).

    A function or a network that the caller passed speaks for itself: foreign functions as they like, ours in our words.
    """
    try:
        with limit(SLOW_SECONDS), warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            result = call.run(arguments)
    except TooSlow:
        return "slow", ""
    except (TypeError, ValueError) as error:
        said = str(error)
        owner = said.partition(":")[0].partition(" ")[0]
        foreign = [name for name, kind in kinds.items() if kind in ("function", "uncalled")]
        if raised_inside(error, arguments, foreign) or owner in NAMES and raised_inside(error, arguments, arguments):
            return "clean", said
        if owner != call.name:
            return ("another name" if owner in NAMES else "foreign words"), f"{type(error).__name__}: {said}"
        names = [name for name in inspect.signature(call.function).parameters if name in said]
        return ("clean" if names else "no argument named"), said
    except Exception as error:
        if raised_inside(error, arguments, [name for name, kind in kinds.items() if kind in ("function", "uncalled")]):
            return "clean", ""
        return "foreign words", f"{type(error).__name__}: {error}"
    if any(bool(out.isnan().any()) for out in tensors(result)):
        return "silent NaN", ""
    return "answer", ""


NAMES = {name for module in modules() for name in public(module)}


def campaign(count, seed, only=()):
    """Yield (call, {argument: kind}, verdict, what was said) of `count` calls with one or two arguments replaced.

    `only` names modules; all of them by default.
    """
    draw = random.Random(seed)
    calls = [call for call in documented_calls() if not only or call.function.__module__.rpartition(".")[2] in only]
    for number in range(count):
        call = calls[number % len(calls)]
        if not call.arguments:
            continue
        torch.manual_seed(number)
        changed = draw.sample(sorted(call.arguments), min(len(call.arguments), draw.choice((1, 1, 2))))
        drawn = {name: variants(call.arguments[name], draw) for name in changed}
        arguments = {name: value.detach().clone() if isinstance(value, torch.Tensor) else value
                     for name, value in call.arguments.items()} | {name: value for name, (_, value) in drawn.items()}
        kinds = {name: kind for name, (kind, _) in drawn.items()}
        yield call, kinds, *verdict(call, arguments, kinds)


def main():
    """Print how many calls ended how, and examples of the bad ones by function."""
    counts, bad, start = Counter(), defaultdict(list), time.perf_counter()
    for call, kinds, ended, said in campaign(int(sys.argv[1]), 0, sys.argv[3:]):
        counts[ended] += 1
        if ended not in ("answer", "clean"):
            bad[call.name].append((ended, kinds, said.split("\n")[0][:150]))
    for name, cases in sorted(bad.items(), key=lambda pair: -len(pair[1])):
        print(f"{name}: {len(cases)}")
        for case in cases[:int(sys.argv[2]) if len(sys.argv) > 2 else 3]:
            print("    ", *case)
    print(dict(counts), f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
