"""3.5: the first failure ends the rest, clean-up and all."""

import asyncio

ID = "3.5"


async def task_group(worker, subtasks):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(worker(subtask)) for subtask in subtasks]
    return [task.result() for task in tasks]


async def gather_then_clean(worker, subtasks):
    tasks = [asyncio.ensure_future(worker(subtask)) for subtask in subtasks]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def first_exception(worker, subtasks):
    tasks = [asyncio.create_task(worker(subtask)) for subtask in subtasks]
    try:
        if tasks:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        return (
            tuple(task.result() for task in tasks if task.done() and task.exception() is None)
            if all(task.done() and not task.exception() for task in tasks)
            else raise_first(tasks)
        )
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def raise_first(tasks):
    raise next(task.exception() for task in tasks if task.done() and task.exception())


async def bare_from_the_group(worker, subtasks):
    try:
        return await task_group(worker, subtasks)
    except ExceptionGroup as group:
        raise group.exceptions[0] from None


async def group_around_gather(worker, subtasks):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(worker(task=subtask)) for subtask in subtasks]
        return await asyncio.gather(*tasks)


async def asked_twice_in_one_breath(worker, subtasks):
    # The second request finds the task as the first one left it: its clean-up has not begun.
    tasks = [asyncio.ensure_future(worker(subtask)) for subtask in subtasks]
    try:
        return await asyncio.gather(*tasks)
    except Exception:
        for task in [*tasks, *tasks]:
            task.cancel()
        raise
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def each_stops_the_others(worker, subtasks):
    failures = []

    async def run(subtask):
        try:
            return await worker(subtask)
        except Exception as failure:
            failures.append(failure)
            if len(failures) == 1:
                for task in tasks:
                    if task is not asyncio.current_task():
                        task.cancel()
            raise

    tasks = [asyncio.create_task(run(subtask)) for subtask in subtasks]
    results = await asyncio.gather(*tasks, return_exceptions=True)
    if failures:
        raise failures[0]
    return results


async def as_they_come(worker, subtasks):
    tasks = [asyncio.create_task(worker(subtask)) for subtask in reversed(subtasks)]
    try:
        for done in asyncio.as_completed(tasks):
            await done
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            await asyncio.wait([task])
    return [task.result() for task in reversed(tasks)]


RIGHT = [
    task_group,
    gather_then_clean,
    first_exception,
    bare_from_the_group,
    group_around_gather,
    asked_twice_in_one_breath,
    each_stops_the_others,
    as_they_come,
]


async def plain_gather(worker, subtasks):
    return await asyncio.gather(*map(worker, subtasks))


async def cancels_without_waiting(worker, subtasks):
    tasks = [asyncio.ensure_future(worker(subtask)) for subtask in subtasks]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        raise


async def cancels_only_on_failure(worker, subtasks):
    tasks = [asyncio.ensure_future(worker(subtask)) for subtask in subtasks]
    try:
        return await asyncio.gather(*tasks)
    except Exception:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def waits_for_all(worker, subtasks):
    results = await asyncio.gather(*map(worker, subtasks), return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results


async def in_a_row(worker, subtasks):
    return [await worker(subtask) for subtask in subtasks]


async def swallows_it(worker, subtasks):
    try:
        return await task_group(worker, subtasks)
    except ExceptionGroup:
        return []


async def another_error(worker, subtasks):
    try:
        return await task_group(worker, subtasks)
    except ExceptionGroup as group:
        raise type(group.exceptions[0])("a worker failed") from None


async def by_arrival(worker, subtasks):
    results = []

    async def run(subtask):
        results.append(await worker(subtask))

    await task_group(run, subtasks)
    return results


async def notices_late(worker, subtasks):
    tasks = [asyncio.ensure_future(worker(subtask)) for subtask in subtasks]
    try:
        return [await task for task in tasks]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def asks_again(worker, subtasks):
    tasks = [asyncio.ensure_future(worker(subtask)) for subtask in subtasks]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def asks_until_it_is_quiet(worker, subtasks):
    tasks = {asyncio.ensure_future(worker(subtask)): subtask for subtask in subtasks}
    try:
        return await asyncio.gather(*tasks)
    finally:
        while running := [task for task in tasks if not task.done()]:
            for task in running:
                task.cancel()
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)


async def gives_it_a_moment(worker, subtasks):
    tasks = [asyncio.ensure_future(worker(subtask)) for subtask in subtasks]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        try:
            async with asyncio.timeout(0.05):
                await asyncio.gather(*tasks, return_exceptions=True)
        except TimeoutError:
            pass


async def gives_it_an_hour(worker, subtasks):
    tasks = [asyncio.ensure_future(worker(subtask)) for subtask in subtasks]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=3_600)


async def asks_again_when_cancelled(worker, subtasks):
    tasks = [asyncio.ensure_future(worker(subtask)) for subtask in subtasks]
    try:
        if tasks:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        if any(task.done() and task.exception() for task in tasks):
            raise_first(tasks)
        return [task.result() for task in tasks]
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        await asyncio.sleep(0)
        raise
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def sleeps_for_the_clean_up(worker, subtasks):
    tasks = [asyncio.ensure_future(worker(subtask)) for subtask in subtasks]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.sleep(2)
        raise


async def looks_now_and_then(worker, subtasks):
    tasks = [asyncio.create_task(worker(subtask)) for subtask in subtasks]
    try:
        while not all(task.done() for task in tasks):
            if any(task.done() and task.exception() for task in tasks):
                raise_first(tasks)
            await asyncio.sleep(0.3)
        return [task.result() for task in tasks]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def looks_for_failures_now_and_then(worker, subtasks):
    tasks = [asyncio.create_task(worker(subtask)) for subtask in subtasks]
    try:
        while not all(task.done() for task in tasks):
            if any(task.done() and task.exception() for task in tasks):
                raise_first(tasks)
            await asyncio.wait(tasks, timeout=0.3)
        return [task.result() for task in tasks]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def stops_only_the_later_ones(worker, subtasks):
    tasks = [asyncio.create_task(worker(subtask)) for subtask in subtasks]

    async def watched(index):
        try:
            return await tasks[index]
        except Exception:
            for task in tasks[index + 1 :]:
                task.cancel()
            raise

    results = await asyncio.gather(*map(watched, range(len(tasks))), return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results


async def asks_for_results_in_the_group(worker, subtasks):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(worker(subtask)) for subtask in subtasks]
        return [task.result() for task in tasks]


async def returns_tasks(worker, subtasks):
    async with asyncio.TaskGroup() as group:
        return [group.create_task(worker(subtask)) for subtask in subtasks]


async def drops_what_is_false(worker, subtasks):
    return [result for result in await task_group(worker, subtasks) if result]


async def by_subtask(worker, subtasks):
    results = {}

    async def run(subtask):
        results[subtask] = await worker(subtask)

    await task_group(run, subtasks)
    return [results[subtask] for subtask in subtasks]


async def ten_at_a_time(worker, subtasks):
    places = asyncio.Semaphore(10)

    async def run(subtask):
        async with places:
            return await worker(subtask)

    return await task_group(run, subtasks)


async def no_star(worker, subtasks):
    return await asyncio.gather([worker(subtask) for subtask in subtasks])


WRONG = [
    (plain_gather, "still ran"),
    (cancels_without_waiting, "`cancel()` only asks"),
    (cancels_only_on_failure, "cancelled from outside"),
    (waits_for_all, "and others ran on"),
    (in_a_row, "All workers run together"),
    (swallows_it, "has to reach the caller"),
    (another_error, "not one made up for it"),
    (by_arrival, "in the order of arrival"),
    (notices_late, "and others ran on"),
    (asks_again, "clean-up was broken off"),
    (asks_until_it_is_quiet, "clean-up was broken off"),
    (gives_it_a_moment, "clean-up was broken off"),
    (gives_it_an_hour, "`cancel()` only asks"),
    (asks_again_when_cancelled, "clean-up was broken off"),
    (sleeps_for_the_clean_up, "neither before nor after"),
    (looks_now_and_then, "notices late"),
    (looks_for_failures_now_and_then, "At the first failure"),
    (stops_only_the_later_ones, "and others ran on"),
    (asks_for_results_in_the_group, "behind its `async with` block"),
    (returns_tasks, "`await` gives the result"),
    (drops_what_is_false, "A worker may return anything"),
    (by_subtask, "Keep results by place"),
    (ten_at_a_time, "Nobody asked for a cap here"),
    (no_star, "with a star in front of the list"),
]
