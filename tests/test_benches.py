"""The lab bench and its controls: what is set, what answers, and what a move does to a run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from labkit import UsageError, bench, kernel, patterns, record, run, timeline, traced
from labkit.widgets import choose, setting, switch
from labkit.widgets.benches import Bench
from labkit.widgets.live import VIEW

Stage = Callable[[Bench], Any]


@pytest.fixture
def widget(front_end: None) -> Stage:
    """Shows a bench as a live notebook does, and returns its widget."""

    def show(bench: Bench) -> Any:
        data, _ = bench._repr_mimebundle_()
        assert data[VIEW]["model_id"] == bench._shown.box.model_id
        return bench._shown

    return show


cleaned: list[str] = []


@traced
async def job(name: str, seconds: float, cleanup: float = 0.0) -> str:
    try:
        await asyncio.sleep(seconds)
    finally:
        if cleanup:
            await asyncio.sleep(cleanup)
            cleaned.append(name)
    return name


async def capped(workers: int, cap: int, fails: bool = False, cleanup: float = 0.0) -> str:
    async def one(name: str) -> str:
        if fails and name == "job 1":
            raise ConnectionError("hung up")
        return await job(name, 1.0, cleanup)

    names = [f"job {n}" for n in range(workers)]
    return " ".join(await patterns.gather_bounded(one, names, limit=cap))


def of_jobs(**more: Any) -> Bench:
    return bench(
        capped,
        title="Jobs",
        limit="cap",
        workers=setting("workers", 1, 20, start=4),
        cap=setting("cap", 1, 8, start=2, unit="in flight"),
        **more,
    )


def slider(shown: Any, name: str) -> Any:
    return next(w for w in shown._controls if w.description.startswith(name))


def svg(shown: Any) -> str:
    return shown._screen._picture.value


# --- controls ----------------------------------------------------------------------------------


def test_a_count_is_handed_on_as_one_and_a_measure_as_a_float() -> None:
    assert type(setting("n", 1, 6, start=2).value) is int
    assert type(setting("spread", 0, 2, start=1, step=0.1).value) is float
    assert type(setting("x", 0.5, 2.5, start=1.5).value) is float


def test_controls_say_how_they_stand() -> None:
    assert setting("cap", 1, 6, start=2, unit="in flight").told == "cap: 2 in flight"
    assert switch("the gate", start=True).told == "the gate: on"
    assert switch("the gate").told == "the gate: off"
    assert choose("pattern", ["gather", "race"]).told == "pattern: gather"


@pytest.mark.parametrize(
    ("control", "value"),
    [
        (setting("cap", 1, 6, start=2), 5),
        (setting("spread", 0, 2, start=1, step=0.5), 1.5),
        (switch("gate"), True),
        (choose("pattern", ["gather", "race"]), "race"),
    ],
)
def test_moving_its_widget_moves_a_control_and_a_new_widget_stands_there(
    control: Any, value: Any
) -> None:
    control.widget().value = value
    assert control.value == value
    assert control.widget().value == value


def test_a_control_shows_a_widget_in_a_notebook_and_a_line_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cap = setting("cap", 1, 6, start=2)
    assert cap._repr_mimebundle_() == {"text/plain": "cap: 2 (move the slider)"}
    monkeypatch.setattr(kernel, "in_kernel", lambda: True)
    assert VIEW in cap._repr_mimebundle_()


@pytest.mark.parametrize(
    "make",
    [
        lambda: setting("x", 2, 1, start=1),
        lambda: setting("x", 1, 2, start=3),
        lambda: setting("x", 1, 2, start=1, step=0),
        lambda: choose("x", []),
        lambda: choose("x", "ab"),
        lambda: choose("x", ["a"], start="b"),
        lambda: bench(capped, workers=setting("w", 1, 2, start=1)),
        lambda: bench(capped, workers=3, cap=4),
        lambda: bench(capped),
        lambda: of_jobs(nonsense=switch("x")),
        lambda: bench(capped, limit="x", workers=setting("w", 1, 2, start=1), cap=switch("c")),
    ],
)
def test_bad_arguments_are_told(make: Callable[[], Any]) -> None:
    with pytest.raises(UsageError):
        make()


# --- the answer --------------------------------------------------------------------------------


def test_without_a_front_end_it_answers_with_the_settings_as_they_stand() -> None:
    data, _ = of_jobs()._repr_mimebundle_()
    assert sorted(data) == ["image/png", "text/plain"]
    assert data["text/plain"].splitlines() == [
        "Jobs",
        "  workers: 4",
        "  cap: 2 in flight",
        "⟨4 calls ⇒ 2.000 s, 2 in flight⟩",
        "  job 0: 0.000 s – 1.000 s",
        "  job 1: 0.000 s – 1.000 s",
        "  job 2: 1.000 s – 2.000 s",
        "  job 3: 1.000 s – 2.000 s",
        "lower bound: 2.000 s",
        "job 0 job 1 job 2 job 3",
    ]


def test_a_run_that_was_cut_off_has_no_lower_bound() -> None:
    async def cut(moment: float) -> None:
        tasks = [asyncio.create_task(job(f"job {n}", 1.0)) for n in range(2)]
        await asyncio.sleep(moment)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    for moment, bounded in ((0.5, False), (1.5, True)):
        shown = bench(
            cut, moment=setting("cut off after", 0.5, 2.0, start=moment, step=0.5, unit="s")
        )
        assert ("lower bound" in repr(shown)) is bounded
        assert ("lower bound" in repr(shown.picture(shown.answer()))) is bounded


def test_what_a_scene_raises_is_told_in_a_line() -> None:
    answer = of_jobs(fails=switch("job 1 fails", start=True)).answer()
    assert answer.text == "raised ConnectionError: hung up"


def test_a_picture_that_a_scene_returns_stands_for_its_calls(widget: Stage) -> None:
    def drawn(cap: int) -> Any:
        with record() as trace:
            run(capped(4, cap))
        return timeline(trace, title=f"cap {cap}")

    curve = bench(drawn, cap=setting("cap", 1, 4, start=2))
    assert "cap 2\n⟨4 calls ⇒ 2.000 s" in repr(curve)
    shown = widget(curve)
    before = shown._image.value
    slider(shown, "cap").value = 4
    assert shown._image.value != before
    assert "cap 4" in shown._told.value
    assert shown._run not in shown.box.children  # nothing to watch


def test_a_plain_value_is_told_as_text() -> None:
    doubled = bench(lambda n: n * 2, n=setting("n", 1, 4, start=2))
    assert repr(doubled) == "  n: 2\n4"
    assert sorted(doubled._repr_mimebundle_()[0]) == ["text/plain"]


# --- live --------------------------------------------------------------------------------------


def test_moving_a_setting_is_answered_at_once(widget: Stage) -> None:
    shown = widget(of_jobs())
    assert "4 of 4 through" in svg(shown)
    slider(shown, "workers").value = 6
    assert "6 of 6 through" in svg(shown)
    assert "3.00 s (lower bound 3.00 s)" in svg(shown)
    slider(shown, "cap").value = 8
    assert "1.00 s (lower bound 1.00 s)" in svg(shown)


def drive(scene: Coroutine[Any, Any, Any]) -> Any:
    """Run something that clicks, and see that nothing it started is left."""

    async def main() -> None:
        await scene
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, left

    return run(main())


def test_run_moves_and_finishes(widget: Stage) -> None:
    async def clicks() -> None:
        shown = widget(of_jobs())
        shown._run.click()
        await asyncio.sleep(0.5)
        assert svg(shown).count("▸") == 2
        assert svg(shown).count("○ planned") == 2  # laid out as the answer was
        assert not shown._stop.disabled
        await asyncio.sleep(2)
        assert "4 of 4 through" in svg(shown)
        assert shown._stop.disabled
        assert "job 0 job 1 job 2 job 3" in shown._told.value

    drive(clicks())


def test_stop_cancels_every_task_and_lets_it_clean_up(widget: Stage) -> None:
    async def clicks() -> None:
        shown = widget(of_jobs(cleanup=setting("clean-up", 0, 1, start=0.25, step=0.05)))
        cleaned.clear()
        shown._run.click()
        await asyncio.sleep(0.5)
        shown._stop.click()
        await asyncio.sleep(1)
        assert sorted(cleaned) == ["job 0", "job 1"]
        assert svg(shown).count("✕") == 2
        assert "stopped" in shown._told.value
        assert shown._stop.disabled

    drive(clicks())


def test_a_move_in_the_middle_of_a_run_ends_it_and_shows_the_new_answer(widget: Stage) -> None:
    async def clicks() -> None:
        shown = widget(of_jobs())
        shown._run.click()
        await asyncio.sleep(0.5)
        slider(shown, "workers").value = 3
        assert "3 of 3 through" in svg(shown)
        await asyncio.sleep(3)
        assert "3 of 3 through" in svg(shown)
        assert "✕" not in svg(shown)

    drive(clicks())


def test_a_second_run_waits_until_the_first_has_cleaned_up(widget: Stage) -> None:
    async def clicks() -> None:
        shown = widget(of_jobs(cleanup=setting("clean-up", 0, 1, start=0.5, step=0.05)))
        cleaned.clear()
        shown._run.click()
        await asyncio.sleep(0.5)
        shown._run.click()
        shown._run.click()
        await asyncio.sleep(0.25)
        assert cleaned == []
        await asyncio.sleep(0.5)
        assert sorted(cleaned) == ["job 0", "job 1"]
        await asyncio.sleep(5)
        assert "4 of 4 through" in svg(shown)

    drive(clicks())


def test_a_run_that_fails_says_so_and_can_be_run_again(widget: Stage) -> None:
    async def clicks() -> None:
        shown = widget(of_jobs(fails=switch("job 1 fails", start=True)))
        shown._run.click()
        await asyncio.sleep(2)
        assert "raised ConnectionError: hung up" in shown._told.value
        slider(shown, "job 1 fails").value = False
        shown._run.click()
        await asyncio.sleep(3)
        assert "4 of 4 through" in svg(shown)

    drive(clicks())


def test_showing_it_again_ends_what_the_first_one_runs(widget: Stage) -> None:
    async def clicks() -> None:
        jobs = of_jobs()
        first = widget(jobs)
        first._run.click()
        await asyncio.sleep(0.5)
        second = widget(jobs)
        assert second is not first
        await asyncio.sleep(0.1)

    drive(clicks())
