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


async def condition(worker, subtasks, *, limit):
    if limit < 1:
        raise ValueError(f"no worker may run with limit={limit}")
    free, turn = limit, asyncio.Condition()
    results = [None] * len(subtasks)

    async def run(index, subtask):
        nonlocal free
        async with turn:
            await turn.wait_for(lambda: free)
            free -= 1
        results[index] = await worker(task=subtask)
        async with turn:
            free += 1
            turn.notify()

    async with asyncio.TaskGroup() as group:
        for index, subtask in enumerate(subtasks):
            group.create_task(run(index, subtask))
    return results


async def one_starts_the_next(worker, subtasks, *, limit):
    if limit < 1:
        raise ValueError
    results, rest = {}, list(enumerate(subtasks))[::-1]

    async def run():
        if rest:
            index, subtask = rest.pop()
            results[index] = await worker(subtask)
            await run()

    await asyncio.gather(*(run() for _ in range(limit)))
    return [results[index] for index in sorted(results)]


RIGHT = [semaphore, queue, window, condition, one_starts_the_next]


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


async def limit_unread(worker, subtasks, *, limit):
    places = asyncio.Semaphore(limit)

    async def run(subtask):
        async with places:
            return await worker(subtask)

    return await asyncio.gather(*map(run, subtasks))


async def checks_below_zero_only(worker, subtasks, *, limit):
    if limit < 0:
        raise ValueError
    return await limit_unread(worker, subtasks, limit=limit)


async def checks_too_late(worker, subtasks, *, limit):
    results = await semaphore(worker, subtasks, limit=max(1, limit))
    if limit < 1:
        raise ValueError
    return results


async def ten_at_most(worker, subtasks, *, limit):
    return await semaphore(worker, subtasks, limit=min(limit, 10))


async def one_too_few(worker, subtasks, *, limit):
    return await semaphore(worker, subtasks, limit=max(1, limit - 1))


async def drops_what_is_false(worker, subtasks, *, limit):
    return [result for result in await semaphore(worker, subtasks, limit=limit) if result]


async def fills_what_is_none(worker, subtasks, *, limit):
    results = await semaphore(worker, subtasks, limit=limit)
    return ["" if result is None else result for result in results]


async def backwards(worker, subtasks, *, limit):
    return (await semaphore(worker, subtasks, limit=limit))[::-1]


async def looks_now_and_then(worker, subtasks, *, limit):
    if limit < 1:
        raise ValueError
    tasks = []
    for subtask in subtasks:
        while sum(not task.done() for task in tasks) >= limit:
            await asyncio.sleep(0.3)
        tasks.append(asyncio.create_task(worker(subtask)))
    return await asyncio.gather(*tasks)


async def no_star(worker, subtasks, *, limit):
    places = asyncio.Semaphore(limit)

    async def run(subtask):
        async with places:
            return await worker(subtask)

    return await asyncio.gather([run(subtask) for subtask in subtasks])


async def no_await_on_the_worker(worker, subtasks, *, limit):
    places = asyncio.Semaphore(limit)

    async def run(subtask):
        async with places:
            return worker(subtask)

    return await asyncio.gather(*map(run, subtasks))


WRONG = [
    (unbounded, "More than limit=2 workers"),
    (batches, "Batch by batch"),
    (in_a_row, "They ran one after another"),
    (one_too_many, "More than limit=2 workers"),
    (split_beforehand, "started in dispatch order"),
    (by_arrival, "in the order of arrival"),
    (last_first, "started in dispatch order"),
    (unchecked, "is under 1"),
    (unchecked_when_empty, "for an empty list too"),
    (limit_unread, "With limit=0 it never comes back"),
    (checks_below_zero_only, "With limit=0 it never comes back"),
    (checks_too_late, "and a worker was started"),
    (ten_at_most, "limit=20 was not used"),
    (one_too_few, "limit=2 was not used"),
    (drops_what_is_false, "A worker may return anything"),
    (fills_what_is_none, "in dispatch order"),
    (backwards, "All results, but not in dispatch order"),
    (looks_now_and_then, "A place stood empty while a subtask waited. Fill it"),
    (no_star, "with a star in front of the list"),
    (no_await_on_the_worker, "an `await` is missing"),
    (by_subtask, "Keep results by place"),
]
