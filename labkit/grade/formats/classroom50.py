"""The report as Classroom 50's ``result.json``; what is not labkit's comes from the environment."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime

from ..result import Report

FROM_ENVIRONMENT = {
    "classroom": "CLASSROOM",
    "assignment": "ASSIGNMENT",
    "assignment_type": "ASSIGNMENT_TYPE",
    "submission": "SUBMISSION_TAG",
    "commit": "COMMIT_URL",
    "release": "RELEASE_URL",
    "review": "REVIEW_URL",
}
"""Field → the variable that Classroom 50's runner sets."""


def write(report: Report) -> str:
    """Write the report of one learner."""
    best = {id: it for counted in report.counted.values() for id, it in counted.items()}
    told = {field: os.environ.get(name, "") for field, name in FROM_ENVIRONMENT.items()}
    content = {
        "schema": "classroom50/result/v1",
        "classroom": told["classroom"],
        "assignment": told["assignment"],
        "assignment_type": told["assignment_type"],
        "owner": os.environ.get("OWNER") or os.environ.get("USERNAME") or "",
        "submission": told["submission"],
        "commit": told["commit"],
        "release": told["release"],
        "review": told["review"],
        "datetime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "score": sum(exercise.points for exercise in best.values()),
        "max-score": sum(exercise.worth for exercise in best.values()),
        "tests": [
            {
                "test-name": f"{exercise.id} {exercise.name}",
                "passed": exercise.passed,
                "score": exercise.points,
                "max-score": exercise.worth,
            }
            for exercise in best.values()
        ],
    }
    return json.dumps(content, indent=2) + "\n"
