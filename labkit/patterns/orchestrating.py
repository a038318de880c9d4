"""Orchestrator and workers: plan, work, synthesize."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from .asking import ask

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic


def parse_plan(text: str, *, limit: int = 4) -> list[str]:
    """Read a plan, one subtask a line, and return its subtasks.

    Bullets and numbering are marks where white space follows them, and all leading marks go:
    ``- 1. Book`` is ``Book``, while ``1.5 litres`` and ``3-day itinerary`` stay whole. Headings
    (lines that end with a colon), blank lines and repeats are dropped.

    Args:
        text: The plan as the model wrote it.
        limit: How many subtasks to keep, 1 or more.

    Returns:
        The subtasks, in order.

    Raises:
        ValueError: When no subtask is left.
    """
    subtasks: dict[str, str] = {}
    for line in text.splitlines():
        subtask = re.sub(r"^\s*(?:(?:[-*•]|\d+[.)])(?:\s+|$))*", "", line).strip()
        if subtask and not subtask.endswith(":"):
            subtasks.setdefault(subtask.casefold(), subtask)
    if not subtasks:
        raise ValueError(f"the plan names no subtask: {text!r}")
    return list(subtasks.values())[:limit]


async def orchestrate(client: AsyncAnthropic, goal: str, *, system: str) -> dict[str, Any]:
    """Plan a goal, work on its subtasks one after another, and synthesize the results.

    Args:
        client: The client to ask through.
        goal: What is to be reached.
        system: The system prompt of every call.

    Returns:
        ``subtasks``, the plan; ``results``, a pair (subtask, result) for each, in plan order; and
        ``final``, the text of the synthesis.

    Raises:
        ValueError: When the plan names no subtask; no worker is called then.
        anthropic.APIError: When the service does not answer.
    """
    plan = f"Break this goal into subtasks.\nWrite one a line.\n\n{goal}"
    subtasks = parse_plan(await ask(client, plan, system=system))
    results = []
    for subtask in subtasks:
        result = await ask(client, f"{subtask}\n\nIt is one part of: {goal}", system=system)
        results.append((subtask, result))
    notes = "\n\n".join(f"{subtask}\n{result}" for subtask, result in results)
    summary = f"Put the results together.\n\nGoal: {goal}\n\n{notes}"
    final = await ask(client, summary, system=system)
    return {"subtasks": subtasks, "results": results, "final": final}


async def orchestrate_parallel(client: AsyncAnthropic, goal: str, *, system: str) -> dict[str, Any]:
    """Plan a goal, work on all its subtasks at once, and synthesize the results.

    It takes as long as the plan, the slowest worker and the synthesis together. Cancelling it
    cancels every worker.

    Args:
        client: The client to ask through.
        goal: What is to be reached.
        system: The system prompt of every call.

    Returns:
        ``subtasks``, the plan; ``results``, a pair (subtask, result) for each, in plan order; and
        ``final``, the text of the synthesis.

    Raises:
        ValueError: When the plan names no subtask; no worker is called then.
        anthropic.APIError: When the service does not answer.
    """
    plan = f"Break this goal into subtasks.\nWrite one a line.\n\n{goal}"
    subtasks = parse_plan(await ask(client, plan, system=system))
    answers = await asyncio.gather(
        *(ask(client, f"{task}\n\nIt is one part of: {goal}", system=system) for task in subtasks)
    )
    results = list(zip(subtasks, answers, strict=True))
    notes = "\n\n".join(f"{subtask}\n{result}" for subtask, result in results)
    summary = f"Put the results together.\n\nGoal: {goal}\n\n{notes}"
    final = await ask(client, summary, system=system)
    return {"subtasks": subtasks, "results": results, "final": final}
