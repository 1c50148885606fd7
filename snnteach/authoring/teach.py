"""What a teacher wants beside a notebook: it with every exercise solved, its slides, and a guide to the answers that come."""
import inspect
from pathlib import Path

import nbformat

from ..lessons import lesson
from ..reader.guesses import explained
from ..reader.lookup import exercises, guesses, questions
from . import notebooks, slides

FOLDER = Path(__file__).parents[2] / "teach"


def teach(number, folder=FOLDER):
    """Write the solved, executed notebook, the slides and the guide of one notebook.

    Args:
        number: the notebook, such as "07".
        folder: where to write; each notebook has a folder of its own there, whose files are replaced.

    Returns:
        The paths written: the solved notebook, the guide and the page of the slides.

    Raises:
        SetupError: there is no such notebook, or something else than slides is in its folder `slides`.
    """
    (path,) = notebooks.paths([number])
    target = Path(folder) / path.stem
    target.mkdir(parents=True, exist_ok=True)
    notebook = notebooks.normalise(notebooks.run(notebooks.solved(notebooks.read(path))))
    solved, words = target / f"{path.stem}.solved.ipynb", target / "guide.md"
    nbformat.write(notebook, solved)
    words.write_text(guide(path.stem), encoding="utf-8")
    return solved, words, slides.write(path, target / "slides")


def guide(number):
    """Return the guide of one notebook in Markdown: exercises with answers, hints and mistakes, guesses, further questions."""
    parts = [f"# Teaching notebook {lesson(number).number}",
             "Each exercise with its answer, its hints in order, and the wrong answers that `check` recognises, with what it "
             "says to them. Then what the reader guesses: ask the hall before the slide that answers. At the end, questions "
             "to talk about. The lecture is in [slides/index.html](slides/index.html): S "
             "opens the speaker's notes."]
    parts += [_exercise(exercises(number)[name]) for name in lesson(number).asked]
    (path,) = notebooks.paths([number])
    sources = {cell.source for cell in notebooks.read(path).cells}
    parts += [_guess(name, guess) for name, guess in guesses(number).items() if f'guess("{name}")' in sources]
    parts += ["## Questions to talk about"]
    parts += [f"**{question.text}**\n\n{question.answer}" for question in questions(number)]
    return "\n\n".join(parts) + "\n"


def _exercise(exercise):
    lines = [f"## {exercise.id} · {exercise.difficulty}, {exercise.minutes} minutes", exercise.question, "**Answer**",
             _shown(exercise.reference)]
    lines += [exercise.solution] if exercise.solution else []
    lines += ["**Hints**", "\n".join(f"{place}. {hint}" for place, hint in enumerate(exercise.hints, 1)),
              "**Wrong answers and what the check says**"]
    for misconception in exercise.misconceptions:
        lines += [_shown(misconception.answer), f"> {misconception.reason}"]
    return "\n\n".join(lines)


def _guess(name, guess):
    choices = "\n".join(f"- {choice}" + (" (right)" if choice == guess.right else "") for choice in guess.choices)
    return "\n\n".join([f"## Guess {name}", guess.question, choices, explained(guess)])


def _shown(answer):
    """An answer as code: the source of a function, or the value."""
    return f"```python\n{inspect.getsource(answer).rstrip()}\n```" if inspect.isfunction(answer) else f"`{answer!r}`"


def command(options, rest):
    """Write the teacher's view of some or all notebooks."""
    for path in notebooks.paths(options.names):
        for written in teach(path.stem):
            print(written.relative_to(FOLDER.parent))
    return 0
