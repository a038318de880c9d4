"""What the scaling patterns do beyond what their graders ask, and the service they are tried on."""

from __future__ import annotations

import asyncio
from typing import Any

import anthropic
import pytest

from labkit import Trace, UsageError, connect, record, run
from labkit.load import answered, levels, load
from labkit.patterns import ask, gather_bounded, gather_settled, join_by_id, phases, polite
from labkit.scripts.limited import limited
from labkit.trace import Call


def reviewer(client: anthropic.AsyncAnthropic) -> Any:
    async def review(file: str) -> str:
        return await ask(client, f"Review {file}.")

    return review


FILES = [f"file {number}" for number in range(200)]


def test_ninety_five_specs_in_runs_of_forty() -> None:
    sizes = [[len(group) for group in groups] for groups in phases(range(95))]
    assert sizes == [[7, 7, 7, 7, 7, 5], [7, 7, 7, 7, 7, 5], [7, 7, 1]]


def test_the_caller_keeps_its_list() -> None:
    specs = ["a", "b"]
    [[group]] = phases(specs)
    group.append("c")
    assert specs == ["a", "b"]


def test_faults_of_a_batch_are_told_by_name() -> None:
    row = {"custom_id": "twin", "result": 1}
    with pytest.raises(ValueError, match="two results have the custom_id 'twin'"):
        join_by_id([row], [row, row])
    with pytest.raises(ValueError, match="two requests have the custom_id 'twin'"):
        join_by_id([row, row], [])
    with pytest.raises(ValueError, match="no request asked for the result 'twin'"):
        join_by_id([], [row])


def test_two_hundred_at_once_lose_eighty_answers_to_the_sdks_own_retries() -> None:
    with record() as storm:
        answers = run(gather_settled(reviewer(connect(limited(40))), FILES))
    assert sum(isinstance(answer, str) for answer in answers) == 120
    assert {type(answer) for answer in answers} == {str, anthropic.RateLimitError}
    assert len(storm.calls) == 200 + 160 + 120
    assert answered(storm) == (120, 200)
    assert storm.seconds == 3.0


def test_a_cap_loses_none() -> None:
    with record() as trace:
        run(gather_bounded(reviewer(connect(limited(40))), FILES, limit=40))
    assert (len(trace.calls), answered(trace), trace.seconds) == (200, (200, 200), 5.0)


def test_a_polite_caller_under_a_cap_repairs_what_the_cap_cannot_know() -> None:
    client = connect(limited(30)).with_options(max_retries=0)
    review = reviewer(client)
    with record() as trace:
        run(gather_bounded(lambda file: polite(lambda: review(file)), FILES, limit=40))
    assert answered(trace) == (200, 200)
    assert sum(call.outcome == "429" for call in trace.calls) == 60


def test_a_service_frees_a_place_when_a_request_is_through() -> None:
    client = connect(limited(1, seconds=2.0, retry_after=None)).with_options(max_retries=0)

    async def main() -> None:
        first = asyncio.ensure_future(ask(client, "first"))
        await asyncio.sleep(1)
        with pytest.raises(anthropic.RateLimitError) as refused:
            await ask(client, "second")
        assert "retry-after" not in refused.value.response.headers
        assert await first == "done: first"
        assert await ask(client, "third") == "done: third"

    run(main())


def test_a_service_allows_something() -> None:
    with pytest.raises(UsageError, match="1 request at once or more, not 0"):
        limited(0)


def test_a_load_counts_what_was_worked_on_and_what_was_refused() -> None:
    calls = [
        Call("a", 0.0, 2.0, "ok"),
        Call("b", 0.0, 0.0, "429"),
        Call("b", 1.0, 3.0, "ok"),
        Call("c", 0.0, 0.0, "429"),
    ]
    trace = Trace(calls, "free")
    assert levels(trace) == [(0.0, 1), (1.0, 2), (2.0, 1), (3.0, 0)]
    picture = load(trace, names=["three"], allows=2)
    assert repr(picture) == "three  2 of 3 answered, 4 requests, 2 refused, 3.000 s"
    assert picture.png().startswith(b"\x89PNG")


def test_a_load_says_what_it_draws() -> None:
    with pytest.raises(UsageError, match="one trace or more"):
        load()
    with pytest.raises(UsageError, match="a name for each of its 2"):
        load(Trace(), Trace(), names=["one"])
    with pytest.raises(UsageError, match="'light' or 'dark'"):
        load(Trace(), theme="blue")  # type: ignore[arg-type]
