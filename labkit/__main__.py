"""The ``labkit`` command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from . import __version__
from .errors import LabkitError
from .grade.command import add_grade, add_nbgrader, add_verify

COMMANDS = (add_grade, add_verify, add_nbgrader)
"""What adds each subcommand to the parser; it sets ``run``, which returns the exit status."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: What follows the command's name; by default what the shell gave.

    Returns:
        The exit status; 2 for a usage error.
    """
    parser = argparse.ArgumentParser(
        prog="labkit", description="Grade the course's notebooks, in CI and for a class."
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
