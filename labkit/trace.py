"""What happened on the wire: calls with their start, end, tokens and outcome, and their totals."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Literal, ParamSpec, Protocol, TypeAlias, TypeVar

from .clock import FreeClock
from .prices import cost

Clock = Literal["real", "free"]

P = ParamSpec("P")
T = TypeVar("T")
Worker: TypeAlias = Callable[P, Coroutine[Any, Any, T]]


@dataclass
class Call:
    """One call that reached the wire.

    Attributes:
        lane: What the call was about: the first line of its prompt.
        start: When it was sent, in seconds since the trace's first call.
        end: When its last byte came or it was given up; None while it runs.
        outcome: ``ok``, an HTTP status such as ``429``, ``timed out``, ``cancelled``, ``dropped``,
            ``running``; of a worker also ``failed``; ``kicked back`` where a gate refused what
            came of it.
        model: The model's name as sent; empty where a worker asked none.
        tokens_in: Tokens of the request, as the reply reports them.
        tokens_out: Tokens of the reply so far.
        note: What somebody said of its result, such as why it was kicked back.
        machine: The machine of a cluster that it ran on; empty where it was this one.
    """

    lane: str
    start: float
    end: float | None = None
    outcome: str = "running"
    model: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    note: str = ""
    machine: str = ""

    @property
    def told(self) -> str:
        """How it ended, in a few words; nothing where it went well and nobody said more."""
        outcome = "" if self.outcome == "ok" else self.outcome
        return ": ".join(part for part in (outcome, self.note) if part)

    @property
    def seconds(self) -> float:
        """How long it took, in seconds; 0 while it runs."""
        return 0.0 if self.end is None else self.end - self.start

    @property
    def dollars(self) -> float | None:
        """What it cost, in dollars; None where the model has no price in `labkit.prices`."""
        return cost(self.model, self.tokens_in, self.tokens_out) if self.model else 0.0


@dataclass
class Trace:
    """The calls made inside one ``with record() as trace:`` block, in the order they were sent.

    Attributes:
        calls: The calls, in dispatch order.
        clock: ``real`` where the seconds were waited for, ``free`` where they were not.
    """

    calls: list[Call] = field(default_factory=list)
    clock: Clock = "real"
    _zero: float | None = field(default=None, repr=False)

    def begin(self, lane: str, *, model: str = "") -> Call:
        """Add a call that starts now.

        Args:
            lane: What it is about.
            model: The model's name.
        """
        now, self.clock = _now()
        if self._zero is None:
            self._zero = now
        call = Call(lane, now - self._zero, model=model)
        self.calls.append(call)
        return call

    def finish(self, call: Call, outcome: str) -> None:
        """Mark a call as ended now; a call that has ended stays as it is."""
        if call.end is None:
            call.end = _now()[0] - (self._zero or 0.0)
            call.outcome = outcome

    @property
    def seconds(self) -> float:
        """Seconds from the first call's start to the last call's end."""
        return max((call.end or call.start for call in self.calls), default=0.0)

    @property
    def now(self) -> float:
        """Seconds since the first call's start, as its clock stands now."""
        if self._zero is None or self.clock == "free":
            return self.seconds
        return time.monotonic() - self._zero

    @property
    def work(self) -> float:
        """Seconds that the calls took, added up: what they would take one after another."""
        return sum(call.seconds for call in self.calls)

    @property
    def in_flight(self) -> int:
        """How many calls were in flight at once, at most."""
        # A call that ends as another starts leaves its place first.
        changes = sorted(
            [(call.start, 1) for call in self.calls]
            + [(call.end, -1) for call in self.calls if call.end is not None]
        )
        level = highest = 0
        for _, change in changes:
            level += change
            highest = max(highest, level)
        return highest

    @property
    def tokens_in(self) -> int:
        """Tokens of all requests."""
        return sum(call.tokens_in for call in self.calls)

    @property
    def tokens_out(self) -> int:
        """Tokens of all replies."""
        return sum(call.tokens_out for call in self.calls)

    @property
    def dollars(self) -> float | None:
        """Dollars for all calls, or None where some call's model has no price."""
        costs = [call.dollars for call in self.calls]
        return None if None in costs else sum(cost for cost in costs if cost is not None)

    def lanes(self) -> list[tuple[str, list[Call]]]:
        """The calls by lane, in dispatch order; another try of a failed call shares its lane."""
        lanes: list[tuple[str, list[Call]]] = []
        for call in self.calls:
            for name, earlier in lanes:
                last = earlier[-1]
                again = last.outcome not in ("ok", "running", "cancelled")
                if name == call.lane and again and last.end is not None and last.end <= call.start:
                    earlier.append(call)
                    break
            else:
                lanes.append((call.lane, [call]))
        return lanes

    def machines(self) -> list[tuple[str, list[Call]]]:
        """The calls by machine and place, one lane for each: there, calls follow one another."""
        lanes: dict[tuple[str, int], list[Call]] = {}
        for call in sorted(self.calls, key=lambda call: call.start):
            name = call.machine or "here"
            # Ends are noted when they are heard of: what seems to overlap a little does not.
            slack = 0.1 * call.seconds
            place = 1
            while (earlier := lanes.get((name, place))) and not _over(earlier[-1], call, slack):
                place += 1
            lanes.setdefault((name, place), []).append(call)
        return [
            (f"{f'machine {name}' if name.isdigit() else name}, place {place}", lanes[name, place])
            for name, place in sorted(lanes)
        ]

    def say(self, seconds: float) -> str:
        """Seconds as text; a ``≈`` marks what a real clock measured."""
        return f"≈{seconds:.2f} s" if self.clock == "real" else f"{seconds:.3f} s"

    def __repr__(self) -> str:
        if not self.calls:
            return "⟨no calls⟩"
        plural = "" if len(self.calls) == 1 else "s"
        text = (
            f"⟨{len(self.calls)} call{plural} ⇒ {self.say(self.seconds)},"
            f" {self.in_flight} in flight"
        )
        if any(call.model for call in self.calls):
            price = "no price" if self.dollars is None else f"${self.dollars:.4f}"
            text += f", {self.tokens_in:,} tokens in, {self.tokens_out:,} out, {price}"
        outcomes = [call.outcome for call in self.calls if call.outcome != "ok"]
        if outcomes:
            counts = {outcome: outcomes.count(outcome) for outcome in dict.fromkeys(outcomes)}
            text += ", " + ", ".join(
                # A status is a number, too.
                f"{count} × {outcome}" if outcome.isdigit() else f"{count} {outcome}"
                for outcome, count in counts.items()
            )
        return text + "⟩"


_recording: ContextVar[tuple[Trace, ...]] = ContextVar("labkit_recording", default=())
_ran: ContextVar[list[Ran] | None] = ContextVar("labkit_ran", default=None)


@contextmanager
def record(trace: Trace | None = None) -> Iterator[Trace]:
    """Record every call made inside the block, by this code and by the tasks it starts.

    Blocks may be nested; each records the calls made inside it.

    Args:
        trace: The trace to add to; by default a new one.

    Yields:
        The trace; it fills while the block runs and can be read at any time.
    """
    trace = Trace() if trace is None else trace
    token = _recording.set((*_recording.get(), trace))
    try:
        yield trace
    finally:
        _recording.reset(token)


def traced(worker: Worker[P, T], *, lane: str | None = None) -> Worker[P, T]:
    """Have a worker's runs recorded as calls are, also where it never asks a model.

    Args:
        worker: Any async function.
        lane: What each run is about; by default the first line of its first argument.

    Returns:
        The same worker; each run is noted in the traces that are being recorded, with the outcome
        ``ok``, ``failed`` or ``cancelled``.
    """

    @functools.wraps(worker)
    async def run(*args: P.args, **kwargs: P.kwargs) -> T:
        about = lane or lane_of(str(args[0]) if args else getattr(worker, "__name__", "worker"))
        entries = [(trace, trace.begin(about)) for trace in recording()]
        outcome = "failed"
        ran: list[Ran] = []
        token = _ran.set(ran)
        try:
            result = await worker(*args, **kwargs)
            outcome = "ok"
            return result
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        finally:
            _ran.reset(token)
            for trace, call in entries:
                trace.finish(call, outcome)
                for there in ran:
                    _place(call, there)

    return run


class Ran(Protocol):
    """What a machine tells of a run, as `labkit.patterns.Ran` does."""

    @property
    def machine(self) -> str:
        """The machine's name."""

    @property
    def seconds(self) -> float:
        """How long it ran there."""


def on_machine(ran: Ran) -> None:
    """Note on which machine a worker ran, and how long.

    Hand it to `labkit.patterns.on_cluster` as its ``on_end`` and have what comes back `traced`; its
    bar then spans what the machine worked, without the wait for a place there.

    Args:
        ran: What the machine tells. Outside a traced worker, it goes nowhere.
    """
    noted = _ran.get()
    if noted is not None:
        noted.append(ran)


def _place(call: Call, ran: Ran) -> None:
    # Clocks of two machines differ, so only the length is theirs.
    call.machine = ran.machine
    if call.end is not None:
        call.start = max(call.start, call.end - ran.seconds)


def _over(earlier: Call, later: Call, slack: float) -> bool:
    return earlier.end is not None and earlier.end <= later.start + slack


def lane_of(text: str) -> str:
    """What a text is about, for a lane: its first line, cut to 40 characters."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return first if len(first) <= 40 else first[:39].rstrip() + "…"


def recording() -> tuple[Trace, ...]:
    """The traces that a call made here is recorded in."""
    return _recording.get()


def _now() -> tuple[float, Clock]:
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return time.monotonic(), "real"
    return loop.time(), "free" if isinstance(loop, FreeClock) else "real"
