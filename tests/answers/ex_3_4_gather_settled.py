"""3.4: everyone finishes, and a failure keeps its place."""

import asyncio

ID = "3.4"


async def returned(worker, subtasks):
    return await asyncio.gather(*map(worker, subtasks), return_exceptions=True)


async def caught(worker, subtasks):
    async def settle(subtask):
        try:
            return await worker(subtask)
        except Exception as error:
            return error

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(settle(subtask)) for subtask in subtasks]
    return [task.result() for task in tasks]


async def slots(worker, subtasks):
    places = [None] * len(subtasks)

    async def fill(index):
        try:
            places[index] = await worker(subtasks[index])
        except Exception as error:
            places[index] = error

    await asyncio.gather(*map(fill, range(len(subtasks))))
    return tuple(places)


async def last_started_first(worker, subtasks):
    tasks = [asyncio.ensure_future(worker(task=subtask)) for subtask in reversed(subtasks)]
    return (await asyncio.gather(*tasks, return_exceptions=True))[::-1]


async def waited(worker, subtasks):
    tasks = [asyncio.create_task(worker(subtask)) for subtask in subtasks]
    if not tasks:
        return []
    try:
        await asyncio.wait(tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return [task.exception() or task.result() for task in tasks]


RIGHT = [returned, caught, slots, last_started_first, waited]


async def plain_gather(worker, subtasks):
    return await asyncio.gather(*map(worker, subtasks))


async def text_of_it(worker, subtasks):
    results = await returned(worker, subtasks)
    return [str(r) if isinstance(r, Exception) else r for r in results]


async def none_for_it(worker, subtasks):
    results = await returned(worker, subtasks)
    return [None if isinstance(r, Exception) else r for r in results]


async def left_out(worker, subtasks):
    return [r for r in await returned(worker, subtasks) if not isinstance(r, Exception)]


async def a_new_one(worker, subtasks):
    results = await returned(worker, subtasks)
    return [RuntimeError(str(r)) if isinstance(r, Exception) else r for r in results]


async def in_a_row(worker, subtasks):
    results = []
    for subtask in subtasks:
        try:
            results.append(await worker(subtask))
        except Exception as error:
            results.append(error)
    return results


async def failures_last(worker, subtasks):
    results = await returned(worker, subtasks)
    return sorted(results, key=lambda result: isinstance(result, Exception))


async def its_type(worker, subtasks):
    results = await returned(worker, subtasks)
    return [type(r) if isinstance(r, Exception) else r for r in results]


async def group_of_all(worker, subtasks):
    results = await returned(worker, subtasks)
    errors = [r for r in results if isinstance(r, Exception)]
    if errors:
        raise ExceptionGroup("some failed", errors)
    return results


async def by_subtask(worker, subtasks):
    results = {}

    async def settle(subtask):
        try:
            results[subtask] = await worker(subtask)
        except Exception as error:
            results[subtask] = error

    await asyncio.gather(*map(settle, subtasks))
    return [results[subtask] for subtask in subtasks]


async def only_the_different(worker, subtasks):
    return list(dict(zip(subtasks, await returned(worker, subtasks), strict=True)).values())


async def drops_what_is_false(worker, subtasks):
    return [result for result in await returned(worker, subtasks) if result]


async def none_for_what_is_false(worker, subtasks):
    return [result or None for result in await returned(worker, subtasks)]


async def some_errors_only(worker, subtasks):
    async def settle(subtask):
        try:
            return await worker(subtask)
        except (ValueError, RuntimeError) as error:
            return error

    return await asyncio.gather(*map(settle, subtasks))


async def ten_at_a_time(worker, subtasks):
    places = asyncio.Semaphore(10)

    async def run(subtask):
        async with places:
            return await worker(subtask)

    return await returned(run, subtasks)


async def stops_the_rest(worker, subtasks):
    tasks = [asyncio.ensure_future(worker(subtask)) for subtask in subtasks]
    try:
        await asyncio.gather(*tasks)
    except Exception:
        for task in tasks:
            task.cancel()
    return await asyncio.gather(*tasks, return_exceptions=True)


async def no_star(worker, subtasks):
    return await asyncio.gather([worker(s) for s in subtasks], return_exceptions=True)


async def no_await(worker, subtasks):
    return asyncio.gather(*map(worker, subtasks), return_exceptions=True)


async def no_await_on_the_worker(worker, subtasks):
    results = []
    for subtask in subtasks:
        try:
            results.append(worker(subtask))
        except Exception as error:
            results.append(error)
    return results


WRONG = [
    (plain_gather, "reached the caller"),
    (text_of_it, "the exception itself"),
    (none_for_it, "the exception itself"),
    (left_out, "one place for each subtask"),
    (a_new_one, "the exception itself"),
    (in_a_row, "All workers run together"),
    (failures_last, "the exception itself"),
    (its_type, "the exception itself"),
    (group_of_all, "reached the caller"),
    (by_subtask, "Keep results by place, not by subtask"),
    (only_the_different, "Keep results by place, not by subtask"),
    (drops_what_is_false, "one place for each subtask"),
    (none_for_what_is_false, "whatever it is"),
    (some_errors_only, "reached the caller"),
    (ten_at_a_time, "Nobody asked for a cap here"),
    (stops_the_rest, "A worker was cancelled"),
    (no_star, "with a star in front of the list"),
    (no_await, "an `await` is missing"),
    (no_await_on_the_worker, "an `await` is missing"),
]
