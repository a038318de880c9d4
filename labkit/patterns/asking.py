"""Asking a model: one call, and two at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from anthropic.types import Message

MODEL = "claude-haiku-4-5"
"""The model the patterns ask: small, quick and cheap. Assign another to `asking.MODEL`."""


async def ask(client: AsyncAnthropic, prompt: str, *, system: str | None = None) -> str:
    """Ask the model once and return the text of its reply.

    Args:
        client: The client to ask through.
        prompt: The user message.
        system: The system prompt; None leaves it out of the request.

    Returns:
        The reply's text blocks, joined with nothing between; other blocks are not text.

    Raises:
        anthropic.APIError: When the service does not answer.
    """
    request: dict[str, Any] = {
        "model": MODEL,
        "max_tokens": 1_000,
        "messages": [{"role": "user", "content": prompt}],
    }
    if system is not None:
        request["system"] = system
    reply: Message = await client.messages.create(**request)
    return "".join(block.text for block in reply.content if block.type == "text")


async def ask_both(client: AsyncAnthropic, first: str, second: str) -> tuple[str, str]:
    """Ask two questions at once and return both answers, in the order of the questions.

    Args:
        client: The client to ask through.
        first: The one prompt.
        second: The other; it may be the same.

    Returns:
        The answer to ``first`` and the answer to ``second``.

    Raises:
        anthropic.APIError: When the service does not answer.
    """
    one, other = await asyncio.gather(ask(client, first), ask(client, second))
    return one, other
