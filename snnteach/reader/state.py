"""What progress is: how two states join, how one becomes a file or a line of text, and what a damaged file still says."""
import base64
import binascii
import datetime
import hashlib
import json
import re
import zlib

PREFIX = "snn2:"
PREFIXES = (PREFIX, "snn1:")  # codes of before, which held no guesses, are still read
BEFORE = ("solved", "hints")  # all that a file of before holds; it has no checksum
CHECK_BYTES = 4
LARGEST_STATE = 1 << 20  # bytes that a restore code may unpack to
PIECES = {"solved": r'"([0-9]+\.[0-9]+)"\s*:\s*("[0-9-]{10}")',
          "hints": r'"([0-9]+\.[0-9]+)"\s*:\s*(0|[1-9][0-9]{0,8})',
          "guesses": r'"([0-9]+\.[a-z]+)"\s*:\s*("(?:[ !#-\[\]-~]|\\u[0-9a-f]{4}|\\["\\bfnrt])*")'}


def empty():
    """Return a state in which nothing has happened yet."""
    return {name: {} for name in FITTING}


def merged(state, other):
    """Both together: of two dates the earlier, of two counts the larger, of two first guesses the one in `state`."""
    dates, hints = dict(state["solved"]), dict(state["hints"])
    for exercise_id, date in other["solved"].items():
        dates[exercise_id] = min(date, dates.get(exercise_id, date))
    for exercise_id, count in other["hints"].items():
        hints[exercise_id] = max(count, hints.get(exercise_id, 0))
    guesses = {**other["guesses"], **state["guesses"]}
    return {**state, "solved": dates, "hints": hints, "guesses": guesses}  # a later version's further entries stay


def text(state):
    """Return what the file holds: JSON with a checksum of all the rest of it."""
    return _json({**state, "check": _checksum(state)})


def parsed(data):
    """Return the state in the bytes of a file and what is wrong with them, "" if nothing; what cannot be true is left out."""
    try:
        found = _loaded(data)
    except ValueError as error:
        return _pieces(data.decode(errors="replace")), str(error)
    check = found.pop("check", None)
    state, wrong = _sifted(found)
    if not wrong and (found.keys() - {*BEFORE} if check is None else check != _checksum(found)):
        wrong = "its checksum is not that of its content"
    return state, wrong


def encode(state):
    """Return the state as one line of text."""
    packed = zlib.compress(_json({name: state[name] for name in FITTING}).encode(), 9)
    check = hashlib.sha256(packed).digest()[:CHECK_BYTES]
    return PREFIX + base64.urlsafe_b64encode(check + packed).decode().rstrip("=")


def decode(code):
    """Return the state in a line of text, or raise TypeError or ValueError that says why it holds none."""
    if not isinstance(code, str):
        raise TypeError(f"progress: restore must be the text of progress().code, got {type(code).__name__}.")
    code = "".join(code.split())  # a mail may have wrapped the line
    if not code.startswith(PREFIXES):
        raise ValueError(f"progress: a restore code starts with {PREFIX!r}, got {code[:20]!r}.")
    body = code[len(PREFIX):]
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
        state, wrong = _sifted(_loaded(zlib.decompressobj().decompress(packed, LARGEST_STATE)))
    except (zlib.error, ValueError) as error:
        wrong = error
    if wrong:
        raise ValueError(f"progress: the restore code holds no progress ({wrong}).")
    return state


def _json(state):
    return json.dumps(state, sort_keys=True, separators=(",", ":"))


def _loaded(data):
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from None
    found = found if isinstance(found, dict) else {}
    needed = FITTING if {"check", "guesses"} & found.keys() else BEFORE
    if not all(isinstance(found.get(name), dict) for name in needed):
        raise ValueError(f"expected an object with the objects {', '.join(needed)}")
    return found


def _checksum(state):
    return hashlib.sha256(_json(state).encode()).hexdigest()[:2 * CHECK_BYTES]


def _sifted(found):
    """Return what of `found` can be true, and what is wrong with the rest ("" if nothing is)."""
    state, wrong = {**empty(), **found}, ""
    for name, (what, fits) in FITTING.items():
        for key, value in state[name].items():
            if not fits(value):
                wrong = f"{name} {key:.40} has {value!r:.40} where {what} belongs"
        state[name] = {key: value for key, value in state[name].items() if fits(value)}
    return state, wrong


def _pieces(text):
    """Return the entries that stand whole in the text of a file whose frame is broken."""
    return _sifted({name: {key: json.loads(value) for key, value in re.findall(pattern + r"\s*(?=[,}])", text)}
                    for name, pattern in PIECES.items()})[0]


def _is_date(value):
    try:
        return isinstance(value, str) and datetime.date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_count(value):
    return type(value) is int and value >= 0


def _is_choice(value):
    return isinstance(value, str)


FITTING = {"solved": ("a date", _is_date), "hints": ("a count", _is_count), "guesses": ("a choice", _is_choice)}
