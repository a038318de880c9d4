"""3.3: a cap, and no place that stands empty."""

import asyncio
import itertools

ID = "3.3"


async def semaphore(worker, subtasks, *, limit):
    if limit < 1:
        raise ValueError("limit")
    places = asyncio.Semaphore(limit)

    async def run(subtask):
        async with places:
            return await worker(subtask)

    return await asyncio.gather(*map(run, subtasks))


async def queue(worker, subtasks, *, limit):
    if limit <= 0:
        raise ValueError(limit)
    waiting = asyncio.Queue()
    for pair in enumerate(subtasks):
        waiting.put_nowait(pair)
    results = {}

    async def run():
        while not waiting.empty():
            index, subtask = waiting.get_nowait()
            results[index] = await worker(subtask)

    async with asyncio.TaskGroup() as group:
        for _ in range(limit):
            group.create_task(run())
    return [results[index] for index in range(len(subtasks))]


async def window(worker, subtasks, *, limit):
    if limit < 1:
        raise ValueError("limit has to be 1 or more")
    results = [None] * len(subtasks)
    rest = iter(enumerate(subtasks))
    running = {}
    try:
        while True:
            for index, subtask in itertools.islice(rest, limit - len(running)):
                running[asyncio.ensure_future(worker(subtask))] = index
            if not running:
                return tuple(results)
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                results[running.pop(task)] = task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


RIGHT = [semaphore, queue, window]


async def unbounded(worker, subtasks, *, limit):
    if limit < 1:
        raise ValueError
    return await asyncio.gather(*map(worker, subtasks))


async def batches(worker, subtasks, *, limit):
    if limit < 1:
        raise ValueError
    results = []
    for start in range(0, len(subtasks), limit):
        results += await asyncio.gather(*map(worker, subtasks[start : start + limit]))
    return results


async def in_a_row(worker, subtasks, *, limit):
    if limit < 1:
        raise ValueError
    return [await worker(subtask) for subtask in subtasks]


async def one_too_many(worker, subtasks, *, limit):
    if limit < 1:
        raise ValueError
    return await semaphore(worker, subtasks, limit=limit + 1)


async def split_beforehand(worker, subtasks, *, limit):
    if limit < 1:
        raise ValueError
    results = [None] * len(subtasks)

    async def lane(first):
        for index in range(first, len(subtasks), limit):
            results[index] = await worker(subtasks[index])

    await asyncio.gather(*map(lane, range(limit)))
    return results


async def by_arrival(worker, subtasks, *, limit):
    results = []

    async def run(subtask):
        results.append(await worker(subtask))

    await semaphore(run, subtasks, limit=limit)
    return results


async def last_first(worker, subtasks, *, limit):
    return (await semaphore(worker, subtasks[::-1], limit=limit))[::-1]


async def unchecked(worker, subtasks, *, limit):
    return await semaphore(worker, subtasks, limit=max(1, limit))


async def unchecked_when_empty(worker, subtasks, *, limit):
    if not subtasks:
        return []
    return await semaphore(worker, subtasks, limit=limit)


async def by_subtask(worker, subtasks, *, limit):
    results = {}

    async def run(subtask):
        results[subtask] = await worker(subtask)

    await semaphore(run, subtasks, limit=limit)
    return [results[subtask] for subtask in subtasks]


WRONG = [
    (unbounded, "More than limit=2 workers"),
    (batches, "A place stood empty"),
    (in_a_row, "A place stood empty"),
    (one_too_many, "More than limit=2 workers"),
    (split_beforehand, "started in dispatch order"),
    (by_arrival, "in the order of arrival"),
    (last_first, "started in dispatch order"),
    (unchecked, "is under 1"),
    (unchecked_when_empty, "for an empty list too"),
    (by_subtask, "in dispatch order"),
]
