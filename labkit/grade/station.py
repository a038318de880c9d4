"""A process on a machine of a cluster that grades there as `pool` does here.

A Dask worker has threads, and threads do not go with forks; so beside the worker stands a process
without any. It keeps the interpreter that submissions are forked from, forks a judge for each
notebook it is sent, and ends with the grading, with the worker, or when nobody asks any more.
Worker and station exchange lines of JSON over the station's standard input and output.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import os
import signal
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..errors import LabkitError
from . import sandbox
from .children import PATIENCE, SWEPT, Gone, environment, nursery, python
from .judging import grade_notebook
from .notebooks import Submission
from .pool import Judge, Judges, share_with_judges
from .result import NotebookResult
from .sandbox import Limits

IDLE = 600.0
"""Real seconds without a notebook after which a station takes its grading to be over."""

ANSWER = 64 * sandbox.MIB
"""Bytes that a station's answer may have: far more than all the feedback on one notebook."""


@dataclass(frozen=True)
class Order:
    """What a station has to know of a grading.

    Attributes:
        id: Tells this grading apart from others.
        version: The labkit that is to grade.
        seed: Where the inputs are drawn from. It is a secret, so no message shows it.
        limits: What one submission may use.
        modules: What to load beforehand.
    """

    id: str
    version: str
    seed: str = field(repr=False)
    limits: Limits
    modules: tuple[str, ...]


@dataclass(frozen=True)
class Notebook:
    """A notebook as it travels.

    Attributes:
        path: Where it is with whoever has it graded.
        learner: Whose it is.
        data: The bytes of its file.
        files: What lies beside it, as `notebooks.beside` gives it.
    """

    path: str
    learner: str
    data: bytes = field(repr=False)
    files: Mapping[str, str] = field(repr=False)


# At the worker's end


class Station:
    """The worker's end of a station; `begin` makes one.

    Args:
        process: The station's process.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._numbers = itertools.count()
        self._hearing: asyncio.Task[None] | None = None
        self.isolation: dict[str, bool] = {}
        """Which means of isolation are active there."""

    @classmethod
    async def begin(cls, order: Order) -> Station:
        """Start a station and wait until it is ready.

        Args:
            order: The grading.

        Raises:
            LabkitError: When it cannot grade.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                *python("from labkit.grade.station import main; main()"),
                stdin=PIPE,
                stdout=PIPE,
                env=environment(),
                cwd="/",
                start_new_session=True,  # a Ctrl-C in the worker's terminal is the worker's
                limit=ANSWER,
            )
        except OSError as error:
            raise LabkitError(f"no process could be started ({error})") from None
        station = cls(process)
        try:
            station._say(asdict(order))
            async with asyncio.timeout(PATIENCE):
                answer = await station._hear()
        except TimeoutError:
            answer = {"broken": f"it was not ready within {PATIENCE:g} s"}
        except BaseException:
            await station.close()
            raise
        if answer is None or "broken" in answer:
            await station.close()
            raise LabkitError(answer["broken"] if answer else "its process ended at once")
        station.isolation = answer["isolation"]
        station._hearing = asyncio.create_task(station._hear_all())
        return station

    @property
    def over(self) -> bool:
        """Whether it will answer nothing more."""
        return self._hearing is None or self._hearing.done()

    async def grade(self, notebook: Notebook) -> NotebookResult:
        """Have a notebook graded.

        Args:
            notebook: The notebook.

        Raises:
            Gone: When the station came to its end meanwhile.
        """
        if self.over:
            raise Gone("the process that grades has ended")
        number = next(self._numbers)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        data = base64.b64encode(notebook.data).decode()
        self._say({"number": number, **vars(notebook), "data": data})
        found = await answer
        return NotebookResult.from_json(found["result"])

    async def close(self) -> None:
        """End the station, and all that it started; once more does no harm."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(SWEPT + 2):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        if self._hearing is not None:
            await self._hearing

    def _say(self, message: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        # What is written to a station that has ended is lost, and whoever asked hears of that end.
        self._process.stdin.write(json.dumps(message).encode() + b"\n")

    async def _hear(self) -> dict[str, Any] | None:
        assert self._process.stdout is not None
        try:
            answer: dict[str, Any] = json.loads(await self._process.stdout.readline())
        except ValueError:  # it ended, if need be in the middle of a line
            return None
        return answer

    async def _hear_all(self) -> None:
        while (answer := await self._hear()) is not None:
            asked = self._asked.pop(answer["number"])
            if not asked.done():  # nobody waits any more
                asked.set_result(answer)
        for asked in self._asked.values():
            if not asked.done():
                asked.set_exception(Gone("the process that grades has ended"))
        self._asked.clear()


# In the station's process


def main() -> None:
    """Grade what the worker sends until it sends no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sandbox.hide_memory()
    # What anything prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(answer: Mapping[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    wire = _Wire(0)
    while not wire.lines:
        wire.read()
        if wire.ended:
            return
    order = json.loads(wire.lines.pop(0))
    limits = Limits(**order["limits"])
    with contextlib.closing(nursery()) as source:
        try:
            source.begin(limits, order["modules"])
        except LabkitError as error:
            say({"broken": str(error)})
            return
        say({"isolation": source.means.told()})
        share_with_judges()

        def judge(notebook: Mapping[str, Any]) -> Judge:
            def work(submission: Submission) -> NotebookResult:
                data = base64.b64decode(notebook["data"])
                files = notebook["files"]
                return grade_notebook(submission, source, limits, order["seed"], files, data=data)

            return judges.start(Submission(Path(notebook["path"]), notebook["learner"]), work)

        with contextlib.closing(Judges(limits)) as judges, contextlib.suppress(BrokenPipeError):
            judges.listen(0, wire.read)
            numbers: dict[Judge, int] = {}
            asked = time.monotonic()
            while not wire.ended and (numbers or time.monotonic() - asked < IDLE):
                while wire.lines:
                    asked = time.monotonic()
                    notebook = json.loads(wire.lines.pop(0))
                    numbers[judge(notebook)] = notebook["number"]
                for ended in judges.ended(IDLE):
                    say({"number": numbers.pop(ended), "result": ended.result().as_json()})


class _Wire:
    """The lines that come in on a descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._parts: list[bytes] = []
        self.lines: list[bytes] = []
        self.ended = False

    def read(self) -> None:
        """Take what has come, or wait for it."""
        part = os.read(self._descriptor, 1 << 20)
        self.ended = not part
        self._parts.append(part)
        if b"\n" in part:
            *lines, rest = b"".join(self._parts).split(b"\n")
            self.lines += lines
            self._parts = [rest]
