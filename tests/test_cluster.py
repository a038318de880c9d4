"""Workers on a Dask cluster: the patterns take them as they are, and cancelling reaches them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from distributed import Client, Event, LocalCluster
from distributed.comm import inproc
from distributed.utils import _offload_executor
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

from labkit import Trace, UsageError, connect, record, traced
from labkit.extras import needs
from labkit.machines import by_machine
from labkit.patterns import Ran, ask, gather_bounded, gather_settled, on_cluster, polite, race
from labkit.scripts.limited import limited
from labkit.trace import Call, on_machine
from tools import notebooks

WAIT = 30.0
"""Seconds after which something that should have happened is taken never to happen."""


@pytest.fixture(scope="module", autouse=True)
def dask_is_warm() -> None:
    # Dask keeps one thread for good, and finds its own address by asking for a route out.
    _offload_executor.submit(int).result()
    inproc.global_manager._ip = "127.0.0.1"


@asynccontextmanager
async def cluster(*, machines: int = 2, **options: Any) -> AsyncIterator[Client]:
    async with (
        LocalCluster(
            n_workers=machines,
            threads_per_worker=2,
            processes=False,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
            asynchronous=True,
            **options,
        ) as local,
        Client(local, asynchronous=True) as client,
    ):
        yield client


def on(test: Callable[[Client], Awaitable[Any]], **options: Any) -> Any:
    async def main() -> Any:
        async with cluster(**options) as client:
            return await test(client)

    return asyncio.run(main())


async def upper(task: str) -> str:
    return task.upper()


async def until(name: str, then: str = "") -> str:
    """Wait for an event; what is said at the end of it, or of its clean-up, is an event too."""
    try:
        await Event(f"{name} began").set()
        await Event(f"{name} may end").wait()
        await Event(f"{name} ended").set()
        return name
    except asyncio.CancelledError:
        await Event(f"{name} cleans up").set()
        if then:
            await Event(then).wait()
        await Event(f"{name} cleaned up").set()
        raise


async def began(*names: str) -> None:
    for name in names:
        assert await Event(f"{name} began").wait(timeout=WAIT)


async def fail(task: str) -> str:
    raise KeyError(task)


class Stubborn(Exception):
    def __init__(self, said: str, *, twice: str) -> None:
        super().__init__(said + twice)


async def fail_strangely(task: str) -> str:
    raise Stubborn(task, twice=task)


async def refused(task: str) -> str:
    client = connect(limited(1)).with_options(max_retries=0)
    return "".join(await asyncio.gather(ask(client, task), ask(client, task)))


def test_results_keep_their_places() -> None:
    async def main(client: Client) -> list[str]:
        return await gather_bounded(on_cluster(client, upper), [*"abcdefgh"], limit=4)

    assert on(main) == [*"ABCDEFGH"]


def test_equal_calls_are_run_each_for_itself() -> None:
    ran: list[Ran] = []

    async def main(client: Client) -> None:
        worker = on_cluster(client, upper, on_end=ran.append)
        assert await asyncio.gather(worker("same"), worker("same")) == ["SAME", "SAME"]

    on(main)
    assert [run.outcome for run in ran] == ["ok", "ok"]


def test_a_failure_reaches_the_caller_and_says_where() -> None:
    async def main(client: Client) -> list[Any]:
        return await gather_settled(on_cluster(client, fail), ["a", "b"])

    first, second = on(main)
    assert isinstance(first, KeyError)
    assert [first.args, second.args] == [("a",), ("b",)]
    assert first.__notes__[0] in ("raised on machine 0", "raised on machine 1")


def test_an_error_that_cannot_travel_is_told_in_words() -> None:
    async def main(client: Client) -> None:
        await on_cluster(client, fail_strangely)("no")

    with pytest.raises(RuntimeError, match="Stubborn: nono"):
        on(main)


def test_a_refusal_travels_with_its_headers() -> None:
    """So that a polite caller works on this side of the wire as well."""
    calls = 0

    async def main(client: Client) -> None:
        worker = on_cluster(client, refused)

        async def call() -> str:
            nonlocal calls
            calls += 1
            if calls > 1:
                return "done"
            return await worker("task")

        assert await polite(call) == "done"

    on(main)
    assert calls == 2


def test_cancelled_here_is_cancelled_and_finished_there() -> None:
    ran: list[Ran] = []

    async def main(client: Client) -> None:
        worker = on_cluster(client, until, on_end=ran.append)
        task = asyncio.ensure_future(worker("it", then="go on"))
        await began("it")
        task.cancel()
        assert await Event("it cleans up").wait(timeout=WAIT)
        assert not task.done()  # its clean-up is not over
        await Event("go on").set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await Event("it cleaned up").is_set()
        assert not await Event("it ended").is_set()

    on(main)
    assert [run.outcome for run in ran] == ["cancelled"]


def test_a_run_that_waits_for_a_place_never_begins_once_it_is_cancelled() -> None:
    async def main(client: Client) -> None:
        worker = on_cluster(client, until)
        busy = [asyncio.ensure_future(worker(name)) for name in ("a", "b")]
        await began("a", "b")
        waiting = asyncio.ensure_future(worker("c"))
        await asyncio.sleep(0)  # it has been handed in
        waiting.cancel()
        for name in ("a", "b", "c"):
            await Event(f"{name} may end").set()
        assert await asyncio.gather(*busy) == ["a", "b"]
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert not await Event("c began").is_set()

    on(main, machines=1)


def test_the_losers_of_a_race_are_over_when_it_is() -> None:
    async def main(client: Client) -> str:
        attempts = [
            lambda: on_cluster(client, until)("slow"),
            lambda: on_cluster(client, upper)("quick"),
            lambda: on_cluster(client, fail)("broken"),
        ]
        won = await race(attempts, valid=lambda result: result == "QUICK")
        assert not await Event("slow ended").is_set()
        return won

    assert on(main) == "QUICK"


def test_dask_itself_does_not_stop_what_has_begun() -> None:
    """Why `on_cluster` watches an event: this is what it does without."""

    async def main(client: Client) -> tuple[str, bool]:
        future = client.submit(until, "it", pure=False)
        await began("it")
        await client.cancel([future])
        await Event("it may end").set()
        return future.status, await Event("it ended").wait(timeout=WAIT)

    assert on(main) == ("cancelled", True)


def test_no_event_is_left_at_the_scheduler() -> None:
    async def main(client: Client) -> int:
        await gather_bounded(on_cluster(client, upper), [*"abcdefgh"], limit=8)
        scheduler = client.cluster.scheduler
        return len(scheduler.extensions["events"]._events)

    assert on(main) == 0


def test_a_trace_knows_the_machines() -> None:
    async def main(client: Client) -> Trace:
        worker = traced(on_cluster(client, upper, on_end=on_machine))
        with record() as trace:
            await gather_bounded(worker, [*"abcdefgh"], limit=4)
            await gather_settled(traced(on_cluster(client, fail, on_end=on_machine)), ["bad"])
        return trace

    trace = on(main)
    assert [call.lane for call in trace.calls] == [*"abcdefgh", "bad"]
    assert {call.machine for call in trace.calls} <= {"0", "1"}
    assert [call.outcome for call in trace.calls] == [*["ok"] * 8, "failed"]


def test_calls_that_follow_one_another_share_a_place() -> None:
    calls = [
        Call("a", 0.0, 1.0, "ok", machine="0"),
        Call("b", 0.0, 0.5, "ok", machine="0"),
        Call("c", 0.49, 1.5, "cancelled", machine="0"),
        Call("d", 0.0, 1.0, "ok", machine="1"),
        Call("e", 1.0, 1.2, "ok"),
    ]
    picture = by_machine(Trace(calls, "free"), title="Where")
    assert repr(picture).splitlines()[-1] == "machines that took part: 0, 1, here"
    assert picture.listing().splitlines() == [
        "Where",
        "⟨5 calls ⇒ 1.500 s, 4 in flight, 1 cancelled⟩",
        "  machine 0, place 1: a 0.000 s – 1.000 s",
        "  machine 0, place 2: b 0.000 s – 0.500 s; c 0.490 s – 1.500 s cancelled",
        "  machine 1, place 1: d 0.000 s – 1.000 s",
        "  here, place 1: e 1.000 s – 1.200 s",
    ]
    assert picture.png().startswith(b"\x89PNG")
    _, metadata = picture._repr_mimebundle_()
    assert "machine 1, place 1: d 0.000 s – 1.000 s" in metadata["image/png"]["alt"]


def test_by_machine_says_what_it_draws() -> None:
    with pytest.raises(UsageError, match="draws a trace"):
        by_machine([])  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="'light' or 'dark'"):
        by_machine(Trace(), theme="blue")  # type: ignore[arg-type]


def test_what_needs_an_extra_says_so_where_it_is_not_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    @needs("no_such_module", extra="cluster")
    async def fan_out(_limit: int) -> str:
        raise AssertionError("it was called")

    assert asyncio.run(fan_out(3)) is None
    assert capsys.readouterr().out == (
        "fan_out: skipped, because no_such_module is not installed."
        " pip install 'labkit[cluster]' brings it.\n"
    )

    async def there() -> str:
        return "called"

    assert needs("distributed", extra="cluster")(there) is there


@pytest.mark.long
def test_machines_may_be_processes() -> None:
    async def main() -> None:
        async with (
            LocalCluster(
                n_workers=2,
                threads_per_worker=2,
                processes=True,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
                asynchronous=True,
            ) as local,
            Client(local, asynchronous=True) as client,
        ):
            assert await gather_bounded(on_cluster(client, upper), [*"abcdefgh"], limit=4) == [
                *"ABCDEFGH"
            ]
            task = asyncio.ensure_future(on_cluster(client, until)("it"))
            await began("it")
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await Event("it cleaned up").is_set()
            with pytest.raises(KeyError, match="bad") as caught:
                await on_cluster(client, fail)("bad")
            assert caught.value.__notes__

    asyncio.run(main())


@pytest.mark.long
def test_the_lesson_runs_to_its_end_without_dask() -> None:
    path = notebooks.NOTEBOOKS / "08_past_one_machine.ipynb"
    notebook = notebooks.read(path)
    hide = (
        "import importlib.util as util\n"
        "found = util.find_spec\n"
        "util.find_spec = lambda name, *more: None if name == 'distributed' else found(name, *more)"
    )
    notebook.cells.insert(0, new_code_cell(hide))
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, kernel_name="python3", timeout=60, resources=resources).execute()
    said = {
        cell.id: "".join(output.get("text", "") for output in cell.outputs)
        for cell in notebooks.code_cells(notebook)
    }
    assert "connect_machines: skipped" in said["cluster-connect"]
    assert "pip install 'labkit[cluster]'" in said["race-run"]
