"""Racing: several attempts at one goal, the first good result wins, and nothing runs on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def cancel_and_finish(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """End tasks for good: each is cancelled, and its clean-up has run to its end.

    What a task returns or raises from here on is dropped, and one that has ended stays as it is.
    A cancellation that comes meanwhile is passed on to the tasks, and reaches the caller once they
    have ended.

    Args:
        tasks: What is to end; the tasks themselves, not coroutines.
    """
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)


async def race(attempts: Iterable[Callable[[], Awaitable[T]]], valid: Callable[[T], object]) -> T:
    """Return the first valid result of several attempts, and leave none of them running.

    All are started together. One that raises, or whose result is not valid, has lost and ends
    nothing; the winner ends the rest, clean-up and all. The same holds when the race itself is
    cancelled; a cancellation during the clean-up is passed on to it. Of two valid results in the
    same turn of the event loop, the one whose attempt stands first is taken.

    Args:
        attempts: Functions of no arguments, each of which returns an awaitable.
        valid: A plain function, called with a result; true where it may win. What it raises reaches
            the caller. An async one returns a coroutine, which is true of every result: a judge
            that has to be awaited belongs into the attempt.

    Returns:
        The result that won.

    Raises:
        ValueError: When there is no attempt.
        RuntimeError: When all have ended and none was valid. Its cause is a group of what the
            attempts raised, if any did.
    """

    async def run(attempt: Callable[[], Awaitable[T]]) -> T:
        return await attempt()

    racers = [asyncio.create_task(run(attempt)) for attempt in attempts]
    if not racers:
        raise ValueError("a race needs at least one attempt")
    failures: list[BaseException] = []
    waiting = set(racers)
    try:
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for racer in [racer for racer in racers if racer in done]:
                try:
                    result = racer.result()
                except (Exception, asyncio.CancelledError) as failure:
                    failures.append(failure)
                    continue
                if valid(result):
                    return result
    finally:
        await cancel_and_finish(racers)
    raise RuntimeError(
        f"none of {len(racers)} attempts gave a valid result; {len(failures)} of them raised"
    ) from (BaseExceptionGroup("what the attempts raised", failures) if failures else None)


async def race_within(
    attempts: Iterable[Callable[[], Awaitable[T]]],
    valid: Callable[[T], object],
    *,
    seconds: float,
) -> T:
    """Return the first valid result of several attempts, or give up when the time is over.

    The time is for finding a winner. Once there is one it is returned, however long the others
    take to clean up.

    Args:
        attempts: As for `race`.
        valid: As for `race`.
        seconds: How long to wait for a winner, in seconds.

    Returns:
        The result that won.

    Raises:
        ValueError: When there is no attempt.
        TimeoutError: When the time is over; every attempt has been cancelled and has finished. One
            that an attempt raises is no deadline, it loses.
        RuntimeError: When all have ended before that and none was valid; see `race`.
    """
    async with asyncio.timeout(seconds) as deadline:

        def wins(result: T) -> bool:
            if not valid(result):
                return False
            deadline.reschedule(None)  # the losers' clean-up is not on the clock
            return True

        return await race(attempts, wins)


async def hedge(attempt: Callable[[], Awaitable[T]], *, delay: float, copies: int = 2) -> T:
    """Ask once, and again where the answer is late; return whichever answer is there first.

    A copy is started when the latest one has run for ``delay`` without any result, or at once
    when one raises. The first to return ends the others, clean-up and all, as does a cancellation
    from outside. Only an attempt that may safely run twice can be hedged.

    Args:
        attempt: A function of no arguments that returns an awaitable, called once for each copy.
        delay: How long to wait for a result before the next copy is started, in seconds. A high
            percentile of the usual time, such as the 95th, keeps extra copies few.
        copies: How many may be started in all, 1 or more.

    Returns:
        The result of the first copy to return.

    Raises:
        ValueError: When ``copies`` is under 1; nothing is started then.
        Exception: What the last copy to fail raised, when all of them have raised.
    """
    if copies < 1:
        raise ValueError(f"copies is 1 or more, not {copies}")

    async def run() -> T:
        return await attempt()

    started: list[asyncio.Task[T]] = []
    waiting: set[asyncio.Task[T]] = set()
    due = 1
    try:
        while True:
            fresh = [asyncio.create_task(run()) for _ in range(min(due, copies - len(started)))]
            started += fresh
            done, waiting = await asyncio.wait(
                waiting | set(fresh),
                timeout=delay if len(started) < copies else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for copy in [copy for copy in started if copy in done]:
                try:
                    return copy.result()
                except (Exception, asyncio.CancelledError) as error:
                    failure = error
            if not waiting and len(started) == copies:
                raise failure
            due = len(done) or 1  # one for each that raised, or one because it is time
    finally:
        await cancel_and_finish(started)
