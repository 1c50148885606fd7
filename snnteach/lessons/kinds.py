"""What a lesson is made of: exercises with the mistakes people make, guesses, questions, and explorers with their controls."""
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True)
class Misconception:
    """A wrong answer that people really give, and what to tell them."""

    answer: object
    reason: str


@dataclass(frozen=True)
class Exercise:
    """One exercise; `reference` is a value, or a function that is compared on `cases`, a tuple of argument tuples.

    In a build the reader writes the thing itself. `gradients` names the arguments whose gradients are compared too, or is True
    for all. What nothing else explains is met by `property`, a sentence on what the answer must be; `scales` names the counts
    by which a value can be too large or too small, such as {"steps": 25}.
    """

    id: str
    question: str
    difficulty: str
    minutes: int
    reference: object
    hints: tuple
    misconceptions: tuple
    cases: tuple = ()
    tolerance: float = 1e-6
    solution: str = ""
    build: bool = False
    gradients: tuple | bool = ()
    property: str = ""
    scales: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Guess:
    """A question to commit to before its answer is told; Markdown and $math$ in all its words, `right` is one of `choices`.

    `settings` of the controls of `explorer`, such as "neurons.lif", show the answer; `shown(data)` tells whether what the
    explorer computed gives it away.
    """

    question: str
    choices: tuple
    right: str
    explanation: str
    explorer: str | None = None
    settings: dict = field(default_factory=dict)
    shown: Callable | None = None


@dataclass(frozen=True)
class Question:
    """A question to talk about in a lecture, and what a good answer says; nothing judges it."""

    text: str
    answer: str


@dataclass(frozen=True)
class Control:
    """A slider: where it starts, its range and step, its name and unit as the reader sees them."""

    start: float
    low: float
    high: float
    step: float
    label: str
    unit: str = ""

    @property
    def corners(self):
        """The values that the tests try."""
        return self.low, self.start, self.high

    @property
    def whole(self):
        """Whether all its values are whole numbers."""
        return all(isinstance(value, int) for value in (self.start, self.low, self.high, self.step))

    @property
    def digits(self):
        """How many decimals its values need, as a format."""
        places = [-Decimal(str(value)).normalize().as_tuple().exponent for value in (self.start, self.low, self.step)]
        return f".{max(0, *places)}f"

    @property
    def name(self):
        """The label with the unit."""
        return _named(self)

    def said(self, value):
        """A value with the slider's name, as a sweep shows it."""
        return f"{self.name}: {format(value, self.digits)}"

    def swept(self, frames):
        """Return up to `frames` values from one end to the other, the start among them."""
        start, last = (round((value - self.low) / self.step) for value in (self.start, self.high))
        even = {round(step * last / (frames - 2)) for step in range(frames - 1)}
        return [type(self.start)(round(self.low + step * self.step, 9)) for step in sorted({*even, start})]


@dataclass(frozen=True)
class Choice:
    """A drop-down list of named options."""

    start: str
    options: tuple
    label: str
    unit: str = ""

    @property
    def corners(self):
        """The values that the tests try."""
        return tuple(self.options)

    @property
    def name(self):
        """The label with the unit."""
        return _named(self)

    def said(self, value):
        """An option with the list's name, as a sweep shows it."""
        return f"{self.name}: {value}"

    def swept(self, frames):
        """Return all options."""
        return list(self.options)


def _named(control):
    return f"{control.label} ({control.unit})" if control.unit else control.label


@dataclass(frozen=True)
class Explorer:
    """compute(**parameters) -> data, build(fig) -> {name: artist} once, update(artists, data) at every move.

    `sweeps` are what slides and the site move where no kernel runs: the name of a control, and where others stand meanwhile.
    """

    compute: Callable
    build: Callable
    update: Callable
    controls: dict
    alt: str
    sweeps: tuple                                   # of (name, {other: value})
    size: tuple = (6.4, 3.6)

    def start(self):
        """The parameters an explorer opens with."""
        return {name: control.start for name, control in self.controls.items()}


@dataclass(frozen=True)
class Page:
    """A live figure: the twin in `live.js` of an explorer, what it is given beside the controls, and what its picture shows."""

    title: str
    data: Callable                                  # () -> {name: what JSON can hold}
    still: dict = field(default_factory=dict)       # settings of the explorer, where they are not those it starts with


@dataclass(frozen=True)
class Quantity:
    """What a number of a study can be: its range and, where it is measured with a clock or a meter, how far it may stray.

    A measured number is never the same twice: a repetition may lie outside the stored band by the fraction `stray` of the
    largest stored value, and no digit of it is compared. All other numbers repeat to the last digit on the same processor.
    """

    low: float
    high: float
    stray: float | None = None


SHARE = Quantity(0, 1)                              # an accuracy, a probability, a part of a whole
COSINE = Quantity(-1, 1)
AMOUNT = Quantity(0, math.inf)                      # counts, errors, lengths
MEMORY = Quantity(0, math.inf, stray=0.5)
TIME = Quantity(0, math.inf, stray=9.0)             # a slow processor takes up to ten times as long
