"""The card of a verdict: its hints one by one, its solution behind a second click."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from .. import journal
from ..checks.cards import STEPS, Solution
from ..checks.exercise import Exercise
from ..checks.verdict import Verdict
from ..look import BLUE, GREY, bar_html, card, rich
from ..overview import course, lesson_of, standing
from .live import follow

if TYPE_CHECKING:
    import ipywidgets


class Card:
    """A verdict with its buttons.

    Args:
        verdict: What the check said.
        exercise: What was checked.
    """

    def __init__(self, verdict: Verdict, exercise: Exercise) -> None:
        import ipywidgets

        self.exercise = exercise
        self._opened = 0
        self._sure = verdict.passed
        wide = ipywidgets.Layout(width="auto")
        self.solution = ipywidgets.Button(
            description="Compare with the reference" if verdict.passed else "Solution",
            tooltip=f"Show the reference of {exercise.id}, and why it is so",
            layout=wide,
        )
        self.solution.on_click(self._open_solution)
        self.shown = ipywidgets.HTML()
        parts = [ipywidgets.HTML(verdict._repr_html_())]
        if verdict.passed:
            parts += [follow(self._lesson), ipywidgets.HBox([self.solution])]
        else:
            self.hint = ipywidgets.Button(
                description="Hint", tooltip=f"Open a hint for {exercise.id}", layout=wide
            )
            self.hint.on_click(self._open_hint)
            # A place of their own, so that what is open stays where it is.
            self.hints = ipywidgets.HTML()
            parts += [ipywidgets.HBox([self.hint, self.solution]), self.hints]
        parts.append(self.shown)
        self.box = ipywidgets.VBox(parts, layout=ipywidgets.Layout(max_width="60em"))

    def _lesson(self) -> str:
        kept = journal.journal()
        it = standing(course()[lesson_of(self.exercise.id)], kept.read())
        told = f"{html.escape(it.name)} {bar_html(it.share)} {it.told}"
        note = f"<br>{html.escape(kept.note)}" if kept.note else ""
        return f"<div style='line-height:1.5;padding:2px 16px'>{told}{note}</div>"

    def _open_hint(self, _: Any) -> None:
        self._opened = min(self._opened + 1, len(STEPS))
        journal.hinted(self.exercise.id, self._opened)
        self.hints.value = card(BLUE, "".join(self._hint(step) for step in range(self._opened)))
        left = len(STEPS) - self._opened
        self.hint.description = f"Next hint ({left} left)" if left else "All hints are open"
        self.hint.disabled = not left

    def _hint(self, step: int) -> str:
        text = self.exercise.hints[step]
        last = step == len(STEPS) - 1
        body = _code(html.escape(text)) if last else rich(text)
        told = f"<strong>Hint {step + 1}, {STEPS[step]}.</strong> {body}"
        return f"<div style='margin-bottom:6px'>{told}</div>"

    def _open_solution(self, _: Any) -> None:
        if not self._sure:
            self._sure = True
            self.solution.description = "Show it anyway"
            left = len(STEPS) - self._opened
            told = f"{left} hint{' is' if left == 1 else 's are'} still closed. " if left else ""
            self.shown.value = card(
                GREY, f"{told}What you find yourself stays with you longer. Show it all the same?"
            )
            return
        journal.revealed(self.exercise.id)
        source = html.escape(Solution(self.exercise).source)
        why = f"<strong>Why.</strong> {rich(self.exercise.why)}"
        self.shown.value = card(BLUE, f"<div>{why}</div>{_code(source)}")
        self.solution.description = "The reference is shown"
        self.solution.disabled = True


def _code(escaped: str) -> str:
    return f"<pre style='margin:6px 0;overflow-x:auto'><code>{escaped}</code></pre>"


def box(verdict: Verdict) -> ipywidgets.VBox:
    """The card of a verdict, as a widget."""
    from ..checks import find

    return Card(verdict, find(verdict.id)).box
