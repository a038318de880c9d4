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


RIGHT = [returned, caught, slots]


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
]
