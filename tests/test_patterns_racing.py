"""What the graders of lesson 05 leave open; and a race seen by a server on a real socket."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anthropic
import pytest

from labkit import check, record, run, traced
from labkit.checks import ChildProcess, exercises, judge
from labkit.patterns import ask, cancel_and_finish, hedge, race, race_within
from tests.test_answers import ANSWERS


def now() -> float:
    return asyncio.get_running_loop().time()


async def after(seconds: float, result: Any = None, *, cleanup: float = 0.0) -> Any:
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        await asyncio.sleep(cleanup)
        raise
    if isinstance(result, Exception):
        raise result
    return result


def left_over() -> int:
    return len(asyncio.all_tasks()) - 1


async def ended(main: Coroutine[Any, Any, Any]) -> tuple[Any, float, int]:
    """What comes of something, when, and how many tasks it leaves."""
    try:
        result = await main
    except Exception as error:
        result = error
    return result, now(), left_over()


def refuse(*_: Any) -> Any:
    raise LookupError("at once")


def anything(_: Any) -> bool:
    return True


# cancel_and_finish


def test_it_waits_for_clean_ups_which_run_together() -> None:
    async def main() -> None:
        tasks = [asyncio.create_task(after(50, cleanup=seconds)) for seconds in (1, 3, 2)]
        await asyncio.sleep(1)
        await cancel_and_finish(task for task in tasks)
        assert now() == 4.0
        assert all(task.cancelled() for task in tasks)

    run(main())


def test_what_has_ended_stays_as_it_is() -> None:
    async def main() -> None:
        done = asyncio.create_task(after(0, "done"))
        failed = asyncio.create_task(after(0, KeyError("x")))
        await asyncio.sleep(1)
        await cancel_and_finish([done, failed])
        assert done.result() == "done"
        assert isinstance(failed.exception(), KeyError)
        await cancel_and_finish([])

    run(main())


def test_a_clean_up_that_fails_stops_nobody_and_is_not_reported_as_forgotten() -> None:
    async def clumsy() -> None:
        try:
            await asyncio.sleep(50)
        finally:
            raise OSError("the file is gone")

    async def main() -> list[Any]:
        forgotten: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, told: forgotten.append(told))
        tasks = [asyncio.create_task(clumsy()), asyncio.create_task(after(50, cleanup=2))]
        await asyncio.sleep(1)
        await cancel_and_finish(tasks)
        assert now() == 3.0
        del tasks
        return forgotten

    assert run(main()) == []


def test_a_cancellation_meanwhile_reaches_the_caller_once_all_is_quiet() -> None:
    async def stubborn() -> None:
        try:
            await asyncio.sleep(50)
        except asyncio.CancelledError:
            try:
                await asyncio.sleep(9)
            finally:
                await asyncio.sleep(2)

    async def main() -> None:
        task = asyncio.create_task(stubborn())
        await asyncio.sleep(0)
        ending = asyncio.create_task(cancel_and_finish([task]))
        await asyncio.sleep(1)
        ending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await ending
        assert now() == 3.0
        assert task.done()

    run(main())


# race and race_within


def test_an_attempt_that_raises_when_it_is_called_loses() -> None:
    assert run(race([refuse, lambda: after(1, "late")], anything)) == "late"


def test_attempts_that_end_at_once() -> None:
    async def at_once() -> int:
        return 0

    assert run(ended(race([at_once, lambda: after(9), at_once], lambda n: n == 0))) == (0, 0.0, 0)


def test_of_two_in_the_same_turn_the_first_in_the_list_wins() -> None:
    attempts = [partial(after, 1, n) for n in range(20)]
    assert run(race([lambda: after(9), *attempts], anything)) == 0


def test_whoever_was_cancelled_from_inside_has_lost() -> None:
    async def main() -> Any:
        given_up: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        given_up.cancel()
        return await race([lambda: given_up, lambda: after(1, "other")], anything)

    assert run(main()) == "other"


def test_why_nobody_won_is_told() -> None:
    attempts = [lambda: after(2, OSError("two")), lambda: after(1, KeyError("one")), after_rubbish]
    error, seconds, left = run(ended(race(attempts, lambda _: False)))
    assert str(error) == "none of 3 attempts gave a valid result; 2 of them raised"
    assert isinstance(error.__cause__, ExceptionGroup)
    assert [type(part) for part in error.__cause__.exceptions] == [KeyError, OSError]
    assert (seconds, left) == (3.0, 0)
    error, _, _ = run(ended(race([after_rubbish], lambda _: False)))
    assert error.__cause__ is None


def after_rubbish() -> Coroutine[Any, Any, Any]:
    return after(3, "rubbish")


def test_what_valid_raises_reaches_the_caller_and_ends_the_rest() -> None:
    attempts = [lambda: after(1, "odd"), lambda: after(9, cleanup=2)]
    error, seconds, left = run(ended(race(attempts, refuse)))
    assert (type(error), seconds, left) == (LookupError, 3.0, 0)


def test_a_valid_result_from_a_clean_up_comes_too_late() -> None:
    async def late() -> str:
        try:
            return str(await after(9))
        except asyncio.CancelledError:
            return "I was nearly done"

    seen: list[str] = []

    def noted(result: str) -> bool:
        seen.append(result)
        return True

    assert run(race([late, lambda: after(1, "won")], noted)) == "won"
    assert seen == ["won"]


@pytest.mark.parametrize("attempts", [[], iter(())], ids=["list", "iterator"])
def test_nobody_to_race(attempts: Any) -> None:
    with pytest.raises(ValueError, match="at least one attempt"):
        run(race(attempts, anything))


def test_no_time_at_all_is_a_time_out_and_everything_is_ended() -> None:
    for seconds in (0, -1):
        main = race_within([lambda: after(9, cleanup=1)], anything, seconds=seconds)
        error, at, left = run(ended(main))
        assert (type(error), at, left) == (TimeoutError, 1.0, 0)


def test_a_time_out_of_the_caller_ends_a_race_as_well() -> None:
    async def main() -> None:
        async with asyncio.timeout(2):
            await race_within([lambda: after(9, cleanup=1)], anything, seconds=5)

    error, at, left = run(ended(main()))
    assert (type(error), at, left) == (TimeoutError, 3.0, 0)


def test_a_deadline_inside_a_deadline() -> None:
    inner = partial(race_within, [partial(after, 9, cleanup=1)], anything, seconds=1)
    main = race_within([inner, lambda: after(4, "outer")], anything, seconds=5)
    assert run(ended(main)) == ("outer", 4.0, 0)


def test_a_thousand_racers() -> None:
    attempts = [partial(after, 1 + n % 7, n, cleanup=1) for n in range(1_000)]
    assert run(ended(race(attempts, lambda n: n == 998))) == (998, 6.0, 0)


# hedge


def test_two_copies_that_raise_together_have_two_more_started() -> None:
    left = [after(1.5, OSError()), after(0.5, OSError()), after(5), after(0.5, "fourth")]
    starts = []

    def attempt() -> Any:
        starts.append(now())
        return left.pop(0)

    result = run(hedge(attempt, delay=1, copies=5))
    assert result == "fourth"
    assert starts == [0, 1, 1.5, 1.5]


def test_an_attempt_that_raises_when_it_is_called_is_a_copy_that_raised() -> None:
    assert type(run(ended(hedge(refuse, delay=1, copies=3)))[0]) is LookupError


def test_a_copy_that_was_cancelled_from_inside_has_failed() -> None:
    async def main() -> Any:
        futures = [asyncio.get_running_loop().create_future() for _ in range(2)]
        futures[0].cancel()
        futures[1].set_result("second")
        return await hedge(lambda: futures.pop(0), delay=5)

    assert run(main()) == "second"


@traced
async def slow(_: str) -> str:
    await asyncio.sleep(60)
    return "slow"


def test_each_copy_has_its_bar() -> None:
    with record() as trace:
        run(hedge(lambda: slow("ask"), delay=10, copies=3))
    assert [(c.start, c.end, c.outcome) for c in trace.calls] == [
        (0, 60, "ok"),
        (10, 60, "cancelled"),
        (20, 60, "cancelled"),
    ]


# On a real socket


class SkippingLoop(asyncio.SelectorEventLoop):
    """A loop whose clock can be put forward: a time-out need not be waited for."""

    skipped = 0.0

    def time(self) -> float:
        return super().time() + self.skipped


class Server:
    """Speaks as much of the Messages API as a race needs, on loopback.

    It answers a prompt that holds "answer" once ``expected`` requests are there; every other
    connection it holds open until the client closes it. One that asks for a stream gets the
    beginning of one.
    """

    def __init__(self, expected: int) -> None:
        self.arrived: Counter[str] = Counter()
        self.closed: Counter[str] = Counter()
        self.all_arrived = asyncio.Event()
        self.each: asyncio.Condition = asyncio.Condition()
        self._expected = expected

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while prompt := await self._request(reader, writer):
                await self.all_arrived.wait()
                body = json.dumps(MESSAGE).encode()
                writer.write(f"{HEAD}content-type: application/json\r\n".encode())
                writer.write(b"content-length: %d\r\n\r\n%b" % (len(body), body))
                await writer.drain()
                assert "answer" in prompt
        finally:
            writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        """Read a request and return its prompt; one that is held is over when this returns."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        except asyncio.IncompleteReadError:
            return ""
        length = int(head.partition("content-length:")[2].split()[0])
        sent = json.loads(await reader.readexactly(length))
        prompt = str(sent["messages"][0]["content"])
        await self._note(self.arrived, prompt)
        if self.arrived.total() >= self._expected:
            self.all_arrived.set()
        if "answer" in prompt:
            return prompt
        if sent.get("stream"):
            writer.write(f"{HEAD}content-type: text/event-stream\r\n\r\n".encode())
            writer.write(b"event: message_start\ndata: %b\n\n" % json.dumps(STARTED).encode())
        assert await reader.read() == b"", "a client that waits has nothing more to say"
        await self._note(self.closed, prompt)
        return ""

    async def _note(self, where: Counter[str], prompt: str) -> None:
        async with self.each:
            where[prompt] += 1
            self.each.notify_all()

    async def until(self, seen: Callable[[], bool]) -> None:
        """Wait until something has been seen; a server that never sees it fails its test."""
        async with asyncio.timeout(30), self.each:
            await self.each.wait_for(seen)


HEAD = "HTTP/1.1 200 OK\r\n"
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "here"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
STARTED = {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}}


@asynccontextmanager
async def serving(expected: int) -> AsyncIterator[tuple[Server, anthropic.AsyncAnthropic]]:
    server = Server(expected)
    listening = await asyncio.start_server(server, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with (
        listening,
        anthropic.AsyncAnthropic(
            api_key="none", base_url=f"http://127.0.0.1:{port}", max_retries=0
        ) as client,
    ):
        yield server, client


def on_a_real_loop(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        runner.run(main())


def put_forward(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SkippingLoop)
    loop.skipped += seconds


async def told(client: anthropic.AsyncAnthropic, prompt: str) -> str:
    """Ask for a stream and read it to its end."""
    async with client.messages.stream(
        model="m", max_tokens=9, messages=[{"role": "user", "content": prompt}]
    ) as stream:
        return await stream.get_final_text()


LOSERS = {"hold 1": 1, "hold 2": 1, "hold 3": 1}


def field_of(client: anthropic.AsyncAnthropic) -> list[Callable[[], Awaitable[str]]]:
    asking = [partial(ask, client, "hold 1"), partial(ask, client, "hold 3")]
    return [*asking, partial(told, client, "hold 2")]


def test_the_server_sees_each_loser_of_a_race_hang_up() -> None:
    async def main() -> None:
        async with serving(expected=4) as (server, client):
            attempts = [*field_of(client), partial(ask, client, "answer")]
            assert await race(attempts, anything) == "here"
            # The client is still open: what has been closed, the race has closed.
            await server.until(lambda: server.closed.total() == 3)
            assert server.closed == LOSERS

    on_a_real_loop(main)


def test_the_server_sees_everyone_hang_up_at_the_deadline() -> None:
    async def main() -> None:
        async with serving(expected=3) as (server, client):
            racing = asyncio.create_task(race_within(field_of(client), anything, seconds=300))
            await server.all_arrived.wait()
            put_forward(301)
            with pytest.raises(TimeoutError):
                await racing
            await server.until(lambda: server.closed.total() == 3)
            assert server.closed == LOSERS

    on_a_real_loop(main)


def test_the_server_sees_everyone_hang_up_when_a_race_is_cancelled() -> None:
    async def main() -> None:
        async with serving(expected=3) as (server, client):
            racing = asyncio.create_task(race(field_of(client), anything))
            await server.all_arrived.wait()
            racing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await racing
            await server.until(lambda: server.closed.total() == 3)
            assert server.closed == LOSERS

    on_a_real_loop(main)


def test_the_server_sees_the_slow_copies_hang_up() -> None:
    async def main() -> None:
        async with serving(expected=3) as (server, client):
            prompts = iter(["hold 1", "hold 2", "answer"])
            ways = iter([ask, told, ask])
            hedging = asyncio.create_task(
                hedge(lambda: next(ways)(client, next(prompts)), delay=300, copies=3)
            )
            for copies in (1, 2):
                await server.until(lambda copies=copies: server.arrived.total() == copies)
                put_forward(301)
            assert await hedging == "here"
            await server.until(lambda: server.closed.total() == 2)
            assert server.closed == {"hold 1": 1, "hold 2": 1}
            assert server.arrived == {"hold 1": 1, "hold 2": 1, "answer": 1}

    on_a_real_loop(main)


# The graders


@pytest.mark.parametrize("id", ["5.1", "5.2", "5.3"])
def test_a_check_says_the_same_of_a_child_process(id: str) -> None:
    answers = ANSWERS[id]
    file = str(answers.__file__)
    for right in answers.RIGHT[:2]:
        with ChildProcess.of_file(file, right.__name__) as child:
            assert judge(exercises[id], child, seed=3).passed
    for wrong, because in answers.WRONG[::4]:
        with ChildProcess.of_file(file, wrong.__name__) as child:
            outside = judge(exercises[id], child, seed=3)
        assert because in outside.message
        assert repr(outside) == repr(check(id, wrong, seed=3))
