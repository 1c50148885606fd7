"""The progress file: solved exercises, hints and first guesses, kept where two notebooks at once lose nothing."""
import atexit
import contextlib
import datetime
import functools
import glob
import html
import os
import zlib
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from .._files import write_atomically
from ..lessons import syllabus
from . import lookup
from .state import decode, empty, encode, merged, parsed, text

LOCK_SECONDS = 5
UNWRITABLE = (OSError, NotImplementedError)  # a lock's timeout is an OSError; NotImplementedError: no locks there

_unsaved = {}  # folder -> state that could not be written to it; it joins the file as soon as that can be written
_told = set()  # folders and files of whose trouble the reader knows
_held = set()  # files whose lock another one held for too long: waiting for it once is enough


def record_solved(exercise_id):
    """Note that an exercise is solved; the date of the first time stays."""
    _change({**empty(), "solved": {exercise_id: datetime.date.today().isoformat()}})


def record_hint(exercise_id):
    """Note that one more hint was taken and return how many that makes."""
    return _change(empty(), hint=exercise_id)["hints"][exercise_id]


def record_guess(guess_id, choice):
    """Note the text of the choice that was taken and return that of the first time, which stays."""
    return _change({**empty(), "guesses": {guess_id: choice}})["guesses"][guess_id]


def first_guess(guess_id):
    """Return the text of the choice that was taken first, None if there was none."""
    return _load()["guesses"].get(guess_id)


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
    state = _load() if restore is None else _change(decode(restore))
    return Progress(state, {row.number: row.asked for row in syllabus()}, _judged(state["guesses"]))


def _judged(guesses):
    """Return whether each first guess was right; one whose lesson no longer asks or cannot be read is left out."""
    judged = {}
    for name, choice in guesses.items():
        with contextlib.suppress(Exception):            # a broken lesson breaks no other
            judged[name] = choice == lookup.guess(name).right
    return judged


@dataclass(frozen=True)
class Progress:
    """Solved exercises, hints, first guesses (`state`), the exercises that each notebook asks, and which guesses were right."""

    state: dict
    asked: dict
    judged: dict

    @property
    def code(self):
        """One line that holds everything; `progress(restore=...)` reads it on another machine."""
        return encode(self.state)

    def rows(self):
        """Return (notebook, solved, total, hints) of every notebook, in order."""
        return [(notebook, sum(name in self.state["solved"] for name in ids), len(ids),
                 sum(self.state["hints"].get(name, 0) for name in ids)) for notebook, ids in self.asked.items()]

    def _summary(self):
        solved, total, hints = (sum(row[column] for row in self.rows()) for column in (1, 2, 3))
        guesses = f", {sum(self.judged.values())} of {len(self.judged)} first guesses right" if self.judged else ""
        return f"{solved} of {total} exercises solved, {hints} {'hint' if hints == 1 else 'hints'} taken{guesses}"

    def __repr__(self):
        lines = [f"Progress: {self._summary()}."]
        for notebook, solved, total, hints in self.rows():
            filled = 10 * solved // max(total, 1)  # a notebook may have no exercises
            lines.append(f"{notebook}  {'#' * filled}{'.' * (10 - filled)}  {solved}/{total}"
                         + (f"  hints {hints}" if hints else ""))
        return "\n".join([*lines, "To carry it over: progress().code, then progress(restore=...)."])

    def _repr_html_(self):
        rows = "".join(
            f"<tr><td>{html.escape(notebook)}</td>"
            f'<td><progress max="{max(total, 1)}" value="{solved}" aria-label="notebook {html.escape(notebook)}: '
            f'{solved} of {total} solved"></progress></td><td>{solved}/{total}</td><td>{hints or ""}</td></tr>'
            for notebook, solved, total, hints in self.rows())
        return (f"<table><caption>{self._summary()}. To carry it over: <code>progress().code</code></caption><thead><tr>"
                f"<th>notebook</th><th>progress</th><th>solved</th><th>hints</th></tr></thead><tbody>{rows}</tbody></table>")


def home():
    """Return the folder of the progress file: the one that SNNTEACH_HOME names, else one in the user's data folder.

    `~` is the user's home. A relative name counts from where the command of the course was given or, where none was, from
    where this process stood when it first asked: a notebook may change its folder later.
    """
    named = os.environ.get("SNNTEACH_HOME")
    return _absolute(named) if named else Path(platformdirs.user_data_dir("snnteach", appauthor=False))


@functools.cache
def _absolute(named):
    return Path(os.path.abspath(os.path.expanduser(named)))


def _file(folder):
    """Return the file to read and to replace: where progress.json is a symbolic link, what it leads to."""
    path = folder / "progress.json"
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def _load():
    folder, state = home(), empty()
    try:
        path = _file(folder)
        if path.exists():
            with _lock(path):  # Windows replaces no file that somebody reads
                state = _read_and_mend(path)
    except UNWRITABLE:
        state = _read_as_it_is(folder)
    return merged(state, _unsaved.get(folder, empty()))


def _change(news, hint=None, folder=None):
    """Merge `news` into the file, count the hint and return the state; all under the lock, so that nothing is lost."""
    folder = folder or home()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = _file(folder)
        with _lock(path):
            for litter in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):  # of a killed process: we hold the lock
                litter.unlink()
            state = _applied(_read_and_mend(path), folder, news, hint)
            write_atomically(path, text(state))
            _unsaved.pop(folder, None)
            _told.discard(folder)
    except UNWRITABLE as error:
        _tell_once(folder, f"Progress cannot be saved in {folder} ({error}). It is kept until this session ends; "
                           "progress().code is one line to carry it over, and SNNTEACH_HOME names another folder.")
        state = _unsaved[folder] = _applied(_read_as_it_is(folder), folder, news, hint)
    return state


@atexit.register
def _save_what_waits():
    """Try once more, at the end of the session, to save what could not be saved."""
    for folder in list(_unsaved):
        _change(empty(), folder=folder)


def _applied(state, folder, news, hint):
    state = merged(merged(state, _unsaved.get(folder, empty())), news)
    if hint is not None:
        state["hints"][hint] = state["hints"].get(hint, 0) + 1
    return state


def _lock(path):
    """Hold the lock of a file; wait for it once, and not again before somebody has let it go."""
    try:
        lock = FileLock(path.with_suffix(".lock"), timeout=0 if path in _held else LOCK_SECONDS).acquire()
    except Timeout:
        _held.add(path)
        raise
    _held.discard(path)
    return lock


def _read_and_mend(path):
    """Read under the lock; set a copy of a damaged file aside and go on with what can be read of it."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return empty()
    state, trouble = parsed(data)
    if trouble:
        aside = path.with_name(f"{path.stem}.damaged-{datetime.date.today()}-{zlib.crc32(data):08x}.json")
        write_atomically(aside, data)
        write_atomically(path, text(state))
        print(f"The progress file is damaged ({trouble}). It was set aside as {aside}; {_kept(state)}")
    return state


def _kept(state):
    counts = ", ".join(f"{name}: {len(state[name])}" for name in empty())
    return f"what could be read of it counts on ({counts})."


def _read_as_it_is(folder):
    """Read without the lock, where nothing can be written and so nothing set aside."""
    try:
        path = _file(folder)
        state, trouble = parsed(path.read_bytes())
    except OSError:
        return empty()
    if trouble:
        _tell_once(path, f"The progress file {path} is damaged ({trouble}). It cannot be set aside and stays as it is; "
                         f"{_kept(state)}")
    return state


def _tell_once(path, message):
    if path not in _told:
        _told.add(path)
        print(message)
