"""7.3: the loop of the Messages API, with agents as tools."""

import asyncio

from labkit.patterns import run_tools

ID = "7.3"


def tools_for(specialists, **schema):
    return [
        {
            "name": name,
            "description": prompt,
            "input_schema": {
                "type": "object",
                "properties": {"task": {"type": "string"}},
                "required": ["task"],
                **schema,
            },
        }
        for name, prompt in specialists.items()
    ]


def text_in(reply):
    return "".join(block.text for block in reply.content if block.type == "text")


async def lead(client, messages, specialists, **more):
    return await client.messages.create(
        model="m", max_tokens=500, tools=tools_for(specialists), messages=messages, **more
    )


async def a_for_loop(client, request, specialists, *, rounds=5):
    messages = [{"role": "user", "content": request}]
    for _ in range(rounds):
        reply = await lead(client, messages, specialists, system="You are Atlas.")
        if reply.stop_reason != "tool_use":
            return text_in(reply)
        messages.append({"role": "assistant", "content": reply.content})
        results = await run_tools(client, reply.content, specialists)
        messages.append({"role": "user", "content": results})
    raise RuntimeError("out of rounds")


class OutOfRounds(RuntimeError):
    pass


async def recursive(client, request, specialists, *, rounds=5, said=()):
    if not rounds:
        raise OutOfRounds
    turns = said or ({"role": "user", "content": [{"type": "text", "text": request}]},)
    team = "\n".join(f"{name}: {prompt}" for name, prompt in specialists.items())
    reply = await lead(client, list(turns), specialists, system=f"Your team:\n{team}")
    if reply.stop_reason != "tool_use":
        return text_in(reply)
    results = await run_tools(client, reply.content, specialists)
    plain = [block.model_dump() for block in reply.content]
    turns = (
        *turns,
        {"role": "assistant", "content": plain},
        {"role": "user", "content": [*results, {"type": "text", "text": "Go on."}]},
    )
    return await recursive(client, request, specialists, rounds=rounds - 1, said=turns)


async def streamed_and_by_hand(client, request, specialists, *, rounds=5):
    tools = [
        {
            "name": name,
            "input_schema": {
                "type": "object",
                "properties": {"task": {"type": "string", "description": "what to do"}},
                "additionalProperties": False,
            },
        }
        for name in sorted(specialists, reverse=True)
    ]

    async def one(use):
        task = use.input.get("task")
        if use.name not in specialists or not isinstance(task, str):
            return {"type": "tool_result", "tool_use_id": use.id, "is_error": True}
        try:
            reply = await client.messages.create(
                model="n",
                max_tokens=99,
                system=specialists[use.name],
                messages=[{"role": "user", "content": task}],
            )
            texts = [{"type": "text", "text": b.text} for b in reply.content if b.type == "text"]
            return {"type": "tool_result", "tool_use_id": use.id, "content": texts}
        except Exception as error:
            return {
                "type": "tool_result",
                "tool_use_id": use.id,
                "is_error": True,
                "content": str(error),
            }

    messages, left = [{"role": "user", "content": f"Answer this: {request}"}], rounds
    while left:
        left -= 1
        async with client.messages.stream(
            model="m", max_tokens=500, tools=tools, messages=messages
        ) as stream:
            reply = await stream.get_final_message()
        if reply.stop_reason != "tool_use":
            return "".join(b.text for b in reply.content if b.type == "text")
        if not left:
            break
        uses = [b for b in reply.content if b.type == "tool_use"]
        messages = [
            *messages,
            {"role": "assistant", "content": reply.content},
            {"role": "user", "content": await asyncio.gather(*map(one, uses))},
        ]
    raise RuntimeError("the lead never answered")


async def has_to_answer_in_the_last_round(client, request, specialists, *, rounds=5):
    messages = [{"role": "user", "content": request}]
    for left in reversed(range(rounds)):
        choice = {"type": "auto" if left else "none"}
        reply = await lead(client, messages, specialists, tool_choice=choice)
        if reply.stop_reason != "tool_use":
            return text_in(reply)
        results = await run_tools(client, reply.content, specialists)
        messages.append({"role": "assistant", "content": reply.content})
        messages.append({"role": "user", "content": results})
    raise RuntimeError("out of rounds")


RIGHT = [a_for_loop, recursive, streamed_and_by_hand, has_to_answer_in_the_last_round]


async def _loop(
    client, request, specialists, rounds, *,
    ask=lead, back=lambda reply: reply.content, run=run_tools, ends=None, wrap=None,
    keep=lambda messages: messages,
):  # fmt: skip
    messages = [{"role": "user", "content": request}]
    for _ in range(rounds):
        reply = await ask(client, keep(messages), specialists)
        if (ends or (lambda reply: reply.stop_reason != "tool_use"))(reply):
            return text_in(reply)
        results = await run(client, reply.content, specialists)
        messages.append({"role": "assistant", "content": back(reply)})
        messages += wrap(results) if wrap else [{"role": "user", "content": results}]
    raise RuntimeError("out of rounds")


async def one_round_only(client, request, specialists, *, rounds=5):
    first = await lead(client, [{"role": "user", "content": request}], specialists)
    if first.stop_reason != "tool_use":
        return text_in(first)
    results = await run_tools(client, first.content, specialists)
    last = await lead(
        client,
        [
            {"role": "user", "content": request},
            {"role": "assistant", "content": first.content},
            {"role": "user", "content": results},
        ],
        specialists,
    )
    return text_in(last)


async def tools_only_at_first(client, request, specialists, *, rounds=5):
    async def ask(client, messages, specialists):
        if len(messages) == 1:
            return await lead(client, messages, specialists)
        return await client.messages.create(model="m", max_tokens=500, messages=messages)

    return await _loop(client, request, specialists, rounds, ask=ask)


async def thoughts_left_out(client, request, specialists, *, rounds=5):
    def back(reply):
        return [b for b in reply.content if b.type == "tool_use"]

    return await _loop(client, request, specialists, rounds, back=back)


async def forgets_earlier_rounds(client, request, specialists, *, rounds=5):
    return await _loop(
        client, request, specialists, rounds,
        keep=lambda m: [m[0], *m[-2:]] if len(m) > 3 else m,
    )  # fmt: skip


async def a_message_for_each_result(client, request, specialists, *, rounds=5):
    return await _loop(
        client, request, specialists, rounds,
        wrap=lambda results: [{"role": "user", "content": [r]} for r in results],
    )  # fmt: skip


async def results_as_plain_text(client, request, specialists, *, rounds=5):
    return await _loop(
        client, request, specialists, rounds,
        wrap=lambda results: [{"role": "user", "content": str([r["content"] for r in results])}],
    )  # fmt: skip


async def ends_without_a_tool_block(client, request, specialists, *, rounds=5):
    return await _loop(
        client, request, specialists, rounds,
        ends=lambda reply: all(b.type != "tool_use" for b in reply.content),
    )  # fmt: skip


async def ends_at_end_turn_only(client, request, specialists, *, rounds=5):
    return await _loop(
        client, request, specialists, rounds, ends=lambda reply: reply.stop_reason == "end_turn"
    )


async def ends_at_the_first_text(client, request, specialists, *, rounds=5):
    return await _loop(client, request, specialists, rounds, ends=lambda reply: text_in(reply))


async def one_tool_after_another(client, request, specialists, *, rounds=5):
    async def run(client, blocks, specialists):
        return [r for b in blocks for r in await run_tools(client, [b], specialists)]

    return await _loop(client, request, specialists, rounds, run=run)


async def only_the_first_tool(client, request, specialists, *, rounds=5):
    async def run(client, blocks, specialists):
        uses = [b for b in blocks if b.type == "tool_use"]
        return await run_tools(client, uses[:1], specialists)

    return await _loop(client, request, specialists, rounds, run=run)


async def gives_up_one_round_early(client, request, specialists, *, rounds=5):
    return await _loop(client, request, specialists, rounds - 1)


async def one_round_too_many(client, request, specialists, *, rounds=5):
    return await _loop(client, request, specialists, rounds + 1)


async def never_gives_up(client, request, specialists, *, rounds=5):
    return await _loop(client, request, specialists, 30)


async def returns_what_it_has(client, request, specialists, *, rounds=5):
    try:
        return await a_for_loop(client, request, specialists, rounds=rounds)
    except RuntimeError:
        return "No answer."


async def another_parameter(client, request, specialists, *, rounds=5):
    def tools(names):
        return [
            {
                "name": name,
                "input_schema": {"type": "object", "properties": {"prompt": {"type": "string"}}},
            }
            for name in names
        ]

    async def ask(client, messages, specialists):
        return await client.messages.create(
            model="m", max_tokens=500, tools=tools(specialists), messages=messages
        )

    return await _loop(client, request, specialists, rounds, ask=ask)


async def one_tool_for_all(client, request, specialists, *, rounds=5):
    async def ask(client, messages, specialists):
        return await lead(client, messages, {"ask": "asks any specialist"})

    return await _loop(client, request, specialists, rounds, ask=ask)


async def all_the_text_there_was(client, request, specialists, *, rounds=5):
    said = []

    async def ask(client, messages, specialists):
        reply = await lead(client, messages, specialists)
        said.append(text_in(reply))
        return reply

    await _loop(client, request, specialists, rounds, ask=ask)
    return "\n".join(said)


async def a_specialist_sinks_all(client, request, specialists, *, rounds=5):
    async def run(client, blocks, specialists):
        results = await run_tools(client, blocks, specialists)
        for result in results:
            if result.get("is_error"):
                raise ValueError(result["content"])
        return results

    return await _loop(client, request, specialists, rounds, run=run)


async def a_failing_lead_is_an_answer(client, request, specialists, *, rounds=5):
    try:
        return await a_for_loop(client, request, specialists, rounds=rounds)
    except RuntimeError:
        raise
    except Exception as error:
        return f"failed: {error}"


async def swallows_the_cancel(client, request, specialists, *, rounds=5):
    try:
        return await a_for_loop(client, request, specialists, rounds=rounds)
    except asyncio.CancelledError:
        return ""


async def results_under_a_role_of_their_own(client, request, specialists, *, rounds=5):
    return await _loop(
        client, request, specialists, rounds,
        wrap=lambda results: [{"role": "tool", "content": results}],
    )  # fmt: skip


def _choosing(kind):
    async def ask(client, messages, specialists):
        return await lead(client, messages, specialists, tool_choice={"type": kind})

    return ask


async def must_always_ask(client, request, specialists, *, rounds=5):
    return await _loop(client, request, specialists, rounds, ask=_choosing("any"))


async def may_never_ask(client, request, specialists, *, rounds=5):
    return await _loop(client, request, specialists, rounds, ask=_choosing("none"))


async def raises_when_cut_short(client, request, specialists, *, rounds=5):
    def ends(reply):
        if reply.stop_reason in ("max_tokens", "refusal"):
            raise RuntimeError("no answer")
        return reply.stop_reason != "tool_use"

    return await _loop(client, request, specialists, rounds, ends=ends)


async def raises_an_error_of_its_own(client, request, specialists, *, rounds=5):
    def ends(reply):
        if reply.stop_reason not in ("end_turn", "tool_use", "stop_sequence"):
            raise ValueError(f"stopped for {reply.stop_reason}")
        return reply.stop_reason != "tool_use"

    return await _loop(client, request, specialists, rounds, ends=ends)


async def without_a_bound(client, request, specialists, *, rounds=5):
    return await _loop(client, request, specialists, 10**9)


async def without_a_bound_or_an_end(client, request, specialists, *, rounds=5):
    return await _loop(client, request, specialists, 10**9, ends=lambda reply: False)


WRONG = [
    (results_under_a_role_of_their_own, "refuses any other"),
    (must_always_ask, "can never answer"),
    (may_never_ask, "can never ask"),
    (raises_when_cut_short, "stopped for `max_tokens`"),
    (raises_an_error_of_its_own, "stopped for `max_tokens`"),
    (without_a_bound, "as many lead calls as `rounds` says"),
    (without_a_bound_or_an_end, "went on after a reply that was final"),
    (one_round_only, "the lead is called again"),
    (tools_only_at_first, "Every lead call carries the tools"),
    (thoughts_left_out, "goes back whole"),
    (forgets_earlier_rounds, "goes back whole"),
    (a_message_for_each_result, "in one user message"),
    (results_as_plain_text, "in one user message"),
    (ends_without_a_tool_block, "only the stop reason `tool_use`"),
    (ends_at_end_turn_only, "only the stop reason `tool_use`"),
    (ends_at_the_first_text, "the lead is called again"),
    (one_tool_after_another, "run together"),
    (only_the_first_tool, "Each tool use with a string `task` is one call"),
    (gives_up_one_round_early, "After as many lead calls"),
    (one_round_too_many, "lead calls"),
    (never_gives_up, "lead calls"),
    (returns_what_it_has, "RuntimeError"),
    (another_parameter, "one string, `task`"),
    (one_tool_for_all, "one for each specialist"),
    (all_the_text_there_was, "nothing of the turns before"),
    (a_specialist_sinks_all, "never an exception"),
    (a_failing_lead_is_an_answer, "reaches the caller"),
    (swallows_the_cancel, "CancelledError"),
]
