"""Message batches over the scripted wire, through the SDK that a learner uses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import anthropic
import pytest
from anthropic.types.messages import MessageBatch

from labkit import Rule, connect, run
from labkit.batches import TAKES
from labkit.patterns import join_by_id

RULES = [
    Rule("refuse", fails=400),
    Rule("hang", fails="timeout"),
    Rule("break off", fails="drop"),
    Rule("task", says=lambda request: request.prompt.upper(), seconds=3),
]


def asked(*prompts: str) -> list[Any]:
    return [
        {
            "custom_id": f"request-{number}",
            "params": {
                "model": "claude-haiku-4-5",
                "max_tokens": 50,
                "messages": [{"role": "user", "content": prompt}],
            },
        }
        for number, prompt in enumerate(prompts)
    ]


async def ended(client: anthropic.AsyncAnthropic, id: str) -> MessageBatch:
    while True:
        batch = await client.messages.batches.retrieve(id)
        if batch.processing_status == "ended":
            return batch
        await asyncio.sleep(60)


async def rows_of(client: anthropic.AsyncAnthropic, id: str) -> list[Any]:
    return [row async for row in await client.messages.batches.results(id)]


def test_a_batch_ends_within_the_hour_and_answers_in_any_order() -> None:
    client = connect(RULES)
    requests = asked(*(f"task {number}" for number in range(12)))

    async def main() -> tuple[MessageBatch, list[Any], float]:
        batch = await client.messages.batches.create(requests=requests)
        assert batch.processing_status == "in_progress"
        assert batch.request_counts.processing == 12
        assert batch.results_url is None
        batch = await ended(client, batch.id)
        return batch, await rows_of(client, batch.id), asyncio.get_running_loop().time()

    batch, rows, seconds = run(main())
    assert TAKES[0] <= seconds <= TAKES[1] + 60
    assert batch.request_counts.succeeded == 12
    assert [row.custom_id for row in rows] != [request["custom_id"] for request in requests]
    plain = [{"custom_id": row.custom_id, "result": row.result} for row in rows]
    joined = join_by_id(requests, plain)
    assert [result.message.content[0].text for result in joined] == [
        f"TASK {number}" for number in range(12)
    ]
    assert joined[0].message.usage.output_tokens == 2


def test_the_same_seed_takes_the_same_time_and_order() -> None:
    def drawn(seed: int) -> tuple[float, list[str]]:
        client = connect(RULES, seed=seed)

        async def main() -> tuple[float, list[str]]:
            batch = await client.messages.batches.create(requests=asked(*["task"] * 9))
            batch = await ended(client, batch.id)
            assert batch.ended_at is not None
            took = (batch.ended_at - batch.created_at).total_seconds()
            return took, [row.custom_id for row in await rows_of(client, batch.id)]

        return run(main())

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_what_went_wrong_with_a_request_is_its_result() -> None:
    client = connect(RULES)

    async def main() -> dict[str, Any]:
        prompts = ("refuse this", "hang", "break off", "nobody knows", "task")
        batch = await client.messages.batches.create(requests=asked(*prompts))
        await ended(client, batch.id)
        return {row.custom_id: row.result for row in await rows_of(client, batch.id)}

    results = run(main())
    kinds = [results[f"request-{number}"].type for number in range(5)]
    assert kinds == ["errored", "expired", "errored", "errored", "succeeded"]
    errors = [results[f"request-{number}"].error.error for number in (0, 2, 3)]
    assert [error.type for error in errors] == [
        "invalid_request_error",
        "api_error",
        "invalid_request_error",
    ]
    assert "No rule of the script fits" in errors[2].message


def test_a_cancelled_batch_ends_without_answers() -> None:
    client = connect(RULES)

    async def main() -> tuple[str, MessageBatch, list[Any]]:
        batch = await client.messages.batches.create(requests=asked("task", "task"))
        stopping = await client.messages.batches.cancel(batch.id)
        batch = await client.messages.batches.retrieve(batch.id)
        return stopping.processing_status, batch, await rows_of(client, batch.id)

    status, batch, rows = run(main())
    assert status == "canceling"
    assert (batch.processing_status, batch.request_counts.canceled) == ("ended", 2)
    assert {row.result.type for row in rows} == {"canceled"}


def test_all_batches_are_listed_the_newest_first() -> None:
    client = connect(RULES)

    async def main() -> tuple[list[str], list[str]]:
        made = [await client.messages.batches.create(requests=asked("task")) for _ in range(3)]
        return [b.id for b in made], [b.id async for b in client.messages.batches.list()]

    made, listed = run(main())
    assert listed == made[::-1]


def test_another_clock_does_not_turn_time_back() -> None:
    """A batch that was handed in on one free clock is waited for on the next."""
    client = connect(RULES)

    async def submit() -> str:
        await asyncio.sleep(10_000)
        return (await client.messages.batches.create(requests=asked("task"))).id

    id = run(submit())
    assert run(ended(client, id)).processing_status == "ended"


def test_a_blocking_client_hands_in_batches_too() -> None:
    client = connect(RULES, blocking=True)
    batch = client.messages.batches.create(requests=asked("task"))
    assert client.messages.batches.retrieve(batch.id).processing_status == "in_progress"


REFUSED: dict[str, tuple[Callable[[Any], Awaitable[Any]], str]] = {
    "no request": (lambda b: b.create(requests=[]), "from 1 to 100,000"),
    "the same id twice": (lambda b: b.create(requests=asked("task") * 2), "stands there 2 times"),
    "no params": (lambda b: b.create(requests=[{"custom_id": "a"}]), "is required"),
    "no such batch": (lambda b: b.retrieve("msgbatch_9"), "There is no batch 'msgbatch_9'"),
    "not deleted": (lambda b: b.delete("msgbatch_0000"), "has no DELETE"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_is_refused_with_a_reason(what: str) -> None:
    ask, why = REFUSED[what]
    client = connect(RULES)

    async def main() -> None:
        await client.messages.batches.create(requests=asked("task"))
        await ask(client.messages.batches)

    with pytest.raises(anthropic.APIStatusError, match=why):
        run(main())


def test_results_are_not_there_before_the_end() -> None:
    client = connect(RULES)

    async def main() -> None:
        batch = await client.messages.batches.create(requests=asked("task"))
        await client.get(f"/v1/messages/batches/{batch.id}/results", cast_to=object)

    with pytest.raises(anthropic.BadRequestError, match="has not ended"):
        run(main())


def test_a_request_of_a_batch_cannot_be_streamed() -> None:
    client = connect(RULES)

    async def main() -> Any:
        [request] = asked("task")
        request["params"]["stream"] = True
        batch = await client.messages.batches.create(requests=[request])
        await ended(client, batch.id)
        [row] = await rows_of(client, batch.id)
        return row.result

    assert "cannot be streamed" in run(main()).error.error.message
