"""Lesson 04: a fleet of five reviewers, the files it reads, and findings to judge a gate by.

The wording is illustrative; structure, counts, order and times are real.
"""

from __future__ import annotations

import json
import random
import re
from typing import Any

from ..errors import UsageError
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

_GOOD = (
    ("auth", "login takes a user and a password", 1, None),
    ("auth", "passwords are compared as plain text", 2, "user.password == password"),
    # True, and copied with a space too many.
    ("rate-limits", "the limit is 100", 1, "LIMIT  = 100"),
    ("rate-limits", "a count at the limit is allowed", 5, "count <= LIMIT"),
    ("schema", "save takes one row", 1, None),
    ("schema", "a row is inserted unchecked", 2, "table.insert(row)"),
    ("memory", "the cache is a plain dict", 1, "cache = {}"),
    ("memory", "every value is stored", 3, None),
    ("telemetry", "emit takes one event", 1, None),
    ("telemetry", "events are printed", 2, "print(event)"),
)
_BAD = (
    ("auth", "looks fine", None, None),
    ("rate-limits", "looks fine", None, None),
    ("schema", "looks fine", None, None),
    ("auth", "logins are limited", 400, None),
    ("schema", "rows are validated", 400, None),
    ("memory", "the cache is bounded", 400, None),
    ("auth", "passwords are hashed", 2, "hash(password)"),
    # Real lines, which do not say what is claimed.
    ("auth", "passwords are hashed", 2, None),
    ("memory", "the cache is bounded", 1, "cache = {}"),
    ("telemetry", "events are batched", 2, None),
)


def _finding(
    number: int, topic: str, claim: str, line: int | None, quote: str | None
) -> dict[str, Any]:
    evidence = None if line is None else f"{topic}_server.py:{line}"
    return {"id": number, "topic": topic, "claim": claim, "evidence": evidence, "quote": quote}


LABELLED: list[tuple[dict[str, Any], bool]] = [
    (_finding(number, *row), number <= len(_GOOD)) for number, row in enumerate(_GOOD + _BAD, 1)
]
"""Twenty findings about `SOURCES`, each with whether it is good: as many are as are not."""


def doubter(*, errs: int = 3, seed: int = 0) -> list[Rule]:
    """What a model says that is asked about one of the labelled findings: accept or reject.

    Args:
        errs: On how many of them it says the wrong word: a setting.
        seed: Which those are.

    Raises:
        UsageError: When ``errs`` is not between 0 and the number of findings.
    """
    if not 0 <= errs <= len(LABELLED):
        raise UsageError(f"doubter(errs=...) is 0 to {len(LABELLED)}, not {errs!r}")
    # One shuffle for all settings, so that one error more leaves the others where they were.
    order = random.Random(seed).sample(range(len(LABELLED)), len(LABELLED))
    wrong = set(order[:errs])
    said = {
        json.dumps(finding): is_good != (place in wrong)
        for place, (finding, is_good) in enumerate(LABELLED)
    }

    def opinion(request: Request) -> str:
        believed = next((word for text, word in said.items() if text in request.text), False)
        return "accept" if believed else "reject"

    return [Rule("", says=opinion, seconds=0.4)]
