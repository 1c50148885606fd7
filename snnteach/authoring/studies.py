"""Runs that take longer than a reader waits: `run` writes their results beside the code.

A study is the file `study.py` of a lesson, with its results in `study.csv` beside it. It has
    SEEDS      the seeds of every run
    ROWS       {setting: function(seed) -> a number, or a dict {quantity: number}, stored as "setting: quantity"}
    TOLERANCE  how far outside the stored band a repetition may lie, as a fraction of the value
"""
import ast
import csv
import hashlib
import os
import platform
import time
from pathlib import Path

from ..install.troubles import SetupError
from ..lessons import lesson, syllabus
from ..reader import results
from ..reader.lookup import part

PACKAGE = Path(__file__).parents[1]
COLUMNS = ("setting", "seed", "value", "seconds", "versions", "code_hash")
NO_NUMBERS = {"_arguments"}             # modules that only check: they change no result, so their code is not hashed


def topics():
    """Return the topics of all studies, in the order of the course."""
    return [row.topic for row in syllabus() if (results.FOLDER / row.topic / "study.py").exists()]


def study(name):
    """Import a study by its topic ("training"), its notebook ("09_training") or the notebook's number ("9", "09")."""
    topic = lesson(name).topic
    if topic not in topics():
        raise ValueError(f"studies: there is no study {name!r}; there are {', '.join(topics())}.")
    return part(topic, "study")


def run(names=(), only=None):
    """Run studies and write their tables; each table is replaced in one step, after its last run.

    Args:
        names: topics or numbers of notebooks, or one of them; all studies by default.
        only: settings to run again; the other rows of the table stay. All settings by default.

    Raises:
        ValueError: a name or a setting that no study has.
    """
    import torch

    names, threads = [names] if isinstance(names, str) else list(names), torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for module in [study(name) for name in names or topics()]:
            _run(module, module.ROWS if only is None else only)
    finally:
        torch.set_num_threads(threads)


def _run(module, settings):
    from tqdm import tqdm

    topic, order = module.__name__.split(".")[-2], list(module.ROWS)
    if unknown := [setting for setting in settings if setting not in order]:
        raise ValueError(f"studies: {topic} has no setting {', '.join(map(repr, unknown))}; it has {', '.join(order)}.")
    rows = [row for row in results.rows(topic) if _setting(row) in order and _setting(row) not in settings]
    code = code_hash(topic)
    with tqdm(total=len(settings) * len(module.SEEDS), desc=topic) as bar:
        for setting in settings:
            bar.set_postfix_str(setting)
            for seed in module.SEEDS:
                rows += _measure(setting, seed, module.ROWS[setting], code)
                bar.update()
    _write(topic, sorted(rows, key=lambda row: order.index(_setting(row))))


def _setting(row):
    return row["setting"].partition(": ")[0]


def _measure(setting, seed, function, code):
    import torch

    start = time.perf_counter()
    value = function(seed)
    seconds = time.perf_counter() - start
    named = {f"{setting}: {name}": number for name, number in value.items()} if isinstance(value, dict) else {setting: value}
    versions = f"Python {platform.python_version()} torch {torch.__version__}"
    return [dict(zip(COLUMNS, (name, seed, f"{number:.6g}", f"{seconds:.2f}", versions, code), strict=True))
            for name, number in named.items()]


def _write(topic, rows):
    path = results.path(topic)
    unfinished = path.with_suffix(".part")
    with unfinished.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    os.replace(unfinished, path)


def seconds(topic):
    """Read how long each run of a study took: {setting without its quantity: [seconds]}, one value a seed."""
    values = {}
    for row in results.rows(topic):
        values.setdefault(_setting(row), {})[row["seed"]] = float(row["seconds"])
    return {setting: list(runs.values()) for setting, runs in values.items()}


def stale(topic):
    """Compare the code that made the stored results with today's.

    Args:
        topic: name of the study, such as "training".

    Returns:
        None if they are the same, else a sentence that says what to run.
    """
    rows, code = results.rows(topic), code_hash(topic)
    old = sorted({_setting(row) for row in rows if row["code_hash"] != code})
    if rows and not old:
        return None
    return (f"{topic}.csv is older than the code it comes from ({', '.join(old) or 'no rows'}). "
            f"Run: python -m snnteach study {lesson(topic).number}")


def code_hash(topic):
    """Fingerprint the code of a study and of the snnteach modules it imports, whatever their comments and docstrings.

    Args:
        topic: name of the study, such as "training".

    Returns:
        64 hexadecimal digits, the same under every version of Python.
    """
    found, waiting = {}, [results.FOLDER / topic / "study.py"]
    while waiting:
        path = waiting.pop()
        if path not in found and path.stem not in NO_NUMBERS:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found[path] = _outline(tree)
            waiting += _imported(tree, path)
    lines = sorted(f"{path.relative_to(PACKAGE).as_posix()} {outline}" for path, outline in found.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _imported(tree, path):
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").split(".")[0] == PACKAGE.name):
            folder = path.parents[node.level - 1] if node.level else PACKAGE.parent
            modules = [node.module] if node.module else [alias.name for alias in node.names]
            for module in modules:
                target = folder / (module.replace(".", "/") + ".py")
                if target.exists() and target.is_relative_to(PACKAGE):
                    yield target


def _outline(node):
    """The syntax tree as text, without docstrings, positions and empty fields (which differ between Python versions)."""
    if isinstance(node, list):
        return "[" + ",".join(map(_outline, node)) + "]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = dict(ast.iter_fields(node))
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
        fields["body"] = node.body[1:]
    kept = (f"{name}={_outline(value)}" for name, value in fields.items() if value is not None and value != [])
    return type(node).__name__ + "(" + ",".join(kept) + ")"


def command(options, rest):
    """Repeat the long runs of some or all notebooks."""
    try:
        for name in options.names:
            study(name)
    except ValueError as trouble:
        raise SetupError(str(trouble)) from None
    run(options.names)
    return 0
