"""Guesses: a question with choices; the reader commits by a click, and only then is told what is so, and why."""
import functools
import re
import string

import mistune
from ipywidgets import Button, HBox, HTMLMath, VBox

from ..plots.style import enlarged
from . import lookup, store

_DISPLAYED = re.compile(r"\s*\$\$\s*(.+?)\s*\$\$\s*", re.DOTALL)
LETTERS, WIDTH = string.ascii_uppercase, {"max_width": "46em"}

MARKS = {                                                # by whether a choice was taken, and whether it is right
    (True, True): (" **✓ yours, and right**", "success"), (True, False): (" **✗ yours**", "danger"),
    (False, True): (" **✓ right**", "success"), (False, False): ("", ""),
}


@functools.cache
def _markdown():
    return mistune.create_markdown(plugins=["math"])


def rendered(text):
    """Markdown with $math$ as HTML whose formulas every page of the course draws."""
    apart = _DISPLAYED.sub(r"\n\n$$\n\1\n$$\n\n", text)            # old versions of mistune find only what stands so
    return _markdown()(apart).strip()


def in_line(text):
    """One paragraph of Markdown as HTML, without what sets it apart."""
    return rendered(text).removeprefix("<p>").removesuffix("</p>")


def asked(guess):
    """The question and its choices, as HTML; pages drop the style of a list, so the letters stand in it."""
    choices = "".join(f"<li>{letter}: {in_line(choice)}</li>" for letter, choice in zip(LETTERS, guess.choices, strict=False))
    return f"{rendered(guess.question)}<ul>{choices}</ul>"


def verdict(guess):
    """What is so, in Markdown."""
    return f"The answer is “{guess.right}”."


def explained(guess):
    """The explanation and, where there are any, the explorer's settings that show it, in Markdown."""
    controls = lookup.explorer(guess.explorer).controls if guess.settings else {}
    there = ", ".join(controls[name].said(value) for name, value in guess.settings.items())
    return f"{guess.explanation}\n\nIn the explorer: {there}." if there else guess.explanation


class Asked(VBox):
    """The question with one button a choice. The first click commits; later ones, and those of a hall, are not kept."""

    def __init__(self, name, guess, hall):
        self.name, self.guess, self.hall = name, guess, hall
        self.buttons = [Button(description=letter, tooltip=choice, layout={"width": "3em"})
                        for letter, choice in zip(LETTERS, guess.choices, strict=False)]
        self.words = [HTMLMath(layout=WIDTH) for _ in guess.choices]
        self.answer, self.again = HTMLMath(layout=WIDTH), Button(description="Guess again", layout={"width": "max-content"})
        for button, choice in zip(self.buttons, guess.choices, strict=True):
            button.on_click(lambda _, choice=choice: self._commit(choice))
        self.again.on_click(lambda _: self._ask())
        rows = [HBox(row, layout={"align_items": "center"}) for row in zip(self.buttons, self.words, strict=True)]
        super().__init__([HTMLMath(rendered(guess.question), layout=WIDTH), *rows, self.answer, self.again])
        first = None if hall else store.first_guess(name)
        self._tell(first, first) if first in guess.choices else self._ask()

    def _ask(self):
        for button, words, choice in self._rows():
            button.disabled, button.button_style, words.value = False, "", in_line(choice)
        self.answer.value, self.again.layout.display = "", "none"

    def _commit(self, choice):
        self._tell(choice, choice if self.hall else store.record_guess(self.name, choice))

    def _tell(self, said, first):
        for button, words, choice in self._rows():
            mark, style = MARKS[choice == said, choice == self.guess.right]
            button.disabled, button.button_style, words.value = True, style, in_line(choice + mark)
        right = "That is right." if said == self.guess.right else verdict(self.guess)
        counts = f" Your first guess, “{first}”, is the one that is kept." if said != first else ""
        who = "The hall" if self.hall else "You"
        self.answer.value = rendered(f"{who} said “{said}”. {right}{counts}\n\n{explained(self.guess)}")
        self.again.layout.display = None

    def _rows(self):
        return zip(self.buttons, self.words, self.guess.choices, strict=True)

    def __repr__(self):
        return "\n".join([f"Guess {self.name}: {self.guess.question}", *(f"- {choice}" for choice in self.guess.choices)])

    def _repr_mimebundle_(self, **options):
        answer = rendered(f"{verdict(self.guess)}\n\n{explained(self.guess)}")
        folded = f"{asked(self.guess)}<details><summary>The answer</summary>{answer}</details>"
        return {**super()._repr_mimebundle_(**options), "text/html": folded, "text/plain": repr(self)}


def guess(guess_id):
    """Ask a question of the notebook; a click on a choice commits, and then the answer appears."""
    return Asked(lookup.full(guess_id), lookup.guess(guess_id), hall=enlarged() > 1)
