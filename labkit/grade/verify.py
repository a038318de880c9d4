"""Is a completion record true? Whoever has the notebooks can say: they are graded once more."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import UsageError
from . import notebooks
from .expected import not_handed_in
from .notebooks import Submission, Unreadable
from .pool import grade
from .result import SCHEMA, NotebookResult, Report
from .sandbox import Limits


def verify(
    record: Path,
    paths: Sequence[Path],
    *,
    jobs: int | None = None,
    limits: Limits | None = None,
    unnamed: Callable[[Submission], None] = lambda _: None,
) -> list[str]:
    """Grade notebooks again and compare with a record.

    Once with the record's seed, which has to give the same verdicts; once with a seed that nobody
    knew, since whoever wrote the record knew its own.

    Args:
        record: A report of ``labkit grade --format json``.
        paths: The notebooks it is about, or folders that hold them; whose they are is told by
            their folders, as it was for the record.
        jobs: How many notebooks to grade at once.
        limits: What one submission may use.
        unnamed: Told of each notebook that the record leaves out, which does not make it untrue.

    Returns:
        What is not true in it, a sentence each; nothing where all is.

    Raises:
        UsageError: When the record is none, or a notebook cannot be found.
    """
    told = _load(record)
    faults = []
    if told["labkit"] != __version__:
        faults.append(
            f"it was made by labkit {told['labkit']} and this is {__version__}: install that one"
            " to compare verdicts"
        )
    if not told["complete"]:
        faults.append("it is of a grading that was interrupted")
    there = notebooks.look(paths)
    entries = [it for it in told["notebooks"] if it["sha256"] or not it["exercises"]]
    wanted, named, untrue = _match(entries, there.submissions)
    faults += untrue
    for submission in there.submissions:
        if submission.path not in named:
            unnamed(submission)
    if wanted:
        files = list(dict.fromkeys(path for _, path in wanted))
        for seed, whose in ((told["seed"], "its own"), (secrets.token_hex(8), "another")):
            report = grade(files, seed=seed, jobs=jobs, limits=limits)
            if not report.complete:
                raise KeyboardInterrupt
            faults += _compare(wanted, report, whose)
    # Both seeds may find the same.
    return list(dict.fromkeys(faults + _totals(told, there.absent)))


def _load(record: Path) -> dict[str, Any]:
    try:
        told = json.loads(record.read_text(encoding="utf-8"))
        if told["schema"] != SCHEMA:
            raise UsageError(
                f"{record} has the form {told['schema']!r}; this labkit reads {SCHEMA}"
            )
        for key in ("labkit", "seed"):
            if not isinstance(told[key], str):
                raise TypeError(key)
        _ = told["complete"]
        if not isinstance(told.get("lessons", []), list):
            raise TypeError("lessons")
        for notebook in told["notebooks"]:
            NotebookResult.from_json(notebook)
            for key in ("sha256", "path", "learner"):
                if not isinstance(notebook[key], str):
                    raise TypeError(key)
        for total in told["learners"]:
            if not isinstance(total["learner"], str):
                raise TypeError("learner")
            _ = total["points"], total["worth"]
        if not told["notebooks"]:
            raise TypeError("notebooks")
    except OSError as error:
        raise UsageError(f"{record} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(
            f"{record} is no record: it has to be written by `labkit grade --format json`"
        ) from None
    record_of: dict[str, Any] = told
    return record_of


def _match(
    entries: Sequence[Mapping[str, Any]], submissions: Sequence[Submission]
) -> tuple[list[tuple[Mapping[str, Any], Path]], set[Path], list[str]]:
    """Find the notebooks of a record.

    Returns:
        What can be graded again, with what the record says of it; every notebook that the record
        is about; what is not true so far.
    """
    by_hash: dict[str, list[Submission]] = {}
    for submission in submissions:
        try:
            hash = hashlib.sha256(submission.contents()).hexdigest()
        except Unreadable:
            hash = ""
        by_hash.setdefault(hash, []).append(submission)
    wanted: list[tuple[Mapping[str, Any], Path]] = []
    faults = []
    named: set[Path] = set()
    # Who made a record of their own work did so in another folder than it is verified in.
    several = len({entry["learner"] for entry in entries}) > 1
    for entry in entries:
        found = by_hash.get(entry["sha256"], [])
        if not entry["sha256"]:
            found = [it for it in found if it.path.name == Path(entry["path"]).name]
        if not found:
            faults.append(
                f"{entry['path']}: none of the notebooks has the hash it gives"
                if entry["sha256"]
                else f"{entry['path']}: none that cannot be read has this name"
            )
            continue
        # Files that are alike may be several learners'.
        theirs = [it for it in found if it.learner == entry["learner"]]
        unused = [it for it in theirs or found if it.path not in named]
        submission = (unused or theirs or found)[0]
        named.add(submission.path)
        if not theirs and several:
            faults.append(
                f"{entry['path']}: it says that this is {entry['learner']}'s; by its folder,"
                f" {submission.path} is {submission.learner}'s"
            )
        if entry["sha256"]:
            wanted.append((entry, submission.path))
    return wanted, named, faults


def _compare(
    wanted: Sequence[tuple[Mapping[str, Any], Path]], report: Report, whose: str
) -> list[str]:
    faults = []
    found = {result.path: result for result in report.notebooks}
    for entry, path in wanted:
        now = {exercise.id: exercise.status for exercise in found[str(path)].exercises}
        said = {exercise["id"]: exercise["status"] for exercise in entry["exercises"]}
        faults += [
            (
                f"{entry['path']}, {id}: it says {said.get(id, 'nothing')}; graded with"
                f" {whose} seed it is {now.get(id, 'not there')}"
            )
            for id in sorted(now.keys() | said.keys())
            if now.get(id) != said.get(id)
        ]
        again = {exercise.id: exercise for exercise in found[str(path)].exercises}
        faults += [
            f"{entry['path']}, {exercise['id']}: it says that its {key} is {exercise[key]}, and it"
            f" is {getattr(again[exercise['id']], key)}"
            for exercise in entry["exercises"]
            if now.get(exercise["id"]) == exercise["status"]
            for key in ("worth", "reference")
            if exercise[key] != getattr(again[exercise["id"]], key)
        ]
    return faults


def _totals(told: Mapping[str, Any], absent: Sequence[str]) -> list[str]:
    results = [NotebookResult.from_json(notebook) for notebook in told["notebooks"]]
    said_of = {it["learner"]: (it["points"], it["worth"]) for it in told["learners"]}
    report = Report(
        told["labkit"],
        told["seed"],
        {},
        [it for it in results if it.sha256 or not it.exercises],
        absent=[learner for learner in said_of if learner in absent],
        lessons=told.get("lessons", []),
    )
    missing = not_handed_in(report)
    faults = []
    if [it for it in results if it.exercises and not it.sha256] != missing:
        faults.append(
            "it gives verdicts without a hash that are not those of what was not handed in"
        )
    report.notebooks += missing
    said = (told.get("points"), told.get("worth"))
    if said != (report.points, report.worth):
        sums = f"{report.points} of {report.worth}"
        faults.append(f"its totals, {said[0]} of {said[1]}, are not those of its verdicts, {sums}")
    sums_of = {it.learner: (it.points, it.worth) for it in report.learners}
    for learner in sorted(sums_of.keys() | said_of.keys()):
        if learner not in sums_of:
            faults.append(f"it names {learner}, who has no notebook in it")
        elif said_of.get(learner) != sums_of[learner]:
            faults.append(f"what it gives {learner} in all is not the sum of the verdicts")
    return faults
