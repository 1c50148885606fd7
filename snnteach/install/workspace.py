"""Working copies: `work/` holds the reader's notebooks, and an update never writes over one that was edited.

A record in `work/` keeps a hash of what each copy was made from and of the newest version seen. Only the sources of the cells
count: running a notebook is not editing it.
"""
import hashlib
import json

from .._files import dated, write_atomically
from ..lessons import lesson
from .pins import ROOT
from .troubles import SetupError

TUTORIALS = ROOT / "tutorials"
WORK = ROOT / "work"


def source_hash(path):
    """Hash the sources of a notebook's cells, or all the bytes of a file that is not a readable notebook."""
    data = path.read_bytes()
    try:
        data = json.dumps([[cell["cell_type"], "".join(cell["source"])] for cell in json.loads(data)["cells"]]).encode()
    except (ValueError, KeyError, TypeError):
        pass
    return hashlib.sha256(data).hexdigest()[:16]


def find(name, folder=None):
    """Return the path of the course's notebook with this number ("1", "01"), topic or file name."""
    try:
        return (folder or TUTORIALS) / lesson(name).file
    except ValueError as trouble:
        raise SetupError(str(trouble)) from None


def update(tutorials=None, work=None, new_versions=True):
    """Bring the working copies up to date and return what was done, one line each.

    A missing copy is made. With `new_versions`, an unedited copy is replaced by a newer version, and beside an edited one the
    newer version is laid under a dated name, once; without, they are only counted.
    """
    tutorials, work = tutorials or TUTORIALS, work or WORK
    work.mkdir(exist_ok=True)
    record, changes, waiting = _read(work), [], 0
    for source in sorted(tutorials.glob("[0-9][0-9]_*.ipynb")):
        copy, new, known = work / source.name, source_hash(source), record.get(source.name, {})
        condition = _condition(copy, new, known)
        if condition in ("outdated", "edited") and not new_versions:
            waiting += 1
        elif condition != "current":
            target = dated(copy, "new") if condition == "edited" else copy
            if condition != "same":
                write_atomically(target, source.read_bytes())
                changes.append(_DONE[condition].format(copy=copy.name, target=target.name, work=work.name))
            record[source.name] = {"made": known.get("made") if condition == "edited" else new, "seen": new}
            _write(work, record)
    if waiting:
        changes.append(f"Newer versions are there: {waiting} of your notebooks. Fetch them with: python3 -m snnteach update")
    return changes


_DONE = {
    "missing": "{copy}: copied into {work}/",
    "outdated": "{copy}: replaced by the new version",
    "edited": "{copy}: you edited it, so the new version lies beside it as {target}",
}


def _condition(copy, new, known):
    """Return "missing", "current" (nothing newer), "same" (as the newer version), "outdated" or "edited"."""
    if not copy.exists():
        return "missing"
    if known.get("seen") == new:
        return "current"
    current = source_hash(copy)
    if current == new:
        return "same"
    return "outdated" if current == known.get("made") else "edited"


def reset(name, tutorials=None, work=None):
    """Restore one working copy; return its path and that of the dated copy kept, None if there was nothing to keep."""
    work = work or WORK
    source = find(name, tutorials)
    work.mkdir(exist_ok=True)
    copy, kept = work / source.name, None
    if copy.exists() and copy.read_bytes() != source.read_bytes():
        kept = dated(copy, "old")
        write_atomically(kept, copy.read_bytes())
    write_atomically(copy, source.read_bytes())
    new = source_hash(source)
    _write(work, {**_read(work), source.name: {"made": new, "seen": new}})
    return copy, kept


def _read(work):
    try:
        return dict(json.loads((work / ".snnteach.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _write(work, record):
    write_atomically(work / ".snnteach.json", json.dumps(record, indent=1, sort_keys=True))


def update_command(options, rest):
    """Bring new versions of the notebooks into the working copies."""
    tell(update() or ["Nothing new: your notebooks are as new as the course."])
    return 0


def reset_command(options, rest):
    """Restore one notebook and keep a dated copy of the reader's."""
    target, kept = reset(options.name)
    print(f"{target.name} is as the course ships it." + (f" Yours is kept as {kept.name}." if kept else ""))
    return 0


def tell(changes):
    """Print what was done, one line each."""
    for change in changes:
        print(change)
