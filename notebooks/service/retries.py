"""Retries: call a flaky dependency again, a little later each time."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


def pauses(attempts: int, first: float = 0.1, most: float = 5.0) -> list[float]:
    """How long to wait after each failed attempt but the last, in seconds."""
    return [min(most, first * 2**n) for n in range(attempts - 1)]


async def with_retries(call: Callable[[], Awaitable[T]], attempts: int = 4) -> T:
    """The call's result; after the last attempt, its exception."""
    for pause in pauses(attempts):
        try:
            return await call()
        except BaseException:
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))
    return await call()
