"""The course as nbgrader's source notebooks: ``nbgrader generate_assignment`` takes it from here.

The marks that nbgrader's metadata asks for are those of its schema 3. Its verdicts come from the
learner's own kernel and can be forged there; those of `labkit grade` cannot.
"""

from __future__ import annotations

import ast
import base64
import inspect
import json
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..checks import Exercise
from ..checks import exercises as course
from ..errors import UsageError
from . import notebooks
from .notebooks import Unreadable

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"


def export(paths: Sequence[Path], out: Path) -> list[Path]:
    """Write source notebooks for nbgrader, each an assignment of its own.

    Args:
        paths: The shipped notebooks, or the folder that holds them.
        out: nbgrader's course directory.

    Returns:
        The notebooks written, ``source/NAME/NAME.ipynb`` in the course directory.

    Raises:
        UsageError: When a path holds no notebook, or one that cannot be read or is not the
            course's.
    """
    found = [submission.path for submission in notebooks.find(paths)]
    written = []
    for path in found:
        try:
            data = notebooks.contents(path)
            notebooks.read(data, path.name)
            content = json.loads(data)
            cells = _cells(content["cells"])
        except Unreadable as error:
            raise UsageError(f"{path} cannot be exported: {error}") from None
        except (AttributeError, KeyError, TypeError, ValueError):
            raise UsageError(
                f"{path} is no notebook as the course ships it: its cells are not in order"
            ) from None
        if not cells:
            raise UsageError(f"{path} holds no exercise of the course")
        content["cells"] = cells
        target = out / "source" / path.stem / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        for name, encoded in notebooks.beside(path, found).items():
            file = target.parent / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(base64.b64decode(encoded))
        text = json.dumps(content, indent=1, ensure_ascii=False)
        target.write_text(text + "\n", encoding="utf-8")
        written.append(target)
    return written


def _cells(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The cells with nbgrader's marks; none where none is an exercise's."""
    marked, current, graded = [], None, set()
    for cell in cells:
        cell = {**cell, "metadata": dict(cell["metadata"])}
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
            id = cell["metadata"].get("labkit", {}).get("exercise")
            if id in course:
                current = course[id]
                cell["source"] = solution(current)
                cell["metadata"]["nbgrader"] = _marks(f"exercise-{id}", solution=True)
            elif current and "check" in cell["metadata"].get("tags", []):
                id = current.id
                cell["source"] = (
                    f'verdict = check("{id}", {current.name})\n'
                    "display(verdict)\n"
                    "assert verdict.passed, verdict.headline"
                )
                cell["metadata"]["nbgrader"] = _marks(
                    f"check-{id}", grade=True, locked=True, points=current.worth
                )
                graded.add(id)
                current = None
        marked.append(cell)
    return marked if graded else []


def solution(exercise: Exercise) -> str:
    """A reference solution with nbgrader's marks around what the learner has to write."""
    source = textwrap.dedent(inspect.getsource(exercise.reference)).rstrip()
    [function] = notebooks.functions(source)
    first = function.body[0]
    told = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    body = function.body[1] if told else first
    lines = source.splitlines()
    head, rest = lines[: first.lineno - 1], lines[body.lineno - 1 :]
    sentence = " ".join((ast.get_docstring(function) or "").split()).split(". ")[0].rstrip(".")
    return "\n".join([*head, f'    """{sentence}."""', f"    {BEGIN}", *rest, f"    {END}"])


def _marks(grade_id: str, **what: bool | int) -> dict[str, Any]:
    plain = {"grade": False, "locked": False, "solution": False, "task": False}
    return {"schema_version": 3, "grade_id": grade_id.replace(".", "-"), **plain, **what}
