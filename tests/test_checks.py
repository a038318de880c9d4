"""What a check does with whatever it is given: verdicts, hints, and code that will not end."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import random
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from labkit import UsageError, check, hint, run, solution
from labkit import checks as core
from labkit.checks import ChildProcess, Exercise, InProcess, Verdict, exercises, judge, places
from labkit.checks.judge import Bench, Callback, Client, Step, Worker
from labkit.patterns import ask, ask_both, parse_plan
from labkit.script import Reply
from labkit.trace import Call, Trace


def judged(id: str, function: Any, *, limit: float = 0.3) -> Verdict:
    """A check that does not wait as long as the real one for what will not end."""
    return judge(exercises[id], InProcess(function, limit=limit), seed=0)


@pytest.fixture
def fresh_hints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core, "_hints_given", {})


# What is no check at all


@pytest.mark.parametrize("id", ["9.9", "", "parse_plan", None, 2.1, ["2.1"]])
@pytest.mark.parametrize("ask_for", [lambda name: check(name, parse_plan), hint, solution])
def test_an_unknown_exercise_is_told_with_those_there_are(ask_for: Any, id: Any) -> None:
    with pytest.raises(UsageError, match="there is no exercise") as told:
        ask_for(id)
    assert f"there are {', '.join(exercises)}" in str(told.value)


def test_a_number_is_told_to_be_a_text() -> None:
    with pytest.raises(UsageError, match=r'write "2\.1"'):
        check(2.1, parse_plan)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [["Book"], None, "parse_plan", 3])
def test_what_is_no_function_is_told_how_to_pass_one(value: Any) -> None:
    with pytest.raises(UsageError, match=r'check\("2\.1", parse_plan\)|check\(.2\.1., parse_plan'):
        check("2.1", value)


def test_the_reference_passes_and_is_nobodys_attempt() -> None:
    verdict = check("2.1", parse_plan)
    assert verdict.passed
    assert not verdict.attempted
    assert verdict.points == 0
    assert repr(verdict).startswith("○ 2.1 parse_plan: the reference, not an attempt of yours\n")
    assert "run the cell that defines it again" in verdict.message
    stub = check("2.1", not_attempted)
    assert verdict._repr_html_().split("solid ")[1][:7] == stub._repr_html_().split("solid ")[1][:7]


def not_attempted(text: str, *, limit: int = 4) -> list[str]:
    raise NotImplementedError


# Functions of the wrong kind


@pytest.mark.parametrize(
    "function",
    [
        lambda: ["Book"],
        lambda text: list(parse_plan(text)),
        lambda text, maximum=4: parse_plan(text, limit=maximum),
        lambda text, *, limit: parse_plan(text, limit=limit),
    ],
    ids=["no parameter", "no limit", "another name", "no default"],
)
def test_wrong_parameters_are_compared_with_the_stub(function: Any) -> None:
    verdict = check("2.1", function)
    assert verdict.attempted
    assert not verdict.passed
    assert "compare its parameters with the stub's" in verdict.message
    assert "<lambda>(" in str(verdict.seen)


def test_a_plain_function_where_an_async_one_is_asked_for() -> None:
    def ask(client: Any, prompt: str, *, system: str | None = None) -> str:
        return "Kyoto"

    assert "async def ask" in check("0.1", ask).message


def test_an_async_function_where_a_plain_one_is_asked_for() -> None:
    async def parse(text: str, *, limit: int = 4) -> list[str]:
        return parse_plan(text, limit=limit)

    assert "write `def`" in check("2.1", parse).message


def test_a_function_without_a_signature_is_tried_all_the_same() -> None:
    assert not check("2.1", dict.fromkeys).passed
    assert not check("2.1", int).passed


def test_a_hole_on_one_way_through_is_no_stub() -> None:
    def parse(text: str, *, limit: int = 4) -> list[str]:
        if "3-day" in text:
            raise NotImplementedError
        return parse_plan(text, limit=limit)

    verdict = check("2.1", parse)
    assert verdict.attempted
    assert "NotImplementedError" in f"{verdict.message} {verdict.seen}"


# Code that does not end


def test_code_that_spins_is_stopped() -> None:
    def parse(text: str, *, limit: int = 4) -> list[str]:
        while True:
            pass

    assert "computes without end, or blocks" in judged("2.1", parse).message


def test_code_that_spins_past_its_own_handlers_is_stopped() -> None:
    async def ask(client: Any, prompt: str, *, system: str | None = None) -> str:
        done = time.monotonic() + 60
        while time.monotonic() < done:
            try:
                while time.monotonic() < done:
                    pass
            except Exception:
                pass
        return ""

    started = time.monotonic()
    assert "did not come back" in judged("0.1", ask).message
    # A minute's worth of spinning: what matters is that it is not waited for.
    assert time.monotonic() - started < 30


def test_a_loop_that_never_waits_for_anything_to_change_is_stopped() -> None:
    async def ask(client: Any, prompt: str, *, system: str | None = None) -> str:
        while True:  # noqa: ASYNC110  # what is to be found
            await asyncio.sleep(0)

    assert "A loop needs a way out" in judged("0.1", ask).message


def test_a_blocking_sleep_is_told_apart_from_an_await(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "STUBBORN", 0.1)

    async def ask(client: Any, prompt: str, *, system: str | None = None) -> str:
        time.sleep(0.8)  # noqa: ASYNC251  # what is to be found
        return ""

    started = time.monotonic()
    assert "never `time.sleep(1)`" in judged("0.1", ask).message
    assert time.monotonic() - started < 0.7


def test_a_wait_that_cannot_end_is_found_at_once() -> None:
    async def ask(client: Any, prompt: str, *, system: str | None = None) -> str:
        await asyncio.Event().wait()
        return ""

    check("0.1", ask)
    started = time.monotonic()
    assert "waits for something that will never happen" in check("0.1", ask).message
    assert time.monotonic() - started < 2


def test_an_hour_of_waiting_takes_no_time() -> None:
    async def slow(client: Any, first: str, second: str) -> tuple[str, str]:
        await asyncio.sleep(3_600)
        return await ask_both(client, first, second)

    started = time.monotonic()
    verdict = check("0.2", slow)
    assert time.monotonic() - started < 2
    assert verdict.seen == "3602.000 s"


# Clean-ups of workers


async def cancelled_once(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def cancelled_twice_in_one_breath(tasks: list[asyncio.Task[Any]]) -> None:
    await cancelled_once([*tasks, *tasks])


async def cancelled_twice(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.sleep(0)
    await cancelled_once(tasks)


async def cancelled_in_the_midst_of_it(tasks: list[asyncio.Task[Any]]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.5):
            await cancelled_once(tasks)


@pytest.mark.parametrize(
    ("stop", "whole"),
    [
        (cancelled_once, True),
        (cancelled_twice_in_one_breath, True),
        (cancelled_twice, False),
        (cancelled_in_the_midst_of_it, False),
    ],
)
def test_a_clean_up_runs_as_far_as_a_real_one_does(stop: Any, whole: bool) -> None:
    through: list[bool] = []

    async def real(_: str) -> None:
        try:
            await asyncio.sleep(5)
        finally:
            await asyncio.sleep(1)
            through.append(True)

    async def start_and_stop(worker: Any, subtasks: list[str]) -> None:
        tasks = [asyncio.create_task(worker(subtask)) for subtask in subtasks]
        await asyncio.sleep(2)
        await stop(tasks)

    run(start_and_stop(real, ["one"]))
    assert through == [True] * whole

    worker = Worker(lambda _: Step(5.0, cleanup=1.0), cleans=True)
    bench = Bench("start_and_stop", True, InProcess(start_and_stop), random.Random(0))
    [call] = bench.run(worker, ["one"]).calls
    assert call.outcome == "cancelled"
    assert (call.cut_short is None) == whole
    assert call.end is not None


def test_a_worker_that_is_cancelled_as_it_ends_is_through() -> None:
    async def stops_the_other(worker: Any, subtasks: list[str]) -> Any:
        async def one(subtask: str) -> Any:
            try:
                return await worker(subtask)
            finally:
                for task in tasks:
                    if task is not asyncio.current_task():
                        task.cancel()

        tasks = [asyncio.create_task(one(subtask)) for subtask in subtasks]
        return len(await asyncio.gather(*tasks, return_exceptions=True))

    worker = Worker(lambda _: Step(1.0, value="done", cleanup=3.0), cleans=True)
    bench = Bench("stops_the_other", True, InProcess(stops_the_other), random.Random(0))
    seen = bench.run(worker, ["one", "two"])
    assert seen.answer() == 2
    assert seen.seconds == 1.0


# Whatever it raises


@pytest.mark.parametrize("error", [KeyError("oops"), SystemExit(3), KeyboardInterrupt("oops")])
@pytest.mark.parametrize("in_a_task", [False, True])
def test_whatever_is_raised_becomes_a_verdict(error: BaseException, in_a_task: bool) -> None:
    async def fail() -> str:
        raise error

    async def both(client: Any, first: str, second: str) -> Any:
        if in_a_task:
            return await asyncio.gather(fail(), fail())
        return await fail()

    verdict = check("0.2", both)
    assert verdict.attempted
    assert not verdict.passed
    assert type(error).__name__ in str(verdict.seen)


def test_exit_ends_neither_the_check_nor_the_program() -> None:
    async def leave(client: Any, first: str, second: str) -> Any:
        sys.exit("bye")

    assert "ends the whole program" in check("0.2", leave).message


def test_an_exception_without_a_text_is_no_trouble() -> None:
    class Nameless(Exception):
        def __str__(self) -> str:
            raise ValueError("no text")

    def parse(text: str, *, limit: int = 4) -> list[str]:
        raise Nameless

    assert "Nameless" in repr(check("2.1", parse))


def test_the_line_that_raised_is_shown() -> None:
    async def ask(client: Any, prompt: str, *, system: str | None = None) -> str:
        reply = {"content": "Kyoto"}
        return reply["text"]

    assert 'return reply["text"]' in str(check("0.1", ask).seen)


def test_an_object_that_equals_everything_is_not_what_was_wanted() -> None:
    class Anything:
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = None  # type: ignore[assignment]

    assert not check("2.1", lambda text, *, limit=4: Anything()).passed


# What surrounds it


def test_what_it_prints_is_shown_only_where_it_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    def wrong(text: str, *, limit: int = 4) -> list[str]:
        print("looking at", limit)
        return []

    def right(text: str, *, limit: int = 4) -> list[str]:
        print("looking at", limit)
        return parse_plan(text, limit=limit)

    output = sys.stdout
    verdict = check("2.1", wrong)
    assert verdict.printed == "looking at 4\n"
    assert "your function printed:\n    looking at 4" in repr(verdict)
    assert "looking" not in repr(check("2.1", right))
    assert sys.stdout is output
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("how", ["raise", "spin", "deadlock"])
def test_standard_output_is_given_back_however_it_ends(how: str) -> None:
    async def ask(client: Any, prompt: str, *, system: str | None = None) -> str:
        while how == "spin":
            print("x" * 1_000)
        if how == "deadlock":
            await asyncio.Event().wait()
        raise OSError

    output = sys.stdout
    judged("0.1", ask)
    assert sys.stdout is output


def test_no_thread_is_left() -> None:
    before = threading.active_count()
    check("2.1", parse_plan)
    assert threading.active_count() == before


def test_it_works_inside_a_running_loop() -> None:
    async def cell() -> Verdict:
        return check("0.2", ask_both)

    assert asyncio.run(cell()).passed


def test_it_needs_no_key_and_reads_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "secret-key")
    seen: list[dict[str, str]] = []

    async def peeks(client: Any, prompt: str, *, system: str | None = None) -> str:
        seen.append({"key": str(client.api_key), "at": str(client.base_url)})
        return await ask(client, prompt, system=system)

    assert check("0.1", peeks).passed
    assert all("secret" not in told["key"] and ".invalid" in told["at"] for told in seen)


def test_every_seed_asks_something_else_and_the_same_seed_the_same() -> None:
    prompts: list[str] = []

    async def notes(client: Any, prompt: str, *, system: str | None = None) -> str:
        prompts.append(prompt)
        return await ask(client, prompt, system=system)

    for seed in (0, 1, 0):
        check("0.1", notes, seed=seed)
    per_run = len(prompts) // 3
    assert prompts[:per_run] == prompts[-per_run:]
    assert not set(prompts[:per_run]) & set(prompts[per_run : 2 * per_run])


# Verdicts as text and as HTML


def test_the_three_outcomes_read_differently() -> None:
    async def own(client: Any, goal: str, *, system: str) -> Any:
        return await exercises["2.2"].reference(client, goal, system=system)

    passed = check("2.2", own)
    assert repr(passed).startswith("✓ 2.2 orchestrate: passed, 2 points")
    assert repr(check("2.1", not_attempted)) == (
        '○ 2.1 parse_plan: not attempted yet\n  A first nudge: hint("2.1")'
    )
    wrong = check("2.1", lambda text, *, limit=4: [text])
    assert repr(wrong).startswith("✗ 2.1 parse_plan: not right yet\n")
    assert "  wanted: [" in repr(wrong)
    assert "  seen:   [" in repr(wrong)
    assert len({v._repr_html_().split("solid ")[1][:7] for v in (passed, wrong)}) == 2


def test_a_fault_of_time_shows_both_timelines_on_one_scale() -> None:
    async def in_a_row(client: Any, first: str, second: str) -> tuple[str, str]:
        return await ask(client, first), await ask(client, second)

    verdict = check("0.2", in_a_row)
    assert [name for name, _ in verdict.pictures] == ["yours", "wanted"]
    lines = repr(verdict).splitlines()
    bars = [line for line in lines if "|" in line]
    assert len(bars) == 4
    assert len({line.index("|") for line in bars}) == 1
    assert "<pre" in verdict._repr_html_()


def test_what_a_learner_wrote_cannot_become_markup() -> None:
    def parse(text: str, *, limit: int = 4) -> list[str]:
        print("<script>printed</script>")
        return ["<script>returned</script>"]

    html = check("2.1", parse)._repr_html_()
    assert "<script" not in html
    assert "&lt;script&gt;returned" in html
    assert "&lt;script&gt;printed" in html

    bars = (("<b>yours</b>", Trace([Call("<i>lane</i>", 0.0, 1.0, "ok")], "free")),)
    verdict = dataclasses.replace(
        check("2.1", parse), message="<img>", wanted="<u>", seen="<s>", pictures=bars
    )
    assert not any(tag in verdict._repr_html_() for tag in ("<img", "<u>", "<s>", "<b>", "<i>"))


def test_a_verdict_is_cut_to_what_can_be_read() -> None:
    def parse(text: str, *, limit: int = 4) -> list[str]:
        for _ in range(100):
            print("x" * 10_000)
        return ["y" * 1_000_000]

    verdict = check("2.1", parse)
    assert len(str(verdict.seen)) <= 300
    assert len(verdict.printed) <= 100_000
    assert len(repr(verdict).splitlines()) < 30


# Hints and solutions


@pytest.mark.usefixtures("fresh_hints")
def test_hints_go_from_a_nudge_to_nearly_the_code_and_stay_there() -> None:
    told = [hint("2.1") for _ in range(5)]
    assert [given.step for given in told] == [0, 1, 2, 2, 2]
    assert [given.text for given in told[:3]] == list(exercises["2.1"].hints)
    assert repr(told[0]).startswith("Hint for 2.1, a nudge:\n")
    assert 'More: hint("2.1")' in repr(told[1])
    assert 'More: solution("2.1")' in repr(told[2])
    assert "```python" in told[2]._repr_markdown_()
    assert hint("2.2").step == 0


@pytest.mark.parametrize("id", exercises)
def test_a_solution_is_the_references_source_and_its_reason(id: str) -> None:
    told = solution(id)
    assert f"def {exercises[id].name}(" in told.source
    assert exercises[id].why in repr(told)
    assert told.source in repr(told)
    assert "<" not in told._repr_html_().replace("<p>", "").replace("</p>", "").replace(
        "<pre><code>", ""
    ).replace("</code></pre>", "")


def test_a_check_starts_no_process() -> None:
    before = os.times().children_user
    check("2.1", parse_plan)
    assert os.times().children_user == before


# What the judge hands over


def nested(bench: Bench) -> None:
    ask_one = Worker(lambda: Step(1.0, value="worker"), name="one", cleans=True)
    ask_two = Worker(lambda: Step(2.0, value="task"), name="two", returns="task")
    ask_three = Worker(lambda: Step(3.0, value="awaitable"), name="three", returns="awaitable")
    tell = Callback(lambda: "callback")
    client = Client(lambda _: Reply("client", seconds=4.0))
    run = bench.run([ask_one, (ask_two,)], {"deep": [ask_three, {"tell": tell}], "client": client})
    run.expect_value(["worker", "task", "awaitable", "callback", "client"], "all of them")
    run.expect(run.seconds == 10.0, "one after another", seen=f"{run.seconds}")
    bars = [call.lane for call in run.trace().calls]
    run.expect(bars == ["one", "two", "three", "hello"], "a callback has no bar", seen=f"{bars}")


NESTED = Exercise("9.1", "ask", nested, hints=("", "", ""), why="")
UNPACK = """
from labkit.patterns import ask


async def unpack(first, second):
    [one, (two,)] = first
    [three, inner] = second["deep"]
    worked = [await one(), await two(), await three()]
    return [*worked, inner["tell"](), await ask(second["client"], "hello")]
"""


def test_what_stands_in_lists_and_dicts_reaches_a_function_as_the_real_thing(
    tmp_path: Path,
) -> None:
    namespace: dict[str, Any] = {}
    exec(UNPACK, namespace)
    verdict = judge(NESTED, InProcess(namespace["unpack"], limit=10), seed=0)
    assert verdict.passed, verdict
    file = tmp_path / "answer.py"
    file.write_text(UNPACK, encoding="utf-8")
    with ChildProcess.of_file(str(file), "unpack", limit=20) as child:
        assert judge(NESTED, child, seed=0).passed


def test_two_things_of_one_name_are_a_fault_of_the_check() -> None:
    def twins(bench: Bench) -> None:
        bench.run([Worker(lambda: Step(1.0)), Worker(lambda: Step(2.0))])

    with pytest.raises(ValueError, match="both named 'worker'"):
        judge(dataclasses.replace(NESTED, grade=twins), InProcess(parse_plan), seed=0)


def test_a_client_in_a_list_is_loaded_before_the_time_of_a_run_counts() -> None:
    client = {"$": "client", "name": "client"}
    assert places._needs_sdk({"args": [["a", {"$": "dict", "items": [["k", client]]}]]})
    assert not places._needs_sdk({"args": [["client"]], "kwargs": {"client": 1}})


def test_what_one_run_leaves_behind_does_not_reach_the_next() -> None:
    seen: list[tuple[float, int]] = []

    async def worker() -> None:
        await asyncio.sleep(50)

    async def careless(_task: str) -> str:
        loop = asyncio.get_running_loop()
        seen.append((loop.time(), len(asyncio.all_tasks())))
        loop.call_later(5, seen.append, (-1.0, -1))
        asyncio.ensure_future(worker())  # noqa: RUF006  # that nobody keeps it is the point
        await asyncio.sleep(3)
        return "done"

    bench = Bench("careless", True, InProcess(careless), random.Random(1))
    for _ in range(5):
        run_ = bench.run("task")
        assert run_.how == "returned"
        assert run_.seconds == 3.0
    assert len(set(seen)) == 1
    assert seen[0][0] == 0.0
