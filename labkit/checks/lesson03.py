"""Graders of lesson 03: results in their places, as they come, capped, settled, or stopped."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import replace
from typing import Any

from ..trace import Trace
from .exercise import Exercise
from .judge import (
    Bench,
    Callback,
    Observed,
    Run,
    Step,
    Worker,
    foreigners,
    nonsense,
    plan,
    same,
    show,
)
from .messages import Raised


class Crew:
    """Workers that each take their own time; which is which is told by the subtask.

    Args:
        subtasks: What there is to do; of two equal ones, the one called first takes the first step.
        steps: What the worker of each does.
        cleans: Whether a clean-up may take time.
    """

    def __init__(self, subtasks: Sequence[str], steps: Sequence[Step], *, cleans: bool = False):
        self.subtasks = list(subtasks)
        self.steps = list(steps)
        self.worker = Worker(self._step, cleans=cleans)
        self._left: dict[str, list[Step]] = {}
        self._taken: list[Step] = []
        for subtask, step in zip(subtasks, steps, strict=True):
            self._left.setdefault(subtask, []).append(step)

    @property
    def values(self) -> list[Any]:
        """What the workers return, in dispatch order."""
        return [step.value for step in self.steps]

    @property
    def seconds(self) -> float:
        """How long the slowest worker takes."""
        return max(step.seconds for step in self.steps)

    @property
    def twins(self) -> list[int]:
        """The places of the two equal subtasks, where there are two."""
        return [n for n, task in enumerate(self.subtasks) if self.subtasks.count(task) > 1]

    def ways(self) -> list[list[Step]]:
        """The steps by place, as the calls may have taken them.

        Nothing but 3.3 says in which order workers are started, and nobody can tell which of two
        equal calls was meant for which place.
        """
        swapped = self.steps.copy()
        if self.twins:
            first, second = self.twins
            swapped[first], swapped[second] = swapped[second], swapped[first]
        return [self.steps, swapped]

    def ideal(self) -> Trace:
        """All workers together."""
        return plan(
            *((task, 0.0, s.seconds) for task, s in zip(self.subtasks, self.steps, strict=True))
        )

    def arrived(self, run: Run) -> list[Any]:
        """The workers' results in the order in which they came."""
        calls = zip(run.of("worker"), self._taken, strict=False)
        ended = sorted(calls, key=lambda pair: pair[0].end if pair[0].end is not None else math.inf)
        return [step.value for _, step in ended]

    def call_of(self, run: Run, step: Step) -> Observed:
        """The call of the worker that took a step."""
        calls = zip(run.of("worker"), self._taken, strict=False)
        return next(call for call, taken in calls if taken is step)

    def _step(self, task: Any = None, *_: Any, **__: Any) -> Step:
        left = self._left.get(task if isinstance(task, str) else "")
        step = left.pop(0) if left else Step(1.0)
        self._taken.append(step)
        return step


ANYTHING: tuple[Any, ...] = (None, "", 0, False, [])
"""What a worker may return as well as a text."""

ERRORS: tuple[Callable[[str], Exception], ...] = (
    RuntimeError,
    ValueError,
    KeyError,
    TimeoutError,
    ConnectionError,
)

MANY = 40
"""More workers than any cap that nobody asked for would let run at once."""


READABLE = 10
"""Bars that a timeline in a verdict can hold."""


def _subtasks(chance: random.Random, count: int) -> list[str]:
    return [nonsense(chance) for _ in range(count)]


def _crew(
    chance: random.Random,
    seconds: Sequence[float],
    *,
    values: Sequence[Any] | None = None,
    twins: tuple[int, int] | None = None,
    failing: Set[int] = frozenset(),
) -> Crew:
    subtasks = _subtasks(chance, len(seconds))
    if twins:
        subtasks[twins[1]] = subtasks[twins[0]]
    if values is None:
        values = [nonsense(chance, 3) for _ in seconds]
    steps = [Step(s, value=v) for s, v in zip(seconds, values, strict=True)]
    kinds = itertools.cycle(chance.sample(ERRORS, len(ERRORS)))
    for place in sorted(failing):
        steps[place] = Step(seconds[place], error=next(kinds)(nonsense(chance)))
    return Crew(subtasks, steps)


def _crews(chance: random.Random) -> Iterator[Crew]:
    """Crews that run together: a plain one, one alone, equal subtasks, odd results, many."""
    yield _crew(chance, [3.0, 1.0, 2.0, 4.0])
    yield _crew(chance, [2.0])
    yield _crew(chance, [3.0, 1.0, 2.0, 4.0], twins=(0, 2))
    odd = [nonsense(chance, 3), *chance.sample(ANYTHING, len(ANYTHING)), nonsense(chance, 3)]
    yield _crew(chance, [5.0, 3.0, 7.0, 1.0, 6.0, 2.0, 4.0], values=odd)
    yield _crew(chance, chance.sample(range(1, MANY + 1), MANY))


def _task(call: Observed) -> Any:
    return call.args[0] if call.args else call.kwargs.get("task")


def _nobody() -> Crew:
    return Crew([], [])


def _each_once(run: Run, crew: Crew) -> None:
    seen = [_task(call) for call in run.of("worker")]
    right = same(sorted(crew.subtasks), sorted(map(str, seen)))
    why = "Each subtask goes to the worker once, and nothing else does."
    if not right and set(map(str, seen)) == set(crew.subtasks) and len(seen) < len(crew.subtasks):
        why = "Subtasks may repeat: two equal ones are still two calls of the worker."
    run.expect(right, why, wanted=show(crew.subtasks), seen=show(seen))


def _results(run: Run, crew: Crew, ways: Sequence[Sequence[Step]] | None = None) -> None:
    """Go on only where each result stands in its place, in one of the ways it may have come."""
    seen = run.answer()
    values = [[step.value for step in way] for way in ways or crew.ways()]
    wanted = values[0]
    if any(same(way, seen) for way in values):
        return
    why = "It returns each worker's result, in dispatch order."
    if isinstance(seen, list | tuple):
        texts = sorted(map(repr, wanted))
        if same(crew.arrived(run), seen):
            why = (
                "All results, but in the order of arrival. Whoever ends first still belongs in the"
                " place of its subtask."
            )
        elif sorted(map(repr, seen)) == texts:
            why = "All results, but not in dispatch order: each in the place of its own subtask."
        elif same([item for item in wanted if item], [item for item in seen if item]):
            why = (
                "A worker may return anything: None, 0, False and what is empty are results too,"
                " and each keeps its place in dispatch order."
            )
        elif _merged(crew, seen):
            why = MERGED
    run.expect_value(wanted, why)


MERGED = (
    "Subtasks may repeat: two equal ones have a result each, in dispatch order. Keep results by"
    " place, not by subtask."
)


def _merged(crew: Crew, seen: Sequence[Any]) -> bool:
    """Whether equal subtasks were given one result."""
    if not crew.twins:
        return False
    first, second = crew.twins
    whole = len(seen) == len(crew.subtasks)
    return same(seen[first], seen[second]) if whole else len(seen) == len(set(crew.subtasks))


AT_ONCE = (
    "All workers run together: the time is that of the slowest. Start every one before you wait"
    " for any."
)


def _in_time(run: Run, crew: Crew) -> None:
    """Go on only where all workers ran together and it was through with the slowest."""
    if run.in_flight < len(crew.subtasks) > READABLE:
        run.fail(
            "Some workers were held back until others had ended. Nobody asked for a cap here: all"
            " of them run together.",
            wanted=f"{len(crew.subtasks)} in flight",
            seen=f"{run.in_flight} in flight at most",
        )
    together = all(call.start == 0 for call in run.of("worker"))
    run.expect_seconds(
        crew.seconds,
        "It came back some time after its last worker had ended. Await the workers themselves:"
        " whoever sleeps, or looks again and again, notices late."
        if together
        else AT_ONCE,
        crew.ideal(),
    )


def _cancelled(bench: Bench, *more: Any, **named: Any) -> None:
    crew = _crew(bench.random, [3.0, 2.0, 4.0])
    bench.run(crew.worker, crew.subtasks, *more, cancel_at=1.0, **named).expect_cancelled()


def grade_dispatch(bench: Bench) -> None:
    """3.1: all together, then the lines, in dispatch order."""
    chance = bench.random
    for seconds, twins in (
        ([3.0, 1.0, 2.0], None),
        ([1.0], None),
        ([1.0, 1.0, 4.0, 2.0], None),
        ([3.0, 1.0, 2.0, 4.0], (0, 2)),
        ([float(n) for n in chance.sample(range(1, MANY + 1), MANY)], None),
    ):
        # The length is what the worker says, be it right or wrong, and may have several digits.
        lengths = chance.choices([0, 7, 12, 305], k=len(seconds))
        reports = [f"{nonsense(chance, 1).upper()} ({length})" for length in lengths]
        crew = _crew(chance, seconds, values=reports, twins=twins)
        run = bench.run(crew.worker, crew.subtasks)
        seen = run.answer()
        _each_once(run, crew)
        run.expect(
            not run.printed_early,
            "Something was printed while a worker still ran. Print when all are done: until then,"
            " nobody knows whether there will be a result.",
            wanted="nothing printed before the last worker is done",
            seen=f"printed before that: {show(run.printed_early)}",
        )
        ways = [_lines([step.value for step in way]) for way in crew.ways()]
        text, final = next((way for way in ways if way[0] == run.printed), ways[0])
        run.expect(
            run.printed == text,
            _lines_differ(text, run, crew),
            wanted=show(text),
            seen=show(run.printed),
        )
        run.expect(
            same(final, seen),
            "It returns the final text, without `final: ` in front."
            if seen is not None
            else "It returned None: the final text is printed, and returned as well, without"
            " `final: ` in front.",
            wanted=show(final),
            seen=show(seen),
        )
        _in_time(run, crew)
    run = bench.run(_nobody().worker, [])
    run.expect_value("", "Without subtasks the final text is empty.")
    run.expect(
        run.printed == "final: \n" and not run.calls,
        "Without subtasks just the line `final: ` is printed, and no worker is started.",
        wanted=show("final: \n"),
        seen=show(run.printed),
    )
    _cancelled(bench)


def _lines(reports: Sequence[str]) -> tuple[str, str]:
    final = " | ".join(report.replace(" (", "-").removesuffix(")") for report in reports)
    lines = [f"worker {n}: {report}\n" for n, report in enumerate(reports, 1)]
    return "".join([*lines, f"final: {final}\n"]), final


def _lines_differ(wanted: str, run: Run, crew: Crew) -> str:
    lines, right = run.printed.splitlines(), wanted.splitlines()
    reports = [line.partition(": ")[2] for line in lines[:-1]]
    if run.printed.split() == wanted.split():
        return (
            "The words are right, the white space is not: each line ends in one line break, and"
            " nothing else is printed."
        )
    if lines[:-1] == right[:-1]:
        return (
            "The final line is not as the exercise has it: `WORD (LENGTH)` becomes `WORD-LENGTH`,"
            " whatever length the worker tells, joined by ` | ` in dispatch order."
        )
    if lines and lines[0].startswith("worker 0"):
        return "The lines count the workers from 1."
    if same(crew.arrived(run), reports):
        return (
            "All lines, but in the order of arrival. Whoever ends first still belongs in the line"
            " of its subtask: they stand in dispatch order."
        )
    if _merged(crew, reports):
        return (
            f"Subtasks may repeat, and each has a line of its own: {len(crew.subtasks)} subtasks"
            f" are {len(right)} lines with the final one. Keep results by place, not by subtask."
        )
    return (
        "The lines are not as the exercise has them: one for each worker, in dispatch order, then"
        " the final one."
    )


def grade_streaming(bench: Bench) -> None:
    """3.2: each result is told when it is there; all are returned in dispatch order."""
    for crew in _crews(bench.random):
        run = bench.run(crew.worker, crew.subtasks, Callback(lambda *_: None, name="on_result"))
        run.answer()
        told = [call.args for call in run.of("on_result")]
        run.expect(
            not any(found.kind == "coroutine" for found in foreigners(told)),
            "`on_result` was given a coroutine where a result belongs: an `await` is missing.",
            seen=show(told),
        )
        _each_once(run, crew)
        if any(call.start > 0 for call in run.of("worker")):
            _in_time(run, crew)
        _results(run, crew, [_told(run, crew)])
        _in_time(run, crew)
    quiet = Callback(lambda *_: None, name="on_result")
    run = bench.run(_nobody().worker, [], quiet)
    run.expect_value([], "Without subtasks there are no results.")
    run.expect(not run.calls, "Without subtasks nothing is started and nothing is told.")
    _cancelled(bench, quiet)


def _told(run: Run, crew: Crew) -> list[Step]:
    """Go on only where `on_result` was called as it should be; the steps by place as told."""
    count = len(crew.subtasks)
    calls = run.of("on_result")
    told = [call.args for call in calls]
    run.expect(
        len(calls) == count,
        "`on_result` is called once for each worker.",
        wanted=f"{count} calls",
        seen=f"{len(calls)} calls" + (f": {show(told)}" if told else ""),
    )
    run.expect(
        all(len(args) == 2 for args in told),
        "`on_result(index, result)` is called with two values, the place of the subtask and the"
        " worker's result.",
        seen=show(told),
    )
    times = [call.start for call in calls]
    ended = sorted(step.seconds for step in crew.steps)
    run.expect(
        times == ended,
        "`on_result` was called for all of them at one moment, when the last worker had ended. Call"
        " it at the moment each worker ends, in order of finishing."
        if count > 1 and set(times) == {crew.seconds}
        else "`on_result` has to be called at the moment a worker ends, in order of finishing,"
        " whichever worker that is.",
        wanted="at " + ", ".join(f"{moment:.3f} s" for moment in ended),
        seen="at " + ", ".join(f"{moment:.3f} s" for moment in times),
    )
    rows = [_rows(way) for way in crew.ways()]
    right = [way for way, wanted in zip(crew.ways(), rows, strict=True) if same(wanted, told)]
    if not right:
        run.fail(_misplaced(rows[0], told, crew), wanted=show(rows[0]), seen=show(told))
    return right[0]


def _rows(steps: Sequence[Step]) -> list[tuple[int, Any]]:
    """The place and the result of each worker, in order of finishing."""
    order = sorted(range(len(steps)), key=lambda place: steps[place].seconds)
    return [(place, steps[place].value) for place in order]


def _misplaced(
    wanted: Sequence[tuple[int, Any]], told: Sequence[tuple[Any, ...]], crew: Crew
) -> str:
    """What to say of an `on_result` that was called in time, but not with what it should be."""
    places = [index for index, _ in wanted]
    seen = [args[0] for args in told]
    if same([row[::-1] for row in wanted], told):
        return "`on_result(index, result)`: the index comes first, then the result."
    if not same([value for _, value in wanted], [args[1] for args in told]):
        return "`on_result` is told the result of the worker that has just ended."
    if same([place + 1 for place in places], seen):
        return "`index` counts from 0."
    if same(list(range(len(places))), seen):
        return (
            "`index` is the place of the result's own subtask, in dispatch order. This one counts"
            " who came first, second and third."
        )
    if crew.twins and seen.count(crew.twins[0]) > 1:
        return (
            "Subtasks may repeat: two equal ones are two places. Keep the place with each worker,"
            " do not look it up."
        )
    return "`index` is the place of the result's own subtask, counted from 0."


def _capped(crew: Crew, limit: int) -> Trace:
    free = [0.0] * limit
    rows = []
    for task, step in zip(crew.subtasks, crew.steps, strict=True):
        start = min(free)
        free[free.index(start)] = start + step.seconds
        rows.append((task, start, start + step.seconds))
    return plan(*rows)


def grade_bounded(bench: Bench) -> None:
    """3.3: never more than `limit` in flight, and no place stands empty."""
    chance = bench.random
    odd = [*chance.sample(ANYTHING, len(ANYTHING)), nonsense(chance, 3)]
    many = [float(n) for n in chance.choices(range(1, 9), k=MANY)]
    for crew, limit in (
        (_crew(chance, [3.0, 1.0, 1.0, 1.0, 2.0]), 2),
        (_crew(chance, [2.0, 1.0, 3.0]), 1),
        (_crew(chance, [1.0, 2.0, 3.0]), 5),
        (_crew(chance, [4.0, 1.0, 2.0, 1.0, 3.0, 1.0], twins=(1, 4)), 3),
        (_crew(chance, [2.0, 3.0, 1.0, 1.0, 4.0, 2.0], values=odd), 2),
        (_crew(chance, many), MANY // 2),
    ):
        run = bench.run(crew.worker, crew.subtasks, limit=limit)
        run.answer()
        _each_once(run, crew)
        ideal = _capped(crew, limit)
        _filled(run, crew, limit, ideal)
        _results(run, crew, [crew.steps])
        run.expect_seconds(ideal.seconds, "It ends when the last worker does.", ideal)
    for limit in (0, -1):
        for subtasks in (_subtasks(chance, 2), []):
            crew = Crew(subtasks, [Step(1.0)] * len(subtasks))
            run = bench.run(crew.worker, subtasks, limit=limit)
            rule = "A limit under 1 raises a ValueError, before any worker is started."
            if run.how in ("stuck", "spun"):
                run.fail(
                    f"With limit={limit} it never comes back: no worker may run, so none ends."
                    f" {rule}",
                    wanted="ValueError",
                )
            run.expect_raised(
                "ValueError", f"limit={limit} is under 1. {rule} That holds for an empty list too."
            )
            run.expect(not run.calls, f"limit={limit}, and a worker was started. {rule}")
    run = bench.run(_nobody().worker, [], limit=2)
    run.expect_value([], "Without subtasks there are no results.")
    _cancelled(bench, limit=2)


def _filled(run: Run, crew: Crew, limit: int, ideal: Trace) -> None:
    """Go on only where each worker started in its turn, as soon as there was a place."""
    readable = len(crew.subtasks) <= READABLE
    pictures = (("yours", run.trace()), ("wanted", ideal)) if readable else ()
    most = min(limit, len(crew.subtasks))
    if run.in_flight > limit:
        run.fail(
            f"More than limit={limit} workers were in flight.",
            wanted=f"{limit} in flight at most",
            seen=f"{run.in_flight} in flight",
            pictures=pictures,
        )
    if run.in_flight < most:
        run.fail(
            f"limit={limit} was not used: there were workers enough to fill every place, and places"
            " stood empty all the time."
            + (" They ran one after another." if run.in_flight == 1 else ""),
            wanted=f"{most} in flight",
            seen=f"{run.in_flight} in flight",
            pictures=pictures,
        )
    # Two that start at the same moment may do so in either order.
    calls = sorted(run.of("worker"), key=lambda c: (c.start, crew.subtasks.index(str(_task(c)))))
    started = [_task(call) for call in calls]
    run.expect(
        started == crew.subtasks,
        "The workers are started in dispatch order.",
        wanted=show(crew.subtasks),
        seen=show(started),
    )
    for call, planned in zip(calls, ideal.calls, strict=True):
        if call.start != planned.start:
            run.fail(
                "A place stood empty while a subtask waited."
                + (
                    " Batch by batch, a free place waits for the slowest of its batch."
                    if _in_batches(calls)
                    else ""
                )
                + " Fill it at once.",
                wanted=f"{planned.lane} starts at {planned.start:.3f} s",
                seen=f"it started at {call.start:.3f} s",
                pictures=pictures,
            )


def _in_batches(calls: Sequence[Observed]) -> bool:
    """Whether each call but those of the first moment waited until all before it had ended."""
    return all(
        earlier.end is not None and earlier.end <= call.start
        for call in calls
        for earlier in calls
        if earlier.start < call.start
    )


def grade_settled(bench: Bench) -> None:
    """3.4: everyone finishes; a failure keeps its place."""
    chance = bench.random
    seconds = [3.0, 1.0, 4.0, 2.0, 5.0]
    odd = chance.sample(ANYTHING, len(ANYTHING))
    many = [float(n) for n in chance.sample(range(1, MANY + 1), MANY)]
    for crew in (
        _crew(chance, seconds, failing={1}),
        _crew(chance, seconds, failing={0, 2, 3}),
        _crew(chance, seconds),
        _crew(chance, seconds, failing={0, 1, 2, 3, 4}),
        _crew(chance, seconds, twins=(0, 3), failing={0}),
        _crew(chance, seconds, twins=(0, 3)),
        _crew(chance, seconds, values=odd),
        _crew(chance, many, failing={5, 30}),
    ):
        run = bench.run(crew.worker, crew.subtasks)
        if run.how == "raised" and any(leaf.call is not None for leaf in run.value.leaves()):
            run.fail(
                "A worker's failure reached the caller. It belongs in that worker's place, and the"
                " others finish.",
                wanted="a list",
                seen=run.outcome,
            )
        run.answer()
        _each_once(run, crew)
        _settled(run, crew)
        _in_time(run, crew)
    bench.run(_nobody().worker, []).expect_value([], "Without subtasks there are no results.")
    _cancelled(bench)


def _settled(run: Run, crew: Crew) -> None:
    """Go on only where each place holds what its worker returned or raised."""
    seen = run.answer()
    run.expect(
        isinstance(seen, list | tuple) and len(seen) == len(crew.steps),
        MERGED
        if isinstance(seen, list | tuple) and _merged(crew, seen)
        else "There is one place for each subtask, whether its worker failed or not, and whatever"
        " it returned.",
        wanted=f"{len(crew.steps)} places",
        seen=show(seen),
    )

    def held(step: Step, item: Any) -> bool:
        if step.error is None:
            return same(step.value, item)
        return isinstance(item, Raised) and item.call == crew.call_of(run, step).number

    if any(all(map(held, way, seen)) for way in crew.ways()):
        return
    for place, (step, item) in enumerate(zip(crew.steps, seen, strict=True)):
        if held(step, item):
            continue
        if _merged(crew, seen):
            why = MERGED
        elif isinstance(item, Raised) and "CancelledError" in item.family:
            why = "A worker was cancelled: here, when one fails, the others go on and finish."
        elif step.error is not None:
            why = (
                "Where a worker raised, its place holds the exception itself: not its text, not"
                " None, not another one."
            )
        else:
            why = "A result stands in the place of its own subtask, whatever it is."
        run.fail(
            why,
            wanted=f"in place {place}, the {type(step.error).__name__} that its worker raised"
            if step.error is not None
            else f"in place {place}, {show(step.value)}",
            seen=show(item),
        )


def grade_or_stop(bench: Bench) -> None:
    """3.5: the first failure ends the others, and nothing is left when it reaches the caller."""
    chance = bench.random
    for crew in _crews(chance):
        run = bench.run(crew.worker, crew.subtasks)
        run.answer()
        _each_once(run, crew)
        _results(run, crew)
        _in_time(run, crew)

    # The last clean-up outlasts every patience that is not endless.
    for cleanup, failing, early in ((0.0, 2, 1), (2.0, 2, 1), (5_000.0, 0, 3)):
        others = [place for place in range(4) if place not in (failing, early)]
        steps = [Step(5.0 + 2 * place, value="late") for place in range(4)]
        steps[early] = Step(1.0, value="early")
        steps[failing] = Step(2.0, error=chance.choice(ERRORS)(nonsense(chance)))
        for share, place in zip((1.0, 0.5), others, strict=True):
            steps[place] = replace(steps[place], cleanup=cleanup * share)
        crew = Crew(_subtasks(chance, 4), steps, cleans=True)
        _stopped(bench.run(crew.worker, crew.subtasks), crew, failing, others)

    steps = [Step(1.0, error=ValueError("one")), Step(1.0, error=KeyError("two")), Step(4.0)]
    crew = Crew(_subtasks(chance, 3), steps, cleans=True)
    run = bench.run(crew.worker, crew.subtasks)
    why = "Two workers failed together: one of the failures, or both, reaches the caller."
    run.expect_raised("Exception", why, grouped=True)
    failures = {crew.call_of(run, step).number for step in steps[:2]}
    run.expect({leaf.call for leaf in run.value.leaves()} <= failures, why, seen=run.outcome)
    run.expect_seconds(
        1.0,
        STOPPED,
        plan(
            *((task, 0.0, 1.0, "failed") for task in crew.subtasks[:2]),
            (crew.subtasks[2], 0.0, 1.0, "cancelled"),
        ),
    )
    bench.run(_nobody().worker, []).expect_value([], "Without subtasks there are no results.")
    steps = [Step(5.0, cleanup=1.0), Step(6.0, cleanup=2.0)]
    crew = Crew(_subtasks(chance, 2), steps, cleans=True)
    bench.run(crew.worker, crew.subtasks, cancel_at=1.0).expect_cancelled()


STOPPED = (
    "At the first failure every other worker is cancelled at once, and the failure reaches the"
    " caller at the moment the last clean-up is through, neither before nor after."
)


def _stopped(run: Run, crew: Crew, failing: int, others: Sequence[int]) -> None:
    """Go on only where one worker's failure ended the others, clean-up and all."""
    failure = crew.steps[failing]
    kind = type(failure.error).__name__
    run.expect_raised(kind, "A worker failed: its failure has to reach the caller.", grouped=True)
    _each_once(run, crew)
    failed = crew.call_of(run, failure)
    run.expect(
        any(leaf.call == failed.number for leaf in run.value.leaves()),
        "The failure itself reaches the caller, bare or in a group, not one made up for it.",
        wanted=f"the {kind} that the worker raised",
        seen=run.outcome,
    )
    rows: list[tuple[str, float, float, str]] = []
    for place, (task, step) in enumerate(zip(crew.subtasks, crew.steps, strict=True)):
        if place in others:
            rows.append((task, 0.0, failure.seconds + step.cleanup, "cancelled"))
        else:
            rows.append((task, 0.0, step.seconds, "failed" if place == failing else "ok"))
    ideal = plan(*rows)
    outcomes = [crew.call_of(run, crew.steps[place]).outcome for place in others]
    if outcomes != ["cancelled"] * len(outcomes):
        run.fail(
            f"A worker failed at {failure.seconds:.3f} s, and others ran on. Notice a failure when"
            " it happens, whichever worker it is, and cancel the rest then.",
            wanted="the others cancelled",
            seen=", ".join(call.outcome for call in run.of("worker")),
            pictures=(("yours", run.trace()), ("wanted", ideal)),
        )
    run.expect_seconds(ideal.seconds, STOPPED, ideal)


EXERCISES = (
    Exercise(
        "3.1",
        "dispatch",
        grade_dispatch,
        hints=(
            "Two steps: first get all reports, in dispatch order. Only then print.",
            (
                "`asyncio.gather` over the workers gives the reports in order. Then one loop prints"
                " them, and one expression turns each `WORD (LENGTH)` into `WORD-LENGTH`."
            ),
            (
                "reports = await asyncio.gather(*(worker(subtask) for subtask in subtasks))\n"
                "final = ' | '.join(report.replace(' (', '-').removesuffix(')') ...)"
            ),
        ),
        why=(
            "The order of the lines is the order of dispatch, whoever ends first, and a line is"
            " printed only once every result is in: a half-printed report looks like a whole one."
        ),
    ),
    Exercise(
        "3.2",
        "gather_streaming",
        grade_streaming,
        hints=(
            "Who knows both which subtask it was and when it ended? The coroutine that awaited it.",
            (
                "Wrap the worker: an inner coroutine awaits it, calls `on_result` with its own"
                " index and returns the result. Gather those."
            ),
            (
                "async def run(index, subtask):\n"
                "    result = await worker(subtask)\n"
                "    on_result(index, result)\n"
                "    return result"
            ),
        ),
        why=(
            "Each wrapper carries its own index, so equal subtasks cannot be mixed up, and gather"
            " still keeps the order of what is returned."
        ),
    ),
    Exercise(
        "3.3",
        "gather_bounded",
        grade_bounded,
        hints=(
            "A cap is a number of places. Who takes the next subtask when a place is free?",
            (
                "Either every worker waits for a place (`asyncio.Semaphore(limit)`), or `limit`"
                " runners share one iterator over the subtasks. Check `limit` first."
            ),
            (
                "places = asyncio.Semaphore(limit)\n"
                "async def run(subtask):\n"
                "    async with places:\n"
                "        return await worker(subtask)"
            ),
        ),
        why=(
            "The runners share one iterator, so a free one takes the next subtask at once, in"
            " order; and however long the list, only `limit` tasks exist."
        ),
        worth=2,
    ),
    Exercise(
        "3.4",
        "gather_settled",
        grade_settled,
        hints=(
            "An exception can be a value: it can stand in a list.",
            "Either catch the exception around each worker, or ask `gather` to return it.",
            "await asyncio.gather(*(...), return_exceptions=True)",
        ),
        why=(
            "return_exceptions turns a failure into the value of its place, so one lost worker does"
            " not cost the others' work. Whoever reads the list has to look."
        ),
    ),
    Exercise(
        "3.5",
        "gather_or_stop",
        grade_or_stop,
        hints=(
            (
                "`gather` raises at the first failure, and its other workers run on. What owns its"
                " tasks and lets none of them outlive it?"
            ),
            "Start the workers in an `asyncio.TaskGroup`; read their results behind it.",
            (
                "async with asyncio.TaskGroup() as group:\n"
                "    tasks = [group.create_task(worker(subtask)) for subtask in subtasks]\n"
                "return [task.result() for task in tasks]"
            ),
        ),
        why=(
            "A TaskGroup cancels its other tasks when one fails and waits until each has cleaned"
            " up; nothing runs on and nothing is paid for behind your back."
        ),
        worth=2,
    ),
)
