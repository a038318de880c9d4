"""connect(): the scripted client needs nothing, the live one a key that shows up nowhere."""

from __future__ import annotations

import asyncio
import json
import traceback
from typing import Any

import anthropic
import pytest

import labkit
from labkit import UsageError, connect, record
from labkit.patterns import ask

KEY = "sk-ant-a-key-that-must-not-be-seen"


def test_live_without_a_key_says_what_to_do() -> None:
    with pytest.raises(UsageError, match=r"ANTHROPIC_API_KEY.*connect\(\) for the scripted model"):
        connect(live=True)


def test_a_script_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="Write Rule"):
        connect(["hello"])  # type: ignore[list-item]


def test_in_a_notebook_a_mistake_shows_its_message_and_no_frames() -> None:
    error = UsageError("what to do")
    assert error._render_traceback_() == ["UsageError: what to do"]


def test_scripted_needs_no_key_and_ignores_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    client = connect()
    assert client.api_key != KEY
    assert client.base_url.host == "labkit.invalid"


@pytest.mark.parametrize("status", [200, 401], ids=["well", "refused"])
def test_the_key_reaches_the_wire_and_nothing_else(
    status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    heads: list[str] = []
    reply: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-4-5",
        "content": [{"type": "text", "text": "live"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 7, "output_tokens": 2},
    }

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        heads.append(head)
        length = next(x for x in head.lower().splitlines() if x.startswith("content-length"))
        await reader.readexactly(int(length.split(":")[1]))
        body = json.dumps(reply if status == 200 else {"type": "error", "error": {}}).encode()
        writer.write(
            f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode()
            + body
        )
        await writer.drain()
        writer.close()

    async def main() -> tuple[str, Any]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", f"http://127.0.0.1:{port}")
        async with connect(live=True) as client:
            with record() as trace:
                try:
                    said = await ask(client, "hello")
                except anthropic.APIStatusError as error:
                    said = "".join(traceback.format_exception(error))
        server.close()
        return said, trace

    said, trace = asyncio.run(main())
    assert KEY in heads[0]
    printed = capsys.readouterr()
    seen = [said, repr(trace), str(vars(trace)), repr(labkit.timeline(trace)), *printed]
    assert not any(KEY in text for text in seen)
    [call] = trace.calls
    if status == 200:
        assert said == "live"
        assert (call.outcome, call.tokens_in, call.tokens_out) == ("ok", 7, 2)
    else:
        assert call.outcome == "401"
