"""The board: rows and their states, the moment it draws, and what it leaves behind."""

from __future__ import annotations

import asyncio
import json
import re
from types import SimpleNamespace
from typing import Any

import pytest

from labkit import Call, Trace, UsageError, board, kernel, patterns, run, traced
from labkit.widgets import live
from labkit.widgets.boards import Board, Replay, Screen
from labkit.widgets.frames import (
    MANY,
    SIGNS,
    Plan,
    Row,
    Rows,
    at,
    drawing,
    full_scale,
    summary,
    told,
    totals,
)
from labkit.widgets.live import VIEW


def call(lane: str, start: float, end: float | None, outcome: str = "ok", note: str = "") -> Call:
    return Call(lane, start, end, outcome if end is not None else "running", note=note)


STATES = [
    ([], "planned"),
    ([call("a", 0, None)], "running"),
    ([call("a", 0, 1)], "done"),
    ([call("a", 0, 1, "kicked back", "missing evidence")], "kicked back"),
    ([call("a", 0, 1, "kicked back"), call("a", 2, 3)], "revised"),
    ([call("a", 0, 1, "429"), call("a", 2, 3)], "done"),
    ([call("a", 0, 1, "429")], "retried"),
    ([call("a", 0, 1, "cancelled")], "cancelled"),
    ([call("a", 0, 1, "failed")], "failed"),
    ([call("a", 0, 1, "400")], "failed"),
]


@pytest.fixture
def shell(front_end: None, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A notebook's kernel: ``shown`` holds what was shown, ``run`` names the run of a cell."""
    shell = SimpleNamespace(run="1", shown=[])
    monkeypatch.setattr(kernel, "running_cell", lambda: ("cell", shell.run))
    monkeypatch.setattr(live, "show", shell.shown.append)
    return shell


@traced
async def worker(name: str, seconds: float = 1.0, fails: bool = False) -> str:
    await asyncio.sleep(seconds)
    if fails:
        raise ConnectionError("hung up")
    return name


# --- rows --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("calls", "state"), STATES)
def test_a_row_tells_its_state_by_word_and_sign(calls: list[Call], state: str) -> None:
    row = Row("a", calls)
    assert row.state == state
    assert told(row, 4.0).startswith(SIGNS[state])


def test_what_is_said_of_a_row_names_the_time_and_the_reason() -> None:
    assert told(Row("a"), 1.0) == "○ planned"
    assert told(Row("a", [call("a", 0.5, None)]), 2.0) == "▸ 1.50 s"
    assert told(Row("a", [call("a", 0, 1, "kicked back", "no line 4")]), 2.0) == (
        "↩ 1.00 s kicked back: no line 4"
    )
    assert told(Row("a", [call("a", 0, 1, "429")]), 2.0) == "↻ 1.00 s 429"
    assert told(Row("a", [call("a", 0, 1, "400")]), 2.0) == "! 1.00 s failed: 400"


def names_and_starts(rows: list[Row]) -> list[tuple[str, list[float]]]:
    return [(row.name, [call.start for call in row.calls]) for row in rows]


def test_a_call_goes_to_the_row_that_was_planned_for_it() -> None:
    rows = Rows(["rate", "rate-limits", "auth"])
    trace = Trace(
        [
            call("Review rate-limits.", 0, 1),
            call("auth", 1, 2),
            call("Look at the rate.", 2, 3),
            call("author", 3, 4),
        ]
    )
    assert names_and_starts(rows.take(trace)) == [
        ("rate", [2]),
        ("rate-limits", [0]),
        ("auth", [1]),
        ("author", [3]),
    ]


def test_equal_names_have_a_row_each_and_another_try_stays_in_its_row() -> None:
    rows = Rows(["same", "same"])
    trace = Trace([call("same", 0, 1), call("same", 0, 1, "kicked back"), call("same", 2, 3)])
    assert names_and_starts(rows.take(trace)) == [("same", [0]), ("same", [0, 2])]


def test_rows_that_were_not_planned_come_as_they_are_called() -> None:
    rows, trace = Rows(), Trace([call("a", 0, None)])
    assert names_and_starts(rows.take(trace)) == [("a", [0])]
    trace.calls.append(call("b", 1, None))
    assert names_and_starts(rows.take(trace)) == [("a", [0]), ("b", [1])]


# --- moments -----------------------------------------------------------------------------------

FLEET = Trace(
    [
        call("a", 0, 2),
        call("b", 0, 1, "kicked back", "missing evidence"),
        call("b", 2, 3),
        call("c", 0, 1.5, "failed"),
    ],
    "free",
)


def test_the_past_of_a_trace_holds_nothing_of_what_was_to_come() -> None:
    past = at(FLEET, 1.2)
    assert [(c.lane, c.end, c.outcome) for c in past.calls] == [
        ("a", None, "running"),
        ("b", 1, "kicked back"),
        ("c", None, "running"),
    ]
    assert at(FLEET, 0).in_flight == 3
    assert [c.outcome for c in at(FLEET, 3).calls] == [c.outcome for c in FLEET.calls]
    assert FLEET.calls[0].outcome == "ok"


def test_the_line_under_a_board_counts_what_is_there() -> None:
    rows = Rows(["a", "b", "c", "d"])
    assert totals(at(FLEET, 1.2), 1.2, rows=rows.take(at(FLEET, 1.2)), plan=Plan(limit=3)) == (
        "1.20 s · 2 in flight of at most 3 · 1 of 4 through · 3 calls"
    )
    paid = Trace([Call("a", 0, 2, "ok", "claude-haiku-4-5", 1000, 200)] * 2)
    assert totals(paid, 2.0, rows=[Row("a", [paid.calls[0]])]) == (
        "2.00 s (lower bound 2.00 s) · 0 in flight · 1 of 1 through · 2 calls"
        " · 2,000 tokens in, 400 out, $0.0040"
    )


def test_a_run_that_was_cut_off_has_no_lower_bound() -> None:
    assert Plan().bound(FLEET) == 3.0
    assert Plan().bound(Trace([call("a", 0, 1), call("b", 0, 1, "cancelled")])) is None
    assert Plan().bound(Trace([call("a", 0, 1), call("b", 0, None)])) is None
    assert Plan().bound(Trace([call("a", 0, 1)])) is None


def test_the_axis_jumps_and_never_creeps() -> None:
    scales = [full_scale(tenth / 10) for tenth in range(100)]
    assert all(scale >= tenth / 10 for tenth, scale in enumerate(scales))
    assert len(set(scales)) < 8
    assert full_scale(0.2, expected=3.0) == 3.0


def test_a_drawing_shows_every_kind_by_form_and_says_all_in_its_label() -> None:
    rows = Rows(["a", "b", "c", "d & co"])
    svg = drawing(rows.take(FLEET), 3.0, name="x1", title="A <fleet>", bound=3.0, guess=2.0)
    assert (
        'aria-label="A &lt;fleet&gt; at 3.0 seconds: 1 done, 1 revised, 1 failed, 1 planned."'
        in svg
    )
    assert [m for m in ("done", "retried", "failed", "planned") if f'class="{m}"' in svg] == [
        "done",
        "retried",
        "failed",
        "planned",
    ]
    assert "d &amp; co" in svg
    assert "↩ kicked back: missing" in svg
    assert "lower bound 3.00 s" in svg
    assert "your guess 2.00 s" in svg
    assert "url(#x2-hatch)" in drawing([Row("a", [call("a", 0, 1, "cancelled")])], 1, name="x2")


def test_a_drawing_is_the_same_for_the_same_moment() -> None:
    rows = Rows(["a"]).take(FLEET)
    assert drawing(rows, 2.0, name="x") == drawing(rows, 2.0, name="x")


def test_many_rows_are_drawn_lower() -> None:
    few = drawing([Row("a")] * MANY, 1.0, name="x")
    many = drawing([Row("a")] * (MANY + 1), 1.0, name="x")
    height = [int(re.findall(r'viewBox="0 0 \d+ (\d+)', svg)[0]) for svg in (few, many)]
    assert height[1] < height[0]


def test_nothing_planned_is_said_too() -> None:
    assert summary("", [], 0.0) == "Board at 0.0 seconds: nothing planned."


# --- the board ---------------------------------------------------------------------------------


def test_without_a_front_end_it_records_and_leaves_a_text_and_a_picture() -> None:
    with board("Two", ["a", "b", "never"]) as seen:
        run(both())
    assert repr(seen).splitlines() == [
        "Two",
        "⟨2 calls ⇒ 2.000 s, 2 in flight⟩",
        "  a: 0.000 s – 1.000 s",
        "  b: 0.000 s – 2.000 s",
        "  never: planned",
        "lower bound: 2.000 s",
    ]
    data, metadata = seen._repr_mimebundle_()
    assert sorted(data) == ["image/png", "text/plain"]
    assert "never: planned" in metadata["image/png"]["alt"]


async def both() -> list[str]:
    return await asyncio.gather(worker("a", 1.0), worker("b", 2.0))


async def fleet(seen: Any) -> Any:
    async def review(spec: dict[str, Any], feedback: str | None) -> dict[str, Any]:
        await worker(spec["topic"], spec["id"])
        evidence = {} if spec["id"] == 2 and not feedback else {"evidence": "a.py:1"}
        return {**spec, "claim": "c", **evidence}

    specs = [{"id": number, "topic": topic} for number, topic in enumerate("abc", 1)]
    return await patterns.revise_once(review, specs, seen.gate(patterns.gate))


def test_a_watched_gate_judges_alike_and_marks_what_it_kicks_back() -> None:
    with board("", ["a", "b", "c"]) as seen:
        passed, rejected = run(fleet(seen))
    assert [finding["topic"] for finding in passed] == ["a", "b", "c"]
    assert rejected == []
    assert [row.state for row in seen.rows] == ["done", "revised", "done"]
    assert "kicked back: missing evidence; 3.000 s – 5.000 s" in repr(seen)


def test_a_watched_gate_may_be_given_anything() -> None:
    with board() as seen:
        watched = seen.gate(patterns.gate)
        assert watched(["rubbish", {"topic": "nobody"}]) == patterns.gate(
            ["rubbish", {"topic": "nobody"}]
        )


def test_a_row_can_be_kicked_back_by_hand() -> None:
    with board("", ["a"]) as seen:
        run(worker("a"))
        seen.kicked_back("a", "too short")
        with pytest.raises(UsageError, match="rows: a"):
            seen.kicked_back("z", "too short")
    assert [row.state for row in seen.rows] == ["kicked back"]


@pytest.mark.parametrize("bad", [{"rows": "auth"}, {"rows": [1]}, {"limit": 0}])
def test_bad_arguments_are_told(bad: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        board("x", **bad)


def test_a_board_shows_one_run() -> None:
    with board() as seen:
        pass
    with pytest.raises(UsageError, match="one run"), seen:
        pass


def test_a_board_may_be_left_by_an_exception() -> None:
    with pytest.raises(ConnectionError), board("", ["a"]) as seen:
        run(worker("a", fails=True))
    assert [row.state for row in seen.rows] == ["failed"]


# --- live --------------------------------------------------------------------------------------


def test_it_moves_while_the_cell_awaits_and_rests_when_it_is_through(shell: Any) -> None:
    pictures = []

    async def cell() -> Board:
        with board("Two", ["a", "b"]) as seen:
            pictures.append(seen._live._picture.value)
            both_run = asyncio.ensure_future(both())
            await asyncio.sleep(1.5)
            pictures.append(seen._live._picture.value)
            await both_run
        pictures.append(seen._live._picture.value)
        return seen

    seen = run(cell())
    [box] = shell.shown
    assert box.model_id == seen._live.box.model_id
    assert pictures[0].count("○ planned") == 2
    assert "✓ 1.00 s" in pictures[1]
    assert "▸" in pictures[1]
    assert "0 in flight · 2 of 2 through" in pictures[2]
    assert seen._live._timer is None


def test_in_its_own_cell_it_is_on_the_page_already_and_later_it_is_shown_again(shell: Any) -> None:
    with board("Two", ["a"]) as seen:
        run(worker("a"))
    assert seen._repr_mimebundle_()[0][VIEW]["model_id"] == ""
    shell.run = "2"
    assert seen._repr_mimebundle_()[0][VIEW]["model_id"] == seen._live.box.model_id


def test_a_board_made_without_a_front_end_can_be_shown_in_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with board("Two", ["a"]) as seen:
        run(worker("a"))
    monkeypatch.setattr(kernel, "in_kernel", lambda: True)
    assert seen._repr_mimebundle_()[0][VIEW]["model_id"]


def test_running_its_cell_again_takes_the_old_board_off_the_page(shell: Any) -> None:
    with board("Two", ["a"]) as first:
        run(worker("a"))
    box = first._live.box
    shell.run = "2"
    with board("Two", ["a"]):
        assert box.comm is None
    assert first._repr_mimebundle_()[0][VIEW]["model_id"]  # and it can still be shown


def test_a_cancelled_cell_leaves_every_row_cancelled_and_no_timer(shell: Any) -> None:
    boards = []

    async def cell() -> None:
        with board("Two", ["a", "b"]) as seen:
            boards.append(seen)
            await both()

    async def stopped() -> None:
        task = asyncio.ensure_future(cell())
        await asyncio.sleep(0.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(stopped())
    [seen] = boards
    assert [row.state for row in seen.rows] == ["cancelled", "cancelled"]
    assert seen._live._picture.value.count("✕ 0.50 s cancelled") == 2
    assert seen._live._timer is None


def test_a_replay_shows_any_moment_at_any_pace(shell: Any) -> None:
    with board("Two", ["a", "b"]) as seen:
        run(both())
    replay = seen._live._replay
    assert replay._slider.max == 2000
    replay._slider.value = 1500
    assert replay._clock.value == "1.50 s"
    assert "▸ 1.50 s" in seen._live._picture.value
    assert "✓ 1.00 s" in seen._live._picture.value
    replay._slider.value = 2000
    assert "2 of 2 through" in seen._live._picture.value
    replay._speed.value = 0.25
    assert replay._play.step == 25


def test_a_long_run_is_replayed_faster_than_it_was() -> None:
    replay = Replay(lambda seconds: None)
    replay.offer(40.0)
    assert replay._speed.value == 5.0
    assert replay._play.max == 40_000


def test_a_board_that_nobody_awaits_beside_needs_no_loop(shell: Any) -> None:
    with board("Two", ["a"]) as seen:
        run(worker("a"))
    assert "1 of 1 through" in seen._live._picture.value


def test_what_it_sends_is_plain_text_of_a_bounded_size(shell: Any) -> None:
    screen = Screen("Many")
    trace = Trace([call(f"worker {n}", 0, 1) for n in range(200)])
    screen.rest(trace, Rows().take(trace))
    assert len(json.dumps(screen._picture.value)) < 100_000


async def planned() -> None:
    await worker("plan", 0.5)
    await both()
    await worker("synthesis", 0.5)


@pytest.mark.parametrize(
    ("about", "bound"),
    [
        ({}, "lower bound: 2.000 s"),
        ({"before": 1, "after": 1}, "lower bound: 3.000 s"),
        ({"limit": 1}, "lower bound: 4.000 s"),
    ],
)
def test_the_lower_bound_knows_phases_and_the_cap(about: dict[str, Any], bound: str) -> None:
    with board("", **about) as seen:
        run(planned())
    assert repr(seen).splitlines()[-1] == bound


def test_the_lower_bound_can_be_left_out(shell: Any) -> None:
    with board("", bound=False) as seen:
        run(both())
    assert "lower bound" not in repr(seen)
    assert "lower bound" not in seen._live._picture.value
