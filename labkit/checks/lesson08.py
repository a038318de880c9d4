"""Graders of lesson 08: fleets past the caps, batch results in place, and a caller that waits."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .. import look
from ..script import Reply
from ..trace import Call, Trace
from .exercise import Exercise
from .judge import Bench, Run, Step, Worker, nonsense, same, show
from .messages import Raised

Specs = list[Any]


def _split(specs: Specs, size: int) -> list[Specs]:
    return [specs[start : start + size] for start in range(0, len(specs), size)]


def _is_nested(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(
        isinstance(run, list | tuple) and all(isinstance(group, list | tuple) for group in run)
        for run in value
    )


def _sizes(runs: Any) -> str:
    """The sizes of the groups, run by run: ``3+3+1, 3``."""
    return ", ".join("+".join(str(len(group)) for group in run) or "(empty)" for run in runs)


def _expect_phases(run: Run, specs: Specs, at_once: int, per_run: int) -> None:
    wanted = [_split(each, at_once) for each in _split(specs, per_run)]
    asked = f"{len(specs)} specs, at_once={at_once}, per_run={per_run}"
    if run.how == "raised" and "ValueError" in run.value.family:
        run.fail(
            f"Only a cap under 1 is an error; any other will do ({asked}).",
            wanted=f"groups of {_sizes(wanted)}" if specs else "[]",
            seen=run.outcome,
        )
    if run.how == "raised" and "unhashable" in run.value.text:
        run.fail(
            "A spec may be a dict, which no set and no dict takes for a key. None has to be looked"
            " up: equal specs all stay.",
            wanted=f"groups of {_sizes(wanted)}",
            seen=run.outcome,
        )
    seen = run.answer()
    run.expect(
        _is_nested(seen),
        "It returns a list of runs; each run is a list of groups, and each group a list of specs.",
        wanted=show(wanted),
        seen=show(seen),
    )
    groups = [group for each in seen for group in each]
    sizes = {"wanted": f"groups of {_sizes(wanted)}", "seen": f"groups of {_sizes(seen)}"}
    run.expect(
        all(seen) and all(groups),
        f"No run and no group is empty ({asked}).",
        wanted=sizes["wanted"] if specs else "[]",
        seen=sizes["seen"] if specs else show(seen),
    )
    held = [spec for group in groups for spec in group]
    if not same(specs, held):
        lost = len(held) != len(specs)
        run.fail(
            f"Every spec stands in one group, once: nothing is lost or repeated ({asked})."
            if lost
            else "The specs stay in the order they came in, through groups and runs.",
            wanted=f"{len(specs)} specs" if lost else show(specs),
            seen=f"{len(held)} specs" if lost else show(held),
        )
    run.expect(
        all(len(group) <= at_once for group in groups),
        f"A group holds at most `at_once` specs ({asked}).",
        **sizes,
    )
    run.expect(
        all(sum(map(len, each)) <= per_run for each in seen),
        f"A run holds at most `per_run` specs in all its groups together ({asked}): the cap counts"
        " specs, not groups.",
        **sizes,
    )
    run.expect(
        same(wanted, seen),
        "Each run, and each group in it, is full before the next begins"
        f" ({asked}). Split into runs first, and then each run into groups of its own: no group"
        " reaches over the end of a run.",
        **sizes,
    )


def grade_phases(bench: Bench) -> None:
    """8.1: runs of at most so many, groups of at most so many, full before the next begins."""
    chance = bench.random
    for count, at_once, per_run in (
        (10, 3, 4),
        (12, 3, 6),
        (5, 10, 20),
        (9, 4, 3),
        (7, 1, 3),
        (3, 2, 1),
        (1, 7, 40),
    ):
        specs: Specs = [nonsense(chance, 1) for _ in range(count)]
        run = bench.run(specs, at_once=at_once, per_run=per_run)
        _expect_phases(run, specs, at_once, per_run)
    specs = [{"id": number, "topic": nonsense(chance, 1)} for number in range(1, 96)]
    _expect_phases(bench.run(specs), specs, 7, 40)
    # Equal specs are still several, and what looks like nothing is a spec.
    specs = [0, "", None, "same", "same", "same", 0]
    _expect_phases(bench.run(specs, at_once=2, per_run=5), specs, 2, 5)
    _expect_phases(bench.run([], at_once=2, per_run=5), [], 2, 5)
    for caps in ({"at_once": 0}, {"per_run": 0}, {"at_once": -1}, {"per_run": -3}):
        [(name, cap)] = caps.items()
        for specs in ([nonsense(chance, 1) for _ in range(3)], []):
            bench.run(specs, **caps).expect_raised(
                "ValueError",
                f"{name}={cap} is under 1: that raises a ValueError, for an empty list too.",
            )


def _requests(ids: Sequence[str]) -> list[dict[str, Any]]:
    return [{"custom_id": id, "params": {"max_tokens": 10}} for id in ids]


def _results(pairs: Sequence[tuple[str, Any]]) -> list[dict[str, Any]]:
    return [{"custom_id": id, "result": result} for id, result in pairs]


def _ids(chance: random.Random, count: int) -> list[str]:
    """Ids whose order says nothing: neither the alphabet nor their numbers keep it."""
    return [f"{nonsense(chance, 1)}-{number}" for number in chance.sample(range(1, 200), count)]


def _succeeded(chance: random.Random) -> dict[str, Any]:
    return {"type": "succeeded", "message": {"content": nonsense(chance)}}


def grade_join(bench: Bench) -> None:
    """8.2: each result beside its request, whatever the order; nothing twice, nothing unasked."""
    chance = bench.random
    in_place = (
        "Each result belongs to the request of the same custom_id, and the list has the order of"
        " the requests."
    )
    for count in (4, 1, 12):
        ids = _ids(chance, count)
        by_id = {id: _succeeded(chance) for id in ids}
        results = _results(list(by_id.items()))
        for order in (chance.sample(results, count), results[::-1]):
            bench.run(_requests(ids), order).expect_value([by_id[id] for id in ids], in_place)
    ids = _ids(chance, 4)
    by_id = {id: _succeeded(chance) for id in (ids[3], ids[1])}
    for results in (_results(list(by_id.items())), []):
        answered = {row["custom_id"]: row["result"] for row in results}
        wanted = [answered.get(id) for id in ids]
        missing = "Where no result came, None stands in the request's place."
        run = bench.run(_requests(ids), results)
        if run.how == "raised":
            why = f"{missing} That is no fault: a batch may end before each is answered."
            run.fail(why, wanted=show(wanted), seen=run.outcome)
        run.expect_value(wanted, missing)
    ids = _ids(chance, 5)
    error = {"type": "error", "error": {"type": "api_error", "message": nonsense(chance)}}
    ends: Specs = [
        _succeeded(chance),
        {"type": "errored", "error": error},
        {"type": "expired"},
        {"type": "canceled"},
        {"type": "succeeded", "message": None},
    ]
    falsy = [0, "", None, {}, False]
    for values, why in (
        (
            ends,
            "A result is handed on as it is, whatever its `type`: the caller looks at that.",
        ),
        (falsy, "A result is handed on as it is, also where it is 0, an empty text, or False."),
    ):
        pairs = list(zip(ids, values, strict=True))
        run = bench.run(_requests(ids), _results(pairs[::-1]))
        if run.how == "raised":
            run.fail(why, wanted=show(values), seen=run.outcome)
        run.expect_value(values, why)
    bench.run([], []).expect_value([], "Without requests there are no results.")

    ids = _ids(chance, 3)
    whole = _results([(id, _succeeded(chance)) for id in ids])
    again = _results([(ids[1], _succeeded(chance))])
    hollow = _results([(ids[1], None)])
    stranger = _results([(f"stranger-{nonsense(chance, 1)}", _succeeded(chance))])
    faults: tuple[tuple[Specs, Specs, str], ...] = (
        (_requests([*ids, ids[0]]), whole, "A custom_id stands twice among the requests"),
        (_requests([ids[0], ids[0]]), [], "A custom_id stands twice among the requests"),
        (_requests(ids), [*whole, *again], "A custom_id stands twice among the results"),
        (_requests(ids), [*whole, whole[2]], "A custom_id stands twice among the results"),
        # As many results as requests, or fewer: how many there are does not tell.
        (_requests(ids), [*whole[:2], *again], "A custom_id stands twice among the results"),
        (_requests(ids), [whole[1], *again], "A custom_id stands twice among the results"),
        (_requests(ids), [*hollow, *again], "A custom_id stands twice among the results"),
        (_requests(ids), [*hollow, *hollow], "A custom_id stands twice among the results"),
        (_requests(ids), [*stranger, *whole], "A result came that no request asked for"),
        (_requests(ids), [*whole[:2], *stranger], "A result came that no request asked for"),
        ([], stranger, "A result came that no request asked for"),
    )
    for requests, results, fault in faults:
        bench.run(requests, results).expect_raised(
            "ValueError", f"{fault}: that raises a ValueError."
        )


@dataclass(frozen=True)
class Try:
    """What one call does.

    Attributes:
        seconds: How long it takes.
        status: The HTTP status that it is refused with; None where it is not.
        retry_after: The ``retry-after`` header of the refusal, in seconds; None for no header.
        value: What it returns where it is not refused.
        error: What it raises instead.
    """

    seconds: float = 1.0
    status: Literal[400, 429, 529] | None = None
    retry_after: float | None = None
    value: Any = None
    error: Exception | None = None

    @property
    def wait(self) -> float:
        """Seconds that a polite caller waits after it."""
        return 1.0 if self.retry_after is None else self.retry_after


def refused(retry_after: float | None, seconds: float = 1.0) -> Try:
    """A call that is told to come back later."""
    return Try(seconds, 429, retry_after)


class Service:
    """What the learner's function calls: each call takes the next try, the last one for good.

    Args:
        tries: What the calls do, in order.
        returns: As in `Worker`.
    """

    def __init__(
        self,
        tries: Sequence[Try],
        returns: Literal["coroutine", "task", "awaitable"] = "coroutine",
    ) -> None:
        self.tries = list(tries)
        self._left = itertools.chain(self.tries, itertools.repeat(self.tries[-1]))
        self.call = Worker(self._step, name="call", refuses=True, returns=returns)

    def _step(self) -> Step:
        this = next(self._left)
        if this.status is not None:
            refusal = Reply(fails=this.status, retry_after=this.retry_after)
            return Step(this.seconds, refusal=refusal)
        return Step(this.seconds, value=this.value, error=this.error)

    def ideal(self) -> Trace:
        """The calls as a polite caller makes them."""
        calls, now = [], 0.0
        for this in self.tries:
            outcome = str(this.status or ("failed" if this.error else "ok"))
            calls.append(Call("call", now, now + this.seconds, outcome))
            now += this.seconds + this.wait
        return Trace(calls, "free")


def _expect_calls(run: Run, service: Service) -> None:
    """Go on only where the calls were made, one after another, each after the wait it was told."""
    seen, ideal = run.of("call"), service.ideal()
    pictures = (("yours", run.trace()), ("wanted", ideal))
    if len(seen) != len(ideal.calls):
        last = service.tries[-1]
        if len(seen) < len(ideal.calls):
            why = "It gave up too early: a call that was refused is made again"
            why += ", `attempts` calls in all."
        elif last.status == 429:
            why = "It made a call too many: `attempts` counts all calls, the first one too."
        elif last.status or last.error:
            why = "Only a RateLimitError is worth another call; any other failure is final."
        else:
            why = "It went on calling after a call had returned."
        wanted = look.count(len(ideal.calls), "call")
        run.fail(why, wanted=wanted, seen=look.count(len(seen), "call"), pictures=pictures)
    now = 0.0
    for before, call, planned in zip([None, *service.tries], seen, ideal.calls, strict=False):
        since, now = call.start - now, planned.end or 0.0
        if abs(call.start - planned.start) < 1e-6:
            continue
        told = before.retry_after if before else None
        if before is None:
            why = "The first call is made at once: nothing is to be waited for yet."
        elif told is None:
            why = "This refusal had no `retry-after` header: then it is one second."
        elif told == 0:
            why = "A `retry-after` of 0 says: at once. Zero is a figure as any other."
        elif since < 1e-6 and told >= 1:
            why = (
                f"The service said `retry-after: {told:g}`, and no time passed before the next"
                " call. `await asyncio.sleep(seconds)` waits: without its `await` it does nothing,"
                " and `time.sleep` stops the whole event loop, its clock too."
            )
        else:
            why = (
                f"The service said `retry-after: {told:g}`: the next call is made that many seconds"
                " after the refusal, fractions and all. The header is in"
                " `error.response.headers`."
            )
        run.fail(
            why,
            wanted=f"a call at {planned.start:.3f} s",
            seen=f"a call at {call.start:.3f} s",
            pictures=pictures,
        )


def _expect_unbroken(run: Run) -> None:
    """Go on only where every call was left to take its time."""
    if any(call.outcome == "cancelled" for call in run.of("call")):
        run.fail(
            "It broke off a call that was still running: how long one may take is not for polite"
            " to say. Leave out the time-out.",
            wanted="the call runs to its end",
            seen=run.outcome,
            pictures=(("yours", run.trace()),),
        )


def _explain_header(run: Run, last: Try) -> None:
    """Say what it was about a refusal that a function of the learner's could not read, if any."""
    if last.status != 429:
        return
    raised: Raised = run.value
    if "already awaited" in raised.text:
        run.fail(
            "It awaits one call twice, and a call that was refused stays refused. `call()` makes a"
            " new one: call it again each time.",
            wanted=look.count(len(run.of("call")) + 1, "call"),
            seen=run.outcome,
        )
    missing = raised.kind == "AttributeError"
    if missing and ("'RateLimitError'" in raised.text or "'Response'" in raised.text):
        why = "The headers are those of the error's response: `error.response.headers`."
    elif raised.kind in ("KeyError", "TypeError") and last.retry_after is None:
        why = "This refusal has no `retry-after` header: the wait is then one second."
    elif raised.kind == "KeyError":
        why = "The header is named `retry-after`."
    elif raised.kind in ("ValueError", "TypeError") and last.retry_after is not None:
        why = (
            f"This refusal's header says `retry-after: {last.retry_after:g}`, as text. It may be a"
            " fraction: read it with `float`."
        )
    else:
        return
    run.fail(why, wanted=f"a wait of {last.wait:g} s", seen=run.outcome)


def _expect_over(run: Run, service: Service, why: str) -> None:
    """Go on only where it was over with its last call; a picture of the calls would not tell."""
    wanted = service.ideal().seconds
    run.expect(
        abs(run.seconds - wanted) < 1e-6,
        why,
        wanted=f"over at {wanted:.3f} s",
        seen=f"over at {run.seconds:.3f} s",
    )


def _expect_result(bench: Bench, service: Service, **options: Any) -> None:
    run = bench.run(service.call, **options)
    last = service.tries[-1]
    _expect_unbroken(run)
    if run.how == "raised" and "RateLimitError" in run.value.family:
        run.fail(
            "A refusal reached the caller, though calls were left: catch"
            " `anthropic.RateLimitError`, wait, and call again."
            if run.value.line
            else "A refusal reached the caller, past polite: it is raised where the call is"
            " awaited, and polite did not await it. Begin it with `async def polite`, and"
            " `await call()` inside its `try`.",
            wanted=show(last.value),
            seen=run.outcome,
            pictures=(("yours", run.trace()), ("wanted", service.ideal())),
        )
    if run.how == "raised" and run.value.call is None and run.of("call"):
        _explain_header(run, service.tries[len(run.of("call")) - 1])
    seen = run.answer()
    _expect_calls(run, service)
    why = "It returns what the call returned."
    if not last.value:
        why += " `None`, 0 and an empty text are results too; only an exception is a refusal."
    run.expect(same(last.value, seen), why, wanted=show(last.value), seen=show(seen))
    _expect_over(
        run,
        service,
        "It is over as soon as a call has returned; there is nothing left to wait for.",
    )


def _expect_failure(bench: Bench, service: Service, **options: Any) -> None:
    run = bench.run(service.call, **options)
    last = service.tries[-1]
    if last.status == 429:
        kind, why = (
            "RateLimitError",
            "When the last call is refused too, its error reaches the caller.",
        )
    else:
        kind = {400: "BadRequestError", 529: "OverloadedError", None: type(last.error).__name__}[
            last.status
        ]
        why = (
            f"A {kind} is no RateLimitError, whatever its headers say: it reaches the caller at"
            " once, as it is."
        )
    raised = run.expect_raised(kind, why)
    _expect_calls(run, service)
    numbers = [call.number for call in run.of("call")]
    run.expect(
        raised.call == numbers[-1],
        "What reaches the caller is the error of the last call, itself.",
        wanted=f"the error of call {len(numbers)}",
        seen=f"the error of call {numbers.index(raised.call) + 1}"
        if raised.call in numbers
        else f"a {raised.kind} that no call raised",
    )
    _expect_over(
        run,
        service,
        "After the last call there is nothing left to wait for: its error reaches the caller at"
        " once.",
    )


def grade_polite(bench: Bench) -> None:
    """8.3: wait as long as the service says, and no longer; give up after so many calls."""
    chance = bench.random
    for tries, options in (
        ([Try(value=nonsense(chance))], {}),
        ([refused(2.0), Try(value=nonsense(chance))], {}),
        ([refused(7.0), refused(0.25), Try(2.0, value=nonsense(chance))], {}),
        ([refused(None), Try(value=nonsense(chance))], {}),
        ([refused(0.0), refused(None), refused(3.0), Try(value=nonsense(chance))], {}),
        ([*[refused(1.5)] * 5, Try(value=nonsense(chance))], {"attempts": 6}),
        # Neither a long wait nor a long call is cut short.
        ([refused(480.0), Try(value=nonsense(chance))], {}),
        ([refused(2.0, 1_200.0), Try(3_600.0, value=nonsense(chance))], {}),
        ([Try(value=nonsense(chance))], {"attempts": 1}),
    ):
        _expect_result(bench, Service(tries), **options)
    falsy: Any
    for falsy in (None, 0, "", []):
        _expect_result(bench, Service([refused(1.0), Try(value=falsy)]))

    _expect_failure(bench, Service([refused(2.0)] * 4))
    _expect_failure(bench, Service([refused(2.0), refused(9.0)]), attempts=2)
    _expect_failure(bench, Service([refused(5.0)]), attempts=1)
    overloaded, broken = Try(status=529, retry_after=2.0), Try(error=ValueError(nonsense(chance)))
    for tries in (
        [overloaded],
        [Try(status=400)],
        [broken],
        [refused(2.0), overloaded],
        [refused(2.0), broken],
    ):
        _expect_failure(bench, Service(tries))

    for attempts in (0, -1):
        run = bench.run(Service([Try(value="called")]).call, attempts=attempts)
        run.expect_raised("ValueError", f"attempts={attempts} is under 1: that is a ValueError.")
        run.expect(not run.calls, "With `attempts` under 1 no call is made.")
    # Any awaitable will do for a call, not only a coroutine.
    for returns in ("task", "awaitable"):
        tries = [refused(1.0), Try(value=nonsense(chance))]
        _expect_result(bench, Service(tries, returns))
    for moment in (0.5, 3.0, 6.5):  # in a call, in the wait after it, in the call after that
        service = Service([refused(5.0), Try(value="late")])
        bench.run(service.call, cancel_at=moment).expect_cancelled()


EXERCISES = (
    Exercise(
        "8.1",
        "phases",
        grade_phases,
        hints=(
            "Two splits of the same kind, one inside the other. Which has to come first?",
            (
                "Cut the specs into runs of `per_run`; then cut each run by itself into groups of"
                " `at_once`. A slice past the end of a list is just shorter. Check the caps first."
            ),
            (
                "runs = [specs[n : n + per_run] for n in range(0, len(specs), per_run)]\n"
                "return [[run[n : n + at_once] for n in range(0, len(run), at_once)] for run ...]"
            ),
        ),
        why=(
            "Runs first: cut into groups first, and a group may reach over the end of a run, so"
            " that the run holds more than its cap or the group less than it could."
        ),
    ),
    Exercise(
        "8.2",
        "join_by_id",
        grade_join,
        hints=(
            "The order of arrival says nothing. What does each result carry that its request has?",
            (
                "A dict from `custom_id` to `result`, then one look-up for each request. A dict"
                " keeps one of two equal keys, so count before you rely on it."
            ),
            (
                "by_id = {row['custom_id']: row['result'] for row in results}\n"
                "if len(by_id) < len(results): raise ValueError(...)\n"
                "return [by_id.get(request['custom_id']) for request in requests]"
            ),
        ),
        why=(
            "The two lists are checked before they are joined: in a dict a second answer would"
            " silently replace the first, and an answer nobody asked for would vanish."
        ),
    ),
    Exercise(
        "8.3",
        "polite",
        grade_polite,
        hints=(
            "One refusal is one exception. After which of the calls is there no wait?",
            (
                "Catch `RateLimitError` around the call, read `retry-after` from"
                " `error.response.headers` as a float (1.0 where it is missing), sleep, go round"
                " again. The last call needs no `try`: its error may pass."
            ),
            (
                "for _ in range(attempts - 1):\n"
                "    try:\n"
                "        return await call()\n"
                "    except RateLimitError as refused:\n"
                "        seconds = float(refused.response.headers.get('retry-after', 1.0))\n"
                "    await asyncio.sleep(seconds)"
            ),
        ),
        why=(
            "All calls but the last stand in the loop, so the last one's error reaches the caller"
            " by itself: no counter to compare, no exception to keep, and no wait for nothing."
        ),
        worth=2,
    ),
)
