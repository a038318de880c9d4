"""5.1: the first valid result wins, the rest are cancelled and finished."""

import asyncio
import contextlib
from functools import partial

ID = "5.1"


async def awaited(attempt):
    return await attempt()


async def end(tasks):
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def completed_in_turn(attempts, valid):
    if not attempts:
        raise ValueError("nobody races")
    tasks = [asyncio.ensure_future(attempt()) for attempt in attempts]
    try:
        for finished in asyncio.as_completed(tasks):
            try:
                result = await finished
            except Exception:
                continue
            if valid(result):
                return result
        raise RuntimeError("nobody won")
    finally:
        await end(tasks)


async def a_queue(attempts, valid):
    if len(attempts) == 0:
        raise ValueError
    arrivals = asyncio.Queue()

    async def run(attempt):
        try:
            arrivals.put_nowait((True, await attempt()))
        except Exception as error:
            arrivals.put_nowait((False, error))

    tasks = [asyncio.create_task(run(attempt)) for attempt in attempts]
    try:
        for _ in tasks:
            ok, result = await arrivals.get()
            if ok and valid(result):
                return result
    finally:
        await end(tasks)
    raise RuntimeError("no valid result")


class Won(Exception):
    pass


async def a_group_that_the_winner_breaks(attempts, valid):
    if not attempts:
        raise ValueError("no attempts")

    async def run(attempt):
        try:
            result = await attempt()
        except Exception:
            return
        if valid(result):
            raise Won(result)

    try:
        async with asyncio.TaskGroup() as group:
            for attempt in attempts:
                group.create_task(run(attempt))
    except* Won as won:
        # `return` is no statement for an except* block.
        winner = [won.exceptions[0].args[0]]
    else:
        raise RuntimeError("none was valid")
    return winner[0]


async def a_future_and_callbacks(attempts, valid):
    if not attempts:
        raise ValueError("no attempts")
    loop = asyncio.get_running_loop()
    won = loop.create_future()
    tasks = [loop.create_task(awaited(attempt)) for attempt in attempts]
    left = len(tasks)

    def look(task):
        nonlocal left
        left -= 1
        if won.done():
            return
        if not task.cancelled() and not task.exception() and valid(task.result()):
            won.set_result(task.result())
        elif not left:
            won.set_exception(RuntimeError("none was valid"))

    for task in tasks:
        task.add_done_callback(look)
    try:
        return await won
    finally:
        won.cancel()
        await end(tasks)


async def cleans_up_one_by_one(attempts, valid):
    if not attempts:
        raise ValueError("no attempts")
    pending = {asyncio.create_task(awaited(attempt)) for attempt in attempts}
    try:
        while pending:
            done, pending = await asyncio.wait(pending, return_when="FIRST_COMPLETED")
            for task in done:
                if task.exception() is None and valid(task.result()):
                    return task.result()
        raise RuntimeError("none was valid")
    finally:
        for task in pending:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def looks_every_so_often(attempts, valid):
    if not attempts:
        raise ValueError("no attempts")
    tasks = [asyncio.create_task(awaited(attempt)) for attempt in attempts]
    asked = set()
    try:
        while len(asked) < len(tasks):
            for task in tasks:
                if task.done() and task not in asked:
                    asked.add(task)
                    if not task.exception() and valid(task.result()):
                        return task.result()
            await asyncio.sleep(0.05)
        raise RuntimeError("none was valid")
    finally:
        await end(tasks)


RIGHT = [
    completed_in_turn,
    a_queue,
    a_group_that_the_winner_breaks,
    a_future_and_callbacks,
    cleans_up_one_by_one,
    looks_every_so_often,
]


async def in_a_row(attempts, valid):
    if not attempts:
        raise ValueError
    for attempt in attempts:
        try:
            result = await attempt()
        except Exception:
            continue
        if valid(result):
            return result
    raise RuntimeError


async def waits_for_all(attempts, valid):
    if not attempts:
        raise ValueError
    results = await asyncio.gather(*map(awaited, attempts), return_exceptions=True)
    for result in results:
        if not isinstance(result, Exception) and valid(result):
            return result
    raise RuntimeError


async def lets_the_losers_finish(attempts, valid):
    if not attempts:
        raise ValueError
    tasks = [asyncio.create_task(awaited(attempt)) for attempt in attempts]
    winner = []
    for finished in asyncio.as_completed(tasks):
        with contextlib.suppress(Exception):
            result = await finished
            if not winner and valid(result):
                winner.append(result)
    if not winner:
        raise RuntimeError
    return winner[0]


async def first_completed_wins(attempts, valid):
    tasks = [asyncio.create_task(awaited(attempt)) for attempt in attempts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(task for task in tasks if task in done).result()
    finally:
        await end(tasks)


async def asks_the_first_of_done_alone(attempts, valid):
    if not attempts:
        raise ValueError
    tasks = [asyncio.create_task(awaited(attempt)) for attempt in attempts]
    pending = set(tasks)
    try:
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            first = next(task for task in tasks if task in done)
            if not first.exception() and valid(first.result()):
                return first.result()
        raise RuntimeError
    finally:
        await end(tasks)


async def leaves_the_losers_running(attempts, valid):
    tasks = [asyncio.ensure_future(attempt()) for attempt in attempts]
    for finished in asyncio.as_completed(tasks):
        with contextlib.suppress(Exception):
            result = await finished
            if valid(result):
                return result
    raise RuntimeError if tasks else ValueError


async def cancels_and_leaves(attempts, valid):
    if not attempts:
        raise ValueError
    tasks = [asyncio.ensure_future(attempt()) for attempt in attempts]
    try:
        for finished in asyncio.as_completed(tasks):
            with contextlib.suppress(Exception):
                result = await finished
                if valid(result):
                    return result
        raise RuntimeError
    finally:
        for task in tasks:
            task.cancel()


async def cleans_up_after_a_win_alone(attempts, valid):
    if not attempts:
        raise ValueError
    tasks = [asyncio.create_task(awaited(attempt)) for attempt in attempts]
    for finished in asyncio.as_completed(tasks):
        try:
            result = await finished
        except Exception:
            continue
        if valid(result):
            await end(tasks)
            return result
    raise RuntimeError


async def one_failure_ends_it(attempts, valid):
    if not attempts:
        raise ValueError
    tasks = [asyncio.create_task(awaited(attempt)) for attempt in attempts]
    try:
        for finished in asyncio.as_completed(tasks):
            result = await finished
            if valid(result):
                return result
        raise RuntimeError
    finally:
        await end(tasks)


async def takes_nothing_for_no_result(attempts, valid):
    if not attempts:
        raise ValueError
    tasks = [asyncio.create_task(awaited(attempt)) for attempt in attempts]
    try:
        for finished in asyncio.as_completed(tasks):
            with contextlib.suppress(Exception):
                result = await finished
                if result and valid(result):
                    return result
        raise RuntimeError
    finally:
        await end(tasks)


async def takes_coroutines_alone(attempts, valid):
    if not attempts:
        raise ValueError
    tasks = [asyncio.create_task(attempt()) for attempt in attempts]
    try:
        for finished in asyncio.as_completed(tasks):
            with contextlib.suppress(Exception):
                result = await finished
                if valid(result):
                    return result
        raise RuntimeError
    finally:
        await end(tasks)


async def none_when_nobody_wins(attempts, valid):
    if not attempts:
        raise ValueError
    with contextlib.suppress(RuntimeError):
        return await completed_in_turn(attempts, valid)


async def raises_what_an_attempt_raised(attempts, valid):
    if not attempts:
        raise ValueError
    tasks = [asyncio.create_task(awaited(attempt)) for attempt in attempts]
    last = RuntimeError("none was valid")
    try:
        for finished in asyncio.as_completed(tasks):
            try:
                result = await finished
            except Exception as error:
                last = error
                continue
            if valid(result):
                return result
        raise last
    finally:
        await end(tasks)


async def waits_for_nobody(attempts, valid):
    return await completed_in_turn(attempts or [partial(asyncio.sleep, 0)], valid)


async def shields_them(attempts, valid):
    if not attempts:
        raise ValueError
    tasks = [asyncio.ensure_future(attempt()) for attempt in attempts]
    shields = [asyncio.shield(task) for task in tasks]
    try:
        for finished in asyncio.as_completed(shields):
            with contextlib.suppress(Exception):
                result = await finished
                if valid(result):
                    return result
        raise RuntimeError
    finally:
        await end(shields)


async def swallows_the_cancellation(attempts, valid):
    try:
        return await completed_in_turn(attempts, valid)
    except asyncio.CancelledError:
        return None


def with_failures_as(result_of):
    async def racing(attempts, valid):
        async def go(attempt):
            try:
                return await attempt()
            except Exception as error:
                return result_of(error)

        return await completed_in_turn([partial(go, attempt) for attempt in attempts], valid)

    return racing


async def none_for_a_failure(attempts, valid):
    return await with_failures_as(lambda _: None)(attempts, valid)


async def the_exception_for_a_failure(attempts, valid):
    return await with_failures_as(lambda error: error)(attempts, valid)


async def none_for_whatever_ends_it(attempts, valid):
    async def go(attempt):
        try:
            return await attempt()
        except BaseException:
            return None

    return await completed_in_turn([partial(go, attempt) for attempt in attempts], valid)


async def takes_a_returned_exception_for_a_failure(attempts, valid):
    def wins(result):
        return not isinstance(result, Exception) and valid(result)

    return await with_failures_as(lambda error: error)(attempts, wins)


async def in_the_order_of_the_list(attempts, valid):
    if not attempts:
        raise ValueError
    tasks = [asyncio.create_task(awaited(attempt)) for attempt in attempts]
    try:
        for task in tasks:
            with contextlib.suppress(Exception):
                result = await task
                if valid(result):
                    return result
        raise RuntimeError
    finally:
        await end(tasks)


async def gathers_the_losers_bare(attempts, valid):
    if not attempts:
        raise ValueError
    tasks = [asyncio.create_task(awaited(attempt)) for attempt in attempts]
    pending = set(tasks)
    try:
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if not task.exception() and valid(task.result()):
                    return task.result()
        raise RuntimeError
    finally:
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending)


async def forgets_the_return(attempts, valid):
    await completed_in_turn(attempts, valid)


WRONG = [
    (in_a_row, "started together"),
    (waits_for_all, "it waited for the others"),
    (lets_the_losers_finish, "ran on to the end"),
    (first_completed_wins, "need not be the first that is valid"),
    (asks_the_first_of_done_alone, "look at every one that has"),
    (leaves_the_losers_running, "still ran"),
    (cancels_and_leaves, "`cancel()` only asks"),
    (cleans_up_after_a_win_alone, "cancelled from outside"),
    (one_failure_ends_it, "An attempt that raises has lost"),
    (takes_nothing_for_no_result, "are results, too"),
    (takes_coroutines_alone, "`create_task` takes a coroutine"),
    (none_when_nobody_wins, "that raises a RuntimeError"),
    (raises_what_an_attempt_raised, "not what an attempt raised"),
    (waits_for_nobody, "raises a ValueError"),
    (shields_them, "still ran"),
    (none_for_a_failure, "has lost and has no result"),
    (the_exception_for_a_failure, "has lost and has no result"),
    (none_for_whatever_ends_it, "has lost and has no result"),
    (takes_a_returned_exception_for_a_failure, "are results, too"),
    (in_the_order_of_the_list, "in the order of the list"),
    (gathers_the_losers_bare, "nobody had cancelled it"),
    (forgets_the_return, "What the winner returned is wanted"),
    (swallows_the_cancellation, "CancelledError has to reach the caller"),
]
