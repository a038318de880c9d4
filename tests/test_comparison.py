"""Two runs side by side: the text, the picture, and the replay of both."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from labkit import UsageError, board, compare, run, timeline, traced
from labkit.widgets import live
from labkit.widgets.boards import Board
from labkit.widgets.live import VIEW


@traced
async def worker(name: str) -> str:
    await asyncio.sleep(1.0)
    return name


async def in_a_row() -> None:
    for name in "abc":
        await worker(name)


async def at_once() -> None:
    await asyncio.gather(*map(worker, "abc"))


def boards() -> tuple[Board, Board]:
    with board("one after another") as row:
        run(in_a_row())
    with board("together", list("abc")) as together:
        run(at_once())
    return row, together


def test_it_says_and_shows_what_a_timeline_does() -> None:
    row, together = boards()
    picture = compare(row, together, before=1, guess=2.5)
    drawn = timeline(row.trace, together.trace, before=1, guess=2.5)
    data, _ = picture._repr_mimebundle_()
    assert data["text/plain"] == repr(drawn)
    assert sorted(data) == ["image/png", "text/plain"]


@pytest.mark.usefixtures("front_end")
def test_live_it_takes_the_place_of_the_boards_and_plays_both_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "show", lambda box: None)
    row, together = boards()
    picture = compare(row, together, guess=2.5)
    boxes: list[Any] = []
    make = picture._widget
    monkeypatch.setattr(picture, "_widget", lambda: boxes.append(make()) or boxes[0])
    data, _ = picture._repr_mimebundle_()
    [box] = boxes
    assert data[VIEW]["model_id"] == box.model_id
    assert row._live is None
    assert together._live is None
    shown, bar = box.children
    assert "lower bound 1.00 s" in shown.value
    assert "your guess 2.50 s" in shown.value
    slider = bar.children[1]
    assert slider.max == 3000
    slider.value = 1500
    above, below = shown.value.split("<strong>together</strong>")
    assert "1 in flight · 1 of 3 through" in above
    assert "0 in flight · 3 of 3 through" in below


async def race() -> None:
    tasks = [asyncio.create_task(worker(name)) for name in "ab"]
    await asyncio.sleep(0.5)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def test_a_run_that_was_cut_off_has_no_lower_bound() -> None:
    row, _ = boards()
    with board("raced") as raced:
        run(race())
    assert "lower bound" in repr(compare(*boards()))
    assert "lower bound" not in repr(compare(row, raced))
    assert "lower bound" not in repr(raced)


def test_bad_arguments_are_told() -> None:
    row, together = boards()
    with pytest.raises(UsageError, match="two boards or more"):
        compare(row)
    with pytest.raises(UsageError, match="two boards or more"):
        compare(row, together.trace)  # type: ignore[arg-type]
    with board("empty") as empty:
        pass
    with pytest.raises(UsageError, match="empty"):
        compare(row, empty)
