"""Write the list of shipped cells that `labkit grade` goes by, or check that it is up to date.

python tools/shipped.py          # after every build of the notebooks
python tools/shipped.py check
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from labkit.grade.shipped import Lesson, ShippedCell, as_json, digest  # noqa: E402
from tools.notebooks import code_cells, exercise_id, read, shipped_paths  # noqa: E402

LIST = ROOT / "labkit" / "grade" / "shipped.json"


def lesson(path: Path) -> Lesson:
    """A shipped notebook, as the list has it."""
    return Lesson(
        path.stem,
        tuple(
            ShippedCell(
                cell.id,
                digest(cell.source),
                tuple(cell.metadata.get("tags", ())),
                exercise_id(cell),
            )
            for cell in code_cells(read(path))
        ),
    )


def text() -> str:
    """What the list should be: a line for each cell, so that changes can be merged."""
    entries = []
    for name, cells in as_json([lesson(path) for path in shipped_paths()]).items():
        lines = ",\n".join(f"    {json.dumps(cell)}" for cell in cells)
        entries.append(f"  {json.dumps(name)}: [\n{lines}\n  ]")
    return "{\n" + ",\n".join(entries) + "\n}\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if list(arguments) == ["check"]:
        if LIST.exists() and LIST.read_text(encoding="utf-8") == text():
            return 0
        print(f"{LIST} is not up to date: run `python tools/shipped.py`.", file=sys.stderr)
        return 1
    LIST.write_text(text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
