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


async def last_started_first(worker, subtasks, on_result):
    results = {}

    async def run(index):
        results[index] = await worker(task=subtasks[index])
        on_result(index, results[index])

    await asyncio.gather(*map(run, reversed(range(len(subtasks)))))
    return [results[index] for index in range(len(subtasks))]


async def first_completed(worker, subtasks, on_result):
    tasks = [asyncio.create_task(worker(subtask)) for subtask in subtasks]
    waiting = set(tasks)
    try:
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                on_result(tasks.index(task), task.result())
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return [task.result() for task in tasks]


RIGHT = [wrapped, done_callbacks, through_a_queue, last_started_first, first_completed]


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


async def swaps_the_two(worker, subtasks, on_result):
    return await wrapped(worker, subtasks, lambda index, result: on_result(result, index))


async def tells_a_pair(worker, subtasks, on_result):
    return await wrapped(worker, subtasks, lambda index, result: on_result((index, result)))


async def tells_twice(worker, subtasks, on_result):
    def twice(index, result):
        on_result(index, result)
        on_result(index, result)

    return await wrapped(worker, subtasks, twice)


async def drops_none(worker, subtasks, on_result):
    results = await wrapped(worker, subtasks, on_result)
    return [result for result in results if result is not None]


async def tells_only_what_is_true(worker, subtasks, on_result):
    return await wrapped(
        worker, subtasks, lambda index, result: result and on_result(index, result)
    )


async def empty_text_for_nothing(worker, subtasks, on_result):
    return [result or "" for result in await wrapped(worker, subtasks, on_result)]


async def returns_by_subtask(worker, subtasks, on_result):
    results = await wrapped(worker, subtasks, on_result)
    by_subtask = dict(zip(subtasks, results, strict=True))
    return [by_subtask[subtask] for subtask in subtasks]


async def forgets_to_await(worker, subtasks, on_result):
    async def run(index, subtask):
        result = worker(subtask)
        on_result(index, result)
        return result

    return await asyncio.gather(*(run(i, s) for i, s in enumerate(subtasks)))


async def tells_of_coroutines(worker, subtasks, on_result):
    async def run(index, subtask):
        on_result(index, worker(subtask))
        return await worker(subtask)

    return await asyncio.gather(*(run(i, s) for i, s in enumerate(subtasks)))


async def ten_at_a_time(worker, subtasks, on_result):
    places = asyncio.Semaphore(10)

    async def run(subtask):
        async with places:
            return await worker(subtask)

    return await wrapped(run, subtasks, on_result)


async def polls(worker, subtasks, on_result):
    tasks = [asyncio.create_task(worker(subtask)) for subtask in subtasks]
    told = set()
    while len(told) < len(tasks):
        await asyncio.sleep(0.3)
        for index, task in enumerate(tasks):
            if task.done() and index not in told:
                told.add(index)
                on_result(index, task.result())
    return [task.result() for task in tasks]


async def returns_tasks(worker, subtasks, on_result):
    async def run(index, subtask):
        on_result(index, await worker(subtask))

    async with asyncio.TaskGroup() as group:
        return [group.create_task(run(i, s)) for i, s in enumerate(subtasks)]


WRONG = [
    (tells_at_the_end, "when the last worker had ended"),
    (waits_in_dispatch_order, "at the moment a worker ends"),
    (looks_the_place_up, "two equal ones are two places"),
    (returns_by_arrival, "in the order of arrival"),
    (counts_arrivals, "counts who came first"),
    (counts_from_one, "from 0"),
    (in_a_row, "All workers run together"),
    (never_tells, "called once for each worker"),
    (swaps_the_two, "the index comes first"),
    (tells_a_pair, "with two values"),
    (tells_twice, "called once for each worker"),
    (drops_none, "A worker may return anything"),
    (tells_only_what_is_true, "called once for each worker"),
    (empty_text_for_nothing, "A worker may return anything"),
    (returns_by_subtask, "Keep results by place, not by subtask"),
    (forgets_to_await, "an `await` is missing"),
    (tells_of_coroutines, "an `await` is missing"),
    (ten_at_a_time, "Nobody asked for a cap here"),
    (polls, "at the moment a worker ends"),
    (returns_tasks, "`await` gives the result"),
]
