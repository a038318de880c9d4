"""The learner's progress: a small file that stays with the learner.

It lies next to the notebooks, in ``.labkit/progress.json``; ``LABKIT_PROGRESS`` sets another place,
and ``LABKIT_PROGRESS=off`` keeps the progress in memory. It holds what was solved, tried and
guessed, and nothing else. Every change is made on what the file holds at that moment, under a lock,
so that two notebooks may write at once; one that cannot be written waits for the next.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import math
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

VERSION = 1
"""The version of the file's form; a file of a higher one is left alone."""

PLACE = Path(".labkit") / "progress.json"
"""Where the file lies, seen from the notebook's folder, unless ``LABKIT_PROGRESS`` is set."""

NEWER = "was written by a later labkit: update labkit to go on with it"

PATIENCE = 1.0
"""Real seconds to wait for another notebook that is writing."""


@dataclass
class Work:
    """What the learner did on one exercise.

    Attributes:
        attempts: Checks of something other than the stub.
        passed: The day of the first check that passed, as ``2026-11-28``; None before that.
        hints: How many of its hints were opened.
        solution: Whether the solution was seen before a check passed.
    """

    attempts: int = 0
    passed: str | None = None
    hints: int = 0
    solution: bool = False


@dataclass
class Guess:
    """One prediction, and what turned out to be true: two numbers, or two choices."""

    guess: float | str
    truth: float | str

    @property
    def error(self) -> float | None:
        """How far off a number was, relative to the truth; None where a choice was made."""
        if isinstance(self.guess, str) or isinstance(self.truth, str):
            return None
        return relative_error(self.guess, self.truth)


def relative_error(guess: float, truth: float) -> float:
    """How far a guess is from the truth, relative to the truth; of a truth of 0, 0 or 1."""
    if truth == 0:
        return float(guess != 0)
    return abs(guess - truth) / abs(truth)


@dataclass
class Record:
    """All that is kept.

    Attributes:
        exercises: The work on each exercise, by its id.
        questions: Whether each self-check question was answered right at the first try, by its id.
        predictions: The guess and the truth for each question, in the order they were made.
    """

    exercises: dict[str, Work] = field(default_factory=dict)
    questions: dict[str, bool] = field(default_factory=dict)
    predictions: dict[str, Guess] = field(default_factory=dict)

    def dumps(self) -> str:
        """The text of the file."""
        return json.dumps({"labkit_progress": VERSION, **asdict(self)}, indent=1) + "\n"

    @classmethod
    def loads(cls, text: str) -> Record:
        """Read the text of a file.

        Raises:
            Newer: When a later labkit wrote it.
            ValueError: When it is no progress file, or is damaged.
        """
        try:
            return cls._of(json.loads(text))
        except (RecursionError, OverflowError) as error:
            raise ValueError("it is damaged") from error

    @classmethod
    def _of(cls, data: Any) -> Record:
        if not isinstance(data, dict) or type(version := data.get("labkit_progress")) is not int:
            raise ValueError("it is no progress file")
        if version > VERSION:
            raise Newer
        return cls(
            {id: _work(entry) for id, entry in _object(data, "exercises")},
            {id: _typed(entry, bool) for id, entry in _object(data, "questions")},
            {id: _guess(entry) for id, entry in _object(data, "predictions")},
        )


class Newer(ValueError):
    """A file that a later labkit wrote."""


Change: TypeAlias = Callable[[Record], None]


def _object(data: dict[str, Any], key: str) -> list[tuple[str, Any]]:
    part = data.get(key, {})
    if not isinstance(part, dict):
        raise ValueError(f"its {key} are damaged")
    return list(part.items())


def _typed(value: Any, wanted: type) -> Any:
    # A bool is an int to isinstance, and no count.
    if type(value) is not wanted:
        raise ValueError(f"{value!r:.40} is no {wanted.__name__}")
    return value


def _work(entry: Any) -> Work:
    entry = _typed(entry, dict)
    passed = entry.get("passed")
    if passed is not None:
        dt.date.fromisoformat(_typed(passed, str))
    return Work(
        max(0, _typed(entry.get("attempts", 0), int)),
        passed,
        max(0, _typed(entry.get("hints", 0), int)),
        _typed(entry.get("solution", False), bool),
    )


def _guess(entry: Any) -> Guess:
    entry = _typed(entry, dict)
    pair = [entry.get("guess"), entry.get("truth")]
    numbers = all(type(value) in (int, float) and math.isfinite(value) for value in pair)
    if not numbers and not all(isinstance(value, str) for value in pair):
        raise ValueError("a prediction is damaged")
    return Guess(*pair)


class Journal:
    """Keeps a `Record`, in a file or in memory.

    Args:
        place: The file; None for memory alone.
    """

    def __init__(self, place: Path | None) -> None:
        self.place = place
        self._trouble = ""
        self._aside = ""
        self._memory = Record()
        self._waiting: list[Change] = []

    @property
    def note(self) -> str:
        """What is or was wrong with the file, in one line; empty where nothing was."""
        return self._trouble or self._aside

    def read(self) -> Record:
        """What is kept by now; an empty record where there is nothing that can be read."""
        if self.place is None:
            return self._memory
        try:
            record = self._load(self.place)
        except Newer:
            self._remark(NEWER)
            record = Record()
        except ValueError:
            self._trouble = f"{_shown(self.place)} cannot be read; the next change sets it aside"
            record = Record()
        except OSError as error:
            self._remark(f"cannot be read ({_reason(error)})")
            record = Record()
        for change in self._waiting:
            change(record)
        return record

    def update(self, change: Change) -> None:
        """Change what is kept, and tell whoever shows it.

        Nothing that is wrong with the file is raised: the change then waits in memory and is
        written with the next one, and `note` says what is wrong.
        """
        if self.place is None:
            change(self._memory)
        else:
            self._waiting.append(change)
            try:
                self._save(self.place)
            except Newer:
                self._remark(NEWER)
            except (OSError, ValueError) as error:
                self._remark(f"cannot be written ({_reason(error)})")
            else:
                self._waiting.clear()
                self._trouble = ""
        for shown in tuple(_watchers):
            shown()

    def _remark(self, what: str) -> None:
        self._trouble = f"{_shown(self.place)} {what}; progress is kept in memory for now"

    def _load(self, place: Path) -> Record:
        try:
            text = place.read_text(encoding="utf-8")
        except FileNotFoundError:
            return Record()
        return Record.loads(text)

    def _save(self, place: Path) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        with _locked(place.with_name(place.name + ".lock")):
            try:
                record = self._load(place)
            except Newer:
                raise
            except ValueError:
                record = Record()
                aside = _set_aside(place)
                self._aside = f"{_shown(place)} could not be read and is kept as {aside.name}"
            for change in self._waiting:
                change(record)
            _replace(place, record.dumps())


_journals: dict[str, Journal] = {}
OFF = ("off", "0", "no", "none", "false")
"""Values of ``LABKIT_PROGRESS`` that name no file."""

_watchers: list[Callable[[], None]] = []


def journal() -> Journal:
    """The journal of this notebook: in the file that ``LABKIT_PROGRESS`` names, or beside it."""
    setting = os.environ.get("LABKIT_PROGRESS", "").strip()
    if setting not in _journals:
        place: Path | None = None
        if setting.lower() not in OFF:
            # No home and no folder, as when that was deleted, leaves memory.
            with contextlib.suppress(OSError, RuntimeError):
                place = Path.cwd() / (Path(setting).expanduser() if setting else PLACE)
        # A notebook that changes its folder later still writes where it began.
        _journals[setting] = Journal(place)
    return _journals[setting]


def watch(shown: Callable[[], None]) -> Callable[[], None]:
    """Have something called after each change.

    Args:
        shown: What to call, without arguments.

    Returns:
        What ends it.
    """
    _watchers.append(shown)

    def end() -> None:
        with contextlib.suppress(ValueError):
            _watchers.remove(shown)

    return end


# What happens to a learner


def checked(id: str, *, passed: bool) -> None:
    """Note a check of an exercise that was attempted."""
    day = dt.datetime.now().astimezone().date().isoformat()

    def change(record: Record) -> None:
        work = record.exercises.setdefault(id, Work())
        work.attempts += 1
        if passed and work.passed is None:
            work.passed = day

    journal().update(change)


def hinted(id: str, hints: int) -> None:
    """Note that an exercise's first ``hints`` hints are open."""

    def change(record: Record) -> None:
        work = record.exercises.setdefault(id, Work())
        work.hints = max(work.hints, hints)

    journal().update(change)


def revealed(id: str) -> None:
    """Note that an exercise's solution was seen, unless it had been solved before."""

    def change(record: Record) -> None:
        work = record.exercises.setdefault(id, Work())
        work.solution = work.solution or work.passed is None

    journal().update(change)


def answered(question: str, *, right: bool) -> None:
    """Note the first answer to a self-check question; later ones change nothing."""

    def change(record: Record) -> None:
        record.questions.setdefault(question, right)

    journal().update(change)


def guessed(question: str, guess: float | str, truth: float | str) -> None:
    """Note a prediction beside the truth; whoever knows the truth guesses no more."""

    def change(record: Record) -> None:
        record.predictions.setdefault(question, Guess(guess, truth))

    journal().update(change)


# The file


@contextlib.contextmanager
def _locked(place: Path) -> Iterator[None]:
    """Hold a lock among the notebooks of this machine.

    Raises:
        TimeoutError: When another one holds it for longer than `PATIENCE`.
    """
    try:
        import fcntl
    except ImportError:  # Windows: each write still replaces the file as a whole
        yield
        return
    with place.open("a") as file:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise TimeoutError("another notebook holds it") from None
                time.sleep(0.01)
            except OSError:
                break  # a file system without locks
            else:
                break
        yield


def _replace(place: Path, text: str) -> None:
    """Write a file in one step: whoever reads it sees the old text or the new one."""
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=".progress-", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(place)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _set_aside(place: Path) -> Path:
    """Give a file that cannot be read another name; the new name."""
    number = 1
    while (aside := place.with_name(f"{place.name}.unread-{number}")).exists():
        number += 1
    return place.rename(aside)


def _shown(place: Path | None) -> str:
    # Outputs are shared and stored: no path of the learner's machine.
    return "the progress file" if place is None else f"the progress file {place.name}"


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
