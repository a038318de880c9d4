"""The errors labkit raises for a mistake that its caller can mend."""

from __future__ import annotations


class LabkitError(Exception):
    """Something that the caller can mend; the message says what was wrong and what to do.

    In a notebook only the message is shown: the frames below it are labkit's, and none of them
    would help the reader.
    """

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


class UsageError(LabkitError, ValueError):
    """An argument that labkit cannot work with."""


class Deadlock(LabkitError, RuntimeError):
    """Every task waits on something that cannot happen."""
