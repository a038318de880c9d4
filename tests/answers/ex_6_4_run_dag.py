"""6.4: each task the moment its own needs are done."""

import asyncio

from tests.answers.ex_6_3_waves import round_by_round

ID = "6.4"


async def events(worker, needs):
    round_by_round(needs)
    results, done = {}, {task: asyncio.Event() for task in needs}

    async def run(task):
        for need in needs[task]:
            await done[need].wait()
        results[task] = await worker(task, {need: results[need] for need in needs[task]})
        done[task].set()

    async with asyncio.TaskGroup() as group:
        for task in needs:
            group.create_task(run(task))
    return {task: results[task] for task in needs}


async def tasks_that_await_tasks(worker, needs):
    round_by_round(needs)
    tasks = {}

    async def run(task):
        inputs = {}
        for need in needs[task]:
            inputs[need] = await tasks[need]
        return await worker(task, inputs)

    try:
        async with asyncio.TaskGroup() as group:
            for task in needs:
                tasks[task] = group.create_task(run(task))
    except* Exception as several:
        raise several.exceptions[0] from None
    return {task: tasks[task].result() for task in needs}


async def a_loop_over_wait(worker, needs):
    round_by_round(needs)
    results, running, waiting = {}, {}, list(needs)
    try:
        while waiting or running:
            for task in [t for t in waiting if results.keys() >= set(needs[t])]:
                waiting.remove(task)
                inputs = {need: results[need] for need in needs[task]}
                running[asyncio.ensure_future(worker(task, inputs))] = task
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for ended in done:
                results[running[ended]] = ended.result()
                del running[ended]
    finally:
        for left in running:
            left.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    return {task: results[task] for task in needs}


async def spawns_what_is_ready(worker, needs):
    round_by_round(needs)
    results = {}
    left = {task: set(those) for task, those in needs.items()}

    async with asyncio.TaskGroup() as group:

        async def run(task):
            results[task] = await worker(task, {need: results[need] for need in needs[task]})
            for other, those in left.items():
                if task in those:
                    those.discard(task)
                    if not those:
                        group.create_task(run(other))

        for task in [task for task, those in needs.items() if not those]:
            group.create_task(run(task))
    return dict(sorted(results.items(), key=lambda pair: list(needs).index(pair[0])))


async def groups_in_groups(worker, needs):
    """Its failure comes in a group in a group in a group."""
    round_by_round(needs)
    results, done = {}, {task: asyncio.Event() for task in needs}

    async def run(task):
        async with asyncio.TaskGroup() as waits:
            for need in needs[task]:
                waits.create_task(done[need].wait())
        inputs = {need: results[need] for need in needs[task]}
        async with asyncio.TaskGroup() as own:
            work = own.create_task(worker(task, inputs))
        results[task] = work.result()
        done[task].set()

    async with asyncio.TaskGroup() as group:
        for task in needs:
            group.create_task(run(task))
    return {task: results[task] for task in needs}


RIGHT = [
    events,
    tasks_that_await_tasks,
    a_loop_over_wait,
    spawns_what_is_ready,
    groups_in_groups,
]


async def wave_by_wave(worker, needs):
    results = {}
    for wave in round_by_round(needs):
        async with asyncio.TaskGroup() as group:
            tasks = {
                task: group.create_task(worker(task, {need: results[need] for need in needs[task]}))
                for task in wave
            }
        results.update({task: done.result() for task, done in tasks.items()})
    return {task: results[task] for task in needs}


async def one_after_another(worker, needs):
    results = {}
    for wave in round_by_round(needs):
        for task in wave:
            results[task] = await worker(task, {need: results[need] for need in needs[task]})
    return {task: results[task] for task in needs}


async def all_at_once(worker, needs):
    round_by_round(needs)
    async with asyncio.TaskGroup() as group:
        tasks = {task: group.create_task(worker(task, {})) for task in needs}
    return {task: done.result() for task, done in tasks.items()}


async def everything_known(worker, needs):
    """Hands each worker all results so far."""
    round_by_round(needs)
    results, done = {}, {task: asyncio.Event() for task in needs}

    async def run(task):
        for need in needs[task]:
            await done[need].wait()
        results[task] = await worker(task, dict(results))
        done[task].set()

    async with asyncio.TaskGroup() as group:
        for task in needs:
            group.create_task(run(task))
    return {task: results[task] for task in needs}


async def by_arrival(worker, needs):
    results = await events(worker, needs)
    order = [task for wave in round_by_round(needs) for task in wave]
    return {task: results[task] for task in order}


async def a_list(worker, needs):
    return list((await events(worker, needs)).values())


async def drops_falsy_inputs(worker, needs):
    async def but(task, inputs):
        return await worker(task, {need: result for need, result in inputs.items() if result})

    return await events(but, needs)


async def inputs_as_a_list(worker, needs):
    async def but(task, inputs):
        return await worker(task, list(inputs.values()))

    return await events(but, needs)


async def by_keyword(worker, needs):
    async def but(task, inputs):
        return await worker(task, inputs=inputs)

    return await events(but, needs)


async def again_for_each_user(worker, needs):
    """Runs a task once for each that needs it."""
    round_by_round(needs)

    async def run(task):
        those = await asyncio.gather(*map(run, needs[task]))
        return await worker(task, dict(zip(needs[task], those, strict=True)))

    return dict(zip(needs, await asyncio.gather(*map(run, needs)), strict=True))


async def never_looks(worker, needs):
    """Finds a circle only once its free tasks have run."""
    results, running, waiting = {}, {}, list(needs)
    try:
        while waiting or running:
            for task in [t for t in waiting if results.keys() >= set(needs[t])]:
                waiting.remove(task)
                inputs = {need: results[need] for need in needs[task]}
                running[asyncio.ensure_future(worker(task, inputs))] = task
            if not running:
                raise ValueError("a circle")
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for ended in done:
                results[running.pop(ended)] = ended.result()
    finally:
        for left in running:
            left.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    return {task: results[task] for task in needs}


async def waits_for_ever(worker, needs):
    results, done = {}, {task: asyncio.Event() for task in needs}

    async def run(task):
        for need in needs[task]:
            await done[need].wait()
        results[task] = await worker(task, {need: results[need] for need in needs[task]})
        done[task].set()

    async with asyncio.TaskGroup() as group:
        for task in needs:
            group.create_task(run(task))
    return {task: results[task] for task in needs}


async def awaits_a_circle(worker, needs):
    """Tasks that await each other: `cancel()` goes round the circle without end."""
    tasks = {}

    async def run(task):
        return await worker(task, {need: await tasks[need] for need in needs[task]})

    async with asyncio.TaskGroup() as group:
        for task in needs:
            tasks[task] = group.create_task(run(task))
    return {task: tasks[task].result() for task in needs}


async def awaits_a_circle_of_known_needs(worker, needs):
    if any(need not in needs for those in needs.values() for need in those):
        raise ValueError("a need is no task")
    return await awaits_a_circle(worker, needs)


async def awaits_a_circle_and_cancels(worker, needs):
    tasks = {}

    async def run(task):
        return await worker(task, {need: await tasks[need] for need in needs[task]})

    for task in needs:
        tasks[task] = asyncio.create_task(run(task))
    try:
        return dict(zip(needs, await asyncio.gather(*tasks.values()), strict=True))
    except BaseException:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        raise


async def awaits_a_circle_of_gathers(worker, needs):
    tasks = {}

    async def run(task):
        results = await asyncio.gather(*(tasks[need] for need in needs[task]))
        return await worker(task, dict(zip(needs[task], results, strict=True)))

    async with asyncio.TaskGroup() as group:
        for task in needs:
            tasks[task] = group.create_task(run(task))
    return {task: tasks[task].result() for task in needs}


async def gives_up(worker, needs):
    raise RuntimeError("too many needs")


async def gathers(worker, needs):
    """The rest runs on when one fails."""
    round_by_round(needs)
    tasks = {}

    async def run(task):
        return await worker(task, {need: await tasks[need] for need in needs[task]})

    for task in needs:
        tasks[task] = asyncio.ensure_future(run(task))
    return dict(zip(needs, await asyncio.gather(*tasks.values()), strict=True))


async def lets_them_finish(worker, needs):
    round_by_round(needs)
    tasks = {}

    async def run(task):
        return await worker(task, {need: await tasks[need] for need in needs[task]})

    for task in needs:
        tasks[task] = asyncio.ensure_future(run(task))
    results = await asyncio.gather(*tasks.values(), return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result
    return dict(zip(needs, results, strict=True))


async def swallows_it(worker, needs):
    try:
        return await events(worker, needs)
    except ExceptionGroup:
        return {}


async def only_asks(worker, needs):
    """Cancels the rest and does not wait for it."""
    round_by_round(needs)
    tasks = {}

    async def run(task):
        return await worker(task, {need: await tasks[need] for need in needs[task]})

    for task in needs:
        tasks[task] = asyncio.ensure_future(run(task))
    try:
        return dict(zip(needs, await asyncio.gather(*tasks.values()), strict=True))
    except BaseException:
        for task in tasks.values():
            task.cancel()
        raise


async def shields_them(worker, needs):
    """Cancelled from outside, lets what is in flight run to its end."""
    whole = asyncio.ensure_future(events(worker, needs))
    try:
        return await asyncio.shield(whole)
    except asyncio.CancelledError:
        await asyncio.wait([whole])
        raise


async def polls(worker, needs):
    round_by_round(needs)
    results = {}

    async def run(task):
        while not results.keys() >= set(needs[task]):
            await asyncio.sleep(0.05)
        results[task] = await worker(task, {need: results[need] for need in needs[task]})

    async with asyncio.TaskGroup() as group:
        for task in needs:
            group.create_task(run(task))
    return {task: results[task] for task in needs}


async def in_topological_order(worker, needs):
    """Awaits one task's needs before it looks at the next task."""
    order = [task for wave in round_by_round(needs) for task in wave]
    tasks = {}
    async with asyncio.TaskGroup() as group:
        for task in order:
            inputs = {need: await tasks[need] for need in needs[task]}
            tasks[task] = group.create_task(worker(task, inputs))
    return {task: tasks[task].result() for task in needs}


async def cancels_again(worker, needs):
    """Cancels all when one fails, and once more when `gather` has cancelled them already."""
    round_by_round(needs)
    results, done = {}, {task: asyncio.Event() for task in needs}

    async def run(task):
        for need in needs[task]:
            await done[need].wait()
        results[task] = await worker(task, {need: results[need] for need in needs[task]})
        done[task].set()

    tasks = [asyncio.ensure_future(run(task)) for task in needs]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
    return {task: results[task] for task in needs}


async def waits_for_nobody(worker, needs):
    """`asyncio.wait` takes no empty set."""
    if not needs:
        await asyncio.wait([])
    return await events(worker, needs)


async def nothing_for_nobody(worker, needs):
    return await events(worker, needs) or None


async def made_up(worker, needs):
    try:
        return await events(worker, needs)
    except ExceptionGroup as group:
        raise type(group.exceptions[0])("a task failed") from None


WRONG = [
    (wave_by_wave, "That is wave by wave"),
    (one_after_another, "That is one after another"),
    (all_at_once, "`inputs` maps each need"),
    (everything_known, "holds nothing else"),
    (by_arrival, "in the mapping's order"),
    (a_list, "task → that task's result"),
    (drops_falsy_inputs, "whatever it is"),
    (inputs_as_a_list, "`inputs` maps each need"),
    (by_keyword, "two positional arguments"),
    (again_for_each_user, "once for each task"),
    (never_looks, "no worker may be started before that is known"),
    (waits_for_ever, "went on for ever"),
    (awaits_a_circle, "went on for ever"),
    (awaits_a_circle_of_known_needs, "went on for ever"),
    (awaits_a_circle_and_cancels, "went on for ever"),
    (awaits_a_circle_of_gathers, "went on for ever"),
    (gives_up, "in which nothing fails"),
    (shields_them, "does not run on to its end"),
    (polls, "the moment its own needs are done"),
    (in_topological_order, "the moment its own needs are done"),
    (cancels_again, "A `gather` that is cancelled cancels all of its tasks itself"),
    (waits_for_nobody, "Where `needs` is {}, there are no tasks"),
    (nothing_for_nobody, "there are no tasks and no results"),
    (gathers, "still ran"),
    (lets_them_finish, "others that were in flight ran on"),
    (swallows_it, "has to reach the caller"),
    (only_asks, "`cancel()` only asks"),
    (made_up, "not one made up for it"),
]
