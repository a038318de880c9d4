"""Grading whole notebooks: the judge stands outside, the learner's code can only answer.

::

    pool ── forks a judge for each notebook ── judging ── children ── learner (in its sandbox)
                                                  │
                                          labkit.checks, as in the notebook

With a cluster, `cluster` sends each notebook to a `station` on one of its machines, which does
there what `pool` does here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .notebooks import find
    from .pool import grade
    from .result import ExerciseResult, LearnerTotal, NotebookResult, Report
    from .sandbox import Limits
    from .verify import verify

_HOMES = {
    "ExerciseResult": "result",
    "LearnerTotal": "result",
    "Limits": "sandbox",
    "NotebookResult": "result",
    "Report": "result",
    "find": "notebooks",
    "grade": "pool",
    "verify": "verify",
}

__all__ = [
    "ExerciseResult",
    "LearnerTotal",
    "Limits",
    "NotebookResult",
    "Report",
    "find",
    "grade",
    "verify",
]


def __getattr__(name: str) -> Any:
    # Loaded when first used: `labkit --help` needs no grader, and a submission no judge.
    if name not in _HOMES:
        raise AttributeError(f"labkit.grade has no {name!r}; it offers {', '.join(__all__)}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
