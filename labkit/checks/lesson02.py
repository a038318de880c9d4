"""Graders of lesson 02: read a plan, orchestrate it, and orchestrate it with workers at once."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from ..script import Reply, Request
from ..trace import Trace
from .exercise import Exercise
from .judge import Bench, Client, Run, in_parts, nonsense, plan, same, show


def grade_parse_plan(bench: Bench) -> None:
    """2.1: marks go, what belongs to a subtask stays; headings, blanks and repeats are dropped."""
    chance = bench.random
    a, b, c, d, e, f = (nonsense(chance).capitalize() for _ in range(6))
    cases: list[tuple[str, dict[str, int], list[str], str]] = [
        (f"1. {a}\n2. {b}\n3. {c}", {}, [a, b, c], "Numbering such as `1.` is no part of it."),
        (f"{c}\n{a}\n{b}", {}, [c, a, b], "A line without a mark is a subtask, too."),
        (f"1) {a}\n12) {b}\n", {}, [a, b], "`2)` is numbering as well, and so is `12)`."),
        (f"- {a}\n* {b}\n• {c}", {}, [a, b, c], "`-`, `*` and `•` are bullets."),
        (f"   - {a}   \n\t2. {b}\t", {}, [a, b], "White space around a subtask is removed."),
        (
            f"1. 3-day {a}\n2. 2026 {b}\n3-day {c}\n2026 {d}",
            {},
            [f"3-day {a}", f"2026 {b}", f"3-day {c}", f"2026 {d}"],
            "A digit that belongs to the subtask stays: a mark is followed by white space.",
        ),
        (
            f"1.5 litres {a}\n-5 degrees {b}\n- -5 degrees {c}",
            {},
            [f"1.5 litres {a}", f"-5 degrees {b}", f"-5 degrees {c}"],
            "`1.5` and `-5` are no marks: a mark is followed by white space.",
        ),
        (
            f"- 1. {a}\n* - {b}\n- • 3) {c}",
            {},
            [a, b, c],
            "All leading marks are removed, not only the first.",
        ),
        (
            f"1. {a}.\n2. {b} (twice)\n3. {c} -",
            {},
            [f"{a}.", f"{b} (twice)", f"{c} -"],
            "Only leading marks are removed; what a subtask ends with is a part of it.",
        ),
        (
            f"1. {a}: {b}\n2. {c}  {d}\n3. {e.lower()}\n4. go",
            {},
            [f"{a}: {b}", f"{c}  {d}", e.lower(), "go"],
            "A subtask stays as it is: a colon or two blanks inside, a small letter, a short word.",
        ),
        (f"\n1. {a}\n\n   \n2. {b}\n\n", {}, [a, b], "Blank lines are skipped."),
        (f"1. {a}\n-  \n2. \n3. {b}", {}, [a, b], "What is blank without its mark is skipped."),
        (
            f"1. {a} (1) {b}. Then - {c}\n{d} 2. {e} * {f}",
            {},
            [f"{a} (1) {b}. Then - {c}", f"{d} 2. {e} * {f}"],
            "Only leading marks are removed; what looks like one further on is text.",
        ),
        (
            f"2){a}\n-{b}\n1.{c}\n-\t{d}",
            {},
            [f"2){a}", f"-{b}", f"1.{c}", d],
            "Without white space after it, it is no mark; a tab is white space too.",
        ),
        (
            f"1. {a}:\n- {b}",
            {},
            [b],
            "A line that ends with a colon is skipped, numbered or not.",
        ),
        (
            f"Here is the plan:\n1. {a}\nThen:  \n2. {b}",
            {},
            [a, b],
            "A line that ends with a colon is a heading, no subtask.",
        ),
        (
            f"1. {a}\n2. {b}\n3. {a.upper()}\n4. {b}\n5. {c}",
            {},
            [a, b, c],
            "A repeat is dropped, whatever its letter case, and the first one stays.",
        ),
        (
            f"Plan:\n1. {a}\n2. {a}\n3. {b}\n\n4. {c}\n5. {d}\n6. {e}\n7. {f}",
            {},
            [a, b, c, d],
            "At most `limit` subtasks are kept, 4 by default; what is skipped does not count.",
        ),
        (f"1. {a}\n2. {b}\n3. {c}", {"limit": 2}, [a, b], "At most `limit` subtasks are kept."),
        (f"1. {a}\n2. {b}\n3. {c}\n4. {d}\n5. {e}", {"limit": 5}, [a, b, c, d, e],
         "`limit` says how many are kept, more than 4 too."),
    ]  # fmt: skip
    for text, limit, wanted, why in cases:
        run = bench.run(text, **limit)
        right = run.how != "raised" and same(wanted, run.answer())
        run.expect(
            right,
            f"{why}\nFor the text {text!r}" + (f" and limit={limit['limit']}" if limit else ""),
            wanted=show(wanted),
            seen=run.outcome,
        )
    for text in ("", "  \n\n", f"{a}:\n- \n"):
        bench.run(text).expect_raised(
            "ValueError", f"No subtask is left in {text!r}: that raises a ValueError."
        )


@dataclass
class Service:
    """The model behind one orchestration: plans first, then works, then synthesizes.

    It knows a call by its place and by the results it holds, never by its wording.
    """

    chance: random.Random
    plan: str
    subtasks: list[str]
    seconds: list[float]
    plan_seconds: float = 1.0
    final_seconds: float = 0.5
    workers: list[Request] = field(default_factory=list)
    finals: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        # More than there are subtasks: a call too many is answered like any other.
        # So long that a result cut short on its way to the synthesis is noticed.
        self.results = [f" {nonsense(self.chance, 3)}" * 80 + " done.\n" for _ in range(40)]
        self.final = f" {nonsense(self.chance, 60)}.\n"

    def reply(self, request: Request) -> Reply:
        """Answer one request."""
        if request.number == 0:
            return Reply(in_parts(self.plan), seconds=self.plan_seconds)
        if self.workers and not self.missing(request):
            self.finals.append(request)
            return Reply(in_parts(self.final), seconds=self.final_seconds)
        place = len(self.workers)
        self.workers.append(request)
        seconds = self.seconds[place] if place < len(self.seconds) else 1.0
        return Reply(in_parts(self.results[place % 40]), seconds=seconds)

    def missing(self, request: Request) -> list[str]:
        """The workers' results that a request does not hold, white space around them aside."""
        results = self.results[: len(self.subtasks)]
        return [result for result in results if result.strip() not in request.text]

    def ideal(self) -> Trace:
        """The same calls, with the workers together."""
        start, end = self.plan_seconds, self.plan_seconds + max(self.seconds)
        workers = zip(self.subtasks, self.seconds, strict=True)
        return plan(
            ("plan", 0.0, start),
            *((name, start, start + took) for name, took in workers),
            ("synthesis", end, end + self.final_seconds),
        )


def grade_orchestrate(bench: Bench) -> None:
    """2.2: plan, work, synthesize, in exactly 2 + N calls."""
    _grade(bench, together=False)


def grade_orchestrate_parallel(bench: Bench) -> None:
    """2.3: the same, with all worker calls at the same time."""
    _grade(bench, together=True)


def _grade(bench: Bench, *, together: bool) -> None:
    chance = bench.random
    goal, system = f"{nonsense(chance, 4).title()}.", f"{nonsense(chance, 3).title()}."
    names = [nonsense(chance).capitalize() for _ in range(6)]

    # The slowest first, so that the results arrive in another order than they left.
    short = Service(
        chance,
        "\n".join(f"{n}. {name}" for n, name in enumerate(names[:3], 1)),
        names[:3],
        [3, 1, 2],
    )
    run = bench.run(Client(short.reply), goal, system=system)
    _judge(run, short, goal, system, together=together)

    lines = ["The plan:", "", *(f"- {name}" for name in names)]
    lines.insert(3, f"- {names[0].upper()}")
    # With any cap below four, the last one starts late and ends after all others.
    long = Service(chance, "\n".join(lines), names[:4], [3, 4, 2, 4])
    run = bench.run(Client(long.reply), goal, system=system)
    _judge(run, long, goal, system, together=together)

    # An empty reply is a result too. It is the first worker's, so that a call that holds the other
    # results comes after all workers.
    mute = Service(chance, "\n".join(names[3:]), names[3:], [3, 1, 2])
    mute.results[0] = ""
    run = bench.run(Client(mute.reply), goal, system=system)
    _judge(run, mute, goal, system, together=together)

    empty = Service(chance, "Here is my plan:\n\n", [], [1])
    run = bench.run(Client(empty.reply), goal, system=system)
    run.expect_raised(
        "ValueError",
        "The plan named no subtask: that raises a ValueError, as in 2.1.",
    )
    run.expect(
        len(run.requests) == 1,
        "The plan named no subtask, so no worker may be called.",
        wanted="1 call",
        seen=f"{len(run.requests)} calls",
    )

    late = Service(chance, "\n".join(names[:3]), names[:3], [3, 1, 2])
    run = bench.run(Client(late.reply), goal, system=system, cancel_at=late.plan_seconds + 0.5)
    run.expect_cancelled()


def _judge(run: Run, service: Service, goal: str, system: str, *, together: bool) -> None:
    subtasks = service.subtasks
    seen = run.answer()
    calls = run.requests
    run.expect(bool(calls), "Nothing reached the wire: every step is a call.", wanted="2 + N calls")
    run.expect(
        goal in calls[0].text,
        "The first call makes the plan: its prompt has to hold the goal.",
        wanted=show(goal),
        seen=show(calls[0].prompt),
    )
    for subtask in subtasks:
        run.expect(
            any(subtask in call.text for call in service.workers),
            "Each subtask of the plan, as 2.1 reads it, gets a worker call whose prompt holds it.",
            wanted=f"a call with {subtask!r}",
            seen=", ".join(show(call.prompt, 60) for call in service.workers) or "no worker call",
        )
    counted = f"1 plan + {len(subtasks)} workers + 1 synthesis = {2 + len(subtasks)} calls"
    if not service.finals:
        last = calls[-1]
        run.fail(
            "No call held every worker's result: the synthesis is written from all of them.",
            wanted=f"{counted}; the last one holds {len(subtasks)} results",
            seen=f"{len(calls)} calls; the last one lacks {len(service.missing(last))} of them",
        )
    run.expect(
        len(calls) == 2 + len(subtasks),
        "A plan of N subtasks is 2 + N calls.",
        wanted=counted,
        seen=f"{len(calls)} calls, {len(service.workers)} of them workers",
    )
    bare = [call for call in calls if system not in (call.system or "")]
    run.expect(
        not bare,
        "`system` goes with every call: the plan, each worker and the synthesis.",
        wanted=f"{len(calls)} calls with the system prompt",
        seen=f"{len(bare)} without it, the first: {show(bare[0].prompt, 60)}" if bare else None,
    )
    _value(run, service, seen)
    if together:
        ideal = service.ideal()
        work = service.plan_seconds + sum(service.seconds) + service.final_seconds
        run.expect_seconds(
            ideal.seconds,
            "The workers ran one after another: the time is the sum of all calls. Start every"
            " worker before you wait for one."
            if abs(run.seconds - work) < 1e-6
            else "Not all workers were in flight together: the time is plan + slowest worker +"
            " synthesis, and nothing else.",
            ideal,
        )


def _value(run: Run, service: Service, seen: Any) -> None:
    subtasks = service.subtasks
    keys = {"subtasks", "results", "final"}
    run.expect(
        isinstance(seen, dict) and seen.keys() == keys,
        "It returns a dict with `subtasks`, `results` and `final`."
        if seen is not None
        else f"{run.name} returned None: is there a `return` on every way through it?",
        wanted="{'subtasks': [...], 'results': [(subtask, result), ...], 'final': text}",
        seen=show(seen),
    )
    run.expect(
        same(subtasks, seen["subtasks"]),
        "`subtasks` is the plan, as 2.1 reads it.",
        wanted=show(subtasks),
        seen=show(seen["subtasks"]),
    )
    pairs = seen["results"]
    run.expect(
        isinstance(pairs, list | tuple)
        and all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs),
        "`results` is a list of pairs (subtask, result).",
        wanted="[(subtask, result), ...]",
        seen=show(pairs),
    )
    run.expect(
        same(subtasks, [pair[0] for pair in pairs]),
        "`results` holds one pair for each subtask, in the order of the plan, an empty result's"
        " too.",
        wanted=show(subtasks),
        seen=show([pair[0] for pair in pairs]),
    )
    trimmed = {result.strip() for result in service.results} - {*service.results}
    run.expect(
        not any(isinstance(result, str) and result in trimmed for _, result in pairs),
        "A result is the text of its worker's reply as it is, white space included.",
        wanted=show(service.results[: len(subtasks)]),
        seen=show([result for _, result in pairs]),
    )
    answered = dict(zip(service.results, service.workers, strict=False))
    for subtask, result in pairs:
        call = answered.pop(result, None) if isinstance(result, str) else None
        run.expect(
            call is not None and subtask in call.text,
            "A result stands beside a subtask that it does not answer. The workers end in another"
            " order than they start: take the results in dispatch order.",
            wanted=f"the text that answered the call about {subtask!r}",
            seen=show(result),
        )
    # Where every worker was told the whole plan, no call says by itself which subtask is its own.
    # Then results that stand in the order of arrival, and not in that of dispatch, give it away.
    places = [service.results.index(result) for _, result in pairs]
    took = [service.seconds[place] for place in places]
    told_all = all(subtask in call.text for subtask in subtasks for call in service.workers)
    run.expect(
        not told_all or places == sorted(places) or took != sorted(took),
        "The results stand in the order in which they arrived. The workers end in another order"
        " than they start: take the results in dispatch order.",
        wanted="each subtask beside the result of its own worker",
        seen="the quickest worker's result beside the first subtask",
    )
    run.expect(
        same(service.final, seen["final"]),
        "`final` is the text of the synthesis call's reply as it is, white space included.",
        wanted=show(service.final),
        seen=show(seen["final"]),
    )


EXERCISES = (
    Exercise(
        "2.1",
        "parse_plan",
        grade_parse_plan,
        hints=(
            "Take the text line by line. What makes `1.` in `1. Book` a mark, and `1.5` none?",
            (
                "Remove, as often as it is there, a bullet or a number with `.` or `)` that white"
                " space follows. Skip what is blank or ends with a colon then; remember what you"
                " have seen with `casefold()`."
            ),
            (
                "subtask = re.sub(r'^\\s*(?:(?:[-*•]|\\d+[.)])(?:\\s+|$))*', '', line).strip()\n"
                "if subtask and not subtask.endswith(':'):\n"
                "    seen.setdefault(subtask.casefold(), subtask)"
            ),
        ),
        why=(
            "Everything after the plan trusts it, so it is read strictly: a mark counts only where"
            " white space follows, a dict keeps the first of each repeat in order, the limit caps"
            " what a talkative plan can cost, and an empty plan is an error rather than an answer"
            " made of nothing."
        ),
    ),
    Exercise(
        "2.2",
        "orchestrate",
        grade_orchestrate,
        hints=(
            "Five calls for three subtasks. Which of them needs what another one returned?",
            (
                "`ask` for the plan, `parse_plan` it, `ask` once for each subtask, keep the pairs,"
                " and put every result into the prompt of the last `ask`."
            ),
            (
                "plan = await ask(client, f'... {goal}', system=system)\n"
                "subtasks = parse_plan(plan)\n"
                "results = [(t, await ask(client, f'{t} ...', system=...)) for t in subtasks]\n"
                "final = await ask(client, ... every result ..., system=system)"
            ),
        ),
        why=(
            "The orchestrator never does the work itself: it plans, hands out and puts together, in"
            " 2 + N calls. parse_plan raises before any worker is paid for."
        ),
        worth=2,
    ),
    Exercise(
        "2.3",
        "orchestrate_parallel",
        grade_orchestrate_parallel,
        hints=(
            (
                "The plan has to be there before the workers, and the workers before the synthesis."
                " Between the workers, nothing waits for anything."
            ),
            (
                "Replace the loop over the workers by one `asyncio.gather` over their coroutines,"
                " then pair its list with the subtasks."
            ),
            (
                "answers = await asyncio.gather(*(ask(client, ..., system=...) for t in ...))\n"
                "results = list(zip(subtasks, answers))"
            ),
        ),
        why=(
            "Only the loop changed. gather keeps the order of its arguments, so zip puts each"
            " answer beside its subtask; the time fell from the sum of the workers to the slowest."
        ),
        worth=2,
    ),
)
