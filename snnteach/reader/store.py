"""Which exercises are solved and how many hints were taken, kept where two notebooks at once lose nothing."""
import atexit
import base64
import binascii
import datetime
import hashlib
import html
import json
import os
import zlib
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from filelock import FileLock

from .._files import write_atomically
from ..lessons import syllabus

LOCK_SECONDS = 5
PREFIX = "snn1:"
CHECK_BYTES = 4
UNWRITABLE = (OSError, NotImplementedError)  # a lock's timeout is an OSError; NotImplementedError: no locks there
LARGEST_STATE = 1 << 20  # bytes that a restore code may unpack to

_unsaved = {}  # folder -> state that could not be written to it; it joins the file as soon as that can be written
_told = set()  # folders and files of whose trouble the reader knows


def record_solved(exercise_id):
    """Note that an exercise is solved; the date of the first time stays."""
    _change({"solved": {exercise_id: datetime.date.today().isoformat()}, "hints": {}})


def record_hint(exercise_id):
    """Note that one more hint was taken and return how many that makes."""
    return _change({"solved": {}, "hints": {}}, hint=exercise_id)["hints"][exercise_id]


def hints_taken(exercise_id):
    """Return how many hints of an exercise were taken."""
    return _load()["hints"].get(exercise_id, 0)


def solved():
    """Return the solved exercises, a dict from id to the ISO date of the first time."""
    return dict(sorted(_load()["solved"].items()))


def progress(restore=None):
    """Show what is solved, a table with one row a notebook.

    Args:
        restore: the code of another machine or session (`progress().code`); what it holds is added to what is here.

    Returns:
        A Progress, which a notebook shows as a table; its `code` is one line to carry over.

    Raises:
        TypeError, ValueError: restore is not such a code, or was not copied whole.
    """
    state = _load() if restore is None else _change(_decode(restore))
    return Progress(state, {row.number: row.exercises for row in syllabus()})


@dataclass(frozen=True)
class Progress:
    """Solved exercises and hints (`state`) against the number of exercises of each notebook (`totals`)."""

    state: dict
    totals: dict

    @property
    def code(self):
        """One line that holds everything; `progress(restore=...)` reads it on another machine."""
        return _encode(self.state)

    def rows(self):
        """Return (notebook, solved, total, hints) of every notebook, in order."""
        rows = []
        for notebook, total in self.totals.items():
            ids = [f"{notebook}.{number}" for number in range(1, total + 1)]
            rows.append((notebook, sum(name in self.state["solved"] for name in ids), total,
                         sum(self.state["hints"].get(name, 0) for name in ids)))
        return rows

    def _summary(self):
        solved, total, hints = (sum(row[column] for row in self.rows()) for column in (1, 2, 3))
        return f"{solved} of {total} exercises solved, {hints} {'hint' if hints == 1 else 'hints'} taken"

    def __repr__(self):
        lines = [f"Progress: {self._summary()}."]
        for notebook, solved, total, hints in self.rows():
            filled = 10 * solved // total
            lines.append(f"{notebook}  {'#' * filled}{'.' * (10 - filled)}  {solved}/{total}"
                         + (f"  hints {hints}" if hints else ""))
        return "\n".join([*lines, "To carry it over: progress().code, then progress(restore=...)."])

    def _repr_html_(self):
        rows = "".join(
            f"<tr><td>{html.escape(notebook)}</td>"
            f'<td><progress max="{total}" value="{solved}" aria-label="notebook {html.escape(notebook)}: '
            f'{solved} of {total} solved"></progress></td><td>{solved}/{total}</td><td>{hints or ""}</td></tr>'
            for notebook, solved, total, hints in self.rows())
        return (f"<table><caption>{self._summary()}. To carry it over: <code>progress().code</code></caption><thead><tr>"
                f"<th>notebook</th><th>progress</th><th>solved</th><th>hints</th></tr></thead><tbody>{rows}</tbody></table>")


def _empty():
    return {"solved": {}, "hints": {}}


def home():
    return Path(os.environ.get("SNNTEACH_HOME") or platformdirs.user_data_dir("snnteach", appauthor=False))


def _merged(state, other):
    """Both together: of two dates the earlier, of two counts the larger."""
    dates, hints = dict(state["solved"]), dict(state["hints"])
    for exercise_id, date in other["solved"].items():
        dates[exercise_id] = min(date, dates.get(exercise_id, date))
    for exercise_id, count in other["hints"].items():
        hints[exercise_id] = max(count, hints.get(exercise_id, 0))
    return {**state, "solved": dates, "hints": hints}  # a later version's further entries stay


def _load():
    folder = home()
    path = folder / "progress.json"
    state = _empty()
    if os.path.exists(path):
        try:
            with _lock(folder):  # Windows replaces no file that somebody reads
                state = _read_or_set_aside(path)
        except UNWRITABLE:
            state = _read_as_it_is(path)
    return _merged(state, _unsaved.get(folder, _empty()))


def _change(news, hint=None, folder=None):
    """Merge `news` into the file, count the hint and return the state; all under the lock, so that nothing is lost."""
    folder = folder or home()
    path = folder / "progress.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _lock(folder):
            for litter in folder.glob(".progress.json.*.tmp"):  # of a process that was killed: we hold the lock
                litter.unlink()
            state = _applied(_read_or_set_aside(path), folder, news, hint)
            write_atomically(path, _text(state))
            _unsaved.pop(folder, None)
            _told.discard(folder)
    except UNWRITABLE as error:
        _tell_once(folder, f"Progress cannot be saved in {folder} ({error}). It is kept until this session ends; "
                           "progress().code is one line to carry it over, and SNNTEACH_HOME names another folder.")
        state = _unsaved[folder] = _applied(_read_as_it_is(path), folder, news, hint)
    return state


@atexit.register
def _save_what_waits():
    """Try once more, at the end of the session, to save what could not be saved."""
    for folder in list(_unsaved):
        _change(_empty(), folder=folder)


def _applied(state, folder, news, hint):
    state = _merged(_merged(state, _unsaved.get(folder, _empty())), news)
    if hint is not None:
        state["hints"][hint] = state["hints"].get(hint, 0) + 1
    return state


def _read_or_set_aside(path):
    try:
        return _read(path)
    except FileNotFoundError:
        return _empty()
    except ValueError as error:
        aside = path.with_name(f"progress.damaged-{datetime.datetime.now():%Y-%m-%dT%H-%M-%S-%f}.json")
        os.replace(path, aside)
        print(f"The progress file is damaged ({error}). It was set aside as {aside}; a new one starts empty.")
        return _empty()


def _tell_once(path, text):
    if path not in _told:
        _told.add(path)
        print(text)


def _lock(folder):
    return FileLock(folder / "progress.lock", timeout=LOCK_SECONDS)


def _read_as_it_is(path):
    """Read without the lock, where nothing can be written and so nothing set aside."""
    try:
        return _read(path)
    except ValueError as error:
        _tell_once(path, f"The progress file {path} is damaged ({error}). It cannot be set aside and stays as it is.")
    except OSError:
        pass
    return _empty()


def _read(path):
    return _parsed(path.read_bytes())


def _text(state):
    return json.dumps(state, sort_keys=True, separators=(",", ":"))


def _parsed(data):
    """Return the state in JSON, or raise ValueError that says what is wrong."""
    try:
        state = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from None
    solved, hints = (state.get(name) if isinstance(state, dict) else None for name in ("solved", "hints"))
    if not isinstance(solved, dict) or not isinstance(hints, dict):
        raise ValueError("expected an object with the objects solved and hints")
    for exercise_id, date in solved.items():
        if not isinstance(date, str) or not _is_date(date):
            raise ValueError(f"solved {exercise_id} has {date!r} where a date belongs")
    for exercise_id, count in hints.items():
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            raise ValueError(f"hints {exercise_id} has {count!r} where a count belongs")
    return state


def _is_date(text):
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _encode(state):
    packed = zlib.compress(_text({name: state[name] for name in ("solved", "hints")}).encode(), 9)
    check = hashlib.sha256(packed).digest()[:CHECK_BYTES]
    return PREFIX + base64.urlsafe_b64encode(check + packed).decode().rstrip("=")


def _decode(code):
    if not isinstance(code, str):
        raise TypeError(f"progress: restore must be the text of progress().code, got {type(code).__name__}.")
    code = "".join(code.split())  # a mail may have wrapped the line
    if not code.startswith(PREFIX):
        raise ValueError(f"progress: a restore code starts with {PREFIX!r}, got {code[:20]!r}.")
    body = code.removeprefix(PREFIX)
    try:
        data = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("progress: the restore code holds characters that do not belong there, or lacks some; "
                         "copy the whole line of progress().code.") from None
    check, packed = data[:CHECK_BYTES], data[CHECK_BYTES:]
    if hashlib.sha256(packed).digest()[:CHECK_BYTES] != check:
        raise ValueError("progress: the checksum of the restore code is wrong, so a part is missing or changed; "
                         "copy the whole line of progress().code.")
    try:
        return _parsed(zlib.decompressobj().decompress(packed, LARGEST_STATE))
    except (zlib.error, ValueError) as error:
        raise ValueError(f"progress: the restore code holds no progress ({error}).") from None
