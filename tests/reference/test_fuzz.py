"""What users really pass to any documented call is answered, or refused in our words: 500 calls, 20,000 under --full."""
import os
import time
from collections import Counter

import pytest
import torch

from tests.reference.fuzz import Call, campaign, documented_calls, modules, public, verdict

CALLS = 20_000 if os.environ.get("SNNTEACH_FULL") else 500


def test_every_documented_call_answers_or_refuses_in_our_words():
    """No error in another's words or with another function's name, no silent NaN, nothing over five seconds."""
    endings, reached, bad = Counter(), set(), []
    for call, kinds, ended, said in campaign(CALLS, seed=0):
        endings[ended] += 1
        reached.add(call.function.__module__)
        if ended not in ("answer", "clean"):
            bad.append(f"{call.name} {kinds}: {ended} {said}")
    assert not bad, "\n".join(bad)
    assert reached == {module.__name__ for module in modules()} and endings.total() > 0.9 * CALLS
    assert endings["clean"] > endings["answer"] > 0.02 * CALLS, endings


def test_every_public_function_is_among_the_calls():
    assert {name for module in modules() for name in public(module)} == {call.name for call in documented_calls()}


def refuses(words, kind=ValueError):
    def function(x, more=None):
        raise kind(words)

    return function


@pytest.mark.parametrize(("function", "ended"), [
    (lambda x: x, "answer"), (lambda x: x / x.sum() * 0, "answer"), (lambda x: x * float("nan"), "silent NaN"),
    (lambda x: [(x, x * float("nan"))], "silent NaN"), (lambda x: x @ torch.ones(7), "foreign words"),
    (lambda x: x.nothing, "foreign words"), (refuses("bad x"), "foreign words"), (refuses("known: x is bad"), "clean"),
    (refuses("known: x is bad", TypeError), "clean"), (refuses("known: x is bad", RuntimeError), "foreign words"),
    (refuses("lif: x is bad"), "another name"), (refuses("known: it is bad"), "no argument named")])
def test_the_fuzzer_finds_what_is_bad(function, ended):
    call = Call("known", function, {"x": torch.ones(3)})
    assert verdict(call, call.arguments, {"x": "tensor"})[0] == ended


def test_the_fuzzer_stops_what_takes_too_long(monkeypatch):
    monkeypatch.setattr("tests.reference.fuzz.SLOW_SECONDS", 0.05)
    call = Call("known", lambda x: time.sleep(0.2), {"x": 1})
    assert verdict(call, call.arguments, {"x": "int"}) == ("slow", "")


def test_a_function_that_the_caller_passed_speaks_for_itself():
    call = Call("known", lambda x: x(torch.ones(2)), {"x": torch.ones(3)})
    arguments = {"x": lambda value: value.nothing}
    assert verdict(call, arguments, {"x": "function"})[0] == "clean"
    assert verdict(call, {"x": 3}, {"x": "int"})[0] == "foreign words"
