"""The progress file: what it keeps, and what becomes of one that is missing, damaged or taken."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from labkit import check, hint, journal, solution
from labkit.checks import InProcess, exercises, judge
from labkit.journal import VERSION, Guess, Journal, Record, Work
from labkit.patterns import parse_plan

FULL = Record(
    {"2.1": Work(3, "2026-11-28", 2, True), "2.2": Work(1)},
    {"02/count": True, "02/seconds": False},
    {"How long?": Guess(1.5, 0.9), "Who is first?": Guess("alert", "scan")},
)

DAMAGED = {
    "half written": FULL.dumps()[:90],
    "empty": "",
    "no JSON": "# Notes\n",
    "a list": "[1, 2]",
    "foreign": '{"name": "progress"}',
    "a version that is no number": '{"labkit_progress": true}',
    "nested without end": "[" * 100_000,
    "exercises that are a list": '{"labkit_progress": 1, "exercises": []}',
    "an attempt that is a text": '{"labkit_progress": 1, "exercises": {"2.1": {"attempts": "3"}}}',
    "a day that is none": '{"labkit_progress": 1, "exercises": {"2.1": {"passed": "soon"}}}',
    "an answer that is a number": '{"labkit_progress": 1, "questions": {"02/count": 1}}',
    "a guess without a truth": '{"labkit_progress": 1, "predictions": {"?": {"guess": 1}}}',
    "a guess that is not finite": (
        '{"labkit_progress": 1, "predictions": {"?": {"guess": NaN, "truth": 1}}}'
    ),
    "a guess past all floats": (
        '{"labkit_progress": 1, "predictions": {"?": {"guess": 1' + "0" * 400 + ', "truth": 1}}}'
    ),
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a learner whose notebooks lie in a folder of their own."""
    monkeypatch.delenv("LABKIT_PROGRESS")
    monkeypatch.chdir(tmp_path)
    return tmp_path / ".labkit" / "progress.json"


def note_one(record: Record) -> None:
    record.exercises.setdefault("2.1", Work()).attempts += 1


# Where it lies, and what it holds


def test_the_first_change_makes_the_file_beside_the_notebook(place: Path) -> None:
    journal.checked("2.1", passed=False)
    assert json.loads(place.read_text()) == {
        "labkit_progress": VERSION,
        "exercises": {"2.1": {"attempts": 1, "passed": None, "hints": 0, "solution": False}},
        "questions": {},
        "predictions": {},
    }


def test_reading_alone_makes_nothing(place: Path) -> None:
    assert journal.journal().read() == Record()
    assert not place.parent.exists()


def test_its_place_can_be_set(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = place.parent.parent / "elsewhere" / "mine.json"
    monkeypatch.setenv("LABKIT_PROGRESS", str(other))
    journal.checked("2.1", passed=True)
    assert other.exists()
    assert not place.exists()


@pytest.mark.parametrize("off", ["off", "OFF", " off ", "0", "no", "None", "false"])
def test_it_can_be_kept_in_memory(place: Path, monkeypatch: pytest.MonkeyPatch, off: str) -> None:
    monkeypatch.setenv("LABKIT_PROGRESS", off)
    journal.checked("2.1", passed=True)
    assert journal.journal().read().exercises["2.1"].passed
    assert list(place.parent.parent.iterdir()) == []


def test_a_notebook_that_changes_its_folder_goes_on_in_the_same_file(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.checked("2.1", passed=False)
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path / "data")
    journal.checked("2.1", passed=False)
    assert Journal(place).read().exercises["2.1"].attempts == 2


def test_a_record_survives_the_file() -> None:
    assert Record.loads(FULL.dumps()) == FULL


def test_the_order_of_predictions_survives_the_file(place: Path) -> None:
    for question in ("z", "a", "m"):
        journal.guessed(question, 1, 2)
    assert list(Journal(place).read().predictions) == ["z", "a", "m"]


def test_nobody_but_the_learner_may_read_the_file(place: Path) -> None:
    journal.checked("2.1", passed=False)
    assert place.stat().st_mode & 0o077 == 0


# What is remembered


def wrong(text: str, *, limit: int = 4) -> list[str]:
    return [text]


wrong.__name__ = "parse_plan"


def solved(text: str, *, limit: int = 4) -> list[str]:
    return parse_plan(text, limit=limit)


def stub(text: str, *, limit: int = 4) -> list[str]:
    raise NotImplementedError


stub.__name__ = "parse_plan"


def work(id: str = "2.1") -> Work:
    return journal.journal().read().exercises.get(id, Work())


def test_a_check_that_failed_is_an_attempt_and_one_that_passed_has_its_day() -> None:
    check("2.1", wrong)
    check("2.1", wrong)
    assert (work().attempts, work().passed) == (2, None)
    check("2.1", solved)
    assert work().attempts == 3
    assert work().passed is not None


def test_what_was_solved_stays_solved() -> None:
    check("2.1", solved)
    check("2.1", wrong)
    assert work().passed is not None


def test_the_stub_the_reference_and_an_experiment_of_another_name_are_no_attempts() -> None:
    check("2.1", stub)
    check("2.1", parse_plan)
    check("2.1", lambda text, *, limit=4: [text])
    assert work() == Work()


def test_a_judge_that_stands_outside_writes_no_progress(place: Path) -> None:
    assert judge(exercises["2.1"], InProcess(solved), seed=0).passed
    assert not place.parent.exists()


def test_hints_and_a_solution_are_remembered() -> None:
    for _ in range(5):
        hint("2.2")
    solution("2.2")
    assert work("2.2") == Work(hints=3, solution=True)


def test_a_solution_that_is_read_after_a_pass_was_not_needed() -> None:
    check("2.1", solved)
    solution("2.1")
    assert not work().solution


def test_only_the_first_answer_and_the_first_guess_count() -> None:
    journal.answered("02/count", right=False)
    journal.answered("02/count", right=True)
    journal.guessed("How long?", 3, 1)
    journal.guessed("How long?", 1, 1)
    record = journal.journal().read()
    assert record.questions == {"02/count": False}
    assert record.predictions == {"How long?": Guess(3, 1)}


@pytest.mark.parametrize(
    ("guess", "truth", "error"),
    [(1.5, 1.0, 0.5), (0.5, 1.0, 0.5), (0, 0, 0.0), (2, 0, 1.0), ("a", "b", None)],
)
def test_an_error_is_relative_to_the_truth(guess: Any, truth: Any, error: float | None) -> None:
    assert Guess(guess, truth).error == error


# A file that is not as it should be


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_a_file_that_cannot_be_read_is_kept_aside(place: Path, text: str) -> None:
    place.parent.mkdir()
    place.write_text(text)
    kept = Journal(place)
    assert kept.read() == Record()
    assert "cannot be read" in kept.note
    assert place.read_text() == text

    kept.update(note_one)
    assert place.with_name("progress.json.unread-1").read_text() == text
    assert Journal(place).read().exercises["2.1"].attempts == 1
    assert kept.note == (
        "the progress file progress.json could not be read and is kept as progress.json.unread-1"
    )


def test_one_that_is_kept_aside_does_not_replace_another(place: Path) -> None:
    for text in ("first", "second"):
        place.parent.mkdir(exist_ok=True)
        place.write_text(text)
        Journal(place).update(note_one)
    assert place.with_name("progress.json.unread-1").read_text() == "first"
    assert place.with_name("progress.json.unread-2").read_text() == "second"


def test_a_file_that_is_no_text_is_kept_aside(place: Path) -> None:
    place.parent.mkdir()
    place.write_bytes(b"\xff\xfe\x00")
    Journal(place).update(note_one)
    assert place.with_name("progress.json.unread-1").read_bytes() == b"\xff\xfe\x00"


def test_the_file_of_a_later_labkit_is_left_alone(place: Path) -> None:
    text = json.dumps({"labkit_progress": VERSION + 1, "exercises": "another form"})
    place.parent.mkdir()
    place.write_text(text)
    kept = Journal(place)
    kept.update(note_one)
    kept.update(note_one)
    assert place.read_text() == text
    assert kept.read().exercises["2.1"].attempts == 2
    assert "later labkit" in kept.note


def test_what_this_labkit_does_not_know_does_not_make_a_file_unreadable(place: Path) -> None:
    data = json.loads(FULL.dumps()) | {"theme": "dark"}
    data["exercises"]["2.1"]["mood"] = "proud"
    assert Record.loads(json.dumps(data)) == FULL


def test_a_place_that_cannot_be_written_disturbs_no_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("LABKIT_PROGRESS", str(tmp_path / "file" / "progress.json"))
    assert check("2.1", solved).passed
    kept = journal.journal()
    assert kept.read().exercises["2.1"].attempts == 1
    assert "cannot be" in kept.note
    assert len(kept.note.splitlines()) == 1
    assert str(tmp_path) not in kept.note


def test_what_had_to_wait_is_written_as_soon_as_it_can_be(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    kept = Journal(blocked / "progress.json")
    kept.update(note_one)
    kept.update(note_one)
    blocked.unlink()
    kept.update(note_one)
    assert Journal(kept.place).read().exercises["2.1"].attempts == 3
    assert kept.note == ""


def test_a_folder_in_its_place_is_left_alone(place: Path) -> None:
    place.mkdir(parents=True)
    kept = Journal(place)
    kept.update(note_one)
    assert place.is_dir()
    assert "kept in memory" in kept.note


def test_a_write_that_breaks_off_leaves_the_old_file(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Journal(place)
    kept.update(note_one)
    before = place.read_text()

    def broken(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", broken)
        kept.update(note_one)
    assert place.read_text() == before
    assert "No space left" in kept.note
    names = {path.name for path in place.parent.iterdir()}
    assert names == {"progress.json", "progress.json.lock"}


# Two notebooks at once


def test_two_notebooks_that_write_at_once_lose_nothing(place: Path) -> None:
    code = (
        "from labkit import journal\n"
        "journal.PATIENCE = 60\n"
        "input()\n"
        "for n in range(60):\n"
        "    journal.checked('2.1', passed=False)\n"
        "print(repr(journal.journal().note))\n"
    )
    command = [sys.executable, "-c", code]
    both = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for one in both:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    notes = [one.communicate()[0].strip() for one in both]
    assert notes == ["''", "''"]
    assert Journal(place).read().exercises["2.1"].attempts == 120


def test_each_change_is_made_on_what_the_file_holds_by_then(place: Path) -> None:
    one, other = Journal(place), Journal(place)
    one.update(note_one)
    other.update(note_one)
    one.update(note_one)
    assert other.read().exercises["2.1"].attempts == 3


def test_a_lock_that_is_never_given_back_holds_nobody_up(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "PATIENCE", 0)
    kept = Journal(place)
    kept.update(note_one)
    with place.with_name("progress.json.lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        kept.update(note_one)
        assert "another notebook" in kept.note
        assert kept.read().exercises["2.1"].attempts == 2
    kept.update(note_one)
    assert Journal(place).read().exercises["2.1"].attempts == 3


def test_a_file_system_without_locks_is_written_all_the_same(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(file: Any, how: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    Journal(place).update(note_one)
    assert Journal(place).read().exercises["2.1"].attempts == 1


def test_who_shows_the_progress_is_told_of_each_change() -> None:
    told: list[int] = []
    end = journal.watch(lambda: told.append(work().attempts))
    journal.checked("2.1", passed=False)
    journal.checked("2.1", passed=False)
    end()
    end()
    journal.checked("2.1", passed=False)
    assert told == [1, 2]
