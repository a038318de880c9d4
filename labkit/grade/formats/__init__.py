"""The formats of a report, one module each; all are written from the one `Report`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...errors import UsageError
from ..result import Report
from . import classroom50, gradescope, junit, markdown, plain, text

Writer = Callable[[Report], str]


@dataclass(frozen=True)
class Format:
    """One format.

    Attributes:
        write: Makes the text of a report.
        one_learner: Whether it has room for one learner alone.
    """

    write: Writer
    one_learner: bool = False


FORMATS: Mapping[str, Format] = {
    "text": Format(text.write),
    "json": Format(plain.write),
    "junit": Format(junit.write),
    "markdown": Format(markdown.write),
    "gradescope": Format(gradescope.write, one_learner=True),
    "classroom50": Format(classroom50.write, one_learner=True),
}
"""Every format by its name."""


def check_learners(name: str, learners: int) -> None:
    """Refuse a format that has no room for so many learners.

    Raises:
        UsageError: When there are too many.
    """
    if FORMATS[name].one_learner and learners > 1:
        raise UsageError(
            f"the format {name} is one learner's, and these are {learners}: grade one at a time"
        )
