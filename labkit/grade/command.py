"""``labkit grade``, ``labkit verify`` and ``labkit nbgrader``."""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from .. import __version__
from ..errors import UsageError

if TYPE_CHECKING:
    from .journal import Journal
    from .notebooks import Submission
    from .pool import Team
    from .result import NotebookResult, Report
    from .sandbox import Limits

FORMATS = ("text", "json", "junit", "markdown", "gradescope", "classroom50")
JOURNALS = Path(".labkit")

GRADED, NOT_ENOUGH, USAGE, INTERRUPTED = 0, 1, 2, 130
"""Exit statuses; 130 is what a shell gives a command that Ctrl-C ended."""


def add_grade(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``labkit grade``."""
    parser = commands.add_parser(
        "grade",
        help="grade notebooks, or a class of them",
        description="Grade notebooks: each one's code runs in a sandbox of its own, and every"
        " exercise is judged from outside it, on inputs drawn afresh.",
        epilog="Exit status: 0 when the grading is through, whatever it found (the report says"
        " which notebooks could not be graded), 1 when --require is not met, 2 for a usage error,"
        " 130 when interrupted.",
    )
    parser.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="a notebook, a folder of notebooks, or a folder of learners' folders",
    )
    parser.add_argument(
        "--format",
        action="append",
        choices=FORMATS,
        dest="formats",
        help="what to write (default: text); may be given several times, each with its --out",
    )
    parser.add_argument(
        "--out",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help="where to write it (default: standard output)",
    )
    parser.add_argument(
        "--require",
        type=_percentage,
        metavar="PERCENT",
        help="exit with 1 where some learner has less than this",
    )
    parser.add_argument(
        "--lessons",
        type=_lessons,
        default=(),
        metavar="NUMBERS",
        help="the lessons that each learner was to hand in, such as 00,01,05: these alone count,"
        " and one that is not there counts as worth its points, with none earned (default: what"
        " was handed in counts)",
    )
    parser.add_argument(
        "--seed", help="where the inputs are drawn from, to repeat a grading (default: afresh)"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on where an interrupted grading stopped"
    )
    parser.add_argument(
        "--journal",
        type=Path,
        metavar="FILE",
        help="where each result is kept until all are there (default: a file of its own in"
        f" {JOURNALS} for each choice of paths)",
    )
    parser.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="grade on the machines of a Dask cluster: its scheduler's address, such as"
        " tcp://10.0.0.1:8786 (needs the extra labkit[cluster])",
    )
    _add_common(parser)
    parser.set_defaults(run=_grade)


def add_verify(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``labkit verify``."""
    parser = commands.add_parser(
        "verify",
        help="say whether a completion record is true",
        description="Grade notebooks again and say whether a record of them is true.",
        epilog="Exit status: 0 where it is, 1 where it is not, 2 for a usage error.",
    )
    parser.add_argument(
        "record", type=Path, metavar="RECORD", help="what `labkit grade --format json` wrote"
    )
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="NOTEBOOKS", help="the notebooks, or their folders"
    )
    _add_common(parser)
    parser.set_defaults(run=_verify)


def add_nbgrader(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``labkit nbgrader``."""
    parser = commands.add_parser(
        "nbgrader",
        help="export the course's notebooks for nbgrader",
        description="Write the course's notebooks as nbgrader's source notebooks, each an"
        " assignment of its own.",
    )
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="NOTEBOOKS", help="the course's notebooks as shipped"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="COURSE", help="nbgrader's course directory"
    )
    parser.set_defaults(run=_nbgrader)


def _nbgrader(options: argparse.Namespace) -> int:
    from .nbgrader import export

    for path in export(options.paths, options.out):
        print(path)
    return GRADED


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--jobs",
        type=_positive,
        metavar="N",
        help="how many notebooks at once (default: one for each core, or for each thread of a"
        " cluster's workers)",
    )
    parser.add_argument(
        "--timeout",
        type=_positive,
        metavar="SECONDS",
        help="seconds that one notebook may take in all (default: 180)",
    )


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def _percentage(text: str) -> float:
    value = float(text.removesuffix("%"))
    if not 0 <= value <= 100:
        raise ValueError
    return value


def _lessons(text: str) -> list[str]:
    from .shipped import lessons

    known = {int(lesson.name.partition("_")[0]): lesson.name for lesson in lessons()}
    try:
        return sorted({known[int(number)] for number in text.split(",")})
    except (KeyError, ValueError):
        raise argparse.ArgumentTypeError(
            f"{text!r} has to be numbers of lessons, with commas between them: 0 to {max(known)}"
        ) from None


# argparse names the function in its message: "invalid positive number value".
_positive.__name__ = "positive number"
_percentage.__name__ = "percentage"


def _grade(options: argparse.Namespace) -> int:
    formats: list[str] = options.formats or ["text"]
    outs: list[Path] = options.out
    if len(outs) not in (len(formats), len(formats) - 1):
        raise UsageError(
            f"{len(formats)} of --format and {len(outs)} of --out: each format needs a file, but"
            " for the last, which may go to standard output"
        )
    for out in outs:
        if not out.parent.is_dir():
            raise UsageError(f"--out {out}: there is no folder {out.parent}")
        if out.is_dir():
            raise UsageError(f"--out {out} is a folder: name a file in it")

    for path in options.paths:
        if not os.path.lexists(path):
            raise UsageError(f"there is no {path}")

    from .children import nursery

    team: Team | None = None
    if options.cluster is not None:
        from .cluster import Cluster

        team = Cluster(options.cluster)

    # What the submissions need is loaded there while what the judge needs is loaded here.
    source = nursery() if team is None else None
    progress = Progress(sys.stderr) if sys.stderr.isatty() else None
    try:
        from . import notebooks
        from .expected import not_handed_in
        from .formats import check_learners, markdown
        from .formats.common import one_line
        from .pool import grade
        from .result import Report

        try:
            there = notebooks.look(options.paths)
        except notebooks.NoNotebook as nothing:
            if "gradescope" not in formats:
                raise
            # Without results.json Gradescope tells the learner that the autograder failed.
            print(f"labkit: {nothing}", file=sys.stderr)
            whose = [path.resolve().name for path in options.paths[:1]]
            report = Report(
                __version__, options.seed or "", {}, absent=whose, lessons=list(options.lessons)
            )
            report.notebooks = not_handed_in(report)
            _write(report, formats, outs)
            return NOT_ENOUGH if _falls_short(report, options.require) else GRADED
        found = there.submissions
        learners = {submission.learner for submission in found}
        for name in formats:
            check_learners(name, len(learners))
        if there.passed_over:
            names = ", ".join(one_line(str(folder)) for folder in there.passed_over)
            print(f"labkit: passed over, so nothing in them is graded: {names}", file=sys.stderr)
        journal = _journal(options)
        if journal and options.resume:
            print(f"labkit: --resume: {_taken_up(journal, options, found)}", file=sys.stderr)
        report = grade(
            options.paths,
            seed=options.seed,
            jobs=options.jobs,
            limits=_limits(options),
            source=source,
            team=team,
            journal=journal,
            progress=progress,
            expected=options.lessons,
        )
    finally:
        for opened in (source, team):
            if opened is not None:
                opened.close()
        if progress:
            progress.clear()
    _write(report, formats, outs)
    if "markdown" in formats and len(outs) == len(formats) and "GITHUB_ACTIONS" in os.environ:
        _print(markdown.workflow_commands(report))
    if not report.complete:
        print("labkit: interrupted; --resume goes on from here", file=sys.stderr)
        return INTERRUPTED
    return NOT_ENOUGH if _falls_short(report, options.require) else GRADED


def _write(report: Report, formats: Sequence[str], outs: Sequence[Path]) -> None:
    """Write a report in each format, to its file or to standard output."""
    from .formats import FORMATS as WRITERS

    for place, name in enumerate(formats):
        text = WRITERS[name].write(report)
        if place < len(outs):
            outs[place].write_text(text, encoding="utf-8")
        else:
            _print(text)


def _journal(options: argparse.Namespace) -> Journal | None:
    from .journal import Journal

    path = options.journal or JOURNALS / _journal_name(options.paths)
    folder = path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except OSError:
        writable = False
    if writable:
        return Journal(path, resume=options.resume)
    if options.resume:
        raise UsageError(f"--resume: {folder} cannot be written to; name another file: --journal")
    print(
        f"labkit: {folder} cannot be written to, so --resume will not be possible", file=sys.stderr
    )
    return None


def _journal_name(paths: Sequence[Path]) -> str:
    """A name that another grading in the same folder does not have, however its paths are spelt."""
    resolved = sorted({os.fsencode(path.resolve()) for path in paths})
    return f"grade-{hashlib.sha256(bytes(1).join(resolved)).hexdigest()[:12]}.jsonl"


def _taken_up(journal: Journal, options: argparse.Namespace, found: Sequence[Submission]) -> str:
    """What to say of the grading that is taken up.

    Raises:
        UsageError: When it has another seed than the one that is asked for.
    """
    if journal.seed is None:
        return f"there is nothing to resume in {journal.path}, so all is graded"
    if options.seed not in (None, journal.seed):
        raise UsageError(
            f"--seed {options.seed}: the grading to resume has the seed {journal.seed}; leave out"
            " --seed to go on with it, or --resume to grade anew"
        )
    kept = sum(journal.known(submission) is not None for submission in found)
    return f"{kept} of {len(found)} notebooks are kept, with the seed {journal.seed}"


def _limits(options: argparse.Namespace) -> Limits:
    from .sandbox import Limits

    limits = Limits()
    return dataclasses.replace(limits, notebook=options.timeout) if options.timeout else limits


def _falls_short(report: Report, percent: float | None) -> bool:
    """Whether some learner has less than is required; 0 is met by whoever there is."""
    if not percent:
        return False
    return not report.learners or any(
        not total.worth or 100 * total.points < percent * total.worth for total in report.learners
    )


def _print(text: str) -> None:
    # A terminal that cannot show a sign gets a question mark, not an error.
    sys.stdout.flush()
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
    sys.stdout.flush()


def _verify(options: argparse.Namespace) -> int:
    from .formats.common import one_line
    from .verify import verify

    unnamed: list[Submission] = []
    faults = verify(
        options.record,
        options.paths,
        jobs=options.jobs,
        limits=_limits(options),
        unnamed=unnamed.append,
    )
    if not faults:
        _print(f"{options.record} is true: every notebook and every verdict is as it says.\n")
    else:
        _print(f"{options.record} is not true:\n")
        _print("".join(f"  - {one_line(fault)}.\n" for fault in faults))
    if unnamed:
        _print("These notebooks are not in it:\n")
        _print(
            "".join(f"  - {one_line(str(it.path))}, of {one_line(it.learner)}\n" for it in unnamed)
        )
    return NOT_ENOUGH if faults else GRADED


class Progress:
    """A line that says how far a grading is, on a terminal.

    Args:
        stream: The terminal.
    """

    WIDTH = 28

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = 0

    def __call__(self, result: NotebookResult, done: int, count: int) -> None:
        """Show that one more notebook is through."""
        filled = self.WIDTH * done // count
        bar = "█" * filled + "░" * (self.WIDTH - filled)
        line = f"{bar} {done}/{count}  {Path(result.path).name}"
        room = shutil.get_terminal_size().columns - 1
        self._write(line[:room])

    def clear(self) -> None:
        """Take the line away."""
        self._write("")
        self._stream.write("\r")
        self._stream.flush()

    def _write(self, line: str) -> None:
        safe = "".join(sign if sign.isprintable() else "?" for sign in line)
        self._stream.write("\r" + safe.ljust(self._shown))
        self._stream.flush()
        self._shown = len(safe)
