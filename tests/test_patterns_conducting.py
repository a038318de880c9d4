"""What the graders of lesson 07 leave open, and the conductor's helpers, on the free clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from labkit import Reply, Rule, check, connect, patterns, record, run


async def slow(seconds: float, *, ends: list[str] | None = None) -> str:
    try:
        await asyncio.sleep(seconds)
    finally:
        if ends is not None:
            await asyncio.sleep(0.5)
            ends.append("cleaned")
    return "done"


async def timed(awaitable: Awaitable[Any]) -> tuple[Any, float]:
    started = asyncio.get_running_loop().time()
    try:
        value = await awaitable
    except Exception as error:
        value = error
    return value, asyncio.get_running_loop().time() - started


# within


def test_a_worker_in_time_is_not_touched() -> None:
    assert run(timed(patterns.within(slow, 2.0)(1.0))) == ("done", 1.0)


def test_a_late_worker_is_cancelled_and_its_clean_up_waited_for() -> None:
    ends: list[str] = []
    error, seconds = run(timed(patterns.within(slow, 2.0)(9.0, ends=ends)))
    assert isinstance(error, TimeoutError)
    assert str(error) == "no answer within 2 s"
    assert (ends, seconds) == (["cleaned"], 2.5)


def test_a_timeout_of_the_worker_s_own_comes_through_as_it_is() -> None:
    async def impatient() -> None:
        raise TimeoutError("the lock is held")

    error, _ = run(timed(patterns.within(impatient, 2.0)()))
    assert isinstance(error, TimeoutError)
    assert str(error) == "the lock is held"


def test_a_cancellation_from_outside_is_no_timeout() -> None:
    async def main() -> None:
        task = asyncio.ensure_future(patterns.within(slow, 2.0)(9.0))
        await asyncio.sleep(1.0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        run(main())


def test_each_run_has_a_deadline_of_its_own() -> None:
    async def main() -> list[Any]:
        worker = patterns.within(slow, 2.0)
        return [await worker(1.5) for _ in range(3)]

    assert run(timed(main())) == (["done"] * 3, 4.5)


@pytest.mark.parametrize("seconds", [0, -1.0, float("nan")])
def test_a_deadline_that_is_none_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="more than 0 seconds"):
        patterns.within(slow, seconds)


def test_a_hang_holds_its_place_under_the_cap_no_longer_than_its_deadline() -> None:
    async def worker(spec: Any, feedback: str | None) -> Any:
        await asyncio.sleep(spec["seconds"])
        return {**spec, "claim": "c", "evidence": "e"}

    specs = [{"id": n, "topic": str(n), "seconds": s} for n, s in enumerate([1e9, 1, 1, 1])]
    conducted = patterns.conduct(patterns.within(worker, 2.0), specs, gate=patterns.gate, limit=1)
    outcome, seconds = run(timed(conducted))
    assert [f["id"] for f in outcome["passed"]] == [1, 2, 3]
    assert outcome["rejected"] == [{"_kicked": "failed: no answer within 2 s"}]
    assert seconds == 2 + 3 + 2


# witness


def by_claim(findings: list[Any]) -> tuple[list[Any], list[Any]]:
    good = [f for f in findings if f.get("claim") == "good"]
    return good, [{**f, "_kicked": f"bad: {f.get('claim')}"} for f in findings if f not in good]


def test_a_witness_judges_as_the_gate_does_and_keeps_what_it_kicks_back() -> None:
    told: list[Any] = []
    seen = patterns.witness(by_claim, on_kick=told.append)
    findings = [{"id": 1, "claim": "good"}, {"id": 2, "claim": "x"}]
    assert seen(findings) == by_claim(findings)
    assert seen.kicked_back == told == [{"id": 2, "claim": "x", "_kicked": "bad: x"}]
    seen([{"id": 3, "claim": "y"}])
    assert [kick["id"] for kick in seen.kicked_back] == [2, 3]


def test_a_witness_tells_what_was_mended_and_what_was_not() -> None:
    brings: dict[int, list[Any]] = {
        1: ["good"],
        2: ["x", "good"],
        3: [OSError("no disk"), "good"],
        4: ["y", "z"],
        5: [OSError("no disk"), OSError("no disk")],
    }

    async def worker(spec: Any, feedback: str | None) -> Any:
        brought = brings[spec["id"]].pop(0)
        if isinstance(brought, Exception):
            raise brought
        return {**spec, "claim": brought, "evidence": f"f:{spec['id']}"}

    seen = patterns.witness(by_claim)
    specs = [{"id": n, "topic": f"t{n}"} for n in brings]
    outcome = run(patterns.conduct(seen.watch(worker), specs, gate=seen, limit=5))
    assert [f["id"] for f in outcome["passed"]] == [1, 2, 3]
    assert seen.account(outcome["passed"]).splitlines() == [
        "CAUGHT",
        "- t3: failed: no disk -> mended",
        "- t5: failed: no disk, twice -> rejected",
        "- t2: bad: x -> mended",
        "- t4: bad: y; again: bad: z -> rejected",
    ]


def test_a_witness_of_a_faultless_run_says_so() -> None:
    assert patterns.witness(by_claim).account([]) == "CAUGHT\n(nothing was kicked back)"


def test_what_is_no_finding_is_told_without_a_topic() -> None:
    seen = patterns.witness(patterns.gate)
    seen([None])
    assert seen.account([{"id": 1}]) == "CAUGHT\n- (no topic): not a finding -> rejected"


# conduct


def test_a_large_batch_is_conducted_at_its_lower_bound() -> None:
    async def worker(spec: Any, feedback: str | None) -> Any:
        await asyncio.sleep(1.0)
        return {**spec, "claim": "c", "evidence": "e"}

    specs = [{"id": n, "topic": n} for n in range(2_000)]
    outcome, seconds = run(timed(patterns.conduct(worker, specs, gate=patterns.gate, limit=100)))
    assert seconds == pytest.approx(20.0)
    assert len(outcome["passed"]) == 2_000


def test_the_error_names_the_id_that_stands_twice() -> None:
    async def worker(spec: Any, feedback: str | None) -> Any:
        raise AssertionError("nothing is started")

    specs = [{"id": "a"}, {"id": "b"}, {"id": "b"}]
    with pytest.raises(ValueError, match="share the id 'b'"):
        run(patterns.conduct(worker, specs, gate=patterns.gate, limit=2))


# Agents as tools, over the real SDK


def asking(*uses: tuple[str, dict[str, Any]]) -> Callable[[Any], Any]:
    def lead(request: Any) -> Any:
        if len(request.messages) > 1:
            return "done"
        return [{"type": "tool_use", "name": name, "input": given} for name, given in uses]

    return lead


def test_a_lead_is_told_why_a_tool_could_not_be_run() -> None:
    bodies: list[Any] = []

    def lead(request: Any) -> Any:
        bodies.append(request.body)
        return asking(("b", {"task": "x"}), ("a", {"note": "x"}), ("a", {"task": "x"}))(request)

    rules = [
        Rule(lambda request: "tools" in request.body, says=lead, seconds=1.0),
        Rule("", says=Reply("no such thing", fails=400), seconds=1.0),
    ]
    said = run(patterns.atlas(connect(rules), "Go.", {"a": "You are a."}))
    assert said == "done"
    results = bodies[1]["messages"][2]["content"]
    assert [result["is_error"] for result in results] == [True] * 3
    unknown, no_task, failed = (result["content"] for result in results)
    assert unknown == "there is no tool b, only a"
    assert no_task == "a needs a string, task: {'note': 'x'}"
    assert failed.startswith("a failed: ")
    assert "no such thing" in failed


def test_the_last_round_s_tools_are_not_paid_for() -> None:
    rules = [
        Rule(
            lambda request: "tools" in request.body,
            says=[{"type": "tool_use", "name": "a", "input": {"task": "x"}}],
        ),
        Rule("", says="x"),
    ]
    with record() as trace, pytest.raises(RuntimeError, match="after 2 rounds"):
        run(patterns.atlas(connect(rules), "Go.", {"a": "You are a."}, rounds=2))
    assert [call.model for call in trace.calls].count(patterns.SPECIALIST) == 2
    assert len(trace.calls) == 3


# Their graders


def test_blocks_that_were_taken_away_are_a_changed_input() -> None:
    async def takes(client: Any, blocks: Any, specialists: Any) -> Any:
        kept = list(blocks)
        blocks.clear()
        return await patterns.run_tools(client, kept, specialists)

    assert "It changed what was passed in" in check("7.2", takes).message
