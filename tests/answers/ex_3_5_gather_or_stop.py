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


RIGHT = [task_group, gather_then_clean, first_exception, bare_from_the_group]


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


WRONG = [
    (plain_gather, "still ran"),
    (cancels_without_waiting, "`cancel()` only asks"),
    (cancels_only_on_failure, "cancelled from outside"),
    (waits_for_all, "the others ran on"),
    (in_a_row, "All workers run together"),
    (swallows_it, "has to reach the caller"),
    (another_error, "not one made up for it"),
    (by_arrival, "in the order of arrival"),
    (notices_late, "the others ran on"),
]
