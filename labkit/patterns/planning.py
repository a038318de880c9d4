"""Planning: whether a fan-out pays, what it will take, and which task may start when."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from heapq import heapreplace
from typing import Any


def preflight(job: Mapping[str, Any], *, min_tokens: int = 5_000) -> list[str]:
    """Say what speaks against fanning a job out.

    Args:
        job: ``tasks``, at least one, each with ``name``, ``seconds``, ``tokens``, ``needs`` (names
            of other tasks) and ``structured``; and ``merge_seconds``.
        min_tokens: What a task has to be worth, in tokens. The default is one practitioner's rule
            of thumb and no measurement: put your own figure in its place.

    Returns:
        Of ``dependent``, ``unstructured``, ``small`` and ``merge`` those that hold, in this order;
        an empty list means go.
    """
    tasks = job["tasks"]
    seconds = [task["seconds"] for task in tasks]
    saved = sum(seconds) - max(seconds)
    against = {
        "dependent": any(task["needs"] for task in tasks),
        "unstructured": not all(task["structured"] for task in tasks),
        "small": any(task["tokens"] < min_tokens for task in tasks),
        "merge": job["merge_seconds"] >= saved,
    }
    return [reason for reason, holds in against.items() if holds]


def predict(
    seconds: Sequence[float],
    *,
    limit: int | None = None,
    plan: float = 0.0,
    merge: float = 0.0,
) -> float:
    """Foretell how long a planned fan-out takes by the clock.

    Args:
        seconds: How long each task takes, in seconds, in the order in which they are started.
        limit: How many may be in flight, 1 or more; None for all of them.
        plan: Seconds before the first task starts.
        merge: Seconds after the last one ends.

    Returns:
        Seconds from the start of the plan to the end of the merge.

    Raises:
        ValueError: When ``limit`` is under 1.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"limit is 1 or more, not {limit}")
    places = len(seconds) if limit is None else min(limit, len(seconds))
    free_at = [plan] * places
    end = plan
    for took in seconds:
        # The heap's first place is the one that is free soonest.
        done = free_at[0] + took
        heapreplace(free_at, done)
        end = max(end, done)
    return end + merge


def waves(needs: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Part tasks into waves: what may start at once, then what may start after that, and so on.

    Args:
        needs: A task → the tasks it needs, each of them once.

    Returns:
        The waves, each in the mapping's order.

    Raises:
        ValueError: When a need is no task, or tasks need each other in a circle.
    """
    for task, those in needs.items():
        for need in those:
            if need not in needs:
                raise ValueError(f"{task!r} needs {need!r}, and there is no such task")
    sorter = TopologicalSorter(needs)
    try:
        sorter.prepare()
    except CycleError as error:
        circle = " → ".join(map(repr, error.args[1]))
        raise ValueError(f"these tasks wait for each other in a circle: {circle}") from None
    place = {task: number for number, task in enumerate(needs)}
    found = []
    while ready := sorter.get_ready():
        found.append(sorted(ready, key=place.__getitem__))
        sorter.done(*ready)
    return found


async def run_dag(
    worker: Callable[[str, dict[str, Any]], Awaitable[Any]],
    needs: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    """Run tasks that need each other's results, each as early as it can be.

    A task waits for its own needs and for nothing else, so the whole takes as long as the slowest
    chain. At the first failure, and when it is cancelled itself, all that runs is cancelled and
    has finished, clean-up and all, before this raises; what had not started never does.

    Args:
        worker: Called with a task and a mapping: need → its result.
        needs: A task → the tasks it needs, each of them once.

    Returns:
        Task → result, in the mapping's order.

    Raises:
        ValueError: As in `waves`; no worker is started then.
        ExceptionGroup: Holds the failure; more than one where several failed together.
    """
    # In the order of the waves, every need has its task before another asks for it.
    in_order = [task for wave in waves(needs) for task in wave]
    tasks: dict[str, asyncio.Task[Any]] = {}

    async def run(task: str) -> Any:
        before = [tasks[need] for need in needs[task]]
        if before:
            # Unlike `await`, this leaves the needs alone when the task itself is cancelled.
            await asyncio.wait(before)
        return await worker(task, {need: tasks[need].result() for need in needs[task]})

    async with asyncio.TaskGroup() as group:
        for task in in_order:
            tasks[task] = group.create_task(run(task))
    return {task: tasks[task].result() for task in needs}


def choose(job: Mapping[str, Any]) -> str:
    """Say which pattern fits a job.

    Args:
        job: As in `preflight`, with ``alternatives`` (the tasks are different tries at one goal),
            ``checkable`` (a good answer is quickly told from a bad one), ``cancellable``, and
            ``merge``, one of ``none``, ``schema`` and ``freeform``.

    Returns:
        ``routing``, ``plan-then-execute``, ``race-then-cancel``, ``parallel-spawn``,
        ``gather-then-merge`` or ``sequential``.
    """
    tasks = job["tasks"]
    if len(tasks) == 1 and not job["alternatives"]:
        return "routing"
    if any(task["needs"] for task in tasks):
        return "plan-then-execute"
    if job["alternatives"]:
        return "race-then-cancel" if job["checkable"] and job["cancellable"] else "sequential"
    if job["merge"] == "none":
        return "parallel-spawn"
    if job["merge"] == "schema" and all(task["structured"] for task in tasks):
        return "gather-then-merge"
    return "sequential"
