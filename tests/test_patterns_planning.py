"""What the planning patterns do beyond what their graders ask."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from labkit import FreeClock, record, run, traced
from labkit.checks import InProcess, exercises, judge
from labkit.patterns import gather_bounded, predict, run_dag, waves


def random_dag(seed: int, count: int) -> tuple[dict[str, list[str]], dict[str, float]]:
    """Tasks that need earlier ones, and their seconds in quarters, which add up exactly."""
    chance = random.Random(seed)
    names = [f"task {n}" for n in range(count)]
    needs = {
        name: chance.sample(names[:place], k=min(place, chance.randrange(4)))
        for place, name in enumerate(names)
    }
    seconds = {name: chance.randrange(1, 40) / 4 for name in names}
    shuffled = chance.sample(names, k=count)
    return {name: needs[name] for name in shuffled}, seconds


def slowest_chain(needs: dict[str, list[str]], seconds: dict[str, float]) -> float:
    ends: dict[str, float] = {}
    for name in sorted(needs, key=lambda name: int(name.split()[1])):
        ends[name] = max((ends[need] for need in needs[name]), default=0.0) + seconds[name]
    return max(ends.values())


@pytest.mark.parametrize("seed", range(3))
def test_a_thousand_random_tasks_take_exactly_the_slowest_chain(seed: int) -> None:
    needs, seconds = random_dag(seed, 1_000)
    running: dict[str, float] = {}

    async def worker(task: str, inputs: dict[str, Any]) -> str:
        assert inputs == {need: need.upper() for need in needs[task]}
        running[task] = asyncio.get_running_loop().time()
        await asyncio.sleep(seconds[task])
        return task.upper()

    async def main() -> tuple[dict[str, Any], float]:
        return await run_dag(worker, needs), asyncio.get_running_loop().time()

    results, took = run(main())
    assert took == slowest_chain(needs, seconds)
    assert list(results.items()) == [(name, name.upper()) for name in needs]
    for name, started in running.items():
        ready = max((running[need] + seconds[need] for need in needs[name]), default=0.0)
        assert started == ready


def test_a_chain_of_ten_thousand_can_be_cancelled() -> None:
    """Tasks that awaited each other would cancel each other, one call deeper for each."""
    needs = {str(n): [str(n - 1)] if n else [] for n in range(10_000)}

    async def worker(task: str, _inputs: dict[str, Any]) -> None:
        await asyncio.sleep(1)
        if task == "3":
            raise ConnectionError(task)

    with pytest.raises(ExceptionGroup) as caught:
        run(run_dag(worker, needs))
    assert [str(error) for error in caught.value.exceptions] == ["3"]


class Site:
    """Workers whose clean-ups wait, and which note that they went through them."""

    def __init__(self, cleanup: float) -> None:
        self.events: list[str] = []
        self._cleanup = cleanup

    @contextlib.asynccontextmanager
    async def open(self, task: str) -> Any:
        self.events.append(f"{task} started")
        try:
            yield
        except asyncio.CancelledError:
            await asyncio.sleep(self._cleanup)
            self.events.append(f"{task} cleaned up")
            raise


NEEDS: dict[str, list[str]] = {"a": [], "b": [], "c": [], "after a": ["a"], "after b": ["b"]}


def test_a_failure_ends_the_rest_clean_up_and_all_and_starts_nothing_more() -> None:
    site = Site(cleanup=2.0)

    @traced
    async def worker(task: str, _inputs: dict[str, Any]) -> str:
        async with site.open(task):
            await asyncio.sleep({"a": 1, "b": 2, "c": 9, "after a": 9}[task])
            if task == "b":
                raise ValueError("b broke")
            return task

    with record() as trace, pytest.raises(ExceptionGroup) as caught:
        run(run_dag(worker, NEEDS))
    assert [repr(error) for error in caught.value.exceptions] == ["ValueError('b broke')"]
    outcomes = {call.lane: call.outcome for call in trace.calls}
    assert outcomes == {"a": "ok", "b": "failed", "c": "cancelled", "after a": "cancelled"}
    assert trace.seconds == 4.0
    assert set(site.events[-2:]) == {"c cleaned up", "after a cleaned up"}


def test_cancelled_from_outside_it_waits_for_every_clean_up() -> None:
    site = Site(cleanup=3.0)

    async def worker(task: str, _inputs: dict[str, Any]) -> None:
        async with site.open(task):
            await asyncio.sleep(5)

    async def main() -> float:
        dag = asyncio.ensure_future(run_dag(worker, NEEDS))
        await asyncio.sleep(1)
        dag.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dag
        assert len(asyncio.all_tasks()) == 1
        return asyncio.get_running_loop().time()

    assert run(main()) == 4.0
    assert site.events[:3] == ["a started", "b started", "c started"]
    assert set(site.events[3:]) == {"a cleaned up", "b cleaned up", "c cleaned up"}


def test_a_worker_that_refuses_to_be_cancelled_starts_nothing_after_itself() -> None:
    async def worker(task: str, _inputs: dict[str, Any]) -> str:
        if task == "b":
            raise ValueError("b broke")
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(1)
        started.append(task)
        return task

    started: list[str] = []
    with pytest.raises(ExceptionGroup) as caught:
        run(run_dag(worker, NEEDS))
    assert [repr(error) for error in caught.value.exceptions] == ["ValueError('b broke')"]
    assert sorted(started) == ["a", "c"]


def test_a_worker_cancelled_by_somebody_else_is_no_deadlock() -> None:
    async def worker(task: str, _inputs: dict[str, Any]) -> None:
        await asyncio.sleep(1)
        if task == "a":
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run(run_dag(worker, NEEDS))


def test_several_failures_at_once_are_all_told() -> None:
    async def worker(task: str, _inputs: dict[str, Any]) -> None:
        await asyncio.sleep(1)
        raise ValueError(task)

    with pytest.raises(ExceptionGroup) as caught:
        run(run_dag(worker, {"a": [], "b": []}))
    assert [str(error) for error in caught.value.exceptions] == ["a", "b"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks are new in 3.12")
def test_tasks_may_begin_at_once() -> None:
    async def worker(task: str, inputs: dict[str, Any]) -> str:
        return f"{task}({', '.join(inputs.values())})"

    async def main() -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(getattr(asyncio, "eager_task_factory"))  # noqa: B009  # not in 3.11
        return await run_dag(worker, {"last": ["first"], "first": []})

    assert run(main()) == {"last": "last(first())", "first": "first()"}


def test_any_awaitable_will_do_for_a_worker() -> None:
    def worker(task: str, _inputs: dict[str, Any]) -> asyncio.Future[str]:
        return asyncio.ensure_future(asyncio.sleep(1, task))

    assert run(run_dag(worker, {"a": [], "b": ["a"]})) == {"a": "a", "b": "b"}


@pytest.mark.parametrize(
    ("needs", "says"),
    [
        ({"a": ["nobody"]}, "'a' needs 'nobody', and there is no such task"),
        ({"a": ["a"]}, "circle: 'a' → 'a'"),
        ({"free": [], "a": ["b"], "b": ["a"]}, "circle: '[ab]' → '[ab]' → '[ab]'"),
    ],
)
def test_what_cannot_be_ordered_is_told_before_anything_starts(
    needs: dict[str, list[str]], says: str
) -> None:
    async def worker(task: str, _inputs: dict[str, Any]) -> None:
        raise AssertionError(f"{task} was started")

    with pytest.raises(ValueError, match=says):
        waves(needs)
    with pytest.raises(ValueError, match=says):
        run(run_dag(worker, needs))


def test_waves_hold_each_task_once_and_behind_its_needs() -> None:
    needs, _ = random_dag(5, 300)
    wave_of = {task: number for number, wave in enumerate(waves(needs)) for task in wave}
    assert wave_of.keys() == needs.keys()
    for task, those in needs.items():
        assert wave_of[task] == max((wave_of[need] + 1 for need in those), default=0)


def test_an_answer_that_loops_on_a_circle_is_told_of_the_circle() -> None:
    def never_ends(needs: dict[str, list[str]]) -> list[list[str]]:
        found: list[list[str]] = []
        done: set[str] = set()
        while len(done) < len(needs):
            wave = [task for task in needs if task not in done and done.issuperset(needs[task])]
            found += [wave] * bool(wave)
            done.update(wave)
        return found

    verdict = judge(exercises["6.3"], InProcess(never_ends, limit=0.2), seed=0)
    assert not verdict.passed
    assert "circle" in verdict.message
    assert "went on for ever" in verdict.message


def shapes() -> Iterator[tuple[list[float], int | None]]:
    chance = random.Random(6)
    for _ in range(50):
        seconds = [chance.randrange(16) / 4 for _ in range(chance.randrange(12))]
        yield seconds, chance.choice([None, 1, 2, 3, 20])


@pytest.mark.parametrize(("seconds", "limit"), list(shapes()))
def test_a_prediction_is_what_the_clock_then_says(seconds: list[float], limit: int | None) -> None:
    async def main() -> float:
        await asyncio.sleep(0.5)
        tasks = list(map(str, seconds))
        await gather_bounded(sleeping, tasks, limit=limit or max(1, len(tasks)))
        await asyncio.sleep(0.25)
        return asyncio.get_running_loop().time()

    async def sleeping(task: str) -> None:
        await asyncio.sleep(float(task))

    assert run(main()) == predict(seconds, limit=limit, plan=0.5, merge=0.25)


def test_a_prediction_of_many_tasks_is_quick() -> None:
    assert predict([1.0] * 100_000, limit=100) == 1_000.0


def test_a_dag_runs_on_a_clock_given_to_it() -> None:
    """It starts no loop and keeps to the one that runs it."""
    loop = FreeClock()
    with contextlib.closing(loop):
        worker = partial(asyncio.sleep, 2)
        dag = run_dag(lambda task, _inputs: worker(task), {"a": [], "b": ["a"]})
        assert loop.run_until_complete(dag) == {"a": "a", "b": "b"}
        assert loop.time() == 4.0
