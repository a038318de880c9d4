"""The fleet of five reviewers in lesson 04: what each finds, and in what it looked.

The wording is illustrative; structure, counts, order and times are real.
"""

from __future__ import annotations

import re
from typing import Any

from ..script import Reply, Request, Rule

SECONDS = {"auth": 0.6, "rate-limits": 0.8, "schema": 0.4, "memory": 0.9, "telemetry": 0.5}
"""Topic → how long its review takes."""

SOURCES = {
    "auth_server.py": "def login(user, password):\n    return user.password == password\n",
    "rate-limits_server.py": "LIMIT = 100\n\n\ndef allow(count):\n    return count <= LIMIT\n",
    "schema_server.py": "def save(row):\n    table.insert(row)\n",
    "memory_server.py": "cache = {}\ndef remember(key, value):\n    cache[key] = value\n",
    "telemetry_server.py": "def emit(event):\n    print(event)\n",
}
"""Path → whole text: the service that the fleet reviews."""


def _review(request: Request) -> Reply:
    found = re.search(r"Review ([\w-]+)\.", request.prompt)
    topic = found[1] if found else "auth"
    finding: dict[str, Any] = {"claim": f"reviewed {topic}"}
    # The third of the five forgets its evidence until it is told so.
    if topic != "schema" or "missing evidence" in request.prompt:
        finding["evidence"] = f"{topic}_server.py:1"
    return Reply(finding, seconds=SECONDS.get(topic, 0.5))


FLEET: tuple[Rule, ...] = (Rule("Review ", says=_review),)
"""The rules of five reviewers, of whom one forgets its evidence at the first try."""
