"""0.2: two calls together."""

import asyncio

from labkit.patterns import ask

ID = "0.2"


async def gathered(client, first, second):
    return tuple(await asyncio.gather(ask(client, first), ask(client, second)))


async def task_group(client, first, second):
    async with asyncio.TaskGroup() as group:
        one = group.create_task(ask(client, first))
        other = group.create_task(ask(client, second))
    return one.result(), other.result()


async def slots(client, first, second):
    answers = [None, None]

    async def fill(place, prompt):
        answers[place] = await ask(client, prompt)

    await asyncio.gather(*(fill(*pair) for pair in enumerate([first, second])))
    return answers


async def streams(client, first, second):
    async def one(prompt):
        async with client.messages.stream(
            model="m", max_tokens=9, messages=[{"role": "user", "content": prompt}]
        ) as stream:
            return "".join([text async for text in stream.text_stream])

    return await asyncio.gather(one(first), one(second))


async def task_and_finally(client, first, second):
    other = asyncio.create_task(ask(client, second))
    try:
        return await ask(client, first), await other
    finally:
        other.cancel()
        await asyncio.gather(other, return_exceptions=True)


async def each_knows_of_the_other(client, first, second):
    return await asyncio.gather(
        ask(client, f"{first}\n(Another agent answers: {second})"),
        ask(client, f"{second}\n(Another agent answers: {first})"),
    )


RIGHT = [
    gathered,
    each_knows_of_the_other,
    task_group,
    slots,
    streams,
    task_and_finally,
    lambda client, first, second: asyncio.gather(ask(client, first), ask(client, second)),
]


async def in_a_row(client, first, second):
    return await ask(client, first), await ask(client, second)


async def coroutines_then_awaits(client, first, second):
    one, other = ask(client, first), ask(client, second)
    return await one, await other


async def as_completed(client, first, second):
    waiting = asyncio.as_completed([ask(client, first), ask(client, second)])
    return [await answer for answer in waiting]


async def by_prompt(client, first, second):
    answers = {}

    async def note(prompt):
        answers[prompt] = await ask(client, prompt)

    await asyncio.gather(note(first), note(second))
    return answers[first], answers[second]


async def bare_tasks(client, first, second):
    one = asyncio.create_task(ask(client, first))
    other = asyncio.create_task(ask(client, second))
    return await one, await other


async def staggered(client, first, second):
    async def after_a_while():
        await asyncio.sleep(0.5)
        return await ask(client, second)

    return await asyncio.gather(ask(client, first), after_a_while())


async def first_text_block(client, first, second):
    async def one(prompt):
        reply = await client.messages.create(
            model="m", max_tokens=9, messages=[{"role": "user", "content": prompt}]
        )
        return next(block.text for block in reply.content if block.type == "text")

    return await asyncio.gather(one(first), one(second))


async def the_same_to_both(client, first, second):
    prompt = f"1. {first}\n2. {second}"
    return await asyncio.gather(ask(client, prompt), ask(client, prompt))


async def leaves_the_program_from_a_task(client, first, second):
    async def one(prompt):
        raise SystemExit(prompt)

    return await asyncio.gather(one(first), one(second))


async def asks_first_twice(client, first, second):
    return await asyncio.gather(ask(client, first), ask(client, first))


async def one_call_for_both(client, first, second):
    answer = await ask(client, f"{first}\n{second}")
    return answer, answer


async def with_a_system(client, first, second):
    return await asyncio.gather(
        ask(client, first, system="Be brief."), ask(client, second, system="Be brief.")
    )


async def only_the_first(client, first, second):
    done, _ = await asyncio.wait(
        [asyncio.ensure_future(ask(client, p)) for p in (first, second)],
        return_when=asyncio.FIRST_COMPLETED,
    )
    return [task.result() for task in done]


async def tasks_unawaited(client, first, second):
    return asyncio.ensure_future(ask(client, first)), asyncio.ensure_future(ask(client, second))


async def in_threads(client, first, second):
    return await asyncio.gather(
        asyncio.to_thread(ask, client, first), asyncio.to_thread(ask, client, second)
    )


async def runs_its_own_loop(client, first, second):
    return asyncio.run(ask(client, first)), asyncio.run(ask(client, second))


async def no_star(client, first, second):
    return await asyncio.gather([ask(client, first), ask(client, second)])


async def no_await(client, first, second):
    one, other = asyncio.gather(ask(client, first), ask(client, second))
    return one, other


async def two_coroutines(client, first, second):
    return ask(client, first), ask(client, second)


async def two_tasks_that_are_through(client, first, second):
    tasks = [asyncio.create_task(ask(client, prompt)) for prompt in (first, second)]
    await asyncio.gather(*tasks)
    return tasks


async def drops_the_empty_one(client, first, second):
    return [answer for answer in await gathered(client, first, second) if answer]


async def tidy_answers(client, first, second):
    return [answer.strip() for answer in await gathered(client, first, second)]


async def in_the_order_of_the_alphabet(client, first, second):
    return await gathered(client, *sorted((first, second)))


WRONG = [
    (no_star, "with a star in front of the list"),
    (no_await, "An `await` is missing"),
    (two_coroutines, "an `await` is missing"),
    (two_tasks_that_are_through, "`await` gives the result"),
    (drops_the_empty_one, "their answers may differ"),
    (tidy_answers, "white space included"),
    (in_the_order_of_the_alphabet, "the wrong way round"),
    (in_a_row, "The second call left only when"),
    (coroutines_then_awaits, "The second call left only when"),
    (as_completed, "the wrong way round"),
    (by_prompt, "Two equal prompts are still two calls"),
    (bare_tasks, "cancelled from outside"),
    (staggered, "nothing may hold the second one back"),
    (first_text_block, "all text blocks"),
    (the_same_to_both, "Each prompt goes out in a call of its own"),
    (leaves_the_program_from_a_task, "ends the whole program"),
    (asks_first_twice, "Each prompt goes out in a call of its own"),
    (one_call_for_both, "Each of the two prompts is one call"),
    (with_a_system, "Neither call carries a `system`"),
    (only_the_first, "still ran"),
    (tasks_unawaited, "still ran"),
    (in_threads, "an `await` is missing"),
    (runs_its_own_loop, "An event loop runs already"),
]
