"""Scaling: more workers than one run may hold, and more than one machine."""

from __future__ import annotations

import asyncio
import functools
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from distributed import Client

T = TypeVar("T")


def phases(specs: Sequence[T], *, at_once: int = 7, per_run: int = 40) -> list[list[list[T]]]:
    """Split a fleet that is larger than the caps into runs, and each run into groups.

    Args:
        specs: What is to be done, in order.
        at_once: The most specs of a group, 1 or more: what may be in flight together.
        per_run: The most specs of a run, 1 or more: what one conductor may spawn in all.

    Returns:
        The runs; each is a list of groups, and each group a list of specs. Only the last group of
        a run, and the last run, may be less than full.

    Raises:
        ValueError: When a cap is under 1.
    """
    for name, cap in (("at_once", at_once), ("per_run", per_run)):
        if cap < 1:
            raise ValueError(f"{name} is 1 or more, not {cap}")
    runs = [list(specs[n : n + per_run]) for n in range(0, len(specs), per_run)]
    return [[run[n : n + at_once] for n in range(0, len(run), at_once)] for run in runs]


def join_by_id(
    requests: Sequence[Mapping[str, Any]], results: Sequence[Mapping[str, Any]]
) -> list[Any]:
    """Put what a batch service answered, in whatever order, beside what it was asked.

    Args:
        requests: What was asked, each with its ``custom_id``.
        results: What came back, each with its ``custom_id`` and its ``result``.

    Returns:
        The result of each request, in the order of the requests; None where none came.

    Raises:
        ValueError: When a ``custom_id`` stands twice in either list, or a result was not asked for.
    """
    asked = [request["custom_id"] for request in requests]
    known = set(asked)
    answered = [result["custom_id"] for result in results]
    for what, ids in (("request", asked), ("result", answered)):
        if len(set(ids)) < len(ids):
            twice = next(id for id in ids if ids.count(id) > 1)
            raise ValueError(f"two {what}s have the custom_id {twice!r}")
    if strange := [id for id in answered if id not in known]:
        raise ValueError(f"no request asked for the result {strange[0]!r}")
    by_id = {result["custom_id"]: result["result"] for result in results}
    return [by_id.get(id) for id in asked]


async def polite(call: Callable[[], Awaitable[T]], *, attempts: int = 4) -> T:
    """Call a service that may refuse for a while, and ask again when it says so.

    A caller that is told to wait (HTTP 429) waits for the seconds that the ``retry-after`` header
    names, or for one second where there is none.

    Args:
        call: Makes one call. Leave the SDK's own retries out of it
            (``client.with_options(max_retries=0)``), or the two multiply.
        attempts: How many calls to make at most, 1 or more.

    Returns:
        What the first call returned that was not refused.

    Raises:
        ValueError: When ``attempts`` is under 1; no call is made then.
        anthropic.RateLimitError: When the last call was refused too.
    """
    from anthropic import RateLimitError  # loads for a second; the rest of this file needs none

    if attempts < 1:
        raise ValueError(f"attempts is 1 or more, not {attempts}")
    for _ in range(attempts - 1):
        try:
            return await call()
        except RateLimitError as refused:
            seconds = float(refused.response.headers.get("retry-after", 1.0))
        await asyncio.sleep(seconds)
    return await call()


@dataclass(frozen=True)
class Ran:
    """One run of a worker on a machine of a cluster.

    Attributes:
        machine: The name of the Dask worker that it ran on.
        seconds: How long it ran there.
        outcome: ``ok``, ``failed``, or ``cancelled``.
    """

    machine: str
    seconds: float
    outcome: Literal["ok", "failed", "cancelled"]


def on_cluster(
    cluster: Client,
    worker: Callable[..., Awaitable[T]],
    *,
    on_end: Callable[[Ran], object] | None = None,
) -> Callable[..., Coroutine[Any, Any, T]]:
    """Have an async worker do its work on the machines of a Dask cluster.

    What comes back is a worker too, so whatever gathers, caps or races workers takes it as it is.
    Cancelled here, it is cancelled there, and is over once the machine says that the worker has
    cleaned up: Dask's own ``cancel`` lets a task that has begun run on, so each run watches a
    ``distributed.Event`` beside its work. A run that still waits for a place on a machine is over
    as soon as it gets one.

    Args:
        cluster: An asynchronous client of the cluster:
            ``await distributed.Client(address, asynchronous=True)``.
        worker: Runs on a machine, on the event loop there: without an ``await`` it holds up the
            other runs of its machine, and cannot be stopped. It and what it is called with travel
            by pickle; what it imports has to be installed there, this module among it.
        on_end: Called with a `Ran` when a run has ended on its machine.

    Returns:
        A worker that takes what the given one takes, returns what it returns and raises what it
        raises.
    """
    from distributed import Event

    @functools.wraps(worker)
    async def remote(*args: Any, **kwargs: Any) -> T:
        stop = Event(f"stop-{uuid.uuid4().hex}", client=cluster)
        # By default Dask takes equal calls for one and the same, and runs it once.
        future = cluster.submit(_run_here, worker, args, kwargs, stop.name, pure=False)
        result = asyncio.ensure_future(future)
        try:
            await asyncio.wait([result])
        except asyncio.CancelledError:
            await stop.set()
            await asyncio.wait([result])
            await stop.clear()
            raise
        finally:
            if on_end and result.done() and not result.cancelled() and not result.exception():
                on_end(result.result()[0])
        ran, value = result.result()
        if ran.outcome == "failed":
            value.add_note(f"raised on machine {ran.machine}")
            raise value
        if ran.outcome == "cancelled":
            raise asyncio.CancelledError
        return value  # type: ignore[no-any-return]  # the worker's own result

    return remote


async def _run_here(
    worker: Callable[..., Awaitable[Any]], args: tuple[Any, ...], kwargs: dict[str, Any], name: str
) -> tuple[Ran, Any]:
    """On a machine: run a worker until it ends or an event stops it; tell which, and its result."""
    from distributed import Event, get_worker

    machine, began, stop = str(get_worker().name), time.monotonic(), Event(name)

    def ran(outcome: Literal["ok", "failed", "cancelled"]) -> Ran:
        return Ran(machine, time.monotonic() - began, outcome)

    if await stop.is_set():
        return ran("cancelled"), None
    told = asyncio.ensure_future(stop.wait())
    work = asyncio.ensure_future(worker(*args, **kwargs))
    try:
        await asyncio.wait([work, told], return_when=asyncio.FIRST_COMPLETED)
        work.cancel()  # one that has ended stays as it is
        await asyncio.wait([work])
        if work.cancelled():
            return ran("cancelled"), None
        if (error := work.exception()) is not None:
            return ran("failed"), _portable(error)
        return ran("ok"), work.result()
    finally:
        # The scheduler keeps an event for as long as somebody waits for it.
        await stop.set()
        await told
        await stop.clear()


def _portable(error: BaseException) -> BaseException:
    """An error that arrives at the other end of a pickle: itself, or what it says."""
    import cloudpickle

    try:
        cloudpickle.loads(cloudpickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
