"""`check`, `hint` and `solution`: the graders of the course, one module a lesson."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable
from typing import Any

from .. import journal
from ..errors import UsageError
from . import (
    lesson00,
    lesson01,
    lesson02,
    lesson03,
    lesson04,
    lesson05,
    lesson06,
    lesson07,
    lesson08,
)
from .cards import Hint, Solution
from .exercise import Exercise
from .judge import Bench, NotAttempted, NotYet, Player
from .places import ChildProcess, InProcess
from .verdict import Verdict

__all__ = [
    "ChildProcess",
    "Exercise",
    "Hint",
    "InProcess",
    "Player",
    "Solution",
    "Verdict",
    "check",
    "exercises",
    "hint",
    "judge",
    "solution",
]

exercises: dict[str, Exercise] = {
    exercise.id: exercise
    for lesson in (
        lesson00,
        lesson01,
        lesson02,
        lesson03,
        lesson04,
        lesson05,
        lesson06,
        lesson07,
        lesson08,
    )
    for exercise in lesson.EXERCISES
}
"""Every exercise of the course by its id, in the course's order."""

_hints_given: dict[str, int] = {}


def check(id: str, function: Callable[..., Any], *, seed: int = 0) -> Verdict:
    """Check a function against an exercise.

    It is run on a clock of its own, on which waiting takes no time, and judged by what it did.
    The verdict becomes a part of the learner's progress.

    Args:
        id: The exercise, such as ``"2.1"``.
        function: The function itself, not the result of a call.
        seed: Where the inputs are drawn from.

    Returns:
        The verdict; whatever the function raises becomes a part of it.

    Raises:
        UsageError: When there is no such exercise, or ``function`` is no function.
    """
    exercise = find(id)
    if not callable(function):
        raise UsageError(
            f"check needs the function itself: check({id!r}, {exercise.name}), without calling it;"
            f" this is {function!r:.80}"
        )
    note = ""
    if inspect.unwrap(function) is exercise.reference:
        note = (
            f"This is the reference from labkit.patterns, not yours, and earns no points. To check"
            f" your own {exercise.name}, run the cell that defines it again, then this one."
        )
    verdict = judge(exercise, InProcess(function), seed=seed, note=note)
    # The reference is not the learner's; what has another name is an experiment until it passes.
    own = getattr(function, "__name__", "") == exercise.name or verdict.passed
    if verdict.attempted and own and not note:
        journal.checked(id, passed=verdict.passed)
    return verdict


def judge(exercise: Exercise, player: Player, *, seed: int | str, note: str = "") -> Verdict:
    """Judge the function that a player runs.

    Args:
        exercise: What is asked for.
        player: The learner's end.
        seed: Where the inputs are drawn from.
        note: Whose function it is, where it is not the learner's: then it earns no points.

    Returns:
        The verdict.
    """
    bench = Bench(exercise.name, exercise.is_async, player, random.Random(f"{exercise.id}/{seed}"))

    def verdict(passed: bool, **told: Any) -> Verdict:
        points = exercise.worth if passed and not note else 0
        return Verdict(
            exercise.id,
            exercise.name,
            passed=passed,
            attempted=told.pop("attempted", True),
            points=points,
            worth=exercise.worth,
            **told,
        )

    try:
        exercise.grade(bench)
    except NotAttempted:
        return verdict(False, attempted=False, message=f'A first nudge: hint("{exercise.id}")')
    except NotYet as fault:
        return verdict(
            False,
            message=fault.message,
            wanted=fault.wanted,
            seen=fault.seen,
            pictures=fault.pictures,
            printed=fault.printed,
        )
    return verdict(True, attempted=not note, message=note)


def hint(id: str) -> Hint:
    """Give the next hint of an exercise: a nudge, then the approach, then nearly the code.

    Args:
        id: The exercise, such as ``"2.1"``.

    Raises:
        UsageError: When there is no such exercise.
    """
    exercise = find(id)
    step = min(_hints_given.get(id, 0), len(exercise.hints) - 1)
    _hints_given[id] = step + 1
    journal.hinted(id, step + 1)
    return Hint(id, step, exercise.hints[step])


def solution(id: str) -> Solution:
    """Show the reference solution of an exercise, and why it is so.

    Args:
        id: The exercise, such as ``"2.1"``.

    Raises:
        UsageError: When there is no such exercise.
    """
    exercise = find(id)
    journal.revealed(id)
    return Solution(exercise)


def find(id: str) -> Exercise:
    """The exercise of an id.

    Raises:
        UsageError: When there is none.
    """
    exercise = exercises.get(id) if isinstance(id, str) else None
    if exercise is None:
        mend = f'; write "{id}", in quotes' if str(id) in exercises else ""
        raise UsageError(f"there is no exercise {id!r}; there are {', '.join(exercises)}{mend}")
    return exercise
