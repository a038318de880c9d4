"""What each learner was to hand in, and did not."""

from __future__ import annotations

from ..checks import exercises as course
from .result import ExerciseResult, NotebookResult, Report
from .shipped import lessons


def not_handed_in(report: Report) -> list[NotebookResult]:
    """The lessons that count and are not among a learner's notebooks, as results without a file.

    Args:
        report: What was handed in, and the lessons that count.
    """
    found = []
    for learner in [total.learner for total in report.learners]:
        theirs = [notebook for notebook in report.notebooks if notebook.learner == learner]
        held = {exercise.id for notebook in theirs for exercise in notebook.exercises}
        unsure = any(not notebook.exercises for notebook in theirs)
        for lesson in lessons():
            missing = [
                ExerciseResult(id, course[id].name, "missing", course[id].worth, "Not handed in.")
                for id in lesson.exercises
                if id not in held
            ]
            if lesson.name in report.lessons and missing:
                result = NotebookResult(f"{learner}/{lesson.name}.ipynb", learner)
                result.lesson = lesson.name
                result.exercises = missing
                result.problems = [
                    "not handed in, unless it is a notebook that could not be graded."
                    if unsure
                    else "not handed in."
                ]
                found.append(result)
    return found
