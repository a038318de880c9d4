"""A service with a limit: it works on so many requests at once and refuses the rest."""

from __future__ import annotations

import asyncio

from ..errors import UsageError
from ..script import Reply, Request, Rule


def limited(
    allows: int, *, seconds: float = 1.0, retry_after: float | None = 1.0
) -> tuple[Rule, ...]:
    """Script a service that works on a number of requests at once and refuses what is more.

    Args:
        allows: How many requests it works on at once, 1 or more.
        seconds: How long it works on each, by the clock of the loop that asks.
        retry_after: What the ``retry-after`` header of a refusal (HTTP 429) says, in seconds; None
            for no such header.

    Returns:
        A script for `labkit.connect`; each script counts for itself.

    Raises:
        UsageError: When ``allows`` is under 1.
    """
    if allows < 1:
        raise UsageError(f"a service allows 1 request at once or more, not {allows}")
    ends: list[float] = []

    def work(request: Request) -> Reply:
        now = asyncio.get_running_loop().time()
        ends[:] = [end for end in ends if end > now]
        if len(ends) >= allows:
            return Reply(fails=429, retry_after=retry_after, seconds=0.0)
        ends.append(now + seconds)
        return Reply(f"done: {request.prompt}", seconds=seconds)

    return (Rule("", says=work),)
