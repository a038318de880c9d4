"""What stands where the network stood: HTTP transports under the real SDK.

`ScriptedTransport` plays what a `ScriptedModel` plans. `Recorder` stands before either that or the
network and notes each call in the traces that are being recorded; it never looks at a header.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2

from .batches import PATH as BATCHES
from .batches import Batches
from .script import Exchange, Request, ScriptedModel, count_tokens
from .trace import Call, Trace, lane_of, recording

DEFAULT_READ_TIMEOUT = 600.0
"""The SDK's own default, in seconds; holds where a request names none."""


class ScriptedTransport(httpx2.AsyncBaseTransport, httpx2.BaseTransport):
    """Plays a scripted model to an ``httpx2`` client, asynchronous or blocking.

    Args:
        model: What answers.
        seed: Where it is drawn from how long a batch takes.
    """

    def __init__(self, model: ScriptedModel, *, seed: int = 0) -> None:
        self._model = model
        self._batches = Batches(model, seed=seed)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer one request; waits by the running loop's clock."""
        body = await request.aread()
        exchange = self._plan(request, body, asyncio.get_running_loop().time())
        return await play(exchange, request)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer one request of a blocking client; the thread really sleeps."""
        exchange = self._plan(request, request.read(), time.monotonic())
        seconds, late = _within(exchange, request)
        time.sleep(seconds)
        if late:
            raise httpx2.ReadTimeout("the scripted model did not answer in time", request=request)
        stream = _SyncBody(exchange, request)
        return httpx2.Response(exchange.status, headers=exchange.headers, stream=stream)

    def _plan(self, request: httpx2.Request, body: bytes, now: float) -> Exchange:
        method, url = request.method, request.url
        if url.path.startswith(BATCHES):
            origin = f"{url.scheme}://{url.netloc.decode()}"
            return self._batches.answer(method, url.path, body, now=now, origin=origin)
        return self._model.answer(method, url.path, body)


async def play(exchange: Exchange, request: httpx2.Request) -> httpx2.Response:
    """Play an exchange by the running loop's clock.

    Raises:
        httpx2.ReadTimeout: When the head takes longer than the request allows.
    """
    await play_head(exchange, request)
    stream = AsyncBody(exchange, request)
    return httpx2.Response(exchange.status, headers=exchange.headers, stream=stream)


async def play_head(exchange: Exchange, request: httpx2.Request) -> None:
    """Wait, by the running loop's clock, until the head of a response arrives.

    Raises:
        httpx2.ReadTimeout: When it takes longer than the request allows.
    """
    seconds, late = _within(exchange, request)
    await asyncio.sleep(seconds)
    if late:
        raise httpx2.ReadTimeout("the scripted model did not answer in time", request=request)


def read_timeout(request: httpx2.Request) -> float:
    """The seconds that a request allows between two bytes."""
    limit = request.extensions.get("timeout", {}).get("read")
    return DEFAULT_READ_TIMEOUT if limit is None else float(limit)


def _within(exchange: Exchange, request: httpx2.Request) -> tuple[float, bool]:
    limit = read_timeout(request)
    late = exchange.ending == "timeout" or exchange.wait > limit
    return (limit if late else exchange.wait), late


class _Body:
    def __init__(self, exchange: Exchange, request: httpx2.Request) -> None:
        self._exchange = exchange
        self._request = request

    def _steps(self) -> Iterator[tuple[float, bytes]]:
        limit = read_timeout(self._request)
        for wait, text in self._exchange.chunks:
            if wait > limit:
                yield limit, b""
                raise httpx2.ReadTimeout("the stream fell silent", request=self._request)
            yield wait, text.encode()
        if self._exchange.ending == "drop":
            raise httpx2.RemoteProtocolError(
                "peer closed connection without sending complete message body",
                request=self._request,
            )


class AsyncBody(_Body, httpx2.AsyncByteStream):
    """The body of a response, played by the running loop's clock."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for wait, chunk in self._steps():
            if wait:
                await asyncio.sleep(wait)
            if chunk:
                yield chunk


class _SyncBody(_Body, httpx2.SyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        for wait, chunk in self._steps():
            if wait:
                time.sleep(wait)
            if chunk:
                yield chunk


class Recorder(httpx2.AsyncBaseTransport):
    """Notes each call that passes in the traces being recorded.

    Args:
        inner: Where the calls go on to.
    """

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Pass one request on, noting when it starts, how it ends and what it cost."""
        note = _Note(await request.aread(), request)
        try:
            response = await self._inner.handle_async_request(request)
        except BaseException as error:
            note.failed(error)
            raise
        stream = response.stream
        assert isinstance(stream, httpx2.AsyncByteStream)
        note.head(response)
        response.stream = _AsyncTap(stream, note)
        return response

    async def aclose(self) -> None:
        """Close what the calls go on to."""
        await self._inner.aclose()


class BlockingRecorder(httpx2.BaseTransport):
    """`Recorder` for a blocking client.

    Args:
        inner: Where the calls go on to.
    """

    def __init__(self, inner: httpx2.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Pass one request on, noting when it starts, how it ends and what it cost."""
        note = _Note(request.read(), request)
        try:
            response = self._inner.handle_request(request)
        except BaseException as error:
            note.failed(error)
            raise
        stream = response.stream
        assert isinstance(stream, httpx2.SyncByteStream)
        note.head(response)
        response.stream = _SyncTap(stream, note)
        return response

    def close(self) -> None:
        """Close what the calls go on to."""
        self._inner.close()


class _Note:
    """One call in every trace that records it, from its first byte to its last."""

    def __init__(self, body: bytes, request: httpx2.Request) -> None:
        self._entries: list[tuple[Trace, Call]] = []
        self._body = b""
        self._outcome = "ok"
        traces = recording()
        if not traces or not request.url.path.rstrip("/").endswith("/v1/messages"):
            return
        # The reply is read as it passes, so it has to come uncompressed.
        request.headers["accept-encoding"] = "identity"
        try:
            sent = Request(json.loads(body))
        except (ValueError, TypeError):
            return
        for trace in traces:
            self._entries.append((trace, trace.begin(lane_of(sent.prompt), model=sent.model)))

    def head(self, response: httpx2.Response) -> None:
        if not response.is_success:
            self._outcome = str(response.status_code)

    def chunk(self, data: bytes) -> None:
        if self._entries:
            self._body += data

    def failed(self, error: BaseException) -> None:
        if isinstance(error, httpx2.TimeoutException):
            self._outcome = "timed out"
        elif isinstance(error, Exception):
            self._outcome = "dropped"
        else:
            self._outcome = "cancelled"
        self.end(whole=True)

    def end(self, *, whole: bool) -> None:
        outcome = self._outcome if whole or self._outcome != "ok" else "cancelled"
        if not self._entries:
            return
        tokens_in, tokens_out = usage(self._body)
        for trace, call in self._entries:
            if call.end is None:
                call.tokens_in, call.tokens_out = tokens_in, tokens_out
                trace.finish(call, outcome)


class _AsyncTap(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream, note: _Note) -> None:
        self._inner = inner
        self._note = note

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for data in self._inner:
                self._note.chunk(data)
                yield data
        except GeneratorExit:
            raise
        except BaseException as error:
            self._note.failed(error)
            raise
        self._note.end(whole=True)

    async def aclose(self) -> None:
        self._note.end(whole=False)
        await self._inner.aclose()


class _SyncTap(httpx2.SyncByteStream):
    def __init__(self, inner: httpx2.SyncByteStream, note: _Note) -> None:
        self._inner = inner
        self._note = note

    def __iter__(self) -> Iterator[bytes]:
        try:
            for data in self._inner:
                self._note.chunk(data)
                yield data
        except GeneratorExit:
            raise
        except BaseException as error:
            self._note.failed(error)
            raise
        self._note.end(whole=True)

    def close(self) -> None:
        self._note.end(whole=False)
        self._inner.close()


def usage(body: bytes) -> tuple[int, int]:
    """The tokens in and out that a reply's body tells of.

    Args:
        body: The body of a message, or of a stream as far as it came.

    Returns:
        Tokens in, those of a cache among them, and tokens out; 0 for what is not told.
    """
    text = body.decode("utf-8", errors="replace")
    if text.lstrip().startswith("{"):
        told = _object(text).get("usage")
        return _number(told, *TOKENS_IN), _number(told, "output_tokens")
    tokens_in, tokens_out, said = 0, 0, ""
    for line in text.splitlines():
        if not line.startswith("data:"):
            continue
        event = _object(line[5:])
        if event.get("type") == "message_start":
            message = event.get("message")
            told = message.get("usage") if isinstance(message, dict) else None
            tokens_in = _number(told, *TOKENS_IN)
        elif event.get("type") == "message_delta":
            tokens_out = _number(event.get("usage"), "output_tokens")
        elif event.get("type") == "content_block_delta" and isinstance(event.get("delta"), dict):
            delta = event["delta"]
            said += str(
                delta.get("text") or delta.get("thinking") or delta.get("partial_json") or ""
            )
    return tokens_in, tokens_out or count_tokens(said)


TOKENS_IN = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


def _object(text: str) -> dict[str, Any]:
    """A JSON object; an empty one where it is none, since a server may send anything."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}


def _number(told: Any, *names: str) -> int:
    """Numbers of an object added up; what is no number counts 0."""
    numbers = [told.get(name) for name in names] if isinstance(told, dict) else []
    return sum(number for number in numbers if isinstance(number, int))
