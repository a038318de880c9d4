"""The judge's end of a check: it holds the clock, the workers, the model and the expected values.

A check is a plain function over a `Bench`. It has the learner's function run, in this process or in
another (see `labkit.checks.player` for the messages between the two), and says what it expects of
the `Run` that was observed.
"""

from __future__ import annotations

import heapq
import itertools
import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NoReturn, Protocol

from ..script import Exchange, Reply, Request, ScriptedModel
from ..trace import Call, Trace
from .messages import ADDRESS, Foreign, Plain, Raised, decode, encode


class Player(Protocol):
    """The learner's end: runs the learner's function, wherever that lives."""

    def play(self, job: dict[str, Any], channel: Channel) -> None:
        """Run one job to its end, sending each turn to the channel.

        Raises:
            TimeLimit: When the function does not end within the time that a run may take.
        """


Channel = Callable[[dict[str, Any]], dict[str, Any]]

FUTURES = {"Task", "Future", "_GatheringFuture"}
"""Types whose objects stand for a result that is still to come."""


class TimeLimit(Exception):
    """The learner's function kept the processor, or a thread, for too long."""


class NotAttempted(Exception):
    """The stub is still in place."""


@dataclass
class NotYet(Exception):
    """The learner's function is not right yet; the fields are those of a `Verdict`."""

    message: str
    wanted: str | None = None
    seen: str | None = None
    pictures: tuple[tuple[str, Trace], ...] = ()
    printed: str = ""


# What the judge hands to the learner's function


@dataclass(frozen=True)
class Step:
    """What one call of a worker does.

    Attributes:
        seconds: How long it takes.
        value: What it returns; a built-in exception, too, can be returned.
        error: What it raises instead.
        refusal: A reply that fails with a status; the call then raises what the SDK raises for it.
        cleanup: How long its clean-up takes once it is cancelled, in seconds.
    """

    seconds: float
    value: Any = None
    error: Exception | None = None
    refusal: Reply | None = None
    cleanup: float = 0.0


@dataclass(frozen=True)
class Worker:
    """An async worker; its script gets what the learner called it with.

    Attributes:
        script: What a call does.
        name: How it is told apart from others.
        cleans: Whether some step's clean-up takes time.
        returns: What a call returns: a ``coroutine``, a ``task`` that runs already, or an
            ``awaitable``, an object that is neither.
        refuses: Whether some step is a refusal, for which the SDK has to be there.
    """

    script: Callable[..., Step]
    name: str = "worker"
    cleans: bool = False
    returns: Literal["coroutine", "task", "awaitable"] = "coroutine"
    refuses: bool = False


@dataclass(frozen=True)
class Callback:
    """A plain function of the judge's."""

    function: Callable[..., Any]
    name: str = "callback"


class Client:
    """An ``anthropic.AsyncAnthropic`` whose model is the judge's.

    Args:
        script: What the model replies to a request.
    """

    name = "client"

    def __init__(self, script: Callable[[Request], Reply]) -> None:
        self._model = ScriptedModel(script)

    def answer(self, method: str, path: str, body: str) -> Exchange:
        """Plan how a request is answered."""
        return self._model.answer(method, path, body)


@dataclass(frozen=True)
class Content:
    """The content of a reply, which reaches the learner's function as the SDK's own blocks.

    Attributes:
        blocks: The blocks as the service sends them.
    """

    blocks: list[dict[str, Any]]


Thing = Worker | Callback | Client


# What was observed


@dataclass
class Observed:
    """One call that the learner's function made of something of the judge's.

    Attributes:
        of: The name of what was called.
        args: With what.
        kwargs: With what, by name.
        start: When, in seconds by the judge's clock.
        end: When it had ended, its clean-up included; None where it never did.
        outcome: ``running``, ``ok``, ``failed``, ``cancelled`` or the HTTP status of a refusal.
        cut_short: How long its clean-up had run when it was broken off, in seconds; None where
            none was.
        request: The request, where a client was called.
        number: The judge's number for it, as in `Raised.call`.
        instant: Whether it was a `Callback`, which takes no time and has no bar.
    """

    of: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    start: float
    end: float | None = None
    outcome: str = "running"
    cut_short: float | None = None
    request: Request | None = None
    number: int = 0
    instant: bool = False

    @property
    def lane(self) -> str:
        """What it was about, in a few words."""
        given = next(iter([*self.args, *self.kwargs.values()]), self.of)
        said = self.request.prompt if self.request else str(given)
        first = next((line.strip() for line in said.splitlines() if line.strip()), "(no text)")
        return first if len(first) <= 28 else first[:27].rstrip() + "…"


@dataclass
class Run:
    """One run of the learner's function, as the judge observed it.

    Attributes:
        how: ``returned``, ``raised``, ``refused`` (it does not take these arguments), ``stuck``,
            ``spun`` or ``died``.
        value: What it returned, or the `Raised` that it raised, or a text that explains the rest.
        awaited: Whether what it returned was awaited.
        seconds: How long it took, by the judge's clock.
        calls: What it called, in order.
        printed: What it printed.
        printed_early: What of it was printed while some call was still running.
        before: The arguments as they went in.
        after: The arguments as they were when it was through.
        pending: The tasks it left behind.
    """

    name: str
    is_async: bool
    how: str = "died"
    value: Any = None
    awaited: bool = False
    seconds: float = 0.0
    calls: list[Observed] = field(default_factory=list)
    printed: str = ""
    printed_early: str = ""
    before: Any = None
    after: Any = None
    pending: tuple[str, ...] = ()

    def answer(self) -> Any:
        """What the function returned.

        Raises:
            NotYet: When it did not return, changed its input or left something running.
        """
        if self.how == "raised":
            self.fail(*_explain(self.value, is_async=self.is_async))
        self._through()
        if self.is_async and not self.awaited:
            self.fail(
                f"{self.name} has to be awaitable: begin it with `async def {self.name}`.",
                seen=f"a plain function that returned {show(self.value)}",
            )
        if isinstance(self.value, Foreign) and self.value.kind == "coroutine":
            self.fail(
                f"{self.name} is a plain function here: write `def`, not `async def`."
                if not self.is_async
                else "It returned a coroutine that nobody awaited: an `await` is missing.",
                seen=self.value.text.strip("<>"),
            )
        held = {foreign.kind for foreign in foreigners(self.value)}
        if "coroutine" in held:
            self.fail(
                "It returned a coroutine where a result belongs: an `await` is missing.",
                seen=show(self.value),
            )
        self._clean()
        self._tidy()
        if held & FUTURES:
            self.fail(
                "It returned a task where its result belongs: `await` gives the result, and so does"
                " `result()` once the task is done.",
                seen=show(self.value),
            )
        return self.value

    @property
    def outcome(self) -> str:
        """What came of it, in a few words."""
        return f"raised {self.value!r}" if self.how == "raised" else show(self.value)

    def expect_raised(self, kind: str, why: str, *, grouped: bool = False) -> Raised:
        """The exception the function raised, which has to be of a kind.

        Args:
            kind: The name of the exception's type, or of a base of it.
            why: What to say where it was not raised.
            grouped: Whether it may come in an ``ExceptionGroup``, at any depth.
        """
        if self.how == "returned":
            self.fail(why, wanted=kind, seen=f"returned {show(self.value)}")
        if self.how != "raised":
            self._through()
        raised: Raised = self.value
        bare = kind in raised.family
        if not any(kind in leaf.family for leaf in [raised, *raised.leaves()]):
            told = f"{raised!r}, {raised.line}" if raised.line else repr(raised)
            self.fail(why, wanted=kind, seen=told)
        if not bare and not grouped:
            self.fail(
                f"{why}\nThis one came wrapped in a group, which `except {kind}` does not catch: a"
                " TaskGroup wraps whatever its tasks raise. Raise it outside the group.",
                wanted=kind,
                seen=repr(raised),
            )
        self._clean()
        self._tidy()
        return raised

    def expect(
        self, right: bool, why: str, *, wanted: str | None = None, seen: str | None = None
    ) -> None:
        """Go on only where something holds."""
        if not right:
            self.fail(why, wanted=wanted, seen=seen)

    def expect_value(self, wanted: Any, why: str) -> None:
        """Go on only where the function returned a value; a tuple is as good as a list."""
        seen = self.answer()
        if seen is None and wanted is not None:
            why = f"{self.name} returned None: is there a `return` on every way through it?"
        self.expect(same(wanted, seen), why, wanted=show(wanted), seen=show(seen))

    def expect_seconds(self, wanted: float, why: str, plan: Trace) -> None:
        """Go on only where the function took so many seconds; show the plan beside what it did."""
        if abs(self.seconds - wanted) > 1e-6:
            self.fail(
                why,
                wanted=f"{wanted:.3f} s",
                seen=f"{self.seconds:.3f} s",
                pictures=(("yours", self.trace()), ("wanted", plan)),
            )

    def expect_cancelled(self) -> None:
        """Go on only where a cancellation from outside ended everything and came through."""
        if self.how == "raised" and "CancelledError" in self.value.family:
            # `gather` hands a cancellation on and raises once the first of its tasks is through.
            # Whoever cancels all of them then, as the usual `finally` does, cancels the others a
            # second time; a second cancellation is no part of any contract.
            through = {call.end for call in self.calls if call.cut_short is None}
            self._clean(but_at=through)
            self._tidy("It was cancelled from outside, and left something running.")
            return
        self._through()
        self.fail(
            "It was cancelled from outside while it was under way: the CancelledError has"
            " to reach the caller.",
            wanted="CancelledError",
            seen=f"{self.how} {show(self.value)}",
        )

    def of(self, name: str) -> list[Observed]:
        """The calls of one thing, in order."""
        return [call for call in self.calls if call.of == name]

    @property
    def requests(self) -> list[Request]:
        """The requests that reached the wire, in order."""
        return [call.request for call in self.calls if call.request is not None]

    @property
    def in_flight(self) -> int:
        """How many calls were in flight at once, at most."""
        return self.trace().in_flight

    def trace(self) -> Trace:
        """The calls as a trace; what still ran when the function was through runs to that end."""
        return Trace(
            [
                Call(
                    call.lane,
                    call.start,
                    self.seconds if call.end is None else call.end,
                    call.outcome,
                )
                for call in self.calls
                if not call.instant
            ],
            "free",
        )

    def fail(
        self,
        message: str,
        wanted: str | None = None,
        seen: str | None = None,
        pictures: tuple[tuple[str, Trace], ...] = (),
    ) -> NoReturn:
        """Say that the function is not right yet."""
        raise NotYet(message, wanted, seen, pictures, ADDRESS.sub("", self.printed))

    def _through(self) -> None:
        if self.how == "refused":
            self.fail(
                "It cannot be called as the exercise says; compare its parameters with the stub's.",
                seen=f"{self.value}",
            )
        if self.how == "stuck":
            self.fail(
                "It waits for something that will never happen: every task it started waits, and"
                " no call is in flight that could wake one.",
                pictures=(("yours", self.trace()),) if self.calls else (),
            )
        if self.how == "spun":
            self.fail(
                "It did not come back and was stopped: it computes without end, or blocks the"
                " event loop. A loop needs a way out; a wait needs an `await`"
                " (`await asyncio.sleep(1)`, never `time.sleep(1)`).",
            )
        if self.how == "died":
            self.fail("The process it ran in ended before the function was through.")

    def _clean(self, *, but_at: Set[float | None] = frozenset()) -> None:
        """Go on only where every clean-up ran to its end, those broken off at some times aside."""
        for call in self.calls:
            if call.cut_short is not None and call.end not in but_at:
                self.fail(
                    "A worker's clean-up was broken off: a `finally` that waits can be cancelled"
                    " like anything else, by a second `cancel()` or by a time-out around the wait"
                    " for it. Cancel each task once, then await it for as long as it takes.",
                    wanted="every clean-up runs to its end",
                    seen=f"the clean-up of {call.lane} broken off after {call.cut_short:.3f} s",
                    pictures=(("yours", self.trace()),),
                )

    def _tidy(self, say: str | None = None) -> None:
        say = say or f"It {self.how} while something that it had started still ran."
        running = [call for call in self.calls if call.end is None and call.outcome != "ok"]
        if isinstance(self.value, Foreign) and self.value.kind in FUTURES:
            self.fail(
                "It returned before what it had started was through: an `await` is missing.",
                seen=f"returned a {self.value.kind.strip('_')}",
            )
        if running or self.pending:
            what = [call.lane for call in running] or list(self.pending)
            unfinished = any(call.outcome == "cancelled" for call in running)
            self.fail(
                say + " `cancel()` only asks: a task is done once it has been awaited."
                if unfinished or (self.pending and not running)
                else say + " Await what you start, or cancel it and await it then.",
                wanted="nothing left running",
                seen=", ".join(what),
                pictures=(("yours", self.trace()),) if running else (),
            )
        if not same(self.before, self.after):
            changed = next(
                ((b, a) for b, a in zip(self.before, self.after, strict=True) if not same(b, a)),
                (self.before, self.after),
            )
            place, wanted, seen = _where_they_differ(*changed)
            self.fail(
                "It changed what was passed in; work on a copy."
                + (f"\nChanged: `{place}`" if place else ""),
                wanted=show(wanted),
                seen=show(seen),
            )


def _where_they_differ(before: Any, after: Any, place: str = "") -> tuple[str, Any, Any]:
    """The smallest part that holds all in which two values differ: its place, and both of it."""
    keys: Iterable[Any] = ()
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        keys = before
    elif isinstance(before, list | tuple) and isinstance(after, list | tuple):
        keys = range(len(before)) if len(before) == len(after) else ()
    differing = [key for key in keys if not same(before[key], after[key])]
    if len(differing) != 1:
        return place, before, after
    [key] = differing
    return _where_they_differ(before[key], after[key], f"{place}[{key!r}]")


def _explain(raised: Raised, *, is_async: bool) -> tuple[str, None, str]:
    instead = (
        "the one that awaits your function: `await` inside it instead"
        if is_async
        else "as it does in a notebook, and this is a plain `def`, which can wait for nothing:"
        " work the answer out instead of running it"
    )
    hints = {
        "asyncio.run() cannot be called": (
            f"An event loop runs already, {instead}{' of `asyncio.run(...)`' if is_async else ''}."
        ),
        "event loop is already running": f"An event loop runs already, {instead}.",
        "SystemExit": "It ends the whole program (`exit()`); a function ends with `return`.",
        "NotImplementedError": "There is still a `raise NotImplementedError` on one way through.",
        "can't be used in 'await'": (
            "It awaits something that is no awaitable: a plain function's result, perhaps."
        ),
        "a coroutine was expected": (
            "`create_task` takes a coroutine and nothing else; what it got is another kind of"
            " awaitable. `asyncio.ensure_future` takes any, and so does an `await` inside a"
            " coroutine of your own."
        ),
        "'coroutine' object": AWAITED,
        "coroutine found": AWAITED,
        "await wasn't used with future": (
            "An `await` is missing: what runs several at once is a future, and a future holds no"
            " results until it has been awaited."
        ),
        "'_GatheringFuture'": "An `await` is missing: a future has no results until it is awaited.",
        "_asyncio.": (
            "It takes a task for what the task returns: `await` gives the result, and so does"
            " `result()` once the task is done."
        ),
        "InvalidStateError": (
            "It asks a task for its result before the task is done. Await it first; the tasks of a"
            " TaskGroup are done behind its `async with` block, not in it."
        ),
        "unhashable type: 'list'": (
            "A list stands where a single thing is wanted. `asyncio.gather` takes its awaitables"
            " one by one: with a star in front of the list, `gather(*awaitables)`, it gets them so."
        ),
        "Task got bad yield": UNPACK,
        "an awaitable is required": UNPACK,
        "coroutine was expected": UNPACK,
        "coroutines is forbidden": (
            "`asyncio.wait` takes tasks, not coroutines: turn each into one first, with"
            " `asyncio.create_task` or, for any awaitable, `asyncio.ensure_future`."
        ),
        "already awaited coroutine": (
            "It awaits one coroutine twice. Each call of an async function gives one that can be"
            " awaited once; a task can be awaited as often as you like."
        ),
        "Block' object has no attribute 'text'": (
            "A block without text stood where it looked for text. A reply may hold a thought or a"
            " tool use before its text: take the blocks whose `type` is `text`, all of them."
        ),
    }
    leaves = raised.leaves()
    # What a group says of itself may fit too: it names how many it holds, and what was done wrong.
    for sign, hint in hints.items():
        for leaf in [*leaves, raised]:
            if leaf.call is None and (sign in leaf.text or sign == leaf.kind):
                return hint, None, _told(raised, leaf)
    return "It raised an exception.", None, _told(raised, leaves[0])


AWAITED = "An `await` is missing: a coroutine has no result until it is awaited."
UNPACK = (
    "What was to run is no coroutine. `worker(subtask)` is one; `worker` is none, and neither is"
    " `await worker(subtask)`, which has waited for it and is its result. A list or a generator of"
    " coroutines needs a star, `asyncio.gather(*coroutines)`, or a task for each."
)


def _told(raised: Raised, leaf: Raised) -> str:
    line = leaf.line or raised.line
    text = f"{leaf.kind}: {leaf.text}" + (f" ({line})" if line else "")
    return f"{raised.kind} with {text}" if leaf is not raised else text


# The judge's side of one run


class Session:
    """Answers the turns of one run, and notes what happened in them.

    Args:
        run: Where it is noted.
        things: What the learner's function was given, by name.
        cancel_at: When to cancel the function from outside, in seconds; None for never.
    """

    def __init__(self, run: Run, things: Mapping[str, Thing], cancel_at: float | None) -> None:
        self._run = run
        self._things = things
        self._now = 0.0
        self._over = False
        self._calls: dict[int, Observed] = {}
        self._steps: dict[int, Step] = {}
        self._cancelled: dict[int, float] = {}
        self._order = itertools.count()
        self._agenda: list[tuple[float, int, dict[str, Any]]] = []
        if cancel_at is not None:
            self._later(cancel_at, {"cancel": True})

    def exchange(self, turn: dict[str, Any]) -> dict[str, Any]:
        """Take a turn of the learner's end and answer it."""
        answer: dict[str, Any] | None = None
        for event in turn["events"]:
            kind = next(iter(event))
            handler = getattr(self, f"_on_{kind}", None)
            if handler is None:
                raise ValueError(f"no event of the learner's end: {kind!r}")
            answer = handler(event) or answer
        if turn.get("end"):
            return {"now": self._now, "events": []}
        if "ask" in turn:
            return {"now": self._now, "events": [answer]}
        return self._advance(turn.get("until"))

    def _advance(self, until: float | None) -> dict[str, Any]:
        coming = self._agenda[0][0] if self._agenda else None
        times = [moment for moment in (coming, until) if moment is not None]
        if not times:
            return {"now": None, "events": []}
        self._now = max(self._now, min(times))
        events = []
        while self._agenda and self._agenda[0][0] <= self._now:
            event = heapq.heappop(self._agenda)[2]
            if self._answers(event):
                events.append(event)
        return {"now": self._now, "events": events}

    def _answers(self, event: dict[str, Any]) -> bool:
        """Note what an event does to its call; False where the call no longer waits for it."""
        if "cancel" in event:
            return True
        kind, number = next(iter(event.items()))
        call = self._calls[number]
        if kind == "cleaned":
            if call.cut_short is None:
                call.end = self._now
            return True
        if call.outcome != "running":
            return False
        if call.request is None:
            call.outcome = "ok" if kind == "done" else str(event.get("status", "failed"))
            call.end = self._now
        return True

    def _later(self, seconds: float, event: dict[str, Any]) -> None:
        heapq.heappush(self._agenda, (self._now + seconds, next(self._order), event))

    def _on_start(self, event: Mapping[str, Any]) -> dict[str, Any] | None:
        number = event["start"]
        args = tuple(decode(value, _thing) for value in event["args"])
        kwargs = {key: decode(value, _thing) for key, value in event["kwargs"].items()}
        if self._over or number in self._calls:
            return None
        call = self._calls[number] = Observed(event["of"], args, kwargs, self._now, number=number)
        self._run.calls.append(call)
        thing = self._things[event["of"]]
        if isinstance(thing, Client):
            method, path, body = (str(value) for value in args)
            exchange = thing.answer(method, path, body)
            if path.rstrip("/") == "/v1/messages":  # to count tokens is no call
                call.request = _request(body, len(self._run.requests))
            wait = exchange.wait
            self._later(
                wait,
                {"done": number, "value": encode(vars(replace(exchange, wait=0.0)), _none)},
            )
            return None
        if isinstance(thing, Callback):
            call.end, call.outcome, call.instant = self._now, "ok", True
            return _outcome(number, lambda: thing.function(*args, **kwargs))
        try:
            step = thing.script(*args, **kwargs)
        except TypeError as error:
            step = Step(0.0, error=error)
        self._steps[number] = step
        if step.refusal is not None:
            refused = {"status": step.refusal.fails, "retry_after": step.refusal.retry_after}
            self._later(step.seconds, {"failed": number, **refused})
        elif step.error is not None:
            failed = {"failed": number, "kind": type(step.error).__name__, "text": str(step.error)}
            self._later(step.seconds, failed)
        else:
            self._later(step.seconds, {"done": number, "value": encode(step.value, _returned)})
        return None

    def _on_cancelled(self, event: Mapping[str, Any]) -> None:
        call = self._calls[event["cancelled"]]
        step = self._steps.get(event["cancelled"])
        cleanup = 0.0
        if call.outcome == "running":
            call.outcome = "cancelled"
            self._cancelled[event["cancelled"]] = self._now
            cleanup = step.cleanup if step else 0.0
        # One that was through at that very moment may hear of the cancellation first.
        self._later(cleanup, {"cleaned": event["cancelled"]})

    def _on_finished(self, event: Mapping[str, Any]) -> None:
        call = self._calls[event["finished"]]
        if self._over or call.end is not None:
            return
        step = self._steps.get(event["finished"])
        if call.outcome == "cancelled" and step is not None and step.cleanup > 0:
            # Of a clean-up that runs to its end the judge knows before the learner's end does.
            call.cut_short = self._now - self._cancelled[event["finished"]]
        call.end = self._now
        if call.outcome == "running":
            call.outcome = "ok"

    def _on_printed(self, event: Mapping[str, Any]) -> None:
        if not self._over:
            self._run.printed += str(event["printed"])
            if any(call.end is None for call in self._run.calls):
                self._run.printed_early += str(event["printed"])

    def _on_returned(self, event: Mapping[str, Any]) -> None:
        self._end("returned", decode(event["returned"], _thing), event)
        self._run.awaited = bool(event["awaited"])

    def _on_raised(self, event: Mapping[str, Any]) -> None:
        self._end("raised", decode(event["raised"], _thing), event)

    def _on_refused(self, event: Mapping[str, Any]) -> None:
        self._end("refused", f"{event['signature']}: {event['refused']}", event)

    def _on_stuck(self, event: Mapping[str, Any]) -> None:
        self._end("stuck", str(event["stuck"]), event)

    def _end(self, how: str, value: Any, event: Mapping[str, Any]) -> None:
        if self._over:
            return
        self._over = True
        run = self._run
        run.how, run.value, run.seconds = how, value, self._now
        run.pending = tuple(event.get("pending", ()))
        run.after = decode(event["after"], _thing) if "after" in event else run.before


def _thing(data: Mapping[str, Any]) -> Any:
    if data["$"] == "content":
        return decode(data["blocks"])
    return Foreign(str(data["$"]), str(data["name"]))


def _none(_value: Any) -> None:
    return None


def _returned(value: Any) -> Plain | None:
    """An exception that a worker returns, as any other value, and does not raise."""
    if isinstance(value, Exception):
        return {"$": "exception", "kind": type(value).__name__, "text": str(value)}
    return None


def _request(body: str, number: int) -> Request | None:
    try:
        sent = json.loads(body)
    except ValueError:
        return None
    return Request(sent, number) if isinstance(sent, dict) else None


def _outcome(number: int, function: Callable[[], Any]) -> dict[str, Any]:
    try:
        return {"done": number, "value": encode(function(), _none)}
    except Exception as error:
        return {"failed": number, "kind": type(error).__name__, "text": str(error)}


@dataclass
class Bench:
    """Where a check has the learner's function run.

    Attributes:
        name: The function's name.
        is_async: Whether the exercise asks for an async function.
        player: The learner's end.
        random: Where a check draws its inputs from.
    """

    name: str
    is_async: bool
    player: Player
    random: random.Random
    runs: int = 0

    def run(self, *args: Any, cancel_at: float | None = None, **kwargs: Any) -> Run:
        """Run the learner's function once.

        Args:
            args: Its arguments; a `Worker`, `Callback`, `Client` or `Content` reaches it as the
                real thing, also from within a list, tuple, set or dict. Different ones have
                different names.
            cancel_at: When to cancel it from outside, in seconds; None for never.
            kwargs: Its arguments by name.

        Raises:
            NotAttempted: When the stub is still in place.
        """
        things: dict[str, Thing] = {}
        for thing in _things_in((*args, *kwargs.values())):
            if things.setdefault(thing.name, thing) is not thing:
                raise ValueError(f"two things of one run are both named {thing.name!r}")
        job: dict[str, Any] = {
            "args": [encode(value, _stand_in) for value in args],
            "kwargs": {key: encode(value, _stand_in) for key, value in kwargs.items()},
            "is_async": self.is_async,
        }
        run = Run(self.name, self.is_async)
        run.before = [decode(value, _thing) for value in (*job["args"], *job["kwargs"].values())]
        session = Session(run, things, cancel_at)
        self.runs += 1
        try:
            self.player.play(job, session.exchange)
        except TimeLimit:
            run.how = "spun"
        if self.runs == 1 and _is_stub(run):
            raise NotAttempted
        return run


def _things_in(value: Any) -> Iterator[Thing]:
    """The judge's things in a value, as deep as `encode` looks."""
    if isinstance(value, Thing):
        yield value
    elif isinstance(value, dict):
        yield from _things_in([*value.keys(), *value.values()])
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _things_in(item)


def _stand_in(value: Any) -> Plain | None:
    if isinstance(value, Worker):
        return {
            "$": "worker",
            "name": value.name,
            "cleans": value.cleans,
            "returns": value.returns,
            "refuses": value.refuses,
        }
    if isinstance(value, Callback):
        return {"$": "callback", "name": value.name}
    if isinstance(value, Client):
        return {"$": "client", "name": value.name}
    if isinstance(value, Content):
        return {"$": "content", "blocks": encode(value.blocks, _none)}
    return None


def _is_stub(run: Run) -> bool:
    return run.how == "raised" and run.value.kind == "NotImplementedError" and not run.calls


def same(wanted: Any, seen: Any) -> bool:
    """Whether two values are equal; a tuple is as good as a list, but True is no 1."""
    if isinstance(wanted, list | tuple) and isinstance(seen, list | tuple):
        return len(wanted) == len(seen) and all(map(same, wanted, seen))
    if isinstance(wanted, dict) and isinstance(seen, dict):
        return wanted.keys() == seen.keys() and all(same(wanted[key], seen[key]) for key in wanted)
    if isinstance(wanted, bool) or isinstance(seen, bool):
        return wanted is seen
    if isinstance(wanted, Exception) and isinstance(seen, Raised):
        return (type(wanted).__name__, str(wanted)) == (seen.kind, seen.text)
    return bool(wanted == seen)


def show(value: Any, room: int = 300) -> str:
    """A value as text, cut short and without addresses."""
    text = ADDRESS.sub("", repr(value))
    return text if len(text) <= room else text[: room - 1] + "…"


def foreigners(value: Any) -> list[Foreign]:
    """What a value of the learner's holds that is no plain value, at any depth."""
    if isinstance(value, Foreign):
        return [value]
    if isinstance(value, dict):
        return foreigners([*value.keys(), *value.values()])
    if isinstance(value, list | tuple | set | frozenset):
        return [found for item in value for found in foreigners(item)]
    return []


def plan(*rows: tuple[str, float, float] | tuple[str, float, float, str]) -> Trace:
    """A trace of how it should have been.

    Args:
        rows: The lane, start and end of each call, the times in seconds; then its outcome, where
            that is not ``ok``.
    """
    calls = [Call(row[0], row[1], row[2], row[3] if len(row) == 4 else "ok") for row in rows]
    return Trace(calls, "free")


def in_parts(text: str) -> list[dict[str, str]]:
    """A text as a reply may hold it: a thought, then the text in two blocks."""
    half = len(text) // 2
    return [
        {"type": "thinking", "thinking": "scripted", "signature": "scripted"},
        {"type": "text", "text": text[:half]},
        {"type": "text", "text": text[half:]},
    ]


def nonsense(chance: random.Random, words: int = 2) -> str:
    """Words that stand in no text, so that no answer can be known beforehand."""
    syllables = ["ba", "do", "fi", "ku", "lo", "mi", "ne", "po", "ra", "su", "ta", "vo", "zi"]
    return " ".join("".join(chance.choices(syllables, k=3)) for _ in range(words))
