"""The scenarios of Easy Racer (github.com/jamesward/easyracer), played by a server on loopback.

A race is judged from the outside: a loser is one whose connection closes. Where the original lets
some seconds pass, this server waits for what the client is to do, so that no answer depends on how
fast either of them is; only the client's own deadline and delay take real time.

    python -m tests.racecourse      # prints its port, and serves until it is ended
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from urllib.parse import unquote, urlsplit

CROWD = 10_000
"""Requests at once in scenario 3."""

DEADLINE = 1.0
"""Seconds after which a client is to give one of its requests up, in scenario 4."""

HEDGE = 3.0
"""Seconds that a client is to wait before it asks again, in scenario 7."""

LEAST = 2.0
"""Seconds that are to lie between the two as they arrive: the first may have been held up."""

RIGHT = 200, "right"
WRONG = 500, "wrong"
Answer = tuple[int, str]


class Racecourse:
    """Answers the requests of one client, each scenario once."""

    def __init__(self) -> None:
        self._came: Counter[str] = Counter()
        self._happened: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._opened: set[str] = set()
        self._released: set[str] = set()
        self._first = 0.0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            _, target, _ = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)
            url = urlsplit(target.decode())
            scenario = url.path.strip("/")
            number = self._came[scenario] = self._came[scenario] + 1
            play = getattr(self, f"scenario_{scenario}")
            playing = asyncio.ensure_future(play(number, unquote(url.query)))
            leaving = asyncio.ensure_future(reader.read())
            await asyncio.wait((playing, leaving), return_when=asyncio.FIRST_COMPLETED)
            if playing.done():
                if answer := playing.result():
                    status, body = answer
                    head = f"HTTP/1.1 {status} -\r\ncontent-length: {len(body)}\r\n"
                    writer.write(f"{head}connection: close\r\n\r\n{body}".encode())
                    writer.write_eof()
                    await leaving
                    self._happened[f"{scenario} {number} has read"].set()
                leaving.cancel()
            else:
                playing.cancel()
                self._happened[f"{scenario} left"].set()
        finally:
            writer.close()

    async def _all_of(self, many: int, number: int, scenario: str) -> None:
        if number == many:
            self._happened[f"{scenario} together"].set()
        await self._happened[f"{scenario} together"].wait()

    async def _never(self) -> Answer:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    async def scenario_1(self, number: int, _: str) -> Answer:
        """The first of two wins."""
        await self._all_of(2, number, "1")
        return RIGHT if number == 1 else await self._never()

    async def scenario_2(self, number: int, _: str) -> Answer | None:
        """The connection of the first breaks, and the second wins."""
        await self._all_of(2, number, "2")
        if number == 1:
            self._happened["2 broke"].set()
            return None
        await self._happened["2 broke"].wait()
        return RIGHT

    async def scenario_3(self, number: int, _: str) -> Answer:
        """The last of ten thousand wins."""
        return RIGHT if number == CROWD else await self._never()

    async def scenario_4(self, number: int, _: str) -> Answer:
        """The one without a deadline wins, after the other has left."""
        await self._happened["4 left"].wait()
        return RIGHT

    async def scenario_5(self, number: int, _: str) -> Answer:
        """The first of two is refused, the other wins."""
        await self._all_of(2, number, "5")
        return WRONG if number == 1 else RIGHT

    async def scenario_6(self, number: int, _: str) -> Answer:
        """The first of three is refused, the second wins."""
        await self._all_of(3, number, "6")
        return (WRONG, RIGHT)[number - 1] if number < 3 else await self._never()

    async def scenario_7(self, number: int, _: str) -> Answer:
        """The second wins, if it did not come too soon."""
        if number == 1:
            self._first = time.monotonic()
            return await self._never()
        return RIGHT if time.monotonic() - self._first >= LEAST else WRONG

    async def scenario_8(self, number: int, query: str) -> Answer:
        """Of two resources in use the first is refused; the other wins once that was released."""
        verb, _, resource = query.partition("=")
        if verb == "open":
            self._opened.add(str(number))
            return 200, str(number)
        assert resource in self._opened, query
        if verb == "close":
            self._released.add(resource)
            self._happened["8 released"].set()
            return 200, ""
        self._came["8 in use"] += 1
        place = self._came["8 in use"]
        await self._all_of(2, place, "8")
        if place == 1:
            return WRONG
        await self._happened["8 released"].wait()
        return RIGHT if resource not in self._released else WRONG

    async def scenario_9(self, number: int, _: str) -> Answer:
        """Five of ten are refused; the others answer a letter each, one after another."""
        await self._all_of(10, number, "9")
        if number > len("right"):
            return WRONG
        if number > 1:
            await self._happened[f"9 {number - 1} has read"].wait()
        return 200, "right"[number - 1]

    async def scenario_10(self, number: int, query: str) -> Answer:
        """While the first request is open its client computes; when it is answered, no more.

        The other requests tell the client's load: the first one is answered when that was seen to
        be high, and the client is through when it is then seen to be low.
        """
        _, _, load = query.partition("=")
        if not load:
            await self._happened["10 busy"].wait()
            return 200, "done"
        if not self._happened["10 busy"].is_set():
            if float(load) > 0.1:
                self._happened["10 busy"].set()
            return 302, "go on"
        return (302, "go on") if float(load) > 0.1 else RIGHT

    async def scenario_11(self, number: int, _: str) -> Answer:
        """A race within a race: the first of three is refused, the second wins."""
        await self._all_of(3, number, "11")
        return (WRONG, RIGHT)[number - 1] if number < 3 else await self._never()


async def main() -> None:
    listening = await asyncio.start_server(Racecourse(), "127.0.0.1", 0, backlog=CROWD)
    print(listening.sockets[0].getsockname()[1], flush=True)
    await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
