"""0.1: one call, and the text of its reply."""

import functools

from anthropic import omit

ID = "0.1"
MODEL = "claude-haiku-4-5"


async def keyword_arguments(client, prompt, *, system=None):
    extra = {} if system is None else {"system": system}
    reply = await client.messages.create(
        model=MODEL, max_tokens=500, messages=[{"role": "user", "content": prompt}], **extra
    )
    return "".join(block.text for block in reply.content if block.type == "text")


async def final_text_of_a_stream(client, prompt, *, system=None):
    async with client.messages.stream(
        model=MODEL,
        max_tokens=500,
        system=omit if system is None else system,
        messages=[{"role": "user", "content": prompt}],
    ) as stream:
        return await stream.get_final_text()


async def sdk_omit_and_blocks(client, prompt, *, system=None):
    reply = await client.messages.create(
        model="some-other-model",
        max_tokens=1,
        system=omit if system is None else [{"type": "text", "text": system}],
        messages=[{"role": "user", "content": [{"type": "text", "text": prompt}]}],
    )
    text = ""
    for block in reply.content:
        if block.type == "text":
            text += block.text
    return text


async def streamed_text(client, prompt, *, system=None):
    given = {"system": system} if system is not None else {}
    messages = [{"role": "user", "content": prompt}]
    async with client.messages.stream(
        model=MODEL, max_tokens=64, messages=messages, **given
    ) as stream:
        return "".join([text async for text in stream.text_stream])


async def raw_events(client, prompt, *, system=None):
    request = {"model": MODEL, "max_tokens": 64, "stream": True}
    request["messages"] = [{"role": "user", "content": f"Please answer.\n{prompt}\nThank you."}]
    if system is not None:
        request["system"] = f"{system}\nBe brief."
    parts = []
    async for event in await client.with_options(max_retries=0).messages.create(**request):
        if event.type == "content_block_delta" and event.delta.type == "text_delta":
            parts.append(event.delta.text)
    return "".join(parts)


class Asker:
    """A callable object is a function too."""

    async def __call__(self, client, prompt, *, system=None):
        return await keyword_arguments(client, prompt, system=system)


async def events_until_the_last(client, prompt, *, system=None):
    given = {"system": system} if system is not None else {}
    messages = [{"role": "user", "content": prompt}, {"role": "user", "content": "Be brief."}]
    text = ""
    async for event in await client.messages.create(
        model=MODEL, max_tokens=64, messages=messages, stream=True, **given
    ):
        if event.type == "content_block_delta" and event.delta.type == "text_delta":
            text += event.delta.text
        if event.type == "message_stop":
            break
    return text


async def counts_tokens_first(client, prompt, *, system=None):
    """Counting tokens is no `messages` request."""
    messages = [{"role": "user", "content": prompt}]
    counted = await client.messages.count_tokens(model=MODEL, messages=messages)
    assert counted.input_tokens > 0
    return await keyword_arguments(client, prompt, system=system)


async def from_the_cell(client, prompt, system):
    more = {} if system is None else {"system": system}
    reply = await client.messages.create(
        model="m", max_tokens=9, messages=[{"role": "user", "content": prompt}], **more
    )
    return "".join(block.text for block in reply.content if block.type == "text")


RIGHT = [
    keyword_arguments,
    final_text_of_a_stream,
    events_until_the_last,
    counts_tokens_first,
    sdk_omit_and_blocks,
    streamed_text,
    raw_events,
    Asker(),
    functools.partial(keyword_arguments),
    lambda client, prompt, *, system=None: keyword_arguments(client, prompt, system=system),
]


async def first_block(client, prompt, *, system=None):
    extra = {} if system is None else {"system": system}
    reply = await client.messages.create(
        model=MODEL, max_tokens=500, messages=[{"role": "user", "content": prompt}], **extra
    )
    return reply.content[0].text


async def last_block(client, prompt, *, system=None):
    extra = {} if system is None else {"system": system}
    reply = await client.messages.create(
        model=MODEL, max_tokens=500, messages=[{"role": "user", "content": prompt}], **extra
    )
    return reply.content[-1].text


async def joined_by_newlines(client, prompt, *, system=None):
    extra = {} if system is None else {"system": system}
    reply = await client.messages.create(
        model=MODEL, max_tokens=500, messages=[{"role": "user", "content": prompt}], **extra
    )
    return "\n".join(block.text for block in reply.content if block.type == "text")


async def thinking_too(client, prompt, *, system=None):
    extra = {} if system is None else {"system": system}
    reply = await client.messages.create(
        model=MODEL, max_tokens=500, messages=[{"role": "user", "content": prompt}], **extra
    )
    return "".join(getattr(b, "text", None) or getattr(b, "thinking", "") for b in reply.content)


async def empty_system(client, prompt, *, system=None):
    reply = await client.messages.create(
        model=MODEL,
        max_tokens=500,
        system=system or "",
        messages=[{"role": "user", "content": prompt}],
    )
    return "".join(block.text for block in reply.content if block.type == "text")


async def null_system(client, prompt, *, system=None):
    reply = await client.messages.create(
        model=MODEL,
        max_tokens=500,
        system=system,
        messages=[{"role": "user", "content": prompt}],
    )
    return "".join(block.text for block in reply.content if block.type == "text")


async def system_in_the_prompt(client, prompt, *, system=None):
    content = prompt if system is None else f"{system}\n\n{prompt}"
    return await keyword_arguments(client, content)


async def system_forgotten(client, prompt, *, system=None):
    return await keyword_arguments(client, prompt)


async def system_where_true(client, prompt, *, system=None):
    extra = {"system": system} if system else {}
    reply = await client.messages.create(
        model=MODEL, max_tokens=500, messages=[{"role": "user", "content": prompt}], **extra
    )
    return "".join(block.text for block in reply.content if block.type == "text")


async def small_letters(client, prompt, *, system=None):
    return await keyword_arguments(client, prompt.lower(), system=system)


async def one_line(client, prompt, *, system=None):
    return await keyword_arguments(client, " ".join(prompt.split()), system=system)


async def first_and_last_text(client, prompt, *, system=None):
    extra = {} if system is None else {"system": system}
    reply = await client.messages.create(
        model=MODEL, max_tokens=500, messages=[{"role": "user", "content": prompt}], **extra
    )
    texts = [block.text for block in reply.content if block.type == "text"]
    return texts[0] if len(texts) == 1 else texts[0] + texts[-1]


async def tidied_text(client, prompt, *, system=None):
    return (await keyword_arguments(client, prompt, system=system)).strip()


async def leaves_the_program(client, prompt, *, system=None):
    raise SystemExit(await keyword_arguments(client, prompt, system=system))


async def whole_reply(client, prompt, *, system=None):
    return await client.messages.create(
        model=MODEL, max_tokens=500, messages=[{"role": "user", "content": prompt}]
    )


async def no_await(client, prompt, *, system=None):
    return keyword_arguments(client, prompt, system=system)


async def no_return(client, prompt, *, system=None):
    await keyword_arguments(client, prompt, system=system)


async def asks_twice(client, prompt, *, system=None):
    await keyword_arguments(client, prompt, system=system)
    return await keyword_arguments(client, prompt, system=system)


async def never_asks(client, prompt, *, system=None):
    return "Kyoto."


async def fixed_prompt(client, prompt, *, system=None):
    return await keyword_arguments(client, "Name a city to visit in autumn.", system=system)


def not_async(client, prompt, *, system=None):
    return client.messages.create.__name__


async def positional_system(client, prompt):
    return await keyword_arguments(client, prompt)


async def swallows_cancelling(client, prompt, *, system=None):
    try:
        return await keyword_arguments(client, prompt, system=system)
    except BaseException:
        return ""


async def content_of_the_coroutine(client, prompt, *, system=None):
    reply = client.messages.create(
        model="m", max_tokens=9, messages=[{"role": "user", "content": prompt}]
    )
    return reply.content[0].text


async def trims_the_prompt(client, prompt, *, system=None):
    return await from_the_cell(client, prompt.strip(), system)


async def fills_the_prompt_in(client, prompt, *, system=None):
    return await from_the_cell(client, prompt.format(order=system), system)


async def none_for_no_text(client, prompt, *, system=None):
    return await from_the_cell(client, prompt, system) or None


async def asks_again_for_no_text(client, prompt, *, system=None):
    said = await from_the_cell(client, prompt, system)
    return said or await from_the_cell(client, prompt, system)


WRONG = [
    (content_of_the_coroutine, "An `await` is missing"),
    (trims_the_prompt, "white space and braces included"),
    (fills_the_prompt_in, "white space and braces included"),
    (none_for_no_text, "A reply may say nothing"),
    (asks_again_for_no_text, "exactly once"),
    (first_block, "A block without text stood"),
    (last_block, "one of the reply's text blocks"),
    (joined_by_newlines, "nothing between"),
    (thinking_too, "thinking and tool use are no text"),
    (empty_system, "may not have the field at all"),
    (null_system, "may not have the field at all"),
    (system_in_the_prompt, "goes into the request's `system` field"),
    (system_forgotten, "goes into the request's `system` field"),
    (system_where_true, "only None leaves the field out"),
    (small_letters, "goes out as the user message"),
    (one_line, "goes out as the user message"),
    (first_and_last_text, "The text of a reply is its text blocks"),
    (tidied_text, "its white space included"),
    (leaves_the_program, "ends the whole program"),
    (whole_reply, "The text of a reply is its text blocks"),
    (no_await, "an `await` is missing"),
    (no_return, "is there a `return`"),
    (asks_twice, "exactly once"),
    (never_asks, "exactly once"),
    (fixed_prompt, "goes out as the user message"),
    (not_async, "async def"),
    (positional_system, "cannot be called as the exercise says"),
    (swallows_cancelling, "CancelledError has to reach the caller"),
]
