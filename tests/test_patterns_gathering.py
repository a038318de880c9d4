"""What the gathering patterns do beyond what their graders ask."""

from __future__ import annotations

import asyncio

import pytest

from labkit import record, run, traced
from labkit.patterns import gather_bounded, gather_or_stop, gather_settled


async def steady(task: str) -> str:
    await asyncio.sleep(1)
    return task.upper()


def test_ten_thousand_workers_need_no_ten_thousand_tasks() -> None:
    most = 0

    async def counting(task: str) -> int:
        nonlocal most
        most = max(most, len(asyncio.all_tasks()))
        await asyncio.sleep(1)
        return int(task)

    async def main() -> float:
        results = await gather_bounded(counting, [str(n) for n in range(10_000)], limit=100)
        assert results == list(range(10_000))
        return asyncio.get_running_loop().time()

    assert run(main()) == 100.0
    assert most <= 102


def test_a_capped_run_that_fails_leaves_nothing_running() -> None:
    @traced
    async def worker(task: str) -> str:
        await asyncio.sleep(len(task))
        if task == "bad":
            raise ValueError(task)
        return task

    with record() as trace, pytest.raises(ValueError, match="bad"):
        run(gather_bounded(worker, ["bad", "longer", "never started"], limit=2))
    assert [(call.lane, call.outcome) for call in trace.calls] == [
        ("bad", "failed"),
        ("longer", "cancelled"),
    ]
    assert trace.seconds == 3.0


def test_a_capped_run_that_is_cancelled_breaks_no_clean_up_off() -> None:
    cleaned = []

    async def worker(seconds: str) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(float(seconds))
            cleaned.append(seconds)

    async def main() -> float:
        running = asyncio.ensure_future(gather_bounded(worker, ["1", "5", "3"], limit=2))
        await asyncio.sleep(1)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        return asyncio.get_running_loop().time()

    assert run(main()) == 6.0
    assert cleaned == ["1", "5"]


def test_settled_results_that_are_exceptions_are_results() -> None:
    async def worker(task: str) -> Exception:
        return ValueError(task)

    [value] = run(gather_settled(worker, ["returned"]))
    assert isinstance(value, ValueError)


def test_any_awaitable_will_do_for_a_worker() -> None:
    def worker(task: str) -> asyncio.Future[str]:
        return asyncio.ensure_future(steady(task))

    assert run(gather_or_stop(worker, ["a", "b"])) == ["A", "B"]


def test_several_failures_at_once_are_all_told() -> None:
    async def worker(task: str) -> str:
        await asyncio.sleep(1)
        raise ValueError(task)

    with pytest.raises(ExceptionGroup) as caught:
        run(gather_or_stop(worker, ["a", "b"]))
    assert [str(error) for error in caught.value.exceptions] == ["a", "b"]
