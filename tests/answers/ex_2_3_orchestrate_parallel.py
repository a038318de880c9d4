"""2.3: the same, with the workers together."""

import asyncio

from labkit.patterns import ask, orchestrate, parse_plan

ID = "2.3"


async def gathered(client, goal, *, system):
    subtasks = parse_plan(await ask(client, f"Goal: {goal}", system=system))
    answers = await asyncio.gather(*[ask(client, task, system=system) for task in subtasks])
    final = await ask(client, "\n".join(answers), system=system)
    pairs = [*zip(subtasks, answers, strict=True)]
    return {"subtasks": subtasks, "results": pairs, "final": final}


async def task_group(client, goal, *, system):
    subtasks = parse_plan(await ask(client, goal, system=system))
    results = [None] * len(subtasks)

    async def work(place, task):
        results[place] = (task, await ask(client, task, system=system))

    async with asyncio.TaskGroup() as group:
        for place, task in enumerate(subtasks):
            group.create_task(work(place, task))
    final = await ask(client, f"{results}", system=system)
    return {"subtasks": subtasks, "results": results, "final": final}


async def plan_in_every_prompt(client, goal, *, system):
    plan = await ask(client, goal, system=system)
    subtasks = parse_plan(plan)
    prompts = [f"The plan:\n{plan}\nYours: {task}" for task in subtasks]
    answers = await asyncio.gather(*(ask(client, prompt, system=system) for prompt in prompts))
    final = await ask(client, "\n".join(answers), system=system)
    pairs = list(zip(subtasks, answers, strict=True))
    return {"subtasks": subtasks, "results": pairs, "final": final}


async def sorted_after_arrival(client, goal, *, system):
    subtasks = parse_plan(await ask(client, goal, system=system))
    arrived = []

    async def work(place, task):
        arrived.append((place, task, await ask(client, task, system=system)))

    await asyncio.gather(*(work(place, task) for place, task in enumerate(subtasks)))
    results = [(task, answer) for _, task, answer in sorted(arrived)]
    final = await ask(client, str(results), system=system)
    return {"subtasks": subtasks, "results": results, "final": final}


RIGHT = [gathered, task_group, plan_in_every_prompt, sorted_after_arrival]


async def one_after_another(client, goal, *, system):
    return await orchestrate(client, goal, system=system)


async def two_at_a_time(client, goal, *, system):
    subtasks = parse_plan(await ask(client, goal, system=system))
    places = asyncio.Semaphore(2)

    async def work(task):
        async with places:
            return await ask(client, task, system=system)

    answers = await asyncio.gather(*map(work, subtasks))
    final = await ask(client, "\n".join(answers), system=system)
    return {
        "subtasks": subtasks,
        "results": list(zip(subtasks, answers, strict=True)),
        "final": final,
    }


async def three_at_a_time(client, goal, *, system):
    subtasks = parse_plan(await ask(client, goal, system=system))
    places = asyncio.Semaphore(3)

    async def work(task):
        async with places:
            return await ask(client, task, system=system)

    answers = await asyncio.gather(*map(work, subtasks))
    final = await ask(client, "\n".join(answers), system=system)
    return {
        "subtasks": subtasks,
        "results": list(zip(subtasks, answers, strict=True)),
        "final": final,
    }


async def staggered(client, goal, *, system):
    subtasks = parse_plan(await ask(client, goal, system=system))

    async def work(place, task):
        await asyncio.sleep(place / 10)
        return await ask(client, task, system=system)

    answers = await asyncio.gather(*(work(*pair) for pair in enumerate(subtasks)))
    final = await ask(client, "\n".join(answers), system=system)
    return {
        "subtasks": subtasks,
        "results": list(zip(subtasks, answers, strict=True)),
        "final": final,
    }


async def first_one_alone(client, goal, *, system):
    first, *rest = subtasks = parse_plan(await ask(client, goal, system=system))
    answers = [await ask(client, first, system=system)]
    answers += await asyncio.gather(*(ask(client, task, system=system) for task in rest))
    final = await ask(client, "\n".join(answers), system=system)
    return {
        "subtasks": subtasks,
        "results": list(zip(subtasks, answers, strict=True)),
        "final": final,
    }


async def gather_of_each(client, goal, *, system):
    subtasks = parse_plan(await ask(client, goal, system=system))
    answers = []
    for task in subtasks:
        answers += await asyncio.gather(ask(client, task, system=system))
    final = await ask(client, "\n".join(answers), system=system)
    return {
        "subtasks": subtasks,
        "results": list(zip(subtasks, answers, strict=True)),
        "final": final,
    }


async def by_arrival(client, goal, *, system):
    subtasks = parse_plan(await ask(client, goal, system=system))
    results = []

    async def work(task):
        results.append((task, await ask(client, task, system=system)))

    await asyncio.gather(*map(work, subtasks))
    final = await ask(client, str(results), system=system)
    return {"subtasks": subtasks, "results": results, "final": final}


async def arrival_zipped(client, goal, *, system):
    subtasks = parse_plan(await ask(client, goal, system=system))
    answers = []

    async def work(task):
        answers.append(await ask(client, task, system=system))

    await asyncio.gather(*map(work, subtasks))
    final = await ask(client, "\n".join(answers), system=system)
    return {
        "subtasks": subtasks,
        "results": list(zip(subtasks, answers, strict=True)),
        "final": final,
    }


async def arrival_with_the_plan_in_every_prompt(client, goal, *, system):
    plan = await ask(client, goal, system=system)
    subtasks = parse_plan(plan)
    answers = []

    async def work(task):
        answers.append(await ask(client, f"The plan:\n{plan}\nYours: {task}", system=system))

    await asyncio.gather(*map(work, subtasks))
    final = await ask(client, "\n".join(answers), system=system)
    return {
        "subtasks": subtasks,
        "results": list(zip(subtasks, answers, strict=True)),
        "final": final,
    }


async def bare_tasks(client, goal, *, system):
    subtasks = parse_plan(await ask(client, goal, system=system))
    tasks = [asyncio.create_task(ask(client, task, system=system)) for task in subtasks]
    results = [(task, await running) for task, running in zip(subtasks, tasks, strict=True)]
    final = await ask(client, str(results), system=system)
    return {"subtasks": subtasks, "results": results, "final": final}


async def synthesis_without_results(client, goal, *, system):
    subtasks = parse_plan(await ask(client, goal, system=system))
    *answers, final = await asyncio.gather(
        *(ask(client, task, system=system) for task in [*subtasks, goal])
    )
    return {
        "subtasks": subtasks,
        "results": list(zip(subtasks, answers, strict=True)),
        "final": final,
    }


async def sleeps_to_be_sure(client, goal, *, system):
    done = await gathered(client, goal, system=system)
    await asyncio.sleep(1)
    return done


async def no_star(client, goal, *, system):
    subtasks = parse_plan(await ask(client, goal, system=system))
    answers = await asyncio.gather([ask(client, task, system=system) for task in subtasks])
    return {"subtasks": subtasks, "results": answers, "final": ""}


async def no_await(client, goal, *, system):
    subtasks = parse_plan(await ask(client, goal, system=system))
    answers = asyncio.gather(*(ask(client, task, system=system) for task in subtasks))
    return {"subtasks": subtasks, "results": list(zip(subtasks, answers)), "final": ""}  # noqa: B905


async def drops_an_empty_result(client, goal, *, system):
    done = await gathered(client, goal, system=system)
    return {**done, "results": [pair for pair in done["results"] if all(pair)]}


WRONG = [
    (no_star, "with a star in front of the list"),
    (no_await, "An `await` is missing"),
    (drops_an_empty_result, "an empty result's too"),
    (one_after_another, "The workers ran one after another"),
    (two_at_a_time, "Not all workers were in flight together"),
    (three_at_a_time, "Not all workers were in flight together"),
    (staggered, "Not all workers were in flight together"),
    (first_one_alone, "Not all workers were in flight together"),
    (gather_of_each, "The workers ran one after another"),
    (by_arrival, "in the order of the plan"),
    (arrival_zipped, "beside a subtask that it does not answer"),
    (arrival_with_the_plan_in_every_prompt, "in the order in which they arrived"),
    (bare_tasks, "cancelled from outside"),
    (synthesis_without_results, "No call held every worker's result"),
    (sleeps_to_be_sure, "and nothing else"),
]
