"""Notebooks to grade, and a grading of them in a process of its own."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nbformat.v4 import new_code_cell

from labkit.checks import exercises

HERE = Path(__file__).resolve().parent
SHIPPED = HERE.parent / "notebooks"

RIGHT = {
    "2.1": """
        import re

        MARK = re.compile(r"(?:[-*•]|[0-9]+[.)])(?=\\s|$)")

        def parse_plan(text, *, limit=4):
            kept, seen = [], set()
            for line in text.splitlines():
                line = line.strip()
                while mark := MARK.match(line):
                    line = line[mark.end():].strip()
                if not line or line.endswith(":") or line.lower() in seen:
                    continue
                seen.add(line.lower())
                kept.append(line)
            if not kept:
                raise ValueError("no subtask")
            return kept[:limit]
    """,
    "4.4": """
        def synthesize(passed):
            lines, topics = ["FLEET REPORT"], set()
            for finding in sorted(passed, key=lambda it: it["id"]):
                if finding["topic"] not in topics:
                    topics.add(finding["topic"])
                    lines.append("- " + finding["claim"] + " [" + finding["evidence"] + "]")
            if not topics:
                lines.append("(nothing passed the gate)")
            return "\\n".join(lines)
    """,
    "3.4": """
        import asyncio

        async def gather_settled(worker, subtasks):
            async def settled(task):
                try:
                    return await worker(task)
                except Exception as error:
                    return error

            return list(await asyncio.gather(*[settled(task) for task in subtasks]))
    """,
}
"""Right answers that are not the reference."""

WRONG = {
    "2.1": "def parse_plan(text, *, limit=4):\n    return []",
    "4.4": "def synthesize(passed):\n    return 'all good'",
    "3.4": "async def gather_settled(worker, subtasks):\n    return []",
}


def exercise_cell(id: str, source: str) -> Any:
    """A cell marked as the course marks an exercise's."""
    cell = new_code_cell(textwrap.dedent(source).strip())
    cell.metadata = {"labkit": {"exercise": id}, "tags": ["exercise"]}
    cell.id = f"exercise-{id.replace('.', '-')}"
    return cell


def code(source: str) -> Any:
    """A plain code cell."""
    return new_code_cell(textwrap.dedent(source).strip())


def reference(id: str) -> str:
    """The source of a reference solution."""
    return inspect.getsource(exercises[id].reference)


def write(path: Path, *cells: Any) -> Path:
    """Write a notebook."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for number, cell in enumerate(cells):
        if not cell.id.startswith("exercise-"):
            cell.id = f"own-{number}"
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def shipped(name: str, answers: dict[str, str]) -> dict[str, Any]:
    """A shipped notebook with answers in its exercise cells, as plain JSON."""
    notebook: dict[str, Any] = json.loads((SHIPPED / f"{name}.ipynb").read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        id = cell["metadata"].get("labkit", {}).get("exercise")
        if id in answers:
            cell["source"] = textwrap.dedent(answers[id]).strip()
    return notebook


GRADE = """
import json, sys
from pathlib import Path
from labkit.grade import grade
from labkit.grade.children import nursery
from labkit.grade.sandbox import Limits
options = json.loads(sys.argv[1])
report = grade(
    [Path(path) for path in options["paths"]],
    limits=Limits(**options["limits"]),
    source=nursery(options["isolation"]),
    seed=options["seed"],
    jobs=2,
)
print(json.dumps(report.as_json()))
"""


def graded(
    *paths: Path,
    isolation: Sequence[str] = ("namespaces", "landlock"),
    seed: str | None = None,
    env: dict[str, str] | None = None,
    **limits: Any,
) -> dict[str, Any]:
    """Grade in a process of its own; returns the report as JSON."""
    options = {
        "paths": [str(path) for path in paths],
        "isolation": list(isolation),
        "limits": limits,
        "seed": seed,
    }
    done = subprocess.run(
        [sys.executable, "-c", GRADE, json.dumps(options)],
        capture_output=True,
        text=True,
        env={**os.environ, **(env or {})},
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def command(*arguments: str | Path, cwd: Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run the ``labkit`` command."""
    start = "import sys; from labkit.__main__ import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", start, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        **more,
    )


def statuses(notebook: dict[str, Any]) -> dict[str, str]:
    """Exercise → status, of a notebook in a report."""
    return {exercise["id"]: exercise["status"] for exercise in notebook["exercises"]}


def feedback(notebook: dict[str, Any], id: str) -> str:
    """What a report says of an exercise."""
    return next(it["feedback"] for it in notebook["exercises"] if it["id"] == id)
