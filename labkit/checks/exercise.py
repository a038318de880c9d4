"""What an exercise is: its function, its grader, its hints, and why the reference is so."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .judge import Bench

Grader = Callable[[Bench], None]


@dataclass(frozen=True)
class Exercise:
    """One graded exercise.

    Attributes:
        id: Its number, such as ``"2.1"``.
        name: The function the learner defines; the reference has the same name.
        grade: Runs the learner's function and raises `NotYet` where it is not right.
        hints: A nudge, the approach, and nearly the code.
        why: Why the reference is as it is.
        worth: The points it is worth.
    """

    id: str
    name: str
    grade: Grader
    hints: tuple[str, str, str]
    why: str
    worth: int = 1

    @property
    def reference(self) -> Callable[..., Any]:
        """The finished function, from `labkit.patterns`."""
        from .. import patterns

        function: Callable[..., Any] = getattr(patterns, self.name)
        return function

    @property
    def is_async(self) -> bool:
        """Whether the learner's function is awaited."""
        return inspect.iscoroutinefunction(self.reference)
