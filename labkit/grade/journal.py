"""What was graded, on disk as soon as it is there, so that a grading can be taken up again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import __version__
from . import notebooks
from .notebooks import Submission, Unreadable
from .result import NotebookResult


def _place(path: str | Path) -> str:
    """Where a notebook lies, however its path was spelt."""
    return os.path.abspath(path)  # noqa: PTH100  # `resolve` would follow links


class Journal:
    """A file of results, a line each.

    Args:
        path: The file.
        resume: Whether to take up what it holds; otherwise it begins anew.
    """

    def __init__(self, path: Path, *, resume: bool) -> None:
        self.path = path
        """The file."""
        self.seed: str | None = None
        """The seed of the grading that is taken up; None where none is."""
        self._known: dict[str, NotebookResult] = {}
        if resume:
            self._load()

    def _load(self) -> None:
        lines: list[dict[str, Any]] = []
        with contextlib.suppress(OSError, UnicodeDecodeError):
            for line in self.path.read_text(encoding="utf-8").splitlines():
                with contextlib.suppress(ValueError):  # the last one may be half a line
                    lines.append(json.loads(line))
        # What another version found may not be what this one would.
        if not lines or lines[0].get("labkit") != __version__:
            return
        self.seed = lines[0]["seed"]
        for entry in lines[1:]:
            with contextlib.suppress(KeyError, TypeError):
                result = NotebookResult.from_json(entry)
                self._known[_place(result.path)] = result

    def begin(self, seed: str) -> None:
        """Write the head, and again what was taken up.

        Raises:
            OSError: When the file cannot be written.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        head = {"labkit": __version__, "seed": seed}
        lines = [head, *(result.as_json() for result in self._known.values())]
        new = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        new.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        new.replace(self.path)

    def known(self, submission: Submission) -> NotebookResult | None:
        """What was found of a notebook before; None where there is nothing, or it has changed."""
        result = self._known.get(_place(submission.path))
        if result is None or result.learner != submission.learner or not result.sha256:
            return None
        # What could not be graded may be for want of a worker, and is tried again.
        if not result.exercises:
            return None
        try:
            now = hashlib.sha256(notebooks.contents(submission.path)).hexdigest()
        except Unreadable:
            return None
        return replace(result, path=str(submission.path)) if now == result.sha256 else None

    def keep(self, result: NotebookResult) -> None:
        """Add a result."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(result.as_json()) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def end(self) -> None:
        """Remove the file: the grading is through."""
        self.path.unlink(missing_ok=True)
