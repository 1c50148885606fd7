"""Runs that take longer than a reader waits: `run` writes their results beside the code, `confirm` keeps those that are right.

A study is the file `study.py` of a lesson, with its results in `study.csv` beside it. It has
    SEEDS       the seeds of every run
    ROWS        {setting: function(seed) -> a number, or a dict {quantity: number}, stored as "setting: quantity"}
    QUANTITIES  {pattern of stored names: Quantity}, of which the first that matches counts
    TOLERANCE   how far outside the stored band a repetition may lie, as a fraction of the largest stored value
"""
import datetime
import os
import platform
import time

from ..install.troubles import SetupError
from ..lessons import lesson, syllabus
from ..reader import results
from ..reader.lookup import part
from . import study_table
from .study_code import codes

MINUTE = 60.0                                       # seconds of repeated runs, as they are stored


def topics():
    """Return the topics of all studies, in the order of the course."""
    return [row.topic for row in syllabus() if (results.FOLDER / row.topic / "study.py").exists()]


def study(name):
    """Import a study by its topic ("training"), its notebook ("09_training") or the notebook's number ("9", "09")."""
    topic = lesson(name).topic
    if topic not in topics():
        raise ValueError(f"studies: there is no study {name!r}; there are {', '.join(topics())}.")
    return part(topic, "study")


def run(topic, settings=None):
    """Run a study and write its table, which is replaced in one step after the last run.

    What an interrupted call has finished lies beside the table, in study.csv.unfinished; the next call goes on from there.

    Args:
        topic: name of the topic, such as "training".
        settings: those to run; the other rows of the table stay. All settings by default.

    Raises:
        ValueError: the topic has no study, or the study has no such setting.
    """
    from tqdm import tqdm

    module, path = study(topic), results.path(topic)
    code, unfinished = codes(module.ROWS), path.with_suffix(".csv.unfinished")
    settings = list(code) if settings is None else settings
    if unknown := [setting for setting in settings if setting not in code]:
        raise ValueError(f"studies: {topic} has no setting {', '.join(map(repr, unknown))}; it has {', '.join(code)}.")
    done = _finished(unfinished, settings, code)
    with tqdm(total=len(settings) * len(module.SEEDS), initial=len(done), desc=topic) as bar:
        for setting, seed in [(setting, str(seed)) for setting in settings for seed in module.SEEDS]:
            if (setting, seed) not in done:
                bar.set_postfix_str(setting)
                done[setting, seed] = _measure(module, setting, seed, code[setting].fingerprint)
                study_table.write(unfinished, sum(done.values(), []))
                bar.update()
    kept = [row for row in results.rows(topic) if results.setting(row) in code and results.setting(row) not in settings]
    order = list(code)
    study_table.write(path, sorted(sum(done.values(), kept), key=lambda row: order.index(results.setting(row))))
    unfinished.unlink(missing_ok=True)


def _finished(path, settings, code):
    """What an interrupted call left, {(setting, seed): rows}, as far as this machine would make it again by today's code."""
    return {(setting, seed): rows for (setting, seed), rows in study_table.runs(results.read(path)).items()
            if setting in settings and study_table.unchanged(rows)
            and rows[0]["code_hash"] == code[setting].fingerprint and rows[0]["versions"] == _versions()}


def _versions():
    import torch

    return f"Python {platform.python_version()} torch {torch.__version__} {torch.backends.cpu.get_cpu_capability()}"


def _measure(module, setting, seed, code_hash):
    """Run one setting with one seed, on one thread; return its rows."""
    import torch

    threads, start = torch.get_num_threads(), time.perf_counter()
    torch.set_num_threads(1)
    try:
        values = named(setting, module.ROWS[setting](int(seed)))
    finally:
        torch.set_num_threads(threads)
    seconds = f"{time.perf_counter() - start:.2f}"
    return [{"setting": name, "seed": seed, "value": f"{value:.6g}", "seconds": seconds, "versions": _versions(),
             "code_hash": code_hash, "confirmed": ""} for name, value in values.items()]


def named(setting, result):
    """Name what a row returned as it is stored: {"setting": number}, or {"setting: quantity": number}."""
    return {f"{setting}: {name}": value for name, value in result.items()} if isinstance(result, dict) else {setting: result}


def stale(topic):
    """Return the settings of which a run is missing, or older than the code it comes from."""
    module = study(topic)
    stored = {run: rows[0]["code_hash"] for run, rows in study_table.runs(results.rows(topic)).items()}
    return [setting for setting, code in codes(module.ROWS).items()
            if any(stored.get((setting, str(seed))) != code.fingerprint for seed in module.SEEDS)]


def flaws(topic):
    """Say what is wrong with a stored table, a list of sentences."""
    number = lesson(topic).number
    cure = f"Run python -m snnteach study {number} --stale; if no number should have moved, study {number} --confirm."
    found = [f"{setting}: older than the code it comes from. {cure}" for setting in stale(topic)]
    return found + study_table.flaws(study(topic), results.rows(topic))


def confirm(topic, say=print):
    """Repeat some runs of the rows that are older than their code; where no digit has moved, stamp all of these rows.

    The runs are the cheapest that together call every function of which those rows are made, and as many more as fit into a
    minute. Quantities that are measured with a clock or a meter must lie in their stored band. The column `confirmed` says
    when, and which runs were repeated. Rows that name another instruction set are left for another call.

    Returns:
        Whether the table now is as new as the code. If not, `say` got the reasons; where a digit moved, nothing was written.
    """
    module, rows = study(topic), results.rows(topic)
    code, old = codes(module.ROWS), set(stale(topic))
    if wrong := study_table.flaws(module, rows):
        say(f"{topic}: not confirmed. {'; '.join(wrong)}. Run: python -m snnteach study {lesson(topic).number}")
        return False
    stored = {run: rows for run, rows in study_table.runs(rows).items() if run[0] in old}
    others = _made_otherwise(topic, stored, say)
    stored, old = {run: rows for run, rows in stored.items() if run[0] not in others}, old - others
    repeated, moved = _to_repeat(stored, code), []
    for setting, seed in repeated:
        say(f"{topic}: {setting}, seed {seed} ...")
        moved += _moved(module, rows, _measure(module, setting, seed, code[setting].fingerprint))
    if moved:
        made = ", ".join(sorted({row["versions"] for row in rows}))
        say("\n".join([f"{topic}: not confirmed, nothing was written.", *moved,
                       f"The table was made by {made}; this is {_versions()}. Another torch or processor moves digits too "
                       "(the variable ATEN_CPU_CAPABILITY, avx2 or avx512, chooses the instructions that torch uses).",
                       f"Run: python -m snnteach study {lesson(topic).number}"]))
        return False
    today = datetime.date.today().isoformat()
    for (setting, seed), run_rows in stored.items():
        for row in run_rows:
            row |= {"code_hash": code[setting].fingerprint, "confirmed": today}
            if (setting, seed) in repeated:
                row |= {"versions": _versions(), "confirmed": f"{today} repeated"}
    if stored:
        study_table.write(results.path(topic), rows)
    say(f"{topic}: {len(old)} settings were older than their code; {len(repeated)} runs were repeated, no digit moved.")
    return not others


def _made_otherwise(topic, stored, say):
    """Return the settings of another instruction set than this process's, and say how to confirm them."""
    this = _instructions(_versions())
    made = {run[0]: _instructions(rows[0]["versions"]) for run, rows in stored.items()}
    others = {setting: name for setting, name in made.items() if name not in ("", this)}
    if others:
        say(f"{topic}: {len(others)} settings were made with {' and '.join(sorted(set(others.values())))}, which rounds in "
            f"another order. Confirm these with ATEN_CPU_CAPABILITY={min(others.values()).lower()}.")
    return set(others)


def _instructions(versions):
    """The instruction set that a row names after its versions, such as AVX2; empty in rows that name none."""
    return "".join(versions.split()[4:])


def _to_repeat(stored, code):
    """Choose the cheapest runs that call every function of the rows; then, for a minute, one of each setting, then any."""
    cost, covered, chosen = {run: float(rows[0]["seconds"]) for run, rows in stored.items()}, set(), []
    for run in sorted(cost, key=cost.get):
        if not code[run[0]].made_of <= covered:
            chosen.append(run)
            covered |= code[run[0]].made_of
    first = {}
    for run in [*chosen, *sorted(cost, key=cost.get)]:
        first.setdefault(run[0], run)
    for run in sorted(cost.keys() - set(chosen), key=lambda run: (first[run[0]] != run, cost[run], run)):
        if sum(cost[other] for other in chosen) + cost[run] <= MINUTE:
            chosen.append(run)
    return chosen


def _moved(module, rows, again):
    """Say which numbers of a repeated run are not those that are stored."""
    run = results.setting(again[0]), again[0]["seed"]
    now = {row["setting"]: row["value"] for row in again}
    before = {row["setting"]: row["value"] for row in study_table.runs(rows)[run]}
    for name in sorted(now.keys() | before.keys()):
        new, old = now.get(name), before.get(name)
        band = [float(row["value"]) for row in rows if row["setting"] == name]
        strays = None not in (new, old) and study_table.quantity(module, name).stray is not None
        if new != old and not (strays and study_table.in_band(module, name, float(new), band)):
            yield f"{name}, seed {run[1]}: {new} now, {old} stored"


def command(options, rest):
    """Repeat the long runs of some or all notebooks, all or those older than their code, or confirm that no number moved."""
    try:
        chosen = [lesson(study(name).__name__.split(".")[-2]).topic for name in options.names] or topics()
    except ValueError as trouble:
        raise SetupError(str(trouble)) from None
    versions = " ".join(row["versions"] for topic in chosen for row in results.rows(topic))
    if platform.machine().lower() in ("x86_64", "amd64") and "AVX512" not in versions:
        os.environ.setdefault("ATEN_CPU_CAPABILITY", "avx2")  # every processor has it, and AVX-512 rounds in another order
    if options.confirm:
        return 0 if all([confirm(topic) for topic in chosen]) else 1
    for topic in chosen:
        run(topic, stale(topic) if options.stale else None)
    return 0
