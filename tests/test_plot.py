"""Timelines: the picture, and the text that says the same."""

from __future__ import annotations

from typing import Any

import pytest

from labkit import Call, Trace, UsageError, timeline
from labkit.plot import bars, kind_of, lower_bound, percentile, tail


def trace_of(*rows: tuple[str, float, float | None, str]) -> Trace:
    return Trace([Call(lane, start, end, outcome) for lane, start, end, outcome in rows], "free")


FLEET = trace_of(
    ("plan", 0, 1, "ok"),
    ("auth", 1, 3, "ok"),
    ("rates", 1, 2, "429"),
    ("rates", 2.5, 3.5, "ok"),
    ("schema", 1, 2.2, "cancelled"),
    ("memory", 1, 2, "400"),
    ("telemetry", 1, None, "running"),
)
ROW = trace_of(("a", 0, 1, "ok"), ("b", 1, 3, "ok"), ("c", 3, 6, "ok"))
TOGETHER = trace_of(("a", 0, 1, "ok"), ("b", 0, 2, "ok"), ("c", 0, 3, "ok"))


def test_its_text_names_every_call_the_bound_and_the_guess() -> None:
    assert repr(timeline(ROW, TOGETHER, guess=2.5)).splitlines() == [
        "one after another: ⟨3 calls ⇒ 6.000 s, 1 in flight⟩",
        "  a: 0.000 s – 1.000 s",
        "  b: 1.000 s – 3.000 s",
        "  c: 3.000 s – 6.000 s",
        "together: ⟨3 calls ⇒ 3.000 s, 3 in flight⟩",
        "  a: 0.000 s – 1.000 s",
        "  b: 0.000 s – 2.000 s",
        "  c: 0.000 s – 3.000 s",
        "lower bound: 3.000 s",
        "together / one after another: 0.50",
        "your guess: 2.5 s",
    ]


def test_where_lanes_need_each_other_the_bound_is_the_slowest_chain() -> None:
    needs = {"c": ["a"], "a": [], "b": []}
    assert lower_bound(TOGETHER, needs=needs) == 4.0
    assert lower_bound(TOGETHER, needs=needs, limit=1) == 6.0
    assert lower_bound(TOGETHER, needs={"a": [], "never run": ["a"]}) == 1.0
    assert "lower bound: 4.000 s" in repr(timeline(TOGETHER, needs=needs))


def test_its_text_tells_tries_and_what_never_ended() -> None:
    text = repr(timeline(FLEET))
    assert "rates: 1.000 s – 2.000 s 429; 2.500 s – 3.500 s" in text
    assert "schema: 1.000 s – 2.200 s cancelled" in text
    assert "telemetry: 1.000 s – still running" in text


@pytest.mark.parametrize(
    ("about", "bound"),
    [
        ({}, 3.0),
        ({"limit": 1}, 6.0),
        ({"limit": 2}, 3.0),
        ({"before": 1}, 1 + 3.0),
        ({"before": 1, "after": 1}, 1 + 2 + 3.0),
        ({"after": 1, "limit": 1}, 3 + 3.0),
    ],
)
def test_the_lower_bound(about: dict[str, Any], bound: float) -> None:
    assert lower_bound(TOGETHER, **about) == bound


def test_another_try_belongs_to_its_call() -> None:
    assert lower_bound(trace_of(("a", 0, 1, "429"), ("a", 3, 5, "ok"), ("b", 0, 2, "ok"))) == 5.0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_picture_is_the_same_each_time(theme: Any) -> None:
    first, second = (timeline(FLEET, ROW, theme=theme, title="Fleet").png() for _ in range(2))
    assert first.startswith(b"\x89PNG")
    assert first == second


@pytest.mark.parametrize("again", [1.0, 1.1, 3.0])
def test_what_is_said_of_a_try_leaves_the_next_one_free(again: float) -> None:
    first = Call("memory", 0, 1, "kicked back", note="memory_server.py has no line 400")
    trace = Trace([first, Call("memory", again, again + 1), Call("auth", 0, 4)], "free")
    figure = timeline(trace).draw()
    figure.draw_without_rendering()
    (ax,) = figure.axes
    told = next(text for text in ax.texts if "kicked back" in text.get_text())
    (later,) = (bar for bar in ax.patches if bar.get_x() == again)
    assert told.get_window_extent().x1 <= later.get_window_extent().x0
    assert "no line 400" not in told.get_text()
    assert "no line 400" in repr(timeline(trace))


def test_themes_and_outcomes_look_different() -> None:
    assert timeline(FLEET).png() != timeline(FLEET, theme="dark").png()
    assert [kind_of(call) for call in FLEET.calls] == [
        "done",
        "done",
        "retried",
        "done",
        "cancelled",
        "failed",
        "planned",
    ]


def test_a_notebook_gets_both_the_picture_and_the_text() -> None:
    data, about = timeline(ROW)._repr_mimebundle_()
    assert data.keys() == {"text/plain", "image/png"}
    assert "\n" not in about["image/png"]["alt"]
    assert "lower bound" in about["image/png"]["alt"]


def test_an_empty_trace_can_be_drawn() -> None:
    assert timeline(Trace()).png()
    assert repr(timeline(Trace())) == "⟨no calls⟩"


@pytest.mark.parametrize(
    ("arguments", "about", "message"),
    [
        ([], {}, "one trace or more"),
        (["trace"], {}, "one trace or more"),
        ([ROW, ROW, ROW], {}, "a name for each of its 3"),
        ([ROW], {"names": ["a", "b"]}, "a name for each"),
        ([ROW], {"theme": "pink"}, "'light' or 'dark'"),
    ],
)
def test_what_cannot_be_drawn_is_told(
    arguments: list[Any], about: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        timeline(*arguments, **about)


def test_bars_in_text_share_a_scale() -> None:
    assert bars(ROW, seconds=12, width=12) == [
        "a |█           | 1.000 s",
        "b | ██         | 3.000 s",
        "c |   ███      | 6.000 s",
    ]


def test_moments_are_marked_in_text_and_picture_and_the_bound_may_be_left_out() -> None:
    marked = timeline(ROW, TOGETHER, marks={"deadline": 2.5, "alarm": 7.0}, bound=False)
    assert marked.bound is None
    assert "lower bound" not in repr(marked)
    assert repr(marked).splitlines()[-3:-1] == ["deadline: 2.5 s", "alarm: 7 s"]
    for axes in marked.draw().axes:
        assert [text.get_text() for text in axes.texts][-2:] == ["deadline", "alarm"]
        assert axes.get_xlim()[1] > 7.0


# Tails


@pytest.mark.parametrize(
    ("percent", "value"), [(1, 1), (7, 7), (50, 50), (95, 95), (99, 99), (99.5, 100), (100, 100)]
)
def test_a_percentile_is_a_value_that_was_measured(percent: float, value: float) -> None:
    assert percentile(list(range(100, 0, -1)), percent) == value
    assert percentile([value], percent) == value


@pytest.mark.parametrize(("values", "percent"), [([], 50), ([1], 0), ([1], 101), ([1], -1)])
def test_a_percentile_of_nothing_is_an_error(values: list[float], percent: float) -> None:
    with pytest.raises(UsageError, match="percentile needs"):
        percentile(values, percent)


def test_a_tail_tells_its_percentiles() -> None:
    plain = [0.5] * 94 + [3.0] * 4 + [4.0] * 2
    assert repr(tail({"plain": plain, "hedged": [0.5] * 100}, title="Both")).splitlines() == [
        "Both",
        "plain   p50 0.50 s  p95 3.00 s  p99 4.00 s  max 4.00 s",
        "hedged  p50 0.50 s  p95 0.50 s  p99 0.50 s  max 0.50 s",
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_tail_draws_the_share_that_takes_longer(theme: Any) -> None:
    picture = tail({"a": [1.0, 2.0, 3.0, 4.0], "b": [1.0]}, theme=theme)
    [axes] = picture.draw().axes
    curve = axes.lines[0]
    assert list(curve.get_xdata()) == [0, 1, 2, 3, 4]
    assert list(curve.get_ydata()) == [1, 0.75, 0.5, 0.25, 0]
    assert picture.png() == tail({"a": [1.0, 2.0, 3.0, 4.0], "b": [1.0]}, theme=theme).png()


@pytest.mark.parametrize(
    ("series", "theme"), [({}, "light"), ({"a": []}, "light"), ({"a": [1]}, "")]
)
def test_a_tail_of_nothing_is_an_error(series: Any, theme: Any) -> None:
    with pytest.raises(UsageError, match="tail"):
        tail(series, theme=theme)
