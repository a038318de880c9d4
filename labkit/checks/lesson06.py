"""Graders of lesson 06: whether to fan out, what it takes, and what may start when."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..trace import Trace
from .exercise import Exercise
from .judge import Bench, NotYet, Observed, Run, Step, Worker, nonsense, plan, same, show
from .lesson03 import ANYTHING, ERRORS

Needs = dict[str, list[str]]
Job = dict[str, Any]


def _task(chance: random.Random, **given: Any) -> Job:
    task = {
        "name": nonsense(chance),
        "seconds": 4.0,
        "tokens": 9_000,
        "needs": [],
        "structured": True,
    }
    return {**task, **given}


def _job(chance: random.Random, *tasks: Job, **given: Any) -> Job:
    """A job of tasks that each differ as said from one against which nothing speaks."""
    return {"tasks": [_task(chance, **task) for task in tasks], "merge_seconds": 1.0, **given}


def _dependent(job: Job, *pairs: tuple[int, int]) -> Job:
    for task, need in pairs:
        job["tasks"][task]["needs"].append(job["tasks"][need]["name"])
    return job


REASONS = {
    "dependent": "`dependent`: some task needs another. One such task will do, wherever it stands.",
    "unstructured": "`unstructured`: some output is not structured. One such output will do.",
    "small": "`small`: some task is under `min_tokens`. Exactly `min_tokens` is not under it.",
    "merge": (
        "`merge`: merging takes as long as the time saved, or longer. The time saved is the sum of"
        " the tasks' seconds less the longest of them, and for a single task that is nothing."
    ),
}


def grade_preflight(bench: Bench) -> None:
    """6.1: what speaks against fanning out, in the order of the contract."""
    chance = bench.random
    for job, options, wanted in _preflights(chance):
        _grade_preflight(bench, job, options, wanted)


def _preflights(chance: random.Random) -> list[tuple[Job, dict[str, int], list[str]]]:
    def job(*tasks: Job, **given: Any) -> Job:
        return _job(chance, *tasks, **given)

    plain: list[Job] = [{}, {}, {}]
    small, loose = {"tokens": 4_999}, {"structured": False}
    everything = _dependent(
        job({"tokens": 10}, loose, {"seconds": 1.0}, merge_seconds=60.0), (0, 1)
    )
    return [
        (job(*plain), {}, []),
        (_dependent(job(*plain), (2, 0)), {}, ["dependent"]),
        (_dependent(job(*plain), (0, 2), (1, 2)), {}, ["dependent"]),
        (job({}, {}, loose), {}, ["unstructured"]),
        (job(loose, {}, {}), {}, ["unstructured"]),
        (job({}, small, {}), {}, ["small"]),
        (job({"tokens": 0}, {}, {}), {}, ["small"]),
        # One that is far over the limit does not make up for one that is under it.
        (job({"tokens": 90_000}, {"tokens": 90_000}, small), {}, ["small"]),
        (job({"tokens": 5_000}, {"tokens": 5_001}), {}, []),
        (job({"tokens": 700}, {"tokens": 900}), {"min_tokens": 700}, []),
        (job({"tokens": 700}, {"tokens": 900}), {"min_tokens": 800}, ["small"]),
        (job({"tokens": 0}, {"tokens": 1}), {"min_tokens": 0}, []),
        (job(*plain), {"min_tokens": 9_001}, ["small"]),
        # Of 2 + 6 + 3 s, running together saves 5 s.
        (job({"seconds": 2.0}, {"seconds": 6.0}, {"seconds": 3.0}, merge_seconds=5.0), {},
         ["merge"]),
        (job({"seconds": 2.0}, {"seconds": 6.0}, {"seconds": 3.0}, merge_seconds=4.5), {}, []),
        (job({"seconds": 2.0}, {"seconds": 6.0}, {"seconds": 3.0}, merge_seconds=8.0), {},
         ["merge"]),
        (job({"seconds": 6.0}, {"seconds": 6.0}, merge_seconds=5.5), {}, []),
        (job({"seconds": 3}, {"seconds": 3}, merge_seconds=3), {}, ["merge"]),
        (job({"seconds": 0.5}, {"seconds": 0.25}, merge_seconds=0.0), {}, []),
        (job({}, merge_seconds=0.0), {}, ["merge"]),
        (job({}, merge_seconds=0.5), {}, ["merge"]),
        (_dependent(job({}, loose, {}), (2, 1)), {}, ["dependent", "unstructured"]),
        (job({}, small, merge_seconds=4.0), {}, ["small", "merge"]),
        (_dependent(job(small, {}, {}), (1, 0)), {}, ["dependent", "small"]),
        (job(loose, {}, merge_seconds=9.0), {}, ["unstructured", "merge"]),
        (everything, {}, list(REASONS)),
        (_dependent(job({"tokens": 400}, loose), (1, 0)), {"min_tokens": 400},
         ["dependent", "unstructured"]),
    ]  # fmt: skip


def _grade_preflight(bench: Bench, job: Job, options: dict[str, int], wanted: list[str]) -> None:
    told = _told(job, options)
    run = bench.run(job, **options)
    seen = _answer(run, told)
    if same(wanted, seen):
        return
    if isinstance(seen, list | tuple) and all(isinstance(item, str) for item in seen):
        for reason, why in REASONS.items():
            if seen.count(reason) != wanted.count(reason):
                if seen and list(seen) == wanted[:1]:
                    why = f"Every reason that holds is returned, not only the first.\n{why}"
                here = "holds" if reason in wanted else "does not hold"
                often = ", and is said once" if seen.count(reason) > 1 and reason in wanted else ""
                why += f"\nHere it {here}{often}:"
                run.fail(f"{why}\n{told}", wanted=show(wanted), seen=show(seen))
        if sorted(wanted) == sorted(seen):
            run.fail(
                f"All that holds, but in another order than {', '.join(REASONS)}.",
                wanted=show(wanted),
                seen=show(seen),
            )
    run.fail(
        "It returns a list of what speaks against it, nothing else in it, and empty where nothing"
        f" does.\n{told}",
        wanted=show(wanted),
        seen=show(seen),
    )


def _answer(run: Run, told: str, *, wanted: str | None = None) -> Any:
    """What the function returned; a fault is told with the input that brought it out.

    Args:
        run: The run.
        told: The input.
        wanted: What was wanted where it raised instead.
    """
    try:
        return run.answer()
    except NotYet as fault:
        instead = wanted if run.how == "raised" else None
        raise replace(
            fault, message=f"{fault.message}\n{told}", wanted=fault.wanted or instead
        ) from None


def _told(job: Job, options: Mapping[str, Any]) -> str:
    """A job in a line a task, without what its reader need not look at."""
    number = {task["name"]: place for place, task in enumerate(job["tasks"], 1)}
    lines = []
    for place, task in enumerate(job["tasks"], 1):
        needs = ", ".join(
            f"task {number[need]}" if need in number else f"{need!r}" for need in task["needs"]
        )
        lines.append(
            f"  task {place}: {task['seconds']:g} s, {task['tokens']:,} tokens,"
            f" {'structured' if task['structured'] else 'not structured'}"
            + (f", needs {needs}" if needs else "")
        )
    rest = {key: value for key, value in job.items() if key not in ("tasks", "merge_seconds")}
    lines.append(f"  merge_seconds: {job['merge_seconds']:g}")
    lines += [f"  {key}: {value!r}" for key, value in {**rest, **options}.items()]
    return "\n".join(lines)


# 6.2


def _schedule(seconds: Sequence[float], limit: int | None, before: float = 0.0) -> list[float]:
    """When each task starts, in order, a free place filled at once."""
    free = [before] * (len(seconds) if limit is None else limit)
    starts = []
    for took in seconds:
        place = free.index(min(free))
        starts.append(free[place])
        free[place] += took
    return starts


def _makespan(seconds: Sequence[float], limit: int | None) -> float:
    starts = _schedule(seconds, limit)
    return max((s + took for s, took in zip(starts, seconds, strict=True)), default=0.0)


def _batches(seconds: Sequence[float], limit: int) -> float:
    return sum(max(seconds[at : at + limit]) for at in range(0, len(seconds), limit))


def _round_robin(seconds: Sequence[float], limit: int) -> float:
    return max(sum(seconds[place::limit]) for place in range(limit))


def _one_more_place(seconds: Sequence[float], limit: int) -> float:
    return _makespan(seconds, limit + 1)


def _last_to_start(seconds: Sequence[float], limit: int) -> float:
    return _schedule(seconds, limit)[-1] + seconds[-1]


def _shortest_first(seconds: Sequence[float], limit: int) -> float:
    return _makespan(sorted(seconds), limit)


def _longest_first(seconds: Sequence[float], limit: int) -> float:
    return _makespan(sorted(seconds, reverse=True), limit)


MISTAKES: tuple[tuple[Callable[[Sequence[float], int], float], str], ...] = (
    (
        _batches,
        (
            "That is batch by batch: a free place waits for the slowest of its batch. It has to be"
            " filled at once."
        ),
    ),
    (
        lambda seconds, limit: max(*seconds, sum(seconds) / limit),
        (
            "That is the lower bound, `max(longest, total / limit)`: no schedule is faster, but"
            " this one may well be slower. Play it through, task by task."
        ),
    ),
    (lambda seconds, _limit: sum(seconds), "That is one after another: `limit` may be in flight."),
    (
        lambda seconds, _limit: max(seconds),
        "That is all at once: only `limit` may be in flight, and the rest wait for a place.",
    ),
    (
        _longest_first,
        "That is the longest first. The tasks are started in the order in which they stand.",
    ),
    (
        _shortest_first,
        "That is the shortest first. The tasks are started in the order in which they stand.",
    ),
    (
        _round_robin,
        (
            "That is every task in a place fixed beforehand, in turn. It takes the place that is"
            " free first, whichever that is."
        ),
    ),
    (
        _last_to_start,
        "That is the end of the task that starts last. It need not be the last to end.",
    ),
    (_one_more_place, "That is one place more than `limit`."),
)


NONE = "the plan and the merge are all that takes time"


def grade_predict(bench: Bench) -> None:
    """6.2: the clock of a planned fan-out, played through."""
    chance = bench.random
    unit = chance.choice([0.5, 1.0, 1.5])
    shapes: list[tuple[list[float], dict[str, Any]]] = [
        # In these two, what the mistakes give differs from what is right and from each other.
        ([1, 4, 6, 1, 5], {"limit": 2}),
        ([6, 1, 2, 3, 5], {"limit": 2}),
        ([3, 1, 1, 1, 2], {"limit": 2}),
        ([2, 1, 3], {}),
        ([2, 1, 3], {"limit": None}),
        ([2, 1, 3], {"limit": 1}),
        ([2, 1, 3], {"limit": 3}),
        ([2, 1, 3], {"limit": 8}),
        ([1, 1, 1, 1, 1, 4], {"limit": 3}),
        ([4, 1, 1, 1, 1, 1], {"limit": 3}),
        ([1, 4, 1, 1, 1], {"limit": 2}),
        ([5, 1, 1, 3, 2, 2], {"limit": 3}),
        ([4, 2, 2, 2, 2, 6], {"limit": 2}),
        ([2, 3, 1, 4, 1, 5, 2, 6], {"limit": 3}),
        ([0, 2, 0, 1, 0], {"limit": 2}),
        ([6, 1, 2], {"limit": 2}),
        ([2], {}),
        ([2, 1, 3], {"plan": 2.0}),
        ([2, 1, 3], {"merge": 2.0}),
        # Here too, with the plan or the merge added to each task besides.
        ([2, 1, 3, 2], {"limit": 2, "plan": 3.0, "merge": 1.0}),
        ([1, 1, 1], {"limit": 1, "plan": 0.5, "merge": 8.0}),
        ([], {}),
        ([], {"limit": 2, "plan": 3.0, "merge": 1.0}),
        ([], {"plan": 3.0}),
    ]
    for shape, options in shapes:
        seconds = [took * unit for took in shape]
        _grade_prediction(bench, seconds, options)
    # As many as a fleet has, where nothing but playing it through gives the answer.
    many = [chance.randrange(1, 32) / 4 for _ in range(200)]
    _grade_prediction(bench, many, {"limit": 7, "plan": 1.0, "merge": 2.0})
    for limit in (0, -1):
        run = bench.run([2.0, 1.0], limit=limit)
        run.expect_raised("ValueError", f"limit={limit} is under 1: that raises a ValueError.")


def _grade_prediction(bench: Bench, seconds: list[float], options: dict[str, Any]) -> None:
    run = bench.run(seconds, **options)
    before, after = options.get("plan", 0.0), options.get("merge", 0.0)
    limit = options.get("limit")
    alone = _makespan(seconds, limit)
    wanted = before + alone + after
    said = ", ".join(f"{took:g}" for took in seconds[:10]) + (", …" if len(seconds) > 10 else "")
    given = "".join(f", {name}={value}" for name, value in options.items())
    told = f"For predict([{said}]{given})" + (
        "" if seconds else f", where there is no task: {NONE}"
    )
    seen = _answer(run, told)
    if _close(wanted, seen):
        return
    starts = _schedule(seconds, limit, before)
    rows = [
        (f"task {n}", start, start + took)
        for n, (start, took) in enumerate(zip(starts, seconds, strict=True), 1)
    ]
    run.fail(
        f"{_misread(seconds, limit, before, after, seen)}\n{told}",
        wanted=f"{wanted:g} s",
        seen=show(seen),
        pictures=(("wanted", plan(*rows)),) if 0 < len(rows) <= 10 else (),
    )


def _misread(
    seconds: Sequence[float], limit: int | None, before: float, after: float, seen: Any
) -> str:
    """What was most likely meant by a wrong prediction."""
    if seen is None:
        return "It returned None: is there a `return` on every way through it?"
    if isinstance(seen, bool) or not isinstance(seen, int | float):
        return "It returns seconds, a number."
    if not seconds:
        return f"With no task, {NONE}."
    alone = _makespan(seconds, limit)
    for parts, why in (
        (before, "The merge comes after the last task: add `merge`."),
        (after, "The plan comes before the first task: add `plan`."),
        (0.0, "The plan comes before the first task and the merge after the last: add both."),
    ):
        if _close(parts + alone, seen):
            return why
    for once, each, why in (
        (after, before, "the plan to each task. It comes once, before the first."),
        (before, after, "the merge to each task. It comes once, after the last."),
        (0.0, before + after, "plan and merge to each task. They come once, around all of them."),
    ):
        if each and _close(once + _makespan([took + each for took in seconds], limit), seen):
            return f"That adds {why}"
    if limit is None and not (before or after):
        return "Without a limit all run together, and the slowest ends the fan-out."
    if limit is not None:
        for mistake, why in MISTAKES:
            if _close(before + mistake(seconds, limit) + after, seen):
                return why
    if before or after:
        return (
            "The plan comes once, before the first task, and the merge once, after the last; the"
            " tasks run between them."
        )
    return (
        "The tasks are started in order with at most `limit` in flight, and a free place is filled"
        " at once; the last one to end, whichever it is, ends the fan-out."
    )


def _close(wanted: float, seen: Any) -> bool:
    number = isinstance(seen, int | float) and not isinstance(seen, bool)
    return number and abs(wanted - seen) <= 1e-9 * max(1.0, abs(wanted))


# 6.3 and 6.4


def _names(chance: random.Random, letters: str) -> dict[str, str]:
    """A name that cannot be known for each letter, none like another."""
    names: dict[str, str] = {}
    for letter in letters:
        name = nonsense(chance)
        while name in names.values():
            name = nonsense(chance)
        names[letter] = name
    return names


def _needs(names: Mapping[str, str], shape: str) -> Needs:
    """A mapping as it is written in one line: ``a b:a c:ab`` is c, which needs a and b."""
    needs: Needs = {}
    for word in shape.split():
        task, _, those = word.partition(":")
        needs[names[task]] = [names[need] for need in those]
    return needs


def _waves(needs: Needs) -> list[list[str]]:
    found: list[list[str]] = []
    done: set[str] = set()
    while len(done) < len(needs):
        wave = [task for task in needs if task not in done and done.issuperset(needs[task])]
        found.append(wave)
        done.update(wave)
    return found


SHAPES = (
    "a b c",
    "a b:a c:b",
    "c:b b:a a",
    "a b:a c:a d:bc",
    "d:bc c:a b:a a",
    "e:d b a:b d c:ab",
    "a b:a c d:c e:bd f g:f h:ge",
    "f:ae e:d a c:b b:a d",
    "b a",
    "a",
    "a b:a c:ab d:abc e",
    "c:a a b:a",
)

IMPOSSIBLE = (
    ("a:b b:a", "Two tasks that need each other are a circle"),
    ("a:a", "A task that needs itself is a circle"),
    ("a b:a c:be d:c e:d", "Some tasks need each other in a circle, though others are free"),
    ("a:bc b:d c d:a", "Some tasks need each other in a circle"),
    ("a b:x c:b", "A need that is no task of the mapping can never be met"),
    ("x:z", "A need that is no task of the mapping can never be met"),
)


def _impossible(names: Mapping[str, str], shape: str) -> Needs:
    return _needs({**names, "z": f"{names['x']} z"}, shape)


def grade_waves(bench: Bench) -> None:
    """6.3: the earliest wave for each task, in the mapping's order."""
    names = _names(bench.random, "abcdefghx")
    for shape in SHAPES:
        needs = _needs(names, shape)
        run = bench.run(needs)
        _grade_waves(run, needs)
    bench.run({}).expect_value([], "Without tasks there are no waves.")
    chain = {f"task {n}": [f"task {n - 1}"] if n else [] for n in range(60)}
    backwards = dict(reversed(chain.items()))
    _grade_waves(bench.run(backwards), backwards)
    for shape, why in IMPOSSIBLE:
        needs = _impossible(names, shape)
        _expect_refused(bench.run(needs), needs, why)


def _expect_refused(run: Run, needs: Needs, why: str) -> None:
    told = f"{why}: that raises a ValueError.\nFor {needs!r}"
    if run.how in ("spun", "stuck"):
        run.fail(
            f"{told}\nIt went on for ever instead: of the tasks that are left none will ever be"
            " ready, and something has to notice that.",
            wanted="ValueError",
            seen="no end",
        )
    run.expect_raised("ValueError", told)


def _grade_waves(run: Run, needs: Needs) -> None:
    wanted = _waves(needs)
    few = len(needs) <= 10
    told = f"For {needs!r}" if few else f"For a chain of {len(needs)} tasks, its end first"
    seen = _answer(run, told, wanted=show(wanted))
    if same(wanted, seen):
        return

    def fail(why: str) -> None:
        run.fail(f"{why}\n{told}", wanted=show(wanted), seen=show(seen))

    flat = all(isinstance(wave, list | tuple) for wave in seen) if _is_list(seen) else False
    if not flat:
        fail("It returns a list of waves, each of them a list of tasks.")
    held = [task for wave in seen for task in wave]
    if any(not isinstance(task, str) for task in held):
        fail("A wave holds the tasks themselves, as the mapping names them.")
    if [] in list(map(list, seen)):
        fail("No wave is empty.")
    if sorted(held) != sorted(needs):
        fail("Every task of the mapping stands in exactly one wave.")
    place = {task: number for number, wave in enumerate(seen) for task in wave}
    for task, those in needs.items():
        late = [need for need in those if place[need] >= place[task]]
        if late:
            fail(
                f"{task!r} stands in a wave that is not behind that of its need {late[0]!r}. A wave"
                " may hold only what needs nothing of the same wave: decide on the whole wave"
                " before you mark any of it as done."
            )
    if list(map(sorted, wanted)) == list(map(sorted, seen)):
        fail("In each wave the tasks stand in the mapping's order.")
    fail(
        "A wave holds *every* task whose needs lie in earlier waves: one that could have been in an"
        " earlier wave is late."
    )


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


class Site:
    """Workers on tasks that need each other; which is which is told by the task.

    Args:
        needs: A task → the tasks it needs.
        steps: What the worker does with each.
    """

    def __init__(self, needs: Needs, steps: Sequence[Step]) -> None:
        self.needs = needs
        self.steps = dict(zip(needs, steps, strict=True))
        cleans = any(step.cleanup for step in steps)
        self.worker = Worker(self._step, cleans=cleans)

    def _step(self, task: Any = None, *_: Any, **__: Any) -> Step:
        known = isinstance(task, str) and task in self.steps
        return self.steps[task] if known else Step(1.0)

    def values(self, tasks: Sequence[str]) -> dict[str, Any]:
        """What tasks bring."""
        return {task: self.steps[task].value for task in tasks}

    def starts(self) -> dict[str, float]:
        """When each task can start at the earliest, in seconds."""
        found: dict[str, float] = {}
        for wave in _waves(self.needs):
            for task in wave:
                ends = [found[need] + self.steps[need].seconds for need in self.needs[task]]
                found[task] = max(ends, default=0.0)
        return found

    def ideal(self) -> Trace:
        """Each task as early as it can be."""
        starts = self.starts()
        return plan(*((t, starts[t], starts[t] + self.steps[t].seconds) for t in self.needs))

    def behind_barriers(self) -> dict[str, float]:
        """When each task starts where each wave waits for the one before it, in seconds."""
        found, at = {}, 0.0
        for wave in _waves(self.needs):
            found.update(dict.fromkeys(wave, at))
            at += max(self.steps[task].seconds for task in wave)
        return found

    def call_of(self, run: Run, task: str) -> Observed | None:
        """The call of the worker on a task; None where there was none."""
        return next((call for call in run.of("worker") if call.args[:1] == (task,)), None)


DAGS: tuple[tuple[str, Sequence[float]], ...] = (
    ("a b:a c:b d e:d f:e", (1.0, 4.0, 1.0, 4.0, 1.0, 2.0)),
    ("f:ce e:d d c:b b:a a", (1.0, 2.0, 3.0, 2.0, 1.0, 4.0)),
    ("a b c", (3.0, 1.0, 2.0)),
    ("d:bc a b:a c:a", (1.0, 1.0, 4.0, 2.0)),
    ("a b:a c d:c e:bd f", (5.0, 1.0, 1.0, 2.0, 1.0, 9.0)),
    ("a", (2.0,)),
)


def grade_run_dag(bench: Bench) -> None:
    """6.4: each task the moment its own needs are done, and nothing left when it is over."""
    chance = bench.random
    names = _names(chance, "abcdefghxq")
    for number, (shape, seconds) in enumerate(DAGS):
        needs = _needs(names, shape)
        # Falsy results are results, and so are equal ones.
        values: list[Any] = [nonsense(chance, 3) for _ in seconds]
        if number == 1:
            values = [*ANYTHING, None]
        elif number == 3:
            values = [values[0]] * len(values)
        site = Site(needs, [Step(s, value=v) for s, v in zip(seconds, values, strict=True)])
        _grade_dag(bench.run(site.worker, needs), site)

    nobody = Site({}, [])
    run = bench.run(nobody.worker, {})
    nothing = "Where `needs` is {}, there are no tasks"
    seen = _answer(run, f"{nothing}.", wanted="{}")
    run.expect(same({}, seen), f"{nothing} and no results.", wanted="{}", seen=show(seen))
    run.expect(not run.calls, f"{nothing}, and nothing is started.")
    for shape, why in IMPOSSIBLE:
        needs = _impossible(names, shape)
        run = bench.run(Site(needs, [Step(1.0)] * len(needs)).worker, needs)
        _expect_refused(run, needs, why)
        run.expect(
            not run.calls,
            f"{why}: no worker may be started before that is known.\nFor {needs!r}",
            wanted="no worker started",
            seen=f"{len(run.calls)} started",
        )
    for cleanup in (0.0, 2.0):
        _grade_failure(bench, names, cleanup)
    _grade_twins(bench, names)
    _grade_cancelled(bench, names)


def _grade_dag(run: Run, site: Site) -> None:
    needs = site.needs
    seen = _answer(run, f"For {needs!r}, in which nothing fails")
    calls = run.of("worker")
    asked = [call.args[0] if call.args else None for call in calls]
    for call in calls:
        if len(call.args) != 2 or call.kwargs:
            run.fail(
                "A worker is called with two positional arguments: the task, and what its needs"
                " brought.",
                wanted="worker(task, inputs)",
                seen=f"worker{show(call.args)}" + (f" {show(call.kwargs)}" if call.kwargs else ""),
            )
    run.expect(
        same(sorted(needs), sorted(map(str, asked))),
        "The worker is called once for each task.",
        wanted=show(list(needs)),
        seen=show(asked),
    )
    for call in calls:
        task, inputs = call.args
        wanted = site.values(needs[task])
        run.expect(
            isinstance(inputs, dict) and same(wanted, inputs),
            f"`inputs` maps each need of the task to that need's result, whatever it is, and holds"
            f" nothing else; for a task without needs it is empty.\nFor the task {task!r}",
            wanted=show(wanted),
            seen=show(inputs),
        )
    _grade_moments(run, site)
    wanted = site.values(list(needs))
    run.expect_value(wanted, "It returns a mapping: task → that task's result.")
    run.expect(
        list(seen) == list(wanted),
        "The results stand in the mapping's order, whatever the order in which they came.",
        wanted=show(list(wanted)),
        seen=show(list(seen)),
    )
    ideal = site.ideal()
    run.expect_seconds(ideal.seconds, "The time is that of the slowest chain.", ideal)


def _grade_moments(run: Run, site: Site) -> None:
    starts = {call.args[0]: call.start for call in run.of("worker")}
    wanted = site.starts()
    wrong = [task for task in site.needs if abs(starts[task] - wanted[task]) > 1e-6]
    if not wrong:
        return
    # The first to be late; those that need it are late for its sake.
    late = min(wrong, key=wanted.__getitem__)
    barriers = site.behind_barriers()
    if all(abs(starts[task] - barriers[task]) <= 1e-6 for task in site.needs):
        why = (
            "That is wave by wave: each wave waits for the slowest of the one before it, also a"
            " task whose own needs have long been done."
        )
    elif run.in_flight == 1 and len(site.needs) > 1:
        why = "That is one after another. What needs nothing of each other runs together."
    else:
        why = "Each task starts the moment its own needs are done, and not later."
    run.fail(
        why,
        wanted=f"{late!r} starts at {wanted[late]:g} s",
        seen=f"it starts at {starts[late]:g} s",
        pictures=(("yours", run.trace()), ("wanted", site.ideal())),
    )


def _grade_failure(bench: Bench, names: Mapping[str, str], cleanup: float) -> None:
    chance = bench.random
    needs = _needs(names, "a b:a c d:c e:bd f q:f")
    said = nonsense(chance)
    error = chance.choice(ERRORS)(said)
    steps = [
        Step(1.0, value="a"),
        Step(9.0, value="b", cleanup=cleanup),
        Step(2.0, error=error),
        Step(1.0, value="never"),
        Step(1.0, value="never"),
        Step(7.0, value="f", cleanup=cleanup / 2),
        Step(1.0, value="never"),
    ]
    site = Site(needs, steps)
    run = bench.run(site.worker, needs)
    kind = type(error).__name__
    why = "A worker failed: its failure has to reach the caller."
    raised = run.expect_raised(kind, why, grouped=True)
    failed = site.call_of(run, names["c"])
    run.expect(
        failed is not None and any(leaf.call == failed.number for leaf in raised.leaves()),
        "The failure itself reaches the caller, bare or in a group, not one made up for it.",
        wanted=f"the {kind} that the worker raised",
        seen=run.outcome,
    )
    pictures = (("yours", run.trace()),)
    rest = [site.call_of(run, names[letter]) for letter in "bf"]
    outcomes = [call.outcome if call else "never started" for call in rest]
    if outcomes != ["cancelled"] * 2:
        run.fail(
            "One worker failed, and others that were in flight ran on. The rest has to be cancelled"
            " and finished.",
            wanted="the rest cancelled",
            seen=", ".join(outcomes),
            pictures=pictures,
        )
    late = [call.lane for call in run.of("worker") if call.start > 2.0]
    if late:
        run.fail(
            "After the failure another task was started. What waited for its needs never starts.",
            wanted="nothing started after 2.000 s",
            seen=f"{', '.join(late)} started",
            pictures=pictures,
        )


def _grade_twins(bench: Bench, names: Mapping[str, str]) -> None:
    needs = _needs(names, "a b c:ab d")
    errors = [ValueError("one"), KeyError("two")]
    steps = [Step(1.0, error=errors[0]), Step(1.0, error=errors[1]), Step(1.0), Step(5.0)]
    site = Site(needs, steps)
    run = bench.run(site.worker, needs)
    if run.how == "returned":
        run.fail("Two workers failed together, and it returned.", seen=run.outcome)
    calls = [site.call_of(run, names[letter]) for letter in "ab"]
    known = {call.number for call in calls if call}
    run.expect(
        run.how == "raised" and {leaf.call for leaf in run.value.leaves()} <= known,
        "Two workers failed together: one of the failures, or both, reaches the caller.",
        seen=run.outcome,
    )


def _grade_cancelled(bench: Bench, names: Mapping[str, str]) -> None:
    needs = _needs(names, "a b:a c d:bc")
    steps = [Step(1.0), Step(5.0, cleanup=1.0), Step(6.0, cleanup=2.0), Step(1.0)]
    site = Site(needs, steps)
    run = bench.run(site.worker, needs, cancel_at=2.0)
    try:
        run.expect_cancelled()
    except NotYet as fault:
        if all(call.cut_short is None for call in run.calls):
            raise
        told = (
            "This was the cancellation from outside. A `gather` that is cancelled cancels all of"
            " its tasks itself, before it raises: a `cancel()` after that is the second. Await them"
            " then, and no more."
        )
        raise replace(fault, message=f"{fault.message}\n{told}") from None
    outcomes = [call.outcome for call in run.of("worker") if call.start < 2.0 and call.end != 1.0]
    run.expect(
        outcomes == ["cancelled"] * 2,
        "It was cancelled from outside: what is in flight is cancelled too, and does not run on to"
        " its end.",
        wanted="the two in flight cancelled",
        seen=", ".join(outcomes),
    )
    late = [call.lane for call in run.of("worker") if call.start > 2.0]
    run.expect(
        not late,
        "It was cancelled from outside, and started another task after that.",
        wanted="nothing started after the cancellation",
        seen=", ".join(late),
    )


# 6.5

RULES = {
    "routing": "`routing`: a single task, and no alternatives. That is asked before anything else.",
    "plan-then-execute": (
        "`plan-then-execute`: some task needs another. That is asked next, before"
        " anything else of several tasks, also of different tries at one goal."
    ),
    "race-then-cancel": (
        "`race-then-cancel`: different tries at one and the same goal, where a good answer is"
        " quickly told *and* the rest can be cancelled. How to merge does not matter then."
    ),
    "parallel-spawn": "`parallel-spawn`: several tasks, and nothing to merge, structured or not.",
    "gather-then-merge": (
        "`gather-then-merge`: the merge has a schema and *every* output is structured."
    ),
    "sequential": "`sequential`: what is left where no other rule applies.",
}


def _rule(job: Job, wanted: str) -> str:
    """The rule that decides a job."""
    if wanted != "sequential":
        return RULES[wanted]
    if job["alternatives"]:
        lacks = [what for what in ("checkable", "cancellable") if not job[what]]
        return (
            "`sequential`: different tries at one goal, however many, race only where they are both"
            f" checkable and cancellable. These are not {' and not '.join(lacks)}, and no later"
            " rule is asked."
        )
    if job["merge"] == "freeform":
        return "`sequential`: a freeform merge is neither `none` nor `schema`, so no rule is left."
    return "`sequential`: there is a schema to merge by, and some output is not structured."


def grade_choose(bench: Bench) -> None:
    """6.5: the first rule that applies."""
    for job, wanted in _choices(bench.random):
        run = bench.run(job)
        seen = _answer(run, _told(job, {}))
        if same(wanted, seen):
            continue
        known = isinstance(seen, str) and seen in RULES
        why = _rule(job, wanted) if known else f"It returns one of {', '.join(RULES)}."
        run.fail(
            f"{why} The first rule that applies decides.\n{_told(job, {})}",
            wanted=show(wanted),
            seen=show(seen),
        )


def _choices(chance: random.Random) -> list[tuple[Job, str]]:
    loose = {"structured": False}

    def job(
        *tasks: Job,
        merge: str = "none",
        tries: bool = False,
        checkable: bool = False,
        cancellable: bool = False,
        needs: Sequence[tuple[int, int]] = (),
        merge_seconds: float = 1.0,
    ) -> Job:
        made = _job(
            chance,
            *tasks,
            merge_seconds=merge_seconds,
            alternatives=tries,
            checkable=checkable,
            cancellable=cancellable,
            merge=merge,
        )
        return _dependent(made, *needs)

    two: list[Job] = [{}, {}]
    three: list[Job] = [{}, {}, {}]
    race, spawn, merged = "race-then-cancel", "parallel-spawn", "gather-then-merge"
    return [
        (job({}), "routing"),
        (job(loose, merge="schema", checkable=True, cancellable=True), "routing"),
        (job({}, merge="freeform"), "routing"),
        # What a single task needs lies outside the job, and the first rule has decided by then.
        (job({"needs": [nonsense(chance)]}, merge="schema"), "routing"),
        (job({}, tries=True), "sequential"),
        (job({}, tries=True, checkable=True, cancellable=True), race),
        (job(*three, needs=[(2, 1)]), "plan-then-execute"),
        (job(*three, needs=[(0, 2)], merge="schema"), "plan-then-execute"),
        (job(*two, needs=[(1, 0)], merge="freeform"), "plan-then-execute"),
        (
            job(*two, needs=[(1, 0)], tries=True, checkable=True, cancellable=True),
            "plan-then-execute",
        ),
        (job(*two, tries=True, checkable=True, cancellable=True), race),
        (job(*two, tries=True, checkable=True, cancellable=True, merge="schema"), race),
        (job(loose, {}, tries=True, checkable=True, cancellable=True, merge="freeform"), race),
        (job(*two, tries=True, checkable=True), "sequential"),
        (job(*two, tries=True, cancellable=True), "sequential"),
        (job(*two, tries=True), "sequential"),
        (job(*two, tries=True, merge="schema"), "sequential"),
        (job(*two, tries=True, cancellable=True, merge="schema"), "sequential"),
        (job(*two), spawn),
        (job(loose, *two), spawn),
        (job(*two, checkable=True, cancellable=True), spawn),
        # What a pre-flight says of size and time is no part of this question.
        (job({"tokens": 10}, {"tokens": 0}, merge_seconds=90.0), spawn),
        (job(*two, merge="schema"), merged),
        (job(*three, merge="schema", checkable=True, cancellable=True), merged),
        (job({"tokens": 10}, {"tokens": 10}, merge="schema", merge_seconds=90.0), merged),
        (job({}, loose, merge="schema"), "sequential"),
        (job(loose, {}, {}, merge="schema"), "sequential"),
        (job(*two, merge="freeform"), "sequential"),
        (job(*three, merge="freeform", checkable=True, cancellable=True), "sequential"),
        (job(loose, loose, merge="freeform"), "sequential"),
    ]


EXERCISES = (
    Exercise(
        "6.1",
        "preflight",
        grade_preflight,
        hints=(
            "Four questions, each with a yes or a no. Ask them in the order of the list.",
            (
                "Three of them are `any(...)` over the tasks. For the fourth, work out the time"
                " saved first: what one after another takes, less what together takes."
            ),
            (
                "seconds = [task['seconds'] for task in job['tasks']]\n"
                "saved = sum(seconds) - max(seconds)\n"
                "if any(task['needs'] for task in job['tasks']):\n"
                "    against.append('dependent')"
            ),
        ),
        why=(
            "Each reason stands beside its condition, and the order of the mapping is the order of"
            " the answer. A list of reasons says more than a yes or no: each names what to change."
        ),
    ),
    Exercise(
        "6.2",
        "predict",
        grade_predict,
        hints=(
            (
                "You can play it with coins on paper: `limit` places, and each has a time at which"
                " it is free."
            ),
            (
                "Keep a list of the times at which the places are free, all of them `plan` at"
                " first. Each task takes the earliest and makes it later by its own seconds. The"
                " latest end counts."
            ),
            (
                "free = [plan] * places\n"
                "for took in seconds:\n"
                "    place = free.index(min(free))\n"
                "    free[place] += took"
            ),
        ),
        why=(
            "The schedule is played through, since no formula gives it: the lower bound is only a"
            " bound. A heap finds the place that is free first without looking at all of them."
        ),
        worth=2,
    ),
    Exercise(
        "6.3",
        "waves",
        grade_waves,
        hints=(
            "Which tasks could start now, if nothing had been done yet? And when those are done?",
            (
                "Collect, in the mapping's order, every task not yet done whose needs are all done;"
                " that is a wave, and then all of it is done. Where a wave comes out empty and"
                " tasks are left, they wait for ever."
            ),
            (
                "wave = [task for task in needs if task not in done\n"
                "        and all(need in done for need in needs[task])]\n"
                "if not wave:\n"
                "    raise ValueError(...)\n"
                "done.update(wave)"
            ),
        ),
        why=(
            "The standard library has a sorter for this: `graphlib.TopologicalSorter` finds"
            " circles, names them, and hands out what is ready. What it does not know is the"
            " mapping's order, and it takes a need that is no task for a task of its own."
        ),
    ),
    Exercise(
        "6.4",
        "run_dag",
        grade_run_dag,
        hints=(
            (
                "Give every task a task of asyncio's. What does each have to wait for, before it"
                " calls the worker?"
            ),
            (
                "Refuse first (`waves` does). Then start an `asyncio.TaskGroup` in which each task"
                " waits until its own needs are done, and then calls the worker with their"
                " results. An `asyncio.Event` for each task will do for the waiting."
            ),
            (
                "async def run(task):\n"
                "    for need in needs[task]:\n"
                "        await done[need].wait()\n"
                "    inputs = {need: results[need] for need in needs[task]}\n"
                "    results[task] = await worker(task, inputs)\n"
                "    done[task].set()"
            ),
        ),
        why=(
            "Nobody schedules: each task waits for its own needs, and the slowest chain is what"
            " remains. The group ends the rest when one fails. Waiting with `asyncio.wait` rather"
            " than awaiting the needs keeps a cancelled task from cancelling what it waits for."
        ),
        worth=2,
    ),
    Exercise(
        "6.5",
        "choose",
        grade_choose,
        hints=(
            "The rules are in order: the first that applies decides. Write them in that order.",
            (
                "Six `return`s, top to bottom. A single task, no try among others; a dependency;"
                " then the tries, which end in one of two ways; then the three kinds of merge."
            ),
            (
                "if len(tasks) == 1 and not job['alternatives']:\n"
                "    return 'routing'\n"
                "if any(task['needs'] for task in tasks):\n"
                "    return 'plan-then-execute'\n"
                "if job['alternatives']:\n"
                "    return ..."
            ),
        ),
        why=(
            "The order is the argument. Dependence comes before everything, since what waits cannot"
            " run together; and where no rule applies it stays sequential, the pattern that asks"
            " for nothing."
        ),
    ),
)
