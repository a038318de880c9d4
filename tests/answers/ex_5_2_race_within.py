"""5.2: a deadline for the winner, none for the clean-up."""

import asyncio
import contextlib
import sys

from labkit.patterns import cancel_and_finish, race

ID = "5.2"


async def awaited(attempt):
    return await attempt()


async def winner_of(tasks, valid):
    for finished in asyncio.as_completed(tasks):
        try:
            result = await finished
        except Exception:
            continue
        if valid(result):
            return result
    raise RuntimeError("none was valid")


async def cleans_up_behind_the_timeout(attempts, valid, *, seconds):
    if not attempts:
        raise ValueError("no attempts")
    tasks = [asyncio.ensure_future(attempt()) for attempt in attempts]
    try:
        async with asyncio.timeout(seconds):
            return await winner_of(tasks, valid)
    finally:
        await cancel_and_finish(tasks)


async def wait_with_what_is_left(attempts, valid, *, seconds):
    if not attempts:
        raise ValueError
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    tasks = {loop.create_task(awaited(attempt)) for attempt in attempts}
    pending = tasks
    try:
        while pending:
            left = until - loop.time()
            done, pending = await asyncio.wait(pending, timeout=left, return_when="FIRST_COMPLETED")
            if not done:
                raise TimeoutError(f"{seconds} s are over")
            for task in done:
                if not task.exception() and valid(task.result()):
                    return task.result()
        raise RuntimeError("none was valid")
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def a_clock_that_races_along(attempts, valid, *, seconds):
    over = object()

    async def clock():
        await asyncio.sleep(seconds)
        return over

    if not attempts:
        raise ValueError
    left = len(attempts)
    nobody = asyncio.Event()

    async def counted(attempt):
        nonlocal left
        try:
            return await attempt()
        finally:
            left -= 1
            if not left:
                nobody.set()

    async def all_over():
        await nobody.wait()
        await asyncio.sleep(0)
        return nobody

    runs = [lambda attempt=attempt: counted(attempt) for attempt in attempts]
    result = await race([*runs, clock, all_over], lambda r: r is over or r is nobody or valid(r))
    if result is over:
        raise TimeoutError
    if result is nobody:
        raise RuntimeError("none was valid")
    return result


async def a_future_and_a_timer(attempts, valid, *, seconds):
    if not attempts:
        raise ValueError("no attempts")
    loop = asyncio.get_running_loop()
    decided = loop.create_future()

    def decide(error):
        if not decided.done():
            decided.set_exception(error)

    async def run(attempt):
        with contextlib.suppress(Exception):
            result = await attempt()
            if valid(result) and not decided.done():
                decided.set_result(result)

    timer = loop.call_later(seconds, decide, TimeoutError())
    tasks = [asyncio.create_task(run(attempt)) for attempt in attempts]
    everybody = asyncio.gather(*tasks)
    everybody.add_done_callback(lambda _: decide(RuntimeError("none was valid")))
    try:
        return await decided
    finally:
        timer.cancel()
        everybody.cancel()
        await cancel_and_finish(tasks)


async def wait_for_the_winner_alone(attempts, valid, *, seconds):
    if not attempts:
        raise ValueError
    tasks = [asyncio.create_task(awaited(attempt)) for attempt in attempts]
    try:
        return await asyncio.wait_for(winner_of(tasks, valid), seconds)
    finally:
        await cancel_and_finish(tasks)


RIGHT = [
    cleans_up_behind_the_timeout,
    wait_with_what_is_left,
    a_clock_that_races_along,
    a_future_and_a_timer,
    wait_for_the_winner_alone,
]


async def a_timeout_around_it_all(attempts, valid, *, seconds):
    async with asyncio.timeout(seconds):
        return await race(attempts, valid)


async def wait_for_the_race(attempts, valid, *, seconds):
    return await asyncio.wait_for(race(attempts, valid), seconds)


async def sets_the_clock_back_each_time(attempts, valid, *, seconds):
    if not attempts:
        raise ValueError
    tasks = {asyncio.create_task(awaited(attempt)) for attempt in attempts}
    pending = tasks
    try:
        while pending:
            done, pending = await asyncio.wait(
                pending, timeout=seconds, return_when="FIRST_COMPLETED"
            )
            if not done:
                raise TimeoutError
            for task in done:
                if not task.exception() and valid(task.result()):
                    return task.result()
        raise RuntimeError
    finally:
        await cancel_and_finish(tasks)


async def leaves_them_running(attempts, valid, *, seconds):
    if not attempts:
        raise ValueError
    tasks = [asyncio.create_task(awaited(attempt)) for attempt in attempts]
    async with asyncio.timeout(seconds):
        result = await winner_of(tasks, valid)
    await cancel_and_finish(tasks)
    return result


async def cancels_and_leaves(attempts, valid, *, seconds):
    if not attempts:
        raise ValueError
    tasks = [asyncio.create_task(awaited(attempt)) for attempt in attempts]
    try:
        async with asyncio.timeout(seconds):
            return await winner_of(tasks, valid)
    finally:
        for task in tasks:
            task.cancel()


async def takes_their_timeout_for_its_own(attempts, valid, *, seconds):
    if not attempts:
        raise ValueError
    tasks = [asyncio.create_task(awaited(attempt)) for attempt in attempts]
    try:
        async with asyncio.timeout(seconds):
            for finished in asyncio.as_completed(tasks):
                try:
                    result = await finished
                except TimeoutError:
                    raise
                except Exception:
                    continue
                if valid(result):
                    return result
        raise RuntimeError
    finally:
        await cancel_and_finish(tasks)


async def always_late_when_nobody_wins(attempts, valid, *, seconds):
    try:
        return await cleans_up_behind_the_timeout(attempts, valid, seconds=seconds)
    except RuntimeError:
        raise TimeoutError from None


async def waits_the_time_out(attempts, valid, *, seconds):
    if not attempts:
        raise ValueError
    tasks = [asyncio.create_task(awaited(attempt)) for attempt in attempts]
    try:
        await asyncio.wait(tasks, timeout=seconds)
        for task in tasks:
            if task.done() and not task.exception() and valid(task.result()):
                return task.result()
        if all(task.done() for task in tasks):
            raise RuntimeError
        raise TimeoutError
    finally:
        await cancel_and_finish(tasks)


async def none_when_it_is_late(attempts, valid, *, seconds):
    try:
        return await cleans_up_behind_the_timeout(attempts, valid, seconds=seconds)
    except TimeoutError:
        return None


async def the_first_of_asyncio_wait(attempts, valid, *, seconds):
    if not attempts:
        raise ValueError
    tasks = [asyncio.create_task(awaited(attempt)) for attempt in attempts]
    try:
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when="FIRST_COMPLETED")
        for task in done:
            if not task.exception() and valid(task.result()):
                return task.result()
        raise TimeoutError
    finally:
        await cancel_and_finish(tasks)


# Before 3.12 `wait_for` was a task of its own; now the race's cancel reaches the clean-up it began.
LATE = "No winner within" if sys.version_info < (3, 12) else "clean-up was broken off"


async def a_deadline_for_each(attempts, valid, *, seconds):
    limited = [lambda attempt=attempt: asyncio.wait_for(attempt(), seconds) for attempt in attempts]
    return await race(limited, valid)


async def calls_a_cancellation_late(attempts, valid, *, seconds):
    try:
        return await cleans_up_behind_the_timeout(attempts, valid, seconds=seconds)
    except asyncio.CancelledError:
        raise TimeoutError from None


def another_clock():
    # Such as `time.monotonic`: by it, no time passes in a check.
    return 100.0


async def by_another_clock(attempts, valid, *, seconds):
    if not attempts:
        raise ValueError
    until = another_clock() + seconds
    tasks = {asyncio.create_task(awaited(attempt)) for attempt in attempts}
    pending = tasks
    try:
        while pending:
            done, pending = await asyncio.wait(
                pending, timeout=until - another_clock(), return_when="FIRST_COMPLETED"
            )
            if not done:
                raise TimeoutError
            for task in done:
                if not task.exception() and valid(task.result()):
                    return task.result()
        raise RuntimeError
    finally:
        await cancel_and_finish(tasks)


async def takes_the_deadline_for_an_attempt(attempts, valid, *, seconds):
    if not attempts:
        raise ValueError
    tasks = [asyncio.ensure_future(attempt()) for attempt in attempts]
    try:
        for finished in asyncio.as_completed(tasks, timeout=seconds):
            try:
                result = await finished
            except Exception:
                continue
            if valid(result):
                return result
        raise RuntimeError
    finally:
        await cancel_and_finish(tasks)


async def none_for_a_failure(attempts, valid, *, seconds):
    def lenient(attempt):
        async def go():
            try:
                return await attempt()
            except Exception:
                return None

        return go

    return await cleans_up_behind_the_timeout(list(map(lenient, attempts)), valid, seconds=seconds)


WRONG = [
    (a_timeout_around_it_all, "not the clean-up of the losers"),
    (wait_for_the_race, "not the clean-up of the losers"),
    (sets_the_clock_back_each_time, "does not set it back"),
    (leaves_them_running, "still ran"),
    (cancels_and_leaves, "`cancel()` only asks"),
    (takes_their_timeout_for_its_own, "is an attempt's own"),
    (always_late_when_nobody_wins, "that raises a RuntimeError"),
    (waits_the_time_out, "The winner was there at"),
    (none_when_it_is_late, "No winner within"),
    (the_first_of_asyncio_wait, "before the deadline"),
    (a_deadline_for_each, LATE),
    (by_another_clock, "by the event loop's clock"),
    (takes_the_deadline_for_an_attempt, "as_completed(timeout=...)"),
    (none_for_a_failure, "has lost and has no result"),
    (calls_a_cancellation_late, "cancelled from outside"),
]
