"""Hints and solutions, as text and as HTML."""

from __future__ import annotations

import html
import inspect
from dataclasses import dataclass

from .exercise import Exercise

STEPS = ("a nudge", "the approach", "nearly the code")


@dataclass(frozen=True)
class Hint:
    """One hint of an exercise.

    Attributes:
        id: The exercise.
        step: 0 for a nudge, 1 for the approach, 2 for nearly the code.
        text: What it says.
    """

    id: str
    step: int
    text: str

    @property
    def next_step(self) -> str:
        """What to call when this is not enough."""
        call = "solution" if self.step == len(STEPS) - 1 else "hint"
        return f'{call}("{self.id}")'

    def __repr__(self) -> str:
        body = "\n".join(f"  {line}" for line in self.text.splitlines())
        return f"Hint for {self.id}, {STEPS[self.step]}:\n{body}\n  More: {self.next_step}"

    def _repr_markdown_(self) -> str:
        last = self.step == len(STEPS) - 1
        body = f"```python\n{self.text}\n```" if last else self.text
        return f"**Hint for {self.id}, {STEPS[self.step]}**\n\n{body}\n\nMore: `{self.next_step}`"


@dataclass(frozen=True)
class Solution:
    """The reference solution of an exercise, and why it is so."""

    exercise: Exercise

    @property
    def source(self) -> str:
        """The reference's source, as it stands in `labkit.patterns`."""
        return inspect.getsource(self.exercise.reference).rstrip()

    def __repr__(self) -> str:
        return f"{self.source}\n\nWhy: {self.exercise.why}"

    def _repr_html_(self) -> str:
        return (
            f"<p>{html.escape(self.exercise.why)}</p>"
            f"<pre><code>{html.escape(self.source)}</code></pre>"
        )
