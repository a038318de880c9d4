"""5.3: a second copy where the first is late; the first to return wins."""

import asyncio
import contextlib
from itertools import count

from labkit.patterns import cancel_and_finish

ID = "5.3"


async def awaited(attempt):
    return await attempt()


async def waits_with_a_timeout(attempt, *, delay, copies=2):
    if copies < 1:
        raise ValueError("at least one")
    tasks = [asyncio.ensure_future(attempt())]
    pending = set(tasks)
    try:
        while True:
            more = len(tasks) < copies
            done, pending = await asyncio.wait(
                pending, timeout=delay if more else None, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                if task.exception() is None:
                    return task.result()
                error = task.exception()
            if more:
                tasks.append(asyncio.ensure_future(attempt()))
                pending.add(tasks[-1])
            elif not pending:
                raise error
    finally:
        await cancel_and_finish(tasks)


async def one_supervisor(attempt, *, delay, copies=2):
    if copies < 1:
        raise ValueError(copies)
    news = asyncio.Queue()

    async def copy():
        try:
            news.put_nowait(("result", await attempt()))
        except Exception as error:
            news.put_nowait(("error", error))

    tasks = [asyncio.create_task(copy())]
    errors = []
    try:
        while len(errors) < copies:
            try:
                async with asyncio.timeout(delay if len(tasks) < copies else None):
                    kind, what = await news.get()
            except TimeoutError:
                kind = "late"
            if kind == "result":
                return what
            if kind == "error":
                errors.append(what)
            if len(tasks) < copies:
                tasks.append(asyncio.create_task(copy()))
        raise errors[-1]
    finally:
        await cancel_and_finish(tasks)


class Returned(Exception):
    pass


async def a_group_and_events(attempt, *, delay, copies=2):
    if copies < 1:
        raise ValueError(copies)
    errors = []
    found = []

    async def copy(failed):
        try:
            found.append(await attempt())
        except Exception as error:
            errors.append(error)
            failed.set()
            return
        raise Returned

    try:
        async with asyncio.TaskGroup() as group:
            failures = []
            for number in range(copies):
                if number:
                    await first_of(failures, delay)
                # Each failure calls for one more; those that came before are answered.
                failures = [event for event in failures if not event.is_set()]
                failures.append(asyncio.Event())
                group.create_task(copy(failures[-1]))
    except* Returned:
        pass
    if not found:
        raise errors[-1]
    return found[0]


async def first_of(events, delay):
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=delay, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancel_and_finish(waits)


async def a_timer_that_is_set_anew(attempt, *, delay, copies=2):
    if copies < 1:
        raise ValueError("copies")
    loop = asyncio.get_running_loop()
    outcome = loop.create_future()
    tasks = []
    errors = []
    timer = None

    def start():
        nonlocal timer
        if timer is not None:
            timer.cancel()
        if len(tasks) < copies and not outcome.done():
            tasks.append(loop.create_task(awaited(attempt)))
            tasks[-1].add_done_callback(ended)
            timer = loop.call_later(delay, start)

    def ended(task):
        if outcome.done() or task.cancelled():
            return
        if task.exception() is None:
            outcome.set_result(task.result())
            return
        errors.append(task.exception())
        if len(tasks) < copies:
            start()
        elif len(errors) == copies:
            outcome.set_exception(errors[-1])

    start()
    try:
        return await outcome
    finally:
        outcome.cancel()
        timer.cancel()
        await cancel_and_finish(tasks)


RIGHT = [waits_with_a_timeout, one_supervisor, a_group_and_events, a_timer_that_is_set_anew]


async def all_at_once(attempt, *, delay, copies=2):
    if copies < 1:
        raise ValueError
    tasks = [asyncio.create_task(awaited(attempt)) for _ in range(copies)]
    try:
        for finished in asyncio.as_completed(tasks):
            try:
                return await finished
            except Exception as error:
                last = error
        raise last
    finally:
        await cancel_and_finish(tasks)


async def a_retry(attempt, *, delay, copies=2):
    if copies < 1:
        raise ValueError
    for number in range(copies):
        try:
            limit = delay if number < copies - 1 else None
            return await asyncio.wait_for(attempt(), limit)
        except TimeoutError as error:
            last = error
    raise last


async def counts_from_the_beginning(attempt, *, delay, copies=2):
    if copies < 1:
        raise ValueError
    began = asyncio.get_running_loop().time()
    tasks = [asyncio.create_task(awaited(attempt))]
    pending = set(tasks)
    due = count(1)
    at = began + delay * next(due)
    try:
        while True:
            more = len(tasks) < copies
            left = max(0, at - asyncio.get_running_loop().time())
            done, pending = await asyncio.wait(
                pending, timeout=left if more else None, return_when="FIRST_COMPLETED"
            )
            for task in done:
                if not task.exception():
                    return task.result()
                last = task.exception()
            if more:
                if not done:
                    at = began + delay * next(due)
                tasks.append(asyncio.create_task(awaited(attempt)))
                pending.add(tasks[-1])
            elif not pending:
                raise last
    finally:
        await cancel_and_finish(tasks)


async def waits_after_a_failure(attempt, *, delay, copies=2):
    if copies < 1:
        raise ValueError

    async def copy(number):
        await asyncio.sleep(delay * number)
        return await attempt()

    tasks = [asyncio.create_task(copy(number)) for number in range(copies)]
    try:
        for finished in asyncio.as_completed(tasks):
            try:
                return await finished
            except Exception as error:
                last = error
        raise last
    finally:
        await cancel_and_finish(tasks)


def with_errors(choose):
    async def hedging(attempt, *, delay, copies=2):
        if copies < 1:
            raise ValueError
        errors = {}

        def numbered(number):
            async def run():
                try:
                    return await attempt()
                except Exception as error:
                    errors[number] = error
                    raise

            return run()

        numbers = count()
        try:
            return await waits_with_a_timeout(
                lambda: numbered(next(numbers)), delay=delay, copies=copies
            )
        except Exception:
            raise choose(errors) from None

    return hedging


async def raises_the_first(attempt, *, delay, copies=2):
    first = with_errors(lambda errors: next(iter(errors.values())))
    return await first(attempt, delay=delay, copies=copies)


async def raises_that_of_the_last_copy(attempt, *, delay, copies=2):
    latest = with_errors(lambda errors: errors[max(errors)])
    return await latest(attempt, delay=delay, copies=copies)


async def one_failure_ends_it(attempt, *, delay, copies=2):
    if copies < 1:
        raise ValueError
    tasks = [asyncio.ensure_future(attempt())]
    pending = set(tasks)
    try:
        while True:
            more = len(tasks) < copies
            done, pending = await asyncio.wait(
                pending, timeout=delay if more else None, return_when="FIRST_COMPLETED"
            )
            if done:
                return done.pop().result()
            tasks.append(asyncio.ensure_future(attempt()))
            pending.add(tasks[-1])
    finally:
        await cancel_and_finish(tasks)


async def leaves_the_slow_one(attempt, *, delay, copies=2):
    if copies < 1:
        raise ValueError
    pending = {asyncio.ensure_future(attempt())}
    started = 1
    while True:
        more = started < copies
        done, pending = await asyncio.wait(
            pending, timeout=delay if more else None, return_when="FIRST_COMPLETED"
        )
        for task in done:
            if not task.exception():
                return task.result()
            last = task.exception()
        if more:
            pending.add(asyncio.ensure_future(attempt()))
            started += 1
        elif not pending:
            raise last


async def cancels_and_leaves(attempt, *, delay, copies=2):
    tasks = []

    def noted():
        tasks.append(asyncio.ensure_future(attempt()))
        return asyncio.shield(tasks[-1])

    try:
        return await waits_with_a_timeout(noted, delay=delay, copies=copies)
    finally:
        for task in tasks:
            task.cancel()


async def takes_none_for_no_answer(attempt, *, delay, copies=2):
    async def insisting():
        result = await attempt()
        if not result:
            raise LookupError("nothing")
        return result

    return await waits_with_a_timeout(insisting, delay=delay, copies=copies)


async def one_copy_more(attempt, *, delay, copies=2):
    return await waits_with_a_timeout(attempt, delay=delay, copies=copies + (copies >= 1))


async def never_refuses(attempt, *, delay, copies=2):
    return await waits_with_a_timeout(attempt, delay=delay, copies=max(1, copies))


async def another_error(attempt, *, delay, copies=2):
    if copies < 1:
        raise ValueError
    try:
        return await waits_with_a_timeout(attempt, delay=delay, copies=copies)
    except Exception as error:
        raise RuntimeError("every copy failed") from error


def looking_at(some_of):
    async def hedging(attempt, *, delay, copies=2):
        if copies < 1:
            raise ValueError
        tasks = [asyncio.ensure_future(attempt())]
        pending = set(tasks)
        try:
            while True:
                more = len(tasks) < copies
                done, pending = await asyncio.wait(
                    pending, timeout=delay if more else None, return_when="FIRST_COMPLETED"
                )
                for task in some_of(done):
                    if not task.exception():
                        return task.result()
                    last = task.exception()
                if more:
                    tasks.append(asyncio.ensure_future(attempt()))
                    pending.add(tasks[-1])
                elif not pending:
                    raise last
        finally:
            await cancel_and_finish(tasks)

    return hedging


async def pops_one_of_done(attempt, *, delay, copies=2):
    popping = looking_at(lambda done: [done.pop()] if done else [])
    return await popping(attempt, delay=delay, copies=copies)


async def looks_at_the_first_of_done(attempt, *, delay, copies=2):
    first = looking_at(lambda done: list(done)[:1])
    return await first(attempt, delay=delay, copies=copies)


async def stops_looking_at_the_first_failure(attempt, *, delay, copies=2):
    def until_one_failed(done):
        for task in done:
            yield task
            if task.exception():
                break

    return await looking_at(until_one_failed)(attempt, delay=delay, copies=copies)


async def all_have_ended_so_all_have_failed(attempt, *, delay, copies=2):
    if copies < 1:
        raise ValueError
    news = asyncio.Queue()
    tasks = []

    def start():
        tasks.append(asyncio.create_task(awaited(attempt)))
        tasks[-1].add_done_callback(news.put_nowait)

    start()
    try:
        while True:
            task = None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay if len(tasks) < copies else None):
                    task = await news.get()
            if task and not task.exception():
                return task.result()
            if len(tasks) < copies:
                start()
            elif all(task.done() for task in tasks):
                raise task.exception()
    finally:
        await cancel_and_finish(tasks)


async def each_copy_waits_for_the_next(attempt, *, delay, copies=2):
    if copies < 1:
        raise ValueError
    first = asyncio.ensure_future(attempt())
    tasks = {first}
    try:
        done, _ = await asyncio.wait(tasks, timeout=delay if copies > 1 else None)
        if done and (not first.exception() or copies == 1):
            return first.result()
        rest = hedge_the_rest(attempt, delay, copies - 1)
        tasks.add(asyncio.create_task(rest))
        pending = tasks - done
        while pending:
            done, pending = await asyncio.wait(pending, return_when="FIRST_COMPLETED")
            for task in done:
                if not task.exception():
                    return task.result()
                last = task.exception()
        raise last
    finally:
        await cancel_and_finish(tasks)


async def hedge_the_rest(attempt, delay, copies):
    return await each_copy_waits_for_the_next(attempt, delay=delay, copies=copies)


async def gives_up_after_the_last(attempt, *, delay, copies=2):
    if copies < 1:
        raise ValueError
    tasks = []
    pending = set()
    last = None
    try:
        while True:
            if len(tasks) < copies:
                tasks.append(asyncio.ensure_future(attempt()))
                pending.add(tasks[-1])
            elif not pending:
                raise last
            done, pending = await asyncio.wait(
                pending, timeout=delay, return_when="FIRST_COMPLETED"
            )
            if not done and len(tasks) == copies:
                raise TimeoutError("no copy returned")
            for task in done:
                if not task.exception():
                    return task.result()
                last = task.exception()
    finally:
        await cancel_and_finish(tasks)


WRONG = [
    (all_at_once, "started once only"),
    (a_retry, "A hedge is no retry"),
    (counts_from_the_beginning, "counts from the start of the latest copy"),
    (waits_after_a_failure, "one more is started at once"),
    (each_copy_waits_for_the_next, "Whichever copy raises"),
    (pops_one_of_done, "Look at every one in `done`"),
    (looks_at_the_first_of_done, "Look at every one in `done`"),
    (stops_looking_at_the_first_failure, "Look at every one in `done`"),
    (all_have_ended_so_all_have_failed, "before you say that all have failed"),
    (gives_up_after_the_last, "which is no deadline"),
    (raises_the_first, "the one raised last in time"),
    (raises_that_of_the_last_copy, "the one raised last in time"),
    (one_failure_ends_it, "A copy that raises ends nothing"),
    (leaves_the_slow_one, "still ran"),
    (cancels_and_leaves, "`cancel()` only asks"),
    (takes_none_for_no_answer, "are results, too"),
    (one_copy_more, "copies in all at most"),
    (never_refuses, "raises a ValueError"),
    (another_error, "Every copy has raised"),
]
