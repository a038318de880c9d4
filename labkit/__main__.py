"""The ``labkit`` command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import __version__
from .errors import LabkitError
from .grade.command import add_grade, add_nbgrader, add_verify


def add_progress(commands: Any) -> None:
    """Add ``labkit progress``: a learner's own state, as their notebooks keep it."""
    parser = commands.add_parser(
        "progress",
        help="show what is solved, open and foreseen",
        description="Show what a learner's notebooks have kept: what is solved, what is open.",
    )
    parser.add_argument(
        "place",
        nargs="?",
        help="the progress file, or a folder: that of the notebooks or the one above it",
    )
    parser.set_defaults(run=_progress)


def _progress(options: argparse.Namespace) -> int:
    # Not with the module: the other commands need no graders before they have begun.
    from .overview import progress_in

    print(progress_in(options.place))
    return 0


def add_doctor(commands: Any) -> None:
    """Add ``labkit doctor``: what is wrong with an installation."""
    parser = commands.add_parser(
        "doctor",
        help="say what is wrong with an installation, and what to do",
        description="Look at this installation of the course: Python, packages, kernel, widgets,"
        " the learner's folder. Nothing is changed.",
        epilog="Exit status: 0 where nothing is wrong, 1 where something is, 2 for a usage error.",
    )
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path(),
        help="the folder of the notebooks, or the one above it (default: the current one)",
    )
    parser.set_defaults(run=_doctor)


def _doctor(options: argparse.Namespace) -> int:
    from .doctor import report

    return report(options.folder)


COMMANDS = (add_progress, add_doctor, add_grade, add_verify, add_nbgrader)
"""What adds each subcommand to the parser; it sets ``run``, which returns the exit status."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: What follows the command's name; by default what the shell gave.

    Returns:
        The exit status; 2 for a usage error.
    """
    parser = argparse.ArgumentParser(
        prog="labkit",
        description="The course's command: your own progress, what is wrong with an installation,"
        " and grades for one or for a class.",
    )
    parser.add_argument("--version", action="version", version=f"labkit {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in COMMANDS:
        add(commands)
    options = parser.parse_args(arguments)
    try:
        status: int = options.run(options)
    except LabkitError as error:
        print(f"labkit: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return status


if __name__ == "__main__":
    raise SystemExit(main())
