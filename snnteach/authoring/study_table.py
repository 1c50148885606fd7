"""The table of a study: how it is written, and what can be wrong with it, whatever code made it.

A run is one setting with one seed; it has a row for each of its quantities. The digest of a run covers all that is stored of
it, so that a number changed by hand shows.
"""
import csv
import hashlib
import io
import json
from fnmatch import fnmatchcase

from .._files import write_atomically
from ..reader.results import setting

COLUMNS = ("setting", "seed", "value", "seconds", "versions", "code_hash", "confirmed", "digest")


def runs(rows):
    """Group the rows of a table by run: {(setting, seed): rows}."""
    found = {}
    for row in rows:
        found.setdefault((setting(row), row["seed"]), []).append(row)
    return found


def digest(rows):
    """Fingerprint what is stored of one run, 16 hexadecimal digits."""
    stored = [[row.get(name) or "" for name in COLUMNS if name != "digest"] for row in rows]
    return hashlib.sha256(json.dumps(stored).encode()).hexdigest()[:16]


def unchanged(rows):
    """Whether the rows of one run are as they were written."""
    return all(row.get("digest") == digest(rows) for row in rows)


def write(path, rows):
    """Write a table in one step, each run with its digest."""
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    for run in runs(rows).values():
        table.writerows({**row, "digest": digest(run)} for row in run)
    write_atomically(path, text.getvalue())


def quantity(module, name):
    """Return the Quantity of a stored name such as "price 0: spikes": the first pattern of the study that matches."""
    for pattern, kind in module.QUANTITIES.items():
        if fnmatchcase(name, pattern):
            return kind
    raise ValueError(f"studies: no pattern in QUANTITIES of {module.__name__} matches {name!r}.")


def in_band(module, name, value, stored):
    """Whether a repetition lies within the band of the stored values of all seeds, give or take what the study allows."""
    stored, stray = list(stored), quantity(module, name).stray
    margin = (module.TOLERANCE if stray is None else stray) * max(map(abs, stored))
    return value in stored or min(stored) - margin <= value <= max(stored) + margin      # infinite losses have no margin


def flaws(module, rows):
    """Say what is wrong with a table, a list of sentences: runs that are missing or unknown, changed or impossible numbers."""
    found, there = [], runs(rows)
    wanted = {(name, str(seed)) for name in module.ROWS for seed in module.SEEDS}
    found += [f"{name}, seed {seed}: not stored" for name, seed in sorted(wanted - there.keys())]
    found += [f"{name}, seed {seed}: the study has no such run" for name, seed in sorted(there.keys() - wanted)]
    found += [f"{name}, seed {seed}: not as the study wrote it" for (name, seed), run in there.items() if not unchanged(run)]
    for row in rows:
        if trouble := _impossible(row["value"], quantity(module, row["setting"])):
            found.append(f"{row['setting']}, seed {row['seed']}: {row['value']} {trouble}")
    return found


def _impossible(text, kind):
    try:
        possible = kind.low <= float(text) <= kind.high
    except ValueError:
        return "is not a number"
    return None if possible else f"does not lie between {kind.low:g} and {kind.high:g}"
