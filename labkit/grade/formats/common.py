"""What the formats share: words for an outcome, and text that anyone may have written."""

from __future__ import annotations

import re
from collections import Counter

from ..result import ExerciseResult, NotebookResult, Report

MARKS = {"passed": "✓", "failed": "✗", "not attempted": "○", "missing": "?", "not graded": "!"}

ABSENT = "no notebook was handed in"
"""What is said of a learner whose folder holds none."""

# Escape sequences, and all that is no printable text but line ends and tabs: they could redraw a
# terminal, and XML holds none of them.
_UNPRINTABLE = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]"
    "|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def clean(text: str) -> str:
    """Text without control characters."""
    return _UNPRINTABLE.sub("", text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """Text without control characters and without line ends."""
    return clean(text).replace("\n", " ")


def percent(points: int, worth: int) -> str:
    """Points as a percentage."""
    return f"{100 * points / worth:.0f} %" if worth else "–"


def seconds(value: float) -> str:
    """A time."""
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def told(exercise: ExerciseResult) -> str:
    """What to say of an exercise."""
    return clean(exercise.feedback)


def inactive(report: Report) -> str:
    """What to say of the means of isolation that this system did not offer; empty if all were."""
    missing = [name for name, active in report.isolation.items() if not active]
    return f"Not available here: {', '.join(missing)}." if missing else ""


def isolation(report: Report) -> str:
    """Which means of isolation were active."""
    active = [name for name, on in report.isolation.items() if on]
    said = f"Isolation: {', '.join(active) or 'none'}."
    return f"{said} {inactive(report)}".rstrip()


def notes(report: Report) -> list[str]:
    """What to say under the totals: what counts, who handed in nothing, what was not graded."""
    told = [f"Counted: {', '.join(report.lessons)}."] if report.lessons else []
    told += [f"{one_line(learner)}: {ABSENT}." for learner in report.absent]
    whose = Counter(it.learner for it in report.notebooks if not it.exercises)
    if whose:
        count = whose.total()
        names = ", ".join(
            one_line(learner) + (f" ({many})" if many > 1 else "")
            for learner, many in whose.items()
        )
        told.append(f"{count} notebook{'s' * (count > 1)} could not be graded: {names}.")
    return told


def title(notebook: NotebookResult) -> str:
    """A notebook's name."""
    return clean(notebook.path)
