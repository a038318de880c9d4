"""The self-check questions of each lesson, from the TOML files of this folder."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from ..errors import UsageError


@dataclass(frozen=True)
class Option:
    """One answer to choose, whether it is right, and why."""

    text: str
    right: bool
    why: str


@dataclass(frozen=True)
class Question:
    """One question of a self-check.

    Attributes:
        id: Its name among all questions, such as ``"03/gather-raises"``.
        text: What is asked.
        multiple: Whether several options may be chosen; else exactly one is right.
        options: What to choose from, two to five.
    """

    id: str
    text: str
    multiple: bool
    options: tuple[Option, ...]

    @property
    def right(self) -> frozenset[int]:
        """The places of the right options, from 0."""
        return frozenset(place for place, option in enumerate(self.options) if option.right)


@dataclass(frozen=True)
class Lesson:
    """A lesson's title and its questions."""

    id: str
    title: str
    questions: tuple[Question, ...]


def parse(id: str, text: str) -> Lesson:
    """Read the text of a lesson's file.

    Args:
        id: The lesson, such as ``"03"``.
        text: TOML: a ``title``, and ``[[question]]`` tables, each with ``id``, ``kind`` (``single``
            or ``multiple``), ``text`` and ``[[question.option]]`` tables with ``text``, ``why``
            and, where it is so, ``right = true``.

    Raises:
        ValueError: When something is missing or makes no sense; the message says where.
    """
    data = tomllib.loads(text)
    try:
        questions = tuple(_question(id, table) for table in data["question"])
        title = data["title"]
    except KeyError as missing:
        raise ValueError(f"lesson {id}: {missing} is missing") from missing
    names = [question.id for question in questions]
    if len(set(names)) < len(names):
        raise ValueError(f"lesson {id}: two questions have the same id, among {names}")
    return Lesson(id, title, questions)


def _question(lesson: str, table: dict[str, Any]) -> Question:
    options = tuple(
        Option(option["text"], option.get("right", False), option["why"])
        for option in table["option"]
    )
    question = Question(
        f"{lesson}/{table['id']}", table["text"], table["kind"] == "multiple", options
    )
    if table["kind"] not in ("single", "multiple"):
        raise ValueError(f"{question.id}: its kind is single or multiple, not {table['kind']!r}")
    if not 2 <= len(options) <= 5:
        raise ValueError(f"{question.id}: it has {len(options)} options; two to five are wanted")
    if not all(part.strip() for option in options for part in (option.text, option.why)):
        raise ValueError(f"{question.id}: every option needs a text and a why")
    if not question.right or (len(question.right) > 1 and not question.multiple):
        raise ValueError(
            f"{question.id}: {len(question.right)} options are right;"
            f" a {table['kind']} choice has {'one or more' if question.multiple else 'one'}"
        )
    return question


@cache
def lessons() -> dict[str, Lesson]:
    """The lessons that have questions, by id."""
    found = [file for file in files(__name__).iterdir() if file.name.endswith(".toml")]
    return {
        file.name[:-5]: parse(file.name[:-5], file.read_text(encoding="utf-8"))
        for file in sorted(found, key=lambda file: file.name)
    }


def lesson(id: str) -> Lesson:
    """The lesson of an id, with its questions.

    Raises:
        UsageError: When there is none.
    """
    return pick(id, lessons())


def pick(id: str, known: dict[str, Lesson]) -> Lesson:
    """The lesson of an id among those known.

    Raises:
        UsageError: When it is not among them; the message names those that are.
    """
    if isinstance(id, str) and id in known:
        return known[id]
    two = str(id).zfill(2) if str(id).isdigit() else ""
    mend = f'; write "{two}", in quotes and with two digits' if two in known else ""
    raise UsageError(f"there is no lesson {id!r}; there are {', '.join(known)}{mend}")
