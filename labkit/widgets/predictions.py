"""Predictions: what the reader believes before something runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from .. import journal
from ..errors import UsageError
from ..journal import relative_error
from ..trace import Trace
from .controls import fits
from .live import bundle

if TYPE_CHECKING:
    import ipywidgets

SPOT_ON = 0.05
"""A guess this close, relative to the truth, counts as right."""


@runtime_checkable
class Run(Protocol):
    """What has a trace to show, such as a board."""

    trace: Trace


@dataclass(frozen=True)
class Compared:
    """A guess beside the truth, in one line.

    Attributes:
        told: The guess, the truth, and how far off.
    """

    told: str

    def __repr__(self) -> str:
        return self.told


class Prediction:
    """A guess, taken before the truth is known; made by `predict`.

    Attributes:
        question: What is guessed.
        unit: What the guess is counted in.
    """

    def __init__(
        self, question: str, low: float, high: float, start: float, step: float, unit: str
    ) -> None:
        self.question = question
        self.unit = unit
        self._range = (low, high, step)
        self._value = float(start)
        self._moved = False
        self._compared = False

    @property
    def value(self) -> float:
        """The guess as it stands."""
        return self._value

    def __repr__(self) -> str:
        return f"{self.question}\nYour guess: {self.value:g} {self.unit} (move the slider)"

    def _slider(self) -> ipywidgets.FloatSlider:
        import ipywidgets

        low, high, step = self._range
        slider = ipywidgets.FloatSlider(
            value=self._value,
            min=low,
            max=high,
            step=step,
            description=self.unit,
            readout_format=".1f" if step % 1 else ".0f",
            layout=ipywidgets.Layout(width="28em", max_width="100%"),
            tooltip=self.question,
        )
        slider.observe(self._move, "value")
        return slider

    def _move(self, change: Any) -> None:
        self._value = float(change["new"])
        self._moved = True

    def _box(self) -> ipywidgets.VBox:
        return _asked(self.question, self._slider())

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return bundle(repr(self), self._box)

    def compare(self, truth: Trace | Run | float) -> Compared:
        """Show the guess beside the truth.

        The course remembers a guess that was taken by moving the slider, the first time that it is
        compared; later ones know the truth.

        Args:
            truth: What it turned out to be, in the guess's unit; a trace or board gives seconds.

        Raises:
            UsageError: When the truth is neither a number nor a trace.
        """
        if isinstance(truth, Run):
            truth = truth.trace
        if isinstance(truth, Trace):
            figure, told, about = truth.seconds, truth.say(truth.seconds), truth.clock == "real"
        elif isinstance(truth, int | float) and not isinstance(truth, bool):
            figure, told, about = float(truth), f"{truth:g} {self.unit}".rstrip(), False
        else:
            raise UsageError(
                f"compare needs the trace of what was guessed, or a number; this is {truth!r:.60}"
            )
        if self._moved and not self._compared:
            journal.guessed(self.question, self.value, figure)
        self._compared = True
        return Compared(
            f"guess {self.value:g} {self.unit}".rstrip()
            + f", truth {told}: {_off(self.value, figure, '≈' if about else '')}"
        )


def _off(guess: float, truth: float, about: str) -> str:
    error = relative_error(guess, truth)
    if error <= SPOT_ON:
        return "spot on"
    if truth == 0:
        return "too high" if guess > 0 else "too low"
    return f"{about}{100 * error:.0f} % too {'high' if guess > truth else 'low'}"


class ChoicePrediction:
    """A guess among options, taken before the truth is known; made by `predict_choice`.

    Attributes:
        question: What is guessed.
        options: What to choose from.
    """

    def __init__(self, question: str, options: Sequence[str]) -> None:
        self.question = question
        self.options = tuple(options)
        self._value: str | None = None
        self._compared = False

    @property
    def value(self) -> str | None:
        """The option chosen; None while there is none."""
        return self._value

    def __repr__(self) -> str:
        chosen = "none yet (choose one)" if self._value is None else self._value
        options = "\n".join(f"  • {option}" for option in self.options)
        return f"{self.question}\n{options}\nYour guess: {chosen}"

    def _box(self) -> ipywidgets.VBox:
        import ipywidgets

        buttons = ipywidgets.RadioButtons(
            options=self.options,
            value=self._value,
            layout=ipywidgets.Layout(width="max-content", max_width="100%"),
            tooltip=self.question,
        )
        buttons.observe(self._choose, "value")
        return _asked(self.question, buttons)

    def _choose(self, change: Any) -> None:
        self._value = change["new"]

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return bundle(repr(self), self._box)

    def compare(self, truth: str) -> Compared:
        """Show the choice beside the truth.

        The course remembers the first comparison of a choice that was made.

        Args:
            truth: The option that turned out to be true.

        Raises:
            UsageError: When the truth is none of the options.
        """
        if truth not in self.options:
            raise UsageError(
                f"compare needs one of {', '.join(map(repr, self.options))}; this is {truth!r:.60}"
            )
        if self._value is None:
            self._compared = True
            return Compared(f"no guess, truth {truth}")
        if not self._compared:
            journal.guessed(self.question, self._value, truth)
        self._compared = True
        told = "foreseen" if self._value == truth else "a surprise"
        return Compared(f"guess {self._value}, truth {truth}: {told}")


def _asked(question: str, answer: ipywidgets.Widget) -> ipywidgets.VBox:
    import ipywidgets

    label = ipywidgets.Label(question)
    label.style.font_weight = "bold"
    return ipywidgets.VBox([label, answer])


def predict(
    question: str,
    low: float,
    high: float,
    *,
    start: float | None = None,
    step: float = 0.1,
    unit: str = "s",
) -> Prediction:
    """Ask for a guess before something is run.

    Args:
        question: What to guess.
        low: The lowest guess.
        high: The highest.
        start: Where the slider stands at first; by default at the lowest.
        step: How fine the slider is.
        unit: What is counted, such as seconds or calls.

    Returns:
        The prediction; its ``value`` is the guess, its ``compare`` shows it beside the truth.

    Raises:
        UsageError: When there is no room between the lowest and the highest, or ``start`` lies
            outside.
    """
    begin = low if start is None else start
    fits("predict", low, high, begin, step)
    return Prediction(question, low, high, begin, step, unit)


def predict_choice(question: str, options: Sequence[str]) -> ChoicePrediction:
    """Ask for a guess among options before something is run.

    Args:
        question: What to guess.
        options: What to choose from, at least two and no two alike.

    Returns:
        The choice; its ``value`` is the option chosen, its ``compare`` shows it beside the truth.

    Raises:
        UsageError: When the options are no texts, too few, or two of them alike.
    """
    given = [] if isinstance(options, str) else list(options)
    texts = all(isinstance(option, str) and option.strip() for option in given)
    if not texts or len(given) < 2 or len(set(given)) < len(given):
        raise UsageError(
            "predict_choice needs two options or more, as texts, no two alike:"
            f' predict_choice("Which is first?", ["alert", "scan"]); these are {options!r:.80}'
        )
    return ChoicePrediction(question, given)
