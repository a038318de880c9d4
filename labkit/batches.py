"""The batch service of the scripted wire: many requests handed in at once, answered later.

It speaks the Message Batches API: submit, look, fetch, cancel. The shapes are those that the
installed SDK reads (``anthropic.types.messages``).
"""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from .script import STATUSES, Exchange, ScriptedModel

PATH = "/v1/messages/batches"

TAKES = (300, 3_300)
"""Seconds that a batch takes, from and to: "most within an hour", says the API's guide."""

MOST = 100_000
"""Requests that a batch may hold. Source: the API's guide to batches."""

EXPIRES = timedelta(hours=24)

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
"""What a scripted calendar shows at first: a date that is the same in every run."""


class _Batch:
    """One batch, from its submission to its results.

    Args:
        id: Its name.
        answers: (custom_id, result) of each request, in the order in which they are handed out.
        seconds: How long it takes.
        now: When it was submitted, by some loop's clock.
    """

    def __init__(
        self, id: str, answers: list[tuple[str, dict[str, Any]]], seconds: float, now: float
    ) -> None:
        self.id = id
        self.answers = answers
        self.cancelled = False
        self._seconds = seconds
        self._passed = 0.0
        self._seen = now

    def look(self, now: float) -> None:
        """Let the time pass that went by since somebody looked last.

        It may be asked by another loop's clock than before, so time only ever adds up.
        """
        self._passed += max(0.0, now - self._seen)
        self._seen = now

    def cancel(self) -> None:
        """Stop what has not been answered yet, which is all of it."""
        self.cancelled = True
        self._seconds = self._passed
        self.answers = [(id, {"type": "canceled"}) for id, _ in self.answers]

    @property
    def ended(self) -> bool:
        """Whether the results are there."""
        return self._passed >= self._seconds

    def described(self, origin: str, *, status: str | None = None) -> dict[str, Any]:
        """The batch as the API tells of it."""
        ended = self.ended and status is None
        counts = Counter(result["type"] for _, result in self.answers if ended)
        over = _stamp(self._seconds) if ended else None
        return {
            "id": self.id,
            "type": "message_batch",
            "processing_status": status or ("ended" if ended else "in_progress"),
            "request_counts": {
                "processing": 0 if ended else len(self.answers),
                **{kind: counts[kind] for kind in ("succeeded", "errored", "canceled", "expired")},
            },
            "created_at": _stamp(0),
            "expires_at": _stamp(EXPIRES.total_seconds()),
            "ended_at": over,
            "cancel_initiated_at": _stamp(self._seconds) if self.cancelled else None,
            "archived_at": None,
            "results_url": f"{origin}{PATH}/{self.id}/results" if ended else None,
        }

    def results(self) -> str:
        """The results as the API hands them out: a line of JSON each, in any order."""
        rows = ({"custom_id": id, "result": result} for id, result in self.answers)
        return "".join(json.dumps(row) + "\n" for row in rows)


class Batches:
    """Answers the batch endpoints; what is asked in a batch, the scripted model answers.

    Args:
        model: What answers.
        seed: Where the times and the order of the results are drawn from.
    """

    def __init__(self, model: ScriptedModel, *, seed: int = 0) -> None:
        self._model = model
        self._seed = seed
        self._batches: dict[str, _Batch] = {}

    def answer(
        self, method: str, path: str, body: str | bytes, *, now: float, origin: str
    ) -> Exchange:
        """Plan how one HTTP request is answered.

        Args:
            method: The request's method.
            path: Its path, which begins with `PATH`.
            body: Its body.
            now: Seconds by the clock of whoever asks.
            origin: Scheme and host, for the address of the results.
        """
        rest = path.removeprefix(PATH).strip("/").split("/")
        match (method, *rest):
            case ("POST", ""):
                return self._submit(body, now, origin)
            case ("GET", ""):
                rows = [self._look(id, now).described(origin) for id in reversed(self._batches)]
                ends = {
                    "first_id": rows[0]["id"] if rows else None,
                    "last_id": rows[-1]["id"] if rows else None,
                }
                return _json(200, {"data": rows, "has_more": False, **ends})
            case (_, id, *_) if id not in self._batches:
                return _error(404, f"There is no batch {id!r}.")
            case ("GET", id):
                return _json(200, self._look(id, now).described(origin))
            case ("POST", id, "cancel"):
                return self._cancel(self._look(id, now), origin)
            case ("GET", id, "results"):
                batch = self._look(id, now)
                if not batch.ended:
                    return _error(400, f"The batch {id!r} has not ended: it has no results yet.")
                return _body(200, "application/x-jsonl", batch.results())
        return _error(404, f"The scripted batch service has no {method} {path}.")

    def _look(self, id: str, now: float) -> _Batch:
        batch = self._batches[id]
        batch.look(now)
        return batch

    def _submit(self, body: str | bytes, now: float, origin: str) -> Exchange:
        try:
            requests = json.loads(body)["requests"]
            ids = [request["custom_id"] for request in requests]
            asked = [request["params"] for request in requests]
        except (ValueError, TypeError, KeyError):
            return _error(
                400, "requests: a list of {'custom_id': ..., 'params': {...}} is required"
            )
        if not 1 <= len(ids) <= MOST:
            return _error(400, f"requests: a batch holds from 1 to {MOST:,} of them")
        for id, count in Counter(ids).items():
            if count > 1:
                return _error(400, f"requests: the custom_id {id!r} stands there {count} times")
        number = len(self._batches)
        chance = random.Random(f"{self._seed}/batch/{number}")
        answers = [(id, self._result(params)) for id, params in zip(ids, asked, strict=True)]
        chance.shuffle(answers)
        batch = _Batch(f"msgbatch_{number:04d}", answers, chance.randint(*TAKES), now)
        self._batches[batch.id] = batch
        return _json(200, batch.described(origin))

    def _cancel(self, batch: _Batch, origin: str) -> Exchange:
        if batch.ended:
            return _json(200, batch.described(origin))
        batch.cancel()
        return _json(200, batch.described(origin, status="canceling"))

    def _result(self, params: Any) -> dict[str, Any]:
        """What became of one request of a batch."""
        if isinstance(params, dict) and params.get("stream"):
            return _errored(400, "stream: a request of a batch cannot be streamed")
        exchange = self._model.answer("POST", "/v1/messages", json.dumps(params))
        if exchange.ending == "timeout":
            return {"type": "expired"}
        said = "".join(text for _, text in exchange.chunks)
        try:
            message = json.loads(said)
        except ValueError:
            # A request that no rule fits is told in plain words; a reply cut off has failed.
            status = exchange.status if exchange.status != 200 else 500
            return _errored(status, said if status != 500 else STATUSES[500][1])
        if exchange.status != 200:
            return {"type": "errored", "error": message}
        return {"type": "succeeded", "message": message}


def _stamp(seconds: float) -> str:
    return (BEGINNING + timedelta(seconds=seconds)).isoformat()


def _errored(status: int, message: str) -> dict[str, Any]:
    return {"type": "errored", "error": _told(status, message)}


def _told(status: int, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": STATUSES[status][0], "message": message}}


def _error(status: int, message: str) -> Exchange:
    return _json(status, _told(status, message))


def _json(status: int, body: dict[str, Any]) -> Exchange:
    return _body(status, "application/json", json.dumps(body))


def _body(status: int, kind: str, text: str) -> Exchange:
    headers = {"content-type": kind, "request-id": "req_batch"}
    return Exchange(0.0, status, headers, [(0.0, text)])
