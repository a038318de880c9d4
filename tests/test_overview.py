"""How far the learner is, in words and in pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import labkit
from labkit import UsageError, journal, kernel, progress
from labkit.checks import exercises
from labkit.journal import Journal
from labkit.overview import calibration, course, lesson_of, progress_in
from labkit.questions import lessons


def test_every_exercise_belongs_to_a_lesson_that_is_shown() -> None:
    assert {lesson_of(id) for id in exercises} <= set(course())


def test_the_course_tells_each_lesson_and_the_totals() -> None:
    journal.checked("2.1", passed=True)
    journal.checked("2.2", passed=False)
    journal.answered("02/count", right=True)
    journal.answered("02/seconds", right=False)
    lines = repr(progress()).splitlines()
    assert len(lines) == len(course()) + 2
    assert (
        "02 Orchestrator and workers  ████░░░░░░░░░░░░░░░░  1 of 3 solved, 1 of 5 points" in lines
    )
    assert f"in all: 1 of {len(exercises)} solved" in lines[-2]
    asked = sum(len(lesson.questions) for lesson in lessons().values())
    assert lines[-1] == f"self-checks: 2 of {asked} answered, 1 right at the first try"


def test_a_lesson_tells_each_exercise_and_what_is_open() -> None:
    for passed in (False, True):
        journal.checked("2.1", passed=passed)
    journal.checked("2.2", passed=False)
    journal.hinted("2.2", 2)
    journal.revealed("2.2")
    journal.answered("02/count", right=True)
    assert repr(progress("02")).splitlines() == [
        "02 Orchestrator and workers: 1 of 3 solved, 1 of 5 points",
        "████░░░░░░░░░░░░░░░░",
        "  ✓ 2.1 parse_plan: 1 point, 2 tries",
        "  ○ 2.2 orchestrate: open, 1 try, 2 hints, solution seen",
        "  ○ 2.3 orchestrate_parallel: open",
        "self-check: 1 of 4 answered, 1 right at the first try",
        "still open: 2 exercises, 3 questions of the self-check",
    ]


def test_a_lesson_that_is_done_says_so() -> None:
    for id in ("0.1", "0.2"):
        journal.checked(id, passed=True)
    for question in lessons()["00"].questions:
        journal.answered(question.id, right=True)
    assert repr(progress("00")).endswith("Nothing is open in this lesson.")


def test_a_solution_that_came_first_is_told() -> None:
    journal.revealed("2.1")
    journal.checked("2.1", passed=True)
    assert "2.1 parse_plan: 1 point, 1 try, solution seen first" in repr(progress("02"))


@pytest.mark.parametrize("lesson", [None, "02"])
def test_its_html_says_what_its_text_says(lesson: str | None) -> None:
    journal.checked("2.1", passed=True)
    html = progress(lesson)._repr_html_()
    assert "1 of 3 solved, 1 of 5 points" in html
    assert "aria-hidden='true'" in html
    assert "width:20%" in html


@pytest.mark.parametrize("lesson", ["x", "", "99", 99, 3.1, ["03"], "../03"])
def test_a_lesson_that_is_not_there_is_told_with_those_that_are(lesson: Any) -> None:
    with pytest.raises(UsageError, match=r"there is no lesson .*; there are 00, 01, 02") as told:
        progress(lesson)
    assert "write" not in str(told.value)


@pytest.mark.parametrize("lesson", [3, "3"])
def test_a_lesson_is_written_with_two_digits(lesson: Any) -> None:
    with pytest.raises(UsageError, match='write "03", in quotes and with two digits'):
        progress(lesson)


# Guesses


@pytest.mark.parametrize(
    ("errors", "told"),
    [
        ([0.4], "typically off by 40 % (1 guess)"),
        ([0.1, 0.5, 3.0], "typically off by 50 % (3 guesses)"),
        ([0.5, 0.3, 0.1, 0.2], "typically off by 40 % at first, 15 % lately (4 guesses)"),
        ([0.6, 0.4, 0.1, 0.1, 0.2], "typically off by 50 % at first, 10 % lately (5 guesses)"),
    ],
)
def test_guesses_are_told_by_their_median_early_and_late(errors: list[float], told: str) -> None:
    assert calibration(errors) == told


def test_numbers_and_choices_are_told_apart() -> None:
    journal.guessed("How long?", 3, 2)
    journal.guessed("Who?", "alert", "scan")
    journal.guessed("And then?", "scan", "scan")
    assert repr(progress()).splitlines()[-2:] == [
        "guesses: typically off by 50 % (1 guess)",
        "choices foreseen: 1 of 2",
    ]


# Where it comes from


def test_trouble_with_the_file_is_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "progress.json"
    file.write_text("{")
    monkeypatch.setenv("LABKIT_PROGRESS", str(file))
    told = repr(progress()).splitlines()[-1]
    assert told.startswith("note: the progress file progress.json cannot be read")
    assert "cannot be read" in progress("02")._repr_html_()


def test_from_outside_it_is_found_by_file_by_folder_or_above_it(tmp_path: Path) -> None:
    notebooks = tmp_path / "notebooks"
    file = notebooks / ".labkit" / "progress.json"
    Journal(file).update(lambda record: record.questions.update({"02/count": True}))
    for place in (file, notebooks, tmp_path, str(tmp_path)):
        assert "1 right at the first try" in str(progress_in(place))


def test_from_outside_it_is_where_the_setting_says_or_else_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.json"
    Journal(file).update(lambda record: record.questions.update({"02/count": True}))
    monkeypatch.setenv("LABKIT_PROGRESS", str(file))
    assert "1 right at the first try" in str(progress_in())
    monkeypatch.delenv("LABKIT_PROGRESS")
    monkeypatch.chdir(tmp_path)
    file.rename(tmp_path / "elsewhere.json")
    with pytest.raises(UsageError, match="there is no progress yet"):
        progress_in()


def test_no_progress_yet_is_told_with_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.labkit/progress\.json do not exist; the first check"):
        progress_in(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_file_holds_nothing_about_the_learner(tmp_path: Path) -> None:
    file = tmp_path / "progress.json"
    kept = Journal(file)
    kept.update(lambda record: record.questions.update({"02/count": True}))
    assert set(json.loads(file.read_text())) == {
        "labkit_progress",
        "exercises",
        "questions",
        "predictions",
    }


# In a live notebook


@pytest.mark.usefixtures("front_end")
def test_what_is_shown_follows_what_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    import ipywidgets

    shown: list[ipywidgets.HTML] = []
    follow = labkit.widgets.live.follow
    monkeypatch.setattr(
        labkit.widgets.live, "follow", lambda html: shown.append(follow(html)) or shown[-1]
    )
    bundle = progress("02")._repr_mimebundle_()
    assert bundle["text/plain"] == repr(progress("02"))
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "0 of 3 solved" in shown[0].value
    journal.checked("2.1", passed=True)
    assert "1 of 3 solved" in shown[0].value


@pytest.mark.usefixtures("front_end")
def test_running_its_cell_again_adds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from ipywidgets.widgets import widget as ipw

    runs = iter(range(100))
    monkeypatch.setattr(kernel, "running_cell", lambda: ("cell", str(next(runs))))
    counts = []
    for _ in range(10):
        progress("02")._repr_mimebundle_()
        journal.checked("2.1", passed=True)
        counts.append((len(ipw._instances), len(journal._watchers)))
    assert len(set(counts)) == 1


@pytest.mark.usefixtures("front_end")
def test_two_displays_of_one_run_both_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    import ipywidgets
    from ipywidgets.widgets import widget as ipw

    monkeypatch.setattr(kernel, "running_cell", lambda: ("cell", "run"))
    before = set(ipw._instances)
    for _ in range(2):
        progress("02")._repr_mimebundle_()
    shown = [ipw._instances[id] for id in ipw._instances if id not in before]
    open_ = [it.comm is not None for it in shown if isinstance(it, ipywidgets.HTML)]
    assert open_ == [True, True]
