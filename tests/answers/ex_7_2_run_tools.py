"""7.2: one round of agents as tools."""

import asyncio

from anthropic import APIError
from anthropic.types import ToolUseBlock

from labkit.patterns import ask

ID = "7.2"


async def gathered(client, blocks, specialists):
    async def result(block):
        told = {"type": "tool_result", "tool_use_id": block.id}
        system = specialists.get(block.name)
        if system is None:
            return told | {"content": f"unknown tool {block.name}", "is_error": True}
        task = block.input.get("task")
        if not isinstance(task, str):
            return told | {"content": "no task", "is_error": True}
        try:
            return told | {"content": await ask(client, task, system=system)}
        except APIError as error:
            return told | {"content": str(error), "is_error": True}

    return await asyncio.gather(*(result(b) for b in blocks if b.type == "tool_use"))


async def exceptions_kept_in_their_places(client, blocks, specialists):
    uses = [block for block in blocks if isinstance(block, ToolUseBlock)]

    async def call(use):
        if not isinstance(use.input["task"], str):
            raise TypeError("task is no string")
        reply = await client.messages.create(
            model="m",
            max_tokens=50,
            system=[{"type": "text", "text": specialists[use.name]}],
            messages=[{"role": "user", "content": f"Your task: {use.input['task']}"}],
        )
        return "".join(b.text for b in reply.content if b.type == "text")

    came = await asyncio.gather(*map(call, uses), return_exceptions=True)
    return [
        {
            "type": "tool_result",
            "tool_use_id": use.id,
            "content": repr(value) if isinstance(value, Exception) else value,
            "is_error": isinstance(value, Exception),
        }
        for use, value in zip(uses, came, strict=True)
    ]


async def tasks_then_a_loop(client, blocks, specialists):
    started = []
    for block in blocks:
        if block.type != "tool_use":
            continue
        match block.input:
            case {"task": str(task)} if block.name in specialists:
                job = asyncio.create_task(_streamed(client, task, specialists[block.name]))
            case _:
                job = None
        started.append((block.id, job))
    results = []
    for id, job in started:
        result = {"tool_use_id": id, "type": "tool_result"}
        try:
            if job is None:
                raise ValueError("this cannot be run")
            text = await job
            result["content"] = [{"type": "text", "text": text}]
        except asyncio.CancelledError:
            for _, other in started:
                if other:
                    other.cancel()
            await asyncio.gather(*(j for _, j in started if j), return_exceptions=True)
            raise
        except Exception as error:
            result.update(content=[{"type": "text", "text": f"Error: {error}"}], is_error=True)
        results.append(result)
    return tuple(results)


async def _streamed(client, task, system):
    async with client.messages.stream(
        model="m", max_tokens=50, system=system, messages=[{"role": "user", "content": task}]
    ) as stream:
        reply = await stream.get_final_message()
    return "".join(b.text for b in reply.content if b.type == "text")


RIGHT = [gathered, exceptions_kept_in_their_places, tasks_then_a_loop]


async def _each(client, blocks, specialists, *, one):
    return await asyncio.gather(*(one(b) for b in blocks if b.type == "tool_use"))


def _told(block, content, **more):
    return {"type": "tool_result", "tool_use_id": block.id, "content": content, **more}


async def one_after_another(client, blocks, specialists):
    return [r for b in blocks for r in await gathered(client, [b], specialists)]


async def blocks_as_dicts(client, blocks, specialists):
    return await gathered(client, [b for b in blocks if b["type"] == "tool_use"], specialists)


async def every_block_is_a_tool(client, blocks, specialists):
    async def one(block):
        return _told(block, await ask(client, block.input["task"], system=specialists[block.name]))

    return await asyncio.gather(*map(one, blocks))


async def unknown_tool_raises(client, blocks, specialists):
    async def one(block):
        system = specialists[block.name]
        try:
            return _told(block, await ask(client, block.input["task"], system=system))
        except Exception as error:
            return _told(block, str(error), is_error=True)

    return await _each(client, blocks, specialists, one=one)


async def unknown_tool_left_out(client, blocks, specialists):
    return await gathered(
        client, [b for b in blocks if b.type == "tool_use" and b.name in specialists], specialists
    )


async def failure_reaches_the_caller(client, blocks, specialists):
    async def one(block):
        task = block.input.get("task")
        if block.name not in specialists or not isinstance(task, str):
            return _told(block, "cannot", is_error=True)
        return _told(block, await ask(client, task, system=specialists[block.name]))

    return await _each(client, blocks, specialists, one=one)


async def error_without_the_flag(client, blocks, specialists):
    results = await gathered(client, blocks, specialists)
    return [{k: v for k, v in r.items() if k != "is_error"} for r in results]


async def error_without_a_reason(client, blocks, specialists):
    results = await gathered(client, blocks, specialists)
    return [{**r, "content": ""} if r.get("is_error") else r for r in results]


async def the_same_words_for_every_failure(client, blocks, specialists):
    results = await gathered(client, blocks, specialists)
    return [{**r, "content": "error"} if r.get("is_error") else r for r in results]


async def only_the_exception_s_class(client, blocks, specialists):
    async def one(block):
        try:
            task = block.input["task"]
            if not isinstance(task, str):
                raise TypeError(task)
            return _told(block, await ask(client, task, system=specialists[block.name]))
        except Exception as error:
            return _told(block, type(error).__name__, is_error=True)

    return await _each(client, blocks, specialists, one=one)


async def no_text_is_an_error(client, blocks, specialists):
    results = await gathered(client, blocks, specialists)
    return [r if r["content"] else {**r, "content": "no answer", "is_error": True} for r in results]


async def any_task_will_do(client, blocks, specialists):
    async def one(block):
        if block.name not in specialists or "task" not in block.input:
            return _told(block, "cannot", is_error=True)
        try:
            text = await ask(client, str(block.input["task"]), system=specialists[block.name])
        except Exception as error:
            return _told(block, str(error), is_error=True)
        return _told(block, text)

    return await _each(client, blocks, specialists, one=one)


async def by_name(client, blocks, specialists):
    uses = {b.name: b for b in blocks if b.type == "tool_use"}
    return await gathered(client, list(uses.values()), specialists)


async def a_cache_of_tasks(client, blocks, specialists):
    kept = {}

    async def one(block):
        key = repr((block.name, block.input))
        if key not in kept:
            kept[key] = asyncio.ensure_future(gathered(client, [block], specialists))
        return {**(await kept[key])[0], "tool_use_id": block.id}

    return await _each(client, blocks, specialists, one=one)


async def in_the_order_of_arrival(client, blocks, specialists):
    jobs = [gathered(client, [b], specialists) for b in blocks if b.type == "tool_use"]
    return [r for job in asyncio.as_completed(jobs) for r in await job]


async def only_the_first_text_block(client, blocks, specialists):
    async def one(block):
        task = block.input.get("task")
        if block.name not in specialists or not isinstance(task, str):
            return _told(block, "cannot", is_error=True)
        try:
            reply = await client.messages.create(
                model="m",
                max_tokens=9,
                system=specialists[block.name],
                messages=[{"role": "user", "content": task}],
            )
        except Exception as error:
            return _told(block, str(error), is_error=True)
        return _told(block, next((b.text for b in reply.content if b.type == "text"), ""))

    return await _each(client, blocks, specialists, one=one)


async def prompt_in_the_message(client, blocks, specialists):
    async def one(block):
        task = block.input.get("task")
        if block.name not in specialists or not isinstance(task, str):
            return _told(block, "cannot", is_error=True)
        try:
            return _told(block, await ask(client, f"{specialists[block.name]}\n\n{task}"))
        except Exception as error:
            return _told(block, str(error), is_error=True)

    return await _each(client, blocks, specialists, one=one)


async def id_under_another_name(client, blocks, specialists):
    results = await gathered(client, blocks, specialists)
    return [{"id": r.pop("tool_use_id"), **r} for r in results]


async def also_the_tool_s_name(client, blocks, specialists):
    results = await gathered(client, blocks, specialists)
    uses = [b for b in blocks if b.type == "tool_use"]
    return [{**r, "name": b.name} for r, b in zip(results, uses, strict=True)]


async def tries_again(client, blocks, specialists):
    results = await gathered(client, blocks, specialists)
    if any(r.get("is_error") for r in results):
        results = await gathered(client, blocks, specialists)
    return results


async def marks_the_input(client, blocks, specialists):
    results = await gathered(client, blocks, specialists)
    for block in blocks:
        if block.type == "tool_use":
            block.input["done"] = True
    return results


async def swallows_the_cancel(client, blocks, specialists):
    try:
        return await gathered(client, blocks, specialists)
    except asyncio.CancelledError:
        return []


WRONG = [
    (one_after_another, "run together"),
    (blocks_as_dicts, "SDK's objects"),
    (every_block_is_a_tool, "look at `block.type`"),
    (unknown_tool_raises, "never an exception"),
    (unknown_tool_left_out, "one result for each tool_use block"),
    (failure_reaches_the_caller, "sinks nothing else"),
    (error_without_the_flag, '"is_error": True'),
    (error_without_a_reason, "says why it failed"),
    (the_same_words_for_every_failure, "says why it failed"),
    (only_the_exception_s_class, "says why it failed"),
    (no_text_is_an_error, "leave `is_error` out"),
    (any_task_will_do, "none for the others"),
    (by_name, "asked twice in a round"),
    (a_cache_of_tasks, "asked twice in a round"),
    (in_the_order_of_arrival, "in the order of the blocks"),
    (only_the_first_text_block, "text blocks joined"),
    (prompt_in_the_message, "as `system`"),
    (id_under_another_name, "`tool_use_id`"),
    (also_the_tool_s_name, "holds nothing else"),
    (tries_again, "no second try"),
    (marks_the_input, "It changed what was passed in"),
    (swallows_the_cancel, "CancelledError"),
]
