"""Graders of lesson 07: conduct a fleet, run agents as tools, and loop until the lead answers."""

from __future__ import annotations

import builtins
import heapq
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..script import Reply, Request, text_of
from ..trace import Trace
from .exercise import Exercise
from .judge import (
    Bench,
    Client,
    Content,
    Observed,
    Run,
    Step,
    in_parts,
    nonsense,
    plan,
    same,
    show,
)
from .lesson04 import Fleet

# 7.1


def grade_conduct(bench: Bench) -> None:
    """7.1: one batch under a cap, the gate, one revision under the same cap, the report."""
    chance = bench.random
    stamp = nonsense(chance)

    def good(seconds: float, number: int, **more: Any) -> Step:
        finding = {
            "id": number,
            "topic": nonsense(chance),
            "claim": nonsense(chance, 3),
            "evidence": f"{nonsense(chance, 1)}.py:{number + 1}",
            "note": stamp,
        }
        return Step(seconds, {**finding, **more})

    def bad(seconds: float) -> Step:
        return Step(seconds, {"claim": nonsense(chance), "evidence": None})

    def crash(seconds: float, kind: type[Exception] = RuntimeError) -> Step:
        return Step(seconds, error=kind(nonsense(chance)))

    def fleet(ids: Sequence[int], *tries: list[Step]) -> Fleet:
        specs = [{"id": number, "topic": nonsense(chance)} for number in ids]
        return Fleet(chance, specs, list(tries), stamp)

    late = good(1.0, 90)
    # All second tries of a fleet take equally long: their order under the cap is left open.
    _conducted(
        bench,
        fleet(
            (7, 3, 9, 0, 4, 5),
            [good(3.0, 7), late],
            [bad(1.0), good(1.5, 3), late],
            [good(2.0, 9), late],
            [bad(4.0), good(1.5, 0), late],
            [bad(1.0), bad(1.5), late],
            [good(2.0, 5), late],
        ),
        limit=2,
    )
    topic = nonsense(chance)
    _conducted(
        bench,
        fleet(
            (8, 2, 6, 1, 5, 4, 3),
            [crash(2.0), good(2.0, 8, topic=topic), late],
            [crash(1.0, TimeoutError), crash(2.0), late],
            # A finding says whatever it likes of its id; it belongs to the spec it was sent for.
            [good(1.0, 1, _kicked=nonsense(chance)), late],
            [good(3.0, 6, topic=topic), late],
            [Step(2.0, None), Step(2.0, nonsense(chance)), late],
            [Step(1.0, {}), good(2.0, 4), late],
            [Step(1.0, 0), crash(2.0, OSError), late],
        ),
        limit=3,
    )
    _conducted(
        bench,
        fleet((1, 2, 3), [bad(3.0), bad(1.0)], [crash(1.0), crash(1.0)], [bad(2.0), bad(1.0)]),
        limit=8,
    )
    _conducted(
        bench, fleet((2, 1, 3), [good(1.0, 2)], [bad(2.0), good(1.0, 1)], [good(1.0, 3)]), limit=1
    )
    none = fleet(())
    run = bench.run(none.worker(), [], gate=none.gate(), limit=2)
    run.expect_value(
        {"passed": [], "rejected": [], "report": _report([])},
        "No specs: nothing passed, nothing was rejected, and the report says so.",
    )
    _refused(bench, fleet((4, 2, 4), [good(1.0, 4)], [good(1.0, 2)], [good(1.0, 5)]))
    twins = fleet((0, 0), [good(1.0, 1)], [good(1.0, 2)])
    twins.specs[1] = dict(twins.specs[0])
    _refused(bench, twins)
    for limit in (0, -1):
        some = fleet((1, 2), [good(1.0, 1)], [good(1.0, 2)])
        run = bench.run(some.worker(), some.specs, gate=some.gate(), limit=limit)
        run.expect(
            run.how not in {"stuck", "spun"},
            f"`limit` is {limit}, and it never came back: nobody gets in where there are no places."
            " Look at `limit` first; under 1 it raises a ValueError.",
            wanted="ValueError",
        )
        run.expect_raised("ValueError", f"`limit` is {limit}: that raises a ValueError.")
        _nothing_started(run)
    for moment in (0.5, 3.5):
        some = fleet(
            (1, 2, 3),
            [bad(1.0), good(2.0, 1)],
            [good(2.0, 2)],
            [crash(1.0), good(3.0, 3)],
        )
        bench.run(
            some.worker(), some.specs, gate=some.gate(), limit=2, cancel_at=moment
        ).expect_cancelled()


def _refused(bench: Bench, fleet: Fleet) -> None:
    run = bench.run(fleet.worker(), fleet.specs, gate=fleet.gate(), limit=2)
    ids = [spec["id"] for spec in fleet.specs]
    run.expect_raised("ValueError", f"Two specs share an id ({show(ids)}): that is a ValueError.")
    _nothing_started(run)


def _nothing_started(run: Run) -> None:
    run.expect(
        not run.of("worker"),
        "It refused, but only after it had started workers: look at the batch before you spend.",
        wanted="no worker started",
        seen=f"{len(run.of('worker'))} started",
    )


def _report(passed: list[Any]) -> str:
    lines: dict[str, str] = {}
    for finding in sorted(passed, key=lambda finding: int(finding["id"])):
        lines.setdefault(finding["topic"], f"- {finding['claim']} [{finding['evidence']}]")
    return "\n".join(["FLEET REPORT", *(lines.values() or ["(nothing passed the gate)"])])


def _in_turn(seconds: Sequence[float], limit: int, start: float) -> list[tuple[float, float]]:
    """When each of some tasks starts and ends, begun in order with so many in flight."""
    free = [start] * limit
    spans = []
    for took in seconds:
        begin = heapq.heappop(free)
        heapq.heappush(free, begin + took)
        spans.append((begin, begin + took))
    return spans


def _conducted(bench: Bench, fleet: Fleet, *, limit: int) -> None:
    run = bench.run(fleet.worker(), fleet.specs, gate=fleet.gate(), limit=limit)
    if run.how == "raised" and any(
        error.call is not None for error in (run.value, *run.value.leaves())
    ):
        run.fail(
            "A worker raised, and its exception reached the caller. It is kicked back with"
            ' feedback "failed: …", revised once, and sinks at most its own spec.',
            wanted="a dict with `passed`, `rejected` and `report`",
            seen=run.outcome,
        )
    _as_it_came(run, fleet)
    seen = run.answer()
    calls = run.of("worker")
    run.expect(
        all(len(call.args) == 2 and not call.kwargs for call in calls),
        "A worker is called as `worker(spec, feedback)`, with positional arguments.",
        wanted="worker(spec, None) at the first try",
    )
    count = len(fleet.specs)
    first = [fleet.verdict(steps[0]) for steps in fleet.tries]
    again = [place for place, (passed, _) in enumerate(first) if not passed]
    _tried(run, fleet, calls[:count], calls[count:], first, again)
    _results(run, fleet, first, again, seen)
    _capped(run, fleet, calls[:count], again, limit)


def _as_it_came(run: Run, fleet: Fleet) -> None:
    """Whatever a worker brought went to the gate as it was, and nothing was asked of it before."""
    brought = [step.value for steps in fleet.tries for step in steps if step.error is None]
    claims = [own["claim"] for own in brought if isinstance(own, dict) and "claim" in own]
    given = [finding for call in run.of("gate") for finding in _listed(call.args)]
    altered = [
        finding
        for finding in given
        if isinstance(finding, dict)
        and "_kicked" not in finding
        and not any(same(own, finding) for own in brought)
        # What stands in for a worker that raised is the learner's own, and nobody's finding.
        and finding.get("claim") in claims
    ]
    run.expect(
        not altered,
        "A finding reached the gate altered: the gate judges what the worker brought, just as it"
        " came. A finding belongs to the spec it was dispatched for, whatever id it claims or"
        " lacks; so keep the place beside it, and write nothing into it.",
        wanted="one of the workers' findings, with no field added or changed",
        seen=show(altered[0]) if altered else None,
    )
    fed = [call.args for call in run.of("worker") if len(call.args) == 2]
    for spec, feedback in fed:
        place = next((n for n, own in enumerate(fleet.specs) if same(own, spec)), None)
        run.expect(
            place is None
            or fleet.tries[place][0].error is not None
            or not str(feedback).startswith("failed: "),
            "This worker did not fail: what it brought could not be handled on the way to the gate."
            " A worker may bring anything at all, None too; it goes to the gate as it came.",
            wanted="feedback in the gate's words",
            seen=show(feedback),
        )
    if run.how != "raised":
        return
    if "KeyError" in run.value.family:
        run.fail(
            "A finding may lack anything, its id and topic too, and so may what was rejected. Only"
            " what passed goes to `synthesize`, and a finding belongs to the spec it was"
            " dispatched for.",
            seen=run.outcome,
        )
    if {"TypeError", "AttributeError", "ValueError"} & set(run.value.family) and any(
        f"'{kind}' object" in run.value.text for kind in ("NoneType", "str", "int")
    ):
        run.fail(
            "A worker may bring anything at all, None too: it goes to the gate as it came, and the"
            " gate says that it is no finding.",
            seen=run.outcome,
        )


def _listed(args: Sequence[Any]) -> list[Any]:
    return list(args[0]) if args and isinstance(args[0], list | tuple) else []


def _tried(
    run: Run,
    fleet: Fleet,
    firsts: list[Observed],
    seconds: list[Observed],
    first: list[tuple[bool, Any]],
    again: list[int],
) -> None:
    wanted = [(spec, None) for spec in fleet.specs]
    run.expect(
        _said(firsts) == sorted(map(repr, wanted)),
        "Each spec is first given to the worker once, with None as feedback, before any is tried"
        " again.",
        wanted=show(wanted),
        seen=show([call.args for call in firsts]),
    )
    told = [(fleet.specs[place], first[place][1]["_kicked"]) for place in again]
    if len(seconds) > len(again):
        mended = [repr(fleet.specs[place]) for place in again]
        extra = any(repr(call.args[0]) not in mended for call in seconds)
        run.fail(
            "What has passed is not run again."
            if extra
            else "One revision and no more: what is kicked back twice is rejected.",
            wanted=f"{len(again)} second tries",
            seen=f"{len(seconds)} more calls",
        )
    run.expect(
        len(seconds) == len(again),
        "Each spec that was kicked back gets exactly one more try, and so does one whose worker"
        " raised or brought what is no finding.",
        wanted=f"{len(again)} second tries",
        seen=f"{len(seconds)} second tries",
    )
    run.expect(
        _said(seconds) == sorted(map(repr, told)),
        "The second try gets the text of `_kicked` as feedback; for a worker that raised, that is"
        ' `"failed: "` and the text of its exception.',
        wanted=show(told),
        seen=show([call.args for call in seconds]),
    )


def _said(calls: list[Observed]) -> list[str]:
    return sorted(repr(tuple(call.args)) for call in calls)


def _results(
    run: Run, fleet: Fleet, first: list[tuple[bool, Any]], again: list[int], seen: Any
) -> None:
    board = list(first)
    for place in again:
        board[place] = fleet.verdict(fleet.tries[place][1])
    wanted: dict[str, Any] = {
        "passed": [finding for right, finding in board if right],
        "rejected": [finding for right, finding in board if not right],
    }
    run.expect(
        isinstance(seen, dict) and seen.keys() == {"passed", "rejected", "report"},
        "It returns a dict with `passed`, `rejected` and `report`."
        if seen is not None
        else f"{run.name} returned None: is there a `return` on every way through it?",
        wanted='{"passed": [...], "rejected": [...], "report": text}',
        seen=show(seen),
    )
    for name, own in wanted.items():
        got = seen[name]
        shuffled = isinstance(got, list | tuple) and sorted(map(repr, own)) == sorted(
            map(repr, got)
        )
        run.expect(
            same(own, got),
            f"`{name}` stands in the order of `specs`, whichever id a finding claims and whenever"
            " it came."
            if shuffled
            else "`rejected` holds what the gate kicked back the second time, as the gate gave it;"
            ' a spec whose second try raised is {"_kicked": "failed: …"}.'
            if name == "rejected"
            else "`passed` holds what passed at the first or at the second try.",
            wanted=f"{name} = {show(own)}",
            seen=f"{name} = {show(got)}",
        )
    report = _report(wanted["passed"])
    run.expect(
        same(report, seen["report"]),
        "`report` is what 4.4 makes of `passed`: by ascending id, one line for each topic.",
        wanted=show(report),
        seen=show(seen["report"]),
    )


def _capped(run: Run, fleet: Fleet, firsts: list[Observed], again: list[int], limit: int) -> None:
    spans = _in_turn([steps[0].seconds for steps in fleet.tries], limit, 0.0)
    barrier = max(end for _, end in spans)
    revised = _in_turn([fleet.tries[place][1].seconds for place in again], limit, barrier)
    ideal = plan(
        *((str(spec), *span) for spec, span in zip(fleet.specs, spans, strict=True)),
        *((str(fleet.specs[place]), *span) for place, span in zip(again, revised, strict=True)),
    )
    pictures = (("yours", run.trace()), ("wanted", ideal))
    if run.in_flight > limit:
        run.fail(
            f"With limit={limit}, at most {limit} workers may be in flight, in the first round and"
            " in the revision alike.",
            wanted=f"{limit} in flight at most",
            seen=f"{run.in_flight}",
            pictures=pictures,
        )
    begun = {repr(call.args[0]): call.start for call in firsts}
    off = [
        spec
        for spec, (start, _) in zip(fleet.specs, spans, strict=True)
        if abs(begun[repr(spec)] - start) > 1e-6
    ]
    if off:
        run.fail(
            "The first tries do not start as 3.3 has them: in dispatch order, each free place"
            " filled at once and never batch by batch.",
            wanted=f"{off[0]} started at {ideal.calls[fleet.specs.index(off[0])].start:.3f} s",
            seen=f"at {begun[repr(off[0])]:.3f} s",
            pictures=pictures,
        )
    early = [call for call in run.of("worker")[len(firsts) :] if call.start < barrier - 1e-6]
    if early:
        run.fail(
            "A second try started before all first tries were through: the gate stands behind a"
            " barrier.",
            wanted=f"second tries from {barrier:.3f} s on",
            seen=f"one at {early[0].start:.3f} s",
            pictures=pictures,
        )
    run.expect_seconds(
        ideal.seconds,
        f"With limit={limit} the second tries fill {limit} places, too, and nothing else takes"
        " time.",
        ideal,
    )


# 7.2 and 7.3


@dataclass
class Team:
    """Specialists as the judge plays them: who was asked what, and what came of it.

    Attributes:
        chance: Where words come from.
        names: The tools' names; each has a system prompt of its own.
        seconds: How long each specialist takes.
        fails: The tasks at which a specialist's call fails.
        silent: The tasks to which a specialist replies without a word.
    """

    chance: random.Random
    names: list[str]
    seconds: dict[str, float]
    fails: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    said: list[tuple[str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.prompts = {name: f"{nonsense(self.chance, 4).capitalize()}." for name in self.names}

    def reply(self, request: Request) -> Reply:
        """Answer a specialist's call, and note which it was."""
        name = self.asked(request)
        if name is None:
            return Reply(in_parts(nonsense(self.chance, 5)), seconds=1.0)
        if any(task in request.prompt for task in self.fails):
            return Reply(nonsense(self.chance, 3), fails=400, seconds=self.seconds[name])
        silent = any(task in request.prompt for task in self.silent)
        text = "" if silent else f"{nonsense(self.chance, 5)}."
        self.said.append((name, request.prompt, text))
        content = [in_parts("")[0]] if silent else in_parts(text)
        return Reply(content, seconds=self.seconds[name])

    def asked(self, request: Request) -> str | None:
        """Whose system prompt a request carries; None where it is no one's."""
        system = request.system or ""
        named = [name for name, prompt in self.prompts.items() if prompt in system]
        return named[0] if len(named) == 1 else None

    def why_not(self, block: dict[str, Any]) -> str | None:
        """Why a tool use goes back as an error; None where it does not."""
        if block["name"] not in self.prompts:
            return f"no tool is named {block['name']!r}"
        task = block["input"].get("task")
        if not isinstance(task, str):
            return f"the input {block['input']!r} holds no string `task`"
        return "the specialist's call failed with a 400" if task in self.fails else None


def _uses(content: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [block for block in content if block["type"] == "tool_use"]


def _specialists_called(
    run: Run, team: Team, content: Sequence[dict[str, Any]], requests: Sequence[Request]
) -> None:
    """One call for each tool use that can be run, with the right prompt and the right task."""
    wanted = [
        (block["name"], block["input"]["task"])
        for block in _uses(content)
        if block["name"] in team.prompts and isinstance(block["input"].get("task"), str)
    ]
    strange = [request for request in requests if team.asked(request) is None]
    run.expect(
        not strange,
        "A specialist's call carries that specialist's prompt as `system`, beside `messages` and"
        " not inside it.",
        wanted=f"system = one of {show(list(team.prompts.values()))}",
        seen=show(strange[0].body.get("system", "no system field")) if strange else None,
    )
    left = list(requests)
    for name, task in wanted:
        found = next((r for r in left if team.asked(r) == name and task in r.prompt), None)
        if found is None:
            elsewhere = any(
                task in request.prompt and (team.asked(request), task) not in wanted
                for request in left
            )
            run.fail(
                f"The task for {name} went to another specialist: the tool's name says whose"
                " prompt is the `system`."
                if elsewhere
                else "Each tool use with a string `task` is one call, with the task as the user"
                " message; the same specialist may be asked twice in a round.",
                wanted=f"{name} asked {task!r}",
                seen=", ".join(f"{team.asked(r)} asked {r.prompt!r}" for r in requests)
                or "no call",
            )
        left.remove(found)
    run.expect(
        not left,
        "One call for each tool use that can be run, and none for the others: not for an unknown"
        " tool, not for an input without a string `task`, and no second try.",
        wanted=f"{len(wanted)} calls to specialists",
        seen=f"{len(requests)}; one too many asked {left[0].prompt!r}" if left else None,
    )


def _results_fit(
    run: Run, team: Team, content: Sequence[dict[str, Any]], results: Any, *, reason: bool
) -> None:
    """One result for each tool use, in order, with its id and what the specialist said."""
    uses = _uses(content)
    ids = [block["id"] for block in uses]
    shape = '{"type": "tool_result", "tool_use_id": ..., "content": text}'
    run.expect(
        isinstance(results, list | tuple)
        and all(isinstance(r, dict) and r.get("type") == "tool_result" for r in results),
        "The results are dicts of the type `tool_result`.",
        wanted=f"[{shape}, ...]",
        seen=show(results),
    )
    seen = [result.get("tool_use_id") for result in results]
    run.expect(
        seen == ids,
        "There is one result for each tool_use block, in the order of the blocks, whoever finishes"
        " first; each has the block's id as `tool_use_id`.",
        wanted=show(ids),
        seen=show(seen),
    )
    replies = Counter((name, prompt, text) for name, prompt, text in team.said)
    for block, result in zip(uses, results, strict=True):
        strange = sorted(
            str(key) for key in result.keys() - {"type", "tool_use_id", "content", "is_error"}
        )
        run.expect(
            not strange,
            "A tool result holds nothing else: the service refuses a field it does not know.",
            wanted=shape,
            seen=f"also {', '.join(strange)}",
        )
        _result_fits(run, team, block, result, replies, reason=reason)
    if reason:
        _reasons_differ(run, team, uses, results)


def _reasons_differ(
    run: Run, team: Team, uses: Sequence[dict[str, Any]], results: Sequence[dict[str, Any]]
) -> None:
    """One and the same text for whatever went wrong says that something did, and not what."""
    causes: dict[str, str | None] = {}
    for block, result in zip(uses, results, strict=True):
        if why := team.why_not(block):
            causes[why] = _plain_text(result.get("content"))
    run.expect(
        len(causes) < 3 or len(set(causes.values())) > 1,
        "The content of a failed result says why it failed. Here an unknown tool, an input without"
        " a `task` and a failed call all get the same words, which say that something failed and"
        " not what.",
        wanted="a reason that tells one cause from another",
        seen=show(next(iter(causes.values()), None)),
    )


def _result_fits(
    run: Run,
    team: Team,
    block: dict[str, Any],
    result: dict[str, Any],
    replies: Counter[tuple[str, str, str]],
    *,
    reason: bool,
) -> None:
    error = result.get("is_error", False)
    why = team.why_not(block)
    if why is not None:
        run.expect(
            error is True,
            f'Where a tool use cannot be run, its result has "is_error": True. Here {why}.',
            wanted='"is_error": True',
            seen=show(result),
        )
        told = (_plain_text(result.get("content")) or "").strip()
        run.expect(
            not reason or bool(told),
            f"The content of a failed result says why it failed: the lead has nothing else to go"
            f" by. Here {why}.",
            wanted="a reason, as a text",
            seen=show(result),
        )
        run.expect(
            not reason or not _is_builtin_exception(told.removesuffix("()")),
            "The content of a failed result says why it failed, and the bare name of one of"
            f" Python's exceptions does not: the lead never sees your code. Here {why}.",
            wanted="a reason, such as the exception's text",
            seen=show(result),
        )
        return
    run.expect(
        error is False,
        "Where the specialist answered, the result is no error: leave `is_error` out. A reply"
        " without text is an answer, too.",
        wanted="no `is_error`",
        seen=show(result),
    )
    task, text = block["input"]["task"], _plain_text(result.get("content"))
    mine = [key for key in replies if key[0] == block["name"] and task in key[1] and replies[key]]
    found = next((key for key in mine if key[2] == text), None)
    if found is None:
        run.fail(
            "A result holds the text of its own specialist's reply: the text blocks joined, and no"
            " other block.",
            wanted=show(mine[0][2]) if mine else "the reply's text",
            seen=show(result.get("content")),
        )
    replies[found] -= 1


def _is_builtin_exception(name: str) -> bool:
    kind = getattr(builtins, name, None)
    return isinstance(kind, type) and issubclass(kind, BaseException)


def _plain_text(content: Any) -> str | None:
    """The text of a tool result: a string, or text blocks; None where it is anything else."""
    if isinstance(content, str):
        return content
    blocks = list(content) if isinstance(content, list | tuple) else [None]
    plain = all(isinstance(block, dict) and block.get("type") == "text" for block in blocks)
    return text_of(blocks) if plain else None


def _use(number: int, name: str, given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": f"toolu_{number:03d}", "name": name, "input": given}


def _team(chance: random.Random, count: int = 3) -> Team:
    names = [nonsense(chance, 1) for _ in range(count)]
    names[-1] = f"{names[-1]}_{nonsense(chance, 1)}"
    # The slowest first, so that results arrive in another order than they were asked for.
    return Team(chance, names, {name: float(count - place) for place, name in enumerate(names)})


def grade_run_tools(bench: Bench) -> None:
    """7.2: all specialists asked for together, and one result for each tool use, in order."""
    chance = bench.random

    def tasks(count: int) -> list[str]:
        return [nonsense(chance, 4) for _ in range(count)]

    thought, said, more = in_parts(nonsense(chance, 6))
    search = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search",
              "input": {"query": nonsense(chance)}}  # fmt: skip

    team, given = _team(chance), tasks(3)
    a, b, c = team.names
    _round(
        bench,
        team,
        [
            thought,
            said,
            _use(2, a, {"task": given[0]}),
            more,
            _use(9, c, {"task": given[1]}),
            _use(1, b, {"task": given[2]}),
        ],
    )
    team, given = _team(chance), tasks(3)
    a, b, c = team.names
    _round(
        bench,
        team,
        [
            _use(5, b, {"task": given[0]}),
            search,
            _use(4, b, {"task": given[1]}),
            _use(3, a, {"task": given[0]}),
            _use(7, c, {"task": given[2]}),
            _use(6, c, {"task": given[2]}),
        ],
    )
    team, given = _team(chance), tasks(4)
    a, b, c = team.names
    team.fails, team.silent = {given[1]}, {given[2]}
    nobody = nonsense(chance, 1)
    _round(
        bench,
        team,
        [
            _use(1, nobody, {"task": given[0]}),
            _use(2, b, {"task": given[1]}),
            _use(3, c, {}),
            _use(4, a, {"task": given[0]}),
            _use(5, b, {"task": 7}),
            _use(6, c, {"task": given[2]}),
            _use(7, a, {"task": None}),
            _use(8, b, {nonsense(chance, 1): given[3]}),
            _use(9, c, {"task": [given[3]]}),
        ],
    )
    nobody = nonsense(chance, 1)
    alone = Team(chance, [], {})
    _round(bench, alone, [_use(1, nobody, {"task": given[0]})])
    _round(bench, _team(chance), [thought, said, more])
    _round(bench, _team(chance), [])
    team = _team(chance)
    run = bench.run(
        Client(team.reply),
        Content([_use(n, name, {"task": given[n]}) for n, name in enumerate(team.names)]),
        team.prompts,
        cancel_at=0.5,
    )
    run.expect_cancelled()


def _round(bench: Bench, team: Team, content: list[dict[str, Any]]) -> None:
    run = bench.run(Client(team.reply), Content(content), team.prompts)
    if run.how == "raised":
        _explain_raised(run, team, content)
    seen = run.answer()
    run.expect(
        isinstance(seen, list | tuple),
        f"{run.name} returned None: is there a `return` on every way through it?"
        if seen is None
        else "It returns a list, with one tool result for each tool_use block.",
        wanted='[{"type": "tool_result", "tool_use_id": ..., "content": text}, ...]',
        seen=show(seen),
    )
    _specialists_called(run, team, content, run.requests)
    _results_fit(run, team, content, seen, reason=True)
    ideal = _together(team, content, 0.0)
    run.expect_seconds(
        ideal.seconds,
        "All the specialists asked for run together: it takes as long as the slowest of them.",
        ideal,
    )


def _together(team: Team, content: Sequence[dict[str, Any]], start: float) -> Trace:
    rows = [
        (str(block["input"]["task"]), start, start + team.seconds[block["name"]])
        for block in _uses(content)
        if block["name"] in team.prompts and isinstance(block["input"].get("task"), str)
    ]
    return plan(*rows)


def _explain_raised(run: Run, team: Team, content: Sequence[dict[str, Any]]) -> None:
    raised = run.value
    if "not subscriptable" in raised.text and "Block" in raised.text:
        run.fail(
            "The blocks are the SDK's objects, as `reply.content` holds them: write `block.type`,"
            " `block.id`, `block.name` and `block.input`; only the input is a dict.",
            seen=run.outcome,
        )
    if "has no attribute" in raised.text and "Block" in raised.text:
        run.fail(
            "Only a block of the type `tool_use` has an id, a name and an input, and only one of"
            " the type `text` has a text; look at `block.type` first.",
            seen=run.outcome,
        )
    if "BadRequestError" in [kind for leaf in raised.leaves() for kind in leaf.family]:
        run.fail(
            "A specialist's call failed, and that reached the caller: it goes back as a result with"
            " `is_error`, and sinks nothing else.",
            wanted='"is_error": True',
            seen=run.outcome,
        )
    reasons = [why for block in _uses(content) if (why := team.why_not(block))]
    if reasons:
        run.fail(
            "A tool use that cannot be run gives a result with `is_error`, never an exception."
            f" Here {reasons[0]}.",
            wanted='"is_error": True',
            seen=run.outcome,
        )


@dataclass
class Turn:
    """What the lead says in one round, in how many seconds, and why it stopped."""

    content: list[dict[str, Any]]
    seconds: float = 1.0
    stop_reason: str | None = None
    fails: int | None = None

    @property
    def text(self) -> str:
        """The text of it."""
        return "".join(block["text"] for block in self.content if block["type"] == "text")

    @property
    def asks(self) -> bool:
        """Whether it stops for a tool."""
        return self.stop_reason is None and bool(_uses(self.content)) and not self.fails


MANY = 20
"""Lead calls beyond the last planned turn after which the service refuses: the loop is endless."""


@dataclass
class Service:
    """The model behind one loop: a lead that speaks its turns in order, and its team."""

    team: Team
    request: str
    turns: list[Turn]
    leads: list[Request] = field(default_factory=list)
    rounds: list[list[Request]] = field(default_factory=list)

    def reply(self, request: Request) -> Reply:
        """Answer one request."""
        if self.leads and self._to_specialist(request):
            self.rounds[-1].append(request)
            return self.team.reply(request)
        turn = self.turns[min(len(self.leads), len(self.turns) - 1)]
        if len(self.leads) > len(self.turns) + MANY:
            turn = Turn([], fails=400)
        self.leads.append(request)
        self.rounds.append([])
        return Reply(
            turn.content, seconds=turn.seconds, stop_reason=turn.stop_reason, fails=turn.fails
        )

    def _to_specialist(self, request: Request) -> bool:
        # A lead's later turn holds what was said before; a specialist's is one question.
        fresh = len(request.messages) == 1 and not _results_in(request.messages[0])
        return fresh and (self.team.asked(request) is not None or self.request not in request.text)


def _results_in(turn: dict[str, Any]) -> list[dict[str, Any]]:
    content = turn.get("content")
    blocks = content if isinstance(content, list) else []
    return [b for b in blocks if isinstance(b, dict) and b.get("type") == "tool_result"]


def grade_atlas(bench: Bench) -> None:
    """7.3: the loop of the Messages API, with specialists as tools."""
    chance = bench.random
    number = iter(range(1, 1000))

    def words(count: int = 4) -> str:
        return nonsense(chance, count)

    def answer(text: str | None = None, **more: Any) -> Turn:
        return Turn(in_parts(f"{words(8)}." if text is None else text), 1.0, **more)

    def asks(*uses: tuple[str, Any], chatter: bool = True) -> Turn:
        blocks = in_parts(f"{words()}.") if chatter else []
        return Turn([*blocks, *(_use(next(number), name, given) for name, given in uses)], 0.5)

    def task() -> dict[str, str]:
        return {"task": words()}

    def service(team: Team, *turns: Turn) -> Service:
        return Service(team, f"{words(6).capitalize()}?", list(turns))

    # Cut off in the midst of asking: the block is there, and the reply did not stop for it.
    cut = answer(stop_reason="max_tokens")
    team = _team(chance)
    a, b, c = team.names
    cut.content.append(_use(next(number), b, task()))
    twice = task()
    _looped(
        bench,
        service(
            team,
            asks((c, task()), (a, task()), (b, task()), (b, task())),
            asks((a, twice), (a, twice), chatter=False),
            cut,
        ),
    )
    team = _team(chance)
    a, b, c = team.names
    failing, silent, nobody = task(), task(), words(1)
    team.fails, team.silent = {failing["task"]}, {silent["task"]}
    wordless = Turn([in_parts("")[0]])
    _looped(
        bench,
        service(
            team,
            asks((nobody, task()), (a, failing), (c, {}), (b, silent), (a, {"task": 3})),
            wordless,
            answer(),
        ),
    )
    # Rounds that ask for nobody who is there cost the check no calls but the lead's.
    limits: list[tuple[int, dict[str, int]]] = [(5, {}), (2, {"rounds": 2}), (1, {"rounds": 1})]
    for rounds, given in limits:
        asking = [asks((nobody, task())) for _ in range(rounds + 2)]
        # The answer that comes in the end lets a loop without a bound come back and be counted.
        endless = service(_team(chance, 2), *asking, answer())
        _endless(bench, endless, rounds, given)
    _looped(bench, service(_team(chance, 2), answer(stop_reason="stop_sequence")), rounds=1)
    team = _team(chance, 2)
    refused = service(team, asks((team.names[0], task())), answer(stop_reason="refusal"))
    _looped(bench, refused, rounds=2)
    for rounds in (0, 1):
        team = _team(chance)
        turns = [*(asks((nobody, task())) for _ in range(rounds)), answer(fails=400)]
        broken = service(team, *turns)
        run = bench.run(Client(broken.reply), broken.request, team.prompts)
        run.expect_raised(
            "BadRequestError",
            "A lead call failed with a 400: that reaches the caller. Only a specialist's failure"
            " goes back as a result.",
        )
        run.expect(
            len(broken.leads) == len(turns),
            "A lead call that fails ends the loop.",
            wanted=f"{len(turns)} lead calls",
            seen=f"{len(broken.leads)}",
        )
    for moment in (0.2, 1.2):
        team = _team(chance, 2)
        some = service(team, asks(*((name, task()) for name in team.names)), answer())
        run = bench.run(Client(some.reply), some.request, team.prompts, cancel_at=moment)
        run.expect_cancelled()


def _endless(bench: Bench, service: Service, rounds: int, given: dict[str, int]) -> None:
    run = bench.run(Client(service.reply), service.request, service.team.prompts, **given)
    told = f"rounds={rounds}" if given else f"{rounds} by default"
    why = (
        f"After as many lead calls as `rounds` says, {told}, without a reply that asks for no"
        " tool: that raises a RuntimeError."
    )
    if run.how == "returned" or len(service.leads) > rounds:
        _counted(run, service, rounds, why)
    run.expect_raised("RuntimeError", why)
    _counted(run, service, rounds, why)


def _counted(run: Run, service: Service, rounds: int, why: str) -> None:
    run.expect(
        len(service.leads) == rounds,
        why,
        wanted=f"{rounds} lead calls",
        seen=f"{len(service.leads)} lead calls, {run.outcome}",
    )


def _looped(bench: Bench, service: Service, **given: Any) -> None:
    team = service.team
    run = bench.run(Client(service.reply), service.request, team.prompts, **given)
    ending = next(place for place, turn in enumerate(service.turns) if not turn.asks)
    last = service.turns[ending]
    if run.how != "returned" and len(service.leads) > ending + 1:
        _lead_calls(run, service, ending)
    if (
        run.how == "raised"
        and last.stop_reason
        and len(service.leads) == ending + 1
        and ("RuntimeError" in run.value.family or last.stop_reason in run.value.text)
    ):
        run.fail(
            f"The reply stopped for `{last.stop_reason}`, and it raised. Any stop reason but"
            " `tool_use` is final: the text of that reply is the answer, whatever else it holds.",
            wanted=show(last.text),
            seen=run.outcome,
        )
    if run.how == "raised" and "RuntimeError" in run.value.family:
        if len(service.leads) <= ending:
            run.fail(
                "It gave up while rounds were left.",
                wanted=f"{ending + 1} lead calls",
                seen=f"{len(service.leads)} lead calls, {run.outcome}",
            )
        _lead_calls(run, service, ending)
        run.fail(
            "The last of the rounds brought a reply that asks for no tool: that is the answer.",
            wanted=show(last.text),
            seen=run.outcome,
        )
    if run.how == "raised":
        _explain_raised(run, team, [block for turn in service.turns for block in turn.content])
    seen = run.answer()
    _lead_calls(run, service, ending)
    for turn, asked in zip(service.turns, service.rounds, strict=False):
        _specialists_called(run, team, turn.content if turn.asks else [], asked)
    _conversation(run, service)
    _free_to_choose(run, service, ending)
    final = last.text
    run.expect(
        same(final, seen),
        f"{run.name} returned None: is there a `return` on every way through it?"
        if seen is None
        else "It returns the text of the first reply that does not ask for a tool: its text blocks"
        " joined, and nothing of the turns before.",
        wanted=show(final),
        seen=show(seen),
    )
    rows, now = [], 0.0
    for turn in service.turns[: ending + 1]:
        rows.append(("lead", now, now + turn.seconds))
        now += turn.seconds
        if turn.asks:
            together = _together(team, turn.content, now)
            rows += [(call.lane, call.start, call.end or now) for call in together.calls]
            now = max([now, *(call.end or now for call in together.calls)])
    ideal = plan(*rows)
    run.expect_seconds(
        ideal.seconds,
        "All the specialists of one round run together; the lead waits for the slowest of them,"
        " and for nothing else.",
        ideal,
    )


def _lead_calls(run: Run, service: Service, ending: int) -> None:
    leads = service.leads
    run.expect(bool(leads), "Nothing reached the wire: each turn of the lead is a call.")
    run.expect(
        service.request in leads[0].text,
        "The first call sends the request.",
        wanted=show(service.request),
        seen=show(leads[0].text),
    )
    for place, lead in enumerate(leads):
        _tools_fit(run, service.team, lead, place)
    last = service.turns[ending]
    if len(leads) > ending + 1:
        run.fail(
            "The loop went on after a reply that was final: only the stop reason `tool_use` asks"
            " for another round, whatever else the reply holds.",
            wanted=f"{ending + 1} lead calls: {last.stop_reason or 'end_turn'} ends it",
            seen=f"{len(leads)} lead calls",
        )
    run.expect(
        len(leads) == ending + 1,
        "While the reply stops for `tool_use`, the results go back and the lead is called again.",
        wanted=f"{ending + 1} lead calls",
        seen=f"{len(leads)}, {run.outcome}",
    )
    if _uses(last.content):
        run.expect(
            not service.rounds[ending],
            "A reply that was cut short did not stop for `tool_use`: its tool is not run. Look at"
            " `stop_reason`, not for tool_use blocks.",
            wanted="no specialist called",
            seen=f"{len(service.rounds[ending])} called",
        )


def _tools_fit(run: Run, team: Team, lead: Request, place: int) -> None:
    tools = lead.body.get("tools")
    named = [tool.get("name") for tool in tools] if isinstance(tools, list) else []
    run.expect(
        sorted(map(str, named)) == sorted(team.names),
        "Every lead call carries the tools, one for each specialist and named as in the mapping."
        if place == 0 or not named
        else "Every lead call carries the same tools.",
        wanted=f"lead call {place + 1} with the tools {', '.join(team.names)}",
        seen=f"with {', '.join(map(str, named)) or 'none'}",
    )
    for tool in tools or []:
        schema = tool.get("input_schema")
        schema = schema if isinstance(schema, dict) else {}
        properties = schema.get("properties")
        fits = (
            schema.get("type") == "object"
            and isinstance(properties, dict)
            and properties.keys() == {"task"}
            and isinstance(properties["task"], dict)
            and properties["task"].get("type") == "string"
        )
        run.expect(
            fits,
            "Each tool takes an object with one string, `task`: that is its `input_schema`.",
            wanted='{"type": "object", "properties": {"task": {"type": "string"}}, ...}',
            seen=show(tool.get("input_schema", f"no input_schema in {tool}")),
        )


def _free_to_choose(run: Run, service: Service, ending: int) -> None:
    """No lead call forbids the very reply that it got, as the service would have obeyed it."""
    for place, (turn, lead) in enumerate(zip(service.turns, service.leads, strict=False)):
        choice = lead.body.get("tool_choice")
        kind = choice.get("type") if isinstance(choice, dict) else "auto"
        run.expect(
            not (turn.asks and kind == "none"),
            "With that `tool_choice` the lead may not use the tools it is sent, so it can never ask"
            " a specialist.",
            wanted="no `tool_choice`, or auto",
            seen=f"in lead call {place + 1}: {show(choice)}",
        )
        run.expect(
            not (place == ending and turn.stop_reason is None and kind in {"any", "tool"}),
            "With that `tool_choice` the lead has to ask for a tool, so it can never answer.",
            wanted="no `tool_choice`, or auto",
            seen=f"in lead call {place + 1}: {show(choice)}",
        )


def _conversation(run: Run, service: Service) -> None:
    """Every lead call after the first holds the turns before it, whole and in order."""
    for place, lead in enumerate(service.leads[1:], 1):
        before = service.turns[:place]
        assistant = [turn for turn in lead.messages if turn.get("role") == "assistant"]
        run.expect(
            len(assistant) == place
            and all(map(_holds, assistant, (turn.content for turn in before))),
            "The assistant's turn goes back whole, before its results: `reply.content` as it came,"
            " thoughts, text and tool_use blocks alike, and the turns of earlier rounds as well.",
            wanted=f"in lead call {place + 1}: {show([turn.content for turn in before])}",
            seen=show([turn.get("content") for turn in assistant]),
        )
        answers = _answers(lead)
        others = [str(turn.get("role")) for turn in lead.messages if turn not in assistant]
        run.expect(
            set(others) == {"user"},
            "The results of a round go back in one user message. The Messages API knows the roles"
            " `user` and `assistant`, and refuses any other.",
            wanted='{"role": "user", "content": [results]}',
            seen=f"roles: {', '.join(str(turn.get('role')) for turn in lead.messages)}",
        )
        bare = [turn for turn in answers if not _results_in(turn)]
        run.expect(
            not bare and len(answers) == place,
            "The results of a round go back in one user message, right after the assistant's turn,"
            " each as a tool_result block."
            if len(answers) > place or bare
            else "The results of each round follow the assistant's turn.",
            wanted=f"{place} user message{'s' if place > 1 else ''} with results",
            seen=show([turn.get("content") for turn in answers]),
        )
        for turn, given in zip(before, answers, strict=True):
            _results_fit(run, service.team, turn.content, _results_in(given), reason=False)


def _answers(lead: Request) -> list[dict[str, Any]]:
    """The user messages that follow the first turn of the assistant's."""
    started = False
    answers = []
    for turn in lead.messages:
        if turn.get("role") == "assistant":
            started = True
        elif started:
            answers.append(turn)
    return answers


def _holds(turn: dict[str, Any], content: list[dict[str, Any]]) -> bool:
    """Whether a turn that was sent back is what came, whatever null fields the SDK adds."""
    back = turn.get("content")
    return (
        isinstance(back, list)
        and len(back) == len(content)
        and all(
            isinstance(b, dict)
            and all(key in b and same(value, b[key]) for key, value in came.items())
            for b, came in zip(back, content, strict=True)
        )
    )


EXERCISES = (
    Exercise(
        "7.1",
        "conduct",
        grade_conduct,
        hints=(
            (
                "Three of the four parts are functions you have already. What is missing in"
                " `revise_once` for this one?"
            ),
            (
                "Refuse first: `limit`, then ids that occur twice. Put the cap *around the worker*,"
                " so that both rounds pass through it, and hand that worker to `revise_once`;"
                " `synthesize` what passed."
            ),
            (
                "places = asyncio.Semaphore(limit)\n"
                "async def in_turn(spec, feedback):\n"
                "    async with places:\n"
                "        return await worker(spec, feedback)\n"
                "passed, rejected = await revise_once(in_turn, specs, gate)"
            ),
        ),
        why=(
            "A cap belongs to the worker and not to the loop: wrapped around it, it holds in the"
            " first round and in the revision, and revise_once needs no change. The batch is"
            " looked at as a whole before the first worker costs anything."
        ),
        worth=3,
    ),
    Exercise(
        "7.2",
        "run_tools",
        grade_run_tools,
        hints=(
            (
                "A specialist may be unknown, asked nonsense, or fail. In which of these may the"
                " others notice?"
            ),
            (
                "Write one `async` function for one block: it returns a result in every case. Then"
                " gather it over the blocks of the type `tool_use`; gather keeps their order."
            ),
            (
                "async def result(block):\n"
                "    told = {'type': 'tool_result', 'tool_use_id': block.id}\n"
                "    task = block.input.get('task')\n"
                "    try: return {**told, 'content': await ask(client, task, system=...)}\n"
                "    except Exception as error: return {**told, 'content': ..., 'is_error': True}"
            ),
        ),
        why=(
            "The lead can mend what it is told of: another name, a task, another specialist. An"
            " exception would throw away what the others found, and a missing result would make"
            " the service refuse the next turn, since every tool_use needs its tool_result."
        ),
        worth=2,
    ),
    Exercise(
        "7.3",
        "atlas",
        grade_atlas,
        hints=(
            (
                "Keep one list of messages. Which two does it gain in each round, and what makes"
                " the round the last?"
            ),
            (
                "For each round: call the lead with all messages and the tools. If `stop_reason` is"
                " not `tool_use`, return the text. Else append the assistant's turn"
                " (`reply.content`, untouched) and one user turn with what `run_tools` returns."
            ),
            (
                "reply = await client.messages.create(..., tools=tools, messages=messages)\n"
                "if reply.stop_reason != 'tool_use': return ...\n"
                "messages.append({'role': 'assistant', 'content': reply.content})\n"
                "messages.append({'role': 'user', 'content': await run_tools(...)})"
            ),
        ),
        why=(
            "The model holds no state: it knows of earlier rounds only what is sent again, so the"
            " turn goes back whole, thoughts included. The stop reason decides, and not the"
            " presence of a block: a reply cut short may hold half a tool use. A bound on the"
            " rounds is a bound on the bill."
        ),
        worth=3,
    ),
)
