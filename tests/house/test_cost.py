"""The cost of the proof: what the whole test command took, on a machine whose speed `unit.py` measured in the same hour."""
import inspect
import re

import pytest

from tests.benchmarks import unit


def test_the_whole_command_keeps_its_budget():
    row = unit.reference()
    if row is None:
        pytest.skip("no reference yet: python tests/benchmarks/unit.py --store SECONDS")
    assert tuple(row) == unit.COLUMNS and 5 <= float(row["unit_core_seconds"]) <= 20 and "/" not in row["machine"]
    assert 100 < float(row["whole_core_seconds"]) <= 45 * int(row["notebooks"]) + 120


def test_the_unit_stays_the_same_when_the_course_changes():
    assert not re.search(r"^\s*(from|import) (snnteach|tests)", inspect.getsource(unit), re.MULTILINE)
