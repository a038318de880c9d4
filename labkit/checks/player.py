"""The learner's end of a check: it runs the learner's function and reports what it does.

It knows no expected value and judges nothing. It plays a *job* (the arguments, with stand-ins for
the judge's workers, callbacks and model) on a free clock whose hands the judge moves, and tells
what happened in *turns*. A turn is sent when the learner's code can go on no further, or asks a
callback:

    {"events": [...], "until": seconds | None}      nothing to do before that time
    {"events": [...], "ask": call}                  a callback waits for its answer
    {"events": [...], "end": true}                  the function is through

and is answered with ``{"now": seconds | None, "events": [...]}``; None says that nothing the judge
knows of will ever happen. All of it is plain JSON. Events of the learner's end: ``start``,
``cancelled``, ``finished``, ``printed``, ``returned``, ``raised``, ``refused``, ``stuck``.
The judge's: ``done``, ``failed``, ``cleaned``, ``cancel``.
"""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import copy
import functools
import inspect
import io
import json
import os
import sys
import warnings
from collections.abc import Callable, Coroutine, Generator, Mapping
from typing import TYPE_CHECKING, Any

from ..clock import FreeClock, Idle, cancel_all
from ..errors import Deadlock
from .messages import Plain, decode, encode, encode_error

if TYPE_CHECKING:
    import httpx2

    from ..script import Exchange

Job = Mapping[str, Any]
Channel = Callable[[dict[str, Any]], dict[str, Any]]

PRINTED = 100_000
"""Characters a function may print before the rest is dropped."""


def play(job: Job, function: Callable[..., Any], channel: Channel) -> None:
    """Run a function once, as a job says, and report to the judge.

    Args:
        job: ``args``, ``kwargs`` and ``is_async``, as `labkit.checks.judge` makes them.
        function: The learner's function.
        channel: Sends a turn to the judge and returns the answer.
    """
    _Player(function, channel).play(job)


class Stopped(BaseException):
    """The judge has waited long enough; raised inside the learner's code to end it."""


class _Player:
    def __init__(self, function: Callable[..., Any], channel: Channel) -> None:
        self._function = function
        self._channel = channel
        self._outbox: list[dict[str, Any]] = []
        self._calls = 0
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._cleaning: dict[int, asyncio.Future[Any]] = {}
        self._errors: dict[int, int] = {}
        self._kept: list[Any] = []  # while it lives, an object's id() is its own
        self._things: dict[int, dict[str, Any]] = {}
        self._contents: dict[int, list[Any]] = {}
        self._task: asyncio.Task[None] | None = None
        code = getattr(inspect.unwrap(function), "__code__", None)
        self._file: str | None = getattr(code, "co_filename", None)

    def play(self, job: Job) -> None:
        with contextlib.redirect_stdout(_Printed(self.tell)), warnings.catch_warnings():
            # What nobody awaited is told by the verdict, not by the interpreter.
            warnings.simplefilter("ignore", RuntimeWarning)
            loop = _loop(self._idle)
            loop.set_exception_handler(lambda _loop, _context: None)
            try:
                loop.run_until_complete(self._main(job))
            except Deadlock as stuck:
                self.tell("stuck", str(stuck))
            except (SystemExit, KeyboardInterrupt) as error:
                # asyncio lets these two out of the loop when a task raises them.
                self.tell("raised", encode_error(error, self._errors, self._file))
            finally:
                try:
                    self._channel({"events": self._take(), "end": True})
                finally:
                    _close(loop)

    def tell(self, event: str, value: Plain, **more: Plain) -> None:
        self._outbox.append({event: value, **more})

    def _take(self) -> list[dict[str, Any]]:
        taken, self._outbox = self._outbox, []
        return taken

    # One job

    async def _main(self, job: Job) -> None:
        args = [decode(value, self._stand_in) for value in job["args"]]
        kwargs = {name: decode(value, self._stand_in) for name, value in job["kwargs"].items()}
        try:
            inspect.signature(self._function).bind(*args, **kwargs)
        except TypeError as error:
            self.tell("refused", str(error), signature=_signature(self._function))
            return
        except ValueError:  # no signature to be had, as with some built-in functions
            pass
        self._task = asyncio.ensure_future(self._perform(job, args, kwargs))
        await asyncio.wait([self._task])
        self._task.result()

    async def _perform(self, job: Job, args: list[Any], kwargs: dict[str, Any]) -> None:
        awaited = False
        try:
            value = self._function(*args, **kwargs)
            if job["is_async"] and inspect.isawaitable(value):
                awaited = True
                value = await value
        except Stopped:
            raise
        except BaseException as error:
            told = encode_error(error, self._errors, self._file)
            self.tell("raised", told, after=self._after(args, kwargs), pending=self._pending())
        else:
            told = encode(value, self._other)
            self.tell(
                "returned",
                told,
                awaited=awaited,
                after=self._after(args, kwargs),
                pending=self._pending(),
            )
            if inspect.iscoroutine(value):
                value.close()

    def _after(self, args: list[Any], kwargs: dict[str, Any]) -> Plain:
        return [encode(value, self._other) for value in [*args, *kwargs.values()]]

    def _pending(self) -> list[str]:
        names = []
        for task in asyncio.all_tasks():
            coroutine = task.get_coro()
            # The loop itself closes an async generator left half-way in a task of its own.
            name = getattr(coroutine, "__qualname__", type(coroutine).__name__)
            own = name.startswith("_Player.")
            if not own and type(coroutine).__name__ not in _GENERATOR_CLOSERS:
                names.append(name)
        return sorted(names)

    # The judge's things, as the learner's function gets them

    def _stand_in(self, data: Mapping[str, Any]) -> Any:
        if data["$"] == "content":
            return self._content(decode(data["blocks"]))
        name = data["name"]
        if data["$"] == "worker":
            thing = self._worker(name, cleans=bool(data["cleans"]), returns=data["returns"])
        elif data["$"] == "callback":
            thing = self._callback(name)
        else:
            assert data["$"] == "client", data
            thing = self._client()
        self._things[id(thing)] = dict(data)
        self._kept.append(thing)
        return thing

    def _client(self) -> Any:
        from ..client import over

        return over(_to_judge()(self))

    def _content(self, blocks: list[Any]) -> list[Any]:
        from anthropic.types import Message

        reply = {
            "id": "msg",
            "type": "message",
            "role": "assistant",
            "model": "scripted",
            "content": blocks,
            "stop_reason": "tool_use",
            "stop_sequence": None,
            "usage": {"input_tokens": 0, "output_tokens": 0},
        }
        content: list[Any] = Message.model_validate(reply).content
        self._contents[id(content)] = content
        return content

    def _worker(self, name: str, *, cleans: bool, returns: str) -> Callable[..., Any]:
        async def worker(*args: Any, **kwargs: Any) -> Any:
            call = self.start(name, args, kwargs)
            try:
                return await self.answer(call)
            except asyncio.CancelledError:
                self.tell("cancelled", call)
                if cleans:
                    await self._clean_up(call)
                raise
            finally:
                self.tell("finished", call)

        if returns == "task":
            return lambda *args, **kwargs: asyncio.ensure_future(worker(*args, **kwargs))
        if returns == "awaitable":
            return lambda *args, **kwargs: _Awaitable(lambda: worker(*args, **kwargs))
        return worker

    async def _clean_up(self, call: int) -> None:
        # As in a `finally` that awaits, a second cancellation breaks it off.
        cleaned = self._cleaning[call] = asyncio.get_running_loop().create_future()
        await cleaned

    def _callback(self, name: str) -> Callable[..., Any]:
        def callback(*args: Any, **kwargs: Any) -> Any:
            call = self.start(name, args, kwargs)
            reply = self._channel({"events": self._take(), "ask": call})
            [event] = reply["events"]
            if "failed" in event:
                raise self._error(event)
            return decode(event["value"])

        return callback

    def start(self, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> int:
        """Tell the judge that one of its things was called."""
        self._calls += 1
        self.tell(
            "start",
            self._calls,
            of=name,
            args=[encode(value, self._other) for value in args],
            kwargs={key: encode(value, self._other) for key, value in kwargs.items()},
        )
        return self._calls

    async def answer(self, call: int) -> Any:
        """Wait until the judge answers a call."""
        future = self._waiting[call] = asyncio.get_running_loop().create_future()
        try:
            return await future
        finally:
            self._waiting.pop(call, None)

    # The judge's clock

    def _idle(self, timer: float | None) -> float | None:
        reply = self._channel({"events": self._take(), "until": timer})
        for event in reply["events"]:
            self._deliver(event)
        now: float | None = reply["now"]
        return now

    def _deliver(self, event: Mapping[str, Any]) -> None:
        if "cancel" in event:
            if self._task is not None:
                self._task.cancel()
            return
        waiting = self._cleaning if "cleaned" in event else self._waiting
        future = waiting.get(next(iter(event.values())))
        if future is None or future.done():
            return
        if "failed" in event:
            future.set_exception(self._error(event))
        else:
            future.set_result(decode(event.get("value"), _exception))

    def _error(self, event: Mapping[str, Any]) -> BaseException:
        error: BaseException
        if "status" in event:
            # One of its own for each call, or it could not be told which call was refused.
            error = copy.copy(_refusal(event["status"], event["retry_after"]))
        else:
            error = _exception(event)
        self._errors[id(error)] = event["failed"]
        self._kept.append(error)
        return error

    def _other(self, value: Any) -> Plain | None:
        if isinstance(value, BaseException):
            return encode_error(value, self._errors, self._file)
        if id(value) in self._contents:
            blocks = [_as_sent(block) for block in value]
            return {"$": "content", "blocks": encode(blocks, lambda _: None)}
        if isinstance(value, asyncio.Future):
            # Its own text holds a running number and the path of a file.
            state = "cancelled" if value.cancelled() else "done" if value.done() else "pending"
            kind = type(value).__name__
            return {"$": "object", "kind": kind, "text": f"<{kind} {state}>"}
        return self._things.get(id(value))


def _exception(told: Mapping[str, Any]) -> Exception:
    """A built-in exception, from its name and its message."""
    error: Exception = getattr(builtins, told["kind"], RuntimeError)(told["text"])
    return error


def _as_sent(block: Any) -> Any:
    """A block of the SDK's as the service sent it; whatever else stands there, as it is."""
    from anthropic import BaseModel

    return block.model_dump(exclude_unset=True) if isinstance(block, BaseModel) else block


@functools.cache
def _refusal(status: int, retry_after: float | None) -> Exception:
    """What the SDK itself raises where a service refuses a call and it may not try again."""
    import anthropic

    from ..client import over_blocking
    from ..script import Rule, ScriptedModel
    from ..wire import ScriptedTransport

    rule = Rule("", fails=status, retry_after=retry_after, seconds=0)
    wire = ScriptedTransport(ScriptedModel([rule]))
    client = over_blocking(wire).with_options(max_retries=0)
    said = [{"role": "user", "content": "refuse this"}]
    try:
        client.messages.create(model="scripted", max_tokens=1, messages=said)  # type: ignore[arg-type]  # a plain message will do
    except anthropic.APIStatusError as refusal:
        return refusal
    raise AssertionError(f"a status of {status} is no refusal")


class _Awaitable:
    """An awaitable that is neither a coroutine nor a future; it begins when it is awaited."""

    def __init__(self, begin: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self._begin = begin

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._begin().__await__()


_GENERATOR_CLOSERS = ("async_generator_athrow", "async_generator_aclose")


class _Printed(io.TextIOBase):
    """Standard output, as events: when something was printed may matter."""

    def __init__(self, tell: Callable[[str, Plain], None]) -> None:
        self._tell = tell
        self._room = PRINTED

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if text and self._room > 0:
            self._tell("printed", text[: self._room])
            self._room -= len(text)
        return len(text)


@functools.cache
def _to_judge() -> Callable[[_Player], httpx2.AsyncBaseTransport]:
    """Makes a transport whose other side is the judge."""
    import httpx2

    from ..script import Exchange
    from ..wire import AsyncBody, play_head, read_timeout

    class ToJudge(httpx2.AsyncBaseTransport):
        def __init__(self, player: _Player) -> None:
            self._player = player

        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            player = self._player
            body = (await request.aread()).decode("utf-8", errors="replace")
            call = player.start("client", (request.method, request.url.path, body), {})
            stream = None
            try:
                async with asyncio.timeout(read_timeout(request)):
                    exchange: Exchange = Exchange(**await player.answer(call))
                await play_head(exchange, request)
                stream = Body(exchange, request, call, player)
            except TimeoutError as late:
                player.tell("cancelled", call)
                raise httpx2.ReadTimeout("no answer in time", request=request) from late
            except asyncio.CancelledError:
                player.tell("cancelled", call)
                raise
            finally:
                if stream is None:
                    player.tell("finished", call)
            return httpx2.Response(exchange.status, headers=exchange.headers, stream=stream)

    class Body(AsyncBody):
        def __init__(
            self, exchange: Exchange, request: httpx2.Request, call: int, player: _Player
        ) -> None:
            super().__init__(exchange, request)
            self._player = player
            self._call: int | None = call
            self._whole = False

        async def __aiter__(self) -> Any:
            exchange = self._exchange
            left = sum(bool(text) for _, text in exchange.chunks)
            async for chunk in super().__aiter__():
                left -= 1
                if not left and exchange.ending == "complete":
                    # With its last byte a call is over; not every reader looks for the end.
                    self._whole = True
                    self._finish()
                yield chunk
            self._whole = True

        async def aclose(self) -> None:
            self._finish()

        def _finish(self) -> None:
            if self._call is not None:
                if not self._whole:
                    self._player.tell("cancelled", self._call)
                self._player.tell("finished", self._call)
                self._call = None

    return ToJudge


def _signature(function: Callable[..., Any]) -> str:
    parameters = inspect.signature(function).parameters.values()
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in parameters]
    return f"{getattr(function, '__name__', 'function')}{inspect.Signature(bare)}"


_spare: list[FreeClock] = []
"""Loops in which nothing was left: making one takes longer than most functions run."""


def _loop(idle: Idle) -> FreeClock:
    try:
        loop = _spare.pop()
    except IndexError:
        return FreeClock(idle)
    loop.renew(idle)
    return loop


def _close(loop: FreeClock) -> None:
    """End what the learner's function left behind, without asking the judge for the time."""
    cancel_all(loop)
    # A task that refuses to end stays behind, and the loop closes over it.
    for _ in range(10):
        loop.call_soon(loop.stop)
        with contextlib.suppress(BaseException):
            loop.run_forever()
        if not asyncio.all_tasks(loop):
            break
    with contextlib.suppress(BaseException):
        loop.call_soon(loop.stop)
        loop.run_forever()
    if loop.is_idle():
        _spare.append(loop)
    else:
        loop.close()


def serve(function: Callable[..., Any]) -> None:
    """Play the jobs that come on standard input, a JSON line each, until it ends.

    Args:
        function: The learner's function.
    """
    # What the function writes to the descriptor itself must not end up between the messages, and
    # what it reads or closes (`input()`, `exit()`) must not be the judge's answers.
    outward = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    inward = os.fdopen(os.dup(0), encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def send(message: Plain) -> None:
        outward.write(json.dumps(message) + "\n")
        outward.flush()

    def channel(turn: dict[str, Any]) -> dict[str, Any]:
        send(turn)
        line = inward.readline()
        if not line:
            os._exit(1)  # the judge has gone; nothing is left to report to
        answer: dict[str, Any] = json.loads(line)
        return answer

    send({"ready": True})
    for line in inward:
        play(json.loads(line), function, channel)


def main() -> None:
    """``python -m labkit.checks.player FILE NAME``: serve the function NAME of a Python file."""
    import runpy

    file, name = sys.argv[1:]
    with contextlib.redirect_stdout(sys.stderr):
        function = runpy.run_path(file)[name]
    serve(function)


if __name__ == "__main__":
    main()
