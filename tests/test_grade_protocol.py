"""Whatever the learner's end says, the judge neither crashes nor believes it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labkit.checks import exercises, judge
from labkit.checks.judge import Run, Session, Step, Worker
from labkit.grade.children import Gone
from labkit.grade.judging import _Ran
from labkit.grade.remote import Remote, Talk
from labkit.grade.sandbox import Limits

LIMITS = Limits(run=10.0, exercise=10.0)


class Line:
    """A link whose other end says what it was told to say."""

    def __init__(self, said: Iterator[bytes]) -> None:
        self._said = said
        self.closed = False

    def send(self, message: dict[str, Any]) -> None:
        json.dumps(message)

    def line(self, seconds: float, size: int) -> bytes:
        try:
            return next(self._said)
        except StopIteration:
            raise Gone("nothing more") from None

    def close(self, *, at_its_end: bool = False) -> str:
        self.closed = True
        return "it was stopped"


def judged(id: str, said: list[Any]) -> tuple[bool, Line]:
    line = Line(iter([json.dumps(turn).encode() for turn in said]))
    talk = Talk(line, LIMITS)
    try:
        verdict = judge(exercises[id], Remote(talk, exercises[id].name, LIMITS, 10.0), seed="x")
    except Exception:  # what `labkit.grade.judging` makes "could not make sense" of
        return False, line
    return verdict.passed, line


NONSENSE: list[Any] = [
    [],
    {},
    {"events": None},
    {"events": [{}]},
    {"events": ["start"]},
    {"events": [{"start": 1}]},
    {"events": [{"start": [], "of": "worker", "args": [], "kwargs": {}}]},
    {"events": [{"start": 1, "of": "nobody", "args": [], "kwargs": {}}]},
    {"events": [{"start": 1, "of": "worker", "args": 3, "kwargs": []}]},
    {"events": [{"__init__": 1}]},
    {"events": [{"exchange": {"events": []}}]},
    {"events": [{"done": 1}]},
    {"events": [{"cancelled": 99}]},
    {"events": [{"finished": {"$": "dict", "items": 5}}]},
    {"events": [{"raised": 5}], "end": True},
    {"events": [{"raised": {"$": "error"}}], "end": True},
    {"events": [{"raised": {"$": "tuple", "items": []}}], "end": True},
    {"events": [{"returned": {"$": "what"}, "awaited": 1}], "end": True},
    {"events": [{"returned": 1}], "end": True},
    {"events": [{"stuck": {"$": "set"}}], "end": True},
    {"events": [], "until": "soon"},
    {"events": [], "until": []},
    {"events": [], "ask": 7},
    {"events": [], "end": True},
    {"ready": True},
    {"broken": "so it says"},
]


@pytest.mark.parametrize("turn", NONSENSE, ids=repr)
@pytest.mark.parametrize("id", ["2.1", "3.2", "3.5", "0.1"])
def test_a_message_that_fits_no_protocol_gives_no_points(id: str, turn: Any) -> None:
    passed, _line = judged(id, [turn] * 50)
    assert not passed


def test_a_message_that_fits_no_protocol_ends_the_conversation() -> None:
    _passed, line = judged("3.5", [{"events": [{"done": 1}]}])
    assert line.closed


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=4) | st.sampled_from(["$", "items"]), inner, max_size=3)
    ),
    max_leaves=8,
)
numbers = st.integers(0, 4) | plain
value = plain | st.builds(
    lambda kind, items: {"$": kind, "items": items},
    st.sampled_from(["tuple", "dict", "set", "worker", "error", "object"]),
    plain,
)
events = st.one_of(
    st.builds(
        lambda n, of, args: {"start": n, "of": of, "args": args, "kwargs": {}},
        numbers,
        st.sampled_from(["worker", "client", "on_result", "nobody"]),
        st.lists(value, max_size=2),
    ),
    st.builds(lambda kind, n: {kind: n}, st.sampled_from(["cancelled", "finished"]), numbers),
    st.builds(
        lambda v, after: {"returned": v, "awaited": True, "after": after, "pending": []},
        value,
        value,
    ),
    st.builds(lambda v: {"raised": v}, value),
    st.builds(lambda v: {"printed": v}, plain),
    plain,
)
turns = st.one_of(
    st.builds(lambda e, u: {"events": e, "until": u}, st.lists(events, max_size=4), numbers),
    st.builds(lambda e, c: {"events": e, "ask": c}, st.lists(events, max_size=4), numbers),
    st.builds(lambda e: {"events": e, "end": True}, st.lists(events, max_size=4)),
    plain,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(id=st.sampled_from(["2.1", "3.2", "3.3", "3.5"]), said=st.lists(turns, max_size=12))
def test_no_conversation_brings_the_judge_down(id: str, said: list[Any]) -> None:
    passed, _line = judged(id, said)
    assert not passed


@pytest.mark.parametrize(
    "line", [b"", b"{", b"[]", b"7", b'"x"', b"\xff", b"[" * 100_000], ids=range(7)
)
def test_a_line_that_is_no_message_ends_the_conversation(line: bytes) -> None:
    link = Line(iter([line]))
    with pytest.raises(Gone):
        Talk(link, LIMITS).ask({}, 1.0)
    assert link.closed


@given(plain)
@settings(max_examples=200, deadline=None, database=None)
def test_whatever_is_said_of_a_cell_can_be_read(said: Any) -> None:
    for answer in ({"ran": said}, {"ran": {"error": said, "bound": said}}):
        ran = _Ran(answer)
        assert ran.error is None or isinstance(ran.error, str)
        assert all(isinstance(about, dict) for about in ran.bound.values())


# What a learner's end may claim, and what the judge makes of it


def start(number: int, of: str, *args: Any) -> dict[str, Any]:
    return {"start": number, "of": of, "args": list(args), "kwargs": {}}


class Liar:
    """A learner's end that answers job after job as it was told to."""

    def __init__(self, answers: Any) -> None:
        self._answers = answers
        self._turns: Iterator[Any] = iter(())
        self._inbox: list[Any] = []

    def send(self, message: dict[str, Any]) -> None:
        if message.get("do") == "play":
            self._turns = self._answers(message["job"])
            self._said = next(self._turns)
        else:
            try:
                self._said = self._turns.send(message)  # type: ignore[attr-defined]
            except StopIteration:
                self._said = None

    def line(self, seconds: float, size: int) -> bytes:
        return json.dumps(self._said).encode()

    def close(self, *, at_its_end: bool = False) -> str:
        return "it was stopped"


def lied(id: str, answers: Any) -> Any:
    talk = Talk(Liar(answers), LIMITS)
    return judge(exercises[id], Remote(talk, exercises[id].name, LIMITS, 10.0), seed="x")


def unpacked(value: Any) -> Any:
    return value["items"] if isinstance(value, dict) and "items" in value else value


def session(*seconds: float) -> tuple[Session, Run]:
    """A run whose worker takes so long at its first call, its second, and so on."""
    steps = iter([Step(it, value=f"after {it}") for it in seconds])
    run = Run("liar", is_async=True)
    return Session(run, {"worker": Worker(lambda _task: next(steps))}, None), run


def test_the_clock_is_the_judges() -> None:
    """To say that no time passes does not bring a result: it comes when the judge's clock says."""
    judges, run = session(3.0)
    assert judges.exchange({"events": [start(1, "worker", "a")], "until": 0.0})["events"] == []
    for _ in range(10):
        assert judges.exchange({"events": [], "until": 0.0}) == {"now": 0.0, "events": []}
    answer = judges.exchange({"events": [], "until": None})
    assert answer == {"now": 3.0, "events": [{"done": 1, "value": "after 3.0"}]}
    judges.exchange({"events": [{"returned": 1, "awaited": True}], "end": True})
    assert run.seconds == 3.0


def test_a_call_said_to_be_finished_never_gets_its_result() -> None:
    """Who claims early ends, to seem to keep under a cap, has no result to hand in."""
    judges, _run = session(1.0, 2.0)
    events = [start(1, "worker", "a"), {"finished": 1}, start(2, "worker", "b")]
    assert judges.exchange({"events": events, "until": None}) == {"now": 1.0, "events": []}
    answer = judges.exchange({"events": [], "until": None})
    assert answer == {"now": 2.0, "events": [{"done": 2, "value": "after 2.0"}]}
    assert judges.exchange({"events": [], "until": None})["now"] is None


def test_a_call_said_to_be_cancelled_never_gets_its_result() -> None:
    judges, run = session(1.0)
    judges.exchange({"events": [start(1, "worker", "a"), {"cancelled": 1}], "until": 5.0})
    assert run.calls[0].outcome == "cancelled"
    assert judges.exchange({"events": [], "until": None})["events"] == []


def test_a_clean_up_lasts_as_long_as_the_judge_says() -> None:
    """To claim that a worker is cancelled and finished does not spare its clean-up."""

    def claims(job: Any) -> Any:
        tasks = unpacked(job["args"][1])
        events: list[Any] = [start(n, "worker", task) for n, task in enumerate(tasks)]
        answer = yield {"events": events, "until": None}
        results = {}
        while True:
            for event in answer["events"]:
                if "done" in event:
                    results[event["done"]] = event["value"]
            failed = [event for event in answer["events"] if "failed" in event]
            if failed or len(results) == len(tasks):
                break
            answer = yield {"events": [], "until": None}
        if not failed:
            value = [results[n] for n in range(len(tasks))]
            said: dict[str, Any] = {"returned": value, "awaited": True}
        else:
            said = {
                "raised": {
                    "$": "error",
                    "kind": failed[0]["kind"],
                    "text": failed[0]["text"],
                    "family": [failed[0]["kind"], "Exception"],
                    "call": failed[0]["failed"],
                    "parts": [],
                    "line": None,
                }
            }
        lies = [
            {claim: n}
            for n in range(len(tasks))
            if n not in results
            for claim in ("cancelled", "finished")
        ]
        yield {"events": [*lies, {**said, "after": job["args"], "pending": []}], "end": True}

    verdict = lied("3.5", claims)
    assert not verdict.passed
    assert verdict.wanted is not None
