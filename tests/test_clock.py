"""The free clock: time jumps, threads hold it still, and the order of events never changes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import Coroutine
from typing import Any

import pytest

from labkit import Deadlock, FreeClock, Rule, connect, record, run
from labkit.patterns import ask


async def now() -> float:
    return asyncio.get_running_loop().time()


def test_a_thousand_waits_of_a_minute_take_exactly_a_minute() -> None:
    async def main() -> float:
        await asyncio.gather(*(asyncio.sleep(60) for _ in range(1_000)))
        return await now()

    started = time.monotonic()
    assert run(main()) == 60.0
    assert time.monotonic() - started < 30


def test_waits_longer_than_a_day_are_exact_too() -> None:
    async def main() -> float:
        await asyncio.sleep(400 * 86_400)
        return await now()

    assert run(main()) == 400 * 86_400


def test_time_outs_follow_the_clock() -> None:
    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.Event().wait()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.sleep(9), 2)
        return await now()

    assert run(main()) == 7.0


def test_computing_takes_no_time() -> None:
    async def main() -> float:
        sum(range(200_000))
        return await now()

    assert run(main()) == 0.0


def test_threads_hold_the_clock_still_and_report_in_the_order_they_were_asked() -> None:
    first, second = threading.Event(), threading.Event()

    def early() -> str:
        second.wait(10)
        return "early"

    def late() -> str:
        second.set()
        return "late"

    async def main() -> tuple[list[str], float]:
        order: list[str] = []

        async def work(job: Any) -> None:
            order.append(await asyncio.to_thread(job))

        await asyncio.gather(work(early), work(late))
        return order, await now()

    assert run(main()) == (["early", "late"], 0.0)
    first.set()


def test_a_thread_that_needs_a_later_one_is_not_waited_for_in_vain() -> None:
    async def main() -> list[str]:
        go = threading.Event()

        async def second() -> str:
            said = await asyncio.to_thread(lambda: "second")
            go.set()
            return said

        def first() -> str:
            return "first" if go.wait(10) else "in vain"

        return await asyncio.gather(asyncio.to_thread(first), second())

    assert run(main()) == ["first", "second"]


def test_what_a_thread_raises_comes_through() -> None:
    def fail() -> None:
        raise KeyError("in a thread")

    async def main() -> None:
        await asyncio.to_thread(fail)

    with pytest.raises(KeyError, match="in a thread"):
        run(main())


def test_a_wait_without_end_is_found_and_says_who_waits() -> None:
    async def waits_for_nothing() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        await asyncio.gather(waits_for_nothing(), waits_for_nothing())

    with pytest.raises(Deadlock, match="cannot happen") as error:
        run(main())
    assert str(error.value).count("waits_for_nothing") == 2


@pytest.mark.parametrize("through", ["tasks", "gather"])
@pytest.mark.parametrize("size", [2, 5])
def test_tasks_that_await_each_other_in_a_circle_are_a_deadlock_as_any_other(
    size: int, through: str, capfd: pytest.CaptureFixture[str]
) -> None:
    async def awaits_the_next(tasks: list[asyncio.Task[None]], place: int) -> None:
        after = tasks[(place + 1) % size]
        await (after if through == "tasks" else asyncio.gather(after))

    async def main() -> None:
        tasks: list[asyncio.Task[None]] = []
        async with asyncio.TaskGroup() as group:
            for place in range(size):
                tasks.append(group.create_task(awaits_the_next(tasks, place)))

    with pytest.raises(Deadlock, match="cannot happen") as error:
        run(main())
    assert str(error.value).count("awaits_the_next") == size
    assert not capfd.readouterr().err


def test_a_thread_of_ones_own_can_still_wake_the_loop() -> None:
    async def main() -> str:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[str] = loop.create_future()
        thread = threading.Thread(
            target=lambda: loop.call_soon_threadsafe(future.set_result, "woken")
        )
        thread.start()
        try:
            return await future
        finally:
            thread.join()

    assert run(main()) == "woken"


def test_sockets_are_served_in_real_time() -> None:
    async def main() -> bytes:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write((await reader.readline()).upper())
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"hello\n")
        answer = await reader.readline()
        writer.close()
        await writer.wait_closed()
        server.close()
        return answer

    assert run(main()) == b"HELLO\n"


def test_with_a_socket_open_a_wait_takes_as_long_as_it_says() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        one, other = socket.socketpair()
        with one, other:
            one.setblocking(False)
            loop.add_reader(one, lambda: None)
            await asyncio.sleep(0.05)
            loop.remove_reader(one)

    started = time.monotonic()
    run(main())
    assert time.monotonic() - started >= 0.045


def test_it_runs_inside_a_running_loop_too() -> None:
    async def outer() -> float:
        return run(inner())

    async def inner() -> float:
        await asyncio.sleep(3_600)
        return await now()

    assert asyncio.run(outer()) == 3_600.0


def test_what_is_raised_inside_a_running_loop_comes_through() -> None:
    async def fail() -> None:
        raise KeyError("inside")

    async def outer() -> None:
        run(fail())

    with pytest.raises(KeyError, match="inside"):
        asyncio.run(outer())


@pytest.mark.parametrize("inside", [False, True], ids=["plain", "inside a running loop"])
def test_an_interrupt_cancels_the_run_and_lets_it_clean_up(inside: bool) -> None:
    cleaned: list[bool] = []

    async def busy() -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            while True:  # noqa: ASYNC110  # it waits to be cancelled
                await asyncio.sleep(1)
        finally:
            await asyncio.sleep(1)
            cleaned.append(True)

    async def outer() -> None:
        run(busy())

    def go() -> Coroutine[Any, Any, None]:
        return outer() if inside else busy()

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(go()) if inside else run(go())
    assert cleaned == [True]


def test_the_order_of_events_is_the_same_in_every_run_with_a_cold_client() -> None:
    def once() -> list[tuple[str, float, float | None]]:
        client = connect([Rule("", says="yes", seconds=(0.1, 2.0))], seed=7)

        async def main() -> None:
            await asyncio.gather(*(ask(client, f"question {n}") for n in range(12)))

        with record() as trace:
            run(main())
        return [(call.lane, call.start, call.end) for call in trace.calls]

    assert len({str(once()) for _ in range(10)}) == 1
    assert [lane for lane, _, _ in once()] == [f"question {n}" for n in range(12)]


def test_another_may_move_the_hands() -> None:
    asked: list[float | None] = []

    def idle(timer: float | None) -> float | None:
        asked.append(timer)
        return timer

    async def main() -> None:
        await asyncio.sleep(2)
        await asyncio.sleep(3)

    run(main(), idle=idle)
    assert asked == [2.0, 5.0]


def test_it_is_a_loop_like_any_other() -> None:
    loop = FreeClock()
    try:
        assert loop.run_until_complete(asyncio.sleep(5, "done")) == "done"
        assert loop.time() == 5.0
    finally:
        loop.close()


def test_a_loop_in_which_nothing_is_left_can_begin_anew() -> None:
    loop = FreeClock()
    try:

        async def main() -> str:
            async with asyncio.timeout(60):  # its timer is cancelled, and stays in the heap
                return await asyncio.sleep(5, "done")

        assert loop.run_until_complete(main()) == "done"
        assert loop.is_idle()
        loop.renew()
        assert loop.time() == 0.0
        assert loop.run_until_complete(main()) == "done"
        assert loop.time() == 5.0
    finally:
        loop.close()


async def forgotten_task() -> object:
    return asyncio.ensure_future(asyncio.sleep(9))


async def forgotten_timer() -> object:
    return asyncio.get_running_loop().call_later(9, print, "too late")


async def forgotten_thread() -> object:
    return await asyncio.to_thread(int)


async def forgotten_socket() -> object:
    mine, theirs = socket.socketpair()
    asyncio.get_running_loop().add_reader(mine, int)
    return mine, theirs


async def forgotten_setting() -> object:
    asyncio.get_running_loop().set_task_factory(lambda loop, main: asyncio.Task(main, loop=loop))
    return None


async def forgotten_generator() -> object:
    async def numbers() -> Any:
        yield 1
        yield 2

    half_way = numbers()
    await anext(half_way)
    return half_way


@pytest.mark.parametrize(
    "leave",
    [
        forgotten_task,
        forgotten_timer,
        forgotten_thread,
        forgotten_socket,
        forgotten_setting,
        forgotten_generator,
    ],
)
def test_a_loop_that_keeps_something_is_not_idle(leave: Any) -> None:
    loop = FreeClock()
    left = loop.run_until_complete(leave())
    try:
        assert not loop.is_idle()
    finally:
        if isinstance(left, asyncio.Task):
            left.cancel()
        if isinstance(left, tuple):
            loop.remove_reader(left[0])
            for end in left:
                end.close()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
    assert not loop.is_idle()
