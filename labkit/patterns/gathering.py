"""Gathering: many workers at once, and every result in its place."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any


async def dispatch(worker: Callable[[str], Awaitable[str]], subtasks: Sequence[str]) -> str:
    """Run all workers at once and print what they report, in dispatch order.

    Args:
        worker: Called with a subtask; reports ``WORD (LENGTH)``.
        subtasks: What is to be done.

    Returns:
        ``WORD-LENGTH`` for each report, joined by `` | ``; the last line that is printed.
    """
    reports = await asyncio.gather(*(worker(subtask) for subtask in subtasks))
    for number, report in enumerate(reports, 1):
        print(f"worker {number}: {report}")
    final = " | ".join(report.replace(" (", "-").removesuffix(")") for report in reports)
    print(f"final: {final}")
    return final


async def gather_streaming(
    worker: Callable[[str], Awaitable[Any]],
    subtasks: Sequence[str],
    on_result: Callable[[int, Any], object],
) -> list[Any]:
    """Run all workers at once and report each result at the moment it arrives.

    Args:
        worker: Called with a subtask.
        subtasks: What is to be done; the same one may stand there twice.
        on_result: Called with a subtask's place, from 0, and its result, in order of finishing.

    Returns:
        The results, in dispatch order.
    """

    async def run(index: int, subtask: str) -> Any:
        result = await worker(subtask)
        on_result(index, result)
        return result

    return await asyncio.gather(*(run(index, subtask) for index, subtask in enumerate(subtasks)))


async def gather_bounded(
    worker: Callable[[str], Awaitable[Any]], subtasks: Sequence[str], *, limit: int
) -> list[Any]:
    """Run all workers, no more than a number of them at any time.

    Each of ``limit`` runners takes the next subtask as soon as it is free, so that a place never
    stands empty and ten thousand subtasks need no ten thousand tasks. The first failure ends the
    rest and reaches the caller.

    Args:
        worker: Called with a subtask.
        subtasks: What is to be done, started in this order.
        limit: How many may be in flight, 1 or more.

    Returns:
        The results, in dispatch order.

    Raises:
        ValueError: When ``limit`` is under 1; no worker is started then.
    """
    if limit < 1:
        raise ValueError(f"limit is 1 or more, not {limit}")
    results: list[Any] = [None] * len(subtasks)
    waiting = iter(enumerate(subtasks))

    async def run() -> None:
        for index, subtask in waiting:
            results[index] = await worker(subtask)

    runners = [asyncio.ensure_future(run()) for _ in range(min(limit, len(subtasks)))]
    try:
        if runners:
            # Unlike `gather` it cancels nothing itself: a second cancel would break a clean-up off.
            done, _ = await asyncio.wait(runners, return_when=asyncio.FIRST_EXCEPTION)
            for runner in done:
                runner.result()
    finally:
        for runner in runners:
            runner.cancel()
        await asyncio.gather(*runners, return_exceptions=True)
    return results


async def gather_settled(
    worker: Callable[[str], Awaitable[Any]], subtasks: Sequence[str]
) -> list[Any]:
    """Run all workers at once and let each one finish, whatever becomes of the others.

    Args:
        worker: Called with a subtask.
        subtasks: What is to be done.

    Returns:
        In dispatch order, each worker's result or, where it raised, the exception.
    """
    return await asyncio.gather(*(worker(subtask) for subtask in subtasks), return_exceptions=True)


async def gather_or_stop(
    worker: Callable[[str], Awaitable[Any]], subtasks: Sequence[str]
) -> list[Any]:
    """Run all workers at once and end them all at the first failure.

    Nothing is left running when it returns or raises, not even a worker's clean-up.

    Args:
        worker: Called with a subtask.
        subtasks: What is to be done.

    Returns:
        The results, in dispatch order.

    Raises:
        ExceptionGroup: Holds the failure; more than one where several failed together.
    """

    async def run(subtask: str) -> Any:
        return await worker(subtask)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run(subtask)) for subtask in subtasks]
    return [task.result() for task in tasks]
