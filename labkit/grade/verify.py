"""Is a completion record true? Whoever has the notebooks can say: they are graded once more."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import UsageError
from . import notebooks
from .notebooks import Unreadable
from .pool import grade
from .result import SCHEMA, NotebookResult, Report
from .sandbox import Limits


def verify(
    record: Path, paths: Sequence[Path], *, jobs: int | None = None, limits: Limits | None = None
) -> list[str]:
    """Grade notebooks again and compare with a record.

    Once with the record's seed, which has to give the same verdicts; once with a seed that nobody
    knew, since whoever wrote the record knew its own.

    Args:
        record: A report of ``labkit grade --format json``.
        paths: The notebooks it is about, or folders that hold them.
        jobs: How many notebooks to grade at once.
        limits: What one submission may use.

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
    by_hash: dict[str, Path] = {}
    unreadable = set()
    for submission in notebooks.find(paths):
        try:
            data = submission.contents()
        except Unreadable:
            unreadable.add(submission.path.name)
            continue
        by_hash.setdefault(hashlib.sha256(data).hexdigest(), submission.path)
    wanted = []
    for entry in told["notebooks"]:
        path = by_hash.get(entry["sha256"])
        if not entry["sha256"]:
            if entry["exercises"]:
                faults.append(f"{entry['path']}: it gives verdicts, and no hash of what was graded")
            elif Path(entry["path"]).name not in unreadable:
                faults.append(f"{entry['path']}: none that cannot be read has this name")
        elif path is None:
            faults.append(f"{entry['path']}: none of the notebooks has the hash it gives")
        else:
            wanted.append((entry, path))
    if wanted:
        files = list(dict.fromkeys(path for _, path in wanted))
        for seed, whose in ((told["seed"], "its own"), (secrets.token_hex(8), "another")):
            report = grade(files, seed=seed, jobs=jobs, limits=limits)
            if not report.complete:
                raise KeyboardInterrupt
            faults += _compare(wanted, report, whose)
    faults += _totals(told)
    return faults


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
        for notebook in told["notebooks"]:
            NotebookResult.from_json(notebook)
            for key in ("sha256", "path"):
                if not isinstance(notebook[key], str):
                    raise TypeError(key)
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
    return faults


def _totals(told: Mapping[str, Any]) -> list[str]:
    results = [NotebookResult.from_json(notebook) for notebook in told["notebooks"]]
    report = Report(told["labkit"], told["seed"], {}, results)
    said = (told.get("points"), told.get("worth"))
    if said == (report.points, report.worth):
        return []
    sums = f"{report.points} of {report.worth}"
    return [f"its totals, {said[0]} of {said[1]}, are not those of its verdicts, {sums}"]
