"""What a trace says of its calls."""

from __future__ import annotations

import asyncio

import pytest

from labkit import Call, Trace, record, run, traced


def trace_of(*rows: tuple[str, float, float | None, str]) -> Trace:
    return Trace([Call(lane, start, end, outcome) for lane, start, end, outcome in rows], "free")


def test_totals() -> None:
    calls = [
        Call("a", 0, 2, "ok", "claude-haiku-4-5", 1_000, 200),
        Call("b", 1, 5, "ok", "claude-opus-4-6", 1_000, 200),
    ]
    trace = Trace(calls, "free")
    assert (trace.seconds, trace.work, trace.in_flight) == (5, 6, 2)
    assert (trace.tokens_in, trace.tokens_out) == (2_000, 400)
    assert trace.dollars == pytest.approx(0.002 + 0.01)
    assert repr(trace) == "⟨2 calls ⇒ 5.000 s, 2 in flight, 2,000 tokens in, 400 out, $0.0120⟩"


def test_a_model_without_a_price_is_counted_in_tokens() -> None:
    trace = Trace([Call("a", 0, 1, "ok", "claude-unheard-of", 10, 5)], "free")
    assert trace.dollars is None
    assert repr(trace) == "⟨1 call ⇒ 1.000 s, 1 in flight, 10 tokens in, 5 out, no price⟩"


def test_a_real_clock_is_told_by_its_sign() -> None:
    assert Trace().say(1.5) == "≈1.50 s"
    assert trace_of().say(1.5) == "1.500 s"


def test_one_that_ends_as_another_starts_is_not_in_flight_with_it() -> None:
    assert trace_of(("a", 0, 1, "ok"), ("b", 1, 2, "ok")).in_flight == 1
    assert trace_of(("a", 0, None, "running"), ("b", 1, 2, "ok")).in_flight == 2


def test_outcomes_that_are_not_ok_are_counted() -> None:
    trace = trace_of(("a", 0, 1, "429"), ("a", 1, 2, "429"), ("a", 3, 4, "cancelled"))
    assert repr(trace).endswith("2 × 429, 1 cancelled⟩")
    assert repr(Trace()) == "⟨no calls⟩"


def test_another_try_shares_the_lane_and_a_twin_does_not() -> None:
    trace = trace_of(
        ("a", 0, 1, "429"), ("a", 0, 2, "ok"), ("a", 1.5, 3, "ok"), ("b", 0, 1, "cancelled")
    )
    assert [(name, len(calls)) for name, calls in trace.lanes()] == [("a", 2), ("a", 1), ("b", 1)]


def test_a_plain_worker_can_be_traced() -> None:
    @traced
    async def worker(task: str) -> str:
        await asyncio.sleep(len(task))
        if task == "bad":
            raise ValueError(task)
        return task.upper()

    async def main() -> None:
        running = [asyncio.ensure_future(worker(task)) for task in ("one", "bad", "longest")]
        await asyncio.sleep(5)
        running[2].cancel()
        await asyncio.gather(*running, return_exceptions=True)

    with record() as trace:
        run(main())
    assert [(call.lane, call.end, call.outcome) for call in trace.calls] == [
        ("one", 3, "ok"),
        ("bad", 3, "failed"),
        ("longest", 5, "cancelled"),
    ]
    assert worker.__name__ == "worker"
    assert repr(trace) == "⟨3 calls ⇒ 5.000 s, 3 in flight, 1 failed, 1 cancelled⟩"
