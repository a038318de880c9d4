"""Grading many notebooks: a judge's process for each, as many at once as there are cores."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import secrets
import selectors
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from .. import __version__
from . import notebooks, sandbox
from .children import Nursery, nursery
from .journal import Journal
from .judging import grade_notebook
from .notebooks import Submission, Unreadable
from .result import NotebookResult, Report
from .sandbox import Limits
from .shipped import lessons

Progress = Callable[[NotebookResult, int, int], None]
"""Told of each notebook that is through: its result, how many are through, how many there are."""

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


def grade(
    paths: Sequence[Path],
    *,
    seed: str | None = None,
    jobs: int | None = None,
    limits: Limits | None = None,
    source: Nursery | None = None,
    journal: Journal | None = None,
    progress: Progress | None = None,
) -> Report:
    """Grade notebooks.

    Args:
        paths: Notebooks and folders, as for `notebooks.find`.
        seed: Where the inputs are drawn from; by default drawn afresh, so that nobody knows it.
        jobs: How many notebooks to grade at once; by default as many as there are cores.
        limits: What one submission may use.
        source: Where the submissions' processes come from; it is closed in the end. By default
            `children.nursery`.
        journal: Where each result is kept as soon as it is there; what it holds from before is
            not graded again.
        progress: Told of each notebook that is through.

    Returns:
        The report; where Ctrl-C stopped the grading, with what was graded until then.

    Raises:
        UsageError: When there is nothing to grade.
    """
    started = time.monotonic()
    limits = limits or Limits()
    source = source or nursery()
    try:
        sandbox.hide_memory()
        found = notebooks.find(paths)
        seed = (journal.seed if journal else None) or seed or secrets.token_hex(8)
        report = Report(__version__, seed, source.means.told())
        results: dict[Path, NotebookResult] = {}
        if journal:
            journal.begin(seed)
            for submission in found:
                known = journal.known(submission)
                if known is not None:
                    results[submission.path] = known
        todo = [submission for submission in found if submission.path not in results]
        source.begin(limits, _modules(todo))
        lessons()  # read once, and not by each judge
        gc.freeze()  # likewise: what is shared with each judge stays shared
        judging = _Judging(source, limits, seed, found)
        run = judging.forked if sys.platform == "linux" else judging.here
        try:
            for submission, result in run(todo, jobs or len(_cores())):
                results[submission.path] = result
                if journal:
                    journal.keep(result)
                if progress:
                    progress(result, len(results), len(found))
        except KeyboardInterrupt:
            report.complete = False
    finally:
        source.close()
    if journal and report.complete:
        journal.end()
    report.notebooks = [results[it.path] for it in found if it.path in results]
    report.seconds = time.monotonic() - started
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


class _Judging:
    def __init__(
        self, source: Nursery, limits: Limits, seed: str, found: Sequence[Submission]
    ) -> None:
        self._source = source
        self._limits = limits
        self._seed = seed
        self._paths = [submission.path for submission in found]

    def _grade(self, submission: Submission) -> NotebookResult:
        files = notebooks.beside(submission.path, self._paths)
        return grade_notebook(submission, self._source, self._limits, self._seed, files)

    def here(
        self, todo: Sequence[Submission], _jobs: int
    ) -> Iterator[tuple[Submission, NotebookResult]]:
        """Grade one after another in this process."""
        for submission in todo:
            yield submission, self._grade(submission)

    def forked(
        self, todo: Sequence[Submission], jobs: int
    ) -> Iterator[tuple[Submission, NotebookResult]]:
        """Grade in processes forked from this one: none can grow, and none can sink the others."""
        waiting = list(reversed(todo))
        selector = selectors.DefaultSelector()
        judges: dict[int, _Judge] = {}
        try:
            while waiting or judges:
                while waiting and len(judges) < jobs:
                    # An interrupt in here would leave a judge that nobody knows of.
                    with _uninterrupted():
                        judge = _Judge(waiting.pop(), self._grade)
                        judges[judge.pipe] = judge
                        selector.register(judge.pipe, selectors.EVENT_READ)
                soonest = min(judge.started for judge in judges.values())
                patience = soonest + self._limits.notebook + WATCH - time.monotonic()
                for key, _ in selector.select(max(patience, 0.1)):
                    judge = judges[key.fd]
                    if judge.read():
                        continue
                    selector.unregister(judge.pipe)
                    del judges[judge.pipe]
                    yield judge.submission, judge.result()
                for judge in judges.values():
                    if time.monotonic() - judge.started > self._limits.notebook + WATCH:
                        judge.kill()
        finally:
            selector.close()
            for judge in judges.values():
                judge.kill()
                judge.result()


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let Ctrl-C wait until the block is through."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Judge:
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
            found = NotebookResult(str(self.submission.path), self.submission.learner)
            found.problems.append("not graded: it brought the judge's own process to its end.")
            return found


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
