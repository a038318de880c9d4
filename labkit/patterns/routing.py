"""Routing: read a request, and hand it to the one specialist it is for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .asking import MODEL, ask

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

SPECIALIST = "claude-sonnet-4-6"
"""The model a request is routed to: larger than `MODEL`. Assign another to `routing.SPECIALIST`."""


def parse_route(reply: str, routes: Sequence[str]) -> str | None:
    """Read a router's reply and return the one route that it names.

    Letter case, quotes, punctuation and markdown do not count. Only a whole word names a route,
    and a hyphen between two letters or digits is a part of the word: ``tech-support`` does not
    name ``support``.

    Args:
        reply: The reply as the model wrote it.
        routes: The names there are: lower-case words, which may hold hyphens.

    Returns:
        The route; None where the reply names none of them, or more than one.
    """
    words = set(re.findall(r"[^\W_]+(?:-[^\W_]+)*", reply.lower()))
    named = [name for name in routes if name in words]
    return named[0] if len(named) == 1 else None


async def route(
    client: AsyncAnthropic, request: str, specialists: Mapping[str, str], *, fallback: str
) -> dict[str, str]:
    """Choose a specialist for a request and return that specialist's answer.

    Two calls, one after the other: a cheap one to `MODEL` to choose, a more expensive one to
    `SPECIALIST` to answer. No request is lost: where the choice cannot be read, ``fallback``
    answers.

    Args:
        client: The client to ask through.
        request: What somebody wants.
        specialists: The system prompt of each specialist, by the route's name.
        fallback: The route of a request for which none was named.

    Returns:
        ``route``, the name of the chosen one, and ``answer``, the text of its reply.

    Raises:
        ValueError: When ``fallback`` is not among the specialists; no call is made then.
        anthropic.APIError: When the service does not answer.
    """
    if fallback not in specialists:
        raise ValueError(f"the fallback {fallback!r} is no specialist: {', '.join(specialists)}")
    question = f"{request}\n\nWhich route fits? Name one of: {', '.join(specialists)}."
    name = parse_route(await ask(client, question), list(specialists)) or fallback
    reply = await client.messages.create(
        model=SPECIALIST,
        max_tokens=1_000,
        system=specialists[name],
        messages=[{"role": "user", "content": request}],
    )
    answer = "".join(block.text for block in reply.content if block.type == "text")
    return {"route": name, "answer": answer}


async def classify(client: AsyncAnthropic, request: str, routes: Sequence[str]) -> str | None:
    """Have the model choose one of the routes, in a form that leaves it no other word.

    Args:
        client: The client to ask through.
        request: What somebody wants.
        routes: The names to choose from, at least one.

    Returns:
        The chosen route; None where the reply was cut short or refused, or does not keep to the
        form.

    Raises:
        anthropic.APIError: When the service does not answer.
    """
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"route": {"type": "string", "enum": list(routes)}},
        "required": ["route"],
        "additionalProperties": False,
    }
    reply = await client.messages.create(
        model=MODEL,
        max_tokens=200,
        messages=[{"role": "user", "content": f"{request}\n\nWhich route fits?"}],
        output_config={"format": {"type": "json_schema", "schema": schema}},
    )
    if reply.stop_reason != "end_turn":
        return None
    try:
        choice = json.loads("".join(block.text for block in reply.content if block.type == "text"))
    except ValueError:
        return None
    if not isinstance(choice, dict) or choice.keys() != {"route"}:
        return None
    name = choice["route"]
    return name if isinstance(name, str) and name in routes else None
