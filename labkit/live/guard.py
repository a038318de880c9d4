"""What stands between the SDK and the network: budget, turns, limits, and no key on the way back.

Errors are raised here as the SDK's own: those it hands on as they are, and tries again by its own
rules (``anthropic._base_client``: an ``AnthropicError`` out of a transport is not wrapped).
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import AsyncIterator, Iterator
from typing import NoReturn

import httpx2
from anthropic import AnthropicError

from ..errors import LabkitError
from ..wire import read_timeout, usage
from . import advice
from .spending import MESSAGES, Budget, Hold, fields

LONGEST = 32 * 2**20
"""Bytes that a reply may have; the longest that a model writes is a fraction of it."""

LONGEST_REFUSAL = 64 * 2**10
"""Bytes of a refusal that are read."""

SHORTEST_KEY = 8
"""Characters that a key has at least; what is shorter might be a part of any word."""

_STREAM_ERROR = re.compile(rb"^event: ?error\r?\ndata: ?(.*?)\r?\n", re.MULTILINE)


class BadReply(LabkitError, AnthropicError):
    """What came back is no reply of the Messages API; the SDK does not ask for it again."""


class Guard(httpx2.AsyncBaseTransport):
    """Watches over the live calls of an asynchronous client.

    Args:
        inner: Where calls go on to.
        budget: What they may cost.
    """

    def __init__(self, inner: httpx2.AsyncBaseTransport, budget: Budget) -> None:
        self._inner = inner
        self._budget = budget

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request when it is its turn, and watch its reply.

        Raises:
            OverBudget: When it might cost more than is left.
            BadReply: When what comes back is no reply.
            anthropic.APIStatusError: When the service refuses it.
            anthropic.APIConnectionError: When it cannot be reached, or breaks off.
        """
        call = _Call(self._budget, request, await request.aread())
        place = call.place
        try:
            await asyncio.wrap_future(place)
        except BaseException:
            call.unsent()
            raise
        try:
            call.sent()
            response = await self._inner.handle_async_request(request)
        except BaseException as error:
            call.fail(error)
        stream = response.stream
        assert isinstance(stream, httpx2.AsyncByteStream)
        try:
            if response.is_success or response.is_redirect:
                call.head(response)
                response.stream = _AsyncTap(stream, call)
                return response
            async for data in stream:
                if not call.refusal(data):
                    break
        except BaseException as error:
            await stream.aclose()
            call.fail(error)
        await stream.aclose()
        raise call.refused(response)

    async def aclose(self) -> None:
        """Close what calls go on to."""
        await self._inner.aclose()


class BlockingGuard(httpx2.BaseTransport):
    """`Guard` for a blocking client.

    Args:
        inner: Where calls go on to.
        budget: What they may cost.
    """

    def __init__(self, inner: httpx2.BaseTransport, budget: Budget) -> None:
        self._inner = inner
        self._budget = budget

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request when it is its turn, and watch its reply; raises as `Guard` does."""
        call = _Call(self._budget, request, request.read())
        try:
            call.place.result()
        except BaseException:
            call.unsent()
            raise
        try:
            call.sent()
            response = self._inner.handle_request(request)
        except BaseException as error:
            call.fail(error)
        stream = response.stream
        assert isinstance(stream, httpx2.SyncByteStream)
        try:
            if response.is_success or response.is_redirect:
                call.head(response)
                response.stream = _SyncTap(stream, call)
                return response
            for data in stream:
                if not call.refusal(data):
                    break
        except BaseException as error:
            stream.close()
            call.fail(error)
        stream.close()
        raise call.refused(response)

    def close(self) -> None:
        """Close what calls go on to."""
        self._inner.close()


class _Call:
    """One request, from the budget's yes to the last byte of its reply."""

    def __init__(self, budget: Budget, request: httpx2.Request, body: bytes) -> None:
        self._budget = budget
        self._request = request
        self._asks = request.url.path.rstrip("/").endswith(MESSAGES)
        self._streams = self._asks and bool(fields(body).get("stream"))
        self._hold: Hold | None = budget.hold(request.url.path, body)
        self._keys = _keys(request)
        self._body = bytearray()
        self._kept = b""  # the beginning of a key, perhaps
        self._events = False
        self._over = False
        self._started = 0.0
        # What comes back is looked through for the key, so it has to come uncompressed.
        request.headers["accept-encoding"] = "identity"
        self.place = budget.enter()

    @property
    def _model(self) -> str:
        return self._hold.model if self._hold else ""

    def unsent(self) -> None:
        """It was given up while it waited for its turn."""
        self._budget.free(self._hold, unsent=True)
        if not self.place.cancel() and not self.place.cancelled():
            self._budget.leave()

    def sent(self) -> None:
        """It leaves now."""
        self._started = time.monotonic()

    def head(self, response: httpx2.Response) -> None:
        """Look at the head of a reply.

        Raises:
            BadReply: When its body can be none.
        """
        for name, value in response.headers.multi_items():
            hidden = self._hide(value.encode()).decode()
            if hidden != value:
                response.headers[name] = hidden
        if response.is_redirect:
            # It answers nothing and costs nothing; where it leads, another request goes.
            self._asks = False
            self._end(free=True)
            return
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        self._events = kind == "text/event-stream"
        if self._asks and not self._events and not kind.endswith("json"):
            raise BadReply(
                f"{self._request.url.host} answered with {kind or 'no content type'}, and the"
                f" Messages API answers with JSON. {advice.ADDRESS}"
            )
        if self._streams and not self._events:
            raise BadReply(
                f"{self._request.url.host} was asked for a stream and answered with one piece of"
                " JSON: it does not stream. Ask with `messages.create` and no `stream`."
            )
        if self._asks and self._events and not self._streams:
            raise BadReply(
                f"{self._request.url.host} answered with a stream, and none was asked for."
                f" {advice.ADDRESS}"
            )

    def refusal(self, data: bytes) -> bool:
        """Take a part of a refusal; False once it is enough."""
        self._body += data
        return len(self._body) < LONGEST_REFUSAL

    def refused(self, response: httpx2.Response) -> AnthropicError:
        """The error for a response that is no success; it costs nothing."""
        self._end(free=True)
        headers = httpx2.Headers(
            {name: self._hide(value.encode()).decode() for name, value in response.headers.items()}
        )
        body = self._hide(bytes(self._body[:LONGEST_REFUSAL]))
        return advice.refused(self._request, response.status_code, headers, body, self._model)

    def passed(self, data: bytes) -> bytes:
        """Take a part of a reply; returns what of it may be handed on.

        Raises:
            BadReply: When the reply does not come to an end.
            anthropic.APIStatusError: When it holds an error.
        """
        self._body += data
        host = self._request.url.host
        if len(self._body) > LONGEST:
            raise BadReply(
                f"the reply of {host} was cut off after {LONGEST >> 20} MiB: no model says that"
                " much."
            )
        if time.monotonic() - self._started > self._budget.seconds:
            longer = max(self._budget.seconds * 2, 60)
            raise BadReply(
                f"the reply of {host} was cut off after {self._budget.seconds:g} s. Ask for a"
                f" shorter one with `max_tokens`. {self._budget.more('seconds', longer)}"
            )
        if self._events and b"event: error" in self._body[-len(data) - LONGEST_REFUSAL :]:
            found = _STREAM_ERROR.search(self._body)
            if found:
                body = self._hide(found[1])
                raise advice.refused(
                    self._request, _status(body), httpx2.Headers(), body, self._model
                )
        ready = self._hide(self._kept + data)
        self._kept = _held_back(ready, self._keys)
        return ready[: len(ready) - len(self._kept)]

    def rest(self) -> bytes:
        """What was kept because it might have been the beginning of a key; the reply is whole.

        Raises:
            BadReply: When it is none.
            httpx2.RemoteProtocolError: When it ended too early.
        """
        if self._asks and self._events and b"message_stop" not in self._body[-1000:]:
            raise httpx2.RemoteProtocolError("it ended before the message did")
        if self._asks and not self._events:
            try:
                reply = json.loads(self._body)
            except ValueError:
                raise BadReply(
                    f"{self._request.url.host} answered with what is no JSON, though it says it"
                    f" is. {advice.ADDRESS}"
                ) from None
            if not isinstance(reply, dict) or not isinstance(reply.get("content"), list):
                raise BadReply(
                    f"{self._request.url.host} answered with JSON that is no message: it has no"
                    f" list of `content`. {advice.ADDRESS}"
                )
        used = usage(bytes(self._body)) if self._asks else None
        self._end(used=used if used and any(used) else None)
        return self._kept

    def closed(self) -> None:
        """The reply is closed, whether it was read to its end or not."""
        self._end()

    def fail(self, error: BaseException) -> NoReturn:
        """End it with an error; what it costs nobody knows, unless it never got away.

        Raises:
            anthropic.APIConnectionError: For what the connection raised.
            BaseException: What else it was.
        """
        never = isinstance(
            error,
            httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout | httpx2.ProxyError,
        )
        self._end(free=never)
        if isinstance(error, httpx2.HTTPError | OSError):
            raise advice.broken(self._request, error, read_timeout(self._request)) from error
        raise error

    def _end(self, *, used: tuple[int, int] | None = None, free: bool = False) -> None:
        if self._over:
            return
        self._over = True
        self._budget.leave()
        if free:
            self._budget.free(self._hold)
        else:
            self._budget.settle(self._hold, used)

    def _hide(self, data: bytes) -> bytes:
        for key in self._keys:
            data = data.replace(key, b"*" * len(key))
        return data


class _AsyncTap(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream, call: _Call) -> None:
        self._inner = inner
        self._call = call

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for data in self._inner:
                if ready := self._call.passed(data):
                    yield ready
            if rest := self._call.rest():
                yield rest
        except GeneratorExit:
            raise
        except BaseException as error:
            self._call.fail(error)

    async def aclose(self) -> None:
        self._call.closed()
        await self._inner.aclose()


class _SyncTap(httpx2.SyncByteStream):
    def __init__(self, inner: httpx2.SyncByteStream, call: _Call) -> None:
        self._inner = inner
        self._call = call

    def __iter__(self) -> Iterator[bytes]:
        try:
            for data in self._inner:
                if ready := self._call.passed(data):
                    yield ready
            if rest := self._call.rest():
                yield rest
        except GeneratorExit:
            raise
        except BaseException as error:
            self._call.fail(error)

    def close(self) -> None:
        self._call.closed()
        self._inner.close()


def _keys(request: httpx2.Request) -> list[bytes]:
    """The secrets that a request carries."""
    bearer = request.headers.get("authorization", "").rpartition(" ")[2]
    found = [
        key for key in {bearer, request.headers.get("x-api-key", "")} if len(key) >= SHORTEST_KEY
    ]
    _unlogged.keys.update(found)
    return [key.encode() for key in found]


class _Unlogged(logging.Filter):
    """Keeps the keys out of a log, should a server say them in the headers of its reply."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, without a key."""
        text = record.getMessage()
        for key in self.keys:
            if key in text:
                text = text.replace(key, "*" * len(key))
                record.msg, record.args = text, ()
        return True


_unlogged = _Unlogged()
# A filter holds for the very logger it is put on, and not for those below it.
for _part in ("connection", "http11", "http2", "proxy", "socks"):
    logging.getLogger(f"httpcore2.{_part}").addFilter(_unlogged)


def _held_back(data: bytes, keys: list[bytes]) -> bytes:
    """The end of some data that may be the beginning of a key."""
    longest = max(
        (
            size
            for key in keys
            for size in range(1, min(len(key), len(data) + 1))
            if data.endswith(key[:size])
        ),
        default=0,
    )
    return data[len(data) - longest :]


def _status(body: bytes) -> int:
    """The status that belongs to an error inside a stream."""
    try:
        kind = json.loads(body)["error"]["type"]
    except (ValueError, KeyError, TypeError):
        return 500
    return advice.KINDS.get(kind, 500)
