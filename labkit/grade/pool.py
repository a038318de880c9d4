"""Grading many notebooks: a judge's process for each, as many at once as there are cores."""

from __future__ import annotations

import contextlib
import gc
import json
import math
import os
import secrets
import selectors
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from .. import __version__
from . import notebooks, sandbox
from .children import Nursery, nursery
from .expected import not_handed_in
from .journal import Journal
from .judging import grade_notebook, ungraded
from .notebooks import Submission, Unreadable
from .result import NotebookResult, Report
from .sandbox import Limits
from .shipped import lessons

Progress = Callable[[NotebookResult, int, int], None]
"""Told of each notebook that is through: its result, how many are through, how many there are."""

Through = Callable[[Submission, NotebookResult], None]
"""Told of a notebook that is through, and of its result."""

MODULES = {
    "anthropic": (b"anthropic", b"client", b"connect"),
    "hypothesis": (b"hypothesis",),
    "ipywidgets": (b"predict", b"setting", b"widgets"),
    "matplotlib.pyplot": (b"matplotlib",),
    "numpy": (b"numpy",),
}
"""What takes long to load → what a notebook that uses it holds."""

JUDGE = 512 * sandbox.MIB
"""Bytes that one judge may add to its memory, whatever a notebook's file is made of."""

WATCH = 60.0
"""Real seconds that a judge may take longer than its notebook may."""


class Team(Protocol):
    """Who grades the notebooks."""

    def begin(
        self, limits: Limits, modules: Sequence[str], seed: str, found: Sequence[Submission]
    ) -> None:
        """Get ready.

        Args:
            limits: What one submission may use.
            modules: What to load beforehand.
            seed: Where the inputs are drawn from.
            found: Every notebook of the grading.

        Raises:
            LabkitError: When it cannot grade.
        """

    def grade(self, todo: Sequence[Submission], jobs: int | None, through: Through) -> None:
        """Grade notebooks.

        Args:
            todo: Which of them.
            jobs: How many at once; None for as many as there are places.
            through: Told of each one, in the order in which they are through.
        """

    def isolation(self) -> dict[str, bool]:
        """Which means of isolation were active wherever a notebook was graded."""

    def close(self) -> None:
        """End it, and all that it started; once more does no harm."""


def grade(
    paths: Sequence[Path],
    *,
    seed: str | None = None,
    jobs: int | None = None,
    limits: Limits | None = None,
    source: Nursery | None = None,
    team: Team | None = None,
    journal: Journal | None = None,
    progress: Progress | None = None,
    expected: Sequence[str] = (),
) -> Report:
    """Grade notebooks.

    Args:
        paths: Notebooks and folders, as for `notebooks.find`.
        seed: Where the inputs are drawn from; by default drawn afresh, so that nobody knows it.
        jobs: How many notebooks to grade at once; by default as many as there are cores.
        limits: What one submission may use.
        source: Where the submissions' processes come from; it is closed in the end. By default
            `children.nursery`.
        team: Who grades, where that is not this machine: a `cluster.Cluster`. It is closed in the
            end, and ``source`` is not used.
        journal: Where each result is kept as soon as it is there; what it holds from before is
            not graded again.
        progress: Told of each notebook that is through.
        expected: The lessons that each learner was to hand in, and which alone count; by default
            all that was handed in counts.

    Returns:
        The report; where Ctrl-C stopped the grading, with what was graded until then.

    Raises:
        UsageError: When there is nothing to grade.
        LabkitError: When the team cannot grade, or not go on.
    """
    started = time.monotonic()
    limits = limits or Limits()
    team = team or _ThisMachine(source or nursery())
    complete = True
    try:
        sandbox.hide_memory()
        there = notebooks.look(paths)
        found = there.submissions
        seed = (journal.seed if journal else None) or seed or secrets.token_hex(8)
        results: dict[Path, NotebookResult] = {}
        if journal:
            for submission in found:
                known = journal.known(submission)
                if known is not None:
                    results[submission.path] = known
        todo = [submission for submission in found if submission.path not in results]

        def through(submission: Submission, result: NotebookResult) -> None:
            results[submission.path] = result
            if journal:
                journal.keep(result)
            if progress:
                progress(result, len(results), len(found))

        try:
            team.begin(limits, _modules(todo), seed, found)
            if journal:
                journal.begin(seed)
            team.grade(todo, jobs, through)
        except KeyboardInterrupt:
            complete = False
    finally:
        team.close()
    if journal and complete:
        journal.end()
    report = Report(
        __version__,
        seed,
        team.isolation(),
        [results[it.path] for it in found if it.path in results],
        complete,
        time.monotonic() - started,
        there.absent,
        list(expected),
    )
    if complete:
        report.notebooks += not_handed_in(report)
    return report


def _cores() -> Sequence[int]:
    if hasattr(os, "sched_getaffinity"):
        return list(os.sched_getaffinity(0))
    return range(os.cpu_count() or 1)


def _modules(submissions: Sequence[Submission]) -> list[str]:
    """What the notebooks seem to use, so that it is loaded once and not by each of them."""
    wanted: set[str] = set()
    for submission in submissions:
        with contextlib.suppress(Unreadable):
            data = notebooks.contents(submission.path)
            for name, signs in MODULES.items():
                if name not in wanted and any(sign in data for sign in signs):
                    wanted.add(name)
        if len(wanted) == len(MODULES):
            break
    return sorted(wanted)


class _ThisMachine:
    """Grades where it is.

    Args:
        source: Where the submissions' processes come from.
    """

    def __init__(self, source: Nursery) -> None:
        self._source = source
        self._limits = Limits()
        self._seed = ""
        self._paths: list[Path] = []

    def begin(
        self, limits: Limits, modules: Sequence[str], seed: str, found: Sequence[Submission]
    ) -> None:
        self._limits, self._seed = limits, seed
        self._paths = [submission.path for submission in found]
        self._source.begin(limits, modules)
        share_with_judges()

    def grade(self, todo: Sequence[Submission], jobs: int | None, through: Through) -> None:
        if sys.platform != "linux":
            for submission in todo:
                through(submission, self._grade(submission))
            return
        waiting = list(reversed(todo))
        jobs = jobs or len(_cores())
        with contextlib.closing(Judges(self._limits)) as judges:
            while waiting or judges.working:
                while waiting and judges.working < jobs:
                    judges.start(waiting.pop(), self._grade)
                for judge in judges.ended():
                    through(judge.submission, judge.result())

    def isolation(self) -> dict[str, bool]:
        return self._source.means.told()

    def close(self) -> None:
        self._source.close()

    def _grade(self, submission: Submission) -> NotebookResult:
        files = notebooks.beside(submission.path, self._paths)
        return grade_notebook(submission, self._source, self._limits, self._seed, files=files)


def share_with_judges() -> None:
    """Load what every judge needs, and keep it where all of them share it."""
    lessons()
    gc.freeze()


class Judges:
    """Judges at work, each forked from this process: none can grow, and none can sink the others.

    Args:
        limits: What one submission may use.
    """

    def __init__(self, limits: Limits) -> None:
        self._patience = limits.notebook + WATCH
        self._selector = selectors.DefaultSelector()
        self._judges: dict[int, Judge] = {}

    @property
    def working(self) -> int:
        """How many there are."""
        return len(self._judges)

    def listen(self, descriptor: int, heard: Callable[[], None]) -> None:
        """While waiting for judges, call a function when a descriptor has something to read."""
        self._selector.register(descriptor, selectors.EVENT_READ, heard)

    def start(self, submission: Submission, work: Callable[[Submission], NotebookResult]) -> Judge:
        """Have a notebook judged.

        Args:
            submission: The notebook.
            work: Judges it, in the judge's process.
        """
        # An interrupt in here would leave a judge that nobody knows of.
        with _uninterrupted():
            judge = Judge(submission, work)
            self._judges[judge.pipe] = judge
            self._selector.register(judge.pipe, selectors.EVENT_READ)
        return judge

    def ended(self, seconds: float = WATCH) -> Iterator[Judge]:
        """Wait until something happens, and give the judges that have ended; there may be none.

        Args:
            seconds: Real seconds to wait at most.
        """
        soonest = min((judge.started for judge in self._judges.values()), default=math.inf)
        left = soonest + self._patience - time.monotonic()
        for key, _ in self._selector.select(min(max(left, 0.1), seconds)):
            if key.data is not None:
                key.data()
                continue
            judge = self._judges[key.fd]
            if judge.read():
                continue
            self._selector.unregister(judge.pipe)
            del self._judges[judge.pipe]
            yield judge
        for judge in self._judges.values():
            if time.monotonic() - judge.started > self._patience:
                judge.kill()

    def close(self) -> None:
        """End them all."""
        self._selector.close()
        for judge in self._judges.values():
            judge.kill()
            judge.result()
        self._judges.clear()


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let Ctrl-C wait until the block is through."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Judge:
    """A process that judges one notebook."""

    def __init__(
        self, submission: Submission, work: Callable[[Submission], NotebookResult]
    ) -> None:
        self.submission = submission
        self.started = time.monotonic()
        self._parts: list[bytes] = []
        self.pipe, outward = os.pipe()
        self._process = os.fork()
        if self._process == 0:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it ends it
            _work(outward, submission, work)
        os.close(outward)

    def read(self) -> bool:
        """Read what it has to say; False once it has said all."""
        part = os.read(self.pipe, 1 << 16)
        self._parts.append(part)
        return bool(part)

    def kill(self) -> None:
        """End it; with it goes the submission's process."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process, signal.SIGKILL)

    def result(self) -> NotebookResult:
        """What it found, once it has ended."""
        os.close(self.pipe)
        os.waitpid(self._process, 0)
        try:
            return NotebookResult.from_json(json.loads(b"".join(self._parts)))
        except (ValueError, KeyError):
            return ungraded(self.submission, "it brought the judge's own process to its end")


def _work(
    outward: int, submission: Submission, work: Callable[[Submission], NotebookResult]
) -> None:
    try:
        sandbox.die_with_parent()
        sandbox.limit_memory(JUDGE)
        text = json.dumps(work(submission).as_json())
        with os.fdopen(outward, "w", encoding="utf-8") as pipe:
            pipe.write(text)
    finally:
        os._exit(0)
