"""What a grading found: one result, from which every format is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from .shipped import lessons

SCHEMA = 1
"""The version of the report's form; a new one where a reader of the old could go wrong."""

Status = Literal["passed", "failed", "not attempted", "missing", "not graded"]


@dataclass
class ExerciseResult:
    """The outcome of one exercise.

    Attributes:
        id: The exercise.
        name: The function it asks for.
        status: ``passed``; ``failed``; ``not attempted``, where the stub is still in place;
            ``missing``, where the notebook has no such function; ``not graded``, where the grading
            did not get that far.
        worth: Points it is worth.
        feedback: What to tell the learner.
        seconds: How long its check took, in real seconds.
        reference: Whether the answer is the reference solution itself.
        cell: The cell that holds it, counted from 1 over all cells.
    """

    id: str
    name: str
    status: Status
    worth: int
    feedback: str = ""
    seconds: float = 0.0
    reference: bool = False
    cell: int | None = None

    @property
    def passed(self) -> bool:
        """Whether it was solved."""
        return self.status == "passed"

    @property
    def attempted(self) -> bool:
        """Whether there is anything of the learner's."""
        return self.status in ("passed", "failed")

    @property
    def points(self) -> int:
        """Points earned."""
        return self.worth if self.passed else 0

    def as_json(self) -> dict[str, Any]:
        """As plain JSON."""
        derived = {"passed": self.passed, "attempted": self.attempted, "points": self.points}
        return {**asdict(self), **derived, "seconds": round(self.seconds, 4)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ExerciseResult:
        """From plain JSON."""
        return cls(**{name: data[name] for name in cls.__dataclass_fields__})


@dataclass
class NotebookResult:
    """The outcome of one notebook.

    Attributes:
        path: The notebook.
        learner: Whose it is.
        sha256: The hash of the file; empty where it could not be read, or was not handed in.
        lesson: The shipped notebook it comes from; None where that could not be told.
        exercises: Its exercises, in the course's order.
        problems: What else happened, a sentence each.
        seconds: How long it took, in real seconds.
    """

    path: str
    learner: str
    sha256: str = ""
    lesson: str | None = None
    exercises: list[ExerciseResult] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def points(self) -> int:
        """Points earned."""
        return sum(exercise.points for exercise in self.exercises)

    @property
    def worth(self) -> int:
        """Points to be had."""
        return sum(exercise.worth for exercise in self.exercises)

    def as_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "path": self.path,
            "learner": self.learner,
            "sha256": self.sha256,
            "lesson": self.lesson,
            "points": self.points,
            "worth": self.worth,
            "seconds": round(self.seconds, 4),
            "problems": self.problems,
            "exercises": [exercise.as_json() for exercise in self.exercises],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> NotebookResult:
        """From plain JSON."""
        exercises = [ExerciseResult.from_json(exercise) for exercise in data["exercises"]]
        names = ("path", "learner", "sha256", "lesson", "problems", "seconds")
        return cls(exercises=exercises, **{name: data[name] for name in names})


@dataclass
class LearnerTotal:
    """What one learner has; an exercise that stands in several notebooks counts once."""

    learner: str
    points: int
    worth: int


@dataclass
class Report:
    """The outcome of a grading.

    Attributes:
        version: The labkit that graded.
        seed: Where the inputs were drawn from; with it a verdict can be repeated.
        isolation: Which means of isolation were active.
        notebooks: The notebooks.
        complete: False where the grading was interrupted.
        seconds: How long it took, in real seconds.
        absent: The learners whose folders hold no notebook.
        lessons: The lessons that count; where it is empty, all that was handed in does.
    """

    version: str
    seed: str
    isolation: dict[str, bool]
    notebooks: list[NotebookResult] = field(default_factory=list)
    complete: bool = True
    seconds: float = 0.0
    absent: list[str] = field(default_factory=list)
    lessons: list[str] = field(default_factory=list)

    @property
    def counted(self) -> dict[str, dict[str, ExerciseResult]]:
        """Learner → exercise → the result that counts; who has no notebook comes last."""
        expected = {
            id for lesson in lessons() if lesson.name in self.lessons for id in lesson.exercises
        }
        best: dict[str, dict[str, ExerciseResult]] = {}
        for notebook in self.notebooks:
            mine = best.setdefault(notebook.learner, {})
            for exercise in notebook.exercises:
                if self.lessons and exercise.id not in expected:
                    continue
                known = mine.get(exercise.id)
                if known is None or exercise.points > known.points:
                    mine[exercise.id] = exercise
        for learner in self.absent:
            best.setdefault(learner, {})
        return best

    @property
    def learners(self) -> list[LearnerTotal]:
        """The totals of each learner, in the order of `counted`."""
        return [
            LearnerTotal(learner, _points(mine.values()), sum(it.worth for it in mine.values()))
            for learner, mine in self.counted.items()
        ]

    @property
    def points(self) -> int:
        """Points earned by all."""
        return sum(total.points for total in self.learners)

    @property
    def worth(self) -> int:
        """Points to be had by all."""
        return sum(total.worth for total in self.learners)

    def as_json(self) -> dict[str, Any]:
        """As plain JSON; its form is that of ``report.schema.json``."""
        return {
            "schema": SCHEMA,
            "labkit": self.version,
            "seed": self.seed,
            "complete": self.complete,
            **({"lessons": self.lessons} if self.lessons else {}),
            "isolation": self.isolation,
            "seconds": round(self.seconds, 4),
            "points": self.points,
            "worth": self.worth,
            "learners": [asdict(total) for total in self.learners],
            "notebooks": [notebook.as_json() for notebook in self.notebooks],
        }


def _points(exercises: Iterable[ExerciseResult]) -> int:
    return sum(exercise.points for exercise in exercises)
