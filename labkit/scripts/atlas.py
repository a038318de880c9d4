"""Lesson 07: Atlas, a lead agent that asks other agents, as the scripted model plays it.

The wording is illustrative; structure, counts, order and times are real.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ..script import Reply, Request, Rule

TEAM = {
    "security": "You judge what an attacker could do with the service.",
    "operations": "You judge what breaks when the service is busy.",
    "data": "You judge what becomes of the data that the service keeps.",
    "writer": "You write to customers: short, plain, and nothing they cannot use.",
}
"""The system prompt of each specialist, by the tool's name."""

GUESS = "Can a session's token be guessed?"
LAUNCH = "Can we launch on Monday? Look at security, operations and data."
TELL = "Find the worst fault and write to the customers about it."

FINDS = {
    "security": "Yes: sessions.py draws its tokens from a generator that can be predicted.",
    "operations": "Not yet: webhooks.py waits for strangers without a time-out.",
    "data": "Not yet: schema.py builds SQL from what a customer typed.",
}
LETTER = "We found and mended a weakness in our sign-in. Please sign in once more."


def _uses(*asked: tuple[str, dict[str, str]]) -> list[dict[str, Any]]:
    return [{"type": "tool_use", "name": name, "input": given} for name, given in asked]


def results(request: Request) -> list[str]:
    """The text of every tool result that a lead call holds, in order."""
    blocks = [
        block
        for turn in request.messages
        if isinstance(turn.get("content"), list)
        for block in turn["content"]
        if block.get("type") == "tool_result"
    ]
    return [str(block.get("content", "")) for block in blocks]


def _leads(request: Request) -> bool:
    return bool(request.body.get("tools"))


def _read(request: Request) -> Reply:
    held = results(request)
    if not held:
        asks = _uses(("read_file", {"path": "sessions.py"}))
        return Reply([{"type": "text", "text": "Let me look."}, *asks], seconds=0.4)
    drawn = re.search(r"^(?!import).*\brandom\.\w+", held[0], re.MULTILINE)
    if drawn is None:
        return Reply(f"I could not tell: {held[0]}", seconds=0.4)
    line = held[0][: drawn.end()].count("\n") + 1
    return Reply(f"Yes. Line {line} draws it from `random`, which can be predicted.", seconds=0.4)


READER: tuple[Rule, ...] = (Rule(_leads, says=_read),)
"""A lead with one tool, ``read_file``: it asks for a file, then answers from it."""


def _lead(request: Request) -> Reply:
    held = results(request)
    asked = request.text
    if LAUNCH in asked:
        parts = [(name, {"task": f"Your part is {name}: can we launch?"}) for name in FINDS]
        said = f"Not on Monday. {' '.join(held)}"
        return Reply(said if held else _uses(*parts), seconds=0.5)
    if TELL in asked:
        steps = [("security", {"task": "Which fault is the worst?"})]
        if held:
            steps.append(("writer", {"task": f"Tell the customers what we did about: {held[0]}"}))
        return Reply(_uses(steps[-1]) if len(held) < 2 else held[-1], seconds=0.5)
    if GUESS in asked:
        return Reply(held[0] if held else _uses(("security", {"task": GUESS})), seconds=0.5)
    named = [name for name in TEAM if re.search(rf"\b{name}\b", asked.casefold())]
    if held or not named:
        return Reply(" ".join(held) or "(scripted) I can answer that myself.", seconds=0.5)
    return Reply(_uses(*((name, {"task": request.prompt}) for name in named)), seconds=0.5)


def _specialist(request: Request) -> str:
    name = next((name for name, prompt in TEAM.items() if prompt == request.system), "")
    return FINDS.get(name, LETTER)


ATLAS: tuple[Rule, ...] = (
    Rule(_leads, says=_lead),
    Rule(lambda request: request.system == TEAM["operations"], says=_specialist, seconds=0.9),
    Rule("", says=_specialist, seconds=0.7),
)
"""A lead that routes one of the three requests, splits another, and goes step by step in the last;
any other request goes to the specialists that it names."""


def in_batches(*batches: Sequence[str]) -> list[Rule]:
    """A lead that asks for one batch of specialists after another, then reports.

    Args:
        batches: The tools' names, a batch for each of its messages.
    """

    def lead(request: Request) -> Reply:
        told = sum(turn.get("role") == "assistant" for turn in request.messages)
        if told < len(batches):
            asked = ((name, {"task": f"Review {name}."}) for name in batches[told])
            return Reply(_uses(*asked), seconds=0.5)
        return Reply(f"{len(results(request))} reviews are in.", seconds=0.5)

    def specialist(request: Request) -> str:
        return f"{request.prompt} One fault, in line 12; it is mended by a change of two lines."

    return [Rule(_leads, says=lead), Rule("", says=specialist, seconds=0.6)]
