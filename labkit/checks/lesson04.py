"""Graders of lesson 04: gate findings, look up their evidence, revise once, report, keep score."""

from __future__ import annotations

import itertools
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from .exercise import Exercise
from .judge import Bench, Callback, NotYet, Observed, Run, Step, Worker, nonsense, plan, same, show
from .messages import Raised

REQUIRED = ("id", "topic", "claim", "evidence")
NOT_A_FINDING = {"_kicked": "not a finding"}


def sort_out(findings: list[Any], required: tuple[str, ...]) -> tuple[list[Any], list[Any]]:
    """What 4.1 asks for, said once more: the judge's own, so that it trusts no one else's."""

    def missing(value: Any) -> bool:
        return value is None or (isinstance(value, str) and value.strip() == "")

    passed, kicked = [], []
    for finding in findings:
        if not isinstance(finding, dict):
            kicked.append(NOT_A_FINDING)
        elif gone := [name for name in required if missing(finding.get(name))]:
            kicked.append({**finding, "_kicked": "missing " + ",".join(gone)})
        else:
            passed.append(finding)
    return passed, kicked


# 4.1


def grade_gate(bench: Bench) -> None:
    """4.1: each case of the contract by itself, then an adversary that looks for what is left."""
    chance = bench.random

    def good(number: int, **more: Any) -> dict[str, Any]:
        said = {name: nonsense(chance) for name in REQUIRED[1:]}
        return {"id": number, **said, **more}

    twin, bare = good(1), good(3)
    del bare["evidence"]
    several = good(5, evidence=None, claim="  ")
    shuffled = {name: good(6)[name] for name in ("evidence", "topic")}
    cases: list[tuple[list[Any], str]] = [
        ([good(1), good(2)], "What has every required field passes, just as it came."),
        ([good(1), bare, good(4)], "A field that is absent is missing."),
        ([good(2, claim=None)], "A field that is None is missing."),
        ([good(2, topic="")], "An empty string is missing, too."),
        (
            [good(2, topic=" \t\n "), good(3, claim="\u00a0")],
            (
                "A string of nothing but white space is missing, though it counts as true; `0` and"
                " `False` are values, though they do not. So ask for each of the three by name:"
                " absent, None, a blank string."
            ),
        ),
        (
            [good(0), good(2, claim=False), good(3, evidence=0.0), good(4, topic=[])],
            (
                "`0`, `False` and an empty list are values: only what is absent, None or a blank"
                " string is missing."
            ),
        ),
        (
            [good(1, claim="None", evidence="0", topic="missing")],
            "A string that holds any word at all is a value, `'None'` and `'0'` too.",
        ),
        (
            [several, shuffled],
            (
                "Every missing field is named, in the order of `required`, joined by commas without"
                " spaces."
            ),
        ),
        (
            [None, nonsense(chance), 7, [good(1)], good(2), True],
            (
                "What is no dict at all is kicked back as {'_kicked': 'not a finding'}, and stops"
                " nothing."
            ),
        ),
        (
            [[[name, 1] for name in REQUIRED], ("id", 1), " ".join(REQUIRED), 0.5],
            "What could be made into a dict, or names the fields, is no dict: 'not a finding'.",
        ),
        ([{}], "An empty dict is a finding, one that lacks every field."),
        ([{7: nonsense(chance)}], "A key may be anything; all keys of a finding are kept."),
        (
            [good(1, _kicked=nonsense(chance)), {**bare, "_kicked": nonsense(chance)}],
            (
                "A `_kicked` from before is a key like any other: it decides nothing, stays on what"
                " passes, and is overwritten on what is kicked again."
            ),
        ),
        ([twin, twin, bare, bare], "Equal findings are so many findings: all are kept."),
        ([good(1, extra={"a": [1, None]}), {**bare, "extra": ""}], "Fields besides are kept."),
        ([], "No findings: two empty lists."),
    ]
    for findings, why in cases:
        _gated(bench, findings, REQUIRED, why)
    _gated(bench, tuple(cases[1][0]), REQUIRED, "Findings in a tuple are as good as in a list.")
    two = tuple(nonsense(chance, 1) for _ in range(2))
    _gated(
        bench,
        [{two[1]: 1}, good(1), dict.fromkeys(two, 1), None],
        two,
        "`required` says which fields are needed, and in which order they are named.",
        given=True,
    )
    _gated(bench, [{}, 3], (), "Where nothing is required, every dict passes.", given=True)
    fields = ("Id", "id ", "claim")
    why = "A field is what `required` calls it, letter for letter."
    _gated(bench, [{"id": 1, "claim": 2}, dict.fromkeys(fields, 0)], fields, why, given=True)
    _attack(bench)


def _gated(
    bench: Bench, findings: Any, required: tuple[str, ...], why: str, *, given: bool = False
) -> None:
    run = bench.run(findings, required=required) if given else bench.run(findings)
    told = f"For the findings {show(findings, 160)}"
    if given:
        told += f" and required={required!r}"
    if run.how == "raised":
        run.fail(f"{why}\n{told}, it raised.", seen=repr(run.value))
    seen = run.answer()
    run.expect(
        isinstance(seen, tuple | list) and len(seen) == 2,
        f"It returns two lists, (passed, kicked_back).\n{told}",
        wanted=show(sort_out(list(findings), required)),
        seen=show(seen),
    )
    wanted = sort_out(list(findings), required)
    run.expect(same(wanted, seen), f"{why}\n{told}", wanted=show(wanted), seen=show(seen))


def _attack(bench: Bench) -> None:
    """Have an adversary look for findings that the gate sorts wrongly, and show the smallest."""
    # Loading it takes longer than all other checks together, so only this one does.
    from hypothesis import HealthCheck, Phase, Verbosity, given, settings
    from hypothesis import strategies as st

    words = [nonsense(bench.random, 1) for _ in range(4)]
    plain = st.sampled_from([None, "", " ", "\t\n", "0", 0, 1, -1, 0.0, 2.5, True, False, *words])
    value = st.recursive(
        plain,
        lambda inner: st.one_of(
            st.lists(inner, max_size=2),
            st.dictionaries(st.sampled_from([*REQUIRED, "_kicked", words[0]]), inner, max_size=2),
        ),
        max_leaves=4,
    )
    likely = st.fixed_dictionaries(
        {}, optional=dict.fromkeys((*REQUIRED, "_kicked", words[1]), value)
    )
    whole = st.fixed_dictionaries(
        {name: st.sampled_from([1, 0, False, words[2]]) for name in REQUIRED},
        optional={"_kicked": value},
    )
    caught: list[tuple[int, NotYet]] = []

    class GotThrough(Exception):
        pass

    @settings(
        derandomize=True,
        max_examples=25,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(st.lists(st.one_of(likely, whole, value), max_size=4))
    def attack(findings: list[Any]) -> None:
        try:
            _gated(
                bench, findings, REQUIRED, "An adversary looked for findings to get past your gate."
            )
        except NotYet as fault:
            caught.append((len(repr(findings)), fault))
            raise GotThrough from None

    with _no_folder_left():
        try:
            attack()
        except Exception:
            # Also where the gate answers the same findings differently from one time to the next.
            if not caught:
                raise
    if caught:
        raise min(caught, key=lambda found: found[0])[1]


@contextmanager
def _no_folder_left() -> Iterator[None]:
    """Let Hypothesis keep what it stores where it is thrown away, not beside the notebook."""
    from hypothesis import configuration

    with tempfile.TemporaryDirectory() as folder:
        before = getattr(configuration, "__hypothesis_home_directory", None)
        configuration.set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            configuration.set_hypothesis_home_dir(before)


# 4.2


def grade_verify_evidence(bench: Bench) -> None:
    """4.2: evidence stands where the line is there, is not blank and says what is quoted."""
    chance = bench.random
    a, b, c, d = (nonsense(chance) for _ in range(4))
    name = nonsense(chance, 1)
    path, odd, other = f"{name}.py", f"c:{name}:7.py", f"{name}.txt"
    broken = f"{name}\n{name}.py"
    sources = {
        broken: a,
        path: f"{a}\n\n    {b}  \n   \n{c}",
        odd: f"{d}\r\n{a}\x0c{b}\n",
        other: "",
        f"{path}:1": f"{c}\n{c}\n{c}",
    }

    def stands(evidence: Any, why: str, **more: Any) -> None:
        _looked_up(bench, {"id": 1, "evidence": evidence, **more}, sources, why, stands=True)

    def falls(evidence: Any, why: str, **more: Any) -> None:
        _looked_up(bench, {"id": 1, "evidence": evidence, **more}, sources, why, stands=False)

    stands(f"{path}:1", "The line is there and is not blank: the evidence stands.")
    stands(f"{path}:5", "The last line counts, with or without a newline after it.")
    falls(f"{other}:1", "An empty file has no line 1.")
    falls(f"{name}.rs:1", "The path is not in `sources`.")
    falls(f"{path}:0", "Lines are counted from 1: there is no line 0.")
    falls(f"{path}:6", "The file has 5 lines: there is no line 6.")
    falls(f"{path}:2", "The line is there and blank: it proves nothing.")
    falls(f"{path}:4", "A line of nothing but white space is blank.")
    stands(f"{path}:5", "The quote is part of the line.", quote=c[2:-2])
    falls(f"{path}:5", "The quote has to be part of that very line.", quote=a)
    falls(f"{path}:5", "The quote has to be part of the line, letter for letter.", quote=c.upper())
    stands(f"{path}:3", "Lines are compared unstripped.", quote=f"  {b} ")
    falls(f"{path}:3", "The quote is not stripped either.", quote=f"{b}   ")
    falls(f"{path}:1", "The quote has to be part of that one line.", quote=f"{a}\n")
    stands(f"{path}:1", "A quote of None is no quote.", quote=None)
    stands(f"{path}:1", "An empty quote is a part of every line.", quote="")
    falls(f"{path}:2", "An empty quote does not fill a blank line.", quote="")
    stands(f"{odd}:1", "A path may hold a colon: the line number stands after the last one.")
    stands(f"{path}:1:2", "A path may hold a colon: the line number stands after the last one.")
    stands(f"{odd}:3", "Lines are as `str.splitlines()` gives them.", quote=b)
    stands(f"{broken}:1", "A path may hold any character, a newline too.")
    for near in (f" {path}", f"{path} ", f"./{path}", path.upper(), path[1:], path[:-1]):
        falls(f"{near}:1", "A path is looked up as it is written, letter for letter.")
    falls(f"{odd}:4", "A newline at the end begins no new line: see `str.splitlines()`.")
    form = (
        "Evidence of any other form than `path:line`, or of any other type than a string, is a"
        " reason, never an exception."
    )
    for evidence in (
        *(path, f"{path}:", f"{path}:one", "", ":", " ", f"{path} line 1", f"{path}:1:"),
        *(None, 1, 0.5, True, [path], [path, 1], {path: 1}),
    ):
        falls(evidence, form)
    digits = "The line number is plain decimal digits."
    for number in ("-1", "+1", " 1", "1 ", "1_0", "1.0", "0x1", "1,", "1-3", "١", "１", "²"):
        falls(f"{path}:{number}", digits)
    falls(
        f"{path}:1\n",
        f"{digits} A newline after them is none; in a pattern, `$` also matches before it.",
    )
    # Not asked: digits by the thousand. That int() refuses those, no exercise can expect known.
    _looked_up(bench, {"id": 1}, sources, "A finding without `evidence` has none.", stands=False)
    _looked_up(bench, {"evidence": f"{path}:1"}, {}, "The path is not in `sources`.", stands=False)


def _looked_up(bench: Bench, finding: Any, sources: Any, why: str, *, stands: bool) -> None:
    run = bench.run(finding, sources)
    evidence = show(finding.get("evidence"))
    path = (
        finding["evidence"].rpartition(":")[0] if isinstance(finding.get("evidence"), str) else ""
    )
    told = f"{why}\nFor the evidence {evidence}"
    if path in sources:
        told += f", the file's text {sources[path]!r}"
    if finding.get("quote") is not None:
        told += f" and the quote {finding['quote']!r}"
    wanted = "None: it stands" if stands else "a reason, as a text"
    if run.how == "raised":
        run.fail(told, wanted=wanted, seen=run.outcome)
    seen = run.answer()
    right = seen is None if stands else isinstance(seen, str) and bool(seen.strip())
    run.expect(right, told, wanted=wanted, seen=show(seen))


# 4.3


@dataclass
class Fleet:
    """Workers whose tries are planned: for each spec, what each try brings and how long it takes.

    A bad finding is one that holds no `stamp`; so no rule but the judge's own gate can tell.
    """

    chance: random.Random
    specs: list[Any]
    tries: list[list[Step]]
    stamp: str
    reasons: dict[str, str] = field(default_factory=dict)

    def worker(self) -> Worker:
        """The worker; what it brings depends on the spec, the feedback and how often it ran."""
        asked = [0] * len(self.specs)

        def script(*args: Any, **kwargs: Any) -> Step:
            spec, feedback, *_ = *args, *kwargs.values(), None, None
            places = [place for place, own in enumerate(self.specs) if same(own, spec)]
            if not places:
                return Step(1.0, value=None)
            # Of equal specs, each is tried once before any is tried again. Then the feedback says
            # whose finding it is about, for they bring different ones.
            fewest = min(places, key=lambda place: asked[place])
            told = [place for place in places if self.feedback(place) == feedback]
            place = told[0] if asked[fewest] and told else fewest
            steps = self.tries[place]
            asked[place] += 1
            return steps[min(asked[place], len(steps)) - 1]

        return Worker(script)

    def feedback(self, place: int) -> str | None:
        """What the first try of a place is kicked back with; None where it passes."""
        passed, finding = self.verdict(self.tries[place][0])
        return None if passed else str(finding["_kicked"])

    def arrangements(self) -> Iterator[list[list[Step]]]:
        """The tries, with those of equal specs in every order: nobody can tell whose is whose."""
        groups: dict[str, list[int]] = {}
        for place, spec in enumerate(self.specs):
            groups.setdefault(repr(spec), []).append(place)
        for orders in itertools.product(*map(itertools.permutations, groups.values())):
            tries = list(self.tries)
            for places, order in zip(groups.values(), orders, strict=True):
                for place, other in zip(places, order, strict=True):
                    tries[place] = self.tries[other]
            yield tries

    def gate(self) -> Callback:
        """The judge's gate, with a reason of its own for each finding."""
        return Callback(self.sort, name="gate")

    def sort(self, findings: Any) -> tuple[list[Any], list[Any]]:
        """Part findings, as 4.1 does."""
        if not isinstance(findings, list | tuple):
            raise TypeError("the gate takes a list of findings, of one or of all")
        passed, kicked = [], []
        for finding in findings:
            if self.good(finding):
                passed.append(finding)
            else:
                kept = finding if isinstance(finding, dict) else {}
                kicked.append({**kept, "_kicked": self.reason(finding)})
        return passed, kicked

    def good(self, finding: Any) -> bool:
        """Whether the gate lets a finding pass."""
        return isinstance(finding, dict) and finding.get("note") == self.stamp

    def reason(self, finding: Any) -> str:
        """Why the gate kicks a finding back: the same words for the same finding."""
        return self.reasons.setdefault(repr(finding), nonsense(self.chance, 3))

    def verdict(self, step: Step) -> tuple[bool, Any]:
        """What should become of one try."""
        if step.error is not None:
            return False, {"_kicked": f"failed: {step.error}"}
        passed, kicked = self.sort([step.value])
        return bool(passed), (*passed, *kicked)[0]


def grade_revise_once(bench: Bench) -> None:
    """4.3: all together, the gate, one more try for what was kicked back, the gate once more."""
    chance = bench.random
    stamp = nonsense(chance)

    def good(seconds: float, **more: Any) -> Step:
        return Step(seconds, {"claim": nonsense(chance), "note": stamp, **more})

    def bad(seconds: float) -> Step:
        return Step(seconds, {"claim": nonsense(chance), "evidence": None})

    def crash(seconds: float, text: str | None = None) -> Step:
        return Step(seconds, error=RuntimeError(nonsense(chance) if text is None else text))

    def specs(count: int) -> list[Any]:
        return [{"id": place, "topic": nonsense(chance)} for place in range(count)]

    def fleet(own: list[Any], tries: list[list[Step]]) -> Fleet:
        return Fleet(chance, own, tries, stamp)

    # A try too many would bring a good finding: asked a third time, a worker pays off.
    late = good(1.0)
    _revised(
        bench, fleet(specs(3), [[good(3.0), late], [good(1.0), late], [good(2.0, id=9), late]])
    )
    _revised(
        bench,
        fleet(
            specs(6),
            [
                [good(4.0), bad(1.0)],
                [bad(1.0), good(5.0), late],
                [bad(2.0), bad(1.0), late],
                [good(1.0), bad(1.0)],
                [Step(3.0, None), good(2.0), late],
                [Step(0.5, nonsense(chance)), bad(1.0), late],
            ],
        ),
    )
    _revised(
        bench,
        fleet(
            specs(5),
            [
                [crash(2.0), good(3.0)],
                [good(1.0, _kicked=nonsense(chance)), bad(1.0)],
                [crash(1.0), crash(1.0), late],
                [bad(3.0), crash(2.0, ""), late],
                [crash(0.5), bad(1.0), late],
            ],
        ),
    )
    # Specs of any kind, some of them equal, and findings that say nothing of where they belong.
    twin, other = nonsense(chance), {"topic": nonsense(chance)}
    _revised(
        bench,
        fleet(
            [twin, other, nonsense(chance), twin, dict(other), nonsense(chance)],
            [
                [bad(3.0), good(1.0), late],
                [good(2.0), late],
                [Step(2.0, {"note": stamp})],
                [bad(1.0), good(2.0), late],
                [bad(2.0), bad(1.0), late],
                [Step(1.0, {}), Step(1.0, {}), late],
            ],
        ),
    )
    # Two workers bring the very same, and only one of them mends it.
    twice = {"claim": nonsense(chance)}
    _revised(
        bench,
        fleet(specs(2), [[Step(1.0, twice), good(1.0)], [Step(2.0, dict(twice)), bad(1.0), late]]),
    )
    none = fleet([], [])
    run = bench.run(none.worker(), [], none.gate())
    run.expect_value([[], []], "No specs: nothing passed, nothing was rejected.")
    for moment in (0.5, 2.5):
        some = fleet(specs(3), [[bad(1.0), good(2.0)], [good(2.0)], [crash(1.0), good(3.0)]])
        bench.run(some.worker(), some.specs, some.gate(), cancel_at=moment).expect_cancelled()


def _revised(bench: Bench, fleet: Fleet) -> None:
    run = bench.run(fleet.worker(), fleet.specs, fleet.gate())
    calls = run.of("worker")
    count = len(fleet.specs)
    if run.how == "raised":
        _let_through(run, calls, count)
    seen = run.answer()
    # Where specs are equal, whoever keeps findings by spec loses some.
    equal = len({repr(spec) for spec in fleet.specs}) < count
    by_place = (
        "\nSome of these specs are equal, and what they bring is not: a finding belongs to the spec"
        " it was dispatched for, and only its place tells that one from its equal."
        if equal
        else ""
    )
    run.expect(
        all(len(call.args) == 2 and not call.kwargs for call in calls),
        "A worker is called as `worker(spec, feedback)`, with positional arguments.",
        wanted="worker(spec, None) at the first try",
    )
    firsts, seconds = calls[:count], calls[count:]
    run.expect(
        _told(firsts) == sorted(repr((spec, None)) for spec in fleet.specs),
        "Each spec is first given to the worker once, with None as feedback, before any is tried"
        " again.",
        wanted=show([(spec, None) for spec in fleet.specs]),
        seen=show([call.args for call in firsts]),
    )
    first = [fleet.verdict(steps[0]) for steps in fleet.tries]
    again = [place for place, (passed, _) in enumerate(first) if not passed]
    wanted = [(fleet.specs[place], first[place][1]["_kicked"]) for place in again]
    if len(seconds) > len(again):
        once = [repr(fleet.specs[place]) for place in again]
        extra = [call for call in seconds if repr(call.args[0]) not in once]
        run.fail(
            (
                "What has passed is not run again."
                if extra
                else "One revision and no more: what is kicked back twice is rejected."
            )
            + by_place,
            wanted=f"{len(again)} second tries",
            seen=f"{len(seconds)} more calls",
        )
    run.expect(
        len(seconds) == len(again),
        "Each spec that was kicked back gets exactly one more try, and so does one whose worker"
        f" raised or brought what is no finding.{by_place}",
        wanted=f"{len(again)} second tries",
        seen=f"{len(seconds)} second tries",
    )
    run.expect(
        _told(seconds) == sorted(map(repr, wanted)),
        "The second try gets the text of `_kicked` as feedback; for a worker that raised, that is"
        f' `"failed: "` and the text of its exception.{by_place}',
        wanted=show(wanted),
        seen=show([call.args for call in seconds]),
    )
    _values(run, fleet, seen, by_place)
    _times(run, fleet, again, firsts, seconds)


def _told(calls: list[Observed]) -> list[str]:
    return sorted(repr(tuple(call.args)) for call in calls)


def _let_through(run: Run, calls: list[Observed], count: int) -> None:
    """Say what an exception that reached the caller tells of the learner's code."""
    raised: Raised = run.value
    told = f"{raised!r}, {raised.line}" if raised.line else repr(raised)
    culprits = {leaf.call for leaf in (raised, *raised.leaves())}
    first, second = (
        any(call.number in culprits for call in some) for some in (calls[:count], calls[count:])
    )
    if first or second:
        run.fail(
            "A worker raised, and its exception reached the caller and took every other spec with"
            ' it. Catch it: its spec is kicked back with "failed: " and the text of the exception, '
            + (
                "and revised like the rest."
                if first
                else 'and, since this was its second try, rejected as {"_kicked": "failed: …"}.'
            ),
            wanted="every spec in `passed` or in `rejected`",
            seen=told,
        )
    if "unhashable type" in raised.text:
        run.fail(
            "Neither a spec nor a finding need be hashable, and two of them may be equal: keep a"
            " finding by the place of the spec it was dispatched for.",
            seen=told,
        )
    if _stumbled(raised):
        run.fail(f"{ANYTHING} the spec it was dispatched for.", seen=told)


ANYTHING = (
    "It looked into a finding for what is not there. A finding may be anything at all, and a dict"
    " may lack any field, its `id` too: so nothing in it says where it belongs. It belongs to"
)


def _stumbled(raised: Raised) -> bool:
    """Whether the learner's own code took a finding for a dict, or for a whole one."""
    field = raised.kind == "KeyError" and raised.text.strip("'") in (*REQUIRED, "_kicked")
    signs = ("has no attribute 'get'", "not subscriptable", "indices must be integers")
    return raised.call is None and (field or any(sign in raised.text for sign in signs))


def _board(tries: list[list[Step]], fleet: Fleet) -> tuple[list[Any], list[Any]]:
    """What has passed and what was rejected in the end."""
    board = []
    for steps in tries:
        passed, finding = fleet.verdict(steps[0])
        board.append((passed, finding) if passed else fleet.verdict(steps[1]))
    return [it for passed, it in board if passed], [it for passed, it in board if not passed]


def _values(run: Run, fleet: Fleet, seen: Any, by_place: str) -> None:
    boards = [_board(tries, fleet) for tries in fleet.arrangements()]
    run.expect(
        isinstance(seen, list | tuple) and len(seen) == 2,
        "It returns (passed, rejected)."
        if seen is not None
        else f"{run.name} returned None: is there a `return` on every way through it?",
        wanted=show(boards[0]),
        seen=show(seen),
    )
    # Of the boards that would do, the one that is nearest.
    passed, rejected = max(boards, key=lambda board: sum(map(same, board, seen)))
    for name, own, got in (("passed", passed, seen[0]), ("rejected", rejected, seen[1])):
        shuffled = (
            isinstance(got, list | tuple)
            and not same(own, got)
            and sorted(map(repr, own)) == sorted(map(repr, got))
        )
        why = (
            f"`{name}` stands in the order of `specs`: what was revised goes to its spec's place,"
            " not to the end."
            if shuffled
            else "`rejected` holds what the gate kicked back the second time, as the gate gave it;"
            ' a spec whose second try raised is {"_kicked": "failed: …"}.'
            if name == "rejected"
            else "`passed` holds what passed at the first or at the second try."
        )
        run.expect(
            same(own, got),
            why + by_place,
            wanted=f"{name} = {show(own)}",
            seen=f"{name} = {show(got)}",
        )


def _times(
    run: Run, fleet: Fleet, again: list[int], firsts: list[Observed], seconds: list[Observed]
) -> None:
    slowest = max(steps[0].seconds for steps in fleet.tries)
    ideal = plan(
        *(
            (str(spec), 0.0, steps[0].seconds)
            for spec, steps in zip(fleet.specs, fleet.tries, strict=True)
        ),
        *(
            (str(fleet.specs[place]), slowest, slowest + fleet.tries[place][1].seconds)
            for place in again
        ),
    )
    early = [call for call in seconds if call.start < slowest - 1e-6]
    if early and len(firsts) == len(fleet.specs):
        run.fail(
            "A second try started before all first tries were through: the gate stands behind a"
            " barrier.",
            wanted=f"second tries from {slowest:.3f} s on",
            seen=f"one at {early[0].start:.3f} s",
            pictures=(("yours", run.trace()), ("wanted", ideal)),
        )
    run.expect_seconds(
        ideal.seconds,
        "It takes the slowest first try and the slowest second one: all first tries run together,"
        " and all second tries do.",
        ideal,
    )


# 4.4


def grade_synthesize(bench: Bench) -> None:
    """4.4: a line for each topic, by ascending id, the lowest id of a topic stays."""
    chance = bench.random

    def finding(number: int, topic: str | None = None) -> dict[str, Any]:
        return {
            "id": number,
            "topic": topic or nonsense(chance),
            "claim": nonsense(chance, 3),
            "evidence": f"{nonsense(chance, 1)}.py:{number % 90 + 1}",
        }

    topic, other = nonsense(chance), nonsense(chance)
    one, two, three = finding(1), finding(2), finding(3)
    braced = {**finding(4), "claim": " {claim} [%s]  ", "extra": nonsense(chance)}
    cases: list[tuple[Any, list[Any], str]] = [
        ([one, two, three], [one, two, three], "A line for each finding: `- claim [evidence]`."),
        ([three, one, two], [one, two, three], "The lines stand by ascending `id`."),
        (
            tens := [finding(10), finding(9), finding(-2), finding(100)],
            [tens[2], tens[1], tens[0], tens[3]],
            "Ids are numbers: 9 comes before 10.",
        ),
        (
            twins := [finding(1, topic), finding(2, other), finding(3, topic), finding(4, other)],
            twins[:2],
            "One line for each topic.",
        ),
        (
            late := [finding(8, topic), finding(5, other), finding(2, topic), finding(3)],
            [late[2], late[3], late[1]],
            "Of each topic, the finding with the lowest `id` stays, wherever it stood.",
        ),
        (
            same_claim := [{**one, "id": 1}, {**one, "id": 2, "topic": other}],
            same_claim,
            "Two topics are two lines, even where claim and evidence are the same.",
        ),
        (
            zero := [finding(1, topic), finding(0, topic)],
            zero[1:],
            "Of each topic, the finding with the lowest `id` stays: 0 is an id, and the lowest.",
        ),
        (
            alike := [finding(1, topic), finding(2, topic.upper()), finding(3, f"{topic} ")],
            alike,
            "Topics are compared as they are: another letter case is another topic.",
        ),
        ([braced], [braced], "The claim and the evidence stand in the report as they are."),
        ((two, one), [one, two], "A tuple of findings is as good as a list."),
        ([], [], "Nothing passed: the second line says `(nothing passed the gate)`."),
    ]
    for given, kept, why in cases:
        lines = [f"- {f['claim']} [{f['evidence']}]" for f in kept]
        wanted = "\n".join(["FLEET REPORT", *(lines or ["(nothing passed the gate)"])])
        run = bench.run(given)
        told = f"{why}\nFor {show([(f['id'], f['topic']) for f in given])} (id, topic)"
        if run.how == "raised":
            run.fail(told, wanted=show(wanted), seen=run.outcome)
        seen = run.answer()
        if isinstance(seen, str) and seen != wanted and seen.rstrip("\n") == wanted:
            why = told = "There is no newline at the end."
        run.expect(same(wanted, seen), told, wanted=show(wanted), seen=show(seen))


# 4.5


def grade_score_gate(bench: Bench) -> None:
    """4.5: what a gate lets through and should not, and what it kicks back and should not."""
    chance = bench.random
    stamp = nonsense(chance)
    fleet = Fleet(chance, [], [], stamp)

    def finding(passes: bool) -> dict[str, Any]:
        return {"claim": nonsense(chance), "note": stamp if passes else nonsense(chance)}

    def labelled(*counts: int) -> list[tuple[Any, bool]]:
        """So many that pass and are good, pass and are bad, are kicked and good, kicked and bad."""
        kinds = ((True, True), (True, False), (False, True), (False, False))
        pairs = [
            (finding(passes), is_good)
            for (passes, is_good), count in zip(kinds, counts, strict=True)
            for _ in range(count)
        ]
        chance.shuffle(pairs)
        return pairs

    twin, twin_out = finding(True), finding(False)
    cases: list[tuple[Any, dict[str, int], str]] = [
        (labelled(3, 2, 0, 0), {"false_accept": 2, "false_reject": 0},
         "A bad finding that the gate let through is a false accept."),
        (labelled(2, 0, 3, 0), {"false_accept": 0, "false_reject": 3},
         "A good finding that the gate kicked back is a false reject."),
        (labelled(3, 0, 0, 4), {"false_accept": 0, "false_reject": 0},
         "Where the gate is right, nothing is counted."),
        (labelled(2, 3, 1, 4), {"false_accept": 3, "false_reject": 1},
         "Both kinds of error are counted, each by itself."),
        ([(twin, True), (twin, False), (dict(twin), False), (twin_out, True), (twin_out, False),
          (dict(twin_out), True)], {"false_accept": 2, "false_reject": 2},
         "Equal findings are judged one by one, each by its own label."),
        ([(None, True), (None, False), (7, False), (nonsense(chance), True)],
         {"false_accept": 0, "false_reject": 2},
         "A finding may be anything: also what is no dict has a label, and is kicked back."),
        ([({**finding(True), "_kicked": "x"}, True), ({**finding(True), "_kicked": "x"}, False)],
         {"false_accept": 1, "false_reject": 0},
         "A `_kicked` from before says nothing: what the gate returned as passed has passed."),
        (tuple(labelled(1, 1, 2, 1)), {"false_accept": 1, "false_reject": 2},
         "A tuple of pairs is as good as a list."),
        ([], {"false_accept": 0, "false_reject": 0}, "Nothing labelled: nothing is wrong."),
    ]  # fmt: skip
    for pairs, wanted, why in cases:
        run = bench.run(fleet.gate(), pairs)
        kinds = [f"{'passes' if fleet.good(f) else 'kicked'}/{'good' if ok else 'bad'}"
                 for f, ok in pairs]  # fmt: skip
        told = f"{why}\nThe gate's verdict / the label: {', '.join(kinds) or '(none)'}"
        if run.how == "raised" and _stumbled(run.value):
            told += f"\n{ANYTHING} the label it stands beside."
        if run.how == "raised":
            run.fail(told, wanted=show(wanted), seen=run.outcome)
        seen = run.answer()
        if isinstance(seen, dict) and wanted["false_accept"] != wanted["false_reject"]:
            turned = dict(zip(wanted, reversed(wanted.values()), strict=True))
            if same(turned, seen):
                told += "\nThe two counts have changed places."
        run.expect(same(wanted, seen), told, wanted=show(wanted), seen=show(seen))


EXERCISES = (
    Exercise(
        "4.1",
        "gate",
        grade_gate,
        hints=(
            (
                "What is *missing*? Write that question as one line that is true for None and '  '"
                " and false for 0."
            ),
            (
                "Two lists and one loop: what is no dict goes out at once; else collect the names"
                " from `required` that are missing; then append the finding, or a copy with"
                " `_kicked`."
            ),
            (
                "missing = [n for n in required if f.get(n) is None\n"
                "           or (isinstance(f[n], str) and not f[n].strip())]\n"
                "if missing: kicked.append({**f, '_kicked': 'missing ' + ','.join(missing)})"
            ),
        ),
        why=(
            "Truthiness would throw away the finding with id 0, so missing is spelled out. The"
            " copy keeps the worker's finding as the worker wrote it: a gate that writes into its"
            " input is seen by everyone who holds the same dict."
        ),
        worth=2,
    ),
    Exercise(
        "4.2",
        "verify_evidence",
        grade_verify_evidence,
        hints=(
            "From which end do you look for the colon, if a path may hold one?",
            (
                "`rpartition(':')`, then a guard for each way to fall: no text, no digits, no such"
                " file, no such line, a blank line, a quote that is not in it."
            ),
            (
                "path, _, digits = evidence.rpartition(':')\n"
                "if not (digits.isascii() and digits.isdigit()): return 'not path:line'\n"
                "lines = sources[path].splitlines()  # after: path in sources\n"
                "if not 1 <= int(digits) <= len(lines): return 'no such line'"
            ),
        ),
        why=(
            "Each guard returns the first reason that is true, and only what survives all of them"
            " stands. A liar writes the evidence, so its form is trusted as little as its content:"
            " int() alone would accept '+1', ' 1' and '1_0', and raise where a liar sends 5,000"
            " digits."
        ),
        worth=2,
    ),
    Exercise(
        "4.3",
        "revise_once",
        grade_revise_once,
        hints=(
            "A finding may lack its id. What else tells you which spec it came from?",
            (
                "Keep the verdicts in a list with one place for each spec. Gather the first tries"
                " with their exceptions turned into `_kicked`, gate each, gather the second tries"
                " of the places that failed, put the new verdicts into the same places."
            ),
            (
                "async def attempt(spec, feedback):\n"
                "    try: return True, await worker(spec, feedback)\n"
                "    except Exception as error: return False, {'_kicked': f'failed: {error}'}\n"
                "again = [i for i, (passed, _) in enumerate(board) if not passed]"
            ),
        ),
        why=(
            "The place in the list is the only identity nobody can lose. Asking the gate about one"
            " finding at a time keeps its answer beside that place; and since second tries are a"
            " list made once, a third cannot happen."
        ),
        worth=3,
    ),
    Exercise(
        "4.4",
        "synthesize",
        grade_synthesize,
        hints=(
            "If you sort first, what does *the first of its topic* mean?",
            "Sort by `id`, `setdefault` into a dict by topic, write a line for each value.",
            (
                "for f in sorted(passed, key=lambda f: f['id']):\n"
                "    by_topic.setdefault(f['topic'], f)\n"
                "lines = [f\"- {f['claim']} [{f['evidence']}]\" for f in by_topic.values()]"
            ),
        ),
        why=(
            "Sorting first makes the lowest id the first of its topic, and a dict remembers the"
            " order in which keys came. A report with nothing in it says so, or it would look as"
            " if there had been nothing to find."
        ),
    ),
    Exercise(
        "4.5",
        "score_gate",
        grade_score_gate,
        hints=(
            "There are four outcomes for a pair. Which two of them are errors?",
            (
                "Ask the gate about one finding at a time, `gate([finding])`, and compare whether"
                " it passed with the label."
            ),
            (
                "passed, kicked = gate([finding])\n"
                "false_accept += bool(passed) and not is_good\n"
                "false_reject += bool(kicked) and is_good"
            ),
        ),
        why=(
            "One rate would hide the trade: a gate that kicks everything back never accepts"
            " rubbish. Asked one at a time, equal findings with different labels cannot be mixed"
            " up."
        ),
    ),
)
