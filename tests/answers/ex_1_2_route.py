"""1.2: choose a specialist, then ask it."""

import json

from labkit.patterns import ask, parse_route

ID = "1.2"


async def with_ask(client, request, specialists, *, fallback):
    if fallback not in specialists:
        raise ValueError(fallback)
    reply = await ask(client, f"Which of {list(specialists)} fits?\n{request}")
    name = parse_route(reply, list(specialists)) or fallback
    return {"route": name, "answer": await ask(client, request, system=specialists[name])}


class NoSuchRoute(ValueError):
    pass


async def names_in_the_system(client, request, specialists, *, fallback):
    try:
        specialists[fallback]
    except KeyError as missing:
        raise NoSuchRoute(*missing.args) from None
    menu = "\n".join(f"- {name.title()}: {prompt}" for name, prompt in specialists.items())
    chosen = parse_route(await ask(client, request, system=f"Choose:\n{menu}"), [*specialists])
    if chosen is None:
        chosen = fallback
    answer = await ask(
        client, f"A customer writes:\n\n{request}\n\nReply.", system=specialists[chosen]
    )
    return dict(answer=answer, route=chosen)


async def one_conversation(client, request, specialists, *, fallback):
    if fallback not in specialists.keys():
        raise ValueError("no such fallback")

    def text(reply):
        return "".join(b.text for b in reply.content if b.type == "text")

    turns = [{"role": "user", "content": [{"type": "text", "text": request}]}]
    first = await client.messages.create(
        model="m", max_tokens=9, system=json.dumps(list(specialists)), messages=turns
    )
    name = parse_route(text(first), list(specialists))
    name = fallback if name is None else name
    async with client.messages.stream(
        model="n",
        max_tokens=99,
        system=[{"type": "text", "text": specialists[name]}],
        messages=[
            *turns,
            {"role": "assistant", "content": "ok"},
            {"role": "user", "content": "Go."},
        ],
    ) as stream:
        second = await stream.get_final_message()
    return {"route": name, "answer": text(second)}


async def names_in_lines_and_in_a_schema(client, request, specialists, *, fallback):
    if not any(name == fallback for name in specialists):
        raise ValueError
    names = "\n".join(specialists)
    schema = {"type": "string", "enum": [*specialists]}
    first = await client.messages.create(
        model="m",
        max_tokens=9,
        messages=[{"role": "user", "content": f"{request}\n{names}"}],
        output_config={"format": {"type": "json_schema", "schema": schema}},
    )
    text = "".join(block.text for block in first.content if block.type == "text")
    name = parse_route(text, tuple(specialists)) or fallback
    return {
        "answer": await ask(client, f"{request}\nThanks.", system=specialists[name]),
        "route": name,
    }


async def request_quoted_in_json(client, request, specialists, *, fallback):
    if fallback not in specialists:
        raise ValueError(f"{fallback} is none of {sorted(specialists)}")
    asked = json.dumps({"routes": [*specialists], "mail": request}, indent=1)
    name = parse_route(await ask(client, asked), [*specialists])
    if not name:
        name = fallback
    return {"route": name, "answer": await ask(client, request, system=specialists[name])}


async def the_whole_question_passed_on(client, request, specialists, *, fallback):
    if fallback not in set(specialists):
        raise ValueError
    question = f"{request}\n\nWho should answer? {' | '.join(specialists).upper()}"
    name = parse_route(await ask(client, question), list(specialists)) or fallback
    system = f"You work for us.\n{specialists[name]}"
    return {"route": name, "answer": await ask(client, question, system=system)}


async def request_indented_in_the_system(client, request, specialists, *, fallback):
    if fallback not in specialists:
        raise ValueError
    quoted = "\n".join(f"> {line}" for line in request.splitlines())
    system = f"A customer wrote:\n{quoted}\nYou can choose between {list(specialists)}"
    name = parse_route(await ask(client, "Which fits?", system=system), list(specialists))
    name = fallback if name not in specialists else name
    return {"route": name, "answer": await ask(client, request, system=specialists[name])}


RIGHT = [
    with_ask,
    names_in_the_system,
    one_conversation,
    names_in_lines_and_in_a_schema,
    request_quoted_in_json,
    the_whole_question_passed_on,
    request_indented_in_the_system,
]


async def _steps(
    client, request, specialists, fallback, *, read=None, menu=None, first=None, second=None
):
    if fallback not in specialists:
        raise ValueError(fallback)
    names = list(specialists)
    shown = ", ".join(names if menu is None else menu(names))
    reply = await ask(client, f"{request if first is None else first}\nOne of: {shown}")
    name = (read or (lambda reply: parse_route(reply, names)))(reply) or fallback
    answer = await ask(client, second or request, system=specialists[name])
    return {"route": name, "answer": answer}


async def exact_reply(client, request, specialists, *, fallback):
    return await _steps(
        client, request, specialists, fallback, read=lambda r: r if r in specialists else None
    )


async def first_name_in_the_reply(client, request, specialists, *, fallback):
    def read(reply):
        return next((name for name in specialists if name in reply.lower()), None)

    return await _steps(client, request, specialists, fallback, read=read)


async def the_fallback_is_no_name(client, request, specialists, *, fallback):
    def read(reply):
        return parse_route(reply, [name for name in specialists if name != fallback])

    return await _steps(client, request, specialists, fallback, read=read)


async def no_names_shown(client, request, specialists, *, fallback):
    return await _steps(client, request, specialists, fallback, menu=lambda names: [])


async def not_every_name_shown(client, request, specialists, *, fallback):
    return await _steps(client, request, specialists, fallback, menu=lambda names: names[1:])


async def no_request_shown(client, request, specialists, *, fallback):
    return await _steps(client, request, specialists, fallback, first="Which fits?")


async def specialist_gets_the_choice(client, request, specialists, *, fallback):
    return await _steps(client, request, specialists, fallback, second="Answer the customer.")


async def fallback_found_late(client, request, specialists, *, fallback):
    reply = await ask(client, f"{request}\n{list(specialists)}")
    name = parse_route(reply, list(specialists)) or fallback
    if name not in specialists:
        raise ValueError(name)
    return {"route": name, "answer": await ask(client, request, system=specialists[name])}


async def key_error(client, request, specialists, *, fallback):
    specialists[fallback]
    return await _steps(client, request, specialists, fallback)


async def asks_again(client, request, specialists, *, fallback):
    if fallback not in specialists:
        raise ValueError
    for _ in range(2):
        name = parse_route(await ask(client, f"{request} {list(specialists)}"), list(specialists))
        if name:
            break
    name = name or fallback
    return {"route": name, "answer": await ask(client, request, system=specialists[name])}


async def prompt_in_the_message(client, request, specialists, *, fallback):
    if fallback not in specialists:
        raise ValueError
    name = parse_route(await ask(client, f"{request} {list(specialists)}"), list(specialists))
    name = name or fallback
    return {"route": name, "answer": await ask(client, f"{specialists[name]}\n\n{request}")}


async def skips_a_choice_of_one(client, request, specialists, *, fallback):
    if len(specialists) == 1 and fallback in specialists:
        return {
            "route": fallback,
            "answer": await ask(client, request, system=specialists[fallback]),
        }
    return await _steps(client, request, specialists, fallback)


async def no_answer_from_the_fallback(client, request, specialists, *, fallback):
    if fallback not in specialists:
        raise ValueError
    name = parse_route(await ask(client, f"{request} {list(specialists)}"), list(specialists))
    if name is None:
        return {"route": fallback, "answer": None}
    return {"route": name, "answer": await ask(client, request, system=specialists[name])}


async def a_pair(client, request, specialists, *, fallback):
    return tuple((await _steps(client, request, specialists, fallback)).values())


async def all_at_once(client, request, specialists, *, fallback):
    if fallback not in specialists:
        raise ValueError
    name = parse_route(await ask(client, f"{request} {list(specialists)}"), list(specialists))
    answers = {n: await ask(client, request, system=specialists[n]) for n in specialists}
    return {"route": name or fallback, "answer": answers[name or fallback]}


async def the_last_one_answers_the_rest(client, request, specialists, *, fallback):
    names = list(specialists)
    return await _steps(
        client, request, specialists, fallback, read=lambda r: parse_route(r, names) or names[-1]
    )


async def the_first_one_answers_the_rest(client, request, specialists, *, fallback):
    names = list(specialists)
    return await _steps(
        client, request, specialists, fallback, read=lambda r: parse_route(r, names) or names[0]
    )


async def hides_the_fallback(client, request, specialists, *, fallback):
    return await _steps(
        client,
        request,
        specialists,
        fallback,
        menu=lambda names: [n for n in names if n != fallback],
    )


async def strips_the_answer(client, request, specialists, *, fallback):
    done = await _steps(client, request, specialists, fallback)
    return {**done, "answer": done["answer"].strip()}


async def tidies_the_request(client, request, specialists, *, fallback):
    tidy = " ".join(request.split())
    return await _steps(client, request, specialists, fallback, second=tidy)


async def lower_cases_the_request(client, request, specialists, *, fallback):
    return await _steps(client, request, specialists, fallback, first=request.lower())


async def raises_where_none_is_named(client, request, specialists, *, fallback):
    if fallback not in specialists:
        raise ValueError
    name = parse_route(await ask(client, f"{request} {list(specialists)}"), list(specialists))
    return {"route": name, "answer": await ask(client, request, system=specialists[name])}


async def as_in_the_worked_cell(client, request, specialists, *, fallback):
    if fallback not in specialists:
        raise ValueError
    name = parse_route(await ask(client, f"{request} {list(specialists)}"), list(specialists))
    name = name or fallback
    reply = await client.messages.create(
        model="m",
        max_tokens=9,
        system=specialists[name],
        messages=[{"role": "user", "content": request}],
    )
    return {"route": name, "answer": reply.content[0].text}


async def reads_the_first_block_of_the_router(client, request, specialists, *, fallback):
    if fallback not in specialists:
        raise ValueError
    first = await client.messages.create(
        model="m",
        max_tokens=9,
        messages=[{"role": "user", "content": f"{request} {list(specialists)}"}],
    )
    name = parse_route(first.content[0].text, list(specialists)) or fallback
    return {"route": name, "answer": await ask(client, request, system=specialists[name])}


async def blocks_on_lines(client, request, specialists, *, fallback):
    if fallback not in specialists:
        raise ValueError
    name = parse_route(await ask(client, f"{request} {list(specialists)}"), list(specialists))
    name = name or fallback
    reply = await client.messages.create(
        model="m",
        max_tokens=9,
        system=specialists[name],
        messages=[{"role": "user", "content": request}],
    )
    said = "\n".join(block.text for block in reply.content if block.type == "text")
    return {"route": name, "answer": said}


async def no_name_for_the_fallback(client, request, specialists, *, fallback):
    if fallback not in specialists:
        raise ValueError
    name = parse_route(await ask(client, f"{request} {list(specialists)}"), list(specialists))
    answer = await ask(client, request, system=specialists[name or fallback])
    return {"route": name, "answer": answer}


async def sends_the_routers_words(client, request, specialists, *, fallback):
    if fallback not in specialists:
        raise ValueError
    said = await ask(client, f"{request} {list(specialists)}")
    name = parse_route(said, list(specialists)) or fallback
    return {"route": name, "answer": await ask(client, said, system=specialists[name])}


async def every_prompt_in_the_system(client, request, specialists, *, fallback):
    done = await _steps(client, request, specialists, fallback)
    system = "\n".join(specialists.values())
    return {**done, "answer": await ask(client, request, system=system)}


async def all_prompts_as_one(client, request, specialists, *, fallback):
    if fallback not in specialists:
        raise ValueError
    name = parse_route(await ask(client, f"{request} {list(specialists)}"), list(specialists))
    system = f"{specialists}\nYou are {name or fallback}."
    return {"route": name or fallback, "answer": await ask(client, request, system=system)}


WRONG = [
    (the_fallback_is_no_name, "it counts as one"),
    (the_last_one_answers_the_rest, "goes to `fallback`"),
    (the_first_one_answers_the_rest, "goes to `fallback`"),
    (hides_the_fallback, "shows every route"),
    (strips_the_answer, "white space included"),
    (tidies_the_request, "The specialist gets the request"),
    (lower_cases_the_request, "first call shows the request"),
    (raises_where_none_is_named, "named no route: that goes to `fallback`"),
    (as_in_the_worked_cell, "A block without text stood"),
    (reads_the_first_block_of_the_router, "without any text names no route"),
    (blocks_on_lines, "joined with nothing between"),
    (no_name_for_the_fallback, "`route` is the name"),
    (sends_the_routers_words, "The specialist gets the request"),
    (every_prompt_in_the_system, "two calls"),
    (all_prompts_as_one, "The reply named one route"),
    (exact_reply, "read as in 1.1"),
    (first_name_in_the_reply, "The reply is read as in 1.1"),
    (no_names_shown, "shows every route"),
    (not_every_name_shown, "shows every route"),
    (no_request_shown, "first call shows the request"),
    (specialist_gets_the_choice, "The specialist gets the request"),
    (fallback_found_late, "before any call"),
    (key_error, "raises a ValueError"),
    (asks_again, "two calls"),
    (prompt_in_the_message, "`system`"),
    (skips_a_choice_of_one, "two calls"),
    (no_answer_from_the_fallback, "two calls"),
    (a_pair, "dict with `route` and `answer`"),
    (all_at_once, "two calls"),
]
