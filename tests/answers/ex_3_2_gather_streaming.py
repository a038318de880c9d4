"""3.2: each result told as it comes, all returned in order."""

import asyncio

ID = "3.2"


async def wrapped(worker, subtasks, on_result):
    async def run(index, subtask):
        result = await worker(subtask)
        on_result(index, result)
        return result

    return await asyncio.gather(*(run(i, s) for i, s in enumerate(subtasks)))


async def done_callbacks(worker, subtasks, on_result):
    async def one(subtask):
        return await worker(subtask)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(subtask)) for subtask in subtasks]
        for index, task in enumerate(tasks):
            task.add_done_callback(
                lambda t, index=index: t.cancelled() or on_result(index, t.result())
            )
    await asyncio.sleep(0)
    return tuple(task.result() for task in tasks)


async def through_a_queue(worker, subtasks, on_result):
    queue = asyncio.Queue()

    async def run(index, subtask):
        await queue.put((index, await worker(subtask)))

    results = [None] * len(subtasks)
    async with asyncio.TaskGroup() as group:
        for index, subtask in enumerate(subtasks):
            group.create_task(run(index, subtask))
        for _ in subtasks:
            index, result = await queue.get()
            results[index] = result
            on_result(index, result)
    return results


RIGHT = [wrapped, done_callbacks, through_a_queue]


async def tells_at_the_end(worker, subtasks, on_result):
    results = await asyncio.gather(*map(worker, subtasks))
    for index, result in enumerate(results):
        on_result(index, result)
    return results


async def waits_in_dispatch_order(worker, subtasks, on_result):
    tasks = [asyncio.ensure_future(worker(subtask)) for subtask in subtasks]
    try:
        results = []
        for index, task in enumerate(tasks):
            results.append(await task)
            on_result(index, results[-1])
        return results
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def looks_the_place_up(worker, subtasks, on_result):
    async def run(subtask):
        result = await worker(subtask)
        on_result(subtasks.index(subtask), result)
        return result

    return await asyncio.gather(*map(run, subtasks))


async def returns_by_arrival(worker, subtasks, on_result):
    results = []

    async def run(index, subtask):
        result = await worker(subtask)
        on_result(index, result)
        results.append(result)

    await asyncio.gather(*(run(i, s) for i, s in enumerate(subtasks)))
    return results


async def counts_arrivals(worker, subtasks, on_result):
    told = 0

    async def run(subtask):
        nonlocal told
        result = await worker(subtask)
        on_result(told, result)
        told += 1
        return result

    return await asyncio.gather(*map(run, subtasks))


async def counts_from_one(worker, subtasks, on_result):
    return await wrapped(worker, subtasks, lambda index, result: on_result(index + 1, result))


async def in_a_row(worker, subtasks, on_result):
    results = []
    for index, subtask in enumerate(subtasks):
        results.append(await worker(subtask))
        on_result(index, results[-1])
    return results


async def never_tells(worker, subtasks, on_result):
    return await asyncio.gather(*map(worker, subtasks))


WRONG = [
    (tells_at_the_end, "in order of finishing"),
    (waits_in_dispatch_order, "in order of finishing"),
    (looks_the_place_up, "keep the place"),
    (returns_by_arrival, "in the order of arrival"),
    (counts_arrivals, "keep the place"),
    (counts_from_one, "from 0"),
    (in_a_row, "in order of finishing"),
    (never_tells, "in order of finishing"),
]
