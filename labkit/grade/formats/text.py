"""The report for a terminal."""

from __future__ import annotations

from ..result import NotebookResult, Report
from .common import MARKS, clean, isolation, notes, percent, seconds, title, told


def write(report: Report) -> str:
    """Write a report."""
    parts = [_notebook(notebook) for notebook in report.notebooks]
    parts.append(_totals(report))
    if not report.complete:
        parts.append(
            "Interrupted: this is what was graded until then; --resume goes on from there."
        )
    parts.append(f"labkit {report.version}, seed {report.seed}. {isolation(report)}")
    return "\n\n".join(parts) + "\n"


def _notebook(notebook: NotebookResult) -> str:
    lines = [f"{title(notebook)}  {notebook.points}/{notebook.worth}"]
    # A bar in front: no line of a learner's may pass for one of a CI system's commands.
    lines += [f"  | {line}" for problem in notebook.problems for line in _lines(problem)]
    for exercise in notebook.exercises:
        mark = MARKS[exercise.status]
        points = f"{exercise.points}/{exercise.worth}"
        time = seconds(exercise.seconds) if exercise.attempted else ""
        head = f"  {mark} {exercise.id:<4} {exercise.name:<22} {exercise.status:<13} {points}"
        lines.append(f"{head}  {time}".rstrip())
        lines += [f"       | {line}" for line in _lines(told(exercise))]
    return "\n".join(lines)


def _lines(text: str) -> list[str]:
    return clean(text).splitlines()


def _totals(report: Report) -> str:
    rows = [("learner", "points", "of", "")]
    rows += [
        (clean(it.learner), str(it.points), str(it.worth), percent(it.points, it.worth))
        for it in report.learners
    ]
    if len(report.learners) > 1:
        rows.append(
            ("all", str(report.points), str(report.worth), percent(report.points, report.worth))
        )
    wide = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        f"{who:<{wide[0]}}  {points:>{wide[1]}}  {worth:>{wide[2]}}  {share:>{wide[3]}}"
        for who, points, worth, share in rows
    ]
    lines.insert(1, "─" * len(lines[0]))
    lines += [f"  | {note}" for note in notes(report)]
    return "\n".join(line.rstrip() for line in lines)
