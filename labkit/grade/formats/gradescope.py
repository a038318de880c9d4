"""The report as Gradescope's ``results.json``.

The fields are those of Gradescope's documentation of autograder specifications.
"""

from __future__ import annotations

import json
from typing import Any

from ..result import ExerciseResult, NotebookResult, Report
from .common import ABSENT, clean, isolation, told


def write(report: Report) -> str:
    """Write the report of one learner."""
    problems = [
        f"{notebook.path}: {problem}"
        for notebook in report.notebooks
        for problem in notebook.problems
    ]
    lines = [*problems, f"labkit {report.version}, seed {report.seed}. {isolation(report)}"]
    if not any(notebook.sha256 for notebook in report.notebooks) and report.absent:
        lines = [f"{ABSENT[0].upper()}{ABSENT[1:]} (*.ipynb).", f"labkit {report.version}."]
    content = {
        "output": clean("\n".join(lines)),
        "output_format": "text",
        "execution_time": round(report.seconds, 3),
        "visibility": "visible",
        "tests": [
            _test(notebook, exercise)
            for notebook in report.notebooks
            for exercise in notebook.exercises
        ],
        # The sum of the tests would count an exercise twice that stands in two notebooks.
        "score": report.points,
    }
    return json.dumps(content, indent=2) + "\n"


def _test(notebook: NotebookResult, exercise: ExerciseResult) -> dict[str, Any]:
    return {
        "score": exercise.points,
        "max_score": exercise.worth,
        "status": "passed" if exercise.passed else "failed",
        "name": exercise.name,
        "number": exercise.id,
        "output": told(exercise) or exercise.status,
        "output_format": "text",
        "tags": [exercise.status],
        "visibility": "visible",
        "extra_data": {
            "notebook": notebook.path,
            "seconds": round(exercise.seconds, 4),
            "reference": exercise.reference,
        },
    }
