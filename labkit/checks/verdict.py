"""What a check says: passed, not attempted yet, or not right yet and why."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

from ..look import GREEN, GREY, ORANGE, card
from ..plot import bars
from ..trace import Trace


@dataclass(frozen=True)
class Verdict:
    """The outcome of a check.

    Attributes:
        id: The exercise, such as ``"2.1"``.
        name: The function it asks for.
        passed: Whether the function does what the exercise asks.
        attempted: False while the exercise's stub is still in place, and for the reference.
        points: Points earned.
        worth: Points the exercise is worth.
        message: What to know: the likely misconception where it is not right yet.
        wanted: What was expected, where that can be told in a line.
        seen: What was observed instead.
        pictures: Timelines to compare, each with its name.
        printed: What the function printed in the run that was not right.
    """

    id: str
    name: str
    passed: bool
    attempted: bool
    points: int
    worth: int
    message: str = ""
    wanted: str | None = None
    seen: str | None = None
    pictures: tuple[tuple[str, Trace], ...] = ()
    printed: str = ""

    @property
    def headline(self) -> str:
        """The verdict in one line."""
        name = f"{self.id} {self.name}"
        if self.passed and not self.attempted:
            return f"○ {name}: the reference, not an attempt of yours"
        if self.passed:
            return f"✓ {name}: passed, {self.points} point{'' if self.points == 1 else 's'}"
        if not self.attempted:
            return f"○ {name}: not attempted yet"
        return f"✗ {name}: not right yet"

    def __repr__(self) -> str:
        lines = [self.headline, *(f"  {line}" for line in self.message.splitlines())]
        if self.wanted is not None:
            lines.append(f"  wanted: {self.wanted}")
        if self.seen is not None:
            lines.append(f"  seen:   {self.seen}")
        for name, trace in self.pictures:
            lines += [f"  {name}", *(f"    {line}" for line in self._bars(trace))]
        if self.printed:
            lines += ["  your function printed:"]
            lines += [f"    {line}" for line in self.printed.splitlines()[:20]]
        return "\n".join(lines)

    def _bars(self, trace: Trace) -> list[str]:
        # One scale for all, so that the timelines can be compared.
        traces = [other for _, other in self.pictures]
        return bars(
            trace,
            seconds=max(other.seconds for other in traces),
            names=max(len(call.lane) for other in traces for call in other.calls),
        )

    def _repr_html_(self) -> str:
        colour = GREY if not self.attempted else GREEN if self.passed else ORANGE
        parts = [f"<strong>{html.escape(self.headline)}</strong>"]
        if self.message:
            parts.append("<br>".join(html.escape(line) for line in self.message.splitlines()))
        told = [("wanted", self.wanted), ("seen", self.seen)]
        rows = [
            f"<tr><td style='text-align:left'>{name}</td>"
            f"<td style='text-align:left'><code>{html.escape(text)}</code></td></tr>"
            for name, text in told
            if text is not None
        ]
        if rows:
            parts.append(f"<table>{''.join(rows)}</table>")
        for name, trace in self.pictures:
            drawn = html.escape("\n".join(self._bars(trace)))
            parts.append(f"{html.escape(name)}<pre style='line-height:1.15'>{drawn}</pre>")
        if self.printed:
            printed = html.escape("\n".join(self.printed.splitlines()[:20]))
            parts.append(f"your function printed<pre>{printed}</pre>")
        return card(colour, "".join(f"<div>{part}</div>" for part in parts))

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        from ..widgets import live, verdicts

        return live.bundle(repr(self), lambda: verdicts.box(self), html=self._repr_html_())
