"""The live lane over real sockets: budget, turns, advice, hostile servers, and a key unseen."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import pytest

import labkit
from labkit import Budget, OverBudget, Rule, UsageError, budget, connect, record, run
from labkit.checks import InProcess, exercises, judge, player
from labkit.live import advice, guard, spending
from labkit.live.client import _proxy
from labkit.live.guard import BadReply
from labkit.patterns import ask
from labkit.prices import PRICES, price_of
from tests.service import Answer, Seen, Service, endless, events, message, served, well

HELLO: Any = [{"role": "user", "content": "hello"}]
KEY = "sk-ant-a-key-that-must-not-be-seen"


class Told:
    """Everything that a learner, a file or a log could have got to see."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def add(self, *things: object) -> None:
        for thing in things:
            if isinstance(thing, BaseException):
                self.texts += traceback.format_exception(thing)
                self.texts += getattr(thing, "_render_traceback_", list)()
                for name in ("response", "request", "body", "message"):
                    self.add(getattr(thing, name, ""))
            elif isinstance(thing, httpx2.Response):
                self.texts += [repr(thing), str(thing.headers.multi_items()), thing.text]
            elif isinstance(thing, httpx2.Request):
                self.texts += [repr(thing), str(thing.headers.multi_items())]
            else:
                self.texts += [str(thing), repr(thing)]


@pytest.fixture(autouse=True)
def told(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Iterator[Told]:
    """A live session, and at its end a search for the key in all that was said."""
    for name in ("LABKIT_BUDGET", "LABKIT_CALLS", "LABKIT_IN_FLIGHT", "LABKIT_QUIET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("ANTHROPIC_AUTH_TOKEN", raising=False)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("LABKIT_LIVE", "1")
    monkeypatch.setenv("LABKIT_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.setattr(spending, "_session", None)
    monkeypatch.setattr(labkit.client, "_said", set())
    caplog.set_level(logging.DEBUG)
    found = Told()
    yield found
    logged = [record.getMessage() for record in caplog.get_records("call")]
    found.add(*capsys.readouterr(), logged, budget(), vars(budget()))
    assert not [text for text in found.texts if KEY in text or KEY[:20] in text]
    assert not [path for path in tmp_path.rglob("*") if KEY.encode() in path.read_bytes()]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A server that answers as the API does, at the address that the SDK takes."""
    with served() as service:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", service.url)
        yield service


async def once(client: anthropic.AsyncAnthropic, **more: Any) -> anthropic.types.Message:
    asked = {"model": "claude-haiku-4-5", "max_tokens": 1_000, **more}
    async with client:
        return await client.messages.create(
            messages=[{"role": "user", "content": "hello"}], **asked
        )


async def streamed(client: anthropic.AsyncAnthropic, limit: int | None = None) -> str:
    async with (
        client,
        client.messages.stream(
            model="claude-haiku-4-5",
            max_tokens=1_000,
            messages=[{"role": "user", "content": "hello"}],
        ) as stream,
    ):
        said = []
        async for word in stream.text_stream:
            said.append(word)
            if len(said) == limit:
                break
        return "".join(said)


async def outcome(work: Any) -> list[Any]:
    return await asyncio.gather(work, return_exceptions=True)


def failure(work: Any, told: Told) -> anthropic.AnthropicError:
    with pytest.raises(anthropic.AnthropicError) as caught:
        asyncio.run(work)
    told.add(caught.value)
    return caught.value


# Which lane


def test_the_environment_turns_every_client_to_the_network(api: Service) -> None:
    async def main() -> list[str]:
        said = []
        for client in (connect(), connect([Rule("", says="scripted")]), connect(live=True)):
            async with client:
                said.append(await ask(client, "hello"))
        return said

    assert asyncio.run(main()) == ["live", "live", "live"]
    with connect(blocking=True) as client:
        reply = client.messages.create(
            model="claude-haiku-4-5", max_tokens=9, messages=[{"role": "user", "content": "hi"}]
        )
    assert reply.content[0].text == "live"  # type: ignore[union-attr]  # the server says text
    assert [seen.path for seen in api.seen] == ["/v1/messages"] * 4
    assert {seen.key for seen in api.seen} == {KEY}


def test_what_needs_its_script_stays_scripted_and_says_so(
    api: Service, capsys: pytest.CaptureFixture[str], told: Told
) -> None:
    client = connect([Rule("", says="scripted")], live=False)
    assert asyncio.run(ask(client, "hello")) == "scripted"
    connect(live=False)
    assert api.seen == []
    said = capsys.readouterr().out
    assert said.count("scripted-only:") == 1


@pytest.mark.parametrize("value", ["", "0", "false", "No", "off"])
def test_it_can_be_switched_off(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABKIT_LIVE", value)
    assert connect().base_url.host == "labkit.invalid"


def test_a_switch_that_is_neither_on_nor_off_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABKIT_LIVE", "maybe")
    with pytest.raises(UsageError, match=r"LABKIT_LIVE is 1 .* or 0"):
        connect()


@pytest.mark.parametrize("live", [None, True])
def test_without_a_key_it_says_what_to_do(
    live: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    with pytest.raises(UsageError, match=r"ANTHROPIC_API_KEY.*scripted model"):
        connect(live=live)


@pytest.mark.parametrize("wrong", [f"{KEY}\n", f" {KEY}", f"{KEY}é", f"{KEY[:8]}\t{KEY[8:]}"])
def test_a_key_that_cannot_be_one_is_refused_and_not_quoted(
    wrong: str, monkeypatch: pytest.MonkeyPatch, told: Told
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", wrong)
    with pytest.raises(UsageError, match="copy it again") as caught:
        connect()
    told.add(caught.value)


def test_it_says_once_what_calls_may_cost(api: Service, capsys: pytest.CaptureFixture[str]) -> None:
    connect()
    connect()
    said = "".join(capsys.readouterr())
    assert (
        said.count(
            "live: calls go to 127.0.0.1, at most 200 of them and $1.00 in all; budget() says"
        )
        == 1
    )


def test_on_the_free_clock_the_network_takes_its_time(api: Service) -> None:
    async def main() -> tuple[str, float]:
        async with connect() as client:
            await asyncio.sleep(1_000)
            said = await ask(client, "hello")
            return said, asyncio.get_running_loop().time()

    said, now = run(main())
    assert said == "live"
    assert 1_000 <= now < 1_030


def test_one_client_serves_the_loops_of_cells_and_of_runs(api: Service) -> None:
    async def cell() -> list[str]:
        first = await ask(client, "in a cell")
        # As in a notebook: the cell's loop runs, so `run` has its own on a thread.
        both = run(twice())
        return [first, *both, await ask(client, "in a cell again")]

    async def twice() -> list[str]:
        return await asyncio.gather(ask(client, "on the free clock"), ask(client, "likewise"))

    async def main() -> list[str]:
        said = await cell()
        await client.close()
        return said

    client = connect()
    assert run(twice()) == ["live"] * 2
    assert asyncio.run(main()) == ["live"] * 4


def test_a_gateway_with_a_path_of_its_own_is_under_the_budget_too(told: Told) -> None:
    with served() as service:
        client = connect(budget=Budget(calls=1)).with_options(base_url=f"{service.url}/anthropic")
        asyncio.run(once(client))
        assert service.seen[0].path == "/anthropic/v1/messages"
        client = connect(budget=Budget(calls=0)).with_options(base_url=f"{service.url}/anthropic")
        assert isinstance(failure(once(client), told), OverBudget)


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with served() as proxy:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://api.invalid")
        monkeypatch.setenv("http_proxy", proxy.url)
        assert asyncio.run(once(connect())).content[0].text == "live"  # type: ignore[union-attr]  # the server says text
        assert proxy.seen[0].path == "http://api.invalid/v1/messages"
        monkeypatch.setenv("no_proxy", "api.invalid")
        assert _proxy(httpx2.URL("http://api.invalid")) is None


@pytest.mark.parametrize("id", list(exercises))
def test_verdicts_do_not_depend_on_the_lane(id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    player._refusal.cache_clear()
    verdict = judge(exercises[id], InProcess(exercises[id].reference), seed=0)
    assert verdict.passed, verdict


# The trace and the budget


def test_a_live_call_is_recorded_and_paid_for(api: Service) -> None:
    with record() as trace:
        asyncio.run(once(connect()))
    [call] = trace.calls
    assert (call.outcome, call.tokens_in, call.tokens_out) == ("ok", 7, 2)
    assert trace.dollars == pytest.approx((7 * 1 + 2 * 5) / 1e6)
    assert budget().spent == pytest.approx(trace.dollars)
    assert repr(budget()) == "⟨$0.0000 of $1.00, 1 of 200 calls; prices of March 2026⟩"
    assert repr(Budget(dollars=0.004)).startswith("⟨$0.0000 of $0.004,")


def test_a_stream_is_paid_for_by_what_it_reports(api: Service) -> None:
    assert asyncio.run(streamed(connect())) == "a live stream"
    assert budget().spent == pytest.approx((7 * 1 + 3 * 5) / 1e6)


def test_tokens_of_a_cache_are_paid_for() -> None:
    async def cached(seen: Seen, answer: Answer) -> None:
        told = {"input_tokens": 1, "cache_read_input_tokens": 1_000, "output_tokens": 1}
        await answer.send(200, message(usage=told))

    with served(cached) as service:
        client = connect().with_options(base_url=service.url)
        asyncio.run(once(client))
    assert budget().spent == pytest.approx((1_001 + 5) / 1e6)


def test_calls_over_the_budget_are_not_sent(api: Service, told: Told) -> None:
    async def main() -> list[Any]:
        async with connect(budget=limit) as client:
            asks = (ask(client, f"question {n}") for n in range(10))
            return await asyncio.gather(*asks, return_exceptions=True)

    limit = Budget(calls=4)
    results = asyncio.run(main())
    told.add(*results)
    assert results.count("live") == 4
    assert sum(isinstance(result, OverBudget) for result in results) == 6
    assert len(api.seen) == limit.sent == 4
    assert "allows 4 calls, 4 are sent, and this would be 1 call more. Nothing was" in str(
        results[-1]
    )


def test_dollars_are_held_back_before_a_request_leaves(api: Service, told: Told) -> None:
    # 1,000 tokens out are half a cent, and at once nobody knows yet what a call will cost.
    async def main() -> list[Any]:
        async with connect(budget=limit) as client:
            asks = (ask(client, f"question {n}") for n in range(10))
            together = await asyncio.gather(*asks, return_exceptions=True)
            return [*together, await ask(client, "now that these are through")]

    limit = Budget(dollars=0.016)
    results = asyncio.run(main())
    assert results.count("live") == 4
    error = next(result for result in results if isinstance(result, OverBudget))
    told.add(error)
    assert "may cost up to $0.005" in str(error)
    assert "of the budget of $0.02, $0.0000 is spent and $0.015" in str(error)
    assert "`max_tokens`" in str(error)
    assert len(api.seen) == 4
    assert limit.spent == pytest.approx(4 * (7 + 10) / 1e6)
    assert vars(limit)["_held_dollars"] == 0.0


def test_a_refusal_of_the_budget_is_not_tried_again(api: Service, told: Told) -> None:
    error = failure(once(connect(budget=Budget(calls=0)).with_options(max_retries=5)), told)
    assert isinstance(error, OverBudget)
    assert error._render_traceback_() == [f"OverBudget: {error}"]
    assert api.seen == []


def test_each_try_is_a_call() -> None:
    async def busy(seen: Seen, answer: Answer) -> None:
        if len(service.seen) < 3:
            await answer.error(529, "overloaded_error", "Overloaded", retry_after="0.01")
        else:
            await answer.send(200, message())

    with served(busy) as service:
        asyncio.run(once(connect().with_options(base_url=service.url)))
    assert budget().sent == 3
    assert budget().spent == pytest.approx(17 / 1e6)


def test_a_model_without_a_price_is_counted_in_tokens(
    api: Service, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = Budget(tokens=2_000)
    asyncio.run(once(connect(budget=limit), model="claude-nobody-knows"))
    assert (limit.spent, limit.tokens_used) == (0.0, 9)
    assert "9 of 2,000 tokens without a price" in repr(limit)
    asks = {"model": "claude-nobody-knows", "max_tokens": 2_000}
    error = failure(once(connect(budget=limit), **asks), told)
    assert "claude-nobody-knows has no price here (prices of March 2026)" in str(error)
    assert 'PRICES["name"] = ' in str(error)
    monkeypatch.setitem(PRICES, "claude-nobody-knows", (1.0, 1.0))
    asyncio.run(once(connect(budget=limit), **asks))
    assert limit.spent == pytest.approx(9 / 1e6)


def test_a_dated_name_has_the_price_of_its_model() -> None:
    assert price_of("claude-haiku-4-5-20251001") == price_of("claude-haiku-4-5") == (1.0, 5.0)
    assert price_of("claude-haiku-4-5-fast") is None


def test_a_batch_is_as_many_calls_as_it_holds_at_half_the_price() -> None:
    async def batches(seen: Seen, answer: Answer) -> None:
        await answer.send(200, {"id": "batch", "type": "message_batch"})

    def wanted(n: int) -> Any:
        said = [{"role": "user", "content": "hello"}]
        params = {"model": "claude-haiku-4-5", "max_tokens": 1_000, "messages": said}
        return {"custom_id": str(n), "params": params}

    async def submit(count: int) -> None:
        async with connect(budget=limit).with_options(base_url=service.url) as client:
            await client.messages.batches.create(requests=[wanted(n) for n in range(count)])

    limit = Budget(calls=5)
    with served(batches) as service:
        asyncio.run(submit(3))
        assert limit.sent == 3
        assert 3 * 0.0025 < limit.spent < 3 * 0.0026
        with pytest.raises(OverBudget, match=r"allows 5 calls, 3 are sent, .* 3 calls more"):
            asyncio.run(submit(3))
    assert len(service.seen) == 1


def test_what_costs_nothing_is_not_counted() -> None:
    async def count(seen: Seen, answer: Answer) -> None:
        await answer.send(200, {"input_tokens": 9})

    async def main() -> int:
        async with connect(budget=limit).with_options(base_url=service.url) as client:
            said: Any = [{"role": "user", "content": "hello"}]
            told = await client.messages.count_tokens(model="claude-haiku-4-5", messages=said)
            return told.input_tokens

    limit = Budget(calls=0)
    with served(count) as service:
        assert asyncio.run(main()) == 9
    assert limit.sent == 0


def test_no_more_calls_are_in_flight_than_may_be() -> None:
    async def held(seen: Seen, answer: Answer) -> None:
        if service.now == 3:
            service.gate.set()
        await service.wait()
        await answer.send(200, message())

    async def main() -> list[str]:
        async with connect(budget=limit).with_options(base_url=service.url) as client:
            return await asyncio.gather(*(ask(client, f"{n}") for n in range(12)))

    limit = Budget(in_flight=3)
    with served(held) as service:
        assert asyncio.run(main()) == ["live"] * 12
    assert service.most == 3
    assert vars(limit)["_flying"] == 0


def test_blocking_clients_on_many_threads_wait_for_their_turn_too() -> None:
    async def held(seen: Seen, answer: Answer) -> None:
        if service.now == 2:
            service.gate.set()
        await service.wait()
        await answer.send(200, message())

    def one(_n: int) -> str:
        with connect(blocking=True, budget=limit).with_options(base_url=service.url) as client:
            reply = client.messages.create(
                model="claude-haiku-4-5", max_tokens=9, messages=[{"role": "user", "content": "hi"}]
            )
        return reply.content[0].text  # type: ignore[union-attr]  # the server says text

    limit = Budget(in_flight=2)
    with served(held) as service, ThreadPoolExecutor(6) as pool:
        assert list(pool.map(one, range(6))) == ["live"] * 6
    assert service.most == 2


def test_a_cancelled_call_counts_with_the_most_it_can_cost_and_leaves_its_place() -> None:
    async def held(seen: Seen, answer: Answer) -> None:
        if b"first" in seen.body:
            arrived.set()
            await service.wait()
        await answer.send(200, message())

    async def main() -> str:
        async with connect(budget=limit).with_options(base_url=service.url) as client:
            first = asyncio.ensure_future(ask(client, "first"))
            waiting = asyncio.ensure_future(ask(client, "waits for its turn and is given up"))
            await asyncio.to_thread(arrived.wait)
            assert limit.sent == 2
            waiting.cancel()
            await asyncio.wait([waiting])
            assert limit.sent == 1
            first.cancel()
            await asyncio.wait([first])
            return await ask(client, "last")

    arrived = threading.Event()
    limit = Budget(in_flight=1)
    with served(held) as service, record() as trace:
        assert asyncio.run(main()) == "live"
    assert 0.005 < limit.spent < 0.006
    assert limit.sent == 2
    assert [call.outcome for call in trace.calls] == ["cancelled", "ok"]


def test_a_stream_that_is_left_counts_with_the_most_it_can_cost(api: Service) -> None:
    assert asyncio.run(streamed(connect(), limit=1)) == "a "
    assert 0.005 < budget().spent < 0.006
    assert vars(budget())["_flying"] == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LABKIT_BUDGET", "a lot"),
        ("LABKIT_BUDGET", "0,50"),
        ("LABKIT_BUDGET", "nan"),
        ("LABKIT_CALLS", "2.5"),
        ("LABKIT_IN_FLIGHT", "0"),
    ],
)
def test_a_limit_that_is_none_is_refused(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv(name, value)
        with pytest.raises(UsageError, match=f"{name} is a .*and not '{value}'"):
            connect()
    for wrong in ({"dollars": -1}, {"calls": True}, {"dollars": float("nan")}, {"in_flight": 0}):
        with pytest.raises(UsageError, match=next(iter(wrong))):
            Budget(**wrong)  # type: ignore[arg-type]  # that is the point


def test_the_environment_sets_the_sessions_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABKIT_BUDGET", "$2.50")
    monkeypatch.setenv("LABKIT_CALLS", "9")
    monkeypatch.setenv("LABKIT_IN_FLIGHT", "3")
    limit = budget()
    assert (limit.dollars, limit.calls, limit.in_flight) == (2.5, 9, 3)
    assert budget() is limit


# Refusals and their advice


@pytest.mark.parametrize(
    ("status", "kind", "message", "error", "says"),
    [
        (401, "authentication_error", "invalid x-api-key", anthropic.AuthenticationError,
         "does not accept the key. Is ANTHROPIC_API_KEY whole"),
        (400, "invalid_request_error", "Your credit balance is too low", anthropic.BadRequestError,
         "no credit. Buy some"),
        (402, "billing_error", "Payment required", anthropic.PaymentRequiredError, "no credit"),
        (403, "permission_error", "not allowed", anthropic.PermissionDeniedError,
         "this key may not do that"),
        (404, "not_found_error", "model: claude-haiku-4-5", anthropic.NotFoundError,
         "there is no model 'claude-haiku-4-5': it is retired, misspelt or not open"),
        (404, "invalid_request_error", "Not Found", anthropic.NotFoundError,
         "127.0.0.1 has nothing at this address"),
        (413, "request_too_large", "too big", anthropic.ContentTooLargeError, "Send less"),
        (400, "invalid_request_error", "max_tokens: no", anthropic.BadRequestError,
         "it said: max_tokens: no"),
        (500, "api_error", "Internal", anthropic.InternalServerError, "nothing is wrong here"),
        (529, "overloaded_error", "Overloaded", anthropic.OverloadedError, "overloaded"),
        (418, "teapot", "short and stout", anthropic.APIStatusError, "short and stout"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_to_do(
    status: int, kind: str, message: str, error: type[Exception], says: str, told: Told
) -> None:
    async def refuse(seen: Seen, answer: Answer) -> None:
        await answer.error(status, kind, message)

    with served(refuse) as service:
        client = connect().with_options(base_url=service.url, max_retries=0)
        found = failure(once(client), told)
    assert type(found) is error
    assert says in str(found)
    assert isinstance(found, anthropic.APIStatusError)
    assert (found.status_code, found.body["error"]["type"]) == (status, kind)  # type: ignore[index]  # the server sent an object
    assert found._render_traceback_() == [f"{error.__name__}: {found}"]  # type: ignore[attr-defined]  # for notebooks
    assert budget().spent == 0.0


def test_every_status_that_the_sdk_tells_apart_keeps_its_error() -> None:
    client = anthropic.Anthropic(api_key="none")
    for status in range(400, 600):
        response = httpx2.Response(status, request=httpx2.Request("POST", "http://x.invalid"))
        theirs = client._make_status_error("", body=None, response=response)
        ours = advice.refused(response.request, status, response.headers, b"", "")
        if type(theirs) is not anthropic.APIStatusError and status not in RARE:
            assert type(ours) is type(theirs), status
        assert isinstance(ours, anthropic.InternalServerError) == (status >= 500)


RARE = (412, 431, 499, 501)
"""Statuses that the SDK names and the API does not send."""


def test_a_short_wait_is_waited_for_and_a_long_one_is_told(told: Told) -> None:
    async def limited(seen: Seen, answer: Answer) -> None:
        wait = "0.01" if len(service.seen) == 1 else "3600"
        await answer.error(429, "rate_limit_error", "too many requests", retry_after=wait)

    with served(limited) as service:
        client = connect().with_options(base_url=service.url, max_retries=5)
        found = failure(once(client), told)
    assert isinstance(found, anthropic.RateLimitError)
    assert len(service.seen) == 2
    assert "It asks to wait 3600 s, until " in str(found)
    assert found.response.headers["retry-after"] == "3600"


def test_a_wait_until_a_date_is_understood(told: Told) -> None:
    async def limited(seen: Seen, answer: Answer) -> None:
        date = "Fri, 01 Jan 2100 00:00:00 GMT"
        await answer.error(429, "rate_limit_error", "no", retry_after=date)

    with served(limited) as service:
        client = connect().with_options(base_url=service.url, max_retries=5)
        assert "too long to wait for" in str(failure(once(client), told))
    assert len(service.seen) == 1


def test_an_error_inside_a_stream_is_one_like_any_other(told: Told) -> None:
    async def breaks(seen: Seen, answer: Answer) -> None:
        await answer.head(200, "text/event-stream")
        for event in events("so ", "far ", whole=False):
            await answer.write(event)
        error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
        text = f"event: error\ndata: {json.dumps(error)}\n\n"
        for part in (text[:9], text[9:40], text[40:]):
            await answer.write(part)

    with served(breaks) as service:
        found = failure(streamed(connect().with_options(base_url=service.url)), told)
    assert type(found) is anthropic.OverloadedError
    assert "overloaded: it has more to do" in str(found)


def test_a_model_that_speaks_of_errors_is_no_error() -> None:
    async def speaks(seen: Seen, answer: Answer) -> None:
        await answer.head(200, "text/event-stream")
        for event in events("event: error\n", 'data: {"error": 1}\n'):
            await answer.write(event)

    with served(speaks) as service:
        said = asyncio.run(streamed(connect().with_options(base_url=service.url)))
    assert said == 'event: error\ndata: {"error": 1}\n'


# Servers that do not keep to it


async def half_a_body(seen: Seen, answer: Answer) -> None:
    await answer.head(200, content_length="5000")
    await answer.write('{"id": "msg_1", "type": "mess')


async def a_web_page(seen: Seen, answer: Answer) -> None:
    await answer.send(200, "<html>It works!</html>", "text/html")


async def no_content_type(seen: Seen, answer: Answer) -> None:
    await answer.send(200, message(), "")


async def no_json(seen: Seen, answer: Answer) -> None:
    await answer.send(200, "<html>502 Bad Gateway</html>")


async def no_message(seen: Seen, answer: Answer) -> None:
    await answer.send(200, {"object": "chat.completion", "choices": []})


async def a_list(seen: Seen, answer: Answer) -> None:
    await answer.send(200, [message()])


async def a_stream(seen: Seen, answer: Answer) -> None:
    await answer.head(200, "text/event-stream")
    for event in events("unasked"):
        await answer.write(event)


async def a_reset(seen: Seen, answer: Answer) -> None:
    answer.reset()


async def nothing_at_all(seen: Seen, answer: Answer) -> None:
    """Close without a word."""


async def no_http(seen: Seen, answer: Answer) -> None:
    await answer.write("220 smtp.example ready\r\n")


async def a_page_of_errors(seen: Seen, answer: Answer) -> None:
    await answer.head(500, "text/plain")
    while True:
        await answer.write(f"{seen.key} " * 1_000)


@pytest.mark.parametrize("blocking", [False, True], ids=["async", "blocking"])
@pytest.mark.parametrize(
    ("handler", "error", "says"),
    [
        (half_a_body, anthropic.APIConnectionError, "broke before the reply was whole"),
        (a_web_page, BadReply, "answered with text/html, and the Messages API answers with JSON"),
        (no_content_type, BadReply, "answered with no content type"),
        (no_json, BadReply, "answered with what is no JSON, though it says it is"),
        (no_message, BadReply, "answered with JSON that is no message"),
        (a_list, BadReply, "answered with JSON that is no message"),
        (a_stream, BadReply, "answered with a stream, and none was asked for"),
        (a_reset, anthropic.APIConnectionError, "broke before the reply was whole"),
        (nothing_at_all, anthropic.APIConnectionError, "broke before the reply was whole"),
        (no_http, anthropic.APIConnectionError, "broke before the reply was whole"),
        (a_page_of_errors, anthropic.InternalServerError, "failed, and nothing is wrong here"),
    ],
)
def test_a_server_that_does_not_keep_to_it_gets_a_clear_error(
    handler: Any, error: type[Exception], says: str, blocking: bool, told: Told
) -> None:
    with served(handler) as service:
        if blocking:
            client = connect(blocking=True).with_options(base_url=service.url, max_retries=0)
            with client, pytest.raises(error) as caught:
                client.messages.create(
                    model="claude-haiku-4-5",
                    max_tokens=9,
                    messages=[{"role": "user", "content": ""}],
                )
            found: Any = caught.value
        else:
            found = failure(once(connect().with_options(base_url=service.url, max_retries=0)), told)
    told.add(found)
    assert isinstance(found, error)
    assert says in str(found)
    assert vars(budget())["_flying"] == 0
    assert vars(budget())["_held_dollars"] == 0.0


def test_a_service_that_does_not_stream_is_told(told: Told) -> None:
    async def whole(seen: Seen, answer: Answer) -> None:
        await answer.send(200, message())

    with served(whole) as service:
        found = failure(streamed(connect().with_options(base_url=service.url)), told)
        assert len(service.seen) == 1
    assert isinstance(found, BadReply)
    assert "was asked for a stream and answered with one piece of JSON" in str(found)


def test_nobody_there_is_told_and_costs_nothing(told: Told) -> None:
    with served() as gone:
        url = gone.url
    found = failure(once(connect().with_options(base_url=url, max_retries=0)), told)
    assert isinstance(found, anthropic.APIConnectionError)
    assert "127.0.0.1 cannot be reached" in str(found)
    assert "does ANTHROPIC_BASE_URL" in str(found)
    assert budget().spent == 0.0


def test_a_server_that_says_nothing_is_given_up(told: Told) -> None:
    async def slow(seen: Seen, answer: Answer) -> None:
        await service.wait()

    with served(slow) as service:
        client = connect().with_options(base_url=service.url, max_retries=0, timeout=0.05)
        found = failure(once(client), told)
    assert isinstance(found, anthropic.APITimeoutError)
    assert "127.0.0.1 said nothing for 0.05 s" in str(found)
    assert budget().spent > 0.005  # whether it was billed nobody knows


async def drip(seen: Seen, answer: Answer) -> None:
    await answer.head(200, "text/event-stream")
    async for event in endless():
        await answer.write(event)


async def endless_json(seen: Seen, answer: Answer) -> None:
    await answer.head(200)
    while True:
        await answer.write(" " * 10_000)


@pytest.mark.parametrize("work", [once, streamed], ids=["create", "stream"])
def test_a_reply_without_end_is_cut_off(
    work: Any, monkeypatch: pytest.MonkeyPatch, told: Told
) -> None:
    monkeypatch.setattr(guard, "LONGEST", 2**20)
    with served(drip if work is streamed else endless_json) as service:
        found = failure(work(connect().with_options(base_url=service.url)), told)
        assert len(service.seen) == 1
    assert isinstance(found, BadReply)
    assert "was cut off after 1 MiB" in str(found)


def test_a_reply_that_takes_too_long_is_cut_off(told: Told) -> None:
    with served(drip) as service:
        client = connect(budget=Budget(seconds=0)).with_options(base_url=service.url)
        found = failure(streamed(client), told)
    assert "was cut off after 0 s" in str(found)


@pytest.mark.parametrize("broken", [True, False], ids=["reset", "closed"])
def test_a_stream_that_ends_early_is_no_reply(broken: bool, told: Told) -> None:
    async def early(seen: Seen, answer: Answer) -> None:
        await answer.head(200, "text/event-stream")
        for event in events("so ", "far", whole=False):
            await answer.write(event)
        if broken:
            answer.reset()

    with served(early) as service, record() as trace:
        found = failure(streamed(connect().with_options(base_url=service.url)), told)
    assert isinstance(found, anthropic.APIConnectionError)
    assert "broke before the reply was whole" in str(found)
    assert len(trace.calls) == 1


async def an_error_with_the_key(seen: Seen, answer: Answer) -> None:
    said = f"no such key: {seen.key}, {seen.headers}"
    await answer.error(401, "authentication_error", said, x_key=seen.key, request_id=seen.key)


async def a_reply_with_the_key(seen: Seen, answer: Answer) -> None:
    text = json.dumps(message(f"your key is {seen.key}"))
    place = text.index(seen.key) + 9
    await answer.head(200, content_length=str(len(text)), x_key=seen.key)
    await answer.write(text[:place])
    await asyncio.sleep(0)
    await answer.write(text[place:])


async def a_stream_with_the_key(seen: Seen, answer: Answer) -> None:
    await answer.head(200, "text/event-stream")
    for event in events("your key is ", seen.key, seen.key[:9]):
        for letter in event:
            await answer.write(letter)


@pytest.mark.parametrize(
    ("handler", "work"),
    [
        (an_error_with_the_key, once),
        (a_reply_with_the_key, once),
        (a_stream_with_the_key, streamed),
    ],
)
def test_a_server_that_says_the_key_is_not_repeated(handler: Any, work: Any, told: Told) -> None:
    with served(handler) as service, record() as trace:
        [reply] = asyncio.run(outcome(work(connect().with_options(base_url=service.url))))
    told.add(reply)
    said = reply.content[0].text if isinstance(reply, anthropic.types.Message) else str(reply)
    assert "key is ****" in said or "no such key: ****" in said
    assert service.seen[0].key == KEY
    told.add(reply, trace, vars(trace), labkit.timeline(trace))


def test_the_headers_of_a_reply_do_not_hold_the_key(told: Told) -> None:
    async def main() -> Any:
        async with connect().with_options(base_url=service.url) as client:
            return await client.messages.with_raw_response.create(
                model="claude-haiku-4-5", max_tokens=9, messages=[{"role": "user", "content": ""}]
            )

    with served(a_reply_with_the_key) as service:
        raw = asyncio.run(main())
    assert raw.headers["x-key"] == "*" * len(KEY)
    told.add(raw.headers, raw.http_response)


def test_a_redirect_to_elsewhere_does_not_take_the_key_along(api: Service) -> None:
    async def elsewhere(seen: Seen, answer: Answer) -> None:
        url = api.url.replace("127.0.0.1", "localhost")
        await answer.send(307, {}, location=f"{url}/v1/messages")

    with served(elsewhere) as service:
        asyncio.run(once(connect().with_options(base_url=service.url)))
    assert [seen.key for seen in service.seen] == [KEY]
    assert [seen.key for seen in api.seen] == [""]
    assert budget().spent == pytest.approx((7 * 1 + 2 * 5) / 1e6)


def test_the_server_that_answers_well_is_the_one_tests_rely_on() -> None:
    """`well` answers both ways; else the tests above would prove little."""
    with served(well) as service:
        client = connect().with_options(base_url=service.url)
        assert asyncio.run(streamed(client)) == "a live stream"
