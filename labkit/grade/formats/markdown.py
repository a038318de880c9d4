"""The report as Markdown, for GitHub's job summary, with annotations beside it."""

from __future__ import annotations

import html
from collections.abc import Iterator

from ..result import NotebookResult, Report
from .common import MARKS, clean, isolation, notes, one_line, percent, seconds, told

ROOM = 1024 * 1024
"""Bytes that a job summary may have. Source: GitHub's reference of workflow commands."""

ANNOTATIONS = 10
"""Annotations of a kind that GitHub shows of one step. Source: the same."""

_ESCAPES = str.maketrans({sign: f"&#{ord(sign)};" for sign in "&<>\\`*_[]|#@~"})


def write(report: Report) -> str:
    """Write a report; where all of it is too long, feedback goes first, then single notebooks."""
    head = ["# Grades", "", *_totals(report), ""]
    foot = ["", f"labkit {report.version}, seed `{report.seed}`. {isolation(report)}", ""]
    if not report.complete:
        foot.insert(0, "**Interrupted**: this is what was graded until then.")
    room = ROOM - _size(head) - _size(foot) - 200
    body: list[str] = []
    cut = 0
    for notebook in report.notebooks:
        for feedback in (True, False):
            part = _notebook(notebook, feedback=feedback)
            if _size(part) <= room:
                body += part
                room -= _size(part)
                break
        else:
            cut += 1
    if cut:
        body += ["", f"{cut} more notebooks do not fit here; the JSON report has them."]
    return _cut("\n".join([*head, *body, *foot]))


def workflow_commands(report: Report) -> str:
    """Workflow commands that mark what is not right, as GitHub reads them from standard output."""
    lines = []
    for notebook in report.notebooks:
        lines += [
            _command("warning", notebook.path, "notebook", problem) for problem in notebook.problems
        ]
        for exercise in notebook.exercises:
            if not exercise.passed and exercise.status != "not attempted":
                name = f"{exercise.id} {exercise.name}: {exercise.status}"
                lines.append(_command("error", notebook.path, name, told(exercise)))
    return "".join(f"{line}\n" for kind in ("error", "warning") for line in _some(lines, kind))


def _some(lines: list[str], kind: str) -> list[str]:
    return [line for line in lines if line.startswith(f"::{kind} ")][:ANNOTATIONS]


def _command(kind: str, file: str, title: str, message: str) -> str:
    def data(text: str) -> str:
        return clean(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")

    def value(text: str) -> str:
        return data(text).replace(":", "%3A").replace(",", "%2C")

    return f"::{kind} file={value(file)},title={value(title)}::{data(message)[:4000]}"


def _size(lines: list[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)


def _cut(text: str) -> str:
    data = text.encode()
    return text if len(data) <= ROOM else data[:ROOM].decode(errors="ignore")


def _totals(report: Report) -> Iterator[str]:
    yield "| learner | points | of | |"
    yield "|---|--:|--:|--:|"
    for it in report.learners:
        yield f"| {_cell(it.learner)} | {it.points} | {it.worth} | {percent(it.points, it.worth)} |"
    told = notes(report)
    if told:
        yield ""
    yield from (f"- {_cell(note)}" for note in told)


def _notebook(notebook: NotebookResult, *, feedback: bool) -> list[str]:
    lines = [f"## {_cell(notebook.path)}", ""]
    lines += [f"- {_cell(problem)}" for problem in notebook.problems]
    if notebook.problems:
        lines.append("")
    if not notebook.exercises:
        return lines
    lines += ["| | exercise | verdict | points | time |", "|---|---|---|--:|--:|"]
    for it in notebook.exercises:
        time = seconds(it.seconds) if it.attempted else ""
        lines.append(
            f"| {MARKS[it.status]} | {it.id} `{it.name}` | {it.status}"
            f" | {it.points}/{it.worth} | {time} |"
        )
    lines.append("")
    for it in notebook.exercises:
        if feedback and it.feedback:
            lines += [
                f"<details><summary>{it.id} {it.name}: {it.status}</summary>",
                "",
                f"<pre>{_html(told(it))}</pre>",
                "",
                "</details>",
                "",
            ]
    return lines


def _html(text: str) -> str:
    # A blank line would end the block, and what follows would be Markdown again.
    escaped = html.escape(text, quote=False).replace("@", "&#64;")
    return "\n".join(line or "&nbsp;" for line in escaped.splitlines())


def _cell(text: str) -> str:
    return one_line(text).translate(_ESCAPES)
