"""Finding and reading notebooks that anyone may have written."""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..checks import exercises as course
from ..errors import UsageError
from .shipped import Lesson, ShippedCell, digest, lessons

SIZE = 64 * 1024 * 1024
"""Bytes that a notebook may have: far more than any with its outputs, and cheap to refuse."""

CELLS = 5_000
"""Cells that a notebook may have."""

BESIDE = 8 * 1024 * 1024
"""Bytes of the files beside a notebook that go with it."""

BESIDE_FILES = 500
"""How many of them."""

PASSED_OVER = {"__pycache__", "node_modules", "solutions"}
"""Folders that are not searched; the course's own solved copies are no submission."""


class NoNotebook(UsageError):
    """There is no notebook in a folder."""


class Unreadable(Exception):
    """A notebook that cannot be graded; the message says why, and what to do."""


@dataclass(frozen=True)
class Submission:
    """A notebook to grade.

    Attributes:
        path: The file.
        learner: Whose it is.
        fault: Why it is not to be read at all.
    """

    path: Path
    learner: str
    fault: str | None = None

    def contents(self) -> bytes:
        """The bytes of the file.

        Raises:
            Unreadable: When it is not to be read, or cannot be.
        """
        if self.fault:
            raise Unreadable(self.fault)
        return contents(self.path)


@dataclass(frozen=True)
class Cell:
    """A code cell.

    Attributes:
        place: Its place among all cells, from 1.
        source: Its code.
        shipped: The shipped cell it still equals, if any.
        exercise: The exercise it is marked to hold, if any.
    """

    place: int
    source: str
    shipped: ShippedCell | None
    exercise: str | None


@dataclass(frozen=True)
class Read:
    """A notebook as it was read.

    Attributes:
        sha256: The hash of the file.
        cells: Its code cells.
        lesson: The shipped notebook it comes from, if that can be told.
    """

    sha256: str
    cells: tuple[Cell, ...]
    lesson: Lesson | None

    @property
    def exercises(self) -> list[str]:
        """The exercises to look for: the lesson's, and any other that a cell is marked with."""
        wanted = {cell.exercise for cell in self.cells} | set(
            self.lesson.exercises if self.lesson else ()
        )
        return [id for id in course if id in wanted]


# Finding


@dataclass(frozen=True)
class Found:
    """What there is to grade.

    Attributes:
        submissions: The notebooks.
        absent: The learners whose folders hold none.
        passed_over: The folders that were not searched though they hold notebooks, or that hold
            none where it cannot be told whether they are a learner's.
    """

    submissions: list[Submission]
    absent: list[str]
    passed_over: list[Path]


def find(paths: Sequence[Path]) -> list[Submission]:
    """The notebooks of some paths, with whose they are.

    Args:
        paths: Notebooks, or folders; a folder's notebooks belong to that folder, those of a
            folder in it to the latter: a class is a folder of learners' folders.

    Raises:
        UsageError: When a path does not exist, is no notebook, or has none.
    """
    return look(paths).submissions


def look(paths: Sequence[Path]) -> Found:
    """The notebooks of some paths, and the folders that might have been expected to hold some.

    Args:
        paths: As for `find`.

    Raises:
        UsageError: When a path does not exist, is no notebook, or has none.
    """
    found: dict[Path, Submission] = {}
    absent: dict[str, None] = {}
    passed_over: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            skipped: list[Path] = []
            below = list(_below(path, skipped))
            if not below:
                raise NoNotebook(f"{path} has no notebook (*.ipynb) in it{_apart_from(skipped)}")
            without, unclear = _without(path, below)
            absent |= dict.fromkeys(without)
            passed_over |= dict.fromkeys([*skipped, *unclear])
        elif path.suffix == ".ipynb" and os.path.lexists(path):
            below = [Submission(path, path.resolve().parent.name, _fault(path, path.parent))]
        elif path.exists():
            raise UsageError(f"{path} is no notebook: its name does not end in .ipynb")
        else:
            raise UsageError(f"there is no {path}")
        for submission in below:
            found.setdefault(Path(os.path.abspath(submission.path)), submission)  # noqa: PTH100  # links stay
    submissions = list(found.values())
    there = {submission.learner for submission in submissions}
    return Found(submissions, [name for name in absent if name not in there], list(passed_over))


def _apart_from(skipped: Sequence[Path]) -> str:
    names = ", ".join(str(folder) for folder in skipped)
    return f", apart from those in {names}: such folders are not searched" if skipped else ""


def _without(root: Path, below: Sequence[Submission]) -> tuple[list[str], list[Path]]:
    """The learners of a class that have no notebook, and the folders that may not be a learner's.

    A folder without a notebook is a learner's only in a folder of learners' folders, and that is
    one with notebooks in folders of it and none beside them. A clone has its own folders.
    """
    holding = {submission.path.relative_to(root).parts[0] for submission in below}
    own = any(submission.path.parent == root for submission in below)
    bare = sorted(
        folder
        for folder in root.iterdir()
        if folder.is_dir()
        and not folder.name.startswith(".")
        and folder.name not in PASSED_OVER | holding
    )
    if all(submission.path.parent == root for submission in below):
        return [], []
    if own or (root / ".git").exists():
        return [], bare
    searched = [
        folder
        for folder in bare
        if not folder.is_symlink() and os.access(folder, os.R_OK | os.X_OK)
    ]
    names = [folder.name for folder in searched]
    return names, [folder for folder in bare if folder not in searched]


def _below(root: Path, skipped: list[Path]) -> Iterator[Submission]:
    for folder, folders, names in os.walk(root):
        skipped += [
            Path(folder, name)
            for name in sorted(PASSED_OVER & set(folders))
            if any(Path(folder, name).rglob("*.ipynb"))
        ]
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and name not in PASSED_OVER
        )
        for name in sorted(names):
            if name.endswith(".ipynb") and not name.startswith("."):
                path = Path(folder, name)
                inner = path.relative_to(root).parts[:-1]
                learner = inner[0] if inner else root.resolve().name
                yield Submission(path, learner, _fault(path, Path(root, *inner[:1])))


def _fault(path: Path, folder: Path) -> str | None:
    if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
        return "it is a link out of its folder, which is not followed; hand in the file itself"
    return None


# Reading


def contents(path: Path) -> bytes:
    """The bytes of a notebook.

    Raises:
        Unreadable: When it is no regular file, too large, or cannot be read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(handle, "rb") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise Unreadable("it is no regular file")
            if about.st_size > SIZE:
                raise Unreadable(
                    f"it has {about.st_size / 2**20:.0f} MiB, over {SIZE / 2**20:.0f} are not"
                    " read: clear its outputs and save it again"
                )
            return file.read(SIZE)
    except OSError as error:
        raise Unreadable(f"it cannot be read: {error.strerror}") from None


def read(data: bytes, name: str) -> Read:
    """Read a notebook.

    Args:
        data: The bytes of the file.
        name: The file's name: a hint at the lesson, where nothing else tells.

    Raises:
        Unreadable: When it is no notebook.
    """
    raw = _raw_cells(data)
    known = {cell.hash: (lesson, cell) for lesson in lessons() for cell in lesson.cells}
    cells = []
    for place, entry in enumerate(raw, start=1):
        source = _source(entry)
        if source is None:
            continue
        _, shipped = known.get(digest(source), (None, None))
        # An editor may strip ids and metadata; a stub as shipped is still known by its text.
        exercise = _marked(entry) or (shipped.exercise if shipped else None)
        cells.append(Cell(place, source, shipped, exercise))
    found = tuple(cells)
    lesson = _lesson(found, raw, name)
    return Read(hashlib.sha256(data).hexdigest(), _named(found, lesson), lesson)


def _raw_cells(data: bytes) -> list[dict[str, Any]]:
    if not data.strip():
        raise Unreadable("the file is empty: save the notebook again")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"it is not UTF-8 (byte {error.start}): save it from JupyterLab") from None
    try:
        content = json.loads(text)
    except MemoryError:
        raise Unreadable("it takes too much memory to read") from None
    except (ValueError, RecursionError) as error:
        why = str(error).split("\n")[0][:100]
        raise Unreadable(f"it is no JSON, so no notebook ({why})") from None
    if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
        old = isinstance(content, dict) and "worksheets" in content
        raise Unreadable(
            "it is a notebook of format 3: open it in JupyterLab and save it"
            if old
            else "it is JSON, but no notebook: it has no list of cells"
        )
    raw = [cell for cell in content["cells"] if isinstance(cell, dict)]
    if len(raw) > CELLS:
        raise Unreadable(f"it has {len(raw):,} cells, over {CELLS:,} are not read")
    return raw


def _source(cell: dict[str, Any]) -> str | None:
    if cell.get("cell_type") != "code":
        return None
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    if not isinstance(source, str):
        return None
    # Half of a surrogate pair is no text, and cannot be sent.
    return source.encode("utf-8", "replace").decode("utf-8")


def _marked(cell: dict[str, Any]) -> str | None:
    """The exercise that a cell's metadata names, else the one that its id does."""
    metadata = cell.get("metadata")
    said = metadata.get("labkit") if isinstance(metadata, dict) else None
    id = said.get("exercise") if isinstance(said, dict) else None
    if not isinstance(id, str):
        match = re.fullmatch(r"exercise-(\d+)-(\d+)", str(cell.get("id")))
        id = ".".join(match.groups()) if match else None
    return id if id in course else None


def _lesson(cells: Sequence[Cell], raw: Sequence[dict[str, Any]], name: str) -> Lesson | None:
    """The lesson whose cells, exercises or name a notebook shares most."""
    ids = {str(cell.get("id")) for cell in raw}
    marked = {cell.exercise for cell in cells if cell.exercise}
    hashes = {digest(cell.source) for cell in cells if cell.source.strip()}

    def likeness(lesson: Lesson) -> tuple[int, int, int, bool]:
        return (
            len(marked & set(lesson.exercises)),
            len(hashes & {cell.hash for cell in lesson.cells}),
            len(ids & {cell.id for cell in lesson.cells if re.search(r"\d", cell.id)}),
            name.startswith(lesson.name.partition("_")[0] + "_"),
        )

    best = max(lessons(), key=likeness, default=None)
    return best if best is not None and any(likeness(best)) else None


def _named(cells: tuple[Cell, ...], lesson: Lesson | None) -> tuple[Cell, ...]:
    """Mark cells that define an exercise's function, where no marked cell holds an answer.

    Who leaves the stub alone and answers in a cell of their own has answered too.
    """
    missing = {
        course[id].name: id
        for id in (lesson.exercises if lesson else course)
        if not any(cell.exercise == id and cell.shipped is None for cell in cells)
    }
    found = []
    for cell in cells:
        id = cell.exercise
        if id is None and cell.shipped is None:
            id = next((missing[name] for name in defined(cell.source) if name in missing), None)
        found.append(Cell(cell.place, cell.source, cell.shipped, id))
    return tuple(found)


def defined(source: str) -> list[str]:
    """The names of the functions that a cell defines at its top level."""
    return [node.name for node in functions(source)]


def functions(source: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions that a cell defines at its top level; none where it is no plain Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def beside(path: Path, others: Sequence[Path]) -> dict[str, str]:
    """The files that lie beside a notebook and go with it, as path → bytes in base64.

    Nothing that leads out of the folder goes along, no notebook, and nothing at all where the
    folder holds the notebooks of several learners.

    Args:
        path: The notebook.
        others: Every notebook that is graded.
    """
    folder = path.parent
    siblings = [re.match(r"\d+", other.stem) for other in others if other.parent == folder]
    lessons_there = {match[0] for match in siblings if match}
    if len(siblings) > 1 and len(lessons_there) < len(siblings):
        return {}
    found: dict[str, str] = {}
    room = BESIDE
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and name not in PASSED_OVER
        )
        if place != str(folder) and any(other.is_relative_to(place) for other in others):
            folders[:] = []
            continue
        for name in sorted(names):
            file = Path(place, name)
            if name.startswith(".") or name.endswith(".ipynb") or file.is_symlink():
                continue
            try:
                about = file.stat()
                if not stat.S_ISREG(about.st_mode) or about.st_size > room:
                    continue
                content = file.read_bytes()
            except OSError:
                continue
            room -= len(content)
            found[file.relative_to(folder).as_posix()] = base64.b64encode(content).decode()
            if len(found) >= BESIDE_FILES:
                return found
    return found
