"""What holds for every notebook of the course, as shipped and solved; nbval runs the cells."""

from __future__ import annotations

import ast
import base64
import io
import itertools
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from labkit.checks import exercises
from tools import notebooks

SHIPPED = notebooks.shipped_paths()
ALL = [*SHIPPED, *(notebooks.solved_path(path) for path in SHIPPED)]

LINES = 15
"""The most lines of a code cell that holds no exercise."""

EXEMPT = 2
"""The most cells of a notebook that nbval does not compare."""

each_shipped = pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
each = pytest.mark.parametrize("path", ALL, ids=lambda path: f"{path.parent.name}/{path.stem}")


def lesson_of(path: Path) -> str:
    return str(int(path.stem.partition("_")[0]))


def cells_of(path: Path) -> list[Any]:
    return notebooks.code_cells(notebooks.read(path))


def checked_id(cell: Any) -> str | None:
    """The exercise that a cell checks, if any."""
    found = re.search(r"""\bcheck\(\s*["']([\d.]+)["']""", cell.source)
    return found[1] if found else None


def test_there_are_notebooks() -> None:
    assert SHIPPED


def test_no_solved_copy_is_left_over() -> None:
    assert notebooks.orphans() == []


@each_shipped
def test_it_and_its_copy_are_as_a_build_leaves_them(path: Path) -> None:
    faults = notebooks.check(path, notebooks.course_references())
    assert not faults, "\n".join(faults)


@each
def test_few_cells_are_exempt_from_comparison(path: Path) -> None:
    exempt = [c for c in cells_of(path) if "nbval-ignore-output" in c.metadata.get("tags", [])]
    assert len(exempt) <= EXEMPT


@each
def test_its_links_lead_somewhere(path: Path) -> None:
    for cell in notebooks.read(path).cells:
        if cell.cell_type == "markdown":
            for link in re.findall(r"\]\((?!#|[a-z]+:)([^)#\s]+)", cell.source):
                assert (path.parent / link).exists(), f"{link} in: {cell.source}"


# On a code host nothing runs: what is stored is all that a reader sees.


def shown(path: Path) -> list[dict[str, Any]]:
    """What the cells of a notebook show, by type of medium."""
    return [output.data for cell in cells_of(path) for output in cell.outputs if "data" in output]


@each
def test_its_pictures_are_stored_and_each_is_told_in_words(path: Path) -> None:
    pictures = [data for data in shown(path) if "image/png" in data]
    assert len(pictures) >= 3
    for data in pictures:
        picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
        assert len(picture.convert("RGB").getcolors(picture.width * picture.height)) > 2, "blank"
        assert len(data["text/plain"].split()) >= 3, data["text/plain"]


@each
def test_what_it_shows_does_not_need_a_kernel(path: Path) -> None:
    """What a widget or a page's script would draw is there as text besides."""
    for data in shown(path):
        assert set(data) <= {"text/plain", "text/html", "text/markdown", "image/png"}
        assert not re.match(r"<.*>$|\w+\(children=", data["text/plain"]), data["text/plain"]
        assert "<script" not in data.get("text/html", "")


@each
def test_the_verdict_of_every_exercise_is_stored(path: Path) -> None:
    wanted = "✓ {}" if path.parent.name == "solutions" else "○ {}"
    cells = cells_of(path)
    for cell, below in itertools.pairwise(cells):
        if id := notebooks.exercise_id(cell):
            [verdict] = [output.data["text/plain"] for output in below.outputs]
            assert verdict.startswith(wanted.format(id)), verdict


@each_shipped
def test_its_code_cells_are_short(path: Path) -> None:
    long = [
        cell.source
        for cell in cells_of(path)
        if not notebooks.exercise_id(cell) and len(cell.source.splitlines()) > LINES
    ]
    assert not long, f"over {LINES} lines:\n" + "\n---\n".join(long)


@each_shipped
def test_its_stubs_say_what_the_references_say(path: Path) -> None:
    for cell in cells_of(path):
        if id := notebooks.exercise_id(cell):
            assert cell.source == notebooks.stub(exercises[id].reference), f"the stub of {id}"


@each_shipped
def test_a_check_stands_directly_under_each_exercise(path: Path) -> None:
    cells = notebooks.read(path).cells
    for cell, below in zip(cells, [*cells[1:], None], strict=True):
        if id := notebooks.exercise_id(cell):
            assert below is not None, f"{id} is the last cell"
            assert checked_id(below) == id, f"under {id} stands: {below.source}"


@each_shipped
def test_it_holds_every_exercise_of_its_lesson_once_and_in_order(path: Path) -> None:
    held = [id for cell in cells_of(path) if (id := notebooks.exercise_id(cell))]
    assert held == [id for id in exercises if id.partition(".")[0] == lesson_of(path)]


@each
def test_nothing_is_built_on_what_the_learner_wrote(path: Path) -> None:
    """Only an exercise's own check and a cell tagged ``try-it`` may use the learner's function."""
    names = {id: exercise.name for id, exercise in exercises.items()}
    learners: set[str] = set()
    for cell in cells_of(path):
        tree = ast.parse(cell.source, mode="exec")
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                learners -= {alias.asname or alias.name for alias in node.names}
        used = {
            node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        }
        # A parameter of the same name, such as the gate handed to 4.3, is not the learner's.
        used -= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
        allowed = set()
        if checks := checked_id(cell):
            allowed = {names[checks]}
        elif "try-it" in cell.metadata.get("tags", []):
            allowed = learners
        elif id := notebooks.exercise_id(cell):
            learners.add(names[id])
            allowed = {names[id]}
        assert not (used & learners) - allowed, f"the learner's own is used in:\n{cell.source}"


def stays_scripted(call: ast.Call) -> bool:
    """Whether a call says `live=False`."""
    return any(
        word.arg == "live" and isinstance(word.value, ast.Constant) and word.value.value is False
        for word in call.keywords
    )


@each
def test_what_stays_scripted_in_a_live_session_is_tagged(path: Path) -> None:
    """`live=False` stands in each `connect` of a cell tagged ``scripted-only``, and in no other."""
    for cell in cells_of(path):
        tagged = "scripted-only" in cell.metadata.get("tags", [])
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "connect":
                assert stays_scripted(node) == tagged, cell.source


@pytest.mark.parametrize("id", exercises)
def test_every_exercise_has_three_hints_and_a_reason(id: str) -> None:
    exercise = exercises[id]
    assert exercise.id == id
    assert len(exercise.hints) == 3
    assert all(hint.strip() for hint in exercise.hints)
    assert exercise.why.strip()
