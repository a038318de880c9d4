"""Easy Racer, a public obstacle course for races: all eleven scenarios with the course's recipes.

The requests go out over asyncio's own connections: what is on trial is the race, and an HTTP client
with ten thousand connections in one pool takes minutes to look through it.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from labkit.patterns import hedge, race, race_within
from tests.racecourse import CROWD, DEADLINE, HEDGE

pytestmark = pytest.mark.long

ROOM = 100
"""File descriptors besides a connection for each request."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Where the scenarios are played, by a process that may open as many connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = CROWD + ROOM
    if hard != resource.RLIM_INFINITY and hard < needed:
        pytest.skip(f"this machine lets a process open {hard} files, and {needed} are needed")
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    with subprocess.Popen(
        [sys.executable, "-m", "tests.racecourse"],
        cwd=Path(__file__).parent.parent,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        yield int(server.stdout.readline())
        server.kill()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Refused(ConnectionError):
    """The answer is none of success."""

    def __init__(self, head: str) -> None:
        super().__init__(head)
        self.status = int(head.split()[1])


async def get(port: int, target: str) -> str:
    """Ask for something; its body.

    Raises:
        Refused: The answer is none of success.
        ConnectionError: There is none.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET /{target} HTTP/1.1\r\nhost: racecourse\r\n\r\n".encode())
        head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    finally:
        writer.close()
    if not head:
        raise ConnectionError("no answer")
    if not head.startswith("HTTP/1.1 200"):
        raise Refused(head)
    return body


def anything(_: str) -> bool:
    return True


Ask = Callable[[], Awaitable[str]]


async def race_of(many: int, port: int, ask: Ask) -> str:
    return await race([ask] * many, anything)


async def scenario_4(port: int, ask: Ask) -> str:
    hurried = partial(race_within, [ask], anything, seconds=DEADLINE)
    return await race([ask, hurried], anything)


async def scenario_7(port: int, ask: Ask) -> str:
    return await hedge(ask, delay=HEDGE)


async def scenario_8(port: int, ask: Ask) -> str:
    closed = []

    async def use() -> str:
        resource = await get(port, "8?open")
        try:
            return await get(port, f"8?use={resource}")
        finally:
            closed.append(await get(port, f"8?close={resource}"))

    winner = await race([use, use], anything)
    assert len(closed) == 2, "a resource was not released when the race was over"
    return winner


async def scenario_9(port: int, ask: Ask) -> str:
    letters: list[str] = []

    async def tell() -> None:
        letters.append(await ask())

    # No race: all are waited for, and a failure stops nobody.
    await asyncio.gather(*(tell() for _ in range(10)), return_exceptions=True)
    return "".join(letters)


async def scenario_10(port: int, ask: Ask) -> str:
    computing = "while True: hash(bytes(1000))"

    async def compute() -> str:
        # In a process of its own: a thread that computes cannot be stopped.
        worker = await asyncio.create_subprocess_exec(sys.executable, "-c", computing)
        try:
            await worker.wait()
        finally:
            if worker.returncode is None:
                worker.kill()
            await worker.wait()
        raise AssertionError("it ended by itself")

    async def tell_load() -> str:
        seen: dict[int, float] = {}
        while True:
            load = 0.0
            for child in psutil.Process().children():
                if computing in child.cmdline():
                    used = child.cpu_times().user
                    load += used - seen.get(child.pid, used)
                    seen[child.pid] = used
            try:
                return await get(port, f"10?me={load:.3f}")
            except Refused as refused:
                if refused.status != 302:
                    raise
            await asyncio.sleep(0.2)

    open_until_told = partial(get, port, "10?me")
    raced, right = await asyncio.gather(race([open_until_told, compute], anything), tell_load())
    assert raced == "done"
    return right


async def scenario_11(port: int, ask: Ask) -> str:
    return await race([ask, partial(race, [ask, ask], anything)], anything)


CLIENTS: dict[str, Callable[[int, Ask], Awaitable[str]]] = {
    "1 two": partial(race_of, 2),
    "2 one breaks": partial(race_of, 2),
    "3 ten thousand": partial(race_of, CROWD),
    "4 one has a deadline": scenario_4,
    "5 one is refused": partial(race_of, 2),
    "6 one of three is refused": partial(race_of, 3),
    "7 hedge": scenario_7,
    "8 a resource each": scenario_8,
    "9 in the order of arrival": scenario_9,
    "10 one computes": scenario_10,
    "11 a race within a race": scenario_11,
}


@pytest.mark.parametrize("scenario", CLIENTS)
def test_the_scenario_ends_right(port: int, scenario: str) -> None:
    async def main() -> str:
        async with asyncio.timeout(120):
            ask = partial(get, port, scenario.split()[0])
            right = await CLIENTS[scenario](port, ask)
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left, "tasks run on when the race is over"
            return right

    assert asyncio.run(main()) == "right"
