"""Graders of lesson 03: results in their places, as they come, capped, settled, or stopped."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from ..trace import Trace
from .exercise import Exercise
from .judge import Bench, Callback, Observed, Run, Step, Worker, nonsense, plan, same, show
from .messages import Raised


class Crew:
    """Workers that each take their own time; which is which is told by the subtask.

    Args:
        subtasks: What there is to do; of two equal ones, the first takes the first step.
        steps: What the worker of each does.
        cleans: Whether a clean-up may take time.
    """

    def __init__(self, subtasks: Sequence[str], steps: Sequence[Step], *, cleans: bool = False):
        self._steps: dict[str, list[Step]] = {}
        for subtask, step in zip(subtasks, steps, strict=True):
            self._steps.setdefault(subtask, []).append(step)
        self.worker = Worker(self._step, cleans=cleans)

    def _step(self, subtask: Any = None, *_: Any, **__: Any) -> Step:
        left = self._steps.get(subtask if isinstance(subtask, str) else "")
        return left.pop(0) if left else Step(1.0)


def _subtasks(chance: random.Random, count: int) -> list[str]:
    return [nonsense(chance) for _ in range(count)]


def _crew(
    chance: random.Random, subtasks: Sequence[str], seconds: Sequence[float]
) -> tuple[Crew, list[str]]:
    values = [nonsense(chance, 3) for _ in seconds]
    steps = [Step(s, value=v) for s, v in zip(seconds, values, strict=True)]
    return Crew(subtasks, steps), values


def _call_of(run: Run, subtask: str) -> Observed:
    return next(call for call in run.of("worker") if call.args[:1] == (subtask,))


NOBODY = Crew([], [])


def _together(subtasks: Sequence[str], seconds: Sequence[float]) -> Trace:
    return plan(*((task, 0.0, took) for task, took in zip(subtasks, seconds, strict=True)))


def _each_once(run: Run, subtasks: Sequence[str]) -> None:
    seen = [call.args[0] if call.args else None for call in run.of("worker")]
    run.expect(
        same(sorted(subtasks), sorted(map(str, seen))),
        "Each subtask goes to the worker once, and nothing else does.",
        wanted=show(list(subtasks)),
        seen=show(seen),
    )


def _in_order(run: Run, wanted: list[Any]) -> None:
    seen = run.answer()
    if not same(wanted, seen) and isinstance(seen, list | tuple) and len(seen) == len(wanted):
        as_text = sorted(map(repr, wanted)) == sorted(map(repr, seen))
        if as_text:
            run.fail(
                "All results, but in the order of arrival. Whoever ends first still belongs in the"
                " place of its subtask.",
                wanted=show(wanted),
                seen=show(seen),
            )
    run.expect_value(wanted, "It returns each worker's result, in dispatch order.")


AT_ONCE = (
    "All workers run together: the time is that of the slowest. Start every one before you wait"
    " for any."
)


def _cancelled(bench: Bench, *more: Any, **named: Any) -> None:
    subtasks = _subtasks(bench.random, 3)
    crew, _ = _crew(bench.random, subtasks, [3.0, 2.0, 4.0])
    bench.run(crew.worker, subtasks, *more, cancel_at=1.0, **named).expect_cancelled()


def grade_dispatch(bench: Bench) -> None:
    """3.1: all together, then the lines, in dispatch order."""
    chance = bench.random
    for count, seconds in ((3, [3.0, 1.0, 2.0]), (1, [1.0]), (4, [1.0, 1.0, 4.0, 2.0])):
        subtasks = _subtasks(chance, count)
        words = [nonsense(chance, 1).upper() for _ in seconds]
        # The length is what the worker says, be it right or wrong, and may have several digits.
        lengths = [chance.choice([0, 7, 12, 305]) for _ in seconds]
        reports = [f"{word} ({length})" for word, length in zip(words, lengths, strict=True)]
        steps = [Step(s, value=r) for s, r in zip(seconds, reports, strict=True)]
        crew = Crew(subtasks, steps)
        run = bench.run(crew.worker, subtasks)
        final = " | ".join(f"{w}-{n}" for w, n in zip(words, lengths, strict=True))
        lines = [f"worker {n}: {report}" for n, report in enumerate(reports, 1)]
        seen = run.answer()
        _each_once(run, subtasks)
        run.expect(
            not any(run.printed_while_running),
            "A line was printed while a worker still ran. Print when all are done: until then,"
            " nobody knows whether there will be a result.",
            wanted="nothing printed before the last worker is done",
            seen=f"{sum(run.printed_while_running)} prints before that",
        )
        run.expect(
            run.printed == "\n".join([*lines, f"final: {final}"]) + "\n",
            "The lines are not as the exercise has them: one for each worker, in dispatch order,"
            " then the final one.",
            wanted=show("\n".join([*lines, f"final: {final}"])),
            seen=show(run.printed.rstrip("\n")),
        )
        run.expect(
            same(final, seen),
            "It returns the final text, without `final: ` in front.",
            wanted=show(final),
            seen=show(seen),
        )
        run.expect_seconds(max(seconds), AT_ONCE, _together(subtasks, seconds))
    run = bench.run(NOBODY.worker, [])
    run.expect_value("", "Without subtasks the final text is empty.")
    run.expect(
        run.printed == "final: \n" and not run.calls,
        "Without subtasks just the line `final: ` is printed, and no worker is started.",
        wanted=show("final: \n"),
        seen=show(run.printed),
    )
    _cancelled(bench)


def grade_streaming(bench: Bench) -> None:
    """3.2: each result is told when it is there; all are returned in dispatch order."""
    chance = bench.random
    for seconds in ([3.0, 1.0, 2.0, 4.0], [2.0], [1.0, 3.0, 2.0]):
        subtasks = _subtasks(chance, len(seconds))
        if len(seconds) == 3:
            subtasks[2] = subtasks[0]
        crew, values = _crew(chance, subtasks, seconds)
        run = bench.run(crew.worker, subtasks, Callback(lambda *_: None, name="on_result"))
        run.answer()
        _each_once(run, subtasks)
        told = [(call.start, *call.args) for call in run.of("on_result")]
        wanted = sorted((s, n, v) for n, (s, v) in enumerate(zip(seconds, values, strict=True)))
        right = same([row[1:] for row in wanted], [row[1:] for row in told])
        run.expect(
            right,
            "`on_result(index, result)` is called once for each worker, in order of finishing;"
            " `index` is the place of its subtask, from 0. Subtasks may repeat: keep the place,"
            " do not look it up.",
            wanted=show([row[1:] for row in wanted]),
            seen=show([row[1:] for row in told]),
        )
        run.expect(
            [row[0] for row in wanted] == [row[0] for row in told],
            "`on_result` has to be called at the moment a worker ends, not when all are through.",
            wanted=", ".join(f"{row[0]:.3f} s" for row in wanted),
            seen=", ".join(f"{row[0]:.3f} s" for row in told),
        )
        _in_order(run, values)
        run.expect_seconds(max(seconds), AT_ONCE, _together(subtasks, seconds))
    quiet = Callback(lambda *_: None, name="on_result")
    run = bench.run(NOBODY.worker, [], quiet)
    run.expect_value([], "Without subtasks there are no results.")
    run.expect(not run.calls, "Without subtasks nothing is started and nothing is told.")
    _cancelled(bench, quiet)


def _capped(subtasks: Sequence[str], seconds: Sequence[float], limit: int) -> Trace:
    free = [0.0] * limit
    rows = []
    for task, took in zip(subtasks, seconds, strict=True):
        start = min(free)
        free[free.index(start)] = start + took
        rows.append((task, start, start + took))
    return plan(*rows)


def grade_bounded(bench: Bench) -> None:
    """3.3: never more than `limit` in flight, and no place stands empty."""
    chance = bench.random
    cases = [
        ([3.0, 1.0, 1.0, 1.0, 2.0], 2),
        ([2.0, 1.0, 3.0], 1),
        ([1.0, 2.0, 3.0], 5),
        ([4.0, 1.0, 2.0, 1.0, 3.0, 1.0], 3),
    ]
    for seconds, limit in cases:
        subtasks = _subtasks(chance, len(seconds))
        if limit == 3:
            subtasks[4] = subtasks[1]
        crew, values = _crew(chance, subtasks, seconds)
        run = bench.run(crew.worker, subtasks, limit=limit)
        run.answer()
        ideal = _capped(subtasks, seconds, limit)
        pictures = (("yours", run.trace()), ("wanted", ideal))
        _each_once(run, subtasks)
        if run.in_flight > limit:
            run.fail(
                f"More than limit={limit} workers were in flight.",
                wanted=f"{limit} in flight at most",
                seen=f"{run.in_flight} in flight",
                pictures=pictures,
            )
        started = [call.args[0] for call in run.of("worker")]
        run.expect(
            started == subtasks,
            "The workers are started in dispatch order.",
            wanted=show(subtasks),
            seen=show(started),
        )
        starts = sorted(call.start for call in run.of("worker"))
        if starts != sorted(call.start for call in ideal.calls):
            batches = "Batch by batch, a free place waits for the slowest of its batch."
            run.fail(
                f"A place stood empty while a subtask waited. {batches} Fill it at once.",
                wanted=f"{ideal.seconds:.3f} s",
                seen=f"{run.seconds:.3f} s",
                pictures=pictures,
            )
        _in_order(run, values)
        run.expect_seconds(ideal.seconds, "It ends when the last worker does.", ideal)
    for limit in (0, -1):
        for subtasks in (_subtasks(chance, 2), []):
            crew, _ = _crew(chance, subtasks, [1.0] * len(subtasks))
            run = bench.run(crew.worker, subtasks, limit=limit)
            run.expect_raised(
                "ValueError",
                f"limit={limit} is under 1: that raises a ValueError, for an empty list too.",
            )
            run.expect(not run.calls, "With a limit under 1 no worker may be started.")
    run = bench.run(NOBODY.worker, [], limit=2)
    run.expect_value([], "Without subtasks there are no results.")
    _cancelled(bench, limit=2)


ERRORS: tuple[Callable[[str], Exception], ...] = (RuntimeError, ValueError, KeyError)


def grade_settled(bench: Bench) -> None:
    """3.4: everyone finishes; a failure keeps its place."""
    chance = bench.random
    for failing in ((1,), (0, 2, 3), (), (0, 1, 2, 3)):
        seconds = [3.0, 1.0, 4.0, 2.0]
        subtasks = _subtasks(chance, 4)
        values = [nonsense(chance, 3) for _ in seconds]
        steps = [
            Step(s, error=chance.choice(ERRORS)(v)) if n in failing else Step(s, value=v)
            for n, (s, v) in enumerate(zip(seconds, values, strict=True))
        ]
        run = bench.run(Crew(subtasks, steps).worker, subtasks)
        if run.how == "raised":
            run.fail(
                "A worker's failure reached the caller. It belongs in that worker's place, and the"
                " others finish.",
                wanted="a list",
                seen=run.outcome,
            )
        seen = run.answer()
        _each_once(run, subtasks)
        run.expect(
            isinstance(seen, list | tuple) and len(seen) == len(values),
            "There is one place for each subtask, whether its worker failed or not.",
            wanted=f"{len(values)} places",
            seen=show(seen),
        )
        for place, (wanted, item) in enumerate(zip(values, seen, strict=True)):
            call = _call_of(run, subtasks[place])
            if place in failing:
                run.expect(
                    isinstance(item, Raised) and item.call == call.number,
                    "Where a worker raised, its place holds the exception itself: not its text,"
                    " not None, not another one.",
                    wanted=f"the {type(steps[place].error).__name__} that worker {place} raised",
                    seen=show(item),
                )
            else:
                run.expect(
                    same(wanted, item),
                    "A result stands in the place of its own subtask.",
                    wanted=show(wanted),
                    seen=show(item),
                )
        run.expect_seconds(4.0, AT_ONCE, _together(subtasks, seconds))
    bench.run(NOBODY.worker, []).expect_value([], "Without subtasks there are no results.")
    _cancelled(bench)


def grade_or_stop(bench: Bench) -> None:
    """3.5: the first failure ends the others, and nothing is left when it reaches the caller."""
    chance = bench.random
    seconds = [2.0, 1.0, 3.0]
    subtasks = _subtasks(chance, 3)
    crew, values = _crew(chance, subtasks, seconds)
    run = bench.run(crew.worker, subtasks)
    run.answer()
    _each_once(run, subtasks)
    _in_order(run, values)
    run.expect_seconds(3.0, AT_ONCE, _together(subtasks, seconds))

    for cleanup in (0.0, 2.0):
        said = nonsense(chance)
        steps = [
            Step(5.0, value="late", cleanup=cleanup),
            Step(1.0, value="early"),
            Step(2.0, error=chance.choice(ERRORS)(said)),
            Step(9.0, value="later", cleanup=cleanup / 2),
        ]
        names = _subtasks(chance, 4)
        run = bench.run(Crew(names, steps, cleans=True).worker, names)
        kind = type(steps[2].error).__name__
        run.expect_raised(
            kind, "A worker failed: its failure has to reach the caller.", grouped=True
        )
        _each_once(run, names)
        failed = _call_of(run, names[2]).number
        run.expect(
            any(leaf.call == failed for leaf in run.value.leaves()),
            "The failure itself reaches the caller, bare or in a group, not one made up for it.",
            wanted=f"the {kind} that the worker raised",
            seen=run.outcome,
        )
        ideal = plan(
            (names[0], 0.0, 2.0 + cleanup),
            (names[1], 0.0, 1.0),
            (names[2], 0.0, 2.0),
            (names[3], 0.0, 2.0 + cleanup / 2),
        )
        run.expect(
            [_call_of(run, names[n]).outcome for n in (0, 3)] == ["cancelled"] * 2,
            "One worker failed and the others ran on: `gather` raises at once and stops nobody.",
            wanted="the others cancelled",
            seen=", ".join(call.outcome for call in run.of("worker")),
        )
        run.expect_seconds(
            2.0 + cleanup,
            "At the first failure every other worker is cancelled at once, and has finished its"
            " clean-up before the failure reaches the caller.",
            ideal,
        )

    twins = [Step(1.0, error=ValueError("one")), Step(1.0, error=KeyError("two")), Step(4.0)]
    names = _subtasks(chance, 3)
    run = bench.run(Crew(names, twins, cleans=True).worker, names)
    known = {_call_of(run, name).number for name in names[:2]} if len(run.calls) == 3 else set()
    run.expect(
        run.how == "raised" and {leaf.call for leaf in run.value.leaves()} <= known,
        "Two workers failed together: one of the failures, or both, reaches the caller.",
        seen=run.outcome,
    )
    bench.run(NOBODY.worker, []).expect_value([], "Without subtasks there are no results.")
    steps = [Step(5.0, cleanup=1.0), Step(6.0, cleanup=2.0)]
    names = _subtasks(chance, 2)
    run = bench.run(Crew(names, steps, cleans=True).worker, names, cancel_at=1.0)
    run.expect_cancelled()


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
