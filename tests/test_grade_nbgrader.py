"""The export for nbgrader, and what the real nbgrader makes of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from labkit.checks import check, exercises
from labkit.grade.nbgrader import BEGIN, END, solution
from tests.grading import SHIPPED, command

LESSON = "02_orchestrator_workers"


@pytest.mark.parametrize("id", exercises)
def test_a_solution_between_its_marks_is_the_reference_and_without_it_the_stub(id: str) -> None:
    exercise = exercises[id]
    source = solution(exercise)
    assert source.count(BEGIN) == source.count(END) == 1
    head = source[: source.index(BEGIN)] + "raise NotImplementedError()"
    for text, attempted in ((source, True), (head, False)):
        module = sys.modules[exercise.reference.__module__]
        space: dict[str, Any] = dict(vars(module))
        exec("from __future__ import annotations\n" + text, space)
        verdict = check(id, space[exercise.name])
        assert (verdict.passed, verdict.attempted) == (attempted, attempted)


def test_the_export_is_marked_and_graded_as_the_course_is(tmp_path: Path) -> None:
    done = command("nbgrader", SHIPPED / f"{LESSON}.ipynb", "--out", "course", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    path = tmp_path / "course" / "source" / LESSON / f"{LESSON}.ipynb"
    assert done.stdout.strip() == str(path.relative_to(tmp_path))
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    marks = [cell["metadata"]["nbgrader"] for cell in cells if "nbgrader" in cell["metadata"]]
    assert [(it["grade_id"], it["solution"], it.get("points")) for it in marks] == [
        ("exercise-2-1", True, None),
        ("check-2-1", False, 1),
        ("exercise-2-2", True, None),
        ("check-2-2", False, 2),
        ("exercise-2-3", True, None),
        ("check-2-3", False, 2),
    ]
    report = json.loads(command("grade", "course", "--format", "json", cwd=tmp_path).stdout)
    assert report["points"] == report["worth"] == 5


def test_what_is_none_of_the_course_is_not_exported(tmp_path: Path) -> None:
    (tmp_path / "mine.ipynb").write_text('{"cells": [], "nbformat": 4}')
    done = command("nbgrader", "mine.ipynb", "--out", "course", cwd=tmp_path)
    assert done.returncode == 2
    assert "no exercise of the course" in done.stderr


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the file is empty"),
        ("{", "no JSON"),
        ("[]", "no list of cells"),
        ('{"cells": [5]}', "not in order"),
        ('{"cells": [{}]}', "not in order"),
        ('{"cells": [{"cell_type": "code", "metadata": {"labkit": 3}}]}', "not in order"),
        ('{"cells": [{"cell_type": "code", "metadata": {"labkit": {"exercise": []}}}]}', "not in"),
    ],
)
def test_a_broken_notebook_is_a_usage_error(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "mine.ipynb").write_text(text)
    done = command("nbgrader", "mine.ipynb", "--out", "course", cwd=tmp_path)
    assert done.returncode == 2
    assert "mine.ipynb" in done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.long
def test_the_real_nbgrader_generates_and_grades_it(tmp_path: Path) -> None:
    program = os.environ.get("NBGRADER_COMMAND") or shutil.which("nbgrader")
    if program is None:
        pytest.skip(
            "nbgrader is not installed; NBGRADER_COMMAND may name one that has labkit beside it"
        )
    course = tmp_path / "course"
    done = command("nbgrader", SHIPPED / f"{LESSON}.ipynb", "--out", course, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (course / "nbgrader_config.py").write_text(
        'c = get_config()\nc.CourseDirectory.course_id = "course"\n'
        "c.ExecutePreprocessor.timeout = 120\n"
    )

    def nbgrader(*arguments: str) -> str:
        # It calls programs that were installed beside it.
        path = f"{Path(program).parent}{os.pathsep}{os.environ['PATH']}"
        ran = subprocess.run(
            [program, *arguments],
            cwd=course,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stderr

    nbgrader("generate_assignment", LESSON, "--create")
    released = course / "release" / LESSON / f"{LESSON}.ipynb"
    text = released.read_text(encoding="utf-8")
    assert BEGIN not in text
    assert "YOUR CODE HERE" in text
    source = course / "source" / LESSON / f"{LESSON}.ipynb"
    for student, notebook in (("solved", source), ("untouched", released)):
        folder = course / "submitted" / student / LESSON
        folder.mkdir(parents=True)
        shutil.copy(notebook, folder)
    nbgrader("autograde", LESSON)
    nbgrader("export")
    rows = (course / "grades.csv").read_text(encoding="utf-8").splitlines()
    columns = rows[0].split(",")
    scores = {
        row.split(",")[columns.index("student_id")]: float(row.split(",")[columns.index("score")])
        for row in rows[1:]
    }
    assert scores == {"solved": 5.0, "untouched": 0.0}
    report = json.loads(
        command("grade", course / "submitted", "--format=json", cwd=tmp_path).stdout
    )
    assert {it["learner"]: it["points"] for it in report["learners"]} == {
        "solved": 5,
        "untouched": 0,
    }
