"""The five questions of lesson 06, in figures by a schema and in prose.

The wording is illustrative; structure, counts, order and times are real.
"""

from __future__ import annotations

import json
from typing import Any

from ..script import Reply, Request, Rule, count_tokens

SECONDS = {"throughput": 0.9, "latency": 0.4, "price": 0.7, "outages": 0.5, "staff": 0.3}
"""Topic → how long its research takes."""

PLAN_SECONDS = 0.3
MERGE_SECONDS = 0.2

UNITS = {
    "throughput": "messages/s",
    "latency": "ms",
    "price": "$/month",
    "outages": "a year",
    "staff": "people",
}
"""Topic → what its figure is counted in."""

FIGURES = {"throughput": 48_000, "latency": 9, "price": 410, "outages": 2, "staff": 0.5}

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "topic": {"type": "string", "enum": list(UNITS)},
        "figure": {"type": "number"},
        "unit": {"type": "string"},
        "source": {"type": "string"},
    },
    "required": ["topic", "figure", "unit", "source"],
    "additionalProperties": False,
}
"""What a researcher's row looks like."""

PROSE = {
    "throughput": "Throughput: 48,000 messages/s, by the vendor's own benchmark.",
    "latency": "Latency: 9 ms at the 99th percentile.",
    "price": "The price depends on the region; most teams report $410 a month.",
    "outages": "Outages: 2 a year, by the status page.",
    "staff": "Staff: half a person, after the first month.",
}
"""Topic → its answer where no schema is asked for."""


def _topic(request: Request) -> str:
    return next(topic for topic in UNITS if topic in request.prompt.casefold())


def _answer(request: Request) -> Reply:
    topic = _topic(request)
    if request.schema is None:
        return Reply(PROSE[topic], seconds=SECONDS[topic])
    row = {
        "topic": topic,
        "figure": FIGURES[topic],
        "unit": UNITS[topic],
        "source": f"https://queue.example/{topic}",
    }
    text, limit = json.dumps(row), int(request.body["max_tokens"])
    if count_tokens(text) <= limit:
        return Reply(row, seconds=SECONDS[topic])
    cut = text[: limit * len(text) // count_tokens(text)]
    return Reply(cut, seconds=SECONDS[topic], stop_reason="max_tokens")


def _is_research(request: Request) -> bool:
    return any(topic in request.prompt.casefold() for topic in UNITS)


RESEARCH: tuple[Rule, ...] = (
    Rule("Plan ", says="\n".join(UNITS), seconds=PLAN_SECONDS),
    Rule("Merge ", says="Merged.", seconds=MERGE_SECONDS),
    Rule(_is_research, says=_answer),
)
"""The rules of a planner, five researchers, whose rows are cut at `max_tokens`, and a merger."""
