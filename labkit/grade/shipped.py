"""What the course shipped: which cells of a notebook are the learner's, and which are not.

The package carries a list of the shipped cells, by the hash of their source, and not the notebooks:
a notebook beside it may be the very one that is to be graded. ``tools/shipped.py`` writes the list.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class ShippedCell:
    """A cell as it was shipped.

    Attributes:
        id: The cell's id.
        hash: The hash of its source, as `digest` makes it.
        tags: Its tags.
        exercise: The exercise it holds, if any.
    """

    id: str
    hash: str
    tags: tuple[str, ...] = ()
    exercise: str | None = None


@dataclass(frozen=True)
class Lesson:
    """A notebook as it was shipped.

    Attributes:
        name: The notebook's name, without its ending.
        cells: Its code cells, in order.
    """

    name: str
    cells: tuple[ShippedCell, ...]

    @property
    def exercises(self) -> tuple[str, ...]:
        """The exercises it holds, in order."""
        return tuple(cell.exercise for cell in self.cells if cell.exercise)


def digest(source: str) -> str:
    """The hash of a cell's source; the ends of its lines do not count."""
    lines = [line.rstrip() for line in source.strip().splitlines()]
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def as_json(lessons: list[Lesson]) -> dict[str, Any]:
    """The list as plain JSON."""
    return {
        lesson.name: [
            {
                "id": cell.id,
                "hash": cell.hash,
                **({"tags": list(cell.tags)} if cell.tags else {}),
                **({"exercise": cell.exercise} if cell.exercise else {}),
            }
            for cell in lesson.cells
        ]
        for lesson in lessons
    }


@cache
def lessons() -> tuple[Lesson, ...]:
    """Every lesson of the installed course."""
    text = files("labkit.grade").joinpath("shipped.json").read_text(encoding="utf-8")
    return tuple(
        Lesson(
            name,
            tuple(
                ShippedCell(
                    cell["id"], cell["hash"], tuple(cell.get("tags", ())), cell.get("exercise")
                )
                for cell in cells
            ),
        )
        for name, cells in json.loads(text).items()
    )
