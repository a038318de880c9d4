"""The real SDK over the scripted wire: every endpoint, every fault, every way to be cut off."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import anthropic
import httpx2
import pydantic
import pytest

from labkit import Reply, Rule, Trace, connect, record, run

HELLO: dict[str, Any] = {
    "model": "claude-haiku-4-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "hello"}],
}


def traced(main: Callable[[], Awaitable[Any]]) -> tuple[Any, Trace]:
    async def go() -> Any:
        return await main()

    with record() as trace:
        return run(go()), trace


def test_create() -> None:
    client = connect([Rule("hello", says="Hello, you.", seconds=2)])
    message, trace = traced(lambda: client.messages.create(**HELLO))
    assert isinstance(client, anthropic.AsyncAnthropic)
    assert message.content[0].text == "Hello, you."
    assert message.stop_reason == "end_turn"
    assert (message.usage.input_tokens, message.usage.output_tokens) == (2, 3)
    [call] = trace.calls
    assert (call.lane, call.start, call.end, call.outcome) == ("hello", 0.0, 2.0, "ok")
    assert (call.tokens_in, call.tokens_out, call.model) == (2, 3, "claude-haiku-4-5")


def test_a_stream_of_events() -> None:
    client = connect([Rule("", says="one two three", seconds=10)])

    async def main() -> list[Any]:
        return [event async for event in await client.messages.create(**HELLO, stream=True)]

    events, trace = traced(main)
    assert [event.type for event in events] == [
        "message_start",
        "content_block_start",
        *["content_block_delta"] * 3,
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert events[-2].usage.output_tokens == 4
    assert trace.calls[0].end == pytest.approx(10)
    assert trace.calls[0].tokens_out == 4


def test_the_stream_helper() -> None:
    client = connect([Rule("", says="one two three")])

    async def main() -> tuple[list[str], Any]:
        async with client.messages.stream(**HELLO) as stream:
            return [text async for text in stream.text_stream], await stream.get_final_message()

    (texts, final), _ = traced(main)
    assert texts == ["one ", "two ", "three"]
    assert final.content[0].text == "one two three"


def test_parse_and_structured_output() -> None:
    class Choice(pydantic.BaseModel):
        route: str

    def by_schema(request: Any) -> Any:
        assert request.schema["properties"].keys() == {"route"}
        return {"route": "billing"}

    client = connect([Rule("", says=by_schema)])
    message, _ = traced(lambda: client.messages.parse(**HELLO, output_format=Choice))
    assert message.parsed_output == Choice(route="billing")


def test_tool_use_in_one_piece_and_streamed() -> None:
    asked = {"type": "tool_use", "name": "look", "input": {"task": "up"}}
    client = connect([Rule("", says=[{"type": "text", "text": "Let me see."}, asked])])
    message, _ = traced(lambda: client.messages.create(**HELLO))
    assert message.stop_reason == "tool_use"
    assert (message.content[1].name, message.content[1].input) == ("look", {"task": "up"})
    assert message.content[1].id

    async def main() -> Any:
        async with client.messages.stream(**HELLO) as stream:
            return await stream.get_final_message()

    final, _ = traced(main)
    assert final.content[1].input == {"task": "up"}


def test_count_tokens_costs_no_call() -> None:
    client = connect([Rule("never", says="x")])
    counted, trace = traced(
        lambda: client.messages.count_tokens(model="m", messages=HELLO["messages"])
    )
    assert counted.input_tokens == 2
    assert not trace.calls


@pytest.mark.parametrize(
    ("fails", "error", "calls", "outcome"),
    [
        (400, anthropic.BadRequestError, 1, "400"),
        (401, anthropic.AuthenticationError, 1, "401"),
        (403, anthropic.PermissionDeniedError, 1, "403"),
        (404, anthropic.NotFoundError, 1, "404"),
        (413, anthropic.APIStatusError, 1, "413"),
        (429, anthropic.RateLimitError, 3, "429"),
        (500, anthropic.InternalServerError, 3, "500"),
        (529, anthropic.APIStatusError, 3, "529"),
        ("timeout", anthropic.APITimeoutError, 3, "timed out"),
        ("drop", anthropic.APIConnectionError, 3, "dropped"),
        ("not json", json.JSONDecodeError, 1, "ok"),
    ],
)
def test_each_fault_arrives_as_the_sdks_own_error(
    fails: Any, error: type[Exception], calls: int, outcome: str
) -> None:
    client = connect([Rule("", says="some words to send", fails=fails)])

    async def main() -> None:
        with pytest.raises(error) as caught:
            await client.messages.create(**HELLO)
        if isinstance(fails, int):
            assert isinstance(caught.value, anthropic.APIStatusError)
            assert caught.value.status_code == fails

    _, trace = traced(main)
    assert [call.outcome for call in trace.calls] == [outcome] * calls
    assert len(trace.lanes()) == 1


def test_a_stream_that_breaks_off_is_noted_with_the_tokens_so_far() -> None:
    client = connect([Rule("", says="one two three four five six", fails="drop")])

    async def main() -> None:
        with pytest.raises(httpx2.RemoteProtocolError):
            async for _ in await client.messages.create(**HELLO, stream=True):
                pass

    _, trace = traced(main)
    assert trace.calls[0].outcome == "dropped"
    assert 0 < trace.calls[0].tokens_out < 7


def test_retry_after_is_waited_for_on_the_free_clock() -> None:
    client = connect(
        [
            Rule("", fails=429, retry_after=30, seconds=1, times=1),
            Rule("", says="well then", seconds=2),
        ]
    )
    message, trace = traced(lambda: client.messages.create(**HELLO))
    assert message.content[0].text == "well then"
    assert [(call.start, call.end) for call in trace.calls] == [(0, 1), (31, 33)]
    assert [(name, len(calls)) for name, calls in trace.lanes()] == [("hello", 2)]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_the_read_time_out_of_the_request_holds(stream: bool) -> None:
    client = connect([Rule("", says="one two", seconds=60)]).with_options(max_retries=0)

    async def main() -> float:
        with pytest.raises(anthropic.APITimeoutError):
            await client.messages.create(**HELLO, stream=stream, timeout=5)
        return asyncio.get_running_loop().time()

    seconds, trace = traced(main)
    assert seconds == 5.0
    assert [call.outcome for call in trace.calls] == ["timed out"]


def test_a_stream_that_falls_silent_is_timed_out_too() -> None:
    # The head comes after 30 s; the events behind it are 70 / 6 s apart.
    client = connect([Rule("", says="one", seconds=100)]).with_options(max_retries=0)

    async def events(patience: float) -> int:
        stream = await client.messages.create(**HELLO, stream=True, timeout=patience)
        return len([event async for event in stream])

    assert traced(lambda: events(31))[0] == 6
    with record() as trace, pytest.raises(anthropic.APITimeoutError):
        run(events(29))
    assert [call.outcome for call in trace.calls] == ["timed out"]


def test_a_cancelled_call_is_noted_when_it_is_cancelled() -> None:
    client = connect([Rule("", says="x", seconds=60)])

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.messages.create(**HELLO), 7)

    _, trace = traced(main)
    assert [(call.outcome, call.end) for call in trace.calls] == [("cancelled", 7.0)]


def test_a_stream_left_half_way_is_cancelled_with_the_tokens_so_far() -> None:
    client = connect([Rule("", says="one two three four five six seven", seconds=10)])

    async def main() -> None:
        async with client.messages.stream(**HELLO) as stream:
            async for text in stream.text_stream:
                if text.startswith("three"):
                    break

    _, trace = traced(main)
    [call] = trace.calls
    assert call.outcome == "cancelled"
    assert 0 < call.tokens_out < 9
    assert call.end is not None
    assert call.end < 10


def test_a_request_that_no_rule_fits_is_a_readable_error() -> None:
    client = connect([Rule("tea", says="leaf")])

    async def main() -> None:
        with pytest.raises(anthropic.BadRequestError) as caught:
            await client.messages.create(**HELLO)
        assert "No rule of the script fits this request:\n  | hello" in str(caught.value)
        assert "holds 'tea'" in str(caught.value)

    _, trace = traced(main)
    assert len(trace.calls) == 1


def test_the_blocking_client() -> None:
    client = connect([Rule("", says="here", seconds=0.01)], blocking=True)
    assert isinstance(client, anthropic.Anthropic)
    with record() as trace:
        message = client.messages.create(**HELLO)
        with client.messages.stream(**HELLO) as stream:
            assert "".join(stream.text_stream) == "here"
        with pytest.raises(anthropic.APITimeoutError):
            client.with_options(max_retries=0, timeout=0.001).messages.create(**HELLO)
    assert message.content[0].text == "here"
    assert [call.outcome for call in trace.calls] == ["ok", "ok", "timed out"]
    assert trace.clock == "real"


def test_its_address_never_resolves() -> None:
    host = connect().base_url.host
    assert host.endswith(".invalid")
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo(host, 80)


def test_nothing_is_recorded_outside_a_block_and_blocks_may_be_nested() -> None:
    client = connect([Rule("", says=Reply("x", seconds=1))])

    async def main() -> tuple[Trace, Trace]:
        await client.messages.create(**HELLO)
        with record() as outer:
            await client.messages.create(**HELLO)
            with record() as inner:
                await client.messages.create(**HELLO)
        return outer, inner

    outer, inner = run(main())
    assert (len(outer.calls), len(inner.calls)) == (2, 1)
    assert (outer.calls[1].start, inner.calls[0].start) == (1.0, 0.0)


def test_ten_together_take_as_long_as_the_slowest() -> None:
    client = connect([Rule(f"task {n}.", says="x", seconds=n) for n in range(1, 11)])

    async def main() -> None:
        await asyncio.gather(
            *(
                client.messages.create(
                    **{**HELLO, "messages": [{"role": "user", "content": f"task {n}."}]}
                )
                for n in range(1, 11)
            )
        )

    _, trace = traced(main)
    assert (trace.seconds, trace.in_flight, trace.work) == (10.0, 10, 55.0)
