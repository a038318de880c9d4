"""Predictions: what the reader believes before something runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import UsageError

if TYPE_CHECKING:
    import ipywidgets


class Prediction:
    """A guess, taken before the truth is known; made by `predict`.

    Attributes:
        question: What is guessed.
        unit: What the guess is counted in.
    """

    def __init__(
        self, question: str, low: float, high: float, start: float, step: float, unit: str
    ) -> None:
        import ipywidgets

        self.question = question
        self.unit = unit
        self._slider = ipywidgets.FloatSlider(
            value=start,
            min=low,
            max=high,
            step=step,
            description=unit,
            readout_format=".1f",
            layout=ipywidgets.Layout(width="28em"),
            tooltip=question,
        )

    @property
    def value(self) -> float:
        """The guess as it stands."""
        return float(self._slider.value)

    def __repr__(self) -> str:
        return f"{self.question}\nYour guess: {self.value:g} {self.unit} (move the slider)"

    def _box(self) -> ipywidgets.VBox:
        import ipywidgets

        question = ipywidgets.Label(self.question)
        question.style.font_weight = "bold"
        return ipywidgets.VBox([question, self._slider])

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        bundle = self._box()._repr_mimebundle_(**options) or {}
        return {**bundle, "text/plain": repr(self)}


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
        The prediction; its ``value`` is the guess.

    Raises:
        UsageError: When there is no room between the lowest and the highest, or ``start`` lies
            outside.
    """
    begin = low if start is None else start
    if not low < high or not low <= begin <= high or step <= 0:
        raise UsageError(
            f"predict needs low < high, a start between them and a step above 0; these are"
            f" low={low}, high={high}, start={start}, step={step}"
        )
    return Prediction(question, low, high, begin, step, unit)
