"""Graders of lesson 05: races, races against the clock, and hedged requests."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from ..trace import Call, Trace
from .exercise import Exercise
from .judge import Bench, Callback, Observed, Run, Step, Worker, nonsense, same, show

SLACK = 0.2
"""Seconds that a function may be late: one that looks every so often is slow, not wrong."""

DRAWN = object()
"""Stands for a value that is drawn anew."""

ERRORS: tuple[Callable[[str], Exception], ...] = (ValueError, KeyError, ConnectionError)

Kind = Literal["coroutine", "task", "awaitable"]
AWAITABLES: tuple[Kind, ...] = ("awaitable", "task", "coroutine")


@dataclass(frozen=True)
class Racer:
    """One attempt.

    Attributes:
        seconds: How long it takes.
        how: What comes of it.
        cleanup: How long its clean-up takes where it is cancelled, in seconds.
        value: What it returns.
        error: What it raises, where it does; by default one that is drawn.
        returns: As in `Worker`.
    """

    seconds: float
    how: Literal["valid", "rubbish", "raises"] = "valid"
    cleanup: float = 0.0
    value: Any = DRAWN
    error: Exception | None = None
    returns: Kind = "coroutine"


class Field:
    """The attempts of one race, and what becomes of them.

    Args:
        chance: Where values are drawn from.
        racers: The attempts, in dispatch order.
        accepts_all: Whether `valid` says yes to whatever it is shown.
    """

    def __init__(
        self, chance: random.Random, racers: Sequence[Racer], *, accepts_all: bool = False
    ) -> None:
        self.racers = racers
        self._accepts_all = accepts_all
        self.names = [f"attempt {place}" for place, _ in enumerate(racers)]
        self.steps = [self._step(chance, racer) for racer in racers]
        self.attempts = [
            Worker(self._script(step), name=name, cleans=True, returns=racer.returns)
            for racer, name, step in zip(racers, self.names, self.steps, strict=True)
        ]
        self._good = [s.value for r, s in zip(racers, self.steps, strict=True) if r.how == "valid"]
        self.valid = Callback(self._is_valid, name="valid")

    @staticmethod
    def _step(chance: random.Random, racer: Racer) -> Step:
        drawn = nonsense(chance, 3)
        if racer.how == "raises":
            error = racer.error or chance.choice(ERRORS)(drawn)
            return Step(racer.seconds, error=error, cleanup=racer.cleanup)
        value = drawn if racer.value is DRAWN else racer.value
        return Step(racer.seconds, value=value, cleanup=racer.cleanup)

    @staticmethod
    def _script(step: Step) -> Callable[[], Step]:
        return lambda: step

    def _is_valid(self, result: Any) -> bool:
        return self._accepts_all or any(same(value, result) for value in self._good)

    def values(self, how: str, at: float | None = None) -> list[Any]:
        """What attempts of a kind return; with a moment, those that end just then."""
        return [
            step.value
            for racer, step in zip(self.racers, self.steps, strict=True)
            if racer.how == how and at in (None, racer.seconds)
        ]

    def came_from(self, result: Any) -> float | None:
        """When the attempt ends that returns this result; None where no attempt does."""
        pairs = zip(self.racers, self.steps, strict=True)
        ends = [r.seconds for r, s in pairs if r.how != "raises" and same(s.value, result)]
        return min(ends, default=None)

    def ended_at(self, at: float) -> int:
        """How many attempts end at a moment."""
        return sum(racer.seconds == at for racer in self.racers)

    def running(self, at: float) -> list[str]:
        """The names of the attempts that have not ended by then."""
        pairs = zip(self.racers, self.names, strict=True)
        return [name for racer, name in pairs if racer.seconds > at]

    def ends(self, at: float) -> tuple[float, float]:
        """When all is quiet if the race ends then: with clean-ups together, and one by one."""
        cleanups = [racer.cleanup for racer in self.racers if racer.seconds > at]
        return at + max(cleanups, default=0.0), at + sum(cleanups)

    def ideal(self, at: float) -> Trace:
        """How it should have been, where the race ends at a moment."""
        calls = []
        for racer, name in zip(self.racers, self.names, strict=True):
            if racer.seconds > at:
                calls.append(Call(name, 0.0, at + racer.cleanup, "cancelled"))
            else:
                outcome = "failed" if racer.how == "raises" else "ok"
                calls.append(Call(name, 0.0, racer.seconds, outcome))
        return Trace(calls, "free")

    def pictures(self, run: Run, at: float) -> tuple[tuple[str, Trace], ...]:
        """What was seen and what was wanted, to compare."""
        return (("yours", run.trace()), ("wanted", self.ideal(at)))


def _own(field: Field, run: Run) -> bool:
    """Whether what reached the caller is what an attempt raised."""
    numbers = {call.number for name in field.names for call in run.of(name)}
    return run.how == "raised" and any(leaf.call in numbers for leaf in run.value.leaves())


def _expect_no_cancellation(run: Run) -> None:
    """Go on only where no CancelledError came out of a function that nobody cancelled."""
    run.expect(
        run.how != "raised" or "CancelledError" not in run.value.family,
        "A CancelledError reached the caller, though nobody had cancelled it: to await a cancelled"
        " task raises one. With `return_exceptions=True`, `gather` hands it back as a value, and"
        " waits for all of them.",
        seen=run.outcome,
    )


def _started_together(run: Run, field: Field, at: float) -> None:
    starts = {name: [call.start for call in run.of(name)] for name in field.names}
    if all(start == [0.0] for start in starts.values()):
        return
    again = [name for name, start in starts.items() if len(start) > 1]
    why = (
        f"{again[0]} was started {len(starts[again[0]])} times: each attempt runs once."
        if again
        else "All attempts are started together, before you wait for any of them."
    )
    said = [f"{name} at {', '.join(f'{s:.3f} s' for s in t)}" for name, t in starts.items() if t]
    never = [f"{name} never" for name, start in starts.items() if not start]
    run.fail(
        why,
        wanted="each attempt started once, at 0.000 s",
        seen="; ".join([*said, *never]),
        pictures=field.pictures(run, at),
    )


def _ended(run: Run, field: Field, at: float, why: str) -> None:
    """Go on only where all that ran at a moment was cancelled then, and has cleaned up."""
    ran_on = [name for name in field.running(at) if run.of(name)[0].outcome != "cancelled"]
    if ran_on:
        run.fail(
            f"{why} Yet {', '.join(ran_on)} ran on to the end: cancel what is still running.",
            wanted=f"{', '.join(field.running(at))} cancelled at {at:.3f} s",
            seen=", ".join(f"{name} {run.of(name)[0].outcome}" for name in ran_on),
            pictures=field.pictures(run, at),
        )
    least, most = field.ends(at)
    if not least - 1e-6 <= run.seconds <= most + SLACK:
        run.fail(
            f"{why} It is over once the others have been cancelled and have cleaned up, which they"
            " can do all at the same time.",
            wanted=f"{least:.3f} s",
            seen=f"{run.seconds:.3f} s",
            pictures=field.pictures(run, at),
        )


def _expect_win(run: Run, field: Field, *, at: float) -> None:
    wanted = field.values("valid", at)
    gave_up = {"RuntimeError", "TimeoutError"}
    _expect_no_cancellation(run)
    if run.how == "raised" and (_own(field, run) or gave_up & set(run.value.family)):
        run.fail(
            "An attempt's failure reached the caller. An attempt that raises has lost; the race"
            " goes on without it."
            if _own(field, run)
            else f"It gave up, though a valid result was to come at {at:.3f} s. One that raises or"
            " is not valid ends nothing.",
            wanted=show(wanted[0]),
            seen=run.outcome,
            pictures=field.pictures(run, at),
        )
    if run.how == "returned" and run.awaited:
        rubbish = field.values("rubbish")
        if any(same(value, run.value) for value in rubbish):
            run.fail(
                "What it returned is not valid. The first to finish need not be the first that is"
                " valid: ask `valid`, and go on waiting for the others where it says no.",
                wanted=show(wanted[0]),
                seen=show(run.value),
                pictures=field.pictures(run, at),
            )
        _started_together(run, field, at)
    seen = run.answer()
    _started_together(run, field, at)
    if not any(same(value, seen) for value in wanted):
        came = field.came_from(seen)
        failed = any(run.of(name)[0].outcome == "failed" for name in field.names)
        if not wanted[0] or isinstance(wanted[0], Exception):
            why = (
                "It returns the result that won, just as it is. `None`, 0, an empty text and an"
                " exception that was returned, not raised, are results, too: only `valid` says"
                " whether one may win."
            )
        elif came is None and failed:
            why = (
                "No attempt returned this. One that raises has lost and has no result: what an"
                " `except` puts in its place (`None`, the exception itself) does not race, even"
                " where `valid` would accept it."
            )
        elif came is None:
            why = "No attempt returned this. What the winner returned is wanted, just as it is."
        elif came > at and field.ended_at(at) == 1:
            why = (
                f"The winner was there at {at:.3f} s, and it waited for the others. The first valid"
                " result ends the race, wherever its attempt stands in the list: to await them in"
                " the order of the list is to wait for whoever stands first."
            )
        else:
            why = (
                "Another valid result was there before it. Several attempts may end at the same"
                " moment: look at every one that has."
            )
        run.fail(
            why,
            wanted=" or ".join(map(show, wanted)),
            seen=show(seen),
            pictures=field.pictures(run, at),
        )
    _ended(run, field, at, f"The winner was there at {at:.3f} s.")


def _expect_none_valid(run: Run, field: Field) -> None:
    last = max(racer.seconds for racer in field.racers)
    _expect_no_cancellation(run)
    run.expect_raised(
        "RuntimeError",
        "No attempt gave a valid result, and all have ended: that raises a RuntimeError, not what"
        " an attempt raised.",
    )
    _started_together(run, field, last)
    if abs(run.seconds - last) > SLACK or any(
        run.of(name)[0].outcome == "cancelled" for name in field.names
    ):
        run.fail(
            "Until the last attempt has ended, there may still be a winner; then there is nothing"
            " left to wait for.",
            wanted=f"RuntimeError at {last:.3f} s",
            seen=f"{run.value.kind} at {run.seconds:.3f} s",
            pictures=field.pictures(run, last),
        )


def _expect_cancelled(run: Run, field: Field, *, at: float) -> None:
    run.expect_cancelled()
    _started_together(run, field, at)
    _ended(run, field, at, f"It was cancelled from outside at {at:.3f} s.")


def _grade_winning(bench: Bench, **named: Any) -> None:
    """What holds for a race with and without a deadline; none of these takes over 20 s."""
    chance = bench.random

    def run(*racers: Racer, accepts_all: bool = False) -> tuple[Run, Field]:
        field = Field(chance, racers, accepts_all=accepts_all)
        return bench.run(field.attempts, field.valid, **named), field

    # All attempts are good; the winner stands neither first nor last.
    result = run(Racer(15.0, cleanup=0.5), Racer(1.0), Racer(17.0, cleanup=1.5), Racer(16.0))
    _expect_win(*result, at=1.0)
    # One that fails and one that answers rubbish are there before it.
    result = run(
        Racer(14.0, cleanup=1.0),
        Racer(2.0, "raises"),
        Racer(3.0),
        Racer(1.0, "rubbish"),
        Racer(18.0, "rubbish", cleanup=0.5),
        Racer(19.0, "raises"),
    )
    _expect_win(*result, at=3.0)
    # What is valid may be nothing much, and what is much may not be valid.
    values: tuple[Any, ...] = (None, 0, "", False, [], LookupError(nonsense(chance)))
    for value in values:
        rubbish = Racer(1.0, "rubbish", value=[True])
        _expect_win(*run(rubbish, Racer(12.0), Racer(2.0, value=value)), at=2.0)
    # What raises has no result that could win.
    early = Racer(1.0, "raises")
    _expect_win(*run(Racer(13.0), early, Racer(2.0), accepts_all=True), at=2.0)
    # Several end at the same moment.
    others = [Racer(1.0, "rubbish"), Racer(1.0, "raises"), Racer(1.0, "rubbish")]
    for place in (3, 0, 1, 2):
        crowd = [*others[:place], Racer(1.0), *others[place:], Racer(11.0, cleanup=0.5)]
        _expect_win(*run(*crowd), at=1.0)
    _expect_win(*run(Racer(13.0), Racer(2.0), Racer(2.0)), at=2.0)
    _expect_win(*run(Racer(2.0)), at=2.0)
    # An attempt may return any awaitable.
    for turn in range(3):
        first, second, third = AWAITABLES[turn:] + AWAITABLES[:turn]
        result = run(
            Racer(12.0, cleanup=1.0, returns=first),
            Racer(2.0, returns=second),
            Racer(1.0, "rubbish", returns=third),
        )
        _expect_win(*result, at=2.0)


def _grade_losing(bench: Bench, **named: Any) -> None:
    """What holds where nobody wins; none of these takes over 4 s."""
    chance = bench.random
    for racers in (
        [Racer(1.0, "raises"), Racer(3.0, "rubbish"), Racer(2.0, "rubbish")],
        [Racer(1.0, "rubbish"), Racer(2.0, "raises", error=TimeoutError("no answer in time"))],
        [Racer(2.0, "raises"), Racer(1.0, "raises")],
    ):
        field = Field(chance, racers)
        _expect_none_valid(bench.run(field.attempts, field.valid, **named), field)
    nobody = Field(chance, [])
    run = bench.run([], nobody.valid, **named)
    run.expect_raised("ValueError", "A race without an attempt raises a ValueError.")


def _grade_cut_short(bench: Bench, **named: Any) -> None:
    racers = [
        Racer(15.0, cleanup=1.0),
        Racer(0.5, "rubbish"),
        Racer(16.0, cleanup=2.0),
        Racer(0.25, "raises"),
    ]
    field = Field(bench.random, racers)
    run = bench.run(field.attempts, field.valid, cancel_at=1.0, **named)
    _expect_cancelled(run, field, at=1.0)


def grade_race(bench: Bench) -> None:
    """5.1: the first valid result wins, and the rest are cancelled and finished."""
    _grade_winning(bench)
    _grade_losing(bench)
    _grade_cut_short(bench)


def _expect_late(run: Run, field: Field, *, seconds: float) -> None:
    if _own(field, run) and "TimeoutError" in run.value.family:
        run.fail(
            "That TimeoutError is an attempt's own: it has lost like any other that raises. Only"
            " the deadline raises one here.",
            wanted=f"TimeoutError at {seconds:.3f} s",
            seen=f"{run.outcome} at {run.seconds:.3f} s",
            pictures=field.pictures(run, seconds),
        )
    if run.how == "returned" and any(same(v, run.value) for v in field.values("valid")):
        run.fail(
            "That result came after the deadline. The time counts from the start of the race, and"
            " an attempt that loses does not set it back. It counts by the event loop's clock"
            " (`asyncio.timeout`, `loop.time()`); `time.monotonic()` and `time.time()` are others.",
            wanted=f"TimeoutError at {seconds:.3f} s",
            seen=f"{show(run.value)} at {run.seconds:.3f} s",
            pictures=field.pictures(run, seconds),
        )
    _expect_no_cancellation(run)
    if run.how == "raised" and "RuntimeError" in run.value.family and run.seconds >= seconds:
        run.fail(
            f"No winner within {seconds:.3f} s, and others still ran: TimeoutError. A RuntimeError"
            " is for a race in which all have ended by themselves. Has an `except` taken the"
            " deadline's own TimeoutError for that of an attempt? With a time limit on each attempt"
            " it does, and with `as_completed(timeout=...)`, which raises both from one `await`.",
            wanted=f"TimeoutError at {seconds:.3f} s",
            seen=f"{run.outcome} at {run.seconds:.3f} s",
            pictures=field.pictures(run, seconds),
        )
    if run.how == "raised" and run.seconds < seconds - SLACK:
        run.fail(
            "It gave up before the deadline. What has ended so far was not valid, but others still"
            " run, and one of them may win.",
            wanted=f"TimeoutError at {seconds:.3f} s",
            seen=f"{run.outcome} at {run.seconds:.3f} s",
            pictures=field.pictures(run, seconds),
        )
    run.expect_raised(
        "TimeoutError", f"No winner within {seconds:.3f} s, and others still run: TimeoutError."
    )
    _started_together(run, field, seconds)
    _ended(run, field, seconds, f"The time was over at {seconds:.3f} s.")


def grade_race_within(bench: Bench) -> None:
    """5.2: a race with a deadline for the winner, and none for the clean-up."""
    chance = bench.random

    def run(seconds: float, *racers: Racer) -> tuple[Run, Field]:
        field = Field(chance, racers)
        return bench.run(field.attempts, field.valid, seconds=seconds), field

    # The clean-up of the losers outlasts the deadline.
    seen, field = run(2.5, Racer(12.0, cleanup=0.5), Racer(1.5), Racer(14.0, cleanup=2.0))
    if seen.how == "raised" and "TimeoutError" in seen.value.family:
        seen.fail(
            "There was a winner at 1.500 s, a second before the deadline, and its result was lost:"
            " `seconds` limits the wait for a winner, not the clean-up of the losers that follows.",
            wanted=show(field.values("valid", 1.5)[0]),
            seen=seen.outcome,
            pictures=field.pictures(seen, 1.5),
        )
    _expect_win(seen, field, at=1.5)
    # The deadline passes.
    result = run(2.5, Racer(12.0, cleanup=1.0), Racer(13.0, "rubbish", cleanup=2.0), Racer(14.0))
    _expect_late(*result, seconds=2.5)
    gave_up = Racer(0.5, "raises", error=TimeoutError("no answer in time"))
    result = run(2.5, Racer(1.0, "rubbish"), Racer(2.0, "rubbish"), gave_up, Racer(3.0), Racer(9.0))
    _expect_late(*result, seconds=2.5)
    # Everything else is as in 5.1.
    _expect_win(*run(2.5, gave_up, Racer(12.0), Racer(2.0)), at=2.0)
    _grade_winning(bench, seconds=25.0)
    _grade_losing(bench, seconds=6.0)
    _grade_cut_short(bench, seconds=5.0)


@dataclass(frozen=True)
class Hedged:
    """One hedged request, and what has to come of it.

    Attributes:
        steps: What each copy does, in the order of their starts.
        starts: When each of them is started, in seconds.
        decides: The place of the copy that decides: the one that returns first or, where all
            raise, the one that raises last.
        delay: As in the exercise.
        copies: As in the exercise; None leaves it to its default, which is 2.
        returns: As in `Worker`.
    """

    steps: tuple[Step, ...]
    starts: tuple[float, ...]
    decides: int
    delay: float = 1.0
    copies: int | None = 2
    returns: Kind = "coroutine"

    @property
    def at(self) -> float:
        """When it is decided, in seconds."""
        return self.starts[self.decides] + self.steps[self.decides].seconds

    def failed_by(self, at: float) -> bool:
        """Whether a copy raises at that very moment."""
        pairs = zip(self.starts, self.steps, strict=False)
        return any(step.error and start + step.seconds == at for start, step in pairs)

    @property
    def running(self) -> list[int]:
        """The places of the copies that still run then."""
        pairs = zip(self.starts, self.steps, strict=False)
        return [n for n, (start, step) in enumerate(pairs) if start + step.seconds > self.at]

    def run(self, bench: Bench, **named: Any) -> Run:
        """Run the learner's function on it."""
        left = list(self.steps)
        worker = Worker(
            lambda: left.pop(0) if left else Step(50.0),
            name="attempt",
            cleans=True,
            returns=self.returns,
        )
        if self.copies is not None:
            named["copies"] = self.copies
        return bench.run(worker, delay=self.delay, **named)

    def pictures(self, run: Run) -> tuple[tuple[str, Trace], ...]:
        """What was seen and what was wanted, to compare."""
        seen = [replace(c, lane=f"copy {n}") for n, c in enumerate(run.trace().calls, 1)]
        wanted = []
        for place, start in enumerate(self.starts):
            step = self.steps[place]
            cut = place in self.running
            end = self.at + step.cleanup if cut else start + step.seconds
            outcome = "cancelled" if cut else "failed" if step.error else "ok"
            wanted.append(Call(f"copy {place + 1}", start, end, outcome))
        return (("yours", Trace(seen, "free")), ("wanted", Trace(wanted, "free")))


def _copies(run: Run) -> list[Observed]:
    return run.of("attempt")


def _was_cut_off(call: Observed, by: float) -> bool:
    return call.outcome == "cancelled" and call.end is not None and call.end <= by


def _expect_starts(run: Run, case: Hedged) -> None:
    calls = _copies(run)
    seen = [call.start for call in calls]
    if len(seen) == len(case.starts) and all(
        abs(one - other) <= SLACK for one, other in zip(seen, case.starts, strict=True)
    ):
        return
    place = next(
        (n for n, (a, b) in enumerate(zip(seen, case.starts, strict=False)) if abs(a - b) > SLACK),
        min(len(seen), len(case.starts)),
    )
    before = calls[place - 1] if place and place <= len(calls) else None
    said = f"A copy is started each time {case.delay:g} s pass without a result."
    if len(case.starts) == 1 and len(seen) > 1:
        why = (
            "An attempt that returns within `delay` is started once only. A hedge pays for a"
            " second copy only where the first is late."
            if case.copies != 1
            else "With copies=1 there is one copy and no more."
        )
    elif len(seen) > 1 and seen[1] == 0.0:
        why = f"{said} Started all at once, every request is paid for several times."
    elif before is not None and len(seen) > place and _was_cut_off(before, seen[place]):
        why = (
            "A copy was cancelled to make room for the next. A hedge is no retry: the first copy"
            " stays in flight, since it may be the first to return."
        )
    elif place < len(case.starts) and case.failed_by(case.starts[place]):
        why = (
            "Whichever copy raises, one more is started at once, as long as there may be one: it"
            " does not wait for `delay`, nor for the other copies."
        )
    elif place < len(seen) and place >= len(case.starts):
        why = f"{len(case.starts)} copies in all at most: no more are started after these."
    else:
        why = f"{said} `delay` counts from the start of the latest copy, whatever started it."
    run.fail(
        why,
        wanted="started at " + ", ".join(f"{start:.3f} s" for start in case.starts),
        seen="started at " + (", ".join(f"{start:.3f} s" for start in seen) or "no time"),
        pictures=case.pictures(run),
    )


def _settled(run: Run, case: Hedged) -> None:
    calls = _copies(run)
    ran_on = [f"copy {n + 1}" for n in case.running if calls[n].outcome != "cancelled"]
    cleanups = [case.steps[n].cleanup for n in case.running]
    least, most = case.at + max(cleanups, default=0.0), case.at + sum(cleanups)
    if ran_on or not least - 1e-6 <= run.seconds <= most + SLACK:
        run.fail(
            f"The first copy to return was there at {case.at:.3f} s. It is over once the rest have"
            " been cancelled and have cleaned up.",
            wanted=f"{least:.3f} s",
            seen=f"{run.seconds:.3f} s" + (f", {', '.join(ran_on)} not cancelled" * bool(ran_on)),
            pictures=case.pictures(run),
        )


def _expect_answer(run: Run, case: Hedged) -> None:
    _expect_no_cancellation(run)
    if run.how == "raised" and run.value.call is None and "TimeoutError" in run.value.family:
        run.fail(
            "It gave up after `delay`, which is no deadline: it says when to start one more copy."
            " Once the last has been started, wait for those in flight as long as they take.",
            wanted=show(case.steps[case.decides].value),
            seen=f"{run.outcome} at {run.seconds:.3f} s",
            pictures=case.pictures(run),
        )
    if run.how == "raised" and any(leaf.call is not None for leaf in run.value.leaves()):
        run.fail(
            "A copy's failure reached the caller, though there was another copy in flight or to"
            " start. A copy that raises ends nothing.",
            wanted=show(case.steps[case.decides].value),
            seen=run.outcome,
            pictures=case.pictures(run),
        )
    if run.how == "returned" and run.awaited:
        _expect_starts(run, case)
    seen = run.answer()
    _expect_starts(run, case)
    wanted = case.steps[case.decides].value
    run.expect(
        same(wanted, seen),
        "The first copy to return wins, whichever it is, and whatever it returns: `None` and 0 are"
        " results, too."
        + " An earlier copy stays in flight when the next one is started."
        * (case.decides == 0),
        wanted=show(wanted),
        seen=show(seen),
    )
    _settled(run, case)


def _expect_answers_in_crowds(bench: Bench, cases: Sequence[Hedged]) -> None:
    """Go on only where the copy that returns is found among others that end when it does."""
    runs = [case.run(bench) for case in cases]
    if any(run.how == "raised" for run in runs):
        # A set's order is chance: which of them went wrong differs from one check to the next.
        runs[0].fail(
            "Several copies ended at the same moment, and one of them had returned. Look at every"
            " one in `done`, which is a set and has no order, before you say that all have failed.",
            wanted="the result of the copy that returned",
            seen="an exception, in one run or more of this kind",
            pictures=cases[0].pictures(runs[0]),
        )
    for run, case in zip(runs, cases, strict=True):
        _expect_answer(run, case)


def _expect_failure(run: Run, case: Hedged) -> None:
    error = case.steps[case.decides].error
    kind = type(error).__name__
    if run.how in ("raised", "returned"):
        _expect_starts(run, case)
    last = _copies(run)[case.decides].number if len(_copies(run)) > case.decides else None
    if run.how == "raised" and run.value.call is not None and run.value.call != last:
        run.fail(
            "Every copy has raised: of their exceptions, the one raised last in time reaches the"
            " caller. That need not be the one of the copy started last, let alone the first.",
            wanted=repr(error),
            seen=run.outcome,
            pictures=case.pictures(run),
        )
    raised = run.expect_raised(kind, "Every copy has raised: the last exception is raised.")
    run.expect(
        raised.call == last,
        "The exception itself reaches the caller, not one made up for it.",
        wanted=f"the {kind} that the copy raised",
        seen=run.outcome,
    )
    _settled(run, case)


def grade_hedge(bench: Bench) -> None:
    """5.3: a copy more where the answer is late, the first to return wins, the rest are ended."""
    chance = bench.random

    def ok(seconds: float, *, cleanup: float = 0.0, value: Any = DRAWN) -> Step:
        drawn = nonsense(chance, 3)
        return Step(seconds, value=drawn if value is DRAWN else value, cleanup=cleanup)

    def bad(seconds: float, *, error: Callable[[str], Exception] | None = None) -> Step:
        return Step(seconds, error=(error or chance.choice(ERRORS))(nonsense(chance)))

    slow = ok(20.0, cleanup=1.0)
    answers = [
        Hedged((ok(0.5),), (0.0,), 0),
        Hedged((slow, ok(1.0)), (0.0, 1.0), 1),
        Hedged((ok(1.5), slow), (0.0, 1.0), 0),
        Hedged((ok(21.0, cleanup=2.0), slow, ok(0.75)), (0.0, 1.5, 3.0), 2, delay=1.5, copies=3),
        Hedged((slow, ok(8.0)), (0.0, 1.0), 1),
        Hedged((slow, ok(8.0)), (0.0, 1.0), 1, copies=None),
        # A copy that raises brings the next one forward, and the delay counts from there.
        Hedged((bad(0.5), slow, ok(0.75)), (0.0, 0.5, 1.5), 2, copies=3),
        Hedged((bad(0.5, error=TimeoutError), ok(2.0)), (0.0, 0.5), 1, copies=2),
        Hedged((bad(1.5), slow, ok(3.0)), (0.0, 1.0, 1.5), 2, copies=3),
        Hedged((ok(6.0, cleanup=0.5), bad(1.5), ok(1.0)), (0.0, 2.0, 3.5), 2, delay=2.0, copies=5),
        Hedged((ok(5.0), bad(0.5), bad(0.75)), (0.0, 1.0, 1.5), 0, copies=3),
        # With one copy it is a plain call.
        Hedged((ok(3.0),), (0.0,), 0, copies=1),
        # An answer may be nothing much.
        *(
            Hedged((slow, ok(1.0, value=value)), (0.0, 1.0), 1)
            for value in (None, 0, "", False, LookupError(nonsense(chance)))
        ),
        Hedged((slow, ok(1.0)), (0.0, 1.0), 1, returns="task"),
        Hedged((slow, ok(1.0)), (0.0, 1.0), 1, returns="awaitable"),
    ]
    for case in answers:
        _expect_answer(case.run(bench), case)
    # Several end at the same moment, and one of them has returned.
    crowds = [
        Hedged((bad(2.0), ok(1.0)), (0.0, 1.0), 1),
        Hedged((ok(2.0), bad(1.0)), (0.0, 1.0), 0),
    ]
    for place in range(6):
        steps = tuple(ok(5.5 - n) if n == place else bad(5.5 - n) for n in range(6))
        starts = tuple(map(float, range(6)))
        crowds.append(Hedged(steps, starts, place, copies=6))
    _expect_answers_in_crowds(bench, crowds)
    failures = [
        Hedged((bad(0.5), bad(0.75)), (0.0, 0.5), 1),
        Hedged((bad(4.0), bad(0.5), bad(1.0)), (0.0, 1.0, 1.5), 0, copies=3),
        Hedged((bad(3.0), bad(0.5)), (0.0, 1.0), 0, copies=None),
        Hedged((bad(2.0, error=TimeoutError),), (0.0,), 0, copies=1),
    ]
    for case in failures:
        _expect_failure(case.run(bench), case)
    for copies in (0, -1):
        run = Hedged((ok(1.0),), (0.0,), 0, copies=copies).run(bench)
        run.expect_raised("ValueError", f"copies={copies} is under 1: that raises a ValueError.")
        run.expect(not run.calls, "With copies under 1 nothing may be started.")
    for at, starts in ((0.5, (0.0,)), (1.5, (0.0, 1.0))):
        case = Hedged((ok(20.0, cleanup=2.0), slow), starts, 0)
        run = case.run(bench, cancel_at=at)
        run.expect_cancelled()
        calls = _copies(run)
        run.expect(
            all(call.outcome == "cancelled" for call in calls) and run.seconds <= at + 3.0 + SLACK,
            "It was cancelled from outside: every copy has to be cancelled, too, and to finish.",
            wanted="cancelled and finished",
            seen=", ".join(f"copy {n} {call.outcome}" for n, call in enumerate(calls, 1)),
        )


EXERCISES = (
    Exercise(
        "5.1",
        "race",
        grade_race,
        hints=(
            (
                "There are three parts: start all, look at each as it ends, end the rest. The last"
                " part has to happen on every way out. Which statement sees to that?"
            ),
            (
                "Make a task of each attempt, by way of a small coroutine that awaits it: an"
                " attempt may return any awaitable. In a `try`, wait for the next to end"
                " (`asyncio.wait(..., return_when=FIRST_COMPLETED)`, as long as any is left), and"
                " look at every one in `done`. In the `finally`, `cancel_and_finish(tasks)`."
            ),
            (
                "waiting = set(tasks)\n"
                "try:\n"
                "    while waiting:\n"
                "        done, waiting = await asyncio.wait(waiting, return_when=...)\n"
                "        for task in done:\n"
                "            ...  # one that raised has lost; is the result valid? return it\n"
                "finally:\n"
                "    await cancel_and_finish(tasks)\n"
                "raise RuntimeError(...)"
            ),
        ),
        why=(
            "FIRST_COMPLETED says that something ended, good or bad, so the loop asks each one and"
            " goes on. The finally ends the rest on every way out: a winner, nobody left, an"
            " exception in `valid`, a cancellation from outside."
        ),
        worth=2,
    ),
    Exercise(
        "5.2",
        "race_within",
        grade_race_within,
        hints=(
            (
                "Which part of a race may take `seconds` at most, and which part may take as long"
                " as it needs?"
            ),
            (
                "Put `asyncio.timeout(seconds)` around the wait for a winner and the clean-up"
                " outside it. Or keep it around the whole race, and lift it in the moment there is"
                " a winner: `deadline.reschedule(None)`."
            ),
            (
                "async with asyncio.timeout(seconds) as deadline:\n"
                "    def wins(result):\n"
                "        ...  # valid? then deadline.reschedule(None)\n"
                "    return await race(attempts, wins)"
            ),
        ),
        why=(
            "The timeout cancels the race, and a race that is cancelled ends what it started. Once"
            " there is a winner the deadline is lifted, or a slow clean-up would throw away a"
            " result that was there in time. An attempt's own TimeoutError stays inside the race."
        ),
        worth=2,
    ),
    Exercise(
        "5.3",
        "hedge",
        grade_hedge,
        hints=(
            (
                "In each round one of three things happens: a copy returns, a copy raises, or the"
                " delay passes. What does each of them start?"
            ),
            (
                "Loop: start a copy, then `asyncio.wait(in_flight, timeout=delay,"
                " return_when=FIRST_COMPLETED)`; with the last copy out, wait without a timeout."
                " An empty `done` means that the delay has passed. Keep the latest exception."
            ),
            (
                "while True:\n"
                "    ...  # start a copy, if there may be one more\n"
                "    done, waiting = await asyncio.wait(waiting, timeout=..., return_when=...)\n"
                "    for copy in done:\n"
                "        ...  # returned: that is the result; raised: remember it\n"
                "    if not waiting and len(started) == copies:\n"
                "        raise failure"
            ),
        ),
        why=(
            "`asyncio.wait` with a timeout ends the wait and no task, so the first copy stays in"
            " the race. Each round starts the delay anew, which is why it counts from the latest"
            " copy. `finally` ends what is left, on every way out."
        ),
        worth=3,
    ),
)
