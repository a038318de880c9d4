"""Grading one notebook: its cells run at the learner's end, each exercise is judged from here."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Mapping
from typing import Any

from ..checks import exercises as course
from ..checks import judge
from ..checks.verdict import Verdict
from . import notebooks
from .children import Gone, Late, Nursery
from .notebooks import Cell, Read, Submission, Unreadable
from .reference import is_reference
from .remote import Remote, Talk
from .result import ExerciseResult, NotebookResult, Status
from .sandbox import Limits

UNSEEN = {"check", "demo"}
"""Tags of shipped cells that are not run: the verdict does not come from them."""

FEEDBACK = 8_000
"""Characters that the feedback on one exercise may have: it may quote what a function printed."""

PROBLEMS = 20
"""How many things that happened are told of one notebook."""


def grade_notebook(
    submission: Submission,
    nursery: Nursery,
    limits: Limits,
    seed: str,
    files: Mapping[str, str] | None = None,
    *,
    data: bytes | None = None,
) -> NotebookResult:
    """Grade one notebook; whatever is wrong with it becomes a part of the result.

    Args:
        submission: The notebook.
        nursery: Where its processes come from.
        limits: What it may use.
        seed: Where the inputs are drawn from.
        files: What lies beside it, as `notebooks.beside` gives it.
        data: The bytes of its file; by default they are read.
    """
    started = time.monotonic()
    result = NotebookResult(str(submission.path), submission.learner)
    try:
        if data is None:
            data = submission.contents()
        read = notebooks.read(data, submission.path.name)
    except Unreadable as error:
        result = ungraded(submission, str(error), data=data)
    else:
        result.sha256 = read.sha256
        result.lesson = read.lesson.name if read.lesson else None
        grading = _Grading(read, nursery, limits, seed, files or {})
        result.exercises, result.problems = grading.run()
    result.seconds = time.monotonic() - started
    return result


def ungraded(submission: Submission, why: str, *, data: bytes | None = None) -> NotebookResult:
    """The result of a notebook that could not be graded.

    Args:
        submission: The notebook.
        why: The reason, without a full stop.
        data: The bytes of its file; by default they are read, where they can be.
    """
    result = NotebookResult(str(submission.path), submission.learner)
    result.problems = [f"not graded: {why}."]
    # A record can be verified only where it says which file it is about.
    with contextlib.suppress(Unreadable):
        data = submission.contents() if data is None else data
        result.sha256 = hashlib.sha256(data).hexdigest()
    return result


class _Grading:
    def __init__(
        self,
        read: Read,
        nursery: Nursery,
        limits: Limits,
        seed: str,
        files: Mapping[str, str],
    ) -> None:
        self._read = read
        self._nursery = nursery
        self._limits = limits
        self._seed = seed
        self._files = files
        self._until = time.monotonic() + limits.notebook
        self._names = {course[id].name: id for id in read.exercises}
        self._problems: list[str] = []
        self._raised: dict[int, str] = {}  # cell → what it raised
        self._lost: set[int] = set()  # cells that ended the process they ran in
        self._verdicts: dict[str, dict[int, ExerciseResult]] = {id: {} for id in read.exercises}
        self._judged_again: set[int] = set()
        self._broken = False
        self._talk: Talk | None = None

    def run(self) -> tuple[list[ExerciseResult], list[str]]:
        """Grade it; returns the exercises and what else happened."""
        todo = self._cells()
        if not self._read.exercises:
            self._note("no exercise of the course was found in it.")
        try:
            while todo and not self._pass(todo):
                if time.monotonic() > self._until:
                    raise TimeoutError
        except TimeoutError:
            self._note(
                f"the notebook took longer than the {self._limits.notebook:g} s it may: what came"
                " after that was not graded."
            )
        finally:
            self._end()
        return [self._result(id) for id in self._read.exercises], self._problems

    def _cells(self) -> list[Cell]:
        """The cells to run: up to the last one that is the learner's, less what only shows."""
        own = [place for place, cell in enumerate(self._read.cells) if cell.shipped is None]
        cells = self._read.cells[: own[-1] + 1] if own else ()
        return [
            cell
            for cell in cells
            if cell.source.strip()
            and not (cell.shipped is not None and UNSEEN & set(cell.shipped.tags))
        ]

    def _pass(self, todo: list[Cell]) -> bool:
        """Run the cells in a process of their own; False where it has to be done again."""
        self._end()
        self._talk = Talk(self._nursery.start(self._files), self._limits)
        try:
            self._talk.start()
        except Gone as gone:
            self._broken = True
            self._note(f"its process did not start: {gone}.")
            return True
        later = []
        for cell in todo:
            if cell.place in self._lost:
                continue
            if not self._run(cell):
                return False
            if "NameError" in self._raised.get(cell.place, ""):
                later.append(cell)
        # Cells that stand out of order find what they need once the others have run.
        for cell in later:
            if not self._run(cell):
                return False
        return self._judge_again(todo)

    def _run(self, cell: Cell) -> bool:
        """Run a cell and judge what it holds; False where the process is gone."""
        assert self._talk is not None
        self._talk.renew()
        known = cell.place in self._raised
        message = {"do": "run", "source": cell.source, "names": list(self._names)}
        try:
            left = self._left()
            answer = self._talk.ask(message, min(self._limits.cell, left))
            ran = _Ran(answer)
        except Gone as gone:
            self._lost.add(cell.place)
            why = str(gone)
            if isinstance(gone, Late):
                self._left()  # it may be the notebook that was too slow, and not this cell
                why = f"it took longer than the {self._limits.cell:g} s a cell may and was stopped"
            if not known:
                self._raised[cell.place] = why
                self._note(f"cell {cell.place}: {why}.")
            return False
        if ran.error and not known:
            self._raised[cell.place] = ran.error
            self._note(f"cell {cell.place} raised {ran.error}.")
        elif known and not ran.error:
            del self._raised[cell.place]
            self._problems = [
                problem
                for problem in self._problems
                if not problem.startswith(f"cell {cell.place} raised")
            ]
        for name, about in ran.bound.items():
            id = self._names.get(name)
            if id is None:
                continue
            fits = cell.exercise == id and (cell.shipped is None or not cell.shipped.exercise)
            judged = self._verdicts[id].get(cell.place)
            if fits and judged is None and not self._judge(id, cell, about):
                return False
        return True

    def _judge(self, id: str, cell: Cell, about: Mapping[str, Any]) -> bool:
        """Judge an exercise; False where the process is gone afterwards."""
        assert self._talk is not None
        exercise = course[id]
        left = self._left()
        result = ExerciseResult(id, exercise.name, "failed", exercise.worth, cell=cell.place)
        self._verdicts[id][cell.place] = result
        if not about.get("callable"):
            result.feedback = f"{exercise.name} is no function in this cell."
            return True
        self._talk.renew()
        started = time.monotonic()
        player = Remote(self._talk, exercise.name, self._limits, left)
        try:
            verdict = judge(exercise, player, seed=self._seed)
        except Exception as error:
            # A right answer gives a check nothing that it could stumble over.
            result.feedback = (
                "The check could not make sense of what this function did"
                f" ({type(error).__name__})."
            )
            self._talk.close()
        else:
            result.status = _status(verdict)
            result.feedback = _feedback(verdict)
        result.seconds = time.monotonic() - started
        result.reference = result.passed and (
            bool(about.get("reference")) or is_reference(exercise, cell.source)
        )
        if self._talk.ended is not None:
            if "process" in self._talk.ended or "message" in self._talk.ended:
                result.feedback += f"\nWhile it was checked, {self._talk.ended}."
            return False
        return True

    def _judge_again(self, todo: list[Cell]) -> bool:
        """Judge once more, now that all cells have run, what lacked a name that came later."""
        for cell in todo:
            id = cell.exercise
            if id is None or cell.place in self._lost:
                continue
            before = self._verdicts[id].get(cell.place)
            alone = len([it for it in todo if it.exercise == id]) == 1
            again = cell.place not in self._judged_again
            if before is None or not again or not alone or "NameError" not in before.feedback:
                continue
            self._judged_again.add(cell.place)
            if not self._judge(id, cell, {"callable": True, "reference": before.reference}):
                return False
        return True

    def _left(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _end(self) -> None:
        if self._talk is not None:
            self._talk.close()
            self._talk = None

    def _note(self, problem: str) -> None:
        if len(self._problems) < PROBLEMS:
            self._problems.append(problem)
        elif len(self._problems) == PROBLEMS:
            self._problems.append("and more of the kind.")

    def _result(self, id: str) -> ExerciseResult:
        """The outcome of an exercise: of several answers the one that passed, else the last."""
        exercise = course[id]
        verdicts = self._verdicts[id]
        cells = [cell for cell in self._read.cells if cell.exercise == id]
        own = [cell for cell in cells if cell.shipped is None or not cell.shipped.exercise]
        if verdicts:
            rank = {"passed": 2, "failed": 1}
            place = max(verdicts, key=lambda place: (rank.get(verdicts[place].status, 0), place))
            found = verdicts[place]
            if place in self._raised and place not in self._lost:
                found.feedback = _with(found.feedback, f"The cell raised {self._raised[place]}.")
            if found.reference:
                found.feedback = _with(
                    found.feedback, "The answer is, or calls, the reference solution itself."
                )
            if len(own) > 1:
                found.feedback = _with(
                    found.feedback, f"{len(own)} cells hold this exercise; cell {place} counts."
                )
            return found
        result = ExerciseResult(id, exercise.name, "missing", exercise.worth)
        if not cells:
            result.feedback = (
                f"No cell holds this exercise, and none defines {exercise.name}. Get the notebook"
                " anew and put your other answers in."
            )
        elif not own:
            result.status = "not attempted"
        else:
            result.cell = own[-1].place
            self._unbound(result)
        return result

    def _unbound(self, result: ExerciseResult) -> None:
        """Say why a cell that should hold an answer does not."""
        place = result.cell or 0
        if place in self._raised:
            result.status = "failed"
            happened = self._raised[place]
            result.feedback = (
                f"Its cell did not come to define {result.name}: {happened}."
                if place in self._lost
                else f"The cell raised {happened}, so {result.name} is not defined."
            )
        elif self._broken or time.monotonic() > self._until:
            result.status = "not graded"
            result.feedback = (
                "The notebook's process did not start."
                if self._broken
                else "The notebook had used up its time."
            )
        else:
            result.feedback = f"Its cell does not define {result.name}."


class _Ran:
    """What the learner's end says of a cell, as far as it can be made sense of."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        ran = answer.get("ran")
        ran = ran if isinstance(ran, dict) else {}
        error = ran.get("error")
        self.error: str | None = None
        if isinstance(error, dict):
            text = f"{str(error.get('kind'))[:80]}: {str(error.get('text'))[:300]}"
            line = error.get("line")
            self.error = f"{text} (line {line})" if isinstance(line, int) and line else text
        bound = ran.get("bound")
        bound = bound if isinstance(bound, dict) else {}
        self.bound = {str(name): about for name, about in bound.items() if isinstance(about, dict)}


def _status(verdict: Verdict) -> Status:
    if verdict.passed:
        return "passed"
    return "failed" if verdict.attempted else "not attempted"


def _feedback(verdict: Verdict) -> str:
    """What a verdict says, less its headline."""
    if verdict.passed:
        return ""
    lines = repr(verdict).splitlines()[1:]
    text = "\n".join(line.removeprefix("  ") for line in lines)
    return text if len(text) <= FEEDBACK else text[: FEEDBACK - 1] + "…"


def _with(text: str, more: str) -> str:
    return f"{text}\n{more}" if text else more
