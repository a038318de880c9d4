"""The report as JSON; its form is published as ``labkit/grade/report.schema.json``."""

from __future__ import annotations

import json

from ..result import Report


def write(report: Report) -> str:
    """Write a report."""
    return json.dumps(report.as_json(), indent=2, ensure_ascii=True) + "\n"
