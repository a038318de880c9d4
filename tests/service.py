"""A small HTTP server for tests of the live lane: it speaks the Messages API, or anything else.

It runs on a thread of its own with real sockets, so that blocking clients can reach it as well.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def key(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ") or self.headers.get(
            "x-api-key", ""
        )


class Answer:
    """What a handler writes with."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def write(self, data: bytes | str) -> None:
        self._writer.write(data.encode() if isinstance(data, str) else data)
        await self._writer.drain()

    async def head(self, status: int, kind: str = "application/json", **headers: str) -> None:
        lines = [f"HTTP/1.1 {status} X", "connection: close"]
        lines += [f"content-type: {kind}"] if kind else []
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.write("\r\n".join(lines) + "\r\n\r\n")

    async def send(self, status: int, body: Any, kind: str = "application/json", **headers: str):
        text = body if isinstance(body, str) else json.dumps(body)
        await self.head(status, kind, content_length=str(len(text.encode())), **headers)
        await self.write(text)

    async def error(self, status: int, kind: str, message: str, **headers: str) -> None:
        told = {"type": "error", "error": {"type": kind, "message": message}}
        await self.send(status, told, **headers)

    def reset(self) -> None:
        """Break the connection so that the other end sees a reset."""
        raw = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


Handler = Callable[[Seen, Answer], Awaitable[None]]


def message(text: str = "live", tokens_in: int = 7, tokens_out: int = 2, **more: Any) -> Any:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-4-5",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": tokens_in, "output_tokens": tokens_out},
        **more,
    }


def events(*words: str, tokens_in: int = 7, whole: bool = True) -> list[str]:
    """A streamed message, an event each."""

    def event(name: str, **data: Any) -> str:
        return f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n"

    opened = message("", tokens_in, 1, content=[], stop_reason=None)
    block = {"type": "text", "text": ""}
    found = [event("message_start", message=opened)]
    found += [event("content_block_start", index=0, content_block=block)]
    for word in words:
        delta = {"type": "text_delta", "text": word}
        found.append(event("content_block_delta", index=0, delta=delta))
    if whole:
        found += [event("content_block_stop", index=0)]
        stop = {"stop_reason": "end_turn", "stop_sequence": None}
        found += [event("message_delta", delta=stop, usage={"output_tokens": len(words)})]
        found += [event("message_stop")]
    return found


async def well(seen: Seen, answer: Answer) -> None:
    """Answer as the API does."""
    if seen.json.get("stream"):
        await answer.head(200, "text/event-stream")
        for event in events("a ", "live ", "stream"):
            await answer.write(event)
    else:
        await answer.send(200, message())


@dataclass
class Service:
    """A running server."""

    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    now: int = 0
    most: int = 0
    handler: Handler = well
    gate: threading.Event = field(default_factory=threading.Event)

    async def wait(self) -> None:
        """Hold an answer back until the test opens the gate."""
        await asyncio.get_running_loop().run_in_executor(None, self.gate.wait, 30)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.splitlines()
            pairs = [line.partition(": ") for line in lines if line]
            headers = {name.lower(): value for name, _, value in pairs}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            seen = Seen(first.split()[0], first.split()[1], headers, body)
            self.seen.append(seen)
            self.now += 1
            self.most = max(self.most, self.now)
            try:
                await self.handler(seen, Answer(writer))
            finally:
                self.now -= 1
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has gone, which is what some tests are about
        finally:
            writer.close()


@contextmanager
def served(handler: Handler = well) -> Any:
    """Serve for as long as the block lasts."""
    service = Service(handler=handler)
    ready, stop = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def main() -> None:
        server = await asyncio.start_server(service._serve, "127.0.0.1", 0, limit=2**20)
        service.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        loops.append(asyncio.get_running_loop())
        ready.set()
        await stop.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    ready.wait()
    try:
        yield service
    finally:
        service.gate.set()
        loops[0].call_soon_threadsafe(stop.set)
        thread.join()


async def endless() -> AsyncIterator[str]:
    """A stream that never ends."""
    for event in events("on", whole=False):
        yield event
    while True:
        yield events("and on ", whole=False)[2]
