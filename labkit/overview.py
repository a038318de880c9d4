"""How far the learner is: across the course, and in a lesson."""

from __future__ import annotations

import html
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .checks import Exercise, exercises
from .errors import UsageError
from .journal import PLACE, Journal, Record, Work, journal
from .look import BLUE, GREEN, GREY, bar, bar_html, card, count
from .questions import Lesson, lessons, pick


def lesson_of(id: str) -> str:
    """The lesson of an exercise: ``"03"`` of ``"3.1"``."""
    return f"{int(id.partition('.')[0]):02}"


def course() -> dict[str, Lesson]:
    """The lessons that have exercises or questions, by id."""
    held = {id: Lesson(id, "", ()) for id in map(lesson_of, exercises)} | lessons()
    return dict(sorted(held.items()))


@dataclass(frozen=True)
class Standing:
    """How far a lesson is.

    Attributes:
        lesson: The lesson.
        exercises: Its exercises, each with the work on it.
        answered: How many of its self-check questions were answered.
        right: How many of these were right at the first try.
    """

    lesson: Lesson
    exercises: tuple[tuple[Exercise, Work], ...]
    answered: int
    right: int

    @property
    def name(self) -> str:
        """The lesson's id and title."""
        return f"{self.lesson.id} {self.lesson.title}".strip()

    @property
    def solved(self) -> int:
        """How many of its exercises are solved."""
        return sum(work.passed is not None for _, work in self.exercises)

    @property
    def points(self) -> int:
        """The points earned."""
        return sum(it.worth for it, work in self.exercises if work.passed is not None)

    @property
    def worth(self) -> int:
        """The points to be had."""
        return sum(it.worth for it, _ in self.exercises)

    @property
    def share(self) -> float:
        """The points earned of those to be had, from 0 to 1."""
        return self.points / self.worth if self.worth else 0.0

    @property
    def told(self) -> str:
        """Exercises and points, in words."""
        return _told(self.solved, len(self.exercises), self.points, self.worth)

    @property
    def checked(self) -> str:
        """The self-check, in words."""
        return (
            f"self-check: {self.answered} of {len(self.lesson.questions)} answered,"
            f" {self.right} right at the first try"
        )

    @property
    def ahead(self) -> str:
        """What is still open, in words."""
        exercises = len(self.exercises) - self.solved
        questions = len(self.lesson.questions) - self.answered
        left = [count(exercises, "exercise")] if exercises else []
        if questions:
            left.append(f"{count(questions, 'question')} of the self-check")
        return f"still open: {', '.join(left)}" if left else "Nothing is open in this lesson."


def _told(solved: int, of: int, points: int, worth: int) -> str:
    return f"{solved} of {of} solved, {points} of {count(worth, 'point')}"


def standing(lesson: Lesson, record: Record) -> Standing:
    """How far a lesson is by a record."""
    held = [it for id, it in exercises.items() if lesson_of(id) == lesson.id]
    answers = [record.questions.get(question.id) for question in lesson.questions]
    return Standing(
        lesson,
        tuple((it, record.exercises.get(it.id, Work())) for it in held),
        sum(answer is not None for answer in answers),
        sum(answer is True for answer in answers),
    )


def calibration(errors: Sequence[float]) -> str:
    """How far guesses were off, in words.

    The figure is the median of the relative errors. From four guesses on, the earlier half and the
    later half are told apart; of an odd number the middle one counts as late.

    Args:
        errors: The relative error of each guess, in the order they were made.

    Returns:
        Such as ``typically off by 40 % at first, 12 % lately (6 guesses)``.
    """
    made = count(len(errors), "guess", "guesses")
    if len(errors) < 4:
        return f"typically off by {statistics.median(errors):.0%} ({made})".replace("%", " %")
    half = len(errors) // 2
    first, lately = statistics.median(errors[:half]), statistics.median(errors[half:])
    told = f"typically off by {first:.0%} at first, {lately:.0%} lately ({made})"
    return told.replace("%", " %")


def _guesses(record: Record) -> list[str]:
    lines = []
    errors = [error for it in record.predictions.values() if (error := it.error) is not None]
    choices = [it.guess == it.truth for it in record.predictions.values() if it.error is None]
    if errors:
        lines.append(f"guesses: {calibration(errors)}")
    if choices:
        lines.append(f"choices foreseen: {sum(choices)} of {len(choices)}")
    return lines


class Progress:
    """How far the learner is, as text, as HTML and, in a live notebook, kept up to date.

    Args:
        kept: Where the progress is kept.
        lesson: The lesson to show; None for the whole course.
    """

    def __init__(self, kept: Journal, lesson: Lesson | None = None) -> None:
        self._kept = kept
        self._lesson = lesson

    def __repr__(self) -> str:
        record = self._kept.read()
        lines = self._lesson_lines(record) if self._lesson else self._course_lines(record)
        return "\n".join([*lines, *self._notes()])

    def _notes(self) -> list[str]:
        return [f"note: {self._kept.note}"] if self._kept.note else []

    def _lesson_lines(self, record: Record) -> list[str]:
        assert self._lesson is not None
        it = standing(self._lesson, record)
        lines = [f"{it.name}: {it.told}", bar(it.share)]
        lines += [
            f"  {_mark(work)} {_name(done)}: {_tale(done, work)}" for done, work in it.exercises
        ]
        if self._lesson.questions:
            lines.append(it.checked)
        return [*lines, it.ahead]

    def _course_lines(self, record: Record) -> list[str]:
        all_of_it = [standing(lesson, record) for lesson in course().values()]
        names = max(len(it.name) for it in all_of_it)
        lines = [f"{it.name:<{names}}  {bar(it.share)}  {it.told}" for it in all_of_it]
        return [*lines, *_totals(all_of_it), *_guesses(record)]

    def _repr_html_(self) -> str:
        record = self._kept.read()
        if self._lesson:
            parts = self._lesson_html(record)
        else:
            all_of_it = [standing(lesson, record) for lesson in course().values()]
            parts = [
                _table([[html.escape(it.name), bar_html(it.share), it.told] for it in all_of_it])
            ]
            parts += map(html.escape, [*_totals(all_of_it), *_guesses(record)])
        parts += map(html.escape, self._notes())
        body = "".join(f"<div>{part}</div>" for part in parts)
        return card(BLUE, body, role="group")

    def _lesson_html(self, record: Record) -> list[str]:
        assert self._lesson is not None
        it = standing(self._lesson, record)
        rows = [
            [
                f"<span style='color:{GREEN if work.passed else GREY}'>{_mark(work)}</span>",
                html.escape(_name(done)),
                html.escape(_tale(done, work)),
            ]
            for done, work in it.exercises
        ]
        parts = [
            f"<strong>{html.escape(it.name)}</strong> {bar_html(it.share)} {it.told}",
            _table(rows),
        ]
        if self._lesson.questions:
            parts.append(it.checked)
        return [*parts, html.escape(it.ahead)]

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        from .widgets.live import bundle, follow

        return bundle(repr(self), lambda: follow(self._repr_html_), html=self._repr_html_())


def _totals(all_of_it: Sequence[Standing]) -> list[str]:
    solved = _told(
        sum(it.solved for it in all_of_it),
        sum(len(it.exercises) for it in all_of_it),
        sum(it.points for it in all_of_it),
        sum(it.worth for it in all_of_it),
    )
    asked = sum(len(it.lesson.questions) for it in all_of_it)
    answered, right = (
        sum(it.answered for it in all_of_it),
        sum(it.right for it in all_of_it),
    )
    return [
        f"in all: {solved}",
        f"self-checks: {answered} of {asked} answered, {right} right at the first try",
    ]


def _mark(work: Work) -> str:
    return "✓" if work.passed else "○"


def _name(exercise: Exercise) -> str:
    return f"{exercise.id} {exercise.name}"


def _tale(exercise: Exercise, work: Work) -> str:
    told = [count(exercise.worth, "point") if work.passed else "open"]
    if work.attempts:
        told.append(count(work.attempts, "try", "tries"))
    if work.hints:
        told.append(count(work.hints, "hint"))
    if work.solution:
        told.append("solution seen first" if work.passed else "solution seen")
    return ", ".join(told)


def _table(rows: Sequence[Sequence[str]]) -> str:
    cells = [
        "".join(f"<td style='text-align:left;padding:1px 12px 1px 0'>{cell}</td>" for cell in row)
        for row in rows
    ]
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    return f"<table style='margin:2px 0'>{body}</table>"


def progress(lesson: str | None = None) -> Progress:
    """Show how far you are.

    Args:
        lesson: A lesson, such as ``"03"``, with what is still open in it; None for the course.

    Returns:
        The progress, which shows itself in a notebook and stays up to date there.

    Raises:
        UsageError: When there is no such lesson.
    """
    return Progress(journal(), None if lesson is None else pick(lesson, course()))


def progress_in(place: str | Path | None = None) -> Progress:
    """The progress that a learner's file holds, for whoever stands outside the notebooks.

    Args:
        place: The file, or a folder: that of the notebooks or the one above it. By default what
            ``LABKIT_PROGRESS`` names, or else the current folder.

    Returns:
        The progress across the course; ``str`` of it is its text.

    Raises:
        UsageError: When there is no such file.
    """
    if place is None:
        kept = journal()
        if kept.place is None or kept.place.exists():
            return Progress(kept)
        place = Path()
    start = Path(place)
    tried = [start] if start.is_file() else [start / PLACE, start / "notebooks" / PLACE]
    for file in tried:
        if file.is_file():
            return Progress(Journal(file))
    raise UsageError(
        f"there is no progress yet: {' and '.join(map(str, tried))} do not exist; the first check"
        " in a notebook makes one"
    )
