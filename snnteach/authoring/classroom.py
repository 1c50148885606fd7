"""What a class has solved, from the lines that `progress().code` gives each reader."""
import re
import sys
from pathlib import Path

from ..install.troubles import SetupError
from ..lessons import syllabus
from ..reader import state
from ..reader.lookup import exercises, guesses

_CODE = re.compile(rf"(?:{'|'.join(state.PREFIXES)})\S+")


def read(lines):
    """Return the states in lines that hold a code of `progress().code` each, and a sentence on each line that holds none."""
    states, troubles = [], []
    for number, line in enumerate(lines, 1):
        if line.strip():
            found = _CODE.search(line)
            try:
                states.append(state.decode(found[0] if found else line))
            except ValueError as error:
                troubles.append(f"line {number}: {str(error).removeprefix('progress: ')}")
    return states, troubles


def table(number, states):
    """Return, in Markdown, how many solved each exercise of a notebook and took hints, and the guesses; "" if nobody began."""
    tasks, asked = exercises(number), guesses(number)
    began = [found for found in states if any(found[name].keys() & {*tasks, *asked} for name in ("solved", "hints", "guesses"))]
    if not began:
        return ""
    lines = [f"## {number} · {len(began)} of {len(states)} began", "",
             "| exercise | minutes | solved | took hints | hints in all |", "|---|---|---|---|---|"]
    for name, task in tasks.items():
        hints = [found["hints"].get(name, 0) for found in began]
        solved = sum(name in found["solved"] for found in began)
        lines.append(f"| {name} | {task.minutes} | {solved} | {sum(count > 0 for count in hints)} | {sum(hints)} |")
    for name, guess in asked.items():
        choices = [found["guesses"][name] for found in began if name in found["guesses"]]
        lines += ["", f"**{name}** {guess.question}", ""] if choices else []
        lines += [f"- {choices.count(choice)} · {choice}{' (right)' * (choice == guess.right)}"
                  for choice in guess.choices if choices]
    return "\n".join(lines) + "\n"


def command(options, rest):
    """Print the tables of the notebooks that the class began."""
    try:
        text = sys.stdin.read() if options.file == "-" else Path(options.file).read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise SetupError(f"{options.file} cannot be read ({error}). Pass a file of text with a line of progress().code for "
                         "each reader.") from None
    states, troubles = read(text.splitlines())
    for trouble in troubles:
        print(trouble, file=sys.stderr)
    print("\n".join(filter(None, (table(row.number, states) for row in syllabus()))) or "Nobody has begun.")
    return 1 if troubles else 0
